/* Where memory ends. Sanitizers do not see into generated code, so arrays here end before, and start after, pages that
 * may not be touched, for every length up to several vectors and every offset within one; results are compared with the
 * interpreter's bits, what lies around them must stay. Then lengths around the chunks' borders, against the reference
 * of docs/reductions.md, and results so large that they are stored past the caches. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "suites.h"
#include "kernels_under_test.h"
#include "reference.h"
#include <setjmp.h>
#include <signal.h>

#define GD_MAX_N 300
#define GD_INPUTS 3
#define GD_CANARY 0xcd

/* Whether bytes [from, to) are as gd_paint left them. */
static bool gd_untouched(kut_area a, size_t from, size_t to)
{
    if (from == to)
        return true;
    return (unsigned char)a.at[from] == GD_CANARY && memcmp(a.at + from, a.at + from + 1, to - from - 1) == 0;
}

static void gd_paint(kut_area a)
{
    memset(a.at, GD_CANARY, a.nbytes);
}

/* Where an array of n elements stands in its area: `place` 0 ends at the guard, 1 + k starts k elements behind the
 * front one. Different arrays get different offsets but for those at the guards. */
static char *gd_place(kut_area a, size_t place, size_t array, size_t n, size_t size)
{
    size_t lanes = 64 / size;
    if (place == 0)
        return a.at + a.nbytes - n * size;
    return place == 1 ? a.at : a.at + (place - 1 + 3 * array) % lanes * size;
}

/* What runs, for the message of a crash. */
static struct gd_state {
    sigjmp_buf out;
    const char *text;
    int isa;
    jitk_type type;
    size_t n, place;
} gd;

static void gd_on_signal(int sig)
{
    siglongjmp(gd.out, sig);
}

static void gd_catch(void)
{
    struct sigaction act;
    memset(&act, 0, sizeof act);
    act.sa_handler = gd_on_signal;
    act.sa_flags = SA_NODEFER;
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGBUS, &act, NULL);
    sigaction(SIGILL, &act, NULL);
}

#define GD_FAIL(what, ...)                                                                                          \
    ck_abort_msg("%s %s: %s, n=%zu place=%zu: " what, kut_isa_names[gd.isa], kut_type_name(gd.type), gd.text, gd.n, \
                 gd.place, __VA_ARGS__)

/* One call: inputs copied to their places, the result compared, all around it untouched. With `in_place` the result is
 * the first array. */
static void gd_call(const jitk_kernel *k, const kut_kernel *u, kut_area *area, char (*data)[8 * GD_MAX_N],
                    const void *want, bool in_place)
{
    size_t size = kut_size(gd.type), count = u->is_map ? gd.n : 1, nargs = 0;
    kut_area result = in_place ? area[0] : area[GD_INPUTS];
    char *out =
        in_place ? gd_place(area[0], gd.place, 0, gd.n, size) : gd_place(result, gd.place, GD_INPUTS, count, size);
    static const double scalar64[] = {2.5, 0.25};
    static const float scalar32[] = {2.5f, 0.25f};
    const void *args[8];
    gd_paint(result);
    for (int s = 0; s < u->scalars; s++)
        args[nargs++] = gd.type == JITK_F32 ? (const void *)&scalar32[s] : (const void *)&scalar64[s];
    for (int a = 0; a < u->arrays; a++) {
        char *p = gd_place(area[a], gd.place, (size_t)a, gd.n, size);
        memcpy(p, data[a], gd.n * size);
        args[nargs++] = p;
    }
    args[nargs++] = out;
    if (jitk_callv(k, gd.n, nargs, args) != JITK_OK)
        GD_FAIL("%s", jitk_last_error()->message);
    size_t i = kut_differs(gd.type, want, out, count);
    if (i < count)
        GD_FAIL("element %zu: expected %.17g, got %.17g%s", i, kut_show(gd.type, kut_get(gd.type, want, (ptrdiff_t)i)),
                kut_show(gd.type, kut_get(gd.type, out, (ptrdiff_t)i)), in_place ? " (in place)" : "");
    size_t front = (size_t)(out - result.at), back = front + count * size;
    if (!gd_untouched(result, 0, front) || !gd_untouched(result, back, result.nbytes))
        GD_FAIL("wrote %s the result", gd_untouched(result, 0, front) ? "behind" : "before");
}

