/* matcher.h - a condition on one label: = != =~ !~. */
#ifndef SERIES_MATCHER_H
#define SERIES_MATCHER_H

#include "base/buf.h"
#include "base/err.h"
#include "series/labels.h"
#include "series/regex.h"

enum match_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct matcher {
    enum match_op op;
    struct str name, value; /* borrowed */
    struct regex *re;       /* of the last two; owned */
};

/* ERR_INVALID for a bad expression. matcher_fini() releases it. */
MUST_CHECK enum errc matcher_init(struct matcher *m, enum match_op op,
                                  struct str name, struct str value,
                                  struct err *err);
void matcher_fini(struct matcher *m);

enum regex_result matcher_test(const struct matcher *m, struct str value);

/* All of them, on a set; a missing label is an empty one. */
enum regex_result matchers_test(const struct matcher *m, size_t n,
                                struct labels l);

const char *match_op_text(enum match_op op);

#endif
