/* ir: building and rules, sharing, rare bodies, order, plan, printer, verifier, lowering and its errors. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* glob, open_memstream */
#endif
#include <glob.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Allocation number `refuse` (from 0) fails; -1: none does. */
static int check_ir_refuse = -1;
static int check_ir_live;
static void *check_ir_malloc(size_t nbytes)
{
    if (check_ir_refuse == 0)
        return NULL;
    if (check_ir_refuse > 0)
        check_ir_refuse--;
    check_ir_live++;
    return malloc(nbytes);
}
static void check_ir_free(void *p)
{
    check_ir_live -= p != NULL;
    free(p);
}
#define JK_MALLOC check_ir_malloc
#define JK_FREE check_ir_free
#include "suites.h"
#include "../src/ir/verify.c"
#include "plain_fp.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- a source at work ---- */
typedef struct work {
    jitk_ast ast;
    jk_arena arena;
    jk_program p;
    jitk_error e;
} work;

static jitk_status lower(work *w, const char *source, jk_type type, bool scalar, const char *entry, unsigned flags)
{
    jk_lower_options o;
    memset(w, 0, sizeof *w);
    memset(&o, 0, sizeof o);
    jk_arena_init(&w->arena, NULL, 0);
    o.type = type;
    o.scalar = scalar;
    o.entry = entry;
    o.flags = flags;
    if (jk_parse(&w->ast, source, strlen(source), NULL, 0, &w->e) != JITK_OK)
        return w->e.status;
    return jk_lower(&w->ast, &o, &w->arena, &w->p, &w->e);
}

static void done(work *w)
{
    jk_arena_free(&w->ast.arena);
    jk_arena_free(&w->arena);
}

/* Lowers what must be right, and verifies it. */
static void lower_ok(work *w, const char *source, jk_type type)
{
    jitk_status status = lower(w, source, type, false, NULL, 0);
    const char *bad;
    ck_assert_msg(status == JITK_OK, "%.60s: %s", source, w->e.message);
    bad = jk_ir_verify(&w->p);
    ck_assert_msg(!bad, "%.60s: %s", source, bad);
}

static char *print(const jk_program *p)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    jk_ir_print(p, f);
    fclose(f);
    return text;
}

/* Runs all stages in the interpreter over n elements of one chunk; arrays are arg[0 .. nargs). */
static void run(const jk_program *p, void *const *arg, size_t n)
{
    jk_run r;
    uint64_t *cell = (uint64_t *)calloc(p->ncells + 1u, sizeof *cell);
    void *frame = aligned_alloc(64, JK_ALIGN_UP(jk_interp_frame(p) + 64, 64));
    uint32_t k;
    uint32_t mode = jk_fp_enter();
    memset(&r, 0, sizeof r);
    r.array = arg;
    r.cell = cell;
    r.frame = frame;
    r.n = n;
    for (k = 0; k < p->nstages; k++)
        if (p->stages[k].is_pass)
            jk_interp_pass(p, &p->stages[k], &r, 0, n);
        else
            jk_interp_uniform(p, &p->stages[k], &r);
    jk_fp_leave(mode);
    free(cell);
    free(frame);
}

/* ---- dumps: tests/ir/FILE.jk ----
 * A case is `## title`, with [f32] or [scalar] in the title, the source, `--`, the expected dump, up to the next case.
 */
static const char *const dump_files[] = {"arithmetic", "functions", "logic", "powers",
                                         "reductions", "remainder", "stages"};

static char *dump_of(const char *title, const char *source)
{
    work w;
    char *text;
    const char *bad = NULL;
    bool f32 = strstr(title, "[f32]") != NULL, scalar = strstr(title, "[scalar]") != NULL;
    if (lower(&w, source, f32 ? JK_F32 : JK_F64, scalar, NULL, 0) == JITK_OK) {
        bad = jk_ir_verify(&w.p);
        text = print(&w.p);
    } else {
        text = (char *)malloc(sizeof w.e.message + 2);
        sprintf(text, "%s\n", w.e.message);
    }
    ck_assert_msg(!bad, "%s: %s", title, bad);
    done(&w);
    return text;
}

START_TEST(dumps)
{
    char path[100], *text, *at;
    size_t len, cases = 0;
    FILE *f;
    snprintf(path, sizeof path, "tests/ir/%s.jk", dump_files[_i]);
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s is missing", path);
    text = (char *)calloc(1, 1 << 16);
    len = fread(text, 1, (1 << 16) - 2, f);
    ck_assert_uint_lt(len, (1 << 16) - 2);
    fclose(f);
    for (at = strstr(text, "## "); at; cases++) {
        char *next = strstr(at + 3, "\n## "), *source = strchr(at, '\n') + 1, *want = strstr(source, "\n--\n"), *got;
        if (next)
            next[1] = 0;
        ck_assert_ptr_nonnull(want);
        source[-1] = want[0] = 0;
        got = dump_of(at, source);
        ck_assert_msg(strcmp(got, want + 4) == 0, "%s\n%s\nexpected\n%s\ngot\n%s", at, source, want + 4, got);
        free(got);
        at = next ? next + 1 : NULL;
        if (at)
            *at = '#';
    }
    ck_assert_uint_gt(cases, 1);
    free(text);
}
END_TEST

START_TEST(every_dump_file_is_listed)
{
    glob_t g;
    ck_assert_int_eq(glob("tests/ir/*.jk", 0, NULL, &g), 0);
    ck_assert_uint_eq(g.gl_pathc, COUNT(dump_files));
    globfree(&g);
}
END_TEST

/* ---- values as terms ---- */
/* A value written out as a term, for small programs: leaves as the printer writes them, add(x[], 2). */
static void term(const jk_program *p, jk_ref r, FILE *out)
{
    const jk_ins *i = &p->ins[r];
    unsigned k, n = jk_op_arity((jk_op)i->op);
    if (!n) {
        jk_ir_view view;
        view.p = p;
        fputs(jk_view_value(&view, r), out);
        return;
    }
    fprintf(out, "%s(", jk_op_name((jk_op)i->op));
    for (k = 0; k < n; k++) {
        fputs(k ? ", " : "", out);
        term(p, k == 0 ? i->a : k == 1 ? i->b : i->c, out);
    }
    fputc(')', out);
}

static char *term_of(const char *source, jk_type type)
{
    work w;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    lower_ok(&w, source, type);
    term(&w.p, w.p.args[w.p.nparams].value, f);
    fclose(f);
    done(&w);
    return text;
}

