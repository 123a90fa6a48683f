/* Types, attributes and datasets. */
#include <string.h>
#include <zlib.h>

#include "base/compiler.h"
#include "import/hdf5_internal.h"

enum {
    FILTER_DEFLATE = 1,
    FILTER_SHUFFLE = 2,
    MAX_FILTERS = 4,
    MAX_CHUNKS = 1 << 20,
    MAX_TODO = 4096,
    HEAP_HEAD = 16,
};

static enum errc unknown(struct err *err, const char *what, unsigned which)
{
    return err_set(err, ERR_UNSUPPORTED,
                   "the HDF5 file has %s (%u) that model files do not use",
                   what, which);
}

static enum errc number_type(unsigned class_, bool is_signed, uint32_t size,
                             struct h5_type *out, struct err *err)
{
    static const enum dtype ints[2][9] = {
        {[1] = DTYPE_U8, [2] = DTYPE_U16, [4] = DTYPE_U32, [8] = DTYPE_U64},
        {[1] = DTYPE_I8, [2] = DTYPE_I16, [4] = DTYPE_I32, [8] = DTYPE_I64}};
    static const enum dtype floats[9] = {
        [2] = DTYPE_F16, [4] = DTYPE_F32, [8] = DTYPE_F64};

    out->kind = H5_NUMBER;
    out->dtype = size > 8
                     ? DTYPE_NONE
                     : (class_ == 1 ? floats[size] : ints[is_signed][size]);
    return out->dtype ? ERR_OK : unknown(err, "numbers of a size", size);
}

enum errc h5_read_type(struct str body, struct h5_type *out, struct err *err)
{
    struct h5_cursor c = {body, false};
    unsigned head = (unsigned)h5_uint(&c, 1), class_ = head & 15;
    uint64_t bits = h5_uint(&c, 3);

    *out = (struct h5_type){.size = (uint32_t)h5_uint(&c, 4)};
    if (c.failed || out->size == 0)
        return err_set(err, ERR_INVALID, "the HDF5 file has a damaged type");
    switch (class_) {
    case 0: /* fixed point */
    case 1: /* floating point */
        out->swap = (bits & 1) && out->size > 1;
        return number_type(class_, bits >> 3 & 1, out->size, out, err);
    case 3:
        out->kind = H5_STRING;
        return ERR_OK;
    case 8: /* an enum of integers: how h5py writes booleans */
        c.rest = str_slice(body, 8, body.n);
        if (c.rest.n < 8 || (c.rest.p[0] & 15) != 0)
            return unknown(err, "an enum of a type", class_);
        return number_type(0, true, out->size, out, err);
    case 9:
        if ((bits & 15) != 1 || out->size != 16)
            return unknown(err, "sequences of variable length", class_);
        out->kind = H5_VAR_STRING;
        return ERR_OK;
    default:
        return unknown(err, "a type of a class", class_);
    }
}

enum errc h5_read_space(struct str body, struct shape *out, size_t *count,
                        struct err *err)
{
    struct h5_cursor c = {body, false};
    unsigned version = (unsigned)h5_uint(&c, 1);
    unsigned rank = (unsigned)h5_uint(&c, 1);
    int64_t n;

    (void)h5_uint(&c, 1);
    unsigned kind = (unsigned)h5_uint(&c, 1);
    if (version == 1)
        (void)h5_take(&c, 4);
    if (version < 1 || version > 2 || rank > SHAPE_MAX_RANK)
        return unknown(err, "a data space", version);
    *out = (struct shape){.rank = (int)rank};
    for (unsigned i = 0; i < rank; i++) {
        uint64_t d = h5_uint(&c, 8);
        out->dim[i] = d > INT64_MAX ? -1 : (int64_t)d;
    }
    if (version == 2 && kind == 2) { /* null: no elements */
        *out = (struct shape){.rank = 1};
    }
    if (c.failed || !shape_count(out, &n))
        return err_set(err, ERR_INVALID,
                       "the HDF5 file has a damaged data space");
    *count = (size_t)n;
    return ERR_OK;
}

