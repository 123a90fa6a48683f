/* Bytes are a chunk or refused; what is read is written and read the same. */
#include "fuzz/fuzz.h"
#include "tsdb/chunk.h"

static int64_t t[CHUNK_MAX], t2[CHUNK_MAX];
static double v[CHUNK_MAX], v2[CHUNK_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n, n2;
    struct buf b;

    if (chunk_decode((struct str){(const char *)data, size}, t, v, &n))
        return 0;
    MUST(n >= 1 && n <= CHUNK_MAX);
    buf_init(&b, 1 << 20);
    chunk_encode(t, v, n, &b);
    MUST(!b.failed);
    MUST(chunk_decode(buf_str(&b), t2, v2, &n2) == ERR_OK && n2 == n);
    MUST(memcmp(t, t2, n * sizeof(*t)) == 0);
    MUST(memcmp(v, v2, n * sizeof(*v)) == 0);
    buf_fini(&b);
    return 0;
}
