#include "model/config.h"

#include <string.h>

#include "codec/pbtxt.h"

void model_config_init(struct model_config *c)
{
    *c = (struct model_config){.max_batch = -1, .max_delay_us = -1};
}

static bool is(const struct pbtxt_field *f, const char *name)
{
    return str_eq(f->name, str_from_cstr(name));
}

static bool number(struct pbtxt *t, const struct pbtxt_field *f, int64_t *out)
{
    struct str digits = f->scalar;
    uint64_t v;
    bool negative = digits.n && digits.p[0] == '-';

    if (negative)
        digits = str_slice(digits, 1, digits.n);
    if (!str_to_u64(digits, &v) || v > INT64_MAX) {
        t->failed = true;
        err_record(t->err, ERR_INVALID,
                   "'" STR_FMT "' should be a whole number, not '" STR_FMT "'",
                   STR_ARG(f->name), STR_ARG(f->scalar));
        return false;
    }
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

/* TYPE_FP32 and its like; TYPE_STRING is the protocol's BYTES. */
static enum dtype data_type(struct str word)
{
    if (!str_starts(word, STR("TYPE_")))
        return DTYPE_NONE;
    struct str name = str_slice(word, 5, word.n);
    return str_eq(name, STR("STRING")) ? DTYPE_STRING : dtype_from_oip(name);
}

static void read_io(struct pbtxt *t, struct config_io *io)
{
    struct pbtxt_field f;

    while (pbtxt_next(t, &f)) {
        int64_t v;
        if (f.message) {
            pbtxt_skip(t);
        } else if (is(&f, "name")) {
            io->name = f.scalar;
        } else if (is(&f, "data_type")) {
            io->type = data_type(f.scalar);
        } else if (is(&f, "label_filename")) {
            io->label_file = f.scalar;
        } else if (is(&f, "dims") && number(t, &f, &v)) {
            if (io->shape.rank < SHAPE_MAX_RANK)
                io->shape.dim[io->shape.rank++] = v;
        }
    }
}

static void read_batching(struct pbtxt *t, struct model_config *c)
{
    struct pbtxt_field f;
    int64_t v;

    c->dynamic_batching = true;
    while (pbtxt_next(t, &f)) {
        if (f.message) {
            pbtxt_skip(t);
        } else if (is(&f, "max_queue_delay_microseconds") &&
                   number(t, &f, &v)) {
            c->max_delay_us = v;
        } else if (is(&f, "preferred_batch_size") && number(t, &f, &v)) {
            if (c->n_preferred < CONFIG_MAX_SIZES)
                c->preferred[c->n_preferred++] = v;
        }
    }
}

static void read_policy(struct pbtxt *t, struct model_config *c)
{
    struct pbtxt_field kind, f;
    int64_t v;

    while (pbtxt_next(t, &kind)) {
        if (is(&kind, "all"))
            c->all_versions = true;
        if (!kind.message)
            continue;
        while (pbtxt_next(t, &f)) {
            if (f.message) {
                pbtxt_skip(t);
            } else if (is(&f, "num_versions") && number(t, &f, &v)) {
                c->latest = v;
            } else if (is(&f, "versions") && number(t, &f, &v)) {
                if (c->n_versions < CONFIG_MAX_VERSIONS)
                    c->versions[c->n_versions++] = v;
            }
        }
    }
}

static void read_message(struct pbtxt *t, const struct pbtxt_field *f,
                         struct model_config *c)
{
    struct config_io spare = {0};

    if (is(f, "input"))
        read_io(t, c->n_inputs < CONFIG_MAX_IO ? &c->inputs[c->n_inputs++]
                                               : &spare);
    else if (is(f, "output"))
        read_io(t, c->n_outputs < CONFIG_MAX_IO ? &c->outputs[c->n_outputs++]
                                                : &spare);
    else if (is(f, "dynamic_batching"))
        read_batching(t, c);
    else if (is(f, "version_policy"))
        read_policy(t, c);
    else
        pbtxt_skip(t);
}

enum errc model_config_parse(struct str text, struct arena *arena,
                             struct model_config *out, struct err *err)
{
    struct model_config c;
    struct pbtxt_field f;
    struct pbtxt t;

    model_config_init(&c);
    c.present = true;
    /* Said by leaving it out: proto3's default. */
    c.max_batch = 0;
    pbtxt_init(&t, text, arena, err);
    while (pbtxt_next(&t, &f)) {
        if (f.message)
            read_message(&t, &f, &c);
        else if (is(&f, "name"))
            c.name = f.scalar;
        else if (is(&f, "platform"))
            c.platform = f.scalar;
        else if (is(&f, "backend"))
            c.backend = f.scalar;
        else if (is(&f, "default_model_filename"))
            c.file_name = f.scalar;
        else if (is(&f, "max_batch_size"))
            (void)number(&t, &f, &c.max_batch);
    }
    if (t.failed)
        return ERR_INVALID;
    bool onnx =
        (c.platform.n == 0 || str_eq(c.platform, STR("onnxruntime_onnx"))) &&
        (c.backend.n == 0 || str_eq(c.backend, STR("onnxruntime")));
    if (!onnx)
        return err_set(err, ERR_UNSUPPORTED,
                       "it wants the platform '" STR_FMT STR_FMT
                       "'; Stoker serves onnxruntime_onnx",
                       STR_ARG(c.platform), STR_ARG(c.backend));
    *out = c;
    return ERR_OK;
}
