#include "notify/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"

enum {
    FILE_MAX = 1 << 20,
    HEADER = 44,
    TYPE = 6,
    NEWEST = 2114380800 /* 2037 */
};

/* The numbers behind a header: of UT flags, standard flags, leap seconds,
 * times, types, characters. */
struct counts {
    size_t ut, standard, leap, times, types, chars;
};

static uint32_t u32_at(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static int64_t i64_at(const char *p)
{
    return (int64_t)((uint64_t)u32_at(p) << 32 | u32_at(p + 4));
}

static bool take_header(struct str *s, struct counts *c)
{
    size_t *const fields[] = {&c->ut,    &c->standard, &c->leap,
                              &c->times, &c->types,    &c->chars};

    if (s->n < HEADER || memcmp(s->p, "TZif", 4) != 0)
        return false;
    for (size_t i = 0; i < COUNT(fields); i++) {
        *fields[i] = u32_at(s->p + 20 + 4 * i);
        if (*fields[i] > FILE_MAX)
            return false;
    }
    *s = str_slice(*s, HEADER, s->n);
    return true;
}

static size_t size_of(const struct counts *c, size_t width)
{
    return c->times * (width + 1) + c->types * TYPE + c->chars +
           c->leap * (width + 4) + c->standard + c->ut;
}

/* The offset from the block with times of 64 bits. False: damaged, or the
 * moment is in years that only a rule with summer time tells of. */
static bool look_up(struct str s, const struct counts *c, int64_t at,
                    int *seconds)
{
    const char *kinds = s.p + c->times * 8, *types = kinds + c->times;
    size_t i = c->times, kind = 0;
    struct str rule = str_slice(s, size_of(c, 8), s.n);

    while (i > 0 && i64_at(s.p + 8 * (i - 1)) > at)
        i--;
    if (i)
        kind = (unsigned char)kinds[i - 1];
    if (kind >= c->types)
        return false;
    if (i == c->times && memchr(rule.p, ',', rule.n) &&
        (i == 0 || i64_at(s.p + 8 * (i - 1)) < NEWEST))
        return false;
    *seconds = (int)(int32_t)u32_at(types + kind * TYPE);
    return true;
}

static bool find(struct str s, int64_t at, int *seconds)
{
    struct counts c;

    if (!take_header(&s, &c) || s.n < size_of(&c, 4))
        return false;
    s = str_slice(s, size_of(&c, 4), s.n);
    return take_header(&s, &c) && s.n >= size_of(&c, 8) &&
           look_up(s, &c, at, seconds);
}

enum errc zone_offset(struct str zone, int64_t s, int *seconds, struct err *err)
{
    char path[160];
    struct buf b;

    *seconds = 0;
    if (zone.n == 0 || str_eq(zone, STR("UTC")))
        return ERR_OK;
    if (zone.n > 100 || memchr(zone.p, '.', zone.n) || zone.p[0] == '/')
        return err_set(err, ERR_INVALID, "unknown time zone " STR_FMT,
                       (int)(zone.n > 100 ? 100 : zone.n), zone.p);
    if (str_eq(zone, STR("Local")))
        (void)snprintf(path, sizeof(path), "/etc/localtime");
    else
        (void)snprintf(path, sizeof(path), "/usr/share/zoneinfo/" STR_FMT,
                       STR_ARG(zone));
    buf_init(&b, FILE_MAX);
    enum errc rc = fs_read(path, &b, NULL);
    if (rc && str_eq(zone, STR("Local")))
        rc = ERR_OK; /* a machine without that file is at UTC */
    else if (rc || !find(buf_str(&b), s, seconds))
        rc = err_set(err, ERR_INVALID, "unknown time zone " STR_FMT " (%s)",
                     STR_ARG(zone), path);
    buf_fini(&b);
    return rc;
}
