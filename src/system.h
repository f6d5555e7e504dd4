/* Every system header of the implementation, opened before begin.h: none may be opened inside its extern "C" and its
 * target pragma. A file under src/ still includes what it uses; here those includes come first. */
#ifdef __cplusplus
extern "C++" { /* a user may have opened extern "C" */
#endif
#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#else
#include <fenv.h>
#endif
#ifdef __cplusplus
}
#endif
