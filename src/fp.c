/* fp: IEEE arithmetic: software fma, the ops over arrays (which the interpreter and the folder share), conversions.
 *
 * Everything floating stands between JK_FP_OPEN and JK_FP_CLOSE. An op runs 16 bytes at a time, in the compiler's
 * vector types: the switch over the ops stands inside the loop, where a well predicted jump costs less than a loop for
 * each op takes in code. What compares is one instruction in asm, or guarded by tests of the bits, because clang's back
 * end may assume that there is no NaN. */
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

#define JK_F64_INF ((uint64_t)0x7FF << 52)

/* ---- fma: the exact sum as 128 bits, rounded once ---- */
JK_FUNC jk_wide jk_wide_mul(uint64_t a, uint64_t b)
{
    jk_wide w;
#ifdef __SIZEOF_INT128__
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    w.hi = (uint64_t)(product >> 64);
    w.lo = (uint64_t)product;
#else
    uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
    uint64_t low = al * bl, mid = ah * bl + (low >> 32), mid2 = al * bh + (uint32_t)mid;
    w.hi = ah * bh + (mid >> 32) + (mid2 >> 32);
    w.lo = mid2 << 32 | (uint32_t)low;
#endif
    return w;
}

/* Shifts by 64 are no shifts in C: hence two. */
JK_FUNC jk_wide jk_wide_shr(jk_wide w, int by)
{
    uint64_t lost = 0;
    by = JK_SMALLER(by, 127);
    if (by >= 64) {
        lost = w.lo;
        w.lo = w.hi;
        w.hi = 0;
        by -= 64;
    }
    lost |= w.lo << 1 << (63 - by);
    w.lo = w.lo >> by | w.hi << 1 << (63 - by) | (lost != 0);
    w.hi >>= by;
    return w;
}

JK_NOINLINE double jk_wide_round(uint64_t sign, jk_wide w, int e)
{
    uint64_t m;
    int by;
    if (!w.hi) {
        w.hi = w.lo;
        w.lo = 0;
        e -= 64;
    }
    by = 64 - __builtin_clzll(w.hi);
    e += by + 63 + 1023; /* the biased exponent of what has bit 63 set when shifted so far */
    if (e > 2046)
        return jk_f64_from_bits(sign | JK_F64_INF);
    if (e < 1) { /* subnormal, with as many bits fewer */
        by += 1 - e;
        e = 1;
    }
    w = jk_wide_shr(w, by);
    m = w.lo >> 11;
    m += (w.lo & 0x7FF) + (m & 1) > 0x400;
    /* The implied bit adds 1 to the exponent where it is set, and a carry out of the mantissa one more. */
    return jk_f64_from_bits(sign | (((uint64_t)(e - 1) << 52) + m));
}

JK_FUNC jk_wide jk_wide_negated(jk_wide w)
{
    w.lo = 0 - w.lo;
    w.hi = ~w.hi + !w.lo;
    return w;
}

JK_FUNC double jk_fma_f64(double a, double b, double c)
{
    uint64_t u[3], m[3], sign; /* |x| = m * 2^(e - 1085); m is 0 for what is no finite number, too */
    int e[3], k, gap;
    jk_wide p, q;
    u[0] = jk_f64_bits(a), u[1] = jk_f64_bits(b), u[2] = jk_f64_bits(c);
    for (k = 0; k < 3; k++) {
        e[k] = (int)(u[k] >> 52 & 0x7FF);
        m[k] = u[k] << 12 >> 2;
        if (e[k] == 0x7FF)
            m[k] = 0;
        else if (e[k])
            m[k] |= (uint64_t)1 << 62;
        else
            e[k] = 1;
    }
    if (!m[0] || !m[1]) {
        a *= b;
        JK_FP_KEEP(a);
        return a + c;
    }
    if (e[2] == 0x7FF) /* the product is finite, however large */
        return c;
    p = jk_wide_mul(m[0], m[1]); /* below 2^126, the last 20 bits 0; and c below 2^127, the last 74 */
    q.hi = m[2];
    q.lo = 0;
    e[0] += e[1] - 2 * 1085;
    e[2] -= 1085 + 64;
    gap = e[2] - e[0];
    /* The one of the larger exponent stays. The other one loses bits only where they are far below what rounding
     * keeps: of a sum of normal numbers, or of multiples of the least number. */
    if (gap > 0) {
        p = jk_wide_shr(p, gap);
        e[0] = e[2];
    } else {
        q = jk_wide_shr(q, -gap);
    }
    sign = u[0] ^ u[1];
    u[2] ^= sign;
    if (u[2] >> 63)
        q = jk_wide_negated(q);
    p.lo += q.lo;
    p.hi += q.hi + (p.lo < q.lo);
    if ((u[2] & p.hi) >> 63) {
        p = jk_wide_negated(p);
        sign = ~sign;
    }
    return p.hi | p.lo ? jk_wide_round(sign & (uint64_t)1 << 63, p, e[0]) : 0;
}

