/* syntax: a number's text to the nearest f64 or f32, ties to even, in one rounding.
 *
 * Integers only: neither the floating-point mode, nor the compiler's flags, nor the locale can change a bit. Every text
 * is brought to the form m * 2^e with a 64-bit m and a "sticky" flag for what lies below m's last bit; jk_round_scaled
 * rounds that once to either type. Short decimals take two 64-bit divisions; all others are divided exactly as bignums.
 */
#include "ast.h"

JK_SMALL_OPEN

/* Halfway between two doubles has at most 767 significant digits; what follows the first 780 counts as one more. They
 * and 5^1112, normalised, take 85 words. */
#define JK_BIG_DIGITS 780
#define JK_BIG_WORDS 100

/* Powers of 5 below 2^32; those of 10 follow by shifts. */
static const uint32_t jk_pow5[14] = {1,     5,      25,      125,     625,      3125,      15625,
                                     78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125};

JK_FUNC double jk_double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* m * 2^e (m not 0), plus a little if sticky, rounded to the type's precision and range. */
JK_FUNC double jk_round_scaled(uint64_t m, int e, bool sticky, jk_type type, bool *overflow)
{
    int bits = type == JK_F32 ? 24 : 53, emin = type == JK_F32 ? -126 : -1022, emax = type == JK_F32 ? 127 : 1023;
    int shift = __builtin_clzll(m), top, drop;
    uint64_t kept, rest, half;
    m <<= shift;
    top = e - shift + 63; /* exponent of the leading bit */
    drop = 64 - bits + (top < emin ? emin - top : 0);
    if (drop > 64)
        return 0;
    e = top - 63 + drop;
    half = (uint64_t)1 << (drop - 1);
    kept = drop == 64 ? 0 : m >> drop;
    rest = drop == 64 ? m : m & (2 * half - 1);
    kept += rest > half || (rest == half && (sticky || (kept & 1)));
    if (!kept)
        return 0;
    /* As a double's bits: 53 significant ones unless it is subnormal; the last bit weighs 2^e. */
    shift = __builtin_clzll(kept) - 11;
    shift = shift > e + 1074 ? e + 1074 : shift;
    kept = shift < 0 ? kept >> 1 : kept << shift;
    e -= shift;
    if (e + 52 > emax) {
        *overflow = true;
        return jk_double_of((uint64_t)0x7ff << 52);
    }
    return jk_double_of(kept >> 52 ? ((uint64_t)(e + 1075) << 52) | (kept & (((uint64_t)1 << 52) - 1)) : kept);
}

/* ---- bignums: little-endian words, n of them, none leading zero ---- */
typedef struct jk_big {
    int n;
    uint32_t word[JK_BIG_WORDS];
} jk_big;

