/* json.h - a pull reader of JSON (RFC 8259): no tree, no recursion, no copy.
 *
 * The caller walks the text and takes what it came for:
 *
 *     json_object(j);
 *     while (json_key(j, &key))
 *         if (str_eq(key, STR("id")))
 *             json_string(j, &id);
 *         else
 *             json_skip(j);
 *     if (!json_end(j)) ... j->err says what is wrong and where
 *
 * Failure is sticky: the first one is written to err, with line, column and
 * path, and from then on every call returns false and consumes nothing.
 *
 * Strict: no comments, no trailing commas, valid UTF-8 only, no depth beyond
 * JSON_MAX_DEPTH. The text must be followed by NUMBER_PAD readable bytes that
 * need not belong to it. Strings point into the text, or into the arena if
 * they had escapes. One thread at a time.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { JSON_MAX_DEPTH = 100, JSON_PATH_MAX = 128 };

struct json {
    const char *p, *end, *start;
    struct arena *arena;
    struct err *err;
    int depth;
    bool failed;
    bool fresh; /* the container was just opened: no comma is due */
};

void json_init(struct json *j, struct str text, struct arena *arena,
               struct err *err);

/* Appends a file's bytes to out, whose max is the limit, with NUMBER_PAD
 * readable bytes behind them; the caller releases out, also on failure. */
MUST_CHECK enum errc json_read_file(const char *path, struct buf *out,
                                    struct err *err);

/* The first byte of the next value, or 0 at the end: '{' '[' '"' 't' 'f' 'n',
 * a digit or '-'. Consumes only white space. */
char json_peek(struct json *j);

/* Enter; then loop over json_key() or json_item() until they say false. */
bool json_object(struct json *j);
bool json_array(struct json *j);
bool json_key(struct json *j, struct str *key);
bool json_item(struct json *j);

bool json_string(struct json *j, struct str *out);
bool json_bool(struct json *j, bool *out);
bool json_i64(struct json *j, int64_t *out);
bool json_u64(struct json *j, uint64_t *out);
bool json_f64(struct json *j, double *out);
bool json_null(struct json *j);

/* Passes over one value of any kind, checking it. */
bool json_skip(struct json *j);

/* The same, and where it stood. */
bool json_span(struct json *j, struct str *out);

/* True when nothing failed and only white space is left. */
bool json_end(struct json *j);

/* Records "what, got ... at line 1, column 5 ($.inputs[0])". */
bool json_fail(struct json *j, const char *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* A path like $.inputs[0].data to the byte `at` of valid-so-far text; found by
 * reading it again from the start, because only errors need one. */
void json_path(struct str text, const char *at, char out[JSON_PATH_MAX]);

/* 1-based line and column (in bytes) of `at`. */
void json_position(struct str text, const char *at, size_t *line,
                   size_t *column);

#endif
