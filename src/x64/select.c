/* x64: instruction selection, one instance of one IR value at a time. Each function fetches operands (registers, or the
 * one operand that may stand in memory), names the result's register and emits. The order matters: everything that may
 * spill comes before the memory operand is asked for, which may live in rax. */
#include "gen.h"

#define JK_SIGN(size) ((size) == 8 ? 0x8000000000000000u : 0x80000000u)
#define JK_REST(size) ((size) == 8 ? 0x7fffffffffffffffu : 0x7fffffffu)

/* Comparison predicates of the encodings. */
enum { JK_P_EQ = 0, JK_P_LT = 1, JK_P_LE = 2, JK_P_UNORD = 3, JK_P_NE = 4, JK_P_ORD = 7 };

JK_FUNC uint32_t jk_val_of(const jk_body *b, jk_ref ref)
{
    return b->g->local[ref] - 1;
}

static inline bool jk_in_reg(const jk_body *b, uint32_t v, uint32_t j)
{
    const jk_val *x = &b->val[v];
    bool uniform = x->kind == JK_VAL_UNIFORM;
    return (uniform && x->resident != JK_NOREG) || b->loc[v * b->width + (uniform ? 0 : j)].reg != JK_NOREG;
}

/* d = a op b, with the operands exchanged where that saves a move or a load. */
JK_FUNC void jk_sel_binary(jk_body *b, jk_ref ref, uint32_t j, jk_inst inst, bool commutes, unsigned flags)
{
    const jk_ins *i = &b->g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a), y = jk_val_of(b, i->b), t;
    unsigned a, d;
    jk_opnd o;
    if (commutes && jk_in_reg(b, y, j) && (!jk_in_reg(b, x, j) || (!jk_dies(b, x) && jk_dies(b, y)))) {
        t = x;
        x = y;
        y = t;
    }
    a = jk_reg_of(b, x, j);
    o = jk_opnd_of(b, y, j, flags);
    d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    jk_emit_3(b->g, inst, (jk_type)i->type, d, a, o);
}

/* d = op a, with an immediate for ROUND. */
JK_FUNC void jk_sel_unary(jk_body *b, jk_ref ref, uint32_t j, jk_inst inst, unsigned imm)
{
    const jk_ins *i = &b->g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a);
    jk_opnd o = jk_opnd_of(b, x, j, 0);
    unsigned d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    jk_asm_v(&b->g->as, inst, jk_vt_of(b->g, (jk_type)i->type), d, d, o, imm);
}

/* d = a op constant: the sign and its complement. */
JK_FUNC void jk_sel_logic(jk_body *b, jk_ref ref, uint32_t j, jk_inst inst, uint64_t bits)
{
    const jk_ins *i = &b->g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a);
    unsigned a = jk_reg_of(b, x, j), d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    jk_emit_3(b->g, inst, (jk_type)i->type, d, a, jk_const(b->g, (jk_type)i->type, bits));
}

JK_FUNC void jk_sel_minmax(jk_body *b, jk_ref ref, uint32_t j)
{
    const jk_ins *i = &b->g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a), y = jk_val_of(b, i->b);
    unsigned a = jk_reg_of(b, x, j), c = jk_reg_of(b, y, j), t = b->g->t.kmask ? 0 : jk_temp(b, 0);
    unsigned d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    jk_emit_minmax(b->g, (jk_op)i->op, (jk_type)i->type, d, a, c, t);
}

JK_FUNC void jk_sel_compare(jk_body *b, jk_ref ref, uint32_t j, unsigned predicate)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_type type = (jk_type)g->p->ins[i->a].type;
    uint32_t x = jk_val_of(b, i->a), y = predicate == JK_P_UNORD ? x : jk_val_of(b, i->b);
    unsigned a = jk_reg_of(b, x, j), d;
    jk_opnd o = jk_opnd_of(b, y, j, 0);
    d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    if (g->t.kmask)
        jk_asm_v(&g->as, JK_V_CMPK, jk_vt_of(g, type), d, a, o, predicate);
    else
        jk_emit_3i(g, JK_V_CMP, type, d, a, o, predicate);
}

