#include "serve/value_json.h"

#include <string.h>

#include "codec/json_tensor.h"

enum { MAX_DEPTH = 4 };

static void write_value(struct buf *b, const struct value *v, bool b64,
                        int depth);

/* Keys are strings or whole numbers; JSON's are strings. */
static void write_key(struct buf *b, const struct tensor *keys, size_t i)
{
    if (keys->type == DTYPE_STRING) {
        buf_put_quoted(b, ((const struct str *)keys->data)[i]);
        return;
    }
    struct shape one = {0};
    size_t size = dtype_size(keys->type);
    buf_putc(b, '"');
    json_tensor_write(b, keys->type, (const char *)keys->data + i * size, &one,
                      false);
    buf_putc(b, '"');
}

static void write_map(struct buf *b, const struct value *v, bool b64)
{
    const struct tensor *keys = &v->items[0].tensor;
    const struct tensor *values = &v->items[1].tensor;
    struct shape one = {0};
    size_t size = elements_size(values->type);

    buf_putc(b, '{');
    for (size_t i = 0; i < keys->count && i < values->count; i++) {
        if (i)
            buf_putc(b, ',');
        write_key(b, keys, i);
        buf_putc(b, ':');
        json_tensor_write(b, values->type,
                          (const char *)values->data + i * size, &one, b64);
    }
    buf_putc(b, '}');
}

static void write_value(struct buf *b, const struct value *v, bool b64,
                        int depth)
{
    switch (v->kind) {
    case VALUE_TENSOR:
        json_tensor_write(b, v->tensor.type, v->tensor.data, &v->tensor.shape,
                          b64);
        return;
    case VALUE_SEQUENCE:
        buf_putc(b, '[');
        for (size_t i = 0; i < v->n && depth < MAX_DEPTH; i++) {
            if (i)
                buf_putc(b, ',');
            write_value(b, &v->items[i], b64, depth + 1);
        }
        buf_putc(b, ']');
        return;
    case VALUE_MAP:
        if (v->n == 2 && v->items[0].kind == VALUE_TENSOR &&
            v->items[1].kind == VALUE_TENSOR) {
            write_map(b, v, b64);
            return;
        }
        break;
    case VALUE_NONE:
    case VALUE_OTHER:
        break;
    }
    buf_puts(b, "null");
}

void value_json_write(struct buf *b, const struct value *v, bool b64)
{
    write_value(b, v, b64, 0);
}

void value_json_member(struct buf *b, const struct value *sequence, size_t i)
{
    write_value(b, &sequence->items[i], false, 1);
}
