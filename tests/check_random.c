/* Random expressions through everything: the interpreter against a direct evaluation of the tree (random_tree.h), and
 * every instruction set against the interpreter, in both precisions, on extreme and random values, with offsets,
 * strides and results in place; jitk_function besides. What fails, by a wrong bit, an error, a crash or a hang, is
 * shrunk and printed. JITK_TEST_SEED chooses other expressions. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "suites.h"
#include "random_tree.h"
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

#define RND_EXPRESSIONS 20000
#define RND_BATCHES 20
#define RND_MAX_N 300
#define RND_CELLS ((RND_MAX_N + 1) * 3 + 64) /* elements of an array's room: strides up to 3, offset, canaries */
#define RND_ROOM ((8 * RND_CELLS + 4095) / 4096 * 4096) /* bytes */
#define RND_ARRAYS (TREE_ARRAYS + TREE_ROOTS)           /* the arguments that may be arrays: inputs, then results */
#define RND_ARGS (RND_ARRAYS + TREE_SCALARS)
#define RND_HANG_SECONDS 60

/* How a case is spelled and called. */
typedef enum rnd_form { RND_NAMED, RND_ANONYMOUS, RND_BARE } rnd_form;

typedef struct rnd_case {
    tree t;
    rnd_form form;
    kut_kind kind;
    size_t n;
    uint64_t data_seed;
    size_t offset[RND_ARRAYS];
    int stride[RND_ARRAYS];
    int in_place; /* the array that the first result overwrites, or -1 */
} rnd_case;

typedef enum rnd_verdict {
    RND_FINE,
    RND_NO_COMPILE,
    RND_NO_CALL,
    RND_WRONG_INTERP,
    RND_WRONG,
    RND_WROTE_OUTSIDE,
    RND_WRONG_FUNCTION,
    RND_CRASH
} rnd_verdict;
static const char *const rnd_verdict_names[] = {"fine",
                                                "does not compile",
                                                "the call fails",
                                                "the interpreter differs from the tree",
                                                "differs from the interpreter",
                                                "wrote outside the result",
                                                "the function differs from the interpreter",
                                                "crashed or hung"};

/* The case at work. Static, so that it survives the jump out of a signal. */
static struct rnd_state {
    sigjmp_buf out;
    volatile bool armed;
    volatile int isa;
    volatile int signal;
    jitk_type type;
    rnd_verdict verdict;
    size_t result, place; /* where a value is wrong */
    uint64_t expected, got;
    jitk_error error;
    kut_text text;
    char array[TREE_ARRAYS][8 * RND_MAX_N], want[TREE_ROOTS][8 * RND_MAX_N], have[8 * RND_MAX_N];
    char *room[RND_ARRAYS], untouched[TREE_ROOTS][RND_ROOM]; /* the rooms stand between pages that may not be touched */
    uint64_t scalar[TREE_SCALARS], reduced[TREE_MAX], scratch[RND_MAX_N];
    bool used[TREE_ARRAYS];
} rnd;

static void rnd_on_signal(int sig)
{
    if (!rnd.armed)
        _exit(128 + sig);
    rnd.signal = sig;
    siglongjmp(rnd.out, 1);
}

static void rnd_setup(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGALRM};
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_handler = rnd_on_signal;
    act.sa_flags = SA_NODEFER;
    for (size_t i = 0; i < KUT_COUNT(signals); i++)
        sigaction(signals[i], &act, NULL);
    for (size_t a = 0; a < RND_ARRAYS; a++) {
        kut_area room = kut_map(RND_ROOM);
        rnd.room[a] = room.at + room.nbytes - RND_ROOM;
    }
}

/* ---- a case's text and data ---- */

static void rnd_make_text(const rnd_case *c)
{
    kut_text *b = &rnd.text;
    b->len = 0;
    if (c->form != RND_BARE)
        kut_puts(b, c->form == RND_NAMED ? "k(a, x[], y[], b, z[], w[]) = " : "(a, x[], y[], b, z[], w[]) = ");
    for (size_t i = 0; i < c->t.roots; i++) {
        kut_puts(b, i ? ", " : "");
        tree_print(b, &c->t, c->t.root[i], 1);
    }
    memset(rnd.used, c->form != RND_BARE, sizeof rnd.used);
    for (size_t i = 0; i < c->t.count; i++)
        if (c->t.node[i].op == TREE_OP_ARRAY)
            rnd.used[c->t.node[i].leaf] = true;
}