/* The reference for one length: the interpreter on plain arrays. */
static void gd_reference(const jitk_kernel *interp, const kut_kernel *u, char (*data)[8 * GD_MAX_N], char *want)
{
    static const double scalar64[] = {2.5, 0.25};
    static const float scalar32[] = {2.5f, 0.25f};
    const void *args[8];
    size_t nargs = 0;
    for (int s = 0; s < u->scalars; s++)
        args[nargs++] = gd.type == JITK_F32 ? (const void *)&scalar32[s] : (const void *)&scalar64[s];
    for (int a = 0; a < u->arrays; a++)
        args[nargs++] = data[a];
    args[nargs++] = want;
    ck_assert_int_eq((int)jitk_callv(interp, gd.n, nargs, args), (int)JITK_OK);
}

static void gd_kernel(const kut_kernel *u, kut_area *area, kut_rng *rng)
{
    static char data[GD_INPUTS][8 * GD_MAX_N], want[8 * GD_MAX_N];
    size_t places = 1 + 64 / kut_size(gd.type);
    gd.text = u->text;
    jitk_kernel *k = kut_compile(u->text, gd.type, gd.isa), *interp = kut_compile(u->text, gd.type, JITK_ISA_INTERP);
    for (gd.n = 0; gd.n <= GD_MAX_N; gd.n += kut_step()) {
        for (size_t a = 0; a < GD_INPUTS; a++)
            kut_fill(rng, gd.type, (kut_kind)((gd.n + a) % 3 == 2 ? KUT_MIXED : KUT_WHOLE), data[a], gd.n);
        gd_reference(interp, u, data, want);
        for (gd.place = 0; gd.place < places; gd.place++) {
            gd_call(k, u, area, data, want, false);
            if (u->is_map && u->arrays && gd.place % 3 < 2)
                gd_call(k, u, area, data, want, true);
        }
    }
    jitk_free(k);
    jitk_free(interp);
}

START_TEST(guarded)
{
    kut_area area[GD_INPUTS + 1];
    kut_rng rng = {kut_seed() + 3};
    gd.isa = _i / 2;
    gd.type = _i & 1 ? JITK_F32 : JITK_F64;
    if (!kut_isa(gd.isa))
        return;
    for (size_t a = 0; a <= GD_INPUTS; a++)
        area[a] = kut_map(8 * GD_MAX_N + 64);
    gd_catch();
    int sig = sigsetjmp(gd.out, 1);
    if (sig)
        GD_FAIL("signal %d", sig);
    for (size_t u = 0; u < KUT_COUNT(kut_kernels); u++)
        gd_kernel(&kut_kernels[u], area, &rng);
    for (size_t a = 0; a <= GD_INPUTS; a++)
        kut_unmap(area[a]);
}
END_TEST

