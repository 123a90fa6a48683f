#include <string.h>

#include "import/python/parse_internal.h"

static struct py_node *statement(struct parser *p);

struct py_node *parse_node(struct parser *p, enum py_kind kind)
{
    static _Thread_local struct py_node none;
    struct py_node *node = arena_new(p->arena, struct py_node, 1);

    if (!node) {
        p->no_memory = p->failed = true;
        none = (struct py_node){.kind = kind};
        return &none;
    }
    node->kind = kind;
    node->line = parse_peek(p)->line;
    return node;
}

void parse_fail(struct parser *p, const char *what)
{
    if (!p->failed)
        err_record(p->err, ERR_INVALID, "line %d: %s before '%.*s'",
                   parse_peek(p)->line, what,
                   parse_peek(p)->text.n < 30 ? (int)parse_peek(p)->text.n : 30,
                   parse_peek(p)->text.p);
    p->failed = true;
}

struct py_token *parse_peek(struct parser *p)
{
    return &p->tokens[p->at < p->n ? p->at : p->n - 1];
}

bool parse_is(struct parser *p, const char *word)
{
    struct py_token *t = parse_peek(p);

    return (t->kind == TOKEN_OP || t->kind == TOKEN_NAME) &&
           str_eq(t->text, str_from_cstr(word));
}

bool parse_accept(struct parser *p, const char *word)
{
    if (!parse_is(p, word))
        return false;
    p->at++;
    return true;
}

void parse_expect(struct parser *p, const char *word)
{
    char what[60] = "expected ";

    if (parse_accept(p, word))
        return;
    strncat(what, word, sizeof(what) - 20);
    parse_fail(p, what);
}

struct str parse_name(struct parser *p)
{
    struct py_token *t = parse_peek(p);

    if (t->kind != TOKEN_NAME) {
        parse_fail(p, "expected a name");
        return STR("");
    }
    p->at++;
    return t->text;
}

void list_add(struct list_tail *l, struct py_node *node)
{
    if (!l->tail)
        l->tail = &l->first;
    *l->tail = node;
    l->tail = &node->next;
    node->next = NULL;
}

static bool accept_kind(struct parser *p, enum py_token_kind kind)
{
    if (parse_peek(p)->kind != kind)
        return false;
    p->at++;
    return true;
}

/* Statements of one line, separated by ';'. */
static void simple_line(struct parser *p, struct list_tail *out);

/* ':' and either the rest of the line or an indented block. */
static struct py_node *suite(struct parser *p)
{
    struct list_tail out = {NULL, NULL};

    parse_expect(p, ":");
    if (p->failed)
        return NULL;
    if (!accept_kind(p, TOKEN_NEWLINE)) {
        simple_line(p, &out);
        return out.first;
    }
    if (!accept_kind(p, TOKEN_INDENT)) {
        parse_fail(p, "expected an indented block");
        return NULL;
    }
    while (!accept_kind(p, TOKEN_DEDENT) && parse_peek(p)->kind != TOKEN_END &&
           !p->no_memory)
        list_add(&out, statement(p));
    return out.first;
}

static struct py_node *if_rest(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_IF);

    node->a = parse_test(p);
    node->b = suite(p);
    if (parse_accept(p, "elif"))
        node->c = if_rest(p);
    else if (parse_accept(p, "else"))
        node->c = suite(p);
    return node;
}

static struct py_node *for_rest(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_FOR);

    node->a = parse_targets(p);
    parse_expect(p, "in");
    node->b = parse_tests(p);
    node->c = suite(p);
    if (parse_accept(p, "else"))
        node->d = suite(p);
    return node;
}

static struct py_node *while_rest(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_WHILE);

    node->a = parse_test(p);
    node->b = suite(p);
    return node;
}

static struct py_node *def_rest(struct parser *p, struct py_node *decorators)
{
    struct py_node *node = parse_node(p, PY_DEF);

    node->text = parse_name(p);
    parse_expect(p, "(");
    node->a = parse_parameters(p, ")");
    parse_expect(p, ")");
    if (parse_accept(p, "->"))
        (void)parse_test(p);
    node->b = suite(p);
    node->c = decorators;
    return node;
}

static struct py_node *class_rest(struct parser *p, struct py_node *decorators)
{
    struct py_node *node = parse_node(p, PY_CLASS);

    node->text = parse_name(p);
    if (parse_accept(p, "("))
        node->a = parse_arguments(p);
    node->b = suite(p);
    node->c = decorators;
    return node;
}

static struct py_node *decorated(struct parser *p)
{
    struct list_tail list = {NULL, NULL};

    do {
        list_add(&list, parse_test(p));
        (void)accept_kind(p, TOKEN_NEWLINE);
    } while (parse_accept(p, "@") && !p->failed);
    if (parse_accept(p, "class"))
        return class_rest(p, list.first);
    parse_expect(p, "def");
    return def_rest(p, list.first);
}

