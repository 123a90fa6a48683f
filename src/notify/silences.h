/* silences.h - alerts that nobody is to be told of for a while.
 *
 * Times are ms since 1970. Not thread safe.
 */
#ifndef NOTIFY_SILENCES_H
#define NOTIFY_SILENCES_H

#include "notify/matchers.h"
#include "notify/store.h"

enum { SILENCE_ID = 37, SILENCES_MAX = 10000 };

struct silence {
    struct arena arena;  /* of its texts */
    char id[SILENCE_ID]; /* a UUID */
    struct matchers matchers;
    struct str by, comment;
    int64_t starts_at, ends_at, updated_at;
};

enum silence_state { SILENCE_PENDING, SILENCE_ACTIVE, SILENCE_EXPIRED };

enum silence_state silence_state(const struct silence *s, int64_t now);
const char *silence_state_text(enum silence_state s);

struct silences {
    struct notify_store *store;
    struct silence **v;
    size_t n, cap;
};

/* Reads what the store has. */
MUST_CHECK enum errc silences_init(struct silences *s,
                                   struct notify_store *store, struct err *err);
void silences_fini(struct silences *s);

/* Takes over what `new` says; its matchers are texts of the caller's. With an
 * id, the silence of that name changes, or, when that would rewrite the past,
 * ends, and a new one begins. ERR_INVALID, ERR_NOT_FOUND in Alertmanager's
 * words. *id is that of the result. */
struct new_silence {
    struct str id; /* empty: a new one */
    struct matchers matchers;
    struct str by, comment;
    int64_t starts_at, ends_at;
};

MUST_CHECK enum errc silences_put(struct silences *s,
                                  const struct new_silence *new, int64_t now,
                                  char id[SILENCE_ID], struct err *err);

/* Ends it now. ERR_NOT_FOUND; ERR_CONFLICT: it has ended already. */
MUST_CHECK enum errc silences_expire(struct silences *s, struct str id,
                                     int64_t now, struct err *err);

const struct silence *silences_find(const struct silences *s, struct str id);

/* The first active one, from *at on, that matches; NULL: no more. *at begins
 * as 0 and moves on. */
const struct silence *silences_match(const struct silences *s, struct labels l,
                                     int64_t now, size_t *at);

/* Drops what expired long ago. */
void silences_forget(struct silences *s, int64_t now);

#endif
