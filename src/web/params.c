#include "web/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "codec/percent.h"
#include "series/duration.h"

static enum errc read_form(struct str form, struct arena *a, struct params *out,
                           struct err *err)
{
    while (form.n) {
        struct str value = str_cut(&form, '&'), name = str_cut(&value, '=');
        if (name.n == 0)
            continue;
        if (out->n == PARAMS_MAX)
            return err_set(err, ERR_INVALID, "more than %d parameters",
                           PARAMS_MAX);
        struct param *p = &out->v[out->n++];
        if (!percent_decode_form(name, a, &p->name) ||
            !percent_decode_form(value, a, &p->value))
            return err_set(err, ERR_INVALID,
                           "error parsing form values: invalid URL escape");
    }
    return ERR_OK;
}

enum errc params_read(struct http_request *r, struct params *out,
                      struct err *err)
{
    struct str type = r->head.known[HTTP_CONTENT_TYPE];
    struct str name = str_trim(str_cut(&type, ';'));

    out->n = 0;
    /* As Go does it: what the body says comes first. */
    if (str_eq_nocase(name, STR("application/x-www-form-urlencoded"))) {
        enum errc rc = read_form(r->body, &r->arena, out, err);
        if (rc)
            return rc;
    }
    return read_form(r->query, &r->arena, out, err);
}

struct str params_get(const struct params *p, struct str name)
{
    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->v[i].name, name))
            return p->v[i].value;
    return (struct str){NULL, 0};
}

/* ---- numbers and times -------------------------------------------------- */

static bool read_seconds(struct str s, double *out)
{
    char text[64], *end;

    if (s.n == 0 || s.n >= sizeof(text) || s.p[0] == ' ')
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *out = strtod(text, &end);
    return *end == '\0' && strcspn(text, "xX") == s.n && isfinite(*out);
}

/* As Prometheus says it: more words for a time that may be left out. */
static enum errc wrong(struct str name, struct str value, const char *what,
                       bool optional, struct err *err)
{
    char more[100] = "";

    if (optional)
        (void)snprintf(more, sizeof(more),
                       "Invalid time value for '" STR_FMT "': ", STR_ARG(name));
    return err_set(err, ERR_INVALID,
                   "invalid parameter \"" STR_FMT
                   "\": %scannot parse \"" STR_FMT "\" to a valid %s",
                   STR_ARG(name), more, STR_ARG(value), what);
}

enum errc params_time(const struct params *p, struct str name, int64_t usual,
                      int64_t *out, struct err *err)
{
    struct str value = params_get(p, name);
    bool optional = usual != INT64_MIN;
    double seconds;

    *out = usual;
    if (value.n == 0 && optional)
        return ERR_OK;
    if (read_seconds(value, &seconds) && fabs(seconds) < 9.2e15) {
        *out = (int64_t)llround(seconds * 1000);
        return ERR_OK;
    }
    return clock_parse(value, out)
               ? ERR_OK
               : wrong(name, value, "timestamp", optional, err);
}

enum errc params_duration(const struct params *p, struct str name,
                          int64_t usual, int64_t *out, struct err *err)
{
    struct str value = params_get(p, name);
    double seconds;

    *out = usual;
    if (value.n == 0 && usual != INT64_MIN)
        return ERR_OK;
    if (read_seconds(value, &seconds) && fabs(seconds) < 9.2e9) {
        *out = (int64_t)llround(seconds * 1000);
        return ERR_OK;
    }
    return duration_parse(value, out)
               ? ERR_OK
               : wrong(name, value, "duration", false, err);
}

enum errc params_limit(const struct params *p, uint64_t *out, struct err *err)
{
    struct str value = params_get(p, STR("limit"));

    *out = 0;
    if (value.n == 0 || str_to_u64(value, out))
        return ERR_OK;
    return err_set(err, ERR_INVALID,
                   "invalid parameter \"limit\": limit must be non-negative");
}
