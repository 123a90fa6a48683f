/* TorchScript: the archive's own code, as text. Class and function names are
 * dotted; code/__torch__/a/b.py holds __torch__.a.b.X. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/program.h"

enum { CODE_MAX = 16 << 20, CONSTANTS_MAX = 1 << 24 };

struct script {
    struct program p;
    struct scope *globals;
    struct table files; /* path -> scope, as a SPACE value with host data */
    const struct pickle *constants;
    struct val *constants_value;
    struct trace *t; /* of the tables above */
};

static struct script *script_of(struct py *py)
{
    return trace_of(py)->names_data;
}

/* ---- functions of the language ------------------------------------------- */

typedef struct val *(*scalar)(struct py *py, const struct args *a);

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
static struct val *call_torch(struct py *py, struct val *f,
                              const struct args *a)
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

static struct val *find_prim(struct py *py, struct str name)
{
    for (size_t i = 0; i < COUNT(prims); i++)
        if (str_eq(name, str_from_cstr(prims[i].name)))
            return py_builtin(py, prims[i].name, prims[i].call, NULL);
    return NULL;
}

/* ---- names --------------------------------------------------------------- */

/* The scope of code/__torch__/a/b.py. */
static struct scope *code_file(struct script *s, struct str module)
{
    struct py *py = &s->t->py;
    struct val *known = table_find(&s->files, module);
    char path[600];
    struct str text;

    if (known)
        return known->as.host;
    int n = snprintf(path, sizeof(path), "code/" STR_FMT, STR_ARG(module));
    if (n < 0 || (size_t)n + 4 >= sizeof(path))
        return NULL;
    for (char *c = path; *c; c++)
        *c = *c == '.' ? '/' : *c;
    memcpy(path + n, ".py", 4);
    if (torch_entry(s->p.file, path, CODE_MAX, &text)) {
        py->failed = true;
        return NULL;
    }
    struct scope *scope = py_scope(py, s->globals);
    struct val *v = py_new(py, VAL_HOST);
    if (!scope || !v || !text.p)
        return NULL;
    v->as.host = scope;
    if (!table_set(py, &s->files, module, v) ||
        !py_load(py, text, scope, PY_STRICT))
        return NULL;
    return scope;
}

static struct val *in_code(struct script *s, struct str path)
{
    const char *dot = memrchr(path.p, '.', path.n);

    if (!dot)
        return NULL;
    struct str module = str_slice(path, 0, (size_t)(dot - path.p));
    struct str name = str_slice(path, module.n + 1, path.n);
    struct scope *scope = code_file(s, module);
    return scope ? table_find(&scope->names, name) : NULL;
}

static struct klass *script_class(struct trace *t, struct str name)
{
    struct script *s = t->names_data;
    struct val *v = in_code(s, name);

    if (v && v->kind == VAL_CLASS)
        return v->as.klass;
    (void)py_fail(&t->py, ERR_INVALID,
                  "the code of '%.*s' is not in the archive",
                  name.n < 200 ? (int)name.n : 200, name.p);
    return NULL;
}

static struct val *constant(struct script *s, struct str name)
{
    uint64_t i;

    if (!s->constants_value) {
        struct str bytes;
        struct pickle *root = NULL;
        if (torch_entry(s->p.file, "constants.pkl", CONSTANTS_MAX, &bytes) ||
            (bytes.p &&
             pickle_read(&bytes, &torch_rules, s->p.arena, &root, s->p.err))) {
            s->t->py.failed = true;
            return NULL;
        }
        s->p.file->data = "constants/";
        s->constants_value = module_value(s->t, &s->p, root, script_class);
        s->p.file->data = "data/";
    }
    struct val *list = s->constants_value;
    if (!list || (list->kind != VAL_TUPLE && list->kind != VAL_LIST) ||
        name.n < 2 || !str_to_u64(str_slice(name, 1, name.n), &i) ||
        i >= list->as.items.n)
        return py_fail(&s->t->py, ERR_INVALID, "a constant is not there");
    return list->as.items.v[i];
}

