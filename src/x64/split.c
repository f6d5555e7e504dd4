/* x64: square roots and quotients beside the divider. The hardware computes both in one unit, a vector in 5 to 20
 * cycles, while the multipliers stand idle. A light body therefore has every other root, or every fourth quotient, of a
 * step computed by fma from the hardware's estimate: to the last bit what the instruction gives, so that no result
 * depends on which of the two a lane meets. (Markstein, Computation of elementary functions on the IBM RISC
 * System/6000, 1990; Cornea, Harrison and Tang, Scientific Computing on Itanium-based Systems, 2002.) Why it is
 * correct, with u = one unit in the last place of the result and p bits:
 *
 *   Roots. s = sqrt(x), d = x - g^2 is exact for g near s, and g + d h = s - (s - g)^2 / (2 s) where h = 1/(2 s). x is
 * no square of a midpoint m of two numbers: in units of u^2/4 it differs from m^2 by ..., -9, -1, 7, 15, ..., and s
 * from m by as many u^2/(8 s). Where s is that near to m, |s - g| is u/2 if g is a neighbour: the square is 1 such
 * unit, on the safe side for s < m and less than 7 for s > m, and a relative error of h below 2.25 u/s does no harm but
 * where the difference is -1, which only x = 4^k (1 - 2^-p) has; there g is exact to less than the rest. The series 1 +
 * e + 3/2 e^2 + 5/2 e^3, e = 1/2 - g h, takes 14 bits to 53, and 22 in its shorter form. Quotients. r = a - b q is
 * exact for q within u of a/b; a/b differs from any midpoint by 2^-p u/b at least (b in [1, 2)), so q + r y rounds
 * rightly if y is 1/b to less than 2/b^2 half units: correctly rounded, in short, and that fails for b = 2 - 2^(1-p)
 * alone.
 *
 * What that does not hold for goes to the instruction behind the loop, with the whole vector: what is not finite, zero,
 * negative or near the ends of the exponents, and that b. */
#include "gen.h"

JK_SMALL_OPEN

/* clang-format off */

/* Bad lanes in K (all ones in U): A's bits outside of [X, X + Y], unsigned; AVX2 compares with a sign. */
#define JK_C_ROOT_BEGIN(low, span) \
    JK_C_CONST(X, low), JK_C_CONST(Y, span), JK_C_CONST(Z, JK_BITS_HALF), \
    JK_C_REG(A), JK_C_TEMP(T), JK_C_TEMP(U), JK_C_RESULT(NONE), \
    JK_C_V(PSUB, U, A, X)
/* D = g, T = h from the estimate in T. */
#define JK_C_ROOT_START JK_C_V(MUL, D, T, A), JK_C_V(MUL, T, T, Z)
#define JK_C_ROOT_ERROR JK_C_MOV(U, T), JK_C_V(FNMADD213, U, D, Z) /* U = e */
#define JK_C_ROOT_STEP(e) JK_C_V(FMADD213, D, e, D), JK_C_V(FMADD213, T, e, T)
#define JK_C_ROOT_SERIES(bits) {JK_DO_CONST, JK_AT_X, 0, 1, bits, 0}, JK_C_V(BROADCAST, W, W, X)
#define JK_C_ROOT_END JK_C_MOV(U, A), JK_C_V(FNMADD231, U, D, D), JK_C_V(FMADD231, D, U, T), JK_C_END

static const jk_cmd jk_do_root_k64[] = {
    JK_C_TEMP(W),
    JK_C_ROOT_BEGIN(JK_BITS_ROOT_LOW, JK_BITS_ROOT_SPAN),
    JK_C_VI(PCMPUK, K, U, Y, 6),
    JK_C_SLOW(K), JK_C_INST(D, D, A),
    JK_C_V(RSQRT14, T, T, A),
    JK_C_ROOT_START,
    JK_C_ROOT_ERROR,
    JK_C_CONST(Y, JK_BITS_3_HALVES), JK_C_CONST(Z, JK_BITS_ONE),
    JK_C_ROOT_SERIES(JK_BITS_5_HALVES),
    JK_C_V(FMADD213, W, U, Y),
    JK_C_V(FMADD213, W, U, Z),
    JK_C_V(MUL, W, W, U),
    JK_C_ROOT_STEP(W),
    JK_C_ROOT_END,
};
static const jk_cmd jk_do_root_k32[] = {
    JK_C_ROOT_BEGIN(JK_BITS_ROOT_LOW, JK_BITS_ROOT_SPAN),
    JK_C_VI(PCMPUK, K, U, Y, 6),
    JK_C_SLOW(K), JK_C_INST(D, D, A),
    JK_C_V(RSQRT14, T, T, A),
    JK_C_ROOT_START,
    JK_C_ROOT_ERROR,
    JK_C_ROOT_STEP(U),
    JK_C_ROOT_END,
};
/* The estimate by way of singles, 11 bits of it. */
static const jk_cmd jk_do_root_vex64[] = {
    JK_C_TEMP(W),
    JK_C_ROOT_BEGIN(JK_BITS_ROOT_LOW_AVX2, JK_BITS_ROOT_SPAN_AVX2),
    JK_C_V(PCMPGTQ, U, U, Y),
    JK_C_SLOW(U), JK_C_INST(D, D, A),
    JK_C_V(CVTPD2PS, T, T, A),
    JK_C_V(RSQRT, T, T, T),
    JK_C_V(CVTPS2PD, T, T, T),
    JK_C_ROOT_START,
    JK_C_ROOT_ERROR,
    JK_C_ROOT_STEP(U),
    JK_C_ROOT_ERROR,
    JK_C_CONST(Y, JK_BITS_ONE),
    JK_C_ROOT_SERIES(JK_BITS_3_HALVES),
    JK_C_V(FMADD213, W, U, Y),
    JK_C_V(MUL, W, W, U),
    JK_C_ROOT_STEP(W),
    JK_C_ROOT_END,
};

