/* contenders: who takes part in a race over arrays: jitk in every encoding, the compilers' loops, OpenBLAS, numexpr,
 * the loops by hand, and the bandwidth of the memory that holds the arrays. */
#include "bandwidth.h"
#include "bench.h"
#include "limit.h"
#include "side.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile double sink; /* what reductions give goes here, so that no compiler drops them */

typedef struct loop_job {
    bench_loop f;
    const void *a, *b, *c;
    void *out;
    size_t n;
} loop_job;

static void run_loop(void *context, size_t reps)
{
    const loop_job *j = (const loop_job *)context;
    double s = 0;
    for (; reps > 0; reps--)
        s += j->f(j->a, j->b, j->c, j->out, j->n);
    sink = s;
}

typedef struct blas_job {
    const void *a, *b;
    int n;
} blas_job;

static void run_blas_sum64(void *context, size_t reps)
{
    const blas_job *j = (const blas_job *)context;
    double (*f)(int, const double *, int) = bench_blas_sum64(), s = 0;
    for (; reps > 0; reps--)
        s += f(j->n, (const double *)j->a, 1);
    sink = s;
}

static void run_blas_dot64(void *context, size_t reps)
{
    const blas_job *j = (const blas_job *)context;
    double (*f)(int, const double *, int, const double *, int) = bench_blas_dot64(), s = 0;
    for (; reps > 0; reps--)
        s += f(j->n, (const double *)j->a, 1, (const double *)j->b, 1);
    sink = s;
}

static void run_blas_sum32(void *context, size_t reps)
{
    const blas_job *j = (const blas_job *)context;
    float (*f)(int, const float *, int) = bench_blas_sum32(), s = 0;
    for (; reps > 0; reps--)
        s += f(j->n, (const float *)j->a, 1);
    sink = s;
}

static void run_blas_dot32(void *context, size_t reps)
{
    const blas_job *j = (const blas_job *)context;
    float (*f)(int, const float *, int, const float *, int) = bench_blas_dot32(), s = 0;
    for (; reps > 0; reps--)
        s += f(j->n, (const float *)j->a, 1, (const float *)j->b, 1);
    sink = s;
}

typedef struct memory_job {
    bandwidth_reader read;
    bandwidth_copier copy;
    const void *in[3];
    void *out;
    size_t count, nbytes;
} memory_job;

static void run_read(void *context, size_t reps)
{
    const memory_job *j = (const memory_job *)context;
    unsigned long s = 0;
    for (; reps > 0; reps--)
        for (size_t i = 0; i < j->count; i++)
            s |= j->read(j->in[i], j->nbytes);
    sink = (double)s;
}

static void run_copy(void *context, size_t reps)
{
    const memory_job *j = (const memory_job *)context;
    for (; reps > 0; reps--)
        j->copy(j->out, j->in[0], j->nbytes);
}

/* One race runs at a time, so its jobs can live here. */
static loop_job loop_jobs[BENCH_MAX_CONTENDERS];
static blas_job blas;
static memory_job memory;

static void enter_loops(bench_heat *h, const bench_loops *l, bench_row row, bench_type t, const bench_arrays *x)
{
    const bench_row_info *r = &bench_rows[row];
    if (!l || !l->loop[t][row])
        return;
    loop_job *j = &loop_jobs[h->count];
    j->f = l->loop[t][row];
    j->a = x->in[r->first];
    j->b = r->in > 1 ? x->in[1] : NULL;
    j->c = r->in > 2 ? x->in[2] : NULL;
    j->out = x->out;
    j->n = x->n;
    bench_enter(h, l->name, run_loop, j);
}

static void enter_blas(bench_heat *h, bench_row row, bench_type t, const bench_arrays *x)
{
    if ((row != ROW_sum && row != ROW_dot) || !bench_blas_open())
        return;
    blas.a = x->in[0];
    blas.b = x->in[1];
    blas.n = (int)x->n;
    if (row == ROW_sum && t == BENCH_F64 && bench_blas_sum64())
        bench_enter(h, "OpenBLAS", run_blas_sum64, &blas);
    if (row == ROW_sum && t == BENCH_F32 && bench_blas_sum32())
        bench_enter(h, "OpenBLAS", run_blas_sum32, &blas);
    if (row == ROW_dot && t == BENCH_F64 && bench_blas_dot64())
        bench_enter(h, "OpenBLAS", run_blas_dot64, &blas);
    if (row == ROW_dot && t == BENCH_F32 && bench_blas_dot32())
        bench_enter(h, "OpenBLAS", run_blas_dot32, &blas);
}

static void enter_ceiling(bench_heat *h, bench_row row, bench_type t, const bench_arrays *x)
{
    const bench_row_info *r = &bench_rows[row];
    memory.count = r->in;
    memory.nbytes = x->n * bench_type_size(t);
    memory.out = x->out;
    memcpy(memory.in, x->in, sizeof memory.in);
    if (r->out) {
        memory.copy = bandwidth_pick_copier(memory.out, memory.in[0], memory.nbytes);
        bench_enter(h, "copy", run_copy, &memory)->bytes = 2.0 * (double)memory.nbytes;
    } else {
        memory.read = bandwidth_pick_reader(memory.in[0], memory.nbytes);
        bench_enter(h, "read", run_read, &memory);
    }
}

/* Every map of jitk gives the very elements of the plain loop, or there is nothing to time. */
static void check_maps(const bench_heat *h, bench_row row, bench_type t, const bench_arrays *x)
{
    const bench_row_info *r = &bench_rows[row];
    size_t nbytes = x->n * bench_type_size(t);
    void *expected = r->out && x->n <= 1000000 ? malloc(nbytes) : NULL;
    if (!expected)
        return;
    bench_compiled[0]->loop[t][row](x->in[r->first], x->in[1], x->in[2], expected, x->n);
    for (size_t i = 0; i < h->count; i++) {
        memset(x->out, 1, nbytes);
        h->c[i].run(h->c[i].context, 1);
        if (memcmp(x->out, expected, nbytes) != 0) {
            fprintf(stderr, "bench: %s computes '%s' otherwise than the plain loop\n", h->c[i].name, r->text);
            exit(1);
        }
    }
    free(expected);
}

void bench_enter_row(bench_heat *h, bench_row row, bench_type t, const bench_arrays *x, unsigned with)
{
    h->count = 0;
    side_enter(h, row, t, x, (with & WITH_ISAS) != 0);
    check_maps(h, row, t, x);
    enter_blas(h, row, t, x);
    for (const bench_loops *const *l = bench_compiled; *l; l++)
        enter_loops(h, *l, row, t, x);
    enter_loops(h, limit_loops(), row, t, x);
    if ((with & WITH_NUMEXPR) && bench_numexpr_open() && bench_numexpr_setup(row, t, x->n))
        bench_enter(h, "numexpr", NULL, NULL)->timed = bench_numexpr_timed;
    if (with & WITH_CEILING)
        enter_ceiling(h, row, t, x);
}

void bench_enter_row_done(bench_heat *h)
{
    h->count = 0;
    side_done();
}
