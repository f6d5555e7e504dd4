/* asm: what instructions are written into: code, constant pool, labels, fixups and the listing's lines, all growing in
 * the arena; and the end, which resolves them.
 *
 * Every emitter asks once for JK_ASM_ROOM bytes, more than any instruction has, and then writes without further checks.
 * After the first failure the capacity equals the length, so that this one test also catches the failed state. Jumps
 * forward and references to the pool leave a fixup, which jk_asm_finish resolves; jumps backward are final at once. */
#include "asm.h"

/* What only a mistake of the caller inside the library can cause. */
#ifdef JK_DEBUG
#include <assert.h>
#define JK_ASM_MUST(x) assert(x)
#else
#define JK_ASM_MUST(x) ((void)0)
#endif

JK_SMALL_OPEN

/* ---- buffers ---- */

#define JK_ASM_ROOM 32
#define JK_ASM_LIMIT ((size_t)INT32_MAX - 4096)
#define JK_ASM_POOL UINT32_MAX /* a fixup's label: a reference to the pool */

typedef struct jk_fixup {
    uint32_t at, label; /* a 32-bit displacement, relative to its own place until it is resolved */
} jk_fixup;

typedef struct jk_pooled {
    uint32_t at, nbytes;
    uint32_t older; /* the constant before it in its bucket, + 1; 0: none */
} jk_pooled;

JK_FUNC void jk_asm_init(jk_asm *as, jk_arena *arena, jk_enc enc)
{
    memset(as, 0, sizeof *as);
    as->arena = arena;
    as->enc = enc;
    as->note = UINT32_MAX;
}

JK_NOINLINE void jk_asm_fail(jk_asm *as)
{
    as->failed = true;
    as->cap = as->n;
}

/* Makes code or pool (`bytes`, their number and the room for them) hold `need` bytes; false, and the failed state, if
 * it cannot. New bytes are 0. */
JK_NOINLINE bool jk_asm_widen(jk_asm *as, void *bytes, size_t need)
{
    jk_any_list *l = (jk_any_list *)bytes;
    size_t want = JK_LARGER(need, JK_LARGER(2 * l->cap_items, (size_t)1024));
    void *p = NULL;
    if (!as->failed && need <= JK_ASM_LIMIT)
        p = jk_arena_zero(as->arena, want);
    if (!p) {
        jk_asm_fail(as);
        return false;
    }
    if (l->nitems)
        memcpy(p, l->items, l->nitems);
    l->items = p;
    l->cap_items = want;
    return true;
}

static inline uint8_t *jk_put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
    return p + 4;
}

JK_FUNC void jk_asm_fixup(jk_asm *as, const uint8_t *at, uint32_t label)
{
    jk_fixup *f = (jk_fixup *)jk_push(as->arena, &as->fixups, sizeof *f);
    if (!f) {
        as->failed = true; /* no more: the instruction under way goes on into the room that it has */
        return;
    }
    f->at = (uint32_t)(at - as->code);
    f->label = label;
}

/* Keeps for the listing what instruction begins here. */
JK_FUNC void jk_asm_record(jk_asm *as, jk_asm_line *l)
{
    jk_asm_line *to = (jk_asm_line *)jk_push(as->arena, &as->lines, sizeof *to);
    l->offset = (uint32_t)as->n;
    l->note = as->note;
    if (to)
        *to = *l;
    else
        as->failed = true; /* as above */
}

/* ---- labels ---- */

JK_FUNC jk_label jk_asm_label(jk_asm *as)
{
    int32_t *label = (int32_t *)jk_push(as->arena, &as->labels, sizeof *label);
    if (!label) {
        jk_asm_fail(as);
        return 0;
    }
    *label = -1;
    return (jk_label)as->nlabels - 1;
}

JK_FUNC void jk_asm_bind(jk_asm *as, jk_label l)
{
    if (as->failed)
        return;
    JK_ASM_MUST(l < as->nlabels && as->labels[l] < 0);
    as->labels[l] = (int32_t)as->n;
}

/* ---- the constant pool ---- */

static inline uint32_t *jk_pool_bucket(jk_asm *as, const uint8_t *bytes, size_t nbytes)
{
    uint32_t h = 0, word;
    size_t i;
    for (i = 0; i < nbytes; i += 4) {
        memcpy(&word, bytes + i, 4);
        h = (h ^ word) * 0x9E3779B1u;
        h ^= h >> 15;
    }
    return &as->bucket[h % JK_POOL_BUCKETS];
}

JK_FUNC uint32_t jk_asm_const(jk_asm *as, const void *bytes, size_t nbytes)
{
    uint32_t *bucket = jk_pool_bucket(as, (const uint8_t *)bytes, nbytes), k;
    jk_pooled *c;
    size_t at = JK_ALIGN_UP(as->npool, nbytes);
    JK_ASM_MUST(nbytes >= 4 && nbytes <= 64 && (nbytes & (nbytes - 1)) == 0);
    for (k = *bucket; k; k = c->older) {
        c = &as->pooled[k - 1];
        if (c->nbytes == nbytes && memcmp(as->pool + c->at, bytes, nbytes) == 0)
            return c->at;
    }
    c = (jk_pooled *)jk_push(as->arena, &as->pooled, sizeof *c);
    if (!c || (at + nbytes > as->cap_pool && !jk_asm_widen(as, &as->pool, at + nbytes))) {
        jk_asm_fail(as);
        return 0;
    }
    memcpy(as->pool + at, bytes, nbytes);
    as->npool = at + nbytes;
    c->at = (uint32_t)at;
    c->nbytes = (uint32_t)nbytes;
    c->older = *bucket;
    *bucket = (uint32_t)as->npooled;
    return c->at;
}

/* ---- the end ---- */

JK_FUNC void jk_asm_list(const jk_asm *as, size_t pool);

JK_NOINLINE bool jk_asm_finish(jk_asm *as, const uint8_t **code, size_t *nbytes)
{
    size_t pool = as->npool ? JK_ALIGN_UP(as->n, 64) : as->n, all = pool + as->npool, i;
    if (as->failed || (all > as->cap && !jk_asm_widen(as, &as->code, all)))
        return false;
    for (i = 0; i < as->nfixups; i++) {
        const jk_fixup *f = &as->fixups[i];
        uint32_t to = f->label == JK_ASM_POOL ? (uint32_t)pool : (uint32_t)as->labels[f->label], disp;
        if (to > (uint32_t)INT32_MAX) /* never bound: the caller gave up half-way */
            return false;
        memcpy(&disp, as->code + f->at, 4);
        jk_put32(as->code + f->at, disp + to - f->at);
    }
    if (as->npool) {
        memset(as->code + as->n, 0xCC, pool - as->n);
        memcpy(as->code + pool, as->pool, as->npool);
    }
    if (as->listing)
        jk_asm_list(as, pool);
    *code = as->code;
    *nbytes = all;
    return true;
}

JK_SMALL_CLOSE
