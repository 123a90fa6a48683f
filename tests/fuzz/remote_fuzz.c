/* Remote write: Snappy's blocks, both ways, and a request into a store. */
#include <string.h>

#include "codec/snappy.h"
#include "collect/remote_in.h"
#include "fuzz/fuzz.h"

static void there_and_back(struct str text)
{
    struct buf packed, back;

    buf_init(&packed, 8 << 20);
    buf_init(&back, 8 << 20);
    snappy_encode(text, &packed);
    MUST(!packed.failed);
    MUST(snappy_decode(buf_str(&packed), &back, NULL) == ERR_OK);
    MUST(back.n == text.n && (!text.n || !memcmp(back.p, text.p, text.n)));
    buf_fini(&packed);
    buf_fini(&back);
}

static void take(struct str message)
{
    const struct tsdb_options options = {.by_hand = true, .max_series = 1000};
    struct tsdb *db;

    MUST(tsdb_open(&options, &db, NULL) == ERR_OK);
    (void)!remote_take(db, message, NULL);
    tsdb_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n};
    struct buf b;

    there_and_back(text);
    take(text);
    buf_init(&b, 1 << 20);
    if (snappy_decode(text, &b, NULL) == ERR_OK)
        take(buf_str(&b));
    buf_fini(&b);
    return 0;
}
