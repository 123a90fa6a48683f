/* regex_syntax.h - RE2's syntax checked, and written down for PCRE2. */
#ifndef SERIES_REGEX_SYNTAX_H
#define SERIES_REGEX_SYNTAX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Appends the pattern in PCRE2's language. ERR_INVALID in Go's words. */
MUST_CHECK enum errc regex_translate(struct str pattern, struct buf *out,
                                     struct err *err);

#endif
