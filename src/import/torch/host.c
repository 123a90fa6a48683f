#include "import/torch/host.h"

#include <stdio.h>
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/unknowns.h"

/* ---- operators as values ------------------------------------------------- */

static struct val *call_operator(struct py *py, struct val *f,
                                 const struct args *a)
{
    return aten_run(py, f->as.builtin.data, a);
}

/* x.relu_(): x takes the value. */
static struct val *call_in_place(struct py *py, struct val *f,
                                 const struct args *a)
{
    const struct aten *op = f->as.builtin.data;
    struct val *out = aten_run(py, op, a);
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;
    struct trace *t = trace_of(py);

    if (!out || !x || !ten_of(out))
        return py->failed
                   ? NULL
                   : py_fail(py, ERR_INVALID, "%s_() needs a tensor", op->name);
    ten_set(t, x, ten_cast(t, ten_of(out), x->type));
    return a->pos[0];
}

struct val *torch_function(struct py *py, struct str name)
{
    const struct aten *op = aten_find(name);

    if (op) {
        struct val *maker = torch_array_maker(py, op);
        return maker || py->failed
                   ? maker
                   : py_builtin(py, op->name, call_operator, op);
    }
    if (name.n > 1 && name.p[name.n - 1] == '_') {
        op = aten_find(str_slice(name, 0, name.n - 1));
        if (op)
            return py_builtin(py, op->name, call_in_place, op);
    }
    return torch_query(py, name);
}

/* ---- the library --------------------------------------------------------- */

struct val *library_find(struct py *py, struct str name)
{
    struct trace *t = trace_of(py);

    return t->library ? table_find(&t->library->names, name) : NULL;
}

struct klass *library_class(struct py *py, struct str path)
{
    struct str last = str_behind_last(path, '.');
    struct val *v = NULL;
    char full[160];

    if (last.n < path.n) { /* "mobilenetv3_InvertedResidual" */
        struct str module =
            str_behind_last(str_slice(path, 0, path.n - last.n - 1), '.');
        int n = snprintf(full, sizeof(full), "%.*s_%.*s",
                         module.n < 70 ? (int)module.n : 70, module.p,
                         last.n < 70 ? (int)last.n : 70, last.p);
        v = library_find(py, (struct str){full, (size_t)n});
    }
    v = v ? v : library_find(py, last);

    return v && v->kind == VAL_CLASS ? v->as.klass : NULL;
}

static bool under(struct str path, const char *prefix)
{
    return str_starts(path, str_from_cstr(prefix));
}

static bool is_type_name(struct py *py, struct str path)
{
    struct val v = {.kind = VAL_SPACE, .as.text = path};
    (void)py;

    return aten_type(&v) != DTYPE_NONE &&
           !str_eq(str_behind_last(path, '.'), STR("Tensor")) &&
           !memmem(path.p, path.n, "Tensor", 6);
}

/* Functions of the library are called torch_NAME or functional_NAME where an
 * operator of the same name has other arguments. */
static struct val *library_function(struct py *py, const char *prefix,
                                    struct str name)
{
    char full[100];
    int n = snprintf(full, sizeof(full), "%s_" STR_FMT, prefix,
                     STR_ARG(name.n < 80 ? name : STR("?")));

    return library_find(py, (struct str){full, (size_t)n});
}

/* Functions of numpy with which constructors make small arrays. */
static bool is_array_function(struct str name)
{
    static const char *const names[] = {"linspace", "arange", "zeros", "ones",
                                        "full",     "eye",    "tensor"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_from_cstr(names[i])))
            return true;
    return false;
}

/* Other packages of which library/{standard,packages,transformers}.py have a
 * part. */