/* A / B. Bad lanes in K: |A| or |B| outside of a range, or B's digits all ones. */
#define JK_C_QUOTIENT_BEGIN \
    JK_C_CONST(X, JK_BITS_QUOTIENT_LOW), JK_C_CONST(Y, JK_BITS_QUOTIENT_SPAN), JK_C_CONST(Z, JK_BITS_DIGITS), \
    JK_C_REG(A), JK_C_REG(B), JK_C_TEMP(T), JK_C_TEMP(U), JK_C_RESULT(NONE), \
    JK_C_V(PADD, T, A, A), \
    JK_C_V(PADD, U, B, B), \
    JK_C_V(PSUB, T, T, X), \
    JK_C_V(PSUB, U, U, X), \
    JK_C_VI(PCMPUK, K, T, Y, 2), \
    JK_C_V(ANDN, T, B, Z), \
    JK_C_VK(PCMPUK, K, U, Y, 2, JK_K_SCRATCH), \
    JK_C_VK(PTESTK, K, T, T, 0, JK_K_SCRATCH), \
    JK_C_K(KNOT, K, K, K), \
    JK_C_SLOW(K), JK_C_INST(D, A, B), \
    JK_C_CONST(X, JK_BITS_ONE), \
    JK_C_V(RCP14, T, T, B)
/* T = 1/B: U = 1 - B T, T += T U. */
#define JK_C_QUOTIENT_ERROR JK_C_MOV(U, T), JK_C_V(FNMADD213, U, B, X)
#define JK_C_QUOTIENT_STEP JK_C_V(FMADD213, T, U, T)
#define JK_C_QUOTIENT_END \
    JK_C_V(MUL, D, A, T), JK_C_MOV(U, D), JK_C_V(FNMADD213, U, B, A), JK_C_V(FMADD231, D, U, T), JK_C_END

static const jk_cmd jk_do_quotient_k64[] = {
    JK_C_QUOTIENT_BEGIN,
    JK_C_QUOTIENT_ERROR,
    JK_C_V(FMADD213, U, U, U),
    JK_C_QUOTIENT_STEP,
    JK_C_QUOTIENT_ERROR,
    JK_C_QUOTIENT_STEP,
    JK_C_QUOTIENT_END,
};
static const jk_cmd jk_do_quotient_k32[] = {
    JK_C_QUOTIENT_BEGIN,
    JK_C_QUOTIENT_ERROR,
    JK_C_QUOTIENT_STEP,
    JK_C_QUOTIENT_ERROR,
    JK_C_QUOTIENT_STEP,
    JK_C_QUOTIENT_END,
};
/* clang-format on */

/* Whether a body waits for the divider and leaves the multipliers room. */
JK_FUNC bool jk_splits(const jk_body *b)
{
    const jk_target *t = &b->g->t;
    uint32_t divider = b->nroots + b->nquotients;
    return t->fma && !t->scalar && divider && b->nstep <= 6 * divider + 2;
}

/* How instance j of a root or quotient is computed besides by the instruction; or NULL. */
JK_FUNC const jk_cmd *jk_split(const jk_body *b, const jk_ins *i, uint32_t j)
{
    static const jk_cmd *const cmds[][2] = {{jk_do_root_vex64, NULL},
                                            {jk_do_root_k64, jk_do_root_k32},
                                            {NULL, NULL},
                                            {jk_do_quotient_k64, jk_do_quotient_k32}};
    bool divides = i->op == JK_DIV;
    if (!jk_splits(b) || (~j & (divides ? 3u : 1u)))
        return NULL;
    return cmds[2 * divides + b->g->t.kmask][i->type == JK_F32];
}
JK_SMALL_CLOSE
