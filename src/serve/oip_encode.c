/* The infer reply: JSON, binary, classes. */
#include <string.h>

#include "codec/json_tensor.h"
#include "codec/number.h"
#include "serve/oip_internal.h"
#include "serve/value_json.h"

/* Anything as a tensor: a sequence of maps becomes BYTES with a JSON text per
 * member, because the protocol has nothing else to put it in. */
static bool as_tensor(struct infer *r, const struct value *v,
                      struct tensor *out)
{
    struct arena *arena = &r->http->arena;

    if (v->kind == VALUE_TENSOR && v->tensor.type != DTYPE_NONE) {
        *out = v->tensor;
        return true;
    }
    size_t n = v->kind == VALUE_SEQUENCE ? v->n : 1;
    struct str *texts = arena_new(arena, struct str, n + 1);
    if (!texts)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct buf b;
        buf_init(&b, 1 << 30);
        if (v->kind == VALUE_SEQUENCE)
            value_json_member(&b, v, i);
        else
            value_json_write(&b, v, false);
        texts[i].n = b.n;
        texts[i].p = b.failed ? NULL : arena_cstr(arena, buf_str(&b));
        buf_fini(&b);
        if (!texts[i].p)
            return false;
    }
    *out = (struct tensor){.type = DTYPE_STRING,
                           .shape = {1, {(int64_t)n}},
                           .count = n,
                           .data = texts};
    return true;
}

static double score_at(const struct tensor *t, size_t i)
{
    char text[NUMBER_TEXT_MAX];
    struct buf b;
    double v = 0;
    struct shape one = {0};

    switch ((int)t->type) {
    case DTYPE_F32:
        return (double)((const float *)t->data)[i];
    case DTYPE_F64:
        return ((const double *)t->data)[i];
    default:
        break;
    }
    buf_init(&b, 256);
    json_tensor_write(&b, t->type,
                      (const char *)t->data + i * dtype_size(t->type), &one,
                      false);
    memset(text, 0, sizeof(text));
    memcpy(text, b.p ? b.p : "", b.n < sizeof(text) - 17 ? b.n : 0);
    const char *p = text;
    (void)number_read_f64(&p, text + strlen(text), &v);
    buf_fini(&b);
    return v;
}

/* Triton writes scores as printf's %f. */
static struct str class_text(struct infer *r, const struct tensor *t,
                             size_t row, size_t index, int output)
{
    const struct served *m = r->model;
    struct buf b;

    buf_init(&b, 4096);
    if (dtype_is_float(t->type))
        buf_printf(&b, "%f:%zu", score_at(t, row + index), index);
    else
        buf_printf(&b, "%.0f:%zu", score_at(t, row + index), index);
    if (index < m->n_labels[output]) {
        buf_putc(&b, ':');
        buf_put(&b, m->labels[output][index]);
    }
    struct str out = {arena_cstr(&r->http->arena, buf_str(&b)), b.n};
    buf_fini(&b);
    return out;
}

/* The k best of each row, best first, as "score:index[:label]". */
static bool classify(struct infer *r, int output, size_t k, struct tensor *t)
{
    bool batched = t->shape.rank > 1;
    size_t rows = batched ? (size_t)t->shape.dim[0] : 1;
    size_t width = rows ? t->count / rows : 0;
    struct str *texts;
    bool *used;

    if (t->type == DTYPE_STRING)
        return true;
    k = k < width ? k : width;
    texts = arena_new(&r->http->arena, struct str, rows * k + 1);
    used = arena_new(&r->http->arena, bool, width + 1);
    if (!texts || !used)
        return false;
    for (size_t row = 0; row < rows; row++) {
        memset(used, 0, width);
        for (size_t i = 0; i < k; i++) {
            size_t best = width;
            for (size_t c = 0; c < width; c++)
                if (!used[c] &&
                    (best == width || score_at(t, row * width + c) >
                                          score_at(t, row * width + best)))
                    best = c;
            used[best] = true;
            texts[row * k + i] = class_text(r, t, row * width, best, output);
            if (!texts[row * k + i].p)
                return false;
        }
    }
    *t =
        (struct tensor){.type = DTYPE_STRING, .count = rows * k, .data = texts};
    t->shape.rank = batched ? 2 : 1;
    t->shape.dim[0] = (int64_t)(batched ? rows : k);
    t->shape.dim[1] = (int64_t)k;
    return true;
}

