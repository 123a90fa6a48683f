#include "compat/marker.h"

#include <string.h>

#include "base/compiler.h"
#include "compat/release.h"

enum { DEPTH_MAX = 16 };

struct reader {
    struct str rest;
    struct str python;
    bool wrong;
    int depth;
};

struct value {
    struct str text;
    bool is_version; /* python_version and its like */
    bool unknown;
};

static void skip_blanks(struct reader *r)
{
    while (r->rest.n && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t'))
        r->rest = str_slice(r->rest, 1, r->rest.n);
}

static bool take(struct reader *r, const char *token)
{
    struct str t = str_from_cstr(token);

    skip_blanks(r);
    if (!str_starts(r->rest, t))
        return false;
    r->rest = str_slice(r->rest, t.n, r->rest.n);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_' || c == '.';
}

/* and, or, in, not: whole words. */
static bool take_keyword(struct reader *r, const char *word)
{
    struct reader at = *r;

    if (!take(&at, word) || (at.rest.n && is_letter(at.rest.p[0])))
        return false;
    *r = at;
    return true;
}

static struct str take_word(struct reader *r)
{
    size_t n = 0;

    skip_blanks(r);
    while (n < r->rest.n && is_letter(r->rest.p[n]))
        n++;
    struct str word = str_slice(r->rest, 0, n);
    r->rest = str_slice(r->rest, n, r->rest.n);
    return word;
}

/* A quoted text, or a variable of the environment. */
static struct value take_value(struct reader *r)
{
    static const struct {
        const char *name, *text;
    } fixed[] = {
        {"sys_platform", "linux"},
        {"sys.platform", "linux"},
        {"platform_system", "Linux"},
        {"os_name", "posix"},
        {"os.name", "posix"},
        {"platform_machine", "x86_64"},
        {"platform.machine", "x86_64"},
        {"implementation_name", "cpython"},
        {"platform_python_implementation", "CPython"},
        {"python_implementation", "CPython"},
        {"extra", ""},
    };
    struct value v = {.text = STR("")};

    skip_blanks(r);
    char quote = r->rest.n ? r->rest.p[0] : 0;
    if (quote == '\'' || quote == '"') {
        r->rest = str_slice(r->rest, 1, r->rest.n);
        r->wrong = r->wrong || !memchr(r->rest.p, quote, r->rest.n);
        v.text = str_cut(&r->rest, quote);
        return v;
    }
    struct str word = take_word(r);
    r->wrong = r->wrong || !word.n;
    for (size_t i = 0; i < COUNT(fixed); i++)
        if (str_eq(word, str_from_cstr(fixed[i].name))) {
            v.text = str_from_cstr(fixed[i].text);
            return v;
        }
    if (str_starts(word, STR("python_")) ||
        str_eq(word, STR("implementation_version"))) {
        v.is_version = true;
        v.text = r->python;
    }
    v.unknown = !v.text.n;
    return v;
}

static bool holds(struct str whole, struct str part)
{
    return !part.n || (whole.n && memmem(whole.p, whole.n, part.p, part.n));
}

static enum marker answer(bool yes)
{
    return yes ? MARKER_YES : MARKER_NO;
}

/* "3.8" <= python_version is python_version >= "3.8". */
static const char *turned(const char *op)
{
    static const char *const pairs[][2] = {
        {"<", ">"}, {">", "<"}, {"<=", ">="}, {">=", "<="}};

    for (size_t i = 0; i < COUNT(pairs); i++)
        if (strcmp(op, pairs[i][0]) == 0)
            return pairs[i][1];
    return op;
}

static enum marker comparison(struct reader *r)
{
    struct value a = take_value(r);

    skip_blanks(r);
    const char *op = release_take_operator(&r->rest);
    bool is_not = !op && take_keyword(r, "not");
    r->wrong = r->wrong || (!op && !take_keyword(r, "in"));
    struct value b = take_value(r);
    if (r->wrong)
        return MARKER_WRONG;
    if (a.unknown || b.unknown)
        return MARKER_OPEN;
    if (!op)
        return answer(holds(b.text, a.text) != is_not);
    if (a.is_version)
        return answer(release_meets(a.text, op, b.text));
    if (b.is_version)
        return answer(release_meets(b.text, turned(op), a.text));
    return answer(str_eq(a.text, b.text) == (op[0] != '!'));
}

static enum marker either(struct reader *r);

static enum marker one(struct reader *r)
{
    if (!take(r, "("))
        return comparison(r);
    if (++r->depth > DEPTH_MAX) {
        r->wrong = true;
        return MARKER_WRONG;
    }
    enum marker inside = either(r);
    r->depth--;
    r->wrong = r->wrong || !take(r, ")");
    return inside;
}

static enum marker both(struct reader *r)
{
    enum marker all = one(r);

    while (!r->wrong && take_keyword(r, "and")) {
        enum marker next = one(r);
        all = all == MARKER_NO || next == MARKER_NO ? MARKER_NO
              : next == MARKER_OPEN                 ? next
                                                    : all;
    }
    return all;
}

static enum marker either(struct reader *r)
{
    enum marker any = both(r);

    while (!r->wrong && take_keyword(r, "or")) {
        enum marker next = both(r);
        any = any == MARKER_YES || next == MARKER_YES ? MARKER_YES
              : next == MARKER_OPEN                   ? next
                                                      : any;
    }
    return any;
}

enum marker marker_of(struct str marker, struct str python)
{
    struct reader r = {.rest = marker, .python = python};
    enum marker m = either(&r);

    skip_blanks(&r);
    return r.wrong || r.rest.n ? MARKER_WRONG : m;
}
