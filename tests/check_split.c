/* split: roots and quotients that are computed beside the divider (x64/split.c) are to the last bit what the
 * interpreter gives: singles' roots one and all; of the rest the cases that are hardest to round, by construction; what
 * the slow path is for, in every lane. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "suites.h"
#include "kernels_under_test.h"
#include <math.h>

enum { SP_N = 4096, SP_SIZE = 8 * SP_N, SP_LANES = 70, SP_TEXTS = 6 };

__extension__ typedef unsigned __int128 sp_wide;
__extension__ typedef __int128 sp_int;

static struct { /* what is computed, by the code under test and by the interpreter */
    jitk_kernel *k, *interp;
    jitk_type type;
    char a[SP_SIZE], b[SP_SIZE], got[SP_SIZE], want[SP_SIZE];
} sp;

static bool sp_open(const char *text, int i)
{
    sp.type = i & 1 ? JITK_F32 : JITK_F64;
    if (!kut_isa(i / 2))
        return false;
    sp.k = kut_compile(text, sp.type, i / 2);
    sp.interp = kut_compile(text, sp.type, JITK_ISA_INTERP);
    return true;
}

static void sp_close(void)
{
    jitk_free(sp.k);
    jitk_free(sp.interp);
}

#define SP_BITS(what) (unsigned long long)kut_get(sp.type, sp.what, (ptrdiff_t)i)

/* Runs both on n elements and compares. */
static void sp_compare(size_t n)
{
    size_t i, nargs = jitk_arg_count(sp.k);
    const void *args[3] = {sp.a, sp.b, NULL};
    args[nargs - 1] = sp.got;
    ck_assert_int_eq(jitk_callv(sp.k, n, nargs, args), JITK_OK);
    args[nargs - 1] = sp.want;
    ck_assert_int_eq(jitk_callv(sp.interp, n, nargs, args), JITK_OK);
    i = kut_differs(sp.type, sp.got, sp.want, n);
    if (i < n)
        ck_abort_msg("a %#llx b %#llx: %#llx instead of %#llx", SP_BITS(a), SP_BITS(b), SP_BITS(got), SP_BITS(want));
}

/* Every float of two binades, which is every root but for its exponent; then floats of all exponents. */
START_TEST(roots_of_all_singles)
{
    uint32_t bits = 0x3f800000u, step = (uint32_t)kut_step();
    if (!sp_open("sqrt(x)", 2 * _i + 1))
        return;
    while (bits < 0x40800000u) {
        for (size_t i = 0; i < SP_N; i++, bits += step)
            kut_put(sp.type, sp.a, (ptrdiff_t)i, bits);
        sp_compare(SP_N);
    }
    for (uint32_t k = 0; k < 64; k++) {
        for (size_t i = 0; i < SP_N; i++)
            kut_put(sp.type, sp.a, (ptrdiff_t)i, bits += 16381);
        sp_compare(SP_N);
    }
    sp_close();
}
END_TEST

/* A number of p digits as a type's bits: `digits` in [2^(p-1), 2^p), times 2^exponent. */
static uint64_t sp_bits(uint64_t digits, int exponent)
{
    unsigned p = sp.type == JITK_F64 ? 53 : 24;
    int bias = sp.type == JITK_F64 ? 1023 : 127;
    return (digits & ((1ull << (p - 1)) - 1)) | (uint64_t)(exponent + (int)p - 1 + bias) << (p - 1);
}

/* Roots next to the middle of two numbers, M/2: x 2^t = M^2 + d with t = p + 1 or p + 2. -d must be a square modulo
 * 2^t, thus 1 modulo 8; its roots are found digit by digit (Hensel). Fills x[] with the digits; returns how many. */
static int sp_hard(int t, int p, int64_t d, uint64_t *x)
{
    sp_wide one = 1, r = 1, plus = (sp_wide)(sp_int)d, c = 0 - plus;
    int n = 0;
    for (int k = 3; k < t; k++)
        if ((r * r ^ c) & (((one << k) << 1) - 1))
            r += one << (k - 1);
    for (int s = 0; s < 4; s++) {
        sp_wide m = ((s & 1 ? 0 - r : r) + ((sp_wide)(unsigned)(s >> 1) << (t - 1))) & ((one << t) - 1),
                y = m * m + plus;
        ck_assert((y & ((one << t) - 1)) == 0);
        if (m >> p == 1 && (y >> t) >> (p - 1) == 1)
            x[n++] = (uint64_t)(y >> t);
    }
    return n;
}

START_TEST(hardest_roots)
{
    size_t n = 0;
    uint64_t x[4];
    if (!sp_open("sqrt(x)", _i))
        return;
    int p = sp.type == JITK_F64 ? 53 : 24;
    int64_t last = 8 * (int64_t)kut_scaled(20000);
    for (size_t i = 0; i < SP_N; i++) /* powers of two in every lane; and next to them */
        kut_put(sp.type, sp.a, (ptrdiff_t)i, sp_bits((uint64_t)1 << (p - 1), (int)(i % 101) - 60) + i / 2048);
    sp_compare(SP_N);
    for (int t = p + 1; t <= p + 2; t++)
        for (int64_t d = 7 - last; d <= last; d += 8)
            for (int k = sp_hard(t, p, d, x); k > 0; k--) {
                kut_put(sp.type, sp.a, (ptrdiff_t)n++, sp_bits(x[k - 1], (t & 1) + (int)(d % 40) * 2));
                if (n == SP_N) {
                    sp_compare(n);
                    n = 0;
                }
            }
    sp_compare(n);
    sp_close();
}
END_TEST

