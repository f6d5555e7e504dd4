/* syntax: texts to trees and back, errors with their places, numbers against the C library, trees built by calls;
 * depth, prefixes and lack of memory. The tables hold the cases: a new form or message is a new row. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Allocation number `refuse` (from 0) fails; -1: none does. */
static int check_syntax_refuse = -1;
static int check_syntax_live, check_syntax_calls;
static void *check_syntax_malloc(size_t nbytes)
{
    check_syntax_calls++;
    if (check_syntax_refuse == 0)
        return NULL;
    if (check_syntax_refuse > 0)
        check_syntax_refuse--;
    check_syntax_live++;
    return malloc(nbytes);
}
static void check_syntax_free(void *p)
{
    check_syntax_live -= p != NULL;
    free(p);
}
#define JK_MALLOC check_syntax_malloc
#define JK_FREE check_syntax_free
#include "suites.h"
#include "../src/syntax/tree_build.c"
#include "../src/syntax/tree_print.c"
#include <locale.h>
#include <math.h>
#include <pthread.h>

#define SQ "\xE2\x88\x9A" /* the root sign */
#define ROWS(table) (int)(sizeof(table) / sizeof(table)[0])

/* ---- texts and their trees as S-expressions; the third column is the infix print where it differs from the text ----
 */
typedef struct tree_row {
    const char *text, *sexpr, *infix;
} tree_row;
static const tree_row trees[] = {
    {"x", "x", NULL},
    {"2*x^0.5", "(* 2 (^ x 0.5))", NULL},
    {"-x^2", "(- (^ x 2))", NULL},
    {"(-x)^2", "(^ (- x) 2)", NULL},
    {"2^-1", "(^ 2 (- 1))", NULL},
    {"-2^-1", "(- (^ 2 (- 1)))", NULL},
    {"2^3^2", "(^ 2 (^ 3 2))", NULL},
    {"(2^3)^2", "(^ (^ 2 3) 2)", NULL},
    {"2^-3^2", "(^ 2 (- (^ 3 2)))", NULL},
    {"2**3", "(^ 2 3)", "2^3"},
    {"2^-x*y", "(* (^ 2 (- x)) y)", NULL},
    {"2^-(x*y)", "(^ 2 (- (* x y)))", NULL},
    {SQ "x^2", "(^ (" SQ " x) 2)", NULL},
    {SQ "(x^2)", "(" SQ " (^ x 2))", NULL},
    {"-" SQ "4", "(- (" SQ " 4))", NULL},
    {SQ "-4", "(" SQ " (- 4))", NULL},
    {SQ "-x^2", "(^ (" SQ " (- x)) 2)", NULL},
    {SQ "-(x^2)", "(" SQ " (- (^ x 2)))", NULL},
    {SQ "+-!x^2", "(^ (" SQ " (+ (- (! x)))) 2)", NULL},
    {SQ "--x^2", "(^ (" SQ " (- (- x))) 2)", NULL},
    {SQ "--(x^2)", "(" SQ " (- (- (^ x 2))))", NULL},
    {SQ SQ "16", "(" SQ " (" SQ " 16))", NULL},
    {SQ "(2+2)", "(" SQ " (+ 2 2))", SQ "(2 + 2)"},
    {"2^" SQ "x", "(^ 2 (" SQ " x))", NULL},
    {"--9007199254741195", "(- (- 9007199254741195))", NULL},
    {"1-2-3", "(- (- 1 2) 3)", "1 - 2 - 3"},
    {"1-(2-3)", "(- 1 (- 2 3))", "1 - (2 - 3)"},
    {"((1))", "1", "1"},
    {"a/b*c%d", "(% (* (/ a b) c) d)", NULL},
    {"a/(b*c)", "(/ a (* b c))", NULL},
    {"a + -b", "(+ a (- b))", NULL},
    {"a*-b^c", "(* a (- (^ b c)))", NULL},
    {"-a*b", "(* (- a) b)", NULL},
    {"-(a*b)", "(- (* a b))", NULL},
    {"!a == b", "(== (! a) b)", NULL},
    {"!(a == b)", "(! (== a b))", NULL},
    {"x > 0 && x < 1 || y != 2", "(|| (&& (> x 0) (< x 1)) (!= y 2))", NULL},
    {"a && (b || c)", "(&& a (|| b c))", NULL},
    {"(a < b) < c", "(< (< a b) c)", NULL},
    {"a ? b : c ? d : e", "(? a b (? c d e))", NULL},
    {"(a ? b : c) ? d : e", "(? (? a b c) d e)", NULL},
    {"a ? b ? c : d : e", "(? a (? b c d) e)", NULL},
    {"1 + (a ? b : c)", "(+ 1 (? a b c))", NULL},
    {"x > 0 ? " SQ "x : -x", "(? (> x 0) (" SQ " x) (- x))", NULL},
    {"f()", "(f)", NULL},
    {"f(x, -y, g(z))", "(f x (- y) (g z))", NULL},
    {"f((x), (a ? b : c))", "(f x (? a b c))", "f(x, a ? b : c)"},
    {SQ "sum(x)^2", "(^ (" SQ " (sum x)) 2)", NULL},
    {"3 + (8 - 7.5) * 10 / 5 - (2 + 5 * 7)", "(- (+ 3 (/ (* (- 8 7.5) 10) 5)) (+ 2 (* 5 7)))",
     "3 + (8 - 7.5)*10/5 - (2 + 5*7)"},
    {"(-b+(b^2-4*a*c)^0.5)/(2*a)", "(/ (+ (- b) (^ (- (^ b 2) (* (* 4 a) c)) 0.5)) (* 2 a))",
     "(-b + (b^2 - 4*a*c)^0.5)/(2*a)"},
    {"3 + -1/(1/0)", "(+ 3 (/ (- 1) (/ 1 0)))", NULL},
    {"0x10+0x1.8p3+5.+.5+1e-320+1E+5", "(+ (+ (+ (+ (+ 0x10 0x1.8p3) 5.) .5) 1e-320) 1E+5)",
     "0x10 + 0x1.8p3 + 5. + .5 + 1e-320 + 1E+5"},
    {"\xEF\xBB\xBFx # \xC3\xA9t\xC3\xA9\r\n\t+ // more\n y", "(+ x y)", "x + y"},
    {"x;;", "x", "x"},
    {"axpy(a, x[], y[]) = a*x + y", "axpy(a, x[], y[]) = (+ (* a x) y)", NULL},
    {"(x[], y[]) = sum(x*y)/sum(y)", "(x[], y[]) = (/ (sum (* x y)) (sum y))", NULL},
    {"() = 1", "() = 1", NULL},
    {"one() = 1", "one() = 1", NULL},
    {"polar(x[], y[]) = " SQ "x, atan2(y, x)", "polar(x[], y[]) = (" SQ " x), (atan2 y x)", NULL},
    {"f(x[wrap], y: u8[zero], z[clamp]: f32, k: i64) -> i32, f64 = x, k",
     "f(x[wrap], y: u8[zero], z: f32[clamp], k: i64) -> i32, f64 = x, k",
     "f(x[wrap], y: u8[zero], z: f32[clamp], k: i64) -> i32, f64 = x, k"},
    {"f(x) = x + 1\ng(y) = f(y)*2", "f(x) = (+ x 1);\ng(y) = (* (f y) 2)", "f(x) = x + 1;\ng(y) = f(y)*2"},
    {"f(x) = x; f(y) + 2", "f(x) = x;\n(+ (f y) 2)", "f(x) = x;\nf(y) + 2"},
    {"f(x) = x;\n(y) = y", "f(x) = x;\n(y) = y", NULL},
    {"sum(x[]) = sum(x)", "sum(x[]) = (sum x)", NULL},
    {"returned + iff + e + pi", "(+ (+ (+ returned iff) e) pi)", NULL},
};

