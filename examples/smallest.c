/* The smallest program: a source in one call, and a named kernel.
 *
 * Prints:
 * 4, and the sum is 12.2925
 */
#include "jitk.h"

int main(void)
{
    double x[4] = {1, 2, 3, 4}, y[4];
    jitk_eval("2*x^0.5", 4, x, y);
    printf("%g, and the sum is %g\n", y[3], jitk_sum(y, 4));
    return 0;
}
