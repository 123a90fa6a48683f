/* built_in.h - the rules that a monitor has by itself: rules/stoker.rules.yml,
 * put in at build time. */
#ifndef ALERT_BUILT_IN_H
#define ALERT_BUILT_IN_H

#include <stddef.h>

struct built_in_rules {
    const char *name;
    const char *text;
    size_t n;
};

extern const struct built_in_rules built_in_rules[];
extern const size_t built_in_rules_count;

#endif
