/* kernel: what all files of the program share (weak objects with the version in their names), what belongs to a thread,
 * and fork. */
#include "kernel.h"
#include <pthread.h>

JK_SMALL_OPEN

typedef struct jk_shared {
    pthread_mutex_t lock; /* of what is set up once, and of the cache's writers */
    int watched;          /* forks are */
    int ready;            /* settings can be read without the lock */
    jk_settings settings;
} jk_shared;

JK_STATE jk_shared JK_SHARED(jk_shared_state) = {
    PTHREAD_MUTEX_INITIALIZER,
    0,
    0,
    {{0, {0, 0, 0}, ""}, {NULL, "", JITK_ISA_AUTO, JITK_ISA_AUTO, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0}};
JK_STATE __thread jitk_error JK_SHARED(jk_thread_error) = {JITK_OK, 0, 0, 0, ""};
#define JK_SHARE (&JK_SHARED(jk_shared_state))

JK_NOINLINE void jk_share_lock(void)
{
    pthread_mutex_lock(&JK_SHARE->lock);
}

JK_NOINLINE void jk_share_unlock(void)
{
    pthread_mutex_unlock(&JK_SHARE->lock);
}

/* A fork while another thread holds a lock would leave it held for ever in the child, so the forking thread takes both
 * (the share's before the pool's, as everywhere) and the child makes new ones. */
JK_FUNC void jk_fork_prepare(void)
{
    jk_share_lock();
    jk_exec_lock();
}

JK_FUNC void jk_fork_parent(void)
{
    jk_exec_unlock();
    jk_share_unlock();
}

JK_FUNC void jk_fork_child(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    jk_exec_child();
    JK_SHARE->lock = fresh;
}

/* Before main: no lock is held yet. */
static __attribute__((constructor)) void jk_fork_watch(void)
{
    if (!__atomic_exchange_n(&JK_SHARE->watched, 1, __ATOMIC_ACQ_REL))
        pthread_atfork(jk_fork_prepare, jk_fork_parent, jk_fork_child);
}

/* The kinds of dump that a list with commas names. */
JK_FUNC unsigned jk_dump_named(const char *list)
{
    static const jk_answer kinds[] = {{"ir", "\1"}, {"asm", "\2"}, {"plan", "\4"}, {"", ""}}; /* JITK_DUMP_... */
    unsigned found = 0;
    while (list && *list) {
        size_t n = strcspn(list, ",");
        const char *bit = jk_answer_to(kinds, list, n, false);
        found |= bit ? (unsigned)*bit : 0;
        list += n + (list[n] == ',');
    }
    return found;
}

JK_FUNC void jk_settings_read(jk_settings *s)
{
    /* Measured (Zen 4, 32 MiB of last cache): arrays of half its size in all are written equally fast either way, of
     * its size 1.5 times faster past the caches. A larger last cache is many cores' and not one's. */
    const size_t most = (size_t)64 << 20;
    jitk_isa cap = jk_isa_named(getenv("JITK_ISA"));
    jitk_info_t *i = &s->info;
    jk_cpu_detect(&s->cpu);
    i->version = JITK_VERSION;
    memcpy(i->cpu, s->cpu.brand, sizeof i->cpu);
    i->best = i->isa = jk_cpu_best(&s->cpu);
    if (cap != JITK_ISA_AUTO && cap < i->best)
        i->isa = cap;
    i->isa_name = jk_isa_name(i->isa);
    i->l1d = s->cpu.cache[0];
    i->l2 = s->cpu.cache[1];
    i->l3 = s->cpu.cache[2];
    i->threads = 1;
    i->dump = jk_dump_named(getenv("JITK_DUMP"));
    s->stream_bytes = i->l3 && i->l3 < most ? i->l3 : most;
}

JK_FUNC const jk_settings *jk_settings_get(void)
{
    jk_shared *s = JK_SHARE;
    if (!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE)) {
        jk_share_lock();
        if (!s->ready) {
            jk_settings_read(&s->settings);
            __atomic_store_n(&s->ready, 1, __ATOMIC_RELEASE);
        }
        jk_share_unlock();
    }
    return &s->settings;
}

JK_FUNC jitk_status jk_report(const jitk_error *e, jitk_error *user)
{
    jitk_status status = e->status;
    if (status != JITK_OK)
        JK_SHARED(jk_thread_error) = *e;
    if (user && status != JITK_OK)
        *user = *e;
    else if (user)
        memset(user, 0, sizeof *user);
    return status;
}

JK_NOINLINE void jk_begin(jk_session *s)
{
    s->mode = jk_fp_enter();
    s->e.status = JITK_OK;
}

JK_NOINLINE jitk_status jk_end(jk_session *s, jitk_error *user)
{
    jk_fp_leave(s->mode);
    return jk_report(&s->e, user);
}

JK_NOINLINE jitk_status jk_refuse(jitk_error *e, jitk_status status, const char *message)
{
    return jk_fail(e, status, "%s", message);
}

JK_NOINLINE void *jk_quiet_malloc(size_t nbytes, jitk_error *e)
{
    int saved = errno;
    void *p = JK_MALLOC(nbytes);
    errno = saved;
    if (!p && e)
        jk_fail_nomem(e);
    return p;
}

JITK_API const jitk_error *jitk_last_error(void)
{
    return &JK_SHARED(jk_thread_error);
}

JITK_API const char *jitk_version(void)
{
    return JITK_VERSION;
}

JK_SMALL_CLOSE
