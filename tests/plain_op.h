/* Op meanings for the tests: each op of the table and each conversion said again with plain_fp.h, which shares nothing
 * with the library; extreme and random values. */
#ifndef PLAIN_OP_H
#define PLAIN_OP_H
#include "suites.h"
#include "plain_fp.h"

/* Check logs every assertion that it passes; these are too many for that. */
#define require(condition, ...)        \
    do {                               \
        if (!(condition))              \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

/* ---- values ---- */
static const uint64_t extreme_64[] = {
    0x0000000000000000, 0x8000000000000000, 0x0000000000000001, 0x8000000000000001, 0x000FFFFFFFFFFFFF,
    0x0010000000000000, 0x0010000000000001, 0x3CA0000000000000, 0x3CB0000000000000, 0x3FD0000000000000,
    0x3FDFFFFFFFFFFFFF, 0x3FE0000000000000, 0xBFE0000000000000, 0x3FE0000000000001, 0x3FEFFFFFFFFFFFFF,
    0x3FF0000000000000, 0xBFF0000000000000, 0x3FF0000000000001, 0x3FF8000000000000, 0xBFF8000000000000,
    0x4000000000000000, 0x4004000000000000, 0x400C000000000000, 0xC008000000000000, 0x41DFFFFFFFC00000,
    0x41E0000000000000, 0x4320000000000001, 0x432FFFFFFFFFFFFF, 0x4330000000000000, 0xC330000000000001,
    0x43DFFFFFFFFFFFFF, 0x43E0000000000000, 0xC3E0000000000000, 0x7FDFFFFFFFFFFFFF, 0x7FE0000000000000,
    0x7FEFFFFFFFFFFFFF, 0xFFEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF0000000000001,
    0x7FF8000000000000, 0xFFF8000000000000};
static const uint64_t extreme_32[] = {
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007FFFFF, 0x00800000, 0x00800001, 0x33800000, 0x34000000,
    0x3E800000, 0x3EFFFFFF, 0x3F000000, 0xBF000000, 0x3F000001, 0x3F7FFFFF, 0x3F800000, 0xBF800000, 0x3F800001,
    0x3FC00000, 0xBFC00000, 0x40000000, 0x40200000, 0x40600000, 0xC0400000, 0x4AFFFFFF, 0x4B000000, 0xCB000001,
    0x4EFFFFFF, 0x4F000000, 0xCF000000, 0x5EFFFFFF, 0x5F000000, 0xDF000000, 0x7EFFFFFF, 0x7F000000, 0x7F7FFFFF,
    0xFF7FFFFF, 0x7F800000, 0xFF800000, 0x7F800001, 0x7FC00000, 0xFFC00000};
#define EXTREMES (sizeof extreme_64 / sizeof *extreme_64)

static uint64_t random_state __attribute__((unused));

PLAIN_FUNC uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static const plain_format *format_of(jk_type t)
{
    return jk_type_size(t) == 8 ? &plain_f64 : &plain_f32;
}

PLAIN_FUNC uint64_t extreme_of(jk_type t, size_t i)
{
    return jk_type_size(t) == 8 ? extreme_64[i % EXTREMES] : extreme_32[i % EXTREMES];
}

/* Near 1, of either sign, with random mantissa and some spread of exponents. */
PLAIN_FUNC uint64_t tame(jk_type t, unsigned spread)
{
    uint64_t r = random_bits();
    if (t == JK_F64)
        return (r & 0x800FFFFFFFFFFFFF) | (1023 - spread / 2 + (r >> 52 & 0x7FF) % (spread + 1)) << 52;
    return (r & 0x807FFFFF) | (127 - spread / 2 + (r >> 32) % (spread + 1)) << 23;
}

PLAIN_FUNC uint64_t mask_of(jk_type t, bool set)
{
    return !set ? 0 : jk_type_size(t) == 8 ? UINT64_MAX : UINT32_MAX;
}

/* ---- ops: the meaning of each, said again with plain_fp.h; true where the op is one of arithmetic ---- */
PLAIN_FUNC bool plain_op(unsigned op, jk_type t, unsigned aux, uint64_t a, uint64_t b, uint64_t c, uint64_t *r)
{
    const plain_format *f = format_of(t);
    uint64_t all = mask_of(t, true);
    switch (op) {
    case JK_NEG:
        *r = a ^ f->sign;
        return true;
    case JK_ABS:
        *r = a & ~f->sign;
        return true;
    case JK_SQRT:
        *r = plain_sqrt(f, a);
        return true;
    case JK_POW_HALF:
        *r = a == (f->sign | f->inf) ? f->inf : plain_sqrt(f, a == f->sign ? 0 : a);
        return true;
    case JK_FLOOR:
        *r = plain_integer(f, a, PLAIN_FLOOR);
        return true;
    case JK_CEIL:
        *r = plain_integer(f, a, PLAIN_CEIL);
        return true;
    case JK_TRUNC:
        *r = plain_integer(f, a, PLAIN_TRUNC);
        return true;
    case JK_RINT:
        *r = plain_integer(f, a, PLAIN_RINT);
        return true;
    case JK_ADD:
        *r = plain_add(f, a, b);
        return true;
    case JK_SUB:
        *r = plain_sub(f, a, b);
        return true;
    case JK_MUL:
        *r = plain_mul(f, a, b);
        return true;
    case JK_DIV:
        *r = plain_div(f, a, b);
        return true;
    case JK_MIN:
        *r = plain_min(f, a, b);
        return true;
    case JK_MAX:
        *r = plain_max(f, a, b);
        return true;
    case JK_COPYSIGN:
        *r = (a & ~f->sign) | (plain_isnan(f, b) ? 0 : b & f->sign);
        return true;
    case JK_FMA:
        *r = plain_fma(f, a, b, c);
        return true;
    case JK_LT:
        *r = mask_of(t, plain_lt(f, a, b));
        return true;
    case JK_LE:
        *r = mask_of(t, plain_lt(f, a, b) || plain_eq(f, a, b));
        return true;
    case JK_EQ:
        *r = mask_of(t, plain_eq(f, a, b));
        return true;
    case JK_NE:
        *r = mask_of(t, !plain_eq(f, a, b));
        return true;
    case JK_ISNAN:
        *r = mask_of(t, plain_isnan(f, a));
        return true;
    case JK_MNOT:
        *r = ~a & all;
        return true;
    case JK_MAND:
    case JK_IAND:
        *r = a & b;
        return true;
    case JK_MOR:
    case JK_IOR:
        *r = a | b;
        return true;
    case JK_IXOR:
        *r = a ^ b;
        return true;
    case JK_IADD:
        *r = (a + b) & all;
        return true;
    case JK_ISUB:
        *r = (a - b) & all;
        return true;
    case JK_ISHL:
        *r = (a << aux) & all;
        return true;
    case JK_ISHR:
        *r = a >> aux;
        return true;
    default:
        return false;
    }
}

/* The type of an op's operands and of its value, where the lanes are those of t (F64 or F32). */
PLAIN_FUNC jk_type operand_type(unsigned op, jk_type t)
{
    bool wide = t == JK_F64;
    if (op <= JK_ISNAN)
        return t;
    return op <= JK_MOR ? (wide ? JK_M64 : JK_M32) : wide ? JK_I64 : JK_I32;
}

PLAIN_FUNC jk_type value_type(unsigned op, jk_type t)
{
    return op >= JK_LT && op <= JK_ISNAN ? (t == JK_F64 ? JK_M64 : JK_M32) : operand_type(op, t);
}

PLAIN_FUNC bool same_value(jk_type t, uint64_t a, uint64_t b)
{
    return t == JK_F64 || t == JK_F32 ? plain_same(format_of(t), a, b) : a == b;
}

/* An element of one of the five types, as the number that it is: a float's bits as f64, else an integer. */
PLAIN_FUNC int64_t plain_to_integer(uint64_t f64, int64_t low, int64_t high)
{
    uint64_t r = plain_integer(&plain_f64, f64, PLAIN_RINT), m = (r & 0xFFFFFFFFFFFFF) | (uint64_t)1 << 52;
    int e = (int)(r >> 52 & 0x7FF) - 1075;
    int64_t v;
    if (plain_isnan(&plain_f64, f64) || !(r << 1))
        return 0;
    if (e > 10)
        return r >> 63 ? low : high;
    v = (int64_t)(e >= 0 ? m << e : m >> -e);
    v = r >> 63 ? -v : v;
    return v < low ? low : v > high ? high : v;
}

/* An integer rounded once to the format, by the bits. */
PLAIN_FUNC uint64_t plain_from_integer(const plain_format *f, int64_t v)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v, kept, rest, half;
    int e = 63, shift;
    if (!u)
        return 0;
    while (!(u >> e))
        e--;
    shift = e - f->mantissa;
    kept = shift > 0 ? u >> shift : u << -shift;
    rest = shift > 0 ? u & (((uint64_t)1 << shift) - 1) : 0;
    half = shift > 0 ? (uint64_t)1 << (shift - 1) : 1;
    kept += rest > half || (rest == half && (kept & 1));
    return (v < 0 ? f->sign : 0) | (((uint64_t)(e + f->bias - 1) << f->mantissa) + kept);
}

PLAIN_FUNC uint64_t plain_convert(jk_type to, jk_type from, uint64_t bits)
{
    static const int64_t low[] = {0, 0, INT64_MIN, INT32_MIN, 0}, high[] = {0, 0, INT64_MAX, INT32_MAX, 255};
    bool is_float = from == JK_F64 || from == JK_F32;
    uint64_t wide = from == JK_F32 ? plain_widen(bits) : bits;
    int64_t v = from == JK_I32 ? (int64_t)(int32_t)(uint32_t)bits : (int64_t)bits;
    if (to == from)
        return bits;
    if (to == JK_F64)
        return is_float ? wide : plain_from_integer(&plain_f64, v);
    if (to == JK_F32)
        return is_float ? plain_narrow(wide) : plain_from_integer(&plain_f32, v);
    v = is_float ? plain_to_integer(wide, low[to], high[to]) : v < low[to] ? low[to] : v > high[to] ? high[to] : v;
    return to == JK_I64 ? (uint64_t)v : to == JK_I32 ? (uint64_t)(uint32_t)v : (uint64_t)(uint8_t)v;
}

#endif
