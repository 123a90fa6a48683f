/* api_federate.c - the newest samples of chosen series, for a Prometheus that
 * scrapes them: https://prometheus.io/docs/prometheus/latest/federation/ */
#include <string.h>

#include "base/clock.h"
#include "base/sort.h"
#include "codec/go_float.h"
#include "series/sample.h"
#include "web/api.h"

enum { LOOKBACK_MS = 5 * 60 * 1000, MEMORY_MAX = 512 << 20 };

struct line {
    struct labels labels;
    int64_t t;
    double v;
};

struct federation {
    struct api_call *c;
    struct arena arena;
    struct samples samples;
    struct line *v;
    size_t n, cap;
    int64_t now;
};

/* By the metric's name, then by labels. */
static int by_name(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int order = str_compare(labels_get(x->labels, LABEL_NAME),
                            labels_get(y->labels, LABEL_NAME));

    return order ? order : labels_compare(x->labels, y->labels);
}

static enum errc take_series(struct federation *f, uint32_t series,
                             struct err *err)
{
    struct tsdb *db = f->c->control->db;
    struct samples *s = &f->samples;

    if (tsdb_read(db, series, f->now - LOOKBACK_MS + 1, f->now, s))
        return err_set(err, ERR_NOMEM, "out of memory");
    if (s->n == 0 || sample_is_stale(s->v[s->n - 1]))
        return ERR_OK;
    struct labels l = tsdb_labels(db, series, &f->arena);
    if (!l.v || !arena_grow(&f->arena, &f->v, f->n, &f->cap, sizeof(*f->v)))
        return err_set(err, ERR_NOMEM, "out of memory");
    f->v[f->n++] = (struct line){l, s->t[s->n - 1], s->v[s->n - 1]};
    return ERR_OK;
}

static enum errc take_match(struct federation *f, struct str text,
                            struct err *err)
{
    struct promql_expr *x;
    struct tsdb_found found;
    enum errc rc = promql_parse_selector(text, &x, err);

    if (rc)
        return rc;
    rc = tsdb_select(f->c->control->db, x->root->u.selector.m,
                     x->root->u.selector.n, &f->arena, &found, err);
    for (size_t i = 0; !rc && i < found.n; i++) {
        if (atomic_load(&f->c->canceled))
            rc = err_set(err, ERR_CANCELED, "canceled");
        else
            rc = take_series(f, found.v[i], err);
    }
    promql_free(x);
    return rc;
}

static enum errc put_line(struct federation *f, struct buf *b,
                          const struct line *l, struct err *err)
{
    struct labels labels = labels_with(
        &f->arena, l->labels, f->c->control->options.rules.env.external);
    char value[GO_FLOAT_MAX];
    bool any = false;

    if (!labels.v)
        return err_set(err, ERR_NOMEM, "out of memory");
    buf_put(b, labels_get(labels, LABEL_NAME));
    buf_putc(b, '{');
    for (size_t i = 0; i < labels.n; i++) {
        if (str_eq(labels.v[i].name, LABEL_NAME))
            continue;
        buf_puts(b, any ? "," : "");
        any = true;
        label_print(b, labels.v[i]);
    }
    buf_puts(b, "} ");
    buf_put(b, (struct str){value, go_float(value, 'g', l->v)});
    buf_printf(b, " %lld\n", (long long)l->t);
    return ERR_OK;
}

static enum errc put_all(struct federation *f, struct err *err)
{
    struct buf *b = http_out(f->c->r);
    struct str last = {NULL, 0};
    enum errc rc = ERR_OK;

    sort_items(f->v, f->n, sizeof(*f->v), by_name);
    for (size_t i = 0; i < f->n && !rc; i++) {
        struct str name = labels_get(f->v[i].labels, LABEL_NAME);
        if (name.n == 0 || (i && labels_eq(f->v[i].labels, f->v[i - 1].labels)))
            continue;
        if (!last.p || !str_eq(last, name))
            buf_printf(b, "# TYPE " STR_FMT " untyped\n", STR_ARG(name));
        last = name;
        rc = put_line(f, b, &f->v[i], err);
    }
    return rc;
}

static enum errc federate(struct api_call *c, struct err *err)
{
    struct federation f = {.c = c, .now = clock_wall_ms()};
    enum errc rc = ERR_OK;

    arena_init(&f.arena, MEMORY_MAX);
    for (size_t i = 0; i < c->params.n && !rc; i++)
        if (str_eq(c->params.v[i].name, STR("match[]")))
            rc = take_match(&f, c->params.v[i].value, err);
    if (!rc)
        rc = put_all(&f, err);
    samples_fini(&f.samples);
    arena_fini(&f.arena);
    return rc;
}

void api_federate(struct http_request *r)
{
    api_run_plain(r, "text/plain; version=0.0.4; charset=utf-8", federate);
}
