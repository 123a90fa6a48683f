/* openapi.c - GET /openapi.json: OpenAPI 3.1, written from the models' real
 * inputs and outputs, with examples that were tried. */
#include <stdio.h>
#include <string.h>

#include "serve/example.h"
#include "serve/protocols.h"

/* Lists nested as deep as the tensor has dimensions. */
static void put_schema(struct buf *b, const struct io_spec *io)
{
    int rank = io->kind == VALUE_TENSOR ? io->shape.rank : 0;

    for (int i = 0; i < rank; i++) {
        buf_puts(b, "{\"type\":\"array\",");
        if (io->shape.dim[i] >= 0)
            buf_printf(b, "\"minItems\":%lld,\"maxItems\":%lld,",
                       (long long)io->shape.dim[i],
                       (long long)io->shape.dim[i]);
        buf_puts(b, "\"items\":");
    }
    if (io->kind != VALUE_TENSOR)
        buf_puts(b, "{}"); /* a list of objects, as the model likes */
    else
        buf_printf(b, "{\"type\":\"%s\"}", dtype_schema(io->type));
    for (int i = 0; i < rank; i++)
        buf_putc(b, '}');
}

static void put_properties(struct buf *b, const struct io_spec *io, size_t n)
{
    bool first = true;

    buf_puts(b, "{\"type\":\"object\",\"properties\":{");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(b, ',');
        buf_put_quoted(b, str_from_cstr(io[i].name));
        buf_putc(b, ':');
        put_schema(b, &io[i]);
    }
    buf_puts(b, "},\"required\":[");
    for (size_t i = 0; i < n; i++) {
        if (io[i].optional)
            continue;
        buf_puts(b, first ? "" : ",");
        first = false;
        buf_put_quoted(b, str_from_cstr(io[i].name));
    }
    buf_puts(b, "]}");
}

static void put_example(struct buf *b, const struct served *m,
                        bool (*make)(struct buf *, const struct served *))
{
    struct buf e;

    buf_init(&e, 1 << 20);
    if (make(&e, m) && !e.failed) {
        buf_puts(b, ",\"example\":");
        buf_put(b, buf_str(&e));
    }
    buf_fini(&e);
}

static void put_responses(struct buf *b)
{
    static const char *const errors[] = {"400", "404", "413", "415",
                                         "429", "503", "504"};

    buf_puts(b, "}}}");
    for (size_t i = 0; i < COUNT(errors); i++)
        buf_printf(b, ",\"%s\":{\"$ref\":\"#/components/responses/Error\"}",
                   errors[i]);
    buf_puts(b, "}}}");
}

static void put_predict(struct buf *b, const struct served *m, bool is_default)
{
    const struct model_spec *spec = m->spec;

    if (is_default)
        buf_puts(b, "\"/predict\"");
    else
        buf_printf(b, "\"/models/%s/predict\"", m->name);
    buf_printf(b,
               ":{\"post\":{\"operationId\":\"predict_%s%s\",\"tags\":[\"%s\"],"
               "\"summary\":\"Run %s on a list of inputs\","
               "\"requestBody\":{\"required\":true,\"content\":{"
               "\"application/json\":{\"schema\":",
               m->name, is_default ? "_default" : "", m->name, m->name);
    if (spec->n_inputs == 1)
        put_schema(b, &spec->inputs[0]);
    else
        put_properties(b, spec->inputs, spec->n_inputs);
    put_example(b, m, example_predict);
    buf_puts(b, "}}},\"responses\":{\"200\":{\"description\":\"The outputs of "
                "the model\",\"content\":{\"application/json\":{\"schema\":{"
                "\"type\":\"object\",\"required\":[\"predict_result\"],"
                "\"properties\":{\"predict_result\":");
    if (spec->n_outputs == 1)
        put_schema(b, &spec->outputs[0]);
    else
        put_properties(b, spec->outputs, spec->n_outputs);
    buf_puts(b, "}}");
    put_responses(b);
}

/* A protocol whose bodies have a schema of their own. */
struct other {
    const char *id, *summary, *request, *response;
    bool (*example)(struct buf *b, const struct served *m);
};

static void put_other(struct buf *b, const struct served *m, const char *path,
                      const struct other *o)
{
    buf_printf(b,
               ",\"%s\":{\"post\":{\"operationId\":\"%s_%s\",\"tags\":[\"%s\"],"
               "\"summary\":\"%s\",\"requestBody\":{\"required\":true,"
               "\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
               "\"#/components/schemas/%s\"}",
               path, o->id, m->name, m->name, o->summary, o->request);
    put_example(b, m, o->example);
    buf_printf(b,
               "}}},\"responses\":{\"200\":{\"description\":\"The outputs of "
               "the model\",\"content\":{\"application/json\":{\"schema\":{"
               "\"$ref\":\"#/components/schemas/%s\"}",
               o->response);
    put_responses(b);
}

