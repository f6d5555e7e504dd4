/* x64, inside: what its files share. A compilation goes stage by stage. A pass is a loop skeleton (skeleton.c) around
 * bodies (body.c): straight-line code for `width` instances of every value in lockstep, each instance one vector.
 * Registers are given out while emitting (regs.c), instructions chosen one IR value at a time (select.c) from emitters
 * that know what the instruction set has (isa.c). */
#ifndef JK_X64_GEN_H
#define JK_X64_GEN_H
#include "x64.h"

/* An instruction set as this room sees it. */
typedef struct jk_target {
    jk_enc enc;
    uint8_t vbytes;  /* of a vector; a scalar's slot is 16 */
    uint8_t nregs;   /* vector registers */
    bool scalar;     /* one element an instruction */
    bool kmask;      /* comparisons write mask registers */
    bool fma, round; /* has them */
} jk_target;

/* General registers in generated code. rax is scratch everywhere. */
#define JK_R_RUN JK_RDI
#define JK_R_FRAME JK_R8
#define JK_R_INDEX JK_RSI
#define JK_R_AREA JK_RBX /* of a segment: its accumulators in memory */
#define JK_PASS_SLOTS 64 /* bytes of a pass's frame before all else: skeleton.c's slots; then the segments' areas */

/* Mask registers: k1 is scratch, k2 to k6 hold values, k7 is the lanes of a tail. */
#define JK_K_SCRATCH 1u
#define JK_K_TAIL 7u
#define JK_K_AVAILABLE 0x7cu

/* The caches' first level feeds light bodies best vector by vector. What is longer they read, where 32 registers allow
 * it, array by array in groups of vectors, which is faster above all where a result's lines lie just behind an
 * operand's in their pages. */
#define JK_GROUP 8u
#define JK_NEAR_BYTES 8192u /* of each array */

#define JK_NOREG 0xffu
#define JK_ARG_REGISTERS 8u /* parameters that a native function gets in xmm registers */

/* OUTER and STATE stand in rare bodies: what the body around computed, and the repeat's state; both live in the frame.
 */
typedef enum jk_val_kind { JK_VAL_COMPUTED, JK_VAL_LOAD, JK_VAL_UNIFORM, JK_VAL_STATE, JK_VAL_OUTER } jk_val_kind;
/* Behind FRAME: one element, to be spread over the lanes. */
typedef enum jk_home { JK_HOME_NONE, JK_HOME_POOL, JK_HOME_FRAME, JK_HOME_CELL, JK_HOME_LENGTH, JK_HOME_ARG } jk_home;

/* A value of a body. */
typedef struct jk_val {
    jk_ref ref;
    uint8_t kind;     /* jk_val_kind */
    uint8_t cls;      /* 0 vector, 1 mask register */
    uint8_t resident; /* UNIFORM: the register it keeps through the loop, or JK_NOREG */
    uint8_t home;     /* UNIFORM: where it stands in memory */
    uint8_t type;
    uint32_t use; /* the next of its uses, a number in the body's list; JK_NOUSE */
    uint32_t first, last, nuses;
    int32_t at; /* COMPUTED: its step; UNIFORM: its home's offset: in the pool, the frame, the cells ... */
} jk_val;

typedef struct jk_use {
    uint32_t value, step;
    uint32_t next; /* the value's next use, in a later step; JK_NOUSE */
} jk_use;
#define JK_NOUSE UINT32_MAX

typedef struct jk_loc { /* where an instance of a value is */
    int32_t slot;       /* frame offset, or -1 */
    uint8_t reg;        /* or JK_NOREG */
} jk_loc;

typedef enum jk_step_kind { JK_STEP_INS, JK_STEP_RARE, JK_STEP_RED, JK_STEP_STORE } jk_step_kind;
typedef struct jk_body_step {
    uint32_t kind;
    uint32_t index; /* RED: number of the stage's reduction; STORE: of the argument */
    jk_ref ref;     /* the instruction or reduction; JK_NOREF */
    uint32_t list;  /* list[list .. the next step's): the values that it uses, each once */
} jk_body_step;

/* What a body is to do: an order to compute, reductions and stores, and values that are wanted at the end besides, used
 * by a step behind the last. */
typedef struct jk_work {
    const jk_ref *order, *want;
    uint32_t norder, nwant;
    uint32_t nred; /* all of the stage's reductions, or none */
    bool stores;
} jk_work;

/* What one loop's body differs by. */
typedef enum jk_mode { JK_MODE_FULL, JK_MODE_STREAM, JK_MODE_MASK, JK_MODE_ROWS } jk_mode;

