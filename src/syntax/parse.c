/* syntax: expressions, by operator precedence on two explicit stacks (frames that wait for an operand, and finished
 * operands), so that nothing recurses and nodes come out in post-order by themselves. Each token is looked at once, but
 * for one bounded look ahead where a definition may begin.
 *
 * A frame is a prefix or binary operator or the last part of c ? a : b, with its precedence; or a barrier of precedence
 * 0 that only its own closing token removes: an open parenthesis, a call, a ? that waits for its colon, the bottom. */
#include "ast.h"

JK_SMALL_OPEN

#define JK_STACK_FIRST 32 /* frames and operands that fit the C stack; more go to the arena */

typedef enum jk_frame_kind {
    JK_FRAME_BOTTOM,
    JK_FRAME_PAREN,
    JK_FRAME_CALL,
    JK_FRAME_THEN, /* c ? ... waits for its colon */
    JK_FRAME_ELSE, /* c ? a : ... */
    JK_FRAME_PREFIX,
    JK_FRAME_BINARY
} jk_frame_kind;

typedef struct jk_frame {
    uint8_t kind, op, prec;
    uint32_t at, at_len; /* the operator, the called name */
    uint32_t open;       /* a barrier's own place */
    uint32_t base;       /* a call: operands below its arguments */
} jk_frame;

typedef struct jk_operand {
    uint32_t node, pos, end; /* the place includes parentheses around it */
} jk_operand;

typedef enum jk_expect { JK_EXPECT_OPERAND, JK_EXPECT_OPERATOR, JK_EXPECT_NOTHING, JK_EXPECT_FAILED } jk_expect;

typedef struct jk_parser {
    jitk_ast *ast;
    jk_lexer lexer;
    jk_token token;    /* the current one */
    uint32_t last_end; /* where the one before it ended */
    jk_frame *frames;
    jk_operand *operands;
    size_t nframes, cap_frames, noperands, cap_operands;
    jk_frame first_frames[JK_STACK_FIRST];
    jk_operand first_operands[JK_STACK_FIRST];
} jk_parser;

JK_FUNC void jk_next(jk_parser *p)
{
    p->last_end = p->token.pos + p->token.len;
    p->token = jk_lex(&p->lexer);
}

/* ---- errors ---- */
#define JK_PARSE_FAIL(p, status, pos, len, ...) \
    (jk_fail_at((p)->lexer.error, status, (p)->ast->source, pos, len, __VA_ARGS__))

JK_COLD jk_expect jk_parse_nomem(jk_parser *p)
{
    jk_fail_nomem(p->lexer.error);
    return JK_EXPECT_FAILED;
}

/* A piece of the source for a message: as it is where it is short and plain, else "...". */
#define JK_SHOWN 40
JK_COLD const char *jk_shown(const jk_parser *p, uint32_t pos, uint32_t end, char *buf)
{
    uint32_t i, n = end - pos;
    const char *s = p->ast->source + pos;
    for (i = 0; i < n && i < JK_SHOWN; i++)
        if ((unsigned char)s[i] < 32 || s[i] == '#' || (s[i] == '/' && s[i + 1] == '/'))
            break;
    if (i < n || n >= JK_SHOWN)
        return "...";
    memcpy(buf, s, n);
    buf[n] = 0;
    return buf;
}

JK_COLD const char *jk_shown_token(const jk_parser *p, char *buf)
{
    const jk_token *t = &p->token;
    char text[JK_SHOWN];
    if (t->kind == JK_TOK_END)
        return "the end of the text";
    snprintf(buf, JK_SHOWN + 8, "'%s'", jk_shown(p, t->pos, t->pos + t->len, text));
    return buf;
}

/* "expected this, found that", at the current token. */
JK_COLD jk_expect jk_expected(jk_parser *p, const char *what)
{
    char buf[JK_SHOWN + 8];
    bool end = p->token.kind == JK_TOK_END; /* then the place is behind the last token, not behind what space follows */
    if (p->token.kind != JK_TOK_ERROR)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, end ? p->last_end : p->token.pos, p->token.len, "expected %s, found %s", what,
                      jk_shown_token(p, buf));
    return JK_EXPECT_FAILED;
}

