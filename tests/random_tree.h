/* Random expressions for check_random.c: a tree of our own (not the library's), grown from a grammar that is one table,
 * printed as text with random spelling, and evaluated directly in plain arithmetic, so that the interpreter, against
 * which the machine code is held, is itself held against something else.
 *
 * Include after kernels_under_test.h. */
#ifndef RANDOM_TREE_H
#define RANDOM_TREE_H
#include "kernels_under_test.h"

/* NAME, text, form, arity, precedence (loosest 1), weight in the growing. */
#define TREE_OPS(X)                         \
    X(NUMBER, "", LEAF, 0, 10, 0)           \
    X(ARRAY, "", LEAF, 0, 10, 0)            \
    X(SCALAR, "", LEAF, 0, 10, 0)           \
    X(LENGTH, "length()", LEAF, 0, 10, 0)   \
    X(ADD, "+", INFIX, 2, 5, 12)            \
    X(SUB, "-", INFIX, 2, 5, 12)            \
    X(MUL, "*", INFIX, 2, 6, 12)            \
    X(DIV, "/", INFIX, 2, 6, 7)             \
    X(MOD, "%", INFIX, 2, 6, 4)             \
    X(LT, "<", COMPARE, 2, 4, 2)            \
    X(LE, "<=", COMPARE, 2, 4, 2)           \
    X(GT, ">", COMPARE, 2, 4, 2)            \
    X(GE, ">=", COMPARE, 2, 4, 2)           \
    X(EQ, "==", COMPARE, 2, 4, 2)           \
    X(NE, "!=", COMPARE, 2, 4, 2)           \
    X(AND, "&&", INFIX, 2, 3, 2)            \
    X(OR, "||", INFIX, 2, 2, 2)             \
    X(NEG, "-", PREFIX, 1, 7, 6)            \
    X(PLUS, "+", PREFIX, 1, 7, 1)           \
    X(NOT, "!", PREFIX, 1, 7, 2)            \
    X(ROOT, "\xe2\x88\x9a", ROOT, 1, 9, 2)  \
    X(POWER, "^", POWER, 1, 8, 7)           \
    X(COND, "?", COND, 3, 1, 4)             \
    X(WHERE, "where", CALL, 3, 10, 3)       \
    X(ABS, "abs", CALL, 1, 10, 2)           \
    X(SIGN, "sign", CALL, 1, 10, 2)         \
    X(SQRT, "sqrt", CALL, 1, 10, 3)         \
    X(MIN2, "min", CALL, 2, 10, 2)          \
    X(MAX2, "max", CALL, 2, 10, 2)          \
    X(MIN3, "min", CALL, 3, 10, 1)          \
    X(MAX4, "max", CALL, 4, 10, 1)          \
    X(CLAMP, "clamp", CALL, 3, 10, 2)       \
    X(FMA, "fma", CALL, 3, 10, 3)           \
    X(FLOOR, "floor", CALL, 1, 10, 2)       \
    X(CEIL, "ceil", CALL, 1, 10, 2)         \
    X(TRUNC, "trunc", CALL, 1, 10, 2)       \
    X(ROUND, "round", CALL, 1, 10, 2)       \
    X(RINT, "rint", CALL, 1, 10, 2)         \
    X(COPYSIGN, "copysign", CALL, 2, 10, 2) \
    X(ISNAN, "isnan", CALL, 1, 10, 1)       \
    X(ISINF, "isinf", CALL, 1, 10, 1)       \
    X(ISFINITE, "isfinite", CALL, 1, 10, 1) \
    X(SUM, "sum", REDUCE, 1, 10, 6)         \
    X(PROD, "prod", REDUCE, 1, 10, 2)       \
    X(MIN, "min", REDUCE, 1, 10, 3)         \
    X(MAX, "max", REDUCE, 1, 10, 3)         \
    X(MEAN, "mean", REDUCE, 1, 10, 2)       \
    X(DOT, "dot", REDUCE, 2, 10, 3)         \
    X(ANY, "any", REDUCE, 1, 10, 1)         \
    X(ALL, "all", REDUCE, 1, 10, 1)         \
    X(COUNT, "count", REDUCE, 1, 10, 1)     \
    X(ARGMIN, "argmin", REDUCE, 1, 10, 1)   \
    X(ARGMAX, "argmax", REDUCE, 1, 10, 1)

