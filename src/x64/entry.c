/* x64: a program's stages, one after the other, in one piece of code; and scalar functions with the C calling
 * convention. */
#include "gen.h"

JK_SMALL_OPEN

/* clang-format off */
static const jk_row jk_rows_uniform[] = {
    JK_S0(0, G_ENDBR64),
    JK_S(0, MOV, R8, RUN_FRAME),
    JK_BODY(0, ONE, FULL, 0),
    JK_S0(0, G_RET),
    JK_END,
};

static const jk_row jk_rows_function[] = {
    JK_S0(0, G_ENDBR64),
    JK_STACK(JK_IF_FRAME, PUSH, 1 << JK_RBP),
    JK_S(JK_IF_FRAME, MOV, RBP, RSP),
    JK_SI(JK_IF_FRAME, AND, RSP, -64),
    JK_S(JK_IF_FRAME | JK_IF_PLAIN, SUB, RSP, FRAME),
    JK_SECTION(JK_IF_PAGES), /* each page in turn is touched: the guard page is not jumped over */
    JK_S(0, LEA, RAX, FRAME_END),
  JK_LABEL(0, TOP),
    JK_SI4(0, OR, STACK, 0),
    JK_SI(0, SUB, RSP, 4096),
    JK_S(0, CMP, RSP, RAX),
    JK_BACK(0, A, TOP),
    JK_S(0, MOV, RSP, RAX),
    JK_SECTION(0),
    JK_HOOK(0, FUNCTION, 0, 0),
    JK_S(JK_IF_FRAME, MOV, RSP, RBP),
    JK_STACK(JK_IF_FRAME, POP, 1 << JK_RBP),
    JK_S0(0, G_RET),
    JK_END,
};

/* Saves every register a C function may change (rcx rdx rsi rdi r8 to r11, xmm0 to xmm15), aligns the stack and calls the
 * software FMA; rax: the operands. */
static const jk_row jk_rows_fma[] = {
    JK_STACK(0, PUSH, 1 << JK_RBP),
    JK_S(0, MOV, RBP, RSP),
    JK_STACK(0, PUSH, 0xfc6),
    JK_SI(0, SUB, RSP, 256 + 8),
    JK_SI(0, AND, RSP, -16),
    JK_HOOK(0, VECTORS, 1, 0),
    JK_S(0, MOV, RDI, RAX),
    JK_SI4(JK_IF_F64, MOV, RSI, JK_F64),
    JK_SI4(JK_IF_F64, MOV, RDX, 2),
    JK_SI4(JK_IF_F32, MOV, RSI, JK_F32),
    JK_SI4(JK_IF_F32, MOV, RDX, 4),
    JK_HOOK(0, CALL, 0, 0),
    JK_HOOK(0, VECTORS, 0, 0),
    JK_S(0, LEA, RSP, PUSHED),
    JK_STACK(0, POP, 0xfc6),
    JK_STACK(0, POP, 1 << JK_RBP),
    JK_S0(0, G_RET),
    JK_END,
};
/* clang-format on */

/* Starts a stage for a target. */
JK_FUNC void jk_gen_stage(jk_gen *g, const jk_target *t)
{
    g->t = *t;
    g->as.enc = t->enc;
    g->frame = 0;
    g->fma_at = -1;
    g->fixed = 0;
    g->nacc = 0;
    g->pour = g->held = false;
    g->width = g->vectors = g->streams = 1;
    g->parts = t->scalar ? g->lanes : JK_LANE_BYTES / t->vbytes;
    g->one = g->lanes / g->parts;
}

/* A stage: everything that it asks for; or, where `want` is a value, the search for the place of it. Without a stage
 * the function that computes it: all uniform stages are one there, as no pass is between them. */
JK_FUNC bool jk_emit_stage(jk_gen *g, const jk_target *t, const jk_stage *s, jk_ref want)
{
    static const jk_row *const rows[] = {jk_rows_function, jk_rows_uniform, jk_rows_map, jk_rows_chunk, jk_rows_find};
    bool whole = want == JK_NOREF, pass = s && s->is_pass;
    unsigned kind;
    jk_work w;
    jk_body b;
    memset(&w, 0, sizeof w);
    w.want = &want;
    w.nwant = !whole;
    if (whole) {
        w.order = s->order;
        w.norder = s->norder;
        w.nred = s->nred;
        w.stores = s->stores;
    }
    jk_gen_stage(g, t);
    g->stage = s;
    g->want = want;
    if (pass)
        jk_frame_take(g, whole ? JK_PASS_SLOTS : 2 * JK_PASS_SLOTS, 64); /* a search's target besides */
    if (!whole) {
        if (!g->search.mark)
            jk_order_init(&g->search, g->p, g->arena, 0, g->p->nins);
        g->search.varying = pass;
        jk_order_root(&g->search, want);
        jk_order_take(&g->search, &w.order, &w.norder);
    }
    if ((w.nred && !jk_acc_layout(g, s)) || !jk_body_build(g, &b, &w))
        return false;
    if (!w.nred)
        b.batch.rows_index = JK_RCX;
    if (!s) { /* JK_IF_FRAME, JK_IF_PAGES */
        g->held = g->stack || g->p->nparams > JK_ARG_REGISTERS;
        g->pour = g->stack > 4096;
    }
    kind = !s ? 0 : !pass ? 1 : !whole ? 4 : w.nred ? 3 : 2;
    return (!pass || jk_plan_pass(g, &b, whole)) && jk_skeleton(g, &b, rows[kind]);
}

