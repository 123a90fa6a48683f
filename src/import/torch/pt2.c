/* Programs of torch.export (.pt2): a graph of ATen operators as JSON, after
 * torch/_export/serde/schema.py (versions 8.x) and the page "PT2 Archive" of
 * the documentation. Two layouts: a flat archive whose weights are archives of
 * torch.save themselves (until 2.8), and one with the bytes of each weight.
 */
#include <stdio.h>
#include <string.h>

#include "codec/json_tree.h"
#include "import/torch/aten.h"
#include "import/torch/pt2_internal.h"

enum { JSON_MAX_BYTES = 256 << 20 };

/* "X/" of "X/models/model.json", or "" for the flat layout. */
static bool find_root(const struct zip *z, struct str *root, bool *flat)
{
    *flat = zip_find(z, "serialized_exported_program.json") != NULL;
    *root = STR("");
    for (size_t i = 0; i < z->n && !*flat; i++)
        if (str_ends(z->entries[i].name, STR("/models/model.json"))) {
            *root = str_slice(z->entries[i].name, 0, z->entries[i].name.n - 17);
            return true;
        }
    return *flat;
}

bool pt2_is(const struct zip *z)
{
    struct str root;
    bool flat;

    return find_root(z, &root, &flat);
}

/* ScalarType of the schema: that of c10 plus one. */
enum dtype pt2_type(const struct json_node *v)
{
    struct val number = {.kind = VAL_INT, .as.whole = json_i64_or(v, 0) - 1};

    return aten_type(&number);
}

/* {"as_int": 3}, or an expression with the value it had. */
static int64_t size_of(const struct json_node *v)
{
    const struct json_node *hint =
        json_get(json_get(json_get(v, "as_expr"), "hint"), "as_int");

    return json_i64_or(hint ? hint : json_get(v, "as_int"), -1);
}

static bool read_sizes(const struct json_node *list, int64_t *out, int *rank)
{
    *rank = 0;
    for (const struct json_node *d = list ? list->first : NULL; d;
         d = d->next) {
        if (*rank == SHAPE_MAX_RANK || size_of(d) < 0)
            return false;
        out[(*rank)++] = size_of(d);
    }
    return true;
}

/* ---- weights ------------------------------------------------------------- */

static enum errc described_wrongly(struct pt2 *x)
{
    return err_set(x->p.err, ERR_INVALID, "a tensor is described wrongly");
}

static enum errc raw_weights(struct pt2 *x, const char *folder,
                             const char *config, struct weights *out)
{
    struct torch_file *f = x->p.file;
    char name[300];
    struct str text;

    (void)snprintf(name, sizeof(name), "%s%s", folder, config);
    enum errc rc = torch_entry(f, name, JSON_MAX_BYTES, &text);
    if (rc || !text.p)
        return rc;
    struct json_node *root = json_tree(text, x->p.arena, x->p.err);
    const struct json_node *list = json_get(root, "config");
    if (!root)
        return ERR_INVALID;
    out->list = arena_new(x->p.arena, struct weight, (list ? list->n : 0) + 1);
    if (!out->list)
        return err_set(x->p.err, ERR_NOMEM, "out of memory");
    for (const struct json_node *v = list ? list->first : NULL; v;
         v = v->next) {
        const struct json_node *meta = json_get(v, "tensor_meta");
        struct str path = json_str_or(json_get(v, "path_name"), ""), bytes;
        struct weight *w = &out->list[out->n];
        int64_t stride[SHAPE_MAX_RANK];
        int ranks;
        if (json_bool_or(json_get(v, "use_pickle"), false))
            continue;
        *w = (struct weight){.name = v->key,
                             .tensor.type = pt2_type(json_get(meta, "dtype"))};
        if (path.n > 200 || memchr(path.p, '/', path.n) ||
            !read_sizes(json_get(meta, "sizes"), w->tensor.shape.dim,
                        &w->tensor.shape.rank) ||
            !read_sizes(json_get(meta, "strides"), stride, &ranks) ||
            ranks != w->tensor.shape.rank)
            return described_wrongly(x);
        (void)snprintf(name, sizeof(name), "%s" STR_FMT, folder, STR_ARG(path));
        rc = torch_entry(f, name, SIZE_MAX / 4, &bytes);
        if (!rc && !bytes.p)
            rc = described_wrongly(x);
        if (!rc)
            rc = torch_view(f, bytes, stride,
                            size_of(json_get(meta, "storage_offset")),
                            &w->tensor);
        if (rc)
            return rc;
        out->n++;
    }
    return ERR_OK;
}

/* An archive of torch.save inside the archive: a dict of tensors. */
static enum errc saved_weights(struct pt2 *x, const char *name,
                               struct weights *out)
{
    struct torch_file *inner = arena_new(x->p.arena, struct torch_file, 1);
    struct zip *z = arena_new(x->p.arena, struct zip, 1);
    struct pickle *root;
    struct str bytes, data;

