#include "metric/metric.h"

#include <stdlib.h>
#include <string.h>

#include "metric/metric_internal.h"

enum { LINE = 64 };

struct metrics *metrics_new(unsigned shards)
{
    struct metrics *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->shards = shards;
    m->tail = &m->first;
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    while (m->first) {
        struct family_node *f = m->first;
        m->first = f->next;
        while (f->first) {
            struct metric *s = f->first;
            f->first = s->next;
            free(s->cells);
            free(s->labels);
            free(s);
        }
        free(f);
    }
    pthread_mutex_destroy(&m->lock);
    free(m);
}

unsigned metrics_shards(const struct metrics *m)
{
    return m->shards;
}

void metrics_hook(struct metrics *m, void (*hook)(void *ctx), void *ctx)
{
    if (m->n_hooks < MAX_HOOKS) {
        m->hooks[m->n_hooks].call = hook;
        m->hooks[m->n_hooks++].ctx = ctx;
    }
}

static struct metric *series_new(const struct metrics *m,
                                 const struct metric_family *f,
                                 const char *labels)
{
    struct metric *s = calloc(1, sizeof(*s));
    size_t cells = f->type == METRIC_HISTOGRAM ? f->n_bounds + 2
                   : f->type == METRIC_SUMMARY ? 2
                                               : 1;
    if (!s)
        return NULL;
    s->family = f;
    s->shards = m->shards;
    s->stride =
        (cells * sizeof(double) + LINE - 1) / LINE * (LINE / sizeof(double));
    s->labels = strdup(labels);
    s->cells = aligned_alloc(LINE, s->stride * sizeof(double) * m->shards);
    if (!s->labels || !s->cells) {
        free(s->labels);
        free(s->cells);
        free(s);
        return NULL;
    }
    for (size_t i = 0; i < s->stride * m->shards; i++)
        atomic_init(&s->cells[i], 0.0);
    return s;
}

static struct family_node *family_node(struct metrics *m,
                                       const struct metric_family *family)
{
    for (struct family_node *f = m->first; f; f = f->next)
        if (f->family == family)
            return f;
    struct family_node *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->family = family;
    f->tail = &f->first;
    *m->tail = f;
    m->tail = &f->next;
    return f;
}

struct metric *metrics_series(struct metrics *m,
                              const struct metric_family *family,
                              const char *labels)
{
    struct metric *s = NULL;

    pthread_mutex_lock(&m->lock);
    struct family_node *f = family_node(m, family);
    if (f) {
        for (s = f->first; s; s = s->next)
            if (strcmp(s->labels, labels) == 0)
                break;
        if (!s) {
            s = series_new(m, family, labels);
            if (s) {
                *f->tail = s;
                f->tail = &s->next;
            }
        }
    }
    pthread_mutex_unlock(&m->lock);
    return s;
}

static double get(const _Atomic double *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

static void add(_Atomic double *cell, double v)
{
    atomic_store_explicit(cell, get(cell) + v, memory_order_relaxed);
}

void metric_add(struct metric *s, unsigned shard, double v)
{
    if (s)
        add(&s->cells[shard * s->stride], v);
}

void metric_set(struct metric *s, double v)
{
    if (s)
        atomic_store_explicit(&s->cells[0], v, memory_order_relaxed);
}

void metric_observe_n(struct metric *s, unsigned shard, double v, uint64_t n)
{
    if (!s)
        return;
    _Atomic double *row = &s->cells[shard * s->stride];
    size_t i = 0;
    if (s->family->type == METRIC_HISTOGRAM)
        while (i < s->family->n_bounds && v > s->family->bounds[i])
            i++;
    size_t sum =
        s->family->type == METRIC_HISTOGRAM ? s->family->n_bounds + 1 : 1;
    add(&row[i], (double)n);
    add(&row[sum], v * (double)n);
}

void metric_observe(struct metric *s, unsigned shard, double v)
{
    metric_observe_n(s, shard, v, 1);
}

double metric_cell(const struct metric *s, size_t cell)
{
    double v = 0;

    for (unsigned i = 0; i < s->shards; i++)
        v += get(&s->cells[i * s->stride + cell]);
    return v;
}

double metric_value(const struct metric *s, uint64_t *count)
{
    double n = 0;

    if (!s) {
        if (count)
            *count = 0;
        return 0;
    }
    if (s->family->type == METRIC_COUNTER || s->family->type == METRIC_GAUGE)
        return metric_cell(s, 0);
    size_t sum =
        s->family->type == METRIC_HISTOGRAM ? s->family->n_bounds + 1 : 1;
    for (size_t i = 0; i < sum; i++)
        n += metric_cell(s, i);
    if (count)
        *count = (uint64_t)n;
    return metric_cell(s, sum);
}

void metric_label(struct buf *labels, const char *name, struct str value)
{
    if (labels->n)
        buf_putc(labels, ',');
    buf_puts(labels, name);
    buf_puts(labels, "=\"");
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '"' || value.p[i] == '\\')
            buf_putc(labels, '\\');
        if (value.p[i] == '\n')
            buf_puts(labels, "\\n");
        else
            buf_putc(labels, value.p[i]);
    }
    buf_putc(labels, '"');
}
