#include "model/onnx_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "codec/protobuf.h"

enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET = 8,
    MODEL_FUNCTIONS = 25,
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    FUNCTION_NODE = 7,
    NODE_OP_TYPE = 4,
    NODE_ATTRIBUTE = 5,
    NODE_DOMAIN = 7,
    ATTRIBUTE_TENSOR = 5,
    ATTRIBUTE_GRAPH = 6,
    ATTRIBUTE_GRAPHS = 11,
    TENSOR_DIMS = 1,
    TENSOR_EXTERNAL = 13,
    MAX_PENDING = 4096,
};

struct walk {
    struct onnx_file *file;
    struct arena *arena;
    const char *folder;
    struct err *err;
    struct pending {
        struct str bytes;
        uint32_t node_field; /* 1 in a graph, 7 in a function */
    } * pending;             /* graphs still to be read */
    size_t n_pending;
};

static enum errc damaged(struct walk *w)
{
    return err_set(w->err, ERR_INVALID,
                   "the file is not an ONNX model, or it is cut off");
}

static enum errc later(struct walk *w, struct str bytes, uint32_t node_field)
{
    if (w->n_pending == MAX_PENDING)
        return err_set(w->err, ERR_LIMIT, "more than %d nested graphs",
                       MAX_PENDING);
    w->pending[w->n_pending++] = (struct pending){bytes, node_field};
    return ERR_OK;
}

/* Relative, no "..", every step a directory and the last a plain file. */
static enum errc check_location(struct walk *w, struct str location)
{
    char path[PATH_MAX];
    struct stat st;
    struct str rest = location;

    if (location.n == 0 || location.p[0] == '/' ||
        memchr(location.p, '\0', location.n))
        return err_set(w->err, ERR_DENIED,
                       "external data '" STR_FMT
                       "' is not a path beneath the model's folder",
                       STR_ARG(location));
    while (rest.p) {
        struct str step = str_cut(&rest, '/');
        if (str_eq(step, STR("..")))
            return err_set(w->err, ERR_DENIED,
                           "external data '" STR_FMT
                           "' leaves the model's folder",
                           STR_ARG(location));
    }
    if (!w->folder)
        return err_set(w->err, ERR_DENIED,
                       "the model keeps data in other files, which cannot be "
                       "sent with it");
    if (snprintf(path, sizeof(path), "%s/" STR_FMT, w->folder,
                 STR_ARG(location)) >= (int)sizeof(path))
        return err_set(w->err, ERR_LIMIT, "a path is too long");
    if (lstat(path, &st) != 0)
        return err_set(w->err, ERR_NOT_FOUND,
                       "the model's external data '%s' is missing; keep it "
                       "beside the model file",
                       path);
    if (!S_ISREG(st.st_mode))
        return err_set(w->err, ERR_DENIED,
                       "external data '%s' is not a plain file", path);
    return ERR_OK;
}

const char onnx_weights_given[] = "";

static enum errc external(struct walk *w, struct str entry)
{
    struct protobuf m = {.rest = entry};
    struct protobuf_field f;
    struct str key = {0}, value = {0};

    while (protobuf_next(&m, &f)) {
        if (f.number == 1)
            key = f.bytes;
        else if (f.number == 2)
            value = f.bytes;
    }
    if (m.failed)
        return damaged(w);
    if (!str_eq(key, STR("location")))
        return ERR_OK;
    w->file->n_external++;
    return w->folder == onnx_weights_given ? ERR_OK : check_location(w, value);
}

static uint64_t packed_product(struct str dims, uint64_t n)
{
    struct str rest = dims;

    while (rest.n) {
        uint64_t v = 0;
        size_t i = 0;
        while (i < rest.n && i < 10) {
            v |= (uint64_t)(rest.p[i] & 0x7f) << (7 * i);
            if (!(rest.p[i++] & 0x80))
                break;
        }
        n *= v;
        rest = str_slice(rest, i, rest.n);
    }
    return n;
}

static enum errc tensor(struct walk *w, struct str bytes, bool initializer)
{
    struct protobuf m = {.rest = bytes};
    struct protobuf_field f;
    uint64_t n = 1;
    enum errc rc;

    while (protobuf_next(&m, &f)) {
        if (f.number == TENSOR_DIMS) {
            n = f.wire == 2 ? packed_product(f.bytes, n) : n * f.value;
        } else if (f.number == TENSOR_EXTERNAL) {
            rc = external(w, f.bytes);
            if (rc)
                return rc;
        }
    }
    if (initializer)
        w->file->n_parameters += n;
    return m.failed ? damaged(w) : ERR_OK;
}

static enum errc count_operator(struct walk *w, struct str domain,
                                struct str type)
{
    struct onnx_file *file = w->file;

