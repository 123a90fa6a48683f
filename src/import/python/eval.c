/* Expressions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "import/python/eval_internal.h"

static struct val *number(struct py *py, struct str s)
{
    char text[64];
    size_t n = 0;

    for (size_t i = 0; i < s.n && n + 1 < sizeof(text); i++)
        if (s.p[i] != '_')
            text[n++] = s.p[i];
    text[n] = '\0';
    if (n && (text[n - 1] == 'j' || text[n - 1] == 'J'))
        return py_fail(py, ERR_UNSUPPORTED, "complex numbers are not known");
    if (n > 2 && text[0] == '0' && strchr("bBoO", text[1]))
        return py_int(
            py, (int64_t)strtoull(text + 2, NULL,
                                  text[1] == 'b' || text[1] == 'B' ? 2 : 8));
    if (n > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return py_int(py, (int64_t)strtoull(text, NULL, 16));
    if (strpbrk(text, ".eE"))
        return py_float(py, strtod(text, NULL));
    errno = 0;
    long long whole = strtoll(text, NULL, 10);
    return errno ? py_float(py, strtod(text, NULL)) : py_int(py, whole);
}

/* from X import *: the name may be X's. */
static struct val *starred(struct py *py, struct str space, struct str name)
{
    struct val v = {.kind = VAL_SPACE, .as.text = space};
    struct val *out = py_attr_or_null(py, &v, name);

    return out && out->kind != VAL_SPACE ? out : NULL;
}

struct val *py_name(struct py *py, struct str name, struct scope *s)
{
    struct val *v = NULL;

    for (struct scope *at = s; at && !v; at = at->parent)
        if (!at->is_class || at == s)
            v = table_find(&at->names, name);
    if (!v)
        v = table_find(&py->builtins->names, name);
    if (!v && !str_eq(name, STR("__class__")))
        v = py->host->name(py, name);
    for (size_t i = 0; i < py->n_stars && !v && !py->failed; i++)
        v = starred(py, py->stars[i], name);
    if (!v && !py->failed && py->lenient && !py->in_library)
        return py_unknown(py, name);
    if (!v && !py->failed)
        return py_fail(py, ERR_NOT_FOUND, "the name '%.*s' is not known",
                       name.n < 100 ? (int)name.n : 100, name.p);
    return v;
}

static struct val *items(struct py *py, enum val_kind kind,
                         struct py_node *list, struct scope *s)
{
    struct val *out = py_list(py, kind, 4);

    for (struct py_node *n = list; out && n; n = n->next) {
        struct val *v = py_eval(py, n->kind == PY_STAR ? n->a : n, s);
        if (n->kind == PY_STAR)
            v = py_members(py, v);
        if (!v)
            return NULL;
        if (n->kind != PY_STAR) {
            if (kind == VAL_SET && py_contains(py, out, v) == &py->yes)
                continue;
            if (!py_append(py, out, v))
                return NULL;
            continue;
        }
        for (size_t i = 0; i < v->as.items.n; i++)
            if (!py_append(py, out, v->as.items.v[i]))
                return NULL;
    }
    return out;
}

static bool merge(struct py *py, struct table *to, struct val *from)
{
    from = py_settle(py, from, WANT_MAPPING, NULL);
    if (!from)
        return false;
    if (from->kind == VAL_OBJECT &&
        klass_named(from->as.object.klass, "standard_dict")) {
        struct val *d = py_attr(py, from, STR("__dict__"));
        return d && merge(py, to, d);
    }
    if (from->kind != VAL_DICT) {
        (void)py_fail(py, ERR_INVALID, "'**' needs a dict");
        return false;
    }
    return table_merge(py, to, from->as.dict);
}

static struct val *dict(struct py *py, struct py_node *list, struct scope *s)
{
    struct val *out = py_dict(py);

    for (struct py_node *n = list; out && n; n = n->next) {
        if (n->kind == PY_DSTAR) {
            if (!merge(py, out->as.dict, py_eval(py, n->a, s)))
                return NULL;
            continue;
        }
        struct val *key = py_eval(py, n->a, s);
        if (!key || !table_put(py, out->as.dict, key, py_eval(py, n->b, s)))
            return NULL;
    }
    return out;
}