typedef struct jk_reserved {
    char name[8];
    char hint[20];
} jk_reserved;
static const jk_reserved jk_reserved_words[] = {
    {"return", ""}, {"if", "c ? a : b"}, {"else", "c ? a : b"}, {"while", ""},  {"for", ""},
    {"let", ""},    {"in", ""},          {"with", ""},          {"static", ""}, {"true", "1"},
    {"false", "0"}, {"and", "&&"},       {"or", "||"},          {"not", "!"}};

JK_FUNC const jk_reserved *jk_reserved_find(const char *s, size_t n)
{
    size_t i;
    if (n < 2 || n > 6 || !jk_find_char("riewflstaon", *s))
        return NULL;
    for (i = 0; i < sizeof jk_reserved_words / sizeof *jk_reserved_words; i++)
        if (memcmp(jk_reserved_words[i].name, s, n) == 0 && !jk_reserved_words[i].name[n])
            return &jk_reserved_words[i];
    return NULL;
}

/* Whether the current name is reserved; then the error is set. */
JK_FUNC bool jk_is_reserved(jk_parser *p)
{
    const jk_reserved *w = jk_reserved_find(p->ast->source + p->token.pos, p->token.len);
    if (w && *w->hint)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, p->token.pos, p->token.len, "'%s' is a reserved word: write '%s'", w->name,
                      w->hint);
    else if (w)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, p->token.pos, p->token.len, "'%s' is a reserved word: choose another name",
                      w->name);
    return w != NULL;
}

/* ---- nodes ---- */

/* Appends a node over the last nkids operands, which it replaces. */
JK_FUNC bool jk_node_push(jk_parser *p, const jk_node *form, uint32_t pos, uint32_t end)
{
    jitk_ast *a = p->ast;
    jk_arena *arena = &a->arena;
    jk_operand *o;
    jk_node *n;
    uint32_t i;
    if (a->nnodes == a->cap_nodes) {
        jk_node *nodes = (jk_node *)jk_grow(arena, a->nodes, a->nnodes, &a->cap_nodes, sizeof *nodes);
        a->nodes = nodes ? nodes : a->nodes;
    }
    if (a->nkids + form->nkids > a->cap_kids && !arena->failed) { /* one call makes room for any number */
        size_t cap = 2 * a->cap_kids + form->nkids;
        uint32_t *kids = (uint32_t *)jk_arena_alloc(arena, cap * sizeof *kids);
        if (kids) {
            memcpy(kids, a->kids, a->nkids * sizeof *kids);
            a->kids = kids;
            a->cap_kids = cap;
        }
    }
    if (p->noperands == p->cap_operands) {
        o = (jk_operand *)jk_grow(arena, p->operands, p->noperands, &p->cap_operands, sizeof *o);
        p->operands = o ? o : p->operands;
    }
    if (arena->failed) {
        jk_parse_nomem(p);
        return false;
    }
    n = &a->nodes[a->nnodes];
    *n = *form;
    n->flags = 0;
    n->kid = (uint32_t)a->nkids;
    n->pos = pos;
    n->len = end - pos;
    p->noperands -= form->nkids;
    o = p->operands + p->noperands++;
    for (i = 0; i < form->nkids; i++)
        a->kids[a->nkids++] = o[i].node;
    o->node = (uint32_t)a->nnodes++;
    o->pos = pos;
    o->end = end;
    return true;
}

JK_FUNC jk_node jk_node_form(jk_ast_kind kind, unsigned op, uint32_t nkids, uint32_t at, uint32_t at_len)
{
    jk_node n;
    memset(&n, 0, sizeof n);
    n.kind = (uint8_t)kind;
    n.op = (uint8_t)op;
    n.nkids = nkids;
    n.at = at;
    n.at_len = at_len;
    return n;
}

/* The current number or name as a leaf. */
JK_FUNC jk_expect jk_leaf_push(jk_parser *p, jk_ast_kind kind, jk_token t)
{
    jk_node n = jk_node_form(kind, JK_OP_NONE, 0, t.pos, t.len);
    n.text = p->ast->source + t.pos;
    n.text_len = t.len;
    return jk_node_push(p, &n, t.pos, t.pos + t.len) ? JK_EXPECT_OPERATOR : JK_EXPECT_FAILED;
}

