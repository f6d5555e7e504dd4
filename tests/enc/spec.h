/* What the manual says of every instruction row, written apart from src/asm/insts.h: check_asm compares the two through
 * Zydis.
 *
 * Vector rows: instruction, mnemonics for PS PD SS SD (without v; "-" where the format is not meant), EVEX mnemonics
 * where they differ, encodings (L legacy, V VEX, E EVEX), lengths of the packed formats (1 2 4 times 128 bits), element
 * bytes (0: the format's), masking (0 none, 1 merging, 2 also zeroing), operands, operands when it stores. Operands, in
 * Intel order: d destination (the source when storing)   D the same, not written in legacy   h half as wide   k mask g
 * G general 1 src1, not written in legacy   x src1, scalars between registers, not legacy   u upper lanes' source,
 * scalars, not legacy m vector or broadcast   n vector   M vector in memory   v vector register   H half as wide, or
 * broadcast e element   X 128 bits   Y 256 bits   r R general or memory   i immediate   b register in the immediate */
#ifndef ENC_SPEC_H
#define ENC_SPEC_H

typedef struct enc_spec {
    int inst;
    const char *names, *evex_names, *encs, *lengths;
    int elem, mask;
    const char *load, *store;
} enc_spec;

static const enc_spec enc_specs[] = {
    {JK_V_MOVU, "movups movupd movss movsd", NULL, "LVE", "124", 0, 2, "dxn", "nd"},
    {JK_V_MOVA, "movaps movapd movaps movapd", NULL, "LVE", "124", 0, 2, "dn", "nd"},
    {JK_V_MOVNT, "movntps movntpd movntps movntpd", NULL, "LVE", "124", 0, 0, NULL, "Md"},
    {JK_V_BROADCAST, "broadcastss broadcastsd broadcastss broadcastsd", NULL, "VE", "124", 0, 2, "de", NULL},
    {JK_V_MOVDDUP, "movddup movddup movddup movddup", NULL, "LVE", "1", 8, 2, "de", NULL},
    {JK_V_ADD, "addps addpd addss addsd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_SUB, "subps subpd subss subsd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_MUL, "mulps mulpd mulss mulsd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_DIV, "divps divpd divss divsd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_MIN, "minps minpd minss minsd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_MAX, "maxps maxpd maxss maxsd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_SQRT, "sqrtps sqrtpd sqrtss sqrtsd", NULL, "LVE", "124", 0, 2, "dum", NULL},
    {JK_V_RSQRT, "rsqrtps rsqrtps rsqrtps rsqrtps", NULL, "LV", "12", 4, 0, "dn", NULL},
    {JK_V_RSQRT14, "rsqrt14ps rsqrt14pd - -", NULL, "E", "124", 0, 2, "dm", NULL},
    {JK_V_RCP14, "rcp14ps rcp14pd - -", NULL, "E", "124", 0, 2, "dm", NULL},
    {JK_V_AND, "andps andpd andps andpd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_ANDN, "andnps andnpd andnps andnpd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_OR, "orps orpd orps orpd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_XOR, "xorps xorpd xorps xorpd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_CMP, "cmpps cmppd cmpss cmpsd", NULL, "LV", "12", 0, 0, "d1mi", NULL},
    {JK_V_CMPK, "cmpps cmppd cmpss cmpsd", NULL, "E", "124", 0, 1, "k1mi", NULL},
    {JK_V_ROUND, "roundps roundpd roundss roundsd", "rndscaleps rndscalepd rndscaless rndscalesd", "LVE", "124", 0, 2,
     "dumi", NULL},
    {JK_V_FMADD132, "fmadd132ps fmadd132pd fmadd132ss fmadd132sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FMADD213, "fmadd213ps fmadd213pd fmadd213ss fmadd213sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FMADD231, "fmadd231ps fmadd231pd fmadd231ss fmadd231sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FMSUB132, "fmsub132ps fmsub132pd fmsub132ss fmsub132sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FMSUB213, "fmsub213ps fmsub213pd fmsub213ss fmsub213sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FMSUB231, "fmsub231ps fmsub231pd fmsub231ss fmsub231sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FNMADD132, "fnmadd132ps fnmadd132pd fnmadd132ss fnmadd132sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FNMADD213, "fnmadd213ps fnmadd213pd fnmadd213ss fnmadd213sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FNMADD231, "fnmadd231ps fnmadd231pd fnmadd231ss fnmadd231sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FNMSUB132, "fnmsub132ps fnmsub132pd fnmsub132ss fnmsub132sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FNMSUB213, "fnmsub213ps fnmsub213pd fnmsub213ss fnmsub213sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_FNMSUB231, "fnmsub231ps fnmsub231pd fnmsub231ss fnmsub231sd", NULL, "VE", "124", 0, 2, "d1m", NULL},
    {JK_V_RANGE, "rangeps rangepd rangess rangesd", NULL, "E", "124", 0, 2, "d1mi", NULL},
    {JK_V_FIXUPIMM, "fixupimmps fixupimmpd fixupimmss fixupimmsd", NULL, "E", "124", 0, 2, "d1mi", NULL},
    {JK_V_SCALEF, "scalefps scalefpd scalefss scalefsd", NULL, "E", "124", 0, 2, "d1m", NULL},
    {JK_V_GETEXP, "getexpps getexppd getexpss getexpsd", NULL, "E", "124", 0, 2, "dum", NULL},
    {JK_V_GETMANT, "getmantps getmantpd getmantss getmantsd", NULL, "E", "124", 0, 2, "dumi", NULL},
    {JK_V_BLENDM, "blendmps blendmpd blendmps blendmpd", NULL, "E", "124", 0, 2, "d1m", NULL},
    {JK_V_BLENDV, "blendvps blendvpd blendvps blendvpd", NULL, "V", "12", 0, 0, "d1mb", NULL},
    {JK_V_TERNLOG, "pternlogd pternlogq pternlogd pternlogq", NULL, "E", "124", 0, 2, "d1mi", NULL},
    {JK_V_UNPCKL, "unpcklps unpcklpd unpcklps unpcklpd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_UNPCKH, "unpckhps unpckhpd unpckhps unpckhpd", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_SHUF, "shufps shufpd shufps shufpd", NULL, "LVE", "124", 0, 2, "d1mi", NULL},
    {JK_V_MOVHL, "movhlps movhlps movhlps movhlps", NULL, "LVE", "1", 0, 0, "d1v", NULL},
    {JK_V_EXTRACT128, "extractf128 extractf128 - -", "extractf32x4 extractf64x2 - -", "VE", "24", 0, 2, NULL, "Xdi"},
    {JK_V_EXTRACT256, "extractf32x8 extractf64x4 - -", NULL, "E", "4", 0, 2, NULL, "Ydi"},
    {JK_V_PERM2F128, "perm2f128 perm2f128 - -", NULL, "V", "2", 0, 0, "d1ni", NULL},
    {JK_V_SHUF64X2, "shuff32x4 shuff64x2 - -", NULL, "E", "24", 0, 2, "d1mi", NULL},
    {JK_V_MOVMSK, "movmskps movmskpd movmskps movmskpd", NULL, "LV", "12", 0, 0, "gv", NULL},
    {JK_V_PTEST, "ptest ptest ptest ptest", NULL, "LV", "12", 0, 0, "dn", NULL},
    {JK_V_VTEST, "testps testpd testps testpd", NULL, "V", "12", 0, 0, "dn", NULL},
    {JK_V_CVTPS2PD, "cvtps2pd cvtps2pd cvtps2pd cvtps2pd", NULL, "LVE", "124", 4, 2, "dH", NULL},
    {JK_V_CVTPD2PS, "cvtpd2ps cvtpd2ps cvtpd2ps cvtpd2ps", NULL, "LVE", "124", 8, 2, "hm", NULL},
    {JK_V_CVTSS2SD, "cvtss2sd cvtss2sd cvtss2sd cvtss2sd", NULL, "LVE", "1", 4, 2, "due", NULL},
    {JK_V_CVTSD2SS, "cvtsd2ss cvtsd2ss cvtsd2ss cvtsd2ss", NULL, "LVE", "1", 8, 2, "due", NULL},
    {JK_V_CVTSI2SD, "cvtsi2sd cvtsi2sd cvtsi2sd cvtsi2sd", NULL, "LVE", "1", 8, 0, "duR", NULL},
    {JK_V_CVTSI2SS, "cvtsi2ss cvtsi2ss cvtsi2ss cvtsi2ss", NULL, "LVE", "1", 8, 0, "duR", NULL},
    {JK_V_CVTTSD2SI, "cvttsd2si cvttsd2si cvttsd2si cvttsd2si", NULL, "LVE", "1", 8, 0, "Ge", NULL},
    {JK_V_MOVQ_XR, "movq movq movq movq", NULL, "LVE", "1", 8, 0, "dR", NULL},
    {JK_V_MOVQ_RX, "movq movq movq movq", NULL, "LVE", "1", 8, 0, NULL, "Rd"},
    {JK_V_MOVD_XR, "movd movd movd movd", NULL, "LVE", "1", 4, 0, "dr", NULL},
    {JK_V_MOVD_RX, "movd movd movd movd", NULL, "LVE", "1", 4, 0, NULL, "rd"},
    {JK_V_PADD, "paddd paddq paddd paddq", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_PSUB, "psubd psubq psubd psubq", NULL, "LVE", "124", 0, 2, "d1m", NULL},
    {JK_V_PSLL, "pslld psllq pslld psllq", NULL, "LVE", "124", 0, 2, "Dmi", NULL},
    {JK_V_PSRL, "psrld psrlq psrld psrlq", NULL, "LVE", "124", 0, 2, "Dmi", NULL},
    {JK_V_PCMPUK, "pcmpud pcmpuq - -", NULL, "E", "124", 0, 1, "k1mi", NULL},
    {JK_V_PTESTK, "ptestmd ptestmq - -", NULL, "E", "124", 0, 1, "k1m", NULL},
    {JK_V_PCMPGTQ, "pcmpgtq pcmpgtq pcmpgtq pcmpgtq", NULL, "V", "12", 8, 0, "d1n", NULL},
    {JK_V_PCMPEQD, "pcmpeqd pcmpeqd pcmpeqd pcmpeqd", NULL, "LV", "12", 4, 0, "d1n", NULL},
    {JK_V_PSHUFD, "pshufd pshufd pshufd pshufd", NULL, "LVE", "124", 4, 2, "dmi", NULL},
};

/* General rows: instruction, mnemonic, forms: L reg <- r/m, S r/m <- reg, I r/m <- imm, H shift.
 * The rest (lea, cmov, jumps, stack) has tests of its own: *. */
typedef struct enc_general {
    int inst;
    const char *name, *forms;
} enc_general;

static const enc_general enc_generals[] = {
    {JK_G_MOV, "mov", "LSI"},  {JK_G_ADD, "add", "LSI"},       {JK_G_OR, "or", "LSI"},
    {JK_G_AND, "and", "LSI"},  {JK_G_SUB, "sub", "LSI"},       {JK_G_XOR, "xor", "LSI"},
    {JK_G_CMP, "cmp", "LSI"},  {JK_G_TEST, "test", "LSI"},     {JK_G_IMUL, "imul", "L"},
    {JK_G_BSF, "bsf", "L"},    {JK_G_TZCNT, "tzcnt", "L"},     {JK_G_POPCNT, "popcnt", "L"},
    {JK_G_SHL, "shl", "H"},    {JK_G_SHR, "shr", "H"},         {JK_G_SAR, "sar", "H"},
    {JK_G_LEA, "lea", "*"},    {JK_G_CMOV, "cmov", "*"},       {JK_G_PUSH, "push", "*"},
    {JK_G_POP, "pop", "*"},    {JK_G_CALL, "call", "*"},       {JK_G_CALL_LABEL, "call", "*"},
    {JK_G_JMP_TO, "jmp", "*"}, {JK_G_STMXCSR, "stmxcsr", "*"}, {JK_G_JMP, "jmp", "*"},
    {JK_G_JCC, "j", "*"},      {JK_G_BZHI, "bzhi", "*"},
};
#endif