typedef enum tree_form {
    TREE_LEAF,
    TREE_INFIX,
    TREE_COMPARE,
    TREE_PREFIX,
    TREE_ROOT,
    TREE_POWER,
    TREE_COND,
    TREE_CALL,
    TREE_REDUCE
} tree_form;

typedef enum tree_op {
#define TREE_ROW(NAME, text, form, arity, precedence, weight) TREE_OP_##NAME,
    TREE_OPS(TREE_ROW)
#undef TREE_ROW
        TREE_OPS_END
} tree_op;

typedef struct tree_row {
    const char *text;
    tree_form form;
    unsigned arity;
    int precedence;
    unsigned weight;
} tree_row;

static const tree_row tree_rows[] = {
#define TREE_ROW(NAME, text, form, arity, precedence, weight) {text, TREE_##form, arity, precedence, weight},
    TREE_OPS(TREE_ROW)
#undef TREE_ROW
};

static const char *const tree_numbers[] = {"1",
                                           "2",
                                           "0",
                                           "3",
                                           "0.5",
                                           "1.5",
                                           ".25",
                                           "5.",
                                           "1e-3",
                                           "0x10",
                                           "0x1.8p3",
                                           "10",
                                           "100",
                                           "1e30",
                                           "1e-320",
                                           "1e-45",
                                           "9007199254740993",
                                           "16777217",
                                           "0.1",
                                           "4503599627370497.5",
                                           "1e38",
                                           "1e-38",
                                           "pi",
                                           "e",
                                           "inf",
                                           "nan"};
static const char *const tree_exponents[] = {"0.5", "2", "3", "-1", "1",  "0",  "4",  "1/2", "5",  "6",
                                             "7",   "8", "9", "10", "11", "12", "13", "14",  "15", "16"};
#define TREE_PLAIN_EXPONENTS 8 /* the first of them, whose value is spelled out in language.md bit by bit */
#define TREE_ARRAYS 4
#define TREE_SCALARS 2
static const char tree_array_names[] = "xyzw", tree_scalar_names[] = "ab";

typedef struct tree_node {
    tree_op op;
    unsigned leaf;  /* which number, array, scalar or exponent */
    unsigned style; /* random bits for the spelling; 0 is the plainest */
    size_t kid[4];
} tree_node;

#define TREE_MAX 2048
#define TREE_ROOTS 3
typedef struct tree {
    size_t count, roots, root[TREE_ROOTS]; /* one root for each result */
    tree_node node[TREE_MAX];
} tree;

/* ---- growing ---- */

typedef enum tree_place { TREE_MAP, TREE_UNIFORM, TREE_INSIDE } tree_place; /* INSIDE: in a reduction's argument */

typedef struct tree_grower {
    tree *t;
    kut_rng *rng;
    bool mixed;   /* reductions may stand among arrays */
    bool scalars; /* scalar parameters and length() may stand */
} tree_grower;

KUT_FUNC size_t tree_add(tree *t, tree_op op, unsigned leaf, unsigned style)
{
    tree_node *v = &t->node[t->count];
    memset(v, 0, sizeof *v);
    v->op = op;
    v->leaf = leaf;
    v->style = style;
    return t->count++;
}

