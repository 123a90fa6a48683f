/* tfs.c - TensorFlow Serving over REST: predict in its row and columnar forms,
 * classify and regress. Source: the RESTful API page of TensorFlow Serving and
 * its util/json_tensor.cc (facts/serving.md, 2.4).
 */
#include <string.h>

#include "codec/json_tensor.h"
#include "serve/protocols.h"
#include "serve/value_json.h"

static int only_input(const struct infer *r)
{
    return r->model->spec->n_inputs == 1 ? 0 : -1;
}

static void begin(struct infer *r, struct elements *e, size_t i)
{
    *e = (struct elements){.type = r->model->spec->inputs[i].type, .b64 = true};
}

static bool give(struct infer *r, size_t i, const struct elements *e,
                 const struct shape *shape, const char *at)
{
    struct infer_input *in = &r->inputs[i];

    in->given = true;
    in->at = at;
    in->tensor = (struct tensor){.type = e->type,
                                 .shape = *shape,
                                 .count = e->n,
                                 .data = e->data};
    return true;
}

static bool whole_tensor(struct infer *r, struct json *j, size_t i)
{
    struct elements e;
    struct shape shape;

    (void)json_peek(j);
    const char *at = j->p;
    if (r->inputs[i].given)
        return json_fail(j, at, "an input is given twice");
    begin(r, &e, i);
    if (e.type == DTYPE_NONE)
        return json_skip(j);
    return json_tensor_read(j, &e, &shape) && give(r, i, &e, &shape, at);
}

static int find(struct infer *r, struct json *j, struct str key)
{
    int i = infer_find_input(r, key);

    if (i < 0)
        json_fail(j, j->p, "the model has no input '" STR_FMT "'",
                  STR_ARG(key));
    return i;
}

/* True when an object here is a value, {"b64": ...}, and not named inputs. */
static bool is_b64(struct infer *r, const struct json *j)
{
    struct json ahead = *j;
    struct err ignored;
    struct str key;

    ahead.err = &ignored;
    return only_input(r) == 0 &&
           r->model->spec->inputs[0].type == DTYPE_STRING &&
           json_object(&ahead) && json_key(&ahead, &key) &&
           str_eq(key, STR("b64"));
}

static bool columnar(struct infer *r, struct json *j)
{
    struct str key;

    r->columnar = true;
    if (json_peek(j) != '{' || is_b64(r, j)) {
        if (only_input(r) < 0)
            return json_fail(j, j->p,
                             "the model has %zu inputs: 'inputs' must be an "
                             "object",
                             r->model->spec->n_inputs);
        return whole_tensor(r, j, 0);
    }
    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        int i = find(r, j, key);
        if (i < 0 || !whole_tensor(r, j, (size_t)i))
            return false;
    }
    return !j->failed;
}

/* Inputs under construction, a row at a time. */
struct column {
    struct elements elements;
    struct shape row;
    size_t rows;
    const char *at;
};

static bool read_row(struct infer *r, struct json *j, struct column *columns,
                     size_t row)
{
    struct str key;

    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        struct shape shape;
        int i = find(r, j, key);
        if (i < 0)
            return false;
        struct column *c = &columns[i];
        (void)json_peek(j);
        const char *at = j->p;
        if (c->rows != row)
            return json_fail(j, at, c->rows > row
                                        ? "an input is given twice in a row"
                                        : "an input was missing in an earlier "
                                          "row");
        if (row == 0) {
            begin(r, &c->elements, (size_t)i);
            c->at = at;
        }
        if (!json_tensor_read(j, &c->elements, &shape))
            return false;
        if (row && !shape_eq(&shape, &c->row))
            return json_fail(j, at, "the shape differs from the first row's");
        c->row = shape;
        c->rows++;
    }
    return !j->failed;
}

static bool named_rows(struct infer *r, struct json *j, size_t *rows)
{
    size_t n = r->model->spec->n_inputs;
    struct column *columns = arena_new(&r->http->arena, struct column, n + 1);

    if (!columns)
        return json_fail(j, j->p, "out of memory");
    *rows = 0;
    while (json_item(j)) {
        if (!read_row(r, j, columns, *rows))
            return false;
        ++*rows;
    }
    for (size_t i = 0; i < n && !j->failed; i++) {
        struct column *c = &columns[i];
        struct shape shape = c->row;
        if (c->rows == 0)
            continue;
        if (c->rows != *rows)
            return json_fail(j, c->at, "input '%s' is missing in a row",
                             r->model->spec->inputs[i].name);
        if (shape.rank == SHAPE_MAX_RANK)
            return json_fail(j, c->at, "too many dimensions");
        memmove(shape.dim + 1, shape.dim,
                (size_t)shape.rank * sizeof(shape.dim[0]));
        shape.dim[0] = (int64_t)c->rows;
        shape.rank++;
        give(r, i, &c->elements, &shape, c->at);
    }
    return !j->failed;
}

