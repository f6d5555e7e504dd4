/* x64: what every loop of a pass needs: registers shared out, entry and exit, lane masks of tails. The loops themselves
 * stand in map.c and chunk.c.
 *
 * Registers: rdi run, r8 frame, rsi r9 r10 r11 element indices of up to four segments, rdx and rcx counters, rax scratch;
 * rcx also points to the lane masks, or counts the row, of a tail; the rest are array addresses. */
#include "gen.h"

JK_SMALL_OPEN

#define JK_UNROLLED_STEPS 12u /* of a body that is written out for each of four segments */

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
        if (i->op == JK_LOAD && g->base[i->a] == JK_NOGP)
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
JK_FUNC void jk_assign_fixed(jk_gen *g, jk_body *b, jk_plan_pass *p)
{
    unsigned next = g->t.nregs, low = JK_SMALLER(p->width * (b->max_live + 1) + 3, (uint32_t)g->t.nregs - 4u);
    uint32_t r, m, v, uses;
    low = JK_LARGER(low, 8); /* the most that one accumulation takes */
    for (r = 0; r < g->nacc; r++)
        for (m = 0; m < p->vectors * g->acc[r].wide; m++)
            if (next > low)
                g->acc[r].reg[m] = (uint8_t)--next;
    p->in_registers = g->nacc && p->streams == JK_SEGMENTS && b->nstep <= JK_UNROLLED_STEPS;
    for (r = 0; r < g->nacc; r++)
        for (m = 0; m < p->vectors * g->acc[r].wide; m++)
            p->in_registers = p->in_registers && g->acc[r].reg[m] != JK_NOREG;
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

/* rcx = the address of the lane masks of a tail of so many elements as the register says: ones in the lanes below. */
JK_FUNC void jk_tail_masks(jk_gen *g, unsigned count)
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
    jk_g_rr(g, JK_G_MOV, JK_RAX, count);
    jk_asm_shift(&g->as, JK_G_SHL, 8, JK_RAX, jk_log2((uint32_t)jk_type_size((jk_type)g->p->type)));
    jk_asm_lea(&g->as, JK_RCX, jk_opnd_pool(z));
    jk_g_rr(g, JK_G_SUB, JK_RCX, JK_RAX);
}

/* k7 = ones below the register's number. */
JK_FUNC void jk_tail_k(jk_gen *g, unsigned count)
{
    jk_asm_gi(&g->as, JK_G_MOV, 4, jk_opnd_reg(JK_RAX), -1);
    jk_asm_bzhi(&g->as, 4, JK_RAX, JK_RAX, count);
    jk_asm_kload(&g->as, JK_K_TAIL, jk_opnd_reg(JK_RAX));
}

JK_SMALL_CLOSE
