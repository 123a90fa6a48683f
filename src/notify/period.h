/* period.h - times of the week, as Alertmanager's time_intervals have them:
 * times, weekdays, days of the month, months, years, in a place.
 *
 * https://prometheus.io/docs/alerting/latest/configuration/#time_interval
 */
#ifndef NOTIFY_PERIOD_H
#define NOTIFY_PERIOD_H

#include "codec/yaml_form.h"

enum { RANGES_MAX = 16 };

/* Whole numbers from..to, both included. */
struct ranges {
    struct {
        int from, to;
    } v[RANGES_MAX];
    size_t n; /* 0: any */
};

struct period {
    struct ranges minutes; /* of the day; `to` is not included */
    struct ranges weekdays, days, months, years;
    struct str zone; /* empty: UTC; "Local"; "Asia/Shanghai" */
};

/* An entry of time_intervals' list. */
void period_take(struct yaml_form *f, const struct yaml *n, struct period *out);

/* ms since 1970. */
bool period_has(const struct period *p, int64_t ms);

#endif
