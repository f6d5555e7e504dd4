/* fp: the one place where the library's own C code does floating-point arithmetic, so that no flag of the including
 * file changes a bit: everything that adds or compares floats stands between JK_FP_OPEN and JK_FP_CLOSE (fp.c, and the
 * sums of reduce.c), and asks for NaN on the integer bits. Assumes MXCSR 0x1F80 (jk_fp_enter). */
#ifndef JK_FP_H
#define JK_FP_H
#include "base.h"

/* gcc keeps the flags of a function with the function. clang's back end fuses and assumes by flags of the whole file
 * whatever the pragmas say; where that could change a value the code passes it through JK_FP_KEEP. One pragma has all
 * of gcc's options: of two `optimize` in one macro gcc 12 drops the second, in C. */
/* A pragma's string must stay whole. */
/* clang-format off */
#if defined(__clang__) && !defined(__x86_64__) && !defined(__i386__) /* which has no float_control */
#define JK_FP_OPEN  JK_SMALL_OPEN _Pragma("clang fp contract(off)")
#define JK_FP_CLOSE _Pragma("clang fp contract(on)") JK_SMALL_CLOSE
#elif defined(__clang__)
#define JK_FP_OPEN                                                                                                     \
    JK_SMALL_OPEN _Pragma("float_control(push)") _Pragma("float_control(precise, on)") _Pragma("clang fp contract(off)")
#define JK_FP_CLOSE _Pragma("float_control(pop)") JK_SMALL_CLOSE
#else
#define JK_FP_OPEN  _Pragma("GCC push_options") JK_OPTIMIZE(JK_SMALL_LEVEL, "no-fast-math", "fp-contract=off")
#define JK_FP_CLOSE _Pragma("GCC pop_options")
#endif
/* clang-format on */
/* A value the compiler knows nothing of: neither where it came from nor that it is no NaN. */
#if defined(__x86_64__) || defined(__i386__)
#define JK_FP_KEEP(x) __asm__("" : "+x"(x))
#else
#define JK_FP_KEEP(x) __asm__("" : "+m"(x))
#endif

/* The floating-point mode of all of the library's work: to nearest, subnormals, all exceptions masked. enter returns
 * the caller's mode and loads ours if it differs; leave restores it. On other processors the rounding mode only. */
#define JK_MXCSR 0x1F80     /* x86: to nearest, all exceptions masked, no flush to zero */
#define JK_MXCSR_FLAGS 0x3F /* besides: what has happened */
JK_FUNC uint32_t jk_fp_enter(void);
JK_FUNC void jk_fp_leave(uint32_t saved);

JK_FUNC double jk_f64_from_bits(uint64_t u);
JK_FUNC uint64_t jk_f64_bits(double x);
JK_FUNC float jk_f32_from_bits(uint32_t u);
JK_FUNC uint32_t jk_f32_bits(float x);
JK_FUNC double jk_fma_f64(double a, double b, double c); /* one rounding, by software */

/* Numbers of 128 bits: hi * 2^64 + lo. */
typedef struct jk_wide {
    uint64_t hi, lo;
} jk_wide;
/* To the right, by 127 at most; the last bit stays set where a set bit was lost, which is all that rounding needs to
 * know. */
JK_FUNC jk_wide jk_wide_shr(jk_wide w, int by);
/* w * 2^e, rounded once to nearest even, with this sign bit. w is not 0. */
JK_NOINLINE double jk_wide_round(uint64_t sign, jk_wide w, int e);

JK_FUNC double jk_min_f64(double a, double b); /* IEEE 754-2019 minimum: NaN wins, -0 is less than +0 */

/* Applies one JK_FOLD op to n elements, not 0, of each of three operands, all contiguous; `to` may be one of them, else
 * overlaps none. Works on 16 bytes at a time: the rest of the last ones must be readable, and is written in `to`. So
 * must from[1] and from[2] be also where the op has fewer. type is the result's, operand_type (which matters for CVT)
 * the first operand's; aux is 0 but for shifts. */
JK_FUNC void jk_fp_apply(unsigned op, jk_type type, jk_type operand_type, unsigned aux, size_t n, void *to,
                         const void *const *from);
/* The same of constants (bits in, bits out). */
JK_FUNC uint64_t jk_fp_fold(unsigned op, jk_type type, jk_type operand_type, unsigned aux, uint64_t a, uint64_t b,
                            uint64_t c);
/* The first of n elements of x that equals the value with these bits or, where that is NaN, is NaN; n if none. */
JK_FUNC size_t jk_fp_find(jk_type type, const void *x, size_t n, uint64_t bits);
/* Stores as the language says: to nearest even, saturating, 0 for NaN for integers; one rounding between floats.
 * Scalars and arrays of n elements with strides in bytes; `to` and `from` are jk_types (F64 F32 I64 I32 U8). */
JK_FUNC void jk_fp_convert(void *to, jk_type to_type, ptrdiff_t to_stride, const void *from, jk_type from_type,
                           ptrdiff_t from_stride, size_t n);

/* Memory that holds values of any type: the interpreter's slots, the user's arrays. */
typedef double __attribute__((may_alias)) jk_f64;
typedef float __attribute__((may_alias)) jk_f32;
typedef uint64_t __attribute__((may_alias)) jk_u64;
typedef uint32_t __attribute__((may_alias)) jk_u32;
#endif
