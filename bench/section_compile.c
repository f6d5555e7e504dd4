/* section_compile: from text to callable code and back, in jitk and in the compiler libraries that programs embed; and
 * what one call costs. */
#define JITK_DECLARATIONS_ONLY
#include "bench.h"
#include "jit.h"
#include "jitk.h"
#include "side.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TERMS = 500 }; /* 500 products and 499 sums, and one more sum in jitk's and TCC's text: 1,000 operators */

double jit_constant(size_t term)
{
    return 1 + (double)(term + 1) / 1024;
}

static const jit_peer *const peers[] = {
#ifdef BENCH_TCC
    &jit_tcc,
#endif
#ifdef BENCH_LLVM
    &jit_llvm_o0, &jit_llvm_o2,
#endif
#ifdef BENCH_GCCJIT
    &jit_gccjit,
#endif
    NULL,
};

static char long_text[TERMS * 32], long_c[TERMS * 32 + 256];
static const char short_c[] = "double sqrt(double);\n"
                              "void f(const double *x, double *o, long n)\n"
                              "{ long i; for (i = 0; i < n; i++) o[i] = 2*sqrt(x[i]); }\n";

static void make_texts(void)
{
    char *p = long_text, *q = long_c;
    q += sprintf(q, "void f(const double *x, double *o, long n)\n{ long i; for (i = 0; i < n; i++) o[i] = ");
    for (size_t k = 0; k < TERMS; k++) {
        p += sprintf(p, "%s%.10f*x", k ? " + " : "", jit_constant(k));
        q += sprintf(q, "%s%.10f*x[i]", k ? " + " : "", jit_constant(k));
    }
    sprintf(q, "; }\n");
}

typedef struct work {
    const char *text; /* jitk's */
    jit_work jit;
    jitk_options options;
    const jit_peer *peer;
    double expected; /* at x = 2 */
} work;

static void check(const char *who, double got, double expected, bool single)
{
    if (!(fabs(got - expected) <= (single ? 1e-4 : 1e-12) * fabs(expected))) {
        fprintf(stderr, "bench: %s computed %.17g instead of %.17g\n", who, got, expected);
        exit(1);
    }
}

static void run_jitk(void *context, size_t reps)
{
    const work *w = (const work *)context;
    jitk_error e;
    for (; reps > 0; reps--) {
        jitk_kernel *k = jitk_compile(w->text, &w->options, &e);
        double x = 2, o = 0;
        float xf = 2, of = 0;
        bool single = w->options.type == JITK_F32;
        if (!k || (single ? jitk_call(k, 1, &xf, &of) : jitk_call(k, 1, &x, &o)) != JITK_OK) {
            fprintf(stderr, "bench: %s\n", e.message);
            exit(1);
        }
        check("jitk", single ? (double)of : o, w->expected, single);
        jitk_free(k);
    }
}

static void run_function(void *context, size_t reps)
{
    const work *w = (const work *)context;
    jitk_error e;
    for (; reps > 0; reps--) {
        size_t arity;
        double (*f)(double) = (double (*)(double))jitk_function(w->text, NULL, &arity, &e);
        if (!f) {
            fprintf(stderr, "bench: %s\n", e.message);
            exit(1);
        }
        check("jitk_function", f(2), w->expected, false);
        jitk_function_free((jitk_fn)f);
    }
}

static void run_peer(void *context, size_t reps)
{
    const work *w = (const work *)context;
    for (; reps > 0; reps--) {
        double got = 0;
        if (!w->peer->compile(&w->jit, &got)) {
            fprintf(stderr, "bench: %s failed\n", w->peer->name);
            exit(1);
        }
        check(w->peer->name, got, w->expected, false);
    }
}

static bench_heat heat;

static void race(const char *row, const work *w, bool numexpr, double target_us)
{
    work each[16], *next = each;
    bool single = w->options.type == JITK_F32; /* the peers' texts are in double */
    heat.count = 0;
    bench_progress("compile: %s", row);
    bench_enter(&heat, "jitk", run_jitk, (void *)(uintptr_t)w);
    for (size_t i = 0; i < side_isa_count; i++) {
        if (!side_has(side_isas[i].isa))
            continue;
        *next = *w;
        next->options.isa = (jitk_isa)side_isas[i].isa;
        bench_enter(&heat, side_isas[i].name, run_jitk, next++);
    }
    if (!single)
        bench_enter(&heat, "jitk_fn", run_function, (void *)(uintptr_t)w);
    for (size_t i = 0; peers[i] && !single; i++) {
        *next = *w;
        next->peer = peers[i];
        bench_enter(&heat, peers[i]->name, run_peer, next++)->wall = peers[i]->starts_processes;
    }
    if (numexpr && bench_numexpr_open())
        bench_enter(&heat, "numexpr", NULL, NULL)->timed = bench_numexpr_compile;
    bench_race(&heat);
    bench_place p;
    memset(&p, 0, sizeof p);
    p.section = "compile", p.row = row, p.type = single ? "f32" : "f64", p.size = "-";
    bench_report(&p, &heat, "jitk", bench_find(&heat, "TCC"));
    char what[96];
    if (single)
        return;
    snprintf(what, sizeof what, "compile %s, text to callable code, and free", row);
    bench_target(what, false, target_us, bench_find(&heat, "jitk")->ns / 1000, 0, " us", "array kernel, warm");
}

