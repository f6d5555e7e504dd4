/* ir: the language's functions and named constants. One list has all of a function: its name, its parameters as an
 * error message shows them (the counts are read off them), and how it lowers. The list is sorted by name: it is searched
 * by halves. What the language has and this version cannot do stands here as LATER, so that the message can say so.
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
    X("prod", "x", SUM, RPROD) \
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
    JK_FN_MEAN,
    JK_FN_DOT,
    JK_FN_ANY,
    JK_FN_ALL,
    JK_FN_COUNT,
    JK_FN_ARGMIN,
    JK_FN_ARGMAX
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

/* ---- functions of several operations ---- */
/* 0 < |x| ? copysign(1, x) : x, so that zeros and NaN stay what they are. */
JK_FUNC jk_ref jk_fn_sign(jk_ir *ir, jk_ref x)
{
    jk_ref zero = jk_ir_kind(ir, JK_IS_ZERO), one = jk_ir_kind(ir, JK_IS_ONE);
    jk_ref some = jk_ir_2(ir, JK_LT, zero, jk_ir_1(ir, JK_ABS, x));
    return jk_ir_3(ir, JK_SELECT, some, jk_ir_2(ir, JK_COPYSIGN, one, x), x);
}

/* Half away from zero: trunc(x + copysign(h, x)) with h the number below 0.5. With 0.5 itself the sum would round up to
 * 1 for x = h and move odd x above 2^52. With h: a fraction below one half stays below the next integer, for the sum is
 * short of it by at least a unit of x's own place; one half reaches it, for then the sum lies nearer to it (or ties, to
 * even) than to the number before; and an integer stays below the next. */
JK_FUNC jk_ref jk_fn_round(jk_ir *ir, jk_ref x)
{
    jk_ref h = ir->type == JK_F64 ? jk_ir_bits(ir, JK_F64, 0x3fdfffffffffffffu) : jk_ir_bits(ir, JK_F32, 0x3effffff);
    return jk_ir_1(ir, JK_TRUNC, jk_ir_2(ir, JK_ADD, x, jk_ir_2(ir, JK_COPYSIGN, h, x)));
}

/* ---- x % y ---- */
/* x - q*y, which is exact, and y more where q was one too large. */
JK_FUNC jk_ref jk_mod_rest(jk_ir *ir, jk_ref x, jk_ref q, jk_ref y)
{
    jk_ref r = jk_ir_3(ir, JK_FMA, jk_ir_1(ir, JK_NEG, q), y, x), zero = jk_ir_kind(ir, JK_IS_ZERO);
    jk_ref low = jk_ir_2(ir, JK_LT, r, zero);
    return jk_ir_3(ir, JK_SELECT, low, jk_ir_2(ir, JK_ADD, r, y), r);
}

/* ax mod ay for a quotient below 2^53 (f32: 2^24): the rounded quotient may be one too large, then the remainder, which
 * is exact, is negative. */
JK_FUNC jk_ref jk_mod_step(jk_ir *ir, jk_ref ax, jk_ref ay)
{
    jk_ref q = jk_ir_1(ir, JK_TRUNC, jk_ir_2(ir, JK_DIV, ax, ay));
    jk_ref r = jk_mod_rest(ir, ax, q, ay);
    return jk_ir_3(ir, JK_SELECT, jk_ir_2(ir, JK_LT, ax, ay), ax, r);
}

/* The rare body's step: takes from X the multiple of ay * 2^k that leaves less than that, 2^k being 2^52 (f32: 2^23)
 * less than the power of two in the quotient t. Where the quotient overflows (`big`) it is computed of X/S and ay*S,
 * and the factor S^2 put back in two steps. All products here are exact. */
