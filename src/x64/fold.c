/* x64: reductions around the loops: their accumulators' places, the pouring of f32 lanes into F64 ones, and the fold of a
 * chunk's four segments and lanes into one node (docs/reductions.md). */
#include "gen.h"

JK_SMALL_OPEN

/* Lays out a segment's area: the number of steps already done, then the lanes of every accumulator. */
JK_FUNC bool jk_acc_layout(jk_gen *g, const jk_stage *s)
{
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
        a->op = (uint8_t)(op == JK_RARGMIN ? (unsigned)JK_RMIN : op);
        a->type = (uint8_t)(op == JK_RPROD ? (unsigned)JK_F64 : g->p->type);
        a->wide = op == JK_RPROD && f32 && !g->t.scalar ? 2 : 1;
        a->pour = op == JK_RSUM && f32;
        g->pour |= a->pour;
        a->reg = regs;
        a->at = (int32_t)at;
        at += g->lanes * (uint32_t)jk_type_size((jk_type)a->type);
        a->at64 = (int32_t)at;
        at += a->pour ? 8 * g->lanes : 0;
    }
    g->seg_stride = at;
    jk_frame_take(g, JK_SEGMENTS * at, 64);
    return true;
}

/* Pours instance m of an f32 sum into its F64 lanes and sets it to +0; or clears these, register 0 being 0. Registers 0
 * to 2 are free between two runs of a body. */
JK_FUNC void jk_acc_pour(jk_gen *g, const jk_acc *a, uint32_t m, bool clear)
{
    uint32_t h, halves = g->t.scalar ? 1 : 2, step = jk_step_bytes(g, JK_F64);
    bool held = a->reg[m] != JK_NOREG;
    unsigned reg = held ? a->reg[m] : 2;
    jk_opnd at = jk_acc_at(g, a, m, 0), to = at;
    if (!clear && !held)
        jk_emit_load(g, JK_F32, reg, at);
    to.disp = a->at64 + (int32_t)(m / g->parts * g->seg_stride + m % g->parts * halves * step);
    for (h = 0; h < halves; h++, to.disp += (int32_t)step) {
        jk_opnd x = to;
        if (!clear) {
            jk_emit_widen_half(g, 0, reg, h);
            if (!g->t.scalar && g->t.enc == JK_ENC_LEGACY) { /* not aligned to 16 bytes for sure */
                jk_emit_load(g, JK_F64, 1, to);
                x = jk_opnd_reg(1);
            }
            jk_emit_3(g, JK_V_ADD, JK_F64, 0, 0, x);
        }
        jk_emit_store(g, JK_F64, to, 0);
    }
    if (clear)
        return;
    jk_emit_3(g, JK_V_XOR, JK_F32, reg, reg, jk_opnd_reg(reg));
    if (!held)
        jk_emit_store(g, JK_F32, at, reg);
}

