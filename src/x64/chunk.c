/* x64: passes with reductions. The range is a chunk of four segments (docs/reductions.md). As many segments as registers
 * allow run at a time, over the steps that all of them have; then what is left of each, one after the other; then the fold.
 *
 * Where the accumulators of four segments stay in registers, and the body is small, it is written out for the rest of each
 * segment (jk_seg_rests). Else the accumulators stand in the frame between the two, an area for each segment, and one copy
 * of the body, one segment wide, does the rests (jk_seg_ragged). f32 sums that pour have both: the first for chunks too
 * short to pour, which are what calls of few elements are made of. */
#include "gen.h"

JK_SMALL_OPEN

typedef struct jk_seg { /* frame offsets */
    int32_t count, first, length, left, start, rem, block;
    bool pour;
} jk_seg;

/* One step of every segment at work, as often as the register says. */
JK_FUNC bool jk_seg_loop(jk_gen *g, jk_body *b, uint32_t vectors, uint32_t width, uint32_t streams, unsigned count)
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
    jk_g_ri(g, JK_G_SUB, count, 1);
    jk_asm_jcc(&g->as, JK_CC_NE, top);
    return true;
}

/* rdx steps of the wide loop; f32 sums pour after every JK_POUR of them. */
JK_FUNC bool jk_seg_wide(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s)
{
    jk_label outer = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    if (!s->pour)
        return jk_seg_loop(g, b, p->vectors, p->width, p->streams, JK_RDX);
    jk_g_mr(g, JK_G_MOV, s->rem, JK_RDX);
    jk_asm_bind(&g->as, outer);
    jk_asm_gi(&g->as, JK_G_MOV, 4, jk_opnd_reg(JK_RAX), (int32_t)JK_POUR);
    jk_g_rm(g, JK_G_MOV, JK_RDX, s->rem);
    jk_g_rr(g, JK_G_CMP, JK_RDX, JK_RAX);
    jk_asm_cmov(&g->as, JK_CC_G, 8, JK_RDX, jk_opnd_reg(JK_RAX));
    jk_g_mr(g, JK_G_SUB, s->rem, JK_RDX);
    jk_g_mr(g, JK_G_MOV, s->block, JK_RDX);
    if (!jk_seg_loop(g, b, p->vectors, p->width, p->streams, JK_RDX))
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
JK_FUNC bool jk_seg_groups(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s, jk_label whole)
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
    if (p->in_registers) { /* a whole chunk needs no more than the fold */
        jk_g_rm(g, JK_G_MOV, JK_RAX, s->length);
        jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RAX, 2);
        jk_asm_g(&g->as, JK_G_CMP, 8, JK_RAX, jk_at_frame(g, s->count));
        jk_asm_jcc(&g->as, JK_CC_E, whole);
    }
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
        jk_tail_k(g, JK_RDX);
    else
        jk_tail_masks(g, JK_RDX);
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

/* What is left of segment u: its elements from index[u] to rbx, at most to rdx, which ends the chunk. The first segment with
 * nothing left ends it all: those behind are empty. */
