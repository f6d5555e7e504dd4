/* The caller's world: floating-point modes, unmasked traps, a locale with a comma, small stacks, many threads, fork,
 * errno, and silence. Whatever the caller has set, the same bits and errors come out, and the world is as before. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "suites.h"
#include "kernels_under_test.h"
#include "big_texts.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a sample of everything that the library does with numbers ---- */

#define WORLD_N 100
#define WORLD_RESULTS 64

/* Inputs with subnormals and values whose sums and products round. */
static void world_inputs(jitk_type type, char *x, char *y)
{
    kut_rng r = {kut_seed() + 11};
    kut_fill(&r, type, KUT_TAME, x, WORLD_N);
    kut_fill(&r, type, KUT_MIXED, y, WORLD_N);
    for (ptrdiff_t i = 0; i < WORLD_N; i += 9)
        kut_put(type, x, i, 3 + (uint64_t)i); /* subnormal */
}

/* Texts whose compilation or evaluation rounds, underflows, overflows, divides by zero or has no value. */
static const char *const world_texts[] = {"x + y",
                                          "x*0.1",
                                          "x/3",
                                          "x - 1e-300",
                                          "x*0.5",
                                          "√abs(x)",
                                          "x^5",
                                          "x % 0.3",
                                          "rint(x + 0.5)",
                                          "fma(x, 0.1, y)",
                                          "x + (1/3 - 0.1*0.1 + 1e-310)",
                                          "x*(1/0)",
                                          "x + (0.1 + 0.2)",
                                          "0x1.8p-1074 + x",
                                          "x > 1e-320 ? 1 : 0",
                                          "round(x)",
                                          "floor(x/7)",
                                          "1e-310*3 + x*0",
                                          "x/(2^0.5)",
                                          "min(x, y)",
                                          "sum(x)",
                                          "sum(x*y)",
                                          "prod(x + 0.5)",
                                          "mean(x)",
                                          "dot(x, x)",
                                          "min(x)",
                                          "argmax(x)",
                                          "sum(x)/3",
                                          "count(x > 1e-310)"};

/* All results, one behind the other, each as the bits of its first WORLD_N values or one; returns how many bytes. */
static size_t world_sample(jitk_type type, int isa, char *out)
{
    char x[8 * WORLD_N], y[8 * WORLD_N];
    size_t size = kut_size(type), at = 0;
    world_inputs(type, x, y);
    for (size_t t = 0; t < KUT_COUNT(world_texts); t++) {
        jitk_options o;
        memset(&o, 0, sizeof o);
        o.type = type;
        o.isa = (jitk_isa)isa;
        jitk_kernel *k = jitk_compile(world_texts[t], &o, NULL);
        if (!k)
            return 0;
        size_t nargs = jitk_arg_count(k);
        const void *args[3] = {x, nargs == 3 ? (void *)y : (void *)(out + at), out + at};
        jitk_arg_info info;
        jitk_arg(k, nargs - 1, &info);
        if (jitk_callv(k, WORLD_N, nargs, args) != JITK_OK)
            return 0;
        at += info.is_array ? WORLD_N * size : size;
        jitk_free(k);
    }
    return at;
}

/* The one-call functions and the cache, in the library's own choice of instructions. From any thread. */
static size_t world_calls(double *out)
{
    double x[WORLD_N], y[WORLD_N], z[WORLD_N];
    float xf[WORLD_N];
    size_t n = 0;
    world_inputs(JITK_F64, (char *)x, (char *)y);
    world_inputs(JITK_F32, (char *)xf, (char *)z);
    memcpy(z, x, sizeof z);
    out[n++] = jitk_sum(x, WORLD_N);
    out[n++] = (double)jitk_sum(xf, WORLD_N);
    out[n++] = jitk_dot(x, y, WORLD_N);
    out[n++] = jitk_mean(x, WORLD_N);
    out[n++] = jitk_asum(x, WORLD_N);
    out[n++] = (double)jitk_sumsq(xf, WORLD_N);
    out[n++] = jitk_min(x, WORLD_N);
    out[n++] = jitk_prod(x, 40);
    jitk_axpy(0.1, x, z, WORLD_N);
    out[n++] = jitk_sum(z, WORLD_N);
    jitk_scal(0.3, z, WORLD_N);
    out[n++] = z[WORLD_N / 2];
    out[n++] = z[0];
    out[n++] = jitk_eval("a*x + y/3 + 1e-310", WORLD_N, 0.1, x, y, z) == JITK_OK ? jitk_sum(z, WORLD_N) : -1;
    return n;
}

