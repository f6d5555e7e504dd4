/* x64: the loop skeletons of a pass.
 *
 * Without reductions: a wide loop of several vectors a step (a second one with streaming stores), a loop of one vector, and
 * the tail: one vector under a lane mask, or in padded rows.
 *
 * With reductions the range is a chunk of four segments. As many of them as registers allow run at a time, over the steps
 * that all of them have; then what is left of each segment, one after the other, with the same body one segment wide; then
 * the fold. Between the two the accumulators stand in an area of the frame, a part for each segment.
 *
 * Registers: rdi run, r8 frame, rsi r9 r10 r11 element indices of up to four segments, rdx and rcx counters, rax scratch;
 * rcx also points to the lane masks, or counts the row, of a tail; the rest are array addresses. */
#include "gen.h"

typedef struct jk_plan_pass {
    uint32_t streams;  /* segments at a time; 1 without reductions */
    uint32_t vectors;  /* of the wide loop's step */
    uint32_t width;    /* of them in lockstep */
    uint32_t saved;    /* callee-saved registers in use, a bit each */
} jk_plan_pass;

static inline void jk_g_rr(jk_gen *g, jk_inst i, unsigned dst, unsigned src)
{
    jk_asm_g(&g->as, i, 8, dst, jk_opnd_reg(src));
}
static inline void jk_g_ri(jk_gen *g, jk_inst i, unsigned dst, int32_t imm)
{
    jk_asm_gi(&g->as, i, 8, jk_opnd_reg(dst), imm);
}
static inline void jk_g_rm(jk_gen *g, jk_inst i, unsigned dst, int32_t frame)
{
    jk_asm_g(&g->as, i, 8, dst, jk_at_frame(g, frame));
}
static inline void jk_g_mr(jk_gen *g, jk_inst i, int32_t frame, unsigned src)
{
    jk_asm_gstore(&g->as, i, 8, jk_at_frame(g, frame), src);
}
static inline uint32_t jk_log2(uint32_t x)
{
    return (uint32_t)__builtin_ctz(x);
}
static inline uint32_t jk_vector_elements(const jk_gen *g)
{
    return g->lanes / g->parts;
}

/* ---- planning ---- */

/* Addresses of arrays go to registers as long as there are any, in the order of the steps. */
JK_FUNC bool jk_assign_bases(jk_gen *g, const jk_body *b, bool segments, jk_plan_pass *p)
{
    static const uint8_t order[9] = {JK_R9, JK_R10, JK_R11, JK_RBP, JK_R12, JK_R13, JK_R14, JK_R15, JK_RBX};
    uint32_t v, n = segments ? 3 : 0, end = segments ? 8 : 9, k;
    g->base = (uint8_t *)jk_arena_alloc(g->arena, g->p->nargs + 1);
    if (!g->base)
        return false;
    memset(g->base, JK_NOGP, g->p->nargs + 1);
    for (k = g->p->nparams; g->stage->stores && k < g->p->nargs && n < end; k++)
        if (g->p->args[k].is_array)
            g->base[k] = order[n++];
    for (v = 0; v < b->nval && n < end; v++) {
        const jk_ins *i = &g->p->ins[b->val[v].ref];
        if (b->val[v].kind == JK_VAL_LOAD && g->base[i->a] == JK_NOGP)
            g->base[i->a] = order[n++];
    }
    for (k = 3; k < n; k++)
        p->saved |= 1u << order[k];
    if (segments)
        p->saved |= 1u << JK_RBX;
    return true;
}

/* How many vectors a step and how many segments at a time: as many as the registers hold beside `need` temporaries. */
JK_FUNC void jk_plan_width(jk_gen *g, const jk_body *b, jk_plan_pass *p)
{
    uint32_t each = 0, r, need = b->max_live + 3, regs = g->t.nregs, acc;
    uint32_t most = b->nstep <= 16 ? 4 : b->nstep <= 48 ? 2 : 1;
    for (r = 0; r < g->nacc; r++)
        each += g->acc[r].wide;
    p->streams = 1;
    if (g->nacc) {
        p->streams = JK_SEGMENTS;
        while (p->streams > 1 && p->streams * g->parts * each + need > regs)
            p->streams /= 2;
        p->vectors = p->streams * g->parts;
        acc = JK_SMALLER(p->vectors * each, regs > need + 4 ? regs - need : 4);
    } else {
        p->vectors = most;
        acc = 0;
    }
    p->width = g->nacc ? JK_SMALLER(p->vectors, 2 * most) : most;
    while (p->width > 1 && (p->width * (b->max_live + 1) + 3 + acc > regs || p->vectors % p->width))
        p->width /= 2;
    if (!g->nacc)
        p->vectors = p->width;
}

