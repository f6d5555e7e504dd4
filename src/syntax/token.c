/* syntax: tokens. Pulled one at a time; a token is a kind and a place, its text stays in the source. What no token can
 * begin with is an error that says what to write instead. The source is terminated, so looking ahead is safe. */
#include "ast.h"

JK_SMALL_OPEN

/* What happens once, on the way out: small code, away from the rest. */
#define JK_COLD JK_NOINLINE __attribute__((cold))

typedef enum jk_token_kind {
    JK_TOK_END,
    JK_TOK_ERROR, /* the error has been set */
    JK_TOK_NUMBER,
    JK_TOK_NAME,
    JK_TOK_SIGN, /* an operator: `op`, with SUB and ADD also where they are unary */
    JK_TOK_LPAREN,
    JK_TOK_RPAREN,
    JK_TOK_LBRACKET,
    JK_TOK_RBRACKET,
    JK_TOK_LBRACE,
    JK_TOK_RBRACE,
    JK_TOK_COMMA,
    JK_TOK_SEMICOLON,
    JK_TOK_COLON,
    JK_TOK_QUESTION,
    JK_TOK_EQUALS,
    JK_TOK_ARROW
} jk_token_kind;

typedef struct jk_token {
    uint8_t kind, op;
    uint32_t pos, len;
} jk_token;

typedef struct jk_lexer {
    const char *source;
    uint32_t at, len;
    jitk_error *error;
} jk_lexer;

/* The operators: what is written, and how tightly it binds. Right associative: ?: and ^. Comparisons do not associate.
 */
#define JK_PREC_COND 1
#define JK_PREC_COMPARE 4
#define JK_PREC_UNARY 7
#define JK_PREC_POW 8
#define JK_PREC_SQRT 9
#define JK_PREC_LEAF 10
static const struct jk_sign {
    char text[4];
    uint8_t prec;
} jk_signs[] = {{"?", JK_PREC_COND},
                {"||", 2},
                {"&&", 3},
                {"<", JK_PREC_COMPARE},
                {"<=", JK_PREC_COMPARE},
                {">", JK_PREC_COMPARE},
                {">=", JK_PREC_COMPARE},
                {"==", JK_PREC_COMPARE},
                {"!=", JK_PREC_COMPARE},
                {"+", 5},
                {"-", 5},
                {"*", 6},
                {"/", 6},
                {"%", 6},
                {"-", JK_PREC_UNARY},
                {"+", JK_PREC_UNARY},
                {"!", JK_PREC_UNARY},
                {"^", JK_PREC_POW},
                {"\xE2\x88\x9A", JK_PREC_SQRT}};

/* Characters that mean something elsewhere, with what to write here. */
static const struct jk_foreign {
    const char *text, *instead;
} jk_foreign_signs[] = {{"&", "&&"},
                        {"|", "||"},
                        {"\xC3\x97", "*"},
                        {"\xC2\xB7", "*"},
                        {"\xE2\x8B\x85", "*"},
                        {"\xC3\xB7", "/"},
                        {"\xE2\x88\x92", "-"},
                        {"\xE2\x80\x93", "-"},
                        {"\xE2\x89\xA4", "<="},
                        {"\xE2\x89\xA5", ">="},
                        {"\xE2\x89\xA0", "!="},
                        {"\xC2\xB2", "^2"},
                        {"\xC2\xB3", "^3"},
                        {"\xCF\x80", "pi"},
                        {"\xE2\x88\x9E", "inf"}};

/* 1 a letter or _, 2 a digit, 4 space; for bytes below 128. */
static const uint8_t jk_classes[128] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* controls */
    4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0, /* 0 to 9 */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, /* A to Z, _ */
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0};

JK_FUNC unsigned jk_class(char c)
{
    return (unsigned char)c < 128 ? jk_classes[(unsigned char)c] : 0;
}

/* The bytes of the well-formed UTF-8 character at s (terminated); 0 if there is none. */
JK_FUNC uint32_t jk_utf8_length(const char *s)
{
    unsigned c = (unsigned char)s[0], low = 0x80, high = 0xbf;
    uint32_t i, n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    for (i = 1; i < n; i++) {
        unsigned b = (unsigned char)s[i];
        if (i == 1) { /* no overlong forms, no surrogates, nothing above U+10FFFF */
            low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
            high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
        } else {
            low = 0x80;
            high = 0xbf;
        }
        if (b < low || b > high)
            return 0;
    }
    return n;
}

