#include "codec/go_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct go_time go_time_utc(int64_t ms)
{
    return (struct go_time){.ms = ms, .zone = "UTC"};
}

struct go_time go_time_local(int64_t ms)
{
    struct go_time t = go_time_utc(ms);
    time_t seconds = (time_t)(ms / 1000);
    struct tm there;

    if (localtime_r(&seconds, &there)) {
        t.east_s = there.tm_gmtoff;
        if (!strftime(t.zone, sizeof(t.zone), "%Z", &there))
            t.zone[0] = '\0'; /* a longer name than there are */
    }
    return t;
}

/* ---- parts of a layout -------------------------------------------------- */

enum part {
    LITERAL,
    YEAR,
    YEAR_SHORT,
    MONTH_NAME,
    MONTH_SHORT,
    MONTH_2,
    MONTH_1,
    WEEKDAY,
    WEEKDAY_SHORT,
    DAY_2,
    DAY_SPACE,
    DAY_1,
    DAY_OF_YEAR,
    HOUR_24,
    HOUR_2,
    HOUR_1,
    MINUTE_2,
    MINUTE_1,
    SECOND_2,
    SECOND_1,
    HALF_UPPER,
    HALF_LOWER,
    ZONE,
    OFFSET,       /* -0700 */
    OFFSET_COLON, /* -07:00 */
    OFFSET_HOUR,  /* -07 */
    Z_OFFSET,     /* the same, but Z for UTC */
    Z_COLON,
    Z_HOUR
};

/* Longer ones stand before those that they begin with. */
static const struct {
    const char *text;
    enum part part;
} parts[] = {
    {"January", MONTH_NAME},
    {"Jan", MONTH_SHORT},
    {"Monday", WEEKDAY},
    {"Mon", WEEKDAY_SHORT},
    {"MST", ZONE},
    {"2006", YEAR},
    {"002", DAY_OF_YEAR},
    {"01", MONTH_2},
    {"02", DAY_2},
    {"03", HOUR_2},
    {"04", MINUTE_2},
    {"05", SECOND_2},
    {"06", YEAR_SHORT},
    {"15", HOUR_24},
    {"1", MONTH_1},
    {"_2006", LITERAL},
    {"_2", DAY_SPACE},
    {"2", DAY_1},
    {"3", HOUR_1},
    {"4", MINUTE_1},
    {"5", SECOND_1},
    {"PM", HALF_UPPER},
    {"pm", HALF_LOWER},
    {"-0700", OFFSET},
    {"-07:00", OFFSET_COLON},
    {"-07", OFFSET_HOUR},
    {"Z0700", Z_OFFSET},
    {"Z07:00", Z_COLON},
    {"Z07", Z_HOUR},
};

/* The part that a layout begins with, and its length. */
static enum part next_part(struct str layout, size_t *n)
{
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct str text = str_from_cstr(parts[i].text);
        bool is_short =
            parts[i].part == MONTH_SHORT || parts[i].part == WEEKDAY_SHORT;
        if (!str_starts(layout, text))
            continue;
        if (is_short && layout.n > 3 && layout.p[3] >= 'a' &&
            layout.p[3] <= 'z')
            continue; /* a word that begins so */
        *n = parts[i].part == LITERAL ? 1 : text.n;
        return parts[i].part;
    }
    *n = 1;
    return LITERAL;
}

/* ".000" or ".999" behind seconds: how many digits; 0: it is none. */
static size_t fraction(struct str layout)
{
    size_t n = 1;

    if (layout.n < 2 || (layout.p[0] != '.' && layout.p[0] != ',') ||
        (layout.p[1] != '0' && layout.p[1] != '9'))
        return 0;
    while (n < layout.n && layout.p[n] == layout.p[1])
        n++;
    bool goes_on = n < layout.n && layout.p[n] >= '0' && layout.p[n] <= '9';
    return goes_on || n > 10 ? 0 : n - 1;
}

/* ---- what they stand for ------------------------------------------------ */

static void put_fraction(struct buf *out, char dot, bool cut, size_t digits,
                         int ms)
{
    char text[16];
    int n = (int)digits;

    (void)snprintf(text, sizeof(text), "%03d000000", ms);
    while (cut && n > 0 && text[n - 1] == '0')
        n--;
    if (n || !cut)
        buf_printf(out, "%c%.*s", dot, n, text);
}

