#include "supervise/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/str.h"

enum {
    MEMORY_MAX = 16 << 20,
    ENVIRON_MAX = 4 << 20,
    GROUPS_MAX = 256,
    PIDS_MAX = 65536,
};

/* What the new process needs, made before there is one. */
struct prepared {
    struct arena arena;
    char **argv, **env;
    const char *directory;
    bool has_user;
    uid_t uid;
    gid_t gid, groups[GROUPS_MAX];
    int n_groups;
};

/* ---- lists of words ---------------------------------------------------------
 */

struct words {
    struct arena *arena;
    char **v;
    size_t n, cap;
    bool failed;
};

static void word_add(struct words *w, struct str text)
{
    char *copy = arena_cstr(w->arena, text);

    if (!copy || !arena_grow(w->arena, &w->v, w->n, &w->cap, sizeof(*w->v)))
        w->failed = true;
    else
        w->v[w->n++] = copy;
}

/* With a NULL behind the last; NULL: no memory. */
static char **words_end(struct words *w)
{
    w->failed |= !arena_grow(w->arena, &w->v, w->n, &w->cap, sizeof(*w->v));
    return w->failed ? NULL : w->v;
}

static void words_add(struct words *w, const char *list)
{
    struct str rest = str_from_cstr(list ? list : "");

    while (rest.p && (rest.n || (list && list[0])))
        word_add(w, str_cut(&rest, SPEC_SEPARATOR));
}

/* NAME=VALUE takes the place of an earlier one of that name. */
static void env_add(struct words *w, struct str pair)
{
    struct str rest = pair, name = str_cut(&rest, '=');

    for (size_t i = 0; i < w->n; i++)
        if (strncmp(w->v[i], name.p, name.n) == 0 && w->v[i][name.n] == '=') {
            w->v[i] = arena_cstr(w->arena, pair);
            w->failed |= !w->v[i];
            return;
        }
    if (name.n && rest.p)
        word_add(w, pair);
}

/* NAME=VALUE a line; blank lines and those with '#' in front are none. A value
 * may stand in quotes. */
static enum errc env_file(struct words *w, const char *path, struct err *err)
{
    struct buf text, pair;

    buf_init(&text, ENVIRON_MAX);
    buf_init(&pair, ENVIRON_MAX);
    enum errc rc = fs_read(path, &text, err);
    struct str rest = buf_str(&text);
    while (!rc && rest.p && rest.n) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!line.n || line.p[0] == '#')
            continue;
        struct str value = line, name = str_cut(&value, '=');
        if (value.n > 1 && (value.p[0] == '"' || value.p[0] == '\'') &&
            value.p[value.n - 1] == value.p[0])
            value = str_slice(value, 1, value.n - 1);
        buf_clear(&pair);
        buf_put(&pair, str_trim(name));
        buf_putc(&pair, '=');
        buf_put(&pair, value);
        env_add(w, buf_str(&pair));
    }
    buf_fini(&text);
    buf_fini(&pair);
    return rc;
}

/* ---- before the fork ------------------------------------------------ */

static enum errc take_user(struct prepared *p, const char *user,
                           struct words *env, struct err *err)
{
    char text[16384], pair[4352];
    struct passwd entry, *found = NULL;

    if (!user)
        return ERR_OK;
    if (getpwnam_r(user, &entry, text, sizeof(text), &found) != 0 || !found)
        return err_set(err, ERR_NOT_FOUND, "there is no user '%s'", user);
    if (geteuid() == entry.pw_uid)
        return ERR_OK;
    if (geteuid() != 0)
        return err_set(err, ERR_DENIED,
                       "cannot become user '%s': that needs root", user);
    p->has_user = true;
    p->uid = entry.pw_uid;
    p->gid = entry.pw_gid;
    p->n_groups = GROUPS_MAX;
    if (getgrouplist(user, entry.pw_gid, p->groups, &p->n_groups) < 0)
        p->n_groups = GROUPS_MAX;
    (void)snprintf(pair, sizeof(pair), "HOME=%.4000s", entry.pw_dir);
    env_add(env, str_from_cstr(pair));
    (void)snprintf(pair, sizeof(pair), "USER=%.4000s", user);
    env_add(env, str_from_cstr(pair));
    (void)snprintf(pair, sizeof(pair), "LOGNAME=%.4000s", user);
    env_add(env, str_from_cstr(pair));
    return ERR_OK;
}

static enum errc prepare(const struct process_start *s, struct prepared *p,
                         struct err *err)
{
    const struct process_spec *o = s->spec;
    struct words argv = {.arena = &p->arena}, env = {.arena = &p->arena};
    struct str rest = str_from_cstr(o->environment ? o->environment : "");
    char mark[MARK_MAX + 32];
    enum errc rc = ERR_OK;

    words_add(&argv, o->command);
    for (char **e = environ; *e; e++)
        env_add(&env, str_from_cstr(*e));
    rc = take_user(p, o->user, &env, err);
    if (!rc && o->environment_file)
        rc = env_file(&env, o->environment_file, err);
    while (rest.p && rest.n)
        env_add(&env, str_cut(&rest, SPEC_SEPARATOR));
    for (const char *const *e = s->extra; e && *e; e++)
        env_add(&env, str_from_cstr(*e));
    (void)snprintf(mark, sizeof(mark), PROCESS_MARK "=%.*s", MARK_MAX, s->mark);
    env_add(&env, str_from_cstr(mark));
    p->argv = words_end(&argv);
    p->env = words_end(&env);
    p->directory = o->directory ? o->directory : s->folder;
    if (!rc && (argv.failed || env.failed))
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!rc && argv.n == 0)
        return err_set(err, ERR_INVALID, "there is no command");
    return rc;
}

