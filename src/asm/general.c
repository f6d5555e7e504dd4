/* asm: instructions on general registers, jumps and alignment. */
#include "asm.h"

JK_SMALL_OPEN

typedef struct jk_gprow {
    uint8_t pp, map, load, store, imm32, digit, imm8;
} jk_gprow;

static const jk_gprow jk_gprows[JK_G_END - JK_K_END] = {
#define JK_ROW(NAME, text, prefix, map, load, store, imm32, digit, imm8) {prefix, map, load, store, imm32, digit, imm8},
    JK_INSTS_G(JK_ROW)
#undef JK_ROW
};

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

/* ---- jumps ---- */

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

#undef JK_ASM_MUST
#undef JK_RECORD
#undef JK_ASM_ROOM
#undef JK_ASM_LIMIT
#undef JK_ASM_POOL

JK_SMALL_CLOSE
