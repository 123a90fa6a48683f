#include "codec/pbtxt.h"

#include <string.h>

#include "base/compiler.h"
#include "codec/json.h"

void pbtxt_init(struct pbtxt *t, struct str text, struct arena *arena,
                struct err *err)
{
    *t = (struct pbtxt){.p = text.p,
                        .start = text.p,
                        .end = text.p + text.n,
                        .arena = arena,
                        .err = err};
}

static bool fail(struct pbtxt *t, const char *expected)
{
    size_t line, column;

    if (t->failed)
        return false;
    t->failed = true;
    json_position((struct str){t->start, (size_t)(t->end - t->start)}, t->p,
                  &line, &column);
    err_record(t->err, ERR_INVALID, "line %zu, column %zu: expected %s", line,
               column, expected);
    return false;
}

static char peek(struct pbtxt *t)
{
    while (t->p < t->end) {
        char c = *t->p;
        if (c == '#')
            while (t->p < t->end && *t->p != '\n')
                t->p++;
        else if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
            t->p++;
        else
            return c;
    }
    return '\0';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' ||
           c == '+';
}

static struct str word(struct pbtxt *t)
{
    const char *from = t->p;

    while (t->p < t->end && is_word(*t->p))
        t->p++;
    return (struct str){from, (size_t)(t->p - from)};
}

static char unescape(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* Adjacent strings are one, as in C. */
static bool quoted(struct pbtxt *t, struct str *out)
{
    size_t n = 0;
    char *copy = arena_bytes(t->arena, (size_t)(t->end - t->p) + 1);

    if (!copy)
        return fail(t, "a shorter string");
    while (peek(t) == '"' || peek(t) == '\'') {
        char quote = *t->p++;
        while (t->p < t->end && *t->p != quote && *t->p != '\n') {
            char c = *t->p++;
            if (c == '\\' && t->p < t->end)
                c = unescape(*t->p++);
            copy[n++] = c;
        }
        if (t->p >= t->end || *t->p != quote)
            return fail(t, "a closing quote");
        t->p++;
    }
    *out = (struct str){copy, n};
    return true;
}

static bool value(struct pbtxt *t, struct pbtxt_field *f)
{
    char c = peek(t);

    if (c == '{' || c == '<') {
        if (t->depth == PBTXT_MAX_DEPTH)
            return fail(t, "fewer nested messages");
        t->depth++;
        t->p++;
        f->message = true;
        return true;
    }
    if (c == '"' || c == '\'')
        return quoted(t, &f->scalar);
    f->scalar = word(t);
    return f->scalar.n ? true : fail(t, "a value");
}

/* The next element of the list the reader stands in, or false at its end. */
static bool element(struct pbtxt *t, struct pbtxt_field *f)
{
    char c = peek(t);

    if (c == ',') {
        t->p++;
        c = peek(t);
    }
    if (c == ']' || c == '\0') {
        t->p += c == ']';
        t->in_list = false;
        return c == ']' ? false : fail(t, "']'");
    }
    f->name = t->list_names[t->depth];
    return value(t, f);
}

/* What stands between two fields: separators, and the end of a list whose last
 * element was a message. True when another message of that list follows. */
static bool separators(struct pbtxt *t)
{
    for (;;) {
        char c = peek(t);
        if (c != ',' && c != ';' && c != ']')
            return false;
        t->p++;
        if (c == ',' && (peek(t) == '{' || peek(t) == '<'))
            return true;
    }
}

/* The end of the message or of the text. Always false, for the caller. */
static bool close_message(struct pbtxt *t, char c)
{
    if (c == '\0')
        return t->depth == 0 ? false : fail(t, "'}'");
    if (t->depth == 0)
        return fail(t, "a field");
    t->depth--;
    t->p++;
    return false;
}

bool pbtxt_next(struct pbtxt *t, struct pbtxt_field *f)
{
    *f = (struct pbtxt_field){0};
    while (!t->failed) {
        if (t->in_list) {
            if (!element(t, f))
                continue;
            /* A message in a list leaves list mode for its own fields;
             * separators() finds the ones after it. */
            if (f->message)
                t->in_list = false;
            return true;
        }
        if (separators(t)) {
            f->name = t->list_names[t->depth];
            return value(t, f);
        }
        char c = peek(t);
        if (c == '\0' || c == '}' || c == '>')
            return close_message(t, c);
        f->name = word(t);
        if (f->name.n == 0)
            return fail(t, "a field name");
        if (peek(t) == ':')
            t->p++;
        else if (peek(t) != '{' && peek(t) != '<' && peek(t) != '[')
            return fail(t, "':' or '{'");
        if (peek(t) != '[')
            return value(t, f);
        t->p++;
        t->in_list = true;
        t->list_names[t->depth] = f->name;
    }
    return false;
}

void pbtxt_skip(struct pbtxt *t)
{
    struct pbtxt_field f;
    int until = t->depth - 1;

    while (!t->failed && t->depth > until)
        if (!pbtxt_next(t, &f) && t->depth <= until)
            return;
}