JK_FUNC jk_token jk_token_make(unsigned kind, unsigned op, uint32_t pos, uint32_t len)
{
    jk_token t;
    t.kind = (uint8_t)kind;
    t.op = (uint8_t)op;
    t.pos = pos;
    t.len = len;
    return t;
}

JK_COLD jk_token jk_lex_fail_bytes(jk_lexer *l, uint32_t pos)
{
    if (l->source[pos] == 0)
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos, 1, "a NUL byte in the text");
    else
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos, 1, "byte 0x%02x is not UTF-8: save the text as UTF-8",
                   (unsigned)(unsigned char)l->source[pos]);
    return jk_token_make(JK_TOK_ERROR, 0, pos, 1);
}

JK_COLD jk_token jk_lex_fail_char(jk_lexer *l, uint32_t pos)
{
    const char *s = l->source + pos;
    uint32_t n = jk_utf8_length(s);
    size_t i;
    if (n == 0 || *s == 0)
        return jk_lex_fail_bytes(l, pos);
    for (i = 0; i < sizeof jk_foreign_signs / sizeof *jk_foreign_signs; i++)
        if (strlen(jk_foreign_signs[i].text) == n && memcmp(jk_foreign_signs[i].text, s, n) == 0)
            break;
    if (i < sizeof jk_foreign_signs / sizeof *jk_foreign_signs)
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos, n, "unknown character '%.*s': write '%s'", (int)n, s,
                   jk_foreign_signs[i].instead);
    else if (n == 1 && (unsigned char)(*s - 32) > 94)
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos, n, "unknown control character 0x%02x",
                   (unsigned)(unsigned char)*s);
    else
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos, n,
                   "unknown character '%.*s': expected a number, a name or an operator", (int)n, s);
    return jk_token_make(JK_TOK_ERROR, 0, pos, n);
}

/* A name or another number directly behind a number: a suffix, a forgotten operator, an exponent without digits. */
JK_COLD jk_token jk_lex_fail_number(jk_lexer *l, uint32_t pos, uint32_t n)
{
    const char *s = l->source + pos, *tail = s + n;
    uint32_t more = 0, shown = JK_SMALLER(n, 40);
    int low = tail[0] | 32;
    while ((jk_class(tail[more]) & 3) || tail[more] == '.')
        more++;
    if (tail[0] == '.')
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos + n, 1, "a number has one '.'");
    else if (tail[0] == '_')
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos + n, 1, "the digits of a number are written without '_'");
    else if (low == 'x' && n == 1 && *s == '0')
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos, 2, "expected hexadecimal digits after '0x'");
    else if (more == 1 && low == (n > 1 && (s[1] | 32) == 'x' ? 'p' : 'e'))
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos, n + 1,
                   "expected digits after the exponent's '%c' (a product is written '%.*s*%c')", tail[0], (int)shown, s,
                   tail[0]);
    else if (jk_find_char("fldu", (char)low) && strspn(tail, "fFlLdDuU0123456789") >= more)
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos + n, more,
                   "a number takes no suffix '%.*s': write '%.*s' (a product is written '%.*s*%.*s')",
                   (int)JK_SMALLER(more, 40), tail, (int)shown, s, (int)shown, s, (int)JK_SMALLER(more, 40), tail);
    else
        jk_fail_at(l->error, JITK_ERR_SYNTAX, l->source, pos + n, more,
                   "expected an operator: a product is written '%.*s*%.*s'", (int)shown, s, (int)JK_SMALLER(more, 40),
                   tail);
    return jk_token_make(JK_TOK_ERROR, 0, pos + n, more);
}

JK_FUNC jk_token jk_lex_number(jk_lexer *l, uint32_t pos)
{
    const char *s = l->source + pos;
    uint32_t n = 0;
    /* Most numbers are a few digits. */
    while (jk_class(s[n]) == 2)
        n++;
    if (s[n] == '.' || (jk_class(s[n]) & 1))
        n = (uint32_t)jk_number_length(s);
    if ((jk_class(s[n]) & 3) || s[n] == '.')
        return jk_lex_fail_number(l, pos, n);
    l->at = pos + n;
    return jk_token_make(JK_TOK_NUMBER, 0, pos, n);
}

