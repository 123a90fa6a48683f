/* script.h - runs tests written in the test language of Prometheus.
 *
 *     load 5m
 *         requests{path="/"} 0+10x5
 *     eval instant at 10m sum(requests)
 *         {} 20
 *     eval range from 0 to 10m step 5m requests
 *         requests{path="/"} 0 10 20
 *     eval instant at 10m ceil({__name__=~"requests|other"})
 *         expect fail msg: vector cannot contain metrics with the same labelset
 *     clear
 *
 * Expectations: ordered, fail, warn, no_warn, info, no_info (with "msg:" the
 * whole text or "regex:"), string, "range vector from .. to .. step ..". The
 * older words eval_fail, eval_warn, eval_info, eval_ordered,
 * expected_fail_message and expected_fail_regexp are read, too.
 *
 * What needs native histograms or experimental functions is skipped, and said.
 */
#ifndef PROMQL_SCRIPT_H
#define PROMQL_SCRIPT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

struct script_counts {
    unsigned passed, failed, skipped;
};

struct script_how {
    bool prometheus2; /* ranges closed on the left, names dropped at once */
    bool verbose;     /* say why a case was skipped */
    FILE *out;
};

/* Runs a script and adds to the counts. `name` is for messages. */
void script_run(const char *name, struct str text, const struct script_how *how,
                struct script_counts *counts);

#endif
