/* regex.h - regular expressions in RE2's language, as a rule anchored at both
 * ends.
 *
 * PCRE2 does the matching; what RE2 does not have (references back, looking
 * around, possessive and atomic parts) is refused, what both have but mean
 * differently is rewritten, and work is bounded: a match that would take
 * exponential time is given up, which is an error and not an answer. A dot
 * matches a newline (Prometheus 3).
 *
 * Language: https://github.com/google/re2/wiki/Syntax
 *
 * Threads: a compiled expression may be used by any number at once.
 */
#ifndef SERIES_REGEX_H
#define SERIES_REGEX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { REGEX_MAX_BYTES = 64 * 1024 };

struct regex;

/* ERR_INVALID with Go's words for what is wrong, ERR_LIMIT, ERR_NOMEM.
 * regex_free() releases it. */
MUST_CHECK enum errc regex_compile(struct str pattern, struct regex **out,
                                   struct err *err);
void regex_free(struct regex *re); /* NULL is fine */

enum regex_result { REGEX_NO, REGEX_YES, REGEX_TOO_COSTLY };

enum regex_result regex_match(const struct regex *re, struct str s);

/* If all of s matches, appends the template with $1, ${name} and $$ replaced
 * as Go's Regexp.Expand does. */
enum regex_result regex_expand(const struct regex *re, struct str s,
                               struct str template, struct buf *out);

/* The same for an expression that is looked for anywhere in a text, and whose
 * dot matches no newline: Go's regexp as it is. regex_match() tells whether it
 * is there. */
MUST_CHECK enum errc regex_compile_search(struct str pattern,
                                          struct regex **out, struct err *err);

/* Appends s with everything that matches replaced by the template, as Go's
 * ReplaceAllString does. REGEX_YES, or REGEX_TOO_COSTLY. */
enum regex_result regex_replace_all(const struct regex *re, struct str s,
                                    struct str template, struct buf *out);

/* The texts that an expression like a|b|c stands for: each one, or n == 0 when
 * it is not such a list. They live as long as the expression. */
const struct str *regex_words(const struct regex *re, size_t *n);

#endif