/* ---- texts and their errors ---- */
#define LONG63 "abcdefghijklmnopqrstuvwxyz0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
typedef struct error_row {
    const char *text;
    jitk_status status;
    unsigned line, column, length;
    const char *says;
} error_row;
static const error_row errors[] = {
    {"", JITK_ERR_SYNTAX, 1, 1, 0, "the text is empty"},
    {" # only a comment", JITK_ERR_SYNTAX, 1, 1, 0, "the text is empty"},
    {";", JITK_ERR_SYNTAX, 1, 1, 0, "the text is empty"},
    {"1.0f", JITK_ERR_SYNTAX, 1, 4, 1, "no suffix 'f': write '1.0'"},
    {"x + 3UL", JITK_ERR_SYNTAX, 1, 6, 2, "no suffix 'UL': write '3'"},
    {"2x", JITK_ERR_SYNTAX, 1, 2, 1, "'2*x'"},
    {"1.5pi + 1", JITK_ERR_SYNTAX, 1, 4, 2, "'1.5*pi'"},
    {"2" SQ "x", JITK_ERR_SYNTAX, 1, 2, 3, "'2*" SQ "x'"},
    {"2" SQ "(x)", JITK_ERR_SYNTAX, 1, 2, 3, "'2*" SQ "(...)'"},
    {"2(x + 1)", JITK_ERR_SYNTAX, 1, 2, 1, "'2*(...)'"},
    {"(a)(b)", JITK_ERR_SYNTAX, 1, 4, 1, "'(a)*(...)'"},
    {"a b", JITK_ERR_SYNTAX, 1, 3, 1, "'a*b'"},
    {"x .5", JITK_ERR_SYNTAX, 1, 3, 2, "'x*.5'"},
    {"a < b < c", JITK_ERR_SYNTAX, 1, 7, 1, "'a < b && b < c'"},
    {"1 == x+1 != (y)", JITK_ERR_SYNTAX, 1, 10, 2, "'1 == x+1 && x+1 != ...'"},
    {"y = 2*x", JITK_ERR_SYNTAX, 1, 3, 1, "'=='"},
    {"x == y = z", JITK_ERR_SYNTAX, 1, 8, 1, "'=='"},
    {"(1 + 2", JITK_ERR_SYNTAX, 1, 1, 1, "never closed"},
    {"f(x, (1", JITK_ERR_SYNTAX, 1, 6, 1, "never closed"},
    {"f(x,", JITK_ERR_SYNTAX, 1, 2, 1, "never closed"},
    {"f(", JITK_ERR_SYNTAX, 1, 2, 1, "never closed"},
    {"f(x", JITK_ERR_SYNTAX, 1, 2, 1, "never closed"},
    {"(x; y", JITK_ERR_SYNTAX, 1, 1, 1, "never closed"},
    {"f(x) = (x\ng(y) = 1", JITK_ERR_SYNTAX, 1, 8, 1, "never closed"},
    {"1)", JITK_ERR_SYNTAX, 1, 2, 1, "without its '('"},
    {"()", JITK_ERR_SYNTAX, 1, 1, 2, "between '(' and ')'"},
    {"(a, b)", JITK_ERR_SYNTAX, 1, 3, 1, "unexpected ','"},
    {"f(x,)", JITK_ERR_SYNTAX, 1, 5, 1, "expected an expression, found ')'"},
    {"f(,x)", JITK_ERR_SYNTAX, 1, 3, 1, "expected an expression, found ','"},
    {"2*", JITK_ERR_SYNTAX, 1, 2, 1, "operand after '*'"},
    {"x &&\n", JITK_ERR_SYNTAX, 1, 3, 2, "operand after '&&'"},
    {"2*)", JITK_ERR_SYNTAX, 1, 3, 1, "operand after '*', found ')'"},
    {"x +\n  * y", JITK_ERR_SYNTAX, 2, 3, 1, "operand after '+', found '*'"},
    {"-", JITK_ERR_SYNTAX, 1, 1, 1, "operand after '-'"},
    {SQ, JITK_ERR_SYNTAX, 1, 1, 3, "operand after '" SQ "'"},
    {"*x", JITK_ERR_SYNTAX, 1, 1, 1, "expected an expression"},
    {"x!", JITK_ERR_SYNTAX, 1, 2, 1, "tgamma(x + 1)"},
    {"a ? b", JITK_ERR_SYNTAX, 1, 3, 1, "no ':'"},
    {"(a ? b)", JITK_ERR_SYNTAX, 1, 4, 1, "no ':'"},
    {"a ? b :", JITK_ERR_SYNTAX, 1, 3, 1, "operand after"},
    {"a : b", JITK_ERR_SYNTAX, 1, 3, 1, "without its '?'"},
    {"(a : b)", JITK_ERR_SYNTAX, 1, 4, 1, "without its '?'"},
    {"x]", JITK_ERR_SYNTAX, 1, 2, 1, "expected an operator, found ']'"},
    {"x }", JITK_ERR_SYNTAX, 1, 3, 1, "expected an operator, found '}'"},
    {"x -> y", JITK_ERR_SYNTAX, 1, 3, 2, "expected an operator, found '->'"},
    {"x[]", JITK_ERR_SYNTAX, 1, 2, 2, "declares a parameter"},
    {"x[-1]", JITK_ERR_UNSUPPORTED, 1, 1, 2, "not supported yet"},
    {"f(x[wrap]) = (x[-1] + x[+1])/2", JITK_ERR_UNSUPPORTED, 1, 15, 2, "not supported yet"},
    {"f(x[]) {\n  m = mean(x);\n  return x - m;\n}", JITK_ERR_UNSUPPORTED, 1, 8, 1, "not supported yet"},
    {"fold(t = 1, t*x)", JITK_ERR_UNSUPPORTED, 1, 1, 4, "not supported yet"},
    {"x+1, x-1", JITK_ERR_SYNTAX, 1, 4, 1, "parameter list"},
    {"x and y", JITK_ERR_SYNTAX, 1, 3, 3, "write '&&'"},
    {"not x", JITK_ERR_SYNTAX, 1, 1, 3, "write '!'"},
    {"2*true", JITK_ERR_SYNTAX, 1, 3, 4, "write '1'"},
    {"f(in) = 1", JITK_ERR_SYNTAX, 1, 3, 2, "reserved"},
    {"while(x) = 1", JITK_ERR_SYNTAX, 1, 1, 5, "reserved"},
    {"let(x)", JITK_ERR_SYNTAX, 1, 1, 3, "reserved"},
    {"x + " LONG63 "+" LONG63 "_", JITK_ERR_LIMIT, 1, 69, 64, "64 bytes"},
    {"f(x, y, x) = 1", JITK_ERR_NAME, 1, 9, 1, "'x' is named twice"},
    {"f(x: double) = x", JITK_ERR_NAME, 1, 6, 6, "did you mean 'f64'?"},
    {"f(x: int64_t[]) = x", JITK_ERR_NAME, 1, 6, 7, "did you mean 'i64'?"},
    {"f(x: q) = x", JITK_ERR_NAME, 1, 6, 1, "f64, f32, i64, i32 or u8"},
    {"f(x) -> void = x", JITK_ERR_NAME, 1, 9, 4, "unknown type 'void'"},
    {"f(x) -> = x", JITK_ERR_SYNTAX, 1, 9, 1, "expected an element type"},
    {"f(x) -> u8[] = x", JITK_ERR_SYNTAX, 1, 11, 1, "write the type alone"},
    {"f(x) -> u8 = x, x+1", JITK_ERR_TYPE, 1, 17, 3, "2 results but 1 type"},
    {"f(x) -> u8, u8 = x", JITK_ERR_TYPE, 1, 18, 1, "1 result but 2 types"},
    {"f(x[edge]) = x", JITK_ERR_SYNTAX, 1, 5, 4, "clamp, wrap or zero"},
    {"f(x[]: f32[]) = x", JITK_ERR_SYNTAX, 1, 11, 1, "stand once"},
    {"f(2) = x", JITK_ERR_SYNTAX, 1, 3, 1, "parameter's name"},
    {"f(x y) = x", JITK_ERR_SYNTAX, 1, 5, 1, "',' or ')'"},
    {"f(x) =", JITK_ERR_SYNTAX, 1, 7, 0, "expected an expression"},
    {"f(x) =\n\n", JITK_ERR_SYNTAX, 1, 7, 0, "expected an expression"},
    {"f(x) = x (y) = 2", JITK_ERR_SYNTAX, 1, 14, 1, "'=='"},
    {"f(x) = 1 (y) = 2", JITK_ERR_SYNTAX, 1, 10, 1, "needs ';' before it"},
    {"f(x) = x 2*f(y)", JITK_ERR_SYNTAX, 1, 10, 1, "'x*2'"},
    {"1.2.3", JITK_ERR_SYNTAX, 1, 4, 1, "one '.'"},
    {"1_000", JITK_ERR_SYNTAX, 1, 2, 1, "without '_'"},
    {"2e", JITK_ERR_SYNTAX, 1, 1, 2, "'2*e'"},
    {"x*1e+", JITK_ERR_SYNTAX, 1, 3, 2, "exponent"},
    {"0x", JITK_ERR_SYNTAX, 1, 1, 2, "hexadecimal digits"},
    {"0x1g", JITK_ERR_SYNTAX, 1, 4, 1, "'0x1*g'"},
    {"0x1p", JITK_ERR_SYNTAX, 1, 1, 4, "exponent's 'p'"},
    {"a & b", JITK_ERR_SYNTAX, 1, 3, 1, "write '&&'"},
    {"a | b", JITK_ERR_SYNTAX, 1, 3, 1, "write '||'"},
    {"a \xC3\x97 b", JITK_ERR_SYNTAX, 1, 3, 2, "write '*'"},
    {"\xCF\x80", JITK_ERR_SYNTAX, 1, 1, 2, "write 'pi'"},
    {"x @ y", JITK_ERR_SYNTAX, 1, 3, 1, "unknown character '@'"},
    {"x \x01", JITK_ERR_SYNTAX, 1, 3, 1, "0x01"},
    {"x.y", JITK_ERR_SYNTAX, 1, 2, 1, "unknown character '.'"},
    {"x + \xC3\xA9", JITK_ERR_SYNTAX, 1, 5, 2, "unknown character '\xC3\xA9'"},
    {"x\n+\xFF", JITK_ERR_SYNTAX, 2, 2, 1, "0xff is not UTF-8"},
    {"x # \xC3(", JITK_ERR_SYNTAX, 1, 5, 1, "0xc3 is not UTF-8"},
    {"x # \xED\xA0\x80", JITK_ERR_SYNTAX, 1, 5, 1, "0xed is not UTF-8"}, /* a surrogate */
    {"x # \xC0\x80", JITK_ERR_SYNTAX, 1, 5, 1, "0xc0 is not UTF-8"},     /* overlong */
    {"x # \xF4\x90\x80\x80", JITK_ERR_SYNTAX, 1, 5, 1, "0xf4 is not UTF-8"},
};

