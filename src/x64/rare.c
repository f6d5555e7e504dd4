/* x64: rare bodies. The loop tests the mask and jumps to a stub behind it when a lane is set. The stub puts every register
 * in use aside, runs the body with all of them free (its outside values then stand in memory), repeats while lanes ask for
 * it, takes everything back, with the results in place of the fast values, and returns. The loop pays one test. */
#include "gen.h"

/* rax = some lane of the instances' masks is set; flags accordingly. m is a mask register or vector to test. */
JK_FUNC void jk_emit_test_mask(jk_gen *g, jk_type type, unsigned m, bool tail)
{
    if (g->t.kmask) {
        if (tail) {
            jk_asm_k(&g->as, JK_K_KAND, JK_K_SCRATCH, m, JK_K_TAIL);
            m = JK_K_SCRATCH;
        }
        jk_asm_kstore(&g->as, jk_opnd_reg(JK_RAX), m);
        jk_asm_gi(&g->as, JK_G_TEST, 4, jk_opnd_reg(JK_RAX), jk_type_size(type) == 8 ? 0xff : 0xffff);
        return;
    }
    jk_asm_v(&g->as, JK_V_MOVMSK, jk_vt_of(g, type), JK_RAX, 0, jk_opnd_reg(m), 0);
    if (g->t.scalar)
        jk_asm_gi(&g->as, JK_G_TEST, 4, jk_opnd_reg(JK_RAX), 1);
    else
        jk_asm_g(&g->as, JK_G_TEST, 4, JK_RAX, jk_opnd_reg(JK_RAX));
}

