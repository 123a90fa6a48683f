#include "http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/conn_internal.h"
#include "io/cpu.h"

enum {
    ACCEPTS_PER_TURN = 64,
    DECIDE_NS = 200 * 1000 * 1000,
    BUSY_PERCENT = 85,
    IDLE_PERCENT = 35, /* of one processor, to open another loop */
    CALM_DECISIONS = 15,
    ACCEPT_AFTER_NS = 1000 * 1000 * 1000,
};

static struct http_loop *least_loaded(struct http_server *s)
{
    unsigned n = atomic_load(&s->n_active);
    struct http_loop *best = &s->loops[0];

    for (unsigned i = 1; i < n; i++)
        if (atomic_load(&s->loops[i].connections) <
            atomic_load(&best->connections))
            best = &s->loops[i];
    return best;
}

struct arrival {
    struct task task;
    struct http_loop *to;
    int fd;
    uint16_t port;
    unsigned char address[16];
};

static void receive_arrival(struct task *t)
{
    struct arrival *a = (struct arrival *)t;

    atomic_fetch_sub(&a->to->connections, 1); /* counted on the way */
    conn_open(a->to, a->fd, a->address, a->port);
    free(a);
}

static void hand_out(struct http_loop *here, int fd,
                     const unsigned char address[16], uint16_t port)
{
    struct http_loop *to = least_loaded(here->server);

    if (to == here) {
        conn_open(here, fd, address, port);
        return;
    }
    struct arrival *a = malloc(sizeof(*a));
    if (!a) {
        (void)close(fd);
        return;
    }
    *a = (struct arrival){
        .task.run = receive_arrival, .to = to, .fd = fd, .port = port};
    memcpy(a->address, address, sizeof(a->address));
    atomic_fetch_add(&to->connections, 1);
    loop_post(&to->loop, &a->task);
}

/* IPv4 as ::ffff:a.b.c.d, so that there is one form. */
static uint16_t peer(const struct sockaddr_storage *from,
                     unsigned char address[16])
{
    const void *p = from;

    memset(address, 0, 16);
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = p;
        memcpy(address, &in6->sin6_addr, 16);
        return ntohs(in6->sin6_port);
    }
    const struct sockaddr_in *in = p;
    address[10] = address[11] = 0xff;
    memcpy(address + 12, &in->sin_addr, 4);
    return ntohs(in->sin_port);
}

/* No descriptor is left: accept no more until the next tick, which closes the
 * connection that was idle longest. Not here: an event of that connection may
 * be among those this turn still has to handle. */
static void out_of_descriptors(struct listener *l)
{
    atomic_fetch_add(&l->loop->server->accept_failures, 1);
    loop_remove(&l->loop->loop, &l->watch);
    l->paused = l->starved = true;
    if (l->loop->idle.first)
        loop_tick_at(&l->loop->loop, l->loop->loop.now_ns);
}

static void on_listener(struct watch *w, uint32_t events)
{
    struct listener *l = (struct listener *)w;
    (void)events;

    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t n = sizeof(from);
        int on = 1;
        int fd = accept4(w->fd, (struct sockaddr *)&from, &n,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                errno == ENOMEM)
                out_of_descriptors(l);
            return;
        }
        unsigned char address[16];
        uint16_t port = peer(&from, address);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        hand_out(l->loop, fd, address, port);
    }
}

static void listeners_close(struct http_server *s)
{
    for (unsigned i = 0; i < s->n_listeners; i++) {
        if (s->listeners[i].watch.fd < 0)
            continue;
        if (!s->listeners[i].paused)
            loop_remove(&s->loops[0].loop, &s->listeners[i].watch);
        (void)close(s->listeners[i].watch.fd);
        s->listeners[i].watch.fd = -1;
    }
}

static void listeners_tick(struct http_server *s)
{
    if (!atomic_load(&s->accepting)) {
        listeners_close(s);
        return;
    }
    if (!atomic_load(&s->open) &&
        clock_mono_ns() - s->started_ns < ACCEPT_AFTER_NS)
        return;
    for (unsigned i = 0; i < s->n_listeners; i++) {
        struct listener *l = &s->listeners[i];
        if (!l->paused)
            continue;
        if (l->starved)
            conn_drop_idle(&s->loops[0]);
        l->starved = false;
        if (!loop_add(&s->loops[0].loop, &l->watch, EPOLLIN, NULL))
            l->paused = false;
    }
}

/* How many loops to use; called on loop 0. */
static void decide(struct http_server *s)
{
    int64_t now = clock_mono_ns(), took = now - s->decided_ns;
    unsigned n = atomic_load(&s->n_active);
    int64_t total = 0, least = INT64_MAX;

    if (s->fixed || took < DECIDE_NS)
        return;
    for (unsigned i = 0; i < s->n_loops; i++) {
        int64_t busy = atomic_load(&s->loops[i].loop.busy_ns);
        int64_t delta = busy - s->loops[i].busy_seen_ns;
        s->loops[i].busy_seen_ns = busy;
        if (i < n) {
            total += delta;
            least = delta < least ? delta : least;
        }
    }
    int64_t idle = cpu_idle_ns();
    int64_t idled = idle - s->idle_seen_ns;
    bool first = s->decided_ns == 0;
    s->idle_seen_ns = idle;
    s->decided_ns = now;
    if (first || idle < 0)
        return;
    if (n < s->n_loops && least * 100 > took * BUSY_PERCENT &&
        idled * 100 > took * IDLE_PERCENT) {
        atomic_store(&s->n_active, n + 1);
        s->calm = 0;
    } else if (n > 1 && total * 2 < took * (int64_t)(n - 1)) {
        if (++s->calm >= CALM_DECISIONS) {
            atomic_store(&s->n_active, n - 1);
            s->calm = 0;
        }
    } else {
        s->calm = 0;
    }
}

