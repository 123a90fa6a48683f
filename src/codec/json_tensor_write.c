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

/* Element `row` opens as many lists as dimensions turn over with it. */
void json_tensor_write(struct buf *b, enum dtype type, const void *data,
                       const struct shape *shape, bool b64)
{
    int rank = shape->rank;
    int64_t at[SHAPE_MAX_RANK] = {0};
    size_t row = 0;
    int64_t inner = rank ? shape->dim[rank - 1] : 1;

    if (rank == 0) {
        put_row(b, type, data, 0, 1, b64);
        return;
    }
    int depth = 0;
    while (depth >= 0 && !b->failed) {
        /* Down to the innermost list, as far as there is something in it. */
        while (depth < rank - 1 && at[depth] < shape->dim[depth]) {
            buf_putc(b, '[');
            at[++depth] = 0;
        }
        if (depth == rank - 1 && at[depth] == 0) {
            buf_putc(b, '[');
            put_row(b, type, data, row, (size_t)inner, b64);
            row += (size_t)inner;
        } else if (at[depth] == 0) {
            buf_putc(b, '[');
        }
        buf_putc(b, ']');
        if (--depth >= 0 && ++at[depth] < shape->dim[depth])
            buf_putc(b, ',');
    }
}
