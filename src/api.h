/* jitk.h - array expressions compiled to machine code at run time, from one header.
 *
 * THE SMALLEST PROGRAM
 *
 *     #include "jitk.h"
 *     int main(void)
 *     {
 *         double x[4] = {1, 2, 3, 4}, y[4];
 *         jitk_eval("2*x^0.5", 4, x, y);
 *         printf("%g, and the sum is %g\n", y[3], jitk_sum(y, 4));
 *         return 0;
 *     }
 *
 * COMPILING AND LINKING
 *
 * Copy this file, include it in any number of C11 or C++17 files, link libm and pthreads; gcc or clang; no -m flag is
 * needed and none changes a result or where the program can run. Machine code is made on x86-64 Linux (SSE2, AVX2,
 * AVX-512, as the processor has them); anywhere else the same header runs an interpreter, with the same results.
 *
 * All files of a program that include the same version share one kernel cache. Another version in the same program
 * lives beside it: symbols carry the version. JITK_VERSION is this one's, and jitk_version() that of what was linked.
 * `#define JITK_DECLARATIONS_ONLY` before the include leaves the implementation to another file of the program: that
 * makes builds fast. (JITK_API is how the functions are declared.)
 *
 * WHAT IT DOES, AND DOES NOT DO
 *
 * It compiles expressions over arrays of equal length, element by element, and reductions (sum, min, ...), in double or
 * single precision. A kernel takes microseconds to compile and runs at the speed of the caches and memory. The same
 * source gives the same bits on every instruction set, alignment and machine, whatever the compiler's flags or the
 * caller's floating-point mode. It has no loops, no user-defined types, no input or output; it never prints (unless
 * JITK_DUMP asks for it), exits, or sets errno.
 *
 * THE LANGUAGE
 *
 *     2*x^0.5                                      a bare expression: its names are the parameters, in byte order
 *     axpy(a, x[], y[]) = a*x + y                  named parameters: x and y are arrays, a is a scalar
 *     (x[], y[]) = sum(x*y) / sum(y)               without a name; a reduction makes a scalar
 *     gain(g, x: u8[]) -> u8 = g*x                 element types of parameters and results: f64 f32 i64 i32 u8
 *     (x[]) = x - sum(x)/count(x)                  a reduction anywhere: as many passes as their nesting asks for
 *     (x[]) = min(x), max(x), 2*x                  several results, which follow the parameters in a call
 *     half(v) = v/2; (x[]) = half(x)^2             earlier definitions can be called; the last one is the kernel
 *
 *     c ? a : b   ||   &&   < <= > >= == !=   + -   * / %   unary - + !   ^ **   √          loosest first
 *     abs sign sqrt min max clamp fma floor ceil trunc round rint copysign where isnan isinf isfinite
 *     sum prod min max mean dot any all count argmin argmax length        over the elements
 *     pi e inf nan
 *
 * ONE CALL
 *
 *     jitk_status jitk_eval(const char *source, n, ...arguments)
 *         Compiles the source at the first call, finds it again by its text at the next, without a lock, and runs it:
 *         arguments as in jitk_call. The kernel's type is that of the first `float *` or `double *` whose parameter or
 *         result names no element type; without one, f64. Compiled sources stay: beyond 4,096 of them, or 64 MiB, a
 *         new one is compiled, run and freed at each call, which jitk_info counts. jitk_cache_clear() frees them all,
 *         and may run only while no jitk_eval or jitk_evalv does.
 *     jitk_status jitk_evalv(source, options, n, nargs, args, error)
 *         The same with options, and arguments as in jitk_callv: for flags, and for other languages. `options` and
 *         `error` may be NULL.
 *
 * The named kernels (jitk_sum and so on) stand behind this text, each with what it does.
 *
 * KERNELS
 *
 *     jitk_kernel *jitk_compile(source, options, error)
 *         NULL on failure, with the reason in *error (which may be NULL) and in jitk_last_error().
 *     jitk_status jitk_call(kernel, n, ...arguments)
 *         Takes, in the signature's order, one argument for each parameter, then a pointer for each result. An argument
 *         is a pointer to an array's first element or to a scalar, or a number, which sets a scalar or stands for n
 *         equal elements (converted to the parameter's element type to nearest, saturating, as a store would). The
 *         element types of pointers are checked: double float, int64_t (long, long long), int32_t, uint8_t; `void *` is
 *         not checked, and any other pointer does not compile. At most 32 arguments in C. n is any integer.
 *     jitk_status jitk_callv(kernel, n, nargs, args)
 *         The same with an array of pointers (`const void *args[]`, results included) and the caller's word for their
 *         types.
 *     jitk_status jitk_call_strided(kernel, n, nargs, args, strides)
 *         Each array with its stride in elements: 0 repeats one element, a negative one walks back from the pointer, a
 *         scalar's is ignored. `strides` may be NULL: all 1.
 *     void jitk_free(kernel)
 *         Of NULL does nothing. Not while a call on the kernel runs.
 *     size_t jitk_arg_count(kernel);  jitk_status jitk_arg(kernel, i, jitk_arg_info *)
 *         The signature: parameters, then results. `name` lives as long as the kernel; a result's is
 *         "result", of several "result1", "result2", ...
 *
 * A kernel never changes: any thread may call it at any time. A call allocates only where arguments must be packed
 * (strides, element types) or a kernel needs more than a few KiB of working memory, and takes no lock.
 *
 * Results are as if every input were read before any output is written. An output may be an input in place: same
 * address, stride and element type. Arrays of equal stride are compared element by element, so interleaved fields do
 * not overlap; others by byte range. Any other overlap of an output, two outputs that overlap, an output of stride 0,
 * NULL for a scalar, or for an array where n > 0, and n above PTRDIFF_MAX over the element size (a negative int, say)
 * are JITK_ERR_ARGS. On any status but JITK_OK no output has been written. With n = 0 no array is read, and scalar
 * results are written.
 *
 * SCALAR FUNCTIONS
 *
 *     jitk_fn jitk_function(source, options, &arity, error)
 *         A native function in C's calling convention: `arity` scalars of the kernel's type, returning one. Cast it:
 *         double (*f)(double, double) = (double (*)(double, double))jitk_function("sqrt(a^2+b^2)", NULL, &arity, &err);
 *         It runs in the caller's floating-point mode. Arrays, reductions and several results are JITK_ERR_TYPE; where
 *         no code can be made it is NULL with JITK_ERR_EXEC.
 *     void jitk_function_free(jitk_fn)
 *
 * OPTIONS
 *
 * jitk_options: all zero is the default, and so is NULL. `type` JITK_F64 or JITK_F32. `isa`: JITK_ISA_AUTO takes the
 * best that the processor and the system allow; one that they lack is JITK_ERR_UNSUPPORTED. `flags`: JITK_STRICT, the
 * very bits also in code without FMA; JITK_CONTRACT, a*b + c may be fused; JITK_COMPENSATED and JITK_EXACT sums (not in
 * this version: JITK_ERR_UNSUPPORTED). `entry`: which definition of the source, NULL for the last. `threads`: this
 * version runs each call on its caller's thread. `symbols` and `reserved`: zero.
 *
 * LOOKING INSIDE, AND THE ENVIRONMENT
 *
 *     jitk_status jitk_dump(kernel, what, FILE *)
 *         Any of JITK_DUMP_IR, JITK_DUMP_ASM (the listing, with addresses, bytes and the IR value of each line) and
 *         JITK_DUMP_PLAN (passes, streams, bytes and operations an element), joined by |.
 *     void jitk_info(jitk_info_t *)
 *         The processor, its caches, the instruction set in force, whether machine code can run, and the cache's
 * counts.
 *
 *     JITK_ISA=interp|scalar|sse2|avx2|avx512   caps the automatic choice; never fails
 *     JITK_DUMP=ir,asm,plan                     dumps every kernel to stderr when it has been compiled
 *
 * Both are read once; an unknown value is ignored.
 *
 * ERRORS
 *
 * Every function that can fail gives a jitk_status. jitk_last_error() is the calling thread's last failure: its status,
 * a message, and for errors in a source the line, column and length (1-based, in bytes; 0 where there is no place). A
 * jitk_error that was passed has status JITK_OK on success.
 *
 *     void jitk_error_print(error, source, FILE *)
 *         The message, and for an error with a place in `source` (or NULL) its line and a caret:
 *             1:5: unknown function 'sqr' (did you mean 'sqrt'?)
 *               2 * sqr(x)
 *                   ^~~
 *
 *     JITK_ERR_SYNTAX       the source cannot be read       JITK_ERR_LIMIT        too large (16 MiB of text, say)
 *     JITK_ERR_NAME         an unknown or repeated name     JITK_ERR_NOMEM        no memory
 *     JITK_ERR_TYPE         types do not fit                JITK_ERR_EXEC         no executable memory (jitk_function)
 *     JITK_ERR_ARGS         wrong arguments                 JITK_ERR_UNSUPPORTED  not on this machine or in this
 * version
 *
 * LICENSE: MIT; the text stands at the end.
 */
