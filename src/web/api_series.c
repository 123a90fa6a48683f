/* api_series.c - which series, labels and values there are. */
#include <string.h>

#include "base/sort.h"
#include "web/api.h"

/* What is found of the series that one of the match[] selects, or of all when
 * there is none; with samples between start and end. */
struct finding {
    struct api_call *c;
    struct arena arena;
    int64_t from, to;
    uint64_t limit;
    struct str *texts; /* labels' names or values, sorted at the end */
    size_t n_texts, cap_texts;
    struct labels *sets;
    size_t n_sets, cap_sets;
    struct str label; /* whose values; empty: names */
    bool whole;       /* the sets of labels */
};

static enum errc no_memory(struct err *err)
{
    return err_set(err, ERR_NOMEM, "out of memory");
}

static bool add_text(struct finding *f, struct str text)
{
    /* A text of the store is the same pointer each time: most repeat. */
    for (size_t i = f->n_texts; i-- > 0 && i + 8 > f->n_texts;)
        if (f->texts[i].p == text.p)
            return true;
    if (!arena_grow(&f->arena, &f->texts, f->n_texts, &f->cap_texts,
                    sizeof(text)))
        return false;
    f->texts[f->n_texts++] = text;
    return true;
}

static bool add_series(struct finding *f, struct labels l)
{
    bool ok = true;

    if (f->whole) {
        if (!arena_grow(&f->arena, &f->sets, f->n_sets, &f->cap_sets,
                        sizeof(l)))
            return false;
        f->sets[f->n_sets++] = l;
    } else if (f->label.n) {
        struct str value = labels_get(l, f->label);
        ok = value.n == 0 || add_text(f, value);
    } else {
        for (size_t i = 0; ok && i < l.n; i++)
            ok = add_text(f, l.v[i].name);
    }
    return ok;
}

static enum errc find(struct finding *f, const struct matcher *m, size_t n,
                      struct err *err)
{
    struct tsdb *db = f->c->control->db;
    struct tsdb_found found;
    enum errc rc = tsdb_select(db, m, n, &f->arena, &found, err);

    for (size_t i = 0; !rc && i < found.n; i++) {
        if (atomic_load(&f->c->canceled))
            return err_set(err, ERR_CANCELED, "canceled");
        if (!tsdb_has_samples(db, found.v[i], f->from, f->to))
            continue;
        struct labels l = tsdb_labels(db, found.v[i], &f->arena);
        if (!l.v || !add_series(f, l))
            rc = no_memory(err);
    }
    return rc;
}

/* The same mistake has words of its own here. */
static enum errc wrong_match(enum errc rc, struct err *err)
{
    if (strstr(err->msg, "vector selector must contain"))
        return err_set(err, rc,
                       "invalid parameter \"match[]\": match[] must contain at "
                       "least one non-empty matcher");
    return err_wrap(err, rc, "invalid parameter \"match[]\"");
}

static enum errc find_all(struct finding *f, struct err *err)
{
    const struct params *p = &f->c->params;
    bool any = false;
    enum errc rc = ERR_OK;

    for (size_t i = 0; !rc && i < p->n; i++) {
        struct promql_expr *x;
        if (!str_eq(p->v[i].name, STR("match[]")))
            continue;
        any = true;
        rc = promql_parse_selector(p->v[i].value, &x, err);
        if (rc)
            return wrong_match(rc, err);
        rc = find(f, x->root->u.selector.m, x->root->u.selector.n, err);
        promql_free(x);
    }
    if (rc || any)
        return rc;
    if (f->whole)
        return err_set(err, ERR_INVALID, "no match[] parameter provided");
    return find(f, NULL, 0, err);
}

static enum errc begin(struct finding *f, struct api_call *c, struct err *err)
{
    *f = (struct finding){.c = c};
    arena_init(&f->arena, (size_t)512 << 20);
    enum errc rc = params_limit(&c->params, &f->limit, err);
    if (!rc)
        rc =
            params_time(&c->params, STR("start"), INT64_MIN + 1, &f->from, err);
    if (!rc)
        rc = params_time(&c->params, STR("end"), INT64_MAX, &f->to, err);
    return rc;
}

/* ---- answers ------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static int by_labels(const void *a, const void *b)
{
    return labels_compare(*(const struct labels *)a, *(const struct labels *)b);
}

static void put_texts(struct finding *f, struct buf *out)
{
    uint64_t put = 0;

    sort_items(f->texts, f->n_texts, sizeof(*f->texts), by_text);
    buf_putc(out, '[');
    for (size_t i = 0; i < f->n_texts && (!f->limit || put < f->limit); i++) {
        if (i && str_eq(f->texts[i], f->texts[i - 1]))
            continue;
        if (put++)
            buf_putc(out, ',');
        buf_put_quoted(out, f->texts[i]);
    }
    buf_putc(out, ']');
}

static void put_sets(struct finding *f, struct buf *out)
{
    uint64_t put = 0;

    sort_items(f->sets, f->n_sets, sizeof(*f->sets), by_labels);
    buf_putc(out, '[');
    for (size_t i = 0; i < f->n_sets && (!f->limit || put < f->limit); i++) {
        if (i && labels_eq(f->sets[i], f->sets[i - 1]))
            continue;
        if (put++)
            buf_putc(out, ',');
        labels_put_json(out, f->sets[i]);
    }
    buf_putc(out, ']');
}

static enum errc series(struct api_call *c, struct err *err)
{
    struct finding f;
    enum errc rc = begin(&f, c, err);

    f.whole = true;
    if (!rc)
        rc = find_all(&f, err);
    if (!rc)
        put_sets(&f, http_out(c->r));
    arena_fini(&f.arena);
    return rc;
}

static enum errc texts(struct api_call *c, struct str label, struct err *err)
{
    struct finding f;
    enum errc rc = begin(&f, c, err);

    f.label = label;
    if (!rc)
        rc = find_all(&f, err);
    if (!rc)
        put_texts(&f, http_out(c->r));
    arena_fini(&f.arena);
    return rc;
}

static enum errc labels(struct api_call *c, struct err *err)
{
    return texts(c, STR(""), err);
}

static enum errc label_values(struct api_call *c, struct err *err)
{
    return texts(c, c->r->match.params[0], err);
}

void api_series(struct http_request *r)
{
    api_run(r, series);
}

void api_labels(struct http_request *r)
{
    api_run(r, labels);
}

void api_label_values(struct http_request *r)
{
    api_run(r, label_values);
}
