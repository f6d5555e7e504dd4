/* syntax: trees as text. No public function prints trees yet, so that jitk.h has not this file; the tests have. Infix,
 * with the fewest parentheses that parse back to the same tree, or S-expressions. One loop walks a tree with an
 * explicit stack. Text is gathered in a buffer that goes to a FILE when it is full, or grows. */
#include "ast.h"

typedef struct jk_text {
    FILE *file;     /* NULL: the buffer grows */
    jk_arena arena; /* what grows */
    char *bytes;
    size_t len, cap;
    bool failed;
    char first[1024];
} jk_text;

JK_FUNC void jk_text_init(jk_text *t, FILE *file)
{
    t->file = file;
    jk_arena_init(&t->arena, NULL, 0);
    t->bytes = t->first;
    t->len = 0;
    t->cap = sizeof t->first;
    t->failed = false;
}

JK_FUNC void jk_text_flush(jk_text *t)
{
    if (t->file && t->len && fwrite(t->bytes, 1, t->len, t->file) != t->len)
        t->failed = true;
    if (t->file)
        t->len = 0;
}

JK_FUNC void jk_text_put(jk_text *t, const char *s, size_t n)
{
    while (n) {
        size_t room = t->cap - t->len, part = JK_SMALLER(n, room);
        memcpy(t->bytes + t->len, s, part);
        t->len += part;
        s += part;
        n -= part;
        if (t->len == t->cap && t->file) {
            jk_text_flush(t);
        } else if (t->len == t->cap) {
            char *more = (char *)jk_grow(&t->arena, t->bytes, t->len, &t->cap, 1);
            if (!more) {
                t->failed = true;
                t->len = 0;
            } else {
                t->bytes = more;
            }
        }
    }
}

JK_FUNC void jk_text_str(jk_text *t, const char *s)
{
    jk_text_put(t, s, strlen(s));
}

/* ---- expressions ---- */
typedef struct jk_print_frame {
    uint32_t node, next;
    bool paren, tight; /* tight: a sign under a root, which binds as the root does */
} jk_print_frame;

typedef struct jk_printer {
    const jitk_ast *ast;
    jk_text *text;
    jk_print_frame *frames;
    size_t depth, cap;
    bool infix;
} jk_printer;

JK_FUNC unsigned jk_node_prec(const jk_node *n)
{
    return n->kind == JK_AST_COND                                ? JK_PREC_COND
           : n->kind == JK_AST_UNARY || n->kind == JK_AST_BINARY ? jk_signs[n->op].prec
                                                                 : JK_PREC_LEAF;
}

/* Whether kid number i of the node needs parentheses. `tight` as above. */
JK_FUNC bool jk_needs_paren(const jk_node *n, bool tight, uint32_t i, const jk_node *kid)
{
    unsigned own = tight ? JK_PREC_SQRT : jk_node_prec(n), inner = jk_node_prec(kid);
    switch (n->kind) {
    case JK_AST_UNARY:
        return inner < own && !(own == JK_PREC_SQRT && inner == JK_PREC_UNARY);
    case JK_AST_COND:
        return i == 0 && inner == JK_PREC_COND;
    case JK_AST_BINARY:
        if (n->op == JK_OP_POW)
            return i == 0 ? inner <= own : inner < JK_PREC_UNARY;
        return i == 0 && own != JK_PREC_COMPARE ? inner < own : inner <= own;
    default:
        return false;
    }
}

/* What stands before kid number i, and with i == nkids at the end. */
JK_FUNC void jk_print_infix_part(jk_printer *p, const jk_node *n, uint32_t i)
{
    bool loose = n->kind == JK_AST_BINARY && jk_signs[n->op].prec < 6;
    if (n->kind == JK_AST_NUMBER || n->kind == JK_AST_NAME || (n->kind == JK_AST_CALL && i == 0))
        jk_text_put(p->text, n->text, n->text_len);
    if (n->kind == JK_AST_CALL)
        jk_text_str(p->text, n->nkids == 0 ? "()" : i == 0 ? "(" : i == n->nkids ? ")" : ", ");
    else if (n->kind == JK_AST_COND && i > 0 && i < 3)
        jk_text_str(p->text, i == 1 ? " ? " : " : ");
    else if (n->kind == (i ? JK_AST_BINARY : JK_AST_UNARY) && i < n->nkids) {
        jk_text_str(p->text, loose ? " " : "");
        jk_text_str(p->text, jk_signs[n->op].text);
        jk_text_str(p->text, loose ? " " : "");
    }
}