void section_compile(void)
{
    work small, large;
    double sample_ns = bench_set.sample_ns;
    bench_set.sample_ns = 5e6; /* warm, although compilers that take a hundred milliseconds take turns */
    memset(&small, 0, sizeof small);
    memset(&large, 0, sizeof large);
    make_texts();
    small.text = "2*x^0.5";
    small.jit.c = short_c;
    small.expected = 2 * sqrt(2.0);
    large.text = long_text;
    large.jit.c = long_c;
    large.jit.terms = TERMS;
    for (size_t k = 0; k < TERMS; k++)
        large.expected += jit_constant(k) * 2;
    race("2*x^0.5", &small, true, 15);
    race("1000 operators", &large, false, 1000);
    small.options.type = large.options.type = JITK_F32;
    small.expected = 2 * (double)sqrtf(2);
    large.expected = (double)(float)large.expected;
    race("2*x^0.5", &small, false, 0);
    race("1000 operators", &large, false, 0);
    bench_set.sample_ns = sample_ns;
    if (!peers[0])
        bench_note("no compiler library was found when this was built (TCC, LLVM, libgccjit)");
}

/* ---- calls ---- */

typedef struct call {
    jitk_kernel *kernel;
    bench_loop loop;
    bench_type type;
    const void *args[2]; /* one element: the input, the result */
} call;
static volatile double sink;

static void run_call(void *context, size_t reps)
{
    const call *c = (const call *)context;
    if (c->type == BENCH_F64)
        for (; reps > 0; reps--)
            jitk_call(c->kernel, 1, (const double *)c->args[0], (double *)(uintptr_t)c->args[1]);
    else
        for (; reps > 0; reps--)
            jitk_call(c->kernel, 1, (const float *)c->args[0], (float *)(uintptr_t)c->args[1]);
}

static void run_sum(void *context, size_t reps)
{
    const call *c = (const call *)context;
    double s = 0;
    if (c->type == BENCH_F64)
        for (; reps > 0; reps--)
            s += jitk_sum((const double *)c->args[0], 1);
    else
        for (; reps > 0; reps--)
            s += (double)jitk_sum((const float *)c->args[0], 1);
    sink = s;
}

static void run_eval(void *context, size_t reps)
{
    const call *c = (const call *)context;
    if (c->type == BENCH_F64)
        for (; reps > 0; reps--)
            jitk_eval("2*x^0.5", 1, (const double *)c->args[0], (double *)(uintptr_t)c->args[1]);
    else
        for (; reps > 0; reps--)
            jitk_eval("2*x^0.5", 1, (const float *)c->args[0], (float *)(uintptr_t)c->args[1]);
}

static void run_loop(void *context, size_t reps)
{
    const call *c = (const call *)context;
    double s = 0;
    for (; reps > 0; reps--)
        s += c->loop(c->args[0], NULL, NULL, (void *)(uintptr_t)c->args[1], 1);
    sink = s;
}

static jitk_kernel *call_kernel(const char *text, bench_type t, int isa)
{
    jitk_options o;
    memset(&o, 0, sizeof o);
    o.type = t == BENCH_F64 ? JITK_F64 : JITK_F32;
    o.isa = (jitk_isa)isa;
    return jitk_compile(text, &o, NULL);
}

static void call_race(const char *row, const char *text, bench_row loop, bench_type t)
{
    static const double x = 1;
    static const float xf = 1;
    static double o;
    call c, each[8], *next = each;
    memset(&c, 0, sizeof c);
    c.type = t;
    c.args[0] = t == BENCH_F64 ? (const void *)&x : (const void *)&xf;
    c.args[1] = &o;
    c.loop = bench_compiled[0]->loop[t][loop];
    c.kernel = call_kernel(text, t, JITK_ISA_AUTO);
    heat.count = 0;
    bench_enter(&heat, "kernel", run_call, &c);
    if (loop == ROW_sum)
        bench_enter(&heat, "jitk_sum", run_sum, &c);
    else
        bench_enter(&heat, "jitk_eval", run_eval, &c);
    bench_enter(&heat, bench_compiled[0]->name, run_loop, &c);
    for (size_t i = 0; i < side_isa_count; i++) {
        *next = c;
        next->kernel = call_kernel(text, t, side_isas[i].isa);
        if (next->kernel)
            bench_enter(&heat, side_isas[i].name, run_call, next++);
    }
    bench_race(&heat);
    bench_place p;
    memset(&p, 0, sizeof p);
    p.section = "call", p.row = row, p.type = bench_type_name(t), p.n = 1;
    bench_report(&p, &heat, "kernel", NULL);
    char what[96];
    for (size_t i = 0; i < 2 && t == BENCH_F64; i++) {
        snprintf(what, sizeof what, "a call at n = 1, %s, %s: over the loop", row, heat.c[i].name);
        if (strcmp(heat.c[i].name, "jitk_eval") != 0)
            bench_target(what, false, 25, heat.c[i].ns - heat.c[2].ns, 0, " ns", "");
    }
    jitk_free(c.kernel);
    while (next > each)
        jitk_free((--next)->kernel);
}

void section_call(void)
{
    for (int t = BENCH_F64; t <= BENCH_F32; t++) {
        call_race("2*x^0.5", "2*x^0.5", ROW_root, (bench_type)t);
        call_race("sum(x)", "(x[]) = sum(x)", ROW_sum, (bench_type)t);
    }
}
