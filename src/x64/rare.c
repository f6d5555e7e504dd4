/* x64: rare bodies. The loop tests the mask and jumps to a stub behind it when a lane is set. The stub puts every
 * register in use aside, runs the body with all of them free (its outside values then stand in memory), repeats while
 * lanes ask for it, takes everything back, with the results in place of the fast values, and returns. The loop pays one
 * test. */
#include "gen.h"

JK_SMALL_OPEN

/* rax = some lane of the instances' masks is set; flags accordingly. m is a mask register or vector to test. */
JK_FUNC void jk_emit_test_mask(jk_gen *g, jk_type type, unsigned m, bool tail)
{
    int32_t lanes = 1;
    if (g->t.kmask) {
        if (tail) {
            jk_asm_k(&g->as, JK_K_KAND, JK_K_SCRATCH, m, JK_K_TAIL);
            m = JK_K_SCRATCH;
        }
        jk_asm_kstore(&g->as, jk_opnd_reg(JK_RAX), m);
        lanes = jk_type_size(type) == 8 ? 0xff : 0xffff;
    } else {
        jk_emit_3(g, JK_V_MOVMSK, type, JK_RAX, JK_RAX, jk_opnd_reg(m));
    }
    if (g->t.kmask || g->t.scalar)
        jk_asm_gi(&g->as, JK_G_TEST, 4, jk_opnd_reg(JK_RAX), lanes);
    else
        jk_asm_g(&g->as, JK_G_TEST, 4, JK_RAX, jk_opnd_reg(JK_RAX));
}

/* The masks of all instances in one; a scratch register of the masks' class. */
JK_FUNC unsigned jk_emit_any(jk_body *b, uint32_t v)
{
    jk_gen *g = b->g;
    uint32_t j;
    bool k = g->t.kmask;
    unsigned t = 0, m;
    for (j = 0; j < b->width; j++) {
        m = jk_reg_of(b, v, j);
        if (b->width == 1)
            return m;
        if (!j)
            t = k ? JK_K_SCRATCH : jk_temp(b, 0);
        else
            b->pinned[k] &= ~(1u << m);
        if (k)
            jk_asm_k(&g->as, j ? JK_K_KOR : JK_K_KMOV, t, j ? t : m, m);
        else if (j)
            jk_emit_3(g, JK_V_OR, JK_F32, t, t, jk_opnd_reg(m));
        else
            jk_emit_mov(g, t, m);
    }
    return t;
}

JK_FUNC void jk_rare_jump(jk_body *b, jk_ref ref)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    uint32_t j, fast = jk_val_of(b, i->b), mask = jk_val_of(b, i->a);
    jk_stub *s = (jk_stub *)jk_arena_alloc(g->arena, sizeof *s);
    jk_loc *loc = (jk_loc *)jk_arena_alloc(g->arena, sizeof *loc * ((size_t)b->nval * b->width + 1));
    if (!s || !loc)
        return;
    for (j = 0; j < b->width; j++) {
        unsigned f = jk_reg_of(b, fast, j);
        jk_emit_mov(g, jk_result_reg(b, jk_val_of(b, ref), j, JK_NOREF), f);
        b->pinned[0] = b->pinned[1] = 0;
    }
    jk_emit_test_mask(g, (jk_type)b->val[mask].type, jk_emit_any(b, mask), b->mode == JK_MODE_MASK);
    b->pinned[0] = b->pinned[1] = 0;
    s->enter = jk_asm_label(&g->as);
    s->back = jk_asm_label(&g->as);
    s->ref = ref;
    s->value = jk_val_of(b, ref);
    s->at = *b;
    s->at.loc = loc;
    memcpy(loc, b->loc, sizeof *loc * (size_t)b->nval * b->width);
    s->next = g->stubs;
    g->stubs = s;
    jk_asm_jcc(&g->as, JK_CC_NE, s->enter);
    jk_asm_bind(&g->as, s->back);
}

/* Stores or loads every register in use at the jump, at consecutive slots from `at`. */
JK_FUNC void jk_stub_registers(jk_stub *s, int32_t at, bool save)
{
    jk_gen *g = s->at.g;
    unsigned k;
    for (k = 0; k < 64; k++) {
        unsigned cls = k / 32, r = k % 32;
        if (!(s->at.used[cls] >> r & 1))
            continue;
        if (save) {
            s->at.loc[s->at.owner[cls][r]].slot = at;
            jk_frame_save(g, cls, at, r);
        } else {
            jk_frame_load(g, cls, r, at);
        }
        at += (int32_t)jk_slot_bytes(g);
    }
}

