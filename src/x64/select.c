/* x64: instruction selection, one instance of one IR value at a time. An op has a row: for each encoding the sequence
 * of commands (gen.h) that fetches operands (registers, or the one operand that may stand in memory), names the
 * result's register and emits. The order matters: everything that may spill comes before the memory operand is asked
 * for, which may live in rax. */
#include "gen.h"

JK_SMALL_OPEN

/* Comparison predicates of the encodings. */
enum { JK_P_EQ = 0, JK_P_LT = 1, JK_P_LE = 2, JK_P_UNORD = 3, JK_P_NE = 4, JK_P_ORD = 7 };

JK_FUNC uint32_t jk_val_of(const jk_body *b, jk_ref ref)
{
    return b->g->local[ref] - 1;
}

/* ---- the sequences ---- */

/* clang-format off */
static const jk_cmd jk_do_none[] = {JK_C_END};
static const jk_cmd jk_do_binary[] = {JK_C_REG(A), JK_C_MEM(B, 0), JK_C_RESULT(A), JK_C_INST(D, A, B), JK_C_END};
static const jk_cmd jk_do_unary[] = {JK_C_MEM(A, 0), JK_C_RESULT(A), JK_C_INST(D, D, A), JK_C_END};
static const jk_cmd jk_do_logic[] = {/* with the constant that the row names */
                                     JK_C_REG(A), JK_C_RESULT(A), JK_C_CONST(X, 0), JK_C_INST(D, A, X), JK_C_END};
static const jk_cmd jk_do_masks[] = {JK_C_REG(A), JK_C_REG(B), JK_C_RESULT(A), JK_C_INST(D, A, B), JK_C_END};
static const jk_cmd jk_do_shift[] = {JK_C_REG(A), JK_C_RESULT(A), JK_C_INST(D, A, A), JK_C_END};
static const jk_cmd jk_do_shift_in_place[] = {JK_C_REG(A), JK_C_RESULT(A), JK_C_MOV(D, A), JK_C_INST(D, D, D), JK_C_END};
static const jk_cmd jk_do_copy[] = {JK_C_REG(A), JK_C_RESULT(A), JK_C_MOV(D, A), JK_C_END};
static const jk_cmd jk_do_spread_mask[] = {/* a mask register to all ones and zeros */
                                           JK_C_REG(A),
                                           {JK_DO_CONST, JK_AT_X, 0, 1, JK_BITS_ONES, 0},
                                           JK_C_RESULT(NONE),
                                           JK_C_VK(BROADCAST, D, D, X, 0, JK_HOW_A | JK_HOW_ZERO),
                                           JK_C_END};

/* A NaN's sign counts as positive: the sign of b, where b is ordered. */
static const jk_cmd jk_do_copysign[] = {
    JK_C_REG(A), JK_C_REG(B), JK_C_TEMP(T), JK_C_CONST(X, JK_BITS_SIGN), JK_C_CONST(Y, JK_BITS_REST),
    JK_C_VI(CMP, T, B, B, JK_P_ORD),
    JK_C_V(AND, T, T, B),
    JK_C_V(AND, T, T, X),
    JK_C_RESULT(A),
    JK_C_V(AND, D, A, Y),
    JK_C_V(OR, D, D, T),
    JK_C_END,
};
static const jk_cmd jk_do_copysign_k[] = {
    JK_C_REG(A), JK_C_REG(B), JK_C_TEMP(T), JK_C_CONST(X, JK_BITS_SIGN), JK_C_CONST(Y, JK_BITS_REST),
    JK_C_VI(CMPK, K, B, B, JK_P_ORD),
    JK_C_VK(AND, T, B, X, 0, JK_K_SCRATCH | JK_HOW_ZERO),
    JK_C_RESULT(A),
    JK_C_V(AND, D, A, Y),
    JK_C_V(OR, D, D, T),
    JK_C_END,
};

