/* base: arenas, growing arrays, errors. */
#include "base.h"

JK_SMALL_OPEN

JK_FUNC size_t jk_type_size(jk_type t)
{
    static const unsigned char bytes[JK_TYPE_COUNT] = {8, 4, 8, 4, 1, 8, 4};
    return bytes[t];
}

JK_NOINLINE const char *jk_type_name(jk_type t)
{
    static const char *const names[JK_TYPE_COUNT] = {"f64", "f32", "i64", "i32", "u8", "m64", "m32"};
    return names[t];
}

struct jk_block {
    jk_block *next;
    size_t nbytes;
};

#define JK_BLOCK_HEAD JK_ALIGN_UP(sizeof(jk_block), 16)
#define JK_BLOCK_FIRST ((size_t)16384)

/* All places in a block are aligned, its end too; a first block too small to hold one of them is none. */
JK_NOINLINE void jk_arena_init(jk_arena *a, void *first, size_t nbytes)
{
    char *at = (char *)first;
    memset(a, 0, sizeof *a);
    if (nbytes >= 32) {
        a->at = at + (-(uintptr_t)at & 15);
        a->end = at + nbytes - ((uintptr_t)(at + nbytes) & 15);
    }
}

/* Blocks double, so that an arena of any size costs a logarithmic number of allocations. */
JK_NOINLINE void *jk_arena_more(jk_arena *a, size_t nbytes)
{
    size_t last = a->blocks ? a->blocks->nbytes : JK_BLOCK_FIRST / 2, need = JK_ALIGN_UP(nbytes, 16) + JK_BLOCK_HEAD;
    size_t want = JK_LARGER(2 * last, need);
    jk_block *b = a->limited || nbytes > SIZE_MAX / 4 ? NULL : (jk_block *)JK_MALLOC(want);
    if (!b) {
        a->failed = true;
        return NULL;
    }
    b->next = a->blocks;
    b->nbytes = want;
    a->blocks = b;
    a->at = (char *)b + need;
    a->end = (char *)b + want;
    return (char *)b + JK_BLOCK_HEAD;
}

JK_NOINLINE void *jk_arena_alloc(jk_arena *a, size_t nbytes)
{
    char *p = a->at;
    if (!p || (size_t)(a->end - p) < nbytes)
        return jk_arena_more(a, nbytes);
    a->at = p + JK_ALIGN_UP(nbytes, 16);
    return p;
}

JK_FUNC void *jk_arena_zero(jk_arena *a, size_t nbytes)
{
    void *p = jk_arena_alloc(a, nbytes);
    if (p)
        memset(p, 0, nbytes);
    return p;
}

JK_FUNC void jk_arena_free(jk_arena *a)
{
    while (a->blocks) {
        jk_block *next = a->blocks->next;
        JK_FREE(a->blocks);
        a->blocks = next;
    }
    a->at = a->end = NULL;
}

JK_FUNC char *jk_find_char(const char *s, char c)
{
    for (; *s; s++)
        if (*s == c)
            return (char *)(uintptr_t)s;
    return NULL;
}

JK_NOINLINE void *jk_grow(jk_arena *a, void *items, size_t count, size_t *cap, size_t item_bytes)
{
    size_t want = *cap ? 2 * *cap : 8;
    void *p;
    if (count < *cap)
        return items;
    /* Beyond SIZE_MAX / 4 there is no memory: no product of a number of items that there are with their size wraps. */
    p = jk_arena_alloc(a, want > SIZE_MAX / 1024 ? SIZE_MAX : want * item_bytes);
    if (!p)
        return NULL;
    if (count)
        memcpy(p, items, count * item_bytes);
    *cap = want;
    return p;
}

JK_NOINLINE void *jk_push(jk_arena *a, void *list, size_t item_bytes)
{
    jk_any_list *l = (jk_any_list *)list;
    void *items = jk_grow(a, l->items, l->nitems, &l->cap_items, item_bytes);
    if (!items)
        return NULL;
    l->items = items;
    return (char *)items + l->nitems++ * item_bytes;
}

JK_NOINLINE void jk_fail_place(jitk_error *e, const char *source, size_t offset, size_t length)
{
    size_t i, line = 1, start = 0;
    for (i = 0; i < offset; i++)
        if (source[i] == '\n') {
            line++;
            start = i + 1;
        }
    e->line = line;
    e->column = offset - start + 1;
    e->length = length;
}

JK_NOINLINE jitk_status jk_fail(jitk_error *e, jitk_status status, const char *format, ...)
{
    va_list args;
    if (e->status == JITK_OK) {
        e->status = status;
        e->line = e->column = e->length = 0;
        va_start(args, format);
        vsnprintf(e->message, sizeof e->message, format, args);
        va_end(args);
    }
    return e->status;
}

JK_NOINLINE jitk_status jk_fail_nomem(jitk_error *e)
{
    return jk_fail(e, JITK_ERR_NOMEM, "out of memory");
}

JK_SMALL_CLOSE
