/* template_pipe.c - what stands between the braces: terms, commands, pipelines.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/template_parser.h"
#include "base/utf8.h"

static void place(const struct parser *p, size_t at, unsigned *line,
                  unsigned *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at && i < p->in.n; i++) {
        ++*column;
        if (p->in.p[i] == '\n') {
            ++*line;
            *column = 1;
        }
    }
}

enum errc parser_fail(struct parser *p, size_t at, enum errc code,
                      const char *fmt, ...)
{
    char text[300];
    unsigned line, column;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    place(p, at, &line, &column);
    err_record(p->err, code, "%u:%u: %s", line, column, text);
    return code;
}

enum errc parser_no_memory(struct parser *p)
{
    return parser_fail(p, p->at, ERR_NOMEM, "out of memory");
}

enum errc parser_end(struct parser *p)
{
    skip_spaces(p);
    if (!at_end(p))
        return p->at >= p->in.n
                   ? fail(p, p->at, "unclosed action")
                   : fail(p, p->at, "unexpected \"%c\" in an action",
                          look(p, 0));
    p->trims = look(p, 0) == '-';
    p->at += p->trims ? 3 : 2;
    return ERR_OK;
}

/* ---- terms -------------------------------------------------------------- */

static bool take_escape(struct parser *p, char *out, size_t *n)
{
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    char c = look(p, 1);
    const char *found = c ? strchr(from, c) : NULL;

    if (found) {
        out[(*n)++] = to[found - from];
        p->at += 2;
        return true;
    }
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    char hex[9] = "", *end;
    for (size_t i = 0; i < digits; i++)
        hex[i] = look(p, 2 + i);
    unsigned long v = strtoul(hex, &end, 16);
    if (!digits || end != hex + digits)
        return false;
    if (c == 'x')
        out[(*n)++] = (char)v;
    else
        *n += utf8_encode((uint32_t)v, out + *n);
    p->at += 2 + digits;
    return true;
}

static enum errc take_quoted(struct parser *p, struct str *out)
{
    size_t start = p->at, n = 0;
    char quote = look(p, 0);
    char *text = arena_alloc(p->arena, p->in.n - p->at + 8, 1, 1);

    if (!text)
        return parser_no_memory(p);
    p->at++;
    for (;;) {
        char c = look(p, 0);
        if (p->at >= p->in.n || (c == '\n' && quote == '"'))
            return fail(p, start, "unterminated quoted string");
        if (c == quote)
            break;
        if (c == '\\' && quote == '"') {
            if (!take_escape(p, text, &n))
                return fail(p, p->at, "an escape that does not exist");
        } else {
            text[n++] = c;
            p->at++;
        }
    }
    p->at++;
    *out = (struct str){text, n};
    return ERR_OK;
}

static enum errc take_number(struct parser *p, struct term *t)
{
    char text[64], *end;
    size_t n = 0, start = p->at;

    while (n + 1 < sizeof(text) &&
           (is_word(look(p, 0)) || look(p, 0) == '.' ||
            ((look(p, 0) == '-' || look(p, 0) == '+') &&
             (n == 0 || text[n - 1] == 'e' || text[n - 1] == 'E'))))
        text[n++] = p->in.p[p->at++];
    text[n] = '\0';
    t->kind = TERM_INT;
    t->i = strtoll(text, &end, 0);
    if (*end == '\0' && n)
        return ERR_OK;
    t->kind = TERM_FLOAT;
    t->f = strtod(text, &end);
    return *end || !n ? fail(p, start, "bad number \"%s\"", text) : ERR_OK;
}

static enum errc take_variable(struct parser *p, struct term *t)
{
    size_t start = p->at++;

    t->kind = TERM_VARIABLE;
    t->name = take_word(p);
    for (size_t i = p->n_variables; i-- > 0;)
        if (str_eq(p->variables[i], t->name))
            return ERR_OK;
    return fail(p, start, "undefined variable \"$" STR_FMT "\"",
                STR_ARG(t->name));
}

static enum errc take_name(struct parser *p, struct term *t)
{
    size_t start = p->at;
    struct str word = take_word(p);

    if (str_eq(word, STR("nil"))) {
        t->kind = TERM_NIL;
    } else if (str_eq(word, STR("true")) || str_eq(word, STR("false"))) {
        t->kind = TERM_BOOL;
        t->i = word.p[0] == 't';
    } else {
        t->kind = TERM_CALL;
        t->function = template_function(word);
        if (!t->function)
            return fail(p, start, "function \"" STR_FMT "\" not defined",
                        STR_ARG(word));
    }
    return ERR_OK;
}

static enum errc take_parentheses(struct parser *p, struct term *t)
{
    size_t start = p->at++;
    struct pipe *pipe;

    if (++p->depth > MAX_DEPTH)
        return fail(p, start, "too deep");
    enum errc rc = parser_pipe(p, false, &pipe);
    p->depth--;
    if (rc)
        return rc;
    if (look(p, 0) != ')')
        return fail(p, start, "unclosed left paren");
    p->at++;
    t->kind = TERM_PIPE;
    t->pipe = pipe;
    return ERR_OK;
}

/* Names that exist: of the data, and of a sample. Labels have any. */
static bool is_field(const struct parser *p, struct str name)
{
    for (size_t i = 0; p->fields[i]; i++)
        if (str_eq(name, str_from_cstr(p->fields[i])))
            return true;
    return false;
}

/* Is the term a method, which may have arguments? They are in the list of
 * names with () behind them. */
static bool is_method(const struct parser *p, const struct term *t)
{
    char name[80];

    if (t->kind == TERM_CALL || !t->n_fields)
        return false;
    (void)snprintf(name, sizeof(name), STR_FMT "()",
                   STR_ARG(t->fields[t->n_fields - 1]));
    return is_field(p, str_from_cstr(name));
}

