/* ir: the language's functions, operators and named constants. What one does is a script, a list of steps; a row of the
 * list has its name, its parameters as an error message shows them, and the script. What the
 * language has and this version cannot do stands there as LATER, so that the message can say so.
 *
 * C leaves open in which order a call's arguments are computed, and numbers of values must not depend on the compiler:
 * no call here has two arguments that emit. */
#include "ir.h"
#include "../syntax/ast.h"

JK_SMALL_OPEN

/* What lowering keeps of an expression. */
typedef struct jk_value {
    jk_ref ref;
    bool array;
} jk_value;

/* ---- what functions and operators do, as scripts ---- */
/* A step: op, the value it makes, its operands. A value is a letter: the arguments are x, y, z, and the step that makes
 * r is the last. What is no jk_op: */
typedef enum jk_script_op {
    JK_DO_NUMBER = JK_OP_COUNT, /* a as a number of the kernel's type */
    JK_DO_MASK,                 /* a as a truth value */
    JK_DO_POW2,                 /* 2^+-j (b: 0, 'j') or 2^+-nj (b: 'n'); + where a is '+' */
    JK_DO_POWER,    /* goes on in the script for the constant exponent a and sets n; without one the result is
                       JK_NOREF */
    JK_DO_IF_BITS,  /* leaves out b steps where n has none of the bits a */
    JK_DO_IF_MASKS, /* leaves out c steps where not both a and b are truth values */
    JK_DO_BEGIN,    /* a rare body of mask a and fast value b; one that there is ends the script */
    JK_DO_AGAIN     /* the body runs again while a; state b becomes c */
} jk_script_op;

typedef struct jk_script {
    uint8_t op;
    char to, a, b, c; /* CONST: a is a jk_kind; operands that an op has not are not looked at */
} jk_script;
#define JK_KIND(to, kind)                \
    {                                    \
        JK_CONST, to, JK_IS_##kind, 0, 0 \
    }
/* clang-format off */

/* One step. */
#define JK_SCRIPT_1(name, op) static const jk_script jk_script_##name[] = {{JK_##op, 'r', 'x', 'y', 'z'}};
JK_SCRIPT_1(abs, ABS) JK_SCRIPT_1(ceil, CEIL) JK_SCRIPT_1(copysign, COPYSIGN) JK_SCRIPT_1(floor, FLOOR)
JK_SCRIPT_1(fma, FMA) JK_SCRIPT_1(isnan, ISNAN) JK_SCRIPT_1(rint, RINT) JK_SCRIPT_1(sqrt, SQRT) JK_SCRIPT_1(trunc, TRUNC)
JK_SCRIPT_1(neg, NEG) JK_SCRIPT_1(plus, DO_NUMBER) JK_SCRIPT_1(add, ADD) JK_SCRIPT_1(sub, SUB) JK_SCRIPT_1(mul, MUL)
JK_SCRIPT_1(div, DIV) JK_SCRIPT_1(lt, LT) JK_SCRIPT_1(le, LE) JK_SCRIPT_1(eq, EQ) JK_SCRIPT_1(ne, NE)
JK_SCRIPT_1(argmin, RARGMIN) JK_SCRIPT_1(half, POW_HALF)
#undef JK_SCRIPT_1
static const jk_script jk_script_gt[] = {{JK_LT, 'r', 'y', 'x', 0}}, jk_script_ge[] = {{JK_LE, 'r', 'y', 'x', 0}};
static const jk_script jk_script_mnot[] = {{JK_DO_MASK, 'x', 'x', 0, 0}, {JK_MNOT, 'r', 'x', 0, 0}};
static const jk_script jk_script_mand[] = {
    {JK_DO_MASK, 'x', 'x', 0, 0}, {JK_DO_MASK, 'y', 'y', 0, 0}, {JK_MAND, 'r', 'x', 'y', 0}};
static const jk_script jk_script_mor[] = {
    {JK_DO_MASK, 'x', 'x', 0, 0}, {JK_DO_MASK, 'y', 'y', 0, 0}, {JK_MOR, 'r', 'x', 'y', 0}};
static const jk_script jk_script_e[] = {JK_KIND('r', E)}, jk_script_pi[] = {JK_KIND('r', PI)};
static const jk_script jk_script_inf[] = {JK_KIND('r', INF)}, jk_script_nan[] = {JK_KIND('r', NAN)};

