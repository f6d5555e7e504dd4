/* exec: where machine code lives.
 *
 * Regions of 64 pages are mapped writable ahead of need. A piece of code takes whole pages of one: it is copied there
 * and its pages are made executable, one system call. Pages whose code was freed are made writable again only when they
 * are given out again, or all at once when nothing of their region is used any more: a compile and a free then cost one
 * system call each 64 times. Larger code has a region for itself, and so has what does not stand in anonymous memory.
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
    size_t nbytes;
    uint64_t used, sealed;                 /* a bit a page: taken; executable. One for all of larger code: all set */
    unsigned char length[JK_REGION_PAGES]; /* of the piece that begins with this page */
} jk_region;

typedef struct jk_exec_pool {
    pthread_mutex_t lock;
    jk_region *regions, *current;
    bool anonymous_refused;
} jk_exec_pool;

JK_STATE jk_exec_pool JK_SHARED(jk_exec_state) = {PTHREAD_MUTEX_INITIALIZER, NULL, NULL, false};
#define JK_POOL (&JK_SHARED(jk_exec_state))

JK_NOINLINE void jk_exec_lock(void)
{
    pthread_mutex_lock(&JK_POOL->lock);
}

JK_NOINLINE void jk_exec_unlock(void)
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

/* Those with up to three arguments. */
JK_NOINLINE long jk_os(long number, long a, long b, long c)
{
    return JK_SYSCALL(number, a, b, c, 0, 0, 0);
}

JK_NOINLINE char *jk_os_map(size_t nbytes, int prot, int flags, long fd)
{
    long p = JK_SYSCALL(JK_SYS_MMAP, 0, (long)nbytes, prot, flags, fd, 0);
    return p < 0 ? NULL : (char *)p;
}

JK_FUNC bool jk_os_protect(char *p, size_t nbytes, int prot)
{
    return jk_os(JK_SYS_MPROTECT, (long)p, (long)nbytes, prot) == 0;
}

/* The code in a memory file that nobody can write any more. MFD_EXEC says that it is meant to be executed, where the
 * system knows that flag. */
JK_FUNC char *jk_os_map_file(const char *code, size_t nbytes, size_t mapped)
{
    const long cloexec = 1, allow_sealing = 2, exec = 16, add_seals = 1033, all_seals = 15, eintr = -4;
    long fd = jk_os(JK_SYS_MEMFD_CREATE, (long)"jitk", cloexec | allow_sealing | exec, 0), n;
    char *p = NULL;
    if (fd < 0)
        fd = jk_os(JK_SYS_MEMFD_CREATE, (long)"jitk", cloexec | allow_sealing, 0);
    if (fd < 0)
        return NULL;
    while (nbytes) {
        n = jk_os(JK_SYS_WRITE, fd, (long)code, (long)nbytes);
        if (n == eintr)
            continue;
        if (n <= 0)
            break;
        nbytes -= (size_t)n;
        code += n;
    }
    if (!nbytes && jk_os(JK_SYS_FCNTL, fd, add_seals, all_seals) == 0)
        p = jk_os_map(mapped, JK_PROT_RX, JK_MAP_PRIVATE, fd);
    jk_os(JK_SYS_CLOSE, fd, 0, 0);
    return p;
}

/* ---- regions; the lock is held ---- */
JK_NOINLINE jk_region *jk_region_new(char *base, size_t nbytes)
{
    jk_region *r = base ? (jk_region *)JK_MALLOC(sizeof *r) : NULL;
    if (r) {
        r->base = base;
        r->nbytes = nbytes;
        r->used = r->sealed = 0;
        r->next = JK_POOL->regions;
        JK_POOL->regions = r;
    } else if (base) {
        jk_os(JK_SYS_MUNMAP, (long)base, (long)nbytes, 0);
    }
    return r;
}

/* One that holds nothing is given back; but the region at hand stays, if the system makes its pages executable. */
JK_FUNC void jk_region_drop(jk_region *r, bool refused)
{
    jk_region **at = &JK_POOL->regions;
    if (r->used || (r == JK_POOL->current && !refused))
        return;
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (JK_POOL->current == r)
        JK_POOL->current = NULL;
    jk_os(JK_SYS_MUNMAP, (long)r->base, (long)r->nbytes, 0);
    JK_FREE(r);
}

JK_NOINLINE uint64_t jk_page_bits(size_t page, size_t npages)
{
    return UINT64_MAX >> (64 - npages) << page;
}

/* The first of npages neighbours that are all set in `free`, or JK_REGION_PAGES. */
JK_NOINLINE size_t jk_page_run(uint64_t free, size_t npages)
{
    while (--npages)
        free &= free >> 1;
    return free ? (size_t)__builtin_ctzll(free) : JK_REGION_PAGES;
}