JK_FUNC jk_ref jk_mod_reduce(jk_ir *ir, jk_ref x, jk_ref ay)
{
    bool wide = ir->type == JK_F64;
    int digits = wide ? 52 : 23, scale = wide ? 600 : 80;
    jk_type bits = wide ? JK_I64 : JK_I32;
    jk_ref one = jk_ir_kind(ir, JK_IS_ONE), inf = jk_ir_kind(ir, JK_IS_INF), s = jk_ir_pow2(ir, scale);
    jk_ref t = jk_ir_2(ir, JK_DIV, x, ay), big = jk_ir_2(ir, JK_EQ, t, inf);
    jk_ref below = jk_ir_2(ir, JK_MUL, ay, s), above = jk_ir_2(ir, JK_MUL, x, jk_ir_pow2(ir, -scale)), p, ys;
    t = jk_ir_3(ir, JK_SELECT, big, jk_ir_2(ir, JK_DIV, above, below), t);
    p = jk_ir_emit(ir, JK_BITS, bits, 0, t, 0, 0);
    p = jk_ir_2(ir, JK_IAND, p, jk_ir_bits(ir, bits, jk_kind_bits(JK_IS_INF, (jk_type)ir->type)));
    p = jk_ir_emit(ir, JK_BITS, (jk_type)ir->type, 0, p, 0, 0);
    t = jk_ir_pow2(ir, -digits);
    p = jk_ir_2(ir, JK_MUL, p, jk_ir_3(ir, JK_SELECT, big, one, t));
    ys = jk_ir_2(ir, JK_MUL, ay, jk_ir_3(ir, JK_SELECT, big, s, one));
    ys = jk_ir_2(ir, JK_MUL, ys, p);
    t = jk_ir_pow2(ir, scale - digits);
    ys = jk_ir_2(ir, JK_MUL, ys, jk_ir_3(ir, JK_SELECT, big, t, one));
    t = jk_ir_1(ir, JK_TRUNC, jk_ir_2(ir, JK_DIV, x, ys));
    return jk_mod_rest(ir, x, t, ys);
}

/* C's fmod, which is exact. A quotient of 2^53 and more goes through the rare body, 52 bits a turn (2098 bits at most;
 * f32: 277 bits, 23 a turn). */
