/* kernel: ties the rooms together: compile, cache, check arguments, run.
 *
 *   state.c     what all files of the program share; errors of a thread; fork
 *   compile.c   text to a kernel
 *   call.c      the public calls
 *   args.c      a call's arguments, bound and checked
 *   value.c     numbers by value
 *   run.c       the driver: stages, chunks, packing, tails, results
 *   quick.c     the same for small calls
 *   cache.c     jitk_eval
 *   function.c  jitk_function
 *   info.c      jitk_info, jitk_dump, signatures
 *   named.c     the named kernels */
#ifndef JK_KERNEL_H
#define JK_KERNEL_H
#include "../cpu.h"
#include "../exec.h"
#include "../x64/x64.h"
#include <errno.h>

/* What the driver does before the first stage and behind the last one, found out once. */
typedef struct jk_scalar_in {
    uint32_t arg, cell;
    uint8_t type; /* of the argument; the cell has the kernel's */
} jk_scalar_in;
typedef struct jk_scalar_out {
    uint32_t arg, cell; /* JK_NOCELL: a constant */
    uint8_t type, from; /* of the argument, of the value */
    uint64_t constant;
} jk_scalar_out;

/* A stage that has something to run, for calls of up to a chunk that need no packing (quick.c). */
typedef struct jk_quick {
    jk_uniform_fn uniform; /* or: */
    jk_pass_fn pass;
    uint32_t stage, nred;
} jk_quick;

/* One block of memory: the struct, the program's tables, the code's offsets. Immutable once made. */
struct jitk_kernel {
    jk_call_fn slow; /* jk_call_slow: machine code finds it here */
    jk_program program;
    jk_call_fn call; /* jitk_callv: machine code, or jk_call_slow */
    /* Found by jk_kernel_derive; what calls read comes first. */
    uintptr_t *start;                  /* [ncode] a stage's jk_uniform_fn or jk_pass_fn; 0: nothing to run */
    jk_quick *quick;                   /* [nquick]; nquick is 0 where the quick way is too narrow */
    uint32_t nquick, ncode, nin, nout; /* ncode: the stages, 0 in the interpreter */
    uint32_t max_red;                  /* the most reductions of a pass */
    bool one;                          /* one pass that reads no scalar, and array results or one that is `direct` */
    bool direct;      /* the quick way takes the results, in their order, from the nodes of its one pass */
    uint32_t rest;    /* of a number of elements: those beyond whole lanes, where code has no masks for them; or 0 */
    size_t short_n;   /* the most elements of a short call; 0: the quick way is closed, or arrays are of another type */
    jk_scalar_in *in; /* [nin] scalar parameters that are used */
    jk_scalar_out *out;   /* [nout] scalar results */
    jk_op *red;           /* [nred] the reductions' ops, of all stages in turn */
    jk_find_fn **find;    /* [ncode] into finds: the stage's reductions */
    jk_find_fn *finds;    /* [nfind] of each RARGMIN */
    uint32_t nred, nfind; /* nfind: nred, 0 in the interpreter */
    uint32_t npacked;     /* arrays of another element type than the kernel's */
    jitk_isa isa;         /* what runs: INTERP also where code pages were refused */
    size_t frame_bytes;
    size_t scratch_bytes; /* what the driver needs for a call that packs nothing */
    size_t chunk;         /* elements */
    size_t max_n;         /* PTRDIFF_MAX over the largest element */
    jk_exec exec;
    size_t nbytes; /* of the block */
};

/* The arguments of a call. A number's bits, in the parameter's element type, stand in `number`, and p points there. */
#define JK_FEW_ARGS 32
typedef struct jk_binds {
    void **p;         /* [nargs] element 0, or the scalar */
    ptrdiff_t *step;  /* [nargs] bytes from one element to the next; 0: the one for all */
    uint64_t *number; /* [nargs] */
    size_t npacked;   /* arrays that are not contiguous or not of the kernel's type */
} jk_binds;

/* ---- state.c ---- */
typedef struct jk_settings { /* read once */
    jk_cpu cpu;
    jitk_info_t info;    /* all of it that stays */
    size_t stream_bytes; /* arrays of a pass that are larger come from memory, and are stored past the caches */
} jk_settings;
JK_FUNC const jk_settings *jk_settings_get(void);
/* Ends a public function: a failure is kept for jitk_last_error and copied to *user. Errors inside have only their
 * status set to begin with, for a jitk_error is large. */
JK_FUNC jitk_status jk_report(const jitk_error *e, jitk_error *user);
/* All of a public function that may take its time stands between these two. */
typedef struct jk_session {
    uint32_t mode; /* the caller's floating-point mode */
    jitk_error e;
} jk_session;
JK_FUNC void jk_begin(jk_session *s);
JK_FUNC jitk_status jk_end(jk_session *s, jitk_error *user);
JK_FUNC jitk_status jk_refuse(jitk_error *e, jitk_status status, const char *message); /* jk_fail without a place */
/* Memory without a trace in errno; NULL is an error where there is an `e`. */
JK_FUNC void *jk_quiet_malloc(size_t nbytes, jitk_error *e);

