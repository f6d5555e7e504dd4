/* x64: bodies. A body is built once from a stage's order: its values, and its steps (instructions, accumulations,
 * stores) with the steps that use each value. It is then emitted for every loop that needs it, in lockstep of `width`
 * instances: batch after batch where registers do not allow all instances at once. */
#include "gen.h"

JK_SMALL_OPEN

/* What a value is to a body that does not compute it. */
static inline jk_val_kind jk_leaf_kind(const jk_gen *g, jk_ref ref, const jk_ins *i)
{
    if (i->op == JK_LOAD)
        return JK_VAL_LOAD;
    if (i->op == JK_RSTATE)
        return JK_VAL_STATE;
    if (i->op == JK_PARAM && g->function)
        return i->a < JK_ARG_REGISTERS ? JK_VAL_COMPUTED : JK_VAL_UNIFORM;
    return g->p->varying[ref] && i->op != JK_CONST ? JK_VAL_OUTER : JK_VAL_UNIFORM;
}

/* Where a uniform value stands. */
static inline void jk_body_home(jk_gen *g, jk_val *x, const jk_ins *i)
{
    if (i->op == JK_CONST) {
        x->home = JK_HOME_POOL;
        x->at = jk_const(g, (jk_type)i->type, (uint64_t)i->b << 32 | i->a).disp;
    } else if (i->op == JK_LENGTH) {
        x->home = JK_HOME_LENGTH;
        x->at = (int32_t)offsetof(jk_run, n);
    } else if (g->function) { /* behind the saved rbp and the return address */
        x->home = JK_HOME_ARG;
        x->at = (int32_t)(8 * (i->a - JK_ARG_REGISTERS) + 16);
    } else {
        x->home = JK_HOME_CELL;
        x->at = (int32_t)(8 * g->p->cell[x->ref]);
    }
}

/* The value number of ref, made when new. What the stage's order computes is entered first. In a rare body, what the
 * body around knows is what it is there, but what that computes is OUTER: in a register or in the frame. */
JK_NOINLINE uint32_t jk_body_value(jk_body *b, jk_ref ref, bool computed)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[ref];
    jk_val *x;
    if (g->local[ref])
        return g->local[ref] - 1;
    x = (jk_val *)jk_grow(g->arena, b->val, b->nval, &b->cap_val, sizeof *x);
    if (!x)
        return 0;
    b->val = x;
    x += b->nval;
    memset(x, 0, sizeof *x);
    x->ref = ref;
    x->type = i->type;
    x->cls = g->t.kmask && i->type >= JK_M64;
    x->resident = JK_NOREG;
    g->local[ref] = ++b->nval;
    if (!computed && g->outer[ref]) {
        *x = g->around->val[g->outer[ref] - 1];
        if (x->kind == JK_VAL_COMPUTED)
            x->kind = JK_VAL_OUTER;
        x->use = x->nuses = 0;
    } else if (!computed) {
        x->kind = (uint8_t)jk_leaf_kind(g, ref, i);
        if (x->kind == JK_VAL_UNIFORM)
            jk_body_home(g, x, i);
    }
    x->first = JK_NOUSE;
    return b->nval - 1;
}

/* Whether a rare body's operand comes from the outside: a leaf, a cell, or what the body around computes. */
static inline bool jk_is_outside(const jk_gen *g, jk_ref ref, jk_ref first)
{
    return jk_op_arity((jk_op)g->p->ins[ref].op) == 0 ||
           (ref < first && (g->local[ref] || g->p->cell[ref] != JK_NOCELL));
}

/* An instruction's operands; returns how many. */
JK_NOINLINE unsigned jk_operands(const jk_ins *i, jk_ref *op)
{
    memcpy(op, &i->a, 3 * sizeof *op);
    return jk_op_arity((jk_op)i->op);
}

/* The step at hand uses a value: entered if it is new, and listed once. */
JK_NOINLINE void jk_step_use(jk_body *b, jk_ref ref)
{
    uint32_t v = jk_body_value(b, ref, false);
    jk_use *u = (jk_use *)jk_grow(b->g->arena, b->list, b->nlist, &b->cap_list, sizeof *u);
    jk_val *x = &b->val[v];
    if (b->g->arena->failed)
        return;
    b->list = u;
    if (x->first == JK_NOUSE)
        x->first = b->nlist;
    else if (u[x->last].step == b->nstep)
        return;
    else
        u[x->last].next = b->nlist;
    x->last = b->nlist;
    x->nuses++;
    u += b->nlist++;
    u->value = v;
    u->step = b->nstep;
    u->next = JK_NOUSE;
}

