/* What is on disk: a store that is opened again, that forgets, that is killed.
 */
#include "unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/tsdb/store_dir.h"

TEST(store_is_there_again)
{
    char dir[64];
    size_t n;
    struct tsdb_stats stats;

    make_dir(dir, "again");
    struct tsdb *db = open_dir(dir, 0, 0, NULL);
    for (int64_t k = 0; k < 30000; k++) { /* three and a half days */
        if (k % 97 == 0)
            CHECK_INT(tsdb_flush(db, NULL), ERR_OK);
        if (k % 311 == 0)
            CHECK_INT(tsdb_maintain(db, NULL), ERR_OK);
        if (k % 4001 == 4000) {
            tsdb_close(db);
            db = open_dir(dir, 0, 0, NULL);
            CHECK_INT(reach(db, 0, &n), k);
            CHECK_INT(n, k * SERIES);
        }
        CHECK_INT(add_step(db, k), ERR_OK);
    }
    CHECK_INT(tsdb_maintain(db, NULL), ERR_OK);
    tsdb_stats(db, &stats);
    ROW("segments %d", (int)stats.segments);
    CHECK(stats.segments >= 2 && stats.segments < 12); /* merged */
    CHECK_INT(reach(db, 0, &n), 30000);
    CHECK_INT(stats.samples + stats.segment_samples, n);
    CHECK(stats.segment_bytes < 4 * stats.segment_samples);
    tsdb_close(db);
    remove_dir(dir);
}

TEST(store_reads_parts_of_segments)
{
    char dir[64];
    struct samples s = {0};

    make_dir(dir, "parts");
    struct tsdb *db = open_dir(dir, 0, 0, NULL);
    for (int64_t k = 0; k < 3000; k++)
        CHECK_INT(add_step(db, k), ERR_OK);
    CHECK_INT(tsdb_maintain(db, NULL), ERR_OK);
    srand(3);
    uint32_t series = series_of(db, 1);
    for (int i = 0; i < 300; i++) {
        int64_t from = rand() % 3000, to = from + rand() % 1500;
        int64_t want = (to < 3000 ? to : 2999) - from + 1;
        CHECK_INT(tsdb_read(db, series, from * STEP, to * STEP, &s), ERR_OK);
        CHECK_INT(s.n, want);
        CHECK(s.n && s.t[0] == from * STEP);
        CHECK(tsdb_has_samples(db, series, from * STEP, to * STEP));
    }
    CHECK(!tsdb_has_samples(db, series, 3001 * STEP, 4000 * STEP));
    samples_fini(&s);
    tsdb_close(db);
    remove_dir(dir);
}

TEST(store_expires)
{
    char dir[64];
    size_t n;
    struct tsdb_stats stats;
    struct label gone[] = {{LABEL_NAME, STR("gone")}};
    struct matcher m;
    struct tsdb_found found;
    struct arena a;
    uint32_t series;

    make_dir(dir, "expires");
    struct tsdb *db = open_dir(dir, 10 * HOUR, 0, NULL);
    tsdb_write_begin(db);
    CHECK_INT(tsdb_series(db, (struct labels){gone, 1}, &series, NULL), ERR_OK);
    CHECK_INT(tsdb_append(db, series, 0, 1), ERR_OK);
    tsdb_write_end(db);
    for (int64_t k = 0; k < 10000; k++) {
        CHECK_INT(add_step(db, k), ERR_OK);
        if (k % 100 == 0)
            CHECK_INT(tsdb_maintain(db, NULL), ERR_OK);
    }
    tsdb_stats(db, &stats);
    CHECK_INT(stats.series, SERIES);
    CHECK(stats.segment_samples < SERIES * 12 * HOUR / STEP);
    arena_init(&a, 1 << 20);
    CHECK_INT(matcher_init(&m, MATCH_EQUAL, LABEL_NAME, STR("gone"), NULL),
              ERR_OK);
    CHECK_INT(tsdb_select(db, &m, 1, &a, &found, NULL), ERR_OK);
    CHECK_INT(found.n, 0);
    matcher_fini(&m);
    CHECK_INT(tsdb_labels(db, series, &a).n, 0);
    arena_fini(&a);
    CHECK_INT(reach(db, 9000, &n), 10000);
    tsdb_close(db);
    db = open_dir(dir, 0, 100, NULL); /* bytes */
    CHECK_INT(tsdb_maintain(db, NULL), ERR_OK);
    tsdb_stats(db, &stats);
    CHECK_INT(stats.segments, 0);
    CHECK_INT(reach(db, 9900, &n), 10000);
    tsdb_close(db);
    remove_dir(dir);
}

TEST(store_has_one_owner)
{
    char dir[64];
    struct tsdb_options o = {.dir = dir, .by_hand = true};
    struct tsdb *db, *other;
    struct err err;

    make_dir(dir, "owner");
    db = open_dir(dir, 0, 0, NULL);
    CHECK_INT(tsdb_open(&o, &other, &err), ERR_CONFLICT);
    tsdb_close(db);
    remove_dir(dir);
}

/* ---- killed ------------------------------------------------------------- */

static void child(const char *dir, int64_t k, int fd)
{
    struct tsdb *db = open_dir(dir, 0, 0, NULL);

    for (;; k++) {
        if (add_step(db, k))
            _exit(1);
        if (k % 10 == 0) {
            if (tsdb_flush(db, NULL) || write(fd, &k, sizeof(k)) < 0)
                _exit(1);
        }
        if (k % 50 == 0 && tsdb_maintain(db, NULL))
            _exit(1);
    }
}

TEST(store_is_killed)
{
    char dir[64];
    int64_t next = 0;
    size_t n;

    make_dir(dir, "killed");
    srand(11);
    for (int i = 0; i < 100; i++) {
        int ends[2];
        int64_t promised = next - 1, k;
        CHECK_INT(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            (void)close(ends[0]);
            child(dir, next, ends[1]);
        }
        (void)close(ends[1]);
        (void)usleep((useconds_t)(5000 + rand() % 40000));
        CHECK_INT(kill(pid, SIGKILL), 0);
        CHECK_INT(waitpid(pid, NULL, 0), pid);
        while (read(ends[0], &k, sizeof(k)) == sizeof(k))
            promised = k;
        (void)close(ends[0]);
        struct tsdb *db = open_dir(dir, 0, 0, NULL);
        next = reach(db, 0, &n);
        ROW("kill %d, %lld promised", i, (long long)promised);
        CHECK(next > promised);
        CHECK_INT(n, next * SERIES); /* a step is there or not */
        tsdb_close(db);
        if (next > 50000) {
            empty_dir(dir);
            next = 0;
        }
    }
    remove_dir(dir);
}
