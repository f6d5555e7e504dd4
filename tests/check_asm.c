/* check_asm: every encoding of the assembler against Zydis, an independent decoder: mnemonic, operands, sizes,
 * displacements, masks, broadcasts, length, features; and the listing's text against Zydis' formatter. What is expected
 * comes from enc/spec.h and from the arguments of the call. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE
#endif
#include <stddef.h>

static void *asm_malloc(size_t nbytes);
#define JK_MALLOC asm_malloc
#define JK_FREE free
#ifndef JK_DEBUG
#define JK_DEBUG
#endif
#include "suites.h"
#include "enc/vectors.h"
#include <sys/mman.h>

static int asm_mallocs_left = -1; /* -1: no limit */
static void *asm_malloc(size_t nbytes)
{
    if (asm_mallocs_left == 0)
        return NULL;
    if (asm_mallocs_left > 0)
        asm_mallocs_left--;
    return malloc(nbytes);
}

/* ---- mask rows ---- */

static ZydisRegister enc_k(unsigned n)
{
    return (ZydisRegister)(ZYDIS_REGISTER_K0 + (int)n);
}

START_TEST(every_mask_row)
{
    static const struct {
        int inst;
        const char *name;
        int operands;
    } rows[] = {{JK_K_KAND, "kandw", 3},   {JK_K_KANDN, "kandnw", 3},    {JK_K_KOR, "korw", 3},
                {JK_K_KXNOR, "kxnorw", 3}, {JK_K_KXOR, "kxorw", 3},      {JK_K_KNOT, "knotw", 2},
                {JK_K_KMOV, "kmovw", 2},   {JK_K_KORTEST, "kortestw", 0}};
    size_t row;
    unsigned d, a, b;
    enc_case c;
    for (row = 0; row < sizeof rows / sizeof rows[0] && rows[row].inst != _i; row++)
        ;
    ck_assert(row < sizeof rows / sizeof rows[0]);
    for (d = 0; d < 8; d++)
        for (a = 0; a < 8; a++) {
            b = (3 * d + 5 * a) & 7;
            enc_begin(&c, JK_ENC_EVEX);
            c.name = rows[row].name;
            if (rows[row].operands)
                enc_reg(&c, enc_k(d));
            enc_reg(&c, enc_k(a));
            if (rows[row].operands != 2)
                enc_reg(&c, enc_k(b));
            jk_asm_k(&c.as, (jk_inst)_i, rows[row].operands ? d : a, a, rows[row].operands == 2 ? a : b);
            enc_check(&c);
        }
}
END_TEST

static void asm_kload(jk_asm *as, unsigned k, jk_opnd from)
{
    jk_vt vt = {0, 16, 0, 0};
    jk_asm_v(as, from.kind == JK_OPND_REG ? JK_K_KMOV_KR : JK_K_KMOV, vt, k, 0, from, 0);
}

static void asm_kstore(jk_asm *as, jk_opnd to, unsigned k)
{
    jk_vt vt = {0, 16, 0, 0};
    if (to.kind == JK_OPND_REG)
        jk_asm_k(as, JK_K_KMOV_RK, to.reg, 0, k);
    else
        enc_store(as, JK_K_KMOV, vt, to, k, 0);
}