JK_FUNC bool jk_frame_push(jk_parser *p, jk_frame_kind kind, unsigned op, unsigned prec, jk_token at)
{
    jk_frame *f;
    if (p->nframes == p->cap_frames) {
        f = (jk_frame *)jk_grow(&p->ast->arena, p->frames, p->nframes, &p->cap_frames, sizeof *f);
        if (!f) {
            jk_parse_nomem(p);
            return false;
        }
        p->frames = f;
    }
    f = &p->frames[p->nframes++];
    f->kind = (uint8_t)kind;
    f->op = (uint8_t)op;
    f->prec = (uint8_t)prec;
    f->at = f->open = at.pos;
    f->at_len = at.len;
    f->base = (uint32_t)p->noperands;
    return true;
}

/* Applies the frames that bind tighter than `prec`. Stops at a barrier. */
JK_FUNC bool jk_reduce(jk_parser *p, unsigned prec)
{
    while (p->frames[p->nframes - 1].prec > prec) {
        const jk_frame *f = &p->frames[--p->nframes];
        uint32_t nkids = f->kind == JK_FRAME_PREFIX ? 1 : f->kind == JK_FRAME_BINARY ? 2 : 3;
        jk_ast_kind kind = f->kind == JK_FRAME_PREFIX   ? JK_AST_UNARY
                           : f->kind == JK_FRAME_BINARY ? JK_AST_BINARY
                                                        : JK_AST_COND;
        jk_node n = jk_node_form(kind, f->op, nkids, f->at, f->at_len);
        uint32_t pos = nkids == 1 ? f->at : p->operands[p->noperands - nkids].pos;
        if (!jk_node_push(p, &n, pos, p->operands[p->noperands - 1].end))
            return false;
    }
    return true;
}

/* ---- definitions begin ---- */

/* Whether `name(...)` or `(...)` at the current token is followed by = { or ->. Parameter lists hold no parentheses, so
 * this looks no further than the first pair. */
JK_FUNC bool jk_at_definition(const jk_parser *p)
{
    jk_lexer l = p->lexer;
    jk_token t = p->token;
    if (t.kind == JK_TOK_NAME)
        t = jk_lex(&l);
    if (t.kind != JK_TOK_LPAREN)
        return false;
    do
        t = jk_lex(&l);
    while (t.kind > JK_TOK_ERROR && t.kind != JK_TOK_LPAREN && t.kind != JK_TOK_RPAREN && t.kind != JK_TOK_SEMICOLON &&
           t.kind != JK_TOK_EQUALS && t.kind != JK_TOK_LBRACE);
    if (t.kind != JK_TOK_RPAREN)
        return false;
    t = jk_lex(&l);
    return t.kind == JK_TOK_EQUALS || t.kind == JK_TOK_LBRACE || t.kind == JK_TOK_ARROW;
}

/* ---- expressions ---- */

/* The current token cannot begin an operand. */
JK_COLD jk_expect jk_fail_operand(jk_parser *p)
{
    const jk_frame *f = &p->frames[p->nframes - 1];
    const jk_token *t = &p->token;
    char at[JK_SHOWN], found[JK_SHOWN + 8];
    if (t->kind == JK_TOK_ERROR)
        return JK_EXPECT_FAILED;
    jk_shown_token(p, found);
    if (f->kind == JK_FRAME_BOTTOM)
        return jk_expected(p, "an expression");
    if (t->kind == JK_TOK_END && (f->kind == JK_FRAME_PAREN || f->kind == JK_FRAME_CALL))
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, f->open, 1, "this '(' is never closed: expected an expression and ')'");
    else if (f->kind == JK_FRAME_PAREN && t->kind == JK_TOK_RPAREN)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, f->open, t->pos + 1 - f->open, "expected an expression between '(' and ')'");
    else if (f->kind == JK_FRAME_PAREN || f->kind == JK_FRAME_CALL)
        return jk_expected(p, "an expression");
    else if (t->kind == JK_TOK_END)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, f->at, f->at_len, "expected an operand after '%s', found the end of the text",
                      jk_shown(p, f->at, f->at + f->at_len, at));
    else
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, t->pos, t->len, "expected an operand after '%s', found %s",
                      jk_shown(p, f->at, f->at + f->at_len, at), found);
    return JK_EXPECT_FAILED;
}

