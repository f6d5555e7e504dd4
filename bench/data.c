/* data: the arrays that every contender works on, and what the machine has. */
#define _GNU_SOURCE
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const bench_row_info bench_rows[ROW_COUNT] = {
#define X(name, in, out, flops, first, text) {#name, in, out, flops, first, text},
    BENCH_ROWS(X)
#undef X
};

size_t bench_type_size(bench_type t)
{
    return t == BENCH_F64 ? 8 : 4;
}

const char *bench_type_name(bench_type t)
{
    return t == BENCH_F64 ? "f64" : "f32";
}

/* Three quarters of what is free, at most: the peers and the system need some. */
static size_t free_memory(void)
{
    return (size_t)sysconf(_SC_AVPHYS_PAGES) / 4 * 3 * (size_t)sysconf(_SC_PAGESIZE);
}

static struct {
    void *base;
    size_t mapped;
    bench_type type;
    size_t n;         /* filled so far, of this type */
    unsigned narrays; /* inputs filled so far */
    bench_arrays a;
} pool;

static size_t array_bytes(size_t n)
{
    return (n * 8 + 4096) / 4096 * 4096 + 4096 + 832; /* 832 = 13 lines: no two arrays share a place in a page */
}

/* Address space costs nothing until it is touched, so room for the largest run is reserved at once. */
static void reserve(void)
{
    size_t each = array_bytes(bench_set.n_max);
    pool.mapped = 4 * each;
    pool.base = mmap(NULL, pool.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool.base == MAP_FAILED) {
        fprintf(stderr, "bench: no room for arrays of %zu elements\n", bench_set.n_max);
        exit(1);
    }
    for (int i = 0; i < 3; i++)
        pool.a.in[i] = (char *)pool.base + (size_t)i * each;
    pool.a.out = (char *)pool.base + 3 * each;
}

size_t bench_n_limit(unsigned narrays, bench_type t)
{
    size_t room = (free_memory() + pool.n * bench_type_size(pool.type) * pool.narrays) / (narrays * bench_type_size(t));
    return room < bench_set.n_max ? room : bench_set.n_max;
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void fill_one(unsigned which, bench_type t, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        double u = (double)(mix(i * 4 + which + 1) >> 40) * 0x1p-24; /* 24 bits: the same values in both types */
        double v = which == 2 ? 2 * u - 1 : u + 0.5;
        if (t == BENCH_F64)
            ((double *)pool.a.in[which])[i] = v;
        else
            ((float *)pool.a.in[which])[i] = (float)v;
    }
}

const bench_arrays *bench_fill(bench_type t, size_t n, unsigned narrays)
{
    if (!pool.base)
        reserve();
    if (pool.type != t)
        pool.n = pool.narrays = 0;
    pool.type = t;
    if (n > pool.n || narrays > pool.narrays) {
        size_t size = n > pool.n ? n : pool.n;
        unsigned arrays = narrays > pool.narrays ? narrays : pool.narrays;
        for (unsigned i = 0; i < arrays; i++)
            fill_one(i, t, i < pool.narrays ? pool.n : 0, size);
        pool.n = size;
        pool.narrays = arrays;
    }
    memset(pool.a.out, 1, n * bench_type_size(t)); /* touched: no page fault under the watch */
    pool.a.n = n;
    return &pool.a;
}

/* What Linux says of CPU 0; sysconf can report the caches of a whole package. */
size_t bench_cache(int level)
{
    static const size_t usual[] = {32 << 10, 512 << 10, 16 << 20};
    char path[96], unit = 0;
    size_t kib = 0;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", level == 1 ? 0 : level);
    FILE *f = fopen(path, "r");
    bool good = f && fscanf(f, "%zu%c", &kib, &unit) == 2 && unit == 'K';
    if (f)
        fclose(f);
    return good ? kib << 10 : usual[level - 1];
}
