/* cpu: CPUID and XGETBV. A level counts only where the system saves its registers (XCR0), and only as a whole: a
 * hypervisor may hide single features. */
#include "cpu.h"

JK_SMALL_OPEN

static const char *const jk_isa_names[] = {
#define JK_ROW(NAME, text) text,
    JK_ISAS(JK_ROW)
#undef JK_ROW
};

JK_FUNC const char *jk_isa_name(jitk_isa isa)
{
    return jk_isa_names[isa];
}

JK_FUNC jitk_isa jk_isa_named(const char *name, size_t len)
{
    unsigned i;
    for (i = JITK_ISA_INTERP; name && i <= JITK_ISA_AVX512; i++)
        if (strlen(jk_isa_names[i]) == len && !memcmp(jk_isa_names[i], name, len))
            return (jitk_isa)i;
    return JITK_ISA_AUTO;
}

JK_FUNC bool jk_cpu_has(const jk_cpu *c, jitk_isa isa)
{
    return isa <= JITK_ISA_INTERP || (isa == JITK_ISA_AVX512 ? c->avx512 : isa == JITK_ISA_AVX2 ? c->avx2 : c->x86_64);
}

JK_FUNC jitk_isa jk_cpu_best(const jk_cpu *c)
{
    return c->avx512 ? JITK_ISA_AVX512 : c->avx2 ? JITK_ISA_AVX2 : c->x86_64 ? JITK_ISA_SSE2 : JITK_ISA_INTERP;
}

#if JK_NATIVE
typedef struct jk_cpuid {
    uint32_t a, b, c, d;
} jk_cpuid;

JK_FUNC jk_cpuid jk_cpuid_leaf(uint32_t leaf, uint32_t sub)
{
    jk_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
    return r;
}

JK_FUNC uint64_t jk_xgetbv(void)
{
    uint32_t lo, hi;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

JK_FUNC void jk_cpu_levels(jk_cpu *c, uint32_t max_leaf)
{
    const uint32_t fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28;            /* leaf 1, ecx */
    const uint32_t avx2 = 1u << 5, bmi2 = 1u << 8;                                /* leaf 7, ebx */
    const uint32_t avx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31; /* F DQ CD BW VL */
    const uint64_t ymm = 0x06, zmm = 0xe6; /* XCR0: xmm and ymm; and k, upper zmm, zmm16 to 31 */
    jk_cpuid one = jk_cpuid_leaf(1, 0), seven;
    uint64_t saved;
    if (max_leaf < 7 || !(one.c & osxsave))
        return;
    saved = jk_xgetbv();
    seven = jk_cpuid_leaf(7, 0);
    c->avx2 = (one.c & (fma | avx)) == (fma | avx) && (seven.b & avx2) && (saved & ymm) == ymm;
    /* Every processor with AVX-512 has BMI2, whose bzhi makes the masks of tails. */
    c->avx512 = c->avx2 && (seven.b & (avx512 | bmi2)) == (avx512 | bmi2) && (saved & zmm) == zmm;
}

/* Leaf 4 and AMD's 0x8000001D have one form: a cache for each subleaf until type 0. */
JK_FUNC void jk_cpu_caches(jk_cpu *c, uint32_t leaf)
{
    uint32_t i;
    for (i = 0; i < 16; i++) {
        jk_cpuid r = jk_cpuid_leaf(leaf, i);
        uint32_t type = r.a & 31, level = r.a >> 5 & 7;
        size_t bytes = (size_t)((r.b >> 22) + 1) * ((r.b >> 12 & 1023) + 1) * ((r.b & 4095) + 1) * ((size_t)r.c + 1);
        if (type == 0)
            break;
        if (level == 1 && type == 1)
            c->l1d = bytes;
        else if (level == 2)
            c->l2 = bytes;
        else if (level == 3)
            c->l3 = bytes;
    }
}

JK_FUNC void jk_cpu_brand(char out[64])
{
    char text[49];
    uint32_t i;
    size_t from = 0, to;
    for (i = 0; i < 3; i++) {
        jk_cpuid r = jk_cpuid_leaf(0x80000002u + i, 0);
        memcpy(text + 16 * i, &r, 16);
    }
    text[48] = 0;
    while (text[from] == ' ')
        from++;
    to = strlen(text);
    while (to > from && text[to - 1] == ' ')
        to--;
    memcpy(out, text + from, to - from);
    out[to - from] = 0;
}
#endif

JK_FUNC void jk_cpu_detect(jk_cpu *c)
{
    memset(c, 0, sizeof *c);
#if JK_NATIVE
    {
        uint32_t max_leaf = jk_cpuid_leaf(0, 0).a, max_extended = jk_cpuid_leaf(0x80000000u, 0).a;
        bool topology = max_extended >= 0x8000001du && (jk_cpuid_leaf(0x80000001u, 0).c >> 22 & 1);
        c->x86_64 = true;
        jk_cpu_levels(c, max_leaf);
        if (topology)
            jk_cpu_caches(c, 0x8000001du);
        else if (max_leaf >= 4)
            jk_cpu_caches(c, 4);
        if (max_extended >= 0x80000004u)
            jk_cpu_brand(c->brand);
    }
#endif
}

JK_SMALL_CLOSE