/* Walking with strides, whose memory ends at the guards too: a step beyond the last element would fault. */
START_TEST(guarded_strides)
{
    static const ptrdiff_t steps[] = {2, 3, -1, -2, 0};
    kut_area area[2];
    kut_rng rng = {kut_seed() + 4};
    gd.isa = _i / 2;
    gd.type = _i & 1 ? JITK_F32 : JITK_F64;
    gd.text = "k(x[]) = sum(x + 1) and 2*x + 1";
    if (!kut_isa(gd.isa))
        return;
    size_t size = kut_size(gd.type);
    area[0] = kut_map(3 * 8 * GD_MAX_N);
    area[1] = kut_map(3 * 8 * GD_MAX_N);
    gd_catch();
    int sig = sigsetjmp(gd.out, 1);
    if (sig)
        GD_FAIL("signal %d", sig);
    jitk_kernel *sum = kut_compile("k(x[]) = sum(x + 1)", gd.type, gd.isa);
    jitk_kernel *map = kut_compile("k(x[]) = 2*x + 1", gd.type, gd.isa);
    jitk_kernel *sum_ref = kut_compile("k(x[]) = sum(x + 1)", gd.type, JITK_ISA_INTERP);
    jitk_kernel *map_ref = kut_compile("k(x[]) = 2*x + 1", gd.type, JITK_ISA_INTERP);
    for (size_t s = 0; s < KUT_COUNT(steps); s++)
        for (gd.n = 1; gd.n <= GD_MAX_N; gd.n += 7 * kut_step())
            for (gd.place = 0; gd.place < 2; gd.place++) {
                size_t wide = (size_t)(steps[s] < 0 ? -steps[s] : steps[s]), span = (gd.n - 1) * wide + 1;
                static char plain[8 * GD_MAX_N], want[8 * GD_MAX_N];
                char *x = gd.place ? area[0].at : area[0].at + area[0].nbytes - span * size;
                char *y = gd.place ? area[1].at : area[1].at + area[1].nbytes - span * size, total[8], total_ref[8];
                kut_fill(&rng, gd.type, KUT_TAME, x, span);
                memset(y, GD_CANARY, span * size);
                if (steps[s] < 0) {
                    x += (span - 1) * size;
                    y += (span - 1) * size;
                }
                for (size_t i = 0; i < gd.n; i++)
                    kut_put(gd.type, plain, (ptrdiff_t)i, kut_get(gd.type, x, (ptrdiff_t)i * steps[s]));
                const void *a[2] = {x, total}, *r[2] = {plain, total_ref};
                ptrdiff_t strides[2] = {steps[s], 77};
                ck_assert_int_eq((int)jitk_call_strided(sum, gd.n, 2, a, strides), (int)JITK_OK);
                ck_assert_int_eq((int)jitk_callv(sum_ref, gd.n, 2, r), (int)JITK_OK);
                if (kut_differs(gd.type, total_ref, total, 1) == 0)
                    GD_FAIL("sum with stride %td", steps[s]);
                a[1] = y;
                r[1] = want;
                strides[1] = steps[s] ? steps[s] : 1;
                if (!steps[s]) {
                    y = gd.place ? area[1].at : area[1].at + area[1].nbytes - gd.n * size;
                    a[1] = y;
                }
                ck_assert_int_eq((int)jitk_call_strided(map, gd.n, 2, a, strides), (int)JITK_OK);
                ck_assert_int_eq((int)jitk_callv(map_ref, gd.n, 2, r), (int)JITK_OK);
                for (size_t i = 0; i < gd.n; i++)
                    if (!plain_same(kut_format(gd.type), kut_get(gd.type, want, (ptrdiff_t)i),
                                    kut_get(gd.type, y, (ptrdiff_t)i * strides[1])))
                        GD_FAIL("map with stride %td, element %zu", steps[s], i);
                for (size_t i = 1; i < span && wide > 1; i++) {
                    unsigned char *gap = (unsigned char *)(steps[s] < 0 ? y - i * size : y + i * size);
                    if (i % wide && (gap[0] != GD_CANARY || gap[size - 1] != GD_CANARY))
                        GD_FAIL("wrote between the elements, stride %td", steps[s]);
                }
            }
    jitk_free(sum);
    jitk_free(map);
    jitk_free(sum_ref);
    jitk_free(map_ref);
    kut_unmap(area[0]);
    kut_unmap(area[1]);
}
END_TEST

/* Sums whose body is not zero at zero: a lane without an element adds nothing. Whole numbers, so that the value is
 * known without any order. */
START_TEST(not_zero_at_zero)
{
    static const struct {
        const char *text;
        double each, times; /* the sum is n*each + times*S */
    } rows[] = {{"sum(x + 1)", 1, 1},   {"sum(1 - x)", 1, -1},  {"sum(2*x + 3)", 3, 2},
                {"sum(x^0)", 1, 0},     {"sum(x*0 + 5)", 5, 0}, {"count(x + 30)", 1, 0},
                {"sum(x < 1e9)", 1, 0}, {"-sum(-x - 1)", 1, 1}, {"sum((x + 8) % 1024)", 8, 1}};
    static double x[GD_MAX_N];
    static float y[GD_MAX_N];
    if (!kut_isa(_i))
        return;
    for (size_t i = 0; i < GD_MAX_N; i++)
        y[i] = (float)(x[i] = (double)(i * 7 % 23));
    for (size_t r = 0; r < KUT_COUNT(rows); r++) {
        jitk_kernel *k = kut_compile(rows[r].text, JITK_F64, _i), *kf = kut_compile(rows[r].text, JITK_F32, _i);
        double total = 0;
        for (size_t n = 0; n <= GD_MAX_N; total += n < GD_MAX_N ? x[n] : 0, n++) {
            double got = -1, want = rows[r].each * (double)n + rows[r].times * total;
            float gotf = -1;
            const void *a[2] = {x, &got}, *af[2] = {y, &gotf};
            ck_assert_int_eq((int)jitk_callv(k, n, 2, a), (int)JITK_OK);
            ck_assert_int_eq((int)jitk_callv(kf, n, 2, af), (int)JITK_OK);
            if (got != want || gotf != (float)want)
                ck_abort_msg("%s: %s, n=%zu: expected %g, got %g and (f32) %g", kut_isa_names[_i], rows[r].text, n,
                             want, got, (double)gotf);
        }
        jitk_free(k);
        jitk_free(kf);
    }
}
END_TEST