START_TEST(mask_moves)
{
    unsigned k;
    int n;
    for (k = 0; k < 8; k++)
        for (n = 0; n < ENC_MEMS + 16; n++) {
            jk_opnd o = n < ENC_MEMS ? enc_memory(n, 1) : enc_register((unsigned)(n - ENC_MEMS));
            enc_case c;
            enc_begin(&c, n & 1 ? JK_ENC_VEX : JK_ENC_EVEX);
            c.name = "kmovw";
            enc_reg(&c, enc_k(k));
            if (o.kind == JK_OPND_REG)
                enc_reg(&c, enc_gp(4, o.reg));
            else
                enc_mem(&c, o, 2);
            asm_kload(&c.as, k, o);
            enc_check(&c);
            enc_begin(&c, JK_ENC_EVEX);
            c.name = "kmovw";
            if (o.kind == JK_OPND_REG)
                enc_reg(&c, enc_gp(4, o.reg));
            else
                enc_mem(&c, o, 2);
            enc_reg(&c, enc_k(k));
            asm_kstore(&c.as, o, k);
            enc_check(&c);
        }
    for (k = 0; k < 64; k++) {
        enc_case c;
        enc_begin(&c, JK_ENC_EVEX);
        c.name = "kmovw";
        enc_reg(&c, enc_k(k >> 3));
        enc_reg(&c, enc_k(k & 7));
        jk_asm_k(&c.as, JK_K_KMOV, k >> 3, 0, k & 7);
        enc_check(&c);
    }
}
END_TEST

/* ---- general rows ---- */

static const int32_t enc_immediates[] = {0, 1, -1, 16, 127, -128, 128, -129, 0x7fffffff, -0x7fffffff - 1};
enum { ENC_IMMEDIATES = sizeof enc_immediates / sizeof enc_immediates[0], ENC_RMS = ENC_MEMS + 16 };

static jk_opnd enc_general_rm(int n)
{
    return n < ENC_MEMS ? enc_memory(n, 1) : enc_register((unsigned)(n - ENC_MEMS));
}

static void enc_try_load(const enc_general *g, unsigned w, unsigned reg, jk_opnd o)
{
    enc_case c;
    enc_begin(&c, JK_ENC_VEX);
    c.name = g->name;
    if (g->inst == JK_G_TEST) {
        enc_rm(&c, o, w);
        enc_reg(&c, enc_gp(w, reg));
        jk_asm_gstore(&c.as, (jk_inst)g->inst, w, o, reg); /* test has one form for both */
    } else {
        enc_reg(&c, enc_gp(w, reg));
        enc_rm(&c, o, w);
        jk_asm_g(&c.as, (jk_inst)g->inst, w, reg, o);
    }
    enc_check(&c);
}

static void enc_try_store(const enc_general *g, unsigned w, unsigned reg, jk_opnd o)
{
    enc_case c;
    enc_begin(&c, JK_ENC_LEGACY);
    c.name = g->name;
    enc_rm(&c, o, w);
    enc_reg(&c, enc_gp(w, reg));
    jk_asm_gstore(&c.as, (jk_inst)g->inst, w, o, reg);
    enc_check(&c);
}

static void enc_try_immediate(const enc_general *g, unsigned w, jk_opnd o, int32_t imm)
{
    bool mov = g->inst == JK_G_MOV && o.kind == JK_OPND_REG;
    enc_case c;
    enc_begin(&c, JK_ENC_LEGACY);
    c.name = g->name;
    enc_rm(&c, o, mov && imm >= 0 ? 4 : w); /* moves of small numbers need no REX.W */
    enc_imm(&c, imm);
    c.is_number = mov;
    jk_asm_gi(&c.as, (jk_inst)g->inst, w, o, imm);
    enc_check(&c);
}

static void enc_try_shift(const enc_general *g, unsigned w, unsigned reg)
{
    unsigned count;
    for (count = 0; count < 8 * w; count++) {
        enc_case c;
        enc_begin(&c, JK_ENC_LEGACY);
        c.name = g->name;
        enc_reg(&c, enc_gp(w, reg));
        enc_imm(&c, (int64_t)count);
        jk_asm_shift(&c.as, (jk_inst)g->inst, w, reg, count);
        enc_check(&c);
    }
}