/* Each stage, and behind a pass its searches. */
JK_FUNC bool jk_emit_stages(jk_gen *g, const jk_target *scalar, const jk_target *vector, jk_code *out)
{
    const jk_program *p = g->p;
    uint32_t k, r;
    out->stage = (size_t *)jk_arena_alloc(g->arena, sizeof *out->stage * ((size_t)p->nstages + 1));
    out->find = (size_t **)jk_arena_zero(g->arena, sizeof *out->find * ((size_t)p->nstages + 1));
    if (!out->stage || !out->find)
        return false;
    for (k = 0; k < p->nstages; k++) {
        const jk_stage *s = &p->stages[k];
        out->stage[k] = JK_NOCODE;
        if (s->is_pass && !vector->kmask)
            out->rest = g->lanes - 1;
        if (!s->is_pass && !s->norder)
            continue;
        jk_asm_align(&g->as, 16);
        g->start = g->as.n;
        if (!jk_emit_stage(g, s->is_pass ? vector : scalar, s, JK_NOREF))
            return false;
        out->stage[k] = g->start;
        if (s->nred && !(out->find[k] = (size_t *)jk_arena_alloc(g->arena, sizeof(size_t) * s->nred)))
            return false;
        for (r = 0; r < s->nred; r++) {
            const jk_ins *i = &p->ins[s->red[r]];
            out->find[k][r] = JK_NOCODE;
            if (i->op != JK_RARGMIN)
                continue;
            jk_asm_align(&g->as, 16);
            out->find[k][r] = g->as.n;
            if (!jk_emit_stage(g, vector, s, i->a))
                return false;
        }
    }
    return true;
}

#define JK_FUNCTION_FRAME 32768u /* bytes of stack at most: threads with 64 KiB of it call such functions too */

/* Most functions need no frame; what needs one is known after a first attempt. */
JK_FUNC jitk_status jk_x64_compile(const jk_program *p, jitk_isa isa, bool fma, FILE *listing, uint64_t address,
                                   jk_arena *arena, jk_code *out, jitk_error *e)
{
    jk_gen g;
    uint32_t frame = 0;
    bool function = isa == JK_ISA_FUNCTION, ok;
    const jk_target *vector = jk_target_of(function ? JITK_ISA_SCALAR : isa, fma),
                    *scalar = jk_target_of(JITK_ISA_SCALAR, vector->enc != JK_ENC_LEGACY);
    memset(out, 0, sizeof *out);
    for (;;) {
        memset(&g, 0, sizeof g);
        g.p = p;
        g.arena = arena;
        g.e = e;
        jk_asm_init(&g.as, arena, JK_ENC_LEGACY);
        g.as.listing = listing;
        g.as.address = address;
        g.as.note = UINT32_MAX;
        g.frame_reg = function ? JK_RSP : JK_R_FRAME;
        g.function = function;
        g.stack = frame;
        g.log_lanes = p->type == JK_F64 ? 3 : 4;
        g.lanes = 1u << g.log_lanes;
        g.local = (uint32_t *)jk_arena_zero(arena, sizeof *g.local * 2 * ((size_t)p->nins + 1));
        g.outer = g.local + p->nins;
        ok = g.local && (function ? jk_emit_stage(&g, scalar, NULL, p->args[p->nparams].value)
                                  : jk_emit_stages(&g, scalar, vector, out));
        if (!ok || !function || frame >= g.frame_max)
            break;
        frame = (uint32_t)JK_ALIGN_UP((size_t)g.frame_max, 64);
        if (frame > JK_FUNCTION_FRAME)
            return jk_fail(e, JITK_ERR_LIMIT,
                           "the function needs %u bytes of stack for temporaries; at most %u are taken", frame,
                           JK_FUNCTION_FRAME);
    }
    out->frame_bytes = JK_ALIGN_UP((size_t)g.frame_max, 64);
    if (out->frame_bytes == JK_PASS_SLOTS && !g.fma_used) /* whose frame would lie where a call has its run */
        out->call = g.call;
    if (ok && g.fma_used) {
        jk_asm_bind(&g.as, g.fma_thunk);
        g.t = *jk_target_of(JITK_ISA_SCALAR, false);
        g.frame_reg = JK_RSP;
        jk_skeleton(&g, NULL, jk_rows_fma);
    }
    if (!jk_asm_finish(&g.as, &out->bytes, &out->nbytes) || !ok)
        return e->status != JITK_OK ? e->status : jk_fail_nomem(e);
    return e->status;
}

#undef JK_S
#undef JK_S4
#undef JK_SI
#undef JK_SI4
#undef JK_S0
#undef JK_CMOV
#undef JK_LABEL
#undef JK_TO
#undef JK_BACK
#undef JK_BODY
#undef JK_HOOK
#undef JK_STACK
#undef JK_SECTION
#undef JK_END
#undef JK_CC_ALWAYS
#undef JK_OPND_IMM

JK_SMALL_CLOSE
