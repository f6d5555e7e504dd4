/* syntax: definitions: parameter lists, types, results, and the text as a whole; a function per rule. What is refused
 * here as not supported yet (bodies) has its place in the head's end. */
#include "ast.h"

JK_SMALL_OPEN

/* Parameters without duplicates: a short list is searched, a long one hashed. */
typedef struct jk_param_list {
    jk_param *items;
    size_t count, cap, nslots;
    uint32_t *slots; /* index + 1, 0 is empty */
} jk_param_list;

/* ---- parameters ---- */
JK_FUNC uint32_t jk_name_hash(const char *s, size_t n)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    size_t i;
    for (i = 0; i < n; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h ^ h >> 15;
}

JK_FUNC uint32_t *jk_param_slot(const jk_param_list *l, const char *name, size_t n)
{
    uint32_t i = jk_name_hash(name, n);
    for (;; i++) {
        uint32_t *slot = &l->slots[i & (l->nslots - 1)];
        const jk_param *q = *slot ? &l->items[*slot - 1] : NULL;
        if (!q || (q->name_len == n && memcmp(q->name, name, n) == 0))
            return slot;
    }
}

/* Keeps the table at most half full. */
JK_NOINLINE bool jk_param_rehash(jk_param_list *l, jk_arena *arena)
{
    size_t i, want = l->nslots ? 2 * l->nslots : 32;
    l->slots = (uint32_t *)jk_arena_zero(arena, want * sizeof *l->slots);
    if (!l->slots)
        return false;
    l->nslots = want;
    for (i = 0; i < l->count; i++)
        *jk_param_slot(l, l->items[i].name, l->items[i].name_len) = (uint32_t)i + 1;
    return true;
}

/* The parameter of that name: found, or new (*added) and to be filled in. NULL when memory has run out. */
JK_FUNC jk_param *jk_param_enter(jk_param_list *l, jk_arena *arena, const char *name, uint32_t n, uint32_t pos,
                                 bool *added)
{
    uint32_t *slot = NULL;
    size_t i;
    jk_param *q;
    *added = false;
    if (l->count < 8) {
        for (i = 0; i < l->count; i++)
            if (l->items[i].name_len == n && memcmp(l->items[i].name, name, n) == 0)
                return &l->items[i];
    } else {
        if (2 * (l->count + 1) > l->nslots && !jk_param_rehash(l, arena))
            return NULL;
        slot = jk_param_slot(l, name, n);
        if (*slot)
            return &l->items[*slot - 1];
    }
    if (l->count == l->cap) {
        if (l->cap == 0) { /* jk_grow begins at 16, most kernels need fewer */
            l->cap = 4;
            q = (jk_param *)jk_arena_alloc(arena, l->cap * sizeof *q);
        } else {
            q = (jk_param *)jk_grow(arena, l->items, l->count, &l->cap, sizeof *q);
        }
        if (!q)
            return NULL;
        l->items = q;
    }
    q = &l->items[l->count++];
    memset(q, 0, sizeof *q);
    q->name = name;
    q->name_len = n;
    q->pos = pos;
    q->type = JK_TYPE_NONE;
    if (slot)
        *slot = (uint32_t)l->count;
    *added = true;
    return q;
}

/* A type's name. What other languages call it (by its beginning) is answered with ours. */
JK_FUNC bool jk_parse_type(jk_parser *p, uint8_t *type)
{
    static const char *const foreign[] = {"double\0f64", "float\0f32", "char\0u8",   "bool\0u8", "byte\0u8",
                                          "uint8\0u8",   "int32\0i32", "int64\0i64", "int\0i32", "long\0i64"};
    const char *s = p->ast->source + p->token.pos;
    size_t n = p->token.len, i;
    int t;
    if (p->token.kind != JK_TOK_NAME) {
        jk_expected(p, "an element type (f64 f32 i64 i32 u8)");
        return false;
    }
    for (t = JK_F64; t <= JK_U8; t++)
        if (strlen(jk_type_name((jk_type)t)) == n && memcmp(jk_type_name((jk_type)t), s, n) == 0) {
            *type = (uint8_t)t;
            jk_next(p);
            return true;
        }
    for (i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strlen(foreign[i]) <= n && memcmp(foreign[i], s, strlen(foreign[i])) == 0) {
            JK_PARSE_FAIL(p, JITK_ERR_NAME, p->token.pos, p->token.len, "unknown type '%.*s' (did you mean '%s'?)",
                          (int)n, s, foreign[i] + strlen(foreign[i]) + 1);
            return false;
        }
    JK_PARSE_FAIL(p, JITK_ERR_NAME, p->token.pos, p->token.len,
                  "unknown type '%.*s': expected f64, f32, i64, i32 or u8", (int)n, s);
    return false;
}

