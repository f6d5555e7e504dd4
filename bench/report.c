/* report: the table on stdout and in table.txt, the numbers in bench.csv, the targets at the end. */
#define _GNU_SOURCE
#include "bench.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *table, *csv;
static char heading[64]; /* section and type of the table that is being printed */
static char columns[512];

static FILE *create(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", bench_set.directory, name);
    FILE *f = fopen(path, "w");
    if (!f)
        fprintf(stderr, "bench: cannot write %s\n", path);
    return f;
}

bool bench_report_open(void)
{
    table = create("table.txt");
    csv = create("bench.csv");
    if (!table || !csv)
        return false;
    fprintf(csv, "section,row,type,size,n,contender,ns,gb_per_s,gflop_per_s,time_over_jitk\n");
    return true;
}

void bench_say(const char *format, ...)
{
    va_list a;
    va_start(a, format);
    va_list b;
    va_copy(b, a);
    vprintf(format, a);
    if (table)
        vfprintf(table, format, b);
    va_end(b);
    va_end(a);
    fflush(stdout);
}

void bench_progress(const char *format, ...)
{
    if (!isatty(2))
        return;
    va_list a;
    va_start(a, format);
    fprintf(stderr, "\r\033[K");
    vfprintf(stderr, format, a);
    va_end(a);
    fflush(stderr);
}

/* ---- notes and targets: collected, printed at the end ---- */

static char notes[32][256];
static size_t note_count;

void bench_note(const char *format, ...)
{
    if (note_count == sizeof notes / sizeof *notes)
        return;
    va_list a;
    va_start(a, format);
    vsnprintf(notes[note_count++], sizeof *notes, format, a);
    va_end(a);
}

static struct {
    char what[96], unit[12], where[72];
    bool at_least;
    double target, measured, noise;
} targets[160];
static size_t target_count;

void bench_target(const char *what, bool at_least, double target, double measured, double noise, const char *unit,
                  const char *where)
{
    if (target_count == sizeof targets / sizeof *targets)
        return;
    size_t i = target_count++;
    snprintf(targets[i].what, sizeof targets[i].what, "%s", what);
    snprintf(targets[i].unit, sizeof targets[i].unit, "%s", unit);
    snprintf(targets[i].where, sizeof targets[i].where, "%s", where);
    targets[i].at_least = at_least;
    targets[i].target = target;
    targets[i].measured = measured;
    targets[i].noise = noise;
}

void bench_worst_note(bench_worst *w, bool smaller_is_worse, double value, double noise, const char *format, ...)
{
    if (w->any && (smaller_is_worse ? value >= w->value : value <= w->value))
        return;
    w->any = true;
    w->value = value;
    w->noise = noise;
    va_list a;
    va_start(a, format);
    vsnprintf(w->where, sizeof w->where, format, a);
    va_end(a);
}

static void say_targets(void)
{
    if (target_count == 0)
        return;
    size_t count[3] = {0, 0, 0};
    bench_say(
        "\nTargets (ratios are times of the peer over times of jitk: above 1, jitk is faster; even: as near to the\n"
        "target as this run can tell, +- the 95 percent interval of the median)\n");
    bench_say("  %-66s %12s %10s %-9s       %s\n", "", "target", "measured", "", "at");
    for (size_t i = 0; i < target_count; i++) {
        static const char *const words[] = {"MISS", "even", "pass"};
        double over = (targets[i].measured - targets[i].target) * (targets[i].at_least ? 1 : -1);
        int verdict = over >= 0 ? 2 : over >= -targets[i].noise ? 1 : 0;
        char target[32], measured[32], noise[32] = "";
        snprintf(target, sizeof target, "%s %.4g%s", targets[i].at_least ? ">=" : "<=", targets[i].target,
                 targets[i].unit);
        snprintf(measured, sizeof measured, targets[i].measured < 10 ? "%.2f%s" : "%.1f%s", targets[i].measured,
                 targets[i].unit);
        if (targets[i].noise > 0)
            snprintf(noise, sizeof noise, "+- %.2g", targets[i].noise);
        bench_say("  %-66s %12s %10s %-9s %s  %s\n", targets[i].what, target, measured, noise, words[verdict],
                  targets[i].where);
        count[verdict]++;
    }
    bench_say("  %zu of %zu reached, %zu even, %zu missed\n", count[2], target_count, count[1], count[0]);
    bench_say("  %zu of %zu rounds ran without a neighbour on the same core\n", bench_met.alone, bench_met.rounds);
}

void bench_report_close(void)
{
    say_targets();
    if (note_count)
        bench_say("\n");
    for (size_t i = 0; i < note_count; i++)
        bench_say("note: %s\n", notes[i]);
    if (table)
        fclose(table);
    if (csv)
        fclose(csv);
}

/* ---- one race ---- */

static void format_time(char *to, size_t size, double ns)
{
    static const char *const unit[] = {"ns", "us", "ms", "s"};
    int u = 0;
    for (; ns >= 999.5 && u < 3; u++)
        ns /= 1000;
    snprintf(to, size, ns < 9.995 ? "%.2f %s" : ns < 99.95 ? "%.1f %s" : "%.0f %s", ns, unit[u]);
}

static double traffic(const bench_place *p, const bench_contender *c)
{
    return c->bytes > 0 ? c->bytes : p->bytes;
}

static void say_columns(const bench_place *p, const bench_heat *h, bool ratio)
{
    char now[512] = "", title[64];
    for (size_t i = 0; i < h->count; i++)
        snprintf(now + strlen(now), sizeof now - strlen(now), " %10.10s", h->c[i].name);
    snprintf(title, sizeof title, "%s %s", p->section, p->type);
    if (strcmp(title, heading) == 0 && strcmp(now, columns) == 0)
        return;
    snprintf(heading, sizeof heading, "%s", title);
    snprintf(columns, sizeof columns, "%s", now);
    bench_say("\n%s%s\n  %-28s %9s %10s%s%s\n", title, p->bytes > 0 ? ", GB/s" : "", "", "n", "time", now,
              ratio ? "   ratio" : "");
}

void bench_report(const bench_place *p, bench_heat *h, const char *mine, const bench_contender *against)
{
    bench_progress("%s", "");
    say_columns(p, h, against != NULL);
    const bench_contender *me = bench_find(h, mine);
    char size[32], t[32] = "";
    if (p->size)
        snprintf(size, sizeof size, "%s", p->size);
    else
        snprintf(size, sizeof size, "%.0e", (double)p->n);
    if (me)
        format_time(t, sizeof t, me->ns);
    bench_say("  %-28s %9s %10s", p->row, size, t);
    for (size_t i = 0; i < h->count; i++) {
        const bench_contender *c = &h->c[i];
        char cell[32];
        if (p->bytes > 0)
            snprintf(cell, sizeof cell, traffic(p, c) / c->ns < 99.95 ? "%.1f" : "%.0f", traffic(p, c) / c->ns);
        else
            format_time(cell, sizeof cell, c->ns);
        bench_say(" %10s", cell);
        fprintf(csv, "%s,\"%s\",%s,%s,%zu,%s,%.2f,%.4f,%.4f,%.4f\n", p->section, p->row, p->type, size, p->n, c->name,
                c->ns, traffic(p, c) / c->ns, c->bytes > 0 ? 0 : p->flops / c->ns, me ? bench_ratio(h, c, me) : 0);
    }
    if (against && me)
        bench_say("   %.2f of %s", bench_ratio(h, against, me), against->name);
    bench_say("\n");
    fflush(csv);
}
