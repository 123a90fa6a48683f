#include "codec/shape.h"

#include <string.h>

bool shape_count(const struct shape *s, int64_t *out)
{
    int64_t n = 1;

    for (int i = 0; i < s->rank; i++)
        if (s->dim[i] < 0 || __builtin_mul_overflow(n, s->dim[i], &n))
            return false;
    *out = n;
    return true;
}

bool shape_eq(const struct shape *a, const struct shape *b)
{
    return a->rank == b->rank &&
           memcmp(a->dim, b->dim, (size_t)a->rank * sizeof(a->dim[0])) == 0;
}

void shape_format(struct buf *b, const struct shape *s,
                  const char *const *names)
{
    buf_putc(b, '[');
    for (int i = 0; i < s->rank; i++) {
        if (i)
            buf_putc(b, ',');
        if (s->dim[i] < 0 && names && names[i] && *names[i])
            buf_puts(b, names[i]);
        else
            buf_put_i64(b, s->dim[i]);
    }
    buf_putc(b, ']');
}

bool shape_fits(const struct shape *want, const struct shape *got)
{
    if (want->rank != got->rank)
        return false;
    for (int i = 0; i < want->rank; i++)
        if (want->dim[i] >= 0 && want->dim[i] != got->dim[i])
            return false;
    return true;
}