/* What stands behind a dotted name, for code of the archive. */
static struct val *find_name(struct py *py, struct str path)
{
    struct script *s = script_of(py);
    const char *dot = memrchr(path.p, '.', path.n);
    struct str last =
        dot ? str_slice(path, (size_t)(dot - path.p) + 1, path.n) : path;

    if (str_starts(path, STR("__torch__.")))
        return in_code(s, path);
    if (str_starts(path, STR("CONSTANTS.")))
        return constant(s, last);
    if (str_starts(path, STR("ops.prim.")))
        return find_prim(py, last);
    if (str_starts(path, STR("torch.")) || str_starts(path, STR("ops.aten."))) {
        if (str_eq(last, STR("device")) || str_starts(last, STR("is_grad")) ||
            str_starts(last, STR("is_autocast")))
            return NULL; /* the common answers */
        char *kept = arena_cstr(py->arena, last);
        return kept ? py_builtin(py, kept, call_torch, aten_find(last)) : NULL;
    }
    return NULL;
}

static bool language(struct script *s)
{
    static const char *const spaces[] = {
        "__torch__", "torch", "ops",      "CONSTANTS",  "Tensor", "List",
        "Dict",      "Tuple", "Optional", "NamedTuple", "number", "Device",
        "NoneType",  "Any",   "Union",    "Final",      "Enum",   "Future"};
    static const char *const words[] = {"annotate", "unchecked_cast",
                                        "uninitialized"};
    struct py *py = &s->t->py;
    struct table *names;

    s->globals = py_scope(py, NULL);
    if (!s->globals)
        return false;
    names = &s->globals->names;
    for (size_t i = 0; i < COUNT(spaces); i++)
        if (!table_set(py, names, str_from_cstr(spaces[i]),
                       py_space(py, str_from_cstr(spaces[i]))))
            return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if (!table_set(py, names, str_from_cstr(words[i]),
                       find_prim(py, str_from_cstr(words[i]))))
            return false;
    return table_set(py, names, STR("__annotations__"), py_dict(py)) &&
           table_set(py, names, STR("Module"),
                     library_find(py, STR("Module"))) &&
           table_set(py, names, STR("inf"), py_float(py, (double)INFINITY)) &&
           table_set(py, names, STR("nan"), py_float(py, (double)NAN));
}

static struct val *make_script(struct trace *t, struct program *p)
{
    struct script *s = (struct script *)p;

    s->t = t;
    s->files = (struct table){.n = 0};
    s->constants_value = NULL;
    t->names = find_name;
    t->names_data = s;
    if (!language(s))
        return NULL;
    return module_value(t, p, p->root, script_class);
}

/* Parameters of the object tree, counted once each. */
static void count_parameters(struct torch_file *f, const struct pickle *v,
                             struct import *out, int depth)
{
    if (!v || depth > 40 || f->work++ > TORCH_MAX_WORK)
        return;
    if (torch_is_tensor(v)) {
        struct tensor t;
        struct err none = {0}, *kept = f->err;
        f->err = &none;
        if (v->made_for != out && torch_tensor(f, v, &t) == ERR_OK) {
            out->report.parameters += t.count;
            ((struct pickle *)(uintptr_t)v)->made_for = out;
        }
        f->err = kept;
        return;
    }
    if (v->kind == PICKLE_OBJECT) {
        struct str name = pickle_name(v);
        const char *dot = memrchr(name.p, '.', name.n);
        import_saw(out,
                   dot ? str_slice(name, (size_t)(dot - name.p) + 1, name.n)
                       : name);
    }
    for (size_t i = 0; v->kind != PICKLE_CALL && i < v->n; i++)
        count_parameters(f, v->items[i], out, depth + 1);
    count_parameters(f, v->state, out, depth + 1);
}

enum errc script_import(struct torch_file *f, const struct pickle *root,
                        struct import *out, struct err *err)
{
    struct script s = {.p = {.arena = out->arena,
                             .file = f,
                             .root = root,
                             .out = out,
                             .err = err,
                             .make = make_script}};

    count_parameters(f, root, out, 0);
    return program_run(&s.p);
}
