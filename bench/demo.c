/* demo: the main job of jitk. Sum, dot and three maps over 100 million doubles and floats, each beside a plain C loop
 * (demo_loops.c, as gcc -O2 compiles it) and OpenBLAS where it has the operation, on one thread.
 *
 *   demo [N]        N elements; the environment's JITK_DEMO_N does the same
 *
 * Every contender runs in turn, some rounds; the table shows medians. A map of k arrays in and one out moves k+1
 * arrays. */
#define _GNU_SOURCE
#include "bandwidth.h"
#include "demo_loops.h"
#include "jitk.h"
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, WORK_COUNT = 5 };

/* ---- the jobs: what each contender is asked to do ---- */

typedef enum { SUM, DOT, ROOT, BLEND, SELECT } work;

static const struct {
    const char *name; /* also what jitk compiles */
    int in, out;      /* arrays read and written */
    int which;        /* the array that is x: 0 is positive, 1 has both signs */
} works[WORK_COUNT] = {
    {"sum(x)", 1, 0, 0},
    {"dot(x, y)", 2, 0, 0},
    {"2*x^0.5", 1, 1, 0},
    {"2*x + 3*y", 2, 1, 0},
    {"x > 0 ? sqrt(x) : -x", 1, 1, 1},
};

typedef struct data {
    size_t n;
    int f32;
    void *array[2]; /* x in [0, 1), y in [-1, 1) */
    void *out;
} data;

static size_t element(const data *d)
{
    return d->f32 ? sizeof(float) : sizeof(double);
}

static double run_jitk(work w, const data *d, const jitk_kernel *k)
{
    const double *x = (const double *)d->array[0], *y = (const double *)d->array[1];
    const float *xf = (const float *)d->array[0], *yf = (const float *)d->array[1];
    if (w == SUM)
        return d->f32 ? (double)jitk_sum(xf, d->n) : jitk_sum(x, d->n);
    if (w == DOT)
        return d->f32 ? (double)jitk_dot(xf, yf, d->n) : jitk_dot(x, y, d->n);
    const void *args[3] = {d->array[works[w].which], d->out, NULL};
    if (works[w].in == 2)
        args[1] = d->array[1], args[2] = d->out;
    if (jitk_callv(k, d->n, (size_t)works[w].in + 1, args) != JITK_OK) {
        fprintf(stderr, "demo: %s\n", jitk_last_error()->message);
        exit(1);
    }
    return 0;
}

static double run_loop(work w, const data *d)
{
    static const demo_loop loops[WORK_COUNT][2] = {{loop_sum_f64, loop_sum_f32},
                                                   {loop_dot_f64, loop_dot_f32},
                                                   {loop_root_f64, loop_root_f32},
                                                   {loop_blend_f64, loop_blend_f32},
                                                   {loop_select_f64, loop_select_f32}};
    return loops[w][d->f32](d->array[works[w].which], d->array[1], d->out, d->n);
}

/* ---- OpenBLAS, loaded if it is there ---- */

static struct {
    double (*dsum)(int, const double *, int), (*ddot)(int, const double *, int, const double *, int);
    float (*ssum)(int, const float *, int), (*sdot)(int, const float *, int, const float *, int);
    void (*dcopy)(int, const double *, int, double *, int), (*scopy)(int, const float *, int, float *, int);
    void (*daxpby)(int, double, const double *, int, double, double *, int);
    void (*saxpby)(int, float, const float *, int, float, float *, int);
} blas;

static void find(void *library, const char *name, void *function)
{
    void *p = dlsym(library, name);
    memcpy(function, &p, sizeof p); /* ISO C has no cast from void * to a function pointer */
}

static void open_blas(void)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    void *l = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!l) {
        printf("OpenBLAS is not installed (Debian: libopenblas0); its column stays empty.\n");
        return;
    }
    find(l, "cblas_dsum", &blas.dsum), find(l, "cblas_ssum", &blas.ssum);
    find(l, "cblas_ddot", &blas.ddot), find(l, "cblas_sdot", &blas.sdot);
    find(l, "cblas_dcopy", &blas.dcopy), find(l, "cblas_scopy", &blas.scopy);
    find(l, "cblas_daxpby", &blas.daxpby), find(l, "cblas_saxpby", &blas.saxpby);
}

static int has_blas(work w)
{
    return (w == SUM && blas.dsum && blas.ssum) || (w == DOT && blas.ddot && blas.sdot) ||
           (w == BLEND && blas.dcopy && blas.scopy && blas.daxpby && blas.saxpby);
}

