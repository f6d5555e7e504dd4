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
 * operands in Intel order: r reg, v vvvv, m r/m, i the immediate, u the same without a sign, j a label. Vector rows say
 * themselves whether they have an immediate. */
typedef enum jk_form {
    JK_AS_RM = 0 << 2,
    JK_AS_RVM = 1 << 2,
    JK_AS_MR = 2 << 2,
    JK_AS_MR1 = 3 << 2, /* the opcode that follows */
    JK_AS_VM = 4 << 2,
    JK_AS_RMV = 5 << 2,
    JK_AS_MI = 6 << 2, /* immediates of 4 bytes, */
    JK_AS_MU = 7 << 2,
    JK_AS_MI8 = 8 << 2, /* 1 byte, */
    JK_AS_MI0 = 9 << 2, /* and one that the opcode says */
    JK_AS_M = 10 << 2,
    JK_AS_NONE = 11 << 2, /* from here on no ModRM */
    JK_AS_NEAR = 12 << 2,
    JK_AS_SHORT = 13 << 2,
    JK_AS_OPCODE = 14 << 2, /* the register stands in the opcode */
    JK_AS_OPCODE4 = 15 << 2,
    JK_AS_OPCODE8 = 16 << 2
} jk_form;

static const struct jk_form_row {
    char ops[4];
    uint8_t imm;
} jk_forms[] = {{"rm", 0}, {"rvm", 0}, {"mr", 0}, {"mr", 0}, {"vm", 0}, {"rmv", 0}, {"mi", 4}, {"mu", 4}, {"mi", 1},
                {"mi", 0}, {"m", 0},   {"", 0},   {"j", 4},  {"j", 1},  {"m", 0},   {"mu", 4}, {"mu", 8}};

/* ---- the parts of an instruction ---- */

/* The X and B bits of an r/m operand: a register's bits 4 and 3, or the high bits of index and base. */
static inline unsigned jk_opnd_xb(const jk_opnd *o)
{
    unsigned b = o->base, x = o->index;
    if (o->kind == JK_OPND_REG)
        return (unsigned)o->reg >> 3 & 3;
    return (b >> 3 & ~(b >> 7) & 1) | (x >> 3 & ~(x >> 7) & 1) << 1; /* JK_NOGP counts as 0 */
}

/* ModRM, SIB and displacement. Under EVEX an 8-bit displacement counts in units of 1 << shift bytes. `after` is the
 * number of immediate bytes that follow: RIP-relative displacements count from behind them. */
static inline uint8_t *jk_put_rm(jk_asm *as, uint8_t *p, unsigned reg, const jk_opnd *o, unsigned shift, unsigned after)
{
    unsigned base = o->base & 7u, mod = 2;
    int32_t disp = o->disp, small = disp >> shift;
    reg = (reg & 7) << 3;
    if (o->kind == JK_OPND_REG) {
        *p++ = (uint8_t)(0xC0 | reg | (o->reg & 7u));
        return p;
    }
    if (o->kind == JK_OPND_POOL) {
        *p++ = (uint8_t)(reg | 5);
        jk_asm_fixup(as, p, JK_ASM_POOL);
        return jk_put32(p, (uint32_t)disp - 4 - after);
    }
    JK_ASM_MUST(o->index != JK_RSP && (o->scale == 1 || o->scale == 2 || o->scale == 4 || o->scale == 8));
    if (o->base == JK_NOGP) {
        mod = 0;
        base = 5;
    } else if (disp == 0 && base != JK_RBP) { /* rbp and r13 without displacement mean something else */
        mod = 0;
    } else if ((int32_t)((uint32_t)small << shift) == disp && small == (int8_t)small) {
        mod = 1;
    }
    reg |= mod << 6;
    if (o->index == JK_NOGP && o->base != JK_NOGP && base != JK_RSP) {
        *p++ = (uint8_t)(reg | base);
    } else {
        *p++ = (uint8_t)(reg | 4);
        *p++ = (uint8_t)(base | (o->index == JK_NOGP ? 4u << 3
                                                     : (unsigned)__builtin_ctz(o->scale) << 6 | (o->index & 7u) << 3));
    }
    if (mod == 1)
        *p++ = (uint8_t)small;
    else if (mod == 2 || o->base == JK_NOGP)
        p = jk_put32(p, (uint32_t)disp);
    return p;
}

/* Prefix, REX and escape of the legacy encodings. */
static inline uint8_t *jk_put_legacy(uint8_t *p, unsigned pp, unsigned w, unsigned reg, unsigned xb, unsigned map)
{
    unsigned rex = w << 3 | (reg >> 1 & 4) | xb;
    if (pp)
        *p++ = (uint8_t)(0xF2F36600u >> 8 * pp);
    if (rex)
        *p++ = (uint8_t)(0x40 | rex);
    if (map)
        *p++ = 0x0F;
    if (map > 1)
        *p++ = (uint8_t)(map == 2 ? 0x38 : 0x3A);
    return p;
}

