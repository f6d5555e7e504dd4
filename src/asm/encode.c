/* asm: the encoder. An instruction is a row, a form (how its operands stand) and the fields reg, vvvv and r/m; one
 * function makes bytes of them, whether legacy, VEX or EVEX, vectors, masks or general registers. It knows no mnemonic.
 */
#include "asm.h"

JK_SMALL_OPEN

/* ---- the tables ---- */

/* A vector row's form; which of its jk_form it is may depend on format and operand. */
enum jk_row_form {
    JK_FORM_RVM,
    JK_FORM_RM,
    JK_FORM_R1M,
    JK_FORM_MOVE,
    JK_FORM_MR,
    JK_FORM_VMI = 8, /* + the digit of the reg field */
    JK_FORM_VMI2 = JK_FORM_VMI + 2,
    JK_FORM_VMI6 = JK_FORM_VMI + 6
};

/* Registers of a fixed size are that many bytes; mask registers have two. */
enum jk_row_operand {
    JK_IS_V,
    JK_IS_M,
    JK_IS_K,
    JK_IS_H,
    JK_IS_G4 = 4,
    JK_IS_G8 = 8,
    JK_IS_V128 = 16,
    JK_IS_V256 = 32
};

/* Features; a row has an encoding where its feature is not NO. */
enum jk_row_feature {
    JK_IN_NO,
    JK_IN_SSE2,
    JK_IN_SSE3,
    JK_IN_SSE41,
    JK_IN_AVX,
    JK_IN_AVX2,
    JK_IN_FMA,
    JK_IN_F,
    JK_IN_DQ
};

typedef struct jk_inst_row {
    uint8_t op[4], bits[4]; /* by format */
    uint8_t map;
    uint8_t form; /* jk_row_form; general rows: the digit of the reg field */
    uint8_t reg, rm, imm;
    uint8_t has; /* 1 << jk_enc */
} jk_inst_row;

