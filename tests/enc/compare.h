/* One instruction at a time: assembled, finished, decoded by Zydis and compared with what was asked for; and the memory
 * operands to try. Only check_asm includes it. */
#ifndef ENC_COMPARE_H
#define ENC_COMPARE_H
#include "../suites.h"
#include <Zydis/Zydis.h>
#include <ctype.h>

/* jk_opnd_reg, which a file that is compiled for another processor than the header cannot inline. */
static jk_opnd enc_register(unsigned reg)
{
    return jk_opnd_make(JK_OPND_REG, reg, 0, 0, 0, 0);
}

typedef struct enc_want {
    ZydisOperandType type;
    ZydisRegister reg;
    unsigned nbytes; /* memory */
    int64_t imm;
} enc_want;

typedef struct enc_case {
    jk_asm as;
    jk_arena arena;
    const char *name; /* mnemonic */
    enc_want want[6];
    int nwant;
    jk_opnd opnd; /* what the memory operand should be */
    unsigned k, zero, bcast;
    bool is_number; /* the listing writes the immediate without a sign */
    char block[4096];
} enc_case;

static ZydisDecoder enc_decoder;
static ZydisFormatter enc_formatter;
static char enc_message[1024];
static uint8_t enc_pool[128];
static int enc_count; /* encodings checked */

static void setup(void)
{
    ZydisDecoderInit(&enc_decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&enc_formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&enc_formatter, ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, ZYAN_TRUE);
    ZydisFormatterSetProperty(&enc_formatter, ZYDIS_FORMATTER_PROP_FORCE_SIZE, ZYAN_TRUE);
    ZydisFormatterSetProperty(&enc_formatter, ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED);
    ZydisFormatterSetProperty(&enc_formatter, ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED);
    ZydisFormatterSetProperty(&enc_formatter, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
    enc_count = 0;
}

static void enc_begin(enc_case *c, jk_enc enc)
{
    memset(c, 0, offsetof(enc_case, block));
    jk_arena_init(&c->arena, c->block, sizeof c->block);
    jk_asm_init(&c->as, &c->arena, enc);
    c->as.listing = stdout; /* so that lines are recorded; enc_finish takes it away */
    c->as.address = 0x10000;
}

/* Compares texts without spaces and case. */
static bool enc_same_text(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == ' ')
            a++;
        while (*b == ' ')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

/* Zydis' names of conditions, where the listing has the usual ones. */
static const char *const enc_conditions[16] = {"o", "no", "b", "nb", "z", "nz", "be", "nbe",
                                               "s", "ns", "p", "np", "l", "nl", "le", "nle"};
static const char *const enc_our_conditions[16] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                                   "s", "ns", "p", "np", "l", "ge", "le", "g"};

static bool enc_same_mnemonic(const ZydisDecodedInstruction *in, const char *name)
{
    return strcmp(ZydisMnemonicGetString(in->mnemonic), name) == 0;
}

static ZydisRegister enc_gp(unsigned w, unsigned n)
{
    return (ZydisRegister)((w == 8 ? ZYDIS_REGISTER_RAX : ZYDIS_REGISTER_EAX) + (int)n);
}

static ZydisRegister enc_vec(unsigned nbytes, unsigned n)
{
    return (ZydisRegister)((nbytes == 64   ? ZYDIS_REGISTER_ZMM0
                            : nbytes == 32 ? ZYDIS_REGISTER_YMM0
                                           : ZYDIS_REGISTER_XMM0) +
                           (int)n);
}

/* The shortest displacement that the encoding has, in bits. */
static unsigned enc_disp_bits(const jk_opnd *o, bool evex, unsigned n)
{
    int64_t unit = evex ? (int64_t)n : 1, d = o->disp;
    if (o->kind == JK_OPND_POOL || o->base == JK_NOGP)
        return 32;
    if (d == 0 && o->base != JK_RBP && o->base != JK_R13)
        return 0;
    return d % unit == 0 && d / unit >= -128 && d / unit <= 127 ? 8 : 32;
}

