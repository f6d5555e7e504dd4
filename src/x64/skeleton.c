/* x64: skeletons, the code around bodies, as tables. A row is an instruction on general registers, a label, a jump, or
 * a hook that emits more: a body, the accumulators' way from and to memory, a fold. A table reads like a page of
 * assembly, and jk_skeleton carries it out. The tables stand in map.c, chunk.c and entry.c.
 *
 * A row's first column says when it counts: bits of JK_IF_... that must all hold; 0: always. Operands are the general
 * registers and the names of JK_PLACES. Labels are local as in GNU as: JK_TO jumps to the next place of that name,
 * JK_BACK to the last one.
 *
 * Registers: rdi run, r8 frame, rsi r9 r10 r11 element indices of up to four segments, rdx and rcx counters, rax
 * scratch, rbx a segment's area; rcx also points to the lane masks, or counts the row, of a tail; the rest are array
 * addresses. */
#include "gen.h"

JK_SMALL_OPEN

#define JK_SEGMENT_STEPS (int)(JK_CHUNK_BYTES / JK_SEGMENTS / JK_LANE_BYTES) /* of a whole chunk */
#define JK_CHUNK_STEPS (int)(JK_CHUNK_BYTES / JK_LANE_BYTES)
/* Bytes below the stack's top that are a leaf function's own (System V ABI, AMD64, 3.2.2): for a call's jk_run, and at
 * the other end the registers that a pass saves. */
#define JK_RED_ZONE 128

/* X(NAME, kind, base, index, scale, constant, field, factor): the displacement, or the immediate, is constant + factor
 * times a field of jk_gen. */
