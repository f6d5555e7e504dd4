/* fp: every op of the table on extreme values against plain_op.h, software fma, conversions, the floating-point mode.
 */
#include "suites.h"
#include "plain_op.h"

static void check_op(unsigned op, jk_type t, unsigned aux, uint64_t a, uint64_t b, uint64_t c)
{
    jk_type vt = value_type(op, t);
    uint64_t want = 0, got = jk_fp_fold(op, vt, operand_type(op, t), aux, a, b, c);
    require(plain_op(op, t, aux, a, b, c, &want), "no meaning");
    if (!same_value(vt, want, got))
        ck_abort_msg("%s %s %016llx %016llx %016llx: %016llx, not %016llx", jk_op_name((jk_op)op), jk_type_name(t),
                     (unsigned long long)a, (unsigned long long)b, (unsigned long long)c, (unsigned long long)got,
                     (unsigned long long)want);
}

/* All pairs and triples of the extreme values; for masks, what masks can be. */
START_TEST(every_op)
{
    unsigned op = (unsigned)_i % JK_OP_COUNT, saved = plain_enter();
    jk_type t = _i < JK_OP_COUNT ? JK_F64 : JK_F32;
    size_t i, j, k, arity = jk_op_arity((jk_op)op);
    uint64_t unused;
    unsigned aux = t == JK_F64 ? 52 : 23;
    bool masks = op >= JK_MNOT && op <= JK_MOR;
    if (!plain_op(op, t, aux, 0, 0, 0, &unused)) { /* those that consumers write by hand have tests of their own */
        ck_assert(op >= JK_CONST);
        plain_leave(saved);
        return;
    }
    for (i = 0; i < EXTREMES; i++)
        for (j = 0; j < (arity > 1 ? EXTREMES : 1); j++)
            for (k = 0; k < (arity > 2 ? EXTREMES : 1); k++)
                if (masks)
                    check_op(op, t, aux, mask_of(t, i & 1), mask_of(t, j & 1), 0);
                else
                    check_op(op, t, aux, extreme_of(t, i), extreme_of(t, j), extreme_of(t, k));
    for (i = 0; i < 8 * jk_type_size(t) && (op == JK_ISHL || op == JK_ISHR); i++)
        check_op(op, t, (unsigned)i, extreme_of(t, i), 0, 0);
    plain_leave(saved);
}
END_TEST

/* SELECT, BITS and CVT, and arrays of any op: each element as it would be alone, nothing written behind the 16 bytes of
 * the last. */
START_TEST(every_op_array)
{
    unsigned op = (unsigned)_i, saved = plain_enter(), type;
    for (type = JK_F64; type <= JK_F32; type++) {
        jk_type t = (jk_type)type, ot = operand_type(op, t), vt = value_type(op, t);
        size_t size = jk_type_size(t), n, i;
        uint64_t x[3][40], to[41], one;
        const void *from[3];
        from[0] = x[0], from[1] = x[1], from[2] = x[2];
        if (!plain_op(op, t, 3, 0, 0, 0, &one))
            break;
        for (i = 0; i < 3 * 40; i++) {
            one = extreme_of(t, (size_t)random_bits() % EXTREMES);
            if (op >= JK_MNOT && op <= JK_MOR)
                one = mask_of(t, one & 1);
            memcpy((char *)x[i / 40] + i % 40 * size, &one, size);
        }
        for (n = 1; n <= 40; n++) {
            memset(to, 0x5A, sizeof to);
            jk_fp_apply(op, vt, ot, 3, n, to, from);
            for (i = 0; i < n; i++) {
                uint64_t v[3] = {0, 0, 0}, want, got = 0;
                unsigned k;
                for (k = 0; k < 3; k++)
                    memcpy(&v[k], (char *)x[k] + i * size, size);
                plain_op(op, t, 3, v[0], v[1], v[2], &want);
                memcpy(&got, (char *)to + i * size, size);
                require(same_value(vt, want, got), "%s, element %zu of %zu", jk_op_name((jk_op)op), i, n);
            }
            for (i = JK_ALIGN_UP(n * size, 16); i < sizeof to; i++)
                require(((unsigned char *)to)[i] == 0x5A, "wrote behind the end");
        }
    }
    plain_leave(saved);
}
END_TEST