/* ---- around the chunks' borders ---- */

/* Quarters of a chunk, and elements more or less; ascending. */
static const struct gd_length {
    size_t quarters;
    int more;
} gd_lengths[] = {{0, 1},  {0, 31}, {0, 63}, {0, 64}, {0, 65},    {0, 255}, {0, 256}, {0, 257}, {0, 1024}, {1, -1},
                  {1, 0},  {1, 1},  {2, -1}, {2, 0},  {2, 1},     {3, 0},   {3, 1},   {4, -1},  {4, 0},    {4, 1},
                  {4, 64}, {8, -1}, {8, 0},  {8, 1},  {12, 5000}, {16, 1},  {27, 77}, {32, 0},  {64, -1}};
enum { GD_LONG = 6 }; /* of them are too long for an emulated processor */

static size_t gd_elements(jitk_type type, size_t i)
{
    return (size_t)((long)(gd_lengths[i].quarters * (CHUNK_BYTES / 4 / kut_size(type))) + gd_lengths[i].more);
}

static bool gd_far(jitk_type type, double want, uint64_t got)
{
    uint64_t bits = type == JITK_F32 ? plain_narrow(plain_double_bits(want)) : plain_double_bits(want);
    return !plain_same(kut_format(type), bits, got);
}

/* sum and dot against the reference, at an odd offset; the rest against the interpreter. */
START_TEST(chunk_borders)
{
    static const char *const others[] = {
        "prod(1 + x*1e-6)",       "mean(x)", "min(x)", "argmax(x)", "count(x > 1)", "sum(x) + max(x)*sum(x*x) - min(x)",
        "sum(x) + argmin(abs(x))"};
    int isa = _i / 2;
    jitk_type type = _i & 1 ? JITK_F32 : JITK_F64;
    size_t size = kut_size(type), lengths = KUT_COUNT(gd_lengths) - (kut_step() > 1 ? GD_LONG : 0);
    kut_rng rng = {kut_seed() + 5};
    if (!kut_isa(isa))
        return;
    size_t most = gd_elements(type, lengths - 1) + 16;
    char *x = (char *)malloc(most * size), *y = (char *)malloc(most * size), *xy = (char *)malloc(most * size);
    char got[8], want[8];
    ck_assert(x && y && xy);
    kut_fill(&rng, type, KUT_TAME, x, most);
    kut_fill(&rng, type, KUT_TAME, y, most);
    jitk_kernel *sum = kut_compile("sum(x)", type, isa), *dot = kut_compile("dot(x, y)", type, isa);
    jitk_kernel *other[KUT_COUNT(others)], *interp[KUT_COUNT(others)];
    for (size_t o = 0; o < KUT_COUNT(others); o++) {
        other[o] = kut_compile(others[o], type, isa);
        interp[o] = kut_compile(others[o], type, JITK_ISA_INTERP);
    }
    for (size_t l = 0; l < lengths; l++) {
        size_t n = gd_elements(type, l), off = l * 5 % 13;
        const void *a[2] = {x + off * size, got}, *b[3] = {x + off * size, y + l % 11 * size, got};
        const void *c[2] = {x + off * size, want};
        ck_assert_int_eq((int)jitk_callv(sum, n, 2, a), (int)JITK_OK);
        unsigned saved = plain_enter();
        bool far = gd_far(type, reference_sum(a[0], n, size), kut_get(type, got, 0));
        plain_leave(saved);
        ck_assert_msg(!far, "%s %s: sum(x), n=%zu: got %.17g", kut_isa_names[isa], kut_type_name(type), n,
                      kut_show(type, kut_get(type, got, 0)));
        ck_assert_int_eq((int)jitk_callv(dot, n, 3, b), (int)JITK_OK);
        saved = plain_enter();
        for (size_t i = 0; i < n; i++)
            kut_put(type, xy, (ptrdiff_t)i,
                    plain_mul(kut_format(type), kut_get(type, b[0], (ptrdiff_t)i), kut_get(type, b[1], (ptrdiff_t)i)));
        far = gd_far(type, reference_sum(xy, n, size), kut_get(type, got, 0));
        plain_leave(saved);
        ck_assert_msg(!far, "%s %s: dot(x, y), n=%zu: got %.17g", kut_isa_names[isa], kut_type_name(type), n,
                      kut_show(type, kut_get(type, got, 0)));
        for (size_t o = 0; o < KUT_COUNT(others); o++) {
            ck_assert_int_eq((int)jitk_callv(other[o], n, 2, a), (int)JITK_OK);
            ck_assert_int_eq((int)jitk_callv(interp[o], n, 2, c), (int)JITK_OK);
            ck_assert_msg(kut_differs(type, want, got, 1) == 1, "%s %s: %s, n=%zu: expected %.17g, got %.17g",
                          kut_isa_names[isa], kut_type_name(type), others[o], n, kut_show(type, kut_get(type, want, 0)),
                          kut_show(type, kut_get(type, got, 0)));
        }
    }
    for (size_t o = 0; o < KUT_COUNT(others); o++) {
        jitk_free(other[o]);
        jitk_free(interp[o]);
    }
    jitk_free(sum);
    jitk_free(dot);
    free(x);
    free(y);
    free(xy);
}
END_TEST

