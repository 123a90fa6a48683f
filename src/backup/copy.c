#include "backup/copy.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "backup/entry.h"
#include "backup/manifest.h"
#include "base/sort.h"

enum { PIECE = 4 << 20, LIST_MAX = 1 << 16 };

static enum errc failed(struct err *err, const char *what)
{
    return err_set(err, errc_from_errno(errno), "%s: %s", what,
                   strerror(errno));
}

/* ---- bytes -------------------------------------------------------------- */

struct copying {
    int from, to;
    bool by_hand;
    char *piece; /* when it is first needed */
    bool source_failed;
};

static enum errc write_all(int to, const char *p, ssize_t n, off_t at,
                           struct err *err)
{
    for (ssize_t done = 0; done < n;) {
        ssize_t m = pwrite(to, p + done, (size_t)(n - done), at + done);
        if (m < 0 && errno != EINTR)
            return failed(err, "cannot write");
        done += m > 0 ? m : 0;
    }
    return ERR_OK;
}

/* By hand: [at, end). */
static enum errc by_hand(struct copying *c, off_t at, off_t end,
                         struct err *err)
{
    enum errc rc = ERR_OK;

    while (at < end && !rc) {
        size_t want = (size_t)(end - at < PIECE ? end - at : PIECE);
        ssize_t n = pread(c->from, c->piece, want, at);
        if (n < 0 && errno == EINTR)
            continue;
        c->source_failed = n <= 0;
        if (n < 0)
            return failed(err, "cannot read");
        if (n == 0)
            return err_set(err, ERR_CONFLICT, "it became shorter");
        rc = write_all(c->to, c->piece, n, at, err);
        at += n;
    }
    return rc;
}

/* Which errors say that the kernel will not do it for these two files, or not
 * which of them failed. */
static bool is_for_hands(int e)
{
    return e == EXDEV || e == EINVAL || e == ENOSYS || e == EOPNOTSUPP ||
           e == EPERM || e == ETXTBSY || e == EIO;
}

static enum errc piece(struct copying *c, off_t at, off_t end, struct err *err)
{
    off_t in = at, out = at;

    while (!c->by_hand && in < end) {
        ssize_t n =
            copy_file_range(c->from, &in, c->to, &out, (size_t)(end - in), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && !is_for_hands(errno))
            return failed(err, "cannot copy");
        /* 0: also what some file systems say that cannot do it. */
        c->by_hand = n <= 0;
    }
    if (in >= end)
        return ERR_OK;
    if (!c->piece && !(c->piece = malloc(PIECE)))
        return err_set(err, ERR_NOMEM, "out of memory");
    return by_hand(c, in, end, err);
}

/* Data from *at on; *at moves over the hole before it. False: only a hole is
 * left. */
static bool next_data(int fd, off_t size, off_t *at, off_t *end)
{
    off_t data = lseek(fd, *at, SEEK_DATA);
    off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

    if (data < 0 && errno == ENXIO)
        return false;
    if (data < 0 || hole < 0) { /* the file system does not know */
        data = *at;
        hole = size;
    }
    *at = data;
    *end = hole < size ? hole : size;
    return data < size;
}

enum errc copy_bytes(int from, int to, int64_t size,
                     void (*progress)(void *ctx, int64_t upto), void *ctx,
                     bool *source_failed, struct err *err)
{
    struct copying c = {.from = from, .to = to};
    off_t at = 0, end;
    enum errc rc = ERR_OK;

    *source_failed = false;
    if (size == 0 || ioctl(to, FICLONE, from) == 0) {
        progress(ctx, size);
        return ERR_OK;
    }
    if (ftruncate(to, size))
        return failed(err, "cannot write");
    while (!rc && at < size && next_data(from, size, &at, &end)) {
        while (!rc && at < end) {
            off_t next = end - at < PIECE ? end : at + PIECE;
            rc = piece(&c, at, next, err);
            at = next;
            if (!rc)
                progress(ctx, at);
        }
    }
    if (!rc)
        progress(ctx, size);
    *source_failed = c.source_failed;
    free(c.piece);
    return rc;
}

/* ---- extended attributes ------------------------------------------------ */

static bool is_ours(const char *name)
{
    return strncmp(name, "user.", 5) == 0 ||
           strncmp(name, "system.posix_acl_", 17) == 0 ||
           strcmp(name, "security.capability") == 0;
}

enum errc copy_take_xattrs(int fd, struct buf *out, struct err *err)
{
    enum { NAMES = 1024, VALUE_MAX = 1 << 16 };
    char list[LIST_MAX], *value = NULL;
    char *names[NAMES];
    ssize_t n = flistxattr(fd, list, sizeof(list));
    size_t count = 0;

    for (char *p = list; n > 0 && p < list + n; p += strlen(p) + 1)
        if (is_ours(p) && count < NAMES)
            names[count++] = p;
    if (!count)
        return ERR_OK;
    qsort(names, count, sizeof(*names), sort_texts);
    value = malloc(VALUE_MAX);
    for (size_t i = 0; i < count && value; i++) {
        ssize_t size = fgetxattr(fd, names[i], value, VALUE_MAX);
        if (size >= 0)
            manifest_put_xattr(out, names[i],
                               (struct str){value, (size_t)size});
    }
    free(value);
    return value && !out->failed
               ? ERR_OK
               : err_set(err, ERR_NOMEM, "out of memory for attributes");
}

unsigned copy_set_xattrs(int fd, struct str words)
{
    struct buf name, value;
    unsigned bad = 0;

    buf_init(&name, 4096);
    buf_init(&value, ENTRY_XATTRS_MAX);
    while (words.n) {
        buf_clear(&name);
        if (!manifest_xattr(&words, &name, &value)) {
            bad++;
            break;
        }
        bad += fsetxattr(fd, name.p, value.p, value.n, 0) != 0;
    }
    buf_fini(&name);
    buf_fini(&value);
    return bad;
}
