/* bandwidth: how fast this machine reads and copies memory from one thread, by hand-written loops that do nothing else.
 * These are the ceilings that everything else is compared with. */
#ifndef BENCH_BANDWIDTH_H
#define BENCH_BANDWIDTH_H
#include <stddef.h>

/* Reads every cache line of [from, from + nbytes), 64-byte aligned; gives something that depends on all of it. */
typedef unsigned long (*bandwidth_reader)(const void *from, size_t nbytes);
typedef void (*bandwidth_copier)(void *to, const void *from, size_t nbytes);

/* The fastest of several loops (one stream or four, plain or non-temporal stores, memcpy) for this memory. */
bandwidth_reader bandwidth_pick_reader(const void *from, size_t nbytes);
bandwidth_copier bandwidth_pick_copier(void *to, const void *from, size_t nbytes);
#endif