/* x ? y : z; of two truth values again one. */
static const jk_script jk_script_where[] = {
    {JK_DO_MASK, 'x', 'x', 0, 0}, {JK_DO_IF_MASKS, 0, 'y', 'z', 4},
    {JK_MAND, 'y', 'x', 'y', 0}, {JK_MNOT, 'x', 'x', 0, 0}, {JK_MAND, 'z', 'x', 'z', 0}, {JK_MOR, 'r', 'y', 'z', 0},
    {JK_DO_NUMBER, 'y', 'y', 0, 0}, {JK_DO_NUMBER, 'z', 'z', 0, 0}, {JK_SELECT, 'r', 'x', 'y', 'z'}};

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
    {JK_MUL, 'p', 'x', 'y', 0}, {JK_RSUM, 's', 'p', 0, 0}, {JK_DO_NUMBER, 'r', 's', 0, 0}};
/* The first step is for two arguments, the others for one. */
static const jk_script jk_script_min[] = {{JK_MIN, 'r', 'x', 'y', 0}, {JK_RMIN, 'r', 'x', 0, 0}};
static const jk_script jk_script_max[] = {{JK_MAX, 'r', 'x', 'y', 0},
    {JK_NEG, 'a', 'x', 0, 0}, {JK_RMIN, 'm', 'a', 0, 0}, {JK_NEG, 'r', 'm', 0, 0}};
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
    {JK_DO_BEGIN, 0, 'm', 'f', 0}, {JK_RSTATE, 's', 'a', 'a', 0},
    JK_KIND('1', ONE), JK_KIND('i', INF), JK_KIND('S', SCALE),
    {JK_DIV, 't', 's', 'b', 0}, {JK_EQ, 'g', 't', 'i', 0}, {JK_MUL, 'u', 'b', 'S', 0}, JK_KIND('v', UNSCALE),
    {JK_MUL, 'w', 's', 'v', 0}, {JK_DIV, 'p', 'w', 'u', 0}, {JK_SELECT, 't', 'g', 'p', 't'},
    {JK_BITS, 'p', 't', 0, 0}, {JK_BITS, 'v', 'i', 0, 0}, {JK_IAND, 'p', 'p', 'v', 0}, {JK_BITS, 'p', 'p', 0, 0},
    JK_KIND('t', DIGIT), {JK_SELECT, 'v', 'g', '1', 't'}, {JK_MUL, 'p', 'p', 'v', 0},
    {JK_SELECT, 'v', 'g', 'S', '1'}, {JK_MUL, 'u', 'b', 'v', 0}, {JK_MUL, 'u', 'u', 'p', 0},
    JK_KIND('t', SCALED_DIGIT), {JK_SELECT, 'v', 'g', 't', '1'}, {JK_MUL, 'u', 'u', 'v', 0},
    {JK_DIV, 't', 's', 'u', 0}, {JK_TRUNC, 't', 't', 0, 0}, JK_REST('k', 's', 't', 'u'),
    {JK_DIV, 'q', 'k', 'b', 0}, {JK_LE, 'h', 'n', 'q', 0}, JK_STEP('d', 'k', 'b'), {JK_COPYSIGN, 'c', 'd', 'x', 0},
    {JK_DO_AGAIN, 0, 'h', 's', 'k'}, {JK_RARE, 'r', 'm', 'f', 'c'}};
#undef JK_REST
#undef JK_STEP

static const jk_script jk_script_inverse[] = {JK_KIND('1', ONE), {JK_DIV, 'r', '1', 'x', 0}};
static const jk_script jk_script_pow0[] = {JK_KIND('r', ONE)};
static const jk_script jk_script_square[] = {{JK_MUL, 'r', 'x', 'x', 0}};
static const jk_script jk_script_cube[] = {{JK_MUL, 's', 'x', 'x', 0}, {JK_MUL, 'r', 's', 'x', 0}};
static const jk_script jk_script_pow4[] = {{JK_MUL, 's', 'x', 'x', 0}, {JK_MUL, 'r', 's', 's', 0}};
static const jk_script jk_script_pow[] = {{JK_DO_POWER, 'r', 'y', 0, 0}};

/* h + l = x^n for n from 5 to 16, left to right over the bits of n. h is the plain chain of products, l what it lacks:
 * for a product p = a*b the error is fma(a, b, -p), and of (h + l)^2 and (h + l)*x the terms with l*l and roundings of l
 * are below 2^-95 (f32: 2^-38), so that nothing need be renormalised on the way. */
