/* bench: jitk beside its peers. Without arguments, every section in full: a quarter of an hour.
 *
 *   bench [--quick] [--out DIR] [--n-max N] [SECTION...]        sections: see below
 *
 * Writes DIR/table.txt (what it prints), DIR/bench.csv, and with gnuplot DIR/speed.svg and DIR/speed.png. */
#define _GNU_SOURCE
#include "bench.h"
#include "bench_config.h"
#include "limit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

bench_settings bench_set = {
    .sample_ns = 200e3,
    .budget_ns = 3e9,
    .patience_ns = 360e9,
    .rounds_min = 7,
    .rounds_max = 41,
    .n_max = 100000000,
    .directory = ".",
    .header = BENCH_SOURCE_DIR "/..",
};

static const struct {
    const char *name, *says;
    void (*run)(void);
} sections[] = {
    {"reduce", "sum and dot over n", section_reduce},
    {"map", "seven expressions in L1, L2 and memory", section_map},
    {"four", "four reductions in one kernel", section_four},
    {"compile", "text to callable code", section_compile},
    {"call", "one call at n = 1", section_call},
    {"header", "compile time and size of jitk.h", section_header},
    {"sweep", "the seven expressions over n", section_sweep}, /* takes longest */
};
#define SECTIONS (sizeof sections / sizeof *sections)

#define X(id) extern const bench_loops bench_loops_##id;
BENCH_COMPILED(X)
#undef X
const bench_loops *const bench_compiled[] = {
#define X(id) &bench_loops_##id,
    BENCH_COMPILED(X)
#undef X
        NULL,
};

static void first_line(const char *command, const char *label)
{
    char line[256] = "";
    FILE *f = popen(command, "r");
    if (f && fgets(line, sizeof line, f))
        line[strcspn(line, "\n")] = 0;
    if (f)
        pclose(f);
    if (line[0])
        bench_say("%-10s %s\n", label, line);
}

static void say_machine(void)
{
    struct utsname u;
    uname(&u);
    u.release[strcspn(u.release, "-")] = 0; /* behind it stands whose build it is */
    first_line("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo", "CPU");
    bench_say("%-10s L1 %zu KiB, L2 %zu KiB, L3 %zu KiB\n", "caches", bench_cache(1) / 1024, bench_cache(2) / 1024,
              bench_cache(3) / 1024);
    bench_say("%-10s %s %s\n", "system", u.sysname, u.release);
    first_line("gcc --version", "gcc");
    first_line("clang --version", "clang");
    if (bench_blas_open())
        bench_say("%-10s %s\n", "OpenBLAS", bench_blas_config());
    bench_say(
        "\nOne thread, timed while it runs (libgccjit: by the clock on the wall). GB/s count each array once.\n"
        "-O3: -O3 -march=native -fno-math-errno -fno-trapping-math; -same: besides -ffp-contract=off, to the bit what "
        "jitk\n"
        "computes; -fast: -O3 -march=native -ffast-math. by hand: vector loops with several streams and, to memory,\n"
        "non-temporal stores. read, copy: bandwidth. interp to avx512: jitk in each encoding. ratio: the peer's time "
        "over\n"
        "jitk's.\n");
}

static void plot(void)
{
    char command[8192];
    snprintf(command, sizeof command, "gnuplot -e \"dir='%s'\" '%s/plot.gp' 2>/dev/null", bench_set.directory,
             BENCH_SOURCE_DIR);
    if (system(command) != 0)
        bench_note("no plot: gnuplot is not installed (Debian: gnuplot-nox)");
}

static void set_quick(void)
{
    bench_set.quick = true;
    bench_set.sample_ns = 50e3;
    bench_set.budget_ns = 0.3e9;
    bench_set.patience_ns = 10e9;
    bench_set.rounds_min = 3;
    bench_set.rounds_max = 11;
    bench_set.n_max = 10000000;
}

static void usage(void)
{
    printf("usage: bench [--quick] [--out DIR] [--n-max N] [SECTION...]\n");
    for (size_t i = 0; i < SECTIONS; i++)
        printf("  %-10s %s\n", sections[i].name, sections[i].says);
}

static bool options(int argc, char **argv, bool chosen[SECTIONS])
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        size_t s = 0;
        while (s < SECTIONS && strcmp(argv[i], sections[s].name) != 0)
            s++;
        if (s < SECTIONS)
            chosen[s] = any = true;
        else if (strcmp(argv[i], "--quick") == 0)
            set_quick();
        else if (strcmp(argv[i], "--out") == 0 && i + 1 < argc)
            bench_set.directory = argv[++i];
        else if (strcmp(argv[i], "--n-max") == 0 && i + 1 < argc)
            bench_set.n_max = (size_t)strtod(argv[++i], NULL);
        else
            return false;
    }
    for (size_t s = 0; s < SECTIONS && !any; s++)
        chosen[s] = true;
    return bench_set.n_max >= 100;
}

int main(int argc, char **argv)
{
    bool chosen[SECTIONS] = {false};
    if (!options(argc, argv, chosen)) {
        usage();
        return 2;
    }
    setenv("JITK_NUM_THREADS", "1", 1);
    if (!bench_report_open())
        return 1;
    limit_stream_bytes = bench_cache(3);
    say_machine();
    for (size_t s = 0; s < SECTIONS; s++)
        if (chosen[s])
            sections[s].run();
    bench_numexpr_close();
    if (chosen[0] && chosen[SECTIONS - 1]) /* it shows reduce and sweep */
        plot();
    bench_report_close();
    return 0;
}
