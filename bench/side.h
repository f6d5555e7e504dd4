/* side: jitk's side of the races over arrays. */
#ifndef BENCH_SIDE_H
#define BENCH_SIDE_H
#include "bench.h"

/* "jitk" as a user calls it (jitk_sum and jitk_dot, else a kernel compiled with no options), then, where `isas`, a
 * kernel for each encoding that this CPU runs, by its name. side_done frees the kernels. */
void side_enter(bench_heat *h, bench_row row, bench_type t, const bench_arrays *x, bool isas);
void side_enter_text(bench_heat *h, const char *name, const char *text, bench_type t, const void *const *args,
                     size_t nargs, size_t n, int isa);
void side_done(void);

/* The encodings by rising ability: names and values of jitk_isa, from the interpreter on. */
typedef struct side_isa {
    const char *name;
    int isa;
} side_isa;
extern const side_isa side_isas[];
extern const size_t side_isa_count;
bool side_has(int isa);
#endif