static struct py_node *try_rest(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_TRY);
    struct list_tail handlers = {NULL, NULL};

    node->a = suite(p);
    while (parse_accept(p, "except")) {
        struct py_node *h = parse_node(p, PY_HANDLER);
        if (!parse_is(p, ":")) {
            h->a = parse_tests(p);
            if (parse_accept(p, "as"))
                h->text = parse_name(p);
        }
        h->b = suite(p);
        list_add(&handlers, h);
        if (p->failed)
            break;
    }
    node->b = handlers.first;
    if (parse_accept(p, "else"))
        node->c = suite(p);
    if (parse_accept(p, "finally"))
        node->d = suite(p);
    return node;
}

static struct py_node *with_rest(struct parser *p)
{
    struct py_node *node = parse_node(p, PY_WITH);
    struct list_tail items = {NULL, NULL};

    do {
        struct py_node *item = parse_node(p, PY_WITH_ITEM);
        item->a = parse_test(p);
        if (parse_accept(p, "as"))
            item->b = parse_test(p);
        list_add(&items, item);
    } while (parse_accept(p, ",") && !p->failed);
    node->a = items.first;
    node->b = suite(p);
    return node;
}

static void simple_line(struct parser *p, struct list_tail *out)
{
    do {
        if (parse_line_ends(p))
            break;
        list_add(out, parse_line(p));
    } while (!p->failed && parse_accept(p, ";"));
    if (!p->failed && !accept_kind(p, TOKEN_NEWLINE))
        parse_fail(p, "expected the end of the statement");
}

static struct py_node *compound(struct parser *p)
{
    if (parse_accept(p, "if"))
        return if_rest(p);
    if (parse_accept(p, "for"))
        return for_rest(p);
    if (parse_accept(p, "while"))
        return while_rest(p);
    if (parse_accept(p, "def"))
        return def_rest(p, NULL);
    if (parse_accept(p, "class"))
        return class_rest(p, NULL);
    if (parse_accept(p, "@"))
        return decorated(p);
    if (parse_accept(p, "try"))
        return try_rest(p);
    if (parse_accept(p, "with"))
        return with_rest(p);
    return NULL;
}

/* Behind the line that was not understood, and what is indented below it. */
static void skip_statement(struct parser *p, size_t from)
{
    int depth = 0;

    p->at = from;
    while (parse_peek(p)->kind != TOKEN_END) {
        enum py_token_kind kind = p->tokens[p->at].kind;
        if (depth == 0 && kind == TOKEN_DEDENT)
            return;
        p->at++;
        depth += kind == TOKEN_INDENT;
        depth -= kind == TOKEN_DEDENT;
        if (depth == 0 && (kind == TOKEN_DEDENT || kind == TOKEN_NEWLINE) &&
            parse_peek(p)->kind != TOKEN_INDENT)
            return;
    }
}

/* One statement; several of one line come as an IF that is always true. */
static struct py_node *statement(struct parser *p)
{
    size_t from = p->at;
    struct py_node *node = NULL;

    if (++p->depth < PY_MAX_NESTING) {
        node = compound(p);
        if (!node && !p->failed) {
            struct list_tail line = {NULL, NULL};
            simple_line(p, &line);
            node = line.first;
            if (node && node->next) {
                struct py_node *all = parse_node(p, PY_IF);
                all->a = parse_node(p, PY_TRUE);
                all->b = node;
                node = all;
            }
        }
    } else {
        parse_fail(p, "the source is nested too deeply");
    }
    p->depth--;
    if (!p->failed)
        return node ? node : parse_node(p, PY_PASS);
    skip_statement(p, from);
    p->failed = p->no_memory;
    node = parse_node(p, PY_BROKEN);
    node->line = p->tokens[from].line;
    char *why = arena_cstr(p->arena, str_from_cstr(p->err->msg));
    node->text = str_from_cstr(why ? why : "");
    return node;
}

static enum errc begin(struct parser *p, struct str text, struct arena *arena,
                       struct err *err)
{
    *p = (struct parser){.arena = arena, .err = err};
    return py_lex(text, arena, &p->tokens, &p->n, err);
}

enum errc py_parse(struct str text, struct arena *arena, struct py_node **out,
                   struct err *err)
{
    struct parser p;
    struct err why = {0};
    struct list_tail list = {NULL, NULL};
    enum errc rc = begin(&p, text, arena, &why);

    if (rc) {
        err_record(err, rc, "%s", why.msg);
        return rc;
    }
    while (parse_peek(&p)->kind != TOKEN_END && !p.no_memory) {
        if (accept_kind(&p, TOKEN_NEWLINE) || accept_kind(&p, TOKEN_INDENT) ||
            accept_kind(&p, TOKEN_DEDENT))
            continue;
        list_add(&list, statement(&p));
    }
    if (p.no_memory)
        return err_set(err, ERR_LIMIT, "the source is too long");
    *out = list.first;
    return ERR_OK;
}

enum errc py_parse_expression(struct str text, struct arena *arena,
                              struct py_node **out, struct err *err)
{
    struct parser p;
    struct err why = {0};
    enum errc rc = begin(&p, text, arena, &why);

    if (!rc) {
        *out = parse_tests(&p);
        if (!p.failed && parse_peek(&p)->kind != TOKEN_NEWLINE)
            parse_fail(&p, "expected the end of the expression");
        rc = p.no_memory ? ERR_LIMIT : p.failed ? ERR_INVALID : ERR_OK;
    }
    if (rc)
        err_record(err, rc, "%s", why.msg);
    return rc;
}
