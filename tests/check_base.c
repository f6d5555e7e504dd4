/* base: arenas, growing arrays, errors; and the generic front of the named kernels, which has no room of its own. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Allocation number `refuse` (from 0) fails; -1: none does. */
static int check_base_refuse = -1;
static int check_base_live;
static void *check_base_malloc(size_t nbytes)
{
    if (check_base_refuse == 0)
        return NULL;
    if (check_base_refuse > 0)
        check_base_refuse--;
    check_base_live++;
    return malloc(nbytes);
}
static void check_base_free(void *p)
{
    check_base_live -= p != NULL;
    free(p);
}
#define JK_MALLOC check_base_malloc
#define JK_FREE check_base_free
#include "suites.h"

/* Pieces of many sizes: aligned, apart from each other, zeroed where asked; everything is given back. */
START_TEST(arena_pieces)
{
    enum { PIECES = 400 };
    unsigned char *piece[PIECES], first[999];
    size_t size[PIECES], i, j;
    jk_arena a;
    jk_arena_init(&a, _i ? (first + 3) : NULL, _i ? sizeof first - 3 : 0);
    for (i = 0; i < PIECES; i++) {
        size[i] = i * i % 700;
        piece[i] = (unsigned char *)(i % 2 ? jk_arena_zero(&a, size[i]) : jk_arena_alloc(&a, size[i]));
        ck_assert_ptr_nonnull(piece[i]);
        ck_assert_uint_eq((uintptr_t)piece[i] % 16, 0);
        for (j = 0; i % 2 && j < size[i]; j++)
            ck_assert_uint_eq(piece[i][j], 0);
        memset(piece[i], (int)(i % 251), size[i]);
    }
    for (i = 0; i < PIECES; i++)
        for (j = 0; j < size[i]; j++)
            ck_assert_uint_eq(piece[i][j], i % 251);
    ck_assert(!a.failed);
    jk_arena_free(&a);
    ck_assert_int_eq(check_base_live, 0);
}
END_TEST

/* A first block of the caller's that is used up exactly, and one too small to hold a single aligned byte. */
START_TEST(arena_first_block)
{
    union {
        double align;
        char bytes[64];
    } first;
    jk_arena a;
    size_t skew = -(uintptr_t)first.bytes & 15, room = (sizeof first - skew) / 16;
    jk_arena_init(&a, first.bytes, sizeof first);
    while (room-- > 0)
        ck_assert_ptr_nonnull(jk_arena_alloc(&a, 16));
    ck_assert_ptr_null(a.blocks);
    ck_assert_ptr_nonnull(jk_arena_alloc(&a, 16));
    ck_assert_ptr_nonnull(a.blocks);
    jk_arena_free(&a);
    jk_arena_init(&a, first.bytes + skew + 1, 2);
    ck_assert_ptr_nonnull(jk_arena_alloc(&a, 1));
    ck_assert_ptr_nonnull(a.blocks);
    jk_arena_free(&a);
    ck_assert_int_eq(check_base_live, 0);
}
END_TEST

START_TEST(arena_fails)
{
    jk_arena a;
    void *p = NULL;
    int n = 0;
    jk_arena_init(&a, NULL, 0);
    check_base_refuse = _i;
    while ((p = jk_arena_alloc(&a, 100000)) != NULL)
        n++;
    ck_assert_int_ge(n, _i);
    ck_assert(a.failed);
    check_base_refuse = -1;
    ck_assert_ptr_nonnull(jk_arena_alloc(&a, 1));
    ck_assert(a.failed); /* stays */
    jk_arena_free(&a);
    ck_assert_int_eq(check_base_live, 0);
}
END_TEST

/* Sizes that wrap when rounded up are refused, not wrapped. */
START_TEST(arena_huge)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX / 2, SIZE_MAX / 4 + 1};
    jk_arena a;
    jk_arena_init(&a, NULL, 0);
    ck_assert_ptr_nonnull(jk_arena_alloc(&a, 8));
    ck_assert_ptr_null(jk_arena_alloc(&a, sizes[_i]));
    ck_assert(a.failed);
    jk_arena_free(&a);
}
END_TEST

START_TEST(grow)
{
    uint32_t *items = NULL;
    size_t cap = 0, i;
    jk_arena a;
    jk_arena_init(&a, NULL, 0);
    for (i = 0; i < 100000; i++) {
        items = (uint32_t *)jk_grow(&a, items, i, &cap, sizeof *items);
        ck_assert_ptr_nonnull(items);
        ck_assert_uint_gt(cap, i);
        items[i] = (uint32_t)(i * 2654435761u);
    }
    for (i = 0; i < 100000; i++)
        ck_assert_uint_eq(items[i], (uint32_t)(i * 2654435761u));
    cap = SIZE_MAX / 8;
    ck_assert_ptr_null(jk_grow(&a, items, cap, &cap, 8));
    ck_assert(a.failed);
    jk_arena_free(&a);
    ck_assert_int_eq(check_base_live, 0);
}
END_TEST

