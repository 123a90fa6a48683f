#include "codec/yaml.h"

#include <string.h>
#include <yaml.h>

#define NULL_WORDS                      \
    {                                   \
        "", "~", "null", "Null", "NULL" \
    }

struct anchor {
    struct anchor *next;
    struct str name;
    const struct yaml *node;
};

/* A list or map that is being read. */
struct open {
    struct yaml *node, *last; /* its last child */
    bool has_key;
    struct str key;
    yaml_mark_t key_mark;
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct open stack[YAML_MAX_DEPTH];
    size_t depth, nodes;
    struct anchor *anchors;
    struct yaml *root;
    struct err *err;
};

static enum errc wrong(struct reader *r, yaml_mark_t at, const char *what)
{
    return err_set(r->err, ERR_INVALID, "%zu:%zu: %s", at.line + 1,
                   at.column + 1, what);
}

static enum errc no_memory(struct reader *r)
{
    return err_set(r->err, ERR_NOMEM, "out of memory");
}

static bool copy(struct reader *r, const void *p, size_t n, struct str *out)
{
    const char *c = arena_cstr(r->arena, (struct str){p, n});

    *out = (struct str){c, n};
    return c != NULL;
}

static struct yaml *new_node(struct reader *r, enum yaml_kind kind,
                             yaml_mark_t at)
{
    if (r->nodes++ >= YAML_MAX_NODES)
        return NULL;
    struct yaml *n = arena_new(r->arena, struct yaml, 1);
    if (n)
        *n = (struct yaml){.kind = kind,
                           .line = (unsigned)at.line + 1,
                           .column = (unsigned)at.column + 1,
                           .text = STR("")};
    return n;
}

/* ---- putting the tree together ------------------------------------------ */

static enum errc take_key(struct reader *r, struct open *o, struct yaml *n,
                          yaml_mark_t at)
{
    if (n->kind != YAML_TEXT)
        return wrong(r, at, "a key must be a text");
    for (const struct yaml *c = o->node->first; c; c = c->next)
        if (str_eq(c->key, n->text))
            return err_set(
                r->err, ERR_INVALID,
                "%zu:%zu: the key \"" STR_FMT "\" is there already, in line %u",
                at.line + 1, at.column + 1, STR_ARG(n->text), c->key_line);
    o->has_key = true;
    o->key = n->text;
    o->key_mark = at;
    return ERR_OK;
}

static enum errc add(struct reader *r, struct yaml *n, yaml_mark_t at)
{
    struct open *o = r->depth ? &r->stack[r->depth - 1] : NULL;

    if (!o) {
        r->root = n;
        return ERR_OK;
    }
    if (o->node->kind == YAML_MAP) {
        if (!o->has_key)
            return take_key(r, o, n, at);
        n->key = o->key;
        n->key_line = (unsigned)o->key_mark.line + 1;
        n->key_column = (unsigned)o->key_mark.column + 1;
        o->has_key = false;
    }
    if (o->last)
        o->last->next = n;
    else
        o->node->first = n;
    o->last = n;
    return ERR_OK;
}

static enum errc begin(struct reader *r, struct yaml *n, yaml_mark_t at)
{
    if (r->depth == YAML_MAX_DEPTH)
        return wrong(r, at, "too deep");
    enum errc rc = add(r, n, at);
    if (!rc)
        r->stack[r->depth++] = (struct open){.node = n};
    return rc;
}

/* ---- anchors ------------------------------------------------------------ */

static enum errc note_anchor(struct reader *r, const yaml_char_t *name,
                             const struct yaml *node)
{
    if (!name)
        return ERR_OK;
    struct anchor *a = arena_new(r->arena, struct anchor, 1);
    if (!a || !copy(r, name, strlen((const char *)name), &a->name))
        return no_memory(r);
    a->node = node;
    a->next = r->anchors;
    r->anchors = a;
    return ERR_OK;
}

/* depth is bounded: what is copied was read, and a copy is not within itself
 * because its end must have been seen. */
static struct yaml *clone(struct reader *r, const struct yaml *from)
{
    struct yaml *n = r->nodes++ < YAML_MAX_NODES
                         ? arena_new(r->arena, struct yaml, 1)
                         : NULL;
    const struct yaml **link;

    if (!n)
        return NULL;
    *n = *from;
    n->next = NULL;
    n->first = NULL;
    link = &n->first;
    for (const struct yaml *c = from->first; c; c = c->next) {
        struct yaml *k = clone(r, c);
        if (!k)
            return NULL;
        *link = k;
        link = &k->next;
    }
    return n;
}

