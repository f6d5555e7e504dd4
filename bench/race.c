/* race: the watch, the rounds and the medians. */
#define _GNU_SOURCE
#include "bench.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

bench_contender *bench_enter(bench_heat *h, const char *name, void (*run)(void *, size_t), void *context)
{
    if (h->count == BENCH_MAX_CONTENDERS) {
        fprintf(stderr, "bench: more than %d contenders\n", BENCH_MAX_CONTENDERS);
        exit(1);
    }
    bench_contender *c = &h->c[h->count++];
    memset(c, 0, sizeof *c);
    c->name = name;
    c->run = run;
    c->context = context;
    return c;
}

static double once(bench_contender *c, size_t reps)
{
    if (c->timed)
        return c->timed(c->context, reps);
    clockid_t clock = c->wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
    double start = now(clock);
    c->run(c->context, reps);
    return now(clock) - start;
}

/* Adds runs to a sample until it lasts long enough. This is the warm-up as well: a first call may load pages and bind
 * symbols, and the machine may pause, so the shorter of two samples counts. */
static double calibrate(bench_contender *c)
{
    c->reps = 1;
    for (;;) {
        double ns = once(c, c->reps), again = ns < 50 * bench_set.sample_ns ? once(c, c->reps) : ns;
        ns = again < ns ? again : ns;
        if (ns >= bench_set.sample_ns || c->reps >= (size_t)1 << 24)
            return ns;
        double grow = ns > 0 ? 1.3 * bench_set.sample_ns / ns : 1000;
        grow = grow > 1000 ? 1000 : grow < 2 ? 2 : grow;
        c->reps = (size_t)((double)c->reps * grow);
    }
}

/* What ran before has left its own data in the caches, which no cache forgets in one run: some outside the watch put
 * that right, where they are cheap. */
static double sample(bench_contender *c)
{
    if (c->reps > 1)
        once(c, 1 + c->reps / 8);
    return once(c, c->reps) / (double)c->reps;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *v, size_t count)
{
    qsort(v, count, sizeof *v, by_value);
    return count % 2 ? v[count / 2] : (v[count / 2 - 1] + v[count / 2]) / 2;
}

/* ---- neighbours ----
 * Another thread of the same core, which in a virtual machine is a stranger's, takes up to half of what the core can
 * issue: a short call then takes 1.5 times as long, a loop that waits for memory no longer than before, so ratios of
 * the two are not the machine's. A loop of independent operations shows it. Rounds wait until it runs as fast as it
 * ever did, and are run again where it no longer does behind them, for all races together as long as
 * bench_set.patience_ns. Contenders have no part in that choice. */
bench_company bench_met;

static double probe(void)
{
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6;
    double start = now(CLOCK_MONOTONIC);
    for (int i = 0; i < 4000; i++) {
        a += a << 3 ^ a, b += b << 3 ^ b, c += c << 3 ^ c;
        d += d << 3 ^ d, e += e << 3 ^ e, f += f << 3 ^ f;
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f)); /* one by one, not in vectors */
    }
    return now(CLOCK_MONOTONIC) - start;
}

/* One of two probes behind a first, which warms up. */
static bool alone(void)
{
    static double best = HUGE_VAL;
    for (int i = 0; i < 3; i++) {
        double ns = probe();
        best = ns < best ? ns : best;
        if (ns < 1.12 * best && i > 0)
            return true;
    }
    return false;
}

static void await_quiet(void)
{
    static const struct timespec pause = {0, 2000000};
    double start = now(CLOCK_MONOTONIC);
    while (!alone() && now(CLOCK_MONOTONIC) - start < bench_set.patience_ns)
        nanosleep(&pause, NULL);
    bench_set.patience_ns -= now(CLOCK_MONOTONIC) - start;
}

static void run_round(bench_heat *h, size_t r)
{
    for (int attempt = 0; attempt < 3; attempt++) {
        await_quiet();
        double start = now(CLOCK_MONOTONIC);
        for (size_t k = 0; k < h->count; k++) {
            bench_contender *c = &h->c[r % 2 ? h->count - 1 - k : k];
            c->sample[r] = sample(c);
        }
        if (alone()) {
            bench_met.alone++;
            break;
        }
        if (bench_set.patience_ns < 0)
            break;
        bench_set.patience_ns -= now(CLOCK_MONOTONIC) - start;
    }
    bench_met.rounds++;
}

/* ---- a race ---- */
void bench_race(bench_heat *h)
{
    double round_ns = 0;
    for (size_t i = 0; i < h->count; i++)
        round_ns += calibrate(&h->c[i]);
    double affordable = bench_set.budget_ns / (round_ns > 0 ? round_ns : 1);
    h->rounds = affordable < (double)bench_set.rounds_min   ? bench_set.rounds_min
                : affordable > (double)bench_set.rounds_max ? bench_set.rounds_max
                                                            : (size_t)affordable;
    for (size_t r = 0; r < h->rounds; r++)
        run_round(h, r);
    for (size_t i = 0; i < h->count; i++) {
        double v[BENCH_MAX_ROUNDS];
        memcpy(v, h->c[i].sample, h->rounds * sizeof *v);
        h->c[i].ns = bench_median(v, h->rounds);
    }
}

static void ratios(double *v, const bench_heat *h, const bench_contender *a, const bench_contender *b)
{
    for (size_t r = 0; r < h->rounds; r++)
        v[r] = a->sample[r] / b->sample[r];
}

double bench_ratio(const bench_heat *h, const bench_contender *a, const bench_contender *b)
{
    double v[BENCH_MAX_ROUNDS];
    ratios(v, h, a, b);
    return bench_median(v, h->rounds);
}

/* By order statistics: the median lies between the two with a probability of 95 percent (David and Nagaraja, Order
 * Statistics, 2003), whatever the distribution is. */
double bench_ratio_noise(const bench_heat *h, const bench_contender *a, const bench_contender *b)
{
    double v[BENCH_MAX_ROUNDS], rank = ((double)h->rounds - 1.96 * sqrt((double)h->rounds)) / 2;
    size_t low = rank > 0 ? (size_t)rank : 0;
    ratios(v, h, a, b);
    bench_median(v, h->rounds);
    return (v[h->rounds - 1 - low] - v[low]) / 2;
}

bench_contender *bench_find(bench_heat *h, const char *name)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->c[i].name, name) == 0)
            return &h->c[i];
    return NULL;
}

bench_contender *bench_fastest(bench_heat *h, const char *const *names, size_t count)
{
    bench_contender *best = NULL;
    for (size_t i = 0; i < count; i++) {
        bench_contender *c = bench_find(h, names[i]);
        if (c && (!best || c->ns < best->ns))
            best = c;
    }
    return best;
}
