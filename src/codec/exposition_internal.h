/* exposition_internal.h - between exposition.c (lines) and exposition_word.c
 * (characters, quoted text, numbers). A function that fails has set the error
 * of the reader, the first one. */
#ifndef CODEC_EXPOSITION_INTERNAL_H
#define CODEC_EXPOSITION_INTERNAL_H

#include "base/arena.h"
#include "codec/exposition.h"

struct exposition_reader {
    struct str text;
    const char *p, *end;
    bool om; /* OpenMetrics */
    const struct exposition_sink *sink;
    struct arena line; /* what was unescaped of the current line */
    struct err *err;
    enum errc rc;
};

/* Always false. what: "expected a number". */
bool expo_fail(struct exposition_reader *r, const char *what);
bool expo_too_much(struct exposition_reader *r, const char *what);

/* The next character; a newline at the end of the text, which may lack it. */
char expo_peek(const struct exposition_reader *r);
bool expo_at_end_of_line(const struct exposition_reader *r);
bool expo_is_space(char c);
/* Blanks; false: there were none. OpenMetrics wants one space exactly. */
bool expo_skip_blanks(struct exposition_reader *r);
/* Where OpenMetrics wants none. */
void expo_skip_optional(struct exposition_reader *r);

/* Of a metric, or of a label, which has no colons. */
bool expo_name(struct exposition_reader *r, bool metric, struct str *out);
/* Behind the opening quote. */
bool expo_quoted(struct exposition_reader *r, struct str *out);
/* raw without its escapes, in the memory of the line. */
bool expo_unescaped(struct exposition_reader *r, struct str raw,
                    struct str *out);
/* What strconv.ParseFloat of Go takes, but for underscores; *word: its text. */
bool expo_number(struct exposition_reader *r, double *out, struct str *word);
/* Milliseconds as a whole number; in OpenMetrics seconds. */
bool expo_time(struct exposition_reader *r, int64_t *out);

#endif