#ifndef JITK_API_H
#define JITK_API_H
/* A user may include this inside extern "C": C++'s own headers and our templates must not see that. */
#ifdef __cplusplus
extern "C++" {
#endif
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef __cplusplus
}
#endif

#define JITK_VERSION "0.1.0"

/* Symbols carry the version (and the tests' configurations a suffix of their own), so that the linker joins only what
 * is equal. JK_AS gives a declaration its symbol; JK_SHARED names a shared object. */
#ifndef JK_SUFFIX
#define JK_SUFFIX _0_1_0
#endif
#define JK_JOIN(a, b) JK_JOIN_(a, b)
#define JK_JOIN_(a, b) a##b
#define JK_TEXT(...) JK_TEXT_(__VA_ARGS__)
#define JK_TEXT_(...) #__VA_ARGS__
#define JK_SHARED(name) JK_JOIN(name, JK_SUFFIX)
#define JK_AS(name) __asm__(JK_TEXT(__USER_LABEL_PREFIX__) #name JK_TEXT(JK_SUFFIX))

/* Weak where the implementation stands in every including file. A declaration alone must not be weak: it would let the
 * program link without an implementation. */
#ifndef JITK_API
#ifdef JITK_DECLARATIONS_ONLY
#define JITK_API __attribute__((visibility("default")))
#else
#define JITK_API __attribute__((weak, visibility("default")))
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { JITK_F64, JITK_F32, JITK_I64, JITK_I32, JITK_U8 } jitk_type;
typedef enum {
    JITK_ISA_AUTO,
    JITK_ISA_INTERP,
    JITK_ISA_SCALAR,
    JITK_ISA_SSE2,
    JITK_ISA_AVX2,
    JITK_ISA_AVX512
} jitk_isa;
enum { JITK_STRICT = 1, JITK_CONTRACT = 2, JITK_COMPENSATED = 4, JITK_EXACT = 8 };
enum { JITK_DUMP_IR = 1, JITK_DUMP_ASM = 2, JITK_DUMP_PLAN = 4 };
typedef enum {
    JITK_OK,
    JITK_ERR_SYNTAX,
    JITK_ERR_NAME,
    JITK_ERR_TYPE,
    JITK_ERR_ARGS,
    JITK_ERR_LIMIT,
    JITK_ERR_NOMEM,
    JITK_ERR_EXEC,
    JITK_ERR_UNSUPPORTED
} jitk_status;

