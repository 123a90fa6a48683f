/* labels.h - what a series is called: a set of names and values.
 *
 * A set is sorted by name, has each name once and no empty value: a label with
 * an empty value is the same as none. The metric's name is the label
 * "__name__". A `struct labels` borrows: whoever made it says how long it
 * lives. Names may be any UTF-8 (Prometheus 3).
 */
#ifndef SERIES_LABELS_H
#define SERIES_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#define LABEL_NAME   STR("__name__")
#define LABEL_BUCKET STR("le")

struct label {
    struct str name, value;
};

struct labels {
    const struct label *v;
    size_t n;
};

/* The set without labels, whose v is not NULL. */
struct labels labels_none(void);

/* The value of a label; empty when the set has none of that name. */
struct str labels_get(struct labels l, struct str name);

bool labels_eq(struct labels a, struct labels b);

/* Name by name, value by value; a set comes before one that it begins. */
int labels_compare(struct labels a, struct labels b);

/* FNV-1a of name, 0xff, value, 0xff ...: Alertmanager's fingerprint, so that
 * it can be shown to people. Not unique: compare before believing. */
uint64_t labels_hash(struct labels l);

/* Copies the set and its texts; v is NULL when the arena is full. */
struct labels labels_copy(struct arena *a, struct labels l);

/* True for names that need no quotes: [a-zA-Z_][a-zA-Z0-9_]*, for a metric
 * also ':'. */
bool label_name_is_plain(struct str name);
bool metric_name_is_plain(struct str name);

/* name{a="b"} as Prometheus prints it: names that need them in quotes. */
void labels_print(struct buf *out, struct labels l);

/* a="b", the name in quotes if it needs them. */
void label_print(struct buf *out, struct label l);

/* {"a":"b"}: the set as a JSON object. */
void labels_put_json(struct buf *out, struct labels l);

/* Text in quotes with Go's escapes (strconv.Quote). */
void label_quote(struct buf *out, struct str s);

/* ---- making sets -------------------------------------------------------- */

/* Changes to a set; what comes out lies in the arena, the texts do not move.
 * Failure (the arena is full) is sticky: labels_built() tells. */
struct labels_builder {
    struct arena *arena;
    struct label *v; /* sorted by name */
    size_t n, cap;
    bool failed;
};

void labels_build(struct labels_builder *b, struct arena *a, struct labels l);
void labels_set(struct labels_builder *b, struct str name, struct str value);
void labels_drop(struct labels_builder *b, struct str name);

/* False when memory ran out. The builder must not be used again. */
bool labels_built(struct labels_builder *b, struct labels *out);

/* The labels whose name is (keep) or is not (!keep) among the given ones.
 * v is NULL when the arena is full and something would be kept. */
struct labels labels_pick(struct arena *a, struct labels l,
                          const struct str *names, size_t n, bool keep);

/* What a set is grouped or matched by: the given labels, as `by` and `on` say,
 * or (!keep) all but these and the metric's name, as `without` and
 * `ignoring`. */
struct labels labels_grouped(struct arena *a, struct labels l,
                             const struct str *names, size_t n, bool keep);

/* The set, and of `also` what it has not itself. v is NULL when the arena is
 * full; l itself when `also` is empty. */
struct labels labels_with(struct arena *a, struct labels l, struct labels also);

/* The set without its metric's name; shares l's memory when it has none or
 * has it first, which is nearly always. */
struct labels labels_unnamed(struct arena *a, struct labels l);

#endif
