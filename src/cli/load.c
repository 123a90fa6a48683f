#include "cli/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "io/socket.h"

/* Latencies in a histogram of 64 steps per power of two: 1.6 % wide. */
enum { STEPS = 64, BUCKETS = STEPS * 48, REPLY_MAX = 1 << 30, READ = 65536 };

struct client {
    int fd;
    size_t sent;
    int64_t began_ns;
    struct buf in;
};

struct load {
    const struct client_url *url;
    struct str request;
    struct client *clients;
    int n, epoll_fd;
    uint64_t histogram[BUCKETS];
    struct load_result result;
    int64_t max_ns;
};

static unsigned bucket_of(int64_t ns)
{
    uint64_t v = ns > 0 ? (uint64_t)ns : 1;
    unsigned top = 63 - (unsigned)__builtin_clzll(v);
    unsigned step = top >= 6 ? (unsigned)(v >> (top - 6)) & (STEPS - 1)
                             : (unsigned)(v << (6 - top)) & (STEPS - 1);
    unsigned i = top * STEPS + step;
    return i < BUCKETS ? i : BUCKETS - 1;
}

static double percentile(const struct load *l, double q)
{
    uint64_t want = (uint64_t)((double)l->result.requests * q), seen = 0;

    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += l->histogram[i];
        if (seen > want)
            return (double)(UINT64_C(1) << (i / STEPS)) *
                   (1 + (double)(i % STEPS) / STEPS) * 1e-6;
    }
    return (double)l->max_ns * 1e-6;
}

static void watch(struct load *l, struct client *c, uint32_t events, int op)
{
    struct epoll_event e = {.events = events, .data.ptr = c};

    (void)epoll_ctl(l->epoll_fd, op, c->fd, &e);
}

static enum errc connect_client(struct load *l, struct client *c,
                                struct err *err)
{
    enum errc rc =
        socket_connect(l->url->host, l->url->port, 5000, &c->fd, err);

    if (rc)
        return rc;
    (void)fcntl(c->fd, F_SETFL, O_NONBLOCK);
    buf_clear(&c->in);
    c->sent = 0;
    watch(l, c, EPOLLOUT, EPOLL_CTL_ADD);
    return ERR_OK;
}

/* The connection is of no more use: count it and take a new one. */
static enum errc replace(struct load *l, struct client *c, struct err *err)
{
    (void)close(c->fd);
    c->fd = -1;
    return connect_client(l, c, err);
}

static bool send_more(struct load *l, struct client *c)
{
    if (c->sent == 0)
        c->began_ns = clock_mono_ns();
    ssize_t put = send(c->fd, l->request.p + c->sent, l->request.n - c->sent,
                       MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR;
    c->sent += (size_t)put;
    watch(l, c, c->sent < l->request.n ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
    return true;
}

/* 1: a whole reply; 0: not yet; -1: broken. */
static int reply_complete(struct client *c, int *status)
{
    int64_t length;
    bool chunked;
    long head = client_head(buf_str(&c->in), status, &length, &chunked);

    if (head <= 0)
        return (int)head;
    if (chunked)
        return c->in.n >= 5 &&
               memcmp(c->in.p + c->in.n - 5, "0\r\n\r\n", 5) == 0;
    return length < 0 ? -1 : c->in.n - (size_t)head >= (uint64_t)length;
}

static void count(struct load *l, struct client *c, int status)
{
    int64_t took = clock_mono_ns() - c->began_ns;

    l->result.requests++;
    l->histogram[bucket_of(took)]++;
    l->max_ns = took > l->max_ns ? took : l->max_ns;
    if (status != 200) {
        if (l->result.errors++ == 0)
            l->result.first_error = status;
    }
}

static enum errc on_input(struct load *l, struct client *c, struct err *err)
{
    int status = 0;
    char *at = buf_reserve(&c->in, READ);
    ssize_t got = at ? recv(c->fd, at, READ, 0) : -1;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return ERR_OK;
    if (got <= 0) {
        count(l, c, 0);
        return replace(l, c, err);
    }
    c->in.n += (size_t)got;
    int done = reply_complete(c, &status);
    if (done == 0)
        return ERR_OK;
    count(l, c, done < 0 ? 0 : status);
    if (done < 0)
        return replace(l, c, err);
    buf_clear(&c->in);
    c->sent = 0;
    return send_more(l, c) ? ERR_OK : replace(l, c, err);
}

static enum errc turn(struct load *l, struct err *err)
{
    struct epoll_event events[256];
    int n = epoll_wait(l->epoll_fd, events, 256, 100);
    enum errc rc = ERR_OK;

    for (int i = 0; i < n && !rc; i++) {
        struct client *c = events[i].data.ptr;
        if (events[i].events & (EPOLLERR | EPOLLHUP)) {
            count(l, c, 0);
            rc = replace(l, c, err);
        } else if (events[i].events & EPOLLOUT) {
            rc = send_more(l, c) ? ERR_OK : replace(l, c, err);
        } else {
            rc = on_input(l, c, err);
        }
    }
    return rc;
}

enum errc load_run(const struct client_url *url, struct str request,
                   int concurrency, int64_t duration_ns,
                   struct load_result *out, struct err *err)
{
    struct load *l = calloc(1, sizeof(*l));
    enum errc rc = ERR_OK;

    if (l)
        l->clients = calloc((size_t)concurrency, sizeof(*l->clients));
    if (!l || !l->clients) {
        free(l);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    l->url = url;
    l->request = request;
    l->n = concurrency;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < concurrency; i++) {
        l->clients[i].fd = -1;
        buf_init(&l->clients[i].in, REPLY_MAX);
    }
    for (int i = 0; i < concurrency && !rc; i++)
        rc = connect_client(l, &l->clients[i], err);
    int64_t from = clock_mono_ns();
    while (!rc && clock_mono_ns() - from < duration_ns)
        rc = turn(l, err);
    l->result.seconds = (double)(clock_mono_ns() - from) * 1e-9;
    l->result.concurrency = concurrency;
    l->result.p50_ms = percentile(l, 0.50);
    l->result.p99_ms = percentile(l, 0.99);
    l->result.max_ms = (double)l->max_ns * 1e-6;
    if (!rc)
        *out = l->result;
    for (int i = 0; i < concurrency; i++) {
        if (l->clients[i].fd >= 0)
            (void)close(l->clients[i].fd);
        buf_fini(&l->clients[i].in);
    }
    (void)close(l->epoll_fd);
    free(l->clients);
    free(l);
    return rc;
}