/* The same in any mode of the caller; all NaNs equal. */
static bool world_same(jitk_type type, const char *a, const char *b, size_t nbytes)
{
    size_t n = nbytes / kut_size(type);
    return kut_differs(type, a, b, n) == n;
}

/* ---- floating-point modes ---- */

#if defined(__x86_64__)
static const struct {
    const char *name;
    unsigned mxcsr;
} world_modes[] = {{"default", 0x1f80},
                   {"FTZ", 0x9f80},
                   {"DAZ", 0x1fc0},
                   {"FTZ and DAZ", 0x9fc0},
                   {"downwards", 0x3f80},
                   {"upwards", 0x5f80},
                   {"to zero", 0x7f80},
                   {"traps unmasked", 0x0000},
                   {"invalid and division unmasked, FTZ, upwards", 0xdd00},
                   {"flags set", 0x1fbf}};
#define WORLD_MODES ((int)KUT_COUNT(world_modes))
#define WORLD_MODE_BITS 0xffc0u /* without the exception flags */

START_TEST(modes)
{
    int isa = _i / WORLD_MODES;
    unsigned mode = world_modes[_i % WORLD_MODES].mxcsr;
    static char want[WORLD_RESULTS * 8 * WORLD_N], got[WORLD_RESULTS * 8 * WORLD_N];
    if (!kut_isa(isa))
        return;
    for (int type = JITK_F64; type <= JITK_F32; type++) {
        unsigned saved = plain_enter();
        size_t expected = world_sample((jitk_type)type, isa, want);
        plain_set_mode(mode);
        size_t nbytes = world_sample((jitk_type)type, isa, got);
        unsigned after = plain_mode();
        plain_leave(saved);
        ck_assert_msg((after & WORLD_MODE_BITS) == (mode & WORLD_MODE_BITS), "%s, %s: the mode is %#x after %#x",
                      kut_isa_names[isa], world_modes[_i % WORLD_MODES].name, after, mode);
        ck_assert_uint_gt(expected, 0);
        ck_assert_uint_eq(nbytes, expected);
        ck_assert_msg(world_same((jitk_type)type, want, got, nbytes), "%s %s: other bits with %s", kut_isa_names[isa],
                      kut_type_name((jitk_type)type), world_modes[_i % WORLD_MODES].name);
    }
}
END_TEST

START_TEST(modes_of_calls)
{
    unsigned mode = world_modes[_i].mxcsr;
    double want[WORLD_RESULTS], got[WORLD_RESULTS];
    unsigned saved = plain_enter();
    size_t n = world_calls(want);
    jitk_cache_clear(); /* eval compiles again, in the other mode */
    plain_set_mode(mode);
    size_t m = world_calls(got);
    unsigned after = plain_mode();
    plain_leave(saved);
    ck_assert_uint_eq(n, m);
    ck_assert_msg((after & WORLD_MODE_BITS) == (mode & WORLD_MODE_BITS), "%s: the mode is %#x after %#x",
                  world_modes[_i].name, after, mode);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(plain_same(&plain_f64, plain_double_bits(want[i]), plain_double_bits(got[i])),
                      "%s: call %zu gives %a, not %a", world_modes[_i].name, i, got[i], want[i]);
}
END_TEST

/* First calls in a strange mode: what the named kernels and the settings make once must not keep it. Forked, so that it
 * is the first. */
START_TEST(first_call_in_a_mode)
{
    double want[WORLD_RESULTS], got[WORLD_RESULTS];
    unsigned saved = plain_mode();
    plain_set_mode(0xffc0); /* FTZ, DAZ, to zero */
    size_t n = world_calls(got);
    plain_set_mode(0x1f80);
    world_calls(want);
    plain_set_mode(saved);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(plain_same(&plain_f64, plain_double_bits(want[i]), plain_double_bits(got[i])),
                      "call %zu gives %a, not %a", i, got[i], want[i]);
}
END_TEST

