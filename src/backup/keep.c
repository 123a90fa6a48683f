#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backup/backup.h"
#include "backup/sources.h"

#define SECOND INT64_C(1000000000)

/* ---- which hour, day ... ------------------------------------------------- */

static int64_t hour_of(const struct tm *t)
{
    return (((int64_t)t->tm_year * 16 + t->tm_mon) * 32 + t->tm_mday) * 32 +
           t->tm_hour;
}

static int64_t day_of(const struct tm *t)
{
    return (int64_t)t->tm_year * 512 + t->tm_yday;
}

/* ISO 8601: the week that a Thursday is in, of the Thursday's year. */
static int64_t week_of(const struct tm *t)
{
    struct tm thursday = *t;

    thursday.tm_mday += 3 - (t->tm_wday + 6) % 7;
    thursday.tm_hour = 12;
    thursday.tm_isdst = -1;
    if (mktime(&thursday) == -1)
        return day_of(t);
    return (int64_t)thursday.tm_year * 64 + thursday.tm_yday / 7;
}

static int64_t month_of(const struct tm *t)
{
    return (int64_t)t->tm_year * 16 + t->tm_mon;
}

static int64_t year_of(const struct tm *t)
{
    return t->tm_year;
}

enum { PERIODS = 6 };

static const struct {
    const char *name;
    int64_t (*of)(const struct tm *t); /* NULL: each is one of its own */
} periods[PERIODS] = {{"last", NULL},        {"hourly", hour_of},
                      {"daily", day_of},     {"weekly", week_of},
                      {"monthly", month_of}, {"yearly", year_of}};

/* ---- one group ---------------------------------------------------------- */

static void keeps(struct keep *k, const char *reason)
{
    size_t n = strlen(k->reasons);

    (void)snprintf(k->reasons + n, sizeof(k->reasons) - n, "%s%s",
                   n ? ", " : "", reason);
    k->keeps = true;
}

static bool has_tag(const char *tags, const char *tag)
{
    struct str rest = str_from_cstr(tags ? tags : "");

    while (rest.n) {
        struct str one = str_trim(str_cut(&rest, ','));
        if (one.n && str_eq(one, str_from_cstr(tag)))
            return true;
    }
    return false;
}

/* The newest of the group first: all[n-1] down. */
static void choose(const struct backups *all, const struct keep_policy *p,
                   const struct backup *group, struct keep *out)
{
    const int64_t wanted[PERIODS] = {p->last,   p->hourly,  p->daily,
                                     p->weekly, p->monthly, p->yearly};
    int64_t left[PERIODS], before[PERIODS], newest = -1;

    memcpy(left, wanted, sizeof(left));
    for (size_t i = 0; i < PERIODS; i++)
        before[i] = INT64_MIN;
    for (size_t i = all->n; i-- > 0;) {
        const struct backup *b = &all->v[i];
        time_t t = (time_t)(b->head.created_ns / SECOND);
        struct tm tm;
        if (b->entries < 0 || !sources_same(&b->head, &group->head) ||
            !localtime_r(&t, &tm))
            continue;
        newest = newest < 0 ? b->head.created_ns : newest;
        if (has_tag(p->tags, b->head.tag))
            keeps(&out[i], "tag");
        if (p->within_ns > 0 && b->head.created_ns > newest - p->within_ns)
            keeps(&out[i], "within");
        for (size_t k = 0; k < PERIODS; k++) {
            int64_t now = periods[k].of ? periods[k].of(&tm) : (int64_t)i;
            if (!left[k] || now == before[k])
                continue;
            keeps(&out[i], periods[k].name);
            before[k] = now;
            left[k] -= left[k] > 0; /* below 0: all of them */
        }
    }
}

/* ---- all ---------------------------------------------------------------- */

enum errc keep_choose(const struct backups *all, const struct keep_policy *p,
                      struct keep *out, struct err *err)
{
    if (!p->last && !p->hourly && !p->daily && !p->weekly && !p->monthly &&
        !p->yearly && p->within_ns <= 0 && !(p->tags && *p->tags))
        return err_set(err, ERR_INVALID,
                       "which ones are to stay? Say --keep-last, --keep-daily "
                       "or the like");
    for (size_t i = 0; i < all->n; i++)
        out[i] = (struct keep){.backup = &all->v[i]};
    for (size_t i = 0; i < all->n; i++) {
        bool is_first = true;
        if (all->v[i].entries < 0) {
            keeps(&out[i], "damaged");
            continue;
        }
        for (size_t k = 0; k < i && is_first; k++)
            is_first = all->v[k].entries < 0 ||
                       !sources_same(&all->v[k].head, &all->v[i].head);
        if (is_first)
            choose(all, p, &all->v[i], out);
    }
    return ERR_OK;
}
