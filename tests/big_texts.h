/* Texts of any size: each row writes a text of thousands of operators and, from the values of its arrays, the value
 * that it must have, in plain arithmetic. Constants are i + 0.5, exact in both types and all different, so that nothing
 * folds or is shared unless the row means it.
 *
 * Include after kernels_under_test.h. */
#ifndef BIG_TEXTS_H
#define BIG_TEXTS_H
#include "kernels_under_test.h"

#define BIG_ARRAYS 300

/* Writes the text (where b is not NULL) and returns the value (where it is). */
typedef uint64_t big_make(kut_text *b, const plain_format *f, const uint64_t *x);

KUT_FUNC void big_put(kut_text *b, const char *before, int i, const char *behind)
{
    char s[80];
    snprintf(s, sizeof s, "%s%d.5%s", before, i, behind);
    if (b)
        kut_puts(b, s);
}

KUT_FUNC void big_repeat(kut_text *b, const char *s, int count)
{
    for (int i = 0; b && i < count; i++)
        kut_puts(b, s);
}

KUT_FUNC uint64_t big_constant(const plain_format *f, int i)
{
    return plain_mul(f, plain_whole(f, 2 * i + 1), f->half);
}

/* x*0.5 + y*1.5 + x*2.5 + ... */
KUT_FUNC uint64_t big_terms(kut_text *b, const plain_format *f, const uint64_t *x)
{
    uint64_t v = plain_mul(f, x[0], big_constant(f, 0));
    big_put(b, "x*", 0, "");
    for (int i = 1; i < 10000; i++) {
        big_put(b, i & 1 ? " + y*" : " + x*", i, "");
        v = plain_add(f, v, plain_mul(f, x[i & 1], big_constant(f, i)));
    }
    return v;
}

/* x*0.5 + (y*1.5 + (x*2.5 + (... y))) */
KUT_FUNC uint64_t big_right_terms(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 5000 };
    uint64_t v = x[1];
    for (int i = 0; i < N; i++)
        big_put(b, i & 1 ? "y*" : "x*", i, " + (");
    big_repeat(b, "y", 1);
    big_repeat(b, ")", N);
    for (int i = N; i-- > 0;)
        v = plain_add(f, plain_mul(f, x[i & 1], big_constant(f, i)), v);
    return v;
}

/* 0.5*(1/1.5*(2.5*(... x*y))): right-nested products that stay in range. */
KUT_FUNC uint64_t big_products(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 10000 };
    uint64_t v = plain_mul(f, x[0], x[1]);
    for (int i = 0; i < N; i++)
        big_put(b, i & 1 ? "(1/" : "", i, i & 1 ? ")*(" : "*(");
    big_repeat(b, "x*y", 1);
    big_repeat(b, ")", N);
    for (int i = N; i-- > 0;) {
        uint64_t c = big_constant(f, i);
        v = plain_mul(f, i & 1 ? plain_div(f, f->one, c) : c, v);
    }
    return v;
}

/* x*(y*(x*(... x*y))) with the values' own magnitudes. */
KUT_FUNC uint64_t big_variable_products(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 10000 };
    uint64_t v = x[2];
    for (int i = 0; i < N; i++)
        big_repeat(b, i & 1 ? "y/(" : "x/(", 1);
    big_repeat(b, "z", 1);
    big_repeat(b, ")", N);
    for (int i = N; i-- > 0;)
        v = plain_div(f, x[i & 1], v);
    return v;
}

/* ((0.5*x + 1.5)*x + 2.5)*x ... of degree 1,000 */
KUT_FUNC uint64_t big_horner(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 1000 };
    uint64_t v = big_constant(f, 0);
    big_repeat(b, "(", N);
    big_put(b, "", 0, "");
    for (int i = 1; i <= N; i++) {
        big_put(b, "*x + ", i, ")");
        v = plain_add(f, plain_mul(f, v, x[0]), big_constant(f, i));
    }
    return v;
}

/* 0.5 + x*(1.5 + x*(2.5 + ... */
KUT_FUNC uint64_t big_right_horner(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 1000 };
    uint64_t v = big_constant(f, N);
    for (int i = 0; i < N; i++)
        big_put(b, "", i, " + x*(");
    big_put(b, "", N, "");
    big_repeat(b, ")", N);
    for (int i = N; i-- > 0;)
        v = plain_add(f, big_constant(f, i), plain_mul(f, x[0], v));
    return v;
}

KUT_FUNC uint64_t big_parentheses(kut_text *b, const plain_format *f, const uint64_t *x)
{
    big_repeat(b, "(", 10000);
    big_repeat(b, "x", 1);
    big_repeat(b, ")", 10000);
    big_put(b, " + ", 0, "");
    return plain_add(f, x[0], f->half);
}

