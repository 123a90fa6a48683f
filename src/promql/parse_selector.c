/* parse_selector.c - up{job="x"}, and what may stand behind an operand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "promql/parse_internal.h"
#include "series/duration.h"

/* ---- matchers ----------------------------------------------------------- */

static bool own_regex(struct parser *p, struct regex *re)
{
    struct promql_expr *x = p->x;

    if (!re)
        return true;
    if (x->n_owned == x->cap_owned) {
        size_t cap = x->cap_owned ? x->cap_owned * 2 : 4;
        struct regex **owned = realloc(x->owned, cap * sizeof(*owned));
        if (!owned) {
            regex_free(re);
            p->out_of_memory = true;
            return false;
        }
        x->owned = owned;
        x->cap_owned = cap;
    }
    x->owned[x->n_owned++] = re;
    return true;
}

static bool add_matcher(struct parser *p, struct selector *s, size_t at,
                        enum match_op op, struct str name, struct str value)
{
    struct matcher m;
    struct err err;

    if ((s->n & (s->n + 1)) == 0) { /* full at 0, 1, 3, 7 ... */
        struct matcher *more = parser_new(p, s->n * 2 + 1, sizeof(*more));
        if (!more)
            return false;
        if (s->n)
            memcpy(more, s->m, s->n * sizeof(*more));
        s->m = more;
    }
    if (matcher_init(&m, op, name, value, &err)) {
        lex_fail(&p->lexer, at, "%s", err.msg);
        return false;
    }
    s->m[s->n++] = m;
    return own_regex(p, m.re);
}

static bool take_match_op(struct parser *p, enum match_op *op)
{
    const struct token *t = &p->token;

    if (t->kind == TOKEN_MARK && t->mark == '=')
        *op = MATCH_EQUAL;
    else if (t->kind == TOKEN_MARK && t->mark == MARK_REGEX)
        *op = MATCH_REGEX;
    else if (t->kind == TOKEN_MARK && t->mark == MARK_NOT_REGEX)
        *op = MATCH_NOT_REGEX;
    else if (t->kind == TOKEN_OPERATOR && t->op == OP_NOT_EQUAL)
        *op = MATCH_NOT_EQUAL;
    else
        return false;
    return parser_next(p);
}

/* a="b", or "my.metric", or "my.label"="b". */
static bool parse_matcher(struct parser *p, struct selector *s)
{
    bool quoted = p->token.kind == TOKEN_STRING;
    size_t at = p->token.at;
    enum match_op op;

    if (!quoted && p->token.kind != TOKEN_IDENTIFIER) {
        parser_unexpected(p, "label matching", "identifier or \"}\"");
        return false;
    }
    struct str name = quoted ? parse_text(p) : p->token.text;
    if (!name.p || !parser_next(p))
        return false;
    if (quoted && (parser_is(p, ',') || parser_is(p, '}')))
        return add_matcher(p, s, at, MATCH_EQUAL, LABEL_NAME, name);
    if (!take_match_op(p, &op)) {
        parser_unexpected(p, "label matching",
                          quoted ? "label matching operator or \",\" or \"}\""
                                 : "label matching operator");
        return false;
    }
    if (p->token.kind != TOKEN_STRING) {
        parser_unexpected(p, "label matching", "string");
        return false;
    }
    struct str value = parse_text(p);
    return value.p && add_matcher(p, s, at, op, name, value) && parser_next(p);
}

static bool parse_matchers(struct parser *p, struct selector *s)
{
    if (!parser_next(p))
        return false;
    while (!parser_is(p, '}')) {
        if (!parse_matcher(p, s))
            return false;
        if (parser_take(p, ','))
            continue;
        if (!parser_is(p, '}'))
            parser_unexpected(p, "label matching", "\",\" or \"}\"");
        if (parser_failed(p))
            return false;
    }
    return parser_next(p);
}