#ifndef __FAST_MATH__
/* What the sequences of split.c compute from the estimate y: terms of the series from c on. */
static double sp_root(double x, double y, double c)
{
    double g = x * y, h = y / 2, e = fma(-h, g, 0x1.fffffffffffffp-2);
    double w = c > 5 ? fma(c, e, 35.0 / 8) : c;
    w = fma(fma(fma(w, e, 2.5), e, 1.5), e, 1) * e;
    g = fma(g, w, g);
    h = fma(h, w, h);
    return fma(fma(-g, g, x), h, g);
}

static float sp_rootf(float x, float y)
{
    float g = x * y, h = y / 2, e = fmaf(-h, g, 0x1.fffffep-2f);
    g = fmaf(g, e, g);
    h = fmaf(h, e, h);
    return fmaf(fmaf(-g, g, x), h, g);
}

/* Processors differ in their estimates: the hardest roots of all are right with whatever the manuals allow, 2^-14 and
 * 1.5 * 2^-12 (AVX2). */
START_TEST(any_estimate_will_do)
{
    kut_rng rng = {kut_seed() + 1};
    uint64_t x[4];
    int p = _i ? 24 : 53;
    for (int t = p + 1; t <= p + 2; t++)
        for (int64_t d = -33; d <= 31; d += 8)
            for (int k = sp_hard(t, p, d, x); k > 0; k--)
                for (size_t tries = kut_scaled(20000); tries > 0; tries--) {
                    double v = ldexp((double)x[k - 1], 1 - p + (int)(tries & 1)), s = sqrt(v);
                    double off = ldexp((double)(int64_t)kut_next(&rng), -63), y = (1 + 0x1p-14 * off) / s;
                    if (p == 24) {
                        ck_assert(sp_rootf((float)v, (float)y) == sqrtf((float)v));
                        continue;
                    }
                    ck_assert(sp_root(v, (float)y, 35.0 / 8) == s);
                    ck_assert(sp_root(v, (float)((1 + 1.5 * 0x1p-12 * off) / s), 63.0 / 8) == s);
                }
}
END_TEST
#endif

/* Quotients next to the middle of two numbers: a 2^t = b M + d, with b odd, M = -d / b modulo 2^t of p + 1 digits, and
 * t = p for a quotient of 1 and more, p + 1 below. Gives the digits of a; 0 where there is none. */
static uint64_t sp_hard_dividend(int t, int p, uint64_t b, int64_t d)
{
    uint64_t one = 1, inverse = b;
    for (int k = 0; k < 6; k++) /* Newton: the inverse modulo 2^64 */
        inverse *= 2 - b * inverse;
    sp_wide m = (((uint64_t)-d * inverse) & ((one << t) - 1)) | (t == p ? one << p : 0), plus = (sp_wide)(sp_int)d,
            a = (m * b + plus) >> t;
    return m >> p == 1 && a >> (p - 1) == 1 ? (uint64_t)a : 0;
}

/* Odd divisors; every other one near 2, where the reciprocal has to be best, and of these one half next to it. */
static uint64_t sp_hard_divisor(kut_rng *rng, int p, size_t i)
{
    uint64_t one = 1, mask = (one << p) - 1, b = (kut_next(rng) & mask) | one << (p - 1) | 1;
    if (i % 4 == 0)
        b |= mask & ~(mask >> (8 + i / 4 % 32));
    return i % 4 == 1 ? mask - i / 4 % 2048 * 2 : b;
}

START_TEST(hardest_quotients)
{
    kut_rng rng = {kut_seed()};
    size_t n = 0;
    if (!sp_open("a / b", _i))
        return;
    int p = sp.type == JITK_F64 ? 53 : 24;
    for (size_t count = kut_scaled(4000000); count > 0; count--) {
        uint64_t b = sp_hard_divisor(&rng, p, count),
                 a = sp_hard_dividend(p + (int)(count / 8 & 1), p, b, (int64_t)(kut_next(&rng) % 64) - 32);
        if (!a)
            continue;
        kut_put(sp.type, sp.a, (ptrdiff_t)n, sp_bits(a, (int)(count % 50) - 25) | (count & 64) << (p == 53 ? 57 : 25));
        kut_put(sp.type, sp.b, (ptrdiff_t)n++, sp_bits(b, (int)(count % 30) - 15));
        if (n == SP_N) {
            sp_compare(n);
            n = 0;
        }
    }
    uint64_t one = 1;
    for (n = 0; n < SP_N; n++) { /* powers of two over 2 - 1 ulp; and near by */
        kut_put(sp.type, sp.a, (ptrdiff_t)n, sp_bits((one << (p - 1)) + n % 3, (int)n % 64 - 32));
        kut_put(sp.type, sp.b, (ptrdiff_t)n, sp_bits((one << p) - 1 - n / 512, (int)n % 29 - 14));
    }
    sp_compare(n);
    sp_close();
}
END_TEST

