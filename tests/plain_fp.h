/* Plain IEEE arithmetic for the tests' own evaluators, on bit patterns, so that no flag of the build (-ffast-math,
 * -march=native) changes a bit of what the library is compared with. Add, subtract, multiply, divide and root are
 * single instructions in inline assembly (elsewhere volatile C); comparing, rounding to integers, minimum and sign are
 * integer arithmetic; fma and fmod are libm's, called through pointers that the compiler cannot see through. It shares
 * nothing with the library. Callers bracket their work with plain_enter and plain_leave: -ffast-math programs start
 * with FTZ. */
#ifndef PLAIN_FP_H
#define PLAIN_FP_H
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#define PLAIN_FUNC static __attribute__((unused))

typedef struct plain_format {
    uint64_t sign, inf, one, half;
    int mantissa, bias;
    size_t bytes;
} plain_format;

static const plain_format plain_f64 = {
    0x8000000000000000u, 0x7ff0000000000000u, 0x3ff0000000000000u, 0x3fe0000000000000u, 52, 1023, 8};
static const plain_format plain_f32 = {0x80000000u, 0x7f800000u, 0x3f800000u, 0x3f000000u, 23, 127, 4};

PLAIN_FUNC double plain_double(uint64_t u)
{
    double d;
    memcpy(&d, &u, 8);
    return d;
}

PLAIN_FUNC uint64_t plain_double_bits(double d)
{
    uint64_t u;
    memcpy(&u, &d, 8);
    return u;
}

PLAIN_FUNC float plain_float(uint64_t u)
{
    uint32_t w = (uint32_t)u;
    float f;
    memcpy(&f, &w, 4);
    return f;
}

PLAIN_FUNC uint64_t plain_float_bits(float f)
{
    uint32_t w;
    memcpy(&w, &f, 4);
    return w;
}

/* ---- the mode ---- */

PLAIN_FUNC unsigned plain_mode(void)
{
#if defined(__x86_64__)
    return _mm_getcsr();
#else
    return 0;
#endif
}

PLAIN_FUNC void plain_set_mode(unsigned mode)
{
#if defined(__x86_64__)
    _mm_setcsr(mode);
#else
    (void)mode;
#endif
}

PLAIN_FUNC unsigned plain_enter(void)
{
    unsigned saved = plain_mode();
    plain_set_mode(0x1f80);
    return saved;
}

PLAIN_FUNC void plain_leave(unsigned saved)
{
    plain_set_mode(saved);
}

/* ---- rounded operations: volatile, so that none moves across a change of the mode ---- */

#if defined(__x86_64__)
#define PLAIN_BINARY(name, insn, sign)                                              \
    PLAIN_FUNC uint64_t plain_##name(const plain_format *f, uint64_t a, uint64_t b) \
    {                                                                               \
        if (f->bytes == 8) {                                                        \
            double x = plain_double(a);                                             \
            __asm__ volatile(insn "sd %1, %0" : "+x"(x) : "x"(plain_double(b)));    \
            return plain_double_bits(x);                                            \
        }                                                                           \
        float y = plain_float(a);                                                   \
        __asm__ volatile(insn "ss %1, %0" : "+x"(y) : "x"(plain_float(b)));         \
        return plain_float_bits(y);                                                 \
    }
#else
#define PLAIN_BINARY(name, insn, sign)                                              \
    PLAIN_FUNC uint64_t plain_##name(const plain_format *f, uint64_t a, uint64_t b) \
    {                                                                               \
        if (f->bytes == 8) {                                                        \
            volatile double x = plain_double(a), y = plain_double(b), r = x sign y; \
            return plain_double_bits(r);                                            \
        }                                                                           \
        volatile float v = plain_float(a), w = plain_float(b), q = v sign w;        \
        return plain_float_bits(q);                                                 \
    }
#endif
PLAIN_BINARY(add, "add", +)
PLAIN_BINARY(sub, "sub", -)
PLAIN_BINARY(mul, "mul", *)
PLAIN_BINARY(div, "div", /)
#undef PLAIN_BINARY

PLAIN_FUNC uint64_t plain_sqrt(const plain_format *f, uint64_t a)
{
#if defined(__x86_64__)
    if (f->bytes == 8) {
        double x = plain_double(a), r;
        __asm__ volatile("sqrtsd %1, %0" : "=x"(r) : "x"(x));
        return plain_double_bits(r);
    }
    float y = plain_float(a), q;
    __asm__ volatile("sqrtss %1, %0" : "=x"(q) : "x"(y));
    return plain_float_bits(q);
#else
    double (*volatile root)(double) = sqrt;
    float (*volatile rootf)(float) = sqrtf;
    return f->bytes == 8 ? plain_double_bits(root(plain_double(a))) : plain_float_bits(rootf(plain_float(a)));
#endif
}

PLAIN_FUNC uint64_t plain_fma(const plain_format *f, uint64_t a, uint64_t b, uint64_t c)
{
    double (*volatile d)(double, double, double) = fma;
    float (*volatile s)(float, float, float) = fmaf;
    if (f->bytes == 8)
        return plain_double_bits(d(plain_double(a), plain_double(b), plain_double(c)));
    return plain_float_bits(s(plain_float(a), plain_float(b), plain_float(c)));
}

