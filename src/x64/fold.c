/* x64: reductions around the loops: their accumulators' places, the pouring of f32 lanes into F64 ones, and the fold of
 * a chunk's four segments and lanes into one node (docs/reductions.md). */
#include "gen.h"

JK_SMALL_OPEN

/* Lays out a segment's area: the number of steps already done, then the lanes of every accumulator. */
JK_FUNC bool jk_acc_layout(jk_gen *g, const jk_stage *s)
{
    static const uint8_t ops[][3] = {{JK_RSUM, JK_V_ADD, 0},
                                     {JK_RPROD, JK_V_MUL, JK_BITS_ONE},
                                     {JK_RMIN, JK_V_MIN, JK_BITS_INF},
                                     {JK_RMIN, JK_V_MIN, JK_BITS_INF}};
    uint32_t r, n = JK_SEGMENTS * g->parts * 2, at = 64;
    bool f32 = g->p->type == JK_F32;
    uint8_t *regs = (uint8_t *)jk_arena_alloc(g->arena, (size_t)n * s->nred);
    g->nacc = s->nred;
    g->acc = (jk_acc *)jk_arena_zero(g->arena, sizeof *g->acc * (size_t)s->nred);
    if (!g->acc || !regs)
        return false;
    memset(regs, JK_NOREG, (size_t)n * s->nred);
    for (r = 0; r < s->nred; r++, regs += n) {
        jk_acc *a = &g->acc[r];
        unsigned op = g->p->ins[s->red[r]].op;
        a->op = ops[op - JK_RSUM][0];
        a->inst = ops[op - JK_RSUM][1];
        a->neutral = ops[op - JK_RSUM][2];
        a->type = (uint8_t)(op == JK_RPROD ? (unsigned)JK_F64 : g->p->type);
        a->halves = f32 && !g->t.scalar && op <= JK_RPROD ? 2 : 1;
        a->wide = op == JK_RPROD ? a->halves : 1;
        a->pour = op == JK_RSUM && f32;
        g->pour |= a->pour;
        a->reg = regs;
        a->at = (int32_t)at;
        at += g->lanes * ((uint32_t)jk_type_size((jk_type)a->type) + 8u * a->pour);
    }
    g->seg_stride = at;
    jk_frame_take(g, JK_SEGMENTS * at, 64);
    return true;
}

/* Where vector i of segment q's poured lanes is. */
JK_NOINLINE jk_opnd jk_poured_at(const jk_gen *g, const jk_acc *a, uint32_t q, uint32_t i)
{
    return jk_opnd_mem(JK_R_AREA, a->at + (int32_t)(q * g->seg_stride + JK_LANE_BYTES + i * jk_step_bytes(g, JK_F64)));
}

/* Vector i of a segment's lanes as they are folded, those of f32 sums as doubles: in register d or, where the
 * accumulator is no more and stands in a register, there. Where no f32 sum has poured yet its F64 lanes would be +0,
 * which adds nothing (the f32 lanes are never -0). */
JK_FUNC unsigned jk_fold_lanes(jk_gen *g, const jk_acc *a, jk_fold_from from, unsigned d, uint32_t q, uint32_t i)
{
    uint32_t n = q * g->parts * a->wide + (a->pour ? i / a->halves : i);
    jk_opnd at = jk_acc_at(g, a, n);
    unsigned reg = from == JK_FOLD_MEMORY ? JK_NOREG : a->reg[n];
    if (!a->pour) {
        if (reg == JK_NOREG)
            jk_emit_load(g, (jk_type)a->type, reg = d, at);
        return reg;
    }
    at.disp += (int32_t)(i % a->halves * (g->t.vbytes / 2u));
    if (reg != JK_NOREG)
        jk_emit_widen_half(g, d, reg, i % a->halves);
    else
        jk_emit_3(g, g->t.scalar ? JK_V_CVTSS2SD : JK_V_CVTPS2PD, JK_F32, d, d, at);
    if (from != JK_FOLD_REGISTERS)
        jk_emit_3(g, JK_V_ADD, JK_F64, d, d, jk_poured_at(g, a, q, i));
    return d;
}

/* For every accumulator of the segments [first, end), with the area in rbx: registers 0 and 1 are free between two runs
 * of a body. */
