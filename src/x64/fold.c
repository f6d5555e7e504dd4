/* x64: reductions around the loops: their accumulators' places, the pouring of f32 lanes into F64 ones, and the fold of a
 * chunk's four segments and lanes into one node (docs/reductions.md). */
#include "gen.h"

JK_SMALL_OPEN

/* Lays out a segment's area: the number of steps already done, then the lanes of every accumulator. */
JK_FUNC bool jk_acc_layout(jk_gen *g, const jk_stage *s)
{
    uint32_t r, n = 4 * g->parts * 2;
    int32_t at = 64;
    g->nacc = s->nred;
    g->acc = (jk_acc *)jk_arena_zero(g->arena, sizeof *g->acc * ((size_t)s->nred + 1));
    if (!g->acc)
        return false;
    for (r = 0; r < s->nred; r++) {
        jk_acc *a = &g->acc[r];
        const jk_ins *i = &g->p->ins[s->red[r]];
        bool f32 = g->p->type == JK_F32;
        a->op = (uint8_t)(i->op == JK_RARGMIN ? (unsigned)JK_RMIN : i->op);
        a->type = (uint8_t)(a->op == JK_RPROD ? (unsigned)JK_F64 : g->p->type);
        a->wide = a->op == JK_RPROD && f32 && !g->t.scalar ? 2 : 1;
        a->pour = a->op == JK_RSUM && f32;
        a->at = at;
        at += (int32_t)(g->lanes * jk_type_size((jk_type)a->type));
        a->at64 = at;
        at += a->pour ? (int32_t)(8 * g->lanes) : 0;
        a->reg = (uint8_t *)jk_arena_alloc(g->arena, n);
        if (!a->reg)
            return false;
        memset(a->reg, JK_NOREG, n);
    }
    g->seg_stride = (uint32_t)at;
    g->seg_at = jk_frame_take(g, JK_SEGMENTS * g->seg_stride, 64);
    return true;
}

static inline uint32_t jk_acc_step(const jk_gen *g, jk_type type)
{
    return g->t.scalar ? (uint32_t)jk_type_size(type) : g->t.vbytes;
}

/* Loads, stores or sets to its neutral element every accumulator of `streams` segments from the area at acc_base. */

JK_FUNC void jk_acc_each(jk_gen *g, uint32_t streams, jk_acc_do what)
{
    uint32_t r, m, h;
    for (r = 0; r < g->nacc; r++) {
        const jk_acc *a = &g->acc[r];
        jk_type type = (jk_type)a->type;
        bool wide = jk_type_size(type) == 8;
        uint64_t neutral = a->op == JK_RSUM    ? 0
                           : a->op == JK_RPROD ? (wide ? 0x3ff0000000000000u : 0x3f800000u)
                                               : (wide ? 0x7ff0000000000000u : 0x7f800000u);
        for (m = 0; m < streams * g->parts; m++)
            for (h = 0; h < a->wide; h++) {
                unsigned reg = a->reg[m * a->wide + h], t = reg == JK_NOREG ? 0 : reg;
                jk_opnd at = jk_acc_at(g, a, m, h);
                if (what == JK_ACC_INIT && !neutral)
                    jk_emit_3(g, JK_V_XOR, JK_F32, t, t, jk_opnd_reg(t));
                else if (what == JK_ACC_INIT)
                    jk_emit_load(g, type, t, jk_const(g, type, neutral));
                if (what == JK_ACC_LOAD && reg != JK_NOREG)
                    jk_emit_load(g, type, reg, at);
                if ((what == JK_ACC_STORE && reg != JK_NOREG) || (what == JK_ACC_INIT && reg == JK_NOREG))
                    jk_emit_store(g, type, at, t);
            }
    }
}

/* F64 lanes of segments `streams` from acc_base, all +0. */
JK_FUNC void jk_acc_init64(jk_gen *g, uint32_t segments)
{
    uint32_t r, q, at, step = jk_acc_step(g, JK_F64);
    bool cleared = false;
    for (r = 0; r < g->nacc; r++)
        for (q = 0; g->acc[r].pour && q < segments; q++)
            for (at = 0; at < 8 * g->lanes; at += step) {
                if (!cleared)
                    jk_emit_3(g, JK_V_XOR, JK_F32, 0, 0, jk_opnd_reg(0));
                cleared = true;
                jk_emit_store(g, JK_F64,
                              jk_opnd_mem(g->acc_base, g->acc[r].at64 + (int32_t)(q * g->seg_stride + at)), 0);
            }
}

