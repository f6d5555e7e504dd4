/* fp: IEEE arithmetic: software fma, the ops over arrays (which the interpreter and the folder share), conversions.
 *
 * Everything floating stands between JK_FP_OPEN and JK_FP_CLOSE. Ops run 16 bytes at a time, in the compiler's vector
 * types: a loop for each of those that are one instruction, one loop for all others. What compares is one instruction
 * in asm, or guarded by tests of the bits, because clang's back end may assume that there is no NaN. */
#include "fp.h"
#include "ir/ops.h"
#if !defined(__x86_64__)
#include <fenv.h>
#endif

/* ---- the mode ---- */
#if defined(__x86_64__)
static const uint32_t jk_mxcsr = JK_MXCSR; /* which is loaded from memory only */

JK_FUNC uint32_t jk_fp_enter(void)
{
    uint32_t saved;
    __asm__ volatile("stmxcsr %0" : "=m"(saved) : : "memory");
    if ((saved & ~(uint32_t)JK_MXCSR_FLAGS) != JK_MXCSR)
        __asm__ volatile("ldmxcsr %0" : : "m"(jk_mxcsr) : "memory");
    return saved;
}

JK_FUNC void jk_fp_leave(uint32_t saved)
{
    if ((saved & ~(uint32_t)JK_MXCSR_FLAGS) != JK_MXCSR)
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

#if defined(__x86_64__) || defined(__i386__)
/* One instruction, which no flag takes apart. */
#define JK_ONE_INST(name, text)                                \
    JK_FUNC jk_lanes64 jk_v_##name(jk_lanes64 a, jk_lanes64 b) \
    {                                                          \
        __asm__(text " %1, %0" : "+x"(a) : "x"(b));            \
        return a;                                              \
    }
JK_ONE_INST(lt, "cmpltpd")
JK_ONE_INST(unordered, "cmpunordpd")
JK_ONE_INST(sqrt, "sqrtpd") /* no libm: it may set errno */
JK_ONE_INST(sqrt_single, "sqrtps")
JK_ONE_INST(widen, "cvtps2pd") /* the first two floats */
JK_ONE_INST(narrow, "cvtpd2ps")
#undef JK_ONE_INST
#else
#define JK_ONE_INST(name, value)                               \
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
JK_ONE_INST(lt, JK_NAN(a[i]) || JK_NAN(b[i]) || !(jk_f64_from_bits(a[i]) < jk_f64_from_bits(b[i])) ? 0 : UINT64_MAX)
JK_ONE_INST(unordered, JK_NAN(a[i]) || JK_NAN(b[i]) ? UINT64_MAX : 0)
JK_ONE_INST(sqrt, jk_f64_bits(__builtin_sqrt(jk_f64_from_bits(b[i]))))
JK_ONE_INST(sqrt_single, jk_f32_bits(__builtin_sqrtf(JK_FLOAT(b[i]))) |
                             (uint64_t)jk_f32_bits(__builtin_sqrtf(JK_FLOAT(b[i] >> 32))) << 32)
JK_ONE_INST(widen, jk_f64_bits((double)JK_FLOAT(b[0] >> 32 * i)))
JK_ONE_INST(narrow,
            i ? 0
              : jk_f32_bits((float)jk_f64_from_bits(b[0])) | (uint64_t)jk_f32_bits((float)jk_f64_from_bits(b[1])) << 32)
#undef JK_ONE_INST
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

/* A true lane of a mask is a NaN, which stays all ones. */
JK_FUNC void jk_v_store(char *p, bool single, jk_lanes64 v)
{
    if (!single)
        *(jk_unaligned *)p = v;
    else
        *(jk_half *)p = jk_v_narrow(v, v)[0];
}

/* Ops over memory: -i bytes, a multiple of 16 and not 0; i is added to the ends. how is twice the op, and one more for
 * lanes of four bytes. These are no single instructions: */
JK_NOINLINE void jk_fp_others(unsigned how, unsigned aux, ptrdiff_t i, char *to, const void *const *from)
{
    const unsigned op = how / 2;
    const bool single = how & 1;
    const char *x = (const char *)from[0] - i, *y = (const char *)from[op != JK_ISNAN] - i,
               *z = (const char *)from[2] - i;
    const ptrdiff_t step = single ? 8 : 16;
    to -= i;
    (void)aux;
    if (op == JK_FMA && !single)
        for (; i; i += 8)
            *(jk_f64 *)(to + i) =
                jk_fma_f64(*(const jk_f64 *)(x + i), *(const jk_f64 *)(y + i), *(const jk_f64 *)(z + i));
    for (; i; i += step)
        jk_v_store(to + i, single,
                   jk_v_op(op, jk_v_load(x + i, single), jk_v_load(y + i, single), jk_v_load(z + i, single)));
}

/* A loop over vectors. */
#define JK_EACH(statement)                                                                 \
    do {                                                                                   \
        jk_lanes64 a = *(const jk_unaligned *)(x + i), b = *(const jk_unaligned *)(y + i); \
        statement;                                                                         \
        (void)b;                                                                           \
        *(jk_unaligned *)(to + i) = a;                                                     \
    } while ((i += 16) != 0);                                                              \
    return;
/* Where lanes of four bytes are another thing than those of eight, and where they are not. */
#define JK_CASE(op, value4, value8)       \
    case 2 * op + 1:                      \
        JK_EACH(a = (jk_lanes64)(value4)) \
    case 2 * op:                          \
        JK_EACH(a = (jk_lanes64)(value8))
#define JK_BOTH(op, statement) \
    case 2 * op + 1:           \
    case 2 * op:               \
        JK_EACH(statement)

/* The integers' own ops, of which no function is made yet: they need not be fast. */
JK_INLINE jk_lanes64 jk_v_integer(unsigned how, unsigned aux, jk_lanes64 a, jk_lanes64 b)
{
    switch (how) {
    case 2 * JK_IADD:
        return a + b;
    case 2 * JK_IADD + 1:
        return (jk_lanes64)((jk_lanes32)a + (jk_lanes32)b);
    case 2 * JK_ISUB:
        return a - b;
    case 2 * JK_ISUB + 1:
        return (jk_lanes64)((jk_lanes32)a - (jk_lanes32)b);
    case 2 * JK_ISHL:
        return a << aux;
    case 2 * JK_ISHL + 1:
        return (jk_lanes64)((jk_lanes32)a << aux);
    case 2 * JK_ISHR:
        return a >> aux;
    case 2 * JK_ISHR + 1:
        return (jk_lanes64)((jk_lanes32)a >> aux);
    case 2 * JK_IXOR:
    case 2 * JK_IXOR + 1:
        return a ^ b;
    default: /* BITS */
        return a;
    }
}

/* It calls nothing, so that all of it stays in registers that need no saving. */
JK_NOINLINE void jk_fp_vectors(unsigned how, unsigned aux, ptrdiff_t i, char *to, const void *const *from)
{
    static const jk_lanes64 signs[2] = {{0x8000000000000000, 0x8000000000000000},
                                        {0x8000000080000000, 0x8000000080000000}};
    static const jk_lanes64 infinities[2] = {{0xFFF0000000000000, 0xFFF0000000000000},
                                             {0xFF800000FF800000, 0xFF800000FF800000}};
    const char *x = (const char *)from[0] - i, *y = (const char *)from[1] - i, *z = (const char *)from[2] - i;
    const jk_lanes64 sign = signs[how & 1], minus_inf = infinities[how & 1];
    to -= i;
    switch (how) {
        JK_CASE(JK_ADD, (jk_quad)a + (jk_quad)b, (jk_pair)a + (jk_pair)b)
        JK_CASE(JK_SUB, (jk_quad)a - (jk_quad)b, (jk_pair)a - (jk_pair)b)
        JK_CASE(JK_MUL, (jk_quad)a * (jk_quad)b, (jk_pair)a * (jk_pair)b)
        JK_CASE(JK_DIV, (jk_quad)a / (jk_quad)b, (jk_pair)a / (jk_pair)b)
        JK_CASE(JK_SQRT, jk_v_sqrt_single(a, a), jk_v_sqrt(a, a))
        JK_CASE(JK_POW_HALF,
                jk_v_sqrt_single(a, a ^ ((jk_lanes64)((jk_lanes32)a == (jk_lanes32)minus_inf) & sign)) & ~sign,
                jk_v_sqrt(a, a ^ ((jk_lanes64)(a == minus_inf) & sign)) & ~sign)
        JK_BOTH(JK_NEG, a ^= sign)
        JK_BOTH(JK_ABS, a &= ~sign)
        JK_BOTH(JK_MNOT, a = ~a)
    case 2 * JK_MAND:
    case 2 * JK_MAND + 1:
        JK_BOTH(JK_IAND, a &= b)
    case 2 * JK_MOR:
    case 2 * JK_MOR + 1:
        JK_BOTH(JK_IOR, a |= b)
        JK_BOTH(JK_SELECT, a = (a & b) | (~a & *(const jk_unaligned *)(z + i)))
    default:
        JK_EACH(a = jk_v_integer(how, aux, a, b))
    }
}
#undef JK_EACH
#undef JK_CASE
#undef JK_BOTH

/* Those that jk_fp_others does, a bit each: floor to rint, min to isnan. */
#define JK_OTHERS ((2u << JK_RINT) - (1u << JK_FLOOR) + (2u << JK_ISNAN) - (1u << JK_MIN))

JK_FUNC void jk_fp_apply(unsigned op, jk_type type, jk_type operand_type, unsigned aux, size_t n, void *to,
                         const void *const *from)
{
    const size_t size = jk_type_size(type);
    const ptrdiff_t i = -(ptrdiff_t)JK_ALIGN_UP(n * size, 16);
    const unsigned how = 2 * op + (size == 4);
    if (op == JK_CVT) /* of uniform values only */
        jk_fp_convert(to, type, 0, from[0], operand_type, 0, n);
    else if (op < 32 && JK_OTHERS >> op & 1)
        jk_fp_others(how, aux, i, (char *)to, from);
    else
        jk_fp_vectors(how, aux, i, (char *)to, from);
}
#undef JK_OTHERS

JK_FUNC uint64_t jk_fp_fold(unsigned op, jk_type type, jk_type operand_type, unsigned aux, uint64_t a, uint64_t b,
                            uint64_t c)
{
    uint64_t v[4], to[2]; /* the rest of an operand's 16 bytes is the next one */
    const void *from[3];
    v[0] = a, v[1] = b, v[2] = c, v[3] = 0;
    from[0] = v, from[1] = v + 1, from[2] = v + 2;
    jk_fp_apply(op, type, operand_type, aux, 1, to, from);
    return jk_type_size(type) == 8 ? to[0] : (uint32_t)to[0];
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
#define JK_CVT_BLOCK 64

/* To nearest even, saturating; NaN gives 0. */
JK_FUNC int64_t jk_cvt_integer(double x)
{
    uint64_t u = jk_f64_bits(x);
    int64_t k;
#if defined(__x86_64__) /* no libm: it may set errno; INT64_MIN where no integer is near */
    __asm__("cvtsd2si %1, %0" : "=r"(k) : "x"(x));
#else
    k = u << 1 < (uint64_t)0x43E << 53 /* 2^63 */ ? __builtin_llrint(x) : INT64_MIN;
#endif
    if (k == INT64_MIN)
        k = u << 1 > JK_F64_INF << 1 ? 0 : u >> 63 ? INT64_MIN : INT64_MAX;
    return k;
}

typedef union jk_cvt_value {
    double d;
    int64_t k;
} jk_cvt_value;

JK_FUNC int64_t jk_cvt_clamp(int64_t x, int64_t low, int64_t high)
{
    return x < low ? low : x > high ? high : x;
}

/* n is not 0. One jump an element: short loops are felt where strided arrays are packed. */
JK_NOINLINE void jk_cvt_copy(char *to, ptrdiff_t to_stride, const char *from, ptrdiff_t from_stride, size_t size,
                             size_t n)
{
    if (size == 8)
        do {
            memcpy(to, from, 8);
            to += to_stride;
            from += from_stride;
        } while (--n);
    else
        do {
            if (size == 4)
                memcpy(to, from, 4);
            else
                *to = *from;
            to += to_stride;
            from += from_stride;
        } while (--n);
}

/* n is not 0. */
#define JK_EACH(statement) \
    do {                   \
        statement;         \
        p += stride;       \
    } while (++i < n);     \
    break

JK_FUNC void jk_cvt_read(jk_cvt_value *x, const char *p, jk_type type, ptrdiff_t stride, size_t n)
{
    size_t i = 0;
    float f;
    int32_t i32;
    switch (type) {
    case JK_F32:
        JK_EACH(memcpy(&f, p, 4); x[i].d = (double)f);
    case JK_I32:
        JK_EACH(memcpy(&i32, p, 4); x[i].k = i32);
    case JK_U8:
        JK_EACH(x[i].k = *(const unsigned char *)p);
    default:
        JK_EACH(memcpy(&x[i], p, 8));
    }
}

JK_FUNC void jk_cvt_write(char *p, jk_type type, ptrdiff_t stride, const jk_cvt_value *x, bool is_float, size_t n)
{
    size_t i = 0;
    float f;
    int32_t i32;
    switch (type) {
    case JK_F32: /* at once, for one rounding */
        JK_EACH(f = is_float ? (float)x[i].d : (float)x[i].k; memcpy(p, &f, 4));
    case JK_I32:
        JK_EACH(i32 = (int32_t)jk_cvt_clamp(x[i].k, INT32_MIN, INT32_MAX); memcpy(p, &i32, 4));
    case JK_U8:
        JK_EACH(*(unsigned char *)p = (unsigned char)jk_cvt_clamp(x[i].k, 0, 255));
    default:
        JK_EACH(memcpy(p, &x[i], 8));
    }
}
#undef JK_EACH

JK_FUNC void jk_fp_convert(void *to, jk_type to_type, ptrdiff_t to_stride, const void *from, jk_type from_type,
                           ptrdiff_t from_stride, size_t n)
{
    jk_cvt_value x[JK_CVT_BLOCK];
    char *p = (char *)to;
    const char *q = (const char *)from;
    const bool is_float = from_type <= JK_F32;
    if (to_type == from_type && n) { /* as bits: conversion would make a signalling NaN quiet, and is slower */
        jk_cvt_copy(p, to_stride, q, from_stride, jk_type_size(to_type), n);
        return;
    }
    while (n) {
        size_t m = JK_SMALLER(n, (size_t)JK_CVT_BLOCK), i;
        jk_cvt_read(x, q, from_type, from_stride, m);
        if (is_float && to_type > JK_F32)
            for (i = 0; i < m; i++)
                x[i].k = jk_cvt_integer(x[i].d);
        else if (!is_float && to_type == JK_F64)
            for (i = 0; i < m; i++)
                x[i].d = (double)x[i].k;
        jk_cvt_write(p, to_type, to_stride, x, is_float, m);
        p += (ptrdiff_t)m * to_stride;
        q += (ptrdiff_t)m * from_stride;
        n -= m;
    }
}
#undef JK_CVT_BLOCK
#undef JK_F64_INF

JK_FP_CLOSE