static void put_offset(struct buf *out, enum part part, int64_t east_s)
{
    int64_t minutes = llabs(east_s) / 60;

    if (east_s == 0 && part >= Z_OFFSET) {
        buf_putc(out, 'Z');
        return;
    }
    buf_printf(out, "%c%02d", east_s < 0 ? '-' : '+', (int)(minutes / 60));
    if (part == OFFSET_COLON || part == Z_COLON)
        buf_putc(out, ':');
    if (part != OFFSET_HOUR && part != Z_HOUR)
        buf_printf(out, "%02d", (int)(minutes % 60));
}

static void put_part(struct buf *out, enum part part, const struct tm *t,
                     const struct go_time *at)
{
    static const char *const months[] = {
        "January", "February", "March",     "April",   "May",      "June",
        "July",    "August",   "September", "October", "November", "December"};
    static const char *const days[] = {"Sunday",    "Monday",   "Tuesday",
                                       "Wednesday", "Thursday", "Friday",
                                       "Saturday"};
    int year = t->tm_year + 1900, twelve = (t->tm_hour + 11) % 12 + 1;
    const struct {
        enum part part;
        const char *fmt;
        int v;
    } numbers[] = {{YEAR, "%04d", year},
                   {YEAR_SHORT, "%02d", year % 100},
                   {MONTH_2, "%02d", t->tm_mon + 1},
                   {MONTH_1, "%d", t->tm_mon + 1},
                   {DAY_2, "%02d", t->tm_mday},
                   {DAY_SPACE, "%2d", t->tm_mday},
                   {DAY_1, "%d", t->tm_mday},
                   {DAY_OF_YEAR, "%03d", t->tm_yday + 1},
                   {HOUR_24, "%02d", t->tm_hour},
                   {HOUR_2, "%02d", twelve},
                   {HOUR_1, "%d", twelve},
                   {MINUTE_2, "%02d", t->tm_min},
                   {MINUTE_1, "%d", t->tm_min},
                   {SECOND_2, "%02d", t->tm_sec},
                   {SECOND_1, "%d", t->tm_sec}};

    for (size_t i = 0; i < COUNT(numbers); i++)
        if (numbers[i].part == part)
            buf_printf(out, numbers[i].fmt, numbers[i].v);
    if (part == MONTH_NAME || part == MONTH_SHORT)
        buf_printf(out, "%.*s", part == MONTH_SHORT ? 3 : 20,
                   months[t->tm_mon]);
    else if (part == WEEKDAY || part == WEEKDAY_SHORT)
        buf_printf(out, "%.*s", part == WEEKDAY_SHORT ? 3 : 20,
                   days[t->tm_wday]);
    else if (part == HALF_UPPER)
        buf_puts(out, t->tm_hour >= 12 ? "PM" : "AM");
    else if (part == HALF_LOWER)
        buf_puts(out, t->tm_hour >= 12 ? "pm" : "am");
    else if (part == ZONE)
        buf_puts(out, at->zone);
    else if (part >= OFFSET)
        put_offset(out, part, at->east_s);
}

void go_time_format(struct buf *out, struct str layout, const struct go_time *t)
{
    int64_t seconds = t->ms / 1000 - (t->ms % 1000 < 0);
    int ms = (int)(t->ms - seconds * 1000);
    time_t there = (time_t)(seconds + t->east_s);
    struct tm tm;

    if (!gmtime_r(&there, &tm))
        return;
    while (layout.n) {
        size_t n, digits = fraction(layout);
        if (digits) {
            put_fraction(out, layout.p[0], layout.p[1] == '9', digits, ms);
            n = digits + 1;
        } else {
            enum part part = next_part(layout, &n);
            if (part == LITERAL)
                buf_putc(out, layout.p[0]);
            else
                put_part(out, part, &tm, t);
        }
        layout = str_slice(layout, n, layout.n);
    }
}

void go_duration(struct buf *out, int64_t ms)
{
    uint64_t v = ms < 0 ? (uint64_t)0 - (uint64_t)ms : (uint64_t)ms;
    uint64_t seconds = v / 1000, rest = v % 1000;

    if (ms < 0)
        buf_putc(out, '-');
    if (v && v < 1000) {
        buf_printf(out, "%dms", (int)v);
        return;
    }
    if (seconds >= 3600)
        buf_printf(out, "%lluh", (unsigned long long)seconds / 3600);
    if (seconds >= 60)
        buf_printf(out, "%dm", (int)(seconds / 60 % 60));
    buf_printf(out, "%d", (int)(seconds % 60));
    put_fraction(out, '.', true, 3, (int)rest);
    buf_putc(out, 's');
}
