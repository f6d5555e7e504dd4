/* kernel: the quick way through a call of machine code that packs nothing and has at most a chunk of elements: the same
 * as run.c does, in less time, for a call of few elements costs what stands around the loop. */
#include "../fp.h"
#include "kernel.h"

JK_SMALL_OPEN

/* ---- what the driver does, too ---- */
JK_FUNC void jk_row_fill(void *row, const void *from, size_t rest, size_t size)
{
    size_t i;
    if (size == 8) {
        const jk_u64 *x = (const jk_u64 *)from;
        jk_u64 *to = (jk_u64 *)row;
        for (i = 0; i < 8; i++)
            to[i] = x[i < rest ? i : 0];
    } else {
        const jk_u32 *x = (const jk_u32 *)from;
        jk_u32 *to = (jk_u32 *)row;
        for (i = 0; i < 16; i++)
            to[i] = x[i < rest ? i : 0];
    }
}

JK_FUNC void jk_scalar(void *to, jk_type to_type, const void *from, jk_type from_type)
{
    if (to_type != from_type)
        jk_fp_convert(to, to_type, 0, from, from_type, 0, 1);
    else if (jk_type_size(to_type) == 8)
        memcpy(to, from, 8);
    else
        memcpy(to, from, jk_type_size(to_type));
}

JK_FUNC void jk_scalars_in(const jitk_kernel *k, void *const *p, uint64_t *cell)
{
    uint32_t i;
    for (i = 0; i < k->nin; i++) {
        uint64_t *to = &cell[k->in[i].cell];
        *to = 0;
        jk_scalar(to, (jk_type)k->program.type, p[k->in[i].arg], (jk_type)k->in[i].type);
    }
}

JK_FUNC void jk_scalars_out(const jitk_kernel *k, void *const *p, const uint64_t *cell)
{
    uint32_t i;
    for (i = 0; i < k->nout; i++) {
        const jk_scalar_out *o = &k->out[i];
        const uint64_t *bits = o->cell == JK_NOCELL ? &o->constant : &cell[o->cell];
        jk_scalar(p[o->arg], (jk_type)o->type, bits, (jk_type)o->from);
    }
}

/* ---- the call ---- */
enum { JK_QUICK_FRAME = 3072, JK_ONE_FRAME = 1152, JK_QUICK_CELLS = 16, JK_QUICK_RED = 8 };
typedef struct jk_quick_space {
    char frame[JK_QUICK_FRAME];
    char row[JK_QUICK_ARGS][2 * JK_LANE_BYTES]; /* rows are the upper halves */
    void *tail[JK_QUICK_ARGS];
    uint64_t cell[JK_QUICK_CELLS];
    double node[JK_QUICK_RED];
} jk_quick_space;

/* Whether jk_run_one may run the kernel, for some n. Behind a pass that is `direct` nothing needs to run. */
JK_FUNC bool jk_is_one_pass(const jitk_kernel *k)
{
    bool map = k->nout == 0 && k->nquick == 1 && k->quick->pass && k->max_red == 0;
    return (map || (k->direct && k->nout == 1)) && !k->nin && k->frame_bytes <= JK_ONE_FRAME;
}

JK_FUNC bool jk_quick_fits(const jitk_kernel *k)
{
    return k->frame_bytes <= JK_QUICK_FRAME && k->program.nargs <= JK_QUICK_ARGS &&
           k->program.ncells < JK_QUICK_CELLS && k->max_red <= JK_QUICK_RED;
}

JK_SMALL_CLOSE

/* A row for an array of n elements. From 64 bytes on without a loop: the array's last 64 bytes are laid so that what
 * the row is for begins it, over the array's first ones. */
JK_NOINLINE void jk_quick_row(char *row, const char *x, size_t n, size_t rest, size_t size)
{
    size_t nbytes = n * size;
    if (nbytes < JK_LANE_BYTES) {
        jk_row_fill(row, x + (n - rest) * size, rest, size);
        return;
    }
    memcpy(row, x, JK_LANE_BYTES);
    memcpy(row + rest * size - JK_LANE_BYTES, x + nbytes - JK_LANE_BYTES, JK_LANE_BYTES);
}

