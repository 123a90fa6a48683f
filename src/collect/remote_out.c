#include "collect/remote_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/protobuf.h"
#include "codec/snappy.h"
#include "io/worker.h"

enum { BODY_MAX = 64 << 20, LABELS_MAX = 1 << 20, LAST_MS = 2000 };

struct waiting {
    uint32_t series;
    int64_t t;
    double v;
};

struct remote_out {
    struct remote_out_options options;
    bool failing;         /* the thread's */
    struct worker worker; /* its lock: of what follows */
    struct waiting *ring;
    size_t first, n;
    int64_t first_ns; /* since when something waits */
    struct remote_out_stats stats;
};

void remote_out_sample(struct remote_out *r, uint32_t series, int64_t t,
                       double v)
{
    size_t capacity = (size_t)r->options.how->capacity;

    worker_lock(&r->worker);
    if (r->n == capacity) {
        r->first = (r->first + 1) % capacity;
        r->n--;
        r->stats.dropped++;
    }
    if (r->n == 0)
        r->first_ns = clock_mono_ns();
    r->ring[(r->first + r->n++) % capacity] = (struct waiting){series, t, v};
    if (r->n == (size_t)r->options.how->batch || r->n == 1)
        worker_wake(&r->worker);
    worker_unlock(&r->worker);
}

/* ---- a request ---------------------------------------------------------- */

static enum errc put_series(struct remote_out *r, const struct waiting *w,
                            struct arena *a, struct buf *series,
                            struct buf *part, struct err *err)
{
    struct labels l = tsdb_labels(r->options.db, w->series, a);
    bool keep = l.n > 0; /* it may have been forgotten */
    enum errc rc = ERR_OK;

    if (keep && r->options.external.n)
        l = labels_with(a, l, r->options.external);
    if (keep)
        rc = relabel_apply(&r->options.how->relabel, l, a, &l, &keep, err);
    if (rc || !keep)
        return rc;
    for (size_t i = 0; i < l.n; i++) {
        buf_clear(part);
        protobuf_put_bytes(part, 1, l.v[i].name);
        protobuf_put_bytes(part, 2, l.v[i].value);
        protobuf_put_bytes(series, 1, buf_str(part));
    }
    buf_clear(part);
    protobuf_put_double(part, 1, w->v);
    protobuf_put_int(part, 2, w->t);
    protobuf_put_bytes(series, 2, buf_str(part));
    return ERR_OK;
}

/* A WriteRequest of these samples, packed. */
static enum errc make(struct remote_out *r, const struct waiting *v, size_t n,
                      struct buf *body, struct err *err)
{
    struct buf request, series, part;
    enum errc rc = ERR_OK;
    struct arena arena;

    arena_init(&arena, LABELS_MAX);
    buf_init(&request, BODY_MAX);
    buf_init(&series, BODY_MAX);
    buf_init(&part, BODY_MAX);
    for (size_t i = 0; i < n && !rc; i++) {
        buf_clear(&series);
        arena_reset(&arena);
        rc = put_series(r, &v[i], &arena, &series, &part, err);
        if (!rc && series.n)
            protobuf_put_bytes(&request, 1, buf_str(&series));
    }
    if (!rc && (request.failed || series.failed || part.failed))
        rc = err_set(err, ERR_LIMIT, "the request is too large");
    if (!rc)
        snappy_encode(buf_str(&request), body);
    buf_fini(&request);
    buf_fini(&series);
    buf_fini(&part);
    arena_fini(&arena);
    return rc;
}

/* ERR_UNAVAIL, ERR_TIMEOUT: worth another try. */
static enum errc post(struct remote_out *r, struct str body, bool last,
                      struct err *err)
{
    static const char *const headers[] = {
        "Content-Encoding: snappy", "X-Prometheus-Remote-Write-Version: 0.1.0",
        NULL};
    const struct remote *how = r->options.how;
    struct fetch_auth auth;
    struct fetch f = {.auth = &auth,
                      .headers = headers,
                      .body = body,
                      .body_type = "application/x-protobuf",
                      .timeout_ms = last ? LAST_MS : how->timeout_ms};
    struct buf url, answer;
    struct arena arena;

    arena_init(&arena, LABELS_MAX);
    buf_init(&url, 4000);
    buf_init(&answer, 1 << 20);
    enum errc rc = secret_get(&how->url, &url, err);
    buf_putc(&url, '\0');
    f.url = url.p;
    if (!rc)
        rc = fetch_auth_make(&how->http, &arena, &auth, err);
    if (!rc)
        rc = fetch_run(&f, &answer, err);
    if (!rc && f.status / 100 != 2)
        rc = err_set(
            err,
            f.status / 100 == 5 || f.status == 429 ? ERR_UNAVAIL : ERR_INVALID,
            "HTTP status %d: %.*s", f.status,
            answer.n > 200 ? 200 : (int)answer.n, answer.n ? answer.p : "");
    buf_fini(&url);
    buf_fini(&answer);
    arena_fini(&arena);
    return rc;
}