/* clang-format off */
#define JK_PLACES(X) \
    /* slots of a pass: elements; of a segment; from the group on; the group's first one; */ \
    X(COUNT, MEM, R8, NOGP, 1, 0, imm, 0) \
    X(LENGTH, MEM, R8, NOGP, 1, 8, imm, 0) \
    X(LEFT, MEM, R8, NOGP, 1, 16, imm, 0) \
    X(START, MEM, R8, NOGP, 1, 24, imm, 0) \
    /* the chunk's first element; how many follow the chunk; what a search looks for */ \
    X(FIRST, MEM, R8, NOGP, 1, 32, imm, 0) \
    X(BEHIND, MEM, R8, NOGP, 1, 40, imm, 0) \
    X(FLAGS, MEM, R8, NOGP, 1, 48, imm, 0) \
    X(TARGET, MEM, R8, NOGP, 1, JK_PASS_SLOTS, imm, 0) \
    /* the segments' areas; the steps that segments from rbx on have done */ \
    X(AREAS, MEM, R8, NOGP, 1, JK_PASS_SLOTS, imm, 0) \
    X(AREAS_END, MEM, R8, NOGP, 1, JK_PASS_SLOTS, seg_stride, JK_SEGMENTS) \
    X(DONE0, MEM, RBX, NOGP, 1, 0, imm, 0) \
    X(DONE1, MEM, RBX, NOGP, 1, 0, seg_stride, 1) \
    X(DONE2, MEM, RBX, NOGP, 1, 0, seg_stride, 2) \
    X(DONE3, MEM, RBX, NOGP, 1, 0, seg_stride, 3) \
    X(RUN_ARRAY, MEM, RDI, NOGP, 1, offsetof(jk_run, array), imm, 0) \
    X(RUN_FRAME, MEM, RDI, NOGP, 1, offsetof(jk_run, frame), imm, 0) \
    X(RUN_NODE, MEM, RDI, NOGP, 1, offsetof(jk_run, node), imm, 0) \
    /* addresses for lea */ \
    X(RSI_RAX, MEM, RSI, RAX, 1, 0, imm, 0) \
    X(R9_RAX, MEM, R9, RAX, 1, 0, imm, 0) \
    X(R10_RAX, MEM, R10, RAX, 1, 0, imm, 0) \
    X(RSI_RDX, MEM, RSI, RDX, 1, 0, imm, 0) \
    X(RSI_AND_ONE, MEM, RSI, NOGP, 1, 0, one, 1) \
    X(RDX_LESS_ONE, MEM, RDX, NOGP, 1, 0, one, -1) \
    X(RDX_LESS_WIDE, MEM, RDX, NOGP, 1, 0, wide, -1) \
    X(RDX_LESS_GROUP, MEM, RDX, NOGP, 1, 0, one, -(int)JK_GROUP) \
    X(RDX_LESS_NEAR, MEM, RDX, NOGP, 1, 0, lanes, -(int)(JK_NEAR_BYTES / JK_LANE_BYTES)) \
    X(RDX_LESS_CHUNK, MEM, RDX, NOGP, 1, 0, lanes, -JK_CHUNK_STEPS) \
    X(SECOND, MEM, RSI, NOGP, 1, 0, lanes, JK_SEGMENT_STEPS) \
    X(THIRD, MEM, RSI, NOGP, 1, 0, lanes, 2 * JK_SEGMENT_STEPS) \
    X(FOURTH, MEM, RSI, NOGP, 1, 0, lanes, 3 * JK_SEGMENT_STEPS) \
    X(BYTES_F64, MEM, NOGP, RDX, 8, JK_SEGMENTS * JK_LANE_BYTES - 1, imm, 0) \
    X(BYTES_F32, MEM, NOGP, RDX, 4, JK_SEGMENTS * JK_LANE_BYTES - 1, imm, 0) \
    X(PUSHED, MEM, RBP, NOGP, 1, -64, imm, 0) \
    /* of a function: the stack's top; the frame's end */ \
    X(STACK, MEM, RSP, NOGP, 1, 0, imm, 0) \
    X(FRAME_END, MEM, RSP, NOGP, 1, 0, stack, -1) \
    X(ZEROS, POOL, NOGP, NOGP, 1, 0, zeros, 1) \
    /* of a call: where its slow way begins; below the stack's top a jk_run and the mode; the elements less one, their bytes
     * less one, twice r11 and one; an argument */ \
    X(SLOW, MEM, RDI, NOGP, 1, 0, imm, 0) \
    X(RED_RUN, MEM, RSP, NOGP, 1, -JK_RED_ZONE, imm, 0) \
    X(RED_ARRAY, MEM, RSP, NOGP, 1, (int)offsetof(jk_run, array) - JK_RED_ZONE, imm, 0) \
    X(RED_N, MEM, RSP, NOGP, 1, (int)offsetof(jk_run, n) - JK_RED_ZONE, imm, 0) \
    X(RED_SLOT, MEM, RSP, NOGP, 1, (int)offsetof(jk_run, find) - JK_RED_ZONE, imm, 0) \
    X(MODE, MEM, RSP, NOGP, 1, -8, imm, 0) \
    X(N_LESS, MEM, RSI, NOGP, 1, -1, imm, 0) \
    X(BYTES_LESS, MEM, NOGP, RSI, 8, -1, imm, 0) \
    X(TWICE_AND_ONE, MEM, NOGP, R11, 2, 1, imm, 0) \
    X(ARG, MEM, RCX, NOGP, 1, 0, arg, 1) \
    /* immediates: the row's own; lanes, and masks of their multiples and of the rest; elements of POUR
     * steps, of a chunk; a chunk's nodes */ \
    X(IMM, IMM, NOGP, NOGP, 1, 0, imm, 1) \
    X(LANES, IMM, NOGP, NOGP, 1, 0, lanes, 1) \
    X(EVEN, IMM, NOGP, NOGP, 1, 0, lanes, -1) \
    X(REST, IMM, NOGP, NOGP, 1, -1, lanes, 1) \
    X(POURED, IMM, NOGP, NOGP, 1, 0, lanes, JK_POUR) \
    X(CHUNK, IMM, NOGP, NOGP, 1, 0, lanes, JK_CHUNK_STEPS) \
    X(NODES, IMM, NOGP, NOGP, 1, 0, nacc, 8) \
    X(LOG_LANES, IMM, NOGP, NOGP, 1, 0, log_lanes, 1) \
    X(LOG_SIZE, IMM, NOGP, NOGP, 1, 6, log_lanes, -1) \
    /* elements of one vector, of the wide step; a mask of a vector's multiples; bytes: an area's, two's, a frame's */ \
    X(ONE, IMM, NOGP, NOGP, 1, 0, one, 1) \
    X(WIDE, IMM, NOGP, NOGP, 1, 0, wide, 1) \
    X(GROUP, IMM, NOGP, NOGP, 1, 0, one, JK_GROUP) \
    X(EACH, IMM, NOGP, NOGP, 1, 0, one, -1) \
    X(STRIDE, IMM, NOGP, NOGP, 1, 0, seg_stride, 1) \
    X(STRIDES, IMM, NOGP, NOGP, 1, 0, seg_stride, 2) \
    X(FRAME, IMM, NOGP, NOGP, 1, 0, stack, 1) \
    X(NARGS, IMM, NOGP, NOGP, 1, 0, arg, 1)
