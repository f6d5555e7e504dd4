/* ir: from a tree to a program. A definition's nodes are in post-order, so lowering is one loop over them; a call of an
 * earlier definition pushes a record with the place to come back to, and nothing recurses. Values are on a stack: a
 * node takes its operands' from the top and leaves its own.
 *
 * Names stand in one hash table: definitions, which stay, and the parameters of what is being worked on, the newest
 * first, which are taken out at its end. A call sees its own parameters only, so a search for one ends at the first
 * that is older.
 *
 * A value is a truth value (a mask), a number of the kernel's type, or an exact integer that has not been rounded to it
 * yet (I64, or F64 in an f32 kernel): its type in the IR says which. Whether it is an array is decided by the text. */
#include "ir.h"
#include "../syntax/ast.h"

JK_SMALL_OPEN

/* Number k + 1 of l->names; those of the definitions come first, in their order. */
typedef struct jk_binding {
    const char *text;
    uint32_t len, next; /* number of the older one in the same bucket; 0: none */
    uint32_t *head;     /* the bucket */
    jk_value value;
} jk_binding;

/* One definition at work: the kernel, or a call within. */
typedef struct jk_inlined {
    uint32_t def;       /* its number */
    uint32_t node, end; /* of its nodes the next one, and where they end */
    uint32_t names;     /* how many names there are without its parameters */
} jk_inlined;

typedef struct jk_lowerer {
    const jitk_ast *ast;
    const jk_lower_options *o;
    jk_arena *arena;
    jitk_error *e;
    JK_LIST(jk_binding, names);
    JK_LIST(jk_value, values);
    JK_LIST(jk_inlined, calls);
    uint32_t *buckets; /* [2 * nbuckets]: of definitions, of parameters */
    uint32_t nbuckets, work;
    jk_ir ir;
    char text[128]; /* a part of a message */
} jk_lowerer;

/* Nodes lowered in calls: definitions that call another twice double each time. */
#define JK_WORK_MAX (1u << 22)
#define JK_NAME_SHOWN(len) ((int)JK_SMALLER((len), (size_t)JK_NAME_MAX))

/* Errors: status, and the message of a name and `more`. */
#define JK_LOWER_ERRORS(X)                                                                                        \
    X(LARGE, TYPE, "%.*s is too large for %s; infinity is written 'inf'")                                         \
    X(FUNCTION, NAME, "'%.*s' is a function: expected its arguments in parentheses")                              \
    X(NAME, NAME, "unknown name '%.*s'%s")                                                                        \
    X(EXPONENT, UNSUPPORTED,                                                                                      \
      "a power with this exponent is not supported yet: expected 0.5, -1 or a whole number from 0 to 16")         \
    X(VARIABLE, UNSUPPORTED,                                                                                      \
      "an exponent that is no constant is not supported yet: expected 0.5, -1 or a whole number from 0 to 16")    \
    X(COUNTS, ARGS, "'%.*s' takes %s")                                                                            \
    X(LATER, UNSUPPORTED, "the function '%.*s' is not supported yet")                                             \
    X(ARRAYS, TYPE, "'%.*s' needs arrays, and a scalar function has none")                                        \
    X(RESULTS, TYPE, "'%.*s' has %s results, and only a function of one can stand in an expression")              \
    X(TYPED, UNSUPPORTED, "calling '%.*s', whose parameters or result name types or edges, is not supported yet") \
    X(PARAM, NAME, "'%.*s' is a parameter here, not a function")                                                  \
    X(CONSTANT, NAME, "'%.*s' is a constant, not a function")                                                     \
    X(ITSELF, NAME, "'%.*s' calls itself: there is no recursion")                                                 \
    X(BELOW, NAME, "'%.*s' is defined further down: a definition can call only those before it")                  \
    X(CALL, NAME, "unknown function '%.*s'%s")                                                                    \
    X(EMPTY, SYNTAX, "nothing is defined here: expected an expression")                                           \
    X(EDGE, UNSUPPORTED, "edge rules are not supported yet: expected '[]'")                                       \
    X(SCALAR, TYPE, "parameter '%.*s' of a scalar function must be a scalar %s")                                  \
    X(ONE, TYPE, "a scalar function has one result, not %.*s%s")                                                  \
    X(OWN, TYPE, "a scalar function's %.*s must be %s")
