/* fp: IEEE arithmetic in portable C: the scalar functions that the op table's meanings use, software fma, the ops over
 * arrays (which the interpreter and the folder share), and conversions.
 *
 * Everything floating stands between JK_FP_OPEN and JK_FP_CLOSE. Comparisons that NaN could reach are guarded by tests
 * of the bits, because clang's back end may assume that there is none. */
#include "fp.h"
#include "ir/ops.h"
#if !defined(__x86_64__)
#include <fenv.h>
#endif

/* ---- the mode ---- */
#if defined(__x86_64__)
#define JK_MXCSR 0x1F80u /* to nearest, all exceptions masked, no flush to zero */

JK_FUNC uint32_t jk_fp_enter(void)
{
    uint32_t saved, ours = JK_MXCSR;
    __asm__ volatile("stmxcsr %0" : "=m"(saved) : : "memory");
    if ((saved & ~0x3Fu) != ours) /* the low six are the sticky flags */
        __asm__ volatile("ldmxcsr %0" : : "m"(ours) : "memory");
    return saved;
}

JK_FUNC void jk_fp_leave(uint32_t saved)
{
    if ((saved & ~0x3Fu) != JK_MXCSR)
        __asm__ volatile("ldmxcsr %0" : : "m"(saved) : "memory");
}
#else
JK_FUNC uint32_t jk_fp_enter(void)
{
    int saved = fegetround();
    if (saved != FE_TONEAREST)
        fesetround(FE_TONEAREST);
    return (uint32_t)saved;
}

JK_FUNC void jk_fp_leave(uint32_t saved)
{
    if ((int)saved != FE_TONEAREST)
        fesetround((int)saved);
}
#endif

JK_FP_OPEN