/* ---- helpers ---- */
static jitk_error no_error(void)
{
    jitk_error e;
    memset(&e, 0, sizeof e);
    return e;
}

static jitk_status parse(jitk_ast *a, const char *text, size_t n, jitk_error *e)
{
    *e = no_error();
    return jk_parse(a, text, n, NULL, 0, e);
}

/* The whole of what is printed; the caller frees it. */
static char *printed(const jitk_ast *a, bool infix)
{
    jk_text t;
    char *s;
    jk_text_init(&t, NULL);
    ck_assert_int_eq(jk_ast_print_text(a, infix, &t), JITK_OK);
    s = (char *)malloc(t.len + 1);
    memcpy(s, t.bytes, t.len);
    s[t.len] = 0;
    jk_arena_free(&t.arena);
    return s;
}

/* A parse that must succeed, printed. */
static char *parsed(const char *text, bool infix)
{
    jitk_ast a;
    jitk_error e;
    char *s;
    ck_assert_msg(parse(&a, text, strlen(text), &e) == JITK_OK, "%s: %s", text, e.message);
    s = printed(&a, infix);
    jk_arena_free(&a.arena);
    return s;
}

/* What ast.h promises of every tree. */
static void check_tree(const jitk_ast *a)
{
    size_t d, i, k, next = 0;
    for (d = 0; d < a->ndefs; d++) {
        const jk_def *def = &a->defs[d];
        uint32_t r, pending = 0;
        ck_assert_uint_eq(def->first, next);
        for (i = def->first; i < def->end; i++) {
            const jk_node *n = &a->nodes[i];
            size_t last = i;
            for (k = n->nkids; k-- > 0;) { /* right to left: each kid ends where the one to its right begins */
                uint32_t kid = a->kids[n->kid + k];
                ck_assert(kid < last && kid >= def->first);
                ck_assert_msg(k + 1 < n->nkids || kid == i - 1, "the last kid stands before its parent");
                last = kid;
                ck_assert(!a->source_len ||
                          (a->nodes[kid].pos >= n->pos && a->nodes[kid].pos + a->nodes[kid].len <= n->pos + n->len));
            }
            pending += 1 - n->nkids;
            ck_assert(n->at >= n->pos && n->at + n->at_len <= n->pos + n->len);
            ck_assert((size_t)n->pos + n->len <= a->source_len);
            if (n->text && a->source_len)
                ck_assert(n->at_len == n->text_len && n->text == a->source + n->at);
        }
        ck_assert_uint_eq(pending, def->nresults); /* one tree a result and nothing else */
        for (r = 0; r < def->nresults; r++)
            ck_assert(def->results[r].root >= (r ? def->results[r - 1].root + 1 : def->first) &&
                      def->results[r].root < def->end);
        ck_assert_uint_eq(def->results[def->nresults - 1].root, def->end - 1);
        next = def->end;
    }
    ck_assert_uint_eq(a->nnodes, next);
}

static bool same_trees(const jitk_ast *a, const jitk_ast *b)
{
    size_t i;
    if (a->nnodes != b->nnodes || a->nkids != b->nkids || a->ndefs != b->ndefs)
        return false;
    for (i = 0; i < a->nnodes; i++) {
        const jk_node *m = &a->nodes[i], *n = &b->nodes[i];
        bool named = m->kind == JK_AST_NUMBER || m->kind == JK_AST_NAME || m->kind == JK_AST_CALL;
        if (m->kind != n->kind || m->op != n->op || m->nkids != n->nkids || (named && m->text_len != n->text_len) ||
            (named && memcmp(m->text, n->text, m->text_len) != 0) ||
            (m->nkids && memcmp(a->kids + m->kid, b->kids + n->kid, m->nkids * sizeof *a->kids) != 0))
            return false;
    }
    return true;
}