/* clang-format on */

/* clang-format off */
typedef enum jk_spot {
    JK_IN_RAX, JK_IN_RCX, JK_IN_RDX, JK_IN_RBX, JK_IN_RSP, JK_IN_RBP, JK_IN_RSI, JK_IN_RDI,
    JK_IN_R8, JK_IN_R9, JK_IN_R10, JK_IN_R11, JK_IN_R15 = 15,
#define JK_ROW(NAME, kind, base, index, scale, constant, field, factor) JK_IN_##NAME,
    JK_PLACES(JK_ROW)
#undef JK_ROW
    JK_IN_END
} jk_spot;
/* clang-format on */

#define JK_OPND_IMM 3 /* beside jk_opnd_kind */

typedef struct jk_spot_row {
    jk_opnd opnd;
    uint16_t field; /* its place in jk_gen */
    int16_t factor;
} jk_spot_row;

static const jk_spot_row jk_spots[] = {
#define JK_ROW(NAME, kind, base, index, scale, constant, field, factor) \
    {{0, JK_OPND_##kind, 0, scale, JK_##base, JK_##index, constant}, offsetof(jk_gen, field), factor},
    JK_PLACES(JK_ROW)
#undef JK_ROW
};

/* Conditions, and their contraries eight bits above. Some bits have one meaning in passes with reductions, another in
 * those without, a third in functions. */
enum jk_when {
    JK_IF_KMASK = 1,
    JK_IF_VEX = 2,
    JK_IF_F32 = 4,
    JK_IF_APART = 8,  /* several arrays: of a whole chunk two segments are read at a time */
    JK_IF_FEW = 16,   /* less than all segments at a time */
    JK_IF_ONE = 32,   /* one segment at a time */
    JK_IF_POUR = 64,  /* some f32 sum pours */
    JK_IF_HELD = 128, /* accumulators stay in registers */
    JK_IF_STREAM = JK_IF_POUR,
    JK_IF_WIDE = JK_IF_HELD, /* the wide loop's step is more than one vector */
    JK_IF_FRAME = JK_IF_HELD,
    JK_IF_PAGES = JK_IF_POUR, /* the frame is more than a page */
    JK_IF_CALL = JK_IF_APART, /* machine code takes the calls, too */
    JK_IF_ROWS = JK_IF_KMASK << 8,
    JK_IF_F64 = JK_IF_F32 << 8,
    JK_IF_FOUR = JK_IF_FEW << 8,
    JK_IF_TWO = JK_IF_ONE << 8,
    JK_IF_GROUPS = JK_IF_TWO, /* many elements go by groups of vectors */
    JK_IF_PLAIN = JK_IF_POUR << 8,
    JK_IF_SPILLED = JK_IF_HELD << 8,
    JK_IF_JOINT = JK_IF_APART << 8,
    JK_IF_NEVER = JK_IF_KMASK | JK_IF_ROWS
};

typedef enum jk_hook {
    JK_SK_LABEL = 0x80, /* a */
    JK_SK_TO,           /* label a, condition d */
    JK_SK_BACK,
    JK_SK_ALIGN,
    JK_SK_CALLED, /* a call begins here */
    JK_SK_ARGS,  /* to LEAVE where of the arrays at rcx one is NULL, or a result near one before it but not in its place
                  */
    JK_SK_START, /* the stage begins here */
    JK_SK_BASES, /* the arrays' addresses; rax: the table of them */
    JK_SK_UNIFORMS, /* to their registers, or spread over a vector in the frame */
    JK_SK_BODY,     /* shape a, mode d, segment imm */
    JK_SK_LOOK,     /* a search: whether the body's vector has a hit; a: 1 by mask registers, 2 under a tail's */
    JK_SK_TARGET,   /* spreads what the search looks for */
    JK_SK_MASKS,    /* puts the lane masks into the pool */
    JK_SK_CLEAR,    /* vector register 0 */
    JK_SK_ACC,  /* jk_acc_do a of the accumulators of the segments imm / 16 to imm % 16; imm 0: of those that run at a
                   time */
    JK_SK_FOLD, /* jk_fold_from a */
    JK_SK_FUNCTION, /* a function's body */
    JK_SK_VECTORS,  /* the software FMA: 16 vector registers, a: jk_frame_save, else load */
    JK_SK_CALL,     /* the software FMA */
    JK_SK_SECTION,  /* rows up to the next one count under its condition */
    JK_SK_END
} jk_hook;

/* How many vectors a body has: the wide loop's, one, a group's, a segment's step, or that of two. */
typedef enum jk_shape { JK_SHAPE_WIDE, JK_SHAPE_ONE, JK_SHAPE_GROUP, JK_SHAPE_SEGMENT, JK_SHAPE_PAIR } jk_shape;

typedef struct jk_row {
    uint8_t what; /* jk_inst or jk_hook */
    uint8_t a;    /* operand size, condition << 4 of a CMOV; what a hook says */
    uint8_t d, s; /* jk_spot */
    uint16_t when;
    int16_t imm;
} jk_row;

/* clang-format off */
#define JK_S(when, NAME, d, s) {JK_G_##NAME, 8, JK_IN_##d, JK_IN_##s, when, 0}
#define JK_S4(when, NAME, d, s) {JK_G_##NAME, 4, JK_IN_##d, JK_IN_##s, when, 0}
#define JK_SI(when, NAME, d, imm) {JK_G_##NAME, 8, JK_IN_##d, JK_IN_IMM, when, imm}
#define JK_SI4(when, NAME, d, imm) {JK_G_##NAME, 4, JK_IN_##d, JK_IN_IMM, when, imm}
#define JK_CMOV(when, cc, d, s) {JK_G_CMOV, JK_CC_##cc << 4 | 8, JK_IN_##d, JK_IN_##s, when, 0}
#define JK_S0(when, NAME) {JK_##NAME, 0, 0, 0, when, 0}
#define JK_LABEL(when, l) {JK_SK_LABEL, JK_L_##l, 0, 0, when, 0}
#define JK_TO(when, cc, l) {JK_SK_TO, JK_L_##l, JK_CC_##cc, 0, when, 0}
#define JK_BACK(when, cc, l) {JK_SK_BACK, JK_L_##l, JK_CC_##cc, 0, when, 0}
#define JK_BODY(when, shape, mode, segment) {JK_SK_BODY, JK_SHAPE_##shape, JK_MODE_##mode, 0, when, segment}
#define JK_HOOK(when, what, a, imm) {JK_SK_##what, a, 0, 0, when, imm}
#define JK_STACK(when, NAME, mask) {JK_G_##NAME, 0, 0, 0, when, mask}
#define JK_SECTION(when) {JK_SK_SECTION, 0, 0, 0, when, 0}
#define JK_END {JK_SK_END, 0, 0, 0, 0, 0}
/* clang-format on */

/* clang-format off */
/* A call (map.c) enters behind the loads. */
#define JK_ROWS_ENTER \
    JK_S0(0, G_ENDBR64), \
    JK_S(0, MOV, R8, RUN_FRAME), \
    JK_S(0, MOV, RAX, RUN_ARRAY), \
    JK_LABEL(0, ENTER), \
    JK_STACK(0, PUSH, 0), \
    JK_HOOK(0, BASES, 0, 0)
#define JK_ROWS_LEAVE \
    JK_STACK(0, POP, 0), \
    JK_S0(JK_IF_VEX, V_VZEROUPPER), \
    JK_S0(0, G_RET)
/* k7 = ones below the number in `count`. */
#define JK_ROWS_TAIL(count) \
    JK_SI4(JK_IF_KMASK, MOV, RAX, -1), \
    JK_S4(JK_IF_KMASK, BZHI, RAX, count), \
    {JK_K_KMOV, 0, 0, JK_IN_RAX, JK_IF_KMASK, 0}
/* Where there are no mask registers, rcx = the address of the lane masks: ones in the lanes below. */
#define JK_ROWS_LANES(count) \
    JK_HOOK(JK_IF_ROWS, MASKS, 0, 0), \
    JK_S(JK_IF_ROWS, MOV, RAX, count), \
    JK_S(JK_IF_ROWS, SHL, RAX, LOG_SIZE), \
    JK_S(JK_IF_ROWS, LEA, RCX, ZEROS), \
    JK_S(JK_IF_ROWS, SUB, RCX, RAX)

enum jk_row_label {
    JK_L_TOP, JK_L_DONE, JK_L_TAIL, JK_L_NEXT, JK_L_NARROW, JK_L_STREAM, JK_L_LEAVE, JK_L_FOLD, JK_L_REST, JK_L_AREAS,
    JK_L_GROUP, JK_L_BLOCK, JK_L_LESS, JK_L_WHOLE, JK_L_CHUNK, JK_L_SEGMENT, JK_L_FOUND, JK_L_ENTER, JK_L_COUNT
};
/* clang-format on */
#define JK_CC_ALWAYS 16
#define JK_CC_CALLED 17 /* no jump, but a call */

typedef struct jk_skel {
    jk_gen *g;
    jk_body *b;
    uint32_t flags; /* JK_IF_... that hold */
    uint32_t open;  /* a bit for each label that is used and not yet placed */
    jk_label label[JK_L_COUNT];
} jk_skel;

/* ---- hooks ---- */

/* Pushes the registers of a mask, or pops them in the other direction. */
static void jk_skel_stack(jk_gen *g, jk_inst i, uint32_t mask)
{
    unsigned k, r;
    for (k = 0; k < 16; k++) {
        r = i == JK_G_PUSH ? k : 15 - k;
        if (mask >> r & 1)
            jk_asm_gput(&g->as, i, JK_AS_OPCODE | 1, 8, 0, 0, jk_opnd_reg(r), 0);
    }
}

static void jk_skel_bases(jk_gen *g)
{
    uint32_t k;
    for (k = 0; k < g->p->nargs; k++)
        if (g->base[k] != JK_NOGP)
            jk_asm_g(&g->as, JK_G_MOV, 8, g->base[k], jk_opnd_mem(JK_RAX, (int32_t)(8 * k)));
}

/* ---- of a call ---- */
typedef char jk_red_zone_fits[sizeof(jk_run) + 7 * 8 <= JK_RED_ZONE ? 1 : -1]; /* with what a pass pushes, and a call */

/* clang-format off */
/* r8: a result; to LEAVE where it is NULL. */
static const jk_row jk_rows_result[] = {
    JK_S(0, MOV, R8, ARG),
    JK_S(0, TEST, R8, R8),
    JK_BACK(0, E, LEAVE),
    JK_END,
};
/* To LEAVE where an argument in front of the result is NULL or near it, but not, under `in_place`, in its place. r11, r10:
 * one and two arrays' bytes, less one. */
#define JK_ROWS_NEAR(in_place) { \
    JK_S(0, MOV, RAX, ARG), \
    JK_S(0, TEST, RAX, RAX), \
    JK_BACK(0, E, LEAVE), \
    JK_S(0, SUB, RAX, R8), \
    JK_TO(in_place, E, DONE), \
    JK_S(0, ADD, RAX, R11), \
    JK_S(0, CMP, RAX, R10), \
    JK_BACK(0, B, LEAVE), \
  JK_LABEL(in_place, DONE), \
    JK_END}
static const jk_row jk_rows_param[] = JK_ROWS_NEAR(JK_IF_KMASK); /* an array */
static const jk_row jk_rows_other[] = JK_ROWS_NEAR(JK_IF_NEVER);
/* clang-format on */

static bool jk_skel_run(jk_skel *x, const jk_row *c);

static void jk_skel_args(jk_skel *x)
{
    jk_gen *g = x->g;
    const jk_param_info *first = g->p->args, *last = first + g->p->nargs, *result, *i;
    for (result = first + g->p->nparams; result < last; result++) { /* there is one */
        g->arg = (uint32_t)(8 * (result - first));
        jk_skel_run(x, jk_rows_result);
        g->arg = 0;
        for (i = first; i < result; i++, g->arg += 8)
            jk_skel_run(x, i->is_array && !i->is_result ? jk_rows_param : jk_rows_other);
    }
}

static void jk_skel_uniforms(jk_gen *g, jk_body *b)
{
    uint32_t v;
    for (v = 0; v < b->nval; v++) {
        jk_val *x = &b->val[v];
        bool stays = x->resident != JK_NOREG;
        jk_opnd from;
        if (x->kind != JK_VAL_UNIFORM || (x->home == JK_HOME_POOL && !stays))
            continue;
        from = jk_home_of(b, x);
        jk_emit_load(g, (jk_type)x->type, stays ? x->resident : 0, from);
        if (!stays) {
            x->at = jk_frame_take(g, g->t.vbytes, g->t.vbytes);
            x->home = JK_HOME_FRAME;
            jk_frame_save(g, 0, x->at, 0);
        }
    }
}

static bool jk_skel_body(jk_skel *x, const jk_row *c)
{
    jk_gen *g = x->g;
    uint32_t width = g->width, first = 0, vectors = g->vectors;
    if (c->a == JK_SHAPE_ONE)
        width = vectors = 1;
    if (c->a == JK_SHAPE_GROUP)
        width = vectors = JK_GROUP;
    if (c->a >= JK_SHAPE_SEGMENT) {
        vectors = g->parts << (c->a - JK_SHAPE_SEGMENT);
        width = JK_SMALLER(width, vectors);
        first = (uint32_t)c->imm * vectors;
    }
    return jk_body_range(x->b, width, first, first + vectors, g->nacc ? JK_SEGMENTS : 1, (jk_mode)c->d);
}

/* A search's hit: elements of A that equal X or, that being a NaN, are one. D, K: where. */
/* clang-format off */
static const jk_cmd jk_do_look[] = {
    JK_C_REG(A), JK_C_TEMP(D), JK_C_TEMP(T),
    JK_C_V(CMP, D, A, X),
    JK_C_VI(CMP, T, A, A, 3),
    JK_C_V(OR, D, D, T),
    JK_C_END,
};
static const jk_cmd jk_do_look_k[] = {
    JK_C_REG(A),
    JK_C_V(CMPK, K, A, X),
    JK_C_VI(CMPK, D, A, A, 3),
    JK_C_K(KOR, D, D, K),
    JK_C_END,
};
static const jk_cmd jk_do_look_tail[] = {
    JK_C_REG(A),
    JK_C_VK(CMPK, K, A, X, 0, JK_K_TAIL),
    JK_C_VK(CMPK, D, A, A, 3, JK_K_TAIL),
    JK_C_K(KOR, D, D, K),
    JK_C_END,
};
/* clang-format on */

static void jk_skel_look(jk_skel *x, unsigned kind)
{
    static const jk_cmd *const cmds[] = {jk_do_look, jk_do_look_k, jk_do_look_tail};
    jk_body *b = x->b;
    jk_play p;
    b->batch.first = 0;
    jk_play_init(&p, x->g, (jk_type)x->g->p->type);
    p.b = b;
    p.j = 0;
    p.val[0] = jk_val_of(b, x->g->want);
    p.o[JK_AT_D] = jk_opnd_reg(2);
    p.o[JK_AT_X] = jk_at_frame(x->g, JK_PASS_SLOTS);
    jk_play_run(&p, cmds[kind]);
    jk_emit_test_mask(x->g, p.type, p.o[JK_AT_D].reg, false);
}

/* Ones, then zeros: they stand side by side, as nothing else is aligned to 64 bytes where there are no mask registers.
 */
static const uint64_t jk_lane_masks[16] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                           UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};