START_TEST(moves)
{
    unsigned saved = plain_enter();
    ck_assert_uint_eq(jk_fp_fold(JK_SELECT, JK_F64, JK_F64, 0, UINT64_MAX, 7, 9), 7);
    ck_assert_uint_eq(jk_fp_fold(JK_SELECT, JK_F64, JK_F64, 0, 0, 7, 9), 9);
    ck_assert_uint_eq(jk_fp_fold(JK_SELECT, JK_F32, JK_F32, 0, UINT32_MAX, 7, 9), 7);
    ck_assert_uint_eq(jk_fp_fold(JK_BITS, JK_I64, JK_F64, 0, 0x7FF0000000000001, 0, 0), 0x7FF0000000000001);
    ck_assert_uint_eq(jk_fp_fold(JK_BITS, JK_F32, JK_I32, 0, 0x7F800001, 0, 0), 0x7F800001);
    ck_assert_uint_eq(jk_fp_fold(JK_CVT, JK_F32, JK_F64, 0, 0x3FF0000010000000, 0, 0), 0x3F800000); /* a tie */
    ck_assert_uint_eq(jk_fp_fold(JK_CVT, JK_F32, JK_F64, 0, 0x3FF0000010000001, 0, 0), 0x3F800001);
    ck_assert_uint_eq(jk_fp_fold(JK_CVT, JK_F64, JK_F32, 0, 0x00000001, 0, 0), 0x36A0000000000000);
    ck_assert_uint_eq(jk_fp_fold(JK_CVT, JK_F64, JK_I64, 0, (uint64_t)INT64_MIN, 0, 0), 0xC3E0000000000000);
    /* 2^60 + 2^36 + 1: by way of f64 it would become a tie and round down */
    ck_assert_uint_eq(jk_fp_fold(JK_CVT, JK_F32, JK_I64, 0, 0x1000001000000001, 0, 0), 0x5D800001);
    plain_leave(saved);
}
END_TEST

/* ---- fma ---- */
static double fma_bits(uint64_t a, uint64_t b, uint64_t c)
{
    return jk_fma_f64(plain_double(a), plain_double(b), plain_double(c));
}

/* Worked out by hand: the rounding position, the sign of what is lost, and the exponent's ends. */
START_TEST(fma_exact)
{
    static const uint64_t rows[][4] = {
        /* (1 + e)^2 - (1 + 2e) = e^2, e = 2^-52 */
        {0x3FF0000000000001, 0x3FF0000000000001, 0xBFF0000000000002, 0x3970000000000000},
        /* 0.1 * 10 - 1 = 2^-54 */
        {0x3FB999999999999A, 0x4024000000000000, 0xBFF0000000000000, 0x3C90000000000000},
        /* 1 + half an ulp, and a little more or less */
        {0x3CA0000000000000, 0x3FF0000000000000, 0x3FF0000000000000, 0x3FF0000000000000},
        {0x3CA0000000000001, 0x3FF0000000000000, 0x3FF0000000000000, 0x3FF0000000000001},
        {0x3CA0000000000001, 0x3FEFFFFFFFFFFFFF, 0x3FF0000000000000, 0x3FF0000000000001},
        {0x3CA0000000000000, 0x3FEFFFFFFFFFFFFF, 0x3FF0000000000000, 0x3FF0000000000000},
        /* 1 + e + half an ulp less the smallest: the tie is broken 1,000 places below */
        {0x8000000000000001, 0x3FF0000000000000, 0x3FF0000000000001, 0x3FF0000000000001},
        /* the smallest product that is no zero, and half of it: a tie to even, and just above */
        {0x1E60000000000000, 0x1E60000000000000, 0x0000000000000000, 0x0000000000000001},
        {0x1E60000000000000, 0x1E50000000000000, 0x0000000000000000, 0x0000000000000000},
        {0x1E60000000000000, 0x1E50000000000001, 0x0000000000000000, 0x0000000000000001},
        {0x9E60000000000000, 0x1E50000000000000, 0x0000000000000000, 0x8000000000000000},
        /* a subnormal result of a cancellation; the same at the border to the normal ones */
        {0x0010000000000001, 0x3FF0000000000000, 0x8010000000000000, 0x0000000000000001},
        {0x0010000000000000, 0x3FE0000000000000, 0x0008000000000000, 0x0010000000000000},
        {0x000FFFFFFFFFFFFF, 0x3FF0000000000000, 0x0000000000000001, 0x0010000000000000},
        /* overflow, on the tie too, and a product beyond the range that comes back */
        {0x7FEFFFFFFFFFFFFF, 0x3FF0000000000000, 0x7C90000000000000, 0x7FF0000000000000},
        {0x7FEFFFFFFFFFFFFF, 0x3FF0000000000000, 0x7C8FFFFFFFFFFFFF, 0x7FEFFFFFFFFFFFFF},
        {0x7FE0000000000000, 0x4000000000000000, 0xFFE0000000000000, 0x7FE0000000000000},
        {0x7FE0000000000000, 0x7FE0000000000000, 0xFFF0000000000000, 0xFFF0000000000000},
        /* exact zeros: +0 of a cancellation, the sum's sign where all is zero */
        {0x3FF0000000000000, 0xBFF0000000000000, 0x3FF0000000000000, 0x0000000000000000},
        {0x8000000000000000, 0x3FF0000000000000, 0x8000000000000000, 0x8000000000000000},
        {0x8000000000000000, 0x3FF0000000000000, 0x0000000000000000, 0x0000000000000000},
    };
    unsigned saved = plain_enter();
    size_t i;
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t got = plain_double_bits(fma_bits(rows[i][0], rows[i][1], rows[i][2]));
        require(got == rows[i][3], "row %zu: %016llx", i, (unsigned long long)got);
        ck_assert_uint_eq(got, plain_fma(&plain_f64, rows[i][0], rows[i][1], rows[i][2]));
    }
    ck_assert_uint_eq(jk_fp_fold(JK_FMA, JK_F32, JK_F32, 0, 0x3DCCCCCD, 0x41200000, 0xBF800000),
                      0x32800000); /* 2^-26 */
    plain_leave(saved);
}
END_TEST