/* What each source becomes. A rule's line, and the lines of what must stay as it is. */
static const struct {
    const char *source, *term;
} terms[] = {
    {"x*1", "x[]"},
    {"1*x", "x[]"},
    {"x/1", "x[]"},
    {"x-0", "x[]"},
    {"x+(-0)", "x[]"},
    {"x*-1", "neg(x[])"},
    {"x/-1", "neg(x[])"},
    {"-(-x)", "x[]"},
    {"--x", "x[]"},
    {"+x", "x[]"},
    {"x*2", "add(x[], x[])"},
    {"2*x", "add(x[], x[])"},
    {"x/8", "mul(x[], 0.125)"},
    {"x/-0.5", "mul(x[], -2)"},
    {"x/3", "div(x[], 3)"},
    {"x/0", "div(x[], 0)"},
    {"x/inf", "div(x[], inf)"},
    {"y+x", "add(x[], y[])"},
    {"y*x", "mul(x[], y[])"},
    {"3+x", "add(x[], 3)"},
    {"3-x", "sub(3, x[])"},
    {"max(y, x)", "max(x[], y[])"},
    {"x+-y", "sub(x[], y[])"},
    {"-x+y", "sub(y[], x[])"},
    {"x- -y", "add(x[], y[])"},
    {"-x*-y", "mul(x[], y[])"},
    {"-x*3", "mul(x[], -3)"},
    {"-x/3", "div(x[], -3)"},
    {"3/-x", "div(-3, x[])"},
    {"-x*y", "mul(y[], neg(x[]))"},
    {"fma(x, 1, y)", "add(x[], y[])"},
    {"fma(-1, x, y)", "sub(y[], x[])"},
    {"fma(x, y, -0)", "mul(x[], y[])"},
    {"fma(-x, -y, x)", "fma(x[], y[], x[])"},
    {"fma(-x, 3, x)", "fma(x[], -3, x[])"},
    {"abs(-x)", "abs(x[])"},
    {"abs(abs(x))", "abs(x[])"},
    {"abs(copysign(x, y))", "abs(x[])"},
    {"copysign(abs(x), y)", "copysign(x[], y[])"},
    {"copysign(-x, y)", "copysign(x[], y[])"},
    {"floor(ceil(x))", "ceil(x[])"},
    {"rint(trunc(x))", "trunc(x[])"},
    {"min(x, x)", "x[]"},
    {"min(x, inf)", "x[]"},
    {"max(-inf, x)", "x[]"},
    {"1 < 2 ? x : y", "x[]"},
    {"where(nan, x, y)", "x[]"}, /* NaN is not equal to zero */
    {"where(0, x, y)", "y[]"},
    {"where(x < y, x, x)", "x[]"},
    {"where(!(x < y), x, y)", "select(lt(x[], y[]), y[], x[])"},
    {"!(x == y) ? x : y", "select(ne(x[], y[]), x[], y[])"},
    {"!!(x < y) ? x : y", "select(lt(x[], y[]), x[], y[])"},
    {"(x < y) != 0 ? x : y", "select(lt(x[], y[]), x[], y[])"},
    {"(x < y) == 0 ? x : y", "select(lt(x[], y[]), y[], x[])"},
    {"(x < y) == 2 ? x : y", "y[]"},
    {"x != x ? 1 : 2", "select(isnan(x[]), 1, 2)"},
    {"x == x ? 1 : 2", "select(isnan(x[]), 2, 1)"},
    {"x <= x ? 1 : 2", "select(isnan(x[]), 2, 1)"},
    {"x < x ? 1 : 2", "2"},
    {"x < y && 1 ? x : y", "select(lt(x[], y[]), x[], y[])"},
    {"x < y && 0 ? x : y", "y[]"},
    {"x < y || 1 ? x : y", "x[]"},
    {"x < y || x < y", "select(lt(x[], y[]), 1, 0)"},
    {"x > y", "select(lt(y[], x[]), 1, 0)"},
    {"x >= y", "select(le(y[], x[]), 1, 0)"},
    {"x < y ? x < 1 : y < 1",
     "select(mor(mand(lt(x[], y[]), lt(x[], 1)), mand(lt(y[], 1), mnot(lt(x[], y[])))), 1, 0)"},
    {"x ? 2 : 3", "select(ne(x[], 0), 2, 3)"},
    {"!x", "select(eq(x[], 0), 1, 0)"},
    {"(x > 0) * 3", "mul(select(lt(0, x[]), 1, 0), 3)"},
    {"x^1", "x[]"},
    {"x^2", "mul(x[], x[])"},
    {"x**3", "mul(x[], mul(x[], x[]))"},
    {"pow(x, 2*2)", "mul(mul(x[], x[]), mul(x[], x[]))"},
    {"x^-1", "div(1, x[])"},
    {"isinf(x)", "select(eq(abs(x[]), inf), 1, 0)"},
    {"isfinite(x)", "select(lt(abs(x[]), inf), 1, 0)"},
    {"clamp(x, 0, 1)", "min(max(x[], 0), 1)"},
    {"min(x, y, z)", "min(z[], min(x[], y[]))"},
    /* not exact for every input: these stay */
    {"x+0", "add(x[], 0)"},
    {"x-(-0)", "sub(x[], -0)"},
    {"x*0", "mul(x[], 0)"},
    {"x-x", "sub(x[], x[])"},
    {"x/x", "div(x[], x[])"},
    {"0-x", "sub(0, x[])"},
    {"-(x-y)", "neg(sub(x[], y[]))"},
    {"x*3*5", "mul(mul(x[], 3), 5)"},
    {"!(x < y) ? 1 : 0", "select(lt(x[], y[]), 0, 1)"},
    {"min(x, -inf)", "min(x[], -inf)"},
    {"abs(sqrt(x))", "abs(sqrt(x[]))"},
    /* constants */
    {"3 + (8 - 7.5) * 10 / 5 - (2 + 5 * 7)", "-33"},
    {"2^3^2", "512"},
    {"-2^3", "-8"},
    {"-2^-1", "-0.5"},
    {"1-2-3", "-4"},
    {"3 + -1/(1/0)", "3"},
    {"--9007199254741194", "9007199254741194"},
    {"√(2+2)", "2"},
    {"√√16", "2"},
    {"√-4", "nan"},
    {"min(-0, 0)", "-0"},
    {"min(0, -0)", "-0"},
    {"min(1, nan)", "nan"},
    {"(-0)^0.5", "0"},
    {"(-inf)^0.5", "inf"},
    {"1e-320", "9.99989e-321"},
    {"3^13", "1594323"},
    {"2^-1 + 2^0", "1.5"},
    {"7 % -3", "1"},
    {"-7 % 3", "-1"},
    {"round(-2.5)", "-3"},
    {"rint(2.5)", "2"},
    {"sign(-0)", "-0"},
    {"pi", "3.141592653589793"},
    {"e", "2.718281828459045"},
    {"1 < 2", "1"},
    {"3 && nan", "1"},
};

START_TEST(rules_rewrite)
{
    char *got = term_of(terms[_i].source, JK_F64);
    ck_assert_msg(strcmp(got, terms[_i].term) == 0, "%s: expected %s, got %s", terms[_i].source, terms[_i].term, got);
    free(got);
}
END_TEST

/* The constants are the type's own. */
START_TEST(rules_by_type)
{
    static const struct {
        const char *source, *term;
    } f32[] = {{"x/8", "mul(x[], 0.125)"},
               {"pi", "3.1415927"},
               {"0.1", "0.1"},
               {"fma(0.1, 10, -1)", "1.4901161e-08"},
               {"x/1.7014118346046923e38", "mul(x[], 5.877472e-39)"},
               {"1e-46", "0"},
               {"16777217", "16777216"},
               {"x*-1", "neg(x[])"}};
    size_t i;
    for (i = 0; i < COUNT(f32); i++) {
        char *got = term_of(f32[i].source, JK_F32);
        ck_assert_msg(strcmp(got, f32[i].term) == 0, "%s: expected %s, got %s", f32[i].source, f32[i].term, got);
        free(got);
    }
}
END_TEST

/* ---- every rule for every input ---- */
/* Values that tell wrong rules from right ones. */
static const uint64_t bits_f64[] = {0,
                                    0x8000000000000000u,
                                    1,
                                    0x8000000000000003u,
                                    0x3ff0000000000000u,
                                    0xbff0000000000000u,
                                    0x4000000000000000u,
                                    0x3fe0000000000000u,
                                    0xc008000000000000u,
                                    0x3ff0000000000001u,
                                    0x3fb999999999999au,
                                    0x0010000000000000u,
                                    0x7fe0000000000000u,
                                    0x7fefffffffffffffu,
                                    0x7ff0000000000000u,
                                    0xfff0000000000000u,
                                    0x7ff8000000000000u,
                                    0x4330000000000001u};
static const uint64_t bits_f32[] = {0,          0x80000000, 1,          0x80000003, 0x3f800000, 0xbf800000,
                                    0x40000000, 0x3f000000, 0xc0400000, 0x3f800001, 0x3dcccccd, 0x00800000,
                                    0x7f000000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x4b000001};
static const uint64_t bits_whole[] = {0, 1, UINT32_MAX, 0x80000000, 12345, 0x7f800000};
#define NBITS COUNT(bits_f64)

/* The value of a term for given values of the two arrays, by folding. */
static uint64_t value_of(const jk_ir *ir, jk_ref r, const uint64_t *array)
{
    const jk_ins *i = &ir->ins[r];
    uint64_t v[3] = {0, 0, 0};
    unsigned n = jk_op_arity((jk_op)i->op);
    jk_type last;
    if (i->op == JK_CONST)
        return jk_ir_const_bits(i);
    if (i->op == JK_LOAD)
        return array[i->a];
    v[0] = value_of(ir, i->a, array);
    if (n > 1)
        v[1] = value_of(ir, i->b, array);
    if (n > 2)
        v[2] = value_of(ir, i->c, array);
    last = (jk_type)ir->ins[n == 1 ? i->a : n == 2 ? i->b : i->c].type;
    return jk_fp_fold(i->op, (jk_type)i->type, last, i->aux, v[0], v[1], v[2]);
}

static bool same_bits(jk_type t, uint64_t a, uint64_t b)
{
    if (!jk_is_float(t))
        return a == b;
    return plain_same(t == JK_F64 ? &plain_f64 : &plain_f32, a, b);
}