JK_FUNC void jk_acc_each(jk_gen *g, uint32_t first, uint32_t end, jk_acc_do what)
{
    uint32_t n, h, parts = g->parts;
    const jk_acc *a;
    for (a = g->acc; a < g->acc + g->nacc; a++)
        for (n = first * parts * a->wide; n < end * parts * a->wide; n++) {
            bool held = a->reg[n] != JK_NOREG;
            unsigned reg = held ? a->reg[n] : 0;
            jk_type type = (jk_type)a->type;
            jk_opnd at = jk_acc_at(g, a, n);
            if (what >= JK_ACC_POUR && !a->pour)
                continue;
            for (h = 0; what >= JK_ACC_POUR && h < a->halves; h++) {
                uint32_t i = n % parts * a->halves + h;
                if (what == JK_ACC_POUR)
                    jk_fold_lanes(g, a, JK_FOLD_WHOLE, 0, n / parts, i);
                jk_emit_store(g, JK_F64, jk_poured_at(g, a, n / parts, i), 0);
            }
            if (what == JK_ACC_CLEAR)
                continue;
            if (what >= JK_ACC_INIT && a->op == JK_RSUM)
                jk_emit_3(g, JK_V_XOR, JK_F32, reg, reg, jk_opnd_reg(reg));
            else if (what >= JK_ACC_INIT)
                jk_emit_load(g, type, reg, jk_const_of(g, type, a->neutral));
            else if (what == JK_ACC_LOAD && held)
                jk_emit_load(g, type, reg, at);
            if (held ? what == JK_ACC_STORE : what >= JK_ACC_INIT)
                jk_emit_store(g, type, at, reg);
        }
}

/* What a fold is about. */
typedef struct jk_folding {
    jk_gen *g;
    const jk_acc *a;
    jk_type type; /* of the lanes: F64 for sums that pour */
    uint32_t n;   /* vectors of a segment */
    jk_fold_from from;
} jk_folding;

/* d = y op x; registers from d + 2 on are free. */
JK_NOINLINE void jk_fold_op(const jk_folding *f, unsigned d, unsigned y, unsigned x)
{
    jk_emit_join(f->g, f->a, f->type, d, y, jk_opnd_reg(x), d + 2);
}

/* Folds the vectors i, i + h, i + 2h ... into register d, or gives the register in which one stands. Number i is vector
 * i mod n of a segment; those of segments 0 and 1, and of 2 and 3, are joined first, then these, then vectors by
 * halves. */
JK_FUNC unsigned jk_fold_vectors(const jk_folding *f, unsigned d, uint32_t i, uint32_t h)
{
    unsigned x, y;
    if (h == JK_SEGMENTS * f->n) {
        uint32_t q = i / f->n;
        if (f->from != JK_FOLD_WHOLE) /* whose accumulators are of segments 0, 2, 1 and 3 */
            q = q >> 1 | (q & 1) << 1;
        return jk_fold_lanes(f->g, f->a, f->from, d, q, i % f->n);
    }
    x = jk_fold_vectors(f, d, i, 2 * h);
    y = jk_fold_vectors(f, d + 1, i + h, 2 * h);
    jk_fold_op(f, d, x, y);
    return d;
}

/* Folds register 0's lanes by halves, into lane 0. */
JK_FUNC void jk_fold_register(const jk_folding *f)
{
    jk_gen *g = f->g;
    uint8_t whole = g->t.vbytes;
    unsigned n;
    if (g->t.scalar)
        return;
    for (n = whole; n >= 16; n >>= 1) {
        jk_emit_upper(g, 1, 0);
        g->t.vbytes = (uint8_t)(n > 16 ? n / 2 : 16);
        jk_fold_op(f, 0, 0, 1);
    }
    if (f->type == JK_F32) {
        jk_emit_3i(g, JK_V_SHUF, JK_F32, 1, 0, jk_opnd_reg(0), 1);
        jk_fold_op(f, 0, 0, 1);
    }
    g->t.vbytes = whole;
}

/* All of a chunk, the first area being in rbx: every reduction's segments and lanes to its node; the first one's, done
 * last, stays in xmm0. */
JK_FUNC void jk_fold(jk_gen *g, jk_fold_from from)
{
    uint32_t r;
    jk_folding f;
    f.g = g;
    f.from = from;
    for (r = g->nacc; r-- > 0;) {
        jk_vt one = {JK_SS, 16, 0, 0};
        f.a = &g->acc[r];
        f.type = f.a->pour ? JK_F64 : (jk_type)f.a->type;
        f.n = g->parts * f.a->halves;
        jk_fold_vectors(&f, 0, 0, 1);
        jk_fold_register(&f);
        if (f.type == JK_F32)
            jk_asm_v(&g->as, JK_V_CVTSS2SD, one, 0, 0, jk_opnd_reg(0), 0);
        one.fmt = JK_SD;
        jk_emit_run(g, offsetof(jk_run, node));
        jk_asm_v(&g->as, JK_V_MOVU, one, 0, 0, jk_opnd_mem(JK_RAX, (int32_t)(8 * r)), JK_STORE);
    }
}

JK_SMALL_CLOSE
