/* onnx_file.h - what can be read from the bytes of an ONNX file without a
 * runtime: versions, operators, sizes, external data.
 *
 * Walks the protobuf in place, nested graphs included, with an explicit stack.
 * Field numbers: onnx.proto3 (https://github.com/onnx/onnx).
 */
#ifndef MODEL_ONNX_FILE_H
#define MODEL_ONNX_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct onnx_opset {
    struct str domain; /* "": ai.onnx */
    int64_t version;
};

struct onnx_operator {
    struct str domain, type;
    size_t count;
};

enum { ONNX_MAX_OPSETS = 32, ONNX_MAX_OPERATORS = 512 };

struct onnx_file {
    int64_t ir_version;
    struct str producer, producer_version;
    struct onnx_opset opsets[ONNX_MAX_OPSETS];
    size_t n_opsets;
    struct onnx_operator *operators; /* distinct, in order of appearance */
    size_t n_operators;
    size_t n_nodes;
    uint64_t n_parameters; /* elements of all initializers */
    size_t n_external;     /* initializers whose data is in other files */
};

/* Instead of a folder: the weights are handed over with the model. */
extern const char onnx_weights_given[];

/* Fails on bytes that are not an ONNX model, and on external data that is not
 * a plain file beneath `folder` (NULL: external data is refused). Strings
 * point into bytes. */
MUST_CHECK enum errc onnx_file_read(struct str bytes, const char *folder,
                                    struct arena *arena, struct onnx_file *out,
                                    struct err *err);

#endif
