/* interp, reduce: random programs, rare bodies among them, against a direct reading of the IR's meaning; reductions
 * against reference.h, whose text docs/reductions.md shows; the tree against its definition. */
#include "suites.h"
#include "../src/ir/verify.c"
#include "plain_op.h"
#include "reference.h"

/* ---- programs ---- */
enum {
    ARRAYS = 3,
    SCALARS = 2,
    PARAMS = ARRAYS + SCALARS,
    RESULTS = 2,
    ROOM = 3 * (JK_CHUNK_BYTES / 8) + 1000,
    POOL = 400,
    CELLS = 600
};

static struct { /* one program, its arguments, and its values by the direct reading */
    jk_arena arena;
    jitk_error error;
    jk_ir ir;
    jk_program p;
    jk_param_info args[PARAMS + 8];
    uint32_t nargs;
    double in[ARRAYS][ROOM + 8], out[RESULTS][ROOM + 8], nodes[64 * 8], sums[8];
    uint64_t scalar[SCALARS], cell[CELLS];
    void *array[PARAMS + 8];
    jk_ref pool[POOL];
    size_t npool;
    char *frame, *frame_memory;
    jk_run run;
    uint64_t *values;
    size_t cap_values;
} w;

static void open_program(jk_type t)
{
    uint32_t i;
    memset(&w.error, 0, sizeof w.error);
    memset(w.args, 0, sizeof w.args);
    jk_arena_init(&w.arena, NULL, 0);
    jk_ir_init(&w.ir, &w.arena, t, 0, &w.error);
    w.nargs = PARAMS;
    for (i = 0; i < PARAMS; i++) {
        w.args[i].name = "p";
        w.args[i].type = (uint8_t)t;
        w.args[i].is_array = i < ARRAYS;
        w.pool[i] = jk_ir_emit(&w.ir, i < ARRAYS ? JK_LOAD : JK_PARAM, t, 0, i, 0, 0);
    }
    w.npool = PARAMS;
}

static void add_result(jk_ref value, bool is_array)
{
    jk_param_info *a = &w.args[w.nargs];
    a->name = "r";
    a->type = w.ir.ins[value].type;
    a->is_array = is_array;
    a->is_result = 1;
    a->value = value;
    w.nargs++;
}

static void close_program(void)
{
    size_t bytes;
    const char *wrong;
    jk_plan(&w.ir, w.args, w.nargs, PARAMS, &w.p);
    ck_assert(!w.arena.failed && w.error.status == JITK_OK);
    wrong = jk_ir_verify(&w.p);
    require(!wrong, "%s", wrong ? wrong : "");
    ck_assert_uint_lt(w.p.ncells, CELLS);
    bytes = jk_interp_frame(&w.p);
    w.frame_memory = (char *)malloc(bytes + 128);
    w.frame = w.frame_memory + (64 - ((uintptr_t)w.frame_memory & 63));
    memset(w.frame, 0xA5, bytes + 64);
    memset(&w.run, 0, sizeof w.run);
    w.run.array = w.array;
    w.run.cell = w.cell;
    w.run.node = w.sums;
    w.run.frame = w.frame;
}

static void free_program(void)
{
    size_t i, bytes = jk_interp_frame(&w.p);
    for (i = bytes; i < bytes + 64; i++)
        require((unsigned char)w.frame[i] == 0xA5, "wrote behind the frame");
    free(w.frame_memory);
    jk_arena_free(&w.arena);
}

