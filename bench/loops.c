/* loops: the naive loops. The build compiles this file once for each compiler and set of flags that takes part, with
 * LOOPS_ID (an identifier) and LOOPS_NAME (a string) saying which. */
#include "bench.h"
#include <math.h>

#define T double
#define SQRT sqrt
#define NAME(row) row##_f64
#include "loops_typed.h"
#undef T
#undef SQRT
#undef NAME

#define T float
#define SQRT sqrtf
#define NAME(row) row##_f32
#include "loops_typed.h"
#undef T
#undef SQRT
#undef NAME

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
extern const bench_loops JOIN(bench_loops_, LOOPS_ID);
const bench_loops JOIN(bench_loops_, LOOPS_ID) = {
    LOOPS_NAME,
    {
        {
#define X(name, in, out, flops, first, text) name##_f64,
            BENCH_ROWS(X)
#undef X
        },
        {
#define X(name, in, out, flops, first, text) name##_f32,
            BENCH_ROWS(X)
#undef X
        },
    },
};
