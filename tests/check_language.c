/* The language's cases: values, bit by bit, on every instruction set and in both precisions, through array kernels and
 * scalar functions; errors with their place; texts of any size. Expected values are written as text and rounded by the
 * C library, so that a row serves both types. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "suites.h"
#include "kernels_under_test.h"
#include "big_texts.h"
#include "language_cases.h"

static jitk_options lang_options(jitk_type type, int isa)
{
    jitk_options o;
    memset(&o, 0, sizeof o);
    o.type = type;
    o.isa = (jitk_isa)isa;
    return o;
}

/* ---- values ---- */

static bool lang_near(jitk_type type, const char *want, uint64_t got)
{
    double w = strtod(want, NULL), g = kut_show(type, got), miss = g > w ? g - w : w - g;
    return miss <= 1e-6 * (w < 0 ? -w : w);
}

/* All rows that fail are told together. */
static char lang_wrong[2000];

static void lang_report(void)
{
    ck_assert_msg(!*lang_wrong, "%s", lang_wrong);
}

static bool lang_check(const char *text, const char *how, jitk_type type, const char *want, uint64_t got)
{
    bool good = *want == '~' ? lang_near(type, want + 1, got)
                             : plain_same(kut_format(type), plain_parse(kut_format(type), want), got);
    size_t len = strlen(lang_wrong);
    if (!good && len < sizeof lang_wrong - 1)
        snprintf(lang_wrong + len, sizeof lang_wrong - len, "%s %s: %s: expected %s, got %.17g (%#llx)\n", how,
                 kut_type_name(type), text, want, kut_show(type, got), (unsigned long long)got);
    return good;
}

#define LANG_N 37

static void lang_run_kernel(const lang_row *row, jitk_type type, int isa, size_t n)
{
    static char in[4][8 * LANG_N], out[8 * LANG_N];
    const void *args[8];
    const char *want = type == JITK_F32 && row->want32 ? row->want32 : row->want;
    jitk_kernel *k = kut_compile(row->text, type, isa);
    size_t nargs = jitk_arg_count(k), i;
    jitk_arg_info info;
    ck_assert_msg(nargs >= 1 && nargs <= 5, "%s: %zu arguments", row->text, nargs);
    for (i = 0; i + 1 < nargs; i++) {
        ck_assert_msg(row->in[i] != NULL, "%s: more parameters than inputs", row->text);
        for (size_t j = 0; j < n; j++)
            kut_put(type, in[i], (ptrdiff_t)j, plain_parse(kut_format(type), row->in[i]));
        args[i] = in[i];
    }
    ck_assert_msg(i == 4 || row->in[i] == NULL, "%s: %zu parameters", row->text, i);
    args[i] = out;
    ck_assert_int_eq((int)jitk_arg(k, i, &info), (int)JITK_OK);
    ck_assert_msg(info.is_result, "%s", row->text);
    ck_assert_msg(jitk_callv(k, n, nargs, args) == JITK_OK, "%s: %s", row->text, jitk_last_error()->message);
    for (size_t j = 0; j < (info.is_array ? n : 1); j++)
        if (!lang_check(row->text, kut_isa_names[isa], type, want, kut_get(type, out, (ptrdiff_t)j)))
            break;
    jitk_free(k);
}

static uint64_t lang_call(jitk_fn f, size_t arity, jitk_type type, const uint64_t *v)
{
    unsigned saved = plain_enter();
    uint64_t u;
    if (type == JITK_F64) {
        double a = plain_double(v[0]), b = plain_double(v[1]), c = plain_double(v[2]), d = plain_double(v[3]);
        u = plain_double_bits(arity == 0   ? ((double (*)(void))f)()
                              : arity == 1 ? ((double (*)(double))f)(a)
                              : arity == 2 ? ((double (*)(double, double))f)(a, b)
                              : arity == 3 ? ((double (*)(double, double, double))f)(a, b, c)
                                           : ((double (*)(double, double, double, double))f)(a, b, c, d));
    } else {
        float a = plain_float(v[0]), b = plain_float(v[1]), c = plain_float(v[2]), d = plain_float(v[3]);
        u = plain_float_bits(arity == 0   ? ((float (*)(void))f)()
                             : arity == 1 ? ((float (*)(float))f)(a)
                             : arity == 2 ? ((float (*)(float, float))f)(a, b)
                             : arity == 3 ? ((float (*)(float, float, float))f)(a, b, c)
                                          : ((float (*)(float, float, float, float))f)(a, b, c, d));
    }
    plain_leave(saved);
    return u;
}

