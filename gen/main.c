/* jitk-gen: makes jitk.h, and the tables of the named kernels, from src/ and kernels/.
 *
 *   jitk-gen header [--line] ROOT FILE   jitk.h as one file; --line: with #line, so that errors name the sources
 *   jitk-gen named ROOT FOLDER           the three generated files alone, for builds on the modules */
#include "gen.h"

void gen_die(const char *format, ...)
{
    va_list args;
    fputs("jitk-gen: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

void gen_put(gen_text *t, const char *data, size_t count)
{
    if (t->cap - t->count < count + 1) {
        t->cap = 2 * t->cap + count + 4096;
        t->data = (char *)realloc(t->data, t->cap);
        if (!t->data)
            gen_die("out of memory");
    }
    if (count)
        memcpy(t->data + t->count, data, count);
    t->count += count;
    t->data[t->count] = 0;
}

void gen_puts(gen_text *t, const char *s)
{
    gen_put(t, s, strlen(s));
}

void gen_printf(gen_text *t, const char *format, ...)
{
    char line[4096];
    va_list args;
    int n;
    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line)
        gen_die("line too long");
    gen_put(t, line, (size_t)n);
}

void gen_free(gen_text *t)
{
    free(t->data);
    t->data = NULL;
    t->count = t->cap = 0;
}

void gen_read(const char *root, const char *path, gen_text *out)
{
    char full[4096], part[4096];
    size_t got;
    FILE *f;
    snprintf(full, sizeof full, "%s/%s", root, path);
    f = fopen(full, "rb");
    if (!f)
        gen_die("cannot read %s", full);
    gen_put(out, "", 0);
    while ((got = fread(part, 1, sizeof part, f)) > 0)
        gen_put(out, part, got);
    if (ferror(f))
        gen_die("cannot read %s", full);
    fclose(f);
}

void gen_write(const char *path, const gen_text *t)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(t->data, 1, t->count, f) != t->count || fclose(f))
        gen_die("cannot write %s", path);
}

static void gen_write_named(const char *folder, const gen_named *g)
{
    const gen_text *texts[3];
    static const char *const names[3] = {"named_api.h", "named_tables.h", "named_calls.h"};
    char path[4096];
    int i;
    texts[0] = &g->api;
    texts[1] = &g->tables;
    texts[2] = &g->calls;
    for (i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        gen_write(path, texts[i]);
    }
}

int main(int argc, char **argv)
{
    bool lines = argc > 2 && !strcmp(argv[2], "--line");
    gen_named named;
    gen_text text = {NULL, 0, 0};
    if (argc == 4 + lines && !strcmp(argv[1], "header")) {
        gen_named_make(argv[2 + lines], &named);
        gen_amalgamate(argv[2 + lines], &named, lines, &text);
        gen_write(argv[3 + lines], &text);
        gen_free(&text);
    } else if (argc == 4 && !strcmp(argv[1], "named")) {
        gen_named_make(argv[2], &named);
        gen_write_named(argv[3], &named);
    } else {
        fputs("usage: jitk-gen header [--line] ROOT FILE | jitk-gen named ROOT FOLDER\n", stderr);
        return 2;
    }
    gen_named_free(&named);
    return 0;
}
