/* kernel: the quick way through a call of machine code that packs nothing and has at most a chunk of elements: the same
 * as run.c does, in less time, for a call of few elements costs what stands around the loop. */
#include "../fp.h"
#include "kernel.h"

enum { JK_QUICK_FRAME = 3072, JK_QUICK_ARGS = 8, JK_QUICK_CELLS = 16, JK_QUICK_RED = 8 };
typedef struct jk_quick_space {
    char frame[JK_QUICK_FRAME];
    char row[JK_QUICK_ARGS][JK_LANE_BYTES];
    void *tail[JK_QUICK_ARGS];
    uint64_t cell[JK_QUICK_CELLS];
    double node[JK_QUICK_RED];
} jk_quick_space;

JK_FUNC bool jk_quick_fits(const jitk_kernel *k)
{
    return k->pass && k->frame_bytes <= JK_QUICK_FRAME && k->program.nargs <= JK_QUICK_ARGS &&
           k->program.ncells < JK_QUICK_CELLS && k->max_red <= JK_QUICK_RED;
}

JK_FUNC void jk_quick_rows(const jitk_kernel *k, size_t at, size_t rest, void *const *p, jk_quick_space *q, bool out)
{
    const jk_param_info *info = k->program.args;
    size_t i, size = k->program.type == JK_F32 ? 4 : 8;
    for (i = 0; i < k->program.nargs; i++) {
        q->tail[i] = q->row[i];
        if (!info[i].is_array || info[i].is_result != out)
            continue;
        if (out)
            memcpy((char *)p[i] + at * size, q->row[i], rest * size);
        else
            jk_row_fill(q->row[i], (const char *)p[i] + at * size, rest, size);
    }
}

JK_FUNC void jk_quick_reduced(const jitk_kernel *k, const jk_quick *step, jk_run *run)
{
    const jk_program *p = &k->program;
    const jk_ref *red = p->stages[step->stage].red;
    uint32_t i;
    for (i = 0; i < step->nred; i++) {
        const jk_ins *ins = &p->ins[red[i]];
        uint32_t cell = p->cell[red[i]];
        bool f32 = (ins->op == JK_RARGMIN ? p->ins[ins->a].type : ins->type) == JK_F32;
        uint64_t bits;
        if (cell == JK_NOCELL)
            continue;
        if (f32)
            bits = jk_f32_bits((float)run->node[i]);
        else
            memcpy(&bits, &run->node[i], sizeof bits);
        if (ins->op == JK_RARGMIN) {
            run->find = bits;
            bits = k->find[step->stage][i](run, 0, run->n);
        }
        run->cell[cell] = bits;
    }
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

JK_FUNC void jk_run_quick(const jitk_kernel *k, size_t n, void *const *p)
{
    jk_quick_space q __attribute__((aligned(64)));
    size_t rest = k->tail_rows ? n & (k->program.type == JK_F32 ? 15 : 7) : 0;
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
        jk_quick_rows(k, n - rest, rest, p, &q, false);
    if (k->nin)
        jk_scalars_in(k, p, q.cell);
    if (k->direct) {
        step->pass(&run, 0, n, 0);
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
            jk_quick_rows(k, n - rest, rest, p, &q, true);
        if (step->nred)
            jk_quick_reduced(k, step, &run);
    }
    if (k->nout)
        jk_scalars_out(k, p, q.cell);
}