/* The x87 control word, which C's long double arithmetic uses, stays too. */
START_TEST(x87_mode)
{
    unsigned short before = 0x0a7f, after = 0, usual = 0x037f; /* upwards, double precision */
    double out[WORLD_RESULTS];
    __asm__ volatile("fldcw %0" : : "m"(before));
    world_calls(out);
    __asm__ volatile("fnstcw %0" : "=m"(after));
    __asm__ volatile("fldcw %0" : : "m"(usual));
    ck_assert_uint_eq(after, before);
}
END_TEST

/* A trap that is unmasked in the caller never fires, and does not fire late, at the caller's own next operation. */
START_TEST(traps)
{
    static const char *const texts[] = {"1/0",           "0/0",    "1e-310*0.1", "1e308*10", "√-1",     "x/0",  "x/x",
                                        "x*1e300*1e300", "sum(x)", "inf - inf",  "x < nan",  "rint(x)", "x % 0"};
    if (!kut_isa(_i))
        return;
    unsigned saved = plain_mode();
    for (size_t t = 0; t < KUT_COUNT(texts); t++) {
        double x[20] = {0, 1, 1e-320, 1e308}, y[20];
        const void *args[2] = {x, y};
        jitk_options o;
        memset(&o, 0, sizeof o);
        o.isa = (jitk_isa)_i;
        plain_set_mode(0x0000);
        jitk_kernel *k = jitk_compile(texts[t], &o, NULL);
        if (k && jitk_arg_count(k) == 1)
            args[0] = y;
        jitk_status s = k ? jitk_callv(k, 20, jitk_arg_count(k), args) : JITK_ERR_ARGS;
        jitk_free(k);
        plain_set_mode(saved);
        ck_assert_msg(s == JITK_OK, "%s", texts[t]);
    }
}
END_TEST
#endif

/* ---- locale ---- */

/* Sets a locale whose decimal point is a comma: the system's, or one made here with localedef from a few lines. */
static bool world_comma_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE",
                                        "fr_FR.UTF-8", "fr_FR.utf8", "ru_RU.UTF-8"};
    char dir[] = "/tmp/jitk-locale-XXXXXX", command[1024];
    bool set = false;
    for (size_t i = 0; i < KUT_COUNT(names) && !set; i++)
        set = setlocale(LC_ALL, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
    if (set || !mkdtemp(dir))
        return set;
    snprintf(command, sizeof command,
             "cd %s && exec 2>/dev/null >&2 && { printf '%%s\\n' '<code_set_name> ANSI_X3.4-1968' '<escape_char> /' "
             "'<comment_char> %%' '<mb_cur_min> 1' '<mb_cur_max> 1' CHARMAP; i=32; while [ $i -lt 127 ]; do "
             "printf '<U%%04X> /x%%02x C\\n' $i $i; i=$((i+1)); done; echo 'END CHARMAP'; } >map && "
             "printf '%%s\\n' LC_NUMERIC 'decimal_point \"<U002C>\"' 'thousands_sep \"\"' 'grouping -1' "
             "'END LC_NUMERIC' >src && { localedef -c -f ./map -i ./src ./comma; ls comma/LC_NUMERIC; }",
             dir);
    if (system(command) == 0) {
        setenv("LOCPATH", dir, 1);
        set = setlocale(LC_NUMERIC, "comma") && strcmp(localeconv()->decimal_point, ",") == 0;
    }
    snprintf(command, sizeof command, "rm -rf %s", dir);
    if (system(command) != 0)
        return false;
    return set;
}

