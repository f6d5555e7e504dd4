/* slots: where the interpreter keeps its values. Numbers the slots of its frame ahead of time, so that it allocates
 * nothing when it runs: a value takes a free slot where it is computed and gives it back after its last use. A rare
 * body may run several times, so what it uses from outside stays until its end. A body holds no other RARE. Linear in
 * the program. */
#include "ir.h"

JK_SMALL_OPEN

typedef struct jk_slotter {
    const jk_program *p;
    jk_step *step;
    uint32_t nstep, ncompute, nred; /* computing, then reducing, then storing */
    uint32_t *last,
        *slot; /* [nins] step of the last use, slot; those of values that the stage does not have are stale */
    uint32_t *free, nfree; /* a stack */
    uint32_t nslots;
    jitk_error *e;
} jk_slotter;

/* Whether a value stands in a slot: not a leaf, not in a cell. */
JK_NOINLINE bool jk_slot_has(const jk_slotter *s, jk_ref r)
{
    unsigned op = s->p->ins[r].op;
    return op != JK_CONST && op != JK_PARAM && op != JK_LOAD && op != JK_LENGTH && s->p->cell[r] == JK_NOCELL;
}

JK_NOINLINE uint32_t jk_slot_take(jk_slotter *s)
{
    return s->nfree ? s->free[--s->nfree] : s->nslots++;
}

JK_NOINLINE uint32_t jk_slot_of(const jk_slotter *s, jk_ref r)
{
    return r != JK_NOREF && jk_slot_has(s, r) ? s->slot[r] : JK_NOREF;
}

JK_NOINLINE void jk_slot_drop(jk_slotter *s, jk_ref r, uint32_t at)
{
    if (r == JK_NOREF || !jk_slot_has(s, r) || s->last[r] != at)
        return;
    s->last[r] = JK_NOREF; /* an operand may be named twice */
    s->free[s->nfree++] = s->slot[r];
}

/* Operand k of an instruction, or JK_NOREF. */
JK_NOINLINE jk_ref jk_slot_operand(const jk_ins *i, unsigned k)
{
    if (k >= jk_op_arity((jk_op)i->op))
        return JK_NOREF;
    return k == 0 ? i->a : k == 1 ? i->b : i->c;
}

JK_NOINLINE void jk_slot_push(jk_slotter *s, jk_ref r)
{
    jk_step *t = &s->step[s->nstep++];
    t->ref = r;
    t->to = t->from[0] = t->from[1] = t->from[2] = JK_NOREF;
}

/* ---- the steps ---- */

/* What the body computes that its results need: what it does not may use values that nobody has computed. */
JK_NOINLINE void jk_slot_mark(uint32_t *wanted, jk_ref first, jk_ref r)
{
    if (r != JK_NOREF && r >= first)
        wanted[r] = 1;
}

JK_FUNC void jk_slot_spread(jk_slotter *s, jk_ref rare)
{
    const jk_ins *ins = s->p->ins;
    const jk_rare *body = &s->p->rares[ins[rare].aux];
    uint32_t states = 0, begin = s->nstep, *wanted = s->slot;
    jk_ref r;
    unsigned k;
    jk_slot_push(s, rare);
    jk_slot_push(s, rare);
    for (r = body->first; r < rare; r++)
        wanted[r] = 0;
    jk_slot_mark(wanted, body->first, ins[rare].c);
    jk_slot_mark(wanted, body->first, body->again);
    for (r = body->first; r < rare; r++)
        if (ins[r].op == JK_RSTATE) {
            jk_slot_mark(wanted, body->first, ins[r].b);
            jk_slot_push(s, r);
            states++;
        }
    for (r = rare; r-- > body->first;)
        for (k = 0; wanted[r] && k < 3; k++)
            jk_slot_mark(wanted, body->first, jk_slot_operand(&ins[r], k));
    for (r = body->first; r < rare; r++) {
        if (wanted[r] && jk_slot_has(s, r) && ins[r].op != JK_RSTATE)
            jk_slot_push(s, r);
        if (wanted[r] && ins[r].op == JK_RARE)
            jk_fail(s->e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "a rare body inside a rare body");
    }
    s->step[begin + 1].from[1] = states;
    s->step[begin + 1].from[2] = s->nstep - begin - 2 - states;
}

