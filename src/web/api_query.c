/* api_query.c - queries at one moment and over a range. */
#include "base/clock.h"
#include "web/api.h"

static enum errc parse(struct api_call *c, struct promql_expr **x,
                       struct err *err)
{
    struct str text = params_get(&c->params, STR("query"));
    enum errc rc = promql_parse(text, x, err);

    return rc ? err_wrap(err, rc, "invalid parameter \"query\"") : ERR_OK;
}

static enum errc answer(struct api_call *c, struct promql_how *how,
                        struct err *err)
{
    struct promql_expr *x;
    struct promql_result result;
    uint64_t limit;

    enum errc rc = params_limit(&c->params, &limit, err);
    if (!rc)
        rc = params_duration(&c->params, STR("timeout"),
                             c->control->options.query_timeout_ms,
                             &how->timeout, err);
    if (!rc)
        rc = params_duration(&c->params, STR("lookback_delta"), 0,
                             &how->lookback, err);
    if (!rc)
        rc = parse(c, &x, err);
    if (rc)
        return rc;
    rc = promql_check(x, how, err);
    if (rc) {
        promql_free(x);
        return rc;
    }
    if (how->timeout > c->control->options.query_timeout_ms)
        how->timeout = c->control->options.query_timeout_ms;
    how->db = c->control->db;
    how->canceled = &c->canceled;
    rc = promql_query(x, how, &result, err);
    if (rc) {
        c->executing = true;
        promql_free(x);
        return rc;
    }
    if (limit && result.n > limit)
        result.n = limit;
    api_put_result(http_out(c->r), &result, c->r);
    api_take_notes(c, &result);
    promql_result_fini(&result);
    promql_free(x);
    return ERR_OK;
}

static enum errc query(struct api_call *c, struct err *err)
{
    struct promql_how how = {0};
    enum errc rc =
        params_time(&c->params, STR("time"), clock_wall_ms(), &how.start, err);

    how.end = how.start;
    return rc ? rc : answer(c, &how, err);
}

static enum errc check_range(const struct promql_how *how, struct err *err)
{
    if (how->end < how->start)
        return err_set(err, ERR_INVALID,
                       "invalid parameter \"end\": end timestamp must not be "
                       "before start time");
    if (how->step <= 0)
        return err_set(err, ERR_INVALID,
                       "invalid parameter \"step\": zero or negative query "
                       "resolution step widths are not accepted. Try a "
                       "positive integer");
    if ((how->end - how->start) / how->step > PROMQL_MAX_POINTS)
        return err_set(err, ERR_INVALID,
                       "exceeded maximum resolution of 11,000 points per "
                       "timeseries. Try decreasing the query resolution "
                       "(?step=XX)");
    return ERR_OK;
}

static enum errc query_range(struct api_call *c, struct err *err)
{
    struct promql_how how = {.range = true};
    enum errc rc =
        params_time(&c->params, STR("start"), INT64_MIN, &how.start, err);

    if (!rc)
        rc = params_time(&c->params, STR("end"), INT64_MIN, &how.end, err);
    if (!rc)
        rc =
            params_duration(&c->params, STR("step"), INT64_MIN, &how.step, err);
    if (!rc)
        rc = check_range(&how, err);
    return rc ? rc : answer(c, &how, err);
}

static enum errc format_query(struct api_call *c, struct err *err)
{
    struct promql_expr *x;
    struct buf text;
    enum errc rc = parse(c, &x, err);

    if (rc)
        return rc;
    buf_init(&text, 16 * PROMQL_MAX_BYTES);
    promql_pretty(x->root, &text);
    if (text.failed)
        rc = err_set(err, ERR_LIMIT, "the text of the query is too long");
    else
        buf_put_quoted(http_out(c->r), buf_str(&text));
    buf_fini(&text);
    promql_free(x);
    return rc;
}

/* There are none: nothing keeps them. */
static enum errc query_exemplars(struct api_call *c, struct err *err)
{
    struct promql_expr *x;
    enum errc rc = promql_parse(params_get(&c->params, STR("query")), &x, err);

    if (rc)
        return rc;
    promql_free(x);
    buf_puts(http_out(c->r), "[]");
    return ERR_OK;
}

void api_query_exemplars(struct http_request *r)
{
    api_run(r, query_exemplars);
}

void api_query(struct http_request *r)
{
    api_run(r, query);
}

void api_query_range(struct http_request *r)
{
    api_run(r, query_range);
}

void api_format_query(struct http_request *r)
{
    api_run(r, format_query);
}
