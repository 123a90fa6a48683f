#include "unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise/death.h"
#include "supervise/log_read.h"
#include "supervise/logger.h"
#include "supervise/process.h"
#include "supervise/signals.h"

TEST(signals_have_names_and_numbers)
{
    static const struct {
        const char *text;
        int number;
    } cases[] = {{"TERM", SIGTERM}, {"SIGTERM", SIGTERM}, {"term", SIGTERM},
                 {"15", 15},        {"usr1", SIGUSR1},    {"", -1},
                 {"0", -1},         {"99999", -1},        {"TRM", -1},
                 {"15x", -1}};
    char name[32];

    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("%s", cases[i].text);
        CHECK(signal_number(cases[i].text) == cases[i].number);
    }
    for (int n = 1; n < 32; n++) {
        ROW("%d", n);
        const char *text = signal_name(n, name);
        CHECK(strncmp(text, "SIG", 3) != 0 || signal_number(text) == n);
    }
}

TEST(files_that_were_put_aside_have_a_number)
{
    static const struct {
        const char *file;
        uint64_t number;
        bool packed;
    } cases[] = {
        {"web-20261130T101500-000042.log", 42, false},
        {"web-20261130T101500-000042.log.gz", 42, true},
        {"web-20261130T101500-1234567.log", 1234567, false},
        {"web.log", 0, false},
        {"web-20261130T101500-000042.log.gz.part", 0, false},
        {"web-20261130T101500-x.log", 0, false},
        {"web-20261130T101500-.log", 0, false},
        {"web-2-20261130T101500-000042.log", 0, false}, /* of web-2 */
        {"webs-20261130T101500-000042.log", 0, false},
        {"web-", 0, false},
        {"", 0, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool packed = false;
        ROW("%s", cases[i].file);
        CHECK(log_number(cases[i].file, "web", &packed) == cases[i].number);
        CHECK(!cases[i].number || packed == cases[i].packed);
    }
}

TEST(deaths_are_written_and_found_again)
{
    const struct death deaths[] = {
        {.at_ns = INT64_C(1764479400000000000),
         .lived_ms = 12,
         .pid = 5,
         .cause = DEATH_ITSELF,
         .known = true,
         .status = 3 << 8,
         .settings_ms = -1},
        {.at_ns = INT64_C(1764479401000000000),
         .pid = 6,
         .cause = DEATH_OOM,
         .known = true,
         .status = SIGKILL,
         .settings_ms = 7},
        {.at_ns = INT64_C(1764479402000000000),
         .cause = DEATH_NO_START,
         .settings_ms = -1,
         .detail = "no \"such\" file"},
    };
    struct death back;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < COUNT(deaths); i++) {
        ROW("%zu", i);
        buf_puts(&b, "no JSON\n{\"service\":\"web\"}\n");
        death_put(&deaths[i], "web", &b);
        death_put(&deaths[0], "other", &b);
        CHECK(death_find(buf_str(&b), "web", &back));
        CHECK(back.at_ns == deaths[i].at_ns && back.pid == deaths[i].pid);
        CHECK(back.cause == deaths[i].cause && back.known == deaths[i].known);
        CHECK(back.status == deaths[i].status);
        CHECK(back.settings_ms == deaths[i].settings_ms);
        CHECK(strcmp(back.detail, deaths[i].detail) == 0);
    }
    CHECK(!death_find(buf_str(&b), "nobody", &back));
    buf_fini(&b);
}

TEST(specs_are_compared_and_kept)
{
    struct service_spec a = {.process = {.command = "a\x1f"
                                                    "b"},
                             .limit = 3};
    struct service_spec b = a;
    struct arena arena;
    char command[] = "a\x1f"
                     "b";

    arena_init(&arena, 1 << 16);
    b.process.command = command;
    CHECK(spec_equal(&a, &b));
    CHECK(spec_keep(&b, &arena));
    command[0] = 'x';
    CHECK(spec_equal(&a, &b) && b.process.command != command);
    b.limit = 4;
    CHECK(!spec_equal(&a, &b));
    b = a;
    b.ready_http = "http://x";
    CHECK(!spec_equal(&a, &b));
    b = a;
    b.outlives = true;
    CHECK(!spec_equal(&a, &b));
    arena_fini(&arena);
}