/* What a rare body needs of the outside, its result with it. */
JK_FUNC void jk_rare_operands(jk_body *b, jk_ref ref)
{
    jk_gen *g = b->g;
    const jk_ins *ins = g->p->ins;
    jk_ref op[3], r, first = g->p->rares[ins[ref].aux].first;
    for (r = first; r <= ref; r++) {
        unsigned k, arity = jk_operands(&ins[r], op);
        if (ins[r].op == JK_LOAD) {
            op[0] = r;
            arity = 1;
        }
        for (k = 0; k < arity; k++)
            if (jk_is_outside(g, op[k], first))
                jk_step_use(b, op[k]);
    }
}

JK_NOINLINE void jk_step_reductions(jk_body *b, jk_ref ref);

/* A step and the values that it uses: the operands of an instruction or reduction (of a RARE all but its result), or
 * what is stored. */
JK_NOINLINE void jk_step_add(jk_body *b, jk_step_kind kind, uint32_t index, jk_ref ref)
{
    jk_body_step *s = &b->step[b->nstep];
    const jk_ins *i = &b->g->p->ins[ref];
    jk_ref op[4];
    unsigned k, arity = jk_operands(i, op);
    s->kind = kind;
    s->index = index;
    s->ref = ref;
    s->list = b->nlist;
    if (kind == JK_STEP_INS) {
        b->val[b->g->local[ref] - 1].at = (int32_t)b->nstep;
        b->nroots += i->op == JK_SQRT || i->op == JK_POW_HALF;
        b->nquotients += i->op == JK_DIV;
    }
    if (kind == JK_STEP_STORE) {
        s->ref = JK_NOREF;
        op[0] = ref;
        arity = 1;
    } else if (i->op == JK_RARE) {
        s->kind = JK_STEP_RARE;
        arity--;
    }
    for (k = 0; k < arity; k++)
        jk_step_use(b, op[k]);
    if (s->kind == JK_STEP_RARE)
        jk_rare_operands(b, ref);
    b->nstep++;
    for (op[k++] = ref; k-- > 0;)
        jk_step_reductions(b, op[k]);
}

/* The reductions of a value, which are there now. */
JK_NOINLINE void jk_step_reductions(jk_body *b, jk_ref ref)
{
    uint32_t v = b->g->local[ref], r;
    if (!v--)
        return;
    r = b->val[v].use;
    b->val[v].use = 0;
    for (; r; r = b->next_red[r - 1])
        jk_step_add(b, JK_STEP_RED, r - 1, b->g->stage->red[r - 1]);
}

/* Lists the steps. A reduction joins in right after its argument is there, so that it does not wait in a register; a
 * load's place is its first other use. */
JK_FUNC void jk_body_steps(jk_body *b, const jk_work *w)
{
    jk_gen *g = b->g;
    const jk_ins *ins = g->p->ins;
    uint32_t n, ncomputed = b->nval;
    for (n = 0; n < w->nred; n++) {
        uint32_t v = jk_body_value(b, ins[g->stage->red[n]].a, false);
        if (g->arena->failed)
            return;
        b->next_red[n] = b->val[v].use;
        b->val[v].use = n + 1;
    }
    for (n = 0; n < ncomputed; n++)
        jk_step_add(b, JK_STEP_INS, 0, b->val[n].ref);
    for (n = 0; n < w->nred; n++)
        jk_step_reductions(b, ins[g->stage->red[n]].a);
    for (n = g->p->nparams; w->stores && n < g->p->nargs; n++)
        if (g->p->args[n].is_array)
            jk_step_add(b, JK_STEP_STORE, n, g->p->args[n].value);
}

/* How many vectors live at once, of one instance. */
JK_FUNC void jk_body_pressure(jk_body *b)
{
    uint32_t *delta = (uint32_t *)jk_arena_zero(b->g->arena, sizeof *delta * ((size_t)b->nstep + 2));
    const jk_val *x = b->val, *end = x + b->nval;
    uint32_t s, live = 0;
    if (b->g->arena->failed)
        return;
    for (; x < end; x++) {
        if (x->kind == JK_VAL_UNIFORM || x->cls || !x->nuses ||
            (x->kind == JK_VAL_LOAD && x->nuses < 2 && b->g->t.enc != JK_ENC_LEGACY))
            continue;
        delta[x->kind == JK_VAL_COMPUTED ? (uint32_t)x->at : b->list[x->first].step]++;
        delta[b->list[x->last].step]--;
    }
    for (s = 0; s <= b->nstep; s++) {
        live += delta[s];
        b->max_live = JK_LARGER(b->max_live, live);
    }
}

