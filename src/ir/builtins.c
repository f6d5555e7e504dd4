/* ir: the language's functions and named constants. One list has all of a function: its name, its parameters as an
 * error message shows them (the counts are read off them), and how it lowers. The list is sorted by name: it is
 * searched by halves. What the language has and this version cannot do stands here as LATER, so that the message can
 * say so.
 *
 * C leaves open in which order a call's arguments are computed, and numbers of values must not depend on the compiler:
 * no call here has two arguments that emit, but for constants, which are entered first. */
#include "ir.h"

JK_SMALL_OPEN

/* X(name, parameters, kind, op). In the parameters `[` begins what may be left out and `...` allows any number. */
/* clang-format off */
#define JK_FUNCTIONS(X) \
    X("abs", "x", OP, ABS) \
    X("acos", "x", LATER, CONST) \
    X("acosh", "x", LATER, CONST) \
    X("all", "x", ALL, RSUM) \
    X("any", "x", ANY, RSUM) \
    X("argmax", "x", ARGMAX, RARGMIN) \
    X("argmin", "x", ARGMIN, RARGMIN) \
    X("asin", "x", LATER, CONST) \
    X("asinh", "x", LATER, CONST) \
    X("atan", "x", LATER, CONST) \
    X("atan2", "y, x", LATER, CONST) \
    X("atanh", "x", LATER, CONST) \
    X("cbrt", "x", LATER, CONST) \
    X("ceil", "x", OP, CEIL) \
    X("clamp", "x, lo, hi", CLAMP, CONST) \
    X("copysign", "x, y", OP, COPYSIGN) \
    X("cos", "x", LATER, CONST) \
    X("cosh", "x", LATER, CONST) \
    X("cospi", "x", LATER, CONST) \
    X("count", "x", COUNT, RSUM) \
    X("dot", "x, y", DOT, RSUM) \
    X("erf", "x", LATER, CONST) \
    X("erfc", "x", LATER, CONST) \
    X("exp", "x", LATER, CONST) \
    X("exp10", "x", LATER, CONST) \
    X("exp2", "x", LATER, CONST) \
    X("expm1", "x", LATER, CONST) \
    X("floor", "x", OP, FLOOR) \
    X("fma", "x, y, z", OP, FMA) \
    X("fmod", "x, y", MOD, CONST) \
    X("fold", "t = start, E", LATER, CONST) \
    X("hypot", "x, y", LATER, CONST) \
    X("index", "", LATER, CONST) \
    X("isfinite", "x", ISFINITE, LT) \
    X("isinf", "x", ISINF, EQ) \
    X("isnan", "x", OP, ISNAN) \
    X("length", "", LENGTH, LENGTH) \
    X("lgamma", "x", LATER, CONST) \
    X("log", "x", LATER, CONST) \
    X("log10", "x", LATER, CONST) \
    X("log1p", "x", LATER, CONST) \
    X("log2", "x", LATER, CONST) \
    X("max", "x, ...", MAX, MAX) \
    X("mean", "x", MEAN, RSUM) \
    X("min", "x, ...", MIN, MIN) \
    X("mod", "x, y", LATER, CONST) \
    X("norm", "x", LATER, CONST) \
    X("pow", "x, y", POW, CONST) \
    X("prod", "x", PROD, RPROD) \
    X("rint", "x", OP, RINT) \
    X("round", "x", ROUND, TRUNC) \
    X("sigmoid", "x", LATER, CONST) \
    X("sign", "x", SIGN, COPYSIGN) \
    X("sin", "x", LATER, CONST) \
    X("sinh", "x", LATER, CONST) \
    X("sinpi", "x", LATER, CONST) \
    X("sqrt", "x", OP, SQRT) \
    X("std", "x[, d]", LATER, CONST) \
    X("sum", "x", SUM, RSUM) \
    X("tan", "x", LATER, CONST) \
    X("tanh", "x", LATER, CONST) \
    X("tgamma", "x", LATER, CONST) \
    X("trunc", "x", OP, TRUNC) \
    X("var", "x[, d]", LATER, CONST) \
    X("where", "c, a, b", WHERE, SELECT)
/* clang-format on */