JK_NOINLINE void jk_share_lock(void);
JK_NOINLINE void jk_share_unlock(void);

/* ---- compile.c ---- */
typedef struct jk_request { /* what is compiled, and what jitk_eval finds again */
    const char *source;
    size_t len;
    jk_lower_options lower;
    jitk_isa isa;
    const jk_tagged *args; /* NULL, or what the kernel's type follows from: jitk_eval's arguments */
    size_t nargs;
    uint64_t named; /* out: arguments whose types the source names, a bit each */
    size_t arity;   /* out: of a function */
    uint64_t hash;  /* the cache's */
} jk_request;
JK_FUNC jitk_status jk_request_read(jk_request *r, const char *source, const jitk_options *o, jitk_error *e);
/* The type that jitk_eval compiles in: that of the first pointer to double or float whose type the source does not
 * name. */
JK_FUNC void jk_request_type(jk_request *r);
/* A jitk_kernel or, where the text is to be lowered to scalars, a function's code. */
JK_NOINLINE void *jk_compile_text(jk_request *r, jitk_error *e);
JK_NOINLINE jitk_kernel *jk_compile_kernel(jk_request *r, jitk_error *e);
/* The program is copied. The arena is for temporary data. */
JK_FUNC jitk_kernel *jk_kernel_make(const jk_program *p, jitk_isa isa, jk_arena *arena, jitk_error *e);
/* A kernel around a program where it stands, for the interpreter; what is derived of it goes to the block, of which the
 * bytes are returned. */
JK_FUNC size_t jk_kernel_interpret(jitk_kernel *k, const jk_program *p, uint64_t *block);
JK_NOINLINE void jk_kernel_free(jitk_kernel *k);

/* ---- function.c ---- */
JK_FUNC void *jk_function_make(const jk_program *p, size_t *arity, jk_arena *arena, jitk_error *e);

/* ---- info.c ---- */
JK_FUNC void jk_kernel_announce(const jitk_kernel *k); /* JITK_DUMP */

/* ---- value.c ---- */
JK_FUNC void jk_number_store(void *to, jk_type type, const jk_tagged *a);

/* ---- args.c ---- */
/* Binds and checks: after it a call can fail for want of memory only. Arguments are tagged, or pointers with strides in
 * elements or NULL. Numbers are converted in the library's floating-point mode. */
JK_NOINLINE jitk_status jk_bind_all(const jitk_kernel *k, size_t n, size_t nargs, const jk_tagged *tagged,
                                    const void *const args[], const ptrdiff_t strides[], jk_binds *b, jitk_error *e);

/* ---- run.c ---- */
JK_FUNC size_t jk_run_bytes(const jitk_kernel *k); /* scratch_bytes */
/* Runs with arguments already checked, in the library's floating-point mode. Without `e` it cannot fail: the scratch is
 * on the stack whatever its size, for the named kernels. */
#define JK_NAMED_STACK ((size_t)32768)
JK_NOINLINE jitk_status jk_run_driver(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e);

/* The results of stage s, a pass that ran: `d` is the driver's, NULL where all elements were one range. */
typedef struct jk_drive jk_drive;
JK_NOINLINE void jk_reduced(const jitk_kernel *k, uint32_t s, jk_run *run, jk_drive *d);

/* ---- call.c ---- */
/* jk_run_driver, or the quick way. */
JK_NOINLINE jitk_status jk_kernel_run(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e);
/* jitk_callv, all of it. */
JK_FUNC jitk_status jk_call_slow(const jitk_kernel *k, size_t n, size_t nargs, const void *const *args);
/* A call from its arguments on: `tagged`, or pointers with strides or NULL. */
JK_NOINLINE jitk_status jk_call_any(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                    const ptrdiff_t strides[], const jk_tagged *tagged, jitk_error *e);

/* ---- quick.c ---- */
JK_FUNC bool jk_quick_fits(const jitk_kernel *k); /* there is room for this kernel */
JK_FUNC bool jk_is_one_pass(const jitk_kernel *k);
/* 1 <= n <= k->chunk and k->nquick; p[nargs] as in jk_binds. */
JK_FUNC void jk_run_small(const jitk_kernel *k, size_t n, void *const *p);
enum { JK_QUICK_ARGS = JK_CALL_ARGS }; /* the most that take this way */
/* Parts that the driver has in common. */
JK_FUNC void jk_row_fill(void *row, const void *from, size_t rest, size_t size);
JK_FUNC void jk_scalars_in(const jitk_kernel *k, void *const *p, uint64_t *cell);
JK_FUNC void jk_scalars_out(const jitk_kernel *k, void *const *p, const uint64_t *cell);

/* ---- cache.c ---- */
JK_FUNC void jk_cache_count(jitk_info_t *info);
#endif
