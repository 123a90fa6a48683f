/* What a module keeps: parameters and buffers, and arrays that are not known
 * yet. An array of the source that nobody has (weights of words, the matrix of
 * a graph) stays an unknown value until a module keeps it; then it is a tensor
 * of whatever shape the file has under its name. Its sizes are unknown values
 * as others are. */
#include <string.h>

#include "import/torch/aten.h"
#include "import/torch/host.h"
#include "import/torch/unknowns.h"

/* An unknown array, as a tensor whose shape is open. */
static struct ten *open_tensor(struct py *py, const struct val *v)
{
    struct trace *t = trace_of(py);
    struct ten *x = ten_new(t, DTYPE_F32, &(struct shape){0});

    x->meta = true;
    x->open = v->as.text;
    return x;
}

/* nn.Parameter(x) is x, marked; parameters keep that mark. */
static struct val *keep(struct py *py, struct val *self, const struct args *a)
{
    const char *how = self->as.builtin.data;
    struct trace *t = trace_of(py);
    struct val *v = a->n    ? a->pos[0]
                    : a->kw ? table_find(a->kw, STR("data"))
                            : NULL;
    struct ten *x;

    if (v && v->kind == VAL_UNKNOWN && t->py.constructing) {
        struct val *known = unknown_settle(py, v->as.text, WANT_KNOWN, NULL);
        if (py->failed)
            return NULL;
        v = known ? known : ten_value(t, open_tensor(py, v));
    }
    if (v && v->kind == VAL_NONE)
        return v;
    x = v ? ten_of(v) : NULL;
    if (!x)
        return py_fail(py, ERR_INVALID, "a parameter must be a tensor");
    v = ten_value(t, x->open.n ? x : ten_copy(t, x));
    if (v)
        v->mark = (uint8_t)how[0];
    return v;
}

/* torch._stoker.array(x): n = x[0]; n += 1 leaves x as it is. */
static struct val *fn_array(struct py *py, struct val *self,
                            const struct args *a)
{
    struct ten *x = a->n ? ten_of(a->pos[0]) : NULL;
    (void)self;

    if (x)
        x->array = true;
    return a->n ? a->pos[0] : &py->none;
}

struct val *torch_keeper(struct py *py, struct str path)
{
    static const struct {
        const char *path, *mark;
    } keepers[] = {
        {"torch.nn.Parameter", "p"},      {"torch.nn.parameter.Parameter", "p"},
        {"torch.nn.Buffer", "b"},         {"torch._stoker.buffer", "b"},
        {"torch._stoker.transient", "t"}, /* persistent=False: not in files */
    };

    if (str_eq(path, STR("torch._stoker.array")))
        return py_builtin(py, "array", fn_array, NULL);
    for (size_t i = 0; i < COUNT(keepers); i++)
        if (str_eq(path, str_from_cstr(keepers[i].path)))
            return py_generic(py, keepers[i].path, keep, keepers[i].mark);
    return NULL;
}

/* ---- torch.tensor(x) of an unknown x ------------------------------------ */

/* torch.FloatTensor(x) is of x elements, or of those of x. */
static bool takes_sizes(const struct aten *op)
{
    return strstr(op->name, "Tensor") != NULL;
}

static struct val *run(struct py *py, struct val *self, const struct args *a)
{
    return aten_run(py, self->as.builtin.data, a);
}

static struct val *make_array(struct py *py, struct val *self,
                              const struct args *a)
{
    const struct aten *op = self->as.builtin.data;
    struct trace *t = trace_of(py);
    struct val *v = a->n ? a->pos[0] : NULL;

    if (v && v->kind == VAL_UNKNOWN && t->py.constructing && t->unknowns &&
        (takes_sizes(op) ? a->n == 1 && unknown_is_array(v->as.text)
                         : !unknown_is_number(t->unknowns, v->as.text)) &&
        !unknown_settle(py, v->as.text, WANT_KNOWN, NULL))
        return py->failed ? NULL : v;
    return py->failed ? NULL
                      : py_call(py, py_builtin(py, op->name, run, op), a);
}

/* ---- what is computed from an unknown array ----------------------------- */

static bool is_open_array(struct py *py, const struct val *v)
{
    struct trace *t = trace_of(py);
    struct str path = v->kind == VAL_UNKNOWN ? v->as.text : STR("");

    return path.n && t->py.constructing && t->unknowns &&
           (unknown_is_array(path) ||
            (memchr(path.p, ')', path.n) && !str_starts(path, STR("len(")))) &&
           !unknown_is_number(t->unknowns, path) &&
           !unknown_settle(py, path, WANT_KNOWN, NULL) && !py->failed;
}

/* An array of its own: of whatever shape it is, the file has it. */
static struct val *call_on_array(struct py *py, struct val *self,
                                 const struct args *a)
{
    struct val *first = a->n ? a->pos[0] : NULL;
    bool list = first && (first->kind == VAL_LIST || first->kind == VAL_TUPLE);

    if (first && is_open_array(py, first))
        return first;
    for (size_t i = 0; list && i < first->as.items.n; i++)
        if (is_open_array(py, first->as.items.v[i]))
            return first->as.items.v[i];
    return py->failed
               ? NULL
               : py_call(py, (struct val *)(uintptr_t)self->as.builtin.data, a);
}

struct val *torch_on_array(struct py *py, struct val *f)
{
    return py_generic(py, "array", call_on_array, f);
}

struct val *torch_array_maker(struct py *py, const struct aten *op)
{
    static const char *const names[] = {"tensor", "as_tensor",   "from_numpy",
                                        "Tensor", "FloatTensor", "LongTensor"};

    static const char *const of_arrays[] = {
        "sign", "abs",  "log",  "exp",     "sqrt", "diag",
        "triu", "tril", "flip", "inverse", "t",    "transpose"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(op->name, names[i]) == 0)
            return py_generic(py, op->name, make_array, op);
    for (size_t i = 0; i < COUNT(of_arrays); i++)
        if (strcmp(op->name, of_arrays[i]) == 0)
            return torch_on_array(py, py_builtin(py, op->name, run, op));
    return NULL;
}
