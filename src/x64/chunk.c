/* x64: passes with reductions. The range is some chunks of four segments (docs/reductions.md), all but the last one
 * whole; their nodes are stored one behind the other. As many segments as registers allow run at a time, over the steps
 * that all of them have; then what is left of each; then the fold.
 *
 * Where the accumulators of four segments stay in registers, and the body is small (JK_IF_HELD), a whole chunk has a
 * way of its own, and in others the body is written out for what is left. Else the accumulators stand in the frame
 * between the two, an area for each segment, and one copy of the body, one segment wide, does the rests. f32 sums that
 * pour have both: areas for chunks long enough to pour that are not whole.
 *
 * Of a whole chunk that comes from memory, of one array (JK_IF_JOINT) four segments run at a time, of several
 * (JK_IF_APART) two, as more streams slow each other: the first and the third, whose streams go on in the second and
 * the fourth. In the caches the same holds with mask registers; without, where a line is read by halves, it is half as
 * many: two, and one. */
#include "gen.h"

/* clang-format off */

/* One step of some segments at work, as often as the register says. */
#define JK_ROWS_STEPS(when, shape, pair, count, mode) \
    JK_HOOK(when, ALIGN, 0, 0), \
  JK_LABEL(when, TOP), \
    JK_BODY(when, shape, mode, pair), \
    JK_ROWS_AHEAD_##shape##_##pair(when), \
    JK_SI(when, SUB, count, 1), \
    JK_BACK(when, NE, TOP)
#define JK_ROWS_AHEAD_WIDE_0(when) \
    JK_ROWS_AHEAD_PAIR_0(when), \
    JK_S((when) | JK_IF_FOUR, ADD, R10, LANES), \
    JK_S((when) | JK_IF_FOUR, ADD, R11, LANES)
#define JK_ROWS_AHEAD_PAIR_0(when) \
    JK_S(when, ADD, RSI, LANES), \
    JK_S((when) | JK_IF_TWO, ADD, R9, LANES)
#define JK_ROWS_AHEAD_PAIR_1(when) \
    JK_ROWS_AHEAD_SEGMENT_2(when), \
    JK_ROWS_AHEAD_SEGMENT_3(when)
#define JK_ROWS_AHEAD_SEGMENT_0(when) JK_S(when, ADD, RSI, LANES)
#define JK_ROWS_AHEAD_SEGMENT_1(when) JK_S(when, ADD, R9, LANES)
#define JK_ROWS_AHEAD_SEGMENT_2(when) JK_S(when, ADD, R10, LANES)
#define JK_ROWS_AHEAD_SEGMENT_3(when) JK_S(when, ADD, R11, LANES)

/* All steps of some segments of a whole chunk; JK_POUR at a time where lanes pour, but for the last ones. */
#define JK_ROWS_WHOLE(shape, pair, segments, mode) \
    JK_SI4(0, MOV, RCX, JK_SEGMENT_STEPS), \
    JK_ROWS_STEPS(JK_IF_PLAIN, shape, pair, RCX, mode), \
  JK_LABEL(JK_IF_POUR, BLOCK), \
    JK_SI4(JK_IF_POUR, MOV, RDX, JK_POUR), \
    JK_S(JK_IF_POUR, CMP, RDX, RCX), \
    JK_CMOV(JK_IF_POUR, G, RDX, RCX), \
    JK_S(JK_IF_POUR, SUB, RCX, RDX), \
    JK_ROWS_STEPS(JK_IF_POUR, shape, pair, RDX, mode), \
    JK_S(JK_IF_POUR, TEST, RCX, RCX), \
    JK_TO(JK_IF_POUR, E, NEXT), \
    JK_HOOK(JK_IF_POUR, ACC, JK_ACC_POUR, segments), \
    JK_BACK(JK_IF_POUR, ALWAYS, BLOCK), \
  JK_LABEL(JK_IF_POUR, NEXT)

/* The rest of one segment: `count` > 0 elements from `index` on. pour: rcx counts the steps, and the lanes pour where
 * JK_POUR are full. Done with the last whole step it goes to DONE. */
#define JK_ROWS_REST(index, count, segment, pour) \
    JK_S(0, SUB, count, LANES), \
    JK_TO(0, L, TAIL), \
  JK_LABEL(0, TOP), \
    JK_BODY(0, SEGMENT, FULL, segment), \
    JK_SI(pour, ADD, RCX, 1), \
    JK_SI4(pour, TEST, RCX, JK_POUR - 1), \
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

/* A segment of few: its elements from `index` to rbx, at most to rdx, which ends the chunk. The first segment without any,
 * or with a tail, ends it all: those behind are empty. */
#define JK_ROWS_OWN_REST(index, segment) \
    JK_S(0, ADD, RBX, LENGTH), \
    JK_S(0, MOV, RCX, RBX), \
    JK_S(0, CMP, RCX, RDX), \
    JK_CMOV(0, G, RCX, RDX), \
    JK_S(0, SUB, RCX, index), \
    JK_BACK(0, LE, FOLD), \
    JK_ROWS_REST(index, RCX, segment, JK_IF_NEVER)