/* y is often near x, so that comparisons, differences and remainders are tried where they are delicate. */
static void rnd_make_data(const rnd_case *c)
{
    kut_rng r = {c->data_seed};
    const plain_format *f = kut_format(rnd.type);
    for (size_t a = 0; a < TREE_ARRAYS; a++) {
        kut_fill(&r, rnd.type, c->kind, rnd.array[a], c->n);
        for (size_t i = 0; i < c->n; i++) {
            uint64_t u = kut_get(rnd.type, rnd.array[a], c->stride[a] ? (ptrdiff_t)i : 0);
            if (a == 1 && c->stride[1] && kut_below(&r, 4) == 0) {
                u = kut_get(rnd.type, rnd.array[0], (ptrdiff_t)i);
                if ((u & ~f->sign) < f->inf && (u & ~f->sign) > 2)
                    u += kut_below(&r, 3) - 1;
            }
            kut_put(rnd.type, rnd.array[a], (ptrdiff_t)i, u);
        }
    }
    for (size_t s = 0; s < TREE_SCALARS; s++)
        rnd.scalar[s] = kut_value(&r, rnd.type, c->kind);
}

/* ---- calling ---- */

static rnd_verdict rnd_fail(rnd_verdict v, size_t place, uint64_t expected, uint64_t got)
{
    rnd.place = place;
    rnd.expected = expected;
    rnd.got = got;
    return v;
}

static rnd_verdict rnd_compare(rnd_verdict v, size_t result, const void *want, const void *have, size_t count)
{
    size_t i = kut_differs(rnd.type, want, have, count);
    if (i == count)
        return RND_FINE;
    rnd.result = result;
    return rnd_fail(v, i, kut_get(rnd.type, want, (ptrdiff_t)i), kut_get(rnd.type, have, (ptrdiff_t)i));
}

static jitk_options rnd_options(int isa)
{
    jitk_options o;
    memset(&o, 0, sizeof o);
    o.type = rnd.type;
    o.isa = (jitk_isa)isa;
    return o;
}

static size_t rnd_count(const rnd_case *c, size_t result)
{
    return tree_is_map(&c->t, c->t.root[result]) ? c->n : 1;
}

/* The arguments in the order of the form: p and stride are of x y z w and the results. */
static size_t rnd_order(const rnd_case *c, void *const p[RND_ARRAYS], const int stride[RND_ARRAYS], const void *args[],
                        ptrdiff_t strides[])
{
    static const int full[] = {-1, 0, 1, -2, 2, 3}, bare[] = {3, 0, 1, 2}; /* bare: byte order, w first */
    size_t n = 0, count = c->form == RND_BARE ? KUT_COUNT(bare) : KUT_COUNT(full);
    for (size_t i = 0; i < count; i++) {
        int a = c->form == RND_BARE ? bare[i] : full[i];
        if (a >= 0 && !rnd.used[a])
            continue;
        strides[n] = a < 0 ? 1 : stride[a];
        args[n++] = a < 0 ? (void *)&rnd.scalar[-a - 1] : p[a];
    }
    for (size_t r = 0; r < c->t.roots; r++) {
        strides[n] = stride[TREE_ARRAYS + r];
        args[n++] = p[TREE_ARRAYS + r];
    }
    return n;
}

/* Compiles, calls, frees. */
static rnd_verdict rnd_call(const rnd_case *c, int isa, void *const p[RND_ARRAYS], const int stride[RND_ARRAYS])
{
    const void *args[RND_ARGS];
    ptrdiff_t strides[RND_ARGS];
    bool plain = true;
    jitk_options o = rnd_options(isa);
    rnd.isa = isa;
    jitk_kernel *k = jitk_compile(rnd.text.at, &o, &rnd.error);
    if (!k)
        return RND_NO_COMPILE;
    size_t nargs = rnd_order(c, p, stride, args, strides);
    for (size_t i = 0; i < nargs; i++)
        plain = plain && strides[i] == 1;
    jitk_status s = plain ? jitk_callv(k, c->n, nargs, args) : jitk_call_strided(k, c->n, nargs, args, strides);
    rnd.error = *jitk_last_error();
    jitk_free(k);
    return s == JITK_OK ? RND_FINE : RND_NO_CALL;
}