#define JK_CHAIN_SQUARE {JK_MUL, 'P', 'h', 'h', 0}, {JK_NEG, 'Q', 'P', 0, 0}, {JK_FMA, 'Q', 'h', 'h', 'Q'}, \
    {JK_ADD, 'R', 'h', 'h', 0}, {JK_FMA, 'l', 'R', 'l', 'Q'}, {JK_DO_NUMBER, 'h', 'P', 0, 0}
#define JK_CHAIN_TIMES(x) {JK_MUL, 'P', 'h', x, 0}, {JK_NEG, 'Q', 'P', 0, 0}, {JK_FMA, 'Q', 'h', x, 'Q'}, \
    {JK_FMA, 'l', x, 'l', 'Q'}, {JK_DO_NUMBER, 'h', 'P', 0, 0}
#define JK_CHAIN(x) {JK_MUL, 'h', x, x, 0}, {JK_NEG, 'Q', 'h', 0, 0}, {JK_FMA, 'l', x, x, 'Q'}, \
    {JK_DO_IF_BITS, 0, 16, 6, 0}, JK_CHAIN_SQUARE, \
    {JK_DO_IF_BITS, 0, 8 | 16, 12, 0}, {JK_DO_IF_BITS, 0, 4, 5, 0}, JK_CHAIN_TIMES(x), JK_CHAIN_SQUARE, \
    {JK_DO_IF_BITS, 0, 2, 5, 0}, JK_CHAIN_TIMES(x), JK_CHAIN_SQUARE, {JK_DO_IF_BITS, 0, 1, 5, 0}, JK_CHAIN_TIMES(x)

/* x^n by the chain: h + l is right where it is neither small nor NaN. Elsewhere the plain product is the result for
 * zeros, infinities and NaN; the rest (small results, and finite x whose products overflow) is rare.
 *
 * The rare body, for x^n near or below the smallest normal numbers (p), or overflowing: the chain runs on x*2^j (small
 * results) or x*2^-j, and 2^(nj) is taken out at the end: upwards by one product; downwards so that only one rounding
 * falls into the subnormals: s = h + l rounded, c = s scaled (a multiple of the smallest number), and what c lacks of
 * h + l, times the scale, in one fma. What vanishes keeps its sign. What overflows beyond the scale too is h, then an
 * infinity, of which l makes a NaN. */
static const jk_script jk_script_power[] = {
    JK_CHAIN('x'), JK_KIND('0', ZERO), JK_KIND('1', ONE), JK_KIND('i', INF),
    {JK_ABS, 'a', 'x', 0, 0}, {JK_ADD, 's', 'h', 'l', 0}, JK_KIND('t', LEAST), {JK_ABS, 'u', 's', 0, 0},
    {JK_LE, 'g', 't', 'u', 0}, {JK_SELECT, 'f', 'g', 's', 'h'},
    {JK_LT, 'm', '0', 'a', 0}, {JK_MNOT, 'k', 'g', 0, 0}, {JK_MAND, 'm', 'm', 'k', 0}, {JK_LT, 'k', 'a', 'i', 0},
    {JK_MAND, 'm', 'm', 'k', 0},
    {JK_DO_BEGIN, 0, 'm', 'f', 0}, {JK_LT, 'p', 'a', '1', 0},
    {JK_DO_POW2, 'U', '+', 'n', 0}, {JK_DO_POW2, 'D', '-', 'n', 0}, {JK_DO_POW2, 'G', '+', 'j', 0},
    {JK_DO_POW2, 'W', '-', 'j', 0}, {JK_SELECT, 't', 'p', 'G', 'W'}, {JK_MUL, 't', 'x', 't', 0},
    JK_CHAIN('t'), {JK_ADD, 's', 'h', 'l', 0}, {JK_SUB, 'a', 's', 'h', 0}, {JK_SUB, 't', 'l', 'a', 0},
    {JK_MUL, 'c', 's', 'D', 0}, {JK_MUL, 'a', 'c', 'U', 0}, {JK_SUB, 'a', 's', 'a', 0}, {JK_ADD, 'e', 'a', 't', 0},
    {JK_FMA, 'c', 'e', 'D', 'c'}, {JK_DO_IF_BITS, 0, 1, 1, 0}, {JK_COPYSIGN, 'c', 'c', 'x', 0}, {JK_ISNAN, 'a', 's', 0, 0},
    {JK_SELECT, 's', 'a', 'h', 's'}, {JK_MUL, 'a', 's', 'U', 0},
    {JK_SELECT, 'c', 'p', 'c', 'a'}, {JK_RARE, 'r', 'm', 'f', 'c'}};
