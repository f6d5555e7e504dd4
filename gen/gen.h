/* jitk-gen: what its files share. The generator stands on the runtime's own front end (src/front.h: syntax and ir), so
 * that a kernel file means exactly what the same text means at run time. */
#ifndef GEN_H
#define GEN_H
#include "../src/api.h"
#include "../src/system.h"
#include "../src/begin.h"
#include "../src/front.h"
#include "../src/end.h"

/* Text that grows. Everything is made in memory and written at the end, so that a failure leaves no half file. */
typedef struct gen_text {
    char *data;
    size_t count, cap;
} gen_text;

void gen_put(gen_text *t, const char *data, size_t count);
void gen_puts(gen_text *t, const char *s);
void gen_printf(gen_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void gen_free(gen_text *t);

/* Every failure ends the program with a message: a generator has nothing to clean up. */
void gen_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void gen_read(const char *root, const char *path, gen_text *out); /* ends in a 0 that count leaves out */
void gen_write(const char *path, const gen_text *t);

/* The three generated files (see named.c). */
typedef struct gen_named {
    gen_text api, tables, calls;
} gen_named;
void gen_named_make(const char *root, gen_named *out);
void gen_named_free(gen_named *g);

/* src/all.h with every include of ours expanded once: the text of jitk.h. */
void gen_amalgamate(const char *root, const gen_named *named, bool lines, gen_text *out);
#endif
