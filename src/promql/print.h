/* print.h - parts of an expression as text, for who puts them on lines. */
#ifndef PROMQL_PRINT_H
#define PROMQL_PRINT_H

#include "promql/promql.h"

void print_range(const struct node *n, struct buf *out);      /* [5m:1m] */
void print_operator(const struct binary *b, struct buf *out); /* / on (a) */

/* sum by (a) and a space behind the labels. */
void print_aggregator(const struct aggregate *a, struct buf *out);

#endif