JK_FUNC void jk_sel_mask(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a);
    if (!g->t.kmask) {
        if (i->op == JK_MNOT)
            jk_sel_logic(b, ref, j, JK_V_XOR, UINT64_MAX);
        else
            jk_sel_binary(b, ref, j, i->op == JK_MAND ? JK_V_AND : JK_V_OR, true, JK_MEM_WIDE);
    } else {
        unsigned a = jk_reg_of(b, x, j), c = i->op == JK_MNOT ? a : jk_reg_of(b, jk_val_of(b, i->b), j);
        unsigned d = jk_result_reg(b, jk_val_of(b, ref), j, x);
        jk_asm_k(&g->as, i->op == JK_MNOT ? JK_K_KNOT : i->op == JK_MAND ? JK_K_KAND : JK_K_KOR, d, a, c);
    }
}

static inline bool jk_is_zero(const jk_gen *g, jk_ref ref)
{
    const jk_ins *i = &g->p->ins[ref];
    return i->op == JK_CONST && !i->a && !i->b;
}

JK_FUNC void jk_sel_blend_k(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_vt vt = jk_vt_of(g, (jk_type)i->type);
    uint32_t x = jk_val_of(b, i->b), v = jk_val_of(b, ref);
    bool zero = jk_is_zero(g, i->c);
    unsigned y;
    jk_opnd o;
    vt.k = (uint8_t)jk_reg_of(b, jk_val_of(b, i->a), j);
    vt.zero = zero;
    y = zero ? 0 : jk_reg_of(b, jk_val_of(b, i->c), j);
    o = jk_opnd_of(b, x, j, zero ? JK_MEM_NOBCAST : 0);
    if (zero)
        jk_asm_v(&g->as, JK_V_MOVU, vt, jk_result_reg(b, v, j, x), 0, o, 0);
    else
        jk_asm_v(&g->as, JK_V_BLENDM, vt, jk_result_reg(b, v, j, jk_val_of(b, i->c)), y, o, 0);
}

JK_FUNC void jk_sel_select(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_type type = (jk_type)i->type;
    uint32_t vm = jk_val_of(b, i->a), v = jk_val_of(b, ref);
    unsigned m, y, t;
    jk_opnd o;
    if (g->t.kmask) {
        jk_sel_blend_k(b, ref, j);
        return;
    }
    m = jk_reg_of(b, vm, j);
    if (jk_is_zero(g, i->c) || jk_is_zero(g, i->b)) {
        bool first = jk_is_zero(g, i->c);
        o = jk_opnd_of(b, jk_val_of(b, first ? i->b : i->c), j, JK_MEM_WIDE);
        jk_emit_3(g, first ? JK_V_AND : JK_V_ANDN, type, jk_result_reg(b, v, j, vm), m, o);
    } else if (g->t.enc == JK_ENC_VEX) {
        jk_vt vt = jk_vt_of(g, type);
        if (g->t.scalar)
            vt.fmt = type == JK_F64 || type == JK_I64 ? JK_PD : JK_PS;
        y = jk_reg_of(b, jk_val_of(b, i->c), j);
        o = jk_opnd_of(b, jk_val_of(b, i->b), j, JK_MEM_WIDE);
        jk_asm_v(&g->as, JK_V_BLENDV, vt, jk_result_reg(b, v, j, jk_val_of(b, i->c)), y, o, m << 4);
    } else {
        jk_opnd n = jk_opnd_of(b, jk_val_of(b, i->c), j, JK_MEM_WIDE);
        unsigned d;
        o = jk_opnd_of(b, jk_val_of(b, i->b), j, JK_MEM_WIDE);
        t = jk_temp(b, 0);
        d = jk_result_reg(b, v, j, vm);
        jk_emit_3(g, JK_V_ANDN, type, t, m, n);
        jk_emit_3(g, JK_V_AND, type, d, m, o);
        jk_emit_3(g, JK_V_OR, type, d, d, jk_opnd_reg(t));
    }
}

/* A NaN's sign counts as positive: the sign of b, where b is ordered. */
JK_FUNC void jk_sel_copysign(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_type type = (jk_type)i->type;
    size_t size = jk_type_size(type);
    uint32_t x = jk_val_of(b, i->a);
    unsigned a = jk_reg_of(b, x, j), s = jk_reg_of(b, jk_val_of(b, i->b), j), t = jk_temp(b, 0), d;
    jk_vt vt = jk_vt_of(g, type);
    if (g->t.kmask) {
        jk_asm_v(&g->as, JK_V_CMPK, vt, JK_K_SCRATCH, s, jk_opnd_reg(s), JK_P_ORD);
        vt.k = JK_K_SCRATCH;
        vt.zero = 1;
        jk_asm_v(&g->as, JK_V_AND, vt, t, s, jk_const(g, type, JK_SIGN(size)), 0);
    } else {
        jk_emit_3i(g, JK_V_CMP, type, t, s, jk_opnd_reg(s), JK_P_ORD);
        jk_emit_3(g, JK_V_AND, type, t, t, jk_opnd_reg(s));
        jk_emit_3(g, JK_V_AND, type, t, t, jk_const(g, type, JK_SIGN(size)));
    }
    d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    jk_emit_3(g, JK_V_AND, type, d, a, jk_const(g, type, JK_REST(size)));
    jk_emit_3(g, JK_V_OR, type, d, d, jk_opnd_reg(t));
}