/* The masks of all instances in one; a scratch register of the masks' class. */
JK_FUNC unsigned jk_emit_any(jk_body *b, uint32_t v)
{
    jk_gen *g = b->g;
    uint32_t j;
    unsigned m = jk_reg_of(b, v, 0), t;
    if (b->width == 1)
        return m;
    t = g->t.kmask ? JK_K_SCRATCH : jk_temp(b, 0);
    if (g->t.kmask)
        jk_asm_kmov(&g->as, t, m);
    else
        jk_emit_mov(g, t, m);
    for (j = 1; j < b->width; j++) {
        m = jk_reg_of(b, v, j);
        if (g->t.kmask)
            jk_asm_k(&g->as, JK_K_KOR, t, t, m);
        else
            jk_emit_3(g, JK_V_OR, JK_F32, t, t, jk_opnd_reg(m));
        b->pinned[b->val[v].cls] &= ~(1u << m);
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
    jk_vt vt = jk_vt_of(g, g->t.scalar ? JK_F32 : JK_F64);
    unsigned cls, r;
    for (cls = 0; cls < 2; cls++)
        for (r = 0; r < 32; r++) {
            if (!(s->at.used[cls] >> r & 1))
                continue;
            if (save)
                s->at.loc[s->at.owner[cls][r]].slot = at;
            if (cls && save)
                jk_asm_kstore(&g->as, jk_at_frame(g, at), r);
            else if (cls)
                jk_asm_kload(&g->as, r, jk_at_frame(g, at));
            else if (save)
                jk_asm_vstore(&g->as, JK_V_MOVA, vt, jk_at_frame(g, at), r, 0);
            else
                jk_asm_v(&g->as, JK_V_MOVA, vt, r, 0, jk_at_frame(g, at), 0);
            at += (int32_t)jk_slot_bytes(g);
        }
}

/* Gives the values of a body in the stub their places: the outside's, as they were at the jump. */
JK_FUNC bool jk_stub_begin(jk_stub *s, jk_body *b, const uint32_t *outer, const int32_t *state_at)
{
    jk_gen *g = s->at.g;
    jk_ref first = g->p->rares[g->p->ins[s->ref].aux].first;
    uint32_t v, j;
    if (!jk_body_begin(b, s->at.width))
        return false;
    b->in_stub = true;
    b->mode = s->at.mode;
    b->streams = s->at.streams;
    b->first = s->at.first;
    b->rows_index = s->at.rows_index;
    b->available[0] = s->at.available[0];
    for (v = 0; v < b->nval; v++) {
        jk_val *x = &b->val[v];
        const jk_val *o = outer[v] ? &s->at.val[outer[v] - 1] : NULL;
        if (x->kind == JK_VAL_STATE && x->ref >= first)
            x->at = state_at[x->ref - first];
        else if (x->kind == JK_VAL_STATE && o)
            x->at = o->at;
        if (x->kind == JK_VAL_UNIFORM && o) {
            x->home = o->home;
            x->at = o->at;
            x->resident = o->resident;
        }
        for (j = 0; x->kind == JK_VAL_OUTER && o && j < b->width; j++)
            b->loc[v * b->width + j].slot = s->at.loc[(outer[v] - 1) * s->at.width + j].slot;
    }
    return true;
}

/* The home of width instances: state, active lanes, results. */
JK_FUNC int32_t jk_stub_home(jk_stub *s)
{
    uint32_t slot = jk_slot_bytes(s->at.g);
    return jk_frame_take(s->at.g, slot * s->at.width, slot);
}

JK_FUNC void jk_stub_store(jk_body *b, jk_ref ref, int32_t home)
{
    jk_gen *g = b->g;
    uint32_t j, v = jk_val_of(b, ref);
    for (j = 0; j < b->width; j++) {
        unsigned r = jk_reg_of(b, v, j);
        jk_opnd to = jk_at_frame(g, home + (int32_t)(j * jk_slot_bytes(g)));
        if (b->val[v].cls)
            jk_asm_kstore(&g->as, to, r);
        else
            jk_asm_vstore(&g->as, JK_V_MOVA, jk_vt_of(g, g->t.scalar ? JK_F32 : JK_F64), to, r, 0);
        b->pinned[0] = b->pinned[1] = 0;
    }
}

/* home = active ? ref : home, lane by lane. */
JK_FUNC void jk_stub_merge(jk_body *b, jk_ref ref, int32_t home, int32_t active)
{
    jk_gen *g = b->g;
    uint32_t j, v = jk_val_of(b, ref);
    jk_type type = g->t.scalar ? JK_F32 : (jk_type)b->val[v].type;
    jk_vt vt = jk_vt_of(g, (jk_type)b->val[v].type), whole = jk_vt_of(g, g->t.scalar ? JK_F32 : JK_F64);
    for (j = 0; j < b->width; j++) {
        int32_t offset = (int32_t)(j * jk_slot_bytes(g));
        jk_opnd h = jk_at_frame(g, home + offset), act = jk_at_frame(g, active + offset);
        unsigned x = jk_reg_of(b, v, j), t = jk_temp(b, 0), u;
        if (g->t.kmask) {
            jk_asm_v(&g->as, JK_V_MOVA, vt, t, 0, h, 0);
            jk_asm_kload(&g->as, JK_K_SCRATCH, act);
            vt.k = JK_K_SCRATCH;
            jk_asm_v(&g->as, JK_V_MOVA, vt, t, 0, jk_opnd_reg(x), 0);
            vt.k = 0;
        } else {
            u = jk_temp(b, 0);
            jk_asm_v(&g->as, JK_V_MOVA, whole, t, 0, act, 0);
            jk_emit_3(g, JK_V_AND, type, u, t, jk_opnd_reg(x));
            jk_emit_3(g, JK_V_ANDN, type, t, t, h);
            jk_emit_3(g, JK_V_OR, type, t, t, jk_opnd_reg(u));
        }
        jk_asm_vstore(&g->as, JK_V_MOVA, whole, h, t, 0);
        b->pinned[0] = b->pinned[1] = 0;
    }
}

/* active &= again; leaves the flags of "any lane active". */
JK_FUNC void jk_stub_again(jk_body *b, jk_ref again, int32_t active)
{
    jk_gen *g = b->g;
    uint32_t j, v = jk_val_of(b, again);
    jk_vt whole = jk_vt_of(g, g->t.scalar ? JK_F32 : JK_F64);
    unsigned t, any = jk_temp(b, b->val[v].cls);
    if (g->t.kmask)
        jk_asm_k(&g->as, JK_K_KXOR, any, any, any);
    else
        jk_emit_3(g, JK_V_XOR, JK_F32, any, any, jk_opnd_reg(any));
    for (j = 0; j < b->width; j++) {
        jk_opnd act = jk_at_frame(g, active + (int32_t)(j * jk_slot_bytes(g)));
        unsigned x;
        b->pinned[b->val[v].cls] |= 1u << any;
        x = jk_reg_of(b, v, j);
        if (g->t.kmask) {
            jk_asm_kload(&g->as, JK_K_SCRATCH, act);
            jk_asm_k(&g->as, JK_K_KAND, JK_K_SCRATCH, JK_K_SCRATCH, x);
            jk_asm_kstore(&g->as, act, JK_K_SCRATCH);
            jk_asm_k(&g->as, JK_K_KOR, any, any, JK_K_SCRATCH);
        } else {
            t = jk_temp(b, 0);
            jk_asm_v(&g->as, JK_V_MOVA, whole, t, 0, act, 0);
            jk_emit_3(g, JK_V_AND, JK_F32, t, t, jk_opnd_reg(x));
            jk_asm_vstore(&g->as, JK_V_MOVA, whole, act, t, 0);
            jk_emit_3(g, JK_V_OR, JK_F32, any, any, jk_opnd_reg(t));
        }
        b->pinned[0] = b->pinned[1] = 0;
    }
    jk_emit_test_mask(g, (jk_type)b->val[v].type, any, false);
}

/* The values before the body's first run: state, active lanes, results. */
JK_FUNC bool jk_stub_init(jk_stub *s, const jk_ref *state, uint32_t nstate, const int32_t *state_at, int32_t active,
                          int32_t result)
{
    jk_gen *g = s->at.g;
    const jk_ins *i = &g->p->ins[s->ref];
    jk_ref first = g->p->rares[i->aux].first;
    jk_body b;
    uint32_t n, *outer;
    jk_ref *want = (jk_ref *)jk_arena_alloc(g->arena, sizeof *want * ((size_t)nstate + 2));
    if (!want)
        return false;
    want[0] = i->a;
    want[1] = i->b;
    for (n = 0; n < nstate; n++)
        want[n + 2] = g->p->ins[state[n]].a;
    if (!jk_stub_build(s, &b, NULL, 0, want, nstate + 2, &outer) || !jk_stub_begin(s, &b, outer, state_at))
        return false;
    jk_stub_store(&b, i->a, active);
    if (s->at.mode == JK_MODE_MASK)
        for (n = 0; n < b.width; n++) { /* lanes without an element are never active */
            jk_opnd act = jk_at_frame(g, active + (int32_t)(n * jk_slot_bytes(g)));
            jk_asm_kload(&g->as, JK_K_SCRATCH, act);
            jk_asm_k(&g->as, JK_K_KAND, JK_K_SCRATCH, JK_K_SCRATCH, JK_K_TAIL);
            jk_asm_kstore(&g->as, act, JK_K_SCRATCH);
        }
    jk_stub_store(&b, i->b, result);
    for (n = 0; n < nstate; n++)
        jk_stub_store(&b, g->p->ins[state[n]].a, state_at[state[n] - first]);
    jk_body_forget(&b);
    return true;
}

/* Builds a body of the stub. Its values are numbered anew; outer[v] is the number + 1 that v has in the body around. */
JK_FUNC bool jk_stub_build(jk_stub *s, jk_body *b, const jk_ref *order, uint32_t norder, const jk_ref *want, uint32_t nwant,
                           uint32_t **outer)
{
    jk_gen *g = s->at.g;
    uint32_t v;
    bool ok;
    if (!g->outer)
        g->outer = (uint32_t *)jk_arena_zero(g->arena, sizeof *g->outer * ((size_t)g->p->nins + 1));
    if (!g->outer)
        return false;
    jk_body_forget(&s->at);
    for (v = 0; v < s->at.nval; v++)
        g->outer[s->at.val[v].ref] = v + 1;
    g->around = &s->at;
    ok = jk_body_build(g, b, order, norder, NULL, 0, false, want, nwant);
    g->around = NULL;
    *outer = (uint32_t *)jk_arena_zero(g->arena, sizeof **outer * ((size_t)b->nval + 1));
    for (v = 0; ok && *outer && v < b->nval; v++)
        (*outer)[v] = g->outer[b->val[v].ref];
    for (v = 0; v < s->at.nval; v++)
        g->outer[s->at.val[v].ref] = 0;
    return ok && *outer;
}

/* The body's order without its states, which stand in memory. */
JK_FUNC bool jk_stub_order(jk_gen *g, jk_ref first, jk_ref ref, const jk_ref *roots, uint32_t nroots, const jk_ref **order,
                           uint32_t *norder)
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
    uint32_t n, v = s->value, nstate = 0, nwant = 0, norder, *outer;
    const jk_ref *order;
    jk_ref *want = (jk_ref *)jk_arena_alloc(g->arena, sizeof *want * ((size_t)(s->ref - rare->first) + 2));
    jk_ref *state = (jk_ref *)jk_arena_alloc(g->arena, sizeof *state * ((size_t)(s->ref - rare->first) + 2));
    int32_t *state_at = (int32_t *)jk_arena_alloc(g->arena, sizeof *state_at * ((size_t)(s->ref - rare->first) + 2));
    int32_t saved, active = jk_stub_home(s), result = jk_stub_home(s), count = jk_frame_take(g, 4, 4);
    uint32_t nsaved = (uint32_t)(__builtin_popcount(s->at.used[0]) + __builtin_popcount(s->at.used[1]));
    jk_label top = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    jk_body b;
    saved = jk_frame_take(g, jk_slot_bytes(g) * (nsaved + 1), jk_slot_bytes(g));
    if (!want || !state || !state_at)
        return false;
    jk_asm_bind(&g->as, s->enter);
    jk_stub_registers(s, saved, true);
    for (n = rare->first; n < s->ref; n++)
        if (ins[n].op == JK_RSTATE) {
            state[nstate++] = n;
            state_at[n - rare->first] = jk_stub_home(s);
        }
    want[nwant++] = i->c;
    if (rare->again != JK_NOREF)
        want[nwant++] = rare->again;
    for (n = 0; rare->again != JK_NOREF && n < nstate; n++)
        want[nwant++] = ins[state[n]].b;
    if (!jk_stub_init(s, state, nstate, state_at, active, result) ||
        !jk_stub_order(g, rare->first, s->ref, want, nwant, &order, &norder) ||
        !jk_stub_build(s, &b, order, norder, want, nwant, &outer) || !jk_stub_begin(s, &b, outer, state_at))
        return false;
    jk_asm_gi(&g->as, JK_G_MOV, 4, jk_at_frame(g, count), (int32_t)rare->limit);
    jk_asm_bind(&g->as, top);
    jk_body_run(&b);
    jk_stub_merge(&b, i->c, result, active);
    if (rare->again != JK_NOREF) {
        for (n = 0; n < nstate; n++)
            jk_stub_merge(&b, ins[state[n]].b, state_at[state[n] - rare->first], active);
        jk_stub_again(&b, rare->again, active);
        jk_asm_jcc(&g->as, JK_CC_E, done);
        jk_asm_gi(&g->as, JK_G_SUB, 4, jk_at_frame(g, count), 1);
        jk_asm_jcc(&g->as, JK_CC_NE, top);
    }
    jk_asm_bind(&g->as, done);
    jk_body_forget(&b);
    for (n = 0; n < s->at.width; n++) { /* the results go where the fast values were put, and come back with the rest */
        jk_vt whole = jk_vt_of(g, g->t.scalar ? JK_F32 : JK_F64);
        int32_t slot = s->at.loc[v * s->at.width + n].slot;
        jk_asm_v(&g->as, JK_V_MOVA, whole, 0, 0, jk_at_frame(g, result + (int32_t)(n * jk_slot_bytes(g))), 0);
        jk_asm_vstore(&g->as, JK_V_MOVA, whole, jk_at_frame(g, slot), 0, 0);
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
