/* x64: machine code against the interpreter, stage by stage and below the driver: every op, every mode of the loops,
 * more values, arrays and accumulators than there are registers. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "suites.h"
#include "../src/ir/verify.c"
#include "kernels_under_test.h"
#include <math.h>

enum { N_MAX = 16448, N_ARGS = 400 };

static const char *const kernels[] = {
    "2*x",
    "2*x^0.5",
    "x > 0 ? sqrt(x) : -x",
    "(x-y)/(x+y)",
    "0.25*x^3+0.75*x^2-1.5*x-2",
    "min(x,y)",
    "max(x,y)",
    "min(max(x,y),min(y,z))",
    "floor(x)",
    "ceil(x)",
    "trunc(x)",
    "rint(x)",
    "round(x)",
    "sign(x)",
    "abs(x)-copysign(x,y)",
    "fma(x,y,z)",
    "fma(x,x,x)+fma(x,y,x)+fma(z,x,fma(x,y,y))",
    "x%y",
    "x%y+y%z+(x%y)%z",
    "where(x > 1, x%y, y%(x%z))",
    "isnan(x)+isinf(x)*2+isfinite(x)*4",
    "x<y && y<z || !(x>z)",
    "(x != y) + (x == x)*2 + (x <= y)*4 + (x >= y)*8",
    "where(x>0,sqrt(x),0)",
    "where(x>0,0,sqrt(-x))",
    "clamp(x,-1,1)",
    "x^13",
    "x^5*y^16",
    "1-x",
    "x/x*x-x",
    "(a,b,x[]) = (x>a ? b : a) + (a>b ? x : a)",
    "(a,b,c,d,x[]) = a*x+b*x+c*x+d*x*x",
    "(x[]) = sum(x)",
    "(x[],y[]) = dot(x,y)",
    "(x[],y[]) = sum(x*y)/sum(y)",
    "(x[]) = sum(x)+min(x)+max(x)+sum(x*x)",
    "(x[]) = sum(x), min(x), max(x), sum(x*x), prod(x), count(x > 0), argmin(x), argmax(x)",
    "(x[]) = prod(x)",
    "(x[]) = prod(1+x/64)",
    "(x[]) = min(x)",
    "(x[]) = max(x)",
    "(x[]) = argmin(x)",
    "(x[],y[]) = argmax(x*y)",
    "(x[]) = argmin(abs(x-1))",
    "(x[]) = count(x>0)",
    "(x[]) = any(x>2)+2*all(x<3)",
    "(x[]) = mean(x)",
    "(x[]) = sum(x+1)",
    "(x[]) = sum(1)",
    "(a,x[]) = sum(a)*prod(a) + min(a)",
    "(x[],y[]) = sum(x%y)",
    "(a,b,x[]) = sum(x)%b, a%b, (sum(x)*1e38)%(b/7), min(x)%(a%b)",
    "(a,x[]) = sum(x)^7 * a^9",
    "(x[]) = min(sum(x), prod(x))",
    "(x[]) = 2*x, sum(x)",
    "(x[],y[],z[]) = sum(x), sum(y), sum(z), sum(x*y), sum(y*z), sum(z*x), prod(x/y), min(x-y), max(y-z)",
    "x/(y/(z/(x-(y-(z*(x+y*(z-x*(y/z)))))))) + x*y*z - (x-y)*(y-z)*(z-x)/(x+y+z)",
};
enum { N_KERNELS = sizeof kernels / sizeof kernels[0] };

typedef struct rig { /* a program, its code, and arguments */
    jitk_ast ast;
    jk_arena arena;
    jk_program p;
    jk_code code;
    jk_exec exec;
    size_t n, size;
    void *array[N_ARGS], *tail[N_ARGS];
    uint64_t *cell;
    double *node;
    char *frame;
} rig;

static char rows[N_ARGS][64] __attribute__((aligned(64)));
static char *inputs, *outputs[2]; /* inputs: three arrays; outputs: of the interpreter, of the code */

static double special(uint64_t r)
{
    static const double some[] = {
        0.0,  -0.0,   1.0 / 0.0, -1.0 / 0.0, 0.0 / 0.0, 5e-324, 1e308,  -1e-310, 0.5,       -0.5,
        1.5,  2.5,    -2.5,      1e300,      3e-300,    1.0,    -1e-40, 3.4e+38, 8388607.5, 4503599627370497.5,
        1e22, -1e-45, 16777217,  3};
    return some[r % (sizeof some / sizeof some[0])];
}