START_TEST(errors)
{
    static const char source[] = "one\ntwo\n\nfour";
    static const size_t places[][3] = {{0, 1, 1}, {3, 1, 4}, {4, 2, 1}, {6, 2, 3}, {8, 3, 1}, {9, 4, 1}, {13, 4, 5}};
    jitk_error e;
    size_t i;
    for (i = 0; i < sizeof places / sizeof places[0]; i++) {
        memset(&e, 0, sizeof e);
        ck_assert_int_eq(jk_fail(&e, JITK_ERR_NAME, "unknown '%s'", "x"), JITK_ERR_NAME);
        ck_assert_uint_eq(e.line, 0);
        jk_fail_place(&e, source, places[i][0], 2);
        ck_assert_int_eq(e.status, JITK_ERR_NAME);
        ck_assert_uint_eq(e.line, places[i][1]);
        ck_assert_uint_eq(e.column, places[i][2]);
        ck_assert_uint_eq(e.length, 2);
        ck_assert_str_eq(e.message, "unknown 'x'");
    }
    /* the first error is kept */
    ck_assert_int_eq(jk_fail(&e, JITK_ERR_TYPE, "second"), JITK_ERR_NAME);
    ck_assert_int_eq(jk_fail_nomem(&e), JITK_ERR_NAME);
    ck_assert_str_eq(e.message, "unknown 'x'");
    ck_assert_uint_eq(e.line, 4);
}
END_TEST

START_TEST(error_is_cut)
{
    char text[1000];
    jitk_error e;
    memset(&e, 0, sizeof e);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    jk_fail(&e, JITK_ERR_LIMIT, "%s", text);
    ck_assert_uint_eq(strlen(e.message), sizeof e.message - 1);
}
END_TEST

START_TEST(types)
{
    static const size_t bytes[JK_TYPE_COUNT] = {8, 4, 8, 4, 1, 8, 4};
    int i, j;
    for (i = 0; i < JK_TYPE_COUNT; i++) {
        ck_assert_uint_eq(jk_type_size((jk_type)i), bytes[i]);
        for (j = 0; j < i; j++)
            ck_assert_str_ne(jk_type_name((jk_type)i), jk_type_name((jk_type)j));
    }
    ck_assert_int_eq(JK_F64, JITK_F64);
    ck_assert_int_eq(JK_F32, JITK_F32);
    ck_assert_int_eq(JK_I64, JITK_I64);
    ck_assert_int_eq(JK_I32, JITK_I32);
    ck_assert_int_eq(JK_U8, JITK_U8);
}
END_TEST

/* The header and the library say the same. */
START_TEST(version)
{
    ck_assert_str_eq(jitk_version(), JITK_VERSION);
}
END_TEST

/* Every named kernel through its generic front: pointers const or not, n of several integer types, scalars of any. */
START_TEST(generic_front)
{
    double x[7] = {1, -2, 3, 0, 5, -6, 7}, y[7] = {7, 6, 5, 4, 3, 2, 1};
    const double *cx = x;
    float u[7] = {1, -2, 3, 0, 5, -6, 7}, v[7] = {7, 6, 5, 4, 3, 2, 1};
    const float *cu = u;
    int n = 7;
    unsigned char n8 = 7;
    ck_assert(sizeof jitk_sum(u, n) == sizeof(float) && sizeof jitk_sum(cx, n) == sizeof(double));
    ck_assert_double_eq(jitk_sum(x, n), 8);
    ck_assert_float_eq(jitk_sum(cu, n8), 8);
    ck_assert_double_eq(jitk_prod(cx, 3L), -6);
    ck_assert_float_eq(jitk_prod(u, 3ull), -6);
    ck_assert_double_eq(jitk_min(x, n), -6);
    ck_assert_float_eq(jitk_min(u, n), -6);
    ck_assert_double_eq(jitk_max(x, n), 7);
    ck_assert_float_eq(jitk_max(u, n), 7);
    ck_assert_double_eq(jitk_mean(x, 4), 0.5);
    ck_assert_float_eq(jitk_mean(u, 4), 0.5f);
    ck_assert_double_eq(jitk_dot(cx, y, n), 7 - 12 + 15 + 15 - 12 + 7);
    ck_assert_float_eq(jitk_dot(u, v, n), 7 - 12 + 15 + 15 - 12 + 7);
    ck_assert_double_eq(jitk_asum(x, n), 24);
    ck_assert_float_eq(jitk_asum(cu, n), 24);
    ck_assert_double_eq(jitk_sumsq(x, n), 124);
    ck_assert_float_eq(jitk_sumsq(u, n), 124);
    ck_assert_int_eq(jitk_argmin(x, n), 5);
    ck_assert_int_eq(jitk_argmax(u, n), 6);
    ck_assert_int_eq(jitk_argmax(cx, 0), -1);
    ck_assert_int_eq(jitk_argmin(cu, 0), -1);
    ck_assert_uint_eq(jitk_count_nonzero(x, n), 6);
    ck_assert_uint_eq(jitk_count_nonzero(u, n), 6);
    jitk_axpy(2, cx, y, n);
    ck_assert_double_eq(y[0], 9);
    ck_assert_double_eq(y[6], 15);
    jitk_axpy(2.0, u, v, n8);
    ck_assert_float_eq(v[1], 2);
    jitk_scal(0.5f, x, n);
    ck_assert_double_eq(x[6], 3.5);
    jitk_scal(-1L, u, n);
    ck_assert_float_eq(u[6], -7);
}
END_TEST

Suite *suite_base(void)
{
    Suite *s = suite_create("base");
    TCase *arena = tcase_create("arena"), *rest = tcase_create("errors and types"), *named = tcase_create("named");
    tcase_add_loop_test(arena, arena_pieces, 0, 2);
    tcase_add_test(arena, arena_first_block);
    tcase_add_loop_test(arena, arena_fails, 0, 5);
    tcase_add_loop_test(arena, arena_huge, 0, 5);
    tcase_add_test(arena, grow);
    suite_add_tcase(s, arena);
    tcase_add_test(rest, errors);
    tcase_add_test(rest, error_is_cut);
    tcase_add_test(rest, types);
    suite_add_tcase(s, rest);
    tcase_add_test(named, version);
    tcase_add_test(named, generic_front);
    suite_add_tcase(s, named);
    return s;
}
