/* amalgamate: makes jitk.h of src/all.h. Each of our includes ("...") is expanded where it first stands and dropped
 * after that; of the system's (<...>) only the first is kept, and one that src/system.h does not name is an error,
 * since the files are expanded inside extern "C" and a target pragma, where no system header may be opened. The three
 * generated files come from memory. No date, no path of a machine: same sources, same bytes. */
#include "gen.h"

enum { GEN_FILES = 256, GEN_PATH = 256 };

typedef struct gen_job {
    const char *root;
    const gen_named *named;
    gen_text *out;
    bool lines;
    bool closed;                    /* src/system.h is over: no new system header from here on */
    char seen[GEN_FILES][GEN_PATH]; /* files and system headers already expanded */
    size_t nseen;
} gen_job;

static bool gen_first_time(gen_job *j, const char *name)
{
    size_t i;
    for (i = 0; i < j->nseen; i++)
        if (!strcmp(j->seen[i], name))
            return false;
    if (j->nseen == GEN_FILES || strlen(name) >= GEN_PATH)
        gen_die("%s: more than %d files, or a path too long", name, GEN_FILES);
    strcpy(j->seen[j->nseen++], name);
    return true;
}

/* Joins the including file's folder and `name`, taking "folder/.." out. */
static void gen_resolve(const char *from, const char *name, size_t len, char out[GEN_PATH])
{
    const char *slash = strrchr(from, '/');
    size_t dir = slash ? (size_t)(slash - from) : 0;
    memcpy(out, from, dir);
    while (len > 3 && !strncmp(name, "../", 3)) {
        while (dir > 0 && out[--dir] != '/')
            ;
        name += 3;
        len -= 3;
    }
    if (dir + len + 2 > GEN_PATH)
        gen_die("%s: include path too long", from);
    if (dir)
        out[dir++] = '/';
    memcpy(out + dir, name, len);
    out[dir + len] = 0;
}

/* The text of a generated file, or NULL: these have no folder, whoever includes them. */
static const gen_text *gen_generated(const gen_job *j, const char *name, size_t len)
{
    if (len == 11 && !memcmp(name, "named_api.h", len))
        return &j->named->api;
    if (len == 14 && !memcmp(name, "named_tables.h", len))
        return &j->named->tables;
    if (len == 13 && !memcmp(name, "named_calls.h", len))
        return &j->named->calls;
    return NULL;
}

static const char *gen_after_include(const char *line, const char *end)
{
    while (line < end && (*line == ' ' || *line == '#'))
        line++;
    if (end - line < 8 || strncmp(line, "include", 7))
        return NULL;
    for (line += 7; line < end && *line == ' '; line++)
        ;
    return line;
}

static void gen_border(gen_job *j, const char *what, const char *path)
{
    gen_printf(j->out, "/* ---- %s%s ---- */\n", what, path);
}

static void gen_lines_of(gen_job *j, const char *path, const gen_text *text, int depth);

static void gen_file(gen_job *j, const char *path, int depth)
{
    gen_text text = {NULL, 0, 0};
    gen_read(j->root, path, &text);
    gen_lines_of(j, path, &text, depth);
    gen_free(&text);
    if (!strcmp(path, "src/system.h"))
        j->closed = true;
}

/* Handles an include line; false where it is to be copied as it stands. */
static bool gen_include(gen_job *j, const char *path, const char *arg, const char *end, int depth, size_t lineno)
{
    char close = *arg == '<' ? '>' : '"', name[GEN_PATH];
    const char *stop = (const char *)memchr(arg + 1, close, (size_t)(end - arg - 1));
    size_t len = stop ? (size_t)(stop - arg - 1) : 0;
    const gen_text *made;
    if (!stop || len + 2 > GEN_PATH || depth > 16)
        gen_die("%s:%zu: bad include", path, lineno);
    if (close == '>') {
        bool first;
        memcpy(name, arg, len + 2);
        name[len + 2] = 0;
        first = gen_first_time(j, name);
        if (first && j->closed)
            gen_die("%s:%zu: %s must stand in src/system.h too", path, lineno, name);
        return !first;
    }
    made = gen_generated(j, arg + 1, len);
    if (made) {
        gen_border(j, "generated from kernels/", "");
        gen_put(j->out, made->data, made->count);
    } else {
        gen_resolve(path, arg + 1, len, name);
        if (!gen_first_time(j, name))
            return true;
        gen_border(j, "", name);
        if (j->lines)
            gen_printf(j->out, "#line 1 \"%s\"\n", name);
        gen_file(j, name, depth + 1);
    }
    gen_border(j, "back in ", path);
    if (j->lines)
        gen_printf(j->out, "#line %zu \"%s\"\n", lineno + 1, path);
    return true;
}

static void gen_lines_of(gen_job *j, const char *path, const gen_text *text, int depth)
{
    const char *at = text->data, *end = text->data + text->count;
    size_t lineno = 1;
    for (; at < end; lineno++) {
        const char *nl = (const char *)memchr(at, '\n', (size_t)(end - at));
        const char *stop = nl ? nl : end, *arg = *at == '#' ? gen_after_include(at, stop) : NULL;
        if (!arg || !gen_include(j, path, arg, stop, depth, lineno)) {
            gen_put(j->out, at, (size_t)(stop - at));
            gen_puts(j->out, "\n");
        }
        at = nl ? nl + 1 : end;
    }
}

void gen_amalgamate(const char *root, const gen_named *named, bool lines, gen_text *out)
{
    gen_job j;
    gen_text license = {NULL, 0, 0};
    memset(&j, 0, sizeof j);
    j.root = root;
    j.named = named;
    j.lines = lines;
    j.out = out;
    gen_puts(out,
             "/* jitk.h " JITK_VERSION " - array expressions compiled to machine code at run time, from one header.\n"
             " * Generated by jitk-gen from src/ and kernels/: change those. The license stands at the end. */\n");
    gen_file(&j, "src/all.h", 0);
    gen_read(root, "LICENSE", &license);
    gen_puts(out, "/*\n");
    gen_put(out, license.data, license.count);
    gen_puts(out, "*/\n");
    gen_free(&license);
}