/* Rounding to whole numbers without roundpd: |x| + 2^52 - 2^52 (2^23 for singles) rounds to nearest even where |x| < 2^52;
 * beyond, x is whole (or inf or NaN). Then a step of one where that went the wrong way, and x's sign back, which -0 and
 * results of 0 need. Trunc works on |x|; floor and ceil on the signed value. U is the result until it is known that
 * nothing else needs x. */
static const jk_cmd jk_do_round_sse2[] = {
    JK_C_CONST(X, JK_BITS_SIGN), JK_C_CONST(Y, JK_BITS_REST), JK_C_CONST(Z, JK_BITS_WHOLE), JK_C_CONST(W, JK_BITS_ONE),
    JK_C_REG(A), JK_C_TEMP(U), JK_C_TEMP(T),
    JK_C_V(AND, U, A, Y), /* U = |x| */
    JK_C_VI(CMP, T, U, Z, JK_P_LT),
    JK_C_V(ADD, U, U, Z),
    JK_C_V(SUB, U, U, Z),
    JK_C_V(AND, U, U, T),
    JK_C_TEMP(D),
    JK_C_V(AND, D, A, Y),
    JK_C_V(ANDN, T, T, D),
    JK_C_V(OR, U, U, T), /* U = rint |x| */
    JK_C_IF(JK_TRUNC, 3),
    JK_C_VI(CMP, D, D, U, JK_P_LT),
    JK_C_V(AND, D, D, W),
    JK_C_V(SUB, U, U, D),
    JK_C_V(AND, T, A, X),
    JK_C_V(OR, U, U, T), /* U = rint x or trunc x; T = x's sign */
    JK_C_IF(JK_FLOOR, 3),
    JK_C_VI(CMP, D, A, U, JK_P_LT),
    JK_C_V(AND, D, D, W),
    JK_C_V(SUB, U, U, D),
    JK_C_IF(JK_CEIL, 4),
    JK_C_VI(CMP, D, U, A, JK_P_LT),
    JK_C_V(AND, D, D, W),
    JK_C_V(ADD, U, U, D),
    JK_C_V(OR, U, U, T),
    JK_C_RESULT(A),
    JK_C_MOV(D, U),
    JK_C_END,
};

/* Uniform code only: conversions between scalars. cvtsi2sd keeps the upper part: the xor is for no old dependency. */
static const jk_cmd jk_do_convert[] = {JK_C_REG(A), JK_C_RESULT(NONE), JK_C_INST(D, D, A), JK_C_END};
static const jk_cmd jk_do_convert_int[] = {
    JK_C_REG(A), JK_C_RESULT(NONE), JK_C_V(MOVQ_RX, R, R, A), JK_C_V(XOR, D, D, D), JK_C_INST(D, D, R), JK_C_END};

/* d = a * b + c, in the form that overwrites an operand that dies. */
static const jk_cmd jk_do_fma_c[] = {JK_C_REG(A), JK_C_REG(C), JK_C_MEM(B, 0), JK_C_RESULT(C),
                                     JK_C_MOV(D, C), JK_C_V(FMADD231, D, A, B), JK_C_END};
static const jk_cmd jk_do_fma_a[] = {JK_C_REG(A), JK_C_REG(B), JK_C_MEM(C, 0), JK_C_RESULT(A),
                                     JK_C_MOV(D, A), JK_C_V(FMADD213, D, B, C), JK_C_END};

/* Without FMA: the operands go to the frame, and a thunk that keeps every register calls C. */
static const jk_cmd jk_do_fma_soft[] = {
    JK_C_REG(A), JK_C_STORE(X, A),
    JK_C_REG(B), JK_C_STORE(Y, B),
    JK_C_REG(C), JK_C_STORE(Z, C),
    JK_C_RESULT(NONE),
    JK_C_DO(FMA, D, X),
    JK_C_V(MOVA, D, D, X),
    JK_C_END,
};

