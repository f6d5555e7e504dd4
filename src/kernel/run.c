/* kernel: the driver. Gives the stages of a kernel their ranges of elements, and everything that compiled code and the
 * interpreter do alike: numbers and strides packed a tile at a time into arrays of the kernel's type, rows for the
 * elements that do not fill a vector, the tree over the chunks' partial results, results in their declared types.
 *
 * Whatever a call needs is one piece of scratch memory, on the stack where it is small: after it stands nothing can
 * fail, and scalar results are written last. */
#include "../fp.h"
#include "kernel.h"

#define JK_RUN_STACK ((size_t)6144)
#define JK_TILE ((size_t)1024) /* elements packed at a time where no reduction wants a whole chunk */
#define JK_TREE_LEVELS 64

typedef struct jk_drive {
    const jitk_kernel *k;
    const jk_bind *bind;
    size_t n, size, tile; /* elements; bytes of one; elements packed at a time, 0: nothing is packed */
    jk_run run;
    void **array, **tail, **packed; /* packed[i]: the tile of an array that is not used where it stands, or NULL */
    double *level, *best;           /* the tree's nodes; least values so far of argmin, */
    size_t *best_at;                /* and the first elements of their chunks */
    jk_op *red;
} jk_drive;

/* ---- scratch ---- */
JK_FUNC size_t jk_run_bytes(const jitk_kernel *k)
{
    const jk_program *p = &k->program;
    size_t per_arg = 3 * sizeof(void *) + (k->tail_rows ? JK_LANE_BYTES : 0);
    size_t per_red = (JK_TREE_LEVELS + 2) * sizeof(double) + sizeof(size_t) + sizeof(jk_op);
    return JK_ALIGN_UP(k->frame_bytes, 64) + p->nargs * per_arg + p->ncells * sizeof(uint64_t) + k->max_red * per_red +
           64;
}

/* Cuts the scratch, largest alignment first; `at` is 64-byte aligned. */
JK_FUNC void jk_drive_cut(jk_drive *d, char *at)
{
    const jk_program *p = &d->k->program;
    size_t nred = d->k->max_red, i;
    d->run.frame = at;
    at += JK_ALIGN_UP(d->k->frame_bytes, 64);
    d->array = (void **)at + (d->k->tail_rows ? p->nargs * (JK_LANE_BYTES / sizeof(void *)) : 0);
    d->tail = d->array + p->nargs;
    d->packed = d->tail + p->nargs;
    for (i = 0; d->k->tail_rows && i < p->nargs; i++)
        d->tail[i] = at + i * JK_LANE_BYTES;
    d->run.cell = (uint64_t *)(d->packed + p->nargs);
    d->run.node = (double *)(d->run.cell + p->ncells);
    d->best = d->run.node + nred;
    d->level = d->best + nred;
    d->best_at = (size_t *)(d->level + JK_TREE_LEVELS * nred);
    d->red = (jk_op *)(d->best_at + nred);
    d->run.array = d->array;
    d->run.tail = d->tail;
    d->run.n = d->n;
}

/* ---- arrays that are not contiguous or not of the kernel's type ---- */
JK_FUNC bool jk_is_direct(const jitk_kernel *k, const jk_bind *b, size_t i, size_t size)
{
    return b->step == (ptrdiff_t)size && k->program.args[i].type == k->program.type;
}

/* How many arrays must be packed. */
JK_FUNC size_t jk_count_packed(const jitk_kernel *k, const jk_bind *bind, size_t size)
{
    size_t i, count = 0;
    for (i = 0; i < k->program.nargs; i++)
        count += k->program.args[i].is_array && !jk_is_direct(k, &bind[i], i, size);
    return count;
}

/* Generated code adds the element's number to the array's start, so a tile's start is where its element 0 would be. */
JK_FUNC void jk_pack(jk_drive *d, size_t first, size_t count)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nargs; i++) {
        const jk_bind *b = &d->bind[i];
        if (!d->packed[i])
            continue;
        if (!p->args[i].is_result)
            jk_fp_convert(d->packed[i], (jk_type)p->type, (ptrdiff_t)d->size, b->p + b->step * (ptrdiff_t)first,
                          (jk_type)p->args[i].type, b->step, count);
        d->array[i] = (void *)((uintptr_t)d->packed[i] - first * d->size);
    }
}

JK_FUNC void jk_unpack(jk_drive *d, size_t first, size_t count)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = p->nparams; i < p->nargs; i++) {
        const jk_bind *b = &d->bind[i];
        if (d->packed[i])
            jk_fp_convert(b->p + b->step * (ptrdiff_t)first, (jk_type)p->args[i].type, b->step, d->packed[i],
                          (jk_type)p->type, (ptrdiff_t)d->size, count);
    }
}

