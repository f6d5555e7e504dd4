/* run: the contract between what computes (interpreter or machine code) and what drives it. A program's stages run in
 * order; a uniform stage is one call, a pass is called for ranges of elements, and a pass with reductions for
 * chunks, so that its partial results (nodes) come one for each chunk and are joined in C (reduce.c). */
#ifndef JK_RUN_H
#define JK_RUN_H
#include "ir/ir.h"

/* The order of a reduction, frozen: docs/reductions.md. */
#define JK_CHUNK_BYTES 525312u /* of a chunk's elements, of the kernel's type */
#define JK_SEGMENTS 4u         /* contiguous segments of a chunk */
#define JK_LANE_BYTES 64u      /* in a segment an element goes to lane (index mod 64 bytes / element size) */
#define JK_POUR 64u            /* vector steps after which f32 lanes pour into f64 ones */

static inline size_t jk_chunk_of(size_t elem_bytes)
{
    return JK_CHUNK_BYTES / elem_bytes;
}

/* Elements in each of the four segments of a chunk of m elements (the last ones may be short or empty). */
static inline size_t jk_segment_length(size_t m, size_t elem_bytes)
{
    return (m * elem_bytes + JK_SEGMENTS * JK_LANE_BYTES - 1) / (JK_SEGMENTS * JK_LANE_BYTES) *
           (JK_LANE_BYTES / elem_bytes);
}

/* flags: the arrays come from memory; results are stored past the caches (all of them 64-byte aligned at `first`) */
#define JK_RUN_STREAM 1u

/* What one call needs. Arrays are of the kernel's type and contiguous here: the driver packs what is not. */
typedef struct jk_run {
    void *const *array; /* [nargs] element 0 of each array argument; unused entries are not read */
    void *const *tail;  /* [nargs] rows of 64 bytes: the last (count mod lanes) elements of each input array, the
                           other lanes a copy of a valid one; array results are left here for the driver to copy.
                           Read only where count & jk_code.rest is not 0. Lanes: 64 / element size. */
    uint64_t *cell;     /* [ncells] values by type in the low bytes */
    double *node;       /* [nred of the pass] this chunk's partial results (RARGMIN: the minimum) */
    void *frame;        /* jk_code.frame_bytes, 64-byte aligned: spills, splats, accumulators */
    uint64_t n;         /* length() */
    uint64_t find;      /* RARGMIN search: the bits of the value looked for, of the argument's type */
} jk_run;

/* Partial results, all as doubles. init: the empty node. join: node := node then next, in that order.
 * An f32 sum's node is a double; RMIN's node is its value, exactly. */
JK_FUNC double jk_node_init(jk_op red);
JK_FUNC double jk_node_join(jk_op red, double left, double right);

/* A dyadic tree over chunk numbers as a binary counter: add the nodes of chunk 0, 1, 2, ... in turn. */
typedef struct jk_tree {
    uint32_t nred;
    uint64_t count; /* chunks added */
    double *level;  /* [levels that the count takes][nred] */
} jk_tree;
JK_FUNC void jk_tree_add(jk_tree *t, const jk_op *red, const double *node);
JK_FUNC void jk_tree_result(const jk_tree *t, const jk_op *red, double *node); /* of no chunk: the empty nodes */

/* One reduction's accumulators within a chunk. add takes elements [at, at + n) of a segment, n <= JK_INTERP_BLOCK, `at`
 * a multiple of that; the last ones close it (what is left in f32 lanes pours); node is the chunk's. type: the
 * kernel's. */
#define JK_INTERP_BLOCK 128u /* elements; it divides the steps between two pours */
typedef struct jk_lanes {
    jk_op red;
    jk_type type;
    double lane[JK_SEGMENTS][16];
    float part[16];
} jk_lanes;
JK_FUNC void jk_lanes_init(jk_lanes *l, jk_op red, jk_type type);
JK_FUNC void jk_lanes_add(jk_lanes *l, size_t segment, size_t at, const void *x, size_t n, bool last);
JK_FUNC double jk_lanes_node(jk_lanes *l);

/* ---- the interpreter: the reference and the fallback. Runs any program from its tables and allocates nothing: `frame`
 * holds its values (jk_interp_frame bytes, the most that any stage of the program needs). ---- */
JK_FUNC size_t jk_interp_frame(const jk_program *p);
JK_FUNC void jk_interp_uniform(const jk_program *p, const jk_stage *s, const jk_run *r);
/* Elements [first, first + count): stores results, and where the stage has reductions writes node[]; then count is at
 * most jk_chunk_of and the range is one chunk. */
JK_FUNC void jk_interp_pass(const jk_program *p, const jk_stage *s, const jk_run *r, size_t first, size_t count);
/* The first element of [first, first + count) at which the argument of reduction number `red` of the stage equals the
 * value in r->find or, where that is NaN, is NaN; first + count if none. */
JK_FUNC size_t jk_interp_find(const jk_program *p, const jk_stage *s, uint32_t red, const jk_run *r, size_t first,
                              size_t count);
#endif