JK_FUNC jk_ref jk_fn_mod(jk_ir *ir, jk_ref x, jk_ref y)
{
    jk_ref ax = jk_ir_1(ir, JK_ABS, x), ay = jk_ir_1(ir, JK_ABS, y),
           many = jk_ir_pow2(ir, ir->type == JK_F64 ? 53 : 24);
    jk_ref zero = jk_ir_kind(ir, JK_IS_ZERO), inf = jk_ir_kind(ir, JK_IS_INF);
    jk_ref fast = jk_ir_2(ir, JK_COPYSIGN, jk_mod_step(ir, ax, ay), x);
    jk_ref mask, state, next, again, result, found;
    mask = jk_ir_2(ir, JK_LE, many, jk_ir_2(ir, JK_DIV, ax, ay));
    mask = jk_ir_2(ir, JK_MAND, mask, jk_ir_2(ir, JK_LT, ax, inf));
    mask = jk_ir_2(ir, JK_MAND, mask, jk_ir_2(ir, JK_LT, zero, ay));
    found = jk_ir_rare_find(ir, mask, fast);
    if (found != JK_NOREF)
        return found;
    jk_ir_rare_begin(ir);
    state = jk_ir_rstate(ir, ax);
    next = jk_mod_reduce(ir, state, ay);
    again = jk_ir_2(ir, JK_LE, many, jk_ir_2(ir, JK_DIV, next, ay));
    result = jk_ir_2(ir, JK_COPYSIGN, jk_mod_step(ir, next, ay), x);
    return jk_ir_rare_end(ir, mask, fast, result, again, ir->type == JK_F64 ? 64 : 32, &state, &next, 1);
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

/* The rare body: x^n near or below the smallest normal numbers, or overflowing. The chain runs on x*2^j (small results)
 * or x*2^-j, and 2^(nj) is taken out at the end: upwards by one product; downwards so that only one rounding falls into
 * the subnormals: s = high + low rounded, c = s scaled (a multiple of the smallest number), and what c lacks of
 * high + low, times the scale, in one fma. */
JK_FUNC jk_ref jk_power_scaled(jk_ir *ir, jk_ref x, jk_ref small, unsigned n)
{
    int j = (ir->type == JK_F64 ? 1000 : 120) / (int)n, k = j * (int)n;
    jk_ref up = jk_ir_pow2(ir, k), down = jk_ir_pow2(ir, -k), grow = jk_ir_pow2(ir, j), shrink = jk_ir_pow2(ir, -j);
    jk_double_word v = jk_power_chain(ir, jk_ir_2(ir, JK_MUL, x, jk_ir_3(ir, JK_SELECT, small, grow, shrink)), n);
    jk_ref s = jk_ir_2(ir, JK_ADD, v.high, v.low);
    jk_ref t = jk_ir_2(ir, JK_SUB, v.low, jk_ir_2(ir, JK_SUB, s, v.high));
    jk_ref c = jk_ir_2(ir, JK_MUL, s, down);
    jk_ref rest = jk_ir_2(ir, JK_ADD, jk_ir_2(ir, JK_SUB, s, jk_ir_2(ir, JK_MUL, c, up)), t);
    c = jk_ir_3(ir, JK_FMA, rest, down, c);
    if (n & 1) /* what vanishes keeps its sign */
        c = jk_ir_2(ir, JK_COPYSIGN, c, x);
    /* beyond the scale too it overflows: high is an infinity then, and low makes a NaN of it */
    s = jk_ir_3(ir, JK_SELECT, jk_ir_1(ir, JK_ISNAN, s), v.high, s);
    return jk_ir_3(ir, JK_SELECT, small, c, jk_ir_2(ir, JK_MUL, s, up));
}

/* high + low is right where it is neither small nor NaN. Elsewhere the plain product is the result for zeros,
 * infinities and NaN; the rest (small results, and finite x whose products overflow) is rare. */
JK_FUNC jk_ref jk_power_chained(jk_ir *ir, jk_ref x, unsigned n)
{
    jk_double_word v = jk_power_chain(ir, x, n);
    jk_ref zero = jk_ir_kind(ir, JK_IS_ZERO), one = jk_ir_kind(ir, JK_IS_ONE), inf = jk_ir_kind(ir, JK_IS_INF);
    jk_ref ax = jk_ir_1(ir, JK_ABS, x), sum = jk_ir_2(ir, JK_ADD, v.high, v.low);
    jk_ref least = jk_ir_pow2(ir, ir->type == JK_F64 ? -960 : -96);
    jk_ref good = jk_ir_2(ir, JK_LE, least, jk_ir_1(ir, JK_ABS, sum));
    jk_ref fast = jk_ir_3(ir, JK_SELECT, good, sum, v.high), mask, found, result;
    mask = jk_ir_2(ir, JK_LT, zero, ax);
    mask = jk_ir_2(ir, JK_MAND, mask, jk_ir_1(ir, JK_MNOT, good));
    mask = jk_ir_2(ir, JK_MAND, mask, jk_ir_2(ir, JK_LT, ax, inf));
    found = jk_ir_rare_find(ir, mask, fast);
    if (found != JK_NOREF)
        return found;
    jk_ir_rare_begin(ir);
    result = jk_power_scaled(ir, x, jk_ir_2(ir, JK_LT, ax, one), n);
    return jk_ir_rare_end(ir, mask, fast, result, JK_NOREF, 1, NULL, NULL, 0);
}

/* sqrt with pow's special cases: x + 0 turns -0 into +0, and -inf gives inf. */
JK_FUNC jk_ref jk_power_half(jk_ir *ir, jk_ref x)
{
    jk_ref zero = jk_ir_kind(ir, JK_IS_ZERO), inf = jk_ir_kind(ir, JK_IS_INF), low = jk_ir_kind(ir, JK_IS_MINUS_INF);
    jk_ref root = jk_ir_1(ir, JK_SQRT, jk_ir_2(ir, JK_ADD, x, zero));
    return jk_ir_3(ir, JK_SELECT, jk_ir_2(ir, JK_EQ, x, low), inf, root);
}

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
        return jk_ir_2(ir, JK_DIV, jk_ir_kind(ir, JK_IS_ONE), x);
    if (bits == jk_kind_bits(JK_IS_ONE, t) - ((uint64_t)1 << (t == JK_F64 ? 52 : 23)))
        return jk_power_half(ir, x);
    if (bits == jk_kind_bits(JK_IS_MINUS_ZERO, t))
        bits = 0;
    while (n <= 16 && jk_whole_bits(t, n) != bits)
        n++;
    if (n > 16)
        return JK_NOREF;
    if (n > 4)
        return jk_power_chained(ir, x, n);
    square = jk_ir_2(ir, JK_MUL, x, x);
    switch (n) {
    case 0:
        return jk_ir_kind(ir, JK_IS_ONE);
    case 1:
        return x;
    case 2:
        return square;
    case 3:
        return jk_ir_2(ir, JK_MUL, square, x);
    default:
        return jk_ir_2(ir, JK_MUL, square, square);
    }
}

/* ---- reductions ---- */
/* Sums and products come as F64 and round to the kernel's type once. */
JK_FUNC jk_ref jk_fn_red(jk_ir *ir, jk_op op, jk_ref x)
{
    return jk_ir_emit(ir, op, op == JK_RMIN ? (jk_type)ir->type : op == JK_RARGMIN ? JK_I64 : JK_F64, 0, x, 0, 0);
}

