/* stream.h - answers that go on, as server-sent events: a piece of work that is
 * done again and again for one client, whose outcome is sent each time.
 *
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
#ifndef WEB_STREAM_H
#define WEB_STREAM_H

#include "web/api.h"

enum { STREAMS_MAX = 100 };

/* Lives in its request's memory. */
struct stream {
    struct api_call call;
    struct stream *next;
    /* Writes what is to be sent, one event or more, or nothing. On a thread
     * for queries, never twice at once. */
    void (*look)(struct stream *s, struct buf *out);
    void (*fini)(struct stream *s); /* of its state; may be NULL */
    void *state;
    int64_t interval_ns, due_ns;
    bool busy, over;
    struct buf news;
};

/* A stream for this request, with its parameters read, or NULL: it was
 * answered with an error. `state_size` bytes of state are zero. */
struct stream *stream_new(struct http_request *r, size_t state_size);

/* Instead of stream_start(): answers with an error. */
void stream_refuse(struct stream *s, enum errc rc, const char *message);

/* Begins; look() is called at once, and then at every interval. */
void stream_start(struct stream *s, int64_t interval_ms);

/* Every 100 ms or so, on the loop. */
void streams_tick(struct control *c, int64_t now_ns);

/* event: NAME, data: what was written behind it until stream_event_end(). The
 * data is JSON on one line. */
void stream_event(struct buf *out, const char *name);
void stream_event_end(struct buf *out);

/* ---- handlers ----------------------------------------------------------- */

void api_live(struct http_request *r); /* queries, again and again */
void api_logs(struct http_request *r); /* lines, as they come */

#endif
