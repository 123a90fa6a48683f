#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fs.h"
#include "base/sort.h"
#include "supervise/logger.h"

enum { FILES_MAX = 100000, CHUNK = 1 << 16, STAMP = 15, DIGITS = 6 };

uint64_t log_number(const char *file, const char *name, bool *packed)
{
    size_t n = strlen(name);
    struct str rest = str_from_cstr(file);
    uint64_t number;

    if (strncmp(file, name, n) != 0 || file[n] != '-')
        return 0;
    rest = str_slice(rest, n + 1, rest.n);
    *packed = str_ends(rest, STR(".gz"));
    rest.n -= *packed ? 3 : 0;
    if (!str_ends(rest, STR(".log")) || rest.n < STAMP + 1 + 1 + 4 ||
        rest.p[8] != 'T' || rest.p[STAMP] != '-')
        return 0;
    return str_to_u64(str_slice(rest, STAMP + 1, rest.n - 4), &number) ? number
                                                                       : 0;
}

struct aside {
    char *file;
    uint64_t number;
    bool packed;
};

struct asides {
    const char *name;
    struct aside *v;
    size_t n, cap;
};

static enum errc take(void *ctx, const char *file)
{
    struct asides *a = ctx;
    bool packed = false;
    uint64_t number = log_number(file, a->name, &packed);

    if (!number || a->n == FILES_MAX)
        return ERR_OK;
    if (a->n == a->cap) {
        size_t cap = a->cap ? a->cap * 2 : 64;
        void *v = realloc(a->v, cap * sizeof(*a->v));
        if (!v)
            return ERR_NOMEM;
        a->v = v;
        a->cap = cap;
    }
    a->v[a->n] = (struct aside){
        .file = strdup(file), .number = number, .packed = packed};
    return a->v[a->n].file ? (a->n++, ERR_OK) : ERR_NOMEM;
}

static int by_number(const void *a, const void *b)
{
    const struct aside *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

/* All that were put aside, the oldest first. */
static void asides_find(const char *directory, const char *name,
                        struct asides *out)
{
    *out = (struct asides){.name = name};
    /* What cannot be listed has nothing in it. */
    if (!fs_list(directory, take, out, NULL) && out->n)
        qsort(out->v, out->n, sizeof(*out->v), by_number);
}

static void asides_free(struct asides *a)
{
    for (size_t i = 0; i < a->n; i++)
        free(a->v[i].file);
    free(a->v);
}

enum errc log_put_aside(const char *directory, const char *name,
                        struct err *err)
{
    char from[LOG_PATH_MAX], to[LOG_PATH_MAX], stamp[STAMP + 1];
    time_t now = time(NULL);
    struct asides all;
    struct tm tm;

    asides_find(directory, name, &all);
    uint64_t number = all.n ? all.v[all.n - 1].number + 1 : 1;
    asides_free(&all);
    if (!localtime_r(&now, &tm) ||
        !strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm))
        return err_set(err, ERR_INTERNAL, "there is no local time");
    (void)snprintf(from, sizeof(from), "%.4000s/%.128s.log", directory, name);
    (void)snprintf(to, sizeof(to), "%.4000s/%.128s-%s-%0*llu.log", directory,
                   name, stamp, DIGITS, (unsigned long long)number);
    return rename(from, to) == 0 ? ERR_OK
                                 : fs_error(err, "cannot put aside", from);
}

/* Nobody else packs the file, and it has not been packed meanwhile: the logger
 * before us may still be at it. The lock goes with the descriptor. */
static bool is_ours(int fd, const char *path)
{
    struct stat open, there;

    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &open) == 0 &&
           stat(path, &there) == 0 && open.st_ino == there.st_ino;
}

/* False: it could not be written; the plain file stays. */
static bool pack(const char *path)
{
    char temporary[LOG_PATH_MAX + 8], packed[LOG_PATH_MAX + 8];
    static const char mode[] = "wb6";
    char *block = malloc(CHUNK);
    int in = open(path, O_RDONLY | O_CLOEXEC), out = -1;
    ssize_t n = -1;

    (void)snprintf(temporary, sizeof(temporary), "%s.part", path);
    (void)snprintf(packed, sizeof(packed), "%s.gz", path);
    if (in >= 0 && is_ours(in, path))
        out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    gzFile z = out >= 0 ? gzdopen(dup(out), mode) : NULL;
    while (z && block && (n = read(in, block, CHUNK)) > 0)
        if (gzwrite(z, block, (unsigned)n) != n)
            break;
    bool fine = z && gzclose(z) == Z_OK && n == 0;
    if (fine)
        fine = !fs_publish(out, temporary, packed, NULL);
    else if (out >= 0)
        (void)close(out);
    if (in >= 0)
        (void)close(in);
    free(block);
    if (fine || out >= 0)
        (void)unlink(fine ? path : temporary);
    return fine;
}

void log_tidy(const struct rotate_spec *spec, const char *name)
{
    char path[LOG_PATH_MAX];
    struct asides all;

    asides_find(spec->directory, name, &all);
    for (size_t i = 0; i < all.n; i++) {
        bool last = i + 1 < all.n && all.v[i + 1].number == all.v[i].number;
        (void)snprintf(path, sizeof(path), "%.4000s/%s", spec->directory,
                       all.v[i].file);
        if ((int64_t)(all.n - i) > spec->keep)
            (void)unlink(path);
        else if (!all.v[i].packed && !spec->no_compress && !last)
            (void)pack(path);
    }
    asides_free(&all);
}
