/* functions_time.c - dates in the Gregorian calendar, UTC.
 *
 * Days to dates: https://howardhinnant.github.io/date_algorithms.html */
#include "promql/functions.h"

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

static struct date date_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    return (struct date){yoe + era * 400 + (month <= 2), month,
                         (int)(doy - (153 * mp + 2) / 5 + 1)};
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int length_of(struct date d)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};

    return lengths[d.month - 1] + (d.month == 2 && is_leap(d.year));
}

double date_day_of_month(int64_t days, int64_t ms)
{
    (void)ms;
    return date_of(days).day;
}

double date_day_of_week(int64_t days, int64_t ms)
{
    (void)ms;
    int64_t day = (days + 4) % 7; /* 1970 began on a Thursday */
    return (double)(day < 0 ? day + 7 : day);
}

double date_day_of_year(int64_t days, int64_t ms)
{
    struct date d = date_of(days);
    int sum = d.day;

    (void)ms;
    for (struct date m = {d.year, 1, 1}; m.month < d.month; m.month++)
        sum += length_of(m);
    return sum;
}

double date_days_in_month(int64_t days, int64_t ms)
{
    (void)ms;
    return length_of(date_of(days));
}

double date_hour(int64_t days, int64_t ms)
{
    (void)days;
    return (double)(ms / 3600000);
}

double date_minute(int64_t days, int64_t ms)
{
    (void)days;
    return (double)(ms / 60000 % 60);
}

double date_month(int64_t days, int64_t ms)
{
    (void)ms;
    return date_of(days).month;
}

double date_year(int64_t days, int64_t ms)
{
    (void)ms;
    return (double)date_of(days).year;
}
