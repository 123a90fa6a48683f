/* binary.h - what the files of binary operators share. */
#ifndef PROMQL_BINARY_H
#define PROMQL_BINARY_H

#include "promql/rows.h"

/* The labels by which elements of both sides find each other. */
bool match_labels(struct eval *e, const struct matching *m, struct labels l,
                  struct labels *out);

/* True for operators whose result is no longer what the metric's name says. */
bool binary_drops_name(const struct query *q, const struct binary *b);

/* matching.c: arithmetic and comparisons between two vectors. */
bool eval_matched(struct eval *e, const struct node *n, struct sink *out);

#endif
