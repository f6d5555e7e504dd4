/* x64: what a pass decides before its code is written: which registers hold addresses, accumulators and uniform values,
 * how many vectors a step has, how many segments run at a time. */
#include "gen.h"

JK_SMALL_OPEN

#define JK_UNROLLED_STEPS 12u /* of a body that is written out for each of four segments */

/* Addresses of arrays go to registers as long as there are any, in the order of the steps. */
JK_FUNC bool jk_assign_bases(jk_gen *g, const jk_body *b)
{
    static const uint8_t order[9] = {JK_R9, JK_R10, JK_R11, JK_RBP, JK_R12, JK_R13, JK_R14, JK_R15, JK_RBX};
    uint32_t v, n = g->nacc ? 3 : 0, end = g->nacc ? 8 : 9, k, nargs = g->p->nargs;
    g->base = (uint8_t *)jk_arena_alloc(g->arena, g->p->nargs + 1);
    if (!g->base)
        return false;
    memset(g->base, JK_NOGP, g->p->nargs + 1);
    for (v = g->stage->stores ? g->p->nparams : nargs; v < nargs + b->nval && n < end; v++) {
        const jk_ins *i = &g->p->ins[b->val[v < nargs ? 0 : v - nargs].ref];
        k = v < nargs ? v : i->a;
        if ((v < nargs ? g->p->args[v].is_array : i->op == JK_LOAD) && g->base[k] == JK_NOGP)
            g->base[k] = order[n++];
    }
    g->saved = g->nacc ? 1u << JK_RBX : 0;
    while (n-- > 3)
        g->saved |= 1u << order[n];
    return true;
}

/* How many vectors a step and how many segments at a time: as many as the registers hold beside `need` temporaries. */
JK_FUNC void jk_plan_width(jk_gen *g, const jk_body *b)
{
    uint32_t each = 0, r, need = b->max_live + 3, regs = g->t.nregs, acc = 0;
    uint32_t most = b->nstep <= 16 ? 4 : b->nstep <= 48 ? 2 : 1;
    if (jk_splits(b) && !b->nquotients)
        most = 2; /* one root each way */
    g->width = g->vectors = most;
    for (r = 0; r < g->nacc; r++)
        each += g->acc[r].wide;
    if (each) {
        g->streams = JK_SEGMENTS;
        while (g->streams > 1 && g->streams * g->parts * each + need > regs)
            g->streams /= 2;
        g->vectors = g->streams * g->parts;
        acc = JK_SMALLER(g->vectors * each, regs > need + 4 ? regs - need : 4);
        g->width = JK_SMALLER(g->vectors, 2 * most);
    }
    while (g->width > 1 && (g->width * (b->max_live + 1) + 3 + acc > regs || g->vectors % g->width))
        g->width /= 2;
    if (!each) {
        g->vectors = g->width;
        if (b->nstep - 3 < 2 && !jk_splits(b)) { /* a light one */
            g->width = 1;
            if (g->t.kmask)
                g->streams = 2, g->width = JK_GROUP; /* JK_IF_GROUPS */
        }
    }
}

/* Gives accumulators, then the uniform values with the most uses, registers of their own from the top. */
JK_FUNC void jk_assign_fixed(jk_gen *g, jk_body *b)
{
    uint32_t next = g->t.nregs, low = JK_SMALLER(g->width * (b->max_live + 1) + 3, next - 4);
    uint32_t r, m, v, uses;
    low = JK_LARGER(low, 8); /* the most that one accumulation takes */
    g->held = g->nacc && g->streams == JK_SEGMENTS && b->nstep <= JK_UNROLLED_STEPS;
    for (r = 0; r < g->nacc; r++)
        for (m = 0; m < g->vectors * g->acc[r].wide; m++)
            if (next > low)
                g->acc[r].reg[m] = (uint8_t)--next;
            else
                g->held = false;
    g->apart = g->held && (g->saved >> JK_R12 & 1); /* with a second array's address in r12 */
    for (uses = 16; uses > 0; uses--)
        for (v = 0; v < b->nval && next > low; v++) {
            jk_val *x = &b->val[v];
            if (x->kind == JK_VAL_UNIFORM && !x->cls && x->resident == JK_NOREG && x->nuses >= uses)
                x->resident = (uint8_t)--next;
        }
    g->fixed = next < 32 ? UINT32_MAX << next : 0;
}

/* `whole`: not a search, which goes vector by vector. */
JK_FUNC bool jk_plan_pass(jk_gen *g, jk_body *b, bool whole)
{
    if (!jk_assign_bases(g, b))
        return false;
    if (whole)
        jk_plan_width(g, b);
    jk_assign_fixed(g, b);
    g->wide = g->one * g->vectors;
    if (!g->nacc) {         /* JK_IF_STREAM, JK_IF_WIDE, JK_IF_CALL */
        if (g->streams > 1) /* registers were given out for a group; the other loops go vector by vector */
            g->width = 1;
        g->pour = g->stage->stores && !g->t.scalar;
        g->held = g->vectors > 1;
        g->apart = g->p->nargs <= JK_CALL_ARGS && !g->p->ncells; /* no scalar is read */
    }
    return true;
}

JK_SMALL_CLOSE
