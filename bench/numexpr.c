/* numexpr: a Python process beside this one that evaluates with numexpr when it is told to (numexpr_peer.py), so that
 * it takes its turn in the rounds like everyone else. It holds the watch itself: the pipe between costs it nothing. */
#define _GNU_SOURCE
#include "bench.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static FILE *orders, *answers;
static pid_t child;

static bool answer(char *line, int size)
{
    return fgets(line, size, answers) != NULL;
}

static bool start(void)
{
    int down[2], up[2];
    if (pipe(down) != 0 || pipe(up) != 0)
        return false;
    char script[4096];
    snprintf(script, sizeof script, "%s/numexpr_peer.py", BENCH_SOURCE_DIR);
    child = fork();
    if (child < 0)
        return false;
    if (child == 0) {
        dup2(down[0], 0), dup2(up[1], 1);
        close(down[0]), close(down[1]), close(up[0]), close(up[1]);
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        execl("/usr/bin/python3", "python3", script, (char *)NULL);
        _exit(1);
    }
    close(down[0]), close(up[1]);
    signal(SIGPIPE, SIG_IGN);
    orders = fdopen(down[1], "w");
    answers = fdopen(up[0], "r");
    char line[128];
    return orders && answers && answer(line, sizeof line) && strncmp(line, "ready", 5) == 0;
}

bool bench_numexpr_open(void)
{
    static int state; /* 0 untried, 1 there, -1 not */
    if (state == 0) {
        state = start() ? 1 : -1;
        if (state < 0)
            bench_note("numexpr is not installed (Debian: python3-numexpr); its column is missing");
    }
    return state > 0;
}

bool bench_numexpr_setup(bench_row row, bench_type t, size_t n)
{
    char line[128];
    fprintf(orders, "setup %s %s %zu\n", bench_rows[row].name, bench_type_name(t), n);
    fflush(orders);
    return answer(line, sizeof line) && strncmp(line, "ok", 2) == 0;
}

static double timed(const char *order, size_t reps)
{
    char line[128];
    fprintf(orders, "%s %zu\n", order, reps);
    fflush(orders);
    if (!answer(line, sizeof line)) {
        fprintf(stderr, "bench: the numexpr process has ended\n");
        exit(1);
    }
    return strtod(line, NULL);
}

double bench_numexpr_timed(void *context, size_t reps)
{
    (void)context;
    return timed("run", reps);
}

double bench_numexpr_compile(void *context, size_t reps)
{
    (void)context;
    return timed("compile", reps);
}

void bench_numexpr_close(void)
{
    if (orders)
        fclose(orders);
    if (answers)
        fclose(answers);
    if (child > 0)
        waitpid(child, NULL, 0);
}
