/* The measurement behind docs/reductions.md: how fast a sum reads its arrays in chunks of several sizes, the four
 * segments of a chunk four, two or one at a time or a chunk as one stream, on AVX2 and AVX-512. Independent of the
 * library.
 *
 *     cc -O2 bench/chunk.c -o chunk && ./chunk
 *
 * A row is a place that the data come from; the numbers are GB/s, medians of interleaved rounds. 4, 2 and 1 are the
 * segments read at a time, each into 64 bytes of accumulators, which is one order of addition; `-` reads the chunk from
 * its start to its end with as many accumulators as 4, which is another. */
#if !defined(__x86_64__)
#error "AVX2 and AVX-512 are of x86-64"
#endif
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { MAX_ARRAYS = 3, CHUNKS = 4, WAYS = 4, CONFIGS = CHUNKS * WAYS, ROUNDS = 9 };
static const size_t chunks[CHUNKS] = {16448, 32832, 65664, 131328};
static const size_t memory_elements = 100000000;

/* What is summed: 1 to 3 are the product of as many arrays; 4 is sum, min, max and sum of squares of one array. */
enum { FOUR_REDUCTIONS = 4, KERNELS = 5 };

/* A step reads 64 bytes from each of `streams` places, `apart` elements from each other, and goes `step` elements on.
 * V: W doubles; PER: such vectors in 64 bytes. `kind` and `streams` are constants in every call. */
#define SUM(name, target, V, W, PER, LOAD, ADD, MUL, MIN, MAX, ZERO)                                                \
    target static inline __attribute__((always_inline)) double name##_body(                                         \
        const double *const *x, size_t steps, size_t apart, size_t step, int kind, size_t streams)                  \
    {                                                                                                               \
        V sum[4][PER], square[4][PER], least[4][PER], most[4][PER];                                                 \
        double out[W], total = 0;                                                                                   \
        size_t i, k, s, p;                                                                                          \
        for (s = 0; s < streams; s++)                                                                               \
            for (p = 0; p < PER; p++)                                                                               \
                sum[s][p] = square[s][p] = least[s][p] = most[s][p] = ZERO;                                         \
        for (i = k = 0; k < steps; k++, i += step) {                                                                \
            _Pragma("GCC unroll 4") for (s = 0; s < streams; s++) _Pragma("GCC unroll 2") for (p = 0; p < PER; p++) \
            {                                                                                                       \
                size_t at = s * apart + i + p * W;                                                                  \
                V v = LOAD(x[0] + at);                                                                              \
                if (kind == 2 || kind == 3)                                                                         \
                    v = MUL(v, LOAD(x[1] + at));                                                                    \
                if (kind == 3)                                                                                      \
                    v = MUL(v, LOAD(x[2] + at));                                                                    \
                sum[s][p] = ADD(sum[s][p], v);                                                                      \
                if (kind == FOUR_REDUCTIONS) {                                                                      \
                    square[s][p] = ADD(square[s][p], MUL(v, v));                                                    \
                    least[s][p] = MIN(least[s][p], v);                                                              \
                    most[s][p] = MAX(most[s][p], v);                                                                \
                }                                                                                                   \
            }                                                                                                       \
        }                                                                                                           \
        for (s = 0; s < streams; s++)                                                                               \
            for (p = 0; p < PER; p++) {                                                                             \
                V v = ADD(ADD(sum[s][p], square[s][p]), ADD(least[s][p], most[s][p]));                              \
                memcpy(out, &v, sizeof v);                                                                          \
                for (k = 0; k < W; k++)                                                                             \
                    total += out[k];                                                                                \
            }                                                                                                       \
        return total;                                                                                               \
    }                                                                                                               \
    target static double name(const double *const *x, size_t steps, size_t apart, size_t step, int kind,            \
                              size_t streams)                                                                       \
    {                                                                                                               \
        switch (kind * 8 + (int)streams) {                                                                          \
            CASE(name, 1, 1);                                                                                       \
            CASE(name, 1, 2);                                                                                       \
            CASE(name, 1, 4);                                                                                       \
            CASE(name, 2, 1);                                                                                       \
            CASE(name, 2, 2);                                                                                       \
            CASE(name, 2, 4);                                                                                       \
            CASE(name, 3, 1);                                                                                       \
            CASE(name, 3, 2);                                                                                       \
            CASE(name, 3, 4);                                                                                       \
            CASE(name, 4, 1);                                                                                       \
            CASE(name, 4, 2);                                                                                       \
            CASE(name, 4, 4);                                                                                       \
        }                                                                                                           \
        return 0;                                                                                                   \
    }
#define CASE(name, kind, streams) \
    case kind * 8 + streams:      \
        return name##_body(x, steps, apart, step, kind, streams)

SUM(sum_avx2, __attribute__((target("avx2"))), __m256d, 4, 2, _mm256_loadu_pd, _mm256_add_pd, _mm256_mul_pd,
    _mm256_min_pd, _mm256_max_pd, _mm256_setzero_pd())
