/* The functions of TorchScript: operators that also take numbers and lists,
 * and the words prim:: and annotate. */
#include <stdio.h>
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/host.h"
#include "import/torch/script_internal.h"

static struct val *arg(struct py *py, const struct args *a, size_t i)
{
    if (i < a->n)
        return a->pos[i];
    return py_fail(py, ERR_INVALID, "an argument is missing");
}

static struct val *member(struct py *py, struct val *v, const char *name,
                          const struct args *a)
{
    struct val *f = v ? py_attr(py, v, str_from_cstr(name)) : NULL;
    struct args rest = {a->pos + 1, a->n ? a->n - 1 : 0, NULL};

    return f ? py_call(py, f, &rest) : NULL;
}

static struct val *builtin(struct py *py, const char *name,
                           const struct args *a)
{
    return py_call(py, table_find(&py->builtins->names, str_from_cstr(name)),
                   a);
}

static const struct {
    const char *name;
    enum py_op op;
} scalar_ops[] = {{"add", OP_ADD},
                  {"sub", OP_SUB},
                  {"mul", OP_MUL},
                  {"div", OP_DIV},
                  {"floordiv", OP_FLOORDIV},
                  {"floor_divide", OP_FLOORDIV},
                  {"remainder", OP_MOD},
                  {"pow", OP_POW},
                  {"eq", OP_EQ},
                  {"ne", OP_NE},
                  {"lt", OP_LT},
                  {"le", OP_LE},
                  {"gt", OP_GT},
                  {"ge", OP_GE},
                  {"__and__", OP_AND},
                  {"__or__", OP_OR},
                  {"__xor__", OP_XOR},
                  {"__is__", OP_IS},
                  {"__isnot__", OP_IS_NOT},
                  {"__lshift__", OP_LSHIFT},
                  {"__rshift__", OP_RSHIFT}};

static const struct {
    const char *name, *python; /* a function of Python */
} scalar_functions[] = {
    {"len", "len"}, {"str", "str"},   {"abs", "abs"},     {"sorted", "sorted"},
    {"ord", "ord"}, {"list", "list"}, {"Bool", "bool"},   {"Float", "float"},
    {"Int", "int"}, {"dict", "dict"}, {"round", "round"}, {"sum", "sum"},
    {"any", "any"}, {"all", "all"}};

static const char *const scalar_methods[] = {
    "append", "extend",     "insert",   "pop",     "keys",  "values",
    "items",  "get",        "format",   "join",    "lower", "upper",
    "split",  "startswith", "endswith", "copy",    "index", "count",
    "update", "setdefault", "reverse",  "replace", "strip", "find"};

static struct val *real_function(struct py *py, struct str name,
                                 const struct args *a)
{
    char path[40];
    (void)snprintf(path, sizeof(path), "math." STR_FMT, STR_ARG(name));
    struct val *f = py_standard(py, str_from_cstr(path));

    return f ? py_call(py, f, a) : NULL;
}

/* __range_length(lo, hi, step), __derive_index(i, lo, step) */
static struct val *loop_number(struct py *py, const struct args *a, bool length)
{
    int64_t v[3];

    for (size_t i = 0; i < 3; i++)
        if (!arg(py, a, i) || !py_to_int(a->pos[i], &v[i]))
            return py_fail(py, ERR_INVALID, "a loop needs whole numbers");
    if (!length)
        return py_int(py, v[1] + v[0] * v[2]);
    if (v[2] == 0)
        return py_fail(py, ERR_INVALID, "a loop with a step of 0");
    int64_t n = v[2] > 0 ? (v[1] - v[0] + v[2] - 1) / v[2]
                         : (v[0] - v[1] - v[2] - 1) / -v[2];
    return py_int(py, n > 0 ? n : 0);
}

static struct val *sliced_list(struct py *py, const struct args *a)
{
    struct val *slice = py_list(py, VAL_SLICE, 3);

