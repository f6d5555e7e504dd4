/* ir: from a built program to stages. The level of a value says how many passes must have run before it can be
 * computed: a reduction stands one level above its argument, everything else on the level of its highest operand. So
 * pass k accumulates the reductions of level k + 1, and uniform stage k computes the uniform values of level k:
 *
 *     uniform 0, pass 0, uniform 1, pass 1, ..., uniform P
 *
 * with P as small as the nesting of the reductions and the array results allow. Array results are all stored in the
 * last pass; what an earlier pass computed of single elements is computed again there, for arrays of temporaries would
 * cost more memory traffic than it saves. Uniform values that are needed beyond their stage have a cell in memory.
 *
 * A rare body belongs to its RARE: its values have the RARE's level and never a cell. */
#include "ir.h"

JK_SMALL_OPEN

typedef struct jk_planner {
    jk_program *p;
    jk_arena *arena;
    uint8_t *live; /* by ref */
    uint32_t *stage, *cell;
    jk_ref *red, *next, *roots; /* the live reductions by stage; what a stage begins its order with, as a list: roots
                                   holds each stage's first one and next, by ref, the others, each + 1; 0: no more */
} jk_planner;

/* A uniform value's stage is twice its level, and the pass before that a reduction's. */
JK_FUNC void jk_plan_levels(jk_planner *q)
{
    const jk_program *p = q->p;
    jk_outside o;
    jk_ref r, k;
    for (r = 0; r < p->nins; r++) {
        uint32_t stage = 0;
        jk_outside_init(&o, p, r);
        while ((k = jk_outside_next(&o)) != JK_NOREF)
            stage = JK_LARGER(stage, (q->stage[k] + 1) & ~1u);
        q->stage[r] = stage + !!(jk_op_rows[p->ins[r].op].flags & JK_RED);
    }
}

/* A value is live, and has a cell where it is uniform and used in a pass, in a later stage, or as a result. Constants
 * and the length stand in the code. */
JK_NOINLINE void jk_plan_use(jk_planner *q, jk_ref r, bool beyond)
{
    const unsigned op = q->p->ins[r].op, flags = jk_op_rows[op].flags;
    q->live[r] = 1;
    if (op == JK_PARAM || flags & JK_RED || (beyond && !(flags & JK_LEAF) && !q->p->varying[r]))
        q->cell[r] = 0;
}

/* What the results need, newest first. A body's values are its own: what it takes from outside counts as the RARE's. */
JK_FUNC void jk_plan_live(jk_planner *q)
{
    jk_program *p = q->p;
    uint32_t last = 0, search = 0; /* the last stage that there must be; that of an argmin */
    jk_outside o;
    jk_ref r, k;
    for (k = p->nparams; k < p->nargs; k++)
        jk_plan_use(q, p->args[k].value, true);
    for (r = p->nins; r-- > 0;) {
        const uint32_t stage = q->stage[r];
        if (!q->live[r])
            continue;
        last = JK_LARGER(last, stage);
        if (p->ins[r].op == JK_RARGMIN)
            search = JK_LARGER(search, stage);
        jk_outside_init(&o, p, r);
        while ((k = jk_outside_next(&o)) != JK_NOREF)
            jk_plan_use(q, k, p->varying[r] || q->stage[k] < stage);
    }
    /* the place of an argmin is looked for after its pass: a result stored in that pass may be its input in place */
    for (k = p->nparams; k < p->nargs; k++)
        if (p->args[k].is_array)
            last = JK_LARGER(last, (JK_LARGER(q->stage[p->args[k].value], search) + 1) | 1); /* a pass behind both */
    p->nstages = (last + 1) | 1;
    for (r = 0; r < p->nins; r++)
        if (q->cell[r] != JK_NOCELL)
            q->cell[r] = p->ncells++;
}

/* Lists the live reductions of each pass, and of each uniform stage the values that it leaves in cells, in order. */
JK_FUNC void jk_plan_roots(jk_planner *q)
{
    const jk_program *p = q->p;
    jk_ref r;
    for (r = p->nins; r-- > 0;)
        if (q->cell[r] != JK_NOCELL && p->ins[r].op != JK_PARAM) {
            jk_ref *head = &q->roots[q->stage[r]];
            q->next[r] = *head;
            *head = r + 1;
        }
}

/* One stage's order. */
JK_FUNC void jk_plan_stage(jk_planner *q, jk_orderer *o, jk_stage *s, uint32_t number)
{
    const jk_program *p = q->p;
    jk_ref r;
    uint32_t k;
    s->is_pass = number & 1;
    o->varying = s->is_pass;
    o->at_stage = number;
    s->red = q->red;
    for (r = q->roots[number]; r-- > 0; r = q->next[r]) {
        jk_order_root(o, s->is_pass ? p->ins[r].a : r);
        if (s->is_pass)
            *q->red++ = r;
    }
    s->nred = (uint32_t)(q->red - s->red);
    for (k = p->nparams; k < p->nargs && number + 2 == p->nstages; k++)
        if (p->args[k].is_array) {
            s->stores = true;
            jk_order_root(o, p->args[k].value);
        }
    jk_order_take(o, &s->order, &s->norder);
}

JK_FUNC void jk_plan_stages(jk_planner *q)
{
    jk_program *p = q->p;
    uint32_t k, n = p->nstages;
    jk_stage *stages = (jk_stage *)jk_arena_zero(q->arena, n * (sizeof *stages + sizeof *q->roots));
    jk_orderer o;
    jk_order_init(&o, p, q->arena, 0, p->nins);
    if (q->arena->failed)
        return;
    o.stage = q->stage;
    p->stages = stages;
    q->roots = (jk_ref *)(void *)(stages + n);
    jk_plan_roots(q);
    for (k = 0; k < n; k++)
        jk_plan_stage(q, &o, &stages[k], k);
}

JK_FUNC void jk_plan(jk_ir *ir, jk_param_info *args, uint32_t nargs, uint32_t nparams, jk_program *out)
{
    jk_planner q;
    size_t n = ir->nins;
    memset(&q, 0, sizeof q);
    memset(out, 0, sizeof *out);
    out->ins = ir->ins;
    out->varying = ir->varying;
    out->rares = ir->rares;
    out->args = args;
    out->nins = (uint32_t)n;
    out->nrares = (uint32_t)ir->nrares;
    out->nargs = nargs;
    out->nparams = nparams;
    out->type = ir->type;
    out->flags = ir->flags;
    q.p = out;
    q.arena = ir->arena;
    q.stage = (uint32_t *)jk_arena_zero(ir->arena, n * (4 * sizeof(uint32_t) + 1));
    if (!q.stage)
        return;
    q.next = q.stage + n;
    q.red = q.next + n;
    q.cell = q.red + n;
    q.live = (uint8_t *)(q.cell + n);
    out->cell = q.cell;
    memset(q.cell, 0xff, n * sizeof *q.cell);
    jk_plan_levels(&q);
    jk_plan_live(&q);
    jk_plan_stages(&q);
    if (!ir->arena->failed)
        jk_slots(out, ir->arena);
}

JK_SMALL_CLOSE
