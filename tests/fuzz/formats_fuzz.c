/* Readers of whole files and bodies: bounded, in bounds, and what they unpack
 * is what was packed. The first byte chooses the format. */
#include "base/buf.h"
#include "codec/gzip.h"
#include "codec/percent.h"
#include "fuzz/fuzz.h"
#include "model/config.h"
#include "model/onnx_file.h"

static void gzip(enum gzip_coding coding, struct str s)
{
    struct buf plain, packed, again;

    buf_init(&plain, 1 << 20);
    (void)!gzip_decode(coding, s, &plain, NULL);
    MUST(plain.n <= 1 << 20);
    buf_fini(&plain);
    buf_init(&packed, 1 << 22);
    buf_init(&again, 1 << 22);
    struct gzip_stream *stream = gzip_open(coding);
    MUST(stream);
    MUST(gzip_write(stream, str_slice(s, 0, s.n / 3), false, &packed, NULL) == ERR_OK);
    MUST(gzip_write(stream, str_slice(s, s.n / 3, s.n), true, &packed, NULL) == ERR_OK);
    gzip_close(stream);
    MUST(gzip_decode(coding, buf_str(&packed), &again, NULL) == ERR_OK);
    MUST(again.n == s.n && (s.n == 0 || memcmp(again.p, s.p, s.n) == 0));
    buf_fini(&packed);
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_config config;
    struct onnx_file file;
    struct arena a;
    struct err err;
    struct str out;

    if (size < 1)
        return 0;
    struct str s = {(const char *)data + 1, size - 1};
    arena_init(&a, 16 << 20);
    switch (data[0] % 5) {
    case 0:
        gzip(GZIP_GZIP, s);
        break;
    case 1:
        gzip(GZIP_DEFLATE, s);
        break;
    case 2:
        (void)!model_config_parse(s, &a, &config, &err);
        break;
    case 3:
        (void)!onnx_file_read(s, "/nonexistent", &a, &file, &err);
        break;
    default:
        if (percent_decode(s, &a, &out))
            MUST(out.n <= s.n);
    }
    arena_fini(&a);
    return 0;
}
