/* kernel: the arguments of a call, bound to places and checked. All that can be wrong with them is found here, before
 * anything is written: after jk_bind_all a call can fail for want of memory only. The first error is kept, so that
 * binding and checking just go on behind one. */
#include "../fp.h"
#include "kernel.h"

JK_SMALL_OPEN
/* "argument 3 (y): ..." or "argument 4 (result 1): ...". */
JK_NOINLINE void jk_arg_fail(const jitk_kernel *k, size_t i, jitk_status status, jitk_error *e, const char *what)
{
    const jk_program *p = &k->program;
    if (i < p->nparams)
        jk_fail(e, status, "argument %zu (%.63s): %s", i + 1, p->args[i].name, what);
    else
        jk_fail(e, status, "argument %zu (result %zu): %s", i + 1, i - p->nparams + 1, what);
}

/* What is wrong with the whole of a call. */
JK_NOINLINE jitk_status jk_call_fail(const jitk_kernel *k, size_t n, size_t nargs, jitk_error *e)
{
    const jk_program *p = &k->program;
    if (nargs != p->nargs)
        return jk_fail(
            e, JITK_ERR_ARGS,
            "%zu arguments where the kernel takes %u: one for each parameter (%u), then one for each result (%u)",
            nargs, (unsigned)p->nargs, (unsigned)p->nparams, (unsigned)(p->nargs - p->nparams));
    if (n > k->max_n)
        return jk_fail(e, JITK_ERR_ARGS, "n is %zu (%td as a signed number): no such array fits in memory", n,
                       (ptrdiff_t)n);
    return jk_refuse(e, JITK_ERR_ARGS, "the array of arguments is NULL");
}

/* ---- binding ---- */

/* An argument that is not simply a pointer of the right type: a number, a pointer to const or void, or an error. */
JK_NOINLINE void jk_bind_odd(const jitk_kernel *k, size_t i, const jk_tagged *a, jk_binds *b, jitk_error *e)
{
    static const char *const pointers[] = {"double *", "float *", "int64_t *", "int32_t *", "uint8_t *"};
    const jk_param_info *info = &k->program.args[i];
    unsigned type = a->tag & JK_TAG_TYPE;
    char what[128];
    if (info->is_result && a->tag & (JK_TAG_NUMBER | JK_TAG_CONST)) {
        jk_arg_fail(k, i, JITK_ERR_TYPE, e,
                    a->tag & JK_TAG_NUMBER ? "a number where a result needs a pointer"
                                           : "a pointer to const where a result is written");
    } else if (a->tag & JK_TAG_NUMBER) {
        jk_number_store(&b->number[i], (jk_type)info->type, a);
        b->p[i] = &b->number[i];
        b->step[i] = 0;
        b->npacked += info->is_array && info->type == k->program.type;
    } else if (type != info->type && type != JK_TAG_VOID) {
        snprintf(what, sizeof what, "%s where the kernel has %s %s (%s)", pointers[type],
                 jk_type_name((jk_type)info->type), info->is_array ? "array" : "scalar", pointers[info->type]);
        jk_arg_fail(k, i, JITK_ERR_TYPE, e, what);
    }
}

/* The stride of an array, in elements and not 1. */
JK_FUNC void jk_bind_stride(const jitk_kernel *k, size_t n, size_t i, ptrdiff_t stride, jk_binds *b, jitk_error *e)
{
    const jk_param_info *info = &k->program.args[i];
    ptrdiff_t size = b->step[i];
    size_t apart = stride < 0 ? 0 - (size_t)stride : (size_t)stride;
    if (stride == 0 && info->is_result) {
        jk_arg_fail(k, i, JITK_ERR_ARGS, e, "a result of stride 0");
    } else if (n <= 1) {
        /* One element has no next one: any stride is as good as 1, and not in the way of work in place. */
    } else if (stride && n > (size_t)(PTRDIFF_MAX / size) / apart) {
        jk_arg_fail(k, i, JITK_ERR_ARGS, e, "n elements of this stride do not fit in memory");
    } else {
        b->step[i] = stride * size;
        b->npacked += info->type == k->program.type;
    }
}

/* ---- overlaps: allowed or not ---- */

/* Whether an element of one array is an element of the other, for equal steps. Element i of the one stands at i*step,
 * element j of the other at d + j*step: they touch where -other_size < d - (i - j)*step < size, so only the two whole
 * numbers beside d/step can be i - j. */