/* ---- ops over arrays: 16 bytes at a time, two doubles or four floats ---- */
typedef double jk_pair __attribute__((vector_size(16)));
typedef float jk_quad __attribute__((vector_size(16)));
typedef uint64_t jk_lanes64 __attribute__((vector_size(16)));
typedef uint32_t jk_lanes32 __attribute__((vector_size(16)));
typedef uint64_t jk_unaligned __attribute__((vector_size(16), may_alias, aligned(1)));
typedef uint64_t jk_half __attribute__((may_alias, aligned(1)));

#if defined(__x86_64__)
/* One instruction, which no flag takes apart. */
#define JK_NATIVE(name, text)                                  \
    JK_FUNC jk_lanes64 jk_v_##name(jk_lanes64 a, jk_lanes64 b) \
    {                                                          \
        __asm__(text " %1, %0" : "+x"(a) : "x"(b));            \
        return a;                                              \
    }
JK_NATIVE(lt, "cmpltpd")
JK_NATIVE(unordered, "cmpunordpd")
JK_NATIVE(sqrt, "sqrtpd") /* no libm: it may set errno */
JK_NATIVE(sqrt_single, "sqrtps")
JK_NATIVE(widen, "cvtps2pd") /* the first two floats */
JK_NATIVE(narrow, "cvtpd2ps")
#undef JK_NATIVE
#else
#define JK_NATIVE(name, value)                                 \
    JK_FUNC jk_lanes64 jk_v_##name(jk_lanes64 a, jk_lanes64 b) \
    {                                                          \
        jk_lanes64 r = {0, 0};                                 \
        int i;                                                 \
        for (i = 0; i < 2; i++)                                \
            r[i] = value;                                      \
        (void)a;                                               \
        return r;                                              \
    }
#define JK_NAN(u) ((u) << 1 > JK_F64_INF << 1)
#define JK_FLOAT(u) jk_f32_from_bits((uint32_t)(u))
JK_NATIVE(lt, JK_NAN(a[i]) || JK_NAN(b[i]) || !(jk_f64_from_bits(a[i]) < jk_f64_from_bits(b[i])) ? 0 : UINT64_MAX)
JK_NATIVE(unordered, JK_NAN(a[i]) || JK_NAN(b[i]) ? UINT64_MAX : 0)
JK_NATIVE(sqrt, jk_f64_bits(__builtin_sqrt(jk_f64_from_bits(b[i]))))
JK_NATIVE(sqrt_single, jk_f32_bits(__builtin_sqrtf(JK_FLOAT(b[i]))) |
                           (uint64_t)jk_f32_bits(__builtin_sqrtf(JK_FLOAT(b[i] >> 32))) << 32)
JK_NATIVE(widen, jk_f64_bits((double)JK_FLOAT(b[0] >> 32 * i)))
JK_NATIVE(narrow, i ? 0
                    : jk_f32_bits((float)jk_f64_from_bits(b[0])) | (uint64_t)jk_f32_bits((float)jk_f64_from_bits(b[1]))
                                                                       << 32)
#undef JK_NATIVE
#undef JK_NAN
#undef JK_FLOAT
#endif

JK_FUNC jk_lanes64 jk_v_splat(uint64_t u)
{
    jk_lanes64 v = {0, 0};
    return v + u;
}

/* Adding 2^52 rounds to a whole number; infinities, NaN and what is whole by its size pass. trunc is the floor of the
 * magnitude, ceil that of the negated, which the caller has negated. */
JK_FUNC jk_lanes64 jk_v_round(unsigned op, jk_lanes64 a, jk_lanes64 sign)
{
    const jk_lanes64 big = jk_v_splat(0x4330000000000000), one = jk_v_splat(0x3FF0000000000000);
    jk_lanes64 lost = a & (op == JK_TRUNC ? sign : jk_v_splat(0)), x = a ^ lost, magnitude = x & ~sign, small;
    jk_pair r = (jk_pair)magnitude + (jk_pair)big;
    JK_FP_KEEP(r);
    r -= (jk_pair)big;
    small = jk_v_lt(magnitude, big);
    r = (jk_pair)((((jk_lanes64)r | (x & sign)) & small) | (x & ~small));
    if (op != JK_RINT)
        r -= (jk_pair)(jk_v_lt(x, (jk_lanes64)r) & one);
    return (jk_lanes64)r | lost;
}