/* a ? b : c, a ? b : 0 and a ? 0 : c. */
static const jk_cmd jk_do_select[] = {
    JK_C_REG(A), JK_C_MEM(C, JK_MEM_WIDE), JK_C_MEM(B, JK_MEM_WIDE), JK_C_TEMP(T), JK_C_RESULT(A),
    JK_C_V(ANDN, T, A, C),
    JK_C_V(AND, D, A, B),
    JK_C_V(OR, D, D, T),
    JK_C_END,
};
static const jk_cmd jk_do_select_vex[] = {JK_C_REG(A), JK_C_REG(C), JK_C_MEM(B, JK_MEM_WIDE), JK_C_RESULT(C),
                                          JK_C_V(BLENDV, D, C, B), JK_C_END};
static const jk_cmd jk_do_select_k[] = {JK_C_REG(A), JK_C_REG(C), JK_C_MEM(B, 0), JK_C_RESULT(C),
                                        JK_C_VK(BLENDM, D, C, B, 0, JK_HOW_A), JK_C_END};
static const jk_cmd jk_do_select_b[] = {JK_C_REG(A), JK_C_MEM(B, JK_MEM_WIDE), JK_C_RESULT(A), JK_C_V(AND, D, A, B), JK_C_END};
static const jk_cmd jk_do_select_c[] = {JK_C_REG(A), JK_C_MEM(C, JK_MEM_WIDE), JK_C_RESULT(A), JK_C_V(ANDN, D, A, C), JK_C_END};
static const jk_cmd jk_do_select_b_k[] = {JK_C_REG(A), JK_C_MEM(B, JK_MEM_NOBCAST), JK_C_RESULT(B),
                                          JK_C_VK(MOVU, D, D, B, 0, JK_HOW_A | JK_HOW_ZERO), JK_C_END};

/* ---- the rows ---- */

/* One a op, in the order of ops.h: X(OP, legacy, VEX and EVEX sequence, instruction, the same in EVEX, immediate or
 * constant, flags). ROUND's immediate: 8: no exception flag; then nearest even, down, up, towards zero. */