START_TEST(every_general_row)
{
    const enc_general *g = NULL;
    size_t i;
    unsigned w, reg;
    int n, j;
    for (i = 0; i < sizeof enc_generals / sizeof enc_generals[0]; i++)
        if (enc_generals[i].inst == _i)
            g = &enc_generals[i];
    ck_assert_msg(g != NULL, "row %d has no line in enc/spec.h", _i);
    for (w = 4; w <= 8; w += 4)
        for (n = 0; n < ENC_RMS; n++) {
            jk_opnd o = enc_general_rm(n);
            reg = (unsigned)(5 * n + 3) % 16;
            if (strchr(g->forms, 'L'))
                enc_try_load(g, w, reg, o);
            if (strchr(g->forms, 'S'))
                enc_try_store(g, w, reg, o);
            for (j = 0; j < ENC_IMMEDIATES; j++)
                if (strchr(g->forms, 'I'))
                    enc_try_immediate(g, w, o, enc_immediates[j]);
            if (strchr(g->forms, 'H') && o.kind == JK_OPND_REG)
                enc_try_shift(g, w, o.reg);
        }
    ck_assert(enc_count > 0 || g->forms[0] == '*');
}
END_TEST

START_TEST(lea_and_cmov)
{
    char name[16];
    unsigned w, cc;
    int n;
    enc_case c;
    for (n = 0; n < ENC_MEMS; n++) {
        enc_begin(&c, JK_ENC_LEGACY);
        c.name = "lea";
        enc_reg(&c, enc_gp(8, (unsigned)n % 16));
        enc_mem(&c, enc_memory(n, 1), 8);
        jk_asm_lea(&c.as, (unsigned)n % 16, enc_memory(n, 1));
        enc_check(&c);
    }
    for (cc = 0; cc < 16; cc++)
        for (w = 4; w <= 8; w += 4)
            for (n = (int)cc; n < ENC_RMS; n += 3) {
                sprintf(name, "cmov%s", enc_conditions[cc]);
                enc_begin(&c, JK_ENC_LEGACY);
                c.name = name;
                enc_reg(&c, enc_gp(w, (unsigned)n % 16));
                enc_rm(&c, enc_general_rm(n), w);
                jk_asm_cmov(&c.as, (jk_cc)cc, w, (unsigned)n % 16, enc_general_rm(n));
                enc_check(&c);
            }
}
END_TEST

START_TEST(one_operand)
{
    static const struct {
        jk_inst inst;
        const char *name;
        unsigned w;
    } rows[] = {{JK_G_CALL, "call", 8}, {JK_G_JMP_TO, "jmp", 8}, {JK_G_STMXCSR, "stmxcsr", 4}};
    size_t i;
    unsigned n;
    enc_case c;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (n = 0; n < ENC_MEMS; n++) {
            enc_begin(&c, JK_ENC_LEGACY);
            c.name = rows[i].name;
            enc_mem(&c, enc_memory((int)n, 1), rows[i].w);
            jk_asm_one(&c.as, rows[i].inst, rows[i].w, enc_memory((int)n, 1));
            enc_check(&c);
        }
    for (n = 0; n < 32; n++) {
        i = n / 16;
        enc_begin(&c, JK_ENC_LEGACY);
        c.name = rows[i].name;
        enc_reg(&c, enc_gp(8, n % 16));
        jk_asm_one(&c.as, rows[i].inst, 8, enc_register(n % 16));
        enc_check(&c);
    }
}
END_TEST

START_TEST(moves_of_numbers)
{
    static const struct {
        uint64_t value;
        unsigned w;
        size_t nbytes; /* into a low register */
    } rows[] = {{0, 4, 5},
                {1, 4, 5},
                {0x7fffffff, 4, 5},
                {0xffffffff, 4, 5},
                {0x100000000, 8, 10},
                {0x7fffffffffffffff, 8, 10},
                {0x8000000000000000, 8, 10},
                {0xffffffff7fffffff, 8, 10},
                {0xffffffff80000000, 8, 7},
                {0xffffffffffffffff, 8, 7}};
    size_t i;
    unsigned reg;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (reg = 0; reg < 16; reg++) {
            ZydisDecodedInstruction in;
            const char *wrong;
            enc_case c;
            enc_begin(&c, JK_ENC_LEGACY);
            c.name = "mov";
            enc_reg(&c, enc_gp(rows[i].w, reg));
            enc_imm(&c, rows[i].w == 4 ? (int32_t)(uint32_t)rows[i].value : (int64_t)rows[i].value);
            c.is_number = true;
            jk_asm_mov64(&c.as, reg, rows[i].value);
            ck_assert_uint_eq(c.as.n, rows[i].nbytes + (reg > 7 && rows[i].w == 4));
            wrong = enc_wrong(&c, &in);
            ck_assert_msg(!wrong, "%s: %s", wrong, enc_message);
            enc_end(&c);
        }
}
END_TEST

