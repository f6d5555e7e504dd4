/* ir: from a tree to a program. A definition's nodes are in post-order, so lowering is one loop over them; a call of an
 * earlier definition pushes a record with the place to come back to, and nothing recurses. The values of the definition
 * that is being worked on stand in one stack, one for each of its nodes.
 *
 * Names are entered once in one table. A symbol knows the parameter that it names at present (shallow binding: a call
 * saves what it hides and puts it back) and the latest definition of that name; an earlier one is found through
 * `older`.
 *
 * A value is a truth value (a mask), a number of the kernel's type, or an exact integer that has not been rounded to it
 * yet (I64, or F64 in an f32 kernel): its type in the IR says which. Whether it is an array is decided by the text. */
#include "ir.h"
#include "../syntax/ast.h"

JK_SMALL_OPEN

typedef struct jk_value {
    jk_ref ref;
    bool array;
} jk_value;

typedef struct jk_symbol {
    const char *text;
    uint32_t len, hash, next;
    uint32_t scope; /* the inlining that `value` belongs to; 0: none */
    jk_value value;
    uint32_t def; /* the latest definition of this name + 1, or 0 */
} jk_symbol;

/* One definition at work: the kernel, or a call within. */
typedef struct jk_inlined {
    const jk_def *def;
    uint32_t node; /* the next one */
    uint32_t scope;
    size_t values; /* where its values begin on the stack */
    size_t hidden; /* what its parameters hid begins there */
} jk_inlined;

typedef struct jk_hidden {
    uint32_t symbol, scope;
    jk_value value;
} jk_hidden;

typedef struct jk_lowerer {
    const jitk_ast *ast;
    const jk_lower_options *o;
    jk_arena *arena;
    jitk_error *e;
    jk_ir ir;
    jk_symbol *symbols;
    uint32_t *buckets;
    uint32_t *older; /* [ndefs] the definition before of the same name + 1, or 0 */
    jk_value *values;
    jk_inlined *calls;
    jk_hidden *hidden;
    size_t nsymbols, cap_symbols, nbuckets, nvalues, cap_values, depth, cap_calls, nhidden, cap_hidden, work;
    uint32_t scopes;
} jk_lowerer;

/* Nodes lowered in calls: definitions that call another twice double each time. */
#define JK_WORK_MAX ((size_t)1 << 22)
#define JK_NAME_SHOWN(len) ((int)JK_SMALLER((len), (size_t)JK_NAME_MAX))

/* An error at a node as a whole, or at its operator or function name. */
#define JK_FAIL_NODE(l, n, status, ...) jk_fail_at((l)->e, status, (l)->ast->source, (n)->pos, (n)->len, __VA_ARGS__)
#define JK_FAIL_OP(l, n, status, ...) jk_fail_at((l)->e, status, (l)->ast->source, (n)->at, (n)->at_len, __VA_ARGS__)

/* ---- names ---- */
JK_FUNC bool jk_symbols_rehash(jk_lowerer *l)
{
    size_t i, n = l->nbuckets ? 2 * l->nbuckets : 32;
    uint32_t *b = (uint32_t *)jk_arena_alloc(l->arena, n * sizeof *b);
    if (!b)
        return false;
    memset(b, 0xff, n * sizeof *b);
    for (i = 0; i < l->nsymbols; i++) {
        uint32_t *head = &b[l->symbols[i].hash & (n - 1)];
        l->symbols[i].next = *head;
        *head = (uint32_t)i;
    }
    l->buckets = b;
    l->nbuckets = n;
    return true;
}

