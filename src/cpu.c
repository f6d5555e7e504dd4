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

JK_FUNC jitk_isa jk_isa_named(const char *name)
{
    unsigned i = JITK_ISA_AVX512;
    while (name && i > JITK_ISA_AUTO && strcmp(jk_isa_names[i], name) != 0)
        i--;
    return name ? (jitk_isa)i : JITK_ISA_AUTO;
}

JK_FUNC bool jk_cpu_has(const jk_cpu *c, jitk_isa isa)
{
    return c->isas >> isa & 1;
}

JK_FUNC jitk_isa jk_cpu_best(const jk_cpu *c)
{
    return (jitk_isa)(31 - __builtin_clz(c->isas));
}

#if JK_NATIVE
enum { JK_EAX, JK_EBX, JK_ECX, JK_EDX };

JK_NOINLINE void jk_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[JK_EAX]), "=b"(r[JK_EBX]), "=c"(r[JK_ECX]), "=d"(r[JK_EDX])
                     : "a"(leaf), "c"(sub));
}

/* Without XGETBV: no registers beyond xmm. */
JK_FUNC uint32_t jk_cpu_saved(bool xgetbv)
{
    uint32_t low = 0, high;
    if (xgetbv)
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

JK_FUNC unsigned jk_cpu_levels(uint32_t max_leaf)
{
    /* leaf 1 ecx: FMA OSXSAVE AVX; leaf 7 ebx: AVX2, then besides BMI2 (whose bzhi makes the masks of tails; every
     * processor with AVX-512 has it) F DQ CD BW VL; XCR0: xmm and ymm, then k, upper zmm, zmm16 to 31 */
    static const uint32_t needs[2][3] = {{1u << 12 | 1u << 27 | 1u << 28, 1u << 5, 0x06},
                                         {0, 1u << 8 | 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31, 0xe6}};
    uint32_t has[3], r[4];
    unsigned isas = 1u << JITK_ISA_SCALAR | 1u << JITK_ISA_SSE2, i, k;
    if (max_leaf < 7)
        return isas;
    jk_cpuid(1, 0, r);
    has[0] = r[JK_ECX];
    jk_cpuid(7, 0, r);
    has[1] = r[JK_EBX];
    has[2] = jk_cpu_saved(has[0] >> 27 & 1);
    for (i = 0; i < 2; i++) {
        for (k = 0; k < 3; k++)
            if (needs[i][k] & ~has[k])
                return isas;
        isas |= 1u << (JITK_ISA_AVX2 + i);
    }
    return isas;
}

/* Leaf 4 and AMD's 0x8000001D have one form: a cache for each subleaf until type 0. */
JK_FUNC void jk_cpu_caches(jk_cpu *c, uint32_t leaf)
{
    uint32_t r[4], i, level;
    for (i = 0; i < 16; i++) {
        jk_cpuid(leaf, i, r);
        if (!(r[JK_EAX] & 31))
            break;
        level = r[JK_EAX] >> 5 & 7;
        if ((r[JK_EAX] & 31) != 2 && level - 1 < 3) /* 2: instructions */
            c->cache[level - 1] = (size_t)((r[JK_EBX] >> 22) + 1) * ((r[JK_EBX] >> 12 & 1023) + 1) *
                                  ((r[JK_EBX] & 4095) + 1) * (r[JK_ECX] + 1);
    }
}

JK_FUNC void jk_cpu_brand(char out[64])
{
    uint32_t words[13], i;
    const char *from = (const char *)words;
    size_t n;
    for (i = 0; i < 3; i++)
        jk_cpuid(0x80000002u + i, 0, words + 4 * i);
    words[12] = 0;
    while (*from == ' ')
        from++;
    n = strlen(from);
    while (n && from[n - 1] == ' ')
        n--;
    memcpy(out, from, n);
}
#endif

JK_FUNC void jk_cpu_detect(jk_cpu *c)
{
    memset(c, 0, sizeof *c);
    c->isas = 1u << JITK_ISA_AUTO | 1u << JITK_ISA_INTERP;
#if JK_NATIVE
    {
        uint32_t plain[4], extended[4], features[4];
        jk_cpuid(0, 0, plain);
        jk_cpuid(0x80000000u, 0, extended);
        jk_cpuid(0x80000001u, 0, features);
        c->isas |= jk_cpu_levels(plain[JK_EAX]);
        if (extended[JK_EAX] >= 0x8000001du && (features[JK_ECX] >> 22 & 1))
            jk_cpu_caches(c, 0x8000001du);
        else if (plain[JK_EAX] >= 4)
            jk_cpu_caches(c, 4);
        if (extended[JK_EAX] >= 0x80000004u)
            jk_cpu_brand(c->brand);
    }
#endif
}

JK_SMALL_CLOSE
