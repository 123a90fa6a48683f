/* template_parse.c - text to tree: the pieces, and what they contain. */
#include <string.h>

#include "alert/template_parser.h"

enum ending { END_OF_TEXT, END_WORD, END_ELSE };

static enum errc parse_list(struct parser *p, struct piece **out,
                            enum ending *ending);

static bool take_keyword(struct parser *p, const char *word)
{
    size_t n = strlen(word);

    if (p->in.n - p->at < n || memcmp(p->in.p + p->at, word, n) != 0 ||
        is_word(look(p, n)))
        return false;
    p->at += n;
    return true;
}

/* if, range, with: behind the word. */
static enum errc parse_block(struct parser *p, struct piece *piece,
                             size_t start)
{
    size_t before = p->n_variables;
    enum ending ending;
    struct pipe *pipe;

    if (++p->depth > MAX_DEPTH)
        return fail(p, start, "too deep");
    enum errc rc = parser_pipe(p, true, &pipe);
    piece->pipe = pipe;
    if (!rc)
        rc = parser_end(p);
    if (!rc)
        rc = parse_list(p, &piece->body, &ending);
    if (!rc && ending == END_ELSE) {
        skip_spaces(p);
        if (take_keyword(p, "if") || take_keyword(p, "with")) {
            struct piece *inner = arena_new(p->arena, struct piece, 1);
            if (!inner)
                return parser_no_memory(p);
            inner->kind = p->in.p[p->at - 1] == 'f' ? PIECE_IF : PIECE_WITH;
            piece->otherwise = inner;
            rc = parse_block(p, inner, start);
            ending = END_WORD;
        } else {
            rc = parser_end(p);
            if (!rc)
                rc = parse_list(p, &piece->otherwise, &ending);
        }
    }
    if (!rc && ending != END_WORD)
        rc = fail(p, start,
                  ending == END_ELSE ? "a second else" : "no {{end}} for this");
    p->n_variables = before;
    p->depth--;
    return rc;
}

static enum errc refuse_words(struct parser *p)
{
    static const char *const words[] = {"block", "break", "continue"};

    for (size_t i = 0; i < COUNT(words); i++) {
        size_t start = p->at;
        if (take_keyword(p, words[i]))
            return fail(p, start, "{{%s}} is not supported", words[i]);
    }
    return ERR_OK;
}

/* The name behind define and template. */
static enum errc take_name(struct parser *p, struct str *out)
{
    char quote;

    skip_spaces(p);
    quote = look(p, 0);
    size_t start = ++p->at;
    while (p->at < p->in.n && look(p, 0) != quote && look(p, 0) != '\n')
        p->at++;
    *out = str_slice(p->in, start, p->at);
    if ((quote != '"' && quote != '`') || look(p, 0) != quote)
        return fail(p, start - 1, "the name of a template, in quotes, is due");
    p->at++;
    return ERR_OK;
}

static enum errc parse_call(struct parser *p, struct piece *piece)
{
    struct pipe *pipe;
    enum errc rc = take_name(p, &piece->text);

    piece->kind = PIECE_CALL;
    skip_spaces(p);
    if (!rc && !at_end(p)) {
        rc = parser_pipe(p, false, &pipe);
        piece->pipe = rc ? NULL : pipe;
    }
    return rc ? rc : parser_end(p);
}

static enum errc parse_define(struct parser *p, size_t start)
{
    struct template_named *t = arena_new(p->arena, struct template_named, 1);
    size_t before = p->n_variables;
    enum ending ending;

    if (!t)
        return parser_no_memory(p);
    if (!p->set || p->depth)
        return fail(p, start,
                    p->set ? "{{define}} must not be within another"
                           : "{{define}} is not supported here");
    enum errc rc = take_name(p, &t->name);
    if (!rc)
        rc = parser_end(p);
    p->n_variables = p->n_known;
    p->depth++;
    if (!rc)
        rc = parse_list(p, &t->body.first, &ending);
    p->depth--;
    p->n_variables = before;
    if (!rc && ending != END_WORD)
        rc = fail(p, start, "no {{end}} for this");
    t->next = p->set->first;
    if (!rc)
        p->set->first = t;
    return rc;
}

/* What stands behind {{ and is not the end of a list. */
static enum errc parse_action(struct parser *p, struct piece *piece,
                              size_t start)
{
    static const struct {
        const char *word;
        enum piece_kind kind;
    } blocks[] = {
        {"if", PIECE_IF}, {"range", PIECE_RANGE}, {"with", PIECE_WITH}};
    struct pipe *pipe;
    enum errc rc = refuse_words(p);

    for (size_t i = 0; !rc && i < COUNT(blocks); i++) {
        if (!take_keyword(p, blocks[i].word))
            continue;
        piece->kind = blocks[i].kind;
        return parse_block(p, piece, start);
    }
    if (!rc && take_keyword(p, "define"))
        return parse_define(p, start);
    if (!rc && p->set && take_keyword(p, "template"))
        return parse_call(p, piece);
    piece->kind = PIECE_PIPE;
    if (!rc)
        rc = parser_pipe(p, true, &pipe);
    if (!rc) {
        piece->pipe = pipe;
        rc = parser_end(p);
    }
    return rc;
}

