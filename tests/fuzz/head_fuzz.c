/* Whatever arrives, in whatever pieces, the answer is the same. */
#include "fuzz/fuzz.h"
#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data;
    struct http_head whole = {0}, split = {0};
    int want = http_head_parse(&whole, p, size), got = HTTP_NEED_MORE;
    size_t step = size > 2000 ? size / 500 : 1;

    for (size_t n = 0; n <= size && got == HTTP_NEED_MORE; n += step)
        got = http_head_parse(&split, p, n);
    if (got == HTTP_NEED_MORE)
        got = http_head_parse(&split, p, size);
    MUST(got == want && (got != HTTP_COMPLETE || split.line == whole.line));
    MUST(want != HTTP_COMPLETE || (whole.line <= size && whole.content_length >= -1 &&
                                   !(whole.chunked && whole.content_length >= 0)));
    return 0;
}
