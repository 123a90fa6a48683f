/* predict.c - the plain recipe: POST /predict with a list, or an object of
 * lists by input name; {"predict_result": ...} comes back.
 *
 * One input and one output need no names; several are objects. A tensor of one
 * rank less than the model's is a batch of one.
 */
#include <string.h>

#include "codec/json_tensor.h"
#include "serve/protocols.h"
#include "serve/value_json.h"

static bool read_input(struct infer *r, struct json *j, int i)
{
    struct infer_input *in = &r->inputs[i];
    const struct io_spec *io = &r->model->spec->inputs[i];
    struct elements e = {.type = io->type, .b64 = true};
    int64_t known;

    (void)json_peek(j);
    in->at = j->p;
    if (io->type == DTYPE_NONE || io->kind != VALUE_TENSOR)
        return json_skip(j) && (in->given = true);
    /* One row of a known shape is the common case: no guess is needed. */
    if (io->shape.rank > 1) {
        struct shape row = {.rank = io->shape.rank - 1};
        memcpy(row.dim, io->shape.dim + 1,
               (size_t)row.rank * sizeof(row.dim[0]));
        if (shape_count(&row, &known) && known > 0 && known < 1 << 24 &&
            (size_t)known * 2 <= (size_t)(j->end - j->p) + 2)
            (void)elements_reserve(&e, j->arena, (size_t)known);
    }
    if (!json_tensor_read(j, &e, &in->tensor.shape))
        return false;
    in->given = true;
    in->tensor.type = e.type;
    in->tensor.data = e.data;
    in->tensor.count = e.n;
    return true;
}

static bool read_named(struct infer *r, struct json *j)
{
    struct str key;

    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        int i = infer_find_input(r, key);
        if (i < 0) {
            const struct model_spec *spec = r->model->spec;
            struct buf names;
            buf_init(&names, 1024);
            for (size_t k = 0; k < spec->n_inputs && names.n < 120; k++)
                buf_printf(&names, "%s'%s'", k ? ", " : "",
                           spec->inputs[k].name);
            json_fail(j, j->p,
                      "the model has no input '" STR_FMT "'; it has %.*s",
                      key.n < 40 ? (int)key.n : 40, key.p, (int)names.n,
                      names.p ? names.p : "");
            buf_fini(&names);
            return false;
        }
        if (r->inputs[i].given)
            return json_fail(j, j->p, "input '" STR_FMT "' is given twice",
                             STR_ARG(key));
        if (!read_input(r, j, i))
            return false;
    }
    return !j->failed;
}

static enum errc decode(struct infer *r, struct err *err)
{
    struct str body = r->http->body;
    struct json j;

    if (r->raw) {
        enum errc rc = infer_decode_raw(r, body, err);
        return rc ? rc : infer_check(r, body, true, err);
    }
    json_init(&j, body, &r->http->arena, err);
    int only = infer_only_input(r);
    bool fine;
    if (json_peek(&j) == '{') {
        fine = read_named(r, &j);
    } else if (only < 0) {
        fine = json_fail(&j, j.p,
                         "model '%s' has several inputs: send an object with "
                         "a list for each",
                         r->model->name);
    } else {
        fine = read_input(r, &j, only);
    }
    if (!fine || !json_end(&j))
        return ERR_INVALID;
    return infer_check(r, body, true, err);
}

static enum errc encode(struct infer *r, const struct value *outputs,
                        struct err *err)
{
    const struct model_spec *spec = r->model->spec;
    struct buf *b = http_out(r->http);

    buf_puts(b, "{\"predict_result\":");
    if (spec->n_outputs == 1) {
        value_json_write(b, &outputs[0], false);
    } else {
        for (size_t i = 0; i < spec->n_outputs; i++) {
            buf_putc(b, i ? ',' : '{');
            buf_put_quoted(b, str_from_cstr(spec->outputs[i].name));
            buf_putc(b, ':');
            value_json_write(b, &outputs[i], false);
        }
        buf_putc(b, '}');
    }
    buf_putc(b, '}');
    r->http->content_type = "application/json";
    return b->failed ? err_set(err, ERR_NOMEM, "out of memory for the reply")
                     : ERR_OK;
}

const struct protocol protocol_predict = {
    .name = "predict",
    .decode = decode,
    .encode = encode,
};

void predict_default(struct http_request *r)
{
    const struct snapshot *s = service_snapshot(r->loop);

    for (size_t i = 1; i < s->n; i++) {
        if (strcmp(s->entries[i].name, s->entries[0].name) == 0)
            continue;
        http_reply_error(r, 404,
                         "several models are served: use "
                         "/models/{name}/predict, for example "
                         "/models/%s/predict; GET /docs lists them",
                         s->entries[0].name);
        return;
    }
    serve_infer(r, &protocol_predict,
                s->n ? str_from_cstr(s->entries[0].name) : STR(""), STR(""));
}

void predict_model(struct http_request *r)
{
    serve_infer(r, &protocol_predict, r->match.params[0], STR(""));
}