typedef enum jk_lower_error {
#define JK_ROW(NAME, status, text) JK_LOWER_##NAME,
    JK_LOWER_ERRORS(JK_ROW)
#undef JK_ROW
        JK_LOWER_ERROR_COUNT
} jk_lower_error;

typedef struct jk_lower_error_row {
    jitk_status status;
    const char *text;
} jk_lower_error_row;
static const jk_lower_error_row jk_lower_errors[] = {
#define JK_ROW(NAME, status, text) {JITK_ERR_##status, text},
    JK_LOWER_ERRORS(JK_ROW)
#undef JK_ROW
};
#undef JK_LOWER_ERRORS

JK_NOINLINE bool jk_lower_well(const jk_lowerer *l)
{
    return l->e->status == JITK_OK && !l->arena->failed;
}

/* An error at a place of the source. */
JK_NOINLINE void jk_lower_fail_at(jk_lowerer *l, jk_lower_error say, uint32_t pos, uint32_t nbytes, const char *name,
                                  size_t len, const char *more)
{
    if (jk_lower_well(l)) { /* no memory may have led here */
        jk_fail(l->e, jk_lower_errors[say].status, jk_lower_errors[say].text, JK_NAME_SHOWN(len), name, more);
        jk_fail_place(l->e, l->ast->source, pos, nbytes);
    }
}

/* An error at a number, a name, or the name of a call. */
JK_NOINLINE void jk_lower_fail(jk_lowerer *l, const jk_node *n, jk_lower_error say, const char *more)
{
    jk_lower_fail_at(l, say, n->at, n->at_len, n->text, n->text_len, more);
}

/* ---- names ---- */
JK_NOINLINE uint32_t *jk_name_bucket(const jk_lowerer *l, const char *text, uint32_t len, bool param)
{
    return &l->buckets[(jk_name_hash(text, len) & (l->nbuckets - 1)) + (param ? l->nbuckets : 0)];
}

/* The node's name, from number `at` on, if newer than `older`; NULL: none. */
JK_NOINLINE const jk_binding *jk_name_find(const jk_lowerer *l, const jk_node *n, uint32_t at, uint32_t older)
{
    const jk_binding *b;
    for (; at > older; at = b->next) {
        b = &l->names[at - 1];
        if (b->len == n->text_len && memcmp(b->text, n->text, b->len) == 0)
            return b;
    }
    return NULL;
}

JK_NOINLINE void jk_name_enter(jk_lowerer *l, const char *text, uint32_t len, bool param, jk_value v)
{
    jk_binding *b = (jk_binding *)jk_push(l->arena, &l->names, sizeof *b);
    if (!b)
        return;
    b->text = text;
    b->len = len;
    b->head = jk_name_bucket(l, text, len, param);
    b->next = *b->head;
    b->value = v;
    *b->head = (uint32_t)l->nnames;
}

/* Makes the table, with buckets for all names there can be, and enters the definitions. */
JK_FUNC void jk_lower_names(jk_lowerer *l)
{
    const jk_def *d, *end = l->ast->defs + l->ast->ndefs;
    size_t names = l->ast->ndefs;
    uint32_t nbuckets = 16;
    const jk_value none = {0, false};
    for (d = l->ast->defs; d < end; d++)
        names += d->nparams;
    while (nbuckets < names)
        nbuckets *= 2;
    l->nbuckets = nbuckets;
    l->buckets = (uint32_t *)jk_arena_zero(l->arena, nbuckets * 2 * sizeof *l->buckets);
    for (d = l->ast->defs; d < end && !l->arena->failed; d++)
        jk_name_enter(l, d->name, d->name_len, false, none); /* the nameless have no length */
}

/* The nearest of the names that could stand here, as a message's end. */
JK_NOINLINE const char *jk_lower_near(jk_lowerer *l, const jk_inlined *here, const jk_node *n)
{
    bool call = n->kind == JK_AST_CALL;
    size_t i = call ? 0 : here->names, end = call ? here->def : l->nnames;
    jk_nearest s;
    jk_nearest_init(&s, n->text, n->text_len);
    for (; i < end; i++) /* to the nameless none is near */
        jk_nearest_try(&s, l->names[i].text, l->names[i].len);
    for (i = 0; i < JK_NFUNCTIONS; i++)
        if ((jk_fns[i].params != NULL) == call)
            jk_nearest_try(&s, jk_fns[i].name, strlen(jk_fns[i].name));
    jk_nearest_text(&s, l->text, sizeof l->text);
    return l->text;
}

