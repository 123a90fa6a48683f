#include "import/result.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum {
    ALIGN = 64,
    NAME_SIZE = 104,
    CLASS_SIZE = 64,
    TENSOR_SIZE = 320,
    CLASSES_MAX = 1024,
    WEIGHTS_MAX = 1 << 20,
    IN_FILE = 1,
    IN_RESULT = 2,
};

struct head {
    char magic[8];
    uint32_t rc, n_classes, n_tensors, pad;
    uint64_t n_weights, onnx, blob, parameters;
    char msg[512], kind[64], framework[128], title[128], missing[800],
        note[300];
};

struct class_row {
    char name[CLASS_SIZE];
    uint64_t count;
};

struct tensor_row {
    char text[TENSOR_SIZE];
};

struct weight_row {
    char name[NAME_SIZE];
    uint32_t type, where;
    int32_t rank, pad;
    int64_t dim[SHAPE_MAX_RANK];
    uint64_t offset; /* in the file, or in the blob */
};

static const char magic[8] = "stkimp03";

static size_t aligned(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static bool put_padded(int fd, const void *p, size_t n)
{
    static const char zeroes[ALIGN];

    return fs_write_all(fd, p, n) && fs_write_all(fd, zeroes, aligned(n) - n);
}

static void copy_text(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from ? from : "");
}

static bool is_external(const struct graph_weight *w, enum graph_weights how)
{
    return how == GRAPH_EXTERNAL && graph_is_external(w);
}

static bool in_file(const struct graph_weight *w, struct str file)
{
    const char *p = w->tensor.data;

    return p >= file.p && p + tensor_bytes(&w->tensor) <= file.p + file.n;
}

/* Rows of the table; *blob: bytes of those that are not in the file. */
static bool put_table(int fd, const struct import *in, struct str file,
                      enum graph_weights how, uint64_t *blob)
{
    *blob = 0;
    for (const struct graph_weight *w = in->graph.weights; w; w = w->next) {
        struct weight_row row;
        if (!is_external(w, how))
            continue;
        memset(&row, 0, sizeof(row));
        copy_text(row.name, sizeof(row.name), w->name);
        row.type = (uint32_t)w->tensor.type;
        row.rank = w->tensor.shape.rank;
        memcpy(row.dim, w->tensor.shape.dim, sizeof(row.dim));
        if (in_file(w, file)) {
            row.where = IN_FILE;
            row.offset = (uint64_t)((const char *)w->tensor.data - file.p);
        } else {
            row.where = IN_RESULT;
            row.offset = *blob;
            *blob += aligned(tensor_bytes(&w->tensor));
        }
        if (fd >= 0 && !fs_write_all(fd, &row, sizeof(row)))
            return false;
    }
    return true;
}

static bool put_classes(int fd, const struct import_report *r)
{
    for (size_t i = 0; i < r->n_classes; i++) {
        struct class_row row;
        memset(&row, 0, sizeof(row));
        copy_text(row.name, sizeof(row.name), r->classes[i]);
        row.count = r->counts[i];
        if (!fs_write_all(fd, &row, sizeof(row)))
            return false;
    }
    for (size_t i = 0; i < r->n_tensors; i++) {
        struct tensor_row row;
        memset(&row, 0, sizeof(row));
        copy_text(row.text, sizeof(row.text), r->tensors[i]);
        if (!fs_write_all(fd, &row, sizeof(row)))
            return false;
    }
    return true;
}

static bool put_blob(int fd, const struct import *in, struct str file,
                     enum graph_weights how)
{
    for (const struct graph_weight *w = in->graph.weights; w; w = w->next)
        if (is_external(w, how) && !in_file(w, file) &&
            !put_padded(fd, w->tensor.data, tensor_bytes(&w->tensor)))
            return false;
    return true;
}

static void fill_head(struct head *h, const struct import *in, enum errc rc,
                      const struct err *why)
{
    const struct import_report *r = &in->report;

    memset(h, 0, sizeof(*h));
    memcpy(h->magic, magic, sizeof(magic));
    h->rc = (uint32_t)rc;
    h->n_classes = (uint32_t)r->n_classes;
    h->n_tensors = (uint32_t)r->n_tensors;
    h->parameters = r->parameters;
    copy_text(h->msg, sizeof(h->msg), rc ? why->msg : "");
    copy_text(h->kind, sizeof(h->kind), r->kind);
    copy_text(h->framework, sizeof(h->framework), r->framework);
    copy_text(h->title, sizeof(h->title), r->title);
    copy_text(h->missing, sizeof(h->missing), r->missing);
    copy_text(h->note, sizeof(h->note), r->note);
}

/* Order: head, classes, table, ONNX, blob; each but the first aligned. */
enum errc result_write(int fd, struct str file, const struct import *in,
                       enum graph_weights how, enum errc failure,
                       const struct err *why)
{
    struct head h;
    struct buf onnx;
    struct err err = *why;
    static const char zeroes[ALIGN];

    buf_init(&onnx, INT32_MAX);
    if (!failure)
        failure = graph_write(&in->graph, how, &onnx, &err);
    fill_head(&h, in, failure, &err);
    if (!failure) {
        for (const struct graph_weight *w = in->graph.weights; w; w = w->next)
            h.n_weights += is_external(w, how);
        (void)put_table(-1, in, file, how, &h.blob);
        h.onnx = onnx.n;
    }
    size_t so_far = sizeof(h) + h.n_classes * sizeof(struct class_row) +
                    h.n_tensors * sizeof(struct tensor_row) +
                    (size_t)h.n_weights * sizeof(struct weight_row);
    bool ok = fs_write_all(fd, &h, sizeof(h)) && put_classes(fd, &in->report);
    if (ok && !failure)
        ok = put_table(fd, in, file, how, &h.blob) &&
             fs_write_all(fd, zeroes, aligned(so_far) - so_far) &&
             put_padded(fd, onnx.p, onnx.n) && put_blob(fd, in, file, how);
    buf_fini(&onnx);
    return ok ? ERR_OK : fs_error(NULL, "write", "the imported model");
}

