#include "compat/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fs.h"
#include "compat/release.h"

static const char *const names[] = {
#define X(name) #name,
    TABLES(X)
#undef X
};

static enum errc take_head(struct str line, struct table *t, unsigned at,
                           struct err *err)
{
    while (line.p && t->n_columns < TABLE_COLUMNS_MAX)
        t->columns[t->n_columns++] = str_cut(&line, '\t');
    return line.p ? err_set(err, ERR_INVALID, "%s:%u: more than %d columns",
                            t->name, at, TABLE_COLUMNS_MAX)
                  : ERR_OK;
}

static enum errc take_row(struct str line, struct table *t, unsigned at,
                          struct err *err)
{
    struct str *cell = t->cells + t->n * t->n_columns;

    for (size_t i = 0; i < t->n_columns; i++) {
        if (!line.p)
            return err_set(err, ERR_INVALID,
                           "%s:%u: %zu values for %zu columns (they are "
                           "separated by tabs)",
                           t->path ? t->path : t->name, at, i, t->n_columns);
        cell[i] = str_cut(&line, '\t');
    }
    if (line.p)
        return err_set(err, ERR_INVALID, "%s:%u: more than %zu values",
                       t->path ? t->path : t->name, at, t->n_columns);
    t->n++;
    return ERR_OK;
}

static void take_comment(struct str line, struct table *t)
{
    static const struct str dated = STR_INIT("# dated "),
                            source = STR_INIT("# source: ");

    if (str_starts(line, dated))
        t->dated = str_slice(line, dated.n, line.n);
    else if (str_starts(line, source) && !t->source.n)
        t->source = str_slice(line, source.n, line.n);
}

enum errc compat_parse(struct str text, struct arena *a, struct table *t,
                       struct err *err)
{
    size_t lines = 1;
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    for (unsigned at = 1; text.n && !rc; at++) {
        struct str line = str_cut(&text, '\n');
        if (!line.n)
            continue;
        if (line.p[0] == '#') {
            take_comment(line, t);
        } else if (!t->n_columns) {
            rc = take_head(line, t, at, err);
            t->cells = arena_new(a, struct str, lines * t->n_columns);
            if (!t->cells)
                rc = err_set(err, ERR_NOMEM, "out of memory");
        } else {
            rc = take_row(line, t, at, err);
        }
    }
    return rc;
}

static struct str built_in(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < compat_texts.n; i++) {
        const struct embedded_text *e = &compat_texts.v[i];
        if (strncmp(e->name, name, n) == 0 && strcmp(e->name + n, ".tsv") == 0)
            return (struct str){e->text, e->n};
    }
    return STR("");
}

/* The file that takes the table's place; "" if there is none. */
static enum errc replacement(struct arena *a, struct table *t, struct str *out,
                             struct err *err)
{
    const char *folder = getenv("STOKER_COMPAT");
    char path[4096];
    struct buf text;

    *out = STR("");
    (void)snprintf(path, sizeof(path), "%s/%s.tsv",
                   folder ? folder : "/etc/stoker/compat", t->name);
    buf_init(&text, TABLE_BYTES_MAX);
    enum errc rc = fs_read(path, &text, err);
    if (rc == ERR_NOT_FOUND) {
        buf_fini(&text);
        return ERR_OK;
    }
    const char *copy = rc ? NULL : arena_cstr(a, buf_str(&text));
    if (!rc) {
        *out = (struct str){copy, copy ? text.n : 0};
        t->path = arena_cstr(a, str_from_cstr(path));
        if (!copy || !t->path)
            rc = err_set(err, ERR_NOMEM, "out of memory");
    }
    buf_fini(&text);
    return rc;
}

enum errc compat_open(struct arena *a, struct tables *out, struct err *err)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        struct table *t = &out->v[i];
        struct str text;
        *t = (struct table){.name = names[i]};
        enum errc rc = replacement(a, t, &text, err);
        if (!rc)
            rc = compat_parse(t->path ? text : built_in(names[i]), a, t, err);
        if (rc)
            return rc;
    }
    return ERR_OK;
}

struct str compat_value(const struct table *t, size_t row, const char *column)
{
    for (size_t i = 0; row < t->n && i < t->n_columns; i++)
        if (str_eq(t->columns[i], str_from_cstr(column))) {
            struct str v = t->cells[row * t->n_columns + i];
            return str_eq(v, STR("-")) ? STR("") : v;
        }
    return STR("");
}

size_t compat_row(const struct table *t, struct str key)
{
    size_t i = 0;

    while (i < t->n && !str_eq(t->cells[i * t->n_columns], key))
        i++;
    return i;
}

size_t compat_minor_row(const struct table *t, struct str version)
{
    size_t i = 0;

    while (i < t->n && !str_eq(release_minor(t->cells[i * t->n_columns]),
                               release_minor(version)))
        i++;
    return i;
}

int64_t compat_age_days(const struct table *t, int64_t now_s)
{
    struct tm tm = {0};
    char text[16];

    (void)snprintf(text, sizeof(text), STR_FMT, STR_ARG(t->dated));
    if (sscanf(text, "%4d-%2d-%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday) != 3)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (now_s - (int64_t)timegm(&tm)) / 86400;
}

bool compat_list_has(struct str list, struct str value)
{
    while (list.n)
        if (str_eq(str_cut(&list, ','), value))
            return true;
    return false;
}

void compat_today(char out[COMPAT_MONTH])
{
    time_t now = time(NULL);
    struct tm tm = {0};

    (void)gmtime_r(&now, &tm);
    (void)snprintf(out, COMPAT_MONTH, "%04d-%02d", (tm.tm_year + 1900) % 10000,
                   (tm.tm_mon + 1) % 100);
}
