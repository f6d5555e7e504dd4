/* x64: the instruction sets: what each has, and the emitters in which they differ. Everything above asks these. */
#include "gen.h"

JK_SMALL_OPEN

/* clang-format off */
static const jk_target jk_targets[] = {
    /* encoding     vector bytes, registers; scalar, kmask, fma, round */
    {JK_ENC_LEGACY, 16, 16, true, false, false, false},
    {JK_ENC_LEGACY, 16, 16, false, false, false, false},
    {JK_ENC_VEX, 32, 16, false, false, true, true},
    {JK_ENC_EVEX, 64, 32, false, true, true, true},
    {JK_ENC_VEX, 16, 16, true, false, true, true}, /* scalar code for a CPU that has FMA */
};
/* clang-format on */

JK_NOINLINE const jk_target *jk_target_of(jitk_isa isa, bool fma)
{
    return &jk_targets[isa == JITK_ISA_SCALAR && fma ? 4 : (int)isa - (int)JITK_ISA_SCALAR];
}

JK_NOINLINE jk_vt jk_vt_of(const jk_gen *g, jk_type type)
{
    jk_vt vt;
    bool wide = jk_type_size(type) == 8;
    vt.fmt = (uint8_t)(g->t.scalar ? (wide ? JK_SD : JK_SS) : (wide ? JK_PD : JK_PS));
    vt.vl = g->t.vbytes;
    vt.k = vt.zero = 0;
    return vt;
}

JK_FUNC int32_t jk_frame_take(jk_gen *g, uint32_t nbytes, uint32_t align)
{
    uint32_t at = (uint32_t)JK_ALIGN_UP(g->frame, align);
    if (nbytes > (uint32_t)INT32_MAX / 2 || at > (uint32_t)INT32_MAX / 2) {
        jk_fail(g->e, JITK_ERR_LIMIT, "the kernel needs more than 1 GiB of temporaries");
        return 0;
    }
    g->frame = at + nbytes;
    g->frame_max = JK_LARGER(g->frame_max, g->frame);
    return (int32_t)at;
}

JK_NOINLINE jk_opnd jk_at_frame(const jk_gen *g, int32_t offset)
{
    return jk_opnd_mem(g->frame_reg, offset);
}

/* A constant in every lane, as a memory operand: one element to broadcast where the encoding can, else a whole vector.
 */
JK_NOINLINE jk_opnd jk_const(jk_gen *g, jk_type type, uint64_t bits)
{
    uint64_t lanes[8];
    unsigned k, size = (unsigned)jk_type_size(type);
    jk_opnd o;
    if (size == 4)
        bits = (bits & UINT32_MAX) | bits << 32;
    for (k = 0; k < 8; k++)
        lanes[k] = bits;
    o = jk_opnd_pool(jk_asm_const(&g->as, lanes, g->t.kmask ? size : g->t.vbytes));
    o.bcast = g->t.kmask;
    return o;
}

/* The constants that sequences name, beside 8-byte and 4-byte lanes. */
JK_NOINLINE jk_opnd jk_const_of(jk_gen *g, jk_type type, unsigned bits)
{
    static const uint64_t some[][2] = {
        {0x8000000000000000u, 0x80000000u}, /* SIGN */
        {0x7fffffffffffffffu, 0x7fffffffu}, /* REST */
        {0x4330000000000000u, 0x4b000000u}, /* WHOLE: 2^52, 2^23, from which on all numbers are whole */
        {0x3ff0000000000000u, 0x3f800000u}, /* ONE */
        {UINT64_MAX, UINT32_MAX},           /* ONES */
        {0x7ff8000000000000u, 0x7fc00000u}, /* NAN */
        {0x7ff0000000000000u, 0x7f800000u}, /* INF */
        {0xfff0000000000000u, 0xff800000u}, /* MINUS_INF */
        {0x50800, 0x50800},                 /* POW_HALF: of vfixupimm: zeros give +0, -inf gives inf */
        /* split.c's */
        {0x0010000000000000u, 0x00800000u}, /* EXPONENT: one */
        {0x3fdfffffffffffffu, 0x3effffffu}, /* HALF_LESS: the number below it */
        {0x3ff8000000000000u, 0},           /* 3_2 */
        {0x4004000000000000u, 0},           /* 5_2 */
        {0x4011800000000000u, 0},           /* 35_8 */
        {0x401f800000000000u, 0},           /* 63_8 */
        {1, 1},                             /* ULP */
        {0x000fffffff000000u, 0x007fffffu}, /* DIGITS: those that are all ones in divisors next to 2 */
        {0x0f60000000000000u, 0x1b000000u}, /* ROOT_LOW: 2^-900, 2^-100, doubled */
        {0xf07fffffffffffffu, 0xe3ffffffu}, /* ROOT_SPAN: to the largest number */
        {0xf0e0000000000000u, 0}, /* ROOT_LOW_AVX2: 2^-120 (a single's range); the top bit the other way round */
        {0x9e00000000000000u, 0}, /* ROOT_SPAN_AVX2: to 2^120 */
        {0x4de0000000000000u, 0x43000000u}, /* QUOTIENT_LOW: 2^-400, 2^-60, doubled */
        {0x6400000000000000u, 0x78000000u}, /* QUOTIENT_SPAN: to 2^400, 2^60 */
    };
    return jk_const(g, type, some[bits - 1][jk_type_size(type) == 4]);
}