/* From FN_SUM on: reductions; so are min and max of one argument. */
typedef enum jk_fn_kind {
    JK_FN_OP,
    JK_FN_CLAMP,
    JK_FN_WHERE,
    JK_FN_SIGN,
    JK_FN_ROUND,
    JK_FN_MOD,
    JK_FN_POW,
    JK_FN_ISINF,
    JK_FN_ISFINITE,
    JK_FN_LENGTH,
    JK_FN_LATER,
    JK_FN_MIN,
    JK_FN_MAX,
    JK_FN_SUM,
    JK_FN_PROD,
    JK_FN_MEAN,
    JK_FN_DOT,
    JK_FN_ANY,
    JK_FN_ALL,
    JK_FN_COUNT,
    JK_FN_ARGMIN,
    JK_FN_ARGMAX,
    JK_FN_KIND_COUNT
} jk_fn_kind;

typedef struct jk_fn {
    const char *name, *params;
    uint8_t kind, op;
} jk_fn;

static const jk_fn jk_fns[] = {
#define JK_ROW(name, params, kind, op) {name, params, JK_FN_##kind, JK_##op},
    JK_FUNCTIONS(JK_ROW)
#undef JK_ROW
};
#define JK_NFUNCTIONS (sizeof jk_fns / sizeof *jk_fns)

/* The constants' digits are enough to round to either type. */
typedef struct jk_named {
    const char *name, *text;
} jk_named;
static const jk_named jk_nameds[] = {{"e", "2.71828182845904523536028747135266249775724709369996"},
                                     {"inf", NULL},
                                     {"nan", NULL},
                                     {"pi", "3.14159265358979323846264338327950288419716939937511"}};
#define JK_CONSTANT_COUNT (sizeof jk_nameds / sizeof *jk_nameds)

JK_FUNC int jk_name_compare(const char *a, size_t alen, const char *b, size_t blen)
{
    int c = memcmp(a, b, JK_SMALLER(alen, blen));
    return c ? c : (alen > blen) - (alen < blen);
}

JK_FUNC const jk_fn *jk_fn_find(const char *name, size_t len)
{
    size_t lo = 0, hi = JK_NFUNCTIONS;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = jk_name_compare(name, len, jk_fns[mid].name, strlen(jk_fns[mid].name));
        if (c == 0)
            return &jk_fns[mid];
        if (c < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

JK_FUNC const jk_named *jk_named_find(const char *name, size_t len)
{
    size_t i;
    for (i = 0; i < JK_CONSTANT_COUNT && len <= 3; i++)
        if (jk_name_compare(name, len, jk_nameds[i].name, strlen(jk_nameds[i].name)) == 0)
            return &jk_nameds[i];
    return NULL;
}

/* How many arguments a function takes, at least and at most, off its parameters' text. */
JK_FUNC void jk_fn_counts(const jk_fn *f, size_t *least, size_t *most)
{
    const char *s = f->params;
    size_t n = *s != 0;
    *least = SIZE_MAX;
    for (; *s; s++) {
        if (*s == '[')
            *least = n;
        n += *s == ',';
    }
    *most = n;
    if (n && s[-1] == '.') {
        *most = SIZE_MAX;
        n--;
    }
    *least = JK_SMALLER(*least, n);
}

JK_FUNC bool jk_fn_reduces(const jk_fn *f, size_t nargs)
{
    return f->kind >= JK_FN_SUM || (f->kind >= JK_FN_MIN && nargs == 1);
}

/* ---- the nearest known name ---- */
typedef struct jk_nearest {
    const char *name, *best;
    size_t len, best_len;
    unsigned distance;
} jk_nearest;

/* Edits (a letter put in, left out, replaced, or two swapped) from a to b; both at most JK_NAME_MAX long. */
JK_FUNC unsigned jk_edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
    uint8_t d[3][65];
    size_t i, j;
    for (j = 0; j <= nb; j++)
        d[0][j] = (uint8_t)j;
    for (i = 1; i <= na; i++) {
        uint8_t *now = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3];
        now[0] = (uint8_t)i;
        for (j = 1; j <= nb; j++) {
            unsigned cost = up[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u);
            cost = JK_SMALLER(cost, up[j] + 1u);
            cost = JK_SMALLER(cost, now[j - 1] + 1u);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost = JK_SMALLER(cost, up2[j - 2] + 1u);
            now[j] = (uint8_t)cost;
        }
    }
    return d[na % 3][nb];
}