/* ---- functions of one type; the names are those of the op table's JK_FP() ---- */
JK_FUNC double jk_f64_from_bits(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

JK_FUNC uint64_t jk_f64_bits(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

JK_FUNC float jk_f32_from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

JK_FUNC uint32_t jk_f32_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

#if defined(__x86_64__) /* no libm: it may set errno */
JK_FUNC double jk_sqrt_f64(double a)
{
    __asm__("sqrtsd %0, %0" : "+x"(a));
    return a;
}

JK_FUNC float jk_sqrt_f32(float a)
{
    __asm__("sqrtss %0, %0" : "+x"(a));
    return a;
}
#else
JK_FUNC double jk_sqrt_f64(double a)
{
    return __builtin_sqrt(a);
}

JK_FUNC float jk_sqrt_f32(float a)
{
    return __builtin_sqrtf(a);
}
#endif

/* F and U: the type and its bits; T: the suffix; INF: the bits of infinity; BIG: 2^52 or 2^23, from where on every
 * value is whole. Masks are U, all ones or 0. */
#define JK_FP_FUNCTIONS(F, U, T, INF, BIG)                                                         \
    JK_FUNC U jk_isnan_##T(F a)                                                                    \
    {                                                                                              \
        return (U)0 - (U)((U)(jk_##T##_bits(a) << 1) > (U)((U)INF << 1));                          \
    }                                                                                              \
    JK_FUNC F jk_abs_##T(F a)                                                                      \
    {                                                                                              \
        return jk_##T##_from_bits(jk_##T##_bits(a) & ((U)-1 >> 1));                                \
    }                                                                                              \
    JK_FUNC F jk_neg_##T(F a)                                                                      \
    {                                                                                              \
        return jk_##T##_from_bits(jk_##T##_bits(a) ^ ~((U)-1 >> 1));                               \
    }                                                                                              \
    /* A NaN as the second argument counts as positive. */                                         \
    JK_FUNC F jk_copysign_##T(F a, F b)                                                            \
    {                                                                                              \
        U sign = jk_##T##_bits(b) & ~((U)-1 >> 1) & ~jk_isnan_##T(b);                              \
        return jk_##T##_from_bits((jk_##T##_bits(a) & ((U)-1 >> 1)) | sign);                       \
    }                                                                                              \
    JK_FUNC U jk_lt_##T(F a, F b)                                                                  \
    {                                                                                              \
        return ((U)0 - (U)(a < b)) & ~(jk_isnan_##T(a) | jk_isnan_##T(b));                         \
    }                                                                                              \
    JK_FUNC U jk_le_##T(F a, F b)                                                                  \
    {                                                                                              \
        return ((U)0 - (U)(a <= b)) & ~(jk_isnan_##T(a) | jk_isnan_##T(b));                        \
    }                                                                                              \
    JK_FUNC U jk_eq_##T(F a, F b)                                                                  \
    {                                                                                              \
        return ((U)0 - (U)(a == b)) & ~(jk_isnan_##T(a) | jk_isnan_##T(b));                        \
    }                                                                                              \
    JK_FUNC U jk_ne_##T(F a, F b)                                                                  \
    {                                                                                              \
        return ~jk_eq_##T(a, b);                                                                   \
    }                                                                                              \
    /* Equal operands have equal bits, or are zeros of either sign. */                             \
    JK_FUNC F jk_min_##T(F a, F b)                                                                 \
    {                                                                                              \
        if (jk_isnan_##T(a) | jk_isnan_##T(b))                                                     \
            return a + b;                                                                          \
        return a < b ? a : b < a ? b : jk_##T##_from_bits(jk_##T##_bits(a) | jk_##T##_bits(b));    \
    }                                                                                              \
    JK_FUNC F jk_max_##T(F a, F b)                                                                 \
    {                                                                                              \
        if (jk_isnan_##T(a) | jk_isnan_##T(b))                                                     \
            return a + b;                                                                          \
        return a < b ? b : b < a ? a : jk_##T##_from_bits(jk_##T##_bits(a) & jk_##T##_bits(b));    \
    }                                                                                              \
    /* Adding BIG rounds to a whole number; infinities, NaN and what is whole by its size pass. */ \
    JK_FUNC F jk_rint_##T(F a)                                                                     \
    {                                                                                              \
        F r = jk_abs_##T(a), big = BIG;                                                            \
        if (jk_##T##_bits(r) >= jk_##T##_bits(big))                                                \
            return a;                                                                              \
        r += big;                                                                                  \
        JK_FP_KEEP(r);                                                                             \
        return jk_copysign_##T(r - big, a);                                                        \
    }                                                                                              \
    JK_FUNC F jk_floor_##T(F a)                                                                    \
    {                                                                                              \
        F r = jk_rint_##T(a);                                                                      \
        return jk_lt_##T(a, r) ? r - 1 : r;                                                        \
    }                                                                                              \
    JK_FUNC F jk_ceil_##T(F a)                                                                     \
    {                                                                                              \
        return jk_neg_##T(jk_floor_##T(jk_neg_##T(a)));                                            \
    }                                                                                              \
    JK_FUNC F jk_trunc_##T(F a)                                                                    \
    {                                                                                              \
        return jk_copysign_##T(jk_floor_##T(jk_abs_##T(a)), a);                                    \
    }

JK_FP_FUNCTIONS(double, uint64_t, f64, 0x7FF0000000000000, 4503599627370496.0)
JK_FP_FUNCTIONS(float, uint32_t, f32, 0x7F800000, 8388608.0f)
#undef JK_FP_FUNCTIONS

/* ---- fma: the exact sum as 128 bits, rounded once ---- */
typedef struct jk_wide { /* hi * 2^64 + lo */
    uint64_t hi, lo;
} jk_wide;

JK_FUNC jk_wide jk_wide_mul(uint64_t a, uint64_t b)
{
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t low = al * bl, mid = ah * bl + (low >> 32), mid2 = al * bh + (uint32_t)mid;
    jk_wide w;
    w.hi = ah * bh + (mid >> 32) + (mid2 >> 32);
    w.lo = mid2 << 32 | (uint32_t)low;
    return w;
}

JK_FUNC jk_wide jk_wide_shl(jk_wide w, unsigned by) /* by < 128 */
{
    if (by >= 64) {
        w.hi = w.lo;
        w.lo = 0;
        by -= 64;
    }
    if (by) {
        w.hi = w.hi << by | w.lo >> (64 - by);
        w.lo <<= by;
    }
    return w;
}

/* To the right; the last bit stays set where a set bit was lost, which is all that rounding needs to know. */
JK_FUNC jk_wide jk_wide_shr(jk_wide w, unsigned by)
{
    uint64_t lost = 0;
    if (by >= 64) {
        lost = w.lo;
        w.lo = w.hi;
        w.hi = 0;
        by -= 64;
    }
    if (by >= 64) {
        lost |= w.lo;
        w.lo = 0;
    } else if (by) {
        lost |= w.lo << (64 - by);
        w.lo = w.lo >> by | w.hi << (64 - by);
        w.hi >>= by;
    }
    w.lo |= lost != 0;
    return w;
}

/* |x| = return value * 2^*exponent with bit 52 set; x is finite and not 0. */
JK_FUNC uint64_t jk_fma_split(double x, int *exponent)
{
    uint64_t u = jk_f64_bits(x), m = u & 0xFFFFFFFFFFFFF;
    int e = (int)(u >> 52 & 0x7FF);
    if (e)
        m |= (uint64_t)1 << 52;
    else
        for (e = 1; !(m >> 52); e--)
            m <<= 1;
    *exponent = e - 1075;
    return m;
}

/* (-1)^negative * w * 2^e, rounded once to nearest even. w is not 0. */
JK_FUNC double jk_fma_round(bool negative, jk_wide w, int e)
{
    unsigned up = w.hi ? (unsigned)__builtin_clzll(w.hi) : 64 + (unsigned)__builtin_clzll(w.lo);
    uint64_t m, sign = (uint64_t)negative << 63;
    w = jk_wide_shl(w, up);
    e += 64 - (int)up; /* now w.hi * 2^e and a fraction, bit 63 set */
    w = jk_wide_shr(w, 64);
    if (e > 1023 - 63)
        return jk_f64_from_bits(sign | 0x7FF0000000000000);
    e += 63 + 1023; /* biased exponent; below 1 the result is subnormal, with as many bits fewer */
    if (e < 1) {
        w = jk_wide_shr(w, e < -63 ? 64u : (unsigned)(1 - e));
        e = 1;
    }
    m = w.lo >> 11;
    m += (w.lo & 0x7FF) + (m & 1) > 0x400;
    /* The implied bit adds 1 to the exponent where it is set, and a carry out of the mantissa one more. */
    return jk_f64_from_bits(sign | (((uint64_t)(e - 1) << 52) + m));
}

JK_FUNC double jk_fma_f64(double a, double b, double c)
{
    const uint64_t top = 0x7FF, any = UINT64_MAX >> 1;
    uint64_t ua = jk_f64_bits(a), ub = jk_f64_bits(b), uc = jk_f64_bits(c), mc;
    bool negative = (ua ^ ub) >> 63, subtract;
    int ea, eb, ec, gap;
    jk_wide p, q;
    if ((ua >> 52 & top) == top || (ub >> 52 & top) == top || !(ua & any) || !(ub & any)) {
        double product = a * b;
        JK_FP_KEEP(product);
        return product + c;
    }
    if ((uc >> 52 & top) == top) /* the product is finite, however large */
        return c;
    if (!(uc & any)) /* not a*b + c: a product that rounds to -0 is not an exact zero */
        return a * b;
    p = jk_wide_mul(jk_fma_split(a, &ea), jk_fma_split(b, &eb));
    p = jk_wide_shl(p, 20); /* 2^124 <= p < 2^126: room above for the sum's carry, below for 20 bits of shift */
    ea += eb - 20;
    mc = jk_fma_split(c, &ec);
    q.hi = 0;
    q.lo = mc;
    gap = ec - ea;
    if (gap > 73) { /* c dominates: at 73 it is in [2^125, 2^126); p loses bits only where it is far smaller */
        q = jk_wide_shl(q, 73);
        gap -= 73;
        p = jk_wide_shr(p, gap > 127 ? 127u : (unsigned)gap);
        ea += gap;
    } else if (gap >= 0) {
        q = jk_wide_shl(q, (unsigned)gap);
    } else {
        q = jk_wide_shr(q, gap < -127 ? 127u : (unsigned)-gap);
    }
    subtract = negative != (uc >> 63 != 0);
    if (subtract) {
        if (p.hi < q.hi || (p.hi == q.hi && p.lo < q.lo)) {
            jk_wide t = p;
            p = q;
            q = t;
            negative = !negative;
        }
        p.hi -= q.hi + (p.lo < q.lo);
        p.lo -= q.lo;
        if (!(p.hi | p.lo))
            return 0;
    } else {
        p.lo += q.lo;
        p.hi += q.hi + (p.lo < q.lo);
    }
    return jk_fma_round(negative, p, ea);
}

/* The product of two f32 is exact in f64. Their sum is rounded to odd (the error is known from TwoSum), so that the
 * rounding to f32 is the only one. */
JK_FUNC float jk_fma_f32(float a, float b, float c)
{
    double p = (double)a * (double)b, d = (double)c, s, t, error;
    uint64_t u;
    JK_FP_KEEP(p);
    s = p + d;
    JK_FP_KEEP(s);
    u = jk_f64_bits(s);
    if ((u >> 52 & 0x7FF) == 0x7FF || (u & 1))
        return (float)s;
    t = s - p;
    JK_FP_KEEP(t);
    error = s - t;
    JK_FP_KEEP(error);
    error = (p - error) + (d - t);
    if (jk_f64_bits(error) << 1) /* s is even and not exact: the odd neighbour on the error's side */
        u += ((jk_f64_bits(error) ^ u) >> 63) ? UINT64_MAX : 1;
    return (float)jk_f64_from_bits(u);
}

/* ---- ops over arrays, from the meanings of the op table ---- */
#define JK_LOOP(NAME, text, arity, result, flags, meaning) \
    case JK_##NAME:                                        \
        for (i = 0; i < n; i++) {                          \
            const F a = x[i];                              \
            JK_OPERANDS_##arity to[i] = meaning;           \
        }                                                  \
        break;
#define JK_OPERANDS_1
#define JK_OPERANDS_2 const F b = y[i];
#define JK_OPERANDS_3 const F b = y[i], c = z[i];

/* F in, R out. */
#define JK_LOOPS(name, F_, R_, OPS)                                                                                   \
    JK_FUNC void name(unsigned op, unsigned aux, size_t n, void *to_, const void *x_, const void *y_, const void *z_) \
    {                                                                                                                 \
        typedef F_ F;                                                                                                 \
        R_ *__restrict to = (R_ *)to_;                                                                                \
        const F *__restrict x = (const F *)x_, *__restrict y = (const F *)y_, *__restrict z = (const F *)z_;          \
        size_t i;                                                                                                     \
        (void)aux, (void)y, (void)z;                                                                                  \
        switch (op) {                                                                                                 \
            OPS(JK_LOOP)                                                                                              \
        }                                                                                                             \
    }
#define JK_OPS_MI(X) JK_OPS_M(X) JK_OPS_I(X)

#define JK_FP(name) jk_##name##_f64
JK_LOOPS(jk_loop_f64, jk_f64, jk_f64, JK_OPS_F)
JK_LOOPS(jk_loop_m64, jk_f64, jk_u64, JK_OPS_CMP)
JK_LOOPS(jk_loop_i64, jk_u64, jk_u64, JK_OPS_MI)
#undef JK_FP
#define JK_FP(name) jk_##name##_f32
JK_LOOPS(jk_loop_f32, jk_f32, jk_f32, JK_OPS_F)
JK_LOOPS(jk_loop_m32, jk_f32, jk_u32, JK_OPS_CMP)
JK_LOOPS(jk_loop_i32, jk_u32, jk_u32, JK_OPS_MI)
#undef JK_FP
#undef JK_LOOPS
#undef JK_LOOP
#undef JK_OPERANDS_1
#undef JK_OPERANDS_2
#undef JK_OPERANDS_3

/* By words: a mask's are all ones or 0 whatever its size. */
JK_FUNC void jk_loop_select(size_t nwords, void *to_, const void *m_, const void *x_, const void *y_)
{
    jk_u32 *__restrict to = (jk_u32 *)to_;
    const jk_u32 *__restrict m = (const jk_u32 *)m_, *__restrict x = (const jk_u32 *)x_,
                             *__restrict y = (const jk_u32 *)y_;
    size_t i;
    for (i = 0; i < nwords; i++)
        to[i] = (m[i] & x[i]) | (~m[i] & y[i]);
}

/* Which of the loops an op is in: the op table's groups. */
#define JK_GROUP_0(NAME, text, arity, result, flags, meaning) 0,
#define JK_GROUP_1(NAME, text, arity, result, flags, meaning) 1,
#define JK_GROUP_2(NAME, text, arity, result, flags, meaning) 2,
static const unsigned char jk_loop_group[] = {JK_OPS_F(JK_GROUP_0) JK_OPS_CMP(JK_GROUP_1) JK_OPS_MI(JK_GROUP_2)};
#undef JK_GROUP_0
#undef JK_GROUP_1
#undef JK_GROUP_2
#undef JK_OPS_MI

typedef void (*jk_loop_fn)(unsigned op, unsigned aux, size_t n, void *to, const void *x, const void *y, const void *z);

JK_FUNC void jk_fp_apply(unsigned op, jk_type type, jk_type operand_type, unsigned aux, size_t n, void *to,
                         const void *a, const void *b, const void *c)
{
    static const jk_loop_fn loops[6] = {jk_loop_f64, jk_loop_m64, jk_loop_i64, jk_loop_f32, jk_loop_m32, jk_loop_i32};
    size_t size = jk_type_size(type);
    if (op == JK_SELECT)
        jk_loop_select(n * size / 4, to, a, b, c);
    else if (op == JK_BITS)
        memcpy(to, a, n * size);
    else if (op == JK_CVT)
        jk_fp_convert(to, type, (ptrdiff_t)size, a, operand_type, (ptrdiff_t)jk_type_size(operand_type), n);
    else
        loops[(size == 4 ? 3 : 0) + jk_loop_group[op]](op, aux, n, to, a, b, c);
}

JK_FUNC uint64_t jk_fp_fold(unsigned op, jk_type type, jk_type operand_type, unsigned aux, uint64_t a, uint64_t b,
                            uint64_t c)
{
    uint64_t to = 0;
    jk_fp_apply(op, type, operand_type, aux, 1, &to, &a, &b, &c);
    return to;
}

JK_FUNC size_t jk_fp_find(jk_type type, const void *x, size_t n, uint64_t bits)
{
    size_t i = 0;
    if (type == JK_F32) {
        const jk_f32 *p = (const jk_f32 *)x;
        float v = jk_f32_from_bits((uint32_t)bits);
        uint32_t nan = jk_isnan_f32(v);
        while (i < n && !(nan ? jk_isnan_f32(p[i]) : jk_eq_f32(p[i], v)))
            i++;
    } else {
        const jk_f64 *p = (const jk_f64 *)x;
        double v = jk_f64_from_bits(bits);
        uint64_t nan = jk_isnan_f64(v);
        while (i < n && !(nan ? jk_isnan_f64(p[i]) : jk_eq_f64(p[i], v)))
            i++;
    }
    return i;
}

/* ---- conversions: every element goes through f64 or i64, whichever holds its type exactly ---- */
#define JK_CVT_BLOCK 64

/* To nearest even, saturating to [low, high] (both exact in f64 but for INT64_MAX); NaN gives 0. */
JK_FUNC int64_t jk_cvt_integer(double x, int64_t low, int64_t high)
{
    if (jk_isnan_f64(x))
        return 0;
    x = jk_rint_f64(x);
    return x <= (double)low ? low : x >= (double)high ? high : (int64_t)x;
}

JK_FUNC int64_t jk_cvt_clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

#define JK_EACH(value)                     \
    for (i = 0; i < n; i++, p += stride) { \
        value;                             \
    }                                      \
    break

/* Reads n elements into d (floats: returns true) or k (integers). */
JK_FUNC bool jk_cvt_read(double *d, int64_t *k, const char *p, jk_type type, ptrdiff_t stride, size_t n)
{
    size_t i;
    float f;
    int32_t i32;
    switch (type) {
    case JK_F64:
        JK_EACH(memcpy(&d[i], p, 8));
    case JK_F32:
        JK_EACH(memcpy(&f, p, 4); d[i] = (double)f);
    case JK_I64:
        JK_EACH(memcpy(&k[i], p, 8));
    case JK_I32:
        JK_EACH(memcpy(&i32, p, 4); k[i] = i32);
    default:
        JK_EACH(k[i] = *(const unsigned char *)p);
    }
    return type == JK_F64 || type == JK_F32;
}

JK_FUNC void jk_cvt_write(char *p, jk_type type, ptrdiff_t stride, const double *d, const int64_t *k, bool is_float,
                          size_t n)
{
    size_t i;
    double f64;
    float f32;
    int64_t i64;
    int32_t i32;
    switch (type) {
    case JK_F64:
        JK_EACH(f64 = is_float ? d[i] : (double)k[i]; memcpy(p, &f64, 8));
    case JK_F32:
        JK_EACH(f32 = is_float ? (float)d[i] : (float)k[i]; memcpy(p, &f32, 4));
    case JK_I64:
        JK_EACH(i64 = is_float ? jk_cvt_integer(d[i], INT64_MIN, INT64_MAX) : k[i]; memcpy(p, &i64, 8));
    case JK_I32:
        JK_EACH(i64 = is_float ? jk_cvt_integer(d[i], INT32_MIN, INT32_MAX) : k[i];
                i32 = (int32_t)jk_cvt_clamp(i64, INT32_MIN, INT32_MAX); memcpy(p, &i32, 4));
    default:
        JK_EACH(i64 = is_float ? jk_cvt_integer(d[i], 0, 255) : k[i];
                *(unsigned char *)p = (unsigned char)jk_cvt_clamp(i64, 0, 255));
    }
}
#undef JK_EACH

/* The same type is moved as bits: conversion would make a signalling NaN quiet, and is slower. */
JK_FUNC void jk_cvt_copy(char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t from_stride, size_t size, size_t n)
{
    size_t i;
    if (to_stride == (ptrdiff_t)size && from_stride == (ptrdiff_t)size)
        memmove(to, from, n * size);
    else if (size == 8)
        for (i = 0; i < n; i++, to += to_stride, from += from_stride)
            memcpy(to, from, 8);
    else if (size == 4)
        for (i = 0; i < n; i++, to += to_stride, from += from_stride)
            memcpy(to, from, 4);
    else
        for (i = 0; i < n; i++, to += to_stride, from += from_stride)
            *to = *from;
}

JK_FUNC void jk_fp_convert(void *to, jk_type to_type, ptrdiff_t to_stride, const void *from, jk_type from_type,
                           ptrdiff_t from_stride, size_t n)
{
    double d[JK_CVT_BLOCK];
    int64_t k[JK_CVT_BLOCK];
    char *p = (char *)to;
    const char *q = (const char *)from;
    if (to_type == from_type) {
        jk_cvt_copy(p, to_stride, q, from_stride, jk_type_size(to_type), n);
        return;
    }
    while (n) {
        size_t m = JK_SMALLER(n, (size_t)JK_CVT_BLOCK);
        bool is_float = jk_cvt_read(d, k, q, from_type, from_stride, m);
        jk_cvt_write(p, to_type, to_stride, d, k, is_float, m);
        p += (ptrdiff_t)m * to_stride;
        q += (ptrdiff_t)m * from_stride;
        n -= m;
    }
}
#undef JK_CVT_BLOCK

JK_FP_CLOSE