static double run_blas(work w, const data *d)
{
    const double *x = (const double *)d->array[0], *y = (const double *)d->array[1];
    const float *xf = (const float *)d->array[0], *yf = (const float *)d->array[1];
    int n = (int)d->n;
    if (w == SUM)
        return d->f32 ? (double)blas.ssum(n, xf, 1) : blas.dsum(n, x, 1);
    if (w == DOT)
        return d->f32 ? (double)blas.sdot(n, xf, 1, yf, 1) : blas.ddot(n, x, 1, y, 1);
    if (d->f32) {
        blas.scopy(n, yf, 1, (float *)d->out, 1);
        blas.saxpby(n, 2, xf, 1, 3, (float *)d->out, 1);
    } else {
        blas.dcopy(n, y, 1, (double *)d->out, 1);
        blas.daxpby(n, 2, x, 1, 3, (double *)d->out, 1);
    }
    return 0;
}

/* ---- time ---- */

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v)
{
    qsort(v, ROUNDS, sizeof *v, by_value);
    return v[ROUNDS / 2];
}

static void progress(const char *what, int step, int steps)
{
    if (isatty(2))
        fprintf(stderr, step < steps ? "\r\033[K  %s: round %d of %d" : "\r\033[K", what, step + 1, steps);
}

/* ---- checks: each result against a reference computed here in another way ---- */

static double value(const data *d, int which, size_t i)
{
    return d->f32 ? (double)((const float *)d->array[which])[i] : ((const double *)d->array[which])[i];
}

/* The sum in long double with Neumaier's compensation, and the sum of magnitudes, which scales the error bound. */
static long double reference(work w, const data *d, long double *magnitude)
{
    long double s = 0, c = 0, m = 0;
    for (size_t i = 0; i < d->n; i++) {
        long double v = value(d, 0, i);
        if (w == DOT) /* the kernel rounds each product to its type */
            v = d->f32 ? (float)v * ((const float *)d->array[1])[i] : (double)v * ((const double *)d->array[1])[i];
        long double t = s + v;
        c += fabsl(s) >= fabsl(v) ? (s - t) + v : (v - t) + s;
        s = t;
        m += fabsl(v);
    }
    *magnitude = m;
    return s + c;
}

/* The worst that the order of docs/reductions.md can do, in roundings of the magnitudes: in double 2,052 additions a
 * lane (a whole chunk's, of 525,312 bytes in four segments of 64-byte lanes) and some for lanes, segments and chunks;
 * in float 64 additions a lane before they pour into double, and the last rounding. */
static int check_sum(work w, const data *d, double got, char *says, size_t size)
{
    long double magnitude, exact = reference(w, d, &magnitude);
    long double bound = d->f32 ? magnitude * 65 * 0x1p-24L : magnitude * 2100 * 0x1p-53L;
    long double error = fabsl((long double)got - exact);
    snprintf(says, size, "relative error %.1Le", exact != 0 ? error / fabsl(exact) : error);
    return error <= bound;
}

static double expected_f64(work w, double x, double y)
{
    return w == ROOT ? 2 * sqrt(x) : w == BLEND ? 2 * x + 3 * y : x > 0 ? sqrt(x) : -x;
}

static float expected_f32(work w, float x, float y)
{
    return w == ROOT ? 2 * sqrtf(x) : w == BLEND ? 2 * x + 3 * y : x > 0 ? sqrtf(x) : -x;
}

static int check_map(work w, const data *d, char *says, size_t size)
{
    size_t wrong = 0;
    const void *x = d->array[works[w].which], *y = d->array[1];
    for (size_t i = 0; i < d->n; i++)
        if (d->f32)
            wrong += ((const float *)d->out)[i] != expected_f32(w, ((const float *)x)[i], ((const float *)y)[i]);
        else
            wrong += ((const double *)d->out)[i] != expected_f64(w, ((const double *)x)[i], ((const double *)y)[i]);
    if (wrong)
        snprintf(says, size, "%zu of %zu elements differ", wrong, d->n);
    else
        snprintf(says, size, "every element equals C's");
    return wrong == 0;
}

/* ---- one line of the table ---- */

typedef struct times {
    double jitk[ROUNDS], loop[ROUNDS], blas[ROUNDS], ceiling[ROUNDS], over_loop[ROUNDS], over_blas[ROUNDS],
        share[ROUNDS];
} times;

static void ceiling(work w, const data *d, bandwidth_reader read, bandwidth_copier copy)
{
    static volatile unsigned long keep;
    size_t nbytes = d->n * element(d);
    if (works[w].out)
        copy(d->out, d->array[0], nbytes);
    else
        for (int i = 0; i < works[w].in; i++)
            keep = keep | read(d->array[i], nbytes);
}

#define TIME(seconds, statement) \
    do {                         \
        double start = now();    \
        statement;               \
        seconds = now() - start; \
    } while (0)

