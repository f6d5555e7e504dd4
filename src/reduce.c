/* reduce: the frozen order of reductions (docs/reductions.md) in C: lanes and segments of a chunk, nodes, the tree. */
#include "fp.h"
#include "run.h"

JK_FP_OPEN

JK_FUNC double jk_node_init(jk_op red)
{
    static const uint64_t bits[] = {0, 0x3FF0000000000000, 0x7FF0000000000000, 0x7FF0000000000000}; /* 0, 1, infinity */
    return jk_f64_from_bits(bits[red - JK_RSUM]);
}

JK_FUNC double jk_node_join(jk_op red, double left, double right)
{
    if (red == JK_RSUM)
        left += right;
    else if (red == JK_RPROD)
        left *= right;
    else
        left = jk_min_f64(left, right);
    JK_FP_KEEP(left);
    return left;
}

/* ---- a chunk ---- */
JK_FUNC void jk_lanes_init(jk_lanes *l, jk_op red, jk_type type)
{
    double start = jk_node_init(red), *to = l->lane[0];
    size_t i;
    l->red = red;
    l->type = type;
    for (i = 0; i < JK_SEGMENTS * 16; i++)
        to[i] = start;
    memset(l->part, 0, sizeof l->part);
}

JK_FUNC void jk_lanes_add(jk_lanes *l, size_t segment, size_t at, const void *x, size_t n, bool last)
{
    const jk_f64 *d = (const jk_f64 *)x;
    const jk_f32 *f = (const jk_f32 *)x;
    double *to = l->lane[segment];
    const bool single = l->type == JK_F32;
    size_t i;
    if (l->red != JK_RSUM) {
        const unsigned mask = single ? 15 : 7;
        for (i = 0; i < n; i++)
            to[i & mask] = jk_node_join(l->red, to[i & mask], single ? (double)f[i] : d[i]);
    } else if (!single) {
        for (i = 0; i < n; i++)
            to[i & 7] += d[i];
    } else {
        for (i = 0; i < n; i++)
            l->part[i & 15] += f[i];
        if (last || (at + n) % (JK_POUR * 16) == 0)
            for (i = 0; i < 16; i++) {
                to[i] += (double)l->part[i];
                l->part[i] = 0;
            }
    }
}

/* Lanes that the type has not are empty nodes, which change nothing. */
JK_FUNC double jk_lanes_node(jk_lanes *l)
{
    double *s = l->lane[0];
    unsigned i, half;
    for (i = 0; i < 16; i++)
        s[i] = jk_node_join(l->red, jk_node_join(l->red, s[i], s[16 + i]), jk_node_join(l->red, s[32 + i], s[48 + i]));
    for (half = 8; half; half /= 2)
        for (i = 0; i < half; i++)
            s[i] = jk_node_join(l->red, s[i], s[i + half]);
    return s[0];
}

/* ---- the tree: bit k of the count says that level k holds the node of the last whole 2^k chunks not joined yet ----
 */

/* node := the nodes of the levels in the mask, from the lowest, each as the left one of what was joined so far, at
 * first `last`. */
JK_NOINLINE void jk_tree_join(const jk_tree *t, const jk_op *red, uint64_t levels, const double *last, double *node)
{
    uint32_t i;
    for (i = 0; i < t->nred; i++) {
        double x = last[i];
        uint64_t left;
        for (left = levels; left; left &= left - 1)
            x = jk_node_join(red[i], t->level[(size_t)(uint32_t)__builtin_ctzll(left) * t->nred + i], x);
        node[i] = x;
    }
}

JK_FUNC void jk_tree_add(jk_tree *t, const jk_op *red, const double *node)
{
    uint64_t below = t->count & ~(t->count + 1);
    double *to = t->level + (size_t)(uint32_t)__builtin_ctzll(++t->count) * t->nred;
    jk_tree_join(t, red, below, node, to);
}

/* A missing right one passes the left up. To join the empty node changes nothing. */
JK_FUNC void jk_tree_result(const jk_tree *t, const jk_op *red, double *node)
{
    uint32_t i;
    for (i = 0; i < t->nred; i++)
        node[i] = jk_node_init(red[i]);
    jk_tree_join(t, red, t->count, node, node);
}

JK_FP_CLOSE
