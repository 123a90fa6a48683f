/* Reading: one loop over the brackets with a small stack of counts, one tight
 * loop per element type for the numbers between them. */
#include "codec/json_tensor.h"

#include <string.h>

#include "base/compiler.h"
#include "codec/base64.h"
#include "codec/number.h"

enum { CAP_MIN = 16 };

size_t elements_size(enum dtype type)
{
    return type == DTYPE_STRING ? sizeof(struct str) : dtype_size(type);
}

bool elements_reserve(struct elements *e, struct arena *arena, size_t n)
{
    size_t cap, bytes;

    if (e->cap - e->n >= n && e->data)
        return true;
    if (__builtin_add_overflow(e->n, n, &cap))
        return false;
    if (cap < CAP_MIN)
        cap = CAP_MIN;
    if (e->n && cap < e->cap * 2)
        cap = e->cap * 2;
    if (__builtin_mul_overflow(cap, elements_size(e->type), &bytes))
        return false;
    void *data = arena_bytes(arena, bytes);
    if (!data)
        return false;
    if (e->n)
        memcpy(data, e->data, e->n * elements_size(e->type));
    e->data = data;
    e->cap = cap;
    return true;
}

static bool make_room(struct json *j, struct elements *e)
{
    /* An element needs two bytes, itself and a comma, and rarely that few:
     * eight is a good guess, and doubling mends a bad one. */
    size_t guess = (size_t)(j->end - j->p) / 8 + 1;

    if (e->cap > e->n)
        return true;
    if (!elements_reserve(e, j->arena, e->cap ? e->cap : guess))
        return json_fail(j, j->p, "the tensor is larger than the limit");
    return true;
}

static bool number_failed(struct json *j, enum number_result rc,
                          enum dtype type)
{
    const char *name = dtype_oip(type);

    if (rc == NUMBER_RANGE)
        return json_fail(j, j->p, "a number is out of range of %s", name);
    if (rc == NUMBER_NOT_INTEGER)
        return json_fail(
            j, j->p, "expected a whole number for %s, got a fraction", name);
    switch (json_peek(j)) {
    case '"':
        return json_fail(j, j->p, "expected a %s number, got a string", name);
    case '{':
        return json_fail(j, j->p, "expected a %s number, got an object", name);
    case '[':
        return json_fail(j, j->p, "expected a %s number, got a list", name);
    case 'n':
        return json_fail(j, j->p, "expected a %s number, got null", name);
    case 't':
    case 'f':
        return json_fail(j, j->p, "expected a %s number, got a boolean", name);
    case '\0':
        return json_fail(j, j->p,
                         "invalid JSON: expected a number, got the end of "
                         "the text");
    default:
        return json_fail(j, j->p, "invalid JSON: expected a number");
    }
}

/* One element of a floating-point type other than FP32. */
static enum number_result read_float(struct json *j, struct elements *e)
{
    double d;
    float f;
    enum number_result rc;

    if (e->type == DTYPE_F64) {
        rc = number_read_f64(&j->p, j->end, &d);
        if (!rc)
            ((double *)e->data)[e->n] = d;
        return rc;
    }
    rc = number_read_f32(&j->p, j->end, &f);
    if (rc)
        return rc;
    if (e->type == DTYPE_F32) {
        ((float *)e->data)[e->n] = f;
        return NUMBER_OK;
    }
    ((uint16_t *)e->data)[e->n] =
        e->type == DTYPE_F16 ? dtype_f16_from_f32(f) : dtype_bf16_from_f32(f);
    return NUMBER_OK;
}

static const struct {
    int64_t min, max;
} int_range[DTYPE_COUNT] = {
    [DTYPE_I8] = {INT8_MIN, INT8_MAX},    [DTYPE_U8] = {0, UINT8_MAX},
    [DTYPE_I16] = {INT16_MIN, INT16_MAX}, [DTYPE_U16] = {0, UINT16_MAX},
    [DTYPE_I32] = {INT32_MIN, INT32_MAX}, [DTYPE_U32] = {0, UINT32_MAX},
    [DTYPE_I64] = {INT64_MIN, INT64_MAX}, [DTYPE_BOOL] = {0, 1},
};

static enum number_result read_int(struct json *j, struct elements *e)
{
    int64_t v;
    uint64_t u;
    const char *at = j->p;
    size_t size = dtype_size(e->type);
    enum number_result rc;

    if (e->type == DTYPE_U64) {
        rc = number_read_u64(&j->p, j->end, &u);
        if (!rc)
            ((uint64_t *)e->data)[e->n] = u;
        return rc;
    }
    rc = number_read_i64(&j->p, j->end, &v);
    if (rc)
        return rc;
    if (v < int_range[e->type].min || v > int_range[e->type].max) {
        j->p = at;
        return NUMBER_RANGE;
    }
    /* Little endian: the low bytes come first. */
    memcpy((char *)e->data + e->n * size, &v, size);
    return NUMBER_OK;
}