/* A call's closing parenthesis is the current token. */
JK_FUNC jk_expect jk_call_close(jk_parser *p)
{
    const jk_frame *f = &p->frames[--p->nframes];
    jk_node n = jk_node_form(JK_AST_CALL, JK_OP_NONE, (uint32_t)p->noperands - f->base, f->at, f->at_len);
    n.text = p->ast->source + f->at;
    n.text_len = f->at_len;
    if (!jk_node_push(p, &n, f->at, p->token.pos + 1))
        return JK_EXPECT_FAILED;
    jk_next(p);
    return JK_EXPECT_OPERATOR;
}

/* name [ in an expression. */
JK_COLD jk_expect jk_fail_bracket(jk_parser *p, jk_token name)
{
    uint32_t open = p->token.pos;
    jk_next(p);
    if (p->token.kind == JK_TOK_RBRACKET)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, open, p->token.pos + 1 - open,
                      "'[]' declares a parameter, in the list before '=': here the name stands alone");
    else if (p->token.kind != JK_TOK_ERROR)
        JK_PARSE_FAIL(p, JITK_ERR_UNSUPPORTED, name.pos, open + 1 - name.pos,
                      "shifted reads like x[-1] are not supported yet");
    return JK_EXPECT_FAILED;
}

JK_FUNC jk_expect jk_parse_name(jk_parser *p)
{
    jk_token name = p->token;
    if (jk_is_reserved(p))
        return JK_EXPECT_FAILED;
    jk_next(p);
    if (p->token.kind == JK_TOK_LBRACKET)
        return jk_fail_bracket(p, name);
    if (p->token.kind != JK_TOK_LPAREN)
        return jk_leaf_push(p, JK_AST_NAME, name);
    if (!jk_frame_push(p, JK_FRAME_CALL, JK_OP_NONE, 0, name))
        return JK_EXPECT_FAILED;
    p->frames[p->nframes - 1].open = p->token.pos;
    jk_next(p);
    return p->token.kind == JK_TOK_RPAREN ? jk_call_close(p) : JK_EXPECT_OPERAND;
}

JK_FUNC jk_expect jk_parse_prefix(jk_parser *p)
{
    const jk_frame *above = &p->frames[p->nframes - 1];
    unsigned op = p->token.op, prec;
    op = op == JK_OP_SUB ? (unsigned)JK_OP_NEG : op == JK_OP_ADD ? (unsigned)JK_OP_PLUS : op;
    if (op != JK_OP_NEG && op != JK_OP_PLUS && op != JK_OP_NOT && op != JK_OP_SQRT)
        return jk_fail_operand(p);
    /* A sign under a root binds as tightly as the root: in √-x^2 the power is outside. */
    prec = above->kind == JK_FRAME_PREFIX && above->prec == JK_PREC_SQRT ? JK_PREC_SQRT : jk_signs[op].prec;
    if (!jk_frame_push(p, JK_FRAME_PREFIX, op, prec, p->token))
        return JK_EXPECT_FAILED;
    jk_next(p);
    return JK_EXPECT_OPERAND;
}

JK_FUNC jk_expect jk_parse_operand(jk_parser *p)
{
    jk_token t = p->token;
    switch (t.kind) {
    case JK_TOK_NUMBER:
        jk_next(p);
        return jk_leaf_push(p, JK_AST_NUMBER, t);
    case JK_TOK_NAME:
        return jk_parse_name(p);
    case JK_TOK_SIGN:
        return jk_parse_prefix(p);
    case JK_TOK_LPAREN:
        jk_next(p);
        return jk_frame_push(p, JK_FRAME_PAREN, JK_OP_NONE, 0, t) ? JK_EXPECT_OPERAND : JK_EXPECT_FAILED;
    default:
        return jk_fail_operand(p);
    }
}

