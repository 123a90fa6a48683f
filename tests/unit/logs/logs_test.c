#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "codec/number.h"
#include "logs/book.h"
#include "logs/clean.h"
#include "logs/follow.h"
#include "logs/line.h"
#include "logs/ship_internal.h"
#include "unit/unit.h"

/* ---- lines -------------------------------------------------------------- */

static const char access_line[] =
    "{\"@timestamp\":\"2026-11-25T12:00:00.000Z\",\"log.level\":\"error\","
    "\"http.request.id\":\"abc\",\"stoker.model\":\"mlp\"}"
    "                ";
static const char event_line[] =
    "{\"log.level\":\"info\",\"message\":\"model=mlp version=1\"}"
    "                ";
static const char other_line[] = "plain words                ";

TEST(dates_in_names)
{
    static const struct {
        const char *name;
        int64_t day; /* the end of it, in days since 1970, UTC; 0: none */
    } rows[] = {
        {"app-2026-11-23.log", 20781},
        {"app_20261123.log", 20781},
        {"2026.11.23", 20781},
        {"a2026_11_23_x.log.gz", 20781},
        {"app-20261123103000.log", 20781},
        {"app-202611231030.log", 20781},
        {"app-2024-02-29.log", 19783},
        {"app-2026-12-31", 20819},
        {"app-2026-02-29.log", 0},
        {"app-2026-11-31.log", 0},
        {"app-2026-13-01.log", 0},
        {"app-2026-00-10.log", 0},
        {"app-2026-11.23.log", 0},
        {"app-1202611230.log", 0},
        {"app-202611231.log", 0},
        {"app-0000-11-23.log", 0},
        {"app.log", 0},
        {"", 0},
        {"2026", 0},
        {"202611", 0},
        {"x-99999999-2026-11-23", 20781},
    };

    (void)setenv("TZ", "UTC", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ns = 0;
        ROW("%s", rows[i].name);
        bool any = clean_date(str_from_cstr(rows[i].name), &ns);
        CHECK(any == (rows[i].day != 0));
        CHECK_INT(ns / INT64_C(86400000000000), rows[i].day);
    }
}

TEST(lines_are_found_by_what_they_say)
{
    static const struct {
        struct line_filter filter;
        bool access, event, other;
    } cases[] = {
        {{.least = LOG_DEBUG}, true, true, true},
        {{.least = LOG_INFO}, true, true, true},
        {{.least = LOG_WARN}, true, false, false},
        {{.model = STR_INIT("mlp")}, true, true, false},
        {{.model = STR_INIT("ml")}, false, false, false},
        {{.request_id = STR_INIT("abc")}, true, false, false},
        {{.request_id = STR_INIT("mlp")}, false, false, false},
        {{.contains = STR_INIT("words")}, false, false, true},
        {{.least = LOG_ERROR, .model = STR_INIT("mlp")}, true, false, false},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%zu", i);
        CHECK_INT(line_matches(str_trim(str_from_cstr(access_line)),
                               &cases[i].filter),
                  cases[i].access);
        CHECK_INT(
            line_matches(str_trim(str_from_cstr(event_line)), &cases[i].filter),
            cases[i].event);
        CHECK_INT(
            line_matches(str_trim(str_from_cstr(other_line)), &cases[i].filter),
            cases[i].other);
    }
}

/* ---- the book ----------------------------------------------------------- */

struct told {
    uint64_t n, first;
    bool wrong;
};

/* Line i is "i" as often as its length says. */
static void make_line(uint64_t i, char *out, size_t *n)
{
    *n = 1 + (size_t)(i * 2654435761u % 3000);
    for (size_t k = 0; k < *n; k++)
        out[k] = (char)('a' + i % 26);
    *n += (size_t)snprintf(out + *n, 32, " %llu", (unsigned long long)i);
}

static void see(void *ctx, struct str line)
{
    struct told *t = ctx;
    char want[4096];
    size_t n;

    make_line(t->first + t->n++, want, &n);
    t->wrong |= !str_eq(line, (struct str){want, n});
}

