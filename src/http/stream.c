#include "http/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/conn_internal.h"

enum { KEEP_SENT = 65536 }; /* bytes in front of those that wait */

/* The connection is closed by the loop, which is told that nobody is there:
 * closing it here would call hooks.gone under the owner's feet. */
static void drop(struct conn *c)
{
    (void)shutdown(c->watch.fd, SHUT_RDWR);
}

void conn_stream_flush(struct conn *c)
{
    struct buf *out = &c->req->out;

    while (c->sent < out->n) {
        ssize_t n =
            send(c->watch.fd, out->p + c->sent, out->n - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            drop(c);
        if (n < 0)
            break;
        c->sent += (size_t)n;
    }
    if (c->sent == out->n) {
        out->n = c->sent = 0;
    } else if (c->sent > KEEP_SENT) {
        memmove(out->p, out->p + c->sent, out->n - c->sent);
        out->n -= c->sent;
        c->sent = 0;
    }
    conn_want(c, out->n ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void http_stream_begin(struct http_request *r, const char *content_type)
{
    struct conn *c = r->conn;

    r->status = 200;
    r->content_type = content_type;
    r->keep_alive = false;
    r->endless = true;
    if (!c)
        return;
    c->sent = HTTP_HEADROOM - reply_front(r, &r->out, 0);
    conn_stream_flush(c);
}

void http_stream_put(struct http_request *r, struct str bytes)
{
    struct conn *c = r->conn;

    if (!c || !bytes.n)
        return;
    r->bytes_out += bytes.n;
    if (r->out.n - c->sent + bytes.n <= HTTP_STREAM_MAX)
        buf_put(&r->out, bytes);
    else
        r->out.failed = true;
    if (r->out.failed)
        drop(c);
    else
        conn_stream_flush(c);
}

void http_stream_end(struct http_request *r)
{
    struct http_server *s = r->loop->server;
    struct conn *c = r->conn;

    if (s->hooks.done)
        s->hooks.done(s->hooks.ctx, r);
    if (!c) {
        request_release(r);
        return;
    }
    c->replied = true;
    conn_advance(c);
}