/* Gives accumulators, then the uniform values with the most uses, registers of their own from the top. */
JK_FUNC void jk_assign_fixed(jk_gen *g, jk_body *b, const jk_plan_pass *p)
{
    unsigned next = g->t.nregs, low = JK_SMALLER(p->width * (b->max_live + 1) + 3, (uint32_t)g->t.nregs - 4u);
    uint32_t r, m, v, uses;
    low = JK_LARGER(low, 8); /* the most that one accumulation takes */
    for (r = 0; r < g->nacc; r++)
        for (m = 0; m < p->vectors * g->acc[r].wide; m++)
            if (next > low)
                g->acc[r].reg[m] = (uint8_t)--next;
    for (uses = 16; uses > 0 && next > low; uses--)
        for (v = 0; v < b->nval && next > low; v++) {
            jk_val *x = &b->val[v];
            if (x->kind == JK_VAL_UNIFORM && !x->cls && x->resident == JK_NOREG && x->use_end - x->use >= uses)
                x->resident = (uint8_t)--next;
        }
    g->fixed = next < 32 ? UINT32_MAX << next : 0;
}

/* ---- entry and exit ---- */

JK_FUNC void jk_pass_enter(jk_gen *g, const jk_plan_pass *p)
{
    static const uint8_t order[6] = {JK_RBX, JK_RBP, JK_R12, JK_R13, JK_R14, JK_R15};
    uint32_t k;
    jk_asm_op(&g->as, JK_G_ENDBR64);
    for (k = 0; k < 6; k++)
        if (p->saved >> order[k] & 1)
            jk_asm_push(&g->as, order[k]);
    jk_asm_g(&g->as, JK_G_MOV, 8, JK_R_FRAME, jk_opnd_mem(JK_R_RUN, (int32_t)offsetof(jk_run, frame)));
    jk_asm_g(&g->as, JK_G_MOV, 8, JK_RAX, jk_opnd_mem(JK_R_RUN, (int32_t)offsetof(jk_run, array)));
    for (k = 0; k < g->p->nargs; k++)
        if (g->base[k] != JK_NOGP)
            jk_asm_g(&g->as, JK_G_MOV, 8, g->base[k], jk_opnd_mem(JK_RAX, (int32_t)(8 * k)));
}

JK_FUNC void jk_pass_leave(jk_gen *g, const jk_plan_pass *p)
{
    static const uint8_t order[6] = {JK_RBX, JK_RBP, JK_R12, JK_R13, JK_R14, JK_R15};
    uint32_t k;
    for (k = 6; k-- > 0;)
        if (p->saved >> order[k] & 1)
            jk_asm_pop(&g->as, order[k]);
    if (g->t.enc != JK_ENC_LEGACY)
        jk_asm_op(&g->as, JK_V_VZEROUPPER);
    jk_asm_op(&g->as, JK_G_RET);
}

/* Uniform values to their registers, or spread over a vector in the frame. */
JK_FUNC void jk_pass_uniforms(jk_gen *g, jk_body *b)
{
    uint32_t v;
    for (v = 0; v < b->nval; v++) {
        jk_val *x = &b->val[v];
        jk_type type = (jk_type)x->type;
        bool splat;
        if (x->kind != JK_VAL_UNIFORM || (x->home == JK_HOME_POOL && x->resident == JK_NOREG))
            continue;
        if (x->resident != JK_NOREG) {
            jk_opnd from = jk_home_of(b, x, &splat);
            if (splat)
                jk_emit_splat(g, type, x->resident, from);
            else
                jk_emit_load(g, type, x->resident, from);
        } else {
            jk_opnd from = jk_home_of(b, x, &splat);
            jk_emit_splat(g, type, 0, from);
            x->at = jk_frame_take(g, g->t.vbytes, g->t.vbytes);
            x->home = JK_HOME_FRAME;
            jk_asm_vstore(&g->as, JK_V_MOVA, jk_vt_of(g, g->t.scalar ? JK_F32 : JK_F64), jk_at_frame(g, x->at), 0, 0);
        }
    }
}