/* At least one matcher must refuse a series without the label. */
static bool check_matchers(struct parser *p, const struct node *n)
{
    const struct selector *s = &n->u.selector;
    bool narrows = false;
    struct str name = s->name;

    for (size_t i = s->name.n ? 1 : 0; i < s->n; i++) {
        if (!str_eq(s->m[i].name, LABEL_NAME) || s->m[i].op != MATCH_EQUAL)
            continue;
        if (name.n) {
            struct buf b;
            buf_init(&b, 400);
            buf_puts(&b, "metric name must not be set twice: ");
            buf_put_quoted(&b, name);
            buf_puts(&b, " or ");
            buf_put_quoted(&b, s->m[i].value);
            lex_fail(&p->lexer, n->start, STR_FMT, STR_ARG(buf_str(&b)));
            buf_fini(&b);
        }
        name = s->m[i].value;
    }
    for (size_t i = 0; i < s->n; i++)
        narrows = narrows || matcher_test(&s->m[i], STR("")) == REGEX_NO;
    if (!narrows)
        lex_fail(&p->lexer, n->start,
                 "vector selector must contain at least one non-empty "
                 "matcher");
    return !parser_failed(p);
}

struct node *parse_selector(struct parser *p)
{
    struct selector s = {.n = 0};
    size_t start = p->token.at;

    if (p->token.kind != TOKEN_MARK) {
        s.name = p->token.text;
        if (!add_matcher(p, &s, start, MATCH_EQUAL, LABEL_NAME, s.name) ||
            !parser_next(p))
            return NULL;
    }
    if (parser_is(p, '{') && !parse_matchers(p, &s))
        return NULL;
    struct node *n = parser_node(p, NODE_SELECTOR, PROMQL_VECTOR, start);
    if (!n)
        return NULL;
    n->u.selector = s;
    return check_matchers(p, n) ? n : NULL;
}

/* ---- behind an operand -------------------------------------------------- */

/* A duration, or a number of seconds, as ms. */
static bool parse_duration(struct parser *p, bool positive, int64_t *ms,
                           const char *context)
{
    bool minus = false;
    size_t at = p->token.at;
    double seconds;

    if (!positive && p->token.kind == TOKEN_OPERATOR &&
        (p->token.op == OP_SUBTRACT || p->token.op == OP_ADD)) {
        minus = p->token.op == OP_SUBTRACT;
        if (!parser_next(p))
            return false;
    }
    if (p->token.kind != TOKEN_DURATION && p->token.kind != TOKEN_NUMBER) {
        parser_unexpected(p, context, "number or duration");
        return false;
    }
    if (!parse_amount(p, &seconds))
        return false;
    if (!(fabs(seconds) < 9223372036.0)) {
        lex_fail(&p->lexer, at, "duration out of range");
        return false;
    }
    *ms = (int64_t)llround(seconds * 1000);
    if (positive && *ms <= 0)
        lex_fail(&p->lexer, at, "duration must be greater than 0");
    *ms = minus ? -*ms : *ms;
    return !parser_failed(p) && parser_next(p);
}

static struct node *parse_range(struct parser *p, struct node *n)
{
    struct ranged r = {.of = n};
    bool subquery;
    size_t at = p->token.at;

    if (!parser_next(p) ||
        !parse_duration(p, true, &r.range, "subquery or range selector"))
        return NULL;
    subquery = parser_take(p, ':');
    if (subquery && !parser_is(p, ']') &&
        !parse_duration(p, true, &r.step, "subquery selector"))
        return NULL;
    if (!parser_take(p, ']')) {
        parser_unexpected(p,
                          subquery ? "subquery selector" : "subquery or range",
                          subquery ? "\"]\"" : "\":\" or \"]\"");
        return NULL;
    }
    if (!subquery && n->kind != NODE_SELECTOR)
        lex_fail(&p->lexer, at, "ranges only allowed for vector selectors");
    else if (!subquery && n->u.selector.moment.has_offset)
        lex_fail(&p->lexer, at, "no offset modifiers allowed before range");
    else if (!subquery && n->u.selector.moment.at)
        lex_fail(&p->lexer, at, "no @ modifiers allowed before range");
    else if (subquery && n->type != PROMQL_VECTOR)
        lex_fail(&p->lexer, n->start,
                 "subquery is only allowed on instant vector, got %s instead",
                 promql_type_text(n->type));
    struct node *made = parser_node(p, subquery ? NODE_SUBQUERY : NODE_MATRIX,
                                    PROMQL_MATRIX, n->start);
    if (made)
        made->u.ranged = r;
    return made;
}

