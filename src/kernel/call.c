/* kernel: the public calls, from their arguments on. What runs at every call stands here, in args.c and in quick.c. */
#include "kernel.h"

JK_NOINLINE jitk_status jk_kernel_run(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    if (!k->nquick || n - 1 >= k->chunk || b->npacked)
        return jk_run_driver(k, n, b, e);
    jk_run_small(k, n, b->p);
    return JITK_OK;
}

/* Whether results stand apart from all before them, or in place of an array parameter. Takes every argument for n
 * elements of 8 bytes: what this refuses is not wrong yet. */
static inline bool jk_apart_plain(const jitk_kernel *k, size_t nbytes, void *const *p)
{
    const jk_param_info *info = k->program.args;
    size_t i, out;
    for (out = k->program.nparams; out < k->program.nargs; out++)
        for (i = 0; i < out; i++)
            if ((uintptr_t)p[out] - (uintptr_t)p[i] + nbytes - 1 < 2 * nbytes - 1 &&
                (p[out] != p[i] || info[i].is_result || !info[i].is_array || !info[out].is_array))
                return false;
    return true;
}

/* Binds the arguments of most calls: pointers of the declared types (`args` is NULL) or of those that the caller says
 * they have, numbers that are floating point, nothing that might overlap but what is in place. False where anything
 * else is asked for, or wrong: the long way does it, or says what it is. p[JK_QUICK_ARGS]; `number` holds what had to
 * be converted. */
static inline bool jk_bind_plain(const jitk_kernel *k, size_t n, size_t nargs, const void *const *args,
                                 const jk_tagged *tagged, void **p, float *number)
{
    const jk_param_info *info;
    size_t i;
    if (!k || !k->plain || nargs != k->program.nargs || n - 1 >= k->chunk || (!tagged && !args))
        return false;
    info = k->program.args;
    for (i = 0; i < nargs; i++) {
        const void *x;
        if (!tagged) {
            x = args[i];
        } else {
            unsigned tag = tagged[i].tag;
            x = tagged[i].value.pointer;
            if (tag == ((unsigned)JITK_F64 | JK_TAG_NUMBER) && !info[i].is_result && !info[i].is_array &&
                info[i].type <= JK_F32) {
                number[i] = (float)tagged[i].value.f64;
                x = info[i].type == JK_F64 ? (const void *)&tagged[i].value : (const void *)&number[i];
                tag = JK_TAG_VOID;
            }
            if (!info[i].is_result)
                tag &= ~(unsigned)JK_TAG_CONST;
            if (tag != (unsigned)info[i].type && tag != JK_TAG_VOID)
                return false;
        }
        p[i] = (void *)(uintptr_t)x;
        if (!x)
            return false;
    }
    return jk_apart_plain(k, n * 8, p);
}

JK_SMALL_OPEN

JK_NOINLINE jitk_status jk_call_any(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                    const ptrdiff_t strides[], const jk_tagged *tagged, jitk_error *e)
{
    void *p[JK_FEW_ARGS], **many = NULL;
    ptrdiff_t step[JK_FEW_ARGS];
    uint64_t number[JK_FEW_ARGS];
    jk_binds b;
    jitk_status status;
    if (!k)
        return jk_fail(e, JITK_ERR_ARGS, "the kernel is NULL");
    b.p = p;
    b.step = step;
    b.number = number;
    if (k->program.nargs > JK_FEW_ARGS) {
        many = (void **)jk_quiet_malloc(k->program.nargs * (sizeof *b.p + sizeof *b.step + sizeof *b.number), e);
        if (!many)
            return e->status;
        b.p = many;
        b.step = (ptrdiff_t *)(many + k->program.nargs);
        b.number = (uint64_t *)(b.step + k->program.nargs);
    }
    status = jk_bind_all(k, n, nargs, tagged, args, strides, &b, e);
    if (status == JITK_OK)
        status = jk_kernel_run(k, n, &b, e);
    if (many)
        JK_FREE(many);
    return status;
}

JK_SMALL_CLOSE

/* The long way; `mode` is the caller's. */
JK_NOINLINE jitk_status jk_call_long(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                     const ptrdiff_t strides[], const jk_tagged *tagged, uint32_t mode)
{
    jitk_error e;
    e.status = JITK_OK;
    if (jk_call_any(k, n, nargs, args, strides, tagged, &e) != JITK_OK)
        jk_report(&e, NULL);
    jk_fp_leave(mode);
    return e.status;
}

/* A call whose arguments may be plain: `args` or `tagged`. */
static inline jitk_status jk_call_short(const jitk_kernel *k, size_t n, size_t nargs, const void *const *args,
                                        const jk_tagged *tagged)
{
    uint32_t mode = jk_fp_enter();
    void *p[JK_QUICK_ARGS];
    float number[JK_QUICK_ARGS];
    if (!jk_bind_plain(k, n, nargs, args, tagged, p, number))
        return jk_call_long(k, n, nargs, args, NULL, tagged, mode);
    jk_run_small(k, n, p);
    jk_fp_leave(mode);
    return JITK_OK;
}

JITK_API jitk_status jk_call_tagged(const jitk_kernel *kernel, size_t n, size_t nargs, const jk_tagged *args)
{
    return jk_call_short(kernel, n, nargs, NULL, args);
}

JITK_API jitk_status jitk_call_strided(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[],
                                       const ptrdiff_t strides[])
{
    return jk_call_long(kernel, n, nargs, args, strides, NULL, jk_fp_enter());
}

JITK_API jitk_status jitk_callv(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[])
{
    return jk_call_short(kernel, n, nargs, args, NULL);
}
