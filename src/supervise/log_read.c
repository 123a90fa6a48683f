#include "supervise/log_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fs.h"
#include "supervise/logger.h"

enum { CHUNK = 1 << 16, LINE_MAX_BYTES = 1 << 20 };

/* ---- which file comes next ------------------------------------------ */

struct looking {
    const char *directory, *name;
    uint64_t above;
    int64_t since_s;
    /* The lowest number above, and its file. */
    uint64_t best;
    char file[256];
    /* For the start: sizes by number would be much; the highest is enough. */
    uint64_t highest;
};

static enum errc look(void *ctx, const char *file)
{
    struct looking *l = ctx;
    char path[LOG_PATH_MAX];
    bool packed = false;
    uint64_t n = log_number(file, l->name, &packed);
    struct stat st;

    if (!n)
        return ERR_OK;
    l->highest = n > l->highest ? n : l->highest;
    if (n <= l->above || (l->best && n >= l->best))
        return ERR_OK;
    (void)snprintf(path, sizeof(path), "%.4000s/%s", l->directory, file);
    if (l->since_s && (stat(path, &st) != 0 || st.st_mtime < l->since_s))
        return ERR_OK;
    l->best = n;
    (void)snprintf(l->file, sizeof(l->file), "%.255s", file);
    return ERR_OK;
}

static struct looking find(const struct log_reader *r, uint64_t above,
                           int64_t since_s)
{
    struct looking l = {.directory = r->directory,
                        .name = r->name,
                        .above = above,
                        .since_s = since_s};

    if (fs_list(r->directory, look, &l, NULL))
        l.best = 0;
    return l;
}

static int64_t size_of(const struct log_reader *r, const char *file)
{
    char path[LOG_PATH_MAX];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%.4000s/%s", r->directory, file);
    return stat(path, &st) == 0 ? st.st_size : 0;
}

void log_reader_init(struct log_reader *r, const char *directory,
                     const char *name, int64_t since_s, int64_t bytes)
{
    char present[256];

    *r = (struct log_reader){.directory = directory, .name = name, .fd = -1};
    buf_init(&r->rest, LINE_MAX_BYTES);
    (void)snprintf(present, sizeof(present), "%.128s.log", name);
    struct looking all = find(r, 0, since_s);
    if (bytes < 0 || since_s) {
        r->number = all.best ? all.best - 1 : all.highest;
        return;
    }
    /* Back from the newest, until there is enough. */
    int64_t have = size_of(r, present);
    r->number = all.highest;
    while (have < bytes && r->number > 0) {
        struct looking one = find(r, r->number - 1, 0);
        if (!one.best)
            break;
        have += size_of(r, one.file);
        r->number--;
    }
}

/* ---- one file ------------------------------------------------------- */

static void close_file(struct log_reader *r)
{
    if (r->file)
        (void)gzclose(r->file);
    r->file = NULL;
    r->fd = -1;
}

void log_reader_fini(struct log_reader *r)
{
    close_file(r);
    buf_fini(&r->rest);
}

static bool open_file(struct log_reader *r, const char *file, bool present)
{
    char path[LOG_PATH_MAX];
    static const char mode[] = "rb";

    (void)snprintf(path, sizeof(path), "%.4000s/%s", r->directory, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    r->file = fd >= 0 ? gzdopen(fd, mode) : NULL;
    if (fd >= 0 && !r->file)
        (void)close(fd);
    r->fd = present && r->file ? fd : -1;
    return r->file != NULL;
}

static void take(struct log_reader *r, struct str text,
                 void (*each)(void *ctx, struct str line), void *ctx)
{
    while (text.n) {
        const char *end = memchr(text.p, '\n', text.n);
        if (!end) {
            buf_put(&r->rest, text);
            return;
        }
        size_t n = (size_t)(end - text.p);
        if (r->rest.n || r->rest.failed) {
            buf_put(&r->rest, str_slice(text, 0, n));
            each(ctx, buf_str(&r->rest));
            buf_clear(&r->rest);
            r->rest.failed = false;
        } else {
            each(ctx, str_slice(text, 0, n));
        }
        text = str_slice(text, n + 1, text.n);
    }
}

/* To the present end of the open file. */
static void read_file(struct log_reader *r,
                      void (*each)(void *ctx, struct str line), void *ctx)
{
    char *block = malloc(CHUNK);
    int n;

    gzclearerr(r->file);
    while (block && (n = gzread(r->file, block, CHUNK)) > 0)
        take(r, (struct str){block, (size_t)n}, each, ctx);
    free(block);
}

/* The number of the file that was the present one: the kernel knows what it is
 * called now, also when it is gone. 0: it is the present one still. */
static uint64_t number_now(const struct log_reader *r)
{
    char link[64], path[LOG_PATH_MAX + 32];
    static const char gone[] = " (deleted)";
    bool packed;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", r->fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return 0;
    path[n] = '\0';
    if (n > (ssize_t)strlen(gone) && strcmp(path + n - strlen(gone), gone) == 0)
        path[n - (ssize_t)strlen(gone)] = '\0';
    const char *slash = strrchr(path, '/');
    return log_number(slash ? slash + 1 : path, r->name, &packed);
}

/* The next file is opened. False: there is none yet. The present one is opened
 * before the others are looked for: what is put aside meanwhile is among them.
 */
static bool open_next(struct log_reader *r)
{
    char present[256];

    (void)snprintf(present, sizeof(present), "%.128s.log", r->name);
    bool there = open_file(r, present, true);
    struct looking l = find(r, r->number, 0);
    if (!l.best)
        return there;
    close_file(r);
    if (!open_file(r, l.file, false)) {
        /* It may just have been compressed. */
        l = find(r, r->number, 0);
        if (!l.best || !open_file(r, l.file, false))
            return false;
    }
    r->number = l.best;
    return true;
}

enum errc log_reader_read(struct log_reader *r,
                          void (*each)(void *ctx, struct str line), void *ctx,
                          struct err *err)
{
    if (access(r->directory, R_OK) != 0)
        return fs_error(err, "cannot read", r->directory);
    for (;;) {
        if (!r->file && !open_next(r))
            return ERR_OK;
        read_file(r, each, ctx);
        if (r->fd >= 0) {
            uint64_t number = number_now(r);
            if (!number)
                return ERR_OK;
            r->number = number;
            read_file(r, each, ctx); /* what came before it was renamed */
        }
        close_file(r);
    }
}