    file->n_nodes++;
    for (size_t i = 0; i < file->n_operators; i++) {
        struct onnx_operator *o = &file->operators[i];
        if (str_eq(o->type, type) && str_eq(o->domain, domain)) {
            o->count++;
            return ERR_OK;
        }
    }
    if (file->n_operators == ONNX_MAX_OPERATORS)
        return err_set(w->err, ERR_LIMIT, "more than %d kinds of operators",
                       ONNX_MAX_OPERATORS);
    file->operators[file->n_operators++] =
        (struct onnx_operator){domain, type, 1};
    return ERR_OK;
}

static enum errc attribute(struct walk *w, struct str bytes)
{
    struct protobuf m = {.rest = bytes};
    struct protobuf_field f;
    enum errc rc = ERR_OK;

    while (!rc && protobuf_next(&m, &f)) {
        if (f.wire != 2)
            continue;
        if (f.number == ATTRIBUTE_GRAPH || f.number == ATTRIBUTE_GRAPHS)
            rc = later(w, f.bytes, GRAPH_NODE);
        else if (f.number == ATTRIBUTE_TENSOR)
            rc = tensor(w, f.bytes, false);
    }
    return rc ? rc : m.failed ? damaged(w) : ERR_OK;
}

static enum errc node(struct walk *w, struct str bytes)
{
    struct protobuf m = {.rest = bytes};
    struct protobuf_field f;
    struct str type = {"", 0}, domain = {"", 0};
    enum errc rc = ERR_OK;

    while (!rc && protobuf_next(&m, &f)) {
        if (f.wire != 2)
            continue;
        if (f.number == NODE_OP_TYPE)
            type = f.bytes;
        else if (f.number == NODE_DOMAIN)
            domain = f.bytes;
        else if (f.number == NODE_ATTRIBUTE)
            rc = attribute(w, f.bytes);
    }
    if (!rc && m.failed)
        rc = damaged(w);
    return rc ? rc : count_operator(w, domain, type);
}

static enum errc graph(struct walk *w, struct pending p)
{
    struct protobuf m = {.rest = p.bytes};
    struct protobuf_field f;
    enum errc rc = ERR_OK;

    while (!rc && protobuf_next(&m, &f)) {
        if (f.wire != 2)
            continue;
        if (f.number == p.node_field)
            rc = node(w, f.bytes);
        else if (f.number == GRAPH_INITIALIZER && p.node_field == GRAPH_NODE)
            rc = tensor(w, f.bytes, true);
    }
    return rc ? rc : m.failed ? damaged(w) : ERR_OK;
}

static enum errc opset(struct walk *w, struct str bytes)
{
    struct protobuf m = {.rest = bytes};
    struct protobuf_field f;
    struct onnx_opset o = {.domain = {"", 0}};

    while (protobuf_next(&m, &f)) {
        if (f.number == 1)
            o.domain = f.bytes;
        else if (f.number == 2)
            o.version = (int64_t)f.value;
    }
    if (m.failed)
        return damaged(w);
    if (w->file->n_opsets < ONNX_MAX_OPSETS)
        w->file->opsets[w->file->n_opsets++] = o;
    return ERR_OK;
}

static enum errc model(struct walk *w, struct str bytes, bool *has_graph)
{
    struct protobuf m = {.rest = bytes};
    struct protobuf_field f;
    enum errc rc = ERR_OK;

    while (!rc && protobuf_next(&m, &f)) {
        if (f.number == MODEL_IR_VERSION && f.wire == 0) {
            w->file->ir_version = (int64_t)f.value;
        } else if (f.number == MODEL_PRODUCER) {
            w->file->producer = f.bytes;
        } else if (f.number == MODEL_PRODUCER_VERSION) {
            w->file->producer_version = f.bytes;
        } else if (f.number == MODEL_OPSET && f.wire == 2) {
            rc = opset(w, f.bytes);
        } else if (f.number == MODEL_GRAPH && f.wire == 2) {
            *has_graph = true;
            rc = later(w, f.bytes, GRAPH_NODE);
        } else if (f.number == MODEL_FUNCTIONS && f.wire == 2) {
            rc = later(w, f.bytes, FUNCTION_NODE);
        }
    }
    return rc ? rc : m.failed ? damaged(w) : ERR_OK;
}

enum errc onnx_file_read(struct str bytes, const char *folder,
                         struct arena *arena, struct onnx_file *out,
                         struct err *err)
{
    struct walk w = {.file = out, .arena = arena, .folder = folder, .err = err};
    bool has_graph = false;
    enum errc rc;

    *out = (struct onnx_file){.producer = {"", 0}, .producer_version = {"", 0}};
    w.pending = arena_new(arena, struct pending, MAX_PENDING);
    out->operators = arena_new(arena, struct onnx_operator, ONNX_MAX_OPERATORS);
    if (!w.pending || !out->operators)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (bytes.n == 0)
        return err_set(err, ERR_INVALID, "the file is empty");
    rc = model(&w, bytes, &has_graph);
    if (!rc && !has_graph)
        rc = damaged(&w);
    while (!rc && w.n_pending)
        rc = graph(&w, w.pending[--w.n_pending]);
    return rc;
}
