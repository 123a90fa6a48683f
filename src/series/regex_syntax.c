/* regex_syntax.c - one pass over the pattern, no recursion.
 *
 * Every construct of RE2 is recognised here and written in PCRE2's words; what
 * is not recognised is refused. So nothing of PCRE2 that RE2 does not have can
 * come through. Syntax: https://github.com/google/re2/wiki/Syntax; the words
 * of the errors are Go's (regexp/syntax), because that is what a person who
 * looks one up will find.
 */
#include "series/regex_syntax.h"

#include <string.h>

#include "base/utf8.h"
#include "series/regex_internal.h"

enum { REPEAT_MAX = 1000, GROUPS_MAX = 1000 };

enum errc scan_wrong(struct scan *s, const char *what, struct str text)
{
    return err_set(s->err, ERR_INVALID,
                   "error parsing regexp: %s: `" STR_FMT "`", what,
                   STR_ARG(text));
}

/* The pattern as Prometheus wraps it, which is what its errors quote. */
enum errc scan_wrong_whole(struct scan *s, const char *what)
{
    return err_set(s->err, ERR_INVALID,
                   "error parsing regexp: %s: `^(?s:" STR_FMT ")$`", what,
                   STR_ARG(s->in));
}

/* ---- groups and repetition ---------------------------------------------- */

/* (?P<name> and (?<name> */
static enum errc read_group_name(struct scan *s, size_t start, size_t skip)
{
    s->at += skip;
    size_t name = s->at;
    while (scan_more(s) && scan_look(s, 0) != '>')
        s->at++;
    struct str text = scan_from(s, name);
    bool ok =
        scan_more(s) && text.n > 0 && text.n <= 32 && !scan_is_digit(text.p[0]);
    for (size_t i = 0; ok && i < text.n; i++)
        ok = scan_is_digit(text.p[i]) || text.p[i] == '_' ||
             (text.p[i] >= 'a' && text.p[i] <= 'z') ||
             (text.p[i] >= 'A' && text.p[i] <= 'Z');
    s->at += scan_more(s);
    if (!ok)
        return scan_wrong(s, "invalid named capture", scan_from(s, start));
    buf_printf(s->out, "(?P<" STR_FMT ">", STR_ARG(text));
    return ERR_OK;
}

/* (?i) to the end of the group, (?i:...) for what is inside. */
static enum errc read_flags(struct scan *s, size_t start)
{
    bool minus = false, any = false;

    for (s->at += 2; scan_more(s); s->at++) {
        char c = scan_look(s, 0);
        if (c == ')' || c == ':')
            break;
        if (c == '-' && !minus)
            minus = true;
        else if (c != '\0' && strchr("imsU", c))
            any = true;
        else
            break;
    }
    char end = scan_look(s, 0);
    s->at += scan_more(s);
    bool empty = scan_from(s, start).n == 3;
    if ((end != ')' && end != ':') || (minus && !any) || (empty && end == ')'))
        return end == '\0'
                   ? scan_wrong(s, "missing argument to repetition operator",
                                STR("?"))
                   : scan_wrong(s, "invalid or unsupported Perl syntax",
                                scan_from(s, start));
    buf_put(s->out, scan_from(s, start));
    s->open += end == ':';
    return ERR_OK;
}

static enum errc read_group(struct scan *s)
{
    size_t start = s->at;
    enum errc rc;

    s->repeatable = false;
    if (s->open >= GROUPS_MAX)
        return scan_wrong_whole(s, "expression nests too deeply");
    if (scan_look(s, 1) != '?') {
        s->at++;
        s->open++;
        buf_putc(s->out, '(');
        return ERR_OK;
    }
    if (scan_look(s, 2) == 'P' && scan_look(s, 3) == '<')
        rc = read_group_name(s, start, 4);
    else if (scan_look(s, 2) == '<' && scan_look(s, 3) != '=' &&
             scan_look(s, 3) != '!')
        rc = read_group_name(s, start, 3);
    else
        return read_flags(s, start);
    s->open += !rc;
    return rc;
}