JK_FUNC void jk_print_sexpr_part(jk_printer *p, const jk_node *n, uint32_t i)
{
    if (n->kind == JK_AST_NUMBER || n->kind == JK_AST_NAME) {
        jk_text_put(p->text, n->text, n->text_len);
        return;
    }
    if (i == 0) {
        jk_text_str(p->text, "(");
        if (n->kind == JK_AST_CALL)
            jk_text_put(p->text, n->text, n->text_len);
        else
            jk_text_str(p->text, jk_signs[n->op].text);
    }
    jk_text_str(p->text, i == n->nkids ? ")" : " ");
}

JK_FUNC bool jk_print_enter(jk_printer *p, uint32_t node, bool paren, bool tight)
{
    jk_print_frame *f = (jk_print_frame *)jk_grow(&p->text->arena, p->frames, p->depth, &p->cap, sizeof *f);
    if (!f) {
        p->text->failed = true;
        return false;
    }
    p->frames = f;
    f += p->depth++;
    f->node = node;
    f->next = 0;
    f->paren = paren && p->infix;
    f->tight = tight;
    if (f->paren)
        jk_text_str(p->text, "(");
    return true;
}

JK_FUNC void jk_print_expression(jk_printer *p, uint32_t root)
{
    if (!jk_print_enter(p, root, false, false))
        return;
    while (p->depth) {
        jk_print_frame *f = &p->frames[p->depth - 1];
        const jk_node *n = &p->ast->nodes[f->node];
        uint32_t i = f->next++;
        if (p->infix)
            jk_print_infix_part(p, n, i);
        else
            jk_print_sexpr_part(p, n, i);
        if (i < n->nkids) {
            uint32_t kid = p->ast->kids[n->kid + i];
            const jk_node *k = &p->ast->nodes[kid];
            bool tight =
                n->kind == JK_AST_UNARY && (f->tight || n->op == JK_OP_SQRT) && jk_node_prec(k) == JK_PREC_UNARY;
            if (!jk_print_enter(p, kid, jk_needs_paren(n, f->tight, i, k), tight))
                return;
        } else {
            if (f->paren)
                jk_text_str(p->text, ")");
            p->depth--;
        }
    }
}

/* ---- definitions ---- */
JK_FUNC void jk_print_params(jk_text *t, const jk_def *d)
{
    static const char *const brackets[] = {"[]", "[clamp]", "[wrap]", "[zero]"};
    uint32_t i;
    jk_text_put(t, d->name, d->name_len);
    jk_text_str(t, "(");
    for (i = 0; i < d->nparams; i++) {
        const jk_param *q = &d->params[i];
        jk_text_str(t, i ? ", " : "");
        jk_text_put(t, q->name, q->name_len);
        if (q->type != JK_TYPE_NONE) {
            jk_text_str(t, ": ");
            jk_text_str(t, jk_type_name((jk_type)q->type));
        }
        jk_text_str(t, q->is_array ? brackets[q->edge] : "");
    }
    jk_text_str(t, ")");
    for (i = 0; i < d->nresults && d->results[i].type != JK_TYPE_NONE; i++) {
        jk_text_str(t, i ? ", " : " -> ");
        jk_text_str(t, jk_type_name((jk_type)d->results[i].type));
    }
    jk_text_str(t, " = ");
}

/* All definitions, each on its line, the last without its end. */
JK_FUNC jitk_status jk_ast_print_text(const jitk_ast *ast, bool infix, jk_text *t)
{
    jk_printer p;
    size_t d, r;
    memset(&p, 0, sizeof p);
    p.ast = ast;
    p.text = t;
    p.infix = infix;
    for (d = 0; d < ast->ndefs; d++) {
        const jk_def *def = &ast->defs[d];
        jk_text_str(t, d ? ";\n" : "");
        if (!def->is_bare)
            jk_print_params(t, def);
        for (r = 0; r < def->nresults; r++) {
            jk_text_str(t, r ? ", " : "");
            jk_print_expression(&p, def->results[r].root);
        }
    }
    jk_text_flush(t);
    return t->failed ? JITK_ERR_NOMEM : JITK_OK;
}

JK_FUNC jitk_status jk_ast_print(const jitk_ast *ast, bool infix, FILE *out)
{
    jk_text t;
    jitk_status status;
    jk_text_init(&t, out);
    status = jk_ast_print_text(ast, infix, &t);
    jk_arena_free(&t.arena);
    return status;
}

JK_FUNC jitk_status jk_ast_print_infix(const jitk_ast *ast, FILE *out)
{
    return jk_ast_print(ast, true, out);
}

JK_FUNC jitk_status jk_ast_print_sexpr(const jitk_ast *ast, FILE *out)
{
    return jk_ast_print(ast, false, out);
}