/* One step of the segments that the last one is behind of. Written out, each with a jump of its own, the steps are
 * foretold by the processor; the end of a loop of as many often is not. */
#define JK_ROWS_FIRST_THREE \
    JK_BODY(0, SEGMENT, FULL, 0), \
    JK_BODY(0, SEGMENT, FULL, 1), \
    JK_BODY(0, SEGMENT, FULL, 2), \
    JK_S(0, ADD, RSI, LANES), \
    JK_S(0, ADD, R9, LANES), \
    JK_S(0, ADD, R10, LANES), \
    JK_SI(0, SUB, RBX, 1)

/* All of a whole chunk, four segments at a time, two, or one; mode STREAM: from memory. */
#define JK_ROWS_FOUR(mode) JK_ROWS_WHOLE(WIDE, 0, 0, mode)
#define JK_ROWS_PAIRS(mode) \
    JK_ROWS_WHOLE(PAIR, 0, 2, mode), \
    JK_ROWS_WHOLE(PAIR, 1, 0x24, mode)
#define JK_ROWS_EACH(mode) \
    JK_ROWS_WHOLE(SEGMENT, 0, 1, mode), \
    JK_ROWS_WHOLE(SEGMENT, 1, 0x12, mode), \
    JK_ROWS_WHOLE(SEGMENT, 2, 0x23, mode), \
    JK_ROWS_WHOLE(SEGMENT, 3, 0x34, mode)
/* Back from STREAM. A pass may store, too. */
#define JK_ROWS_STREAMED \
    JK_S0(0, G_SFENCE), \
    JK_BACK(0, ALWAYS, DONE)

