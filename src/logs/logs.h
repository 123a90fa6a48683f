/* logs.h - what the processes say, at the monitor: the newest lines in memory
 * for whoever looks, and all of them on their way to another system.
 *
 *   socket of our processes --+            +--> book   (console, API)
 *                             +-- lines ---+
 *   files that are followed --+            +--> queue on disk --> ship
 *
 * A process never waits for it: a line that does not fit into the socket is
 * not seen here, and counted where it was written (base/log.h).
 *
 * Threads: one that reads, one that ships; the functions from any.
 */
#ifndef LOGS_LOGS_H
#define LOGS_LOGS_H

#include "logs/book.h"

struct logs;

struct logs_options {
    int fd; /* that our processes' lines come from (log_tee); 0: none */
    const char *const *files; /* to be followed; kept as they are */
    size_t n_files;
    const char *url; /* to ship to, see ship.h; NULL: nowhere */
    const char *authorization;
    const char *dir;     /* of the queue */
    uint64_t queue_size; /* bytes */
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

MUST_CHECK enum errc logs_new(const struct logs_options *o, struct logs **out,
                              struct err *err);
MUST_CHECK enum errc logs_start(struct logs *l, struct err *err);
void logs_free(struct logs *l); /* NULL is fine */

struct book *logs_book(struct logs *l);

/* uint64_t's, for metrics. */
struct logs_stats {
    uint64_t seen;                  /* lines */
    uint64_t sent, failed, dropped; /* lines; dropped: the queue was full */
    uint64_t queue_bytes;
};

void logs_stats(struct logs *l, struct logs_stats *out);

#endif
