/* syntax: tokens, and what is said of a text that is refused. Tokens are pulled one at a time; a token is a kind and a
 * place, its text stays in the source. The source is terminated, so looking ahead is safe.
 *
 * A refusal is a row of one list: status, place, message. After it the current token is JK_TOK_ERROR and stays so: the
 * parser runs out without asking whether something went wrong. */
#include "ast.h"

JK_SMALL_OPEN

/* What happens once, on the way out: small code, away from the rest. */
#define JK_COLD JK_NOINLINE __attribute__((cold))

/* An operator is its own token; ADD and SUB stand also for the signs. */
typedef enum jk_token_kind {
    JK_TOK_ERROR, /* the error has been set, or memory has run out */
    JK_TOK_NUMBER = JK_OP_COND + 1,
    JK_TOK_NAME,
    JK_TOK_SPACE, /* none, but a kind of character */
    JK_TOK_COMMA,
    JK_TOK_COLON,
    JK_TOK_LBRACKET,
    JK_TOK_RBRACKET,
    JK_TOK_RBRACE,
    /* From here to the brace: no parameter list holds these. From EQUALS on: what may follow one. */
    JK_TOK_END,
    JK_TOK_LPAREN,
    JK_TOK_RPAREN,
    JK_TOK_SEMICOLON,
    JK_TOK_EQUALS,
    JK_TOK_LBRACE,
    JK_TOK_ARROW
} jk_token_kind;

/* What a token can begin with. A digit begins a number, a letter a name; both go on in either. */
/* clang-format off */
#define JK_N JK_TOK_NUMBER
#define JK_A JK_TOK_NAME
#define JK_S JK_TOK_SPACE
static const uint8_t jk_char_kinds[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, JK_S, JK_S, JK_S, JK_S, JK_S, 0, 0, /* controls */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    JK_S, JK_OP_NOT, 0, 0, 0, JK_OP_MOD, 0, 0, /* space ! " # $ % & ' */
    JK_TOK_LPAREN, JK_TOK_RPAREN, JK_OP_MUL, JK_OP_ADD, JK_TOK_COMMA, JK_OP_SUB, 0, JK_OP_DIV, /* ( ) * + , - . / */
    JK_N, JK_N, JK_N, JK_N, JK_N, JK_N, JK_N, JK_N, JK_N, JK_N, JK_TOK_COLON, JK_TOK_SEMICOLON, /* : ; */
    JK_OP_LT, JK_TOK_EQUALS, JK_OP_GT, JK_OP_COND, /* < = > ? */
    0, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, /* @ A to O */
    JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, /* P to Z */
    JK_TOK_LBRACKET, 0, JK_TOK_RBRACKET, JK_OP_POW, JK_A, /* [ \ ] ^ _ */
    0, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, /* ` a to o */
    JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, JK_A, /* p to z */
    JK_TOK_LBRACE, 0, JK_TOK_RBRACE /* { | } */};
#undef JK_N
#undef JK_A
#undef JK_S
/* clang-format on */

/* Signs of several characters. */
static const struct jk_long_sign {
    char text[4];
    uint8_t kind;
} jk_long_signs[] = {{"||", JK_OP_OR},  {"&&", JK_OP_AND},    {"<=", JK_OP_LE},
                     {">=", JK_OP_GE},  {"==", JK_OP_EQ},     {"!=", JK_OP_NE},
                     {"**", JK_OP_POW}, {"->", JK_TOK_ARROW}, {"\xE2\x88\x9A", JK_OP_SQRT}};

