#include "import/import.h"

#include <string.h>

#include "import/hdf5.h"
#include "import/keras/keras.h"
#include "import/torch/torch.h"
#include "import/zip.h"

enum { CLASSES_MAX = 1024 };

static bool looks_zip(struct str file)
{
    return file.n >= 4 && memcmp(file.p, "PK\x03\x04", 4) == 0;
}

/* A protobuf ModelProto begins with ir_version, a small number in field 1. */
static bool looks_onnx(struct str file)
{
    return file.n >= 2 && file.p[0] == 0x08 && (unsigned char)file.p[1] < 0x40;
}

enum import_kind import_sniff(struct str file)
{
    if (h5_looks(file))
        return IMPORT_KERAS_H5;
    if (looks_zip(file))
        return IMPORT_ZIP;
    if (torch_is_legacy(file))
        return IMPORT_TORCH_LEGACY;
    if (torch_is_safetensors(file))
        return IMPORT_SAFETENSORS;
    return looks_onnx(file) ? IMPORT_ONNX : IMPORT_UNKNOWN;
}

bool import_needed(enum import_kind kind)
{
    return kind != IMPORT_ONNX && kind != IMPORT_UNKNOWN;
}

const char *import_kind_name(enum import_kind kind)
{
    static const char *const names[] = {
        [IMPORT_ONNX] = "ONNX model",
        [IMPORT_KERAS_H5] = "HDF5 file",
        [IMPORT_ZIP] = "zip archive",
        [IMPORT_TORCH_LEGACY] = "PyTorch file (before 1.6)",
        [IMPORT_SAFETENSORS] = "safetensors file",
        [IMPORT_UNKNOWN] = "unknown",
    };
    return names[kind];
}

static enum errc import_zip(struct str file, struct import *out,
                            struct err *err)
{
    struct zip z;
    enum errc rc = zip_open(file, out->arena, &z, err);

    if (rc)
        return rc;
    return torch_is_archive(&z) ? torch_import_zip(file, &z, out, err)
                                : keras_import_zip(&z, out, err);
}

enum errc import_file(struct str file, const struct import_options *options,
                      struct arena *arena, struct import *out, struct err *err)
{
    *out = (struct import){.arena = arena, .options = *options};
    graph_init(&out->graph, arena);
    out->report.kind = import_kind_name(import_sniff(file));
    out->report.framework = out->report.title = "";
    switch (import_sniff(file)) {
    case IMPORT_KERAS_H5:
        return keras_import_h5(file, out, err);
    case IMPORT_ZIP:
        return import_zip(file, out, err);
    case IMPORT_TORCH_LEGACY:
        return torch_import_legacy(file, out, err);
    case IMPORT_SAFETENSORS:
        return torch_import_safetensors(file, out, err);
    case IMPORT_ONNX:
        return err_set(err, ERR_INVALID, "an ONNX model needs no import");
    case IMPORT_UNKNOWN:
        break;
    }
    return err_set(err, ERR_UNSUPPORTED,
                   "this kind of file is not known; known are ONNX, Keras "
                   "(.h5, .keras) and PyTorch");
}

void import_lists(struct import *out, struct str name, const struct tensor *t)
{
    struct import_report *r = &out->report;
    struct buf line;

    r->parameters += t->count;
    if (!r->tensors)
        r->tensors = arena_new(out->arena, const char *, IMPORT_MAX_TENSORS);
    if (!r->tensors || r->n_tensors == IMPORT_MAX_TENSORS)
        return;
    buf_init(&line, 4096);
    buf_put(&line, name.n < 200 ? name : str_slice(name, 0, 200));
    buf_printf(&line, " %s ", dtype_oip(t->type));
    shape_format(&line, &t->shape, NULL);
    const char *kept = arena_cstr(out->arena, buf_str(&line));
    buf_fini(&line);
    if (kept)
        r->tensors[r->n_tensors++] = kept;
}

void import_saw(struct import *out, struct str class_name)
{
    struct import_report *r = &out->report;

    if (!r->classes) {
        r->classes = arena_new(out->arena, const char *, CLASSES_MAX);
        r->counts = arena_new(out->arena, size_t, CLASSES_MAX);
        if (!r->classes || !r->counts) {
            r->classes = NULL;
            return;
        }
    }
    for (size_t i = 0; i < r->n_classes; i++)
        if (str_eq(class_name, str_from_cstr(r->classes[i]))) {
            r->counts[i]++;
            return;
        }
    char *copy = arena_cstr(out->arena, class_name);
    if (copy && r->n_classes < CLASSES_MAX) {
        r->classes[r->n_classes] = copy;
        r->counts[r->n_classes++] = 1;
    }
}
