/* The vector rows: each in every encoding, format and length that spec.h gives it, with registers, masks and memory
 * operands that rotate. Only check_asm includes it. */
#ifndef ENC_VECTORS_H
#define ENC_VECTORS_H
#include "compare.h"
#include "spec.h"

static const enc_spec *enc_spec_of(int inst)
{
    size_t i;
    for (i = 0; i < sizeof enc_specs / sizeof enc_specs[0]; i++)
        if (enc_specs[i].inst == inst)
            return &enc_specs[i];
    return NULL;
}

static void enc_word(const char *words, int i, char *out)
{
    while (i--)
        words = strchr(words, ' ') + 1;
    while (*words && *words != ' ')
        *out++ = *words++;
    *out = 0;
}

typedef struct enc_shape { /* one row in one encoding, format and length */
    const enc_spec *spec;
    jk_enc enc;
    jk_vt vt;
    bool scalar, store;
    unsigned elem;
    char name[32];
} enc_shape;

/* False where the row has no such shape. */
static bool enc_shape_make(enc_shape *s, const enc_spec *spec, jk_enc enc, unsigned fmt, unsigned vl)
{
    char packed[32];
    const char *names = enc == JK_ENC_EVEX && spec->evex_names ? spec->evex_names : spec->names;
    memset(s, 0, sizeof *s);
    enc_word(names, (int)fmt, s->name + 1);
    enc_word(names, (int)fmt & 1, packed);
    s->spec = spec;
    s->enc = enc;
    s->vt.fmt = (uint8_t)fmt;
    s->vt.vl = (uint8_t)vl;
    s->scalar = strcmp(packed, s->name + 1) != 0 || strcmp(spec->lengths, "1") == 0;
    s->elem = spec->elem ? (unsigned)spec->elem : fmt & 1 ? 8 : 4;
    if (s->name[1] == '-' || !strchr(spec->encs, "LVE"[enc]) || (fmt >= JK_SS && vl != 16))
        return false;
    if (!strchr(spec->lengths, '0' + (int)vl / 16) || vl > (enc == JK_ENC_LEGACY ? 16u : enc == JK_ENC_VEX ? 32u : 64u))
        return false;
    if (spec->inst == JK_V_BROADCAST && vl == 16 && s->elem == 8)
        strcpy(s->name + 1, "movddup");
    if (enc == JK_ENC_LEGACY)
        memmove(s->name, s->name + 1, strlen(s->name + 1) + 1);
    else
        s->name[0] = 'v';
    return true;
}

static unsigned enc_operand_bytes(const enc_shape *s, char letter, bool bcast)
{
    switch (letter) {
    case 'e':
    case 'r':
    case 'R':
        return s->elem;
    case 'X':
        return 16;
    case 'Y':
        return 32;
    case 'H':
        return bcast ? s->elem : s->vt.vl / 2u;
    default:
        return bcast || s->scalar ? s->elem : s->vt.vl;
    }
}

static void enc_want_rm(enc_case *c, const enc_shape *s, char letter, jk_opnd o)
{
    unsigned nbytes = enc_operand_bytes(s, letter, o.bcast != 0);
    if (o.kind != JK_OPND_REG)
        enc_mem(c, o, nbytes);
    else if (letter == 'r' || letter == 'R')
        enc_reg(c, enc_gp(s->elem, o.reg));
    else
        enc_reg(c, enc_vec(JK_LARGER(letter == 'v' ? s->vt.vl : nbytes, 16u), o.reg));
}

/* `to` = src: to a register a move, or a row whose destination is the r/m operand. */
static void enc_store(jk_asm *as, jk_inst i, jk_vt vt, jk_opnd to, unsigned src, unsigned imm)
{
    bool move = i == JK_V_MOVU || i == JK_V_MOVA || i == JK_K_KMOV;
    if (to.kind == JK_OPND_REG)
        jk_asm_v(as, i, vt, to.reg, to.reg, enc_register(src), move ? 0 : imm);
    else
        jk_asm_v(as, i, vt, src, 0, to, move ? JK_STORE : imm);
}