static void lang_run_function(const lang_row *row, jitk_type type, int isa)
{
    const char *want = type == JITK_F32 && row->want32 ? row->want32 : row->want;
    jitk_options o = lang_options(type, isa);
    jitk_error e;
    size_t arity = 99;
    uint64_t v[4] = {0, 0, 0, 0};
    kut_note(row->text, type, isa);
    jitk_fn f = jitk_function(row->text, &o, &arity, &e);
    ck_assert_msg(f != NULL, "%s: %s", row->text, e.message);
    ck_assert_msg(arity <= 4, "%s", row->text);
    for (size_t i = 0; i < 4 && row->in[i]; i++)
        v[i] = plain_parse(kut_format(type), row->in[i]);
    lang_check(row->text, "function", type, want, lang_call(f, arity, type, v));
    jitk_function_free(f);
}

START_TEST(values)
{
    if (!kut_isa(_i))
        return;
    for (size_t r = 0; r < KUT_COUNT(lang_rows); r++)
        for (int type = JITK_F64; type <= JITK_F32 && lang_rows[r].want; type++) {
            lang_run_kernel(&lang_rows[r], (jitk_type)type, _i, 1);
            lang_run_kernel(&lang_rows[r], (jitk_type)type, _i, LANG_N);
            if (_i != JITK_ISA_INTERP && !strstr(lang_rows[r].text, "[]"))
                lang_run_function(&lang_rows[r], (jitk_type)type, _i);
        }
    lang_report();
}
END_TEST

/* Rows without a value do not compile, or may not: they do not crash. */
START_TEST(refused_texts)
{
    jitk_error e;
    for (size_t r = 0; r < KUT_COUNT(lang_rows); r++) {
        jitk_kernel *k;
        if (lang_rows[r].want)
            continue;
        k = jitk_compile(lang_rows[r].text, NULL, &e);
        ck_assert_msg(lang_rows[r].want32 || (!k && e.status != JITK_OK && e.message[0]), "%s", lang_rows[r].text);
        jitk_free(k);
    }
}
END_TEST

/* The instruction sets that the compiler's runtime sees are those that the library offers, and no others. */
START_TEST(isa_matches_cpu)
{
    for (int isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++) {
        jitk_options o = lang_options(JITK_F64, isa);
        jitk_error e;
        jitk_kernel *k = jitk_compile("x + 1", &o, &e);
        if (kut_cpu_has(isa))
            ck_assert_msg(k != NULL, "%s: %s", kut_isa_names[isa], e.message);
        else
            ck_assert_msg(!k && e.status == JITK_ERR_UNSUPPORTED, "%s is not on this CPU", kut_isa_names[isa]);
        jitk_free(k);
    }
}
END_TEST

/* ---- powers: within 0.51 ULP, measured in extended precision ---- */

#if defined(__x86_64__)
START_TEST(power_accuracy)
{
    kut_rng rng = {kut_seed() + 77};
    static double x[1000], y[1000];
    if (!kut_isa(_i))
        return;
    for (int p = 5; p <= 16; p++) {
        char text[32];
        const void *args[2] = {x, y};
        snprintf(text, sizeof text, "x^%d", p);
        jitk_kernel *k = kut_compile(text, JITK_F64, _i);
        for (size_t i = 0; i < 1000; i++)
            x[i] = plain_double(kut_value(&rng, JITK_F64, KUT_TAME));
        ck_assert_int_eq((int)jitk_callv(k, 1000, 2, args), (int)JITK_OK);
        for (size_t i = 0; i < 1000; i++) {
            long double exact = 1, ulp;
            for (int j = 0; j < p; j++)
                exact *= (long double)x[i];
            uint64_t u = plain_double_bits(y[i]) & ~plain_f64.sign;
            ulp = (long double)plain_double(u + 1) - (long double)plain_double(u);
            long double miss = ((long double)y[i] - exact) / ulp;
            ck_assert_msg(miss < 0.52L && miss > -0.52L, "%s at %a: %a is %Lg ULP off", text, x[i], y[i], miss);
        }
        jitk_free(k);
    }
}
END_TEST