static struct val *package_name(struct py *py, struct str path, struct str last)
{
    static const struct {
        const char *path, *prefix;
    } packages[] = {{"math.", "math"},
                    {"itertools.chain.", "itertools_chain"},
                    {"itertools.", "itertools"},
                    {"operator.", "operator"},
                    {"collections.", "collections"},
                    {"string.", "string"},
                    {"dataclasses.", "dataclasses"},
                    {"types.", "types"},
                    {"easydict.", "easydict"},
                    {"torch.autograd.", "autograd"},
                    {"torch.sparse.", "sparse"},
                    {"torch.distributions.", "distributions"},
                    {"torch.hub.", "hub"},
                    {"argparse.", "argparse"},
                    {"numpy.", "numpy"},
                    {"einops.", "einops"},
                    {"timm.", "timm"},
                    {"transformers.", "transformers"},
                    {"pytorch_lightning.", "lightning"},
                    {"lightning.", "lightning"}};

    for (size_t i = 0; i < COUNT(packages); i++)
        if (under(path, packages[i].path)) {
            struct val *v = library_function(py, packages[i].prefix, last);
            if (v && str_eq(str_from_cstr(packages[i].prefix), STR("numpy")) &&
                aten_type(v) == DTYPE_NONE)
                return torch_on_array(py, v);
            if (v || py->failed)
                return v;
        }
    return NULL;
}

/* torch.optim.Adam(...) beside a model. */
static bool only_trains(struct str path)
{
    static const struct str names[] = {
        STR_INIT("torch.utils.data.DataLoader"),
        STR_INIT("torch.utils.tensorboard.SummaryWriter"),
        STR_INIT("torch.cuda.amp.GradScaler"),
        STR_INIT("torch.amp.GradScaler")};
    struct str last = str_behind_last(path, '.');

    if (under(path, "torch.optim.")) /* classes of it, not its modules */
        return last.p[0] >= 'A' && last.p[0] <= 'Z';
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(path, names[i]))
            return true;
    return false;
}

static struct val *find_name(struct py *py, struct str path)
{
    struct str last = str_behind_last(path, '.');
    struct trace *t = trace_of(py);
    /* The library's own texts mean PyTorch, whatever the front end adds. */
    struct val *v = t->names && !py->in_library ? t->names(py, path) : NULL;

    v = v || py->failed ? v : torch_answer(py, path);
    if (v || py->failed)
        return v;
    if (under(path, "numpy.") && is_array_function(last))
        return torch_function(py, last);
    v = package_name(py, path, last);
    if (v || py->failed)
        return v;
    if (!under(path, "torch"))
        return NULL;
    if (only_trains(path))
        return library_find(py, STR("Idle"));
    if (is_type_name(py, path) || str_eq(path, STR("torch.cuda")) ||
        str_eq(path, STR("torch.cpu")))
        return NULL; /* stays a name, also where tensors have such a method */
    if (str_eq(path, STR("torch.__version__")))
        return py_str(py, STR("2.6.0"));
    if (under(path, "torch.nn.functional."))
        v = library_function(py, "functional", last);
    if (!v && under(path, "torch.nn.utils.rnn."))
        v = library_function(py, "rnn", last);
    if (under(path, "torch.nn.utils.parametriz"))
        v = library_function(py, "parametrizations", last);
    if (!v && (under(path, "torch.nn.") || under(path, "torchvision.")))
        v = library_find(py, last);
    if (v || py->failed || under(path, "torchvision."))
        return v;
    if (under(path, "torch.nn.functional.") || under(path, "torch.Tensor.") ||
        under(path, "torch.special.") || under(path, "torch.linalg.") ||
        under(path, "torch.utils.checkpoint.") ||
        under(path, "torch._C._nn.") || under(path, "torch.fft.") ||
        memchr(path.p + 6 < path.p + path.n ? path.p + 6 : path.p, '.',
               path.n > 6 ? path.n - 6 : 0) == NULL) {
        v = library_function(py, "torch", last);
        if (!v && under(path, "torch.linalg."))
            v = library_function(py, "linalg", last);
        if (!v && under(path, "torch."))
            v = torch_function(py, last);
    }
    return v;
}

