/* x64: registers, given out while emitting. A straight line needs no graph: every value knows the steps that use it, so
 * when registers run out the one whose next use is farthest goes to memory (Belady; linear scan with next-use lists,
 * Poletto and Sarkar 1999). Loads and uniform values are read again instead. */
#include "gen.h"

JK_SMALL_OPEN

#define JK_UNOWNED UINT32_MAX

static inline uint32_t jk_instance_of(const jk_body *b, uint32_t v, uint32_t j)
{
    return v * b->width + (b->val[v].kind == JK_VAL_UNIFORM ? 0 : j);
}

JK_FUNC bool jk_in_reg(const jk_body *b, uint32_t v, uint32_t j)
{
    const jk_val *x = &b->val[v];
    return (x->kind == JK_VAL_UNIFORM && x->resident != JK_NOREG) || b->loc[jk_instance_of(b, v, j)].reg != JK_NOREG;
}

/* The next step after this one that uses v; UINT32_MAX: none. */
JK_FUNC uint32_t jk_next_use(const jk_body *b, uint32_t v)
{
    const jk_val *x = &b->val[v];
    uint32_t u = x->use;
    if (u < x->use_end && b->uses[u] <= b->pos)
        u++;
    return u < x->use_end ? b->uses[u] : UINT32_MAX;
}

JK_FUNC bool jk_dies(const jk_body *b, uint32_t v)
{
    return b->val[v].kind != JK_VAL_STATE && jk_next_use(b, v) == UINT32_MAX;
}

JK_FUNC int32_t jk_spill_slot(jk_body *b)
{
    if (b->nfree)
        return b->free_slots[--b->nfree];
    return jk_frame_take(b->g, jk_slot_bytes(b->g), jk_slot_bytes(b->g));
}

JK_FUNC void jk_spill_free(jk_body *b, int32_t slot)
{
    int32_t *p = (int32_t *)jk_grow(b->g->arena, b->free_slots, b->nfree, &b->cap_free, sizeof *p);
    if (p) {
        b->free_slots = p;
        p[b->nfree++] = slot;
    }
}

JK_FUNC void jk_drop(jk_body *b, unsigned cls, unsigned reg)
{
    uint32_t bit = 1u << reg;
    if (b->owner[cls][reg] != JK_UNOWNED)
        b->loc[b->owner[cls][reg]].reg = JK_NOREG;
    b->owner[cls][reg] = JK_UNOWNED;
    b->used[cls] &= ~bit;
    b->pinned[cls] &= ~bit;
}

/* Puts the value in a register aside: computed ones are stored once, the rest can be read again. */
JK_FUNC void jk_evict(jk_body *b, unsigned cls, unsigned reg)
{
    uint32_t i = b->owner[cls][reg];
    jk_loc *l = &b->loc[i];
    if (b->val[i / b->width].kind == JK_VAL_COMPUTED && l->slot < 0) {
        l->slot = jk_spill_slot(b);
        jk_frame_save(b->g, cls, l->slot, reg);
    }
    jk_drop(b, cls, reg);
}

/* A register, pinned until the instance is done: a free one, or the one that is not needed for longest. */
JK_NOINLINE unsigned jk_take(jk_body *b, unsigned cls)
{
    uint32_t left = b->available[cls] & ~b->pinned[cls], unused = left & ~b->used[cls], far = 0, next;
    unsigned r, best = JK_NOREG;
    if (unused) {
        best = (unsigned)__builtin_ctz(unused);
    } else {
        for (; left; left &= left - 1) {
            r = (unsigned)__builtin_ctz(left);
            next = jk_next_use(b, b->owner[cls][r] / b->width);
            if (best == JK_NOREG || next > far) {
                best = r;
                far = next;
            }
        }
        if (best == JK_NOREG) { /* only our own mistake: an instruction that pins every register */
            jk_fail(b->g->e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "internal: out of registers");
            return 0;
        }
        jk_evict(b, cls, best);
    }
    b->pinned[cls] |= 1u << best;
    return best;
}

/* A register for the instance at hand only. */
JK_FUNC unsigned jk_temp(jk_body *b, unsigned cls)
{
    return jk_take(b, cls);
}

JK_FUNC void jk_own(jk_body *b, unsigned cls, unsigned reg, uint32_t instance)
{
    b->owner[cls][reg] = instance;
    b->used[cls] |= 1u << reg;
    b->pinned[cls] |= 1u << reg;
    b->loc[instance].reg = (uint8_t)reg;
}

/* Where a uniform value stands; *splat: as one element to be spread over the lanes. */
JK_FUNC jk_opnd jk_home_of(jk_body *b, const jk_val *x, bool *splat)
{
    jk_gen *g = b->g;
    unsigned base = JK_RAX;
    int32_t disp = 8 * x->at;
    *splat = x->home > JK_HOME_FRAME;
    switch (x->home) {
    case JK_HOME_POOL: {
        jk_opnd o = jk_opnd_pool((uint32_t)x->at);
        o.bcast = g->t.kmask;
        return o;
    }
    case JK_HOME_FRAME:
        base = g->frame_reg;
        disp = x->at;
        break;
    case JK_HOME_ARG: /* behind the saved rbp and the return address */
        base = JK_RBP;
        disp += 16;
        break;
    case JK_HOME_LENGTH:
        base = JK_R_RUN;
        disp = (int32_t)offsetof(jk_run, n);
        break;
    default:
        jk_emit_run(g, offsetof(jk_run, cell));
    }
    return jk_opnd_mem(base, disp);
}

