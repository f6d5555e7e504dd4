/* kernel: the arguments of a call, bound to places and checked. All that can be wrong with them is found here, before
 * anything is written: after jk_bind_all a call can fail for want of memory only. */
#include "../fp.h"
#include "kernel.h"

JK_SMALL_OPEN
/* "argument 3 (y): ..." or "argument 4 (result 1): ...". */
JK_NOINLINE jitk_status jk_arg_fail(const jitk_kernel *k, size_t i, jitk_status status, jitk_error *e, const char *what)
{
    const jk_program *p = &k->program;
    char name[64];
    if (i < p->nparams)
        snprintf(name, sizeof name, "%s", p->args[i].name);
    else
        snprintf(name, sizeof name, "result %zu", i - p->nparams + 1);
    return jk_fail(e, status, 0, 0, 0, "argument %zu (%s): %s", i + 1, name, what);
}

/* What is wrong with the whole of a call. */
JK_NOINLINE jitk_status jk_call_fail(const jitk_kernel *k, size_t n, size_t nargs, jitk_error *e)
{
    const jk_program *p = &k->program;
    if (nargs != p->nargs)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0,
                       "%zu arguments where the kernel takes %u: %u parameters, then %u results", nargs,
                       (unsigned)p->nargs, (unsigned)p->nparams, (unsigned)(p->nargs - p->nparams));
    if (n > k->max_n)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "n is %zu (%td as a signed number): no such array fits in memory", n,
                       (ptrdiff_t)n);
    return jk_refuse(e, JITK_ERR_ARGS, "the array of arguments is NULL");
}

/* ---- binding ---- */

/* An argument that is not simply a pointer of the right type: a number, a pointer to const or void, or an error. */
JK_NOINLINE jitk_status jk_bind_odd(const jitk_kernel *k, size_t i, const jk_tagged *a, jk_binds *b, jitk_error *e)
{
    static const char *const pointers[] = {"double *", "float *", "int64_t *", "int32_t *", "uint8_t *"};
    const jk_param_info *info = &k->program.args[i];
    unsigned type = a->tag & JK_TAG_TYPE;
    char what[128];
    if (info->is_result && a->tag & (JK_TAG_NUMBER | JK_TAG_CONST))
        return jk_arg_fail(k, i, JITK_ERR_TYPE, e,
                           a->tag & JK_TAG_NUMBER ? "a number where a result needs a pointer"
                                                  : "a pointer to const where a result is written");
    if (a->tag & JK_TAG_NUMBER) {
        jk_number_store(&b->number[i], (jk_type)info->type, a);
        b->p[i] = &b->number[i];
        b->step[i] = 0;
        b->npacked += info->is_array && info->type == k->program.type;
        return JITK_OK;
    }
    if (type == info->type || type == JK_TAG_VOID)
        return JITK_OK;
    snprintf(what, sizeof what, "%s where the kernel has %s %s (%s)", pointers[type], jk_type_name((jk_type)info->type),
             info->is_array ? "array" : "scalar", pointers[info->type]);
    return jk_arg_fail(k, i, JITK_ERR_TYPE, e, what);
}

