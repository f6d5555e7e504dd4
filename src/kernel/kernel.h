/* kernel: ties the rooms together: compile, cache, check arguments, run. */
#ifndef JK_KERNEL_H
#define JK_KERNEL_H
#include "../cpu.h"
#include "../exec.h"
#include "../x64/x64.h"

struct jitk_kernel {
    jk_program program;
    jitk_isa isa;                /* what runs: INTERP also where code pages were refused */
    jk_exec exec;
    const jk_code *code;         /* offsets; NULL in the interpreter */
    jk_uniform_fn *uniform;      /* [nstages] NULL: nothing to run */
    jk_pass_fn *pass;            /* [nstages] */
    size_t frame_bytes;
    jk_arena arena;              /* owns all but the pages */
};

/* Compiles a planned program (in `arena`, which the kernel takes over on success). */
JK_FUNC jitk_kernel *jk_kernel_make(const jk_program *p, jitk_isa isa, jk_arena *arena, jitk_error *e);
/* Runs with arguments already checked; strides in elements or NULL; types[i] is the element type that args[i] has (the
 * signature's where NULL). */
JK_FUNC jitk_status jk_kernel_run(const jitk_kernel *k, size_t n, const void *const args[], const ptrdiff_t strides[],
                                  jitk_error *e);
#endif
