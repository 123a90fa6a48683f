/* Classes, objects and their attributes. */
#include <string.h>

#include "import/python/eval_internal.h"

struct val *klass_find(const struct klass *k, struct str name,
                       const struct klass **owner)
{
    struct val *v = table_find(&k->attrs, name);

    if (v && owner)
        *owner = k;
    for (size_t i = 0; !v && i < k->n_bases; i++)
        v = klass_find(k->bases[i], name, owner);
    return v;
}

bool klass_is(const struct klass *k, const struct klass *base)
{
    if (k == base)
        return true;
    for (size_t i = 0; i < k->n_bases; i++)
        if (klass_is(k->bases[i], base))
            return true;
    return false;
}

bool klass_named(const struct klass *k, const char *base)
{
    if (str_eq(k->name, str_from_cstr(base)))
        return true;
    for (size_t i = 0; i < k->n_bases; i++)
        if (klass_named(k->bases[i], base))
            return true;
    return false;
}

/* What a class attribute is when it is reached through an object. */
static struct val *through(struct py *py, struct val *self, struct val *v,
                           struct klass *klass)
{
    if (v->kind == VAL_FUNCTION || v->kind == VAL_BUILTIN)
        return py_bound(py, self, v);
    if (v->kind == VAL_PROPERTY)
        return py_call1(py, v->as.bound.callee, self);
    if (v->kind == VAL_STATIC)
        return v->as.bound.callee;
    if (v->kind == VAL_CLASSMETHOD)
        return py_bound(py, klass->value, v->as.bound.callee);
    return v;
}

static struct val *object_attr(struct py *py, struct val *self, struct str name)
{
    struct klass *k = self->as.object.klass;
    struct val *own = table_find(self->as.object.attrs, name);

    if (own)
        return own;
    if (str_eq(name, STR("__class__")))
        return k->value;
    if (str_eq(name, STR("__dict__"))) {
        struct val *d = py_new(py, VAL_DICT);
        if (d)
            d->as.dict = self->as.object.attrs;
        return d;
    }
    struct val *v = klass_find(k, name, NULL);
    if (v)
        return through(py, self, v, k);
    if (str_starts(name, STR("__")))
        return NULL;
    struct val *other = klass_find(k, STR("__getattr__"), NULL);
    if (!other)
        return NULL;
    struct val *both[] = {self, py_str(py, name)};
    return both[1] ? py_call(py, other, &(struct args){both, 2, NULL}) : NULL;
}

static struct val *space_attr(struct py *py, struct val *space,
                              struct str name);

static struct val *class_attr(struct py *py, struct klass *k, struct str name)
{
    if (str_eq(name, STR("__name__")))
        return py_str(py, k->name);
    struct val *v = klass_find(k, name, NULL);
    if (v && v->kind == VAL_STATIC)
        return v->as.bound.callee;
    if (v && v->kind == VAL_CLASSMETHOD)
        return py_bound(py, k->value, v->as.bound.callee);
    if (!v && k->foreign.n && !str_starts(name, STR("__"))) {
        struct val base = {.kind = VAL_SPACE, .as.text = k->foreign};
        return space_attr(py, &base, name);
    }
    return v;
}

static struct val *super_attr(struct py *py, struct val *super, struct str name)
{
    struct val *self = super->as.bound.self;
    const struct klass *from = super->as.bound.from;

    for (size_t i = 0; i < from->n_bases; i++) {
        struct val *v = klass_find(from->bases[i], name, NULL);
        if (v && self->kind == VAL_OBJECT)
            return through(py, self, v, self->as.object.klass);
        if (v)
            return v;
    }
    return str_eq(name, STR("__init__"))
               ? py_builtin(py, "init", py_nothing, NULL)
               : NULL; /* that of object */
}

static struct val *space_attr(struct py *py, struct val *space, struct str name)
{
    struct str path = space->as.text;
    struct buf b;

    buf_init(&b, 1000);
    buf_put(&b, path);
    buf_putc(&b, '.');
    buf_put(&b, name);
    struct val *full = py_from_buf(py, &b);
    if (!full)
        return NULL;
    struct val *v = py_standard(py, full->as.text);
    if (!v && !py->failed)
        v = py->host->name(py, full->as.text);
    if (v || py->failed)
        return v;
    /* A tokenizer beside a model is as if its package were not here. */
    return py->lenient && str_starts(path, STR("transformers"))
               ? py_unknown(py, full->as.text)
               : py_space(py, full->as.text);
}