static const jk_row jk_rows_chunk[] = {
    JK_ROWS_ENTER,
    JK_HOOK(0, UNIFORMS, 0, 0),
    JK_S(JK_IF_HELD, MOV, FLAGS, RCX),
  JK_LABEL(0, CHUNK),
    JK_S(JK_IF_HELD, CMP, RDX, CHUNK),
    JK_TO(JK_IF_HELD, GE, WHOLE),
    JK_S4(JK_IF_SPILLED, XOR, RCX, RCX),
    JK_S(JK_IF_SPILLED, LEA, RAX, RDX_LESS_CHUNK),
    JK_S(JK_IF_SPILLED, CMP, RAX, RCX),
    JK_CMOV(JK_IF_SPILLED, L, RAX, RCX),
    JK_S(JK_IF_SPILLED, MOV, BEHIND, RAX),
    JK_S(JK_IF_SPILLED, SUB, RDX, RAX),
    JK_S(JK_IF_F64, LEA, RAX, BYTES_F64),
    JK_S(JK_IF_F32, LEA, RAX, BYTES_F32),
    JK_SI(0, SHR, RAX, 8), /* a step of all segments */
    JK_S(0, SHL, RAX, LOG_LANES),
    JK_S(JK_IF_POUR | JK_IF_HELD, CMP, RAX, POURED),
    JK_TO(JK_IF_POUR | JK_IF_HELD, G, AREAS),

    /* A chunk whose accumulators stay in their registers. */
    JK_SECTION(JK_IF_HELD),
    JK_S(0, LEA, R9, RSI_RAX),
    JK_S(0, LEA, R10, R9_RAX),
    JK_S(0, LEA, R11, R10_RAX),
    JK_S(0, MOV, RBX, RAX),
    JK_HOOK(0, ACC, JK_ACC_INIT, 0),
    JK_S(0, LEA, RCX, RSI_RDX),
    JK_S(0, SUB, RCX, R11), /* the last segment's elements */
    JK_TO(0, L, REST),
    JK_S(0, SUB, RBX, RCX), /* and how many it lacks: the others are full */
    JK_S(0, MOV, RDX, RCX),
    JK_S(0, SHR, RCX, LOG_LANES),
    JK_TO(0, E, LESS),
    JK_ROWS_STEPS(0, WIDE, 0, RCX, FULL),
  JK_LABEL(0, LESS),
    JK_S(0, ADD, RBX, REST),
    JK_S(0, SHR, RBX, LOG_LANES),
    JK_TO(0, E, FOLD),
    JK_ROWS_FIRST_THREE, /* at most four steps: the last segment lacks less than one of all four segments */
    JK_TO(0, E, NEXT),
    JK_ROWS_FIRST_THREE,
    JK_TO(0, E, NEXT),
    JK_ROWS_FIRST_THREE,
    JK_TO(0, E, NEXT),
    JK_ROWS_FIRST_THREE,
  JK_LABEL(0, NEXT),
    JK_S(0, AND, RDX, REST),
    JK_TO(0, E, FOLD),
    JK_ROWS_TAIL(RDX),
    JK_ROWS_LANES(RDX),
    JK_BODY(JK_IF_KMASK, SEGMENT, MASK, 3),
    JK_BODY(JK_IF_ROWS, SEGMENT, ROWS, 3),
  JK_LABEL(0, FOLD),
    JK_HOOK(0, FOLD, JK_FOLD_REGISTERS, 0),
    JK_ROWS_LEAVE,

    /* So few elements that not all of the first three segments are full: one segment after the other. */
  JK_LABEL(0, REST),
    JK_S(0, MOV, LENGTH, RAX),
    JK_S(0, MOV, RBX, RSI),
    JK_S(0, ADD, RDX, RSI),
    JK_ROWS_OWN_REST(RSI, 0),
    JK_BACK(0, ALWAYS, FOLD),
  JK_LABEL(0, DONE),
    JK_ROWS_OWN_REST(R9, 1),
    JK_BACK(0, ALWAYS, FOLD),
  JK_LABEL(0, DONE),
    JK_ROWS_OWN_REST(R10, 2),
  JK_LABEL(0, DONE),
    JK_BACK(0, ALWAYS, FOLD),

    /* A whole chunk, whose accumulators stay there, too. Where the next one begins follows from registers alone: what
     * stands in memory has left the first cache by then, and the loads of elements would wait for it. */
  JK_LABEL(0, WHOLE),
    JK_S(0, SUB, RDX, CHUNK),
    JK_S(0, MOV, BEHIND, RDX),
    JK_S(0, LEA, R9, THIRD),
    JK_S(0, LEA, R10, SECOND),
    JK_S(0, LEA, R11, FOURTH),
    JK_S(JK_IF_POUR, LEA, RBX, AREAS),
    JK_HOOK(JK_IF_POUR, CLEAR, 0, 0),
    JK_HOOK(JK_IF_POUR, ACC, JK_ACC_CLEAR, 0),
    JK_HOOK(0, ACC, JK_ACC_INIT, 0),
    JK_SI4(0, TEST, FLAGS, JK_RUN_STREAM),
    JK_TO(0, NE, STREAM),
    JK_SECTION(JK_IF_HELD | JK_IF_JOINT | JK_IF_KMASK),
    JK_ROWS_FOUR(FULL),
    JK_SECTION(JK_IF_HELD | JK_IF_JOINT | JK_IF_ROWS),
    JK_ROWS_PAIRS(FULL),
    JK_SECTION(JK_IF_HELD | JK_IF_APART | JK_IF_KMASK),
    JK_ROWS_PAIRS(FULL),
    JK_SECTION(JK_IF_HELD | JK_IF_APART | JK_IF_ROWS),
    JK_ROWS_EACH(FULL),
    JK_SECTION(JK_IF_HELD),
  JK_LABEL(0, DONE),
    JK_HOOK(0, FOLD, JK_FOLD_WHOLE, 0),
    JK_S(0, MOV, RDX, BEHIND),
    JK_S(0, TEST, RDX, RDX),
    JK_TO(0, E, LEAVE),
    JK_S(0, ADD, RUN_NODE, NODES),
    JK_S(0, MOV, RSI, R11),
    JK_BACK(0, ALWAYS, CHUNK),
  JK_LABEL(0, LEAVE),
    JK_ROWS_LEAVE,
    JK_SECTION(JK_IF_HELD | JK_IF_JOINT),
  JK_LABEL(0, STREAM),
    JK_ROWS_FOUR(STREAM),
    JK_ROWS_STREAMED,
    JK_SECTION(JK_IF_HELD | JK_IF_APART),
  JK_LABEL(0, STREAM),
    JK_ROWS_PAIRS(STREAM),
    JK_ROWS_STREAMED,
    JK_SECTION(0),
    JK_HOOK(JK_IF_HELD | JK_IF_PLAIN, END, 0, 0),

    /* A chunk by way of the segments' areas. First, for each group of segments, the steps that all of them have: */
    JK_SECTION(0),
  JK_LABEL(0, AREAS),
    JK_S(0, MOV, LENGTH, RAX),
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
    JK_ROWS_STEPS(JK_IF_PLAIN, WIDE, 0, RDX, FULL),

    JK_SECTION(JK_IF_POUR), /* JK_POUR steps at a time */
    JK_S(0, MOV, RCX, RDX),
  JK_LABEL(0, BLOCK),
    JK_SI4(0, MOV, RDX, JK_POUR),
    JK_S(0, CMP, RDX, RCX),
    JK_CMOV(0, G, RDX, RCX),
    JK_S(0, SUB, RCX, RDX),
    JK_ROWS_STEPS(0, WIDE, 0, RDX, FULL),
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
    JK_S(0, MOV, RCX, DONE0),
    JK_S(0, MOV, RAX, RCX),
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
    JK_S(JK_IF_SPILLED, MOV, RDX, BEHIND),
    JK_S(JK_IF_SPILLED, TEST, RDX, RDX),
    JK_TO(JK_IF_SPILLED, E, LEAVE),
    JK_S(JK_IF_SPILLED, ADD, RUN_NODE, NODES),
    JK_S(JK_IF_SPILLED, MOV, RSI, FIRST),
    JK_S(JK_IF_SPILLED, ADD, RSI, CHUNK),
    JK_BACK(JK_IF_SPILLED, ALWAYS, CHUNK),
  JK_LABEL(JK_IF_SPILLED, LEAVE),
    JK_ROWS_LEAVE,
    JK_END,
};

/* clang-format on */