SUM(sum_avx512, __attribute__((target("avx512f"))), __m512d, 8, 1, _mm512_loadu_pd, _mm512_add_pd, _mm512_mul_pd,
    _mm512_min_pd, _mm512_max_pd, _mm512_setzero_pd())

/* One element more of each line. */
__attribute__((target("avx512f"), always_inline)) static inline __m512d load_twice(const double *x)
{
    int again;
    __asm__ volatile("movl %1, %0" : "=r"(again) : "m"(*x));
    return _mm512_loadu_pd(x);
}
SUM(sum_twice, __attribute__((target("avx512f"))), __m512d, 8, 1, load_twice, _mm512_add_pd, _mm512_mul_pd,
    _mm512_min_pd, _mm512_max_pd, _mm512_setzero_pd())

typedef double (*sum_fn)(const double *const *x, size_t steps, size_t apart, size_t step, int kind, size_t streams);
static volatile double sink;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The ways: 4, 2 or 1 segments at a time, and 0, the chunk from start to end. */
static const size_t ways[WAYS] = {4, 2, 1, 0};

static void sum_all(sum_fn f, double *const *x, size_t n, size_t chunk, size_t way, int kind)
{
    const double *at[MAX_ARRAYS];
    double total = 0;
    size_t first, segment, done, k;
    for (first = 0; first < n; first += chunk) {
        segment = (n - first < chunk ? n - first : chunk) / 32 * 8;
        for (k = 0; k < MAX_ARRAYS; k++)
            at[k] = x[k] + first;
        if (!way)
            total += f(at, segment / 8, 8, 32, kind, 4);
        for (done = 0; way && done < 4; done += way) {
            total += f(at, segment / 8, segment, 8, kind, way);
            for (k = 0; k < MAX_ARRAYS; k++)
                at[k] += way * segment;
        }
    }
    sink = total;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void measure(const char *place, sum_fn f, double *const *x, size_t bytes, int kind)
{
    static double took[CONFIGS][ROUNDS];
    int arrays = kind == FOUR_REDUCTIONS ? 1 : kind, round, c;
    size_t n = bytes / sizeof(double) / (size_t)arrays, repeat = 1 + ((size_t)1 << 24) / bytes, r;
    n = n < memory_elements ? n : memory_elements;
    for (round = 0; round < ROUNDS; round++)
        for (c = 0; c < CONFIGS; c++) {
            double start = seconds();
            for (r = 0; r < repeat; r++)
                sum_all(f, x, n, chunks[c / WAYS], ways[c % WAYS], kind);
            took[c][round] = seconds() - start;
        }
    printf("| %s |", place);
    for (c = 0; c < CONFIGS; c++) {
        qsort(took[c], ROUNDS, sizeof(double), by_value);
        printf("%s%.0f%s", c % WAYS ? "/" : " ", 1e-9 * (double)(n * 8 * (size_t)arrays * repeat) / took[c][ROUNDS / 2],
               c % WAYS == WAYS - 1 ? " |" : "");
    }
    putchar('\n');
    fflush(stdout);
}

int main(void)
{
    static const char *const what[KERNELS] = {"", "one array", "two arrays", "three arrays",
                                              "one array, four reductions"};
    static const struct {
        const char *name;
        size_t bytes;
    } places[] = {{"L1", 24 << 10}, {"L2", 512 << 10}, {"L3", 8 << 20}, {"memory", SIZE_MAX}};
    static const struct {
        const char *name;
        sum_fn sum;
    } isas[] = {{"AVX2", sum_avx2}, {"AVX-512", sum_avx512}, {"AVX-512, each line read twice", sum_twice}};
    double *x[MAX_ARRAYS];
    size_t k, i, isa;
    int kind;
    for (k = 0; k < MAX_ARRAYS; k++) {
        x[k] = (double *)mmap(NULL, (memory_elements + 8192) * sizeof(double), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (x[k] == MAP_FAILED)
            return 1;
        madvise(x[k], (memory_elements + 8192) * sizeof(double), MADV_HUGEPAGE);
        x[k] += 1032 * k; /* equal addresses modulo 4096 would fight for the same sets */
        for (i = 0; i < memory_elements; i++)
            x[k][i] = (double)(i % 1021) * 0x1p-10;
    }
    for (isa = 0; isa < sizeof isas / sizeof *isas; isa++) {
        if (isa ? !__builtin_cpu_supports("avx512f") : !__builtin_cpu_supports("avx2"))
            continue;
        for (kind = 1; kind < (isas[isa].sum == sum_twice ? FOUR_REDUCTIONS : KERNELS); kind++) {
            printf("\n%s, %s\n\n| from | chunk 16448: 4/2/1/- | 32832 | 65664 | 131328 |\n|---|---|---|---|---|\n",
                   isas[isa].name, what[kind]);
            for (k = 0; k < sizeof places / sizeof *places; k++)
                measure(places[k].name, isas[isa].sum, x, places[k].bytes, kind);
        }
    }
    return 0;
}
