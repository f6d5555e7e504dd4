/* asm: the encoders of vector and mask instructions. An instruction is a row and a form; this file turns rows into
 * bytes and knows no mnemonic. */
#include "asm.h"

JK_SMALL_OPEN

/* ---- the tables ---- */

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

enum jk_row_operand { JK_IS_V, JK_IS_M, JK_IS_H, JK_IS_S, JK_IS_V128, JK_IS_V256, JK_IS_K, JK_IS_G4, JK_IS_G8 };

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

typedef struct jk_vrow {
    uint8_t op[4], bits[4]; /* by format */
    uint8_t map, form, reg, rm, imm;
    uint8_t has; /* 1 << jk_enc */
} jk_vrow;

static const jk_vrow jk_vrows[JK_V_COUNT] = {
#define JK_ROW(NAME, text, map, rule, form, reg, rm, imm, legacy, vex, evex) \
    {rule,                                                                   \
     map,                                                                    \
     JK_FORM_##form,                                                         \
     JK_IS_##reg,                                                            \
     JK_IS_##rm,                                                             \
     imm,                                                                    \
     (JK_IN_##legacy != 0) << JK_ENC_LEGACY | (JK_IN_##vex != 0) << JK_ENC_VEX | (JK_IN_##evex != 0) << JK_ENC_EVEX},
    JK_INSTS_V(JK_ROW)
#undef JK_ROW
};

typedef struct jk_krow {
    uint8_t l, op;
} jk_krow;

static const jk_krow jk_krows[JK_K_END - JK_V_COUNT] = {
#define JK_ROW(NAME, text, l, opcode) {l, opcode},
    JK_INSTS_K(JK_ROW)
#undef JK_ROW
};

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
    unsigned r = (reg & 7) << 3, base = o->base & 7u, mod, sib;
    int32_t disp = o->disp, small = disp >> shift;
    if (o->kind == JK_OPND_REG) {
        *p++ = (uint8_t)(0xC0 | r | (o->reg & 7u));
        return p;
    }
    if (o->kind == JK_OPND_POOL) {
        *p++ = (uint8_t)(r | 5);
        jk_asm_fixup(as, p, JK_ASM_POOL);
        return jk_put32(p, (uint32_t)disp - 4 - after);
    }
    JK_ASM_MUST(o->index != JK_RSP && (o->scale == 1 || o->scale == 2 || o->scale == 4 || o->scale == 8));
    if (o->base == JK_NOGP || (disp == 0 && base != JK_RBP)) /* rbp and r13 without displacement mean something else */
        mod = 0;
    else
        mod = (disp & ((1 << shift) - 1)) == 0 && small == (int8_t)small ? 1 : 2;
    if (o->index == JK_NOGP && o->base != JK_NOGP && base != JK_RSP) {
        *p++ = (uint8_t)(mod << 6 | r | base);
    } else {
        sib = o->index == JK_NOGP ? 4u << 3 : (unsigned)__builtin_ctz(o->scale) << 6 | (o->index & 7u) << 3;
        *p++ = (uint8_t)(mod << 6 | r | 4);
        *p++ = (uint8_t)(sib | (o->base == JK_NOGP ? 5 : base));
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
    static const uint8_t prefixes[4] = {0, 0x66, 0xF3, 0xF2};
    unsigned rex = w << 3 | (reg >> 3 & 1) << 2 | xb;
    if (pp)
        *p++ = prefixes[pp];
    if (rex)
        *p++ = (uint8_t)(0x40 | rex);
    if (map)
        *p++ = 0x0F;
    if (map > 1)
        *p++ = map == 2 ? 0x38 : 0x3A;
    return p;
}

static inline uint8_t *jk_put_vex(uint8_t *p, unsigned pp, unsigned w, unsigned l, unsigned reg, unsigned v,
                                  unsigned xb, unsigned map)
{
    unsigned r = ~reg << 4 & 0x80, last = (~v & 15) << 3 | l << 2 | pp;
    if (xb == 0 && w == 0 && map == 1) {
        *p++ = 0xC5;
        *p++ = (uint8_t)(r | last);
        return p;
    }
    *p++ = 0xC4;
    *p++ = (uint8_t)(r | (~xb & 3) << 5 | map);
    *p++ = (uint8_t)(w << 7 | last);
    return p;
}

/* ll: vector length 0 1 2; low: the byte's zeroing, broadcast and mask bits. */
static inline uint8_t *jk_put_evex(uint8_t *p, unsigned pp, unsigned w, unsigned ll, unsigned reg, unsigned v,
                                   unsigned xb, unsigned map, unsigned low)
{
    *p++ = 0x62;
    *p++ = (uint8_t)((~reg << 4 & 0x80) | (~xb & 3) << 5 | (~reg & 0x10) | map);
    *p++ = (uint8_t)(w << 7 | (~v & 15) << 3 | 4 | pp);
    *p++ = (uint8_t)(low | ll << 5 | (~v >> 1 & 8));
    return p;
}

/* ---- vectors ---- */

/* Bytes of a row's memory operand. */
static inline unsigned jk_row_bytes(const jk_vrow *row, unsigned bits, unsigned vl, unsigned bcast)
{
    if (bcast || bits & JK_ELEM)
        return bits & JK_EW ? 8 : 4;
    if (row->rm == JK_IS_H)
        return vl / 2;
    if (row->rm == JK_IS_V128)
        return 16;
    return row->rm == JK_IS_V256 ? 32 : vl;
}

#ifdef JK_DEBUG
/* What an encoding cannot say. */
JK_FUNC bool jk_asm_sayable(jk_enc enc, const jk_vrow *row, jk_vt vt, unsigned vl, unsigned reg, unsigned v,
                            const jk_opnd *rm)
{
    unsigned high = reg | v | (rm->kind == JK_OPND_REG ? rm->reg : 0u);
    if (!(row->has >> enc & 1) || vt.fmt > JK_SD || (vl != 16 && vl != 32 && vl != 64))
        return false;
    if (enc != JK_ENC_EVEX)
        return high < 16 && !vt.k && !vt.zero && !rm->bcast && vl <= (enc == JK_ENC_VEX ? 32u : 16u);
    if (rm->bcast &&
        (rm->kind == JK_OPND_REG || (row->rm != JK_IS_V && row->rm != JK_IS_H) || row->bits[vt.fmt] & JK_ELEM))
        return false;
    return high < 32 && vt.k < 8 && (!vt.zero || (vt.k && row->reg != JK_IS_K));
}
#endif

/* The one place where vector instructions become bytes: `reg`, `v` and `rm` are the fields of the encoding. */
static void jk_asm_vput(jk_asm *as, const jk_vrow *row, jk_vt vt, unsigned op, unsigned reg, unsigned v,
                        const jk_opnd *rm, unsigned imm)
{
    unsigned bits = row->bits[vt.fmt], vl = bits & JK_L128 ? 16 : vt.vl, pp = bits & 3, w = bits >> 7, shift = 0;
    unsigned xb = jk_opnd_xb(rm);
    jk_enc enc = as->enc == JK_ENC_EVEX && !(row->has >> JK_ENC_EVEX & 1) ? JK_ENC_VEX : as->enc;
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return;
    JK_ASM_MUST(jk_asm_sayable(enc, row, vt, vl, reg, v, rm));
    if (enc == JK_ENC_EVEX) {
        p = jk_put_evex(p, pp, bits >> 6 & 1, vl >> 5, reg, v, xb, row->map,
                        (unsigned)vt.zero << 7 | (unsigned)rm->bcast << 4 | vt.k);
        shift = (unsigned)__builtin_ctz(jk_row_bytes(row, bits, vl, rm->bcast));
    } else if (enc == JK_ENC_VEX) {
        p = jk_put_vex(p, pp, w, vl >> 5, reg, v, xb, row->map);
    } else {
        p = jk_put_legacy(p, pp, w, reg, xb, row->map);
    }
    *p++ = (uint8_t)op;
    p = jk_put_rm(as, p, reg, rm, shift, row->imm);
    if (row->imm)
        *p++ = (uint8_t)imm;
    jk_asm_end(as, p);
}

JK_FUNC void jk_asm_v(jk_asm *as, jk_inst i, jk_vt vt, unsigned dst, unsigned src1, jk_opnd src2, unsigned imm)
{
    const jk_vrow *row = &jk_vrows[i];
    unsigned reg = dst, v = src1, bits;
    if (row->form == JK_FORM_MR) {
        jk_asm_vstore(as, i, vt, jk_opnd_reg(dst), src2.reg, imm);
        return;
    }
    if (i == JK_V_BROADCAST && vt.vl == 16 && (vt.fmt & 1)) {
        i = JK_V_MOVDDUP;
        row = &jk_vrows[i];
    }
    bits = row->bits[vt.fmt];
    switch (row->form) {
    case JK_FORM_RVM:
        JK_ASM_MUST(as->enc != JK_ENC_LEGACY || dst == src1);
        break;
    case JK_FORM_RM:
        v = 0;
        break;
    case JK_FORM_R1M:
        v = !(bits & JK_ELEM) ? 0 : src2.kind == JK_OPND_REG && row->rm != JK_IS_G8 ? src2.reg : dst;
        break;
    case JK_FORM_MOVE:
        if (!(bits & JK_ELEM) || src2.kind != JK_OPND_REG)
            v = 0;
        break;
    default: /* VMI */
        JK_ASM_MUST(as->enc != JK_ENC_LEGACY || dst == src2.reg);
        reg = row->form - JK_FORM_VMI;
        v = dst;
    }
    if (as->listing) {
        jk_asm_line *l = jk_asm_record(as, i, NULL, 0, dst, v, &src2, imm);
        if (l)
            l->vt = vt;
    }
    jk_asm_vput(as, row, vt, row->op[vt.fmt], reg, v, &src2, imm);
}

JK_FUNC void jk_asm_vstore(jk_asm *as, jk_inst i, jk_vt vt, jk_opnd to, unsigned src, unsigned imm)
{
    const jk_vrow *row = &jk_vrows[i];
    if (row->form == JK_FORM_MOVE && to.kind == JK_OPND_REG) {
        jk_asm_v(as, i, vt, to.reg, to.reg, jk_opnd_reg(src), imm);
        return;
    }
    JK_ASM_MUST(row->form == JK_FORM_MOVE || row->form == JK_FORM_MR);
    JK_ASM_MUST(!vt.zero || to.kind == JK_OPND_REG);
    if (as->listing) {
        jk_asm_line *l = jk_asm_record(as, i, NULL, 0, src, 0, &to, imm);
        if (l) {
            l->vt = vt;
            l->store = true;
        }
    }
    jk_asm_vput(as, row, vt, row->op[vt.fmt] + (row->form == JK_FORM_MOVE ? 1u : 0u), src, 0, &to, imm);
}

/* ---- mask registers ---- */

static void jk_asm_kput(jk_asm *as, unsigned l, unsigned op, unsigned reg, unsigned v, const jk_opnd *rm)
{
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return;
    p = jk_put_vex(p, JK_NP, 0, l, reg, v, jk_opnd_xb(rm), 1);
    *p++ = (uint8_t)op;
    jk_asm_end(as, jk_put_rm(as, p, reg, rm, 0, 0));
}

JK_FUNC void jk_asm_k(jk_asm *as, jk_inst i, unsigned dst, unsigned a, unsigned b)
{
    const jk_krow *row = &jk_krows[i - JK_V_COUNT];
    bool three = row->l != 0, test = i == JK_K_KORTEST;
    jk_opnd rm = jk_opnd_reg(three || test ? b : a);
    unsigned reg = test ? a : dst;
    JK_ASM_MUST(i > JK_V_LAST && i < JK_K_END && reg < 8 && a < 8 && rm.reg < 8);
    JK_RECORD(as, i, three ? "kan" : "kn", 0, reg, a, &rm, 0);
    jk_asm_kput(as, row->l, row->op, reg, three ? a : 0, &rm);
}

JK_FUNC void jk_asm_kload(jk_asm *as, unsigned k, jk_opnd from)
{
    bool gp = from.kind == JK_OPND_REG;
    JK_RECORD(as, JK_K_KMOV, gp ? "km" : "kn", 4, k, 0, &from, 0);
    jk_asm_kput(as, 0, jk_krows[JK_K_KMOV - JK_V_COUNT].op + (gp ? 2u : 0u), k, 0, &from);
}

JK_FUNC void jk_asm_kstore(jk_asm *as, jk_opnd to, unsigned k)
{
    jk_opnd rm = jk_opnd_reg(k);
    unsigned op = jk_krows[JK_K_KMOV - JK_V_COUNT].op;
    if (to.kind == JK_OPND_REG) {
        JK_RECORD(as, JK_K_KMOV, "rn", 4, to.reg, 0, &rm, 0);
        jk_asm_kput(as, 0, op + 3, to.reg, 0, &rm);
    } else {
        JK_RECORD(as, JK_K_KMOV, "nk", 4, k, 0, &to, 0);
        jk_asm_kput(as, 0, op + 1, k, 0, &to);
    }
}

JK_FUNC void jk_asm_kmov(jk_asm *as, unsigned dst, unsigned src)
{
    jk_asm_k(as, JK_K_KMOV, dst, src, src);
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

JK_SMALL_CLOSE
