/* kernel: the public calls, from their arguments on. What runs at every call stands here, in args.c and in quick.c. */
#include "kernel.h"

JK_FUNC jitk_status jk_kernel_run(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    if (!k->nquick || n - 1 >= JK_CHUNK || b->npacked)
        return jk_run_driver(k, n, b, e);
    if (jk_is_one(k, n))
        jk_run_one(k, n, b->p);
    else
        jk_run_quick(k, n, b->p);
    return JITK_OK;
}

/* More arguments than there is room for on the stack. */
JK_NOINLINE jitk_status jk_call_many(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                     const ptrdiff_t strides[], const jk_tagged *tagged, jitk_error *e)
{
    jk_binds b;
    jitk_status status;
    int saved = errno;
    b.p = (void **)JK_MALLOC(k->program.nargs * (sizeof *b.p + sizeof *b.step + sizeof *b.number));
    errno = saved;
    if (!b.p)
        return jk_fail_nomem(e);
    b.step = (ptrdiff_t *)(b.p + k->program.nargs);
    b.number = (uint64_t *)(b.step + k->program.nargs);
    status = jk_bind_all(k, n, nargs, tagged, args, strides, &b, e);
    if (status == JITK_OK)
        status = jk_kernel_run(k, n, &b, e);
    JK_FREE(b.p);
    return status;
}

JK_FUNC jitk_status jk_call_any(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                const ptrdiff_t strides[], const jk_tagged *tagged, jitk_error *e)
{
    void *p[JK_FEW_ARGS];
    ptrdiff_t step[JK_FEW_ARGS];
    uint64_t number[JK_FEW_ARGS];
    jk_binds b;
    jitk_status status;
    if (!k)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "the kernel is NULL");
    if (k->program.nargs > JK_FEW_ARGS)
        return jk_call_many(k, n, nargs, args, strides, tagged, e);
    b.p = p;
    b.step = step;
    b.number = number;
    status = jk_bind_all(k, n, nargs, tagged, args, strides, &b, e);
    return status == JITK_OK ? jk_kernel_run(k, n, &b, e) : status;
}

JITK_API jitk_status jk_call_tagged(const jitk_kernel *kernel, size_t n, size_t nargs, const jk_tagged *args)
{
    uint32_t mode = jk_fp_enter();
    jitk_error e;
    e.status = JITK_OK;
    if (jk_call_any(kernel, n, nargs, NULL, NULL, args, &e) != JITK_OK)
        jk_report(&e, NULL);
    jk_fp_leave(mode);
    return e.status;
}

JITK_API jitk_status jitk_call_strided(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[],
                                       const ptrdiff_t strides[])
{
    uint32_t mode = jk_fp_enter();
    jitk_error e;
    e.status = JITK_OK;
    if (jk_call_any(kernel, n, nargs, args, strides, NULL, &e) != JITK_OK)
        jk_report(&e, NULL);
    jk_fp_leave(mode);
    return e.status;
}

JITK_API jitk_status jitk_callv(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[])
{
    return jitk_call_strided(kernel, n, nargs, args, NULL);
}