typedef struct jitk_error {
    jitk_status status;
    size_t line, column, length; /* 1-based, in bytes */
    char message[256];
} jitk_error;

typedef struct jitk_symbol jitk_symbol; /* not in this version */

typedef struct jitk_options {
    jitk_type type; /* of the kernel: JITK_F64 or JITK_F32 */
    jitk_isa isa;
    unsigned flags;
    int threads;
    const char *entry; /* NULL: the last definition in the source */
    const jitk_symbol *symbols;
    size_t symbol_count;
    size_t reserved[6]; /* zero, else JITK_ERR_UNSUPPORTED */
} jitk_options;

typedef struct jitk_arg_info {
    const char *name;
    jitk_type type; /* of an element */
    int is_array, is_result;
} jitk_arg_info;

typedef struct jitk_info_t {
    const char *version;
    char cpu[64];                /* the processor's name; "" where unknown */
    jitk_isa best, isa;          /* what the machine allows; what AUTO takes, capped by JITK_ISA */
    const char *isa_name;        /* of isa, as JITK_ISA writes it */
    int can_execute;             /* machine code can run here */
    size_t l1d, l2, l3;          /* caches in bytes; 0 unknown */
    size_t cores, threads;       /* processors this process may use; threads a call uses */
    unsigned dump;               /* JITK_DUMP in force */
    size_t cached, cached_bytes; /* sources that jitk_eval keeps */
    size_t uncached;             /* calls that compiled, ran and freed, since the cache was full */
} jitk_info_t;

