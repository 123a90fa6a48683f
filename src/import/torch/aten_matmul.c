/* Products of matrices. */
#include <string.h>

#include "import/torch/aten.h"

struct ten *op_matmul(struct aten_call *c, struct ten *x, struct ten *y)
{
    enum dtype type = promote(x, y);
    int rx = x->shape.rank, ry = y->shape.rank;
    struct shape a = {0}, b = {0}, s;

    x = ten_cast(c->t, x, type);
    y = ten_cast(c->t, y, type);
    int64_t inner_x = rx ? x->shape.dim[rx - 1] : -1;
    int64_t inner_y = ry ? y->shape.dim[ry > 1 ? ry - 2 : 0] : -2;
    for (int i = 0; i < rx - 2; i++)
        a.dim[a.rank++] = x->shape.dim[i];
    for (int i = 0; i < ry - 2; i++)
        b.dim[b.rank++] = y->shape.dim[i];
    if (inner_x != inner_y || !shape_broadcast(&a, &b, &s) || s.rank > 12) {
        struct buf text;
        buf_init(&text, 400);
        shape_format(&text, &x->shape, NULL);
        buf_puts(&text, " and ");
        shape_format(&text, &y->shape, NULL);
        (void)aten_fail(c, "matrices %.*s do not fit together", (int)text.n,
                        text.p);
        buf_fini(&text);
        return x;
    }
    if (rx > 1)
        s.dim[s.rank++] = x->shape.dim[rx - 2];
    if (ry > 1)
        s.dim[s.rank++] = y->shape.dim[ry - 1];
    return ten_node(
        c->t, graph_op2(c->g, "MatMul", ten_name(c->t, x), ten_name(c->t, y)),
        type, &s);
}

static struct val *matmul(struct aten_call *c)
{
    return give(c, op_matmul(c, arg_ten(c, 0), arg_ten(c, 1)));
}

static struct ten *transposed(struct aten_call *c, struct ten *x)
{
    return op_swap(c, x, x->shape.rank - 1, x->shape.rank - 2);
}

/* Gemm where it is one, so that the runtime packs the weight. */
static struct val *linear(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *w = arg_ten(c, 1);
    struct ten *bias = arg_ten_or_null(c, 2);

    if (x->type != w->type)
        return aten_fail(c, "the input is of the type %s and the weight %s",
                         dtype_oip(x->type), dtype_oip(w->type));
    if (x->shape.rank == 2 && w->shape.rank == 2 &&
        x->shape.dim[1] == w->shape.dim[1]) {
        const char *in[] = {ten_name(c->t, x), ten_name(c->t, w),
                            bias ? ten_name(c->t, bias) : ""};
        struct graph_node *node = graph_node(c->g, "Gemm", in, bias ? 3 : 2, 1);
        struct shape s = {2, {x->shape.dim[0], w->shape.dim[0]}};
        attr_int(c->g, node, "transB", 1);
        return give_node(c, node->out[0], x->type, &s);
    }
    if (w->shape.rank == 1)
        w = op_unsqueeze(c, w, 1);
    else
        w = transposed(c, w);
    struct ten *y = op_matmul(c, x, w);
    if (ten_of(c->a[1])->shape.rank == 1)
        y = op_squeeze(c, y, y->shape.rank - 1);
    return give(c, bias ? op2(c, "Add", y, bias) : y);
}

/* beta * input + alpha * a @ b */
static struct val *addmm(struct aten_call *c)
{
    struct ten *input = arg_ten(c, 0);
    struct ten *y = op_matmul(c, arg_ten(c, 1), arg_ten(c, 2));
    double beta = arg_float(c, 3), alpha = arg_float(c, 4);

    if (alpha != 1)
        y = op_number(c, "Mul", y, alpha);
    if (beta == 0)
        return give(c, y);
    if (beta != 1)
        input = op_number(c, "Mul", input, beta);
    return give(c, op2(c, "Add", input, y));
}

static struct val *outer(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);

    return give(c, op2(c, "Mul", op_unsqueeze(c, x, 1), op_unsqueeze(c, y, 0)));
}

/* The shape that the right side of the equation asks for. */
static bool einsum_shape(struct aten_call *c, struct str equation,
                         struct ten *const *list, size_t n, struct shape *out)
{
    int64_t size[128] = {0};
    struct str rest = equation, left = equation;
    const char *arrow = memmem(equation.p, equation.n, "->", 2);
    size_t k = 0;

    if (!arrow || memchr(equation.p, '.', equation.n)) {
        (void)aten_fail(c, "only equations with '->' and without '...'");
        return false;
    }
    left = str_slice(equation, 0, (size_t)(arrow - equation.p));
    rest = str_slice(equation, left.n + 2, equation.n);
    while (left.p && k < n) {
        struct str part = str_cut(&left, ',');
        int dim = 0;
        for (size_t i = 0; i < part.n; i++) {
            unsigned char letter = (unsigned char)part.p[i];
            if (letter == ' ' || letter >= 128)
                continue;
            if (dim >= list[k]->shape.rank)
                return aten_fail(c, "too many letters") != NULL;
            int64_t d = list[k]->shape.dim[dim++];
            size[letter] = d != 1 || !size[letter] ? d : size[letter];
        }
        k++;
    }
    *out = (struct shape){0};
    for (size_t i = 0; i < rest.n && out->rank < SHAPE_MAX_RANK; i++)
        if (rest.p[i] != ' ' && (unsigned char)rest.p[i] < 128)
            out->dim[out->rank++] = size[(unsigned char)rest.p[i]];
    return true;
}

