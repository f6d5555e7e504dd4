/* x64: the instruction sets: what each has, and the emitters in which they differ. Everything above asks these. */
#include "gen.h"

JK_FUNC jk_target jk_target_of(jitk_isa isa, bool fma)
{
    jk_target t;
    memset(&t, 0, sizeof t);
    t.scalar = isa == JITK_ISA_SCALAR;
    t.enc = isa == JITK_ISA_AVX512 ? JK_ENC_EVEX : isa == JITK_ISA_AVX2 || (t.scalar && fma) ? JK_ENC_VEX : JK_ENC_LEGACY;
    t.vbytes = isa == JITK_ISA_AVX512 ? 64 : isa == JITK_ISA_AVX2 ? 32 : 16;
    t.nregs = t.enc == JK_ENC_EVEX ? 32 : 16;
    t.kmask = t.enc == JK_ENC_EVEX;
    t.fma = t.round = t.enc != JK_ENC_LEGACY;
    return t;
}

JK_FUNC jk_vt jk_vt_of(const jk_gen *g, jk_type type)
{
    jk_vt vt;
    bool wide = jk_type_size(type) == 8;
    vt.fmt = (uint8_t)(g->t.scalar ? (wide ? JK_SD : JK_SS) : (wide ? JK_PD : JK_PS));
    vt.vl = g->t.vbytes;
    vt.k = vt.zero = 0;
    return vt;
}

/* Bytes that an instance of a value takes in the frame. */
JK_FUNC uint32_t jk_slot_bytes(const jk_gen *g)
{
    return g->t.vbytes;
}

JK_FUNC int32_t jk_frame_take(jk_gen *g, uint32_t nbytes, uint32_t align)
{
    uint32_t at = (uint32_t)JK_ALIGN_UP(g->frame, align);
    if (nbytes > (uint32_t)INT32_MAX / 2 || at > (uint32_t)INT32_MAX / 2) {
        jk_fail(g->e, JITK_ERR_LIMIT, 0, 0, 0, "the kernel needs more than 1 GiB of temporaries");
        return 0;
    }
    g->frame = at + nbytes;
    g->frame_max = JK_LARGER(g->frame_max, g->frame);
    return (int32_t)at;
}

JK_FUNC jk_opnd jk_at_frame(const jk_gen *g, int32_t offset)
{
    return jk_opnd_mem(g->frame_reg, offset);
}

/* A constant in every lane, as a memory operand: one element to broadcast where the encoding can, else a whole vector. */
JK_FUNC jk_opnd jk_const(jk_gen *g, jk_type type, uint64_t bits)
{
    uint8_t bytes[64];
    size_t i, size = jk_type_size(type), n = g->t.kmask ? size : g->t.vbytes;
    jk_opnd o;
    for (i = 0; i < n; i++)
        bytes[i] = (uint8_t)(bits >> 8 * (i % size));
    o = jk_opnd_pool(jk_asm_const(&g->as, bytes, n));
    o.bcast = g->t.kmask;
    return o;
}

JK_FUNC void jk_emit_mov(jk_gen *g, unsigned dst, unsigned src)
{
    if (dst != src)
        jk_asm_v(&g->as, JK_V_MOVA, g->t.scalar ? jk_vt_of(g, JK_F32) : jk_vt_of(g, JK_F64), dst, 0, jk_opnd_reg(src), 0);
}

/* A whole vector (scalar code: one element) from memory; broadcast operands in every lane. */
JK_FUNC void jk_emit_load(jk_gen *g, jk_type type, unsigned dst, jk_opnd from)
{
    if (from.bcast)
        jk_emit_splat(g, type, dst, from);
    else
        jk_asm_v(&g->as, JK_V_MOVU, jk_vt_of(g, type), dst, 0, from, 0);
}

JK_FUNC void jk_emit_store(jk_gen *g, jk_type type, jk_opnd to, unsigned src)
{
    jk_asm_vstore(&g->as, JK_V_MOVU, jk_vt_of(g, type), to, src, 0);
}