typedef struct jk_gen jk_gen;

/* What is being emitted of it. */
typedef struct jk_batch {
    uint32_t first;   /* instance number of the first of this batch */
    uint32_t streams; /* instances are `parts` vectors in each of `streams` segments; 1: all contiguous */
    jk_mode mode;
    uint32_t rows_index; /* ROWS: GP register with the row's element to begin at, or JK_NOGP: 0 */
} jk_batch;

/* What is read most stands first: its offsets take one byte. */
typedef struct jk_body {
    jk_gen *g;
    jk_val *val;
    jk_loc *loc;        /* [nval * width] */
    jk_use *list;       /* by steps */
    jk_body_step *step; /* and one more, which uses what is wanted at the end */
    uint32_t nval, nlist, nstep;
    uint32_t nroots, nquotients;
    uint32_t *next_red; /* while building: the next reduction of the same value + 1; the first is its `use` */
    /* while emitting */
    uint32_t width; /* instances in lockstep */
    uint32_t used[2], pinned[2], available[2];
    jk_batch batch;
    uint32_t max_live; /* vector values that live at once, one instance each */
    uint32_t nfree;
    int32_t *free_slots; /* frame slots to take again */
    size_t cap_val, cap_list, cap_free;
    uint32_t owner[2][32]; /* value * width + instance */
} jk_body;

/* Accumulators of a pass: for each reduction `nvec` vectors an instance set. */
typedef struct jk_acc {
    uint8_t op, inst; /* RSUM RPROD RMIN; the instruction that joins two of them; */
    uint8_t neutral;  /* a JK_BITS_..., 0 of sums */
    uint8_t type;     /* of the vectors that the loop adds to */
    uint8_t wide;     /* vectors a part: 2 for a packed f32 product, whose lanes are F64 */
    uint8_t halves;   /* vectors that a part is as doubles: 2 where it has floats */
    uint8_t pour;     /* f32 sum: lanes pour into F64 ones in memory */
    int32_t at;       /* in a segment's area: the lanes as the loop has them; behind them the poured F64 lanes */
    uint8_t *reg;     /* [streams * parts * wide] or JK_NOREG: in memory */
} jk_acc;

typedef struct jk_stub jk_stub;

struct jk_gen { /* what is read most stands first */
    const jk_program *p;
    jk_arena *arena;
    jitk_error *e;
    uint32_t *local; /* [nins] a ref's value number in the body at hand + 1; 0: none */
    uint32_t *outer; /* [nins] a ref's value number + 1 in the body around a rare one; 0: none */
    const jk_body *around;
    const jk_stage *stage;
    jk_acc *acc;
    uint8_t *base;  /* [nargs] GP register of an array's address, or JK_NOGP */
    jk_target t;    /* of what is being emitted: the vector one in passes, the scalar one in uniform stages */
    uint32_t parts; /* vectors that make 64 bytes' worth of elements */
    uint32_t nacc;
    uint32_t vectors; /* of the wide loop's step */
    uint32_t width;   /* of them in lockstep */
    uint32_t streams; /* segments at a time; without reductions 2 where groups are formed, else 1 */
    uint8_t frame_reg;
    bool function; /* jitk_function: parameters arrive in registers */
    bool pour;     /* some reduction's f32 lanes pour */
    bool held;     /* every accumulator of four segments is in a register */
    bool apart;    /* the reductions are of several arrays; a map takes calls */
    jk_stub *stubs;
    jk_asm as;
    uint32_t frame, frame_max; /* bytes in use now; the most of any stage */
    uint32_t stack;            /* bytes of a function's frame */
    size_t start, call;        /* where a stage begins, and a call of it */
    uint32_t arg;              /* of a call's rows: an argument's place; how many there are */
    jk_ref want;               /* what a search compares; a function's result; JK_NOREF */
    /* pass */
    uint32_t lanes, log_lanes; /* 64 bytes' worth of elements */
    uint32_t one, wide;        /* elements of a vector, of the wide loop's step */
    uint32_t zeros;            /* the lane masks' place in the pool: zeros, behind ones */
    uint32_t imm;              /* of the skeleton's row at hand */
    uint32_t seg_stride;
    uint32_t saved; /* callee-saved registers in use, a bit each */
    uint32_t fixed; /* vector registers that hold accumulators and residents */
    bool fma_used;
    jk_label fma_thunk;
    int32_t fma_at;
    jk_orderer search; /* the order of what searches and functions compute */
};

