/* asm: instructions on general registers, jumps and alignment: which form each call means. */
#include "asm.h"

JK_SMALL_OPEN

/* ---- general registers ---- */

/* w is the size of the operands; v what the opcode counts up by. */
static void jk_asm_gput(jk_asm *as, jk_inst i, unsigned form, unsigned w, unsigned reg, unsigned v, jk_opnd rm,
                        uint64_t imm)
{
    jk_vt vt;
    vt.fmt = (uint8_t)form;
    vt.vl = (uint8_t)w;
    vt.k = vt.zero = 0;
    jk_asm_put(as, i, vt, reg, v, rm, imm);
}

JK_FUNC void jk_asm_g(jk_asm *as, jk_inst i, unsigned w, unsigned dst, jk_opnd src)
{
    jk_asm_gput(as, i, JK_AS_RM, w, dst, 0, src, 0);
}

JK_FUNC void jk_asm_gstore(jk_asm *as, jk_inst i, unsigned w, jk_opnd to, unsigned src)
{
    jk_asm_gput(as, i, JK_AS_MR | 1, w, src, 0, to, 0);
}

JK_FUNC void jk_asm_gi(jk_asm *as, jk_inst i, unsigned w, jk_opnd dst, int32_t imm)
{
    const jk_inst_row *row = &jk_inst_rows[i];
    unsigned form = JK_AS_MI | 2;
    if (i != JK_G_MOV && row->op[3] && imm == (int8_t)imm)
        form = JK_AS_MI8 | 3;
    if (i == JK_G_MOV && dst.kind == JK_OPND_REG)
        jk_asm_mov64(as, dst.reg, w == 8 ? (uint64_t)(int64_t)imm : (uint32_t)imm);
    else
        jk_asm_gput(as, i, form, w, row->form, 0, dst, (uint64_t)(int64_t)imm);
}

JK_FUNC void jk_asm_shift(jk_asm *as, jk_inst i, unsigned w, unsigned dst, unsigned count)
{
    jk_asm_gput(as, i, count == 1 ? JK_AS_MI0 | 3 : JK_AS_MI8 | 2, w, jk_inst_rows[i].form, 0, jk_opnd_reg(dst), count);
}

JK_FUNC void jk_asm_lea(jk_asm *as, unsigned dst, jk_opnd mem)
{
    JK_ASM_MUST(mem.kind != JK_OPND_REG);
    jk_asm_g(as, JK_G_LEA, 8, dst, mem);
}

/* Never xor: flags stay as they are. */
JK_FUNC void jk_asm_mov64(jk_asm *as, unsigned dst, uint64_t imm)
{
    unsigned form = JK_AS_OPCODE8 | 3, w = 8;
    if (imm >> 32 == 0) {
        form = JK_AS_OPCODE4 | 3;
        w = 4;
    } else if ((int64_t)imm == (int32_t)imm) {
        form = JK_AS_MU | 2;
    }
    jk_asm_gput(as, JK_G_MOV, form, w, 0, 0, jk_opnd_reg(dst), imm);
}

JK_FUNC void jk_asm_bzhi(jk_asm *as, unsigned w, unsigned dst, unsigned src, unsigned index)
{
    jk_asm_gput(as, JK_G_BZHI, JK_AS_RMV, w, dst, index, jk_opnd_reg(src), 0);
}

JK_FUNC void jk_asm_cmov(jk_asm *as, jk_cc cc, unsigned w, unsigned dst, jk_opnd src)
{
    jk_asm_gput(as, JK_G_CMOV, JK_AS_RM, w, dst, cc, src, 0);
}

JK_FUNC void jk_asm_push(jk_asm *as, unsigned reg)
{
    jk_asm_gput(as, JK_G_PUSH, JK_AS_OPCODE | 1, 8, 0, 0, jk_opnd_reg(reg), 0);
}

JK_FUNC void jk_asm_pop(jk_asm *as, unsigned reg)
{
    jk_asm_gput(as, JK_G_POP, JK_AS_OPCODE | 1, 8, 0, 0, jk_opnd_reg(reg), 0);
}

JK_FUNC void jk_asm_one(jk_asm *as, jk_inst i, unsigned w, jk_opnd o)
{
    jk_asm_gput(as, i, JK_AS_M | 1, w, jk_inst_rows[i].form, 0, o, 0);
}

JK_FUNC void jk_asm_op(jk_asm *as, jk_inst i)
{
    JK_ASM_MUST(i > JK_G_LAST && i < JK_INST_COUNT);
    jk_asm_gput(as, i, JK_AS_NONE, 0, 0, 0, jk_opnd_reg(0), jk_inst_rows[i].op[1]);
}

/* ---- jumps ---- */

/* A jump: short where the label is behind and near, else with a 32-bit displacement. */
static void jk_asm_jump(jk_asm *as, jk_inst i, unsigned cc, jk_label l)
{
    jk_opnd o = jk_opnd_reg(0);
    unsigned form = JK_AS_SHORT | 1;
    int32_t disp;
    if (as->failed)
        return;
    JK_ASM_MUST(l < as->nlabels);
    o.disp = (int32_t)l;
    disp = as->labels[l] - (int32_t)as->n - 2;
    if (!jk_inst_rows[i].op[1] || as->labels[l] < 0 || disp < -128) {
        form = JK_AS_NEAR;
        disp = -4;
    }
    jk_asm_gput(as, i, form, 0, 0, cc, o, (uint64_t)(int64_t)disp);
    if (form == JK_AS_NEAR)
        jk_asm_fixup(as, as->code + as->n - 4, l);
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

/* To a multiple of a power of two. Nops of up to 9 bytes: nop; 66 nop; 0F 1F /0 with the memory form that fills it. */
JK_FUNC void jk_asm_align(jk_asm *as, unsigned bytes)
{
    static const uint8_t nops[][10] = {
        {0},
        {0x90},
        {0x66, 0x90},
        {0x0F, 0x1F, 0x00},
        {0x0F, 0x1F, 0x40},
        {0x0F, 0x1F, 0x44},
        {0x66, 0x0F, 0x1F, 0x44},
        {0x0F, 0x1F, 0x80},
        {0x0F, 0x1F, 0x84},
        {0x66, 0x0F, 0x1F, 0x84},
    };
    size_t at, n;
    while ((n = (0 - as->n) & (bytes - 1)) != 0) {
        n = JK_SMALLER(n, (size_t)9);
        at = as->n;
        jk_asm_op(as, JK_G_NOP);
        if (as->failed)
            return;
        memcpy(as->code + at, nops[n], 10);
        as->n = at + n;
    }
}

#undef JK_ASM_MUST
#undef JK_ASM_ROOM
#undef JK_ASM_LIMIT
#undef JK_ASM_POOL

JK_SMALL_CLOSE
