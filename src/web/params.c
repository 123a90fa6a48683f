#include "web/params.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/percent.h"
#include "promql/duration.h"

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

static bool two_digits(const char *p, int *out)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return false;
    *out = (p[0] - '0') * 10 + (p[1] - '0');
    return true;
}

/* Days from 1970 to a date of the Gregorian calendar
 * (https://howardhinnant.github.io/date_algorithms.html). */
static int64_t days_to(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Z or +08:00, in ms. */
static bool read_zone(const char *p, int64_t *out)
{
    int hours, minutes;

    *out = 0;
    if (strcmp(p, "Z") == 0 || strcmp(p, "z") == 0)
        return true;
    if ((p[0] != '+' && p[0] != '-') || strlen(p) != 6 ||
        !two_digits(p + 1, &hours) || p[3] != ':' ||
        !two_digits(p + 4, &minutes))
        return false;
    *out = (hours * 60 + minutes) * 60000 * (p[0] == '-' ? -1 : 1);
    return true;
}

/* 2026-11-25T06:00:00.123Z */
static bool read_date(struct str s, int64_t *ms)
{
    char t[48];
    int century, year, month, day, hour, minute, second;
    int64_t zone;

    if (s.n < 20 || s.n >= sizeof(t))
        return false;
    memcpy(t, s.p, s.n);
    t[s.n] = '\0';
    if (!two_digits(t, &century) || !two_digits(t + 2, &year) || t[4] != '-' ||
        !two_digits(t + 5, &month) || t[7] != '-' || !two_digits(t + 8, &day) ||
        (t[10] != 'T' && t[10] != 't') || !two_digits(t + 11, &hour) ||
        t[13] != ':' || !two_digits(t + 14, &minute) || t[16] != ':' ||
        !two_digits(t + 17, &second) || month < 1 || month > 12 || day < 1 ||
        day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    char *rest = t + 19;
    double fraction = *rest == '.' ? strtod(rest, &rest) : 0;
    if (!read_zone(rest, &zone))
        return false;
    int64_t seconds = days_to(century * 100 + year, month, day) * 86400 +
                      hour * 3600 + minute * 60 + second;
    *ms = seconds * 1000 + (int64_t)llround(fraction * 1000) - zone;
    return true;
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
    return read_date(value, out)
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