/* Pages of `r` for the code: fresh ones, else freed ones, which are made writable first: all where none is in use. */
JK_FUNC bool jk_region_take(jk_region *r, size_t npages, size_t nbytes, size_t *page)
{
    uint64_t bits;
    if (r->nbytes < nbytes)
        return false;
    *page = jk_page_run(~(r->used | r->sealed), npages);
    if (*page < JK_REGION_PAGES)
        return true;
    *page = jk_page_run(~r->used, npages);
    if (*page == JK_REGION_PAGES)
        return false;
    if (!r->used)
        npages = JK_REGION_PAGES;
    bits = jk_page_bits(*page, npages);
    if (!jk_os_protect(r->base + *page * JK_PAGE, npages * JK_PAGE, JK_PROT_RW))
        return false;
    r->sealed &= ~bits;
    return true;
}

JK_FUNC jk_region *jk_region_find(size_t npages, size_t nbytes, size_t *page)
{
    jk_region *r = JK_POOL->current;
    if (!r || !jk_region_take(r, npages, nbytes, page))
        for (r = JK_POOL->regions; r && !jk_region_take(r, npages, nbytes, page);)
            r = r->next;
    if (!r) {
        /* Populated: a page fault for each piece of code would cost more (0.8 us of 3.6 for each, measured). */
        const int flags = JK_MAP_PRIVATE | JK_MAP_ANONYMOUS | JK_MAP_POPULATE;
        nbytes = JK_LARGER(nbytes, JK_REGION_PAGES * JK_PAGE);
        r = jk_region_new(jk_os_map(nbytes, JK_PROT_RW, flags, -1), nbytes);
        *page = 0;
    }
    if (r && r->nbytes == JK_REGION_PAGES * JK_PAGE)
        JK_POOL->current = r;
    return r;
}

JK_FUNC char *jk_exec_place(jk_region *r, size_t page, size_t npages)
{
    r->used |= jk_page_bits(page, npages);
    r->sealed |= jk_page_bits(page, npages);
    r->length[page] = (unsigned char)npages;
    return r->base + page * JK_PAGE;
}

/* nbytes: of the pages */
JK_FUNC char *jk_exec_in_region(const void *code, size_t ncode, size_t nbytes)
{
    size_t page, npages = JK_SMALLER(nbytes / JK_PAGE, JK_REGION_PAGES);
    jk_region *r = jk_region_find(npages, nbytes, &page);
    char *at;
    if (!r)
        return NULL;
    at = r->base + page * JK_PAGE;
    if (ncode) /* a kernel of constants has no code */
        memcpy(at, code, ncode);
    memset(at + ncode, 0xcc, nbytes - ncode); /* breakpoints */
    if (jk_os_protect(at, nbytes, JK_PROT_RX))
        return jk_exec_place(r, page, npages);
    jk_region_drop(r, true); /* some systems refuse for good: then the region is of no use */
    return NULL;
}

JK_FUNC char *jk_exec_in_file(const void *code, size_t ncode, size_t nbytes)
{
    jk_region *r = jk_region_new(jk_os_map_file((const char *)code, ncode, nbytes), nbytes);
    return r ? jk_exec_place(r, 0, JK_REGION_PAGES) : NULL;
}

JK_FUNC jk_exec jk_exec_publish(const void *code, size_t nbytes)
{
    jk_exec x;
    x.code = NULL;
    x.nbytes = JK_ALIGN_UP(nbytes | 1, JK_PAGE); /* a page also where there is no code */
    jk_exec_lock();
    if (!JK_POOL->anonymous_refused)
        x.code = jk_exec_in_region(code, nbytes, x.nbytes);
    if (!x.code) {
        x.code = jk_exec_in_file(code, nbytes, x.nbytes);
        if (x.code) /* Only a file works: that is the system's policy, and does not change. */
            JK_POOL->anonymous_refused = true;
    }
    jk_exec_unlock();
    return x;
}

JK_FUNC void jk_exec_free(void *code)
{
    char *at = (char *)code;
    jk_region *r;
    if (!at)
        return;
    jk_exec_lock();
    for (r = JK_POOL->regions; r; r = r->next)
        if ((size_t)(at - r->base) < r->nbytes) {
            size_t page = (size_t)(at - r->base) / JK_PAGE;
            r->used &= ~jk_page_bits(page, r->length[page]);
            jk_region_drop(r, false);
            break;
        }
    jk_exec_unlock();
}
#else
JK_FUNC jk_exec jk_exec_publish(const void *code, size_t nbytes)
{
    jk_exec none = {NULL, 0};
    (void)code, (void)nbytes;
    return none;
}

JK_FUNC void jk_exec_free(void *code)
{
    (void)code;
}
#endif

JK_FUNC bool jk_exec_possible(void)
{
    static const unsigned char ret[64] = {0xf3, 0x0f, 0x1e, 0xfa, 0xc3};
    void *code = jk_exec_publish(ret, sizeof ret).code;
    jk_exec_free(code);
    return code != NULL;
}

JK_SMALL_CLOSE
#undef JK_POOL
#undef JK_PAGE
#undef JK_REGION_PAGES
