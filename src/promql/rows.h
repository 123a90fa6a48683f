/* rows.h - rows held together, each set of labels once.
 *
 * Two rows with the same labels become one where they have values at different
 * moments; where both have one, the query fails: "vector cannot contain metrics
 * with the same labelset". */
#ifndef PROMQL_ROWS_H
#define PROMQL_ROWS_H

#include "promql/eval.h"

struct rows {
    struct sink sink;
    struct eval *e;
    struct row *v;
    size_t n, cap;
    uint32_t *slots; /* index + 1, or 0 */
    size_t n_slots;
};

void rows_init(struct rows *r, struct eval *e);

/* Computes a node and holds what comes of it. */
bool rows_take(struct rows *r, struct eval *e, const struct node *n);

/* Where rows of `of` go that have lost their names: on to `out`, or into r
 * where two of them may be equal now. rows_push(r, out) afterwards in either
 * case: it hands on what is in r. */
struct sink *rows_unnamed(struct rows *r, struct eval *e, const struct node *of,
                          struct sink *out);

/* Hands all of them on. */
bool rows_push(struct rows *r, struct sink *out);

/* The row with these labels, made without values if there is none; NULL:
 * failed. made may be NULL. */
struct row *rows_find(struct rows *r, struct labels labels, bool *made);

#endif