JK_FUNC void jk_nearest_try(jk_nearest *s, const char *name, size_t len)
{
    size_t gap = len > s->len ? len - s->len : s->len - len;
    unsigned d;
    if (len > 63 || s->len > 63 || gap >= s->distance)
        return;
    d = jk_edit_distance(s->name, s->len, name, len);
    if (d < s->distance) {
        s->distance = d;
        s->best = name;
        s->best_len = len;
    }
}

/* One edit for short names, a third of the letters for longer ones. */
JK_FUNC void jk_nearest_init(jk_nearest *s, const char *name, size_t len)
{
    memset(s, 0, sizeof *s);
    s->name = name;
    s->len = len;
    s->distance = len < 2 ? 1 : len < 6 ? 2 : (unsigned)JK_SMALLER(len / 3 + 1, (size_t)4);
}

JK_FUNC void jk_nearest_text(const jk_nearest *s, char *out, size_t nbytes)
{
    out[0] = 0;
    if (s->best)
        snprintf(out, nbytes, " (did you mean '%.*s'?)", (int)s->best_len, s->best);
}

/* ---- truth values and numbers ---- */
/* Truth values, and the exact integers I64 and (in an f32 kernel) F64, as numbers of the kernel's type. */
JK_FUNC jk_ref jk_as_number(jk_ir *ir, jk_ref v)
{
    jk_type t = (jk_type)ir->ins[v].type, own = (jk_type)ir->type;
    jk_ref one, zero;
    if (t == own)
        return v;
    if (!jk_is_mask(t))
        return jk_ir_emit(ir, JK_CVT, own, 0, v, 0, 0);
    one = jk_ir_kind(ir, JK_IS_ONE);
    zero = jk_ir_kind(ir, JK_IS_ZERO);
    return jk_ir_3(ir, JK_SELECT, v, one, zero);
}

JK_FUNC jk_ref jk_as_mask(jk_ir *ir, jk_ref v)
{
    if (jk_is_mask((jk_type)ir->ins[v].type))
        return v;
    v = jk_as_number(ir, v);
    return jk_ir_2(ir, JK_NE, v, jk_ir_kind(ir, JK_IS_ZERO));
}

/* c ? a : b; of two truth values again one. */
JK_FUNC jk_ref jk_fn_select(jk_ir *ir, jk_ref c, jk_ref a, jk_ref b)
{
    c = jk_as_mask(ir, c);
    if (jk_is_mask((jk_type)ir->ins[a].type) && jk_is_mask((jk_type)ir->ins[b].type)) {
        a = jk_ir_2(ir, JK_MAND, c, a);
        b = jk_ir_2(ir, JK_MAND, jk_ir_1(ir, JK_MNOT, c), b);
        return jk_ir_2(ir, JK_MOR, a, b);
    }
    a = jk_as_number(ir, a);
    b = jk_as_number(ir, b);
    return jk_ir_3(ir, JK_SELECT, c, a, b);
}

/* ---- powers with whole exponents ---- */
typedef struct jk_double_word {
    jk_ref high, low;
} jk_double_word;

/* x^n for n from 5 to 16, left to right over the bits of n. high is the plain chain of products, low what it lacks: for
 * a product p = a*b the error is fma(a, b, -p), and of (h + l)^2 and (h + l)*x the terms with l*l and roundings of low
 * are below 2^-95 (f32: 2^-38), so that nothing need be renormalised on the way. */
JK_FUNC jk_double_word jk_power_chain(jk_ir *ir, jk_ref x, unsigned n)
{
    jk_double_word v;
    unsigned bit = 16;
    v.high = x;
    v.low = JK_NOREF;
    while (!(n & bit))
        bit >>= 1;
    while (bit >>= 1) {
        int square = 1;
        do {
            jk_ref f = square ? v.high : x, p = jk_ir_2(ir, JK_MUL, v.high, f);
            jk_ref low = jk_ir_3(ir, JK_FMA, v.high, f, jk_ir_1(ir, JK_NEG, p));
            if (v.low != JK_NOREF)
                low = jk_ir_3(ir, JK_FMA, square ? jk_ir_2(ir, JK_ADD, f, f) : f, v.low, low);
            v.high = p;
            v.low = low;
        } while (square-- && (n & bit));
    }
    return v;
}

/* ---- functions of several operations, as scripts ---- */
/* A step: op, the value it makes, its operands. A value is a letter: the arguments are x, y, z, and the step that makes
 * r is the last. What is no jk_op: */