/* n, an exact integer (as F64: memory ends long before 2^53). */
JK_FUNC jk_ref jk_fn_length(jk_ir *ir)
{
    return jk_ir_emit(ir, JK_CVT, JK_F64, 0, jk_ir_emit(ir, JK_LENGTH, JK_I64, 0, 0, 0, 0), 0, 0);
}

/* How many elements are true: an exact integer. */
JK_FUNC jk_ref jk_fn_count(jk_ir *ir, jk_ref mask)
{
    return jk_fn_red(ir, JK_RSUM, jk_as_number(ir, mask));
}

JK_FUNC jk_ref jk_fn_reduce(jk_ir *ir, const jk_fn *f, const jk_ref *arg)
{
    jk_ref x, zero = jk_ir_kind(ir, JK_IS_ZERO);
    switch (f->kind) {
    case JK_FN_ANY:
        return jk_ir_2(ir, JK_LT, zero, jk_as_number(ir, jk_fn_count(ir, jk_as_mask(ir, arg[0]))));
    case JK_FN_ALL:
        x = jk_fn_count(ir, jk_ir_1(ir, JK_MNOT, jk_as_mask(ir, arg[0])));
        return jk_ir_2(ir, JK_EQ, jk_as_number(ir, x), zero);
    case JK_FN_COUNT:
        return jk_fn_count(ir, jk_as_mask(ir, arg[0]));
    default:
        break;
    }
    x = jk_as_number(ir, arg[0]);
    switch (f->kind) {
    case JK_FN_MIN:
        return jk_fn_red(ir, JK_RMIN, x);
    case JK_FN_MAX:
        return jk_ir_1(ir, JK_NEG, jk_fn_red(ir, JK_RMIN, jk_ir_1(ir, JK_NEG, x)));
    case JK_FN_MEAN:
        x = jk_fn_red(ir, JK_RSUM, x);
        return jk_as_number(ir, jk_ir_2(ir, JK_DIV, x, jk_fn_length(ir)));
    case JK_FN_DOT:
        x = jk_ir_2(ir, JK_MUL, x, jk_as_number(ir, arg[1]));
        return jk_as_number(ir, jk_fn_red(ir, JK_RSUM, x));
    case JK_FN_ARGMAX:
        return jk_fn_red(ir, JK_RARGMIN, jk_ir_1(ir, JK_NEG, x));
    default:
        return f->kind == JK_FN_ARGMIN ? jk_fn_red(ir, JK_RARGMIN, x)
                                       : jk_as_number(ir, jk_fn_red(ir, (jk_op)f->op, x));
    }
}

/* ---- all but POW and LATER, whose errors need places ---- */
JK_FUNC jk_ref jk_fn_lower(jk_ir *ir, const jk_fn *f, jk_ref *arg, size_t nargs)
{
    jk_ref inf = jk_ir_kind(ir, JK_IS_INF), r;
    size_t i;
    if (jk_fn_reduces(f, nargs))
        return jk_fn_reduce(ir, f, arg);
    if (f->kind == JK_FN_WHERE)
        return jk_fn_select(ir, arg[0], arg[1], arg[2]);
    for (i = 0; i < nargs; i++)
        arg[i] = jk_as_number(ir, arg[i]);
    switch (f->kind) {
    case JK_FN_LENGTH:
        return jk_fn_length(ir);
    case JK_FN_SIGN:
        return jk_fn_sign(ir, arg[0]);
    case JK_FN_ROUND:
        return jk_fn_round(ir, arg[0]);
    case JK_FN_MOD:
        return jk_fn_mod(ir, arg[0], arg[1]);
    case JK_FN_ISINF:
        return jk_ir_2(ir, JK_EQ, jk_ir_1(ir, JK_ABS, arg[0]), inf);
    case JK_FN_ISFINITE:
        return jk_ir_2(ir, JK_LT, jk_ir_1(ir, JK_ABS, arg[0]), inf);
    case JK_FN_CLAMP:
        return jk_ir_2(ir, JK_MIN, jk_ir_2(ir, JK_MAX, arg[0], arg[1]), arg[2]);
    case JK_FN_MIN:
    case JK_FN_MAX:
        for (r = arg[0], i = 1; i < nargs; i++)
            r = jk_ir_2(ir, (jk_op)f->op, r, arg[i]);
        return r;
    default:
        return nargs == 1   ? jk_ir_1(ir, (jk_op)f->op, arg[0])
               : nargs == 2 ? jk_ir_2(ir, (jk_op)f->op, arg[0], arg[1])
                            : jk_ir_3(ir, (jk_op)f->op, arg[0], arg[1], arg[2]);
    }
}

JK_SMALL_CLOSE
