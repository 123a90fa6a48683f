/* live.c - GET /api/v1/live?query=...&query=...&interval=5s: the queries are
 * asked at every interval, and the answers come as server-sent events:
 *
 *     event: samples
 *     data: {"time":1767225600,"results":[{"resultType":...},{"error":"..."}]}
 *
 * The results stand in the order of the queries.
 */
#include "base/clock.h"
#include "web/stream.h"

enum {
    QUERIES_MAX = 64,
    USUAL_MS = 5000,
    LEAST_MS = 1000,
    MOST_MS = 60000,
};

struct live {
    struct promql_expr *v[QUERIES_MAX];
    size_t n;
};

static void put_answer(struct stream *s, const struct promql_expr *x, int64_t t,
                       struct buf *out)
{
    struct promql_how how = {
        .start = t,
        .end = t,
        .timeout = s->call.control->options.query_timeout_ms,
        .db = s->call.control->db,
        .canceled = &s->call.canceled,
    };
    struct promql_result result;
    struct err err = {0};
    enum errc rc = promql_query(x, &how, &result, &err);

    if (rc) {
        buf_put_field(out, "{\"error\":", str_from_cstr(err.msg));
        buf_putc(out, '}');
        return;
    }
    api_put_result(out, &result, NULL);
    promql_result_fini(&result);
}

static void look(struct stream *s, struct buf *out)
{
    const struct live *l = s->state;
    int64_t t = clock_wall_ms();

    stream_event(out, "samples");
    buf_printf(out, "{\"time\":%.3f,\"results\":[", (double)t / 1000);
    for (size_t i = 0; i < l->n; i++) {
        buf_puts(out, i ? "," : "");
        put_answer(s, l->v[i], t, out);
    }
    buf_puts(out, "]}");
    stream_event_end(out);
}

static void fini(struct stream *s)
{
    struct live *l = s->state;

    for (size_t i = 0; i < l->n; i++)
        promql_free(l->v[i]);
}

static enum errc take_query(struct stream *s, struct str text, struct err *err)
{
    struct promql_how how = {0};
    struct live *l = s->state;

    if (l->n == QUERIES_MAX)
        return err_set(err, ERR_INVALID, "more than %d queries", QUERIES_MAX);
    enum errc rc = promql_parse(text, &l->v[l->n], err);
    if (rc)
        return err_wrap(err, rc, "invalid parameter \"query\"");
    return promql_check(l->v[l->n++], &how, err);
}

void api_live(struct http_request *r)
{
    struct stream *s = stream_new(r, sizeof(struct live));
    const struct params *p = s ? &s->call.params : NULL;
    struct err err = {0};
    int64_t interval;

    if (!s)
        return;
    s->look = look;
    s->fini = fini;
    enum errc rc =
        params_duration(p, STR("interval"), USUAL_MS, &interval, &err);
    for (size_t i = 0; !rc && i < p->n; i++)
        if (str_eq(p->v[i].name, STR("query")))
            rc = take_query(s, p->v[i].value, &err);
    if (!rc && (interval < LEAST_MS || interval > MOST_MS))
        rc = err_set(&err, ERR_INVALID,
                     "invalid parameter \"interval\": between 1s and 1m");
    if (rc)
        stream_refuse(s, rc, err.msg);
    else
        stream_start(s, interval);
}
