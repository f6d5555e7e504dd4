/* asm: the encoders. An instruction is a row and a form; this file turns rows into bytes and knows no mnemonic.
 *
 * Every emitter asks once for JK_ASM_ROOM bytes, more than any instruction has, and then writes without further checks.
 * After the first failure the capacity equals the length, so that this one test also catches the failed state. Jumps
 * forward and references to the pool leave a fixup, which jk_asm_finish resolves; jumps backward are final at once. */
#include "asm.h"

/* What only a mistake of the caller inside the library can cause. */
#ifdef JK_DEBUG
#include <assert.h>
#define JK_ASM_MUST(x) assert(x)
#else
#define JK_ASM_MUST(x) ((void)0)
#endif

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

typedef struct jk_gprow {
    uint8_t pp, map, load, store, imm32, digit, imm8;
} jk_gprow;

static const jk_gprow jk_gprows[JK_G_END - JK_K_END] = {
#define JK_ROW(NAME, text, prefix, map, load, store, imm32, digit, imm8) {prefix, map, load, store, imm32, digit, imm8},
    JK_INSTS_G(JK_ROW)
#undef JK_ROW
};

/* ---- buffers ---- */

#define JK_ASM_ROOM 32
#define JK_ASM_LIMIT ((size_t)INT32_MAX - 4096)
#define JK_ASM_POOL UINT32_MAX /* a fixup's label: a reference to the pool */

typedef struct jk_fixup {
    uint32_t at, label; /* a 32-bit displacement, relative to its own place until it is resolved */
} jk_fixup;

typedef struct jk_pool_slot {
    uint32_t at, tag; /* tag: hash and size, never 0 */
} jk_pool_slot;

JK_FUNC void jk_asm_init(jk_asm *as, jk_arena *arena, jk_enc enc)
{
    memset(as, 0, sizeof *as);
    as->arena = arena;
    as->enc = enc;
    as->note = UINT32_MAX;
}

JK_NOINLINE void jk_asm_fail(jk_asm *as)
{
    as->failed = true;
    as->cap = as->n;
}

/* Makes a byte buffer of the arena hold `need` bytes; false, and the failed state, if it cannot. */
JK_NOINLINE bool jk_asm_widen(jk_asm *as, uint8_t **bytes, size_t n, size_t *cap, size_t need)
{
    size_t want = JK_LARGER(need, JK_LARGER(2 * *cap, (size_t)1024));
    uint8_t *p = NULL;
    if (!as->failed && need <= JK_ASM_LIMIT)
        p = (uint8_t *)jk_arena_alloc(as->arena, want);
    if (!p) {
        jk_asm_fail(as);
        return false;
    }
    if (n)
        memcpy(p, *bytes, n);
    *bytes = p;
    *cap = want;
    return true;
}

/* Where the next instruction goes, or NULL. */
static inline uint8_t *jk_asm_room(jk_asm *as)
{
    if (as->cap - as->n < JK_ASM_ROOM && !jk_asm_widen(as, &as->code, as->n, &as->cap, as->n + JK_ASM_ROOM))
        return NULL;
    return as->code + as->n;
}

static inline void jk_asm_end(jk_asm *as, const uint8_t *p)
{
    as->n = (size_t)(p - as->code);
}

static inline uint8_t *jk_put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
    return p + 4;
}

JK_FUNC void jk_asm_fixup(jk_asm *as, const uint8_t *at, uint32_t label)
{
    jk_fixup *f = (jk_fixup *)jk_grow(as->arena, as->fixups, as->nfixups, &as->cap_fixups, sizeof *f);
    if (!f) {
        as->failed = true; /* no more: the instruction under way goes on into the room that it has */
        return;
    }
    as->fixups = f;
    f[as->nfixups].at = (uint32_t)(at - as->code);
    f[as->nfixups++].label = label;
}

