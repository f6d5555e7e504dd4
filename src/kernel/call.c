/* kernel: the public calls, from their arguments on. What runs at every call stands here, in args.c and in quick.c. */
#include "kernel.h"

JK_SMALL_OPEN

JK_NOINLINE jitk_status jk_kernel_run(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    if (!k->nquick || n - 1 >= k->chunk || b->npacked)
        return jk_run_driver(k, n, b, e);
    jk_run_small(k, n, b->p);
    return JITK_OK;
}

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

JK_SMALL_CLOSE

/* Whether a call is one of most: not long, no array of another type. */
static inline bool jk_is_short(const jitk_kernel *k, size_t n, size_t nargs)
{
    return k && nargs == k->program.nargs && n - 1 < k->short_n;
}

/* Whether no pointer is NULL and all results stand apart from what is before them, or in the place of an array
 * parameter. Takes every argument for n elements of 8 bytes: what this refuses is not wrong yet, the long way does it,
 * or says what is. */
JK_NOINLINE bool jk_stand_apart(const jitk_kernel *k, size_t nbytes, void *const *p)
{
    const jk_param_info *info = k->program.args;
    size_t i, out;
    for (out = 0; out < k->program.nargs; out++) {
        if (!p[out])
            return false;
        for (i = 0; info[out].is_result && i < out; i++)
            if ((uintptr_t)p[out] - (uintptr_t)p[i] + nbytes - 1 < 2 * nbytes - 1 &&
                (p[out] != p[i] || info[i].is_result || !info[i].is_array || !info[out].is_array))
                return false;
    }
    return true;
}

/* What is plainest machine code does without this (jk_call_fn). */
JK_FUNC jitk_status jk_call_slow(const jitk_kernel *k, size_t n, size_t nargs, const void *const *args)
{
    uint32_t mode = jk_fp_enter();
    void *const *p = (void *const *)args;
    if (!p || !jk_is_short(k, n, nargs) || !jk_stand_apart(k, n * 8, p))
        return jk_call_long(k, n, nargs, args, NULL, NULL, mode);
    jk_run_small(k, n, p);
    jk_fp_leave(mode);
    return JITK_OK;
}

JK_SMALL_OPEN

/* To f32 as the library rounds. */
JK_NOINLINE float jk_single(double x)
{
    volatile double from = x;
    volatile float single; /* both volatile: no compiler moves the conversion out of the mode */
    uint32_t mode = jk_fp_enter();
    single = (float)from;
    jk_fp_leave(mode);
    return single;
}

/* The pointers of tagged arguments: of the declared types, or numbers that are floating point; `number` holds what had
 * to be converted. False where there is anything else. */
static inline bool jk_untag(const jitk_kernel *k, const jk_tagged *tagged, void **p, float *number)
{
    const jk_param_info *info = k->program.args;
    size_t i;
    for (i = 0; i < k->program.nargs; i++) {
        unsigned tag = tagged[i].tag;
        p[i] = (void *)(uintptr_t)tagged[i].value.pointer;
        if (tag == ((unsigned)JITK_F64 | JK_TAG_NUMBER) && !info[i].is_result && !info[i].is_array &&
            info[i].type <= JK_F32) {
            p[i] = (void *)(uintptr_t)&tagged[i].value;
            if (info[i].type == JK_F32) {
                number[i] = jk_single(tagged[i].value.f64);
                p[i] = &number[i];
            }
            tag = JK_TAG_VOID;
        }
        if (!info[i].is_result)
            tag &= ~(unsigned)JK_TAG_CONST;
        if (tag != (unsigned)info[i].type && tag != JK_TAG_VOID)
            return false;
    }
    return true;
}

JITK_API jitk_status jk_call_tagged(const jitk_kernel *kernel, size_t n, size_t nargs, const jk_tagged *args)
{
    void *p[JK_QUICK_ARGS];
    float number[JK_QUICK_ARGS];
    if (!args || !jk_is_short(kernel, n, nargs) || !jk_untag(kernel, args, p, number))
        return jk_call_long(kernel, n, nargs, NULL, NULL, args, jk_fp_enter());
    return kernel->call(kernel, n, nargs, (const void *const *)p);
}

JITK_API jitk_status jitk_call_strided(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[],
                                       const ptrdiff_t strides[])
{
    return jk_call_long(kernel, n, nargs, args, strides, NULL, jk_fp_enter());
}

JK_SMALL_CLOSE

JITK_API jitk_status jitk_callv(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[])
{
    return kernel ? kernel->call(kernel, n, nargs, args) : jk_call_slow(kernel, n, nargs, args);
}
