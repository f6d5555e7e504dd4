/* Calls of every kind, to be run under a memory checker, which knows what generated code may read: also below the
 * stack's top, and behind the elements that there are (tools/check-memory). */
#include "jitk.h"

static void call(const char *text, size_t n, ptrdiff_t stride)
{
    double a = 1.5, result[4];
    double *x = (double *)malloc((n * 3 + 1) * sizeof *x), *y = (double *)malloc((n * 3 + 1) * sizeof *y);
    double *z = (double *)malloc((n * 3 + 1) * sizeof *z);
    jitk_error e;
    jitk_kernel *k = jitk_compile(text, NULL, &e);
    const void *args[4];
    ptrdiff_t strides[4];
    size_t i, arrays = 0;
    double sum = 0;
    for (i = 0; i < n; i++) { /* what lies between strided elements stays without a value */
        x[i * (size_t)stride] = 1 + (double)i / 8;
        y[i * (size_t)stride] = 2 - (double)i / 16;
    }
    for (i = 0; k && i < jitk_arg_count(k); i++) {
        jitk_arg_info info;
        jitk_arg(k, i, &info);
        strides[i] = stride;
        if (!info.is_array)
            args[i] = info.is_result ? (void *)&result[0] : (void *)&a;
        else
            args[i] = info.is_result ? z : arrays++ ? y : x;
    }
    if (!k || jitk_call_strided(k, n, jitk_arg_count(k), args, stride == 1 ? NULL : strides) != JITK_OK ||
        (stride == 1 && jitk_callv(k, n, jitk_arg_count(k), args) != JITK_OK))
        printf("%s: %s\n", text, k ? jitk_last_error()->message : e.message);
    for (i = 0; k && i < n && args[jitk_arg_count(k) - 1] == z; i++)
        sum += z[i * (size_t)stride];
    if (sum > 1e300) /* uses every result */
        printf("%s: %g\n", text, sum);
    jitk_free(k);
    free(x), free(y), free(z);
}

int main(void)
{
    static const char *const texts[] = {"(x[], y[]) = 2*x + y",
                                        "(a, x[], y[]) = a*x + y",
                                        "(x[], y[]) = x^0.5/(y + 40)",
                                        "(x[], y[]) = x % y + x^13",
                                        "(x[], y[]) = x > y ? x : -y",
                                        "(x[], y[]) = sum(x*y)",
                                        "(x[], y[]) = x - sum(y)/count(y)",
                                        "(x[], y[]) = argmin(x - y)",
                                        "(x[]) = length() + x",
                                        "(x[]) = 1"};
    static const size_t sizes[] = {0, 1, 7, 8, 16, 63, 301};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
        for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++)
            for (ptrdiff_t stride = 1; stride < 4; stride += 2)
                call(texts[t], sizes[n], stride);
    return 0;
}
