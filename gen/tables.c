/* tables: the programs of the named kernels as static const data. All programs share one pool for each kind of row, and
 * a run of rows that a pool already holds is used again: the two precisions of a kernel have the same orders and cells.
 */
#include "named.h"

typedef struct gen_pool {
    char **rows;
    size_t count, cap;
} gen_pool;

/* One row a pool: kind, element type, name of the table. */
#define GEN_POOLS(X)                          \
    X(INS, "jk_ins", "jk_named_ins")          \
    X(CELL, "uint32_t", "jk_named_cells")     \
    X(VARYING, "uint8_t", "jk_named_varying") \
    X(RARES, "jk_rare", "jk_named_rares")     \
    X(REFS, "jk_ref", "jk_named_refs")        \
    X(STEPS, "jk_step", "jk_named_steps")     \
    X(STAGES, "jk_stage", "jk_named_stages")  \
    X(ARGS, "jk_param_info", "jk_named_args")

#define GEN_ROW(KIND, type, name) GEN_##KIND,
typedef enum gen_kind { GEN_POOLS(GEN_ROW) GEN_KINDS } gen_kind;
#undef GEN_ROW
#define GEN_ROW(KIND, type, name) {type, name},
static const char *const gen_pool_names[GEN_KINDS][2] = {GEN_POOLS(GEN_ROW)};
#undef GEN_ROW

static void gen_row(gen_pool *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void gen_row(gen_pool *p, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (p->count == p->cap) {
        p->cap = 2 * p->cap + 64;
        p->rows = (char **)realloc(p->rows, p->cap * sizeof *p->rows);
        if (!p->rows)
            gen_die("out of memory");
    }
    p->rows[p->count] = (char *)malloc(strlen(line) + 1);
    if (!p->rows[p->count])
        gen_die("out of memory");
    strcpy(p->rows[p->count++], line);
}

/* The rows from `first` on were just added: drops them where the pool had the same run before. Returns where it stands.
 */
static size_t gen_shared(gen_pool *p, size_t first)
{
    size_t at, i, n = p->count - first;
    for (at = 0; at + n <= first; at++) {
        for (i = 0; i < n && !strcmp(p->rows[at + i], p->rows[first + i]); i++)
            ;
        if (i == n)
            break;
    }
    if (at + n > first)
        return first;
    while (p->count > first)
        free(p->rows[--p->count]);
    return at;
}

static const char *gen_place(gen_kind kind, size_t at, size_t n, char *out, size_t cap)
{
    if (n == 0)
        return "NULL";
    snprintf(out, cap, "%s + %zu", gen_pool_names[kind][1], at);
    return out;
}

static const char *const gen_op_names[JK_OP_COUNT] = {
#define JK_ROW(NAME, text, arity, result, flags, meaning) "JK_" #NAME,
    JK_OPS(JK_ROW)
#undef JK_ROW
};

static const char *const gen_type_names[JK_TYPE_COUNT] = {"JK_F64", "JK_F32", "JK_I64", "JK_I32",
                                                          "JK_U8",  "JK_M64", "JK_M32"};

static size_t gen_refs(gen_pool *g, const jk_ref *refs, size_t n)
{
    size_t i, first = g[GEN_REFS].count;
    for (i = 0; i < n; i++)
        gen_row(&g[GEN_REFS], "%uu", (unsigned)refs[i]);
    return gen_shared(&g[GEN_REFS], first);
}

static size_t gen_steps(gen_pool *g, const jk_step *step, size_t n)
{
    size_t i, first = g[GEN_STEPS].count;
    for (i = 0; i < n; i++)
        gen_row(&g[GEN_STEPS], "{%uu, %uu, {%uu, %uu, %uu}}", (unsigned)step[i].ref, (unsigned)step[i].to,
                (unsigned)step[i].from[0], (unsigned)step[i].from[1], (unsigned)step[i].from[2]);
    return gen_shared(&g[GEN_STEPS], first);
}

static size_t gen_stages(gen_pool *g, const jk_program *p)
{
    char order[64], red[64], step[64];
    size_t i, first = g[GEN_STAGES].count;
    for (i = 0; i < p->nstages; i++) {
        const jk_stage *s = &p->stages[i];
        size_t o = gen_refs(g, s->order, s->norder), r = gen_refs(g, s->red, s->nred);
        size_t t = gen_steps(g, s->step, s->nstep);
        gen_row(&g[GEN_STAGES], "{%s, %s, %s, %u, %s, %u, %s, %u, %u}", s->is_pass ? "true" : "false",
                s->stores ? "true" : "false", gen_place(GEN_REFS, o, s->norder, order, sizeof order),
                (unsigned)s->norder, gen_place(GEN_REFS, r, s->nred, red, sizeof red), (unsigned)s->nred,
                gen_place(GEN_STEPS, t, s->nstep, step, sizeof step), (unsigned)s->nstep, (unsigned)s->ncompute);
    }
    return gen_shared(&g[GEN_STAGES], first);
}

static size_t gen_args(gen_pool *g, const jk_program *p)
{
    size_t i, first = g[GEN_ARGS].count;
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        gen_row(&g[GEN_ARGS], "{\"%s\", %s, %u, %u, 0, %uu}", a->name, gen_type_names[a->type], a->is_array,
                a->is_result, (unsigned)a->value);
    }
    return gen_shared(&g[GEN_ARGS], first);
}

