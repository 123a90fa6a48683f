#include "import/keras/keras.h"

#include <stdio.h>
#include <string.h>

#include "codec/number.h"
#include "import/keras/keras_internal.h"
#include "import/zip.h"

enum { CONFIG_MAX = 256 << 20 };

static int major_version(struct str text)
{
    return text.n && text.p[0] >= '0' && text.p[0] <= '9' ? text.p[0] - '0' : 2;
}

/* "2.4.0" and "tensorflow" -> "Keras 2.4.0 (tensorflow)". */
static void describe(struct keras *k, const char *kind, struct str version,
                     struct str backend)
{
    char *text = arena_new(k->arena, char, 128);

    k->version = major_version(version);
    k->out->report.kind = kind;
    k->out->report.framework = text ? text : "";
    if (text)
        (void)snprintf(text, 128, "Keras %.*s%s%.*s%s",
                       version.n < 40 ? (int)version.n : 40,
                       version.n ? version.p : "", backend.n ? " (" : "",
                       backend.n < 40 ? (int)backend.n : 40,
                       backend.n ? backend.p : "", backend.n ? ")" : "");
}

/* A tree's reader looks ahead: the text needs room behind it. */
static const struct json_node *config_tree(struct keras *k, struct str config)
{
    char *copy = arena_bytes(k->arena, config.n + NUMBER_PAD);

    if (!copy) {
        (void)err_set(k->err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    memcpy(copy, config.p, config.n);
    memset(copy + config.n, 0, NUMBER_PAD);
    return json_tree((struct str){copy, config.n}, k->arena, k->err);
}

static enum errc import_model(struct keras *k, struct str config)
{
    const struct json_node *model = config_tree(k, config);

    if (!model)
        return err_wrap(k->err, k->err->code, "the model's configuration");
    if (!keras_tree(k, model) || !keras_weights(k) || !keras_run(k))
        return k->err->code;
    k->out->report.title = k->root->name;
    return k->g->failed
               ? err_set(k->err, ERR_NOMEM, "the model needs too much memory")
               : ERR_OK;
}

static struct str attribute(struct keras *k, const char *name)
{
    struct err none = {0};
    struct str *values;
    size_t n;

    if (h5_strings(&k->h5, k->h5.root, name, &values, &n, &none) || n == 0)
        return STR("");
    return values[0];
}

/* The file's own version goes before that of the text. */
static enum errc version_of(struct keras *k, struct str config,
                            struct str *version)
{
    const struct json_node *root = config_tree(k, config);

    if (!root && k->err->code == ERR_NOMEM)
        return k->err->code;
    if (!root || !json_get(root, "class_name"))
        return err_set(k->err, ERR_INVALID,
                       "--code: for weights of Keras this is the JSON that "
                       "model.to_json() wrote");
    if (version->n == 0)
        *version = json_str_or(json_get(root, "keras_version"), "");
    return ERR_OK;
}

enum errc keras_import_h5(struct str file, struct import *out, struct err *err)
{
    struct keras k = {
        .arena = out->arena, .g = &out->graph, .out = out, .err = err};
    enum errc rc = h5_open(file, out->arena, &k.h5, err);

    if (rc)
        return rc;
    struct str version = attribute(&k, "keras_version");
    struct str config = attribute(&k, "model_config");
    if (config.n == 0 && out->options.code.n) { /* what to_json() wrote */
        config = str_trim(out->options.code);
        rc = version_of(&k, config, &version);
        if (rc)
            return rc;
    }
    if (version.n == 0) {
        uint64_t group;
        struct err none = {0};
        struct str *values;
        size_t n;
        if (!h5_find(&k.h5, k.h5.root, STR("model_weights"), &group, &none) &&
            !h5_strings(&k.h5, group, "keras_version", &values, &n, &none) && n)
            version = values[0];
    }
    struct str backend = attribute(&k, "backend");
    k.theano = str_eq(backend, STR("theano"));
    describe(&k, "Keras model (HDF5)", version, backend);
    if (config.n == 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "the HDF5 file has weights but no configuration of a "
                       "model: it was written by save_weights(); give --code "
                       "model.json, what model.to_json() wrote, or save the "
                       "whole model with model.save('model.keras')");
    return import_model(&k, config);
}

enum errc keras_import_zip(const struct zip *z, struct import *out,
                           struct err *err)
{
    struct keras k = {.arena = out->arena,
                      .g = &out->graph,
                      .out = out,
                      .err = err,
                      .by_path = true};
    struct str metadata, config, weights;
    enum errc rc;

    const struct zip_entry *m = zip_find(z, "metadata.json");
    const struct zip_entry *c = zip_find(z, "config.json");
    const struct zip_entry *w = zip_find(z, "model.weights.h5");
    if (!m || !c)
        return err_set(
            err, ERR_INVALID,
            "the zip archive is no model of PyTorch or Keras: it has no "
            "metadata.json and config.json");
    if (!w)
        return err_set(err, ERR_UNSUPPORTED,
                       "the Keras archive has no model.weights.h5; save the "
                       "model again with model.save('model.keras')");
    rc = zip_read(m, CONFIG_MAX, out->arena, &metadata, err);
    if (!rc)
        rc = zip_read(c, CONFIG_MAX, out->arena, &config, err);
    if (!rc)
        rc = zip_read(w, SIZE_MAX / 2, out->arena, &weights, err);
    if (!rc)
        rc = h5_open(weights, out->arena, &k.h5, err);
    if (rc)
        return rc;
    const struct json_node *meta = json_tree(metadata, out->arena, err);
    if (!meta)
        return err_wrap(err, err->code, "metadata.json");
    describe(&k, "Keras model (.keras archive)",
             json_str_or(json_get(meta, "keras_version"), ""), STR(""));
    return import_model(&k, config);
}