START_TEST(stack_and_bzhi)
{
    static const char *const names[] = {"push", "pop"};
    unsigned reg, kind, w;
    enc_case c;
    for (reg = 0; reg < 16; reg++)
        for (kind = 0; kind < 2; kind++) {
            enc_begin(&c, JK_ENC_VEX);
            c.name = names[kind];
            enc_reg(&c, enc_gp(8, reg));
            if (kind == 0)
                jk_asm_push(&c.as, reg);
            else
                jk_asm_pop(&c.as, reg);
            enc_check(&c);
        }
    for (reg = 0; reg < 256; reg++)
        for (w = 4; w <= 8; w += 4) {
            enc_begin(&c, JK_ENC_VEX);
            c.name = "bzhi";
            enc_reg(&c, enc_gp(w, reg & 15));
            enc_reg(&c, enc_gp(w, reg >> 4));
            enc_reg(&c, enc_gp(w, (3 * reg + 1) & 15));
            jk_asm_bzhi(&c.as, w, reg & 15, reg >> 4, (3 * reg + 1) & 15);
            enc_check(&c);
        }
}
END_TEST

START_TEST(every_row_without_operands)
{
    static const char *const names[] = {"vzeroupper", "ret", "sfence", "endbr64", "nop", "ud2"};
    enc_case c;
    ck_assert_int_eq(JK_INST_COUNT - JK_G_END, (int)(sizeof names / sizeof names[0]));
    enc_begin(&c, JK_ENC_VEX);
    c.name = names[_i - JK_G_END];
    jk_asm_op(&c.as, (jk_inst)_i);
    enc_check(&c);
}
END_TEST

START_TEST(alignment_is_nops)
{
    size_t start, at;
    for (start = 0; start < 64; start++) {
        ZydisDecodedInstruction in;
        ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
        int count = 0;
        enc_case c;
        enc_begin(&c, JK_ENC_LEGACY);
        for (at = 0; at < start; at++)
            jk_asm_op(&c.as, JK_G_RET);
        jk_asm_align(&c.as, 64);
        ck_assert_uint_eq(c.as.n, start ? 64 : 0);
        for (at = start; at < c.as.n; at += in.length, count++) {
            ck_assert(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&enc_decoder, c.as.code + at, c.as.n - at, &in, ops)));
            ck_assert_int_eq(in.mnemonic, ZYDIS_MNEMONIC_NOP);
        }
        ck_assert_int_le(count, 7);
        enc_end(&c);
    }
}
END_TEST

/* ---- labels ---- */

static void asm_pad(jk_asm *as, size_t nbytes)
{
    while (nbytes--)
        jk_asm_op(as, JK_G_NOP);
}

static void asm_jump(jk_asm *as, int kind, jk_label l)
{
    if (kind < 16)
        jk_asm_jcc(as, (jk_cc)kind, l);
    else if (kind == 16)
        jk_asm_jmp(as, l);
    else
        jk_asm_call_label(as, l);
}

