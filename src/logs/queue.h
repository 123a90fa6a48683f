/* queue.h - lines on their way out, on disk: what was put in is taken out in
 * order, once, also by a later process. Files of a mebibyte or so lie in a
 * directory of their own; when all together are too large the oldest goes.
 *
 *     queue-0000000012   lines, each with an end
 *     position           "12 48213": the file and byte that is read next
 *     name               see queue_name()
 *
 * Threads: any.
 */
#ifndef LOGS_QUEUE_H
#define LOGS_QUEUE_H

#include "base/buf.h"
#include "base/err.h"

struct queue;

MUST_CHECK enum errc queue_open(const char *dir, uint64_t max_bytes,
                                struct queue **out, struct err *err);
void queue_close(struct queue *q); /* NULL is fine */

/* A line without its end. It is in the file when queue_flush() was called. */
void queue_put(struct queue *q, struct str line);
void queue_flush(struct queue *q);

/* Eight hexadecimal digits, made by chance when the directory was new: with a
 * place it names a line for good. */
const char *queue_name(const struct queue *q);

/* Where a batch came from. */
struct queue_place {
    uint64_t file, byte;
};

/* Appends the next lines, whole ones, at most about max bytes; false: there are
 * none. They stay until queue_done(), with their number of bytes. */
bool queue_peek(struct queue *q, size_t max, struct buf *out,
                struct queue_place *place);
void queue_done(struct queue *q, struct queue_place place, size_t bytes);

struct queue_stats {
    uint64_t bytes;   /* that wait */
    uint64_t dropped; /* lines that there was no room for */
};

void queue_stats(struct queue *q, struct queue_stats *out);

#endif
