/* notation.h - series written down for tests, as in promtool's unit tests and
 * Prometheus' own:
 *
 *     requests{path="/"} 0+10x5 _ 70 stale NaN _x3 1x2 -1-2x4
 *
 * a+bxN is a, a+b ... N times more; axN is a, N times more; _ is no sample.
 * {{...}} is a native histogram, which is noted and not read.
 *
 * https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 */
#ifndef PROMQL_NOTATION_H
#define PROMQL_NOTATION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "series/labels.h"

enum { NOTATION_MAX_VALUES = 1000000 };

struct notation_value {
    double v;
    bool omitted; /* _ */
    bool native;  /* {{...}} */
};

struct notation {
    struct labels labels;
    struct notation_value *v;
    size_t n, cap;
    bool native; /* any of them */
};

/* Labels alone: up{job="x"} or {}. */
MUST_CHECK enum errc notation_labels(struct str text, struct arena *a,
                                     struct labels *out, struct err *err);

/* The values alone. */
MUST_CHECK enum errc notation_values(struct str text, struct arena *a,
                                     struct notation *out, struct err *err);

/* A whole line. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum errc notation_parse(struct str line, struct arena *a,
                                    struct notation *out, struct err *err);

#endif
