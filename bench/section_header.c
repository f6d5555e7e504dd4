/* section_header: what including jitk.h costs: compile time beside stb_image.h, and the size of what comes out. */
#define _GNU_SOURCE
#include "bench.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/jitk-bench-XXXXXX";

typedef struct unit {
    char source[64], object[64], include[4096];
} unit;

static bool write_unit(unit *u, const char *name, const char *include_dir, const char *text)
{
    snprintf(u->source, sizeof u->source, "%s/%s.c", directory, name);
    snprintf(u->object, sizeof u->object, "%s/%s.o", directory, name);
    snprintf(u->include, sizeof u->include, "-I%s", include_dir);
    FILE *f = fopen(u->source, "w");
    if (!f)
        return false;
    fputs(text, f);
    return fclose(f) == 0;
}

/* Runs a program; its processor time, of all its children too, in nanoseconds. Negative: it failed. */
static double spend(char *const argv[])
{
    pid_t child = fork();
    if (child == 0) {
        int none = open("/dev/null", O_WRONLY);
        dup2(none, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    int status = 0;
    struct rusage u;
    if (child < 0 || wait4(child, &status, 0, &u) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return -1;
    return ((double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec) * 1e9 +
           ((double)u.ru_utime.tv_usec + (double)u.ru_stime.tv_usec) * 1e3;
}

static double compile_once(const unit *u)
{
    char *argv[] = {(char *)"gcc",
                    (char *)"-O2",
                    (char *)"-c",
                    (char *)(uintptr_t)u->include,
                    (char *)(uintptr_t)u->source,
                    (char *)"-o",
                    (char *)(uintptr_t)u->object,
                    NULL};
    return spend(argv);
}

static double compile_timed(void *context, size_t reps)
{
    double all = 0;
    for (; reps > 0; reps--)
        all += compile_once((const unit *)context);
    return all;
}

/* Bytes of the object's sections by what they hold, from `size -A`. */
static void sizes(const unit *u, double *code, double *tables)
{
    char line[512], command[128], name[128];
    double bytes;
    *code = *tables = 0;
    snprintf(command, sizeof command, "size -A %s", u->object);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "%127s %lf", name, &bytes) == 2) {
            if (strncmp(name, ".text", 5) == 0)
                *code += bytes;
            if (strncmp(name, ".rodata", 7) == 0 || strncmp(name, ".data", 5) == 0)
                *tables += bytes;
        }
    if (f)
        pclose(f);
}

static bench_heat heat;

void section_header(void)
{
    static unit jitk, stb;
    char include_dir[4096];
    snprintf(include_dir, sizeof include_dir, "%s", bench_set.header);
    if (!mkdtemp(directory) || !write_unit(&jitk, "jitk", include_dir, "#include \"jitk.h\"\n") ||
        !write_unit(&stb, "stb", "/usr/include/stb", "#define STB_IMAGE_IMPLEMENTATION\n#include <stb_image.h>\n")) {
        bench_note("the header section needs a writable /tmp");
        return;
    }
    bench_progress("compile time of the header");
    double code, tables;
    if (compile_once(&jitk) < 0) {
        bench_note("gcc -O2 -c with jitk.h failed");
        return;
    }
    sizes(&jitk, &code, &tables);
    bench_target("machine code of jitk.h, gcc -O2", false, 64, code / 1024, 0, " KiB", "sections .text*");
    bench_target("tables of jitk.h", false, 200, tables / 1024, 0, " KiB", "sections .rodata*, .data*");
    if (compile_once(&stb) < 0) {
        bench_note(
            "stb_image.h is not installed (Debian: libstb-dev); nothing to compare the header's compile time with");
    } else {
        heat.count = 0;
        bench_enter(&heat, "jitk.h", NULL, &jitk)->timed = compile_timed;
        bench_enter(&heat, "stb_image", NULL, &stb)->timed = compile_timed;
        bench_race(&heat);
        bench_place p;
        memset(&p, 0, sizeof p);
        p.section = "header", p.row = "gcc -O2 -c", p.type = "", p.size = "-";
        bench_report(&p, &heat, "jitk.h", &heat.c[1]);
        bench_target("compile time of jitk.h over stb_image.h's, gcc -O2", false, 0.7,
                     bench_ratio(&heat, &heat.c[0], &heat.c[1]), 0, "", "processor time");
    }
    remove(jitk.source), remove(jitk.object), remove(stb.source), remove(stb.object), rmdir(directory);
}