#define JK_SEL_SWAP 4u /* the operands may be exchanged; besides JK_MEM_... */
#define JK_SEL_SPLIT 8u /* split.c may know another way */
#define JK_SEL_WIDE (JK_SEL_SWAP | JK_MEM_WIDE)
#define JK_SELECTS(X) \
    X(NEG, logic, logic, logic, V_XOR, V_XOR, JK_BITS_SIGN, 0) \
    X(ABS, logic, logic, logic, V_AND, V_AND, JK_BITS_REST, 0) \
    X(SQRT, unary, unary, unary, V_SQRT, V_SQRT, 0, JK_SEL_SPLIT) \
    X(POW_HALF, pow_half, pow_half, root_k, V_SQRT, V_SQRT, 0, JK_SEL_SPLIT) \
    X(FLOOR, round_sse2, unary, unary, V_ROUND, V_ROUND, 9, 0) \
    X(CEIL, round_sse2, unary, unary, V_ROUND, V_ROUND, 10, 0) \
    X(TRUNC, round_sse2, unary, unary, V_ROUND, V_ROUND, 11, 0) \
    X(RINT, round_sse2, unary, unary, V_ROUND, V_ROUND, 8, 0) \
    X(ADD, binary, binary, binary, V_ADD, V_ADD, 0, JK_SEL_SWAP) \
    X(SUB, binary, binary, binary, V_SUB, V_SUB, 0, 0) \
    X(MUL, binary, binary, binary, V_MUL, V_MUL, 0, JK_SEL_SWAP) \
    X(DIV, binary, binary, binary, V_DIV, V_DIV, 0, JK_SEL_SPLIT) \
    X(MIN, minmax, minmax, minmax_k, V_MIN, V_MIN, 4, 0) \
    X(MAX, minmax, minmax, minmax_k, V_MAX, V_MAX, 5, 0) \
    X(COPYSIGN, copysign, copysign, copysign_k, V_AND, V_AND, 0, 0) \
    X(FMA, fma_soft, fma_a, fma_a, V_FMADD213, V_FMADD213, 0, JK_SEL_SWAP) \
    X(LT, binary, binary, binary, V_CMP, V_CMPK, JK_P_LT, 0) \
    X(LE, binary, binary, binary, V_CMP, V_CMPK, JK_P_LE, 0) \
    X(EQ, binary, binary, binary, V_CMP, V_CMPK, JK_P_EQ, 0) \
    X(NE, binary, binary, binary, V_CMP, V_CMPK, JK_P_NE, 0) \
    X(ISNAN, binary, binary, binary, V_CMP, V_CMPK, JK_P_UNORD, 0) \
    X(MNOT, logic, logic, masks, V_XOR, K_KNOT, JK_BITS_ONES, 0) \
    X(MAND, binary, binary, masks, V_AND, K_KAND, 0, JK_SEL_WIDE) \
    X(MOR, binary, binary, masks, V_OR, K_KOR, 0, JK_SEL_WIDE) \
    X(IAND, binary, binary, binary, V_AND, V_AND, 0, JK_SEL_WIDE) \
    X(IOR, binary, binary, binary, V_OR, V_OR, 0, JK_SEL_WIDE) \
    X(IXOR, binary, binary, binary, V_XOR, V_XOR, 0, JK_SEL_WIDE) \
    X(IADD, binary, binary, binary, V_PADD, V_PADD, 0, JK_SEL_WIDE) \
    X(ISUB, binary, binary, binary, V_PSUB, V_PSUB, 0, JK_MEM_WIDE) \
    X(ISHL, shift_in_place, shift, shift, V_PSLL, V_PSLL, 0, 0) \
    X(ISHR, shift_in_place, shift, shift, V_PSRL, V_PSRL, 0, 0) \
    X(CONST, none, none, none, V_COUNT, V_COUNT, 0, 0) \
    X(PARAM, none, none, none, V_COUNT, V_COUNT, 0, 0) \
    X(LOAD, none, none, none, V_COUNT, V_COUNT, 0, 0) \
    X(LENGTH, none, none, none, V_COUNT, V_COUNT, 0, 0) \
    X(SELECT, select, select_vex, select_k, V_AND, V_AND, 0, 0) \
    X(BITS, copy, copy, copy, V_MOVA, V_MOVA, 0, 0) \
    X(CVT, convert, convert, convert, V_CVTSS2SD, V_CVTSS2SD, 0, 0)

/* clang-format on */

typedef struct jk_sel {
    const jk_cmd *cmds[3]; /* by jk_enc */
    uint8_t inst[2], imm, flags;
} jk_sel;