/* a < b < c, with the second sign current. */
JK_COLD jk_expect jk_fail_chain(jk_parser *p)
{
    const jk_operand *o = &p->operands[p->noperands - 2];
    const jk_frame *f = &p->frames[p->nframes - 1];
    char a[JK_SHOWN], b[JK_SHOWN], c[JK_SHOWN];
    jk_token sign = p->token;
    jk_next(p);
    if (p->token.kind == JK_TOK_ERROR)
        return JK_EXPECT_FAILED;
    JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, sign.pos, sign.len, "comparisons do not chain: write '%s %s %s && %s %s %s'",
                  jk_shown(p, o[0].pos, o[0].end, a), jk_signs[f->op].text, jk_shown(p, o[1].pos, o[1].end, b),
                  jk_shown(p, o[1].pos, o[1].end, b), jk_signs[sign.op].text,
                  p->token.kind <= JK_TOK_NAME ? jk_shown(p, p->token.pos, p->token.pos + p->token.len, c) : "...");
    return JK_EXPECT_FAILED;
}

JK_FUNC jk_expect jk_parse_binary(jk_parser *p)
{
    unsigned op = p->token.op, prec = jk_signs[op].prec;
    bool keeps_equal = op == JK_OP_POW || prec == JK_PREC_COMPARE;
    if (!jk_reduce(p, keeps_equal ? prec : prec - 1))
        return JK_EXPECT_FAILED;
    if (prec == JK_PREC_COMPARE && p->frames[p->nframes - 1].prec == prec)
        return jk_fail_chain(p);
    if (!jk_frame_push(p, JK_FRAME_BINARY, op, prec, p->token))
        return JK_EXPECT_FAILED;
    jk_next(p);
    return JK_EXPECT_OPERAND;
}

/* An operand begins where an operator was due. */
JK_COLD jk_expect jk_fail_juxtaposed(jk_parser *p)
{
    const jk_operand *o = &p->operands[p->noperands - 1];
    char left[JK_SHOWN], right[JK_SHOWN];
    uint32_t pos = p->token.pos, len = p->token.len;
    bool paren = p->token.kind == JK_TOK_LPAREN;
    if (p->token.kind == JK_TOK_NAME && jk_is_reserved(p))
        return JK_EXPECT_FAILED;
    if (paren && p->nframes == 1 && jk_at_definition(p)) {
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, pos, len,
                      "an anonymous kernel that follows another definition needs ';' before it");
        return JK_EXPECT_FAILED;
    }
    if (p->token.kind == JK_TOK_SIGN) { /* a root takes its operand along */
        jk_next(p);
        if (p->token.kind == JK_TOK_ERROR)
            return JK_EXPECT_FAILED;
        paren = p->token.kind == JK_TOK_LPAREN;
    }
    JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, pos, len, "expected an operator: a product is written '%s*%s%s'",
                  jk_shown(p, o->pos, o->end, left), jk_shown(p, pos, p->token.pos + p->token.len, right),
                  paren ? "...)" : "");
    return JK_EXPECT_FAILED;
}

/* The current token cannot follow an operand; the innermost barrier is on top. */
JK_COLD jk_expect jk_fail_operator(jk_parser *p)
{
    const jk_frame *f = &p->frames[p->nframes - 1];
    const jk_token *t = &p->token;
    bool fold = f->kind == JK_FRAME_CALL && f->at_len == 4 && memcmp(p->ast->source + f->at, "fold", 4) == 0;
    if (t->kind == JK_TOK_EQUALS && fold)
        JK_PARSE_FAIL(p, JITK_ERR_UNSUPPORTED, f->at, 4, "fold(t = start, E) is not supported yet");
    else if (t->kind == JK_TOK_EQUALS)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, t->pos, 1,
                      "unexpected '=': equality is written '==', a definition 'name(x[]) = ...'");
    else if (t->kind == JK_TOK_SIGN)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, t->pos, 1,
                      "'!' stands before its operand: a factorial is written 'tgamma(x + 1)'");
    else if (t->kind == JK_TOK_COLON)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, t->pos, 1, "':' without its '?': a choice is written 'c ? a : b'");
    else if (f->kind == JK_FRAME_THEN)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, f->open, 1, "this '?' has no ':': a choice is written 'c ? a : b'");
    else if (t->kind == JK_TOK_RPAREN)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, t->pos, 1, "')' without its '('");
    else if (t->kind == JK_TOK_COMMA)
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, t->pos, 1,
                      "unexpected ',': expected ')' (only calls have several arguments)");
    else if (f->kind != JK_FRAME_BOTTOM &&
             (t->kind == JK_TOK_END || t->kind == JK_TOK_SEMICOLON || t->kind == JK_TOK_NAME))
        JK_PARSE_FAIL(p, JITK_ERR_SYNTAX, f->open, 1, "this '(' is never closed: expected ')'");
    else
        return jk_expected(p, "an operator");
    return JK_EXPECT_FAILED;
}