/* A pass, as the kernel's driver runs it: chunk by chunk where it reduces, else in pieces of any size. */
static void run_pass(const jk_stage *s, size_t n)
{
    jk_op red[8];
    jk_tree tree;
    double best[8];
    uint64_t found[8];
    size_t at, m;
    uint32_t k;
    memset(&tree, 0, sizeof tree);
    tree.nred = s->nred;
    tree.level = w.nodes;
    ck_assert_uint_le(s->nred, 8);
    for (k = 0; k < s->nred; k++) {
        red[k] = (jk_op)w.p.ins[s->red[k]].op;
        best[k] = jk_node_init(red[k]);
        found[k] = n ? 0 : UINT64_MAX;
    }
    for (at = 0; at < n; at += m) {
        m = s->nred ? jk_chunk_of(jk_type_size((jk_type)w.p.type)) : 1 + (size_t)(random_bits() % 400);
        m = m < n - at ? m : n - at;
        jk_interp_pass(&w.p, s, &w.run, at, m);
        for (k = 0; k < s->nred; k++) {
            uint64_t b = plain_double_bits(best[k]), x = plain_double_bits(w.sums[k]);
            bool better = !plain_isnan(&plain_f64, b) && (plain_isnan(&plain_f64, x) || plain_lt(&plain_f64, x, b));
            if (red[k] != JK_RARGMIN || !better)
                continue;
            best[k] = w.sums[k];
            w.run.find = w.p.type == JK_F32 ? plain_narrow(x) : x;
            found[k] = jk_interp_find(&w.p, s, k, &w.run, at, m);
        }
        if (s->nred)
            jk_tree_add(&tree, red, w.sums);
    }
    jk_tree_result(&tree, red, w.sums);
    for (k = 0; k < s->nred; k++) {
        uint64_t bits = plain_double_bits(w.sums[k]);
        const jk_ins *i = &w.p.ins[s->red[k]];
        if (w.p.cell[s->red[k]] != JK_NOCELL)
            w.cell[w.p.cell[s->red[k]]] = i->op == JK_RARGMIN ? found[k]
                                          : i->type == JK_F32 ? plain_narrow(bits)
                                                              : bits;
    }
}

static void run_program(size_t n)
{
    uint32_t i;
    w.run.n = n;
    memset(w.cell, 0x77, sizeof w.cell);
    for (i = 0; i < w.p.nins; i++)
        if (w.p.ins[i].op == JK_PARAM && w.p.cell[i] != JK_NOCELL)
            w.cell[w.p.cell[i]] = w.scalar[w.p.ins[i].a - ARRAYS];
    for (i = 0; i < w.p.nstages; i++)
        if (w.p.stages[i].is_pass)
            run_pass(&w.p.stages[i], n);
        else
            jk_interp_uniform(&w.p, &w.p.stages[i], &w.run);
}

static uint64_t element(jk_type t, const void *x, size_t i)
{
    uint64_t bits = 0;
    memcpy(&bits, (const char *)x + i * jk_type_size(t), jk_type_size(t));
    return bits;
}

static void set_element(jk_type t, void *x, size_t i, uint64_t bits)
{
    memcpy((char *)x + i * jk_type_size(t), &bits, jk_type_size(t));
}

/* ---- the direct reading of a program: instruction by instruction over all elements ---- */

/* One value of one element; v: those of the instructions before, for this element. */
static uint64_t read_value(const jk_ins *ins, jk_ref r, const uint64_t *v, size_t e, size_t n)
{
    const jk_ins *i = &ins[r];
    jk_ref last = jk_op_arity((jk_op)i->op) == 1 ? i->a : jk_op_arity((jk_op)i->op) == 2 ? i->b : i->c;
    uint64_t x = 0;
    switch (i->op) {
    case JK_CONST:
        return jk_ir_const_bits(i);
    case JK_PARAM:
        return w.scalar[i->a - ARRAYS];
    case JK_LOAD:
        return element((jk_type)i->type, w.in[i->a], e);
    case JK_LENGTH:
        return n;
    case JK_SELECT:
        return v[i->a] ? v[i->b] : v[i->c];
    case JK_BITS:
        return v[i->a];
    case JK_CVT:
        return plain_convert((jk_type)i->type, (jk_type)ins[i->a].type, v[i->a]);
    case JK_RSTATE:
        return 0; /* of a body that was dropped */
    default:
        require(plain_op(i->op, jk_type_size((jk_type)ins[last].type) == 8 ? JK_F64 : JK_F32, i->aux, v[i->a],
                         jk_op_arity((jk_op)i->op) > 1 ? v[i->b] : 0, jk_op_arity((jk_op)i->op) > 2 ? v[i->c] : 0, &x),
                "no meaning");
        return x;
    }
}

