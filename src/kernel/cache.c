/* kernel: jitk_eval. Sources are found again by their text (and options) in a table of lists that only grow: an entry
 * is whole before it is linked, so readers need no lock. One entry has both precisions, for which of them a call means
 * follows from its arguments and from what the source names. */
#include "kernel.h"

#define JK_CACHE_LISTS 2048u
#define JK_CACHE_ENTRIES 4096u
#define JK_CACHE_BYTES ((size_t)64 << 20)

typedef struct jk_key {
    const char *source, *entry; /* entry: "" for the last definition */
    size_t len;
    uint64_t hash;
    unsigned isa, flags;
    bool typed; /* the options say the type: jitk_evalv */
} jk_key;

typedef struct jk_entry {
    struct jk_entry *next;
    jk_key key; /* the texts stand behind the entry */
    uint64_t named;
    jitk_kernel *kernel[2]; /* by type */
} jk_entry;

typedef struct jk_cache {
    jk_entry *list[JK_CACHE_LISTS];
    size_t count, nbytes, uncached;
} jk_cache;

JK_STATE jk_cache JK_SHARED(jk_cache_state) = {{NULL}, 0, 0, 0};
#define JK_CACHE (&JK_SHARED(jk_cache_state))

JK_FUNC uint64_t jk_hash_text(uint64_t h, const char *s, size_t n)
{
    uint64_t word;
    for (; n >= 8; n -= 8, s += 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15;
        h ^= h >> 32;
    }
    word = n;
    while (n--)
        word = word << 8 | (unsigned char)s[n];
    h = (h ^ word) * 0x9e3779b97f4a7c15;
    return h ^ h >> 32;
}

JK_FUNC jk_key jk_key_of(const char *source, const jitk_options *o)
{
    jk_key k;
    k.source = source;
    k.len = strlen(source);
    k.entry = o && o->entry ? o->entry : "";
    k.isa = o ? (unsigned)o->isa : 0;
    k.flags = o ? o->flags : 0;
    k.typed = o != NULL;
    k.hash = jk_hash_text(k.isa + 16 * k.flags, source, k.len);
    if (*k.entry)
        k.hash = jk_hash_text(k.hash, k.entry, strlen(k.entry));
    return k;
}

JK_FUNC jk_entry *jk_cache_find(const jk_key *k)
{
    jk_entry *at = __atomic_load_n(&JK_CACHE->list[k->hash % JK_CACHE_LISTS], __ATOMIC_ACQUIRE);
    for (; at; at = at->next)
        if (at->key.hash == k->hash && at->key.len == k->len && at->key.isa == k->isa && at->key.flags == k->flags &&
            at->key.typed == k->typed && !memcmp(at->key.source, k->source, k->len) && !strcmp(at->key.entry, k->entry))
            return at;
    return NULL;
}

JK_SMALL_OPEN
JK_FUNC jk_entry *jk_cache_add(const jk_key *k, uint64_t named)
{
    int saved = errno;
    size_t entry_len = strlen(k->entry) + 1, nbytes = sizeof(jk_entry) + k->len + 1 + entry_len;
    jk_entry *x = (jk_entry *)JK_MALLOC(nbytes), **list = &JK_CACHE->list[k->hash % JK_CACHE_LISTS];
    char *text = (char *)(x + 1);
    errno = saved;
    if (!x)
        return NULL;
    x->key = *k;
    x->key.source = text;
    x->key.entry = text + k->len + 1;
    memcpy(text, k->source, k->len + 1);
    memcpy(text + k->len + 1, k->entry, entry_len);
    x->named = named;
    x->kernel[0] = x->kernel[1] = NULL;
    x->next = *list;
    __atomic_store_n(list, x, __ATOMIC_RELEASE);
    JK_CACHE->nbytes += nbytes;
    return x;
}