static struct val *einsum(struct aten_call *c)
{
    struct str equation = arg_str(c, 0);
    struct val *list = c->a[1];
    const char *names[16];
    struct ten *tens[16];
    struct shape s;

    if (list->as.items.n == 1 && !ten_of(list->as.items.v[0]))
        list = py_members(c->py, list->as.items.v[0]);
    /* TorchScript and .pt2 write (equation, [tensors], path) */
    if (list && list->as.items.n == 2 && !ten_of(list->as.items.v[0]))
        list = list->as.items.v[0];
    size_t n = list ? list->as.items.n : 0;
    if (n == 0 || n > COUNT(tens))
        return aten_fail(c, "the tensors are missing");
    for (size_t i = 0; i < n; i++) {
        tens[i] = ten_of(list->as.items.v[i]);
        if (!tens[i])
            return aten_fail(c, "argument %zu is no tensor", i + 2);
        names[i] = ten_name(c->t, tens[i]);
    }
    if (!einsum_shape(c, equation, tens, n, &s))
        return NULL;
    struct graph_node *node = graph_node(c->g, "Einsum", names, n, 1);
    char *text = arena_cstr(c->t->arena, equation);
    attr_string(c->g, node, "equation", text ? text : "");
    return give_node(c, node->out[0], tens[0]->type, &s);
}

/* y[.., o] = sum_ij x1[.., i] w[o, i, j] x2[.., j] + b[o] */
static struct val *bilinear(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1), *w = arg_ten(c, 2);
    struct ten *bias = arg_ten_or_null(c, 3);
    struct shape flat = {2,
                         {w->shape.dim[0] * w->shape.dim[1], w->shape.dim[2]}};
    struct shape s = y->shape;

    /* x2 @ w' gives [.., o * i]; then multiplied with x1 and summed. */
    struct ten *z = op_matmul(c, y, transposed(c, ten_reshape(c->t, w, &flat)));
    s.dim[s.rank - 1] = w->shape.dim[0];
    s.dim[s.rank++] = w->shape.dim[1];
    z = ten_reshape(c->t, z, &s);
    z = op2(c, "Mul", z, op_unsqueeze(c, x, x->shape.rank - 1));
    int64_t last = -1;
    z = op_reduce(c, "ReduceSum", z, &last, 1, false);
    return give(c, bias ? op2(c, "Add", z, bias) : z);
}

static struct val *cosine(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);
    double eps = arg_float(c, 3);
    struct ten *dot = op2(c, "Mul", x, y);
    int64_t dim = arg_dim(c, 2, dot->shape.rank);

    dot = op_reduce(c, "ReduceSum", dot, &dim, 1, false);
    struct ten *a = op_reduce(c, "ReduceL2", x, &dim, 1, false);
    struct ten *b = op_reduce(c, "ReduceL2", y, &dim, 1, false);
    struct ten *low = ten_scalar(c->t, x->type, eps);
    return give(
        c, op2(c, "Div", dot,
               op2(c, "Mul", op2(c, "Max", a, low), op2(c, "Max", b, low))));
}

static struct val *pairwise(struct aten_call *c)
{
    struct ten *d = op2(c, "Sub", arg_ten(c, 0), arg_ten(c, 1));
    double p = arg_float(c, 2);
    int64_t last = -1;
    bool keep = arg_bool(c, 4);

    d = op_number(c, "Add", d, arg_float(c, 3));
    if (p == 2)
        return give(c, op_reduce(c, "ReduceL2", d, &last, 1, keep));
    d = op_reduce(c, "ReduceSum", op_number(c, "Pow", op1(c, "Abs", d), p),
                  &last, 1, keep);
    return give(c, op_number(c, "Pow", d, 1 / p));
}

/* Distances of all rows to all rows. */
static struct val *cdist(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *y = arg_ten(c, 1);
    int64_t last = -1;
    struct ten *d = op2(c, "Sub", op_unsqueeze(c, x, x->shape.rank - 1),
                        op_unsqueeze(c, y, y->shape.rank - 2));

    if (arg_float(c, 2) != 2)
        return aten_fail(c, "only p = 2");
    return give(c, op_reduce(c, "ReduceL2", d, &last, 1, false));
}

const struct aten aten_matmul[] = {
    {"matmul", "self, other", matmul, NULL},
    {"mm", "self, mat2", matmul, NULL},
    {"bmm", "self, mat2", matmul, NULL},
    {"mv", "self, vec", matmul, NULL},
    {"dot", "self, tensor", matmul, NULL},
    {"linear", "input, weight, bias=None", linear, NULL},
    {"addmm", "self, mat1, mat2, beta=1, alpha=1", addmm, NULL},
    {"addmv", "self, mat, vec, beta=1, alpha=1", addmm, NULL},
    {"baddbmm", "self, batch1, batch2, beta=1, alpha=1", addmm, NULL},
    {"outer", "self, vec2", outer, NULL},
    {"ger", "self, vec2", outer, NULL},
    {"einsum", "equation, *operands", einsum, NULL},
    {"bilinear", "input1, input2, weight, bias=None", bilinear, NULL},
    {"cosine_similarity", "x1, x2, dim=1, eps=1e-8", cosine, NULL},
    {"pairwise_distance", "x1, x2, p=2.0, eps=1e-6, keepdim=False", pairwise,
     NULL},
    {"cdist", "x1, x2, p=2.0, compute_mode=None", cdist, NULL},
    {NULL, NULL, NULL, NULL},
};
