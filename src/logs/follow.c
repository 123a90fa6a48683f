#include "logs/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/number.h"
#include "logs/line.h"

enum { READ_BYTES = 65536, READS = 16 };

void follow_fini(struct follow *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    buf_fini(&f->rest);
}

/* The file of that name: from its end the first time, from its start later. */
static bool open_it(struct follow *f)
{
    struct stat st;

    f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (f->fd < 0 || fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (f->fd >= 0)
            (void)close(f->fd);
        f->fd = -1;
        f->started = true; /* what comes now is new */
        return false;
    }
    f->at = f->started ? 0 : (uint64_t)st.st_size;
    f->inode = st.st_ino;
    f->started = true;
    return true;
}

void follow_init(struct follow *f, const char *path)
{
    *f = (struct follow){.path = path, .fd = -1};
    buf_init(&f->rest, 2 * READ_BYTES);
    (void)open_it(f);
}

/* Lines that have ended are told; one that never ends is cut. */
static void take(struct follow *f, void (*each)(void *ctx, struct str line),
                 void *ctx)
{
    struct str text = buf_str(&f->rest);

    for (;;) {
        const char *end = text.n ? memchr(text.p, '\n', text.n) : NULL;
        size_t n = end ? (size_t)(end - text.p) : text.n;
        if (!end && n < LINE_BYTES_MAX)
            break;
        if (!end)
            n = LINE_BYTES_MAX;
        if (n)
            each(ctx, str_slice(text, 0, n));
        text = str_slice(text, n + (end ? 1 : 0), text.n);
    }
    if (text.n)
        memmove(f->rest.p, text.p, text.n);
    f->rest.n = text.n;
}

/* True at the end of the file. */
static bool read_some(struct follow *f,
                      void (*each)(void *ctx, struct str line), void *ctx)
{
    for (int i = 0; i < READS; i++) {
        char *to = buf_reserve(&f->rest, READ_BYTES + NUMBER_PAD);
        ssize_t n = to ? pread(f->fd, to, READ_BYTES, (off_t)f->at) : -1;
        if (n <= 0)
            return true;
        f->rest.n += (size_t)n;
        f->at += (uint64_t)n;
        take(f, each, ctx);
    }
    return false;
}

bool follow_read(struct follow *f, void (*each)(void *ctx, struct str line),
                 void *ctx)
{
    struct stat named, opened;

    if (f->fd < 0 && !open_it(f))
        return false;
    if (fstat(f->fd, &opened) == 0 && (uint64_t)opened.st_size < f->at) {
        f->at = 0;
        buf_clear(&f->rest);
    }
    if (!read_some(f, each, ctx))
        return true;
    if (stat(f->path, &named) != 0 || named.st_ino == f->inode)
        return false;
    (void)close(f->fd);
    f->fd = -1;
    return true;
}
