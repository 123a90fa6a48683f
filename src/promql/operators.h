/* operators.h - the operators and aggregations of the language, one table.
 *
 * Precedence: https://prometheus.io/docs/prometheus/latest/querying/operators/
 */
#ifndef PROMQL_OPERATORS_H
#define PROMQL_OPERATORS_H

#include <stdbool.h>

#include "base/str.h"

enum operator_kind { OP_NONE, OP_SET, OP_COMPARE, OP_ARITHMETIC, OP_AGGREGATE };

/* clang-format off */
/*    name          text            kind          binds  */
#define OPERATORS(X)                                      \
    X(OR,           "or",           OP_SET,        1)     \
    X(AND,          "and",          OP_SET,        2)     \
    X(UNLESS,       "unless",       OP_SET,        2)     \
    X(EQUAL,        "==",           OP_COMPARE,    3)     \
    X(NOT_EQUAL,    "!=",           OP_COMPARE,    3)     \
    X(LESS,         "<",            OP_COMPARE,    3)     \
    X(LESS_EQUAL,   "<=",           OP_COMPARE,    3)     \
    X(MORE,         ">",            OP_COMPARE,    3)     \
    X(MORE_EQUAL,   ">=",           OP_COMPARE,    3)     \
    X(ADD,          "+",            OP_ARITHMETIC, 4)     \
    X(SUBTRACT,     "-",            OP_ARITHMETIC, 4)     \
    X(MULTIPLY,     "*",            OP_ARITHMETIC, 5)     \
    X(DIVIDE,       "/",            OP_ARITHMETIC, 5)     \
    X(MODULO,       "%",            OP_ARITHMETIC, 5)     \
    X(ATAN2,        "atan2",        OP_ARITHMETIC, 5)     \
    X(POWER,        "^",            OP_ARITHMETIC, 6)     \
    X(SUM,          "sum",          OP_AGGREGATE,  0)     \
    X(AVG,          "avg",          OP_AGGREGATE,  0)     \
    X(COUNT,        "count",        OP_AGGREGATE,  0)     \
    X(MIN,          "min",          OP_AGGREGATE,  0)     \
    X(MAX,          "max",          OP_AGGREGATE,  0)     \
    X(GROUP,        "group",        OP_AGGREGATE,  0)     \
    X(STDDEV,       "stddev",       OP_AGGREGATE,  0)     \
    X(STDVAR,       "stdvar",       OP_AGGREGATE,  0)     \
    X(TOPK,         "topk",         OP_AGGREGATE,  0)     \
    X(BOTTOMK,      "bottomk",      OP_AGGREGATE,  0)     \
    X(COUNT_VALUES, "count_values", OP_AGGREGATE,  0)     \
    X(QUANTILE,     "quantile",     OP_AGGREGATE,  0)
/* clang-format on */

enum operator{
    NO_OPERATOR,
#define X(name, text, kind, binds) OP_##name,
    OPERATORS(X)
#undef X
};

enum { BINDS_UNARY = 5 }; /* -a ^ b is -(a ^ b), -a * b is (-a) * b */

enum operator_kind operator_kind(enum operator op);
const char *operator_text(enum operator op);
int operator_binds(enum operator op); /* higher: tighter; 0: not binary */

/* The operator that is a word; NO_OPERATOR. Letters in any case. */
enum operator operator_of_word(struct str word);

/* True for aggregations with a parameter in front. */
bool operator_has_param(enum operator op);

#endif
