/* Streams of lines, by level: labels are to be few, all else stays in the
 * line. */
#include "base/clock.h"
#include "logs/line.h"
#include "logs/ship_internal.h"

static const char *const levels[] = {"debug", "info", "warn", "error"};

struct entry {
    int level;
    int64_t ms;
};

static void read_entries(const struct ship_batch *b, struct entry *v)
{
    struct arena a;
    struct line l;

    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < b->n; i++) {
        enum log_level level = LOG_INFO;
        arena_reset(&a);
        line_read(b->v[i].text, &a, &l);
        (void)log_level_parse(l.level, &level);
        v[i].level = (int)level;
        if (!clock_parse(l.time, &v[i].ms))
            v[i].ms = clock_wall_ms();
    }
    arena_fini(&a);
}

static void put_stream(const struct ship_batch *b, const struct entry *v,
                       int level, bool first, struct buf *body)
{
    bool any = false;

    for (size_t i = 0; i < b->n; i++) {
        if (v[i].level != level)
            continue;
        if (!any) {
            buf_put_field(body,
                          first ? "{\"stream\":{\"host\":"
                                : ",{\"stream\":{\"host\":",
                          str_from_cstr(b->host));
            buf_printf(body,
                       ",\"level\":\"%s\",\"service_name\":\"stoker\"},"
                       "\"values\":[",
                       levels[level]);
        }
        buf_printf(body, "%s[\"%lld000000\",", any ? "," : "",
                   (long long)v[i].ms);
        buf_put_quoted(body, b->v[i].text);
        buf_putc(body, ']');
        any = true;
    }
    if (any)
        buf_puts(body, "]}");
}

static void put(const struct ship_batch *b, struct buf *body)
{
    struct arena a;

    arena_init(&a, 1 << 20);
    struct entry *v = arena_new(&a, struct entry, b->n);
    buf_puts(body, "{\"streams\":[");
    if (v) {
        size_t start = body->n;
        read_entries(b, v);
        for (int level = 0; level < (int)COUNT(levels); level++)
            put_stream(b, v, level, body->n == start, body);
    }
    buf_puts(body, "]}");
    body->failed |= !v;
    arena_fini(&a);
}

const struct receiver receiver_loki = {"/loki/api/v1/push", "application/json",
                                       put, NULL};
