/* relabel.h - rules that change, drop or keep sets of labels: relabel_configs
 * and metric_relabel_configs.
 *
 * https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 *
 * Threads: rules that were read do not change and may be applied by any.
 */
#ifndef COLLECT_RELABEL_H
#define COLLECT_RELABEL_H

#include "codec/yaml_form.h"
#include "series/labels.h"
#include "series/regex.h"

struct relabel {
    int action;
    struct str action_name;
    struct yaml_texts source;
    struct str separator, target, replacement, pattern;
    struct regex *re;
    int64_t modulus;
};

struct relabel_rules {
    struct relabel *v; /* in an arena, but for expressions */
    size_t n;
};

/* A field of a table (yaml_form.h): a list of rules. */
void relabel_take(struct yaml_form *f, const struct yaml *n, void *rules);
void relabel_fini(struct relabel_rules *r);

/* The set with all rules applied, in the arena or l's own; *keep false: it is
 * to be dropped. ERR_NOMEM, ERR_LIMIT: an expression took too many steps. */
MUST_CHECK enum errc relabel_apply(const struct relabel_rules *r,
                                   struct labels l, struct arena *a,
                                   struct labels *out, bool *keep,
                                   struct err *err);

#endif