/* The operators: what is written, and how tightly it binds. */
#define JK_PREC_COND 1
#define JK_PREC_COMPARE 4
#define JK_PREC_UNARY 7
#define JK_PREC_POW 8
#define JK_PREC_SQRT 9
#define JK_PREC_LEAF 10
static const struct jk_sign {
    char text[4];
    uint8_t prec;
    uint8_t keep; /* a binary one is applied to what binds tighter than this on its left: its own precedence where it is
                     right associative, or none at all as comparisons, which do not chain */
} jk_signs[] = {{"", 0, 0},
                {"||", 2, 1},
                {"&&", 3, 2},
                {"<", JK_PREC_COMPARE, JK_PREC_COMPARE},
                {"<=", JK_PREC_COMPARE, JK_PREC_COMPARE},
                {">", JK_PREC_COMPARE, JK_PREC_COMPARE},
                {">=", JK_PREC_COMPARE, JK_PREC_COMPARE},
                {"==", JK_PREC_COMPARE, JK_PREC_COMPARE},
                {"!=", JK_PREC_COMPARE, JK_PREC_COMPARE},
                {"+", 5, 4},
                {"-", 5, 4},
                {"*", 6, 5},
                {"/", 6, 5},
                {"%", 6, 5},
                {"^", JK_PREC_POW, JK_PREC_POW},
                {"-", JK_PREC_UNARY, 0},
                {"+", JK_PREC_UNARY, 0},
                {"!", JK_PREC_UNARY, 0},
                {"\xE2\x88\x9A", JK_PREC_SQRT, 0},
                {"?", JK_PREC_COND, JK_PREC_COND}};

typedef struct jk_span {
    uint32_t pos, end; /* bytes of the source */
} jk_span;

typedef struct jk_lexer {
    const char *source;
    jitk_error *error;
    uint32_t len;
    uint32_t kind;     /* of the current token */
    uint32_t last_end; /* where the token before it ended */
    jk_span piece[5];  /* 0: the current token; 1 to 4: what a message shows, or its place */
    const char *word;  /* what a message shows that is not in the source */
} jk_lexer;

/* ---- words with answers ---- */
typedef struct jk_answer {
    char word[8];
    const char *text;
} jk_answer;

/* The answer to s in a list that ends with an empty word, or NULL. With `begins`, s may go on behind the word. */
JK_NOINLINE const char *jk_answer_to(const jk_answer *list, const char *s, size_t n, bool begins)
{
    uint64_t have = 0, word;
    size_t i;
    for (i = 0; i < n && i < 8; i++)
        have |= (uint64_t)(unsigned char)s[i] << 8 * i;
    for (; *list->word; list++) {
        memcpy(&word, list->word, 8);
        if (((have ^ word) << (begins ? __builtin_clzll(word) & 56 : 0)) == 0)
            return list->text;
    }
    return NULL;
}

/* Characters that mean something elsewhere, with what to write here. */
static const jk_answer jk_foreign_signs[] = {{"&", "&&"},
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
                                             {"\xE2\x88\x9E", "inf"},
                                             {"", ""}};

/* ---- refusals ---- */

/* Name, status, number of the piece that is the place, message. In a message $n is piece n of the source as it stands,
 * ~n the same where it is short and plain, else "...", $w the word; @ (at the end) is the current token. */
