#include "notify/matchers.h"

enum errc matchers_add(struct matchers *m, enum match_op op, struct str name,
                       struct str value, struct arena *a, struct err *err)
{
    struct matcher one;
    struct str n = {arena_cstr(a, name), name.n};
    struct str v = {arena_cstr(a, value), value.n};

    if (m->n == MATCHERS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d matchers", MATCHERS_MAX);
    if (!n.p || !v.p || !arena_grow(a, &m->v, m->n, &m->cap, sizeof(*m->v)))
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = matcher_init(&one, op, n, v, err);
    if (!rc)
        m->v[m->n++] = one;
    return rc;
}

void matchers_fini(struct matchers *m)
{
    for (size_t i = 0; i < m->n; i++)
        matcher_fini(&m->v[i]);
    m->n = 0;
}

bool matchers_match(const struct matchers *m, struct labels l)
{
    return matchers_test(m->v, m->n, l) == REGEX_YES;
}

/* What unescape() below takes out. */
static void put_quoted(struct buf *out, struct str s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            buf_putc(out, '\\');
        if (s.p[i] == '\n')
            buf_puts(out, "\\n");
        else
            buf_putc(out, s.p[i]);
    }
    buf_putc(out, '"');
}

void matchers_print(struct buf *out, const struct matchers *m)
{
    for (size_t i = 0; i < m->n; i++) {
        buf_puts(out, i ? "," : "");
        if (metric_name_is_plain(m->v[i].name))
            buf_put(out, m->v[i].name);
        else
            put_quoted(out, m->v[i].name);
        buf_puts(out, match_op_text(m->v[i].op));
        put_quoted(out, m->v[i].value);
    }
}

/* ---- reading ------------------------------------------------------------ */

struct parsing {
    struct matchers *m;
    struct arena *arena;
    struct err *err;
};

/* Where the text in quotes that begins s ends, or a comma outside of them. */
static size_t end_of_one(struct str s)
{
    bool quoted = false;
    size_t i = 0;

    for (; i < s.n && (quoted || s.p[i] != ','); i++) {
        if (s.p[i] == '"')
            quoted = !quoted;
        if (s.p[i] == '\\' && quoted)
            i++;
    }
    return i < s.n ? i : s.n;
}

/* Takes \" \\ \n out. False: a quote stands alone. */
static bool unescape(struct str s, struct arena *a, struct str *out)
{
    char *to = arena_alloc(a, s.n + 1, 1, 1);
    size_t n = 0;

    for (size_t i = 0; to && i < s.n; i++) {
        if (s.p[i] == '"')
            return false;
        if (s.p[i] == '\\' && i + 1 < s.n &&
            (s.p[i + 1] == '"' || s.p[i + 1] == '\\' || s.p[i + 1] == 'n'))
            to[n++] = s.p[++i] == 'n' ? '\n' : s.p[i];
        else
            to[n++] = s.p[i];
    }
    *out = (struct str){to, n};
    return to != NULL;
}

static enum errc bad(struct parsing *p, struct str s)
{
    return err_set(p->err, ERR_INVALID, "bad matcher format: " STR_FMT,
                   STR_ARG(s));
}

/* The operator at s.p[at]; its length, or 0. */
static size_t operator_at(struct str s, size_t at, enum match_op *op)
{
    char c = at < s.n ? s.p[at] : '\0', d = at + 1 < s.n ? s.p[at + 1] : '\0';

    *op = c == '=' ? (d == '~' ? MATCH_REGEX : MATCH_EQUAL)
                   : (d == '~' ? MATCH_NOT_REGEX : MATCH_NOT_EQUAL);
    if (c == '=')
        return d == '~' ? 2 : 1;
    return c == '!' && (d == '=' || d == '~') ? 2 : 0;
}

static enum errc parse_one(struct parsing *p, struct str s)
{
    struct str whole = s, name, value;
    enum match_op op;
    size_t i = 0, n;

    while (i < s.n && s.p[i] != '=' && s.p[i] != '!')
        i++;
    name = str_trim(str_slice(s, 0, i));
    if (name.n > 2 && name.p[0] == '"' && name.p[name.n - 1] == '"')
        name = str_slice(name, 1, name.n - 1);
    else if (!metric_name_is_plain(name))
        return bad(p, whole);
    n = operator_at(s, i, &op);
    if (!n)
        return bad(p, whole);
    value = str_trim(str_slice(s, i + n, s.n));
    if (value.n && value.p[0] == '"') {
        if (value.n < 2 || value.p[value.n - 1] != '"')
            return err_set(
                p->err, ERR_INVALID,
                "matcher value contains unescaped double quote: " STR_FMT,
                STR_ARG(value));
        value = str_slice(value, 1, value.n - 1);
    }
    if (!unescape(value, p->arena, &value))
        return err_set(
            p->err, ERR_INVALID,
            "matcher value contains unescaped double quote: " STR_FMT,
            STR_ARG(value));
    return matchers_add(p->m, op, name, value, p->arena, p->err);
}

enum errc matchers_parse(struct matchers *m, struct str text, struct arena *a,
                         struct err *err)
{
    struct parsing p = {m, a, err};
    struct str s = str_trim(text);
    enum errc rc = ERR_OK;

    if (s.n && s.p[0] == '{') {
        if (s.n < 2 || s.p[s.n - 1] != '}')
            return bad(&p, text);
        s = str_slice(s, 1, s.n - 1);
    }
    while (!rc && s.n) {
        size_t n = end_of_one(s);
        struct str one = str_trim(str_slice(s, 0, n));
        s = str_slice(s, n < s.n ? n + 1 : n, s.n);
        if (one.n)
            rc = parse_one(&p, one);
        else if (s.n)
            rc = bad(&p, text);
    }
    return rc;
}