static rnd_verdict rnd_against_tree(const rnd_case *c)
{
    rnd_verdict v = RND_FINE;
    tree_env e;
    memset(&e, 0, sizeof e);
    e.t = &c->t;
    e.type = rnd.type;
    e.f = kut_format(rnd.type);
    e.n = c->n;
    e.reduced = rnd.reduced;
    for (size_t a = 0; a < TREE_ARRAYS; a++)
        e.array[a] = rnd.array[a];
    memcpy(e.scalar, rnd.scalar, sizeof e.scalar);
    tree_run_reductions(&e, rnd.scratch);
    for (size_t r = 0; r < c->t.roots && v == RND_FINE; r++) {
        tree_run(&e, c->t.root[r], rnd.have);
        v = rnd_compare(RND_WRONG_INTERP, r, rnd.have, rnd.want[r], rnd_count(c, r));
    }
    return v;
}

/* The reference: the interpreter on plain contiguous arrays, checked against the tree where its value is spelled out.
 */
static rnd_verdict rnd_reference(const rnd_case *c)
{
    static const int ones[RND_ARRAYS] = {1, 1, 1, 1, 1, 1, 1};
    void *p[RND_ARRAYS];
    for (size_t a = 0; a < TREE_ARRAYS; a++)
        p[a] = rnd.array[a];
    for (size_t r = 0; r < TREE_ROOTS; r++)
        p[TREE_ARRAYS + r] = rnd.want[r];
    rnd_verdict v = rnd_call(c, JITK_ISA_INTERP, p, ones);
    return v == RND_FINE && tree_is_plain(&c->t) ? rnd_against_tree(c) : v;
}

/* Where element 0 of count stands in the room of an array: at even offsets the array's memory ends where the room does,
 * at 1 it begins with the room. */
static ptrdiff_t rnd_start(const rnd_case *c, size_t a, size_t count)
{
    ptrdiff_t step = c->stride[a] < 0 ? -c->stride[a] : c->stride[a], last = count ? (ptrdiff_t)(count - 1) * step : 0;
    ptrdiff_t cells = RND_ROOM / (ptrdiff_t)kut_size(rnd.type), at = 16 + (ptrdiff_t)c->offset[a];
    if (c->offset[a] < 2)
        at = 0;
    if (c->offset[a] % 2 == 0)
        at = cells - last - (count > 0);
    return c->stride[a] < 0 ? at + last : at;
}

/* Puts the inputs into their rooms. */
static void rnd_furnish(const rnd_case *c)
{
    for (size_t a = 0; a < TREE_ARRAYS; a++) {
        ptrdiff_t at = rnd_start(c, a, c->n);
        memset(rnd.room[a], 0xab, RND_ROOM);
        for (size_t i = 0; i < c->n; i++)
            kut_put(rnd.type, rnd.room[a], at + (ptrdiff_t)i * c->stride[a],
                    kut_get(rnd.type, rnd.array[a], (ptrdiff_t)i));
    }
    for (size_t r = 0; r < TREE_ROOTS; r++)
        memset(rnd.room[TREE_ARRAYS + r], 0xcd, RND_ROOM);
}

