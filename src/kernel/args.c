/* kernel: the arguments of a call, bound to places and checked. All that can be wrong with them is found here, before
 * anything is written: after jk_bind_check a call can fail for want of memory only. */
#include "../fp.h"
#include "kernel.h"

JK_SMALL_OPEN
/* "argument 3 (y): ..." or "argument 4 (result 1): ...". */
JK_NOINLINE jitk_status jk_arg_fail(const jitk_kernel *k, size_t i, jitk_status status, jitk_error *e, const char *what)
{
    const jk_program *p = &k->program;
    if (i < p->nparams)
        return jk_fail(e, status, 0, 0, 0, "argument %zu (%.63s): %s", i + 1, p->args[i].name, what);
    return jk_fail(e, status, 0, 0, 0, "argument %zu (result %zu): %s", i + 1, i - p->nparams + 1, what);
}

JK_NOINLINE jitk_status jk_arg_fail_type(const jitk_kernel *k, size_t i, unsigned have, jitk_error *e)
{
    static const char *const pointers[] = {"double *", "float *", "int64_t *", "int32_t *", "uint8_t *"};
    const jk_param_info *info = &k->program.args[i];
    char what[128];
    snprintf(what, sizeof what, "%s where the kernel has %s %s (%s)", pointers[have], jk_type_name((jk_type)info->type),
             info->is_array ? "array" : "scalar", pointers[info->type]);
    return jk_arg_fail(k, i, JITK_ERR_TYPE, e, what);
}

JK_NOINLINE jitk_status jk_arg_fail_count(const jitk_kernel *k, size_t nargs, jitk_error *e)
{
    const jk_program *p = &k->program;
    return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "%zu arguments where the kernel takes %u: %u parameters, then %u results",
                   nargs, (unsigned)p->nargs, (unsigned)p->nparams, (unsigned)(p->nargs - p->nparams));
}

/* ---- binding ---- */

/* An argument that is not simply a pointer of the right type: a number, a pointer to const or void, or an error. */
JK_NOINLINE jitk_status jk_bind_odd(const jitk_kernel *k, size_t i, const jk_tagged *a, jk_binds *b, jitk_error *e)
{
    const jk_param_info *info = &k->program.args[i];
    unsigned type = a->tag & JK_TAG_TYPE;
    if (a->tag & JK_TAG_NUMBER) {
        if (info->is_result)
            return jk_arg_fail(k, i, JITK_ERR_TYPE, e, "a number where a result needs a pointer");
        jk_number_store(&b->number[i], (jk_type)info->type, a);
        b->p[i] = &b->number[i];
        b->step[i] = 0;
        b->npacked += info->is_array && info->type == k->program.type;
        return JITK_OK;
    }
    if (info->is_result && (a->tag & JK_TAG_CONST))
        return jk_arg_fail(k, i, JITK_ERR_TYPE, e, "a pointer to const where a result is written");
    if (type != info->type && type != JK_TAG_VOID)
        return jk_arg_fail_type(k, i, type, e);
    return JITK_OK;
}

/* The stride of an array, in elements and not 1. */
JK_FUNC jitk_status jk_bind_stride(const jitk_kernel *k, size_t n, size_t i, ptrdiff_t stride, jk_binds *b,
                                   jitk_error *e)
{
    const jk_param_info *info = &k->program.args[i];
    ptrdiff_t size = b->step[i];
    if (stride == 0 && info->is_result)
        return jk_arg_fail(k, i, JITK_ERR_ARGS, e, "a result of stride 0");
    /* One element has no next one: any stride is as good as 1, and not in the way of work in place. */
    if (n <= 1)
        return JITK_OK;
    if (stride && n > (size_t)(PTRDIFF_MAX / size) / (stride < 0 ? 0 - (size_t)stride : (size_t)stride))
        return jk_arg_fail(k, i, JITK_ERR_ARGS, e, "n elements of this stride do not fit in memory");
    b->step[i] = stride * size;
    b->npacked += info->type == k->program.type;
    return JITK_OK;
}

JK_FUNC jitk_status jk_bind_pointers(const jitk_kernel *k, size_t n, const void *const args[],
                                     const ptrdiff_t strides[], jk_binds *b, jitk_error *e)
{
    const jk_param_info *info = k->program.args;
    size_t i, nargs = k->program.nargs;
    if (!args)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "the array of arguments is NULL");
    for (i = 0; i < nargs; i++) {
        b->p[i] = (void *)(uintptr_t)args[i];
        b->step[i] = (ptrdiff_t)jk_type_size((jk_type)info[i].type);
        if (strides && info[i].is_array && strides[i] != 1 && jk_bind_stride(k, n, i, strides[i], b, e) != JITK_OK)
            return e->status;
    }
    return JITK_OK;
}

/* ---- overlaps: allowed or not ---- */

/* Whether an element of the one array is an element of the other, for equal steps. Element i of the one stands at
 * i*step, element j of the other at d + j*step: they touch where -other_size < d - (i - j)*step < size, so only the two
 * whole numbers beside d/step can be i - j. */
