#include <string.h>

#include "codec/base64.h"
#include "codec/json_tensor.h"
#include "codec/number.h"

static void put_string(struct buf *b, struct str s, bool b64)
{
    if (!b64) {
        buf_put_quoted(b, s);
        return;
    }
    buf_puts(b, "{\"b64\":\"");
    char *at = buf_reserve(b, base64_encoded_size(s.n));
    if (at)
        b->n += base64_encode(s, at);
    buf_puts(b, "\"}");
}

static int64_t int_at(enum dtype type, const void *data, size_t i)
{
    switch ((int)type) {
    case DTYPE_I8:
        return ((const int8_t *)data)[i];
    case DTYPE_U8:
        return ((const uint8_t *)data)[i];
    case DTYPE_I16:
        return ((const int16_t *)data)[i];
    case DTYPE_U16:
        return ((const uint16_t *)data)[i];
    case DTYPE_I32:
        return ((const int32_t *)data)[i];
    case DTYPE_U32:
        return ((const uint32_t *)data)[i];
    default:
        return ((const int64_t *)data)[i];
    }
}

/* One number at `at`, which has NUMBER_TEXT_MAX bytes; how many it took. */
static size_t put_number(char *at, enum dtype type, const void *data, size_t i)
{
    switch ((int)type) {
    case DTYPE_F32:
        return number_write_f32(at, ((const float *)data)[i]);
    case DTYPE_F64:
        return number_write_f64(at, ((const double *)data)[i]);
    case DTYPE_F16:
        return number_write_f32(at,
                                dtype_f16_to_f32(((const uint16_t *)data)[i]));
    case DTYPE_BF16:
        return number_write_f32(at,
                                dtype_bf16_to_f32(((const uint16_t *)data)[i]));
    case DTYPE_U64:
        return number_write_u64(at, ((const uint64_t *)data)[i]);
    default:
        return number_write_i64(at, int_at(type, data, i));
    }
}

static void put_row(struct buf *b, enum dtype type, const void *data,
                    size_t from, size_t n, bool b64)
{
    for (size_t i = from; i < from + n; i++) {
        if (i > from)
            buf_putc(b, ',');
        if (type == DTYPE_STRING) {
            put_string(b, ((const struct str *)data)[i], b64);
        } else if (type == DTYPE_BOOL) {
            buf_puts(b, ((const uint8_t *)data)[i] ? "true" : "false");
        } else {
            char *at = buf_reserve(b, NUMBER_TEXT_MAX);
            if (!at)
                return;
            b->n += put_number(at, type, data, i);
        }
    }
}

void json_tensor_write_flat(struct buf *b, enum dtype type, const void *data,
                            size_t n)
{
    put_row(b, type, data, 0, n, false);
}

/* Lists end at the first dimension of 0: what is in none of them is not
 * written. A list opens in front of the first row it holds and closes behind
 * the last. */
void json_tensor_write(struct buf *b, enum dtype type, const void *data,
                       const struct shape *shape, bool b64)
{
    int64_t rows_in[SHAPE_MAX_RANK]; /* of a list at each level */
    int rank = shape->rank;

    if (rank == 0) {
        put_row(b, type, data, 0, 1, b64);
        return;
    }
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == 0) {
            rank = i + 1;
            break;
        }
    }
    int64_t rows = 1;
    for (int i = rank - 2; i >= 0; i--)
        rows_in[i] = rows *= shape->dim[i];
    size_t inner = (size_t)shape->dim[rank - 1];
    for (int64_t row = 0; row < rows && !b->failed; row++) {
        if (row)
            buf_putc(b, ',');
        for (int i = 0; i < rank - 1; i++)
            if (row % rows_in[i] == 0)
                buf_putc(b, '[');
        buf_putc(b, '[');
        put_row(b, type, data, (size_t)row * inner, inner, b64);
        buf_putc(b, ']');
        for (int i = 0; i < rank - 1; i++)
            if ((row + 1) % rows_in[i] == 0)
                buf_putc(b, ']');
    }
}
