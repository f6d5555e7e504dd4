/* x64: a program's stages, one after the other, in one piece of code; and scalar functions with the C calling convention. */
#include "gen.h"

JK_SMALL_OPEN

/* Saves every register a C function may change, aligns the stack and calls the software FMA; rax: the operands. */
JK_FUNC void jk_emit_fma_thunk(jk_gen *g)
{
    static const uint8_t gp[8] = {JK_RCX, JK_RDX, JK_RSI, JK_RDI, JK_R8, JK_R9, JK_R10, JK_R11};
    jk_vt vt = jk_vt_of(g, JK_F32);
    uint64_t pd = (uint64_t)(uintptr_t)&jk_soft_fma_pd, ps = (uint64_t)(uintptr_t)&jk_soft_fma_ps;
    uint32_t k;
    vt.fmt = JK_PS;
    jk_asm_bind(&g->as, g->fma_thunk);
    jk_asm_push(&g->as, JK_RBP);
    jk_asm_g(&g->as, JK_G_MOV, 8, JK_RBP, jk_opnd_reg(JK_RSP));
    for (k = 0; k < 8; k++)
        jk_asm_push(&g->as, gp[k]);
    jk_asm_gi(&g->as, JK_G_SUB, 8, jk_opnd_reg(JK_RSP), 256 + 8);
    jk_asm_gi(&g->as, JK_G_AND, 8, jk_opnd_reg(JK_RSP), -16);
    for (k = 0; k < 16; k++)
        jk_asm_vstore(&g->as, JK_V_MOVA, vt, jk_opnd_mem(JK_RSP, (int32_t)(16 * k)), k, 0);
    jk_asm_g(&g->as, JK_G_MOV, 8, JK_RDI, jk_opnd_reg(JK_RAX));
    jk_asm_mov64(&g->as, JK_RAX, g->p->type == JK_F64 ? pd : ps);
    jk_asm_call(&g->as, JK_RAX);
    for (k = 0; k < 16; k++)
        jk_asm_v(&g->as, JK_V_MOVA, vt, k, 0, jk_opnd_mem(JK_RSP, (int32_t)(16 * k)), 0);
    jk_asm_lea(&g->as, JK_RSP, jk_opnd_mem(JK_RBP, -64));
    for (k = 8; k-- > 0;)
        jk_asm_pop(&g->as, gp[k]);
    jk_asm_pop(&g->as, JK_RBP);
    jk_asm_op(&g->as, JK_G_RET);
}

JK_FUNC bool jk_gen_init(jk_gen *g, const jk_program *p, jk_arena *arena, FILE *listing, uint64_t address, jitk_error *e)
{
    memset(g, 0, sizeof *g);
    g->p = p;
    g->arena = arena;
    g->e = e;
    jk_asm_init(&g->as, arena, JK_ENC_LEGACY);
    g->as.listing = listing;
    g->as.address = address;
    g->as.note = UINT32_MAX;
    g->frame_reg = JK_R_FRAME;
    g->lanes = JK_LANE_BYTES / (uint32_t)jk_type_size((jk_type)p->type);
    g->local = (uint32_t *)jk_arena_zero(arena, sizeof *g->local * ((size_t)p->nins + 1));
    return g->local != NULL;
}

/* Starts a stage for a target. */
JK_FUNC void jk_gen_stage(jk_gen *g, jk_target t)
{
    g->t = t;
    g->as.enc = t.enc;
    g->frame = 0;
    g->fma_at = -1;
    g->fixed = 0;
    g->parts = t.scalar ? g->lanes : JK_LANE_BYTES / t.vbytes;
    jk_asm_align(&g->as, 16);
}

JK_FUNC bool jk_emit_uniform(jk_gen *g, const jk_stage *s)
{
    jk_body b;
    bool ok;
    g->stage = s;
    jk_asm_op(&g->as, JK_G_ENDBR64);
    jk_asm_g(&g->as, JK_G_MOV, 8, JK_R_FRAME, jk_opnd_mem(JK_R_RUN, (int32_t)offsetof(jk_run, frame)));
    ok = jk_body_build(g, &b, s->order, s->norder, NULL, 0, false, NULL, 0) && jk_body_emit(&b, 1, 1, 1, JK_MODE_FULL);
    jk_asm_op(&g->as, JK_G_RET);
    if (ok)
        jk_rare_stubs(g);
    jk_body_forget(&b);
    return ok;
}

JK_FUNC bool jk_emit_stage(jk_gen *g, uint32_t k, jk_target scalar, jk_target vector, jk_code *out)
{
    const jk_stage *s = &g->p->stages[k];
    uint32_t r;
    out->stage[k] = JK_NOCODE;
    out->find[k] = NULL;
    if (!s->is_pass && !s->norder)
        return true;
    jk_gen_stage(g, s->is_pass ? vector : scalar);
    out->stage[k] = g->as.n;
    if (!s->is_pass)
        return jk_emit_uniform(g, s);
    if (!jk_emit_pass(g, s))
        return false;
    for (r = 0; r < s->nred; r++) {
        const jk_ins *i = &g->p->ins[s->red[r]];
        if (i->op != JK_RARGMIN)
            continue;
        if (!out->find[k])
            out->find[k] = (size_t *)jk_arena_alloc(g->arena, sizeof(size_t) * s->nred);
        if (!out->find[k])
            return false;
        jk_gen_stage(g, vector);
        out->find[k][r] = g->as.n;
        if (!jk_emit_find(g, s, i->a))
            return false;
    }
    return true;
}

