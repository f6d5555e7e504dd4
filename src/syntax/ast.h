/* syntax: text to trees. A tree is an array of nodes in post-order (children before their parent, left to right), so
 * that every walk is a loop over the array and nothing recurses on the depth of the user's text. The nodes of one
 * definition are contiguous. Numbers keep their text: the type that rounds them comes later. */
#ifndef JK_AST_H
#define JK_AST_H
#include "../base.h"

typedef enum jk_ast_kind {
    JK_AST_NUMBER, /* text */
    JK_AST_NAME,   /* text: a parameter, a binding, a named constant */
    JK_AST_UNARY,  /* op; 1 kid */
    JK_AST_BINARY, /* op; 2 kids */
    JK_AST_COND,   /* op; c ? a : b; 3 kids */
    JK_AST_CALL    /* text is the function's name; kids are the arguments */
} jk_ast_kind;

/* Operators: binary ones, loosest first, prefixes, and the choice. */
typedef enum jk_ast_op {
    JK_OP_NONE,
    JK_OP_OR,
    JK_OP_AND,
    JK_OP_LT,
    JK_OP_LE,
    JK_OP_GT,
    JK_OP_GE,
    JK_OP_EQ,
    JK_OP_NE,
    JK_OP_ADD,
    JK_OP_SUB,
    JK_OP_MUL,
    JK_OP_DIV,
    JK_OP_MOD,
    JK_OP_POW,
    JK_OP_NEG,
    JK_OP_PLUS,
    JK_OP_NOT,
    JK_OP_SQRT /* the prefix sign */,
    JK_OP_COND
} jk_ast_op;

typedef struct jk_node {
    uint8_t kind, op;
    uint16_t flags;
    uint32_t nkids, kid; /* kids are ast->kids[kid .. kid + nkids) */
    uint32_t pos, len;   /* the whole construct's place in the source, bytes */
    uint32_t at, at_len; /* the operator's or the function name's own place: where an error points */
    const char *text;    /* NUMBER, NAME, CALL; not terminated, but a number's own end stops who reads it */
    uint32_t text_len;
} jk_node;

#define JK_TYPE_NONE 0xff /* no element type was named: the kernel's */
typedef enum jk_edge { JK_EDGE_NONE, JK_EDGE_CLAMP, JK_EDGE_WRAP, JK_EDGE_ZERO } jk_edge;

typedef struct jk_param {
    const char *name; /* not terminated */
    uint32_t name_len, pos;
    uint32_t next; /* the parser's: an older one in the same bucket, counted from 1; 0: none */
    uint8_t type;  /* jk_type or JK_TYPE_NONE */
    uint8_t edge;  /* jk_edge: the rule in its brackets */
    bool is_array;
} jk_param;

typedef struct jk_result {
    uint32_t root; /* node */
    uint8_t type;  /* jk_type or JK_TYPE_NONE */
} jk_result;

typedef struct jk_def {
    const char *name; /* NULL: anonymous or bare */
    uint32_t name_len, pos, len;
    bool is_bare; /* params are the free names (constants are none) in byte order, each once; is_array is set,
                     but they are arrays or scalars as the caller asks */
    jk_param *params;
    jk_result *results;
    uint32_t nparams, nresults;
    uint32_t first, end; /* its nodes */
} jk_def;

struct jitk_ast {
    jk_arena arena;     /* owns all below; the source is copied into it */
    const char *source; /* terminated; "" for a tree built by calls */
    size_t source_len;
    JK_LIST(jk_node, nodes);
    JK_LIST(uint32_t, kids);
    JK_LIST(jk_def, defs); /* in the order of the text: the last is the kernel unless the caller names another */
};

#define JK_SOURCE_MAX ((size_t)16 << 20) /* bytes of text; beyond it JITK_ERR_LIMIT */
#define JK_NAME_MAX 63

/* Initialises *ast (arena included, its first block `first` may be NULL) and parses the text into it. On failure the
 * error is set; the caller frees ast->arena in either case. */
JK_FUNC jitk_status jk_parse(jitk_ast *ast, const char *source, size_t source_len, void *first, size_t first_bytes,
                             jitk_error *e);

/* The bytes of a terminated text that make up a number (decimal, 0x hexadecimal, hexadecimal float); 0 if it begins
 * with none. An exponent without digits is left. Where bits is not NULL: the bits of its value in the type (f64 or
 * f32), rounded once, to nearest even, whatever the locale; those of infinity if it is too large. */
JK_FUNC uint32_t jk_number_read(const char *text, jk_type type, uint64_t *bits);

/* An error as a person reads it: place and message, the source's line (of a terminated text; NULL: without), a caret
 * under the place. */
JK_FUNC void jk_error_print_caret(const jitk_error *e, const char *source, FILE *out);
#endif