struct val *py_attr_or_null(struct py *py, struct val *v, struct str name)
{
    if (!v || !py_work(py, 1))
        return NULL;
    switch (v->kind) {
    case VAL_OBJECT:
        return object_attr(py, v, name);
    case VAL_CLASS:
        return class_attr(py, v->as.klass, name);
    case VAL_SUPER:
        return super_attr(py, v, name);
    case VAL_SPACE:
        return space_attr(py, v, name);
    case VAL_UNKNOWN:
        return py_unknown_attr(py, v, name);
    case VAL_HOST:
        return py->host->attr(py, v, name);
    case VAL_FUNCTION:
        return str_eq(name, STR("__name__")) ? py_str(py, v->as.function->name)
                                             : NULL;
    case VAL_SLICE:
        return str_eq(name, STR("start"))  ? v->as.items.v[0]
               : str_eq(name, STR("stop")) ? v->as.items.v[1]
               : str_eq(name, STR("step")) ? v->as.items.v[2]
                                           : NULL;
    case VAL_TUPLE: {
        struct val *method = py_method(py, v, name);
        return method || py->failed ? method : py->host->attr(py, v, name);
    }
    case VAL_DICT: {
        /* --init '{"config": {"hidden": 64}}' stands for a record too */
        struct val *method = py_method(py, v, name);
        return method || py->failed || !py->lenient
                   ? method
                   : table_find(v->as.dict, name);
    }
    case VAL_STR:
    case VAL_LIST:
    case VAL_SET:
    case VAL_INT:
    case VAL_FLOAT:
    case VAL_BOOL:
        /* A member of an enumeration is its value here. */
        return str_eq(name, STR("value")) ? v : py_method(py, v, name);
    case VAL_BUILTIN:
        return py_partial_attr(py, v, name);
    case VAL_NONE:
    case VAL_ELLIPSIS:
    case VAL_BOUND:
    case VAL_PROPERTY:
    case VAL_STATIC:
    case VAL_CLASSMETHOD:
        break;
    }
    return NULL;
}

struct val *py_attr(struct py *py, struct val *v, struct str name)
{
    struct val *out = py_attr_or_null(py, v, name);
    struct buf b;

    if (out || py->failed || !v)
        return out;
    buf_init(&b, 200);
    if (v->kind == VAL_OBJECT || v->kind == VAL_CLASS)
        py_show(&b, v);
    (void)py_fail(py, ERR_NOT_FOUND, "%s%.*s%s has no attribute '%.*s'",
                  b.n ? "" : "a ", (int)b.n, b.p ? b.p : "",
                  b.n ? "" : py_kind_name(v), name.n < 100 ? (int)name.n : 100,
                  name.p);
    buf_fini(&b);
    return NULL;
}

bool py_set_attr(struct py *py, struct val *v, struct str name,
                 struct val *value)
{
    if (!v || !value)
        return false;
    if (v->kind == VAL_OBJECT && str_eq(name, STR("__dict__")))
        return value->kind != VAL_DICT || /* self.__dict__ = self: nothing */
               table_merge(py, v->as.object.attrs, value->as.dict);
    if (v->kind == VAL_OBJECT) {
        struct val *setter =
            klass_find(v->as.object.klass, STR("__setattr__"), NULL);
        struct val *three[] = {v, py_str(py, name), value};
        if (setter && three[1])
            return py_call(py, setter, &(struct args){three, 3, NULL}) != NULL;
        return table_set(py, v->as.object.attrs, name, value);
    }
    if (v->kind == VAL_CLASS)
        return table_set(py, &v->as.klass->attrs, name, value);
    if (v->kind == VAL_UNKNOWN)
        return py_unknown_set(py, v, name, value);
    if (v->kind == VAL_SPACE || v->kind == VAL_HOST || v->kind == VAL_FUNCTION)
        return true; /* torch.backends.cudnn.benchmark = True */
    (void)py_fail(py, ERR_UNSUPPORTED, "attributes of a %s cannot be set",
                  py_kind_name(v));
    return false;
}

static bool named_decorator(const struct py_node *d, const char *name)
{
    for (; d; d = d->next) {
        const struct py_node *n = d->kind == PY_CALL ? d->a : d;
        if ((n->kind == PY_NAME || n->kind == PY_ATTR) &&
            str_eq(n->text, str_from_cstr(name)))
            return true;
    }
    return false;
}

static struct val *wrapped(struct py *py, enum val_kind kind, struct val *v)
{
    struct val *out = py_new(py, kind);

    if (out)
        out->as.bound.callee = v;
    return out;
}

/* Functions of a class know it, for super(). */
static struct val *adopt(struct py *py, struct klass *k, struct val *v,
                         const struct py_node *decorators)
{
    v->as.function->owner = k;
    if (named_decorator(decorators, "property") ||
        named_decorator(decorators, "cached_property"))
        return wrapped(py, VAL_PROPERTY, v);
    if (named_decorator(decorators, "staticmethod"))
        return wrapped(py, VAL_STATIC, v);
    if (named_decorator(decorators, "classmethod"))
        return wrapped(py, VAL_CLASSMETHOD, v);
    return v;
}