/* clang-format off */
#define JK_REFUSALS(X) \
    X(NUL, SYNTAX, 0, "a NUL byte in the text") \
    X(UTF8, SYNTAX, 0, "byte 0x$w is not UTF-8: save the text as UTF-8") \
    X(CONTROL, SYNTAX, 0, "unknown control character 0x$w") \
    X(FOREIGN, SYNTAX, 0, "unknown character '$0': write '$w'") \
    X(CHARACTER, SYNTAX, 0, "unknown character '$0': expected a number, a name or an operator") \
    X(NAME_LENGTH, LIMIT, 0, "a name of $w bytes: at most 63 are allowed") \
    X(POINT, SYNTAX, 0, "a number has one '.'") \
    X(UNDERSCORE, SYNTAX, 0, "the digits of a number are written without '_'") \
    X(HEX, SYNTAX, 0, "expected hexadecimal digits after '0x'") \
    X(EXPONENT, SYNTAX, 0, "expected digits after the exponent's '$2' (a product is written '$1*$2')") \
    X(SUFFIX, SYNTAX, 0, "a number takes no suffix '$2': write '$1' (a product is written '$1*$2')") \
    X(NUMBER_TAIL, SYNTAX, 0, "expected an operator: a product is written '$1*$2'") \
    X(EXPECTED, SYNTAX, 0, "expected $w, found @") \
    X(RESERVED, SYNTAX, 0, "'$0' is a reserved word: choose another name") \
    X(RESERVED_HINT, SYNTAX, 0, "'$0' is a reserved word: write '$w'") \
    X(EXPRESSION, SYNTAX, 0, "expected an expression, found @") \
    X(NEVER_CLOSED, SYNTAX, 2, "this '(' is never closed: expected ')'") \
    X(NEVER_CLOSED_EMPTY, SYNTAX, 2, "this '(' is never closed: expected an expression and ')'") \
    X(BETWEEN, SYNTAX, 3, "expected an expression between '(' and ')'") \
    X(OPERAND_END, SYNTAX, 1, "expected an operand after '~1', found @") \
    X(OPERAND, SYNTAX, 0, "expected an operand after '~1', found @") \
    X(BRACKETS, SYNTAX, 2, "'[]' declares a parameter, in the list before '=': here the name stands alone") \
    X(SHIFT, UNSUPPORTED, 1, "shifted reads like x[-1] are not supported yet") \
    X(CHAIN, SYNTAX, 4, "comparisons do not chain: write '~1 $2 ~3 && ~3 $4 ~0'") \
    X(CHAIN_MORE, SYNTAX, 4, "comparisons do not chain: write '~1 $2 ~3 && ~3 $4 ...'") \
    X(ANONYMOUS, SYNTAX, 0, "an anonymous kernel that follows another definition needs ';' before it") \
    X(PRODUCT, SYNTAX, 3, "expected an operator: a product is written '~1*~2'") \
    X(PRODUCT_OPEN, SYNTAX, 3, "expected an operator: a product is written '~1*~2...)'") \
    X(FOLD, UNSUPPORTED, 1, "fold(t = start, E) is not supported yet") \
    X(EQUALS, SYNTAX, 0, "unexpected '=': equality is written '==', a definition 'name(x[]) = ...'") \
    X(FACTORIAL, SYNTAX, 0, "'!' stands before its operand: a factorial is written 'tgamma(x + 1)'") \
    X(COLON, SYNTAX, 0, "':' without its '?': a choice is written 'c ? a : b'") \
    X(QUESTION, SYNTAX, 2, "this '?' has no ':': a choice is written 'c ? a : b'") \
    X(PAREN, SYNTAX, 0, "')' without its '('") \
    X(COMMA, SYNTAX, 0, "unexpected ',': expected ')' (only calls have several arguments)") \
    X(OPERATOR, SYNTAX, 0, "expected an operator, found @") \
    X(TYPE, NAME, 0, "unknown type '$0': expected f64, f32, i64, i32 or u8") \
    X(TYPE_HINT, NAME, 0, "unknown type '$0' (did you mean '$w'?)") \
    X(BRACKETS_TWICE, SYNTAX, 0, "the brackets of '$1' stand once") \
    X(NAMED_TWICE, NAME, 0, "parameter '$0' is named twice") \
    X(RESULT_SHAPE, SYNTAX, 0, "a result's shape follows from its expression: write the type alone") \
    X(BARE_RESULTS, SYNTAX, 0, \
      "unexpected ',': several results need a parameter list, as in '(x[], y[]) = x + y, x - y'") \
    X(RESULT_COUNT, TYPE, 1, "$w after '->'") \
    X(BODY, UNSUPPORTED, 0, "bodies '{ ...; return ...; }' are not supported yet: write '= ...'") \
    X(EMPTY, SYNTAX, 4, "the text is empty: expected an expression, as in '2*x + 1'")
/* clang-format on */

typedef enum jk_refusal {
#define JK_ROW(name, status, place, text) JK_NO_##name,
    JK_REFUSALS(JK_ROW)
#undef JK_ROW
        JK_REFUSAL_COUNT
} jk_refusal;

static const struct jk_refusal_row {
    uint8_t status, place;
    const char *text;
} jk_refusal_rows[JK_REFUSAL_COUNT] = {
#define JK_ROW(name, status, place, text) {JITK_ERR_##status, place, text},
    JK_REFUSALS(JK_ROW)
#undef JK_ROW
};

/* Whether a piece can stand in the one line of a message. */
JK_FUNC bool jk_is_plain(const char *s, size_t n)
{
    size_t i;
    for (i = 0; i < n; i++)
        if ((unsigned char)s[i] < 32 || s[i] == '#' || (s[i] == '/' && s[i + 1] == '/'))
            return false;
    return n < 40;
}

