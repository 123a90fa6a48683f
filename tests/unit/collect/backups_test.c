/* The age of backups: dates in names, and directories as they are found. */
#include "unit/unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/backups.h"

static time_t at(int year, int month, int day, int hour)
{
    struct tm t = {.tm_year = year - 1900,
                   .tm_mon = month - 1,
                   .tm_mday = day,
                   .tm_hour = hour,
                   .tm_isdst = -1};

    return mktime(&t);
}

TEST(a_date_in_a_name_bounds_the_time_of_change)
{
    time_t noon = at(2023, 11, 23, 12), year = at(2020, 1, 1, 0);
    static const char *const dated[] = {"model_backup_20231123",
                                        "20231123",
                                        "2023-11-23",
                                        "2023_11_23.tar.gz",
                                        "db-2023-11-23T03:00:00Z",
                                        "v12-20231123030000.tgz",
                                        "x1234567_20231123"};
    static const char *const undated[] = {
        "latest",      "20231323",        "99990101", "20231100", "2023-11_23",
        "1720231123x", "build-190001011", "2023112",  "2023-1-2", ""};

    for (size_t i = 0; i < COUNT(dated); i++) {
        ROW("%s", dated[i]);
        CHECK_INT(backup_time(dated[i], noon), noon);
        CHECK_INT(backup_time(dated[i], year), at(2023, 11, 23, 0));
        CHECK_INT(backup_time(dated[i], at(2023, 12, 24, 0)),
                  at(2023, 11, 24, 0) - 1);
    }
    for (size_t i = 0; i < COUNT(undated); i++) {
        ROW("%s", undated[i]);
        CHECK_INT(backup_time(undated[i], year), year);
    }
}

static void make(const char *dir, const char *name)
{
    char path[200];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    CHECK_INT(mkdir(path, 0700), 0);
}

TEST(directories_are_described)
{
    char dir[] = "/tmp/stoker-backups-XXXXXX", empty[64], command[80];
    char line[200];
    struct buf b;

    CHECK(mkdtemp(dir) != NULL);
    make(dir, "model_backup_20231122");
    make(dir, "model_backup_20231123");
    make(dir, ".20231124.partial");
    make(dir, "lost+found");
    make(dir, "empty");
    (void)snprintf(empty, sizeof(empty), "%s/empty", dir);
    const char *const paths[] = {dir, empty, "/no\n\"such"};
    const struct backup_dirs dirs = {paths, COUNT(paths)};
    /* "empty" has no date: its time of change is that of this test. */
    time_t now = time(NULL);
    buf_init(&b, 1 << 20);
    backups_collect(&dirs, &b);
    buf_putc(&b, '\0');
    (void)snprintf(line, sizeof(line),
                   "\nstoker_backup_entries{directory=\"%s\"} 3\n", dir);
    CHECK(strstr(b.p, line) != NULL);
    CHECK(strstr(b.p, "newest_timestamp_seconds{directory=\"/no\\n\\\"such\"} "
                      "0\n") != NULL);
    CHECK(strstr(b.p, "readable{directory=\"/no\\n\\\"such\"} 0\n") != NULL);
    CHECK(strstr(b.p, "/empty\"} 0\n") != NULL);
    CHECK(strstr(b.p, "/empty\"} 1\n") != NULL);
    (void)snprintf(line, sizeof(line),
                   "newest_timestamp_seconds{directory=\"%s\"} ", dir);
    const char *found = strstr(b.p, line);
    CHECK(found != NULL);
    double v = found ? strtod(found + strlen(line), NULL) : 0;
    CHECK(v >= (double)now - 5);
    buf_fini(&b);
    (void)snprintf(command, sizeof(command), "rm -r %s", dir);
    CHECK_INT(system(command), 0);
}
