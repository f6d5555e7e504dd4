/* section_arrays: the races over arrays: sum and dot over n, maps in L1, L2 and memory and over n, and four
 * reductions in one kernel. */
#include "bench.h"
#include "limit.h"
#include "side.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The names that the build gives to compilers and flags (CMakeLists.txt). */
static const char *const fast[] = {"clang-fast", "gcc-fast"}, *const o3[] = {"clang-O3", "gcc-O3"};
static const char *const same[] = {"clang-same", "gcc-same"};
static const char *const sum_peers[] = {"OpenBLAS", "clang-fast"};
static const double ns[] = {1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};

static bench_heat heat;

static bench_place place(const char *section, bench_row row, bench_type t, size_t n, const char *size)
{
    const bench_row_info *r = &bench_rows[row];
    bench_place p;
    memset(&p, 0, sizeof p);
    p.section = section;
    p.row = row == ROW_sum ? "sum" : row == ROW_dot ? "dot" : r->text;
    p.type = bench_type_name(t);
    p.size = size;
    p.n = n;
    p.bytes = (double)n * (double)((r->in + r->out) * bench_type_size(t));
    p.flops = (double)n * r->flops;
    return p;
}

/* The arrays of a row: c is among them where the row begins with it. */
static unsigned arrays_of(bench_row row)
{
    return bench_rows[row].first > 0 ? 3 : bench_rows[row].in;
}

static bool run_row(bench_row row, bench_type t, size_t n, unsigned with)
{
    const char *name = bench_rows[row].name;
    if (n > bench_n_limit(arrays_of(row) + 1, t)) {
        bench_note("%s %s at n = %.0e left out: not enough memory", name, bench_type_name(t), (double)n);
        return false;
    }
    bench_progress("%s %s, n = %zu", name, bench_type_name(t), n);
    bench_enter_row(&heat, row, t, bench_fill(t, n, arrays_of(row)), with);
    bench_race(&heat);
    return true;
}

/* ---- sum and dot ---- */

typedef struct reduce_notes {
    bench_worst large, extra; /* n >= 1e4: ratio; n <= 1e3: nanoseconds */
} reduce_notes;

static void note_reduce(reduce_notes *w, bench_row row, bench_type t, size_t n)
{
    bench_contender *jitk = bench_find(&heat, "jitk"), *blas = bench_find(&heat, "OpenBLAS");
    bench_contender *best = bench_fastest(&heat, sum_peers, COUNT(sum_peers)), *plain = bench_find(&heat, "gcc-O2");
    if (n >= 10000 && best)
        bench_worst_note(&w->large, true, bench_ratio(&heat, best, jitk), bench_ratio_noise(&heat, best, jitk),
                         "n = %.0e, %s", (double)n, best->name);
    if (n <= 1000 && blas) {
        bench_contender *kernel = &heat.c[0];
        for (size_t i = 0; i < side_isa_count; i++) { /* the compiled kernel, in the best encoding */
            bench_contender *k = bench_find(&heat, side_isas[i].name);
            kernel = k && k->ns < kernel->ns ? k : kernel;
        }
        double extra = (kernel->ns < jitk->ns ? kernel->ns : jitk->ns) - blas->ns;
        bench_worst_note(&w->extra, false, extra, 0, "n = %zu", n);
    }
    char what[96];
    snprintf(what, sizeof what, "%s %s: over a gcc -O2 loop at n = %.0e", bench_rows[row].name, bench_type_name(t),
             (double)n);
    if (row == ROW_sum && t == BENCH_F64 && plain && n == 1000000)
        bench_target(what, true, 7, bench_ratio(&heat, plain, jitk), 0, "", "about 7 expected");
    if (row == ROW_sum && t == BENCH_F64 && plain && n == 100000000)
        bench_target(what, true, 2.5, bench_ratio(&heat, plain, jitk), 0, "", "2.5 to 3 expected");
    snprintf(what, sizeof what, "sum %s: over OpenBLAS, without AVX-512, n = %.0e", bench_type_name(t), (double)n);
    if (row == ROW_sum && !side_has(side_isas[side_isa_count - 1].isa) && blas && n >= 10000000)
        bench_target(what, true, 1.15, bench_ratio(&heat, blas, jitk), 0, "", "");
}

