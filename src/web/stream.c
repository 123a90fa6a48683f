/*    start --> waiting --due--> looking --home--> waiting ...
 *                 |                |
 *                 | client left    | client left: canceled, then home
 *                 v                v
 *               ended            ended
 */
#include "web/stream.h"

#include "http/stream.h"

enum { MS = 1000000, NEWS_MAX = HTTP_STREAM_MAX };

static struct stream *of_call(struct api_call *c)
{
    return (struct stream *)c;
}

static void end(struct stream *s)
{
    struct control *control = s->call.control;
    struct stream **at = &control->streams;
    struct http_request *r = s->call.r;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    control->n_streams--;
    if (s->fini)
        s->fini(s);
    buf_fini(&s->news);
    r->user = NULL;
    http_stream_end(r);
}

static void gone(struct api_call *c)
{
    struct stream *s = of_call(c);

    s->over = true;
    if (!s->busy)
        end(s);
}

static void come_home(struct task *t)
{
    struct api_call *c = api_call_of(t);
    struct stream *s = of_call(c);

    s->busy = false;
    if (s->over || s->news.failed) {
        end(s);
        return;
    }
    http_stream_put(c->r, buf_str(&s->news));
    buf_clear(&s->news);
}

static void look(struct pool_job *job)
{
    struct stream *s = of_call((struct api_call *)job);

    api_enter(&s->call);
    s->look(s, &s->news);
    api_leave(&s->call);
    loop_post(&s->call.r->loop->loop, &s->call.home);
}

/* When nobody has time for it, at the next tick. */
static void ask(struct stream *s, int64_t now_ns)
{
    if (s->busy || s->over || now_ns < s->due_ns)
        return;
    s->busy = true;
    if (!api_submit(s->call.control, &s->call.job))
        s->busy = false;
    else
        s->due_ns = now_ns + s->interval_ns;
}

void streams_tick(struct control *c, int64_t now_ns)
{
    for (struct stream *s = c->streams; s; s = s->next)
        ask(s, now_ns);
}

struct stream *stream_new(struct http_request *r, size_t state_size)
{
    struct control *control = control_of(r);
    struct stream *s = arena_new(&r->arena, struct stream, 1);
    struct err err = {0};
    enum errc rc = s ? params_read(r, &s->call.params, &err) : ERR_NOMEM;

    if (!rc && state_size) {
        s->state = arena_alloc(&r->arena, 1, state_size, _Alignof(max_align_t));
        rc = s->state ? ERR_OK : ERR_NOMEM;
    }
    if (!rc && control->n_streams >= STREAMS_MAX) {
        err_record(&err, ERR_BUSY, "too many look at it: %d is the limit",
                   STREAMS_MAX);
        rc = ERR_BUSY;
    }
    if (rc) {
        api_reply_error(r, rc, err.msg[0] ? err.msg : "out of memory");
        return NULL;
    }
    s->call.r = r;
    s->call.control = control;
    s->call.job.run = look;
    s->call.home.run = come_home;
    s->call.gone = gone;
    return s;
}

void stream_refuse(struct stream *s, enum errc rc, const char *message)
{
    if (s->fini)
        s->fini(s);
    api_reply_error(s->call.r, rc, message);
}

void stream_start(struct stream *s, int64_t interval_ms)
{
    struct control *control = s->call.control;
    struct http_request *r = s->call.r;

    if (r->method == HTTP_HEAD) {
        if (s->fini)
            s->fini(s);
        http_reply(r, 200, "text/event-stream");
        return;
    }
    buf_init(&s->news, NEWS_MAX);
    s->interval_ns = interval_ms * MS;
    s->next = control->streams;
    control->streams = s;
    control->n_streams++;
    r->user = &s->call;
    http_header(r, "Cache-Control", "no-store");
    http_header(r, "X-Accel-Buffering", "no"); /* nginx is to pass it on */
    http_stream_begin(r, "text/event-stream");
    ask(s, r->loop->loop.now_ns);
}

void stream_event(struct buf *out, const char *name)
{
    buf_printf(out, "event: %s\ndata: ", name);
}

void stream_event_end(struct buf *out)
{
    buf_puts(out, "\n\n");
}