/* Of floats their product is exact. The sum is rounded to odd (the error is known from TwoSum), so that the rounding to
 * float is the only one. */
JK_FUNC jk_lanes64 jk_v_fma_single(jk_lanes64 a, jk_lanes64 b, jk_lanes64 c)
{
    const jk_lanes64 zero = jk_v_splat(0);
    jk_pair p = (jk_pair)a * (jk_pair)b, d = (jk_pair)c, s, t, error;
    JK_FP_KEEP(p);
    s = p + d;
    JK_FP_KEEP(s);
    t = s - p;
    JK_FP_KEEP(t);
    error = s - t;
    JK_FP_KEEP(error);
    error = (p - error) + (d - t);
    a = (jk_v_lt((jk_lanes64)error, zero) | jk_v_lt(zero, (jk_lanes64)error)) >> 63; /* 1: inexact */
    return ((jk_lanes64)s - (((jk_lanes64)error ^ (jk_lanes64)s) >> 63 & a)) | a;
}

/* The comparison or minimum or ... of two doubles; none of these ops is so fast that the tests are felt. The smaller of
 * equals, that is of zeros of either sign, and of NaN and anything, is both their bits; max is the negated min of the
 * negated. */
JK_FUNC jk_lanes64 jk_v_op(unsigned op, jk_lanes64 a, jk_lanes64 b, jk_lanes64 c)
{
    const jk_lanes64 sign = jk_v_splat((uint64_t)1 << 63);
    jk_lanes64 flip = op == JK_MAX || op == JK_CEIL ? sign : jk_v_splat(0), less, more, unordered;
    a ^= flip;
    b ^= flip;
    less = jk_v_lt(a, b);
    more = jk_v_lt(b, a);
    unordered = jk_v_unordered(a, b);
    if (op == JK_FMA)
        return jk_v_fma_single(a, b, c);
    if (op == JK_MIN || op == JK_MAX)
        return ((a & ~more) | (b & ~less)) ^ flip;
    if (op == JK_COPYSIGN) /* a NaN as the second one counts as positive */
        return (a & ~sign) | (b & sign & ~unordered);
    if (op == JK_LT)
        return less;
    if (op == JK_LE)
        return ~(more | unordered);
    if (op == JK_EQ)
        return ~(less | more | unordered);
    if (op == JK_NE)
        return less | more | unordered;
    if (op == JK_ISNAN)
        return unordered;
    return jk_v_round(op, a, sign) ^ flip;
}

/* Floats are widened, two at a time. */
JK_FUNC jk_lanes64 jk_v_load(const char *p, bool single)
{
    jk_lanes64 v;
    if (!single)
        return *(const jk_unaligned *)p;
    v = jk_v_splat(*(const jk_half *)p);
    return jk_v_widen(v, v);
}

JK_FUNC void jk_v_store(char *p, bool single, bool mask, jk_lanes64 v)
{
    if (!single)
        *(jk_unaligned *)p = v;
    else
        *(jk_half *)p = mask ? (uint32_t)v[0] | v[1] << 32 : jk_v_narrow(v, v)[0];
}

/* What is no single instruction. */
JK_NOINLINE void jk_fp_others(unsigned op, bool single, ptrdiff_t nbytes, char *to, const void *const *from)
{
    const char *x = (const char *)from[0], *y = op == JK_ISNAN ? x : (const char *)from[1], *z = (const char *)from[2];
    ptrdiff_t i;
    if (op == JK_FMA && !single) {
        for (i = 0; i < nbytes; i += 8)
            *(jk_f64 *)(to + i) =
                jk_fma_f64(*(const jk_f64 *)(x + i), *(const jk_f64 *)(y + i), *(const jk_f64 *)(z + i));
        return;
    }
    for (i = 0; i < nbytes; i += single ? 8 : 16)
        jk_v_store(to + i, single, op >= JK_LT,
                   jk_v_op(op, jk_v_load(x + i, single), jk_v_load(y + i, single), jk_v_load(z + i, single)));
}

/* Cases of an op, for lanes of four bytes (1) and of eight, and what they make of two vectors. */
#define JK_KEY(op, single) ((unsigned)(op)*2 + (single))
#define JK_LANES(key, type, v0, v1) \
    case key:                       \
        a0 = (jk_lanes64)(v0);      \
        a1 = (jk_lanes64)(v1);      \
        break;