/* What is computed comes first. Loads that are results themselves begin: one result may stand where another's input is,
 * so that such a load may not be read again after a store. */
JK_FUNC bool jk_body_build(jk_gen *g, jk_body *b, const jk_work *w)
{
    uint32_t n;
    memset(b, 0, sizeof *b);
    b->g = g;
    b->batch.rows_index = JK_NOGP;
    b->step = (jk_body_step *)jk_arena_alloc(g->arena, sizeof *b->step *
                                                           ((size_t)w->norder + w->nred + 2 * (size_t)g->p->nargs + 2));
    b->next_red = (uint32_t *)jk_arena_alloc(g->arena, sizeof *b->next_red * ((size_t)w->nred + 1));
    for (n = g->p->nparams; w->stores && n < g->p->nargs; n++) {
        jk_ref load = g->p->args[n].value;
        if (g->p->args[n].is_array && g->p->ins[load].op == JK_LOAD)
            jk_body_value(b, load, true);
    }
    for (n = 0; n < w->norder; n++)
        jk_body_value(b, w->order[n], true);
    if (g->arena->failed)
        return false;
    jk_body_steps(b, w);
    b->step[b->nstep].ref = JK_NOREF;
    b->step[b->nstep].list = b->nlist;
    for (n = 0; n < w->nwant; n++)
        jk_step_use(b, w->want[n]);
    b->step[b->nstep + 1].list = b->nlist;
    jk_body_pressure(b);
    return !g->arena->failed;
}

/* A ref's value number belongs to one body at a time, and besides to rare ones within it. */
JK_NOINLINE void jk_body_forget(jk_body *b)
{
    uint32_t v;
    for (v = 0; v < b->nval; v++)
        b->g->local[b->val[v].ref] = b->g->outer[b->val[v].ref] = 0;
}

/* From one vector in memory to the next. */
JK_NOINLINE uint32_t jk_step_bytes(const jk_gen *g, jk_type type)
{
    return g->t.scalar ? (uint32_t)jk_type_size(type) : g->t.vbytes;
}

/* An element's vector in array argument `arg`, for instance j: its address as one operand, by way of rax where the base
 * is in no register. From memory one element more of each line is read: processors whose vectors are whole lines fetch
 * ahead faster for it (docs/reductions.md). */
JK_NOINLINE jk_opnd jk_array_at(jk_body *b, uint32_t arg, uint32_t j)
{
    static const uint8_t index[4] = {JK_RSI, JK_R9, JK_R10, JK_R11};
    jk_gen *g = b->g;
    uint32_t size = (uint32_t)jk_type_size((jk_type)g->p->type), stream = 0, part = b->batch.first + j;
    bool rows = b->batch.mode == JK_MODE_ROWS;
    unsigned base = rows ? JK_NOGP : g->base[arg];
    jk_opnd at;
    if (b->batch.streams > 1) {
        stream = part / g->parts;
        part %= g->parts;
    }
    if (base == JK_NOGP) {
        jk_emit_run(g, rows ? offsetof(jk_run, tail) : offsetof(jk_run, array));
        jk_asm_g(&g->as, JK_G_MOV, 8, JK_RAX, jk_opnd_mem(JK_RAX, (int32_t)(8 * arg)));
        base = JK_RAX;
    }
    at = jk_opnd_index(base, rows ? b->batch.rows_index : index[stream], size,
                       (int32_t)(part * (g->t.scalar ? size : g->t.vbytes)));
    if (b->batch.mode == JK_MODE_STREAM && g->parts == 1 && arg < g->p->nparams && base != JK_RAX)
        jk_asm_g(&g->as, JK_G_MOV, 4, JK_RAX, at);
    return at;
}

/* The value of a reduction's argument where lanes may be missing: D = A, with the neutral element in those; in rows by
 * the lane masks at Y, otherwise by the tail's mask register. */
/* clang-format off */
static const jk_cmd jk_do_lanes_sum[] = {
    JK_C_REG(A), JK_C_TEMP(D),
    JK_C_V(MOVU, D, D, Y),
    JK_C_V(AND, D, D, A),
    JK_C_END,
};
static const jk_cmd jk_do_lanes[] = {
    JK_C_REG(A), JK_C_TEMP(T),
    JK_C_V(MOVU, T, T, Y),
    JK_C_TEMP(D),
    JK_C_V(AND, D, T, A),
    JK_C_CONST(X, 0),
    JK_C_V(ANDN, T, T, X),
    JK_C_V(OR, D, D, T),
    JK_C_END,
};
static const jk_cmd jk_do_lanes_sum_k[] = {
    JK_C_REG(A), JK_C_TEMP(D), JK_C_VK(MOVU, D, D, A, 0, JK_K_TAIL | JK_HOW_ZERO), JK_C_END,
};
static const jk_cmd jk_do_lanes_k[] = {
    JK_C_REG(A), JK_C_TEMP(D),
    {JK_DO_CONST, JK_AT_X, 0, 1, 0, 0},
    JK_C_V(BROADCAST, D, D, X),
    JK_C_VK(MOVU, D, D, A, 0, JK_K_TAIL),
    JK_C_END,
};
/* clang-format on */

