/* cache.h - results of imports, kept by the hash of the model file: the second
 * start of a model costs no more than that of an ONNX file.
 *
 * Entries are written once, by rename, and not changed; the oldest go when
 * there are too many. A cache that cannot be used is not there: nothing fails.
 */
#ifndef IMPORT_CACHE_H
#define IMPORT_CACHE_H

#include "base/str.h"

struct cache_key {
    char name[160]; /* of the file; "" when there is no cache */
};

/* The key of a model file's bytes and of what was said beside it. */
void cache_key(struct str file, struct str hints, struct cache_key *out);

/* A descriptor of the result, or -1. */
int cache_open(const struct cache_key *key);

/* Keeps what can be read from that descriptor. */
void cache_store(const struct cache_key *key, int result);

/* Removes an entry that turned out to be of no use. */
void cache_drop(const struct cache_key *key);

#endif
