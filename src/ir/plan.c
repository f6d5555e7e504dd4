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
    uint8_t *live; /* by ref: JK_LIVE, JK_IN_BODY */
    uint8_t *need;
    uint32_t *level, *cell, *mark;
    uint32_t npasses;
    uint32_t search;         /* the highest level of an argmin, 0: none */
    jk_ref *red, *uni;     /* the live reductions, and the uniform values with a cell, by level: */
    uint32_t *nred, *nuni; /* those of level k are [n[k], n[k + 1]) */
} jk_planner;

#define JK_LIVE 1
#define JK_IN_BODY 2

/* What the results need, and all of a needed rare body (it runs as it stands). */
JK_FUNC void jk_plan_live(jk_planner *q)
{
    const jk_program *p = q->p;
    jk_ref r, k, x[4];
    unsigned n;
    for (k = p->nparams; k < p->nargs; k++)
        q->live[p->args[k].value] |= JK_LIVE;
    for (r = p->nins; r-- > 0;) {
        const jk_ins *i = &p->ins[r];
        if (!q->live[r])
            continue;
        for (n = jk_ins_operands(p, r, x); n-- > 0;)
            q->live[x[n]] |= JK_LIVE;
        if (i->op == JK_RARE)
            for (k = p->rares[i->aux].first; k < r; k++)
                q->live[k] |= JK_IN_BODY;
    }
}

JK_FUNC void jk_plan_levels(jk_planner *q)
{
    const jk_program *p = q->p;
    jk_ref r, k, x[4];
    unsigned n;
    for (r = 0; r < p->nins; r++) {
        const jk_ins *i = &p->ins[r];
        uint32_t level = 0;
        if (!q->live[r])
            continue;
        for (n = jk_ins_operands(p, r, x); n-- > 0;)
            level = JK_LARGER(level, q->level[x[n]]);
        if (jk_op_rows[i->op].flags & JK_RED) {
            level++;
            q->npasses = JK_LARGER(q->npasses, level);
            if (i->op == JK_RARGMIN)
                q->search = JK_LARGER(q->search, level);
        }
        if (i->op == JK_RARE) {
            for (k = p->rares[i->aux].first; k < r; k++)
                level = JK_LARGER(level, q->level[k]);
            for (k = p->rares[i->aux].first; k < r; k++)
                q->level[k] = level;
        }
        q->level[r] = level;
    }
    /* the place of an argmin is looked for after its pass: a result stored in that pass may be its input in place */
    for (k = p->nparams; k < p->nargs; k++)
        if (p->args[k].is_array)
            q->npasses = JK_LARGER(q->npasses, JK_LARGER(q->level[p->args[k].value], q->search) + 1);
}

/* A cell for a uniform value that is used in a pass, in a later stage, or as a result. Constants and the length stand
 * in the code, and the values of a rare body are its own. */
JK_FUNC void jk_plan_cell(jk_planner *q, jk_ref r)
{
    jk_program *p = q->p;
    if (q->cell[r] != JK_NOCELL || p->varying[r] || p->ins[r].op == JK_CONST || p->ins[r].op == JK_LENGTH)
        return;
    if (!(q->live[r] & JK_IN_BODY) || p->ins[r].op == JK_PARAM)
        q->cell[r] = p->ncells++;
}

JK_FUNC void jk_plan_cells(jk_planner *q)
{
    jk_program *p = q->p;
    jk_ref r, k, x[4];
    unsigned n;
    memset(q->cell, 0xff, p->nins * sizeof *q->cell);
    for (r = 0; r < p->nins; r++) {
        const jk_ins *i = &p->ins[r];
        bool red = (jk_op_rows[i->op].flags & JK_RED) != 0;
        if (!q->live[r])
            continue;
        if (red || i->op == JK_PARAM)
            jk_plan_cell(q, r);
        for (n = jk_ins_operands(p, r, x); n-- > 0;)
            if (p->varying[r] || red || q->level[x[n]] < q->level[r])
                jk_plan_cell(q, x[n]);
    }
    for (k = p->nparams; k < p->nargs; k++)
        jk_plan_cell(q, p->args[k].value);
}

/* Counting sort by level of the reductions, or of the uniform values that a uniform stage leaves in cells. */
JK_FUNC bool jk_plan_takes(const jk_planner *q, jk_ref r, bool red)
{
    unsigned flags = jk_op_rows[q->p->ins[r].op].flags;
    if (red)
        return q->live[r] && (flags & JK_RED);
    return q->cell[r] != JK_NOCELL && !(flags & (JK_RED | JK_LEAF));
}

