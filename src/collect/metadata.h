/* metadata.h - what targets say of their metrics: type, help, unit. One entry
 * a metric: the last word counts.
 *
 * Threads: any. */
#ifndef COLLECT_METADATA_H
#define COLLECT_METADATA_H

#include "base/err.h"
#include "codec/exposition.h"

enum { METADATA_MAX = 100000 }; /* metrics; further ones are not kept */

struct metadata;

MUST_CHECK enum errc metadata_new(struct metadata **out, struct err *err);
void metadata_free(struct metadata *m); /* NULL is fine */

/* What cannot be kept (no memory, too many) is left out. */
void metadata_note(struct metadata *m, enum exposition_about what,
                   struct str family, struct str text);

struct metadata_entry {
    char *name, *type, *help, *unit; /* NULL: not said */
};

/* Calls each() for every metric, in the order of their names, until one is
 * false. Nothing may be noted meanwhile by the same thread. */
void metadata_each(struct metadata *m,
                   bool (*each)(void *ctx, const struct metadata_entry *e),
                   void *ctx);

#endif