/* f32: an f64 product of up to 16 factors is exact enough to judge. */
START_TEST(power_accuracy_f32)
{
    kut_rng rng = {kut_seed() + 78};
    static float x[1000], y[1000];
    if (!kut_isa(_i))
        return;
    for (int p = 5; p <= 16; p++) {
        char text[32];
        const void *args[2] = {x, y};
        snprintf(text, sizeof text, "x^%d", p);
        jitk_kernel *k = kut_compile(text, JITK_F32, _i);
        for (size_t i = 0; i < 1000; i++)
            x[i] = plain_float(kut_value(&rng, JITK_F32, KUT_TAME));
        ck_assert_int_eq((int)jitk_callv(k, 1000, 2, args), (int)JITK_OK);
        for (size_t i = 0; i < 1000; i++) {
            long double exact = 1;
            for (int j = 0; j < p; j++)
                exact *= (long double)x[i];
            uint64_t u = plain_float_bits(y[i]) & ~plain_f32.sign;
            long double ulp = (long double)plain_float(u + 1) - (long double)plain_float(u);
            long double miss = ((long double)y[i] - exact) / ulp;
            ck_assert_msg(miss < 0.52L && miss > -0.52L, "%s at %a: %a is %Lg ULP off", text, (double)x[i],
                          (double)y[i], miss);
        }
        jitk_free(k);
    }
}
END_TEST
#endif

/* ---- reductions ---- */

START_TEST(reductions)
{
    const void *args[2];
    if (!kut_isa(_i))
        return;
    for (size_t r = 0; r < 2 * KUT_COUNT(lang_reductions); r++) {
        const lang_reduction *row = &lang_reductions[r / 2];
        jitk_type type = r & 1 ? JITK_F32 : JITK_F64;
        const char *want = type == JITK_F32 && row->want32 ? row->want32 : row->want, *p = row->elements;
        char x[32 * 8], out[8];
        size_t n = 0;
        while (*p) {
            char word[40];
            size_t len = strcspn(p, " ");
            snprintf(word, sizeof word, "%.*s", (int)len, p);
            kut_put(type, x, (ptrdiff_t)n++, plain_parse(kut_format(type), word));
            p += len + strspn(p + len, " ");
        }
        jitk_kernel *k = kut_compile(row->text, type, _i);
        args[0] = x;
        args[1] = out;
        ck_assert_msg(jitk_callv(k, n, 2, args) == JITK_OK, "%s: %s", row->text, jitk_last_error()->message);
        lang_check(row->text, kut_isa_names[_i], type, want, kut_get(type, out, 0));
        jitk_free(k);
    }
    lang_report();
}
END_TEST

/* A uniform argument counts n times; without arrays a sum is a scalar all the same. */
START_TEST(uniform_arguments)
{
    if (!kut_isa(_i))
        return;
    for (size_t n = 0; n < 3000; n = n * 3 + 1) {
        double a = 0.5, sum, one;
        const void *args[2] = {&a, &sum}, *only[1] = {&one};
        jitk_kernel *k = kut_compile("k(a) = sum(a)", JITK_F64, _i), *k1 = kut_compile("sum(1)", JITK_F64, _i);
        ck_assert_int_eq((int)jitk_callv(k, n, 2, args), (int)JITK_OK);
        ck_assert_int_eq((int)jitk_callv(k1, n, 1, only), (int)JITK_OK);
        ck_assert(sum == 0.5 * (double)n);
        ck_assert(one == (double)n);
        jitk_free(k);
        jitk_free(k1);
    }
}
END_TEST

/* ---- element types ---- */

