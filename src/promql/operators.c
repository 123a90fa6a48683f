#include "promql/operators.h"

#include "base/compiler.h"

static const struct {
    const char *text;
    enum operator_kind kind;
    int binds;
} rows[] = {{"", OP_NONE, 0},
#define X(name, text, kind, binds) {text, kind, binds},
            OPERATORS(X)
#undef X
};

enum operator_kind operator_kind(enum operator op)
{
    return rows[op].kind;
}

const char *operator_text(enum operator op)
{
    return rows[op].text;
}

int operator_binds(enum operator op)
{
    return rows[op].binds;
}

enum operator operator_of_word(struct str word)
{
    for (size_t i = 1; i < COUNT(rows); i++)
        if (rows[i].text[0] >= 'a' &&
            str_eq_nocase(word, str_from_cstr(rows[i].text)))
            return (enum operator)i;
    return NO_OPERATOR;
}

bool operator_has_param(enum operator op)
{
    return op == OP_TOPK || op == OP_BOTTOMK || op == OP_COUNT_VALUES ||
           op == OP_QUANTILE;
}
