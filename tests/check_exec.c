/* cpu and exec: what the processor has, executable memory and its rules; and what happens when the system refuses: the
 * k-th system call or allocation is made to fail, for k = 1, 2, ... until nothing fails. The symbols of this file's
 * copy of the library have a suffix of their own, so that its hooks meet no other file's calls. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pthreads, strict C11 */
#endif
#include <stddef.h>
static void *exec_malloc(size_t nbytes);
static void exec_free(void *p);
static long exec_syscall(long number, long a, long b, long c, long d, long e, long f) __attribute__((unused));
#define JK_SUFFIX _faults
#define JK_MALLOC exec_malloc
#define JK_FREE exec_free
#define JK_SYSCALL exec_syscall
#include "suites.h"
#include "kernels_under_test.h"
#include <errno.h>
#include <pthread.h>

/* ---- hooks ---- */
static long exec_mallocs, exec_fail_malloc = -1; /* counted from 0; -1: none, -2: all */
static long exec_live;                           /* blocks not freed yet */
static long exec_syscalls, exec_fail_syscall = -1;
static bool exec_refuse_exec, exec_refuse_all; /* no anonymous memory becomes executable; nothing does */

static void *exec_malloc(size_t nbytes)
{
    bool fails = __atomic_fetch_add(&exec_mallocs, 1, __ATOMIC_RELAXED) == exec_fail_malloc || exec_fail_malloc == -2;
    void *p = fails ? NULL : malloc(nbytes);
    if (p)
        __atomic_fetch_add(&exec_live, 1, __ATOMIC_RELAXED);
    return p;
}

static void exec_free(void *p)
{
    if (p)
        __atomic_fetch_sub(&exec_live, 1, __ATOMIC_RELAXED);
    free(p);
}

#if JK_NATIVE
static long exec_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    bool asks = number == JK_SYS_MPROTECT && (c & 4);
    bool file = number == JK_SYS_MEMFD_CREATE || (number == JK_SYS_MMAP && (c & 4));
    if (number != JK_SYS_MUNMAP && number != JK_SYS_CLOSE &&
        __atomic_fetch_add(&exec_syscalls, 1, __ATOMIC_RELAXED) == exec_fail_syscall)
        return -ENOMEM;
    if ((exec_refuse_exec || exec_refuse_all) && asks)
        return -EACCES;
    if (exec_refuse_all && file)
        return -EPERM;
    return jk_syscall(number, a, b, c, d, e, f);
}
#endif

static void exec_reset(void)
{
    exec_mallocs = exec_syscalls = 0;
    exec_fail_malloc = exec_fail_syscall = -1;
    exec_refuse_exec = exec_refuse_all = false;
}

/* ---- cpu ---- */

START_TEST(levels)
{
    jk_cpu c;
    char shorter[16];
    int isa;
    jk_cpu_detect(&c);
    for (isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++) {
        const char *name = jk_isa_name((jitk_isa)isa);
        ck_assert_int_eq(jk_cpu_has(&c, (jitk_isa)isa), kut_cpu_has(isa));
        ck_assert_str_eq(name, kut_isa_names[isa]);
        ck_assert_int_eq(jk_isa_named(name), isa);
        ck_assert_int_eq(jk_isa_named(name + 1), JITK_ISA_AUTO);
        snprintf(shorter, sizeof shorter, "%.*s", (int)strlen(name) - 1, name);
        ck_assert_int_eq(jk_isa_named(shorter), JITK_ISA_AUTO);
        if (isa > (int)jk_cpu_best(&c))
            ck_assert(!jk_cpu_has(&c, (jitk_isa)isa));
    }
    ck_assert(jk_cpu_has(&c, jk_cpu_best(&c)));
    ck_assert_int_eq(jk_isa_named(NULL), JITK_ISA_AUTO);
    ck_assert_int_eq(jk_isa_named("auto"), JITK_ISA_AUTO);
    ck_assert(memchr(c.brand, 0, sizeof c.brand) != NULL);
    ck_assert(c.cache[0] % 64 == 0 && c.cache[1] % 64 == 0 && c.cache[2] % 64 == 0);
    ck_assert((c.cache[0] == 0 || c.cache[0] >= 4096) && (c.cache[1] == 0 || c.cache[1] >= c.cache[0]));
}
END_TEST

