/* push.h - alerts to Alertmanagers, over their API v2.
 *
 * What is put in waits in a queue; a thread sends it in pieces to all of them.
 * Nothing is tried again here: an alert that holds is put in again every
 * minute, one that has ended for a quarter of an hour.
 *
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
 */
#ifndef ALERT_PUSH_H
#define ALERT_PUSH_H

#include "alert/engine.h"

struct push;

struct push_options {
    const char *const *urls; /* kept as they are */
    size_t n;
    void (*say)(void *ctx, bool bad, const char *event, const char *text);
    void *ctx;
};

MUST_CHECK enum errc push_new(const struct push_options *options,
                              struct push **out, struct err *err);
void push_free(struct push *p); /* sends what waits; NULL is fine */

void push_alert(struct push *p, const struct engine_alert *a);

void push_stats(struct push *p, uint64_t *sent, uint64_t *dropped,
                uint64_t *errors);

#endif