/* The place of an extreme that stands in a later chunk, in the rest of one, and twice. */
START_TEST(places_in_later_chunks)
{
    static const size_t chunk = CHUNK_BYTES / sizeof(double);
    const size_t n = 3 * chunk + 1000, at[] = {0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk + 9000, n - 2, n - 1};
    if (!kut_isa(_i))
        return;
    double *x = (double *)calloc(n, sizeof *x);
    ck_assert_ptr_nonnull(x);
    jitk_kernel *lo = kut_compile("argmin(x)", JITK_F64, _i), *hi = kut_compile("argmax(x)", JITK_F64, _i);
    for (size_t i = 0; i < KUT_COUNT(at); i++)
        for (size_t j = i; j < KUT_COUNT(at); j++) {
            double place = -2;
            const void *a[2] = {x, &place};
            x[at[i]] = x[at[j]] = -1;
            ck_assert_int_eq((int)jitk_callv(lo, n, 2, a), (int)JITK_OK);
            ck_assert_msg(place == (double)at[i], "argmin: %g for %zu", place, at[i]);
            x[at[i]] = x[at[j]] = 1;
            ck_assert_int_eq((int)jitk_callv(hi, n, 2, a), (int)JITK_OK);
            ck_assert_msg(place == (double)at[i], "argmax: %g for %zu", place, at[i]);
            x[at[i]] = x[at[j]] = plain_double(plain_f64.inf + 1);
            ck_assert_int_eq((int)jitk_callv(hi, n, 2, a), (int)JITK_OK);
            ck_assert_msg(place == (double)at[i], "argmax of NaN: %g for %zu", place, at[i]);
            x[at[i]] = x[at[j]] = 0;
        }
    jitk_free(lo);
    jitk_free(hi);
    free(x);
}
END_TEST

/* ---- results beyond the caches ---- */

/* Inputs repeat themselves every so many elements, so that a short reference serves; a prime, so that no vector or
 * block fits it. */
#define GD_PERIOD 4099

static size_t gd_large(void)
{
    jitk_info_t info;
    size_t least = (size_t)48 << 20, most = (size_t)256 << 20;
    jitk_info(&info);
    size_t nbytes = info.l3 + (info.l3 >> 3);
    nbytes = nbytes < least ? least : nbytes > most ? most : nbytes;
    return kut_step() > 1 ? least : nbytes;
}

static struct gd_stream_state {
    kut_area in, out;
    jitk_type type;
    int isa;
    char base[2][8 * GD_PERIOD], want[8 * GD_PERIOD];
} gds;

static void gd_repeats(const char *text, const char *r, size_t n)
{
    size_t size = kut_size(gds.type);
    for (size_t b = 0; b < n; b += GD_PERIOD) {
        size_t count = n - b < GD_PERIOD ? n - b : GD_PERIOD,
               bad = kut_differs(gds.type, gds.want, r + b * size, count);
        ck_assert_msg(bad == count, "%s %s: %s, n=%zu: element %zu", kut_isa_names[gds.isa], kut_type_name(gds.type),
                      text, n, b + bad);
    }
}

