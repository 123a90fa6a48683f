/* The little of Python's standard modules, and of numpy on plain numbers, that
 * constructors of models use. */
#include <math.h>
#include <string.h>

#include "import/python/eval_internal.h"

struct real {
    const char *path;
    double (*f)(double);
    bool whole; /* gives an int */
};

static const struct real reals[] = {
    {"math.sqrt", sqrt, false},    {"math.exp", exp, false},
    {"math.log2", log2, false},    {"math.log10", log10, false},
    {"math.sin", sin, false},      {"math.cos", cos, false},
    {"math.tan", tan, false},      {"math.tanh", tanh, false},
    {"math.atan", atan, false},    {"math.fabs", fabs, false},
    {"math.erf", erf, false},      {"math.log1p", log1p, false},
    {"math.floor", floor, true},   {"math.ceil", ceil, true},
    {"math.asin", asin, false},    {"math.acos", acos, false},
    {"math.sinh", sinh, false},    {"math.cosh", cosh, false},
    {"math.asinh", asinh, false},  {"math.acosh", acosh, false},
    {"math.atanh", atanh, false},  {"math.expm1", expm1, false},
    {"math.exp2", exp2, false},    {"math.cbrt", cbrt, false},
    {"math.erfc", erfc, false},    {"math.lgamma", lgamma, false},
    {"math.gamma", tgamma, false}, {"math.trunc", trunc, true},
    {"numpy.sqrt", sqrt, false},   {"numpy.exp", exp, false},
    {"numpy.log2", log2, false},   {"numpy.log", log, false},
    {"numpy.floor", floor, false}, {"numpy.ceil", ceil, false},
    {"numpy.abs", fabs, false},    {"numpy.round", rint, false},
    {"numpy.sin", sin, false},     {"numpy.cos", cos, false},
    {"numpy.tan", tan, false},     {"numpy.tanh", tanh, false},
    {"numpy.log10", log10, false}, {"numpy.log1p", log1p, false},
    {"numpy.expm1", expm1, false}, {"numpy.arctan", atan, false},
};

static struct val *call_real(struct py *py, struct val *self,
                             const struct args *a)
{
    const struct real *r = self->as.builtin.data;
    double v;

    if (a->n && a->pos[0]->kind == VAL_HOST) { /* numpy.sqrt of an array */
        struct str last = str_behind_last(str_from_cstr(r->path), '.');
        struct val *method = py_attr(py, a->pos[0], last);
        return method ? py_call(py, method, &(struct args){NULL, 0, NULL})
                      : NULL;
    }
    if (a->n < 1 || !py_to_float(a->pos[0], &v))
        return py_fail(py, ERR_INVALID, "%s() needs a number", r->path);
    v = r->f(v);
    if (!r->whole)
        return py_float(py, v);
    return fabs(v) < 9e18 ? py_int(py, (int64_t)v)
                          : py_fail(py, ERR_INVALID, "%s() of %g", r->path, v);
}

static struct val *fn_log(struct py *py, struct val *self, const struct args *a)
{
    double v, base;
    (void)self;

    if (a->n < 1 || !py_to_float(a->pos[0], &v) || v <= 0)
        return py_fail(py, ERR_INVALID, "log() needs a positive number");
    if (a->n > 1 && py_to_float(a->pos[1], &base))
        return py_float(py, log(v) / log(base));
    return py_float(py, log(v));
}

static struct val *fn_math_pow(struct py *py, struct val *self,
                               const struct args *a)
{
    double x, y;
    (void)self;

    if (a->n != 2 || !py_to_float(a->pos[0], &x) || !py_to_float(a->pos[1], &y))
        return py_fail(py, ERR_INVALID, "pow() needs two numbers");
    return py_float(py, pow(x, y));
}

static struct val *fn_prod(struct py *py, struct val *self,
                           const struct args *a)
{
    struct val *only = a->n ? a->pos[0] : NULL;
    (void)self;

    if (only && only->kind == VAL_UNKNOWN && !py_known(py, only) && !py->failed)
        return py_attr(py, only, STR("prod"));
    struct val *list = py_members(py, only);
    struct val *out = py_int(py, 1);

    for (size_t i = 0; list && out && i < list->as.items.n; i++)
        out = py_binary(py, OP_MUL, out, list->as.items.v[i]);
    return list ? out : NULL;
}

