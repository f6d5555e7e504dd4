/* syntax: trees without text. No public function builds trees yet, so that jitk.h has not this file; the tests have.
 * Nodes are made in any order, may be shared between expressions and may be left over; they wait in a pool, and a
 * definition copies what its results reach into the tree, in post-order. So the promise of ast.h holds whatever the
 * caller does. The first failure sticks: after it every call returns 0 and the error keeps it. */
#include "ast.h"

typedef struct jk_tree_builder {
    jitk_ast *ast; /* its arena holds the pool, too */
    jitk_error *error;
    jk_node *nodes;
    uint32_t *kids;
    size_t nnodes, nkids, cap_nodes, cap_kids;
} jk_tree_builder;

#define JK_TREE_MAX ((size_t)1 << 22) /* nodes: shared ones are copied, which can grow without bounds */

JK_FUNC void jk_tree_begin(jk_tree_builder *b, jitk_ast *ast, jitk_error *e)
{
    memset(b, 0, sizeof *b);
    memset(ast, 0, sizeof *ast);
    jk_arena_init(&ast->arena, NULL, 0);
    ast->source = "";
    b->ast = ast;
    b->error = e;
}

JK_FUNC uint32_t jk_tree_node(jk_tree_builder *b, jk_ast_kind kind, unsigned op, const char *text, size_t len,
                              const uint32_t *kids, size_t nkids)
{
    jk_arena *arena = &b->ast->arena;
    jk_node *n;
    size_t i;
    char *copy = NULL;
    if (b->error->status != JITK_OK)
        return 0;
    for (i = 0; i < nkids; i++)
        if (kids[i] >= b->nnodes)
            jk_fail(b->error, JITK_ERR_ARGS, "argument %zu is no node of this tree", i + 1);
    if (len > JK_SOURCE_MAX || b->nnodes >= JK_TREE_MAX || nkids > JK_TREE_MAX)
        jk_fail(b->error, JITK_ERR_LIMIT, "the tree is too large");
    if (b->error->status != JITK_OK)
        return 0;
    n = (jk_node *)jk_grow(arena, b->nodes, b->nnodes, &b->cap_nodes, sizeof *n);
    b->nodes = n ? n : b->nodes;
    for (i = 0; i < nkids; i++) {
        uint32_t *k = (uint32_t *)jk_grow(arena, b->kids, b->nkids + i, &b->cap_kids, sizeof *k);
        b->kids = k ? k : b->kids;
        if (k)
            k[b->nkids + i] = kids[i];
    }
    if (text)
        copy = (char *)jk_arena_alloc(arena, len + 1);
    if (arena->failed) {
        jk_fail_nomem(b->error);
        return 0;
    }
    if (text) {
        memcpy(copy, text, len);
        copy[len] = 0;
    }
    n = &b->nodes[b->nnodes];
    memset(n, 0, sizeof *n);
    n->kind = (uint8_t)kind;
    n->op = (uint8_t)op;
    n->nkids = (uint32_t)nkids;
    n->kid = (uint32_t)b->nkids;
    n->text = copy;
    n->text_len = (uint32_t)len;
    b->nkids += nkids;
    return (uint32_t)b->nnodes++;
}

/* ---- the kinds of nodes ---- */
JK_FUNC uint32_t jk_tree_unary(jk_tree_builder *b, jk_ast_op op, uint32_t kid)
{
    if (jk_signs[op].prec != JK_PREC_UNARY && op != JK_OP_SQRT)
        jk_fail(b->error, JITK_ERR_ARGS, "'%s' is no unary operator", jk_signs[op].text);
    return jk_tree_node(b, JK_AST_UNARY, op, NULL, 0, &kid, 1);
}

JK_FUNC uint32_t jk_tree_binary(jk_tree_builder *b, jk_ast_op op, uint32_t left, uint32_t right)
{
    uint32_t kids[2];
    if (op == JK_OP_NONE || jk_signs[op].prec == JK_PREC_UNARY || op == JK_OP_SQRT)
        jk_fail(b->error, JITK_ERR_ARGS, "'%s' is no binary operator", jk_signs[op].text);
    kids[0] = left;
    kids[1] = right;
    return jk_tree_node(b, JK_AST_BINARY, op, NULL, 0, kids, 2);
}