static rnd_verdict rnd_on_isa(const rnd_case *c, int isa)
{
    void *p[RND_ARRAYS];
    size_t where[TREE_ROOTS]; /* the room of each result */
    ptrdiff_t at[TREE_ROOTS];
    int stride[RND_ARRAYS];
    ptrdiff_t size = (ptrdiff_t)kut_size(rnd.type);
    rnd_furnish(c);
    memcpy(stride, c->stride, sizeof stride);
    for (size_t a = 0; a < TREE_ARRAYS; a++)
        p[a] = rnd.room[a] + rnd_start(c, a, c->n) * size;
    for (size_t r = 0; r < c->t.roots; r++) {
        bool is_map = tree_is_map(&c->t, c->t.root[r]);
        where[r] = TREE_ARRAYS + r;
        if (r == 0 && is_map && c->in_place >= 0 && c->stride[c->in_place] != 0)
            where[r] = (size_t)c->in_place;
        stride[TREE_ARRAYS + r] = is_map ? c->stride[where[r]] : 1;
        at[r] = is_map ? rnd_start(c, where[r], c->n) : 16;
        p[TREE_ARRAYS + r] = rnd.room[where[r]] + at[r] * size;
        memcpy(rnd.untouched[r], rnd.room[where[r]], sizeof rnd.untouched[r]);
    }
    rnd_verdict v = rnd_call(c, isa, p, stride);
    for (size_t r = 0; r < c->t.roots && v == RND_FINE; r++) {
        for (size_t i = 0; i < rnd_count(c, r); i++) {
            ptrdiff_t j = at[r] + (ptrdiff_t)i * stride[TREE_ARRAYS + r];
            kut_put(rnd.type, rnd.have, (ptrdiff_t)i, kut_get(rnd.type, rnd.room[where[r]], j));
            kut_put(rnd.type, rnd.untouched[r], j, kut_get(rnd.type, rnd.room[where[r]], j));
        }
        v = rnd_compare(RND_WRONG, r, rnd.want[r], rnd.have, rnd_count(c, r));
        if (v == RND_FINE && memcmp(rnd.untouched[r], rnd.room[where[r]], sizeof rnd.untouched[r]) != 0)
            v = rnd_fail(RND_WROTE_OUTSIDE, 0, 0, 0);
    }
    return v;
}

/* ---- the same as a scalar function ---- */

static uint64_t rnd_call_function(jitk_fn f, size_t arity, const uint64_t *v)
{
    unsigned saved = plain_enter();
    uint64_t u = 0;
#define D(i) plain_double(v[i])
#define S(i) plain_float(v[i])
#define RND_CALL(T, V, bits)                                     \
    switch (arity) {                                             \
    case 0:                                                      \
        u = bits(((T(*)(void))f)());                             \
        break;                                                   \
    case 1:                                                      \
        u = bits(((T(*)(T))f)(V(0)));                            \
        break;                                                   \
    case 2:                                                      \
        u = bits(((T(*)(T, T))f)(V(0), V(1)));                   \
        break;                                                   \
    case 3:                                                      \
        u = bits(((T(*)(T, T, T))f)(V(0), V(1), V(2)));          \
        break;                                                   \
    default:                                                     \
        u = bits(((T(*)(T, T, T, T))f)(V(0), V(1), V(2), V(3))); \
    }
    if (rnd.type == JITK_F32) {
        RND_CALL(float, S, plain_float_bits)
    } else {
        RND_CALL(double, D, plain_double_bits)
    }
#undef RND_CALL
#undef D
#undef S
    plain_leave(saved);
    return u;
}

static rnd_verdict rnd_function(const rnd_case *c, int isa)
{
    static const int order[] = {3, 0, 1, 2};
    size_t arity = 99, used = 0;
    jitk_options o = rnd_options(isa);
    uint64_t v[TREE_ARRAYS];
    rnd.isa = isa;
    jitk_fn f = jitk_function(rnd.text.at, &o, &arity, &rnd.error);
    if (!f)
        return RND_NO_COMPILE;
    rnd_verdict verdict = RND_FINE;
    for (size_t i = 0; i < rnd_count(c, 0) && verdict == RND_FINE; i += 7) {
        used = 0;
        for (size_t a = 0; a < TREE_ARRAYS; a++)
            if (rnd.used[order[a]])
                v[used++] = kut_get(rnd.type, rnd.array[order[a]], (ptrdiff_t)i);
        uint64_t want = kut_get(rnd.type, rnd.want[0], (ptrdiff_t)i);
        uint64_t have = arity == used ? rnd_call_function(f, arity, v) : 0;
        if (arity != used || !plain_same(kut_format(rnd.type), want, have))
            verdict = rnd_fail(RND_WRONG_FUNCTION, i, want, have);
    }
    jitk_function_free(f);
    return verdict;
}

/* ---- one case through everything ---- */

