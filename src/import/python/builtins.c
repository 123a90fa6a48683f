/* The functions that Python brings along, and those of its modules that
 * models use. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import/python/eval_internal.h"

struct val *py_need(struct py *py, const struct args *a, size_t n,
                    const char *name)
{
    if (a->n >= n)
        return &py->none;
    return py_fail(py, ERR_INVALID, "%s() needs %zu arguments", name, n);
}

/* The kinds that int, str ... name. */
static const struct type_name {
    const char *name;
    enum val_kind kind;
} types[] = {{"int", VAL_INT},   {"float", VAL_FLOAT}, {"str", VAL_STR},
             {"list", VAL_LIST}, {"tuple", VAL_TUPLE}, {"dict", VAL_DICT},
             {"bool", VAL_BOOL}, {"set", VAL_SET},     {"frozenset", VAL_SET}};

/* What is not known counts as a number. */
static bool unknown_is(struct py *py, struct val *v, const struct val *type)
{
    struct val *known = py_known(py, v);
    const struct type_name *t =
        type->kind == VAL_BUILTIN ? type->as.builtin.data : NULL;
    bool ours = t >= types && t < types + COUNT(types);

    return !py->failed && ours && t->kind == (known ? known->kind : VAL_INT);
}

bool py_isinstance(struct py *py, struct val *v, struct val *type)
{
    if (type->kind == VAL_TUPLE || type->kind == VAL_LIST) {
        for (size_t i = 0; i < type->as.items.n; i++)
            if (py_isinstance(py, v, type->as.items.v[i]))
                return true;
        return false;
    }
    if (v->kind == VAL_UNKNOWN)
        return unknown_is(py, v, type);
    if (type->kind == VAL_CLASS)
        return v->kind == VAL_OBJECT &&
               klass_is(v->as.object.klass, type->as.klass);
    if (type->kind == VAL_BUILTIN && v->kind == VAL_SLICE)
        return strcmp(type->as.builtin.name, "slice") == 0;
    if (type->kind == VAL_BUILTIN && type->as.builtin.data) {
        const struct type_name *t = type->as.builtin.data;
        if (t >= types && t < types + COUNT(types))
            return v->kind == t->kind ||
                   (t->kind == VAL_DICT && v->kind == VAL_OBJECT &&
                    klass_named(v->as.object.klass, "standard_dict")) ||
                   (t->kind == VAL_INT && v->kind == VAL_BOOL);
    }
    if (type->kind == VAL_BUILTIN && v->kind == VAL_HOST) {
        const char *name = type->as.builtin.name; /* torch.Tensor */
        return strstr(name, "Tensor") ||
               (v->mark == 'p' && strstr(name, "Parameter"));
    }
    if (type->kind == VAL_SPACE) {
        struct str s = type->as.text;
        bool sequence =
            memmem(s.p, s.n, "Iterable", 8) || memmem(s.p, s.n, "Sequence", 8);
        if (sequence)
            return v->kind == VAL_LIST || v->kind == VAL_TUPLE;
        if (v->kind == VAL_HOST)
            return memmem(s.p, s.n, "Tensor", 6) != NULL;
        if (memmem(s.p, s.n, "Number", 6))
            return py_is_number(v);
    }
    return false;
}

static struct val *fn_isinstance(struct py *py, struct val *self,
                                 const struct args *a)
{
    (void)self;
    return py_need(py, a, 2, "isinstance")
               ? py_bool(py, py_isinstance(py, a->pos[0], a->pos[1]))
               : NULL;
}

static struct val *fn_issubclass(struct py *py, struct val *self,
                                 const struct args *a)
{
    (void)self;
    return py_need(py, a, 2, "issubclass")
               ? py_bool(py,
                         a->pos[0]->kind == VAL_CLASS &&
                             a->pos[1]->kind == VAL_CLASS &&
                             klass_is(a->pos[0]->as.klass, a->pos[1]->as.klass))
               : NULL;
}

static struct val *to_number(struct py *py, struct val *v, bool whole)
{
    double f;

    v = py_settle(py, v, WANT_NUMBER, NULL);
    if (!v)
        return NULL;
    if (v->kind == VAL_HOST) {
        struct val *item = py_attr(py, v, STR("item"));
        v = item ? py_call(py, item, &(struct args){NULL, 0, NULL}) : NULL;
        if (!v)
            return NULL;
    }
    if (v->kind == VAL_STR) {
        char text[64];
        if (v->as.text.n >= sizeof(text))
            return py_fail(py, ERR_INVALID, "a text is no number");
        memcpy(text, v->as.text.p, v->as.text.n);
        text[v->as.text.n] = '\0';
        return whole ? py_int(py, strtoll(text, NULL, 10))
                     : py_float(py, strtod(text, NULL));
    }
    if (whole && (v->kind == VAL_INT || v->kind == VAL_BOOL))
        return py_int(py, v->kind == VAL_INT ? v->as.whole : v->as.boolean);
    if (!py_to_float(v, &f))
        return py_fail(py, ERR_INVALID, "a %s is no number", py_kind_name(v));
    if (whole && !(fabs(f) < 9e18))
        return py_fail(py, ERR_INVALID, "a number is too large");
    return whole ? py_int(py, (int64_t)f) : py_float(py, f);
}