START_TEST(comma_locale)
{
    static const struct {
        const char *text;
        double want;
    } rows[] = {{"1.5", 1.5}, {".5 + 2.25e1", 23}, {"0x1.8p3", 12}, {"max(1.5, 2.5)", 2.5}, {"1e-3*1e3", 1}};
    if (!world_comma_locale()) {
        printf("world: comma_locale skipped: no locale with a comma, and localedef makes none\n");
        return;
    }
    char shown[16];
    snprintf(shown, sizeof shown, "%.1f", 0.5);
    ck_assert_str_eq(shown, "0,5"); /* the locale is in force */
    for (int isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++)
        for (size_t r = 0; r < KUT_COUNT(rows) && kut_isa(isa); r++) {
            double got = -1;
            const void *args[1] = {&got};
            jitk_kernel *k = kut_compile(rows[r].text, JITK_F64, isa);
            ck_assert_int_eq((int)jitk_callv(k, 1, 1, args), (int)JITK_OK);
            ck_assert_msg(got == rows[r].want, "%s", rows[r].text);
            FILE *f = tmpfile(); /* what is printed has points, too: a comma would be read as another argument */
            char dump[20000];
            ck_assert_ptr_nonnull(f);
            ck_assert_int_eq((int)jitk_dump(k, JITK_DUMP_IR, f), (int)JITK_OK);
            rewind(f);
            dump[fread(dump, 1, sizeof dump - 1, f)] = 0;
            for (const char *p = dump; (p = strchr(p, ',')) != NULL; p++)
                ck_assert_msg(p == dump || p[-1] < '0' || p[-1] > '9' || p[1] < '0' || p[1] > '9', "a comma: %s", dump);
            fclose(f);
            jitk_free(k);
        }
    ck_assert_ptr_null(jitk_compile("1,5", NULL, NULL)); /* a comma is no point */
    jitk_kernel *k = jitk_compile("1.0f", NULL, NULL);
    ck_assert_ptr_null(k);
    ck_assert_msg(strstr(jitk_last_error()->message, "1.0"), "%s", jitk_last_error()->message);
}
END_TEST

/* ---- small stacks ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WORLD_STACK ((size_t)1 << 20) /* instrumented frames are larger than the library's own */
#else
#define WORLD_STACK ((size_t)64 << 10)
#endif

typedef struct world_deep {
    int isa;
    const char *text;
    size_t arrays;
    const char *failed;
} world_deep;

