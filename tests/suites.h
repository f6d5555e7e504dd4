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
Suite *suite_base(void);
Suite *suite_syntax(void);
Suite *suite_asm(void);
Suite *suite_ir(void);
Suite *suite_interp(void);
Suite *suite_exec(void);
Suite *suite_api(void);
Suite *suite_language(void);
Suite *suite_random(void);
Suite *suite_guard(void);
Suite *suite_world(void);
#endif