static size_t binary_size(const struct tensor *t)
{
    size_t n = 0;

    if (t->type != DTYPE_STRING)
        return tensor_bytes(t);
    for (size_t i = 0; i < t->count; i++)
        n += 4 + ((const struct str *)t->data)[i].n;
    return n;
}

static void put_binary(struct buf *b, const struct tensor *t)
{
    if (t->type != DTYPE_STRING) {
        buf_put(b, (struct str){t->data, tensor_bytes(t)});
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        struct str s = ((const struct str *)t->data)[i];
        uint32_t n = (uint32_t)s.n;
        buf_put(b, (struct str){(const char *)&n, sizeof(n)});
        buf_put(b, s);
    }
}

static void put_output(struct buf *b, const struct io_spec *io,
                       const struct tensor *t, bool binary)
{
    buf_puts(b, "{\"name\":");
    buf_put_quoted(b, str_from_cstr(io->name));
    buf_printf(b, ",\"datatype\":\"%s\",\"shape\":", dtype_oip(t->type));
    shape_format(b, &t->shape, NULL);
    if (binary) {
        buf_puts(b, ",\"parameters\":{\"binary_data_size\":");
        buf_put_u64(b, binary_size(t));
        buf_puts(b, "}}");
    } else {
        buf_puts(b, ",\"data\":[");
        json_tensor_write_flat(b, t->type, t->data, t->count);
        buf_puts(b, "]}");
    }
}

static void put_names(struct buf *b, const struct infer *r)
{
    buf_putc(b, '{');
    if (r->id.n) {
        buf_puts(b, "\"id\":");
        buf_put_quoted(b, r->id);
        buf_putc(b, ',');
    }
    buf_puts(b, "\"model_name\":");
    buf_put_quoted(b, str_from_cstr(r->model->name));
    buf_puts(b, ",\"model_version\":");
    buf_put_quoted(b, str_from_cstr(r->model->version));
    buf_puts(b, ",\"outputs\":[");
}

enum errc oip_encode(struct infer *r, const struct value *outputs,
                     struct err *err)
{
    const struct model_spec *spec = r->model->spec;
    struct buf *b = http_out(r->http);
    struct tensor tensors[RUN_MAX_OUTPUTS];
    bool first = true, any_binary = false;

    put_names(b, r);
    for (size_t i = 0; i < spec->n_outputs; i++) {
        if (!r->outputs[i].wanted)
            continue;
        if (!as_tensor(r, &outputs[i], &tensors[i]) ||
            (r->outputs[i].classes &&
             !classify(r, (int)i, r->outputs[i].classes, &tensors[i])))
            return err_set(err, ERR_NOMEM, "out of memory for the reply");
        if (!first)
            buf_putc(b, ',');
        first = false;
        put_output(b, &spec->outputs[i], &tensors[i], r->outputs[i].binary);
        any_binary = any_binary || r->outputs[i].binary;
    }
    buf_puts(b, "]}");
    r->http->content_type = "application/json";
    r->http->may_compress = true;
    if (any_binary) {
        http_header(r->http, "Inference-Header-Content-Length", "%zu",
                    http_out_size(r->http));
        r->http->content_type = "application/octet-stream";
        for (size_t i = 0; i < spec->n_outputs; i++)
            if (r->outputs[i].wanted && r->outputs[i].binary)
                put_binary(b, &tensors[i]);
    }
    return b->failed ? err_set(err, ERR_NOMEM, "out of memory for the reply")
                     : ERR_OK;
}
