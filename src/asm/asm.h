/* asm: the assembler. One row an instruction (the manual's line) serves legacy, VEX and EVEX, packed and scalar, single
 * and double; encoders exist per operand form and know no mnemonic. Knows nothing of the IR.
 *
 * Vector instructions take a jk_vt (element format, vector length, mask) and encode as jk_asm.enc says. In legacy
 * encoding the two-operand forms need dst == src1 (asserted): the caller moves first. Errors (out of memory, more than
 * 2 GiB) are kept in the assembler; emitting goes on doing nothing, and jk_asm_finish reports. With JK_DEBUG what no
 * encoding can say is an assertion. */
#ifndef JK_ASM_H
#define JK_ASM_H
#include "../base.h"

typedef enum jk_enc { JK_ENC_LEGACY, JK_ENC_VEX, JK_ENC_EVEX } jk_enc;
typedef enum jk_fmt { JK_PS, JK_PD, JK_SS, JK_SD } jk_fmt;
/* clang-format off */
typedef enum jk_gp {
    JK_RAX, JK_RCX, JK_RDX, JK_RBX, JK_RSP, JK_RBP, JK_RSI, JK_RDI, JK_R8, JK_R9, JK_R10, JK_R11, JK_R12, JK_R13, JK_R14, JK_R15
} jk_gp;
/* clang-format on */
#define JK_NOGP 0x85 /* as a base: the bits that an encoding without one has */

typedef struct jk_vt {
    uint8_t fmt;  /* jk_fmt */
    uint8_t vl;   /* bytes: 16, 32, 64; scalars 16 */
    uint8_t k;    /* EVEX write mask k1..k7; 0: none */
    uint8_t zero; /* EVEX: zeroing instead of merging */
} jk_vt;

typedef enum jk_opnd_kind { JK_OPND_REG, JK_OPND_MEM, JK_OPND_POOL } jk_opnd_kind;
/* Eight bytes, so that it travels in a register; a register's are its number. */
typedef struct jk_opnd {
    unsigned reg : 8;   /* REG: vector (or GP, or k) register number 0..31 */
    unsigned kind : 2;  /* jk_opnd_kind */
    unsigned bcast : 1; /* EVEX: one element of the format, broadcast */
    unsigned scale : 5; /* 1 2 4 8 */
    unsigned base : 8;  /* MEM: jk_gp or JK_NOGP */
    unsigned index : 8; /* MEM: jk_gp or JK_NOGP */
    int32_t disp;       /* MEM; POOL: offset in the constant pool (RIP relative) */
} jk_opnd;

static inline jk_opnd jk_opnd_make(unsigned kind, unsigned reg, unsigned base, unsigned index, unsigned scale,
                                   int32_t disp)
{
    jk_opnd o;
    o.reg = reg & 255u;
    o.kind = kind & 3u;
    o.bcast = 0;
    o.scale = scale & 31u;
    o.base = base & 255u;
    o.index = index & 255u;
    o.disp = disp;
    return o;
}
JK_INLINE jk_opnd jk_opnd_reg(unsigned reg)
{
    return jk_opnd_make(JK_OPND_REG, reg, 0, 0, 0, 0);
}
static inline jk_opnd jk_opnd_mem(unsigned base, int32_t disp)
{
    return jk_opnd_make(JK_OPND_MEM, 0, base, JK_NOGP, 1, disp);
}
static inline jk_opnd jk_opnd_index(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return jk_opnd_make(JK_OPND_MEM, 0, base, index, scale, disp);
}
static inline jk_opnd jk_opnd_pool(uint32_t offset)
{
    return jk_opnd_make(JK_OPND_POOL, 0, JK_NOGP, JK_NOGP, 0, (int32_t)offset);
}

