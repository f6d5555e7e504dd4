/* syntax: expressions, by operator precedence on two explicit stacks (frames that wait for an operand, and finished
 * operands), so that nothing recurses and nodes come out in post-order by themselves. Each token is looked at once, but
 * for one bounded look ahead where a definition may begin.
 *
 * A frame is a node to be: closing it makes a node of the operands above its base. With a precedence it is a prefix, a
 * binary operator or the last part of c ? a : b; with precedence 0 it is a barrier that only its own closing token
 * removes: a call, an open parenthesis, a ? that waits for its colon, the bottom (the last three have no node). */
#include "ast.h"

JK_SMALL_OPEN

#define JK_STACK_FIRST 32 /* frames and operands that fit the C stack; more go to the arena */

/* Frames are of the kinds of nodes and of these. */
enum { JK_FRAME_BOTTOM = JK_AST_CALL + 1, JK_FRAME_PAREN, JK_FRAME_THEN };

typedef struct jk_frame {
    uint8_t kind, op, prec;
    uint32_t open; /* a barrier's own sign */
    uint32_t base; /* operands below its own */
    jk_span at;    /* the operator, the called name */
} jk_frame;

typedef struct jk_operand {
    uint32_t node;
    jk_span at; /* includes parentheses around it */
} jk_operand;

typedef enum jk_expect { JK_EXPECT_OPERAND, JK_EXPECT_OPERATOR, JK_EXPECT_NOTHING } jk_expect;

typedef struct jk_def_lists { /* of the definition at hand */
    JK_LIST(jk_result, results);
    JK_LIST(jk_param, params);
    bool is_bare;
} jk_def_lists;

typedef struct jk_parser {
    jk_lexer l;
    jitk_ast *ast;
    JK_LIST(jk_frame, frames);
    JK_LIST(jk_operand, operands);
    jk_def_lists now;
    uint32_t *buckets;            /* of a hash table: the newest parameter of all definitions, counted from 1 */
    uint32_t bucket_mask, nolder; /* parameters of the definitions before */
    jk_frame first_frames[JK_STACK_FIRST];
    jk_operand first_operands[JK_STACK_FIRST];
} jk_parser;

/* One more item of a list. Where there is no memory for it, all ends as after an error. */
JK_NOINLINE void *jk_more(jk_parser *p, void *list, size_t item_bytes)
{
    void *item = p->ast->arena.failed ? NULL : jk_push(&p->ast->arena, list, item_bytes);
    if (!item)
        p->l.kind = JK_TOK_ERROR;
    return item;
}

JK_COLD jk_expect jk_fail_with(jk_parser *p, jk_refusal number)
{
    jk_lex_refuse(&p->l, number);
    return JK_EXPECT_NOTHING;
}

static const jk_answer jk_reserved_words[] = {
    {"return", ""}, {"if", "c ? a : b"}, {"else", "c ? a : b"}, {"while", ""},  {"for", ""},
    {"let", ""},    {"in", ""},          {"with", ""},          {"static", ""}, {"true", "1"},
    {"false", "0"}, {"and", "&&"},       {"or", "||"},          {"not", "!"},   {"", ""}};

/* Whether the current name is reserved; then the error is set. */
JK_NOINLINE bool jk_is_reserved(jk_lexer *l)
{
    jk_span at = l->piece[0];
    const char *hint = jk_answer_to(jk_reserved_words, l->source + at.pos, at.end - at.pos, false);
    l->word = hint;
    if (hint)
        jk_lex_refuse(l, *hint ? JK_NO_RESERVED_HINT : JK_NO_RESERVED);
    return hint != NULL;
}

/* ---- frames ---- */
JK_FUNC void jk_bare_name(jk_parser *p, jk_span at);

/* Puts a frame for the current token on top and moves on. */
JK_NOINLINE jk_expect jk_open(jk_parser *p, unsigned kind, unsigned op, unsigned prec)
{
    jk_frame *f = (jk_frame *)jk_more(p, &p->frames, sizeof *f);
    if (!f)
        return JK_EXPECT_NOTHING;
    f->kind = (uint8_t)kind;
    f->op = (uint8_t)op;
    f->prec = (uint8_t)prec;
    f->at = p->l.piece[0];
    f->open = f->at.pos;
    f->base = (uint32_t)p->noperands - (kind == JK_AST_BINARY || kind == JK_FRAME_THEN);
    jk_next(&p->l);
    return JK_EXPECT_OPERAND;
}

