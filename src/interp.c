/* interp: runs a program's steps (jk_slots) over blocks of elements, one op at a time. The reference for what machine
 * code must compute, and the fallback where there is none. Knows which op takes which block; what an op means is said
 * in the op table and carried out by fp.c, and the order of reductions is reduce.c's.
 *
 * The frame: slots of JK_INTERP_BLOCK elements, three more for uniform operands of the step at hand, the accumulators.
 */
#include "fp.h"
#include "run.h"

JK_SMALL_OPEN

#define JK_SLOT (JK_INTERP_BLOCK * (size_t)8)

typedef struct jk_interp {
    const jk_program *p;
    const jk_run *r;
    char *slots, *splat;
    jk_lanes *lanes;
    size_t first, n; /* the block's elements */
} jk_interp;

JK_FUNC size_t jk_interp_frame(const jk_program *p)
{
    uint32_t i, nred = 0;
    for (i = 0; i < p->nstages; i++)
        nred = JK_LARGER(nred, p->stages[i].nred);
    return JK_ALIGN_UP((p->nslots + (size_t)3) * JK_SLOT + nred * sizeof(jk_lanes), 64);
}

JK_FUNC void jk_interp_open(jk_interp *t, const jk_program *p, const jk_run *r)
{
    t->p = p;
    t->r = r;
    t->slots = (char *)r->frame;
    t->splat = t->slots + p->nslots * JK_SLOT;
    t->lanes = (jk_lanes *)(void *)(t->splat + 3 * JK_SLOT);
}

JK_FUNC char *jk_interp_slot(const jk_interp *t, uint32_t slot)
{
    return t->slots + slot * JK_SLOT;
}

JK_FUNC void *jk_interp_splat(void *to, uint64_t bits, size_t size, size_t n)
{
    size_t i;
    if (size == 8)
        for (i = 0; i < n; i++)
            ((jk_u64 *)to)[i] = bits;
    else
        for (i = 0; i < n; i++)
            ((jk_u32 *)to)[i] = (uint32_t)bits;
    return to;
}

/* The block of a value that is operand k of the step at hand. */
JK_FUNC const void *jk_interp_value(const jk_interp *t, jk_ref ref, uint32_t slot, unsigned k)
{
    const jk_ins *i = &t->p->ins[ref];
    size_t size = jk_type_size((jk_type)i->type);
    uint64_t bits;
    if (slot != JK_NOREF)
        return jk_interp_slot(t, slot);
    if (i->op == JK_LOAD)
        return (const char *)t->r->array[i->a] + t->first * size;
    bits = i->op == JK_CONST ? jk_ir_const_bits(i) : i->op == JK_LENGTH ? t->r->n : t->r->cell[t->p->cell[ref]];
    return jk_interp_splat(t->splat + k * JK_SLOT, bits, size, t->n);
}

