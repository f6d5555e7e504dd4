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

JK_FUNC void jk_named_interpret(unsigned which, size_t n, const jk_binds *b)
{
    uint64_t block[JK_NAMED_BLOCK];
    jitk_kernel k;
    jk_kernel_interpret(&k, &jk_named_programs[which], block);
    jk_run_driver(&k, n, b, NULL);
}

/* What is not one pass of a kernel that there is already. `mode` is the caller's. All arrays are of the kernel's type,
 * so that nothing is packed. */
JK_NOINLINE void jk_named_long(jitk_kernel *k, unsigned which, size_t n, const void *const *args, uint32_t mode)
{
    jk_binds b;
    b.p = (void **)(uintptr_t)args;
    b.npacked = 0;
    if (!k)
        k = jk_named_make(which);
    if (k)
        jk_kernel_run(k, n, &b, NULL);
    else
        jk_named_interpret(which, n, &b);
    jk_fp_leave(mode);
}

JK_SMALL_CLOSE

/* args: pointers to arrays and scalars in the signature's order. */
static inline void jk_named_at(unsigned which, size_t n, const void *const *args)
{
    uint32_t mode = jk_fp_enter();
    jitk_kernel *k = __atomic_load_n(&JK_SHARED(jk_named_kernels)[which], __ATOMIC_ACQUIRE);
    if (k && n - 1 < k->chunk && jk_is_one(k, n)) {
        jk_run_one(k, n, (void *const *)(uintptr_t)args);
        jk_fp_leave(mode);
    } else {
        jk_named_long(k, which, n, args, mode);
    }
}

JK_NOINLINE void jk_named_call(unsigned which, size_t n, const void *const *args)
{
    jk_named_at(which, n, args);
}

/* What the functions of the common forms tail-call (gen/wrappers.c), with the arguments where they are already: one or
 * two arrays of which one number is made; an array that is written over, y, with a number and perhaps another array x,
 * else y twice. */
#define JK_NAMED_REDUCE(T, name, call)                                                    \
    JK_NOINLINE T jk_named_##name(const void *x, size_t n, unsigned which, const void *y) \
    {                                                                                     \
        const void *args[3];                                                              \
        T result;                                                                         \
        args[0] = x;                                                                      \
        args[1] = y;                                                                      \
        args[jk_named_programs[which].nparams] = &result;                                 \
        call(which, n, args);                                                             \
        return result;                                                                    \
    }
#define JK_NAMED_UPDATE(T, name)                                                                         \
    JK_NOINLINE void jk_named_update_##name(T a, const void *x, const void *y, size_t n, unsigned which) \
    {                                                                                                    \
        const void *args[4];                                                                             \
        args[0] = &a;                                                                                    \
        args[1] = x;                                                                                     \
        args[2] = args[3] = y;                                                                           \
        jk_named_call(which, n, args);                                                                   \
    }
JK_NAMED_REDUCE(double, f64, jk_named_at)
JK_NAMED_REDUCE(float, f32, jk_named_at)
JK_NAMED_REDUCE(int64_t, i64, jk_named_call)
JK_NAMED_UPDATE(double, f64)
JK_NAMED_UPDATE(float, f32)
#undef JK_NAMED_REDUCE
#undef JK_NAMED_UPDATE
#undef JK_NAMED_BLOCK