/* ) , : and what may end an expression: everything up to the innermost barrier is complete. */
JK_FUNC jk_expect jk_parse_delimiter(jk_parser *p)
{
    jk_frame *f;
    unsigned kind = p->token.kind;
    if (!jk_reduce(p, 0))
        return JK_EXPECT_FAILED;
    f = &p->frames[p->nframes - 1];
    if (kind == JK_TOK_COLON && f->kind == JK_FRAME_THEN) {
        f->kind = JK_FRAME_ELSE;
        f->prec = JK_PREC_COND;
        jk_next(p);
        return JK_EXPECT_OPERAND;
    }
    if (kind == JK_TOK_RPAREN && f->kind == JK_FRAME_CALL)
        return jk_call_close(p);
    if (kind == JK_TOK_RPAREN && f->kind == JK_FRAME_PAREN) {
        jk_operand *o = &p->operands[p->noperands - 1];
        o->pos = f->open;
        o->end = p->token.pos + 1;
        p->nframes--;
        jk_next(p);
        return JK_EXPECT_OPERATOR;
    }
    if (kind == JK_TOK_COMMA && f->kind == JK_FRAME_CALL) {
        jk_next(p);
        return JK_EXPECT_OPERAND;
    }
    if (f->kind == JK_FRAME_BOTTOM && (kind == JK_TOK_END || kind == JK_TOK_SEMICOLON || kind == JK_TOK_COMMA))
        return JK_EXPECT_NOTHING;
    return jk_fail_operator(p);
}

JK_FUNC jk_expect jk_parse_operator(jk_parser *p)
{
    jk_token t = p->token;
    switch (t.kind) {
    case JK_TOK_SIGN:
        if (t.op == JK_OP_SQRT)
            return jk_fail_juxtaposed(p);
        return t.op == JK_OP_NOT ? jk_fail_operator(p) : jk_parse_binary(p);
    case JK_TOK_QUESTION:
        if (!jk_reduce(p, JK_PREC_COND) || !jk_frame_push(p, JK_FRAME_THEN, JK_OP_NONE, 0, t))
            return JK_EXPECT_FAILED;
        jk_next(p);
        return JK_EXPECT_OPERAND;
    case JK_TOK_NAME:
        if (jk_at_definition(p))
            return jk_reduce(p, 0) && p->nframes == 1 ? JK_EXPECT_NOTHING : jk_fail_operator(p);
        return jk_fail_juxtaposed(p);
    case JK_TOK_NUMBER:
    case JK_TOK_LPAREN:
        return jk_fail_juxtaposed(p);
    case JK_TOK_ERROR:
        return JK_EXPECT_FAILED;
    default:
        return jk_parse_delimiter(p);
    }
}

/* One expression; its node goes to *root. Ends before ; , the end, or the next definition. */
JK_FUNC bool jk_parse_expression(jk_parser *p, uint32_t *root)
{
    jk_expect state = JK_EXPECT_OPERAND;
    p->nframes = p->noperands = 0;
    if (!jk_frame_push(p, JK_FRAME_BOTTOM, JK_OP_NONE, 0, p->token))
        return false;
    while (state <= JK_EXPECT_OPERATOR)
        state = state == JK_EXPECT_OPERAND ? jk_parse_operand(p) : jk_parse_operator(p);
    if (state == JK_EXPECT_FAILED)
        return false;
    *root = p->operands[0].node;
    return true;
}

JK_SMALL_CLOSE