/* One attribute message. */
struct attribute {
    struct str name, data;
    struct h5_type type;
    size_t count;
};

static enum errc read_attribute(struct str body, struct attribute *a,
                                struct err *err)
{
    struct h5_cursor c = {body, false};
    unsigned version = (unsigned)h5_uint(&c, 1);
    unsigned flags = (unsigned)h5_uint(&c, 1);
    uint64_t name = h5_uint(&c, 2), type = h5_uint(&c, 2);
    uint64_t space = h5_uint(&c, 2), pad = version == 1 ? 7 : 0;
    struct shape shape;

    if (version < 1 || version > 3 || (version > 1 && flags & 3))
        return unknown(err, "an attribute", version);
    if (version == 3)
        (void)h5_uint(&c, 1);
    a->name = h5_take(&c, (name + pad) & ~pad);
    struct str type_body = h5_take(&c, (type + pad) & ~pad);
    struct str space_body = h5_take(&c, (space + pad) & ~pad);
    if (c.failed || name == 0)
        return err_set(err, ERR_INVALID,
                       "the HDF5 file has a damaged attribute");
    a->name.n = strnlen(a->name.p, (size_t)name);
    a->data = c.rest;
    enum errc rc = h5_read_type(type_body, &a->type, err);
    return rc ? rc : h5_read_space(space_body, &shape, &a->count, err);
}

/* An object of a global heap collection. */
static struct str heap_object(const struct h5 *f, uint64_t address,
                              uint64_t index)
{
    struct str none = {NULL, 0}, head = h5_at(f, address, HEAP_HEAD);
    struct h5_cursor c = {head, false};

    if (!head.p || memcmp(head.p, "GCOL", 4) != 0)
        return none;
    (void)h5_take(&c, 8);
    uint64_t size = h5_uint(&c, 8);
    if (size < HEAP_HEAD)
        return none;
    c.rest = h5_at(f, address + HEAP_HEAD, size - HEAP_HEAD);
    while (c.rest.p && c.rest.n >= 16) {
        uint64_t i = h5_uint(&c, 2);
        (void)h5_take(&c, 6);
        uint64_t n = h5_uint(&c, 8);
        if (i == 0 || n > c.rest.n)
            return none;
        struct str bytes = h5_take(&c, (n + 7) & ~UINT64_C(7));
        if (i == index)
            return c.failed ? none : str_slice(bytes, 0, (size_t)n);
    }
    return none;
}

static enum errc read_string(const struct h5 *f, const struct attribute *a,
                             size_t i, struct str *out, struct err *err)
{
    struct h5_cursor c = {
        str_slice(a->data, i * a->type.size, (i + 1) * a->type.size), false};

    if (a->type.kind == H5_STRING) {
        *out = (struct str){c.rest.p, strnlen(c.rest.p, c.rest.n)};
        return ERR_OK;
    }
    uint64_t n = h5_uint(&c, 4), address = h5_uint(&c, 8);
    *out = n ? heap_object(f, address, h5_uint(&c, 4)) : STR("");
    if (!out->p || out->n < n)
        return err_set(err, ERR_INVALID,
                       "the HDF5 file has a damaged string in attribute "
                       "'" STR_FMT "'",
                       STR_ARG(a->name));
    *out = (struct str){out->p, strnlen(out->p, (size_t)n)};
    return ERR_OK;
}

enum errc h5_strings(const struct h5 *f, uint64_t object, const char *attribute,
                     struct str **values, size_t *n, struct err *err)
{
    struct h5_object o;
    struct attribute a;
    enum errc rc = h5_read_object(f, object, &o, err);

