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

JK_NOINLINE char *jk_say(char *at, const char *text)
{
    while ((*at = *text++))
        at++;
    return at;
}

JK_NOINLINE char *jk_say_number(char *at, const char *plus, uint64_t v)
{
    return at + sprintf(at, "%s0x%llx", plus, (unsigned long long)v);
}

JK_NOINLINE char *jk_say_signed(char *at, const char *plus, int64_t v)
{
    return v < 0 ? jk_say_number(at, "-", 0 - (uint64_t)v) : jk_say_number(at, plus, (uint64_t)v);
}

JK_NOINLINE char *jk_say_register(char *at, unsigned nbytes, unsigned reg)
{
    return jk_say(at, jk_names[__builtin_ctz(nbytes)][reg]);
}

/* A register operand. */
JK_NOINLINE char *jk_say_operand(char *at, unsigned kind, unsigned vl, unsigned reg)
{
    return jk_say_register(at, kind < JK_IS_K ? vl : kind == JK_IS_H ? JK_LARGER(vl / 2, 16u) : kind, reg);
}

/* The operand's address, after the name of its size (0: none, as lea wants it). */
static char *jk_say_memory(char *at, const jk_opnd *o, unsigned nbytes, uint64_t end, uint64_t pool)
{
    static const char sizes[][8] = {"", "word", "dword", "qword", "xmmword", "ymmword", "zmmword"};
    const char *plus = "";
    if (nbytes)
        at = jk_say(jk_say(at, sizes[__builtin_ctz(nbytes)]), " ptr ");
    at = jk_say(at, "[");
    if (o->kind == JK_OPND_POOL) {
        at = jk_say_signed(jk_say(at, "rip"), "+", (int64_t)(pool + (uint32_t)o->disp - end));
    } else {
        if (o->base != JK_NOGP) {
            at = jk_say_register(at, 8, o->base);
            plus = "+";
        }
        if (o->index != JK_NOGP) {
            at = jk_say_register(jk_say(at, plus), 8, o->index);
            at += sprintf(at, "*%u", (unsigned)o->scale);
            plus = "+";
        }
        if (o->disp || !*plus)
            at = jk_say_signed(at, plus, o->disp);
    }
    return jk_say(at, "]");
}

/* The mnemonic that format and encoding choose in the list, which goes round. */
static char *jk_say_mnemonic(char *at, const jk_asm_line *l)
{
    const char *text = jk_inst_text[l->inst], *next = text;
    unsigned pick = (l->vt.fmt & 3u) + (l->enc == JK_ENC_EVEX ? 4 : 0);
    if (l->inst < JK_V_COUNT && l->enc != JK_ENC_LEGACY)
        at = jk_say(at, "v");
    for (; pick; pick--) {
        next = jk_find_char(next, ',');
        next = next ? next + 1 : text;
    }
    while (*next && *next != ',')
        *at++ = *next++;
    return jk_say(at, l->inst == JK_G_JCC || l->inst == JK_G_CMOV ? jk_names[0][l->v] : "");
}

static char *jk_say_rm(char *at, const jk_asm_line *l, unsigned bits, unsigned vl, uint64_t end, uint64_t pool)
{
    const jk_inst_row *row = &jk_inst_rows[l->inst];
    unsigned nbytes = jk_row_bytes(row, bits, vl, l->rm.bcast);
    if (l->rm.kind == JK_OPND_REG)
        return jk_say_operand(at, row->rm, vl, l->rm.reg);
    at = jk_say_memory(at, &l->rm, l->inst == JK_G_LEA ? 0 : nbytes, end, pool);
    if (l->rm.bcast)
        at += sprintf(at, "{1to%u}", (row->rm == JK_IS_H ? vl / 2 : vl) / nbytes);
    return at;
}

JK_FUNC size_t jk_asm_text(const jk_asm *as, const jk_asm_line *l, uint64_t end, uint64_t pool, char *text)
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
            at = jk_say_register(at, row->rm == JK_IS_K ? 2 : vl, l->v);
        else if (*op == 'm')
            at = jk_say_rm(at, l, bits, vl, end, pool);
        else if (*op == 'i')
            at = jk_say_signed(at, "", (int64_t)l->imm);
        else
            at = jk_say_number(at, "", *op == 'u' ? l->imm : as->address + (uint64_t)as->labels[l->rm.disp]);
        if (*comma == ' ' && l->vt.k)
            at = jk_say(jk_say(jk_say(at, "{"), jk_names[1][l->vt.k]), l->vt.zero ? "}{z}" : "}");
        comma = ", ";
    }
    if (row->imm && *comma == ',')
        at = l->inst == JK_V_BLENDV ? jk_say_register(jk_say(at, ", "), vl, (unsigned)l->imm >> 4)
                                    : jk_say_number(at, ", ", l->imm);
    return (size_t)(at - text);
}

/* The next `n` bytes in hexadecimal. */
JK_NOINLINE void jk_list_bytes(FILE *f, const uint8_t *bytes, size_t n, const char *between)
{
    size_t i;
    for (i = 0; i < n; i++)
        fprintf(f, "%s%02x", i ? between : "", bytes[i]);
}

/* Address, bytes, text, and the IR value that the instruction helps to compute; then the pool, 16 bytes a line. */
JK_FUNC void jk_asm_list(const jk_asm *as, size_t pool)
{
    const jk_asm_line *l = as->lines, *last = l + as->nlines;
    FILE *f = as->listing;
    char text[JK_ASM_TEXT];
    size_t i, n;
    for (; l < last; l++) {
        n = (l + 1 < last ? l[1].offset : as->n) - l->offset;
        fprintf(f, "%8llx  ", (unsigned long long)(as->address + l->offset));
        jk_list_bytes(f, as->code + l->offset, n, "");
        jk_asm_text(as, l, as->address + l->offset + n, as->address + pool, text);
        fprintf(f, "%*s", (int)(24 - JK_SMALLER(2 * n, (size_t)23)), "");
        if (l->note == UINT32_MAX)
            fprintf(f, "%s\n", text);
        else
            fprintf(f, "%-48s ; %%%u\n", text, (unsigned)l->note);
    }
    for (i = 0; i < as->npool; i += 16) {
        fprintf(f, "%8llx  ", (unsigned long long)(as->address + pool + i));
        jk_list_bytes(f, as->pool + i, JK_SMALLER(as->npool - i, (size_t)16), " ");
        fprintf(f, "\n");
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