/* rax, rcx = the address of the lane masks of a tail of rdx elements: ones where the lane is below rdx. */
JK_FUNC void jk_tail_masks(jk_gen *g)
{
    uint8_t ones[64], zeros[64];
    uint32_t a, z;
    memset(ones, 0xff, 64);
    memset(zeros, 0, 64);
    /* the two constants stand side by side: nothing else is aligned to 64 bytes in between */
    a = jk_asm_const(&g->as, ones, 64);
    z = jk_asm_const(&g->as, zeros, 64);
    if (z != a + 64) {
        jk_fail(g->e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "internal: the lane masks are apart");
        return;
    }
    jk_asm_lea(&g->as, JK_RCX, jk_opnd_pool(z));
    jk_g_rr(g, JK_G_MOV, JK_RAX, JK_RDX);
    jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RAX, jk_log2((uint32_t)jk_type_size((jk_type)g->p->type)));
    jk_g_rr(g, JK_G_SUB, JK_RCX, JK_RAX);
}

/* k7 = ones below rdx. */
JK_FUNC void jk_tail_k(jk_gen *g)
{
    jk_asm_gi(&g->as, JK_G_MOV, 4, jk_opnd_reg(JK_RAX), -1);
    jk_asm_bzhi(&g->as, 4, JK_RAX, JK_RAX, JK_RDX);
    jk_asm_kload(&g->as, JK_K_TAIL, jk_opnd_reg(JK_RAX));
}

/* ---- without reductions ---- */

/* while (index <= end - step) body; rdx is the end, rcx the last index. */
JK_FUNC bool jk_map_loop(jk_gen *g, jk_body *b, uint32_t vectors, uint32_t width, jk_mode mode)
{
    uint32_t step = vectors * jk_vector_elements(g);
    jk_label top = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    jk_asm_lea(&g->as, JK_RCX, jk_opnd_mem(JK_RDX, -(int32_t)step));
    jk_g_rr(g, JK_G_CMP, JK_RSI, JK_RCX);
    jk_asm_jcc(&g->as, JK_CC_G, done);
    jk_asm_align(&g->as, 32);
    jk_asm_bind(&g->as, top);
    if (!jk_body_emit(b, width, vectors, 1, mode))
        return false;
    jk_g_ri(g, JK_G_ADD, JK_RSI, (int32_t)step);
    jk_g_rr(g, JK_G_CMP, JK_RSI, JK_RCX);
    jk_asm_jcc(&g->as, JK_CC_LE, top);
    jk_asm_bind(&g->as, done);
    return true;
}

/* rdx elements are left. Without mask registers they stand in the rows, which are run vector by vector; what the lanes
 * behind them compute is never looked at. */
JK_FUNC bool jk_map_tail(jk_gen *g, jk_body *b)
{
    jk_label top = jk_asm_label(&g->as);
    bool ok;
    if (g->t.kmask) {
        jk_tail_k(g);
        return jk_body_emit(b, 1, 1, 1, JK_MODE_MASK);
    }
    jk_asm_g(&g->as, JK_G_XOR, 4, JK_RCX, jk_opnd_reg(JK_RCX));
    jk_asm_bind(&g->as, top);
    b->rows_index = JK_RCX;
    ok = jk_body_emit(b, 1, 1, 1, JK_MODE_ROWS);
    b->rows_index = JK_NOGP;
    jk_g_ri(g, JK_G_ADD, JK_RCX, (int32_t)jk_vector_elements(g));
    jk_g_rr(g, JK_G_CMP, JK_RCX, JK_RDX);
    jk_asm_jcc(&g->as, JK_CC_L, top);
    return ok;
}

