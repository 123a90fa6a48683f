/* gpu.h - the metrics of NVIDIA GPUs, as text, under dcgm-exporter's names.
 *
 * Each GPU is read by a thread of its own, on demand: a call into a sick GPU
 * can hang, and then only that GPU is missing. A GPU that cannot be read has
 * gpu_up 0 and no other values: old ones would look like new ones.
 *
 *   scraper --gpus_collect()--> a thread per GPU --NVML--> readings --> text
 *                               the keeper: NVML's start, events, /dev/kmsg
 *
 * Names and labels: https://github.com/NVIDIA/dcgm-exporter (defaults of 4.5),
 * and nvidia_gpu_* for rule files that use those.
 *
 * Threads: any, one gpus_collect() at a time.
 */
#ifndef COLLECT_GPU_GPU_H
#define COLLECT_GPU_GPU_H

#include "base/buf.h"
#include "base/err.h"

struct gpus;

struct gpu_options {
    const char *library; /* NULL: $STOKER_NVML, or the usual places */
    const char *root;    /* of /proc and /dev; "" for this machine */
    int64_t wait_ms;     /* for the GPUs, at a reading; 0: 5 s */
    /* Told of GPUs that come and go, and XIDs; from threads of its own. */
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

/* ERR_NOT_FOUND: this machine has no driver. */
MUST_CHECK enum errc gpus_new(const struct gpu_options *options,
                              struct gpus **out, struct err *err);

/* Reads all GPUs, waits wait_ms at most, and writes the metrics. */
void gpus_collect(struct gpus *g, struct buf *out);

/* What gpus_collect() wrote last; nothing before the first. Does not wait. */
void gpus_last(struct gpus *g, struct buf *out);

/* Waits a second for calls that hang; their memory is not freed then. NULL is
 * fine. */
void gpus_free(struct gpus *g);

#endif
