/* remote_out.h - every sample to another store: remote write 1.0.
 *
 *   tsdb_listen() --> a ring of samples --> batches --snappy--> POST
 *
 * What cannot be sent waits, and is tried again with growing pauses, as long
 * as the ring has room; then the oldest are dropped and counted. Only memory:
 * a restart loses what waits.
 *
 * https://prometheus.io/docs/specs/prw/remote_write_spec/
 *
 * Threads: one of its own; remote_out_sample() from the store's writer.
 */
#ifndef COLLECT_REMOTE_OUT_H
#define COLLECT_REMOTE_OUT_H

#include "collect/prom_config.h"
#include "tsdb/tsdb.h"

struct remote_out;

struct remote_out_options {
    struct tsdb *db;
    const struct remote *how; /* kept as it is, like external */
    struct labels external;   /* for series that have not these labels */
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

MUST_CHECK enum errc remote_out_new(const struct remote_out_options *options,
                                    struct remote_out **out, struct err *err);

/* Sends what waits, once; NULL is fine. Nobody may tell it of samples. */
void remote_out_free(struct remote_out *r);

void remote_out_sample(struct remote_out *r, uint32_t series, int64_t t,
                       double v);

struct remote_out_stats {
    uint64_t sent, failed, dropped; /* samples; failed: refused for good */
    uint64_t waiting;
};

/* Adds to *out. */
void remote_out_stats(struct remote_out *r, struct remote_out_stats *out);

#endif
