/* x64: passes with reductions. The range is a chunk of four segments (docs/reductions.md). As many segments as registers
 * allow run at a time, over the steps that all of them have; then what is left of each, one after the other; then the fold.
 *
 * Where the accumulators of four segments stay in registers, and the body is small (JK_IF_HELD), it is written out for the
 * rest of each segment. Else the accumulators stand in the frame between the two, an area for each segment, and one copy of
 * the body, one segment wide, does the rests. f32 sums that pour have both: the first for chunks too short to pour, which
 * are what calls of few elements are made of. */
#include "gen.h"

/* clang-format off */

/* One step of every segment at work, as often as the register says. */
#define JK_ROWS_STEPS(when, count) \
    JK_HOOK(when, ALIGN, 0, 0), \
  JK_LABEL(when, TOP), \
    JK_BODY(when, WIDE, FULL, 0), \
    JK_S(when, ADD, RSI, LANES), \
    JK_S((when) | JK_IF_TWO, ADD, R9, LANES), \
    JK_S((when) | JK_IF_FOUR, ADD, R10, LANES), \
    JK_S((when) | JK_IF_FOUR, ADD, R11, LANES), \
    JK_SI(when, SUB, count, 1), \
    JK_BACK(when, NE, TOP)

/* The rest of one segment: `count` > 0 elements from `index` on. pour: the steps are counted, and the lanes pour where
 * JK_POUR are full. Done with the last whole step it goes to DONE. */
#define JK_ROWS_REST(index, count, segment, pour) \
    JK_S(0, SUB, count, LANES), \
    JK_TO(0, L, TAIL), \
  JK_LABEL(0, TOP), \
    JK_BODY(0, SEGMENT, FULL, segment), \
    JK_SI(pour, ADD, DONE0, 1), \
    JK_SI4(pour, TEST, DONE0, JK_POUR - 1), \
    JK_TO(pour, NE, LESS), \
    JK_HOOK(pour, ACC, JK_ACC_POUR, 1), \
  JK_LABEL(pour, LESS), \
    JK_S(0, ADD, index, LANES), \
    JK_S(0, SUB, count, LANES), \
    JK_BACK(0, GE, TOP), \
  JK_LABEL(0, TAIL), \
    JK_S(0, ADD, count, LANES), \
    JK_TO(0, E, DONE), \
    JK_ROWS_TAIL(count), \
    JK_ROWS_LANES(count), \
    JK_BODY(JK_IF_KMASK, SEGMENT, MASK, segment), \
    JK_BODY(JK_IF_ROWS, SEGMENT, ROWS, segment)

/* What is left of a segment: its elements from `index` to rbx, at most to rdx, which ends the chunk. The first segment with
 * nothing left, or with a tail, ends it all: those behind are empty. */
#define JK_ROWS_OWN_REST(index, segment) \
    JK_S(0, ADD, RBX, LENGTH), \
    JK_S(0, MOV, RCX, RBX), \
    JK_S(0, CMP, RCX, RDX), \
    JK_CMOV(0, G, RCX, RDX), \
    JK_S(0, SUB, RCX, index), \
    JK_TO(0, LE, FOLD), \
    JK_ROWS_REST(index, RCX, segment, JK_IF_NEVER)