/* Assembles one instruction of a shape and compares. */
static void enc_try(const enc_shape *s, unsigned dst, unsigned src1, jk_opnd o, unsigned imm, unsigned k, unsigned zero)
{
    const char *letters = s->store ? s->spec->store : s->spec->load;
    bool legacy = s->enc == JK_ENC_LEGACY, gp = strpbrk(letters, "rR") != NULL;
    jk_vt vt = s->vt;
    enc_case c;
    enc_begin(&c, s->enc);
    c.name = s->name;
    vt.k = (uint8_t)k;
    vt.zero = (uint8_t)zero;
    c.k = k;
    c.zero = zero;
    c.bcast = o.bcast;
    for (; *letters; letters++) {
        if (strchr("1D", *letters) && legacy)
            continue;
        if (*letters == 'x' && (legacy || !s->scalar || o.kind != JK_OPND_REG))
            continue;
        if (*letters == 'u' && (legacy || !s->scalar))
            continue;
        if (strchr("dD", *letters))
            enc_reg(&c, enc_vec(s->scalar ? 16 : vt.vl, dst));
        else if (*letters == 'h')
            enc_reg(&c, enc_vec(JK_LARGER(vt.vl / 2u, 16u), dst));
        else if (*letters == 'k')
            enc_reg(&c, (ZydisRegister)(ZYDIS_REGISTER_K0 + (int)dst));
        else if (strchr("gG", *letters))
            enc_reg(&c, enc_gp(*letters == 'G' ? 8 : 4, dst));
        else if (strchr("1x", *letters))
            enc_reg(&c, enc_vec(s->scalar ? 16 : vt.vl, src1));
        else if (*letters == 'u')
            enc_reg(&c, enc_vec(16, o.kind == JK_OPND_REG && !gp ? o.reg : dst));
        else if (*letters == 'i')
            enc_imm(&c, (int64_t)imm);
        else if (*letters == 'b')
            enc_reg(&c, enc_vec(vt.vl, imm >> 4));
        else
            enc_want_rm(&c, s, *letters, o);
    }
    if (s->store)
        enc_store(&c.as, (jk_inst)s->spec->inst, vt, o, dst, imm);
    else
        jk_asm_v(&c.as, (jk_inst)s->spec->inst, vt, dst, src1, o, s->spec->store ? 0 : imm);
    enc_check(&c);
}

/* The operands of one try: registers rotate with n, so that all numbers meet in all places. */
static void enc_try_number(const enc_shape *s, int n, jk_opnd o, unsigned k, unsigned zero)
{
    const char *letters = s->store ? s->spec->store : s->spec->load;
    unsigned nregs = s->enc == JK_ENC_EVEX ? 32 : 16, dst = (unsigned)n % nregs, src1 = (unsigned)(7 * n + 3) % nregs;
    unsigned imm = s->spec->inst == JK_V_CMP    ? (unsigned)n & 7
                   : s->spec->inst == JK_V_CMPK ? (unsigned)n & 31
                                                : 37u * (unsigned)n & 255;
    if (strpbrk(letters, "gG"))
        dst %= 16;
    if (strchr(letters, 'k'))
        dst %= 8;
    if (strchr(letters, 'b'))
        imm &= 0xF0;
    if (s->enc == JK_ENC_LEGACY && strchr(letters, '1'))
        src1 = dst;
    if (s->enc == JK_ENC_LEGACY && strchr(letters, 'D'))
        o.reg = (uint8_t)dst;
    enc_try(s, dst, src1, o, strpbrk(letters, "ib") ? imm : 0, k, zero);
}