/* The number of a name's symbol, entered if new; 0 once memory has run out. */
JK_FUNC uint32_t jk_symbol_of(jk_lowerer *l, const char *text, size_t len)
{
    uint32_t hash = 2166136261u, i;
    size_t k;
    jk_symbol *s;
    for (k = 0; k < len; k++)
        hash = (hash ^ (uint8_t)text[k]) * 16777619u;
    hash ^= hash >> 15;
    for (i = l->buckets[hash & (l->nbuckets - 1)]; i != UINT32_MAX; i = l->symbols[i].next)
        if (l->symbols[i].hash == hash && l->symbols[i].len == len && memcmp(l->symbols[i].text, text, len) == 0)
            return i;
    s = (jk_symbol *)jk_grow(l->arena, l->symbols, l->nsymbols, &l->cap_symbols, sizeof *s);
    if (!s || (l->nsymbols == l->nbuckets && !jk_symbols_rehash(l)))
        return 0;
    l->symbols = s;
    s += l->nsymbols;
    memset(s, 0, sizeof *s);
    s->text = text;
    s->len = (uint32_t)len;
    s->hash = hash;
    s->next = l->buckets[hash & (l->nbuckets - 1)];
    l->buckets[hash & (l->nbuckets - 1)] = (uint32_t)l->nsymbols;
    return (uint32_t)l->nsymbols++;
}

/* Enters the definitions' names, each with the chain of those before it. */
JK_FUNC void jk_lower_names(jk_lowerer *l)
{
    size_t i;
    l->older = (uint32_t *)jk_arena_zero(l->arena, l->ast->ndefs * sizeof *l->older);
    for (i = 0; i < l->ast->ndefs && !l->arena->failed; i++)
        if (l->ast->defs[i].name) {
            uint32_t s = jk_symbol_of(l, l->ast->defs[i].name, l->ast->defs[i].name_len);
            if (l->arena->failed)
                return;
            l->older[i] = l->symbols[s].def;
            l->symbols[s].def = (uint32_t)i + 1;
        }
}

JK_FUNC jk_inlined *jk_lower_here(jk_lowerer *l)
{
    return &l->calls[l->depth - 1];
}

/* Binds a parameter of the definition that begins, and saves what it hides. */
JK_FUNC void jk_lower_bind(jk_lowerer *l, uint32_t scope, const jk_param *p, jk_value v)
{
    uint32_t s = jk_symbol_of(l, p->name, p->name_len);
    jk_hidden *h = (jk_hidden *)jk_grow(l->arena, l->hidden, l->nhidden, &l->cap_hidden, sizeof *h);
    if (l->arena->failed)
        return;
    l->hidden = h;
    h += l->nhidden++;
    h->symbol = s;
    h->scope = l->symbols[s].scope;
    h->value = l->symbols[s].value;
    l->symbols[s].scope = scope;
    l->symbols[s].value = v;
}

/* The nearest of the names that could stand here. */
JK_FUNC void jk_lower_suggest(jk_lowerer *l, const jk_node *n, char *out, size_t nbytes)
{
    const jk_inlined *c = jk_lower_here(l);
    jk_nearest s;
    size_t i;
    jk_nearest_init(&s, n->text, n->text_len);
    if (n->kind == JK_AST_CALL) {
        for (i = 0; l->ast->defs + i < c->def; i++)
            if (l->ast->defs[i].name)
                jk_nearest_try(&s, l->ast->defs[i].name, l->ast->defs[i].name_len);
        for (i = 0; i < JK_NFUNCTIONS; i++)
            jk_nearest_try(&s, jk_fns[i].name, strlen(jk_fns[i].name));
    } else {
        for (i = 0; i < c->def->nparams; i++)
            jk_nearest_try(&s, c->def->params[i].name, c->def->params[i].name_len);
        for (i = 0; i < JK_CONSTANT_COUNT; i++)
            jk_nearest_try(&s, jk_nameds[i].name, strlen(jk_nameds[i].name));
    }
    jk_nearest_text(&s, out, nbytes);
}

/* ---- leaves ---- */
JK_FUNC jk_ref jk_lower_number(jk_lowerer *l, const jk_node *n)
{
    jk_type t = (jk_type)l->ir.type;
    uint64_t bits;
    jk_number_read(n->text, t, &bits);
    if (bits == jk_kind_bits(JK_IS_INF, t))
        JK_FAIL_NODE(l, n, JITK_ERR_TYPE, "%.*s is too large for %s; infinity is written 'inf'",
                     JK_NAME_SHOWN(n->text_len), n->text, jk_type_name(t));
    return jk_ir_bits(&l->ir, t, bits);
}

JK_FUNC jk_ref jk_lower_constant(jk_lowerer *l, const jk_named *c)
{
    jk_type t = (jk_type)l->ir.type;
    uint64_t bits;
    if (!c->text)
        return jk_ir_kind(&l->ir, c->name[0] == 'i' ? JK_IS_INF : JK_IS_NAN);
    jk_number_read(c->text, t, &bits);
    return jk_ir_bits(&l->ir, t, bits);
}