/* y, where there is one, is x from 64 elements on: it needs no memory of its own. */
static void gd_stream(const char *text, size_t offset)
{
    size_t size = kut_size(gds.type), period = GD_PERIOD * size, n = gds.in.nbytes / size - 64, nargs = 2;
    char *r = gds.out.at + offset * size;
    const void *args[3] = {gds.in.at, r, r}, *refs[3] = {gds.base[0], gds.want, gds.want};
    for (size_t b = 0; b < gds.in.nbytes; b += period)
        memcpy(gds.in.at + b, gds.base[0], gds.in.nbytes - b < period ? gds.in.nbytes - b : period);
    if (strstr(text, "y[]")) {
        args[1] = gds.in.at + 64 * size;
        refs[1] = gds.base[1];
        nargs = 3;
    }
    jitk_kernel *k = kut_compile(text, gds.type, gds.isa), *interp = kut_compile(text, gds.type, JITK_ISA_INTERP);
    ck_assert_int_eq((int)jitk_callv(interp, GD_PERIOD, nargs, refs), (int)JITK_OK);
    gd_paint(gds.out);
    ck_assert_int_eq((int)jitk_callv(k, n, nargs, args), (int)JITK_OK);
    gd_repeats(text, r, n);
    ck_assert_msg(gd_untouched(gds.out, 0, offset * size) && gd_untouched(gds.out, (offset + n) * size, gds.out.nbytes),
                  "%s %s: %s wrote around its result", kut_isa_names[gds.isa], kut_type_name(gds.type), text);
    if (nargs == 2) { /* in place */
        args[1] = gds.in.at;
        ck_assert_int_eq((int)jitk_callv(k, n, nargs, args), (int)JITK_OK);
        gd_repeats(text, gds.in.at, n);
    }
    jitk_free(k);
    jitk_free(interp);
}

START_TEST(streaming_stores)
{
    static const char *const texts[] = {"k(x[]) = 2*x^0.5", "k(x[], y[]) = 2*x + 3*y", "k(x[]) = x > 0 ? sqrt(x) : -x",
                                        "k(x[], y[]) = x % y"};
    kut_rng rng = {kut_seed() + 6};
    gds.isa = _i / 2;
    gds.type = _i & 1 ? JITK_F32 : JITK_F64;
    if (!kut_isa(gds.isa) || gds.isa == JITK_ISA_INTERP)
        return;
    gds.in = kut_map(gd_large());
    gds.out = kut_map(gds.in.nbytes);
    kut_fill(&rng, gds.type, KUT_MIXED, gds.base[0], GD_PERIOD);
    for (ptrdiff_t i = 0; i < GD_PERIOD; i++)
        kut_put(gds.type, gds.base[1], i, kut_get(gds.type, gds.base[0], (i + 64) % GD_PERIOD));
    for (size_t t = 0; t < KUT_COUNT(texts); t++)
        if (!strchr(texts[t], '%') || kut_fma_is_exact())
            gd_stream(texts[t], (t * 5 + 1) % 16);
    kut_unmap(gds.in);
    kut_unmap(gds.out);
}
END_TEST

/* Reductions of arrays beyond the caches: sum against the reference, the rest against the interpreter. The last leaves
 * an array besides: past the caches, then in place. */