/* Keeps what the listing needs of the instruction that begins here. NULL: memory has run out. */
JK_NOINLINE jk_asm_line *jk_asm_record(jk_asm *as, jk_inst i, const char *ops, unsigned w, unsigned dst, unsigned src1,
                                       const jk_opnd *o, uint64_t imm)
{
    jk_asm_line *l = (jk_asm_line *)jk_grow(as->arena, as->lines, as->nlines, &as->cap_lines, sizeof *l);
    if (!l) {
        jk_asm_fail(as);
        return NULL;
    }
    as->lines = l;
    l += as->nlines++;
    memset(l, 0, sizeof *l);
    l->offset = (uint32_t)as->n;
    l->note = as->note;
    l->ops = ops;
    l->inst = (uint16_t)i;
    l->enc = (uint8_t)as->enc;
    l->w = (uint8_t)w;
    l->dst = (uint8_t)dst;
    l->src1 = (uint8_t)src1;
    if (o)
        l->opnd = *o;
    l->imm = imm;
    return l;
}
#define JK_RECORD(as, i, ops, w, dst, src1, o, imm)          \
    do {                                                     \
        if ((as)->listing)                                   \
            jk_asm_record(as, i, ops, w, dst, src1, o, imm); \
    } while (0)

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

/* ---- general registers ---- */

/* Opcode and operands; returns where an immediate of `after` bytes goes, or NULL. The caller ends the instruction. */
static uint8_t *jk_asm_gput(jk_asm *as, const jk_gprow *row, unsigned w, unsigned op, unsigned reg, const jk_opnd *rm,
                            unsigned after)
{
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return NULL;
    JK_ASM_MUST((w == 4 || w == 8) && reg < 16 && (rm->kind != JK_OPND_REG || rm->reg < 16));
    p = jk_put_legacy(p, row->pp, w >> 3, reg, jk_opnd_xb(rm), row->map);
    *p++ = (uint8_t)op;
    return jk_put_rm(as, p, reg, rm, 0, after);
}

static void jk_asm_gonly(jk_asm *as, const jk_gprow *row, unsigned w, unsigned op, unsigned reg, const jk_opnd *rm)
{
    uint8_t *p = jk_asm_gput(as, row, w, op, reg, rm, 0);
    if (p)
        jk_asm_end(as, p);
}

static const jk_gprow *jk_gprow_of(jk_inst i)
{
    JK_ASM_MUST(i > JK_K_LAST && i < JK_G_END);
    return &jk_gprows[i - JK_K_END];
}

JK_FUNC void jk_asm_g(jk_asm *as, jk_inst i, unsigned w, unsigned dst, jk_opnd src)
{
    const jk_gprow *row = jk_gprow_of(i);
    JK_ASM_MUST(row->load);
    JK_RECORD(as, i, "rm", w, dst, 0, &src, 0);
    jk_asm_gonly(as, row, w, row->load, dst, &src);
}

JK_FUNC void jk_asm_gstore(jk_asm *as, jk_inst i, unsigned w, jk_opnd to, unsigned src)
{
    const jk_gprow *row = jk_gprow_of(i);
    JK_ASM_MUST(row->store);
    JK_RECORD(as, i, "mr", w, src, 0, &to, 0);
    jk_asm_gonly(as, row, w, row->store, src, &to);
}

JK_FUNC void jk_asm_gi(jk_asm *as, jk_inst i, unsigned w, jk_opnd dst, int32_t imm)
{
    const jk_gprow *row = jk_gprow_of(i);
    bool small = row->imm8 && imm == (int8_t)imm, twice = row->digit == 8;
    jk_gprow plain = {JK_NP, 0, 0, 0, 0, 0, 0};
    uint8_t *p;
    if (i == JK_G_MOV && dst.kind == JK_OPND_REG) {
        jk_asm_mov64(as, dst.reg, w == 8 ? (uint64_t)(int64_t)imm : (uint32_t)imm);
        return;
    }
    JK_ASM_MUST(row->imm32 && row->imm32 != 0xC1 && (!twice || dst.kind == JK_OPND_REG));
    JK_RECORD(as, i, twice ? "rmi" : "mi", w, dst.reg, 0, &dst, (uint64_t)(int64_t)imm);
    p = jk_asm_gput(as, &plain, w, small ? row->imm8 : row->imm32, twice ? dst.reg : row->digit, &dst, small ? 1 : 4);
    if (!p)
        return;
    if (small)
        *p++ = (uint8_t)imm;
    else
        p = jk_put32(p, (uint32_t)imm);
    jk_asm_end(as, p);
}

