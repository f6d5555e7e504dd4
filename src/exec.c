/* exec: where machine code lives.
 *
 * Regions of 64 pages are mapped writable ahead of need. A piece of code takes whole pages of one: it is copied there
 * and its pages are made executable, one system call. Pages whose code was freed are made writable again only when they
 * are given out again, or all at once when nothing of their region is used any more: a compile and a free then cost one
 * system call each 64 times. Code of more than half a region has a mapping of its own.
 *
 * Where the system does not let anonymous memory become executable (SELinux, PR_SET_MDWE), the code goes into a sealed
 * memory file that is mapped privately, read and execute only.
 *
 * Private memory and not a shared file: a forked child would overwrite its parent's code. Each page is shared by
 * nobody, so no code is disturbed by a neighbour's coming and going. */
#include "exec.h"
#include <pthread.h>

JK_SMALL_OPEN

#define JK_PAGE ((size_t)4096)
#define JK_REGION_PAGES ((size_t)64)

typedef struct jk_region {
    struct jk_region *next;
    char *base;
    size_t npages;
    bool own;                      /* one piece's own mapping */
    uint64_t used, sealed, starts; /* else a bit a page: taken; executable; first of a piece */
} jk_region;

typedef struct jk_exec_pool {
    pthread_mutex_t lock;
    jk_region *regions, *current;
    bool anonymous_refused;
} jk_exec_pool;

JK_STATE jk_exec_pool JK_SHARED(jk_exec_state) = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL, false};
#define JK_POOL (&JK_SHARED(jk_exec_state))

JK_FUNC void jk_exec_lock(void)
{
    pthread_mutex_lock(&JK_POOL->lock);
}

JK_FUNC void jk_exec_unlock(void)
{
    pthread_mutex_unlock(&JK_POOL->lock);
}

JK_FUNC void jk_exec_child(void)
{
    static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
    JK_POOL->lock = fresh;
}

#if JK_NATIVE
/* ---- the operating system: the calls that -std=c11 does not declare. Each gives -errno. ---- */
JK_FUNC long jk_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* Tests make the k-th call fail. */
#ifndef JK_SYSCALL
#define JK_SYSCALL jk_syscall
#endif

enum {
    JK_SYS_WRITE = 1,
    JK_SYS_CLOSE = 3,
    JK_SYS_MMAP = 9,
    JK_SYS_MPROTECT = 10,
    JK_SYS_MUNMAP = 11,
    JK_SYS_FCNTL = 72,
    JK_SYS_MEMFD_CREATE = 319
};
enum { JK_PROT_RW = 3, JK_PROT_RX = 5, JK_MAP_PRIVATE = 2, JK_MAP_ANONYMOUS = 0x20, JK_MAP_POPULATE = 0x8000 };

JK_FUNC char *jk_os_map(size_t nbytes, int prot, int flags, int fd)
{
    long p = JK_SYSCALL(JK_SYS_MMAP, 0, (long)nbytes, prot, flags, fd, 0);
    return p < 0 && p > -4096 ? NULL : (char *)p;
}

JK_FUNC bool jk_os_protect(char *p, size_t nbytes, int prot)
{
    return JK_SYSCALL(JK_SYS_MPROTECT, (long)p, (long)nbytes, prot, 0, 0, 0) == 0;
}

JK_FUNC void jk_os_unmap(char *p, size_t nbytes)
{
    JK_SYSCALL(JK_SYS_MUNMAP, (long)p, (long)nbytes, 0, 0, 0, 0);
}

/* The code in a memory file that nobody can write any more. MFD_EXEC says that it is meant to be executed, where the
 * system knows that flag. */
