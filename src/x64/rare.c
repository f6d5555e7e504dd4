/* x64: rare bodies. The loop tests the mask and jumps to a stub behind it when a lane is set. The stub puts every
 * register in use aside, runs the body with all of them free (its outside values then stand in memory), repeats while
 * lanes ask for it, takes everything back, with the results in place of the fast values, and returns. The loop pays one
 * test. And slow paths, whose stubs are a few commands of the loop's own body (split.c). */
#include "gen.h"

JK_SMALL_OPEN

/* rax = some lane of the instances' masks is set; flags accordingly. m is a mask register or vector to test. */
JK_NOINLINE void jk_emit_test_mask(jk_gen *g, jk_type type, unsigned m, bool tail)
{
    jk_opnd rax = jk_opnd_reg(JK_RAX);
    bool k = g->t.kmask;
    if (k && tail) {
        jk_emit_3(g, JK_K_KAND, type, JK_K_SCRATCH, m, jk_opnd_reg(JK_K_TAIL));
        m = JK_K_SCRATCH;
    }
    jk_emit_3(g, k ? JK_K_KMOV_RK : JK_V_MOVMSK, type, JK_RAX, JK_RAX, jk_opnd_reg(m));
    if (k || g->t.scalar)
        jk_asm_gi(&g->as, JK_G_TEST, 4, rax, !k ? 1 : jk_type_size(type) == 8 ? 0xff : 0xffff);
    else
        jk_asm_g(&g->as, JK_G_TEST, 4, JK_RAX, rax);
}

/* The masks of all instances in one; a scratch register of the masks' class. */
JK_FUNC unsigned jk_emit_any(jk_body *b, uint32_t v)
{
    jk_gen *g = b->g;
    static const uint8_t inst[2][2] = {{JK_V_MOVA, JK_V_OR}, {JK_K_KMOV, JK_K_KOR}};
    bool k = g->t.kmask;
    uint32_t j, pinned;
    unsigned m = jk_reg_of(b, v, 0), t;
    if (b->width == 1)
        return m;
    t = k ? JK_K_SCRATCH : jk_take(b, 0);
    pinned = b->pinned[k];
    for (j = 0; j < b->width; j++) {
        m = jk_reg_of(b, v, j);
        b->pinned[k] = pinned;
        jk_emit_3(g, (jk_inst)inst[k][j > 0], JK_F32, t, t, jk_opnd_reg(m));
    }
    return t;
}

/* To the stub where the flags say so. */
JK_NOINLINE void jk_stub_jump(jk_gen *g, jk_stub *s, jk_ref ref)
{
    s->enter = jk_asm_label(&g->as);
    s->back = jk_asm_label(&g->as);
    s->ref = ref;
    s->next = g->stubs;
    g->stubs = s;
    jk_asm_jcc(&g->as, JK_CC_NE, s->enter);
}

/* Keeps the places of what a rare body takes from outside, or puts them back and enters those values in g->outer. There
 * may be thousands of stubs, so none keeps all places. */
JK_NOINLINE void jk_stub_places(const jk_stub *s, bool back)
{
    const jk_body *at = &s->at;
    jk_loc *kept = (jk_loc *)(uintptr_t)(s + 1), *l;
    uint32_t k, j, v;
    for (k = s->step->list; k < s->step[1].list; k++) {
        v = at->list[k].value;
        for (j = 0; j < at->width; j++, kept++) {
            l = &at->loc[jk_instance_of(at, v, j)];
            *(back ? l : kept) = *(back ? kept : l);
        }
        if (back)
            at->g->outer[at->val[v].ref] = v + 1;
    }
}

JK_FUNC void jk_rare_jump(jk_body *b, const jk_body_step *step)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[step->ref];
    uint32_t j, fast = jk_val_of(b, i->b), mask = jk_val_of(b, i->a), v = jk_val_of(b, step->ref);
    jk_stub *s =
        (jk_stub *)jk_arena_alloc(g->as.arena, sizeof *s + sizeof(jk_loc) * (step[1].list - step->list) * b->width);
    if (!s)
        return;
    for (j = 0; j < b->width; j++) {
        unsigned f = jk_reg_of(b, fast, j);
        jk_emit_mov(g, jk_result_reg(b, v, j, JK_NOREF), f);
        jk_unpin(b);
    }
    jk_emit_test_mask(g, (jk_type)b->val[mask].type, jk_emit_any(b, mask), b->batch.mode == JK_MODE_MASK);
    jk_unpin(b);
    s->play.g = NULL;
    s->at = *b;
    s->step = step;
    s->v = v;
    jk_stub_places(s, false);
    jk_stub_jump(g, s, step->ref);
    jk_asm_bind(&g->as, s->back);
}

