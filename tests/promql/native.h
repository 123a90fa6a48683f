/* native.h - which cases need native histograms: those about a series that has
 * one, and those that expect one. */
#ifndef PROMQL_NATIVE_H
#define PROMQL_NATIVE_H

#include "base/buf.h"
#include "promql/promql.h"

/* The metrics that were to be loaded with native histograms. */
struct native_names {
    struct buf names; /* each behind a line end */
    bool classic;     /* classic buckets were to become native ones, too */
};

void native_init(struct native_names *n);
void native_fini(struct native_names *n);
void native_clear(struct native_names *n);
void native_add(struct native_names *n, struct labels l);

/* True when the query may select one of them. */
bool native_needed(const struct native_names *n, struct str query);

#endif
