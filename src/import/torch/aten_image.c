/* Resizing, sampling, rearranging of pixels. */
#include <math.h>
#include <string.h>

#include "import/torch/aten.h"

struct resize {
    struct ten *x;
    int n; /* spatial dimensions */
    int64_t size[3];
    double scale[3]; /* 0: from the sizes */
    const char *mode;
    bool corners;
};

/* The scale that makes `in` to exactly `out` where the runtime multiplies, in
 * single precision or in double, and rounds down. */
static float exact_scale(int64_t in, int64_t out, double wanted)
{
    float s = (float)(wanted > 0 ? wanted : (double)out / (double)in);

    for (int i = 0; i < 64 && ((int64_t)(s * (float)in) < out ||
                               (int64_t)((double)s * (double)in) < out);
         i++)
        s = nextafterf(s, INFINITY);
    for (int i = 0; i < 64 && (int64_t)(s * (float)in) > out; i++)
        s = nextafterf(s, 0);
    return s;
}

static struct val *resized(struct aten_call *c, struct resize *r)
{
    struct ten *x = r->x;
    struct shape s = x->shape;
    int rank = s.rank;
    bool line = r->n == 1; /* the runtime's linear needs two dimensions */
    void *data;

    if (rank != r->n + 2)
        return aten_fail(c, "the input has %d dimensions", rank);
    for (int i = 0; i < r->n; i++) {
        if (r->size[i] <= 0 || s.dim[2 + i] <= 0)
            return aten_fail(c, "a size must be positive");
        s.dim[2 + i] = r->size[i];
    }
    if (line)
        x = op_unsqueeze(c, x, 2);
    struct shape scales = {1, {x->shape.rank}};
    struct ten *factor = ten_room(c->t, DTYPE_F32, &scales, &data);
    for (int i = 0; data && i < x->shape.rank; i++) {
        int k = i - (x->shape.rank - r->n);
        ((float *)data)[i] =
            k < 0 ? 1.0F
                  : exact_scale(x->shape.dim[i], r->size[k], r->scale[k]);
    }
    const char *in[] = {ten_name(c->t, x), "", ten_name(c->t, factor)};
    struct graph_node *node = graph_node(c->g, "Resize", in, 3, 1);
    bool nearest = strcmp(r->mode, "nearest") == 0;
    attr_string(c->g, node, "mode", nearest ? "nearest" : r->mode);
    attr_string(c->g, node, "coordinate_transformation_mode",
                nearest      ? "asymmetric"
                : r->corners ? "align_corners"
                             : "half_pixel");
    if (nearest)
        attr_string(c->g, node, "nearest_mode", "floor");
    if (strcmp(r->mode, "cubic") == 0)
        attr_float(c->g, node, "cubic_coeff_a", -0.75);
    struct shape out = s;
    if (line)
        out = (struct shape){4, {s.dim[0], s.dim[1], 1, s.dim[2]}};
    struct ten *y = ten_node(c->t, node->out[0], x->type, &out);
    return give(c, line ? op_squeeze(c, y, 2) : y);
}

/* upsample_X(self, output_size, [align_corners,] scales...): scales one by
 * one, or as a list when the size is None. */
static struct val *upsample(struct aten_call *c)
{
    struct resize r = {.x = arg_ten(c, 0)};
    const char *digit = strpbrk(c->op->name, "123");
    bool nearest = strstr(c->op->name, "nearest") != NULL;
    size_t at = nearest ? 2 : 3;

    r.n = *digit - '0';
    r.mode = c->op->onnx;
    r.corners = !nearest && arg_bool(c, 2);
    if (r.x->shape.rank != r.n + 2)
        return aten_fail(c, "the input has %d dimensions", r.x->shape.rank);
    if (!arg_none(c, 1))
        arg_ints_n(c, 1, r.size, (size_t)r.n);
    struct val *list = c->a[at];
    for (int i = 0; i < r.n; i++) {
        struct val *v = list->kind == VAL_LIST || list->kind == VAL_TUPLE
                            ? (i < (int)list->as.items.n ? list->as.items.v[i]
                                                         : &c->py->none)
                            : c->a[at + (size_t)i];
        (void)(v && py_to_float(v, &r.scale[i]));
        if (arg_none(c, 1))
            r.size[i] =
                (int64_t)floor((double)r.x->shape.dim[2 + i] * r.scale[i]);
    }
    return resized(c, &r);
}