#define JK_HAS(legacy, vex, evex) \
    (JK_IN_##legacy != 0) << JK_ENC_LEGACY | (JK_IN_##vex != 0) << JK_ENC_VEX | (JK_IN_##evex != 0) << JK_ENC_EVEX
static const jk_inst_row jk_inst_rows[JK_INST_COUNT] = {
#define JK_ROW(NAME, text, map, rule, form, reg, rm, imm, legacy, vex, evex) \
    {rule, map, JK_FORM_##form, JK_IS_##reg, JK_IS_##rm, imm, JK_HAS(legacy, vex, evex)},
    JK_INSTS_V(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, rule, form, reg, rm) {rule, 1, JK_FORM_##form, JK_IS_##reg, JK_IS_##rm, 0, 1 << JK_ENC_VEX},
        JK_INSTS_K(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, prefix, map, load, store, imm32, digit, imm8) \
    {{load, store, imm32, imm8},                                         \
     {prefix, prefix, prefix, prefix},                                   \
     map,                                                                \
     digit,                                                              \
     JK_IS_V,                                                            \
     JK_IS_V,                                                            \
     0,                                                                  \
     1 << (map == 2 ? JK_ENC_VEX : JK_ENC_LEGACY)},
            JK_INSTS_G(JK_ROW)
#undef JK_ROW
#define JK_ROW(NAME, text, enc, prefix, map, opcode, last) \
    {{opcode, last, 0, 0}, {prefix, prefix, prefix, prefix}, map, 0, JK_IS_V, JK_IS_V, last != 0, 1 << JK_ENC_##enc},
                JK_INSTS_NONE(JK_ROW)
#undef JK_ROW
};
#undef JK_HAS

/* How operands stand. As jk_vt.fmt: a format (of general instructions: the opcode's column) and one of these. The
 * operands in Intel order: r reg, v vvvv, m r/m, i the immediate, u the same without a sign, j a label; then the bytes
 * of the immediate (vector rows say themselves whether they have one), where r/m stands, whether the row's map counts,
 * and what the opcode goes up by. */
#define JK_FORMS(X)                     \
    X(RM, "rm", 0, MODRM, 255, 0)       \
    X(RVM, "rvm", 0, MODRM, 255, 0)     \
    X(MR, "mr", 0, MODRM, 255, 0)       \
    X(MR1, "mr", 0, MODRM, 255, 1)      \
    X(VM, "vm", 0, MODRM, 255, 0)       \
    X(RMV, "rmv", 0, MODRM, 255, 0)     \
    X(MI, "mi", 4, MODRM, 255, 0)       \
    X(MU, "mu", 4, MODRM, 255, 0)       \
    X(MI8, "mi", 1, MODRM, 255, 0)      \
    X(MI0, "mi", 0, MODRM, 255, 0)      \
    X(M, "m", 0, MODRM, 255, 0)         \
    X(NONE, "", 0, NOWHERE, 255, 0)     \
    X(NEAR, "j", 4, NOWHERE, 255, 0)    \
    X(SHORT, "j", 1, NOWHERE, 0, 0)     \
    X(OPCODE, "m", 0, OPCODE, 255, 0)   \
    X(OPCODE4, "mu", 4, OPCODE, 255, 0) \
    X(OPCODE8, "mu", 8, OPCODE, 255, 0)
enum jk_rm_place { JK_RM_NOWHERE, JK_RM_OPCODE, JK_RM_MODRM };
enum jk_form_number {
#define JK_ROW(NAME, ops, imm, rm, map, plus) JK_FORM_NUMBER_##NAME,
    JK_FORMS(JK_ROW)
#undef JK_ROW
        JK_FORM_COUNT
};
typedef enum jk_form {
#define JK_ROW(NAME, ops, imm, rm, map, plus) JK_AS_##NAME = JK_FORM_NUMBER_##NAME << 2,
    JK_FORMS(JK_ROW)
#undef JK_ROW
        JK_AS_END = JK_FORM_COUNT << 2
} jk_form;

typedef struct jk_form_row {
    char ops[4];
    uint8_t imm, rm, map, plus;
} jk_form_row;
static const jk_form_row jk_forms[] = {
#define JK_ROW(NAME, ops, imm, rm, map, plus) {ops, imm, JK_RM_##rm, map, plus},
    JK_FORMS(JK_ROW)
#undef JK_ROW
};
#undef JK_FORMS

/* What an assembler of each encoding takes for a row that has those of the bits. */
static const uint8_t jk_encodings[8][4] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {1, 1, 1, 0}, {0, 1, 1, 0},
                                           {0, 0, 2, 0}, {0, 0, 2, 0}, {1, 1, 2, 0}, {0, 1, 2, 0}};

/* ---- the parts of an instruction ---- */

/* The X and B bits of an r/m operand: a register's bits 4 and 3, or the high bits of index and base. */
static inline unsigned jk_opnd_xb(const jk_opnd *o)
{
    unsigned b = o->base, x = o->index;
    if (o->kind == JK_OPND_REG)
        return (unsigned)o->reg >> 3 & 3;
    return (b >> 3 & 1) | (x >> 2 & 2); /* JK_NOGP has 0 */
}

/* ModRM, SIB and displacement. Under EVEX an 8-bit displacement counts in units of 1 << shift bytes. `after` is the
 * number of immediate bytes that follow: RIP-relative displacements count from behind them. */
static inline uint8_t *jk_put_rm(jk_asm *as, uint8_t *p, unsigned reg, const jk_opnd *o, unsigned shift, unsigned after)
{
    unsigned base = o->base & 7u, low = base, mod = 2;
    int32_t disp = o->disp, small = disp >> shift;
    if (o->kind == JK_OPND_REG) {
        mod = 3;
        low = o->reg & 7u;
    } else if (o->kind == JK_OPND_POOL) {
        mod = 0;
        disp -= (int32_t)(4 + after);
        jk_asm_fixup(as, p + 1, JK_ASM_POOL);
    } else {
        JK_ASM_MUST(o->index != JK_RSP && (o->scale == 1 || o->scale == 2 || o->scale == 4 || o->scale == 8));
        if (o->index != JK_NOGP || o->base == JK_NOGP || base == JK_RSP)
            low = 4;                                             /* a SIB byte follows */
        if (o->base == JK_NOGP || (disp == 0 && base != JK_RBP)) /* rbp and r13 alone are the base that there is none */
            mod = 0;
        else if ((int32_t)((uint32_t)small << shift) == disp && small == (int8_t)small)
            mod = 1;
    }
    *p++ = (uint8_t)(mod << 6 | (reg & 7) << 3 | low);
    if (low == 4 && mod < 3)
        *p++ = (uint8_t)(base | (o->index == JK_NOGP ? 4u << 3
                                                     : (unsigned)__builtin_ctz(o->scale) << 6 | (o->index & 7u) << 3));
    if (mod == 1)
        *p++ = (uint8_t)small;
    else if (mod == 2 || (mod == 0 && base == 5))
        p = jk_put32(p, (uint32_t)disp);
    return p;
}

/* Prefix, REX and escape of the legacy encodings: each is written, and stays where it is needed. */
static inline uint8_t *jk_put_legacy(uint8_t *p, unsigned pp, unsigned w, unsigned reg, unsigned xb, unsigned map)
{
    unsigned rex = w << 3 | (reg >> 1 & 4) | xb;
    *p = (uint8_t)(0xF2F36600u >> 8 * pp);
    p += pp != 0;
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    *p = 0x0F;
    p += map != 0;
    *p = (uint8_t)(0x34 + 2 * map); /* 38 and 3A */
    return p + (map > 1);
}

/* VEX of two or three bytes, or EVEX, whose last byte is zeroing << 7, length << 5, broadcast << 4, the high bit of v,
 * and the mask register. */
static inline uint8_t *jk_put_vex(uint8_t *p, const jk_asm_line *l, unsigned pp, unsigned w, unsigned length,
                                  unsigned xb, unsigned map)
{
    unsigned reg = ~(unsigned)l->reg, v = ~(unsigned)l->v;
    unsigned second = (reg << 4 & 0x80) | (~xb & 3) << 5 | map, third = w << 7 | (v & 15) << 3 | pp;
    if (l->enc == JK_ENC_EVEX)
        return jk_put32(
            p, 0x62 | (second | (reg & 0x10)) << 8 | (third | 4) << 16 |
                   ((unsigned)l->vt.zero << 7 | length << 5 | (unsigned)l->rm.bcast << 4 | (v >> 1 & 8) | l->vt.k)
                       << 24);
    third |= length << 2;
    if (xb | w || map != 1)
        return jk_put32(p, 0xC4 | second << 8 | third << 16) - 1;
    return jk_put32(p, 0xC5 | (second & 0x80) << 8 | third << 8) - 2;
}

/* Bytes of a row's memory operand. */
static inline unsigned jk_row_bytes(const jk_inst_row *row, unsigned bits, unsigned vl, unsigned bcast)
{
    if (bcast || bits & JK_ELEM)
        return bits & JK_EW ? 8 : 4;
    return row->rm < JK_IS_K ? vl : row->rm == JK_IS_H ? vl / 2 : row->rm;
}

static inline unsigned jk_row_length(unsigned bits, unsigned vl)
{
    return bits & JK_L128 ? 16 : bits & JK_L256 ? 32 : vl;
}

#ifdef JK_DEBUG
/* What an encoding cannot say. */
JK_FUNC bool jk_asm_sayable(const jk_asm_line *l, unsigned vl)
{
    const jk_inst_row *row = &jk_inst_rows[l->inst];
    const jk_opnd *rm = &l->rm;
    jk_vt vt = l->vt;
    unsigned enc = l->enc, reg = l->reg, v = l->v, high = reg | v | (rm->kind == JK_OPND_REG ? rm->reg : 0u);
    if (!(row->has >> enc & 1) || !row->op[vt.fmt & 3])
        return false;
    if (l->inst > JK_K_LAST)
        return (vl == 0 || vl == 4 || vl == 8) && high < 16;
    if (vl != 16 && vl != 32 && vl != 64)
        return false;
    if (row->rm == JK_IS_K && rm->kind == JK_OPND_REG && rm->reg > 7)
        return false;
    if (row->reg == JK_IS_K && reg > 7)
        return false;
    if (enc != JK_ENC_EVEX)
        return high < 16 && !vt.k && !vt.zero && !rm->bcast && vl <= (enc == JK_ENC_VEX ? 32u : 16u);
    if (rm->bcast &&
        (rm->kind == JK_OPND_REG || (row->rm != JK_IS_V && row->rm != JK_IS_H) || row->bits[vt.fmt & 3] & JK_ELEM))
        return false;
    return high < 32 && vt.k < 8 && (!vt.zero || (vt.k && row->reg != JK_IS_K));
}
#endif

/* ---- the one place where instructions become bytes ---- */

/* vt.fmt is a format and a jk_form; vt.vl of a general instruction is the operand size, v what its opcode counts up by.
 */
JK_NOINLINE void jk_asm_put(jk_asm *as, jk_inst i, jk_vt vt, unsigned reg, unsigned v, jk_opnd rm, uint64_t imm)
{
    const jk_inst_row *row = &jk_inst_rows[i];
    const jk_form_row *form = &jk_forms[vt.fmt >> 2];
    unsigned bits = row->bits[vt.fmt & 3], vl, w, op, xb, nimm, shift = 0;
    uint8_t *p;
    jk_asm_line l;
    if (as->cap - as->n < JK_ASM_ROOM && !jk_asm_widen(as, &as->code, as->n + JK_ASM_ROOM))
        return;
    l.inst = (uint16_t)i;
    l.enc = jk_encodings[row->has][as->enc];
    l.reg = (uint8_t)reg;
    l.v = (uint8_t)v;
    l.vt = vt;
    l.rm = rm;
    l.imm = imm;
    vl = jk_row_length(bits, l.vt.vl);
    JK_ASM_MUST(jk_asm_sayable(&l, vl));
    if (as->listing)
        jk_asm_record(as, &l);
    p = as->code + as->n;
    xb = jk_opnd_xb(&l.rm);
    w = l.inst > JK_K_LAST ? (vl & ~bits) >> 3 /* JK_D64 */ : bits >> 7;
    if (l.enc == JK_ENC_EVEX) {
        w = bits >> 6 & 1;
        shift = (unsigned)__builtin_ctz(jk_row_bytes(row, bits, vl, l.rm.bcast));
    }
    if (l.enc == JK_ENC_LEGACY)
        p = jk_put_legacy(p, bits & 3, w, l.reg, xb, row->map & form->map);
    else
        p = jk_put_vex(p, &l, bits & 3, w, vl >> 5, xb, row->map);
    op = row->op[l.vt.fmt & 3] + form->plus;
    if (l.inst > JK_K_LAST && l.enc == JK_ENC_LEGACY)
        op += l.v;
    if (form->rm == JK_RM_OPCODE)
        op += l.rm.reg & 7u;
    *p++ = (uint8_t)op;
    nimm = row->imm + form->imm;
    if (form->rm == JK_RM_MODRM)
        p = jk_put_rm(as, p, l.reg, &l.rm, shift, nimm);
    memcpy(p, &l.imm, 8);
    as->n = (size_t)(p - as->code) + nimm;
}

/* ---- vectors and masks ---- */

JK_FUNC void jk_asm_v(jk_asm *as, jk_inst i, jk_vt vt, unsigned dst, unsigned src1, jk_opnd src2, unsigned imm)
{
    const jk_inst_row *row;
    unsigned reg = dst, v = 0, form = JK_AS_RM;
    bool scalar;
    if (i == JK_V_BROADCAST && vt.vl == 16 && (vt.fmt & 1))
        i = JK_V_MOVDDUP;
    row = &jk_inst_rows[i];
    scalar = row->bits[vt.fmt] & JK_ELEM;
    if (row->form == JK_FORM_MR) {
        JK_ASM_MUST(!vt.zero || src2.kind == JK_OPND_REG);
        form = JK_AS_MR;
        if (src2.kind == JK_OPND_REG) {
            reg = src2.reg;
            src2 = jk_opnd_reg(dst);
        }
    } else if (row->form == JK_FORM_MOVE && imm == JK_STORE) {
        JK_ASM_MUST(!vt.zero && src2.kind != JK_OPND_REG);
        form = JK_AS_MR1;
    } else if (row->form >= JK_FORM_VMI) {
        JK_ASM_MUST(as->enc != JK_ENC_LEGACY || dst == src2.reg);
        form = JK_AS_VM;
        reg = row->form - JK_FORM_VMI;
        v = dst;
    } else if (row->form == JK_FORM_RVM || (row->form == JK_FORM_MOVE && scalar && src2.kind == JK_OPND_REG)) {
        JK_ASM_MUST(as->enc != JK_ENC_LEGACY || row->form != JK_FORM_RVM || dst == src1);
        form = JK_AS_RVM;
        v = src1;
    } else if (row->form == JK_FORM_R1M && scalar) {
        form = JK_AS_RVM;
        v = src2.kind == JK_OPND_REG && row->rm != JK_IS_G8 ? src2.reg : dst;
    }
    vt.fmt |= (uint8_t)form;
    jk_asm_put(as, i, vt, reg, v, src2, imm);
}

JK_FUNC void jk_asm_k(jk_asm *as, jk_inst i, unsigned dst, unsigned a, unsigned b)
{
    jk_vt vt = {0, 16, 0, 0};
    jk_asm_v(as, i, vt, dst, a, jk_opnd_reg(b), 0);
}

JK_SMALL_CLOSE
