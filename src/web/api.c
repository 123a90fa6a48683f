/* api.c - the envelope: {"status":"success","data":...}.
 *
 * An answer that is not a success has an error type, and a status that goes
 * with it: 400 for a request that cannot be right, 422 for a query that cannot
 * be answered, 503 for one that took too long or was canceled. */
#include "web/api.h"

#include <string.h>

#include "codec/go_float.h"
#include "codec/number.h"
#include "http/pieces.h"

const char *api_error_type(enum errc rc, bool executing, int *status)
{
    switch ((int)rc) {
    case ERR_TIMEOUT:
        *status = 503;
        return "timeout";
    case ERR_CANCELED:
        *status = 503;
        return "canceled";
    case ERR_NOT_FOUND:
        *status = 404;
        return "not_found";
    case ERR_INVALID:
    case ERR_LIMIT:
    case ERR_NOMEM:
        *status = executing ? 422 : 400;
        return executing ? "execution" : "bad_data";
    case ERR_BUSY:
    case ERR_UNAVAIL:
        *status = 503;
        return "unavailable";
    default:
        *status = 500;
        return "internal";
    }
}

static void set_error(struct http_request *r, enum errc rc, bool executing,
                      const char *message)
{
    struct buf *b = http_out(r);
    const char *type = api_error_type(rc, executing, &r->status);

    b->n = HTTP_HEADROOM;
    b->failed = false;
    buf_printf(b,
               "{\"status\":\"error\",\"errorType\":\"%s\",\"error\":", type);
    buf_put_quoted(b, str_from_cstr(message));
    buf_putc(b, '}');
}

/* A line, or in an answer that would be JSON a text in quotes, as Alertmanager
 * has it. */
static void set_plain_error(struct api_call *c, enum errc rc,
                            const char *message)
{
    bool json = strcmp(c->plain, "application/json") == 0;
    struct buf *b = http_out(c->r);

    (void)api_error_type(rc, c->executing, &c->r->status);
    b->n = HTTP_HEADROOM;
    b->failed = false;
    if (json) {
        buf_put_quoted(b, str_from_cstr(message));
    } else {
        c->plain = "text/plain; charset=utf-8";
        buf_puts(b, message);
    }
    buf_putc(b, '\n');
}

/* Warnings and remarks, of which there may be none. */
static void put_notes(struct buf *b, const struct api_call *c, bool warnings)
{
    bool any = false;

    for (size_t i = 0; i < c->n_notes; i++) {
        if (c->notes[i].warning != warnings)
            continue;
        buf_puts(b, any ? "," : warnings ? ",\"warnings\":[" : ",\"infos\":[");
        buf_put_quoted(b, c->notes[i].text);
        any = true;
    }
    if (any)
        buf_putc(b, ']');
}

void api_take_notes(struct api_call *c, const struct promql_result *r)
{
    struct arena *a = &c->r->arena;

    c->notes = arena_new(a, struct promql_note, r->n_notes + 1);
    for (size_t i = 0; c->notes && i < r->n_notes; i++) {
        const char *copy = arena_cstr(a, r->notes[i].text);
        if (copy)
            c->notes[c->n_notes++] = (struct promql_note){
                {copy, r->notes[i].text.n}, r->notes[i].warning};
    }
}

struct api_call *api_call_of(struct task *home)
{
    return (struct api_call *)(void *)((char *)home -
                                       offsetof(struct api_call, home));
}

static void go_home(struct task *t)
{
    struct api_call *c = api_call_of(t);
    struct http_request *r = c->r;

    r->user = NULL;
    http_reply(r, r->status, c->plain ? c->plain : "application/json");
}

/* ---- what is running ---------------------------------------------------- */

void api_enter(struct api_call *c)
{
    struct control *control = c->control;

    pthread_mutex_lock(&control->lock);
    if (control->stopping)
        atomic_store(&c->canceled, true);
    c->next = control->running;
    c->link = &control->running;
    if (c->next)
        c->next->link = &c->next;
    control->running = c;
    pthread_mutex_unlock(&control->lock);
}

void api_leave(struct api_call *c)
{
    pthread_mutex_lock(&c->control->lock);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    pthread_mutex_unlock(&c->control->lock);
}

void api_cancel_all(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    for (struct api_call *call = c->running; call; call = call->next)
        atomic_store(&call->canceled, true);
    pthread_mutex_unlock(&c->lock);
}

bool api_submit(struct control *c, struct pool_job *job)
{
    pthread_mutex_lock(&c->lock);
    bool taken = !c->stopping && pool_submit(c->queries, job);
    pthread_mutex_unlock(&c->lock);
    return taken;
}