/* ---- rows: the elements behind the last whole vector, for code without masked loads ---- */
JK_FUNC void jk_row_fill(char *row, const char *from, size_t rest, size_t size)
{
    size_t nbytes = rest * size;
    memcpy(row, from, nbytes);
    for (; nbytes < JK_LANE_BYTES; nbytes += size)
        memcpy(row + nbytes, from, size);
}

JK_FUNC void jk_rows_in(jk_drive *d, size_t at, size_t rest)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nparams; i++)
        if (p->args[i].is_array) {
            const char *from = (const char *)((uintptr_t)d->array[i] + at * d->size);
            if (d->size == 8)
                jk_row_fill((char *)d->tail[i], from, rest, 8);
            else
                jk_row_fill((char *)d->tail[i], from, rest, 4);
        }
}

JK_FUNC void jk_rows_out(jk_drive *d, size_t at, size_t rest)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = p->nparams; i < p->nargs; i++)
        if (p->args[i].is_array)
            memcpy((void *)((uintptr_t)d->array[i] + at * d->size), d->tail[i], rest * d->size);
}

/* ---- ranges ---- */
JK_FUNC size_t jk_range_rest(const jk_drive *d, size_t count)
{
    return d->k->tail_rows ? count & (JK_LANE_BYTES / d->size - 1) : 0;
}

/* Elements [first, first + count) of pass number s: at most a tile where something is packed. */
JK_FUNC void jk_range(jk_drive *d, size_t s, size_t first, size_t count, unsigned flags)
{
    const jk_stage *stage = &d->k->program.stages[s];
    size_t rest = jk_range_rest(d, count);
    if (d->tile)
        jk_pack(d, first, count);
    if (rest)
        jk_rows_in(d, first + count - rest, rest);
    if (!d->k->pass)
        jk_interp_pass(&d->k->program, stage, &d->run, first, count);
    else if (d->k->pass[s])
        d->k->pass[s](&d->run, first, count, flags);
    if (rest && stage->stores)
        jk_rows_out(d, first + count - rest, rest);
    if (d->tile && stage->stores)
        jk_unpack(d, first, count);
}

/* Whether the array results of this call may be stored past the caches, and how many elements stand before the first
 * that is 64-byte aligned in all of them. Below the last cache's size such stores lose, for what is read back soon
 * would still be there; a result that is also an input is in the caches already. */
JK_FUNC bool jk_streams(const jk_drive *d, size_t *head)
{
    const jk_program *p = &d->k->program;
    size_t i, j, arrays = 0, nbytes = d->n * d->size;
    bool some = false;
    if (d->tile || !d->k->pass || nbytes < JK_CHUNK * sizeof(double))
        return false;
    for (i = 0; i < p->nargs; i++) {
        arrays += p->args[i].is_array;
        if (i < p->nparams || !p->args[i].is_array)
            continue;
        if (!some)
            *head = (0 - (uintptr_t)d->array[i]) % 64 / d->size;
        some = true;
        if (((uintptr_t)d->array[i] + *head * d->size) % 64)
            return false;
        for (j = 0; j < p->nparams; j++)
            if (p->args[j].is_array && (uintptr_t)d->array[i] - (uintptr_t)d->array[j] + nbytes - 1 < 2 * nbytes - 1)
                return false;
    }
    return some && nbytes >= jk_settings_get()->stream_bytes / arrays;
}

JK_FUNC void jk_run_map(jk_drive *d, size_t s)
{
    size_t first = 0, head = 0;
    if (d->tile) {
        for (; first < d->n; first += d->tile)
            jk_range(d, s, first, JK_SMALLER(d->tile, d->n - first), 0);
    } else if (jk_streams(d, &head)) {
        if (head)
            jk_range(d, s, 0, head, 0);
        jk_range(d, s, head, d->n - head, JK_RUN_STREAM);
    } else if (d->n) {
        jk_range(d, s, 0, d->n, 0);
    }
}

/* ---- reductions ---- */

/* Doubles in order as integers: equal zeros, NaN below all. */
JK_FUNC int64_t jk_order_key(double x)
{
    int64_t bits = (int64_t)jk_f64_bits(x);
    if ((uint64_t)bits << 1 > (uint64_t)0x7ff << 53)
        return INT64_MIN;
    return bits < 0 ? INT64_MIN - bits : bits;
}