JK_FUNC void jk_interp_step(const jk_interp *t, const jk_step *s)
{
    const jk_ins *i = &t->p->ins[s->ref];
    unsigned arity = jk_op_arity((jk_op)i->op);
    void *to = s->to != JK_NOREF ? (void *)jk_interp_slot(t, s->to) : (void *)&t->r->cell[t->p->cell[s->ref]];
    const jk_ref operand[3] = {i->a, i->b, i->c};
    const void *from[3];
    unsigned k;
    if (i->op == JK_LOAD) {
        memcpy(to, jk_interp_value(t, s->ref, JK_NOREF, 0), t->n * jk_type_size((jk_type)i->type));
        return;
    }
    for (k = 0; k < 3; k++)
        from[k] = k < arity ? jk_interp_value(t, operand[k], s->from[k], k) : from[0];
    jk_fp_apply(i->op, (jk_type)i->type, (jk_type)t->p->ins[i->a].type, i->aux, t->n, to, from);
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
JK_FUNC void jk_interp_blend(void *to_, const void *mask, const void *from_, size_t nbytes)
{
    jk_u32 *to = (jk_u32 *)to_;
    const jk_u32 *m = (const jk_u32 *)mask, *from = (const jk_u32 *)from_;
    size_t i;
    for (i = 0; i < nbytes / 4; i++)
        to[i] ^= (to[i] ^ from[i]) & m[i];
}

JK_FUNC void jk_interp_and(void *to_, const void *mask, size_t nbytes)
{
    jk_u32 *to = (jk_u32 *)to_;
    const jk_u32 *m = (const jk_u32 *)mask;
    size_t i;
    for (i = 0; i < nbytes / 4; i++)
        to[i] &= m[i];
}

JK_FUNC void jk_interp_states(const jk_interp *t, const jk_step *s, uint32_t count, const void *active, bool begin)
{
    uint32_t k;
    for (k = 0; k < count; k++) {
        const jk_ins *i = &t->p->ins[s[k].ref];
        size_t nbytes = t->n * jk_type_size((jk_type)i->type);
        if (begin)
            memcpy(jk_interp_slot(t, s[k].to), jk_interp_value(t, i->a, s[k].from[0], 0), nbytes);
        else
            memcpy(jk_interp_slot(t, s[k].from[2]), jk_interp_value(t, i->b, s[k].from[1], 0), nbytes);
    }
    for (k = 0; !begin && k < count; k++)
        jk_interp_blend(jk_interp_slot(t, s[k].to), active, jk_interp_slot(t, s[k].from[2]),
                        t->n * jk_type_size((jk_type)t->p->ins[s[k].ref].type));
}

/* Runs the RARE whose steps begin at s; returns the step after them. */
JK_FUNC const jk_step *jk_interp_rare(const jk_interp *t, const jk_step *s)
{
    const jk_ins *i = &t->p->ins[s->ref];
    const jk_rare *rare = &t->p->rares[i->aux];
    const jk_step *states = s + 2, *body = states + s[1].from[1], *end = body + s[1].from[2], *at;
    size_t size = jk_type_size((jk_type)i->type), nbytes = t->n * size;
    uint32_t limit = rare->limit;
    char *result = jk_interp_slot(t, s[0].to), *active = jk_interp_slot(t, s[1].to);
    memcpy(active, jk_interp_value(t, i->a, s[0].from[0], 0), nbytes);
    memcpy(result, jk_interp_value(t, i->b, s[0].from[1], 1), nbytes);
    if (jk_interp_any(active, nbytes))
        jk_interp_states(t, states, s[1].from[1], active, true);
    while (jk_interp_any(active, nbytes) && limit-- > 0) {
        for (at = body; at < end; at++)
            jk_interp_step(t, at);
        jk_interp_blend(result, active, jk_interp_value(t, i->c, s[0].from[2], 0), nbytes);
        if (rare->again == JK_NOREF)
            break;
        jk_interp_and(active, jk_interp_value(t, rare->again, s[1].from[0], 0), nbytes);
        jk_interp_states(t, states, s[1].from[1], active, false);
    }
    if (t->p->cell[s->ref] != JK_NOCELL)
        memcpy(&t->r->cell[t->p->cell[s->ref]], result, size);
    return end;
}

/* ---- stages ---- */
JK_FUNC void jk_interp_steps(const jk_interp *t, const jk_step *s, const jk_step *end)
{
    while (s < end)
        if (t->p->ins[s->ref].op == JK_RARE)
            s = jk_interp_rare(t, s);
        else
            jk_interp_step(t, s++);
}

JK_FUNC void jk_interp_uniform(const jk_program *p, const jk_stage *s, const jk_run *r)
{
    jk_interp t;
    jk_interp_open(&t, p, r);
    t.first = 0;
    t.n = 1;
    jk_interp_steps(&t, s->step, s->step + s->nstep);
}

/* The steps that reduce follow those that compute, and those that store come last. */
JK_FUNC const jk_step *jk_interp_reducing(const jk_program *p, const jk_stage *s)
{
    const jk_step *at = s->step + s->nstep - s->nred;
    uint32_t i;
    for (i = 0; s->stores && i < p->nargs; i++)
        if (p->args[i].is_result && p->args[i].is_array)
            at--;
    return at;
}

JK_FUNC void jk_interp_store(const jk_interp *t, const jk_step *s)
{
    const jk_program *p = t->p;
    size_t size = jk_type_size((jk_type)p->type);
    uint32_t i;
    for (i = 0; i < p->nargs; i++)
        if (p->args[i].is_result && p->args[i].is_array) {
            const void *from = jk_interp_value(t, s->ref, s->from[0], 0);
            memcpy((char *)t->r->array[i] + t->first * size, from, t->n * size);
            s++;
        }
}

/* Elements [first, first + count), which are those from `at` on of a segment. */
JK_FUNC void jk_interp_range(jk_interp *t, const jk_stage *s, size_t first, size_t count, size_t segment)
{
    const jk_step *reducing = jk_interp_reducing(t->p, s);
    const jk_type type = (jk_type)t->p->type;
    size_t at;
    uint32_t k;
    for (at = 0; at < count; at += t->n) {
        t->first = first + at;
        t->n = JK_SMALLER(count - at, (size_t)JK_INTERP_BLOCK);
        jk_interp_steps(t, s->step, reducing);
        for (k = 0; k < s->nred; k++) {
            const jk_ins *red = &t->p->ins[s->red[k]];
            const void *x = jk_interp_value(t, red->a, reducing[k].from[0], 0);
            jk_lanes_add(&t->lanes[k], (jk_op)red->op, type, segment, at, x, t->n);
        }
        if (s->stores)
            jk_interp_store(t, reducing + s->nred);
    }
}

JK_FUNC void jk_interp_pass(const jk_program *p, const jk_stage *s, const jk_run *r, size_t first, size_t count)
{
    const jk_type type = (jk_type)p->type;
    size_t length = jk_segment_length(count, jk_type_size(type)), segment, done;
    jk_interp t;
    uint32_t k;
    jk_interp_open(&t, p, r);
    if (!s->nred) {
        jk_interp_range(&t, s, first, count, 0);
        return;
    }
    for (k = 0; k < s->nred; k++)
        jk_lanes_init(&t.lanes[k], (jk_op)p->ins[s->red[k]].op);
    for (segment = done = 0; done < count; segment++, done += length) {
        jk_interp_range(&t, s, first + done, JK_SMALLER(length, count - done), segment);
        for (k = 0; k < s->nred; k++)
            jk_lanes_end(&t.lanes[k], (jk_op)p->ins[s->red[k]].op, type, segment);
    }
    for (k = 0; k < s->nred; k++)
        r->node[k] = jk_lanes_node(&t.lanes[k], (jk_op)p->ins[s->red[k]].op, type);
}

JK_FUNC size_t jk_interp_find(const jk_program *p, const jk_stage *s, uint32_t red, const jk_run *r, size_t first,
                              size_t count)
{
    const jk_step *reducing = jk_interp_reducing(p, s);
    const jk_ins *i = &p->ins[s->red[red]];
    size_t at, found;
    jk_interp t;
    jk_interp_open(&t, p, r);
    for (at = 0; at < count; at += t.n) {
        t.first = first + at;
        t.n = JK_SMALLER(count - at, (size_t)JK_INTERP_BLOCK);
        jk_interp_steps(&t, s->step, reducing);
        found = jk_fp_find((jk_type)p->type, jk_interp_value(&t, i->a, reducing[red].from[0], 0), t.n, r->find);
        if (found < t.n)
            return first + at + found;
    }
    return first + count;
}

JK_SMALL_CLOSE
#undef JK_SLOT
