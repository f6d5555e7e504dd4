/* syntax: definitions: parameter lists, types, results, and the text as a whole; a function per rule. After an error
 * the current token is none that any rule goes on with. What is refused as not supported yet (bodies) has its place in
 * the definition's head. */
#include "ast.h"

JK_SMALL_OPEN

/* ---- parameters ---- */

/* The parameter of that name: found, or new and to be filled in (then the list has one more). NULL when memory has run
 * out. A bucket's chain begins with the parameters of the definition at hand: the older ones end the search. */
JK_NOINLINE jk_param *jk_param_enter(jk_parser *p, jk_span at)
{
    const char *name = p->l.source + at.pos;
    uint32_t n = at.end - at.pos, *head = &p->buckets[jk_name_hash(name, n) & p->bucket_mask], i;
    jk_param *q;
    for (i = *head; i > p->nolder; i = q->next) {
        q = &p->now.params[i - p->nolder - 1];
        if (q->name_len == n && memcmp(q->name, name, n) == 0)
            return q;
    }
    q = (jk_param *)jk_more(p, &p->now.params, sizeof *q);
    if (q) {
        memset(q, 0, sizeof *q);
        q->name = name;
        q->name_len = n;
        q->pos = at.pos;
        q->next = *head;
        q->type = JK_TYPE_NONE;
        *head = p->nolder + (uint32_t)p->now.nparams;
    }
    return q;
}

/* Over a token that must be there. */
JK_NOINLINE void jk_accept(jk_lexer *l, unsigned kind, const char *what)
{
    if (l->kind == kind)
        jk_next(l);
    else
        jk_expected(l, what);
}

/* What a list has for the current name. */
JK_FUNC const char *jk_token_answer(const jk_lexer *l, const jk_answer *list, bool begins)
{
    jk_span at = l->piece[0];
    return jk_answer_to(list, l->source + at.pos, at.end - at.pos, begins);
}

/* A type's name. What other languages call it (by its beginning) is answered with ours. */
JK_NOINLINE void jk_parse_type(jk_lexer *l, uint8_t *type)
{
    static const jk_answer types[] = {{"f64", "\0"}, {"f32", "\1"}, {"i64", "\2"},
                                      {"i32", "\3"}, {"u8", "\4"},  {"", ""}};
    static const jk_answer foreign[] = {{"double", "f64"}, {"float", "f32"}, {"char", "u8"},   {"bool", "u8"},
                                        {"byte", "u8"},    {"uint8", "u8"},  {"int32", "i32"}, {"int64", "i64"},
                                        {"int", "i32"},    {"long", "i64"},  {"", ""}};
    const char *known = jk_token_answer(l, types, false);
    if (l->kind == JK_TOK_NAME && known) {
        *type = (uint8_t)*known;
        jk_next(l);
    } else if (l->kind == JK_TOK_NAME) {
        l->word = jk_token_answer(l, foreign, true);
        jk_lex_refuse(l, l->word ? JK_NO_TYPE_HINT : JK_NO_TYPE);
    } else {
        jk_expected(l, "an element type (f64 f32 i64 i32 u8)");
    }
}

/* [] [clamp] [wrap] [zero], if they stand here, behind a parameter's name or type. */
JK_NOINLINE void jk_parse_brackets(jk_lexer *l, jk_param *q)
{
    static const jk_answer edges[] = {{"clamp", "\1"}, {"wrap", "\2"}, {"zero", "\3"}, {"", ""}};
    const char *edge, *what = "']' or an edge rule (clamp, wrap or zero)";
    if (l->kind != JK_TOK_LBRACKET)
        return;
    if (q->is_array) {
        l->piece[1].pos = q->pos;
        l->piece[1].end = q->pos + q->name_len;
        jk_lex_refuse(l, JK_NO_BRACKETS_TWICE);
    }
    q->is_array = true;
    jk_next(l);
    edge = jk_token_answer(l, edges, false);
    if (edge) {
        q->edge = (uint8_t)*edge;
        what = "']'";
        jk_next(l);
    }
    jk_accept(l, JK_TOK_RBRACKET, what);
}

