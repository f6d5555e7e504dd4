/* ir: the builder. jk_ir_emit is the one door through which every instruction enters. It puts the operands into a
 * normal form (a constant last, else the older value first), folds constants, applies the rules below, and shares equal
 * values; so nothing cleans up later.
 *
 * A rule is exact for every input: NaN, infinities, subnormals, both zeros (a NaN's sign and payload are outside the
 * contract). That is why there is no x+0 (-0 gives +0), no x*0 and x-x (infinities and NaN), no -(a-b) = b-a (zeros).
 * Rules only shrink a term or move it towards the normal form, so they stop.
 *
 * Sharing is by hash chains, the newest value first. What is made inside a rare body must not be found from outside it:
 * rare_end unlinks it, newest first, so that the chains need no search. */
#include "ir.h"
#include "../fp.h"

JK_SMALL_OPEN

#define JK_UNSHARED (UINT32_MAX - 1)
#define JK_IR_FIRST ((size_t)64) /* instructions that the first allocation holds */

typedef enum jk_op_result {
    JK_RESULT_SAME,
    JK_RESULT_MASK,
    JK_RESULT_BITS,
    JK_RESULT_F64,
    JK_RESULT_I64,
    JK_RESULT_OWN
} jk_op_result;
typedef struct jk_op_row {
    const char *text;
    uint8_t arity, result, flags;
} jk_op_row;

static const jk_op_row jk_op_rows[JK_OP_COUNT] = {
#define JK_ROW(NAME, text, arity, result, flags, meaning) {text, arity, JK_RESULT_##result, flags},
    JK_OPS(JK_ROW)
#undef JK_ROW
};

JK_FUNC unsigned jk_op_arity(jk_op op)
{
    return jk_op_rows[op].arity;
}

JK_FUNC const char *jk_op_name(jk_op op)
{
    return jk_op_rows[op].text;
}

JK_FUNC uint64_t jk_ir_const_bits(const jk_ins *i)
{
    uint64_t bits;
    memcpy(&bits, (const char *)i + offsetof(jk_ins, a), sizeof bits); /* a and b at once */
    return bits;
}

/* ---- constants by kind: name, bits as F64, bits as F32. From ROUND on they are those of scripts (builtins.c). ---- */
#define JK_POW2_64(e) ((uint64_t)(1023 + (e)) << 52)
#define JK_POW2_32(e) ((uint32_t)(127 + (e)) << 23)
#define JK_KINDS(X)                                            \
    X(ZERO, 0, 0)                                              \
    X(MINUS_ZERO, (uint64_t)1 << 63, 0x80000000)               \
    X(ONE, JK_POW2_64(0), JK_POW2_32(0))                       \
    X(MINUS_ONE, (uint64_t)0xbff << 52, 0xbf800000)            \
    X(TWO, JK_POW2_64(1), JK_POW2_32(1))                       \
    X(INF, (uint64_t)0x7ff << 52, 0x7f800000)                  \
    X(MINUS_INF, (uint64_t)0xfff << 52, 0xff800000)            \
    X(ONES, UINT64_MAX, UINT32_MAX)                            \
    X(NAN, (uint64_t)0x7ff8 << 48, 0x7fc00000)                 \
    X(E, 0x4005bf0a8b145769, 0x402df854)                       \
    X(PI, 0x400921fb54442d18, 0x40490fdb)                      \
    X(HALF, JK_POW2_64(-1), JK_POW2_32(-1))                    \
    X(ROUND, 0x3fdfffffffffffff, 0x3effffff)                   \
    X(MANY, JK_POW2_64(53), JK_POW2_32(24))                    \
    X(SCALE, JK_POW2_64(600), JK_POW2_32(80))                  \
    X(UNSCALE, JK_POW2_64(-600), JK_POW2_32(-80))              \
    X(DIGIT, JK_POW2_64(-52), JK_POW2_32(-23))                 \
    X(SCALED_DIGIT, JK_POW2_64(600 - 52), JK_POW2_32(80 - 23)) \
    X(LEAST, JK_POW2_64(-960), JK_POW2_32(-96))
typedef enum jk_kind {
#define JK_ROW(NAME, f64, f32) JK_IS_##NAME,
    JK_KINDS(JK_ROW)
#undef JK_ROW
        JK_KIND_COUNT
} jk_kind;