JK_FUNC jitk_status jk_gen_finish(jk_gen *g, bool ok, jk_code *out)
{
    if (ok && g->fma_used)
        jk_emit_fma_thunk(g);
    if (!jk_asm_finish(&g->as, &out->bytes, &out->nbytes) || !ok)
        return g->e->status != JITK_OK ? g->e->status : jk_fail_nomem(g->e);
    return g->e->status;
}

JK_FUNC jitk_status jk_x64_compile(const jk_program *p, jitk_isa isa, bool fma, FILE *listing, uint64_t address,
                                   jk_arena *arena, jk_code *out, jitk_error *e)
{
    jk_gen g;
    jk_target vector = jk_target_of(isa, fma), scalar = jk_target_of(JITK_ISA_SCALAR, vector.enc != JK_ENC_LEGACY);
    bool ok = jk_gen_init(&g, p, arena, listing, address, e);
    uint32_t k;
    memset(out, 0, sizeof *out);
    out->stage = (size_t *)jk_arena_alloc(arena, sizeof *out->stage * ((size_t)p->nstages + 1));
    out->find = (size_t **)jk_arena_alloc(arena, sizeof *out->find * ((size_t)p->nstages + 1));
    ok = ok && out->stage && out->find;
    for (k = 0; ok && k < p->nstages; k++) {
        ok = jk_emit_stage(&g, k, scalar, vector, out);
        out->tail_rows |= p->stages[k].is_pass && !vector.kmask;
    }
    out->frame_bytes = JK_ALIGN_UP((size_t)g.frame_max, 64);
    return jk_gen_finish(&g, ok, out);
}

#define JK_FUNCTION_FRAME 32768u /* bytes of stack at most: threads with 64 KiB of it call such functions too */

/* One attempt, with a frame of so many bytes. All uniform stages are one here: there is no pass between them. */
JK_FUNC bool jk_emit_function(jk_gen *g, uint32_t frame)
{
    const jk_program *p = g->p;
    jk_ref result = p->args[p->nparams].value;
    bool rbp = frame || p->nparams > JK_ARG_REGISTERS;
    const jk_ref *order;
    uint32_t norder, v, page;
    jk_body b;
    jk_asm_op(&g->as, JK_G_ENDBR64);
    if (rbp) {
        jk_asm_push(&g->as, JK_RBP);
        jk_asm_g(&g->as, JK_G_MOV, 8, JK_RBP, jk_opnd_reg(JK_RSP));
        jk_asm_gi(&g->as, JK_G_AND, 8, jk_opnd_reg(JK_RSP), -64);
        for (page = 4096; page < frame; page += 4096) /* touch each page in turn: the guard page is not jumped over */
            jk_asm_gi(&g->as, JK_G_OR, 4, jk_opnd_mem(JK_RSP, -(int32_t)page), 0);
        jk_asm_gi(&g->as, JK_G_SUB, 8, jk_opnd_reg(JK_RSP), (int32_t)frame);
    }
    if (jk_order(p, g->arena, 0, p->nins, &result, 1, true, &order, &norder) != JITK_OK ||
        !jk_body_build(g, &b, order, norder, NULL, 0, false, &result, 1))
        return false;
    b.mode = JK_MODE_FULL;
    b.streams = 1;
    if (!jk_body_begin(&b, 1))
        return false;
    for (v = 0; v < b.nval; v++)
        if (b.val[v].kind == JK_VAL_COMPUTED && p->ins[b.val[v].ref].op == JK_PARAM)
            jk_own(&b, 0, p->ins[b.val[v].ref].a, v);
    b.pinned[0] = 0;
    jk_body_run(&b);
    jk_emit_mov(g, 0, jk_reg_of(&b, jk_val_of(&b, result), 0));
    if (rbp) {
        jk_asm_g(&g->as, JK_G_MOV, 8, JK_RSP, jk_opnd_reg(JK_RBP));
        jk_asm_pop(&g->as, JK_RBP);
    }
    jk_asm_op(&g->as, JK_G_RET);
    jk_rare_stubs(g);
    jk_body_forget(&b);
    return !g->arena->failed && g->e->status == JITK_OK;
}

/* Most functions need no frame; what needs one is known after a first attempt. */
JK_FUNC jitk_status jk_x64_function(const jk_program *p, bool fma, FILE *listing, uint64_t address, jk_arena *arena,
                                    jk_code *out, jitk_error *e)
{
    jk_gen g;
    uint32_t frame = 0;
    bool ok;
    memset(out, 0, sizeof *out);
    for (;;) {
        ok = jk_gen_init(&g, p, arena, listing, address, e);
        jk_gen_stage(&g, jk_target_of(JITK_ISA_SCALAR, fma));
        g.frame_reg = JK_RSP;
        g.function = true;
        g.frame = g.frame_max = 0;
        ok = ok && jk_emit_function(&g, frame);
        if (!ok || frame >= g.frame_max)
            break;
        frame = (uint32_t)JK_ALIGN_UP((size_t)g.frame_max, 64);
        if (frame > JK_FUNCTION_FRAME)
            return jk_fail(e, JITK_ERR_LIMIT, 0, 0, 0,
                           "the function needs %u bytes of stack for temporaries; at most %u are taken", frame,
                           JK_FUNCTION_FRAME);
    }
    return jk_gen_finish(&g, ok, out);
}

JK_SMALL_CLOSE
