/* asm: the listing. Every emitted instruction was recorded with its operands (jk_asm_line); here the records become
 * Intel syntax, once all places are known. Mnemonics and operand kinds come from the same rows as the bytes. */
#include "asm.h"

JK_SMALL_OPEN

static const char *const jk_inst_text[JK_INST_COUNT] = {
#define JK_ROW(NAME, text, map, rule, form, reg, rm, imm, legacy, vex, evex) text,
    JK_INSTS_V(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, l, opcode) text,
        JK_INSTS_K(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, prefix, map, load, store, imm32, digit, imm8) text,
            JK_INSTS_G(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, nbytes, bytes) text,
                JK_INSTS_NONE(JK_ROW)
#undef JK_ROW
};

/* Text under construction: what is appended goes to *at. */
JK_FUNC void jk_say(char **at, const char *format, ...) __attribute__((format(printf, 2, 3)));
JK_FUNC void jk_say(char **at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    *at += vsprintf(*at, format, args);
    va_end(args);
}

static void jk_say_gp(char **at, unsigned w, unsigned reg)
{
    if (reg < 8)
        jk_say(at, "%c%.2s", w == 8 ? 'r' : 'e', &"axcxdxbxspbpsidi"[2 * reg]);
    else
        jk_say(at, "r%u%s", reg, w == 8 ? "" : "d");
}

static void jk_say_vector(char **at, unsigned vl, unsigned reg)
{
    jk_say(at, "%cmm%u", "xyz"[vl >> 5], reg);
}

static void jk_say_signed(char **at, const char *plus, int64_t v)
{
    if (v < 0)
        jk_say(at, "-0x%llx", (unsigned long long)(0 - (uint64_t)v));
    else
        jk_say(at, "%s0x%llx", plus, (unsigned long long)v);
}

/* The operand's address, after the name of its size (0: none, as lea wants it). */
static void jk_say_memory(char **at, const jk_opnd *o, unsigned nbytes, uint64_t end, uint64_t pool)
{
    static const char *const sizes[] = {"", "", "word", "dword", "qword", "xmmword", "ymmword", "zmmword"};
    const char *plus = "";
    if (nbytes)
        jk_say(at, "%s ptr ", sizes[nbytes == 2 ? 2 : __builtin_ctz(nbytes) + 1]);
    jk_say(at, "[");
    if (o->kind == JK_OPND_POOL) {
        jk_say(at, "rip");
        jk_say_signed(at, "+", (int64_t)(pool + (uint32_t)o->disp - end));
    } else {
        if (o->base != JK_NOGP) {
            jk_say_gp(at, 8, o->base);
            plus = "+";
        }
        if (o->index != JK_NOGP) {
            jk_say(at, "%s", plus);
            jk_say_gp(at, 8, o->index);
            jk_say(at, "*%u", o->scale);
            plus = "+";
        }
        if (o->disp || !*plus)
            jk_say_signed(at, plus, o->disp);
    }
    jk_say(at, "]");
}

/* The alternative of a mnemonic that the format chooses, with % replaced. */
static void jk_say_mnemonic(char **at, const char *text, jk_enc enc, const jk_vrow *row, unsigned fmt)
{
    const char *evex = jk_find_char(text, '|'), *stop;
    unsigned n = 1, pick;
    if (enc == JK_ENC_EVEX && evex) {
        text = evex + 1;
        evex = NULL;
    }
    stop = evex ? evex : text + strlen(text);
    for (pick = 0; text + pick < stop; pick++)
        n += text[pick] == ',';
    for (pick = fmt & (n - 1); pick; pick--)
        text = jk_find_char(text, ',') + 1;
    if (enc != JK_ENC_LEGACY)
        jk_say(at, "v");
    for (; text < stop && *text != ','; text++)
        if (*text == '%')
            jk_say(at, "%c%c", row->bits[fmt] & JK_ELEM ? 's' : 'p', fmt & 1 ? 'd' : 's');
        else
            jk_say(at, "%c", *text);
}

static void jk_say_operand(char **at, unsigned kind, unsigned vl, unsigned reg)
{
    switch (kind) {
    case JK_IS_K:
        jk_say(at, "k%u", reg);
        break;
    case JK_IS_G4:
    case JK_IS_G8:
        jk_say_gp(at, kind == JK_IS_G8 ? 8 : 4, reg);
        break;
    case JK_IS_H:
        jk_say_vector(at, JK_LARGER(vl / 2, 16u), reg);
        break;
    case JK_IS_S:
    case JK_IS_V128:
        jk_say_vector(at, 16, reg);
        break;
    case JK_IS_V256:
        jk_say_vector(at, 32, reg);
        break;
    default:
        jk_say_vector(at, vl, reg);
    }
}

static void jk_say_rm(char **at, const jk_vrow *row, const jk_asm_line *l, unsigned vl, uint64_t end, uint64_t pool)
{
    unsigned bits = row->bits[l->vt.fmt], nbytes = jk_row_bytes(row, bits, vl, l->opnd.bcast);
    if (l->opnd.kind == JK_OPND_REG) {
        jk_say_operand(at, row->rm, vl, l->opnd.reg);
        return;
    }
    jk_say_memory(at, &l->opnd, nbytes, end, pool);
    if (l->opnd.bcast)
        jk_say(at, "{1to%u}", (row->rm == JK_IS_H ? vl / 2 : vl) / nbytes);
}

static void jk_say_mask(char **at, jk_vt vt)
{
    if (vt.k)
        jk_say(at, "{k%u}", vt.k);
    if (vt.zero)
        jk_say(at, "{z}");
}