typedef struct jitk_kernel jitk_kernel;
typedef struct jitk_ast jitk_ast;
typedef void (*jitk_fn)(void);

JITK_API const char *jitk_version(void) JK_AS(jitk_version);
JITK_API jitk_kernel *jitk_compile(const char *source, const jitk_options *options, jitk_error *error)
    JK_AS(jitk_compile);
JITK_API jitk_status jitk_callv(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[])
    JK_AS(jitk_callv);
JITK_API jitk_status jitk_call_strided(const jitk_kernel *kernel, size_t n, size_t nargs, const void *const args[],
                                       const ptrdiff_t strides[]) JK_AS(jitk_call_strided);
JITK_API void jitk_free(jitk_kernel *kernel) JK_AS(jitk_free);
JITK_API const jitk_error *jitk_last_error(void) JK_AS(jitk_last_error);
JITK_API void jitk_error_print(const jitk_error *error, const char *source, FILE *out) JK_AS(jitk_error_print);
JITK_API size_t jitk_arg_count(const jitk_kernel *kernel) JK_AS(jitk_arg_count);
JITK_API jitk_status jitk_arg(const jitk_kernel *kernel, size_t i, jitk_arg_info *info) JK_AS(jitk_arg);

JITK_API jitk_status jitk_evalv(const char *source, const jitk_options *options, size_t n, size_t nargs,
                                const void *const args[], jitk_error *error) JK_AS(jitk_evalv);
JITK_API void jitk_cache_clear(void) JK_AS(jitk_cache_clear);

JITK_API jitk_fn jitk_function(const char *source, const jitk_options *options, size_t *arity, jitk_error *error)
    JK_AS(jitk_function);
JITK_API void jitk_function_free(jitk_fn function) JK_AS(jitk_function_free);

JITK_API jitk_status jitk_dump(const jitk_kernel *kernel, unsigned what, FILE *out) JK_AS(jitk_dump);
JITK_API void jitk_info(jitk_info_t *info) JK_AS(jitk_info);

/* What jitk_call and jitk_eval make of an argument: its bits and a tag. The tag is the element's type, JK_TAG_VOID for
 * an unchecked pointer, with JK_TAG_CONST where it points to const and JK_TAG_NUMBER for a value; numbers come as the
 * widest type of their kind, JK_TAG_LONG_DOUBLE as mantissa and sign and exponent. */
enum { JK_TAG_VOID = 5, JK_TAG_U64 = 6, JK_TAG_LONG_DOUBLE = 7, JK_TAG_TYPE = 7, JK_TAG_CONST = 8, JK_TAG_NUMBER = 16 };
typedef struct jk_tagged {
    union jk_tagged_value {
        const void *pointer;
        double f64;
        long long i64;
        unsigned long long u64;
    } value;
    unsigned tag, exponent;
} jk_tagged;

