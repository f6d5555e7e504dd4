/* What the cross-cutting suites (language, random, guard, world) share: which instruction sets to run, sizes scaled for
 * emulators, random numbers, arrays of either type seen as bits, extreme values, and the list of kernels under test.
 *
 *   JITK_TEST_SCALE   percent of the usual work (100)
 *   JITK_TEST_ISAS    names of the instruction sets to run, as `interp,avx2` (all that the CPU has)
 *   JITK_TEST_SEED    seed of everything random (fixed, so that a plain run repeats itself)
 *
 * Include after suites.h. */
#ifndef KERNELS_UNDER_TEST_H
#define KERNELS_UNDER_TEST_H
#include "plain_fp.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KUT_FUNC static __attribute__((unused))
#define KUT_COUNT(a) (sizeof(a) / sizeof(*(a)))

/* ---- instruction sets ---- */

#define KUT_FIRST_ISA ((int)JITK_ISA_INTERP)
#define KUT_END_ISA ((int)JITK_ISA_AVX512 + 1)

static const char *const kut_isa_names[] = {"auto", "interp", "scalar", "sse2", "avx2", "avx512"};

/* What the CPU has, asked of the compiler's own runtime and not of the library. */
KUT_FUNC bool kut_cpu_has(int isa)
{
    if (isa == JITK_ISA_INTERP)
        return true;
#if defined(__x86_64__) && defined(__linux__)
    __builtin_cpu_init();
    if (isa == JITK_ISA_AVX2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (isa == JITK_ISA_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd");
    return true;
#else
    return false;
#endif
}

KUT_FUNC bool kut_listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *p = list; *p; p += strcspn(p, ", "), p += strspn(p, ", "))
        if (strcspn(p, ", ") == len && memcmp(p, name, len) == 0)
            return true;
    return false;
}

/* Whether to run this one. */
KUT_FUNC bool kut_isa(int isa)
{
    const char *list = getenv("JITK_TEST_ISAS");
    if (list && *list && !kut_listed(list, kut_isa_names[isa]))
        return false;
    return kut_cpu_has(isa);
}

/* Whether fma keeps what is left where 64 binary digits cancel. An emulator (Bochs 2.7) makes 0 of it in doubles: then
 * x % y, which is exact by such differences, is wrong for large quotients; nothing else can tell. */
KUT_FUNC bool kut_fma_is_exact(void)
{
    volatile double a = 0x1.44accf8f470f4p+52, b = 0x1.e6a77c78p+52, c = -0x1.349a3e50a6748p+105;
    return fma(a, b, c) == 0x1.dc898p+42;
}

/* Says once, when a suite is made, what will not run here. */
KUT_FUNC void kut_say_skipped(const char *suite)
{
    if (!kut_fma_is_exact())
        printf("%s: x %% y of large quotients skipped: this CPU's fma loses digits\n", suite);
    for (int isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++)
        if (!kut_isa(isa))
            printf("%s: %s skipped: %s\n", suite, kut_isa_names[isa],
                   kut_cpu_has(isa) ? "not in JITK_TEST_ISAS" : "this CPU lacks it");
    fflush(stdout);
}

/* ---- memory ---- */

/* Memory between two pages that may not be touched. */
typedef struct kut_area {
    char *at;
    size_t nbytes;
} kut_area;

KUT_FUNC kut_area kut_map(size_t nbytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    kut_area a;
    a.nbytes = (nbytes + page - 1) / page * page;
    char *p = (char *)mmap(NULL, a.nbytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(p != (char *)MAP_FAILED);
    a.at = p + page;
    ck_assert_int_eq(mprotect(a.at, a.nbytes, PROT_READ | PROT_WRITE), 0);
    return a;
}

KUT_FUNC void kut_unmap(kut_area a)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(a.at - page, a.nbytes + 2 * page);
}

/* ---- sizes and seeds ---- */

KUT_FUNC size_t kut_scaled(size_t count)
{
    const char *s = getenv("JITK_TEST_SCALE");
    size_t percent = s && atoi(s) > 0 ? (size_t)atoi(s) : 100;
    size_t scaled = count / 100 * percent + count % 100 * percent / 100;
    return scaled ? scaled : 1;
}

/* Small runs look at every step-th case. */
KUT_FUNC size_t kut_step(void)
{
    size_t percent = kut_scaled(100);
    return percent >= 100 ? 1 : (100 + percent - 1) / percent;
}

KUT_FUNC uint64_t kut_seed(void)
{
    const char *s = getenv("JITK_TEST_SEED");
    return s && *s ? strtoull(s, NULL, 0) : 20240717u;
}

typedef struct kut_rng {
    uint64_t state;
} kut_rng;

KUT_FUNC uint64_t kut_next(kut_rng *r) /* splitmix64 */
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

KUT_FUNC size_t kut_below(kut_rng *r, size_t n)
{
    return (size_t)(kut_next(r) % n);
}

/* ---- values as bits ---- */

KUT_FUNC const plain_format *kut_format(jitk_type type)
{
    return type == JITK_F32 ? &plain_f32 : &plain_f64;
}

