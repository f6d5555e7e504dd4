/* The interface: what api.h promises of arguments, errors, overlaps, jitk_eval's cache, function pointers and looking
 * inside. Values are simple here; other suites look at arithmetic. check_api_cpp.cpp does the same calls from C++. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fork, pthreads, open_memstream */
#endif
#include "suites.h"
#include "kernels_under_test.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C"
#endif
    const char *
    check_api_from_cpp(void);

static jitk_kernel *api_kernel(const char *source)
{
    jitk_error e;
    jitk_kernel *k = jitk_compile(source, NULL, &e);
    ck_assert_msg(k != NULL, "%s: %s", source, e.message);
    ck_assert_int_eq(e.status, JITK_OK);
    ck_assert_uint_eq(e.line + e.column + e.length, 0);
    return k;
}

/* The last failure is this one and says this. */
static void api_failed(jitk_status got, jitk_status expected, const char *says)
{
    const jitk_error *e = jitk_last_error();
    ck_assert_msg(got == expected, "status %d, expected %d (%s): %s", got, expected, says, e->message);
    ck_assert_int_eq(e->status, expected);
    ck_assert_msg(strstr(e->message, says) != NULL, "\"%s\" does not say \"%s\"", e->message, says);
}

/* ---- tags ---- */

/* Each element type as parameter and result, against a pointer of each type. */
#define API_TYPES(X) X(double, "f64") X(float, "f32") X(int64_t, "i64") X(int32_t, "i32") X(uint8_t, "u8")

enum { API_TYPE_COUNT = 5, API_POINTERS = 8 };
static const char *const api_type_names[API_TYPE_COUNT] = {
#define API_ROW(type, name) name,
    API_TYPES(API_ROW)
#undef API_ROW
};

static double api_doubles[16];
static float api_floats[16];
static int64_t api_longs[16];
static long long api_long_longs[16];
static int32_t api_ints[16];
static uint8_t api_bytes[16];

/* The call with an input of type number `in` and a result of type number `out`; 5 is long long, 6 void, 7 const. */
static jitk_status api_call_in(const jitk_kernel *k, int in, double *out)
{
    switch (in) {
    case 0:
        return jitk_call(k, 3, api_doubles, out);
    case 1:
        return jitk_call(k, 3, api_floats, out);
    case 2:
        return jitk_call(k, 3, api_longs, out);
    case 3:
        return jitk_call(k, 3, api_ints, out);
    case 4:
        return jitk_call(k, 3, api_bytes, out);
    default:
        return jitk_call(k, 3, api_long_longs, out);
    }
}

static jitk_status api_call_const(const jitk_kernel *k, int in, double *out)
{
    const double *d = api_doubles;
    const float *f = api_floats;
    const int64_t *l = api_longs;
    const int32_t *i = api_ints;
    const uint8_t *b = api_bytes;
    const long long *ll = api_long_longs;
    switch (in) {
    case 0:
        return jitk_call(k, 3, d, out);
    case 1:
        return jitk_call(k, 3, f, out);
    case 2:
        return jitk_call(k, 3, l, out);
    case 3:
        return jitk_call(k, 3, i, out);
    case 4:
        return jitk_call(k, 3, b, out);
    default:
        return jitk_call(k, 3, ll, out);
    }
}

static jitk_status api_call_out(const jitk_kernel *k, int out)
{
    switch (out) {
    case 0:
        return jitk_call(k, 3, 1, api_doubles);
    case 1:
        return jitk_call(k, 3, 1, api_floats);
    case 2:
        return jitk_call(k, 3, 1, api_longs);
    case 3:
        return jitk_call(k, 3, 1, api_ints);
    case 4:
        return jitk_call(k, 3, 1, api_bytes);
    default:
        return jitk_call(k, 3, 1, api_long_longs);
    }
}

START_TEST(every_type_of_pointer)
{
    char text[64];
    double sum = 0;
    int have;
    const void *any = api_doubles;
    size_t i;
    jitk_kernel *in, *out;
    const void *const inputs[] = {api_doubles, api_floats, api_longs, api_ints, api_bytes};
    for (i = 0; i < 3; i++) {
        api_doubles[i] = api_floats[i] = 2.0f;
        api_longs[i] = api_long_longs[i] = api_ints[i] = api_bytes[i] = 2;
    }
    snprintf(text, sizeof text, "(x: %s[]) -> f64 = sum(x)", api_type_names[_i]);
    in = api_kernel(text);
    snprintf(text, sizeof text, "(x[]) -> %s = x + 1", api_type_names[_i]);
    out = api_kernel(text);
    for (have = 0; have <= API_TYPE_COUNT; have++) {
        bool fits = have == _i || (have == API_TYPE_COUNT && _i == JITK_I64);
        sum = -1;
        if (fits) {
            ck_assert_int_eq(api_call_in(in, have, &sum), JITK_OK);
            ck_assert(sum == 6);
            ck_assert_int_eq(api_call_const(in, have, &sum), JITK_OK);
            ck_assert_int_eq(api_call_out(out, have), JITK_OK);
        } else {
            api_failed(api_call_in(in, have, &sum), JITK_ERR_TYPE, "argument 1 (x): ");
            api_failed(api_call_const(in, have, &sum), JITK_ERR_TYPE, "argument 1 (x): ");
            api_failed(api_call_out(out, have), JITK_ERR_TYPE, "argument 2 (result 1): ");
            ck_assert(sum == -1);
        }
    }
    any = inputs[_i];
    ck_assert_int_eq(jitk_call(in, 3, any, &sum), JITK_OK);
    switch (_i) {
    case JITK_F64:
        ck_assert(api_doubles[0] == 2 && api_doubles[2] == 2);
        break;
    case JITK_F32:
        ck_assert(api_floats[0] == 2 && api_floats[2] == 2);
        break;
    case JITK_I64:
        ck_assert(api_longs[0] == 2 && api_long_longs[2] == 2);
        break;
    case JITK_I32:
        ck_assert(api_ints[0] == 2 && api_ints[2] == 2);
        break;
    default:
        ck_assert(api_bytes[0] == 2 && api_bytes[2] == 2);
    }
    jitk_free(in);
    jitk_free(out);
}
END_TEST

/* A number of each arithmetic type sets a scalar of each type and stands for equal elements. */
/* clang-format off */
#define API_NUMBERS(X) \
    X(bool, true, 1) \
    X(char, 7, 7) \
    X(signed char, -7, -7) \
    X(unsigned char, 200, 200) \
    X(short, -3000, -3000) \
    X(unsigned short, 60000, 60000) \
    X(int, -70000, -70000) \
    X(unsigned, 4000000000u, 4000000000.0) \
    X(long, -5000000000, -5000000000.0) \
    X(unsigned long, 5000000000, 5000000000.0) \
    X(long long, -9007199254740991, -9007199254740991.0) \
    X(unsigned long long, 9007199254740991u, 9007199254740991.0) \
    X(float, 1.5f, 1.5) \
    X(double, -0.1, -0.1) \
    X(long double, 2.25L, 2.25)
/* clang-format on */

