/* limit: the rows written by hand for the best instruction set of this CPU. */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H
#include "bench.h"

const bench_loops *limit_loops(void); /* NULL where there is none */
extern size_t limit_stream_bytes;     /* outputs from this size on are stored past the caches */
#endif
