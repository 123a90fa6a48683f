/* api_v2.h - what the handlers of Alertmanager's API share. */
#ifndef WEB_API_V2_H
#define WEB_API_V2_H

#include "codec/json_tree.h"
#include "web/api.h"

/* The matchers of filter=..., all of which must match. */
MUST_CHECK enum errc v2_filter(const struct params *p, struct matchers *out,
                               struct arena *a, struct err *err);

/* The request's body, as JSON. ERR_INVALID: it is none, and err says where. */
MUST_CHECK enum errc v2_body(struct api_call *c, struct arena *a,
                             struct json_node **out, struct err *err);

/* A time of RFC 3339; 0 when there is none. ERR_INVALID. */
MUST_CHECK enum errc v2_take_time(const struct json_node *n, const char *name,
                                  int64_t *out, struct err *err);
MUST_CHECK enum errc v2_take_alert(const struct json_node *n, struct arena *a,
                                   struct incoming *out, struct err *err);

/* before"2026-11-25T12:00:00.000Z" */
void v2_put_time(struct buf *b, const char *before, int64_t ms);

#endif
