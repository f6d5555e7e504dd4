/* x64: square roots and quotients beside the divider. The hardware computes both in one unit, a vector in 5 to 20
 * cycles, while the multipliers stand idle. A light body therefore has every other root, or every fourth quotient, of a
 * step computed by fma from the hardware's estimate: to the last bit what the instruction gives, so that no result
 * depends on which of the two a lane meets. (Markstein, Computation of elementary functions on the IBM RISC
 * System/6000, 1990; Cornea, Harrison and Tang, Scientific Computing on Itanium-based Systems, 2002.) Below, p is the
 * number of bits, u the unit in the last place of numbers in [1, 2), the estimate any with a relative error of 2^-14
 * (AVX2: 2^-11.4).
 *
 * Roots. s = sqrt(x) in [1, 2), g is near s, h near 1/(2 s), d = x - g^2; the result is g + d h, which but for the
 * error of h is s - (s - g)^2 / (2 s).
 * - In units of u^2/4, x differs from the square of a midpoint m of two numbers by -1, 7, -9, 15, ...: it is a multiple
 *   of 8 of them, and m^2 is 1 more than one. So s differs from m by as many u^2/(8 s).
 * - Only so near to m may the last sum err. If g is within 1.5 u of s, it is a neighbour of m there: d is exact; the
 *   square is 1 such unit, which is less than 7 on the one side and harmless on the other; an error of h may be 9 units
 *   long where the difference is -9 or beyond, relatively 2.25 u/s.
 * - -1 is left, which x = 1 + u and x = 4 - 2 u have, the solutions of M^2 = 1 modulo powers of two. There the sum is a
 *   tie or next to it, and right where h <= 1/2 and where g = 2 - u, respectively.
 * - From the estimate y come g = x y with an error of u/2, h = y/2 with none, e = 1/2 - g h, and both times
 *   1/sqrt(1 - 2 e) = 1 + e + 3/2 e^2 + 5/2 e^3 + 35/8 e^4 + 63/8 e^5. Half of the error goes to each: g is within u/4,
 *   h within u/(4 s) relatively. Taking the number below 1/2 in e makes both u/4 less: g ends between s - 0.84 u and s
 *   before it is rounded, and h <= 1/2. All conditions hold.
 *
 * Quotients. a and b in [1, 2), y is 1/b but for an error of D, q is a y rounded, r = a - b q; the result is q + r y,
 * which is a/b + r D. v is the unit in the last place of a/b: u, or u/2 where a < b.
 * - a/b differs from a midpoint m by k v u/(2 b), k a whole number, not 0.
 * - |D| is at most u/4, as y's digits are worth u/2 at most, and what the steps below leave. That makes the error of q
 *   less than v, or 3/2 v where a < b. Next to a midpoint an error beyond v takes an a |D| near v, thus a and b next
 *   to 2, where no a/b is next to one. So there q is the midpoint's neighbour, and r is exact, about b v/2.
 * - There the sum errs by b v/2 |D|, too much only where |D| is u/b^2 or more, which is u/4 (1 + 2 - b) for b next to 2
 *   and greater elsewhere: with 1/b rounded to nearest never but for b = 2 - u. But y comes from an estimate by y + y
 *   (e + e^2), e = 1 - b y (f32: y + y e), and then y + y e, which leaves 2^-84 (f32: 1.2 * 2^-48): 1/b may be rounded
 *   to the other side where it is so near to the middle. All is well for b <= 2 - u - 2^-31 (f32: 2 - 2 u).
 *
 * What that does not hold for goes to the instruction behind the loop, with the whole vector: what is not finite, zero
 * or near the ends of the exponents, and divisors that begin with 29 ones (f32: 24, all of them). */
#include "gen.h"

JK_SMALL_OPEN

/* clang-format off */

/* x^0.5: the root of |x| for x = -inf, and of x; of the result -0 without its sign. */
#define JK_C_POW_HALF \
    JK_C_CONST(X, JK_BITS_MINUS_INF), JK_C_CONST(Y, JK_BITS_SIGN), JK_C_CONST(Z, JK_BITS_REST), \
    JK_C_V(CMP, T, A, X), \
    JK_C_V(AND, T, T, Y), \
    JK_C_V(XOR, T, T, A), \
    JK_C_INST(D, D, T), \
    JK_C_V(AND, D, D, Z)
/* With mask registers: the root, and what becomes of its special cases. */
#define JK_C_POW_HALF_K \
    JK_C_INST(D, D, A), \
    JK_C_IF(JK_POW_HALF, 2), \
    JK_C_CONST(X, JK_BITS_POW_HALF), \
    JK_C_V(FIXUPIMM, D, A, X)
