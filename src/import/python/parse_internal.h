/* parse_internal.h - between parse.c (blocks), parse_line.c (statements of one
 * line), parse_expr.c and parse_string.c. */
#ifndef IMPORT_PYTHON_PARSE_INTERNAL_H
#define IMPORT_PYTHON_PARSE_INTERNAL_H

#include "import/python/ast.h"

struct parser {
    struct py_token *tokens;
    size_t n, at;
    struct arena *arena;
    struct err *err;
    int depth;
    bool failed; /* the current statement is not understood */
    bool no_memory;
};

/* Makes a node at the current line. Never NULL: when memory is out the parser
 * has failed and the node is a stand-in. */
struct py_node *parse_node(struct parser *p, enum py_kind kind);
void parse_fail(struct parser *p, const char *what);

struct py_token *parse_peek(struct parser *p);
bool parse_is(struct parser *p, const char *op_or_word);
/* Takes the token if it is that one. */
bool parse_accept(struct parser *p, const char *op_or_word);
void parse_expect(struct parser *p, const char *op_or_word);
struct str parse_name(struct parser *p);

/* One statement without a block, up to its ';' or the end of the line. */
struct py_node *parse_line(struct parser *p);
bool parse_line_ends(struct parser *p);

struct py_node *parse_test(struct parser *p); /* one expression */
/* One or more with commas between: a tuple if there is a comma. */
struct py_node *parse_tests(struct parser *p);
/* Strings side by side, as one. */
struct py_node *parse_strings(struct parser *p);
/* What may stand left of '=' and between 'for' and 'in'. */
struct py_node *parse_targets(struct parser *p);
/* Parameters up to the closing word, which stays. */
struct py_node *parse_parameters(struct parser *p, const char *close);
/* Arguments of a call behind '(' and the ')'. */
struct py_node *parse_arguments(struct parser *p);

/* Appends to a list. */
struct list_tail {
    struct py_node *first, **tail;
};
void list_add(struct list_tail *l, struct py_node *node);

#endif