/* ---- the thread --------------------------------------------------------- */

static void tell(struct remote_out *r, enum errc rc, const char *why)
{
    if (rc && !r->failing && r->options.say)
        r->options.say(r->options.ctx, true, "remote_write.failed", why);
    if (!rc && r->failing && r->options.say)
        r->options.say(r->options.ctx, false, "remote_write.resumed", "");
    r->failing = rc != ERR_OK;
}

/* Until it is sent, or refused, or the end has come; false: it was not sent.
 * last: the end has come already. */
static bool deliver(struct remote_out *r, const struct waiting *v, size_t n,
                    bool last)
{
    const struct remote *how = r->options.how;
    int64_t pause = how->least_pause_ms;
    struct err err = {0};
    struct buf body;

    buf_init(&body, BODY_MAX);
    enum errc rc = make(r, v, n, &body, &err);
    bool again = !rc;
    while (again) {
        rc = body.n > 1 ? post(r, buf_str(&body), last, &err) : ERR_OK;
        tell(r, rc, err.msg);
        again = (rc == ERR_UNAVAIL || rc == ERR_TIMEOUT) &&
                worker_rest(&r->worker, pause);
        pause = pause * 2 < how->longest_pause_ms ? pause * 2
                                                  : how->longest_pause_ms;
    }
    worker_lock(&r->worker);
    r->stats.sent += rc ? 0 : n;
    r->stats.failed += rc ? n : 0;
    worker_unlock(&r->worker);
    buf_fini(&body);
    return rc == ERR_OK;
}

/* Up to a batch of those that wait, or those there are when they have waited
 * long enough, or at the end. With the lock. */
static size_t take(struct remote_out *r, struct waiting *out)
{
    const struct remote *how = r->options.how;
    size_t n = r->n < (size_t)how->batch ? r->n : (size_t)how->batch;
    bool late =
        clock_mono_ns() - r->first_ns >= how->deadline_ms * INT64_C(1000000);

    if (n < (size_t)how->batch && !late && !r->worker.stopped)
        return 0;
    for (size_t i = 0; i < n; i++)
        out[i] = r->ring[(r->first + i) % (size_t)how->capacity];
    r->first = (r->first + n) % (size_t)how->capacity;
    r->n -= n;
    r->first_ns = clock_mono_ns();
    return n;
}

static void *run(void *arg)
{
    enum { LOOK_MS = 200 };
    struct remote_out *r = arg;
    struct waiting *v = calloc((size_t)r->options.how->batch, sizeof(*v));

    worker_lock(&r->worker);
    bool works = true;
    while (v && (!r->worker.stopped || (r->n && works))) {
        size_t n = take(r, v);
        bool last = r->worker.stopped;
        if (n) {
            worker_unlock(&r->worker);
            works = deliver(r, v, n, last);
            worker_lock(&r->worker);
        } else if (!r->worker.stopped) {
            worker_wait(&r->worker, r->n ? LOOK_MS : 60000);
        }
    }
    worker_unlock(&r->worker);
    free(v);
    return NULL;
}

/* ---- making and ending -------------------------------------------------- */

enum errc remote_out_new(const struct remote_out_options *options,
                         struct remote_out **out, struct err *err)
{
    struct remote_out *r = calloc(1, sizeof(*r));

    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    r->options = *options;
    worker_init(&r->worker);
    r->ring = calloc((size_t)options->how->capacity, sizeof(*r->ring));
    enum errc rc = r->ring ? ERR_OK : ERR_NOMEM;
    if (rc)
        err_record(err, rc, "out of memory");
    else
        rc = worker_start(&r->worker, run, r, err);
    if (rc)
        remote_out_free(r);
    else
        *out = r;
    return rc;
}

void remote_out_free(struct remote_out *r)
{
    if (!r)
        return;
    worker_stop(&r->worker);
    free(r->ring);
    worker_fini(&r->worker);
    free(r);
}

void remote_out_stats(struct remote_out *r, struct remote_out_stats *out)
{
    worker_lock(&r->worker);
    out->sent += r->stats.sent;
    out->failed += r->stats.failed;
    out->dropped += r->stats.dropped;
    out->waiting += r->n;
    worker_unlock(&r->worker);
}