/* ---- last uses ---- */
JK_FUNC void jk_slot_use(jk_slotter *s, jk_ref r, uint32_t at)
{
    if (r != JK_NOREF)
        s->last[r] = at;
}

/* The steps from `at` are a RARE's; returns its last step, where everything it uses from outside dies. */
JK_FUNC uint32_t jk_slot_last_rare(jk_slotter *s, uint32_t at)
{
    const jk_ins *ins = s->p->ins, *rare = &ins[s->step[at].ref];
    const jk_rare *body = &s->p->rares[rare->aux];
    uint32_t states = s->step[at + 1].from[1], end = at + 1 + states + s->step[at + 1].from[2], i;
    unsigned k;
    for (i = at + 2 + states; i <= end; i++) {
        s->last[s->step[i].ref] = i;
        for (k = 0; k < 3; k++) {
            jk_ref r = jk_slot_operand(&ins[s->step[i].ref], k);
            jk_slot_use(s, r, r < body->first ? end : i);
        }
    }
    for (i = at + 2; i < at + 2 + states; i++) {
        s->last[s->step[i].ref] = end;
        jk_slot_use(s, ins[s->step[i].ref].a, end);
        jk_slot_use(s, ins[s->step[i].ref].b, end);
    }
    for (k = 0; k < 3; k++)
        jk_slot_use(s, jk_slot_operand(rare, k), end);
    jk_slot_use(s, body->again, end);
    s->last[s->step[at].ref] = end;
    return end;
}

/* What step i, past the computing ones, reduces or stores. */
JK_FUNC jk_ref jk_slot_taken(const jk_slotter *s, uint32_t i)
{
    jk_ref r = s->step[i].ref;
    return i < s->ncompute + s->nred ? s->p->ins[r].a : r;
}

JK_FUNC void jk_slot_last(jk_slotter *s)
{
    const jk_ins *ins = s->p->ins;
    uint32_t i;
    unsigned k;
    for (i = 0; i < s->nstep; i++) {
        jk_ref r = s->step[i].ref;
        if (i >= s->ncompute) {
            jk_slot_use(s, jk_slot_taken(s, i), i);
        } else if (ins[r].op == JK_RARE) {
            i = jk_slot_last_rare(s, i);
        } else {
            s->last[r] = i;
            for (k = 0; k < 3; k++)
                jk_slot_use(s, jk_slot_operand(&ins[r], k), i);
        }
    }
}

/* ---- places ---- */
JK_FUNC void jk_slot_place(jk_slotter *s, uint32_t at)
{
    jk_step *t = &s->step[at];
    const jk_ins *i = &s->p->ins[t->ref];
    unsigned k;
    if (i->op == JK_LOAD || jk_slot_has(s, t->ref))
        t->to = s->slot[t->ref] = jk_slot_take(s); /* before the operands' are free: no op works in place */
    for (k = 0; k < 3; k++)
        t->from[k] = jk_slot_of(s, jk_slot_operand(i, k));
    for (k = 0; k < 3; k++)
        jk_slot_drop(s, jk_slot_operand(i, k), at);
    jk_slot_drop(s, t->ref, at);
}

JK_FUNC uint32_t jk_slot_place_rare(jk_slotter *s, uint32_t at)
{
    const jk_ins *ins = s->p->ins, *rare = &ins[s->step[at].ref];
    const jk_rare *body = &s->p->rares[rare->aux];
    jk_step *head = &s->step[at];
    uint32_t states = head[1].from[1], end = at + 1 + states + head[1].from[2], i;
    unsigned k;
    head[0].to = s->slot[head->ref] = jk_slot_take(s);
    head[1].to = jk_slot_take(s);
    for (i = 2; i < 2 + states; i++) {
        head[i].to = s->slot[head[i].ref] = jk_slot_take(s);
        head[i].from[2] = jk_slot_take(s); /* the next value waits here: it may be another state */
    }
    for (i = at + 2 + states; i <= end; i++)
        jk_slot_place(s, i);
    for (k = 0; k < 3; k++)
        head[0].from[k] = jk_slot_of(s, jk_slot_operand(rare, k));
    head[1].from[0] = jk_slot_of(s, body->again);
    for (i = 2; i < 2 + states; i++) {
        head[i].from[0] = jk_slot_of(s, ins[head[i].ref].a);
        head[i].from[1] = jk_slot_of(s, ins[head[i].ref].b);
        s->free[s->nfree++] = head[i].from[2];
    }
    for (i = at; i <= end; i++)
        for (k = 0; k < 3; k++)
            jk_slot_drop(s, jk_slot_operand(&ins[s->step[i].ref], k), end);
    for (i = at + 2; i <= end; i++)
        jk_slot_drop(s, s->step[i].ref, end);
    jk_slot_drop(s, body->again, end);
    s->free[s->nfree++] = head[1].to;
    if (jk_slot_has(s, head->ref))
        jk_slot_drop(s, head->ref, end);
    else
        s->free[s->nfree++] = head[0].to; /* the value goes on in its cell */
    return end;
}

