#include "daemon/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/json_tree.h"
#include "daemon/master_internal.h"

#define FACTS "STOKER_TAKEOVER"
#define BACK  "STOKER_TAKEOVER_BACK"

enum { FACTS_MAX = 4 << 20 };

/* ---- the old one ---------------------------------------------------- */

static void keep_open(int fd, bool on)
{
    if (fd > 2)
        (void)fcntl(fd, F_SETFD, on ? 0 : FD_CLOEXEC);
}

static void keep_all(struct master *m, bool on)
{
    const int fds[] = {m->fds[0], m->fds[1], m->logs[0], m->logs[1],
                       m->control.lock};

    for (size_t i = 0; i < COUNT(fds); i++)
        keep_open(fds[i], on);
    if (m->master->log) {
        keep_open(m->master->log->from, on);
        keep_open(m->master->log->to, on);
    }
    for (struct unit *u = m->supervisor.units; u; u = u->next) {
        keep_open(u->logger.from, on);
        keep_open(u->logger.to, on);
        keep_open(u->notify.fd, on);
    }
}

static void put_run(const struct run *r, bool first, struct buf *b)
{
    buf_printf(b,
               "%s{\"pid\":%d,\"began\":%llu,\"ready\":%s,\"ending\":%s,"
               "\"started_ns\":%lld,\"deadline_ns\":%lld}",
               first ? "" : ",", (int)r->pid, (unsigned long long)r->began,
               r->ready_ns ? "true" : "false",
               r->phase == RUN_ENDING ? "true" : "false",
               (long long)r->started_ns, (long long)r->deadline_ns);
}

static void put_unit(const struct unit *u, bool first, struct buf *b)
{
    bool first_run = true;

    buf_put_field(
        b, first ? "{\"name\":" : ",\n{\"name\":", str_from_cstr(u->name));
    buf_printf(b,
               ",\"wanted\":%s,\"restarts\":%llu,\"log_pid\":%d,"
               "\"log_from\":%d,\"log_to\":%d,\"notify\":%d",
               u->wanted ? "true" : "false", (unsigned long long)u->restarts,
               (int)u->logger.pid, u->logger.from, u->logger.to, u->notify.fd);
    buf_put_field(b, ",\"notify_name\":", str_from_cstr(u->notify_name));
    buf_puts(b, ",\"runs\":[");
    for (size_t i = 0; i < UNIT_RUNS; i++)
        if (u->runs[i].phase != RUN_NONE) {
            put_run(&u->runs[i], first_run, b);
            first_run = false;
        }
    buf_puts(b, "]}");
}

static void put_facts(const struct master *m, struct buf *b)
{
    const struct logger *log = m->master->log;
    bool first = true;

    buf_printf(b,
               "{\"generation\":%u,\"started_ns\":%lld,\"http\":%d,"
               "\"monitor\":%d,\"logs_in\":%d,\"logs_out\":%d,\"lock\":%d,"
               "\"log_pid\":%d,\"log_from\":%d,\"log_to\":%d,\"units\":[",
               m->generation + 1, (long long)m->started_ns, m->fds[0],
               m->fds[1], m->logs[0], m->logs[1], m->control.lock,
               log ? (int)log->pid : 0, log ? log->from : -1,
               log ? log->to : -1);
    for (const struct unit *u = m->supervisor.units; u; u = u->next) {
        put_unit(u, first, b);
        first = false;
    }
    buf_puts(b, "]}");
}

static void set_number(const char *name, int fd)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%d", fd);
    (void)setenv(name, text, 1);
}

static bool is_starting(const struct master *m)
{
    for (const struct unit *u = m->supervisor.units; u; u = u->next)
        for (size_t i = 0; i < UNIT_RUNS; i++)
            if (unit_is_own(u) && u->runs[i].phase == RUN_STARTING)
                return true;
    return false;
}

enum errc takeover_give(struct master *m, const char *program, struct err *err)
{
    if (is_starting(m))
        return err_set(err, ERR_BUSY, "a process of it is just starting");
    int facts = memfd_create("stoker-takeover", 0);
    int self = open("/proc/self/exe", O_RDONLY);
    struct buf b;

    buf_init(&b, FACTS_MAX);
    put_facts(m, &b);
    bool fine =
        facts >= 0 && self >= 0 && !b.failed && fs_write_all(facts, b.p, b.n);
    buf_fini(&b);
    if (fine) {
        log_event(LOG_INFO, "server.upgrading", "program=%s", program);
        set_number(FACTS, facts);
        set_number(BACK, self);
        keep_all(m, true);
        (void)execv(program, m->master->args);
        int e = errno;
        keep_all(m, false);
        (void)unsetenv(FACTS);
        (void)unsetenv(BACK);
        errno = e;
    }
    enum errc rc = errc_from_errno(errno ? errno : EIO);
    err_record(err, rc, "cannot become '%s': %s", program, strerror(errno));
    if (facts >= 0)
        (void)close(facts);
    if (self >= 0)
        (void)close(self);
    return rc;
}