/* reg = this element of an array; missing lanes of a tail are 0 or, in rows, what stands there. */
JK_FUNC void jk_fetch_element(jk_body *b, const jk_val *x, uint32_t j, unsigned reg)
{
    jk_gen *g = b->g;
    jk_vt vt = jk_vt_of(g, (jk_type)x->type);
    jk_opnd from = jk_array_at(b, g->p->ins[x->ref].a, j);
    if (b->mode == JK_MODE_MASK) {
        vt.k = JK_K_TAIL;
        vt.zero = 1;
    }
    jk_asm_v(&g->as, JK_V_MOVU, vt, reg, 0, from, 0);
}

/* Brings an instance of a value that is in no register into reg. */
JK_FUNC void jk_fetch(jk_body *b, uint32_t v, uint32_t j, unsigned reg)
{
    jk_gen *g = b->g;
    const jk_val *x = &b->val[v];
    jk_opnd from;
    bool splat, uniform = x->kind == JK_VAL_UNIFORM;
    unsigned to = reg;
    if (x->kind == JK_VAL_LOAD) {
        jk_fetch_element(b, x, j, reg);
        return;
    }
    if (!uniform) {
        int32_t slot = b->loc[jk_instance_of(b, v, j)].slot;
        from = jk_at_frame(g, x->kind == JK_VAL_STATE ? x->at + (int32_t)(j * jk_slot_bytes(g)) : slot);
        if (x->cls) {
            jk_asm_kload(&g->as, reg, from);
            return;
        }
    } else {
        from = jk_home_of(b, x, &splat);
        if (splat)
            from.bcast = 1;
        if (x->cls)
            to = jk_temp(b, 0);
    }
    jk_emit_load(g, (jk_type)x->type, to, from);
    if (x->cls)
        jk_emit_kvec(g, (jk_type)x->type, reg, to);
}

/* The register that holds an instance of a value, pinned; loaded if it has none. */
JK_FUNC unsigned jk_reg_of(jk_body *b, uint32_t v, uint32_t j)
{
    const jk_val *x = &b->val[v];
    uint32_t i = jk_instance_of(b, v, j);
    unsigned reg = x->kind == JK_VAL_UNIFORM && x->resident != JK_NOREG ? x->resident : b->loc[i].reg;
    if (reg == JK_NOREG) {
        reg = jk_take(b, x->cls);
        jk_fetch(b, v, j, reg);
        jk_own(b, x->cls, reg, i);
    } else {
        b->pinned[x->cls] |= 1u << reg;
    }
    return reg;
}

/* The same as the operand that may stand in memory: a register if it is in one or is needed again soon, else its place.
 */
JK_FUNC jk_opnd jk_opnd_of(jk_body *b, uint32_t v, uint32_t j, unsigned flags)
{
    jk_gen *g = b->g;
    const jk_val *x = &b->val[v];
    uint32_t i = jk_instance_of(b, v, j);
    if (!jk_in_reg(b, v, j) && !x->cls) {
        if ((x->kind == JK_VAL_COMPUTED || x->kind == JK_VAL_OUTER) && jk_dies(b, v))
            return jk_at_frame(g, b->loc[i].slot);
        if (x->kind == JK_VAL_STATE)
            return jk_at_frame(g, x->at + (int32_t)(j * jk_slot_bytes(g)));
        if (x->kind == JK_VAL_UNIFORM) {
            bool narrow = x->home > JK_HOME_FRAME, splat;
            if (x->home == JK_HOME_FRAME || (x->home == JK_HOME_POOL && !(g->t.kmask && (flags & JK_MEM_NOBCAST))) ||
                (narrow && g->t.scalar && !(flags & JK_MEM_WIDE)))
                return jk_home_of(b, x, &splat);
        }
        if (x->kind == JK_VAL_LOAD && b->mode != JK_MODE_MASK && jk_dies(b, v) &&
            (g->t.scalar ? !(flags & JK_MEM_WIDE) : g->t.enc != JK_ENC_LEGACY))
            return jk_array_at(b, g->p->ins[x->ref].a, j);
    }
    return jk_opnd_reg(jk_reg_of(b, v, j));
}

/* The register for an instance of value v: that of `from` if it dies here and has one of its own, else a new one. */
JK_FUNC unsigned jk_result_reg(jk_body *b, uint32_t v, uint32_t j, uint32_t from)
{
    unsigned cls = b->val[v].cls, reg = JK_NOREG;
    if (from != JK_NOREF && b->val[from].kind != JK_VAL_UNIFORM && b->val[from].cls == cls && jk_dies(b, from))
        reg = b->loc[jk_instance_of(b, from, j)].reg;
    if (reg != JK_NOREG)
        jk_drop(b, cls, reg);
    else
        reg = jk_take(b, cls);
    jk_own(b, cls, reg, jk_instance_of(b, v, j));
    return reg;
}

/* Lets go of instance j of what has had its last use at this step. */
JK_FUNC void jk_release(jk_body *b, uint32_t v, uint32_t j)
{
    const jk_val *x = &b->val[v];
    jk_loc *l = &b->loc[jk_instance_of(b, v, j)];
    if (!jk_dies(b, v) || (x->kind == JK_VAL_UNIFORM && j + 1 < b->width))
        return;
    if (l->reg != JK_NOREG)
        jk_drop(b, x->cls, l->reg);
    if (l->slot >= 0 && x->kind == JK_VAL_COMPUTED)
        jk_spill_free(b, l->slot);
    l->slot = -1;
}
JK_SMALL_CLOSE
