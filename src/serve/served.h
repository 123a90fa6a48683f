/* served.h - a loaded model and all that belongs to serving it.
 *
 * Refcounted; immutable but for the marked parts. Whoever holds a reference
 * may run it; the session goes with the last one.
 */
#ifndef SERVE_SERVED_H
#define SERVE_SERVED_H

#include <pthread.h>
#include <stdatomic.h>

#include "metric/metric.h"
#include "model/check.h"
#include "model/config.h"
#include "model/runtime.h"
#include "serve/batcher.h"

struct infer;

enum { SERVED_BATCH_STATS = 65 };

/* What is counted for one model and version. */
struct served_metrics {
    struct metric *success, *fail_rejected, *fail_canceled, *fail_backend,
        *fail_other;
    struct metric *count, *exec_count, *request_us, *queue_us, *input_us,
        *infer_us, *output_us, *pending, *load_seconds;
    struct metric *parse, *queue, *batch_wait, *run, *encode, *batch_size;
    struct metric *queue_depth, *inline_mode, *reject_full, *reject_deadline,
        *reject_gone;
};

struct served {
    _Atomic unsigned refs;
    char *name, *version, *path;
    const struct runtime_ops *ops;
    struct session *session;
    const struct model_spec *spec;
    struct model_facts facts;
    struct model_config config;
    struct imported *imported; /* the weights of the session, or NULL */
    struct arena arena;        /* of config and labels */
    struct str *labels[RUN_MAX_OUTPUTS]; /* of an output, or NULL */
    size_t n_labels[RUN_MAX_OUTPUTS];
    const char *platform;
    const char *device;
    uint64_t bytes; /* of the file */
    bool batchable; /* the facts, and the configuration allows it */
    size_t max_rows;
    struct served_metrics metrics;

    /* Moving average of a run, nanoseconds per row, and what follows. */
    _Atomic int64_t row_ns;
    _Atomic bool pooled;
    _Atomic int64_t last_ms; /* wall clock of the last inference */
    struct {
        _Atomic uint64_t runs, infer_ns;
    } batches[SERVED_BATCH_STATS]; /* by rows; 0: more than fit */

    /* Of the executor's, under its lock. */
    struct batcher batcher;
    struct infer *first, *last;
    size_t waiting; /* requests */
    struct served *ready_next;
    bool ready;
};

struct served *served_ref(struct served *m);
void served_unref(struct served *m);

/* After a run: feeds the average and decides inline or pooled. */
void served_learn(struct served *m, size_t rows, int64_t ns, bool force_pool);

#endif
