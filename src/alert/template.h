/* template.h - the texts of alerts: Go's text/template, as far as alerts use
 * it, with Prometheus' functions.
 *
 *     {{ $labels.instance }} is at {{ $value | printf "%.1f" }} %
 *
 * There are: fields, variables, pipelines, if, else, range, with, end, define,
 * template, comments, trimming ({{- -}}), the functions of template_texts.c and
 * template_logic.c. What is left out (block, break, continue, times as values,
 * methods with arguments) is refused when a template is read, with its place,
 * like every name that does not exist: an alert that fires finds no mistakes.
 *
 * https://pkg.go.dev/text/template,
 * https://prometheus.io/docs/prometheus/latest/configuration/template_reference/
 *
 * Threads: a template may be run by any number at once.
 */
#ifndef ALERT_TEMPLATE_H
#define ALERT_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "promql/promql.h"
#include "series/labels.h"

enum { TEMPLATE_MAX_BYTES = 64 * 1024, TEMPLATE_MAX_OUTPUT = 1 << 20 };

struct template;

/* Templates by name, of {{ define }}: each file adds to it. In an arena. */
struct template_set {
    const struct template_named *first;
};

/* ERR_INVALID: "2:14: function \"foo\" not defined"; the place is within the
 * text. The template lies in the arena. */
MUST_CHECK enum errc template_parse(struct str text, struct arena *a,
                                    const struct template **out,
                                    struct err *err);

/* The same for a text that is about an object, whose fields have these names
 * (ending with NULL; "Name()" may have arguments), and may call what is in the
 * set (may be NULL). */
MUST_CHECK enum errc template_parse_about(
    struct str text, const char *const *fields, struct template_set *set,
    struct arena *a, const struct template **out, struct err *err);

/* ERR_INVALID: a template is called that nobody defined; its name in err. */
MUST_CHECK enum errc template_check_calls(const struct template *t,
                                          const struct template_set *set,
                                          struct err *err);

struct value;

/* A kind of thing that a text may be about; see template_value.h. */
struct template_type;

struct template_data {
    /* The dot at the start, in place of labels and value; NULL: those. */
    const struct template_type *type;
    const void *about;
    const struct template_set *set;
    struct labels labels, external;
    struct str external_url;
    double value;
    /* Answers query "..."; NULL: there is none. The result lies in the arena.
     */
    enum errc (*query)(void *ctx, struct str text, struct arena *a,
                       struct promql_series **out, size_t *n, struct err *err);
    void *ctx;
};

/* Appends the text. ERR_INVALID: it cannot be made with these data; out is as
 * it was. */
MUST_CHECK enum errc template_run(const struct template *t,
                                  const struct template_data *data,
                                  struct buf *out, struct err *err);

#endif