static void gen_program(gen_pool *g, const jk_program *p, gen_text *rows)
{
    size_t i, first[GEN_KINDS];
    char place[64];
    for (i = 0; i < GEN_KINDS; i++)
        first[i] = g[i].count;
    for (i = 0; i < p->nins; i++) {
        const jk_ins *n = &p->ins[i];
        gen_row(&g[GEN_INS], "{%s, %s, %u, %uu, %uu, %uu}", gen_op_names[n->op], gen_type_names[n->type], n->aux,
                (unsigned)n->a, (unsigned)n->b, (unsigned)n->c);
        gen_row(&g[GEN_CELL], "%uu", (unsigned)p->cell[i]);
        gen_row(&g[GEN_VARYING], "%u", p->varying[i]);
    }
    for (i = 0; i < p->nrares; i++)
        gen_row(&g[GEN_RARES], "{%uu, %uu, %uu}", (unsigned)p->rares[i].first, (unsigned)p->rares[i].again,
                (unsigned)p->rares[i].limit);
    first[GEN_STAGES] = gen_stages(g, p);
    first[GEN_ARGS] = gen_args(g, p);
    for (i = 0; i < GEN_KINDS; i++) {
        bool own = i == GEN_INS || i == GEN_CELL || i == GEN_VARYING || i == GEN_RARES;
        if (own)
            first[i] = gen_shared(&g[i], first[i]);
        if (own || i == GEN_STAGES || i == GEN_ARGS)
            gen_printf(rows, "%s%s, ", i == GEN_INS ? "    {" : "",
                       gen_place((gen_kind)i, first[i], i == GEN_RARES ? p->nrares : 1, place, sizeof place));
    }
    gen_puts(rows, "\n");
    gen_printf(rows, "     %u, %u, %u, %u, %u, %u, %s, {0, 0, 0}, %u, %u},\n", (unsigned)p->nins, (unsigned)p->nrares,
               (unsigned)p->nstages, (unsigned)p->ncells, (unsigned)p->nargs, (unsigned)p->nparams,
               gen_type_names[p->type], (unsigned)p->flags, (unsigned)p->nslots);
}

/* Short rows stand side by side. */
static void gen_pool_print(gen_kind kind, gen_pool *p, gen_text *out)
{
    size_t i, column = 0;
    if (p->count)
        gen_printf(out, "static const %s %s[] = {\n", gen_pool_names[kind][0], gen_pool_names[kind][1]);
    for (i = 0; i < p->count; i++) {
        size_t n = strlen(p->rows[i]);
        if (column && column + n + 2 > 120) {
            gen_puts(out, "\n");
            column = 0;
        }
        gen_printf(out, "%s%s,", column ? " " : "    ", p->rows[i]);
        column += n + (column ? 2 : 5);
        free(p->rows[i]);
    }
    if (p->count)
        gen_puts(out, "\n};\n");
    free(p->rows);
}

static void gen_numbers(const gen_kernels *k, gen_text *out)
{
    size_t i, c;
    int precision;
    gen_puts(out, "/* The named kernels, by number: f64 then f32 of each. */\nenum {\n");
    for (i = 0; i < k->count; i++)
        for (precision = 0; precision < 2; precision++) {
            gen_puts(out, "    JK_NAMED_");
            for (c = 0; k->items[i].name[c]; c++)
                gen_printf(out, "%c", k->items[i].name[c] >= 'a' ? k->items[i].name[c] - 32 : k->items[i].name[c]);
            gen_printf(out, "_%s,\n", precision ? "F32" : "F64");
        }
    gen_puts(out, "    JK_NAMED_COUNT\n};\n");
}

void gen_tables(const gen_kernels *k, gen_text *out)
{
    gen_text rows = {NULL, 0, 0};
    gen_pool g[GEN_KINDS];
    size_t i;
    memset(g, 0, sizeof g);
    for (i = 0; i < 2 * k->count; i++)
        gen_program(g, &k->items[i / 2].f[i % 2], &rows);
    gen_numbers(k, out);
    for (i = 0; i < GEN_KINDS; i++)
        gen_pool_print((gen_kind)i, &g[i], out);
    gen_puts(out, "static const jk_program jk_named_programs[JK_NAMED_COUNT] = {\n");
    gen_put(out, rows.data, rows.count);
    gen_puts(out, "};\n");
    gen_free(&rows);
}