    if (!inner || !z)
        return err_set(x->p.err, ERR_NOMEM, "out of memory");
    enum errc rc = torch_entry(x->p.file, name, SIZE_MAX / 4, &bytes);
    if (rc || !bytes.n)
        return rc;
    rc = zip_open(bytes, x->p.arena, z, x->p.err);
    if (rc)
        return rc;
    *inner = (struct torch_file){
        .arena = x->p.arena, .err = x->p.err, .zip = z, .data = "data/"};
    for (size_t i = 0; i < z->n; i++)
        if (str_ends(z->entries[i].name, STR("data.pkl")))
            inner->folder =
                str_slice(z->entries[i].name, 0, z->entries[i].name.n - 8);
    rc = torch_entry(inner, "data.pkl", JSON_MAX_BYTES, &data);
    if (rc || !data.p)
        return rc ? rc : described_wrongly(x);
    rc = pickle_read(&data, &torch_rules, x->p.arena, &root, x->p.err);
    if (rc)
        return rc;
    out->list = arena_new(x->p.arena, struct weight, root->n / 2 + 1);
    for (size_t i = 0; out->list && i + 1 < root->n && !rc; i += 2) {
        struct weight *w = &out->list[out->n];
        if (!pickle_is(root->items[i], PICKLE_STR) ||
            !torch_is_tensor(root->items[i + 1]))
            continue;
        rc = torch_tensor(inner, root->items[i + 1], &w->tensor);
        w->name = root->items[i]->text;
        out->n++;
    }
    return rc;
}

/* ---- the file ------------------------------------------------------------ */

static enum errc read_inputs(struct pt2 *x)
{
    const struct json_node *values = json_get(x->graph, "tensor_values");
    struct program *p = &x->p;

    p->inputs = arena_new(p->arena, struct program_input, PROGRAM_MAX_INPUTS);
    p->input_names = arena_new(p->arena, const char *, PROGRAM_MAX_INPUTS);
    if (!p->inputs || !p->input_names)
        return err_set(p->err, ERR_NOMEM, "out of memory");
    for (const struct json_node *s = x->specs ? x->specs->first : NULL; s;
         s = s->next) {
        const struct json_node *t =
            json_get(json_get(json_get(s, "user_input"), "arg"), "as_tensor");
        struct program_input *in = &p->inputs[p->n_inputs];
        if (!t)
            continue;
        char *name =
            arena_cstr(p->arena, json_str_or(json_get(t, "name"), "x"));
        const struct json_node *meta = name ? json_get(values, name) : NULL;
        in->type = pt2_type(json_get(meta, "dtype"));
        if (p->n_inputs == PROGRAM_MAX_INPUTS - 1 || !meta ||
            in->type == DTYPE_NONE ||
            !read_sizes(json_get(meta, "sizes"), in->shape.dim,
                        &in->shape.rank))
            return err_set(p->err, ERR_INVALID,
                           "an input is described wrongly");
        p->input_names[p->n_inputs++] = name;
    }
    x->batch =
        p->n_inputs && p->inputs[0].shape.rank ? p->inputs[0].shape.dim[0] : -1;
    return ERR_OK;
}

static void count(struct pt2 *x)
{
    for (size_t i = 0; i < x->weights.n; i++)
        import_lists(x->p.out, x->weights.list[i].name,
                     &x->weights.list[i].tensor);
    x->p.out->report.n_tensors = 0; /* the graph is there: no list is needed */
}

enum errc pt2_import(struct torch_file *f, struct import *out, struct err *err)
{
    struct pt2 x = {.p = {.arena = out->arena,
                          .file = f,
                          .out = out,
                          .err = err,
                          .make = pt2_make}};
    struct str text;
    bool flat;

    out->report.kind = "PyTorch exported program (.pt2)";
    (void)find_root(f->zip, &f->folder, &flat);
    enum errc rc = torch_entry(
        f, flat ? "serialized_exported_program.json" : "models/model.json",
        JSON_MAX_BYTES, &text);
    if (rc)
        return rc;
    struct json_node *root = json_tree(text, out->arena, err);
    if (!root)
        return err_wrap(err, ERR_INVALID, "the program");
    struct str version = json_str_or(json_get(root, "torch_version"), "");
    if (version.n && version.n < 60) {
        char *framework = arena_new(out->arena, char, 80);
        if (framework)
            (void)snprintf(framework, 80, "PyTorch " STR_FMT, STR_ARG(version));
        out->report.framework = framework ? framework : "PyTorch";
    }
    const struct json_node *module = json_get(root, "graph_module");
    x.p.found = module;
    x.graph = json_get(module, "graph");
    x.specs = json_get(json_get(module, "signature"), "input_specs");
    if (!x.graph)
        return err_set(err, ERR_INVALID, "the file holds no program");
    if (flat) {
        rc = saved_weights(&x, "serialized_state_dict.pt", &x.weights);
        if (!rc)
            rc = saved_weights(&x, "serialized_constants.pt", &x.constants);
    } else {
        rc = raw_weights(&x, "data/weights/", "model_weights_config.json",
                         &x.weights);
        if (!rc)
            rc = raw_weights(&x, "data/constants/",
                             "model_constants_config.json", &x.constants);
    }
    if (!rc)
        rc = read_inputs(&x);
    if (rc)
        return rc;
    count(&x);
    return program_run(&x.p);
}
