/* suspect_unit.h - what the values of an expression are: seconds, bytes, a
 * share from 0 to 1. Known from the ends of metrics' names
 * (https://prometheus.io/docs/practices/naming/) and from what is done to them;
 * where that does not tell, nothing is guessed.
 *
 * Threads: any.
 */
#ifndef ALERT_SUSPECT_UNIT_H
#define ALERT_SUSPECT_UNIT_H

#include "promql/ast.h"

enum unit {
    UNIT_UNKNOWN,
    UNIT_SECONDS,
    UNIT_MILLISECONDS,
    UNIT_BYTES,
    UNIT_MIB,
    UNIT_CELSIUS,
    UNIT_PERCENT, /* 0 to 100 */
    UNIT_RATIO,   /* 0 to 1 */
    UNIT_SHARE,   /* of two values of one unit: as a rule 0 to 1 */
};

struct measure {
    enum unit unit;
    struct str metric; /* which tells; empty for what was calculated */
};

struct measure measure_of(const struct node *n);

/* The name of a selector's metric; empty: it has none. */
struct str metric_of(const struct node *selector);

#endif