typedef enum jk_script_op {
    JK_DO_NUMBER = JK_OP_COUNT, /* a as a number of the kernel's type */
    JK_DO_MASK,                 /* a as a truth value */
    JK_DO_INT_INF,              /* the bits of infinity, as an integer */
    JK_DO_POW2,                 /* 2^+-j (b: 0, 'j') or 2^+-nj (b: 'n'); + where a is '+' */
    JK_DO_CHAIN,                /* h and l: the words of a^n */
    JK_DO_ODD,                  /* the next step is for odd n only */
    JK_DO_BEGIN,                /* a rare body of mask a and fast value b; one that there is ends the script */
    JK_DO_AGAIN                 /* the body runs again while a; state b becomes c */
} jk_script_op;

typedef struct jk_script {
    uint8_t op;
    char to, a, b, c; /* CONST: a is a jk_kind; BITS: b is 'i' for an integer */
} jk_script;
#define JK_KIND(to, kind)                \
    {                                    \
        JK_CONST, to, JK_IS_##kind, 0, 0 \
    }
/* clang-format off */

/* 0 < |x| ? copysign(1, x) : x, so that zeros and NaN stay what they are. */
static const jk_script jk_script_sign[] = {
    JK_KIND('0', ZERO), JK_KIND('1', ONE), {JK_ABS, 'a', 'x', 0, 0}, {JK_LT, 'm', '0', 'a', 0},
    {JK_COPYSIGN, 's', '1', 'x', 0}, {JK_SELECT, 'r', 'm', 's', 'x'}};

/* Half away from zero: trunc(x + copysign(h, x)) with h the number below 0.5. With 0.5 itself the sum would round up to
 * 1 for x = h and move odd x above 2^52. With h: a fraction below one half stays below the next integer, for the sum is
 * short of it by at least a unit of x's own place; one half reaches it, for then the sum lies nearer to it (or ties, to
 * even) than to the number before; and an integer stays below the next. */
static const jk_script jk_script_round[] = {
    JK_KIND('h', ROUND), {JK_COPYSIGN, 'h', 'h', 'x', 0}, {JK_ADD, 's', 'x', 'h', 0}, {JK_TRUNC, 'r', 's', 0, 0}};

static const jk_script jk_script_isinf[] = {JK_KIND('i', INF), {JK_ABS, 'a', 'x', 0, 0}, {JK_EQ, 'r', 'a', 'i', 0}};
static const jk_script jk_script_isfinite[] = {JK_KIND('i', INF), {JK_ABS, 'a', 'x', 0, 0}, {JK_LT, 'r', 'a', 'i', 0}};
static const jk_script jk_script_clamp[] = {{JK_MAX, 'a', 'x', 'y', 0}, {JK_MIN, 'r', 'a', 'z', 0}};

/* n, an exact integer (as F64: memory ends long before 2^53). */
static const jk_script jk_script_length[] = {{JK_LENGTH, 'n', 0, 0, 0}, {JK_CVT, 'r', 'n', 0, 0}};

/* Sums and products come as F64 and round to the kernel's type once; counts are exact integers. */
static const jk_script jk_script_sum[] = {{JK_RSUM, 's', 'x', 0, 0}, {JK_DO_NUMBER, 'r', 's', 0, 0}};
static const jk_script jk_script_prod[] = {{JK_RPROD, 's', 'x', 0, 0}, {JK_DO_NUMBER, 'r', 's', 0, 0}};
static const jk_script jk_script_mean[] = {
    {JK_RSUM, 's', 'x', 0, 0}, {JK_LENGTH, 'n', 0, 0, 0}, {JK_CVT, 'n', 'n', 0, 0}, {JK_DIV, 's', 's', 'n', 0},
    {JK_DO_NUMBER, 'r', 's', 0, 0}};
static const jk_script jk_script_dot[] = {
    {JK_DO_NUMBER, 'y', 'y', 0, 0}, {JK_MUL, 'p', 'x', 'y', 0}, {JK_RSUM, 's', 'p', 0, 0}, {JK_DO_NUMBER, 'r', 's', 0, 0}};
static const jk_script jk_script_min[] = {{JK_RMIN, 'r', 'x', 0, 0}};
static const jk_script jk_script_max[] = {
    {JK_NEG, 'a', 'x', 0, 0}, {JK_RMIN, 'm', 'a', 0, 0}, {JK_NEG, 'r', 'm', 0, 0}};
