/* What the reader accepts it can print, and reads back as the same; floats are
 * those of strtof. The first byte chooses the element type. */
#include <locale.h>
#include <math.h>

#include "codec/json_tensor.h"
#include "fuzz/fuzz.h"

static const enum dtype types[] = {DTYPE_F32, DTYPE_F64, DTYPE_F16, DTYPE_BF16,
                                   DTYPE_I8,  DTYPE_U64, DTYPE_I64, DTYPE_BOOL,
                                   DTYPE_STRING};

static bool read_tensor(struct arena *a, struct str text, struct elements *e,
                        struct shape *shape)
{
    struct err err;
    struct json j;

    json_init(&j, text, a, &err);
    return json_tensor_read(&j, e, shape) && json_end(&j);
}

/* A bare number must be what the C library says it is. */
static void check_number(struct arena *a, struct str text)
{
    const char *p = text.p;
    float got;

    if (number_read_f32(&p, text.p + text.n, &got) != NUMBER_OK || got != got ||
        isinf(got))
        return;
    char *copy = arena_cstr(a, (struct str){text.p, (size_t)(p - text.p)});
    float want = strtof(copy, NULL);
    MUST(memcmp(&got, &want, sizeof(got)) == 0);
}

static void skip_whole(struct arena *a, struct str text)
{
    struct err err;
    struct json j;

    json_init(&j, text, a, &err);
    (void)(json_skip(&j) && json_end(&j));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a;
    struct shape shape, again;

    if (size < 1)
        return 0;
    arena_init(&a, 64 << 20);
    enum dtype type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
    struct str text = fuzz_padded(&a, data + 1, size - 1);
    struct elements e = {.type = type, .b64 = data[0] & 1}, f = {.type = type};

    skip_whole(&a, text);
    check_number(&a, text);
    if (read_tensor(&a, text, &e, &shape)) {
        struct buf b;
        int64_t count;
        MUST(shape_count(&shape, &count) && (size_t)count == e.n);
        buf_init(&b, 64 << 20);
        json_tensor_write(&b, type, e.data, &shape, false);
        MUST(!b.failed);
        struct str printed = fuzz_padded(&a, (const uint8_t *)b.p, b.n);
        /* Strings given as base64 need not be UTF-8: those are not printable. */
        bool back = read_tensor(&a, printed, &f, &again);
        MUST(back || type == DTYPE_STRING);
        if (type != DTYPE_STRING) {
            MUST(f.n == e.n);
            for (size_t i = 0; i < e.n * dtype_size(type); i++)
                MUST(dtype_is_float(type) ||
                     ((char *)e.data)[i] == ((char *)f.data)[i]);
        }
        buf_fini(&b);
    }
    arena_fini(&a);
    return 0;
}
