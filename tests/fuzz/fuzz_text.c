/* libFuzzer on the text: whatever compiles must give the interpreter's bits on every instruction set, whatever does not
 * must say where, within the text. The first byte chooses type and length, the rest is the text.
 *
 *   clang -g -O1 -fsanitize=fuzzer,address,undefined -I BUILD/generated tests/fuzz/fuzz_text.c -o fuzz-text -lm
 * -lpthread
 *   ./fuzz-text -dict=tests/fuzz/jitk.dict -max_len=4096 CORPUS
 *
 * With -DFUZZ_MAIN it is a program that runs the files it is given, and with -DJK_TEST_HEADER it takes jitk.h. */
#ifdef JK_TEST_HEADER
#include "../../jitk.h"
#else
#include "../../src/all.h"
#endif
#include <stdlib.h>
#include <string.h>

#define FUZZ_ARGS 40
#define FUZZ_N 67

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An unexpected state: the fuzzer keeps the input. */
static void fuzz_fail(const char *why, const char *text)
{
    fprintf(stderr, "%s: %s\n", why, text);
    abort();
}

static void fuzz_check_error(const jitk_error *e, const char *text)
{
    size_t lines = 1, longest = 0, at = 0;
    for (const char *p = text; *p; p++) {
        at = *p == '\n' ? 0 : at + 1;
        longest = at > longest ? at : longest;
        lines += *p == '\n';
    }
    if (e->status == JITK_OK || !e->message[0] || !memchr(e->message, 0, sizeof e->message))
        fuzz_fail("an error without a message", text);
    if (e->line > lines || e->column > longest + 1 || e->length > strlen(text) + 1)
        fuzz_fail("an error beyond the text", text);
}

static size_t fuzz_bytes(jitk_type t)
{
    return t == JITK_U8 ? 1 : t == JITK_F32 || t == JITK_I32 ? 4 : 8;
}

/* Bits equal, or both NaN. */
static int fuzz_same(jitk_type t, const unsigned char *a, const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t u = 0, v = 0, inf = t == JITK_F64 ? 0x7ff0000000000000u : t == JITK_F32 ? 0x7f800000u : UINT64_MAX / 2;
        uint64_t magnitude = t == JITK_F64 ? UINT64_MAX >> 1 : t == JITK_F32 ? UINT32_MAX >> 1 : 0;
        memcpy(&u, a + i * fuzz_bytes(t), fuzz_bytes(t)); /* little-endian: the low bytes */
        memcpy(&v, b + i * fuzz_bytes(t), fuzz_bytes(t));
        if (u != v && !((u & magnitude) > inf && (v & magnitude) > inf))
            return 0;
    }
    return 1;
}

/* Inputs of every argument: bytes that make all kinds of numbers. */
static void fuzz_fill(unsigned char *p, size_t nbytes, size_t which)
{
    uint64_t z = 88172645463325252u + which;
    for (size_t i = 0; i < nbytes; i++) {
        z ^= z << 13;
        z ^= z >> 7;
        z ^= z << 17;
        p[i] = (unsigned char)(i % 8 == 7 ? ((z & 1) ? 0x3f : z >> 8) : z >> 24);
    }
}

static void fuzz_run(const jitk_kernel *k, size_t n, unsigned char (*buffer)[8 * FUZZ_N], const char *text)
{
    const void *args[FUZZ_ARGS];
    size_t nargs = jitk_arg_count(k);
    for (size_t i = 0; i < nargs; i++)
        args[i] = buffer[i];
    if (jitk_callv(k, n, nargs, args) != JITK_OK)
        fuzz_fail("the call fails", text);
}

static void fuzz_isa(const char *text, jitk_options *o, size_t n, const jitk_kernel *reference,
                     unsigned char (*want)[8 * FUZZ_N])
{
    static unsigned char have[FUZZ_ARGS][8 * FUZZ_N];
    jitk_error e;
    jitk_kernel *k = jitk_compile(text, o, &e);
    size_t nargs = jitk_arg_count(reference);
    if (!k && e.status == JITK_ERR_UNSUPPORTED && strstr(e.message, jk_isa_name(o->isa)))
        return; /* not on this CPU */
    if (!k || jitk_arg_count(k) != nargs)
        fuzz_fail(k ? "another signature" : e.message, text);
    for (size_t i = 0; i < nargs; i++)
        fuzz_fill(have[i], sizeof have[i], i);
    fuzz_run(k, n, have, text);
    for (size_t i = 0; i < nargs; i++) {
        jitk_arg_info info;
        jitk_arg(k, i, &info);
        if (info.is_result && !fuzz_same(info.type, want[i], have[i], info.is_array ? n : 1))
            fuzz_fail(jk_isa_name(o->isa), text);
    }
    jitk_free(k);
}

static void fuzz_text(const char *text, jitk_type type, size_t n)
{
    static unsigned char want[FUZZ_ARGS][8 * FUZZ_N];
    jitk_options o;
    jitk_error e;
    size_t arity;
    memset(&o, 0, sizeof o);
    o.type = type;
    o.isa = JITK_ISA_INTERP;
    jitk_kernel *k = jitk_compile(text, &o, &e);
    if (!k)
        fuzz_check_error(&e, text);
    if (k && jitk_arg_count(k) <= FUZZ_ARGS) {
        for (size_t i = 0; i < FUZZ_ARGS; i++)
            fuzz_fill(want[i], sizeof want[i], i);
        fuzz_run(k, n, want, text);
        for (int isa = JITK_ISA_SCALAR; isa <= JITK_ISA_AVX512; isa++) {
            o.isa = (jitk_isa)isa;
            fuzz_isa(text, &o, n, k, want);
        }
    }
    jitk_free(k);
    o.isa = JITK_ISA_AUTO;
    jitk_fn f = jitk_function(text, &o, &arity, &e);
    if (!f)
        fuzz_check_error(&e, text);
    jitk_function_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = (char *)malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = 0;
    fuzz_text(text, data[0] & 1 ? JITK_F32 : JITK_F64, (data[0] >> 1) % FUZZ_N);
    free(text);
    return 0;
}

#ifdef FUZZ_MAIN
int main(int argc, char **argv)
{
    static uint8_t data[1 << 20];
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f)
            return 1;
        size_t size = fread(data, 1, sizeof data, f);
        fclose(f);
        LLVMFuzzerTestOneInput(data, size);
    }
    return 0;
}
#endif
