/* parse_call.c - what stands in parentheses: arguments and lists of labels. */
#include "promql/function.h"
#include "promql/parse_internal.h"

/* ---- lists -------------------------------------------------------------- */

static bool is_word(const struct token *t)
{
    return t->kind == TOKEN_IDENTIFIER || t->kind == TOKEN_KEYWORD ||
           t->kind == TOKEN_AGGREGATE ||
           (t->kind == TOKEN_NUMBER && t->text.n == 3 && t->text.p[0] > '9') ||
           (t->kind == TOKEN_OPERATOR && t->text.p[0] >= 'A');
}

bool parse_label_list(struct parser *p, struct str **out, size_t *n)
{
    size_t cap = 0;

    *n = 0;
    *out = NULL;
    if (!parser_take(p, '(')) {
        parser_unexpected(p, "grouping opts", "\"(\"");
        return false;
    }
    while (!parser_is(p, ')')) {
        bool quoted = p->token.kind == TOKEN_STRING;
        struct str name = quoted ? parse_text(p) : p->token.text;
        if (!quoted && (!is_word(&p->token) || !label_name_is_plain(name)))
            parser_unexpected(p, "grouping opts", "label");
        if (!arena_grow(&p->x->arena, out, *n, &cap, sizeof(**out)))
            p->out_of_memory = true;
        if (parser_failed(p) || !parser_next(p))
            return false;
        (*out)[(*n)++] = name;
        if (parser_take(p, ','))
            continue;
        if (!parser_is(p, ')'))
            parser_unexpected(p, "grouping opts", "\",\" or \")\"");
        if (parser_failed(p))
            return false;
    }
    return parser_take(p, ')');
}

/* The arguments in parentheses. */
static bool parse_args(struct parser *p, struct node ***out, size_t *n)
{
    size_t cap = 0;

    *n = 0;
    *out = NULL;
    if (!parser_take(p, '('))
        return false;
    while (!parser_is(p, ')')) {
        if (!arena_grow(&p->x->arena, out, *n, &cap, sizeof(**out))) {
            p->out_of_memory = true;
            return false;
        }
        struct node *arg = parse_expression(p, 0);
        if (!arg)
            return false;
        (*out)[(*n)++] = arg;
        size_t comma = p->token.at;
        if (parser_take(p, ',')) {
            if (parser_is(p, ')'))
                lex_fail(&p->lexer, comma,
                         "trailing commas not allowed in function call args");
        } else if (!parser_is(p, ')')) {
            parser_unexpected(p, "", "");
        }
        if (parser_failed(p))
            return false;
    }
    return parser_take(p, ')');
}

/* ---- calls and aggregations --------------------------------------------- */

struct node *parse_call(struct parser *p, struct token name)
{
    struct node **args;
    size_t n_args;
    const struct function *f = function_find(name.text);

    if (!f) {
        lex_fail(&p->lexer, name.at,
                 function_is_experimental(name.text)
                     ? "function \"" STR_FMT "\" is not enabled: it is "
                       "experimental in Prometheus"
                     : "unknown function with name \"" STR_FMT "\"",
                 STR_ARG(name.text));
        return NULL;
    }
    if (!parse_args(p, &args, &n_args))
        return NULL;
    struct node *n = parser_node(p, NODE_CALL, f->returns, name.at);
    if (!n)
        return NULL;
    n->u.call = (struct call){f, args, n_args};
    return check_node(p, n) ? n : NULL;
}

static bool parse_grouping(struct parser *p, struct aggregate *a)
{
    if (p->token.kind != TOKEN_KEYWORD ||
        (p->token.keyword != WORD_BY && p->token.keyword != WORD_WITHOUT))
        return true;
    a->without = p->token.keyword == WORD_WITHOUT;
    a->grouped = true;
    return parser_next(p) && parse_label_list(p, &a->labels, &a->n);
}

static bool take_aggregate_args(struct parser *p, struct aggregate *a,
                                size_t start, struct node **args, size_t n)
{
    size_t want = operator_has_param(a->op) ? 2 : 1;

    if (n == 0)
        lex_fail(&p->lexer, start,
                 "no arguments for aggregate expression provided");
    else if (n != want)
        lex_fail(&p->lexer, start,
                 "wrong number of arguments for aggregate expression "
                 "provided, expected %zu, got %zu",
                 want, n);
    if (parser_failed(p))
        return false;
    a->param = want == 2 ? args[0] : NULL;
    a->of = args[want - 1];
    return true;
}

struct node *parse_aggregate(struct parser *p, struct token name)
{
    struct aggregate a = {.op = name.op};
    struct node **args;
    size_t n_args;

    if (!parse_grouping(p, &a))
        return NULL;
    if (!parser_is(p, '(')) {
        parser_unexpected(p, "aggregation", "");
        return NULL;
    }
    if (!parse_args(p, &args, &n_args) ||
        (!a.grouped && !parse_grouping(p, &a)) ||
        !take_aggregate_args(p, &a, name.at, args, n_args))
        return NULL;
    struct node *n = parser_node(p, NODE_AGGREGATE, PROMQL_VECTOR, name.at);
    if (!n)
        return NULL;
    n->u.aggregate = a;
    return check_node(p, n) ? n : NULL;
}