KUT_FUNC size_t tree_grow_leaf(tree_grower *g, tree_place place)
{
    size_t die = kut_below(g->rng, 10);
    unsigned style = (unsigned)kut_next(g->rng);
    if (place != TREE_UNIFORM && die < 6)
        return tree_add(g->t, TREE_OP_ARRAY, (unsigned)kut_below(g->rng, TREE_ARRAYS), style);
    if (g->scalars && kut_below(g->rng, 20) == 0)
        return tree_add(g->t, TREE_OP_LENGTH, 0, style);
    if (g->scalars && die < 8)
        return tree_add(g->t, TREE_OP_SCALAR, (unsigned)kut_below(g->rng, TREE_SCALARS), style);
    return tree_add(g->t, TREE_OP_NUMBER, (unsigned)kut_below(g->rng, KUT_COUNT(tree_numbers)), style);
}

/* Reductions stand where the place allows them; elsewhere the weights of the other ops decide. */
KUT_FUNC tree_op tree_pick(tree_grower *g, bool reduce)
{
    unsigned total = 0;
    for (int i = 0; i < TREE_OPS_END; i++)
        total += (tree_rows[i].form == TREE_REDUCE) == reduce ? tree_rows[i].weight : 0;
    size_t die = kut_below(g->rng, total);
    for (int i = 0; i < TREE_OPS_END; i++) {
        unsigned weight = (tree_rows[i].form == TREE_REDUCE) == reduce ? tree_rows[i].weight : 0;
        if (die < weight) /* the quotients of x % y may be large */
            return i == TREE_OP_MOD && !kut_fma_is_exact() ? TREE_OP_DIV : (tree_op)i;
        die -= weight;
    }
    return TREE_OP_ADD;
}

KUT_FUNC size_t tree_grow(tree_grower *g, size_t budget, tree_place place)
{
    bool reduce = (place == TREE_UNIFORM && (budget < 4 ? kut_below(g->rng, 4) != 0 : kut_below(g->rng, 3) == 0)) ||
                  (place == TREE_MAP && g->mixed && kut_below(g->rng, 12) == 0);
    if (!reduce && (budget <= 1 || kut_below(g->rng, 12) == 0))
        return tree_grow_leaf(g, place);
    tree_op op = tree_pick(g, reduce);
    size_t arity = tree_rows[op].arity, rest = budget > arity ? budget - 1 : arity;
    unsigned leaf = 0;
    if (op == TREE_OP_POWER)
        leaf = (unsigned)kut_below(g->rng, kut_below(g->rng, 2) ? TREE_PLAIN_EXPONENTS : KUT_COUNT(tree_exponents));
    size_t at = tree_add(g->t, op, leaf, (unsigned)kut_next(g->rng));
    for (size_t i = 0; i < arity; i++) {
        size_t share = i + 1 == arity ? rest : 1 + kut_below(g->rng, rest - (arity - 1 - i));
        size_t kid = tree_grow(g, share, reduce ? TREE_INSIDE : place);
        g->t->node[at].kid[i] = kid;
        rest -= share < rest ? share : rest - 1;
    }
    return at;
}

/* ---- printing ---- */

KUT_FUNC void tree_print(kut_text *b, const tree *t, size_t at, int loosest);

KUT_FUNC void tree_print_call(kut_text *b, const tree *t, const tree_node *v)
{
    kut_puts(b, tree_rows[v->op].text);
    kut_puts(b, (v->style & 64) ? " (" : "(");
    for (unsigned i = 0; i < tree_rows[v->op].arity; i++) {
        if (i)
            kut_puts(b, (v->style & 2) ? "," : ", ");
        tree_print(b, t, v->kid[i], 1);
    }
    kut_puts(b, ")");
}