PLAIN_FUNC uint64_t plain_fmod(const plain_format *f, uint64_t a, uint64_t b)
{
    double (*volatile d)(double, double) = fmod;
    float (*volatile s)(float, float) = fmodf;
    if (f->bytes == 8)
        return plain_double_bits(d(plain_double(a), plain_double(b)));
    return plain_float_bits(s(plain_float(a), plain_float(b)));
}

/* f64 to f32 and back. */
PLAIN_FUNC uint64_t plain_narrow(uint64_t a)
{
    double x = plain_double(a);
    float r;
#if defined(__x86_64__)
    __asm__ volatile("cvtsd2ss %1, %0" : "=x"(r) : "x"(x));
#else
    volatile double v = x;
    r = (float)v;
#endif
    return plain_float_bits(r);
}

PLAIN_FUNC uint64_t plain_widen(uint64_t a)
{
    float x = plain_float(a);
    double r;
#if defined(__x86_64__)
    __asm__ volatile("cvtss2sd %1, %0" : "=x"(r) : "x"(x));
#else
    volatile float v = x;
    r = (double)v;
#endif
    return plain_double_bits(r);
}

/* A whole number below 2^53 in the format, rounded once. */
PLAIN_FUNC uint64_t plain_whole(const plain_format *f, int64_t i)
{
    volatile double d = (double)i;
    return f->bytes == 8 ? plain_double_bits(d) : plain_narrow(plain_double_bits(d));
}

/* ---- on the bits ---- */

PLAIN_FUNC bool plain_isnan(const plain_format *f, uint64_t a)
{
    return (a & ~f->sign) > f->inf;
}

/* Equal bits, or both NaN. */
PLAIN_FUNC bool plain_same(const plain_format *f, uint64_t a, uint64_t b)
{
    return a == b || (plain_isnan(f, a) && plain_isnan(f, b));
}

/* Orders all but NaNs, -0 before +0. */
PLAIN_FUNC int64_t plain_key(const plain_format *f, uint64_t a)
{
    return (a & f->sign) ? ~(int64_t)(a ^ f->sign) : (int64_t)a;
}

PLAIN_FUNC uint64_t plain_min(const plain_format *f, uint64_t a, uint64_t b)
{
    if (plain_isnan(f, a) || plain_isnan(f, b))
        return plain_isnan(f, a) ? a : b;
    return plain_key(f, a) <= plain_key(f, b) ? a : b;
}

PLAIN_FUNC uint64_t plain_max(const plain_format *f, uint64_t a, uint64_t b)
{
    if (plain_isnan(f, a) || plain_isnan(f, b))
        return plain_isnan(f, a) ? a : b;
    return plain_key(f, a) >= plain_key(f, b) ? a : b;
}

PLAIN_FUNC bool plain_eq(const plain_format *f, uint64_t a, uint64_t b)
{
    if (plain_isnan(f, a) || plain_isnan(f, b))
        return false;
    return a == b || ((a | b) & ~f->sign) == 0;
}

PLAIN_FUNC bool plain_lt(const plain_format *f, uint64_t a, uint64_t b)
{
    if (plain_isnan(f, a) || plain_isnan(f, b) || plain_eq(f, a, b))
        return false;
    return plain_key(f, a) < plain_key(f, b);
}

typedef enum plain_rounding { PLAIN_TRUNC, PLAIN_FLOOR, PLAIN_CEIL, PLAIN_RINT, PLAIN_ROUND } plain_rounding;

/* Rounds the magnitude `whole + rest` where `unit` is the value of the last place kept. */
PLAIN_FUNC bool plain_away(plain_rounding how, bool negative, uint64_t rest, uint64_t half, bool odd)
{
    switch (how) {
    case PLAIN_FLOOR:
        return negative && rest;
    case PLAIN_CEIL:
        return !negative && rest;
    case PLAIN_RINT:
        return rest > half || (rest == half && odd);
    case PLAIN_ROUND:
        return rest >= half;
    default:
        return false;
    }
}

PLAIN_FUNC uint64_t plain_integer(const plain_format *f, uint64_t a, plain_rounding how)
{
    uint64_t sign = a & f->sign, mag = a ^ sign;
    int e = (int)(mag >> f->mantissa) - f->bias;
    if (e >= f->mantissa)
        return a;
    if (e < 0)
        return sign | (plain_away(how, sign != 0, mag, f->half, false) ? f->one : 0);
    uint64_t unit = (uint64_t)1 << (f->mantissa - e), rest = mag & (unit - 1);
    mag -= rest;
    /* unit >> 1 is 0 only where nothing is behind the point, and then e == mantissa above. Where e is 0 the bit at
     * `unit` is the exponent's lowest, which is set: 1 is odd. */
    if (plain_away(how, sign != 0, rest, unit >> 1, (mag & unit) != 0))
        mag += unit;
    return sign | mag;
}

/* A number's text, rounded once; also inf, nan, -0. */
PLAIN_FUNC uint64_t plain_parse(const plain_format *f, const char *text)
{
    unsigned saved = plain_enter();
    uint64_t u = f->bytes == 8 ? plain_double_bits(strtod(text, NULL)) : plain_float_bits(strtof(text, NULL));
    plain_leave(saved);
    return u;
}

#endif