KUT_FUNC size_t kut_size(jitk_type type)
{
    return kut_format(type)->bytes;
}

KUT_FUNC const char *kut_type_name(jitk_type type)
{
    return type == JITK_F32 ? "f32" : "f64";
}

KUT_FUNC uint64_t kut_get(jitk_type type, const void *p, ptrdiff_t i)
{
    uint64_t u = 0;
    if (type == JITK_F32) {
        uint32_t w;
        memcpy(&w, (const char *)p + 4 * i, 4);
        u = w;
    } else {
        memcpy(&u, (const char *)p + 8 * i, 8);
    }
    return u;
}

KUT_FUNC void kut_put(jitk_type type, void *p, ptrdiff_t i, uint64_t u)
{
    uint32_t w = (uint32_t)u;
    if (type == JITK_F32)
        memcpy((char *)p + 4 * i, &w, 4);
    else
        memcpy((char *)p + 8 * i, &u, 8);
}

KUT_FUNC double kut_show(jitk_type type, uint64_t u)
{
    return type == JITK_F32 ? (double)plain_float(u) : plain_double(u);
}

/* The first place where two arrays differ (all NaNs equal), or n. */
KUT_FUNC size_t kut_differs(jitk_type type, const void *a, const void *b, size_t n)
{
    if (memcmp(a, b, n * kut_size(type)) == 0)
        return n;
    for (size_t i = 0; i < n; i++)
        if (!plain_same(kut_format(type), kut_get(type, a, (ptrdiff_t)i), kut_get(type, b, (ptrdiff_t)i)))
            return i;
    return n;
}

/* ---- extreme and random values ---- */

static const char *const kut_extremes[] = {"0",
                                           "-0",
                                           "1",
                                           "-1",
                                           "0.5",
                                           "-0.5",
                                           "1.5",
                                           "2.5",
                                           "-2.5",
                                           "2",
                                           "3",
                                           "-3",
                                           "10",
                                           "inf",
                                           "-inf",
                                           "nan",
                                           "-nan",
                                           "0.49999999999999994",
                                           "0.49999997",
                                           "0.9999999999999999",
                                           "1.0000000000000002",
                                           "0.99999994",
                                           "1.0000001",
                                           "4503599627370495.5",
                                           "4503599627370496",
                                           "9007199254740991",
                                           "9007199254740993",
                                           "-4503599627370497.5",
                                           "8388607.5",
                                           "8388608",
                                           "16777215",
                                           "-8388607.5",
                                           "9.223372036854775807e18",
                                           "2147483647.5",
                                           "-2147483648",
                                           "5e-324",
                                           "-5e-324",
                                           "2.2250738585072014e-308",
                                           "2.2250738585072009e-308",
                                           "1.7976931348623157e308",
                                           "-1.7976931348623157e308",
                                           "1.4e-45",
                                           "-1.4e-45",
                                           "1.17549435e-38",
                                           "1.17549421e-38",
                                           "3.40282347e38",
                                           "-3.40282347e38",
                                           "1e300",
                                           "1e-300",
                                           "1e30",
                                           "1e-30",
                                           "-1e19",
                                           "0.1",
                                           "0.3",
                                           "3.141592653589793"};
#define KUT_EXTREMES KUT_COUNT(kut_extremes)

KUT_FUNC uint64_t kut_extreme(jitk_type type, size_t i)
{
    static uint64_t bits[2][KUT_EXTREMES];
    static bool made;
    if (!made) {
        for (size_t j = 0; j < KUT_EXTREMES; j++) {
            bits[0][j] = plain_parse(&plain_f64, kut_extremes[j]);
            bits[1][j] = plain_parse(&plain_f32, kut_extremes[j]);
        }
        made = true;
    }
    return bits[type == JITK_F32][i];
}

typedef enum kut_kind { KUT_TAME, KUT_WHOLE, KUT_BITS, KUT_EXTREME, KUT_MIXED, KUT_KINDS } kut_kind;

/* One value: tame is of either sign with an exponent near 0, whole is a small whole number or half of one. */
KUT_FUNC uint64_t kut_value(kut_rng *r, jitk_type type, kut_kind kind)
{
    const plain_format *f = kut_format(type);
    uint64_t u = kut_next(r), mask = type == JITK_F32 ? 0xffffffffu : UINT64_MAX;
    uint64_t fraction = u & (((uint64_t)1 << f->mantissa) - 1);
    if (kind == KUT_MIXED) { /* mostly tame, so that rare things happen in few lanes */
        size_t die = kut_below(r, 16);
        kind = die == 0 ? KUT_EXTREME : die == 1 ? KUT_BITS : die < 6 ? KUT_WHOLE : KUT_TAME;
    }
    switch (kind) {
    case KUT_WHOLE:
        return plain_whole(f, (int64_t)(u % 41) - 20) ^ ((u >> 32) % 8 == 0 ? f->sign : 0);
    case KUT_BITS:
        return u & mask;
    case KUT_EXTREME:
        return kut_extreme(type, (size_t)(u % KUT_EXTREMES));
    default:
        return ((u >> 60) & 1 ? f->sign : 0) | ((uint64_t)(f->bias - 4 + (int)((u >> 56) & 7)) << f->mantissa) |
               fraction;
    }
}

