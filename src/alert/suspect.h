/* suspect.h - rules that are right and yet probably not what was meant. */
#ifndef ALERT_SUSPECT_H
#define ALERT_SUSPECT_H

#include "alert/rules.h"

/* The name of a metric is there (in the arena of the caller), or is not. */
typedef bool suspect_known(void *ctx, struct str metric);

struct suspect {
    /* Told once per doubt: which rule, and what to do. */
    void (*doubt)(void *ctx, const struct rule_group *g, const struct rule *r,
                  const char *text);
    suspect_known *known; /* NULL: nobody knows which metrics there are */
    void *ctx;
};

/* Metrics that rules of the set record are known, too. */
void suspect_rules(const struct rules *rules, const struct suspect *s);

#endif