static bool has_any_field(const struct term *t)
{
    return t->kind == TERM_VARIABLE || t->n_fields > 0 ||
           t->kind == TERM_PIPE || t->kind == TERM_CALL;
}

static enum errc take_fields(struct parser *p, struct term *t)
{
    size_t cap = 0;

    while (look(p, 0) == '.' && is_letter(look(p, 1))) {
        size_t start = p->at++;
        struct str name = take_word(p);
        if (!has_any_field(t) && p->depth == 0 && !is_field(p, name))
            return fail(p, start, "there is no field ." STR_FMT, STR_ARG(name));
        if (!arena_grow(p->arena, &t->fields, t->n_fields, &cap,
                        sizeof(*t->fields)))
            return parser_no_memory(p);
        t->fields[t->n_fields++] = name;
    }
    return ERR_OK;
}

static enum errc parse_term(struct parser *p, struct term *t)
{
    char c = look(p, 0), next = look(p, 1);
    enum errc rc = ERR_OK;

    *t = (struct term){.kind = TERM_DOT};
    place(p, p->at, &t->line, &t->column);
    if (c == '"' || c == '`') {
        t->kind = TERM_TEXT;
        rc = take_quoted(p, &t->name);
    } else if (c == '$') {
        rc = take_variable(p, t);
    } else if (c == '(') {
        rc = take_parentheses(p, t);
    } else if ((c >= '0' && c <= '9') || ((c == '-' || c == '+' || c == '.') &&
                                          next >= '0' && next <= '9')) {
        rc = take_number(p, t);
    } else if (c == '.') {
        if (!is_letter(next))
            p->at++;
    } else if (is_letter(c)) {
        rc = take_name(p, t);
    } else {
        return p->at >= p->in.n
                   ? fail(p, p->at, "unclosed action")
                   : fail(p, p->at, "unexpected \"%c\" in an operand", c);
    }
    return rc ? rc : take_fields(p, t);
}

/* ---- pipelines ---------------------------------------------------------- */

static bool at_stop(const struct parser *p)
{
    return p->at >= p->in.n || at_end(p) || look(p, 0) == '|' ||
           look(p, 0) == ')';
}

static enum errc check_command(struct parser *p, size_t start,
                               const struct command *c, bool piped)
{
    if (c->n == 0)
        return fail(p, start, "missing value for command");
    const struct term *t = &c->terms[0];
    size_t n = c->n - 1 + piped;
    if (t->kind != TERM_CALL)
        return n && !is_method(p, t)
                   ? fail(p, start,
                          "can't give an argument to what is no function")
                   : ERR_OK;
    if (n < t->function->min || n > t->function->max)
        return fail(p, start, "wrong number of args for %s: got %zu",
                    t->function->name, n);
    return ERR_OK;
}

static enum errc parse_command(struct parser *p, bool piped, struct command *c)
{
    size_t start = p->at;

    for (skip_spaces(p); !at_stop(p); skip_spaces(p)) {
        if (!arena_grow(p->arena, &c->terms, c->n, &c->cap, sizeof(*c->terms)))
            return parser_no_memory(p);
        enum errc rc = parse_term(p, &c->terms[c->n]);
        if (rc)
            return rc;
        const struct term *t = &c->terms[c->n++];
        if (c->n > 1 && t->kind == TERM_CALL && t->function->min > 0)
            return fail(p, start, "%s needs an argument: put it in parentheses",
                        t->function->name);
    }
    return check_command(p, start, c, piped);
}

static enum errc take_declaration(struct parser *p, struct pipe *pipe)
{
    size_t start = p->at, n = 0;

    for (;;) {
        skip_spaces(p);
        if (look(p, 0) != '$' || n == 2)
            break;
        p->at++;
        pipe->variable[n++] = take_word(p);
        skip_spaces(p);
        if (look(p, 0) == ',') {
            p->at++;
            continue;
        }
        bool declares = look(p, 0) == ':' && look(p, 1) == '=';
        if (!declares && look(p, 0) != '=')
            break;
        p->at += declares ? 2 : 1;
        pipe->assigns = !declares;
        if (n == 1)
            pipe->variable[1] = (struct str){NULL, 0};
        return ERR_OK;
    }
    p->at = start;
    pipe->variable[0] = pipe->variable[1] = (struct str){NULL, 0};
    return ERR_OK;
}

static enum errc declare(struct parser *p, const struct pipe *pipe)
{
    for (size_t i = 0; i < 2; i++) {
        if (!pipe->variable[i].p || pipe->assigns)
            continue;
        if (p->n_variables == MAX_VARIABLES)
            return fail(p, p->at, "too many variables");
        p->variables[p->n_variables++] = pipe->variable[i];
    }
    return ERR_OK;
}

enum errc parser_pipe(struct parser *p, bool declares, struct pipe **out)
{
    struct pipe *pipe = arena_new(p->arena, struct pipe, 1);
    struct command **link;
    enum errc rc = ERR_OK;

    if (!pipe)
        return parser_no_memory(p);
    link = &pipe->first;
    if (declares)
        rc = take_declaration(p, pipe);
    for (bool piped = false; !rc; piped = true) {
        struct command *c = arena_new(p->arena, struct command, 1);
        if (!c)
            return parser_no_memory(p);
        rc = parse_command(p, piped, c);
        *link = c;
        link = &c->next;
        if (rc || look(p, 0) != '|')
            break;
        p->at++;
    }
    if (!rc)
        rc = declare(p, pipe);
    *out = pipe;
    return rc;
}
