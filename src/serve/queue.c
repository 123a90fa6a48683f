#include "serve/queue_internal.h"

#include "base/clock.h"

static void mark_ready(struct ready *x, struct served *m)
{
    if (m->ready)
        return;
    m->ready = true;
    m->ready_next = NULL;
    if (x->first)
        x->last->ready_next = m;
    else
        x->first = m;
    x->last = m;
}

static void unmark_ready(struct ready *x, struct served *m)
{
    struct served **at = &x->first, *prev = NULL;

    if (!m->ready)
        return;
    while (*at != m) {
        prev = *at;
        at = &prev->ready_next;
    }
    *at = m->ready_next;
    if (x->last == m)
        x->last = prev;
    m->ready = false;
}

struct served *queue_pick(struct ready *x, size_t *rows, int64_t *due_ns)
{
    int64_t now = clock_mono_ns();

    *due_ns = INT64_MAX;
    for (struct served *m = x->first; m; m = m->ready_next) {
        int64_t due = 0;
        *rows = batcher_take(&m->batcher, m->waiting, now - m->first->queued_ns,
                             &due);
        if (*rows > 0) {
            unmark_ready(x, m);
            return m;
        }
        *due_ns = due < *due_ns ? due : *due_ns;
    }
    return NULL;
}

/* Under Stoker's name and under Triton's. */
static void show_depth(const struct served *m)
{
    metric_set(m->metrics.queue_depth, (double)m->waiting);
    metric_set(m->metrics.pending, (double)m->waiting);
}

static void unlink_queued(struct infer *r)
{
    struct served *m = r->model;

    if (r->prev)
        r->prev->next = r->next;
    else
        m->first = r->next;
    if (r->next)
        r->next->prev = r->prev;
    else
        m->last = r->prev;
    r->next = r->prev = NULL;
    m->waiting--;
    show_depth(m);
}

/* A more urgent request stands in front of the less urgent: 1 is the highest
 * priority, 0 the default and, as in Triton, behind all given ones. */
void queue_link(struct ready *x, struct infer *r)
{
    struct served *m = r->model;
    struct infer *before = m->last;

    while (r->priority && before &&
           (before->priority == 0 || before->priority > r->priority))
        before = before->prev;
    r->prev = before;
    r->next = before ? before->next : m->first;
    if (r->next)
        r->next->prev = r;
    else
        m->last = r;
    if (before)
        before->next = r;
    else
        m->first = r;
    m->waiting++;
    show_depth(m);
    mark_ready(x, m);
}

void queue_unlink(struct ready *x, struct infer *r)
{
    unlink_queued(r);
    if (r->model->waiting == 0)
        unmark_ready(x, r->model);
}

struct infer *queue_take(struct ready *x, struct served *m, size_t rows)
{
    struct infer *list = NULL, **tail = &list;

    while (rows-- && m->first) {
        struct infer *r = m->first;
        unlink_queued(r);
        r->state = INFER_RUNNING;
        *tail = r;
        tail = &r->next;
    }
    *tail = NULL;
    if (m->first)
        mark_ready(x, m);
    return list;
}
