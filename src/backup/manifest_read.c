#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup/manifest.h"
#include "base/arena.h"
#include "base/clock.h"
#include "codec/base64.h"

/* An entry has two lines. */
enum {
    LINE_MAX_BYTES = 2 << 20,
    TEXTS_MAX = 2 * LINE_MAX_BYTES,
    PATH_BYTES_MAX = 1 << 16
};

/* ---- words -------------------------------------------------------------- */

static enum errc wrong(const struct manifest *m, struct err *err,
                       const char *what)
{
    return err_set(err, ERR_INVALID, "%s: line %u: %s", MANIFEST_NAME,
                   m->number, what);
}

/* \ooo back to bytes; false: it is not so. */
static bool take_name(struct str word, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] != '\\') {
            buf_putc(out, word.p[i]);
            continue;
        }
        unsigned v = 0;
        if (word.n - i < 4)
            return false;
        for (int k = 1; k <= 3; k++) {
            char c = word.p[i + (size_t)k];
            if (c < '0' || c > '7')
                return false;
            v = 8 * v + (unsigned)(c - '0');
        }
        if (v == 0 || v > 255)
            return false;
        buf_putc(out, (char)v);
        i += 3;
    }
    return !out->failed;
}

/* A name, its text in the reader's arena; NULL: it is none. */
static const char *keep_name(struct manifest *m, struct str word)
{
    return take_name(word, &m->extra) ? arena_cstr(m->arena, buf_str(&m->extra))
                                      : NULL;
}

/* The same, until the next entry: behind what is there already, whose room is
 * made before. False: no name. */
static bool hold_name(struct manifest *m, struct str word, struct str *out)
{
    if (word.n > PATH_BYTES_MAX || !take_name(word, &m->extra))
        return false;
    size_t at = m->texts.n;
    buf_put(&m->texts, buf_str(&m->extra));
    *out = (struct str){m->texts.p + at, m->extra.n};
    return !m->texts.failed;
}

static bool take_number(struct str s, unsigned base, uint64_t max,
                        uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit >= base || v > (max - digit) / base)
            return false;
        v = v * base + digit;
    }
    *out = v;
    return s.n > 0;
}

/* "-12.000000005": nine digits, as we write them. */
static bool take_time(struct str s, struct timespec *out)
{
    uint64_t seconds, ns;
    bool before = s.n && s.p[0] == '-';
    struct str rest = before ? str_slice(s, 1, s.n) : s;
    struct str whole = str_cut(&rest, '.');

    if (!take_number(whole, 10, INT64_MAX / 4, &seconds) || rest.n != 9 ||
        !take_number(rest, 10, 999999999, &ns))
        return false;
    *out =
        (struct timespec){.tv_sec = before ? -(time_t)seconds : (time_t)seconds,
                          .tv_nsec = (long)ns};
    return true;
}

/* Beneath the backup, and nowhere else. */
static bool take_path(struct manifest *m, struct str word, struct str *out)
{
    if (!str_starts(word, STR("./")) ||
        !hold_name(m, str_slice(word, 2, word.n), out) || !out->n)
        return false;
    struct str rest = *out;
    while (rest.p) {
        struct str name = str_cut(&rest, '/');
        if (!name.n || name.n > NAME_MAX || str_eq(name, STR(".")) ||
            str_eq(name, STR("..")))
            return false;
    }
    return true;
}

/* ---- lines -------------------------------------------------------------- */

/* The next line without its end. False: there is none, or it is none of ours.
 */
static bool next_line(struct manifest *m, struct str *out)
{
    int c;

    if (!m->held) {
        buf_clear(&m->line);
        m->number++;
        while ((c = getc_unlocked(m->file)) != '\n') {
            if (c <= 0 || m->line.failed)
                return false;
            buf_putc(&m->line, (char)c);
        }
    }
    m->held = false;
    *out = buf_str(&m->line);
    return true;
}