static rnd_verdict rnd_run_all(const rnd_case *c)
{
    rnd_verdict v = rnd_reference(c);
    for (int isa = KUT_FIRST_ISA; isa < KUT_END_ISA && v == RND_FINE; isa++)
        if (kut_isa(isa))
            v = rnd_on_isa(c, isa);
    bool function = c->form == RND_BARE && !tree_has_reduction(&c->t);
    for (int isa = JITK_ISA_SCALAR; isa < KUT_END_ISA && v == RND_FINE && function; isa++)
        if (kut_isa(isa))
            v = rnd_function(c, isa);
    return v;
}

static rnd_verdict rnd_run(const rnd_case *c, jitk_type type)
{
    rnd.type = type;
    rnd.signal = 0;
    rnd_make_text(c);
    rnd_make_data(c);
    rnd.armed = true;
    alarm(RND_HANG_SECONDS);
    if (sigsetjmp(rnd.out, 1) == 0)
        rnd.verdict = rnd_run_all(c);
    else
        rnd.verdict = RND_CRASH;
    alarm(0);
    rnd.armed = false;
    return rnd.verdict;
}

/* ---- shrinking: whatever change keeps the verdict and makes less ---- */

/* Copies the tree below `at`, with what hangs on `target` replaced by its kid `how`, or by a leaf. */
static size_t rnd_cut(tree *to, const tree *from, size_t at, size_t target, int how)
{
    const tree_node *v = &from->node[at];
    if (at == target && how < 0)
        return tree_add(to, how == -1 ? TREE_OP_NUMBER : TREE_OP_ARRAY, 0, 0);
    if (at == target)
        return rnd_cut(to, from, v->kid[how], from->count, 0);
    size_t copy = tree_add(to, v->op, v->leaf, v->style);
    for (unsigned i = 0; i < tree_rows[v->op].arity; i++) {
        size_t kid = rnd_cut(to, from, v->kid[i], target, how);
        to->node[copy].kid[i] = kid;
    }
    return copy;
}

static bool rnd_keeps(rnd_case *best, const rnd_case *next, jitk_type type, rnd_verdict v)
{
    if (rnd_run(next, type) != v)
        return false;
    *best = *next;
    return true;
}

static bool rnd_shrink_tree(rnd_case *best, jitk_type type, rnd_verdict v)
{
    static rnd_case next;
    for (size_t r = 0; r < best->t.roots && best->t.roots > 1; r++) { /* one result less */
        next = *best;
        next.t.count = next.t.roots = 0;
        for (size_t i = 0; i < best->t.roots; i++)
            if (i != r)
                next.t.root[next.t.roots++] = rnd_cut(&next.t, &best->t, best->t.root[i], best->t.count, 0);
        if (rnd_keeps(best, &next, type, v))
            return true;
    }
    for (size_t target = 0; target < best->t.count; target++)
        for (int how = -2; how < (int)tree_rows[best->t.node[target].op].arity; how++) {
            const tree_node *node = &best->t.node[target];
            if (how < 0 && (tree_rows[node->op].form == TREE_LEAF && (node->op == TREE_OP_NUMBER || how == -2)))
                continue;
            next = *best;
            next.t.count = 0;
            for (size_t r = 0; r < best->t.roots; r++)
                next.t.root[r] = rnd_cut(&next.t, &best->t, best->t.root[r], target, how);
            if (rnd_keeps(best, &next, type, v))
                return true;
        }
    return false;
}

static bool rnd_shrink_call(rnd_case *best, jitk_type type, rnd_verdict v)
{
    static rnd_case next;
    bool less = false;
    for (size_t cut = best->n; cut; cut /= 2) {
        next = *best;
        if (cut > next.n)
            continue;
        next.n -= cut;
        less = rnd_keeps(best, &next, type, v) || less;
    }
    for (int step = 0; step < 3 + 2 * RND_ARRAYS; step++) {
        size_t a = (size_t)(step - 3) / 2;
        next = *best;
        if (step == 0)
            next.in_place = -1;
        else if (step == 1)
            next.form = RND_NAMED;
        else if (step == 2)
            for (size_t i = 0; i < next.t.count; i++)
                next.t.node[i].style = 0;
        else if (step & 1)
            next.offset[a] = 0;
        else
            next.stride[a] = 1;
        if (memcmp(&next, best, sizeof next) != 0)
            less = rnd_keeps(best, &next, type, v) || less;
    }
    return less;
}

