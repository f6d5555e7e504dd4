/* kernel: jitk_eval. Sources are found again by their text (and options) in a table of lists that only grow: an entry
 * is whole before it is linked, so readers need no lock. Both precisions of a source have an entry: which of them a
 * call means follows from its arguments and from what the source names, which either entry knows. */
#include "kernel.h"

#define JK_CACHE_LISTS 2048u
#define JK_CACHE_ENTRIES 4096u
#define JK_CACHE_BYTES ((size_t)64 << 20)

JK_SMALL_OPEN

typedef struct jk_entry {
    struct jk_entry *next;
    jk_request key; /* source and entry stand behind all this */
    jitk_kernel *kernel;
} jk_entry;

typedef struct jk_cache {
    jk_entry *list[JK_CACHE_LISTS];
    size_t count, nbytes, uncached;
} jk_cache;

JK_STATE jk_cache JK_SHARED(jk_cache_state) = {{NULL}, 0, 0, 0};
#define JK_CACHE (&JK_SHARED(jk_cache_state))

/* An entry point of its own is rare: left out, so that a text is hashed in one go. */
JK_FUNC uint64_t jk_request_hash(const jk_request *r)
{
    const char *s = r->source;
    uint64_t word, h = (unsigned)r->isa + 16 * r->lower.flags;
    size_t n;
    for (n = r->len; n >= 8; n -= 8, s += 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * 0x9e3779b97f4a7c15;
        h ^= h >> 32;
    }
    for (word = n; n--;)
        word = word << 8 | (unsigned char)s[n];
    h = (h ^ word) * 0x9e3779b97f4a7c15;
    return h ^ h >> 32;
}

JK_FUNC bool jk_same_entry(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* The kernel for this request, whose type is found out. */
JK_NOINLINE jitk_kernel *jk_cache_find(jk_request *r)
{
    jk_entry *at = __atomic_load_n(&JK_CACHE->list[r->hash % JK_CACHE_LISTS], __ATOMIC_ACQUIRE);
    for (; at; at = at->next)
        if (at->key.hash == r->hash && at->key.len == r->len && at->key.isa == r->isa &&
            at->key.lower.flags == r->lower.flags && jk_same_entry(at->key.lower.entry, r->lower.entry) &&
            !memcmp(at->key.source, r->source, r->len)) {
            r->named = at->key.named;
            jk_request_type(r);
            if (at->key.lower.type == r->lower.type)
                return at->kernel;
        }
    return NULL;
}

/* Whether there was memory for it. */
JK_FUNC bool jk_cache_add(const jk_request *r, jitk_kernel *k, size_t nbytes)
{
    jk_entry *x = (jk_entry *)jk_quiet_malloc(nbytes, NULL), **list = &JK_CACHE->list[r->hash % JK_CACHE_LISTS];
    if (!x)
        return false;
    x->key = *r;
    x->key.source = (char *)memcpy(x + 1, r->source, r->len);
    if (r->lower.entry)
        x->key.lower.entry = strcpy((char *)(x + 1) + r->len, r->lower.entry);
    x->kernel = k;
    x->next = *list;
    __atomic_store_n(list, x, __ATOMIC_RELEASE);
    return true;
}

/* Keeps the kernel, or another thread's that came first. Returns the one to run; *own where it is not in the cache. */
JK_FUNC jitk_kernel *jk_cache_keep(jk_request *r, jitk_kernel *k, bool *own)
{
    size_t entry = sizeof(jk_entry) + r->len + (r->lower.entry ? strlen(r->lower.entry) + 1 : 0);
    size_t nbytes;
    jitk_kernel *kept;
    jk_share_lock();
    nbytes = JK_CACHE->nbytes + k->nbytes + k->exec.nbytes + entry;
    kept = jk_cache_find(r);
    if (!kept) {
        if (JK_CACHE->count < JK_CACHE_ENTRIES && nbytes <= JK_CACHE_BYTES && jk_cache_add(r, k, entry)) {
            JK_CACHE->count++;
            JK_CACHE->nbytes = nbytes;
        } else {
            JK_CACHE->uncached++;
            *own = true;
        }
    }
    jk_share_unlock();
    if (!kept)
        return k;
    jk_kernel_free(k);
    return kept;
}

/* Arguments are tagged, and then there are no options, or pointers. */
JK_NOINLINE jitk_status jk_eval_any(const char *source, const jitk_options *o, size_t n, size_t nargs,
                                    const void *const args[], const jk_tagged *tagged, jitk_error *user)
{
    jk_session s;
    jk_request r;
    jk_begin(&s);
    if (jk_request_read(&r, source, o, &s.e) == JITK_OK) {
        jitk_kernel *k;
        bool own = false;
        r.args = tagged;
        r.nargs = nargs;
        r.hash = jk_request_hash(&r);
        k = jk_cache_find(&r);
        if (!k) {
            k = jk_compile_kernel(&r, &s.e);
            if (k)
                k = jk_cache_keep(&r, k, &own);
        }
        if (k)
            jk_call_any(k, n, nargs, args, NULL, tagged, &s.e);
        if (own)
            jk_kernel_free(k);
    }
    return jk_end(&s, user);
}

JITK_API jitk_status jitk_evalv(const char *source, const jitk_options *options, size_t n, size_t nargs,
                                const void *const args[], jitk_error *error)
{
    return jk_eval_any(source, options, n, nargs, args, NULL, error);
}

JITK_API jitk_status jk_eval_tagged(const char *source, size_t n, size_t nargs, const jk_tagged *args)
{
    return jk_eval_any(source, NULL, n, nargs, NULL, args, NULL);
}

JITK_API void jitk_cache_clear(void)
{
    size_t i;
    jk_share_lock();
    for (i = 0; i < JK_CACHE_LISTS; i++)
        while (JK_CACHE->list[i]) {
            jk_entry *x = JK_CACHE->list[i];
            JK_CACHE->list[i] = x->next;
            jk_kernel_free(x->kernel);
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