/* Bytes that an instance of a value takes in the frame. */
JK_INLINE uint32_t jk_slot_bytes(const jk_gen *g)
{
    return g->t.vbytes;
}

/* Instruction sequences are data: rows of commands, which jk_play_run (isa.c) carries out on a few places. A place
 * holds an operand: A B C those of the IR value at hand, D its result, T U temporaries, X Y Z W constants; K is the
 * scratch mask register and R is rax. */
typedef enum jk_place {
    JK_AT_A,
    JK_AT_B,
    JK_AT_C,
    JK_AT_NONE,
    JK_AT_D,
    JK_AT_T,
    JK_AT_U,
    JK_AT_X,
    JK_AT_Y,
    JK_AT_Z,
    JK_AT_W,
    JK_AT_K,
    JK_AT_R,
    JK_AT_COUNT
} jk_place;

typedef struct jk_cmd {
    uint8_t what;    /* a vector or mask instruction (jk_inst), or a jk_do */
    uint8_t d, a, b; /* places: the destination, the source that may be it, the operand that may stand in memory */
    uint8_t imm;     /* 0: that of the play */
    uint8_t how;     /* EVEX write mask: the register's number or JK_HOW_A, with JK_HOW_ZERO */
} jk_cmd;
#define JK_HOW_A 0x40u    /* the mask register in place A */
#define JK_HOW_ZERO 0x80u /* zeroing */

typedef enum jk_do {
    JK_DO_INST = 0x80, /* the play's instruction */
    JK_DO_REG,         /* d = the value's register */
    JK_DO_MEM,         /* d = the value's register or memory; imm: JK_MEM_... besides the play's */
    JK_DO_TEMP,        /* d = a register */
    JK_DO_RESULT,      /* D = the result's register: that of value a where it dies here */
    JK_DO_CONST,       /* d = the constant imm (0: the play's immediate), b: 1 not as a broadcast */
    JK_DO_MOV,         /* d = a, nothing where they are the same */
    JK_DO_WHOLE,       /* whole register d = memory b, or, imm being JK_STORE, the other way; how: 1 a mask register */
    JK_DO_FMA,         /* calls the software fma for the three operands at b */
    JK_DO_SLOW, /* where a lane of mask d is set the next commands to an END, imm in all, are carried out behind the
                   loop in place of all that follow them */
    JK_DO_IF,   /* leaves out the next imm commands but for op a */
    JK_DO_END
} jk_do;

typedef enum jk_bits {
    JK_BITS_SIGN = 1,
    JK_BITS_REST,
    JK_BITS_WHOLE,
    JK_BITS_ONE,
    JK_BITS_ONES,
    JK_BITS_NAN,
    JK_BITS_INF,
    JK_BITS_MINUS_INF,
    JK_BITS_POW_HALF,
    JK_BITS_EXPONENT,
    JK_BITS_HALF_LESS,
    JK_BITS_3_2,
    JK_BITS_5_2,
    JK_BITS_35_8,
    JK_BITS_63_8,
    JK_BITS_ULP,
    JK_BITS_DIGITS,
    JK_BITS_ROOT_LOW,
    JK_BITS_ROOT_SPAN,
    JK_BITS_ROOT_LOW_AVX2,
    JK_BITS_ROOT_SPAN_AVX2,
    JK_BITS_QUOTIENT_LOW,
    JK_BITS_QUOTIENT_SPAN
} jk_bits;

