/* The text of a registry: https://prometheus.io/docs/instrumenting/ exposition
 * formats, and the OpenMetrics 1.0 specification. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "metric/metric.h"
#include "metric/metric_internal.h"

static void put_value(struct buf *b, double v)
{
    if (v == floor(v) && fabs(v) < 1e15)
        buf_put_i64(b, (int64_t)v);
    else
        buf_printf(b, "%.17g", v);
}

static void put_bound(struct buf *b, double v)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%g", v);
    buf_puts(b, text);
    /* OpenMetrics wants a float; and so does everyone else's 1.0. */
    if (!strpbrk(text, ".e"))
        buf_puts(b, ".0");
}

static void put_line(struct buf *b, const char *name, const char *suffix,
                     const char *labels, double value)
{
    buf_puts(b, name);
    buf_puts(b, suffix);
    if (*labels) {
        buf_putc(b, '{');
        buf_puts(b, labels);
        buf_putc(b, '}');
    }
    buf_putc(b, ' ');
    put_value(b, value);
    buf_putc(b, '\n');
}

static void put_histogram(struct buf *b, const struct metric *s)
{
    const struct metric_family *f = s->family;
    double total = 0;

    for (size_t i = 0; i <= f->n_bounds; i++) {
        total += metric_cell(s, i);
        buf_puts(b, f->name);
        buf_puts(b, "_bucket{");
        if (*s->labels) {
            buf_puts(b, s->labels);
            buf_putc(b, ',');
        }
        buf_puts(b, "le=\"");
        if (i < f->n_bounds)
            put_bound(b, f->bounds[i]);
        else
            buf_puts(b, "+Inf");
        buf_puts(b, "\"} ");
        put_value(b, total);
        buf_putc(b, '\n');
    }
    put_line(b, f->name, "_count", s->labels, total);
    put_line(b, f->name, "_sum", s->labels, metric_cell(s, f->n_bounds + 1));
}

static bool has_total(const char *name)
{
    size_t n = strlen(name);
    return n > 6 && strcmp(name + n - 6, "_total") == 0;
}

/* OpenMetrics insists that counters end in _total, and names the family
 * without it; a counter that cannot be renamed is of unknown type there. */
static void put_head(struct buf *b, const struct metric_family *f,
                     bool openmetrics)
{
    static const char *const types[] = {"counter", "gauge", "histogram",
                                        "summary"};
    const char *type = types[f->type];
    size_t n = strlen(f->name);

    if (openmetrics && f->type == METRIC_COUNTER) {
        if (has_total(f->name))
            n -= 6;
        else
            type = "unknown";
    }
    buf_printf(b, "# HELP %.*s %s\n", (int)n, f->name, f->help);
    buf_printf(b, "# TYPE %.*s %s\n", (int)n, f->name, type);
}

static void put_series(struct buf *b, const struct metric *s)
{
    switch (s->family->type) {
    case METRIC_HISTOGRAM:
        put_histogram(b, s);
        break;
    case METRIC_SUMMARY:
        put_line(b, s->family->name, "_count", s->labels, metric_cell(s, 0));
        put_line(b, s->family->name, "_sum", s->labels, metric_cell(s, 1));
        break;
    case METRIC_COUNTER:
    case METRIC_GAUGE:
        put_line(b, s->family->name, "", s->labels, metric_cell(s, 0));
        break;
    }
}

void metrics_expose(struct metrics *m, bool openmetrics, struct buf *out)
{
    for (size_t i = 0; i < m->n_hooks; i++)
        m->hooks[i].call(m->hooks[i].ctx);
    pthread_mutex_lock(&m->lock);
    for (const struct family_node *f = m->first; f; f = f->next) {
        put_head(out, f->family, openmetrics);
        for (const struct metric *s = f->first; s; s = s->next)
            put_series(out, s);
    }
    pthread_mutex_unlock(&m->lock);
    if (openmetrics)
        buf_puts(out, "# EOF\n");
}

const char *metrics_content_type(bool openmetrics)
{
    return openmetrics ? "application/openmetrics-text; version=1.0.0; "
                         "charset=utf-8"
                       : "text/plain; version=0.0.4; charset=utf-8";
}