#undef JK_CHAIN
#undef JK_CHAIN_TIMES
#undef JK_CHAIN_SQUARE
#undef JK_KIND

/* ---- the lists ---- */
#define JK_FN_REDUCES 1
#define JK_FN_MANY 2   /* one argument or more; of one it reduces */
#define JK_FN_ARRAYS 4 /* only where there are arrays */
#define JK_FN_RAW 8    /* the script makes numbers or truth values of the arguments */

typedef struct jk_fn {
    const char *name, *params; /* params: NULL for a constant */
    const jk_script *script;   /* NULL: later */
    uint8_t nparams, flags;
} jk_fn;

/* Sorted by name. In the parameters `[` begins what may be left out and `...` allows any number. */
#define JK_LATER(name, params) {name, params, NULL, 0, 0}
#define JK_CONSTANT(name, script) {name, NULL, jk_script_##script, 0, 0}
static const jk_fn jk_fns[] = {
    {"abs", "x", jk_script_abs, 1, 0},
    JK_LATER("acos", "x"),
    JK_LATER("acosh", "x"),
    {"all", "x", jk_script_all, 1, JK_FN_REDUCES | JK_FN_RAW},
    {"any", "x", jk_script_any, 1, JK_FN_REDUCES | JK_FN_RAW},
    {"argmax", "x", jk_script_argmax, 1, JK_FN_REDUCES},
    {"argmin", "x", jk_script_argmin, 1, JK_FN_REDUCES},
    JK_LATER("asin", "x"),
    JK_LATER("asinh", "x"),
    JK_LATER("atan", "x"),
    JK_LATER("atan2", "y, x"),
    JK_LATER("atanh", "x"),
    JK_LATER("cbrt", "x"),
    {"ceil", "x", jk_script_ceil, 1, 0},
    {"clamp", "x, lo, hi", jk_script_clamp, 3, 0},
    {"copysign", "x, y", jk_script_copysign, 2, 0},
    JK_LATER("cos", "x"),
    JK_LATER("cosh", "x"),
    JK_LATER("cospi", "x"),
    {"count", "x", jk_script_count, 1, JK_FN_REDUCES | JK_FN_RAW},
    {"dot", "x, y", jk_script_dot, 2, JK_FN_REDUCES},
    JK_CONSTANT("e", e),
    JK_LATER("erf", "x"),
    JK_LATER("erfc", "x"),
    JK_LATER("exp", "x"),
    JK_LATER("exp10", "x"),
    JK_LATER("exp2", "x"),
    JK_LATER("expm1", "x"),
    {"floor", "x", jk_script_floor, 1, 0},
    {"fma", "x, y, z", jk_script_fma, 3, 0},
    {"fmod", "x, y", jk_script_mod, 2, 0},
    JK_LATER("fold", "t = start, E"),
    JK_LATER("hypot", "x, y"),
    JK_LATER("index", ""),
    JK_CONSTANT("inf", inf),
    {"isfinite", "x", jk_script_isfinite, 1, 0},
    {"isinf", "x", jk_script_isinf, 1, 0},
    {"isnan", "x", jk_script_isnan, 1, 0},
    {"length", "", jk_script_length, 0, JK_FN_ARRAYS},
    JK_LATER("lgamma", "x"),
    JK_LATER("log", "x"),
    JK_LATER("log10", "x"),
    JK_LATER("log1p", "x"),
    JK_LATER("log2", "x"),
    {"max", "x, ...", jk_script_max, 1, JK_FN_MANY},
    {"mean", "x", jk_script_mean, 1, JK_FN_REDUCES},
    {"min", "x, ...", jk_script_min, 1, JK_FN_MANY},
    JK_LATER("mod", "x, y"),
    JK_CONSTANT("nan", nan),
    JK_LATER("norm", "x"),
    JK_CONSTANT("pi", pi),
    {"pow", "x, y", jk_script_pow, 2, 0},
    {"prod", "x", jk_script_prod, 1, JK_FN_REDUCES},
    {"rint", "x", jk_script_rint, 1, 0},
    {"round", "x", jk_script_round, 1, 0},
    JK_LATER("sigmoid", "x"),
    {"sign", "x", jk_script_sign, 1, 0},
    JK_LATER("sin", "x"),
    JK_LATER("sinh", "x"),
    JK_LATER("sinpi", "x"),
    {"sqrt", "x", jk_script_sqrt, 1, 0},
    JK_LATER("std", "x[, d]"),
    {"sum", "x", jk_script_sum, 1, JK_FN_REDUCES},
    JK_LATER("tan", "x"),
    JK_LATER("tanh", "x"),
    JK_LATER("tgamma", "x"),
    {"trunc", "x", jk_script_trunc, 1, 0},
    JK_LATER("var", "x[, d]"),
    {"where", "c, a, b", jk_script_where, 3, JK_FN_RAW},
};
#define JK_NFUNCTIONS (sizeof jk_fns / sizeof *jk_fns)
#undef JK_LATER
#undef JK_CONSTANT