TEST(the_newest_lines_are_kept_whole_and_in_order)
{
    struct book *b;
    struct err err;
    char line[4096];
    uint64_t lost;
    size_t n;

    CHECK_INT(book_new(1, &b, &err), ERR_OK);
    for (uint64_t i = 0; i < 5000; i++) {
        make_line(i, line, &n);
        book_add(b, (struct str){line, n});
        struct told all = {0};
        (void)book_read(b, i + 1, see, &all, &lost); /* nothing is newer */
        CHECK_INT(all.n, 0);
        CHECK_INT(lost, 0);
        if (i % 7)
            continue;
        struct told t = {0};
        CHECK_INT(book_read(b, 0, see, &(struct told){0}, &lost), i + 1);
        t.first = lost;
        CHECK_INT(book_read(b, 0, see, &t, &lost), i + 1);
        CHECK(!t.wrong);
        CHECK_INT(t.n + lost, i + 1);
        CHECK(i < 20 || t.n > 20); /* of 64 KiB, most is used */
    }
    book_free(b);
}

static void count(void *ctx, struct str line)
{
    *(size_t *)ctx = line.n;
}

TEST(a_line_that_is_too_long_is_cut)
{
    static char line[3 * LINE_BYTES_MAX];
    struct book *b;
    struct err err;
    uint64_t lost;
    size_t n = 0;

    memset(line, 'x', sizeof(line));
    CHECK_INT(book_new(1, &b, &err), ERR_OK);
    for (int i = 0; i < 10; i++)
        book_add(b, (struct str){line, sizeof(line)});
    CHECK_INT(book_read(b, 9, count, &n, &lost), 10);
    CHECK_INT(n, LINE_BYTES_MAX);
    book_free(b);
}

/* ---- files -------------------------------------------------------------- */

static char dir[64];

static void make_dir(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/stoker-logs.XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
}

static enum errc remove_one(void *ctx, const char *name)
{
    char path[400];

    (void)ctx;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    (void)unlink(path);
    return ERR_OK;
}

static void remove_dir(void)
{
    CHECK_INT(fs_list(dir, remove_one, NULL, NULL), ERR_OK);
    CHECK_INT(rmdir(dir), 0);
}