JK_FUNC unsigned jk_neutral_lanes(jk_body *b, const jk_acc *acc, uint32_t v, uint32_t j)
{
    static const jk_cmd *const cmds[] = {jk_do_lanes, jk_do_lanes_sum, jk_do_lanes_k, jk_do_lanes_sum_k};
    jk_gen *g = b->g;
    jk_play p;
    bool k = b->batch.mode == JK_MODE_MASK;
    if (!k && b->batch.mode != JK_MODE_ROWS)
        return jk_reg_of(b, v, j);
    jk_play_init(&p, g, (jk_type)b->val[v].type);
    p.b = b;
    p.j = j;
    p.val[0] = v;
    p.imm = acc->neutral;
    p.o[JK_AT_Y] = jk_opnd_mem(JK_RCX, (int32_t)((b->batch.first + j) % g->parts * jk_step_bytes(g, p.type)));
    jk_play_run(&p, cmds[k * 2 + (acc->op == JK_RSUM)]);
    return p.o[JK_AT_D].reg;
}

/* t = the upper half of a vector. */
JK_NOINLINE void jk_emit_upper(jk_gen *g, unsigned t, unsigned x)
{
    if (g->t.vbytes == 16)
        jk_emit_3(g, JK_V_MOVHL, JK_F32, t, x, jk_opnd_reg(x));
    else
        jk_emit_3i(g, g->t.vbytes == 64 ? JK_V_EXTRACT256 : JK_V_EXTRACT128, JK_F32, t, t, jk_opnd_reg(x), 1);
}

/* t = half h of a vector of floats as doubles. */
JK_FUNC void jk_emit_widen_half(jk_gen *g, unsigned t, unsigned x, unsigned h)
{
    jk_opnd from = jk_opnd_reg(x);
    if (h) {
        jk_emit_upper(g, t, x);
        from = jk_opnd_reg(t);
    }
    jk_emit_3(g, g->t.scalar ? JK_V_CVTSS2SD : JK_V_CVTPS2PD, JK_F32, t, t, from);
}

/* The place of an accumulator's vector number n, counted as in acc->reg. */
JK_FUNC jk_opnd jk_acc_at(const jk_gen *g, const jk_acc *acc, uint32_t n)
{
    uint32_t each = g->parts * acc->wide;
    return jk_opnd_mem(JK_R_AREA,
                       acc->at + (int32_t)(n / each * g->seg_stride + n % each * jk_step_bytes(g, (jk_type)acc->type)));
}

/* Accumulator = accumulator op value, the lanes that are missing left out. */
JK_FUNC void jk_accumulate(jk_body *b, uint32_t r, uint32_t v, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_acc *acc = &g->acc[r];
    jk_type type = (jk_type)acc->type;
    uint32_t m = b->batch.first + j, h;
    bool tail = b->batch.mode == JK_MODE_MASK || b->batch.mode == JK_MODE_ROWS, same = type == b->val[v].type;
    jk_opnd x, at;
    if (!tail && acc->op != JK_RMIN && same && acc->reg[m] != JK_NOREG)
        x = jk_opnd_of(b, v, j, 0);
    else
        x = jk_opnd_reg(jk_neutral_lanes(b, acc, v, j));
    for (h = 0; h < acc->wide; h++) {
        uint32_t pinned = b->pinned[0], n = m * acc->wide + h;
        unsigned to = acc->reg[n], a = to;
        jk_opnd y = x;
        if (!same) {
            y.reg = (uint8_t)jk_take(b, 0);
            jk_emit_widen_half(g, y.reg, x.reg, h);
        }
        at = jk_acc_at(g, acc, n);
        if (to == JK_NOREG) {
            a = jk_take(b, 0);
            jk_emit_load(g, type, a, at);
        }
        jk_emit_join(g, acc, type, a, a, y, acc->op == JK_RMIN && !g->t.kmask ? jk_take(b, 0) : 0);
        if (to == JK_NOREG)
            jk_emit_store(g, type, at, a);
        b->pinned[0] = pinned;
    }
}