/* A jump over `between` bytes; kinds 0 to 15 are conditions, 16 jmp, 17 call. */
static void asm_try_jump(int kind, size_t between, bool forward)
{
    size_t near = kind < 16 ? 6 : 5, nbytes, from, want;
    bool is_short = !forward && kind != 17 && between + 2 <= 128;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    ZyanU64 to;
    const uint8_t *code;
    char name[8] = "jmp";
    enc_case c;
    jk_label l;
    enc_begin(&c, JK_ENC_LEGACY);
    c.as.listing = NULL;
    if (kind < 16)
        sprintf(name, "j%s", enc_conditions[kind]);
    else if (kind == 17)
        strcpy(name, "call");
    asm_pad(&c.as, 3);
    l = jk_asm_label(&c.as);
    if (!forward) {
        jk_asm_bind(&c.as, l);
        asm_pad(&c.as, between);
    }
    from = c.as.n;
    asm_jump(&c.as, kind, l);
    ck_assert_uint_eq(c.as.n - from, is_short ? 2 : near);
    if (forward) {
        asm_pad(&c.as, between);
        jk_asm_bind(&c.as, l);
    }
    want = forward ? from + near + between : 3;
    jk_asm_op(&c.as, JK_G_RET);
    ck_assert(jk_asm_finish(&c.as, &code, &nbytes));
    ck_assert(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&enc_decoder, code + from, nbytes - from, &in, ops)));
    ck_assert_str_eq(ZydisMnemonicGetString(in.mnemonic), name);
    ck_assert(ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&in, &ops[0], 0x400000 + from, &to)));
    ck_assert_uint_eq(to, 0x400000 + want);
    enc_end(&c);
}

START_TEST(jumps_reach_their_labels)
{
    static const size_t between[] = {0, 1, 100, 125, 126, 127, 128, 129, 200, 70000};
    size_t i;
    for (i = 0; i < sizeof between / sizeof between[0]; i++) {
        asm_try_jump(_i, between[i], false);
        asm_try_jump(_i, between[i], true);
    }
}
END_TEST

START_TEST(unbound_labels_are_refused)
{
    const uint8_t *code;
    size_t nbytes;
    enc_case c;
    enc_begin(&c, JK_ENC_LEGACY);
    jk_asm_jmp(&c.as, jk_asm_label(&c.as));
    jk_asm_label(&c.as); /* never used: no harm */
    ck_assert(!jk_asm_finish(&c.as, &code, &nbytes));
    enc_end(&c);
}
END_TEST

/* ---- the pool ---- */

START_TEST(pool_shares_equal_constants)
{
    double a[2] = {1, 2}, b[2] = {1, 3}, z[8] = {0}, minus = -0.0;
    uint32_t at_a;
    enc_case c;
    enc_begin(&c, JK_ENC_VEX);
    at_a = jk_asm_const(&c.as, a, 16);
    ck_assert_uint_eq(jk_asm_const(&c.as, a, 16), at_a);
    ck_assert_uint_ne(jk_asm_const(&c.as, b, 16), at_a);
    ck_assert_uint_eq(jk_asm_const(&c.as, a, 8), jk_asm_const(&c.as, b, 8));
    ck_assert_uint_ne(jk_asm_const(&c.as, z, 8), jk_asm_const(&c.as, &minus, 8));
    ck_assert_uint_eq(jk_asm_const(&c.as, z, 64) % 64, 0);
    ck_assert_uint_eq(jk_asm_const(&c.as, z, 64), jk_asm_const(&c.as, z, 64));
    enc_end(&c);
}
END_TEST