/* Sets the error, if it is the first. At the end of the text the place is behind the last token, not behind what space
 * follows. */
JK_COLD void jk_lex_refuse(jk_lexer *l, jk_refusal number)
{
    const struct jk_refusal_row *r = &jk_refusal_rows[number];
    jitk_error *e = l->error;
    jk_span at = l->piece[r->place];
    const char *text = r->text;
    char *to = e->message;
    if (e->status != JITK_OK)
        l->kind = JK_TOK_ERROR;
    if (l->kind == JK_TOK_ERROR)
        return;
    if (l->kind == JK_TOK_END && r->place == 0)
        at.pos = at.end = l->last_end;
    e->status = (jitk_status)r->status;
    jk_fail_place(e, l->source, at.pos, at.end - at.pos);
    while (*text) {
        const char *from = text++;
        size_t n = 1, room = (size_t)(e->message + sizeof e->message - 1 - to);
        if (*from == '@') {
            text = l->kind == JK_TOK_END ? "the end of the text" : "'~0'";
            continue;
        }
        if (*from == '$' && *text == 'w') {
            from = l->word;
            n = strlen(from);
            text++;
        } else if (*from == '$' || *from == '~') {
            bool any = *from == '$';
            jk_span piece = l->piece[*text++ - '0'];
            from = l->source + piece.pos;
            n = piece.end - piece.pos;
            if (!any && !jk_is_plain(from, n)) {
                from = "...";
                n = 3;
            }
        }
        n = JK_SMALLER(n, room);
        memcpy(to, from, n);
        to += n;
    }
    *to = 0;
    l->kind = JK_TOK_ERROR;
}

/* "expected this, found that", at the current token. */
JK_COLD void jk_expected(jk_lexer *l, const char *what)
{
    l->word = what;
    jk_lex_refuse(l, JK_NO_EXPECTED);
}

/* ---- tokens ---- */

/* The bytes of the well-formed UTF-8 character at s (terminated); 0 if there is none. */
JK_NOINLINE uint32_t jk_utf8_length(const char *s)
{
    static const uint8_t least[] = {7, 11, 16}; /* in as many bytes no character has fewer bits */
    uint32_t c = (unsigned char)*s, n, i;
    if (c < 0x80)
        return c != 0;
    n = (uint32_t)__builtin_clz(~(c << 24));
    if (n < 2 || n > 4)
        return 0;
    c &= 0x7fu >> n;
    for (i = 1; i < n; i++) {
        if (((unsigned char)s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)s[i] & 0x3f);
    }
    return c >> least[n - 2] && c >> 11 != 0x1b && c <= 0x10ffff ? n : 0; /* 0x1b: surrogates */
}

/* FNV-1a, with the high bits mixed into those that tables look at. */
JK_NOINLINE uint32_t jk_name_hash(const char *name, size_t n)
{
    uint32_t h = 2166136261u;
    while (n-- > 0)
        h = (h ^ (unsigned char)*name++) * 16777619u;
    return h ^ h >> 15;
}

JK_FUNC bool jk_is_word(char c)
{
    unsigned kind = jk_char_kinds[(unsigned char)c];
    return kind == JK_TOK_NUMBER || kind == JK_TOK_NAME;
}

/* The current token begins with what none can begin with. */
JK_COLD void jk_refuse_char(jk_lexer *l)
{
    const char *s = l->source + l->piece[0].pos;
    uint32_t n = jk_utf8_length(s);
    char hex[4];
    l->piece[0].end = l->piece[0].pos + JK_LARGER(n, 1);
    l->word = jk_answer_to(jk_foreign_signs, s, n, false);
    if (l->word) {
        jk_lex_refuse(l, JK_NO_FOREIGN);
        return;
    }
    snprintf(hex, sizeof hex, "%02x", (unsigned)(unsigned char)*s);
    l->word = hex;
    jk_lex_refuse(l, !*s                                       ? JK_NO_NUL
                     : n == 0                                  ? JK_NO_UTF8
                     : n == 1 && (unsigned char)(*s - 32) > 94 ? JK_NO_CONTROL
                                                               : JK_NO_CHARACTER);
}

/* A name or another number directly behind a number of n bytes: a suffix, a forgotten operator, an exponent without
 * digits. */
