#include "supervise/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"

enum {
    TEXT_MAX = 1 << 20,
    PERIOD_US = 100000,
    CLOSE_TRIES = 30,
    FILE_PATH_MAX = 4500
};

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool fine =
        fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        (void)close(fd);
    return fine;
}

static bool write_in(const struct cgroups *g, const char *name,
                     const char *file, const char *text)
{
    char path[FILE_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/stoker-%s-%s/%s", g->path, g->id,
                   name, file);
    return write_text(path, text);
}

/* Where cgroup v2 is mounted: a line of mountinfo (proc(5)) whose type, behind
 * " - ", is cgroup2. */
static bool find_mount(char *out, size_t max)
{
    struct buf b;
    bool found = false;

    buf_init(&b, TEXT_MAX);
    struct str rest = {0};
    if (!fs_read_pseudo("/proc/self/mountinfo", &b, NULL))
        rest = buf_str(&b);
    while (!found && rest.p && rest.n) {
        struct str line = str_cut(&rest, '\n'), word = STR("");
        const char *type = memmem(line.p, line.n, " - cgroup2 ", 11);
        for (int i = 0; type && i < 5; i++)
            word = str_cut(&line, ' ');
        found = type && word.n < max;
        if (found)
            (void)snprintf(out, max, STR_FMT, STR_ARG(word));
    }
    buf_fini(&b);
    return found;
}

/* Our group, from the line "0::/path" of /proc/self/cgroup. */
static bool find_self(char *out, size_t max)
{
    struct buf b;
    bool found = false;

    buf_init(&b, TEXT_MAX);
    struct str rest = {0};
    if (!fs_read_pseudo("/proc/self/cgroup", &b, NULL))
        rest = buf_str(&b);
    while (!found && rest.p && rest.n) {
        struct str line = str_cut(&rest, '\n');
        found = str_starts(line, STR("0::/"));
        if (found)
            (void)snprintf(out, max, STR_FMT,
                           STR_ARG(str_slice(line, 3, line.n)));
    }
    buf_fini(&b);
    return found;
}

/* Without the group of an earlier master, for one that is started again within
 * it. */
static void drop_self(char *path)
{
    static const char end[] = "-self";
    size_t n = strlen(path), m = sizeof(end) - 1;
    char *last = strrchr(path, '/');

    if (last && strncmp(last + 1, "stoker-", 7) == 0 && n > m &&
        strcmp(path + n - m, end) == 0)
        *last = '\0';
}

/* A group that hands controllers down must have no process of its own: we go
 * into one below. */
static void enable(struct cgroups *g)
{
    char path[FILE_PATH_MAX], self[32];

    (void)snprintf(self, sizeof(self), "%d", (int)getpid());
    (void)snprintf(path, sizeof(path), "%s/stoker-%s-self", g->path, g->id);
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        (void)snprintf(g->why, sizeof(g->why), "%.180s: %s", path,
                       strerror(errno));
        g->path[0] = '\0';
        return;
    }
    if (!write_in(g, "self", "cgroup.procs", self)) {
        (void)snprintf(g->why, sizeof(g->why), "cannot move to %.180s: %s",
                       path, strerror(errno));
        g->path[0] = '\0';
        return;
    }
    (void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", g->path);
    g->limits = write_text(path, "+memory") && write_text(path, "+cpu") &&
                write_text(path, "+pids");
    if (!g->limits)
        (void)snprintf(g->why, sizeof(g->why),
                       "memory, cpu and pids cannot be handed down in %.160s: "
                       "%s",
                       g->path, strerror(errno));
}

void cgroups_open(struct cgroups *g, const char *id)
{
    const char *given = getenv("STOKER_CGROUP");
    char mount[2048], self[2000];

    *g = (struct cgroups){.why = ""};
    (void)snprintf(g->id, sizeof(g->id), "%s", id);
    if (given && strcmp(given, "off") == 0) {
        (void)snprintf(g->why, sizeof(g->why), "STOKER_CGROUP is off");
    } else if (given) {
        (void)snprintf(g->path, sizeof(g->path), "%s", given);
        enable(g);
    } else if (!find_mount(mount, sizeof(mount)) ||
               !find_self(self, sizeof(self))) {
        (void)snprintf(g->why, sizeof(g->why), "there is no cgroup v2");
    } else {
        drop_self(self);
        (void)snprintf(g->path, sizeof(g->path), "%s%s", mount,
                       strcmp(self, "/") == 0 ? "" : self);
        enable(g);
    }
}