JK_FUNC void jk_plan_sort(jk_planner *q, bool red, jk_ref **list, uint32_t **start)
{
    const jk_program *p = q->p;
    uint32_t k, total = 0, *n = (uint32_t *)jk_arena_zero(q->arena, (q->npasses + 3) * sizeof *n);
    jk_ref r;
    if (!n)
        return;
    for (r = 0; r < p->nins; r++)
        if (jk_plan_takes(q, r, red)) {
            n[q->level[r] + 2]++;
            total++;
        }
    *list = (jk_ref *)jk_arena_alloc(q->arena, total * sizeof **list);
    if (!*list)
        return;
    for (k = 2; k < q->npasses + 3; k++)
        n[k] += n[k - 1];
    for (r = 0; r < p->nins; r++)
        if (jk_plan_takes(q, r, red))
            (*list)[n[q->level[r] + 1]++] = r;
    *start = n;
}

/* One stage's order, appended to the common list; the offset stands in norder until all is built. */
JK_FUNC void jk_plan_stage(jk_planner *q, jk_orderer *o, jk_stage *s, uint32_t number)
{
    const jk_program *p = q->p;
    uint32_t level = number / 2, k;
    memset(s, 0, sizeof *s);
    s->is_pass = number & 1;
    o->varying = s->is_pass;
    o->at_level = level;
    o->stamp += 2;
    if (!s->is_pass) {
        for (k = q->nuni[level]; k < q->nuni[level + 1]; k++)
            jk_order_root(o, q->uni[k]);
    } else {
        s->red = q->red + q->nred[level + 1];
        s->nred = q->nred[level + 2] - q->nred[level + 1];
        for (k = 0; k < s->nred; k++)
            jk_order_root(o, p->ins[s->red[k]].a);
        for (k = p->nparams; k < p->nargs && level + 1 == q->npasses; k++)
            if (p->args[k].is_array) {
                s->stores = true;
                jk_order_root(o, p->args[k].value);
            }
    }
    s->norder = (uint32_t)o->nout;
}

JK_FUNC void jk_plan_stages(jk_planner *q)
{
    jk_program *p = q->p;
    jk_stage *stages = (jk_stage *)jk_arena_alloc(q->arena, (2 * (size_t)q->npasses + 1) * sizeof *stages);
    uint32_t k, at = 0;
    jk_orderer o;
    memset(&o, 0, sizeof o);
    o.p = p;
    o.arena = q->arena;
    o.hi = p->nins;
    o.level = q->level;
    o.need = q->need;
    o.mark = q->mark;
    p->nstages = 2 * q->npasses + 1;
    p->stages = stages;
    for (k = 0; k < p->nstages && !q->arena->failed; k++)
        jk_plan_stage(q, &o, &stages[k], k);
    for (k = 0; k < p->nstages && !q->arena->failed; k++) {
        uint32_t end = stages[k].norder;
        stages[k].order = end > at ? o.out + at : NULL;
        stages[k].norder = end - at;
        at = end;
    }
}

JK_FUNC jitk_status jk_plan(jk_ir *ir, jk_param_info *args, uint32_t nargs, uint32_t nparams, jk_program *out)
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
    q.level = (uint32_t *)jk_arena_zero(ir->arena, n * (3 * sizeof(uint32_t) + 2));
    if (ir->arena->failed)
        return jk_fail_nomem(ir->error);
    q.mark = q.level + n;
    q.cell = q.mark + n;
    q.live = (uint8_t *)(q.cell + n);
    q.need = q.live + n;
    out->cell = q.cell;
    jk_plan_live(&q);
    jk_plan_levels(&q);
    jk_plan_cells(&q);
    jk_plan_sort(&q, true, &q.red, &q.nred);
    jk_plan_sort(&q, false, &q.uni, &q.nuni);
    jk_order_needs(out, 0, out->nins, q.need);
    if (!ir->arena->failed)
        jk_plan_stages(&q);
    if (ir->arena->failed)
        return jk_fail_nomem(ir->error);
    return ir->error->status != JITK_OK ? ir->error->status : jk_slots(out, ir->arena, ir->error);
}

JK_SMALL_CLOSE
#undef JK_LIVE
#undef JK_IN_BODY
