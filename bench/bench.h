/* bench: what the parts of the benchmark program share.
 *
 * A contender is one way of doing a piece of work. A race runs all contenders of one piece of work in rounds, forwards
 * in the even ones and backwards in the odd ones, so that whatever else the machine does falls on all of them alike.
 * What is reported is the median time, and for a pair of contenders the median of the ratios round by round. */
#ifndef BENCH_H
#define BENCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_MAX_ROUNDS 101
#define BENCH_MAX_CONTENDERS 24

typedef enum { BENCH_F64, BENCH_F32 } bench_type;

/* The pieces of work on arrays, each once: name, arrays read, arrays written, floating-point operations an element,
 * the array that stands first, the text for jitk. loops_typed.h has them in C, limit_typed.h by hand. */
#define BENCH_ROWS(X)                                \
    X(sum, 1, 0, 1, 0, "(x[]) = sum(x)")             \
    X(dot, 2, 0, 2, 0, "(x[], y[]) = dot(x, y)")     \
    X(root, 1, 1, 2, 0, "2*x^0.5")                   \
    X(blend, 2, 1, 3, 0, "2*a+3*b")                  \
    X(muladd, 3, 1, 2, 0, "a*b+c")                   \
    X(quotient, 2, 1, 3, 0, "(a-b)/(a+b)")           \
    X(poly, 1, 1, 8, 0, "0.25*x^3+0.75*x^2-1.5*x-2") \
    X(select, 1, 1, 2, 2, "x>0 ? sqrt(x) : -x")      \
    X(sqdiff, 2, 0, 3, 0, "(a[], b[]) = sum((a-b)^2)")

typedef enum {
#define X(name, in, out, flops, first, text) ROW_##name,
    BENCH_ROWS(X)
#undef X
        ROW_COUNT
} bench_row;

typedef struct bench_row_info {
    const char *name;
    unsigned in, out, flops;
    unsigned first; /* in[first] stands first: in[2] has mixed signs, the others are positive */
    const char *text;
} bench_row_info;
extern const bench_row_info bench_rows[ROW_COUNT];

/* The arrays: in[0] and in[1] in [0.5, 1.5), in[2] in (-1, 1), all 64-byte aligned and no two of them a multiple of
 * 4 KiB apart. */
typedef struct bench_arrays {
    void *in[3];
    void *out;
    size_t n;
} bench_arrays;

/* One form for every loop in C: what it does not need it ignores; a map returns 0. */
typedef double (*bench_loop)(const void *a, const void *b, const void *c, void *out, size_t n);
typedef struct bench_loops {
    const char *name;
    bench_loop loop[2][ROW_COUNT]; /* by type and row; NULL: has none */
} bench_loops;

typedef struct bench_contender {
    const char *name;
    void (*run)(void *context, size_t reps);     /* the harness holds the watch */
    double (*timed)(void *context, size_t reps); /* or: another process holds it and tells nanoseconds */
    void *context;
    bool wall;    /* starts processes: timed by the clock on the wall, not by the time that this thread was running */
    double bytes; /* of memory traffic a run, 0: as the race says */
    size_t reps;  /* runs a sample: found by the race */
    double sample[BENCH_MAX_ROUNDS]; /* nanoseconds a run */
    double ns;                       /* the median */
} bench_contender;

typedef struct bench_heat {
    bench_contender c[BENCH_MAX_CONTENDERS];
    size_t count;
    size_t rounds;
} bench_heat;

typedef struct bench_settings {
    bool quick;
    bool wall;          /* which watch: the clock on the wall, or the time that this thread was running */
    double sample_ns;   /* a sample lasts at least so long */
    double budget_ns;   /* for all rounds of one race */
    double patience_ns; /* for neighbours, in all races */
    size_t rounds_min, rounds_max;
    size_t n_max;
    const char *directory; /* of the results */
    const char *header;    /* the folder of jitk.h */
} bench_settings;
extern bench_settings bench_set;