/* ---- nodes ---- */
JK_NOINLINE void jk_lower_push(jk_lowerer *l, jk_ref ref, bool array)
{
    jk_value *v = (jk_value *)jk_push(l->arena, &l->values, sizeof *v);
    if (v) {
        v->ref = ref;
        v->array = array;
    }
}

JK_FUNC void jk_lower_number(jk_lowerer *l, const jk_node *n)
{
    jk_type t = (jk_type)l->ir.type;
    uint64_t bits;
    jk_number_read(n->text, t, &bits);
    if (bits == jk_kind_bits(JK_IS_INF, t))
        jk_lower_fail(l, n, JK_LOWER_LARGE, jk_type_name(t));
    jk_lower_push(l, jk_ir_bits(&l->ir, t, bits), false);
}

/* The wrong number of arguments: "1 argument, not 2: (x)", "1 or more arguments, not 0". */
JK_NOINLINE void jk_lower_counts(jk_lowerer *l, const jk_node *n, uint32_t want, bool more, const char *params)
{
    static const char *const what[] = {" argument", " arguments", " or more arguments"};
    const char *format = params ? "%u%s, not %u: (%s)" : "%u%s, not %u";
    snprintf(l->text, sizeof l->text, format, (unsigned)want, what[more ? 2 : want != 1], (unsigned)n->nkids, params);
    jk_lower_fail(l, n, JK_LOWER_COUNTS, l->text);
}

/* A function, an operator or a constant: its arguments are on the top of the stack. */
JK_NOINLINE void jk_lower_builtin(jk_lowerer *l, const jk_node *n, const jk_fn *f)
{
    unsigned flags = f->flags;
    bool many = flags & JK_FN_MANY, array = false;
    jk_value *arg;
    jk_ref r;
    uint32_t i;
    if (many && n->nkids == 1)
        flags |= JK_FN_REDUCES;
    if (!f->script) {
        jk_lower_fail(l, n, JK_LOWER_LATER, NULL);
        return;
    }
    if (n->nkids < f->nparams || (n->nkids > f->nparams && !many)) {
        jk_lower_counts(l, n, f->nparams, many, f->params);
        return;
    }
    if (l->o->scalar && flags & (JK_FN_REDUCES | JK_FN_ARRAYS)) {
        jk_lower_fail(l, n, JK_LOWER_ARRAYS, NULL);
        return;
    }
    l->nvalues -= n->nkids;
    arg = n->nkids ? l->values + l->nvalues : NULL;
    for (i = 0; i < n->nkids && !(flags & JK_FN_REDUCES); i++)
        array |= arg[i].array;
    r = jk_fn_lower(&l->ir, f, arg, n->nkids);
    if (r == JK_NOREF) {
        n = &l->ast->nodes[l->ast->kids[n->kid + 1]];
        jk_lower_fail_at(l, jk_ir_is_const(&l->ir, arg[1].ref) ? JK_LOWER_EXPONENT : JK_LOWER_VARIABLE, n->pos, n->len,
                         "", 0, NULL);
    }
    jk_lower_push(l, r, array);
}

/* A number as a part of a message. */
JK_NOINLINE const char *jk_lower_count(jk_lowerer *l, uint32_t n)
{
    snprintf(l->text, sizeof l->text, "%u", (unsigned)n);
    return l->text;
}

/* Begins to work on a definition; the caller binds its parameters. */
JK_NOINLINE void jk_lower_enter(jk_lowerer *l, uint32_t def)
{
    const jk_def *d = &l->ast->defs[def];
    jk_inlined *c = (jk_inlined *)jk_push(l->arena, &l->calls, sizeof *c);
    if (!c)
        return;
    c->def = def;
    c->node = d->first;
    c->end = d->end;
    c->names = (uint32_t)l->nnames;
}

/* Ends it and forgets its parameters. */
JK_FUNC void jk_lower_leave(jk_lowerer *l)
{
    size_t names = l->calls[--l->ncalls].names;
    while (l->nnames > names) {
        const jk_binding *b = &l->names[--l->nnames];
        *b->head = b->next;
    }
}

