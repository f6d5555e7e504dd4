/* asm: the listing. Every emitted instruction was recorded with its fields (jk_asm_line); here the records become Intel
 * syntax, once all places are known. Mnemonics and operand kinds come from the same rows as the bytes. */
#include "asm.h"

JK_SMALL_OPEN

static const char *const jk_inst_text[JK_INST_COUNT] = {
#define JK_ROW(NAME, text, map, rule, form, reg, rm, imm, legacy, vex, evex) text,
    JK_INSTS_V(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, rule, form, reg, rm) text,
        JK_INSTS_K(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, prefix, map, load, store, imm32, digit, imm8) text,
            JK_INSTS_G(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, enc, prefix, map, opcode, last) text,
                JK_INSTS_NONE(JK_ROW)
#undef JK_ROW
};

/* Registers by their size, 2 bytes (mask registers) to 64; first the condition codes. */
#define JK_TO_7(x) x "0", x "1", x "2", x "3", x "4", x "5", x "6", x "7"
#define JK_TO_31(x)                                                                                                   \
    JK_TO_7(x), x "8", x "9", x "10", x "11", x "12", x "13", x "14", x "15", x "16", x "17", x "18", x "19", x "20", \
        x "21", x "22", x "23", x "24", x "25", x "26", x "27", x "28", x "29", x "30", x "31"
#define JK_GENERAL(x, y)                                                                                       \
    x "ax", x "cx", x "dx", x "bx", x "sp", x "bp", x "si", x "di", "r8" y, "r9" y, "r10" y, "r11" y, "r12" y, \
        "r13" y, "r14" y, "r15" y
static const char jk_names[7][32][6] = {
    {"o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"},
    {JK_TO_7("k")},
    {JK_GENERAL("e", "d")},
    {JK_GENERAL("r", "")},
    {JK_TO_31("xmm")},
    {JK_TO_31("ymm")},
    {JK_TO_31("zmm")},
};
#undef JK_TO_7
#undef JK_TO_31
#undef JK_GENERAL

/* Behind the first operand: the write mask, merging and zeroing. */
#define JK_MASKS(zero)                                                                                \
    {                                                                                                 \
        "", "{k1}" zero, "{k2}" zero, "{k3}" zero, "{k4}" zero, "{k5}" zero, "{k6}" zero, "{k7}" zero \
    }
static const char jk_mask_names[2][8][8] = {JK_MASKS(""), JK_MASKS("{z}")};
#undef JK_MASKS

JK_NOINLINE char *jk_say(char *at, const char *text)
{
    while ((*at = *text++))
        at++;
    return at;
}

JK_NOINLINE char *jk_say_number(char *at, const char *before, uint64_t v)
{
    return at + sprintf(at, "%s0x%llx", before, (unsigned long long)v);
}

JK_NOINLINE char *jk_say_signed(char *at, const char *plus, int64_t v)
{
    return v < 0 ? jk_say_number(at, "-", 0 - (uint64_t)v) : jk_say_number(at, plus, (uint64_t)v);
}

JK_NOINLINE char *jk_say_register(char *at, const char *before, unsigned nbytes, unsigned reg)
{
    return jk_say(jk_say(at, before), jk_names[__builtin_ctz(nbytes)][reg]);
}

/* A register operand. */
JK_NOINLINE char *jk_say_operand(char *at, unsigned kind, unsigned vl, unsigned reg)
{
    return jk_say_register(at, "", kind < JK_IS_K ? vl : kind == JK_IS_H ? JK_LARGER(vl / 2, 16u) : kind, reg);
}

/* The operand's address, after the name of its size (1: none, as lea wants it). */
static char *jk_say_memory(char *at, const jk_opnd *o, unsigned nbytes, int64_t pool)
{
    static const char sizes[][14] = {
        "[", "word ptr [", "dword ptr [", "qword ptr [", "xmmword ptr [", "ymmword ptr [", "zmmword ptr ["};
    const char *plus = "";
    int64_t disp = o->disp;
    at = jk_say(at, sizes[__builtin_ctz(nbytes)]);
    if (o->kind == JK_OPND_POOL) {
        at = jk_say(at, "rip");
        plus = "+";
        disp += pool;
    }
    if (o->base != JK_NOGP) {
        at = jk_say_register(at, "", 8, o->base);
        plus = "+";
    }
    if (o->index != JK_NOGP) {
        at = jk_say_register(at, plus, 8, o->index);
        *at++ = '*';
        *at++ = (char)('0' + o->scale);
        plus = "+";
    }
    if (disp || !*plus)
        at = jk_say_signed(at, plus, disp);
    return jk_say(at, "]");
}