static void rnd_report(rnd_case *c, jitk_type type, uint64_t seed, rnd_verdict v)
{
    char inputs[512] = "";
    char first[2048];
    size_t len = 0;
    snprintf(first, sizeof first, "%.2000s", rnd.text.at);
    for (int round = 0; round < 400 && (rnd_shrink_tree(c, type, v) || rnd_shrink_call(c, type, v)); round++)
        ;
    rnd_run(c, type);
    for (size_t a = 0; a < TREE_ARRAYS + TREE_SCALARS && len < sizeof inputs - 64; a++) {
        bool scalar = a >= TREE_ARRAYS;
        uint64_t u = scalar ? rnd.scalar[a - TREE_ARRAYS] : kut_get(type, rnd.array[a], (ptrdiff_t)rnd.place);
        len += (size_t)snprintf(inputs + len, sizeof inputs - len, " %c=%.17g",
                                scalar ? tree_scalar_names[a - TREE_ARRAYS] : tree_array_names[a], kut_show(type, u));
    }
    ck_abort_msg(
        "%s %s: %s\n  text: %s\n  n=%zu result=%zu place=%zu:%s\n  expected %.17g (%#llx) got %.17g (%#llx)\n"
        "  status %d \"%s\" signal %d; in place %d, strides %d %d %d %d -> %d, offsets %zu %zu %zu %zu -> %zu\n"
        "  seed %llu data %llu kind %d; before shrinking: %s",
        kut_isa_names[rnd.isa], kut_type_name(type), rnd_verdict_names[v], rnd.text.at, c->n, rnd.result, rnd.place,
        inputs, kut_show(type, rnd.expected), (unsigned long long)rnd.expected, kut_show(type, rnd.got),
        (unsigned long long)rnd.got, (int)rnd.error.status, rnd.error.message, rnd.signal, c->in_place, c->stride[0],
        c->stride[1], c->stride[2], c->stride[3], c->stride[4], c->offset[0], c->offset[1], c->offset[2], c->offset[3],
        c->offset[4], (unsigned long long)seed, (unsigned long long)c->data_seed, (int)c->kind, first);
}

/* ---- making cases ---- */

/* What later issues bring is used as soon as it compiles. */
static bool rnd_compiles(const char *text)
{
    jitk_kernel *k = jitk_compile(text, NULL, NULL);
    jitk_free(k);
    return k != NULL;
}

static void rnd_make(rnd_case *c, kut_rng *r, bool mixed, bool several)
{
    static const int strides[] = {1, 1, 1, 1, 1, 2, 3, -1, -2, 0};
    tree_grower g = {&c->t, r, mixed && kut_below(r, 4) == 0, false};
    size_t die = kut_below(r, 100), budget = die < 60 ? 1 + kut_below(r, 12) : die < 97 ? 1 + kut_below(r, 45) : 200;
    bool contiguous = kut_below(r, 3) != 0;
    memset(c, 0, sizeof *c);
    c->form = (rnd_form)kut_below(r, 3);
    g.scalars = c->form != RND_BARE;
    c->t.roots = c->form == RND_BARE || !several || kut_below(r, 4) ? 1 : 2 + kut_below(r, TREE_ROOTS - 1);
    for (size_t i = 0; i < c->t.roots; i++)
        c->t.root[i] = tree_grow(&g, 1 + budget / c->t.roots, kut_below(r, 3) ? TREE_MAP : TREE_UNIFORM);
    c->kind = (kut_kind)kut_below(r, KUT_KINDS);
    c->n = kut_below(r, kut_below(r, 4) ? 40 : RND_MAX_N + 1);
    c->data_seed = kut_next(r);
    c->in_place = (int)kut_below(r, 3 * TREE_ARRAYS) - 2 * TREE_ARRAYS;
    for (size_t a = 0; a < RND_ARRAYS; a++) {
        c->offset[a] = kut_below(r, 17);
        c->stride[a] = contiguous ? 1 : strides[kut_below(r, KUT_COUNT(strides) - (a >= TREE_ARRAYS))];
    }
    if (c->in_place >= 0 && c->form == RND_BARE)
        c->in_place = -1; /* the array may not be among the arguments */
}