JK_FUNC bool jk_map_pass(jk_gen *g, jk_body *b, jk_plan_pass *p)
{
    jk_label stream = jk_asm_label(&g->as), narrow = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    bool streams = g->stage->stores && !g->t.scalar;
    int32_t count = jk_frame_take(g, 8, 8);
    jk_pass_enter(g, p);
    jk_g_mr(g, JK_G_MOV, count, JK_RDX);
    if (!g->t.kmask)
        jk_g_ri(g, JK_G_AND, JK_RDX, -(int32_t)g->lanes);
    jk_g_rr(g, JK_G_ADD, JK_RDX, JK_RSI);
    jk_pass_uniforms(g, b);
    if (streams) {
        jk_asm_gi(&g->as, JK_G_TEST, 4, jk_opnd_reg(JK_RCX), (int32_t)JK_RUN_STREAM);
        jk_asm_jcc(&g->as, JK_CC_NE, stream);
    }
    if (!jk_map_loop(g, b, p->vectors, p->width, JK_MODE_FULL))
        return false;
    jk_asm_bind(&g->as, narrow);
    if (p->vectors > 1 && !jk_map_loop(g, b, 1, 1, JK_MODE_FULL))
        return false;
    if (g->t.kmask) {
        jk_g_rr(g, JK_G_SUB, JK_RDX, JK_RSI);
    } else {
        jk_g_rm(g, JK_G_MOV, JK_RDX, count);
        jk_g_ri(g, JK_G_AND, JK_RDX, (int32_t)(g->lanes - 1));
    }
    jk_asm_jcc(&g->as, JK_CC_E, done);
    if (!jk_map_tail(g, b))
        return false;
    jk_asm_bind(&g->as, done);
    jk_pass_leave(g, p);
    if (streams) {
        jk_asm_bind(&g->as, stream);
        if (!jk_map_loop(g, b, p->vectors, p->width, JK_MODE_STREAM))
            return false;
        jk_asm_op(&g->as, JK_G_SFENCE);
        jk_asm_jmp(&g->as, narrow);
    }
    return true;
}

/* ---- with reductions ---- */

typedef struct jk_seg { /* frame offsets */
    int32_t count, first, length, left, start, rem, block;
    bool pour;
} jk_seg;

/* One step of every accumulating segment, rdx times. */
JK_FUNC bool jk_seg_loop(jk_gen *g, jk_body *b, uint32_t vectors, uint32_t width, uint32_t streams)
{
    static const uint8_t index[4] = {JK_RSI, JK_R9, JK_R10, JK_R11};
    jk_label top = jk_asm_label(&g->as);
    uint32_t u;
    jk_asm_align(&g->as, 32);
    jk_asm_bind(&g->as, top);
    if (!jk_body_emit(b, width, vectors, streams, JK_MODE_FULL))
        return false;
    for (u = 0; u < streams; u++)
        jk_g_ri(g, JK_G_ADD, index[u], (int32_t)g->lanes);
    jk_g_ri(g, JK_G_SUB, JK_RDX, 1);
    jk_asm_jcc(&g->as, JK_CC_NE, top);
    return true;
}

/* rdx steps of the wide loop; f32 sums pour after every JK_POUR of them. */
JK_FUNC bool jk_seg_wide(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s)
{
    jk_label outer = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    if (!s->pour)
        return jk_seg_loop(g, b, p->vectors, p->width, p->streams);
    jk_g_mr(g, JK_G_MOV, s->rem, JK_RDX);
    jk_asm_bind(&g->as, outer);
    jk_asm_gi(&g->as, JK_G_MOV, 4, jk_opnd_reg(JK_RAX), (int32_t)JK_POUR);
    jk_g_rm(g, JK_G_MOV, JK_RDX, s->rem);
    jk_g_rr(g, JK_G_CMP, JK_RDX, JK_RAX);
    jk_asm_cmov(&g->as, JK_CC_G, 8, JK_RDX, jk_opnd_reg(JK_RAX));
    jk_g_mr(g, JK_G_SUB, s->rem, JK_RDX);
    jk_g_mr(g, JK_G_MOV, s->block, JK_RDX);
    if (!jk_seg_loop(g, b, p->vectors, p->width, p->streams))
        return false;
    jk_asm_gi(&g->as, JK_G_CMP, 8, jk_at_frame(g, s->block), (int32_t)JK_POUR);
    jk_asm_jcc(&g->as, JK_CC_NE, done);
    jk_pour(g, p->streams);
    jk_asm_gi(&g->as, JK_G_CMP, 8, jk_at_frame(g, s->rem), 0);
    jk_asm_jcc(&g->as, JK_CC_NE, outer);
    jk_asm_bind(&g->as, done);
    return true;
}

