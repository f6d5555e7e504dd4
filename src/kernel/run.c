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

JK_SMALL_OPEN

typedef struct jk_drive {
    const jitk_kernel *k;
    const jk_binds *b;
    size_t n, size, tile; /* elements; bytes of one; elements packed at a time, 0: nothing is packed */
    jk_run run;
    void **array, **tail;
    void **packed; /* where something is packed: the tile of an array that is not used where it stands, or NULL */
    double *level, *best; /* the tree's nodes; least values so far of argmin, */
    size_t *best_at;      /* and the first elements of their chunks */
    const jk_op *red;     /* of this stage */
} jk_drive;

/* ---- scratch ---- */
JK_FUNC size_t jk_run_bytes(const jitk_kernel *k)
{
    const jk_program *p = &k->program;
    size_t per_arg = 3 * sizeof(void *) + (k->tail_rows ? JK_LANE_BYTES : 0);
    size_t per_red = (JK_TREE_LEVELS + 2) * sizeof(double) + sizeof(size_t);
    size_t nbytes = p->nargs * per_arg + (p->ncells + (size_t)1) * sizeof(uint64_t) + k->max_red * per_red;
    return JK_ALIGN_UP(k->frame_bytes, 64) + JK_ALIGN_UP(nbytes, 64);
}

/* Cuts the scratch, largest alignment first; `at` is 64-byte aligned. */
JK_FUNC void jk_drive_cut(jk_drive *d, char *at)
{
    const jk_program *p = &d->k->program;
    size_t nred = d->k->max_red, i;
    d->run.frame = at;
    at += JK_ALIGN_UP(d->k->frame_bytes, 64);
    d->tail = (void **)at;
    if (d->k->tail_rows) {
        d->tail = (void **)(at + p->nargs * JK_LANE_BYTES);
        for (i = 0; i < p->nargs; i++)
            d->tail[i] = at + i * JK_LANE_BYTES;
    }
    d->packed = d->tail + p->nargs;
    d->array = d->b->p;
    if (d->tile)
        d->array = d->packed + p->nargs;
    d->run.cell = (uint64_t *)(d->packed + 2 * p->nargs);
    d->run.cell[p->ncells] = d->n;
    d->run.node = (double *)(d->run.cell + p->ncells + 1);
    d->best = d->run.node + nred;
    d->level = d->best + nred;
    d->best_at = (size_t *)(d->level + JK_TREE_LEVELS * nred);
    d->run.array = d->array;
    d->run.tail = d->tail;
    d->run.n = d->n;
    d->red = d->k->red;
}

/* ---- arrays that are not contiguous or not of the kernel's type ---- */

/* Gives each of them its tile. */
JK_FUNC void jk_pack_places(jk_drive *d, char *tiles)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nargs; i++) {
        bool direct = d->b->step[i] == (ptrdiff_t)d->size && p->args[i].type == p->type;
        d->array[i] = d->b->p[i];
        d->packed[i] = NULL;
        if (p->args[i].is_array && !direct) {
            d->packed[i] = tiles;
            tiles += JK_ALIGN_UP(d->tile * d->size, 64);
        }
    }
}

JK_FUNC char *jk_bind_at(const jk_binds *b, size_t arg, size_t i)
{
    return (char *)b->p[arg] + b->step[arg] * (ptrdiff_t)i;
}

/* Generated code adds the element's number to the array's start, so a tile's start is where its element 0 would be. */
JK_FUNC void jk_pack(jk_drive *d, size_t first, size_t count)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nargs; i++) {
        if (!d->packed[i])
            continue;
        if (!p->args[i].is_result)
            jk_fp_convert(d->packed[i], (jk_type)p->type, (ptrdiff_t)d->size, jk_bind_at(d->b, i, first),
                          (jk_type)p->args[i].type, d->b->step[i], count);
        d->array[i] = (void *)((uintptr_t)d->packed[i] - first * d->size);
    }
}

JK_FUNC void jk_unpack(jk_drive *d, size_t first, size_t count)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = p->nparams; i < p->nargs; i++)
        if (d->packed[i])
            jk_fp_convert(jk_bind_at(d->b, i, first), (jk_type)p->args[i].type, d->b->step[i], d->packed[i],
                          (jk_type)p->type, (ptrdiff_t)d->size, count);
}