/* Three input arrays; every `rate`-th value is an odd one (0: none). */
static void fill(jk_type type, unsigned rate)
{
    uint64_t s = 88172645463325252u;
    size_t i;
    for (i = 0; i < 3 * (size_t)N_MAX; i++) {
        double v;
        s = s * 6364136223846793005u + 1442695040888963407u;
        v = (double)(int64_t)s / 2.3e18;
        if (rate && (s >> 20) % rate == 0)
            v = special(s >> 33);
        if (type == JK_F64)
            ((double *)(void *)inputs)[i] = v;
        else
            ((float *)(void *)inputs)[i] = (float)v;
    }
}

/* Below the public calls, which set the mode: gcc links -ffast-math programs so that they start with subnormals
 * flushed. */
static void own_mode(void)
{
    jk_fp_enter();
}

static void setup(void)
{
    own_mode();
    inputs = (char *)malloc(3 * 8 * (size_t)N_MAX);
    outputs[0] = (char *)malloc(8 * (size_t)N_MAX);
    outputs[1] = (char *)malloc(8 * (size_t)N_MAX);
}

static void teardown(void)
{
    free(inputs);
    free(outputs[0]);
    free(outputs[1]);
}

static bool rig_open(rig *r, const char *source, jk_type type, jitk_isa isa)
{
    jitk_error e;
    jk_lower_options lo;
    jk_cpu cpu;
    memset(&e, 0, sizeof e);
    memset(&lo, 0, sizeof lo);
    memset(r, 0, sizeof *r);
    lo.type = type;
    jk_cpu_detect(&cpu);
    if (!kut_isa((int)isa) || !jk_cpu_has(&cpu, isa))
        return false;
    r->size = jk_type_size(type);
    ck_assert_msg(jk_parse(&r->ast, source, strlen(source), NULL, 0, &e) == JITK_OK, "%s: %s", source, e.message);
    jk_arena_init(&r->arena, NULL, 0);
    ck_assert_msg(jk_lower(&r->ast, &lo, &r->arena, &r->p, &e) == JITK_OK, "%s: %s", source, e.message);
    ck_assert_ptr_null(jk_ir_verify(&r->p));
    ck_assert_msg(jk_x64_compile(&r->p, isa, jk_cpu_has(&cpu, JITK_ISA_AVX2), NULL, 0, &r->arena, &r->code, &e) ==
                      JITK_OK,
                  "%s: %s", source, e.message);
    r->exec = jk_exec_publish(r->code.bytes, r->code.nbytes);
    ck_assert_ptr_nonnull(r->exec.code);
    r->frame = (char *)malloc(64 + JK_LARGER(r->code.frame_bytes, jk_interp_frame(&r->p)));
    r->cell = (uint64_t *)calloc(r->p.ncells + 1u, 8);
    r->node = (double *)calloc(r->p.nins + 1u, 8);
    ck_assert(r->frame && r->cell && r->node);
    ck_assert_uint_le(r->p.nargs, N_ARGS);
    return true;
}

static void rig_close(rig *r)
{
    jk_exec_free(&r->exec);
    jk_arena_free(&r->arena);
    jk_arena_free(&r->ast.arena);
    free(r->frame);
    free(r->cell);
    free(r->node);
}

static void rig_bind(rig *r, size_t n, char *output)
{
    size_t lanes = 64 / r->size, rest = n % lanes, l, inputs_seen = 0;
    uint32_t k;
    r->n = n;
    memset(r->cell, 0, 8 * (r->p.ncells + 1u));
    for (k = 0; k < r->p.nargs; k++) {
        r->array[k] = NULL;
        r->tail[k] = rows[k];
        if (r->p.args[k].is_array)
            r->array[k] = k < r->p.nparams ? inputs + inputs_seen++ % 3 * N_MAX * r->size : output;
        for (l = 0; r->p.args[k].is_array && k < r->p.nparams && rest && l < lanes; l++)
            memcpy(rows[k] + l * r->size, (char *)r->array[k] + (n - rest + (l < rest ? l : 0)) * r->size, r->size);
    }
    for (k = 0; k < r->p.nins; k++)
        if (r->p.ins[k].op == JK_PARAM && r->p.cell[k] != JK_NOCELL) {
            double v = 1.25 + r->p.ins[k].a;
            float f = (float)v;
            memcpy(&r->cell[r->p.cell[k]], r->size == 8 ? (void *)&v : (void *)&f, r->size);
        }
}

