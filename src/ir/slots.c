/* slots: where the interpreter keeps its values. Numbers the slots of its frame ahead of time, so that it allocates
 * nothing when it runs. One walk from a stage's last step to its first: a value opens a slot at its last use, which is
 * the first that the walk meets, and closes it where it is computed. So whether a body's value is wanted is known when
 * it is met, and at a stage's beginning every slot is free again. A rare body may run several times, so what it uses
 * from outside is open from its end on. A body holds no other RARE. Linear in the program. */
#include "ir.h"

JK_SMALL_OPEN

typedef struct jk_slotter {
    const jk_program *p;
    jk_step *step;         /* the first of those made */
    uint32_t nstep;        /* all of the stage's */
    uint32_t *slot;        /* [nins] JK_NOREF: not open */
    uint32_t *free, nfree; /* a stack */
    uint32_t nslots;
} jk_slotter;

JK_NOINLINE uint32_t jk_slot_take(jk_slotter *s)
{
    return s->nfree ? s->free[--s->nfree] : s->nslots++;
}

JK_NOINLINE uint32_t jk_slot_open(jk_slotter *s, jk_ref r)
{
    if (s->slot[r] == JK_NOREF)
        s->slot[r] = jk_slot_take(s);
    return s->slot[r];
}

JK_NOINLINE uint32_t jk_slot_close(jk_slotter *s, jk_ref r)
{
    uint32_t slot = s->free[s->nfree] = jk_slot_open(s, r);
    s->nfree++; /* not above: open may take the one on top */
    s->slot[r] = JK_NOREF;
    return slot;
}

/* Whether a value stands in a slot: not a leaf, not in a cell. */
JK_NOINLINE bool jk_slot_has(const jk_slotter *s, jk_ref r)
{
    return !(jk_op_rows[s->p->ins[r].op].flags & JK_LEAF) && s->p->cell[r] == JK_NOCELL;
}

JK_NOINLINE uint32_t jk_slot_use(jk_slotter *s, jk_ref r)
{
    return r != JK_NOREF && jk_slot_has(s, r) ? jk_slot_open(s, r) : JK_NOREF;
}

/* A step before those there are, that uses the first n operands of r. */
JK_NOINLINE jk_step *jk_slot_push(jk_slotter *s, jk_ref r, unsigned n)
{
    jk_step *t = --s->step;
    jk_ref x[4];
    s->nstep++;
    jk_ins_operands(s->p, r, x);
    memset(t, 0xff, sizeof *t);
    t->ref = r;
    while (n-- > 0)
        t->from[n] = jk_slot_use(s, x[n]);
    return t;
}

/* A step that computes; no op works in place, so its value's slot is closed after the operands' are open. */
JK_NOINLINE void jk_slot_place(jk_slotter *s, jk_ref r)
{
    jk_op op = (jk_op)s->p->ins[r].op;
    bool kept = op == JK_LOAD || jk_slot_has(s, r);
    jk_step *t;
    if (kept)
        jk_slot_open(s, r);
    t = jk_slot_push(s, r, jk_op_arity(op));
    if (kept)
        t->to = jk_slot_close(s, r);
}

/* ---- rare bodies ---- */
/* What a turn's end reads is open there, all at once: what comes from outside, the states, their next values, and the
 * places where these wait, for one may be another state. */