static void enc_try_registers(const enc_shape *s)
{
    const char *letters = s->store ? s->spec->store : s->spec->load;
    unsigned nregs = s->enc == JK_ENC_EVEX && !strpbrk(letters, "rR") ? 32 : 16, k, zero;
    int n;
    if (strchr(letters, 'M') || (s->store && strchr(letters, 'n')))
        return;
    for (n = 0; n < 64; n++)
        enc_try_number(s, n, enc_register((unsigned)(13 * n + 5 + n / 16) % nregs), 0, 0);
    for (k = 1; s->enc == JK_ENC_EVEX && s->spec->mask && k < 8; k++)
        for (zero = 0; zero < (unsigned)s->spec->mask; zero++)
            enc_try_number(s, 64 + (int)k, enc_register((11 * k + zero) % nregs), k, zero);
}

static void enc_try_memory(const enc_shape *s)
{
    const char *letters = s->store ? s->spec->store : s->spec->load;
    bool evex = s->enc == JK_ENC_EVEX, masked = evex && s->spec->mask;
    bool can_bcast = evex && !s->scalar && !s->store && strpbrk(letters, "mH");
    char letter = *strpbrk(letters, "mnMvHeXYrR");
    int n, bcast;
    if (letter == 'v' || (strchr(letters, 'D') && !evex))
        return;
    for (bcast = 0; bcast <= can_bcast; bcast++)
        for (n = 0; n < ENC_MEMS; n++) {
            jk_opnd o = enc_memory(n, enc_operand_bytes(s, letter, bcast != 0));
            unsigned k = masked && n % 3 == 0 ? (unsigned)n / 3 % 8 : 0;
            o.bcast = (unsigned)bcast & 1u;
            enc_try_number(s, n, o, k, k && s->spec->mask == 2 && !s->store && n % 2);
        }
}

static void enc_try_row(int inst)
{
    const enc_spec *spec = enc_spec_of(inst);
    enc_shape s;
    unsigned fmt, vl;
    int enc;
    ck_assert_msg(spec != NULL, "row %d has no line in enc/spec.h", inst);
    for (enc = JK_ENC_LEGACY; enc <= JK_ENC_EVEX; enc++)
        for (fmt = JK_PS; fmt <= JK_SD; fmt++)
            for (vl = 16; vl <= 64; vl *= 2)
                if (enc_shape_make(&s, spec, (jk_enc)enc, fmt, vl)) {
                    if (spec->load) {
                        enc_try_registers(&s);
                        enc_try_memory(&s);
                    }
                    s.store = true;
                    if (spec->store) {
                        enc_try_registers(&s);
                        enc_try_memory(&s);
                    }
                }
}

START_TEST(every_vector_row)
{
    int inst = _i;
    enc_try_row(inst);
    ck_assert_int_ge(enc_count, 192);
}
END_TEST

