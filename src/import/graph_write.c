/* The bytes of an ONNX file: Protocol Buffers, field numbers of onnx.proto3
 * (https://github.com/onnx/onnx). A message inside of another one is written
 * to a buffer of its own first, because its length comes before it. */
#include <string.h>

#include "codec/protobuf.h"
#include "import/graph.h"

enum { FILE_MAX = INT32_MAX, PIECE_MAX = 64 << 20, EXTERNAL = 1 };

static void put_text(struct buf *b, unsigned field, const char *s)
{
    protobuf_put_bytes(b, field, str_from_cstr(s));
}

static void put_float(struct buf *b, unsigned field, const float *v)
{
    protobuf_put_varint(b, field << 3 | 5);
    buf_put(b, (struct str){(const char *)v, sizeof(*v)});
}

/* Empties the piece into b as one field. */
static void put_piece(struct buf *b, unsigned field, struct buf *piece)
{
    protobuf_put_bytes(b, field, buf_str(piece));
    if (piece->failed)
        b->failed = true;
    buf_clear(piece);
}

static void put_attribute(struct buf *node, const struct graph_attribute *a,
                          struct buf *piece)
{
    put_text(piece, 1, a->name);
    switch (a->type) {
    case ATTR_FLOAT:
        put_float(piece, 2, &a->f);
        break;
    case ATTR_FLOATS:
        for (size_t i = 0; i < a->n; i++)
            put_float(piece, 7, &a->floats[i]);
        break;
    case ATTR_STRINGS:
        for (size_t i = 0; i < a->n; i++)
            put_text(piece, 9, a->strings[i]);
        break;
    case ATTR_INT:
        protobuf_put_int(piece, 3, a->i);
        break;
    case ATTR_STRING:
        put_text(piece, 4, a->s);
        break;
    case ATTR_INTS:
        for (size_t i = 0; i < a->n; i++)
            protobuf_put_int(piece, 8, a->ints[i]);
        break;
    }
    protobuf_put_int(piece, 20, a->type);
    put_piece(node, 5, piece);
}

static void put_node(struct buf *graph, const struct graph_node *n,
                     struct buf *node, struct buf *piece)
{
    for (size_t i = 0; i < n->n_in; i++)
        put_text(node, 1, n->in[i]);
    for (size_t i = 0; i < n->n_out; i++)
        put_text(node, 2, n->out[i]);
    put_text(node, 3, n->name);
    put_text(node, 4, n->op);
    for (const struct graph_attribute *a = n->attributes; a; a = a->next)
        put_attribute(node, a, piece);
    put_piece(graph, 1, node);
}

/* TensorProto; raw data can be as large as the file, so its length is counted
 * and not collected. */
static void put_weight(struct buf *graph, const struct graph_weight *w,
                       bool external, struct buf *head, struct buf *piece)
{
    struct str raw = {w->tensor.data, tensor_bytes(&w->tensor)};

    for (int i = 0; i < w->tensor.shape.rank; i++)
        protobuf_put_int(head, 1, w->tensor.shape.dim[i]);
    protobuf_put_int(head, 2, (int64_t)w->tensor.type);
    put_text(head, 8, w->name);
    if (external) {
        put_text(piece, 1, "location");
        put_text(piece, 2, "weights");
        put_piece(head, 13, piece);
        protobuf_put_int(head, 14, EXTERNAL);
        put_piece(graph, 5, head);
        return;
    }
    protobuf_put_varint(head, 9 << 3 | 2);
    protobuf_put_varint(head, raw.n);
    protobuf_put_varint(graph, 5 << 3 | 2);
    protobuf_put_varint(graph, head->n + raw.n);
    buf_put(graph, buf_str(head));
    buf_put(graph, raw);
    buf_clear(head);
}

static void put_io(struct buf *graph, unsigned field, const struct graph_io *io)
{
    struct buf info, type, tensor, shape, dim;
    struct buf *all[] = {&info, &type, &tensor, &shape, &dim};
    bool batch = true;

    for (size_t i = 0; i < COUNT(all); i++)
        buf_init(all[i], PIECE_MAX);
    for (int i = 0; i < io->shape.rank; i++) {
        if (io->shape.dim[i] >= 0)
            protobuf_put_int(&dim, 1, io->shape.dim[i]);
        else if (batch)
            put_text(&dim, 2, "batch");
        if (io->shape.dim[i] < 0)
            batch = false;
        put_piece(&shape, 1, &dim);
    }
    protobuf_put_int(&tensor, 1, (int64_t)io->type);
    put_piece(&tensor, 2, &shape);
    put_piece(&type, 1, &tensor);
    put_text(&info, 1, io->name);
    put_piece(&info, 2, &type);
    put_piece(graph, field, &info);
    for (size_t i = 0; i < COUNT(all); i++)
        buf_fini(all[i]);
}

enum errc graph_write(const struct graph *g, enum graph_weights how,
                      struct buf *out, struct err *err)
{
    struct buf graph, node, piece;

    buf_init(&graph, FILE_MAX);
    buf_init(&node, PIECE_MAX);
    buf_init(&piece, PIECE_MAX);
    for (const struct graph_node *n = g->nodes; n; n = n->next)
        put_node(&graph, n, &node, &piece);
    put_text(&graph, 2, "imported");
    for (const struct graph_weight *w = g->weights; w; w = w->next)
        put_weight(&graph, w, how == GRAPH_EXTERNAL && graph_is_external(w),
                   &node, &piece);
    for (const struct graph_io *io = g->inputs; io; io = io->next)
        put_io(&graph, 11, io);
    for (const struct graph_io *io = g->outputs; io; io = io->next)
        put_io(&graph, 12, io);

    protobuf_put_int(out, 1, GRAPH_IR);
    put_text(out, 2, "stoker");
    put_text(out, 3, STOKER_VERSION);
    put_piece(out, 7, &graph);
    protobuf_put_int(&piece, 2, GRAPH_OPSET);
    put_piece(out, 8, &piece);
    bool failed = out->failed || graph.failed || node.failed || piece.failed;
    buf_fini(&graph);
    buf_fini(&node);
    buf_fini(&piece);
    if (g->failed)
        return err_set(err, ERR_NOMEM, "out of memory for the graph");
    if (failed)
        return err_set(err, ERR_LIMIT,
                       "the model is too large for one ONNX file (2 GiB)");
    return ERR_OK;
}