JK_FUNC void jk_lower_name(jk_lowerer *l, const jk_node *n, jk_value *v)
{
    uint32_t s = jk_symbol_of(l, n->text, n->text_len);
    const jk_named *c;
    char near[96];
    if (l->arena->failed)
        return;
    if (l->symbols[s].scope == jk_lower_here(l)->scope) {
        *v = l->symbols[s].value;
        return;
    }
    c = jk_named_find(n->text, n->text_len);
    if (c) {
        v->ref = jk_lower_constant(l, c);
        return;
    }
    jk_lower_suggest(l, n, near, sizeof near);
    if (jk_fn_find(n->text, n->text_len) || l->symbols[s].def)
        JK_FAIL_NODE(l, n, JITK_ERR_NAME, "'%.*s' is a function: expected its arguments in parentheses",
                     JK_NAME_SHOWN(n->text_len), n->text);
    else
        JK_FAIL_NODE(l, n, JITK_ERR_NAME, "unknown name '%.*s'%s", JK_NAME_SHOWN(n->text_len), n->text, near);
}

/* ---- operators ---- */
JK_FUNC jk_ref jk_lower_power(jk_lowerer *l, jk_ref x, jk_ref exponent, const jk_node *place)
{
    jk_ref r;
    x = jk_as_number(&l->ir, x);
    exponent = jk_as_number(&l->ir, exponent);
    r = jk_ir_is_const(&l->ir, exponent) ? jk_fn_power(&l->ir, x, exponent) : JK_NOREF;
    if (r != JK_NOREF)
        return r;
    JK_FAIL_NODE(
        l, place, JITK_ERR_UNSUPPORTED,
        jk_ir_is_const(&l->ir, exponent)
            ? "a power with this exponent is not supported yet: expected 0.5, -1 or a whole number from 0 to 16"
            : "an exponent that is no constant is not supported yet: expected 0.5, -1 or a whole number from 0 to 16");
    return 0;
}

JK_FUNC jk_ref jk_lower_unary(jk_lowerer *l, const jk_node *n, jk_ref x)
{
    if (n->op == JK_OP_NOT)
        return jk_ir_1(&l->ir, JK_MNOT, jk_as_mask(&l->ir, x));
    x = jk_as_number(&l->ir, x);
    return n->op == JK_OP_PLUS ? x : jk_ir_1(&l->ir, n->op == JK_OP_NEG ? JK_NEG : JK_SQRT, x);
}

JK_FUNC jk_ref jk_lower_binary(jk_lowerer *l, const jk_node *n, jk_ref x, jk_ref y)
{
    /* From JK_OP_LT on; > and >= are < and <= of swapped operands. */
    static const uint8_t ops[] = {JK_LT, JK_LE, JK_LT, JK_LE, JK_EQ, JK_NE, JK_ADD, JK_SUB, JK_MUL, JK_DIV};
    jk_ir *ir = &l->ir;
    jk_op op;
    if (n->op == JK_OP_OR || n->op == JK_OP_AND) {
        x = jk_as_mask(ir, x);
        y = jk_as_mask(ir, y);
        return jk_ir_2(ir, n->op == JK_OP_OR ? JK_MOR : JK_MAND, x, y);
    }
    if (n->op == JK_OP_POW)
        return jk_lower_power(l, x, y, &l->ast->nodes[l->ast->kids[n->kid + 1]]);
    x = jk_as_number(ir, x);
    y = jk_as_number(ir, y);
    if (n->op == JK_OP_MOD)
        return jk_fn_mod(ir, x, y);
    op = (jk_op)ops[n->op - JK_OP_LT];
    return n->op == JK_OP_GT || n->op == JK_OP_GE ? jk_ir_2(ir, op, y, x) : jk_ir_2(ir, op, x, y);
}