static struct moment *moment_of(struct parser *p, struct node *n,
                                const char *what)
{
    if (n->kind == NODE_SELECTOR)
        return &n->u.selector.moment;
    if (n->kind == NODE_MATRIX || n->kind == NODE_SUBQUERY)
        return &n->u.ranged.moment;
    lex_fail(&p->lexer, n->start,
             "%s modifier must be preceded by an instant vector selector or "
             "range vector selector or a subquery",
             what);
    return NULL;
}

static struct node *parse_offset(struct parser *p, struct node *n)
{
    struct moment *m = moment_of(p, n, "offset");
    int64_t ms;

    if (!m || !parser_next(p) || !parse_duration(p, false, &ms, "offset"))
        return NULL;
    if (m->has_offset)
        lex_fail(&p->lexer, n->start, "offset may not be set multiple times");
    m->has_offset = true;
    m->offset = ms;
    n->end = p->behind;
    return parser_failed(p) ? NULL : n;
}

/* start() or end(). */
static bool parse_at_word(struct parser *p, struct moment *m)
{
    m->at = p->token.keyword == WORD_START ? AT_START : AT_END;
    if (parser_next(p) && parser_take(p, '(') && parser_take(p, ')'))
        return true;
    parser_unexpected(p, "@", "\"(\" and \")\"");
    return false;
}

static bool parse_at_time(struct parser *p, struct moment *m)
{
    bool minus = false;
    double t;

    if (p->token.kind == TOKEN_OPERATOR &&
        (p->token.op == OP_SUBTRACT || p->token.op == OP_ADD)) {
        minus = p->token.op == OP_SUBTRACT;
        if (!parser_next(p))
            return false;
    }
    size_t at = p->token.at;
    if (p->token.kind != TOKEN_NUMBER && p->token.kind != TOKEN_DURATION) {
        parser_unexpected(p, "@", "timestamp");
        return false;
    }
    if (!parse_amount(p, &t) || !parser_next(p))
        return false;
    if (!(fabs(t) < 9223372036854775.0)) {
        lex_fail(&p->lexer, at, "timestamp out of bounds for @ modifier: %f",
                 minus ? -t : t);
        return false;
    }
    m->at = AT_TIME;
    m->at_time = (int64_t)llround((minus ? -t : t) * 1000);
    return true;
}

static struct node *parse_at(struct parser *p, struct node *n)
{
    struct moment *m = moment_of(p, n, "@");

    if (!m || !parser_next(p))
        return NULL;
    if (m->at) {
        lex_fail(&p->lexer, n->start,
                 "@ <timestamp> may not be set multiple times");
        return NULL;
    }
    bool word =
        p->token.kind == TOKEN_KEYWORD &&
        (p->token.keyword == WORD_START || p->token.keyword == WORD_END);
    if (!(word ? parse_at_word(p, m) : parse_at_time(p, m)))
        return NULL;
    n->end = p->behind;
    return n;
}

struct node *parse_behind(struct parser *p, struct node *n)
{
    while (n && !parser_failed(p)) {
        if (parser_is(p, '['))
            n = parse_range(p, n);
        else if (parser_is(p, '@'))
            n = parse_at(p, n);
        else if (p->token.kind == TOKEN_KEYWORD &&
                 p->token.keyword == WORD_OFFSET)
            n = parse_offset(p, n);
        else
            return n;
    }
    return NULL;
}