KUT_FUNC void tree_print_operator(kut_text *b, const tree *t, const tree_node *v)
{
    const tree_row *row = &tree_rows[v->op];
    const char *space = (v->style & 2) ? "" : (v->style & 0x38) == 0x38 ? " # why not\n  " : " ";
    int p = row->precedence;
    switch (row->form) {
    case TREE_PREFIX:
        kut_puts(b, row->text);
        tree_print(b, t, v->kid[0], p);
        break;
    case TREE_ROOT: /* the operand may carry a sign: then what follows the sign is a primary */
        kut_puts(b, row->text);
        if (t->node[v->kid[0]].op == TREE_OP_NEG && (v->style & 4)) {
            kut_puts(b, "-");
            tree_print(b, t, t->node[v->kid[0]].kid[0], 10);
        } else {
            tree_print(b, t, v->kid[0], p);
        }
        break;
    case TREE_POWER: {
        const char *exponent = tree_exponents[v->leaf];
        bool wrap = strchr(exponent, '/') || (v->style & 8);
        tree_print(b, t, v->kid[0], p + 1);
        kut_puts(b, (v->style & 4) ? "**" : "^");
        kut_puts(b, wrap ? "(" : "");
        kut_puts(b, exponent);
        kut_puts(b, wrap ? ")" : "");
        break;
    }
    case TREE_COND:
        tree_print(b, t, v->kid[0], p + 1);
        kut_puts(b, (v->style & 2) ? "?" : " ? ");
        tree_print(b, t, v->kid[1], p);
        kut_puts(b, (v->style & 2) ? ":" : " : ");
        tree_print(b, t, v->kid[2], p);
        break;
    default:
        tree_print(b, t, v->kid[0], row->form == TREE_COMPARE ? p + 1 : p);
        kut_puts(b, space);
        kut_puts(b, row->text);
        kut_puts(b, space);
        tree_print(b, t, v->kid[1], p + 1);
    }
}

KUT_FUNC void tree_print(kut_text *b, const tree *t, size_t at, int loosest)
{
    const tree_node *v = &t->node[at];
    bool wrap = tree_rows[v->op].precedence < loosest || (v->style & 0x700) == 0x700;
    if (wrap)
        kut_puts(b, "(");
    switch (v->op) {
    case TREE_OP_NUMBER:
        kut_puts(b, tree_numbers[v->leaf]);
        break;
    case TREE_OP_ARRAY:
        kut_put_char(b, tree_array_names[v->leaf]);
        break;
    case TREE_OP_LENGTH:
        kut_puts(b, tree_rows[v->op].text);
        break;
    case TREE_OP_SCALAR:
        kut_put_char(b, tree_scalar_names[v->leaf]);
        break;
    default:
        if (tree_rows[v->op].form == TREE_CALL || tree_rows[v->op].form == TREE_REDUCE)
            tree_print_call(b, t, v);
        else
            tree_print_operator(b, t, v);
    }
    if (wrap)
        kut_puts(b, ")");
}

/* ---- what a tree is ---- */

/* Mentions an array outside every reduction: the result is an array. */
KUT_FUNC bool tree_is_map(const tree *t, size_t at)
{
    const tree_node *v = &t->node[at];
    if (v->op == TREE_OP_ARRAY || tree_rows[v->op].form == TREE_REDUCE)
        return v->op == TREE_OP_ARRAY;
    for (unsigned i = 0; i < tree_rows[v->op].arity; i++)
        if (tree_is_map(t, v->kid[i]))
            return true;
    return false;
}

/* Its value is spelled out by language.md, operation by operation. */
KUT_FUNC bool tree_is_plain(const tree *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->node[i].op == TREE_OP_POWER && t->node[i].leaf >= TREE_PLAIN_EXPONENTS)
            return false;
    return true;
}

KUT_FUNC bool tree_has(const tree *t, tree_op op)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->node[i].op == op)
            return true;
    return false;
}

KUT_FUNC bool tree_has_reduction(const tree *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (tree_rows[t->node[i].op].form == TREE_REDUCE)
            return true;
    return false;
}

/* ---- evaluating ---- */

typedef struct tree_env {
    const tree *t;
    jitk_type type;
    const plain_format *f;
    size_t n;
    const void *array[TREE_ARRAYS];
    uint64_t scalar[TREE_SCALARS];
    uint64_t *reduced; /* [TREE_MAX] the values of reductions by node */
} tree_env;

