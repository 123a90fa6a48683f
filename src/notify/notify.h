/* notify.h - alerts in, messages to people out: Alertmanager's work, within
 * the monitor.
 *
 *   engine, API --> active alerts --> routes --> groups --> deliveries -->
 * people (dispatch.h)      (a few threads, send.h)
 *
 * Threads: any.
 */
#ifndef NOTIFY_NOTIFY_H
#define NOTIFY_NOTIFY_H

#include "notify/dispatch.h"

struct notify;

struct notify_options {
    const char *config; /* file; NULL: nobody is told */
    const char *state;  /* file; NULL: in memory only */
    struct str external_url;
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

/* ERR_INVALID: a mistake in the configuration. Texts of the options are kept
 * as they are. */
MUST_CHECK enum errc notify_new(const struct notify_options *options,
                                struct notify **out, struct err *err);
MUST_CHECK enum errc notify_start(struct notify *n, struct err *err);
void notify_free(struct notify *n); /* NULL is fine */

/* Reads the configuration anew. After a mistake everything is as before. */
MUST_CHECK enum errc notify_reload(struct notify *n, struct err *err);

MUST_CHECK enum errc notify_alert(struct notify *n, const struct incoming *in,
                                  struct err *err);

/* Runs look() while nothing changes. It must not block. */
void notify_look(struct notify *n,
                 void (*look)(void *ctx, struct dispatch *d, int64_t now),
                 void *ctx);

/* See silences.h. */
MUST_CHECK enum errc notify_silence(struct notify *n,
                                    const struct new_silence *silence,
                                    char id[SILENCE_ID], struct err *err);
MUST_CHECK enum errc notify_expire(struct notify *n, struct str id,
                                   struct err *err);

/* Tells everybody whom this alert would be told, at once and without regard to
 * silences; each() gets what came of it. Blocks. ERR_NOT_FOUND: there is no
 * configuration. */
struct tested {
    struct str receiver;
    const char *type;
    unsigned index;
    enum errc rc;
    const char *why;
};

MUST_CHECK enum errc notify_test(struct notify *n, const struct incoming *in,
                                 void (*each)(void *ctx,
                                              const struct tested *t),
                                 void *ctx, struct err *err);

#endif