/* Random operands with exponents that meet: c near a*b, near its last place, far away, everything subnormal. */
static uint64_t fma_operand(jk_type t, int exponent)
{
    const plain_format *f = format_of(t);
    uint64_t r = random_bits(), m = random_bits() >> (r & 1 ? 12 : 30);
    int top = 2 * f->bias;
    if (r & 2)
        m = (r & 4) ? 0 : ((uint64_t)1 << f->mantissa) - 1 - (m & 3);
    exponent = exponent < 0 ? 0 : exponent > top ? top : exponent;
    return (r & 8 ? f->sign : 0) | (uint64_t)exponent << f->mantissa | (m & (((uint64_t)1 << f->mantissa) - 1));
}

START_TEST(fma_random)
{
    jk_type t = _i ? JK_F32 : JK_F64;
    const plain_format *f = format_of(t);
    unsigned saved = plain_enter();
    int i, top = 2 * f->bias + 1;
    random_state = 0x9E3779B97F4A7C15u;
    for (i = 0; i < 300000; i++) {
        int ea = (int)(random_bits() % (unsigned)top), eb = (int)(random_bits() % (unsigned)top),
            ec = ea + eb - f->bias;
        uint64_t a, b, c;
        if (i % 3 == 0) /* around where results turn subnormal */
            eb = f->bias - ea + (int)(random_bits() % 130);
        ec = ea + eb - f->bias + (int)(random_bits() % 250) - 125;
        a = fma_operand(t, ea);
        b = fma_operand(t, eb);
        c = i % 5 == 0 ? plain_mul(f, a, b) ^ f->sign : fma_operand(t, ec);
        check_op(JK_FMA, t, 0, a, b, c);
    }
    plain_leave(saved);
}
END_TEST

/* ---- conversions ---- */