static const char *enc_memory_wrong(const enc_case *c, const ZydisDecodedInstruction *in, const ZydisDecodedOperand *op,
                                    unsigned nbytes, size_t pool, size_t end)
{
    const jk_opnd *o = &c->opnd;
    ZydisRegister base = o->base == JK_NOGP ? ZYDIS_REGISTER_NONE : enc_gp(8, o->base);
    ZydisRegister index = o->index == JK_NOGP ? ZYDIS_REGISTER_NONE : enc_gp(8, o->index);
    int64_t disp = o->disp;
    if (o->kind == JK_OPND_POOL) {
        base = ZYDIS_REGISTER_RIP;
        index = ZYDIS_REGISTER_NONE;
        disp += (int64_t)(pool - end);
    }
    if (op->mem.base != base || op->mem.index != index)
        return "base or index";
    if (index != ZYDIS_REGISTER_NONE && op->mem.scale != o->scale)
        return "scale";
    if (op->mem.disp.value != disp)
        return "displacement";
    if (in->mnemonic != ZYDIS_MNEMONIC_LEA && op->size != 8 * nbytes)
        return "size of the memory operand";
    if ((base == ZYDIS_REGISTER_NONE || base == ZYDIS_REGISTER_RIP) && in->attributes & ZYDIS_ATTRIB_HAS_REX &&
        in->raw.rex.B)
        return "needless REX bit";
    if (in->raw.disp.size != enc_disp_bits(o, in->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX, nbytes))
        return "size of the displacement";
    return NULL;
}

static const char *enc_operands_wrong(const enc_case *c, const ZydisDecodedInstruction *in,
                                      const ZydisDecodedOperand *ops, size_t pool, size_t end)
{
    int i, n = 0;
    for (i = 0; i < in->operand_count_visible; i++) {
        const ZydisDecodedOperand *op = &ops[i];
        const enc_want *w = &c->want[n];
        const char *wrong = NULL;
        if (op->encoding == ZYDIS_OPERAND_ENCODING_MASK)
            continue;
        if (n++ == c->nwant)
            return "too many operands";
        if (op->type != w->type)
            return "kind of an operand";
        if (op->type == ZYDIS_OPERAND_TYPE_REGISTER && op->reg.value != w->reg)
            return "register";
        if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && op->imm.value.s != w->imm)
            return "immediate";
        if (op->type == ZYDIS_OPERAND_TYPE_MEMORY)
            wrong = enc_memory_wrong(c, in, op, w->nbytes, pool, end);
        if (wrong)
            return wrong;
    }
    return n == c->nwant ? NULL : "too few operands";
}

static const char *enc_evex_wrong(const enc_case *c, const ZydisDecodedInstruction *in)
{
    bool evex = in->encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX;
    ZydisMaskMode mode = in->avx.mask.mode;
    bool zeroing;
    if (!evex)
        return c->k || c->zero || c->bcast ? "no EVEX" : NULL;
    if (in->avx.mask.reg != (ZydisRegister)(ZYDIS_REGISTER_K0 + (int)c->k))
        return "mask register";
    zeroing =
        mode == ZYDIS_MASK_MODE_ZEROING || mode == ZYDIS_MASK_MODE_CONTROL_ZEROING; /* comparisons always say so */
    if (c->want[0].reg >= ZYDIS_REGISTER_K0 ? c->zero != 0 : zeroing != (c->zero != 0))
        return "zeroing";
    if ((in->avx.broadcast.mode != ZYDIS_BROADCAST_MODE_INVALID && !in->avx.broadcast.is_static) != (c->bcast != 0))
        return "broadcast";
    return NULL;
}

static void enc_end(enc_case *c)
{
    jk_arena_free(&c->arena);
}