/* ---- calls ---- */
/* The number of arguments, as the message says it: "1 argument", "2 to 3 arguments". */
JK_FUNC void jk_lower_counts(jk_lowerer *l, const jk_node *n, size_t least, size_t most, const char *params)
{
    char count[64];
    if (most == SIZE_MAX)
        snprintf(count, sizeof count, "%zu or more arguments", least);
    else if (least == most)
        snprintf(count, sizeof count, "%zu argument%s", least, least == 1 ? "" : "s");
    else
        snprintf(count, sizeof count, "%zu to %zu arguments", least, most);
    JK_FAIL_OP(l, n, JITK_ERR_ARGS, "'%.*s' takes %s, not %u%s%s%s", JK_NAME_SHOWN(n->text_len), n->text, count,
               (unsigned)n->nkids, params ? ": (" : "", params ? params : "", params ? ")" : "");
}

JK_FUNC void jk_lower_builtin(jk_lowerer *l, const jk_node *n, const jk_fn *f, jk_value *v)
{
    const uint32_t *kids = l->ast->kids + n->kid;
    size_t i, least, most, base = jk_lower_here(l)->values;
    uint32_t first = jk_lower_here(l)->def->first;
    jk_ref few[4], *arg = few;
    bool reduces = jk_fn_reduces(f, n->nkids);
    jk_fn_counts(f, &least, &most);
    if (f->kind == JK_FN_LATER) {
        JK_FAIL_OP(l, n, JITK_ERR_UNSUPPORTED, "the function '%s' is not supported yet", f->name);
        return;
    }
    if (n->nkids < least || n->nkids > most) {
        jk_lower_counts(l, n, least, most, f->params);
        return;
    }
    if (l->o->scalar && (reduces || f->kind == JK_FN_LENGTH)) {
        JK_FAIL_OP(l, n, JITK_ERR_TYPE, "'%s' needs arrays, and a scalar function has none", f->name);
        return;
    }
    if (n->nkids > 4)
        arg = (jk_ref *)jk_arena_alloc(l->arena, n->nkids * sizeof *arg);
    if (!arg)
        return;
    for (i = 0; i < n->nkids; i++) {
        jk_value x = l->values[base + kids[i] - first];
        v->array |= x.array && !reduces;
        arg[i] = x.ref;
    }
    v->ref = f->kind == JK_FN_POW ? jk_lower_power(l, arg[0], arg[1], &l->ast->nodes[kids[1]])
                                  : jk_fn_lower(&l->ir, f, arg, n->nkids);
}

/* Begins to work on a definition: room for its values. The caller binds its parameters. */
JK_FUNC bool jk_lower_enter(jk_lowerer *l, const jk_def *d)
{
    size_t count = d->end - d->first;
    jk_inlined *c = (jk_inlined *)jk_grow(l->arena, l->calls, l->depth, &l->cap_calls, sizeof *c);
    if (!c)
        return false;
    l->calls = c;
    c += l->depth++;
    c->def = d;
    c->node = d->first;
    c->scope = ++l->scopes;
    c->values = l->nvalues;
    c->hidden = l->nhidden;
    if (l->nvalues + count > l->cap_values) {
        size_t cap = JK_LARGER(2 * l->cap_values, l->nvalues + count);
        jk_value *grown = (jk_value *)jk_arena_alloc(l->arena, cap * sizeof *grown);
        if (!grown)
            return false;
        if (l->nvalues)
            memcpy(grown, l->values, l->nvalues * sizeof *grown);
        l->values = grown;
        l->cap_values = cap;
    }
    l->nvalues += count;
    return true;
}

/* Ends it: what its parameters hid is seen again. */
JK_FUNC void jk_lower_leave(jk_lowerer *l)
{
    jk_inlined *c = jk_lower_here(l);
    while (l->nhidden > c->hidden) {
        const jk_hidden *h = &l->hidden[--l->nhidden];
        l->symbols[h->symbol].scope = h->scope;
        l->symbols[h->symbol].value = h->value;
    }
    l->nvalues = c->values;
    l->depth--;
}