/* ir.h's words for one lane of a RARE. */
static uint64_t read_rare(const jk_ins *ins, jk_ref r, uint64_t *v, size_t e, size_t n)
{
    const jk_rare *rare = &w.ir.rares[ins[r].aux];
    uint64_t result = v[ins[r].b], next[8];
    bool active = v[ins[r].a] != 0;
    uint32_t limit = rare->limit, k;
    jk_ref i;
    for (i = rare->first; i < r; i++)
        if (ins[i].op == JK_RSTATE)
            v[i] = v[ins[i].a];
    while (active && limit-- > 0) {
        for (i = rare->first; i < r; i++)
            if (ins[i].op != JK_RSTATE)
                v[i] = read_value(ins, i, v, e, n);
        result = v[ins[r].c];
        active = rare->again != JK_NOREF && v[rare->again];
        for (i = rare->first, k = 0; i < r; i++)
            if (ins[i].op == JK_RSTATE)
                next[k++] = v[ins[i].b];
        for (i = rare->first, k = 0; i < r; i++)
            if (ins[i].op == JK_RSTATE)
                v[i] = next[k++];
    }
    return result;
}

static uint64_t read_reduction(const jk_ins *i, const uint64_t *v, size_t nins, size_t n)
{
    jk_type t = (jk_type)w.ir.type;
    const plain_format *f = format_of(t);
    uint64_t least = f->inf;
    size_t e;
    if (i->op == JK_RSUM) {
        double *x = (double *)calloc(n + 1, sizeof *x);
        for (e = 0; e < n; e++)
            set_element(t, x, e, v[e * nins + i->a]);
        least = plain_double_bits(reference_sum(x, n, jk_type_size(t)));
        free(x);
        return least;
    }
    for (e = 0; e < n; e++)
        least = plain_min(f, least, v[e * nins + i->a]);
    if (i->op == JK_RMIN)
        return least;
    for (e = 0; e < n; e++)
        if (plain_eq(f, v[e * nins + i->a], least) || plain_isnan(f, v[e * nins + i->a]))
            return e;
    return UINT64_MAX;
}

/* All values, [n or 1][nins], until the next call. Those of rare bodies are scratch. */
static uint64_t *read_program(size_t n)
{
    const jk_ins *ins = w.ir.ins;
    size_t nins = w.ir.nins, e, rows = n ? n : 1;
    uint64_t *v;
    char *in_body = (char *)calloc(nins, 1);
    jk_ref r;
    if (rows * nins > w.cap_values) {
        free(w.values);
        w.cap_values = 2 * rows * nins;
        w.values = (uint64_t *)calloc(w.cap_values, sizeof *v);
    }
    v = w.values;
    for (r = 0; r < nins; r++)
        if (ins[r].op == JK_RARE)
            memset(in_body + w.ir.rares[ins[r].aux].first, 1, r - w.ir.rares[ins[r].aux].first);
    for (r = 0; r < nins; r++) {
        bool red = ins[r].op >= JK_RSUM;
        uint64_t all = red ? read_reduction(&ins[r], v, nins, n) : 0;
        for (e = 0; e < rows && !in_body[r]; e++)
            v[e * nins + r] = red                         ? all
                              : ins[r].op == JK_RARE      ? read_rare(ins, r, v + e * nins, e, n)
                              : n || ins[r].op != JK_LOAD ? read_value(ins, r, v + e * nins, e, n)
                                                          : 0;
    }
    free(in_body);
    return v;
}

/* ---- random programs ---- */
static jk_ref pick(bool uniform)
{
    size_t tries;
    jk_ref r = w.pool[ARRAYS + random_bits() % SCALARS];
    for (tries = 0; tries < 9; tries++) {
        size_t far = 1 + (size_t)(random_bits() % (random_bits() % 3 ? 6 : w.npool));
        jk_ref x = w.pool[far < w.npool ? w.npool - far : 0];
        if (!uniform || !w.ir.varying[x])
            return x;
    }
    return r;
}

static void keep(jk_ref r)
{
    if (w.npool < POOL)
        w.pool[w.npool++] = r;
}

static jk_ref random_mask(bool uniform)
{
    jk_ref m = jk_ir_2(&w.ir, (jk_op)(JK_LT + random_bits() % 4), pick(uniform), pick(uniform));
    switch (random_bits() % 6) {
    case 0:
        return jk_ir_1(&w.ir, JK_MNOT, m);
    case 1:
        return jk_ir_2(&w.ir, JK_MAND, m, jk_ir_1(&w.ir, JK_ISNAN, pick(uniform)));
    case 2:
        return jk_ir_2(&w.ir, JK_MOR, m, jk_ir_2(&w.ir, JK_LE, pick(uniform), pick(uniform)));
    default:
        return m;
    }
}

