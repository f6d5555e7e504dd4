/* fp: the one place where the library's own C code does floating-point arithmetic, so that no flag of the including
 * file changes a bit: no-fast-math, no contraction, NaN tests on the bits (fp.c opens and closes the pragmas; the
 * interpreter's loops are generated there too from the meanings in ops.h). Assumes MXCSR 0x1F80 (jk_fp_enter). */
#ifndef JK_FP_H
#define JK_FP_H
#include "base.h"

/* The floating-point mode of all of the library's work: to nearest, subnormals, all exceptions masked. enter returns
 * the caller's mode and loads ours if it differs; leave restores it. On other processors the rounding mode only. */
JK_FUNC uint32_t jk_fp_enter(void);
JK_FUNC void jk_fp_leave(uint32_t saved);

JK_FUNC double jk_f64_from_bits(uint64_t u);
JK_FUNC uint64_t jk_f64_bits(double x);
JK_FUNC float jk_f32_from_bits(uint32_t u);
JK_FUNC uint32_t jk_f32_bits(float x);
JK_FUNC double jk_fma_f64(double a, double b, double c); /* one rounding, by software where the compiler has no FMA */
JK_FUNC float jk_fma_f32(float a, float b, float c);

/* Evaluates one JK_FOLD op on constants (bits in, bits out) with the arithmetic of the interpreter. type is the result's,
 * operand_type that of the last operand. */
JK_FUNC uint64_t jk_fp_fold(unsigned op, jk_type type, jk_type operand_type, unsigned aux, uint64_t a, uint64_t b, uint64_t c);
/* Stores as language.md says: to nearest even, saturating, 0 for NaN for integers; one rounding between floats. Scalars
 * and arrays of n elements with strides in bytes; `to` and `from` are jk_types (F64 F32 I64 I32 U8). */
JK_FUNC void jk_fp_convert(void *to, jk_type to_type, ptrdiff_t to_stride, const void *from, jk_type from_type,
                           ptrdiff_t from_stride, size_t n);
#endif