/* 1+(1+(1+(... x))) */
KUT_FUNC uint64_t big_nested_sum(kut_text *b, const plain_format *f, const uint64_t *x)
{
    uint64_t v = x[0];
    big_repeat(b, "1+(", 10000);
    big_repeat(b, "x", 1);
    big_repeat(b, ")", 10000);
    for (int i = 0; i < 10000; i++)
        v = plain_add(f, f->one, v);
    return v;
}

KUT_FUNC uint64_t big_signs(kut_text *b, const plain_format *f, const uint64_t *x)
{
    big_repeat(b, "-", 10001);
    big_repeat(b, "x", 1);
    return x[0] ^ f->sign;
}

KUT_FUNC uint64_t big_nots(kut_text *b, const plain_format *f, const uint64_t *x)
{
    big_repeat(b, "!", 10001);
    big_repeat(b, "x", 1);
    return plain_eq(f, x[0], 0) ? f->one : 0;
}

KUT_FUNC uint64_t big_roots(kut_text *b, const plain_format *f, const uint64_t *x)
{
    uint64_t v = x[0];
    big_repeat(b, "√", 3000);
    big_repeat(b, "x", 1);
    for (int i = 0; i < 3000; i++)
        v = plain_sqrt(f, v);
    return v;
}

KUT_FUNC uint64_t big_tower(kut_text *b, const plain_format *f, const uint64_t *x)
{
    (void)f;
    big_repeat(b, "x", 1);
    big_repeat(b, "^1", 5000);
    return x[0];
}

/* abs(abs(... abs(x - 0.5) - 1.5) ...) */
KUT_FUNC uint64_t big_calls(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 5000 };
    uint64_t v = x[0];
    big_repeat(b, "abs(", N);
    big_repeat(b, "x", 1);
    for (int i = 0; i < N; i++) {
        big_put(b, " - ", i, ")");
        v = plain_sub(f, v, big_constant(f, i)) & ~f->sign;
    }
    return v;
}

/* x < 0.5 ? y : x < 1.5 ? ... : y */
KUT_FUNC uint64_t big_choices(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 3000 };
    uint64_t v = x[1];
    for (int i = 0; i < N; i++) {
        big_put(b, "x*100 < ", i, " ? ");
        big_put(b, "", i + 7, " : ");
    }
    big_repeat(b, "y", 1);
    for (int i = N; i-- > 0;)
        if (plain_lt(f, plain_mul(f, x[0], plain_whole(f, 100)), big_constant(f, i)))
            v = big_constant(f, i + 7);
    return v;
}

/* 200 values made before any is used up: a sum forwards, less a sum of halves backwards. */
KUT_FUNC uint64_t big_live(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 200 };
    uint64_t v = 0, w = 0;
    for (int i = 0; i < N; i++) {
        uint64_t t = plain_div(f, x[0], plain_add(f, x[1], big_constant(f, i)));
        big_put(b, i ? " + x/(y + " : "x/(y + ", i, ")");
        v = i ? plain_add(f, v, t) : t;
    }
    for (int i = N; i-- > 0;) {
        uint64_t t = plain_div(f, x[0], plain_add(f, x[1], big_constant(f, i)));
        big_put(b, i == N - 1 ? " - (x/(y + " : " - x/(y + ", i, ")*0.5");
        t = plain_mul(f, t, f->half);
        w = i == N - 1 ? t : plain_sub(f, w, t);
    }
    big_repeat(b, ")", 1);
    return plain_sub(f, v, w);
}

/* 120 masks made before any is used up. */
KUT_FUNC uint64_t big_masks(kut_text *b, const plain_format *f, const uint64_t *x)
{
    enum { N = 120 };
    uint64_t v = x[1], w = x[0];
    big_repeat(b, "y", 1);
    for (int i = 0; i < N; i++) {
        bool m = plain_lt(f, plain_mul(f, x[0], plain_whole(f, 10)), big_constant(f, i));
        big_put(b, " + where(x*10 < ", i, ", ");
        big_put(b, "x, ", i, ")");
        v = plain_add(f, v, m ? x[0] : big_constant(f, i));
    }
    big_repeat(b, " - (x", 1);
    for (int i = N; i-- > 0;) {
        bool m = plain_lt(f, plain_mul(f, x[0], plain_whole(f, 10)), big_constant(f, i));
        big_put(b, " - (x*10 < ", i, " && y > 0 ? y : 3)");
        w = plain_sub(f, w, m && plain_lt(f, 0, x[1]) ? x[1] : plain_whole(f, 3));
    }
    big_repeat(b, ")", 1);
    return plain_sub(f, v, w);
}