static jk_ref random_value(bool uniform)
{
    unsigned op = (unsigned)(random_bits() % (JK_FMA + 3));
    jk_type t = (jk_type)w.ir.type, it = t == JK_F64 ? JK_I64 : JK_I32;
    if (op <= JK_FMA && jk_op_arity((jk_op)op) == 1)
        return jk_ir_1(&w.ir, (jk_op)op, pick(uniform));
    if (op <= JK_FMA && jk_op_arity((jk_op)op) == 2)
        return jk_ir_2(&w.ir, (jk_op)op, pick(uniform), pick(uniform));
    if (op == JK_FMA)
        return jk_ir_3(&w.ir, JK_FMA, pick(uniform), pick(uniform), pick(uniform));
    if (op == JK_FMA + 1) {
        jk_ref m = random_mask(uniform), a = pick(uniform);
        return jk_ir_3(&w.ir, JK_SELECT, m, a, pick(uniform));
    } else { /* on the bits of arguments only: a computed NaN has any */
        jk_ref a = jk_ir_emit(&w.ir, JK_BITS, it, 0, w.pool[(uniform ? ARRAYS : 0) + random_bits() % 2], 0, 0);
        jk_ref b = jk_ir_emit(&w.ir, JK_BITS, it, 0, w.pool[ARRAYS + random_bits() % 2], 0, 0);
        a = jk_ir_emit(&w.ir, JK_ISHR, it, 1 + (unsigned)(random_bits() % 20), a, 0, 0);
        b = jk_ir_2(&w.ir, (jk_op)(JK_IAND + random_bits() % 5), b, a);
        return jk_ir_emit(&w.ir, JK_BITS, t, 0, b, 0, 0);
    }
}

static jk_ref random_rare(bool uniform)
{
    jk_ref mask = random_mask(uniform), fast = pick(uniform), state[2], next[2], last = 0, again = JK_NOREF;
    size_t pool = w.npool, i, n = (size_t)(random_bits() % 3);
    if (!uniform && !w.ir.varying[fast]) /* a RARE of uniform operands has a body of uniform values */
        fast = w.pool[random_bits() % ARRAYS];
    jk_ir_rare_begin(&w.ir);
    for (i = 0; i < n; i++)
        state[i] = jk_ir_rstate(&w.ir, pick(uniform));
    for (i = 0; i < n; i++)
        keep(state[i]);
    for (i = 1 + random_bits() % 6; i-- > 0; keep(last))
        last = random_value(uniform);
    for (i = 0; i < n; i++) /* the other state, or something of the body */
        next[i] = random_bits() % 3 ? pick(uniform) : state[n - 1 - i];
    if (random_bits() % 4)
        again = random_mask(uniform);
    last = random_bits() % 2 ? last : pick(uniform);
    w.npool = pool;
    for (i = 0; i < n; i++)
        jk_ir_rare_next(&w.ir, state[i], next[i]);
    jk_ir_rare_again(&w.ir, again, 1 + (unsigned)(random_bits() % 5));
    return jk_ir_rare_end(&w.ir, mask, fast, last);
}

static void random_program(jk_type t, bool searches)
{
    size_t i, steps = 1 + (size_t)(random_bits() % 60), pass, reds = (size_t)(random_bits() % 3);
    open_program(t);
    keep(jk_ir_float(&w.ir, t, 0.75));
    for (pass = 0; pass < 1 + random_bits() % 2; pass++) {
        for (i = 0; i < steps; i++) {
            bool uniform = random_bits() % 5 == 0;
            keep(random_bits() % 6 ? random_value(uniform) : random_rare(uniform));
        }
        for (i = 0; i < reds; i++) {
            jk_op op = (jk_op)(i & 1 ? JK_RMIN : JK_RSUM);
            jk_ref r = jk_ir_emit(&w.ir, op, op == JK_RSUM ? JK_F64 : t, 0, pick(false), 0, 0);
            keep(w.ir.ins[r].type == (uint8_t)t ? r : jk_ir_emit(&w.ir, JK_CVT, t, 0, r, 0, 0));
        }
    }
    add_result(pick(false), true);
    add_result(random_bits() % 8 ? pick(false) : w.pool[random_bits() % ARRAYS], true);
    add_result(jk_ir_emit(&w.ir, JK_RSUM, JK_F64, 0, pick(false), 0, 0), false);
    if (searches)
        add_result(jk_ir_emit(&w.ir, JK_RARGMIN, JK_I64, 0, pick(false), 0, 0), false);
    close_program();
}