JK_FUNC void jk_asm_shift(jk_asm *as, jk_inst i, unsigned w, unsigned dst, unsigned count)
{
    const jk_gprow *row = jk_gprow_of(i);
    jk_opnd o = jk_opnd_reg(dst);
    uint8_t *p;
    JK_ASM_MUST(row->imm32 == 0xC1);
    JK_RECORD(as, i, "mi", w, dst, 0, &o, count);
    p = jk_asm_gput(as, row, w, count == 1 ? row->imm8 : row->imm32, row->digit, &o, 1);
    if (!p)
        return;
    if (count != 1)
        *p++ = (uint8_t)count;
    jk_asm_end(as, p);
}

JK_FUNC void jk_asm_lea(jk_asm *as, unsigned dst, jk_opnd mem)
{
    JK_ASM_MUST(mem.kind != JK_OPND_REG);
    jk_asm_g(as, JK_G_LEA, 8, dst, mem);
}

/* Never xor: flags stay as they are. */
JK_FUNC void jk_asm_mov64(jk_asm *as, unsigned dst, uint64_t imm)
{
    bool word = imm <= UINT32_MAX, extended = imm >= (uint64_t)0 - 0x80000000u;
    unsigned rex = (word ? 0u : 8u) | (dst >> 3 & 1);
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return;
    JK_ASM_MUST(dst < 16);
    JK_RECORD(as, JK_G_MOV, "ri", word ? 4 : 8, dst, 0, NULL, imm);
    if (rex)
        *p++ = (uint8_t)(0x40 | rex);
    if (extended) {
        *p++ = 0xC7;
        *p++ = (uint8_t)(0xC0 | (dst & 7));
    } else {
        *p++ = (uint8_t)(0xB8 | (dst & 7));
    }
    p = jk_put32(p, (uint32_t)imm);
    if (!word && !extended)
        p = jk_put32(p, (uint32_t)(imm >> 32));
    jk_asm_end(as, p);
}

JK_FUNC void jk_asm_bzhi(jk_asm *as, unsigned w, unsigned dst, unsigned src, unsigned index)
{
    const jk_gprow *row = jk_gprow_of(JK_G_BZHI);
    jk_opnd rm = jk_opnd_reg(src);
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return;
    JK_RECORD(as, JK_G_BZHI, "rms", w, dst, index, &rm, 0);
    p = jk_put_vex(p, row->pp, w >> 3, 0, dst, index, jk_opnd_xb(&rm), row->map);
    *p++ = row->load;
    jk_asm_end(as, jk_put_rm(as, p, dst, &rm, 0, 0));
}

JK_FUNC void jk_asm_cmov(jk_asm *as, jk_cc cc, unsigned w, unsigned dst, jk_opnd src)
{
    const jk_gprow *row = jk_gprow_of(JK_G_CMOV);
    if (as->listing) {
        jk_asm_line *l = jk_asm_record(as, JK_G_CMOV, "rm", w, dst, 0, &src, 0);
        if (l)
            l->cc = (uint8_t)cc;
    }
    jk_asm_gonly(as, row, w, row->load + (unsigned)cc, dst, &src);
}

/* Push and pop hold the register in the opcode. */
static void jk_asm_stack(jk_asm *as, jk_inst i, unsigned reg)
{
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return;
    JK_ASM_MUST(reg < 16);
    JK_RECORD(as, i, "r", 8, reg, 0, NULL, 0);
    if (reg > 7)
        *p++ = 0x41;
    *p++ = (uint8_t)(jk_gprow_of(i)->store | (reg & 7));
    jk_asm_end(as, p);
}

JK_FUNC void jk_asm_push(jk_asm *as, unsigned reg)
{
    jk_asm_stack(as, JK_G_PUSH, reg);
}

JK_FUNC void jk_asm_pop(jk_asm *as, unsigned reg)
{
    jk_asm_stack(as, JK_G_POP, reg);
}

JK_FUNC void jk_asm_call(jk_asm *as, unsigned reg)
{
    const jk_gprow *row = jk_gprow_of(JK_G_CALL);
    jk_opnd o = jk_opnd_reg(reg);
    JK_RECORD(as, JK_G_CALL, "r", 8, reg, 0, NULL, 0);
    jk_asm_gonly(as, row, 4, row->store, row->digit, &o); /* 64 bits without a prefix */
}