JK_COLD void jk_refuse_number(jk_lexer *l, uint32_t n)
{
    jk_span *at = l->piece;
    const char *s = l->source + at->pos, *tail = s + n;
    uint32_t more = 0;
    int low = tail[0] | 32;
    jk_refusal no;
    while (jk_is_word(tail[more]) || tail[more] == '.')
        more++;
    at[1].pos = at->pos;
    at[2].pos = at->pos + n;
    at[1].end = at[1].pos + JK_SMALLER(n, 40);
    at[2].end = at[2].pos + JK_SMALLER(more, 40);
    at->end = at[2].pos + 1;
    if (low == 'x' && n == 1 && *s == '0') {
        no = JK_NO_HEX;
    } else if (more == 1 && low == (n > 1 && (s[1] | 32) == 'x' ? 'p' : 'e')) {
        no = JK_NO_EXPONENT;
    } else {
        at->pos = at[2].pos;
        if (tail[0] == '.')
            no = JK_NO_POINT;
        else if (tail[0] == '_')
            no = JK_NO_UNDERSCORE;
        else {
            at->end = at->pos + more;
            no = jk_find_char("fldu", (char)low) && strspn(tail, "fFlLdDuU0123456789") >= more ? JK_NO_SUFFIX
                                                                                               : JK_NO_NUMBER_TAIL;
        }
    }
    jk_lex_refuse(l, no);
}

/* The bytes of a number or name. */
JK_FUNC uint32_t jk_lex_word(jk_lexer *l, const char *s)
{
    uint32_t n = 0;
    char count[12];
    if (l->kind == JK_TOK_NUMBER) {
        n = jk_number_read(s, JK_F64, NULL);
        if (jk_is_word(s[n]) || s[n] == '.')
            jk_refuse_number(l, n);
        return n;
    }
    while (jk_is_word(s[n]))
        n++;
    if (n > JK_NAME_MAX) {
        snprintf(count, sizeof count, "%u", (unsigned)n);
        l->piece[0].end = l->piece[0].pos + n;
        l->word = count;
        jk_lex_refuse(l, JK_NO_NAME_LENGTH);
    }
    return n;
}

/* Over space and comments; what is not UTF-8 in a comment stays. */
JK_FUNC const char *jk_lex_space(const char *s)
{
    uint32_t n;
    for (;; s++) {
        if (*s == '#' || (*s == '/' && s[1] == '/'))
            for (; *s != '\n'; s += n)
                if ((n = jk_utf8_length(s)) == 0)
                    return s;
        if (jk_char_kinds[(unsigned char)*s] != JK_TOK_SPACE)
            return s;
    }
}

/* Makes the next token the current one. */
JK_NOINLINE void jk_next(jk_lexer *l)
{
    const char *s = jk_lex_space(l->source + l->piece[0].end);
    uint32_t n = 1, i;
    if (l->kind == JK_TOK_ERROR)
        return;
    l->last_end = l->piece[0].end;
    l->piece[0].pos = l->piece[0].end = (uint32_t)(s - l->source);
    l->kind = *s == '.' && jk_char_kinds[(unsigned char)s[1]] == JK_TOK_NUMBER ? (unsigned)JK_TOK_NUMBER
                                                                               : jk_char_kinds[(unsigned char)*s];
    if (l->kind == JK_TOK_NUMBER || l->kind == JK_TOK_NAME) {
        n = jk_lex_word(l, s);
    } else {
        for (i = 0; i < sizeof jk_long_signs / sizeof *jk_long_signs; i++) {
            const struct jk_long_sign *sign = &jk_long_signs[i];
            if (sign->text[0] == s[0] && sign->text[1] == s[1] && (!sign->text[2] || sign->text[2] == s[2])) {
                l->kind = sign->kind;
                n = sign->text[2] ? 3 : 2;
            }
        }
        if (l->kind == JK_TOK_ERROR) {
            bool end = l->piece[0].pos == l->len;
            l->kind = end ? JK_TOK_END : JK_TOK_SPACE;
            n = !end;
            if (!end)
                jk_refuse_char(l);
        }
    }
    if (l->kind != JK_TOK_ERROR)
        l->piece[0].end += n;
}

JK_SMALL_CLOSE
