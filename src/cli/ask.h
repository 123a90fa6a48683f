/* ask.h - the running Stoker is asked, for `status`, `down` and their like. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/command.h"
#include "codec/json_tree.h"

/* An answer; its texts lie in the arena. A zeroed one may be freed. */
struct answer {
    struct arena arena;
    const struct json_node *root;
    struct str text; /* JSON */
};

/* what: "status", "stop", "start", "restart", "reload", "upgrade"; services:
 * names of some, or none; program: of an upgrade, else NULL. ERR_UNAVAIL:
 * Stoker does not run. */
MUST_CHECK enum errc ask(const char *what, const char *const *services,
                         size_t n, const char *program, struct answer *out,
                         struct err *err);
void answer_free(struct answer *a);

/* The same when nobody needs the answer. */
MUST_CHECK enum errc ask_to(const char *what, const char *const *services,
                            size_t n, const char *program, struct err *err);

/* What was asked for did not go well: *rc says how. */
bool answer_has_trouble(const struct answer *a, enum errc *rc, struct err *err);

/* The unit of that name in an answer; NULL. */
const struct json_node *answer_unit(const struct answer *a, const char *name);

/* Asks for the status again and again, until look() says that it is as it is to
 * be, or how it failed. ERR_TIMEOUT after that long. With `gone`, that Stoker
 * ends is what is waited for. */
MUST_CHECK enum errc await(bool (*look)(void *ctx, const struct answer *a,
                                        enum errc *rc, struct err *err),
                           void *ctx, bool gone, int64_t timeout_ns,
                           struct err *err);

#endif
