/* Expressions, by precedence climbing. */
#include <string.h>

#include "import/python/parse_internal.h"

static struct py_node *unary(struct parser *p);
static struct py_node *disjunction(struct parser *p);

static struct py_node *make(struct parser *p, enum py_kind kind,
                            struct py_node *a, struct py_node *b)
{
    struct py_node *node = parse_node(p, kind);

    node->a = a;
    node->b = b;
    return node;
}

/* for TARGETS in TEST if TEST ... */
static struct py_node *comprehension(struct parser *p)
{
    struct list_tail list = {NULL, NULL};

    while (parse_accept(p, "for") && !p->failed) {
        struct py_node *f = parse_node(p, PY_COMP_FOR);
        struct list_tail conditions = {NULL, NULL};
        f->a = parse_targets(p);
        parse_expect(p, "in");
        f->b = disjunction(p); /* "in a if b": b is a condition */
        while (parse_accept(p, "if") && !p->failed)
            list_add(&conditions, disjunction(p));
        f->c = conditions.first;
        list_add(&list, f);
    }
    return list.first;
}

static struct py_node *star_or_test(struct parser *p)
{
    if (parse_accept(p, "*"))
        return make(p, PY_STAR, unary(p), NULL);
    return parse_test(p);
}

static struct py_node *paren(struct parser *p)
{
    struct list_tail items = {NULL, NULL};
    bool comma = false;

    while (!parse_is(p, ")") && !p->failed) {
        struct py_node *item = star_or_test(p);
        if (parse_is(p, "for")) {
            item = make(p, PY_LISTCOMP, item, NULL);
            item->b = comprehension(p);
        }
        list_add(&items, item);
        if (!parse_accept(p, ","))
            break;
        comma = true;
    }
    parse_expect(p, ")");
    if (items.first && !comma)
        return items.first;
    return make(p, PY_TUPLE, items.first, NULL);
}

static struct py_node *bracket(struct parser *p)
{
    struct list_tail items = {NULL, NULL};
    struct py_node *node = parse_node(p, PY_LIST);

    while (!parse_is(p, "]") && !p->failed) {
        list_add(&items, star_or_test(p));
        if (parse_is(p, "for")) {
            node->kind = PY_LISTCOMP;
            node->a = items.first;
            node->b = comprehension(p);
            parse_expect(p, "]");
            return node;
        }
        if (!parse_accept(p, ","))
            break;
    }
    parse_expect(p, "]");
    node->a = items.first;
    return node;
}

static struct py_node *brace(struct parser *p)
{
    struct list_tail items = {NULL, NULL};
    struct py_node *node = parse_node(p, PY_DICT);

    while (!parse_is(p, "}") && !p->failed) {
        struct py_node *item;
        if (parse_accept(p, "**")) {
            item = make(p, PY_DSTAR, unary(p), NULL);
        } else {
            item = star_or_test(p);
            if (parse_accept(p, ":"))
                item = make(p, PY_PAIR, item, parse_test(p));
            else
                node->kind = PY_SET;
        }
        list_add(&items, item);
        if (parse_is(p, "for")) {
            node->kind = node->kind == PY_DICT ? PY_DICTCOMP : PY_SETCOMP;
            node->b = comprehension(p);
            break;
        }
        if (!parse_accept(p, ","))
            break;
    }
    parse_expect(p, "}");
    node->a = items.first;
    return node;
}

static struct py_node *atom(struct parser *p)
{
    struct py_token *t = parse_peek(p);
    struct py_node *node;

    if (t->kind == TOKEN_STRING)
        return parse_strings(p);
    if (parse_accept(p, "("))
        return paren(p);
    if (parse_accept(p, "["))
        return bracket(p);
    if (parse_accept(p, "{"))
        return brace(p);
    if (parse_accept(p, "..."))
        return parse_node(p, PY_ELLIPSIS);
    if (parse_accept(p, "None"))
        return parse_node(p, PY_NONE);
    if (parse_accept(p, "True"))
        return parse_node(p, PY_TRUE);
    if (parse_accept(p, "False"))
        return parse_node(p, PY_FALSE);
    if (t->kind != TOKEN_NAME && t->kind != TOKEN_NUMBER) {
        parse_fail(p, "expected an expression");
        return parse_node(p, PY_NONE);
    }
    node = parse_node(p, t->kind == TOKEN_NAME ? PY_NAME : PY_NUMBER);
    node->text = t->text;
    p->at++;
    return node;
}

struct py_node *parse_arguments(struct parser *p)
{
    struct list_tail list = {NULL, NULL};