    for (size_t i = 1; i < 4; i++)
        if (!py_append(py, slice, i < a->n ? a->pos[i] : &py->none))
            return NULL;
    return py_index(py, arg(py, a, 0), slice);
}

/* Sizes are lists in this language. */
static struct val *as_list(struct val *v)
{
    if (v->kind == VAL_TUPLE)
        v->kind = VAL_LIST;
    return v;
}

struct val *aten_scalar(struct py *py, struct str name, const struct args *a)
{
    for (size_t i = 0; i < COUNT(scalar_ops); i++)
        if (str_eq(name, str_from_cstr(scalar_ops[i].name)) && a->n >= 2) {
            enum py_op op = scalar_ops[i].op;
            struct val *x = as_list(a->pos[0]), *y = as_list(a->pos[1]);
            return op >= OP_EQ && op <= OP_NOT_IN ? py_compare(py, op, x, y)
                                                  : py_binary(py, op, x, y);
        }
    for (size_t i = 0; i < COUNT(scalar_functions); i++)
        if (str_eq(name, str_from_cstr(scalar_functions[i].name)))
            return builtin(py, scalar_functions[i].python, a);
    for (size_t i = 0; i < COUNT(scalar_methods); i++)
        if (str_eq(name, str_from_cstr(scalar_methods[i])))
            return member(py, arg(py, a, 0), scalar_methods[i], a);
    if (str_eq(name, STR("neg")))
        return py_unary(py, OP_NEG, arg(py, a, 0));
    if (str_eq(name, STR("__not__")))
        return py_unary(py, OP_NOT, arg(py, a, 0));
    if (str_eq(name, STR("__contains__")))
        return py_compare(py, OP_IN, arg(py, a, 1), arg(py, a, 0));
    if (str_eq(name, STR("__getitem__")) || str_eq(name, STR("select")))
        return py_index(py, arg(py, a, 0), arg(py, a, 1));
    if (str_eq(name, STR("slice")))
        return sliced_list(py, a);
    if (str_eq(name, STR("__range_length")) ||
        str_eq(name, STR("__derive_index")))
        return loop_number(py, a, name.p[2] == 'r');
    if (str_eq(name, STR("warn")) || str_eq(name, STR("manual_seed")))
        return &py->none;
    if (str_eq(name, STR("_set_item")) && a->n == 3)
        return py_set_index(py, a->pos[0], a->pos[1], a->pos[2]) ? &py->none
                                                                 : NULL;
    return real_function(py, name, a);
}

/* torch.NAME of TorchScript: an operator when a tensor is among its
 * arguments, else a function on numbers, lists and texts. */
struct val *script_call(struct py *py, struct val *f, const struct args *a)
{
    struct str name = str_from_cstr(f->as.builtin.name);
    const struct aten *op = f->as.builtin.data;
    bool tensors = false;

    for (size_t i = 0; i < a->n && i < 2; i++)
        tensors = tensors || ten_of(a->pos[i]);
    if (!tensors) {
        struct val *v = aten_scalar(py, name, a);
        if (v || py->failed)
            return v;
    }
    if (tensors &&
        (str_eq(name, STR("__is__")) || str_eq(name, STR("__isnot__")) ||
         str_eq(name, STR("append")) || str_eq(name, STR("__contains__")) ||
         str_eq(name, STR("_set_item")) || str_eq(name, STR("insert")) ||
         (str_eq(name, STR("len")) && ten_of(a->pos[0]) == NULL)))
        return aten_scalar(py, name, a);
    if (str_eq(name, STR("len")))
        return builtin(py, "len", a);
    if (op)
        return aten_run(py, op, a);
    struct val *g = torch_function(py, name);
    if (!g && !py->failed) {
        char path[120];
        (void)snprintf(path, sizeof(path), "torch.%.100s", f->as.builtin.name);
        g = library_find(py, str_from_cstr(path + 6));
        char full[120];
        int n =
            snprintf(full, sizeof(full), "torch_%.100s", f->as.builtin.name);
        g = library_find(py, (struct str){full, (size_t)n});
    }
    if (!g && !py->failed)
        return py_fail(py, ERR_UNSUPPORTED,
                       "the operator '%.100s' is not known",
                       f->as.builtin.name);
    return py_call(py, g, a);
}

