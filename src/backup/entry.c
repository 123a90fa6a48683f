#include "backup/entry.h"

#include <string.h>

#include "base/compiler.h"

int entry_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;

    for (size_t i = 0; i < n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        if (x == y)
            continue;
        if (x == '/' || y == '/')
            return x == '/' ? -1 : 1;
        return x < y ? -1 : 1;
    }
    return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

bool entry_beneath(struct str path, struct str directory)
{
    return path.n > directory.n && path.p[directory.n] == '/' &&
           memcmp(path.p, directory.p, directory.n) == 0;
}

bool entry_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool entry_is_unchanged(const struct entry *was, const struct stat *st)
{
    return was->kind == ENTRY_FILE && was->ino &&
           was->ino == (uint64_t)st->st_ino && was->size == st->st_size &&
           entry_same_time(was->mtime, st->st_mtim) &&
           entry_same_time(was->ctime, st->st_ctim);
}

bool entry_of(const struct stat *st, struct entry *out)
{
    static const struct {
        mode_t mode;
        enum entry_kind kind;
    } kinds[] = {{S_IFREG, ENTRY_FILE},
                 {S_IFDIR, ENTRY_DIR},
                 {S_IFLNK, ENTRY_LINK},
                 {S_IFIFO, ENTRY_PIPE}};

    for (size_t i = 0; i < COUNT(kinds); i++)
        if ((st->st_mode & S_IFMT) == kinds[i].mode) {
            *out =
                (struct entry){.kind = kinds[i].kind,
                               .mode = (uint32_t)st->st_mode & 07777,
                               .uid = (uint32_t)st->st_uid,
                               .gid = (uint32_t)st->st_gid,
                               .mtime = st->st_mtim,
                               .size = S_ISREG(st->st_mode) ? st->st_size : 0};
            return true;
        }
    return false;
}