/* By jk_ast_op, from OR on. */
#define JK_OPERATOR(script, nparams, flags) {NULL, NULL, jk_script_##script, nparams, flags}
static const jk_fn jk_operators[] = {
    JK_OPERATOR(mor, 2, JK_FN_RAW), JK_OPERATOR(mand, 2, JK_FN_RAW), JK_OPERATOR(lt, 2, 0), JK_OPERATOR(le, 2, 0),
    JK_OPERATOR(gt, 2, 0), JK_OPERATOR(ge, 2, 0), JK_OPERATOR(eq, 2, 0), JK_OPERATOR(ne, 2, 0), JK_OPERATOR(add, 2, 0),
    JK_OPERATOR(sub, 2, 0), JK_OPERATOR(mul, 2, 0), JK_OPERATOR(div, 2, 0), JK_OPERATOR(mod, 2, 0), JK_OPERATOR(pow, 2, 0),
    JK_OPERATOR(neg, 1, 0), JK_OPERATOR(plus, 1, 0), JK_OPERATOR(mnot, 1, JK_FN_RAW), JK_OPERATOR(sqrt, 1, 0),
    JK_OPERATOR(where, 3, JK_FN_RAW)};
#undef JK_OPERATOR
/* clang-format on */

/* The first letter says of nearly all that they are not meant: halving the list would be no faster. */
JK_FUNC const jk_fn *jk_fn_find(const char *name, size_t len)
{
    const jk_fn *f;
    for (f = jk_fns; f < jk_fns + JK_NFUNCTIONS; f++)
        if (*f->name == *name && strncmp(f->name, name, len) == 0 && f->name[len] == 0)
            return f;
    return NULL;
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
    enum { JK_EDIT_ROW = JK_NAME_MAX + 1 };
    uint8_t d[JK_EDIT_ROW * JK_EDIT_ROW], *at = d; /* by how much of a, of b */
    uint32_t i, j, cost = 0;
    for (i = 0; i <= na; i++, at += JK_EDIT_ROW - nb - 1)
        for (j = 0; j <= nb; j++, at++) {
            cost = i + j; /* all of one put in, all of the other left out */
            if (i > 0 && j > 0) {
                cost = JK_SMALLER(at[-JK_EDIT_ROW], at[-1]) + 1u;
                cost = JK_SMALLER(cost, at[-JK_EDIT_ROW - 1] + (uint32_t)(a[i - 1] != b[j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost = JK_SMALLER(cost, at[-2 * JK_EDIT_ROW - 2] + 1u);
            }
            *at = (uint8_t)cost;
        }
    return cost;
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

/* So near is near: one edit in short names, three in long ones at most. */
JK_FUNC void jk_nearest_init(jk_nearest *s, const char *name, size_t len)
{
    memset(s, 0, sizeof *s);
    s->name = name;
    s->len = len;
    s->distance = 1u + (len > 1) + (len > 5) + (len > 8);
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

/* 2^+-j or 2^+-nj, with j the largest for which both are normal with room to spare. */
JK_FUNC jk_ref jk_script_pow2(jk_ir *ir, const jk_script *s, unsigned n)
{
    bool wide = ir->type == JK_F64;
    unsigned j = (wide ? 1000 : 120) / n, bias = wide ? 1023 : 127;
    if (s->b == 'n')
        j *= n;
    return jk_ir_bits(ir, (jk_type)ir->type, (uint64_t)(s->a == '+' ? bias + j : bias - j) << (wide ? 52 : 23));
}

/* The exponents that this version has: the first 16 bits of each as an f64, whose others are 0; n; the script. */
typedef struct jk_power {
    uint16_t high, n;
    const jk_script *script;
} jk_power;
static const jk_power jk_powers[] = {
    {0xbff0, 0, jk_script_inverse}, {0x3fe0, 0, jk_script_half},   {0x8000, 0, jk_script_pow0},
    {0x0000, 0, jk_script_pow0},    {0x3ff0, 1, jk_script_plus},   {0x4000, 2, jk_script_square},
    {0x4008, 3, jk_script_cube},    {0x4010, 4, jk_script_pow4},   {0x4014, 5, jk_script_power},
    {0x4018, 6, jk_script_power},   {0x401c, 7, jk_script_power},  {0x4020, 8, jk_script_power},
    {0x4022, 9, jk_script_power},   {0x4024, 10, jk_script_power}, {0x4026, 11, jk_script_power},
    {0x4028, 12, jk_script_power},  {0x402a, 13, jk_script_power}, {0x402c, 14, jk_script_power},
    {0x402e, 15, jk_script_power},  {0x4030, 16, jk_script_power}};

/* The row of x^exponent; NULL for another exponent, or no constant. */
JK_FUNC const jk_power *jk_power_find(jk_ir *ir, jk_ref exponent)
{
    const jk_ins *i = &ir->ins[exponent];
    const jk_power *p = jk_powers, *end = p + sizeof jk_powers / sizeof *jk_powers;
    uint64_t bits = jk_fp_fold(JK_CVT, JK_F64, (jk_type)i->type, 0, jk_ir_const_bits(i), 0, 0);
    while (p < end && bits != (uint64_t)p->high << 48)
        p++;
    return p < end && i->op == JK_CONST ? p : NULL;
}

/* The value r that a script makes of its arguments; JK_NOREF for a power that this version does not have. */
JK_FUNC jk_ref jk_script_run(jk_ir *ir, const jk_script *s, const jk_value *arg, uint32_t nargs)
{
    jk_ref v[128]; /* by letter */
    const jk_power *power;
    unsigned n = 0; /* a power's exponent */
    memset(v, 0, sizeof v);
    while (nargs-- > 0)
        v['x' + nargs] = arg[nargs].ref;
    for (;;) {
        const jk_script *now = s++;
        jk_ref a = v[(int)now->a], b = v[(int)now->b], c = v[(int)now->c], r;
        switch ((unsigned)now->op) {
        case JK_DO_POWER:
            power = jk_power_find(ir, a);
            if (!power)
                return JK_NOREF;
            s = power->script;
            n = power->n;
            continue;
        case JK_DO_IF_BITS:
            s += n & (unsigned)now->a ? 0 : now->b;
            continue;
        case JK_DO_IF_MASKS:
            s += jk_is_mask((jk_type)ir->ins[a].type) && jk_is_mask((jk_type)ir->ins[b].type) ? 0 : now->c;
            continue;
        case JK_DO_BEGIN:
            r = jk_ir_rare_find(ir, a, b);
            if (r != JK_NOREF)
                return r;
            jk_ir_rare_begin(ir);
            continue;
        case JK_DO_AGAIN:
            jk_ir_rare_next(ir, b, c);
            jk_ir_rare_again(ir, a, ir->type == JK_F64 ? 64 : 32);
            continue;
        case JK_CONST:
            r = jk_ir_kind(ir, (jk_kind)now->a);
            break;
        case JK_DO_POW2:
            r = jk_script_pow2(ir, now, n);
            break;
        case JK_DO_NUMBER:
            r = jk_as_number(ir, a);
            break;
        case JK_DO_MASK:
            r = jk_as_mask(ir, a);
            break;
        case JK_RARE:
            r = jk_ir_rare_end(ir, a, b, c);
            break;
        default:
            r = jk_ir_any(ir, (jk_op)now->op, a, b, c);
        }
        v[(int)now->to] = r;
        if (now->to == 'r')
            return r;
    }
}

/* A function or an operator of its arguments, two at a time where it takes many; JK_NOREF for a power that this version
 * does not have. */
JK_FUNC jk_ref jk_fn_lower(jk_ir *ir, const jk_fn *f, jk_value *arg, uint32_t nargs)
{
    const jk_script *script = f->script;
    uint32_t i;
    for (i = 0; i < nargs && !(f->flags & JK_FN_RAW); i++)
        arg[i].ref = jk_as_number(ir, arg[i].ref);
    if (f->flags & JK_FN_MANY) {
        script += nargs == 1;
        for (; nargs > 2; nargs--, arg++)
            arg[1].ref = jk_script_run(ir, script, arg, 2);
    }
    return jk_script_run(ir, script, arg, nargs);
}

JK_SMALL_CLOSE