START_TEST(numbers_by_value)
{
    double out = 0, sum = 0;
    jitk_kernel *scalar = api_kernel("f(a, x[]) = a + 0*sum(x)"), *array = api_kernel("(x[], y[]) = sum(x + 0*y)");
    double y[3] = {0, 0, 0};
#define API_ROW(type, value, expected)                                     \
    {                                                                      \
        type number = value;                                               \
        const type constant = value;                                       \
        ck_assert_int_eq(jitk_call(scalar, 3, number, y, &out), JITK_OK);  \
        ck_assert_msg(out == (expected), "%s: %.17g", #type, out);         \
        ck_assert_int_eq(jitk_call(array, 1, constant, y, &sum), JITK_OK); \
        ck_assert_msg(sum == (expected), "%s: %.17g", #type, sum);         \
    }
    API_NUMBERS(API_ROW)
#undef API_ROW
    ck_assert_int_eq(jitk_call(array, 3, 0.5, y, &sum), JITK_OK);
    ck_assert(sum == 1.5);
    jitk_free(scalar);
    jitk_free(array);
}
END_TEST

/* What a store would make of it: one rounding, whole numbers to nearest even, saturating, 0 for NaN. */
START_TEST(numbers_convert_like_stores)
{
    static const struct {
        double number;
        int64_t i64;
        int32_t i32;
        uint8_t u8;
    } rows[] = {{0.5, 0, 0, 0},
                {1.5, 2, 2, 2},
                {2.5, 2, 2, 2},
                {-1.5, -2, -2, 0},
                {255.5, 256, 256, 255},
                {3e9, 3000000000, INT32_MAX, 255},
                {-3e9, -3000000000, INT32_MIN, 0},
                {1e300, INT64_MAX, INT32_MAX, 255},
                {-1e300, INT64_MIN, INT32_MIN, 0}};
    jitk_kernel *k64 = api_kernel("(k: i64, x[]) -> i64 = k + 0*sum(x)");
    jitk_kernel *k32 = api_kernel("(k: i32, x[]) -> i64 = k + 0*sum(x)");
    jitk_kernel *k8 = api_kernel("(k: u8, x[]) -> i64 = k + 0*sum(x)"), *f32, *f64;
    double zero = 0, nan = plain_double(0x7ff8000000000000u), out64;
    float zerof = 0, out32;
    jitk_options single;
    int64_t got;
    size_t i;
    for (i = 0; i < KUT_COUNT(rows); i++) {
        ck_assert_int_eq(jitk_call(k64, 1, rows[i].number, &zero, &got), JITK_OK);
        if (rows[i].i64 > INT64_MIN && rows[i].i64 < INT64_MAX)
            ck_assert_int_eq(got, rows[i].i64);
        ck_assert_int_eq(jitk_call(k32, 1, rows[i].number, &zero, &got), JITK_OK);
        ck_assert_int_eq(got, rows[i].i32);
        ck_assert_int_eq(jitk_call(k8, 1, rows[i].number, &zero, &got), JITK_OK);
        ck_assert_int_eq(got, rows[i].u8);
        ck_assert_int_eq(jitk_call(k8, 1, (long double)rows[i].number, &zero, &got), JITK_OK);
        ck_assert_int_eq(got, rows[i].u8);
        ck_assert_int_eq(jitk_call(k32, 1, (long double)rows[i].number, &zero, &got), JITK_OK);
        ck_assert_int_eq(got, rows[i].i32);
    }
    ck_assert_int_eq(jitk_call(k64, 1, nan, &zero, &got), JITK_OK);
    ck_assert_int_eq(got, 0);
    ck_assert_int_eq(jitk_call(k32, 1, 0xffffffffffffffffu, &zero, &got), JITK_OK);
    ck_assert_int_eq(got, INT32_MAX);
    memset(&single, 0, sizeof single);
    single.type = JITK_F32;
    f64 = api_kernel("(a, x[]) = a + 0*sum(x)");
    f32 = jitk_compile("(a, x[]) = a + 0*sum(x)", &single, NULL);
    ck_assert_ptr_nonnull(f32);
    ck_assert_int_eq(jitk_call(f64, 1, 0xffffffffffffffffu, &zero, &out64), JITK_OK);
    ck_assert(out64 == 18446744073709551616.0);
    /* Just above the middle of two floats: through a double it would become the middle and go to even. */
    ck_assert_int_eq(jitk_call(f32, 1, 0x8000008000000001u, &zerof, &out32), JITK_OK);
    ck_assert(out32 == 9223373136366403584.0f);
    ck_assert_int_eq(jitk_call(f32, 1, 1.0L + 0x1p-24L + 0x1p-60L, &zerof, &out32), JITK_OK);
    ck_assert(out32 == 1.0f + 0x1p-23f);
    ck_assert_int_eq(jitk_call(f32, 1, -(1.0L + 0x1p-24L), &zerof, &out32), JITK_OK);
    ck_assert(out32 == -1.0f);
    ck_assert_int_eq(jitk_call(f64, 1, 1.0L + 0x1p-53L + 0x1p-63L, &zero, &out64), JITK_OK);
    ck_assert(out64 == 1.0 + 0x1p-52);
    ck_assert_int_eq(jitk_call(f64, 1, 0x1.8p-1074L, &zero, &out64), JITK_OK);
    ck_assert(kut_get(JITK_F64, &out64, 0) == 2);
    ck_assert_int_eq(jitk_call(f64, 1, -0x1p-1075L, &zero, &out64), JITK_OK);
    ck_assert(out64 == 0);
    ck_assert_int_eq(jitk_call(f64, 1, 0x1p1024L, &zero, &out64), JITK_OK);
    ck_assert(kut_get(JITK_F64, &out64, 0) == 0x7ff0000000000000u);
    ck_assert_int_eq(jitk_call(f32, 1, 1e39L, &zerof, &out32), JITK_OK);
    ck_assert(kut_get(JITK_F32, &out32, 0) == 0x7f800000u);
    ck_assert_int_eq(jitk_call(k64, 1, 0x1p64L, &zero, &got), JITK_OK);
    ck_assert_int_eq(jitk_call(k32, 1, -2.5L, &zero, &got), JITK_OK);
    ck_assert_int_eq(got, -2);
    jitk_free(k64);
    jitk_free(k32);
    jitk_free(k8);
    jitk_free(f32);
    jitk_free(f64);
}
END_TEST

/* ---- errors of a call ---- */

START_TEST(wrong_arguments)
{
    jitk_kernel *k = api_kernel("f(a, x[]) = a*x"), *s = api_kernel("f(a, x[]) = sum(a*x)");
    double x[4] = {1, 2, 3, 4}, out[4] = {9, 9, 9, 9}, a = 2, sum = 9;
    const double *constant = out;
    double *none = NULL;
    const void *args[3];
    args[0] = &a;
    args[1] = x;
    args[2] = out;
    api_failed(jitk_call(k, 4), JITK_ERR_ARGS, "0 arguments");
    api_failed(jitk_call(k, 4, a, x), JITK_ERR_ARGS, "2 arguments");
    api_failed(jitk_call(k, 4, a, x, out, out), JITK_ERR_ARGS, "4 arguments");
    api_failed(jitk_callv(k, 4, 2, args), JITK_ERR_ARGS, "2 arguments");
    api_failed(jitk_callv(k, 4, 3, NULL), JITK_ERR_ARGS, "NULL");
    api_failed(jitk_call((jitk_kernel *)NULL, 4, a, x, out), JITK_ERR_ARGS, "kernel is NULL");
    api_failed(jitk_call(k, 4, a, x, 1.0), JITK_ERR_TYPE, "argument 3 (result 1): a number");
    api_failed(jitk_call(k, 4, a, x, constant), JITK_ERR_TYPE, "const");
    api_failed(jitk_call(s, 4, a, x, constant), JITK_ERR_TYPE, "const");
    api_failed(jitk_call(s, 4, a, x, 1), JITK_ERR_TYPE, "a number");
    api_failed(jitk_call(k, 4, a, none, out), JITK_ERR_ARGS, "argument 2 (x): NULL");
    api_failed(jitk_call(k, 4, a, x, none), JITK_ERR_ARGS, "argument 3 (result 1): NULL");
    api_failed(jitk_call(k, 4, none, x, out), JITK_ERR_ARGS, "argument 1 (a): NULL for a scalar");
    api_failed(jitk_call(k, 0, none, x, out), JITK_ERR_ARGS, "argument 1 (a): NULL for a scalar");
    api_failed(jitk_call(s, 0, a, x, none), JITK_ERR_ARGS, "argument 3 (result 1): NULL for a scalar");
    api_failed(jitk_call(k, -1, a, x, out), JITK_ERR_ARGS, "n is");
    api_failed(jitk_call(k, (size_t)PTRDIFF_MAX / 8 + 1, a, x, out), JITK_ERR_ARGS, "n is");
    api_failed(jitk_callv(k, SIZE_MAX, 3, args), JITK_ERR_ARGS, "n is");
    ck_assert(out[0] == 9 && out[3] == 9 && sum == 9);
    ck_assert_int_eq(jitk_call(k, 0, a, none, none), JITK_OK);
    ck_assert_int_eq(jitk_call(s, 0, &a, none, &sum), JITK_OK);
    ck_assert(sum == 0);
    ck_assert_int_eq(jitk_callv(k, 4, 3, args), JITK_OK);
    ck_assert(out[3] == 8);
    jitk_free(k);
    jitk_free(s);
    jitk_free(NULL);
}
END_TEST

/* n of every integer type. */
START_TEST(any_n)
{
    jitk_kernel *k = api_kernel("(x[]) = sum(x + 1)");
    double x[8] = {0}, s;
    unsigned char n1 = 5;
    short n2 = 5;
    unsigned n3 = 5;
    long long n4 = 5;
    enum { n5 = 5 };
#define API_N(n)                                       \
    s = 0;                                             \
    ck_assert_int_eq(jitk_call(k, n, x, &s), JITK_OK); \
    ck_assert(s == 5);
    API_N(n1)
    API_N(n2)
    API_N(n3)
    API_N(n4)
    API_N(n5)
    API_N(5ul)
    API_N(n1 < n4 ? 0 : n3)
#undef API_N
    jitk_free(k);
}
END_TEST

/* As many arguments as the macro takes, and as jitk_callv takes. */
START_TEST(many_arguments)
{
    enum { MANY = 300 };
    char text[MANY * 12 + 16] = "(";
    double x[MANY][2], out[2];
    const void *args[MANY + 1];
    size_t i, at = 1;
    double v = 1;
    jitk_status status;
    jitk_kernel *k = api_kernel("(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,aa,bb,cc,dd,ee[])="
                                "(a+b+c+d+e+f+g+h+i+j+k+l+m+n+o+p+q+r+s+t+u+v+w+x+y+z+aa+bb+cc+dd)*sum(ee)");
    ck_assert_uint_eq(jitk_arg_count(k), 32);
    status = jitk_call(k, 1, 1, v, 1.0f, &v, 1L, 1u, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                       1, 1, &v, out);
    ck_assert_int_eq(status, JITK_OK);
    ck_assert(out[0] == 30);
    jitk_free(k);
    for (i = 0; i < MANY; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%sx%zu[]", i ? "," : "", i);
    at += (size_t)snprintf(text + at, sizeof text - at, ")=");
    for (i = 0; i < MANY; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at, "%sx%zu", i ? "+" : "", i);
        x[i][0] = (double)i;
        x[i][1] = 1;
        args[i] = x[i];
    }
    args[MANY] = out;
    k = api_kernel(text);
    ck_assert_uint_eq(jitk_arg_count(k), MANY + 1);
    ck_assert_int_eq(jitk_callv(k, 2, MANY + 1, args), JITK_OK);
    ck_assert(out[0] == 44850 && out[1] == 300);
    args[MANY] = x[7];
    ck_assert_int_eq(jitk_callv(k, 2, MANY + 1, args), JITK_OK);
    ck_assert(x[7][0] == out[0]);
    args[MANY] = &x[7][1];
    api_failed(jitk_callv(k, 2, MANY + 1, args), JITK_ERR_ARGS, "overlaps argument 8");
    jitk_free(k);
}
END_TEST

/* ---- overlaps and strides ---- */

START_TEST(in_place_and_not)
{
    jitk_kernel *twice = api_kernel("2*x"), *self = api_kernel("(x[], y[]) = x + y");
    double x[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    float *floats = (float *)(void *)x;
    const void *args[3];
    ptrdiff_t strides[3] = {2, 2, 2};
    jitk_kernel *narrow = api_kernel("(x[]) -> f32 = x");
    ck_assert_int_eq(jitk_call(twice, 9, x, x), JITK_OK);
    ck_assert(x[1] == 2 && x[8] == 16);
    api_failed(jitk_call(twice, 8, x, x + 1), JITK_ERR_ARGS, "overlaps argument 1");
    api_failed(jitk_call(twice, 8, x + 1, x), JITK_ERR_ARGS, "overlaps argument 1");
    ck_assert_int_eq(jitk_call(twice, 4, x, x + 4), JITK_OK);
    ck_assert_int_eq(jitk_call(twice, 4, x + 5, x + 1), JITK_OK);
    api_failed(jitk_call(narrow, 4, x, floats), JITK_ERR_ARGS, "overlaps argument 1");
    ck_assert_int_eq(jitk_call(narrow, 4, x, floats + 8), JITK_OK);
    ck_assert_int_eq(jitk_call(self, 4, x, x, x), JITK_OK);
    args[0] = x; /* interleaved: the even elements from the odd ones, and back */
    args[1] = args[2] = x + 1;
    ck_assert_int_eq(jitk_call_strided(self, 4, 3, args, strides), JITK_OK);
    args[2] = x + 2;
    api_failed(jitk_call_strided(self, 4, 3, args, strides), JITK_ERR_ARGS, "overlaps argument 1");
    strides[2] = 1;
    args[2] = x + 1;
    api_failed(jitk_call_strided(self, 4, 3, args, strides), JITK_ERR_ARGS, "overlaps argument 1");
    strides[2] = 0;
    api_failed(jitk_call_strided(self, 1, 3, args, strides), JITK_ERR_ARGS, "stride 0");
    jitk_free(twice);
    jitk_free(self);
    jitk_free(narrow);
}
END_TEST

START_TEST(interleaved_fields)
{
    enum { N = 5000 };
    static double z[2 * N], expected[2 * N];
    jitk_kernel *k = api_kernel("(re[], im[]) = re*re - im*im");
    const void *args[3];
    ptrdiff_t strides[3] = {2, 2, 2};
    size_t i;
    for (i = 0; i < 2 * N; i++)
        expected[i] = z[i] = (double)(i % 17);
    for (i = 0; i < N; i++)
        expected[2 * i + 1] = z[2 * i] * z[2 * i] - z[2 * i + 1] * z[2 * i + 1];
    args[0] = z;
    args[1] = args[2] = z + 1;
    ck_assert_int_eq(jitk_call_strided(k, N, 3, args, strides), JITK_OK);
    ck_assert(memcmp(z, expected, sizeof z) == 0);
    jitk_free(k);
}
END_TEST

/* The rule itself, byte by byte: which elements two arguments have, and whether that is allowed. */
typedef struct api_array {
    int offset, stride, size; /* in bytes; stride in elements */
} api_array;

static bool api_covers(api_array a, int n, int byte)
{
    int i;
    for (i = 0; i < n; i++) {
        int at = a.offset + i * a.stride * a.size;
        if (byte >= at && byte < at + a.size)
            return true;
    }
    return false;
}

static void api_range(api_array a, int n, int *low, int *end)
{
    int last = a.offset + (n - 1) * a.stride * a.size;
    *low = last < a.offset ? last : a.offset;
    *end = (last < a.offset ? a.offset : last) + a.size;
}

static bool api_allowed(api_array in, api_array out, int n)
{
    int byte, low[2], end[2];
    if (out.stride == 0)
        return false;
    if (n == 1)
        in.stride = out.stride = 1;
    if (in.offset == out.offset && in.stride == out.stride && in.size == out.size)
        return true;
    if (in.stride * in.size == out.stride * out.size) {
        for (byte = 300; byte < 800; byte++)
            if (api_covers(in, n, byte) && api_covers(out, n, byte))
                return false;
        return true;
    }
    api_range(in, n, &low[0], &end[0]);
    api_range(out, n, &low[1], &end[1]);
    return end[0] <= low[1] || end[1] <= low[0];
}

START_TEST(overlaps_at_random)
{
    static const char *const sources[4] = {"(x[]) = x + 1", "(x: f32[]) = x + 1", "(x[]) -> f32 = x + 1",
                                           "(x: f32[]) -> f32 = x + 1"};
    jitk_kernel *k[4];
    kut_rng r;
    double memory[128], before[128];
    size_t round, rounds = kut_scaled(20000), allowed = 0;
    int i;
    r.state = kut_seed();
    for (i = 0; i < 4; i++)
        k[i] = api_kernel(sources[i]);
    for (round = 0; round < rounds; round++) {
        int which = (int)kut_below(&r, 4), n = 1 + (int)kut_below(&r, 6);
        api_array in, out;
        const void *args[2];
        ptrdiff_t strides[2];
        jitk_status got;
        in.size = which & 1 ? 4 : 8;
        out.size = which & 2 ? 4 : 8;
        in.stride = (int)kut_below(&r, 7) - 3;
        out.stride = (int)kut_below(&r, 7) - 3;
        in.offset = 400 + 4 * (int)kut_below(&r, 40);
        out.offset = kut_below(&r, 4) ? 400 + 4 * (int)kut_below(&r, 40) : in.offset;
        for (i = 0; i < 128; i++)
            before[i] = memory[i] = 0;
        args[0] = (char *)memory + in.offset;
        args[1] = (char *)memory + out.offset;
        strides[0] = in.stride;
        strides[1] = out.stride;
        got = jitk_call_strided(k[which], (size_t)n, 2, args, strides);
        ck_assert_msg((got == JITK_OK) == api_allowed(in, out, n),
                      "%s, n %d: in at %d stride %d, out at %d stride %d: status %d", sources[which], n, in.offset,
                      in.stride, out.offset, out.stride, got);
        if (got != JITK_OK) {
            ck_assert_int_eq(got, JITK_ERR_ARGS);
            ck_assert(memcmp(memory, before, sizeof memory) == 0);
            continue;
        }
        allowed++;
        for (i = 0; i < 1024; i++)
            if (((char *)memory)[i] != 0 && !api_covers(out, n, i))
                ck_abort_msg("wrote byte %d", i);
        for (i = 0; i < n; i++) {
            float f;
            double d;
            memcpy(&f, (char *)memory + out.offset + i * out.stride * out.size, 4);
            memcpy(&d, (char *)memory + out.offset + i * out.stride * out.size, out.size == 8 ? 8 : 4);
            ck_assert(out.size == 4 ? f == 1 : d == 1);
        }
    }
    ck_assert(allowed > rounds / 10 && allowed < rounds / 10 * 9);
    for (i = 0; i < 4; i++)
        jitk_free(k[i]);
}
END_TEST

/* jitk_callv takes a short way where nothing is out of the ordinary, in machine code where the kernel is a map of
 * arrays; jitk_call_strided never does: they allow, refuse and compute the same, wherever two arrays and a number lie.
 */
enum { API_ROOM = 8 * 192 };
static const struct api_way {
    const char *source,
        *args; /* n: a number; m: one near x; x: an array; r: the result, which is near x; other arrays */
} api_ways[] = {{"f(a, x[], y[]) = a*x - y", "nxyr"},
                {"f(a, x[], y[]) = sum(a*x) - sum(y)", "nxyr"},
                {"f(a, x[], y[]) -> f32 = x + y", "nxyr"},
                {"f(a, x[]) = a*x", "mxr"},
                {"f(a, x[]) = x + 1", "mxr"},
                {"f(x[], y[]) = x - y", "xyr"},
                {"f(y[], x[]) = x % y", "yxr"},
                {"f(x[], a[], b[], c[], d[], e[], y[]) = x - a + b - c + d - e + y", "xabcdeyr"},
                {"f(x[], a[], b[], c[], d[], e[], g[], y[]) = x - a + b - c + d - e + g - y", "xabcdegyr"}};

/* The arguments in a room; `at` bytes from x to the result. */
static size_t api_lay(const struct api_way *w, char *room, int at, const void **args)
{
    size_t n = strlen(w->args);
    for (size_t i = 0; i < API_ROOM; i++)
        room[i] = (char)(i % 61);
    for (size_t i = 0; i < n; i++) {
        char c = w->args[i];
        args[i] = c == 'x'   ? room + 8 * 56
                  : c == 'm' ? room + 8 * 76
                  : c == 'r' ? room + 8 * 56 + at
                             : room + 8 * (c == 'n' ? 110 : 112 + 4 * (c % 8));
    }
    return n;
}

static void api_both_ways(const jitk_kernel *k, const struct api_way *w, size_t n, int at, int null, int nargs)
{
    static char room[2][API_ROOM];
    jitk_status status[2];
    for (int way = 0; way < 2; way++) {
        const void *args[10] = {NULL};
        size_t count = api_lay(w, room[way], at, args) + (size_t)nargs;
        if (null >= 0)
            args[null] = NULL;
        status[way] = way ? jitk_call_strided(k, n, count, args, NULL) : jitk_callv(k, n, count, args);
    }
    if (status[0] != status[1] || memcmp(room[0], room[1], API_ROOM) != 0)
        ck_abort_msg("%s: n = %zu, result %d bytes behind x, argument %d NULL, %d arguments too many: %d and %d",
                     w->source, n, at, null + 1, nargs, (int)status[0], (int)status[1]);
}

START_TEST(short_and_long_ways)
{
    static const size_t lengths[] = {0, 1, 2, 7, 8, 9, 16, 32, 40};
    if (!kut_isa(_i / 2))
        return;
    for (size_t i = 0; i < KUT_COUNT(api_ways); i++) {
        const struct api_way *w = &api_ways[i];
        jitk_kernel *k = kut_compile(w->source, _i % 2 ? JITK_F32 : JITK_F64, _i / 2);
        for (size_t l = 0; l < KUT_COUNT(lengths); l++) {
            int size = _i % 2 ? 4 : 8, n = (int)strlen(w->args);
            for (int at = -48; at <= 48; at++)
                api_both_ways(k, w, lengths[l], at * size, -1, 0);
            for (int null = 0; null < n; null++)
                api_both_ways(k, w, lengths[l], -8 * 48, null, 0);
            api_both_ways(k, w, lengths[l], -8 * 48, -1, -1);
            api_both_ways(k, w, lengths[l], -8 * 48, -1, 1);
        }
        jitk_free(k);
    }
}
END_TEST

/* Two results never overlap. */
START_TEST(equal_results)
{
    jitk_kernel *k = api_kernel("f(x[], a) = x*a");
    double x[4] = {1, 2, 3, 4};
    /* A scalar parameter inside the array result is no work in place. */
    api_failed(jitk_call(k, 4, x + 0, &x[1], x), JITK_ERR_ARGS, "overlaps argument 2");
    ck_assert(x[3] == 4);
    jitk_free(k);
    k = api_kernel("f(a, x[]) = a + sum(x)");
    ck_assert_int_eq(jitk_call(k, 3, &x[3], x, &x[3]), JITK_OK); /* a scalar result over its parameter */
    ck_assert(x[3] == 10);
    api_failed(jitk_call(k, 4, 1.0, x, &x[2]), JITK_ERR_ARGS, "overlaps argument 2");
    jitk_free(k);
}
END_TEST

/* A kernel of one reduction and of what a second pass makes of it: the quick way must not take the first for all. */
START_TEST(reductions_beside_arrays)
{
    static const char *const sources[] = {"(x[]) = sum(x), x - sum(x)", "(x[]) = x - sum(x), sum(x)",
                                          "(x[]) = x - sum(x)", "(x[]) = sum(x), sum(x), x*sum(x)"};
    double x[5] = {1, 2, 3, 4, 5}, s, t, y[5];
    memset(y, 0, sizeof y);
    ck_assert_int_eq(jitk_eval(sources[0], 5, x, &s, y), JITK_OK);
    ck_assert(s == 15 && y[0] == -14 && y[4] == -10);
    memset(y, 0, sizeof y);
    ck_assert_int_eq(jitk_eval(sources[1], 5, x, y, &s), JITK_OK);
    ck_assert(s == 15 && y[0] == -14 && y[4] == -10);
    memset(y, 0, sizeof y);
    ck_assert_int_eq(jitk_eval(sources[2], 5, x, y), JITK_OK);
    ck_assert(y[0] == -14 && y[4] == -10);
    ck_assert_int_eq(jitk_eval(sources[3], 5, x, &s, &t, y), JITK_OK);
    ck_assert(s == 15 && t == 15 && y[0] == 15 && y[4] == 75);
}
END_TEST

/* Strides and other element types give what packing by hand gives, at every length. */
START_TEST(strides_of_every_length)
{
    enum { N = 300 };
    static double x[3 * N], y[3 * N], plain_x[N], plain_y[N], out[2 * N], plain_out[N];
    static const ptrdiff_t strides[][3] = {{2, 1, 1}, {1, -2, 1}, {0, 3, 2}, {-1, -1, -2}, {1, 1, 2}, {3, 0, 1}};
    const char *const source[2] = {"(x[], y[]) = x*y + x", "(x[], y[]) = sum(x*y + 1)"};
    jitk_kernel *k[2];
    const void *args[3], *plain[3];
    size_t s, n, i, w;
    for (i = 0; i < 3 * N; i++) {
        x[i] = (double)(i * 7 % 101) - 50;
        y[i] = (double)(i * 13 % 29) / 7;
    }
    for (w = 0; w < 2; w++)
        k[w] = api_kernel(source[w]);
    plain[0] = plain_x;
    plain[1] = plain_y;
    plain[2] = plain_out;
    for (s = 0; s < KUT_COUNT(strides); s++)
        for (n = 0; n <= N; n += kut_step()) {
            const ptrdiff_t *t = strides[s];
            for (i = 0; i < n; i++) {
                plain_x[i] = x[(t[0] < 0 ? (ptrdiff_t)n - 1 : 0) + (ptrdiff_t)i * t[0]];
                plain_y[i] = y[(t[1] < 0 ? 2 * (ptrdiff_t)n - 1 : 0) + (ptrdiff_t)i * t[1]];
            }
            args[0] = x + (t[0] < 0 && n ? n - 1 : 0);
            args[1] = y + (t[1] < 0 && n ? 2 * n - 1 : 0);
            args[2] = out + (t[2] < 0 && n ? 2 * n - 1 : 0);
            ck_assert_int_eq(jitk_call_strided(k[0], n, 3, args, t), JITK_OK);
            ck_assert_int_eq(jitk_callv(k[0], n, 3, plain), JITK_OK);
            for (i = 0; i < n; i++)
                ck_assert(plain_out[i] == out[(t[2] < 0 ? 2 * (ptrdiff_t)n - 1 : 0) + (ptrdiff_t)i * t[2]]);
            ck_assert_int_eq(jitk_call_strided(k[1], n, 3, args, t), JITK_OK);
            ck_assert_int_eq(jitk_callv(k[1], n, 3, plain), JITK_OK);
            ck_assert(plain_out[0] == *(const double *)args[2]);
        }
    jitk_free(k[0]);
    jitk_free(k[1]);
}
END_TEST

/* Several chunks of packed arguments: reductions, argmin and maps as without strides. */
START_TEST(strides_of_many_chunks)
{
    enum { N = 3 * (JK_CHUNK_BYTES / 8) + 77 };
    static double x[2 * N], plain[N], out[2 * N];
    static const char *const sources[] = {"(x[]) = sum(x)", "(x[]) -> i64 = argmin(x)", "(x[]) = max(x)"};
    const void *args[2];
    ptrdiff_t strides[2] = {2, 2};
    double a = 0, b = 0;
    size_t i;
    kut_rng r;
    r.state = kut_seed();
    for (i = 0; i < N; i++)
        plain[i] = x[2 * i] = (double)kut_below(&r, 1u << 30) / 3;
    args[0] = x;
    args[1] = &a;
    for (i = 0; i < KUT_COUNT(sources); i++) {
        jitk_kernel *k = api_kernel(sources[i]);
        ck_assert_int_eq(jitk_call_strided(k, N, 2, args, strides), JITK_OK);
        ck_assert_int_eq(jitk_call(k, N, (const double *)plain, (void *)&b), JITK_OK);
        ck_assert(memcmp(&a, &b, 8) == 0);
        jitk_free(k);
    }
    args[1] = out;
    {
        jitk_kernel *k = api_kernel("x - 1");
        ck_assert_int_eq(jitk_call_strided(k, N, 2, args, strides), JITK_OK);
        for (i = 0; i < N; i++)
            ck_assert(out[2 * i] == plain[i] - 1 && out[2 * i + 1] == 0);
        jitk_free(k);
    }
}
END_TEST

/* ---- jitk_eval ---- */

static size_t api_cached(void)
{
    jitk_info_t info;
    jitk_info(&info);
    return info.cached;
}

START_TEST(eval_finds_again)
{
    double x[3] = {1, 4, 9}, y[3] = {0}, s;
    float xf[3] = {1, 4, 9}, yf[3] = {0};
    char text[32] = "2*x^0.5";
    jitk_info_t info;
    size_t before;
    jitk_cache_clear();
    before = api_cached();
    ck_assert_uint_eq(before, 0);
    ck_assert_int_eq(jitk_eval("2*x^0.5", 3, x, y), JITK_OK);
    ck_assert(y[2] == 6);
    ck_assert_uint_eq(api_cached(), 1);
    ck_assert_int_eq(jitk_eval(text, 3, x, y), JITK_OK); /* by content, not by address */
    ck_assert_uint_eq(api_cached(), 1);
    ck_assert_int_eq(jitk_eval(text, 3, xf, yf), JITK_OK);
    ck_assert(yf[1] == 4);
    ck_assert_uint_eq(api_cached(), 2);
    text[0] = '3';
    ck_assert_int_eq(jitk_eval(text, 3, x, y), JITK_OK);
    ck_assert(y[2] == 9);
    ck_assert_int_eq(jitk_eval("(x[]) = sum(x)", 3, x, &s), JITK_OK);
    ck_assert(s == 14);
    jitk_info(&info);
    ck_assert_uint_eq(info.cached, 4);
    ck_assert(info.cached_bytes > 4 * 256 && info.uncached == 0);
    api_failed(jitk_eval("2*", 3, x, y), JITK_ERR_SYNTAX, "");
    api_failed(jitk_eval("2*qqq(x)", 3, x, y), JITK_ERR_NAME, "qqq");
    ck_assert(jitk_last_error()->line == 1 && jitk_last_error()->column == 3 && jitk_last_error()->length == 3);
    api_failed(jitk_eval("2*x", 3, x), JITK_ERR_ARGS, "1 arguments");
    api_failed(jitk_eval((const char *)NULL, 3, x), JITK_ERR_ARGS, "NULL");
    jitk_cache_clear();
    ck_assert_uint_eq(api_cached(), 0);
    ck_assert_int_eq(jitk_eval("2*x^0.5", 3, x, y), JITK_OK);
    ck_assert(y[2] == 6);
}
END_TEST

/* The type is that of the first pointer to float or double whose parameter or result names none. */
START_TEST(eval_chooses_the_type)
{
    float xf[2] = {16777216, 1}, outf = 0;
    double x[2] = {16777216, 1}, out = 0;
    int32_t xi[2] = {16777216, 1};
    /* 2^24 + 1 is no float. */
    ck_assert_int_eq(jitk_eval("(x: f32[], b) = sum(x) + b", 2, xf, 0.0f, &out), JITK_OK);
    ck_assert(out == 16777217);
    ck_assert_int_eq(jitk_eval("(a, x: f32[]) -> f64 = (a + 1) + 0*sum(x)", 2, &xf[0], xf, &out), JITK_OK);
    ck_assert(out == 16777216);
    ck_assert_int_eq(jitk_eval("(a, x: f32[]) -> f64 = (a + 1) + 0*sum(x)", 2, &x[0], xf, &out), JITK_OK);
    ck_assert(out == 16777217);
    ck_assert_int_eq(jitk_eval("(x: i32[]) -> f64 = min(x + 1)", 1, xi, &out), JITK_OK);
    ck_assert(out == 16777217);
    ck_assert_int_eq(jitk_eval("(x: i32[]) = min(x + 1)", 1, xi, &outf), JITK_OK);
    ck_assert(outf == 16777216);
    ck_assert_int_eq(jitk_eval("x + 1", 1, 16777216, &outf), JITK_OK);
    ck_assert(outf == 16777216);
    api_failed(jitk_eval("x + y", 1, xf, x, &out), JITK_ERR_TYPE, "argument 2 (y)");
}
END_TEST

START_TEST(eval_has_a_limit)
{
    double x = 1, y = 0;
    char text[32];
    jitk_info_t info;
    int i;
    jitk_cache_clear();
    for (i = 0; i < 4200; i++) {
        snprintf(text, sizeof text, "x + %d", i);
        ck_assert_int_eq(jitk_eval(text, 1, &x, &y), JITK_OK);
        ck_assert(y == 1 + i);
    }
    jitk_info(&info);
    ck_assert_uint_eq(info.cached, 4096);
    ck_assert_uint_eq(info.uncached, 4200 - 4096);
    ck_assert_int_eq(jitk_eval("x + 4199", 1, &x, &y), JITK_OK);
    ck_assert_int_eq(jitk_eval("x + 5", 1, &x, &y), JITK_OK);
    jitk_info(&info);
    ck_assert_uint_eq(info.uncached, 4200 - 4096 + 1);
    jitk_cache_clear();
    jitk_info(&info);
    ck_assert(info.cached == 0 && info.cached_bytes == 0 && info.uncached == 0);
}
END_TEST

START_TEST(evalv_with_options)
{
    float x[2] = {16777216, 3}, out[2] = {0, 0};
    const void *args[2];
    jitk_options o;
    jitk_error e;
    memset(&o, 0, sizeof o);
    args[0] = x;
    args[1] = out;
    o.type = JITK_F32;
    ck_assert_int_eq(jitk_evalv("x + 1", &o, 2, 2, args, &e), JITK_OK);
    ck_assert(e.status == JITK_OK && out[0] == 16777216 && out[1] == 4);
    o.entry = "f";
    ck_assert_int_eq(jitk_evalv("f(x[]) = x + 1; g(x[]) = x + 2", &o, 2, 2, args, NULL), JITK_OK);
    ck_assert(out[1] == 4);
    o.entry = NULL;
    ck_assert_int_eq(jitk_evalv("f(x[]) = x + 1; g(x[]) = x + 2", &o, 2, 2, args, NULL), JITK_OK);
    ck_assert(out[1] == 5);
    o.isa = JITK_ISA_INTERP;
    ck_assert_int_eq(jitk_evalv("x + 1", &o, 2, 2, args, &e), JITK_OK);
    ck_assert_int_eq(jitk_evalv("x + ", &o, 2, 2, args, &e), JITK_ERR_SYNTAX);
    ck_assert(e.status == JITK_ERR_SYNTAX && e.line == 1);
    o.reserved[3] = 1;
    ck_assert_int_eq(jitk_evalv("x + 1", &o, 2, 2, args, &e), JITK_ERR_UNSUPPORTED);
    ck_assert_int_eq(jitk_evalv(NULL, NULL, 2, 2, args, &e), JITK_ERR_ARGS);
}
END_TEST

/* ---- options, signatures, looking inside ---- */

static void api_refused(jitk_options o, jitk_status expected)
{
    jitk_error e;
    size_t arity = 7;
    ck_assert_ptr_null(jitk_compile("x", &o, &e));
    ck_assert_int_eq(e.status, expected);
    ck_assert_int_eq(jitk_last_error()->status, expected);
    ck_assert_ptr_null(jitk_compile("x", &o, NULL));
    ck_assert(!jitk_function("x", &o, &arity, &e));
    ck_assert_int_eq(e.status, expected);
    ck_assert_uint_eq(arity, 0);
}

START_TEST(options_refused)
{
    jitk_options zero, o;
    int isa;
    size_t i;
    memset(&zero, 0, sizeof zero);
    for (isa = KUT_FIRST_ISA; isa < KUT_END_ISA; isa++) {
        jitk_kernel *k;
        o = zero;
        o.isa = (jitk_isa)isa;
        if (!kut_cpu_has(isa)) {
            api_refused(o, JITK_ERR_UNSUPPORTED);
            continue;
        }
        k = jitk_compile("x", &o, NULL);
        ck_assert_ptr_nonnull(k);
        jitk_free(k);
    }
    o = zero, o.isa = (jitk_isa)7;
    api_refused(o, JITK_ERR_ARGS);
    o = zero, o.type = JITK_I32;
    api_refused(o, JITK_ERR_ARGS);
    o = zero, o.flags = JITK_STRICT | JITK_CONTRACT;
    api_refused(o, JITK_ERR_ARGS);
    o = zero, o.flags = JITK_COMPENSATED;
    api_refused(o, JITK_ERR_UNSUPPORTED);
    o = zero, o.flags = JITK_EXACT;
    api_refused(o, JITK_ERR_UNSUPPORTED);
    o = zero, o.flags = 1u << 20;
    api_refused(o, JITK_ERR_UNSUPPORTED);
    o = zero, o.symbol_count = 1;
    api_refused(o, JITK_ERR_UNSUPPORTED);
    o = zero, o.entry = "nothing";
    api_refused(o, JITK_ERR_NAME);
    for (i = 0; i < KUT_COUNT(o.reserved); i++) {
        o = zero, o.reserved[i] = 1;
        api_refused(o, JITK_ERR_UNSUPPORTED);
    }
    ck_assert_ptr_null(jitk_compile(NULL, NULL, NULL));
    ck_assert_int_eq(jitk_last_error()->status, JITK_ERR_ARGS);
}
END_TEST

START_TEST(signatures)
{
    static const struct {
        const char *name;
        jitk_type type;
        int is_array, is_result;
    } rows[] = {{"gain", JITK_F64, 0, 0}, {"k", JITK_I64, 0, 0}, {"x", JITK_U8, 1, 0}, {"result", JITK_I32, 1, 1}};
    jitk_kernel *k = api_kernel("f(gain, k: i64, x: u8[]) -> i32 = gain*k*x");
    jitk_arg_info info;
    size_t i;
    ck_assert_uint_eq(jitk_arg_count(k), KUT_COUNT(rows));
    for (i = 0; i < KUT_COUNT(rows); i++) {
        ck_assert_int_eq(jitk_arg(k, i, &info), JITK_OK);
        ck_assert_str_eq(info.name, rows[i].name);
        ck_assert_int_eq(info.type, rows[i].type);
        ck_assert_int_eq(info.is_array != 0, rows[i].is_array);
        ck_assert_int_eq(info.is_result != 0, rows[i].is_result);
    }
    api_failed(jitk_arg(k, 4, &info), JITK_ERR_ARGS, "4");
    api_failed(jitk_arg(k, 0, NULL), JITK_ERR_ARGS, "NULL");
    api_failed(jitk_arg(NULL, 0, &info), JITK_ERR_ARGS, "NULL");
    ck_assert_uint_eq(jitk_arg_count(NULL), 0);
    jitk_free(k);
    k = api_kernel("x10 + x2 + B + _a + a"); /* byte order, each once */
    for (i = 0; i < 5; i++) {
        static const char *const order[] = {"B", "_a", "a", "x10", "x2"};
        ck_assert_int_eq(jitk_arg(k, i, &info), JITK_OK);
        ck_assert_str_eq(info.name, order[i]);
    }
    jitk_free(k);
}
END_TEST

static char *api_dump(const jitk_kernel *k, unsigned what)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    ck_assert_int_eq(jitk_dump(k, what, f), JITK_OK);
    fclose(f);
    ck_assert_uint_gt(size, 0);
    return text;
}

START_TEST(dumps)
{
    jitk_kernel *k = api_kernel("(x[], y: f32[]) = sum(x*y)");
    jitk_info_t info;
    char *text = api_dump(k, JITK_DUMP_IR);
    ck_assert_ptr_nonnull(strstr(text, "mul"));
    free(text);
    text = api_dump(k, JITK_DUMP_PLAN);
    ck_assert_ptr_nonnull(strstr(text, "1 reductions, 2 streams, 12 bytes read and 0 written"));
    free(text);
    text = api_dump(k, JITK_DUMP_ASM);
    jitk_info(&info);
    if (info.isa == JITK_ISA_INTERP)
        ck_assert_ptr_nonnull(strstr(text, "interpreter"));
    else
        ck_assert(strstr(text, "endbr64") && strstr(text, "ret"));
    free(text);
    text = api_dump(k, JITK_DUMP_IR | JITK_DUMP_ASM | JITK_DUMP_PLAN);
    free(text);
    api_failed(jitk_dump(k, 0, stdout), JITK_ERR_ARGS, "jitk_dump");
    api_failed(jitk_dump(k, 8, stdout), JITK_ERR_ARGS, "jitk_dump");
    api_failed(jitk_dump(NULL, JITK_DUMP_IR, stdout), JITK_ERR_ARGS, "jitk_dump");
    api_failed(jitk_dump(k, JITK_DUMP_IR, NULL), JITK_ERR_ARGS, "jitk_dump");
    jitk_free(k);
}
END_TEST

/* Stores past the caches are ordered before the call returns: behind the last of them stands a fence. */
START_TEST(streaming_stores_are_fenced)
{
    static const char *const sources[] = {"2*x + y", "(x[], y[]) = x*y, sum(x*y)", "(x[]) = 2*x, sum(x), min(x)"};
    int isa;
    size_t i;
    for (isa = JITK_ISA_SSE2; isa < KUT_END_ISA; isa++)
        for (i = 0; kut_isa(isa) && i < KUT_COUNT(sources); i++) {
            jitk_kernel *k = kut_compile(sources[i], JITK_F64, isa);
            char *text = api_dump(k, JITK_DUMP_ASM), *at = text, *last = NULL;
            while ((at = strstr(at, "movnt")) != NULL)
                last = at++;
            ck_assert_msg(i > 0 || last, "%s: %s has no streaming stores", kut_isa_names[isa], sources[i]);
            ck_assert_msg(!last || strstr(last, "sfence"), "%s: %s has no fence", kut_isa_names[isa], sources[i]);
            free(text);
            jitk_free(k);
        }
}
END_TEST

/* A source with an error, and how it is printed. */
static const char *const api_printed[][2] = {
    {"2 * sqr(x)", "1:5: unknown function 'sqr' (did you mean 'sqrt'?)\n  2 * sqr(x)\n      ^~~\n"},
    {"x +\n\t√y + sqr(x)\n + 1", "unknown function 'sqr' (did you mean 'sqrt'?)\n  \t√y + sqr(x)\n  \t     ^~~\n"}};

START_TEST(errors_printed)
{
    char *text = NULL;
    size_t size = 0;
    jitk_error e;
    FILE *f = open_memstream(&text, &size);
    ck_assert_ptr_null(jitk_compile(api_printed[_i][0], NULL, &e));
    jitk_error_print(&e, api_printed[_i][0], f);
    fflush(f);
    ck_assert_msg(strstr(text, api_printed[_i][1]) != NULL, "%s", text);
    rewind(f);
    jitk_error_print(&e, NULL, f);
    fclose(f);
    ck_assert_ptr_nonnull(strstr(text, "unknown function"));
    free(text);
    f = open_memstream(&text, &size);
    e.status = JITK_OK;
    jitk_error_print(&e, api_printed[_i][0], f);
    jitk_error_print(NULL, NULL, f);
    jitk_error_print(&e, NULL, NULL);
    fclose(f);
    ck_assert_uint_eq(size, 0);
    free(text);
}
END_TEST

START_TEST(machine)
{
    jitk_info_t info;
    const char *cap = getenv("JITK_ISA");
    jitk_info(&info);
    ck_assert_str_eq(info.version, JITK_VERSION);
    ck_assert_str_eq(jitk_version(), JITK_VERSION);
    ck_assert(kut_cpu_has((int)info.best) && info.isa <= info.best);
    ck_assert_str_eq(info.isa_name, kut_isa_names[info.isa]);
    if (cap && *cap)
        ck_assert_str_eq(info.isa_name, cap);
    ck_assert(info.cores >= 1 && info.threads >= 1);
    jitk_info(NULL);
}
END_TEST

/* ---- scalar functions ---- */

START_TEST(functions)
{
    jitk_error e;
    jitk_options single;
    size_t arity = 0;
    double (*hyp)(double, double);
    float (*twice)(float);
    double (*constant)(void);
    jitk_fn f = jitk_function("hyp(a, b) = sqrt(a^2 + b^2)", NULL, &arity, &e);
    if (!f) { /* no code can be made here */
        ck_assert_int_eq(e.status, JITK_ERR_EXEC);
        return;
    }
    hyp = (double (*)(double, double))f;
    ck_assert_uint_eq(arity, 2);
    ck_assert_int_eq(e.status, JITK_OK);
    ck_assert(hyp(3, 4) == 5);
    jitk_function_free(f);
    jitk_function_free(NULL);
    f = jitk_function("2*x^0.5", NULL, NULL, NULL);
    ck_assert(f && ((double (*)(double))f)(3) == 3.4641016151377544);
    jitk_function_free(f);
    memset(&single, 0, sizeof single);
    single.type = JITK_F32;
    f = jitk_function("x + x", &single, &arity, &e);
    ck_assert_uint_eq(arity, 1);
    twice = (float (*)(float))f;
    ck_assert(f && twice(1.5f) == 3);
    jitk_function_free(f);
    f = jitk_function("2^10", NULL, &arity, &e);
    constant = (double (*)(void))f;
    ck_assert(f && arity == 0 && constant() == 1024);
    jitk_function_free(f);
}
END_TEST

START_TEST(functions_refused)
{
    static const struct {
        const char *source;
        jitk_status status;
    } rows[] = {{"f(x[]) = x", JITK_ERR_TYPE},      {"f(x) = sum(x)", JITK_ERR_TYPE}, {"f(x: f32) = x", JITK_ERR_TYPE},
                {"f(x) -> i64 = x", JITK_ERR_TYPE}, {"x +", JITK_ERR_SYNTAX},         {"nope(x)", JITK_ERR_NAME}};
    jitk_options interp;
    jitk_error e;
    size_t i, arity;
    for (i = 0; i < KUT_COUNT(rows); i++) {
        arity = 9;
        ck_assert(!jitk_function(rows[i].source, NULL, &arity, &e));
        ck_assert_msg(e.status == rows[i].status, "%s: %d: %s", rows[i].source, e.status, e.message);
        ck_assert_uint_eq(arity, 0);
    }
    memset(&interp, 0, sizeof interp);
    interp.isa = JITK_ISA_INTERP;
    ck_assert(!jitk_function("x", &interp, &arity, &e));
    ck_assert_int_eq(e.status, JITK_ERR_EXEC);
    ck_assert(!jitk_function(NULL, NULL, &arity, &e));
    ck_assert_int_eq(e.status, JITK_ERR_ARGS);
}
END_TEST

/* ---- named kernels: the front ---- */

START_TEST(named_front)
{
    double x[5] = {3, -1, 4, -1, 5}, y[5] = {1, 1, 1, 1, 1};
    float xf[5] = {3, -1, 4, -1, 5}, yf[5] = {1, 1, 1, 1, 1};
    const double *cx = x;
    short n = 5;
    ptrdiff_t at;
    size_t count;
    double s = jitk_sum(cx, n);
    float sf = jitk_sum(xf, 5u);
    ck_assert(s == 10 && sf == 10 && jitk_prod(x, 5L) == 60);
    ck_assert(jitk_min(x, n) == -1 && jitk_max(xf, n) == 5 && jitk_mean(x, n) == 2);
    ck_assert(jitk_dot(cx, x, n) == 52 && jitk_asum(xf, n) == 14 && jitk_sumsq(x, n) == 52);
    at = jitk_argmin(x, n);
    ck_assert(at == 1);
    at = jitk_argmax(xf, n);
    ck_assert(at == 4 && jitk_argmax(xf, 0) == -1);
    count = jitk_count_nonzero(x, n);
    ck_assert_uint_eq(count, 5);
    ck_assert(jitk_sum(x, 0) == 0);
    ck_assert(jitk_prod(x, 0) == 1);
    jitk_axpy(2, cx, y, n);
    jitk_axpy(2.0, xf, yf, n);
    ck_assert(y[0] == 7 && y[4] == 11 && yf[3] == -1);
    jitk_scal(0.5f, y, n);
    jitk_scal(3, yf, n);
    ck_assert(y[0] == 3.5 && yf[3] == -3);
}
END_TEST

/* ---- threads and fork ---- */

enum { API_THREADS = 8 };

static pthread_barrier_t api_gate;

static void *api_first_calls(void *result)
{
    double x[100], y[100], *out = (double *)result, s = 0;
    size_t i;
    for (i = 0; i < 100; i++)
        x[i] = (double)i;
    pthread_barrier_wait(&api_gate);
    *out = jitk_sum(x, 100) + (double)jitk_argmax(x, 100);
    for (i = 0; i < 50; i++) {
        char text[32];
        snprintf(text, sizeof text, "x + %zu", i);
        if (jitk_eval(text, 100, x, y) != JITK_OK || y[99] != 99 + (double)i)
            *out = -1;
    }
    if (jitk_eval("(x[]) = sum(x)", 100, x, &s) != JITK_OK || s != 4950)
        *out = -1;
    if (jitk_eval("x +", 100, x, y) != JITK_ERR_SYNTAX || jitk_last_error()->status != JITK_ERR_SYNTAX)
        *out = -1;
    return NULL;
}

START_TEST(first_calls_at_once)
{
    pthread_t thread[API_THREADS];
    double out[API_THREADS];
    int i;
    jitk_cache_clear();
    ck_assert(jitk_eval("y + x *", 0, out, out) == JITK_ERR_SYNTAX);
    pthread_barrier_init(&api_gate, NULL, API_THREADS);
    for (i = 0; i < API_THREADS; i++)
        ck_assert_int_eq(pthread_create(&thread[i], NULL, api_first_calls, &out[i]), 0);
    for (i = 0; i < API_THREADS; i++)
        pthread_join(thread[i], NULL);
    for (i = 0; i < API_THREADS; i++)
        ck_assert_msg(out[i] == 4950 + 99, "thread %d: %g", i, out[i]);
    ck_assert_uint_eq(api_cached(), 51);
    jitk_cache_clear();
}
END_TEST

static void *api_own_error(void *unused)
{
    double x = 0;
    bool fresh = jitk_last_error()->status == JITK_OK;
    (void)unused;
    return (void *)(uintptr_t)(fresh && jitk_eval("x(", 1, &x, &x) == JITK_ERR_SYNTAX);
}

START_TEST(errors_of_a_thread)
{
    pthread_t thread;
    void *good = NULL;
    double x = 0;
    ck_assert_int_eq(jitk_eval("nope(x)", 1, &x, &x), JITK_ERR_NAME);
    ck_assert_int_eq(pthread_create(&thread, NULL, api_own_error, NULL), 0);
    pthread_join(thread, &good);
    ck_assert_ptr_nonnull(good);
    ck_assert_int_eq(jitk_last_error()->status, JITK_ERR_NAME);
}
END_TEST

static int api_stop;

static void *api_compile_always(void *unused)
{
    (void)unused;
    while (!__atomic_load_n(&api_stop, __ATOMIC_RELAXED)) {
        jitk_free(jitk_compile("x^3 + 2*x", NULL, NULL));
        jitk_cache_clear();
    }
    return NULL;
}

/* A child forked while another thread holds the locks can compile, call and use its parent's kernels. */
START_TEST(forked_children)
{
    pthread_t thread;
    jitk_kernel *k = api_kernel("(x[]) = sum(2*x)");
    double x[3] = {1, 2, 3}, s = 0;
    int i, status;
    ck_assert(jitk_sum(x, 3) == 6);
    api_stop = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, api_compile_always, NULL), 0);
    for (i = 0; i < 50; i++) {
        pid_t child = fork();
        ck_assert(child >= 0);
        if (child == 0) {
            bool good = jitk_call(k, 3, x, &s) == JITK_OK && s == 12 && jitk_sum(x, 3) == 6;
            good = good && jitk_eval("(x[]) = prod(x)", 3, x, &s) == JITK_OK && s == 6;
            jitk_cache_clear();
            jitk_free(k);
            _exit(good ? 0 : 1);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    __atomic_store_n(&api_stop, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    ck_assert_int_eq(jitk_call(k, 3, x, &s), JITK_OK);
    ck_assert(s == 12);
    jitk_free(k);
}
END_TEST

START_TEST(from_cpp)
{
    const char *failed = check_api_from_cpp();
    ck_assert_msg(failed == NULL, "%s", failed);
}
END_TEST

Suite *suite_api(void)
{
    Suite *s = suite_create("api");
    TCase *calls = tcase_create("calls"), *eval = tcase_create("eval"), *rest = tcase_create("rest");
    kut_say_skipped("api");
    tcase_add_loop_test(calls, every_type_of_pointer, 0, API_TYPE_COUNT);
    tcase_add_test(calls, numbers_by_value);
    tcase_add_test(calls, numbers_convert_like_stores);
    tcase_add_test(calls, wrong_arguments);
    tcase_add_test(calls, any_n);
    tcase_add_test(calls, many_arguments);
    tcase_add_test(calls, in_place_and_not);
    tcase_add_test(calls, interleaved_fields);
    tcase_add_test(calls, overlaps_at_random);
    tcase_add_loop_test(calls, short_and_long_ways, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
    tcase_add_test(calls, equal_results);
    tcase_add_test(calls, reductions_beside_arrays);
    tcase_add_test(calls, strides_of_every_length);
    tcase_add_test(calls, strides_of_many_chunks);
    tcase_add_test(calls, streaming_stores_are_fenced);
    suite_add_tcase(s, calls);
    tcase_add_test(eval, eval_finds_again);
    tcase_add_test(eval, eval_chooses_the_type);
    tcase_add_test(eval, eval_has_a_limit);
    tcase_add_test(eval, evalv_with_options);
    suite_add_tcase(s, eval);
    tcase_add_test(rest, options_refused);
    tcase_add_test(rest, signatures);
    tcase_add_test(rest, dumps);
    tcase_add_loop_test(rest, errors_printed, 0, (int)KUT_COUNT(api_printed));
    tcase_add_test(rest, machine);
    tcase_add_test(rest, functions);
    tcase_add_test(rest, functions_refused);
    tcase_add_test(rest, named_front);
    tcase_add_test(rest, first_calls_at_once);
    tcase_add_test(rest, errors_of_a_thread);
    tcase_add_test(rest, forked_children);
    tcase_add_test(rest, from_cpp);
    suite_add_tcase(s, rest);
    return s;
}