/* Rounding to whole numbers without roundpd: |x| + 2^52 - 2^52 (2^23 for singles) rounds to nearest even where |x| < 2^52;
 * beyond, x is whole (or inf or NaN). Then a step of one where that went the wrong way, and x's sign back, which -0 and
 * results of 0 need. Trunc works on |x|; floor and ceil on the signed value. */
JK_FUNC void jk_sel_round_sse2(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_type type = (jk_type)i->type;
    size_t size = jk_type_size(type);
    jk_opnd sign = jk_const(g, type, JK_SIGN(size)), rest = jk_const(g, type, JK_REST(size));
    jk_opnd big = jk_const(g, type, size == 8 ? 0x4330000000000000u : 0x4b000000u);
    jk_opnd one = jk_const(g, type, size == 8 ? 0x3ff0000000000000u : 0x3f800000u);
    uint32_t x = jk_val_of(b, i->a);
    unsigned a = jk_reg_of(b, x, j), r = jk_temp(b, 0), t = jk_temp(b, 0), d;
    jk_emit_3(g, JK_V_AND, type, r, a, rest);  /* r = |x| */
    jk_emit_3i(g, JK_V_CMP, type, t, r, big, JK_P_LT);
    jk_emit_3(g, JK_V_ADD, type, r, r, big);
    jk_emit_3(g, JK_V_SUB, type, r, r, big);
    jk_emit_3(g, JK_V_AND, type, r, r, jk_opnd_reg(t));
    d = jk_temp(b, 0);
    jk_emit_3(g, JK_V_AND, type, d, a, rest);
    jk_emit_3(g, JK_V_ANDN, type, t, t, jk_opnd_reg(d));
    jk_emit_3(g, JK_V_OR, type, r, r, jk_opnd_reg(t)); /* r = rint |x| */
    if (i->op == JK_TRUNC) {
        jk_emit_3i(g, JK_V_CMP, type, d, d, jk_opnd_reg(r), JK_P_LT);
        jk_emit_3(g, JK_V_AND, type, d, d, one);
        jk_emit_3(g, JK_V_SUB, type, r, r, jk_opnd_reg(d));
    }
    jk_emit_3(g, JK_V_AND, type, t, a, sign);
    jk_emit_3(g, JK_V_OR, type, r, r, jk_opnd_reg(t)); /* r = rint x or trunc x; t = x's sign */
    if (i->op == JK_FLOOR) {
        jk_emit_3i(g, JK_V_CMP, type, d, a, jk_opnd_reg(r), JK_P_LT);
        jk_emit_3(g, JK_V_AND, type, d, d, one);
        jk_emit_3(g, JK_V_SUB, type, r, r, jk_opnd_reg(d));
    } else if (i->op == JK_CEIL) {
        jk_emit_3i(g, JK_V_CMP, type, d, r, jk_opnd_reg(a), JK_P_LT);
        jk_emit_3(g, JK_V_AND, type, d, d, one);
        jk_emit_3(g, JK_V_ADD, type, r, r, jk_opnd_reg(d));
        jk_emit_3(g, JK_V_OR, type, r, r, jk_opnd_reg(t));
    }
    jk_emit_mov(g, jk_result_reg(b, jk_val_of(b, ref), j, x), r);
}

JK_FUNC void jk_sel_round(jk_body *b, jk_ref ref, uint32_t j)
{
    unsigned op = b->g->p->ins[ref].op;
    /* 8: no exception flag; then the rounding: nearest even, down, up, towards zero */
    if (b->g->t.round)
        jk_sel_unary(b, ref, j, JK_V_ROUND, 8 + (op == JK_FLOOR ? 1 : op == JK_CEIL ? 2 : op == JK_TRUNC ? 3 : 0));
    else
        jk_sel_round_sse2(b, ref, j);
}

