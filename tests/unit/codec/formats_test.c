#include "unit/unit.h"

#include <math.h>

#include "codec/base64.h"
#include "codec/dtype.h"
#include "codec/gzip.h"
#include "codec/pbtxt.h"
#include "codec/percent.h"
#include "codec/protobuf.h"
#include "codec/shape.h"
#include "fault.h"

TEST(base64_round_trips_and_refuses)
{
    static const char *const bad[] = {"a", "a===", "ab!=", "=", "ab=c", "a b="};
    char bytes[64], text[128], back[128];

    for (size_t n = 0; n < sizeof(bytes); n++) {
        size_t got = 0;
        ROW("%zu bytes", n);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(i * 37 + n);
        size_t len = base64_encode((struct str){bytes, n}, text);
        CHECK_INT(len, base64_encoded_size(n));
        CHECK(base64_decode((struct str){text, len}, back, &got) && got == n &&
              memcmp(back, bytes, n) == 0);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        size_t got;
        ROW("%s", bad[i]);
        CHECK(!base64_decode(str_from_cstr(bad[i]), back, &got));
    }
}

TEST(half_precision_is_exact)
{
    for (uint32_t h = 0; h < 65536; h++) {
        float f = dtype_f16_to_f32((uint16_t)h);
        ROW("%04x", h);
        if (f != f)
            continue;
        CHECK_INT(dtype_f16_from_f32(f), h);
    }
    CHECK_INT(dtype_f16_from_f32(65520.0F), 0x7c00);
    CHECK_INT(dtype_f16_from_f32(65519.0F), 0x7bff);
    CHECK_INT(dtype_f16_from_f32(1.0F + 0x1p-11F), 0x3c00); /* tie to even */
    CHECK_INT(dtype_bf16_from_f32(1.00390625F), 0x3f80);    /* tie to even */
    CHECK(dtype_f16_from_f32(NAN) == 0x7e00);
}

/* In two parts, of which the first ends anywhere. */
static enum errc pack(enum gzip_coding coding, struct str s, size_t cut, struct buf *out)
{
    struct gzip_stream *stream = gzip_open(coding);
    enum errc rc = stream ? gzip_write(stream, str_slice(s, 0, cut), false, out, NULL) : ERR_NOMEM;

    if (!rc)
        rc = gzip_write(stream, str_slice(s, cut, s.n), true, out, NULL);
    gzip_close(stream);
    return rc;
}

TEST(gzip_round_trips_and_stops_bombs)
{
    static char big[1 << 20];
    struct buf packed, plain;
    struct err err = {0};

    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i % 251 * (i / 5000));
    for (int coding = GZIP_GZIP; coding <= GZIP_DEFLATE; coding++) {
        ROW("coding %d", coding);
        buf_init(&packed, 1 << 21);
        CHECK_INT(pack((enum gzip_coding)coding, (struct str){big, sizeof(big)}, 777777, &packed), 0);
        buf_init(&plain, sizeof(big));
        CHECK_INT(gzip_decode((enum gzip_coding)coding, buf_str(&packed), &plain, &err), 0);
        CHECK_INT(plain.n, sizeof(big));
        buf_fini(&plain);
        buf_init(&plain, sizeof(big) - 1);
        CHECK_INT(gzip_decode((enum gzip_coding)coding, buf_str(&packed), &plain, &err), ERR_LIMIT);
        buf_fini(&plain);
        for (size_t cut = 0; cut < packed.n; cut += 97) {
            buf_init(&plain, 1 << 21);
            CHECK(gzip_decode((enum gzip_coding)coding, str_slice(buf_str(&packed), 0, cut), &plain, &err) != 0);
            buf_fini(&plain);
        }
        packed.p[packed.n / 2] = (char)(packed.p[packed.n / 2] ^ 0x55);
        buf_init(&plain, 1 << 21);
        CHECK_INT(gzip_decode((enum gzip_coding)coding, buf_str(&packed), &plain, &err), ERR_INVALID);
        buf_fini(&plain);
        buf_fini(&packed);
    }
}

TEST(gzip_survives_every_allocation_failure)
{
    struct buf packed, plain;

    buf_init(&packed, 1 << 16);
    CHECK_INT(pack(GZIP_GZIP, STR("hello hello hello"), 5, &packed), 0);
    FAULT_LOOP(n) {
        struct buf again;
        buf_init(&again, 1 << 16);
        enum errc packing = pack(GZIP_GZIP, STR("hello hello hello"), 5, &again);
        CHECK(packing == ERR_NOMEM || packing == ERR_LIMIT ||
              (packing == ERR_OK && str_eq(buf_str(&again), buf_str(&packed))));
        buf_fini(&again);
        buf_init(&plain, 1 << 16);
        enum errc rc = gzip_decode(GZIP_GZIP, buf_str(&packed), &plain, NULL);
        CHECK(rc == ERR_OK || rc == ERR_NOMEM);
        buf_fini(&plain);
    }
    buf_fini(&packed);
}