JK_FUNC bool jk_seg_own_rest(jk_gen *g, jk_body *b, uint32_t u, const jk_plan_pass *p, const jk_seg *s, jk_label fold)
{
    static const uint8_t index[4] = {JK_RSI, JK_R9, JK_R10, JK_R11};
    jk_label top = jk_asm_label(&g->as), tail = jk_asm_label(&g->as), next = jk_asm_label(&g->as);
    uint32_t first = u * g->parts, end = first + g->parts, width = JK_SMALLER(p->width, g->parts);
    jk_asm_g(&g->as, JK_G_ADD, 8, JK_RBX, jk_at_frame(g, s->length));
    jk_g_rr(g, JK_G_MOV, JK_RCX, JK_RBX);
    jk_g_rr(g, JK_G_CMP, JK_RCX, JK_RDX);
    jk_asm_cmov(&g->as, JK_CC_G, 8, JK_RCX, jk_opnd_reg(JK_RDX));
    jk_g_rr(g, JK_G_SUB, JK_RCX, index[u]);
    jk_asm_jcc(&g->as, JK_CC_LE, fold);
    jk_g_ri(g, JK_G_SUB, JK_RCX, (int32_t)g->lanes);
    jk_asm_jcc(&g->as, JK_CC_L, tail);
    jk_asm_bind(&g->as, top);
    if (!jk_body_range(b, width, first, end, JK_SEGMENTS, JK_MODE_FULL))
        return false;
    jk_g_ri(g, JK_G_ADD, index[u], (int32_t)g->lanes);
    jk_g_ri(g, JK_G_SUB, JK_RCX, (int32_t)g->lanes);
    jk_asm_jcc(&g->as, JK_CC_GE, top);
    jk_asm_bind(&g->as, tail);
    jk_g_ri(g, JK_G_ADD, JK_RCX, (int32_t)g->lanes);
    jk_asm_jcc(&g->as, JK_CC_E, next);
    if (g->t.kmask)
        jk_tail_k(g, JK_RCX);
    else
        jk_tail_masks(g, JK_RCX);
    if (!jk_body_range(b, width, first, end, JK_SEGMENTS, g->t.kmask ? JK_MODE_MASK : JK_MODE_ROWS))
        return false;
    if (u + 1 < JK_SEGMENTS)
        jk_asm_jmp(&g->as, fold);
    jk_asm_bind(&g->as, next);
    return true;
}

/* A chunk whose accumulators stay in their registers; rsi the first element, rdx how many, rax a segment's length. */
JK_FUNC bool jk_seg_rests(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s)
{
    static const uint8_t index[4] = {JK_RSI, JK_R9, JK_R10, JK_R11};
    jk_label fold = jk_asm_label(&g->as), rests = jk_asm_label(&g->as);
    uint32_t u;
    jk_g_rr(g, JK_G_MOV, JK_RBX, JK_RSI);
    jk_g_rr(g, JK_G_MOV, JK_RCX, JK_RDX);
    jk_g_rr(g, JK_G_ADD, JK_RDX, JK_RSI);
    for (u = 1; u < JK_SEGMENTS; u++) {
        jk_asm_lea(&g->as, index[u], jk_opnd_index(index[u - 1], JK_RAX, 1, 0));
        jk_g_rr(g, JK_G_SUB, JK_RCX, JK_RAX);
    }
    jk_acc_each(g, JK_SEGMENTS, JK_ACC_INIT);
    jk_asm_shift(&g->as, JK_G_SAR, 8, JK_RCX, jk_log2(g->lanes)); /* steps of the last segment; below 0: it is empty */
    jk_asm_jcc(&g->as, JK_CC_LE, rests);
    if (!jk_seg_loop(g, b, p->vectors, p->width, JK_SEGMENTS, JK_RCX))
        return false;
    jk_g_rm(g, JK_G_MOV, JK_RAX, s->length);
    jk_g_rr(g, JK_G_ADD, JK_RAX, JK_RBX);
    jk_g_rr(g, JK_G_CMP, JK_RSI, JK_RAX);
    jk_asm_jcc(&g->as, JK_CC_E, fold); /* the first segment is done, and so are all */
    jk_asm_bind(&g->as, rests);
    for (u = 0; u < JK_SEGMENTS; u++)
        if (!jk_seg_own_rest(g, b, u, p, s, fold))
            return false;
    jk_asm_bind(&g->as, fold);
    jk_fold(g, JK_FOLD_REGISTERS);
    return true;
}