static const uint8_t enc_features[JK_V_COUNT][3] = {
#define ENC_ROW(NAME, text, map, rule, form, reg, rm, imm, legacy, vex, evex) \
    {JK_IN_##legacy, JK_IN_##vex, JK_IN_##evex},
    JK_INSTS_V(ENC_ROW)
#undef ENC_ROW
};

/* A feature covers what it implies. */
static bool enc_feature_fits(unsigned feature, const char *isa)
{
    switch (feature) {
    case JK_IN_SSE2:
        return strcmp(isa, "SSE") == 0 || strcmp(isa, "SSE2") == 0;
    case JK_IN_SSE3:
        return strcmp(isa, "SSE3") == 0;
    case JK_IN_SSE41:
        return strcmp(isa, "SSE4") == 0;
    case JK_IN_AVX:
        return strcmp(isa, "AVX") == 0;
    case JK_IN_AVX2:
        return strcmp(isa, "AVX") == 0 || strcmp(isa, "AVX2") == 0;
    case JK_IN_FMA:
        return strcmp(isa, "FMA") == 0;
    case JK_IN_F:
        return strncmp(isa, "AVX512F", 7) == 0;
    case JK_IN_DQ:
        return strncmp(isa, "AVX512F", 7) == 0 || strncmp(isa, "AVX512DQ", 8) == 0;
    }
    return false;
}

START_TEST(every_row_needs_what_it_says)
{
    const enc_spec *spec = enc_spec_of(_i);
    ZydisDecodedInstruction in;
    const char *isa;
    enc_shape s;
    unsigned fmt, vl;
    int enc, n = 0;
    ck_assert_ptr_nonnull(spec);
    for (enc = JK_ENC_LEGACY; enc <= JK_ENC_EVEX; enc++) {
        ck_assert_int_eq(enc_features[_i][enc] != JK_IN_NO, strchr(spec->encs, "LVE"[enc]) != NULL);
        for (fmt = JK_PS; fmt <= JK_SD; fmt++)
            for (vl = 16; vl <= 64; vl *= 2)
                if (enc_shape_make(&s, spec, (jk_enc)enc, fmt, vl)) {
                    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
                    enc_case c;
                    jk_opnd o =
                        strpbrk(spec->load ? spec->load : spec->store, "M") ? jk_opnd_mem(JK_RAX, 0) : enc_register(3);
                    enc_begin(&c, (jk_enc)enc);
                    if (spec->load)
                        jk_asm_v(&c.as, (jk_inst)_i, s.vt, 3, 3, o, 0);
                    else
                        enc_store(&c.as, (jk_inst)_i, s.vt, o, 3, 0);
                    ck_assert(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&enc_decoder, c.as.code, c.as.n, &in, ops)));
                    isa = ZydisISASetGetString(in.meta.isa_set);
                    if (strcmp(s.name, "movddup") != 0)
                        ck_assert_msg(enc_feature_fits(enc_features[_i][enc], isa), "%s: %s", s.name, isa);
                    enc_end(&c);
                    n++;
                }
    }
    ck_assert_int_gt(n, 0);
}
END_TEST

START_TEST(twenty_thousand_encodings)
{
    int inst;
    for (inst = 0; inst < JK_V_COUNT; inst++)
        enc_try_row(inst);
    ck_assert_int_ge(enc_count, 20000);
}
END_TEST

/* A scalar or a vector stored to a register is a move; a row that stores takes its register by jk_asm_v too. */
START_TEST(stores_to_registers)
{
    jk_vt pd = {JK_PD, 32, 0, 0}, sd = {JK_SD, 16, 0, 0};
    enc_case c;
    enc_begin(&c, JK_ENC_VEX);
    enc_store(&c.as, JK_V_MOVU, pd, enc_register(9), 3, 0);
    c.name = "vmovupd";
    enc_reg(&c, enc_vec(32, 9));
    enc_reg(&c, enc_vec(32, 3));
    enc_check(&c);
    enc_begin(&c, JK_ENC_VEX);
    enc_store(&c.as, JK_V_MOVU, sd, enc_register(9), 3, 0);
    c.name = "vmovsd";
    enc_reg(&c, enc_vec(16, 9));
    enc_reg(&c, enc_vec(16, 9));
    enc_reg(&c, enc_vec(16, 3));
    enc_check(&c);
    enc_begin(&c, JK_ENC_VEX);
    jk_asm_v(&c.as, JK_V_MOVQ_RX, sd, JK_R9, 0, enc_register(3), 0);
    c.name = "vmovq";
    enc_reg(&c, enc_gp(8, JK_R9));
    enc_reg(&c, enc_vec(16, 3));
    enc_check(&c);
}
END_TEST

/* In an EVEX assembler a row without EVEX is VEX. */
START_TEST(rows_without_evex)
{
    jk_vt pd = {JK_PD, 32, 0, 0};
    enc_case c;
    enc_begin(&c, JK_ENC_EVEX);
    jk_asm_v(&c.as, JK_V_MOVMSK, pd, JK_R10, 0, enc_register(11), 0);
    c.name = "vmovmskpd";
    enc_reg(&c, enc_gp(4, JK_R10));
    enc_reg(&c, enc_vec(32, 11));
    enc_check(&c);
}
END_TEST
#endif