static const jk_cmd jk_do_pow_half[] = {JK_C_REG(A), JK_C_TEMP(T), JK_C_RESULT(NONE), JK_C_POW_HALF, JK_C_END};
static const jk_cmd jk_do_root_k[] = {JK_C_REG(A), JK_C_RESULT(NONE), JK_C_POW_HALF_K, JK_C_END};

/* Bad lanes in K (all ones in U): A's bits but for the sign outside of a range, unsigned; AVX2 compares with a sign. A
 * number below 0 is none of them: its estimate is a NaN, as its root is. */
#define JK_C_ROOT_BEGIN(low, span) \
    JK_C_CONST(X, low), JK_C_CONST(Y, span), JK_C_CONST(Z, JK_BITS_EXPONENT), \
    JK_C_REG(A), JK_C_TEMP(T), JK_C_TEMP(U), JK_C_RESULT(NONE), \
    JK_C_V(PADD, U, A, A), \
    JK_C_V(PSUB, U, U, X)
/* D = g, T = h from the estimate in T: half of it by its exponent, which the multipliers have no part in. */
#define JK_C_ROOT_START JK_C_V(MUL, D, T, A), JK_C_V(PSUB, T, T, Z)
#define JK_C_ROOT_ERROR JK_C_CONST(Z, JK_BITS_HALF_LESS), JK_C_MOV(U, T), JK_C_V(FNMADD213, U, D, Z) /* U = e */
#define JK_C_ROOT_STEP(e) JK_C_V(FMADD213, D, e, D), JK_C_V(FMADD213, T, e, T)
#define JK_C_ROOT_END JK_C_MOV(U, A), JK_C_V(FNMADD231, U, D, D), JK_C_V(FMADD231, D, U, T), JK_C_END
/* W = bits U + next, and on: W = W U + next. */
#define JK_C_ROOT_SERIES(bits) {JK_DO_CONST, JK_AT_X, 0, 1, bits, 0}, JK_C_V(BROADCAST, W, W, X)
#define JK_C_ROOT_TERM(bits) JK_C_CONST(X, bits), JK_C_V(FMADD213, W, U, X)
#define JK_C_ROOT_REST \
    JK_C_ROOT_TERM(JK_BITS_5_2), JK_C_ROOT_TERM(JK_BITS_3_2), JK_C_ROOT_TERM(JK_BITS_ONE), JK_C_V(MUL, W, W, U), \
    JK_C_ROOT_STEP(W), JK_C_ROOT_END

#define JK_C_ROOT_BEGIN_K \
    JK_C_ROOT_BEGIN(JK_BITS_ROOT_LOW, JK_BITS_ROOT_SPAN), \
    JK_C_VI(PCMPUK, K, U, Y, 6), \
    JK_C_SLOW(K, 5), JK_C_POW_HALF_K, JK_C_END, \
    JK_C_CONST(X, JK_BITS_ULP), \
    JK_C_V(OR, T, A, X), /* an emulator has no estimate for 2 * 4^k */ \
    JK_C_V(RSQRT14, T, T, T), \
    JK_C_ROOT_START, \
    JK_C_ROOT_ERROR
static const jk_cmd jk_do_root_k64[] = {JK_C_TEMP(W), JK_C_ROOT_BEGIN_K, JK_C_ROOT_SERIES(JK_BITS_35_8), JK_C_ROOT_REST};
static const jk_cmd jk_do_root_k32[] = {JK_C_ROOT_BEGIN_K, JK_C_ROOT_STEP(U), JK_C_ROOT_END};
/* The estimate is that of singles. */
static const jk_cmd jk_do_root_vex64[] = {
    JK_C_TEMP(W),
    JK_C_ROOT_BEGIN(JK_BITS_ROOT_LOW_AVX2, JK_BITS_ROOT_SPAN_AVX2),
    JK_C_V(PCMPGTQ, U, U, Y),
    JK_C_SLOW(U, 12),
    JK_C_IF(JK_SQRT, 2),
    JK_C_INST(D, D, A),
    JK_C_END,
    JK_C_POW_HALF,
    JK_C_END,
    JK_C_V(CVTPD2PS, T, T, A),
    JK_C_V(RSQRT, T, T, T),
    JK_C_V(CVTPS2PD, T, T, T),
    JK_C_ROOT_START,
    JK_C_ROOT_ERROR,
    JK_C_ROOT_SERIES(JK_BITS_63_8),
    JK_C_ROOT_TERM(JK_BITS_35_8),
    JK_C_ROOT_REST,
};

/* A / B. Bad lanes in K: |A| or |B| outside of a range, or B next to 2. */
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
    JK_C_SLOW(K, 2), JK_C_INST(D, A, B), JK_C_END, \
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