START_TEST(element_types)
{
    static const double in[] = {
        0, 1, 127.5, 128.5, 255.4, 256, -1, 1e30, -1e30, 2.5, 2147483647.5, -2147483649.0, 9007199254740993.0};
    static const unsigned char want_u8[] = {0, 1, 128, 128, 255, 255, 0, 255, 0, 2, 255, 0, 255};
    static const int want_i32[] = {
        0, 1, 128, 128, 255, 256, -1, 2147483647, -2147483647 - 1, 2, 2147483647, -2147483647 - 1, 2147483647};
    enum { N = 13 };
    unsigned char u8[N], twice[N];
    int i32[N];
    long long i64[N], where;
    double nan_in = plain_double(plain_f64.inf + 1), sum;
    const void *a[3];
    jitk_kernel *k;
    if (!kut_isa(_i))
        return;
    a[0] = in;
    k = kut_compile("k(x[]) -> u8 = x", JITK_F64, _i);
    a[1] = u8;
    ck_assert_int_eq((int)jitk_callv(k, N, 2, a), (int)JITK_OK);
    ck_assert_mem_eq(u8, want_u8, N);
    a[0] = &nan_in;
    u8[0] = 77;
    ck_assert_int_eq((int)jitk_callv(k, 1, 2, a), (int)JITK_OK);
    ck_assert_int_eq(u8[0], 0);
    jitk_free(k);
    a[0] = in;
    k = kut_compile("k(x[]) -> i32 = x", JITK_F64, _i);
    a[1] = i32;
    ck_assert_int_eq((int)jitk_callv(k, N, 2, a), (int)JITK_OK);
    ck_assert_mem_eq(i32, want_i32, sizeof want_i32);
    jitk_free(k);
    k = kut_compile("k(x[]) -> i64 = x", JITK_F64, _i);
    a[1] = i64;
    ck_assert_int_eq((int)jitk_callv(k, N, 2, a), (int)JITK_OK);
    ck_assert(i64[7] == INT64_MAX && i64[8] == INT64_MIN && i64[12] == 9007199254740992 && i64[9] == 2);
    jitk_free(k);
    for (int i = 0; i < N; i++)
        u8[i] = (unsigned char)(20 * i);
    k = kut_compile("k(x: u8[]) -> u8 = 2*x", JITK_F32, _i);
    a[0] = u8;
    a[1] = twice;
    ck_assert_int_eq((int)jitk_callv(k, N, 2, a), (int)JITK_OK);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(twice[i], 40 * i > 255 ? 255 : 40 * i);
    jitk_free(k);
    k = kut_compile("k(x: i64[]) = sum(x)", JITK_F64, _i);
    for (int i = 0; i < N; i++)
        i64[i] = (long long)i * 1000000007;
    a[0] = i64;
    a[1] = &sum;
    ck_assert_int_eq((int)jitk_callv(k, N, 2, a), (int)JITK_OK);
    ck_assert(sum == 78.0 * 1000000007);
    jitk_free(k);
    k = kut_compile("k(x[]) -> i64 = argmax(x)", JITK_F64, _i);
    a[0] = in;
    a[1] = &where;
    ck_assert_int_eq((int)jitk_callv(k, N, 2, a), (int)JITK_OK);
    ck_assert(where == 7);
    jitk_free(k);
}
END_TEST

/* ---- results over inputs ---- */

START_TEST(in_place)
{
    double x[70], y[70], z[140], before[140];
    const void *a[3];
    static const ptrdiff_t two[3] = {2, 2, 2};
    if (!kut_isa(_i))
        return;
    for (size_t n = 1; n <= 70; n += 3) {
        jitk_kernel *k = kut_compile("2*x", JITK_F64, _i);
        for (size_t i = 0; i < n; i++)
            x[i] = y[i] = (double)i + 0.5;
        a[0] = a[1] = x;
        ck_assert_int_eq((int)jitk_callv(k, n, 2, a), (int)JITK_OK);
        for (size_t i = 0; i < n; i++)
            ck_assert_msg(x[i] == 2 * y[i], "n=%zu element %zu: %g", n, i, x[i]);
        a[1] = x + 1; /* shifted by one: refused, and nothing is written */
        if (n > 1) {
            memcpy(y, x, sizeof y);
            ck_assert_int_eq((int)jitk_callv(k, n - 1, 2, a), (int)JITK_ERR_ARGS);
            ck_assert_mem_eq(x, y, n * sizeof *x);
        }
        jitk_free(k);
        /* interleaved real and imaginary parts: the square's real part over the real parts, n pairs */
        k = kut_compile("k(re[], im[]) = re*re - im*im", JITK_F64, _i);
        for (size_t i = 0; i < 2 * n; i++)
            z[i] = before[i] = (double)(i * 7 % 11) - 4;
        a[0] = a[2] = z;
        a[1] = z + 1;
        ck_assert_int_eq((int)jitk_call_strided(k, n, 3, a, two), (int)JITK_OK);
        for (size_t i = 0; i < n; i++)
            ck_assert_msg(z[2 * i] == before[2 * i] * before[2 * i] - before[2 * i + 1] * before[2 * i + 1] &&
                              z[2 * i + 1] == before[2 * i + 1],
                          "n=%zu pair %zu", n, i);
        jitk_free(k);
    }
}
END_TEST

