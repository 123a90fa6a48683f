/* check.c - types and shapes, in Prometheus' words. */
#include "promql/function.h"
#include "promql/parse_internal.h"

const char *promql_type_text(enum promql_type type)
{
    static const char *const texts[] = {"scalar", "instant vector",
                                        "range vector", "string"};

    return texts[type];
}

const struct node *node_bare(const struct node *n)
{
    while (n->kind == NODE_PAREN)
        n = n->u.inner.of;
    return n;
}

static void expect_type(struct parser *p, const struct node *n,
                        enum promql_type want, const char *context,
                        const char *name)
{
    if (n->type != want)
        lex_fail(&p->lexer, n->start, "expected type %s in %s%s%s%s, got %s",
                 promql_type_text(want), context, *name ? " \"" : "", name,
                 *name ? "\"" : "", promql_type_text(n->type));
}

static void check_call(struct parser *p, const struct node *n)
{
    const struct call *c = &n->u.call;
    const struct function *f = c->function;
    size_t least = f->variadic ? f->n_args - 1u : f->n_args;

    if (!f->variadic && c->n != f->n_args)
        lex_fail(&p->lexer, n->start,
                 "expected %u argument(s) in call to \"%s\", got %zu",
                 (unsigned)f->n_args, f->name, c->n);
    else if (c->n < least)
        lex_fail(&p->lexer, n->start,
                 "expected at least %zu argument(s) in call to \"%s\", got %zu",
                 least, f->name, c->n);
    else if (f->variadic > 0 && c->n > least + (size_t)f->variadic)
        lex_fail(&p->lexer, n->start,
                 "expected at most %zu argument(s) in call to \"%s\", got %zu",
                 least + (size_t)f->variadic, f->name, c->n);
    for (size_t i = 0; i < c->n && !parser_failed(p); i++)
        expect_type(p, c->args[i], f->args[i < f->n_args ? i : f->n_args - 1u],
                    "call to function", f->name);
}

static void check_aggregate(struct parser *p, const struct aggregate *a)
{
    expect_type(p, a->of, PROMQL_VECTOR, "aggregation expression", "");
    if (a->param)
        expect_type(p, a->param,
                    a->op == OP_COUNT_VALUES ? PROMQL_STRING : PROMQL_SCALAR,
                    "aggregation parameter", "");
}

static bool is_operand(const struct node *n)
{
    return n->type == PROMQL_SCALAR || n->type == PROMQL_VECTOR;
}

/* Where the operator stands, which is where its errors are. */
static size_t place_of(const struct parser *p, const struct binary *b)
{
    size_t at = b->left->end;

    while (at < p->x->text.n &&
           (p->x->text.p[at] == ' ' || p->x->text.p[at] == '\n' ||
            p->x->text.p[at] == '\t'))
        at++;
    return at;
}

static void check_on_labels(struct parser *p, const struct binary *b)
{
    const struct matching *m = &b->matching;

    for (size_t i = 0; m->on && i < m->n_labels; i++)
        for (size_t k = 0; k < m->n_include; k++)
            if (str_eq(m->labels[i], m->include[k]))
                lex_fail(&p->lexer, place_of(p, b),
                         "label \"" STR_FMT
                         "\" must not occur in ON and GROUP clause at once",
                         STR_ARG(m->labels[i]));
}

static void check_binary(struct parser *p, struct node *n)
{
    struct binary *b = &n->u.binary;
    enum operator_kind kind = operator_kind(b->op);
    bool scalars =
        b->left->type == PROMQL_SCALAR && b->right->type == PROMQL_SCALAR;
    bool vectors =
        b->left->type == PROMQL_VECTOR && b->right->type == PROMQL_VECTOR;

    if (b->returns_bool && kind != OP_COMPARE)
        lex_fail(&p->lexer, place_of(p, b),
                 "bool modifier can only be used on comparison operators");
    if (kind == OP_COMPARE && !b->returns_bool && scalars)
        lex_fail(&p->lexer, place_of(p, b),
                 "comparisons between scalars must use BOOL modifier");
    check_on_labels(p, b);
    if (!is_operand(b->left) || !is_operand(b->right))
        lex_fail(&p->lexer,
                 is_operand(b->left) ? b->right->start : b->left->start,
                 "binary expression must contain only scalar and instant "
                 "vector types");
    if (!vectors && b->matching.n_labels)
        lex_fail(&p->lexer, n->start,
                 "vector matching only allowed between instant vectors");
    else if (vectors && kind == OP_SET && b->matching.card != ONE_TO_ONE)
        lex_fail(&p->lexer, n->start,
                 "no grouping allowed for \"%s\" operation",
                 operator_text(b->op));
    if (kind == OP_SET && !vectors)
        lex_fail(&p->lexer, n->start,
                 "set operator \"%s\" not allowed in binary scalar expression",
                 operator_text(b->op));
    if (kind == OP_SET)
        b->matching.card = MANY_TO_MANY;
}

bool check_node(struct parser *p, struct node *n)
{
    if (parser_failed(p))
        return false;
    if (n->kind == NODE_CALL)
        check_call(p, n);
    else if (n->kind == NODE_AGGREGATE)
        check_aggregate(p, &n->u.aggregate);
    else if (n->kind == NODE_BINARY)
        check_binary(p, n);
    else if (n->kind == NODE_UNARY && !is_operand(n->u.inner.of))
        lex_fail(&p->lexer, n->start,
                 "unary expression only allowed on expressions of type scalar "
                 "or instant vector, got \"%s\"",
                 promql_type_text(n->u.inner.of->type));
    return !parser_failed(p);
}
