#include "unit/tsdb/store_dir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "unit/unit.h"

/* ---- directories -------------------------------------------------------- */

void make_dir(char *dir, const char *name)
{
    (void)snprintf(dir, 64, "/tmp/stoker-%s.XXXXXX", name);
    CHECK(mkdtemp(dir) != NULL);
}

static enum errc remove_one(void *ctx, const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", (const char *)ctx, name);
    CHECK_INT(unlink(path), 0);
    return ERR_OK;
}

void empty_dir(char *dir)
{
    CHECK_INT(fs_list(dir, remove_one, dir, NULL), ERR_OK);
}

void remove_dir(char *dir)
{
    empty_dir(dir);
    CHECK_INT(rmdir(dir), 0);
}

enum errc list_one(void *ctx, const char *name)
{
    struct listing *l = ctx;

    if (l->n < COUNT(l->names))
        (void)snprintf(l->names[l->n++], 64, "%.63s", name);
    return ERR_OK;
}

size_t count_files(const char *dir, const char *with)
{
    struct listing l = {0};
    size_t n = 0;

    CHECK_INT(fs_list(dir, list_one, &l, NULL), ERR_OK);
    for (size_t i = 0; i < l.n; i++)
        n += strstr(l.names[i], with) != NULL;
    return n;
}

static void copy_file(const char *from, const char *to, const char *name)
{
    char path[400];
    struct buf b;

    buf_init(&b, 64 << 20);
    (void)snprintf(path, sizeof(path), "%s/%s", from, name);
    CHECK_INT(fs_read(path, &b, NULL), ERR_OK);
    (void)snprintf(path, sizeof(path), "%s/%s", to, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && fs_write_all(fd, b.p, b.n));
    (void)close(fd);
    buf_fini(&b);
}

void copy_dir(const char *from, char *to)
{
    struct listing l = {0};

    CHECK_INT(fs_list(from, list_one, &l, NULL), ERR_OK);
    empty_dir(to);
    for (size_t i = 0; i < l.n; i++)
        copy_file(from, to, l.names[i]);
}

/* ---- a store whose values can be told from their places ----------------- */

static void count_said(void *ctx, bool bad, const char *event, const char *text)
{
    (void)event;
    (void)text;
    if (ctx)
        *(int *)ctx += bad;
}

struct tsdb *open_dir(const char *dir, int64_t retention, uint64_t max_bytes,
                      int *said)
{
    struct tsdb_options o = {.dir = dir,
                             .by_hand = true,
                             .retention = retention,
                             .max_bytes = max_bytes,
                             .say = count_said,
                             .ctx = said};
    struct tsdb *db = NULL;
    struct err err = {0};

    CHECK_INT(tsdb_open(&o, &db, &err), ERR_OK);
    CHECK_STR(str_from_cstr(err.msg), "");
    return db;
}

static double value_at(unsigned series, int64_t t)
{
    int64_t k = t / STEP;

    switch (series) {
    case 0:
        return (double)k;
    case 1:
        return (double)(k * 7919 % 1000) / 10;
    case 2:
        return k % 100 ? 5 : 6;
    case 3:
        return (double)k * 1.0e-3 + 1.0 / 3.0;
    default:
        return k % 50 == 0 ? -0.0 : (double)k * 1e10;
    }
}

uint32_t series_of(struct tsdb *db, unsigned i)
{
    char digit[2] = {(char)('0' + i), '\0'};
    struct label v[] = {{LABEL_NAME, STR("m")}, {STR("i"), {digit, 1}}};
    uint32_t series = 0;

    CHECK_INT(tsdb_series(db, (struct labels){v, 2}, &series, NULL), ERR_OK);
    return series;
}

enum errc add_step(struct tsdb *db, int64_t k)
{
    enum errc rc = ERR_OK;

    tsdb_write_begin(db);
    for (unsigned i = 0; i < SERIES; i++) {
        enum errc one =
            tsdb_append(db, series_of(db, i), k * STEP, value_at(i, k * STEP));
        rc = one ? one : rc;
    }
    tsdb_write_end(db);
    return rc;
}

int64_t reach(struct tsdb *db, int64_t first, size_t *n)
{
    struct samples s = {0};
    int64_t least = INT64_MAX;

    *n = 0;
    for (unsigned i = 0; i < SERIES; i++) {
        tsdb_write_begin(db);
        uint32_t series = series_of(db, i);
        tsdb_write_end(db);
        CHECK_INT(tsdb_read(db, series, INT64_MIN, INT64_MAX, &s), ERR_OK);
        int64_t k = first;
        for (size_t j = 0; j < s.n; j++) {
            double want = value_at(i, s.t[j]);
            if (memcmp(&want, &s.v[j], sizeof(want)) != 0 || s.t[j] % STEP ||
                (j && s.t[j] <= s.t[j - 1])) {
                CHECK(!"a wrong sample");
                break;
            }
            k += s.t[j] == k * STEP;
        }
        *n += s.n;
        least = k < least ? k : least;
    }
    samples_fini(&s);
    return least;
}
