/* rules.h - Prometheus' rule files, read and checked as a whole.
 *
 *     groups:
 *       - name: gpu
 *         interval: 30s
 *         rules:
 *           - alert: GpuHot
 *             expr: DCGM_FI_DEV_GPU_TEMP > 85
 *             for: 2m
 *             labels: {severity: warning}
 *             annotations: {summary: "GPU {{ $labels.gpu }} is hot"}
 *
 * https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/
 *
 * Threads: what was loaded does not change and may be read by any.
 */
#ifndef ALERT_RULES_H
#define ALERT_RULES_H

#include "alert/template.h"
#include "base/arena.h"
#include "base/err.h"
#include "promql/promql.h"

enum { RULES_MAX_BYTES = 16 << 20 };

struct rule_text { /* a label or an annotation */
    struct str name, source;
    const struct template *text;
};

struct rule {
    bool alerting;
    struct str name;   /* of the alert, or of the series */
    struct str source; /* of the expression, as written */
    struct promql_expr *expr;
    int64_t hold, keep_firing; /* ms: for, keep_firing_for */
    struct rule_text *labels, *annotations;
    size_t n_labels, n_annotations;
    unsigned line; /* in the file */
    unsigned expr_line;
};

struct rule_group {
    struct str name, file;
    int64_t interval; /* ms; 0: the engine's */
    int64_t offset;   /* ms: query_offset; -1: the engine's */
    uint64_t limit;   /* series of a rule; 0: any number */
    struct rule *rules;
    size_t n;
    unsigned line;
};

struct rules {
    struct arena arena;
    struct rule_group *groups;
    size_t n, cap;
};

void rules_init(struct rules *r);
void rules_fini(struct rules *r);

/* Reports one mistake: "4:5: group \"g\", rule 1, \"a\": ..." */
typedef void rules_report(void *ctx, const char *file, const char *message);

/* Adds the groups of a file's text. All mistakes are reported (report may be
 * NULL); the first one is the error, with the file's name before it. */
MUST_CHECK enum errc rules_read(struct rules *r, const char *file,
                                struct str text, rules_report *report,
                                void *ctx, struct err *err);

/* The same for a file. */
MUST_CHECK enum errc rules_load(struct rules *r, const char *path,
                                rules_report *report, void *ctx,
                                struct err *err);

#endif