#ifndef __FAST_MATH__
/* What the sequences of split.c compute from the estimate y of 1/b. */
static double sp_quotient(double a, double b, double y)
{
    double e = fma(-b, y, 1);
    y = fma(y, fma(e, e, e), y);
    y = fma(y, fma(-b, y, 1), y);
    return fma(fma(-b, a * y, a), y, a * y);
}

static float sp_quotientf(float a, float b, float y)
{
    y = fmaf(y, fmaf(-b, y, 1), y);
    y = fmaf(y, fmaf(-b, y, 1), y);
    return fmaf(fmaf(-b, a * y, a), y, a * y);
}

/* As for roots; but for the divisors that the slow path is for: those that begin with 29 ones (f32: 24). */
START_TEST(any_estimate_of_a_reciprocal_will_do)
{
    kut_rng rng = {kut_seed() + 2};
    int p = _i ? 24 : 53, ones = _i ? 24 : 29;
    for (size_t i = kut_scaled(400000); i > 0; i--) {
        uint64_t b = sp_hard_divisor(&rng, p, i), a;
        if (i % 4 == 1)                                       /* the nearest to 2 of all that are left */
            b -= (uint64_t)(ones == p ? 2 : 1) << (p - ones); /* odd */
        a = sp_hard_dividend(p + (int)(i / 8 & 1), p, b, (int64_t)(kut_next(&rng) % 16) - 8);
        for (int tries = 0; a && b >> (p - ones) != ((uint64_t)1 << ones) - 1 && tries < 8; tries++) {
            double off = tries < 2 ? 2 * tries - 1 : ldexp((double)(int64_t)kut_next(&rng), -63);
            double x = (double)a, v = (double)b, y = (1 + 0x1p-14 * off) / v;
            if (p == 24)
                ck_assert(sp_quotientf((float)x, (float)v, (float)y) == (float)x / (float)v);
            else
                ck_assert(sp_quotient(x, v, y) == x / v);
        }
    }
}
END_TEST
#endif

/* What the slow path is for, in each lane among ordinary numbers: extremes, and the ends of the ranges of exponents. */
START_TEST(any_lane_may_be_slow)
{
    static const char *const texts[SP_TEXTS] = {"sqrt(a)+b-b",     "a/b",         "(a-b)/(a+b)",
                                                "a/sqrt(a*a+b*b)", "1/sqrt(a)*b", "2*a^0.5+b^0.5"};
    static const int ends[] = {26,  27,  66,  67,   186,  187, 188, 253,  254,  122, 123,
                               124, 902, 903, 1142, 1143, 622, 623, 1422, 1423, 2046};
    if (!sp_open(texts[_i % SP_TEXTS], _i / SP_TEXTS))
        return;
    int p = sp.type == JITK_F64 ? 53 : 24, most = sp.type == JITK_F64 ? 2046 : 254;
    for (size_t k = 0; k < KUT_EXTREMES + 3 * KUT_COUNT(ends); k++)
        for (size_t lane = 0; lane < SP_LANES; lane += kut_step()) {
            uint64_t odd = 0, e = (k - KUT_EXTREMES) / 3;
            if (k < KUT_EXTREMES)
                odd = kut_extreme(sp.type, k);
            else if (ends[e] <= most)
                odd = ((uint64_t)ends[e] << (p - 1)) + (k % 3 == 0 ? 0 : k % 3 == 1 ? 1 : (1ull << (p - 1)) - 1);
            for (int side = 1; side < 4; side++) {
                for (size_t i = 0; i < SP_LANES; i++) {
                    uint64_t a = sp_bits((3ull << (p - 2)) + 1234 * i, 0), b = sp_bits((1ull << (p - 1)) + 4321 * i, 1);
                    kut_put(sp.type, sp.a, (ptrdiff_t)i, i == lane && side & 1 ? odd : a);
                    kut_put(sp.type, sp.b, (ptrdiff_t)i, i == lane && side & 2 ? odd : b);
                }
                sp_compare(SP_LANES);
            }
        }
    sp_close();
}
END_TEST

Suite *suite_split(void)
{
    Suite *s = suite_create("split");
    TCase *t = tcase_create("split");
    kut_say_skipped("split");
    tcase_set_timeout(t, 300);
    tcase_add_loop_test(t, roots_of_all_singles, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, hardest_roots, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
#ifndef __FAST_MATH__
    tcase_add_loop_test(t, any_estimate_will_do, 0, 2);
    tcase_add_loop_test(t, any_estimate_of_a_reciprocal_will_do, 0, 2);
#endif
    tcase_add_loop_test(t, hardest_quotients, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
    tcase_add_loop_test(t, any_lane_may_be_slow, 2 * KUT_FIRST_ISA * SP_TEXTS, 2 * KUT_END_ISA * SP_TEXTS);
    suite_add_tcase(s, t);
    return s;
}