/* All groups of segments: the steps that every segment of the group has. rbx is the group's area. */
JK_FUNC bool jk_seg_groups(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s)
{
    static const uint8_t index[4] = {JK_RSI, JK_R9, JK_R10, JK_R11};
    jk_label top = jk_asm_label(&g->as), none = jk_asm_label(&g->as);
    uint32_t u;
    g->acc_base = JK_RBX;
    jk_asm_lea(&g->as, JK_RBX, jk_at_frame(g, g->seg_at));
    jk_asm_bind(&g->as, top);
    jk_g_rm(g, JK_G_MOV, JK_RSI, s->start);
    jk_g_rm(g, JK_G_MOV, JK_RAX, s->length);
    jk_g_rm(g, JK_G_MOV, JK_RDX, s->left);
    for (u = 1; u < p->streams; u++) {
        jk_asm_lea(&g->as, index[u], jk_opnd_index(index[u - 1], JK_RAX, 1, 0));
        jk_g_rr(g, JK_G_SUB, JK_RDX, JK_RAX);
    }
    jk_asm_g(&g->as, JK_G_XOR, 4, JK_RCX, jk_opnd_reg(JK_RCX)); /* rdx = the last segment's elements, 0 to length */
    jk_g_rr(g, JK_G_TEST, JK_RDX, JK_RDX);
    jk_asm_cmov(&g->as, JK_CC_L, 8, JK_RDX, jk_opnd_reg(JK_RCX));
    jk_g_rr(g, JK_G_CMP, JK_RDX, JK_RAX);
    jk_asm_cmov(&g->as, JK_CC_G, 8, JK_RDX, jk_opnd_reg(JK_RAX));
    jk_asm_shift(&g->as, JK_G_SHR, 8, JK_RDX, jk_log2(g->lanes));
    for (u = 0; u < p->streams; u++)
        jk_asm_gstore(&g->as, JK_G_MOV, 8, jk_opnd_mem(JK_RBX, (int32_t)(u * g->seg_stride)), JK_RDX);
    jk_acc_init64(g, p->streams);
    jk_acc_each(g, p->streams, JK_ACC_INIT);
    jk_g_rr(g, JK_G_TEST, JK_RDX, JK_RDX);
    jk_asm_jcc(&g->as, JK_CC_E, none);
    if (!jk_seg_wide(g, b, p, s))
        return false;
    jk_asm_bind(&g->as, none);
    jk_acc_each(g, p->streams, JK_ACC_STORE);
    if (p->streams < JK_SEGMENTS) {
        jk_g_rm(g, JK_G_MOV, JK_RAX, s->length);
        jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RAX, jk_log2(p->streams));
        jk_g_mr(g, JK_G_ADD, s->start, JK_RAX);
        jk_g_mr(g, JK_G_SUB, s->left, JK_RAX);
        jk_g_ri(g, JK_G_ADD, JK_RBX, (int32_t)(p->streams * g->seg_stride));
        jk_asm_lea(&g->as, JK_RAX, jk_at_frame(g, g->seg_at + (int32_t)(JK_SEGMENTS * g->seg_stride)));
        jk_g_rr(g, JK_G_CMP, JK_RBX, JK_RAX);
        jk_asm_jcc(&g->as, JK_CC_B, top);
    }
    return true;
}

