/* sources.h - what the user wants saved, as names and absolute paths. */
#ifndef BACKUP_SOURCES_H
#define BACKUP_SOURCES_H

#include "backup/manifest.h"

/* Fills head->sources from PATH or NAME=PATH, sorted by name; links in paths
 * are followed, once. ERR_INVALID: two of one name; ERR_NOT_FOUND. */
MUST_CHECK enum errc sources_find(const char *const *given, size_t n,
                                  struct arena *a, struct manifest_head *head,
                                  struct err *err);

/* Do both come from the same host and the same places? */
bool sources_same(const struct manifest_head *a, const struct manifest_head *b);

#endif