#define JK_ROW(NAME, f64, f32) {f64, f32},
static const uint64_t jk_kinds[][2] = {JK_KINDS(JK_ROW)};
#undef JK_ROW
#undef JK_KINDS
#undef JK_POW2_64
#undef JK_POW2_32

JK_FUNC uint64_t jk_kind_bits(jk_kind kind, jk_type type)
{
    return jk_kinds[kind][jk_type_size(type) == 4];
}

JK_FUNC jk_ref jk_ir_kind(jk_ir *ir, jk_kind kind)
{
    return jk_ir_bits(ir, (jk_type)ir->type, jk_kind_bits(kind, (jk_type)ir->type));
}

JK_FUNC jk_ref jk_ir_bits(jk_ir *ir, jk_type type, uint64_t bits)
{
    return jk_ir_emit(ir, JK_CONST, type, 0, (uint32_t)bits, (uint32_t)(bits >> 32), 0);
}

JK_FUNC jk_ref jk_ir_float(jk_ir *ir, jk_type type, double value)
{
    uint64_t bits = jk_f64_bits(value);
    if (type == JK_F32)
        bits = jk_fp_fold(JK_CVT, JK_F32, JK_F64, 0, bits, 0, 0);
    return jk_ir_bits(ir, type, bits);
}

/* ---- looking at values ---- */
JK_FUNC bool jk_ir_op_is(const jk_ir *ir, jk_ref r, jk_op op)
{
    return ir->ins[r].op == (uint8_t)op;
}

JK_FUNC bool jk_ir_is_const(const jk_ir *ir, jk_ref r)
{
    return jk_ir_op_is(ir, r, JK_CONST);
}

JK_FUNC bool jk_ir_is(const jk_ir *ir, jk_ref r, jk_kind kind)
{
    return jk_ir_is_const(ir, r) && jk_ir_const_bits(&ir->ins[r]) == jk_kind_bits(kind, (jk_type)ir->ins[r].type);
}

JK_FUNC bool jk_is_float(jk_type t)
{
    return t == JK_F64 || t == JK_F32;
}

JK_FUNC bool jk_is_mask(jk_type t)
{
    return t == JK_M64 || t == JK_M32;
}

JK_FUNC jk_type jk_mask_type(jk_type t)
{
    return jk_type_size(t) == 8 ? JK_M64 : JK_M32;
}

/* ---- the rules, as data ---- */
/* A row: of an op whose operands fit the patterns, another op of other operands. The patterns are an op (CONST: any
 * constant), a constant's kind, or */
#define JK_IF_ANY 0
#define JK_IF_SAME 1    /* the operand before it */
#define JK_IF_ROUNDED 2 /* floor, ceil, trunc or rint */
#define JK_IF_TYPE 3    /* already of the result's type */
#define JK_IF_OP(op) (4 + JK_##op)
#define JK_IF_IS(kind) (4 + JK_OP_COUNT + JK_IS_##kind)
/* What it becomes: an op, or */
#define JK_BE_ITSELF JK_OP_COUNT      /* the first operand */
#define JK_BE_POW2 (JK_OP_COUNT + 1)  /* jk_rule_pow2's */
#define JK_BE_TRUTH (JK_OP_COUNT + 2) /* jk_rule_truth's */
/* Of the operands a, b, c; of a's own operands and b's first one; and */
enum {
    JK_OF_A,
    JK_OF_B,
    JK_OF_C,
    JK_OF_AA,
    JK_OF_AB,
    JK_OF_AC,
    JK_OF_BA,
    JK_OF_ZERO,
    JK_OF_MINUS_A,
    JK_OF_MINUS_B,
    JK_OF_ISNAN
};

typedef struct jk_rule {
    uint8_t op, fits[3], be, of[3];
} jk_rule;