JK_FUNC bool jk_elements_touch(size_t size, size_t other_size, ptrdiff_t d, ptrdiff_t step, size_t n)
{
    ptrdiff_t apart, rest;
    step = n == 1 ? PTRDIFF_MAX : step < 0 ? -step : step;
    apart = d / step;
    rest = d % step;
    if (rest < 0) {
        rest += step;
        apart--;
    }
    return ((size_t)rest < size && (size_t)(apart < 0 ? -apart : apart) < n) ||
           ((size_t)(step - rest) < other_size && (size_t)(apart < -1 ? -(apart + 1) : apart + 1) < n);
}

/* Whether it is allowed that the byte ranges of these two meet. */
JK_NOINLINE bool jk_overlap_allowed(const jitk_kernel *k, size_t n, const jk_binds *b, size_t out, size_t other)
{
    const jk_param_info *x = &k->program.args[out], *y = &k->program.args[other];
    if (x->is_array != y->is_array || b->step[out] != b->step[other])
        return false;
    if (x->type == y->type && b->p[out] == b->p[other])
        return !y->is_result;
    return !jk_elements_touch(jk_type_size((jk_type)x->type), jk_type_size((jk_type)y->type),
                              (ptrdiff_t)((uintptr_t)b->p[other] - (uintptr_t)b->p[out]), b->step[out],
                              x->is_array ? n : 1);
}

JK_NOINLINE jitk_status jk_overlap_fail(const jitk_kernel *k, size_t out, size_t other, jitk_error *e)
{
    char what[128];
    snprintf(what, sizeof what, "it overlaps argument %zu%s", other + 1,
             other < k->program.nparams ? " and is not in place: same address, stride and element type"
                                        : ", another result");
    return jk_arg_fail(k, out, JITK_ERR_ARGS, e, what);
}

JK_SMALL_CLOSE

/* ---- what runs at every call ---- */

JK_FUNC jitk_status jk_bind_tagged(const jitk_kernel *k, const jk_tagged *args, jk_binds *b, jitk_error *e)
{
    const jk_param_info *info = k->program.args;
    size_t i, nargs = k->program.nargs;
    for (i = 0; i < nargs; i++) {
        b->p[i] = (void *)(uintptr_t)args[i].value.pointer;
        b->step[i] = (ptrdiff_t)jk_type_size((jk_type)info[i].type);
        if (args[i].tag != info[i].type && jk_bind_odd(k, i, &args[i], b, e) != JITK_OK)
            return e->status;
    }
    return JITK_OK;
}

typedef struct jk_extent { /* of an argument in memory; empty: low is end */
    uintptr_t low, end;
} jk_extent;

JK_FUNC jk_extent jk_extent_of(const jitk_kernel *k, size_t n, const jk_binds *b, size_t i)
{
    const jk_param_info *info = &k->program.args[i];
    size_t count = info->is_array ? n : 1, size = jk_type_size((jk_type)info->type);
    jk_extent x;
    x.low = (uintptr_t)b->p[i];
    x.end = x.low + size;
    if (count == 0 || b->p[i] == (void *)&b->number[i]) {
        x.end = x.low;
    } else if (count > 1) {
        uintptr_t reach = (uintptr_t)b->step[i] * (count - 1);
        if (b->step[i] < 0)
            x.low += reach;
        else
            x.end += reach;
    }
    return x;
}

JK_FUNC jitk_status jk_overlap_check(const jitk_kernel *k, size_t n, const jk_binds *b, size_t out, jitk_error *e)
{
    jk_extent x = jk_extent_of(k, n, b, out), y;
    size_t i;
    for (i = 0; i < out; i++) {
        y = jk_extent_of(k, n, b, i);
        if (y.low < x.end && x.low < y.end && x.low < x.end && y.low < y.end && !jk_overlap_allowed(k, n, b, out, i))
            return jk_overlap_fail(k, out, i, e);
    }
    return JITK_OK;
}

JK_FUNC jitk_status jk_bind_check(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    const jk_program *p = &k->program;
    size_t i;
    if (n > k->max_n)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "n is %zu (%td as a signed number): no such array fits in memory", n,
                       (ptrdiff_t)n);
    for (i = 0; i < p->nargs; i++)
        if (!b->p[i] && (n > 0 || !p->args[i].is_array))
            return jk_arg_fail(k, i, JITK_ERR_ARGS, e, p->args[i].is_array ? "NULL for an array" : "NULL for a scalar");
    for (i = p->nparams; i < p->nargs; i++)
        if (jk_overlap_check(k, n, b, i, e) != JITK_OK)
            return e->status;
    return JITK_OK;
}

JK_FUNC jitk_status jk_bind_all(const jitk_kernel *k, size_t n, size_t nargs, const jk_tagged *tagged,
                                const void *const args[], const ptrdiff_t strides[], jk_binds *b, jitk_error *e)
{
    jitk_status status;
    if (nargs != k->program.nargs)
        return jk_arg_fail_count(k, nargs, e);
    b->npacked = k->npacked;
    status = tagged ? jk_bind_tagged(k, tagged, b, e) : jk_bind_pointers(k, n, args, strides, b, e);
    if (n == 0)
        b->npacked = 0;
    return status == JITK_OK ? jk_bind_check(k, n, b, e) : status;
}
