/* regex_internal.h - a pattern being read, and the parts of RE2's syntax. */
#ifndef SERIES_REGEX_INTERNAL_H
#define SERIES_REGEX_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct scan {
    struct str in;
    size_t at;
    struct buf *out;
    struct err *err;
    size_t open;     /* groups not closed yet */
    bool repeatable; /* there is something that * could repeat */
    size_t repeat;   /* where the last repetition began, when just before */
    bool repeated;
};

/* "error parsing regexp: what: `text`", or with the whole pattern, wrapped as
 * Prometheus does, which is what its errors quote. */
enum errc scan_wrong(struct scan *s, const char *what, struct str text);
enum errc scan_wrong_whole(struct scan *s, const char *what);

static inline bool scan_more(const struct scan *s)
{
    return s->at < s->in.n;
}

/* The byte ahead, or 0 at the end. */
static inline char scan_look(const struct scan *s, size_t ahead)
{
    return s->at + ahead < s->in.n ? s->in.p[s->at + ahead] : '\0';
}

static inline struct str scan_from(const struct scan *s, size_t start)
{
    return str_slice(s->in, start, s->at);
}

static inline bool scan_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A character, written so that it stands for itself. */
void scan_put_code(struct scan *s, uint32_t code);

/* At a backslash; at a '['. */
enum errc scan_escape(struct scan *s);
enum errc scan_class(struct scan *s);

#endif
