/* compare.h - is a result what a script expects? */
#ifndef PROMQL_COMPARE_H
#define PROMQL_COMPARE_H

#include "base/buf.h"
#include "promql/notation.h"
#include "promql/promql.h"

enum { EXPECTS_MAX = 32 };

enum expect_kind {
    EXPECT_NONE,
    EXPECT_ORDERED,
    EXPECT_FAIL,
    EXPECT_WARN,
    EXPECT_NO_WARN,
    EXPECT_INFO,
    EXPECT_NO_INFO,
    EXPECT_STRING,
    EXPECT_RANGE,
};

struct expect {
    enum expect_kind kind;
    struct str text; /* the message; empty: any */
    bool regex;
};

struct expected {
    bool fails, ordered, scalar, native;
    struct expect expects[EXPECTS_MAX];
    size_t n_expects;
    struct notation *series;
    size_t n, cap;
    int64_t start, end, step; /* of the values of a range */
};

/* Each says in `why` what is wrong. Numbers may differ by a millionth. */
bool compare_result(const struct expected *e, const struct promql_result *r,
                    bool range, struct buf *why);
bool compare_failure(const struct expected *e, const char *message,
                     struct buf *why);

/* The values of a range at one moment against what one moment should give. */
bool compare_middle(const struct expected *e, const struct promql_result *r,
                    int64_t at, struct buf *why);

#endif