/* The instruction that `c` has assembled: NULL, or what is wrong with it. */
static const char *enc_wrong(enc_case *c, ZydisDecodedInstruction *in)
{
    ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
    const uint8_t *code;
    char ours[JK_ASM_TEXT], text[256];
    const char *wrong;
    size_t n = c->as.n, pool = JK_ALIGN_UP(n, 64), all, i;
    jk_asm_text(&c->as, (const jk_asm_line *)c->as.lines, (int64_t)(pool - n), ours);
    c->as.listing = NULL;
    enc_count++;
    if (c->opnd.kind == JK_OPND_POOL) {
        c->as.pool = enc_pool;
        c->as.npool = c->as.cap_pool = sizeof enc_pool;
    }
    ZydisFormatterSetProperty(&enc_formatter, ZYDIS_FORMATTER_PROP_IMM_SIGNEDNESS,
                              c->is_number ? ZYDIS_SIGNEDNESS_UNSIGNED : ZYDIS_SIGNEDNESS_SIGNED);
    if (!jk_asm_finish(&c->as, &code, &all))
        return "finish";
    sprintf(enc_message, "%s:", ours);
    for (i = 0; i < n; i++)
        sprintf(enc_message + strlen(enc_message), " %02x", code[i]);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&enc_decoder, code, n, in, ops)))
        return "not decoded";
    if (in->length != n)
        return "length";
    ZydisFormatterFormatInstruction(&enc_formatter, in, ops, in->operand_count_visible, text, sizeof text,
                                    c->as.address, NULL);
    sprintf(enc_message + strlen(enc_message), " (%s)", text);
    if (!enc_same_mnemonic(in, c->name))
        return "mnemonic";
    wrong = enc_operands_wrong(c, in, ops, pool, n);
    if (!wrong)
        wrong = enc_evex_wrong(c, in);
    if (!wrong && !strchr("jc", ours[0]) && !enc_same_text(ours, text))
        wrong = "listing";
    return wrong;
}

static void enc_check(enc_case *c)
{
    ZydisDecodedInstruction in;
    const char *wrong = enc_wrong(c, &in);
    if (wrong)
        ck_abort_msg("%s: %s", wrong, enc_message);
    enc_end(c);
}

static void enc_reg(enc_case *c, ZydisRegister reg)
{
    c->want[c->nwant].type = ZYDIS_OPERAND_TYPE_REGISTER;
    c->want[c->nwant++].reg = reg;
}

static void enc_mem(enc_case *c, jk_opnd o, unsigned nbytes)
{
    c->opnd = o;
    c->want[c->nwant].type = ZYDIS_OPERAND_TYPE_MEMORY;
    c->want[c->nwant++].nbytes = nbytes;
}

static void enc_imm(enc_case *c, int64_t imm)
{
    c->want[c->nwant].type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
    c->want[c->nwant++].imm = imm;
}

/* General register or memory operand. */
static void enc_rm(enc_case *c, jk_opnd o, unsigned w)
{
    if (o.kind == JK_OPND_REG)
        enc_reg(c, enc_gp(w, o.reg));
    else
        enc_mem(c, o, w);
}

/* ---- operands to try ---- */

static const uint8_t enc_bases[] = {JK_RAX, JK_RDX, JK_RSP, JK_RBP, JK_RDI, JK_R8, JK_R12, JK_R13, JK_R15, JK_NOGP};
static const uint8_t enc_indexes[] = {JK_RAX, JK_RBP, JK_RDI, JK_R9, JK_R12, JK_R13};
enum { ENC_BASES = sizeof enc_bases, ENC_INDEXES = sizeof enc_indexes, ENC_DISPS = 16 };
enum { ENC_MEMS = ENC_BASES * ENC_DISPS + ENC_BASES * ENC_INDEXES + 2 };

/* Displacements around what 8 bits hold, counted in bytes and in units of n bytes. */
static int32_t enc_disp(int i, unsigned nbytes)
{
    int32_t n = (int32_t)nbytes;
    int32_t disps[ENC_DISPS] = {0,  1,       -1,      127,      -128,     128,           -129,       n,
                                -n, 127 * n, 128 * n, -128 * n, -129 * n, 3 * n + n / 2, 0x12345678, -0x7fffff00};
    return disps[i];
}

/* Memory operand number i of ENC_MEMS; n: the unit of EVEX displacements. */
static jk_opnd enc_memory(int i, unsigned n)
{
    int j = i - ENC_BASES * ENC_DISPS;
    if (j < 0) {
        int32_t disp = enc_disp(i % ENC_DISPS, n);
        uint8_t base = enc_bases[i / ENC_DISPS];
        return jk_opnd_mem(base, base == JK_NOGP ? disp & 0x7fffffff : disp);
    }
    if (j < ENC_BASES * ENC_INDEXES)
        return jk_opnd_index(enc_bases[j / ENC_INDEXES], enc_indexes[j % ENC_INDEXES], 1u << (j % 4),
                             enc_disp(j % ENC_DISPS, n));
    return jk_opnd_pool(j % 2 ? 64 : 0);
}
#endif
