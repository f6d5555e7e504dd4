/* kernel: the named kernels (jitk_sum and so on). Their programs are static data (named_tables.h); the first call of
 * each makes its kernel, and whoever is first wins. Where there is not even memory for that, the interpreter runs the
 * static program on the stack. */
#include "kernel.h"

#define JK_NAMED_ARGS 16 /* the most of a named kernel */

JK_STATE jitk_kernel *JK_SHARED(jk_named_kernels)[JK_NAMED_COUNT] = {NULL};

JK_NOINLINE jitk_kernel *jk_named_make(unsigned which)
{
    jitk_kernel **slot = &JK_SHARED(jk_named_kernels)[which], *first = NULL, *k;
    char buffer[16384];
    jk_arena arena;
    jitk_error e;
    e.status = JITK_OK;
    jk_arena_init(&arena, buffer, sizeof buffer);
    k = jk_kernel_make(&jk_named_programs[which], jk_settings_get()->isa, &arena, &e);
    jk_arena_free(&arena);
    if (k && !__atomic_compare_exchange_n(slot, &first, k, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        jk_kernel_free(k);
        k = first;
    }
    return k;
}

JK_NOINLINE void jk_named_interpret(unsigned which, size_t n, const jk_bind *bind)
{
    uint32_t cells[JK_NAMED_ARGS];
    jitk_kernel k;
    memset(&k, 0, sizeof k);
    k.program = jk_named_programs[which];
    k.frame_bytes = jk_interp_frame(&k.program);
    jk_kernel_measure(&k, cells);
    jk_kernel_run_named(&k, n, bind);
}

/* args: pointers to arrays and scalars in the signature's order. */
JK_FUNC void jk_named_call(unsigned which, size_t n, const void *const *args)
{
    uint32_t mode = jk_fp_enter();
    const jk_program *p = &jk_named_programs[which];
    jitk_kernel *k = __atomic_load_n(&JK_SHARED(jk_named_kernels)[which], __ATOMIC_ACQUIRE);
    jk_bind bind[JK_NAMED_ARGS];
    size_t i;
    for (i = 0; i < p->nargs; i++) {
        bind[i].p = (char *)(uintptr_t)args[i];
        bind[i].step = (ptrdiff_t)jk_type_size((jk_type)p->args[i].type);
    }
    if (!k)
        k = jk_named_make(which);
    if (k)
        jk_kernel_run_named(k, n, bind);
    else
        jk_named_interpret(which, n, bind);
    jk_fp_leave(mode);
}
