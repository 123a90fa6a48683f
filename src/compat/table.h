/* table.h - what fits what, as dated tables: the .tsv of compat/, put in at
 * build time, each to be replaced by a newer one in /etc/stoker/compat (or the
 * directory $STOKER_COMPAT).
 *
 *   # what it says
 *   # dated 2026-11-23
 *   # source: where that is from
 *   column<TAB>column
 *   value<TAB>value
 *
 * A dash is "not known" or "none". Lists within a value have commas.
 */
#ifndef COMPAT_TABLE_H
#define COMPAT_TABLE_H

#include "base/arena.h"
#include "base/embedded.h"
#include "base/err.h"
#include "base/str.h"

extern const struct embedded_texts compat_texts;

enum { TABLE_BYTES_MAX = 1 << 20, TABLE_COLUMNS_MAX = 16 };

#define TABLES(X)  \
    X(cuda)        \
    X(drivers)     \
    X(gpus)        \
    X(numpy)       \
    X(onnxruntime) \
    X(python)      \
    X(systems)     \
    X(tensorflow)  \
    X(torch)       \
    X(torch_kernels)

enum table_id {
#define X(name) TABLE_##name,
    TABLES(X)
#undef X
        TABLE_COUNT
};

struct table {
    const char *name;
    const char *path;  /* of the file that took its place; NULL: built in */
    struct str dated;  /* 2026-11-23 */
    struct str source; /* the first */
    struct str columns[TABLE_COLUMNS_MAX];
    size_t n_columns;
    struct str *cells; /* n * n_columns */
    size_t n;          /* rows */
};

struct tables {
    struct table v[TABLE_COUNT];
};

/* Texts live in the arena. ERR_INVALID: a file with a mistake, and where. */
MUST_CHECK enum errc compat_open(struct arena *a, struct tables *out,
                                 struct err *err);

/* The text, which must live as long, as a table whose name and path are set.
 * ERR_INVALID: a line is wrong, and which. */
MUST_CHECK enum errc compat_parse(struct str text, struct arena *a,
                                  struct table *t, struct err *err);

/* A value; "" for a dash, and for a column that the table lacks. */
struct str compat_value(const struct table *t, size_t row, const char *column);

/* The row whose first column is that; t->n if there is none. */
size_t compat_row(const struct table *t, struct str key);
/* The same for a version of which the table has any patch: 2.15.1 finds 2.15.0.
 */
size_t compat_minor_row(const struct table *t, struct str version);

/* Whole days since it was dated; -1 if it does not say. */
int64_t compat_age_days(const struct table *t, int64_t now_s);

/* True if the list ("11.7,11.8") has it. */
bool compat_list_has(struct str list, struct str value);

/* This month, "2026-11": what dates in tables are compared with. */
enum { COMPAT_MONTH = 16 };
void compat_today(char out[COMPAT_MONTH]);

#endif