START_TEST(equal_outputs)
{
    double x[3] = {1, 2, 3}, y[3] = {7, 7, 7}, z[3];
    const void *same[3] = {x, y, y}, *apart[3] = {x, y, z};
    jitk_options o = lang_options(JITK_F64, _i);
    jitk_error e;
    if (!kut_isa(_i))
        return;
    jitk_kernel *k = jitk_compile("k(x[]) = x, x + 1", &o, &e);
    if (!k) { /* several results may wait for their own issue, and say so */
        ck_assert_int_eq((int)e.status, (int)JITK_ERR_UNSUPPORTED);
        return;
    }
    ck_assert_int_eq((int)jitk_callv(k, 3, 3, same), (int)JITK_ERR_ARGS);
    ck_assert(y[0] == 7 && y[1] == 7 && y[2] == 7);
    ck_assert_int_eq((int)jitk_callv(k, 3, 3, apart), (int)JITK_OK);
    ck_assert(y[2] == 3 && z[2] == 4);
    jitk_free(k);
}
END_TEST

/* JITK_CONTRACT lets a*b + c be either; JITK_STRICT changes nothing here. */
START_TEST(flags)
{
    double a = 0.1, b = 10, c = -1, r;
    const void *args[4] = {&a, &b, &c, &r};
    jitk_options o = lang_options(JITK_F64, _i);
    jitk_kernel *k;
    if (!kut_isa(_i))
        return;
    o.flags = JITK_CONTRACT;
    k = jitk_compile("a*b + c", &o, NULL);
    ck_assert_ptr_nonnull(k);
    ck_assert_int_eq((int)jitk_callv(k, 1, 4, args), (int)JITK_OK);
    ck_assert(r == 0 || r == plain_double(plain_parse(&plain_f64, "0x1p-54")));
    jitk_free(k);
    o.flags = JITK_STRICT;
    k = jitk_compile("a*b + c", &o, NULL);
    ck_assert_ptr_nonnull(k);
    ck_assert_int_eq((int)jitk_callv(k, 1, 4, args), (int)JITK_OK);
    ck_assert(r == 0);
    jitk_free(k);
    o.flags = JITK_STRICT | JITK_CONTRACT;
    ck_assert_ptr_null(jitk_compile("a*b + c", &o, NULL));
    ck_assert_int_eq((int)jitk_last_error()->status, (int)JITK_ERR_ARGS);
}
END_TEST

/* ---- errors ---- */

static void lang_check_error(const lang_error *row, const jitk_error *e)
{
    bool good = (row->status ? e->status == row->status : e->status != JITK_OK) &&
                (!row->line || e->line == row->line) && (!row->column || e->column == row->column) &&
                (!row->length || e->length == row->length) && strstr(e->message, row->message) && e->message[0];
    if (!good)
        ck_abort_msg("\"%s\": expected status %d at %zu:%zu+%zu with \"%s\"; got %d at %zu:%zu+%zu: %s", row->text,
                     (int)row->status, row->line, row->column, row->length, row->message, (int)e->status, e->line,
                     e->column, e->length, e->message);
}

START_TEST(errors)
{
    const lang_error *row = &lang_errors[_i];
    jitk_error e;
    size_t arity;
    memset(&e, 0x55, sizeof e);
    jitk_kernel *k = jitk_compile(row->text, NULL, &e);
    ck_assert_msg(!k, "\"%s\" compiles", row->text);
    lang_check_error(row, &e);
    lang_check_error(row, jitk_last_error());
    ck_assert_msg(strlen(e.message) < sizeof e.message && e.column + e.length <= strlen(row->text) + 2,
                  "\"%s\": %zu+%zu is beyond the text", row->text, e.column, e.length);
    ck_assert_ptr_null(jitk_compile(row->text, NULL, NULL));
    /* as a scalar function as well */
    memset(&e, 0x55, sizeof e);
    ck_assert_msg(!jitk_function(row->text, NULL, &arity, &e), "\"%s\" makes a function", row->text);
    ck_assert_msg(e.status != JITK_OK && e.message[0], "\"%s\"", row->text);
}
END_TEST