static bool set_limits(const struct cgroups *g, const char *name,
                       const struct process_spec *s)
{
    char text[64];
    bool fine = true;

    if (s->memory) {
        (void)snprintf(text, sizeof(text), "%lld", (long long)s->memory);
        fine = write_in(g, name, "memory.max", text);
        (void)write_in(g, name, "memory.swap.max", "0");
        (void)write_in(g, name, "memory.oom.group", "1");
    }
    if (s->cpus) {
        (void)snprintf(text, sizeof(text), "%lld %d",
                       (long long)(strtod(s->cpus, NULL) * PERIOD_US),
                       PERIOD_US);
        fine = write_in(g, name, "cpu.max", text) && fine;
    }
    if (s->tasks) {
        (void)snprintf(text, sizeof(text), "%lld", (long long)s->tasks);
        fine = write_in(g, name, "pids.max", text) && fine;
    }
    return fine;
}

enum errc cgroup_make(const struct cgroups *g, const char *name,
                      const struct process_spec *spec, int *fd, struct err *err)
{
    bool limited = spec->memory || spec->cpus || spec->tasks;
    char path[FILE_PATH_MAX];

    *fd = -1;
    if (limited && !g->limits)
        return err_set(err, ERR_UNAVAIL,
                       "limits need cgroup v2, with the right to make groups "
                       "(systemd: Delegate=yes): %s",
                       g->why);
    if (!g->path[0])
        return ERR_OK;
    (void)snprintf(path, sizeof(path), "%s/stoker-%s-%s", g->path, g->id, name);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return fs_error(err, "cannot make", path);
    if (!set_limits(g, name, spec))
        return err_set(err, ERR_UNAVAIL, "the limits cannot be set in %s: %s",
                       path, strerror(errno));
    (void)snprintf(path, sizeof(path), "%s/stoker-%s-%s/cgroup.procs", g->path,
                   g->id, name);
    *fd = open(path, O_WRONLY | O_CLOEXEC);
    return *fd >= 0 ? ERR_OK : fs_error(err, "cannot open", path);
}

void cgroup_kill(const struct cgroups *g, const char *name)
{
    if (g->path[0])
        (void)write_in(g, name, "cgroup.kill", "1"); /* Linux 5.14 */
}

static bool read_in(const struct cgroups *g, const char *name, const char *file,
                    struct buf *out)
{
    char path[FILE_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/stoker-%s-%s/%s", g->path, g->id,
                   name, file);
    return g->path[0] && !fs_read_pseudo(path, out, NULL);
}

uint64_t cgroup_oom_kills(const struct cgroups *g, const char *name)
{
    struct buf b;
    uint64_t n = 0;

    buf_init(&b, TEXT_MAX);
    struct str rest = {0};
    if (read_in(g, name, "memory.events", &b))
        rest = buf_str(&b);
    while (rest.p && rest.n) {
        struct str line = str_cut(&rest, '\n');
        if (str_eq(str_word(&line), STR("oom_kill")))
            (void)str_to_u64(str_word(&line), &n);
    }
    buf_fini(&b);
    return n;
}

int64_t cgroup_memory(const struct cgroups *g, const char *name)
{
    struct buf b;
    uint64_t n = 0;

    buf_init(&b, TEXT_MAX);
    bool fine =
        read_in(g, name, "memory.current", &b) &&
        str_to_u64(str_trim(str_slice(buf_str(&b), 0, b.n ? b.n - 1 : 0)), &n);
    buf_fini(&b);
    return fine ? (int64_t)n : -1;
}

void cgroup_remove(const struct cgroups *g, const char *name)
{
    char path[FILE_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/stoker-%s-%s", g->path, g->id, name);
    if (g->path[0])
        (void)rmdir(path);
}

void cgroups_close(struct cgroups *g)
{
    const struct timespec pause = {0, 10000000};
    char path[FILE_PATH_MAX], self[32];

    if (!g->path[0])
        return;
    (void)snprintf(self, sizeof(self), "%d", (int)getpid());
    (void)snprintf(path, sizeof(path), "%s/cgroup.procs", g->path);
    (void)write_text(path, self);
    /* Those that write the logs end when they have read all. */
    (void)snprintf(path, sizeof(path), "%s/stoker-%s-self", g->path, g->id);
    for (int i = 0; i < CLOSE_TRIES && rmdir(path) != 0 && errno == EBUSY; i++)
        (void)nanosleep(&pause, NULL);
    g->path[0] = '\0';
}
