/* What is on disk: damaged, without room, without memory. */
#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "fault.h"
#include "unit/tsdb/store_dir.h"

static void damage(const char *dir, const char *name, bool cut)
{
    char path[400];
    struct stat st;
    unsigned char c;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_RDWR);
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    if (st.st_size == 0) {
        (void)close(fd);
        return;
    }
    off_t at = (off_t)(((uint64_t)rand() << 16 ^ (uint64_t)rand()) %
                       (uint64_t)st.st_size);
    ROW("%s %s %lld", name, cut ? "cut at" : "bit of", (long long)at);
    if (cut) {
        CHECK_INT(ftruncate(fd, at), 0);
    } else {
        CHECK_INT(pread(fd, &c, 1, at), 1);
        c ^= (unsigned char)(1u << rand() % 8);
        CHECK_INT(pwrite(fd, &c, 1, at), 1);
    }
    (void)close(fd);
}

TEST(store_is_damaged)
{
    char whole[64], dir[64];
    struct listing l = {0};
    size_t n, all, fewer = 0;
    int said = 0;

    make_dir(whole, "whole");
    make_dir(dir, "damaged");
    struct tsdb *db = open_dir(whole, 0, 0, &said);
    for (int64_t k = 0; k < 2400; k++) {
        CHECK_INT(add_step(db, k), ERR_OK);
        if (k == 1900 || k == 2300) {
            CHECK_INT(tsdb_flush(db, NULL), ERR_OK);
            CHECK_INT(tsdb_maintain(db, NULL), ERR_OK);
        }
    }
    tsdb_close(db);
    CHECK_INT(fs_list(whole, list_one, &l, NULL), ERR_OK);
    CHECK(count_files(whole, "seg-") == 2 && count_files(whole, "head-") == 1 &&
          count_files(whole, "wal-") == 1);
    srand(5);
    for (int i = 0; i < 500; i++) {
        const char *name = l.names[(size_t)rand() % l.n];
        copy_dir(whole, dir);
        damage(dir, name, rand() % 2);
        said = 0;
        db = open_dir(dir, 0, 0, &said);
        (void)reach(db, 0, &all);                   /* none of them is wrong */
        CHECK_INT(tsdb_maintain(db, NULL), ERR_OK); /* tells */
        CHECK(said || all == 2400 * SERIES || strncmp(name, "wal", 3) == 0);
        fewer += all < 2400 * SERIES;
        for (int64_t k = 2400; k < 2410; k++)
            CHECK_INT(add_step(db, k), ERR_OK);
        tsdb_close(db);
        db = open_dir(dir, 0, 0, &said); /* what was read stays */
        (void)reach(db, 0, &n);
        CHECK_INT(n, all + 10 * SERIES);
        tsdb_close(db);
    }
    CHECK(fewer > 200);
    remove_dir(whole);
    remove_dir(dir);
}

/* ---- no room ------------------------------------------------------------ */

TEST(store_waits_for_room)
{
    char dir[64];
    struct rlimit none = {0, RLIM_INFINITY}, before;
    struct tsdb_stats stats;
    size_t n;
    int said = 0;
    int64_t k = 0, refused;

    make_dir(dir, "full");
    (void)signal(SIGXFSZ, SIG_IGN);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct tsdb *db = open_dir(dir, 0, 0, &said);
    for (; k < 100; k++)
        CHECK_INT(add_step(db, k), ERR_OK);
    CHECK_INT(tsdb_flush(db, NULL), ERR_OK);
    none.rlim_cur = 4000;
    none.rlim_max = before.rlim_max;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &none), 0);
    said = 0;
    while (add_step(db, k) == ERR_OK && k < 3000000) {
        k++;
        if (k % 1000 == 0)
            CHECK(tsdb_flush(db, NULL) != ERR_OK);
    }
    refused = k;
    CHECK(k < 3000000); /* memory has an end */
    CHECK_INT(said, 1);
    tsdb_stats(db, &stats);
    CHECK(stats.failing && stats.flush_failures > 10);
    CHECK_INT(reach(db, 0, &n), refused); /* queries go on */
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_INT(tsdb_flush(db, NULL), ERR_OK);
    tsdb_stats(db, &stats);
    CHECK(!stats.failing);
    CHECK_INT(tsdb_flush(db, NULL), ERR_OK);
    for (k++; k < refused + 100; k++)
        CHECK_INT(add_step(db, k), ERR_OK);
    tsdb_close(db);
    db = open_dir(dir, 0, 0, &said);
    CHECK_INT(reach(db, 0, &n), refused); /* one step is missing */
    CHECK((int64_t)n >= (refused + 99) * SERIES);
    tsdb_close(db);
    remove_dir(dir);
}

static void use_store(const char *dir)
{
    struct tsdb_options o = {.dir = dir, .by_hand = true};
    struct tsdb *db = NULL;

    if (tsdb_open(&o, &db, NULL))
        return;
    for (int64_t k = 0; k < 1200; k++) {
        struct label v[] = {{LABEL_NAME, STR("m")}};
        uint32_t series;
        tsdb_write_begin(db);
        if (tsdb_series(db, (struct labels){v, 1}, &series, NULL) == ERR_OK)
            (void)!tsdb_append(db, series, k * STEP, 1);
        tsdb_write_end(db);
    }
    (void)!tsdb_flush(db, NULL);
    (void)!tsdb_maintain(db, NULL);
    tsdb_close(db);
}

TEST(store_without_memory)
{
    char dir[64];

    make_dir(dir, "memory");
    FAULT_LOOP (n) {
        empty_dir(dir);
        use_store(dir);
        use_store(dir);
    }
    remove_dir(dir);
}
