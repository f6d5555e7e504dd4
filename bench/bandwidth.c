/* bandwidth: see bandwidth.h. The vector loops are compiled for their instruction set function by function and chosen
 * by what the CPU has, so that this file needs no flags. */
#include "bandwidth.h"
#include <stdint.h>
#include <string.h>
#include <time.h>

static unsigned long read_plain(const void *from, size_t nbytes)
{
    const uint64_t *p = (const uint64_t *)from;
    uint64_t s = 0;
    for (size_t i = 0; i + 8 <= nbytes / 8; i += 8)
        s |= p[i];
    return s;
}

static void copy_memcpy(void *to, const void *from, size_t nbytes)
{
    memcpy(to, from, nbytes);
}

#if defined(__x86_64__)
#include <immintrin.h>

/* `streams` regions of equal length are read side by side: the hardware's prefetchers follow each of them. */
#define READER(name, isa, V, LOAD, OR, ZERO, STREAMS)                                       \
    __attribute__((target(isa))) static unsigned long name(const void *from, size_t nbytes) \
    {                                                                                       \
        const char *p = (const char *)from;                                                 \
        size_t each = nbytes / STREAMS / 256 * 256, rest = each * STREAMS;                  \
        V s0 = ZERO(), s1 = ZERO(), s2 = ZERO(), s3 = ZERO();                               \
        for (size_t i = 0; i < each; i += 256)                                              \
            for (size_t k = 0; k < STREAMS; k++)                                            \
                for (size_t j = 0; j < 256; j += 4 * sizeof(V)) {                           \
                    const char *q = p + k * each + i + j;                                   \
                    s0 = OR(s0, LOAD((const V *)q));                                        \
                    s1 = OR(s1, LOAD((const V *)(q + sizeof(V))));                          \
                    s2 = OR(s2, LOAD((const V *)(q + 2 * sizeof(V))));                      \
                    s3 = OR(s3, LOAD((const V *)(q + 3 * sizeof(V))));                      \
                }                                                                           \
        uint64_t all[4][sizeof(V) / 8], s = read_plain(p + rest, nbytes - rest);            \
        memcpy(all[0], &s0, sizeof(V)), memcpy(all[1], &s1, sizeof(V));                     \
        memcpy(all[2], &s2, sizeof(V)), memcpy(all[3], &s3, sizeof(V));                     \
        for (size_t i = 0; i < 4 * sizeof(V) / 8; i++)                                      \
            s |= all[i / (sizeof(V) / 8)][i % (sizeof(V) / 8)];                             \
        return s;                                                                           \
    }
READER(read_avx2_1, "avx2", __m256i, _mm256_load_si256, _mm256_or_si256, _mm256_setzero_si256, 1)
READER(read_avx2_4, "avx2", __m256i, _mm256_load_si256, _mm256_or_si256, _mm256_setzero_si256, 4)
READER(read_avx512_1, "avx512f", __m512i, _mm512_load_si512, _mm512_or_si512, _mm512_setzero_si512, 1)
READER(read_avx512_4, "avx512f", __m512i, _mm512_load_si512, _mm512_or_si512, _mm512_setzero_si512, 4)

#define COPIER(name, isa, V, LOAD, STORE)                                                                     \
    __attribute__((target(isa))) static void name(void *to, const void *from, size_t nbytes)                  \
    {                                                                                                         \
        size_t whole = nbytes / 256 * 256;                                                                    \
        for (size_t i = 0; i < whole; i += 4 * sizeof(V)) {                                                   \
            const V *q = (const V *)((const char *)from + i);                                                 \
            V *o = (V *)((char *)to + i), v0 = LOAD(q), v1 = LOAD(q + 1), v2 = LOAD(q + 2), v3 = LOAD(q + 3); \
            STORE(o, v0), STORE(o + 1, v1), STORE(o + 2, v2), STORE(o + 3, v3);                               \
        }                                                                                                     \
        _mm_sfence();                                                                                         \
        memcpy((char *)to + whole, (const char *)from + whole, nbytes - whole);                               \
    }
COPIER(copy_avx2, "avx2", __m256i, _mm256_load_si256, _mm256_store_si256)
COPIER(copy_avx2_nt, "avx2", __m256i, _mm256_load_si256, _mm256_stream_si256)
COPIER(copy_avx512, "avx512f", __m512i, _mm512_load_si512, _mm512_store_si512)
COPIER(copy_avx512_nt, "avx512f", __m512i, _mm512_load_si512, _mm512_stream_si512)
static int has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
static int has_avx512(void)
{
    return __builtin_cpu_supports("avx512f");
}
#endif

static int always(void)
{
    return 1;
}

static const struct {
    bandwidth_reader read;
    int (*has)(void);
} readers[] = {
    {read_plain, always},
#if defined(__x86_64__)
    {read_avx2_1, has_avx2}, {read_avx2_4, has_avx2}, {read_avx512_1, has_avx512}, {read_avx512_4, has_avx512},
#endif
};

static const struct {
    bandwidth_copier copy;
    int (*has)(void);
} copiers[] = {
    {copy_memcpy, always},
#if defined(__x86_64__)
    {copy_avx2, has_avx2}, {copy_avx2_nt, has_avx2}, {copy_avx512, has_avx512}, {copy_avx512_nt, has_avx512},
#endif
};

enum { TRIES = 7 };
#define COUNT(a) (sizeof(a) / sizeof *(a))

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t repeats(size_t nbytes)
{
    return nbytes > 4000000 ? 1 : 4000000 / (nbytes + 64) + 1;
}

/* The least of a few tries: this only chooses a loop, what is reported is measured later. */
bandwidth_reader bandwidth_pick_reader(const void *from, size_t nbytes)
{
    static volatile unsigned long sink; /* keeps the reads */
    size_t best = 0;
    double best_ns = 1e300;
    for (int try = 0; try < TRIES; try++)
        for (size_t i = 0; i < COUNT(readers); i++) {
            if (!readers[i].has())
                continue;
            double start = now();
            for (size_t r = repeats(nbytes); r > 0; r--)
                sink = sink | readers[i].read(from, nbytes);
            double ns = now() - start;
            if (ns < best_ns)
                best_ns = ns, best = i;
        }
    return readers[best].read;
}

bandwidth_copier bandwidth_pick_copier(void *to, const void *from, size_t nbytes)
{
    size_t best = 0;
    double best_ns = 1e300;
    for (int try = 0; try < TRIES; try++)
        for (size_t i = 0; i < COUNT(copiers); i++) {
            if (!copiers[i].has())
                continue;
            double start = now();
            for (size_t r = repeats(nbytes); r > 0; r--)
                copiers[i].copy(to, from, nbytes);
            double ns = now() - start;
            if (ns < best_ns)
                best_ns = ns, best = i;
        }
    return copiers[best].copy;
}
