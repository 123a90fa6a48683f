#include "machine/machine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "codec/percent.h"
#include "machine/bundle.h"
#include "machine/facts.h"
#include "machine/inside.h"

enum { MEMORY_MAX = 256 << 20 };

struct known {
    struct known *next;
    const char *name;
    enum found found;
    struct str text;
};

static enum errc open_bundle(struct machine *m, const char *path,
                             struct err *err)
{
    enum { BUNDLE_MAX = 64 << 20 };
    struct buf text;

    buf_init(&text, BUNDLE_MAX);
    enum errc rc = fs_read(path, &text, err);
    m->bundle = rc ? NULL : arena_new(&m->arena, struct bundle, 1);
    if (!rc && !m->bundle)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc && bundle_read(buf_str(&text), &m->arena, m->bundle, err))
        rc = err_wrap(err, ERR_INVALID, "%s", path);
    buf_fini(&text);
    return rc;
}

enum errc machine_open(const char *root, struct machine *out, struct err *err)
{
    enum errc rc = ERR_OK;
    struct stat st;

    *out = (struct machine){.root = -1};
    arena_init(&out->arena, MEMORY_MAX);
    if (!root || strcmp(root, "/") == 0)
        return ERR_OK;
    if (stat(root, &st) == 0 && S_ISREG(st.st_mode)) {
        rc = open_bundle(out, root, err);
    } else {
        out->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (out->root < 0)
            rc = err_set(err, errc_from_errno(errno), "cannot open '%s': %s",
                         root, strerror(errno));
    }
    if (rc)
        machine_close(out);
    return rc;
}

void machine_close(struct machine *m)
{
    if (m->root >= 0)
        (void)close(m->root);
    arena_fini(&m->arena);
    m->root = -1;
    m->bundle = NULL;
}

bool machine_is_live(const struct machine *m)
{
    return m->root < 0 && !m->bundle;
}

enum found found_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
        return ABSENT;
    case EACCES:
    case EPERM:
        return DENIED;
    default:
        return BROKEN;
    }
}

static int open_file(const struct machine *m, const char *path, int flags)
{
    flags |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    return m->root < 0 ? open(path, flags) : inside_open(m->root, path, flags);
}

/* Copies what was read and hands it to whoever writes it down. */
static enum found answer(struct machine *m, char kind, const char *name,
                         enum found found, struct str text, struct str *out)
{
    const char *copy = found == FOUND ? arena_cstr(&m->arena, text) : NULL;

    if (found == FOUND && !copy)
        found = BROKEN;
    if (m->record)
        m->record(m->ctx, kind, name, found, text);
    if (found == FOUND)
        *out = (struct str){copy, text.n};
    return found;
}

/* ---- files -------------------------------------------------------------- */

static enum found read_all(int fd, struct buf *out)
{
    for (;;) {
        char *p = buf_reserve(out, 16384);
        if (!p)
            return BROKEN;
        ssize_t n = read(fd, p, 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return found_errno(errno);
        if (n == 0)
            return FOUND;
        out->n += (size_t)n;
    }
}

static enum found read_file(const struct machine *m, const char *path,
                            struct buf *text)
{
    int fd = open_file(m, path, O_RDONLY);
    enum found found = fd < 0 ? found_errno(errno) : FOUND;
    struct stat st;

    if (fd < 0)
        return found;
    found = fstat(fd, &st) ? found_errno(errno) : FOUND;
    if (found == FOUND)
        found = S_ISREG(st.st_mode) ? read_all(fd, text) : BROKEN;
    (void)close(fd);
    return found;
}

enum found machine_read(struct machine *m, const char *path, struct str *out)
{
    struct buf text;

    if (m->bundle)
        return bundle_ask(m->bundle, 'f', path, out);
    buf_init(&text, MACHINE_FILE_MAX);
    enum found found = read_file(m, path, &text);
    found = answer(m, 'f', path, found, buf_str(&text), out);
    buf_fini(&text);
    return found;
}

long long machine_number(struct machine *m, const char *path,
                         long long otherwise)
{
    struct str text = {NULL, 0};

    return machine_read(m, path, &text) == FOUND && text.n
               ? strtoll(text.p, NULL, 10)
               : otherwise;
}

long long machine_meminfo(struct machine *m, const char *key)
{
    struct str text = {NULL, 0}, wanted = str_from_cstr(key);

    (void)machine_read(m, "/proc/meminfo", &text);
    while (text.n) {
        struct str value = str_cut(&text, '\n');
        uint64_t number;
        if (!str_eq(str_cut(&value, ':'), wanted))
            continue;
        value = str_trim(value);
        return str_to_u64(str_cut(&value, ' '), &number) && number <= INT64_MAX
                   ? (long long)number
                   : -1;
    }
    return -1;
}

enum found machine_link(struct machine *m, const char *path, struct str *out)
{
    char text[PATH_MAX];

    if (m->bundle)
        return bundle_ask(m->bundle, 'l', path, out);
    ssize_t n = m->root < 0 ? readlink(path, text, sizeof(text))
                            : inside_link(m->root, path, text, sizeof(text));
    enum found found = n >= 0            ? FOUND
                       : errno == EINVAL ? ABSENT
                                         : found_errno(errno);