TEST(percent_decodes_once_and_refuses_controls)
{
    static const struct {
        const char *in, *want; /* NULL: refused */
    } cases[] = {
        {"abc", "abc"}, {"a%20b", "a b"}, {"%41%6d", "Am"}, {"%2541", "%41"},
        {"%2F", "/"}, {"%e4%bd%a0", "\xe4\xbd\xa0"}, {"a%", NULL}, {"a%4", NULL},
        {"%zz", NULL}, {"%00", NULL}, {"%0a", NULL}, {"%7f", NULL}, {"%4", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a;
        struct str out = {0};
        ROW("%s", cases[i].in);
        arena_init(&a, 4096);
        bool ok = percent_decode(str_from_cstr(cases[i].in), &a, &out);
        CHECK_INT(ok, cases[i].want != NULL);
        if (ok && cases[i].want)
            CHECK_STR(out, cases[i].want);
        arena_fini(&a);
    }
}

/* Prints what the reader sees, one canonical line. */
static void print_pbtxt(struct pbtxt *t, struct buf *b)
{
    struct pbtxt_field f;
    int depth = 0;

    for (;;) {
        int before = t->depth;
        if (pbtxt_next(t, &f)) {
            buf_put(b, f.name);
            if (f.message) {
                buf_putc(b, '{');
                depth++;
            } else {
                buf_putc(b, '=');
                buf_put(b, f.scalar);
                buf_putc(b, ';');
            }
        } else if (!t->failed && t->depth < before) {
            buf_putc(b, '}');
            depth--;
        } else {
            return;
        }
    }
}

TEST(pbtxt_reads_configurations)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", ""},
        {"name: \"m\"\nmax_batch_size: 8 # rows\n", "name=m;max_batch_size=8;"},
        {"input [ { name: 'x' dims: [ 1, -1 ] }, { name: 'y' } ]", "input{name=x;dims=1;dims=-1;}input{name=y;}"},
        {"input { dims: 3 dims: 4 }", "input{dims=3;dims=4;}"},
        {"a: [] b: 1", "b=1;"},
        {"a < b: 2 >", "a{b=2;}"},
        {"s: \"a\" 'b\\n'", "s=ab\n;"},
        {"version_policy: { latest { num_versions: 2 } }", "version_policy{latest{num_versions=2;}}"},
        {"a", "line 1, column 2: expected ':' or '{'"},
        {"a: {", "line 1, column 5: expected '}'"},
        {"a: \"x", "line 1, column 6: expected a closing quote"},
        {"}", "line 1, column 1: expected a field"},
        {"a: [1, 2", "line 1, column 9: expected ']'"},
        {"a:\n  ?", "line 2, column 3: expected a value"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena a;
        struct err err = {0};
        struct pbtxt t;
        struct buf b;
        ROW("%zu: %s", i, cases[i].in);
        arena_init(&a, 1 << 16);
        buf_init(&b, 4096);
        pbtxt_init(&t, str_from_cstr(cases[i].in), &a, &err);
        print_pbtxt(&t, &b);
        CHECK_STR(t.failed ? str_from_cstr(err.msg) : buf_str(&b), cases[i].want);
        buf_fini(&b);
        arena_fini(&a);
    }
}

TEST(protobuf_reads_fields_and_refuses_damage)
{
    /* 1: varint 150; 2: "testing"; 3: fixed32; 4: fixed64 */
    static const char good[] = "\x08\x96\x01\x12\x07testing\x1d\x01\x02\x03\x04\x21\x01\0\0\0\0\0\0\0";
    struct protobuf m = {.rest = {good, sizeof(good) - 1}};
    struct protobuf_field f;

    CHECK(protobuf_next(&m, &f) && f.number == 1 && f.value == 150);
    CHECK(protobuf_next(&m, &f) && f.number == 2);
    CHECK_STR(f.bytes, "testing");
    CHECK(protobuf_next(&m, &f) && f.value == 0x04030201);
    CHECK(protobuf_next(&m, &f) && f.value == 1);
    CHECK(!protobuf_next(&m, &f) && !m.failed);
    static const struct str bad[] = {
        STR_INIT("\x08"), STR_INIT("\x12\x05hi"), STR_INIT("\x1d\x01"), STR_INIT("\x0b"),
        STR_INIT("\x00\x01"), STR_INIT("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
        STR_INIT("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct protobuf x = {.rest = bad[i]};
        ROW("bad %zu", i);
        while (protobuf_next(&x, &f))
            ;
        CHECK(x.failed);
    }
}

TEST(shapes_count_without_overflow)
{
    struct shape s = {2, {3, 4}}, huge = {3, {1 << 30, 1 << 30, 1 << 30}}, neg = {1, {-1}};
    struct shape free_rows = {2, {-1, 4}};
    int64_t n = 0;

    CHECK(shape_count(&s, &n) && n == 12);
    CHECK(!shape_count(&huge, &n));
    CHECK(!shape_count(&neg, &n));
    CHECK(shape_fits(&free_rows, &s) && !shape_fits(&s, &free_rows));
}