#if JK_NATIVE
/* ---- code that returns a number ---- */
typedef int (*exec_fn)(void);

static jk_exec exec_make(int number, size_t nbytes)
{
    unsigned char *code = (unsigned char *)malloc(nbytes);
    jk_exec x;
    ck_assert_ptr_nonnull(code);
    memset(code, 0x90, nbytes);
    /* The number is loaded at the front and returned at the far end, so all pages matter. */
    code[0] = 0xb8;
    memcpy(code + 1, &number, 4);
    code[nbytes - 1] = 0xc3;
    x = jk_exec_publish(code, nbytes);
    ck_assert_ptr_nonnull(x.code);
    ck_assert_uint_eq((uintptr_t)x.code % 64, 0);
    ck_assert_uint_ge(x.nbytes, nbytes);
    free(code);
    return x;
}

static int exec_run(jk_exec x)
{
    return ((exec_fn)(uintptr_t)x.code)();
}

/* The rights of the page at p, as "rwxp"; no page at all may be writable and executable. */
static void exec_rights(const void *p, char rights[5])
{
    char line[512];
    FILE *f = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(f);
    strcpy(rights, "----");
    while (fgets(line, sizeof line, f)) {
        unsigned long low, end;
        char r[5];
        ck_assert_int_eq(sscanf(line, "%lx-%lx %4s", &low, &end, r), 3);
        ck_assert_msg(!(r[1] == 'w' && r[2] == 'x'), "writable and executable: %s", line);
        if ((uintptr_t)p >= low && (uintptr_t)p < end)
            strcpy(rights, r);
    }
    fclose(f);
}

START_TEST(pages_of_code)
{
    enum { COUNT = 400 };
    static jk_exec x[COUNT];
    static int number[COUNT];
    kut_rng r;
    char rights[5];
    int i, round;
    r.state = kut_seed();
    exec_reset();
    for (i = 0; i < COUNT; i++)
        x[i] = exec_make(number[i] = i, 16 + kut_below(&r, 12000));
    for (round = 0; round < 4000; round++) {
        i = (int)kut_below(&r, COUNT);
        ck_assert_int_eq(exec_run(x[i]), number[i]);
        if (x[i].code && kut_below(&r, 2)) {
            jk_exec_free(x[i].code);
            x[i] = exec_make(number[i] = 1000 + round, 16 + kut_below(&r, kut_below(&r, 40) ? 12000 : 400000));
        }
        if (round % 400 == 0) {
            exec_rights(x[i].code, rights);
            ck_assert_str_eq(rights, "r-xp");
        }
    }
    for (i = 0; i < COUNT; i++) {
        ck_assert_int_eq(exec_run(x[i]), number[i]);
        jk_exec_free(x[i].code);
    }
    jk_exec_free(NULL);
    /* At most the region at hand is left. */
    ck_assert_int_le(exec_live, 1);
}
END_TEST

/* Sizes about the page and the region. */
START_TEST(sizes)
{
    static const size_t pages[] = {1, 2, 31, 32, 33, 63, 64, 65, 200};
    size_t i, d;
    exec_reset();
    for (i = 0; i < KUT_COUNT(pages); i++)
        for (d = 0; d < 3; d++) {
            jk_exec x = exec_make((int)i, 4096 * pages[i] + d - 1), y = exec_make(-1, 64);
            ck_assert_int_eq(exec_run(x), (int)i);
            ck_assert_int_eq(exec_run(y), -1);
            jk_exec_free(x.code);
            ck_assert_int_eq(exec_run(y), -1);
            jk_exec_free(y.code);
        }
}
END_TEST