/* Makes a node of the top frame and the operands above its base. It ends where the last token did. */
JK_NOINLINE jk_expect jk_close(jk_parser *p)
{
    jitk_ast *a = p->ast;
    const jk_frame *f = &p->frames[p->nframes - 1];
    jk_operand *o;
    jk_node *n;
    uint32_t number = (uint32_t)a->nnodes, i;
    if (p->l.kind == JK_TOK_ERROR)
        return JK_EXPECT_NOTHING;
    /* No node is the kid of two: where there is room for the nodes there is room for the kids. */
    a->kids = (uint32_t *)jk_grow(&a->arena, a->kids, number, &a->cap_kids, sizeof *a->kids);
    n = (jk_node *)jk_more(p, &a->nodes, sizeof *n);
    if (!n)
        return JK_EXPECT_NOTHING;
    n->kind = f->kind;
    n->op = f->op;
    n->flags = 0;
    n->at = n->pos = f->at.pos;
    n->at_len = n->text_len = f->at.end - f->at.pos;
    n->text = p->l.source + n->at;
    o = p->operands + f->base;
    n->nkids = (uint32_t)p->noperands - f->base;
    n->kid = (uint32_t)a->nkids;
    if (n->nkids) /* the first may begin before the operator */
        n->pos = JK_SMALLER(n->pos, o->at.pos);
    for (i = 0; i < n->nkids; i++)
        a->kids[a->nkids++] = o[i].node;
    n->len = p->l.last_end - n->pos;
    if (p->now.is_bare && n->kind == JK_AST_NAME)
        jk_bare_name(p, f->at);
    p->nframes--;
    p->noperands = f->base;
    o = (jk_operand *)jk_more(p, &p->operands, sizeof *o);
    if (!o)
        return JK_EXPECT_NOTHING;
    o->node = number;
    o->at.pos = n->pos;
    o->at.end = p->l.last_end;
    return JK_EXPECT_OPERATOR;
}

/* Closes the frames that bind tighter than `prec`; returns what is on top then. */
JK_NOINLINE jk_frame *jk_reduce(jk_parser *p, unsigned prec)
{
    while (p->frames[p->nframes - 1].prec > prec && p->l.kind != JK_TOK_ERROR)
        jk_close(p);
    return &p->frames[p->nframes - 1];
}

/* ---- refusals ---- */
static const struct jk_misfit {
    uint8_t state, from, to; /* what is expected; the current token is one of these */
    uint16_t frames;         /* bits: the top frame is one of these */
    uint8_t refusal;
} jk_misfits[] = {
#define JK_ANY 0, 255
#define JK_IS(token) JK_TOK_##token, JK_TOK_##token
#define JK_ON(kind) 1 << (kind)
    {JK_EXPECT_OPERAND, JK_ANY, JK_ON(JK_FRAME_BOTTOM), JK_NO_EXPRESSION},
    {JK_EXPECT_OPERAND, JK_IS(END), JK_ON(JK_FRAME_PAREN) | JK_ON(JK_AST_CALL), JK_NO_NEVER_CLOSED_EMPTY},
    {JK_EXPECT_OPERAND, JK_IS(RPAREN), JK_ON(JK_FRAME_PAREN), JK_NO_BETWEEN},
    {JK_EXPECT_OPERAND, JK_ANY, JK_ON(JK_FRAME_PAREN) | JK_ON(JK_AST_CALL), JK_NO_EXPRESSION},
    {JK_EXPECT_OPERAND, JK_IS(END), 0xffff, JK_NO_OPERAND_END},
    {JK_EXPECT_OPERAND, JK_ANY, 0xffff, JK_NO_OPERAND},
    {JK_EXPECT_OPERATOR, JK_IS(EQUALS), 0xffff, JK_NO_EQUALS},
    {JK_EXPECT_OPERATOR, JK_OP_NOT, JK_OP_NOT, 0xffff, JK_NO_FACTORIAL},
    {JK_EXPECT_OPERATOR, JK_IS(COLON), 0xffff, JK_NO_COLON},
    {JK_EXPECT_OPERATOR, JK_ANY, JK_ON(JK_FRAME_THEN), JK_NO_QUESTION},
    {JK_EXPECT_OPERATOR, JK_IS(RPAREN), 0xffff, JK_NO_PAREN},
    {JK_EXPECT_OPERATOR, JK_IS(COMMA), 0xffff, JK_NO_COMMA},
    {JK_EXPECT_OPERATOR, JK_ANY, JK_ON(JK_FRAME_BOTTOM), JK_NO_OPERATOR},
    {JK_EXPECT_OPERATOR, JK_IS(NAME), 0xffff, JK_NO_NEVER_CLOSED},
    {JK_EXPECT_OPERATOR, JK_IS(END), 0xffff, JK_NO_NEVER_CLOSED},
    {JK_EXPECT_OPERATOR, JK_IS(SEMICOLON), 0xffff, JK_NO_NEVER_CLOSED},
    {JK_EXPECT_OPERATOR, JK_ANY, 0xffff, JK_NO_OPERATOR}};