static struct val *pixel_shuffle(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t k = arg_int(c, 1);
    const char *in = ten_name(c->t, x);
    bool down = strcmp(c->op->name, "pixel_unshuffle") == 0;
    struct shape s = x->shape, six;

    if (s.rank != 4 || k <= 0 ||
        (down ? s.dim[2] % k || s.dim[3] % k : s.dim[1] % (k * k)))
        return aten_fail(c, "the sizes do not divide");
    if (down) { /* SpaceToDepth orders the channels otherwise */
        static const int64_t perm[] = {0, 1, 3, 5, 2, 4};
        six = (struct shape){
            6, {s.dim[0], s.dim[1], s.dim[2] / k, k, s.dim[3] / k, k}};
        x = ten_transpose(c->t, ten_reshape(c->t, x, &six), perm);
        s = (struct shape){
            4, {s.dim[0], s.dim[1] * k * k, s.dim[2] / k, s.dim[3] / k}};
        return give(c, ten_reshape(c->t, x, &s));
    }
    struct graph_node *node = graph_node(c->g, "DepthToSpace", &in, 1, 1);
    attr_int(c->g, node, "blocksize", k);
    attr_string(c->g, node, "mode", "CRD");
    s = (struct shape){
        4, {s.dim[0], s.dim[1] / (k * k), s.dim[2] * k, s.dim[3] * k}};
    return give_node(c, node->out[0], x->type, &s);
}

static struct val *channel_shuffle(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int64_t groups = arg_int(c, 1);
    struct shape s = x->shape, five = x->shape;

    if (s.rank < 3 || s.rank > 14 || groups <= 0 || s.dim[1] % groups)
        return aten_fail(c, "the channels do not divide");
    for (int i = five.rank++; i > 1; i--)
        five.dim[i] = five.dim[i - 1];
    five.dim[1] = groups;
    five.dim[2] = s.dim[1] / groups;
    x = op_swap(c, ten_reshape(c->t, x, &five), 1, 2);
    return give(c, ten_reshape(c->t, x, &s));
}

/* A number of TorchScript, or the name that F.grid_sample takes. */
static int choice(struct aten_call *c, size_t i, const char *const *names,
                  int n)
{
    if (c->a[i]->kind != VAL_STR)
        return (int)arg_int(c, i);
    for (int k = 0; k < n; k++)
        if (str_eq(c->a[i]->as.text, str_from_cstr(names[k])))
            return k;
    return -1;
}

static struct val *grid_sampler(struct aten_call *c)
{
    static const char *const modes[] = {"bilinear", "nearest", "bicubic"};
    static const char *const edges[] = {"zeros", "border", "reflection"};
    struct ten *x = arg_ten(c, 0), *grid = arg_ten(c, 1);
    int mode = choice(c, 2, modes, 3), edge = choice(c, 3, edges, 3);
    const char *in[] = {ten_name(c->t, x), ten_name(c->t, grid)};

    if (mode < 0 || mode > 2 || edge < 0 || edge > 2 || x->shape.rank != 4 ||
        grid->shape.rank != 4)
        return aten_fail(c, "this kind of sampling is not known");
    struct graph_node *node = graph_node(c->g, "GridSample", in, 2, 1);
    attr_string(c->g, node, "mode", modes[mode]);
    attr_string(c->g, node, "padding_mode", edges[edge]);
    attr_int(c->g, node, "align_corners", arg_bool(c, 4));
    struct shape s = {4,
                      {x->shape.dim[0], x->shape.dim[1], grid->shape.dim[1],
                       grid->shape.dim[2]}};
    return give_node(c, node->out[0], x->type, &s);
}

/* affine_grid_generator(theta, size, align_corners) in two dimensions */
static struct val *affine_grid(struct aten_call *c)
{
    struct ten *theta = arg_ten(c, 0);
    int64_t size[5];
    bool corners = arg_bool(c, 2);
    void *data;

    if (arg_ints(c, 1, size, 5) != 4 || theta->shape.rank != 3 ||
        size[2] <= 0 || size[3] <= 0 || size[2] * size[3] > 1 << 22)
        return aten_fail(c, "only grids of two dimensions are known");
    int64_t h = size[2], w = size[3];
    struct shape base = {2, {h * w, 3}};
    struct ten *grid = ten_room(c->t, DTYPE_F32, &base, &data);
    for (int64_t i = 0; data && i < h * w; i++) {
        double x = (double)(i % w), y = (double)(i / w);
        double dx = (double)w, dy = (double)h;
        float *row = (float *)data + i * 3;
        row[0] = (float)(corners ? (w > 1 ? 2 * x / (dx - 1) - 1 : 0)
                                 : (2 * x + 1) / dx - 1);
        row[1] = (float)(corners ? (h > 1 ? 2 * y / (dy - 1) - 1 : 0)
                                 : (2 * y + 1) / dy - 1);
        row[2] = 1;
    }
    struct ten *y = op_matmul(c, grid, op_swap(c, theta, 1, 2));
    struct shape s = {4, {theta->shape.dim[0], h, w, 2}};
    return give(c, ten_reshape(c->t, y, &s));
}

/* im2col(self, kernel_size, dilation, padding, stride): one strided slice for
 * each place of the kernel. */