JK_FUNC void jk_big_mul_add(jk_big *b, uint32_t factor, uint32_t plus)
{
    uint64_t carry = plus;
    int i;
    for (i = 0; i < b->n; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        b->word[b->n++] = (uint32_t)carry;
}

JK_FUNC void jk_big_mul_pow5(jk_big *b, int k)
{
    for (; k > 13; k -= 13)
        jk_big_mul_add(b, jk_pow5[13], 0);
    jk_big_mul_add(b, jk_pow5[k], 0);
}

JK_FUNC int jk_big_bits(const jk_big *b)
{
    return 32 * b->n - __builtin_clz(b->word[b->n - 1]);
}

JK_FUNC void jk_big_shift(jk_big *b, int left)
{
    int words = left / 32, i;
    jk_big_mul_add(b, (uint32_t)1 << (left % 32), 0);
    for (i = b->n - 1; words && i >= 0; i--)
        b->word[i + words] = b->word[i];
    for (i = 0; i < words; i++)
        b->word[i] = 0;
    b->n += words;
}

/* r := r - q * d * 2^(32 at); returns the borrow out of d's length. */
JK_FUNC uint32_t jk_big_sub_mul(uint32_t *r, const jk_big *d, uint32_t q)
{
    uint64_t carry = 0;
    int i;
    for (i = 0; i < d->n; i++) {
        uint64_t next = carry + (uint64_t)d->word[i] * q;
        carry = (next >> 32) + (r[i] < (uint32_t)next);
        r[i] -= (uint32_t)next;
    }
    return (uint32_t)carry;
}

JK_FUNC bool jk_big_at_least(const uint32_t *r, const jk_big *d)
{
    int i = d->n - 1;
    if (r[d->n])
        return true;
    while (i > 0 && r[i] == d->word[i])
        i--;
    return r[i] >= d->word[i];
}

/* One word of the quotient: r has d->n + 1 words, r < d * 2^32, d's top bit is set. The estimate is never too large and
 * at most a few too small. Leaves the remainder. */
JK_FUNC uint32_t jk_big_divide_step(uint32_t *r, const jk_big *d)
{
    int n = d->n;
    uint32_t q = (uint32_t)((((uint64_t)r[n] << 32) | r[n - 1]) / ((uint64_t)d->word[n - 1] + 1));
    r[n] -= jk_big_sub_mul(r, d, q);
    while (jk_big_at_least(r, d)) {
        r[n] -= jk_big_sub_mul(r, d, 1);
        q++;
    }
    return q;
}

/* num / den * 2^e, both not 0: shifted so that the quotient has 63 or 64 bits, then two words of it and the remainder.
 */
JK_FUNC double jk_big_quotient(jk_big *num, jk_big *den, int e, jk_type type, bool *overflow)
{
    int shift = jk_big_bits(den) + 63 - jk_big_bits(num), align, i, n;
    uint64_t q;
    bool sticky = false;
    align = (32 - (jk_big_bits(den) + (shift < 0 ? -shift : 0)) % 32) % 32;
    jk_big_shift(num, align + (shift > 0 ? shift : 0));
    jk_big_shift(den, align + (shift < 0 ? -shift : 0));
    n = den->n;
    for (i = num->n; i < n + 2; i++)
        num->word[i] = 0;
    q = (uint64_t)jk_big_divide_step(num->word + 1, den) << 32;
    q |= jk_big_divide_step(num->word, den);
    for (i = 0; i < n; i++)
        sticky |= num->word[i] != 0;
    return jk_round_scaled(q, e - shift, sticky, type, overflow);
}

JK_FUNC void jk_big_set(jk_big *b, uint32_t value)
{
    b->n = 1;
    b->word[0] = value;
}

/* ---- decimal ---- */

/* All digits of the text, exactly; `power` is the written exponent. The text is not zero. */
JK_NOINLINE double jk_decimal_exact(const char *text, size_t len, int64_t power, jk_type type, bool *overflow)
{
    jk_big num, den;
    uint32_t part = 0, scale = 1;
    int digits = 0;
    bool point = false, rest = false;
    size_t i;
    jk_big_set(&num, 0);
    jk_big_set(&den, 1);
    num.n = 0;
    for (i = 0; i < len && (text[i] == '.' || (text[i] >= '0' && text[i] <= '9')); i++) {
        if (text[i] == '.') {
            point = true;
            continue;
        }
        power -= point;
        if (digits == JK_BIG_DIGITS) {
            power++;
            rest |= text[i] != '0';
            continue;
        }
        digits += digits || text[i] != '0';
        part = part * 10 + (uint32_t)(text[i] - '0');
        scale *= 10;
        if (scale == 1000000000) {
            jk_big_mul_add(&num, scale, part);
            part = 0;
            scale = 1;
        }
    }
    jk_big_mul_add(&num, scale, part);
    if (rest) {
        jk_big_mul_add(&num, 10, 1);
        power--;
        digits++;
    }
    if (power + digits > 310) {
        *overflow = true;
        return jk_double_of((uint64_t)0x7ff << 52);
    }
    if (power + digits < -330)
        return 0;
    jk_big_mul_pow5(power < 0 ? &den : &num, (int)(power < 0 ? -power : power));
    return jk_big_quotient(&num, &den, (int)power, type, overflow);
}

/* Up to 18 digits with a small exponent: the quotient by 5^k in two steps of 32 bits. */
JK_FUNC bool jk_decimal_short(uint64_t w, int64_t power, jk_type type, bool *overflow, double *out)
{
    if (power >= 0) {
        if (power > 13 || w > UINT64_MAX / jk_pow5[power])
            return false;
        *out = jk_round_scaled(w * jk_pow5[power], (int)power, false, type, overflow);
    } else {
        uint64_t den, high, low, left;
        int up_w = __builtin_clzll(w) - 1, up_den;
        if (power < -13)
            return false;
        up_den = __builtin_clz(jk_pow5[-power]);
        den = (uint64_t)jk_pow5[-power] << up_den;
        high = (w << up_w) / den; /* below 2^32, at least 2^30 */
        left = (w << up_w) % den;
        low = (left << 32) / den;
        left = (left << 32) % den;
        *out = jk_round_scaled(high << 32 | low, up_den - up_w - 32 + (int)power, left != 0, type, overflow);
    }
    return true;
}

/* The digits of an exponent, with their sign; beyond what any text can make up for it stays put. */
JK_FUNC int64_t jk_exponent_value(const char *text, size_t len)
{
    bool minus = len && text[0] == '-';
    size_t i = len && (text[0] == '-' || text[0] == '+');
    int64_t e = 0;
    for (; i < len; i++)
        e = e > 1000000000 ? e : e * 10 + (text[i] - '0');
    return minus ? -e : e;
}

JK_FUNC double jk_decimal_value(const char *text, size_t len, jk_type type, bool *overflow)
{
    uint64_t w = 0;
    int64_t power, dropped = 0;
    int digits = 0;
    bool point = false;
    double value;
    size_t i;
    for (i = 0; i < len; i++) {
        unsigned d = (unsigned)(unsigned char)text[i] - '0';
        if (text[i] == '.') {
            point = true;
        } else if (d > 9) {
            break;
        } else if (digits < 18) {
            w = w * 10 + d;
            digits += w != 0;
            dropped -= point;
        } else {
            digits += d != 0; /* then the short form does not do */
            dropped += !point;
        }
    }
    power = i < len ? jk_exponent_value(text + i + 1, len - i - 1) : 0;
    if (!w)
        return 0;
    if (digits <= 18 && jk_decimal_short(w, power + dropped, type, overflow, &value))
        return value;
    return jk_decimal_exact(text, i, power, type, overflow);
}

/* ---- hexadecimal ---- */
JK_FUNC int jk_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind the 0x. */
JK_FUNC double jk_hex_value(const char *text, size_t len, jk_type type, bool *overflow)
{
    uint64_t m = 0;
    int64_t e = 0;
    bool point = false, sticky = false;
    size_t i;
    for (i = 0; i < len; i++) {
        int d = jk_hex_digit(text[i]);
        if (text[i] == '.') {
            point = true;
        } else if (d < 0) {
            break;
        } else {
            bool full = m >> 60;
            sticky |= full && d;
            m = full ? m : m << 4 | (uint64_t)d;
            e += 4 * (full - point);
        }
    }
    if (i < len)
        e += jk_exponent_value(text + i + 1, len - i - 1);
    if (!m)
        return 0;
    e = e > 5000 ? 5000 : e < -5000 ? -5000 : e; /* far outside of every type, with 64 bits to spare */
    return jk_round_scaled(m, (int)e, sticky, type, overflow);
}

JK_FUNC double jk_number_value(const char *text, size_t len, jk_type type, bool *overflow)
{
    *overflow = false;
    if (len > 1 && text[0] == '0' && (text[1] | 32) == 'x')
        return jk_hex_value(text + 2, len - 2, type, overflow);
    return jk_decimal_value(text, len, type, overflow);
}

/* The bytes of a terminated text that make up a number; 0 if it starts with none. An exponent without digits is left.
 */
JK_FUNC size_t jk_number_length(const char *s)
{
    bool hex =
        s[0] == '0' && (s[1] | 32) == 'x' && (jk_hex_digit(s[2]) >= 0 || (s[2] == '.' && jk_hex_digit(s[3]) >= 0));
    size_t i = hex ? 2 : 0, first = i, sign;
    bool point = false;
    for (;; i++) {
        int d = jk_hex_digit(s[i]);
        if (s[i] == '.' && !point)
            point = true;
        else if (d < 0 || (!hex && d > 9))
            break;
    }
    if (i == first + point)
        return 0;
    if ((s[i] | 32) == (hex ? 'p' : 'e')) {
        sign = i + 1 + (s[i + 1] == '-' || s[i + 1] == '+');
        if (s[sign] >= '0' && s[sign] <= '9')
            for (i = sign; s[i] >= '0' && s[i] <= '9'; i++)
                ;
    }
    return i;
}

JK_SMALL_CLOSE