/* A balanced tree over leaves x + 0.5, y + 1.5, ...: its depth in registers. */
KUT_FUNC uint64_t big_balance(kut_text *b, const plain_format *f, const uint64_t *x, int first, int count)
{
    uint64_t l, r;
    if (count == 1) {
        big_put(b, first & 1 ? "(y + " : "(x + ", first, ")");
        return plain_add(f, x[first & 1], big_constant(f, first));
    }
    big_repeat(b, "(", 1);
    l = big_balance(b, f, x, first, count / 2);
    big_repeat(b, (count & 0x555) ? " - " : " + ", 1);
    r = big_balance(b, f, x, first + count / 2, count / 2);
    big_repeat(b, ")", 1);
    return (count & 0x555) ? plain_sub(f, l, r) : plain_add(f, l, r);
}

KUT_FUNC uint64_t big_balanced(kut_text *b, const plain_format *f, const uint64_t *x)
{
    return big_balance(b, f, x, 0, 4096);
}

KUT_FUNC uint64_t big_arrays(kut_text *b, const plain_format *f, const uint64_t *x)
{
    char s[40];
    uint64_t v = 0;
    for (int i = 0; b && i < BIG_ARRAYS; i++) {
        snprintf(s, sizeof s, "%sa%d[]", i ? ", " : "k(", i);
        kut_puts(b, s);
    }
    big_repeat(b, ") = ", 1);
    for (int i = 0; i < BIG_ARRAYS; i++) {
        uint64_t t = plain_mul(f, x[i], big_constant(f, i));
        snprintf(s, sizeof s, "%sa%d*", i ? " + " : "", i);
        big_put(b, s, i, "");
        v = i ? plain_add(f, v, t) : t;
    }
    return v;
}

/* Each remainder has its rare body. */
KUT_FUNC uint64_t big_rare(kut_text *b, const plain_format *f, const uint64_t *x)
{
    uint64_t v = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t c = big_constant(f, i),
                 t = i & 1 ? plain_fmod(f, x[1], c) : plain_fmod(f, plain_mul(f, x[0], c), x[1]);
        big_put(b, i & 1 ? " + y % " : i ? " + x*" : "x*", i, i & 1 ? "" : " % y");
        v = i ? plain_add(f, v, t) : t;
    }
    return v;
}

/* A thousand definitions, each calling the one before. */
KUT_FUNC uint64_t big_definitions(kut_text *b, const plain_format *f, const uint64_t *x)
{
    char s[64];
    uint64_t v = plain_add(f, x[0], f->half);
    big_repeat(b, "f0(t) = t + 0.5;\n", 1);
    for (int i = 1; i < 1000; i++) {
        snprintf(s, sizeof s, "f%d(t) = f%d(t) %c ", i, i - 1, i & 1 ? '-' : '+');
        big_put(b, s, i, ";\n");
        v = i & 1 ? plain_sub(f, v, big_constant(f, i)) : plain_add(f, v, big_constant(f, i));
    }
    big_repeat(b, "k(x[]) = f999(x)", 1);
    return v;
}

typedef struct big_row {
    const char *name;
    big_make *make;
    size_t arrays;
    bool whole; /* the arrays hold whole numbers */
} big_row;

static const big_row big_rows[] = {
    {"10,000 terms", big_terms, 2, false},
    {"5,000 right-nested terms", big_right_terms, 2, false},
    {"10,000 right-nested products", big_products, 2, false},
    {"10,000 right-nested quotients", big_variable_products, 3, false},
    {"polynomial of degree 1,000", big_horner, 1, false},
    {"right-nested polynomial", big_right_horner, 1, false},
    {"10,000 parentheses", big_parentheses, 1, false},
    {"10,000 nested sums", big_nested_sum, 1, false},
    {"10,001 signs", big_signs, 1, false},
    {"10,001 nots", big_nots, 1, true},
    {"3,000 roots", big_roots, 1, false},
    {"5,000 powers", big_tower, 1, false},
    {"5,000 calls", big_calls, 1, false},
    {"3,000 choices", big_choices, 2, false},
    {"200 live values", big_live, 2, false},
    {"120 live masks", big_masks, 2, false},
    {"balanced tree of 4,096", big_balanced, 2, false},
    {"300 arrays", big_arrays, BIG_ARRAYS, false},
    {"100 remainders", big_rare, 2, false},
    {"1,000 definitions", big_definitions, 1, false},
};
#define BIG_COUNT KUT_COUNT(big_rows)

#endif