static void rig_reduced(rig *r, uint32_t k, jk_run *run, bool code)
{
    const jk_stage *s = &r->p.stages[k];
    uint32_t q;
    for (q = 0; q < s->nred; q++) {
        const jk_ins *i = &r->p.ins[s->red[q]];
        uint32_t c = r->p.cell[s->red[q]];
        float f = (float)r->node[q];
        run->find = 0;
        memcpy(&run->find, r->size == 8 ? (void *)&r->node[q] : (void *)&f, r->size);
        if (i->op == JK_RARGMIN && code)
            r->cell[c] = ((jk_find_fn)((uintptr_t)r->exec.code + r->code.find[k][q]))(run, 0, r->n);
        else if (i->op == JK_RARGMIN)
            r->cell[c] = jk_interp_find(&r->p, s, q, run, 0, r->n);
        else if (c != JK_NOCELL && i->type == JK_F64)
            memcpy(&r->cell[c], &r->node[q], 8);
        else if (c != JK_NOCELL)
            memcpy(&r->cell[c], &f, 4);
    }
}

/* All stages over one range of n elements, at most a chunk, in code or by the interpreter. */
static void rig_run(rig *r, bool code, unsigned flags)
{
    jk_run run;
    uint32_t k, q;
    size_t rest = r->n % (64 / r->size);
    memset(&run, 0, sizeof run);
    run.array = r->array;
    run.tail = r->tail;
    run.cell = r->cell;
    run.node = r->node;
    run.frame = r->frame + (64 - (uintptr_t)r->frame % 64) % 64;
    run.n = r->n;
    for (k = 0; k < r->p.nstages; k++) {
        const jk_stage *s = &r->p.stages[k];
        uintptr_t entry = (uintptr_t)r->exec.code + r->code.stage[k];
        if (!s->is_pass && !code)
            jk_interp_uniform(&r->p, s, &run);
        else if (!s->is_pass && r->code.stage[k] != JK_NOCODE)
            ((jk_uniform_fn)entry)(&run);
        if (!s->is_pass)
            continue;
        if (code)
            ((jk_pass_fn)entry)(&run, 0, r->n, flags);
        else
            jk_interp_pass(&r->p, s, &run, 0, r->n);
        for (q = r->p.nparams; code && s->stores && r->code.rest && q < r->p.nargs; q++)
            if (r->p.args[q].is_array)
                memcpy((char *)r->array[q] + (r->n - rest) * r->size, rows[q], rest * r->size);
        rig_reduced(r, k, &run, code);
    }
}

/* Equal bits, or both NaN; on the bits, for this file is also built with -ffast-math. */
static bool same(const char *a, const char *b, size_t size)
{
    uint64_t x, y;
    uint32_t f, h;
    if (!memcmp(a, b, size))
        return true;
    if (size == 8) {
        memcpy(&x, a, 8);
        memcpy(&y, b, 8);
        return x << 1 > (uint64_t)0x7ff << 53 && y << 1 > (uint64_t)0x7ff << 53;
    }
    memcpy(&f, a, 4);
    memcpy(&h, b, 4);
    return f << 1 > 0xff000000u && h << 1 > 0xff000000u;
}

static void rig_compare(rig *r, const char *source, size_t n, unsigned flags, const char *isa)
{
    uint64_t *want;
    size_t i, behind = JK_SMALLER((size_t)N_MAX, n + 64);
    uint32_t k;
    memset(outputs[0], 0x55, behind * r->size);
    memset(outputs[1], 0x55, behind * r->size);
    rig_bind(r, n, outputs[0]);
    rig_run(r, false, 0);
    want = (uint64_t *)malloc(8 * (r->p.ncells + 1u));
    if (!want)
        ck_abort_msg("out of memory");
    memcpy(want, r->cell, 8 * r->p.ncells);
    rig_bind(r, n, outputs[1]);
    rig_run(r, true, flags);
    for (i = 0; i < behind && same(outputs[0] + i * r->size, outputs[1] + i * r->size, r->size); i++) {
    }
    if (i < behind) /* not an assertion an element: each is a system call */
        ck_abort_msg("%s: %s, n %zu: element %zu differs", source, isa, n, i);
    for (k = r->p.nparams; k < r->p.nargs; k++) {
        jk_ref v = r->p.args[k].value;
        uint32_t c = r->p.cell[v];
        if (!r->p.args[k].is_array && c != JK_NOCELL &&
            !same((char *)&want[c], (char *)&r->cell[c], jk_type_size((jk_type)r->p.ins[v].type)))
            ck_abort_msg("%s: %s, n %zu: result %u is %a, the interpreter's %a", source, isa, n, k - r->p.nparams,
                         jk_f64_from_bits(r->cell[c]), jk_f64_from_bits(want[c]));
    }
    free(want);
}