/* The first chunk that holds the extreme value so far: the search for its place is done once, at the end. */
JK_FUNC void jk_best_chunk(jk_drive *d, const jk_stage *stage, size_t first)
{
    uint32_t i;
    for (i = 0; i < stage->nred; i++)
        if (d->red[i] == JK_RARGMIN && (first == 0 || jk_order_key(d->run.node[i]) < jk_order_key(d->best[i]))) {
            d->best[i] = d->run.node[i];
            d->best_at[i] = first;
        }
}

JK_FUNC int64_t jk_find_place(jk_drive *d, size_t s, uint32_t red)
{
    const jk_program *p = &d->k->program;
    const jk_stage *stage = &p->stages[s];
    size_t first = d->best_at[red], count = JK_SMALLER(d->n - first, (size_t)JK_CHUNK), rest = jk_range_rest(d, count);
    if (d->n == 0)
        return -1;
    if (p->ins[p->ins[stage->red[red]].a].type == JK_F32)
        d->run.find = jk_f32_bits((float)d->best[red]);
    else
        d->run.find = jk_f64_bits(d->best[red]);
    if (d->tile)
        jk_pack(d, first, count);
    if (rest)
        jk_rows_in(d, first + count - rest, rest);
    if (d->k->find)
        return (int64_t)d->k->find[s][red](&d->run, first, count);
    return (int64_t)jk_interp_find(p, stage, red, &d->run, first, count);
}

JK_FUNC void jk_reduced(jk_drive *d, size_t s)
{
    const jk_program *p = &d->k->program;
    const jk_stage *stage = &p->stages[s];
    uint32_t i;
    for (i = 0; i < stage->nred; i++) {
        jk_ref r = stage->red[i];
        uint64_t *cell = &d->run.cell[p->cell[r]];
        if (p->cell[r] == JK_NOCELL)
            continue;
        if (d->red[i] == JK_RARGMIN)
            *cell = (uint64_t)jk_find_place(d, s, i);
        else if (p->ins[r].type == JK_F32)
            *cell = jk_f32_bits((float)d->run.node[i]);
        else
            *cell = jk_f64_bits(d->run.node[i]);
    }
}

JK_FUNC void jk_run_reduce(jk_drive *d, size_t s)
{
    const jk_stage *stage = &d->k->program.stages[s];
    size_t first, head = 0;
    unsigned flags = stage->stores && jk_streams(d, &head) && head == 0 ? JK_RUN_STREAM : 0;
    uint32_t i;
    jk_tree tree;
    for (i = 0; i < stage->nred; i++)
        d->red[i] = (jk_op)d->k->program.ins[stage->red[i]].op;
    tree.nred = stage->nred;
    tree.levels = 0;
    tree.count = 0;
    tree.level = d->level;
    for (first = 0; first < d->n; first += JK_CHUNK) {
        jk_range(d, s, first, JK_SMALLER(d->n - first, (size_t)JK_CHUNK), flags);
        jk_best_chunk(d, stage, first);
        if (d->n > JK_CHUNK)
            jk_tree_add(&tree, d->red, d->run.node);
    }
    if (d->n == 0 || d->n > JK_CHUNK) /* else the chunk's node is the result */
        jk_tree_result(&tree, d->red, d->run.node);
    jk_reduced(d, s);
}

/* ---- a call ---- */
JK_FUNC void jk_scalar(void *to, jk_type to_type, const void *from, jk_type from_type)
{
    if (to_type != from_type)
        jk_fp_convert(to, to_type, 0, from, from_type, 0, 1);
    else if (jk_type_size(to_type) == 8)
        memcpy(to, from, 8);
    else
        memcpy(to, from, jk_type_size(to_type));
}

JK_FUNC void jk_drive_arguments(jk_drive *d, char *tiles)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *info = &p->args[i];
        d->packed[i] = NULL;
        d->array[i] = d->bind[i].p;
        if (!info->is_array && i < p->nparams && d->k->param_cell[i] != JK_NOCELL) {
            uint64_t *cell = &d->run.cell[d->k->param_cell[i]];
            *cell = 0;
            jk_scalar(cell, (jk_type)p->type, d->bind[i].p, (jk_type)info->type);
        } else if (d->tile && info->is_array && !jk_is_direct(d->k, &d->bind[i], i, d->size)) {
            d->packed[i] = tiles;
            tiles += JK_ALIGN_UP(d->tile * d->size, 64);
        }
    }
}

JK_FUNC void jk_drive_results(jk_drive *d)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = p->nparams; i < p->nargs; i++) {
        const jk_param_info *info = &p->args[i];
        const jk_ins *value = &p->ins[info->value];
        uint64_t bits;
        if (info->is_array)
            continue;
        bits = value->op == JK_CONST    ? jk_ir_const_bits(value)
               : value->op == JK_LENGTH ? d->run.n
                                        : d->run.cell[p->cell[info->value]];
        jk_scalar(d->bind[i].p, (jk_type)info->type, &bits, (jk_type)value->type);
    }
}