static const struct other oip = {"infer", "Open Inference Protocol V2",
                                 "InferRequest", "InferResponse", example_oip};
static const struct other tfs = {"tfs", "TensorFlow Serving", "TfsRequest",
                                 "TfsResponse", example_tfs};

static void put_model(struct buf *b, const struct served *m, bool only)
{
    char path[400];

    if (only) {
        put_predict(b, m, true);
        buf_putc(b, ',');
    }
    put_predict(b, m, false);
    (void)snprintf(path, sizeof(path), "/v2/models/%s/infer", m->name);
    put_other(b, m, path, &oip);
    (void)snprintf(path, sizeof(path), "/v1/models/%s:predict", m->name);
    put_other(b, m, path, &tfs);
}

static const char fixed_paths[] =
    "\"/livez\":{\"get\":{\"operationId\":\"live\",\"summary\":\"The process "
    "answers\",\"responses\":{\"200\":{\"description\":\"alive\"}}}},"
    "\"/readyz\":{\"get\":{\"operationId\":\"ready\",\"summary\":\"Every model "
    "can be called\",\"responses\":{\"200\":{\"description\":\"ready\"},"
    "\"503\":{\"description\":\"not ready\"}}}},"
    "\"/metrics\":{\"get\":{\"operationId\":\"metrics\",\"summary\":"
    "\"Prometheus metrics\",\"responses\":{\"200\":{\"description\":"
    "\"metrics\",\"content\":{\"text/plain\":{\"schema\":{\"type\":"
    "\"string\"}}}}}}}";

static const char components[] =
    "},\"components\":{\"responses\":{\"Error\":{\"description\":\"What was "
    "wrong, where, and what to do\",\"content\":{\"application/json\":{"
    "\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}},\"schemas\":{"
    "\"Error\":{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{"
    "\"error\":{\"type\":\"string\"}}},"
    "\"Tensor\":{\"type\":\"object\",\"required\":[\"name\",\"shape\","
    "\"datatype\"],\"properties\":{\"name\":{\"type\":\"string\"},\"shape\":{"
    "\"type\":\"array\",\"items\":{\"type\":\"integer\"}},\"datatype\":{"
    "\"type\":\"string\"},\"data\":{\"type\":\"array\"},\"parameters\":{"
    "\"type\":\"object\"}}},"
    "\"InferRequest\":{\"type\":\"object\",\"required\":[\"inputs\"],"
    "\"properties\":{\"id\":{\"type\":\"string\"},\"inputs\":{\"type\":"
    "\"array\",\"items\":{\"$ref\":\"#/components/schemas/Tensor\"}},"
    "\"outputs\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
    "\"parameters\":{\"type\":\"object\"}}},"
    "\"InferResponse\":{\"type\":\"object\",\"required\":[\"model_name\","
    "\"outputs\"],\"properties\":{\"id\":{\"type\":\"string\"},"
    "\"model_name\":{\"type\":\"string\"},\"model_version\":{\"type\":"
    "\"string\"},\"outputs\":{\"type\":\"array\",\"items\":{\"$ref\":"
    "\"#/components/schemas/Tensor\"}}}},"
    "\"TfsRequest\":{\"type\":\"object\",\"properties\":{\"signature_name\":{"
    "\"type\":\"string\"},\"instances\":{\"type\":\"array\"},\"inputs\":{}}},"
    "\"TfsResponse\":{\"type\":\"object\",\"properties\":{\"predictions\":{"
    "\"type\":\"array\"},\"outputs\":{}}}}}}";

/* Whether two entries of the snapshot have different names. */
static bool several(const struct snapshot *s)
{
    return s->n > 1 &&
           strcmp(s->entries[0].name, s->entries[s->n - 1].name) != 0;
}

void openapi_get(struct http_request *r)
{
    const struct snapshot *snap = service_snapshot(r->loop);
    struct buf *b = http_out(r);
    const char *last = "";

    buf_puts(b, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Stoker\","
                "\"version\":\"" STOKER_VERSION "\",\"license\":{\"name\":"
                "\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}},"
                "\"servers\":[{\"url\":\"/\"}],\"paths\":{");
    for (size_t i = 0; i < snap->n; i++) {
        const struct registry_entry *e = &snap->entries[i];
        if (!e->served || strcmp(e->name, last) == 0)
            continue;
        last = e->name;
        put_model(b, e->served, !several(snap));
        buf_putc(b, ',');
    }
    buf_puts(b, fixed_paths);
    buf_puts(b, components);
    http_reply(r, 200, "application/json");
}
