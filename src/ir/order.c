/* ir: the order in which values are computed. Sethi-Ullman: of two operands the one that needs more registers comes
 * first, so that fewer values wait; a chain of 10,000 products, however it leans, needs a handful. What is shared is
 * computed once, at its first use.
 *
 * The walk is a depth-first search with a stack of its own. Everything is linear in what is reached. */
#include "ir.h"

JK_SMALL_OPEN

typedef struct jk_orderer {
    const jk_program *p;
    jk_arena *arena;
    jk_ref lo, hi;         /* only these are computed here */
    uint8_t varying;       /* 1: varying values, 0: uniform ones; the others are at hand */
    const uint32_t *level; /* NULL, or: of uniform values only those of this level */
    uint32_t at_level;
    const uint8_t *need; /* registers that computing a value takes, about; by ref - need_lo */
    jk_ref need_lo;
    uint32_t *mark; /* by ref - need_lo: mark: its operands wait above it on the stack; mark + 1: in the order */
    uint32_t stamp;
    jk_ref *stack, *out;
    size_t depth, cap_stack, nout, cap_out;
} jk_orderer;

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

JK_FUNC bool jk_order_takes(const jk_orderer *o, jk_ref r)
{
    const jk_ins *i;
    if (r < o->lo || r >= o->hi)
        return false;
    i = &o->p->ins[r];
    if ((jk_op_rows[i->op].flags & (JK_LEAF | JK_RED)) || i->op == JK_RSTATE || o->p->varying[r] != o->varying)
        return false;
    return !o->level || o->varying || o->level[r] == o->at_level;
}

JK_FUNC void jk_order_push(jk_orderer *o, jk_ref r)
{
    jk_ref *grown;
    if (!jk_order_takes(o, r) || o->mark[r - o->need_lo] >= o->stamp)
        return;
    grown = (jk_ref *)jk_grow(o->arena, o->stack, o->depth, &o->cap_stack, sizeof *o->stack);
    if (!grown)
        return;
    o->stack = grown;
    o->stack[o->depth++] = r;
}

JK_FUNC unsigned jk_order_need(const jk_orderer *o, jk_ref r)
{
    return jk_order_takes(o, r) ? o->need[r - o->need_lo] : 0;
}

/* What a RARE's body takes from outside: as many as they are, in no order. */
JK_FUNC void jk_order_outside(jk_orderer *o, jk_ref rare)
{
    jk_ref k, x[4], first = o->p->rares[o->p->ins[rare].aux].first;
    unsigned n;
    for (k = first; k <= rare; k++)
        for (n = jk_ins_operands(o->p, k, x); n-- > 0;)
            if (x[n] < first)
                jk_order_push(o, x[n]);
}

/* The operand with the greatest need goes on top of the stack. */
JK_FUNC void jk_order_operands(jk_orderer *o, jk_ref r)
{
    jk_ref x[4], t;
    unsigned n, j, m;
    if (o->p->ins[r].op == JK_RARE) {
        jk_order_outside(o, r);
        return;
    }
    n = jk_ins_operands(o->p, r, x);
    for (j = 1; j < n; j++)
        for (m = j; m > 0 && jk_order_need(o, x[m]) > jk_order_need(o, x[m - 1]); m--) {
            t = x[m];
            x[m] = x[m - 1];
            x[m - 1] = t;
        }
    while (n-- > 0)
        jk_order_push(o, x[n]);
}

/* Appends to the order what the root needs and what this stamp has not put there yet. */
JK_FUNC void jk_order_root(jk_orderer *o, jk_ref root)
{
    jk_order_push(o, root);
    while (o->depth > 0 && !o->arena->failed) {
        jk_ref r = o->stack[o->depth - 1], *grown;
        uint32_t *mark = &o->mark[r - o->need_lo];
        if (*mark < o->stamp) {
            *mark = o->stamp;
            jk_order_operands(o, r);
            continue;
        }
        o->depth--;
        if (*mark > o->stamp)
            continue;
        *mark = o->stamp + 1;
        grown = (jk_ref *)jk_grow(o->arena, o->out, o->nout, &o->cap_out, sizeof *o->out);
        if (grown) {
            o->out = grown;
            o->out[o->nout++] = r;
        }
    }
}

/* Sethi-Ullman numbers of [lo, hi); what is outside counts as at hand. Leaves are memory operands: 0. */
JK_FUNC void jk_order_needs(const jk_program *p, jk_ref lo, jk_ref hi, uint8_t *need)
{
    jk_ref r;
    for (r = lo; r < hi; r++) {
        const jk_ins *i = &p->ins[r];
        unsigned n = jk_op_rows[i->op].arity, x[3] = {0, 0, 0}, j, m, t;
        if (n > 0 && i->a >= lo)
            x[0] = need[i->a - lo];
        if (n > 1 && i->b >= lo && i->b != i->a && i->op != JK_RSTATE)
            x[1] = need[i->b - lo];
        if (n > 2 && i->c >= lo && i->c != i->a && i->c != i->b)
            x[2] = need[i->c - lo];
        for (j = 1; j < 3; j++)
            for (m = j; m > 0 && x[m] > x[m - 1]; m--) {
                t = x[m];
                x[m] = x[m - 1];
                x[m - 1] = t;
            }
        t = x[0];
        t = x[1] && x[1] + 1 > t ? x[1] + 1 : t;
        t = x[2] && x[2] + 2 > t ? x[2] + 2 : t;
        need[r - lo] = (uint8_t)(n == 0 || i->op == JK_RSTATE ? 0 : t == 0 ? 1 : JK_SMALLER(t, 250));
    }
}

JK_FUNC jitk_status jk_order(const jk_program *p, jk_arena *arena, jk_ref lo, jk_ref hi, const jk_ref *roots,
                             size_t nroots, bool uniform, const jk_ref **order, uint32_t *norder)
{
    jk_orderer o;
    size_t i;
    uint8_t *need = (uint8_t *)jk_arena_alloc(arena, hi - lo);
    memset(&o, 0, sizeof o);
    o.mark = (uint32_t *)jk_arena_zero(arena, (hi - lo) * sizeof *o.mark);
    *norder = 0;
    if (!need || !o.mark)
        return JITK_ERR_NOMEM;
    jk_order_needs(p, lo, hi, need);
    o.p = p;
    o.arena = arena;
    o.lo = o.need_lo = lo;
    o.hi = hi;
    o.varying = !uniform;
    o.need = need;
    o.stamp = 1;
    for (i = 0; i < nroots; i++)
        if (roots[i] != JK_NOREF)
            jk_order_root(&o, roots[i]);
    *order = o.out;
    *norder = (uint32_t)o.nout;
    return arena->failed ? JITK_ERR_NOMEM : JITK_OK;
}

JK_SMALL_CLOSE
