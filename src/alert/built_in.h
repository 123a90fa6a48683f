/* built_in.h - the rules that a monitor has by itself: rules/stoker.rules.yml,
 * put in at build time. */
#ifndef ALERT_BUILT_IN_H
#define ALERT_BUILT_IN_H

#include "base/embedded.h"

extern const struct embedded_texts built_in_rules; /* one */

#endif