/* The text up to the next action. */
static struct str take_text(struct parser *p)
{
    size_t start = p->at;

    while (p->trims && is_space(look(p, 0)))
        start = ++p->at;
    p->trims = false;
    while (p->at < p->in.n && !(look(p, 0) == '{' && look(p, 1) == '{'))
        p->at++;
    struct str text = str_slice(p->in, start, p->at);
    if (look(p, 2) == '-' && is_space(look(p, 3)))
        while (text.n && is_space(text.p[text.n - 1]))
            text.n--;
    return text;
}

static enum errc skip_comment(struct parser *p, size_t start)
{
    while (p->at < p->in.n && !(look(p, 0) == '*' && look(p, 1) == '/'))
        p->at++;
    if (p->at >= p->in.n)
        return fail(p, start, "unclosed comment");
    p->at += 2;
    return parser_end(p);
}

static enum errc add_piece(struct parser *p, struct piece ***link,
                           struct piece **out)
{
    struct piece *piece = arena_new(p->arena, struct piece, 1);

    if (!piece)
        return parser_no_memory(p);
    **link = piece;
    *link = &piece->next;
    *out = piece;
    return ERR_OK;
}

static bool take_ending(struct parser *p, enum ending *ending)
{
    *ending = take_keyword(p, "end")    ? END_WORD
              : take_keyword(p, "else") ? END_ELSE
                                        : END_OF_TEXT;
    return *ending != END_OF_TEXT;
}

static enum errc parse_list(struct parser *p, struct piece **out,
                            enum ending *ending)
{
    struct piece **link = out;
    struct piece *piece;
    enum errc rc = ERR_OK;

    for (*ending = END_OF_TEXT; !rc;) {
        struct str text = take_text(p);
        if (text.n) {
            rc = add_piece(p, &link, &piece);
            if (rc)
                break;
            piece->kind = PIECE_TEXT;
            piece->text = text;
        }
        if (p->at >= p->in.n)
            break;
        size_t start = p->at;
        p->at += look(p, 2) == '-' && is_space(look(p, 3)) ? 3 : 2;
        skip_spaces(p);
        if (look(p, 0) == '/' && look(p, 1) == '*') {
            rc = skip_comment(p, start);
            continue;
        }
        if (take_ending(p, ending))
            return *ending == END_WORD ? parser_end(p) : ERR_OK;
        rc = add_piece(p, &link, &piece);
        if (!rc)
            rc = parse_action(p, piece, start);
    }
    return rc;
}

static enum errc parse(struct parser *p, struct str text,
                       const struct template **out)
{
    char *copy = arena_cstr(p->arena, text);
    struct template *t = arena_new(p->arena, struct template, 1);
    enum ending ending;

    p->in = (struct str){copy, text.n};
    p->n_known = p->n_variables;
    if (!copy || !t)
        return parser_no_memory(p);
    if (text.n > TEMPLATE_MAX_BYTES)
        return err_set(p->err, ERR_LIMIT, "1:1: a template of %zu bytes",
                       text.n);
    enum errc rc = parse_list(p, &t->first, &ending);
    if (!rc && ending != END_OF_TEXT)
        rc = fail(p, p->at, "unexpected {{%s}}",
                  ending == END_WORD ? "end" : "else");
    if (!rc)
        *out = t;
    return rc;
}

enum errc template_parse(struct str text, struct arena *a,
                         const struct template **out, struct err *err)
{
    static const char *const known[] = {"", "labels", "value", "externalLabels",
                                        "externalURL"};
    static const char *const fields[] = {"Labels", "Value", "ExternalLabels",
                                         "ExternalURL", NULL};
    struct parser p = {.arena = a, .err = err, .fields = fields};

    for (size_t i = 0; i < COUNT(known); i++)
        p.variables[p.n_variables++] = str_from_cstr(known[i]);
    return parse(&p, text, out);
}

enum errc template_parse_about(struct str text, const char *const *fields,
                               struct template_set *set, struct arena *a,
                               const struct template **out, struct err *err)
{
    struct parser p = {.arena = a, .err = err, .fields = fields, .set = set};

    p.variables[p.n_variables++] = STR("");
    return parse(&p, text, out);
}

/* ---- calls -------------------------------------------------------------- */

const struct template_named *template_find(const struct template_set *set,
                                           struct str name)
{
    const struct template_named *t = set ? set->first : NULL;

    while (t && !str_eq(t->name, name))
        t = t->next;
    return t;
}

static enum errc check_list(const struct piece *first,
                            const struct template_set *set, struct err *err)
{
    enum errc rc = ERR_OK;

    for (const struct piece *p = first; p && !rc; p = p->next) {
        if (p->kind == PIECE_CALL && !template_find(set, p->text))
            rc = err_set(err, ERR_INVALID,
                         "template \"" STR_FMT "\" not defined",
                         STR_ARG(p->text));
        if (!rc)
            rc = check_list(p->body, set, err);
        if (!rc)
            rc = check_list(p->otherwise, set, err);
    }
    return rc;
}

enum errc template_check_calls(const struct template *t,
                               const struct template_set *set, struct err *err)
{
    enum errc rc = check_list(t->first, set, err);

    for (const struct template_named *n = set->first; n && !rc; n = n->next)
        rc = check_list(n->body.first, set, err);
    return rc;
}