#undef JK_ANY
#undef JK_IS
#undef JK_ON

/* The current token is not what is expected: the first rule that holds says what to write. */
JK_COLD jk_expect jk_fail_token(jk_parser *p, jk_expect state)
{
    const jk_frame *f = &p->frames[p->nframes - 1];
    const struct jk_misfit *r = jk_misfits;
    jk_span *piece = p->l.piece;
    unsigned kind = p->l.kind;
    piece[1] = f->at;
    piece[2].pos = piece[3].pos = f->open;
    piece[2].end = f->open + 1;
    piece[3].end = piece[0].end;
    if (state == JK_EXPECT_OPERATOR && kind == JK_TOK_EQUALS && f->kind == JK_AST_CALL && f->at.end - f->at.pos == 4 &&
        memcmp(p->l.source + f->at.pos, "fold", 4) == 0)
        return jk_fail_with(p, JK_NO_FOLD);
    while (r->state != state || kind < r->from || kind > r->to || !(r->frames >> f->kind & 1))
        r++;
    return jk_fail_with(p, (jk_refusal)r->refusal);
}

/* ---- definitions begin ---- */

/* Whether `name(...)` or `(...)` at the current token is followed by = { or ->. Parameter lists hold no parentheses, so
 * this looks no further than the first pair. */
JK_NOINLINE bool jk_at_definition(const jk_parser *p)
{
    jk_lexer l = p->l;
    if (l.kind == JK_TOK_NAME)
        jk_next(&l);
    if (l.kind != JK_TOK_LPAREN)
        return false;
    do
        jk_next(&l);
    while (l.kind != JK_TOK_ERROR && (l.kind < JK_TOK_END || l.kind > JK_TOK_LBRACE));
    if (l.kind != JK_TOK_RPAREN)
        return false;
    jk_next(&l);
    return l.kind >= JK_TOK_EQUALS;
}

/* ---- expressions ---- */

/* A call's closing parenthesis is the current token. */
JK_FUNC jk_expect jk_call_close(jk_parser *p)
{
    jk_next(&p->l);
    return jk_close(p);
}

/* name [ in an expression. */
JK_COLD jk_expect jk_fail_bracket(jk_parser *p, jk_span name)
{
    jk_span *piece = p->l.piece;
    piece[1].pos = name.pos;
    piece[1].end = piece[0].end;
    piece[2].pos = piece[0].pos;
    jk_next(&p->l);
    piece[2].end = piece[0].end;
    return jk_fail_with(p, p->l.kind == JK_TOK_RBRACKET ? JK_NO_BRACKETS : JK_NO_SHIFT);
}

JK_FUNC jk_expect jk_parse_name(jk_parser *p)
{
    jk_frame *f;
    if (jk_is_reserved(&p->l))
        return JK_EXPECT_NOTHING;
    jk_open(p, JK_AST_NAME, JK_OP_NONE, 0);
    f = &p->frames[p->nframes - 1];
    if (p->l.kind == JK_TOK_LBRACKET)
        return jk_fail_bracket(p, f->at);
    if (p->l.kind != JK_TOK_LPAREN)
        return jk_close(p);
    f->kind = JK_AST_CALL;
    f->open = p->l.piece[0].pos;
    jk_next(&p->l);
    return p->l.kind == JK_TOK_RPAREN ? jk_call_close(p) : JK_EXPECT_OPERAND;
}

JK_FUNC jk_expect jk_parse_operand(jk_parser *p)
{
    unsigned op = p->l.kind, prec;
    switch (op) {
    case JK_TOK_NUMBER:
        jk_open(p, JK_AST_NUMBER, JK_OP_NONE, 0);
        return jk_close(p);
    case JK_TOK_NAME:
        return jk_parse_name(p);
    case JK_TOK_LPAREN:
        return jk_open(p, JK_FRAME_PAREN, JK_OP_NONE, 0);
    case JK_OP_SUB:
    case JK_OP_ADD:
        op = op == JK_OP_SUB ? JK_OP_NEG : JK_OP_PLUS;
        break;
    case JK_OP_NOT:
    case JK_OP_SQRT:
        break;
    default:
        return jk_fail_token(p, JK_EXPECT_OPERAND);
    }
    /* A sign under a root binds as tightly as the root: in √-x^2 the power is outside. */
    prec = p->frames[p->nframes - 1].prec;
    return jk_open(p, JK_AST_UNARY, op, prec == JK_PREC_SQRT ? prec : jk_signs[op].prec);
}