/* What cannot be inlined. */
JK_FUNC bool jk_lower_can_call(jk_lowerer *l, const jk_node *n, const jk_def *d)
{
    uint32_t i;
    if (d->nresults != 1) {
        JK_FAIL_OP(l, n, JITK_ERR_TYPE, "'%.*s' has %u results, and only a function of one can stand in an expression",
                   JK_NAME_SHOWN(n->text_len), n->text, (unsigned)d->nresults);
        return false;
    }
    if (n->nkids != d->nparams) {
        jk_lower_counts(l, n, d->nparams, d->nparams, NULL);
        return false;
    }
    for (i = 0; i < d->nparams; i++)
        if (d->params[i].type != JK_TYPE_NONE || d->params[i].edge != JK_EDGE_NONE)
            break;
    if (i < d->nparams || d->results[0].type != JK_TYPE_NONE)
        JK_FAIL_OP(l, n, JITK_ERR_UNSUPPORTED,
                   "calling '%.*s', whose parameters or result name types or edges, is not supported yet",
                   JK_NAME_SHOWN(n->text_len), n->text);
    return l->e->status == JITK_OK;
}

JK_FUNC void jk_lower_inline(jk_lowerer *l, const jk_node *n, const jk_def *d)
{
    size_t base = jk_lower_here(l)->values;
    uint32_t i, first = jk_lower_here(l)->def->first;
    if (!jk_lower_can_call(l, n, d) || !jk_lower_enter(l, d))
        return;
    for (i = 0; i < d->nparams; i++)
        jk_lower_bind(l, jk_lower_here(l)->scope, &d->params[i], l->values[base + l->ast->kids[n->kid + i] - first]);
}

JK_FUNC void jk_lower_call(jk_lowerer *l, const jk_node *n, jk_value *v)
{
    uint32_t s = jk_symbol_of(l, n->text, n->text_len), own, def;
    const jk_fn *f;
    char near[96];
    if (l->arena->failed)
        return;
    own = (uint32_t)(jk_lower_here(l)->def - l->ast->defs);
    if (l->symbols[s].scope == jk_lower_here(l)->scope) {
        JK_FAIL_OP(l, n, JITK_ERR_NAME, "'%.*s' is a parameter here, not a function", JK_NAME_SHOWN(n->text_len),
                   n->text);
        return;
    }
    for (def = l->symbols[s].def; def > own; def = l->older[def - 1])
        if (def == own + 1 && !l->older[own] && !jk_fn_find(n->text, n->text_len)) {
            JK_FAIL_OP(l, n, JITK_ERR_NAME, "'%.*s' calls itself: there is no recursion", JK_NAME_SHOWN(n->text_len),
                       n->text);
            return;
        }
    if (def) {
        jk_lower_inline(l, n, &l->ast->defs[def - 1]);
        return;
    }
    f = jk_fn_find(n->text, n->text_len);
    if (f) {
        jk_lower_builtin(l, n, f, v);
        return;
    }
    jk_lower_suggest(l, n, near, sizeof near);
    if (l->symbols[s].def)
        JK_FAIL_OP(l, n, JITK_ERR_NAME, "'%.*s' is defined further down: a definition can call only those before it",
                   JK_NAME_SHOWN(n->text_len), n->text);
    else
        JK_FAIL_OP(l, n, JITK_ERR_NAME, "unknown function '%.*s'%s", JK_NAME_SHOWN(n->text_len), n->text, near);
}

/* ---- the loop ---- */
/* One node. A call of a definition leaves its value to be filled in when that is done. */
JK_FUNC void jk_lower_node(jk_lowerer *l, const jk_node *n, size_t at)
{
    const uint32_t *kids = l->ast->kids + n->kid;
    const jk_value *vals = l->values + jk_lower_here(l)->values;
    uint32_t first = jk_lower_here(l)->def->first;
    jk_value v, x, y, z;
    v.ref = 0;
    v.array = false;
    if (n->kind >= JK_AST_UNARY && n->kind <= JK_AST_COND) {
        x = vals[kids[0] - first];
        y = vals[kids[n->nkids > 1] - first];
        z = vals[kids[n->nkids > 2 ? 2 : 0] - first];
        v.array = x.array || y.array || z.array;
        v.ref = n->kind == JK_AST_UNARY    ? jk_lower_unary(l, n, x.ref)
                : n->kind == JK_AST_BINARY ? jk_lower_binary(l, n, x.ref, y.ref)
                                           : jk_fn_select(&l->ir, x.ref, y.ref, z.ref);
    } else if (n->kind == JK_AST_NUMBER) {
        v.ref = jk_lower_number(l, n);
    } else if (n->kind == JK_AST_NAME) {
        jk_lower_name(l, n, &v);
    } else {
        jk_lower_call(l, n, &v);
    }
    l->values[at] = v;
}

