#include "schedule/when.h"

#include <string.h>

/* ---- fields ------------------------------------------------------------- */

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                     "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const days[] = {"sun", "mon", "tue", "wed",
                                   "thu", "fri", "sat"};

struct field {
    const char *name;
    unsigned from, to;
    const char *const *names; /* of values, the first is `first_name` */
    size_t n_names;
    unsigned first_name;
};

static const struct field fields[] = {
    {"minute", 0, 59, NULL, 0, 0},
    {"hour", 0, 23, NULL, 0, 0},
    {"day", 1, 31, NULL, 0, 0},
    {"month", 1, 12, months, COUNT(months), 1},
    {"weekday", 0, 7, days, COUNT(days), 0},
};

static enum errc wrong(struct err *err, const struct field *f, struct str text)
{
    return err_set(err, ERR_INVALID, "%s: '" STR_FMT "' is not understood",
                   f->name, STR_ARG(text));
}

/* A number or a name. */
static enum errc take_value(const struct field *f, struct str text,
                            unsigned *out, struct err *err)
{
    uint64_t v;

    for (size_t i = 0; i < f->n_names; i++)
        if (str_eq_nocase(text, str_from_cstr(f->names[i]))) {
            *out = f->first_name + (unsigned)i;
            return ERR_OK;
        }
    if (!str_to_u64(text, &v))
        return wrong(err, f, text);
    if (v < f->from || v > f->to)
        return err_set(err, ERR_INVALID,
                       "%s: " STR_FMT " is out of range (%u-%u)", f->name,
                       STR_ARG(text), f->from, f->to);
    *out = (unsigned)v;
    return ERR_OK;
}

/* 5, 1-5, *, and any of them with /2. */
static enum errc take_part(const struct field *f, struct str text,
                           uint64_t *bits, struct err *err)
{
    struct str whole = text, range = str_cut(&text, '/'), last = range;
    unsigned from = f->from, to = f->to;
    uint64_t step = 1;
    enum errc rc = ERR_OK;

    if (text.p && (!str_to_u64(text, &step) || step < 1 || step > f->to))
        return wrong(err, f, whole);
    struct str first = str_cut(&last, '-');
    if (!str_eq(first, STR("*")) && !str_eq(first, STR("?"))) {
        rc = take_value(f, first, &from, err);
        /* "5" is 5; "5/15" is from 5 on. */
        to = text.p ? f->to : from;
    } else if (last.p) {
        return wrong(err, f, whole);
    }
    if (!rc && last.p)
        rc = take_value(f, last, &to, err);
    if (!rc && to < from)
        return err_set(err, ERR_INVALID,
                       "%s: " STR_FMT " ends before it begins", f->name,
                       STR_ARG(range));
    for (uint64_t v = from; !rc && v <= to; v += step)
        *bits |= UINT64_C(1) << v;
    return rc;
}

static enum errc take_field(const struct field *f, struct str text,
                            uint64_t *bits, struct err *err)
{
    enum errc rc = text.n ? ERR_OK : wrong(err, f, text);

    *bits = 0;
    while (!rc && text.p) {
        struct str part = str_cut(&text, ',');
        rc = part.n ? take_part(f, part, bits, err) : wrong(err, f, part);
    }
    return rc;
}

/* ---- cron --------------------------------------------------------------- */

static const struct {
    const char *name, *fields;
} nicknames[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},  {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

static bool begins_with_star(struct str field)
{
    return field.n && (field.p[0] == '*' || field.p[0] == '?');
}

static enum errc take_fields(struct str text, struct when *out, struct err *err)
{
    struct str words[COUNT(fields)], rest = text;
    uint64_t bits[COUNT(fields)];
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < COUNT(fields); i++)
        words[i] = str_word(&rest);
    if (!words[COUNT(fields) - 1].n || str_trim(rest).n)
        return err_set(err, ERR_INVALID,
                       "'" STR_FMT "' is neither five fields (minute hour day "
                       "month weekday) nor words like 'daily at 03:00'",
                       STR_ARG(text));
    for (size_t i = 0; i < COUNT(fields) && !rc; i++)
        rc = take_field(&fields[i], words[i], &bits[i], err);
    if (rc)
        return rc;
    *out = (struct when){.minutes = bits[0],
                         .hours = (uint32_t)bits[1],
                         .days = (uint32_t)bits[2],
                         .months = (uint32_t)bits[3],
                         .weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 127),
                         .any_hour = begins_with_star(words[1]),
                         .any_day = begins_with_star(words[2]),
                         .any_weekday = begins_with_star(words[4])};
    return ERR_OK;
}

enum errc when_parse(struct str text, struct when *out, struct err *err)
{
    text = str_trim(text);
    for (size_t i = 0; i < COUNT(nicknames); i++)
        if (str_eq_nocase(text, str_from_cstr(nicknames[i].name)))
            return take_fields(str_from_cstr(nicknames[i].fields), out, err);
    if (str_eq_nocase(text, STR("@reboot")))
        return err_set(err, ERR_INVALID,
                       "@reboot is no time: what is to start with the machine "
                       "is a service");
    enum errc rc = when_words(text, out, err);
    return rc == ERR_NOT_FOUND ? take_fields(text, out, err) : rc;
}