static uint64_t check_syntax_seed;
static uint64_t draw(uint64_t below)
{
    check_syntax_seed ^= check_syntax_seed << 13;
    check_syntax_seed ^= check_syntax_seed >> 7;
    check_syntax_seed ^= check_syntax_seed << 17;
    return check_syntax_seed * 0x2545F4914F6CDD1Du % (below ? below : 1);
}
static uint64_t draw_bits(void)
{
    return draw(1u << 16) << 48 | draw((uint64_t)1 << 24) << 24 | draw(1u << 24);
}

/* ---- texts ---- */
START_TEST(tree)
{
    const tree_row *r = &trees[_i];
    const char *infix = r->infix ? r->infix : r->text;
    jitk_ast a, b;
    jitk_error e;
    char *s;
    ck_assert_msg(parse(&a, r->text, strlen(r->text), &e) == JITK_OK, "%s: %s", r->text, e.message);
    ck_assert_int_eq(e.status, JITK_OK);
    check_tree(&a);
    s = printed(&a, false);
    ck_assert_str_eq(s, r->sexpr);
    free(s);
    s = printed(&a, true);
    ck_assert_str_eq(s, infix);
    ck_assert_int_eq(parse(&b, s, strlen(s), &e), JITK_OK);
    ck_assert(same_trees(&a, &b));
    free(s);
    jk_arena_free(&a.arena);
    jk_arena_free(&b.arena);
}
END_TEST

START_TEST(error)
{
    const error_row *r = &errors[_i];
    jitk_ast a;
    jitk_error e;
    ck_assert_int_eq(parse(&a, r->text, strlen(r->text), &e), r->status);
    ck_assert_msg(e.status == r->status && e.line == r->line && e.column == r->column && e.length == r->length,
                  "%s: %zu:%zu+%zu %s", r->text, e.line, e.column, e.length, e.message);
    ck_assert_msg(strstr(e.message, r->says), "%s: %s", r->text, e.message);
    jk_arena_free(&a.arena);
}
END_TEST

static void check_any_text(const char *text, size_t n)
{
    jitk_ast a;
    jitk_error e;
    char *copy = (char *)malloc(n); /* exactly n bytes, so that sanitizers see a read beyond them */
    memcpy(copy, text, n);
    if (parse(&a, copy, n, &e) == JITK_OK)
        check_tree(&a);
    else
        ck_assert(e.message[0] && e.line >= 1 && e.column >= 1 && e.column + e.length <= n + 2);
    free(copy);
    jk_arena_free(&a.arena);
}

/* Every prefix of every text, and every text with one byte changed or dropped: an answer, and no other place than in
 * the text. */
START_TEST(pieces)
{
    static const char bytes[] = "(),;?:=[]{}+-!^*<&|.#/0x \n\xE2\xFF";
    const char *text = _i < ROWS(trees) ? trees[_i].text : errors[_i - ROWS(trees)].text;
    size_t n = strlen(text), i, k;
    char buf[256];
    ck_assert(n < sizeof buf);
    for (i = 0; i <= n; i++)
        check_any_text(text, i);
    for (i = 0; i < n; i++) {
        for (k = 0; k < sizeof bytes; k++) { /* the final NUL, too */
            memcpy(buf, text, n);
            buf[i] = bytes[k];
            check_any_text(buf, n);
        }
        memcpy(buf, text, i);
        memcpy(buf + i, text + i + 1, n - i - 1);
        check_any_text(buf, n - 1);
    }
}
END_TEST

START_TEST(nul_bytes)
{
    jitk_ast a;
    jitk_error e;
    ck_assert_int_eq(parse(&a, "x +\0 y", 6, &e), JITK_ERR_SYNTAX);
    ck_assert(e.column == 4 && strstr(e.message, "NUL"));
    jk_arena_free(&a.arena);
    ck_assert_int_eq(parse(&a, "x # \0 y", 7, &e), JITK_ERR_SYNTAX);
    ck_assert(e.column == 5 && strstr(e.message, "NUL"));
    jk_arena_free(&a.arena);
}
END_TEST

/* What a definition holds besides its nodes. */
START_TEST(definitions)
{
    jitk_ast a;
    jitk_error e;
    const char *text =
        "f(x[wrap], y: u8[zero], k: i64) -> i32, f64 = x,\n k;\n a + (e*f(b)) + a + _ + pi + inf + nan + B";
    static const char *const bare[] = {"B", "_", "a", "b"};
    const jk_def *d;
    const jk_node *n;
    size_t i;
    ck_assert_int_eq(parse(&a, text, strlen(text), &e), JITK_OK);
    check_tree(&a);
    ck_assert_uint_eq(a.ndefs, 2);
    d = &a.defs[0];
    ck_assert(!d->is_bare && d->name_len == 1 && *d->name == 'f' && d->pos == 0 && d->len == 51);
    ck_assert_uint_eq(d->nparams, 3);
    ck_assert(d->params[0].is_array && d->params[0].edge == JK_EDGE_WRAP && d->params[0].type == JK_TYPE_NONE);
    ck_assert(d->params[1].is_array && d->params[1].edge == JK_EDGE_ZERO && d->params[1].type == JK_U8);
    ck_assert(!d->params[2].is_array && d->params[2].type == JK_I64 && d->params[2].pos == 24);
    ck_assert(d->nresults == 2 && d->results[0].type == JK_I32 && d->results[1].type == JK_F64);
    d = &a.defs[1];
    ck_assert(d->is_bare && !d->name && d->nresults == 1 && d->results[0].type == JK_TYPE_NONE);
    ck_assert_uint_eq(d->nparams, 4);
    for (i = 0; i < 4; i++)
        ck_assert(d->params[i].name_len == 1 && *d->params[i].name == *bare[i] && d->params[i].is_array);
    /* the places of a + (e*f(b)) and of the call in it */
    n = &a.nodes[d->first + 5];
    ck_assert(n->kind == JK_AST_BINARY && n->op == JK_OP_ADD && n->at == 56 && n->pos == 54 && n->len == 12);
    n = &a.nodes[d->first + 2];
    ck_assert(n->kind == JK_AST_NAME && n->pos == 63);
    jk_arena_free(&a.arena);
}
END_TEST

/* Free names: each once, in byte order, also very many. */
START_TEST(many_names)
{
    enum { N = 20000 };
    char *text = (char *)malloc(32 * N), *s = text;
    jitk_ast a;
    jitk_error e;
    uint32_t i;
    for (i = 0; i < 2 * N; i++)
        s += sprintf(s, "%sn%u", i ? "+" : "", (unsigned)(i * 7919u % N));
    ck_assert_int_eq(parse(&a, text, (size_t)(s - text), &e), JITK_OK);
    ck_assert_uint_eq(a.defs[0].nparams, N);
    for (i = 1; i < N; i++) {
        const jk_param *p = &a.defs[0].params[i - 1], *q = p + 1;
        int c = memcmp(p->name, q->name, JK_SMALLER(p->name_len, q->name_len));
        ck_assert(c < 0 || (c == 0 && p->name_len < q->name_len));
    }
    jk_arena_free(&a.arena);
    s = text + sprintf(text, "f(");
    for (i = 0; i < N; i++)
        s += sprintf(s, "n%u[],", (unsigned)i);
    sprintf(s, "n%u) = 1", N / 2);
    ck_assert_int_eq(parse(&a, text, strlen(text), &e), JITK_ERR_NAME);
    ck_assert_uint_eq(e.column, (size_t)(s - text) + 1);
    jk_arena_free(&a.arena);
    sprintf(s, "m) = 1");
    ck_assert_int_eq(parse(&a, text, strlen(text), &e), JITK_OK);
    ck_assert_uint_eq(a.defs[0].nparams, N + 1);
    jk_arena_free(&a.arena);
    free(text);
}
END_TEST