/* Operand number k of a kind: a class of type (float, mask, integer) and a shape that rules look for. */
enum { SHAPES = 7 };
static jk_ref operand(jk_ir *ir, jk_type t, int shape, uint64_t constant)
{
    jk_type f = ir->type == JK_F64 ? JK_F64 : JK_F32;
    jk_ref x = jk_ir_emit(ir, JK_LOAD, f, 0, 0, 0, 0), y = jk_ir_emit(ir, JK_LOAD, f, 0, 1, 0, 0);
    if (jk_is_mask(t)) {
        jk_ref lt = jk_ir_2(ir, JK_LT, x, y), eq = jk_ir_2(ir, JK_EQ, x, y);
        return shape == 0   ? lt
               : shape == 1 ? eq
               : shape == 2 ? jk_ir_1(ir, JK_MNOT, lt)
               : shape == 3 ? jk_ir_1(ir, JK_MNOT, eq)
               : shape == 4 ? jk_ir_2(ir, JK_NE, y, x)
                            : jk_ir_bits(ir, t, constant % 2 ? jk_kind_bits(JK_IS_ONES, t) : 0);
    }
    if (!jk_is_float(t)) {
        jk_ref i = jk_ir_emit(ir, JK_BITS, t, 0, shape % 2 ? x : y, 0, 0);
        return shape < 4 ? i : jk_ir_bits(ir, t, constant);
    }
    switch (shape) {
    case 0:
        return x;
    case 1:
        return y;
    case 2:
        return jk_ir_1(ir, JK_NEG, x);
    case 3:
        return jk_ir_1(ir, JK_ABS, y);
    case 4:
        return jk_ir_2(ir, JK_COPYSIGN, x, y);
    case 5:
        return jk_ir_3(ir, JK_SELECT, jk_ir_2(ir, JK_LT, x, y), jk_ir_bits(ir, t, constant), jk_ir_kind(ir, JK_IS_ONE));
    default:
        return jk_ir_bits(ir, t, constant);
    }
}

/* One application of an op to operands of given shapes: the term that comes out has the value of the op itself. */
static void try_op(jk_op op, jk_type t, const jk_type *in, const int *shape, const uint64_t *constant, unsigned aux)
{
    const uint64_t *bits = t == JK_F64 || t == JK_I64 || t == JK_M64 ? bits_f64 : bits_f32;
    jk_arena arena;
    jk_ir ir;
    jitk_error e;
    jk_ref x[3] = {0, 0, 0}, r;
    size_t i, j, k, n = jk_op_arity(op);
    char first[16384];
    memset(&e, 0, sizeof e);
    jk_arena_init(&arena, first, sizeof first);
    jk_ir_init(&ir, &arena, jk_type_size(t) == 8 ? JK_F64 : JK_F32, 0, &e);
    for (k = 0; k < n; k++)
        x[k] = operand(&ir, in[k], shape[k], constant[k]);
    r = jk_ir_emit(&ir, op, t, aux, x[0], x[1], x[2]);
    ck_assert_int_eq(ir.ins[r].type, t);
    for (i = 0; i < NBITS; i++)
        for (j = 0; j < NBITS; j++) {
            uint64_t array[2], v[3] = {0, 0, 0}, want, got;
            array[0] = bits[i];
            array[1] = bits[j];
            for (k = 0; k < n; k++)
                v[k] = value_of(&ir, x[k], array);
            want = jk_fp_fold(op, t, in[n - 1], aux, v[0], v[1], v[2]);
            got = value_of(&ir, r, array);
            ck_assert_msg(same_bits(t, want, got), "%s of shapes %d %d %d, x %#llx y %#llx: %#llx became %#llx",
                          jk_op_name(op), shape[0], shape[1], shape[2], (unsigned long long)bits[i],
                          (unsigned long long)bits[j], (unsigned long long)want, (unsigned long long)got);
        }
    jk_arena_free(&arena);
}

/* Operand types of an op for lanes of 8 or 4 bytes; the result's type. */
static jk_type op_types(jk_op op, bool wide, jk_type *in)
{
    jk_type f = wide ? JK_F64 : JK_F32, i = wide ? JK_I64 : JK_I32, m = wide ? JK_M64 : JK_M32;
    bool mask = op >= JK_MNOT && op <= JK_MOR, whole = op >= JK_IAND && op <= JK_ISHR;
    in[0] = in[1] = in[2] = mask ? m : whole ? i : f;
    if (op == JK_SELECT)
        in[0] = m;
    if (op == JK_BITS)
        return i;
    return op >= JK_LT && op <= JK_ISNAN ? m : in[2];
}

START_TEST(rules_are_exact)
{
    jk_op op = (jk_op)(_i / 2);
    bool wide = _i % 2;
    const uint64_t *bits = wide ? bits_f64 : bits_f32;
    jk_type in[3], t;
    int shape[3];
    unsigned n = jk_op_arity(op), mode;
    uint64_t constant[3];
    size_t c;
    if (!(jk_op_rows[op].flags & JK_FOLD) || op == JK_CVT)
        return;
    mode = jk_fp_enter();
    t = op_types(op, wide, in);
    for (shape[0] = 0; shape[0] < SHAPES; shape[0]++)
        for (shape[1] = 0; shape[1] < (n > 1 ? SHAPES : 1); shape[1]++)
            for (shape[2] = 0; shape[2] < (n > 2 ? SHAPES : 1); shape[2]++)
                for (c = 0; c<NBITS; c += n> 2 ? 3 : 1) {
                    bool whole = in[0] == JK_I64 || in[0] == JK_I32;
                    constant[0] = whole ? bits_whole[c % COUNT(bits_whole)] : bits[c];
                    constant[1] = whole ? bits_whole[(c + 1) % COUNT(bits_whole)] : bits[(c + c / 4) % NBITS];
                    constant[2] = whole ? 0 : bits[(c * 7 + 1) % NBITS];
                    try_op(op, t, in, shape, constant, op == JK_ISHL || op == JK_ISHR ? (unsigned)c % 32 : 0);
                }
    jk_fp_leave(mode);
}
END_TEST

/* ---- folding is the interpreter's arithmetic ---- */
/* The op of two loads and a constant, as a program; masks and integers come out as floats. */
static jk_ref as_result(jk_ir *ir, jk_ref r)
{
    jk_type t = (jk_type)ir->ins[r].type, f = (jk_type)ir->type;
    if (jk_is_mask(t))
        return jk_ir_3(ir, JK_SELECT, r, jk_ir_kind(ir, JK_IS_ONE), jk_ir_kind(ir, JK_IS_ZERO));
    return jk_is_float(t) ? r : jk_ir_emit(ir, JK_BITS, f, 0, r, 0, 0);
}

static jk_ref as_operand(jk_ir *ir, jk_ref r, jk_type t)
{
    if (jk_is_mask(t))
        return jk_ir_2(ir, JK_LT, jk_ir_kind(ir, JK_IS_ZERO), r);
    return jk_is_float(t) ? r : jk_ir_emit(ir, JK_BITS, t, 0, r, 0, 0);
}

START_TEST(folds_like_the_interpreter)
{
    enum { N = NBITS * NBITS };
    jk_op op = (jk_op)(_i / 2);
    bool wide = _i % 2;
    size_t size = wide ? 8 : 4, i, k, n = jk_op_arity(op);
    const uint64_t *bits = wide ? bits_f64 : bits_f32;
    static const char *const names[4] = {"a", "b", "c", "r"};
    static char array[4][N * 8];
    void *arg[4];
    jk_param_info info[4];
    jk_program p;
    jk_arena arena;
    jk_ir ir;
    jitk_error e;
    jk_type in[3], t, f = wide ? JK_F64 : JK_F32;
    jk_ref x[3] = {0, 0, 0};
    unsigned mode, aux = op == JK_ISHL || op == JK_ISHR ? 5 : 0;
    if (!(jk_op_rows[op].flags & JK_FOLD) || op == JK_CVT)
        return;
    t = op_types(op, wide, in);
    memset(&e, 0, sizeof e);
    memset(info, 0, sizeof info);
    jk_arena_init(&arena, NULL, 0);
    jk_ir_init(&ir, &arena, f, 0, &e);
    for (k = 0; k < 4; k++) {
        info[k].name = names[k];
        info[k].type = (uint8_t)f;
        info[k].is_array = 1;
        info[k].is_result = k == 3;
        arg[k] = array[k];
        for (i = 0; i < N; i++) {
            uint64_t v = bits[k == 0 ? i % NBITS : k == 1 ? i / NBITS : (i * 5 + i / NBITS) % NBITS];
            memcpy(array[k] + i * size, &v, size);
        }
    }
    mode = jk_fp_enter();
    for (k = 0; k < 3; k++)
        x[k] = as_operand(&ir, jk_ir_emit(&ir, JK_LOAD, f, 0, (jk_ref)k, 0, 0), in[k]);
    info[3].value = as_result(&ir, jk_ir_emit(&ir, op, t, aux, x[0], n > 1 ? x[1] : 0, n > 2 ? x[2] : 0));
    jk_plan(&ir, info, 4, 3, &p);
    ck_assert(!arena.failed && e.status == JITK_OK);
    ck_assert_ptr_null(jk_ir_verify(&p));
    run(&p, arg, N);
    for (i = 0; i < N; i++) {
        uint64_t got = 0, v = 0;
        jk_ref r;
        memcpy(&got, array[3] + i * size, size);
        for (k = 0; k < 3; k++) {
            memcpy(&v, array[k] + i * size, size);
            x[k] = as_operand(&ir, jk_ir_bits(&ir, f, v), in[k]);
        }
        r = as_result(&ir, jk_ir_emit(&ir, op, t, aux, x[0], n > 1 ? x[1] : 0, n > 2 ? x[2] : 0));
        ck_assert_msg(jk_ir_is_const(&ir, r), "%s of constants is no constant", jk_op_name(op));
        ck_assert_msg(same_bits(f, jk_ir_const_bits(&ir.ins[r]), got), "%s: element %zu", jk_op_name(op), i);
    }
    jk_fp_leave(mode);
    jk_arena_free(&arena);
}
END_TEST

