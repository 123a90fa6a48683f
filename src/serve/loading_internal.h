/* loading_internal.h - the registry's inside; for registry.c and loading.c. */
#ifndef SERVE_LOADING_INTERNAL_H
#define SERVE_LOADING_INTERNAL_H

#include "import/process.h"
#include "serve/registry.h"

/* A model file on its way: its bytes, or what was imported from it, and what
 * the check said. */
struct prepared {
    struct repo_entry entry;
    struct buf bytes;
    struct imported *imported; /* NULL: an ONNX file */
    struct check_job job;
    const struct import_hints *hints;
};

/* Sets p->job.rc; the entry must be set. */
void prepared_read(struct prepared *p);
struct model_source prepared_source(const struct prepared *p);
void prepared_drop(struct prepared *p);

struct registry {
    struct registry_options options;
    struct metrics *metrics;
    const struct runtime_ops *ops;
    struct runtime *runtime;
    struct repo repo; /* of what was named at the start */
    struct prepared *prepared;
    size_t n_prepared;
    pthread_mutex_t load_lock; /* one load at a time */
    pthread_mutex_t lock;      /* of current */
    struct snapshot *current;
    _Atomic unsigned generation;
};

struct snapshot *snapshot_new(size_t n);
MUST_CHECK enum errc registry_publish(struct registry *r, const char *name,
                                      const struct registry_entry *entries,
                                      size_t n, struct err *err);
void registry_forget_prepared(struct registry *r);

#endif
