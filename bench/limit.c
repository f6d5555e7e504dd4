/* limit: the rows written by hand with vectors, several accumulators and streams, and non-temporal stores beyond the
 * last cache: what a patient programmer reaches on this machine. */
#include "limit.h"
#include <string.h>

size_t limit_stream_bytes = (size_t)1 << 62;

#if defined(__x86_64__)
#include <immintrin.h>

static inline double sum_one(double a, double b)
{
    (void)b;
    return a;
}
static inline double dot_one(double a, double b)
{
    return a * b;
}
static inline double sqdiff_one(double a, double b)
{
    return (a - b) * (a - b);
}

#define T double
#define V __m256d
#define ISA "avx2,fma"
#define SIZE 32
#define LOAD(p) _mm256_loadu_pd(p)
#define STREAM(p, v) _mm256_stream_pd(p, v)
#define SQRT(v) _mm256_sqrt_pd(v)
#define SET1(x) _mm256_set1_pd(x)
#define POSITIVE(x, yes, no) _mm256_blendv_pd(no, yes, _mm256_cmp_pd(x, SET1(0), _CMP_GT_OQ))
#define NAME(row) row##_f64_avx2
#include "limit_typed.h"

#define T float
#define V __m256
#define ISA "avx2,fma"
#define SIZE 32
#define LOAD(p) _mm256_loadu_ps(p)
#define STREAM(p, v) _mm256_stream_ps(p, v)
#define SQRT(v) _mm256_sqrt_ps(v)
#define SET1(x) _mm256_set1_ps(x)
#define POSITIVE(x, yes, no) _mm256_blendv_ps(no, yes, _mm256_cmp_ps(x, SET1(0), _CMP_GT_OQ))
#define NAME(row) row##_f32_avx2
#include "limit_typed.h"

#define T double
#define V __m512d
#define ISA "avx512f"
#define SIZE 64
#define LOAD(p) _mm512_loadu_pd(p)
#define STREAM(p, v) _mm512_stream_pd(p, v)
#define SQRT(v) _mm512_sqrt_pd(v)
#define SET1(x) _mm512_set1_pd(x)
#define POSITIVE(x, yes, no) _mm512_mask_blend_pd(_mm512_cmp_pd_mask(x, SET1(0), _CMP_GT_OQ), no, yes)
#define NAME(row) row##_f64_avx512
#include "limit_typed.h"

#define T float
#define V __m512
#define ISA "avx512f"
#define SIZE 64
#define LOAD(p) _mm512_loadu_ps(p)
#define STREAM(p, v) _mm512_stream_ps(p, v)
#define SQRT(v) _mm512_sqrt_ps(v)
#define SET1(x) _mm512_set1_ps(x)
#define POSITIVE(x, yes, no) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, SET1(0), _CMP_GT_OQ), no, yes)
#define NAME(row) row##_f32_avx512
#include "limit_typed.h"

#define X64_2(name, in, out, flops, first, text) name##_f64_avx2,
#define X32_2(name, in, out, flops, first, text) name##_f32_avx2,
#define X64_5(name, in, out, flops, first, text) name##_f64_avx512,
#define X32_5(name, in, out, flops, first, text) name##_f32_avx512,
static const bench_loops limit_avx2 = {"by hand", {{BENCH_ROWS(X64_2)}, {BENCH_ROWS(X32_2)}}};
static const bench_loops limit_avx512 = {"by hand", {{BENCH_ROWS(X64_5)}, {BENCH_ROWS(X32_5)}}};
#endif

const bench_loops *limit_loops(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"))
        return &limit_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &limit_avx2;
#endif
    return NULL;
}