    while (!parse_is(p, ")") && !p->failed) {
        struct py_node *arg;
        bool named = parse_peek(p)->kind == TOKEN_NAME && p->at + 1 < p->n &&
                     str_eq(p->tokens[p->at + 1].text, STR("="));
        if (parse_accept(p, "**")) {
            arg = make(p, PY_DSTAR, parse_test(p), NULL);
        } else if (named) {
            arg = parse_node(p, PY_KEYWORD);
            arg->text = parse_name(p);
            parse_expect(p, "=");
            arg->a = parse_test(p);
        } else {
            arg = star_or_test(p);
        }
        if (parse_is(p, "for")) {
            arg = make(p, PY_LISTCOMP, arg, NULL);
            arg->b = comprehension(p);
        }
        list_add(&list, arg);
        if (!parse_accept(p, ","))
            break;
    }
    parse_expect(p, ")");
    return list.first;
}

/* One subscript: an expression or a slice. */
static struct py_node *subscript(struct parser *p)
{
    struct py_node *slice, *first = NULL;

    if (!parse_is(p, ":"))
        first = star_or_test(p);
    if (!parse_accept(p, ":"))
        return first;
    slice = make(p, PY_SLICE, first, NULL);
    if (!parse_is(p, ":") && !parse_is(p, "]") && !parse_is(p, ","))
        slice->b = parse_test(p);
    if (parse_accept(p, ":") && !parse_is(p, "]") && !parse_is(p, ","))
        slice->c = parse_test(p);
    return slice;
}

static struct py_node *subscripts(struct parser *p)
{
    struct list_tail list = {NULL, NULL};
    bool comma = false;

    do {
        if (parse_is(p, "]"))
            break;
        list_add(&list, subscript(p));
        comma = comma || parse_is(p, ",");
    } while (parse_accept(p, ",") && !p->failed);
    parse_expect(p, "]");
    if (!list.first)
        parse_fail(p, "expected a subscript");
    return comma || !list.first ? make(p, PY_TUPLE, list.first, NULL)
                                : list.first;
}

static struct py_node *trailers(struct parser *p)
{
    struct py_node *node = atom(p);

    while (!p->failed) {
        if (parse_accept(p, ".")) {
            node = make(p, PY_ATTR, node, NULL);
            node->text = parse_name(p);
        } else if (parse_accept(p, "(")) {
            node = make(p, PY_CALL, node, NULL);
            node->b = parse_arguments(p);
        } else if (parse_accept(p, "[")) {
            node = make(p, PY_INDEX, node, NULL);
            node->b = subscripts(p);
        } else {
            break;
        }
    }
    return node;
}

static struct py_node *power(struct parser *p)
{
    struct py_node *left;

    if (++p->depth > PY_MAX_NESTING) {
        parse_fail(p, "an expression is nested too deeply");
        p->depth--;
        return parse_node(p, PY_NONE);
    }
    left = trailers(p);
    if (parse_accept(p, "**")) {
        left = make(p, PY_BINARY, left, unary(p));
        left->op = OP_POW;
    }
    p->depth--;
    return left;
}

static struct py_node *unary(struct parser *p)
{
    static const struct {
        const char *text;
        enum py_op op;
    } table[] = {{"-", OP_NEG}, {"+", OP_POS}, {"~", OP_INVERT}};

    for (size_t i = 0; i < COUNT(table); i++)
        if (parse_accept(p, table[i].text)) {
            struct py_node *node;
            if (++p->depth > PY_MAX_NESTING)
                parse_fail(p, "an expression is nested too deeply");
            node = make(p, PY_UNARY, p->failed ? NULL : unary(p), NULL);
            p->depth--;
            node->op = (int)table[i].op;
            return node;
        }
    return power(p);
}

static const struct binary {
    const char *text;
    enum py_op op;
    int level; /* higher binds more tightly */
} binaries[] = {
    {"|", OP_OR, 1},        {"^", OP_XOR, 2},     {"&", OP_AND, 3},
    {"<<", OP_LSHIFT, 4},   {">>", OP_RSHIFT, 4}, {"+", OP_ADD, 5},
    {"-", OP_SUB, 5},       {"*", OP_MUL, 6},     {"/", OP_DIV, 6},
    {"//", OP_FLOORDIV, 6}, {"%", OP_MOD, 6},     {"@", OP_MATMUL, 6},
};

static struct py_node *arithmetic(struct parser *p, int level)
{
    struct py_node *left = unary(p);

    for (;;) {
        const struct binary *found = NULL;
        for (size_t i = 0; i < COUNT(binaries) && !p->failed; i++)
            if (binaries[i].level >= level && parse_is(p, binaries[i].text))
                found = &binaries[i];
        if (!found)
            return left;
        p->at++;
        left = make(p, PY_BINARY, left, arithmetic(p, found->level + 1));
        left->op = (int)found->op;
    }
}

static enum py_op comparison_op(struct parser *p)
{
    static const struct {
        const char *text;
        enum py_op op;
    } table[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<", OP_LT},
                 {"<=", OP_LE}, {">", OP_GT},  {">=", OP_GE}};