struct read_lines {
    char text[4096];
    size_t n;
};

static void on_line(void *ctx, struct str line)
{
    struct read_lines *r = ctx;

    r->n += (size_t)snprintf(r->text + r->n, sizeof(r->text) - r->n,
                             STR_FMT "|", STR_ARG(line));
}

static void put(const char *folder, const char *file, const char *text)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *f = fopen(path, "a");
    CHECK(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

/* What is put aside between two reads, once and twice, also in the middle of a
 * line and compressed at once. */
TEST(a_reader_goes_on_through_what_is_put_aside)
{
    char folder[] = "/tmp/stoker-unit-XXXXXX", command[400];
    struct read_lines got = {.n = 0};
    struct log_reader r;

    CHECK(mkdtemp(folder));
    const struct rotate_spec spec = {.directory = folder, .keep = 100};
    put(folder, "web.log", "1\n2\n");
    CHECK(!log_put_aside(folder, "web", NULL));
    put(folder, "web.log", "3\n4");
    log_reader_init(&r, folder, "web", 0, -1);
    CHECK(!log_reader_read(&r, on_line, &got, NULL));
    CHECK(strcmp(got.text, "1|2|3|") == 0);
    put(folder, "web.log", "4\n5\n");
    CHECK(!log_put_aside(folder, "web", NULL));
    put(folder, "web.log", "6\n");
    CHECK(!log_put_aside(folder, "web", NULL));
    log_tidy(&spec, "web");
    CHECK(!log_reader_read(&r, on_line, &got,
                           NULL)); /* there is no present one */
    CHECK(strcmp(got.text, "1|2|3|44|5|6|") == 0);
    put(folder, "web.log", "7\n");
    CHECK(!log_reader_read(&r, on_line, &got, NULL));
    CHECK(!log_reader_read(&r, on_line, &got, NULL));
    CHECK(strcmp(got.text, "1|2|3|44|5|6|7|") == 0);
    log_reader_fini(&r);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    CHECK(system(command) == 0);
}

TEST(a_process_and_all_that_came_from_it_is_found)
{
    static const char script[] = "sh\x1f-c\x1f"
                                 "setsid sleep 1000 & sleep 1000 & wait";
    const struct process_spec spec = {.command = script};
    char mark[MARK_MAX];
    struct process_start p = {
        .spec = &spec, .mark = mark, .output = -1, .cgroup = -1};
    struct err err = {0};
    pid_t pid;

    /* The tests of other builds run at the same time. */
    (void)snprintf(mark, sizeof(mark), "unit/%d", (int)getpid());
    CHECK(!process_start(&p, &pid, &err));
    uint64_t began = process_began(pid);
    CHECK(began > 0);
    unsigned n = 0;
    for (int i = 0; i < 500 && n < 3; i++, usleep(10000))
        n = process_tree(mark, pid, began, 0);
    CHECK(n == 3);
    CHECK(process_tree("unit/other", 0, 0, 0) == 0);
    CHECK(process_tree(mark, pid, began, SIGKILL) == 3);
    CHECK(waitpid(pid, NULL, 0) == pid);
    CHECK(process_began(pid) == 0);
    for (int i = 0; i < 500 && n; i++, usleep(10000))
        n = process_tree(mark, 0, began, 0);
    CHECK(n == 0);
    const struct process_spec none = {.command = "/no/such/program"};
    p.spec = &none;
    CHECK(process_start(&p, &pid, &err) == ERR_NOT_FOUND);
    CHECK(strstr(err.msg, "/no/such/program"));
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}
