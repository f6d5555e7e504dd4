/* kernel: ties the rooms together: compile, cache, check arguments, run.
 *
 *   state.c     what all files of the program share; errors of a thread; fork
 *   compile.c   text to a kernel
 *   args.c      a call's arguments: tags, numbers, checks
 *   run.c       the driver: stages, chunks, packing, tails, results
 *   cache.c     jitk_eval
 *   function.c  jitk_function
 *   info.c      jitk_info, jitk_dump, signatures
 *   named.c     the named kernels */
#ifndef JK_KERNEL_H
#define JK_KERNEL_H
#include "../cpu.h"
#include "../exec.h"
#include "../x64/x64.h"

/* One block of memory: the struct, the program's tables, the code's offsets. Immutable once made. */
struct jitk_kernel {
    jk_program program;
    jitk_isa isa; /* what runs: INTERP also where code pages were refused */
    jk_exec exec;
    const jk_uniform_fn *uniform;  /* [nstages] NULL: nothing to run. All three are NULL in the interpreter */
    const jk_pass_fn *pass;        /* [nstages] */
    const jk_find_fn *const *find; /* [nstages] NULL, or [nred] */
    const uint32_t *param_cell;    /* [nparams] the cell of a scalar parameter, or JK_NOCELL */
    size_t frame_bytes;
    size_t scratch_bytes; /* what the driver needs for a call that packs nothing */
    size_t max_n;         /* PTRDIFF_MAX over the largest element */
    size_t nbytes;        /* of the block */
    uint32_t max_red;     /* the most reductions of a pass */
    bool tail_rows;
};

/* One argument of a call. */
typedef struct jk_bind {
    char *p;         /* element 0, or the scalar */
    ptrdiff_t step;  /* bytes from one element to the next; 0: the one for all */
    uint64_t number; /* a number's bits, in the parameter's element type: then p points here */
} jk_bind;

/* ---- state.c ---- */
typedef struct jk_settings { /* read once */
    jk_cpu cpu;
    jitk_isa isa;        /* AUTO takes it */
    unsigned dump;       /* JITK_DUMP_... after each compilation */
    size_t stream_bytes; /* a pass whose arrays are larger stores past the caches */
} jk_settings;
JK_FUNC const jk_settings *jk_settings_get(void);
/* Ends a public function: a failure is kept for jitk_last_error and copied to *user. Errors inside have only their
 * status set to begin with, for a jitk_error is large. */
JK_FUNC jitk_status jk_report(const jitk_error *e, jitk_error *user);

JK_FUNC void jk_share_lock(void);
JK_FUNC void jk_share_unlock(void);

/* ---- compile.c ---- */
JK_FUNC jitk_status jk_options_check(const jitk_options *o, jitk_isa *isa, jitk_error *e);
/* The program is copied. The arena is for temporary data. */
JK_FUNC jitk_kernel *jk_kernel_make(const jk_program *p, jitk_isa isa, jk_arena *arena, jitk_error *e);
JK_FUNC jitk_kernel *jk_kernel_of_ast(const jitk_ast *ast, const jitk_options *o, jitk_isa isa, jk_arena *arena,
                                      jitk_error *e);
typedef struct jk_choice { /* what jitk_eval's arguments say of the kernel's type */
    const jk_tagged *args;
    size_t nargs;
    uint64_t named; /* out: arguments whose types the source names */
    jitk_type type; /* out */
} jk_choice;
JK_FUNC jitk_type jk_eval_type(uint64_t named, size_t nargs, const jk_tagged *args);
JK_NOINLINE jitk_kernel *jk_compile_text(const char *source, size_t len, const jitk_options *o, jitk_isa isa,
                                         jk_choice *choice, jitk_error *e);
JK_FUNC void jk_kernel_free(jitk_kernel *k);
/* What the driver derives of a program; the tables of `k` that machine code needs are left alone. `cells` has room for
 * nparams. */
JK_FUNC void jk_kernel_measure(jitk_kernel *k, uint32_t *cells);

/* ---- info.c ---- */
JK_FUNC void jk_kernel_announce(const jitk_kernel *k); /* JITK_DUMP */

/* ---- args.c ---- */
/* Fills binds from tagged arguments, from pointers (and strides in elements or NULL). Numbers are converted in the
 * library's floating-point mode. */
JK_FUNC jitk_status jk_bind_tagged(const jitk_kernel *k, size_t nargs, const jk_tagged *args, jk_bind *bind,
                                   jitk_error *e);
JK_FUNC jitk_status jk_bind_pointers(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                     const ptrdiff_t strides[], jk_bind *bind, jitk_error *e);
/* NULL, sizes, overlaps. */
JK_FUNC jitk_status jk_bind_check(const jitk_kernel *k, size_t n, const jk_bind *bind, jitk_error *e);

/* ---- run.c ---- */
JK_FUNC size_t jk_run_bytes(const jitk_kernel *k); /* scratch_bytes */
/* Runs with arguments already checked, in the library's floating-point mode. */
JK_FUNC jitk_status jk_kernel_run(const jitk_kernel *k, size_t n, const jk_bind *bind, jitk_error *e);
/* The same for the named kernels: scratch on the stack whatever its size. */
#define JK_NAMED_STACK ((size_t)32768)
JK_FUNC void jk_kernel_run_named(const jitk_kernel *k, size_t n, const jk_bind *bind);
/* A call from its arguments on: `tagged`, or pointers with strides or NULL. */
JK_FUNC jitk_status jk_call_any(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                const ptrdiff_t strides[], const jk_tagged *tagged, jitk_error *e);

/* ---- cache.c ---- */
JK_FUNC void jk_cache_count(jitk_info_t *info);
#endif