static void try_kernel(const char *source, jk_type type, jitk_isa isa)
{
    static const size_t more[] = {511, 1000, 1024, 4112, 4113, 12345, 16447, 16448};
    rig r;
    size_t n;
    unsigned rate, long_text = strlen(source) > 1000;
    if (!rig_open(&r, source, type, isa))
        return;
    for (rate = 0; rate < 40; rate += kut_step() == 1 ? 13 : 39) {
        fill(type, rate);
        for (n = 1; n <= 300; n += long_text ? 37 : (rate ? 3 : 1) * kut_step())
            rig_compare(&r, source, n, 0, jk_isa_name(isa));
        for (n = 0; !long_text && kut_step() == 1 && n < sizeof more / sizeof more[0]; n++)
            rig_compare(&r, source, more[n], 0, jk_isa_name(isa));
    }
    rig_close(&r);
}

START_TEST(every_kernel)
{
    unsigned isa = JITK_ISA_SCALAR + (unsigned)_i % 4;
    try_kernel(kernels[_i / 8], _i / 4 % 2 ? JK_F32 : JK_F64, (jitk_isa)isa);
}
END_TEST

/* More values than registers: a sum of products that all wait for the last one; in masks; in numbers. */
static void many_live(char *text, unsigned n, const char *form)
{
    char *at = text;
    unsigned k;
    for (k = 0; k < n; k++)
        at += sprintf(at, form, k + 2, k + 3);
    at += sprintf(at, "x");
    for (k = 0; k < n; k++)
        *at++ = ')';
    *at = 0;
}

START_TEST(more_values_than_registers)
{
    static char text[40000], *at;
    jitk_isa isa = (jitk_isa)(JITK_ISA_SCALAR + _i);
    unsigned k;
    many_live(text, 60, "(x*%u+y/%u)*(y+");
    try_kernel(text, JK_F64, isa);
    many_live(text, 40, "where(x*%u < y+%u, z, x+");
    try_kernel(text, JK_F32, isa);
    for (at = text, k = 0; k < 24; k++) /* 24 values used at both ends */
        at += sprintf(at, "%s(x/%u)", k ? "+" : "(", k + 2);
    at += sprintf(at, ")*y");
    for (k = 24; k-- > 0;)
        at += sprintf(at, "-(x/%u)*%u", k + 2, k + 3);
    try_kernel(text, JK_F64, isa);
    try_kernel(text, JK_F32, isa);
}
END_TEST

START_TEST(more_accumulators_than_registers)
{
    static char text[8000], *at;
    jitk_isa isa = (jitk_isa)(JITK_ISA_SCALAR + _i);
    unsigned k;
    at = text + sprintf(text, "(x[], y[]) = ");
    for (k = 0; k < 40; k++)
        at += sprintf(at, "%s%s(x*%u+y)", k ? ", " : "", k % 4 == 3 ? "min" : k % 4 == 2 ? "prod" : "sum", k + 1);
    try_kernel(text, JK_F64, isa);
    try_kernel(text, JK_F32, isa);
}
END_TEST

START_TEST(more_arrays_than_registers)
{
    static char text[8000], *at;
    jitk_isa isa = (jitk_isa)(JITK_ISA_SCALAR + _i);
    unsigned k;
    for (at = text, k = 0; k < 300; k++)
        at += sprintf(at, "%sv%u", k ? k % 3 ? "*" : "+" : "", k);
    try_kernel(text, JK_F64, isa);
    at = text + sprintf(text, "(");
    for (k = 0; k < 100; k++)
        at += sprintf(at, "%sv%u[]", k ? ", " : "", k);
    at += sprintf(at, ") = sum(");
    for (k = 0; k < 100; k++)
        at += sprintf(at, "%sv%u", k ? "+" : "", k);
    sprintf(at, ")");
    try_kernel(text, JK_F32, isa);
}
END_TEST