JK_FUNC jk_token jk_lex_name(jk_lexer *l, uint32_t pos)
{
    const char *s = l->source + pos;
    uint32_t n = 1;
    while (jk_class(s[n]) & 3)
        n++;
    if (n > JK_NAME_MAX) {
        jk_fail_at(l->error, JITK_ERR_LIMIT, l->source, pos, n, "a name of %u bytes: at most %d are allowed",
                   (unsigned)n, JK_NAME_MAX);
        return jk_token_make(JK_TOK_ERROR, 0, pos, n);
    }
    l->at = pos + n;
    return jk_token_make(JK_TOK_NAME, 0, pos, n);
}

/* Moves over space and comments. False where a comment holds what is not UTF-8. */
JK_FUNC bool jk_lex_space(jk_lexer *l)
{
    const char *s = l->source;
    uint32_t i = l->at, n;
    for (;;) {
        while (jk_class(s[i]) & 4)
            i++;
        l->at = i;
        if (s[i] != '#' && (s[i] != '/' || s[i + 1] != '/'))
            return true;
        while (i < l->len && s[i] != '\n') {
            n = s[i] ? jk_utf8_length(s + i) : 0;
            if (!n) {
                l->at = i;
                return false;
            }
            i += n;
        }
    }
}

JK_FUNC jk_token jk_lex(jk_lexer *l)
{
    const char *s;
    uint32_t pos;
    unsigned kind = JK_TOK_SIGN, op = JK_OP_NONE, n = 1, c;
    if (!jk_lex_space(l))
        return jk_lex_fail_bytes(l, l->at);
    pos = l->at;
    s = l->source + pos;
    c = jk_class(*s);
    if (c & 1)
        return jk_lex_name(l, pos);
    if ((c & 2) || (*s == '.' && jk_class(s[1]) == 2))
        return jk_lex_number(l, pos);
    switch (*s) {
    case '(':
        kind = JK_TOK_LPAREN;
        break;
    case ')':
        kind = JK_TOK_RPAREN;
        break;
    case '[':
        kind = JK_TOK_LBRACKET;
        break;
    case ']':
        kind = JK_TOK_RBRACKET;
        break;
    case '{':
        kind = JK_TOK_LBRACE;
        break;
    case '}':
        kind = JK_TOK_RBRACE;
        break;
    case ',':
        kind = JK_TOK_COMMA;
        break;
    case ';':
        kind = JK_TOK_SEMICOLON;
        break;
    case ':':
        kind = JK_TOK_COLON;
        break;
    case '?':
        kind = JK_TOK_QUESTION;
        break;
    case '+':
        op = JK_OP_ADD;
        break;
    case '/':
        op = JK_OP_DIV;
        break;
    case '%':
        op = JK_OP_MOD;
        break;
    case '^':
        op = JK_OP_POW;
        break;
    case '-':
        op = JK_OP_SUB;
        if (s[1] == '>') {
            kind = JK_TOK_ARROW;
            n = 2;
        }
        break;
    case '*':
        n = 1 + (s[1] == '*');
        op = n == 2 ? JK_OP_POW : JK_OP_MUL;
        break;
    case '<':
        n = 1 + (s[1] == '=');
        op = n == 2 ? JK_OP_LE : JK_OP_LT;
        break;
    case '>':
        n = 1 + (s[1] == '=');
        op = n == 2 ? JK_OP_GE : JK_OP_GT;
        break;
    case '!':
        n = 1 + (s[1] == '=');
        op = n == 2 ? JK_OP_NE : JK_OP_NOT;
        break;
    case '=':
        n = 1 + (s[1] == '=');
        op = JK_OP_EQ;
        kind = n == 2 ? JK_TOK_SIGN : JK_TOK_EQUALS;
        break;
    default:
        if (pos == l->len)
            return jk_token_make(JK_TOK_END, 0, pos, 0);
        if (s[0] == s[1] && (s[0] == '&' || s[0] == '|')) {
            op = s[0] == '&' ? JK_OP_AND : JK_OP_OR;
            n = 2;
        } else if (strncmp(s, jk_signs[JK_OP_SQRT].text, 3) == 0) {
            op = JK_OP_SQRT;
            n = 3;
        } else {
            return jk_lex_fail_char(l, pos);
        }
    }
    l->at = pos + n;
    return jk_token_make(kind, op, pos, n);
}

JK_SMALL_CLOSE
