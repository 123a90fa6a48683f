/* run_internal.h - running a group of requests; for the executor's files. */
#ifndef SERVE_RUN_INTERNAL_H
#define SERVE_RUN_INTERNAL_H

#include "serve/infer.h"

/* Decodes r if that was not done; on failure the reply is an error. */
bool run_decode(struct infer *r, unsigned shard);

/* True when both can be in one run. */
bool run_compatible(const struct infer *a, const struct infer *b);

/* Runs list (linked by next, all compatible), encodes every answer. Scratch is
 * reset. Afterwards each has its reply in http->out and http->status. */
void run_group(struct infer *list, struct arena *scratch, unsigned shard);

/* Sets an error as the reply of r and counts it. */
void run_fail(struct infer *r, int status, const char *message, unsigned shard);

#endif