static struct val *fn_same(struct py *py, struct val *self,
                           const struct args *a)
{
    (void)self;
    return a->n ? a->pos[0] : &py->none;
}

struct val *py_nothing(struct py *py, struct val *self, const struct args *a)
{
    (void)self;
    (void)a;
    return &py->none;
}

/* What it logs is of no account (is_aside() of exec.c). */
static struct val *fn_logger(struct py *py, struct val *self,
                             const struct args *a)
{
    (void)self;
    (void)a;
    return py_space(py, STR("logging"));
}

/* partial(f, ...): a record that is called with what it holds in front. */
static struct val *call_partial(struct py *py, struct val *self,
                                const struct args *a)
{
    const struct args *held = self->as.builtin.data;
    struct val *pos = py_list(py, VAL_LIST, held->n + a->n);
    struct val *kw = py_dict(py);
    const struct table *tables[] = {held->kw, a->kw};

    for (size_t i = 1; pos && i < held->n; i++)
        (void)py_append(py, pos, held->pos[i]);
    for (size_t i = 0; pos && i < a->n; i++)
        (void)py_append(py, pos, a->pos[i]);
    for (size_t k = 0; kw && k < 2; k++)
        (void)table_merge(py, kw->as.dict, tables[k]);
    if (py->failed)
        return NULL;
    return py_call(py, held->pos[0],
                   &(struct args){pos->as.items.v, pos->as.items.n,
                                  kw->as.dict->live ? kw->as.dict : NULL});
}

static struct val *fn_partial(struct py *py, struct val *self,
                              const struct args *a)
{
    struct args *held = arena_new(py->arena, struct args, 1);
    (void)self;

    if (!held || a->n < 1)
        return py_fail(py, ERR_INVALID, "partial() needs a function");
    *held = *a;
    return py_generic(py, "partial", call_partial, held);
}

struct val *py_partial_attr(struct py *py, const struct val *v, struct str name)
{
    const struct args *held = v->as.builtin.data;

    if (v->as.builtin.call != call_partial)
        return NULL;
    if (str_eq(name, STR("func")))
        return held->pos[0];
    if (!str_eq(name, STR("keywords")))
        return NULL;
    struct val *out = py_dict(py);
    if (out && held->kw)
        out->as.dict = held->kw;
    return out;
}

static struct val *fn_reduce(struct py *py, struct val *self,
                             const struct args *a)
{
    struct val *list = a->n > 1 ? py_members(py, a->pos[1]) : NULL;
    struct val *out = a->n > 2 ? a->pos[2] : NULL;
    (void)self;

    for (size_t i = 0; list && i < list->as.items.n; i++) {
        struct val *both[] = {out, list->as.items.v[i]};
        out = out ? py_call(py, a->pos[0], &(struct args){both, 2, NULL})
                  : list->as.items.v[i];
        if (!out)
            return NULL;
    }
    return list && out ? out : py_fail(py, ERR_INVALID, "reduce() of nothing");
}

static struct val *fn_chain(struct py *py, struct val *self,
                            const struct args *a)
{
    struct val *out = py_list(py, VAL_LIST, 8);
    (void)self;

    for (size_t i = 0; i < a->n; i++) {
        struct val *list = py_members(py, a->pos[i]);
        for (size_t k = 0; list && k < list->as.items.n; k++)
            (void)py_append(py, out, list->as.items.v[k]);
        if (!list)
            return NULL;
    }
    return out;
}

/* namedtuple("N", ["a", "b"]) and "a b": a class of that many fields. */
static struct val *call_named(struct py *py, struct val *self,
                              const struct args *a)
{
    struct klass *k = (struct klass *)(uintptr_t)self->as.builtin.data;
    struct val *fields = table_find(&k->attrs, STR("_fields"));
    struct val *out = py_object(py, k);

    for (size_t i = 0; out && i < fields->as.items.n; i++) {
        struct val *name = fields->as.items.v[i];
        struct val *v = i < a->n ? a->pos[i]
                        : a->kw  ? table_get(a->kw, name)
                                 : NULL;
        if (!v || !table_put(py, out->as.object.attrs, name, v))
            return py_fail(py, ERR_INVALID, "a named tuple needs %zu values",
                           fields->as.items.n);
    }
    return out;
}

static struct val *members_of_named(struct py *py, struct val *self,
                                    const struct args *a)
{
    struct val *o = a->pos[0], *out = py_list(py, VAL_TUPLE, 4);
    (void)self;

    for (size_t i = 0; out && i < o->as.object.attrs->n; i++)
        (void)py_append(py, out, o->as.object.attrs->entries[i].value);
    return out;
}

