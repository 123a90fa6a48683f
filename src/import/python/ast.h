/* ast.h - Python source as a tree.
 *
 *     text --lex.c--> tokens --parse.c, parse_expr.c--> nodes
 *
 * The subset that models are written in, after the grammar of the Python
 * Language Reference (docs.python.org/3/reference/grammar.html): no async, no
 * match, no generators. A statement that is not understood becomes a BROKEN
 * node with the reason, and the rest is read on: it only matters when it is
 * run.
 *
 * Bounded: bytes, tokens, depth.
 */
#ifndef IMPORT_PYTHON_AST_H
#define IMPORT_PYTHON_AST_H

#include "base/arena.h"
#include "base/err.h"

enum { PY_MAX_TEXT = 16 << 20, PY_MAX_NESTING = 100 };

enum py_token_kind {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_INDENT,
    TOKEN_DEDENT,
    TOKEN_NAME,
    TOKEN_NUMBER,
    TOKEN_STRING, /* text: with prefix and quotes */
    TOKEN_OP,
};

struct py_token {
    enum py_token_kind kind;
    struct str text;
    int line;
};

enum py_op {
    OP_NONE,
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_MATMUL,
    OP_DIV,
    OP_FLOORDIV,
    OP_MOD,
    OP_POW,
    OP_LSHIFT,
    OP_RSHIFT,
    OP_AND,
    OP_OR,
    OP_XOR,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IS,
    OP_IS_NOT,
    OP_IN,
    OP_NOT_IN,
    OP_NEG,
    OP_POS,
    OP_INVERT,
    OP_NOT,
    OP_BOTH,   /* and */
    OP_EITHER, /* or */
};

enum py_kind {
    /* expressions */
    PY_NAME,    /* text */
    PY_NUMBER,  /* text */
    PY_STRING,  /* text: the characters themselves */
    PY_FSTRING, /* a: list of STRING and FIELD */
    PY_FIELD,   /* a: value, text: format specification, op: 'r' or 's' */
    PY_NONE,
    PY_TRUE,
    PY_FALSE,
    PY_ELLIPSIS,
    PY_ATTR,    /* a . text */
    PY_INDEX,   /* a [ b ] */
    PY_SLICE,   /* a : b : c */
    PY_CALL,    /* a ( list b of expressions, STAR, DSTAR, KEYWORD ) */
    PY_STAR,    /* * a */
    PY_DSTAR,   /* ** a */
    PY_KEYWORD, /* text = a */
    PY_BINARY,  /* a op b; also and, or */
    PY_UNARY,   /* op a */
    PY_COMPARE, /* a, then list b of COMPARE_PART */
    PY_COMPARE_PART,
    PY_IFEXP,  /* a if b else c */
    PY_LAMBDA, /* parameters a, body b */
    PY_WALRUS, /* a := b */
    PY_TUPLE,  /* list a */
    PY_LIST,
    PY_SET,
    PY_DICT,     /* list a of PAIR and DSTAR */
    PY_PAIR,     /* a : b */
    PY_LISTCOMP, /* element a, list b of COMP_FOR */
    PY_SETCOMP,
    PY_DICTCOMP, /* a: a PAIR */
    PY_COMP_FOR, /* for a in b, list c of conditions */
    /* statements */
    PY_EXPR,      /* a */
    PY_ASSIGN,    /* list a of targets = b */
    PY_AUG,       /* a op= b */
    PY_ANNOTATED, /* a : c = b; b may be NULL */
    PY_IF,        /* a, body b, else c */
    PY_WHILE,     /* a, body b */
    PY_FOR,       /* for a in b, body c, else d */
    PY_DEF,       /* text, parameters a, body b, decorators c */
    PY_PARAM,     /* text, default a, annotation b, op: '*' or 'd' for ** */
    PY_CLASS,     /* text, bases a, body b, decorators c */
    PY_RETURN,    /* a or NULL */
    PY_PASS,
    PY_BREAK,
    PY_CONTINUE,
    PY_IMPORT,    /* list a of ALIAS */
    PY_FROM,      /* text: module, list a of ALIAS */
    PY_ALIAS,     /* text, other: the local name */
    PY_RAISE,     /* a or NULL */
    PY_TRY,       /* body a, handlers b, else c, finally d */
    PY_HANDLER,   /* type a, text, body b */
    PY_WITH,      /* list a of WITH_ITEM, body b */
    PY_WITH_ITEM, /* a as b */
    PY_ASSERT,    /* a, b */
    PY_DEL,       /* list a */
    PY_GLOBAL,    /* list a of NAME */
    PY_BROKEN,    /* text: why */
};

struct py_node {
    enum py_kind kind;
    int op; /* enum py_op, or a letter */
    int line;
    struct str text, other;
    struct py_node *a, *b, *c, *d, *next;
};

/* The text must stay. Tokens end with TOKEN_END. */
MUST_CHECK enum errc py_lex(struct str text, struct arena *arena,
                            struct py_token **out, size_t *n, struct err *err);

/* A module: a list of statements, NULL when empty. */
MUST_CHECK enum errc py_parse(struct str text, struct arena *arena,
                              struct py_node **out, struct err *err);

/* One expression, for f-strings and tests. */
MUST_CHECK enum errc py_parse_expression(struct str text, struct arena *arena,
                                         struct py_node **out, struct err *err);

#endif