/* ---- the evaluator's questions ------------------------------------------- */

static struct val *attr_of_tuple(struct py *py, struct val *self,
                                 struct str name)
{
    (void)py;
    if (self->as.items.n == 2 && str_eq(name, STR("values")))
        return self->as.items.v[0];
    if (self->as.items.n == 2 && str_eq(name, STR("indices")))
        return self->as.items.v[1];
    if (str_eq(name, STR("numel")) || str_eq(name, STR("shape")))
        return NULL;
    return NULL;
}

static struct val *host_attr(struct py *py, struct val *self, struct str name)
{
    struct ten *x = ten_of(self);

    if (!x)
        return attr_of_tuple(py, self, name);
    ten_sync(trace_of(py), x);
    if (x->open.n && (str_eq(name, STR("shape")) || str_eq(name, STR("size")) ||
                      str_eq(name, STR("dim")) || str_eq(name, STR("ndim"))))
        return py_attr(py, py_unknown(py, x->open), name);
    if (str_eq(name, STR("shape")))
        return ten_shape_value(py, x);
    if (str_eq(name, STR("dtype")))
        return aten_type_value(py, x->type);
    if (str_eq(name, STR("ndim")))
        return py_int(py, x->shape.rank);
    if (str_eq(name, STR("device")))
        return py_space(py, STR("cpu"));
    if (str_eq(name, STR("data")))
        return self;
    if (str_eq(name, STR("grad")))
        return &py->none;
    if (str_eq(name, STR("requires_grad")))
        return &py->yes;
    if (str_eq(name, STR("is_cuda")) || str_eq(name, STR("is_nested")) ||
        str_eq(name, STR("is_sparse")) || str_eq(name, STR("is_quantized")) ||
        str_eq(name, STR("is_mps")))
        return &py->no;
    if (str_eq(name, STR("T")) || str_eq(name, STR("mT")))
        return aten_invoke(py, name.n == 1 ? "T" : "mT", 1, &self);
    struct val *f = library_function(py, "tensor", name);
    if (!f)
        f = torch_function(py, name);
    if (!f && !py->failed)
        f = library_function(py, "torch", name);
    return f ? py_bound(py, self, f) : NULL;
}

static const char *operator_name(enum py_op op)
{
    static const char *const names[] = {[OP_ADD] = "add",
                                        [OP_SUB] = "sub",
                                        [OP_MUL] = "mul",
                                        [OP_MATMUL] = "matmul",
                                        [OP_DIV] = "div",
                                        [OP_FLOORDIV] = "floor_divide",
                                        [OP_MOD] = "remainder",
                                        [OP_POW] = "pow",
                                        [OP_AND] = "bitwise_and",
                                        [OP_OR] = "bitwise_or",
                                        [OP_XOR] = "bitwise_xor",
                                        [OP_EQ] = "eq",
                                        [OP_NE] = "ne",
                                        [OP_LT] = "lt",
                                        [OP_LE] = "le",
                                        [OP_GT] = "gt",
                                        [OP_GE] = "ge"};

    return (size_t)op < COUNT(names) ? names[op] : NULL;
}

static struct val *host_binary(struct py *py, enum py_op op, struct val *a,
                               struct val *b)
{
    const char *name = operator_name(op);
    struct val *both[] = {a, b};
    bool other =
        (!ten_of(a) && !py_is_number(a)) || (!ten_of(b) && !py_is_number(b));

    if (other && (op == OP_EQ || op == OP_NE))
        return py_bool(py, op == OP_NE);
    if (!name || other)
        return py_fail(py, ERR_UNSUPPORTED,
                       "this operator is not known between a %s and a %s",
                       py_kind_name(a), py_kind_name(b));
    return aten_invoke(py, name, 2, both);
}