    for (size_t i = 0; i < o.n && !rc; i++) {
        if (o.messages[i].type != H5_MSG_ATTRIBUTE)
            continue;
        struct err unread = {0};
        a = (struct attribute){.name = STR("")};
        rc = read_attribute(o.messages[i].body, &a, &unread);
        if (!str_eq(a.name, str_from_cstr(attribute))) {
            rc = ERR_OK; /* what is not asked for may be of any type */
            continue;
        }
        if (rc) {
            *err = unread;
            return rc;
        }
        if ((a.type.kind == H5_NUMBER && a.count) || /* h5py: [] is float64 */
            a.count > a.data.n / a.type.size)
            return err_set(err, ERR_INVALID, "HDF5 attribute '%s' is damaged",
                           attribute);
        struct str *list = arena_new(f->arena, struct str, a.count + 1);
        if (!list)
            return err_set(err, ERR_NOMEM, "out of memory");
        for (size_t k = 0; k < a.count && !rc; k++)
            rc = read_string(f, &a, k, &list[k], err);
        *values = list;
        *n = a.count;
        return rc;
    }
    if (rc)
        return rc;
    return err_set(err, ERR_NOT_FOUND, "the HDF5 file has no attribute '%s'",
                   attribute);
}

/* What is done to a chunk, in the order of writing. */
struct filters {
    unsigned id[MAX_FILTERS];
    size_t n;
};

static enum errc read_filters(const struct h5_object *o, struct filters *out,
                              struct err *err)
{
    const struct h5_message *m = h5_message(o, H5_MSG_FILTERS);

    *out = (struct filters){.n = 0};
    if (!m)
        return ERR_OK;
    struct h5_cursor c = {m->body, false};
    unsigned version = (unsigned)h5_uint(&c, 1);
    uint64_t n = h5_uint(&c, 1);
    if (version == 1)
        (void)h5_take(&c, 6);
    if (version < 1 || version > 2 || n > MAX_FILTERS)
        return unknown(err, "a filter pipeline", version);
    for (uint64_t i = 0; i < n; i++) {
        unsigned id = (unsigned)h5_uint(&c, 2);
        uint64_t name = version == 1 || id >= 256 ? h5_uint(&c, 2) : 0;
        (void)h5_uint(&c, 2);
        uint64_t values = h5_uint(&c, 2);
        (void)h5_take(&c, version == 1 ? (name + 7) & ~UINT64_C(7) : name);
        (void)h5_take(&c, values * 4 + (version == 1 && values & 1 ? 4U : 0U));
        if (id != FILTER_DEFLATE && id != FILTER_SHUFFLE)
            return unknown(err, "a compression filter", id);
        out->id[out->n++] = id;
    }
    return c.failed
               ? err_set(err, ERR_INVALID, "the HDF5 file has damaged filters")
               : ERR_OK;
}

struct chunks {
    const struct h5 *f;
    struct filters filters;
    struct shape shape, chunk;
    size_t elem, chunk_bytes;
    char *out, *scratch, *scratch2;
};

/* Copies the part of a chunk that lies inside of the array. */
static void place(const struct chunks *d, const uint64_t *offset,
                  const char *from)
{
    int last = d->shape.rank - 1;
    int64_t at[SHAPE_MAX_RANK] = {0};

    for (;;) {
        size_t to = 0, src = 0;
        bool inside = true;
        for (int i = 0; i <= last; i++) {
            uint64_t k = offset[i] + (uint64_t)at[i];
            inside = inside && k < (uint64_t)d->shape.dim[i];
            to = to * (size_t)d->shape.dim[i] + (size_t)k;
            src = src * (size_t)d->chunk.dim[i] + (size_t)at[i];
        }
        if (inside) {
            uint64_t left = (uint64_t)d->shape.dim[last] - offset[last];
            uint64_t row = (uint64_t)d->chunk.dim[last] < left
                               ? (uint64_t)d->chunk.dim[last]
                               : left;
            memcpy(d->out + to * d->elem, from + src * d->elem,
                   (size_t)row * d->elem);
        }
        int i = last - 1;
        while (i >= 0 && ++at[i] == d->chunk.dim[i])
            at[i--] = 0;
        if (i < 0)
            return;
    }
}