static void jk_say_row(char **at, const jk_asm_line *l, uint64_t end, uint64_t pool)
{
    const jk_vrow *row = &jk_vrows[l->inst];
    unsigned bits = row->bits[l->vt.fmt], vl = bits & JK_L128 ? 16 : l->vt.vl;
    bool scalar = bits & JK_ELEM, shift = row->form >= JK_FORM_VMI;
    bool named = row->form == JK_FORM_RVM || (row->form == JK_FORM_R1M && scalar) || shift ||
                 (row->form == JK_FORM_MOVE && scalar && l->opnd.kind == JK_OPND_REG);
    jk_enc enc = (jk_enc)l->enc;
    if (enc == JK_ENC_EVEX && !(row->has >> JK_ENC_EVEX & 1))
        enc = JK_ENC_VEX;
    jk_say_mnemonic(at, jk_inst_text[l->inst], enc, row, l->vt.fmt);
    jk_say(at, " ");
    if (l->store)
        jk_say_rm(at, row, l, vl, end, pool);
    else
        jk_say_operand(at, row->reg, vl, l->dst);
    jk_say_mask(at, l->vt);
    if (named && !shift && enc != JK_ENC_LEGACY) {
        jk_say(at, ", ");
        jk_say_vector(at, vl, l->src1);
    }
    if (l->store) {
        jk_say(at, ", ");
        jk_say_operand(at, row->reg, vl, l->dst);
    } else if (!shift || enc != JK_ENC_LEGACY) {
        jk_say(at, ", ");
        jk_say_rm(at, row, l, vl, end, pool);
    }
    if (!row->imm)
        return;
    jk_say(at, ", ");
    if (l->inst == JK_V_BLENDV)
        jk_say_vector(at, vl, (unsigned)l->imm >> 4);
    else
        jk_say(at, "0x%x", (unsigned)(l->imm & 0xff));
}

static void jk_say_plain(const jk_asm *as, char **at, const jk_asm_line *l, uint64_t end, uint64_t pool)
{
    static const char codes[16][4] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                      "s", "ns", "p", "np", "l", "ge", "le", "g"};
    bool cc = l->inst == JK_G_JCC || l->inst == JK_G_CMOV;
    const char *ops;
    jk_say(at, "%s%s", jk_inst_text[l->inst], cc ? codes[l->cc & 15] : "");
    for (ops = l->ops; *ops; ops++) {
        jk_say(at, ops == l->ops ? " " : ", ");
        if (*ops == 'r' || *ops == 's')
            jk_say_gp(at, l->w, *ops == 'r' ? l->dst : l->src1);
        else if (*ops == 'k' || *ops == 'a')
            jk_say(at, "k%u", *ops == 'k' ? l->dst : l->src1);
        else if (*ops == 'i' && l->ops[0] == 'r' && l->ops[1] == 'i')
            jk_say(at, "0x%llx", (unsigned long long)l->imm);
        else if (*ops == 'i')
            jk_say_signed(at, "", (int64_t)l->imm);
        else if (*ops == 'j')
            jk_say(at, "0x%llx", (unsigned long long)(as->address + (uint64_t)as->labels[l->imm]));
        else if (l->opnd.kind != JK_OPND_REG)
            jk_say_memory(at, &l->opnd, *ops == 'n' ? 2 : l->inst == JK_G_LEA ? 0 : l->w, end, pool);
        else if (*ops == 'm')
            jk_say_gp(at, l->w, l->opnd.reg);
        else
            jk_say(at, "k%u", l->opnd.reg);
    }
}

JK_FUNC size_t jk_asm_text(const jk_asm *as, const jk_asm_line *line, uint64_t end, uint64_t pool, char *text)
{
    char *at = text;
    *at = 0;
    if (line->ops)
        jk_say_plain(as, &at, line, end, pool);
    else
        jk_say_row(&at, line, end, pool);
    return (size_t)(at - text);
}

/* Address, bytes, text, and the IR value that the instruction helps to compute; then the pool, 16 bytes a line. */
JK_FUNC void jk_asm_list(const jk_asm *as, size_t pool)
{
    const jk_asm_line *lines = (const jk_asm_line *)as->lines;
    char text[JK_ASM_TEXT];
    size_t i, j, end;
    for (i = 0; i < as->nlines; i++) {
        end = i + 1 < as->nlines ? lines[i + 1].offset : as->n;
        fprintf(as->listing, "%8llx  ", (unsigned long long)(as->address + lines[i].offset));
        for (j = lines[i].offset; j < end; j++)
            fprintf(as->listing, "%02x", as->code[j]);
        jk_asm_text(as, &lines[i], as->address + end, as->address + pool, text);
        fprintf(as->listing, "%*s", (int)(24 - JK_SMALLER(2 * (j - lines[i].offset), (size_t)23)), "");
        if (lines[i].note == UINT32_MAX)
            fprintf(as->listing, "%s\n", text);
        else
            fprintf(as->listing, "%-48s ; %%%u\n", text, (unsigned)lines[i].note);
    }
    for (i = 0; i < as->npool; i += 16) {
        fprintf(as->listing, "%8llx  ", (unsigned long long)(as->address + pool + i));
        for (j = i; j < as->npool && j < i + 16; j++)
            fprintf(as->listing, "%s%02x", j > i ? " " : "", as->pool[j]);
        fprintf(as->listing, "\n");
    }
}

JK_SMALL_CLOSE
