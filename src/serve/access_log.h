/* access_log.h - one line per request, written by a thread of its own.
 *
 * JSON with ECS field names (https://www.elastic.co/guide/en/ecs/8.11/), or
 * text for a person when the destination is a terminal. Each loop fills a
 * buffer; the thread swaps and writes them. A destination that takes no more
 * (disk full) costs lines, which are counted and reported, never time.
 */
#ifndef SERVE_ACCESS_LOG_H
#define SERVE_ACCESS_LOG_H

#include "base/err.h"
#include "http/request.h"

struct access_log;

/* dest: a path, or "-" for standard output. */
MUST_CHECK enum errc access_log_open(const char *dest, unsigned loops,
                                     struct access_log **out, struct err *err);
void access_log_close(struct access_log *a); /* writes what is left */

/* On the request's loop. */
void access_log_write(struct access_log *a, struct http_request *r,
                      int64_t took_ns);

#endif
