#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup/backup.h"
#include "base/fs.h"
#include "fault.h"
#include "unit/unit.h"

/* ---- order --------------------------------------------------------------- */

TEST(entries_have_one_order)
{
    /* rising: a directory before what is in it, and that before its siblings */
    static const char *const rising[] = {"a",   "a/b", "a/b/c", "a/b-c", "a/bc",
                                         "a b", "a-b", "a.b",   "ab",    "b"};

    for (size_t i = 0; i < COUNT(rising); i++)
        for (size_t k = 0; k < COUNT(rising); k++) {
            int order = entry_compare(str_from_cstr(rising[i]),
                                      str_from_cstr(rising[k]));
            ROW("%s %s", rising[i], rising[k]);
            CHECK_INT((order > 0) - (order < 0), (i > k) - (i < k));
        }
    CHECK(entry_beneath(STR("a/b"), STR("a")));
    CHECK(!entry_beneath(STR("a"), STR("a")));
    CHECK(!entry_beneath(STR("ab/c"), STR("a")));
}

/* ---- which ones stay ------------------------------------------------------
 */

#define HOUR INT64_C(3600000000000)

/* Ages in hours before 2026-11-30 12:00 UTC, a Monday; the oldest first. */
static size_t kept(const int64_t *hours, size_t n, const struct keep_policy *p,
                   char *out)
{
    struct backup v[16] = {{.name = ""}};
    struct keep keep[16];
    struct backups all = {.v = v, .n = n};
    size_t stay = 0;

    for (size_t i = 0; i < n; i++)
        v[i] = (struct backup){
            .name = "x",
            .head = {.created_ns =
                         INT64_C(1796040000) * 1000000000 - hours[i] * HOUR,
                     .host = "h",
                     .tag = ""}};
    if (keep_choose(&all, p, keep, NULL) != ERR_OK)
        return 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = keep[i].keeps ? '+' : '-';
        stay += keep[i].keeps;
    }
    out[n] = '\0';
    return stay;
}

TEST(rules_of_retention)
{
    static const int64_t hours[] = {800, 400, 170, 60, 36, 14, 13, 1, 0};
    static const struct {
        const char *what;
        struct keep_policy policy;
        const char *want;
    } rows[] = {
        {"last", {.last = 3}, "------+++"},
        {"daily", {.daily = 2}, "------+-+"},
        {"daily, all there are", {.daily = 99}, "++++--+-+"},
        {"weekly", {.weekly = 2}, "------+-+"},
        {"monthly", {.monthly = 2}, "+-------+"},
        {"yearly", {.yearly = 5}, "--------+"},
        {"hourly", {.hourly = 2}, "-------++"},
        {"within a day", {.within_ns = 24 * HOUR}, "-----++++"},
        {"both", {.last = 1, .within_ns = 2 * HOUR}, "-------++"},
    };

    (void)setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char got[32] = "";
        ROW("%s", rows[i].what);
        CHECK(kept(hours, COUNT(hours), &rows[i].policy, got) > 0);
        CHECK_STR(str_from_cstr(got), rows[i].want);
    }
    struct keep none[1];
    struct backups empty = {.n = 0};
    CHECK_INT(keep_choose(&empty, &(struct keep_policy){.last = 0}, none, NULL),
              ERR_INVALID);
}

/* ---- without memory -------------------------------------------------------
 */

static void ignore_note(void *ctx, struct str path, const char *what)
{
    (void)ctx;
    (void)path;
    (void)what;
}

static void ignore_placed(void *ctx, const char *path, const char *old)
{
    (void)ctx;
    (void)path;
    (void)old;
}

static const struct backup_told told = {.note = ignore_note};

static void make_tree(const char *top, char *tree, size_t max)
{
    char path[300];

    (void)snprintf(tree, max, "%s/tree", top);
    CHECK(mkdir(tree, 0755) == 0);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/f%d", tree, i);
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        CHECK(fd >= 0 && fs_write_all(fd, path, 50));
        (void)close(fd);
    }
    (void)snprintf(path, sizeof(path), "%s/link", tree);
    CHECK(symlink("f1", path) == 0);
}

/* All that is listed is whole. */
static size_t check_all(const char *repo)
{
    struct store s;
    struct arena a;
    struct backups all = {.n = 0};
    struct twins seen;

    twins_init(&seen);
    arena_init(&a, 16 << 20);
    CHECK_INT(store_open(repo, true, &s, NULL), ERR_OK);
    CHECK_INT(store_list(&s, &a, &all, NULL), ERR_OK);
    for (size_t i = 0; i < all.n; i++) {
        struct verified v;
        CHECK_INT(backup_verify(&s, all.v[i].name, 1, &seen, &told, &v, NULL),
                  ERR_OK);
    }
    store_close(&s);
    arena_fini(&a);
    twins_fini(&seen);
    return all.n;
}

TEST(without_memory_nothing_is_lost)
{
    char top[] = "/tmp/backup_test.XXXXXX", tree[200], repo[200], out[200];
    const char *sources[] = {tree};
    struct create_options create = {.sources = sources,
                                    .n = 1,
                                    .repo = repo,
                                    .name = "b",
                                    .created_ns = 1796040000000000000};
    struct restore_options restore = {
        .repo = repo, .name = "b", .to = out, .force = true, .now_ns = 1};
    char made[250];
    long restored = 0;
    enum errc rc;

    CHECK(mkdtemp(top) != NULL);
    make_tree(top, tree, sizeof(tree));
    (void)snprintf(repo, sizeof(repo), "%s/repo", top);
    (void)snprintf(out, sizeof(out), "%s/out", top);
    (void)snprintf(made, sizeof(made), "%s/b", repo);
    FAULT_LOOP (n) {
        struct created c;
        rc = backup_create(&create, &told, &c, NULL);
        CHECK(rc || remove_tree(AT_FDCWD, made)); /* which takes no memory */
    }
    CHECK_INT(rc, ERR_OK); /* of the last, which had memory */
    struct created whole;
    CHECK_INT(backup_create(&create, &told, &whole, NULL), ERR_OK);
    CHECK_INT(check_all(repo), 1);
    FAULT_LOOP (n) {
        struct restored r;
        restore.now_ns += INT64_C(1000000000);
        rc = backup_restore(&restore, &told, ignore_placed, &r, NULL);
        restored += rc == ERR_OK;
    }
    CHECK_INT(rc, ERR_OK);
    CHECK(restored > 0);
    CHECK_INT(check_all(repo), 1);
    CHECK(remove_tree(AT_FDCWD, top));
}
