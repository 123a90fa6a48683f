/* parse.c - expressions, by precedence climbing. Depth is limited.
 *
 * Precedence and forms: generated_parser.y's documentation at
 * https://prometheus.io/docs/prometheus/latest/querying/operators/. A keyword
 * is the name of a metric where no keyword could stand.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "promql/parse_internal.h"
#include "series/duration.h"

/* ---- tools -------------------------------------------------------------- */

bool parser_failed(const struct parser *p)
{
    return p->lexer.failed || p->out_of_memory;
}

bool parser_next(struct parser *p)
{
    p->behind = p->token.at + p->token.text.n;
    return !p->out_of_memory && lex_next(&p->lexer, &p->token);
}

bool parser_is(const struct parser *p, char mark)
{
    return !parser_failed(p) && p->token.kind == TOKEN_MARK &&
           p->token.mark == mark;
}

bool parser_take(struct parser *p, char mark)
{
    return parser_is(p, mark) && parser_next(p);
}

void parser_unexpected(struct parser *p, const char *context,
                       const char *expected)
{
    struct buf b;

    if (parser_failed(p))
        return;
    buf_init(&b, 500);
    token_describe(&p->token, &b);
    lex_fail(&p->lexer, p->token.at, "unexpected " STR_FMT "%s%s%s%s",
             STR_ARG(buf_str(&b)), *context ? " in " : "", context,
             *expected ? ", expected " : "", expected);
    buf_fini(&b);
}

void *parser_new(struct parser *p, size_t n, size_t size)
{
    void *memory = arena_alloc(&p->x->arena, n, size, _Alignof(max_align_t));

    if (!memory)
        p->out_of_memory = true;
    return memory;
}

struct node *parser_node(struct parser *p, enum node_kind kind,
                         enum promql_type type, size_t start)
{
    struct node *n = parser_failed(p) ? NULL : parser_new(p, 1, sizeof(*n));

    if (n) {
        n->kind = kind;
        n->type = type;
        n->start = start;
        n->end = p->behind;
    }
    return n;
}

struct str parse_text(struct parser *p)
{
    struct buf b;
    size_t at = 0;
    struct str s = {NULL, 0};

    buf_init(&b, p->token.text.n + 4);
    if (!string_unquote(p->token.text, &b, &at))
        lex_fail(&p->lexer, p->token.at + at, "unknown escape sequence");
    else if (!b.failed)
        s = (struct str){arena_cstr(&p->x->arena, buf_str(&b)), b.n};
    if (!s.p && !p->lexer.failed)
        p->out_of_memory = true;
    buf_fini(&b);
    return s;
}

/* ---- numbers ------------------------------------------------------------ */

/* Without the underscores, as a C string. */
static char *clean_number(struct parser *p, struct str s)
{
    char *text = parser_new(p, s.n + 1, 1);
    size_t n = 0;

    for (size_t i = 0; text && i < s.n; i++)
        if (s.p[i] != '_')
            text[n++] = s.p[i];
    return text;
}

/* As Go reads them: 0x1f, 017 is octal, 09 is not. */
static double number_of(const char *text)
{
    bool octal = text[0] == '0' && text[1] != '\0' &&
                 text[strspn(text, "01234567")] == '\0';

    if (octal)
        return (double)strtoull(text, NULL, 8);
    if (str_eq_nocase(str_from_cstr(text), STR("nan")))
        return sample_nan();
    return strtod(text, NULL);
}

bool parse_amount(struct parser *p, double *out)
{
    int64_t ms;

    if (p->token.kind == TOKEN_DURATION) {
        if (!duration_parse(p->token.text, &ms)) {
            lex_fail(&p->lexer, p->token.at,
                     "not a valid duration string: \"" STR_FMT "\"",
                     STR_ARG(p->token.text));
            return false;
        }
        *out = (double)ms / 1000;
        return true;
    }
    char *text = clean_number(p, p->token.text);
    if (!text)
        return false;
    *out = number_of(text);
    if (isinf(*out) && !str_eq_nocase(p->token.text, STR("inf")))
        lex_fail(&p->lexer, p->token.at,
                 "error parsing number: strconv.ParseFloat: parsing \"" STR_FMT
                 "\": value out of range",
                 STR_ARG(p->token.text));
    return !parser_failed(p);
}

static struct node *parse_number(struct parser *p)
{
    size_t start = p->token.at;
    double v;