static void reduce(bench_row row, bench_type t)
{
    reduce_notes w;
    char what[96];
    memset(&w, 0, sizeof w);
    for (size_t i = 0; i < COUNT(ns) && (size_t)ns[i] <= bench_set.n_max; i++) {
        bench_place p = place("reduce", row, t, (size_t)ns[i], NULL);
        if (!run_row(row, t, p.n, WITH_ISAS | WITH_CEILING))
            continue;
        bench_report(&p, &heat, "jitk", bench_fastest(&heat, sum_peers, COUNT(sum_peers)));
        note_reduce(&w, row, t, p.n);
        bench_enter_row_done(&heat);
    }
    snprintf(what, sizeof what, "%s %s: over the better of OpenBLAS and clang-fast, n >= 1e4", bench_rows[row].name,
             bench_type_name(t));
    if (w.large.any)
        bench_target(what, true, 0.97, w.large.value, w.large.noise, "", w.large.where);
    snprintf(what, sizeof what, "%s %s: more than OpenBLAS at n = 100 and 1,000", bench_rows[row].name,
             bench_type_name(t));
    if (w.extra.any)
        bench_target(what, false, 10, w.extra.value, 0, " ns", w.extra.where);
}

void section_reduce(void)
{
    for (int t = BENCH_F64; t <= BENCH_F32; t++) {
        reduce(ROW_sum, (bench_type)t);
        reduce(ROW_dot, (bench_type)t);
    }
}

/* ---- maps in L1, L2 and memory ---- */

/* Arrays that fill half of a cache together; not a round number, so that there is a tail. */
static size_t fitting(bench_row row, bench_type t, int level)
{
    size_t all = bench_rows[row].in + bench_rows[row].out;
    size_t n = bench_cache(level) / 2 / (all * bench_type_size(t));
    return n - n / 50 - 1;
}

typedef struct map_notes {
    bench_worst cache, memory;
    double log_sum; /* of the ratios to -ffast-math */
    size_t count;
} map_notes;

static void map(bench_row row, bench_type t, map_notes *w)
{
    static const char *const size[] = {"L1", "L2", "memory"};
    for (int level = 1; level <= 3; level++) {
        size_t n = level < 3 ? fitting(row, t, level) : bench_set.n_max < 10000000 ? bench_set.n_max : 10000000;
        bench_place p = place("map", row, t, n, size[level - 1]);
        if (!run_row(row, t, n, WITH_ISAS | WITH_CEILING | WITH_NUMEXPR))
            continue;
        bench_contender *peer = bench_fastest(&heat, o3, COUNT(o3)), *quick = bench_fastest(&heat, fast, COUNT(fast));
        bench_contender *jitk = bench_find(&heat, "jitk"), *exact = bench_fastest(&heat, same, COUNT(same));
        bench_report(&p, &heat, "jitk", peer);
        if (peer && exact && level < 3)
            bench_worst_note(&w->cache, true, bench_ratio(&heat, peer, jitk), bench_ratio_noise(&heat, peer, jitk),
                             "%s, %s; unfused %.2f", p.size, peer->name, bench_ratio(&heat, exact, jitk));
        if (quick && level < 3)
            w->log_sum += log(bench_ratio(&heat, quick, jitk)), w->count++;
        if (peer && level == 3 && bench_rows[row].out)
            bench_worst_note(&w->memory, true, bench_ratio(&heat, peer, jitk), bench_ratio_noise(&heat, peer, jitk),
                             "%s", peer->name);
        bench_enter_row_done(&heat);
    }
}