/* A function's parameters are in the first registers; its result goes to xmm0. */
static bool jk_skel_function(jk_skel *x)
{
    jk_gen *g = x->g;
    jk_body *b = x->b;
    uint32_t v;
    b->batch.mode = JK_MODE_FULL;
    b->batch.streams = 1;
    if (!jk_body_begin(b, 1))
        return false;
    for (v = 0; v < b->nval; v++)
        if (b->val[v].kind == JK_VAL_COMPUTED && g->p->ins[b->val[v].ref].op == JK_PARAM)
            jk_own(b, 0, g->p->ins[b->val[v].ref].a, v);
    b->pinned[0] = 0;
    jk_body_run(b);
    jk_emit_mov(g, 0, jk_reg_of(b, jk_val_of(b, x->g->want), 0));
    return true;
}

/* ---- rows ---- */

static jk_opnd jk_spot_of(const jk_gen *g, unsigned n)
{
    const jk_spot_row *r;
    const uint32_t *field;
    jk_opnd o;
    if (n <= JK_IN_R15)
        return jk_opnd_reg(n);
    r = &jk_spots[n - JK_IN_R15 - 1];
    field = (const uint32_t *)(const void *)((const char *)g + r->field);
    o = r->opnd;
    o.disp += r->factor * (int32_t)*field;
    return o;
}