/* ---- rows: the elements behind the last whole vector, for code without masked loads ---- */
JK_FUNC void jk_rows_in(jk_drive *d, size_t at, size_t rest)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nparams; i++)
        if (p->args[i].is_array) {
            const char *from = (const char *)((uintptr_t)d->array[i] + at * d->size);
            jk_row_fill(d->tail[i], from, rest, d->size);
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
    if (!d->k->ncode)
        jk_interp_pass(&d->k->program, stage, &d->run, first, count);
    else
        ((jk_pass_fn)d->k->start[s])(&d->run, first, count, flags);
    if (rest && stage->stores)
        jk_rows_out(d, first + count - rest, rest);
    if (d->tile && stage->stores)
        jk_unpack(d, first, count);
}

/* Whether the array results of this call may be stored past the caches, and how many elements stand before the first
 * that is 64-byte aligned in all of them. Below the last cache's size such stores lose, for what is read back soon
 * would still be there; a result that is also an input is in the caches already. */
JK_NOINLINE bool jk_streams(const jk_drive *d, size_t *head)
{
    const jk_program *p = &d->k->program;
    size_t i, j, arrays = 0, nbytes = d->n * d->size;
    bool some = false;
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

/* What no stream is worth asking more for. */
JK_FUNC bool jk_is_small(const jk_drive *d)
{
    return d->n <= JK_CHUNK || d->tile || !d->k->ncode;
}

JK_FUNC void jk_run_map(jk_drive *d, size_t s)
{
    size_t first = 0, head = 0;
    if (d->tile) {
        for (; first < d->n; first += d->tile)
            jk_range(d, s, first, JK_SMALLER(d->tile, d->n - first), 0);
    } else if (!jk_is_small(d) && jk_streams(d, &head)) {
        if (head)
            jk_range(d, s, 0, head, 0);
        jk_range(d, s, head, d->n - head, JK_RUN_STREAM);
    } else if (d->n) {
        jk_range(d, s, 0, d->n, 0);
    }
}

/* ---- reductions ---- */

/* Doubles in order as integers: equal zeros, NaN below all. */
JK_FUNC int64_t jk_order_key(const double *x)
{
    int64_t bits;
    memcpy(&bits, x, sizeof bits);
    if ((uint64_t)bits << 1 > (uint64_t)0x7ff << 53)
        return INT64_MIN;
    return bits < 0 ? INT64_MIN - bits : bits;
}

/* The first chunk that holds the extreme value so far: the search for its place is done once, at the end. */
JK_FUNC void jk_best_chunk(jk_drive *d, const jk_stage *stage, size_t first)
{
    uint32_t i;
    for (i = 0; i < stage->nred; i++)
        if (d->red[i] == JK_RARGMIN && (first == 0 || jk_order_key(&d->run.node[i]) < jk_order_key(&d->best[i]))) {
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
    if (d->k->ncode)
        return (int64_t)d->k->find[s][red](&d->run, first, count);
    return (int64_t)jk_interp_find(p, stage, red, &d->run, first, count);
}

/* A reduction's result goes to its cell. */
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
            memcpy(cell, &d->run.node[i], sizeof *cell);
    }
}

/* Whole chunks of plain machine code: between two of them stands only the tree. Returns the first element not done. */
JK_FUNC size_t jk_run_whole_chunks(jk_drive *d, size_t s, jk_tree *tree)
{
    const jk_stage *stage = &d->k->program.stages[s];
    jk_pass_fn pass = d->k->ncode ? (jk_pass_fn)d->k->start[s] : NULL;
    size_t first;
    uint32_t i;
    if (!pass || d->tile || stage->stores)
        return 0;
    for (i = 0; i < stage->nred; i++)
        if (d->red[i] == JK_RARGMIN)
            return 0;
    for (first = 0; d->n - first >= JK_CHUNK; first += JK_CHUNK) {
        pass(&d->run, first, JK_CHUNK, 0);
        jk_tree_add(tree, d->red, d->run.node);
    }
    return first;
}

