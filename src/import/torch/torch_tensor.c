#include <stdio.h>
#include <string.h>

#include "import/torch/torch_internal.h"

static const struct {
    const char *name;
    enum dtype type;
} storage_types[] = {
    {"torch.FloatStorage", DTYPE_F32},
    {"torch.DoubleStorage", DTYPE_F64},
    {"torch.HalfStorage", DTYPE_F16},
    {"torch.BFloat16Storage", DTYPE_BF16},
    {"torch.LongStorage", DTYPE_I64},
    {"torch.IntStorage", DTYPE_I32},
    {"torch.ShortStorage", DTYPE_I16},
    {"torch.CharStorage", DTYPE_I8},
    {"torch.ByteStorage", DTYPE_U8},
    {"torch.BoolStorage", DTYPE_BOOL},
    {"torch.QInt8Storage", DTYPE_I8},
    {"torch.QUInt8Storage", DTYPE_U8},
    {"torch.QInt32Storage", DTYPE_I32},
    /* element types, of _rebuild_tensor_v3 */
    {"torch.float32", DTYPE_F32},
    {"torch.float64", DTYPE_F64},
    {"torch.float16", DTYPE_F16},
    {"torch.bfloat16", DTYPE_BF16},
    {"torch.int64", DTYPE_I64},
    {"torch.int32", DTYPE_I32},
    {"torch.int16", DTYPE_I16},
    {"torch.int8", DTYPE_I8},
    {"torch.uint8", DTYPE_U8},
    {"torch.bool", DTYPE_BOOL},
    {"torch.uint16", DTYPE_U16},
    {"torch.uint32", DTYPE_U32},
    {"torch.uint64", DTYPE_U64},
};

static enum dtype type_of(const struct pickle *v)
{
    for (size_t i = 0; i < COUNT(storage_types); i++)
        if (pickle_named(v, storage_types[i].name))
            return storage_types[i].type;
    return DTYPE_NONE;
}

static bool is_parameter(const struct pickle *v)
{
    return pickle_named(v, "torch._utils._rebuild_parameter") ||
           pickle_named(v, "torch._utils._rebuild_parameter_with_state") ||
           pickle_named(v, "torch.nn.parameter.Parameter");
}

static bool is_rebuilt(const struct pickle *v)
{
    return pickle_named(v, "torch._utils._rebuild_tensor_v2") ||
           pickle_named(v, "torch._utils._rebuild_tensor") ||
           pickle_named(v, "torch._utils._rebuild_tensor_v3");
}

bool torch_is_tensor(const struct pickle *v)
{
    if (v && is_parameter(v))
        v = pickle_at(v->args, 0);
    return v && is_rebuilt(v);
}

enum errc torch_entry(struct torch_file *f, const char *name, size_t max,
                      struct str *out)
{
    char full[1024];
    const struct zip_entry *e = NULL;

    if (snprintf(full, sizeof(full), STR_FMT "%s", STR_ARG(f->folder), name) <
        (int)sizeof(full))
        e = zip_find(f->zip, full);
    *out = (struct str){NULL, 0};
    return e ? zip_read(e, max, f->arena, out, f->err) : ERR_OK;
}

static enum errc storage_bytes(struct torch_file *f, struct str key,
                               struct str *out)
{
    char name[256];

    *out = (struct str){NULL, 0};
    if (!f->zip) {
        for (size_t i = 0; i < f->n_storages; i++)
            if (str_eq(f->storages[i].key, key))
                *out = f->storages[i].bytes;
    } else {
        if (key.n > 200 || memchr(key.p, '/', key.n) || key.n == 0)
            return err_set(f->err, ERR_INVALID, "a storage has a bad name");
        (void)snprintf(name, sizeof(name), "%s" STR_FMT, f->data, STR_ARG(key));
        enum errc rc = torch_entry(f, name, SIZE_MAX / 4, out);
        if (rc)
            return rc;
    }
    if (!out->p)
        return err_set(f->err, ERR_INVALID,
                       "the storage '" STR_FMT "' is not in the file",
                       STR_ARG(key));
    return ERR_OK;
}

static bool read_dims(const struct pickle *v, int64_t *out, int *rank)
{
    if (pickle_named(v, "torch.Size"))
        v = pickle_at(v->args, 0);
    if (!v || v->n > SHAPE_MAX_RANK ||
        (v->kind != PICKLE_TUPLE && v->kind != PICKLE_LIST))
        return false;
    for (size_t i = 0; i < v->n; i++) {
        if (!pickle_is(v->items[i], PICKLE_INT) || v->items[i]->whole < 0)
            return false;
        out[i] = v->items[i]->whole;
    }
    *rank = (int)v->n;
    return true;
}

