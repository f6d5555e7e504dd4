/* syntax: a number's text to the nearest f64 or f32, ties to even, in one rounding.
 *
 * Integers only: neither the floating-point mode, nor the compiler's flags, nor the locale can change a bit. All digits
 * become one bignum. A decimal exponent multiplies it by 5 or divides it by 5, thirteen powers at a time, each a walk
 * over the words; before it is divided, words of zeros are put below it. As floor(floor(x / a) / b) = floor(x / (a *
 * b)), the bits that are left are exactly the quotient's, and "sticky" tells whether something fell off below them. */
#include "ast.h"

JK_SMALL_OPEN

/* Halfway between two doubles has at most 767 significant digits; what follows the first 780 counts as a little more.
 * They take 81 words (98 in hexadecimal), and 5^1110, by which they may have to be divided, 81. */
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

/* Whether there is a remainder. */
JK_FUNC bool jk_big_divide(jk_big *b, uint32_t by)
{
    uint64_t left = 0;
    uint32_t i;
    for (i = b->n; i-- > 0;) {
        left = left << 32 | b->word[i];
        b->word[i] = (uint32_t)(left / by);
        left %= by;
    }
    b->n -= !b->word[b->n - 1];
    return left != 0;
}

/* b * 5^power; the quotient is worth 2^-*below and has 64 bits or more. */
JK_FUNC bool jk_big_scale(jk_big *b, int power, int *below)
{
    bool sticky = false;
    uint32_t words = power < 0 ? (uint32_t)(-power * 7 / 96 + 3) : 0; /* 5 has less than 7/3 bits */
    int left = power < 0 ? -power : power;
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

/* The bits of b * 2^e (b not 0), plus a little if sticky, rounded to the type. */
JK_FUNC uint64_t jk_big_round(jk_big *b, int e, bool sticky, jk_type type)
{
    int digits = type == JK_F32 ? 24 : 53, least = type == JK_F32 ? -149 : -1074, shift, drop;
    uint64_t m = 0, below, inf = (type == JK_F32 ? (uint64_t)255 : (uint64_t)2047) << (digits - 1);
    uint32_t i;
    shift = __builtin_clz(b->word[b->n - 1]);
    jk_big_mul_add(b, (uint32_t)1 << shift, 0);
    m = (uint64_t)b->word[b->n - 1] << 32;
    m |= b->n > 1 ? b->word[b->n - 2] : 0;
    for (i = 2; i < b->n; i++)
        sticky |= b->word[i - 2] != 0;
    e += (int)(32 * b->n) - 64 - shift; /* of m's last bit */
    drop = JK_LARGER(64 - digits, least - e);
    if (drop > 64)
        return 0;
    e += drop - least;
    if (e > 2046)
        return inf;
    below = m << 1 << (64 - drop); /* less than half of what is kept */
    m = m >> (drop - 1);
    m = (m >> 1) + ((m & 1) && (below || sticky || (m & 2)));
    /* The leading bit adds one to the exponent, and so does a carry out of the fraction. */
    m += (uint64_t)e << (digits - 1);
    return JK_SMALLER(m, inf);
}

/* A digit's value; 99 where there is none. */
JK_NOINLINE unsigned jk_digit(char c)
{
    unsigned d = (unsigned)(unsigned char)c - '0', letter = ((unsigned)(unsigned char)c | 32) - 'a';
    return d < 10 ? d : letter < 6 ? letter + 10 : 99;
}

/* The digits of an exponent; beyond what any text can make up for it stays put. */
JK_FUNC int jk_exponent(const char **at)
{
    int e = 0;
    for (; jk_digit(**at) < 10; ++*at)
        e = e > 100000000 ? e : e * 10 + (int)jk_digit(**at);
    return e;
}

JK_NOINLINE uint32_t jk_number_read(const char *text, jk_type type, uint64_t *bits)
{
    bool hex = text[0] == '0' && (text[1] | 32) == 'x' && jk_digit(text[text[2] == '.' ? 3 : 2]) < 16, point = false,
         sticky = false;
    const char *s = hex ? text + 2 : text, *first = s, *t;
    int power = 0, count = 0, e, unit = hex ? 4 : 1; /* a digit more is as much as `unit` more in the exponent */
    unsigned d;
    jk_big b;
    b.n = 0;
    for (;; s++) {
        d = jk_digit(*s);
        if (*s == '.' && !point) {
            point = true;
            continue;
        }
        if (d >= (hex ? 16u : 10u))
            break;
        power -= point ? unit : 0;
        if (count == JK_BIG_DIGITS) {
            sticky |= d != 0;
            power += unit;
            continue;
        }
        count += count || d;
        if (bits)
            jk_big_mul_add(&b, hex ? 16 : 10, d);
    }
    if (s == first + point)
        return 0;
    if ((*s | 32) == (hex ? 'p' : 'e')) {
        t = s + 1 + (s[1] == '-' || s[1] == '+');
        if (jk_digit(*t) < 10) {
            e = jk_exponent(&t);
            power += s[1] == '-' ? -e : e;
            s = t;
        }
    }
    if (bits) {
        e = power + unit * count; /* where the first digit stands: far outside of every type it does not matter where */
        e = e > 310 * unit ? 310 * unit - e : e < -330 * unit ? -330 * unit - e : 0;
        power += e;
        e = 0;
        if (b.n && !hex)
            sticky |= jk_big_scale(&b, power, &e);
        *bits = b.n ? jk_big_round(&b, power - e, sticky, type) : 0;
    }
    return (uint32_t)(s - text);
}

JK_SMALL_CLOSE
#undef JK_BIG_DIGITS
#undef JK_BIG_WORDS
