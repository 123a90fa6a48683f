#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "codec/json_tree.h"
#include "daemon/master_internal.h"

enum { STATE_MAX = 1 << 20, DEATHS_MAX = 1 << 20, PATH_BYTES = 4200 };

static bool outlives(const struct master *m)
{
    for (const struct unit *u = m->supervisor.units; u; u = u->next)
        if (u->spec.outlives)
            return true;
    return false;
}

static void put_unit(const struct unit *u, bool first, struct buf *b)
{
    const struct run *r = unit_main(u);

    buf_put_field(
        b, first ? "{\"name\":" : ",\n{\"name\":", str_from_cstr(u->name));
    buf_printf(b, ",\"pid\":%d,\"began\":%llu,\"ready\":%s}", (int)r->pid,
               (unsigned long long)r->began,
               r->phase == RUN_READY ? "true" : "false");
}

/* Only what outlives us is of interest to the next one. */
void master_remember(struct master *m)
{
    char path[PATH_BYTES], temporary[PATH_BYTES];
    struct buf b;
    bool first = true;

    if (m->control.fd < 0 || !outlives(m))
        return;
    (void)snprintf(path, sizeof(path), "%s/state.json", m->control.path);
    (void)snprintf(temporary, sizeof(temporary), "%s/state.new",
                   m->control.path);
    buf_init(&b, STATE_MAX);
    buf_puts(&b, "[");
    for (const struct unit *u = m->supervisor.units; u; u = u->next) {
        if (!u->spec.outlives || !unit_main(u))
            continue;
        put_unit(u, first, &b);
        first = false;
    }
    buf_puts(&b, "]\n");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && fs_write_all(fd, b.p, b.n))
        (void)!fs_publish(fd, temporary, path, NULL);
    else if (fd >= 0)
        (void)close(fd);
    buf_fini(&b);
}

static void adopt(struct master *m, const struct json_node *n)
{
    char name[UNIT_NAME_MAX];
    struct str text = json_str_or(json_get(n, "name"), "");

    (void)snprintf(name, sizeof(name), STR_FMT, STR_ARG(text));
    struct unit *u = supervisor_find(&m->supervisor, name);
    if (!u || unit_is_own(u) || !u->spec.outlives)
        return;
    int64_t now = clock_mono_ns();
    bool ready = json_bool_or(json_get(n, "ready"), false);
    const struct run was = {.pid = (pid_t)json_i64_or(json_get(n, "pid"), 0),
                            .began =
                                (uint64_t)json_i64_or(json_get(n, "began"), 0),
                            .phase = ready ? RUN_READY : RUN_STARTING,
                            .started_ns = now,
                            .deadline_ns = now + u->spec.ready_timeout};
    unit_adopt(u, &was, false);
    if (unit_main(u))
        log_event(LOG_INFO, "service.adopted", "service=%s pid=%d", u->name,
                  (int)unit_main(u)->pid);
}

void master_adopt(struct master *m)
{
    char path[PATH_BYTES];
    struct arena a;
    struct buf b;

    if (m->control.fd < 0)
        return;
    (void)snprintf(path, sizeof(path), "%s/state.json", m->control.path);
    arena_init(&a, STATE_MAX * 8);
    buf_init(&b, STATE_MAX);
    if (!fs_read(path, &b, NULL)) {
        const struct json_node *all = json_tree_copy(buf_str(&b), &a, NULL);
        for (size_t i = 0; all && i < all->n; i++)
            adopt(m, json_at(all, i));
    }
    buf_fini(&b);
    arena_fini(&a);
}

/* Beyond its size the file is put aside, once. */
void master_record(struct master *m, const struct unit *u)
{
    char path[PATH_BYTES], old[PATH_BYTES];
    struct stat st;
    struct buf b;

    if (m->control.fd < 0)
        return;
    (void)snprintf(path, sizeof(path), "%s/deaths.jsonl", m->control.path);
    (void)snprintf(old, sizeof(old), "%s/deaths.old.jsonl", m->control.path);
    if (stat(path, &st) == 0 && st.st_size > DEATHS_MAX)
        (void)rename(path, old);
    buf_init(&b, STATE_MAX);
    struct death d = u->last;
    d.settings_ms = m->reload.applied_ns
                        ? (clock_mono_ns() - m->reload.applied_ns) / 1000000
                        : -1;
    death_put(&d, u->name, &b);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || !fs_write_all(fd, b.p, b.n))
        log_event(LOG_WARN, "server.trouble", "%s: %s", path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    buf_fini(&b);
}