JK_FUNC void jk_asm_op(jk_asm *as, jk_inst i)
{
    static const uint32_t bytes[] = {
#define JK_ROW(NAME, text, nbytes, bytes) bytes,
        JK_INSTS_NONE(JK_ROW)
#undef JK_ROW
    };
    static const uint8_t nbytes[] = {
#define JK_ROW(NAME, text, nbytes, bytes) nbytes,
        JK_INSTS_NONE(JK_ROW)
#undef JK_ROW
    };
    uint8_t *p = jk_asm_room(as);
    if (!p)
        return;
    JK_ASM_MUST(i > JK_G_LAST && i < JK_INST_COUNT);
    JK_RECORD(as, i, "", 0, 0, 0, NULL, 0);
    jk_put32(p, bytes[i - JK_G_END]);
    jk_asm_end(as, p + nbytes[i - JK_G_END]);
}

/* ---- labels and jumps ---- */

JK_FUNC jk_label jk_asm_label(jk_asm *as)
{
    int32_t *labels = (int32_t *)jk_grow(as->arena, as->labels, as->nlabels, &as->cap_labels, sizeof *labels);
    if (!labels) {
        jk_asm_fail(as);
        return 0;
    }
    as->labels = labels;
    labels[as->nlabels] = -1;
    return (jk_label)as->nlabels++;
}

JK_FUNC void jk_asm_bind(jk_asm *as, jk_label l)
{
    if (as->failed)
        return;
    JK_ASM_MUST(l < as->nlabels && as->labels[l] < 0);
    as->labels[l] = (int32_t)as->n;
}

/* A jump: short where the label is behind and near, else with a 32-bit displacement. */
static void jk_asm_jump(jk_asm *as, jk_inst i, unsigned cc, jk_label l)
{
    const jk_gprow *row = jk_gprow_of(i);
    uint8_t *p = jk_asm_room(as);
    int64_t back;
    if (!p || as->failed)
        return;
    JK_ASM_MUST(l < as->nlabels);
    if (as->listing) {
        jk_asm_line *line = jk_asm_record(as, i, "j", 8, 0, 0, NULL, l);
        if (line)
            line->cc = (uint8_t)cc;
    }
    back = as->labels[l] < 0 ? 0 : (int64_t)as->labels[l] - (int64_t)as->n - 2;
    if (row->store && back < 0 && back >= -128) {
        *p++ = (uint8_t)(row->store + cc);
        *p++ = (uint8_t)back;
    } else {
        if (row->map)
            *p++ = 0x0F;
        *p++ = (uint8_t)(row->load + cc);
        jk_asm_fixup(as, p, l);
        p = jk_put32(p, (uint32_t)-4);
    }
    jk_asm_end(as, p);
}

JK_FUNC void jk_asm_jmp(jk_asm *as, jk_label l)
{
    jk_asm_jump(as, JK_G_JMP, 0, l);
}

JK_FUNC void jk_asm_jcc(jk_asm *as, jk_cc cc, jk_label l)
{
    jk_asm_jump(as, JK_G_JCC, (unsigned)cc, l);
}

JK_FUNC void jk_asm_call_label(jk_asm *as, jk_label l)
{
    jk_asm_jump(as, JK_G_CALL_LABEL, 0, l);
}

/* One nop of 1 to 9 bytes: nop; 66 nop; 0F 1F /0 with the memory form that fills it. */
static uint8_t *jk_put_nop(uint8_t *p, size_t n)
{
    static const uint8_t modrm[] = {0, 0, 0, 0x00, 0x40, 0x44, 0x44, 0x80, 0x84};
    uint8_t *end = p + n;
    memset(p, 0, n);
    if (n == 2 || n == 6 || n == 9)
        *p++ = 0x66;
    if (n < 3) {
        *p = 0x90;
        return end;
    }
    p[0] = 0x0F;
    p[1] = 0x1F;
    p[2] = modrm[end - p];
    return end;
}

JK_FUNC void jk_asm_align(jk_asm *as, unsigned bytes)
{
    while (as->n % bytes) {
        size_t n = JK_SMALLER(bytes - as->n % bytes, (size_t)9);
        uint8_t *p = jk_asm_room(as);
        if (!p)
            return;
        JK_RECORD(as, JK_G_NOP, "", 0, 0, 0, NULL, 0);
        jk_asm_end(as, jk_put_nop(p, n));
    }
}

/* ---- the constant pool ---- */