/* ---- the new one ---------------------------------------------------- */

static int number_of(const char *name)
{
    const char *text = getenv(name);

    return text ? (int)strtol(text, NULL, 10) : -1;
}

bool takeover_is_on(void)
{
    return number_of(FACTS) > 2;
}

void takeover_back(char **argv)
{
    int old = number_of(BACK);

    if (old > 2)
        (void)fexecve(old, argv, environ);
}

/* The numbers are ours alone: services must not see them. */
static void forget(void)
{
    const int fds[] = {number_of(FACTS), number_of(BACK)};

    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] > 2)
            (void)close(fds[i]);
    (void)unsetenv(FACTS);
    (void)unsetenv(BACK);
}

const struct json_node *takeover_read(struct arena *a)
{
    int fd = number_of(FACTS);
    const struct json_node *facts = NULL;
    struct buf b;

    if (fd <= 2)
        return NULL;
    buf_init(&b, FACTS_MAX);
    for (off_t at = 0;;) {
        char *p = buf_reserve(&b, 65536);
        ssize_t n = p ? pread(fd, p, 65536, at) : -1;
        if (n <= 0)
            break;
        b.n += (size_t)n;
        at += n;
    }
    facts = json_tree_copy(buf_str(&b), a, NULL);
    buf_fini(&b);
    return facts;
}

static int fd_of(const struct json_node *n, const char *key)
{
    int fd = (int)json_i64_or(json_get(n, key), -1);

    keep_open(fd, false);
    return fd;
}

void takeover_take_sockets(struct master *m, const struct json_node *facts)
{
    m->generation = (unsigned)json_i64_or(json_get(facts, "generation"), 1);
    m->started_ns = json_i64_or(json_get(facts, "started_ns"), m->started_ns);
    m->fds[0] = fd_of(facts, "http");
    m->fds[1] = fd_of(facts, "monitor");
    m->logs[0] = fd_of(facts, "logs_in");
    m->logs[1] = fd_of(facts, "logs_out");
    m->control.lock = fd_of(facts, "lock");
    if (m->master->log)
        *m->master->log = (struct logger){
            .pid = (pid_t)json_i64_or(json_get(facts, "log_pid"), 0),
            .from = fd_of(facts, "log_from"),
            .to = fd_of(facts, "log_to")};
}

static void take_unit(struct unit *u, const struct json_node *n)
{
    const struct json_node *runs = json_get(n, "runs");
    struct str name = json_str_or(json_get(n, "notify_name"), "");

    u->wanted = json_bool_or(json_get(n, "wanted"), true);
    u->restarts = (uint64_t)json_i64_or(json_get(n, "restarts"), 0);
    u->logger =
        (struct logger){.pid = (pid_t)json_i64_or(json_get(n, "log_pid"), 0),
                        .from = fd_of(n, "log_from"),
                        .to = fd_of(n, "log_to")};
    (void)snprintf(u->notify_name, sizeof(u->notify_name), STR_FMT,
                   STR_ARG(name));
    unit_take_notify(u, fd_of(n, "notify"));
    for (size_t i = 0; runs && i < runs->n; i++) {
        const struct json_node *r = json_at(runs, i);
        const struct run was = {
            .pid = (pid_t)json_i64_or(json_get(r, "pid"), 0),
            .began = (uint64_t)json_i64_or(json_get(r, "began"), 0),
            .phase = json_bool_or(json_get(r, "ending"), false)  ? RUN_ENDING
                     : json_bool_or(json_get(r, "ready"), false) ? RUN_READY
                                                                 : RUN_STARTING,
            .asked = DEATH_REPLACED,
            .started_ns = json_i64_or(json_get(r, "started_ns"), 0),
            .deadline_ns = json_i64_or(json_get(r, "deadline_ns"), 0)};
        unit_adopt(u, &was, true);
    }
    u->replace = unit_is_own(u) && unit_is_up(u);
}

void takeover_take_units(struct master *m, const struct json_node *facts)
{
    const struct json_node *units = json_get(facts, "units");

    for (size_t i = 0; units && i < units->n; i++) {
        const struct json_node *n = json_at(units, i);
        char name[UNIT_NAME_MAX];
        (void)snprintf(name, sizeof(name), STR_FMT,
                       STR_ARG(json_str_or(json_get(n, "name"), "")));
        struct unit *u = supervisor_find(&m->supervisor, name);
        if (u)
            take_unit(u, n);
        else
            log_event(LOG_WARN, "service.trouble",
                      "service=%s is not in stoker.yaml any more; it ends with "
                      "Stoker",
                      name);
    }
    m->announced = true;
    forget();
    log_event(LOG_INFO, "server.upgraded", "version=%s pid=%d", STOKER_VERSION,
              (int)getpid());
}
