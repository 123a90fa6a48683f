#include "series/matcher.h"

enum errc matcher_init(struct matcher *m, enum match_op op, struct str name,
                       struct str value, struct err *err)
{
    *m = (struct matcher){op, name, value, NULL};
    if (op == MATCH_EQUAL || op == MATCH_NOT_EQUAL)
        return ERR_OK;
    return regex_compile(value, &m->re, err);
}

void matcher_fini(struct matcher *m)
{
    regex_free(m->re);
    m->re = NULL;
}

enum regex_result matcher_test(const struct matcher *m, struct str value)
{
    enum regex_result r;

    switch (m->op) {
    case MATCH_EQUAL:
        return str_eq(m->value, value) ? REGEX_YES : REGEX_NO;
    case MATCH_NOT_EQUAL:
        return str_eq(m->value, value) ? REGEX_NO : REGEX_YES;
    case MATCH_REGEX:
        return regex_match(m->re, value);
    case MATCH_NOT_REGEX:
        r = regex_match(m->re, value);
        return r == REGEX_TOO_COSTLY ? r
               : r == REGEX_YES      ? REGEX_NO
                                     : REGEX_YES;
    }
    return REGEX_NO;
}

enum regex_result matchers_test(const struct matcher *m, size_t n,
                                struct labels l)
{
    for (size_t i = 0; i < n; i++) {
        enum regex_result r = matcher_test(&m[i], labels_get(l, m[i].name));
        if (r != REGEX_YES)
            return r;
    }
    return REGEX_YES;
}

const char *match_op_text(enum match_op op)
{
    static const char *const texts[] = {"=", "!=", "=~", "!~"};

    return texts[op];
}