/* Commands behind the loop for vectors with a lane of a mask set. */
JK_FUNC void jk_slow_path(jk_play *p, unsigned mask, const jk_cmd *c)
{
    jk_gen *g = p->g;
    jk_stub *s = (jk_stub *)jk_arena_alloc(g->as.arena, sizeof *s);
    if (!s)
        return;
    s->slow = c;
    s->play = *p;
    p->slow = s;
    jk_emit_test_mask(g, p->type, mask, false);
    jk_stub_jump(g, s, g->as.note);
}

/* Stores every register in use at the jump, each at a slot of its own, or loads them. */
JK_FUNC void jk_stub_registers(jk_stub *s, bool save)
{
    jk_gen *g = s->at.g;
    unsigned k;
    for (k = 0; k < 64; k++) {
        unsigned cls = k / 32, r = k % 32;
        jk_loc *l = &s->at.loc[s->at.owner[cls][r]];
        if (!(s->at.used[cls] >> r & 1))
            continue;
        if (save) {
            l->reg = (uint8_t)r;
            l->slot = jk_frame_take(g, jk_slot_bytes(g), jk_slot_bytes(g));
        }
        jk_emit_whole(g, cls, r, jk_at_frame(g, l->slot), save);
    }
}

/* Begins the stub's body, whose values are numbered anew, and gives those of the outside their places: as they were at
 * the jump. g->outer has the numbers + 1 in the body around; slot number n of its own states is at `state`. */
JK_FUNC bool jk_stub_begin(const jk_stub *s, jk_body *b, int32_t state)
{
    const jk_body *at = &s->at;
    jk_gen *g = at->g;
    jk_ref first = g->p->rares[g->p->ins[s->ref].aux].first;
    uint32_t v, j;
    if (!jk_body_begin(b, at->width))
        return false;
    b->batch = at->batch;
    b->available[0] = at->available[0];
    for (v = 0; v < b->nval; v++) {
        const jk_val *x = &b->val[v];
        jk_loc *l = &b->loc[v * b->width];
        uint32_t around = g->outer[x->ref] - 1;
        for (j = 0; x->kind >= JK_VAL_STATE && j < b->width; j++)
            l[j].slot = around != UINT32_MAX ? at->loc[around * at->width + j].slot
                                             : state + (int32_t)(((x->ref - first) * b->width + j) * jk_slot_bytes(g));
    }
    return true;
}

/* What is done with each instance of a value, A: X is its home, Y its active lanes, B the mask register of the tail, D
 * the register `any`. */
/* clang-format off */
static const jk_cmd jk_do_stub_store[] = {JK_C_REG(A), JK_C_STORE(X, A), JK_C_END};
static const jk_cmd jk_do_stub_store_k[] = {JK_C_REG(A), JK_C_KSTORE(X, A), JK_C_END};
static const jk_cmd jk_do_stub_tail[] = { /* lanes without an element are never active */
    JK_C_KLOAD(K, X), JK_C_K(KAND, K, K, B), JK_C_KSTORE(X, K), JK_C_END,
};
static const jk_cmd jk_do_stub_merge[] = { /* home = active ? A : home */
    JK_C_REG(A), JK_C_TEMP(T), JK_C_TEMP(U),
    JK_C_LOAD(T, Y),
    JK_C_V(AND, U, T, A),
    JK_C_V(ANDN, T, T, X),
    JK_C_V(OR, T, T, U),
    JK_C_STORE(X, T),
    JK_C_END,
};
static const jk_cmd jk_do_stub_merge_k[] = {
    JK_C_REG(A), JK_C_TEMP(T),
    JK_C_V(MOVA, T, T, X),
    JK_C_KLOAD(K, Y),
    JK_C_VK(MOVA, T, T, A, 0, JK_K_SCRATCH),
    JK_C_STORE(X, T),
    JK_C_END,
};
static const jk_cmd jk_do_stub_again[] = { /* active &= A; any |= active */
    JK_C_REG(A), JK_C_TEMP(T),
    JK_C_LOAD(T, Y),
    JK_C_V(AND, T, T, A),
    JK_C_STORE(Y, T),
    JK_C_V(OR, D, D, T),
    JK_C_END,
};
static const jk_cmd jk_do_stub_again_k[] = {
    JK_C_REG(A),
    JK_C_KLOAD(K, Y),
    JK_C_K(KAND, K, K, A),
    JK_C_KSTORE(Y, K),
    JK_C_K(KOR, D, D, K),
    JK_C_END,
};
/* clang-format on */

