/* Strings: escapes, and the fields of f-strings. */
#include <string.h>

#include "import/python/parse_internal.h"

static int hex_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Removes the backslashes of text[0..n) in place; the new length. */
static size_t unescape(char *text, size_t n)
{
    static const char from[] = "ntrabfv0\\'\"", to[] = "\n\t\r\a\b\f\v\0\\'\"";
    size_t out = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] != '\\' || i + 1 == n) {
            text[out++] = text[i];
            continue;
        }
        char c = text[++i];
        const char *known = c ? strchr(from, c) : NULL;
        if (c == '\n')
            continue;
        if (known) {
            text[out++] = to[known - from];
        } else if (c == 'x' && i + 2 < n && hex_of(text[i + 1]) >= 0 &&
                   hex_of(text[i + 2]) >= 0) {
            text[out++] =
                (char)(hex_of(text[i + 1]) * 16 + hex_of(text[i + 2]));
            i += 2;
        } else {
            text[out++] = '\\';
            text[out++] = c;
        }
    }
    return out;
}

static struct py_node *literal(struct parser *p, struct str s)
{
    struct py_node *node = parse_node(p, PY_STRING);

    node->text = s;
    return node;
}

/* The expression of a replacement field, before '!', ':' or '}'. */
static struct py_node *field(struct parser *p, struct str s)
{
    struct py_node *node = parse_node(p, PY_FIELD);
    struct err why = {0};
    size_t end = 0;
    int depth = 0;

    for (; end < s.n; end++) {
        char c = s.p[end];
        depth += c == '(' || c == '[' || c == '{';
        depth -= c == ')' || c == ']' || c == '}';
        if (depth == 0 &&
            (c == ':' || (c == '!' && end + 1 < s.n && s.p[end + 1] != '=')))
            break;
    }
    struct str expression = str_trim(str_slice(s, 0, end));
    if (expression.n && expression.p[expression.n - 1] == '=')
        expression.n--;
    if (p->depth > PY_MAX_NESTING / 2 ||
        py_parse_expression(expression, p->arena, &node->a, &why))
        parse_fail(p, "a field of an f-string is not understood");
    if (end < s.n && s.p[end] == '!' && end + 1 < s.n) {
        node->op = s.p[end + 1];
        end += 2;
    }
    if (end < s.n && s.p[end] == ':')
        node->text = str_slice(s, end + 1, s.n);
    return node;
}

static void fstring(struct parser *p, struct str s, struct list_tail *out)
{
    size_t from = 0;

    for (size_t i = 0; i <= s.n && !p->failed; i++) {
        bool twice = i + 1 < s.n && s.p[i + 1] == s.p[i];
        char c = i < s.n ? s.p[i] : '\0';
        if (i < s.n && c != '{' && (c != '}' || !twice))
            continue;
        if (i > from)
            list_add(out, literal(p, str_slice(s, from, i)));
        from = i;
        if (i == s.n)
            break;
        if (twice) {
            from = ++i;
            continue;
        }
        size_t end = i;
        for (int depth = 0; end < s.n; end++) {
            depth += s.p[end] == '{';
            depth -= s.p[end] == '}';
            if (depth == 0)
                break;
        }
        if (end >= s.n) {
            parse_fail(p, "a field of an f-string has no end");
            return;
        }
        list_add(out, field(p, str_slice(s, i + 1, end)));
        from = end + 1;
        i = end;
    }
}

struct py_node *parse_strings(struct parser *p)
{
    struct list_tail parts = {NULL, NULL};

    while (parse_peek(p)->kind == TOKEN_STRING && !p->failed) {
        struct str s = parse_peek(p)->text;
        bool raw = false, formatted = false;
        p->at++;
        for (; s.n && *s.p != '"' && *s.p != '\''; s = str_slice(s, 1, s.n)) {
            raw = raw || *s.p == 'r' || *s.p == 'R';
            formatted = formatted || *s.p == 'f' || *s.p == 'F';
        }
        size_t quotes =
            s.n >= 6 && s.p[0] == s.p[1] && s.p[1] == s.p[2] ? 3 : 1;
        s = str_slice(s, quotes, s.n - quotes);
        char *copy = arena_cstr(p->arena, s);
        if (!copy) {
            p->no_memory = p->failed = true;
            break;
        }
        s = (struct str){copy, raw ? s.n : unescape(copy, s.n)};
        if (formatted)
            fstring(p, s, &parts);
        else
            list_add(&parts, literal(p, s));
    }
    if (parts.first && !parts.first->next && parts.first->kind == PY_STRING)
        return parts.first;
    struct py_node *node = parse_node(p, PY_FSTRING);
    node->a = parts.first;
    return node;
}
