#include "serve/example.h"

#include "codec/json_tensor.h"

static bool sendable(const struct io_spec *io)
{
    return io->kind == VALUE_TENSOR && io->type != DTYPE_NONE;
}

/* Free dimensions as they were when the model was tried; one row. */
static struct shape example_shape(const struct served *m,
                                  const struct io_spec *io)
{
    struct shape s = io->shape;

    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] < 0)
            s.dim[i] = i == 0 || !m->facts.free_dim ? 1 : m->facts.free_dim;
    return s;
}

static void put_element(struct buf *b, enum dtype type, int64_t i)
{
    if (type == DTYPE_STRING)
        buf_puts(b, "\"text\"");
    else if (type == DTYPE_BOOL)
        buf_puts(b, i % 2 ? "true" : "false");
    else if (dtype_is_float(type))
        buf_printf(b, "0.%lld", (long long)(i % 9 + 1));
    else
        buf_printf(b, "%lld", (long long)(i % 2));
}

/* Nested lists, or flat ones for the Open Inference Protocol. */
static bool put_tensor(struct buf *b, enum dtype type, const struct shape *s,
                       bool flat)
{
    int64_t count, inner = s->rank ? s->dim[s->rank - 1] : 1;

    if (!shape_count(s, &count) || count > EXAMPLE_MAX)
        return false;
    if (count == 0 || (s->rank == 0 && !flat)) {
        if (count)
            put_element(b, type, 0);
        else
            buf_puts(b, "[]");
        return true;
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t step = inner;
        if (i)
            buf_putc(b, ',');
        /* A list opens wherever a dimension begins anew. */
        for (int k = s->rank - 1; !flat && k >= 0; k--) {
            if (i % step == 0)
                buf_putc(b, '[');
            step *= k ? s->dim[k - 1] : 1;
        }
        if (flat && i == 0)
            buf_putc(b, '[');
        put_element(b, type, i);
        step = inner;
        for (int k = s->rank - 1; !flat && k >= 0; k--) {
            if ((i + 1) % step == 0)
                buf_putc(b, ']');
            step *= k ? s->dim[k - 1] : 1;
        }
    }
    if (flat)
        buf_putc(b, ']');
    return !b->failed;
}

static size_t required(const struct served *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->spec->n_inputs; i++)
        n += !m->spec->inputs[i].optional;
    return n;
}

static bool put_inputs(struct buf *b, const struct served *m)
{
    bool first = true;

    for (size_t i = 0; i < m->spec->n_inputs; i++) {
        const struct io_spec *io = &m->spec->inputs[i];
        struct shape s = example_shape(m, io);
        if (io->optional)
            continue;
        if (!sendable(io))
            return false;
        buf_puts(b, first ? "{" : ",");
        first = false;
        buf_put_quoted(b, str_from_cstr(io->name));
        buf_putc(b, ':');
        if (!put_tensor(b, io->type, &s, false))
            return false;
    }
    buf_puts(b, first ? "{}" : "}");
    return true;
}

/* A bare list for the only input, an object of lists otherwise. */
bool example_predict(struct buf *b, const struct served *m)
{
    for (size_t i = 0; required(m) == 1 && i < m->spec->n_inputs; i++) {
        const struct io_spec *io = &m->spec->inputs[i];
        struct shape s = example_shape(m, io);
        if (!io->optional)
            return sendable(io) && put_tensor(b, io->type, &s, false);
    }
    return put_inputs(b, m);
}

bool example_tfs(struct buf *b, const struct served *m)
{
    buf_puts(b, "{\"inputs\":");
    bool fine = required(m) == 1 && m->spec->n_inputs == 1
                    ? example_predict(b, m)
                    : put_inputs(b, m);
    buf_putc(b, '}');
    return fine;
}

bool example_oip(struct buf *b, const struct served *m)
{
    bool first = true;

    buf_puts(b, "{\"inputs\":[");
    for (size_t i = 0; i < m->spec->n_inputs; i++) {
        const struct io_spec *io = &m->spec->inputs[i];
        struct shape s = example_shape(m, io);
        if (io->optional)
            continue;
        if (!sendable(io))
            return false;
        buf_puts(b, first ? "" : ",");
        first = false;
        buf_puts(b, "{\"name\":");
        buf_put_quoted(b, str_from_cstr(io->name));
        buf_puts(b, ",\"shape\":");
        shape_format(b, &s, NULL);
        buf_printf(b, ",\"datatype\":\"%s\",\"data\":", dtype_oip(io->type));
        if (!put_tensor(b, io->type, &s, true))
            return false;
        buf_putc(b, '}');
    }
    buf_puts(b, "]}");
    return true;
}