static const char *undo_filters(const struct chunks *d, struct str packed,
                                uint32_t mask)
{
    const char *at = packed.p;
    size_t n = packed.n;

    for (size_t i = d->filters.n; i-- > 0;) {
        if (mask >> i & 1)
            continue;
        char *to = at == d->scratch ? d->scratch2 : d->scratch;
        if (d->filters.id[i] == FILTER_DEFLATE) {
            uLongf size = d->chunk_bytes;
            if (uncompress((Bytef *)to, &size, (const Bytef *)at, (uLong)n) !=
                Z_OK)
                return NULL;
            n = size;
        } else {
            size_t count = n / d->elem;
            for (size_t k = 0; k < count; k++)
                for (size_t b = 0; b < d->elem; b++)
                    to[k * d->elem + b] = at[b * count + k];
            memcpy(to + count * d->elem, at + count * d->elem, n % d->elem);
        }
        at = to;
    }
    return n == d->chunk_bytes ? at : NULL;
}

static enum errc read_chunk(const struct chunks *d, struct h5_cursor *c,
                            struct err *err)
{
    uint64_t size = h5_uint(c, 4), offset[SHAPE_MAX_RANK];
    uint32_t mask = (uint32_t)h5_uint(c, 4);

    for (int i = 0; i < d->shape.rank; i++)
        offset[i] = h5_uint(c, 8);
    (void)h5_uint(c, 8);
    struct str packed = h5_at(d->f, h5_uint(c, 8), size);
    for (int i = 0; i < d->shape.rank; i++)
        if (offset[i] >= (uint64_t)d->shape.dim[i])
            return err_set(err, ERR_INVALID,
                           "a chunk of the HDF5 file is outside of its array");
    const char *bytes =
        packed.p && !c->failed && (d->filters.n || size == d->chunk_bytes)
            ? undo_filters(d, packed, mask)
            : NULL;
    if (!bytes)
        return err_set(err, ERR_INVALID, "a chunk of the HDF5 file is damaged");
    place(d, offset, bytes);
    return ERR_OK;
}

static enum errc read_chunks(const struct chunks *d, uint64_t tree,
                             struct err *err)
{
    size_t key = 8 + 8 * ((size_t)d->shape.rank + 1), seen = 0, n_todo = 0;
    uint64_t todo[MAX_TODO];
    enum errc rc = ERR_OK;

    todo[n_todo++] = tree;
    while (n_todo && !rc) {
        uint64_t at = todo[--n_todo];
        struct str head = h5_at(d->f, at, 24);
        struct h5_cursor c = {head, false};
        (void)h5_take(&c, 6);
        uint64_t n = h5_uint(&c, 2);
        c = (struct h5_cursor){h5_at(d->f, at + 24, n * (key + 8)), false};
        if (!head.p || memcmp(head.p, "TREE", 4) != 0 || head.p[4] != 1 ||
            !c.rest.p || (seen += n + 1) > MAX_CHUNKS || n > MAX_TODO - n_todo)
            return err_set(err, ERR_INVALID,
                           "the index of a chunked array of the HDF5 file is "
                           "damaged");
        bool leaf = head.p[5] == 0;
        for (uint64_t i = 0; i < n && !rc; i++) {
            if (leaf) {
                rc = read_chunk(d, &c, err);
                continue;
            }
            (void)h5_take(&c, key);
            todo[n_todo++] = h5_uint(&c, 8);
        }
    }
    return rc;
}

/* Layout class 2; the cursor is behind the class. */
static enum errc chunked(const struct h5 *f, const struct h5_object *o,
                         struct h5_cursor *c, struct h5_array *a,
                         struct err *err)
{
    struct chunks d = {.f = f, .shape = a->shape, .elem = dtype_size(a->type)};
    unsigned rank = (unsigned)h5_uint(c, 1);
    uint64_t tree = h5_uint(c, 8);
    int64_t count;
    enum errc rc = read_filters(o, &d.filters, err);