/* A result stored over the input that another result is. */
START_TEST(in_place_of_another)
{
    jitk_isa isa = (jitk_isa)(JITK_ISA_SCALAR + _i / 2);
    jk_type type = _i % 2 ? JK_F32 : JK_F64;
    rig r;
    size_t n, i;
    char *copy = (char *)malloc(8 * (size_t)N_MAX);
    ck_assert_ptr_nonnull(copy);
    if (rig_open(&r, "(w[], x[], y[]) = w+1, x, x*w, y, sum(x)", type, isa)) {
        fill(type, 0);
        for (n = 1; n < 300; n += 11) {
            rig_bind(&r, n, outputs[1]);
            memcpy(copy, r.array[1], n * r.size);
            r.array[3] = r.array[1]; /* w + 1 goes where x is read */
            r.array[5] = outputs[0];
            r.array[6] = r.array[2];
            rig_run(&r, true, 0);
            for (i = 0; i < n && same(copy + i * r.size, outputs[1] + i * r.size, r.size); i++) {
            }
            ck_assert_uint_eq(i, n);
        }
        rig_close(&r);
    }
    free(copy);
}
END_TEST

START_TEST(streaming_stores)
{
    jitk_isa isa = (jitk_isa)(JITK_ISA_SCALAR + _i / 2);
    static const char *const some[] = {"2*x+y", "x%y", "x > 0 ? sqrt(x) : -x"};
    unsigned k;
    size_t n, i;
    jk_type type = _i % 2 ? JK_F32 : JK_F64;
    char *was = outputs[1];
    outputs[1] += (64 - (uintptr_t)was % 64) % 64;
    for (k = 0; k < 3; k++) {
        rig r;
        if (!rig_open(&r, some[k], type, isa))
            continue;
        fill(type, 11);
        r.size = jk_type_size(type);
        for (n = 1; n < 300; n += 7) {
            rig_bind(&r, n, outputs[0]);
            rig_run(&r, false, 0);
            rig_bind(&r, n, outputs[1]);
            rig_run(&r, true, JK_RUN_STREAM);
            for (i = 0; i < n && same(outputs[0] + i * r.size, outputs[1] + i * r.size, r.size); i++) {
            }
            ck_assert_uint_eq(i, n);
        }
        rig_close(&r);
    }
    outputs[1] = was;
}
END_TEST

typedef double (*fn12)(double, double, double, double, double, double, double, double, double, double, double, double);

/* A native function: arguments in registers and on the stack, with and without a frame. */
START_TEST(functions)
{
    static const char *const source[] = {
        "(a,b,c,d,e1,f,g,h,i,j,k,l) = a+2*b+3*c+4*d+5*e1+6*f+7*g+8*h+9*i+10*j+11*k+12*l",
        "(a,b,c,d,e1,f,g,h,i,j,k,l) = l",
        "(a,b,c,d,e1,f,g,h,i,j,k,l) = (a%b)*l + fma(c,d,j)",
        "(a,b,c,d,e1,f,g,h,i,j,k,l) = 7",
        "(a,b,c,d,e1,f,g,h,i,j,k,l) = (1e38*l)%100 + b^8 + (a*1e300)%(l*1e-3)",
        "(a,b,c,d,e1,f,g,h,i,j,k,l) = (k*1e38)%(7+a%(b*2)) + l%((g*1e30)%(h+c))"};
    const double want[] = {650,
                           12,
                           12 + 22,
                           7,
                           fmod(1e38 * 12, 100) + 256 + fmod(1e300, 12 * 1e-3),
                           fmod(11 * 1e38, 8) + fmod(12, fmod(7 * 1e30, 11))};
    unsigned fma = (unsigned)_i / 6;
    jk_cpu cpu;
    rig r;
    jitk_error e;
    jk_lower_options lo;
    jk_cpu_detect(&cpu);
    if (fma && !jk_cpu_has(&cpu, JITK_ISA_AVX2))
        return;
    memset(&r, 0, sizeof r);
    memset(&e, 0, sizeof e);
    memset(&lo, 0, sizeof lo);
    lo.type = JK_F64;
    lo.scalar = true;
    ck_assert_int_eq(jk_parse(&r.ast, source[_i % 6], strlen(source[_i % 6]), NULL, 0, &e), JITK_OK);
    jk_arena_init(&r.arena, NULL, 0);
    ck_assert_msg(jk_lower(&r.ast, &lo, &r.arena, &r.p, &e) == JITK_OK, "%s", e.message);
    ck_assert_msg(jk_x64_compile(&r.p, JK_ISA_FUNCTION, fma != 0, NULL, 0, &r.arena, &r.code, &e) == JITK_OK, "%s",
                  e.message);
    r.exec = jk_exec_publish(r.code.bytes, r.code.nbytes);
    ck_assert_ptr_nonnull(r.exec.code);
    ck_assert_double_eq(((fn12)(uintptr_t)r.exec.code)(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), want[_i % 6]);
    rig_close(&r);
}
END_TEST