static bool read_b64(struct json *j, struct str *out)
{
    struct str key, text;

    if (!json_object(j) || !json_key(j, &key))
        return json_fail(j, j->p, "expected {\"b64\": \"...\"}");
    if (!str_eq(key, STR("b64")))
        return json_fail(j, j->p, "expected the name b64");
    const char *at = j->p;
    if (!json_string(j, &text))
        return false;
    char *bytes = arena_bytes(j->arena, text.n + 1);
    size_t n;
    if (!bytes)
        return json_fail(j, at, "a string is too long");
    if (!base64_decode(text, bytes, &n))
        return json_fail(j, at, "invalid base64");
    *out = (struct str){bytes, n};
    if (json_key(j, &key))
        return json_fail(j, j->p, "expected only b64 in the object");
    return !j->failed;
}

static bool read_one(struct json *j, struct elements *e)
{
    char c = json_peek(j);
    bool b;

    if (!make_room(j, e))
        return false;
    if (e->type == DTYPE_STRING) {
        struct str *s = (struct str *)e->data + e->n;
        if (c == '{' && e->b64) {
            if (!read_b64(j, s))
                return false;
        } else if (c != '"') {
            return json_fail(j, j->p, "expected a string (BYTES)");
        } else if (!json_string(j, s)) {
            return false;
        }
    } else if (e->type == DTYPE_BOOL && (c == 't' || c == 'f')) {
        if (!json_bool(j, &b))
            return false;
        ((uint8_t *)e->data)[e->n] = b;
    } else {
        enum number_result rc =
            dtype_is_float(e->type) ? read_float(j, e) : read_int(j, e);
        if (rc)
            return number_failed(j, rc, e->type);
    }
    e->n++;
    return true;
}

/* The elements of one innermost list, up to its bracket; the number of them,
 * or -1. */
static int64_t read_row(struct json *j, struct elements *e)
{
    size_t first = e->n;

    j->fresh = true;
    while (json_item(j)) {
        if (e->type == DTYPE_F32) {
            if (!make_room(j, e))
                return -1;
            /* As many as fit at once; what stops the run, a NaN or a mistake,
             * is for read_one(). */
            (void)json_peek(j);
            size_t n = number_read_f32_run(
                &j->p, j->end, (float *)e->data + e->n, e->cap - e->n);
            e->n += n;
            if (n)
                continue;
        }
        if (!read_one(j, e))
            return -1;
    }
    return j->failed ? -1 : (int64_t)(e->n - first);
}

struct nesting {
    int leaf;                    /* rank, or -1 while unknown */
    int64_t dim[SHAPE_MAX_RANK]; /* -1 while unknown */
    int64_t count[SHAPE_MAX_RANK];
};

/* The list at `depth` has ended with `count` members. */
static bool close_list(struct json *j, struct nesting *n, int depth)
{
    int64_t count = n->count[depth];

    if (n->dim[depth] < 0)
        n->dim[depth] = count;
    else if (n->dim[depth] != count)
        return json_fail(j, j->p - 1,
                         "a list has %lld elements where the one before has "
                         "%lld",
                         (long long)count, (long long)n->dim[depth]);
    return true;
}

static bool read_list(struct json *j, struct elements *e, struct nesting *n)
{
    int depth = -1;

    for (;;) {
        char c = json_peek(j);
        if (c == '[') {
            if (n->leaf >= 0 && depth + 1 >= n->leaf)
                return json_fail(j, j->p,
                                 "a list stands where a value is "
                                 "expected");
            if (depth + 1 >= SHAPE_MAX_RANK)
                return json_fail(j, j->p, "lists nested deeper than %d",
                                 SHAPE_MAX_RANK);
            if (!json_array(j))
                return false;
            n->count[++depth] = 0;
            if (json_peek(j) == '[')
                continue;
            if (n->leaf < 0)
                n->leaf = depth + 1;
            else if (n->leaf != depth + 1 && json_peek(j) != ']')
                return json_fail(j, j->p,
                                 "a value stands where a list is "
                                 "expected");
            n->count[depth] = read_row(j, e);
            if (n->count[depth] < 0 || !close_list(j, n, depth))
                return false;
            depth--;
        } else {
            return json_fail(j, j->p,
                             "a value stands where a list is expected");
        }
        /* Up through every list that ends here. */
        for (;;) {
            if (depth < 0)
                return true;
            n->count[depth]++;
            j->fresh = false;
            if (json_item(j))
                break;
            if (j->failed || !close_list(j, n, depth))
                return false;
            depth--;
        }
    }
}

bool json_tensor_read(struct json *j, struct elements *e, struct shape *shape)
{
    struct nesting n = {.leaf = -1};

    if (json_peek(j) != '[') {
        shape->rank = 0;
        return read_one(j, e);
    }
    memset(n.dim, -1, sizeof(n.dim));
    if (!read_list(j, e, &n))
        return false;
    shape->rank = n.leaf;
    for (int i = 0; i < n.leaf; i++)
        shape->dim[i] = n.dim[i] < 0 ? 0 : n.dim[i];
    return true;
}
