/* Connections of one loop: lists, time limits, events. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/conn_internal.h"

enum { MIN_RATE = 10240, MS = 1000000 }; /* bytes a second, see conn_sweep */

void conn_list_add(struct conn_list *list, struct conn *c)
{
    c->next = NULL;
    c->prev = list->last;
    if (list->last)
        list->last->next = c;
    else
        list->first = c;
    list->last = c;
}

void conn_list_remove(struct conn_list *list, struct conn *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        list->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        list->last = c->prev;
}

static struct conn_list *list_of(struct conn *c)
{
    return c->in_idle ? &c->loop->idle : &c->loop->busy;
}

static void on_ready(struct watch *w, uint32_t events)
{
    struct conn *c = (struct conn *)w;

    if (c->state == CONN_WAIT) {
        if (events & (EPOLLHUP | EPOLLERR)) {
            conn_close(c);
            return;
        }
    } else if (events & EPOLLERR) {
        conn_close(c);
        return;
    }
    if (events & EPOLLOUT)
        conn_advance(c);
    else if (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP))
        conn_receive(c);
}

void conn_open(struct http_loop *l, int fd, const unsigned char address[16],
               uint16_t port)
{
    struct conn *c = calloc(1, sizeof(*c));

    if (!c) {
        (void)close(fd);
        return;
    }
    c->watch = (struct watch){.fd = fd, .ready = on_ready};
    c->loop = l;
    c->in_idle = true;
    c->events = EPOLLIN;
    memcpy(c->address, address, sizeof(c->address));
    c->port = port;
    c->deadline_ns =
        l->loop.now_ns + (int64_t)l->server->limits.idle_timeout_ms * MS;
    if (loop_add(&l->loop, &c->watch, c->events, NULL)) {
        (void)close(fd);
        free(c);
        return;
    }
    conn_list_add(&l->idle, c);
    atomic_fetch_add(&l->connections, 1);
}

/* A request that somebody else is working on keeps its buffers; it is released
 * when its answer comes. */
static void orphan(struct conn *c)
{
    struct http_request *r = c->req;

    r->conn = NULL;
    r->in = c->in;
    c->in = NULL;
    c->req = NULL;
    atomic_store(&r->gone, true);
    if (c->loop->server->hooks.gone)
        c->loop->server->hooks.gone(c->loop->server->hooks.ctx, r);
}

void conn_close(struct conn *c)
{
    struct http_loop *l = c->loop;

    if (c->req && c->state == CONN_WAIT && !c->replied)
        orphan(c);
    else if (c->req)
        request_release(c->req);
    if (c->in)
        inbuf_release(l, c->in);
    conn_list_remove(list_of(c), c);
    (void)close(c->watch.fd);
    free(c);
    atomic_fetch_sub(&l->connections, 1);
}

void conn_drop_idle(struct http_loop *l)
{
    if (l->idle.first)
        conn_close(l->idle.first);
}

/* A body must keep coming: a grace period, then MIN_RATE on the average. */
static bool too_slow(const struct conn *c, int64_t now)
{
    int64_t earned = (int64_t)(c->body_bytes / MIN_RATE) * 1000 * MS;
    return now > c->deadline_ns + earned;
}

static void sweep_busy(struct http_loop *l, struct conn *c, int64_t now)
{
    switch ((enum conn_state)c->state) {
    case CONN_HEAD:
    case CONN_BODY:
        if (c->state == CONN_BODY ? !too_slow(c, now) : now < c->deadline_ns)
            return;
        if (!c->req)
            c->req = request_take(l);
        if (!c->req) {
            conn_close(c);
            return;
        }
        c->req->conn = c;
        c->req->keep_alive = false;
        c->state = CONN_WAIT;
        http_reply_error(c->req, 408,
                         "the request did not arrive in time; it must keep "
                         "coming at %d bytes a second or more",
                         MIN_RATE);
        return;
    case CONN_WRITE:
    case CONN_LINGER:
        if (now >= c->deadline_ns)
            conn_close(c);
        return;
    case CONN_WAIT:
        return;
    }
}

void conn_sweep(struct http_loop *l)
{
    int64_t now = l->loop.last_tick_ns, due = now;

    /* Deadlines are those of the usual time to be idle. */
    if (atomic_load(&l->server->draining))
        due += (int64_t)l->server->limits.idle_timeout_ms * MS -
               atomic_load(&l->server->linger_ns);
    while (l->idle.first && l->idle.first->deadline_ns <= due)
        conn_close(l->idle.first);
    for (struct conn *c = l->busy.first, *next; c; c = next) {
        next = c->next;
        sweep_busy(l, c, now);
    }
}

struct gift {
    struct task task;
    struct conn *conn;
    struct http_loop *to;
};

static void receive_gift(struct task *t)
{
    struct gift *g = (struct gift *)t;
    struct conn *c = g->conn;

    c->loop = g->to;
    if (loop_add(&g->to->loop, &c->watch, c->events, NULL)) {
        (void)close(c->watch.fd);
        free(c);
        atomic_fetch_sub(&g->to->connections, 1);
    } else {
        conn_list_add(&g->to->idle, c);
    }
    free(g);
}

void conn_give(struct http_loop *from, struct http_loop *to, unsigned n)
{
    /* The most recently used ones: they carry the load. */
    for (struct conn *c = from->idle.last, *prev; c && n; c = prev, n--) {
        struct gift *g = malloc(sizeof(*g));
        prev = c->prev;
        if (!g)
            return;
        *g = (struct gift){.task.run = receive_gift, .conn = c, .to = to};
        loop_remove(&from->loop, &c->watch);
        conn_list_remove(&from->idle, c);
        atomic_fetch_sub(&from->connections, 1);
        atomic_fetch_add(&to->connections, 1);
        loop_post(&to->loop, &g->task);
    }
}