static bool add_bases(struct py *py, struct klass *k, struct py_node *list,
                      struct scope *s)
{
    for (struct py_node *b = list; b; b = b->next) {
        if (b->kind == PY_KEYWORD)
            continue;
        struct val *v = py_eval(py, b, s);
        if (!v)
            return false;
        if (v->kind == VAL_CLASS && k->n_bases < PY_MAX_BASES)
            k->bases[k->n_bases++] = v->as.klass;
        else if (v->kind == VAL_BUILTIN && py->library &&
                 strcmp(v->as.builtin.name, "dict") == 0 &&
                 k->n_bases < PY_MAX_BASES) {
            struct val *dict =
                table_find(&py->library->names, STR("standard_dict"));
            if (dict && dict->kind == VAL_CLASS)
                k->bases[k->n_bases++] = dict->as.klass;
        } else if ((v->kind == VAL_SPACE || v->kind == VAL_UNKNOWN) &&
                   !k->foreign.n)
            k->foreign = v->as.text;
    }
    return true;
}

static bool is_enum(const struct klass *k)
{
    return k->foreign.n >= 4 &&
           memmem(k->foreign.p, k->foreign.n, "Enum", 4) != NULL;
}

static bool class_body(struct py *py, struct klass *k, struct py_node *body)
{
    struct scope *s = py_scope(py, k->scope);
    struct val *result = NULL;

    if (!s)
        return false;
    s->is_class = true;
    for (struct py_node *n = body; n; n = n->next) {
        struct py_node *next = n->next;
        n->next = NULL;
        enum flow flow = py_run(py, n, s, &result);
        n->next = next;
        /* A constant that cannot be made is missing when it is asked for. */
        if (flow == FLOW_FAILED && (n->kind != PY_ASSIGN || !py_recover(py)))
            return false;
        if (n->kind != PY_DEF)
            continue;
        struct val *f = table_find(&s->names, n->text);
        struct val *old = table_find(&k->attrs, n->text);
        if (f && f->kind == VAL_FUNCTION) {
            /* @x.setter comes behind @property */
            bool setter = old && old->kind == VAL_PROPERTY;
            f = setter ? old : adopt(py, k, f, n->c);
            if (!f || !table_set(py, &k->attrs, n->text, f))
                return false;
        }
    }
    for (size_t i = 0; i < s->names.n; i++) {
        struct entry *e = &s->names.entries[i];
        if (e->key && !table_get(&k->attrs, e->key) &&
            !table_put(py, &k->attrs, e->key, e->value))
            return false;
    }
    return true;
}

struct val *py_define_class(struct py *py, struct py_node *node,
                            struct scope *s)
{
    struct klass *k = arena_new(py->arena, struct klass, 1);
    struct val *v = py_new(py, VAL_CLASS);

    if (!k || !v)
        return py_fail(py, ERR_NOMEM, "out of memory");
    k->name = node->text;
    k->scope = s;
    k->body = node->b;
    k->value = v;
    v->as.klass = k;
    if (!add_bases(py, k, node->a, s) || !class_body(py, k, node->b))
        return NULL;
    struct klass *base = k->foreign.n && !k->n_bases && py->host->base
                             ? py->host->base(py, k)
                             : NULL;
    if (base)
        k->bases[k->n_bases++] = base;
    k->dataclass = named_decorator(node->c, "dataclass") ||
                   (k->n_bases && k->bases[0]->dataclass) ||
                   (k->foreign.n >= 10 &&
                    memmem(k->foreign.p, k->foreign.n, "NamedTuple", 10));
    k->enumeration = is_enum(k);
    return v;
}

/* The fields of a dataclass, bases first, with their defaults. */
static bool set_fields(struct py *py, struct klass *k, struct val *self,
                       const struct args *a, size_t *at)
{
    for (size_t i = 0; i < k->n_bases; i++)
        if (!set_fields(py, k->bases[i], self, a, at))
            return false;
    for (struct py_node *n = k->body; n; n = n->next) {
        if (n->kind != PY_ANNOTATED || n->a->kind != PY_NAME)
            continue;
        struct val *v = *at < a->n ? a->pos[*at] : NULL;
        (*at)++;
        if (!v && a->kw)
            v = table_find(a->kw, n->a->text);
        if (!v && n->b)
            v = py_eval(py, n->b, k->scope);
        if (!v)
            return py_fail(py, ERR_INVALID, STR_FMT "() needs '" STR_FMT "'",
                           STR_ARG(k->name), STR_ARG(n->a->text)) != NULL;
        if (!table_set(py, self->as.object.attrs, n->a->text, v))
            return false;
    }
    return true;
}

struct val *py_make_object(struct py *py, struct klass *k, const struct args *a)
{
    struct val *self = py_object(py, k);
    struct val *init = klass_find(k, STR("__init__"), NULL);
    size_t at = 0;

    if (!self)
        return NULL;
    if (!init && k->dataclass) {
        if (!set_fields(py, k, self, a, &at))
            return NULL;
        init = klass_find(k, STR("__post_init__"), NULL);
        return !init || py_call1(py, init, self) ? self : NULL;
    }
    if (!init)
        return self;
    struct val *bound = py_bound(py, self, init);
    return bound && py_call(py, bound, a) ? self : NULL;
}
