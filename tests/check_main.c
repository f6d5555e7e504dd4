/* check_main: runs the suites that its arguments name, or all. Check's own environment applies (CK_FORK=no, CK_RUN_CASE);
 * `-l` lists the suites. Exits with 1 where a test failed, with 2 for an unknown suite. */
#include "suites.h"

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

int main(int argc, char **argv)
{
    SRunner *runner = srunner_create(NULL);
    int i, failed;
    if (argc == 2 && !strcmp(argv[1], "-l")) {
        srunner_free(runner);
        return list();
    }
    if (argc == 1)
        add(runner, NULL);
    for (i = 1; i < argc; i++)
        if (!add(runner, argv[i])) {
            fprintf(stderr, "unknown suite '%s'; -l lists them\n", argv[i]);
            return 2;
        }
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
