/* named: reads the kernel files in the order of kernels/files and lowers each definition in both precisions, with the
 * parser and the lowering that the runtime has; tables.c and wrappers.c print the result. */
#include "named.h"
#include "../src/ir/verify.c"

/* Errors as language.md prints them: place, message, the line and a caret. */
static void gen_die_at(const char *path, const char *source, const jitk_error *e)
{
    const char *line = source, *stop;
    size_t i;
    for (i = 1; i < e->line; i++)
        line = strchr(line, '\n') + 1;
    stop = strchr(line, '\n');
    if (e->line)
        gen_die("%s:%zu:%zu: %s\n  %.*s\n  %*s", path, e->line, e->column, e->message,
                (int)(stop ? stop - line : (ptrdiff_t)strlen(line)), line, (int)e->column, "^");
    gen_die("%s: %s", path, e->message);
}

static void gen_word(const char *from, const char *end, char *out, size_t cap)
{
    size_t n = (size_t)(end - from);
    while (n && from[n - 1] == ' ')
        n--;
    if (n >= cap)
        gen_die("'%.*s' is too long", (int)n, from);
    memcpy(out, from, n);
    out[n] = 0;
}

static void gen_comment_line(gen_kernel *k, const char *line, const char *end)
{
    size_t used = strlen(k->doc);
    while (line < end && (*line == '#' || *line == ' '))
        line++;
    if (end - line > 11 && !strncmp(line, "@ in place ", 11))
        gen_word(line + 11, end, k->in_place, sizeof k->in_place);
    else if (end - line > 10 && !strncmp(line, "@ returns ", 10))
        gen_word(line + 10, end, k->returns, sizeof k->returns);
    else
        snprintf(k->doc + used, sizeof k->doc - used, "%s%.*s", used ? "\n" : "", (int)(end - line), line);
}

/* The lines of comment that stand right above the definition at `pos`. */
static void gen_comment(gen_kernel *k, const char *source, size_t pos)
{
    size_t top = pos, line;
    while (top > 0 && source[top - 1] != '\n')
        top--;
    pos = top;
    while (top > 0) {
        for (line = top - 1; line > 0 && source[line - 1] != '\n'; line--)
            ;
        if (source[line] != '#')
            break;
        top = line;
    }
    while (top < pos) {
        const char *end = strchr(source + top, '\n');
        gen_comment_line(k, source + top, end);
        top = (size_t)(end + 1 - source);
    }
}

static void gen_lower(gen_kernels *all, const jitk_ast *ast, const jk_def *def, const char *path, const char *source)
{
    gen_kernel *k = &all->items[all->count++];
    jk_lower_options o;
    jitk_error e;
    int precision;
    size_t i;
    memset(k, 0, sizeof *k);
    memset(&e, 0, sizeof e);
    memset(&o, 0, sizeof o);
    if (!def->name)
        gen_die("%s: a definition without a name", path);
    memcpy(k->name, def->name, def->name_len);
    for (i = 0; i + 1 < all->count; i++)
        if (!strcmp(all->items[i].name, k->name))
            gen_die("%s: '%s' is defined twice", path, k->name);
    gen_comment(k, source, def->pos);
    o.entry = k->name;
    for (precision = 0; precision < 2; precision++) {
        const char *wrong;
        o.type = precision ? JK_F32 : JK_F64;
        if (jk_lower(ast, &o, &all->arena, &k->f[precision], &e) != JITK_OK)
            gen_die_at(path, source, &e);
        wrong = jk_ir_verify(&k->f[precision]);
        if (wrong)
            gen_die("%s: %s: the verifier says: %s", path, k->name, wrong);
    }
}

static void gen_kernel_file(gen_kernels *all, const char *root, const char *name)
{
    char path[512];
    gen_text source = {NULL, 0, 0};
    jitk_ast ast;
    jitk_error e;
    size_t i;
    memset(&e, 0, sizeof e);
    snprintf(path, sizeof path, "kernels/%s", name);
    gen_read(root, path, &source);
    if (jk_parse(&ast, source.data, source.count, NULL, 0, &e) != JITK_OK)
        gen_die_at(path, source.data, &e);
    all->items = (gen_kernel *)realloc(all->items, (all->count + ast.ndefs) * sizeof *all->items);
    if (!all->items)
        gen_die("out of memory");
    for (i = 0; i < ast.ndefs; i++)
        gen_lower(all, &ast, &ast.defs[i], path, source.data);
    jk_arena_free(&ast.arena);
    gen_free(&source);
}

void gen_named_make(const char *root, gen_named *out)
{
    gen_text list = {NULL, 0, 0};
    gen_kernels all;
    char *name;
    memset(out, 0, sizeof *out);
    memset(&all, 0, sizeof all);
    jk_arena_init(&all.arena, NULL, 0);
    gen_read(root, "kernels/files", &list);
    for (name = strtok(list.data, "\n"); name; name = strtok(NULL, "\n"))
        gen_kernel_file(&all, root, name);
    gen_api(&all, &out->api);
    gen_tables(&all, &out->tables);
    gen_calls(&all, &out->calls);
    jk_arena_free(&all.arena);
    free(all.items);
    gen_free(&list);
}

void gen_named_free(gen_named *g)
{
    gen_free(&g->api);
    gen_free(&g->tables);
    gen_free(&g->calls);
}