/* [] [clamp] [wrap] [zero], behind a parameter's name or type; the [ is current. */
JK_FUNC bool jk_parse_brackets(jk_parser *p, jk_param *q)
{
    static const char edges[][6] = {"", "clamp", "wrap", "zero"};
    uint8_t edge;
    if (q->is_array) {
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, p->token.pos, 1, "the brackets of '%.*s' stand once", (int)q->name_len,
                      q->name);
        return false;
    }
    q->is_array = true;
    jk_next(p);
    if (p->token.kind == JK_TOK_NAME) {
        for (edge = JK_EDGE_ZERO; edge > JK_EDGE_NONE; edge--)
            if (strlen(edges[edge]) == p->token.len &&
                memcmp(edges[edge], p->ast->source + p->token.pos, p->token.len) == 0)
                break;
        if (edge == JK_EDGE_NONE) {
            jk_expected(p, "']' or an edge rule (clamp, wrap or zero)");
            return false;
        }
        q->edge = edge;
        jk_next(p);
    }
    if (p->token.kind != JK_TOK_RBRACKET) {
        jk_expected(p, q->edge ? "']'" : "']' or an edge rule (clamp, wrap or zero)");
        return false;
    }
    jk_next(p);
    return true;
}

JK_FUNC bool jk_parse_param(jk_parser *p, jk_param_list *l)
{
    jk_param *q;
    bool added;
    if (p->token.kind != JK_TOK_NAME) {
        jk_expected(p, "a parameter's name");
        return false;
    }
    if (jk_is_reserved(p))
        return false;
    q = jk_param_enter(l, &p->ast->arena, p->ast->source + p->token.pos, p->token.len, p->token.pos, &added);
    if (!q) {
        jk_parse_nomem(p);
        return false;
    }
    if (!added) {
        JK_PARSE_FAIL(p, JITK_ERR_NAME, p->token.pos, p->token.len, "parameter '%.*s' is named twice", (int)q->name_len,
                      q->name);
        return false;
    }
    jk_next(p);
    if (p->token.kind == JK_TOK_LBRACKET && !jk_parse_brackets(p, q))
        return false;
    if (p->token.kind == JK_TOK_COLON) {
        jk_next(p);
        if (!jk_parse_type(p, &q->type))
            return false;
        if (p->token.kind == JK_TOK_LBRACKET && !jk_parse_brackets(p, q))
            return false;
    }
    return true;
}

/* ( ... ), the ( is current. */
JK_FUNC bool jk_parse_params(jk_parser *p, jk_def *d)
{
    jk_param_list l;
    uint32_t open = p->token.pos;
    memset(&l, 0, sizeof l);
    jk_next(p);
    if (p->token.kind != JK_TOK_RPAREN) {
        while (jk_parse_param(p, &l) && p->token.kind == JK_TOK_COMMA)
            jk_next(p);
        if (p->token.kind == JK_TOK_END)
            JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, open, 1, "this '(' is never closed: expected ')'");
        if (p->token.kind != JK_TOK_RPAREN)
            jk_expected(p, "',' or ')' in the parameter list");
    }
    if (p->lexer.error->status != JITK_OK)
        return false;
    jk_next(p);
    d->params = l.items;
    d->nparams = (uint32_t)l.count;
    return true;
}

