/* tables: the programs of the named kernels as static const data. All programs share one pool for each kind of row, and
 * a run of rows that a pool already holds is used again: the two precisions of a kernel have the same orders and cells.
 */
#include "named.h"

typedef struct gen_pool {
    const char *type, *name;
    char **rows;
    size_t count, cap;
} gen_pool;

typedef struct gen_pools {
    gen_pool ins, cell, varying, rares, refs, stages, args;
} gen_pools;

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

static const char *gen_place(const gen_pool *p, size_t at, size_t n, char *out, size_t cap)
{
    if (n == 0)
        return "NULL";
    snprintf(out, cap, "%s + %zu", p->name, at);
    return out;
}

static const char *const gen_op_names[JK_OP_COUNT] = {
#define JK_ROW(NAME, text, arity, result, flags, meaning) "JK_" #NAME,
    JK_OPS(JK_ROW)
#undef JK_ROW
};

static const char *const gen_type_names[JK_TYPE_COUNT] = {"JK_F64", "JK_F32", "JK_I64", "JK_I32",
                                                          "JK_U8",  "JK_M64", "JK_M32"};

static size_t gen_refs(gen_pools *g, const jk_ref *refs, size_t n)
{
    size_t i, first = g->refs.count;
    for (i = 0; i < n; i++)
        gen_row(&g->refs, "%uu", (unsigned)refs[i]);
    return gen_shared(&g->refs, first);
}

static size_t gen_stages(gen_pools *g, const jk_program *p)
{
    char order[64], red[64];
    size_t i, first = g->stages.count;
    for (i = 0; i < p->nstages; i++) {
        const jk_stage *s = &p->stages[i];
        size_t o = gen_refs(g, s->order, s->norder), r = gen_refs(g, s->red, s->nred);
        gen_row(&g->stages, "{%s, %s, %s, %u, %s, %u}", s->is_pass ? "true" : "false", s->stores ? "true" : "false",
                gen_place(&g->refs, o, s->norder, order, sizeof order), (unsigned)s->norder,
                gen_place(&g->refs, r, s->nred, red, sizeof red), (unsigned)s->nred);
    }
    return gen_shared(&g->stages, first);
}

static size_t gen_args(gen_pools *g, const jk_program *p)
{
    size_t i, first = g->args.count;
    for (i = 0; i < p->nargs; i++) {
        const jk_param_info *a = &p->args[i];
        gen_row(&g->args, "{\"%s\", %s, %u, %u, 0, %uu}", a->name, gen_type_names[a->type], a->is_array, a->is_result,
                (unsigned)a->value);
    }
    return gen_shared(&g->args, first);
}

static void gen_program(gen_pools *g, const jk_program *p, gen_text *rows)
{
    size_t i, ins = g->ins.count, cell = g->cell.count, varying = g->varying.count, rares = g->rares.count;
    size_t stages = gen_stages(g, p), args = gen_args(g, p);
    char rare[64];
    for (i = 0; i < p->nins; i++) {
        const jk_ins *n = &p->ins[i];
        gen_row(&g->ins, "{%s, %s, %u, %uu, %uu, %uu}", gen_op_names[n->op], gen_type_names[n->type], n->aux,
                (unsigned)n->a, (unsigned)n->b, (unsigned)n->c);
        gen_row(&g->cell, "%uu", (unsigned)p->cell[i]);
        gen_row(&g->varying, "%u", p->varying[i]);
    }
    for (i = 0; i < p->nrares; i++)
        gen_row(&g->rares, "{%uu, %uu, %uu}", (unsigned)p->rares[i].first, (unsigned)p->rares[i].again,
                (unsigned)p->rares[i].limit);
    ins = gen_shared(&g->ins, ins);
    cell = gen_shared(&g->cell, cell);
    varying = gen_shared(&g->varying, varying);
    rares = gen_shared(&g->rares, rares);
    gen_printf(rows, "    {%s + %zu, %s + %zu, %s + %zu, %s, ", g->ins.name, ins, g->cell.name, cell, g->varying.name,
               varying, gen_place(&g->rares, rares, p->nrares, rare, sizeof rare));
    gen_printf(rows, "%s + %zu, %s + %zu,\n", g->stages.name, stages, g->args.name, args);
    gen_printf(rows, "     %u, %u, %u, %u, %u, %u, %s, {0, 0, 0}, %u},\n", (unsigned)p->nins, (unsigned)p->nrares,
               (unsigned)p->nstages, (unsigned)p->ncells, (unsigned)p->nargs, (unsigned)p->nparams,
               gen_type_names[p->type], (unsigned)p->flags);
}

/* Short rows stand side by side. */
static void gen_pool_print(gen_pool *p, gen_text *out)
{
    size_t i, column = 0;
    if (p->count)
        gen_printf(out, "static const %s %s[] = {\n", p->type, p->name);
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
    gen_pools g;
    gen_pool *each[7];
    size_t i;
    memset(&g, 0, sizeof g);
    each[0] = &g.ins, g.ins.type = "jk_ins", g.ins.name = "jk_named_ins";
    each[1] = &g.cell, g.cell.type = "uint32_t", g.cell.name = "jk_named_cells";
    each[2] = &g.varying, g.varying.type = "uint8_t", g.varying.name = "jk_named_varying";
    each[3] = &g.rares, g.rares.type = "jk_rare", g.rares.name = "jk_named_rares";
    each[4] = &g.refs, g.refs.type = "jk_ref", g.refs.name = "jk_named_refs";
    each[5] = &g.stages, g.stages.type = "jk_stage", g.stages.name = "jk_named_stages";
    each[6] = &g.args, g.args.type = "jk_param_info", g.args.name = "jk_named_args";
    for (i = 0; i < 2 * k->count; i++)
        gen_program(&g, &k->items[i / 2].f[i % 2], &rows);
    gen_numbers(k, out);
    for (i = 0; i < 7; i++)
        gen_pool_print(each[i], out);
    gen_puts(out, "static const jk_program jk_named_programs[JK_NAMED_COUNT] = {\n");
    gen_put(out, rows.data, rows.count);
    gen_puts(out, "};\n");
    gen_free(&rows);
}