/* clang-format off */
#define JK_C_V(inst, d, a, b) {JK_V_##inst, JK_AT_##d, JK_AT_##a, JK_AT_##b, 0, 0}
#define JK_C_VI(inst, d, a, b, imm) {JK_V_##inst, JK_AT_##d, JK_AT_##a, JK_AT_##b, imm, 0}
#define JK_C_VK(inst, d, a, b, imm, how) {JK_V_##inst, JK_AT_##d, JK_AT_##a, JK_AT_##b, imm, how}
#define JK_C_K(inst, d, a, b) {JK_K_##inst, JK_AT_##d, JK_AT_##a, JK_AT_##b, 0, 0}
#define JK_C_INST(d, a, b) {JK_DO_INST, JK_AT_##d, JK_AT_##a, JK_AT_##b, 0, 0}
#define JK_C_REG(d) {JK_DO_REG, JK_AT_##d, 0, 0, 0, 0}
#define JK_C_MEM(d, flags) {JK_DO_MEM, JK_AT_##d, 0, 0, flags, 0}
#define JK_C_TEMP(d) {JK_DO_TEMP, JK_AT_##d, 0, 0, 0, 0}
#define JK_C_RESULT(a) {JK_DO_RESULT, JK_AT_D, JK_AT_##a, 0, 0, 0}
#define JK_C_CONST(d, bits) {JK_DO_CONST, JK_AT_##d, 0, 0, bits, 0}
#define JK_C_MOV(d, a) {JK_DO_MOV, JK_AT_##d, JK_AT_##a, 0, 0, 0}
#define JK_C_DO(what, d, b) {JK_DO_##what, JK_AT_##d, 0, JK_AT_##b, 0, 0}
#define JK_C_LOAD(d, b) {JK_DO_WHOLE, JK_AT_##d, 0, JK_AT_##b, 0, 0}
#define JK_C_STORE(b, d) {JK_DO_WHOLE, JK_AT_##d, 0, JK_AT_##b, JK_STORE, 0}
#define JK_C_KLOAD(d, b) {JK_DO_WHOLE, JK_AT_##d, 0, JK_AT_##b, 0, 1}
#define JK_C_KSTORE(b, d) {JK_DO_WHOLE, JK_AT_##d, 0, JK_AT_##b, JK_STORE, 1}
#define JK_C_SLOW(d, n) {JK_DO_SLOW, JK_AT_##d, 0, 0, n, 0}
#define JK_C_IF(op, n) {JK_DO_IF, 0, op, 0, n, 0}
#define JK_C_END {JK_DO_END, 0, 0, 0, 0, 0}
/* clang-format on */

typedef struct jk_play {
    jk_gen *g;
    jk_body *b;
    uint32_t j, v;   /* the instance; the number of the value that is computed */
    uint32_t val[4]; /* its operands' numbers; the last is JK_NOREF */
    jk_type type;
    jk_op op;
    unsigned inst, imm, mem;
    jk_stub *slow; /* or NULL */
    jk_opnd o[JK_AT_COUNT];
} jk_play;

struct jk_stub { /* to be emitted behind the loops: a rare body or a slow path */
    jk_label enter, back;
    jk_ref ref; /* the RARE, or the value that the slow path computes */
    uint32_t v; /* the RARE's number */
    jk_stub *next;
    const jk_cmd *slow;
    const jk_body_step *step; /* the RARE's */
    jk_body at;   /* the state at the jump, but the places behind the stub: of what the RARE's step uses, no more */
    jk_play play; /* of slow; else NULL in play.g */
};

/* isa.c */
JK_FUNC void jk_play_init(jk_play *p, jk_gen *g, jk_type type);
JK_FUNC void jk_play_run(jk_play *p, const jk_cmd *c);
JK_FUNC void jk_emit_run(jk_gen *g, size_t offset);
JK_FUNC void jk_emit_whole(jk_gen *g, unsigned cls, unsigned reg, jk_opnd at, bool store);
JK_FUNC void jk_frame_save(jk_gen *g, unsigned cls, int32_t at, unsigned reg);
JK_FUNC void jk_frame_load(jk_gen *g, unsigned cls, unsigned reg, int32_t at);
JK_FUNC jk_opnd jk_const_of(jk_gen *g, jk_type type, unsigned bits);
JK_FUNC const jk_target *jk_target_of(jitk_isa isa, bool fma);
JK_FUNC jk_vt jk_vt_of(const jk_gen *g, jk_type type);
JK_FUNC int32_t jk_frame_take(jk_gen *g, uint32_t nbytes, uint32_t align);
JK_FUNC jk_opnd jk_at_frame(const jk_gen *g, int32_t offset);
JK_FUNC jk_opnd jk_const(jk_gen *g, jk_type type, uint64_t bits);
JK_FUNC void jk_emit_mov(jk_gen *g, unsigned dst, unsigned src);
JK_FUNC void jk_emit_load(jk_gen *g, jk_type type, unsigned dst, jk_opnd from);
JK_FUNC void jk_emit_store(jk_gen *g, jk_type type, jk_opnd to, unsigned src);
JK_FUNC void jk_emit_splat(jk_gen *g, jk_type type, unsigned dst, jk_opnd from);
JK_FUNC void jk_emit_3(jk_gen *g, jk_inst i, jk_type type, unsigned dst, unsigned a, jk_opnd b);
JK_FUNC void jk_emit_3i(jk_gen *g, jk_inst i, jk_type type, unsigned dst, unsigned a, jk_opnd b, unsigned imm);
JK_NOINLINE void jk_emit_join(jk_gen *g, const jk_acc *acc, jk_type type, unsigned d, unsigned a, jk_opnd y,
                              unsigned t);