static const jk_script jk_script_argmin[] = {{JK_RARGMIN, 'r', 'x', 0, 0}};
static const jk_script jk_script_argmax[] = {{JK_NEG, 'a', 'x', 0, 0}, {JK_RARGMIN, 'r', 'a', 0, 0}};
static const jk_script jk_script_count[] = {
    {JK_DO_MASK, 'm', 'x', 0, 0}, {JK_DO_NUMBER, 'n', 'm', 0, 0}, {JK_RSUM, 'r', 'n', 0, 0}};
static const jk_script jk_script_any[] = {
    {JK_DO_MASK, 'm', 'x', 0, 0}, {JK_DO_NUMBER, 'n', 'm', 0, 0}, {JK_RSUM, 's', 'n', 0, 0},
    {JK_DO_NUMBER, 's', 's', 0, 0}, JK_KIND('0', ZERO), {JK_LT, 'r', '0', 's', 0}};
static const jk_script jk_script_all[] = {
    {JK_DO_MASK, 'm', 'x', 0, 0}, {JK_MNOT, 'm', 'm', 0, 0}, {JK_DO_NUMBER, 'n', 'm', 0, 0}, {JK_RSUM, 's', 'n', 0, 0},
    {JK_DO_NUMBER, 's', 's', 0, 0}, JK_KIND('0', ZERO), {JK_EQ, 'r', 's', '0', 0}};

/* x % y: C's fmod, which is exact.
 *
 * REST is u - q*v, which is exact, and v more where q was one too large. STEP is u mod v for a quotient below 2^53 (f32:
 * 2^24): the rounded quotient may be one too large, then the remainder, which is exact, is negative.
 *
 * A quotient of 2^53 and more goes through the rare body, 52 bits a turn (2098 bits at most; f32: 277 bits, 23 a turn).
 * A turn takes from s the multiple of b * 2^k that leaves less than that, 2^k being 2^52 (f32: 2^23) less than the power
 * of two in the quotient t. Where the quotient overflows (g) it is computed of s/S and b*S, and the factor S^2 put back
 * in two steps. All products here are exact. */
#define JK_REST(d, u, q, v) \
    {JK_NEG, q, q, 0, 0}, {JK_FMA, d, q, v, u}, JK_KIND('0', ZERO), {JK_LT, 'l', d, '0', 0}, {JK_ADD, 'e', d, v, 0}, \
    {JK_SELECT, d, 'l', 'e', d}
#define JK_STEP(d, u, v) \
    {JK_DIV, 'q', u, v, 0}, {JK_TRUNC, 'q', 'q', 0, 0}, JK_REST(d, u, 'q', v), {JK_LT, 'l', u, v, 0}, \
    {JK_SELECT, d, 'l', u, d}
static const jk_script jk_script_mod[] = {
    {JK_ABS, 'a', 'x', 0, 0}, {JK_ABS, 'b', 'y', 0, 0}, JK_KIND('n', MANY), JK_KIND('0', ZERO), JK_KIND('i', INF),
    JK_STEP('d', 'a', 'b'), {JK_COPYSIGN, 'f', 'd', 'x', 0},
    {JK_DIV, 'q', 'a', 'b', 0}, {JK_LE, 'm', 'n', 'q', 0}, {JK_LT, 'l', 'a', 'i', 0}, {JK_MAND, 'm', 'm', 'l', 0},
    {JK_LT, 'l', '0', 'b', 0}, {JK_MAND, 'm', 'm', 'l', 0},
    {JK_DO_BEGIN, 0, 'm', 'f', 0}, {JK_RSTATE, 's', 'a', 0, 0},
    JK_KIND('1', ONE), JK_KIND('i', INF), JK_KIND('S', SCALE),
    {JK_DIV, 't', 's', 'b', 0}, {JK_EQ, 'g', 't', 'i', 0}, {JK_MUL, 'u', 'b', 'S', 0}, JK_KIND('v', UNSCALE),
    {JK_MUL, 'w', 's', 'v', 0}, {JK_DIV, 'p', 'w', 'u', 0}, {JK_SELECT, 't', 'g', 'p', 't'},
    {JK_BITS, 'p', 't', 'i', 0}, {JK_DO_INT_INF, 'v', 0, 0, 0}, {JK_IAND, 'p', 'p', 'v', 0}, {JK_BITS, 'p', 'p', 0, 0},
    JK_KIND('t', DIGIT), {JK_SELECT, 'v', 'g', '1', 't'}, {JK_MUL, 'p', 'p', 'v', 0},
    {JK_SELECT, 'v', 'g', 'S', '1'}, {JK_MUL, 'u', 'b', 'v', 0}, {JK_MUL, 'u', 'u', 'p', 0},
    JK_KIND('t', SCALED_DIGIT), {JK_SELECT, 'v', 'g', 't', '1'}, {JK_MUL, 'u', 'u', 'v', 0},
    {JK_DIV, 't', 's', 'u', 0}, {JK_TRUNC, 't', 't', 0, 0}, JK_REST('k', 's', 't', 'u'),
    {JK_DIV, 'q', 'k', 'b', 0}, {JK_LE, 'h', 'n', 'q', 0}, JK_STEP('d', 'k', 'b'), {JK_COPYSIGN, 'c', 'd', 'x', 0},
    {JK_DO_AGAIN, 0, 'h', 's', 'k'}, {JK_RARE, 'r', 'm', 'f', 'c'}};
