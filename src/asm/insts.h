/* asm: the instruction table. One row is the manual's line; enum, encoder, listing and tests are made from it.
 *
 * Vector rows: X(NAME, text, map, opcode rule, form, reg, rm, imm, legacy, VEX, EVEX)
 *   text    the mnemonic without its v, or a list of 2, 4 (PS PD SS SD) or 8 (the same under EVEX): formats beyond its
 * end begin again map     1: 0F, 2: 0F 38, 3: 0F 3A rule    opcode, mandatory prefix and W for each format: see the
 * rules below form    RVM dst, src1, r/m     RM dst, r/m (src1 ignored)     R1M as RM, but scalars name a source of the
 * upper lanes in VEX: the source itself, or the destination where the source is no vector register MOVE loads as RM,
 * stores with opcode + 1; scalars between registers are RVM     MR r/m is the destination VMI/n shift by immediate:
 * dst, r/m with /n in the reg field (legacy: dst == r/m) reg     V vector, H half a vector, K mask register, G4 G8
 * general register rm      V vector, or a broadcast element under EVEX      M vector, no broadcast      H half a vector
 * (or element) V128 xmm (also one element)     V256 ymm     G4 G8 general register     K mask register or 16 bits With
 * the length it gives the N of EVEX disp8*N. imm     1: an 8-bit immediate; BLENDV: the mask register's number << 4
 *   then the features of each encoding; NO: the encoding does not exist. A row without EVEX is encoded as VEX in an
 * EVEX assembler (so only with registers below 16).
 *
 * CVTPS2PD and CVTPD2PS: the length is that of the doubles. BROADCAST of doubles to 128 bits is MOVDDUP. */
#ifndef JK_INSTS_H
#define JK_INSTS_H
/* clang-format off */

/* Bits beside each opcode: the mandatory prefix as VEX numbers it, then */
enum jk_row_bits {
    JK_NP,
    JK_66,
    JK_F3,
    JK_F2,
    JK_L256 = 4,  /* the length is 256, whatever is asked */
    JK_D64 = 8,   /* general registers: 64 bits without REX.W */
    JK_L128 = 16, /* the length is 128 */
    JK_ELEM = 32, /* the memory operand is one element: 4 bytes, 8 with JK_EW */
    JK_EW = 64,   /* EVEX.W: 8-byte elements */
    JK_VW = 128   /* VEX.W and REX.W */
};

/* The rules: opcodes and bits for PS, PD, SS, SD. */
#define JK_BY_PREFIX(o) {o, o, o, o}, {JK_NP, JK_66 | JK_EW, JK_F3 | JK_ELEM | JK_L128, JK_F2 | JK_ELEM | JK_L128 | JK_EW}
#define JK_PACKED(o) {o, o, o, o}, {JK_NP, JK_66 | JK_EW, JK_L128, JK_66 | JK_L128 | JK_EW} /* scalars as packed 128 */
#define JK_BY_W(o) \
    {o, o, (o) + 1, (o) + 1}, \
        {JK_66, JK_66 | JK_EW | JK_VW, JK_66 | JK_ELEM | JK_L128, JK_66 | JK_ELEM | JK_L128 | JK_EW | JK_VW}
#define JK_BY_OPCODE(o) \
    {o, (o) + 1, (o) + 2, (o) + 3}, {JK_66, JK_66 | JK_EW, JK_66 | JK_ELEM | JK_L128, JK_66 | JK_ELEM | JK_L128 | JK_EW}
#define JK_BY_SIZE(d, q) {d, q, d, q}, {JK_66, JK_66 | JK_EW, JK_66 | JK_L128, JK_66 | JK_EW | JK_L128}
#define JK_SPREAD(d, q) {d, q, d, q}, {JK_66 | JK_ELEM, JK_66 | JK_ELEM | JK_EW, JK_66 | JK_ELEM, JK_66 | JK_ELEM | JK_EW}
#define JK_LANES(o) {o, o, o, o}, {JK_66, JK_66 | JK_EW, JK_66, JK_66 | JK_EW}
#define JK_ALWAYS(o, bits) {o, o, o, o}, {bits, bits, bits, bits}
#define JK_SCALAR (JK_ELEM | JK_L128)

/* Names by format. */
#define JK_TWO(name) name "ps," name "pd"
#define JK_FOUR(name) JK_TWO(name) "," name "ss," name "sd"