static bool instances(struct infer *r, struct json *j)
{
    struct json ahead = *j;
    size_t rows;

    if (json_peek(j) != '[')
        return json_fail(j, j->p, "Expecting 'instances' value to be a list");
    if (json_array(&ahead) && json_peek(&ahead) == ']')
        return json_fail(j, j->p, "no values for 'instances'");
    if (json_peek(&ahead) == '{' && !is_b64(r, &ahead))
        return json_array(j) && named_rows(r, j, &rows);
    if (only_input(r) < 0)
        return json_fail(j, j->p,
                         "instances is a plain list, but the model has %zu "
                         "inputs: each instance must be an object",
                         r->model->spec->n_inputs);
    return whole_tensor(r, j, 0);
}

static bool signature(struct json *j)
{
    struct str name;

    (void)json_peek(j);
    const char *at = j->p;
    if (!json_string(j, &name))
        return false;
    if (name.n && !str_eq(name, STR("serving_default")))
        return json_fail(j, at,
                         "Serving signature name: \"" STR_FMT
                         "\" not found in signature def",
                         STR_ARG(name));
    return true;
}

static enum errc decode_predict(struct infer *r, struct err *err)
{
    struct json j;
    struct str key;
    bool has_instances = false, has_inputs = false;

    json_init(&j, r->http->body, &r->http->arena, err);
    if (!json_object(&j))
        return ERR_INVALID;
    while (json_key(&j, &key)) {
        bool fine;
        if (str_eq(key, STR("instances")))
            fine = !has_inputs && (has_instances = true) && instances(r, &j);
        else if (str_eq(key, STR("inputs")))
            fine = !has_instances && (has_inputs = true) && columnar(r, &j);
        else if (str_eq(key, STR("signature_name")))
            fine = signature(&j);
        else
            fine = json_skip(&j);
        if (!fine) {
            json_fail(&j, j.p,
                      "Not formatted correctly: expects either 'instances' or "
                      "'inputs', not both");
            return ERR_INVALID;
        }
    }
    if (!json_end(&j))
        return ERR_INVALID;
    if (!has_instances && !has_inputs)
        return err_set(err, ERR_INVALID, "Missing 'inputs' or 'instances' key");
    return infer_check(r, r->http->body, false, err);
}

static bool context(struct infer *r, struct json *j)
{
    (void)r;
    return json_skip(j);
}

static enum errc decode_examples(struct infer *r, struct err *err)
{
    struct json j;
    struct str key;
    bool has = false;
    size_t rows;

    json_init(&j, r->http->body, &r->http->arena, err);
    if (!json_object(&j))
        return ERR_INVALID;
    while (json_key(&j, &key)) {
        bool fine;
        if (str_eq(key, STR("examples")))
            fine = (has = true) && json_array(&j) && named_rows(r, &j, &rows);
        else if (str_eq(key, STR("signature_name")))
            fine = signature(&j);
        else if (str_eq(key, STR("context")))
            fine = context(r, &j);
        else
            fine = json_skip(&j);
        if (!fine)
            return ERR_INVALID;
    }
    if (!json_end(&j))
        return ERR_INVALID;
    if (!has)
        return err_set(err, ERR_INVALID,
                       "When method is classify or regress, key 'examples' is "
                       "expected and was not found");
    /* A feature is a number or a list; the model may want a column. */
    for (size_t i = 0; i < r->model->spec->n_inputs; i++) {
        struct tensor *t = &r->inputs[i].tensor;
        const struct shape *want = &r->model->spec->inputs[i].shape;
        if (r->inputs[i].given && t->shape.rank == 1 && want->rank == 2 &&
            want->dim[1] == 1) {
            t->shape.dim[1] = 1;
            t->shape.rank = 2;
        }
    }
    return infer_check(r, r->http->body, false, err);
}

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

static void put_row(struct buf *b, const struct value *v, int64_t row,
                    bool b64)
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
            if (spec->n_outputs > 1) {
                buf_puts(b, i ? "," : "");
                buf_put_quoted(b, str_from_cstr(name));
                buf_putc(b, ':');
            }
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
        if (spec->n_outputs > 1) {
            buf_puts(b, i ? "," : "");
            buf_put_quoted(b, str_from_cstr(name));
            buf_putc(b, ':');
        }
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

static enum errc encode_predict(struct infer *r, const struct value *outputs,
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
                  (const char *)values->data +
                      i * elements_size(values->type));
    }
}

static enum errc encode_classify(struct infer *r, const struct value *outputs,
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
    size_t width = v->kind == VALUE_TENSOR && rows
                       ? v->tensor.count / (size_t)rows
                       : 0;
    buf_puts(b, "{\"results\":[");
    for (int64_t row = 0; row < rows; row++) {
        buf_puts(b, row ? ",[" : "[");
        if (v->kind == VALUE_SEQUENCE)
            put_map_classes(b, &v->items[row]);
        for (size_t i = 0; i < width; i++) {
            struct str label = i < r->model->n_labels[k]
                                   ? r->model->labels[k][i]
                                   : STR("");
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

static enum errc encode_regress(struct infer *r, const struct value *outputs,
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

const struct protocol protocol_tfs_predict = {
    .name = "tfs", .decode = decode_predict, .encode = encode_predict};
const struct protocol protocol_tfs_classify = {
    .name = "tfs", .decode = decode_examples, .encode = encode_classify};
const struct protocol protocol_tfs_regress = {
    .name = "tfs", .decode = decode_examples, .encode = encode_regress};