/* Freed pages are used again: compiling and freeing for ever takes no more memory. */
START_TEST(pages_come_back)
{
    uintptr_t low = UINTPTR_MAX, high = 0;
    jk_exec keep;
    int i;
    exec_reset();
    keep = exec_make(77, 100);
    for (i = 0; i < 2000; i++) {
        jk_exec x = exec_make(i, 5000);
        ck_assert_int_eq(exec_run(x), i);
        low = JK_SMALLER(low, (uintptr_t)x.code);
        high = JK_LARGER(high, (uintptr_t)x.code);
        jk_exec_free(x.code);
    }
    ck_assert_uint_lt(high - low, 64 * 4096);
    ck_assert_int_eq(exec_run(keep), 77);
    jk_exec_free(keep.code);
}
END_TEST

static void *exec_many(void *seed)
{
    kut_rng r;
    int i;
    r.state = (uint64_t)(uintptr_t)seed;
    for (i = 0; i < 300; i++) {
        int number = (int)kut_below(&r, 1u << 30);
        jk_exec x = exec_make(number, 16 + kut_below(&r, 9000)), y = exec_make(~number, 64);
        if (exec_run(x) != number || exec_run(y) != ~number)
            return NULL;
        jk_exec_free(x.code);
        if (exec_run(y) != ~number)
            return NULL;
        jk_exec_free(y.code);
    }
    return seed;
}

START_TEST(threads_publish)
{
    pthread_t thread[6];
    void *good;
    size_t i;
    exec_reset();
    for (i = 0; i < 6; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, exec_many, (void *)(uintptr_t)(i + 1)), 0);
    for (i = 0; i < 6; i++) {
        pthread_join(thread[i], &good);
        ck_assert_ptr_nonnull(good);
    }
}
END_TEST

/* Where anonymous memory may not become executable, a sealed file may. */
START_TEST(sealed_file)
{
    jk_exec x, y;
    char rights[5];
    exec_reset();
    exec_refuse_exec = true;
    x = exec_make(5, 100);
    y = exec_make(6, 50000);
    exec_rights(x.code, rights);
    ck_assert_str_eq(rights, "r-xp");
    ck_assert(exec_run(x) == 5 && exec_run(y) == 6);
    jk_exec_free(x.code);
    ck_assert_int_eq(exec_run(y), 6);
    jk_exec_free(y.code);
    exec_rights(y.code, rights);
    ck_assert_str_eq(rights, "----");
}
END_TEST

START_TEST(nothing_executable)
{
    static const unsigned char code[64] = {0xc3};
    jitk_info_t info;
    jitk_error e;
    memset(&e, 0, sizeof e);
    exec_reset();
    exec_refuse_all = true;
    ck_assert_ptr_null(jk_exec_publish(code, sizeof code).code);
    ck_assert(!jk_exec_possible());
    jitk_info(&info);
    ck_assert_int_eq(info.can_execute, 0);
    ck_assert(!jitk_function("x", NULL, NULL, &e));
    ck_assert_int_eq(e.status, JITK_ERR_EXEC);
    exec_reset();
    ck_assert(jk_exec_possible());
    jitk_info(&info);
    ck_assert_int_eq(info.can_execute, 1);
}
END_TEST

/* Every call failing in turn: either it works all the same, or it says so; and nothing is lost. */
START_TEST(system_calls_fail)
{
    long k, live = exec_live;
    bool through = false;
    for (k = 0; !through; k++) {
        static const unsigned char code[5000] = {0xb8, 9, 0, 0, 0, 0xc3};
        jk_exec x;
        exec_reset();
        exec_refuse_exec = _i != 0;
        exec_fail_syscall = k;
        x = jk_exec_publish(code, _i == 2 ? sizeof code : (size_t)64);
        if (x.code)
            ck_assert_int_eq(exec_run(x), 9);
        through = exec_syscalls <= k;
        exec_fail_syscall = -1;
        jk_exec_free(x.code);
        ck_assert_int_le(exec_live, live + 1);
    }
    ck_assert_int_ge(k, 2);
    exec_reset();
}
END_TEST
#endif