JK_FUNC void jk_parse_param(jk_parser *p)
{
    size_t count = p->now.nparams;
    jk_param *q;
    if (p->l.kind != JK_TOK_NAME)
        jk_expected(&p->l, "a parameter's name");
    jk_is_reserved(&p->l);
    q = jk_param_enter(p, p->l.piece[0]);
    if (count == p->now.nparams)
        jk_lex_refuse(&p->l, JK_NO_NAMED_TWICE);
    jk_next(&p->l);
    jk_parse_brackets(&p->l, q);
    if (p->l.kind == JK_TOK_COLON) {
        jk_next(&p->l);
        jk_parse_type(&p->l, &q->type);
        jk_parse_brackets(&p->l, q);
    }
}

/* ( ... ), the ( is current; that there is a ) was looked up (jk_at_definition). */
JK_FUNC void jk_parse_params(jk_parser *p)
{
    do {
        jk_next(&p->l);
        if (p->l.kind != JK_TOK_RPAREN || p->now.nparams)
            jk_parse_param(p);
    } while (p->l.kind == JK_TOK_COMMA);
    jk_accept(&p->l, JK_TOK_RPAREN, "',' or ')' in the parameter list");
}

/* ---- bare expressions: the free names in byte order ---- */
JK_FUNC int jk_param_compare(const void *left, const void *right)
{
    const jk_param *a = (const jk_param *)left, *b = (const jk_param *)right;
    int c = memcmp(a->name, b->name, JK_SMALLER(a->name_len, b->name_len));
    return c ? c : (int)a->name_len - (int)b->name_len;
}

JK_FUNC bool jk_is_constant(const char *name, size_t n)
{
    static const jk_answer constants[] = {{"e", ""}, {"pi", ""}, {"inf", ""}, {"nan", ""}, {"", ""}};
    return jk_answer_to(constants, name, n, false) != NULL;
}

/* A name in an expression that has no parameter list. */
JK_FUNC void jk_bare_name(jk_parser *p, jk_span at)
{
    jk_param *q = jk_is_constant(p->l.source + at.pos, at.end - at.pos) ? NULL : jk_param_enter(p, at);
    if (q)
        q->is_array = true;
}

/* ---- definitions ---- */

/* A further result; its type is as yet the kernel's. */
JK_NOINLINE jk_result *jk_result_enter(jk_parser *p)
{
    jk_result *r = (jk_result *)jk_more(p, &p->now.results, sizeof *r);
    if (r)
        r->type = JK_TYPE_NONE;
    return r;
}

/* -> types */
JK_FUNC void jk_parse_result_types(jk_parser *p)
{
    jk_result *r;
    do {
        r = jk_result_enter(p);
        if (!r)
            return;
        jk_next(&p->l);
        jk_parse_type(&p->l, &r->type);
    } while (p->l.kind == JK_TOK_COMMA);
    if (p->l.kind == JK_TOK_LBRACKET)
        jk_lex_refuse(&p->l, JK_NO_RESULT_SHAPE);
}

/* E, E, ...; some of the results may already have their types. */
JK_FUNC void jk_parse_results(jk_parser *p, jk_def *d)
{
    size_t ntypes = p->now.nresults, n = 0;
    uint32_t pos;
    char counts[80];
    for (;;) {
        pos = p->l.piece[0].pos;
        if (n == p->now.nresults && !jk_result_enter(p))
            return;
        p->now.results[n++].root = jk_parse_expression(p);
        if (p->l.kind != JK_TOK_COMMA)
            break;
        if (d->is_bare)
            jk_lex_refuse(&p->l, JK_NO_BARE_RESULTS);
        jk_next(&p->l);
    }
    d->results = p->now.results;
    d->nresults = (uint32_t)n;
    if (ntypes && n != ntypes) {
        snprintf(counts, sizeof counts, "%u result%s but %u type%s", (unsigned)n, &"s"[n == 1], (unsigned)ntypes,
                 &"s"[ntypes == 1]);
        p->l.word = counts;
        p->l.piece[1].pos = pos;
        p->l.piece[1].end = p->l.last_end;
        jk_lex_refuse(&p->l, JK_NO_RESULT_COUNT);
    }
}