static void jk_skel_inst(jk_skel *x, const jk_row *c)
{
    jk_asm *as = &x->g->as;
    jk_inst i = (jk_inst)c->what;
    unsigned form = JK_AS_RM, w = c->a & 15, v = c->a >> 4, reg;
    jk_opnd d = jk_spot_of(x->g, c->d), s = jk_spot_of(x->g, c->s);
    if (i > JK_G_LAST)
        jk_asm_op(as, i);
    else if (i == JK_K_KMOV)
        jk_emit_3(x->g, JK_K_KMOV_KR, JK_F32, JK_K_TAIL, 0, s);
    else if (s.kind == JK_OPND_IMM && i >= JK_G_SHL && i <= JK_G_SAR)
        jk_asm_shift(as, i, w, d.reg, (unsigned)s.disp);
    else if (s.kind == JK_OPND_IMM)
        jk_asm_gi(as, i, w, d, s.disp);
    else {
        reg = d.reg;
        if (i == JK_G_BZHI) {
            form = JK_AS_RMV;
            v = s.reg;
            s = d;
        } else if (d.kind != JK_OPND_REG) {
            form = i < JK_G_CALL ? JK_AS_MR | 1 : JK_AS_M | 1;
            reg = i < JK_G_CALL ? s.reg : jk_inst_rows[i].form;
            s = d;
        }
        jk_asm_gput(as, i, form, w, reg, v, s, 0);
    }
}