#define JK_TYPED(key, type, operator) JK_LANES(key, type, (type)a0 operator(type) b0, (type)a1 operator(type) b1)
#define JK_SHIFT(key, type, operator) JK_LANES(key, type, (type)a0 operator aux, (type)a1 operator aux)
#define JK_FLOATS(op, operator)                \
    JK_TYPED(JK_KEY(op, 1), jk_quad, operator) \
    JK_TYPED(JK_KEY(op, 0), jk_pair, operator)
#define JK_INTEGERS(as, op, operator)       \
    as(JK_KEY(op, 1), jk_lanes32, operator) \
    as(JK_KEY(op, 0), jk_lanes64, operator)
#define JK_BITWISE(op, v0, v1) \
    case JK_KEY(op, 1):        \
    JK_LANES(JK_KEY(op, 0), jk_lanes64, v0, v1)

/* nbytes: a multiple of 32, not 0. */
JK_FUNC void jk_fp_vectors(unsigned op, bool single, unsigned aux, ptrdiff_t nbytes, char *to, const void *const *from)
{
    const char *x = (const char *)from[0], *y = (const char *)from[1], *z = (const char *)from[2];
    const jk_lanes64 sign = jk_v_splat(single ? 0x8000000080000000 : 0x8000000000000000);
    ptrdiff_t i;
    for (i = 0; i < nbytes; i += 32) {
        jk_lanes64 a0 = *(const jk_unaligned *)(x + i), a1 = *(const jk_unaligned *)(x + i + 16);
        jk_lanes64 b0 = *(const jk_unaligned *)(y + i), b1 = *(const jk_unaligned *)(y + i + 16);
        switch (JK_KEY(op, single)) {
            JK_FLOATS(JK_ADD, +)
            JK_FLOATS(JK_SUB, -)
            JK_FLOATS(JK_MUL, *)
            JK_FLOATS(JK_DIV, /)
            JK_LANES(JK_KEY(JK_SQRT, 1), jk_quad, jk_v_sqrt_single(a0, a0), jk_v_sqrt_single(a1, a1))
            JK_LANES(JK_KEY(JK_SQRT, 0), jk_pair, jk_v_sqrt(a0, a0), jk_v_sqrt(a1, a1))
            JK_INTEGERS(JK_TYPED, JK_IADD, +)
            JK_INTEGERS(JK_TYPED, JK_ISUB, -)
            JK_INTEGERS(JK_SHIFT, JK_ISHL, <<)
            JK_INTEGERS(JK_SHIFT, JK_ISHR, >>)
            JK_BITWISE(JK_NEG, a0 ^ sign, a1 ^ sign)
            JK_BITWISE(JK_ABS, a0 & ~sign, a1 & ~sign)
            JK_BITWISE(JK_MNOT, ~a0, ~a1)
        case JK_KEY(JK_MAND, 0):
        case JK_KEY(JK_MAND, 1):
            JK_BITWISE(JK_IAND, a0 & b0, a1 & b1)
        case JK_KEY(JK_MOR, 0):
        case JK_KEY(JK_MOR, 1):
            JK_BITWISE(JK_IOR, a0 | b0, a1 | b1)
            JK_BITWISE(JK_IXOR, a0 ^ b0, a1 ^ b1)
            JK_BITWISE(JK_SELECT, (a0 & b0) | (~a0 & *(const jk_unaligned *)(z + i)),
                       (a1 & b1) | (~a1 & *(const jk_unaligned *)(z + i + 16)))
            JK_BITWISE(JK_BITS, a0, a1)
        default:
            jk_fp_others(op, single, nbytes, to, from);
            return;
        }
        *(jk_unaligned *)(to + i) = a0;
        *(jk_unaligned *)(to + i + 16) = a1;
    }
}
#undef JK_KEY
#undef JK_LANES
#undef JK_TYPED
#undef JK_SHIFT
#undef JK_FLOATS
#undef JK_INTEGERS
#undef JK_BITWISE

/* The last, short vectors go through copies. */
JK_FUNC void jk_fp_apply(unsigned op, jk_type type, jk_type operand_type, unsigned aux, size_t n, void *to,
                         const void *const *from)
{
    const size_t size = jk_type_size(type), rest = n * size % 32, whole = n * size - rest;
    uint64_t copy[4][4];
    const void *at[3];
    size_t k;
    if (op == JK_CVT) { /* of uniform values only */
        jk_fp_convert(to, type, 0, from[0], operand_type, 0, n);
        return;
    }
    if (whole)
        jk_fp_vectors(op, size == 4, aux, (ptrdiff_t)whole, (char *)to, from);
    if (!rest)
        return;
    memset(copy, 0, sizeof copy);
    for (k = 0; k < 3; k++)
        at[k] = memcpy(copy[k], (const char *)from[k] + whole, rest);
    jk_fp_vectors(op, size == 4, aux, 32, (char *)copy[3], at);
    memcpy((char *)to + whole, copy[3], rest);
}