/* A chunk by way of the segments' areas; registers as above. */
JK_FUNC bool jk_seg_areas(jk_gen *g, jk_body *b, const jk_plan_pass *p, const jk_seg *s)
{
    jk_label fold = jk_asm_label(&g->as), whole = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    jk_g_mr(g, JK_G_MOV, s->count, JK_RDX);
    jk_g_mr(g, JK_G_MOV, s->left, JK_RDX);
    jk_g_mr(g, JK_G_MOV, s->start, JK_RSI);
    jk_g_mr(g, JK_G_MOV, s->first, JK_RSI);
    if (!jk_seg_groups(g, b, p, s, whole) || !jk_seg_ragged(g, b, p, s, fold))
        return false;
    jk_asm_bind(&g->as, fold);
    jk_fold(g, JK_FOLD_MEMORY);
    if (p->in_registers) {
        jk_asm_jmp(&g->as, done);
        jk_asm_bind(&g->as, whole);
        jk_fold(g, JK_FOLD_POURED);
        jk_asm_bind(&g->as, done);
    }
    return true;
}

JK_FUNC bool jk_seg_pass(jk_gen *g, jk_body *b, jk_plan_pass *p)
{
    uint32_t size = (uint32_t)jk_type_size((jk_type)g->p->type), r;
    int32_t at = jk_frame_take(g, 56, 8);
    jk_label areas = jk_asm_label(&g->as);
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
    jk_pass_uniforms(g, b);
    jk_asm_lea(&g->as, JK_RAX,
               jk_opnd_index(JK_NOGP, JK_RDX, size, (int32_t)(JK_SEGMENTS * JK_LANE_BYTES - 1)));
    jk_asm_shift(&g->as, JK_G_SHR, 8, JK_RAX, jk_log2(JK_SEGMENTS * JK_LANE_BYTES));
    jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RAX, jk_log2(g->lanes));
    jk_g_mr(g, JK_G_MOV, s.length, JK_RAX);
    if (s.pour && p->in_registers) {
        jk_g_ri(g, JK_G_CMP, JK_RAX, (int32_t)(JK_POUR * g->lanes));
        jk_asm_jcc(&g->as, JK_CC_G, areas);
    }
    if (p->in_registers) {
        if (!jk_seg_rests(g, b, p, &s))
            return false;
        jk_pass_leave(g, p);
    }
    if (s.pour || !p->in_registers) {
        jk_asm_bind(&g->as, areas);
        if (!jk_seg_areas(g, b, p, &s))
            return false;
        jk_pass_leave(g, p);
    }
    return true;
}

/* The order, behind the loads that are results themselves where there are several: one result may stand where another's
 * input is, so that such a load may not be read again after a store. */
JK_FUNC const jk_ref *jk_pass_order(jk_gen *g, const jk_stage *s, uint32_t *norder)
{
    uint32_t k, n = 0, results = 0;
    jk_ref *order = (jk_ref *)jk_arena_alloc(g->arena, sizeof *order * ((size_t)s->norder + g->p->nargs + 1));
    if (!order)
        return NULL;
    for (k = g->p->nparams; k < g->p->nargs; k++)
        results += g->p->args[k].is_array;
    for (k = g->p->nparams; s->stores && results > 1 && k < g->p->nargs; k++) {
        jk_ref v = g->p->args[k].value;
        if (g->p->args[k].is_array && g->p->ins[v].op == JK_LOAD && !g->local[v]) {
            order[n++] = v;
            g->local[v] = 1; /* entered: an array may be several results */
        }
    }
    for (k = 0; k < n; k++)
        g->local[order[k]] = 0;
    if (s->norder)
        memcpy(order + n, s->order, sizeof *order * s->norder);
    *norder = n + s->norder;
    return order;
}

/* A pass: everything that its stage asks for. */
JK_FUNC bool jk_emit_pass(jk_gen *g, const jk_stage *s)
{
    jk_plan_pass p;
    jk_body b;
    bool ok;
    uint32_t norder;
    const jk_ref *order = jk_pass_order(g, s, &norder);
    memset(&p, 0, sizeof p);
    g->stage = s;
    g->nacc = 0;
    g->fixed = 0;
    if (!order || (s->nred && !jk_acc_layout(g, s)) ||
        !jk_body_build(g, &b, order, norder, s->red, s->nred, s->stores, NULL, 0) ||
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

JK_SMALL_CLOSE