static bool comprehend(struct py *py, struct py_node *node,
                       struct py_node *loop, struct scope *s, struct val *out)
{
    if (!loop) {
        if (node->kind == PY_DICTCOMP) {
            struct val *key = py_eval(py, node->a->a, s);
            return key &&
                   table_put(py, out->as.dict, key, py_eval(py, node->a->b, s));
        }
        struct val *v = py_eval(py, node->a, s);
        if (v && node->kind == PY_SETCOMP &&
            py_contains(py, out, v) == &py->yes)
            return true;
        return py_append(py, out, v);
    }
    struct val *list = py_members(py, py_eval(py, loop->b, s));
    for (size_t i = 0; list && i < list->as.items.n; i++) {
        bool take = true;
        if (!py_work(py, 1) || !py_assign(py, loop->a, list->as.items.v[i], s))
            return false;
        for (struct py_node *c = loop->c; c && take; c = c->next)
            if (!py_truth(py, py_eval(py, c, s), &take))
                return false;
        if (take && !comprehend(py, node, loop->next, s, out))
            return false;
    }
    return list != NULL && !py->failed;
}

static struct val *comprehension(struct py *py, struct py_node *node,
                                 struct scope *s)
{
    struct scope *own = py_scope(py, s);
    struct val *out = node->kind == PY_DICTCOMP  ? py_dict(py)
                      : node->kind == PY_SETCOMP ? py_list(py, VAL_SET, 4)
                                                 : py_list(py, VAL_LIST, 4);

    if (!own || !out)
        return NULL;
    own->is_function = true;
    return comprehend(py, node, node->b, own, out) ? out : NULL;
}

/* super(): the class of the method and its first argument. */
static struct val *super_of(struct py *py, struct scope *s,
                            struct py_node *args)
{
    struct val *k, *self = NULL;

    if (args) {
        k = py_eval(py, args, s);
        self = args->next ? py_eval(py, args->next, s) : NULL;
    } else {
        k = py_name(py, STR("__class__"), s);
        for (struct scope *at = s; at && !self; at = at->parent)
            if (at->is_function && table_find(&at->names, STR("__class__")))
                for (size_t i = 0; i < at->names.n && !self; i++)
                    if (at->names.entries[i].value != k)
                        self = at->names.entries[i].value;
    }
    if (!k || !self || k->kind != VAL_CLASS)
        return py_fail(py, ERR_UNSUPPORTED, "super() is not understood here");
    struct val *out = py_new(py, VAL_SUPER);
    if (out) {
        out->as.bound.self = self;
        out->as.bound.from = k->as.klass;
    }
    return out;
}

static bool arguments(struct py *py, struct py_node *list, struct scope *s,
                      struct args *out)
{
    struct val *pos = py_list(py, VAL_LIST, 4);

    out->kw = NULL;
    for (struct py_node *n = list; pos && n; n = n->next) {
        if (n->kind == PY_KEYWORD || n->kind == PY_DSTAR) {
            if (!out->kw)
                out->kw = arena_new(py->arena, struct table, 1);
            struct val *v = py_eval(py, n->a, s);
            if (!out->kw || !v)
                return false;
            if (n->kind == PY_DSTAR ? !merge(py, out->kw, v)
                                    : !table_set(py, out->kw, n->text, v))
                return false;
            continue;
        }
        struct val *v = py_eval(py, n->kind == PY_STAR ? n->a : n, s);
        if (n->kind != PY_STAR) {
            if (!py_append(py, pos, v))
                return false;
            continue;
        }
        v = py_members(py, v);
        for (size_t i = 0; v && i < v->as.items.n; i++)
            (void)py_append(py, pos, v->as.items.v[i]);
        if (!v)
            return false;
    }
    if (!pos || py->failed)
        return false;
    out->pos = pos->as.items.v;
    out->n = pos->as.items.n;
    return true;
}

static struct val *locals_of(struct py *py, struct scope *s)
{
    struct val *out = py_new(py, VAL_DICT);

    while (s->parent && !s->is_function)
        s = s->parent;
    if (out)
        out->as.dict = &s->names;
    return out;
}

static struct val *call(struct py *py, struct py_node *node, struct scope *s)
{
    struct args a;

    if (node->a->kind == PY_NAME && str_eq(node->a->text, STR("super")))
        return super_of(py, s, node->b);
    if (node->a->kind == PY_NAME && str_eq(node->a->text, STR("locals")))
        return locals_of(py, s);
    struct val *callee = py_eval(py, node->a, s);
    if (!callee || !arguments(py, node->b, s, &a))
        return NULL;
    if (node->a->kind == PY_ATTR &&
        str_eq(node->a->text, STR("save_hyperparameters"))) {
        struct val *mine = locals_of(py, s); /* it looks at its caller */
        return mine ? py_call1(py, callee, mine) : NULL;
    }
    if (!py->in_library)
        py->line = node->line;
    return py_call(py, callee, &a);
}