JK_SMALL_OPEN

JK_FUNC void jk_quick_rows_in(const jitk_kernel *k, size_t n, size_t rest, void *const *p, jk_quick_space *q)
{
    size_t i, size = k->program.type == JK_F32 ? 4 : 8;
    for (i = 0; i < k->program.nargs; i++) {
        q->tail[i] = q->row[i] + JK_LANE_BYTES;
        if (k->program.args[i].is_array && !k->program.args[i].is_result)
            jk_quick_row(q->row[i] + JK_LANE_BYTES, (const char *)p[i], n, rest, size);
    }
}

JK_FUNC void jk_quick_rows_out(const jitk_kernel *k, size_t n, size_t rest, void *const *p, const jk_quick_space *q)
{
    size_t i, size = k->program.type == JK_F32 ? 4 : 8;
    for (i = k->program.nparams; i < k->program.nargs; i++)
        if (k->program.args[i].is_array)
            memcpy((char *)p[i] + (n - rest) * size, q->row[i] + JK_LANE_BYTES, rest * size);
}

/* Nodes are doubles that hold their value exactly, or a sum that is rounded here. */
JK_FUNC void jk_quick_direct(const jitk_kernel *k, void *const *p, const double *node)
{
    uint32_t i;
    for (i = 0; i < k->nout; i++) {
        if (k->out[i].type == JK_F64) {
            memcpy(p[k->out[i].arg], &node[i], sizeof node[i]);
        } else {
            float f = (float)node[i];
            memcpy(p[k->out[i].arg], &f, sizeof f);
        }
    }
}

JK_NOINLINE void jk_run_quick(const jitk_kernel *k, size_t n, void *const *p)
{
    jk_quick_space q __attribute__((aligned(64)));
    size_t rest = n & k->rest;
    const jk_quick *step = k->quick, *end = step + k->nquick;
    jk_run run;
    run.array = p;
    run.tail = q.tail;
    run.cell = q.cell;
    run.node = q.node;
    run.frame = q.frame;
    run.n = n;
    run.find = 0;
    q.cell[k->program.ncells] = n;
    if (rest)
        jk_quick_rows_in(k, n, rest, p, &q);
    if (k->nin)
        jk_scalars_in(k, p, q.cell);
    if (k->direct) {
        q.node[0] = step->pass(&run, 0, n, 0);
        jk_quick_direct(k, p, q.node);
        return;
    }
    for (; step < end; step++) {
        if (step->uniform) {
            step->uniform(&run);
            continue;
        }
        step->pass(&run, 0, n, 0);
        if (rest && k->program.stages[step->stage].stores)
            jk_quick_rows_out(k, n, rest, p, &q);
        if (step->nred)
            jk_reduced(k, step->stage, &run, NULL);
    }
    if (k->nout)
        jk_scalars_out(k, p, q.cell);
}

JK_SMALL_CLOSE

/* A kernel that is one pass over contiguous arrays, with array results or one reduction: its pass and nothing else. It
 * has no cells and reads no rows. */
JK_NOINLINE void jk_run_one(const jitk_kernel *k, size_t n, void *const *p)
{
    char frame[JK_ONE_FRAME] __attribute__((aligned(64)));
    double node;
    float f;
    jk_run run;
    run.array = p;
    run.node = &node;
    run.frame = frame;
    run.n = n;
    node = k->quick->pass(&run, 0, n, 0); /* without meaning where the pass reduces nothing */
    if (!k->nout)
        return;
    f = (float)node;
    if (k->out->type == JK_F64)
        memcpy(p[k->out->arg], &node, sizeof node);
    else
        memcpy(p[k->out->arg], &f, sizeof f);
}

/* Whether jk_run_one may run this call: elements beyond whole lanes need rows where code has no masks. */
static inline bool jk_is_one(const jitk_kernel *k, size_t n)
{
    return k->one && !(n & k->rest);
}

JK_FUNC void jk_run_small(const jitk_kernel *k, size_t n, void *const *p)
{
    if (jk_is_one(k, n))
        jk_run_one(k, n, p);
    else
        jk_run_quick(k, n, p);
}
