#include "logs/clean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"

enum { DEPTH_MAX = 64, MEMORY_MAX = 1 << 30, BLOCK = 512 };

#define SECOND INT64_C(1000000000)

/* ---- dates in names ----------------------------------------------------- */

/* n digits; -1 if there are fewer. */
static int take_number(struct str *s, size_t n)
{
    int v = 0;

    if (s->n < n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return -1;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = str_slice(*s, n, s->n);
    return v;
}

static bool is_digit_at(struct str s, size_t i)
{
    return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

/* Nothing, or a time of day: 1030, 103000. */
static bool ends_well(struct str s)
{
    size_t n = 0;

    while (is_digit_at(s, n))
        n++;
    return n == 0 || n == 4 || n == 6;
}

/* A date at the start. */
static bool take_date(struct str s, struct tm *out)
{
    int year = take_number(&s, 4);
    char mark = s.n && strchr("-_.", s.p[0]) ? s.p[0] : 0;

    if (year < 1970 || year > 2999)
        return false;
    if (mark)
        s = str_slice(s, 1, s.n);
    int month = take_number(&s, 2);
    if (mark && (!s.n || s.p[0] != mark))
        return false;
    if (mark)
        s = str_slice(s, 1, s.n);
    int day = take_number(&s, 2);
    *out = (struct tm){.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_isdst = -1};
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && ends_well(s);
}

bool clean_date(struct str name, int64_t *ns)
{
    for (size_t i = 0; i < name.n; i++) {
        struct tm day, next;
        if ((i > 0 && is_digit_at(name, i - 1)) ||
            !take_date(str_slice(name, i, name.n), &day))
            continue;
        next = day;
        next.tm_mday++;
        /* A day that the month does not have becomes another's. */
        if (mktime(&day) == -1 || day.tm_mday + 1 != next.tm_mday)
            continue;
        time_t end = mktime(&next);
        if (end == -1)
            continue;
        *ns = (int64_t)end * SECOND;
        return true;
    }
    return false;
}

/* ---- the walk ----------------------------------------------------------- */

struct found {
    const char *path; /* beneath the directory */
    int64_t stamp_ns; /* when it was written, by its time or its name */
    int64_t bytes;
    ino_t ino;
    struct timespec mtime;
    bool shared; /* it has other names: nothing is freed */
};

struct walk {
    const struct clean_options *o;
    struct arena arena;
    dev_t dev;
    struct found *v;
    size_t n, cap;
    bool failed; /* out of memory */
};

static void take_file(struct walk *w, const char *path, const char *name,
                      const struct stat *st)
{
    struct found f = {.stamp_ns = (int64_t)st->st_mtim.tv_sec * SECOND +
                                  st->st_mtim.tv_nsec,
                      .bytes = (int64_t)st->st_blocks * BLOCK,
                      .ino = st->st_ino,
                      .mtime = st->st_mtim,
                      .shared = st->st_nlink > 1};

    if (!fs_name_matches(w->o->match, name) ||
        (w->o->by_name && !clean_date(str_from_cstr(name), &f.stamp_ns)))
        return;
    f.path = arena_cstr(&w->arena, str_from_cstr(path));
    if (!f.path ||
        !arena_grow(&w->arena, &w->v, w->n, &w->cap, sizeof(*w->v))) {
        w->failed = true;
        return;
    }
    w->v[w->n++] = f;
}

static int open_folder(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Takes fd. What may not be looked into stays as it is. */
static void walk(struct walk *w, int fd, const char *path, int depth)
{
    DIR *d = fd < 0 ? NULL : fdopendir(fd);

    if (!d && fd >= 0)
        (void)close(fd);
    for (struct dirent *e; d && !w->failed && (e = readdir(d)) != NULL;) {
        char below[PATH_MAX];
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "",
                     e->d_name) >= (int)sizeof(below) ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
            st.st_dev != w->dev)
            continue;
        if (S_ISREG(st.st_mode))
            take_file(w, below, e->d_name, &st);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            walk(w, open_folder(dirfd(d), e->d_name), below, depth + 1);
    }
    if (d)
        (void)closedir(d);
}

static int by_age(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    if (x->stamp_ns != y->stamp_ns)
        return x->stamp_ns < y->stamp_ns ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* ---- removing ----------------------------------------------------------- */

struct cleaning {
    const struct clean_options *o;
    int root, journal;
    struct clean_totals *totals;
};

/* The directory that the file is in, through no link; *name is behind it. */
static int open_above(int root, const char *path, const char **name)
{
    int at = dup(root);

    for (const char *slash; at >= 0 && (slash = strchr(path, '/')) != NULL;
         path = slash + 1) {
        char one[NAME_MAX + 1];
        (void)snprintf(one, sizeof(one), "%.*s", (int)(slash - path), path);
        int below = open_folder(at, one);
        (void)close(at);
        at = below;
    }
    *name = path;
    return at;
}

static bool write_down(const struct cleaning *c, const struct clean_entry *e)
{
    static const char *const reasons[] = {"age", "total size", "free space"};
    char now[CLOCK_TEXT_MAX];
    struct buf b;

    clock_format(c->o->now_ns, now);
    buf_init(&b, 1 << 16);
    buf_put_field(&b, "{\"@timestamp\":", str_from_cstr(now));
    buf_put_field(&b, ",\"event.action\":", STR("log.removed"));
    buf_put_field(&b, ",\"file.path\":", str_from_cstr(e->path));
    buf_printf(&b, ",\"file.size\":%lld,\"age_s\":%lld", (long long)e->bytes,
               (long long)(e->age_ns / SECOND));
    buf_put_field(&b, ",\"reason\":", str_from_cstr(reasons[e->why]));
    buf_puts(&b, "}\n");
    bool good = !b.failed && fs_write_all(c->journal, b.p, b.n);
    buf_fini(&b);
    return good;
}

/* Is it still the file that was looked at, and nobody's? */
static enum clean_fate look_again(int fd, const struct found *f,
                                  const char **error)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st)) {
        *error = strerror(errno);
        return errno == ENOENT        ? CLEAN_GONE
               : errno == EWOULDBLOCK ? CLEAN_OPEN /* another one's lease */
                                      : CLEAN_FAILED;
    }
    if (!S_ISREG(st.st_mode) || st.st_ino != f->ino ||
        st.st_mtim.tv_sec != f->mtime.tv_sec ||
        st.st_mtim.tv_nsec != f->mtime.tv_nsec)
        return CLEAN_OPEN; /* somebody has it in hand */
    return file_held(fd) == HELD_NO ? CLEAN_REMOVED : CLEAN_OPEN;
}

