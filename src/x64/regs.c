/* x64: registers, given out while emitting. A straight line needs no graph: every value knows the steps that use it, so
 * when registers run out the one whose next use is farthest goes to memory (Belady; linear scan with next-use lists,
 * Poletto and Sarkar 1999). Loads and uniform values are read again instead. */
#include "gen.h"

JK_SMALL_OPEN

#define JK_UNOWNED UINT32_MAX

JK_NOINLINE uint32_t jk_instance_of(const jk_body *b, uint32_t v, uint32_t j)
{
    return v * b->width + (b->val[v].kind == JK_VAL_UNIFORM ? 0 : j);
}

JK_FUNC bool jk_in_reg(const jk_body *b, uint32_t v, uint32_t j)
{
    return b->loc[jk_instance_of(b, v, j)].reg != JK_NOREG;
}

/* The next step after this one that uses v; UINT32_MAX: none. */
JK_FUNC uint32_t jk_next_use(const jk_body *b, uint32_t v)
{
    const jk_val *x = &b->val[v];
    return x->use != JK_NOUSE ? b->list[x->use].step : UINT32_MAX;
}

JK_NOINLINE bool jk_dies(const jk_body *b, uint32_t v)
{
    return b->val[v].kind != JK_VAL_STATE && b->val[v].use == JK_NOUSE;
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

JK_NOINLINE void jk_drop(jk_body *b, unsigned cls, unsigned reg)
{
    uint32_t bit = 1u << reg;
    if (b->owner[cls][reg] != JK_UNOWNED)
        b->loc[b->owner[cls][reg]].reg = JK_NOREG;
    b->owner[cls][reg] = JK_UNOWNED;
    b->used[cls] &= ~bit;
    b->pinned[cls] &= ~bit;
}

/* The instance is done. */
JK_NOINLINE void jk_unpin(jk_body *b)
{
    memset(b->pinned, 0, sizeof b->pinned);
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
            jk_fail(b->g->e, JITK_ERR_UNSUPPORTED, "internal: out of registers");
            return 0;
        }
        jk_evict(b, cls, best);
    }
    b->pinned[cls] |= 1u << best;
    return best;
}

JK_NOINLINE void jk_own(jk_body *b, unsigned cls, unsigned reg, uint32_t instance)
{
    b->owner[cls][reg] = instance;
    b->used[cls] |= 1u << reg;
    b->pinned[cls] |= 1u << reg;
    b->loc[instance].reg = (uint8_t)reg;
}

/* Where a uniform value stands; one element that is to be spread over the lanes counts as a broadcast. */
JK_NOINLINE jk_opnd jk_home_of(jk_body *b, const jk_val *x)
{
    static const uint8_t base[] = {JK_RAX, JK_RAX, JK_RAX, JK_RAX, JK_R_RUN, JK_RBP}; /* by jk_home */
    jk_gen *g = b->g;
    jk_opnd o = jk_opnd_mem(base[x->home], x->at);
    o.bcast = !g->t.scalar;
    if (x->home == JK_HOME_FRAME)
        return jk_at_frame(g, x->at);
    if (x->home == JK_HOME_POOL) {
        o = jk_opnd_pool((uint32_t)x->at);
        o.bcast = g->t.kmask;
    } else if (x->home == JK_HOME_CELL) {
        jk_emit_run(g, offsetof(jk_run, cell));
    }
    return o;
}

/* Where an instance of a value stands in memory. */
JK_FUNC jk_opnd jk_place_of(jk_body *b, uint32_t v, uint32_t j)
{
    const jk_val *x = &b->val[v];
    if (x->kind == JK_VAL_LOAD)
        return jk_array_at(b, b->g->p->ins[x->ref].a, j);
    if (x->kind == JK_VAL_UNIFORM)
        return jk_home_of(b, x);
    return jk_at_frame(b->g, b->loc[jk_instance_of(b, v, j)].slot);
}

