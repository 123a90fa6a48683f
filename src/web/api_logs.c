/* api_logs.c - GET /api/v1/logs: the newest lines, and for whoever accepts
 * text/event-stream those that come, too.
 *
 *     level=warn        that level and above
 *     model=, request_id=, contains=
 *     limit=1000        the newest ones
 *
 *     {"lines":[{...},...],"lost":0}
 *
 * Lines are objects as they were written; one that is none is {"raw":"..."}.
 * lost: lines that came and went since the last event.
 */
#include "logs/line.h"
#include "logs/logs.h"
#include "web/stream.h"

enum { LINES_MAX = 5000, USUAL_LINES = 1000, LOOK_MS = 500 };

/* What one client has seen, and what it wants to see. */
struct looking {
    struct line_filter filter;
    uint64_t limit, next, lost;
    bool began;
};

/* One look. */
struct showing {
    const struct line_filter *filter;
    struct buf *out;
    uint64_t skip; /* so many of those that match are older than the limit */
    uint64_t shown;
};

static void count_line(void *ctx, struct str line)
{
    struct showing *s = ctx;

    s->shown += line_matches(line, s->filter);
}

static void put_line(void *ctx, struct str text)
{
    struct showing *s = ctx;
    struct arena a;
    struct line l;

    if (!line_matches(text, s->filter) || s->shown++ < s->skip)
        return;
    arena_init(&a, 4 * LINE_BYTES_MAX);
    line_read(text, &a, &l);
    buf_puts(s->out, s->shown > s->skip + 1 ? "," : "");
    if (l.json) {
        buf_put(s->out, text);
    } else {
        buf_put_field(s->out, "{\"raw\":", text);
        buf_putc(s->out, '}');
    }
    arena_fini(&a);
}

/* True when there is news. */
static bool put_lines(struct control *c, struct looking *l, struct buf *out)
{
    struct book *book = logs_book(c->logs);
    struct showing s = {.filter = &l->filter, .out = out};
    uint64_t lost;

    (void)book_read(book, l->next, count_line, &s, &lost);
    s.skip = s.shown > l->limit ? s.shown - l->limit : 0;
    s.shown = 0;
    buf_puts(out, "{\"lines\":[");
    l->next = book_read(book, l->next, put_line, &s, &lost);
    l->lost = l->began ? lost : 0;
    l->began = true;
    buf_printf(out, "],\"lost\":%llu}", (unsigned long long)l->lost);
    return s.shown > s.skip || l->lost;
}

static enum errc read_filter(const struct params *p, struct looking *out,
                             struct err *err)
{
    struct str level = params_get(p, STR("level"));
    enum log_level least = LOG_DEBUG;

    if (level.n && !log_level_parse(level, &least))
        return err_set(err, ERR_INVALID,
                       "invalid parameter \"level\": debug, info, warn or "
                       "error");
    out->filter = (struct line_filter){
        .least = (int)least,
        .model = params_get(p, STR("model")),
        .request_id = params_get(p, STR("request_id")),
        .contains = params_get(p, STR("contains")),
    };
    enum errc rc = params_limit(p, &out->limit, err);
    if (!rc && !out->limit)
        out->limit = USUAL_LINES;
    if (!rc && out->limit > LINES_MAX)
        return err_set(err, ERR_INVALID,
                       "invalid parameter \"limit\": at most %d", LINES_MAX);
    return rc;
}

static enum errc list(struct api_call *c, struct err *err)
{
    struct looking l = {0};
    enum errc rc = read_filter(&c->params, &l, err);

    if (!rc)
        (void)put_lines(c->control, &l, http_out(c->r));
    return rc;
}

static void look(struct stream *s, struct buf *out)
{
    stream_event(out, "lines");
    if (put_lines(s->call.control, s->state, out))
        stream_event_end(out);
    else
        buf_clear(out);
}

void api_logs(struct http_request *r)
{
    struct err err = {0};

    if (!http_accepts(r, "text/event-stream")) {
        api_run(r, list);
        return;
    }
    struct stream *s = stream_new(r, sizeof(struct looking));
    if (!s)
        return;
    s->look = look;
    enum errc rc = read_filter(&s->call.params, s->state, &err);
    if (rc)
        stream_refuse(s, rc, err.msg);
    else
        stream_start(s, LOOK_MS);
}
