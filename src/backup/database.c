#include "backup/database.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE_MIN = 512, BUSY_MS = 10000, PATH_ROOM = PATH_MAX + 64 };

static const char *const beside[] = {"-wal", "-journal", "-shm"};

bool database_is(int fd)
{
    static const char magic[16] = "SQLite format 3"; /* sqlite.org/fileformat */
    char start[sizeof(magic)];

    return pread(fd, start, sizeof(start), 0) == (ssize_t)sizeof(start) &&
           memcmp(start, magic, sizeof(magic)) == 0;
}

bool database_has_log(int at, const char *name, int64_t size)
{
    struct stat st;
    char log[NAME_MAX + 16];

    if (size == 0 || size % PAGE_MIN)
        return false;
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(log, sizeof(log), "%s%s", name, beside[i]);
        if (fstatat(at, log, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0)
            return true;
    }
    return false;
}

size_t database_owner(int at, const char *name)
{
    size_t n = strlen(name);
    char owner[NAME_MAX + 1];

    for (size_t i = 0; i < COUNT(beside); i++) {
        size_t end = strlen(beside[i]);
        if (n <= end || n > NAME_MAX || strcmp(name + n - end, beside[i]) != 0)
            continue;
        memcpy(owner, name, n - end);
        owner[n - end] = '\0';
        int fd =
            openat(at, owner, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        bool is = fd >= 0 && database_is(fd);
        if (fd >= 0)
            (void)close(fd);
        return is ? n - end : 0;
    }
    return 0;
}

/* SQLite opens files by their path; this one leads to the open directory. */
static sqlite3 *open_database(int at, const char *name, int flags)
{
    char path[PATH_ROOM];
    sqlite3 *db = NULL;
    int n = snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", at, name);

    if (n >= (int)sizeof(path) ||
        sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        (void)sqlite3_close(db);
        return NULL;
    }
    (void)sqlite3_busy_timeout(db, BUSY_MS);
    return db;
}

/* In one step: nobody's transaction comes between. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *b;

    /* The copy is ours alone: it needs no journal, and is synced later. */
    (void)sqlite3_exec(to, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF",
                       NULL, NULL, NULL);
    b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return sqlite3_errcode(to);
    (void)sqlite3_backup_step(b, -1);
    return sqlite3_backup_finish(b);
}

enum errc database_copy(int from_at, const char *from, int to_at,
                        const char *to, struct err *err)
{
    sqlite3 *source = open_database(from_at, from, SQLITE_OPEN_READONLY);
    sqlite3 *copy =
        open_database(to_at, to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int rc = source && copy ? copy_pages(source, copy) : SQLITE_CANTOPEN;

    (void)sqlite3_close(source);
    if (sqlite3_close(copy) != SQLITE_OK && rc == SQLITE_OK)
        rc = SQLITE_ERROR;
    if (rc == SQLITE_FULL || rc == SQLITE_IOERR_WRITE)
        return err_set(err, ERR_UNAVAIL, "cannot write: %s", strerror(ENOSPC));
    return rc == SQLITE_OK ? ERR_OK
                           : err_set(err, ERR_UNSUPPORTED, "SQLite: %s",
                                     sqlite3_errstr(rc));
}