KUT_FUNC uint64_t tree_number(const tree_env *v, unsigned leaf)
{
    static uint64_t bits[2][KUT_COUNT(tree_numbers)];
    static bool known[2][KUT_COUNT(tree_numbers)];
    const char *s = tree_numbers[leaf];
    int which = v->type == JITK_F32;
    if (!known[which][leaf]) {
        known[which][leaf] = true;
        bits[which][leaf] = plain_parse(v->f, strcmp(s, "pi") == 0  ? "3.14159265358979323846264338327950288"
                                              : strcmp(s, "e") == 0 ? "2.71828182845904523536028747135266250"
                                                                    : s);
    }
    return bits[which][leaf];
}

KUT_FUNC uint64_t tree_power(const plain_format *f, uint64_t x, const char *exponent)
{
    uint64_t xx = plain_mul(f, x, x);
    if (strcmp(exponent, "-1") == 0)
        return plain_div(f, f->one, x);
    if (exponent[1] != 0) { /* one half: pow's special cases differ from the root's at -0 and -inf */
        if (x == (f->sign | f->inf))
            return f->inf;
        return x == f->sign ? 0 : plain_sqrt(f, x);
    }
    switch (exponent[0]) {
    case '0':
        return f->one;
    case '1':
        return x;
    case '2':
        return xx;
    case '3':
        return plain_mul(f, xx, x);
    default:
        return plain_mul(f, xx, xx);
    }
}

KUT_FUNC bool tree_true(const plain_format *f, uint64_t u)
{
    return !plain_eq(f, u, 0);
}

KUT_FUNC uint64_t tree_apply(const plain_format *f, const tree_node *v, const uint64_t *k)
{
#define TREE_BOOL(c) ((c) ? f->one : 0)
    switch (v->op) {
    case TREE_OP_ADD:
        return plain_add(f, k[0], k[1]);
    case TREE_OP_SUB:
        return plain_sub(f, k[0], k[1]);
    case TREE_OP_MUL:
        return plain_mul(f, k[0], k[1]);
    case TREE_OP_DIV:
        return plain_div(f, k[0], k[1]);
    case TREE_OP_MOD:
        return plain_fmod(f, k[0], k[1]);
    case TREE_OP_LT:
        return TREE_BOOL(plain_lt(f, k[0], k[1]));
    case TREE_OP_LE:
        return TREE_BOOL(plain_lt(f, k[0], k[1]) || plain_eq(f, k[0], k[1]));
    case TREE_OP_GT:
        return TREE_BOOL(plain_lt(f, k[1], k[0]));
    case TREE_OP_GE:
        return TREE_BOOL(plain_lt(f, k[1], k[0]) || plain_eq(f, k[0], k[1]));
    case TREE_OP_EQ:
        return TREE_BOOL(plain_eq(f, k[0], k[1]));
    case TREE_OP_NE:
        return TREE_BOOL(!plain_eq(f, k[0], k[1]));
    case TREE_OP_AND:
        return TREE_BOOL(tree_true(f, k[0]) && tree_true(f, k[1]));
    case TREE_OP_OR:
        return TREE_BOOL(tree_true(f, k[0]) || tree_true(f, k[1]));
    case TREE_OP_NEG:
        return k[0] ^ f->sign;
    case TREE_OP_PLUS:
        return k[0];
    case TREE_OP_NOT:
        return TREE_BOOL(!tree_true(f, k[0]));
    case TREE_OP_ROOT:
    case TREE_OP_SQRT:
        return plain_sqrt(f, k[0]);
    case TREE_OP_POWER:
        return tree_power(f, k[0], tree_exponents[v->leaf]);
    case TREE_OP_COND:
    case TREE_OP_WHERE:
        return tree_true(f, k[0]) ? k[1] : k[2];
    case TREE_OP_ABS:
        return k[0] & ~f->sign;
    case TREE_OP_SIGN:
        return plain_isnan(f, k[0]) || plain_eq(f, k[0], 0) ? k[0] : (k[0] & f->sign) | f->one;
    case TREE_OP_MIN2:
        return plain_min(f, k[0], k[1]);
    case TREE_OP_MAX2:
        return plain_max(f, k[0], k[1]);
    case TREE_OP_MIN3:
        return plain_min(f, plain_min(f, k[0], k[1]), k[2]);
    case TREE_OP_MAX4:
        return plain_max(f, plain_max(f, k[0], k[1]), plain_max(f, k[2], k[3]));
    case TREE_OP_CLAMP:
        return plain_min(f, plain_max(f, k[0], k[1]), k[2]);
    case TREE_OP_FMA:
        return plain_fma(f, k[0], k[1], k[2]);
    case TREE_OP_FLOOR:
        return plain_integer(f, k[0], PLAIN_FLOOR);
    case TREE_OP_CEIL:
        return plain_integer(f, k[0], PLAIN_CEIL);
    case TREE_OP_TRUNC:
        return plain_integer(f, k[0], PLAIN_TRUNC);
    case TREE_OP_ROUND:
        return plain_integer(f, k[0], PLAIN_ROUND);
    case TREE_OP_RINT:
        return plain_integer(f, k[0], PLAIN_RINT);
    case TREE_OP_COPYSIGN:
        return (k[0] & ~f->sign) | (plain_isnan(f, k[1]) ? 0 : k[1] & f->sign);
    case TREE_OP_ISNAN:
        return TREE_BOOL(plain_isnan(f, k[0]));
    case TREE_OP_ISINF:
        return TREE_BOOL((k[0] & ~f->sign) == f->inf);
    default: /* ISFINITE */
        return TREE_BOOL((k[0] & ~f->sign) < f->inf);
    }
#undef TREE_BOOL
}