/* Builds a body of the stub, and gives the values of the outside their places: as they were at the jump. Its values are
 * numbered anew; g->outer has the numbers + 1 in the body around. */
JK_FUNC bool jk_stub_build(jk_stub *s, jk_body *b, const jk_ref *order, uint32_t norder, const jk_ref *want,
                           uint32_t nwant, const int32_t *state_at)
{
    const jk_body *at = &s->at;
    jk_gen *g = at->g;
    jk_ref first = g->p->rares[g->p->ins[s->ref].aux].first;
    uint32_t v, j;
    bool ok;
    if (!g->outer)
        g->outer = (uint32_t *)jk_arena_zero(g->arena, sizeof *g->outer * ((size_t)g->p->nins + 1));
    if (!g->outer)
        return false;
    jk_body_forget(&s->at);
    for (v = 0; v < at->nval; v++)
        g->outer[at->val[v].ref] = v + 1;
    g->around = at;
    ok = jk_body_build(g, b, order, norder, NULL, 0, false, want, nwant);
    g->around = NULL;
    if (!ok || !jk_body_begin(b, at->width))
        return false;
    b->in_stub = true;
    b->mode = at->mode;
    b->streams = at->streams;
    b->first = at->first;
    b->rows_index = at->rows_index;
    b->available[0] = at->available[0];
    for (v = 0; v < b->nval; v++) {
        jk_val *x = &b->val[v];
        uint32_t around = g->outer[x->ref];
        const jk_val *o = &at->val[around ? around - 1 : 0];
        if (x->kind == JK_VAL_STATE && x->ref >= first) {
            x->at = state_at[x->ref - first];
        } else if (around && (x->kind == JK_VAL_STATE || x->kind == JK_VAL_UNIFORM)) {
            x->home = o->home;
            x->at = o->at;
            x->resident = o->resident;
        }
        for (j = 0; x->kind == JK_VAL_OUTER && around && j < b->width; j++)
            b->loc[v * b->width + j].slot = at->loc[(around - 1) * at->width + j].slot;
    }
    for (v = 0; v < at->nval; v++)
        g->outer[at->val[v].ref] = 0;
    return true;
}

/* The home of width instances: state, active lanes, results. */
JK_FUNC int32_t jk_stub_home(jk_stub *s)
{
    uint32_t slot = jk_slot_bytes(s->at.g);
    return jk_frame_take(s->at.g, slot * s->at.width, slot);
}

/* What is done with each instance of a value, A: X is its home, Y its active lanes, B the mask register of the tail, D
 * the register `any`. */
/* clang-format off */
static const jk_cmd jk_do_stub_store[] = {JK_C_REG(A), JK_C_DO(STORE, X, A), JK_C_END};
static const jk_cmd jk_do_stub_store_k[] = {JK_C_REG(A), JK_C_DO(KSTORE, X, A), JK_C_END};
static const jk_cmd jk_do_stub_tail[] = { /* lanes without an element are never active */
    JK_C_DO(KLOAD, K, X), JK_C_K(KAND, K, K, B), JK_C_DO(KSTORE, X, K), JK_C_END,
};
static const jk_cmd jk_do_stub_merge[] = { /* home = active ? A : home */
    JK_C_REG(A), JK_C_TEMP(T), JK_C_TEMP(U),
    JK_C_DO(LOAD, T, Y),
    JK_C_V(AND, U, T, A),
    JK_C_V(ANDN, T, T, X),
    JK_C_V(OR, T, T, U),
    JK_C_DO(STORE, X, T),
    JK_C_END,
};
static const jk_cmd jk_do_stub_merge_k[] = {
    JK_C_REG(A), JK_C_TEMP(T),
    JK_C_V(MOVA, T, T, X),
    JK_C_DO(KLOAD, K, Y),
    JK_C_VK(MOVA, T, T, A, 0, JK_K_SCRATCH),
    JK_C_DO(STORE, X, T),
    JK_C_END,
};
static const jk_cmd jk_do_stub_again[] = { /* active &= A; any |= active */
    JK_C_REG(A), JK_C_TEMP(T),
    JK_C_DO(LOAD, T, Y),
    JK_C_V(AND, T, T, A),
    JK_C_DO(STORE, Y, T),
    JK_C_V(OR, D, D, T),
    JK_C_END,
};
static const jk_cmd jk_do_stub_again_k[] = {
    JK_C_REG(A),
    JK_C_DO(KLOAD, K, Y),
    JK_C_K(KAND, K, K, A),
    JK_C_DO(KSTORE, Y, K),
    JK_C_K(KOR, D, D, K),
    JK_C_END,
};
/* clang-format on */