/* a < b < c, with the second sign current and the first one on top. */
JK_COLD jk_expect jk_fail_chain(jk_parser *p)
{
    const jk_operand *o = &p->operands[p->noperands - 2];
    jk_span *piece = p->l.piece;
    unsigned kind;
    piece[1] = o[0].at;
    piece[2] = p->frames[p->nframes - 1].at;
    piece[3] = o[1].at;
    piece[4] = piece[0];
    jk_next(&p->l);
    kind = p->l.kind;
    return jk_fail_with(p, kind == JK_TOK_NUMBER || kind == JK_TOK_NAME || kind == JK_TOK_END ? JK_NO_CHAIN
                                                                                              : JK_NO_CHAIN_MORE);
}

/* A binary operator, or the ? of a choice. */
JK_FUNC jk_expect jk_parse_binary(jk_parser *p)
{
    unsigned op = p->l.kind, prec = jk_signs[op].prec;
    const jk_frame *above = jk_reduce(p, jk_signs[op].keep);
    if (prec == JK_PREC_COMPARE && above->prec == prec)
        return jk_fail_chain(p);
    return op == JK_OP_COND ? jk_open(p, JK_FRAME_THEN, op, 0) : jk_open(p, JK_AST_BINARY, op, prec);
}

/* An operand begins where an operator was due. */
JK_COLD jk_expect jk_fail_juxtaposed(jk_parser *p)
{
    jk_span *piece = p->l.piece;
    piece[1] = p->operands[p->noperands - 1].at;
    piece[2] = piece[3] = piece[0];
    if (p->l.kind == JK_TOK_NAME && jk_is_reserved(&p->l))
        return JK_EXPECT_NOTHING;
    if (p->l.kind == JK_TOK_LPAREN && p->nframes == 1 && jk_at_definition(p))
        return jk_fail_with(p, JK_NO_ANONYMOUS);
    if (p->l.kind == JK_OP_SQRT) { /* a root takes its operand along */
        jk_next(&p->l);
        piece[2].end = piece[0].end;
    }
    return jk_fail_with(p, p->l.kind == JK_TOK_LPAREN ? JK_NO_PRODUCT_OPEN : JK_NO_PRODUCT);
}

/* ) , : and what may end an expression: everything up to the innermost barrier is complete. */
JK_FUNC jk_expect jk_parse_delimiter(jk_parser *p)
{
    unsigned kind = p->l.kind;
    jk_frame *f = jk_reduce(p, 0);
    jk_operand *o = &p->operands[p->noperands - 1];
    if (kind == JK_TOK_COLON && f->kind == JK_FRAME_THEN) {
        f->kind = JK_AST_COND;
        f->prec = JK_PREC_COND;
        jk_next(&p->l);
        return JK_EXPECT_OPERAND;
    }
    if (kind == JK_TOK_RPAREN && f->kind == JK_AST_CALL)
        return jk_call_close(p);
    if (kind == JK_TOK_RPAREN && f->kind == JK_FRAME_PAREN) {
        p->nframes--;
        o->at.pos = f->open;
        o->at.end = p->l.piece[0].end;
        jk_next(&p->l);
        return JK_EXPECT_OPERATOR;
    }
    if (kind == JK_TOK_COMMA && f->kind == JK_AST_CALL) {
        jk_next(&p->l);
        return JK_EXPECT_OPERAND;
    }
    /* A name here begins a definition. */
    if (f->kind == JK_FRAME_BOTTOM &&
        (kind == JK_TOK_END || kind == JK_TOK_SEMICOLON || kind == JK_TOK_COMMA || kind == JK_TOK_NAME))
        return JK_EXPECT_NOTHING;
    return jk_fail_token(p, JK_EXPECT_OPERATOR);
}

JK_FUNC jk_expect jk_parse_operator(jk_parser *p)
{
    unsigned kind = p->l.kind;
    if (kind == JK_OP_COND || kind - JK_OP_OR <= (unsigned)(JK_OP_POW - JK_OP_OR))
        return jk_parse_binary(p);
    if (kind == JK_OP_SQRT || kind == JK_TOK_NUMBER || kind == JK_TOK_LPAREN ||
        (kind == JK_TOK_NAME && !jk_at_definition(p)))
        return jk_fail_juxtaposed(p);
    return jk_parse_delimiter(p);
}

/* One expression, whose node it returns. Ends before ; , the end, or the next definition; or with an error. */
JK_NOINLINE uint32_t jk_parse_expression(jk_parser *p)
{
    jk_expect state = JK_EXPECT_OPERAND;
    p->nframes = 1;
    p->noperands = 0;
    p->operands->node = 0;
    p->frames->kind = JK_FRAME_BOTTOM;
    p->frames->prec = 0;
    while (state != JK_EXPECT_NOTHING)
        state = state == JK_EXPECT_OPERAND ? jk_parse_operand(p) : jk_parse_operator(p);
    return p->operands->node;
}

JK_SMALL_CLOSE