JK_FUNC uint32_t jk_tree_cond(jk_tree_builder *b, uint32_t c, uint32_t yes, uint32_t no)
{
    uint32_t kids[3];
    kids[0] = c;
    kids[1] = yes;
    kids[2] = no;
    return jk_tree_node(b, JK_AST_COND, JK_OP_COND, NULL, 0, kids, 3);
}

/* A number by its text, as the language writes it. */
JK_FUNC uint32_t jk_tree_number_text(jk_tree_builder *b, const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || jk_number_read(text, JK_F64, NULL) != n)
        jk_fail(b->error, JITK_ERR_SYNTAX, "expected a number, found '%.40s'", text);
    return jk_tree_node(b, JK_AST_NUMBER, JK_OP_NONE, text, n, NULL, 0);
}

/* A name that the parser would read as one. */
JK_FUNC bool jk_tree_check_name(jk_tree_builder *b, const char *name)
{
    jk_lexer l;
    size_t n = strlen(name);
    if (b->error->status != JITK_OK || n > JK_SOURCE_MAX)
        return false;
    memset(&l, 0, sizeof l);
    l.source = name;
    l.error = b->error;
    l.len = (uint32_t)n;
    l.kind = JK_TOK_END;
    jk_next(&l);
    if (l.kind != JK_TOK_NAME || l.piece[0].end != n || jk_is_reserved(&l))
        jk_fail(b->error, JITK_ERR_SYNTAX, "expected a name, found '%.40s'", name);
    return b->error->status == JITK_OK;
}

JK_FUNC uint32_t jk_tree_name(jk_tree_builder *b, const char *name)
{
    return jk_tree_check_name(b, name) ? jk_tree_node(b, JK_AST_NAME, JK_OP_NONE, name, strlen(name), NULL, 0) : 0;
}

JK_FUNC uint32_t jk_tree_call(jk_tree_builder *b, const char *name, const uint32_t *args, size_t nargs)
{
    return jk_tree_check_name(b, name) ? jk_tree_node(b, JK_AST_CALL, JK_OP_NONE, name, strlen(name), args, nargs) : 0;
}

/* ---- numbers by value ---- */

/* 0.d1d2... * 10^(e + 1) as the language writes it: plain where that is short, else with an exponent. */
JK_FUNC void jk_number_layout(char text[40], const char *digits, int n, int e)
{
    if (e >= 0 && e < 17 && n <= e + 1)
        snprintf(text, 40, "%.*s%.*s", n, digits, e + 1 - n, "00000000000000000");
    else if (e >= 0 && e < 17)
        snprintf(text, 40, "%.*s.%.*s", e + 1, digits, n - e - 1, digits + e + 1);
    else if (e < 0 && e > -6)
        snprintf(text, 40, "0.%.*s%.*s", -e - 1, "00000", n, digits);
    else
        snprintf(text, 40, "%c%s%.*se%d", digits[0], n > 1 ? "." : "", n - 1, digits + 1, e);
}

/* The shortest of the decimal texts of 15 to 17 digits that gives back the bits of a finite value >= 0. The C library's
 * text is taken apart digit by digit, as its decimal point depends on the locale; should its rounding fail us (that
 * depends on the floating-point mode), hexadecimal is always exact. */
JK_FUNC void jk_number_text(double value, char text[40])
{
    char raw[64], digits[24];
    int precision, i, n, e;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (precision = 14; precision < 17; precision++) {
        uint64_t back;
        snprintf(raw, sizeof raw, "%.*e", precision, value);
        for (i = n = 0; raw[i] && raw[i] != 'e'; i++)
            if (raw[i] >= '0' && raw[i] <= '9' && n < 20)
                digits[n++] = raw[i];
        e = raw[i] ? atoi(raw + i + 1) : 0;
        while (n > 1 && digits[n - 1] == '0')
            n--;
        digits[n] = 0;
        jk_number_layout(text, digits, n, e);
        jk_number_read(text, JK_F64, &back);
        if (back == bits)
            return;
    }
    e = (int)(bits >> 52);
    bits &= ((uint64_t)1 << 52) - 1;
    snprintf(text, 40, "0x%d.%013llxp%d", e > 0, (unsigned long long)bits, e ? e - 1023 : -1022);
}