/* A label, a jump forth or back. */
static void jk_skel_label(jk_skel *x, const jk_row *c)
{
    jk_asm *as = &x->g->as;
    jk_label *l = &x->label[c->a];
    uint32_t bit = 1u << c->a;
    if (c->what != JK_SK_BACK && !(x->open & bit))
        *l = jk_asm_label(as);
    x->open |= bit;
    if (c->what != JK_SK_TO)
        x->open ^= bit;
    if (c->what == JK_SK_LABEL)
        jk_asm_bind(as, *l);
    else if (c->d == JK_CC_ALWAYS)
        jk_asm_jmp(as, *l);
    else if (c->d == JK_CC_CALLED)
        jk_asm_call_label(as, *l);
    else
        jk_asm_jcc(as, (jk_cc)c->d, *l);
}

static bool jk_skel_run(jk_skel *x, const jk_row *c)
{
    jk_gen *g = x->g;
    uint32_t k;
    for (;; c++) {
        if (c->when & ~x->flags) {
            if (c->what == JK_SK_SECTION)
                while (c[1].what < JK_SK_SECTION)
                    c++;
            continue;
        }
        g->imm = (uint32_t)(int32_t)c->imm;
        switch (c->what) {
        case JK_SK_END:
            return true;
        case JK_SK_SECTION:
            break;
        case JK_SK_LABEL:
        case JK_SK_TO:
        case JK_SK_BACK:
            jk_skel_label(x, c);
            break;
        case JK_SK_ALIGN:
            jk_asm_align(&g->as, 32);
            break;
        case JK_G_PUSH: /* the registers of the mask imm; 0: those that the pass saves */
        case JK_G_POP:
            jk_skel_stack(g, (jk_inst)c->what, g->imm ? g->imm : g->saved);
            break;
        case JK_SK_CALLED:
            g->call = g->as.n;
            g->arg = g->p->nargs;
            break;
        case JK_SK_START:
            g->start = g->as.n;
            break;
        case JK_SK_ARGS:
            jk_skel_args(x);
            break;
        case JK_SK_BASES:
            jk_skel_bases(g);
            break;
        case JK_SK_UNIFORMS:
            jk_skel_uniforms(g, x->b);
            break;
        case JK_SK_BODY:
            if (!jk_skel_body(x, c))
                return false;
            break;
        case JK_SK_LOOK:
            jk_skel_look(x, c->a);
            break;
        case JK_SK_TARGET:
            jk_emit_splat(g, (jk_type)g->p->type, 0, jk_opnd_mem(JK_R_RUN, (int32_t)offsetof(jk_run, find)));
            jk_frame_save(g, 0, JK_PASS_SLOTS, 0);
            break;
        case JK_SK_MASKS:
            jk_asm_const(&g->as, jk_lane_masks, 64);
            g->zeros = jk_asm_const(&g->as, jk_lane_masks + 8, 64);
            break;
        case JK_SK_CLEAR:
            jk_emit_3(g, JK_V_XOR, JK_F32, 0, 0, jk_opnd_reg(0));
            break;
        case JK_SK_ACC:
            jk_acc_each(g, g->imm >> 4, c->imm ? g->imm & 15 : g->streams, (jk_acc_do)c->a);
            break;
        case JK_SK_FOLD:
            jk_fold(g, (jk_fold_from)c->a);
            break;
        case JK_SK_FUNCTION:
            if (!jk_skel_function(x))
                return false;
            break;
        case JK_SK_VECTORS:
            for (k = 0; k < 16; k++)
                if (c->a)
                    jk_frame_save(g, 0, (int32_t)(16 * k), k);
                else
                    jk_frame_load(g, 0, k, (int32_t)(16 * k));
            break;
        case JK_SK_CALL:
            jk_asm_mov64(&g->as, JK_RAX, (uint64_t)(uintptr_t)&jk_soft_fma);
            jk_asm_one(&g->as, JK_G_CALL, 8, jk_opnd_reg(JK_RAX));
            break;
        default:
            jk_skel_inst(x, c);
        }
    }
}

/* Carries a table out around a body (NULL: none), and emits the rare bodies that this one asks for. */
JK_FUNC bool jk_skeleton(jk_gen *g, jk_body *b, const jk_row *rows)
{
    jk_skel x;
    uint32_t bits;
    memset(&x, 0, sizeof x);
    x.g = g;
    x.b = b;
    bits = (uint32_t)(g->t.kmask * JK_IF_KMASK + (g->t.enc != JK_ENC_LEGACY) * JK_IF_VEX +
                      (g->p->type == JK_F32) * JK_IF_F32 + g->apart * JK_IF_APART +
                      (g->streams < JK_SEGMENTS) * JK_IF_FEW + (g->streams < 2) * JK_IF_ONE + g->pour * JK_IF_POUR +
                      g->held * JK_IF_HELD);
    x.flags = bits | ~bits << 8;
    if (!jk_skel_run(&x, rows))
        return false;
    if (b) {
        jk_body_forget(b);
        jk_rare_stubs(g);
        jk_body_forget(b);
    }
    return !g->arena->failed && g->e->status == JITK_OK;
}

JK_SMALL_CLOSE