#define JK_INSTS_FMA(X, NAME, text, o) \
    X(NAME##132, JK_FOUR(text "132"), 2, JK_BY_W(o), RVM, V, V, 0, NO, FMA, F) \
    X(NAME##213, JK_FOUR(text "213"), 2, JK_BY_W((o) + 0x10), RVM, V, V, 0, NO, FMA, F) \
    X(NAME##231, JK_FOUR(text "231"), 2, JK_BY_W((o) + 0x20), RVM, V, V, 0, NO, FMA, F)

#define JK_INSTS_V(X) \
    X(MOVU, "movups,movupd,movss,movsd", 1, JK_BY_PREFIX(0x10), MOVE, V, M, 0, SSE2, AVX, F) \
    X(MOVA, JK_TWO("mova"), 1, JK_PACKED(0x28), MOVE, V, M, 0, SSE2, AVX, F) \
    X(MOVNT, JK_TWO("movnt"), 1, JK_PACKED(0x2B), MR, V, M, 0, SSE2, AVX, F) \
    X(BROADCAST, "broadcastss,broadcastsd", 2, JK_SPREAD(0x18, 0x19), RM, V, V128, 0, NO, AVX2, F) \
    X(MOVDDUP, "movddup", 1, JK_ALWAYS(0x12, JK_F2 | JK_EW | JK_SCALAR), RM, V, V128, 0, SSE3, AVX, F) \
    X(ADD, JK_FOUR("add"), 1, JK_BY_PREFIX(0x58), RVM, V, V, 0, SSE2, AVX, F) \
    X(MUL, JK_FOUR("mul"), 1, JK_BY_PREFIX(0x59), RVM, V, V, 0, SSE2, AVX, F) \
    X(SUB, JK_FOUR("sub"), 1, JK_BY_PREFIX(0x5C), RVM, V, V, 0, SSE2, AVX, F) \
    X(MIN, JK_FOUR("min"), 1, JK_BY_PREFIX(0x5D), RVM, V, V, 0, SSE2, AVX, F) \
    X(DIV, JK_FOUR("div"), 1, JK_BY_PREFIX(0x5E), RVM, V, V, 0, SSE2, AVX, F) \
    X(MAX, JK_FOUR("max"), 1, JK_BY_PREFIX(0x5F), RVM, V, V, 0, SSE2, AVX, F) \
    X(SQRT, JK_FOUR("sqrt"), 1, JK_BY_PREFIX(0x51), R1M, V, V, 0, SSE2, AVX, F) \
    X(RSQRT, "rsqrtps", 1, JK_ALWAYS(0x52, JK_NP), RM, V, V, 0, SSE2, AVX, NO) \
    X(RSQRT14, JK_TWO("rsqrt14"), 2, JK_BY_SIZE(0x4E, 0x4E), RM, V, V, 0, NO, NO, F) \
    X(RCP14, JK_TWO("rcp14"), 2, JK_BY_SIZE(0x4C, 0x4C), RM, V, V, 0, NO, NO, F) \
    X(AND, JK_TWO("and"), 1, JK_PACKED(0x54), RVM, V, V, 0, SSE2, AVX, DQ) \
    X(ANDN, JK_TWO("andn"), 1, JK_PACKED(0x55), RVM, V, V, 0, SSE2, AVX, DQ) \
    X(OR, JK_TWO("or"), 1, JK_PACKED(0x56), RVM, V, V, 0, SSE2, AVX, DQ) \
    X(XOR, JK_TWO("xor"), 1, JK_PACKED(0x57), RVM, V, V, 0, SSE2, AVX, DQ) \
    X(CMP, JK_FOUR("cmp"), 1, JK_BY_PREFIX(0xC2), RVM, V, V, 1, SSE2, AVX, NO) \
    X(CMPK, JK_FOUR("cmp"), 1, JK_BY_PREFIX(0xC2), RVM, K, V, 1, NO, NO, F) \
    X(ROUND, JK_FOUR("round") "," JK_FOUR("rndscale"), 3, JK_BY_OPCODE(0x08), R1M, V, V, 1, SSE41, AVX, F) \
    JK_INSTS_FMA(X, FMADD, "fmadd", 0x98) \
    JK_INSTS_FMA(X, FMSUB, "fmsub", 0x9A) \
    JK_INSTS_FMA(X, FNMADD, "fnmadd", 0x9C) \
    JK_INSTS_FMA(X, FNMSUB, "fnmsub", 0x9E) \
    X(RANGE, JK_FOUR("range"), 3, JK_BY_W(0x50), RVM, V, V, 1, NO, NO, DQ) \
    X(FIXUPIMM, JK_FOUR("fixupimm"), 3, JK_BY_W(0x54), RVM, V, V, 1, NO, NO, F) \
    X(SCALEF, JK_FOUR("scalef"), 2, JK_BY_W(0x2C), RVM, V, V, 0, NO, NO, F) \
    X(GETEXP, JK_FOUR("getexp"), 2, JK_BY_W(0x42), R1M, V, V, 0, NO, NO, F) \
    X(GETMANT, JK_FOUR("getmant"), 3, JK_BY_W(0x26), R1M, V, V, 1, NO, NO, F) \
    X(BLENDM, JK_TWO("blendm"), 2, JK_BY_SIZE(0x65, 0x65), RVM, V, V, 0, NO, NO, F) \
    X(BLENDV, JK_TWO("blendv"), 3, JK_BY_SIZE(0x4A, 0x4B), RVM, V, V, 1, NO, AVX, NO) \
    X(TERNLOG, "pternlogd,pternlogq", 3, JK_BY_SIZE(0x25, 0x25), RVM, V, V, 1, NO, NO, F) \
    X(UNPCKL, JK_TWO("unpckl"), 1, JK_PACKED(0x14), RVM, V, V, 0, SSE2, AVX, F) \
    X(UNPCKH, JK_TWO("unpckh"), 1, JK_PACKED(0x15), RVM, V, V, 0, SSE2, AVX, F) \
    X(SHUF, JK_TWO("shuf"), 1, JK_PACKED(0xC6), RVM, V, V, 1, SSE2, AVX, F) \
    X(MOVHL, "movhlps", 1, JK_ALWAYS(0x12, JK_L128), RVM, V, M, 0, SSE2, AVX, F) \
    X(EXTRACT128, "extractf128,extractf128,extractf128,extractf128,extractf32x4,extractf64x2,extractf32x4,extractf64x2", 3, JK_LANES(0x19), MR, V, V128, 1, NO, AVX, DQ) \
    X(EXTRACT256, "extractf32x8,extractf64x4", 3, JK_LANES(0x1B), MR, V, V256, 1, NO, NO, DQ) \
    X(PERM2F128, "perm2f128", 3, JK_ALWAYS(0x06, JK_66), RVM, V, V, 1, NO, AVX, NO) \
    X(SHUF64X2, "shuff32x4,shuff64x2", 3, JK_LANES(0x23), RVM, V, V, 1, NO, NO, F) \
    X(MOVMSK, JK_TWO("movmsk"), 1, JK_PACKED(0x50), RM, G4, V, 0, SSE2, AVX, NO) \
    X(PTEST, "ptest", 2, JK_ALWAYS(0x17, JK_66), RM, V, V, 0, SSE41, AVX, NO) \
    X(VTEST, JK_TWO("test"), 2, JK_BY_SIZE(0x0E, 0x0F), RM, V, V, 0, NO, AVX, NO) \
    X(CVTPS2PD, "cvtps2pd", 1, JK_ALWAYS(0x5A, JK_NP), RM, V, H, 0, SSE2, AVX, F) \
    X(CVTPD2PS, "cvtpd2ps", 1, JK_ALWAYS(0x5A, JK_66 | JK_EW), RM, H, V, 0, SSE2, AVX, F) \
    X(CVTSS2SD, "cvtss2sd", 1, JK_ALWAYS(0x5A, JK_F3 | JK_SCALAR), R1M, V, V128, 0, SSE2, AVX, F) \
    X(CVTSD2SS, "cvtsd2ss", 1, JK_ALWAYS(0x5A, JK_F2 | JK_EW | JK_SCALAR), R1M, V, V128, 0, SSE2, AVX, F) \
    X(CVTSI2SD, "cvtsi2sd", 1, JK_ALWAYS(0x2A, JK_F2 | JK_EW | JK_VW | JK_SCALAR), R1M, V, G8, 0, SSE2, AVX, F) \
    X(CVTSI2SS, "cvtsi2ss", 1, JK_ALWAYS(0x2A, JK_F3 | JK_EW | JK_VW | JK_SCALAR), R1M, V, G8, 0, SSE2, AVX, F) \
    X(CVTTSD2SI, "cvttsd2si", 1, JK_ALWAYS(0x2C, JK_F2 | JK_EW | JK_VW | JK_SCALAR), RM, G8, V128, 0, SSE2, AVX, F) \
    X(MOVQ_XR, "movq", 1, JK_ALWAYS(0x6E, JK_66 | JK_EW | JK_VW | JK_SCALAR), RM, V, G8, 0, SSE2, AVX, F) \
    X(MOVQ_RX, "movq", 1, JK_ALWAYS(0x7E, JK_66 | JK_EW | JK_VW | JK_SCALAR), MR, V, G8, 0, SSE2, AVX, F) \
    X(MOVD_XR, "movd", 1, JK_ALWAYS(0x6E, JK_66 | JK_SCALAR), RM, V, G4, 0, SSE2, AVX, F) \
    X(MOVD_RX, "movd", 1, JK_ALWAYS(0x7E, JK_66 | JK_SCALAR), MR, V, G4, 0, SSE2, AVX, F) \
    X(PADD, "paddd,paddq", 1, JK_BY_SIZE(0xFE, 0xD4), RVM, V, V, 0, SSE2, AVX2, F) \
    X(PSUB, "psubd,psubq", 1, JK_BY_SIZE(0xFA, 0xFB), RVM, V, V, 0, SSE2, AVX2, F) \
    X(PSLL, "pslld,psllq", 1, JK_BY_SIZE(0x72, 0x73), VMI6, V, V, 1, SSE2, AVX2, F) \
    X(PSRL, "psrld,psrlq", 1, JK_BY_SIZE(0x72, 0x73), VMI2, V, V, 1, SSE2, AVX2, F) \
    X(PCMPUK, "pcmpud,pcmpuq", 3, JK_BY_SIZE(0x1E, 0x1E), RVM, K, V, 1, NO, NO, F) \
    X(PTESTK, "ptestmd,ptestmq", 2, JK_BY_SIZE(0x27, 0x27), RVM, K, V, 0, NO, NO, F) \
    X(PCMPGTQ, "pcmpgtq", 2, JK_ALWAYS(0x37, JK_66), RVM, V, V, 0, NO, AVX2, NO) \
    X(PCMPEQD, "pcmpeqd", 1, JK_ALWAYS(0x76, JK_66), RVM, V, V, 0, SSE2, AVX2, NO) \
    X(PSHUFD, "pshufd", 1, JK_ALWAYS(0x70, JK_66), RM, V, V, 1, SSE2, AVX2, F)

/* Mask rows, 16-bit forms: X(NAME, text, opcode rule, form, reg, rm), map 0F, VEX. KMOV is between mask registers and
 * memory, the last two have general registers. */
#define JK_INSTS_K(X) \
    X(KAND, "kandw", JK_ALWAYS(0x41, JK_L256), RVM, K, K) \
    X(KANDN, "kandnw", JK_ALWAYS(0x42, JK_L256), RVM, K, K) \
    X(KOR, "korw", JK_ALWAYS(0x45, JK_L256), RVM, K, K) \
    X(KXNOR, "kxnorw", JK_ALWAYS(0x46, JK_L256), RVM, K, K) \
    X(KXOR, "kxorw", JK_ALWAYS(0x47, JK_L256), RVM, K, K) \
    X(KNOT, "knotw", JK_ALWAYS(0x44, JK_L128), RM, K, K) \
    X(KORTEST, "kortestw", JK_ALWAYS(0x98, JK_L128), RM, K, K) \
    X(KMOV, "kmovw", JK_ALWAYS(0x90, JK_L128), MOVE, K, K) \
    X(KMOV_KR, "kmovw", JK_ALWAYS(0x92, JK_L128), RM, K, G4) \
    X(KMOV_RK, "kmovw", JK_ALWAYS(0x93, JK_L128), RM, G4, K)

/* General rows: X(NAME, text, prefix, map, reg <- r/m, r/m <- reg, r/m <- imm32, its /n, r/m <- imm8); opcode 0: no such
 * form. MOV: to the register in the opcode, in the imm8 column. Shifts: by imm8 in the imm32 column, by 1 in the imm8
 * column. Jumps: the near opcode, then the short one. */
#define JK_INSTS_G(X) \
    X(MOV, "mov", JK_NP, 0, 0x8B, 0x89, 0xC7, 0, 0xB8) \
    X(ADD, "add", JK_NP, 0, 0x03, 0x01, 0x81, 0, 0x83) \
    X(OR, "or", JK_NP, 0, 0x0B, 0x09, 0x81, 1, 0x83) \
    X(AND, "and", JK_NP, 0, 0x23, 0x21, 0x81, 4, 0x83) \
    X(SUB, "sub", JK_NP, 0, 0x2B, 0x29, 0x81, 5, 0x83) \
    X(XOR, "xor", JK_NP, 0, 0x33, 0x31, 0x81, 6, 0x83) \
    X(CMP, "cmp", JK_NP, 0, 0x3B, 0x39, 0x81, 7, 0x83) \
    X(TEST, "test", JK_NP, 0, 0x85, 0x85, 0xF7, 0, 0) \
    X(IMUL, "imul", JK_NP, 1, 0xAF, 0, 0, 0, 0) \
    X(BSF, "bsf", JK_NP, 1, 0xBC, 0, 0, 0, 0) \
    X(TZCNT, "tzcnt", JK_F3, 1, 0xBC, 0, 0, 0, 0) \
    X(POPCNT, "popcnt", JK_F3, 1, 0xB8, 0, 0, 0, 0) \
    X(SHL, "shl", JK_NP, 0, 0, 0, 0xC1, 4, 0xD1) \
    X(SHR, "shr", JK_NP, 0, 0, 0, 0xC1, 5, 0xD1) \
    X(SAR, "sar", JK_NP, 0, 0, 0, 0xC1, 7, 0xD1) \
    X(LEA, "lea", JK_NP, 0, 0x8D, 0, 0, 0, 0) \
    X(CMOV, "cmov", JK_NP, 1, 0x40, 0, 0, 0, 0) \
    X(PUSH, "push", JK_D64, 0, 0, 0x50, 0, 0, 0) \
    X(POP, "pop", JK_D64, 0, 0, 0x58, 0, 0, 0) \
    X(CALL, "call", JK_D64, 0, 0, 0xFF, 0, 2, 0) \
    X(JMP_TO, "jmp", JK_D64, 0, 0, 0xFF, 0, 4, 0) \
    X(STMXCSR, "stmxcsr", JK_NP, 1, 0, 0xAE, 0, 3, 0) \
    X(CALL_LABEL, "call", JK_D64, 0, 0xE8, 0, 0, 0, 0) \
    X(JMP, "jmp", JK_D64, 0, 0xE9, 0xEB, 0, 0, 0) \
    X(JCC, "j", JK_D64, 1, 0x80, 0x70, 0, 0, 0) \
    X(BZHI, "bzhi", JK_NP, 2, 0xF5, 0, 0, 0, 0)

/* No operands: X(NAME with its class, text, encoding, prefix, map, opcode, last byte or 0). */
#define JK_INSTS_NONE(X) \
    X(V_VZEROUPPER, "vzeroupper", VEX, JK_NP, 1, 0x77, 0) \
    X(G_RET, "ret", LEGACY, JK_NP, 0, 0xC3, 0) \
    X(G_SFENCE, "sfence", LEGACY, JK_NP, 1, 0xAE, 0xF8) \
    X(G_ENDBR64, "endbr64", LEGACY, JK_F3, 1, 0x1E, 0xFA) \
    X(G_NOP, "nop", LEGACY, JK_NP, 0, 0x90, 0) \
    X(G_UD2, "ud2", LEGACY, JK_NP, 0, 0x0F, 0x0B)

typedef enum jk_inst {
#define JK_ROW(NAME, text, map, rule, form, reg, rm, imm, legacy, vex, evex) JK_V_##NAME,
    JK_INSTS_V(JK_ROW)
#undef JK_ROW
        JK_V_COUNT,
    JK_V_LAST = JK_V_COUNT - 1,
#define JK_ROW(NAME, text, rule, form, reg, rm) JK_K_##NAME,
    JK_INSTS_K(JK_ROW)
#undef JK_ROW
        JK_K_END,
    JK_K_LAST = JK_K_END - 1,
#define JK_ROW(NAME, text, prefix, map, load, store, imm32, digit, imm8) JK_G_##NAME,
    JK_INSTS_G(JK_ROW)
#undef JK_ROW
        JK_G_END,
    JK_G_LAST = JK_G_END - 1,
#define JK_ROW(NAME, text, enc, prefix, map, opcode, last) JK_##NAME,
    JK_INSTS_NONE(JK_ROW)
#undef JK_ROW
        JK_INST_COUNT
} jk_inst;
/* clang-format on */
#endif