static enum errc take_fact(struct manifest *m, struct str line, struct err *err)
{
    struct manifest_head *head = &m->head;
    struct str key = str_word(&line), value = str_word(&line);
    const char *text = keep_name(m, value);

    if (!text || !value.n)
        return wrong(m, err, "it is damaged");
    if (str_eq(key, STR("version"))) {
        if (!str_eq(value, STR("1")))
            return err_set(err, ERR_UNSUPPORTED,
                           "%s is of version " STR_FMT
                           ", which a newer stoker wrote",
                           MANIFEST_NAME, STR_ARG(value));
    } else if (str_eq(key, STR("created"))) {
        if (!clock_parse_ns(str_from_cstr(text), &head->created_ns))
            return wrong(m, err, "this is no time");
    } else if (str_eq(key, STR("host"))) {
        head->host = text;
    } else if (str_eq(key, STR("tag"))) {
        head->tag = text;
    } else if (str_eq(key, STR("source"))) {
        const char *path = keep_name(m, str_word(&line));
        if (head->n == SOURCES_MAX || !path || path[0] != '/' ||
            strchr(text, '/') || strcmp(text, "..") == 0)
            return wrong(m, err, "this is no source");
        head->sources[head->n++] = (struct source){text, path};
    }
    return ERR_OK;
}

static enum errc read_head(struct manifest *m, struct err *err)
{
    enum errc rc = ERR_OK;
    struct str line;

    if (!next_line(m, &line) || !str_eq(line, STR("#mtree")))
        return wrong(m, err, "it does not begin with #mtree");
    for (;;) {
        if (!next_line(m, &line))
            return wrong(m, err, "it ends too early");
        if (!str_starts(line, STR("#: ")) || str_starts(line, STR("#: end ")))
            break;
        rc = take_fact(m, str_slice(line, 3, line.n), err);
        if (rc)
            return rc;
    }
    m->held = true;
    return m->head.created_ns && m->head.n
               ? ERR_OK
               : wrong(m, err, "it does not say what was saved, and when");
}

enum errc manifest_open(int fd, struct arena *a, struct manifest *out,
                        struct err *err)
{
    *out =
        (struct manifest){.file = fd < 0 ? NULL : fdopen(fd, "re"), .arena = a};
    out->head.host = out->head.tag = "";
    if (!out->file) {
        if (fd >= 0)
            (void)close(fd);
        return err_set(err, ERR_IO, "cannot read %s", MANIFEST_NAME);
    }
    buf_init(&out->line, LINE_MAX_BYTES);
    buf_init(&out->extra, LINE_MAX_BYTES);
    buf_init(&out->texts, TEXTS_MAX);
    buf_init(&out->last, PATH_BYTES_MAX + 1);
    enum errc rc = read_head(out, err);
    if (rc)
        manifest_close(out);
    return rc;
}

void manifest_close(struct manifest *m)
{
    if (m->file)
        (void)fclose(m->file);
    buf_fini(&m->line);
    buf_fini(&m->extra);
    buf_fini(&m->texts);
    buf_fini(&m->last);
    *m = (struct manifest){.file = NULL};
}

/* ---- entries ------------------------------------------------------------ */

/* The words of "#=". */
static bool take_extra(struct manifest *m, struct str line, struct entry *e)
{
    struct str rest = line, word;

    while ((word = str_word(&rest)).n) {
        struct str value = word;
        struct str key = str_cut(&value, '=');
        bool good = true;
        if (str_eq(key, STR("ino")))
            good = take_number(value, 10, UINT64_MAX, &e->ino);
        else if (str_eq(key, STR("ctime")))
            good = take_time(value, &e->ctime);
        else if (str_eq(key, STR("same")))
            good = take_path(m, value, &e->same_as);
        else if (str_starts(key, STR("xattr."))) {
            size_t at = m->texts.n;
            if (!e->xattrs.n)
                e->xattrs.p = m->texts.p + at;
            buf_putc(&m->texts, ' ');
            buf_put(&m->texts, word);
            e->xattrs.n += word.n + 1;
            good = !m->texts.failed && e->xattrs.n <= ENTRY_XATTRS_MAX;
        }
        if (!good)
            return false;
    }
    return true;
}