static void remove_one(struct cleaning *c, const struct found *f,
                       struct clean_entry *e)
{
    const char *name;
    int at = open_above(c->root, f->path, &name);
    /* O_NONBLOCK: it may have become a pipe meanwhile. */
    int fd = at < 0 ? -1
                    : openat(at, name,
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    e->fate = look_again(fd, f, &e->error);
    if (e->fate == CLEAN_REMOVED && !c->o->dry_run) {
        if (!write_down(c, e)) {
            e->fate = CLEAN_FAILED;
            e->error = "the journal cannot be written";
        } else if (unlinkat(at, name, 0)) {
            e->fate = errno == ENOENT ? CLEAN_GONE : CLEAN_FAILED;
            e->error = strerror(errno);
        }
    }
    if (fd >= 0)
        (void)close(fd); /* gives the lease back */
    if (at >= 0)
        (void)close(at);
}

static int64_t free_bytes(int root)
{
    struct statvfs s;

    return fstatvfs(root, &s) ? INT64_MAX
                              : (int64_t)s.f_bavail * (int64_t)s.f_frsize;
}

/* The oldest goes first: while there is a reason for one, there is one for
 * those before it. */
static void remove_all(struct cleaning *c, const struct walk *w,
                       void (*each)(void *ctx, const struct clean_entry *e),
                       void *ctx)
{
    const struct clean_options *o = c->o;
    int64_t total = 0, left = free_bytes(c->root);

    for (size_t i = 0; i < w->n; i++)
        total += w->v[i].bytes;
    for (size_t i = 0; i < w->n; i++) {
        const struct found *f = &w->v[i];
        char path[2 * PATH_MAX];
        struct clean_entry e = {
            .path = path, .bytes = f->bytes, .age_ns = o->now_ns - f->stamp_ns};
        if (o->older_than_ns >= 0 && e.age_ns > o->older_than_ns)
            e.why = CLEAN_AGE;
        else if (o->max_total >= 0 && total > o->max_total)
            e.why = CLEAN_TOTAL;
        else if (o->keep_free >= 0 && left < o->keep_free)
            e.why = CLEAN_FREE;
        else
            break;
        (void)snprintf(path, sizeof(path), "%s/%s", o->folder, f->path);
        remove_one(c, f, &e);
        c->totals->removed += e.fate == CLEAN_REMOVED;
        c->totals->open += e.fate == CLEAN_OPEN;
        c->totals->failed += e.fate == CLEAN_FAILED;
        if (e.fate == CLEAN_REMOVED || e.fate == CLEAN_GONE) {
            total -= f->bytes;
            left += f->shared ? 0 : f->bytes;
        }
        c->totals->bytes += e.fate == CLEAN_REMOVED ? f->bytes : 0;
        if (e.fate != CLEAN_GONE)
            each(ctx, &e);
    }
}

/* ---- all ---------------------------------------------------------------- */

/* Where the system lives, a slip of the hand is not to be obeyed. */
static bool is_of_the_system(const char *path)
{
    static const char *const roots[] = {"/bin",  "/boot", "/dev",
                                        "/etc",  "/lib",  "/proc",
                                        "/sbin", "/sys",  "/usr"};
    size_t slashes = 0;

    for (const char *p = path; *p; p++)
        slashes += *p == '/';
    for (size_t i = 0; i < COUNT(roots); i++) {
        size_t n = strlen(roots[i]);
        if (strncmp(path, roots[i], n) == 0 &&
            (path[n] == '/' || path[n] == '\0'))
            return true;
    }
    return slashes < 2; /* "/", "/var", "/home" */
}

static enum errc open_all(struct cleaning *c, struct err *err)
{
    const struct clean_options *o = c->o;
    char real[PATH_MAX];