/* ---- sharing ---- */
START_TEST(sharing)
{
    jk_arena arena;
    jk_ir ir;
    jitk_error e;
    jk_ref x, y, a, k;
    memset(&e, 0, sizeof e);
    jk_arena_init(&arena, NULL, 0);
    jk_ir_init(&ir, &arena, JK_F64, 0, &e);
    x = jk_ir_emit(&ir, JK_LOAD, JK_F64, 0, 0, 0, 0);
    y = jk_ir_emit(&ir, JK_PARAM, JK_F64, 0, 1, 0, 0);
    ck_assert(ir.varying[x] && !ir.varying[y]);
    a = jk_ir_2(&ir, JK_ADD, x, y);
    ck_assert(ir.varying[a]);
    ck_assert_uint_eq(jk_ir_2(&ir, JK_ADD, y, x), a);
    ck_assert_uint_ne(jk_ir_2(&ir, JK_SUB, x, y), jk_ir_2(&ir, JK_SUB, y, x));
    ck_assert_uint_ne(jk_ir_float(&ir, JK_F64, 0.0), jk_ir_bits(&ir, JK_F64, 0x8000000000000000u));
    ck_assert_uint_ne(jk_ir_float(&ir, JK_F64, 1.0), jk_ir_float(&ir, JK_F32, 1.0));
    ck_assert_uint_eq(jk_ir_bits(&ir, JK_F64, 0x7ff8000000000000u), jk_ir_bits(&ir, JK_F64, 0x7ff8000000000000u));
    ck_assert_uint_ne(jk_ir_bits(&ir, JK_I64, 0), jk_ir_bits(&ir, JK_F64, 0));
    ck_assert_uint_ne(jk_ir_emit(&ir, JK_ISHL, JK_I64, 3, jk_ir_emit(&ir, JK_BITS, JK_I64, 0, x, 0, 0), 0, 0),
                      jk_ir_emit(&ir, JK_ISHL, JK_I64, 4, jk_ir_emit(&ir, JK_BITS, JK_I64, 0, x, 0, 0), 0, 0));
    ck_assert_uint_eq(jk_ir_emit(&ir, JK_RSUM, JK_F64, 0, x, 0, 0), jk_ir_emit(&ir, JK_RSUM, JK_F64, 0, x, 0, 0));
    ck_assert(!ir.varying[jk_ir_emit(&ir, JK_RSUM, JK_F64, 0, x, 0, 0)]);
    for (k = 0; k < 3000; k++) /* through several rehashings */
        jk_ir_2(&ir, JK_MUL, x, jk_ir_bits(&ir, JK_F64, 0x4008000000000000u + k));
    a = (jk_ref)ir.nins;
    for (k = 0; k < 3000; k++)
        jk_ir_2(&ir, JK_MUL, x, jk_ir_bits(&ir, JK_F64, 0x4008000000000000u + k));
    ck_assert_uint_eq(ir.nins, a);
    jk_arena_free(&arena);
}
END_TEST

/* What is made in a body is found in it, also after a rehash, and not behind it; what was there before is found
 * anywhere; a body that no lane needs leaves nothing. */
START_TEST(rare_scopes)
{
    jk_arena arena;
    jk_ir ir;
    jitk_error e;
    jk_ref x, y, before, inside, mask, state, next, rare, k, many = _i ? 500 : 1;
    memset(&e, 0, sizeof e);
    jk_arena_init(&arena, NULL, 0);
    jk_ir_init(&ir, &arena, JK_F64, 0, &e);
    x = jk_ir_emit(&ir, JK_LOAD, JK_F64, 0, 0, 0, 0);
    y = jk_ir_emit(&ir, JK_PARAM, JK_F64, 0, 1, 0, 0);
    before = jk_ir_2(&ir, JK_ADD, x, y);
    mask = jk_ir_2(&ir, JK_LT, x, y);
    jk_ir_rare_begin(&ir);
    state = jk_ir_rstate(&ir, x);
    ck_assert_uint_ne(jk_ir_2(&ir, JK_MUL, state, y), jk_ir_2(&ir, JK_MUL, x, y));
    ck_assert_uint_eq(jk_ir_2(&ir, JK_ADD, x, y), before);
    inside = jk_ir_1(&ir, JK_SQRT, y);
    for (k = 0; k < many; k++)
        next = jk_ir_2(&ir, JK_MUL, state, jk_ir_bits(&ir, JK_F64, 0x4008000000000000u + k));
    ck_assert_uint_eq(jk_ir_1(&ir, JK_SQRT, y), inside);
    jk_ir_rare_next(&ir, state, next);
    jk_ir_rare_again(&ir, mask, 3);
    rare = jk_ir_rare_end(&ir, mask, before, next);
    ck_assert_uint_eq(rare + 1, ir.nins);
    ck_assert(ir.varying[rare] && ir.varying[inside]);
    ck_assert_uint_eq(ir.ins[state].b, next);
    ck_assert_uint_eq(jk_ir_rare_find(&ir, mask, before), rare);
    ck_assert_uint_eq(jk_ir_rare_find(&ir, mask, x), JK_NOREF);
    ck_assert_uint_gt(jk_ir_1(&ir, JK_SQRT, y), rare);
    ck_assert_uint_gt(jk_ir_bits(&ir, JK_F64, 0x4008000000000000u), rare);
    ck_assert_uint_eq(jk_ir_2(&ir, JK_ADD, x, y), before);
    k = (jk_ref)ir.nins;
    jk_ir_rare_begin(&ir);
    next = jk_ir_1(&ir, JK_SQRT, before);
    rare = jk_ir_rare_end(&ir, jk_ir_bits(&ir, JK_M64, 0), before, next);
    ck_assert_uint_eq(rare, before);
    ck_assert_uint_eq(ir.nrares, 1);
    ck_assert_uint_eq(jk_ir_1(&ir, JK_SQRT, before), k);
    jk_arena_free(&arena);
}
END_TEST

/* ---- order ---- */
/* The most values of a stage that wait at a time. */
static size_t most_live(const jk_program *p, const jk_stage *s)
{
    uint32_t *last = (uint32_t *)calloc(p->nins, sizeof *last), k;
    jk_ref x[4];
    size_t live = 0, most = 0;
    unsigned n, j, m;
    for (k = 0; k < s->norder; k++)
        for (n = jk_ins_operands(p, s->order[k], x); n-- > 0;)
            last[x[n]] = k;
    for (k = 0; k < s->norder; k++) {
        live++;
        most = live > most ? live : most;
        n = jk_ins_operands(p, s->order[k], x);
        for (j = 0; j < n; j++) {
            bool twice = false;
            for (m = 0; m < j; m++)
                twice = twice || x[m] == x[j];
            live -= !twice && last[x[j]] == k && jk_op_arity((jk_op)p->ins[x[j]].op) > 0;
        }
    }
    free(last);
    return most;
}

/* Texts of 10,000 operations and more, in every way of nesting. */
static char *long_text(int kind, int n)
{
    char *text = (char *)malloc((size_t)n * 40 + 100), *at = text;
    int i;
    for (i = 0; i < n; i++)
        switch (kind) {
        case 0: /* right-nested products */
            at += sprintf(at, "x%d*(", i % 300);
            break;
        case 1: /* a long sum of products */
            at += sprintf(at, "%d.5*x%d+", i, i % 300);
            break;
        case 2: /* a polynomial in Horner's form */
            at += sprintf(at, "(%d.5+x*", i);
            break;
        case 3: /* minus, leaning right */
            at += sprintf(at, "(x%d-", i % 10);
            break;
        case 4: /* conditions in conditions */
            at += sprintf(at, "x > %d ? x*%d : ", i, i + 3);
            break;
        default: /* parentheses */
            *at++ = '(';
        }
    *at++ = 'y';
    for (i = 0; i < n && kind != 1 && kind != 4; i++)
        *at++ = ')';
    *at = 0;
    return text;
}

START_TEST(long_texts)
{
    char *text = long_text(_i, 10000);
    work w;
    lower_ok(&w, text, JK_F64);
    ck_assert_uint_eq(w.p.nstages, 3);
    ck_assert_uint_lt(w.p.nins, 60000);
    ck_assert_uint_le(most_live(&w.p, &w.p.stages[1]), 6);
    done(&w);
    free(text);
}
END_TEST

