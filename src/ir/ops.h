/* ir: the op table. Everything that is to be said of an op stands in its row: enum, printed name, arity, result type,
 * flags and meaning; printer, reader, folder, verifier and tests are made from it.
 *
 * X(NAME, text, arity, result, flags, meaning)
 *   result   SAME   the type of the last operand        MASK   M64 or M32 as the operands are 8 or 4 bytes
 *            BITS   the integer of the operand's size, of an integer the float; or as stated when built
 *            F64, I64   that, or as stated when built
 *            OWN    stated when built
 *   flags    JK_COMM   a and b commute JK_FOLD   constants fold through the meaning
 *            JK_LEAF   no value operands   JK_RED    a reduction: varying argument, uniform result
 *   meaning  for the reader, and what fp.c computes: C over a, b, c, floats or unsigned integers of the lane's size;
 *            masks are all ones or 0. JK_FP(x) stands for a function of the lane's floating type.
 */
#ifndef JK_OPS_H
#define JK_OPS_H
/* clang-format off */

#define JK_COMM 1
#define JK_FOLD 2
#define JK_LEAF 4
#define JK_RED 8

/* Floating type in, floating type out. */
#define JK_OPS_F(X) \
    X(NEG, "neg", 1, SAME, JK_FOLD, JK_FP(neg)(a)) \
    X(ABS, "abs", 1, SAME, JK_FOLD, JK_FP(abs)(a)) \
    X(SQRT, "sqrt", 1, SAME, JK_FOLD, JK_FP(sqrt)(a)) \
    X(POW_HALF, "powhalf", 1, SAME, JK_FOLD, JK_FP(pow)(a, 0.5)) /* sqrt, but of -0 it is 0 and of -inf inf */ \
    X(FLOOR, "floor", 1, SAME, JK_FOLD, JK_FP(floor)(a)) \
    X(CEIL, "ceil", 1, SAME, JK_FOLD, JK_FP(ceil)(a)) \
    X(TRUNC, "trunc", 1, SAME, JK_FOLD, JK_FP(trunc)(a)) \
    X(RINT, "rint", 1, SAME, JK_FOLD, JK_FP(rint)(a)) \
    X(ADD, "add", 2, SAME, JK_FOLD | JK_COMM, a + b) \
    X(SUB, "sub", 2, SAME, JK_FOLD, a - b) \
    X(MUL, "mul", 2, SAME, JK_FOLD | JK_COMM, a * b) \
    X(DIV, "div", 2, SAME, JK_FOLD, a / b) \
    X(MIN, "min", 2, SAME, JK_FOLD | JK_COMM, JK_FP(min)(a, b)) \
    X(MAX, "max", 2, SAME, JK_FOLD | JK_COMM, JK_FP(max)(a, b)) \
    X(COPYSIGN, "copysign", 2, SAME, JK_FOLD, JK_FP(copysign)(a, b)) \
    X(FMA, "fma", 3, SAME, JK_FOLD | JK_COMM, JK_FP(fma)(a, b, c))

/* Floating type in, mask out. Comparisons are false for NaN, but for ne. gt and ge are lt and le with operands swapped. */
#define JK_OPS_CMP(X) \
    X(LT, "lt", 2, MASK, JK_FOLD, JK_FP(lt)(a, b)) \
    X(LE, "le", 2, MASK, JK_FOLD, JK_FP(le)(a, b)) \
    X(EQ, "eq", 2, MASK, JK_FOLD | JK_COMM, JK_FP(eq)(a, b)) \
    X(NE, "ne", 2, MASK, JK_FOLD | JK_COMM, JK_FP(ne)(a, b)) \
    X(ISNAN, "isnan", 1, MASK, JK_FOLD, JK_FP(isnan)(a))

/* Masks in, mask out. */
#define JK_OPS_M(X) \
    X(MNOT, "mnot", 1, SAME, JK_FOLD, ~a) \
    X(MAND, "mand", 2, SAME, JK_FOLD | JK_COMM, a & b) \
    X(MOR, "mor", 2, SAME, JK_FOLD | JK_COMM, a | b)

/* Integers of the lane's size (I64 beside f64, I32 beside f32). Shifts are by the constant in aux. */
#define JK_OPS_I(X) \
    X(IAND, "iand", 2, SAME, JK_FOLD | JK_COMM, a & b) \
    X(IOR, "ior", 2, SAME, JK_FOLD | JK_COMM, a | b) \
    X(IXOR, "ixor", 2, SAME, JK_FOLD | JK_COMM, a ^ b) \
    X(IADD, "iadd", 2, SAME, JK_FOLD | JK_COMM, a + b) \
    X(ISUB, "isub", 2, SAME, JK_FOLD, a - b) \
    X(ISHL, "ishl", 1, SAME, JK_FOLD, a << aux) \
    X(ISHR, "ishr", 1, SAME, JK_FOLD, a >> aux) /* logical */

/* What each consumer writes by hand. */
#define JK_OPS_SPECIAL(X) \
    X(CONST, "const", 0, OWN, JK_LEAF, )    /* the bits: low half in a, high half in b */ \
    X(PARAM, "param", 0, OWN, JK_LEAF, )    /* scalar parameter number a */ \
    X(LOAD, "load", 0, OWN, JK_LEAF, )      /* this element of array parameter number a */ \
    X(LENGTH, "length", 0, I64, JK_LEAF, )  /* n, as I64 */ \
    X(SELECT, "select", 3, SAME, JK_FOLD, ) /* mask a ? b : c */ \
    X(BITS, "bits", 1, BITS, JK_FOLD, )      /* the same bits as another type of the same size: F64<->I64, F32<->I32, masks->I */ \
    X(CVT, "cvt", 1, F64, JK_FOLD, )        /* convert, one rounding: F64<->F32 I64->F64 I64->F32; uniform values only */ \
    X(RSTATE, "rstate", 2, SAME, 0, )        /* in a rare body: a is its first value, b the next one (later in the body) */ \
    X(RARE, "rare", 3, OWN, 0, )            /* mask a, fast value b, body's result c; aux names the jk_rare */ \
    X(RSUM, "rsum", 1, F64, JK_RED, )       /* F64 */ \
    X(RPROD, "rprod", 1, F64, JK_RED, )     /* F64 */ \
    X(RMIN, "rmin", 1, SAME, JK_RED, )       /* the argument's type */ \
    X(RARGMIN, "rargmin", 1, I64, JK_RED, ) /* I64 */

#define JK_OPS(X) JK_OPS_F(X) JK_OPS_CMP(X) JK_OPS_M(X) JK_OPS_I(X) JK_OPS_SPECIAL(X)

typedef enum jk_op {
#define JK_ROW(NAME, text, arity, result, flags, meaning) JK_##NAME,
    JK_OPS(JK_ROW)
#undef JK_ROW
        JK_OP_COUNT
} jk_op;
/* clang-format on */
#endif