/* ---- in the new process --------------------------------------------- */

struct failure {
    int error;
    char what[256];
};

static void fail(int fd, const char *what) NORETURN;
static void fail(int fd, const char *what)
{
    struct failure f = {.error = errno};

    (void)snprintf(f.what, sizeof(f.what), "%s", what);
    ssize_t n = write(fd, &f, sizeof(f));
    _exit(n == (ssize_t)sizeof(f) ? 127 : 126);
}

static void clear_signals(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &usual, NULL);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become(const struct process_start *s, const struct prepared *p,
                   pid_t parent, int report) NORETURN;
static void become(const struct process_start *s, const struct prepared *p,
                   pid_t parent, int report)
{
    char self[32];

    clear_signals();
    (void)setsid();
    (void)snprintf(self, sizeof(self), "%d", (int)getpid());
    if (s->cgroup >= 0 &&
        write(s->cgroup, self, strlen(self)) != (ssize_t)strlen(self))
        fail(report, "cgroup");
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0)
        fail(report, "/dev/null");
    if (s->output >= 0 && (dup2(s->output, 1) < 0 || dup2(s->output, 2) < 0))
        fail(report, "output");
    if (p->has_user && (setgroups((size_t)p->n_groups, p->groups) != 0 ||
                        setgid(p->gid) != 0 || setuid(p->uid) != 0))
        fail(report, "user");
    if (p->directory && chdir(p->directory) != 0)
        fail(report, p->directory);
    if (!s->outlives) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(126); /* too late: it is gone */
    }
    (void)execvpe(p->argv[0], p->argv, p->env);
    fail(report, p->argv[0]);
}

enum errc process_start(const struct process_start *s, pid_t *out,
                        struct err *err)
{
    struct prepared p = {.uid = 0};
    struct failure f;
    pid_t parent = getpid();
    int fds[2];

    arena_init(&p.arena, MEMORY_MAX);
    enum errc rc = prepare(s, &p, err);
    if (!rc && pipe2(fds, O_CLOEXEC) != 0)
        rc = err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    if (rc) {
        arena_fini(&p.arena);
        return rc;
    }
    pid_t pid = fork();
    if (pid == 0)
        become(s, &p, parent, fds[1]);
    (void)close(fds[1]);
    ssize_t n = pid > 0 ? read(fds[0], &f, sizeof(f)) : -1;
    (void)close(fds[0]);
    if (pid < 0)
        rc = err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    else if (n == (ssize_t)sizeof(f))
        rc = err_set(err, errc_from_errno(f.error), "cannot start '%s': %s: %s",
                     p.argv[0], f.what, strerror(f.error));
    arena_fini(&p.arena);
    if (!rc)
        *out = pid;
    return rc;
}

/* ---- who is there --------------------------------------------------- */

struct seen {
    pid_t pid, parent, session;
    uint64_t began;
};

/* /proc/PID/stat, see proc(5): fields 4, 6 and 22. False: it is gone, or has
 * ended and waits for its parent. */
static bool look(pid_t pid, struct seen *out)
{
    char path[64], text[1024];
    int parent, session;
    unsigned long long began;
    char state;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        (void)close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    const char *p = strrchr(text, ')');
    if (!p || sscanf(p + 1,
                     " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
                     "%*d %*d %*d %*d %*d %llu",
                     &state, &parent, &session, &began) != 4)
        return false;
    *out = (struct seen){pid, parent, session, began};
    return state != 'Z' && state != 'X';
}

uint64_t process_began(pid_t pid)
{
    struct seen s;

    return pid > 0 && look(pid, &s) ? s.began : 0;
}

static bool has_mark(pid_t pid, const char *mark)
{
    char path[64];
    struct buf b;
    bool found = false;
    char want[MARK_MAX + 32];

    (void)snprintf(want, sizeof(want), PROCESS_MARK "=%.*s", MARK_MAX, mark);
    (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    buf_init(&b, ENVIRON_MAX);
    if (!fs_read_pseudo(path, &b, NULL)) {
        struct str rest = buf_str(&b);
        while (!found && rest.p && rest.n)
            found = str_eq(str_cut(&rest, '\0'), str_from_cstr(want));
    }
    buf_fini(&b);
    return found;
}

static size_t all_processes(struct seen *v, size_t max, uint64_t since)
{
    DIR *d = opendir("/proc");
    size_t n = 0;

    for (struct dirent *e; d && n < max && (e = readdir(d));) {
        long pid = strtol(e->d_name, NULL, 10);
        if (pid > 1 && look((pid_t)pid, &v[n]) && v[n].began >= since)
            n++;
    }
    if (d)
        (void)closedir(d);
    return n;
}

unsigned process_tree(const char *mark, pid_t main, uint64_t since, int sig)
{
    struct seen *v = calloc(PIDS_MAX, sizeof(*v));
    bool *ours = calloc(PIDS_MAX, sizeof(*ours));
    size_t n = v && ours ? all_processes(v, PIDS_MAX, since) : 0;
    pid_t self = getpid();
    unsigned count = 0;

    for (size_t i = 0; i < n; i++)
        ours[i] = v[i].pid != self &&
                  (v[i].pid == main || (main && v[i].session == main) ||
                   (mark && has_mark(v[i].pid, mark)));
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < n && !ours[i] && v[i].pid != self; k++)
                if (ours[k] && v[k].pid == v[i].parent)
                    ours[i] = more = true;
    }
    for (size_t i = 0; i < n; i++)
        if (ours[i] && (sig == 0 || kill(v[i].pid, sig) == 0))
            count++;
    free(v);
    free(ours);
    return count;
}