static bool take_kind(struct str value, enum entry_kind *out)
{
    static const struct {
        struct str name;
        enum entry_kind kind;
    } kinds[] = {{STR_INIT("file"), ENTRY_FILE},
                 {STR_INIT("dir"), ENTRY_DIR},
                 {STR_INIT("link"), ENTRY_LINK},
                 {STR_INIT("fifo"), ENTRY_PIPE}};

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(value, kinds[i].name)) {
            *out = kinds[i].kind;
            return true;
        }
    return false;
}

static bool take_digest(struct str value, char out[ENTRY_SHA256])
{
    if (value.n != ENTRY_SHA256 - 1)
        return false;
    for (size_t i = 0; i < value.n; i++)
        if (!strchr("0123456789abcdef", value.p[i]))
            return false;
    memcpy(out, value.p, value.n);
    out[value.n] = '\0';
    return true;
}

static bool take_word(struct manifest *m, struct str key, struct str value,
                      struct entry *e, unsigned *seen)
{
    uint64_t v = 0;
    bool good = true;

    if (str_eq(key, STR("type"))) {
        good = take_kind(value, &e->kind);
        *seen |= 1;
    } else if (str_eq(key, STR("mode"))) {
        good = take_number(value, 8, 07777, &v);
        e->mode = (uint32_t)v;
        *seen |= 2;
    } else if (str_eq(key, STR("uid"))) {
        good = take_number(value, 10, UINT32_MAX, &v);
        e->uid = (uint32_t)v;
    } else if (str_eq(key, STR("gid"))) {
        good = take_number(value, 10, UINT32_MAX, &v);
        e->gid = (uint32_t)v;
    } else if (str_eq(key, STR("time"))) {
        good = take_time(value, &e->mtime);
        *seen |= 4;
    } else if (str_eq(key, STR("size"))) {
        good = take_number(value, 10, INT64_MAX, &v);
        e->size = (int64_t)v;
        *seen |= 8;
    } else if (str_eq(key, STR("sha256digest"))) {
        good = take_digest(value, e->sha256);
        *seen |= 16;
    } else if (str_eq(key, STR("link"))) {
        good = hold_name(m, value, &e->target) && e->target.n;
        *seen |= 32;
    }
    return good;
}

static struct str directory_of(struct str path)
{
    struct str name = str_behind_last(path, '/');

    return str_slice(path, 0, name.n < path.n ? path.n - name.n - 1 : 0);
}

/* Behind the last one, in a directory that came before, of a source. */
static bool is_in_place(const struct manifest *m, struct str path)
{
    struct str last = buf_str(&m->last), in = directory_of(path);
    struct str now = m->last_is_dir ? last : directory_of(last);

    if (last.n && entry_compare(last, path) >= 0)
        return false;
    if (in.n)
        return str_eq(in, now) || entry_beneath(now, in);
    for (size_t i = 0; i < m->head.n; i++)
        if (str_eq(path, str_from_cstr(m->head.sources[i].name)))
            return true;
    return false;
}

static enum errc take_entry(struct manifest *m, struct str line,
                            struct entry *e, struct err *err)
{
    static const unsigned wanted[] = {[ENTRY_FILE] = 31,
                                      [ENTRY_DIR] = 7,
                                      [ENTRY_LINK] = 39,
                                      [ENTRY_PIPE] = 7};
    struct str word = str_word(&line);
    unsigned seen = 0;