/* clang-format off */
#define JK_TO(op, a, b, c, be, x, y, z) \
    {JK_##op, {JK_IF_##a, JK_IF_##b, JK_IF_##c}, JK_##be, {JK_OF_##x, JK_OF_##y, JK_OF_##z}}
#define JK_TO_A(op, a, b) JK_TO(op, a, b, ANY, BE_ITSELF, A, A, A)
#define JK_TO_B(op, a, b) JK_TO(op, a, b, ANY, BE_ITSELF, B, A, A)
/* Two minus signs cancel, one moves into a constant. */
#define JK_SIGNS(op) \
    JK_TO(op, OP(NEG), OP(NEG), ANY, op, AA, BA, C), JK_TO(op, OP(NEG), OP(CONST), ANY, op, AA, MINUS_B, C), \
    JK_TO(op, OP(CONST), OP(NEG), ANY, op, MINUS_A, BA, C)
/* In the order of the ops; the first that fits is taken. */
static const jk_rule jk_rules[] = {
    JK_TO(NEG, OP(NEG), ANY, ANY, BE_ITSELF, AA, A, A),
    JK_TO(ABS, OP(NEG), ANY, ANY, ABS, AA, A, A),
    JK_TO(ABS, OP(COPYSIGN), ANY, ANY, ABS, AA, A, A),
    JK_TO_A(ABS, OP(ABS), ANY),
    JK_TO_A(FLOOR, ROUNDED, ANY), JK_TO_A(CEIL, ROUNDED, ANY), JK_TO_A(TRUNC, ROUNDED, ANY), JK_TO_A(RINT, ROUNDED, ANY),

    JK_TO_A(ADD, ANY, IS(MINUS_ZERO)), /* x + -0: also for x = -0 */
    JK_TO(ADD, ANY, OP(NEG), ANY, SUB, A, BA, A),
    JK_TO(ADD, OP(NEG), ANY, ANY, SUB, B, AA, A),
    JK_TO_A(SUB, ANY, IS(ZERO)),
    JK_TO(SUB, ANY, OP(NEG), ANY, ADD, A, BA, A),
    JK_TO_A(MUL, ANY, IS(ONE)),
    JK_TO(MUL, ANY, IS(MINUS_ONE), ANY, NEG, A, A, A),
    JK_TO(MUL, ANY, IS(TWO), ANY, ADD, A, A, A),
    JK_SIGNS(MUL),
    JK_TO_A(DIV, ANY, IS(ONE)),
    JK_TO(DIV, ANY, IS(MINUS_ONE), ANY, NEG, A, A, A),
    JK_TO(DIV, ANY, OP(CONST), ANY, BE_POW2, A, A, A),
    JK_SIGNS(DIV),
    JK_TO_A(MIN, ANY, IS(INF)), JK_TO_A(MIN, ANY, SAME),
    JK_TO_A(MAX, ANY, IS(MINUS_INF)), JK_TO_A(MAX, ANY, SAME),
    JK_TO(COPYSIGN, OP(ABS), ANY, ANY, COPYSIGN, AA, B, A),
    JK_TO(COPYSIGN, OP(NEG), ANY, ANY, COPYSIGN, AA, B, A),
    JK_TO(COPYSIGN, OP(COPYSIGN), ANY, ANY, COPYSIGN, AA, B, A),
    JK_TO(FMA, ANY, IS(ONE), ANY, ADD, A, C, A),
    JK_TO(FMA, ANY, IS(MINUS_ONE), ANY, SUB, C, A, A),
    JK_TO(FMA, ANY, ANY, IS(MINUS_ZERO), MUL, A, B, A),
    JK_SIGNS(FMA),

    /* only a NaN is not equal to itself */
    JK_TO(LT, ANY, SAME, ANY, BE_ITSELF, ZERO, A, A), JK_TO(LT, OP(SELECT), OP(CONST), ANY, BE_TRUTH, AA, AB, AC),
    JK_TO(LE, ANY, SAME, ANY, MNOT, ISNAN, A, A), JK_TO(LE, OP(SELECT), OP(CONST), ANY, BE_TRUTH, AA, AB, AC),
    JK_TO(EQ, ANY, SAME, ANY, MNOT, ISNAN, A, A), JK_TO(EQ, OP(SELECT), OP(CONST), ANY, BE_TRUTH, AA, AB, AC),
    JK_TO(NE, ANY, SAME, ANY, ISNAN, A, A, A), JK_TO(NE, OP(SELECT), OP(CONST), ANY, BE_TRUTH, AA, AB, AC),

    JK_TO(MNOT, OP(MNOT), ANY, ANY, BE_ITSELF, AA, A, A),
    JK_TO(MNOT, OP(EQ), ANY, ANY, NE, AA, AB, A), /* also with a NaN; < and <= have no such twin */
    JK_TO(MNOT, OP(NE), ANY, ANY, EQ, AA, AB, A),
    JK_TO_A(MAND, ANY, SAME), JK_TO_A(MAND, ANY, IS(ONES)), JK_TO_B(MAND, ANY, IS(ZERO)),
    JK_TO_A(MOR, ANY, SAME), JK_TO_A(MOR, ANY, IS(ZERO)), JK_TO_B(MOR, ANY, IS(ONES)),
    JK_TO_A(IAND, ANY, IS(ONES)), JK_TO_B(IAND, ANY, IS(ZERO)),
    JK_TO_A(IOR, ANY, IS(ZERO)), JK_TO_B(IOR, ANY, IS(ONES)),
    JK_TO_A(IXOR, ANY, IS(ZERO)), JK_TO_A(IADD, ANY, IS(ZERO)), JK_TO_A(ISUB, ANY, IS(ZERO)),

    JK_TO_B(SELECT, IS(ONES), ANY), JK_TO(SELECT, ANY, ANY, SAME, BE_ITSELF, B, A, A),
    JK_TO(SELECT, IS(ZERO), ANY, ANY, BE_ITSELF, C, A, A),
    JK_TO(SELECT, OP(MNOT), ANY, ANY, SELECT, AA, C, B),
    JK_TO(BITS, OP(BITS), ANY, ANY, BITS, AA, A, A),
    JK_TO_A(BITS, TYPE, ANY), JK_TO_A(CVT, TYPE, ANY),
    {JK_OP_COUNT, {0, 0, 0}, 0, {0, 0, 0}} /* ends a search */
};
#undef JK_SIGNS
#undef JK_TO_B
#undef JK_TO_A
#undef JK_TO
/* clang-format on */

/* Whether the operand at x fits. */
JK_NOINLINE bool jk_rule_fits(const jk_ir *ir, unsigned pattern, const jk_ref *x, jk_type type)
{
    unsigned op = ir->ins[*x].op;
    if (pattern >= JK_IF_IS(ZERO))
        return jk_ir_is(ir, *x, (jk_kind)(pattern - JK_IF_IS(ZERO)));
    switch (pattern) {
    case JK_IF_ANY:
        return true;
    case JK_IF_SAME:
        return x[0] == x[-1];
    case JK_IF_ROUNDED:
        return op >= JK_FLOOR && op <= JK_RINT;
    case JK_IF_TYPE:
        return ir->ins[*x].type == (uint8_t)type;
    default:
        return op + 4 == pattern;
    }
}

/* x / 2^k = x * 2^-k: the reciprocal of a normal power of two is exact, be it the subnormal 2^-1023. */
JK_FUNC jk_ref jk_rule_pow2(jk_ir *ir, jk_type t, jk_ref a, jk_ref b)
{
    uint64_t bits = jk_ir_const_bits(&ir->ins[b]), fraction = bits << (t == JK_F64 ? 12 : 41),
             size = bits & ~jk_kind_bits(JK_IS_MINUS_ZERO, t);
    if (fraction || size == 0 || size == jk_kind_bits(JK_IS_INF, t))
        return JK_NOREF;
    bits = jk_fp_fold(JK_DIV, t, t, 0, jk_kind_bits(JK_IS_ONE, t), bits, 0);
    return jk_ir_2(ir, JK_MUL, a, jk_ir_bits(ir, t, bits));
}

/* A comparison of `m ? c : d` (s) with a constant, all three constants, is m, !m or a constant: this is how a truth
 * value that was counted as 1 or 0 becomes a mask again. */
JK_FUNC jk_ref jk_rule_truth(jk_ir *ir, jk_op op, const jk_ref *s, jk_ref b)
{
    jk_ref yes, no;
    if (!jk_ir_is_const(ir, s[1]) || !jk_ir_is_const(ir, s[2]))
        return JK_NOREF;
    yes = jk_ir_2(ir, op, s[1], b);
    no = jk_ir_2(ir, op, s[2], b);
    if (yes == no)
        return yes;
    return jk_ir_is(ir, yes, JK_IS_ONES) ? s[0] : jk_ir_1(ir, JK_MNOT, s[0]);
}

/* An operand of what a rule makes of x. */
JK_NOINLINE jk_ref jk_rule_of(jk_ir *ir, unsigned of, jk_type type, const jk_ref *x)
{
    const jk_ins *i = &ir->ins[x[of == JK_OF_BA]];
    switch (of) {
    case JK_OF_AA:
    case JK_OF_BA:
        return i->a;
    case JK_OF_AB:
        return i->b;
    case JK_OF_AC:
        return i->c;
    case JK_OF_ZERO:
        return jk_ir_bits(ir, type, 0);
    case JK_OF_MINUS_A:
    case JK_OF_MINUS_B:
    case JK_OF_ISNAN:
        return jk_ir_1(ir, of == JK_OF_ISNAN ? JK_ISNAN : JK_NEG, x[of == JK_OF_MINUS_B]);
    default:
        return x[of];
    }
}

/* What the first rule that fits makes; JK_NOREF where none does. */
JK_FUNC jk_ref jk_ir_simplify(jk_ir *ir, jk_op op, jk_type type, const jk_ref *x)
{
    const jk_rule *u;
    jk_ref y[3], r = JK_NOREF;
    unsigned k;
    for (u = jk_rules; u->op <= (unsigned)op && r == JK_NOREF; u++) {
        if (u->op != (unsigned)op)
            continue;
        for (k = 0; k < 3 && jk_rule_fits(ir, u->fits[k], &x[k], type);)
            k++;
        if (k < 3)
            continue;
        for (k = 0; k < 3; k++)
            y[k] = jk_rule_of(ir, u->of[k], type, x);
        r = u->be == JK_BE_POW2     ? jk_rule_pow2(ir, type, x[0], x[1])
            : u->be == JK_BE_TRUTH  ? jk_rule_truth(ir, op, y, x[1])
            : u->be == JK_BE_ITSELF ? y[0]
                                    : jk_ir_emit(ir, (jk_op)u->be, type, 0, y[0], y[1], y[2]);
    }
    return r;
}

/* ---- sharing ---- */
/* What is the same in equal instructions: all of it, but a RARE is looked for by its mask and fast value. */
typedef struct jk_ins_key {
    uint64_t head, tail;
} jk_ins_key;

JK_FUNC jk_ins_key jk_ins_key_of(const jk_ins *i)
{
    jk_ins_key k;
    memcpy(&k, i, sizeof k);
    if (i->op == JK_RARE) {
        k.head &= ~((uint64_t)UINT16_MAX << 16); /* aux */
        k.tail = i->b;
    }
    return k;
}

JK_NOINLINE size_t jk_ir_hash(const jk_ir *ir, const jk_ins *i)
{
    jk_ins_key k = jk_ins_key_of(i);
    uint64_t x = k.head * 0x9e3779b97f4a7c15u;
    return (size_t)((x ^ x >> 29 ^ k.tail) * 0xbf58476d1ce4e5b9u >> 32) & (ir->nbuckets - 1);
}

JK_NOINLINE jk_ref jk_ir_find(const jk_ir *ir, const jk_ins *i)
{
    jk_ins_key k = jk_ins_key_of(i), other;
    jk_ref r;
    for (r = ir->bucket[jk_ir_hash(ir, i)]; r != JK_NOREF; r = ir->chain[r]) {
        other = jk_ins_key_of(&ir->ins[r]);
        if (other.head == k.head && other.tail == k.tail)
            break;
    }
    return r;
}

JK_FUNC void jk_ir_link(jk_ir *ir, jk_ref r)
{
    size_t h = jk_ir_hash(ir, &ir->ins[r]);
    ir->chain[r] = ir->bucket[h];
    ir->bucket[h] = r;
}

/* Room for `cap` instructions, with as many buckets; links everything again, oldest first. */
JK_NOINLINE void jk_ir_room(jk_ir *ir, size_t cap)
{
    size_t i, bytes = sizeof *ir->ins + 2 * sizeof(uint32_t) + 1;
    char *p = (char *)jk_arena_alloc(ir->arena, cap > JK_UNSHARED / 2 ? SIZE_MAX : cap * bytes);
    jk_ins *ins = (jk_ins *)(void *)p;
    uint32_t *chain, *bucket;
    uint8_t *varying;
    if (!p)
        return;
    chain = (uint32_t *)(void *)(p + cap * sizeof *ins);
    bucket = chain + cap;
    varying = (uint8_t *)(bucket + cap);
    if (ir->nins) {
        memcpy(ins, ir->ins, ir->nins * sizeof *ins);
        memcpy(chain, ir->chain, ir->nins * sizeof *chain);
        memcpy(varying, ir->varying, ir->nins);
    }
    ir->ins = ins;
    ir->chain = chain;
    ir->varying = varying;
    ir->bucket = bucket;
    ir->cap_ins = ir->nbuckets = cap;
    memset(bucket, 0xff, cap * sizeof *bucket);
    for (i = 0; i < ir->nins; i++)
        if (chain[i] != JK_UNSHARED)
            jk_ir_link(ir, (jk_ref)i);
}

/* ---- the door ---- */
JK_FUNC void jk_ir_init(jk_ir *ir, jk_arena *arena, jk_type type, unsigned flags, jitk_error *e)
{
    memset(ir, 0, sizeof *ir);
    ir->arena = arena;
    ir->error = e;
    ir->type = (uint8_t)type;
    ir->flags = flags;
    jk_ir_room(ir, JK_IR_FIRST);
}

/* Of operands that are all constants. */
JK_FUNC jk_ref jk_ir_fold(jk_ir *ir, jk_op op, jk_type type, unsigned aux, const jk_ref *x, unsigned n)
{
    uint64_t v[3];
    unsigned k;
    if (!(jk_op_rows[op].flags & JK_FOLD))
        return JK_NOREF;
    for (k = 0; k < 3; k++) {
        if (k < n && !jk_ir_is_const(ir, x[k]))
            return JK_NOREF;
        v[k] = jk_ir_const_bits(&ir->ins[x[k]]); /* of what is no operand any */
    }
    v[0] = jk_fp_fold(op, type, (jk_type)ir->ins[x[n - 1]].type, aux, v[0], v[1], v[2]);
    return jk_ir_bits(ir, type, v[0]);
}

JK_FUNC jk_ref jk_ir_emit(jk_ir *ir, jk_op op, jk_type type, unsigned aux, jk_ref a, jk_ref b, jk_ref c)
{
    unsigned flags = jk_op_rows[op].flags, n = jk_op_rows[op].arity, k;
    uint8_t varying = op == JK_LOAD;
    jk_ref x[3], r;
    jk_ins i;
    if (ir->arena->failed)
        return 0;
    x[0] = a;
    x[1] = b;
    x[2] = c;
    if (flags & JK_COMM) {
        bool ca = jk_ir_is_const(ir, a), cb = jk_ir_is_const(ir, b);
        if (ca != cb ? ca : a > b) {
            x[0] = b;
            x[1] = a;
        }
    }
    if (n > 0) { /* a leaf's are none */
        for (k = n; k < 3; k++)
            x[k] = 0;
        r = jk_ir_fold(ir, op, type, aux, x, n);
        if (r == JK_NOREF)
            r = jk_ir_simplify(ir, op, type, x);
        if (r != JK_NOREF)
            return r;
    }
    i.op = (uint8_t)op;
    i.type = (uint8_t)type;
    i.aux = (uint16_t)aux;
    i.a = x[0];
    i.b = x[1];
    i.c = x[2];
    r = op == JK_RSTATE || op == JK_RARE ? JK_NOREF : jk_ir_find(ir, &i);
    if (r != JK_NOREF)
        return r;
    if (ir->nins == ir->cap_ins)
        jk_ir_room(ir, 2 * ir->cap_ins);
    if (ir->arena->failed)
        return 0;
    r = (jk_ref)ir->nins++;
    ir->ins[r] = i;
    for (k = 0; k < n && !(flags & JK_RED); k++)
        varying |= ir->varying[x[k]];
    ir->varying[r] = varying;
    ir->chain[r] = JK_UNSHARED;
    if (op != JK_RSTATE) /* each is one of its own */
        jk_ir_link(ir, r);
    return r;
}

/* An op with the type that its row says; the operands that it has not are not looked at. */
JK_NOINLINE jk_ref jk_ir_any(jk_ir *ir, jk_op op, jk_ref a, jk_ref b, jk_ref c)
{
    static const uint8_t types[][JK_TYPE_COUNT] = {{JK_F64, JK_F32, JK_I64, JK_I32, JK_U8, JK_M64, JK_M32},
                                                   {JK_M64, JK_M32, JK_M64, JK_M32, JK_U8, JK_M64, JK_M32},
                                                   {JK_I64, JK_I32, JK_F64, JK_F32, JK_U8, JK_I64, JK_I32},
                                                   {JK_F64, JK_F64, JK_F64, JK_F64, JK_F64, JK_F64, JK_F64},
                                                   {JK_I64, JK_I64, JK_I64, JK_I64, JK_I64, JK_I64, JK_I64}};
    const jk_op_row *row = &jk_op_rows[op];
    jk_ref last = row->arity < 2 ? a : row->arity == 2 ? b : c;
    return jk_ir_emit(ir, op, (jk_type)types[row->result][row->arity ? ir->ins[last].type : 0], 0, a, b, c);
}

JK_FUNC jk_ref jk_ir_1(jk_ir *ir, jk_op op, jk_ref a)
{
    return jk_ir_any(ir, op, a, 0, 0);
}

JK_FUNC jk_ref jk_ir_2(jk_ir *ir, jk_op op, jk_ref a, jk_ref b)
{
    return jk_ir_any(ir, op, a, b, 0);
}

JK_FUNC jk_ref jk_ir_3(jk_ir *ir, jk_op op, jk_ref a, jk_ref b, jk_ref c)
{
    return jk_ir_any(ir, op, a, b, c);
}

/* ---- rare bodies ---- */
JK_FUNC jk_ref jk_ir_rare_find(const jk_ir *ir, jk_ref mask, jk_ref fast)
{
    jk_ins i;
    if (ir->arena->failed)
        return JK_NOREF;
    memset(&i, 0, sizeof i);
    i.op = JK_RARE;
    i.type = ir->ins[fast].type;
    i.a = mask;
    i.b = fast;
    return jk_ir_find(ir, &i);
}

JK_FUNC void jk_ir_rare_begin(jk_ir *ir)
{
    jk_rare *rare = (jk_rare *)jk_push(ir->arena, &ir->rares, sizeof *rare);
    if (!rare)
        return;
    if (ir->nrares > UINT16_MAX + 1u)
        jk_fail(ir->error, JITK_ERR_LIMIT, "too many operations with rare cases (more than %u)", UINT16_MAX + 1u);
    rare->first = (jk_ref)ir->nins;
    rare->again = JK_NOREF;
    rare->limit = 1;
}

JK_FUNC jk_ref jk_ir_rstate(jk_ir *ir, jk_ref init)
{
    return jk_ir_2(ir, JK_RSTATE, init, init);
}

/* Makes the values from `first` on impossible to find: newest first, so each is the first of its chain. */
JK_FUNC void jk_ir_unlink(jk_ir *ir, jk_ref first)
{
    size_t r = ir->nins;
    while (r-- > first)
        if (ir->chain[r] != JK_UNSHARED) {
            ir->bucket[jk_ir_hash(ir, &ir->ins[r])] = ir->chain[r];
            ir->chain[r] = JK_UNSHARED;
        }
}

JK_FUNC void jk_ir_rare_next(jk_ir *ir, jk_ref state, jk_ref next)
{
    ir->ins[state].b = next;
}

JK_FUNC void jk_ir_rare_again(jk_ir *ir, jk_ref again, unsigned limit)
{
    if (ir->arena->failed)
        return;
    ir->rares[ir->nrares - 1].again = again;
    ir->rares[ir->nrares - 1].limit = limit;
}

JK_FUNC jk_ref jk_ir_rare_end(jk_ir *ir, jk_ref mask, jk_ref fast, jk_ref result)
{
    const jk_rare *rare;
    bool never;
    jk_ref r;
    if (ir->arena->failed)
        return 0;
    rare = &ir->rares[ir->nrares - 1];
    jk_ir_unlink(ir, rare->first);
    never = jk_ir_is(ir, mask, JK_IS_ZERO);
    if (never || (jk_ir_is_const(ir, mask) && rare->again == JK_NOREF && jk_ir_is_const(ir, result))) {
        /* The body is taken back: what stays is a value made before it, or a constant of it. */
        const jk_ins *i = &ir->ins[r = never ? fast : result];
        ir->nins = rare->first;
        ir->nrares--;
        return r < ir->nins ? r : jk_ir_bits(ir, (jk_type)i->type, jk_ir_const_bits(i));
    }
    r = jk_ir_emit(ir, JK_RARE, (jk_type)ir->ins[fast].type, (unsigned)(ir->nrares - 1), mask, fast, result);
    if (ir->varying[r]) {
        jk_ref i;
        for (i = rare->first; i < r; i++)
            ir->varying[i] |= !(jk_op_rows[ir->ins[i].op].flags & JK_LEAF);
    }
    return r;
}

JK_SMALL_CLOSE
