/* ir: the SSA form. One straight line of 16-byte instructions, one value each; an operand is the number of an earlier
 * instruction. No instruction mentions a width or a lane. Values are hash-consed by op, type, operands and bits as they
 * are built (jk_ir_emit is the one door: it folds, simplifies and finds duplicates), so nothing cleans up later.
 *
 * A value is uniform (one for the whole call: constants, scalar parameters, length, results of reductions, and what is
 * computed of those) or varying (one for each element: loads and what is computed of those).
 *
 * A program is plain read-only data: jitk-gen prints the named kernels' programs as static tables. */
#ifndef JK_IR_H
#define JK_IR_H
#include "../base.h"
#include "ops.h"

typedef uint32_t jk_ref;
#define JK_NOREF UINT32_MAX

typedef struct jk_ins {
    uint8_t op, type; /* jk_op; jk_type of the value */
    uint16_t aux;     /* shift count (ISHL, ISHR); number of the jk_rare (RARE); else 0 */
    uint32_t a, b, c; /* operands; for leaves what ops.h says */
} jk_ins;

/* A rare body: instructions [first, the RARE instruction) that only lanes of its mask need. Meaning, lane by lane:
 *     state_i = rstate_i.a;  result = fast;  active = mask;
 *     while (any lane active && limit-- > 0) {
 *         run the body;  result = active ? c : result;
 *         active = active & again;  state_i = active ? rstate_i.b : state_i;
 *     }
 * Values of the body are used by nothing outside but the RARE itself. A lane without an element is never active. In a
 * varying RARE all of the body but its constants counts as varying, also what is computed of uniform values only. */
typedef struct jk_rare {
    jk_ref first; /* its first instruction: the RSTATEs come first */
    jk_ref again; /* mask; JK_NOREF: the body runs once */
    uint32_t limit;
} jk_rare;

/* What the interpreter runs: a stage's order with rare bodies spread out, then (a pass) one step for each reduction
 * and, where it stores, one for each array result (`to` is its argument's number), with the slot of its frame that each
 * value stands in. JK_NOREF: no slot (a leaf or a value with a cell). A RARE takes two steps, r[0] with from = {mask,
 * fast, c} and r[1] with to = its mask of active lanes and from = {again, number of states, number of body steps}; the
 * steps of the body and of the states (from = {first value, next value, where the next value waits}) follow. */
typedef struct jk_step {
    jk_ref ref;           /* the instruction */
    uint32_t to, from[3]; /* slots */
} jk_step;

/* Stages run in order: uniform, pass, uniform, pass, ..., uniform. `order` lists the instructions to run, operands
 * first, without the position-free leaves (CONST PARAM LOAD LENGTH), reductions, and the insides of rare bodies
 * (a RARE stands for its body). */
typedef struct jk_stage {
    bool is_pass;
    bool stores;         /* a pass that stores the array results */
    const jk_ref *order; /* Sethi-Ullman order */
    uint32_t norder;
    const jk_ref *red; /* a pass: the reductions it accumulates */
    uint32_t nred;
    const jk_step *step;      /* the same with places: filled by jk_slots */
    uint32_t nstep, ncompute; /* all of them; those before the reductions */
} jk_stage;

typedef struct jk_param_info {
    const char *name; /* terminated */
    uint8_t type;     /* element type of the caller's array or scalar */
    uint8_t is_array, is_result;
    uint8_t reserved;
    jk_ref value; /* a result: what it is. Array results have the kernel's type, scalar ones F64, F32 or I64 */
} jk_param_info;

#define JK_NOCELL UINT32_MAX

/* Uniform values that live beyond their stage stand in cells, 8 bytes each: cell[ref] is the number of a value's cell,
 * or JK_NOCELL. Scalar parameters (converted to the kernel's type) and reductions that are used have one, and so has
 * every uniform non-constant value that a pass, a later stage or a scalar result uses. */
typedef struct jk_program {
    const jk_ins *ins;
    const uint32_t *cell;   /* [nins] */
    const uint8_t *varying; /* [nins] 1: varying, 0: uniform */
    const jk_rare *rares;
    const jk_stage *stages;
    const jk_param_info *args; /* parameters, then results, in the signature's order */
    uint32_t nins, nrares, nstages, ncells, nargs, nparams;
    uint8_t type; /* JK_F64 or JK_F32: the kernel's */
    uint8_t reserved[3];
    uint32_t flags;  /* JITK_STRICT ... */
    uint32_t nslots; /* slots of the interpreter's frame, the most of any stage */
} jk_program;

/* ---- building ---- */
typedef struct jk_ir {
    jk_arena *arena;
    jitk_error *error;
    jk_ins *ins;
    uint8_t *varying;
    uint32_t *chain; /* the older value of the same bucket, JK_NOREF: none, JK_UNSHARED: not to be found */
    size_t nins, cap_ins;
    JK_LIST(jk_rare, rares);
    uint32_t *bucket; /* the newest value of each hash bucket, or JK_NOREF */
    size_t nbuckets;
    uint8_t type; /* the kernel's */
    uint32_t flags;
} jk_ir;

