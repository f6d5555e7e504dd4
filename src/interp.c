/* interp: runs a program's steps (jk_slots) over blocks of elements, one op at a time. The reference for what machine
 * code must compute, and the fallback where there is none. Knows which op takes which block; what an op means is said
 * in the op table and carried out by fp.c, and the order of reductions is reduce.c's.
 *
 * The frame: three slots of JK_INTERP_BLOCK elements for uniform operands of the step at hand, those that the steps
 * number, the accumulators. */
#include "fp.h"
#include "run.h"

JK_SMALL_OPEN

#define JK_SLOT (JK_INTERP_BLOCK * (size_t)8)

typedef struct jk_interp {
    const jk_program *p;
    const jk_run *r;
    const jk_stage *s;
    size_t first, n; /* the block's elements */
} jk_interp;

JK_FUNC size_t jk_interp_frame(const jk_program *p)
{
    uint32_t i, nred = 0;
    for (i = 0; i < p->nstages; i++)
        nred = JK_LARGER(nred, p->stages[i].nred);
    return JK_ALIGN_UP((p->nslots + (size_t)3) * JK_SLOT + nred * sizeof(jk_lanes), 64);
}

/* Of JK_NOREF: the last one for operands, where a step's value may go on its way to a cell. */
JK_FUNC char *jk_interp_slot(const jk_interp *t, uint32_t slot)
{
    return (char *)t->r->frame + (uint32_t)(slot + 3) * JK_SLOT;
}

/* The block of a value that is operand k of the step at hand. */
JK_NOINLINE const void *jk_interp_value(const jk_interp *t, jk_ref ref, uint32_t slot, unsigned k)
{
    const jk_ins *i = &t->p->ins[ref];
    size_t size = jk_type_size((jk_type)i->type), nbytes = t->n * size, whole = JK_ALIGN_UP(nbytes, 16), at;
    jk_u64 *to = (jk_u64 *)t->r->frame + k * JK_INTERP_BLOCK;
    uint64_t bits;
    if (slot != JK_NOREF)
        return jk_interp_slot(t, slot);
    if (i->op == JK_LOAD) { /* a short one is copied: ops work on 16 bytes at a time */
        const char *from = (const char *)t->r->array[i->a] + t->first * size;
        if (nbytes == whole)
            return from;
        memset(to, 0, whole);
        return memcpy(to, from, nbytes);
    }
    bits = i->op == JK_CONST ? jk_ir_const_bits(i) : i->op == JK_LENGTH ? t->r->n : t->r->cell[t->p->cell[ref]];
    if (size == 4)
        bits = bits << 32 | (uint32_t)bits;
    for (at = whole / 8; at-- > 0;)
        to[at] = bits;
    return to;
}

JK_NOINLINE const void *jk_interp_operand(const jk_interp *t, const jk_step *s, unsigned k)
{
    const jk_ins *i = &t->p->ins[s->ref];
    return jk_interp_value(t, k == 0 ? i->a : k == 1 ? i->b : i->c, s->from[k], k);
}

JK_FUNC void jk_interp_step(const jk_interp *t, const jk_step *s)
{
    const jk_ins *i = &t->p->ins[s->ref];
    const jk_type type = (jk_type)i->type;
    unsigned arity = jk_op_arity((jk_op)i->op), k;
    void *to = jk_interp_slot(t, s->to);
    const void *from[3];
    if (arity == 0) { /* a LOAD */
        memcpy(to, jk_interp_value(t, s->ref, JK_NOREF, 0), JK_ALIGN_UP(t->n * jk_type_size(type), 16));
        return;
    }
    for (k = 0; k < 3; k++)
        from[k] = k < arity ? jk_interp_operand(t, s, k) : from[0];
    jk_fp_apply(i->op, type, (jk_type)t->p->ins[i->a].type, i->aux, t->n, to, from);
}

/* ---- rare bodies; blocks as words, of which a mask has all ones or 0 ---- */
JK_FUNC bool jk_interp_any(const void *mask, size_t nbytes)
{
    const jk_u32 *m = (const jk_u32 *)mask;
    uint32_t any = 0;
    size_t i;
    for (i = 0; i < nbytes / 4; i++)
        any |= m[i];
    return any != 0;
}

/* to = mask ? from : to */
JK_NOINLINE void jk_interp_blend(void *to_, const void *mask, const void *from_, size_t nbytes)
{
    jk_u32 *to = (jk_u32 *)to_;
    const jk_u32 *m = (const jk_u32 *)mask, *from = (const jk_u32 *)from_;
    size_t i;
    for (i = 0; i < nbytes / 4; i++)
        to[i] ^= (to[i] ^ from[i]) & m[i];
}

