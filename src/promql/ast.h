/* ast.h - a PromQL expression as a tree.
 *
 * A tree lives in its expression's arena and is not changed once it is parsed:
 * any number of threads may evaluate it at once. Positions are bytes of the
 * text. Times and durations are milliseconds.
 */
#ifndef PROMQL_AST_H
#define PROMQL_AST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "promql/operators.h"
#include "series/matcher.h"

enum promql_type {
    PROMQL_SCALAR,
    PROMQL_VECTOR,
    PROMQL_MATRIX,
    PROMQL_STRING,
};

enum node_kind {
    NODE_NUMBER,
    NODE_STRING,
    NODE_SELECTOR,
    NODE_MATRIX, /* a selector with a range */
    NODE_SUBQUERY,
    NODE_CALL,
    NODE_AGGREGATE,
    NODE_BINARY,
    NODE_UNARY,
    NODE_PAREN,
};

/* Which time is looked at: @ comes first, then the offset. */
enum at_kind { AT_NONE, AT_TIME, AT_START, AT_END };

struct moment {
    enum at_kind at;
    int64_t at_time;
    int64_t offset;
    bool has_offset;
};

enum card { ONE_TO_ONE, MANY_TO_ONE, ONE_TO_MANY, MANY_TO_MANY };

/* How the elements of two vectors find each other. */
struct matching {
    bool given; /* on or ignoring was written */
    bool on;
    enum card card;
    struct str *labels, *include;
    size_t n_labels, n_include;
};

struct node;

struct selector {
    struct str name; /* as written before the braces, or empty */
    struct matcher *m;
    size_t n;
    struct moment moment;
};

struct ranged { /* of NODE_MATRIX and NODE_SUBQUERY */
    struct node *of;
    int64_t range;
    int64_t step; /* of a subquery; 0: the default */
    struct moment moment;
};

struct call {
    const struct function *function;
    struct node **args;
    size_t n;
};

struct aggregate {
    enum operator op;
    struct node *of, *param; /* param: NULL if it has none */
    struct str *labels;
    size_t n;
    bool without;
    bool grouped; /* by or without was written */
};

struct binary {
    enum operator op;
    struct node *left, *right;
    bool returns_bool;
    struct matching matching;
};

struct node {
    enum node_kind kind;
    enum promql_type type;
    size_t start, end;
    union {
        double number;
        struct str text;
        struct selector selector;
        struct ranged ranged;
        struct call call;
        struct aggregate aggregate;
        struct binary binary;
        struct {
            struct node *of;
            bool minus; /* of a unary sign */
        } inner;
    } u;
};

/* "scalar", "instant vector", "range vector", "string". */
const char *promql_type_text(enum promql_type type);

/* The node inside all parentheses. */
const struct node *node_bare(const struct node *n);

#endif