START_TEST(reductions_from_memory)
{
    static const char *const texts[] = {"(x[], y[]) = sum(x)", "(x[], y[]) = dot(x, y)", "(x[], y[]) = max(x - y)",
                                        "(x[], y[]) = sum(x) + max(x)*sum(x*x) - min(x)",
                                        "(x[], y[]) = prod(1 + x*1e-9) + argmax(x + y)"};
    static const char with_array[] = "(x[]) = x + 1, sum(x*x)";
    kut_rng rng = {kut_seed() + 7};
    int isa = _i / 2;
    jitk_type type = _i & 1 ? JITK_F32 : JITK_F64;
    size_t size = kut_size(type), nbytes = gd_large(), n = nbytes / size - 64;
    char *x = (char *)malloc(nbytes), got[8], want[8];
    if (!kut_isa(isa) || isa == JITK_ISA_INTERP) {
        free(x);
        return;
    }
    ck_assert_ptr_nonnull(x);
    kut_fill(&rng, type, KUT_TAME, x, GD_PERIOD);
    for (size_t b = GD_PERIOD * size; b < nbytes; b += GD_PERIOD * size)
        memcpy(x + b, x, nbytes - b < GD_PERIOD * size ? nbytes - b : GD_PERIOD * size);
    for (size_t t = 0; t < KUT_COUNT(texts); t++) {
        jitk_kernel *k = kut_compile(texts[t], type, isa), *interp = kut_compile(texts[t], type, JITK_ISA_INTERP);
        const void *a[3] = {x, x + 64 * size, got}, *b[3] = {x, x + 64 * size, want};
        ck_assert_int_eq((int)jitk_callv(k, n, 3, a), (int)JITK_OK);
        ck_assert_int_eq((int)jitk_callv(interp, n, 3, b), (int)JITK_OK);
        ck_assert_msg(kut_differs(type, want, got, 1) == 1, "%s %s: %s, n=%zu: expected %.17g, got %.17g",
                      kut_isa_names[isa], kut_type_name(type), texts[t], n, kut_show(type, kut_get(type, want, 0)),
                      kut_show(type, kut_get(type, got, 0)));
        unsigned saved = plain_enter();
        bool far = t == 0 && gd_far(type, reference_sum(x, n, size), kut_get(type, got, 0));
        plain_leave(saved);
        ck_assert_msg(!far, "%s %s: sum(x), n=%zu", kut_isa_names[isa], kut_type_name(type), n);
        jitk_free(k);
        jitk_free(interp);
    }
    jitk_kernel *k = kut_compile(with_array, type, isa), *interp = kut_compile(with_array, type, JITK_ISA_INTERP);
    kut_area out = kut_map(nbytes); /* begins a page, so that no element stands before the first whole line */
    char base[GD_PERIOD * 8];
    const void *refs[3] = {x, base, want}, *away[3] = {x, out.at, got}, *in_place[3] = {x, x, got};
    ck_assert_int_eq((int)jitk_callv(interp, GD_PERIOD, 3, refs), (int)JITK_OK);
    for (int round = 0; round < 2; round++) {
        char *r = round ? x : out.at, node[8];
        const void *sum[3] = {x, out.at, node};
        ck_assert_int_eq((int)jitk_callv(interp, n, 3, sum), (int)JITK_OK);
        gd_paint(out);
        ck_assert_int_eq((int)jitk_callv(k, n, 3, round ? in_place : away), (int)JITK_OK);
        ck_assert_msg(kut_differs(type, node, got, 1) == 1, "%s %s: %s, n=%zu: the sum", kut_isa_names[isa],
                      kut_type_name(type), with_array, n);
        for (size_t b = 0; b < n; b += GD_PERIOD) {
            size_t count = n - b < GD_PERIOD ? n - b : GD_PERIOD, bad = kut_differs(type, base, r + b * size, count);
            ck_assert_msg(bad == count, "%s %s: %s, n=%zu: element %zu", kut_isa_names[isa], kut_type_name(type),
                          with_array, n, b + bad);
        }
        ck_assert_msg(gd_untouched(out, n * size, out.nbytes), "%s %s: %s wrote behind its result", kut_isa_names[isa],
                      kut_type_name(type), with_array);
    }
    kut_unmap(out);
    jitk_free(k);
    jitk_free(interp);
    free(x);
}
END_TEST

Suite *suite_guard(void)
{
    Suite *s = suite_create("guard");
    TCase *t = tcase_create("guard"), *big = tcase_create("large");
    kut_say_skipped("guard");
    tcase_set_timeout(t, 900);
    tcase_add_loop_test(t, guarded, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
    tcase_add_loop_test(t, guarded_strides, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
    tcase_add_loop_test(t, not_zero_at_zero, KUT_FIRST_ISA, KUT_END_ISA);
    suite_add_tcase(s, t);
    tcase_set_timeout(big, 900);
    tcase_add_loop_test(big, chunk_borders, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
    tcase_add_loop_test(big, places_in_later_chunks, KUT_FIRST_ISA, KUT_END_ISA);
    tcase_add_loop_test(big, streaming_stores, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
    tcase_add_loop_test(big, reductions_from_memory, 2 * KUT_FIRST_ISA, 2 * KUT_END_ISA);
    suite_add_tcase(s, big);
    return s;
}
