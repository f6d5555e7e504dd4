/* Kernels: compiled once, called often; scalars by value, element types, strides, and what an error looks like.
 *
 * Prints:
 * weighted mean 2.5
 * gray 76 150 29
 * magnitude 5 13
 * 1:5: unknown function 'sqr' (did you mean 'sqrt'?)
 *   2 * sqr(x)
 *       ^~~
 */
#include "jitk.h"
#include <stdlib.h>

static jitk_kernel *compile(const char *source)
{
    jitk_error err;
    jitk_kernel *k = jitk_compile(source, NULL, &err);
    if (!k) {
        jitk_error_print(&err, source, stderr);
        exit(1);
    }
    return k;
}

/* A reduction: two arrays in, a scalar out, one pass over the data. */
static void weighted_mean(void)
{
    double x[4] = {1, 2, 3, 4}, w[4] = {1, 1, 1, 1}, mean;
    jitk_kernel *k = compile("(x[], w[]) = sum(w*x) / sum(w)");
    jitk_call(k, 4, x, w, &mean);
    printf("weighted mean %g\n", mean);
    jitk_free(k);
}

/* Bytes in, bytes out: arithmetic is in double in between, the store rounds and saturates. */
static void gray(void)
{
    uint8_t r[3] = {255, 0, 0}, g[3] = {0, 255, 0}, b[3] = {0, 0, 255}, out[3];
    jitk_kernel *k = compile("gray(r: u8[], g: u8[], b: u8[]) -> u8 = 0.299*r + 0.587*g + 0.114*b");
    jitk_call(k, 3, r, g, b, out);
    printf("gray %d %d %d\n", out[0], out[1], out[2]);
    jitk_free(k);
}

/* Interleaved fields: every second element, from the pointer on. */
static void magnitude(void)
{
    double z[4] = {3, 4, 5, 12}, out[2];
    const void *args[3] = {&z[0], &z[1], out};
    const ptrdiff_t strides[3] = {2, 2, 1};
    jitk_kernel *k = compile("(re[], im[]) = sqrt(re^2 + im^2)");
    jitk_call_strided(k, 2, 3, args, strides);
    printf("magnitude %g %g\n", out[0], out[1]);
    jitk_free(k);
}

int main(void)
{
    jitk_error err;
    weighted_mean();
    gray();
    magnitude();
    if (!jitk_compile("2 * sqr(x)", NULL, &err))
        jitk_error_print(&err, "2 * sqr(x)", stdout);
    return 0;
}