static struct val *slice(struct py *py, struct py_node *node, struct scope *s)
{
    struct val *out = py_list(py, VAL_SLICE, 3);
    struct py_node *parts[] = {node->a, node->b, node->c};

    for (size_t i = 0; out && i < 3; i++)
        if (!py_append(py, out,
                       parts[i] ? py_eval(py, parts[i], s) : &py->none))
            return NULL;
    return out;
}

static struct val *comparison(struct py *py, struct py_node *node,
                              struct scope *s)
{
    struct val *left = py_eval(py, node->a, s), *out = &py->yes;

    for (struct py_node *part = node->b; part && left; part = part->next) {
        struct val *right = py_eval(py, part->a, s);
        bool truth;
        out = py_compare(py, (enum py_op)part->op, left, right);
        if (!out || !part->next)
            return out;
        if (!py_truth(py, out, &truth))
            return NULL;
        if (!truth)
            return out;
        left = right;
    }
    return left ? out : NULL;
}

static struct val *binary(struct py *py, struct py_node *node, struct scope *s)
{
    struct val *left = py_eval(py, node->a, s);
    bool truth;

    if (!left)
        return NULL;
    if (node->op == OP_BOTH || node->op == OP_EITHER) {
        if (!py_truth(py, left, &truth))
            return NULL;
        return truth == (node->op == OP_EITHER) ? left
                                                : py_eval(py, node->b, s);
    }
    struct val *right = py_eval(py, node->b, s);
    if (!py->in_library)
        py->line = node->line;
    return py_binary(py, (enum py_op)node->op, left, right);
}

static struct val *fstring(struct py *py, struct py_node *node, struct scope *s)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    for (struct py_node *part = node->a; part; part = part->next) {
        if (part->kind == PY_STRING) {
            buf_put(&b, part->text);
            continue;
        }
        struct val *v = py_shown(py, py_eval(py, part->a, s));
        if (!v) {
            buf_fini(&b);
            return NULL;
        }
        py_format(&b, v, part->text);
    }
    return py_from_buf(py, &b);
}

static struct val *conditional(struct py *py, struct py_node *node,
                               struct scope *s)
{
    bool truth;

    if (!py_truth(py, py_eval(py, node->b, s), &truth))
        return NULL;
    return py_eval(py, truth ? node->a : node->c, s);
}

static struct val *eval(struct py *py, struct py_node *node, struct scope *s)
{
    switch ((int)node->kind) {
    case PY_NAME:
        return py_name(py, node->text, s);
    case PY_NUMBER:
        return number(py, node->text);
    case PY_STRING:
        return py_str(py, node->text);
    case PY_FSTRING:
        return fstring(py, node, s);
    case PY_NONE:
        return &py->none;
    case PY_TRUE:
        return &py->yes;
    case PY_FALSE:
        return &py->no;
    case PY_ELLIPSIS:
        return &py->ellipsis;
    case PY_ATTR:
        return py_attr(py, py_eval(py, node->a, s), node->text);
    case PY_INDEX: {
        struct val *v = py_eval(py, node->a, s);
        return py_index(py, v, v ? py_eval(py, node->b, s) : NULL);
    }
    case PY_SLICE:
        return slice(py, node, s);
    case PY_CALL:
        return call(py, node, s);
    case PY_BINARY:
        return binary(py, node, s);
    case PY_UNARY:
        return py_unary(py, (enum py_op)node->op, py_eval(py, node->a, s));
    case PY_COMPARE:
        return comparison(py, node, s);
    case PY_IFEXP:
        return conditional(py, node, s);
    case PY_LAMBDA:
        return py_lambda(py, node, s);
    case PY_WALRUS: {
        struct val *v = py_eval(py, node->b, s);
        return py_assign(py, node->a, v, s) ? v : NULL;
    }
    case PY_TUPLE:
        return items(py, VAL_TUPLE, node->a, s);
    case PY_LIST:
        return items(py, VAL_LIST, node->a, s);
    case PY_SET:
        return items(py, VAL_SET, node->a, s);
    case PY_DICT:
        return dict(py, node->a, s);
    case PY_LISTCOMP:
    case PY_SETCOMP:
    case PY_DICTCOMP:
        return comprehension(py, node, s);
    default:
        return py_fail(py, ERR_UNSUPPORTED, "an expression is not understood");
    }
}

struct val *py_eval(struct py *py, struct py_node *node, struct scope *s)
{
    if (!node || py->failed || !py_work(py, 1))
        return NULL;
    if (node->line && !py->in_library)
        py->line = node->line;
    struct val *out = eval(py, node, s);
    return py->failed ? NULL : out;
}