static void fill_arguments(jk_type t, size_t n)
{
    size_t i, k;
    for (k = 0; k < ARRAYS; k++)
        for (i = 0; i < n; i++)
            set_element(t, w.in[k], i,
                        random_bits() % 8 ? tame(t, 6) : extreme_of(t, (size_t)(random_bits() % EXTREMES)));
    for (k = 0; k < SCALARS; k++)
        w.scalar[k] = random_bits() % 8 ? tame(t, 6) : extreme_of(t, (size_t)(random_bits() % EXTREMES));
}

/* Compares what a run left with the direct reading; results may have gone over the inputs. */
static void check_results(jk_type t, const uint64_t *v, size_t n, int seed)
{
    size_t nins = w.ir.nins, e;
    uint32_t k;
    for (k = PARAMS; k < w.nargs; k++) {
        jk_ref r = w.args[k].value;
        jk_type vt = (jk_type)w.ir.ins[r].type;
        if (!w.args[k].is_array && w.p.cell[r] != JK_NOCELL)
            require(same_value(vt, w.cell[w.p.cell[r]], v[r]), "seed %d, n %zu, scalar %u", seed, n, k);
        for (e = 0; e < n && w.args[k].is_array; e++)
            require(same_value(t, element(t, w.array[k], e), v[e * nins + r]), "seed %d, n %zu, element %zu of %u",
                    seed, n, e, k);
    }
}

/* In place too, each result over the other's input, but where a search reads the inputs again afterwards. */
START_TEST(random_programs)
{
    static const size_t sizes[] = {0, 1, 2, 7, 127, 128, 129, 256, 300, 700};
    jk_type t = _i & 1 ? JK_F32 : JK_F64;
    unsigned saved = plain_enter();
    size_t s, k;
    int round;
    for (round = 0; round < 60; round++) {
        random_state = 0x2545F4914F6CDD1Du * (uint64_t)(_i * 60 + round + 1);
        random_program(t, round & 1);
        for (s = 0; s < sizeof sizes / sizeof *sizes; s += 1 + random_bits() % 2) {
            uint64_t *v;
            bool in_place = !(round & 1) && (random_bits() & 1);
            fill_arguments(t, sizes[s]);
            v = read_program(sizes[s]);
            for (k = 0; k < ARRAYS; k++)
                w.array[k] = w.in[k];
            for (k = 0; k < RESULTS; k++)
                w.array[PARAMS + k] = in_place ? w.in[1 - k] : w.out[k];
            run_program(sizes[s]);
            check_results(t, v, sizes[s], _i * 60 + round);
        }
        free_program();
    }
    plain_leave(saved);
}
END_TEST

/* ---- rare bodies by example ---- */

/* How often x halves until it is below 1, at most `limit` times; -1 where it is so at once. */
START_TEST(rare_counts)
{
    static const double x[] = {0.5, 1, 3, 8, 1e300, -4}, unlimited[] = {-1, 1, 2, 4, 997, -1};
    double limit = _i ? 3 : 5000;
    unsigned saved = plain_enter();
    jk_ref one, mask, s[2], next[2], result, i;
    open_program(JK_F64);
    one = jk_ir_float(&w.ir, JK_F64, 1);
    mask = jk_ir_2(&w.ir, JK_LE, one, w.pool[0]);
    jk_ir_rare_begin(&w.ir);
    s[0] = jk_ir_rstate(&w.ir, w.pool[0]);
    s[1] = jk_ir_rstate(&w.ir, jk_ir_float(&w.ir, JK_F64, 0));
    next[0] = jk_ir_2(&w.ir, JK_MUL, s[0], jk_ir_float(&w.ir, JK_F64, 0.5));
    next[1] = jk_ir_2(&w.ir, JK_ADD, s[1], one);
    for (i = 0; i < 2; i++)
        jk_ir_rare_next(&w.ir, s[i], next[i]);
    jk_ir_rare_again(&w.ir, jk_ir_2(&w.ir, JK_LE, one, next[0]), (unsigned)limit);
    result = jk_ir_rare_end(&w.ir, mask, jk_ir_float(&w.ir, JK_F64, -1), next[1]);
    add_result(result, true);
    close_program();
    memcpy(w.in[0], x, sizeof x);
    w.array[0] = w.in[0];
    w.array[PARAMS] = w.out[0];
    run_program(6);
    for (i = 0; i < 6; i++)
        ck_assert_double_eq(w.out[0][i], unlimited[i] < limit ? unlimited[i] : limit);
    free_program();
    plain_leave(saved);
}
END_TEST