void section_map(void)
{
    for (int t = BENCH_F64; t <= BENCH_F32; t++) {
        map_notes all;
        char what[96];
        memset(&all, 0, sizeof all);
        for (int row = ROW_root; row < ROW_COUNT; row++) {
            map_notes w;
            memset(&w, 0, sizeof w);
            map((bench_row)row, (bench_type)t, &w);
            snprintf(what, sizeof what, "%s %s: over gcc/clang -O3, L1 and L2", bench_rows[row].name,
                     bench_type_name((bench_type)t));
            if (w.cache.any)
                bench_target(what, true, 1.0, w.cache.value, w.cache.noise, "", w.cache.where);
            snprintf(what, sizeof what, "%s %s: over gcc/clang -O3, to memory", bench_rows[row].name,
                     bench_type_name((bench_type)t));
            if (w.memory.any)
                bench_target(what, true, 1.2, w.memory.value, w.memory.noise, "", w.memory.where);
            all.log_sum += w.log_sum;
            all.count += w.count;
        }
        snprintf(what, sizeof what, "maps %s: geometric mean over the better -ffast-math, L1 and L2",
                 bench_type_name((bench_type)t));
        if (all.count)
            bench_target(what, true, 0.97, exp(all.log_sum / (double)all.count), 0, "", "");
    }
}

/* ---- maps over n; the plot shows two of them ---- */

void section_sweep(void)
{
    for (int t = BENCH_F64; t <= BENCH_F32; t++)
        for (int row = ROW_root; row < ROW_COUNT; row++)
            for (size_t i = 0; i < COUNT(ns) && (size_t)ns[i] <= bench_set.n_max; i++) {
                bench_place p = place("sweep", (bench_row)row, (bench_type)t, (size_t)ns[i], NULL);
                if (!run_row((bench_row)row, (bench_type)t, p.n, WITH_ISAS | WITH_CEILING | WITH_NUMEXPR))
                    continue;
                bench_report(&p, &heat, "jitk", bench_fastest(&heat, o3, COUNT(o3)));
                bench_enter_row_done(&heat);
            }
}

/* ---- four reductions in one kernel ---- */

/* Elements that no cache holds a part of that counts. */
static size_t from_memory(bench_type t)
{
    size_t n = 4 * bench_cache(3) / bench_type_size(t);
    n = n < 10000000 ? 10000000 : n;
    return n < bench_set.n_max ? n : bench_set.n_max;
}

#define FOUR_TEXT "(x[]) = sum(x), min(x), max(x), sum(x*x)"

void section_four(void)
{
    for (int t = BENCH_F64; t <= BENCH_F32; t++) {
        size_t n = from_memory((bench_type)t);
        const bench_arrays *x = bench_fill((bench_type)t, n, 1);
        const void *args[1] = {x->in[0]};
        for (size_t i = 0; i < side_isa_count; i++) {
            bench_progress("four reductions, %s", side_isas[i].name);
            heat.count = 0;
            side_enter_text(&heat, "sum", "(x[]) = sum(x)", (bench_type)t, args, 1, n, side_isas[i].isa);
            side_enter_text(&heat, "four", FOUR_TEXT, (bench_type)t, args, 1, n, side_isas[i].isa);
            if (heat.count == 2) {
                bench_place p = place("four", ROW_sum, (bench_type)t, n, NULL);
                char what[96];
                p.row = side_isas[i].name;
                bench_race(&heat);
                bench_report(&p, &heat, "sum", NULL);
                snprintf(what, sizeof what, "sum, min, max, sumsq %s %s: time over sum alone, memory", p.type, p.row);
                if (strncmp(p.row, "avx", 3) == 0) /* the encodings that the target names */
                    bench_target(what, false, 1.2, bench_ratio(&heat, &heat.c[1], &heat.c[0]),
                                 bench_ratio_noise(&heat, &heat.c[1], &heat.c[0]), "", "");
            }
            bench_enter_row_done(&heat);
        }
    }
}