static const char *in_dir(const char *name)
{
    static char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void append(const char *name, const char *text)
{
    int fd = open(in_dir(name), O_WRONLY | O_APPEND | O_CREAT, 0600);

    CHECK(fd >= 0 && fs_write_all(fd, text, strlen(text)));
    (void)close(fd);
}

static void gather(void *ctx, struct str line)
{
    buf_put(ctx, line);
    buf_putc(ctx, '|');
}

static void check_follow(struct follow *f, const char *want)
{
    struct buf got;

    buf_init(&got, 4096);
    while (follow_read(f, gather, &got))
        ;
    CHECK_STR(buf_str(&got), want);
    buf_fini(&got);
}

TEST(a_file_is_followed_through_its_rotation)
{
    char path[400];
    struct follow f;

    make_dir();
    (void)snprintf(path, sizeof(path), "%s", in_dir("a.log"));
    append("a.log", "old\n");
    follow_init(&f, path);
    check_follow(&f, "");
    append("a.log", "one\ntw");
    check_follow(&f, "one|");
    append("a.log", "o\nthree\n");
    (void)!rename(path, in_dir("a.log.1"));
    append("a.log", "four\n");
    check_follow(&f, "two|three|four|");
    CHECK_INT(truncate(path, 0), 0);
    append("a.log", "5\n");
    check_follow(&f, "5|");
    (void)unlink(path);
    check_follow(&f, "");
    append("a.log", "six\n");
    check_follow(&f, "six|");
    follow_fini(&f);
    remove_dir();
}

/* ---- the queue ---------------------------------------------------------- */

static struct queue *queue_of(uint64_t max)
{
    struct queue *q = NULL;
    struct err err = {0};

    CHECK_INT(queue_open(dir, max, &q, &err), ERR_OK);
    return q;
}

static bool next_batch(struct queue *q, size_t max, bool done, struct buf *out)
{
    struct queue_place place;

    buf_clear(out);
    bool any = queue_peek(q, max, out, &place);
    if (any && done)
        queue_done(q, place, out->n);
    return any;
}

TEST(what_is_put_in_comes_out_once_and_in_order)
{
    char line[4096];
    struct buf out, all, want;
    size_t n;
    uint64_t i = 0;

    make_dir();
    buf_init(&out, 1 << 20);
    buf_init(&all, 64u << 20);
    buf_init(&want, 64u << 20);
    for (int round = 0; round < 8; round++) { /* as many processes */
        struct queue *q = queue_of(1u << 30);
        for (int k = 0; k < 500; k++, i++) {
            make_line(i, line, &n);
            queue_put(q, (struct str){line, n});
            buf_put(&want, (struct str){line, n});
            buf_putc(&want, '\n');
        }
        queue_flush(q);
        for (int k = 0; k < 5 && next_batch(q, 100000, true, &out); k++)
            buf_put(&all, buf_str(&out));
        CHECK(next_batch(q, 100000, false, &out)); /* is not taken */
        queue_close(q);
    }
    struct queue *q = queue_of(1u << 30);
    while (next_batch(q, 100000, true, &out))
        buf_put(&all, buf_str(&out));
    CHECK(str_eq(buf_str(&all), buf_str(&want)));
    struct queue_stats stats;
    queue_stats(q, &stats);
    CHECK_INT(stats.dropped, 0);
    queue_close(q);
    buf_fini(&out);
    buf_fini(&all);
    buf_fini(&want);
    remove_dir();
}

TEST(when_it_is_full_the_oldest_go_and_are_counted)
{
    struct queue_stats stats;
    char line[4096];
    struct buf out;
    uint64_t got = 0, i;
    size_t n;

    make_dir();
    struct queue *q = queue_of(4u << 20);
    for (i = 0; i < 10000; i++) {
        make_line(i, line, &n);
        queue_put(q, (struct str){line, n});
        if (i % 100 == 0)
            queue_flush(q);
    }
    queue_flush(q);
    queue_stats(q, &stats);
    CHECK(stats.dropped > 0);
    CHECK(stats.bytes <= 5u << 20);
    buf_init(&out, 1 << 20);
    while (next_batch(q, 500000, true, &out))
        for (size_t k = 0; k < out.n; k++)
            got += out.p[k] == '\n';
    CHECK_INT(got + stats.dropped, i);
    queue_stats(q, &stats);
    CHECK_INT(stats.bytes, 0);
    buf_fini(&out);
    queue_close(q);
    remove_dir();
}

TEST(half_a_line_of_a_process_that_was_killed_is_left_out)
{
    struct buf out;

    make_dir();
    struct queue *q = queue_of(1u << 30);
    queue_put(q, STR("one"));
    queue_flush(q);
    queue_close(q);
    append("queue-0000000001", "tw");
    q = queue_of(1u << 30);
    queue_put(q, STR("three"));
    queue_flush(q);
    buf_init(&out, 1 << 20);
    CHECK(next_batch(q, 1000, true, &out));
    CHECK_STR(buf_str(&out), "one\n");
    CHECK(next_batch(q, 1000, true, &out));
    CHECK_STR(buf_str(&out), "three\n");
    CHECK(!next_batch(q, 1000, true, &out));
    buf_fini(&out);
    queue_close(q);
    remove_dir();
}

/* ---- receivers ---------------------------------------------------------- */

static void check_answer(const char *answer, size_t left, uint64_t refused)
{
    struct ship_line v[3] = {{STR("a"), 0}, {STR("b"), 2}, {STR("c"), 4}};
    struct ship_batch b = {.v = v, .n = 3};
    struct err why = {0};
    uint64_t failed = 0;

    ROW("%s", answer);
    receiver_elasticsearch.judge(&b, str_from_cstr(answer), &failed, &why);
    CHECK_INT(b.n, left);
    CHECK_INT(failed, refused);
    if (left == 1)
        CHECK_STR(v[0].text, "b");
}

TEST(elasticsearch_answers_for_every_line)
{
    check_answer("{\"errors\":false,\"items\":[]}", 0, 0);
    check_answer("not json", 0, 0);
    check_answer("{\"errors\":true,\"items\":[{\"create\":{\"status\":201}},"
                 "{\"create\":{\"status\":429}},{\"create\":{\"status\":400,"
                 "\"error\":{\"reason\":\"mapper\"}}}]}",
                 1, 1);
    check_answer(
        "{\"errors\":true,\"items\":[{\"create\":{\"status\":409}},"
        "{\"create\":{\"status\":503}},{\"create\":{\"status\":201}}]}",
        1, 0);
}
