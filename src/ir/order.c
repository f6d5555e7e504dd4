/* ir: the order in which values are computed. Sethi-Ullman: of two operands the one that needs more registers comes
 * first, so that fewer values wait; a chain of 10,000 products, however it leans, needs a handful. What is shared is
 * computed once, at its first use.
 *
 * The walk is a depth-first search with a stack of its own. Everything is linear in what is reached. */
#include "ir.h"

JK_SMALL_OPEN

/* The earlier values that an instruction needs, with their number. An RSTATE's next value comes later, as a rule, and a
 * RARE needs besides its operands `again`. */
JK_FUNC unsigned jk_ins_operands(const jk_program *p, jk_ref r, jk_ref x[4])
{
    const jk_ins *i = &p->ins[r];
    x[0] = i->a;
    x[1] = i->b;
    x[2] = i->c;
    if (i->op == JK_RSTATE)
        return i->b < r ? 2 : 1;
    if (i->op != JK_RARE)
        return jk_op_rows[i->op].arity;
    x[3] = p->rares[i->aux].again;
    return x[3] == JK_NOREF ? 3 : 4;
}

/* The values from outside that an instruction needs, one by one; a RARE's body with it. */
typedef struct jk_outside {
    const jk_program *p;
    jk_ref first, at, last, x[4];
    unsigned n;
} jk_outside;

JK_NOINLINE void jk_outside_init(jk_outside *o, const jk_program *p, jk_ref r)
{
    o->p = p;
    o->first = o->at = p->ins[r].op == JK_RARE ? p->rares[p->ins[r].aux].first : r;
    o->last = r;
    o->n = 0;
}

/* JK_NOREF: that was all. */
JK_NOINLINE jk_ref jk_outside_next(jk_outside *o)
{
    for (;;) {
        while (o->n-- > 0)
            if (o->x[o->n] < o->first)
                return o->x[o->n];
        if (o->at > o->last)
            return JK_NOREF;
        o->n = jk_ins_operands(o->p, o->at++, o->x);
    }
}

JK_FUNC bool jk_order_takes(const jk_orderer *o, jk_ref r)
{
    const jk_ins *i;
    if (r < o->lo || r >= o->hi)
        return false;
    i = &o->p->ins[r];
    if ((jk_op_rows[i->op].flags & (JK_LEAF | JK_RED)) || i->op == JK_RSTATE || o->p->varying[r] != o->varying)
        return false;
    return !o->stage || o->varying || o->stage[r] == o->at_stage;
}

/* Appends to the stack or to what comes out. */
JK_NOINLINE void jk_order_put(jk_orderer *o, void *list, jk_ref r)
{
    jk_ref *at = (jk_ref *)jk_push(o->arena, list, sizeof *at);
    if (at)
        *at = r;
}

JK_FUNC void jk_order_push(jk_orderer *o, jk_ref r)
{
    if (jk_order_takes(o, r) && o->mark[r - o->lo] < o->stamp)
        jk_order_put(o, &o->stack, r);
}

/* The operands of r from `lo` on, each once, the greatest need first; `need` is by ref - lo. */
JK_NOINLINE unsigned jk_order_operands(const jk_program *p, const uint8_t *need, jk_ref lo, jk_ref r, jk_ref x[4])
{
    jk_ref y[4];
    unsigned n = jk_ins_operands(p, r, y), count = 0, i, m;
    for (i = 0; i < n; i++) {
        for (m = 0; m < count && x[m] != y[i];)
            m++;
        if (y[i] < lo || m < count)
            continue;
        for (m = count++; m > 0 && need[y[i] - lo] > need[x[m - 1] - lo]; m--)
            x[m] = x[m - 1];
        x[m] = y[i];
    }
    return count;
}

/* The operand with the greatest need goes on top of the stack; what a RARE's body takes from outside in no order. */
JK_FUNC void jk_order_open(jk_orderer *o, jk_ref r)
{
    jk_ref x[4];
    unsigned n;
    if (o->p->ins[r].op == JK_RARE) {
        jk_outside out;
        jk_outside_init(&out, o->p, r);
        while ((r = jk_outside_next(&out)) != JK_NOREF)
            jk_order_push(o, r);
        return;
    }
    for (n = jk_order_operands(o->p, o->need, o->lo, r, x); n-- > 0;)
        jk_order_push(o, x[n]);
}

JK_NOINLINE void jk_order_root(jk_orderer *o, jk_ref root)
{
    if (!o->arena->failed)
        jk_order_push(o, root);
    while (o->nstack > 0 && !o->arena->failed) {
        jk_ref r = o->stack[o->nstack - 1];
        uint32_t *mark = &o->mark[r - o->lo];
        if (*mark < o->stamp) {
            *mark = o->stamp;
            jk_order_open(o, r);
            continue;
        }
        o->nstack--;
        if (*mark == o->stamp) {
            *mark = o->stamp + 1;
            jk_order_put(o, &o->out, r);
        }
    }
}

/* Sethi-Ullman numbers of [lo, hi); what is outside counts as at hand. Leaves are memory operands: 0. */
JK_FUNC void jk_order_needs(const jk_program *p, jk_ref lo, jk_ref hi, uint8_t *need)
{
    jk_ref r, x[4];
    for (r = lo; r < hi; r++) {
        unsigned n = jk_order_operands(p, need, lo, r, x), most = 1, k, own;
        for (k = 0; k < n && (own = need[x[k] - lo]) > 0; k++)
            most = JK_LARGER(most, own + k);
        need[r - lo] =
            (uint8_t)(jk_op_arity((jk_op)p->ins[r].op) == 0 || p->ins[r].op == JK_RSTATE ? 0 : JK_SMALLER(most, 250));
    }
}

JK_NOINLINE void jk_order_init(jk_orderer *o, const jk_program *p, jk_arena *arena, jk_ref lo, jk_ref hi)
{
    uint32_t *mark = (uint32_t *)jk_arena_zero(arena, (hi - lo) * (sizeof *mark + 1));
    memset(o, 0, sizeof *o);
    o->p = p;
    o->arena = arena;
    o->lo = lo;
    o->hi = hi;
    o->stamp = 1;
    if (!mark)
        return;
    o->mark = mark;
    o->need = (uint8_t *)(mark + (hi - lo));
    jk_order_needs(p, lo, hi, o->need);
}

JK_NOINLINE void jk_order_take(jk_orderer *o, const jk_ref **order, uint32_t *norder)
{
    *order = o->out;
    *norder = (uint32_t)o->nout;
    o->out = NULL;
    o->nout = o->cap_out = 0;
    o->stamp += 2;
}

JK_SMALL_CLOSE