static enum errc add_alias(struct reader *r, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;

    for (const struct anchor *a = r->anchors; a; a = a->next) {
        if (!str_eq(a->name, str_from_cstr(name)))
            continue;
        for (size_t i = 0; i < r->depth; i++)
            if (r->stack[i].node == a->node)
                return wrong(r, e->start_mark, "an alias within itself");
        struct yaml *n = clone(r, a->node);
        return n ? add(r, n, e->start_mark) : no_memory(r);
    }
    return wrong(r, e->start_mark, "an alias of no anchor");
}

/* ---- events ------------------------------------------------------------- */

static enum errc on_scalar(struct reader *r, const yaml_event_t *e)
{
    struct yaml *n = new_node(r, YAML_TEXT, e->start_mark);

    if (!n || !copy(r, e->data.scalar.value, e->data.scalar.length, &n->text))
        return no_memory(r);
    n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    enum errc rc = note_anchor(r, e->data.scalar.anchor, n);
    return rc ? rc : add(r, n, e->start_mark);
}

static enum errc on_begin(struct reader *r, const yaml_event_t *e, bool map)
{
    struct yaml *n = new_node(r, map ? YAML_MAP : YAML_LIST, e->start_mark);
    const yaml_char_t *anchor =
        map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;

    if (!n)
        return no_memory(r);
    enum errc rc = note_anchor(r, anchor, n);
    return rc ? rc : begin(r, n, e->start_mark);
}

static enum errc on_event(struct reader *r, const yaml_event_t *e)
{
    switch ((int)e->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(r, e);
    case YAML_ALIAS_EVENT:
        return add_alias(r, e);
    case YAML_MAPPING_START_EVENT:
        return on_begin(r, e, true);
    case YAML_SEQUENCE_START_EVENT:
        return on_begin(r, e, false);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        r->depth--;
        return ERR_OK;
    default:
        return ERR_OK;
    }
}

static enum errc parser_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const yaml_mark_t *at = &p->problem_mark;

    if (p->error == YAML_MEMORY_ERROR)
        return no_memory(r);
    return err_set(r->err, ERR_INVALID, "%zu:%zu: %s", at->line + 1,
                   at->column + 1, p->problem ? p->problem : "not YAML");
}

enum errc yaml_read(struct str text, struct arena *a, const struct yaml **out,
                    struct err *err)
{
    struct reader r = {.arena = a, .err = err};
    enum errc rc = ERR_OK;
    bool more = true;

    if (!yaml_parser_initialize(&r.parser))
        return err_set(err, ERR_NOMEM, "out of memory");
    yaml_parser_set_input_string(
        &r.parser, (const unsigned char *)(text.p ? text.p : ""), text.n);
    while (!rc && more) {
        yaml_event_t e;
        if (!yaml_parser_parse(&r.parser, &e)) {
            rc = parser_error(&r);
            break;
        }
        rc = on_event(&r, &e);
        more = e.type != YAML_STREAM_END_EVENT &&
               e.type != YAML_DOCUMENT_END_EVENT;
        yaml_event_delete(&e);
    }
    yaml_parser_delete(&r.parser);
    if (!rc)
        *out = r.root;
    return rc;
}

/* ---- looking at it ------------------------------------------------------ */

const struct yaml *yaml_get(const struct yaml *n, const char *key)
{
    if (!n || n->kind != YAML_MAP)
        return NULL;
    for (const struct yaml *c = n->first; c; c = c->next)
        if (str_eq(c->key, str_from_cstr(key)))
            return c;
    return NULL;
}

bool yaml_is_null(const struct yaml *n)
{
    static const char *const words[] = NULL_WORDS;

    if (!n)
        return true;
    for (size_t i = 0; i < COUNT(words); i++)
        if (n->kind == YAML_TEXT && n->plain &&
            str_eq(n->text, str_from_cstr(words[i])))
            return true;
    return false;
}

const struct yaml *yaml_stranger(const struct yaml *map,
                                 const struct yaml *after,
                                 const char *const *known, size_t n)
{
    const struct yaml *c = after ? after->next : map ? map->first : NULL;

    for (; c; c = c->next) {
        bool found = false;
        for (size_t i = 0; i < n && !found; i++)
            found = str_eq(c->key, str_from_cstr(known[i]));
        if (!found)
            break;
    }
    return c;
}

size_t yaml_count(const struct yaml *n)
{
    size_t count = 0;

    for (const struct yaml *c = n ? n->first : NULL; c; c = c->next)
        count++;
    return count;
}

const char *yaml_kind_name(const struct yaml *n)
{
    return !n || n->kind == YAML_TEXT ? "text"
           : n->kind == YAML_LIST     ? "list"
                                      : "map";
}

struct str yaml_number(struct str text)
{
    static const char *const words[][2] = {
        {".nan", "NaN"}, {".inf", "Inf"}, {"+.inf", "+Inf"}, {"-.inf", "-Inf"}};

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq_nocase(text, str_from_cstr(words[i][0])))
            return str_from_cstr(words[i][1]);
    return text;
}
