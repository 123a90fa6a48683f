#include <string.h>

#include "backup/manifest.h"
#include "base/clock.h"
#include "codec/base64.h"

/* What would end a word, begin a comment, or be a pattern to mtree(8). */
static bool is_plain(char c)
{
    return c > ' ' && c < 0x7f && !strchr("\\#=*?[", c);
}

static void put_name(struct buf *out, struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (is_plain(name.p[i]))
            buf_putc(out, name.p[i]);
        else
            buf_printf(out, "\\%03o", (unsigned)(unsigned char)name.p[i]);
    }
}

static void put_fact(struct buf *out, const char *key, const char *value)
{
    if (*value) {
        buf_printf(out, "#: %s ", key);
        put_name(out, str_from_cstr(value));
        buf_putc(out, '\n');
    }
}

void manifest_put_head(struct buf *out, const struct manifest_head *head)
{
    char created[CLOCK_TEXT_MAX];

    clock_format(head->created_ns, created);
    buf_puts(out, "#mtree\n");
    put_fact(out, "version", "1");
    put_fact(out, "created", created);
    put_fact(out, "host", head->host);
    put_fact(out, "tag", head->tag);
    for (size_t i = 0; i < head->n; i++) {
        buf_puts(out, "#: source ");
        put_name(out, str_from_cstr(head->sources[i].name));
        buf_putc(out, ' ');
        put_name(out, str_from_cstr(head->sources[i].path));
        buf_putc(out, '\n');
    }
    buf_puts(out, ". type=dir\n"); /* mtree(8) wants a top */
}

static void put_time(struct buf *out, const char *key, struct timespec t)
{
    buf_printf(out, " %s=%lld.%09ld", key, (long long)t.tv_sec, t.tv_nsec);
}

void manifest_put(struct buf *out, const struct entry *e)
{
    static const char *const types[] = {"file", "dir", "link", "fifo"};

    if (e->ino || e->same_as.n || e->xattrs.n) {
        buf_puts(out, "#=");
        if (e->ino) {
            buf_printf(out, " ino=%llu", (unsigned long long)e->ino);
            put_time(out, "ctime", e->ctime);
        }
        if (e->same_as.n) {
            buf_puts(out, " same=./");
            put_name(out, e->same_as);
        }
        buf_put(out, e->xattrs);
        buf_putc(out, '\n');
    }
    buf_puts(out, "./");
    put_name(out, e->path);
    buf_printf(out, " type=%s mode=%04o uid=%u gid=%u", types[e->kind],
               (unsigned)e->mode, (unsigned)e->uid, (unsigned)e->gid);
    put_time(out, "time", e->mtime);
    if (e->kind == ENTRY_FILE)
        buf_printf(out, " size=%lld sha256digest=%s", (long long)e->size,
                   e->sha256);
    if (e->kind == ENTRY_LINK) {
        buf_puts(out, " link=");
        put_name(out, e->target);
    }
    buf_putc(out, '\n');
}

void manifest_put_end(struct buf *out, int64_t entries, int64_t bytes)
{
    buf_printf(out, "#: end %lld entries, %lld bytes\n", (long long)entries,
               (long long)bytes);
}

void manifest_put_xattr(struct buf *out, const char *name, struct str value)
{
    size_t n = base64_encoded_size(value.n);

    buf_puts(out, " xattr.");
    put_name(out, str_from_cstr(name));
    buf_putc(out, '=');
    char *room = buf_reserve(out, n + 1);
    if (room)
        out->n += base64_encode(value, room);
}

/* coreutils: a line whose name has a backslash or the end of a line begins
 * with a backslash. */
void sums_put(struct buf *out, const char *sha256, struct str path)
{
    bool odd = memchr(path.p, '\n', path.n) || memchr(path.p, '\\', path.n) ||
               memchr(path.p, '\r', path.n);

    buf_printf(out, "%s%s  ", odd ? "\\" : "", sha256);
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '\n')
            buf_puts(out, "\\n");
        else if (path.p[i] == '\r')
            buf_puts(out, "\\r");
        else if (path.p[i] == '\\')
            buf_puts(out, "\\\\");
        else
            buf_putc(out, path.p[i]);
    }
    buf_putc(out, '\n');
}