KUT_FUNC void kut_fill(kut_rng *r, jitk_type type, kut_kind kind, void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        kut_put(type, p, (ptrdiff_t)i, kut_value(r, type, kind));
}

/* ---- texts being put together ---- */

typedef struct kut_text {
    char *at;
    size_t len, cap;
} kut_text;

KUT_FUNC void kut_puts(kut_text *b, const char *s)
{
    size_t len = strlen(s);
    if (b->len + len + 1 > b->cap) {
        b->cap = 2 * (b->len + len + 1);
        b->at = (char *)realloc(b->at, b->cap);
        if (!b->at)
            abort();
    }
    memcpy(b->at + b->len, s, len + 1);
    b->len += len;
}

KUT_FUNC void kut_put_char(kut_text *b, char c)
{
    char s[2] = {c, 0};
    kut_puts(b, s);
}

/* ---- kernels under test: scalars first, then arrays, one result ---- */

typedef struct kut_kernel {
    const char *text;
    int scalars, arrays;
    bool is_map;
} kut_kernel;

static const kut_kernel kut_kernels[] = {
    {"k(x[]) = 2*x^0.5", 0, 1, true},
    {"k(x[], y[]) = 2*x + 3*y", 0, 2, true},
    {"k(x[]) = x > 0 ? sqrt(x) : -x", 0, 1, true},
    {"k(a, x[], y[]) = a*x + y", 1, 2, true},
    {"k(x[], y[], z[]) = (x - y)/(x + z)", 0, 3, true},
    {"k(x[]) = 0.25*x^3 + 0.75*x^2 - 1.5*x - 2", 0, 1, true},
    {"k(x[], y[]) = x % y", 0, 2, true},
    {"k(x[], y[], z[]) = fma(x, y, z) + clamp(x, -1, 1)", 0, 3, true},
    {"k(a, b, x[]) = x^5 + (x < a || x > b)", 2, 1, true},
    {"k(x[], y[]) = where(isnan(x), 0, min(round(x), rint(y)))", 0, 2, true},
    {"k(x[]) = x^0", 0, 1, true},
    {"k(x[]) = sum(x)", 0, 1, false},
    {"k(x[]) = sum(x + 1)", 0, 1, false},
    {"k(x[], y[]) = dot(x, y)", 0, 2, false},
    {"k(x[], y[]) = sum((x - y)^2)", 0, 2, false},
    {"k(x[]) = prod(x)", 0, 1, false},
    {"k(x[]) = mean(x + 2)", 0, 1, false},
    {"k(x[]) = min(x)", 0, 1, false},
    {"k(x[]) = max(x - 3)", 0, 1, false},
    {"k(x[]) = argmin(x)", 0, 1, false},
    {"k(x[]) = argmax(x^2)", 0, 1, false},
    {"k(a, x[]) = count(x > a)", 1, 1, false},
    {"k(x[]) = any(x > 15)", 0, 1, false},
    {"k(x[]) = all(x > -15)", 0, 1, false},
    {"k(x[], y[]) = sum(x*y)/sum(y)", 0, 2, false},
    {"k(x[]) = sum(x) + min(x) - max(x)*sum(x*x)", 0, 1, false},
    {"k(x[], y[]) = sum(x % y)", 0, 2, false},
    {"k(a) = sum(a)", 1, 0, false},
};

/* A crash in generated code has no line to show: the handler says what was compiled last, then lets the signal kill. */
static const char *volatile kut_last_text = "nothing";
static volatile int kut_last_isa, kut_last_type;

KUT_FUNC void kut_on_crash(int sig)
{
    fprintf(stderr, "signal %d; last compiled: %s %s: %.300s\n", sig, kut_isa_names[kut_last_isa],
            kut_type_name((jitk_type)kut_last_type), kut_last_text);
    signal(sig, SIG_DFL);
    raise(sig);
}

KUT_FUNC void kut_explain_crashes(void)
{
    signal(SIGSEGV, kut_on_crash);
    signal(SIGILL, kut_on_crash);
    signal(SIGFPE, kut_on_crash);
    signal(SIGABRT, kut_on_crash);
}

KUT_FUNC void kut_note(const char *text, jitk_type type, int isa)
{
    kut_last_text = text;
    kut_last_type = (int)type;
    kut_last_isa = isa;
}

/* Compiles or fails the test with the library's message. */
KUT_FUNC jitk_kernel *kut_compile(const char *text, jitk_type type, int isa)
{
    jitk_options o;
    jitk_error e;
    memset(&o, 0, sizeof o);
    o.type = type;
    o.isa = (jitk_isa)isa;
    kut_note(text, type, isa);
    jitk_kernel *k = jitk_compile(text, &o, &e);
    ck_assert_msg(k != NULL, "%s %s: %.200s: %zu:%zu: %s", kut_isa_names[isa], kut_type_name(type), text, e.line,
                  e.column, e.message);
    ck_assert_int_eq((int)e.status, (int)JITK_OK);
    return k;
}

#endif