START_TEST(random_batch)
{
    static rnd_case c;
    uint64_t seed = kut_seed() + (uint64_t)_i;
    kut_rng r = {seed * 0x2545f4914f6cdd1du};
    size_t count = kut_scaled(RND_EXPRESSIONS / RND_BATCHES);
    rnd_setup();
    bool mixed = rnd_compiles("k(x[]) = x - sum(x)"), several = rnd_compiles("k(x[]) = x, sum(x)");
    for (size_t i = 0; i < count; i++) {
        rnd_make(&c, &r, mixed, several);
        for (int type = JITK_F64; type <= JITK_F32; type++) {
            rnd_verdict v = rnd_run(&c, (jitk_type)type);
            if (v != RND_FINE)
                rnd_report(&c, (jitk_type)type, seed, v);
        }
    }
}
END_TEST

/* The evaluator itself, against values that are known, and the operations on bits against the C library's. */
START_TEST(evaluator_known_values)
{
    static const struct {
        plain_rounding how;
        const char *in, *out;
    } known[] = {{PLAIN_ROUND, "0.49999999999999994", "0"},
                 {PLAIN_ROUND, "-0.5", "-1"},
                 {PLAIN_ROUND, "2.5", "3"},
                 {PLAIN_RINT, "2.5", "2"},
                 {PLAIN_RINT, "1.5", "2"},
                 {PLAIN_RINT, "0.5", "0"},
                 {PLAIN_RINT, "-0.2", "-0"},
                 {PLAIN_FLOOR, "-0.2", "-1"},
                 {PLAIN_FLOOR, "1.99", "1"},
                 {PLAIN_CEIL, "-0.2", "-0"},
                 {PLAIN_CEIL, "5e-324", "1"},
                 {PLAIN_TRUNC, "-1.99", "-1"},
                 {PLAIN_RINT, "1e300", "1e300"},
                 {PLAIN_FLOOR, "inf", "inf"}};
    for (size_t i = 0; i < KUT_COUNT(known); i++)
        ck_assert_msg(plain_integer(&plain_f64, plain_parse(&plain_f64, known[i].in), known[i].how) ==
                          plain_parse(&plain_f64, known[i].out),
                      "%s", known[i].in);
}
END_TEST

START_TEST(evaluator_bits)
{
    double (*const fn[])(double) = {trunc, floor, ceil, nearbyint, round};
    float (*const fnf[])(float) = {truncf, floorf, ceilf, nearbyintf, roundf};
    kut_rng r = {kut_seed()};
    unsigned saved = plain_enter();
    for (size_t i = 0; i < 20000; i++)
        for (int how = PLAIN_TRUNC; how <= PLAIN_ROUND; how++) {
            uint64_t d = kut_value(&r, JITK_F64, (kut_kind)(i % KUT_KINDS));
            uint64_t s = kut_value(&r, JITK_F32, (kut_kind)(i % KUT_KINDS));
            double (*volatile call)(double) = fn[how];
            float (*volatile callf)(float) = fnf[how];
            bool same = plain_same(&plain_f64, plain_integer(&plain_f64, d, (plain_rounding)how),
                                   plain_double_bits(call(plain_double(d)))) &&
                        plain_same(&plain_f32, plain_integer(&plain_f32, s, (plain_rounding)how),
                                   plain_float_bits(callf(plain_float(s))));
            if (!same)
                ck_abort_msg("rounding %d of %a or %a", how, plain_double(d), kut_show(JITK_F32, s));
        }
    plain_leave(saved);
}
END_TEST

Suite *suite_random(void)
{
    Suite *s = suite_create("random");
    TCase *t = tcase_create("random");
    kut_say_skipped("random");
    printf("random: JITK_TEST_SEED=%llu\n", (unsigned long long)kut_seed());
    tcase_set_timeout(t, 900);
    tcase_add_test(t, evaluator_known_values);
    tcase_add_test(t, evaluator_bits);
    tcase_add_loop_test(t, random_batch, 0, RND_BATCHES);
    suite_add_tcase(s, t);
    return s;
}