/* Brings an instance of a value that is in no register into reg. */
JK_FUNC void jk_fetch(jk_body *b, uint32_t v, uint32_t j, unsigned reg)
{
    jk_gen *g = b->g;
    const jk_val *x = &b->val[v];
    jk_opnd from;
    unsigned to = reg;
    if (x->kind == JK_VAL_LOAD) {
        jk_array_move(b, g->p->ins[x->ref].a, j, reg, false);
        return;
    }
    from = jk_place_of(b, v, j);
    if (x->cls && x->kind != JK_VAL_UNIFORM) {
        jk_emit_whole(g, 1, reg, from, false);
        return;
    }
    if (x->cls)
        to = jk_take(b, 0);
    jk_emit_load(g, (jk_type)x->type, to, from);
    if (x->cls)
        jk_emit_kvec(g, (jk_type)x->type, reg, to);
}

/* The register that holds an instance of a value, pinned; loaded if it has none. */
JK_NOINLINE unsigned jk_reg_of(jk_body *b, uint32_t v, uint32_t j)
{
    unsigned cls = b->val[v].cls;
    uint32_t i = jk_instance_of(b, v, j);
    unsigned reg = b->loc[i].reg;
    if (reg == JK_NOREG) {
        reg = jk_take(b, cls);
        jk_fetch(b, v, j, reg);
        jk_own(b, cls, reg, i);
    }
    b->pinned[cls] |= 1u << reg;
    return reg;
}

/* Whether the operand that may stand in memory does: what is in no register and is not needed again soon. */
static bool jk_stays_in_memory(const jk_body *b, uint32_t v, uint32_t j, unsigned flags)
{
    const jk_target *t = &b->g->t;
    const jk_val *x = &b->val[v];
    bool one = t->scalar && !(flags & JK_MEM_WIDE);
    if (x->cls || jk_in_reg(b, v, j))
        return false;
    switch (x->kind) {
    case JK_VAL_STATE:
        return true;
    case JK_VAL_UNIFORM:
        return x->home == JK_HOME_FRAME || (x->home == JK_HOME_POOL ? !(t->kmask && flags & JK_MEM_NOBCAST) : one);
    case JK_VAL_LOAD:
        if (b->batch.mode == JK_MODE_MASK || (t->scalar ? !one : t->enc == JK_ENC_LEGACY))
            return false;
        break;
    default:
        break;
    }
    return jk_dies(b, v);
}

JK_NOINLINE jk_opnd jk_opnd_of(jk_body *b, uint32_t v, uint32_t j, unsigned flags)
{
    return jk_stays_in_memory(b, v, j, flags) ? jk_place_of(b, v, j) : jk_opnd_reg(jk_reg_of(b, v, j));
}

/* The register that an instance of a value leaves to the result, or JK_NOREG. */
JK_NOINLINE unsigned jk_left_reg(const jk_body *b, uint32_t v, uint32_t j)
{
    if (b->val[v].kind == JK_VAL_UNIFORM || !jk_dies(b, v))
        return JK_NOREG;
    return b->loc[jk_instance_of(b, v, j)].reg;
}

/* The register for an instance of value v: that of `from` if it dies here and has one of its own, else a new one. */
JK_NOINLINE unsigned jk_result_reg(jk_body *b, uint32_t v, uint32_t j, uint32_t from)
{
    unsigned cls = b->val[v].cls, reg = JK_NOREG;
    if (from != JK_NOREF && b->val[from].cls == cls)
        reg = jk_left_reg(b, from, j);
    if (reg != JK_NOREG)
        jk_drop(b, cls, reg);
    else
        reg = jk_take(b, cls);
    jk_own(b, cls, reg, jk_instance_of(b, v, j));
    return reg;
}

/* Lets go of instance j of what has had its last use at this step. */
JK_NOINLINE void jk_release(jk_body *b, uint32_t v, uint32_t j)
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
