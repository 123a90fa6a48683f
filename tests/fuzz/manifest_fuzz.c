/* Manifests that somebody wrote: what is taken is written again as the same. */
#include "fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backup/manifest.h"

enum { TEXT_MAX = 8 << 20 };

static int file_of(struct str text)
{
    int fd = memfd_create("manifest", MFD_CLOEXEC);

    MUST(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n &&
         lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

/* Reads it, and writes what was read. False: it is none. */
static bool pass(struct str text, struct buf *out)
{
    struct manifest m;
    struct entry e;
    struct arena a;
    bool more = true;

    buf_clear(out);
    arena_init(&a, 1 << 20);
    enum errc rc = manifest_open(file_of(text), &a, &m, NULL);
    if (!rc) {
        manifest_put_head(out, &m.head);
        rc = manifest_next(&m, &e, &more, NULL);
        while (!rc && more) {
            MUST(e.path.n && e.path.p[0] != '/');
            manifest_put(out, &e);
            rc = manifest_next(&m, &e, &more, NULL);
        }
        manifest_put_end(out, m.entries, m.bytes);
        manifest_close(&m);
    }
    arena_fini(&a);
    return !rc && !out->failed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf one, two;

    buf_init(&one, TEXT_MAX);
    buf_init(&two, TEXT_MAX);
    if (pass((struct str){(const char *)data, size}, &one)) {
        MUST(pass(buf_str(&one), &two));
        MUST(str_eq(buf_str(&one), buf_str(&two)));
    }
    buf_fini(&one);
    buf_fini(&two);
    return 0;
}
