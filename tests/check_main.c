/* check_main: check-jitk [--isa NAME] [SUITE ...] runs the suites named, or all; `-l` lists them. With --isa the suites
 * that run kernels run them on that instruction set alone, which also caps the library's own choice. Check's
 * environment applies (CK_FORK=no, CK_RUN_CASE). Exits with 1 where a test failed, 2 for a name unknown, 77 where the
 * CPU lacks the instruction set. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* setenv */
#endif
#include "suites.h"
#include "kernels_under_test.h"

typedef struct check_row {
    const char *name;
    Suite *(*make)(void);
} check_row;

static const check_row check_rows[] = {
#define CHECK_ROW(name) {#name, suite_##name},
    JK_SUITES(CHECK_ROW)
#undef CHECK_ROW
};

enum { CHECK_COUNT = sizeof check_rows / sizeof check_rows[0] };

static int list(void)
{
    int i;
    for (i = 0; i < CHECK_COUNT; i++)
        puts(check_rows[i].name);
    return 0;
}

/* Adds the suite of that name, or every one for NULL; false where there is none. */
static bool add(SRunner *runner, const char *name)
{
    bool found = false;
    int i;
    for (i = 0; i < CHECK_COUNT; i++)
        if (!name || !strcmp(name, check_rows[i].name)) {
            srunner_add_suite(runner, check_rows[i].make());
            found = true;
        }
    return found;
}

/* Sets the environment that kernels_under_test.h and the library read. Returns 0, or what to exit with. */
static int choose_isa(const char *name)
{
    int isa;
    for (isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++)
        if (!strcmp(name, kut_isa_names[isa]))
            break;
    if (isa == KUT_END_ISA) {
        fprintf(stderr, "unknown instruction set '%s'\n", name);
        return 2;
    }
    if (!kut_cpu_has(isa)) {
        printf("this CPU lacks %s\n", name);
        return 77;
    }
    setenv("JITK_TEST_ISAS", name, 1);
    setenv("JITK_ISA", name, 1);
    return 0;
}

int main(int argc, char **argv)
{
    SRunner *runner;
    int i, failed, first = 1;
    if (argc == 2 && !strcmp(argv[1], "-l"))
        return list();
    if (argc > 2 && !strcmp(argv[1], "--isa")) {
        int refused = choose_isa(argv[2]);
        if (refused)
            return refused;
        first = 3;
    }
    runner = srunner_create(NULL);
    if (argc == first)
        add(runner, NULL);
    for (i = first; i < argc; i++)
        if (!add(runner, argv[i])) {
            fprintf(stderr, "unknown suite '%s'; -l lists them\n", argv[i]);
            return 2;
        }
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