/* A balanced tree of 2^k leaves that are no leaves of the IR needs about k + 1. */
START_TEST(balanced_tree)
{
    char *text = (char *)malloc(1 << 20), *at = text;
    int i, j;
    work w;
    for (i = 0; i < 4096; i++) {
        for (j = 12; j > 0 && i % (1 << j); j--)
            ;
        if (i)
            *at++ = '-';
        while (j-- > 0)
            *at++ = '(';
        at += sprintf(at, "x%d*%d.5", i % 50, i);
        for (j = 0; j < 12 && (i + 1) % (1 << (j + 1)) == 0; j++)
            *at++ = ')';
    }
    *at = 0;
    lower_ok(&w, text, JK_F64);
    ck_assert_uint_le(most_live(&w.p, &w.p.stages[1]), 14);
    done(&w);
    free(text);
}
END_TEST

/* ---- plan ---- */
/* Passes, then for each pass its reductions; operations in all orders together. */
static const struct {
    const char *source;
    unsigned passes, reductions[3], operations;
} plans[] = {
    {"2*x", 1, {0}, 1},
    {"(x[], y[]) = sum(x*y)/sum(y)", 1, {2}, 2},
    {"(x[]) = sum(x), min(x), max(x), sum(x*x)", 1, {4}, 3},
    {"(x[]) = x*x, sum(x*x)", 1, {1}, 1},
    {"(a) = a*a + 1", 0, {0}, 2},
    {"(a, x[]) = x*(a*a)", 1, {0}, 2},
    {"sum(sum(x))", 2, {1, 1}, 0},
    {"sum((x - mean(x))^2)", 2, {1, 1}, 4},
    {"(x[]) { return 0; }", 99, {0}, 0}, /* waits for bodies: must be refused */
    {"(x - sum(x))/max(x)", 2, {2, 0}, 4},
    {"(x[]) = (x*x)/sum(x*x)", 2, {1, 0}, 3},
    {"(x[]) = sum(x*x - sum(x*x)), x*x", 2, {1, 1}, 3},
    {"mean(x) + mean(x)*0.25", 1, {1}, 4},
    {"sum(1)", 1, {1}, 0},
    {"(a, x[]) = sum(a)", 1, {1}, 0},
    {"(x[]) = x^0", 1, {0}, 0},
    {"(x[]) = sum(x)*0 + 3", 1, {1}, 2},
    {"(a[], b[]) = a + 0*length()", 1, {0}, 3},
    {"(x[]) = where(sum(x) > 0, 1, 2)", 1, {1}, 2},
    {"(x[]) = 0 ? sum(x) : 4", 0, {0}, 0},
    {"(a, b, x[]) = x*(a % b)", 1, {0}, 19},
    {"dot(x, y)/(dot(x, x)*dot(y, y))^0.5", 1, {3}, 6},
    {"argmin(x) + argmax(x)", 1, {2}, 4},
};

START_TEST(plan_shapes)
{
    work w;
    unsigned k, operations = 0;
    if (plans[_i].passes == 99) {
        ck_assert_int_eq(lower(&w, plans[_i].source, JK_F64, false, NULL, 0), JITK_ERR_UNSUPPORTED);
        done(&w);
        return;
    }
    lower_ok(&w, plans[_i].source, JK_F64);
    ck_assert_uint_eq(w.p.nstages, 2 * plans[_i].passes + 1);
    for (k = 0; k < w.p.nstages; k++) {
        operations += w.p.stages[k].norder;
        if (k % 2)
            ck_assert_uint_eq(w.p.stages[k].nred, plans[_i].reductions[k / 2]);
    }
    ck_assert_msg(operations == plans[_i].operations, "%s: %u operations", plans[_i].source, operations);
    done(&w);
}
END_TEST

/* Shapes and element types of the arguments, as the text says them. */
static const struct {
    const char *source, *args;
} signatures[] = {
    {"x^0", "x[]:f64 ->[]:f64"},
    {"(x[]) = x^0", "x[]:f64 ->[]:f64"},
    {"(x[]) = sum(x^0)", "x[]:f64 ->:f64"},
    {"(a, x[]) = 0 ? x : a", "a:f64 x[]:f64 ->[]:f64"},
    {"(x[]) = 3", "x[]:f64 ->:f64"},
    {"b*B - _a + a + x10 - x2 + pi*b", "B[]:f64 _a[]:f64 a[]:f64 b[]:f64 x10[]:f64 x2[]:f64 ->[]:f64"},
    {"(x: u8[], k: i64) -> i32, f32 = x + k, sum(x)", "x[]:u8 k:i64 ->[]:i32 ->:f32"},
    {"f(x) = x*x; (y[]) = f(y)", "y[]:f64 ->[]:f64"},
    {"f(x) = x*x; (y[]) = f(sum(y))", "y[]:f64 ->:f64"},
    {"f(x[]) = sum(x); (y[]) = f(y) + y", "y[]:f64 ->[]:f64"},
    {"f(x[]) = sum(x); (y[]) = f(y)", "y[]:f64 ->:f64"},
    {"f(a, b) = a; (y[]) = f(1, y)", "y[]:f64 ->:f64"},
    {"3 + 4", "->:f64"},
    {"(pi[]) = pi", "pi[]:f64 ->[]:f64"},
    {"(sum, x[]) = sum*x", "sum:f64 x[]:f64 ->[]:f64"},
};

START_TEST(argument_shapes)
{
    work w;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    uint32_t k;
    lower_ok(&w, signatures[_i].source, JK_F64);
    for (k = 0; k < w.p.nargs; k++)
        fprintf(f, "%s%s%s:%s", k ? " " : "", w.p.args[k].is_result ? "->" : w.p.args[k].name,
                w.p.args[k].is_array ? "[]" : "", jk_type_name((jk_type)w.p.args[k].type));
    fclose(f);
    ck_assert_str_eq(text, signatures[_i].args);
    free(text);
    done(&w);
}
END_TEST

/* ---- calls of definitions are the same as writing them out ---- */
START_TEST(inlining)
{
    static const struct {
        const char *calls, *plain;
    } rows[] = {
        {"f(x) = x*x + 1; f(y - 2)", "(y - 2)^2 + 1"},
        {"f(x) = x + 1; g(x) = f(f(x)) * x; g(x) - g(y)", "((x + 1) + 1)*x - ((y + 1) + 1)*y"},
        {"sum(x[]) = sum(x) + 1; (x[]) = sum(x)", "(x[]) = sum(x) + 1"},
        {"f(x) = x; f(x) = f(x) + 1; f(x)", "x + 1"},
        {"f(a, b) = a - b; f(b, a)", "b - a"},
        {"f(e) = e + 1; f(x) + e", "x + 1 + e"},
        {"f(x[]) = x/mean(x); (y[]) = f(y*y)", "(y[]) = (y*y)/mean(y*y)"},
        {"f(m) = m ? 1 : 2; f(x > 1)", "x > 1 ? 1 : 2"},
        {"f() = 3; f()*x", "3*x"},
        {"abs(x) = x + 5; abs(x)", "x + 5"},
    };
    char *a = term_of(rows[_i].calls, JK_F64), *b = term_of(rows[_i].plain, JK_F64);
    ck_assert_str_eq(a, b);
    free(a);
    free(b);
}
END_TEST

START_TEST(entries)
{
    work w;
    ck_assert_int_eq(lower(&w, "f(x[]) = x + 1; g(x[]) = x + 2; h(x[]) = 3*x", JK_F64, false, "g", 0), JITK_OK);
    ck_assert_uint_eq(w.p.nparams, 1);
    done(&w);
    ck_assert_int_eq(lower(&w, "scale(x[]) = x + 1; 2*x", JK_F64, false, "scalr", 0), JITK_ERR_NAME);
    ck_assert_str_eq(w.e.message, "no definition is named 'scalr' (did you mean 'scale'?)");
    done(&w);
}
END_TEST