/* ---- race.c ---- */
typedef struct bench_company {
    size_t rounds, alone; /* of all races; of these, how many had no neighbour on the core before and behind them */
} bench_company;
extern bench_company bench_met;
double
bench_now(void); /* nanoseconds; on a machine with one program they run alike, else other programs count or not */
bench_contender *bench_enter(bench_heat *h, const char *name, void (*run)(void *, size_t), void *context);
void bench_race(bench_heat *h);
/* Median over the rounds of a's time over b's. Above 1: b is faster. */
double bench_ratio(const bench_heat *h, const bench_contender *a, const bench_contender *b);
double bench_ratio_noise(const bench_heat *h, const bench_contender *a, const bench_contender *b); /* it is within +- */
double bench_median(double *v, size_t count);                                                      /* leaves v sorted */
bench_contender *bench_find(bench_heat *h, const char *name); /* NULL: does not take part */
/* The fastest by median of the contenders named, or NULL where none takes part. */
bench_contender *bench_fastest(bench_heat *h, const char *const *names, size_t count);

/* ---- data.c ---- */
const bench_arrays *bench_fill(bench_type t, size_t n, unsigned narrays);
size_t bench_type_size(bench_type t);
const char *bench_type_name(bench_type t);
size_t bench_n_limit(unsigned narrays, bench_type t); /* what fits in memory, and --n-max */
size_t bench_cache(int level);                        /* bytes */

/* ---- report.c ---- */
bool bench_report_open(void);
void bench_report_close(void);
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2))); /* to stdout and the table file */
void bench_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
typedef struct bench_place {
    const char *section, *row;
    const char *type; /* "f64", "f32", "" */
    const char *size; /* "L1", "memory", NULL: n itself */
    size_t n;
    double bytes, flops; /* of a run; bytes 0: the table shows times */
} bench_place;
/* One line of the table and a CSV line a contender; ratios are against `against` (NULL: none). */
void bench_report(const bench_place *p, bench_heat *h, const char *mine, const bench_contender *against);
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A target of the project beside what was measured. `at_least`: measured >= target passes, else measured <= target;
 * nearer to it than `noise` counts as even. */
void bench_target(const char *what, bool at_least, double target, double measured, double noise, const char *unit,
                  const char *where);
/* A running worst value for such a target. */
typedef struct bench_worst {
    bool any;
    double value, noise;
    char where[64];
} bench_worst;
void bench_worst_note(bench_worst *w, bool smaller_is_worse, double value, double noise, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- contenders.c: who takes part in a race over arrays ---- */
enum { WITH_ISAS = 1, WITH_NUMEXPR = 2, WITH_CEILING = 4 };
void bench_enter_row(bench_heat *h, bench_row row, bench_type t, const bench_arrays *x, unsigned with);
void bench_enter_row_done(bench_heat *h);

/* ---- the peers ---- */
extern const bench_loops *const bench_compiled[]; /* loops.c by compiler and flags, ends with NULL */
bool bench_blas_open(void);
const char *bench_blas_config(void);
double (*bench_blas_sum64(void))(int, const double *, int);
double (*bench_blas_dot64(void))(int, const double *, int, const double *, int);
float (*bench_blas_sum32(void))(int, const float *, int);
float (*bench_blas_dot32(void))(int, const float *, int, const float *, int);
bool bench_numexpr_open(void);
bool bench_numexpr_setup(bench_row row, bench_type t, size_t n);
double bench_numexpr_timed(void *context, size_t reps);   /* what was set up last */
double bench_numexpr_compile(void *context, size_t reps); /* compiles 2*x**0.5 */
void bench_numexpr_close(void);

/* ---- the sections ---- */
void section_reduce(void);
void section_map(void);
void section_sweep(void);
void section_four(void);
void section_compile(void);
void section_call(void);
void section_header(void);
#endif