static const jk_row jk_rows_chunk[] = {
    JK_ROWS_ENTER,
    JK_HOOK(0, UNIFORMS, 0, 0),
    JK_S(JK_IF_F64, LEA, RAX, BYTES_F64),
    JK_S(JK_IF_F32, LEA, RAX, BYTES_F32),
    JK_SI(0, SHR, RAX, 8), /* a step of all segments */
    JK_S(0, SHL, RAX, LOG_LANES),
    JK_S(0, MOV, LENGTH, RAX),
    JK_S(JK_IF_POUR | JK_IF_HELD, CMP, RAX, POURED),
    JK_TO(JK_IF_POUR | JK_IF_HELD, G, AREAS),

    /* A chunk whose accumulators stay in their registers. */
    JK_SECTION(JK_IF_HELD),
    JK_S(0, MOV, RBX, RSI),
    JK_S(0, MOV, RCX, RDX),
    JK_S(0, ADD, RDX, RSI),
    JK_S(0, LEA, R9, RSI_RAX),
    JK_S(0, SUB, RCX, RAX),
    JK_S(0, LEA, R10, R9_RAX),
    JK_S(0, SUB, RCX, RAX),
    JK_S(0, LEA, R11, R10_RAX),
    JK_S(0, SUB, RCX, RAX),
    JK_HOOK(0, ACC, JK_ACC_INIT, 0),
    JK_S(0, SAR, RCX, LOG_LANES), /* steps of the last segment; below 0: it is empty */
    JK_TO(0, LE, REST),
    JK_ROWS_STEPS(0, RCX),
    JK_S(0, MOV, RAX, LENGTH),
    JK_S(0, ADD, RAX, RBX),
    JK_S(0, CMP, RSI, RAX),
    JK_TO(0, E, FOLD), /* the first segment is done, and so are all */
  JK_LABEL(0, REST),
    JK_ROWS_OWN_REST(RSI, 0),
    JK_TO(0, ALWAYS, FOLD),
  JK_LABEL(0, DONE),
    JK_ROWS_OWN_REST(R9, 1),
    JK_TO(0, ALWAYS, FOLD),
  JK_LABEL(0, DONE),
    JK_ROWS_OWN_REST(R10, 2),
    JK_TO(0, ALWAYS, FOLD),
  JK_LABEL(0, DONE),
    JK_ROWS_OWN_REST(R11, 3),
  JK_LABEL(0, DONE),
  JK_LABEL(0, FOLD),
    JK_HOOK(0, FOLD, JK_FOLD_REGISTERS, 0),
    JK_ROWS_LEAVE,
    JK_HOOK(JK_IF_HELD | JK_IF_PLAIN, END, 0, 0),

    /* A chunk by way of the segments' areas. First, for each group of segments, the steps that all of them have: */
    JK_SECTION(0),
  JK_LABEL(0, AREAS),
    JK_S(0, MOV, COUNT, RDX),
    JK_S(0, MOV, LEFT, RDX),
    JK_S(0, MOV, START, RSI),
    JK_S(0, MOV, FIRST, RSI),
    JK_S(0, LEA, RBX, AREAS),
  JK_LABEL(0, GROUP),
    JK_S(0, MOV, RSI, START),
    JK_S(0, MOV, RAX, LENGTH),
    JK_S(0, MOV, RDX, LEFT),
    JK_S(JK_IF_TWO, LEA, R9, RSI_RAX),
    JK_S(JK_IF_TWO, SUB, RDX, RAX),
    JK_S(JK_IF_FOUR, LEA, R10, R9_RAX),
    JK_S(JK_IF_FOUR, SUB, RDX, RAX),
    JK_S(JK_IF_FOUR, LEA, R11, R10_RAX),
    JK_S(JK_IF_FOUR, SUB, RDX, RAX),
    JK_S4(0, XOR, RCX, RCX),
    JK_S(0, TEST, RDX, RDX),
    JK_CMOV(0, L, RDX, RCX),
    JK_S(0, CMP, RDX, RAX),
    JK_CMOV(0, G, RDX, RAX), /* the last segment's elements, 0 to its length */
    JK_S(0, SHR, RDX, LOG_LANES),
    JK_S(0, MOV, DONE0, RDX),
    JK_S(JK_IF_TWO, MOV, DONE1, RDX),
    JK_S(JK_IF_FOUR, MOV, DONE2, RDX),
    JK_S(JK_IF_FOUR, MOV, DONE3, RDX),
    JK_HOOK(JK_IF_POUR, CLEAR, 0, 0),
    JK_HOOK(JK_IF_POUR, ACC, JK_ACC_CLEAR, 0),
    JK_HOOK(0, ACC, JK_ACC_INIT, 0),
    JK_S(0, TEST, RDX, RDX),
    JK_TO(0, E, NEXT),
    JK_ROWS_STEPS(JK_IF_PLAIN, RDX),

    JK_SECTION(JK_IF_POUR), /* JK_POUR steps at a time */
    JK_S(0, MOV, RCX, RDX),
  JK_LABEL(0, BLOCK),
    JK_SI4(0, MOV, RDX, JK_POUR),
    JK_S(0, CMP, RDX, RCX),
    JK_CMOV(0, G, RDX, RCX),
    JK_S(0, SUB, RCX, RDX),
    JK_ROWS_STEPS(0, RDX),
    JK_S(0, TEST, RCX, RCX),
    JK_TO(0, NE, LESS),
    JK_SI4(0, TEST, DONE0, JK_POUR - 1), /* the last block, if it is whole, too */
    JK_TO(0, NE, NEXT),
  JK_LABEL(0, LESS),
    JK_HOOK(0, ACC, JK_ACC_POUR, 0),
    JK_S(0, TEST, RCX, RCX),
    JK_BACK(0, NE, BLOCK),

    JK_SECTION(0),
  JK_LABEL(0, NEXT),
    JK_S(JK_IF_HELD, MOV, RAX, LENGTH), /* a whole chunk needs no more than the fold */
    JK_SI(JK_IF_HELD, SHL, RAX, 2),
    JK_S(JK_IF_HELD, CMP, RAX, COUNT),
    JK_TO(JK_IF_HELD, E, WHOLE),
    JK_HOOK(0, ACC, JK_ACC_STORE, 0),
    JK_S(JK_IF_FEW, MOV, RAX, LENGTH),
    JK_SI(JK_IF_FEW | JK_IF_TWO, SHL, RAX, 1),
    JK_S(JK_IF_FEW, ADD, START, RAX),
    JK_S(JK_IF_FEW, SUB, LEFT, RAX),
    JK_S(JK_IF_ONE, ADD, RBX, STRIDE),
    JK_S(JK_IF_FEW | JK_IF_TWO, ADD, RBX, STRIDES),
    JK_S(JK_IF_FEW, LEA, RAX, AREAS_END),
    JK_S(JK_IF_FEW, CMP, RBX, RAX),
    JK_BACK(JK_IF_FEW, B, GROUP),

    /* Then what the groups left of each segment; rbx its area, r10 its first element, r11 the elements from there on. */
    JK_S(0, MOV, RAX, LENGTH),
    JK_SI(0, SHL, RAX, 2),
    JK_S(0, MOV, R11, COUNT),
    JK_S(0, CMP, RAX, R11),
    JK_TO(0, E, FOLD),
    JK_S(0, LEA, RBX, AREAS),
    JK_S(0, MOV, R10, FIRST),
  JK_LABEL(0, SEGMENT),
    JK_S(0, MOV, RDX, LENGTH),
    JK_S(0, CMP, R11, RDX),
    JK_CMOV(0, L, RDX, R11),
    JK_S(0, MOV, RSI, R10),
    JK_S(0, MOV, RAX, DONE0),
    JK_S(0, SHL, RAX, LOG_LANES),
    JK_S(0, ADD, RSI, RAX),
    JK_S(0, SUB, RDX, RAX),
    JK_TO(0, E, NEXT),
    JK_HOOK(0, ACC, JK_ACC_LOAD, 1),
    JK_ROWS_REST(RSI, RDX, 0, JK_IF_POUR),
  JK_LABEL(0, DONE),
    JK_HOOK(0, ACC, JK_ACC_STORE, 1),
  JK_LABEL(0, NEXT),
    JK_S(0, MOV, RAX, LENGTH),
    JK_S(0, ADD, RBX, STRIDE),
    JK_S(0, ADD, R10, RAX),
    JK_S(0, SUB, R11, RAX), /* at most four segments: what is left gets to 0 with the last one */
    JK_BACK(0, G, SEGMENT),
  JK_LABEL(0, FOLD),
    JK_S(0, LEA, RBX, AREAS),
    JK_HOOK(0, FOLD, JK_FOLD_MEMORY, 0),
    JK_TO(JK_IF_HELD, ALWAYS, LEAVE),
  JK_LABEL(JK_IF_HELD, WHOLE),
    JK_HOOK(JK_IF_HELD, FOLD, JK_FOLD_POURED, 0),
  JK_LABEL(JK_IF_HELD, LEAVE),
    JK_ROWS_LEAVE,
    JK_END,
};

/* clang-format on */
