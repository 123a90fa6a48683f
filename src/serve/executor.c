/*  submit --+-- cheap --> decode --> turn list --> turn_end: run_group, reply
 *           |
 *           +-- dear ---> queue of the model --> worker: decode, run_group
 *                            |      (full: 429)       |
 *                            |                        +--> task home: reply
 *                            +-- client gone, deadline: out of the queue
 */
#include "serve/executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "serve/queue_internal.h"
#include "serve/run_internal.h"

enum {
    SCRATCH_LIMIT = 1 << 30,
    NS_PER_JSON_BYTE = 1,
    POOL_ABOVE_NS = 1000 * 1000,
    DECODE_HERE = 64 << 10,
    MAX_WORKERS = 64,
};

struct turn {
    struct infer *first, *last; /* decoded, to run at the end of the turn */
    struct infer *pooled;       /* under way in the pool */
    struct arena scratch;
};

struct worker {
    struct executor *x;
    pthread_t thread;
    unsigned shard;
};

struct executor {
    struct executor_options options;
    pthread_mutex_t lock; /* of everything below and the models' queues */
    pthread_cond_t work;
    struct ready ready;
    size_t pending;
    bool stopped;
    struct worker workers[MAX_WORKERS];
};

struct turn *turn_new(void)
{
    struct turn *t = calloc(1, sizeof(*t));

    if (t)
        arena_init(&t->scratch, SCRATCH_LIMIT);
    return t;
}

void turn_free(struct turn *t)
{
    if (!t)
        return;
    arena_fini(&t->scratch);
    free(t);
}

static struct turn *turn_of(const struct infer *r)
{
    return r->http->loop->user;
}

/* Sends the reply that is ready. The last touch of r: it is in the arena. */
static void send_reply(struct infer *r)
{
    struct http_request *http = r->http;
    struct served *model = r->model;

    http->user = NULL;
    http_reply(http, http->status, http->content_type);
    served_unref(model);
}

/* Off the list of what its loop has in the pool. Loop thread. */
static void leave_pool(struct infer *r)
{
    if (r->loop_prev)
        r->loop_prev->loop_next = r->loop_next;
    else
        turn_of(r)->pooled = r->loop_next;
    if (r->loop_next)
        r->loop_next->loop_prev = r->loop_prev;
}

/* --- workers --- */

static void go_home(struct task *t)
{
    struct infer *r = (struct infer *)t;

    leave_pool(r);
    send_reply(r);
}

/* Moves the requests that cannot or need not run out of the list. */
static struct infer *prepare(struct infer *list, unsigned shard,
                             struct infer **done)
{
    struct infer *good = NULL, **tail = &good;

    for (struct infer *r = list, *next; r; r = next) {
        next = r->next;
        r->next = NULL;
        bool fine = !atomic_load(&r->http->gone);
        if (!fine)
            run_fail(r, 499, "the client has left", shard);
        fine = fine && run_decode(r, shard);
        if (fine && clock_mono_ns() > r->deadline_ns) {
            metric_add(r->model->metrics.reject_deadline, shard, 1);
            run_fail(r, 504, "the deadline passed before the model could run",
                     shard);
            fine = false;
        }
        if (fine) {
            *tail = r;
            tail = &r->next;
        } else {
            r->next = *done;
            *done = r;
        }
    }
    return good;
}

/* Cuts the requests that go with the first one, up to max_rows rows of them,
 * off the list; the order of the others stays. */
static struct infer *cut_group(struct infer **list, size_t max_rows)
{
    struct infer *group = *list, *group_last = group;
    struct infer *rest = NULL, **rest_tail = &rest;
    size_t rows = group->rows;
    struct infer *r = group->next;

    group->next = NULL;
    while (r) {
        struct infer *next = r->next;
        r->next = NULL;
        if (rows + r->rows <= max_rows && run_compatible(group, r)) {
            rows += r->rows;
            group_last->next = r;
            group_last = r;
        } else {
            *rest_tail = r;
            rest_tail = &r->next;
        }
        r = next;
    }
    *list = rest;
    return group;
}

/* Puts the whole list `more` in front of *list. */
static void prepend(struct infer **list, struct infer *more)
{
    struct infer *last = more;

    while (last->next)
        last = last->next;
    last->next = *list;
    *list = more;
}