static int line(work w, const data *d)
{
    char says[96];
    times t;
    double result = 0, plain = 0, nbytes = (double)(d->n * element(d));
    double moved = nbytes * (works[w].in + works[w].out), ceiling_moved = works[w].out ? 2 * nbytes : moved;
    bandwidth_reader read = bandwidth_pick_reader(d->array[0], d->n * element(d) / 8);
    bandwidth_copier copy = bandwidth_pick_copier(d->out, d->array[0], d->n * element(d) / 8);
    jitk_options options;
    memset(&options, 0, sizeof options);
    options.type = d->f32 ? JITK_F32 : JITK_F64;
    jitk_error error;
    jitk_kernel *k = works[w].out ? jitk_compile(works[w].name, &options, &error) : NULL;
    if (works[w].out && !k) {
        fprintf(stderr, "demo: %s\n", error.message);
        exit(1);
    }
    for (int r = 0; r < ROUNDS; r++) {
        progress(works[w].name, r, ROUNDS);
        TIME(t.ceiling[r], ceiling(w, d, read, copy));
        TIME(t.loop[r], plain = run_loop(w, d));
        if (has_blas(w))
            TIME(t.blas[r], run_blas(w, d));
        TIME(t.jitk[r], result = run_jitk(w, d, k)); /* last: what it wrote is what is checked */
        t.over_loop[r] = t.loop[r] / t.jitk[r];
        t.over_blas[r] = has_blas(w) ? t.blas[r] / t.jitk[r] : 0;
        t.share[r] = moved / t.jitk[r] / (ceiling_moved / t.ceiling[r]);
    }
    progress("", 1, 1);
    int good = works[w].out ? check_map(w, d, says, sizeof says) : check_sum(w, d, result, says, sizeof says);
    double seconds = median(t.jitk);
    printf("%s  %-20s %8.1f %7.1f %5.0f%% %9.1f %6.2f", d->f32 ? "f32" : "f64", works[w].name, seconds * 1e3,
           moved / seconds * 1e-9, median(t.share) * 100, median(t.loop) * 1e3, median(t.over_loop));
    if (has_blas(w))
        printf(" %9.1f %6.2f%s", median(t.blas) * 1e3, median(t.over_blas), w == BLEND ? "*" : " ");
    else
        printf(" %9s %6s ", "-", "-");
    printf("  %s: %s", good ? "ok" : "WRONG", says);
    if (w == SUM && d->f32)
        printf(" (the loop's: %.0e)", fabs(plain - result) / fabs(result));
    printf("\n");
    jitk_free(k);
    return good;
}

/* ---- the data ---- */

static void fill(data *d)
{
    uint64_t s = 1;
    for (int a = 0; a < 2; a++)
        for (size_t i = 0; i < d->n; i++) {
            s = s * 6364136223846793005u + 1442695040888963407u;
            double v = (double)(s >> 40) * 0x1p-24;
            v = a == 0 ? v : 2 * v - 1;
            if (d->f32)
                ((float *)d->array[a])[i] = (float)v;
            else
                ((double *)d->array[a])[i] = v;
        }
    memset(d->out, 0, d->n * element(d));
}

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : getenv("JITK_DEMO_N");
    data d;
    memset(&d, 0, sizeof d);
    d.n = text ? (size_t)strtod(text, NULL) : 100000000;
    if (d.n < 1 || d.n > 2000000000) {
        fprintf(stderr, "demo: N is 1 to 2e9\n");
        return 2;
    }
    setenv("JITK_NUM_THREADS", "1", 1); /* one thread each: the comparison is with one-threaded loops */
    for (int i = 0; i < 3; i++) {
        void *p = aligned_alloc(64, (d.n * sizeof(double) + 63) / 64 * 64);
        if (!p) {
            fprintf(stderr, "demo: not enough memory for %zu elements\n", d.n);
            return 1;
        }
        if (i < 2)
            d.array[i] = p;
        else
            d.out = p;
    }
    printf(
        "%zu elements, one thread, medians of %d rounds. share: of this machine's read bandwidth (sum, dot) or copy\n"
        "bandwidth (maps), measured in the same rounds. ratio: that time over jitk's.\n",
        d.n, ROUNDS);
    open_blas();
    printf("\n%-25s %8s %7s %6s %9s %6s %9s %6s   check of jitk's result\n", "", "jitk ms", "GB/s", "share",
           "gcc -O2 ms", "ratio", "OpenBLAS", "ratio");
    int good = 1;
    for (d.f32 = 0; d.f32 <= 1; d.f32++) {
        if (isatty(2))
            fprintf(stderr, "  filling the arrays\r");
        fill(&d);
        for (int w = 0; w < WORK_COUNT; w++) {
            good &= line((work)w, &d);
            fflush(stdout);
        }
    }
    if (has_blas(BLEND))
        printf("* OpenBLAS: copy y, then axpby in place\n");
    printf("%s\n", good ? "All results are right." : "SOME RESULTS ARE WRONG.");
    free(d.array[0]), free(d.array[1]), free(d.out);
    return good ? 0 : 1;
}
