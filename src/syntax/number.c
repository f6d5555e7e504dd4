/* syntax: a number's text to the nearest f64 or f32, ties to even, in one rounding.
 *
 * Integers only: neither the floating-point mode, nor the compiler's flags, nor the locale can change a bit. All digits
 * become one bignum, below which words of zeros are put. A decimal exponent multiplies it by 5 or divides it by 5,
 * thirteen powers at a time, each a walk over the words. As floor(floor(x / a) / b) = floor(x / (a *
 * b)), the bits that are left are exactly the quotient's, and "sticky" tells whether something fell off below them. */
#include "ast.h"

JK_SMALL_OPEN

/* Halfway between two doubles has at most 767 significant digits; what follows the first 780 counts as a little more.
 * They take 81 words (98 in hexadecimal); three more, or 89 where they may have to be divided by 5^1110, come below. */
#define JK_BIG_DIGITS 780
#define JK_BIG_WORDS 200

/* Little-endian words, n of them, none leading zero. */
typedef struct jk_big {
    uint32_t n;
    uint32_t word[JK_BIG_WORDS];
} jk_big;

JK_NOINLINE void jk_big_mul_add(jk_big *b, uint32_t factor, uint32_t plus)
{
    uint64_t carry = plus;
    uint32_t i;
    for (i = 0; i < b->n; i++) {
        carry += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry)
        b->word[b->n++] = (uint32_t)carry;
}

/* The remainder. */
JK_FUNC uint32_t jk_big_divide(jk_big *b, uint32_t by)
{
    uint64_t left = 0;
    uint32_t i;
    for (i = b->n; i-- > 0;) {
        left = left << 32 | b->word[i];
        b->word[i] = (uint32_t)(left / by);
        left %= by;
    }
    b->n -= !b->word[b->n - 1];
    return (uint32_t)left;
}

/* b * 5^power; the result is worth 2^-*below and has two words or more, 64 bits if it is a quotient. Not 0 if something
 * fell off. */
JK_FUNC uint32_t jk_big_scale(jk_big *b, int power, int *below)
{
    uint32_t sticky = 0, left = power < 0 ? (uint32_t)-power : (uint32_t)power;
    uint32_t words = (power < 0 ? left * 5 / 64 : 0) + 3; /* 5 has less than 5/2 bits */
    memmove(b->word + words, b->word, b->n * sizeof *b->word);
    memset(b->word, 0, words * sizeof *b->word);
    b->n += words;
    *below = (int)(32 * words);
    while (left) {
        uint32_t five = 1;
        for (; left && five < 1220703125; left--)
            five *= 5;
        if (power < 0)
            sticky |= jk_big_divide(b, five);
        else
            jk_big_mul_add(b, five, 0);
    }
    return sticky;
}

/* The bits of b * 2^e (b has two words or more), plus a little if sticky, rounded to the type. */
JK_FUNC uint64_t jk_big_round(jk_big *b, int e, uint32_t sticky, jk_type type)
{
    static const struct jk_float_row {
        int digits, least;
        uint64_t inf;
    } rows[] = {{53, -1074, (uint64_t)2047 << 52}, {24, -149, (uint64_t)255 << 23}};
    const struct jk_float_row *to = &rows[type];
    uint64_t m, below;
    uint32_t i;
    int shift = __builtin_clz(b->word[b->n - 1]), drop;
    jk_big_mul_add(b, (uint32_t)1 << shift, 0);
    m = (uint64_t)b->word[b->n - 1] << 32 | b->word[b->n - 2];
    for (i = 2; i < b->n; i++)
        sticky |= b->word[i - 2];
    e += (int)(32 * b->n) - 64 - shift; /* of m's last bit */
    drop = JK_LARGER(64 - to->digits, to->least - e);
    if (drop > 64)
        return 0;
    e += drop - to->least;
    if (e > 2046)
        return to->inf;
    below = m << 1 << (64 - drop); /* less than half of what is kept */
    m = m >> (drop - 1);
    m = (m >> 1) + ((m & 1) && (below || sticky || (m & 2)));
    /* The leading bit adds one to the exponent, and so does a carry out of the fraction. */
    m += (uint64_t)e << (to->digits - 1);
    return JK_SMALLER(m, to->inf);
}

/* A digit's value; 99 where there is none. */
JK_NOINLINE unsigned jk_digit(char c)
{
    unsigned d = (unsigned)(unsigned char)c - '0', letter = ((unsigned)(unsigned char)c | 32) - 'a';
    return d < 10 ? d : letter < 6 ? letter + 10 : 99;
}

/* If an exponent's letter is followed by one, adds it to *power; beyond what any text can make up for it stays put.
 * Returns where the number ends. */
JK_FUNC const char *jk_exponent(const char *s, int *power)
{
    const char *first = s + 1 + (s[1] == '-' || s[1] == '+'), *t = first;
    unsigned d;
    int e = 0;
    for (; (d = jk_digit(*t)) < 10; t++)
        e = e > 100000000 ? e : e * 10 + (int)d;
    *power += s[1] == '-' ? -e : e;
    return t > first ? t : s;
}

JK_NOINLINE uint32_t jk_number_read(const char *text, jk_type type, uint64_t *bits)
{
    static const struct jk_radix {
        uint8_t prefix, radix, exponent;
        uint8_t unit; /* a digit more is as much as so much more in the exponent */
    } radixes[] = {{0, 10, 'e', 1}, {2, 16, 'p', 4}};
    bool hex = text[0] == '0' && (text[1] | 32) == 'x', point = false;
    const struct jk_radix *r = &radixes[hex];
    const char *first = text + r->prefix, *s;
    int power = 0, count = 0, e;
    uint32_t sticky = 0;
    unsigned d;
    jk_big b;
    b.n = 0;
    if (bits)
        *bits = 0;
    for (s = first;; s++) {
        d = jk_digit(*s);
        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (d >= r->radix)
            break;
        if (point)
            power -= r->unit;
        if (count == JK_BIG_DIGITS) {
            sticky |= d;
            power += r->unit;
            continue;
        }
        count += count || d;
        if (bits)
            jk_big_mul_add(&b, r->radix, d);
    }
    if (s == first + point)
        return hex; /* the zero before an x that has no digits */
    if ((*s | 32) == r->exponent)
        s = jk_exponent(s, &power);
    if (bits) {
        /* Where the first digit stands: far outside of every type it does not matter where. */
        e = power + r->unit * count;
        e = e > 310 * r->unit ? 310 * r->unit - e : e < -330 * r->unit ? -330 * r->unit - e : 0;
        power += e;
        if (b.n) {
            sticky |= jk_big_scale(&b, hex ? 0 : power, &e);
            *bits = jk_big_round(&b, power - e, sticky, type);
        }
    }
    return (uint32_t)(s - text);
}

JK_SMALL_CLOSE
#undef JK_BIG_DIGITS
#undef JK_BIG_WORDS