/* Every pair of types; strides forward, backward, with gaps and 0; every value alone and in a row of others. */
START_TEST(conversions)
{
    jk_type from = (jk_type)(_i % 5), to = (jk_type)(_i / 5);
    ptrdiff_t fs = (ptrdiff_t)jk_type_size(from), ts = (ptrdiff_t)jk_type_size(to), gap;
    static const uint64_t integers[] = {0,
                                        1,
                                        2,
                                        127,
                                        128,
                                        254,
                                        255,
                                        256,
                                        0x7FFFFFFF,
                                        0x80000000,
                                        0xFFFFFFFF,
                                        0x100000000,
                                        0x1000001000000001,
                                        0x20000000000001,
                                        0x7FFFFFFFFFFFFFFF,
                                        0x8000000000000000,
                                        0xFFFFFFFFFFFFFFFF,
                                        0xFFFFFFFF7FFFFFFF,
                                        0xFFFFFFFF80000000,
                                        0x7FFFFFFFFFFFFDFF};
    uint64_t in[200 * 3], out[200 * 3];
    unsigned saved = plain_enter();
    random_state = 77;
    for (gap = 1; gap <= 3; gap++) {
        size_t n = 200, i;
        memset(in, 0x11, sizeof in);
        memset(out, 0x22, sizeof out);
        for (i = 0; i < n; i++) {
            uint64_t v = from == JK_F64 || from == JK_F32 ? extreme_of(from, i) : integers[i % 20];
            if (i > 100)
                v = from == JK_F64 || from == JK_F32 ? tame(from, from == JK_F64 ? 140 : 70)
                                                     : random_bits() >> random_bits() % 64;
            memcpy((char *)in + (ptrdiff_t)i * gap * fs, &v, (size_t)fs);
        }
        /* gap 2: written from the end */
        jk_fp_convert(gap == 2 ? (char *)out + (ptrdiff_t)(n - 1) * gap * ts : (char *)out, to,
                      gap == 2 ? -gap * ts : gap * ts, in, from, gap * fs, n);
        for (i = 0; i < n; i++) {
            uint64_t v = 0, got = 0, want;
            size_t at = gap == 2 ? n - 1 - i : i;
            memcpy(&v, (char *)in + (ptrdiff_t)i * gap * fs, (size_t)fs);
            memcpy(&got, (char *)out + (ptrdiff_t)at * gap * ts, (size_t)ts);
            want = plain_convert(to, from, v);
            require(same_value(to, got, want), "%s to %s of %llx: %llx, not %llx", jk_type_name(from), jk_type_name(to),
                    (unsigned long long)v, (unsigned long long)got, (unsigned long long)want);
            if (gap > 1)
                require(((unsigned char *)out)[(ptrdiff_t)at * gap * ts + ts] == 0x22, "wrote between");
        }
    }
    jk_fp_convert(out, to, ts, in, from, 0, 70); /* one element again and again */
    ck_assert_int_eq(memcmp(out, (char *)out + ts, (size_t)(69 * ts)), 0);
    plain_leave(saved);
}
END_TEST

/* ---- the mode ---- */
#if defined(__x86_64__)
START_TEST(floating_mode)
{
    static const unsigned modes[] = {0x1F80, 0x9FC0, 0x5F80, 0x3F80, 0x7F80, 0x1FBF};
    unsigned before = plain_mode(), mode = modes[_i];
    uint32_t saved;
    plain_set_mode(mode);
    saved = jk_fp_enter();
    ck_assert_uint_eq(plain_mode() & ~0x3Fu, 0x1F80);
    ck_assert_uint_eq(jk_fp_fold(JK_MUL, JK_F64, JK_F64, 0, 0x0010000000000000, 0x3FE0000000000000, 0),
                      0x0008000000000000);
    ck_assert_uint_eq(jk_fp_fold(JK_ADD, JK_F64, JK_F64, 0, 1, 1, 0), 2);
    ck_assert_uint_eq(jk_fp_fold(JK_DIV, JK_F64, JK_F64, 0, 0x3FF0000000000000, 0x4008000000000000, 0),
                      0x3FD5555555555555);
    ck_assert_uint_eq(jk_fp_fold(JK_DIV, JK_F64, JK_F64, 0, 0x4000000000000000, 0x4008000000000000, 0),
                      0x3FE5555555555555);
    jk_fp_leave(saved);
    ck_assert_uint_eq(plain_mode() & ~0x3Fu, mode & ~0x3Fu);
    plain_set_mode(before);
}
END_TEST
#endif

Suite *suite_fp(void)
{
    Suite *s = suite_create("fp");
    TCase *fp = tcase_create("fp");
    tcase_add_loop_test(fp, every_op, 0, 2 * JK_OP_COUNT);
    tcase_add_loop_test(fp, every_op_array, 0, JK_OP_COUNT);
    tcase_add_test(fp, moves);
    tcase_add_test(fp, fma_exact);
    tcase_add_loop_test(fp, fma_random, 0, 2);
    tcase_add_loop_test(fp, conversions, 0, 25);
#if defined(__x86_64__)
    tcase_add_loop_test(fp, floating_mode, 0, 6);
#endif
    tcase_set_timeout(fp, 60);
    suite_add_tcase(s, fp);
    return s;
}
