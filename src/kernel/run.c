/* kernel: the driver. Gives the stages of a kernel their ranges of elements, and everything that compiled code and the
 * interpreter do alike: numbers and strides packed a tile at a time into arrays of the kernel's type, rows for the
 * elements that do not fill a vector, the tree over the chunks' partial results, results in their declared types.
 *
 * Whatever a call needs is one piece of scratch memory, on the stack where it is small: after it stands nothing can
 * fail, and scalar results are written last. */
#include "../fp.h"
#include "kernel.h"

/* The most scratch that is taken of the stack. */
#define JK_RUN_STACK ((size_t)6144)
#define JK_TILE 1024u     /* elements packed at a time where no reduction wants a whole chunk */
#define JK_TREE_LEVELS 48 /* a chunk has more than 2^16 elements */
#define JK_BATCH 16u      /* chunks that machine code is called for at a time */

JK_SMALL_OPEN

/* Passed by pointer to functions that are not inlined: its fields are read in few bytes then, in the order of use. */
struct jk_drive {
    const jitk_kernel *k;
    const jk_binds *b;
    size_t n;
    jk_run run;
    void **packed;         /* the tile of an array that is not used where it stands, or NULL */
    const jk_stage *stage; /* the pass that runs, */
    const jk_op *red;      /* its reductions, */
    uint32_t s, find;      /* its number; the reduction whose place is looked for, or JK_NO_FIND */
    uint32_t size, mask;   /* bytes of an element; elements of a row less one where code wants rows, else 0 */
    uint32_t tile, flags;  /* elements packed at a time, 0: nothing is packed; of jk_pass_fn */
    double *nodes;         /* of JK_BATCH chunks */
    double *best;          /* least values so far of argmin, */
    size_t *best_at;       /* and the first elements of their chunks */
    jk_tree tree;
};
#define JK_NO_FIND UINT32_MAX

/* ---- scratch: frame, rows, pointers, cells, what reductions need, tiles ---- */
JK_FUNC size_t jk_run_bytes(const jitk_kernel *k)
{
    size_t per_arg = JK_LANE_BYTES + 3 * sizeof(void *);
    size_t per_red = (JK_TREE_LEVELS + JK_BATCH + 1) * sizeof(double) + sizeof(size_t);
    size_t nbytes =
        k->program.nargs * per_arg + (k->program.ncells + (size_t)1) * sizeof(uint64_t) + k->max_red * per_red;
    return JK_ALIGN_UP(k->frame_bytes, 64) + JK_ALIGN_UP(nbytes, 64);
}

/* `at` is 64-byte aligned. Each argument gets its row, and its tile where it needs one. */
JK_NOINLINE void jk_drive_cut(jk_drive *d, char *at)
{
    const jitk_kernel *k = d->k;
    const jk_program *p = &k->program;
    char *tile = at + k->scratch_bytes, *row = at + JK_ALIGN_UP(k->frame_bytes, 64);
    void **tail = (void **)(row + p->nargs * (size_t)JK_LANE_BYTES), **array = tail + p->nargs;
    uint32_t i;
    d->run.frame = at;
    d->run.tail = tail;
    d->run.array = array;
    d->packed = array + p->nargs;
    d->run.cell = (uint64_t *)(d->packed + p->nargs);
    d->run.cell[p->ncells] = d->run.n = d->n;
    d->nodes = (double *)(d->run.cell + p->ncells + 1);
    d->best = d->nodes + JK_BATCH * k->max_red;
    d->best_at = (size_t *)(d->best + k->max_red);
    d->tree.level = (double *)(d->best_at + k->max_red);
    for (i = 0; i < p->nargs; i++, row += JK_LANE_BYTES) {
        const jk_param_info *a = &p->args[i];
        tail[i] = row;
        array[i] = d->b->p[i];
        d->packed[i] = NULL;
        if (d->tile && a->is_array && (d->b->step[i] != (ptrdiff_t)d->size || a->type != p->type)) {
            d->packed[i] = tile;
            tile += JK_ALIGN_UP((size_t)d->tile * d->size, 64);
        }
    }
}

/* ---- ranges ---- */

/* Before a range runs (out is false): what is not contiguous or not of the kernel's type is packed, and for code
 * without masked loads the last elements, which fill no vector, are laid into rows. Behind it the same for results, the
 * other way. Generated code adds the element's number to the array's start, so a tile's start is where its element 0
 * would be. */
