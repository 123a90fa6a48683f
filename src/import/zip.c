#include "import/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/sort.h"
#include "codec/number.h"

enum {
    END_SIZE = 22,
    END64_LOCATOR_SIZE = 20,
    END64_SIZE = 56,
    CENTRAL_SIZE = 46,
    LOCAL_SIZE = 30,
    COMMENT_MAX = 65535,
    NAME_MAX_BYTES = 4096,
    RATIO_MAX = 1100, /* deflate cannot do better than 1032 to 1 */
};

static const uint32_t end_magic = 0x06054b50, end64_magic = 0x06064b50,
                      locator_magic = 0x07064b50, central_magic = 0x02014b50,
                      local_magic = 0x04034b50;

static uint64_t le(const char *p, int bytes)
{
    uint64_t v = 0;

    for (int i = bytes; i-- > 0;)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static bool inside(struct str s, uint64_t offset, uint64_t n)
{
    return offset <= s.n && n <= s.n - offset;
}

/* Where the central directory is. */
struct directory {
    uint64_t entries, size, offset;
};

static enum errc find_directory(struct str a, struct directory *d,
                                struct err *err)
{
    size_t first =
        a.n > END_SIZE + COMMENT_MAX ? a.n - END_SIZE - COMMENT_MAX : 0;
    const char *end = NULL;

    for (size_t i = a.n < END_SIZE ? 0 : a.n - END_SIZE + 1; i-- > first;)
        if (le(a.p + i, 4) == end_magic &&
            le(a.p + i + 20, 2) == a.n - i - END_SIZE) {
            end = a.p + i;
            break;
        }
    if (!end)
        return err_set(err, ERR_INVALID,
                       "the zip archive has no end record: it is cut off");
    *d = (struct directory){le(end + 10, 2), le(end + 12, 4), le(end + 16, 4)};
    uint64_t at = (uint64_t)(end - a.p);
    if (at >= END64_LOCATOR_SIZE &&
        le(end - END64_LOCATOR_SIZE, 4) == locator_magic) {
        uint64_t end64 = le(end - END64_LOCATOR_SIZE + 8, 8);
        if (!inside(a, end64, END64_SIZE) || le(a.p + end64, 4) != end64_magic)
            return err_set(err, ERR_INVALID,
                           "the zip archive's zip64 record is damaged");
        *d =
            (struct directory){le(a.p + end64 + 32, 8), le(a.p + end64 + 40, 8),
                               le(a.p + end64 + 48, 8)};
    }
    if (d->entries > ZIP_MAX_ENTRIES)
        return err_set(err, ERR_LIMIT, "the zip archive has more than %d files",
                       ZIP_MAX_ENTRIES);
    if (!inside(a, d->offset, d->size) || d->offset + d->size > at)
        return err_set(err, ERR_INVALID,
                       "the zip archive's directory is outside of the file");
    return ERR_OK;
}

static bool plain_name(struct str name)
{
    if (name.n == 0 || name.n > NAME_MAX_BYTES || name.p[0] == '/')
        return false;
    struct str rest = name;
    while (rest.p) {
        struct str part = str_cut(&rest, '/');
        if (str_eq(part, STR("..")) || str_eq(part, STR(".")))
            return false;
        if (part.n == 0 && rest.p)
            return false;
    }
    return !memchr(name.p, '\0', name.n) && !memchr(name.p, '\\', name.n);
}

/* Sizes and offset that do not fit 32 bits are in an extra field (4.5.3). */
static bool read_zip64(struct str extra, uint64_t *size, uint64_t *packed,
                       uint64_t *offset)
{
    bool wanted =
        *size == UINT32_MAX || *packed == UINT32_MAX || *offset == UINT32_MAX;

    while (wanted && extra.n >= 4) {
        uint64_t id = le(extra.p, 2), n = le(extra.p + 2, 2);
        if (n > extra.n - 4)
            return false;
        const char *p = extra.p + 4, *end = p + n;
        extra = str_slice(extra, 4 + (size_t)n, extra.n);
        if (id != 1)
            continue;
        uint64_t *fields[] = {size, packed, offset};
        for (size_t i = 0; i < 3; i++) {
            if (*fields[i] != UINT32_MAX)
                continue;
            if (end - p < 8)
                return false;
            *fields[i] = le(p, 8);
            p += 8;
        }
        return true;
    }
    return !wanted;
}

static enum errc damaged(struct str name, const char *what, struct err *err)
{
    return err_set(err, ERR_INVALID, "the zip archive's entry '%.*s' %s",
                   name.n < 100 ? (int)name.n : 100, name.p, what);
}

/* The bytes of an entry, behind its local header. */
static enum errc locate(struct str a, uint64_t offset, uint64_t packed,
                        struct zip_entry *e, struct err *err)
{
    if (!inside(a, offset, LOCAL_SIZE) || le(a.p + offset, 4) != local_magic)
        return damaged(e->name, "has no local header", err);
    uint64_t name = le(a.p + offset + 26, 2), extra = le(a.p + offset + 28, 2);
    uint64_t data = offset + LOCAL_SIZE + name + extra;
    if (!inside(a, data, packed) || name != e->name.n ||
        memcmp(a.p + offset + LOCAL_SIZE, e->name.p, e->name.n) != 0)
        return damaged(e->name, "disagrees with its local header", err);
    if ((le(a.p + offset + 8, 2) == 8) != e->deflated)
        return damaged(e->name, "disagrees with its local header", err);
    e->raw = (struct str){a.p + data, (size_t)packed};
    return ERR_OK;
}

static enum errc read_entry(struct str a, const char *p, struct zip_entry *e,
                            struct str extra, struct err *err)
{
    uint64_t flags = le(p + 8, 2), method = le(p + 10, 2);
    uint64_t packed = le(p + 20, 4), size = le(p + 24, 4);
    uint64_t offset = le(p + 42, 4);

    if (!plain_name(e->name))
        return damaged(e->name, "has a name that is not a plain relative path",
                       err);
    if (flags & 1)
        return damaged(e->name, "is encrypted", err);
    if (method != 0 && method != 8)
        return damaged(e->name, "is compressed in an unknown way", err);
    if (!read_zip64(extra, &size, &packed, &offset))
        return damaged(e->name, "has a damaged zip64 field", err);
    e->deflated = method == 8;
    e->size = size;
    if (!e->deflated && size != packed)
        return damaged(e->name, "has two different sizes", err);
    if (e->deflated && size / RATIO_MAX > packed)
        return damaged(e->name, "claims to grow more than deflate can", err);
    return locate(a, offset, packed, e, err);
}

static int by_name(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;

    return str_compare(x->name, y->name);
}

static int by_place(const void *a, const void *b)
{
    const struct zip_entry *x = a, *y = b;

    return (x->raw.p > y->raw.p) - (x->raw.p < y->raw.p);
}

static enum errc check_all(struct zip *z, struct err *err)
{
    sort_items(z->entries, z->n, sizeof(*z->entries), by_place);
    for (size_t i = 1; i < z->n; i++) {
        const struct zip_entry *a = &z->entries[i - 1], *b = &z->entries[i];
        if (a->raw.n && b->raw.n && a->raw.p + a->raw.n > b->raw.p)
            return damaged(b->name, "shares bytes with another one", err);
    }
    sort_items(z->entries, z->n, sizeof(*z->entries), by_name);
    for (size_t i = 1; i < z->n; i++)
        if (by_name(&z->entries[i - 1], &z->entries[i]) == 0)
            return damaged(z->entries[i].name, "occurs twice", err);
    return ERR_OK;
}

enum errc zip_open(struct str archive, struct arena *arena, struct zip *out,
                   struct err *err)
{
    struct directory d;
    enum errc rc = find_directory(archive, &d, err);

    if (rc)
        return rc;
    struct str rest = {archive.p + d.offset, (size_t)d.size};
    struct zip z = {arena_new(arena, struct zip_entry, (size_t)d.entries + 1),
                    0};
    if (!z.entries)
        return err_set(err, ERR_NOMEM, "out of memory");
    while (z.n < d.entries && !rc) {
        if (rest.n < CENTRAL_SIZE || le(rest.p, 4) != central_magic)
            return err_set(err, ERR_INVALID,
                           "the zip archive's directory is damaged");
        size_t name = (size_t)le(rest.p + 28, 2);
        size_t extra = (size_t)le(rest.p + 30, 2);
        size_t all = CENTRAL_SIZE + name + extra + (size_t)le(rest.p + 32, 2);
        if (all > rest.n)
            return err_set(err, ERR_INVALID,
                           "the zip archive's directory is cut off");
        struct zip_entry *e = &z.entries[z.n++];
        e->name = str_slice(rest, CENTRAL_SIZE, CENTRAL_SIZE + name);
        rc = read_entry(
            archive, rest.p, e,
            str_slice(rest, CENTRAL_SIZE + name, CENTRAL_SIZE + name + extra),
            err);
        rest = str_slice(rest, all, rest.n);
    }
    if (!rc)
        rc = check_all(&z, err);
    if (!rc)
        *out = z;
    return rc;
}

const struct zip_entry *zip_find(const struct zip *z, const char *name)
{
    struct zip_entry key = {.name = str_from_cstr(name)};

    return z->n ? bsearch(&key, z->entries, z->n, sizeof(key), by_name) : NULL;
}

enum errc zip_read(const struct zip_entry *e, size_t max, struct arena *arena,
                   struct str *out, struct err *err)
{
    if (e->size > max)
        return err_set(err, ERR_LIMIT,
                       "the zip archive's entry '" STR_FMT
                       "' has %llu bytes, more than the %zu allowed",
                       STR_ARG(e->name), (unsigned long long)e->size, max);
    if (!e->deflated) {
        *out = e->raw;
        return ERR_OK;
    }
    char *p = arena_bytes(arena, (size_t)e->size + NUMBER_PAD);
    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    memset(p + e->size, 0, NUMBER_PAD);
    z_stream s = {.next_in = (Bytef *)(uintptr_t)e->raw.p,
                  .avail_in = (uInt)e->raw.n,
                  .next_out = (Bytef *)p,
                  .avail_out = (uInt)e->size};
    if (e->raw.n > UINT32_MAX || inflateInit2(&s, -MAX_WBITS) != Z_OK)
        return err_set(err, ERR_NOMEM, "out of memory");
    int rc = inflate(&s, Z_FINISH);
    bool whole = rc == Z_STREAM_END && s.avail_out == 0;
    inflateEnd(&s);
    if (!whole)
        return damaged(e->name, "does not unpack to the size it claims", err);
    *out = (struct str){p, (size_t)e->size};
    return ERR_OK;
}
