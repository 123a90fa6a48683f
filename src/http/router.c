#include "http/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "codec/percent.h"

enum kind { WORD, PARAM, REST };

struct pattern {
    size_t n;
    struct {
        struct str text;
        enum kind kind;
    } segments[ROUTER_MAX_SEGMENTS];
};

struct router {
    const struct http_route *table;
    size_t n;
    struct pattern patterns[];
};

unsigned http_method_parse(struct str name)
{
    static const struct {
        struct str name;
        unsigned method;
    } table[] = {
        {STR_INIT("POST"), HTTP_POST},     {STR_INIT("GET"), HTTP_GET},
        {STR_INIT("HEAD"), HTTP_HEAD},     {STR_INIT("OPTIONS"), HTTP_OPTIONS},
        {STR_INIT("DELETE"), HTTP_DELETE},
    };

    for (size_t i = 0; i < COUNT(table); i++)
        if (str_eq(name, table[i].name))
            return table[i].method;
    return HTTP_OTHER;
}

static void compile(const char *text, struct pattern *p)
{
    struct str rest = str_from_cstr(text + 1);

    p->n = 0;
    while (rest.p && p->n < ROUTER_MAX_SEGMENTS && (rest.n || p->n)) {
        struct str s = str_cut(&rest, '/');
        enum kind kind = str_eq(s, STR("{*}"))  ? REST
                         : s.n && s.p[0] == '{' ? PARAM
                                                : WORD;
        p->segments[p->n].text = s;
        p->segments[p->n++].kind = kind;
    }
}

struct router *router_new(const struct http_route *table, size_t n)
{
    struct router *r = calloc(1, sizeof(*r) + n * sizeof(r->patterns[0]));

    if (!r)
        return NULL;
    r->table = table;
    r->n = n;
    for (size_t i = 0; i < n; i++)
        compile(table[i].pattern, &r->patterns[i]);
    return r;
}

void router_free(struct router *r)
{
    free(r);
}

struct segments {
    struct str raw[ROUTER_MAX_SEGMENTS]; /* from here to the path's end */
    struct str decoded[ROUTER_MAX_SEGMENTS];
    size_t n;
};

/* 0 or a status. */
static int split(struct str path, struct arena *arena, struct segments *s)
{
    struct str rest = path;

    s->n = 0;
    if (path.n == 0 || path.p[0] != '/')
        return 400;
    rest = str_slice(path, 1, path.n);
    while (rest.p && rest.n) {
        if (s->n == ROUTER_MAX_SEGMENTS)
            return 404;
        s->raw[s->n] = rest;
        struct str one = str_cut(&rest, '/');
        struct str *d = &s->decoded[s->n];
        if (!percent_decode(one, arena, d))
            return 400;
        if (d->n == 0 || str_eq(*d, STR(".")) || str_eq(*d, STR("..")))
            return 400;
        s->n++;
    }
    return 0;
}

static bool fits(const struct pattern *p, const struct segments *s,
                 struct str *params)
{
    size_t k = 0;

    for (size_t i = 0; i < p->n; i++) {
        if (p->segments[i].kind == REST) {
            params[k] = i < s->n ? s->raw[i] : STR("");
            return true;
        }
        if (i >= s->n)
            return false;
        if (p->segments[i].kind == PARAM)
            params[k++] = s->decoded[i];
        else if (!str_eq(p->segments[i].text, s->decoded[i]))
            return false;
    }
    return p->n == s->n;
}

int router_match(const struct router *r, unsigned method, struct str path,
                 struct arena *arena, struct http_match *out)
{
    struct segments s;
    int status = split(path, arena, &s);

    *out = (struct http_match){0};
    if (status)
        return status;
    for (size_t i = 0; i < r->n; i++) {
        struct str params[ROUTER_MAX_PARAMS] = {{NULL, 0}};
        if (!fits(&r->patterns[i], &s, params))
            continue;
        unsigned methods = r->table[i].methods;
        if (methods & HTTP_GET)
            methods |= HTTP_HEAD;
        out->allowed |= methods | HTTP_OPTIONS;
        if (!out->route || (methods & method)) {
            out->route = &r->table[i];
            out->index = i;
            memcpy(out->params, params, sizeof(params));
        }
        if (methods & method) {
            out->method_known = true;
            return 0;
        }
    }
    return 0;
}
