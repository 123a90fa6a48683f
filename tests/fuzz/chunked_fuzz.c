/* A chunked body is the same in whatever pieces it comes, and never larger
 * than the limit. */
#include "fuzz/fuzz.h"
#include "http/chunked.h"

static int read_in(const uint8_t *data, size_t size, size_t piece,
                   struct buf *out, size_t *used)
{
    struct chunked c = {0};
    int rc = CHUNKED_MORE;

    *used = 0;
    while (rc == CHUNKED_MORE && *used < size) {
        size_t n = size - *used < piece ? size - *used : piece, took;
        rc = chunked_read(&c, (const char *)data + *used, n, &took, out);
        *used += took;
        MUST(took <= n && (took > 0 || rc != CHUNKED_MORE));
    }
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf a, b;
    size_t ua, ub;

    buf_init(&a, 4096);
    buf_init(&b, 4096);
    int ra = read_in(data, size, size + 1, &a, &ua);
    int rb = read_in(data, size, 1, &b, &ub);
    MUST(a.n <= 4096);
    /* Too large may be seen a byte sooner or later. */
    MUST((ra == rb && (ra > CHUNKED_DONE || (ua == ub && a.n == b.n &&
          (a.n == 0 || memcmp(a.p, b.p, a.n) == 0)))) ||
         ra == 413 || rb == 413);
    buf_fini(&a);
    buf_fini(&b);
    return 0;
}
