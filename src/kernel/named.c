/* kernel: the named kernels (jitk_sum and so on). Their programs are static data (named_tables.h); the first call of
 * each makes its kernel, and whoever is first wins. Where there is not even memory for that, the interpreter runs the
 * static program on the stack. */
#include "kernel.h"

/* The words that jk_kernel_interpret needs for any of them. */
#define JK_NAMED_BLOCK 64

JK_STATE jitk_kernel *JK_SHARED(jk_named_kernels)[JK_NAMED_COUNT] = {NULL};

JK_SMALL_OPEN

JK_NOINLINE jitk_kernel *jk_named_make(unsigned which)
{
    jitk_kernel **slot = &JK_SHARED(jk_named_kernels)[which], *first = NULL, *k;
    char buffer[16384];
    int saved = errno;
    jk_arena arena;
    jitk_error e;
    e.status = JITK_OK;
    jk_arena_init(&arena, buffer, sizeof buffer);
    k = jk_kernel_make(&jk_named_programs[which], jk_settings_get()->info.isa, &arena, &e);
    jk_arena_free(&arena);
    errno = saved;
    if (k && !__atomic_compare_exchange_n(slot, &first, k, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        jk_kernel_free(k);
        k = first;
    }
    return k;
}

JK_NOINLINE void jk_named_interpret(unsigned which, size_t n, const jk_binds *b)
{
    uint64_t block[JK_NAMED_BLOCK];
    jitk_kernel k;
    jk_kernel_interpret(&k, &jk_named_programs[which], block);
    jk_run_driver(&k, n, b, NULL);
}

JK_SMALL_CLOSE

/* args: pointers to arrays and scalars in the signature's order. All arrays are of the kernel's type, so that nothing
 * is packed. */
JK_FUNC void jk_named_call(unsigned which, size_t n, const void *const *args)
{
    uint32_t mode = jk_fp_enter();
    jitk_kernel *k = __atomic_load_n(&JK_SHARED(jk_named_kernels)[which], __ATOMIC_ACQUIRE);
    jk_binds b;
    b.p = (void **)(uintptr_t)args;
    if (k && n - 1 < k->chunk && jk_is_one(k, n)) {
        jk_run_one(k, n, b.p);
        jk_fp_leave(mode);
        return;
    }
    b.step = NULL;
    b.number = NULL;
    b.npacked = 0;
    if (!k)
        k = jk_named_make(which);
    if (k)
        jk_kernel_run(k, n, &b, NULL);
    else
        jk_named_interpret(which, n, &b);
    jk_fp_leave(mode);
}
#undef JK_NAMED_BLOCK