static struct val *index_of_named(struct py *py, struct val *self,
                                  const struct args *a)
{
    struct val *list = members_of_named(py, self, a);

    if (a->n != 2)
        return py_fail(py, ERR_INVALID, "an index is missing");
    return list ? py_index(py, list, a->pos[1]) : NULL;
}

static struct val *length_of_named(struct py *py, struct val *self,
                                   const struct args *a)
{
    (void)self;
    return py_int(py, (int64_t)a->pos[0]->as.object.attrs->n);
}

static struct val *fn_namedtuple(struct py *py, struct val *self,
                                 const struct args *a)
{
    struct klass *k = arena_new(py->arena, struct klass, 1);
    struct val *fields = py_list(py, VAL_LIST, 4), *v = py_new(py, VAL_CLASS);
    (void)self;

    if (!k || !v || !fields || a->n < 2 || a->pos[0]->kind != VAL_STR)
        return py_fail(py, ERR_INVALID, "namedtuple() needs names");
    k->name = a->pos[0]->as.text;
    k->value = v;
    v->as.klass = k;
    if (a->pos[1]->kind == VAL_STR) {
        struct str rest = a->pos[1]->as.text;
        while (rest.p) {
            struct str part = str_cut(&rest, ' ');
            while (part.n && part.p[part.n - 1] == ',')
                part.n--;
            if (part.n)
                (void)py_append(py, fields, py_str(py, part));
        }
    } else {
        fields = py_members(py, a->pos[1]);
    }
    struct val *iter = py_builtin(py, "iter", members_of_named, NULL);
    struct val *index = py_builtin(py, "index", index_of_named, NULL);
    struct val *length = py_builtin(py, "len", length_of_named, NULL);
    if (!fields || !table_set(py, &k->attrs, STR("_fields"), fields) ||
        !table_set(py, &k->attrs, STR("__iter__"), iter) ||
        !table_set(py, &k->attrs, STR("__getitem__"), index) ||
        !table_set(py, &k->attrs, STR("__len__"), length))
        return NULL;
    return py_generic(py, "namedtuple", call_named, k);
}

static struct val *call_default(struct py *py, struct val *self,
                                const struct args *a)
{
    (void)self;
    (void)a;
    return py_dict(py);
}

static const struct {
    const char *path;
    py_function call;
} functions[] = {
    {"math.prod", fn_prod},
    {"numpy.prod", fn_prod},
    {"functools.partial", fn_partial},
    {"functools.reduce", fn_reduce},
    {"itertools.chain", fn_chain},
    {"collections.namedtuple", fn_namedtuple},
    {"collections.defaultdict", call_default},
    {"copy.copy", fn_same},
    {"typing.cast", py_nothing},
    {"warnings.warn", py_nothing},
    {"logging.getLogger", fn_logger},
    {"random.seed", py_nothing},
    {"numpy.random.seed", py_nothing},
};

struct val *py_standard(struct py *py, struct str path)
{
    if (str_eq(path, STR("math.pi")) || str_eq(path, STR("numpy.pi")))
        return py_float(py, 3.14159265358979323846);
    if (str_eq(path, STR("math.inf")) || str_eq(path, STR("numpy.inf")))
        return py_float(py, (double)INFINITY);
    if (str_eq(path, STR("math.e")))
        return py_float(py, 2.71828182845904523536);
    if (str_eq(path, STR("collections.OrderedDict")))
        return table_find(&py->builtins->names, STR("dict"));
    if (str_eq(path, STR("typing.TYPE_CHECKING")))
        return &py->no;
    for (size_t i = 0; i < COUNT(reals); i++)
        if (str_eq(path, str_from_cstr(reals[i].path)))
            return py_builtin(py, reals[i].path, call_real, &reals[i]);
    if (str_eq(path, STR("math.log")))
        return py_builtin(py, "math.log", fn_log, NULL);
    if (str_eq(path, STR("math.pow")))
        return py_builtin(py, "math.pow", fn_math_pow, NULL);
    for (size_t i = 0; i < COUNT(functions); i++)
        if (str_eq(path, str_from_cstr(functions[i].path)))
            return py_generic(py, functions[i].path, functions[i].call, NULL);
    return NULL;
}