static struct val *host_in_place(struct py *py, enum py_op op, struct val *a,
                                 struct val *b)
{
    struct val *out = host_binary(py, op, a, b);
    struct ten *x = ten_of(a), *y = out ? ten_of(out) : NULL;

    if (!y || !shape_eq(&x->shape, &y->shape))
        return out;
    ten_set(trace_of(py), x, ten_cast(trace_of(py), y, x->type));
    return a;
}

static struct val *host_unary(struct py *py, enum py_op op, struct val *a)
{
    if (op == OP_POS)
        return a;
    return aten_invoke(py, op == OP_NEG ? "neg" : "bitwise_not", 1, &a);
}

static struct val *host_index(struct py *py, struct val *self, struct val *at)
{
    struct val *both[] = {self, at};

    return aten_invoke(py, "__getitem__", 2, both);
}

static bool host_set_index(struct py *py, struct val *self, struct val *at,
                           struct val *value)
{
    struct val *all[] = {self, at, value};

    return aten_invoke(py, "__setitem__", 3, all) != NULL;
}

static bool host_truth(struct py *py, struct val *self, bool *out)
{
    struct ten *x = ten_of(self);

    ten_sync(trace_of(py), x);
    if (x->data && ten_count(x) == 1) {
        *out = ten_f64(x, 0) != 0;
        return true;
    }
    (void)py_fail(py, ERR_UNSUPPORTED,
                  "the model's code branches on a tensor that depends on the "
                  "input");
    return false;
}

static struct val *host_list(struct py *py, struct val *self)
{
    return aten_invoke(py, "unbind", 1, &self);
}

/* A class of a package that is not here and that has a forward() is a module:
 * lightning.LightningModule, a BaseModel of the person's own. */
static struct klass *host_base(struct py *py, const struct klass *k)
{
    bool lightning = under(k->foreign, "pytorch_lightning.") ||
                     under(k->foreign, "lightning.") ||
                     under(k->foreign, "pl.");
    struct val *v;

    if (!lightning && !table_find(&k->attrs, STR("forward")))
        return NULL;
    v = library_find(py, lightning ? STR("lightning_LightningModule")
                                   : STR("Module"));
    return v && v->kind == VAL_CLASS ? v->as.klass : NULL;
}

static const struct py_host host = {
    .name = find_name,
    .attr = host_attr,
    .binary = host_binary,
    .in_place = host_in_place,
    .unary = host_unary,
    .index = host_index,
    .set_index = host_set_index,
    .truth = host_truth,
    .list = host_list,
    .settle = unknown_settle,
    .base = host_base,
};

enum errc library_parse(struct arena *arena, struct library *out,
                        struct err *err)
{
    out->n = 0;
    for (size_t i = 0; i < library_texts.n && i < COUNT(out->trees); i++) {
        struct str text = {library_texts.v[i].text, library_texts.v[i].n};
        enum errc rc = py_parse(text, arena, &out->trees[i], err);
        if (rc)
            return err_wrap(err, rc, "%s", library_texts.v[i].name);
        out->n++;
    }
    return ERR_OK;
}

bool trace_begin(struct trace *t, struct arena *arena,
                 const struct library *library, uint64_t steps, struct err *err)
{
    *t = (struct trace){.arena = arena, .err = err};
    t->g = arena_new(arena, struct graph, 1);
    if (!t->g)
        return err_set(err, ERR_NOMEM, "out of memory") == ERR_OK;
    graph_init(t->g, arena);
    if (!py_init(&t->py, &host, arena, steps, err))
        return false;
    t->py.host_data = t;
    t->library = py_scope(&t->py, NULL);
    for (size_t i = 0; t->library && i < library->n; i++)
        if (!py_load_parsed(&t->py, library->trees[i], t->library, PY_STRICT)) {
            err_prefix(err, ERR_INTERNAL, "%s", library_texts.v[i].name);
            return false;
        }
    t->py.steps = 0;
    t->py.line = 0;
    t->py.library = t->library;
    return t->library != NULL;
}