static struct val *im2col(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0), *parts[1024];
    int64_t k[2], dilation[2], padding[2], stride[2], out[2];
    size_t n = 0;

    arg_ints_n(c, 1, k, 2);
    arg_ints_n(c, 2, dilation, 2);
    arg_ints_n(c, 3, padding, 2);
    arg_ints_n(c, 4, stride, 2);
    if (x->shape.rank != 4 || k[0] <= 0 || k[1] <= 0 || k[0] > 32 ||
        k[1] > 32 || stride[0] <= 0 || stride[1] <= 0)
        return aten_fail(c, "this window is not known");
    if (padding[0] || padding[1]) {
        struct val *sizes = py_list(c->py, VAL_LIST, 4);
        for (int i = 0; i < 4; i++)
            (void)py_append(c->py, sizes, py_int(c->py, padding[i < 2]));
        struct val *a[] = {c->a[0], sizes};
        x = ten_of(aten_invoke(c->py, "pad", 2, a));
        if (!x)
            return NULL;
    }
    struct shape in = x->shape;
    for (int i = 0; i < 2; i++) {
        out[i] = (in.dim[2 + i] - dilation[i] * (k[i] - 1) - 1) / stride[i] + 1;
        if (out[i] <= 0)
            return aten_fail(c, "the input is smaller than the window");
    }
    struct shape s = {4, {in.dim[0], in.dim[1], 1, out[0] * out[1]}};
    for (int64_t i = 0; i < k[0]; i++)
        for (int64_t j = 0; j < k[1]; j++) {
            int64_t y0 = i * dilation[0], x0 = j * dilation[1];
            struct ten *p = ten_slice(
                c->t, x, 2, y0, y0 + stride[0] * (out[0] - 1) + 1, stride[0]);
            p = ten_slice(c->t, p, 3, x0, x0 + stride[1] * (out[1] - 1) + 1,
                          stride[1]);
            parts[n++] = ten_reshape(c->t, p, &s);
        }
    struct ten *y = ten_concat(c->t, parts, n, 2);
    s = (struct shape){3,
                       {in.dim[0], in.dim[1] * k[0] * k[1], out[0] * out[1]}};
    return give(c, ten_reshape(c->t, y, &s));
}

/* x.unfold(dim, size, step): windows; their elements come last. */
static struct val *unfold(struct aten_call *c)
{
    struct ten *x = arg_ten(c, 0);
    int dim = arg_dim(c, 1, x->shape.rank);
    int64_t size = arg_int(c, 2), step = arg_int(c, 3);
    int64_t perm[SHAPE_MAX_RANK];
    void *data;

    if (size <= 0 || step <= 0 || x->shape.dim[dim] < size)
        return aten_fail(c, "the window is larger than the input");
    int64_t n = (x->shape.dim[dim] - size) / step + 1;
    struct shape s = {2, {n, size}};
    struct ten *at = ten_room(c->t, DTYPE_I64, &s, &data);
    for (int64_t i = 0; data && i < n * size; i++)
        ((int64_t *)data)[i] = i / size * step + i % size;
    struct ten *y = op_gather(c, x, at, dim);
    for (int i = 0; i < y->shape.rank; i++)
        perm[i] = i <= dim ? i : i + 1 < y->shape.rank ? i + 1 : dim + 1;
    return give(c, ten_transpose(c->t, y, perm));
}

const struct aten aten_image[] = {
    {"upsample_nearest1d", "self, output_size, a=None", upsample, "nearest"},
    {"upsample_nearest2d", "self, output_size, a=None, b=None", upsample,
     "nearest"},
    {"upsample_nearest3d", "self, output_size, a=None, b=None, c=None",
     upsample, "nearest"},
    {"upsample_linear1d", "self, output_size, align_corners, a=None", upsample,
     "linear"},
    {"upsample_bilinear2d", "self, output_size, align_corners, a=None, b=None",
     upsample, "linear"},
    {"upsample_trilinear3d",
     "self, output_size, align_corners, a=None, b=None, c=None", upsample,
     "linear"},
    {"upsample_bicubic2d", "self, output_size, align_corners, a=None, b=None",
     upsample, "cubic"},
    {"pixel_shuffle", "self, upscale_factor", pixel_shuffle, NULL},
    {"pixel_unshuffle", "self, downscale_factor", pixel_shuffle, NULL},
    {"channel_shuffle", "self, groups", channel_shuffle, NULL},
    {"grid_sampler",
     "input, grid, interpolation_mode=0, padding_mode=0, align_corners=False",
     grid_sampler, NULL},
    {"grid_sampler_2d",
     "input, grid, interpolation_mode=0, padding_mode=0, align_corners=False",
     grid_sampler, NULL},
    {"grid_sample", "input, grid, mode=0, padding_mode=0, align_corners=False",
     grid_sampler, NULL},
    {"affine_grid_generator", "theta, size, align_corners=False", affine_grid,
     NULL},
    {"affine_grid", "theta, size, align_corners=False", affine_grid, NULL},
    {"im2col", "self, kernel_size, dilation=1, padding=0, stride=1", im2col,
     NULL},
    {"unfold", "self, dimension, size, step", unfold, NULL},
    {NULL, NULL, NULL, NULL},
};
