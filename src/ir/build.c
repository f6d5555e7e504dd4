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

typedef enum jk_op_result { JK_RESULT_SAME, JK_RESULT_MASK, JK_RESULT_OWN } jk_op_result;
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
    return (uint64_t)i->b << 32 | i->a;
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

#define JK_ROW(NAME, f64, f32) f64,
static const uint64_t jk_kind_64[] = {JK_KINDS(JK_ROW)};
#undef JK_ROW
#define JK_ROW(NAME, f64, f32) f32,
static const uint32_t jk_kind_32[] = {JK_KINDS(JK_ROW)};
#undef JK_ROW
#undef JK_KINDS
#undef JK_POW2_64
#undef JK_POW2_32

JK_FUNC uint64_t jk_kind_bits(jk_kind kind, jk_type type)
{
    return jk_type_size(type) == 8 ? jk_kind_64[kind] : jk_kind_32[kind];
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

/* The same constant with its sign flipped. */
JK_FUNC jk_ref jk_ir_flip(jk_ir *ir, jk_ref c)
{
    jk_type t = (jk_type)ir->ins[c].type;
    return jk_ir_bits(ir, t, jk_ir_const_bits(&ir->ins[c]) ^ jk_kind_bits(JK_IS_MINUS_ZERO, t));
}

/* ---- rules for a constant last operand, as data ---- */
typedef enum jk_then { JK_THEN_A, JK_THEN_B, JK_THEN_NEG, JK_THEN_TWICE } jk_then;
typedef struct jk_rule {
    uint8_t op, kind, then;
} jk_rule;

static const jk_rule jk_rules[] = {
    {JK_ADD, JK_IS_MINUS_ZERO, JK_THEN_A}, /* x + -0: also for x = -0 */
    {JK_SUB, JK_IS_ZERO, JK_THEN_A},       {JK_MUL, JK_IS_ONE, JK_THEN_A},       {JK_MUL, JK_IS_MINUS_ONE, JK_THEN_NEG},
    {JK_MUL, JK_IS_TWO, JK_THEN_TWICE},    {JK_DIV, JK_IS_ONE, JK_THEN_A},       {JK_DIV, JK_IS_MINUS_ONE, JK_THEN_NEG},
    {JK_MIN, JK_IS_INF, JK_THEN_A},        {JK_MAX, JK_IS_MINUS_INF, JK_THEN_A}, {JK_MAND, JK_IS_ZERO, JK_THEN_B},
    {JK_MAND, JK_IS_ONES, JK_THEN_A},      {JK_MOR, JK_IS_ZERO, JK_THEN_A},      {JK_MOR, JK_IS_ONES, JK_THEN_B},
    {JK_IAND, JK_IS_ZERO, JK_THEN_B},      {JK_IAND, JK_IS_ONES, JK_THEN_A},     {JK_IOR, JK_IS_ZERO, JK_THEN_A},
    {JK_IOR, JK_IS_ONES, JK_THEN_B},       {JK_IXOR, JK_IS_ZERO, JK_THEN_A},     {JK_IADD, JK_IS_ZERO, JK_THEN_A},
    {JK_ISUB, JK_IS_ZERO, JK_THEN_A},
};

/* x / 2^k = x * 2^-k where both are powers of two of the type, the reciprocal perhaps the subnormal 2^-1023. */
JK_FUNC jk_ref jk_rule_div_pow2(jk_ir *ir, jk_ref a, jk_ref b)
{
    jk_type t = (jk_type)ir->ins[b].type;
    unsigned shift = t == JK_F64 ? 52 : 23, bias = t == JK_F64 ? 1023 : 127;
    uint64_t bits = jk_ir_const_bits(&ir->ins[b]), sign = bits & jk_kind_bits(JK_IS_MINUS_ZERO, t),
             e = (bits ^ sign) >> shift;
    if ((bits ^ sign) != e << shift || e == 0 || e > 2 * bias)
        return JK_NOREF;
    bits = e < 2 * bias ? (2 * bias - e) << shift : (uint64_t)1 << (shift - 1);
    return jk_ir_emit(ir, JK_MUL, t, 0, a, jk_ir_bits(ir, t, sign | bits), 0);
}

JK_FUNC jk_ref jk_rule_const(jk_ir *ir, jk_op op, jk_ref a, jk_ref b)
{
    size_t i;
    jk_type t = (jk_type)ir->ins[a].type;
    for (i = 0; i < sizeof jk_rules / sizeof *jk_rules; i++)
        if (jk_rules[i].op == op && jk_ir_is(ir, b, (jk_kind)jk_rules[i].kind))
            switch (jk_rules[i].then) {
            case JK_THEN_A:
                return a;
            case JK_THEN_B:
                return b;
            case JK_THEN_NEG:
                return jk_ir_emit(ir, JK_NEG, t, 0, a, 0, 0);
            default:
                return jk_ir_emit(ir, JK_ADD, t, 0, a, a, 0);
            }
    return op == JK_DIV ? jk_rule_div_pow2(ir, a, b) : JK_NOREF;
}

/* A comparison of `m ? c : d` with a constant, all three constants, is m, !m or a constant: this is how a truth value
 * that was counted as 1 or 0 becomes a mask again. */
JK_FUNC jk_ref jk_rule_truth(jk_ir *ir, jk_op op, jk_type type, jk_ref a, jk_ref b)
{
    jk_ins s = ir->ins[a];
    jk_ref yes, no;
    if (s.op != JK_SELECT || !jk_ir_is_const(ir, s.b) || !jk_ir_is_const(ir, s.c))
        return JK_NOREF;
    yes = jk_ir_emit(ir, op, type, 0, s.b, b, 0);
    no = jk_ir_emit(ir, op, type, 0, s.c, b, 0);
    if (yes == no)
        return yes;
    return jk_ir_is(ir, yes, JK_IS_ONES) ? s.a : jk_ir_emit(ir, JK_MNOT, type, 0, s.a, 0, 0);
}

/* ---- rules by op ---- */
/* One operand. i is the operand's instruction. */
JK_FUNC jk_ref jk_rule_1(jk_ir *ir, jk_op op, jk_type type, jk_ref a)
{
    jk_ins i = ir->ins[a];
    switch (op) {
    case JK_NEG:
    case JK_MNOT:
        if (i.op == op)
            return i.a;
        if (op == JK_MNOT && (i.op == JK_EQ || i.op == JK_NE)) /* also with a NaN; < and <= have no such twin */
            return jk_ir_emit(ir, i.op == JK_EQ ? JK_NE : JK_EQ, type, 0, i.a, i.b, 0);
        return JK_NOREF;
    case JK_ABS:
        if (i.op == JK_ABS)
            return a;
        return i.op == JK_NEG || i.op == JK_COPYSIGN ? jk_ir_emit(ir, JK_ABS, type, 0, i.a, 0, 0) : JK_NOREF;
    case JK_FLOOR:
    case JK_CEIL:
    case JK_TRUNC:
    case JK_RINT:
        return i.op >= JK_FLOOR && i.op <= JK_RINT ? a : JK_NOREF;
    case JK_BITS:
        if (i.op == JK_BITS)
            return jk_ir_emit(ir, JK_BITS, type, 0, i.a, 0, 0);
        return i.type == type ? a : JK_NOREF;
    case JK_CVT:
        return i.type == type ? a : JK_NOREF;
    default:
        return JK_NOREF;
    }
}

/* Signs in products and quotients: two minus signs cancel, one moves into a constant. */
JK_FUNC jk_ref jk_rule_signs(jk_ir *ir, jk_op op, jk_type type, jk_ref a, jk_ref b, jk_ref c)
{
    bool na = jk_ir_op_is(ir, a, JK_NEG), nb = jk_ir_op_is(ir, b, JK_NEG);
    if (na && (nb || jk_ir_is_const(ir, b)))
        return jk_ir_emit(ir, op, type, 0, ir->ins[a].a, nb ? ir->ins[b].a : jk_ir_flip(ir, b), c);
    if (nb && jk_ir_is_const(ir, a))
        return jk_ir_emit(ir, op, type, 0, jk_ir_flip(ir, a), ir->ins[b].a, c);
    return JK_NOREF;
}

/* Two operands that are no constants (or that the table has nothing for). */
JK_FUNC jk_ref jk_rule_2(jk_ir *ir, jk_op op, jk_type type, jk_ref a, jk_ref b)
{
    jk_ref r;
    switch (op) {
    case JK_ADD:
        if (jk_ir_op_is(ir, b, JK_NEG))
            return jk_ir_emit(ir, JK_SUB, type, 0, a, ir->ins[b].a, 0);
        return jk_ir_op_is(ir, a, JK_NEG) ? jk_ir_emit(ir, JK_SUB, type, 0, b, ir->ins[a].a, 0) : JK_NOREF;
    case JK_SUB:
        return jk_ir_op_is(ir, b, JK_NEG) ? jk_ir_emit(ir, JK_ADD, type, 0, a, ir->ins[b].a, 0) : JK_NOREF;
    case JK_MUL:
    case JK_DIV:
        return jk_rule_signs(ir, op, type, a, b, 0);
    case JK_MIN:
    case JK_MAX:
    case JK_MAND:
    case JK_MOR:
        return a == b ? a : JK_NOREF;
    case JK_COPYSIGN:
        if (jk_ir_op_is(ir, a, JK_ABS) || jk_ir_op_is(ir, a, JK_NEG) || jk_ir_op_is(ir, a, JK_COPYSIGN))
            return jk_ir_emit(ir, JK_COPYSIGN, type, 0, ir->ins[a].a, b, 0);
        return JK_NOREF;
    case JK_LT:
    case JK_LE:
    case JK_EQ:
    case JK_NE:
        if (a == b) { /* only a NaN is not equal to itself */
            r = op == JK_LT ? jk_ir_bits(ir, type, 0) : jk_ir_1(ir, JK_ISNAN, a);
            return op == JK_LE || op == JK_EQ ? jk_ir_1(ir, JK_MNOT, r) : r;
        }
        return jk_ir_is_const(ir, b) ? jk_rule_truth(ir, op, type, a, b) : JK_NOREF;
    default:
        return JK_NOREF;
    }
}

JK_FUNC jk_ref jk_rule_3(jk_ir *ir, jk_op op, jk_type type, jk_ref a, jk_ref b, jk_ref c)
{
    if (op == JK_SELECT) {
        if (b == c || jk_ir_is_const(ir, a))
            return b == c || jk_ir_const_bits(&ir->ins[a]) ? b : c;
        return jk_ir_op_is(ir, a, JK_MNOT) ? jk_ir_emit(ir, op, type, 0, ir->ins[a].a, c, b) : JK_NOREF;
    }
    if (op != JK_FMA)
        return JK_NOREF;
    if (jk_ir_is(ir, b, JK_IS_ONE))
        return jk_ir_emit(ir, JK_ADD, type, 0, a, c, 0);
    if (jk_ir_is(ir, b, JK_IS_MINUS_ONE))
        return jk_ir_emit(ir, JK_SUB, type, 0, c, a, 0);
    if (jk_ir_is(ir, c, JK_IS_MINUS_ZERO))
        return jk_ir_emit(ir, JK_MUL, type, 0, a, b, 0);
    return jk_rule_signs(ir, op, type, a, b, c);
}

/* ---- sharing ---- */
JK_FUNC size_t jk_ir_hash(const jk_ir *ir, const jk_ins *i)
{
    /* A RARE is looked for by its mask and fast value. */
    uint64_t x = ((uint64_t)i->a << 32 | (uint32_t)(i->type << 8) | i->op) * 0x9e3779b97f4a7c15u;
    uint64_t y = i->op == JK_RARE ? i->b : ((uint64_t)i->c << 32 | i->b) + i->aux;
    return (size_t)((x ^ x >> 29 ^ y) * 0xbf58476d1ce4e5b9u >> 32) & (ir->nbuckets - 1);
}

JK_FUNC bool jk_ins_same(const jk_ins *x, const jk_ins *y)
{
    if (x->op != y->op || x->type != y->type || x->a != y->a || x->b != y->b)
        return false;
    return x->op == JK_RARE || (x->c == y->c && x->aux == y->aux);
}

JK_FUNC jk_ref jk_ir_find(const jk_ir *ir, const jk_ins *i)
{
    jk_ref r = ir->bucket[jk_ir_hash(ir, i)];
    while (r != JK_NOREF && !jk_ins_same(&ir->ins[r], i))
        r = ir->chain[r];
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
    char *p = cap > JK_UNSHARED / 2 ? NULL : (char *)jk_arena_alloc(ir->arena, cap * bytes);
    jk_ins *ins = (jk_ins *)(void *)p;
    uint32_t *chain, *bucket;
    uint8_t *varying;
    if (!p) {
        ir->arena->failed = true;
        return;
    }
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

JK_FUNC bool jk_ir_varies(const jk_ir *ir, const jk_ins *i)
{
    unsigned flags = jk_op_rows[i->op].flags, n = jk_op_rows[i->op].arity;
    if (flags & (JK_LEAF | JK_RED))
        return i->op == JK_LOAD;
    if (i->op == JK_RSTATE)
        n = 1;
    return ir->varying[i->a] || (n > 1 && ir->varying[i->b]) || (n > 2 && ir->varying[i->c]);
}

JK_FUNC jk_ref jk_ir_append(jk_ir *ir, const jk_ins *i, bool share)
{
    if (ir->nins == ir->cap_ins)
        jk_ir_room(ir, 2 * ir->cap_ins);
    if (ir->arena->failed)
        return 0;
    ir->ins[ir->nins] = *i;
    ir->varying[ir->nins] = jk_ir_varies(ir, i);
    ir->chain[ir->nins] = JK_UNSHARED;
    if (share)
        jk_ir_link(ir, (jk_ref)ir->nins);
    return (jk_ref)ir->nins++;
}

/* ---- the door ---- */
JK_FUNC void jk_ir_init(jk_ir *ir, jk_arena *arena, jk_type type, unsigned flags, jitk_error *e)
{
    memset(ir, 0, sizeof *ir);
    ir->arena = arena;
    ir->error = e;
    ir->type = (uint8_t)type;
    ir->flags = flags;
    ir->open_rare = JK_NOREF;
    jk_ir_room(ir, JK_IR_FIRST);
}

JK_FUNC bool jk_ir_swaps(const jk_ir *ir, jk_ref a, jk_ref b)
{
    bool ca = jk_ir_is_const(ir, a), cb = jk_ir_is_const(ir, b);
    return ca != cb ? ca : a > b;
}

JK_FUNC bool jk_ir_foldable(const jk_ir *ir, jk_op op, const jk_ref *x)
{
    unsigned i;
    if (!(jk_op_rows[op].flags & JK_FOLD))
        return false;
    for (i = 0; i < jk_op_rows[op].arity; i++)
        if (!jk_ir_is_const(ir, x[i]))
            return false;
    return true;
}

JK_FUNC jk_ref jk_ir_fold(jk_ir *ir, jk_op op, jk_type type, unsigned aux, const jk_ref *x)
{
    uint64_t v[3] = {0, 0, 0};
    unsigned i, n = jk_op_rows[op].arity;
    for (i = 0; i < n; i++)
        v[i] = jk_ir_const_bits(&ir->ins[x[i]]);
    if (op != JK_BITS)
        v[0] = jk_fp_fold(op, type, (jk_type)ir->ins[x[n - 1]].type, aux, v[0], v[1], v[2]);
    return jk_ir_bits(ir, type, v[0]);
}

JK_FUNC jk_ref jk_ir_simplify(jk_ir *ir, jk_op op, jk_type type, jk_ref a, jk_ref b, jk_ref c)
{
    jk_ref r = JK_NOREF;
    switch (jk_op_rows[op].arity) {
    case 1:
        return jk_rule_1(ir, op, type, a);
    case 2:
        if (jk_ir_is_const(ir, b))
            r = jk_rule_const(ir, op, a, b);
        return r != JK_NOREF ? r : jk_rule_2(ir, op, type, a, b);
    case 3:
        return jk_rule_3(ir, op, type, a, b, c);
    default:
        return r;
    }
}

JK_FUNC jk_ref jk_ir_emit(jk_ir *ir, jk_op op, jk_type type, unsigned aux, jk_ref a, jk_ref b, jk_ref c)
{
    jk_ref x[3], r;
    jk_ins i;
    if (ir->arena->failed)
        return 0;
    if (((jk_op_rows[op].flags & JK_COMM) || op == JK_FMA) && jk_ir_swaps(ir, a, b)) {
        r = a;
        a = b;
        b = r;
    }
    x[0] = a;
    x[1] = b;
    x[2] = c;
    if (!(jk_op_rows[op].flags & JK_LEAF)) {
        r = jk_ir_foldable(ir, op, x) ? jk_ir_fold(ir, op, type, aux, x) : jk_ir_simplify(ir, op, type, a, b, c);
        if (r != JK_NOREF)
            return r;
    }
    i.op = (uint8_t)op;
    i.type = (uint8_t)type;
    i.aux = (uint16_t)aux;
    i.a = a;
    i.b = b;
    i.c = c;
    r = jk_ir_find(ir, &i);
    return r != JK_NOREF ? r : jk_ir_append(ir, &i, true);
}

/* An op whose type follows its last operand's; operands that it has not are 0. */
JK_NOINLINE jk_ref jk_ir_any(jk_ir *ir, jk_op op, jk_ref a, jk_ref b, jk_ref c)
{
    const jk_op_row *row = &jk_op_rows[op];
    jk_type t = (jk_type)ir->ins[row->arity == 1 ? a : row->arity == 2 ? b : c].type;
    return jk_ir_emit(ir, op, row->result == JK_RESULT_MASK ? jk_mask_type(t) : t, 0, a, b, c);
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

/* While a body is open, its `again` holds the number of the enclosing one. */
JK_FUNC void jk_ir_rare_begin(jk_ir *ir)
{
    jk_rare *grown = (jk_rare *)jk_grow(ir->arena, ir->rares, ir->nrares, &ir->cap_rares, sizeof *ir->rares);
    if (ir->arena->failed)
        return;
    if (ir->nrares > UINT16_MAX)
        jk_fail(ir->error, JITK_ERR_LIMIT, 0, 0, 0, "too many operations with rare cases (more than %u)",
                UINT16_MAX + 1u);
    ir->rares = grown;
    grown[ir->nrares].first = (jk_ref)ir->nins;
    grown[ir->nrares].again = ir->open_rare;
    grown[ir->nrares].limit = 1;
    ir->open_rare = (uint32_t)ir->nrares++;
}

JK_FUNC jk_ref jk_ir_rstate(jk_ir *ir, jk_ref init)
{
    jk_ins i;
    if (ir->arena->failed)
        return 0;
    memset(&i, 0, sizeof i);
    i.op = JK_RSTATE;
    i.type = ir->ins[init].type;
    i.a = i.b = init;
    return jk_ir_append(ir, &i, false);
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

/* Takes a body back: what stays is a value made before it, or a constant of it. */
JK_FUNC jk_ref jk_ir_rare_drop(jk_ir *ir, uint32_t number, jk_ref value)
{
    jk_ins i = ir->ins[value];
    ir->nins = ir->rares[number].first;
    ir->nrares = number;
    return value < ir->nins ? value : jk_ir_bits(ir, (jk_type)i.type, jk_ir_const_bits(&i));
}

JK_FUNC jk_ref jk_ir_rare_end(jk_ir *ir, jk_ref mask, jk_ref fast, jk_ref result, jk_ref again, unsigned limit,
                              const jk_ref *states, const jk_ref *nexts, size_t nstates)
{
    size_t i;
    uint32_t number = ir->open_rare;
    jk_rare *rare;
    jk_ins ins;
    jk_ref r;
    if (ir->arena->failed)
        return 0;
    for (i = 0; i < nstates; i++)
        ir->ins[states[i]].b = nexts[i];
    rare = &ir->rares[number];
    ir->open_rare = rare->again;
    rare->again = again;
    rare->limit = limit;
    jk_ir_unlink(ir, rare->first);
    if (jk_ir_is(ir, mask, JK_IS_ZERO)) /* no lane will ever need it */
        return jk_ir_rare_drop(ir, number, fast);
    if (jk_ir_is_const(ir, mask) && again == JK_NOREF && jk_ir_is_const(ir, result))
        return jk_ir_rare_drop(ir, number, result);
    ins.op = JK_RARE;
    ins.type = ir->ins[fast].type;
    ins.aux = (uint16_t)number;
    ins.a = mask;
    ins.b = fast;
    ins.c = result;
    r = jk_ir_append(ir, &ins, true);
    if (!ir->arena->failed && ir->varying[r])
        for (i = rare->first; i < r; i++)
            ir->varying[i] = !(jk_op_rows[ir->ins[i].op].flags & JK_LEAF) || ir->varying[i];
    return r;
}

JK_SMALL_CLOSE
