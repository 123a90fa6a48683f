#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "schedule/when.h"
#include "unit/unit.h"

/* 2026-11-30T12:34:56Z, a Monday */
#define NOW INT64_C(1796042096)

static int64_t utc(const char *text)
{
    struct tm tm = {.tm_isdst = 0};

    return strptime(text, "%Y-%m-%d %H:%M", &tm) ? (int64_t)timegm(&tm) : -2;
}

TEST(times_come_again)
{
    static const struct {
        const char *text, *next; /* UTC */
    } rows[] = {
        {"* * * * *", "2026-11-30 12:35"},
        {"*/15 * * * *", "2026-11-30 12:45"},
        {"0 3 * * *", "2026-12-01 03:00"},
        {"5/20 * * * *", "2026-11-30 12:45"},
        {"0 0 29 2 *", "2028-02-29 00:00"},
        {"0 0 13 * 5", "2026-12-04 00:00"},  /* the 13th, or a Friday */
        {"0 0 */2 * 5", "2026-12-11 00:00"}, /* and: it begins with a star */
        {"30 4 1,15 * *", "2026-12-01 04:30"},
        {"0 22 * * 1-5", "2026-11-30 22:00"},
        {"0 22 * * MON-Fri", "2026-11-30 22:00"},
        {"0 0 * jan,JUL 7", "2027-01-03 00:00"},
        {"0 0 ? 12 ?", "2026-12-01 00:00"},
        {"59 23 31 12 *", "2026-12-31 23:59"},
        {"@hourly", "2026-11-30 13:00"},
        {"@daily", "2026-12-01 00:00"},
        {"@midnight", "2026-12-01 00:00"},
        {"@weekly", "2026-12-06 00:00"},
        {"@monthly", "2026-12-01 00:00"},
        {"@yearly", "2027-01-01 00:00"},
        {" 0\t3  * * * ", "2026-12-01 03:00"},
        {"daily", "2026-12-01 00:00"},
        {"daily at 03:00", "2026-12-01 03:00"},
        {"Every day at 3pm", "2026-11-30 15:00"},
        {"every day at 12am", "2026-12-01 00:00"},
        {"daily at noon and midnight", "2026-12-01 00:00"},
        {"daily at 6:30, 18:30", "2026-11-30 18:30"},
        {"hourly", "2026-11-30 13:00"},
        {"hourly at :15", "2026-11-30 13:15"},
        {"every minute", "2026-11-30 12:35"},
        {"every 10 minutes", "2026-11-30 12:40"},
        {"every 6 hours at :05", "2026-11-30 18:05"},
        {"weekdays at 9:00 and 18:00", "2026-11-30 18:00"},
        {"weekends at 10:00", "2026-12-05 10:00"},
        {"weekly", NULL},
        {"every week on sunday at 02:00", "2026-12-06 02:00"},
        {"monday at 9:00", "2026-12-07 09:00"},
        {"mondays and thursdays at 14:00", "2026-11-30 14:00"},
        {"every tuesday, fri at 1:00", "2026-12-01 01:00"},
        {"monthly on the 1st and 15th at 04:00", "2026-12-01 04:00"},
        {"every month on the 31st", "2026-12-31 00:00"},
    };

    (void)setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err = {.code = ERR_OK};
        struct when w;
        ROW("%s", rows[i].text);
        enum errc rc = when_parse(str_from_cstr(rows[i].text), &w, &err);
        CHECK(rc == (rows[i].next ? ERR_OK : ERR_INVALID));
        if (!rc && rows[i].next)
            CHECK_INT(when_next(&w, NOW), utc(rows[i].next));
    }
}