#undef JK_REST
#undef JK_STEP

/* sqrt with pow's special cases: x + 0 turns -0 into +0, and -inf gives inf. */
static const jk_script jk_script_half[] = {
    JK_KIND('0', ZERO), JK_KIND('i', INF), JK_KIND('l', MINUS_INF), {JK_ADD, 's', 'x', '0', 0}, {JK_SQRT, 's', 's', 0, 0},
    {JK_EQ, 'm', 'x', 'l', 0}, {JK_SELECT, 'r', 'm', 'i', 's'}};

static const jk_script jk_script_inverse[] = {JK_KIND('1', ONE), {JK_DIV, 'r', '1', 'x', 0}};

/* x^n by the chain: h + l is right where it is neither small nor NaN. Elsewhere the plain product is the result for
 * zeros, infinities and NaN; the rest (small results, and finite x whose products overflow) is rare.
 *
 * The rare body, for x^n near or below the smallest normal numbers (p), or overflowing: the chain runs on x*2^j (small
 * results) or x*2^-j, and 2^(nj) is taken out at the end: upwards by one product; downwards so that only one rounding
 * falls into the subnormals: s = h + l rounded, c = s scaled (a multiple of the smallest number), and what c lacks of
 * h + l, times the scale, in one fma. What vanishes keeps its sign. What overflows beyond the scale too is h, then an
 * infinity, of which l makes a NaN. */
static const jk_script jk_script_power[] = {
    {JK_DO_CHAIN, 0, 'x', 0, 0}, JK_KIND('0', ZERO), JK_KIND('1', ONE), JK_KIND('i', INF),
    {JK_ABS, 'a', 'x', 0, 0}, {JK_ADD, 's', 'h', 'l', 0}, JK_KIND('t', LEAST), {JK_ABS, 'u', 's', 0, 0},
    {JK_LE, 'g', 't', 'u', 0}, {JK_SELECT, 'f', 'g', 's', 'h'},
    {JK_LT, 'm', '0', 'a', 0}, {JK_MNOT, 'k', 'g', 0, 0}, {JK_MAND, 'm', 'm', 'k', 0}, {JK_LT, 'k', 'a', 'i', 0},
    {JK_MAND, 'm', 'm', 'k', 0},
    {JK_DO_BEGIN, 0, 'm', 'f', 0}, {JK_LT, 'p', 'a', '1', 0},
    {JK_DO_POW2, 'U', '+', 'n', 0}, {JK_DO_POW2, 'D', '-', 'n', 0}, {JK_DO_POW2, 'G', '+', 'j', 0},
    {JK_DO_POW2, 'W', '-', 'j', 0}, {JK_SELECT, 't', 'p', 'G', 'W'}, {JK_MUL, 't', 'x', 't', 0},
    {JK_DO_CHAIN, 0, 't', 0, 0}, {JK_ADD, 's', 'h', 'l', 0}, {JK_SUB, 'a', 's', 'h', 0}, {JK_SUB, 't', 'l', 'a', 0},
    {JK_MUL, 'c', 's', 'D', 0}, {JK_MUL, 'a', 'c', 'U', 0}, {JK_SUB, 'a', 's', 'a', 0}, {JK_ADD, 'e', 'a', 't', 0},
    {JK_FMA, 'c', 'e', 'D', 'c'}, {JK_DO_ODD, 0, 0, 0, 0}, {JK_COPYSIGN, 'c', 'c', 'x', 0}, {JK_ISNAN, 'a', 's', 0, 0},
    {JK_SELECT, 's', 'a', 'h', 's'}, {JK_MUL, 'a', 's', 'U', 0},
    {JK_SELECT, 'c', 'p', 'c', 'a'}, {JK_RARE, 'r', 'm', 'f', 'c'}};
