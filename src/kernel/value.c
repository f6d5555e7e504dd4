/* kernel: numbers by value, converted to the element type of their parameter with one rounding, as a store would,
 * whatever type they come in. What no double or int64_t holds (integers from 2^63 on, x87 numbers) is rounded here in
 * integers. */
#include "../fp.h"
#include "kernel.h"

JK_SMALL_OPEN

/* m / 2^shift to nearest even; m * 2^-shift must fit where shift is negative. */
JK_FUNC uint64_t jk_shift_round(uint64_t m, int shift)
{
    uint64_t rest, half;
    if (shift <= 0)
        return m << -shift;
    if (shift > 64)
        return 0;
    rest = shift == 64 ? m : m & (((uint64_t)1 << shift) - 1);
    half = (uint64_t)1 << (shift - 1);
    m = shift == 64 ? 0 : m >> shift;
    return m + (rest > half || (rest == half && (m & 1)));
}

/* 2^e, -1022 <= e <= 1023. */
JK_FUNC double jk_power_of_2(int e)
{
    return jk_f64_from_bits((uint64_t)(e + 1023) << 52);
}

/* m * 2^q rounded to `digits` bits with the last one at least 2^least: exact in the products that make it. */
JK_FUNC double jk_wide_float(uint64_t m, int q, int digits, int least)
{
    int last = q + 64 - __builtin_clzll(m) - digits;
    last = JK_LARGER(last, least);
    m = jk_shift_round(m, last - q);
    last = JK_SMALLER(last, 1100);
    return (double)(int64_t)m * jk_power_of_2(last / 2) * jk_power_of_2(last - last / 2);
}

/* Stores +-m * 2^q, m not 0, as an element type: one rounding, integers saturate. For what no C type of the library's
 * holds: integers from 2^63 on and x87 numbers. */
JK_FUNC void jk_wide_store(void *to, jk_type type, bool negative, uint64_t m, int q)
{
    double d;
    int64_t i;
    if (type == JK_F64 || type == JK_F32) {
        d = type == JK_F64 ? jk_wide_float(m, q, 53, -1074) : jk_wide_float(m, q, 24, -149);
        d = negative ? -d : d;
        jk_fp_convert(to, type, 0, &d, JK_F64, 0, 1);
        return;
    }
    m = q > 0 && __builtin_clzll(m) < q ? UINT64_MAX : jk_shift_round(m, -q);
    if (negative)
        i = m > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)m;
    else
        i = m > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)m;
    if (type == JK_I32)
        i = i > INT32_MAX ? INT32_MAX : i < INT32_MIN ? INT32_MIN : i;
    else if (type == JK_U8)
        i = i > 255 ? 255 : i < 0 ? 0 : i;
    jk_fp_convert(to, type, 0, &i, JK_I64, 0, 1);
}

JK_FUNC void jk_x87_store(void *to, jk_type type, const jk_tagged *a)
{
    uint64_t m = a->value.u64;
    bool negative = a->exponent >> 15 & 1;
    int exponent = (int)(a->exponent & 0x7fff);
    uint64_t sign = (uint64_t)negative << 63, bits = sign;
    if (exponent == 0x7fff)
        bits = m << 1 ? 0x7ff8000000000000 : sign | 0x7ff0000000000000;
    else if (m) {
        jk_wide_store(to, type, negative, m, (exponent ? exponent : 1) - 16383 - 63);
        return;
    }
    jk_fp_convert(to, type, 0, &bits, JK_F64, 0, 1);
}

JK_FUNC void jk_number_store(void *to, jk_type type, const jk_tagged *a)
{
    unsigned tag = a->tag & JK_TAG_TYPE;
    if (tag == (unsigned)type)
        memcpy(to, &a->value, 8);
    else if (tag == JK_TAG_LONG_DOUBLE)
        jk_x87_store(to, type, a);
    else if (tag == JK_TAG_U64 && a->value.i64 < 0)
        jk_wide_store(to, type, false, a->value.u64, 0);
    else
        jk_fp_convert(to, type, 0, &a->value, tag == JITK_F64 ? JK_F64 : JK_I64, 0, 1);
}

JK_SMALL_CLOSE
