/* parse_internal.h - the parser's state and the pieces that call each other. */
#ifndef PROMQL_PARSE_INTERNAL_H
#define PROMQL_PARSE_INTERNAL_H

#include "promql/lex.h"
#include "promql/promql.h"

/* Failure is sticky: the first mistake is in lexer.err, every function that
 * yields a node yields NULL from then on. */
struct parser {
    struct lexer lexer;
    struct token token; /* the one that is looked at */
    size_t behind;      /* end of the one before */
    struct promql_expr *x;
    int depth;
    int operators;
    bool out_of_memory;
};

bool parser_next(struct parser *p); /* false: failed */
bool parser_failed(const struct parser *p);
bool parser_is(const struct parser *p, char mark);
bool parser_take(struct parser *p, char mark); /* moves on if it is there */

/* "unexpected <token> in <context>, expected <what>"; context and what may be
 * empty. */
void parser_unexpected(struct parser *p, const char *context,
                       const char *expected);

void *parser_new(struct parser *p, size_t n, size_t size);
struct node *parser_node(struct parser *p, enum node_kind kind,
                         enum promql_type type, size_t start);

struct node *parse_expression(struct parser *p, int binds);
struct node *parse_selector(struct parser *p);

/* Behind the name of a function or an aggregation, which was taken already. */
struct node *parse_call(struct parser *p, struct token name);
struct node *parse_aggregate(struct parser *p, struct token name);

/* [5m], [1h:5m], offset 5m, @ 123 behind n. */
struct node *parse_behind(struct parser *p, struct node *n);

/* (a, "b", by): names of labels. */
bool parse_label_list(struct parser *p, struct str **out, size_t *n);

/* Text of a string token in the arena; p == NULL when failed. */
struct str parse_text(struct parser *p);

/* Checks types and shapes of a node whose parts are checked. */
bool check_node(struct parser *p, struct node *n);

/* A number or duration token as a number (a duration in seconds). */
bool parse_amount(struct parser *p, double *out);

#endif
