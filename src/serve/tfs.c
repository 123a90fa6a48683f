/* tfs.c - TensorFlow Serving over REST: predict in its row and columnar forms,
 * classify and regress. Source: the RESTful API page of TensorFlow Serving and
 * its util/json_tensor.cc (facts/serving.md, 2.4).
 */
#include <string.h>

#include "codec/json_tensor.h"
#include "serve/protocols.h"
#include "serve/tfs_internal.h"

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
    in->tensor = (struct tensor){
        .type = e->type, .shape = *shape, .count = e->n, .data = e->data};
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
            return json_fail(j, at,
                             c->rows > row
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

const struct protocol protocol_tfs_predict = {
    .name = "tfs", .decode = decode_predict, .encode = tfs_encode_predict};
const struct protocol protocol_tfs_classify = {
    .name = "tfs", .decode = decode_examples, .encode = tfs_encode_classify};
const struct protocol protocol_tfs_regress = {
    .name = "tfs", .decode = decode_examples, .encode = tfs_encode_regress};