/* VEX of two or three bytes, or EVEX, whose last byte is `low` (zeroing << 7, broadcast << 4, mask register), length and
 * the high bit of v. */
static inline uint8_t *jk_put_vex(uint8_t *p, bool evex, unsigned pp, unsigned w, unsigned l, unsigned reg, unsigned v,
                                  unsigned xb, unsigned map, unsigned low)
{
    unsigned second = (~reg << 4 & 0x80) | (~xb & 3) << 5 | map, third = w << 7 | (~v & 15) << 3 | pp;
    if (evex)
        return jk_put32(p, 0x62 | (second | (~reg & 0x10)) << 8 | (third | 4) << 16 |
                               (low | l << 5 | (~v >> 1 & 8)) << 24);
    third |= l << 2;
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
JK_FUNC bool jk_asm_sayable(jk_enc enc, jk_inst i, jk_vt vt, unsigned vl, unsigned reg, unsigned v, const jk_opnd *rm)
{
    const jk_inst_row *row = &jk_inst_rows[i];
    unsigned high = reg | v | (rm->kind == JK_OPND_REG ? rm->reg : 0u);
    if (!(row->has >> enc & 1) || !row->op[vt.fmt & 3])
        return false;
    if (i > JK_K_LAST)
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
    unsigned form = vt.fmt & ~3u, bits = row->bits[vt.fmt & 3],
             op = row->op[vt.fmt & 3] + (form == JK_AS_MR1 ? 1u : 0u);
    unsigned vl = jk_row_length(bits, vt.vl), nimm = row->imm + jk_forms[form >> 2].imm, shift = 0;
    unsigned w = bits >> 7, xb = jk_opnd_xb(&rm);
    jk_enc enc = row->has >> as->enc & 1 ? as->enc : row->has >> JK_ENC_VEX & 1 ? JK_ENC_VEX : JK_ENC_LEGACY;
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return;
    JK_ASM_MUST(jk_asm_sayable(enc, i, vt, vl, reg, v, &rm));
    if (as->listing)
        jk_asm_record(as, i, enc, vt, reg, v, rm, imm);
    if (i > JK_K_LAST)
        w = bits & JK_D64 ? 0 : vl >> 3;
    if (enc != JK_ENC_LEGACY) {
        bool evex = enc == JK_ENC_EVEX;
        if (evex) {
            w = bits >> 6 & 1;
            shift = (unsigned)__builtin_ctz(jk_row_bytes(row, bits, vl, rm.bcast));
        }
        p = jk_put_vex(p, evex, bits & 3, w, vl >> 5, reg, v, xb, row->map,
                       (unsigned)vt.zero << 7 | (unsigned)rm.bcast << 4 | vt.k);
    } else {
        p = jk_put_legacy(p, bits & 3, w, reg, xb, form == JK_AS_SHORT ? 0u : row->map);
        if (i > JK_K_LAST)
            op += v;
    }
    if (form >= JK_AS_OPCODE)
        op += rm.reg & 7u;
    *p++ = (uint8_t)op;
    if (form < JK_AS_NONE)
        p = jk_put_rm(as, p, reg, &rm, shift, nimm);
    memcpy(p, &imm, 8);
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
        form = JK_AS_MR;
        reg = src2.reg;
        src2 = jk_opnd_reg(dst);
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

JK_FUNC void jk_asm_vstore(jk_asm *as, jk_inst i, jk_vt vt, jk_opnd to, unsigned src, unsigned imm)
{
    bool move = jk_inst_rows[i].form == JK_FORM_MOVE;
    JK_ASM_MUST(move || jk_inst_rows[i].form == JK_FORM_MR);
    JK_ASM_MUST(!vt.zero || to.kind == JK_OPND_REG);
    if (move && to.kind == JK_OPND_REG) {
        jk_asm_v(as, i, vt, to.reg, to.reg, jk_opnd_reg(src), imm);
        return;
    }
    vt.fmt |= (uint8_t)(move ? JK_AS_MR1 : JK_AS_MR);
    jk_asm_put(as, i, vt, src, 0, to, imm);
}

JK_FUNC void jk_asm_k(jk_asm *as, jk_inst i, unsigned dst, unsigned a, unsigned b)
{
    jk_vt vt = {0, 16, 0, 0};
    jk_asm_v(as, i, vt, dst, a, jk_opnd_reg(b), 0);
}

JK_SMALL_CLOSE
