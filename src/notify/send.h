/* send.h - telling people: a notification, and what makes a message of it.
 *
 * Threads: a notification belongs to one thread; it may block.
 */
#ifndef NOTIFY_SEND_H
#define NOTIFY_SEND_H

#include "base/buf.h"
#include "http/fetch.h"
#include "notify/config.h"

struct notified_alert {
    struct labels labels, annotations;
    int64_t starts_at, ends_at; /* ms since 1970; ends_at 0: it holds */
    struct str generator_url;
    uint64_t fingerprint;
};

/* What a receiver is told at once: the alerts of a group. All of it lies in
 * the arena but what `how` names. */
struct notification {
    struct arena arena;
    const struct integration *how;
    const struct template_set *templates;
    struct str group_key, external_url;
    struct labels group_labels, common_labels, common_annotations;
    struct notified_alert *alerts; /* those that hold first */
    size_t n, n_firing;
    int64_t timeout_ms;
    int64_t now; /* ms: of what is signed */
};

/* Fills common_labels and common_annotations. False: out of memory. */
bool notification_finish(struct notification *n);

/* A text of the integration with the notification put in. */
MUST_CHECK enum errc message_make(const struct notification *n,
                                  const struct message_text *text,
                                  struct buf *out, struct err *err);

/* ---- kinds of receivers ------------------------------------------------- */

/* ERR_OK: the other side has it. */
enum errc send_webhook(struct notification *n, struct told *told,
                       struct err *err);
enum errc send_email(struct notification *n, struct told *told,
                     struct err *err);
enum errc send_slack(struct notification *n, struct told *told,
                     struct err *err);
enum errc send_dingtalk(struct notification *n, struct told *told,
                        struct err *err);
enum errc send_feishu(struct notification *n, struct told *told,
                      struct err *err);
enum errc send_wecom(struct notification *n, struct told *told,
                     struct err *err);

/* POSTs JSON to the integration's URL, with `more` behind it. *reply gets the
 * answer; a status that is none of success is an error. */
MUST_CHECK enum errc send_post(struct notification *n, const char *more,
                               struct str body, struct buf *reply,
                               struct told *told, struct err *err);

/* The text's beginning of at most max bytes, not cut within a character; what
 * was cut is shown by "...". */
void send_shorten(struct buf *text, size_t max);

#endif