    if (rc)
        return rc;
    if (a->shape.rank == 0 || rank != (unsigned)a->shape.rank + 1)
        return unknown(err, "a chunked array of another rank", rank);
    d.chunk.rank = a->shape.rank;
    for (int i = 0; i < d.chunk.rank; i++)
        d.chunk.dim[i] = (int64_t)h5_uint(c, 4);
    /* All of it is allocated at once: no more than the file could hold. */
    if (c->failed || !shape_count(&d.chunk, &count) || count == 0 ||
        (uint64_t)count * d.elem > (uint64_t)f->file.n * 1100 ||
        a->count * d.elem > (uint64_t)f->file.n * 1100)
        return err_set(err, ERR_INVALID,
                       "a chunked array of the HDF5 file is larger than the "
                       "file can hold");
    d.chunk_bytes = (size_t)count * d.elem;
    d.out = arena_bytes(f->arena, a->count * d.elem + 1);
    d.scratch = arena_bytes(f->arena, d.chunk_bytes);
    d.scratch2 = arena_bytes(f->arena, d.chunk_bytes);
    if (!d.out || !d.scratch || !d.scratch2)
        return err_set(err, ERR_NOMEM, "out of memory");
    memset(d.out, 0, a->count * d.elem); /* chunks never written are zero */
    if (tree != UINT64_MAX)
        rc = read_chunks(&d, tree, err);
    a->data = d.out;
    return rc;
}

static enum errc find_data(const struct h5 *f, const struct h5_object *o,
                           struct h5_array *a, struct err *err)
{
    const struct h5_message *m = h5_message(o, H5_MSG_LAYOUT);
    size_t bytes = a->count * dtype_size(a->type);

    if (!m)
        return err_set(err, ERR_INVALID, "an HDF5 dataset has no layout");
    struct h5_cursor c = {m->body, false};
    unsigned version = (unsigned)h5_uint(&c, 1);
    unsigned class_ = (unsigned)h5_uint(&c, 1);
    if (version < 3 || version > 4 || (version == 4 && class_ > 1))
        return unknown(err, "a data layout", version);
    if (class_ == 2)
        return chunked(f, o, &c, a, err);
    if (class_ == 0) {
        struct str data = h5_take(&c, h5_uint(&c, 2));
        a->data = data.n >= bytes ? data.p : NULL;
    } else if (class_ == 1) {
        uint64_t address = h5_uint(&c, 8);
        a->data = bytes ? h5_at(f, address, bytes).p : "";
    } else {
        return unknown(err, "virtual data", class_);
    }
    return a->data && !c.failed
               ? ERR_OK
               : err_set(err, ERR_INVALID,
                         "the HDF5 file is cut off inside of a dataset");
}

static enum errc swap_bytes(const struct h5 *f, struct h5_array *a,
                            struct err *err)
{
    size_t size = dtype_size(a->type);
    char *out = arena_bytes(f->arena, a->count * size + 1);
    const char *in = a->data;

    if (!out)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < a->count * size; i++)
        out[i] = in[i - i % size + size - 1 - i % size];
    a->data = out;
    return ERR_OK;
}

enum errc h5_dataset(const struct h5 *f, uint64_t object, struct h5_array *out,
                     struct err *err)
{
    struct h5_object o;
    struct h5_type type;
    struct h5_array a = {0};
    enum errc rc = h5_read_object(f, object, &o, err);

    if (rc)
        return rc;
    const struct h5_message *t = h5_message(&o, H5_MSG_DATATYPE);
    const struct h5_message *s = h5_message(&o, H5_MSG_DATASPACE);
    if (!t || !s)
        return err_set(err, ERR_INVALID, "it is not an HDF5 dataset");
    if (h5_message(&o, H5_MSG_EXTERNAL))
        return err_set(err, ERR_UNSUPPORTED,
                       "the HDF5 file keeps data in other files");
    rc = h5_read_type(t->body, &type, err);
    if (!rc)
        rc = h5_read_space(s->body, &a.shape, &a.count, err);
    if (!rc && type.kind != H5_NUMBER)
        rc = err_set(err, ERR_UNSUPPORTED, "an HDF5 dataset is not of numbers");
    if (!rc && a.count > SIZE_MAX / 16)
        rc = err_set(err, ERR_INVALID, "an HDF5 dataset is too large");
    if (rc)
        return rc;
    a.type = type.dtype;
    rc = find_data(f, &o, &a, err);
    if (!rc && type.swap)
        rc = swap_bytes(f, &a, err);
    if (!rc)
        *out = a;
    return rc;
}
