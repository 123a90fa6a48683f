/* ship.h - lines to an Elasticsearch or a Loki, from a queue on disk.
 *
 *   queue --batches--> POST --answer--> done | those that must be tried again
 *
 * The path of the URL says which: .../_bulk, .../loki/api/v1/push. What cannot
 * be sent waits in the queue and is tried again with growing pauses, as long as
 * the queue has room. A line may be sent twice when the process is killed
 * between the answer and the note of it; both sides know a line again (by its
 * _id; by time and text).
 *
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 * https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
 *
 * Threads: one of its own.
 */
#ifndef LOGS_SHIP_H
#define LOGS_SHIP_H

#include "logs/queue.h"

struct ship;

struct ship_options {
    const char *url;           /* kept as it is */
    const char *authorization; /* value of that header; NULL: none */
    const char *host;          /* name of this machine */
    struct queue *queue;
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

/* ERR_INVALID: the URL is neither. */
MUST_CHECK enum errc ship_start(const struct ship_options *o, struct ship **out,
                                struct err *err);

/* Ends; what was not sent stays in the queue. NULL is fine. */
void ship_free(struct ship *s);

struct ship_stats {
    uint64_t sent, failed; /* lines; failed: refused for good */
};

void ship_stats(struct ship *s, struct ship_stats *out);

#endif