JK_FUNC void jk_drive_stages(jk_drive *d)
{
    const jk_program *p = &d->k->program;
    size_t s;
    for (s = 0; s < p->nstages; s++) {
        const jk_stage *stage = &p->stages[s];
        if (stage->is_pass && stage->nred)
            jk_run_reduce(d, s);
        else if (stage->is_pass)
            jk_run_map(d, s);
        else if (!d->k->uniform)
            jk_interp_uniform(p, stage, &d->run);
        else if (d->k->uniform[s])
            d->k->uniform[s](&d->run);
    }
}

JK_FUNC void jk_drive_in(jk_drive *d, char *scratch)
{
    scratch += (0 - (uintptr_t)scratch) & 63;
    jk_drive_cut(d, scratch);
    jk_drive_arguments(d, scratch + JK_ALIGN_UP(d->k->scratch_bytes, 64));
    jk_drive_stages(d);
    jk_drive_results(d);
}

JK_NOINLINE jitk_status jk_drive_large(jk_drive *d, size_t nbytes, jitk_error *e)
{
    char *scratch = (char *)JK_MALLOC(nbytes);
    if (!scratch)
        return jk_fail_nomem(e);
    jk_drive_in(d, scratch);
    JK_FREE(scratch);
    return JITK_OK;
}

JK_FUNC void jk_drive_init(jk_drive *d, const jitk_kernel *k, size_t n, const jk_bind *bind)
{
    d->k = k;
    d->bind = bind;
    d->n = n;
    d->size = k->program.type == JK_F32 ? 4 : 8;
    d->tile = 0;
}

JK_FUNC jitk_status jk_kernel_run(const jitk_kernel *k, size_t n, const jk_bind *bind, jitk_error *e)
{
    char stack[JK_RUN_STACK];
    jk_drive d;
    size_t nbytes = JK_ALIGN_UP(k->scratch_bytes, 64) + 64, npacked;
    jk_drive_init(&d, k, n, bind);
    npacked = n ? jk_count_packed(k, bind, d.size) : 0;
    if (npacked) {
        d.tile = JK_SMALLER(n, k->max_red ? (size_t)JK_CHUNK : JK_TILE);
        nbytes += npacked * JK_ALIGN_UP(d.tile * d.size, 64);
    }
    if (nbytes > sizeof stack)
        return jk_drive_large(&d, nbytes, e);
    jk_drive_in(&d, stack);
    return JITK_OK;
}

JK_NOINLINE void jk_kernel_run_large(const jitk_kernel *k, size_t n, const jk_bind *bind)
{
    char stack[JK_NAMED_STACK];
    jk_drive d;
    jk_drive_init(&d, k, n, bind);
    jk_drive_in(&d, stack);
}

JK_FUNC void jk_kernel_run_named(const jitk_kernel *k, size_t n, const jk_bind *bind)
{
    char stack[JK_RUN_STACK];
    jk_drive d;
    if (k->scratch_bytes + 128 > sizeof stack) {
        jk_kernel_run_large(k, n, bind);
        return;
    }
    jk_drive_init(&d, k, n, bind);
    jk_drive_in(&d, stack);
}

/* ---- the public calls ---- */
#define JK_BINDS 32 /* on the stack */

JK_FUNC jitk_status jk_call_bound(const jitk_kernel *k, size_t n, const jk_bind *bind, jitk_error *e)
{
    if (e->status != JITK_OK || jk_bind_check(k, n, bind, e) != JITK_OK)
        return e->status;
    return jk_kernel_run(k, n, bind, e);
}

/* args or tagged. */
JK_FUNC jitk_status jk_call_any(const jitk_kernel *k, size_t n, size_t nargs, const void *const args[],
                                const ptrdiff_t strides[], const jk_tagged *tagged, jitk_error *e)
{
    jk_bind few[JK_BINDS], *bind = few;
    jitk_status status;
    if (!k)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "the kernel is NULL");
    if (k->program.nargs > JK_BINDS)
        bind = (jk_bind *)JK_MALLOC(k->program.nargs * sizeof *bind);
    if (!bind)
        return jk_fail_nomem(e);
    if (tagged || (nargs == 0 && !args))
        jk_bind_tagged(k, nargs, tagged, bind, e);
    else
        jk_bind_pointers(k, n, nargs, args, strides, bind, e);
    status = jk_call_bound(k, n, bind, e);
    if (bind != few)
        JK_FREE(bind);
    return status;
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
#undef JK_RUN_STACK
#undef JK_TILE
#undef JK_TREE_LEVELS
#undef JK_BINDS