/* The listing names every byte of the code once, and says which value it computes. */
START_TEST(listing_covers_the_code)
{
    rig r;
    jk_code again;
    jitk_error e;
    FILE *f = tmpfile();
    char line[400], hex[64];
    size_t next = 0x1000, notes = 0;
    unsigned long at;
    ck_assert_ptr_nonnull(f);
    memset(&e, 0, sizeof e);
    if (!rig_open(&r, "(x[], y[]) = sum(x*y)/sum(y)", JK_F64, JITK_ISA_SSE2))
        return;
    ck_assert_int_eq(jk_x64_compile(&r.p, JITK_ISA_SSE2, false, f, 0x1000, &r.arena, &again, &e), JITK_OK);
    ck_assert_uint_eq(again.nbytes, r.code.nbytes);
    ck_assert_mem_eq(again.bytes, r.code.bytes, r.code.nbytes);
    rewind(f);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lx %60s", &at, hex) != 2)
            continue;
        if (at % 64 == 0 && at > next)
            break; /* the constants */
        ck_assert_uint_eq(at, next);
        next += strlen(hex) / 2;
        notes += strstr(line, "; %") != NULL;
    }
    ck_assert_uint_gt(notes, 8);
    ck_assert_uint_le(next - 0x1000, r.code.nbytes);
    fclose(f);
    rig_close(&r);
}
END_TEST

/* Memory running out at any allocation is reported, and nothing else happens. */
START_TEST(out_of_memory)
{
    rig r;
    jk_arena small;
    jk_code code;
    jitk_error e;
    size_t size;
    static char block[1 << 16] __attribute__((aligned(64)));
    if (!rig_open(&r, "(x[], y[]) = sum(x%y)/sum(y), argmin(x)", JK_F64, JITK_ISA_SSE2))
        return;
    for (size = 0; size + 64 < sizeof block; size += size < 4096 ? 112 : 1008) {
        jitk_status s;
        memset(&e, 0, sizeof e);
        jk_arena_init(&small, block, size);
        small.limited = true;
        s = jk_x64_compile(&r.p, JITK_ISA_SSE2, false, NULL, 0, &small, &code, &e);
        ck_assert(s == JITK_ERR_NOMEM || s == JITK_OK);
        ck_assert_int_eq(s, e.status);
        jk_arena_free(&small);
    }
    rig_close(&r);
}
END_TEST

Suite *suite_x64(void)
{
    Suite *s = suite_create("x64");
    TCase *t = tcase_create("kernels");
    tcase_set_timeout(t, 300);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, every_kernel, 0, N_KERNELS * 8);
    tcase_add_loop_test(t, more_values_than_registers, 0, 4);
    tcase_add_loop_test(t, more_accumulators_than_registers, 0, 4);
    tcase_add_loop_test(t, more_arrays_than_registers, 0, 4);
    tcase_add_loop_test(t, in_place_of_another, 0, 8);
    tcase_add_loop_test(t, streaming_stores, 0, 8);
    suite_add_tcase(s, t);
    t = tcase_create("code");
    tcase_add_checked_fixture(t, own_mode, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, functions, 0, 12);
    tcase_add_test(t, listing_covers_the_code);
    tcase_add_test(t, out_of_memory);
    suite_add_tcase(s, t);
    return s;
}