JK_FUNC void jk_stub_each(jk_body *b, const jk_cmd *cmds, jk_type type, jk_ref ref, int32_t home, int32_t active,
                          unsigned any)
{
    jk_gen *g = b->g;
    jk_play p;
    uint32_t step = jk_slot_bytes(g);
    jk_play_init(&p, g, g->t.scalar ? JK_F32 : type);
    p.b = b;
    p.val[0] = jk_val_of(b, ref);
    p.o[JK_AT_B] = jk_opnd_reg(JK_K_TAIL);
    p.o[JK_AT_D] = jk_opnd_reg(any);
    for (p.j = 0; p.j < b->width; p.j++) {
        int32_t offset = (int32_t)(p.j * step);
        p.o[JK_AT_X] = jk_at_frame(g, home + offset);
        p.o[JK_AT_Y] = jk_at_frame(g, active + offset);
        if (any != JK_NOREG)
            b->pinned[b->val[p.val[0]].cls] |= 1u << any;
        jk_play_run(&p, cmds);
        b->pinned[0] = b->pinned[1] = 0;
    }
}

JK_FUNC void jk_stub_store(jk_body *b, jk_ref ref, int32_t home)
{
    bool k = b->val[jk_val_of(b, ref)].cls;
    jk_stub_each(b, k ? jk_do_stub_store_k : jk_do_stub_store, JK_F64, ref, home, 0, JK_NOREG);
}

JK_FUNC void jk_stub_merge(jk_body *b, jk_ref ref, int32_t home, int32_t active)
{
    bool k = b->g->t.kmask;
    jk_stub_each(b, k ? jk_do_stub_merge_k : jk_do_stub_merge, (jk_type)b->g->p->ins[ref].type, ref, home, active,
                 JK_NOREG);
}

/* active &= again; leaves the flags of "any lane active". */
JK_FUNC void jk_stub_again(jk_body *b, jk_ref again, int32_t active)
{
    jk_gen *g = b->g;
    bool k = g->t.kmask;
    unsigned any = jk_temp(b, k);
    if (k)
        jk_asm_k(&g->as, JK_K_KXOR, any, any, any);
    else
        jk_emit_3(g, JK_V_XOR, JK_F32, any, any, jk_opnd_reg(any));
    jk_stub_each(b, k ? jk_do_stub_again_k : jk_do_stub_again, JK_F32, again, 0, active, any);
    jk_emit_test_mask(g, (jk_type)g->p->ins[again].type, any, false);
}

/* What a stub's bodies share. */
typedef struct jk_stub_plan {
    jk_ref *want, *state; /* values that a body is to compute; the RSTATEs */
    uint32_t nstate;
    int32_t *state_at; /* by ref, from the body's first on */
    int32_t active, result;
} jk_stub_plan;

/* The values before the body's first run: state, active lanes, results. */
JK_FUNC bool jk_stub_init(jk_stub *s, const jk_stub_plan *q)
{
    const jk_ins *ins = s->at.g->p->ins, *i = &ins[s->ref];
    jk_ref first = s->at.g->p->rares[i->aux].first;
    jk_body b;
    uint32_t n;
    q->want[0] = i->a;
    q->want[1] = i->b;
    for (n = 0; n < q->nstate; n++)
        q->want[n + 2] = ins[q->state[n]].a;
    if (!jk_stub_build(s, &b, NULL, 0, q->want, q->nstate + 2, q->state_at))
        return false;
    jk_stub_store(&b, i->a, q->active);
    if (s->at.mode == JK_MODE_MASK)
        jk_stub_each(&b, jk_do_stub_tail, JK_F64, i->a, q->active, 0, JK_NOREG);
    jk_stub_store(&b, i->b, q->result);
    for (n = 0; n < q->nstate; n++)
        jk_stub_store(&b, q->want[n + 2], q->state_at[q->state[n] - first]);
    jk_body_forget(&b);
    return true;
}