/* Elements from `from` on that the view reaches; false: not a sane view. */
static bool reach_of(const struct shape *s, const int64_t *stride,
                     uint64_t *reach)
{
    uint64_t last = 0;

    for (int i = 0; i < s->rank; i++) {
        uint64_t step;
        if (s->dim[i] == 0) {
            *reach = 0;
            return true;
        }
        if (__builtin_mul_overflow((uint64_t)(s->dim[i] - 1),
                                   (uint64_t)stride[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    }
    *reach = last + 1;
    return last < UINT64_MAX / 16;
}

static bool in_order(const struct shape *s, const int64_t *stride)
{
    int64_t expected = 1;

    for (int i = s->rank; i-- > 0;) {
        if (s->dim[i] != 1 && stride[i] != expected)
            return false;
        expected *= s->dim[i] ? s->dim[i] : 1;
    }
    return true;
}

/* The elements of a view, in row-major order. */
static void *materialised(struct torch_file *f, const struct tensor *t,
                          const int64_t *stride, const char *from)
{
    size_t size = dtype_size(t->type);
    char *out = arena_bytes(f->arena, t->count * size + 1);
    int64_t at[SHAPE_MAX_RANK] = {0};
    uint64_t offset = 0;

    for (size_t i = 0; out && i < t->count; i++) {
        memcpy(out + i * size, from + offset * size, size);
        for (int d = t->shape.rank; d-- > 0;) {
            offset += (uint64_t)stride[d];
            if (++at[d] < t->shape.dim[d])
                break;
            offset -= (uint64_t)stride[d] * (uint64_t)t->shape.dim[d];
            at[d] = 0;
        }
    }
    return out;
}

enum errc torch_view(struct torch_file *f, struct str bytes,
                     const int64_t *stride, int64_t offset, struct tensor *out)
{
    size_t size = dtype_size(out->type);
    uint64_t reach;
    int64_t count;

    if (size == 0 || offset < 0 || !shape_count(&out->shape, &count) ||
        !reach_of(&out->shape, stride, &reach) ||
        (uint64_t)offset > bytes.n / size ||
        reach > bytes.n / size - (uint64_t)offset ||
        (uint64_t)count > bytes.n * 64)
        return err_set(f->err, ERR_INVALID,
                       "a tensor reaches beyond its storage");
    out->count = (size_t)count;
    const char *from = bytes.p + (size_t)offset * size;
    if (in_order(&out->shape, stride) && (uintptr_t)from % size == 0)
        out->data = (void *)(uintptr_t)from;
    else
        out->data = materialised(f, out, stride, from);
    return out->data ? ERR_OK : err_set(f->err, ERR_NOMEM, "out of memory");
}

enum errc torch_tensor(struct torch_file *f, const struct pickle *v,
                       struct tensor *out)
{
    int64_t stride[SHAPE_MAX_RANK];
    int ranks;
    struct str bytes;

    if (is_parameter(v))
        v = pickle_at(v->args, 0);
    const struct pickle *a = v ? v->args : NULL;
    const struct pickle *storage = pickle_at(a, 0), *offset = pickle_at(a, 1);
    const struct pickle *id =
        pickle_is(storage, PICKLE_PERSISTENT) ? storage->args : NULL;
    *out = (struct tensor){.type = DTYPE_NONE};
    bool v3 = pickle_named(v, "torch._utils._rebuild_tensor_v3");
    out->type = type_of(v3 ? pickle_at(a, 6) : pickle_at(id, 1));
    if (!pickle_is(pickle_at(id, 2), PICKLE_STR) ||
        !pickle_is(offset, PICKLE_INT) || offset->whole < 0 ||
        !read_dims(pickle_at(a, 2), out->shape.dim, &out->shape.rank) ||
        !read_dims(pickle_at(a, 3), stride, &ranks) || ranks != out->shape.rank)
        return err_set(f->err, ERR_INVALID, "a tensor is described wrongly");
    if (out->type == DTYPE_NONE)
        return err_set(
            f->err, ERR_UNSUPPORTED,
            "a tensor has elements of the type '" STR_FMT "'",
            STR_ARG(pickle_name(v3 ? pickle_at(a, 6) : pickle_at(id, 1))));
    enum errc rc = storage_bytes(f, pickle_at(id, 2)->text, &bytes);
    if (rc)
        return rc;
    return torch_view(f, bytes, stride, offset->whole, out);
}