static struct val *fn_second(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    return arg(py, a, 1);
}

static struct val *fn_first(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    return arg(py, a, 0);
}

static struct val *fn_none(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    (void)a;
    return &py->none;
}

static struct val *fn_device_type(struct py *py, struct val *f,
                                  const struct args *a)
{
    (void)f;
    (void)a;
    return py_str(py, STR("cpu"));
}

static struct val *fn_raise(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    if (a->n && a->pos[0]->kind == VAL_STR)
        return py_fail(py, ERR_INVALID, "the model's code raises: %.*s",
                       a->pos[0]->as.text.n < 200 ? (int)a->pos[0]->as.text.n
                                                  : 200,
                       a->pos[0]->as.text.p);
    return py_fail(py, ERR_INVALID, "the model's code raises an error");
}

/* The number of c10::ScalarType, which code compares. */
static struct val *fn_dtype(struct py *py, struct val *f, const struct args *a)
{
    static const struct {
        enum dtype type;
        int64_t number;
    } table[] = {{DTYPE_U8, 0},   {DTYPE_I8, 1},  {DTYPE_I16, 2},
                 {DTYPE_I32, 3},  {DTYPE_I64, 4}, {DTYPE_F16, 5},
                 {DTYPE_F32, 6},  {DTYPE_F64, 7}, {DTYPE_BOOL, 11},
                 {DTYPE_BF16, 15}};
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;
    (void)f;

    for (size_t i = 0; x && i < COUNT(table); i++)
        if (table[i].type == x->type)
            return py_int(py, table[i].number);
    return py_int(py, 6);
}

static struct val *fn_bool(struct py *py, struct val *f, const struct args *a)
{
    (void)a;
    return py_bool(py, strcmp(f->as.builtin.name, "requires_grad") == 0);
}

static struct val *fn_extreme(struct py *py, struct val *f,
                              const struct args *a)
{
    return builtin(py, f->as.builtin.name, a);
}

static struct val *fn_shape(struct py *py, struct val *f, const struct args *a)
{
    (void)f;
    return py_attr(py, arg(py, a, 0), STR("shape"));
}

/* ops.prim.NAME and the words of the language */
static const struct {
    const char *name;
    py_function call;
} prims[] = {
    {"annotate", fn_second},
    {"unchecked_cast", fn_second},
    {"uninitialized", fn_none},
    {"NumToTensor", fn_first},
    {"ImplicitTensorToNum", fn_first},
    {"data", fn_first},
    {"unchecked_unwrap_optional", fn_first},
    {"RaiseException", fn_raise},
    {"dtype", fn_dtype},
    {"device", fn_none},
    {"type", fn_device_type},
    {"layout", fn_none},
    {"is_cuda", fn_bool},
    {"is_quantized", fn_bool},
    {"is_nested", fn_bool},
    {"is_mkldnn", fn_bool},
    {"is_sparse", fn_bool},
    {"requires_grad", fn_bool},
    {"min", fn_extreme},
    {"max", fn_extreme},
    {"abs", fn_extreme},
    {"shape", fn_shape},
    {"unwrap_optional", fn_first},
    {"TupleIndex", fn_first},
    {"BroadcastSizes", fn_first},
    {"device_index", fn_none},
    {"isinstance", fn_bool},
};

struct val *script_word(struct py *py, struct str name)
{
    for (size_t i = 0; i < COUNT(prims); i++)
        if (str_eq(name, str_from_cstr(prims[i].name)))
            return py_builtin(py, prims[i].name, prims[i].call, NULL);
    return NULL;
}