/* Runs the RARE whose steps begin at s; returns the step after them. */
JK_FUNC const jk_step *jk_interp_rare(const jk_interp *t, const jk_step *s)
{
    const jk_ins *i = &t->p->ins[s->ref];
    const jk_rare *rare = &t->p->rares[i->aux];
    const jk_step *body = s + 2, *states = body + s[1].from[2], *end = states + s[1].from[1], *at;
    size_t size = jk_type_size((jk_type)i->type), nbytes = t->n * size;
    uint32_t limit = rare->limit;
    unsigned next = 0; /* a state's operand: its first value, then the next one */
    char *result = jk_interp_slot(t, s[0].to), *active = jk_interp_slot(t, s[1].to);
    memcpy(active, jk_interp_operand(t, s, 0), nbytes);
    memcpy(result, jk_interp_operand(t, s, 1), nbytes);
    while (jk_interp_any(active, nbytes) && limit-- > 0) {
        for (at = states; at < end; at++) /* all of them first: one may be the next value of another */
            memcpy(jk_interp_slot(t, at->from[2]), jk_interp_operand(t, at, next), nbytes);
        for (at = states; at < end; at++)
            jk_interp_blend(jk_interp_slot(t, at->to), active, jk_interp_slot(t, at->from[2]), nbytes);
        for (at = body; at < states; at++)
            jk_interp_step(t, at);
        jk_interp_blend(result, active, jk_interp_operand(t, s, 2), nbytes);
        if (rare->again == JK_NOREF)
            break;
        jk_interp_blend(active, active, jk_interp_value(t, rare->again, s[1].from[0], 0), nbytes); /* their and */
        next = 1;
    }
    return end;
}

/* ---- stages ---- */

/* Computes the values of the next block of elements [at, end); returns the first step that does something with them. */
JK_NOINLINE const jk_step *jk_interp_block(jk_interp *t, size_t at, size_t end)
{
    const jk_step *s = t->s->step, *computed = s + t->s->ncompute;
    t->first = at;
    t->n = JK_SMALLER(end - at, (size_t)JK_INTERP_BLOCK);
    while (s < computed) {
        const jk_ins *i = &t->p->ins[s->ref];
        const uint32_t cell = t->p->cell[s->ref];
        const char *value = jk_interp_slot(t, s->to);
        if (i->op == JK_RARE)
            s = jk_interp_rare(t, s);
        else
            jk_interp_step(t, s++);
        if (cell != JK_NOCELL)
            memcpy(&t->r->cell[cell], value, jk_type_size((jk_type)i->type));
    }
    return s;
}

JK_FUNC void jk_interp_store(const jk_interp *t, const jk_step *s)
{
    size_t size = jk_type_size((jk_type)t->p->type);
    for (; s < t->s->step + t->s->nstep; s++)
        memcpy((char *)t->r->array[s->to] + t->first * size, jk_interp_value(t, s->ref, s->from[0], 0), t->n * size);
}

JK_FUNC void jk_interp_pass(const jk_program *p, const jk_stage *s, const jk_run *r, size_t first, size_t count)
{
    const size_t length = s->nred ? jk_segment_length(count, jk_type_size((jk_type)p->type)) : count;
    jk_lanes *lanes = (jk_lanes *)(void *)((char *)r->frame + (p->nslots + (size_t)3) * JK_SLOT);
    size_t segment = 0, begin, end, at;
    const jk_step *step;
    jk_interp t;
    uint32_t k;
    t.p = p;
    t.r = r;
    t.s = s;
    for (k = 0; k < s->nred; k++)
        jk_lanes_init(&lanes[k], (jk_op)p->ins[s->red[k]].op, (jk_type)p->type);
    count += first;
    for (begin = first; begin < count; begin = end, segment++) {
        end = JK_SMALLER(begin + length, count);
        for (at = begin; at < end; at += t.n) {
            step = jk_interp_block(&t, at, end);
            for (k = 0; k < s->nred; k++, step++)
                jk_lanes_add(&lanes[k], segment, at - begin, jk_interp_operand(&t, step, 0), t.n, at + t.n == end);
            jk_interp_store(&t, step);
        }
    }
    for (k = 0; k < s->nred; k++)
        r->node[k] = jk_lanes_node(&lanes[k]);
}

JK_FUNC void jk_interp_uniform(const jk_program *p, const jk_stage *s, const jk_run *r)
{
    jk_interp_pass(p, s, r, 0, 1);
}

JK_FUNC size_t jk_interp_find(const jk_program *p, const jk_stage *s, uint32_t red, const jk_run *r, size_t first,
                              size_t count)
{
    const jk_step *step;
    jk_interp t;
    size_t found;
    t.p = p;
    t.r = r;
    t.s = s;
    for (count += first; first < count; first += t.n) {
        step = jk_interp_block(&t, first, count) + red;
        found = jk_fp_find((jk_type)p->type, jk_interp_operand(&t, step, 0), t.n, r->find);
        if (found < t.n)
            return first + found;
    }
    return count;
}

JK_SMALL_CLOSE
#undef JK_SLOT