/* reg = the doubles of the f32 lanes at vector number i of F64 lanes in a segment's area. */
JK_FUNC void jk_emit_widen(jk_gen *g, unsigned reg, unsigned base, int32_t area, uint32_t i)
{
    jk_opnd from = jk_opnd_mem(base, area + (int32_t)(i * jk_acc_step(g, JK_F64) / 2));
    jk_vt vt = jk_vt_of(g, JK_F32);
    if (g->t.scalar)
        jk_asm_v(&g->as, JK_V_CVTSS2SD, vt, reg, reg, from, 0);
    else
        jk_asm_v(&g->as, JK_V_CVTPS2PD, vt, reg, 0, from, 0);
}

/* Pours the f32 sums of `streams` segments into their F64 lanes and sets them to +0. Registers 0 and 1 are free between two
 * runs of a body. */
JK_FUNC void jk_pour(jk_gen *g, uint32_t streams)
{
    uint32_t r, m, h, halves = g->t.scalar ? 1 : 2;
    for (r = 0; r < g->nacc; r++) {
        const jk_acc *a = &g->acc[r];
        for (m = 0; a->pour && m < streams * g->parts; m++) {
            unsigned reg = a->reg[m] == JK_NOREG ? 2 : a->reg[m];
            if (reg == 2)
                jk_emit_load(g, JK_F32, reg, jk_acc_at(g, a, m, 0));
            for (h = 0; h < halves; h++) {
                uint32_t i = m % g->parts * halves + h;
                int32_t seg = (int32_t)(m / g->parts * g->seg_stride);
                jk_opnd to = jk_opnd_mem(g->acc_base, a->at64 + seg + (int32_t)(i * jk_acc_step(g, JK_F64)));
                jk_emit_widen_half(g, 0, reg, h);
                if (g->t.scalar || g->t.enc != JK_ENC_LEGACY) {
                    jk_emit_3(g, JK_V_ADD, JK_F64, 0, 0, to);
                } else {
                    jk_emit_load(g, JK_F64, 1, to);
                    jk_emit_3(g, JK_V_ADD, JK_F64, 0, 0, jk_opnd_reg(1));
                }
                jk_emit_store(g, JK_F64, to, 0);
            }
            jk_emit_3(g, JK_V_XOR, JK_F32, reg, reg, jk_opnd_reg(reg));
            if (reg == 2)
                jk_emit_store(g, JK_F32, jk_acc_at(g, a, m, 0), reg);
        }
    }
}

/* d = y op x; registers from d + 2 on are free. */
JK_FUNC void jk_fold_op(jk_gen *g, const jk_acc *a, jk_type type, unsigned d, unsigned y, unsigned x)
{
    if (a->op == JK_RMIN)
        jk_emit_minmax(g, JK_MIN, type, d, y, x, d + 2);
    else
        jk_emit_3(g, a->op == JK_RSUM ? JK_V_ADD : JK_V_MUL, type, d, y, jk_opnd_reg(x));
}

/* Register d, or the accumulator's own: vector i of a segment's lanes. Where no f32 sum has poured yet its F64 lanes would
 * be +0, which adds nothing (the f32 lanes are never -0). */
JK_FUNC unsigned jk_fold_lanes(jk_gen *g, const jk_acc *a, jk_type type, unsigned d, uint32_t q, uint32_t i)
{
    int32_t seg = g->seg_at + (int32_t)(q * g->seg_stride), off = (int32_t)(i * jk_acc_step(g, type));
    if (!a->pour && g->fold != JK_FOLD_MEMORY)
        return a->reg[q * g->parts * a->wide + i];
    if (!a->pour) {
        jk_emit_load(g, type, d, jk_at_frame(g, seg + a->at + off));
        return d;
    }
    if (g->fold != JK_FOLD_MEMORY)
        jk_emit_widen_half(g, d, a->reg[q * g->parts + i / 2], i % 2);
    else
        jk_emit_widen(g, d, g->frame_reg, seg + a->at, i);
    if (g->fold != JK_FOLD_REGISTERS) {
        jk_emit_load(g, JK_F64, d + 1, jk_at_frame(g, seg + a->at64 + off));
        jk_emit_3(g, JK_V_ADD, JK_F64, d, d, jk_opnd_reg(d + 1));
    }
    return d;
}