    for (size_t i = 0; i < COUNT(table); i++)
        if (parse_accept(p, table[i].text))
            return table[i].op;
    if (parse_accept(p, "is"))
        return parse_accept(p, "not") ? OP_IS_NOT : OP_IS;
    if (parse_accept(p, "in"))
        return OP_IN;
    if (parse_is(p, "not") && p->at + 1 < p->n &&
        str_eq(p->tokens[p->at + 1].text, STR("in"))) {
        p->at += 2;
        return OP_NOT_IN;
    }
    return OP_NONE;
}

static struct py_node *comparison(struct parser *p)
{
    struct py_node *left = arithmetic(p, 1);
    struct list_tail parts = {NULL, NULL};
    enum py_op op;

    while (!p->failed && (op = comparison_op(p)) != OP_NONE) {
        struct py_node *part = make(p, PY_COMPARE_PART, arithmetic(p, 1), NULL);
        part->op = (int)op;
        list_add(&parts, part);
    }
    return parts.first ? make(p, PY_COMPARE, left, parts.first) : left;
}

static struct py_node *negation(struct parser *p)
{
    struct py_node *node;

    if (!parse_accept(p, "not"))
        return comparison(p);
    if (++p->depth > PY_MAX_NESTING)
        parse_fail(p, "an expression is nested too deeply");
    node = make(p, PY_UNARY, p->failed ? NULL : negation(p), NULL);
    p->depth--;
    node->op = OP_NOT;
    return node;
}

static struct py_node *conjunction(struct parser *p)
{
    struct py_node *left = negation(p);

    while (!p->failed && parse_accept(p, "and")) {
        left = make(p, PY_BINARY, left, negation(p));
        left->op = OP_BOTH;
    }
    return left;
}

static struct py_node *disjunction(struct parser *p)
{
    struct py_node *left = conjunction(p);

    while (!p->failed && parse_accept(p, "or")) {
        left = make(p, PY_BINARY, left, conjunction(p));
        left->op = OP_EITHER;
    }
    return left;
}

struct py_node *parse_test(struct parser *p)
{
    struct py_node *node;

    if (++p->depth > PY_MAX_NESTING) {
        parse_fail(p, "an expression is nested too deeply");
        p->depth--;
        return parse_node(p, PY_NONE);
    }
    if (parse_accept(p, "lambda")) {
        node = parse_node(p, PY_LAMBDA);
        node->a = parse_parameters(p, ":");
        parse_expect(p, ":");
        node->b = parse_test(p);
    } else {
        node = disjunction(p);
        if (node->kind == PY_NAME && parse_accept(p, ":="))
            node = make(p, PY_WALRUS, node, parse_test(p));
        if (parse_accept(p, "if")) {
            node = make(p, PY_IFEXP, node, disjunction(p));
            parse_expect(p, "else");
            node->c = parse_test(p);
        }
    }
    p->depth--;
    return node;
}

static bool tests_end(struct parser *p)
{
    struct py_token *t = parse_peek(p);

    return t->kind == TOKEN_NEWLINE || t->kind == TOKEN_END ||
           parse_is(p, "=") || parse_is(p, ")") || parse_is(p, "]") ||
           parse_is(p, "}") || parse_is(p, ":") || parse_is(p, ";") ||
           parse_is(p, "in");
}

static struct py_node *several(struct parser *p,
                               struct py_node *(*one)(struct parser *))
{
    struct py_node *first = one(p);
    struct list_tail list = {NULL, NULL};

    if (!parse_is(p, ","))
        return first;
    list_add(&list, first);
    while (!p->failed && parse_accept(p, ",") && !tests_end(p))
        list_add(&list, one(p));
    return make(p, PY_TUPLE, list.first, NULL);
}

struct py_node *parse_tests(struct parser *p)
{
    return several(p, star_or_test);
}

static struct py_node *target(struct parser *p)
{
    if (parse_accept(p, "*"))
        return make(p, PY_STAR, trailers(p), NULL);
    return trailers(p);
}

struct py_node *parse_targets(struct parser *p)
{
    return several(p, target);
}

struct py_node *parse_parameters(struct parser *p, const char *close)
{
    struct list_tail list = {NULL, NULL};

    while (!parse_is(p, close) && !p->failed) {
        struct py_node *param = parse_node(p, PY_PARAM);
        if (parse_accept(p, "/")) {
            if (!parse_accept(p, ","))
                break;
            continue;
        }
        param->op = parse_accept(p, "**")  ? 'd'
                    : parse_accept(p, "*") ? '*'
                                           : 0;
        if (param->op != '*' || parse_peek(p)->kind == TOKEN_NAME)
            param->text = parse_name(p);
        if (strcmp(close, ":") != 0 && parse_accept(p, ":"))
            param->b = parse_test(p);
        if (parse_accept(p, "="))
            param->a = parse_test(p);
        list_add(&list, param);
        if (!parse_accept(p, ","))
            break;
    }
    return list.first;
}
