/* words.c - plain words for times: "weekdays at 9:00 and 18:00". */
#include <string.h>

#include "schedule/when.h"

enum { EVERY_DAY = 127, WEEKDAYS = 62, WEEKENDS = 65, ALL_MONTHS = 0x1ffe };

#define ALL_DAYS  UINT32_C(0xfffffffe)
#define ALL_HOURS UINT32_C(0xffffff)

struct reader {
    struct str rest;
    struct when *out;
    struct err *err;
};

/* Words are parted by blanks and commas. */
static struct str peek(const struct reader *r)
{
    struct str s = r->rest;
    size_t n = 0;

    while (s.n && strchr(" \t,", s.p[0]))
        s = str_slice(s, 1, s.n);
    while (n < s.n && !strchr(" \t,", s.p[n]))
        n++;
    return str_slice(s, 0, n);
}

static void skip(struct reader *r)
{
    struct str word = peek(r);

    r->rest = word.n ? str_slice(r->rest, (size_t)(word.p + word.n - r->rest.p),
                                 r->rest.n)
                     : STR("");
}

static bool take(struct reader *r, const char *word)
{
    if (!str_eq_nocase(peek(r), str_from_cstr(word)))
        return false;
    skip(r);
    return true;
}

static enum errc wrong(struct reader *r, const char *wanted)
{
    struct str word = peek(r);

    return word.n
               ? err_set(r->err, ERR_INVALID, "'" STR_FMT "': %s wanted",
                         STR_ARG(word), wanted)
               : err_set(r->err, ERR_INVALID, "%s wanted at the end", wanted);
}

/* ---- times -------------------------------------------------------------- */

/* 3, 3:30, 03:30, 3pm, 3:30am; the words noon and midnight. */
static bool read_time(struct str word, unsigned *hour, unsigned *minute)
{
    bool am = word.n > 2 &&
              str_eq_nocase(str_slice(word, word.n - 2, word.n), STR("am")),
         pm = word.n > 2 &&
              str_eq_nocase(str_slice(word, word.n - 2, word.n), STR("pm"));
    uint64_t h, m = 0;

    if (str_eq_nocase(word, STR("noon")) ||
        str_eq_nocase(word, STR("midnight"))) {
        *hour = word.n == 4 ? 12 : 0;
        *minute = 0;
        return true;
    }
    if (am || pm)
        word = str_slice(word, 0, word.n - 2);
    struct str minutes = word, hours = str_cut(&minutes, ':');
    if (!str_to_u64(hours, &h) || hours.n > 2 ||
        (minutes.p && (minutes.n != 2 || !str_to_u64(minutes, &m))) ||
        (!minutes.p && !am && !pm) || m > 59)
        return false;
    if (am || pm ? h < 1 || h > 12 : h > 23)
        return false;
    *hour = (unsigned)(am || pm ? h % 12 + (pm ? 12 : 0) : h);
    *minute = (unsigned)m;
    return true;
}

/* Nothing: midnight; else "at" and times with one minute. */
static enum errc take_times(struct reader *r)
{
    unsigned hour, minute;
    bool any = false;

    r->out->minutes = r->out->hours = 1;
    if (!take(r, "at"))
        return peek(r).n ? wrong(r, "at HH:MM") : ERR_OK;
    r->out->minutes = r->out->hours = 0;
    do {
        if (!read_time(peek(r), &hour, &minute))
            return wrong(r, "a time (03:00, 3pm, noon)");
        if (any && r->out->minutes != UINT64_C(1) << minute)
            return err_set(r->err, ERR_INVALID,
                           "'" STR_FMT "': times of one schedule have one "
                           "minute; another minute needs another schedule",
                           STR_ARG(peek(r)));
        r->out->hours |= UINT32_C(1) << hour;
        r->out->minutes = UINT64_C(1) << minute;
        any = true;
        skip(r);
        (void)take(r, "and");
    } while (peek(r).n);
    return ERR_OK;
}

/* "at :15" */
static enum errc take_minute(struct reader *r)
{
    uint64_t minute = 0;

    if (take(r, "at")) {
        struct str word = peek(r);
        if (word.n != 3 || word.p[0] != ':' ||
            !str_to_u64(str_slice(word, 1, 3), &minute) || minute > 59)
            return wrong(r, "a minute (:15)");
        skip(r);
    }
    r->out->minutes = UINT64_C(1) << minute;
    return peek(r).n ? wrong(r, "nothing more is") : ERR_OK;
}

/* ---- days --------------------------------------------------------------- */

