#include "codec/protobuf.h"

#include <string.h>

static bool varint(struct str *s, uint64_t *out)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 10 && i < s->n; i++) {
        uint64_t b = (unsigned char)s->p[i];
        if (i == 9 && b > 1)
            return false;
        v |= (b & 0x7f) << (7 * i);
        if (b < 0x80) {
            *s = str_slice(*s, i + 1, s->n);
            *out = v;
            return true;
        }
    }
    return false;
}

static bool fixed(struct str *s, size_t n, uint64_t *out)
{
    if (s->n < n)
        return false;
    *out = 0;
    memcpy(out, s->p, n); /* both are little endian */
    *s = str_slice(*s, n, s->n);
    return true;
}

static bool body(struct protobuf *m, struct protobuf_field *f)
{
    uint64_t n;

    switch (f->wire) {
    case 0:
        return varint(&m->rest, &f->value);
    case 1:
        return fixed(&m->rest, 8, &f->value);
    case 2:
        if (!varint(&m->rest, &n) || n > m->rest.n)
            return false;
        f->bytes = str_slice(m->rest, 0, (size_t)n);
        m->rest = str_slice(m->rest, (size_t)n, m->rest.n);
        return true;
    case 5:
        return fixed(&m->rest, 4, &f->value);
    default:
        return false; /* groups have not been written since 2001 */
    }
}

bool protobuf_next(struct protobuf *m, struct protobuf_field *f)
{
    uint64_t key;

    if (m->failed || m->rest.n == 0)
        return false;
    *f = (struct protobuf_field){0};
    if (!varint(&m->rest, &key) || key >> 3 == 0 || key >> 3 > 536870911) {
        m->failed = true;
        return false;
    }
    f->number = (uint32_t)(key >> 3);
    f->wire = key & 7;
    m->failed = !body(m, f);
    return !m->failed;
}

/* ---- writing ------------------------------------------------------------ */

void protobuf_put_varint(struct buf *b, uint64_t v)
{
    while (v >= 0x80) {
        buf_putc(b, (char)(v | 0x80));
        v >>= 7;
    }
    buf_putc(b, (char)v);
}

void protobuf_put_int(struct buf *b, unsigned field, int64_t v)
{
    protobuf_put_varint(b, field << 3);
    protobuf_put_varint(b, (uint64_t)v);
}

/* In the machine's order of bytes, which is the wire's. */
void protobuf_put_double(struct buf *b, unsigned field, double v)
{
    protobuf_put_varint(b, field << 3 | 1);
    buf_put(b, (struct str){(const char *)&v, sizeof(v)});
}

void protobuf_put_bytes(struct buf *b, unsigned field, struct str s)
{
    protobuf_put_varint(b, field << 3 | 2);
    protobuf_put_varint(b, s.n);
    buf_put(b, s);
}
