/* The replies of TensorFlow Serving: rows, columns, classes, numbers. */
#include <string.h>

#include "codec/json_tensor.h"
#include "serve/tfs_internal.h"
#include "serve/value_json.h"

/* Names that end in _bytes promise bytes, and those travel as base64. */
static bool is_bytes_name(const char *name)
{
    size_t n = strlen(name);
    return n >= 6 && strcmp(name + n - 6, "_bytes") == 0;
}

static int64_t rows_of(const struct value *v)
{
    if (v->kind == VALUE_SEQUENCE)
        return (int64_t)v->n;
    return v->kind == VALUE_TENSOR && v->tensor.shape.rank > 0
               ? v->tensor.shape.dim[0]
               : -1;
}

static void put_row(struct buf *b, const struct value *v, int64_t row, bool b64)
{
    if (v->kind == VALUE_SEQUENCE) {
        value_json_member(b, v, (size_t)row);
        return;
    }
    struct shape shape = {.rank = v->tensor.shape.rank - 1};
    size_t per_row = v->tensor.count / (size_t)v->tensor.shape.dim[0];
    memcpy(shape.dim, v->tensor.shape.dim + 1,
           (size_t)shape.rank * sizeof(shape.dim[0]));
    json_tensor_write(b, v->tensor.type,
                      (const char *)v->tensor.data +
                          (size_t)row * per_row * elements_size(v->tensor.type),
                      &shape, b64);
}

/* One output stands alone, several are members of an object. */
static void put_name(struct buf *b, const struct model_spec *spec, size_t i)
{
    if (spec->n_outputs == 1)
        return;
    buf_puts(b, i ? "," : "");
    buf_put_quoted(b, str_from_cstr(spec->outputs[i].name));
    buf_putc(b, ':');
}

static enum errc encode_rows(struct infer *r, const struct value *outputs,
                             struct err *err)
{
    const struct model_spec *spec = r->model->spec;
    struct buf *b = http_out(r->http);
    int64_t rows = rows_of(&outputs[0]);

    for (size_t i = 0; i < spec->n_outputs; i++)
        if (rows_of(&outputs[i]) != rows || rows < 0)
            return err_set(err, ERR_INVALID,
                           "Tensor name: %s has inconsistent batch size: %lld "
                           "expecting %lld; use 'inputs' instead of "
                           "'instances'",
                           spec->outputs[i].name,
                           (long long)rows_of(&outputs[i]), (long long)rows);
    buf_puts(b, "{\"predictions\":[");
    for (int64_t row = 0; row < rows; row++) {
        buf_puts(b, row ? "," : "");
        if (spec->n_outputs > 1)
            buf_putc(b, '{');
        for (size_t i = 0; i < spec->n_outputs; i++) {
            const char *name = spec->outputs[i].name;
            put_name(b, spec, i);
            put_row(b, &outputs[i], row, is_bytes_name(name));
        }
        if (spec->n_outputs > 1)
            buf_putc(b, '}');
    }
    buf_puts(b, "]}");
    return ERR_OK;
}

static void encode_columns(struct infer *r, const struct value *outputs)
{
    const struct model_spec *spec = r->model->spec;
    struct buf *b = http_out(r->http);

    buf_puts(b, "{\"outputs\":");
    if (spec->n_outputs > 1)
        buf_putc(b, '{');
    for (size_t i = 0; i < spec->n_outputs; i++) {
        const char *name = spec->outputs[i].name;
        put_name(b, spec, i);
        value_json_write(b, &outputs[i], is_bytes_name(name));
    }
    if (spec->n_outputs > 1)
        buf_putc(b, '}');
    buf_putc(b, '}');
}

static enum errc finish(struct infer *r, struct err *err)
{
    r->http->content_type = "application/json";
    return http_out(r->http)->failed
               ? err_set(err, ERR_NOMEM, "out of memory for the reply")
               : ERR_OK;
}