JK_FUNC void jk_slot_rare(jk_slotter *s, jk_ref rare)
{
    const jk_ins *ins = s->p->ins;
    const jk_rare *body = &s->p->rares[ins[rare].aux];
    uint32_t active = jk_slot_take(s), again = jk_slot_use(s, body->again), result = jk_slot_use(s, ins[rare].c),
             end = s->nstep, body_end;
    jk_step *t, *states_end = s->step, *states;
    jk_outside o;
    jk_ref r;
    jk_slot_open(s, rare); /* also where the value goes on in its cell */
    jk_outside_init(&o, s->p, rare);
    while ((r = jk_outside_next(&o)) != JK_NOREF)
        jk_slot_use(s, r);
    for (r = rare; r-- > body->first;)
        if (ins[r].op == JK_RSTATE) {
            t = jk_slot_push(s, r, 2);
            t->to = jk_slot_open(s, r);
            t->from[2] = jk_slot_take(s);
        }
    states = s->step;
    body_end = s->nstep;
    for (r = rare; r-- > body->first;)
        if (s->slot[r] != JK_NOREF && ins[r].op != JK_RSTATE)
            jk_slot_place(s, r);
    for (t = states; t < states_end; t++) {
        jk_slot_close(s, t->ref);
        s->free[s->nfree++] = t->from[2];
    }
    t = jk_slot_push(s, rare, 0);
    t->to = s->free[s->nfree++] = active;
    t->from[0] = again;
    t->from[1] = body_end - end;
    t->from[2] = s->nstep - body_end - 1;
    t = jk_slot_push(s, rare, 2);
    t->to = jk_slot_close(s, rare);
    t->from[2] = result;
}

/* ---- a stage ---- */
JK_FUNC uint32_t jk_slot_count(const jk_program *p, const jk_stage *g)
{
    uint32_t i, n = g->norder + g->nred + 2 * p->nargs;
    for (i = 0; i < g->norder; i++)
        if (p->ins[g->order[i]].op == JK_RARE)
            n += g->order[i] - p->rares[p->ins[g->order[i]].aux].first + 1;
    return n;
}

/* Stores, reductions, what computes. An array result that is an input as it is gets a copy: another result may be
 * stored over that input first. */
JK_FUNC void jk_slot_steps(jk_slotter *s, jk_stage *g)
{
    const jk_program *p = s->p;
    const jk_param_info *a, *end = p->args + p->nargs, *begin = g->stores ? p->args + p->nparams : end;
    uint32_t i, taken;
    for (a = end; a-- > begin;)
        if (a->is_array) {
            jk_step *t = jk_slot_push(s, a->value, 0);
            t->to = (uint32_t)(a - p->args);
            t->from[0] = p->ins[a->value].op == JK_LOAD ? jk_slot_open(s, a->value) : jk_slot_use(s, a->value);
        }
    for (i = g->nred; i-- > 0;)
        jk_slot_push(s, g->red[i], 1);
    taken = s->nstep;
    for (a = end; a-- > begin;)
        if (a->is_array && p->ins[a->value].op == JK_LOAD)
            jk_slot_place(s, a->value);
    for (i = g->norder; i-- > 0;)
        if (p->ins[g->order[i]].op == JK_RARE)
            jk_slot_rare(s, g->order[i]);
        else
            jk_slot_place(s, g->order[i]);
    g->nstep = s->nstep;
    g->ncompute = s->nstep - taken;
    g->step = s->step;
}

JK_FUNC void jk_slots(jk_program *p, jk_arena *arena)
{
    jk_stage *g = (jk_stage *)p->stages, *end = g + p->nstages; /* they stand in the arena */
    size_t n = p->nins * sizeof(uint32_t);
    jk_slotter s;
    memset(&s, 0, sizeof s);
    s.p = p;
    /* A value takes at most two slots, an RSTATE's and a RARE's with it. */
    s.slot = (uint32_t *)jk_arena_alloc(arena, 3 * n);
    if (!s.slot)
        return;
    memset(s.slot, 0xff, n);
    s.free = s.slot + p->nins;
    for (; g < end; g++) {
        uint32_t most = jk_slot_count(p, g);
        s.step = (jk_step *)jk_arena_alloc(arena, most * sizeof *s.step);
        if (!s.step)
            return;
        s.step += most;
        s.nstep = 0;
        jk_slot_steps(&s, g);
    }
    p->nslots = s.nslots;
}

JK_SMALL_CLOSE
