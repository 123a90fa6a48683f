/* rule_test.h - unit tests of rules, as promtool's `test rules` has them:
 * series are given, time passes in steps, alerts and values are compared.
 *
 * https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
 */
#ifndef ALERT_RULE_TEST_H
#define ALERT_RULE_TEST_H

#include "base/err.h"

/* Told of every test that fails, in several lines. */
typedef void rule_test_report(void *ctx, const char *text);

struct rule_test_counts {
    unsigned groups, checks, failed;
};

/* Runs the tests of a file. ERR_INVALID: the file, or a rule file that it
 * names, is not right. A test that fails is no error: look at the counts. */
MUST_CHECK enum errc rule_test_run(const char *path, rule_test_report *report,
                                   void *ctx, struct rule_test_counts *counts,
                                   struct err *err);

#endif