static uint32_t jk_pool_tag(const uint8_t *bytes, size_t nbytes)
{
    uint64_t h = 0;
    uint32_t word;
    size_t i;
    for (i = 0; i < nbytes; i += 4) {
        memcpy(&word, bytes + i, 4);
        h = (h ^ word) * 0x9E3779B97F4A7C15u;
        h ^= h >> 32;
    }
    return ((uint32_t)h & ~127u) | (uint32_t)nbytes;
}

static bool jk_pool_widen(jk_asm *as)
{
    size_t n = as->nslots ? 2 * as->nslots : 32, i, j;
    jk_pool_slot *from = (jk_pool_slot *)as->slots;
    jk_pool_slot *to = (jk_pool_slot *)jk_arena_zero(as->arena, n * sizeof *to);
    if (!to) {
        jk_asm_fail(as);
        return false;
    }
    for (i = 0; i < as->nslots; i++)
        if (from[i].tag) {
            for (j = from[i].tag >> 7 & (n - 1); to[j].tag; j = (j + 1) & (n - 1))
                ;
            to[j] = from[i];
        }
    as->slots = to;
    as->nslots = n;
    return true;
}

JK_FUNC uint32_t jk_asm_const(jk_asm *as, const void *bytes, size_t nbytes)
{
    uint32_t tag = jk_pool_tag((const uint8_t *)bytes, nbytes);
    jk_pool_slot *slots;
    size_t i, at = JK_ALIGN_UP(as->npool, nbytes);
    JK_ASM_MUST(nbytes >= 4 && nbytes <= 64 && (nbytes & (nbytes - 1)) == 0);
    if (as->failed || (2 * as->nconsts >= as->nslots && !jk_pool_widen(as)))
        return 0;
    slots = (jk_pool_slot *)as->slots;
    for (i = tag >> 7 & (as->nslots - 1); slots[i].tag; i = (i + 1) & (as->nslots - 1))
        if (slots[i].tag == tag && memcmp(as->pool + slots[i].at, bytes, nbytes) == 0)
            return slots[i].at;
    if (at + nbytes > as->cap_pool && !jk_asm_widen(as, &as->pool, as->npool, &as->cap_pool, at + nbytes))
        return 0;
    memset(as->pool + as->npool, 0, at - as->npool);
    memcpy(as->pool + at, bytes, nbytes);
    as->npool = at + nbytes;
    as->nconsts++;
    slots[i].at = (uint32_t)at;
    slots[i].tag = tag;
    return (uint32_t)at;
}

/* ---- the end ---- */

static void jk_asm_resolve(jk_asm *as, size_t pool)
{
    const jk_fixup *f = (const jk_fixup *)as->fixups, *end = f ? f + as->nfixups : f;
    uint32_t to, disp;
    for (; f < end; f++) {
        JK_ASM_MUST(f->label == JK_ASM_POOL || as->labels[f->label] >= 0);
        to = f->label == JK_ASM_POOL ? (uint32_t)pool : (uint32_t)as->labels[f->label];
        memcpy(&disp, as->code + f->at, 4);
        jk_put32(as->code + f->at, disp + to - f->at);
    }
}

JK_FUNC void jk_asm_list(const jk_asm *as, size_t pool);

JK_FUNC bool jk_asm_finish(jk_asm *as, const uint8_t **code, size_t *nbytes)
{
    size_t pool = as->npool ? JK_ALIGN_UP(as->n, 64) : as->n, all = pool + as->npool;
    if (as->failed || (all > as->cap && !jk_asm_widen(as, &as->code, as->n, &as->cap, all)))
        return false;
    jk_asm_resolve(as, pool);
    if (as->npool) {
        memset(as->code + as->n, 0xCC, pool - as->n);
        memcpy(as->code + pool, as->pool, as->npool);
    }
    if (as->listing)
        jk_asm_list(as, pool);
    *code = as->code;
    *nbytes = all;
    return true;
}

#undef JK_ASM_MUST
#undef JK_RECORD
#undef JK_ASM_ROOM
#undef JK_ASM_LIMIT
#undef JK_ASM_POOL
#undef JK_BY_PREFIX
#undef JK_PACKED
#undef JK_BY_W
#undef JK_BY_OPCODE
#undef JK_BY_SIZE
#undef JK_SPREAD
#undef JK_LANES
#undef JK_ALWAYS
#undef JK_SCALAR