/* Register d: lanes [i] after folding n vectors by halves down to h: itself, or the sum of two from the step before. */
JK_FUNC void jk_fold_vectors(jk_gen *g, const jk_acc *a, jk_type type, unsigned d, uint32_t i, uint32_t h, uint32_t n)
{
    unsigned x, y;
    if (h < n) {
        jk_fold_vectors(g, a, type, d, i, 2 * h, n);
        jk_fold_vectors(g, a, type, d + 1, i + h, 2 * h, n);
        jk_fold_op(g, a, type, d, d, d + 1);
        return;
    }
    x = jk_fold_lanes(g, a, type, d, 0, i);
    y = jk_fold_lanes(g, a, type, d + 1, 1, i);
    jk_fold_op(g, a, type, d, x, y);
    x = jk_fold_lanes(g, a, type, d + 1, 2, i);
    y = jk_fold_lanes(g, a, type, d + 2, 3, i);
    jk_fold_op(g, a, type, d + 1, x, y);
    jk_fold_op(g, a, type, d, d, d + 1);
}

/* Folds register 0's lanes by halves. */
JK_FUNC void jk_fold_register(jk_gen *g, const jk_acc *a, jk_type type)
{
    jk_target whole = g->t;
    while (!g->t.scalar && g->t.vbytes > 16) {
        jk_asm_vstore(&g->as, g->t.vbytes == 64 ? JK_V_EXTRACT256 : JK_V_EXTRACT128, jk_vt_of(g, type), jk_opnd_reg(1), 0, 1);
        g->t.vbytes = (uint8_t)(g->t.vbytes / 2);
        jk_fold_op(g, a, type, 0, 0, 1);
    }
    if (!g->t.scalar) {
        jk_emit_3(g, JK_V_MOVHL, JK_F32, 1, 0, jk_opnd_reg(0));
        jk_fold_op(g, a, type, 0, 0, 1);
        if (type == JK_F32) {
            jk_emit_3i(g, JK_V_SHUF, JK_F32, 1, 0, jk_opnd_reg(0), 1);
            jk_fold_op(g, a, type, 0, 0, 1);
        }
    }
    g->t = whole;
}

/* All of a chunk: every reduction's segments and lanes to its node; the first one's, done last, stays in xmm0. The accumulators stand in the segments' areas, or still
 * in their registers (of four segments), with what was poured in the areas or without. */
JK_FUNC void jk_fold(jk_gen *g, jk_fold_from from)
{
    uint32_t r;
    g->fold = (uint8_t)from;
    for (r = g->nacc; r-- > 0;) {
        const jk_acc *a = &g->acc[r];
        jk_type type = a->pour ? JK_F64 : (jk_type)a->type;
        jk_vt one = jk_vt_of(g, JK_F64);
        jk_fold_vectors(g, a, type, 0, 0, 1, (uint32_t)(g->lanes * jk_type_size(type)) / jk_acc_step(g, type));
        jk_fold_register(g, a, type);
        one.fmt = JK_SD;
        one.vl = 16;
        if (type == JK_F32) {
            one.fmt = JK_SS;
            jk_asm_v(&g->as, JK_V_CVTSS2SD, one, 0, 0, jk_opnd_reg(0), 0);
            one.fmt = JK_SD;
        }
        jk_asm_g(&g->as, JK_G_MOV, 8, JK_RAX, jk_opnd_mem(JK_R_RUN, (int32_t)offsetof(jk_run, node)));
        jk_asm_vstore(&g->as, JK_V_MOVU, one, jk_opnd_mem(JK_RAX, (int32_t)(8 * r)), 0, 0);
    }
}

JK_SMALL_CLOSE
