/* base: what every room stands on: linkage, arenas, errors. Knows nothing of expressions or machines. */
#ifndef JK_BASE_H
#define JK_BASE_H
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every file-scope function of the implementation is JK_FUNC: private to the including file. Only the functions of
 * api.h (JITK_API, weak) and the shared state (JK_STATE, weak objects) have external linkage. */
#define JK_FUNC static __attribute__((unused))
#define JK_NOINLINE static __attribute__((unused, noinline))
#define JK_INLINE static inline __attribute__((always_inline)) /* a move or two, less than a call */
#define JK_STATE __attribute__((weak, visibility("default")))

/* Between these, code is small rather than fast: what runs once a kernel, or is a fallback. */
#if defined(__clang__)
#define JK_SMALL_OPEN _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#define JK_SMALL_CLOSE _Pragma("clang attribute pop")
#else
#if __GNUC__ >= 12
#define JK_SMALL_LEVEL "Oz"
#else
#define JK_SMALL_LEVEL "Os"
#endif
/* One optimize pragma: gcc 12 drops a second one in a macro. The passes left out take half of the header's compile
 * time and make it no smaller. */
#define JK_PRAGMA(...) _Pragma(#__VA_ARGS__)
#define JK_OPTIMIZE(...)                                                                                            \
    JK_PRAGMA(GCC optimize(                                                                                         \
        __VA_ARGS__, "no-caller-saves", "no-combine-stack-adjustments", "no-cse-follow-jumps", "no-early-inlining", \
        "no-expensive-optimizations", "no-gcse", "no-guess-branch-probability", "no-hoist-adjacent-loads",          \
        "no-if-conversion", "no-inline-functions-called-once", "no-ipa-cp", "no-ipa-icf", "no-ipa-modref",          \
        "no-ipa-pure-const", "no-ipa-reference", "no-ipa-sra", "no-ivopts", "no-math-errno",                        \
        "no-move-loop-invariants", "no-optimize-sibling-calls", "no-rerun-cse-after-loop", "no-schedule-insns2",    \
        "no-shrink-wrap", "no-tree-ccp", "no-tree-ch", "no-tree-coalesce-vars", "no-tree-copy-prop", "no-tree-dce", \
        "no-tree-dominator-opts", "no-tree-dse", "no-tree-forwprop", "no-tree-fre", "no-tree-loop-im",              \
        "no-tree-loop-optimize", "no-tree-pre", "no-tree-pta", "no-tree-sink", "no-tree-slsr", "no-tree-sra",       \
        "no-tree-tail-merge", "no-tree-vrp"))
#define JK_SMALL_OPEN _Pragma("GCC push_options") JK_OPTIMIZE(JK_SMALL_LEVEL)
#define JK_SMALL_CLOSE _Pragma("GCC pop_options")
#endif

/* And between these stand functions that do no more than jump: aligned they would be a third padding. */
#if defined(__clang__)
#define JK_DENSE_OPEN
#define JK_DENSE_CLOSE
#else
#define JK_DENSE_OPEN _Pragma("GCC push_options") _Pragma("GCC optimize(\"align-functions=1\")")
#define JK_DENSE_CLOSE _Pragma("GCC pop_options")
#endif

/* Tests replace these before the include to make the k-th call fail. */
#ifndef JK_MALLOC
#define JK_MALLOC malloc
#define JK_FREE free
#endif

#define JK_SMALLER(a, b) ((a) < (b) ? (a) : (b))
#define JK_LARGER(a, b) ((a) > (b) ? (a) : (b))
#define JK_ALIGN_UP(x, a) (((x) + ((a)-1)) & ~(size_t)((a)-1))

/* Element and value types. The first five are the public jitk_type; masks are what comparisons give: one truth
 * value a lane, M64 beside 8-byte lanes, M32 beside 4-byte lanes. In memory and in cells a mask is all ones or 0. */
typedef enum jk_type { JK_F64, JK_F32, JK_I64, JK_I32, JK_U8, JK_M64, JK_M32, JK_TYPE_COUNT } jk_type;
JK_FUNC size_t jk_type_size(jk_type t); /* bytes: 8 4 8 4 1 8 4 */
JK_FUNC const char *jk_type_name(jk_type t);

/* An arena: memory freed all at once. The first block may be the caller's own (a stack buffer). Allocations are 16
 * bytes aligned and not cleared. When memory runs out, alloc returns NULL and failed stays set. */
typedef struct jk_block jk_block;
typedef struct jk_arena {
    jk_block *blocks;
    char *at, *end;
    bool failed;
    bool limited; /* takes no more blocks than it was given */
} jk_arena;
JK_FUNC void jk_arena_init(jk_arena *a, void *first, size_t nbytes);
JK_FUNC void *jk_arena_alloc(jk_arena *a, size_t nbytes);
JK_FUNC void *jk_arena_zero(jk_arena *a, size_t nbytes);
JK_FUNC void jk_arena_free(jk_arena *a);

/* The first c in a string, or NULL. Not strchr: libstdc++'s is always_inline, for which other target options than the
 * caller's are an error. */
JK_FUNC char *jk_find_char(const char *s, char c);

/* Makes room for one more element in an arena-backed array: doubles *cap (from 8) when count == *cap. Returns the
 * (moved) array, or NULL when memory has run out. */
JK_FUNC void *jk_grow(jk_arena *a, void *items, size_t count, size_t *cap, size_t item_bytes);
/* The fields of such an array, and one more item at its end, not cleared: jk_push(arena, &s->items, sizeof *s->items).
 * NULL, and the array as it was, when memory has run out. */
#define JK_LIST(type, items) \
    type *items;             \
    size_t n##items, cap_##items
typedef struct jk_any_list {
    JK_LIST(void, items);
} __attribute__((may_alias)) jk_any_list; /* what all of them are read and written as */
JK_FUNC void *jk_push(jk_arena *a, void *list, size_t item_bytes);

/* Errors: the first one is kept. `e` may not be NULL inside the library (the public functions pass a local one).
 * Returns the status, so that `return jk_fail(...)` reads well. The error has no place (0) until it is given one. */
JK_FUNC jitk_status jk_fail(jitk_error *e, jitk_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
JK_FUNC jitk_status jk_fail_nomem(jitk_error *e);
/* Sets an error's place, which is 1-based, from byte offset and length in a source text. */
JK_FUNC void jk_fail_place(jitk_error *e, const char *source, size_t offset, size_t length);
#endif