JK_FUNC uint64_t jk_fp_fold(unsigned op, jk_type type, jk_type operand_type, unsigned aux, uint64_t a, uint64_t b,
                            uint64_t c)
{
    uint64_t to = 0;
    const void *from[3];
    from[0] = &a, from[1] = &b, from[2] = &c;
    jk_fp_apply(op, type, operand_type, aux, 1, &to, from);
    return to;
}

JK_FUNC double jk_min_f64(double a, double b)
{
    jk_lanes64 x = jk_v_splat(jk_f64_bits(a)), y = jk_v_splat(jk_f64_bits(b));
    return jk_f64_from_bits(((x & ~jk_v_lt(y, x)) | (y & ~jk_v_lt(x, y)))[0]);
}

/* Equal values, and all NaN, have one key. */
JK_FUNC uint64_t jk_find_key(double x)
{
    uint64_t u = jk_f64_bits(x);
    return u << 1 > JK_F64_INF << 1 ? UINT64_MAX : u << 1 ? u : 0;
}

JK_FUNC size_t jk_fp_find(jk_type type, const void *x, size_t n, uint64_t bits)
{
    const bool single = type == JK_F32;
    uint64_t key = jk_find_key(single ? (double)jk_f32_from_bits((uint32_t)bits) : jk_f64_from_bits(bits));
    size_t i = 0;
    while (i < n && jk_find_key(single ? (double)((const jk_f32 *)x)[i] : ((const jk_f64 *)x)[i]) != key)
        i++;
    return i;
}

/* ---- conversions: every element goes through f64 or i64, whichever holds its type exactly ---- */

/* To nearest even, saturating; NaN gives 0. */
JK_FUNC int64_t jk_cvt_integer(double x)
{
    uint64_t u = jk_f64_bits(x);
    int64_t k;
    if (u << 1 >= (uint64_t)0x43E << 53) /* 2^63 */
        return u << 1 > JK_F64_INF << 1 ? 0 : u >> 63 ? INT64_MIN : INT64_MAX;
#if defined(__x86_64__) /* no libm: it may set errno */
    __asm__("cvtsd2si %1, %0" : "=r"(k) : "x"(x));
#else
    k = __builtin_llrint(x);
#endif
    return k;
}

typedef union jk_cvt_value {
    double d;
    float f;
    int64_t k;
} jk_cvt_value;

JK_FUNC void jk_cvt_read(jk_cvt_value *x, const char *p, jk_type type)
{
    float f;
    int32_t i32;
    if (type == JK_F32) {
        memcpy(&f, p, 4);
        x->d = (double)f;
    } else if (type == JK_I32) {
        memcpy(&i32, p, 4);
        x->k = i32;
    } else if (type == JK_U8) {
        x->k = *(const unsigned char *)p;
    } else {
        memcpy(x, p, 8);
    }
}

/* To f32 at once, for one rounding. */
JK_FUNC void jk_cvt_turn(jk_cvt_value *x, jk_type to, bool is_float)
{
    const int64_t low = to == JK_U8 ? 0 : INT32_MIN, high = to == JK_U8 ? 255 : INT32_MAX;
    if (to == JK_F32)
        x->f = is_float ? (float)x->d : (float)x->k;
    else if (to == JK_F64)
        x->d = is_float ? x->d : (double)x->k;
    else if (is_float)
        x->k = jk_cvt_integer(x->d);
    if (to == JK_I32 || to == JK_U8)
        x->k = x->k < low ? low : x->k > high ? high : x->k;
}

JK_FUNC void jk_fp_convert(void *to, jk_type to_type, ptrdiff_t to_stride, const void *from, jk_type from_type,
                           ptrdiff_t from_stride, size_t n)
{
    const size_t size = jk_type_size(to_type);
    char *p = (char *)to;
    const char *q = (const char *)from;
    jk_cvt_value x;
    for (; n; n--, p += to_stride, q += from_stride) {
        const void *value = q; /* as bits: conversion would make a signalling NaN quiet */
        if (to_type != from_type) {
            jk_cvt_read(&x, q, from_type);
            jk_cvt_turn(&x, to_type, from_type <= JK_F32);
            value = &x;
        }
        if (size == 8)
            memcpy(p, value, 8);
        else if (size == 4)
            memcpy(p, value, 4);
        else
            *p = *(const char *)value;
    }
}
#undef JK_F64_INF

JK_FP_CLOSE