/* ---- a stub ---- */

/* What stands in memory while a stub runs, `width` instances each: from `active` on the active lanes, then the states;
 * the result stands where the fast value was put at the jump. */
typedef struct jk_stub_home {
    jk_body *b;
    const jk_loc *result; /* NULL: not this */
    int32_t at, active;
    unsigned any; /* or JK_NOREG */
} jk_stub_home;

JK_NOINLINE void jk_stub_each(const jk_stub_home *h, const jk_cmd *cmds, jk_type type, uint32_t v)
{
    jk_body *b = h->b;
    jk_gen *g = b->g;
    jk_play p;
    jk_play_init(&p, g, g->t.scalar ? JK_F32 : type);
    p.b = b;
    p.val[0] = v;
    p.o[JK_AT_B] = jk_opnd_reg(JK_K_TAIL);
    p.o[JK_AT_D] = jk_opnd_reg(h->any);
    for (p.j = 0; p.j < b->width; p.j++) {
        int32_t offset = (int32_t)(p.j * jk_slot_bytes(g));
        p.o[JK_AT_X] = jk_at_frame(g, h->result ? h->result[p.j].slot : h->at + offset);
        p.o[JK_AT_Y] = jk_at_frame(g, h->active + offset);
        if (h->any != JK_NOREG)
            b->pinned[b->val[v].cls] |= 1u << h->any;
        jk_play_run(&p, cmds);
        jk_unpin(b);
    }
}

/* active &= again; leaves the flags of "any lane active". */
JK_FUNC void jk_stub_again(jk_stub_home *h, jk_ref again)
{
    jk_body *b = h->b;
    jk_gen *g = b->g;
    bool k = g->t.kmask;
    h->any = jk_take(b, k);
    jk_emit_3(g, k ? JK_K_KXOR : JK_V_XOR, JK_F32, h->any, h->any, jk_opnd_reg(h->any));
    jk_stub_each(h, k ? jk_do_stub_again_k : jk_do_stub_again, JK_F32, jk_val_of(b, again));
    jk_emit_test_mask(g, (jk_type)g->p->ins[again].type, h->any, false);
}

/* Goes over the homes: the values before the body's first run (`first`: of the body around), or those after a run,
 * which are merged. */
JK_FUNC void jk_stub_homes(const jk_stub *s, jk_stub_home *h, bool first)
{
    static const jk_cmd *const cmds[2][2] = {{jk_do_stub_merge, jk_do_stub_merge_k},
                                             {jk_do_stub_store, jk_do_stub_store_k}};
    jk_gen *g = s->at.g;
    const jk_ins *i = &g->p->ins[s->ref];
    const uint32_t *number = first ? g->outer : g->local;
    uint32_t v;
    bool k = g->t.kmask;
    h->any = JK_NOREG;
    h->at = h->active;
    if (first) {
        v = number[i->a] - 1;
        jk_stub_each(h, cmds[1][k], JK_F64, v);
        if (s->at.batch.mode == JK_MODE_MASK)
            jk_stub_each(h, jk_do_stub_tail, JK_F64, v);
    } else {
        h->result = &s->at.loc[(g->outer[s->ref] - 1) * s->at.width];
        jk_stub_each(h, cmds[0][k], (jk_type)i->type, number[i->c] - 1);
        h->result = NULL;
    }
    for (i = &g->p->ins[g->p->rares[i->aux].first]; i->op == JK_RSTATE; i++) {
        h->at += (int32_t)(jk_slot_bytes(g) * s->at.width);
        v = number[first ? i->a : i->b] - 1;
        jk_stub_each(h, cmds[first][first ? h->b->val[v].cls : k], (jk_type)i->type, v);
    }
}