/* After a step of one segment: counts it, and pours where JK_POUR are full. */
JK_FUNC void jk_seg_count(jk_gen *g)
{
    jk_label no = jk_asm_label(&g->as);
    jk_asm_gi(&g->as, JK_G_ADD, 8, jk_opnd_mem(JK_RBX, 0), 1);
    jk_asm_gi(&g->as, JK_G_TEST, 4, jk_opnd_mem(JK_RBX, 0), (int32_t)(JK_POUR - 1));
    jk_asm_jcc(&g->as, JK_CC_NE, no);
    jk_pour(g, 1);
    jk_asm_bind(&g->as, no);
}

/* The rest of one segment: rdx > 0 elements at rsi. */
JK_FUNC bool jk_seg_rest(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s)
{
    jk_label top = jk_asm_label(&g->as), tail = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    uint32_t width = JK_SMALLER(p->width, g->parts);
    jk_acc_each(g, 1, JK_ACC_LOAD);
    jk_g_ri(g, JK_G_SUB, JK_RDX, (int32_t)g->lanes);
    jk_asm_jcc(&g->as, JK_CC_L, tail);
    jk_asm_bind(&g->as, top);
    if (!jk_body_emit(b, width, g->parts, 1, JK_MODE_FULL))
        return false;
    if (s->pour)
        jk_seg_count(g);
    jk_g_ri(g, JK_G_ADD, JK_RSI, (int32_t)g->lanes);
    jk_g_ri(g, JK_G_SUB, JK_RDX, (int32_t)g->lanes);
    jk_asm_jcc(&g->as, JK_CC_GE, top);
    jk_asm_bind(&g->as, tail);
    jk_g_ri(g, JK_G_ADD, JK_RDX, (int32_t)g->lanes);
    jk_asm_jcc(&g->as, JK_CC_E, done);
    if (g->t.kmask)
        jk_tail_k(g);
    else
        jk_tail_masks(g);
    if (!jk_body_emit(b, width, g->parts, 1, g->t.kmask ? JK_MODE_MASK : JK_MODE_ROWS))
        return false;
    jk_asm_bind(&g->as, done);
    jk_acc_each(g, 1, JK_ACC_STORE);
    return true;
}

/* What the groups left of each segment; rbx its area, r10 its first element, r11 the elements from there on. */
JK_FUNC bool jk_seg_ragged(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s, jk_label done)
{
    jk_label top = jk_asm_label(&g->as), next = jk_asm_label(&g->as);
    jk_g_rm(g, JK_G_MOV, JK_RAX, s->length);
    jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RAX, 2);
    jk_g_rm(g, JK_G_MOV, JK_R11, s->count);
    jk_g_rr(g, JK_G_CMP, JK_RAX, JK_R11);
    jk_asm_jcc(&g->as, JK_CC_E, done);
    jk_asm_lea(&g->as, JK_RBX, jk_at_frame(g, g->seg_at));
    jk_g_rm(g, JK_G_MOV, JK_R10, s->first);
    jk_asm_bind(&g->as, top);
    jk_g_rm(g, JK_G_MOV, JK_RDX, s->length);
    jk_g_rr(g, JK_G_CMP, JK_R11, JK_RDX);
    jk_asm_cmov(&g->as, JK_CC_L, 8, JK_RDX, jk_opnd_reg(JK_R11));
    jk_g_rr(g, JK_G_MOV, JK_RSI, JK_R10);
    jk_asm_g(&g->as, JK_G_MOV, 8, JK_RAX, jk_opnd_mem(JK_RBX, 0));
    jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RAX, jk_log2(g->lanes));
    jk_g_rr(g, JK_G_ADD, JK_RSI, JK_RAX);
    jk_g_rr(g, JK_G_SUB, JK_RDX, JK_RAX);
    jk_asm_jcc(&g->as, JK_CC_E, next);
    if (!jk_seg_rest(g, b, p, s))
        return false;
    jk_asm_bind(&g->as, next);
    jk_g_rm(g, JK_G_MOV, JK_RAX, s->length);
    jk_g_ri(g, JK_G_ADD, JK_RBX, (int32_t)g->seg_stride);
    jk_g_rr(g, JK_G_ADD, JK_R10, JK_RAX);
    jk_g_rr(g, JK_G_SUB, JK_R11, JK_RAX); /* at most four segments: what is left gets to 0 with the last one */
    jk_asm_jcc(&g->as, JK_CC_G, top);
    return true;
}

