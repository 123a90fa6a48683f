/* Statements that fit on a line. */
#include "import/python/parse_internal.h"

/* "a.b.c", with the dots of a relative import in front. */
static struct str dotted(struct parser *p)
{
    struct str first = parse_peek(p)->text;

    while (parse_accept(p, ".") || parse_accept(p, "..."))
        ;
    if (parse_peek(p)->kind == TOKEN_NAME && !parse_is(p, "import"))
        p->at++;
    while (parse_accept(p, "."))
        (void)parse_name(p);
    struct py_token *last = &p->tokens[p->at ? p->at - 1 : 0];
    const char *to = last->text.p + last->text.n;
    return to >= first.p ? (struct str){first.p, (size_t)(to - first.p)}
                         : STR("");
}

static struct py_node *alias(struct parser *p, bool whole)
{
    struct py_node *node = parse_node(p, PY_ALIAS);

    node->text = whole ? dotted(p) : parse_name(p);
    if (parse_accept(p, "as"))
        node->other = parse_name(p);
    return node;
}

static struct py_node *import_rest(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_IMPORT);
    struct list_tail list = {NULL, NULL};

    do
        list_add(&list, alias(p, true));
    while (parse_accept(p, ",") && !p->failed);
    node->a = list.first;
    return node;
}

static struct py_node *from_rest(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_FROM);
    struct list_tail list = {NULL, NULL};

    node->text = dotted(p);
    parse_expect(p, "import");
    if (parse_accept(p, "*"))
        return node;
    bool parens = parse_accept(p, "(");
    do {
        if (parens && parse_is(p, ")"))
            break;
        list_add(&list, alias(p, false));
    } while (parse_accept(p, ",") && !p->failed);
    if (parens)
        parse_expect(p, ")");
    node->a = list.first;
    return node;
}

static enum py_op augmented(struct parser *p)
{
    static const struct {
        const char *text;
        enum py_op op;
    } table[] = {{"+=", OP_ADD},    {"-=", OP_SUB},       {"*=", OP_MUL},
                 {"/=", OP_DIV},    {"//=", OP_FLOORDIV}, {"%=", OP_MOD},
                 {"**=", OP_POW},   {"@=", OP_MATMUL},    {"&=", OP_AND},
                 {"|=", OP_OR},     {"^=", OP_XOR},       {">>=", OP_RSHIFT},
                 {"<<=", OP_LSHIFT}};

    for (size_t i = 0; i < COUNT(table); i++)
        if (parse_accept(p, table[i].text))
            return table[i].op;
    return OP_NONE;
}

static struct py_node *expression_statement(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_EXPR);
    struct list_tail targets = {NULL, NULL};
    struct py_node *value = parse_tests(p);
    enum py_op op = augmented(p);

    if (op) {
        node->kind = PY_AUG;
        node->op = (int)op;
        node->a = value;
        node->b = parse_tests(p);
        return node;
    }
    if (parse_accept(p, ":")) {
        node->kind = PY_ANNOTATED;
        node->a = value;
        node->c = parse_test(p);
        if (parse_accept(p, "="))
            node->b = parse_tests(p);
        return node;
    }
    while (parse_accept(p, "=") && !p->failed) {
        list_add(&targets, value);
        value = parse_tests(p);
    }
    node->kind = targets.first ? PY_ASSIGN : PY_EXPR;
    node->a = targets.first ? targets.first : value;
    node->b = targets.first ? value : NULL;
    return node;
}

bool parse_line_ends(struct parser *p)
{
    return parse_peek(p)->kind == TOKEN_NEWLINE || parse_is(p, ";");
}

static struct py_node *names(struct parser *p, enum py_kind kind)
{
    struct py_node *node = parse_node(p, kind);
    struct list_tail list = {NULL, NULL};

    do
        list_add(&list, parse_test(p));
    while (parse_accept(p, ",") && !p->failed);
    node->a = list.first;
    return node;
}

static struct py_node *keyword_statement(struct parser *p)
{
    struct py_node *node;

    if (parse_accept(p, "pass"))
        return parse_node(p, PY_PASS);
    if (parse_accept(p, "break"))
        return parse_node(p, PY_BREAK);
    if (parse_accept(p, "continue"))
        return parse_node(p, PY_CONTINUE);
    if (parse_accept(p, "import"))
        return import_rest(p);
    if (parse_accept(p, "from"))
        return from_rest(p);
    if (parse_accept(p, "del"))
        return names(p, PY_DEL);
    if (parse_accept(p, "global") || parse_accept(p, "nonlocal"))
        return names(p, PY_GLOBAL);
    if (parse_accept(p, "assert")) {
        node = parse_node(p, PY_ASSERT);
        node->a = parse_test(p);
        node->b = parse_accept(p, ",") ? parse_test(p) : NULL;
        return node;
    }
    bool raise = parse_accept(p, "raise");
    if (!raise && !parse_accept(p, "return"))
        return NULL;
    node = parse_node(p, raise ? PY_RAISE : PY_RETURN);
    node->a = parse_line_ends(p) ? NULL : parse_tests(p);
    if (raise && parse_accept(p, "from"))
        (void)parse_test(p);
    return node;
}

struct py_node *parse_line(struct parser *p)
{
    struct py_node *node = keyword_statement(p);

    return node ? node : expression_statement(p);
}
