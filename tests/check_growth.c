/* Whether compilation grows linearly with the text: eight times as many terms may take some more than eight times the
 * memory, not 64 times. What works in a square of the terms has tables of that size, or runs into the time limit. The
 * symbols of this file's copy of the library have a suffix of their own, so that its hooks meet no other file's calls.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthreads, strict C11 */
#endif
#include <stddef.h>
static void *growth_malloc(size_t nbytes);
#define JK_SUFFIX _growth
#define JK_MALLOC growth_malloc
#define JK_FREE free
#include "suites.h"
#include "kernels_under_test.h"

static size_t growth_bytes; /* asked for so far */

static void *growth_malloc(size_t nbytes)
{
    growth_bytes += nbytes;
    return malloc(nbytes);
}

/* A text is `open`, then for term i its pattern with i in place of each @ and `next` between two of them, then `close`.
 */
typedef struct growth_shape {
    const char *open, *term, *next, *close;
} growth_shape;

static const growth_shape growth_shapes[] = {
    {"", "x*@", "+", ""},
    {"", "(x+@)/y", "-", ""},
    {"", "(x+@)^3", "+", ""},
    {"", "(x+@)^13", "+", ""},
    {"", "x%(y+@)", "+", ""},
    {"(s, x[]) = ", "s%(s+@)", "+", "+x"},
    {"", "√(x+@)", "+", ""},
    {"", "(x+@)^0.5", "*", ""},
    {"", "fma(x, @, y)", "+", ""},
    {"", "min(x, y, @)", "+", ""},
    {"", "(x > @ ? x : y)", "+", ""},
    {"", "(x < @ || y > @)", "&&", ""},
    {"", "round(x*@)", "+", ""},
    {"", "x@", "+", ""},
    {"(x[]) = ", "sum(x*@)", "+", ""},
    {"(x[]) = ", "prod(x+@)", "+", ""},
    {"(x[]) = ", "min(x*@)", "+", ""},
    {"(x[]) = ", "sum(x%@)", "+", ""},
    {"(x[]) = ", "any(x > @)", "+", ""},
    {"(x[]) = ", "argmin(abs(x - @))", "+", ""},
    {"(x[]) = ", "argmax(x > @)", "+", ""},
    {"(x[]) = ", "x - mean(x*@)", "+", ""},
    {"f0(x) = x; ", "f(x) = f0(x + @)", "; ", "; g(x) = f(x)"},
    {"(x[]) = ", "x*@", ", ", ""}, /* results */
};
#define GROWTH_SHAPES KUT_COUNT(growth_shapes)

static void growth_text(const growth_shape *s, size_t terms, kut_text *b)
{
    kut_puts(b, s->open);
    for (size_t i = 1; i <= terms; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        for (const char *c = s->term; *c; c++) {
            const char one[2] = {*c, 0};
            kut_puts(b, *c == '@' ? number : one);
        }
        kut_puts(b, i < terms ? s->next : s->close);
    }
}

/* What compiling so many terms asks of malloc. */
static size_t growth_of(const growth_shape *s, size_t terms, int isa)
{
    jitk_options o;
    jitk_error e;
    kut_text b = {NULL, 0, 0};
    memset(&o, 0, sizeof o);
    o.isa = (jitk_isa)isa;
    growth_text(s, terms, &b);
    growth_bytes = 0;
    jitk_kernel *k = jitk_compile(b.at, &o, &e);
    ck_assert_msg(k != NULL, "%s, %zu terms of %s: %s", kut_isa_names[isa], terms, s->term, e.message);
    jitk_free(k);
    free(b.at);
    return growth_bytes;
}

START_TEST(linear)
{
    int isa = KUT_FIRST_ISA + _i / (int)GROWTH_SHAPES;
    const growth_shape *s = &growth_shapes[(size_t)_i % GROWTH_SHAPES];
    size_t terms = 100 + kut_scaled(150);
    if (!kut_isa(isa))
        return;
    size_t few = growth_of(s, terms, isa), many = growth_of(s, 8 * terms, isa);
    ck_assert_msg(many <= 20 * few, "%s, %zu terms of %s: %zu bytes; 8 times as many: %zu", kut_isa_names[isa], terms,
                  s->term, few, many);
}
END_TEST

/* The largest that the issue of a kernel's size names, of what code for is longest. */
START_TEST(ten_thousand)
{
    static const growth_shape shapes[] = {{"", "(x+@)^13", "+", ""}, {"", "x%(y+@)", "+", ""}};
    int isa = KUT_FIRST_ISA + _i / (int)KUT_COUNT(shapes);
    if (kut_isa(isa) && kut_scaled(100) >= 100)
        growth_of(&shapes[(size_t)_i % KUT_COUNT(shapes)], 10000, isa);
}
END_TEST

Suite *suite_growth(void)
{
    Suite *s = suite_create("growth");
    TCase *tc = tcase_create("growth");
    int isas = (int)KUT_END_ISA - (int)KUT_FIRST_ISA;
    kut_say_skipped("growth");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, linear, 0, isas * (int)GROWTH_SHAPES);
    tcase_add_loop_test(tc, ten_thousand, 0, isas * 2);
    suite_add_tcase(s, tc);
    return s;
}
