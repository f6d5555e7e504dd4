/* side: see side.h. */
#define JITK_DECLARATIONS_ONLY
#include "side.h"
#include "jitk.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const side_isa side_isas[] = {
    {"interp", JITK_ISA_INTERP}, {"scalar", JITK_ISA_SCALAR}, {"sse2", JITK_ISA_SSE2},
    {"avx2", JITK_ISA_AVX2},     {"avx512", JITK_ISA_AVX512},
};
const size_t side_isa_count = sizeof side_isas / sizeof *side_isas;

typedef struct job {
    jitk_kernel *kernel;
    const void *args[12];
    size_t nargs, n;
    double result[4];
} job;
static job jobs[BENCH_MAX_CONTENDERS];
static size_t job_count;

static volatile double sink;

static void run_kernel(void *context, size_t reps)
{
    const job *j = (const job *)context;
    for (; reps > 0; reps--)
        if (jitk_callv(j->kernel, j->n, j->nargs, j->args) != JITK_OK) {
            fprintf(stderr, "bench: %s\n", jitk_last_error()->message);
            exit(1);
        }
}

#define RUN_NAMED(name, T, CALL)                                        \
    static void name(void *context, size_t reps)                        \
    {                                                                   \
        const job *j = (const job *)context;                            \
        const T *x = (const T *)j->args[0], *y = (const T *)j->args[1]; \
        T s = 0;                                                        \
        (void)y;                                                        \
        for (; reps > 0; reps--)                                        \
            s += CALL;                                                  \
        sink = (double)s;                                               \
    }
RUN_NAMED(run_sum64, double, jitk_sum(x, j->n))
RUN_NAMED(run_sum32, float, jitk_sum(x, j->n))
RUN_NAMED(run_dot64, double, jitk_dot(x, y, j->n))
RUN_NAMED(run_dot32, float, jitk_dot(x, y, j->n))

static jitk_kernel *compile(const char *text, bench_type t, int isa)
{
    jitk_options o;
    memset(&o, 0, sizeof o);
    o.type = t == BENCH_F64 ? JITK_F64 : JITK_F32;
    o.isa = (jitk_isa)isa;
    jitk_error e;
    jitk_kernel *k = jitk_compile(text, &o, &e);
    if (!k && !(isa != JITK_ISA_AUTO && e.status == JITK_ERR_UNSUPPORTED)) {
        fprintf(stderr, "bench: '%s': %s\n", text, e.message);
        exit(1);
    }
    return k;
}

bool side_has(int isa)
{
    jitk_kernel *k = compile("x", BENCH_F64, isa);
    jitk_free(k);
    return k != NULL;
}

void side_enter_text(bench_heat *h, const char *name, const char *text, bench_type t, const void *const *args,
                     size_t nargs, size_t n, int isa)
{
    jitk_kernel *k = compile(text, t, isa);
    if (!k)
        return;
    job *j = &jobs[job_count++];
    memset(j, 0, sizeof *j);
    j->kernel = k;
    j->n = n;
    memcpy(j->args, args, nargs * sizeof *args);
    for (j->nargs = nargs; j->nargs < jitk_arg_count(k); j->nargs++) /* results that are scalars */
        j->args[j->nargs] = &j->result[j->nargs - nargs];
    bench_enter(h, name, run_kernel, j);
}

static void enter_named(bench_heat *h, bench_row row, bench_type t, const void *const *args, size_t n)
{
    static void (*const run[2][2])(void *, size_t) = {{run_sum64, run_sum32}, {run_dot64, run_dot32}};
    job *j = &jobs[job_count++];
    memset(j, 0, sizeof *j);
    j->n = n;
    j->args[0] = args[0];
    j->args[1] = args[1];
    bench_enter(h, "jitk", run[row == ROW_dot][t], j);
}

void side_enter(bench_heat *h, bench_row row, bench_type t, const bench_arrays *x, bool isas)
{
    const bench_row_info *r = &bench_rows[row];
    const void *args[4] = {x->in[r->first], x->in[1], x->in[2], NULL};
    size_t nargs = r->in + r->out;
    if (r->out)
        args[r->in] = x->out;
    if (row == ROW_sum || row == ROW_dot)
        enter_named(h, row, t, args, x->n);
    else
        side_enter_text(h, "jitk", r->text, t, args, nargs, x->n, JITK_ISA_AUTO);
    for (size_t i = 0; isas && i < side_isa_count; i++)
        side_enter_text(h, side_isas[i].name, r->text, t, args, nargs, x->n, side_isas[i].isa);
}

void side_done(void)
{
    for (size_t i = 0; i < job_count; i++)
        jitk_free(jobs[i].kernel);
    job_count = 0;
}
