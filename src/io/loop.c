#include "io/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

enum { MAX_EVENTS = 256, MS = 1000000 };

static void on_wake(struct watch *w, uint32_t events)
{
    uint64_t n;
    (void)events;

    while (read(w->fd, &n, sizeof(n)) == (ssize_t)sizeof(n))
        ;
}

enum errc loop_init(struct loop *l, struct err *err)
{
    *l = (struct loop){.epoll_fd = -1, .event_fd = -1};
    l->posted_tail = &l->posted;
    pthread_mutex_init(&l->lock, NULL);
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->epoll_fd < 0 || l->event_fd < 0) {
        int e = errno;
        loop_fini(l);
        return err_set(err, errc_from_errno(e), "cannot make an event loop: %s",
                       strerror(e));
    }
    l->wake = (struct watch){.fd = l->event_fd, .ready = on_wake};
    return loop_add(l, &l->wake, EPOLLIN, err);
}

void loop_fini(struct loop *l)
{
    if (l->epoll_fd >= 0)
        (void)close(l->epoll_fd);
    if (l->event_fd >= 0)
        (void)close(l->event_fd);
    l->epoll_fd = l->event_fd = -1;
    pthread_mutex_destroy(&l->lock);
}

enum errc loop_add(struct loop *l, struct watch *w, uint32_t events,
                   struct err *err)
{
    struct epoll_event e = {.events = events, .data.ptr = w};

    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &e) == 0)
        return ERR_OK;
    return err_set(err, errc_from_errno(errno), "cannot watch a descriptor: %s",
                   strerror(errno));
}

void loop_change(struct loop *l, struct watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};

    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &e);
}

void loop_remove(struct loop *l, struct watch *w)
{
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
}

static void wake(struct loop *l)
{
    uint64_t one = 1;
    ssize_t put;

    do
        put = write(l->event_fd, &one, sizeof(one));
    while (put < 0 && errno == EINTR);
}

void loop_post(struct loop *l, struct task *t)
{
    t->next = NULL;
    pthread_mutex_lock(&l->lock);
    bool first = !l->posted;
    *l->posted_tail = t;
    l->posted_tail = &t->next;
    pthread_mutex_unlock(&l->lock);
    if (first)
        wake(l);
}

void loop_stop(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    l->stopped = true;
    pthread_mutex_unlock(&l->lock);
    wake(l);
}

/* False once the loop was stopped. */
static bool run_posted(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct task *t = l->posted;
    bool stopped = l->stopped;
    l->posted = NULL;
    l->posted_tail = &l->posted;
    pthread_mutex_unlock(&l->lock);
    while (t) {
        struct task *next = t->next;
        t->run(t);
        t = next;
    }
    return !stopped;
}

void loop_tick_at(struct loop *l, int64_t ns)
{
    if (ns < l->next_tick_ns)
        l->next_tick_ns = ns;
}

static int ms_to_tick(const struct loop *l, int64_t now)
{
    int64_t left = l->next_tick_ns - now;

    return left <= 0 ? 0 : (int)((left + MS - 1) / MS);
}

static void tick(struct loop *l, int64_t now)
{
    l->last_tick_ns = now;
    l->next_tick_ns = now + LOOP_TICK_MS * MS;
    if (l->tick)
        l->tick(l->ctx);
}

void loop_run(struct loop *l)
{
    struct epoll_event events[MAX_EVENTS];
    bool on = true;

    int64_t end = clock_mono_ns();
    l->now_ns = l->last_tick_ns = end;
    l->next_tick_ns = end + LOOP_TICK_MS * MS;
    while (on) {
        int n = epoll_wait(l->epoll_fd, events, MAX_EVENTS, ms_to_tick(l, end));
        l->now_ns = clock_mono_ns();
        for (int i = 0; i < n; i++) {
            struct watch *w = events[i].data.ptr;
            w->ready(w, events[i].events);
        }
        on = run_posted(l);
        if (l->turn_end)
            l->turn_end(l->ctx);
        end = clock_mono_ns();
        /* One writer: a plain sum, no locked instruction. */
        atomic_store_explicit(
            &l->busy_ns,
            atomic_load_explicit(&l->busy_ns, memory_order_relaxed) + end -
                l->now_ns,
            memory_order_relaxed);
        if (end >= l->next_tick_ns)
            tick(l, end);
    }
}