JK_FUNC bool jk_seg_pass(jk_gen *g, jk_body *b, jk_plan_pass *p)
{
    uint32_t size = (uint32_t)jk_type_size((jk_type)g->p->type), r;
    int32_t at = jk_frame_take(g, 56, 8);
    jk_label fold = jk_asm_label(&g->as);
    jk_seg s;
    s.count = at;
    s.length = at + 8;
    s.left = at + 16;
    s.start = at + 24;
    s.rem = at + 32;
    s.block = at + 40;
    s.first = at + 48;
    s.pour = false;
    for (r = 0; r < g->nacc; r++)
        s.pour = s.pour || g->acc[r].pour;
    jk_pass_enter(g, p);
    jk_g_mr(g, JK_G_MOV, s.count, JK_RDX);
    jk_g_mr(g, JK_G_MOV, s.left, JK_RDX);
    jk_g_mr(g, JK_G_MOV, s.start, JK_RSI);
    jk_g_mr(g, JK_G_MOV, s.first, JK_RSI);
    jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RDX, jk_log2(size));
    jk_g_ri(g, JK_G_ADD, JK_RDX, (int32_t)(JK_SEGMENTS * JK_LANE_BYTES - 1));
    jk_asm_shift(&g->as, JK_G_SHR, 8, JK_RDX, jk_log2(JK_SEGMENTS * JK_LANE_BYTES));
    jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RDX, jk_log2(g->lanes));
    jk_g_mr(g, JK_G_MOV, s.length, JK_RDX);
    jk_pass_uniforms(g, b);
    if (!jk_seg_groups(g, b, p, &s))
        return false;
    if (!jk_seg_ragged(g, b, p, &s, fold))
        return false;
    jk_asm_bind(&g->as, fold);
    jk_fold(g);
    jk_pass_leave(g, p);
    return true;
}

/* A pass: everything that its stage asks for. */
JK_FUNC bool jk_emit_pass(jk_gen *g, const jk_stage *s)
{
    jk_plan_pass p;
    jk_body b;
    bool ok;
    memset(&p, 0, sizeof p);
    g->stage = s;
    g->nacc = 0;
    g->fixed = 0;
    if ((s->nred && !jk_acc_layout(g, s)) ||
        !jk_body_build(g, &b, s->order, s->norder, s->red, s->nred, s->stores, NULL, 0) ||
        !jk_assign_bases(g, &b, s->nred != 0, &p))
        return false;
    jk_plan_width(g, &b, &p);
    jk_assign_fixed(g, &b, &p);
    ok = s->nred ? jk_seg_pass(g, &b, &p) : jk_map_pass(g, &b, &p);
    if (ok)
        jk_rare_stubs(g);
    jk_body_forget(&b);
    return ok;
}

/* A search: the first element of the range at which a reduction's argument equals run->find or, that being a NaN, is one
 * (where it is not, the range has none). One vector a step; rax is the result. */
JK_FUNC bool jk_find_hit(jk_gen *g, jk_body *b, jk_ref arg, int32_t target, jk_mode mode, jk_label hit)
{
    jk_type type = (jk_type)g->p->type;
    unsigned x, t, m;
    if (!jk_body_emit(b, 1, 1, 1, mode))
        return false;
    b->first = 0;
    x = jk_reg_of(b, jk_val_of(b, arg), 0);
    if (g->t.kmask) {
        jk_vt vt = jk_vt_of(g, type);
        vt.k = mode == JK_MODE_MASK ? JK_K_TAIL : 0;
        m = jk_temp(b, 1);
        jk_asm_v(&g->as, JK_V_CMPK, vt, JK_K_SCRATCH, x, jk_at_frame(g, target), 0); /* equal */
        jk_asm_v(&g->as, JK_V_CMPK, vt, m, x, jk_opnd_reg(x), 3);                    /* NaN */
        jk_asm_k(&g->as, JK_K_KOR, m, m, JK_K_SCRATCH);
    } else {
        m = jk_temp(b, 0);
        t = jk_temp(b, 0);
        jk_emit_3i(g, JK_V_CMP, type, m, x, jk_at_frame(g, target), 0);
        jk_emit_3i(g, JK_V_CMP, type, t, x, jk_opnd_reg(x), 3);
        jk_emit_3(g, JK_V_OR, type, m, m, jk_opnd_reg(t));
    }
    jk_emit_test_mask(g, type, m, false);
    jk_asm_jcc(&g->as, JK_CC_NE, hit);
    return true;
}