/* Every loop sees for itself that it has its share and no more. */
static void share(struct http_loop *l)
{
    struct http_server *s = l->server;
    unsigned n = atomic_load(&s->n_active), total = 0;
    unsigned have = atomic_load(&l->connections);

    for (unsigned i = 0; i < s->n_loops; i++)
        total += atomic_load(&s->loops[i].connections);
    unsigned fair = l->index < n ? (total + n - 1) / n : 0;
    while (have > fair) {
        struct http_loop *to = least_loaded(s);
        unsigned theirs = atomic_load(&to->connections);
        unsigned give = have - fair;
        if (to == l || theirs >= have)
            return;
        if (l->index < n && give > (have - theirs + 1) / 2)
            give = (have - theirs) / 2;
        if (give == 0)
            return;
        conn_give(l, to, give);
        unsigned left = atomic_load(&l->connections);
        if (left == have)
            return; /* none of them is idle now */
        have = left;
    }
}

static void on_turn_end(void *ctx)
{
    struct http_loop *l = ctx;

    if (l->server->hooks.turn_end)
        l->server->hooks.turn_end(l->server->hooks.ctx, l);
}

static void on_tick(void *ctx)
{
    struct http_loop *l = ctx;

    if (l->index == 0) {
        listeners_tick(l->server);
        decide(l->server);
    }
    share(l);
    conn_sweep(l);
    if (l->server->hooks.tick)
        l->server->hooks.tick(l->server->hooks.ctx, l);
}

enum errc http_server_new(const struct http_route *table, size_t n,
                          unsigned loops, bool fixed, struct http_server **out,
                          struct err *err)
{
    struct http_server *s = calloc(1, sizeof(*s));

    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->router = router_new(table, n);
    s->n_loops = loops < HTTP_MAX_LOOPS ? loops : (unsigned)HTTP_MAX_LOOPS;
    s->fixed = fixed;
    atomic_store(&s->n_active, fixed ? s->n_loops : 1);
    atomic_store(&s->accepting, true);
    enum errc rc =
        s->router ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
    for (unsigned i = 0; i < s->n_loops && !rc; i++) {
        struct http_loop *l = &s->loops[i];
        l->server = s;
        l->index = i;
        rc = loop_init(&l->loop, err);
        l->loop.turn_end = on_turn_end;
        l->loop.tick = on_tick;
        l->loop.ctx = l;
    }
    if (rc) {
        http_server_free(s);
        return rc;
    }
    *out = s;
    return ERR_OK;
}

static void loop_free(struct http_loop *l)
{
    if (!l->server)
        return;
    while (l->idle.first)
        conn_close(l->idle.first);
    while (l->busy.first)
        conn_close(l->busy.first);
    while (l->free_in) {
        struct inbuf *in = l->free_in;
        l->free_in = in->next;
        free(in);
    }
    while (l->free_requests) {
        struct http_request *r = l->free_requests;
        l->free_requests = r->next;
        arena_fini(&r->arena);
        buf_fini(&r->out);
        free(r);
    }
    loop_fini(&l->loop);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_listeners; i++)
        if (s->listeners[i].watch.fd >= 0)
            (void)close(s->listeners[i].watch.fd);
    for (unsigned i = 0; i < s->n_loops; i++)
        loop_free(&s->loops[i]);
    router_free(s->router);
    free(s);
}

static void *run(void *arg)
{
    struct http_loop *l = arg;

    loop_run(&l->loop);
    return NULL;
}

enum errc http_server_start(struct http_server *s, const int *fds, unsigned n,
                            struct err *err)
{
    for (unsigned i = 0; i < n && i < HTTP_MAX_LISTENERS; i++) {
        struct listener *l = &s->listeners[i];
        *l = (struct listener){.watch = {.fd = fds[i], .ready = on_listener},
                               .loop = &s->loops[0],
                               .paused = true};
        s->n_listeners = i + 1;
    }
    s->started_ns = clock_mono_ns();
    for (unsigned i = 0; i < s->n_loops; i++) {
        int rc = pthread_create(&s->loops[i].thread, NULL, run, &s->loops[i]);
        if (rc)
            return err_set(err, ERR_IO, "cannot start a thread: %s",
                           strerror(rc));
    }
    return ERR_OK;
}

static void accept_now(struct task *t)
{
    struct http_server *s =
        (struct http_server *)(void *)((char *)t -
                                       offsetof(struct http_server, opening));

    listeners_tick(s);
}

void http_server_open(struct http_server *s)
{
    atomic_store(&s->open, true);
    s->opening.run = accept_now;
    loop_post(&s->loops[0].loop, &s->opening);
}

void http_server_drain(struct http_server *s, int64_t linger_ns)
{
    atomic_store(&s->linger_ns, linger_ns);
    atomic_store(&s->accepting, false);
    atomic_store(&s->draining, true);
}

unsigned http_server_connections(const struct http_server *s)
{
    unsigned total = 0;

    for (unsigned i = 0; i < s->n_loops; i++)
        total += atomic_load(&s->loops[i].connections);
    return total;
}

void http_server_stop(struct http_server *s)
{
    for (unsigned i = 0; i < s->n_loops; i++)
        loop_stop(&s->loops[i].loop);
    for (unsigned i = 0; i < s->n_loops; i++)
        (void)pthread_join(s->loops[i].thread, NULL);
}
