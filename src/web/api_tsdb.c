/* api_tsdb.c - what takes the room: metrics and labels with most series. */
#include <stdio.h>

#include "base/sort.h"
#include "web/api.h"

enum { TALLY_MAX = 512 << 20, SHOWN_MAX = 1000 };

struct pair {
    struct str name, value;
};

struct tally {
    struct str name, value; /* value: empty for all */
    uint64_t n;
};

/* The largest, first ones first. */
struct top {
    struct tally *v;
    size_t n, max;
};

static int by_text(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = str_compare(x->name, y->name);

    return order ? order : str_compare(x->value, y->value);
}

static void push(struct top *top, struct str name, struct str value, uint64_t n)
{
    size_t i = top->n < top->max ? top->n++ : top->max;

    if (i == top->max && top->v[--i].n >= n)
        return;
    for (; i > 0 && top->v[i - 1].n < n; i--)
        top->v[i] = top->v[i - 1];
    top->v[i] = (struct tally){name, value, n};
}

/* Every label of every series. */
static enum errc collect(struct api_call *c, struct arena *a, struct pair **out,
                         size_t *n, struct err *err)
{
    struct tsdb *db = c->control->db;
    struct tsdb_found found;
    size_t cap = 0;
    enum errc rc = tsdb_select(db, NULL, 0, a, &found, err);

    *n = 0;
    for (size_t i = 0; !rc && i < found.n; i++) {
        struct labels l = tsdb_labels(db, found.v[i], a);
        if (atomic_load(&c->canceled))
            return err_set(err, ERR_CANCELED, "canceled");
        for (size_t k = 0; l.v && k < l.n; k++) {
            if (!arena_grow(a, out, *n, &cap, sizeof(**out)))
                return err_set(err, ERR_NOMEM, "out of memory");
            (*out)[(*n)++] = (struct pair){l.v[k].name, l.v[k].value};
        }
        if (!l.v)
            rc = err_set(err, ERR_NOMEM, "out of memory");
    }
    return rc;
}

enum { METRICS, VALUES, MEMORY, PAIRS, TOPS };

/* Equal pairs stand together, and those of one name. */
static void count(const struct pair *v, size_t n, struct top *tops)
{
    for (size_t i = 0; i < n;) {
        size_t values = 0, bytes = 0, begin = i;
        while (i < n && str_eq(v[i].name, v[begin].name)) {
            size_t k = i;
            while (k < n && by_text(&v[k], &v[i]) == 0)
                k++;
            values++;
            bytes += v[i].value.n * (k - i);
            push(&tops[PAIRS], v[i].name, v[i].value, k - i);
            if (str_eq(v[i].name, LABEL_NAME))
                push(&tops[METRICS], v[i].value, STR(""), k - i);
            i = k;
        }
        push(&tops[VALUES], v[begin].name, STR(""), values);
        push(&tops[MEMORY], v[begin].name, STR(""), bytes);
    }
}

static void put_top(struct buf *b, const char *before, const struct top *top)
{
    buf_puts(b, before);
    for (size_t i = 0; i < top->n; i++) {
        buf_puts(b, i ? ",{\"name\":\"" : "[{\"name\":\"");
        buf_put_json(b, top->v[i].name);
        if (top->v[i].value.n) {
            buf_putc(b, '=');
            buf_put_json(b, top->v[i].value);
        }
        buf_printf(b, "\",\"value\":%llu}", (unsigned long long)top->v[i].n);
    }
    buf_puts(b, top->n ? "]" : "[]");
}

static void put_head(struct buf *b, struct tsdb *db)
{
    struct tsdb_stats s;

    tsdb_stats(db, &s);
    bool empty = s.to == INT64_MIN;
    buf_printf(b,
               "{\"headStats\":{\"numSeries\":%llu,\"numLabelPairs\":%llu,"
               "\"chunkCount\":%llu,\"minTime\":%lld,\"maxTime\":%lld}",
               (unsigned long long)s.series, (unsigned long long)s.pairs,
               (unsigned long long)s.chunks, empty ? 0 : (long long)s.from,
               empty ? 0 : (long long)s.to);
}

static enum errc tsdb(struct api_call *c, struct err *err)
{
    struct tally rooms[TOPS][SHOWN_MAX];
    struct top tops[TOPS];
    struct buf *b = http_out(c->r);
    struct pair *v = NULL;
    struct arena arena;
    uint64_t limit;
    size_t n = 0;

    enum errc rc = params_limit(&c->params, &limit, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < TOPS; i++)
        tops[i] = (struct top){.v = rooms[i],
                               .max = !limit              ? 10
                                      : limit < SHOWN_MAX ? limit
                                                          : SHOWN_MAX};
    arena_init(&arena, TALLY_MAX);
    rc = collect(c, &arena, &v, &n, err);
    if (!rc) {
        sort_items(v, n, sizeof(*v), by_text);
        count(v, n, tops);
        put_head(b, c->control->db);
        put_top(b, ",\"seriesCountByMetricName\":", &tops[METRICS]);
        put_top(b, ",\"labelValueCountByLabelName\":", &tops[VALUES]);
        put_top(b, ",\"memoryInBytesByLabelName\":", &tops[MEMORY]);
        put_top(b, ",\"seriesCountByLabelValuePair\":", &tops[PAIRS]);
        buf_putc(b, '}');
    }
    arena_fini(&arena);
    return rc;
}

void api_tsdb(struct http_request *r)
{
    api_run(r, tsdb);
}
