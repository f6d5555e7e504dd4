/* cpu: what CPUID and XGETBV say, and the list of instruction-set levels. */
#ifndef JK_CPU_H
#define JK_CPU_H
#include "base.h"

/* One row a level, best last: enum, the name of JITK_ISA and jitk_info. */
#define JK_ISAS(X) \
    X(AUTO, "auto") X(INTERP, "interp") X(SCALAR, "scalar") X(SSE2, "sse2") X(AVX2, "avx2") X(AVX512, "avx512")

/* Where machine code can be made at all. */
#if defined(__x86_64__) && defined(__LP64__) && defined(__linux__)
#define JK_NATIVE 1
#else
#define JK_NATIVE 0
#endif

typedef struct jk_cpu {
    unsigned isas;   /* a bit each, as design.md defines them: AVX2 and FMA; F VL DQ BW CD; as XGETBV allows */
    size_t cache[3]; /* L1 (data) to L3 in bytes; 0 unknown */
    char brand[64];
} jk_cpu;

JK_FUNC void jk_cpu_detect(jk_cpu *c);
JK_FUNC jitk_isa jk_cpu_best(const jk_cpu *c); /* INTERP where no code can be made */
JK_FUNC bool jk_cpu_has(const jk_cpu *c, jitk_isa isa);
JK_FUNC const char *jk_isa_name(jitk_isa isa);
/* The level of that name; AUTO for NULL and for an unknown one. */
JK_FUNC jitk_isa jk_isa_named(const char *name);
#endif