JK_NOINLINE void jk_move(jk_drive *d, size_t first, size_t count, bool out)
{
    const jk_program *p = &d->k->program;
    jk_type type = (jk_type)p->type;
    ptrdiff_t size = (ptrdiff_t)d->size;
    size_t rest = count & d->mask;
    uint32_t i;
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        void **array = (void **)(uintptr_t)&d->run.array[i];
        ptrdiff_t step = 0;
        char *user = NULL, *tile = (char *)d->packed[i], *end;
        if (!a->is_array)
            continue;
        if (tile) {
            step = d->b->step[i];
            user = (char *)d->b->p[i] + step * (ptrdiff_t)first;
            *array = (void *)((uintptr_t)tile - first * d->size);
        }
        if (a->is_result != out)
            continue;
        end = (char *)((uintptr_t)*array + (first + count - rest) * d->size);
        if (tile && !out)
            jk_fp_convert(tile, type, size, user, (jk_type)a->type, step, count);
        if (rest && out)
            memcpy(end, d->run.tail[i], rest * d->size);
        else if (rest)
            jk_row_fill(d->run.tail[i], end, rest, d->size);
        if (tile && out)
            jk_fp_convert(user, (jk_type)a->type, step, tile, type, size, count);
    }
}

/* Elements [first, first + count), as far as there are so many, of the pass: at most a tile where something is packed.
 * Or the search among them for a reduction's place. */
JK_NOINLINE size_t jk_range(jk_drive *d, size_t first, size_t count)
{
    const jitk_kernel *k = d->k;
    bool moves;
    count = JK_SMALLER(count, d->n - first);
    moves = d->tile || (count & d->mask);
    if (moves)
        jk_move(d, first, count, false);
    if (d->find != JK_NO_FIND)
        return k->ncode ? k->find[d->s][d->find](&d->run, first, count)
                        : jk_interp_find(&k->program, d->stage, d->find, &d->run, first, count);
    if (k->ncode)
        ((jk_pass_fn)k->start[d->s])(&d->run, first, count, d->flags);
    else
        jk_interp_pass(&k->program, d->stage, &d->run, first, count);
    if (moves && d->stage->stores)
        jk_move(d, first, count, true);
    return 0;
}

/* The place of a reduction's result; -1 where there is none. */
JK_FUNC uint64_t jk_drive_find(jk_drive *d, uint32_t i)
{
    d->find = i;
    return d->n ? jk_range(d, d->best_at[i], d->k->chunk) : UINT64_MAX;
}

/* Whether the arrays of this call come from memory, and those that the pass stores may be stored past the caches; and
 * how many elements stand before the first that is 64-byte aligned in all of these. Below the last cache's size such
 * stores lose, for what is read back soon would still be there; a result that is also an input is in the caches
 * already. */
JK_NOINLINE bool jk_streams(const jk_drive *d, size_t *head)
{
    const jk_program *p = &d->k->program;
    uint32_t i, j, arrays = 0;
    bool some = false;
    for (i = 0; i < p->nargs; i++) {
        uintptr_t at = (uintptr_t)d->run.array[i];
        arrays += p->args[i].is_array;
        if (!d->stage->stores || !p->args[i].is_array || !p->args[i].is_result)
            continue;
        if (!some)
            *head = (uint32_t)(0 - at) % 64 / d->size;
        some = true;
        if ((at + *head * d->size) % 64)
            return false;
        for (j = 0; j < p->nparams; j++)
            if (p->args[j].is_array && (uintptr_t)d->run.array[j] == at)
                return false;
    }
    return d->n * d->size * arrays >= jk_settings_get()->stream_bytes;
}

/* ---- reductions ---- */

/* Doubles in order as integers: equal zeros, NaN below all. */
JK_NOINLINE int64_t jk_order_key(const double *x)
{
    int64_t bits;
    memcpy(&bits, x, sizeof bits);
    if ((uint64_t)bits << 1 > (uint64_t)0x7ff << 53)
        return INT64_MIN;
    return bits < 0 ? INT64_MIN - bits : bits;
}

/* A chunk's nodes: into the tree and, of argmin, the first chunk that holds the extreme value so far: the search for
 * its place is done once, at the end. */
JK_NOINLINE void jk_chunk_done(jk_drive *d, size_t first, const double *node)
{
    uint32_t i;
    for (i = 0; i < d->stage->nred; i++)
        if (d->red[i] == JK_RARGMIN && (first == 0 || jk_order_key(&node[i]) < jk_order_key(&d->best[i]))) {
            d->best[i] = node[i];
            d->best_at[i] = first;
        }
    if (d->n > d->k->chunk) /* else the nodes are the results */
        jk_tree_add(&d->tree, d->red, node);
}

