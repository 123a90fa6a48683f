/* metadata.c - a sorted array: metrics are few, and nearly always there. */
#include "collect/metadata.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct metadata {
    pthread_mutex_t lock;
    struct metadata_entry *v; /* by name */
    size_t n, cap;
};

enum errc metadata_new(struct metadata **out, struct err *err)
{
    struct metadata *m = calloc(1, sizeof(*m));

    if (!m)
        return err_set(err, ERR_NOMEM, "out of memory");
    pthread_mutex_init(&m->lock, NULL);
    *out = m;
    return ERR_OK;
}

void metadata_free(struct metadata *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n; i++) {
        free(m->v[i].name);
        free(m->v[i].type);
        free(m->v[i].help);
        free(m->v[i].unit);
    }
    free(m->v);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* The place of the name, or where it would go. */
static size_t place_of(const struct metadata *m, struct str name, bool *there)
{
    size_t low = 0, high = m->n;

    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(str_from_cstr(m->v[middle].name), name);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct metadata_entry *add(struct metadata *m, size_t at,
                                  struct str name)
{
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 64;
        struct metadata_entry *v =
            m->n < METADATA_MAX ? realloc(m->v, cap * sizeof(*v)) : NULL;
        if (!v)
            return NULL;
        m->v = v;
        m->cap = cap;
    }
    char *copy = strndup(name.p, name.n);
    if (!copy)
        return NULL;
    memmove(m->v + at + 1, m->v + at, (m->n - at) * sizeof(*m->v));
    m->v[at] = (struct metadata_entry){.name = copy};
    m->n++;
    return &m->v[at];
}

static void replace(char **field, struct str text)
{
    if (*field && str_eq(str_from_cstr(*field), text))
        return;
    char *copy = strndup(text.p, text.n);
    if (!copy)
        return;
    free(*field);
    *field = copy;
}

void metadata_note(struct metadata *m, enum exposition_about what,
                   struct str family, struct str text)
{
    bool there;

    if (family.n == 0 || text.n == 0)
        return;
    pthread_mutex_lock(&m->lock);
    size_t at = place_of(m, family, &there);
    struct metadata_entry *e = there ? &m->v[at] : add(m, at, family);
    if (e)
        replace(what == ABOUT_HELP   ? &e->help
                : what == ABOUT_TYPE ? &e->type
                                     : &e->unit,
                text);
    pthread_mutex_unlock(&m->lock);
}

void metadata_each(struct metadata *m,
                   bool (*each)(void *ctx, const struct metadata_entry *e),
                   void *ctx)
{
    pthread_mutex_lock(&m->lock);
    for (size_t i = 0; i < m->n && each(ctx, &m->v[i]); i++)
        ;
    pthread_mutex_unlock(&m->lock);
}