/* Register = this element of an array, or the other way round; in a tail's masked lanes 0, or nothing. */
JK_NOINLINE void jk_array_move(jk_body *b, uint32_t arg, uint32_t j, unsigned reg, bool store)
{
    jk_gen *g = b->g;
    jk_opnd at = jk_array_at(b, arg, j);
    jk_vt vt = jk_vt_of(g, (jk_type)g->p->type);
    if (b->batch.mode == JK_MODE_MASK) {
        vt.k = JK_K_TAIL;
        vt.zero = !store;
    }
    jk_asm_v(&g->as, store && b->batch.mode == JK_MODE_STREAM ? JK_V_MOVNT : JK_V_MOVU, vt, reg, 0, at,
             store ? JK_STORE : 0);
}

/* Empties the registers and starts at the first step. */
JK_FUNC bool jk_body_begin(jk_body *b, uint32_t width)
{
    uint32_t v, i;
    jk_loc *l = b->loc;
    if (width > b->width)
        b->loc = l = (jk_loc *)jk_arena_alloc(b->g->arena, sizeof *l * ((size_t)b->nval * width + 1));
    if (!l)
        return false;
    b->width = width;
    for (v = 0; v < b->nval; v++) {
        b->val[v].use = b->val[v].first;
        for (i = 0; i < width; i++, l++) {
            l->slot = -1;
            l->reg = b->val[v].resident;
        }
    }
    memset(b->owner, 0xff, sizeof b->owner);
    memset(b->used, 0, sizeof b->used);
    jk_unpin(b);
    b->available[0] = (b->g->t.nregs == 32 ? UINT32_MAX : 0xffffu) & ~b->g->fixed;
    b->available[1] = b->g->t.kmask ? JK_K_AVAILABLE : 0;
    return true;
}

/* One instance of a step. */
JK_FUNC void jk_body_step_emit(jk_body *b, const jk_body_step *s, uint32_t j)
{
    jk_gen *g = b->g;
    const jk_ins *i = &g->p->ins[s->ref];
    uint32_t v = b->list[s->list].value;
    if (s->kind == JK_STEP_RED) {
        jk_accumulate(b, s->index, v, j);
        return;
    }
    if (s->kind == JK_STEP_STORE) {
        unsigned x = jk_reg_of(b, v, j);
        jk_array_move(b, s->index, j, x, true);
        return;
    }
    v = jk_val_of(b, s->ref);
    if (i->op == JK_LOAD)
        jk_array_move(b, i->a, j, jk_result_reg(b, v, j, JK_NOREF), false);
    else if (s->kind == JK_STEP_INS)
        jk_select(b, s->ref, j);
    if (g->stage && !g->stage->is_pass && g->p->cell[s->ref] != JK_NOCELL) {
        /* a uniform stage leaves what others use in its cell */
        unsigned r = jk_reg_of(b, v, j);
        jk_emit_run(g, offsetof(jk_run, cell));
        jk_emit_store(g, (jk_type)i->type, jk_opnd_mem(JK_RAX, (int32_t)(8 * g->p->cell[s->ref])), r);
    }
    jk_release(b, v, j); /* where nothing in the body uses it */
}

/* Runs the steps. `use` of what a step uses has moved on while the step is emitted. */
JK_FUNC void jk_body_run(jk_body *b)
{
    jk_gen *g = b->g;
    const jk_body_step *s, *end = b->step + b->nstep;
    uint32_t j, k;
    for (s = b->step;; s++) {
        for (k = s->list; k < s[1].list; k++)
            b->val[b->list[k].value].use = b->list[k].next;
        g->as.note = s->ref;
        if (s == end || g->arena->failed)
            return;
        if (s->kind == JK_STEP_RARE)
            jk_rare_jump(b, s);
        for (j = 0; j < b->width; j++) {
            jk_body_step_emit(b, s, j);
            for (k = s->list; k < s[1].list; k++)
                jk_release(b, b->list[k].value, j);
            jk_unpin(b);
        }
    }
}

/* Emits the body for the vectors [first, end), `width` at a time. */
JK_FUNC bool jk_body_range(jk_body *b, uint32_t width, uint32_t first, uint32_t end, uint32_t streams, jk_mode mode)
{
    b->batch.mode = mode;
    b->batch.streams = streams;
    for (b->batch.first = first; b->batch.first < end; b->batch.first += width) {
        if (!jk_body_begin(b, width))
            return false;
        jk_body_run(b);
    }
    return !b->g->arena->failed && b->g->e->status == JITK_OK;
}
JK_SMALL_CLOSE
