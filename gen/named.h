/* named: a kernel of kernels/ with what its comment says, lowered in both precisions. */
#ifndef GEN_NAMED_H
#define GEN_NAMED_H
#include "gen.h"

typedef struct gen_kernel {
    char name[JK_NAME_MAX + 1];
    char doc[2048];    /* the comment before the definition, one line after the other */
    char in_place[64]; /* parameter that the array result is written over, or "" */
    char returns[64];  /* C type of an i64 result, or "" */
    jk_program f[2];   /* f64, f32 */
} gen_kernel;

typedef struct gen_kernels {
    gen_kernel *items;
    size_t count;
    jk_arena arena;
} gen_kernels;

static inline const char *gen_suffix(int precision)
{
    return precision ? "f32" : "f64";
}

/* named_api.h and named_calls.h (wrappers.c), named_tables.h (tables.c). */
void gen_api(const gen_kernels *k, gen_text *out);
void gen_calls(const gen_kernels *k, gen_text *out);
void gen_tables(const gen_kernels *k, gen_text *out);
#endif