JITK_API jitk_status jk_call_tagged(const jitk_kernel *kernel, size_t n, size_t nargs, const jk_tagged *args)
    JK_AS(jk_call_tagged);
JITK_API jitk_status jk_eval_tagged(const char *source, size_t n, size_t nargs, const jk_tagged *args)
    JK_AS(jk_eval_tagged);

#ifdef __cplusplus
}
#endif

static inline jk_tagged jk_tag_pointer(const void *p, unsigned tag)
{
    jk_tagged t;
    t.value.pointer = p;
    t.tag = tag;
    t.exponent = 0;
    return t;
}
static inline jk_tagged jk_tag_float(double x)
{
    jk_tagged t;
    t.value.f64 = x;
    t.tag = (unsigned)JITK_F64 | JK_TAG_NUMBER;
    t.exponent = 0;
    return t;
}
static inline jk_tagged jk_tag_signed(long long x)
{
    jk_tagged t;
    t.value.i64 = x;
    t.tag = (unsigned)JITK_I64 | JK_TAG_NUMBER;
    t.exponent = 0;
    return t;
}
static inline jk_tagged jk_tag_unsigned(unsigned long long x)
{
    jk_tagged t;
    t.value.u64 = x;
    t.tag = JK_TAG_U64 | JK_TAG_NUMBER;
    t.exponent = 0;
    return t;
}
/* An x87 number goes as its bits: arithmetic here would be in the caller's mode and with the caller's flags. */
static inline jk_tagged jk_tag_long_double(long double x)
{
#if defined(__x86_64__) && __LDBL_MANT_DIG__ == 64
    jk_tagged t;
    unsigned short exponent;
    memcpy(&t.value.u64, &x, 8);
    memcpy(&exponent, (const char *)&x + 8, 2);
    t.tag = JK_TAG_LONG_DOUBLE | JK_TAG_NUMBER;
    t.exponent = exponent;
    return t;
#else
    return jk_tag_float((double)x);
#endif
}