/* Keeps the kernel, or another thread's that came first. Returns the one to run; *own where it is not in the cache. */
JK_FUNC jitk_kernel *jk_cache_keep(const jk_key *key, uint64_t named, jitk_type type, jitk_kernel *k, bool *own)
{
    size_t nbytes = k->nbytes + k->exec.nbytes;
    jitk_kernel *kept = k;
    jk_entry *x;
    *own = true;
    jk_share_lock();
    x = jk_cache_find(key);
    if (!x && JK_CACHE->count < JK_CACHE_ENTRIES && JK_CACHE->nbytes + nbytes + key->len <= JK_CACHE_BYTES)
        x = jk_cache_add(key, named);
    if (x && x->kernel[type]) {
        kept = x->kernel[type];
        *own = false;
    } else if (x && JK_CACHE->count < JK_CACHE_ENTRIES && JK_CACHE->nbytes + nbytes <= JK_CACHE_BYTES) {
        JK_CACHE->count++;
        JK_CACHE->nbytes += nbytes;
        __atomic_store_n(&x->kernel[type], k, __ATOMIC_RELEASE);
        *own = false;
    } else {
        JK_CACHE->uncached++;
    }
    jk_share_unlock();
    if (kept != k)
        jk_kernel_free(k);
    return kept;
}

JK_NOINLINE jitk_kernel *jk_eval_compile(const jk_key *key, const jitk_options *o, jitk_isa isa, jk_choice *choice,
                                         bool *own, jitk_error *e)
{
    jitk_kernel *k = jk_compile_text(key->source, key->len, o, isa, o ? NULL : choice, e);
    if (!k)
        return NULL;
    jk_kernel_announce(k);
    return jk_cache_keep(key, choice->named, choice->type, k, own);
}

JK_SMALL_CLOSE

JK_FUNC jitk_status jk_eval_any(const char *source, const jitk_options *o, size_t n, size_t nargs,
                                const void *const args[], const jk_tagged *tagged, jitk_error *e)
{
    jk_choice choice;
    jitk_kernel *k = NULL;
    bool own = false;
    jk_entry *x;
    jk_key key;
    jitk_isa isa;
    if (!source)
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "the source is NULL");
    if (jk_options_check(o, &isa, e) != JITK_OK)
        return e->status;
    key = jk_key_of(source, o);
    x = jk_cache_find(&key);
    choice.args = tagged;
    choice.nargs = nargs;
    choice.named = 0;
    choice.type = o && o->type == JITK_F32 ? JITK_F32 : JITK_F64;
    if (x && !o)
        choice.type = jk_eval_type(x->named, nargs, tagged);
    if (x)
        k = __atomic_load_n(&x->kernel[choice.type], __ATOMIC_ACQUIRE);
    if (!k)
        k = jk_eval_compile(&key, o, isa, &choice, &own, e);
    if (k)
        jk_call_any(k, n, nargs, args, NULL, tagged, e);
    if (own)
        jk_kernel_free(k);
    return e->status;
}

JITK_API jitk_status jk_eval_tagged(const char *source, size_t n, size_t nargs, const jk_tagged *args)
{
    uint32_t mode = jk_fp_enter();
    jitk_error e;
    e.status = JITK_OK;
    if (jk_eval_any(source, NULL, n, nargs, NULL, args, &e) != JITK_OK)
        jk_report(&e, NULL);
    jk_fp_leave(mode);
    return e.status;
}

JITK_API jitk_status jitk_evalv(const char *source, const jitk_options *options, size_t n, size_t nargs,
                                const void *const args[], jitk_error *error)
{
    static const jitk_options none = {JITK_F64, JITK_ISA_AUTO, 0, 0, NULL, NULL, 0, {0}};
    uint32_t mode = jk_fp_enter();
    jitk_error e;
    e.status = JITK_OK;
    jk_eval_any(source, options ? options : &none, n, nargs, args, NULL, &e);
    jk_report(&e, error);
    jk_fp_leave(mode);
    return e.status;
}

JK_SMALL_OPEN
JITK_API void jitk_cache_clear(void)
{
    size_t i;
    jk_share_lock();
    for (i = 0; i < JK_CACHE_LISTS; i++)
        while (JK_CACHE->list[i]) {
            jk_entry *x = JK_CACHE->list[i];
            JK_CACHE->list[i] = x->next;
            jk_kernel_free(x->kernel[0]);
            jk_kernel_free(x->kernel[1]);
            JK_FREE(x);
        }
    JK_CACHE->count = JK_CACHE->nbytes = JK_CACHE->uncached = 0;
    jk_share_unlock();
}

JK_FUNC void jk_cache_count(jitk_info_t *info)
{
    jk_share_lock();
    info->cached = JK_CACHE->count;
    info->cached_bytes = JK_CACHE->nbytes;
    info->uncached = JK_CACHE->uncached;
    jk_share_unlock();
}
JK_SMALL_CLOSE
#undef JK_CACHE_LISTS
#undef JK_CACHE_ENTRIES
#undef JK_CACHE_BYTES
#undef JK_CACHE
