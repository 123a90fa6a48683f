#include "import/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/state.h"
#include "codec/digest.h"

enum {
    KEEP = 32, /* entries */
    PATH_ROOM = STATE_PATH_MAX + 192,
};

/* Raised when the same file would give another result. */
static const char importer_version[] = "2";

void cache_key(struct str file, struct str hints, struct cache_key *out)
{
    char digest[DIGEST_TEXT], beside[DIGEST_TEXT] = "0";
    struct err none = {0};

    out->name[0] = '\0';
    if (digest_sha256(file, digest, &none) == ERR_OK &&
        (!hints.n || digest_sha256(hints, beside, &none) == ERR_OK))
        (void)snprintf(out->name, sizeof(out->name), "%s-%.16s-%s", digest,
                       beside, importer_version);
}

static bool path_of(const struct cache_key *key, char out[PATH_ROOM])
{
    char dir[STATE_PATH_MAX];

    if (!key->name[0] || !state_path("imports", dir))
        return false;
    (void)snprintf(out, PATH_ROOM, "%s/%s", dir, key->name);
    return true;
}

/* Only what we wrote ourselves is believed. */
int cache_open(const struct cache_key *key)
{
    char path[PATH_ROOM];
    struct stat st;

    if (!path_of(key, path))
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        (st.st_mode & 022) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

void cache_drop(const struct cache_key *key)
{
    char path[PATH_ROOM];

    if (path_of(key, path))
        (void)unlink(path);
}

struct entry {
    char name[sizeof(((struct cache_key *)0)->name) + 16];
    int64_t written;
};

struct entries {
    const char *dir;
    struct entry *list;
    size_t n, cap;
};

static enum errc note(void *ctx, const char *name)
{
    struct entries *e = ctx;
    char path[PATH_ROOM];
    struct stat st;

    if (e->n == e->cap || strlen(name) >= sizeof(e->list->name))
        return ERR_OK;
    (void)snprintf(path, sizeof(path), "%s/%.170s", e->dir, name);
    if (stat(path, &st) != 0)
        return ERR_OK;
    (void)snprintf(e->list[e->n].name, sizeof(e->list->name), "%s", name);
    e->list[e->n++].written = (int64_t)st.st_mtim.tv_sec;
    return ERR_OK;
}

static int newest_first(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return (x->written < y->written) - (x->written > y->written);
}

static void prune(const char *dir)
{
    struct entries e = {.dir = dir, .cap = (size_t)KEEP * 32};
    struct err none = {0};

    e.list = calloc(e.cap, sizeof(*e.list));
    if (!e.list || fs_list(dir, note, &e, &none)) {
        free(e.list);
        return;
    }
    qsort(e.list, e.n, sizeof(*e.list), newest_first);
    for (size_t i = KEEP; i < e.n; i++) {
        char path[PATH_ROOM];
        (void)snprintf(path, sizeof(path), "%s/%.170s", dir, e.list[i].name);
        (void)unlink(path);
    }
    free(e.list);
}

static bool copy(int from, int to)
{
    struct stat st;
    off_t at = 0;

    if (fstat(from, &st) != 0)
        return false;
    while (at < st.st_size)
        if (sendfile(to, from, &at, (size_t)(st.st_size - at)) <= 0)
            return false;
    return true;
}

void cache_store(const struct cache_key *key, int result)
{
    char dir[STATE_PATH_MAX], path[PATH_ROOM], temporary[PATH_ROOM + 8];

    if (!path_of(key, path) || !state_path("imports", dir))
        return;
    (void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return;
    if (!copy(result, fd)) {
        (void)close(fd);
        (void)unlink(temporary);
    } else if (fs_publish(fd, temporary, path, NULL) == ERR_OK) {
        prune(dir);
    }
}