/* For every accumulator of `streams` segments, with the area in rbx. */
JK_FUNC void jk_acc_each(jk_gen *g, uint32_t streams, jk_acc_do what)
{
    uint32_t n, m;
    const jk_acc *a;
    for (a = g->acc; a < g->acc + g->nacc; a++)
        for (n = 0; n < streams * g->parts * a->wide; n++) {
            bool held = a->reg[n] != JK_NOREG;
            unsigned reg = held ? a->reg[n] : 0;
            jk_type type = (jk_type)a->type;
            jk_opnd at = jk_acc_at(g, a, m = n / a->wide, n % a->wide);
            if (what >= JK_ACC_CLEAR) {
                if (a->pour)
                    jk_acc_pour(g, a, m, what == JK_ACC_CLEAR);
                continue;
            }
            if (what == JK_ACC_INIT && a->op == JK_RSUM)
                jk_emit_3(g, JK_V_XOR, JK_F32, reg, reg, jk_opnd_reg(reg));
            else if (what == JK_ACC_INIT)
                jk_emit_load(g, type, reg, jk_const_of(g, type, a->op == JK_RPROD ? JK_BITS_ONE : JK_BITS_INF));
            else if (what == JK_ACC_LOAD && held)
                jk_emit_load(g, type, reg, at);
            if (what == (held ? JK_ACC_STORE : JK_ACC_INIT))
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
JK_FUNC void jk_fold_op(const jk_folding *f, unsigned d, unsigned y, unsigned x)
{
    if (f->a->op == JK_RMIN)
        jk_emit_minmax(f->g, JK_MIN, f->type, d, y, x, d + 2);
    else
        jk_emit_3(f->g, f->a->op == JK_RSUM ? JK_V_ADD : JK_V_MUL, f->type, d, y, jk_opnd_reg(x));
}

/* Register d, or the accumulator's own: vector i of segment q. Where no f32 sum has poured yet its F64 lanes would be +0,
 * which adds nothing (the f32 lanes are never -0). */
JK_FUNC unsigned jk_fold_lanes(const jk_folding *f, unsigned d, uint32_t q, uint32_t i)
{
    jk_gen *g = f->g;
    const jk_acc *a = f->a;
    int32_t off = (int32_t)(i * jk_step_bytes(g, f->type)), seg = JK_PASS_SLOTS + (int32_t)(q * g->seg_stride);
    const uint8_t *reg = a->reg + q * g->parts * a->wide;
    jk_opnd at = jk_at_frame(g, seg + a->at + off);
    if (!a->pour) {
        if (f->from != JK_FOLD_MEMORY)
            return reg[i];
        jk_emit_load(g, f->type, d, at);
        return d;
    }
    at.disp -= off / 2;
    if (f->from != JK_FOLD_MEMORY)
        jk_emit_widen_half(g, d, reg[i / 2], i % 2);
    else
        jk_emit_3(g, g->t.scalar ? JK_V_CVTSS2SD : JK_V_CVTPS2PD, JK_F32, d, d, at);
    if (f->from != JK_FOLD_REGISTERS) {
        jk_emit_load(g, JK_F64, d + 1, jk_at_frame(g, seg + a->at64 + off));
        jk_emit_3(g, JK_V_ADD, JK_F64, d, d, jk_opnd_reg(d + 1));
    }
    return d;
}

/* Folds the vectors i, i + h, i + 2h ... into register d, or gives the register in which one stands. Number i is vector
 * i mod n of a segment; those of segments 0 and 1, and of 2 and 3, are joined first, then these, then vectors by halves. */
JK_FUNC unsigned jk_fold_vectors(const jk_folding *f, unsigned d, uint32_t i, uint32_t h)
{
    unsigned x, y;
    if (h == JK_SEGMENTS * f->n)
        return jk_fold_lanes(f, d, i / f->n >> 1 | (i / f->n & 1) << 1, i % f->n);
    x = jk_fold_vectors(f, d, i, 2 * h);
    y = jk_fold_vectors(f, d + 1, i + h, 2 * h);
    jk_fold_op(f, d, x, y);
    return d;
}

/* Folds register 0's lanes by halves, into lane 0. */
JK_FUNC void jk_fold_register(const jk_folding *f)
{
    jk_gen *g = f->g;
    jk_target whole = g->t;
    for (; g->t.vbytes > 16; jk_fold_op(f, 0, 0, 1)) {
        jk_inst upper = g->t.vbytes == 64 ? JK_V_EXTRACT256 : JK_V_EXTRACT128;
        jk_asm_vstore(&g->as, upper, jk_vt_of(g, f->type), jk_opnd_reg(1), 0, 1);
        g->t.vbytes >>= 1;
    }
    if (!g->t.scalar) {
        jk_emit_3(g, JK_V_MOVHL, JK_F32, 1, 0, jk_opnd_reg(0));
        jk_fold_op(f, 0, 0, 1);
        if (f->type == JK_F32) {
            jk_emit_3i(g, JK_V_SHUF, JK_F32, 1, 0, jk_opnd_reg(0), 1);
            jk_fold_op(f, 0, 0, 1);
        }
    }
    g->t = whole;
}

/* All of a chunk: every reduction's segments and lanes to its node; the first one's, done last, stays in xmm0. */
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
        f.n = g->lanes * (uint32_t)jk_type_size(f.type) / jk_step_bytes(g, f.type);
        jk_fold_vectors(&f, 0, 0, 1);
        jk_fold_register(&f);
        if (f.type == JK_F32)
            jk_asm_v(&g->as, JK_V_CVTSS2SD, one, 0, 0, jk_opnd_reg(0), 0);
        one.fmt = JK_SD;
        jk_emit_run(g, offsetof(jk_run, node));
        jk_asm_vstore(&g->as, JK_V_MOVU, one, jk_opnd_mem(JK_RAX, (int32_t)(8 * r)), 0, 0);
    }
}

JK_SMALL_CLOSE
