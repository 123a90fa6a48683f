/* params.h - the parameters of a request: of its query and, when it is a form,
 * of its body. */
#ifndef WEB_PARAMS_H
#define WEB_PARAMS_H

#include "base/err.h"
#include "http/request.h"

enum { PARAMS_MAX = 512 };

struct param {
    struct str name, value; /* decoded, in the request's arena */
};

struct params {
    struct param v[PARAMS_MAX];
    size_t n;
};

/* ERR_INVALID: a malformed escape, too many. */
MUST_CHECK enum errc params_read(struct http_request *r, struct params *out,
                                 struct err *err);

/* The first of that name; p == NULL when there is none. */
struct str params_get(const struct params *p, struct str name);

/* Times are seconds with a fraction or RFC 3339; the result is ms. A missing
 * one is `usual`, unless that is INT64_MIN: then it must be there. ERR_INVALID
 * in Prometheus' words. */
MUST_CHECK enum errc params_time(const struct params *p, struct str name,
                                 int64_t usual, int64_t *out, struct err *err);

/* Seconds with a fraction, or 5m; ms. */
MUST_CHECK enum errc params_duration(const struct params *p, struct str name,
                                     int64_t usual, int64_t *out,
                                     struct err *err);

/* A count; 0 when missing, which means no limit. */
MUST_CHECK enum errc params_limit(const struct params *p, uint64_t *out,
                                  struct err *err);

#endif