static void do_work(struct pool_job *job)
{
    struct api_call *c = (struct api_call *)job;
    struct http_request *r = c->r;
    struct buf *b = http_out(r);
    struct err err = {0};

    r->status = 200;
    if (!c->plain)
        buf_puts(b, "{\"status\":\"success\",\"data\":");
    api_enter(c);
    enum errc rc = c->work(c, &err);
    api_leave(c);
    if (!rc && !c->plain) {
        put_notes(b, c, true);
        put_notes(b, c, false);
        buf_putc(b, '}');
    }
    if (!rc && b->failed && !r->in_pieces) {
        rc = ERR_LIMIT;
        err_record(&err, rc, "the answer is too large: ask for less");
    }
    if (rc && c->plain)
        set_plain_error(c, rc, err.msg);
    else if (rc)
        set_error(r, rc, c->executing, err.msg);
    loop_post(&r->loop->loop, &c->home);
}

void api_reply_error(struct http_request *r, enum errc rc, const char *message)
{
    set_error(r, rc, false, message);
    http_reply(r, r->status, "application/json");
}

static void start(struct http_request *r, const char *plain,
                  enum errc (*work)(struct api_call *c, struct err *err))
{
    /* In the request's memory: it goes when the request goes. */
    struct api_call *c = arena_new(&r->arena, struct api_call, 1);
    struct err err = {0};

    if (!c) {
        api_reply_error(r, ERR_UNAVAIL, "out of memory");
        return;
    }
    c->r = r;
    c->control = control_of(r);
    c->work = work;
    c->plain = plain;
    c->job.run = do_work;
    c->home.run = go_home;
    enum errc rc = params_read(r, &c->params, &err);
    r->user = c;
    r->may_compress = true;
    if (!rc && api_submit(c->control, &c->job))
        return;
    r->user = NULL;
    api_reply_error(r, rc ? rc : ERR_BUSY,
                    rc ? err.msg
                       : "too many queries are waiting: try again later");
}

void api_run(struct http_request *r,
             enum errc (*work)(struct api_call *c, struct err *err))
{
    start(r, NULL, work);
}

void api_run_plain(struct http_request *r, const char *media_type,
                   enum errc (*work)(struct api_call *c, struct err *err))
{
    start(r, media_type, work);
}

void api_cancel(struct http_request *r)
{
    struct api_call *c = r->user;

    if (!c)
        return;
    atomic_store(&c->canceled, true);
    if (c->gone)
        c->gone(c);
}

/* ---- values ------------------------------------------------------------- */

enum { TIME_MAX = 32 };

/* Seconds, with three digits behind the point unless they are all 0. Returns
 * what is behind them. */
static char *write_time(char *to, int64_t ms)
{
    uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    unsigned rest = (unsigned)(size % 1000);

    if (ms < 0)
        *to++ = '-';
    to += number_write_u64(to, size / 1000);
    if (!rest)
        return to;
    *to++ = '.';
    *to++ = (char)('0' + rest / 100);
    *to++ = (char)('0' + rest / 10 % 10);
    *to++ = (char)('0' + rest % 10);
    return to;
}

static void put_time(struct buf *out, int64_t ms)
{
    char *to = buf_reserve(out, TIME_MAX);

    if (to)
        out->n += (size_t)(write_time(to, ms) - to);
}

/* [1795981834.334,"0.5"], in place: a day of many series has millions. */
static void put_point(struct buf *out, const struct promql_point *p)
{
    char *from = buf_reserve(out, GO_FLOAT_MAX + TIME_MAX + 8), *to = from;

    if (!to)
        return;
    *to++ = '[';
    to = write_time(to, p->t);
    *to++ = ',';
    *to++ = '"';
    to += go_float_api(to, p->v);
    *to++ = '"';
    *to++ = ']';
    out->n += (size_t)(to - from);
}

static void put_series(struct buf *out, const struct promql_result *r,
                       struct http_request *to)
{
    bool one = r->type == PROMQL_VECTOR;

    buf_putc(out, '[');
    for (size_t i = 0; i < r->n; i++) {
        const struct promql_series *s = &r->series[i];
        buf_puts(out, i ? ",{\"metric\":" : "{\"metric\":");
        labels_put_json(out, s->labels);
        buf_puts(out, one ? ",\"value\":" : ",\"values\":[");
        for (size_t k = 0; k < s->n; k++) {
            if (k)
                buf_putc(out, ',');
            put_point(out, &s->points[k]);
        }
        buf_puts(out, one ? "}" : "]}");
        if (to)
            http_send_pieces(to, "application/json");
    }
    buf_putc(out, ']');
}

void api_put_result(struct buf *out, const struct promql_result *r,
                    struct http_request *to)
{
    static const char *const types[] = {"scalar", "vector", "matrix", "string"};

    /* In this order: readers that stream need to know the type first. */
    buf_printf(out, "{\"resultType\":\"%s\",\"result\":", types[r->type]);
    if (r->type == PROMQL_STRING) {
        buf_putc(out, '[');
        put_time(out, r->time);
        buf_putc(out, ',');
        buf_put_quoted(out, r->text);
        buf_putc(out, ']');
    } else if (r->type == PROMQL_SCALAR) {
        put_point(out, &r->series[0].points[0]);
    } else {
        put_series(out, r, to);
    }
    buf_putc(out, '}');
}