/* A call of a definition: its parameters are the values on the top of the stack, where it will leave its own. */
JK_FUNC void jk_lower_inline(jk_lowerer *l, const jk_node *n, uint32_t def)
{
    const jk_def *d = &l->ast->defs[def];
    uint32_t i, typed = d->results[0].type != JK_TYPE_NONE;
    for (i = 0; i < d->nparams; i++)
        typed |= d->params[i].type != JK_TYPE_NONE || d->params[i].edge != JK_EDGE_NONE;
    if (d->nresults != 1) {
        jk_lower_fail(l, n, JK_LOWER_RESULTS, jk_lower_count(l, d->nresults));
    } else if (n->nkids != d->nparams) {
        jk_lower_counts(l, n, d->nparams, false, NULL);
    } else if (typed) {
        jk_lower_fail(l, n, JK_LOWER_TYPED, NULL);
    }
    jk_lower_enter(l, def);
    if (!jk_lower_well(l))
        return;
    l->nvalues -= d->nparams;
    for (i = 0; i < d->nparams; i++)
        jk_name_enter(l, d->params[i].name, d->params[i].name_len, true, l->values[l->nvalues + i]);
}

/* A parameter, a constant, or a call. */
JK_FUNC void jk_lower_name(jk_lowerer *l, const jk_inlined *c, const jk_node *n)
{
    const jk_binding *own = &l->names[c->def], *first = NULL, *def,
                     *param = jk_name_find(l, n, *jk_name_bucket(l, n->text, n->text_len, true), c->names);
    bool call = n->kind == JK_AST_CALL;
    const jk_fn *f;
    if (param) {
        if (call)
            jk_lower_fail(l, n, JK_LOWER_PARAM, NULL);
        jk_lower_push(l, param->value.ref, param->value.array);
        return;
    }
    f = jk_fn_find(n->text, n->text_len);
    /* the last one that stands before this one, and the first of the others */
    def = jk_name_find(l, n, *jk_name_bucket(l, n->text, n->text_len, false), 0);
    for (; def && def >= own; def = jk_name_find(l, n, def->next, 0))
        first = def;
    if (call && def)
        jk_lower_inline(l, n, (uint32_t)(def - l->names));
    else if (f && !def && (f->params != NULL) == call)
        jk_lower_builtin(l, n, f);
    else if (call)
        jk_lower_fail(l, n,
                      !first             ? f ? JK_LOWER_CONSTANT : JK_LOWER_CALL
                      : first > own || f ? JK_LOWER_BELOW
                                         : JK_LOWER_ITSELF,
                      jk_lower_near(l, c, n));
    else
        jk_lower_fail(l, n, f || def || first ? JK_LOWER_FUNCTION : JK_LOWER_NAME, jk_lower_near(l, c, n));
}

JK_FUNC void jk_lower_node(jk_lowerer *l, const jk_inlined *c, const jk_node *n)
{
    if (n->kind == JK_AST_NUMBER)
        jk_lower_number(l, n);
    else if (n->kind == JK_AST_NAME || n->kind == JK_AST_CALL)
        jk_lower_name(l, c, n);
    else
        jk_lower_builtin(l, n, &jk_operators[n->op - JK_OP_OR]);
}

JK_FUNC void jk_lower_run(jk_lowerer *l)
{
    while (jk_lower_well(l)) {
        jk_inlined *c = &l->calls[l->ncalls - 1];
        if (c->node < c->end) {
            const jk_node *n = &l->ast->nodes[c->node++];
            if (l->ncalls > 1 && ++l->work > JK_WORK_MAX)
                jk_fail(l->e, JITK_ERR_LIMIT, "calls grow to more than %u operations", JK_WORK_MAX);
            jk_lower_node(l, c, n);
            if (l->e->status != JITK_OK && !l->e->line) /* a limit: here it is passed */
                jk_fail_place(l->e, l->ast->source, n->at, n->at_len);
        } else if (l->ncalls == 1) {
            return;
        } else {
            jk_lower_leave(l);
        }
    }
}

/* ---- the kernel ---- */
/* Its definition's number, from 1 on; 0: none. */
JK_FUNC uint32_t jk_lower_entry(jk_lowerer *l)
{
    const jitk_ast *a = l->ast;
    const char *name = l->o->entry;
    jk_nearest s;
    uint32_t i = (uint32_t)a->ndefs;
    if (i == 0)
        jk_lower_fail_at(l, JK_LOWER_EMPTY, 0, 0, NULL, 0, NULL);
    if (i == 0 || !name)
        return i;
    jk_nearest_init(&s, name, strlen(name));
    for (; i > 0; i--) {
        const jk_def *d = &a->defs[i - 1];
        if (d->name)
            jk_nearest_try(&s, d->name, d->name_len);
        if (s.distance == 0)
            return i;
    }
    jk_nearest_text(&s, l->text, sizeof l->text);
    jk_fail(l->e, JITK_ERR_NAME, "no definition is named '%.*s'%s", JK_NAME_SHOWN(s.len), name, l->text);
    return 0;
}

