/* Prints a hash of each result of some kernels in the interpreter, and what argmin gives: on 32 bits, where gcc
 * computes in the x87's registers unless told otherwise, they must be what they are on 64 (tools/check-32-bit). */
#include "jitk.h"

enum { N = 1003 };
static double x64[3][N], out64[N];
static float x32[3][N], out32[N];

static void fill(void)
{
    uint32_t s = 1;
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < N; j++) {
            s = s * 1664525u + 1013904223u;
            x64[i][j] = ((double)(s >> 8) - 8388608) * 0x1p-20; /* exact in both types and in any register */
            x32[i][j] = (float)x64[i][j];
        }
}

static void show(const char *text, jitk_type type)
{
    jitk_options o;
    jitk_error e;
    const void *args[4];
    const unsigned char *p = type == JITK_F32 ? (const unsigned char *)out32 : (const unsigned char *)out64;
    uint32_t hash = 5381;
    memset(&o, 0, sizeof o);
    o.type = type;
    o.isa = JITK_ISA_INTERP;
    jitk_kernel *k = jitk_compile(text, &o, &e);
    for (size_t i = 0; k && i < jitk_arg_count(k); i++) {
        jitk_arg_info a;
        jitk_arg(k, i, &a);
        if (a.is_result)
            args[i] = p;
        else
            args[i] = type == JITK_F32 ? (const void *)x32[a.name[0] - 'a'] : (const void *)x64[a.name[0] - 'a'];
    }
    memset(out32, 0, sizeof out32);
    memset(out64, 0, sizeof out64);
    if (!k || jitk_callv(k, N, jitk_arg_count(k), args) != JITK_OK)
        printf("%s: %s\n", text, k ? jitk_last_error()->message : e.message);
    for (size_t i = 0; i < (type == JITK_F32 ? sizeof out32 : sizeof out64); i++)
        hash = hash * 33 + p[i];
    printf("%s: %08lx\n", text, (unsigned long)hash);
    jitk_free(k);
}

int main(void)
{
    static const char *const texts[] = {"a*b+c",
                                        "(a-b)/(a+b)",
                                        "a^13",
                                        "0.1*a^3 + 0.7*a^2 - 1.5*a - 2",
                                        "sqrt(abs(a))/b",
                                        "a % b",
                                        "fma(a, b, c)",
                                        "round(a*10)/3",
                                        "a > b ? min(a, c) : -b",
                                        "(a[], b[], c[]) = sum(a*b)/sum(c*c)",
                                        "(a[], b[]) = prod(1 + a/1000) + mean(b) + max(a)"};
    fill();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        show(texts[i], JITK_F64);
        show(texts[i], JITK_F32);
    }
    printf("%ld %ld %ld\n", (long)jitk_argmin(x64[0], 0), (long)jitk_argmin(x64[0], N), (long)jitk_argmax(x32[0], N));
    return 0;
}