/* More than one chunk. */
JK_NOINLINE void jk_run_chunks(jk_drive *d, size_t s)
{
    const jk_stage *stage = &d->k->program.stages[s];
    size_t first, head = 0;
    bool streams = stage->stores && !jk_is_small(d) && jk_streams(d, &head) && head == 0;
    jk_tree tree;
    tree.nred = stage->nred;
    tree.levels = 0;
    tree.count = 0;
    tree.level = d->level;
    first = jk_run_whole_chunks(d, s, &tree);
    for (; first < d->n; first += JK_CHUNK) {
        jk_range(d, s, first, JK_SMALLER(d->n - first, (size_t)JK_CHUNK), streams ? JK_RUN_STREAM : 0);
        jk_best_chunk(d, stage, first);
        jk_tree_add(&tree, d->red, d->run.node);
    }
    jk_tree_result(&tree, d->red, d->run.node);
}

JK_FUNC void jk_run_reduce(jk_drive *d, size_t s)
{
    const jk_stage *stage = &d->k->program.stages[s];
    uint32_t i;
    if (d->n - 1 < JK_CHUNK) { /* one chunk: its nodes are the results */
        jk_range(d, s, 0, d->n, 0);
        for (i = 0; i < stage->nred; i++)
            if (d->red[i] == JK_RARGMIN) {
                d->best[i] = d->run.node[i];
                d->best_at[i] = 0;
            }
    } else {
        jk_run_chunks(d, s);
    }
    jk_reduced(d, s);
    d->red += stage->nred;
}

/* ---- a call ---- */
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
        else if (!d->k->ncode)
            jk_interp_uniform(p, stage, &d->run);
        else if (d->k->start[s])
            ((jk_uniform_fn)d->k->start[s])(&d->run);
    }
}

/* `scratch` is aligned to 64 bytes; tiles stand behind what the kernel needs. */
JK_FUNC void jk_drive_in(jk_drive *d, char *scratch)
{
    const jitk_kernel *k = d->k;
    jk_drive_cut(d, scratch);
    if (d->tile)
        jk_pack_places(d, scratch + k->scratch_bytes);
    jk_scalars_in(k, d->b->p, d->run.cell);
    jk_drive_stages(d);
    jk_scalars_out(k, d->b->p, d->run.cell);
}

JK_FUNC void jk_drive_init(jk_drive *d, const jitk_kernel *k, size_t n, const jk_binds *b)
{
    d->k = k;
    d->b = b;
    d->n = n;
    d->size = k->program.type == JK_F32 ? 4 : 8;
    d->tile = 0;
    if (b->npacked)
        d->tile = JK_SMALLER(n, k->max_red ? (size_t)JK_CHUNK : JK_TILE);
}

/* Scratch, with what aligns it. */
JK_FUNC size_t jk_drive_bytes(const jk_drive *d)
{
    return d->k->scratch_bytes + d->b->npacked * JK_ALIGN_UP(d->tile * d->size, 64) + 63;
}

JK_FUNC char *jk_drive_align(char *scratch)
{
    return scratch + ((0 - (uintptr_t)scratch) & 63);
}

JK_NOINLINE jitk_status jk_run_heap(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    jk_drive d;
    int saved = errno;
    char *scratch;
    jk_drive_init(&d, k, n, b);
    scratch = (char *)JK_MALLOC(jk_drive_bytes(&d));
    errno = saved;
    if (!scratch)
        return jk_fail_nomem(e);
    jk_drive_in(&d, jk_drive_align(scratch));
    JK_FREE(scratch);
    return JITK_OK;
}

JK_NOINLINE void jk_run_stack(const jitk_kernel *k, size_t n, const jk_binds *b)
{
    char stack[JK_RUN_STACK];
    jk_drive d;
    jk_drive_init(&d, k, n, b);
    jk_drive_in(&d, jk_drive_align(stack));
}

JK_NOINLINE void jk_run_large_stack(const jitk_kernel *k, size_t n, const jk_binds *b)
{
    char stack[JK_NAMED_STACK];
    jk_drive d;
    jk_drive_init(&d, k, n, b);
    jk_drive_in(&d, jk_drive_align(stack));
}

JK_FUNC jitk_status jk_run_driver(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    jk_drive d;
    jk_drive_init(&d, k, n, b);
    if (jk_drive_bytes(&d) > JK_RUN_STACK && e)
        return jk_run_heap(k, n, b, e);
    if (jk_drive_bytes(&d) > JK_RUN_STACK)
        jk_run_large_stack(k, n, b);
    else
        jk_run_stack(k, n, b);
    return JITK_OK;
}

JK_SMALL_CLOSE
#undef JK_RUN_STACK
#undef JK_TILE
#undef JK_TREE_LEVELS
