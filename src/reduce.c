/* reduce: the frozen order of reductions (docs/reductions.md) in C: lanes and segments of a chunk, nodes, the tree. */
#include "fp.h"
#include "run.h"

/* Lanes of 64 bytes of the kernel's type; all of them are f64 but those where f32 sums begin. */
#define JK_NLANES(type) (JK_LANE_BYTES / (unsigned)jk_type_size(type))

JK_FP_OPEN

JK_FUNC double jk_node_init(jk_op red)
{
    return red == JK_RSUM ? 0 : red == JK_RPROD ? 1 : jk_f64_from_bits(0x7FF0000000000000);
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
JK_FUNC void jk_lanes_init(jk_lanes *l, jk_op red)
{
    size_t i;
    double start = jk_node_init(red);
    for (i = 0; i < JK_SEGMENTS * 16; i++)
        l->lane[i / 16][i % 16] = start;
    for (i = 0; i < 16; i++)
        l->part[i] = 0;
}

JK_FUNC void jk_lanes_pour(jk_lanes *l, size_t segment)
{
    size_t i;
    for (i = 0; i < 16; i++) {
        l->lane[segment][i] += (double)l->part[i];
        l->part[i] = 0;
    }
}

JK_FUNC void jk_lanes_add(jk_lanes *l, jk_op red, jk_type type, size_t segment, size_t at, const void *x, size_t n)
{
    const jk_f64 *d = (const jk_f64 *)x;
    const jk_f32 *f = (const jk_f32 *)x;
    double *to = l->lane[segment];
    size_t i;
    if (type == JK_F32 && red == JK_RSUM) {
        for (i = 0; i < n; i++)
            l->part[i & 15] += f[i];
        if ((at + n) % (JK_POUR * 16) == 0)
            jk_lanes_pour(l, segment);
    } else if (type == JK_F32) {
        for (i = 0; i < n; i++)
            to[i & 15] = jk_node_join(red, to[i & 15], (double)f[i]);
    } else if (red == JK_RSUM) {
        for (i = 0; i < n; i++)
            to[i & 7] += d[i];
    } else {
        for (i = 0; i < n; i++)
            to[i & 7] = jk_node_join(red, to[i & 7], d[i]);
    }
}

JK_FUNC void jk_lanes_end(jk_lanes *l, jk_op red, jk_type type, size_t segment)
{
    if (type == JK_F32 && red == JK_RSUM)
        jk_lanes_pour(l, segment);
}

JK_FUNC double jk_lanes_node(jk_lanes *l, jk_op red, jk_type type)
{
    double *s = l->lane[0];
    unsigned i, lanes = JK_NLANES(type);
    for (i = 0; i < lanes; i++)
        s[i] =
            jk_node_join(red, jk_node_join(red, s[i], l->lane[1][i]), jk_node_join(red, l->lane[2][i], l->lane[3][i]));
    for (lanes /= 2; lanes; lanes /= 2)
        for (i = 0; i < lanes; i++)
            s[i] = jk_node_join(red, s[i], s[i + lanes]);
    return s[0];
}

/* ---- the tree: bit k of the count says that level k holds the node of the last whole 2^k chunks not joined yet ----
 */
JK_FUNC void jk_tree_add(jk_tree *t, const jk_op *red, const double *node)
{
    uint32_t k = 0, i;
    double *to;
    while (t->count >> k & 1)
        k++;
    to = t->level + (size_t)k * t->nred;
    for (i = 0; i < t->nred; i++) {
        double x = node[i];
        uint32_t j;
        for (j = 0; j < k; j++)
            x = jk_node_join(red[i], t->level[(size_t)j * t->nred + i], x);
        to[i] = x;
    }
    t->count++;
    t->levels = JK_LARGER(t->levels, k + 1);
}

/* A missing right one passes the left up: the levels in use join from the lowest, each as the left one. */
JK_FUNC void jk_tree_result(const jk_tree *t, const jk_op *red, double *node)
{
    uint32_t k, i;
    for (i = 0; i < t->nred; i++) {
        bool some = false;
        node[i] = jk_node_init(red[i]);
        for (k = 0; k < t->levels; k++)
            if (t->count >> k & 1) {
                double x = t->level[(size_t)k * t->nred + i];
                node[i] = some ? jk_node_join(red[i], x, node[i]) : x;
                some = true;
            }
    }
}

JK_FP_CLOSE
#undef JK_NLANES