    if (!parse_amount(p, &v) || !parser_next(p))
        return NULL;
    struct node *n = parser_node(p, NODE_NUMBER, PROMQL_SCALAR, start);
    if (n)
        n->u.number = v;
    return n;
}

static struct node *parse_string(struct parser *p)
{
    size_t start = p->token.at;
    struct str text = parse_text(p);

    if (!text.p || !parser_next(p))
        return NULL;
    struct node *n = parser_node(p, NODE_STRING, PROMQL_STRING, start);
    if (n)
        n->u.text = text;
    return n;
}

/* ---- operands ----------------------------------------------------------- */

/* The token behind the one that is looked at; false: none, or a mistake. */
static bool peek(const struct parser *p, struct token *out)
{
    struct lexer x = p->lexer;
    struct err ignored;

    x.err = &ignored;
    return lex_next(&x, out);
}

/* A word: an aggregation, a function or the name of a metric. */
static struct node *parse_word(struct parser *p)
{
    struct token word = p->token, next;
    bool more = peek(p, &next);
    bool opens = more && next.kind == TOKEN_MARK && next.mark == '(';
    bool groups = more && next.kind == TOKEN_KEYWORD &&
                  (next.keyword == WORD_BY || next.keyword == WORD_WITHOUT);

    if (word.kind == TOKEN_AGGREGATE && (opens || groups))
        return parser_next(p) ? parse_aggregate(p, word) : NULL;
    if (word.kind == TOKEN_IDENTIFIER && opens)
        return parser_next(p) ? parse_call(p, word) : NULL;
    return parse_selector(p);
}

static struct node *parse_paren(struct parser *p)
{
    size_t start = p->token.at;

    if (!parser_next(p))
        return NULL;
    struct node *inner = parse_expression(p, 0);
    if (!inner)
        return NULL;
    if (!parser_take(p, ')')) {
        parser_unexpected(p, "", "");
        return NULL;
    }
    struct node *n = parser_node(p, NODE_PAREN, inner->type, start);
    if (n)
        n->u.inner.of = inner;
    return n;
}

static struct node *parse_unary(struct parser *p)
{
    struct token sign = p->token;

    if (!parser_next(p))
        return NULL;
    struct node *of = parse_expression(p, BINDS_UNARY + 1);
    if (!of)
        return NULL;
    if (of->kind == NODE_NUMBER) {
        of->u.number = sign.op == OP_SUBTRACT ? -of->u.number : of->u.number;
        of->start = sign.at;
        return of;
    }
    struct node *n = parser_node(p, NODE_UNARY, of->type, sign.at);
    if (!n)
        return NULL;
    n->u.inner.of = of;
    n->u.inner.minus = sign.op == OP_SUBTRACT;
    return check_node(p, n) ? n : NULL;
}

static struct node *parse_operand(struct parser *p)
{
    switch (p->token.kind) {
    case TOKEN_NUMBER:
    case TOKEN_DURATION:
        return parse_number(p);
    case TOKEN_STRING:
        return parse_string(p);
    case TOKEN_IDENTIFIER:
    case TOKEN_AGGREGATE:
    case TOKEN_KEYWORD:
        return parse_word(p);
    case TOKEN_OPERATOR:
        if (p->token.op == OP_ADD || p->token.op == OP_SUBTRACT)
            return parse_unary(p);
        if (operator_kind(p->token.op) == OP_SET)
            return parse_word(p);
        break;
    case TOKEN_MARK:
        if (p->token.mark == '(')
            return parse_paren(p);
        if (p->token.mark == '{')
            return parse_selector(p);
        break;
    case TOKEN_END:
        break;
    }
    parser_unexpected(p, "", "");
    return NULL;
}

/* ---- operators ---------------------------------------------------------- */

/* bool, on (...), ignoring (...), group_left (...), in this order. */
static bool parse_matching(struct parser *p, struct binary *b)
{
    struct matching *m = &b->matching;

    if (p->token.kind == TOKEN_KEYWORD && p->token.keyword == WORD_BOOL) {
        b->returns_bool = true;
        if (!parser_next(p))
            return false;
    }
    if (p->token.kind != TOKEN_KEYWORD ||
        (p->token.keyword != WORD_ON && p->token.keyword != WORD_IGNORING))
        return true;
    m->given = true;
    m->on = p->token.keyword == WORD_ON;
    if (!parser_next(p) || !parse_label_list(p, &m->labels, &m->n_labels))
        return false;
    if (p->token.kind != TOKEN_KEYWORD ||
        (p->token.keyword != WORD_GROUP_LEFT &&
         p->token.keyword != WORD_GROUP_RIGHT))
        return true;
    m->card = p->token.keyword == WORD_GROUP_LEFT ? MANY_TO_ONE : ONE_TO_MANY;
    if (!parser_next(p))
        return false;
    return !parser_is(p, '(') ||
           parse_label_list(p, &m->include, &m->n_include);
}