/* rax = a field of the run. */
JK_NOINLINE void jk_emit_run(jk_gen *g, size_t offset)
{
    jk_asm_g(&g->as, JK_G_MOV, 8, JK_RAX, jk_opnd_mem(JK_R_RUN, (int32_t)offset));
}

/* A register of either class, whole, from or to memory. Moves of packed singles are shortest, whatever the type. */
JK_NOINLINE void jk_emit_whole(jk_gen *g, unsigned cls, unsigned reg, jk_opnd at, bool store)
{
    jk_asm_v(&g->as, cls ? JK_K_KMOV : JK_V_MOVA, jk_vt_of(g, JK_F32), reg, 0, at, store ? JK_STORE : 0);
}

JK_NOINLINE void jk_emit_mov(jk_gen *g, unsigned dst, unsigned src)
{
    if (dst != src)
        jk_emit_whole(g, 0, dst, jk_opnd_reg(src), false);
}

JK_NOINLINE void jk_frame_save(jk_gen *g, unsigned cls, int32_t at, unsigned reg)
{
    jk_emit_whole(g, cls, reg, jk_at_frame(g, at), true);
}

JK_NOINLINE void jk_frame_load(jk_gen *g, unsigned cls, unsigned reg, int32_t at)
{
    jk_emit_whole(g, cls, reg, jk_at_frame(g, at), false);
}

/* A whole vector (scalar code: one element) from memory; broadcast operands in every lane. */
JK_NOINLINE void jk_emit_load(jk_gen *g, jk_type type, unsigned dst, jk_opnd from)
{
    if (from.bcast)
        jk_emit_splat(g, type, dst, from);
    else
        jk_emit_3(g, JK_V_MOVU, type, dst, dst, from);
}

JK_NOINLINE void jk_emit_store(jk_gen *g, jk_type type, jk_opnd to, unsigned src)
{
    jk_emit_3i(g, JK_V_MOVU, type, src, src, to, JK_STORE);
}

/* One element from memory into every lane. */
JK_NOINLINE void jk_emit_splat(jk_gen *g, jk_type type, unsigned dst, jk_opnd from)
{
    jk_vt vt = jk_vt_of(g, type);
    bool spread = !g->t.scalar && g->t.enc != JK_ENC_LEGACY;
    from.bcast = 0;
    if (!spread)
        vt.fmt |= 2; /* JK_SS, JK_SD */
    jk_asm_v(&g->as, spread ? JK_V_BROADCAST : JK_V_MOVU, vt, dst, 0, from, 0);
    if (!spread && !g->t.scalar)
        jk_emit_3(g, vt.fmt == JK_SD ? JK_V_UNPCKL : JK_V_SHUF, type, dst, dst, jk_opnd_reg(dst));
}

/* dst = a op b. Where the encoding has two operands a moves first: dst may be a, and not b. */
JK_INLINE void jk_emit_inst(jk_gen *g, unsigned i, jk_vt vt, unsigned dst, unsigned a, jk_opnd b, unsigned imm)
{
    if (g->t.enc == JK_ENC_LEGACY) {
        jk_emit_mov(g, dst, a);
        a = dst;
    }
    jk_asm_v(&g->as, (jk_inst)i, vt, dst, a, b, imm);
}

JK_NOINLINE void jk_emit_3i(jk_gen *g, jk_inst i, jk_type type, unsigned dst, unsigned a, jk_opnd b, unsigned imm)
{
    jk_emit_inst(g, i, jk_vt_of(g, type), dst, a, b, imm);
}

JK_NOINLINE void jk_emit_3(jk_gen *g, jk_inst i, jk_type type, unsigned dst, unsigned a, jk_opnd b)
{
    jk_emit_3i(g, i, type, dst, a, b, 0);
}

/* ---- sequences ---- */

JK_NOINLINE void jk_play_init(jk_play *p, jk_gen *g, jk_type type)
{
    p->g = g;
    p->type = type;
    p->imm = p->mem = 0;
    p->val[JK_AT_NONE] = JK_NOREF;
    p->slow = NULL;
    p->o[JK_AT_K] = jk_opnd_reg(JK_K_SCRATCH);
    p->o[JK_AT_R] = jk_opnd_reg(JK_RAX);
}

/* One instruction of a sequence. */
static inline void jk_play_inst(jk_play *p, const jk_cmd *c, unsigned inst, unsigned imm)
{
    jk_vt vt = jk_vt_of(p->g, p->type);
    if (c->how) {
        vt.k = c->how & JK_HOW_A ? (uint8_t)p->o[JK_AT_A].reg : c->how & 7;
        vt.zero = c->how >> 7;
    }
    if (inst == JK_V_BLENDV)
        imm = (unsigned)p->o[JK_AT_A].reg << 4;
    jk_emit_inst(p->g, inst, vt, p->o[c->d].reg, p->o[c->a].reg, p->o[c->b], imm);
}