/* ---- size ---- */

/* x*(x*(x*...)) 10,000 deep takes few slots in the order that the plan chose, and 300 arrays' sum no slot each. */
START_TEST(few_slots)
{
    unsigned saved = plain_enter();
    jk_ref v;
    size_t i;
    open_program(JK_F64);
    v = w.pool[1];
    for (i = 0; i < 10000; i++)
        v = jk_ir_2(&w.ir, i % 3 ? JK_MUL : JK_ADD, w.pool[i % 2], v);
    add_result(v, true);
    close_program();
    ck_assert_uint_le(w.p.nslots, 4);
    for (i = 0; i < 200; i++) {
        w.in[0][i] = 1 + (double)i / 4096;
        w.in[1][i] = 0.25;
    }
    for (i = 0; i < ARRAYS; i++)
        w.array[i] = w.in[i];
    w.array[PARAMS] = w.out[0];
    run_program(200);
    for (i = 0; i < 200; i += 99) {
        uint64_t x[2], y;
        size_t k;
        x[0] = plain_double_bits(w.in[0][i]);
        y = x[1] = plain_double_bits(0.25);
        for (k = 0; k < 10000; k++)
            y = k % 3 ? plain_mul(&plain_f64, x[k % 2], y) : plain_add(&plain_f64, x[k % 2], y);
        ck_assert_uint_eq(plain_double_bits(w.out[0][i]), y);
    }
    free_program();
    plain_leave(saved);
}
END_TEST

/* ---- reductions ---- */
static uint64_t chunk_prod(jk_type t, const void *x, size_t m)
{
    uint64_t lane[4][16], one = plain_f64.one;
    size_t lanes = 64 / jk_type_size(t), length = (m * jk_type_size(t) + 255) / 256 * lanes, i;
    for (i = 0; i < 64; i++)
        lane[i / 16][i % 16] = one;
    for (i = 0; i < m; i++) {
        uint64_t e = element(t, x, i), *to = &lane[i / length][i % length % lanes];
        *to = plain_mul(&plain_f64, *to, t == JK_F32 ? plain_widen(e) : e);
    }
    for (i = 0; i < lanes; i++)
        lane[0][i] = plain_mul(&plain_f64, plain_mul(&plain_f64, lane[0][i], lane[1][i]),
                               plain_mul(&plain_f64, lane[2][i], lane[3][i]));
    for (; lanes > 1; lanes /= 2)
        for (i = 0; i < lanes / 2; i++)
            lane[0][i] = plain_mul(&plain_f64, lane[0][i], lane[0][i + lanes / 2]);
    return lane[0][0];
}

/* A binary operation over the dyadic tree, as the definition has it. */
static uint64_t tree_of(jk_op red, const uint64_t *node, size_t count, unsigned k, size_t j)
{
    uint64_t left, right;
    if (k == 0)
        return node[j];
    left = tree_of(red, node, count, k - 1, 2 * j);
    if ((2 * j + 1) << (k - 1) >= count)
        return left;
    right = tree_of(red, node, count, k - 1, 2 * j + 1);
    return red == JK_RSUM    ? plain_add(&plain_f64, left, right)
           : red == JK_RPROD ? plain_mul(&plain_f64, left, right)
                             : plain_min(&plain_f64, left, right);
}

static uint64_t whole_tree(jk_op red, const uint64_t *node, size_t count)
{
    unsigned k = 0;
    while ((size_t)1 << k < count)
        k++;
    return count             ? tree_of(red, node, count, k, 0)
           : red == JK_RSUM  ? 0
           : red == JK_RPROD ? plain_f64.one
                             : plain_f64.inf;
}

