/* numbers.h - what a person wants to know at a glance, one number each: for
 * `stoker top` and for the console's first page. */
#ifndef EXPORT_NUMBERS_H
#define EXPORT_NUMBERS_H

#include <stddef.h>

enum number_id {
    NUMBER_TARGETS_DOWN,
    NUMBER_REQUESTS,
    NUMBER_SUCCESS,
    NUMBER_P50,
    NUMBER_P95,
    NUMBER_WAITING,
    NUMBER_CPU,
    NUMBER_MEMORY,
    NUMBER_DISK,
    NUMBERS
};

struct number {
    const char *name; /* in JSON */
    const char *unit; /* Grafana's name */
    const char *expr; /* one sample, or none when it is not known */
};

extern const struct number numbers[NUMBERS];

#endif