JK_NOINLINE bool jk_elements_touch(size_t size, size_t other_size, ptrdiff_t d, ptrdiff_t step, size_t n)
{
    size_t distance = d < 0 ? 0 - (size_t)d : (size_t)d, stride = step < 0 ? 0 - (size_t)step : (size_t)step;
    size_t apart = distance / stride, rest = distance % stride;
    return (apart < n && rest < (d < 0 ? other_size : size)) ||
           (apart + 1 < n && stride - rest < (d < 0 ? size : other_size));
}

/* The byte ranges of these two meet: an error, but for work in place and fields that do not touch. */
JK_NOINLINE void jk_overlap_check(const jitk_kernel *k, size_t n, const jk_binds *b, size_t out, size_t other,
                                  jitk_error *e)
{
    const jk_param_info *x = &k->program.args[out], *y = &k->program.args[other];
    ptrdiff_t d = (ptrdiff_t)((uintptr_t)b->p[other] - (uintptr_t)b->p[out]);
    char what[128];
    if (x->is_array == y->is_array && b->step[out] == b->step[other]) {
        if (d == 0 && x->type == y->type && !y->is_result)
            return;
        if (!jk_elements_touch(jk_type_size((jk_type)x->type), jk_type_size((jk_type)y->type), d, b->step[out],
                               x->is_array ? n : 1))
            return;
    }
    snprintf(what, sizeof what, "it overlaps argument %zu%s", other + 1,
             y->is_result ? ", another result" : " and is not in place: same address, stride and element type");
    jk_arg_fail(k, out, JITK_ERR_ARGS, e, what);
}

typedef struct jk_extent { /* of an argument in memory; both 0: no element */
    uintptr_t low, end;
} jk_extent;

JK_FUNC jk_extent jk_extent_of(const jk_param_info *info, size_t n, const jk_binds *b, size_t i)
{
    jk_extent x;
    x.low = (uintptr_t)b->p[i];
    x.end = x.low + jk_type_size((jk_type)info->type);
    if (info->is_array && n == 0) {
        x.low = x.end = 0;
    } else if (info->is_array) {
        uintptr_t reach = (uintptr_t)b->step[i] * (n - 1);
        if (b->step[i] < 0)
            x.low += reach;
        else
            x.end += reach;
    }
    return x;
}

/* A result against all that stands before it. */
JK_FUNC void jk_overlaps_check(const jitk_kernel *k, size_t n, const jk_binds *b, size_t out, jitk_error *e)
{
    const jk_param_info *info = k->program.args;
    jk_extent x = {0, 0}, y;
    size_t i, other;
    for (i = 0; i <= out; i++) {
        other = i ? i - 1 : out; /* the result itself first */
        y = jk_extent_of(&info[other], n, b, other);
        if (i == 0)
            x = y;
        else if (y.low < x.end && x.low < y.end)
            jk_overlap_check(k, n, b, out, other, e);
    }
}

/* ---- all that calls need but the most usual ones (call.c) ---- */
JK_NOINLINE jitk_status jk_bind_all(const jitk_kernel *k, size_t n, size_t nargs, const jk_tagged *tagged,
                                    const void *const args[], const ptrdiff_t strides[], jk_binds *b, jitk_error *e)
{
    const jk_param_info *info = k->program.args;
    size_t i;
    if (nargs != k->program.nargs || (!tagged && !args))
        return jk_call_fail(k, 0, nargs, e);
    b->npacked = k->npacked;
    for (i = 0; i < nargs; i++) {
        b->step[i] = (ptrdiff_t)jk_type_size((jk_type)info[i].type);
        b->p[i] = (void *)(uintptr_t)(tagged ? tagged[i].value.pointer : args[i]);
        if (tagged && tagged[i].tag != info[i].type)
            jk_bind_odd(k, i, &tagged[i], b, e);
        else if (strides && info[i].is_array && strides[i] != 1)
            jk_bind_stride(k, n, i, strides[i], b, e);
    }
    if (n == 0)
        b->npacked = 0;
    if (n > k->max_n)
        jk_call_fail(k, n, nargs, e);
    for (i = 0; i < nargs; i++)
        if (!b->p[i] && (n > 0 || !info[i].is_array))
            jk_arg_fail(k, i, JITK_ERR_ARGS, e, info[i].is_array ? "NULL for an array" : "NULL for a scalar");
    for (i = k->program.nparams; i < nargs; i++)
        jk_overlaps_check(k, n, b, i, e);
    return e->status;
}

JK_SMALL_CLOSE