static void check_reductions(jk_type t, size_t n)
{
    const plain_format *f = format_of(t);
    uint64_t least = f->inf, want, prods[16];
    size_t i, place = SIZE_MAX, size = jk_type_size(t), chunk = CHUNK_BYTES / size;
    for (i = 0; i < n; i++)
        least = plain_min(f, least, element(t, w.in[0], i));
    for (i = n; i-- > 0;)
        if (plain_eq(f, element(t, w.in[0], i), least) || plain_isnan(f, element(t, w.in[0], i)))
            place = i;
    for (i = 0; i * chunk < n; i++)
        prods[i] =
            chunk_prod(t, (const char *)w.in[1] + i * chunk * size, n - i * chunk < chunk ? n - i * chunk : chunk);
    run_program(n);
    want = plain_double_bits(reference_sum(w.in[0], n, size));
    require(plain_same(&plain_f64, w.cell[w.p.cell[w.args[PARAMS].value]], want), "sum, n = %zu", n);
    want = whole_tree(JK_RPROD, prods, i);
    require(plain_same(&plain_f64, w.cell[w.p.cell[w.args[PARAMS + 1].value]], want), "prod, n = %zu", n);
    require(plain_same(f, w.cell[w.p.cell[w.args[PARAMS + 2].value]], least), "min, n = %zu", n);
    require(w.cell[w.p.cell[w.args[PARAMS + 3].value]] == (uint64_t)place, "argmin, n = %zu", n);
    require(w.cell[w.p.cell[w.args[PARAMS + 4].value]] == plain_from_integer(&plain_f64, (int64_t)n), "count, n = %zu",
            n);
}

/* sum, prod, min, argmin and the sum of a uniform value, at every n to 300 and around the borders of chunks. */
START_TEST(reductions)
{
    enum { C = JK_CHUNK_BYTES / 8 };
    static const size_t more[] = {511,   512, 513,   4095,      4097,  8208,      C / 4 - 1, C / 4, C / 4 + 1,
                                  C - 1, C,   C + 1, 2 * C - 1, 2 * C, 2 * C + 1, 3 * C - 1, 3 * C, 3 * C + 1};
    static const jk_op ops[] = {JK_RSUM, JK_RPROD, JK_RMIN, JK_RARGMIN, JK_RSUM};
    jk_type t = _i & 1 ? JK_F32 : JK_F64;
    unsigned saved = plain_enter();
    size_t i;
    random_state = 12345;
    open_program(t);
    for (i = 0; i < 5; i++) {
        jk_type rt = ops[i] == JK_RMIN ? t : ops[i] == JK_RARGMIN ? JK_I64 : JK_F64;
        jk_ref x = i == 4 ? jk_ir_float(&w.ir, t, 1) : w.pool[i == 1];
        add_result(jk_ir_emit(&w.ir, ops[i], rt, 0, x, 0, 0), false);
    }
    close_program();
    for (i = 0; i < ARRAYS; i++)
        w.array[i] = w.in[i];
    for (i = 0; i < ROOM; i++) {
        set_element(t, w.in[0], i, tame(t, 20));
        set_element(t, w.in[1], i, tame(t, 0));
    }
    for (i = 0; i < ROOM; i += 2) /* a product that stays in range: each second factor turns the exponent back */
        set_element(t, w.in[1], i, element(t, w.in[1], i) ^ (uint64_t)1 << format_of(t)->mantissa);
    if (_i & 2) { /* a NaN, an infinity, zeros of both signs as the least */
        for (i = 0; i < ROOM; i++)
            set_element(t, w.in[0], i, element(t, w.in[0], i) & ~format_of(t)->sign);
        set_element(t, w.in[0], 97, 0);
        set_element(t, w.in[0], 131, format_of(t)->sign);
        set_element(t, w.in[0], 40000, format_of(t)->inf);
        set_element(t, w.in[0], 70000, format_of(t)->inf | 1);
        set_element(t, w.in[0], 80000, format_of(t)->inf | 2);
    }
    for (i = 0; i <= 300; i++)
        check_reductions(t, i);
    for (i = 0; i < sizeof more / sizeof *more; i++)
        check_reductions(t, more[i]);
    free_program();
    plain_leave(saved);
}
END_TEST