    return answer(m, 'l', path, found,
                  (struct str){text, n > 0 ? (size_t)n : 0}, out);
}

unsigned machine_kind(struct machine *m, const char *path)
{
    struct str text = {NULL, 0};
    struct stat st;
    char octal[16];

    if (m->bundle)
        return bundle_ask(m->bundle, 'e', path, &text) == FOUND
                   ? (unsigned)strtoul(text.p, NULL, 8)
                   : 0;
    int fd = open_file(m, path, O_PATH);
    unsigned kind = fd >= 0 && fstat(fd, &st) == 0 ? st.st_mode & S_IFMT : 0;
    if (fd >= 0)
        (void)close(fd);
    (void)snprintf(octal, sizeof(octal), "%o", kind);
    if (m->record)
        m->record(m->ctx, 'e', path, kind ? FOUND : ABSENT,
                  str_from_cstr(octal));
    return kind;
}

/* ---- directories -------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static enum found collect_names(struct machine *m, DIR *d, struct names *out)
{
    size_t cap = 0;

    *out = (struct names){.n = 0};
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        const char *name = arena_cstr(&m->arena, str_from_cstr(e->d_name));
        if (!name || out->n == MACHINE_ENTRIES_MAX ||
            !arena_grow(&m->arena, &out->v, out->n, &cap, sizeof(*out->v)))
            return BROKEN;
        out->v[out->n++] = str_from_cstr(name);
    }
    if (out->n)
        qsort(out->v, out->n, sizeof(*out->v), by_text);
    return FOUND;
}

static void record_names(struct machine *m, const char *path, enum found found,
                         const struct names *names)
{
    struct buf text;

    buf_init(&text, MACHINE_FILE_MAX);
    for (size_t i = 0; found == FOUND && i < names->n; i++)
        buf_printf(&text, STR_FMT "\n", STR_ARG(names->v[i]));
    m->record(m->ctx, 'd', path, found, buf_str(&text));
    buf_fini(&text);
}

/* The names of a bundle's answer. */
static enum found captured_names(struct machine *m, const char *path,
                                 struct names *out)
{
    struct str text = {NULL, 0};
    size_t cap = 0;
    enum found found = bundle_ask(m->bundle, 'd', path, &text);

    while (found == FOUND && text.n) {
        const char *name = arena_cstr(&m->arena, str_cut(&text, '\n'));
        if (!name ||
            !arena_grow(&m->arena, &out->v, out->n, &cap, sizeof(*out->v)))
            return BROKEN;
        out->v[out->n++] = str_from_cstr(name);
    }
    return found;
}

enum found machine_list(struct machine *m, const char *path, struct names *out)
{
    struct names names = {.n = 0};

    *out = names;
    if (m->bundle)
        return captured_names(m, path, out);
    int fd = open_file(m, path, O_RDONLY | O_DIRECTORY);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    enum found found = d ? FOUND : found_errno(errno);

    if (d)
        found = collect_names(m, d, &names);
    if (d)
        (void)closedir(d);
    else if (fd >= 0)
        (void)close(fd);
    if (m->record)
        record_names(m, path, found, &names);
    if (found == FOUND)
        *out = names;
    return found;
}

/* ---- facts -------------------------------------------------------------- */

static enum found captured_fact(const struct machine *m, const char *name,
                                struct buf *text)
{
    struct buf path;
    enum found found = BROKEN;

    buf_init(&path, PATH_MAX);
    buf_puts(&path, "/" MACHINE_FACTS "/");
    percent_encode_form(&path, str_from_cstr(name));
    buf_putc(&path, '\0');
    if (!path.failed)
        found = read_file(m, path.p, text);
    buf_fini(&path);
    return found;
}

void machine_know(struct machine *m, const char *name, enum found found,
                  struct str text)
{
    struct known *k = arena_new(&m->arena, struct known, 1);
    const char *copy = arena_cstr(&m->arena, text);

    if (!k || !copy)
        return;
    *k = (struct known){m->known, name, found, {copy, text.n}};
    m->known = k;
}

enum found machine_fact(struct machine *m, const char *name, struct str *out)
{
    struct buf text;

    for (const struct known *k = m->known; k; k = k->next)
        if (strcmp(k->name, name) == 0)
            return answer(m, 'q', name, k->found, k->text, out);
    if (m->bundle)
        return bundle_ask(m->bundle, 'q', name, out);
    buf_init(&text, MACHINE_FILE_MAX);
    enum found found =
        m->root < 0 ? facts_ask(name, &text) : captured_fact(m, name, &text);
    if (m->root >= 0 && found == ABSENT &&
        !machine_kind(m, "/" MACHINE_FACTS)) {
        found = facts_of_files(m, name, &text);
        found = found == ABSENT ? NOT_CAPTURED : found;
    }
    if (text.failed)
        found = BROKEN;
    found = answer(m, 'q', name, found, buf_str(&text), out);
    buf_fini(&text);
    return found;
}

const char *machine_path(struct machine *m, const char *fmt, ...)
{
    char text[PATH_MAX];
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    const char *copy = n >= 0 && n < (int)sizeof(text)
                           ? arena_cstr(&m->arena, str_from_cstr(text))
                           : NULL;
    return copy ? copy : "";
}