/* ---- bare expressions: the free names in byte order ---- */
JK_FUNC int jk_param_compare(const jk_param *a, const jk_param *b)
{
    int c = memcmp(a->name, b->name, JK_SMALLER(a->name_len, b->name_len));
    return c ? c : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

/* Merge sort from runs of one upwards, to and fro between two arrays; returns the one that ends up sorted. */
JK_FUNC jk_param *jk_params_sort(jk_param *from, jk_param *to, size_t n)
{
    size_t run, lo;
    for (run = 1; run < n; run *= 2) {
        jk_param *swap = from;
        for (lo = 0; lo < n; lo += 2 * run) {
            size_t i = lo, mid = JK_SMALLER(lo + run, n), j = mid, hi = JK_SMALLER(lo + 2 * run, n), k;
            for (k = lo; k < hi; k++)
                to[k] = j == hi || (i < mid && jk_param_compare(&from[i], &from[j]) <= 0) ? from[i++] : from[j++];
        }
        from = to;
        to = swap;
    }
    return from;
}

JK_FUNC bool jk_is_constant_name(const char *s, size_t n)
{
    return n == 1   ? *s == 'e'
           : n == 2 ? memcmp(s, "pi", 2) == 0
                    : n == 3 && (!memcmp(s, "inf", 3) || !memcmp(s, "nan", 3));
}

/* Fills in the parameters of a bare expression from its nodes. Also for trees built without text. */
JK_FUNC bool jk_bare_params(jitk_ast *a, jk_def *d)
{
    jk_param_list l;
    jk_param *other;
    uint32_t i;
    bool added;
    memset(&l, 0, sizeof l);
    for (i = d->first; i < d->end; i++) {
        const jk_node *n = &a->nodes[i];
        jk_param *q;
        if (n->kind != JK_AST_NAME || jk_is_constant_name(n->text, n->text_len))
            continue;
        q = jk_param_enter(&l, &a->arena, n->text, n->text_len, n->pos, &added);
        if (!q)
            return false;
        q->is_array = true;
    }
    d->params = l.items;
    d->nparams = (uint32_t)l.count;
    if (l.count < 2)
        return true;
    other = (jk_param *)jk_arena_alloc(&a->arena, l.count * sizeof *other);
    if (other)
        d->params = jk_params_sort(l.items, other, l.count);
    return other != NULL;
}

/* ---- definitions ---- */

/* -> types: up to as many results are counted. */
JK_FUNC bool jk_parse_result_types(jk_parser *p, jk_def *d, size_t *cap)
{
    do {
        jk_result *r = (jk_result *)jk_grow(&p->ast->arena, d->results, d->nresults, cap, sizeof *r);
        if (!r) {
            jk_parse_nomem(p);
            return false;
        }
        d->results = r;
        r[d->nresults].root = 0;
        jk_next(p);
        if (!jk_parse_type(p, &r[d->nresults].type))
            return false;
        d->nresults++;
    } while (p->token.kind == JK_TOK_COMMA);
    if (p->token.kind == JK_TOK_LBRACKET)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, p->token.pos, 1,
                      "a result's shape follows from its expression: write the type alone");
    return p->lexer.error->status == JITK_OK;
}

/* E, E, ...; ntypes of the results already have their types. */
JK_FUNC bool jk_parse_results(jk_parser *p, jk_def *d, size_t cap)
{
    uint32_t ntypes = d->nresults, n = 0, root, pos;
    for (;;) {
        pos = p->token.pos;
        if (!jk_parse_expression(p, &root))
            return false;
        if (n >= ntypes) {
            jk_result *r = (jk_result *)jk_grow(&p->ast->arena, d->results, n, &cap, sizeof *r);
            if (!r) {
                jk_parse_nomem(p);
                return false;
            }
            d->results = r;
            r[n].type = JK_TYPE_NONE;
        }
        d->results[n++].root = root;
        if (p->token.kind != JK_TOK_COMMA)
            break;
        if (d->is_bare) {
            JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, p->token.pos, 1,
                          "unexpected ',': several results need a parameter list, as in '(x[], y[]) = x + y, x - y'");
            return false;
        }
        jk_next(p);
    }
    if (ntypes && n != ntypes)
        JK_PARSE_FAIL(p, JITK_ERR_TYPE, pos, p->last_end - pos, "%u result%s but %u type%s after '->'", (unsigned)n,
                      n == 1 ? "" : "s", (unsigned)ntypes, ntypes == 1 ? "" : "s");
    d->nresults = n;
    return p->lexer.error->status == JITK_OK;
}

/* name(params) -> types =, up to the first result. */
JK_FUNC bool jk_parse_head(jk_parser *p, jk_def *d, size_t *cap)
{
    if (p->token.kind == JK_TOK_NAME) {
        if (jk_is_reserved(p))
            return false;
        d->name = p->ast->source + p->token.pos;
        d->name_len = p->token.len;
        jk_next(p);
    }
    if (!jk_parse_params(p, d))
        return false;
    if (p->token.kind == JK_TOK_ARROW && !jk_parse_result_types(p, d, cap))
        return false;
    if (p->token.kind == JK_TOK_LBRACE) {
        JK_PARSE_FAIL(p, JITK_ERR_UNSUPPORTED, p->token.pos, 1,
                      "bodies '{ ...; return ...; }' are not supported yet: write '= ...'");
        return false;
    }
    if (p->token.kind != JK_TOK_EQUALS) {
        jk_expected(p, "'='");
        return false;
    }
    jk_next(p);
    return true;
}