/* The body's order without its states, which stand in memory. */
JK_FUNC bool jk_stub_order(jk_gen *g, jk_ref first, jk_ref ref, const jk_ref *roots, uint32_t nroots,
                           const jk_ref **order, uint32_t *norder)
{
    uint32_t n, m = 0;
    jk_ref *kept;
    if (jk_order(g->p, g->arena, first, ref, roots, nroots, !g->p->varying[ref], order, norder) != JITK_OK)
        return false;
    kept = (jk_ref *)jk_arena_alloc(g->arena, sizeof *kept * ((size_t)*norder + 1));
    for (n = 0; kept && n < *norder; n++)
        if (g->p->ins[(*order)[n]].op != JK_RSTATE)
            kept[m++] = (*order)[n];
    *order = kept;
    *norder = m;
    return kept != NULL;
}

JK_FUNC bool jk_stub_emit(jk_stub *s)
{
    jk_gen *g = s->at.g;
    const jk_ins *ins = g->p->ins, *i = &ins[s->ref];
    const jk_rare *rare = &g->p->rares[i->aux];
    bool repeats = rare->again != JK_NOREF;
    uint32_t n, nwant = 0, norder, room = s->ref - rare->first + 2;
    const jk_ref *order;
    jk_stub_plan q;
    int32_t saved, count;
    uint32_t slot = jk_slot_bytes(g);
    uint32_t nsaved = (uint32_t)(__builtin_popcount(s->at.used[0]) + __builtin_popcount(s->at.used[1]));
    jk_label top = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    jk_body b;
    q.active = jk_stub_home(s);
    q.result = jk_stub_home(s);
    count = jk_frame_take(g, 4, 4);
    saved = jk_frame_take(g, slot * (nsaved + 1), slot);
    q.want = (jk_ref *)jk_arena_alloc(g->arena, 3 * sizeof *q.want * (size_t)room);
    if (!q.want)
        return false;
    q.state = q.want + room;
    q.state_at = (int32_t *)(q.state + room);
    q.nstate = 0;
    jk_asm_bind(&g->as, s->enter);
    jk_stub_registers(s, saved, true);
    for (n = rare->first; n < s->ref; n++)
        if (ins[n].op == JK_RSTATE) {
            q.state[q.nstate++] = n;
            q.state_at[n - rare->first] = jk_stub_home(s);
        }
    if (!jk_stub_init(s, &q))
        return false;
    q.want[nwant++] = i->c;
    if (repeats)
        q.want[nwant++] = rare->again;
    for (n = 0; repeats && n < q.nstate; n++)
        q.want[nwant++] = ins[q.state[n]].b;
    if (!jk_stub_order(g, rare->first, s->ref, q.want, nwant, &order, &norder) ||
        !jk_stub_build(s, &b, order, norder, q.want, nwant, q.state_at))
        return false;
    jk_asm_gi(&g->as, JK_G_MOV, 4, jk_at_frame(g, count), (int32_t)rare->limit);
    jk_asm_bind(&g->as, top);
    jk_body_run(&b);
    jk_stub_merge(&b, i->c, q.result, q.active);
    if (repeats) {
        for (n = 0; n < q.nstate; n++)
            jk_stub_merge(&b, ins[q.state[n]].b, q.state_at[q.state[n] - rare->first], q.active);
        jk_stub_again(&b, rare->again, q.active);
        jk_asm_jcc(&g->as, JK_CC_E, done);
        jk_asm_gi(&g->as, JK_G_SUB, 4, jk_at_frame(g, count), 1);
        jk_asm_jcc(&g->as, JK_CC_NE, top);
    }
    jk_asm_bind(&g->as, done);
    jk_body_forget(&b);
    for (n = 0; n < s->at.width; n++) { /* the results go where the fast values were put, and come back with the rest */
        jk_frame_load(g, 0, 0, q.result + (int32_t)(n * slot));
        jk_frame_save(g, 0, s->at.loc[s->value * s->at.width + n].slot, 0);
    }
    jk_stub_registers(s, saved, false);
    jk_asm_jmp(&g->as, s->back);
    return !g->arena->failed && g->e->status == JITK_OK;
}

/* Emits the stubs of the bodies since the last call, and those that these bodies ask for. */
JK_FUNC void jk_rare_stubs(jk_gen *g)
{
    while (g->stubs && g->e->status == JITK_OK) {
        jk_stub *s = g->stubs;
        g->stubs = s->next;
        if (!jk_stub_emit(s))
            break;
    }
    g->stubs = NULL;
}
JK_SMALL_CLOSE