/* Four floats or two doubles: v[0..] = fma(v[0..], v[4 or 2 ..], ...), for code without the instruction. */
JK_FUNC void jk_soft_fma_pd(double *v)
{
    v[0] = jk_fma_f64(v[0], v[2], v[4]);
    v[1] = jk_fma_f64(v[1], v[3], v[5]);
}

JK_FUNC void jk_soft_fma_ps(float *v)
{
    unsigned l;
    for (l = 0; l < 4; l++)
        v[l] = jk_fma_f32(v[l], v[4 + l], v[8 + l]);
}

/* Without FMA: the operands go to the frame, and a thunk that keeps every register calls C. */
JK_FUNC void jk_sel_fma_soft(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_vt vt = jk_vt_of(g, JK_F32);
    jk_ref from[3];
    uint32_t k;
    unsigned d;
    from[0] = i->a;
    from[1] = i->b;
    from[2] = i->c;
    if (!g->fma_used) {
        g->fma_used = true;
        g->fma_thunk = jk_asm_label(&g->as);
    }
    if (g->fma_at < 0)
        g->fma_at = jk_frame_take(g, 48, 16);
    for (k = 0; k < 3; k++)
        jk_asm_vstore(&g->as, JK_V_MOVA, vt, jk_at_frame(g, g->fma_at + (int32_t)(16 * k)),
                      jk_reg_of(b, jk_val_of(b, from[k]), j), 0);
    d = jk_result_reg(b, jk_val_of(b, ref), j, JK_NOREF);
    jk_asm_lea(&g->as, JK_RAX, jk_at_frame(g, g->fma_at));
    jk_asm_call_label(&g->as, g->fma_thunk);
    jk_asm_v(&g->as, JK_V_MOVA, vt, d, 0, jk_at_frame(g, g->fma_at), 0);
}

/* d = a * b + c, in the form that overwrites an operand that dies. */
JK_FUNC void jk_sel_fma(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_vt vt = jk_vt_of(g, (jk_type)i->type);
    uint32_t x = jk_val_of(b, i->a), y = jk_val_of(b, i->b), z = jk_val_of(b, i->c), t;
    unsigned a, c, d;
    jk_opnd o;
    if (!g->t.fma) {
        jk_sel_fma_soft(b, ref, j);
        return;
    }
    if (!jk_dies(b, x) && jk_dies(b, y)) {
        t = x;
        x = y;
        y = t;
    }
    if (jk_in_reg(b, z, j) && jk_dies(b, z) && b->val[z].kind != JK_VAL_UNIFORM && z != x && z != y) {
        a = jk_reg_of(b, x, j);
        c = jk_reg_of(b, z, j);
        o = jk_opnd_of(b, y, j, 0);
        d = jk_result_reg(b, jk_val_of(b, ref), j, z);
        jk_emit_mov(g, d, c);
        jk_asm_v(&g->as, JK_V_FMADD231, vt, d, a, o, 0);
        return;
    }
    a = jk_reg_of(b, x, j);
    c = jk_reg_of(b, y, j);
    o = jk_opnd_of(b, z, j, 0);
    d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    jk_emit_mov(g, d, a);
    jk_asm_v(&g->as, JK_V_FMADD213, vt, d, c, o, 0);
}

JK_FUNC void jk_sel_shift(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a);
    unsigned a = jk_reg_of(b, x, j), d = jk_result_reg(b, jk_val_of(b, ref), j, x);
    if (g->t.enc == JK_ENC_LEGACY) {
        jk_emit_mov(g, d, a);
        a = d;
    }
    jk_asm_v(&g->as, i->op == JK_ISHL ? JK_V_PSLL : JK_V_PSRL, jk_vt_of(g, (jk_type)i->type), d, a, jk_opnd_reg(a),
             i->aux);
}

/* Uniform code only: conversions between scalars. */
JK_FUNC void jk_sel_cvt(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a);
    jk_type from = (jk_type)b->val[x].type, to = (jk_type)i->type;
    unsigned a = jk_reg_of(b, x, j), d = jk_result_reg(b, jk_val_of(b, ref), j, JK_NOREF);
    jk_vt vt = jk_vt_of(g, to);
    if (from == JK_I64) {
        jk_asm_vstore(&g->as, JK_V_MOVQ_RX, vt, jk_opnd_reg(JK_RAX), a, 0);
        jk_emit_3(g, JK_V_XOR, JK_F32, d, d, jk_opnd_reg(d)); /* cvtsi2sd keeps the upper part: no old dependency */
        jk_asm_v(&g->as, to == JK_F64 ? JK_V_CVTSI2SD : JK_V_CVTSI2SS, vt, d, d, jk_opnd_reg(JK_RAX), 0);
    } else {
        jk_asm_v(&g->as, to == JK_F64 ? JK_V_CVTSS2SD : JK_V_CVTSD2SS, jk_vt_of(g, from), d, a, jk_opnd_reg(a), 0);
    }
}

