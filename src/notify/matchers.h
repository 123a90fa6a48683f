/* matchers.h - conditions on labels as Alertmanager writes them:
 * severity="critical", team=~"a|b", {a="1",b!="2"}. Quotes may be missing.
 *
 * https://prometheus.io/docs/alerting/latest/configuration/#matcher
 */
#ifndef NOTIFY_MATCHERS_H
#define NOTIFY_MATCHERS_H

#include "base/arena.h"
#include "series/matcher.h"

enum { MATCHERS_MAX = 100 };

struct matchers {
    struct matcher *v; /* in an arena, but for expressions */
    size_t n, cap;
};

/* Adds what the text says: one, or several with commas between them, in braces
 * or not. ERR_INVALID in Alertmanager's words. */
MUST_CHECK enum errc matchers_parse(struct matchers *m, struct str text,
                                    struct arena *a, struct err *err);

/* Adds one, whose texts are copied. */
MUST_CHECK enum errc matchers_add(struct matchers *m, enum match_op op,
                                  struct str name, struct str value,
                                  struct arena *a, struct err *err);
void matchers_fini(struct matchers *m);

/* All of them match. */
bool matchers_match(const struct matchers *m, struct labels l);

/* a="b",c=~"d": without the braces. */
void matchers_print(struct buf *out, const struct matchers *m);

#endif