/* The instruction table, JK_INSTS(X), stands in asm/insts.h; its enum is jk_inst: JK_V_... vector, JK_K_... mask,
 * JK_G_... general. The vector and mask instructions at least:
 *
 * moves      MOVU (movups/movupd; SS/SD: load and store of a scalar, reg-reg merges; store by JK_STORE)
 *            MOVA (movaps/movapd reg-reg and aligned memory)  MOVNT (store only)
 *            BROADCAST (vbroadcastss/sd from memory or register; VEX and EVEX)
 * floats     ADD SUB MUL DIV SQRT MIN MAX (packed and scalar)  AND ANDN OR XOR (always packed: SS/SD encode as PS/PD
 * 128) CMP (imm predicate; legacy and VEX: vector result)  CMPK (EVEX: dst is a k register, obeys k as write mask)
 *            ROUND (imm; VEX, EVEX vrndscale; not legacy)
 *            FMADD132 FMADD213 FMADD231 FMSUB... FNMADD132 FNMADD213 FNMADD231 (VEX, EVEX)
 *            RANGE (EVEX, imm)  FIXUPIMM  BLENDM (EVEX: k ? src2 : src1)  BLENDV (VEX: 4th register in imm's upper
 * bits) TERNLOG (EVEX, imm; by fmt D or Q)  SCALEF GETEXP GETMANT UNPCKL UNPCKH SHUF (imm)  MOVHL (movhlps)  EXTRACT128
 * (vextractf128 / EVEX vextractf64x2; dst is the operand) EXTRACT256 (EVEX vextractf64x4; dst is the operand) PERM2F128
 * (VEX)  SHUF64X2 (EVEX vshuff64x2) MOVMSK (movmskps/pd: dst is a GP register)  PTEST (VEX/legacy SSE4.1, not emitted
 * for SSE2)  VTESTPS/PD (VEX) convert    CVTPS2PD CVTPD2PS (packed; source half as wide / result half as wide) CVTSS2SD
 * CVTSD2SS CVTSI2SD CVTSI2SS (64-bit GP source)  CVTTSD2SI MOVQ_XR (GP to xmm, 64 bits) MOVQ_RX MOVD_XR MOVD_RX
 * integers   PADD PSUB (D for PS/SS, Q for PD/SD)  PSLL PSRL (by imm, D/Q)  PCMPEQD PSHUFD
 *            (logic on integers uses AND ANDN OR XOR)
 * mask       KMOV (k,k / k,mem / mem,k)  KMOV_KR KMOV_RK (32-bit GP)  KAND KOR KXOR KNOT KANDN KXNOR KORTEST (word
 * forms are enough for 16 lanes) others     VZEROUPPER SFENCE ENDBR64
 */
#include "insts.h"

typedef struct jk_asm jk_asm;

/* An instruction by the fields of its encoding; the listing keeps them until pool and labels have their places. */
typedef struct jk_asm_line {
    uint32_t offset, note;
    uint16_t inst; /* jk_inst */
    uint8_t enc, reg, v, reserved[3];
    jk_vt vt;   /* with the form (encode.c) */
    jk_opnd rm; /* jumps: disp is the label */
    uint64_t imm;
} jk_asm_line;

struct jk_fixup;
struct jk_pooled;
#define JK_POOL_BUCKETS 256
struct jk_asm { /* what is read most stands first */
    jk_arena *arena;
    uint8_t *code; /* grows in the arena */
    size_t n, cap;
    uint8_t *pool; /* constants, 64-byte aligned behind the code */
    size_t npool, cap_pool;
    JK_LIST(int32_t, labels);          /* offset or -1 */
    JK_LIST(struct jk_pooled, pooled); /* the pool's constants, in buckets by a hash */
    JK_LIST(struct jk_fixup, fixups);
    jk_enc enc;
    uint32_t note; /* listing: the IR value that is being computed, or UINT32_MAX */
    bool failed;
    FILE *listing; /* NULL: none. Else every emit is also written as a line when finished */
    JK_LIST(jk_asm_line, lines);
    uint64_t address;
    uint32_t bucket[JK_POOL_BUCKETS]; /* the newest constant + 1; the longest kernels have some dozens in each */
};

JK_FUNC void jk_asm_init(jk_asm *as, jk_arena *arena, jk_enc enc);
/* dst, src1, src2 (register, memory or pool), immediate. One-source instructions (SQRT, MOVU loads, ROUND, CVT,
 * shifts...) ignore src1. Where the destination is a GP or k register, dst is its number. A row without EVEX form is
 * VEX in an EVEX assembler. Stores have the memory in src2 and the register in dst: MOVU MOVA KMOV with JK_STORE as the
 * immediate; MOVNT EXTRACT128 EXTRACT256 MOVQ_RX MOVD_RX where src2 is memory. */