struct val *py_copy_of(struct py *py, struct val *v, enum val_kind kind)
{
    struct val *members = py_members(py, v);
    struct val *out = members ? py_list(py, kind, members->as.items.n) : NULL;

    for (size_t i = 0; out && i < members->as.items.n; i++) {
        struct val *m = members->as.items.v[i];
        if (kind == VAL_SET && py_contains(py, out, m) == &py->yes)
            continue;
        if (!py_append(py, out, m))
            return NULL;
    }
    return out;
}

/* dict(mapping or pairs, name=value ...) */
static struct val *make_dict(struct py *py, const struct args *a)
{
    struct val *out = py_dict(py);

    if (!out)
        return NULL;
    if (a->n && a->pos[0]->kind == VAL_DICT) {
        for (size_t i = 0; i < a->pos[0]->as.dict->n; i++) {
            struct entry *e = &a->pos[0]->as.dict->entries[i];
            if (e->key && !table_put(py, out->as.dict, e->key, e->value))
                return NULL;
        }
    } else if (a->n) {
        struct val *list = py_members(py, a->pos[0]);
        for (size_t i = 0; list && i < list->as.items.n; i++) {
            struct val *p = py_members(py, list->as.items.v[i]);
            if (!p || p->as.items.n != 2)
                return py_fail(py, ERR_INVALID, "dict() needs pairs");
            if (!table_put(py, out->as.dict, p->as.items.v[0],
                           p->as.items.v[1]))
                return NULL;
        }
        if (!list)
            return NULL;
    }
    for (size_t i = 0; a->kw && i < a->kw->n; i++)
        if (a->kw->entries[i].key &&
            !table_put(py, out->as.dict, a->kw->entries[i].key,
                       a->kw->entries[i].value))
            return NULL;
    return out;
}

static struct val *fn_type(struct py *py, struct val *self,
                           const struct args *a)
{
    const struct type_name *t = self->as.builtin.data;
    bool truth = false;

    if (t->kind == VAL_DICT)
        return make_dict(py, a);
    if (t->kind == VAL_LIST || t->kind == VAL_TUPLE || t->kind == VAL_SET)
        return a->n ? py_copy_of(py, a->pos[0], t->kind)
                    : py_list(py, t->kind, 4);
    if (t->kind == VAL_STR)
        return a->n ? py_to_str(py, a->pos[0]) : py_str(py, STR(""));
    if (t->kind == VAL_BOOL)
        return a->n && !py_truth(py, a->pos[0], &truth) ? NULL
                                                        : py_bool(py, truth);
    return a->n ? to_number(py, a->pos[0], t->kind == VAL_INT) : py_int(py, 0);
}

static struct val *fn_abs(struct py *py, struct val *self, const struct args *a)
{
    double f;
    int64_t i;
    struct args b;
    (void)self;

    if (!py_need(py, a, 1, "abs") || !py_settle_args(py, a, &b))
        return NULL;
    a = &b;
    if (py_to_int(a->pos[0], &i) && i != INT64_MIN)
        return py_int(py, i < 0 ? -i : i);
    if (py_to_float(a->pos[0], &f))
        return py_float(py, fabs(f));
    struct val *method = py_attr(py, a->pos[0], STR("abs"));
    return method ? py_call(py, method, &(struct args){NULL, 0, NULL}) : NULL;
}

static struct val *fn_round(struct py *py, struct val *self,
                            const struct args *a)
{
    double f;
    int64_t digits = 0;
    struct args b;
    (void)self;

    if (!py_need(py, a, 1, "round") || !py_settle_args(py, a, &b))
        return NULL;
    a = &b;
    if (!py_to_float(a->pos[0], &f) || !(fabs(f) < 9e15))
        return py_fail(py, ERR_INVALID, "round() needs a number");
    if (a->n > 1 && py_to_int(a->pos[1], &digits)) {
        double scale = pow(10, (double)digits);
        return py_float(py, rint(f * scale) / scale);
    }
    return py_int(py, (int64_t)rint(f));
}

static struct val *fn_getattr(struct py *py, struct val *self,
                              const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 2, "getattr"))
        return NULL;
    struct val *name = py_settle(py, a->pos[1], WANT_CHOICE, NULL);
    if (!name || name->kind != VAL_STR)
        return py_fail(py, ERR_INVALID, "getattr() needs a name");
    struct val *v = a->n > 2 ? py_attr_or_null(py, a->pos[0], name->as.text)
                             : py_attr(py, a->pos[0], name->as.text);
    /* Of what is not known the source's own word is taken. */
    bool open = v && v->kind == VAL_UNKNOWN && a->n > 2;
    return (v && !open) || py->failed ? v : a->pos[2];
}

static struct val *fn_hasattr(struct py *py, struct val *self,
                              const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 2, "hasattr") || a->pos[1]->kind != VAL_STR)
        return NULL;
    struct val *v = py_attr_or_null(py, a->pos[0], a->pos[1]->as.text);
    bool space = v && (v->kind == VAL_SPACE || v->kind == VAL_UNKNOWN) &&
                 v->kind == a->pos[0]->kind;
    return py->failed ? NULL : py_bool(py, v && !space);
}

