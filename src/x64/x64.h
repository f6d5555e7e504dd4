/* x64: IR to x86-64 machine code, for the scalar, SSE2, AVX2 and AVX-512 encodings. The only room that knows both the
 * IR and the assembler. */
#ifndef JK_X64_H
#define JK_X64_H
#include "../asm/asm.h"
#include "../run.h"

typedef void (*jk_uniform_fn)(const jk_run *r);
/* Meaning as jk_interp_pass. A pass with reductions takes several chunks, of which only the last may not be whole:
 * their nodes stand in turn from r->node on, which points to the last chunk's afterwards. It returns the first one of
 * these, which spares a way through memory. */
typedef double (*jk_pass_fn)(const jk_run *r, size_t first, size_t count, size_t flags);
typedef size_t (*jk_find_fn)(const jk_run *r, size_t first, size_t count); /* as jk_interp_find */

/* A call of a program that is one map, of at most JK_CALL_ARGS arguments, by the arguments of jitk_callv: does what
 * most calls are, and leaves all others (a wrong number of arguments, NULL, overlaps, many elements, another mode, ...)
 * to what the kernel's first member points to. */
#define JK_CALL_ARGS 8
typedef jitk_status (*jk_call_fn)(const jitk_kernel *k, size_t n, size_t nargs, const void *const *args);

#define JK_NOCODE SIZE_MAX

typedef struct jk_code {
    const uint8_t *bytes; /* position independent; align the start to 64 */
    size_t nbytes;
    size_t *stage;      /* [nstages] offset of each stage's entry; JK_NOCODE where there is nothing to run */
    size_t **find;      /* [nstages] NULL, or [nred] entries: offset of a RARGMIN's search, else JK_NOCODE */
    size_t call;        /* offset of a jk_call_fn, or 0 */
    size_t frame_bytes; /* of jk_run.frame */
    uint32_t rest;      /* jk_run.tail is needed where count has such bits: lanes less one, or 0 */
} jk_code;

/* `isa` may be JK_ISA_FUNCTION: a native scalar function (SysV), all parameters scalars of the kernel's type, one
 * result; its entry is at offset 0. `fma`: the CPU has FMA and AVX2, so that scalar code may use them. `listing`: NULL,
 * or where the text of the listing goes, with addresses from `address` on. All memory is the arena's. */
#define JK_ISA_FUNCTION JITK_ISA_AUTO
JK_FUNC jitk_status jk_x64_compile(const jk_program *p, jitk_isa isa, bool fma, FILE *listing, uint64_t address,
                                   jk_arena *arena, jk_code *out, jitk_error *e);
#endif
