/* function.h - one row a function: what it takes and how it is computed. */
#ifndef PROMQL_FUNCTION_H
#define PROMQL_FUNCTION_H

#include "promql/ast.h"

struct eval;
struct sink;
struct window;

enum { FUNCTION_ARGS_MAX = 5 };

struct function {
    const char *name;
    enum promql_type args[FUNCTION_ARGS_MAX];
    unsigned char n_args;
    signed char variadic; /* further ones: how many, the last among them
                             optional; -1: any number; 0: none */
    enum promql_type returns;
    bool keeps_name;
    bool for_counters; /* rate and the like: remarks on other metrics */

    /* One of these is set. */
    double (*of_value)(double v);                /* element by element */
    double (*of_time)(int64_t days, int64_t ms); /* of a date: days since 1970,
                                                    ms of that day */
    double (*of_window)(const struct window *w); /* of a range vector */
    bool (*scalar)(struct eval *e, const struct node *n, double *out);
    bool (*vector)(struct eval *e, const struct node *n, struct sink *out);
};

/* NULL: there is none. */
const struct function *function_find(struct str name);

/* True for names of Prometheus' experimental functions, which are refused with
 * words of their own. */
bool function_is_experimental(struct str name);

/* Row i of the table, for completion; NULL behind the last. */
const struct function *function_at(size_t i);

#endif
