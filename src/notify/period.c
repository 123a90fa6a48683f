#include "notify/period.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "notify/zone.h"

static const char *const weekdays[] = {"sunday",    "monday",   "tuesday",
                                       "wednesday", "thursday", "friday",
                                       "saturday",  NULL};
static const char *const months[] = {
    "",     "january", "february",  "march",   "april",    "may",      "june",
    "july", "august",  "september", "october", "november", "december", NULL};

/* A number, or one of the names. */
static bool take_value(struct str s, const char *const *names, int *out)
{
    char text[24], *end;

    for (int i = 0; names && names[i]; i++)
        if (s.n && str_eq_nocase(s, str_from_cstr(names[i]))) {
            *out = i;
            return true;
        }
    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), STR_FMT, STR_ARG(s));
    *out = (int)strtol(text, &end, 10);
    return *end == '\0';
}

struct kind {
    const char *const *names;
    int least, most;
};

static const struct kind of_weekdays = {weekdays, 0, 6},
                         of_days = {NULL, -31, 31}, of_months = {months, 1, 12},
                         of_years = {NULL, 1, 9999};

/* "monday:friday", "-3:-1", "may". */
static void take_range(struct yaml_form *f, const struct yaml *n,
                       const struct kind *kind, struct ranges *out)
{
    struct str rest = yaml_take_text(f, n), first = str_cut(&rest, ':');
    bool two = memchr(n->text.p ? n->text.p : "", ':', n->text.n) != NULL;
    int from, to;

    if (!take_value(first, kind->names, &from) ||
        !take_value(two ? rest : first, kind->names, &to) ||
        from < kind->least || to > kind->most || (kind == &of_days && !from))
        yaml_wrong(f, n, "\"" STR_FMT "\" is not a valid range here",
                   STR_ARG(n->text));
    else if (from > to && (from < 0) == (to < 0))
        yaml_wrong(f, n, "the range \"" STR_FMT "\" ends before it begins",
                   STR_ARG(n->text));
    else if (out->n == RANGES_MAX)
        yaml_wrong(f, n, "more than %d ranges", RANGES_MAX);
    else {
        out->v[out->n].from = from;
        out->v[out->n++].to = to;
    }
}

static void take_ranges(struct yaml_form *f, const struct yaml *n,
                        const struct kind *kind, struct ranges *out)
{
    if (yaml_is_list(f, n))
        for (const struct yaml *c = n->first; c; c = c->next)
            take_range(f, c, kind, out);
}

static void take_weekdays(struct yaml_form *f, const struct yaml *n, void *out)
{
    take_ranges(f, n, &of_weekdays, out);
}

static void take_days(struct yaml_form *f, const struct yaml *n, void *out)
{
    take_ranges(f, n, &of_days, out);
}

static void take_months(struct yaml_form *f, const struct yaml *n, void *out)
{
    take_ranges(f, n, &of_months, out);
}

static void take_years(struct yaml_form *f, const struct yaml *n, void *out)
{
    take_ranges(f, n, &of_years, out);
}

struct clock_times {
    struct str start, end;
};

static bool minutes_of(struct str s, int *out)
{
    int h, m, used = 0;
    char text[8];

    if (s.n != 5)
        return false;
    (void)snprintf(text, sizeof(text), STR_FMT, STR_ARG(s));
    if (sscanf(text, "%2d:%2d%n", &h, &m, &used) != 2 || used != 5 || h > 24 ||
        m > 59 || h < 0 || m < 0 || (h == 24 && m))
        return false;
    *out = h * 60 + m;
    return true;
}

static void take_times(struct yaml_form *f, const struct yaml *n, void *field)
{
    static const struct yaml_field fields[] = {
        {"start_time", YAML_FIELD_TEXT, offsetof(struct clock_times, start),
         NULL},
        {"end_time", YAML_FIELD_TEXT, offsetof(struct clock_times, end), NULL},
        {0}};
    struct ranges *out = field;

    if (!yaml_is_list(f, n))
        return;
    for (const struct yaml *c = n->first; c; c = c->next) {
        struct clock_times t = {0};
        int from, to;
        yaml_take(f, c, fields, &t);
        if (!minutes_of(t.start, &from) || !minutes_of(t.end, &to))
            yaml_wrong(f, c, "start_time and end_time must be like \"09:00\"");
        else if (from >= to)
            yaml_wrong(f, c,
                       "start time cannot be equal or greater than end "
                       "time");
        else if (out->n == RANGES_MAX)
            yaml_wrong(f, c, "more than %d times", RANGES_MAX);
        else {
            out->v[out->n].from = from;
            out->v[out->n++].to = to;
        }
    }
}

void period_take(struct yaml_form *f, const struct yaml *n, struct period *out)
{
#define AT(field) offsetof(struct period, field)
    static const struct yaml_field fields[] = {
        {"times", YAML_FIELD_OTHER, AT(minutes), take_times},
        {"weekdays", YAML_FIELD_OTHER, AT(weekdays), take_weekdays},
        {"days_of_month", YAML_FIELD_OTHER, AT(days), take_days},
        {"months", YAML_FIELD_OTHER, AT(months), take_months},
        {"years", YAML_FIELD_OTHER, AT(years), take_years},
        {"location", YAML_FIELD_TEXT, AT(zone), NULL},
        {0}};
#undef AT
    struct err why;
    int seconds;

    *out = (struct period){.zone = STR("")};
    yaml_take(f, n, fields, out);
    if (zone_offset(out->zone, time(NULL), &seconds, &why))
        yaml_wrong(f, n, "%s", why.msg);
}

/* ---- is it now? --------------------------------------------------------- */

static bool in_ranges(const struct ranges *r, int v)
{
    for (size_t i = 0; i < r->n; i++)
        if (v >= r->v[i].from && v <= r->v[i].to)
            return true;
    return r->n == 0;
}

static bool in_days(const struct ranges *r, const struct tm *tm)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
    int year = tm->tm_year + 1900;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int last = lengths[tm->tm_mon] + (leap && tm->tm_mon == 1);

    for (size_t i = 0; i < r->n; i++) {
        int from = r->v[i].from, to = r->v[i].to;
        from = from < 0 ? last + 1 + from : from;
        to = to < 0 ? last + 1 + to : to;
        if (tm->tm_mday >= from && tm->tm_mday <= to)
            return true;
    }
    return r->n == 0;
}

static bool in_minutes(const struct ranges *r, int v)
{
    for (size_t i = 0; i < r->n; i++)
        if (v >= r->v[i].from && v < r->v[i].to)
            return true;
    return r->n == 0;
}

bool period_has(const struct period *p, int64_t ms)
{
    struct tm tm;
    int seconds;

    if (zone_offset(p->zone, ms / 1000, &seconds, NULL))
        return false;
    time_t local = ms / 1000 + seconds;
    gmtime_r(&local, &tm);
    return in_minutes(&p->minutes, tm.tm_hour * 60 + tm.tm_min) &&
           in_ranges(&p->weekdays, tm.tm_wday) && in_days(&p->days, &tm) &&
           in_ranges(&p->months, tm.tm_mon + 1) &&
           in_ranges(&p->years, tm.tm_year + 1900);
}
