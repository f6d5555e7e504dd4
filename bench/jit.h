/* jit: compiler libraries that other programs embed, as peers of jitk_compile. Each takes the text of an expression in
 * x to the machine code of  void f(const double *x, double *o, long n) { for (i...) o[i] = EXPRESSION; } */
#ifndef BENCH_JIT_H
#define BENCH_JIT_H
#include <stdbool.h>
#include <stddef.h>

typedef void (*jit_fn)(const double *x, double *o, long n);

/* The work: 2*sqrt(x), or a sum of `terms` products constant*x. */
typedef struct jit_work {
    const char *c; /* C text of the whole function, for the compilers that read C */
    size_t terms;  /* 0: 2*sqrt(x) */
} jit_work;

typedef struct jit_peer {
    const char *name;
    bool starts_processes;
    /* Compiles, puts f(2.0) into *check, frees everything; false where something failed. */
    bool (*compile)(const jit_work *w, double *check);
} jit_peer;

double jit_constant(size_t term); /* the constants of the long sum */

#ifdef BENCH_TCC
extern const jit_peer jit_tcc;
#endif
#ifdef BENCH_GCCJIT
extern const jit_peer jit_gccjit;
#endif
#ifdef BENCH_LLVM
extern const jit_peer jit_llvm_o0, jit_llvm_o2;
#endif
#endif