static bool read_count(struct scan *s, int *out)
{
    size_t start = s->at;

    *out = 0;
    for (; scan_is_digit(scan_look(s, 0)); s->at++)
        if (*out <= REPEAT_MAX)
            *out = *out * 10 + (scan_look(s, 0) - '0');
    return s->at > start;
}

/* {n}, {n,} or {n,m}; anything else is an ordinary brace. */
static bool read_braces(struct scan *s, int *low, int *high)
{
    size_t start = s->at++;
    bool ok = read_count(s, low);

    *high = *low;
    if (ok && scan_look(s, 0) == ',') {
        s->at++;
        if (!read_count(s, high))
            *high = -1;
    }
    if (ok && scan_look(s, 0) == '}') {
        s->at++;
        return true;
    }
    s->at = start;
    return false;
}

static enum errc read_repeat(struct scan *s)
{
    size_t start = s->at;
    int low = 0, high = 0;

    if (scan_look(s, 0) != '{') {
        s->at++;
    } else if (!read_braces(s, &low, &high)) {
        scan_put_code(s, '{');
        s->at++;
        s->repeatable = true;
        return ERR_OK;
    }
    if (low > REPEAT_MAX || high > REPEAT_MAX || (high >= 0 && high < low))
        return scan_wrong(s, "invalid repeat count", scan_from(s, start));
    if (!s->repeatable)
        return scan_wrong(s, "missing argument to repetition operator",
                          scan_from(s, start));
    if (s->repeated)
        return scan_wrong(s, "invalid nested repetition operator",
                          scan_from(s, s->repeat));
    if (scan_look(s, 0) == '?')
        s->at++;
    buf_put(s->out, scan_from(s, start));
    s->repeat = start;
    return ERR_OK;
}

/* ---- the whole ---------------------------------------------------------- */

static enum errc read_plain(struct scan *s)
{
    size_t n = utf8_length(str_slice(s->in, s->at, s->in.n));

    buf_put(s->out, str_slice(s->in, s->at, s->at + n));
    s->at += n;
    s->repeatable = true;
    return ERR_OK;
}

static enum errc read_one(struct scan *s)
{
    char c = scan_look(s, 0);
    bool repeats = c == '*' || c == '+' || c == '?' || c == '{';
    enum errc rc;

    if (repeats) {
        size_t was = s->out->n;
        rc = read_repeat(s);
        s->repeated = !rc && was < s->out->n && s->repeat < s->at &&
                      s->in.p[s->at - 1] != '{';
        return rc;
    }
    s->repeated = false;
    switch (c) {
    case '\\':
        return scan_escape(s);
    case '[':
        return scan_class(s);
    case '(':
        return read_group(s);
    case ')':
        if (s->open == 0)
            return scan_wrong_whole(s, "unexpected )");
        s->open--;
        return read_plain(s);
    case '|':
        rc = read_plain(s);
        s->repeatable = false;
        return rc;
    case '}':
    case ']':
    case '#':
    case ' ':
        scan_put_code(s, (unsigned char)c);
        s->at++;
        s->repeatable = true;
        return ERR_OK;
    default:
        return read_plain(s);
    }
}

enum errc regex_translate(struct str pattern, struct buf *out, struct err *err)
{
    struct scan s = {.in = pattern, .out = out, .err = err};

    if (!utf8_valid(pattern))
        return scan_wrong(&s, "invalid UTF-8", STR(""));
    while (scan_more(&s)) {
        enum errc rc = read_one(&s);
        if (rc)
            return rc;
    }
    if (s.open)
        return scan_wrong_whole(&s, "missing closing )");
    return out->failed
               ? err_set(err, ERR_LIMIT, "the regular expression is too long")
               : ERR_OK;
}