START_TEST(limits)
{
    jitk_ast a;
    jitk_error e;
    char *text = (char *)malloc(JK_SOURCE_MAX + 1);
    memset(text, ' ', JK_SOURCE_MAX + 1);
    text[JK_SOURCE_MAX - 1] = 'x';
    ck_assert_int_eq(parse(&a, text, JK_SOURCE_MAX, &e), JITK_OK);
    jk_arena_free(&a.arena);
    ck_assert_int_eq(parse(&a, text, JK_SOURCE_MAX + 1, &e), JITK_ERR_LIMIT);
    jk_arena_free(&a.arena);
    free(text);
    ck_assert_int_eq(parse(&a, LONG63, 63, &e), JITK_OK);
    jk_arena_free(&a.arena);
}
END_TEST

/* ---- depth: on a thread with a stack of 64 KiB ---- */
static const struct deep_row {
    const char *open, *middle, *close;
} deep[] = {{"(", "x", ")"},     {"-", "x", ""},        {"f(", "x", ")"},       {SQ, "x", ""},
            {"x^", "x", ""},     {"a ? b : ", "c", ""}, {"a ? ", "b", " : c"},  {"1-(", "x", ")"},
            {"f(x, ", "y", ")"}, {"", "x", "*(y)"},     {"(a < ", "b", ") + c"}};
static char *deep_text;
static char deep_failure[300];

static void *deep_thread(void *unused)
{
    jitk_ast a, b;
    jitk_error e = no_error();
    jk_text t;
    (void)unused;
    jk_text_init(&t, NULL);
    if (parse(&a, deep_text, strlen(deep_text), &e) != JITK_OK)
        snprintf(deep_failure, sizeof deep_failure, "%s", e.message);
    else if (jk_ast_print_text(&a, true, &t) != JITK_OK || parse(&b, t.bytes, t.len, &e) != JITK_OK)
        snprintf(deep_failure, sizeof deep_failure, "again: %s", e.message);
    else if (!same_trees(&a, &b))
        snprintf(deep_failure, sizeof deep_failure, "another tree");
    else
        jk_arena_free(&b.arena);
    jk_arena_free(&t.arena);
    jk_arena_free(&a.arena);
    return NULL;
}

