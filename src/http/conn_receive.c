/* From the socket to the buffers. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "http/conn_internal.h"

enum {
    MS = 1000000,
    READ_PER_TURN = 4 << 20, /* fairness among connections */
    DRAIN_MAX = 64 << 20,    /* of a refused body */
};

static void become_busy(struct conn *c)
{
    if (!c->in_idle)
        return;
    conn_list_remove(&c->loop->idle, c);
    conn_list_add(&c->loop->busy, c);
    c->in_idle = false;
    c->deadline_ns = c->loop->loop.now_ns +
                     (int64_t)c->loop->server->limits.header_timeout_ms * MS;
}

/* recv() with the answers that matter: >0 bytes, 0 nothing now, -1 the end. */
static ssize_t take(struct conn *c, char *to, size_t n)
{
    ssize_t got = recv(c->watch.fd, to, n, 0);

    if (got > 0)
        return got;
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return -1;
}

static void on_eof(struct conn *c)
{
    if (c->state == CONN_WAIT && c->req && !c->replied && !c->req->endless) {
        /* Half-closed while we work: the client may still read. Only ask to
         * be told when it is entirely gone. */
        c->eof = true;
        c->req->keep_alive = false;
        c->events = 0;
        loop_change(&c->loop->loop, &c->watch, 0);
        return;
    }
    conn_close(c);
}

static void drain(struct conn *c)
{
    char nowhere[16384];
    size_t total = 0;

    while (total < READ_PER_TURN) {
        ssize_t got = take(c, nowhere, sizeof(nowhere));
        if (got < 0) {
            conn_close(c);
            return;
        }
        if (got == 0)
            return;
        total += (size_t)got;
        c->body_bytes += (size_t)got;
        if (c->body_bytes > DRAIN_MAX) {
            conn_close(c);
            return;
        }
    }
}

/* Straight into the body, as long as there is more. */
static void receive_large(struct conn *c)
{
    struct http_request *r = c->req;
    size_t total = 0;

    while (r->large_have < r->large_n && total < READ_PER_TURN) {
        ssize_t got =
            take(c, r->large + r->large_have, r->large_n - r->large_have);
        if (got < 0) {
            conn_close(c);
            return;
        }
        if (got == 0)
            break;
        r->large_have += (size_t)got;
        total += (size_t)got;
        c->body_bytes += (size_t)got;
    }
    conn_advance(c);
}

void conn_receive(struct conn *c)
{
    if (c->state == CONN_LINGER) {
        drain(c);
        return;
    }
    if (c->state == CONN_BODY && c->req->large) {
        receive_large(c);
        return;
    }
    become_busy(c);
    if (!c->in)
        c->in = inbuf_take(c->loop);
    if (!c->in) {
        conn_close(c);
        return;
    }
    size_t room = IN_SIZE - c->in->n;
    if (room == 0) {
        /* Somebody pipelines more than we take while a request is served. */
        c->events = 0;
        loop_change(&c->loop->loop, &c->watch, 0);
        return;
    }
    ssize_t got = take(c, c->in->data + c->in->n, room);
    if (got < 0) {
        on_eof(c);
        return;
    }
    c->in->n += (size_t)got;
    if (c->state == CONN_BODY)
        c->body_bytes += c->req->head.chunked ? 0 : (size_t)got;
    conn_advance(c);
}