START_TEST(errors_of_the_type)
{
    jitk_options o = lang_options(JITK_F32, JITK_ISA_AUTO);
    jitk_error e;
    jitk_kernel *k = jitk_compile("1e39", NULL, &e); /* fits a double */
    ck_assert_ptr_nonnull(k);
    ck_assert_int_eq((int)e.status, (int)JITK_OK);
    jitk_free(k);
    ck_assert_ptr_null(jitk_compile("1e39", &o, &e));
    ck_assert_int_eq((int)e.status, (int)JITK_ERR_TYPE);
    ck_assert_uint_eq(e.column, 1);
    ck_assert_uint_eq(e.length, 4);
    k = jitk_compile("3.4028235e38", &o, &e);
    ck_assert_ptr_nonnull(k);
    jitk_free(k);
    ck_assert_ptr_null(jitk_compile("3.4028236e38", &o, &e));
}
END_TEST

/* A scalar function has no arrays, no reductions, one result. */
START_TEST(errors_of_functions)
{
    static const char *const texts[] = {"sum(x)", "f(x[]) = x", "1 + max(x)", "length() + x"};
    jitk_error e;
    size_t arity;
    for (size_t i = 0; i < KUT_COUNT(texts); i++) {
        ck_assert_msg(!jitk_function(texts[i], NULL, &arity, &e), "%s", texts[i]);
        ck_assert_msg(e.status == JITK_ERR_TYPE, "%s: %d %s", texts[i], (int)e.status, e.message);
    }
}
END_TEST

/* ---- limits ---- */

START_TEST(long_names)
{
    char text[200];
    jitk_error e;
    memset(text, 'a', sizeof text);
    text[63] = 0;
    jitk_kernel *k = jitk_compile(text, NULL, &e);
    ck_assert_ptr_nonnull(k);
    jitk_free(k);
    text[63] = 'a';
    text[64] = 0;
    ck_assert_ptr_null(jitk_compile(text, NULL, &e));
    ck_assert_int_eq((int)e.status, (int)JITK_ERR_LIMIT);
}
END_TEST

START_TEST(text_beyond_the_limit)
{
    size_t size = ((size_t)16 << 20) + 1;
    char *text = (char *)malloc(size + 1);
    jitk_error e;
    ck_assert_ptr_nonnull(text);
    memset(text, ' ', size);
    text[size] = 0;
    text[0] = 'x';
    ck_assert_ptr_null(jitk_compile(text, NULL, &e));
    ck_assert_int_eq((int)e.status, (int)JITK_ERR_LIMIT);
    text[size - 2] = 0; /* 16 MiB less a byte: spaces are fine */
    jitk_kernel *k = jitk_compile(text, NULL, &e);
    ck_assert_msg(k != NULL, "%s", e.message);
    jitk_free(k);
    free(text);
}
END_TEST

/* ---- any size ---- */

#define LANG_BIG_N 21