static enum errc damaged(struct err *err)
{
    return err_set(err, ERR_INTERNAL,
                   "the importer's answer does not fit together");
}

static const char *take_text(struct imported *out, const char *p, size_t size)
{
    const char *s = arena_cstr(&out->arena, (struct str){p, strnlen(p, size)});

    return s ? s : "";
}

static enum errc read_report(const struct head *h, struct str *rest,
                             struct imported *out, struct err *err)
{
    struct import_report *r = &out->report;

    r->kind = take_text(out, h->kind, sizeof(h->kind));
    r->framework = take_text(out, h->framework, sizeof(h->framework));
    r->title = take_text(out, h->title, sizeof(h->title));
    copy_text(r->missing, sizeof(r->missing),
              take_text(out, h->missing, sizeof(h->missing)));
    copy_text(r->note, sizeof(r->note),
              take_text(out, h->note, sizeof(h->note)));
    r->parameters = h->parameters;
    if (h->n_classes > CLASSES_MAX ||
        rest->n < h->n_classes * sizeof(struct class_row))
        return damaged(err);
    r->classes = arena_new(&out->arena, const char *, h->n_classes + 1U);
    r->counts = arena_new(&out->arena, size_t, h->n_classes + 1U);
    if (!r->classes || !r->counts)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (; r->n_classes < h->n_classes; r->n_classes++) {
        struct class_row row;
        memcpy(&row, rest->p, sizeof(row));
        *rest = str_slice(*rest, sizeof(row), rest->n);
        r->classes[r->n_classes] = take_text(out, row.name, sizeof(row.name));
        r->counts[r->n_classes] = (size_t)row.count;
    }
    if (h->n_tensors > IMPORT_MAX_TENSORS ||
        rest->n < h->n_tensors * sizeof(struct tensor_row))
        return damaged(err);
    r->tensors = arena_new(&out->arena, const char *, h->n_tensors + 1U);
    if (!r->tensors)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (; r->n_tensors < h->n_tensors; r->n_tensors++) {
        r->tensors[r->n_tensors] = take_text(out, rest->p, TENSOR_SIZE);
        *rest = str_slice(*rest, sizeof(struct tensor_row), rest->n);
    }
    return ERR_OK;
}

/* A weight lies, as a whole, in one of the two byte strings. */
static bool read_weight(const struct weight_row *row, struct str file,
                        struct str blob, struct imported *out,
                        struct model_weight *w)
{
    struct tensor *t = &w->tensor;
    struct str where = row->where == IN_FILE ? file : blob;
    int64_t count;

    if ((row->where != IN_FILE && row->where != IN_RESULT) || row->rank < 0 ||
        row->rank > SHAPE_MAX_RANK || !dtype_known((int)row->type) ||
        dtype_size((enum dtype)row->type) == 0)
        return false;
    t->type = (enum dtype)row->type;
    t->shape.rank = row->rank;
    memcpy(t->shape.dim, row->dim, sizeof(row->dim));
    if (!shape_count(&t->shape, &count) || (uint64_t)count > where.n)
        return false;
    t->count = (size_t)count;
    if (row->offset > where.n || tensor_bytes(t) > where.n - row->offset)
        return false;
    t->data = (char *)(uintptr_t)where.p + row->offset;
    if ((uintptr_t)t->data % dtype_size(t->type))
        return false;
    w->name = take_text(out, row->name, sizeof(row->name));
    return true;
}

enum errc result_read(struct str result, struct str file, struct imported *out,
                      struct err *err)
{
    struct head h;
    struct str rest = result;

    if (result.n < sizeof(h))
        return damaged(err);
    memcpy(&h, result.p, sizeof(h));
    rest = str_slice(rest, sizeof(h), rest.n);
    if (memcmp(h.magic, magic, sizeof(magic)) != 0)
        return damaged(err);
    enum errc rc = read_report(&h, &rest, out, err);
    if (rc)
        return rc;
    if (h.rc) {
        h.msg[sizeof(h.msg) - 1] = '\0';
        err_record(err, (enum errc)h.rc, "%s", h.msg);
        return (enum errc)h.rc;
    }
    size_t rows = h.n_weights > WEIGHTS_MAX
                      ? SIZE_MAX
                      : (size_t)h.n_weights * sizeof(struct weight_row);
    size_t at = (size_t)(rest.p - result.p);
    if (rows > rest.n || aligned(at + rows) > result.n)
        return damaged(err);
    struct str onnx = str_slice(result, aligned(at + rows), result.n);
    if (h.onnx > onnx.n || aligned((size_t)h.onnx) > onnx.n)
        return damaged(err);
    struct str blob = str_slice(onnx, aligned((size_t)h.onnx), onnx.n);
    struct model_weight *w =
        arena_new(&out->arena, struct model_weight, (size_t)h.n_weights + 1);
    if (!w)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < h.n_weights; i++) {
        struct weight_row row;
        memcpy(&row, rest.p + i * sizeof(row), sizeof(row));
        if (!read_weight(&row, file, blob, out, &w[i]))
            return damaged(err);
    }
    out->source = (struct model_source){
        .bytes = str_slice(onnx, 0, (size_t)h.onnx),
        .weights = w,
        .n_weights = (size_t)h.n_weights,
        .descriptors = out->descriptors,
    };
    return ERR_OK;
}
