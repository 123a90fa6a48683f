/* flag.h - the options of a command as a table: parsing, help, completion, the
 * manual page and the settings of stoker.yaml come from the rows. */
#ifndef CLI_FLAG_H
#define CLI_FLAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/text.h"

enum flag_kind {
    FLAG_BOOL,     /* bool: present or not; --name=false is understood */
    FLAG_TEXT,     /* const char * */
    FLAG_LIST,     /* const char *: texts with commas between them */
    FLAG_FILE,     /* const char *: a path of what must be there */
    FLAG_FILES,    /* const char *: paths with commas between, or globs */
    FLAG_DIR,      /* const char *: a path of what is made when missing */
    FLAG_DIRS,     /* const char *: such paths with commas between */
    FLAG_WORDS,    /* const char *: texts with FLAG_SEPARATOR between; in
                      stoker.yaml alone, as a list or as words of a line */
    FLAG_PAIRS,    /* the same, of NAME=VALUE; in stoker.yaml a map */
    FLAG_INT,      /* int64_t */
    FLAG_DURATION, /* int64_t nanoseconds: 500ms, 30s, 5m; `unit` if none */
    FLAG_SIZE,     /* int64_t bytes: 512K, 64M, 2G */
};

#define FLAG_SEPARATOR '\x1f'

struct flag {
    const char *name; /* without dashes; "" ends a table */
    char letter;      /* or 0 */
    enum flag_kind kind;
    size_t offset;        /* of the field in the options struct */
    const char *fallback; /* default, or NULL: the field is left as it is */
    int64_t min, max;
    int64_t unit; /* of a duration without a suffix, nanoseconds */
    enum text help;
    bool hidden;  /* understood but not listed */
    size_t given; /* offset of a bool to set when given; 0: none */
    /* Says what is wrong with a text; may be NULL. */
    enum errc (*check)(const char *value, struct err *err);
};

enum { FLAGS_MAX = 128 };

/* Which rows of a table were given. */
struct flag_set {
    uint64_t bits[FLAGS_MAX / 64];
};

static inline bool flag_set_has(const struct flag_set *s, size_t i)
{
    return s->bits[i / 64] >> (i % 64) & 1;
}

static inline void flag_set_add(struct flag_set *s, size_t i)
{
    s->bits[i / 64] |= UINT64_C(1) << (i % 64);
}

struct flag_args {
    const char *rest[256]; /* what is not an option */
    int n;
    struct flag_set given;
};

/* Sets the fields that have a default to it. */
MUST_CHECK enum errc flags_default(const struct flag *table, void *options,
                                   enum language l, struct err *err);

/* Sets one field; `shown` is what it is called in messages ("--port"). Texts
 * are kept as they are. */
MUST_CHECK enum errc flag_take(const struct flag *f, const char *shown,
                               const char *value, void *options,
                               enum language l, struct err *err);

/* The row of that name, in which underscores count as dashes; NULL. */
const struct flag *flag_find(const struct flag *table, const char *name);

bool flag_is_text(const struct flag *f); /* its field is a const char * */
bool flag_is_list(const struct flag *f); /* of several, with commas between */

/* Fields of `from` that were given there, and not to `to`, go to it. */
void flags_merge(const struct flag *table, const void *from,
                 const struct flag_set *from_given, void *to,
                 const struct flag_set *to_given);

/* Sets defaults, then reads argv[0..argc). "--" ends the options. Underscores
 * in names count as dashes. */
MUST_CHECK enum errc flags_parse(const struct flag *table, void *options,
                                 int argc, char **argv, enum language l,
                                 struct flag_args *out, struct err *err);

void flags_help(const struct flag *table, FILE *out, enum language l);

/* The candidate nearest to word, or NULL if none is near. */
const char *nearest_word(const char *word, const char *const *candidates,
                         size_t n);

#endif