KUT_FUNC uint64_t tree_eval(const tree_env *e, size_t at, size_t i)
{
    const tree_node *v = &e->t->node[at];
    uint64_t k[4];
    if (v->op == TREE_OP_NUMBER)
        return tree_number(e, v->leaf);
    if (v->op == TREE_OP_ARRAY)
        return kut_get(e->type, e->array[v->leaf], (ptrdiff_t)i);
    if (v->op == TREE_OP_SCALAR)
        return e->scalar[v->leaf];
    if (v->op == TREE_OP_LENGTH)
        return plain_whole(e->f, (int64_t)e->n);
    if (tree_rows[v->op].form == TREE_REDUCE)
        return e->reduced[at];
    for (unsigned j = 0; j < tree_rows[v->op].arity; j++)
        k[j] = tree_eval(e, v->kid[j], i);
    return tree_apply(e->f, v, k);
}

/* Sums and products in the fixed order of design.md, of one chunk: four segments, lanes of 64 bytes. f32 sums pour into
 * f64 lanes every 64 steps; f32 products are made in f64 lanes. The value is an f64. */
KUT_FUNC uint64_t tree_accumulate(const tree_env *e, const uint64_t *value, bool product)
{
    const plain_format *d = &plain_f64, *f = product ? d : e->f;
    uint64_t (*join)(const plain_format *, uint64_t, uint64_t) = product ? plain_mul : plain_add;
    size_t lanes = 64 / e->f->bytes, segment = (e->n * e->f->bytes + 255) / 256 * lanes, at = 0;
    uint64_t neutral = product ? d->one : 0, s[4][16], lane[16];
    bool narrow = f->bytes == 4;
    for (size_t g = 0; g < 4; g++) {
        for (size_t l = 0; l < lanes; l++)
            lane[l] = s[g][l] = neutral;
        for (size_t j = 0; j < segment && at < e->n; j++, at++) {
            uint64_t v = e->f->bytes == 4 && !narrow ? plain_widen(value[at]) : value[at];
            lane[j % lanes] = join(f, lane[j % lanes], v);
            for (size_t l = 0; narrow && (j + 1) % (64 * lanes) == 0 && l < lanes; l++) {
                s[g][l] = join(d, s[g][l], plain_widen(lane[l]));
                lane[l] = 0;
            }
        }
        for (size_t l = 0; l < lanes; l++)
            s[g][l] = narrow ? join(d, s[g][l], plain_widen(lane[l])) : lane[l];
    }
    for (size_t l = 0; l < lanes; l++)
        s[0][l] = join(d, join(d, s[0][l], s[1][l]), join(d, s[2][l], s[3][l]));
    for (size_t h = lanes / 2; h; h /= 2)
        for (size_t l = 0; l < h; l++)
            s[0][l] = join(d, s[0][l], s[0][l + h]);
    return s[0][0];
}