/* The mnemonic that format and encoding choose in the list, which goes round. */
static char *jk_say_mnemonic(char *at, const jk_asm_line *l)
{
    const char *text = jk_inst_text[l->inst], *next = text;
    unsigned pick = (l->vt.fmt & 3u) + (l->enc == JK_ENC_EVEX ? 4 : 0);
    if (l->inst < JK_V_COUNT && l->enc != JK_ENC_LEGACY)
        *at++ = 'v';
    for (; pick; pick--) {
        next = jk_find_char(next, ',');
        next = next ? next + 1 : text;
    }
    while (*next && *next != ',')
        *at++ = *next++;
    return jk_say(at, l->inst == JK_G_JCC || l->inst == JK_G_CMOV ? jk_names[0][l->v] : "");
}

static char *jk_say_rm(char *at, const jk_asm_line *l, const jk_inst_row *row, unsigned bits, unsigned vl, int64_t pool)
{
    unsigned nbytes = jk_row_bytes(row, bits, vl, l->rm.bcast);
    if (l->rm.kind == JK_OPND_REG)
        return jk_say_operand(at, row->rm, vl, l->rm.reg);
    at = jk_say_memory(at, &l->rm, l->inst == JK_G_LEA ? 1 : nbytes, pool);
    if (l->rm.bcast)
        at += sprintf(at, "{1to%u}", (row->rm == JK_IS_H ? vl / 2 : vl) / nbytes);
    return at;
}

JK_FUNC size_t jk_asm_text(const jk_asm *as, const jk_asm_line *l, int64_t pool, char *text)
{
    const jk_inst_row *row = &jk_inst_rows[l->inst];
    unsigned bits = row->bits[l->vt.fmt & 3], vl = jk_row_length(bits, l->vt.vl);
    const char *op = jk_forms[l->vt.fmt >> 2].ops, *comma = " ";
    char *at = jk_say_mnemonic(text, l);
    for (; *op; op++) {
        if (*op == 'v' && l->enc == JK_ENC_LEGACY)
            continue;
        at = jk_say(at, comma);
        if (*op == 'r')
            at = jk_say_operand(at, row->reg, vl, l->reg);
        else if (*op == 'v')
            at = jk_say_register(at, "", row->rm == JK_IS_K ? 2 : vl, l->v);
        else if (*op == 'm')
            at = jk_say_rm(at, l, row, bits, vl, pool);
        else if (*op == 'i')
            at = jk_say_signed(at, "", (int64_t)l->imm);
        else
            at = jk_say_number(at, "", *op == 'u' ? l->imm : as->address + (uint64_t)as->labels[l->rm.disp]);
        if (*comma == ' ')
            at = jk_say(at, jk_mask_names[l->vt.zero][l->vt.k]);
        comma = ", ";
    }
    if (row->imm && *comma == ',')
        at = l->inst == JK_V_BLENDV ? jk_say_register(at, comma, vl, (unsigned)l->imm >> 4)
                                    : jk_say_number(at, comma, l->imm);
    return (size_t)(at - text);
}

/* A line's address, and its n bytes in hexadecimal. */
JK_NOINLINE void jk_list_bytes(const jk_asm *as, size_t at, size_t n, const char *between)
{
    size_t i;
    fprintf(as->listing, "%8llx  ", (unsigned long long)(as->address + at));
    for (i = 0; i < n; i++)
        fprintf(as->listing, "%s%02x", i ? between : "", as->code[at + i]);
}

/* Address, bytes, text, and the IR value that the instruction helps to compute; then the pool, 16 bytes a line. */
JK_FUNC void jk_asm_list(const jk_asm *as, size_t pool)
{
    const jk_asm_line *l = as->lines;
    size_t left = as->nlines;
    static const char formats[2][20] = {"%*s%s\n", "%*s%-48s ; %%%u\n"};
    char text[JK_ASM_TEXT];
    size_t i, n;
    for (; left-- > 0; l++) {
        n = (left ? l[1].offset : as->n) - l->offset;
        jk_list_bytes(as, l->offset, n, "");
        jk_asm_text(as, l, (int64_t)(pool - l->offset - n), text);
        fprintf(as->listing, formats[l->note != UINT32_MAX], (int)(24 - JK_SMALLER(2 * n, (size_t)23)), "", text,
                (unsigned)l->note);
    }
    for (i = 0; i < as->npool; i += 16) {
        jk_list_bytes(as, pool + i, JK_SMALLER(as->npool - i, (size_t)16), " ");
        fprintf(as->listing, "\n");
    }
}

#undef JK_BY_PREFIX
#undef JK_PACKED
#undef JK_BY_W
#undef JK_BY_OPCODE
#undef JK_BY_SIZE
#undef JK_SPREAD
#undef JK_LANES
#undef JK_ALWAYS
#undef JK_SCALAR
#undef JK_TWO
#undef JK_FOUR

JK_SMALL_CLOSE