/* Thousands of constants of all sizes, each where its offset says, behind the code at a multiple of 64. */
START_TEST(pool_holds_every_constant)
{
    enum { COUNT = 5000 };
    uint32_t *at = (uint32_t *)malloc(COUNT * sizeof *at), words[16];
    const uint8_t *code;
    size_t nbytes, code_bytes;
    int i, j, pass;
    enc_case c;
    enc_begin(&c, JK_ENC_VEX);
    asm_pad(&c.as, 100);
    for (pass = 0; pass < 3; pass++) {
        if (pass == 2) {
            code_bytes = c.as.n;
            c.as.listing = NULL;
            ck_assert(jk_asm_finish(&c.as, &code, &nbytes));
            ck_assert_uint_eq(nbytes, JK_ALIGN_UP(code_bytes, 64) + c.as.npool);
        }
        for (i = 0; i < COUNT; i++) {
            size_t size = (size_t)4 << i % 5;
            for (j = 0; j < 16; j++)
                words[j] = (uint32_t)i * 2654435761u;
            if (pass == 0)
                at[i] = jk_asm_const(&c.as, words, size);
            else if (pass == 1)
                ck_assert_uint_eq(jk_asm_const(&c.as, words, size), at[i]);
            else
                ck_assert(memcmp(code + JK_ALIGN_UP(code_bytes, 64) + at[i], words, size) == 0);
            ck_assert_uint_eq(at[i] % size, 0);
        }
    }
    free(at);
    enc_end(&c);
}
END_TEST

/* ---- the listing of a whole function ---- */

START_TEST(listing_lines_have_address_bytes_text_and_value)
{
    FILE *f = tmpfile();
    jk_vt pd = {JK_PD, 32, 0, 0};
    const uint8_t *code;
    double one[4] = {1, 1, 1, 1};
    char line[256];
    size_t nbytes, at = 0;
    int lines = 0, notes = 0, pool = 0;
    jk_label l;
    enc_case c;
    ck_assert_ptr_nonnull(f);
    enc_begin(&c, JK_ENC_VEX);
    c.as.listing = f;
    jk_asm_op(&c.as, JK_G_ENDBR64);
    l = jk_asm_label(&c.as);
    jk_asm_bind(&c.as, l);
    c.as.note = 12;
    jk_asm_v(&c.as, JK_V_ADD, pd, 1, 2, jk_opnd_pool(jk_asm_const(&c.as, one, 32)), 0);
    enc_store(&c.as, JK_V_MOVU, pd, jk_opnd_index(JK_RDI, JK_RSI, 8, 32), 1, 0);
    c.as.note = UINT32_MAX;
    jk_asm_jcc(&c.as, JK_CC_NE, l);
    jk_asm_op(&c.as, JK_G_RET);
    ck_assert(jk_asm_finish(&c.as, &code, &nbytes));
    rewind(f);
    while (fgets(line, sizeof line, f)) {
        ZydisDecodedInstruction in;
        ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
        char bytes[64], text[128], *value = strchr(line, ';');
        unsigned long long address;
        size_t i;
        if (at == c.as.n) {
            pool++;
            continue;
        }
        ck_assert(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&enc_decoder, code + at, nbytes - at, &in, ops)));
        ZydisFormatterFormatInstruction(&enc_formatter, &in, ops, in.operand_count_visible, text, sizeof text,
                                        0x10000 + at, NULL);
        if (value) {
            ck_assert_str_eq(value, "; %12\n");
            *value = 0;
            notes++;
        }
        line[strcspn(line, "\n")] = 0;
        ck_assert_int_eq(sscanf(line, "%llx %63s", &address, bytes), 2);
        ck_assert_uint_eq(address, 0x10000 + at);
        ck_assert_uint_eq(strlen(bytes), 2 * in.length);
        for (i = 0; i < in.length; i++) {
            unsigned byte;
            ck_assert_int_eq(sscanf(bytes + 2 * i, "%2x", &byte), 1);
            ck_assert_uint_eq(byte, code[at + i]);
        }
        if (in.mnemonic == ZYDIS_MNEMONIC_JNZ)
            strcpy(text, "jne 0x10004");
        ck_assert_msg(enc_same_text(strstr(line, bytes) + strlen(bytes), text), "%s: %s", line, text);
        at += in.length;
        lines++;
    }
    ck_assert_int_eq(lines, 5);
    ck_assert_int_eq(notes, 2);
    ck_assert_int_eq(pool, 2);
    fclose(f);
    enc_end(&c);
}
END_TEST