/* ---- a stage ---- */

/* An array result that is an input as it is gets a copy: another result may be stored over that input first. */
JK_FUNC void jk_slot_steps(jk_slotter *s, const jk_stage *g)
{
    const jk_program *p = s->p;
    uint32_t i;
    for (i = 0; i < g->norder; i++)
        if (p->ins[g->order[i]].op == JK_RARE)
            jk_slot_spread(s, g->order[i]);
        else
            jk_slot_push(s, g->order[i]);
    for (i = 0; g->stores && i < p->nargs; i++)
        if (p->args[i].is_result && p->args[i].is_array && p->ins[p->args[i].value].op == JK_LOAD)
            jk_slot_push(s, p->args[i].value);
    s->ncompute = s->nstep;
    s->nred = g->nred;
    for (i = 0; i < g->nred; i++)
        jk_slot_push(s, g->red[i]);
    for (i = 0; g->stores && i < p->nargs; i++)
        if (p->args[i].is_result && p->args[i].is_array) {
            jk_slot_push(s, p->args[i].value);
            s->step[s->nstep - 1].to = i;
        }
}

JK_FUNC uint32_t jk_slot_count(const jk_program *p, const jk_stage *g)
{
    uint32_t i, n = g->norder + g->nred + 2 * p->nargs;
    for (i = 0; i < g->norder; i++)
        if (p->ins[g->order[i]].op == JK_RARE)
            n += g->order[i] - p->rares[p->ins[g->order[i]].aux].first + 1;
    return n;
}

JK_FUNC bool jk_slot_stage(jk_slotter *s, jk_stage *g, jk_arena *arena)
{
    uint32_t i, room = jk_slot_count(s->p, g);
    s->step = (jk_step *)jk_arena_alloc(arena, room * sizeof *s->step);
    /* No step takes more than three slots. */
    s->free = (uint32_t *)jk_arena_alloc(arena, 3 * (size_t)room * sizeof *s->free);
    if (!s->step || !s->free)
        return false;
    s->nstep = s->nslots = s->nfree = 0;
    jk_slot_steps(s, g);
    jk_slot_last(s);
    for (i = 0; i < s->ncompute; i++)
        if (s->p->ins[s->step[i].ref].op == JK_RARE)
            i = jk_slot_place_rare(s, i);
        else
            jk_slot_place(s, i);
    for (; i < s->nstep; i++) {
        jk_ref r = jk_slot_taken(s, i);
        bool copied = i >= s->ncompute + s->nred && s->p->ins[r].op == JK_LOAD;
        s->step[i].from[0] = copied ? s->slot[r] : jk_slot_of(s, r);
    }
    g->step = s->step;
    g->nstep = s->nstep;
    g->ncompute = s->ncompute;
    return true;
}

JK_FUNC jitk_status jk_slots(jk_program *p, jk_arena *arena, jitk_error *e)
{
    jk_stage *stages = (jk_stage *)p->stages; /* they stand in the arena */
    jk_slotter s;
    uint32_t i;
    memset(&s, 0, sizeof s);
    s.p = p;
    s.e = e;
    p->nslots = 0;
    s.last = (uint32_t *)jk_arena_alloc(arena, p->nins * sizeof *s.last);
    s.slot = (uint32_t *)jk_arena_alloc(arena, p->nins * sizeof *s.slot);
    if (!s.last || !s.slot)
        return jk_fail_nomem(e);
    for (i = 0; i < p->nstages; i++) {
        if (!jk_slot_stage(&s, &stages[i], arena))
            return jk_fail_nomem(e); /* the first error is kept */
        p->nslots = JK_LARGER(p->nslots, s.nslots);
    }
    return e->status;
}

JK_SMALL_CLOSE