/* ---- errors ---- */
static const struct {
    const char *source;
    jitk_status status;
    unsigned line, column, length;
    const char *part;
} errors[] = {
    {"2 * sqr(x)", JITK_ERR_NAME, 1, 5, 3, "unknown function 'sqr' (did you mean 'sqrt'?)"},
    {"x +\n  flor(y)", JITK_ERR_NAME, 2, 3, 4, "did you mean 'floor'?"},
    {"frobnicate(x)", JITK_ERR_NAME, 1, 1, 10, "unknown function 'frobnicate'"},
    {"(alpha, x[]) = alhpa*x", JITK_ERR_NAME, 1, 16, 5, "unknown name 'alhpa' (did you mean 'alpha'?)"},
    {"(x[]) = x + q", JITK_ERR_NAME, 1, 13, 1, "unknown name 'q'"},
    {"(x[]) = x + sum", JITK_ERR_NAME, 1, 13, 3, "'sum' is a function"},
    {"(sum, x[]) = sum(x)", JITK_ERR_NAME, 1, 14, 3, "'sum' is a parameter here"},
    {"clamp(x, 1)", JITK_ERR_ARGS, 1, 1, 5, "'clamp' takes 3 arguments, not 2: (x, lo, hi)"},
    {"sqrt()", JITK_ERR_ARGS, 1, 1, 4, "'sqrt' takes 1 argument, not 0"},
    {"1 + min()", JITK_ERR_ARGS, 1, 5, 3, "'min' takes 1 or more arguments, not 0"},
    {"length(x)", JITK_ERR_ARGS, 1, 1, 6, "takes 0 arguments"},
    {"dot(x)", JITK_ERR_ARGS, 1, 1, 3, "(x, y)"},
    {"f(a, b) = a; f(x)", JITK_ERR_ARGS, 1, 14, 1, "'f' takes 2 arguments, not 1"},
    {"x^y", JITK_ERR_UNSUPPORTED, 1, 3, 1, "no constant"},
    {"pow(x, 2.5)", JITK_ERR_UNSUPPORTED, 1, 8, 3, "0.5, -1 or a whole number from 0 to 16"},
    {"x^17", JITK_ERR_UNSUPPORTED, 1, 3, 2, "from 0 to 16"},
    {"x^-2", JITK_ERR_UNSUPPORTED, 1, 3, 2, "from 0 to 16"},
    {"(a, x[]) = x^a", JITK_ERR_UNSUPPORTED, 1, 14, 1, "no constant"},
    {"1 + exp(x)", JITK_ERR_UNSUPPORTED, 1, 5, 3, "'exp' is not supported yet"},
    {"var(x, 1)", JITK_ERR_UNSUPPORTED, 1, 1, 3, "not supported yet"},
    {"index()*x", JITK_ERR_UNSUPPORTED, 1, 1, 5, "not supported yet"},
    {"1 + pi()", JITK_ERR_NAME, 1, 5, 2, "'pi' is a constant, not a function"},
    {"pi(x) = x; g() = 2*pi", JITK_ERR_NAME, 1, 20, 2, "'pi' is a function: expected its arguments"},
    {"f(x) = f(x) + 1", JITK_ERR_NAME, 1, 8, 1, "'f' calls itself: there is no recursion"},
    {"f(x) = g(x); g(x) = x; f(y)", JITK_ERR_NAME, 1, 8, 1, "defined further down"},
    {"f(x, y) = x, y; f(x, y)", JITK_ERR_TYPE, 1, 17, 1, "has 2 results"},
    {"f(x: f32) = x; f(y)", JITK_ERR_UNSUPPORTED, 1, 16, 1, "not supported yet"},
    {"(x[wrap]) = x", JITK_ERR_UNSUPPORTED, 1, 2, 1, "edge rules"},
    {"x + 1e999", JITK_ERR_TYPE, 1, 5, 5, "1e999 is too large for f64; infinity is written 'inf'"},
};

START_TEST(error_rows)
{
    work w;
    const char *s = errors[_i].source;
    ck_assert_msg(lower(&w, s, JK_F64, false, NULL, 0) == errors[_i].status, "%s: status %d, %s", s, (int)w.e.status,
                  w.e.message);
    ck_assert_msg(w.e.line == errors[_i].line && w.e.column == errors[_i].column && w.e.length == errors[_i].length,
                  "%s: at %zu:%zu+%zu: %s", s, w.e.line, w.e.column, w.e.length, w.e.message);
    ck_assert_msg(strstr(w.e.message, errors[_i].part) != NULL, "%s: %s", s, w.e.message);
    done(&w);
}
END_TEST

START_TEST(error_options)
{
    work w;
    ck_assert_int_eq(lower(&w, "x + 1e39", JK_F32, false, NULL, 0), JITK_ERR_TYPE);
    done(&w);
    ck_assert_int_eq(lower(&w, "x", JK_F64, false, NULL, JITK_STRICT), JITK_OK);
    done(&w);
}
END_TEST

/* A scalar function has scalars of the kernel's type only. */
START_TEST(scalar_functions)
{
    static const char *const wrong[] = {"(x[]) = x",    "sum(x)",         "(a, b) = a, b",
                                        "(a: f32) = a", "(a) -> i64 = a", "a*length()"};
    work w;
    size_t i;
    for (i = 0; i < COUNT(wrong); i++) {
        ck_assert_msg(lower(&w, wrong[i], JK_F64, true, NULL, 0) == JITK_ERR_TYPE, "%s: %s", wrong[i], w.e.message);
        done(&w);
    }
    ck_assert_int_eq(lower(&w, "hyp(a, b) = sqrt(a^2 + b^2)", JK_F64, true, NULL, 0), JITK_OK);
    done(&w);
    ck_assert_int_eq(lower(&w, "sqrt(a^2 + b^2)", JK_F64, true, NULL, 0), JITK_OK);
    ck_assert(!w.p.args[0].is_array && !w.p.args[2].is_array);
    ck_assert_uint_eq(w.p.nstages, 1);
    done(&w);
}
END_TEST

/* Definitions that double at each step end with an error, not with the machine's memory. */
START_TEST(calls_that_grow)
{
    char text[4000], *at = text;
    int i;
    work w;
    at += sprintf(at, "f0(x) = x + 1;");
    for (i = 1; i < 100; i++)
        at += sprintf(at, "f%d(x) = f%d(f%d(x));", i, i - 1, i - 1);
    ck_assert_int_eq(lower(&w, text, JK_F64, false, NULL, 0), JITK_ERR_LIMIT);
    ck_assert_uint_eq(w.e.line, 1); /* where it happens */
    ck_assert_uint_gt(w.e.length, 0);
    done(&w);
}
END_TEST

START_TEST(too_many_rare_bodies)
{
    char *text = (char *)malloc(1 << 20), *at = text;
    int i;
    work w;
    for (i = 0; i < 70000; i++)
        at += sprintf(at, "%sx%%%d", i ? "+" : "", i + 1);
    ck_assert_int_eq(lower(&w, text, JK_F64, false, NULL, 0), JITK_ERR_LIMIT);
    done(&w);
    free(text);
}
END_TEST

/* ---- the list of functions ---- */
START_TEST(functions_are_sorted_and_found)
{
    size_t i;
    for (i = 0; i < JK_NFUNCTIONS; i++) {
        ck_assert(i == 0 || strcmp(jk_fns[i - 1].name, jk_fns[i].name) < 0);
        ck_assert_ptr_eq(jk_fn_find(jk_fns[i].name, strlen(jk_fns[i].name)), &jk_fns[i]);
    }
    ck_assert_ptr_null(jk_fn_find("absx", 4));
    ck_assert_ptr_null(jk_fn_find("", 0));
}
END_TEST

/* How many arguments a function takes, at least and at most, off its parameters' text. */
static void counts(const char *params, size_t *least, size_t *most)
{
    const char *s;
    size_t n = *params != 0, all = n;
    *least = SIZE_MAX;
    for (s = params; *s; s++) {
        if (*s == '[')
            *least = all;
        all += *s == ',';
    }
    n = all;
    *most = all;
    if (strstr(params, "...")) {
        *most = SIZE_MAX;
        n--;
    }
    if (*least > n)
        *least = n;
}

/* Every function with as many arguments as it takes, and with one more and one less; constants are none. */
START_TEST(functions_take_their_arguments)
{
    const jk_fn *f = &jk_fns[_i];
    size_t least, most, n, k;
    char text[100], *at;
    work w;
    if (!f->params) {
        sprintf(text, "%s()", f->name);
        ck_assert_int_eq(lower(&w, text, JK_F64, false, NULL, 0), JITK_ERR_NAME);
        done(&w);
        ck_assert_int_eq(lower(&w, f->name, JK_F64, false, NULL, 0), JITK_OK);
        done(&w);
        return;
    }
    counts(f->params, &least, &most);
    ck_assert(!f->script || f->nparams == least);
    ck_assert(!f->script || most == (f->flags & JK_FN_MANY ? SIZE_MAX : least));
    for (n = 0; n < 6; n++) {
        jitk_status want = !f->script ? JITK_ERR_UNSUPPORTED : n < least || n > most ? JITK_ERR_ARGS : JITK_OK;
        at = text + sprintf(text, "%s(", f->name);
        for (k = 0; k < n; k++)
            at += sprintf(at, "%s%s", k ? ", " : "", f->script == jk_script_pow && k == 1 ? "7" : k % 2 ? "y" : "x");
        strcpy(at, ")");
        ck_assert_msg(lower(&w, text, _i % 2 ? JK_F64 : JK_F32, false, NULL, 0) == want, "%s: %s", text, w.e.message);
        done(&w);
    }
}
END_TEST