/* A value: what has no text of its own is written with a sign or a name. */
JK_FUNC uint32_t jk_tree_number(jk_tree_builder *b, double value)
{
    char text[40];
    uint64_t bits, minus;
    uint32_t node;
    memcpy(&bits, &value, sizeof bits);
    minus = bits >> 63;
    bits &= UINT64_MAX >> 1;
    memcpy(&value, &bits, sizeof value);
    if (bits > (uint64_t)0x7ff << 52)
        return jk_tree_name(b, "nan");
    if (bits == (uint64_t)0x7ff << 52) {
        node = jk_tree_name(b, "inf");
    } else {
        jk_number_text(value, text);
        node = jk_tree_number_text(b, text);
    }
    return minus ? jk_tree_unary(b, JK_OP_NEG, node) : node;
}

/* ---- definitions ---- */
typedef struct jk_tree_walk {
    uint32_t node, next; /* of the pool; the kid to visit next */
} jk_tree_walk;

/* Copies what `root` reaches; *out is its place in the tree. False when memory has run out or it is too large. */
JK_FUNC bool jk_tree_copy(jk_tree_builder *b, uint32_t root, uint32_t *out)
{
    jitk_ast *a = b->ast;
    jk_tree_walk *walk = NULL;
    uint32_t *done = NULL;
    size_t depth = 0, cap_walk = 0, ndone = 0, cap_done = 0, i;
    uint32_t enter = root;
    bool entering = true;
    for (;;) {
        const jk_node *n;
        if (entering) {
            walk = (jk_tree_walk *)jk_grow(&a->arena, walk, depth, &cap_walk, sizeof *walk);
            if (!walk)
                break;
            walk[depth].node = enter;
            walk[depth++].next = 0;
        }
        n = &b->nodes[walk[depth - 1].node];
        entering = walk[depth - 1].next < n->nkids;
        if (entering) {
            enter = b->kids[n->kid + walk[depth - 1].next++];
            continue;
        }
        a->nodes = (jk_node *)jk_grow(&a->arena, a->nodes, a->nnodes, &a->cap_nodes, sizeof *n);
        done = (uint32_t *)jk_grow(&a->arena, done, ndone, &cap_done, sizeof *done);
        for (i = 0; i < n->nkids; i++) {
            a->kids = (uint32_t *)jk_grow(&a->arena, a->kids, a->nkids + i, &a->cap_kids, sizeof *a->kids);
            if (!a->kids || !done)
                break;
            a->kids[a->nkids + i] = done[ndone - n->nkids + i];
        }
        if (a->arena.failed || a->nnodes >= JK_TREE_MAX)
            break;
        a->nodes[a->nnodes] = *n;
        a->nodes[a->nnodes].kid = (uint32_t)a->nkids;
        a->nkids += n->nkids;
        ndone -= n->nkids;
        done[ndone++] = *out = (uint32_t)a->nnodes++;
        if (--depth == 0)
            return true;
    }
    if (a->arena.failed)
        jk_fail_nomem(b->error);
    else
        jk_fail(b->error, JITK_ERR_LIMIT, "the tree is too large: more than %zu nodes", JK_TREE_MAX);
    return false;
}

/* The parameter of that name: found, or new (then d has one more). NULL when memory has run out. */
JK_FUNC jk_param *jk_tree_param(jk_tree_builder *b, jk_def *d, size_t *cap, const char *name, uint32_t n)
{
    jk_param *q = d->params, *end = q + d->nparams;
    for (; q < end; q++)
        if (q->name_len == n && memcmp(q->name, name, n) == 0)
            return q;
    q = (jk_param *)jk_grow(&b->ast->arena, d->params, d->nparams, cap, sizeof *q);
    if (!q)
        return NULL;
    d->params = q;
    q += d->nparams++;
    memset(q, 0, sizeof *q);
    q->name = name;
    q->name_len = n;
    q->type = JK_TYPE_NONE;
    return q;
}