static void *world_run_deep(void *p)
{
    world_deep *d = (world_deep *)p;
    static const double ones[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    double out[8];
    const void *args[BIG_ARRAYS + 1];
    jitk_options o;
    jitk_error e;
    memset(&o, 0, sizeof o);
    o.isa = (jitk_isa)d->isa;
    kut_note(d->text, JITK_F64, d->isa);
    jitk_kernel *k = jitk_compile(d->text, &o, &e);
    if (!k) {
        d->failed = "compile";
        return NULL;
    }
    size_t nargs = jitk_arg_count(k);
    for (size_t i = 0; i < nargs; i++)
        args[i] = ones;
    args[nargs - 1] = out;
    if (jitk_callv(k, 8, nargs, args) != JITK_OK || jitk_evalv(d->text, &o, 8, nargs, args, &e) != JITK_OK)
        d->failed = "call";
    jitk_free(k);
    jitk_function_free(jitk_function(d->text, &o, &nargs, &e)); /* works or not: it returns */
    return NULL;
}

static pthread_t world_thread(void *(*run)(void *), void *arg, size_t stack)
{
    pthread_attr_t attr;
    pthread_t t;
    pthread_attr_init(&attr);
    if (stack)
        ck_assert_int_eq(pthread_attr_setstacksize(&attr, stack), 0);
    int failed = pthread_create(&t, &attr, run, arg);
    ck_assert_msg(!failed, "pthread_create: %s", strerror(failed));
    pthread_attr_destroy(&attr);
    return t;
}

START_TEST(small_stacks)
{
    int isa = KUT_FIRST_ISA + _i / (int)BIG_COUNT;
    const big_row *row = &big_rows[(size_t)_i % BIG_COUNT];
    kut_text b = {NULL, 0, 0};
    static uint64_t x[BIG_ARRAYS];
    if (!kut_isa(isa))
        return;
    row->make(&b, &plain_f64, x);
    world_deep d = {isa, b.at, row->arrays, NULL};
    pthread_join(world_thread(world_run_deep, &d, WORLD_STACK), NULL);
    ck_assert_msg(!d.failed, "%s %s: %s", kut_isa_names[isa], row->name, d.failed);
    free(b.at);
}
END_TEST

/* Errors in deep texts, and their messages, on a small stack. */
static void *world_run_errors(void *p)
{
    static const char *const starts[] = {"(", "-", "abs(", "x+(", "x^(", "√", "x ? 1 : ", "f(x[]) = "};
    const char **failed = (const char **)p;
    for (size_t s = 0; s < KUT_COUNT(starts); s++) {
        kut_text b = {NULL, 0, 0};
        jitk_error e;
        big_repeat(&b, starts[s], 20000);
        jitk_kernel *k = jitk_compile(b.at, NULL, &e);
        if (k || e.status == JITK_OK || !e.message[0])
            *failed = starts[s];
        jitk_free(k);
        free(b.at);
    }
    return NULL;
}

START_TEST(errors_on_small_stacks)
{
    const char *failed = NULL;
    pthread_join(world_thread(world_run_errors, &failed, WORLD_STACK), NULL);
    ck_assert_msg(!failed, "%s", failed);
}
END_TEST

/* ---- threads ---- */

#define WORLD_THREADS 100
#define WORLD_FIRST 32

static int world_thread_failures;

static void world_failed(void)
{
    __atomic_add_fetch(&world_thread_failures, 1, __ATOMIC_RELAXED);
}

/* Compiles, calls and frees kernels of its own, evaluates shared and own texts through the cache. */
static void *world_run_many(void *p)
{
    size_t id = (size_t)(uintptr_t)p, rounds = kut_scaled(20);
    double x[50], y[50], s;
    for (int i = 0; i < 50; i++)
        x[i] = i;
    for (size_t r = 0; r < rounds; r++)
        for (int isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++) {
            char text[64];
            jitk_options o;
            const void *args[2] = {x, &s};
            double c = (double)((id * 31 + r) % 1000);
            if (!kut_isa(isa))
                continue;
            memset(&o, 0, sizeof o);
            o.isa = (jitk_isa)isa;
            snprintf(text, sizeof text, "sum(x + %d)", (int)c);
            jitk_kernel *k = jitk_compile(text, &o, NULL);
            if (!k || jitk_callv(k, 50, 2, args) != JITK_OK || s != 1225 + 50 * c)
                world_failed();
            jitk_free(k);
            if (jitk_compile("sum(x + ", &o, NULL) || jitk_last_error()->status != JITK_ERR_SYNTAX)
                world_failed();
            snprintf(text, sizeof text, "2*x + %d", (int)((id + r) % 40));
            if (jitk_eval(text, 50, x, y) != JITK_OK || y[49] != 98 + (double)((id + r) % 40))
                world_failed();
            if (jitk_sum(x, 50) != 1225)
                world_failed();
        }
    return NULL;
}

START_TEST(many_threads)
{
    pthread_t t[WORLD_THREADS];
    for (size_t i = 0; i < WORLD_THREADS; i++)
        t[i] = world_thread(world_run_many, (void *)(uintptr_t)i, (size_t)256 << 10);
    for (size_t i = 0; i < WORLD_THREADS; i++)
        pthread_join(t[i], NULL);
    ck_assert_int_eq(world_thread_failures, 0);
}
END_TEST

/* One kernel, called by all at once. */
static const jitk_kernel *world_shared;

static void *world_run_shared(void *p)
{
    static const double x[5] = {1, 2, 3, 4, 5};
    double y[5], a = (double)(uintptr_t)p;
    const void *args[3] = {&a, x, y};
    for (size_t r = 0; r < kut_scaled(2000); r++)
        if (jitk_callv(world_shared, 5, 3, args) != JITK_OK || y[4] != 5 * a || y[0] != a)
            world_failed();
    return NULL;
}

START_TEST(shared_kernel)
{
    pthread_t t[WORLD_FIRST];
    if (!kut_isa(_i))
        return;
    jitk_kernel *k = kut_compile("k(a, x[]) = a*x", JITK_F64, _i);
    world_shared = k;
    for (size_t i = 0; i < WORLD_FIRST; i++)
        t[i] = world_thread(world_run_shared, (void *)(uintptr_t)i, 0);
    for (size_t i = 0; i < WORLD_FIRST; i++)
        pthread_join(t[i], NULL);
    jitk_free(k);
    ck_assert_int_eq(world_thread_failures, 0);
}
END_TEST

/* The very first calls, all at the same moment. */
static pthread_barrier_t world_barrier;

static void *world_run_first(void *p)
{
    double out[WORLD_RESULTS];
    double *kept = (double *)p;
    pthread_barrier_wait(&world_barrier);
    size_t n = world_calls(out);
    memcpy(kept, out, n * sizeof *out);
    return NULL;
}

START_TEST(first_calls_at_once)
{
    static double got[WORLD_FIRST][WORLD_RESULTS];
    double want[WORLD_RESULTS];
    pthread_t t[WORLD_FIRST];
    char warm[2][8 * WORLD_N];
    world_inputs(JITK_F64, warm[0], warm[1]); /* the helpers' own tables; the library has not been called yet */
    world_inputs(JITK_F32, warm[0], warm[1]);
    pthread_barrier_init(&world_barrier, NULL, WORLD_FIRST);
    for (size_t i = 0; i < WORLD_FIRST; i++)
        t[i] = world_thread(world_run_first, got[i], 0);
    for (size_t i = 0; i < WORLD_FIRST; i++)
        pthread_join(t[i], NULL);
    size_t n = world_calls(want);
    for (size_t i = 0; i < WORLD_FIRST; i++)
        for (size_t j = 0; j < n; j++)
            ck_assert_msg(plain_same(&plain_f64, plain_double_bits(got[i][j]), plain_double_bits(want[j])),
                          "thread %zu, call %zu: %a, not %a", i, j, got[i][j], want[j]);
    pthread_barrier_destroy(&world_barrier);
}
END_TEST

/* ---- fork ---- */

static int world_stop;

static void *world_run_until_stopped(void *p)
{
    while (!__atomic_load_n(&world_stop, __ATOMIC_ACQUIRE))
        world_run_many(p);
    return NULL;
}

/* Everything that a child may do, while the parent's threads held what they held. */
static int world_child(const jitk_kernel *k)
{
    double x[3] = {1, 2, 3}, s = 0, y[3];
    const void *args[2] = {x, &s};
    alarm(60);
    if (jitk_callv(k, 3, 2, args) != JITK_OK || s != 6)
        return 1;
    jitk_kernel *mine = jitk_compile("sum(x*x)", NULL, NULL);
    if (!mine || jitk_callv(mine, 3, 2, args) != JITK_OK || s != 14)
        return 2;
    jitk_free(mine);
    if (jitk_eval("3*x + 1", 3, x, y) != JITK_OK || y[2] != 10 || jitk_eval("2*x + 0", 3, x, y) != JITK_OK)
        return 3;
    if (jitk_sum(x, 3) != 6 || jitk_dot(x, x, 3) != 14)
        return 4;
    return 0;
}

START_TEST(fork_while_others_run)
{
    pthread_t t[4];
    jitk_kernel *k = jitk_compile("sum(x)", NULL, NULL);
    ck_assert_ptr_nonnull(k);
    for (size_t i = 0; i < 4; i++)
        t[i] = world_thread(world_run_until_stopped, (void *)(uintptr_t)i, 0);
    int bad = 0;
    for (size_t i = 0; i < kut_scaled(50) && !bad; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(world_child(k));
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
            bad = status ? status : -1;
    }
    __atomic_store_n(&world_stop, 1, __ATOMIC_RELEASE);
    for (size_t i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    jitk_free(k);
    ck_assert_msg(!bad, "a child ended with status %#x", bad);
    ck_assert_int_eq(world_thread_failures, 0);
}
END_TEST

/* ---- errno and silence ---- */

/* One of everything, failures too. */
static void world_everything(void)
{
    double x[4] = {1, 2, 3, 4}, y[4], s;
    const void *args[2] = {x, y}, *null_args[2] = {NULL, y};
    jitk_error e;
    jitk_info_t info;
    size_t arity;
    static const char *const wrong[] = {"", "2*", "sqr(x)", "sin(x)", "1e999", "(", "x[1]", "@", "a < b < c", "x^y"};
    for (size_t i = 0; i < KUT_COUNT(wrong); i++) {
        jitk_free(jitk_compile(wrong[i], NULL, &e));
        jitk_function_free(jitk_function(wrong[i], NULL, &arity, &e));
        jitk_eval(wrong[i], 4, x, y);
    }
    for (int isa = JITK_ISA_AUTO; isa < KUT_END_ISA; isa++) {
        jitk_options o;
        memset(&o, 0, sizeof o);
        o.isa = (jitk_isa)isa;
        jitk_kernel *k = jitk_compile("0.1*x + 1e-320 + 1e-3", &o, &e);
        if (!k)
            continue;
        jitk_callv(k, 4, 2, args);
        jitk_callv(k, 4, 3, args);
        jitk_callv(k, 4, 2, null_args);
        jitk_callv(k, (size_t)-1, 2, args);
        jitk_callv(k, 0, 2, args);
        jitk_call(k, 4, x, y);
        jitk_call(k, 4, x);
        jitk_call_strided(k, 2, 2, args, NULL);
        jitk_free(k);
    }
    jitk_options odd;
    memset(&odd, 0, sizeof odd);
    odd.reserved[5] = 1;
    jitk_free(jitk_compile("x", &odd, &e));
    jitk_function_free(jitk_function("x*0.1", NULL, &arity, &e));
    jitk_free(NULL);
    jitk_eval("2*x", 4, x, y);
    jitk_evalv("2*x", NULL, 4, 2, args, &e);
    s = jitk_sum(x, 4);
    jitk_axpy(s, x, y, 4);
    jitk_info(&info);
    jitk_cache_clear();
}

START_TEST(errno_stays)
{
    errno = 12345;
    world_everything();
    ck_assert_int_eq(errno, 12345);
}
END_TEST

START_TEST(silence)
{
    FILE *f = tmpfile();
    struct stat before, after;
    ck_assert_ptr_nonnull(f);
    fflush(NULL);
    int out = dup(1), err = dup(2);
    unsetenv("JITK_DUMP");
    fstat(fileno(f), &before);
    dup2(fileno(f), 1);
    dup2(fileno(f), 2);
    world_everything();
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    fstat(fileno(f), &after);
    ck_assert_int_eq((int)after.st_size, (int)before.st_size);
    fclose(f);
}
END_TEST

/* An unknown JITK_ISA is ignored, a known one only caps: the option still gets what the CPU has. */
START_TEST(environment_caps)
{
    jitk_info_t info;
    setenv("JITK_ISA", "sse2", 1); /* forked: read here for the first time */
    jitk_info(&info);
    ck_assert(info.isa == JITK_ISA_SSE2 || !info.can_execute || info.best < JITK_ISA_SSE2);
    for (int isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++)
        if (kut_cpu_has(isa))
            jitk_free(kut_compile("x + 1", JITK_F64, isa));
}
END_TEST

START_TEST(environment_unknown)
{
    jitk_info_t info;
    setenv("JITK_ISA", "mmx", 1);
    setenv("JITK_DUMP", "everything", 1);
    setenv("JITK_NUM_THREADS", "many", 1);
    jitk_info(&info);
    ck_assert_int_eq((int)info.isa, (int)info.best);
    jitk_free(kut_compile("x + 1", JITK_F64, JITK_ISA_AUTO));
}
END_TEST

Suite *suite_world(void)
{
    Suite *s = suite_create("world");
    TCase *m = tcase_create("modes"), *t = tcase_create("threads"), *o = tcase_create("others");
    kut_say_skipped("world");
    tcase_add_checked_fixture(m, kut_explain_crashes, NULL);
    tcase_set_timeout(m, 600);
#if defined(__x86_64__)
    tcase_add_loop_test(m, modes, KUT_FIRST_ISA * WORLD_MODES, KUT_END_ISA * WORLD_MODES);
    tcase_add_loop_test(m, modes_of_calls, 0, WORLD_MODES);
    tcase_add_test(m, first_call_in_a_mode);
    tcase_add_test(m, x87_mode);
    tcase_add_loop_test(m, traps, KUT_FIRST_ISA, KUT_END_ISA);
#endif
    suite_add_tcase(s, m);
    tcase_add_checked_fixture(t, kut_explain_crashes, NULL);
    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, small_stacks, 0, (KUT_END_ISA - KUT_FIRST_ISA) * (int)BIG_COUNT);
    tcase_add_test(t, errors_on_small_stacks);
    tcase_add_test(t, many_threads);
    tcase_add_loop_test(t, shared_kernel, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_test(t, first_calls_at_once);
    tcase_add_test(t, fork_while_others_run);
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(o, kut_explain_crashes, NULL);
    tcase_set_timeout(o, 300);
    tcase_add_test(o, comma_locale);
    tcase_add_test(o, errno_stays);
    tcase_add_test(o, silence);
    tcase_add_test(o, environment_caps);
    tcase_add_test(o, environment_unknown);
    suite_add_tcase(s, o);
    return s;
}