JK_FUNC void jk_lower_run(jk_lowerer *l)
{
    while (l->e->status == JITK_OK && !l->arena->failed) {
        jk_inlined *c = jk_lower_here(l);
        if (c->node < c->def->end) {
            uint32_t node = c->node++;
            if (l->depth > 1 && ++l->work > JK_WORK_MAX)
                jk_fail(l->e, JITK_ERR_LIMIT, 0, 0, 0, "calls grow to more than %zu operations", JK_WORK_MAX);
            jk_lower_node(l, &l->ast->nodes[node], c->values + node - c->def->first);
            continue;
        }
        if (l->depth == 1)
            return;
        { /* the call's node is the last one that the caller has begun */
            jk_value v = l->values[c->values + c->def->results[0].root - c->def->first];
            jk_lower_leave(l);
            c = jk_lower_here(l);
            l->values[c->values + c->node - 1 - c->def->first] = v;
        }
    }
}

/* ---- the kernel ---- */
JK_FUNC const jk_def *jk_lower_entry(jk_lowerer *l)
{
    const jitk_ast *a = l->ast;
    const char *name = l->o->entry;
    jk_nearest s;
    char near[96];
    size_t i;
    if (a->ndefs == 0) {
        jk_fail(l->e, JITK_ERR_SYNTAX, 1, 1, 0, "nothing is defined here: expected an expression");
        return NULL;
    }
    if (!name)
        return &a->defs[a->ndefs - 1];
    jk_nearest_init(&s, name, strlen(name));
    for (i = a->ndefs; i-- > 0;)
        if (a->defs[i].name) {
            if (jk_name_compare(name, s.len, a->defs[i].name, a->defs[i].name_len) == 0)
                return &a->defs[i];
            jk_nearest_try(&s, a->defs[i].name, a->defs[i].name_len);
        }
    jk_nearest_text(&s, near, sizeof near);
    jk_fail(l->e, JITK_ERR_NAME, 0, 0, 0, "no definition is named '%.*s'%s", JK_NAME_SHOWN(s.len), name, near);
    return NULL;
}

JK_FUNC const char *jk_lower_copy(jk_lowerer *l, const char *text, size_t len)
{
    char *p = (char *)jk_arena_alloc(l->arena, len + 1);
    if (!p)
        return "";
    memcpy(p, text, len);
    p[len] = 0;
    return p;
}

JK_FUNC void jk_lower_param(jk_lowerer *l, const jk_def *d, uint32_t k, jk_param_info *arg)
{
    const jk_param *p = &d->params[k];
    jk_type own = (jk_type)l->ir.type;
    jk_value v;
    v.array = d->is_bare ? !l->o->scalar : p->is_array;
    arg->name = jk_lower_copy(l, p->name, p->name_len);
    arg->type = p->type == JK_TYPE_NONE ? (uint8_t)own : p->type;
    arg->is_array = v.array;
    if (p->edge != JK_EDGE_NONE)
        jk_fail_at(l->e, JITK_ERR_UNSUPPORTED, l->ast->source, p->pos, p->name_len,
                   "edge rules are not supported yet: expected '[]'");
    if (l->o->scalar && (v.array || arg->type != own))
        jk_fail_at(l->e, JITK_ERR_TYPE, l->ast->source, p->pos, p->name_len,
                   "parameter '%s' of a scalar function must be a scalar %s", arg->name, jk_type_name(own));
    v.ref = jk_ir_emit(&l->ir, v.array ? JK_LOAD : JK_PARAM, own, 0, k, 0, 0);
    jk_lower_bind(l, jk_lower_here(l)->scope, p, v);
}