static void run_requests(struct executor *x, struct served *m,
                         struct infer *list, struct arena *scratch,
                         unsigned shard)
{
    struct infer *done = NULL;

    list = prepare(list, shard, &done);
    while (list) {
        struct infer *group = cut_group(&list, m->max_rows);
        size_t rows = 0;
        int64_t from = clock_mono_ns();
        run_group(group, scratch, shard);
        int64_t took = clock_mono_ns() - from;
        for (struct infer *r = group; r; r = r->next)
            rows += r->rows;
        pthread_mutex_lock(&x->lock);
        batcher_learn(&m->batcher, rows, took);
        pthread_mutex_unlock(&x->lock);
        prepend(&done, group);
    }
    size_t n = 0;
    while (done) {
        struct infer *next = done->next;
        done->task.run = go_home;
        loop_post(&done->http->loop->loop, &done->task);
        done = next;
        n++;
    }
    pthread_mutex_lock(&x->lock);
    x->pending -= n;
    pthread_mutex_unlock(&x->lock);
}

static void wait_for_work(struct executor *x, int64_t due_ns)
{
    struct timespec until;

    if (due_ns == INT64_MAX) {
        pthread_cond_wait(&x->work, &x->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + due_ns;
    until.tv_sec += ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&x->work, &x->lock, &until);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct executor *x = w->x;
    struct arena scratch;

    arena_init(&scratch, SCRATCH_LIMIT);
    pthread_mutex_lock(&x->lock);
    while (!x->stopped) {
        size_t rows;
        int64_t due;
        struct served *m = queue_pick(&x->ready, &rows, &due);
        if (!m) {
            wait_for_work(x, due);
            continue;
        }
        served_ref(m);
        struct infer *list = queue_take(&x->ready, m, rows);
        pthread_mutex_unlock(&x->lock);
        run_requests(x, m, list, &scratch, w->shard);
        served_unref(m);
        pthread_mutex_lock(&x->lock);
    }
    pthread_mutex_unlock(&x->lock);
    arena_fini(&scratch);
    return NULL;
}

/* --- loops --- */

static void reject_full(struct executor *x, struct infer *r)
{
    char text[160];
    int64_t row_ns = atomic_load(&r->model->row_ns);
    /* When half the queue will have been worked off. */
    int64_t seconds = row_ns * (int64_t)x->options.queue /
                      (2 * (int64_t)x->options.workers) / 1000000000;

    (void)snprintf(text, sizeof(text),
                   "the queue of model '%s' is full (%zu requests wait, "
                   "--queue); try again later",
                   r->model->name, x->options.queue);
    metric_add(r->model->metrics.reject_full, r->http->loop->index, 1);
    run_fail(r, 429, text, r->http->loop->index);
    http_header(r->http, "Retry-After", "%lld",
                (long long)(seconds > 0 ? seconds : 1));
    send_reply(r);
}

static void enqueue(struct executor *x, struct infer *r)
{
    struct served *m = r->model;
    struct turn *turn = turn_of(r);

    pthread_mutex_lock(&x->lock);
    bool full = m->waiting >= x->options.queue;
    if (!full) {
        r->state = INFER_QUEUED;
        r->pooled = true;
        r->loop_prev = NULL;
        r->loop_next = turn->pooled;
        if (turn->pooled)
            turn->pooled->loop_prev = r;
        turn->pooled = r;
        queue_link(&x->ready, r);
        x->pending++;
        loop_tick_at(&r->http->loop->loop, r->deadline_ns);
        pthread_cond_signal(&x->work);
    }
    pthread_mutex_unlock(&x->lock);
    if (full)
        reject_full(x, r);
}

/* JSON is expensive to read; binary is not. */
static bool belongs_in_pool(const struct infer *r)
{
    int64_t cost =
        atomic_load_explicit(&r->model->row_ns, memory_order_relaxed);
    bool binary = r->http->head.known[HTTP_INFERENCE_LENGTH].p != NULL;

    if (!binary)
        cost += (int64_t)r->http->body.n * NS_PER_JSON_BYTE;
    return atomic_load_explicit(&r->model->pooled, memory_order_relaxed) ||
           cost > POOL_ABOVE_NS;
}

void executor_submit(struct executor *x, struct infer *r)
{
    struct turn *turn = turn_of(r);
    unsigned shard = r->http->loop->index;

    r->http->user = r;
    r->http->model = r->model->name;
    r->deadline_ns = r->http->start_ns + x->options.timeout_ns;
    r->queued_ns = clock_mono_ns();
    bool pooled = belongs_in_pool(r);
    /* A short body is read here: its mistakes are told at once, and its
     * priority is known to the queue. */
    if ((!pooled || r->http->body.n <= DECODE_HERE) && !run_decode(r, shard)) {
        send_reply(r);
        return;
    }
    if (pooled) {
        enqueue(x, r);
        return;
    }
    r->next = NULL;
    if (turn->last)
        turn->last->next = r;
    else
        turn->first = r;
    turn->last = r;
}

/* Replies of a group may bring pipelined requests, and those are the next
 * round: hence the loop around it. */
void executor_turn_end(struct executor *x, struct http_loop *l)
{
    struct turn *turn = l->user;
    (void)x;

    while (turn->first) {
        struct infer *list = turn->first, *done = NULL;
        turn->first = turn->last = NULL;
        list = prepare(list, l->index, &done);
        while (list) {
            struct infer *group = cut_group(&list, list->model->max_rows);
            run_group(group, &turn->scratch, l->index);
            prepend(&done, group);
        }
        while (done) {
            struct infer *next = done->next;
            send_reply(done);
            done = next;
        }
    }
}

/* Takes r out of the queue. False: a worker has it already. */
static bool retract(struct executor *x, struct infer *r)
{
    pthread_mutex_lock(&x->lock);
    bool queued = r->state == INFER_QUEUED;
    if (queued) {
        queue_unlink(&x->ready, r);
        r->state = INFER_DONE;
        x->pending--;
    }
    pthread_mutex_unlock(&x->lock);
    if (!queued)
        return false;
    leave_pool(r);
    return true;
}

void executor_cancel(struct executor *x, struct infer *r)
{
    if (!r->pooled || !retract(x, r))
        return; /* in this turn, or running: the answer finds nobody */
    metric_add(r->model->metrics.reject_gone, r->http->loop->index, 1);
    run_fail(r, 499, "the client has left", r->http->loop->index);
    send_reply(r);
}

void executor_tick(struct executor *x, struct http_loop *l)
{
    struct turn *turn = l->user;
    int64_t now = clock_mono_ns();

    for (struct infer *r = turn->pooled, *next; r; r = next) {
        next = r->loop_next;
        if (now < r->deadline_ns) {
            loop_tick_at(&l->loop, r->deadline_ns);
            continue;
        }
        if (retract(x, r)) {
            metric_add(r->model->metrics.reject_deadline, l->index, 1);
            run_fail(r, 504, "the deadline passed while the request waited",
                     l->index);
            send_reply(r);
        } else if (r->http->conn) {
            /* It runs and cannot be stopped; its client need not wait. */
            struct http_request *late = http_detach(r->http);
            if (late) {
                metric_add(r->model->metrics.reject_deadline, l->index, 1);
                http_reply_error(late, 504,
                                 "the deadline passed while the model ran");
            }
        }
    }
}

size_t executor_pending(struct executor *x)
{
    pthread_mutex_lock(&x->lock);
    size_t n = x->pending;
    pthread_mutex_unlock(&x->lock);
    return n;
}

enum errc executor_new(const struct executor_options *options,
                       struct executor **out, struct err *err)
{
    struct executor *x = calloc(1, sizeof(*x));
    pthread_condattr_t attr;

    if (!x)
        return err_set(err, ERR_NOMEM, "out of memory");
    x->options = *options;
    if (x->options.workers > MAX_WORKERS)
        x->options.workers = MAX_WORKERS;
    pthread_mutex_init(&x->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&x->work, &attr);
    pthread_condattr_destroy(&attr);
    for (unsigned i = 0; i < x->options.workers; i++) {
        struct worker *w = &x->workers[i];
        *w = (struct worker){.x = x, .shard = options->loops + i};
        int rc = pthread_create(&w->thread, NULL, work, w);
        if (rc) {
            x->options.workers = i;
            executor_free(x);
            return err_set(err, ERR_IO, "cannot start a thread: %s",
                           strerror(rc));
        }
    }
    *out = x;
    return ERR_OK;
}

void executor_free(struct executor *x)
{
    if (!x)
        return;
    pthread_mutex_lock(&x->lock);
    x->stopped = true;
    pthread_cond_broadcast(&x->work);
    pthread_mutex_unlock(&x->lock);
    for (unsigned i = 0; i < x->options.workers; i++)
        (void)pthread_join(x->workers[i].thread, NULL);
    pthread_cond_destroy(&x->work);
    pthread_mutex_destroy(&x->lock);
    free(x);
}