/* What is said of a parameter or a result; whether a scalar function may not have it. */
JK_NOINLINE bool jk_lower_arg(jk_lowerer *l, jk_param_info *arg, const char *name, size_t len, uint8_t type, bool array)
{
    char *copy = (char *)jk_arena_alloc(l->arena, len + 1);
    if (copy) {
        memcpy(copy, name, len);
        copy[len] = 0;
    }
    arg->name = copy;
    arg->type = type == JK_TYPE_NONE ? l->ir.type : type;
    arg->is_array = array;
    return l->o->scalar && (array || arg->type != l->ir.type);
}

JK_FUNC void jk_lower_param(jk_lowerer *l, const jk_def *d, uint32_t k, jk_param_info *arg)
{
    const jk_param *p = &d->params[k];
    jk_type own = (jk_type)l->ir.type;
    jk_value v;
    v.array = d->is_bare ? !l->o->scalar : p->is_array;
    if (jk_lower_arg(l, arg, p->name, p->name_len, p->type, v.array) || p->edge != JK_EDGE_NONE)
        jk_lower_fail_at(l, p->edge != JK_EDGE_NONE ? JK_LOWER_EDGE : JK_LOWER_SCALAR, p->pos, p->name_len, p->name,
                         p->name_len, jk_type_name(own));
    v.ref = jk_ir_emit(&l->ir, v.array ? JK_LOAD : JK_PARAM, own, 0, k, 0, 0);
    jk_name_enter(l, p->name, p->name_len, true, v);
}

/* A scalar result of another type than the kernel's takes an exact integer as it is. */
JK_FUNC void jk_lower_result(jk_lowerer *l, const jk_def *d, uint32_t k, jk_param_info *arg)
{
    jk_value v = l->values[k];
    int len = snprintf(l->text, sizeof l->text, "result%u", (unsigned)k + 1);
    if (jk_lower_arg(l, arg, l->text, d->nresults == 1 ? 6 : (size_t)len, d->results[k].type, v.array))
        jk_lower_fail_at(l, JK_LOWER_OWN, d->pos, d->len, arg->name, JK_NAME_MAX, jk_type_name((jk_type)l->ir.type));
    arg->is_result = 1;
    arg->value = v.ref;
    if (arg->type == l->ir.type || v.array || jk_is_mask((jk_type)l->ir.ins[v.ref].type))
        arg->value = jk_as_number(&l->ir, v.ref);
}

/* The parameters, what the definition says, and the results. */
JK_FUNC void jk_lower_def(jk_lowerer *l, uint32_t def, jk_program *out)
{
    const jk_def *d = &l->ast->defs[def];
    uint32_t k, nargs = d->nparams + d->nresults;
    jk_param_info *args = (jk_param_info *)jk_arena_zero(l->arena, nargs * sizeof *args);
    if (l->o->scalar && d->nresults != 1)
        jk_lower_fail_at(l, JK_LOWER_ONE, d->pos, d->len, "", 0, jk_lower_count(l, d->nresults));
    jk_lower_enter(l, def);
    for (k = 0; args && k < d->nparams; k++)
        jk_lower_param(l, d, k, &args[k]);
    jk_lower_run(l);
    if (!jk_lower_well(l))
        return;
    for (k = 0; k < d->nresults; k++)
        jk_lower_result(l, d, k, &args[d->nparams + k]);
    jk_plan(&l->ir, args, nargs, d->nparams, out);
}

JK_FUNC jitk_status jk_lower(const struct jitk_ast *ast, const jk_lower_options *o, jk_arena *arena, jk_program *out,
                             jitk_error *e)
{
    jk_lowerer l;
    uint32_t entry;
    memset(&l, 0, sizeof l);
    l.ast = ast;
    l.o = o;
    l.arena = arena;
    l.e = e;
    jk_ir_init(&l.ir, arena, o->type, o->flags, e);
    jk_lower_names(&l);
    entry = jk_lower_entry(&l);
    if (entry > 0)
        jk_lower_def(&l, entry - 1, out);
    return arena->failed ? jk_fail_nomem(e) : e->status;
}

JK_SMALL_CLOSE
#undef JK_NAME_SHOWN
#undef JK_WORK_MAX