/* name(params) -> types =, up to the first result. */
static inline void jk_parse_head(jk_parser *p, jk_def *d)
{
    if (p->l.kind == JK_TOK_NAME) {
        jk_is_reserved(&p->l);
        d->name = p->l.source + d->pos;
        d->name_len = p->l.piece[0].end - d->pos;
        jk_next(&p->l);
    }
    jk_parse_params(p);
    if (p->l.kind == JK_TOK_ARROW)
        jk_parse_result_types(p);
    if (p->l.kind == JK_TOK_LBRACE)
        jk_lex_refuse(&p->l, JK_NO_BODY);
    jk_accept(&p->l, JK_TOK_EQUALS, "'='");
}

JK_NOINLINE void jk_parse_definition(jk_parser *p)
{
    jitk_ast *a = p->ast;
    jk_def *d = (jk_def *)jk_more(p, &a->defs, sizeof *d);
    if (!d)
        return;
    memset(d, 0, sizeof *d);
    p->nolder += (uint32_t)p->now.nparams;
    memset(&p->now, 0, sizeof p->now);
    d->pos = p->l.piece[0].pos;
    d->first = (uint32_t)a->nnodes;
    p->now.is_bare = d->is_bare = !jk_at_definition(p);
    if (!d->is_bare)
        jk_parse_head(p, d);
    jk_parse_results(p, d);
    d->len = p->l.last_end - d->pos;
    d->end = (uint32_t)a->nnodes;
    d->params = p->now.params;
    d->nparams = (uint32_t)p->now.nparams;
    if (d->is_bare && d->nparams)
        qsort(d->params, d->nparams, sizeof *d->params, jk_param_compare);
}

/* Copies the text. What a short one needs besides is in the same piece of memory. */
JK_FUNC void jk_ast_init(jitk_ast *ast, const char *source, size_t len)
{
    size_t nodes = JK_SMALLER(len / 2 + 4, 4096);
    char *text;
    ast->nodes = (jk_node *)jk_arena_alloc(&ast->arena, nodes * (sizeof *ast->nodes + sizeof *ast->kids) + len + 1);
    if (!ast->nodes)
        return;
    ast->cap_nodes = ast->cap_kids = nodes;
    ast->kids = (uint32_t *)(ast->nodes + nodes);
    text = (char *)(ast->kids + nodes);
    memcpy(text, source, len);
    text[len] = 0;
    ast->source = text;
    ast->source_len = len;
}

JK_NOINLINE void jk_parser_init(jk_parser *p, jitk_ast *ast, jitk_error *e)
{
    uint32_t len = (uint32_t)ast->source_len;
    memset(p, 0, offsetof(jk_parser, first_frames));
    p->ast = ast;
    p->l.source = ast->source;
    p->l.error = e;
    p->l.len = len;
    p->l.kind = JK_TOK_END;
    p->l.piece[0].end = strncmp(ast->source, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a byte order mark */
    p->frames = p->first_frames;
    p->operands = p->first_operands;
    p->cap_frames = p->cap_operands = JK_STACK_FIRST;
    p->bucket_mask = UINT32_MAX >> __builtin_clz(len / 8 | 15);
    p->buckets = (uint32_t *)jk_arena_zero(&ast->arena, ((size_t)p->bucket_mask + 1) * sizeof *p->buckets);
}

JK_FUNC jitk_status jk_parse(jitk_ast *ast, const char *source, size_t source_len, void *first, size_t first_bytes,
                             jitk_error *e)
{
    jk_parser p;
    memset(ast, 0, sizeof *ast);
    ast->source = "";
    jk_arena_init(&ast->arena, first, first_bytes);
    if (source_len > JK_SOURCE_MAX)
        return jk_fail(e, JITK_ERR_LIMIT, "a text of %zu bytes: at most %zu are allowed", source_len, JK_SOURCE_MAX);
    jk_ast_init(ast, source, source_len);
    jk_parser_init(&p, ast, e);
    if (!ast->arena.failed)
        jk_next(&p.l);
    while (p.l.kind != JK_TOK_END && p.l.kind != JK_TOK_ERROR)
        if (p.l.kind == JK_TOK_SEMICOLON)
            jk_next(&p.l);
        else
            jk_parse_definition(&p);
    if (ast->arena.failed)
        jk_fail_nomem(e);
    if (ast->ndefs == 0)
        jk_lex_refuse(&p.l, JK_NO_EMPTY);
    return e->status;
}

JK_SMALL_CLOSE
#undef JK_COLD
#undef JK_STACK_FIRST