#ifdef __cplusplus
extern "C++" {
template <class jk_T> struct jk_element; /* what a pointer may point to */
#define JK_ELEMENT(jk_T, tag)                                       \
    template <> struct jk_element<jk_T> {                           \
        enum { value = static_cast<unsigned>(tag) };                \
    };                                                              \
    template <> struct jk_element<const jk_T> {                     \
        enum { value = static_cast<unsigned>(tag) | JK_TAG_CONST }; \
    };
JK_ELEMENT(double, JITK_F64)
JK_ELEMENT(float, JITK_F32)
JK_ELEMENT(long, sizeof(long) == 8 ? JITK_I64 : JITK_I32)
JK_ELEMENT(long long, JITK_I64)
JK_ELEMENT(int, JITK_I32)
JK_ELEMENT(unsigned char, JITK_U8)
JK_ELEMENT(void, JK_TAG_VOID)
#undef JK_ELEMENT

template <class jk_T> static inline jk_tagged jk_tag(jk_T *p)
{
    return jk_tag_pointer(p, static_cast<unsigned>(jk_element<jk_T>::value));
}
static inline jk_tagged jk_tag(decltype(nullptr))
{
    return jk_tag_pointer(nullptr, JK_TAG_VOID);
}
#define JK_NUMBER(jk_T, how)               \
    static inline jk_tagged jk_tag(jk_T x) \
    {                                      \
        return how(x);                     \
    }
JK_NUMBER(bool, jk_tag_signed)
JK_NUMBER(char, jk_tag_signed)
JK_NUMBER(signed char, jk_tag_signed)
JK_NUMBER(unsigned char, jk_tag_signed)
JK_NUMBER(short, jk_tag_signed)
JK_NUMBER(unsigned short, jk_tag_signed)
JK_NUMBER(int, jk_tag_signed)
JK_NUMBER(unsigned, jk_tag_unsigned)
JK_NUMBER(long, jk_tag_signed)
JK_NUMBER(unsigned long, jk_tag_unsigned)
JK_NUMBER(long long, jk_tag_signed)
JK_NUMBER(unsigned long long, jk_tag_unsigned)
JK_NUMBER(float, jk_tag_float)
JK_NUMBER(double, jk_tag_float)
JK_NUMBER(long double, jk_tag_long_double)
#undef JK_NUMBER

template <class jk_N, class... jk_A>
static inline jitk_status jitk_call(const jitk_kernel *kernel, jk_N n, jk_A... args)
{
    const jk_tagged tagged[sizeof...(jk_A) + 1] = {jk_tag(args)..., jk_tagged()};
    return jk_call_tagged(kernel, static_cast<size_t>(n), sizeof...(jk_A), tagged);
}
template <class jk_N, class... jk_A> static inline jitk_status jitk_eval(const char *source, jk_N n, jk_A... args)
{
    const jk_tagged tagged[sizeof...(jk_A) + 1] = {jk_tag(args)..., jk_tagged()};
    return jk_eval_tagged(source, static_cast<size_t>(n), sizeof...(jk_A), tagged);
}
}
#else
/* One function for each tag, since _Generic chooses a function and all its choices must compile. */
#define JK_POINTER(name, type, tag)                            \
    static inline jk_tagged jk_tag_##name(type *p)             \
    {                                                          \
        return jk_tag_pointer(p, tag);                         \
    }                                                          \
    static inline jk_tagged jk_tag_const_##name(const type *p) \
    {                                                          \
        return jk_tag_pointer(p, (tag) | JK_TAG_CONST);        \
    }
JK_POINTER(f64, double, JITK_F64)
JK_POINTER(f32, float, JITK_F32)
JK_POINTER(long, long, sizeof(long) == 8 ? JITK_I64 : JITK_I32)
JK_POINTER(i64, long long, JITK_I64)
JK_POINTER(i32, int, JITK_I32)
JK_POINTER(u8, unsigned char, JITK_U8)
JK_POINTER(void, void, JK_TAG_VOID)
#undef JK_POINTER

/* clang-format off */
#define JK_TAG(x) _Generic((x), \
    double *: jk_tag_f64, const double *: jk_tag_const_f64, float *: jk_tag_f32, const float *: jk_tag_const_f32, \
    long *: jk_tag_long, const long *: jk_tag_const_long, long long *: jk_tag_i64, const long long *: jk_tag_const_i64, \
    int *: jk_tag_i32, const int *: jk_tag_const_i32, unsigned char *: jk_tag_u8, const unsigned char *: jk_tag_const_u8, \
    void *: jk_tag_void, const void *: jk_tag_const_void, \
    float: jk_tag_float, double: jk_tag_float, long double: jk_tag_long_double, \
    unsigned: jk_tag_unsigned, unsigned long: jk_tag_unsigned, unsigned long long: jk_tag_unsigned, \
    _Bool: jk_tag_signed, char: jk_tag_signed, signed char: jk_tag_signed, unsigned char: jk_tag_signed, \
    short: jk_tag_signed, unsigned short: jk_tag_signed, int: jk_tag_signed, long: jk_tag_signed, \
    long long: jk_tag_signed)(x)

#define JK_COUNT(...) JK_COUNT_(__VA_ARGS__, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, \
    15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define JK_COUNT_(a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20, a21, a22, \
    a23, a24, a25, a26, a27, a28, a29, a30, a31, a32, a33, count, ...) count
#define JK_MANY(...) JK_COUNT_(__VA_ARGS__, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, \
    2, 2, 2, 2, 2, 2, 2, 1, 0)