/* ---- kernels where something fails ---- */

static const char *const exec_sources[] = {"2*x^0.5", "x > 2 ? x % 3 : -x", "x*x*x + 1/x"};
static const char *const exec_reductions[] = {"(x[]) = sum(x)", "(x[]) = max(x*2) + 1", "(x[]) = mean(sqrt(abs(x)))"};

enum { EXEC_N = 37 };

static void exec_fill(double *x)
{
    int i;
    for (i = 0; i < EXEC_N; i++)
        x[i] = i * 0.37 - 3;
}

#if JK_NATIVE
/* The interpreter steps in, with the same bits. */
START_TEST(kernels_without_pages)
{
    double x[EXEC_N], good[EXEC_N], got[EXEC_N];
    long k;
    size_t s;
    exec_fill(x);
    for (s = 0; s < KUT_COUNT(exec_sources) + KUT_COUNT(exec_reductions); s++) {
        bool through = false, map = s < KUT_COUNT(exec_sources);
        const char *source = map ? exec_sources[s] : exec_reductions[s - KUT_COUNT(exec_sources)];
        size_t n = map ? EXEC_N : 1;
        jitk_kernel *kernel;
        exec_reset();
        kernel = jitk_compile(source, NULL, NULL);
        ck_assert_ptr_nonnull(kernel);
        ck_assert_int_eq(jitk_call(kernel, EXEC_N, x, good), JITK_OK);
        jitk_free(kernel);
        for (k = -1; !through; k++) {
            exec_reset();
            exec_refuse_all = k == -1;
            exec_fail_syscall = k;
            errno = 0;
            kernel = jitk_compile(source, NULL, NULL);
            ck_assert_ptr_nonnull(kernel);
            ck_assert_int_eq(errno, 0);
            through = k >= 0 && exec_syscalls <= k;
            memset(got, 0, sizeof got);
            ck_assert_int_eq(jitk_call(kernel, EXEC_N, x, got), JITK_OK);
            ck_assert_uint_eq(kut_differs(JITK_F64, good, got, n), n);
            if (k == -1)
                ck_assert_int_eq(kernel->isa, JITK_ISA_INTERP);
            jitk_free(kernel);
        }
    }
    exec_reset();
}
END_TEST
#endif

/* Every allocation failing in turn: JITK_ERR_NOMEM with no output written, or a right result. */
START_TEST(allocations_fail)
{
    static double wide[2 * 20000];
    double x[EXEC_N], good[EXEC_N], got[EXEC_N];
    const void *args[2], *packed[2];
    ptrdiff_t strides[2] = {2, 1};
    long k, live;
    size_t s;
    exec_reset();
    exec_fill(x);
    jitk_cache_clear();
    jitk_free(jitk_compile("x", NULL, NULL));
    args[0] = x;
    packed[0] = wide;
    packed[1] = args[1] = got;
    for (s = 0; s < KUT_COUNT(exec_sources); s++) {
        bool through = false;
        ck_assert_int_eq(jitk_eval(exec_sources[s], EXEC_N, x, good), JITK_OK);
        jitk_cache_clear();
        live = exec_live;
        for (k = 0; !through; k++) {
            jitk_error e;
            jitk_status status;
            exec_mallocs = 0;
            exec_fail_malloc = k;
            memset(got, 0x55, sizeof got);
            errno = 0;
            status = jitk_evalv(exec_sources[s], NULL, EXEC_N, 2, args, &e);
            ck_assert_int_eq(errno, 0);
            through = exec_mallocs <= k;
            exec_fail_malloc = -1;
            ck_assert(status == e.status && (status == JITK_OK || status == JITK_ERR_NOMEM));
            if (status == JITK_OK)
                ck_assert_uint_eq(kut_differs(JITK_F64, good, got, EXEC_N), EXEC_N);
            else
                ck_assert(((unsigned char *)got)[0] == 0x55 && ((unsigned char *)got)[sizeof got - 1] == 0x55);
            if (through)
                ck_assert_int_eq(status, JITK_OK);
            jitk_cache_clear();
            ck_assert_int_le(exec_live, live + 1); /* a region of pages may have come */
        }
    }
    {
        jitk_kernel *sum = jitk_compile("(x[]) = sum(x + 1)", NULL, NULL);
        bool through = false;
        ck_assert_ptr_nonnull(sum);
        for (k = 0; !through; k++) {
            jitk_status status;
            exec_mallocs = 0;
            exec_fail_malloc = k;
            got[0] = -1;
            errno = 0;
            status = jitk_call_strided(sum, 20000, 2, packed, strides);
            through = exec_mallocs <= k;
            exec_fail_malloc = -1;
            ck_assert(status == JITK_OK ? got[0] == 20000 : status == JITK_ERR_NOMEM && got[0] == -1);
            ck_assert(status == JITK_OK || jitk_last_error()->status == JITK_ERR_NOMEM);
            ck_assert_int_eq(errno, 0);
        }
        jitk_free(sum);
    }
}
END_TEST

