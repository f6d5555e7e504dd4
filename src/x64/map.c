/* x64: passes without reductions: a wide loop of several vectors a step (a second one with streaming stores), a loop of one
 * vector, and the tail: one vector under a lane mask, or in padded rows. And the search for a place. */
#include "gen.h"

JK_SMALL_OPEN

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
        jk_tail_k(g, JK_RDX);
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
        jk_tail_k(g, JK_RDX);
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

JK_SMALL_CLOSE