/* monday, mon; 7: it is none. */
static unsigned weekday(struct str word)
{
    static const char *const names[] = {"sunday",    "monday",   "tuesday",
                                        "wednesday", "thursday", "friday",
                                        "saturday"};
    unsigned i = 0;

    if (str_ends(word, STR("s")) && word.n > 4) /* mondays */
        word = str_slice(word, 0, word.n - 1);
    while (i < COUNT(names) && !str_eq_nocase(word, str_from_cstr(names[i])) &&
           !str_eq_nocase(word, str_slice(str_from_cstr(names[i]), 0, 3)))
        i++;
    return i;
}

static enum errc take_weekdays(struct reader *r)
{
    r->out->weekdays = 0;
    do {
        unsigned day = weekday(peek(r));
        if (day > 6)
            return wrong(r, "a day of the week");
        r->out->weekdays |= UINT32_C(1) << day;
        skip(r);
        (void)take(r, "and");
    } while (peek(r).n && !str_eq_nocase(peek(r), STR("at")));
    r->out->any_weekday = false;
    return take_times(r);
}

/* 1st, 2nd, 15th, 15. */
static enum errc take_days(struct reader *r)
{
    r->out->days = 0;
    r->out->any_day = false;
    do {
        (void)take(r, "the");
        struct str word = peek(r);
        size_t n = 0;
        uint64_t day;
        while (n < word.n && word.p[n] >= '0' && word.p[n] <= '9')
            n++;
        if (!str_to_u64(str_slice(word, 0, n), &day) || day < 1 || day > 31 ||
            (word.n != n && word.n != n + 2))
            return wrong(r, "a day of the month (1st, 15th)");
        r->out->days |= UINT32_C(1) << day;
        skip(r);
        (void)take(r, "and");
    } while (peek(r).n && !str_eq_nocase(peek(r), STR("at")));
    return take_times(r);
}

/* ---- every -------------------------------------------------------------- */

/* Each n-th of `of` from 0 on. */
static uint64_t each(uint64_t n, unsigned of)
{
    uint64_t bits = 0;

    for (uint64_t i = 0; i < of; i += n)
        bits |= UINT64_C(1) << i;
    return bits;
}

/* "every 15 minutes", "every 2 hours at :30"; n parts the hour or day. */
static enum errc take_interval(struct reader *r, uint64_t n)
{
    struct str unit = peek(r);
    bool minutes = str_eq_nocase(unit, STR("minutes")) ||
                   str_eq_nocase(unit, STR("minute")),
         hours = str_eq_nocase(unit, STR("hours")) ||
                 str_eq_nocase(unit, STR("hour"));

    if (!minutes && !hours)
        return wrong(r, "minutes or hours");
    if (n < 1 || (minutes ? 60 : 24) % n)
        return err_set(r->err, ERR_INVALID,
                       "every %llu %s does not part %s evenly: say one of %s",
                       (unsigned long long)n, minutes ? "minutes" : "hours",
                       minutes ? "the hour" : "the day",
                       minutes ? "1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30"
                               : "1, 2, 3, 4, 6, 8, 12");
    skip(r);
    r->out->any_hour = true;
    if (hours) {
        r->out->hours = (uint32_t)each(n, 24);
        return take_minute(r);
    }
    r->out->minutes = each(n, 60);
    return peek(r).n ? wrong(r, "nothing more is") : ERR_OK;
}

enum errc when_words(struct str text, struct when *out, struct err *err)
{
    struct reader r = {text, out, err};
    bool every = take(&r, "every");
    uint64_t n;

    *out = (struct when){.hours = ALL_HOURS,
                         .days = ALL_DAYS,
                         .months = ALL_MONTHS,
                         .weekdays = EVERY_DAY,
                         .any_day = true,
                         .any_weekday = true};
    if (every && str_to_u64(peek(&r), &n)) {
        skip(&r);
        return take_interval(&r, n);
    }
    if (every && (str_eq_nocase(peek(&r), STR("minute")) ||
                  str_eq_nocase(peek(&r), STR("hour"))))
        return take_interval(&r, 1);
    if (!every && take(&r, "hourly")) {
        out->any_hour = true;
        return take_minute(&r);
    }
    if (take(&r, every ? "day" : "daily"))
        return take_times(&r);
    if (take(&r, "weekdays") || take(&r, "weekday")) {
        out->weekdays = WEEKDAYS;
        out->any_weekday = false;
        return take_times(&r);
    }
    if (take(&r, "weekends") || take(&r, "weekend")) {
        out->weekdays = WEEKENDS;
        out->any_weekday = false;
        return take_times(&r);
    }
    bool weekly = take(&r, every ? "week" : "weekly");
    if (take(&r, every ? "month" : "monthly"))
        return take(&r, "on") ? take_days(&r) : wrong(&r, "on the 1st");
    if (weekly || every)
        (void)take(&r, "on");
    if (weekly || every || weekday(peek(&r)) < 7)
        return take_weekdays(&r);
    return err_set(err, ERR_NOT_FOUND, "no words");
}