START_TEST(listing_names_conditions)
{
    int cc;
    for (cc = 0; cc < 16; cc++) {
        char text[JK_ASM_TEXT], want[32];
        enc_case c;
        jk_label l;
        enc_begin(&c, JK_ENC_VEX);
        l = jk_asm_label(&c.as);
        jk_asm_bind(&c.as, l);
        jk_asm_jcc(&c.as, (jk_cc)cc, l);
        jk_asm_text(&c.as, (const jk_asm_line *)c.as.lines, 0, text);
        sprintf(want, "j%s 0x10000", enc_our_conditions[cc]);
        ck_assert_str_eq(text, want);
        enc_end(&c);
    }
}
END_TEST

/* ---- memory runs out ---- */

/* A program that makes every array of the assembler grow. */
static bool asm_big_program(jk_arena *arena, bool listing)
{
    jk_vt pd = {JK_PD, 32, 0, 0};
    const uint8_t *code;
    size_t nbytes;
    jk_label l = 0;
    jk_asm as;
    int i;
    FILE *f = listing ? fopen("/dev/null", "w") : NULL;
    bool ok;
    jk_asm_init(&as, arena, JK_ENC_VEX);
    as.listing = f;
    for (i = 0; i < 3000; i++) {
        double x = i;
        l = jk_asm_label(&as);
        jk_asm_jmp(&as, l);
        jk_asm_v(&as, JK_V_ADD, pd, 1, 2, jk_opnd_pool(jk_asm_const(&as, &x, 8)), 0);
        jk_asm_bind(&as, l);
        jk_asm_align(&as, 16);
    }
    ok = jk_asm_finish(&as, &code, &nbytes);
    ck_assert(ok == !as.failed);
    if (f)
        fclose(f);
    return ok;
}

START_TEST(out_of_memory_is_reported)
{
    int k, failures = 0;
    bool ok = false;
    for (k = 0; !ok && k < 100; k++) {
        jk_arena arena;
        jk_arena_init(&arena, NULL, 0);
        asm_mallocs_left = k;
        ok = asm_big_program(&arena, _i != 0);
        asm_mallocs_left = -1;
        jk_arena_free(&arena);
        failures += !ok;
    }
    ck_assert(ok);
    ck_assert_int_gt(failures, 2);
}
END_TEST

/* ---- assembled code runs ---- */

#if defined(__x86_64__) && defined(__linux__)
/* double f(const double *x, size_t n): the sum of x[i] * 0.5 where x[i] > 0, else of 100; SSE2. */
static void asm_sample(jk_asm *as)
{
    jk_vt sd = {JK_SD, 16, 0, 0};
    double half = 0.5, hundred = 100;
    jk_opnd pool_half = jk_opnd_pool(jk_asm_const(as, &half, 8)),
            pool_hundred = jk_opnd_pool(jk_asm_const(as, &hundred, 8));
    jk_label loop = jk_asm_label(as), done = jk_asm_label(as);
    jk_asm_op(as, JK_G_ENDBR64);
    jk_asm_v(as, JK_V_XOR, sd, 0, 0, enc_register(0), 0);
    jk_asm_gi(as, JK_G_MOV, 8, enc_register(JK_RAX), 0);
    jk_asm_lea(as, JK_RDX, pool_hundred);
    jk_asm_g(as, JK_G_TEST, 8, JK_RSI, enc_register(JK_RSI));
    jk_asm_jcc(as, JK_CC_E, done);
    jk_asm_bind(as, loop);
    jk_asm_v(as, JK_V_MOVU, sd, 1, 0, jk_opnd_index(JK_RDI, JK_RAX, 8, 0), 0); /* x */
    jk_asm_v(as, JK_V_XOR, sd, 2, 2, enc_register(2), 0);
    jk_asm_v(as, JK_V_CMP, sd, 2, 2, enc_register(1), 1); /* 0 < x */
    jk_asm_v(as, JK_V_MUL, sd, 1, 1, pool_half, 0);
    jk_asm_v(as, JK_V_AND, sd, 1, 1, enc_register(2), 0);
    jk_asm_v(as, JK_V_MOVU, sd, 3, 0, jk_opnd_mem(JK_RDX, 0), 0);
    jk_asm_v(as, JK_V_ANDN, sd, 2, 2, enc_register(3), 0);
    jk_asm_v(as, JK_V_OR, sd, 1, 1, enc_register(2), 0);
    jk_asm_v(as, JK_V_ADD, sd, 0, 0, enc_register(1), 0);
    jk_asm_gi(as, JK_G_ADD, 8, enc_register(JK_RAX), 1);
    jk_asm_g(as, JK_G_CMP, 8, JK_RAX, enc_register(JK_RSI));
    jk_asm_jcc(as, JK_CC_B, loop);
    jk_asm_bind(as, done);
    jk_asm_op(as, JK_G_RET);
}