START_TEST(joins)
{
    static const jk_op red[] = {JK_RSUM, JK_RPROD, JK_RMIN};
    uint64_t node[3][100];
    double level[64 * 3], x[3];
    unsigned saved = plain_enter();
    jk_tree t;
    size_t count, k;
    random_state = 99;
    memset(&t, 0, sizeof t);
    t.nred = 3;
    t.level = level;
    for (count = 0; count <= 100; count++) {
        jk_tree_result(&t, red, x);
        for (k = 0; k < 3; k++)
            require(plain_double_bits(x[k]) == whole_tree(red[k], node[k], count), "%s of %zu chunks",
                    jk_op_name(red[k]), count);
        if (count == 100)
            break;
        for (k = 0; k < 3; k++) {
            node[k][count] = tame(JK_F64, k == 1 ? 1 : 30);
            x[k] = plain_double(node[k][count]);
        }
        jk_tree_add(&t, red, x);
    }
    plain_leave(saved);
}
END_TEST

/* The lanes' start: a sum of -0 alone is +0, an empty minimum is +inf. */
START_TEST(starts)
{
    unsigned saved = plain_enter();
    ck_assert_uint_eq(plain_double_bits(jk_node_init(JK_RSUM)), 0);
    ck_assert_double_eq(jk_node_init(JK_RPROD), 1);
    ck_assert_uint_eq(plain_double_bits(jk_node_init(JK_RMIN)), plain_f64.inf);
    ck_assert_uint_eq(plain_double_bits(jk_node_init(JK_RARGMIN)), plain_f64.inf);
    ck_assert_uint_eq(plain_double_bits(jk_node_join(JK_RMIN, 0.0, -0.0)), plain_f64.sign);
    plain_leave(saved);
}
END_TEST

START_TEST(segments)
{
    size_t m, bytes;
    for (bytes = 4; bytes <= 8; bytes += 4)
        for (m = 0; m <= jk_chunk_of(bytes); m++) {
            size_t length = jk_segment_length(m, bytes), lanes = 64 / bytes;
            require(length % lanes == 0 && 4 * length >= m && (length < lanes || 4 * (length - lanes) < m),
                    "%zu elements of %zu bytes", m, bytes);
        }
    ck_assert_uint_eq(JK_CHUNK_BYTES % (4 * 64), 0); /* whole chunks have four equal segments in both types */
    ck_assert_uint_eq(JK_POUR * 8 % JK_INTERP_BLOCK, 0);
}
END_TEST

/* ---- the document ---- */
static char *read_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    char *text = (char *)calloc(1, 65536);
    require(f != NULL, "cannot open %s", name);
    ck_assert(text && fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

START_TEST(document)
{
    static const char fence[] = "/* ---- */\n";
    char *header = read_file("tests/reference.h"), *doc = read_file("docs/reductions.md"), number[64];
    char *begin = strstr(header, fence), *end;
    ck_assert(begin != NULL);
    begin += strlen(fence);
    end = strstr(begin, fence);
    ck_assert(end != NULL);
    *end = 0;
    require(strstr(doc, begin) != NULL, "docs/reductions.md does not show the code of tests/reference.h");
    ck_assert_uint_eq(JK_CHUNK_BYTES, CHUNK_BYTES);
    ck_assert_uint_eq(JK_LANE_BYTES, LANE_BYTES);
    ck_assert_uint_eq(JK_POUR, POUR);
    snprintf(number, sizeof number, "| bytes of a chunk's elements | %u |", JK_CHUNK_BYTES);
    require(strstr(doc, number) != NULL, "docs/reductions.md has another chunk");
    free(header);
    free(doc);
}
END_TEST

Suite *suite_interp(void)
{
    Suite *s = suite_create("interp");
    TCase *run = tcase_create("programs"), *red = tcase_create("reductions");
    tcase_add_loop_test(run, random_programs, 0, 16);
    tcase_add_loop_test(run, rare_counts, 0, 2);
    tcase_add_test(run, few_slots);
    tcase_set_timeout(run, 120);
    suite_add_tcase(s, run);
    tcase_add_loop_test(red, reductions, 0, 4);
    tcase_add_test(red, joins);
    tcase_add_test(red, starts);
    tcase_add_test(red, segments);
    tcase_add_test(red, document);
    tcase_set_timeout(red, 60);
    suite_add_tcase(s, red);
    return s;
}