/* Results go to their cells. A node of an argmin is the least value of all; its place is looked for here. */
JK_NOINLINE void jk_reduced(const jitk_kernel *k, uint32_t s, jk_run *run, jk_drive *d)
{
    const jk_program *p = &k->program;
    const jk_stage *stage = &p->stages[s];
    uint32_t i;
    for (i = 0; i < stage->nred; i++) {
        const jk_ins *ins = &p->ins[stage->red[i]];
        uint32_t cell = p->cell[stage->red[i]];
        bool place = ins->op == JK_RARGMIN;
        uint64_t bits = jk_f64_bits(run->node[i]);
        if (cell == JK_NOCELL)
            continue;
        if ((place ? p->ins[ins->a].type : ins->type) == JK_F32)
            bits = jk_f32_bits((float)run->node[i]);
        if (place) {
            run->find = bits;
            bits = d ? jk_drive_find(d, i) : k->find[s][i](run, 0, run->n);
        }
        run->cell[cell] = bits;
    }
}

/* ---- a call ---- */

/* A pass, by what it can do at once: tiles where something is packed, chunks where it reduces, or all elements. */
JK_NOINLINE void jk_run_pass(jk_drive *d)
{
    size_t first, head = 0, chunk = d->k->chunk, step = d->tile ? d->tile : d->n, at;
    double *node;
    bool reduces = d->stage->nred > 0;
    if (reduces && !d->tile)
        step = d->k->ncode ? JK_BATCH * chunk : chunk;
    d->tree.nred = d->stage->nred;
    d->tree.count = 0;
    d->find = JK_NO_FIND;
    d->flags = 0;
    /* What no stream is worth asking more for comes first; chunks begin where they begin. */
    if (d->n > chunk && !d->tile && d->k->ncode && jk_streams(d, &head) && !(head && reduces)) {
        if (head)
            jk_range(d, 0, head);
        d->flags = JK_RUN_STREAM;
    } else {
        head = 0;
    }
    for (first = head; first < d->n; first += step) {
        d->run.node = node = d->nodes;
        jk_range(d, first, step);
        for (at = first; reduces && at < d->n && at < first + step; at += chunk, node += d->stage->nred)
            jk_chunk_done(d, at, node);
    }
    if (d->n - 1 >= chunk)
        jk_tree_result(&d->tree, d->red, d->nodes);
    d->run.node = d->nodes;
    jk_reduced(d->k, d->s, &d->run, d);
    d->red += d->stage->nred;
}

/* All of a call, in scratch memory that has room for its alignment. */
JK_NOINLINE void jk_drive_in(const jitk_kernel *k, size_t n, uint32_t tile, const jk_binds *b, char *scratch)
{
    const jk_program *p = &k->program;
    jk_drive d;
    d.k = k;
    d.b = b;
    d.n = n;
    d.red = k->red;
    d.size = p->type == JK_F32 ? 4 : 8;
    d.mask = k->rest;
    d.tile = tile;
    jk_drive_cut(&d, scratch + ((0 - (uintptr_t)scratch) & 63));
    jk_scalars_in(k, b->p, d.run.cell);
    for (d.s = 0; d.s < p->nstages; d.s++) {
        d.stage = &p->stages[d.s];
        if (d.stage->is_pass)
            jk_run_pass(&d);
        else if (!k->ncode)
            jk_interp_uniform(p, d.stage, &d.run);
        else if (k->start[d.s])
            ((jk_uniform_fn)k->start[d.s])(&d.run);
    }
    jk_scalars_out(k, b->p, d.run.cell);
}

JK_NOINLINE jitk_status jk_run_driver(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    uint32_t tile = !b->npacked ? 0 : (uint32_t)JK_SMALLER(n, k->max_red ? k->chunk : JK_TILE);
    size_t nbytes = k->scratch_bytes + b->npacked * JK_ALIGN_UP((size_t)tile * 8, 64) + 63;
    char *scratch, *heap = NULL;
    if (nbytes <= JK_RUN_STACK || !e)
        scratch = (char *)__builtin_alloca(nbytes);
    else if (!(scratch = heap = (char *)jk_quiet_malloc(nbytes, e)))
        return e->status;
    jk_drive_in(k, n, tile, b, scratch);
    if (heap)
        JK_FREE(heap);
    return JITK_OK;
}

JK_SMALL_CLOSE
#undef JK_RUN_STACK
#undef JK_TILE
#undef JK_BATCH
#undef JK_TREE_LEVELS
#undef JK_NO_FIND