#define JK_STORE 0x80u
JK_FUNC void jk_asm_v(jk_asm *as, jk_inst i, jk_vt vt, unsigned dst, unsigned src1, jk_opnd src2, unsigned imm);
/* Mask registers, 16 bits: KAND KANDN KOR KXOR KXNOR dst, a, b; KNOT KMOV dst, b; KORTEST dst, b. They are rows for
 * jk_asm_v too. */
JK_FUNC void jk_asm_k(jk_asm *as, jk_inst i, unsigned dst, unsigned a, unsigned b);

/* General registers. w: operand size in bytes, 4 or 8. JK_G_MOV ADD SUB CMP AND OR XOR TEST (reg,reg / reg,imm /
 * reg,mem; imm sign-extended 32 bits), IMUL (reg, r/m), CMOVcc by jk_asm_cmov. */
JK_FUNC void jk_asm_g(jk_asm *as, jk_inst i, unsigned w, unsigned dst, jk_opnd src);
JK_FUNC void jk_asm_gi(jk_asm *as, jk_inst i, unsigned w, jk_opnd dst, int32_t imm);
JK_FUNC void jk_asm_gstore(jk_asm *as, jk_inst i, unsigned w, jk_opnd to,
                           unsigned src); /* MOV, ADD, CMP ... mem, reg */
JK_FUNC void jk_asm_shift(jk_asm *as, jk_inst i, unsigned w, unsigned dst, unsigned count); /* SHL SHR SAR by imm */
JK_FUNC void jk_asm_lea(jk_asm *as, unsigned dst, jk_opnd mem);                             /* also of a POOL operand */
JK_FUNC void jk_asm_mov64(jk_asm *as, unsigned dst, uint64_t imm);                          /* the shortest form */
JK_FUNC void jk_asm_bzhi(jk_asm *as, unsigned w, unsigned dst, unsigned src, unsigned index); /* BMI2 */
JK_FUNC void jk_asm_push(jk_asm *as, unsigned reg);
JK_FUNC void jk_asm_pop(jk_asm *as, unsigned reg);
JK_FUNC void jk_asm_one(jk_asm *as, jk_inst i, unsigned w, jk_opnd o); /* CALL JMP_TO; STMXCSR to memory, w: 4 */
JK_FUNC void jk_asm_op(jk_asm *as, jk_inst i);                         /* no operands: RET VZEROUPPER SFENCE ENDBR64 */

/* clang-format off */
typedef enum jk_cc { /* condition codes as in the opcode */
    JK_CC_O, JK_CC_NO, JK_CC_B, JK_CC_AE, JK_CC_E, JK_CC_NE, JK_CC_BE, JK_CC_A, JK_CC_S, JK_CC_NS, JK_CC_P, JK_CC_NP, JK_CC_L,
    JK_CC_GE, JK_CC_LE, JK_CC_G
} jk_cc;
/* clang-format on */
typedef uint32_t jk_label;
JK_FUNC jk_label jk_asm_label(jk_asm *as);
JK_FUNC void jk_asm_bind(jk_asm *as, jk_label l);
JK_FUNC void jk_asm_jmp(jk_asm *as, jk_label l); /* short form when backward and near */
JK_FUNC void jk_asm_jcc(jk_asm *as, jk_cc cc, jk_label l);
JK_FUNC void jk_asm_call_label(jk_asm *as, jk_label l);
JK_FUNC void jk_asm_cmov(jk_asm *as, jk_cc cc, unsigned w, unsigned dst, jk_opnd src);
JK_FUNC void jk_asm_align(jk_asm *as, unsigned bytes); /* long nops */

/* Adds a constant (nbytes 4 8 16 32 64, aligned to its size); equal constants of a size share a place. Returns its pool
 * offset. */
JK_FUNC uint32_t jk_asm_const(jk_asm *as, const void *bytes, size_t nbytes);

/* Resolves labels and pool references, writes the listing. *code and *nbytes: code, then the pool at the next multiple
 * of 64 bytes. False when memory ran out, or where a label that is jumped to was never bound. */
JK_NOINLINE bool jk_asm_finish(jk_asm *as, const uint8_t **code, size_t *nbytes);

/* The text of one line, without address and bytes: Intel syntax as GNU as and Zydis write it. `pool` is where
 * the constant pool begins, from behind the instruction. Returns the length; text holds at least JK_ASM_TEXT bytes. */
#define JK_ASM_TEXT 128
JK_FUNC size_t jk_asm_text(const jk_asm *as, const jk_asm_line *line, int64_t pool, char *text);
#endif