START_TEST(depth)
{
    enum { N = 100000 };
    const struct deep_row *r = &deep[_i];
    pthread_attr_t attr;
    pthread_t thread;
    char *s = deep_text = (char *)malloc(N * (strlen(r->open) + strlen(r->close)) + 2);
    int i;
    for (i = 0; i < N; i++)
        s = (char *)memcpy(s, r->open, strlen(r->open)) + strlen(r->open);
    s += sprintf(s, "%s", r->middle);
    for (i = 0; i < N; i++)
        s = (char *)memcpy(s, r->close, strlen(r->close)) + strlen(r->close);
    *s = 0;
    deep_failure[0] = 0;
    ck_assert_int_eq(pthread_attr_init(&attr), 0);
    ck_assert_int_eq(pthread_attr_setstacksize(&attr, 65536), 0);
    ck_assert_int_eq(pthread_create(&thread, &attr, deep_thread, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(deep_failure, "");
    free(deep_text);
}
END_TEST

/* ---- memory: one allocation after the other fails ---- */
static const char *const memory_texts[] = {
    "2*x^0.5", "f(x[], y[]) -> f64, f32 = sum(x), y; g(a, b, c, d, e, f, g, h, i, j) = a; l+k+j+i+h+g+f+d+c+b+a", NULL};

START_TEST(memory)
{
    char *big = (char *)malloc(200000), *s = big;
    const char *text = memory_texts[_i];
    jk_text t;
    int i, k;
    for (i = 0; i < 9000; i++)
        s += sprintf(s, "f(x%d,", i);
    s += sprintf(s, "1");
    for (i = 0; i < 9000; i++)
        s += sprintf(s, ")");
    for (k = 0;; k++) {
        jitk_ast a;
        jitk_error e;
        jitk_status status, print_status = JITK_OK;
        jk_text_init(&t, NULL);
        check_syntax_refuse = k;
        status = parse(&a, text ? text : big, strlen(text ? text : big), &e);
        if (status == JITK_OK)
            print_status = jk_ast_print_text(&a, true, &t);
        check_syntax_refuse = -1;
        jk_arena_free(&a.arena);
        jk_arena_free(&t.arena);
        ck_assert_int_eq(check_syntax_live, 0);
        if (status == JITK_OK && print_status == JITK_OK)
            break;
        ck_assert_int_eq(status == JITK_OK ? print_status : status, JITK_ERR_NOMEM);
    }
    ck_assert_int_ge(k, text ? 1 : 8);
    free(big);
}
END_TEST

/* A short text needs no allocation where the caller gives a first block. */
START_TEST(no_allocation)
{
    char first[2048];
    jitk_ast a;
    jitk_error e = no_error();
    int before = check_syntax_calls;
    ck_assert_int_eq(jk_parse(&a, "2*x^0.5", 7, first, sizeof first, &e), JITK_OK);
    ck_assert_int_eq(check_syntax_calls, before);
    jk_arena_free(&a.arena);
}
END_TEST

/* ---- numbers, against the C library in the C locale ---- */
static uint64_t bits_of(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static uint32_t bits_of_float(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static void check_number(const char *text)
{
    double d = strtod(text, NULL);
    float f = strtof(text, NULL);
    uint64_t mine = 99;
    ck_assert_uint_eq(jk_number_read(text, JK_F64, NULL), strlen(text));
    ck_assert_uint_eq(jk_number_read(text, JK_F64, &mine), strlen(text));
    ck_assert_msg(mine == bits_of(d), "%.200s f64: %llx, not %a", text, (unsigned long long)mine, d);
    ck_assert_uint_eq(jk_number_read(text, JK_F32, &mine), strlen(text));
    ck_assert_msg(mine == bits_of_float(f), "%.200s f32: %llx, not %a", text, (unsigned long long)mine, (double)f);
}

static const char *const numbers[] = {"0",
                                      "0.0",
                                      "00",
                                      "1",
                                      "5.",
                                      ".5",
                                      "0.1",
                                      "010",
                                      "1e-320",
                                      "9007199254741195",
                                      "9007199254740993",
                                      "9007199254740993.00",
                                      "9007199254740992.999999999999999999",
                                      "16777217",
                                      "16777219",
                                      "0x10",
                                      "0X1.8P3",
                                      "0x1.8",
                                      "0x.8",
                                      "0x1.",
                                      "1e22",
                                      "1e23",
                                      "8.5e22",
                                      "4.9e-324",
                                      "2.4703282292062327e-324",
                                      "2.4703282292062328e-324",
                                      "2.2250738585072011e-308",
                                      "2.2250738585072014e-308",
                                      "1.7976931348623158e308",
                                      "1.7976931348623159e308",
                                      "1e308",
                                      "1e309",
                                      "1e-400",
                                      "1e99999999999999999999",
                                      "0e99999999999999999999",
                                      "1e-99999999999999999999",
                                      "0x1p99999999999",
                                      "0x1p-99999999999",
                                      "0x0p5000",
                                      "0x1p-1074",
                                      "0x1p-1075",
                                      "0x1.8p-1075",
                                      "0x1.00000000000000000001p-1075",
                                      "0x1p1024",
                                      "0x1.fffffffffffff8p1023",
                                      "0x1.fffffffffffff7fffp1023",
                                      "3.4028235677973366e38",
                                      "3.4028235677973365e38",
                                      "0x1.ffffffp127",
                                      "0x1.fffffefp127",
                                      "0x1p-149",
                                      "0x1p-150",
                                      "0x1.000002p-150",
                                      "1.1754942807573643e-38",
                                      "1.401298464324817e-45",
                                      "7.006492321624085e-46",
                                      "7.006492321624086e-46",
                                      "18446744073709551615",
                                      "18446744073709551616",
                                      "123456789012345678901234567890",
                                      "0.000000000000000000000000000000000000000000000000001",
                                      "1000000000000000000e-18",
                                      "999999999999999999",
                                      "9999999999999999999e-13",
                                      "1.00000000000000011102230246251565404236316680908203125",
                                      "1.00000000000000011102230246251565404236316680908203124",
                                      "1.00000000000000011102230246251565404236316680908203126",
                                      "0x1.00000000000008p0",
                                      "0x1.000000000000080000000000000000000000001p0",
                                      "0x1.00000000000018p0",
                                      "0x1.000001p0"};

START_TEST(number)
{
    check_number(numbers[_i]);
}
END_TEST

/* The exact decimal text of m * 2^e, by long arithmetic in base 10. */
static void exact_text(char *out, uint64_t m, int e)
{
    static unsigned char digit[2400]; /* digit[i] weighs 10^(1200 - i), the point behind digit 1200 */
    int i, first = 0, last = 2399, step;
    memset(digit, 0, sizeof digit);
    for (i = 1200; m; m /= 10)
        digit[i--] = (unsigned char)(m % 10);
    for (step = 0; step < abs(e); step++) {
        int carry = 0;
        if (e > 0)
            for (i = 1200; i >= 0; i--) {
                carry += 2 * digit[i];
                digit[i] = (unsigned char)(carry % 10);
                carry /= 10;
            }
        else
            for (i = 800; i < 2400; i++) {
                carry = 10 * (carry % 2) + digit[i];
                digit[i] = (unsigned char)(carry / 2);
            }
    }
    while (first < 1200 && !digit[first])
        first++;
    while (last > 1200 && !digit[last])
        last--;
    for (i = first; i <= last; i++) {
        *out++ = (char)('0' + digit[i]);
        if (i == 1200)
            *out++ = '.';
    }
    *out = 0;
}

/* Halfway between two neighbours of either type, exactly, and a little above and below. */
static void check_halfway(bool single)
{
    char text[2600];
    int bits = single ? 24 : 53, least = single ? -149 : -1074;
    uint64_t m = (uint64_t)1 << (bits - 1) | draw_bits() >> (65 - bits);
    int e = least + (int)draw(single ? 253 : 2046);
    size_t n;
    if (draw(3) == 0) { /* subnormal */
        e = least;
        m >>= draw((uint64_t)bits);
    }
    exact_text(text, 2 * m + 1, e - 1);
    check_number(text);
    n = strlen(text);
    sprintf(text + n, "%s1", draw(2) ? "" : "000000000000000000000000000000");
    check_number(text);
    text[n] = 0;
    while (text[--n] == '0' || text[n] == '.')
        ;
    text[n]--; /* the last digit that counts */
    strcat(text, "9");
    check_number(text);
}

START_TEST(random_numbers)
{
    char text[400];
    int i;
    check_syntax_seed = 88172645463325252u + (uint64_t)_i;
    for (i = 0; i < 10000; i++) {
        uint64_t u = draw_bits() >> 1, v = draw_bits();
        double d;
        switch (draw(5)) {
        case 0: /* of any double */
            u = u >= (uint64_t)0x7ff << 52 ? u >> 12 : u;
            memcpy(&d, &u, sizeof d);
            snprintf(text, sizeof text, "%.*e", (int)draw(20), d);
            break;
        case 1:
            snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)(u >> draw(64)),
                     (unsigned long long)(v >> draw(64)), (int)draw(680) - 340);
            break;
        case 2:
            snprintf(text, sizeof text, "%llu.%llu", (unsigned long long)(u >> draw(64)),
                     (unsigned long long)(v >> draw(64)));
            break;
        case 3:
            snprintf(text, sizeof text, "%llue-%d", (unsigned long long)(u >> draw(64)), (int)draw(60));
            break;
        default:
            snprintf(text, sizeof text, "0x%llx.%llxp%d", (unsigned long long)(u >> draw(64)), (unsigned long long)v,
                     (int)draw(2300) - 1150);
        }
        check_number(text);
        if (i % 16 == 0)
            check_halfway(i % 32);
    }
}
END_TEST

/* Far more digits than count, but the last one decides; zeros by the thousand. */
START_TEST(long_numbers)
{
    enum { N = 30000 };
    char *text = (char *)malloc(2 * N);
    exact_text(text, ((uint64_t)1 << 53) + 1, -53);
    memset(text + strlen(text), 0, N);
    check_number(text);
    memset(text + strlen(text), '0', N - strlen(text));
    check_number(text);
    text[N - 1] = '1';
    check_number(text);
    memset(text, '0', N);
    text[1] = '.';
    sprintf(text + N, "123e%d", N);
    check_number(text);
    memset(text, '7', N);
    sprintf(text + N, "e-%d", N);
    check_number(text);
    sprintf(text + N, "e-%d", N + 320);
    check_number(text);
    sprintf(text, "0x");
    memset(text + 2, '0', N);
    sprintf(text + N, "1.8p3");
    check_number(text);
    memset(text + 2, '8', N);
    sprintf(text + N, "p-%d", 4 * N);
    check_number(text);
    free(text);
}
END_TEST

/* ---- trees built by calls ---- */

/* A random expression of some depth. */
static uint32_t random_node(jk_tree_builder *b, int levels)
{
    static const char *const leaves[] = {"x", "y", "pi", "a1"};
    uint32_t kids[3];
    uint64_t kind = levels ? draw(13) : draw(2);
    if (kind == 0)
        return jk_tree_name(b, leaves[draw(4)]);
    if (kind == 1)
        return jk_tree_number(b, (double)draw(1000) / 8);
    kids[0] = random_node(b, levels - 1);
    if (kind <= 3 || kind >= 10) { /* signs and roots: where the printer is most easily wrong */
        static const jk_ast_op unary[] = {JK_OP_NEG, JK_OP_PLUS, JK_OP_NOT, JK_OP_SQRT};
        return jk_tree_unary(b, unary[draw(4)], kids[0]);
    }
    kids[1] = random_node(b, levels - 1);
    if (kind == 4)
        return jk_tree_call(b, "fun", kids, draw(3));
    if (kind == 5) {
        kids[2] = random_node(b, levels - 1);
        return jk_tree_cond(b, kids[0], kids[1], kids[2]);
    }
    if (kind == 6)
        return jk_tree_binary(b, JK_OP_POW, kids[0], kids[1]);
    return jk_tree_binary(b, (jk_ast_op)(JK_OP_OR + draw(JK_OP_MOD - JK_OP_OR + 1)), kids[0], kids[1]);
}

static void build_random(jitk_ast *a, jitk_error *e, int levels)
{
    jk_tree_builder b;
    jk_result r;
    *e = no_error();
    jk_tree_begin(&b, a, e);
    r.root = random_node(&b, levels);
    r.type = JK_TYPE_NONE;
    ck_assert_int_eq(jk_tree_definition(&b, NULL, true, NULL, 0, &r, 1), JITK_OK);
}

START_TEST(random_trees)
{
    int i;
    check_syntax_seed = 6364136223846793005u + (uint64_t)_i;
    for (i = 0; i < 2000; i++) {
        jitk_ast a, b;
        jitk_error e;
        char *s, *again;
        build_random(&a, &e, 1 + i % 7);
        check_tree(&a);
        s = printed(&a, true);
        ck_assert_msg(parse(&b, s, strlen(s), &e) == JITK_OK, "%s: %s", s, e.message);
        check_tree(&b);
        ck_assert_msg(same_trees(&a, &b), "%s", s);
        ck_assert_uint_eq(a.defs[0].nparams, b.defs[0].nparams);
        again = printed(&b, true);
        ck_assert_str_eq(s, again);
        free(s);
        free(again);
        jk_arena_free(&a.arena);
        jk_arena_free(&b.arena);
    }
}
END_TEST

/* Without any one pair of its parentheses a printed text is another tree or none. */
START_TEST(minimal_parentheses)
{
    int i;
    check_syntax_seed = 1442695040888963407u;
    for (i = 0; i < 3000; i++) {
        jitk_ast a, b;
        jitk_error e;
        char *s;
        size_t at, close, open;
        build_random(&a, &e, 1 + i % 4);
        s = printed(&a, true);
        for (at = 0; s[at]; at++) {
            if (s[at] != '(')
                continue;
            for (close = at + 1, open = 1; open; close++)
                open += (size_t)(s[close] == '(') - (size_t)(s[close] == ')');
            s[at] = s[close - 1] = ' ';
            ck_assert_msg(parse(&b, s, strlen(s), &e) != JITK_OK || !same_trees(&a, &b), "%s needs no pair at %zu", s,
                          at);
            s[at] = '(';
            s[close - 1] = ')';
            jk_arena_free(&b.arena);
        }
        free(s);
        jk_arena_free(&a.arena);
    }
}
END_TEST

/* Values as numbers: short, whatever the locale, and back to the same bits. */
static const struct value_row {
    double value;
    const char *text;
} values[] = {{0, "0"},
              {1, "1"},
              {-1, "-1"},
              {0.1, "0.1"},
              {2.5, "2.5"},
              {1e22, "1e22"},
              {1e-5, "0.00001"},
              {1e-6, "1e-6"},
              {100000, "100000"},
              {1e16, "10000000000000000"},
              {0x1p-1074, "4.94065645841247e-324"},
              {1.0 / 3, "0.3333333333333333"},
              {123456.75, "123456.75"}};

START_TEST(built_numbers)
{
    static const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};
    size_t l, i;
    check_syntax_seed = 3202034522624059733u;
    for (l = 0; l < 3; l++) {
        setlocale(LC_ALL, locales[l]); /* where it is missing, the one before is tried again */
        for (i = 0; i < 3000; i++) {
            jitk_ast a;
            jitk_error e = no_error();
            jk_tree_builder b;
            jk_result r;
            uint64_t u = draw_bits();
            double value;
            uint64_t back;
            char *s;
            u = (u >> 52 & 0x7ff) == 0x7ff ? u ^ (uint64_t)1 << 62 : u;
            memcpy(&value, &u, sizeof value);
            value = i < sizeof values / sizeof *values ? values[i].value : value;
            jk_tree_begin(&b, &a, &e);
            r.root = jk_tree_number(&b, value);
            r.type = JK_TYPE_NONE;
            ck_assert_int_eq(jk_tree_definition(&b, NULL, true, NULL, 0, &r, 1), JITK_OK);
            s = printed(&a, true);
            if (i < sizeof values / sizeof *values)
                ck_assert_str_eq(s, values[i].text);
            ck_assert_uint_gt(jk_number_read(s + (*s == '-'), JK_F64, &back), 0);
            ck_assert_uint_eq(back, bits_of(value) & UINT64_MAX >> 1);
            ck_assert((*s == '-') == (bits_of(value) >> 63));
            free(s);
            jk_arena_free(&a.arena);
        }
    }
    setlocale(LC_ALL, "C");
}
END_TEST

/* Nodes made right to left, shared and left over: the definition is in order all the same. */
START_TEST(built_in_any_order)
{
    jitk_ast a;
    jitk_error e = no_error();
    jk_tree_builder b;
    jk_result r[2];
    jk_param q[2];
    uint32_t y, x, unused, sum, kids[2];
    char *s;
    jk_tree_begin(&b, &a, &e);
    y = jk_tree_name(&b, "y");
    unused = jk_tree_number(&b, -1);
    x = jk_tree_name(&b, "x");
    sum = jk_tree_binary(&b, JK_OP_ADD, x, y);
    kids[0] = jk_tree_binary(&b, JK_OP_MUL, sum, sum);
    kids[1] = jk_tree_number(&b, -HUGE_VAL);
    r[0].root = jk_tree_call(&b, "max", kids, 2);
    r[0].type = JK_F32;
    r[1].root = jk_tree_unary(&b, JK_OP_NOT, unused);
    r[1].type = JK_I32;
    memset(q, 0, sizeof q);
    q[0].name = "x";
    q[0].type = JK_U8;
    q[0].edge = JK_EDGE_WRAP;
    q[0].is_array = true;
    q[1].name = "y";
    q[1].type = JK_TYPE_NONE;
    q[0].name_len = q[1].name_len = 1;
    ck_assert_int_eq(jk_tree_definition(&b, "f", false, q, 2, r, 2), JITK_OK);
    ck_assert_int_eq(jk_tree_definition(&b, NULL, true, NULL, 0, r, 1), JITK_OK);
    check_tree(&a);
    s = printed(&a, true);
    ck_assert_str_eq(s, "f(x: u8[wrap], y) -> f32, i32 = max((x + y)*(x + y), -inf), !-1;\nmax((x + y)*(x + y), -inf)");
    free(s);
    jk_arena_free(&a.arena);
}
END_TEST

/* Each mistake of a builder has its status; the first one is kept. */
START_TEST(build_errors)
{
    static const jitk_status want[] = {JITK_ERR_SYNTAX, JITK_ERR_SYNTAX, JITK_ERR_SYNTAX, JITK_ERR_LIMIT,
                                       JITK_ERR_SYNTAX, JITK_ERR_ARGS,   JITK_ERR_ARGS,   JITK_ERR_ARGS,
                                       JITK_ERR_ARGS,   JITK_ERR_NAME,   JITK_ERR_LIMIT};
    int i;
    for (i = 0; i < ROWS(want); i++) {
        jitk_ast a;
        jitk_error e = no_error();
        jk_tree_builder b;
        jk_param q[2];
        jk_result r;
        uint32_t x, bad = 1000;
        int k;
        memset(q, 0, sizeof q);
        q[0].name = q[1].name = "p";
        q[0].name_len = q[1].name_len = 1;
        jk_tree_begin(&b, &a, &e);
        r.root = x = jk_tree_name(&b, "x");
        r.type = JK_TYPE_NONE;
        switch (i) {
        case 0:
            jk_tree_name(&b, "1x");
            break;
        case 1:
            jk_tree_name(&b, "while");
            break;
        case 2:
            jk_tree_name(&b, "");
            break;
        case 3:
            jk_tree_name(&b, LONG63 "_");
            break;
        case 4:
            jk_tree_number_text(&b, "1.5f");
            break;
        case 5:
            jk_tree_unary(&b, JK_OP_MUL, x);
            break;
        case 6:
            jk_tree_binary(&b, JK_OP_SQRT, x, x);
            break;
        case 7:
            jk_tree_call(&b, "f", &bad, 1);
            break;
        case 8:
            jk_tree_definition(&b, "f", true, NULL, 0, &r, 1);
            break;
        case 9:
            jk_tree_definition(&b, "f", false, q, 2, &r, 1);
            break;
        default: /* shared without end */
            for (k = 0; k < 40; k++)
                r.root = jk_tree_binary(&b, JK_OP_MUL, r.root, r.root);
            jk_tree_definition(&b, NULL, true, NULL, 0, &r, 1);
        }
        ck_assert_msg(e.status == want[i] && e.message[0], "case %d: %d %s", i, (int)e.status, e.message);
        jk_tree_unary(&b, JK_OP_MUL, x);
        ck_assert_int_eq(e.status, want[i]);
        jk_arena_free(&a.arena);
        ck_assert_int_eq(check_syntax_live, 0);
    }
}
END_TEST

START_TEST(build_memory)
{
    int k, done = 0;
    for (k = 0; !done; k++) {
        jitk_ast a;
        jitk_error e = no_error();
        jk_tree_builder b;
        jk_result r;
        int i;
        check_syntax_refuse = k;
        jk_tree_begin(&b, &a, &e);
        r.root = jk_tree_name(&b, "x");
        r.type = JK_TYPE_NONE;
        for (i = 0; i < 500; i++)
            r.root = jk_tree_binary(&b, JK_OP_MUL, jk_tree_number(&b, i), r.root);
        jk_tree_definition(&b, NULL, true, NULL, 0, &r, 1);
        check_syntax_refuse = -1;
        done = e.status == JITK_OK;
        ck_assert(done || e.status == JITK_ERR_NOMEM);
        jk_arena_free(&a.arena);
        ck_assert_int_eq(check_syntax_live, 0);
    }
    ck_assert_int_gt(k, 3);
}
END_TEST

/* ---- printing to files ---- */
static char *file_text(FILE *f)
{
    long n = ftell(f);
    char *s = (char *)malloc((size_t)n + 1);
    rewind(f);
    ck_assert_uint_eq(fread(s, 1, (size_t)n, f), (size_t)n);
    s[n] = 0;
    fclose(f);
    return s;
}

START_TEST(print_files)
{
    enum { N = 5000 };
    char *text = (char *)malloc(16 * N), *s = text, *want, *got;
    jitk_ast a;
    jitk_error e;
    int i, infix;
    for (i = 0; i < N; i++)
        s += sprintf(s, "%sx%d", i ? " + " : "", i);
    ck_assert_int_eq(parse(&a, text, strlen(text), &e), JITK_OK);
    for (infix = 0; infix < 2; infix++) {
        FILE *f = tmpfile();
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(infix ? jk_ast_print_infix(&a, f) : jk_ast_print_sexpr(&a, f), JITK_OK);
        got = file_text(f);
        want = infix ? (char *)memcpy(malloc(strlen(text) + 1), text, strlen(text) + 1) : parsed(text, false);
        ck_assert_str_eq(got, want);
        free(got);
        free(want);
    }
    jk_arena_free(&a.arena);
    free(text);
}
END_TEST

#define TEN(x) x x x x x x x x x x
static const struct caret_row {
    const char *source;
    unsigned line, column, length;
    const char *shown;
} carets[] = {
    {"2 * sqr(x)", 1, 5, 3, "1:5: says\n  2 * sqr(x)\n      ^~~\n"},
    {"a\n2 * sqr(x)\r\nb", 2, 5, 3, "2:5: says\n  2 * sqr(x)\n      ^~~\n"},
    {"\tx\t@", 1, 4, 1, "1:4: says\n  \tx\t@\n  \t \t^\n"},
    {SQ "x + " SQ "y z", 1, 13, 1, "1:13: says\n  " SQ "x + " SQ "y z\n          ^\n"},
    {SQ "x", 1, 1, 4, "1:1: says\n  " SQ "x\n  ^~\n"},
    {"(x", 1, 3, 0, "1:3: says\n  (x\n    ^\n"},
    {"", 1, 1, 0, "1:1: says\n  \n  ^\n"},
    {"x\xFF\x01", 1, 2, 1, "1:2: says\n  x??\n   ^\n"},
    {"a (b\nc", 1, 3, 9, "1:3: says\n  a (b\n    ^~\n"},
    {"x", 0, 0, 0, "says\n"},
    {TEN("0123456789") "@" TEN("0123456789"), 1, 101, 1,
     "1:101: says\n  ..."
     "012345678901234567890123456789012345678901234567890123456789"
     "@"
     "012345678901234567890123456789012345678...\n"
     "                                                                 ^\n"},
};

START_TEST(caret)
{
    const struct caret_row *r = &carets[_i];
    jitk_error e = no_error();
    FILE *f = tmpfile();
    char *s;
    ck_assert_ptr_nonnull(f);
    jk_fail(&e, JITK_ERR_SYNTAX, "says");
    e.line = r->line;
    e.column = r->column;
    e.length = r->length;
    jk_error_print_caret(&e, r->source, f);
    s = file_text(f);
    ck_assert_str_eq(s, r->shown);
    free(s);
}
END_TEST

Suite *suite_syntax(void)
{
    Suite *suite = suite_create("syntax");
    TCase *tc = tcase_create("texts");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, tree, 0, ROWS(trees));
    tcase_add_loop_test(tc, error, 0, ROWS(errors));
    tcase_add_loop_test(tc, pieces, 0, ROWS(trees) + ROWS(errors));
    tcase_add_test(tc, nul_bytes);
    tcase_add_test(tc, definitions);
    tcase_add_test(tc, many_names);
    tcase_add_test(tc, limits);
    tcase_add_loop_test(tc, depth, 0, ROWS(deep));
    tcase_add_loop_test(tc, memory, 0, ROWS(memory_texts));
    tcase_add_test(tc, no_allocation);
    suite_add_tcase(suite, tc);
    tc = tcase_create("numbers");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, number, 0, ROWS(numbers));
    tcase_add_loop_test(tc, random_numbers, 0, 5);
    tcase_add_test(tc, long_numbers);
    suite_add_tcase(suite, tc);
    tc = tcase_create("trees");
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, random_trees, 0, 5);
    tcase_add_test(tc, minimal_parentheses);
    tcase_add_test(tc, built_numbers);
    tcase_add_test(tc, built_in_any_order);
    tcase_add_test(tc, build_errors);
    tcase_add_test(tc, build_memory);
    tcase_add_test(tc, print_files);
    tcase_add_loop_test(tc, caret, 0, ROWS(carets));
    suite_add_tcase(suite, tc);
    return suite;
}