JK_FUNC void jk_sel_bits(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    uint32_t x = jk_val_of(b, i->a), v = jk_val_of(b, ref);
    if (b->val[x].cls != b->val[v].cls) { /* a mask register to all ones and zeros */
        jk_vt vt = jk_vt_of(g, (jk_type)i->type);
        jk_opnd ones = jk_const(g, (jk_type)i->type, UINT64_MAX);
        ones.bcast = 0;
        vt.k = (uint8_t)jk_reg_of(b, x, j);
        vt.zero = 1;
        jk_asm_v(&g->as, JK_V_BROADCAST, vt, jk_result_reg(b, v, j, JK_NOREF), 0, ones, 0);
    } else {
        unsigned a = jk_reg_of(b, x, j);
        jk_emit_mov(g, jk_result_reg(b, v, j, x), a);
    }
}

JK_FUNC void jk_select(jk_body *b, jk_ref ref, uint32_t j)
{
    const jk_ins *i = &b->g->p->ins[ref];
    size_t size = jk_type_size((jk_type)i->type);
    switch ((jk_op)i->op) {
    case JK_ADD: jk_sel_binary(b, ref, j, JK_V_ADD, true, 0); break;
    case JK_SUB: jk_sel_binary(b, ref, j, JK_V_SUB, false, 0); break;
    case JK_MUL: jk_sel_binary(b, ref, j, JK_V_MUL, true, 0); break;
    case JK_DIV: jk_sel_binary(b, ref, j, JK_V_DIV, false, 0); break;
    case JK_IAND: jk_sel_binary(b, ref, j, JK_V_AND, true, JK_MEM_WIDE); break;
    case JK_IOR: jk_sel_binary(b, ref, j, JK_V_OR, true, JK_MEM_WIDE); break;
    case JK_IXOR: jk_sel_binary(b, ref, j, JK_V_XOR, true, JK_MEM_WIDE); break;
    case JK_IADD: jk_sel_binary(b, ref, j, JK_V_PADD, true, JK_MEM_WIDE); break;
    case JK_ISUB: jk_sel_binary(b, ref, j, JK_V_PSUB, false, JK_MEM_WIDE); break;
    case JK_ISHL:
    case JK_ISHR: jk_sel_shift(b, ref, j); break;
    case JK_SQRT: jk_sel_unary(b, ref, j, JK_V_SQRT, 0); break;
    case JK_NEG: jk_sel_logic(b, ref, j, JK_V_XOR, JK_SIGN(size)); break;
    case JK_ABS: jk_sel_logic(b, ref, j, JK_V_AND, JK_REST(size)); break;
    case JK_FLOOR:
    case JK_CEIL:
    case JK_TRUNC:
    case JK_RINT: jk_sel_round(b, ref, j); break;
    case JK_MIN:
    case JK_MAX: jk_sel_minmax(b, ref, j); break;
    case JK_COPYSIGN: jk_sel_copysign(b, ref, j); break;
    case JK_FMA: jk_sel_fma(b, ref, j); break;
    case JK_LT: jk_sel_compare(b, ref, j, JK_P_LT); break;
    case JK_LE: jk_sel_compare(b, ref, j, JK_P_LE); break;
    case JK_EQ: jk_sel_compare(b, ref, j, JK_P_EQ); break;
    case JK_NE: jk_sel_compare(b, ref, j, JK_P_NE); break;
    case JK_ISNAN: jk_sel_compare(b, ref, j, JK_P_UNORD); break;
    case JK_MNOT:
    case JK_MAND:
    case JK_MOR: jk_sel_mask(b, ref, j); break;
    case JK_SELECT: jk_sel_select(b, ref, j); break;
    case JK_BITS: jk_sel_bits(b, ref, j); break;
    case JK_CVT: jk_sel_cvt(b, ref, j); break;
    default: jk_fail(b->g->e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "internal: no code for op %u", i->op); break;
    }
}
#undef JK_SIGN
#undef JK_REST
