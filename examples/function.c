/* A formula as a native function pointer: here what a root finder calls.
 *
 * Prints:
 * x^3 = 2 at 1.259921
 */
#include "jitk.h"

typedef double (*function)(double);

static double bisect(function f, double low, double high)
{
    int i;
    for (i = 0; i < 60; i++) {
        double middle = low + (high - low) / 2;
        if ((f(low) < 0) == (f(middle) < 0))
            low = middle;
        else
            high = middle;
    }
    return low;
}

int main(void)
{
    size_t arity;
    jitk_error err;
    jitk_fn f = jitk_function("x^3 - 2", NULL, &arity, &err);
    if (!f || arity != 1) { /* where there is no machine code, or for a formula that is not one of x */
        printf("%s\n", f ? "not a function of x" : err.message);
        return 1;
    }
    printf("x^3 = 2 at %.6f\n", bisect((function)f, 0, 2));
    jitk_function_free(f);
    return 0;
}