START_TEST(any_size)
{
    int isa = KUT_FIRST_ISA + _i / (int)BIG_COUNT;
    const big_row *row = &big_rows[(size_t)_i % BIG_COUNT];
    if (!kut_isa(isa))
        return;
    for (int t = JITK_F64; t <= JITK_F32; t++) {
        jitk_type type = (jitk_type)t;
        static char in[BIG_ARRAYS][8 * LANG_BIG_N], out[8 * LANG_BIG_N];
        const void *args[BIG_ARRAYS + 1];
        const plain_format *f = kut_format(type);
        kut_rng rng = {kut_seed() + (uint64_t)_i};
        kut_text b = {NULL, 0, 0};
        uint64_t x[BIG_ARRAYS];
        for (size_t a = 0; a < BIG_ARRAYS; a++) {
            kut_fill(&rng, type, row->whole ? KUT_WHOLE : KUT_TAME, in[a], LANG_BIG_N);
            x[a] = kut_get(type, in[a], 0);
            args[a] = in[a];
        }
        row->make(&b, f, x);
        jitk_options o = lang_options(type, isa);
        jitk_error e;
        kut_note(row->name, type, isa);
        jitk_kernel *k = jitk_compile(b.at, &o, &e);
        ck_assert_msg(k != NULL, "%s %s %s: %s", row->name, kut_isa_names[isa], kut_type_name(type), e.message);
        size_t nargs = jitk_arg_count(k);
        ck_assert_uint_eq(nargs, row->arrays + 1);
        args[nargs - 1] = out;
        ck_assert_int_eq((int)jitk_callv(k, LANG_BIG_N, nargs, args), (int)JITK_OK);
        for (ptrdiff_t i = 0; i < LANG_BIG_N; i++) {
            for (size_t a = 0; a < BIG_ARRAYS; a++)
                x[a] = kut_get(type, in[a], i);
            unsigned saved = plain_enter();
            uint64_t want = row->make(NULL, f, x), got = kut_get(type, out, i);
            plain_leave(saved);
            ck_assert_msg(plain_same(f, want, got), "%s %s %s: element %td: expected %.17g, got %.17g", row->name,
                          kut_isa_names[isa], kut_type_name(type), i, kut_show(type, want), kut_show(type, got));
        }
        jitk_free(k);
        free(b.at);
    }
}
END_TEST

/* 300 reductions in one kernel: each has its accumulators. */
START_TEST(many_reductions)
{
    kut_text b = {NULL, 0, 0};
    double x[50], want = 0, got;
    const void *args[2] = {x, &got};
    char term[64];
    if (!kut_isa(_i))
        return;
    for (int i = 0; i < 50; i++)
        x[i] = i % 7 - 2;
    for (int i = 0; i < 300; i++) {
        double s = 0;
        snprintf(term, sizeof term, "%ssum(x*%d + 1)", i ? " + " : "", i % 50 + i / 50 * 100);
        kut_puts(&b, term);
        for (int j = 0; j < 50; j++)
            s += x[j] * (i % 50 + i / 50 * 100) + 1;
        want += s;
    }
    jitk_kernel *k = kut_compile(b.at, JITK_F64, _i);
    ck_assert_int_eq((int)jitk_callv(k, 50, 2, args), (int)JITK_OK);
    ck_assert_msg(got == want, "expected %.17g, got %.17g", want, got); /* whole numbers: exact in any order */
    jitk_free(k);
    free(b.at);
}
END_TEST

Suite *suite_language(void)
{
    Suite *s = suite_create("language");
    TCase *t = tcase_create("values"), *e = tcase_create("errors"), *big = tcase_create("size");
    kut_say_skipped("language");
    tcase_add_checked_fixture(t, kut_explain_crashes, NULL);
    tcase_set_timeout(t, 300);
    tcase_add_test(t, isa_matches_cpu);
    tcase_add_loop_test(t, values, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, reductions, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, uniform_arguments, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, element_types, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, in_place, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, equal_outputs, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, flags, KUT_FIRST_ISA, KUT_END_ISA);
#if defined(__x86_64__)
    tcase_add_loop_test(t, power_accuracy, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(t, power_accuracy_f32, KUT_FIRST_ISA, KUT_END_ISA);
#endif
    suite_add_tcase(s, t);
    tcase_add_checked_fixture(e, kut_explain_crashes, NULL);
    tcase_set_timeout(e, 300);
    tcase_add_test(e, refused_texts);
    tcase_add_loop_test(e, errors, 0, (int)KUT_COUNT(lang_errors));
    tcase_add_test(e, errors_of_the_type);
    tcase_add_test(e, errors_of_functions);
    tcase_add_test(e, long_names);
    tcase_add_test(e, text_beyond_the_limit);
    suite_add_tcase(s, e);
    tcase_add_checked_fixture(big, kut_explain_crashes, NULL);
    tcase_set_timeout(big, 600);
    tcase_add_loop_test(big, any_size, 0, (KUT_END_ISA - KUT_FIRST_ISA) * (int)BIG_COUNT);
    tcase_add_loop_test(big, many_reductions, KUT_FIRST_ISA, KUT_END_ISA);
    suite_add_tcase(s, big);
    return s;
}
