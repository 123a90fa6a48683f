/* dtype.h - the element types of tensors, one table for every spelling.
 *
 * The values are ONNX' own (TensorProto.DataType is another numbering; this is
 * ONNXTensorElementDataType of the runtime's C ABI), so that no translation is
 * needed at the border.
 */
#ifndef CODEC_DTYPE_H
#define CODEC_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* clang-format off */
/*    name    abi bytes  OIP       TF Serving      ONNX file   JSON schema */
#define DTYPE_MAP(X)                                                        \
    X(F32,     1,  4, "FP32",   "DT_FLOAT",     1, "number")                \
    X(U8,      2,  1, "UINT8",  "DT_UINT8",     2, "integer")               \
    X(I8,      3,  1, "INT8",   "DT_INT8",      3, "integer")               \
    X(U16,     4,  2, "UINT16", "DT_UINT16",    4, "integer")               \
    X(I16,     5,  2, "INT16",  "DT_INT16",     5, "integer")               \
    X(I32,     6,  4, "INT32",  "DT_INT32",     6, "integer")               \
    X(I64,     7,  8, "INT64",  "DT_INT64",     7, "integer")               \
    X(STRING,  8,  0, "BYTES",  "DT_STRING",    8, "string")                \
    X(BOOL,    9,  1, "BOOL",   "DT_BOOL",      9, "boolean")               \
    X(F16,    10,  2, "FP16",   "DT_HALF",     10, "number")                \
    X(F64,    11,  8, "FP64",   "DT_DOUBLE",   11, "number")                \
    X(U32,    12,  4, "UINT32", "DT_UINT32",   12, "integer")               \
    X(U64,    13,  8, "UINT64", "DT_UINT64",   13, "integer")               \
    X(BF16,   16,  2, "BF16",   "DT_BFLOAT16", 16, "number")
/* clang-format on */

enum dtype {
    DTYPE_NONE = 0, /* also what the runtime has and no protocol carries */
#define X(name, abi, bytes, oip, tf, onnx, schema) DTYPE_##name = (abi),
    DTYPE_MAP(X)
#undef X
        DTYPE_COUNT = 17,
};

/* Bytes of one element; 0 for strings and DTYPE_NONE. */
size_t dtype_size(enum dtype t);
const char *dtype_oip(enum dtype t);
const char *dtype_tf(enum dtype t);
const char *dtype_schema(enum dtype t);

bool dtype_is_float(enum dtype t);

/* DTYPE_NONE when the name is not known. */
enum dtype dtype_from_oip(struct str name);

/* True when abi is a type of the table. */
bool dtype_known(int abi);

/* IEEE 754 binary16 and bfloat16, rounding to nearest even. */
float dtype_f16_to_f32(uint16_t h);
uint16_t dtype_f16_from_f32(float f);
float dtype_bf16_to_f32(uint16_t h);
uint16_t dtype_bf16_from_f32(float f);

#endif