    if (!take_path(m, word, &e->path))
        return wrong(m, err, "this is no path");
    while ((word = str_word(&line)).n) {
        struct str value = word;
        struct str key = str_cut(&value, '=');
        word = str_slice(word, 0, word.n < 60 ? word.n : 60);
        if (!take_word(m, key, value, e, &seen))
            return err_set(err, ERR_INVALID,
                           "%s: line %u: '" STR_FMT "' is wrong", MANIFEST_NAME,
                           m->number, STR_ARG(word));
    }
    if ((seen & wanted[e->kind]) != wanted[e->kind])
        return wrong(m, err, "something is missing in it");
    if (!is_in_place(m, e->path))
        return wrong(m, err, "it is not in its place");
    buf_clear(&m->last);
    buf_put(&m->last, e->path);
    m->last_is_dir = e->kind == ENTRY_DIR;
    return ERR_OK;
}

/* "entries, bytes" are those that were read. */
static enum errc take_end(struct manifest *m, struct str line, struct err *err)
{
    char wanted[64];

    (void)snprintf(wanted, sizeof(wanted), " end %lld entries, %lld bytes",
                   (long long)m->entries, (long long)m->bytes);
    if (!str_eq(line, str_from_cstr(wanted)))
        return wrong(m, err, "entries are missing before it");
    m->ended = true;
    return ERR_OK;
}

enum errc manifest_next(struct manifest *m, struct entry *out, bool *more,
                        struct err *err)
{
    bool extra = false;
    struct str line;

    *out = (struct entry){.size = 0};
    *more = false;
    buf_clear(&m->texts);
    /* its place does not change while an entry points into it */
    if (!buf_reserve(&m->texts, TEXTS_MAX))
        return err_set(err, ERR_NOMEM, "out of memory");
    while (!m->ended) {
        if (!next_line(m, &line))
            return wrong(m, err, "it ends too early");
        if (str_starts(line, STR("#:"))) {
            enum errc rc = take_end(m, str_slice(line, 2, line.n), err);
            if (rc)
                return rc;
        } else if (str_starts(line, STR("#="))) {
            if (extra || !take_extra(m, str_slice(line, 2, line.n), out))
                return wrong(m, err, "it is damaged");
            extra = true;
        } else if (line.n && line.p[0] != '#' && !str_starts(line, STR(". "))) {
            enum errc rc = take_entry(m, line, out, err);
            if (rc)
                return rc;
            m->entries++;
            m->bytes +=
                out->kind == ENTRY_FILE && !out->same_as.n ? out->size : 0;
            *more = true;
            return ERR_OK;
        }
    }
    return ERR_OK;
}

bool manifest_xattr(struct str *rest, struct buf *name, struct buf *value)
{
    struct str word = str_word(rest);
    struct str text = word;
    struct str key = str_cut(&text, '=');
    size_t n = 0;

    if (!str_starts(key, STR("xattr.")) ||
        !take_name(str_slice(key, 6, key.n), name))
        return false;
    buf_putc(name, '\0');
    buf_clear(value);
    char *room = buf_reserve(value, text.n + 1);
    if (!room || name->failed || !base64_decode(text, room, &n))
        return false;
    value->n = n;
    return true;
}

bool manifest_totals(const struct manifest *m, int64_t *entries, int64_t *bytes)
{
    int fd = fileno(m->file);
    char end[128];
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof(end) ? size - (off_t)sizeof(end) : 0;
    ssize_t n = size < 0 ? -1 : pread(fd, end, sizeof(end), from);
    uint64_t a, b;

    if (n < 1 || end[n - 1] != '\n')
        return false;
    struct str line = str_behind_last((struct str){end, (size_t)n - 1}, '\n');
    if (!str_starts(line, STR("#: end ")))
        return false;
    line = str_slice(line, 7, line.n);
    if (!take_number(str_word(&line), 10, INT64_MAX, &a) ||
        !str_eq(str_word(&line), STR("entries,")) ||
        !take_number(str_word(&line), 10, INT64_MAX, &b))
        return false;
    *entries = (int64_t)a;
    *bytes = (int64_t)b;
    return true;
}