JK_FUNC void jk_emit_kvec(jk_gen *g, jk_type type, unsigned k, unsigned v);

/* regs.c */
JK_FUNC unsigned jk_take(jk_body *b, unsigned cls);
JK_FUNC void jk_own(jk_body *b, unsigned cls, unsigned reg, uint32_t instance);
JK_FUNC jk_opnd jk_home_of(jk_body *b, const jk_val *x);
JK_FUNC void jk_drop(jk_body *b, unsigned cls, unsigned reg);
JK_FUNC unsigned jk_reg_of(jk_body *b, uint32_t v, uint32_t j);
#define JK_MEM_WIDE 1u /* the instruction reads a whole vector, also in scalar code */
#define JK_MEM_NOBCAST 2u
JK_FUNC jk_opnd jk_opnd_of(jk_body *b, uint32_t v, uint32_t j, unsigned flags);
JK_NOINLINE uint32_t jk_instance_of(const jk_body *b, uint32_t v, uint32_t j);
JK_FUNC bool jk_in_reg(const jk_body *b, uint32_t v, uint32_t j);
JK_FUNC bool jk_dies(const jk_body *b, uint32_t v);
JK_NOINLINE unsigned jk_left_reg(const jk_body *b, uint32_t v, uint32_t j);
JK_FUNC unsigned jk_result_reg(jk_body *b, uint32_t v, uint32_t j, uint32_t from);
JK_FUNC void jk_release(jk_body *b, uint32_t v, uint32_t j);
JK_FUNC uint32_t jk_next_use(const jk_body *b, uint32_t v);
JK_FUNC int32_t jk_spill_slot(jk_body *b);

JK_FUNC void jk_unpin(jk_body *b);

/* select.c */
JK_FUNC void jk_select(jk_body *b, jk_ref ref, uint32_t j);
JK_FUNC uint32_t jk_val_of(const jk_body *b, jk_ref ref);

/* split.c */
JK_FUNC bool jk_splits(const jk_body *b);
JK_FUNC const jk_cmd *jk_split(const jk_body *b, const jk_ins *i, uint32_t j);

/* body.c */
JK_FUNC bool jk_body_build(jk_gen *g, jk_body *b, const jk_work *w);
JK_FUNC unsigned jk_operands(const jk_ins *i, jk_ref *op);
JK_FUNC void jk_body_forget(jk_body *b);
JK_FUNC bool jk_body_range(jk_body *b, uint32_t width, uint32_t first, uint32_t end, uint32_t streams, jk_mode mode);
JK_FUNC bool jk_body_begin(jk_body *b, uint32_t width);
JK_FUNC void jk_body_run(jk_body *b);
JK_FUNC jk_opnd jk_array_at(jk_body *b, uint32_t arg, uint32_t j);
JK_FUNC void jk_array_move(jk_body *b, uint32_t arg, uint32_t j, unsigned reg, bool store);

JK_FUNC jk_opnd jk_acc_at(const jk_gen *g, const jk_acc *acc, uint32_t n);

JK_FUNC uint32_t jk_step_bytes(const jk_gen *g, jk_type type);
JK_NOINLINE void jk_emit_upper(jk_gen *g, unsigned t, unsigned x);
JK_FUNC void jk_emit_widen_half(jk_gen *g, unsigned t, unsigned x, unsigned h);

/* fold.c */
typedef enum jk_acc_do { JK_ACC_LOAD, JK_ACC_STORE, JK_ACC_INIT, JK_ACC_POUR, JK_ACC_CLEAR } jk_acc_do;
JK_FUNC bool jk_acc_layout(jk_gen *g, const jk_stage *s);
JK_FUNC void jk_acc_each(jk_gen *g, uint32_t first, uint32_t end, jk_acc_do what);
typedef enum jk_fold_from { JK_FOLD_MEMORY, JK_FOLD_REGISTERS, JK_FOLD_WHOLE } jk_fold_from;
JK_FUNC void jk_fold(jk_gen *g, jk_fold_from from);

/* rare.c */
JK_FUNC void jk_rare_jump(jk_body *b, const jk_body_step *s);
JK_FUNC void jk_rare_stubs(jk_gen *g);
JK_FUNC void jk_slow_path(jk_play *p, unsigned mask, const jk_cmd *c);
JK_FUNC void jk_emit_test_mask(jk_gen *g, jk_type type, unsigned m, bool tail);
JK_FUNC unsigned jk_emit_any(jk_body *b, uint32_t v);
#endif