#define JK_T1(x) JK_TAG(x)
#define JK_T2(x, ...) JK_TAG(x), JK_T1(__VA_ARGS__)
#define JK_T3(x, ...) JK_TAG(x), JK_T2(__VA_ARGS__)
#define JK_T4(x, ...) JK_TAG(x), JK_T3(__VA_ARGS__)
#define JK_T5(x, ...) JK_TAG(x), JK_T4(__VA_ARGS__)
#define JK_T6(x, ...) JK_TAG(x), JK_T5(__VA_ARGS__)
#define JK_T7(x, ...) JK_TAG(x), JK_T6(__VA_ARGS__)
#define JK_T8(x, ...) JK_TAG(x), JK_T7(__VA_ARGS__)
#define JK_T9(x, ...) JK_TAG(x), JK_T8(__VA_ARGS__)
#define JK_T10(x, ...) JK_TAG(x), JK_T9(__VA_ARGS__)
#define JK_T11(x, ...) JK_TAG(x), JK_T10(__VA_ARGS__)
#define JK_T12(x, ...) JK_TAG(x), JK_T11(__VA_ARGS__)
#define JK_T13(x, ...) JK_TAG(x), JK_T12(__VA_ARGS__)
#define JK_T14(x, ...) JK_TAG(x), JK_T13(__VA_ARGS__)
#define JK_T15(x, ...) JK_TAG(x), JK_T14(__VA_ARGS__)
#define JK_T16(x, ...) JK_TAG(x), JK_T15(__VA_ARGS__)
#define JK_T17(x, ...) JK_TAG(x), JK_T16(__VA_ARGS__)
#define JK_T18(x, ...) JK_TAG(x), JK_T17(__VA_ARGS__)
#define JK_T19(x, ...) JK_TAG(x), JK_T18(__VA_ARGS__)
#define JK_T20(x, ...) JK_TAG(x), JK_T19(__VA_ARGS__)
#define JK_T21(x, ...) JK_TAG(x), JK_T20(__VA_ARGS__)
#define JK_T22(x, ...) JK_TAG(x), JK_T21(__VA_ARGS__)
#define JK_T23(x, ...) JK_TAG(x), JK_T22(__VA_ARGS__)
#define JK_T24(x, ...) JK_TAG(x), JK_T23(__VA_ARGS__)
#define JK_T25(x, ...) JK_TAG(x), JK_T24(__VA_ARGS__)
#define JK_T26(x, ...) JK_TAG(x), JK_T25(__VA_ARGS__)
#define JK_T27(x, ...) JK_TAG(x), JK_T26(__VA_ARGS__)
#define JK_T28(x, ...) JK_TAG(x), JK_T27(__VA_ARGS__)
#define JK_T29(x, ...) JK_TAG(x), JK_T28(__VA_ARGS__)
#define JK_T30(x, ...) JK_TAG(x), JK_T29(__VA_ARGS__)
#define JK_T31(x, ...) JK_TAG(x), JK_T30(__VA_ARGS__)
#define JK_T32(x, ...) JK_TAG(x), JK_T31(__VA_ARGS__)

/* ... is n and the arguments: ISO C wants at least one there. JK_MANY is 1 for n alone, else 2: digits, which no macro
 * of the program can replace. */
#define jitk_call(kernel, ...) JK_JOIN(JK_PASS_, JK_MANY(__VA_ARGS__))(jk_call_tagged, kernel, __VA_ARGS__)
#define jitk_eval(source, ...) JK_JOIN(JK_PASS_, JK_MANY(__VA_ARGS__))(jk_eval_tagged, source, __VA_ARGS__)
#define JK_PASS_1(function, what, n) function(what, (size_t)(n), 0, NULL)
#define JK_PASS_2(function, what, n, ...) function(what, (size_t)(n), JK_COUNT(__VA_ARGS__), \
    (const jk_tagged[JK_COUNT(__VA_ARGS__)]){JK_JOIN(JK_T, JK_COUNT(__VA_ARGS__))(__VA_ARGS__)})
/* clang-format on */
#endif
#endif
