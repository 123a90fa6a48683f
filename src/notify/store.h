/* store.h - what must outlive a restart: silences, and of each group what its
 * receivers were told last. In SQLite.
 *
 * Threads: one at a time.
 */
#ifndef NOTIFY_STORE_H
#define NOTIFY_STORE_H

#include "base/buf.h"
#include "base/err.h"

struct notify_store;

/* path NULL: in memory only. */
MUST_CHECK enum errc notify_store_open(const char *path,
                                       struct notify_store **out,
                                       struct err *err);
void notify_store_close(struct notify_store *s); /* NULL is fine */

/* ---- told --------------------------------------------------------------- */

/* Hashes of alerts, rising. */
struct told_record {
    int64_t at;
    uint64_t *firing, *resolved;
    size_t n_firing, n_resolved;
};

/* ERR_NOT_FOUND: it was told nothing yet. told_record_fini() releases it. */
MUST_CHECK enum errc notify_store_told(struct notify_store *s, struct str key,
                                       struct told_record *out,
                                       struct err *err);
void told_record_fini(struct told_record *t);

MUST_CHECK enum errc notify_store_tell(struct notify_store *s, struct str key,
                                       const struct told_record *t,
                                       int64_t expires, struct err *err);

/* Forgets what expired. */
void notify_store_forget(struct notify_store *s, int64_t now);

/* ---- silences ----------------------------------------------------------- */

struct kept_silence {
    struct str id, matchers, by, comment;
    int64_t starts_at, ends_at, updated_at;
};

MUST_CHECK enum errc notify_store_silence(struct notify_store *s,
                                          const struct kept_silence *k,
                                          struct err *err);
void notify_store_drop_silence(struct notify_store *s, struct str id);

/* Calls each() for all of them. */
MUST_CHECK enum errc notify_store_silences(
    struct notify_store *s,
    enum errc (*each)(void *ctx, const struct kept_silence *k, struct err *err),
    void *ctx, struct err *err);

#endif
