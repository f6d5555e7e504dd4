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
#define JK_TILE ((size_t)1024) /* elements packed at a time where no reduction wants a whole chunk */
#define JK_TREE_LEVELS 64

JK_SMALL_OPEN

typedef struct jk_drive {
    const jitk_kernel *k;
    const jk_binds *b;
    size_t n, size, tile; /* elements; bytes of one; elements packed at a time, 0: nothing is packed */
    jk_run run;
    void **array, **tail; /* the run's, to be written */
    void **packed;        /* the tile of an array that is not used where it stands, or NULL */
    double *best;         /* least values so far of argmin, */
    size_t *best_at;      /* and the first elements of their chunks */
    const jk_op *red;     /* of this stage */
    jk_tree tree;
} jk_drive;

/* ---- scratch: frame, rows, pointers, cells, what reductions need, tiles ---- */
JK_FUNC size_t jk_run_bytes(const jitk_kernel *k)
{
    size_t per_arg = JK_LANE_BYTES + 3 * sizeof(void *);
    size_t per_red = (JK_TREE_LEVELS + 2) * sizeof(double) + sizeof(size_t);
    size_t nbytes = k->program.nargs * per_arg + (k->program.ncells + (size_t)1) * sizeof(uint64_t) + k->max_red * per_red;
    return JK_ALIGN_UP(k->frame_bytes, 64) + JK_ALIGN_UP(nbytes, 64);
}

/* Gives each argument its row, and its tile where it has one; `at` is 64-byte aligned. */
JK_FUNC void jk_drive_args(jk_drive *d, char *at, char *tiles)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nargs; i++, at += JK_LANE_BYTES) {
        const jk_param_info *a = &p->args[i];
        d->tail[i] = at;
        d->array[i] = d->b->p[i];
        d->packed[i] = NULL;
        if (d->tile && a->is_array && (d->b->step[i] != (ptrdiff_t)d->size || a->type != p->type)) {
            d->packed[i] = tiles;
            tiles += JK_ALIGN_UP(d->tile * d->size, 64);
        }
    }
}

JK_FUNC void jk_drive_cut(jk_drive *d, char *at)
{
    const jk_program *p = &d->k->program;
    size_t nargs = p->nargs, nred = d->k->max_red;
    char *tiles = at + d->k->scratch_bytes, *rows = at + JK_ALIGN_UP(d->k->frame_bytes, 64);
    d->run.frame = at;
    d->run.tail = d->tail = (void **)(rows + nargs * JK_LANE_BYTES);
    d->run.array = d->array = d->tail + nargs;
    d->packed = d->array + nargs;
    d->run.cell = (uint64_t *)(d->packed + nargs);
    d->run.cell[p->ncells] = d->run.n = d->n;
    d->run.node = (double *)(d->run.cell + p->ncells + 1);
    d->best = d->run.node + nred;
    d->best_at = (size_t *)(d->best + nred);
    d->tree.level = (double *)(d->best_at + nred);
    d->red = d->k->red;
    jk_drive_args(d, rows, tiles);
}

/* ---- ranges ---- */

/* Before a range runs (out is false): what is not contiguous or not of the kernel's type is packed, and for code without
 * masked loads the last `rest` elements, which fill no vector, are laid into rows. Behind it the same for results, the
 * other way. Generated code adds the element's number to the array's start, so a tile's start is where its element 0
 * would be. */
JK_NOINLINE void jk_move(jk_drive *d, size_t first, size_t count, size_t rest, bool out)
{
    const jk_program *p = &d->k->program;
    size_t i;
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        jk_type type = (jk_type)p->type, user = (jk_type)a->type;
        ptrdiff_t size = (ptrdiff_t)d->size, step = d->packed[i] ? d->b->step[i] : 0;
        char *from = (char *)d->b->p[i] + step * (ptrdiff_t)first, *row;
        if (!a->is_array)
            continue;
        if (d->packed[i])
            d->array[i] = (void *)((uintptr_t)d->packed[i] - first * d->size);
        row = (char *)((uintptr_t)d->array[i] + (first + count - rest) * d->size);
        if (a->is_result && out) {
            if (rest)
                memcpy(row, d->tail[i], rest * d->size);
            if (d->packed[i])
                jk_fp_convert(from, user, step, d->packed[i], type, size, count);
        } else if (!a->is_result && !out) {
            if (d->packed[i])
                jk_fp_convert(d->packed[i], type, size, from, user, step, count);
            if (rest)
                jk_row_fill(d->tail[i], row, rest, d->size);
        }
    }
}

#define JK_NO_FIND UINT32_MAX

/* Elements [first, first + count) of pass number s: at most a tile where something is packed. Or the search among them
 * for the place of reduction `find`. */
