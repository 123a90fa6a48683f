#include "series/duration.h"

#include "base/compiler.h"

static const struct unit {
    const char *text;
    int64_t ms;
    bool whole; /* printed only when nothing is left */
} units[] = {
    {"y", 365 * 86400000ll, true},
    {"w", 7 * 86400000ll, true},
    {"d", 86400000ll, false},
    {"h", 3600000, false},
    {"m", 60000, false},
    {"s", 1000, false},
    {"ms", 1, false},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool duration_parse(struct str text, int64_t *ms)
{
    const int64_t most = INT64_MAX / 1000000; /* what fits nanoseconds */
    size_t next = 0;
    int64_t sum = 0;

    if (text.n == 0)
        return false;
    while (text.n) {
        size_t digits = 0, letters;
        uint64_t count;
        while (digits < text.n && is_digit(text.p[digits]))
            digits++;
        for (letters = digits; letters < text.n && !is_digit(text.p[letters]);)
            letters++;
        struct str unit = str_slice(text, digits, letters);
        while (next < COUNT(units) &&
               !str_eq(unit, str_from_cstr(units[next].text)))
            next++;
        if (next == COUNT(units) ||
            !str_to_u64(str_slice(text, 0, digits), &count) ||
            count > (uint64_t)(most / units[next].ms))
            return false;
        sum += (int64_t)count * units[next++].ms;
        if (sum > most)
            return false;
        text = str_slice(text, letters, text.n);
    }
    *ms = sum;
    return true;
}

void duration_print(struct buf *out, int64_t ms)
{
    if (ms == 0) {
        buf_puts(out, "0s");
        return;
    }
    if (ms < 0) {
        buf_putc(out, '-');
        ms = -ms;
    }
    for (size_t i = 0; i < COUNT(units); i++) {
        if (ms < units[i].ms || (units[i].whole && ms % units[i].ms))
            continue;
        buf_put_i64(out, ms / units[i].ms);
        buf_puts(out, units[i].text);
        ms %= units[i].ms;
    }
}