static struct node *parse_binary(struct parser *p, struct node *left)
{
    struct binary b = {.op = p->token.op, .left = left};
    int binds = operator_binds(b.op);

    if (p->operators++ >= PROMQL_MAX_OPERATORS) {
        lex_fail(&p->lexer, p->token.at,
                 "the expression has more than %d operators",
                 PROMQL_MAX_OPERATORS);
        return NULL;
    }
    if (!parser_next(p) || !parse_matching(p, &b))
        return NULL;
    /* ^ binds to the right, the others to the left. */
    b.right = parse_expression(p, b.op == OP_POWER ? binds : binds + 1);
    if (!b.right)
        return NULL;
    bool scalar = left->type == PROMQL_SCALAR && b.right->type == PROMQL_SCALAR;
    struct node *n = parser_node(
        p, NODE_BINARY, scalar ? PROMQL_SCALAR : PROMQL_VECTOR, left->start);
    if (!n)
        return NULL;
    n->u.binary = b;
    return check_node(p, n) ? n : NULL;
}

struct node *parse_expression(struct parser *p, int binds)
{
    if (parser_failed(p))
        return NULL;
    if (p->depth >= PROMQL_MAX_DEPTH) {
        lex_fail(&p->lexer, p->token.at,
                 "the expression is nested more than %d deep",
                 PROMQL_MAX_DEPTH);
        return NULL;
    }
    p->depth++;
    struct node *n = parse_behind(p, parse_operand(p));
    while (n && p->token.kind == TOKEN_OPERATOR &&
           operator_binds(p->token.op) >= binds)
        n = parse_binary(p, n);
    p->depth--;
    return parser_failed(p) ? NULL : n;
}

/* ---- the whole ---------------------------------------------------------- */

void promql_free(struct promql_expr *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->n_owned; i++)
        regex_free(x->owned[i]);
    free(x->owned);
    arena_fini(&x->arena);
    free(x);
}

static struct promql_expr *expr_new(struct str text)
{
    struct promql_expr *x = calloc(1, sizeof(*x));

    if (!x)
        return NULL;
    arena_init(&x->arena, 64u << 20);
    x->text.p = arena_cstr(&x->arena, text);
    x->text.n = text.n;
    if (!x->text.p) {
        promql_free(x);
        return NULL;
    }
    return x;
}

static void parse_whole(struct parser *p)
{
    if (!parser_next(p))
        return;
    if (p->token.kind == TOKEN_END) {
        lex_fail(&p->lexer, p->token.at, "no expression found in input");
        return;
    }
    p->x->root = parse_expression(p, 0);
    if (p->x->root && p->token.kind != TOKEN_END)
        parser_unexpected(p, "", "");
}

enum errc promql_parse(struct str text, struct promql_expr **out,
                       struct err *err)
{
    struct err own;

    if (text.n > PROMQL_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "the query is longer than %d bytes",
                       PROMQL_MAX_BYTES);
    struct promql_expr *x = expr_new(text);
    if (!x)
        return err_set(err, ERR_NOMEM, "out of memory");
    struct parser p = {.lexer = {.text = x->text, .err = err ? err : &own},
                       .x = x};
    parse_whole(&p);
    if (parser_failed(&p)) {
        promql_free(x);
        return p.lexer.failed ? ERR_INVALID
                              : err_set(err, ERR_NOMEM, "out of memory");
    }
    *out = x;
    return ERR_OK;
}

enum errc promql_parse_selector(struct str text, struct promql_expr **out,
                                struct err *err)
{
    struct promql_expr *x;
    enum errc rc = promql_parse(text, &x, err);

    if (rc)
        return rc;
    const struct moment *m = &x->root->u.selector.moment;
    if (x->root->kind == NODE_SELECTOR && !m->has_offset && !m->at) {
        *out = x;
        return ERR_OK;
    }
    promql_free(x);
    return err_set(err, ERR_INVALID,
                   "1:1: parse error: expected a selector of series, such as "
                   "up{job=\"x\"}");
}
