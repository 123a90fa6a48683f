/* Bytes are a log or refused, as a file and as one record. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fs.h"
#include "fuzz/fuzz.h"
#include "tsdb/wal.h"

static void on_run(void *ctx, uint64_t run)
{
    (void)run;
    *(size_t *)ctx += 1;
}

static enum errc on_series(void *ctx, uint32_t number, struct labels labels)
{
    (void)number;
    for (size_t i = 0; i < labels.n; i++) {
        MUST(labels.v[i].value.n > 0);
        *(size_t *)ctx += labels.v[i].name.n + labels.v[i].value.n;
    }
    return ERR_OK;
}

static enum errc on_sample(void *ctx, uint32_t series, int64_t t, double v)
{
    (void)series;
    (void)t;
    (void)v;
    *(size_t *)ctx += 1;
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    const struct wal_reader reader = {on_run, on_series, on_sample, &seen};
    char path[64];
    uint64_t good;

    (void)!wal_read_record((struct str){(const char *)data, size}, &reader);
    int fd = memfd_create("wal", MFD_CLOEXEC);
    MUST(fd >= 0 && fs_write_all(fd, (const char *)data, size));
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    (void)!wal_read(path, &reader, &good, NULL);
    MUST(good <= size);
    (void)close(fd);
    return 0;
}