/* clang-format on */
#undef JK_KIND

typedef struct jk_script_state {
    jk_ref v[128]; /* by letter */
    jk_ref again, state, next;
    unsigned n; /* a power's exponent */
} jk_script_state;

/* 2^+-j or 2^+-nj, with j the largest for which both are normal with room to spare. */
JK_FUNC jk_ref jk_script_pow2(jk_ir *ir, const jk_script *s, unsigned n)
{
    bool wide = ir->type == JK_F64;
    unsigned j = (wide ? 1000 : 120) / n, bias = wide ? 1023 : 127;
    if (s->b == 'n')
        j *= n;
    return jk_ir_bits(ir, (jk_type)ir->type, (uint64_t)(s->a == '+' ? bias + j : bias - j) << (wide ? 52 : 23));
}

/* One step that makes a value. */
JK_FUNC jk_ref jk_script_step(jk_ir *ir, const jk_script *s, jk_script_state *t)
{
    jk_type own = (jk_type)ir->type, type = own, integer = own == JK_F64 ? JK_I64 : JK_I32;
    jk_ref a = t->v[(int)s->a], b = t->v[(int)s->b], c = t->v[(int)s->c];
    switch ((unsigned)s->op) {
    case JK_CONST:
        return jk_ir_kind(ir, (jk_kind)s->a);
    case JK_DO_INT_INF:
        return jk_ir_bits(ir, integer, jk_kind_bits(JK_IS_INF, own));
    case JK_DO_POW2:
        return jk_script_pow2(ir, s, t->n);
    case JK_DO_NUMBER:
        return jk_as_number(ir, a);
    case JK_DO_MASK:
        return jk_as_mask(ir, a);
    case JK_RSTATE:
        return jk_ir_rstate(ir, a);
    case JK_RARE:
        return jk_ir_rare_end(ir, a, b, c, t->again,
                              t->again == JK_NOREF ? 1
                              : own == JK_F64      ? 64
                                                   : 32,
                              &t->state, &t->next, t->again != JK_NOREF);
    case JK_BITS:
        type = s->b ? integer : own;
        break;
    case JK_RSUM:
    case JK_RPROD:
    case JK_CVT:
        type = JK_F64;
        break;
    case JK_RARGMIN:
    case JK_LENGTH:
        type = JK_I64;
        break;
    case JK_RMIN:
        break;
    default:
        return jk_ir_any(ir, (jk_op)s->op, a, b, c);
    }
    return jk_ir_emit(ir, (jk_op)s->op, type, 0, a, 0, 0);
}

JK_NOINLINE jk_ref jk_script_run(jk_ir *ir, const jk_script *s, const jk_ref *arg, size_t nargs, unsigned n)
{
    jk_script_state t;
    jk_double_word w;
    size_t i;
    memset(&t, 0, sizeof t);
    t.n = n;
    t.again = JK_NOREF;
    for (i = 0; i < nargs; i++)
        t.v['x' + i] = arg[i];
    for (;; s++) {
        jk_ref a = t.v[(int)s->a], b = t.v[(int)s->b], found;
        switch ((unsigned)s->op) {
        case JK_DO_CHAIN:
            w = jk_power_chain(ir, a, n);
            t.v[(int)'h'] = w.high;
            t.v[(int)'l'] = w.low;
            break;
        case JK_DO_ODD:
            s += !(n & 1);
            break;
        case JK_DO_BEGIN:
            found = jk_ir_rare_find(ir, a, b);
            if (found != JK_NOREF)
                return found;
            jk_ir_rare_begin(ir);
            break;
        case JK_DO_AGAIN:
            t.again = a;
            t.state = b;
            t.next = t.v[(int)s->c];
            break;
        default:
            t.v[(int)s->to] = jk_script_step(ir, s, &t);
            if (s->to == 'r')
                return t.v[(int)'r'];
        }
    }
}