/* Builds the stub's body: c, again, and the states' next values over the order that they need. */
JK_FUNC bool jk_stub_build(jk_stub *s, jk_body *b)
{
    jk_gen *g = s->at.g;
    const jk_program *p = g->p;
    const jk_ins *ins = p->ins;
    const jk_rare *rare = &p->rares[ins[s->ref].aux];
    jk_ref *want = (jk_ref *)jk_arena_alloc(g->arena, sizeof *want * (s->ref - rare->first + 2)), n;
    jk_orderer o;
    jk_work w;
    memset(&w, 0, sizeof w);
    jk_order_init(&o, p, g->arena, rare->first, s->ref);
    o.varying = p->varying[s->ref];
    if (g->arena->failed)
        return false;
    w.want = want;
    *want++ = ins[s->ref].c;
    if (rare->again != JK_NOREF)
        *want++ = rare->again;
    for (n = rare->first; ins[n].op == JK_RSTATE; n++)
        *want++ = ins[n].b;
    w.nwant = (uint32_t)(want - w.want);
    for (n = 0; n < w.nwant; n++)
        jk_order_root(&o, w.want[n]);
    jk_order_take(&o, &w.order, &w.norder);
    g->around = &s->at;
    return jk_body_build(g, b, &w);
}

JK_FUNC void jk_stub_emit(jk_stub *s)
{
    jk_gen *g = s->at.g;
    const jk_rare *rare = &g->p->rares[g->p->ins[s->ref].aux];
    uint32_t slot = jk_slot_bytes(g), nstate = 0, frame = g->frame;
    jk_label top = jk_asm_label(&g->as), done = jk_asm_label(&g->as);
    jk_body b = s->at;
    jk_stub_home h;
    jk_opnd count;
    while (g->p->ins[rare->first + nstate].op == JK_RSTATE)
        nstate++;
    jk_stub_places(s, true);
    g->outer[s->ref] = s->v + 1;
    h.result = NULL;
    h.b = &b;
    h.active = jk_frame_take(g, slot * s->at.width * (nstate + 1), slot);
    count = jk_at_frame(g, jk_frame_take(g, 4, 4));
    jk_asm_bind(&g->as, s->enter);
    jk_stub_registers(s, true);
    jk_stub_homes(s, &h, true);
    if (!(jk_stub_build(s, &b) && jk_stub_begin(s, &b, h.active + (int32_t)(slot * s->at.width))))
        return;
    jk_asm_gi(&g->as, JK_G_MOV, 4, count, (int32_t)rare->limit);
    jk_asm_bind(&g->as, top);
    jk_body_run(&b);
    jk_stub_homes(s, &h, false);
    if (rare->again != JK_NOREF) {
        jk_stub_again(&h, rare->again);
        jk_asm_jcc(&g->as, JK_CC_E, done);
        jk_asm_gi(&g->as, JK_G_SUB, 4, count, 1);
        jk_asm_jcc(&g->as, JK_CC_NE, top);
    }
    jk_asm_bind(&g->as, done);
    jk_body_forget(&b);
    jk_stub_registers(s, false); /* the results with the rest */
    jk_asm_jmp(&g->as, s->back);
    g->frame = frame; /* one stub runs at a time */
    if (g->fma_at >= (int32_t)frame)
        g->fma_at = -1;
}

/* Emits the stubs of the bodies since the last call, and those that these bodies ask for. */
JK_FUNC void jk_rare_stubs(jk_gen *g)
{
    while (g->stubs && g->e->status == JITK_OK) {
        jk_stub *s = g->stubs;
        g->stubs = s->next;
        if (s->play.g) {
            jk_asm_bind(&g->as, s->enter);
            g->as.note = s->ref;
            jk_play_run(&s->play, s->slow);
            jk_asm_jmp(&g->as, s->back);
        } else { /* thousands may come: each one's body is freed again */
            jk_arena own;
            jk_arena_init(&own, NULL, 0);
            g->arena = &own;
            jk_stub_emit(s);
            g->arena = g->as.arena;
            g->arena->failed |= own.failed;
            jk_arena_free(&own);
        }
    }
    g->stubs = NULL;
}
JK_SMALL_CLOSE