/* The named kernels cannot fail: whatever is refused at their first call, bits are the same. */
START_TEST(named_kernels_cannot_fail)
{
    double x[EXEC_N], y[EXEC_N], good[6], got[6];
    int way;
    unsigned i;
    exec_fill(x);
    for (i = 0; i < JK_NAMED_COUNT; i++) {
        uint64_t block[1024];
        jitk_kernel k;
        ck_assert_uint_le(jk_kernel_interpret(&k, &jk_named_programs[i], block), 64 * sizeof *block);
        ck_assert_uint_le(k.scratch_bytes + 63, JK_NAMED_STACK);
        ck_assert_uint_eq(k.npacked, 0);
    }
    for (way = 0; way < 4; way++) {
        double *out = way ? got : good;
        exec_reset();
        for (i = 0; i < JK_NAMED_COUNT; i++) { /* as if never called */
            jk_kernel_free(JK_SHARED(jk_named_kernels)[i]);
            JK_SHARED(jk_named_kernels)[i] = NULL;
        }
        exec_refuse_all = way & 1;
        exec_fail_malloc = way & 2 ? -2 : -1;
        memcpy(y, x, sizeof y);
        out[0] = jitk_sum(x, EXEC_N);
        out[1] = jitk_dot(x, x, EXEC_N);
        out[2] = (double)jitk_argmin(x, EXEC_N);
        jitk_axpy(2, x, y, EXEC_N);
        out[3] = y[EXEC_N - 1];
        out[4] = jitk_mean(x, EXEC_N);
        out[5] = jitk_sum(x, EXEC_N);
        if (way)
            ck_assert_uint_eq(kut_differs(JITK_F64, good, got, 6), 6);
        if (way & 2)
            ck_assert_ptr_null(JK_SHARED(jk_named_kernels)[JK_NAMED_DOT_F64]);
        else
            ck_assert_ptr_nonnull(JK_SHARED(jk_named_kernels)[JK_NAMED_DOT_F64]);
    }
    exec_reset();
}
END_TEST

Suite *suite_exec(void)
{
    Suite *s = suite_create("exec");
    TCase *cpu = tcase_create("cpu"), *exec = tcase_create("exec"), *faults = tcase_create("faults");
    tcase_add_test(cpu, levels);
    suite_add_tcase(s, cpu);
#if JK_NATIVE
    tcase_add_test(exec, pages_of_code);
    tcase_add_test(exec, sizes);
    tcase_add_test(exec, pages_come_back);
    tcase_add_test(exec, threads_publish);
    tcase_add_test(exec, sealed_file);
    tcase_add_test(exec, nothing_executable);
    tcase_add_loop_test(faults, system_calls_fail, 0, 3);
    tcase_add_test(faults, kernels_without_pages);
#endif
    suite_add_tcase(s, exec);
    tcase_add_test(faults, allocations_fail);
    tcase_add_test(faults, named_kernels_cannot_fail);
    suite_add_tcase(s, faults);
    return s;
}