KUT_FUNC uint64_t tree_round(const tree_env *e, uint64_t wide)
{
    return e->type == JITK_F32 ? plain_narrow(wide) : wide;
}

KUT_FUNC uint64_t tree_extreme(const tree_env *e, const uint64_t *value, bool largest)
{
    uint64_t best = largest ? e->f->sign | e->f->inf : e->f->inf;
    for (size_t i = 0; i < e->n; i++)
        best = largest ? plain_max(e->f, best, value[i]) : plain_min(e->f, best, value[i]);
    return best;
}

/* The first place of the extreme value; a NaN, if there is one, is it. */
KUT_FUNC uint64_t tree_place_of(const tree_env *e, const uint64_t *value, bool largest)
{
    uint64_t best = tree_extreme(e, value, largest);
    for (size_t i = 0; i < e->n; i++)
        if (plain_same(e->f, value[i], best) || plain_eq(e->f, value[i], best))
            return plain_whole(e->f, (int64_t)i);
    return plain_whole(e->f, -1);
}

KUT_FUNC uint64_t tree_reduce(const tree_env *e, const tree_node *v, uint64_t *value)
{
    size_t yes = 0;
    for (size_t i = 0; i < e->n; i++) {
        value[i] = tree_eval(e, v->kid[0], i);
        if (v->op == TREE_OP_DOT)
            value[i] = plain_mul(e->f, value[i], tree_eval(e, v->kid[1], i));
        yes += tree_true(e->f, value[i]);
    }
    switch (v->op) {
    case TREE_OP_SUM:
    case TREE_OP_DOT:
        return tree_round(e, tree_accumulate(e, value, false));
    case TREE_OP_PROD:
        return tree_round(e, tree_accumulate(e, value, true));
    case TREE_OP_MEAN:
        return tree_round(
            e, plain_div(&plain_f64, tree_accumulate(e, value, false), plain_whole(&plain_f64, (int64_t)e->n)));
    case TREE_OP_MIN:
    case TREE_OP_MAX:
        return tree_extreme(e, value, v->op == TREE_OP_MAX);
    case TREE_OP_ANY:
        return yes ? e->f->one : 0;
    case TREE_OP_ALL:
        return yes == e->n ? e->f->one : 0;
    case TREE_OP_COUNT:
        return plain_whole(e->f, (int64_t)yes);
    default:
        return tree_place_of(e, value, v->op == TREE_OP_ARGMAX);
    }
}

/* The values of all reductions. Kids have higher numbers than their parents, so walking down the numbers meets inner
 * reductions first. `scratch` holds n values. */
KUT_FUNC void tree_run_reductions(tree_env *e, uint64_t *scratch)
{
    unsigned saved = plain_enter();
    for (size_t at = e->t->count; at-- > 0;)
        if (tree_rows[e->t->node[at].op].form == TREE_REDUCE)
            e->reduced[at] = tree_reduce(e, &e->t->node[at], scratch);
    plain_leave(saved);
}

/* Then the values of one result: n of them for a map, else one. */
KUT_FUNC void tree_run(const tree_env *e, size_t root, void *out)
{
    unsigned saved = plain_enter();
    size_t count = tree_is_map(e->t, root) ? e->n : 1;
    for (size_t i = 0; i < count; i++)
        kut_put(e->type, out, (ptrdiff_t)i, tree_eval(e, root, i));
    plain_leave(saved);
}

#endif