START_TEST(assembled_code_runs)
{
    typedef double (*sample_fn)(const double *, size_t);
    double x[10] = {1, -2, 3, 4, -5, 6, 7, 0, 9, 10};
    const uint8_t *code;
    sample_fn f;
    size_t nbytes;
    enc_case c;
    void *p;
    enc_begin(&c, JK_ENC_LEGACY);
    c.as.listing = NULL;
    asm_sample(&c.as);
    ck_assert(jk_asm_finish(&c.as, &code, &nbytes));
    p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(p != MAP_FAILED && nbytes <= 4096);
    memcpy(p, code, nbytes);
    enc_end(&c);
    if (mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0) { /* some systems refuse */
        memcpy(&f, &p, sizeof f);
        ck_assert_double_eq(f(x, 0), 0);
        ck_assert_double_eq(f(x, 10), 320);
    }
    munmap(p, 4096);
}
END_TEST
#endif

Suite *suite_asm(void)
{
    Suite *s = suite_create("asm");
    TCase *rows = tcase_create("rows"), *parts = tcase_create("parts");
    tcase_add_checked_fixture(rows, setup, NULL);
    tcase_add_checked_fixture(parts, setup, NULL);
    tcase_set_timeout(rows, 60);
    tcase_add_loop_test(rows, every_vector_row, 0, JK_V_COUNT);
    tcase_add_loop_test(rows, every_row_needs_what_it_says, 0, JK_V_COUNT);
    tcase_add_loop_test(rows, every_mask_row, JK_V_COUNT, JK_K_KMOV_KR);
    tcase_add_loop_test(rows, every_general_row, JK_K_END, JK_G_END);
    tcase_add_loop_test(rows, every_row_without_operands, JK_G_END, JK_INST_COUNT);
    tcase_add_test(rows, twenty_thousand_encodings);
    tcase_add_test(rows, stores_to_registers);
    tcase_add_test(rows, rows_without_evex);
    tcase_add_test(rows, mask_moves);
    tcase_add_test(rows, lea_and_cmov);
    tcase_add_test(rows, one_operand);
    tcase_add_test(rows, moves_of_numbers);
    tcase_add_test(rows, stack_and_bzhi);
    tcase_add_test(parts, alignment_is_nops);
    tcase_add_loop_test(parts, jumps_reach_their_labels, 0, 18);
    tcase_add_test(parts, unbound_labels_are_refused);
    tcase_add_test(parts, pool_shares_equal_constants);
    tcase_add_test(parts, pool_holds_every_constant);
    tcase_add_test(parts, listing_lines_have_address_bytes_text_and_value);
    tcase_add_test(parts, listing_names_conditions);
    tcase_add_loop_test(parts, out_of_memory_is_reported, 0, 2);
#if defined(__x86_64__) && defined(__linux__)
    tcase_add_test(parts, assembled_code_runs);
#endif
    suite_add_tcase(s, rows);
    suite_add_tcase(s, parts);
    return s;
}