TEST(what_is_no_time)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "neither five fields"},
        {"* * * *", "neither five fields"},
        {"* * * * * *", "neither five fields"},
        {"60 * * * *", "minute: 60 is out of range (0-59)"},
        {"* 24 * * *", "hour: 24 is out of range (0-23)"},
        {"* * 0 * *", "day: 0 is out of range (1-31)"},
        {"* * * 13 *", "month: 13 is out of range (1-12)"},
        {"* * * * 8", "weekday: 8 is out of range (0-7)"},
        {"* * * foo *", "month: 'foo' is not understood"},
        {"5-1 * * * *", "minute: 5-1 ends before it begins"},
        {"*/0 * * * *", "minute: '*/0' is not understood"},
        {"*/99 * * * *", "minute: '*/99' is not understood"},
        {"1,,2 * * * *", "minute: '' is not understood"},
        {", * * * *", "minute: '' is not understood"},
        {"*-5 * * * *", "minute: '*-5' is not understood"},
        {"1-2-3 * * * *", "minute: '2-3' is not understood"},
        {"-1 * * * *", "minute: '' is not understood"},
        {"1.5 * * * *", "minute: '1.5' is not understood"},
        {"@reboot", "is a service"},
        {"@never", "neither five fields"},
        {"daily at 25:00", "'25:00': a time"},
        {"daily at 3", "'3': a time"},
        {"daily at 13pm", "'13pm': a time"},
        {"daily at", "a time (03:00, 3pm, noon) wanted at the end"},
        {"daily 03:00", "'03:00': at HH:MM wanted"},
        {"daily at 3:00 and 4:30", "one minute"},
        {"every 7 minutes", "does not part the hour evenly"},
        {"every 5 hours", "does not part the day evenly"},
        {"every 0 minutes", "does not part"},
        {"every 2 fortnights", "minutes or hours wanted"},
        {"every blue moon", "'blue': a day of the week wanted"},
        {"monthly", "on the 1st wanted"},
        {"monthly on the 32nd", "a day of the month"},
        {"hourly at 15", "'15': a minute (:15) wanted"},
        {"tomorrow", "neither five fields"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err = {.code = ERR_OK};
        struct when w;
        ROW("%s", rows[i].text);
        CHECK_INT(when_parse(str_from_cstr(rows[i].text), &w, &err),
                  ERR_INVALID);
        CHECK(strstr(err.msg, rows[i].words) != NULL);
    }
}

TEST(clocks_change)
{
    static const struct {
        const char *zone, *text, *after, *next; /* UTC */
    } rows[] = {
        /* New York: 02:00 to 03:00 is left out on 2026-03-08, 01:00 to 02:00
         * comes twice on 2026-11-01. */
        {"America/New_York", "30 2 * * *", "2026-03-08 05:00",
         "2026-03-08 07:00"}, /* at the change */
        {"America/New_York", "30 2 * * *", "2026-03-08 07:00",
         "2026-03-09 06:30"}, /* and not again */
        {"America/New_York", "30 * * * *", "2026-03-08 06:30",
         "2026-03-08 07:30"}, /* 01:30, then 03:30 */
        {"America/New_York", "30 1 * * *", "2026-11-01 04:00",
         "2026-11-01 05:30"}, /* the first */
        {"America/New_York", "30 1 * * *", "2026-11-01 05:30",
         "2026-11-02 06:30"}, /* not the second */
        {"America/New_York", "30 * * * *", "2026-11-01 05:30",
         "2026-11-01 06:30"}, /* both */
        {"America/New_York", "0 3 * * *", "2026-11-01 00:00",
         "2026-11-01 08:00"},
        /* Lord Howe: half an hour. */
        {"Australia/Lord_Howe", "15 2 * * *", "2026-10-03 12:00",
         "2026-10-03 15:30"},
        /* Midnight itself is left out in Santiago on 2026-09-06. */
        {"America/Santiago", "@daily", "2026-09-05 12:00", "2026-09-06 04:00"},
        /* A whole day was left out in Apia: 2011-12-30, at its beginning. */
        {"Pacific/Apia", "0 12 30 12 *", "2011-12-29 00:00",
         "2011-12-30 10:00"},
        {"Asia/Shanghai", "0 3 * * *", "2026-11-30 12:00", "2026-11-30 19:00"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct when w;
        ROW("%s %s", rows[i].zone, rows[i].text);
        (void)setenv("TZ", rows[i].zone, 1);
        tzset();
        CHECK_INT(when_parse(str_from_cstr(rows[i].text), &w, NULL), ERR_OK);
        CHECK_INT(when_next(&w, utc(rows[i].after)), utc(rows[i].next));
    }
    (void)setenv("TZ", "UTC", 1);
    tzset();
}

TEST(what_never_comes)
{
    struct when w;

    CHECK_INT(when_parse(STR("0 0 30 2 *"), &w, NULL), ERR_OK);
    CHECK_INT(when_next(&w, NOW), -1);
}
