/* alert_fire.h - `stoker alert fire`: a test alert on the real way to people.
 */
#ifndef CLI_ALERT_FIRE_H
#define CLI_ALERT_FIRE_H

#include "cli/command.h"

/* args: fire NAME [label=value ...]. The rule of that name, if the monitor at
 * url has one, adds its labels. ERR_UNAVAIL: somebody was not told. */
MUST_CHECK enum errc alert_fire(struct cli *cli, const char *url, bool json,
                                const struct flag_args *args, struct err *err);

#endif