JK_FUNC void jk_ir_init(jk_ir *ir, jk_arena *arena, jk_type type, unsigned flags, jitk_error *e);
/* The one door. Folds, simplifies, shares. After the arena has failed it returns 0 and does nothing. */
JK_FUNC jk_ref jk_ir_emit(jk_ir *ir, jk_op op, jk_type type, unsigned aux, jk_ref a, jk_ref b, jk_ref c);
JK_FUNC jk_ref jk_ir_bits(jk_ir *ir, jk_type type, uint64_t bits); /* a constant by its bits */
JK_FUNC jk_ref jk_ir_float(jk_ir *ir, jk_type type, double value); /* rounded to type */
JK_FUNC uint64_t jk_ir_const_bits(const jk_ins *i);
/* F64 or F32 arithmetic of 1 to 3 operands; comparisons and masks; the type follows the operands. */
JK_FUNC jk_ref jk_ir_1(jk_ir *ir, jk_op op, jk_ref a);
JK_FUNC jk_ref jk_ir_2(jk_ir *ir, jk_op op, jk_ref a, jk_ref b);
JK_FUNC jk_ref jk_ir_3(jk_ir *ir, jk_op op, jk_ref a, jk_ref b, jk_ref c);
/* A RARE built before for the same mask and fast value (whoever calls this has one body for them), else JK_NOREF. */
JK_FUNC jk_ref jk_ir_rare_find(const jk_ir *ir, jk_ref mask, jk_ref fast);
/* A body from begin to end, within no other. Its states come right after begin; their next values, and whether it runs
 * again, are said before its end. */
JK_FUNC void jk_ir_rare_begin(jk_ir *ir);
JK_FUNC jk_ref jk_ir_rstate(jk_ir *ir, jk_ref init);
JK_FUNC void jk_ir_rare_next(jk_ir *ir, jk_ref state, jk_ref next);
JK_FUNC void jk_ir_rare_again(jk_ir *ir, jk_ref again, unsigned limit);
JK_FUNC jk_ref jk_ir_rare_end(jk_ir *ir, jk_ref mask, jk_ref fast, jk_ref result);

/* ---- AST to IR ---- */
struct jitk_ast;
typedef struct jk_lower_options {
    jk_type type;
    unsigned flags;    /* JITK_STRICT ..., such as there are: whoever calls has looked */
    const char *entry; /* NULL: the last definition */
    bool scalar;       /* jitk_function: a bare expression's parameters are scalars; arrays are an error */
} jk_lower_options;
/* The whole way from a tree to a planned program, all of it in the arena, in the library's floating-point
 * mode (jk_fp_enter). *e says nothing yet. */
JK_FUNC jitk_status jk_lower(const struct jitk_ast *ast, const jk_lower_options *o, jk_arena *arena, jk_program *out,
                             jitk_error *e);
/* Cuts at the reductions, orders, assigns cells: fills all of *out from a built ir. args as in jk_program. Without
 * memory the arena has failed. */
JK_FUNC void jk_plan(jk_ir *ir, jk_param_info *args, uint32_t nargs, uint32_t nparams, jk_program *out);
/* Sethi-Ullman order of all in instructions [lo, hi) that roots need: uniform values of any stage, to begin with. The
 * others, and all before lo, are at hand. Leaves, reductions and RSTATEs are not listed, and a RARE stands for its
 * body. For a rare body: lo = rare.first, hi = the RARE, roots c, again and the RSTATEs' b, varying as the RARE is. */
typedef struct jk_orderer {
    const jk_program *p;
    jk_arena *arena;
    jk_ref lo, hi;         /* only these are computed here */
    uint8_t varying;       /* 1: varying values, 0: uniform ones; the others are at hand */
    const uint32_t *stage; /* NULL, or: of uniform values only those of this stage */
    uint32_t at_stage;
    uint8_t *need;  /* registers that computing a value takes, about; by ref - lo */
    uint32_t *mark; /* by ref - lo: mark: its operands wait above it on the stack; mark + 1: in the order */
    uint32_t stamp;
    JK_LIST(jk_ref, stack);
    JK_LIST(jk_ref, out);
} jk_orderer;
JK_NOINLINE void jk_order_init(jk_orderer *o, const jk_program *p, jk_arena *arena, jk_ref lo, jk_ref hi);
/* Appends what the root needs and what is not there yet. */
JK_NOINLINE void jk_order_root(jk_orderer *o, jk_ref root);
/* Hands out what is there and begins another order. */
JK_NOINLINE void jk_order_take(jk_orderer *o, const jk_ref **order, uint32_t *norder);
/* Numbers the interpreter's slots, for a program that has all else: the last thing that jk_plan does. Without memory
 * the arena has failed. */
JK_FUNC void jk_slots(jk_program *p, jk_arena *arena);
/* How many value operands op has (0 for leaves), for walks over a, b, c. */
JK_FUNC unsigned jk_op_arity(jk_op op);
JK_FUNC const char *jk_op_name(jk_op op);

/* ---- looking ---- */
JK_FUNC void jk_ir_print(const jk_program *p, FILE *out);
#endif