JK_FUNC bool jk_emit_find(jk_gen *g, const jk_stage *s, jk_ref arg)
{
    jk_plan_pass p;
    jk_body b;
    const jk_ref *order;
    uint32_t norder;
    int32_t target, count;
    jk_label top = jk_asm_label(&g->as), tail = jk_asm_label(&g->as), hit = jk_asm_label(&g->as),
             none = jk_asm_label(&g->as), leave = jk_asm_label(&g->as);
    memset(&p, 0, sizeof p);
    g->stage = s;
    g->nacc = 0;
    if (jk_order(g->p, g->arena, 0, g->p->nins, &arg, 1, false, &order, &norder) != JITK_OK ||
        !jk_body_build(g, &b, order, norder, NULL, 0, false, &arg, 1) || !jk_assign_bases(g, &b, false, &p))
        return false;
    p.width = 1;
    jk_assign_fixed(g, &b, &p);
    target = jk_frame_take(g, g->t.vbytes, g->t.vbytes);
    count = jk_frame_take(g, 8, 8);
    jk_pass_enter(g, &p);
    jk_g_mr(g, JK_G_MOV, count, JK_RDX);
    jk_g_rr(g, JK_G_ADD, JK_RDX, JK_RSI);
    jk_emit_splat(g, (jk_type)g->p->type, 0, jk_opnd_mem(JK_R_RUN, (int32_t)offsetof(jk_run, find)));
    jk_asm_vstore(&g->as, JK_V_MOVA, jk_vt_of(g, g->t.scalar ? JK_F32 : JK_F64), jk_at_frame(g, target), 0, 0);
    jk_pass_uniforms(g, &b);
    jk_asm_bind(&g->as, top);
    jk_asm_lea(&g->as, JK_RAX, jk_opnd_mem(JK_RSI, (int32_t)jk_vector_elements(g)));
    jk_g_rr(g, JK_G_CMP, JK_RAX, JK_RDX);
    jk_asm_jcc(&g->as, JK_CC_G, tail);
    if (!jk_find_hit(g, &b, arg, target, JK_MODE_FULL, hit))
        return false;
    jk_g_ri(g, JK_G_ADD, JK_RSI, (int32_t)jk_vector_elements(g));
    jk_asm_jmp(&g->as, top);
    jk_asm_bind(&g->as, tail);
    jk_g_rr(g, JK_G_SUB, JK_RDX, JK_RSI);
    jk_asm_jcc(&g->as, JK_CC_E, none);
    if (g->t.kmask) {
        jk_tail_k(g);
        if (!jk_find_hit(g, &b, arg, target, JK_MODE_MASK, hit))
            return false;
    } else if (!g->t.scalar) {
        jk_g_rm(g, JK_G_MOV, JK_RCX, count);
        jk_g_ri(g, JK_G_AND, JK_RCX, (int32_t)(g->lanes - jk_vector_elements(g)));
        b.rows_index = JK_RCX;
        if (!jk_find_hit(g, &b, arg, target, JK_MODE_ROWS, hit))
            return false;
    }
    jk_asm_bind(&g->as, none);
    jk_asm_lea(&g->as, JK_RAX, jk_opnd_index(JK_RSI, JK_RDX, 1, 0));
    jk_asm_jmp(&g->as, leave);
    jk_asm_bind(&g->as, hit); /* rax: the lanes found; a row's lanes beyond the end repeat one that is not */
    jk_asm_g(&g->as, JK_G_BSF, 4, JK_RAX, jk_opnd_reg(JK_RAX));
    jk_g_rr(g, JK_G_ADD, JK_RAX, JK_RSI);
    jk_asm_bind(&g->as, leave);
    jk_pass_leave(g, &p);
    jk_rare_stubs(g);
    jk_body_forget(&b);
    return true;
}