JK_FUNC bool jk_parse_definition(jk_parser *p)
{
    jitk_ast *a = p->ast;
    jk_def *d;
    jk_result *one;
    size_t cap = 2;
    bool named = (p->token.kind == JK_TOK_NAME || p->token.kind == JK_TOK_LPAREN) && jk_at_definition(p);
    if (a->ndefs == a->cap_defs)
        a->defs = (jk_def *)jk_grow(&a->arena, a->defs, a->ndefs, &a->cap_defs, sizeof *d);
    one = (jk_result *)jk_arena_alloc(&a->arena, cap * sizeof *one);
    if (!a->defs || !one) {
        jk_parse_nomem(p);
        return false;
    }
    d = &a->defs[a->ndefs];
    memset(d, 0, sizeof *d);
    d->results = one;
    d->pos = p->token.pos;
    d->is_bare = !named;
    d->first = (uint32_t)a->nnodes;
    if (named && !jk_parse_head(p, d, &cap))
        return false;
    if (!jk_parse_results(p, d, cap))
        return false;
    d->len = p->last_end - d->pos;
    d->end = (uint32_t)a->nnodes;
    a->ndefs++;
    if (d->is_bare && !jk_bare_params(a, d)) {
        jk_parse_nomem(p);
        return false;
    }
    return true;
}

/* All memory that a short text needs, in a few pieces of fitting size. */
JK_FUNC bool jk_ast_init(jitk_ast *ast, const char *source, size_t len, void *first, size_t first_bytes)
{
    char *text;
    memset(ast, 0, sizeof *ast);
    jk_arena_init(&ast->arena, first, first_bytes);
    text = (char *)jk_arena_alloc(&ast->arena, len + 1);
    ast->cap_nodes = ast->cap_kids = JK_SMALLER(len / 2 + 4, 4096);
    ast->cap_defs = 2;
    ast->nodes = (jk_node *)jk_arena_alloc(&ast->arena, ast->cap_nodes * sizeof *ast->nodes);
    ast->kids = (uint32_t *)jk_arena_alloc(&ast->arena, ast->cap_kids * sizeof *ast->kids);
    ast->defs = (jk_def *)jk_arena_alloc(&ast->arena, ast->cap_defs * sizeof *ast->defs);
    ast->source = text ? text : "";
    ast->source_len = len;
    if (ast->arena.failed)
        return false;
    memcpy(text, source, len);
    text[len] = 0;
    return true;
}

JK_FUNC jitk_status jk_parse(jitk_ast *ast, const char *source, size_t source_len, void *first, size_t first_bytes,
                             jitk_error *e)
{
    jk_parser p;
    bool fits = source_len <= JK_SOURCE_MAX;
    if (!jk_ast_init(ast, source, fits ? source_len : 0, first, first_bytes))
        return jk_fail_nomem(e);
    if (!fits)
        return jk_fail(e, JITK_ERR_LIMIT, 0, 0, 0, "a text of %zu bytes: at most %zu are allowed", source_len,
                       JK_SOURCE_MAX);
    p.ast = ast;
    p.lexer.source = ast->source;
    p.lexer.at = source_len >= 3 && memcmp(source, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a byte order mark */
    p.lexer.len = (uint32_t)source_len;
    p.lexer.error = e;
    p.frames = p.first_frames;
    p.operands = p.first_operands;
    p.cap_frames = p.cap_operands = JK_STACK_FIRST;
    p.token = jk_token_make(JK_TOK_END, 0, 0, 0);
    jk_next(&p);
    while (p.token.kind != JK_TOK_END) {
        if (p.token.kind == JK_TOK_SEMICOLON)
            jk_next(&p);
        else if (p.token.kind == JK_TOK_ERROR || !jk_parse_definition(&p))
            return e->status;
    }
    if (ast->ndefs == 0)
        return jk_fail_at(e, JITK_ERR_SYNTAX, ast->source, 0, 0,
                          "the text is empty: expected an expression, as in '2*x + 1'");
    return e->status;
}

JK_SMALL_CLOSE
#undef JK_PARSE_FAIL
#undef JK_COLD
#undef JK_SHOWN
#undef JK_STACK_FIRST