/* ---- values ---- */
/* Random floats of every size, with many special ones. */
static uint64_t random_bits(const plain_format *f)
{
    static uint64_t state = 88172645463325252u;
    uint64_t r, low = ((uint64_t)1 << f->mantissa) - 1, sign;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    r = state * 0x2545f4914f6cdd1du;
    sign = r >> 60 & 1 ? f->sign : 0;
    switch (r >> 61) {
    case 0: /* subnormal, some of few bits */
        return sign | (r & (r >> 32 & 1 ? low : 15));
    case 1: /* the largest */
        return sign | (f->inf - 1 - (r & (r >> 32 & 1 ? low : 15)));
    case 2: /* half-integers */
        return f == &plain_f64 ? plain_double_bits((double)(int)(r & 4095) / 2 - 900)
                               : plain_float_bits((float)(int)(r & 4095) / 2 - 900);
    case 3: /* about 1 */
        return sign | (f->one + (r & 7) - 4);
    default:
        r &= f->sign | (f->sign - 1);
        return r;
    }
}

/* Runs source(x[], y[]) over many random elements and compares with want(x, y). */
static void compare(const char *source, bool wide, uint64_t (*want)(const plain_format *, uint64_t, uint64_t))
{
    enum { N = 4096, ROUNDS = 10 };
    const plain_format *f = wide ? &plain_f64 : &plain_f32;
    static char array[3][N * 8];
    void *arg[3];
    work w;
    int round;
    size_t i, size = f->bytes;
    lower_ok(&w, source, wide ? JK_F64 : JK_F32);
    for (i = 0; i < 3; i++)
        arg[i] = array[i];
    for (round = 0; round < ROUNDS; round++) {
        unsigned mode;
        for (i = 0; i < N; i++) {
            uint64_t x = random_bits(f), y = random_bits(f);
            memcpy(array[0] + i * size, &x, size);
            memcpy(array[1] + i * size, &y, size);
        }
        run(&w.p, arg, N);
        mode = plain_enter();
        for (i = 0; i < N; i++) {
            uint64_t x = 0, y = 0, got = 0, r;
            memcpy(&x, array[0] + i * size, size);
            memcpy(&y, array[1] + i * size, size);
            memcpy(&got, array[2] + i * size, size);
            r = want(f, x, y);
            ck_assert_msg(plain_same(f, r, got), "%s of %#llx, %#llx: %#llx, not %#llx", source, (unsigned long long)x,
                          (unsigned long long)y, (unsigned long long)got, (unsigned long long)r);
        }
        plain_leave(mode);
    }
    done(&w);
}

static uint64_t want_round(const plain_format *f, uint64_t x, uint64_t y)
{
    (void)y;
    return plain_integer(f, x, PLAIN_ROUND);
}

static uint64_t want_sign(const plain_format *f, uint64_t x, uint64_t y)
{
    (void)y;
    return plain_isnan(f, x) || (x & ~f->sign) == 0 ? x : (x & f->sign) | f->one;
}

static uint64_t want_root(const plain_format *f, uint64_t x, uint64_t y)
{
    (void)y;
    return x == f->sign ? 0 : x == (f->sign | f->inf) ? f->inf : plain_sqrt(f, x);
}

static uint64_t want_clamp(const plain_format *f, uint64_t x, uint64_t y)
{
    return plain_min(f, plain_max(f, x, f->sign | f->one), y);
}

static uint64_t want_logic(const plain_format *f, uint64_t x, uint64_t y)
{
    bool a = plain_lt(f, y, x), b = !plain_eq(f, x, 0);
    return (a && !b) || !(plain_lt(f, x, y) || plain_eq(f, x, y)) ? f->one : 0;
}

START_TEST(values)
{
    static const struct {
        const char *source;
        uint64_t (*want)(const plain_format *, uint64_t, uint64_t);
    } rows[] = {{"(x[], y[]) = x % y", plain_fmod},           {"(x[], y[]) = round(x)", want_round},
                {"(x[], y[]) = sign(x)", want_sign},          {"(x[], y[]) = x^0.5", want_root},
                {"(x[], y[]) = clamp(x, -1, y)", want_clamp}, {"(x[], y[]) = x > y && !x || !(x <= y)", want_logic}};
    compare(rows[_i / 2].source, _i % 2, rows[_i / 2].want);
}
END_TEST

#if defined(__x86_64__) /* long double has 64 bits: enough to judge 0.51 units of a double's last place */
/* The distance of got from x^n in units of got's last place, and far off where signs or infinities are wrong. Products
 * of 64 bits err by 15 * 2^-64 in all, 0.0074 of such a unit. */
static double power_error(double x, unsigned n, double got, bool wide)
{
    long double want = 1, unit, most = wide ? 0x1p1024L : 0x1p128L;
    int e;
    unsigned k;
    for (k = 0; k < n; k++)
        want *= (long double)x;
    if (plain_double_bits(got) >> 63 != (x < 0 && n % 2))
        return 1e9;
    frexpl(want, &e);
    e = e - (wide ? 53 : 24);
    e = e < (wide ? -1074 : -149) ? (wide ? -1074 : -149) : e;
    unit = ldexpl(1.0L, e);
    if ((plain_double_bits(got) & ~plain_f64.sign) == plain_f64.inf) /* as if the range went on */
        return fabsl(want) >= most ? 0 : (double)((most - fabsl(want)) / unit);
    return (double)(fabsl(want - (long double)got) / unit);
}

/* x for x^n in the whole range of results, and about where they vanish and overflow. */
static double power_argument(unsigned n, bool wide, uint64_t r)
{
    double low = wide ? -1080 : -152, high = wide ? 1025 : 129, at = (double)(r >> 40) / 16777216.0, x;
    double e = r % 4 == 0 ? low + 60 * at : r % 4 == 1 ? high - 2 * at : low + (high - low) * at;
    x = pow(2.0, e / n) * (1 + (double)(r & 0xffff00) / 1e12);
    return (r & 16 ? -1 : 1) * (wide ? x : (double)(float)x);
}

START_TEST(powers_are_within_051)
{
    enum { N = 4096 };
    unsigned n = 5 + (unsigned)_i / 2, mode;
    bool wide = _i % 2;
    static double x[N], r[N];
    static float xf[N], rf[N];
    void *arg[2];
    char source[32];
    work w;
    size_t i;
    uint64_t state = 12345;
    sprintf(source, "(x[]) = x^%u", n);
    lower_ok(&w, source, wide ? JK_F64 : JK_F32);
    mode = plain_enter();
    for (i = 0; i < N; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        x[i] = power_argument(n, wide, state ^ state >> 29);
        xf[i] = (float)x[i];
    }
    arg[0] = wide ? (void *)x : (void *)xf;
    arg[1] = wide ? (void *)r : (void *)rf;
    run(&w.p, arg, N);
    for (i = 0; i < N; i++) {
        double error = power_error(x[i], n, wide ? r[i] : (double)rf[i], wide);
        ck_assert_msg(error < 0.518, "%a^%u = %a is off by %g", x[i], n, wide ? r[i] : (double)rf[i], error);
    }
    plain_leave(mode);
    done(&w);
}
END_TEST
#endif

/* 0, infinity and NaN, and exact results. */
START_TEST(powers_of_special_values)
{
    char source[64], *got;
    unsigned n, k;
    for (n = 5; n <= 16; n++) {
        static const char *const base[] = {"0", "-0", "inf", "-inf", "nan", "1", "-1", "2", "-2"};
        for (k = 0; k < COUNT(base); k++) {
            bool odd = n % 2;
            char want[32];
            snprintf(want, sizeof want, "%s%d", k == 8 && odd ? "-" : "", 1 << n);
            if (k < 7)
                strcpy(want, k == 4 ? "nan" : odd ? base[k] : base[k & ~1u] + (base[k & ~1u][0] == '-'));
            if (!odd && k < 7 && k != 4)
                strcpy(want, k < 2 ? "0" : k < 4 ? "inf" : "1");
            sprintf(source, "(%s)^%u", base[k], n);
            got = term_of(source, _i ? JK_F64 : JK_F32);
            ck_assert_msg(strcmp(got, want) == 0, "%s: expected %s, got %s", source, want, got);
            free(got);
        }
    }
}
END_TEST

/* Exact integers: a count and a place reach an i64 result unrounded, others once. */
START_TEST(exact_integers)
{
    static const struct {
        const char *source;
        jk_type type;
    } rows[] = {{"(x[]) -> i64 = count(x > 0)", JK_F64},
                {"(x[]) = count(x > 0)", JK_F32},
                {"(x[]) -> i64 = argmax(x)", JK_I64},
                {"(x[]) = argmin(x)", JK_F32},
                {"(x[]) = sum(x)", JK_F32},
                {"(x[]) = mean(x)", JK_F32},
                {"(x[]) -> i64 = length()", JK_F64},
                {"(x[]) = min(x)", JK_F32},
                {"(x[]) -> i64 = count(x) + 1", JK_F32},
                {"(x[]) -> u8 = any(x)", JK_F32},
                {"(x[]) = x > 0", JK_F32}};
    work w;
    lower_ok(&w, rows[_i].source, JK_F32);
    ck_assert_int_eq(w.p.ins[w.p.args[1].value].type, rows[_i].type);
    done(&w);
}
END_TEST

