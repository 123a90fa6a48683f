/* Bytes are a segment or refused. The sum of the index is made right, so that
 * what is behind it is reached. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "fuzz/fuzz.h"
#include "tsdb/segment.h"
#include "tsdb/segment_internal.h"
#include "tsdb/varint.h"

static enum errc number(void *ctx, uint32_t there, struct labels labels,
                        uint32_t *out, struct err *err)
{
    (void)ctx;
    (void)err;
    for (size_t i = 1; i < labels.n; i++)
        MUST(str_compare(labels.v[i - 1].name, labels.v[i].name) < 0);
    *out = there;
    return ERR_OK;
}

static void mend(char *p, size_t n)
{
    if (n < SEGMENT_MAGIC_BYTES + SEGMENT_FOOT_BYTES)
        return;
    memcpy(p, SEGMENT_MAGIC, SEGMENT_MAGIC_BYTES);
    memcpy(p + n - 8, SEGMENT_END, 8);
    uint64_t at = fixed_get(p + n - SEGMENT_FOOT_BYTES, 8);
    if (at > n - 12)
        return;
    uint32_t sum = segment_sum(p + at, n - 12 - (size_t)at);
    for (unsigned i = 0; i < 4; i++)
        p[n - 12 + i] = (char)(sum >> 8 * i);
}

static void read_all(struct segment *s)
{
    struct samples samples = {0};

    for (uint32_t i = 0; i < s->n; i++) {
        samples.n = 0;
        (void)!segment_read(s, s->v[i].series, INT64_MIN, INT64_MAX, &samples);
        (void)!segment_read(s, s->v[i].series, 1000, 2000, &samples);
    }
    samples_fini(&samples);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct segment_names names = {number, NULL};
    char path[64], *copy = malloc(size + 1);
    struct segment *s;

    MUST(copy);
    memcpy(copy, data, size);
    mend(copy, size);
    int fd = memfd_create("segment", MFD_CLOEXEC);
    MUST(fd >= 0 && fs_write_all(fd, copy, size));
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (segment_open(path, &names, &s, NULL) == ERR_OK) {
        read_all(s);
        segment_close(s);
    }
    (void)close(fd);
    free(copy);
    return 0;
}
