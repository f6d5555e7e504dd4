/* kernel: numbers by value, converted to the element type of their parameter with one rounding, as a store would,
 * whatever type they come in. What no double or int64_t holds (integers from 2^63 on, x87 numbers) is rounded here in
 * integers. */
#include "../fp.h"
#include "kernel.h"

JK_SMALL_OPEN

/* Stores m * 2^q, m not 0, with this sign bit as an element type: one rounding, integers saturate. For what no C type
 * of the library's holds: integers from 2^63 on and x87 numbers. */
JK_FUNC void jk_wide_store(void *to, jk_type type, uint64_t sign, uint64_t m, int q)
{
    jk_wide w;
    double d;
    w.hi = m;
    w.lo = 0;
    if (type == JK_I64 && q < 0) { /* at most 2^63 */
        w = jk_wide_shr(w, -q);
        w.hi += w.lo + (w.hi & 1) > (uint64_t)1 << 63;
        w.hi -= (w.hi & ~sign) >> 63;
        w.hi = sign ? 0 - w.hi : w.hi;
        memcpy(to, &w.hi, sizeof w.hi);
        return;
    }
    if (type != JK_F64) /* to a double with the last bit set where something is lost, so that one rounding is left */
        w.hi = (m | ((m & 0x7FF) + 0x7FF)) & ~(uint64_t)0x7FF;
    d = jk_wide_round(sign, w, q - 64);
    jk_fp_convert(to, type, 0, &d, JK_F64, 0, 1);
}

JK_FUNC void jk_x87_store(void *to, jk_type type, const jk_tagged *a)
{
    const uint64_t m = a->value.u64;
    const int exponent = (int)(a->exponent & 0x7fff);
    uint64_t bits = (uint64_t)(a->exponent >> 15 & 1) << 63;
    if (exponent == 0x7fff && m << 1)
        bits = 0x7ff8000000000000;
    else if (m) {
        jk_wide_store(to, type, bits, m, (exponent ? exponent : 1) - 16383 - 63);
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
        jk_wide_store(to, type, 0, a->value.u64, 0);
    else
        jk_fp_convert(to, type, 0, &a->value, tag == JITK_F64 ? JK_F64 : JK_I64, 0, 1);
}

JK_SMALL_CLOSE