static const jk_sel jk_sels[] = {
#define JK_ROW(OP, legacy, vex, evex, inst, inst_k, imm, flags) \
    {{jk_do_##legacy, jk_do_##vex, jk_do_##evex}, {JK_##inst, JK_##inst_k}, imm, flags},
    JK_SELECTS(JK_ROW)
#undef JK_ROW
};

/* The rows are those of ops.h in its order. */
typedef enum jk_sel_op {
#define JK_ROW(OP, legacy, vex, evex, inst, inst_k, imm, flags) JK_SEL_OP_##OP,
    JK_SELECTS(JK_ROW)
#undef JK_ROW
        JK_SEL_OP_COUNT
} jk_sel_op;
#define JK_ROW(OP, legacy, vex, evex, inst, inst_k, imm, flags) +((int)JK_SEL_OP_##OP != (int)JK_##OP)
typedef char jk_sel_in_order[0 JK_SELECTS(JK_ROW) == 0 ? 1 : -1];
#undef JK_ROW

/* ---- what rows do not say ---- */

/* Four floats or two doubles: v[0..] = fma(v[0..], v[4 or 2 ..], ...), for code without the instruction. */
JK_FUNC void jk_soft_fma(char *v, jk_type type, size_t lanes)
{
    const void *from[3];
    from[0] = v, from[1] = v + 16, from[2] = v + 32;
    jk_fp_apply(JK_FMA, type, type, 0, lanes, v, from);
}

/* Without FMA: room for the operands, and the thunk. */
JK_FUNC void jk_sel_fma_soft(jk_play *p)
{
    jk_gen *g = p->g;
    unsigned k;
    if (!g->fma_used) {
        g->fma_used = true;
        g->fma_thunk = jk_asm_label(&g->as);
    }
    if (g->fma_at < 0)
        g->fma_at = jk_frame_take(g, 48, 16);
    for (k = 0; k < 3; k++)
        p->o[JK_AT_X + k] = jk_at_frame(g, g->fma_at + (int32_t)(16 * k));
    p->type = JK_F32;
}

static inline bool jk_is_zero(const jk_gen *g, jk_ref ref)
{
    const jk_ins *i = &g->p->ins[ref];
    return i->op == JK_CONST && !i->a && !i->b;
}

/* Operands are exchanged where that saves a move or a load. */
static inline bool jk_sel_swaps(const jk_play *p)
{
    const uint32_t *v = p->val;
    bool saves = !jk_dies(p->b, v[0]) && jk_dies(p->b, v[1]);
    if (p->op == JK_FMA) /* both are in registers in any case, but for the soft one, which takes them as they are */
        return saves && p->g->t.fma;
    return jk_in_reg(p->b, v[1], p->j) && (saves || !jk_in_reg(p->b, v[0], p->j));
}

JK_FUNC void jk_select(jk_body *b, jk_ref ref, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    const jk_sel *s = &jk_sels[i->op];
    const jk_cmd *cmds = s->cmds[g->t.enc], *split;
    jk_ref op[3];
    unsigned n, arity = jk_operands(i, op);
    bool k = g->t.kmask;
    jk_play p;
    jk_play_init(&p, g, (jk_type)i->type);
    p.b = b;
    p.j = j;
    p.v = jk_val_of(b, ref);
    p.op = (jk_op)i->op;
    p.inst = s->inst[k];
    p.imm = (unsigned)(s->imm + i->aux);
    p.mem = s->flags & (JK_MEM_WIDE | JK_MEM_NOBCAST);
    p.val[1] = jk_val_of(b, op[0]);
    for (n = 0; n < arity; n++)
        p.val[n] = jk_val_of(b, op[n]);
    if (s->flags & JK_SEL_SWAP && cmds != jk_do_masks && jk_sel_swaps(&p)) {
        uint32_t t = p.val[0];
        p.val[0] = p.val[1];
        p.val[1] = t;
    }
    switch ((jk_op)i->op) {
    case JK_FMA:
        if (!g->t.fma)
            jk_sel_fma_soft(&p);
        else if (jk_left_reg(b, p.val[2], j) != JK_NOREG)
            cmds = jk_do_fma_c;
        break;
    case JK_SELECT:
        if (jk_is_zero(g, i->c))
            cmds = k ? jk_do_select_b_k : jk_do_select_b;
        else if (!k && jk_is_zero(g, i->b))
            cmds = jk_do_select_c;
        break;
    case JK_BITS:
        if (b->val[p.val[0]].cls != b->val[p.v].cls)
            cmds = jk_do_spread_mask;
        break;
    case JK_CVT:
        p.inst = i->type == JK_F64 ? JK_V_CVTSS2SD : JK_V_CVTSD2SS;
        if (b->val[p.val[0]].type == JK_I64) {
            p.inst = i->type == JK_F64 ? JK_V_CVTSI2SD : JK_V_CVTSI2SS;
            cmds = jk_do_convert_int;
        }
        break;
    default:
        break;
    }
    if (s->flags & JK_SEL_SPLIT && (split = jk_split(b, i, j)))
        cmds = split;
    jk_play_run(&p, cmds);
}
#undef JK_SEL_SWAP
#undef JK_SEL_SPLIT
#undef JK_SEL_WIDE
#undef JK_SELECTS
JK_SMALL_CLOSE