/* A scalar result of another type than the kernel's takes an exact integer as it is. */
JK_FUNC void jk_lower_result(jk_lowerer *l, const jk_def *d, uint32_t k, jk_param_info *arg)
{
    const jk_result *r = &d->results[k];
    jk_value v = l->values[r->root - d->first];
    char name[24];
    int len = d->nresults == 1 ? snprintf(name, sizeof name, "result")
                               : snprintf(name, sizeof name, "result%u", (unsigned)k + 1);
    bool plain = r->type == JK_TYPE_NONE || r->type == l->ir.type || v.array;
    arg->name = jk_lower_copy(l, name, (size_t)len);
    arg->type = r->type == JK_TYPE_NONE ? l->ir.type : r->type;
    arg->is_result = 1;
    arg->is_array = v.array;
    arg->value = plain || jk_is_mask((jk_type)l->ir.ins[v.ref].type) ? jk_as_number(&l->ir, v.ref) : v.ref;
    if (l->o->scalar && arg->type != l->ir.type)
        jk_fail_at(l->e, JITK_ERR_TYPE, l->ast->source, d->pos, d->len, "a scalar function's result must be %s",
                   jk_type_name((jk_type)l->ir.type));
}

JK_FUNC jitk_status jk_lower_def(jk_lowerer *l, const jk_def *d, jk_program *out)
{
    uint32_t k, nargs = d->nparams + d->nresults;
    jk_param_info *args = (jk_param_info *)jk_arena_zero(l->arena, nargs * sizeof *args);
    if (l->o->scalar && d->nresults != 1)
        jk_fail_at(l->e, JITK_ERR_TYPE, l->ast->source, d->pos, d->len, "a scalar function has one result, not %u",
                   (unsigned)d->nresults);
    if (args && jk_lower_enter(l, d))
        for (k = 0; k < d->nparams && l->e->status == JITK_OK && !l->arena->failed; k++)
            jk_lower_param(l, d, k, &args[k]);
    if (!l->arena->failed && l->e->status == JITK_OK)
        jk_lower_run(l);
    for (k = 0; k < d->nresults && l->e->status == JITK_OK && !l->arena->failed; k++)
        jk_lower_result(l, d, k, &args[d->nparams + k]);
    if (l->arena->failed)
        return jk_fail_nomem(l->e);
    return l->e->status == JITK_OK ? jk_plan(&l->ir, args, nargs, d->nparams, out) : l->e->status;
}

JK_FUNC jitk_status jk_lower_flags(unsigned flags, jitk_error *e)
{
    if (flags & ~(unsigned)(JITK_STRICT | JITK_CONTRACT | JITK_COMPENSATED | JITK_EXACT))
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "unknown flags: %#x", flags);
    if ((flags & JITK_STRICT) && (flags & JITK_CONTRACT))
        return jk_fail(e, JITK_ERR_ARGS, 0, 0, 0, "JITK_STRICT and JITK_CONTRACT exclude each other");
    if (flags & (JITK_COMPENSATED | JITK_EXACT))
        return jk_fail(e, JITK_ERR_UNSUPPORTED, 0, 0, 0, "%s is not supported yet",
                       flags & JITK_EXACT ? "JITK_EXACT" : "JITK_COMPENSATED");
    return JITK_OK;
}

JK_FUNC jitk_status jk_lower(const struct jitk_ast *ast, const jk_lower_options *o, jk_arena *arena, jk_program *out,
                             jitk_error *e)
{
    jk_lowerer l;
    const jk_def *d;
    jk_program p;
    jitk_status status = jk_lower_flags(o->flags, e);
    uint32_t mode;
    if (status != JITK_OK)
        return status;
    memset(&l, 0, sizeof l);
    l.ast = ast;
    l.o = o;
    l.arena = arena;
    l.e = e;
    jk_ir_init(&l.ir, arena, o->type, o->flags, e);
    if (!jk_symbols_rehash(&l) || arena->failed)
        return jk_fail_nomem(e);
    jk_lower_names(&l);
    if (arena->failed)
        return jk_fail_nomem(e);
    d = jk_lower_entry(&l);
    if (!d)
        return e->status;
    mode = jk_fp_enter();
    status = jk_lower_def(&l, d, &p);
    jk_fp_leave(mode);
    if (status == JITK_OK)
        *out = p;
    return status;
}

JK_SMALL_CLOSE
#undef JK_FAIL_NODE
#undef JK_FAIL_OP
#undef JK_NAME_SHOWN
#undef JK_WORK_MAX
