#include "serve/registry.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/loading_internal.h"

struct snapshot *snapshot_new(size_t n)
{
    struct snapshot *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->entries = calloc(n + 1, sizeof(*s->entries));
    if (!s->entries) {
        free(s);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (!s)
        return;
    unsigned before = atomic_fetch_sub(&s->refs, 1);
    assert(before > 0);
    if (before != 1)
        return;
    for (size_t i = 0; i < s->n; i++) {
        struct registry_entry *e = &s->entries[i];
        free(e->name);
        free(e->version);
        free(e->reason);
        served_unref(e->served);
    }
    free(s->entries);
    free(s);
}

static bool put_entry(struct snapshot *s, const struct registry_entry *from)
{
    struct registry_entry *e = &s->entries[s->n];

    *e = (struct registry_entry){
        .name = strdup(from->name),
        .version = strdup(from->version),
        .reason = strdup(from->reason ? from->reason : ""),
        .state = from->state,
        .served = from->served ? served_ref(from->served) : NULL,
    };
    s->n++;
    return e->name && e->version && e->reason;
}

static int by_name(const void *a, const void *b)
{
    const struct registry_entry *x = a, *y = b;
    int order = strcmp(x->name, y->name);

    if (order)
        return order;
    long long vx = strtoll(x->version, NULL, 10);
    long long vy = strtoll(y->version, NULL, 10);
    return (vx < vy) - (vx > vy);
}

/* Publishes a snapshot with the entries of `name` replaced. */
enum errc registry_publish(struct registry *r, const char *name,
                           const struct registry_entry *entries, size_t n,
                           struct err *err)
{
    pthread_mutex_lock(&r->lock);
    struct snapshot *old = r->current;
    struct snapshot *s = snapshot_new(old->n + n);
    bool fine = s != NULL;

    for (size_t i = 0; fine && i < old->n; i++)
        if (strcmp(old->entries[i].name, name) != 0)
            fine = put_entry(s, &old->entries[i]);
    for (size_t i = 0; fine && i < n; i++)
        fine = put_entry(s, &entries[i]);
    if (fine) {
        qsort(s->entries, s->n, sizeof(s->entries[0]), by_name);
        s->all_ready = true;
        for (size_t i = 0; i < s->n; i++)
            if (s->entries[i].state != MODEL_READY)
                s->all_ready = false;
        r->current = s;
        atomic_fetch_add(&r->generation, 1);
    }
    pthread_mutex_unlock(&r->lock);
    if (!fine) {
        snapshot_unref(s);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    snapshot_unref(old); /* outside the lock: it may free a model */
    return ERR_OK;
}

struct snapshot *registry_snapshot(struct registry *r)
{
    pthread_mutex_lock(&r->lock);
    struct snapshot *s = r->current;
    atomic_fetch_add(&s->refs, 1);
    pthread_mutex_unlock(&r->lock);
    return s;
}

unsigned registry_generation(const struct registry *r)
{
    return atomic_load_explicit(&r->generation, memory_order_acquire);
}

/* The first entry whose name is not below `name`. */
static size_t lower_bound(const struct snapshot *s, struct str name)
{
    size_t lo = 0, hi = s->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        const char *have = s->entries[mid].name;
        size_t n = strlen(have);
        int order = memcmp(have, name.p ? name.p : "", n < name.n ? n : name.n);
        if (order < 0 || (order == 0 && n < name.n))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct registry_entry *snapshot_find(const struct snapshot *s,
                                           struct str name, struct str version)
{
    const struct registry_entry *newest = NULL;

    for (size_t i = lower_bound(s, name);
         i < s->n && str_eq(str_from_cstr(s->entries[i].name), name); i++) {
        const struct registry_entry *e = &s->entries[i];
        if (version.n == 0) {
            if (e->state == MODEL_READY)
                return e;
            newest = newest ? newest : e;
        } else if (str_eq(str_from_cstr(e->version), version)) {
            return e;
        }
    }
    return newest;
}

const char *model_state_name(enum model_state s)
{
    static const char *const names[] = {"LOADING", "READY", "UNLOADING",
                                        "UNAVAILABLE"};
    return names[s];
}

const char *registry_runtime_version(const struct registry *r)
{
    return r->runtime ? r->ops->version(r->runtime) : "";
}

const char *registry_device(const struct registry *r)
{
    return r->runtime ? r->ops->device(r->runtime) : "cpu";
}

enum errc registry_new(const struct registry_options *options,
                       struct metrics *metrics, struct registry **out,
                       struct err *err)
{
    struct registry *r = calloc(1, sizeof(*r));

    if (!r)
        return err_set(err, ERR_NOMEM, "out of memory");
    r->options = *options;
    r->metrics = metrics;
    r->ops = &runtime_ort;
    repo_init(&r->repo);
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->load_lock, NULL);
    r->current = snapshot_new(0);
    enum errc rc =
        r->current ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = r->ops->open(&options->runtime, &r->runtime, err);
    if (rc) {
        registry_free(r);
        return rc;
    }
    *out = r;
    return ERR_OK;
}

void registry_free(struct registry *r)
{
    if (!r)
        return;
    registry_forget_prepared(r);
    snapshot_unref(r->current);
    if (r->runtime)
        r->ops->close(r->runtime);
    repo_fini(&r->repo);
    pthread_mutex_destroy(&r->lock);
    pthread_mutex_destroy(&r->load_lock);
    free(r);
}
