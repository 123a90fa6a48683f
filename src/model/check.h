/* check.h - loads and tries a model where a crash costs nothing.
 *
 * A model file can abort the runtime, hang it, or eat the memory. So it is
 * loaded first in a child process with limits, run there on made-up input, and
 * only what came back well is loaded for real. The trial also finds out what a
 * server has to know: how long a run takes, and whether rows of a batch are
 * independent - by running the same rows alone and together and comparing.
 */
#ifndef MODEL_CHECK_H
#define MODEL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/runtime.h"

struct model_facts {
    bool tried;       /* a run on made-up input worked */
    bool batchable;   /* rows may be put together and taken apart */
    int64_t run_ns;   /* of one row; 0 if not tried */
    int64_t free_dim; /* what the free dimensions were for the run */
    char why[160];    /* why not batchable */
};

/* In this process, with no protection. */
MUST_CHECK enum errc check_here(const struct runtime_ops *ops,
                                struct runtime *rt,
                                const struct model_source *source,
                                struct model_facts *facts, struct err *err);

/* One model of check_forked(). */
struct check_job {
    struct model_source source;
    enum errc rc; /* out */
    struct err err;
    struct model_facts facts;
};

/* All of them in child processes forked from this one, which must not have
 * threads yet. The children inherit the bytes and the open runtime, so the
 * very bytes that were checked are the ones loaded later. */
void check_forked(const struct runtime_ops *ops, struct runtime *rt,
                  struct check_job *jobs, size_t n);

/* One model in a new process of this program (`stoker check-model`), for a
 * server that has threads. */
void check_spawned(const struct runtime_options *options,
                   struct check_job *job);

/* The body of that process: read() gives the model, from descriptor 0 (and
 * CHECK_FILE_FD, of an imported one); the verdict goes to standard output.
 * Returns the exit status. */
enum { CHECK_FILE_FD = 3 };
int check_child_main(const struct runtime_ops *ops,
                     const struct runtime_options *options,
                     enum errc (*read)(void *ctx, struct model_source *out,
                                       struct err *err),
                     void *ctx);

/* Makes the input of a trial: `rows` rows where the first dimension is free,
 * `free_dim` for every other free one. seeds[i] decides the values of row i.
 * NULL when an input is nothing that can be made up. */
struct tensor *check_inputs(const struct model_spec *spec, struct arena *arena,
                            const uint64_t *seeds, int64_t rows,
                            int64_t free_dim);

#endif