enum errc tfs_encode_predict(struct infer *r, const struct value *outputs,
                             struct err *err)
{
    if (r->columnar) {
        encode_columns(r, outputs);
    } else {
        enum errc rc = encode_rows(r, outputs, err);
        if (rc)
            return rc;
    }
    return finish(r, err);
}

/* The output that has the scores: a map of them, or numbers. */
static int score_output(const struct infer *r, const struct value *outputs)
{
    for (size_t i = r->model->spec->n_outputs; i-- > 0;)
        if (outputs[i].kind == VALUE_SEQUENCE ||
            (outputs[i].kind == VALUE_TENSOR &&
             dtype_is_float(outputs[i].tensor.type)))
            return (int)i;
    return -1;
}

static void put_class(struct buf *b, struct str label, enum dtype type,
                      const void *score)
{
    struct shape one = {0};

    buf_putc(b, '[');
    buf_put_quoted(b, label);
    buf_putc(b, ',');
    json_tensor_write(b, type, score, &one, false);
    buf_putc(b, ']');
}

static void put_map_classes(struct buf *b, const struct value *map)
{
    const struct tensor *keys = &map->items[0].tensor;
    const struct tensor *values = &map->items[1].tensor;

    for (size_t i = 0; map->n == 2 && i < values->count; i++) {
        char text[24];
        struct str label;
        if (keys->type == DTYPE_STRING) {
            label = ((const struct str *)keys->data)[i];
        } else {
            struct buf n;
            buf_init(&n, 24);
            buf_put_i64(&n, ((const int64_t *)keys->data)[i]);
            memcpy(text, n.p, n.n);
            label = (struct str){text, n.n};
            buf_fini(&n);
        }
        buf_puts(b, i ? "," : "");
        put_class(b, label, values->type,
                  (const char *)values->data + i * elements_size(values->type));
    }
}

enum errc tfs_encode_classify(struct infer *r, const struct value *outputs,
                              struct err *err)
{
    struct buf *b = http_out(r->http);
    int k = score_output(r, outputs);
    int64_t rows = k < 0 ? -1 : rows_of(&outputs[k]);

    if (rows < 0)
        return err_set(err, ERR_INVALID,
                       "the model has no output of scores by row, which "
                       ":classify needs");
    const struct value *v = &outputs[k];
    size_t size = elements_size(v->tensor.type);
    size_t width =
        v->kind == VALUE_TENSOR && rows ? v->tensor.count / (size_t)rows : 0;
    buf_puts(b, "{\"results\":[");
    for (int64_t row = 0; row < rows; row++) {
        buf_puts(b, row ? ",[" : "[");
        if (v->kind == VALUE_SEQUENCE)
            put_map_classes(b, &v->items[row]);
        for (size_t i = 0; i < width; i++) {
            struct str label =
                i < r->model->n_labels[k] ? r->model->labels[k][i] : STR("");
            buf_puts(b, i ? "," : "");
            put_class(b, label, v->tensor.type,
                      (const char *)v->tensor.data +
                          ((size_t)row * width + i) * size);
        }
        buf_putc(b, ']');
    }
    buf_puts(b, "]}");
    return finish(r, err);
}

enum errc tfs_encode_regress(struct infer *r, const struct value *outputs,
                             struct err *err)
{
    struct buf *b = http_out(r->http);
    const struct tensor *t = &outputs[0].tensor;
    int64_t rows = rows_of(&outputs[0]);

    if (outputs[0].kind != VALUE_TENSOR || rows < 0 ||
        t->count != (size_t)rows || t->type == DTYPE_STRING)
        return err_set(err, ERR_INVALID,
                       "the model's first output is not one number per row, "
                       "which :regress needs");
    buf_puts(b, "{\"results\":[");
    json_tensor_write_flat(b, t->type, t->data, t->count);
    buf_puts(b, "]}");
    return finish(r, err);
}