JK_NOINLINE size_t jk_range(jk_drive *d, size_t s, size_t first, size_t count, unsigned flags, uint32_t find)
{
    const jitk_kernel *k = d->k;
    const jk_stage *stage = &k->program.stages[s];
    size_t rest = k->tail_rows ? count & (JK_LANE_BYTES / d->size - 1) : 0, place = 0;
    bool moves = rest || d->tile;
    if (moves)
        jk_move(d, first, count, rest, false);
    if (find != JK_NO_FIND)
        place = k->ncode ? k->find[s][find](&d->run, first, count)
                         : jk_interp_find(&k->program, stage, find, &d->run, first, count);
    else if (k->ncode)
        ((jk_pass_fn)k->start[s])(&d->run, first, count, flags);
    else
        jk_interp_pass(&k->program, stage, &d->run, first, count);
    if (moves && stage->stores && find == JK_NO_FIND)
        jk_move(d, first, count, rest, true);
    return place;
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

/* ---- reductions ---- */

/* Doubles in order as integers: equal zeros, NaN below all. */
JK_FUNC int64_t jk_order_key(double x)
{
    int64_t bits = (int64_t)jk_f64_bits(x);
    if ((uint64_t)bits << 1 > (uint64_t)0x7ff << 53)
        return INT64_MIN;
    return bits < 0 ? INT64_MIN - bits : bits;
}

/* A chunk's nodes: into the tree and, of argmin, the first chunk that holds the extreme value so far: the search for its
 * place is done once, at the end. */
JK_FUNC void jk_chunk_done(jk_drive *d, size_t first)
{
    uint32_t i;
    for (i = 0; i < d->tree.nred; i++)
        if (d->red[i] == JK_RARGMIN && (first == 0 || jk_order_key(d->run.node[i]) < jk_order_key(d->best[i]))) {
            d->best[i] = d->run.node[i];
            d->best_at[i] = first;
        }
    if (d->n > d->k->chunk) /* else the nodes are the results */
        jk_tree_add(&d->tree, d->red, d->run.node);
}

/* A reduction's result goes to its cell. */
JK_FUNC void jk_reduced(jk_drive *d, size_t s, uint32_t i)
{
    const jk_program *p = &d->k->program;
    jk_ref r = p->stages[s].red[i];
    bool place = d->red[i] == JK_RARGMIN;
    double value = place ? d->best[i] : d->run.node[i];
    uint64_t bits = p->ins[place ? p->ins[r].a : r].type == JK_F32 ? jk_f32_bits((float)value) : jk_f64_bits(value);
    if (p->cell[r] == JK_NOCELL)
        return;
    if (place) {
        size_t first = d->best_at[i];
        d->run.find = bits;
        bits = d->n ? jk_range(d, s, first, JK_SMALLER(d->n - first, d->k->chunk), 0, i) : UINT64_MAX; /* -1 */
    }
    d->run.cell[p->cell[r]] = bits;
}

/* ---- a call ---- */

/* A pass, by what it can do at once: chunks where it reduces, tiles where something is packed, or all elements. */
JK_FUNC void jk_run_pass(jk_drive *d, size_t s)
{
    const jk_stage *stage = &d->k->program.stages[s];
    size_t n = d->n, first, head = 0, step = d->tile ? d->tile : stage->nred ? d->k->chunk : n;
    /* What no stream is worth asking more for comes first. */
    bool streams = n > d->k->chunk && !d->tile && d->k->ncode && stage->stores && jk_streams(d, &head);
    uint32_t i;
    d->tree.nred = stage->nred;
    d->tree.count = 0;
    if (head && stage->nred) /* chunks begin where they begin */
        streams = false;
    if (!streams)
        head = 0;
    if (head)
        jk_range(d, s, 0, head, 0, JK_NO_FIND);
    for (first = head; first < n; first += step) {
        jk_range(d, s, first, JK_SMALLER(step, n - first), streams ? JK_RUN_STREAM : 0, JK_NO_FIND);
        jk_chunk_done(d, first);
    }
    if (n - 1 >= d->k->chunk)
        jk_tree_result(&d->tree, d->red, d->run.node);
    for (i = 0; i < stage->nred; i++)
        jk_reduced(d, s, i);
    d->red += stage->nred;
}

/* All of a call, in scratch memory of jk_drive_bytes. */
JK_NOINLINE void jk_drive_in(const jitk_kernel *k, size_t n, size_t tile, const jk_binds *b, char *scratch)
{
    const jk_program *p = &k->program;
    jk_drive d;
    size_t s;
    d.k = k;
    d.b = b;
    d.n = n;
    d.size = jk_type_size((jk_type)p->type);
    d.tile = tile;
    jk_drive_cut(&d, scratch + ((0 - (uintptr_t)scratch) & 63));
    jk_scalars_in(k, b->p, d.run.cell);
    for (s = 0; s < p->nstages; s++) {
        if (p->stages[s].is_pass)
            jk_run_pass(&d, s);
        else if (!k->ncode)
            jk_interp_uniform(p, &p->stages[s], &d.run);
        else if (k->start[s])
            ((jk_uniform_fn)k->start[s])(&d.run);
    }
    jk_scalars_out(k, b->p, d.run.cell);
}

JK_NOINLINE jitk_status jk_run_driver(const jitk_kernel *k, size_t n, const jk_binds *b, jitk_error *e)
{
    size_t tile = b->npacked ? JK_SMALLER(n, k->max_red ? k->chunk : JK_TILE) : 0;
    size_t nbytes = k->scratch_bytes + b->npacked * JK_ALIGN_UP(tile * jk_type_size((jk_type)k->program.type), 64) + 63;
    int saved = errno;
    char *scratch;
    if (nbytes <= JK_RUN_STACK || !e) {
        jk_drive_in(k, n, tile, b, (char *)__builtin_alloca(nbytes));
        return JITK_OK;
    }
    scratch = (char *)JK_MALLOC(nbytes);
    errno = saved;
    if (!scratch)
        return jk_fail_nomem(e);
    jk_drive_in(k, n, tile, b, scratch);
    JK_FREE(scratch);
    return JITK_OK;
}

JK_SMALL_CLOSE
#undef JK_RUN_STACK
#undef JK_TILE
#undef JK_TREE_LEVELS
#undef JK_NO_FIND