JK_FUNC char *jk_os_map_file(const char *code, size_t nbytes, size_t mapped)
{
    const long cloexec = 1, allow_sealing = 2, exec = 16, add_seals = 1033, all_seals = 15;
    long fd = JK_SYSCALL(JK_SYS_MEMFD_CREATE, (long)"jitk", cloexec | allow_sealing | exec, 0, 0, 0, 0);
    size_t done = 0;
    char *p = NULL;
    if (fd < 0)
        fd = JK_SYSCALL(JK_SYS_MEMFD_CREATE, (long)"jitk", cloexec | allow_sealing, 0, 0, 0, 0);
    if (fd < 0)
        return NULL;
    while (done < nbytes) {
        long n = JK_SYSCALL(JK_SYS_WRITE, fd, (long)(code + done), (long)(nbytes - done), 0, 0, 0);
        if (n <= 0 && n != -4) /* EINTR */
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    if (done == nbytes && JK_SYSCALL(JK_SYS_FCNTL, fd, add_seals, all_seals, 0, 0, 0) == 0)
        p = jk_os_map(mapped, JK_PROT_RX, JK_MAP_PRIVATE, (int)fd);
    JK_SYSCALL(JK_SYS_CLOSE, fd, 0, 0, 0, 0, 0);
    return p;
}

/* ---- regions; the lock is held ---- */
JK_FUNC jk_region *jk_region_new(char *base, size_t npages)
{
    jk_region *r = base ? (jk_region *)JK_MALLOC(sizeof *r) : NULL;
    if (!r) {
        if (base)
            jk_os_unmap(base, npages * JK_PAGE);
        return NULL;
    }
    r->base = base;
    r->npages = npages;
    r->own = false;
    r->used = r->sealed = r->starts = 0;
    r->next = JK_POOL->regions;
    JK_POOL->regions = r;
    return r;
}

JK_FUNC void jk_region_drop(jk_region *r)
{
    jk_region **at = &JK_POOL->regions;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (JK_POOL->current == r)
        JK_POOL->current = NULL;
    jk_os_unmap(r->base, r->npages * JK_PAGE);
    JK_FREE(r);
}

JK_FUNC uint64_t jk_page_bits(size_t page, size_t npages)
{
    return (npages == 64 ? ~(uint64_t)0 : ((uint64_t)1 << npages) - 1) << page;
}

/* The first of npages neighbours that are all set in `free`, or JK_REGION_PAGES. */
JK_FUNC size_t jk_page_run(uint64_t free, size_t npages)
{
    size_t i;
    for (i = 1; i < npages; i++)
        free &= free >> 1;
    return free ? (size_t)__builtin_ctzll(free) : JK_REGION_PAGES;
}

/* Pages of `r` for the code: fresh ones, else freed ones, which are made writable first. */
JK_FUNC bool jk_region_take(jk_region *r, size_t npages, size_t *page)
{
    uint64_t bits;
    if (r->own)
        return false;
    if (r->used == 0 && (*page = jk_page_run(~r->sealed, npages)) == JK_REGION_PAGES) {
        if (!jk_os_protect(r->base, r->npages * JK_PAGE, JK_PROT_RW))
            return false;
        r->sealed = 0;
    }
    *page = jk_page_run(~(r->used | r->sealed), npages);
    if (*page == JK_REGION_PAGES)
        *page = jk_page_run(~r->used, npages);
    if (*page == JK_REGION_PAGES)
        return false;
    bits = jk_page_bits(*page, npages);
    if (r->sealed & bits) {
        if (!jk_os_protect(r->base + *page * JK_PAGE, npages * JK_PAGE, JK_PROT_RW))
            return false;
        r->sealed &= ~bits;
    }
    return true;
}

JK_FUNC jk_region *jk_region_find(size_t npages, size_t *page)
{
    jk_region *r = JK_POOL->current;
    if (r && jk_region_take(r, npages, page))
        return r;
    for (r = JK_POOL->regions; r; r = r->next)
        if (r != JK_POOL->current && jk_region_take(r, npages, page))
            return JK_POOL->current = r;
    /* Populated: a page fault for each piece of code would cost more (0.8 us of 3.6 for each, measured). */
    r = jk_region_new(
        jk_os_map(JK_REGION_PAGES * JK_PAGE, JK_PROT_RW, JK_MAP_PRIVATE | JK_MAP_ANONYMOUS | JK_MAP_POPULATE, -1),
        JK_REGION_PAGES);
    *page = 0;
    return r ? JK_POOL->current = r : NULL;
}

/* Copies and seals. What is left of the last page becomes breakpoints. */
JK_FUNC bool jk_exec_write(char *at, const void *code, size_t nbytes, size_t npages)
{
    if (nbytes) /* a kernel of constants has no code */
        memcpy(at, code, nbytes);
    memset(at + nbytes, 0xcc, npages * JK_PAGE - nbytes);
    return jk_os_protect(at, npages * JK_PAGE, JK_PROT_RX);
}

JK_FUNC char *jk_exec_in_region(const void *code, size_t nbytes, size_t npages)
{
    size_t page;
    jk_region *r = jk_region_find(npages, &page);
    uint64_t bits;
    if (!r)
        return NULL;
    if (!jk_exec_write(r->base + page * JK_PAGE, code, nbytes, npages)) {
        /* Some kernels refuse for good: then the region is of no use. */
        if (r->used == 0)
            jk_region_drop(r);
        return NULL;
    }
    bits = jk_page_bits(page, npages);
    r->used |= bits;
    r->sealed |= bits;
    r->starts |= (uint64_t)1 << page;
    return r->base + page * JK_PAGE;
}

JK_FUNC char *jk_exec_own(const void *code, size_t nbytes, size_t npages, bool file)
{
    size_t mapped = npages * JK_PAGE;
    char *base = file ? jk_os_map_file((const char *)code, nbytes, mapped)
                      : jk_os_map(mapped, JK_PROT_RW, JK_MAP_PRIVATE | JK_MAP_ANONYMOUS, -1);
    jk_region *r = jk_region_new(base, npages);
    if (!r)
        return NULL;
    r->own = true;
    if (!file && !jk_exec_write(base, code, nbytes, npages)) {
        jk_region_drop(r);
        return NULL;
    }
    return base;
}

JK_FUNC jitk_status jk_exec_publish(const void *code, size_t nbytes, jk_exec *out, jitk_error *e)
{
    size_t npages = (nbytes + JK_PAGE - 1) / JK_PAGE;
    char *at = NULL;
    jk_exec_lock();
    if (!JK_POOL->anonymous_refused) {
        at = npages <= JK_REGION_PAGES / 2 ? jk_exec_in_region(code, nbytes, npages)
                                           : jk_exec_own(code, nbytes, npages, false);
    }
    if (!at) {
        at = jk_exec_own(code, nbytes, npages, true);
        /* Only a file works: that is the system's policy, and does not change. */
        if (at)
            JK_POOL->anonymous_refused = true;
    }
    jk_exec_unlock();
    out->code = at;
    out->nbytes = npages * JK_PAGE;
    return at ? JITK_OK : jk_fail(e, JITK_ERR_EXEC, 0, 0, 0, "the system gives no executable memory");
}

JK_FUNC void jk_exec_free(void *code)
{
    char *at = (char *)code;
    jk_region *r;
    if (!at)
        return;
    jk_exec_lock();
    for (r = JK_POOL->regions; r; r = r->next)
        if (at >= r->base && at < r->base + r->npages * JK_PAGE)
            break;
    if (r && !r->own) {
        size_t page = (size_t)(at - r->base) / JK_PAGE;
        uint64_t start = (uint64_t)1 << page;
        /* The piece ends before the next start or free page above it. */
        uint64_t ends = (r->starts | ~r->used) & ~(start | (start - 1));
        size_t end = ends ? (size_t)__builtin_ctzll(ends) : JK_REGION_PAGES;
        r->used &= ~jk_page_bits(page, end - page);
        r->starts &= ~start;
    }
    if (r && (r->own || (r->used == 0 && r != JK_POOL->current)))
        jk_region_drop(r);
    jk_exec_unlock();
}
#else
JK_FUNC jitk_status jk_exec_publish(const void *code, size_t nbytes, jk_exec *out, jitk_error *e)
{
    (void)code, (void)nbytes;
    out->code = NULL;
    out->nbytes = 0;
    return jk_fail(e, JITK_ERR_EXEC, 0, 0, 0, "no machine code is made for this system");
}

JK_FUNC void jk_exec_free(void *code)
{
    (void)code;
}
#endif

JK_FUNC bool jk_exec_possible(void)
{
    static const unsigned char ret[64] = {0xf3, 0x0f, 0x1e, 0xfa, 0xc3};
    jitk_error e;
    jk_exec x;
    memset(&e, 0, sizeof e);
    if (jk_exec_publish(ret, sizeof ret, &x, &e) != JITK_OK)
        return false;
    jk_exec_free(x.code);
    return true;
}

JK_SMALL_CLOSE
#undef JK_POOL
#undef JK_PAGE
#undef JK_REGION_PAGES