/* ---- powers ---- */
/* The bits of a whole number from 0 to 16. */
JK_FUNC uint64_t jk_whole_bits(jk_type type, unsigned n)
{
    unsigned shift = type == JK_F64 ? 52 : 23, e = 4;
    if (n == 0)
        return 0;
    while (!(n >> e))
        e--;
    return ((uint64_t)((type == JK_F64 ? 1023 : 127) + e) << shift) + ((uint64_t)(n - (1u << e)) << (shift - e));
}

/* x^E for a constant E; JK_NOREF for an exponent that this version does not have. */
JK_FUNC jk_ref jk_fn_power(jk_ir *ir, jk_ref x, jk_ref exponent)
{
    jk_type t = (jk_type)ir->type;
    uint64_t bits = jk_ir_const_bits(&ir->ins[exponent]);
    unsigned n = 0;
    jk_ref square;
    if (bits == jk_kind_bits(JK_IS_MINUS_ONE, t))
        return jk_script_run(ir, jk_script_inverse, &x, 1, 0);
    if (bits == jk_kind_bits(JK_IS_HALF, t))
        return jk_script_run(ir, jk_script_half, &x, 1, 0);
    if (bits == jk_kind_bits(JK_IS_MINUS_ZERO, t))
        bits = 0;
    while (n <= 16 && jk_whole_bits(t, n) != bits)
        n++;
    if (n > 16)
        return JK_NOREF;
    if (n > 4)
        return jk_script_run(ir, jk_script_power, &x, 1, n);
    square = jk_ir_2(ir, JK_MUL, x, x);
    if (n == 0)
        return jk_ir_kind(ir, JK_IS_ONE);
    return n == 1 ? x : n == 2 ? square : jk_ir_2(ir, JK_MUL, square, n == 3 ? x : square);
}

JK_FUNC jk_ref jk_fn_mod(jk_ir *ir, jk_ref x, jk_ref y)
{
    jk_ref arg[2];
    arg[0] = x;
    arg[1] = y;
    return jk_script_run(ir, jk_script_mod, arg, 2, 0);
}

/* ---- all but POW and LATER, whose errors need places ---- */
/* By jk_fn_kind; MIN and MAX are those of one argument. */
static const jk_script *const jk_scripts[JK_FN_KIND_COUNT] = {NULL,
                                                              jk_script_clamp,
                                                              NULL,
                                                              jk_script_sign,
                                                              jk_script_round,
                                                              jk_script_mod,
                                                              NULL,
                                                              jk_script_isinf,
                                                              jk_script_isfinite,
                                                              jk_script_length,
                                                              NULL,
                                                              jk_script_min,
                                                              jk_script_max,
                                                              jk_script_sum,
                                                              jk_script_prod,
                                                              jk_script_mean,
                                                              jk_script_dot,
                                                              jk_script_any,
                                                              jk_script_all,
                                                              jk_script_count,
                                                              jk_script_argmin,
                                                              jk_script_argmax};

JK_FUNC jk_ref jk_fn_lower(jk_ir *ir, const jk_fn *f, jk_ref *arg, size_t nargs)
{
    bool reduces = jk_fn_reduces(f, nargs);
    bool truth = f->kind == JK_FN_ANY || f->kind == JK_FN_ALL || f->kind == JK_FN_COUNT;
    jk_ref r;
    size_t i;
    jk_ir_kind(ir, JK_IS_INF); /* these first, so that numbers do not depend on the function */
    if (reduces)
        jk_ir_kind(ir, JK_IS_ZERO);
    else if (f->kind == JK_FN_WHERE)
        return jk_fn_select(ir, arg[0], arg[1], arg[2]);
    for (i = 0; i < (reduces ? !truth : nargs); i++)
        arg[i] = jk_as_number(ir, arg[i]);
    if (jk_scripts[f->kind] && (reduces || f->kind < JK_FN_MIN))
        return jk_script_run(ir, jk_scripts[f->kind], arg, nargs, 0);
    if (f->kind == JK_FN_OP)
        return jk_ir_any(ir, (jk_op)f->op, arg[0], nargs > 1 ? arg[1] : 0, nargs > 2 ? arg[2] : 0);
    for (r = arg[0], i = 1; i < nargs; i++)
        r = jk_ir_2(ir, (jk_op)f->op, r, arg[i]);
    return r;
}

JK_SMALL_CLOSE