JK_FUNC void jk_play_run(jk_play *p, const jk_cmd *c)
{
    jk_gen *g = p->g;
    for (;; c++) {
        jk_opnd *d = &p->o[c->d], o = p->o[c->b];
        unsigned what = c->what, imm = c->imm ? c->imm : p->imm, reg;
        switch (what) {
        case JK_DO_END:
            if (p->slow)
                jk_asm_bind(&g->as, p->slow->back);
            return;
        case JK_DO_SLOW:
            jk_slow_path(p, d->reg, c + 1);
            c += c->imm;
            continue;
        case JK_DO_REG:
            reg = jk_reg_of(p->b, p->val[c->d], p->j);
            break;
        case JK_DO_TEMP:
            reg = jk_take(p->b, 0);
            break;
        case JK_DO_RESULT:
            reg = jk_result_reg(p->b, p->v, p->j, p->val[c->a]);
            break;
        case JK_DO_MEM:
            *d = jk_opnd_of(p->b, p->val[c->d], p->j, c->imm | p->mem);
            continue;
        case JK_DO_CONST:
            *d = jk_const_of(g, p->type, imm);
            if (c->b)
                d->bcast = 0;
            continue;
        case JK_DO_MOV:
            jk_emit_mov(g, d->reg, p->o[c->a].reg);
            continue;
        case JK_DO_WHOLE:
            jk_emit_whole(g, c->how, d->reg, o, c->imm);
            continue;
        case JK_DO_FMA:
            jk_asm_lea(&g->as, JK_RAX, o);
            jk_asm_call_label(&g->as, g->fma_thunk);
            continue;
        case JK_DO_IF:
            if (p->op != c->a)
                c += c->imm;
            continue;
        default:
            jk_play_inst(p, c, what == JK_DO_INST ? p->inst : what, imm);
            continue;
        }
        *d = jk_opnd_reg(reg);
    }
}

/* IEEE 754-2019 minimum and maximum. The hardware's give the second operand where an operand is NaN or both are zeros;
 * taking them both ways round and joining the bits keeps a NaN and orders the zeros: for the minimum by or; for the
 * maximum x - y with x = p or q (a NaN, or -0 where one is) and y = p xor q (0, or -0 for the two zeros: -0 - -0 = +0).
 * AVX-512's vrange orders zeros itself and needs only the NaN. The first JK_MINMAX_FETCH commands are select.c's. */
#define JK_MINMAX_FETCH 4
/* clang-format off */
static const jk_cmd jk_do_join[] = {JK_C_INST(D, A, B), JK_C_END};
static const jk_cmd jk_do_minmax[] = {
    JK_C_REG(A), JK_C_REG(B), JK_C_TEMP(T), JK_C_RESULT(A),
    JK_C_INST(T, B, A),
    JK_C_INST(D, A, B),
    JK_C_IF(JK_MAX, 1),
    JK_C_V(XOR, T, T, D), /* T = p xor q; D or T has the bits of p or q */
    JK_C_V(OR, D, D, T),
    JK_C_IF(JK_MAX, 1),
    JK_C_V(SUB, D, D, T),
    JK_C_END,
};
static const jk_cmd jk_do_minmax_k[] = {
    JK_C_REG(A), JK_C_REG(B), JK_C_MOV(R, R), JK_C_RESULT(A),
    JK_C_VI(CMPK, K, A, B, 3),
    JK_C_V(RANGE, D, A, B), /* immediate 4: min; 5: max */
    JK_C_CONST(X, JK_BITS_NAN),
    JK_C_VK(OR, D, D, X, 0, JK_K_SCRATCH),
    JK_C_END,
};

/* clang-format on */

/* d = a op y of a reduction. The minimum has y in a register that is neither a nor d, and a temporary t. */
JK_NOINLINE void jk_emit_join(jk_gen *g, const jk_acc *acc, jk_type type, unsigned d, unsigned a, jk_opnd y, unsigned t)
{
    static const jk_cmd *const cmds[] = {jk_do_minmax, jk_do_minmax_k};
    jk_play p;
    jk_play_init(&p, g, type);
    p.op = JK_MIN;
    p.inst = acc->inst;
    p.imm = 4;
    p.o[JK_AT_A] = jk_opnd_reg(a);
    p.o[JK_AT_B] = y;
    p.o[JK_AT_D] = jk_opnd_reg(d);
    p.o[JK_AT_T] = jk_opnd_reg(t);
    jk_play_run(&p, acc->op == JK_RMIN ? cmds[g->t.kmask] + JK_MINMAX_FETCH : jk_do_join);
}

/* A mask register from a vector of all ones and zeros: all ones is a NaN, and zero is not. */
JK_FUNC void jk_emit_kvec(jk_gen *g, jk_type type, unsigned k, unsigned v)
{
    jk_emit_3i(g, JK_V_CMPK, type, k, v, jk_opnd_reg(v), 3);
}
JK_SMALL_CLOSE