/* Copies the parameters, refusing bad and doubled names. */
JK_FUNC bool jk_tree_params(jk_tree_builder *b, jk_def *d, const jk_param *params, size_t n)
{
    size_t i, cap = 0;
    for (i = 0; i < n; i++) {
        char *name = (char *)jk_arena_alloc(&b->ast->arena, (size_t)params[i].name_len + 1);
        jk_param *q = NULL;
        if (name) {
            memcpy(name, params[i].name, params[i].name_len);
            name[params[i].name_len] = 0;
            if (!jk_tree_check_name(b, name))
                return false;
            q = jk_tree_param(b, d, &cap, name, params[i].name_len);
        }
        if (!q) {
            jk_fail_nomem(b->error);
            return false;
        }
        if (d->nparams == i) {
            jk_fail(b->error, JITK_ERR_NAME, "parameter '%s' is named twice", name);
            return false;
        }
        q->type = params[i].type;
        q->edge = params[i].edge;
        q->is_array = params[i].is_array;
    }
    return true;
}

/* The parameters of a bare expression, from its nodes. */
JK_FUNC bool jk_tree_bare_params(jk_tree_builder *b, jk_def *d)
{
    size_t cap = 0;
    uint32_t i;
    for (i = d->first; i < d->end; i++) {
        const jk_node *n = &b->ast->nodes[i];
        jk_param *q;
        if (n->kind != JK_AST_NAME || jk_is_constant(n->text, n->text_len))
            continue;
        q = jk_tree_param(b, d, &cap, n->text, n->text_len);
        if (!q)
            return false;
        q->is_array = true;
    }
    if (d->nparams)
        qsort(d->params, d->nparams, sizeof *d->params, jk_param_compare);
    return true;
}

/* Adds a definition: results[i].root are nodes of the pool. A bare expression (one result, no parameters, no name)
 * finds its parameters itself. */
JK_FUNC jitk_status jk_tree_definition(jk_tree_builder *b, const char *name, bool is_bare, const jk_param *params,
                                       size_t nparams, const jk_result *results, size_t nresults)
{
    jitk_ast *a = b->ast;
    jk_def d;
    size_t i;
    if (b->error->status != JITK_OK || (name && !jk_tree_check_name(b, name)))
        return b->error->status;
    if (nresults == 0 || (is_bare && (nresults != 1 || nparams || name)))
        return jk_fail(b->error, JITK_ERR_ARGS, "a definition has results; a bare expression is one result alone");
    memset(&d, 0, sizeof d);
    d.is_bare = is_bare;
    d.first = (uint32_t)a->nnodes;
    d.nresults = (uint32_t)nresults;
    d.results = (jk_result *)jk_arena_zero(&a->arena, nresults * sizeof *d.results);
    a->defs = (jk_def *)jk_grow(&a->arena, a->defs, a->ndefs, &a->cap_defs, sizeof d);
    if (name) {
        char *copy = (char *)jk_arena_alloc(&a->arena, strlen(name) + 1);
        d.name = copy;
        d.name_len = (uint32_t)strlen(name);
        if (copy)
            memcpy(copy, name, d.name_len + 1);
    }
    if (a->arena.failed)
        return jk_fail_nomem(b->error);
    if (!is_bare && !jk_tree_params(b, &d, params, nparams))
        return b->error->status;
    for (i = 0; i < nresults; i++) {
        d.results[i].type = results[i].type;
        if (results[i].root >= b->nnodes)
            return jk_fail(b->error, JITK_ERR_ARGS, "result %zu is no node of this tree", i + 1);
        if (!jk_tree_copy(b, results[i].root, &d.results[i].root))
            return b->error->status;
    }
    d.end = (uint32_t)a->nnodes;
    if (is_bare && !jk_tree_bare_params(b, &d))
        return jk_fail_nomem(b->error);
    a->defs[a->ndefs++] = d;
    return JITK_OK;
}
