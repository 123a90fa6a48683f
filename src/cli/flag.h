/* flag.h - the options of a command as a table: parsing, help, completion and
 * the manual page come from the rows. */
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
    FLAG_INT,      /* int64_t */
    FLAG_DURATION, /* int64_t nanoseconds: 500ms, 30s, 5m; `unit` if none */
    FLAG_SIZE,     /* int64_t bytes: 512K, 64M, 2G */
};

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
};

struct flag_args {
    const char *rest[256]; /* what is not an option */
    int n;
};

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