/* The stride of an array, in elements and not 1. */
JK_NOINLINE jitk_status jk_bind_stride(const jitk_kernel *k, size_t n, size_t i, ptrdiff_t stride, jk_binds *b,
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

/* ---- overlaps: allowed or not ---- */

/* Whether an element of one array is an element of the other, for equal steps. Element i of the one stands at i*step,
 * element j of the other at d + j*step: they touch where -other_size < d - (i - j)*step < size, so only the two whole
 * numbers beside d/step can be i - j. */
JK_FUNC bool jk_elements_touch(size_t size, size_t other_size, ptrdiff_t d, ptrdiff_t step, size_t n)
{
    size_t distance = d < 0 ? 0 - (size_t)d : (size_t)d, stride = step < 0 ? 0 - (size_t)step : (size_t)step;
    size_t apart = distance / stride, rest = distance % stride;
    return (apart < n && rest < (d < 0 ? other_size : size)) ||
           (apart + 1 < n && stride - rest < (d < 0 ? size : other_size));
}

/* The byte ranges of these two meet: whether that is allowed. */
JK_NOINLINE jitk_status jk_overlap_check(const jitk_kernel *k, size_t n, const jk_binds *b, size_t out, size_t other,
                                         jitk_error *e)
{
    const jk_param_info *x = &k->program.args[out], *y = &k->program.args[other];
    ptrdiff_t d = (ptrdiff_t)((uintptr_t)b->p[other] - (uintptr_t)b->p[out]);
    bool in_place = d == 0 && x->type == y->type && !y->is_result;
    char what[128];
    if (x->is_array == y->is_array && b->step[out] == b->step[other] &&
        (in_place || !jk_elements_touch(jk_type_size((jk_type)x->type), jk_type_size((jk_type)y->type), d,
                                        b->step[out], x->is_array ? n : 1)))
        return JITK_OK;
    snprintf(what, sizeof what, "it overlaps argument %zu%s", other + 1,
             y->is_result ? ", another result" : " and is not in place: same address, stride and element type");
    return jk_arg_fail(k, out, JITK_ERR_ARGS, e, what);
}

/* ---- what runs at every call: as fast in small code, measured ---- */

typedef struct jk_extent { /* of an argument in memory; both 0: no element */
    uintptr_t low, end;
} jk_extent;

static inline jk_extent jk_extent_of(const jk_param_info *info, size_t n, const jk_binds *b, size_t i)
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
JK_FUNC jitk_status jk_overlaps_check(const jitk_kernel *k, size_t n, const jk_binds *b, size_t out, jitk_error *e)
{
    const jk_param_info *info = k->program.args;
    jk_extent x = {0, 0}, y;
    size_t i, other;
    for (i = 0; i <= out; i++) {
        other = i ? i - 1 : out; /* the result itself first */
        y = jk_extent_of(&info[other], n, b, other);
        if (i == 0)
            x = y;
        else if (y.low < x.end && x.low < y.end && jk_overlap_check(k, n, b, out, other, e) != JITK_OK)
            return e->status;
    }
    return JITK_OK;
}

/* `missing`: the first NULL, or nargs. */
JK_FUNC jitk_status jk_bind_check(const jitk_kernel *k, size_t n, size_t missing, const jk_binds *b, jitk_error *e)
{
    const jk_program *p = &k->program;
    size_t i;
    if (n > k->max_n)
        return jk_call_fail(k, n, p->nargs, e);
    if (missing < p->nargs)
        return jk_arg_fail(k, missing, JITK_ERR_ARGS, e,
                           p->args[missing].is_array ? "NULL for an array" : "NULL for a scalar");
    for (i = p->nparams; i < p->nargs; i++)
        if (jk_overlaps_check(k, n, b, i, e) != JITK_OK)
            return e->status;
    return JITK_OK;
}

JK_FUNC jitk_status jk_bind_all(const jitk_kernel *k, size_t n, size_t nargs, const jk_tagged *tagged,
                                const void *const args[], const ptrdiff_t strides[], jk_binds *b, jitk_error *e)
{
    const jk_param_info *info = k->program.args;
    size_t i, missing = nargs;
    if (nargs != k->program.nargs || (!tagged && !args))
        return jk_call_fail(k, 0, nargs, e);
    b->npacked = k->npacked;
    for (i = 0; i < nargs; i++, info++) {
        b->step[i] = (ptrdiff_t)jk_type_size((jk_type)info->type);
        if (tagged) {
            b->p[i] = (void *)(uintptr_t)tagged[i].value.pointer;
            if (tagged[i].tag != info->type && jk_bind_odd(k, i, &tagged[i], b, e) != JITK_OK)
                return e->status;
        } else {
            b->p[i] = (void *)(uintptr_t)args[i];
            if (strides && info->is_array && strides[i] != 1 && jk_bind_stride(k, n, i, strides[i], b, e) != JITK_OK)
                return e->status;
        }
        if (!b->p[i] && (n > 0 || !info->is_array) && missing == nargs)
            missing = i;
    }
    if (n == 0)
        b->npacked = 0;
    return jk_bind_check(k, n, missing, b, e);
}

JK_SMALL_CLOSE
