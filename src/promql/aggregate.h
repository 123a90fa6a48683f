/* aggregate.h - what the files of aggregations share. */
#ifndef PROMQL_AGGREGATE_H
#define PROMQL_AGGREGATE_H

#include "promql/rows.h"

/* The labels of the group that a series belongs to. False: failed. */
bool group_labels(struct eval *e, const struct aggregate *a, struct labels l,
                  struct labels *out);

/* aggregate_rank.c: topk, bottomk, quantile, count_values, which need the rows
 * of a group together. */
bool eval_ranking(struct eval *e, const struct node *n, struct sink *out);

#endif
