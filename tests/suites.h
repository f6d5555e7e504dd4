/* The test runner's suites, one a room; each test file includes this, and with it the whole library: the modules under
 * src/, or with JK_TEST_HEADER the generated jitk.h. */
#ifndef SUITES_H
#define SUITES_H
#include <check.h>
#ifdef JK_TEST_HEADER
#include "../jitk.h"
#else
#include "../src/all.h"
#endif

/* One row a suite: tests/check_NAME.c exports suite_NAME. */
#ifndef JK_SUITES
#define JK_SUITES(X) \
    X(base)          \
    X(syntax)        \
    X(asm) X(ir) X(fp) X(interp) X(exec) X(x64) X(split) X(api) X(language) X(random) X(guard) X(world) X(growth)
#endif
#define JK_ROW(name) Suite *suite_##name(void);
JK_SUITES(JK_ROW)
#undef JK_ROW
#endif
