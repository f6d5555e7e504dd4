/* x64: passes without reductions: a wide loop of several vectors a step (others for groups of vectors, and with
 * streaming stores), a loop of one vector, and the tail: one vector under a lane mask, or in padded rows. And the
 * search for a place. */
#include "../fp.h"
#include "gen.h"

/* clang-format off */

/* while (rsi <= rdx - step) body */
#define JK_ROWS_MAP_LOOP(when, shape, mode) \
    JK_S(when, LEA, RCX, RDX_LESS_##shape), \
    JK_S(when, CMP, RSI, RCX), \
    JK_TO(when, G, DONE), \
    JK_HOOK(when, ALIGN, 0, 0), \
  JK_LABEL(when, TOP), \
    JK_BODY(when, shape, mode, 0), \
    JK_S(when, ADD, RSI, shape), \
    JK_S(when, CMP, RSI, RCX), \
    JK_BACK(when, LE, TOP), \
  JK_LABEL(when, DONE)

/* Calls by the arguments of jitk_callv (rdi: the kernel, rsi: n, rdx: nargs, rcx: args) are looked at here: in C that takes
 * ways through memory which at a few hundred elements are a tenth of the time. Without mask registers the last lanes are
 * computed again, with what is left behind them: nothing in place comes here. */
#define JK_ROWS_CALL \
    JK_SECTION(JK_IF_CALL), \
  JK_LABEL(0, LEAVE), \
    JK_S(0, JMP_TO, SLOW, SLOW), \
    JK_HOOK(0, CALLED, 0, 0), \
    JK_S0(0, G_ENDBR64), \
    JK_S(JK_IF_ROWS, CMP, RSI, LANES), /* fewer go by the rows */ \
    JK_BACK(JK_IF_ROWS, B, LEAVE), \
    JK_S4(0, STMXCSR, MODE, MODE), /* jk_fp_enter; it takes its time */ \
    JK_S(0, CMP, RDX, NARGS), \
    JK_BACK(0, NE, LEAVE), \
    JK_S(0, LEA, RAX, N_LESS), \
    JK_S(0, CMP, RAX, CHUNK), \
    JK_BACK(0, AE, LEAVE), \
    JK_S(0, TEST, RCX, RCX), \
    JK_BACK(0, E, LEAVE), \
    JK_S(0, LEA, R11, BYTES_LESS), \
    JK_S(0, LEA, R10, TWICE_AND_ONE), \
    JK_HOOK(0, ARGS, 0, 0), \
    JK_S4(0, MOV, RAX, MODE), \
    JK_SI4(0, AND, RAX, ~JK_MXCSR_FLAGS), \
    JK_SI4(0, CMP, RAX, JK_MXCSR), \
    JK_BACK(0, NE, LEAVE), \
    JK_S(0, MOV, RED_N, RSI), \
    JK_S(0, LEA, RDI, RED_RUN), \
    JK_S(JK_IF_ROWS, LEA, R8, RED_SLOT), /* the frame: no slot but COUNT is in use */ \
    JK_S(JK_IF_ROWS, MOV, RED_ARRAY, RCX), \
    JK_S(0, MOV, RAX, RCX), \
    JK_S(0, MOV, RDX, RSI), \
    JK_S4(0, XOR, RSI, RSI), \
    JK_S4(0, XOR, RCX, RCX), \
    JK_S(JK_IF_ROWS, TEST, RDX, REST), \
    JK_TO(JK_IF_ROWS, E, ENTER), \
    JK_S(JK_IF_ROWS, AND, RDX, EVEN), \
    JK_SI(JK_IF_ROWS, ADD, RSP, -JK_RED_ZONE), /* for what watches memory, a call leaves nothing below */ \
    JK_TO(JK_IF_ROWS, CALLED, ENTER), \
    JK_SI(JK_IF_ROWS, SUB, RSP, -JK_RED_ZONE), \
    JK_S(JK_IF_ROWS, MOV, RAX, RED_ARRAY), \
    JK_S(JK_IF_ROWS, MOV, RSI, RED_N), \
    JK_S(JK_IF_ROWS, SUB, RSI, LANES), \
    JK_S(JK_IF_ROWS, MOV, RDX, LANES), \
    JK_S4(JK_IF_ROWS, XOR, RCX, RCX), \
    JK_TO(0, ALWAYS, ENTER), \
    JK_SECTION(0), \
    JK_HOOK(0, START, 0, 0)

/* Without mask registers the last elements stand in the rows, which are run vector by vector; what the lanes behind them
 * compute is never looked at. */
static const jk_row jk_rows_map[] = {
    JK_ROWS_CALL,
    JK_ROWS_ENTER,
    JK_S(JK_IF_ROWS, MOV, COUNT, RDX),
    JK_S(JK_IF_ROWS, AND, RDX, EVEN),
    JK_S(0, ADD, RDX, RSI), /* the end */
    JK_HOOK(0, UNIFORMS, 0, 0),
    JK_SI4(JK_IF_STREAM, TEST, RCX, JK_RUN_STREAM),
    JK_TO(JK_IF_STREAM, NE, STREAM),
    JK_SECTION(JK_IF_GROUPS),
    JK_S(0, LEA, RAX, RDX_LESS_NEAR),
    JK_S(0, CMP, RSI, RAX),
    JK_TO(0, G, LESS),
    JK_ROWS_MAP_LOOP(0, GROUP, FULL),
  JK_LABEL(0, LESS),
    JK_SECTION(0),
    JK_ROWS_MAP_LOOP(0, WIDE, FULL),
  JK_LABEL(0, NARROW),
    JK_ROWS_MAP_LOOP(JK_IF_WIDE, ONE, FULL),
    JK_S(JK_IF_KMASK, SUB, RDX, RSI), /* how many are left */
    JK_S(JK_IF_ROWS, MOV, RDX, COUNT),
    JK_S(JK_IF_ROWS, AND, RDX, REST),
    JK_TO(0, E, LEAVE),
    JK_ROWS_TAIL(RDX),
    JK_BODY(JK_IF_KMASK, ONE, MASK, 0),
    JK_S4(JK_IF_ROWS, XOR, RCX, RCX),
  JK_LABEL(0, TOP),
    JK_BODY(JK_IF_ROWS, ONE, ROWS, 0),
    JK_S(JK_IF_ROWS, ADD, RCX, ONE),
    JK_S(JK_IF_ROWS, CMP, RCX, RDX),
    JK_BACK(JK_IF_ROWS, L, TOP),
  JK_LABEL(0, LEAVE),
    JK_S4(0, XOR, RAX, RAX), /* of a call: JITK_OK */
    JK_ROWS_LEAVE,
    JK_SECTION(JK_IF_STREAM),
  JK_LABEL(0, STREAM),
    JK_ROWS_MAP_LOOP(0, WIDE, STREAM),
    JK_S0(0, G_SFENCE),
    JK_BACK(0, ALWAYS, NARROW),
    JK_END,
};

/* A search: the first element of the range at which a reduction's argument equals run->find or, that being a NaN, is one
 * (where it is not, the range has none). One vector a step; rax is the result. */
static const jk_row jk_rows_find[] = {
    JK_ROWS_ENTER,
    JK_S(JK_IF_ROWS, MOV, COUNT, RDX),
    JK_S(0, ADD, RDX, RSI),
    JK_HOOK(0, TARGET, 0, 0),
    JK_HOOK(0, UNIFORMS, 0, 0),
  JK_LABEL(0, TOP),
    JK_S(0, LEA, RAX, RSI_AND_ONE),
    JK_S(0, CMP, RAX, RDX),
    JK_TO(0, G, TAIL),
    JK_BODY(0, ONE, FULL, 0),
    JK_HOOK(JK_IF_ROWS, LOOK, 0, 0),
    JK_HOOK(JK_IF_KMASK, LOOK, 1, 0),
    JK_TO(0, NE, FOUND),
    JK_S(0, ADD, RSI, ONE),
    JK_BACK(0, ALWAYS, TOP),
  JK_LABEL(0, TAIL),
    JK_S(0, SUB, RDX, RSI),
    JK_TO(0, E, DONE),
    JK_ROWS_TAIL(RDX),
    JK_S(JK_IF_ROWS, MOV, RCX, COUNT),
    JK_S(JK_IF_ROWS, AND, RCX, REST),
    JK_S(JK_IF_ROWS, AND, RCX, EACH), /* the row with the first of them; its other lanes repeat one that is not there */
    JK_BODY(JK_IF_ROWS, ONE, ROWS, 0),
    JK_HOOK(JK_IF_ROWS, LOOK, 0, 0),
    JK_BODY(JK_IF_KMASK, ONE, MASK, 0),
    JK_HOOK(JK_IF_KMASK, LOOK, 2, 0),
    JK_TO(0, NE, FOUND),
  JK_LABEL(0, DONE),
    JK_S(0, LEA, RAX, RSI_RDX),
    JK_TO(0, ALWAYS, LEAVE),
  JK_LABEL(0, FOUND), /* rax: the lanes */
    JK_S4(0, BSF, RAX, RAX),
    JK_S(0, ADD, RAX, RSI),
  JK_LABEL(0, LEAVE),
    JK_ROWS_LEAVE,
    JK_END,
};

/* clang-format on */