/* ---- the verifier ---- */
/* A program whose tables may be written, with two passes, a rare body and every kind of stage. */
typedef struct broken {
    work w;
    jk_program p;
    jk_ins *ins;
    uint32_t *cell;
    uint8_t *varying;
    jk_rare *rares;
    jk_stage *stages;
    jk_param_info *args;
    jk_ref *order[5], *red[5];
} broken;

static void *copy(const void *from, size_t nbytes)
{
    void *p = malloc(nbytes + 1);
    if (nbytes)
        memcpy(p, from, nbytes);
    return p;
}

static void broken_open(broken *b)
{
    uint32_t k;
    lower_ok(&b->w, "(a, x[]) = x*(a*3) % (1 + sum(x*x)), sum(x)*2", JK_F64);
    b->p = b->w.p;
    ck_assert_uint_eq(b->p.nstages, 5);
    b->p.ins = b->ins = (jk_ins *)copy(b->p.ins, b->p.nins * sizeof *b->ins);
    b->p.cell = b->cell = (uint32_t *)copy(b->p.cell, b->p.nins * sizeof *b->cell);
    b->p.varying = b->varying = (uint8_t *)copy(b->p.varying, b->p.nins);
    b->p.rares = b->rares = (jk_rare *)copy(b->p.rares, b->p.nrares * sizeof *b->rares);
    b->p.stages = b->stages = (jk_stage *)copy(b->p.stages, b->p.nstages * sizeof *b->stages);
    b->p.args = b->args = (jk_param_info *)copy(b->p.args, b->p.nargs * sizeof *b->args);
    for (k = 0; k < 5; k++) {
        b->stages[k].order = b->order[k] = (jk_ref *)copy(b->stages[k].order, b->stages[k].norder * sizeof(jk_ref));
        b->stages[k].red = b->red[k] =
            (jk_ref *)copy(b->stages[k].nred ? b->stages[k].red : b->order[k], b->stages[k].nred * sizeof(jk_ref));
    }
}

static void broken_close(broken *b)
{
    uint32_t k;
    for (k = 0; k < 5; k++) {
        free(b->order[k]);
        free(b->red[k]);
    }
    free(b->ins);
    free(b->cell);
    free(b->varying);
    free(b->rares);
    free(b->stages);
    free(b->args);
    done(&b->w);
}

/* The first instruction of an op. */
static jk_ref first_of(const broken *b, jk_op op)
{
    jk_ref r = 0;
    while (b->ins[r].op != op)
        r++;
    return r;
}

/* Case _i breaks one thing; case 0 nothing. */
enum { BREAKS = 24 };
static void break_it(broken *b, int what)
{
    jk_ref rare = first_of(b, JK_RARE), mul = first_of(b, JK_MUL), *last = b->order[3];
    uint32_t n = b->stages[3].norder;
    switch (what) {
    case 1:
        b->ins[mul].op = JK_OP_COUNT;
        break;
    case 2:
        b->ins[mul].a = mul;
        break;
    case 3:
        b->ins[mul].type = JK_F32;
        break;
    case 4:
        b->ins[first_of(b, JK_LT)].type = JK_F64;
        break;
    case 5:
        b->ins[first_of(b, JK_SELECT)].a = mul;
        break;
    case 6:
        b->varying[first_of(b, JK_RSUM)] = 1;
        break;
    case 7:
        b->varying[first_of(b, JK_ABS)] ^= 1;
        break;
    case 8:
        b->ins[rare].aux = 7;
        break;
    case 9: /* a use of the body from outside: before its end is nothing, so behind it */
        b->args[3].value = b->ins[rare].c;
        break;
    case 10:
        b->ins[first_of(b, JK_LOAD)].a = 0;
        break;
    case 11: /* the last before the first */
        mul = last[n - 1];
        last[n - 1] = last[0];
        last[0] = mul;
        break;
    case 12:
        last[n - 2] = last[n - 3];
        break;
    case 13:
        last[0] = first_of(b, JK_LOAD);
        break;
    case 14:
        last[0] = first_of(b, JK_RSUM);
        break;
    case 15:
        b->cell[first_of(b, JK_RSUM)] = JK_NOCELL;
        break;
    case 16:
        b->cell[first_of(b, JK_PARAM)] = JK_NOCELL;
        break;
    case 17:
        b->stages[1].is_pass = false;
        break;
    case 18:
        b->stages[3].stores = false;
        break;
    case 19:
        b->stages[1].stores = true;
        break;
    case 20:
        b->args[2].value = first_of(b, JK_LT);
        break;
    case 21:
        b->red[1][0] = b->red[1][1];
        break;
    case 22:
        b->p.nstages = 4;
        break;
    case 23:
        b->ins[first_of(b, JK_BITS)].type = JK_I32;
        break;
    default:
        break;
    }
}

START_TEST(verifier_catches)
{
    broken b;
    const char *message;
    broken_open(&b);
    break_it(&b, _i);
    message = jk_ir_verify(&b.p);
    ck_assert_msg(_i ? message != NULL : message == NULL, "case %d: %s", _i, message ? message : "nothing seen");
    broken_close(&b);
}
END_TEST

/* ---- memory that runs out at each call in turn ---- */
START_TEST(no_memory)
{
    static const char source[] = "f(x, y) = x % y + x^7; (a, x[], y[]) = f(x, y)*a + sum(x - mean(y)), min(x)";
    jitk_ast ast;
    jitk_error e;
    jk_lower_options o;
    jk_program p;
    static char text_room[65536], tiny[1 << 14];
    size_t room;
    int refuse = 0, failures = 0;
    memset(&o, 0, sizeof o);
    memset(&e, 0, sizeof e);
    ck_assert_int_eq(jk_parse(&ast, source, strlen(source), text_room, sizeof text_room, &e), JITK_OK);
    for (room = 0; room < sizeof tiny; room += 16 + room / 8) /* the first block ends at any allocation */
        for (refuse = 0; refuse < 30; refuse++) {
            jk_arena arena;
            jitk_status status;
            memset(&e, 0, sizeof e);
            jk_arena_init(&arena, tiny, room);
            check_ir_refuse = refuse;
            status = jk_lower(&ast, &o, &arena, &p, &e);
            check_ir_refuse = -1;
            jk_arena_free(&arena);
            ck_assert_int_eq(check_ir_live, 0);
            if (status == JITK_OK)
                break;
            ck_assert_int_eq(status, JITK_ERR_NOMEM);
            ck_assert_int_eq(e.status, JITK_ERR_NOMEM);
            failures++;
        }
    ck_assert_int_gt(failures, 20);
    ck_assert_int_lt(refuse, 30);
    jk_arena_free(&ast.arena);
}
END_TEST

/* These tests stand below the public calls, which set the mode: gcc links -ffast-math programs so that they start with
 * subnormals flushed. */
static void own_mode(void)
{
    jk_fp_enter();
}

Suite *suite_ir(void)
{
    Suite *s = suite_create("ir");
    TCase *tc = tcase_create("ir");
    tcase_add_checked_fixture(tc, own_mode, NULL);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, dumps, 0, (int)COUNT(dump_files));
    tcase_add_test(tc, every_dump_file_is_listed);
    tcase_add_loop_test(tc, rules_rewrite, 0, (int)COUNT(terms));
    tcase_add_test(tc, rules_by_type);
    tcase_add_loop_test(tc, rules_are_exact, 0, 2 * JK_OP_COUNT);
    tcase_add_loop_test(tc, folds_like_the_interpreter, 0, 2 * JK_OP_COUNT);
    tcase_add_test(tc, sharing);
    tcase_add_loop_test(tc, rare_scopes, 0, 2);
    tcase_add_loop_test(tc, long_texts, 0, 6);
    tcase_add_test(tc, balanced_tree);
    tcase_add_loop_test(tc, plan_shapes, 0, (int)COUNT(plans));
    tcase_add_loop_test(tc, argument_shapes, 0, (int)COUNT(signatures));
    tcase_add_loop_test(tc, inlining, 0, 10);
    tcase_add_test(tc, entries);
    tcase_add_loop_test(tc, error_rows, 0, (int)COUNT(errors));
    tcase_add_test(tc, error_options);
    tcase_add_test(tc, scalar_functions);
    tcase_add_test(tc, calls_that_grow);
    tcase_add_test(tc, too_many_rare_bodies);
    tcase_add_test(tc, functions_are_sorted_and_found);
    tcase_add_loop_test(tc, functions_take_their_arguments, 0, (int)JK_NFUNCTIONS);
    tcase_add_loop_test(tc, values, 0, 12);
#if defined(__x86_64__)
    tcase_add_loop_test(tc, powers_are_within_051, 0, 24);
#endif
    tcase_add_loop_test(tc, powers_of_special_values, 0, 2);
    tcase_add_loop_test(tc, exact_integers, 0, 11);
    tcase_add_loop_test(tc, verifier_catches, 0, BREAKS);
    tcase_add_test(tc, no_memory);
    suite_add_tcase(s, tc);
    return s;
}