    if (!realpath(o->folder, real))
        return fs_error(err, "cannot open", o->folder);
    if (is_of_the_system(real))
        return err_set(err, ERR_INVALID,
                       "%s is a directory of the system, not of logs",
                       o->folder);
    c->root = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->root < 0)
        return fs_error(err, "cannot open", o->folder);
    if (o->dry_run)
        return ERR_OK;
    c->journal =
        open(o->journal, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return c->journal < 0 ? fs_error(err, "cannot write", o->journal) : ERR_OK;
}

enum errc logs_clean(const struct clean_options *o,
                     void (*each)(void *ctx, const struct clean_entry *e),
                     void *ctx, struct clean_totals *out, struct err *err)
{
    struct cleaning c = {.o = o, .root = -1, .journal = -1, .totals = out};
    struct walk w = {.o = o};
    struct stat st;

    *out = (struct clean_totals){.files = 0};
    arena_init(&w.arena, MEMORY_MAX);
    enum errc rc = open_all(&c, err);
    if (!rc && fstat(c.root, &st))
        rc = fs_error(err, "cannot open", o->folder);
    if (!rc) {
        w.dev = st.st_dev;
        walk(&w, dup(c.root), "", 0);
        if (w.failed)
            rc = err_set(err, ERR_NOMEM, "%s: too many files", o->folder);
    }
    if (!rc && w.n) {
        out->files = w.n;
        qsort(w.v, w.n, sizeof(*w.v), by_age);
        remove_all(&c, &w, each, ctx);
    }
    if (c.journal >= 0 && fsync(c.journal) && errno != EINVAL && !rc)
        rc = fs_error(err, "cannot write", o->journal); /* EINVAL: no file */
    if (c.journal >= 0)
        (void)close(c.journal);
    if (c.root >= 0)
        (void)close(c.root);
    arena_fini(&w.arena);
    return rc;
}