/* One element from memory into every lane. */
JK_FUNC void jk_emit_splat(jk_gen *g, jk_type type, unsigned dst, jk_opnd from)
{
    jk_vt vt = jk_vt_of(g, type), one = vt;
    bool wide = jk_type_size(type) == 8;
    from.bcast = 0;
    if (!g->t.scalar && g->t.enc != JK_ENC_LEGACY) {
        jk_asm_v(&g->as, JK_V_BROADCAST, vt, dst, 0, from, 0);
        return;
    }
    one.fmt = wide ? JK_SD : JK_SS;
    jk_asm_v(&g->as, JK_V_MOVU, one, dst, 0, from, 0);
    if (g->t.scalar)
        return;
    if (wide)
        jk_asm_v(&g->as, JK_V_UNPCKL, vt, dst, dst, jk_opnd_reg(dst), 0);
    else
        jk_asm_v(&g->as, JK_V_SHUF, vt, dst, dst, jk_opnd_reg(dst), 0);
}

/* dst = a op b. Where the encoding has two operands a moves first: dst may be a, and not b. */
JK_FUNC void jk_emit_3i(jk_gen *g, jk_inst i, jk_type type, unsigned dst, unsigned a, jk_opnd b, unsigned imm)
{
    if (g->t.enc == JK_ENC_LEGACY) {
        jk_emit_mov(g, dst, a);
        a = dst;
    }
    jk_asm_v(&g->as, i, jk_vt_of(g, type), dst, a, b, imm);
}

JK_FUNC void jk_emit_3(jk_gen *g, jk_inst i, jk_type type, unsigned dst, unsigned a, jk_opnd b)
{
    jk_emit_3i(g, i, type, dst, a, b, 0);
}

/* IEEE 754-2019 minimum and maximum. The hardware's give the second operand where an operand is NaN or both are zeros;
 * taking them both ways round and joining the bits keeps a NaN and orders the zeros: for the minimum by or; for the
 * maximum x - y with x = p or q (a NaN, or -0 where one is) and y = p xor q (0, or -0 for the two zeros: -0 - -0 = +0).
 * AVX-512's vrange orders zeros itself and needs only the NaN. dst may be a; t is neither; b is none of them. */
JK_FUNC void jk_emit_minmax(jk_gen *g, jk_op op, jk_type type, unsigned dst, unsigned a, unsigned b, unsigned t)
{
    jk_inst i = op == JK_MIN ? JK_V_MIN : JK_V_MAX;
    if (g->t.kmask) {
        jk_vt vt = jk_vt_of(g, type);
        uint64_t nan = jk_type_size(type) == 8 ? 0x7ff8000000000000u : 0x7fc00000u;
        jk_asm_v(&g->as, JK_V_CMPK, vt, JK_K_SCRATCH, a, jk_opnd_reg(b), 3);
        jk_asm_v(&g->as, JK_V_RANGE, vt, dst, a, jk_opnd_reg(b), op == JK_MIN ? 4 : 5);
        vt.k = JK_K_SCRATCH;
        jk_asm_v(&g->as, JK_V_OR, vt, dst, dst, jk_const(g, type, nan), 0);
        return;
    }
    jk_emit_3(g, i, type, t, b, jk_opnd_reg(a));
    jk_emit_3(g, i, type, dst, a, jk_opnd_reg(b));
    if (op == JK_MIN) {
        jk_emit_3(g, JK_V_OR, type, dst, dst, jk_opnd_reg(t));
        return;
    }
    jk_emit_3(g, JK_V_XOR, type, t, t, jk_opnd_reg(dst)); /* t = p xor q; dst or t has the bits of p or q */
    jk_emit_3(g, JK_V_OR, type, dst, dst, jk_opnd_reg(t));
    jk_emit_3(g, JK_V_SUB, type, dst, dst, jk_opnd_reg(t));
}

/* A mask register from a vector of all ones and zeros: all ones is a NaN, and zero is not. */
JK_FUNC void jk_emit_kvec(jk_gen *g, jk_type type, unsigned k, unsigned v)
{
    jk_asm_v(&g->as, JK_V_CMPK, jk_vt_of(g, type), k, v, jk_opnd_reg(v), 3);
}