static struct val *fn_setattr(struct py *py, struct val *self,
                              const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 3, "setattr") || a->pos[1]->kind != VAL_STR)
        return NULL;
    return py_set_attr(py, a->pos[0], a->pos[1]->as.text, a->pos[2]) ? &py->none
                                                                     : NULL;
}

static struct val *fn_delattr(struct py *py, struct val *self,
                              const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 2, "delattr") || a->pos[0]->kind != VAL_OBJECT)
        return py_fail(py, ERR_INVALID, "delattr() needs an object");
    (void)table_remove(a->pos[0]->as.object.attrs, a->pos[1]);
    return &py->none;
}

static struct val *fn_nothing(struct py *py, struct val *self,
                              const struct args *a)
{
    (void)self;
    (void)a;
    return &py->none;
}

static struct val *fn_type_of(struct py *py, struct val *self,
                              const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 1, "type"))
        return NULL;
    struct val *v = a->pos[0];
    if (v->kind == VAL_OBJECT)
        return v->as.object.klass->value;
    if (v->kind == VAL_BUILTIN && py_partial_attr(py, v, STR("func")))
        return py_standard(py, STR("functools.partial"));
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].kind == v->kind)
            return table_find(&py->builtins->names,
                              str_from_cstr(types[i].name));
    return py_space(py, v->kind == VAL_HOST ? STR("torch.Tensor")
                                            : str_from_cstr(py_kind_name(v)));
}

static struct val *fn_callable(struct py *py, struct val *self,
                               const struct args *a)
{
    (void)self;
    if (!py_need(py, a, 1, "callable"))
        return NULL;
    enum val_kind k = a->pos[0]->kind;
    return py_bool(py, k == VAL_FUNCTION || k == VAL_BOUND ||
                           k == VAL_BUILTIN || k == VAL_CLASS ||
                           k == VAL_OBJECT);
}

static struct val *fn_pow(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    return py_need(py, a, 2, "pow")
               ? py_binary(py, OP_POW, a->pos[0], a->pos[1])
               : NULL;
}

static struct val *fn_divmod(struct py *py, struct val *self,
                             const struct args *a)
{
    (void)self;
    return py_need(py, a, 2, "divmod")
               ? py_pair(py, py_binary(py, OP_FLOORDIV, a->pos[0], a->pos[1]),
                         py_binary(py, OP_MOD, a->pos[0], a->pos[1]))
               : NULL;
}

static const struct py_builtin_row functions[] = {
    {"isinstance", fn_isinstance},
    {"issubclass", fn_issubclass},
    {"abs", fn_abs},
    {"round", fn_round},
    {"getattr", fn_getattr},
    {"hasattr", fn_hasattr},
    {"setattr", fn_setattr},
    {"delattr", fn_delattr},
    {"print", fn_nothing},
    {"type", fn_type_of},
    {"callable", fn_callable},
    {"pow", fn_pow},
    {"divmod", fn_divmod},
    {NULL, NULL},
};

/* Exceptions are classes with nothing in them, object is one too. */
#define EXCEPTION(name) "class " name "(Exception):\n    pass\n"
static const struct str classes = STR_INIT(
    "class object:\n"
    "    pass\n"
    "class Exception:\n"
    "    def __init__(self, *args):\n"
    "        self.args = args\n" EXCEPTION("ValueError") EXCEPTION("TypeError")
        EXCEPTION("KeyError") EXCEPTION("IndexError")
            EXCEPTION("AttributeError") EXCEPTION("ImportError") EXCEPTION(
                "ModuleNotFoundError") EXCEPTION("AssertionError")
                EXCEPTION("RuntimeError") EXCEPTION("NotImplementedError")
                    EXCEPTION("Warning") EXCEPTION("FutureWarning") EXCEPTION(
                        "StopIteration") EXCEPTION("ZeroDivisionError")
                        EXCEPTION("OSError") EXCEPTION("FileNotFoundError")
                            EXCEPTION("OverflowError") EXCEPTION("UserWarning")
                                EXCEPTION("DeprecationWarning"));

static bool add_rows(struct py *py, const struct py_builtin_row *rows)
{
    for (; rows->name; rows++)
        if (!table_set(py, &py->builtins->names, str_from_cstr(rows->name),
                       py_generic(py, rows->name, rows->call, NULL)))
            return false;
    return true;
}

bool py_add_builtins(struct py *py)
{
    struct table *t = &py->builtins->names;

    if (!add_rows(py, functions) || !add_rows(py, py_list_builtins))
        return false;
    for (size_t i = 0; i < COUNT(types); i++)
        if (!table_set(py, t, str_from_cstr(types[i].name),
                       py_generic(py, types[i].name, fn_type, &types[i])))
            return false;
    return table_set(py, t, STR("__name__"), py_str(py, STR("model"))) &&
           table_set(py, t, STR("__file__"), py_str(py, STR("model.py"))) &&
           py_load(py, classes, py->builtins, PY_STRICT);
}
