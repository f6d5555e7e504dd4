/* demo_loops: see demo_loops.h. */
#include "demo_loops.h"
#include <math.h>

#define LOOP(name, T, result, each)                                   \
    double name(const void *vx, const void *vy, void *vout, size_t n) \
    {                                                                 \
        const T *x = (const T *)vx, *y = (const T *)vy;               \
        T *out = (T *)vout, s = 0;                                    \
        (void)y, (void)out;                                           \
        for (size_t i = 0; i < n; i++)                                \
            each;                                                     \
        return result;                                                \
    }
#define LOOPS(suffix, T, root)                                    \
    LOOP(loop_sum_##suffix, T, s, s += x[i])                      \
    LOOP(loop_dot_##suffix, T, s, s += x[i] * y[i])               \
    LOOP(loop_root_##suffix, T, s, out[i] = 2 * root(x[i]))       \
    LOOP(loop_blend_##suffix, T, s, out[i] = 2 * x[i] + 3 * y[i]) \
    LOOP(loop_select_##suffix, T, s, out[i] = x[i] > 0 ? root(x[i]) : -x[i])

LOOPS(f64, double, sqrt)
LOOPS(f32, float, sqrtf)
