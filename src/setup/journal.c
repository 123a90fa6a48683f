#include "setup/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/sort.h"
#include "machine/inside.h"
#include "machine/machine.h"

/* ---- reading --------------------------------------------------------- */

static size_t word_in(const struct json_node *v, const char *const *words,
                      size_t n)
{
    size_t i = 0;

    while (i < n && !json_says(v, words[i]))
        i++;
    return i;
}

static enum errc kept(struct journal *j, const struct json_node *name,
                      struct str *out, struct err *err)
{
    struct str text = json_str_or(name, "");
    char path[64];
    struct stat st;

    *out = STR("");
    if (j->lock < 0)
        return ERR_OK; /* whoever only lists runs needs no bytes */
    (void)snprintf(path, sizeof(path), STR_FMT, STR_ARG(text));
    if (!text.n || strchr(path, '/'))
        return err_set(err, ERR_INVALID, "journal: '%s' is no name of its own",
                       path);
    int fd = openat(j->directory, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fs_error(err, "cannot read", path);
    char *p = NULL;
    bool good = fstat(fd, &st) == 0 && st.st_size <= HOST_FILE_MAX &&
                (p = arena_alloc(j->arena, (size_t)st.st_size + 1, 1, 1)) &&
                read(fd, p, (size_t)st.st_size) == st.st_size;
    (void)close(fd);
    if (!good)
        return err_set(err, ERR_IO, "journal: cannot read '%s'", path);
    *out = (struct str){p, (size_t)st.st_size};
    return ERR_OK;
}

static enum errc get_node(struct journal *j, const struct json_node *v,
                          struct node *out, struct err *err)
{
    size_t kind =
        word_in(json_get(v, "kind"), journal_nodes, COUNT(journal_nodes));

    if (kind == COUNT(journal_nodes))
        return err_set(err, ERR_INVALID, "journal: a kind that is none");
    *out = (struct node){.kind = (enum node_kind)kind,
                         .mode = (unsigned)json_i64_or(json_get(v, "mode"), 0),
                         .uid = (unsigned)json_i64_or(json_get(v, "uid"), 0),
                         .gid = (unsigned)json_i64_or(json_get(v, "gid"), 0),
                         .mtime_ns = json_i64_or(json_get(v, "mtime_ns"), 0),
                         .text = json_str_or(json_get(v, "to"), "")};
    return kind == NODE_FILE ? kept(j, json_get(v, "bytes"), &out->text, err)
                             : ERR_OK;
}

static const char *text_of(struct journal *j, const struct json_node *v,
                           const char *key)
{
    const char *text = arena_cstr(j->arena, json_str_or(json_get(v, key), ""));

    return text ? text : "";
}

static enum errc take_begin(struct journal *j, const struct json_node *v,
                            struct err *err)
{
    size_t kind =
        word_in(json_get(v, "kind"), journal_kinds, COUNT(journal_kinds));
    enum errc rc = ERR_OK;

    if (kind == COUNT(journal_kinds) ||
        json_i64_or(json_get(v, "begin"), 0) != (int64_t)j->n + 1)
        return err_set(err, ERR_INVALID, "journal: step %zu is damaged",
                       j->n + 1);
    if (!arena_grow(j->arena, &j->v, j->n, &j->cap, sizeof(*j->v)))
        return err_set(err, ERR_NOMEM, "journal: out of memory");
    struct entry e = {.number = j->n + 1,
                      .kind = (enum step_kind)kind,
                      .target = text_of(j, v, "target"),
                      .title = text_of(j, v, "title"),
                      .path = text_of(j, v, "path"),
                      .does = text_of(j, v, "does"),
                      .undo = text_of(j, v, "undo"),
                      .probe = text_of(j, v, "probe")};
    if (e.kind == STEP_PUT) {
        rc = get_node(j, json_get(v, "was"), &e.was, err);
        if (!rc)
            rc = get_node(j, json_get(v, "becomes"), &e.becomes, err);
    } else if (e.kind == STEP_PACKAGES) {
        rc = kept(j, json_get(v, "was"), &e.list, err);
    }
    if (!rc)
        j->v[j->n++] = e;
    return rc;
}

static void mark(struct journal *j, const struct json_node *v)
{
    int64_t done = json_i64_or(json_get(v, "done"), 0),
            undone = json_i64_or(json_get(v, "undone"), 0);
    size_t state =
        word_in(json_get(v, "state"), journal_states, COUNT(journal_states));

    if (done > 0 && (size_t)done <= j->n)
        j->v[done - 1].done = true;
    if (undone > 0 && (size_t)undone <= j->n)
        j->v[undone - 1].undone = true;
    if (state < COUNT(journal_states))
        j->state = (enum run_state)state;
}

static enum errc take_arguments(struct journal *j, const struct json_node *v,
                                struct err *err)
{
    j->arguments = arena_new(j->arena, struct str, v ? v->n + 1 : 1);
    if (!j->arguments)
        return err_set(err, ERR_NOMEM, "journal: out of memory");
    for (const struct json_node *a = v ? v->first : NULL; a; a = a->next)
        j->arguments[j->n_arguments++] = json_str_or(a, "");
    return ERR_OK;
}

static enum errc read_journal(struct journal *j, struct err *err)
{
    enum errc rc = ERR_OK;
    struct stat st;

    if (fstat(j->file, &st) || st.st_size > JOURNAL_MAX)
        return err_set(err, ERR_LIMIT, "the journal of %s is too large",
                       j->run);
    char *p = arena_alloc(j->arena, (size_t)st.st_size + 1, 1, 1);
    if (!p || pread(j->file, p, (size_t)st.st_size, 0) != st.st_size)
        return err_set(err, ERR_IO, "cannot read the journal of %s", j->run);
    struct str rest = {p, (size_t)st.st_size};
    while (!rc && rest.n) {
        const char *end = memchr(rest.p, '\n', rest.n);
        if (!end) /* cut off: not written. What follows starts a new line. */
            return j->lock >= 0 && ftruncate(j->file, rest.p - p) ? ERR_IO
                                                                  : ERR_OK;
        struct json_node *v =
            json_tree_copy(str_cut(&rest, '\n'), j->arena, err);
        if (!v)
            return err_wrap(err, ERR_INVALID, "the journal of %s", j->run);
        if (json_get(v, "begin"))
            rc = take_begin(j, v, err);
        else if (json_get(v, "arguments"))
            rc = take_arguments(j, json_get(v, "arguments"), err);
        else
            mark(j, v);
    }
    return rc;
}

bool entry_is(const struct entry *e, const struct step *s)
{
    if (s->kind != e->kind ||
        strcmp(setup_targets[s->target].name, e->target) != 0)
        return false;
    if (s->kind == STEP_PUT)
        return strcmp(s->path, e->path) == 0;
    if (s->kind == STEP_PACKAGES)
        return strcmp(s->title, e->title) == 0;
    return strcmp(s->does, e->does) == 0;
}

/* ---- opening --------------------------------------------------------- */

static enum errc make_above(struct host *h, struct err *err)
{
    static const struct {
        const char *path;
        unsigned mode;
    } rows[] = {{"/var", 0755},
                {"/var/lib", 0755},
                {"/var/lib/stoker", 0755},
                {SETUP_STATE, 0700}};
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < COUNT(rows) && !rc; i++) {
        const struct node n = {.kind = NODE_DIRECTORY, .mode = rows[i].mode};
        if (!host_has(h, rows[i].path))
            rc = host_put(h, rows[i].path, &n, err);
    }
    return rc;
}

/* The state directory with its lock held. */
static enum errc take_lock(struct host *h, struct journal *j, int *above,
                           struct err *err)
{
    *above =
        inside_open(h->root, SETUP_STATE, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*above < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "there is no run");
    if (*above < 0)
        return fs_error(err, "cannot open", SETUP_STATE);
    j->lock = openat(*above, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (j->lock >= 0 && flock(j->lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    if (errno == EWOULDBLOCK)
        return err_set(err, ERR_BUSY,
                       "another 'stoker setup' is at work here: wait for it");
    return fs_error(err, "cannot lock", SETUP_STATE "/lock");
}

static enum errc open_files(struct journal *j, int above, int flags,
                            struct err *err)
{
    j->directory = openat(above, j->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->directory < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no run '%s'", j->run);
    j->file = openat(j->directory, "journal",
                     O_RDWR | O_APPEND | O_CLOEXEC | flags, 0600);
    if (j->file < 0)
        return fs_error(err, "cannot open the journal of", j->run);
    if (j->lock >= 0 && j->host->log < 0)
        j->host->log = openat(j->directory, "log",
                              O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return ERR_OK;
}

static void start(struct host *h, struct arena *a, struct journal *out)
{
    *out = (struct journal){
        .host = h, .arena = a, .directory = -1, .file = -1, .lock = -1};
}

void journal_close(struct journal *j)
{
    const int fds[] = {j->directory, j->file, j->lock};

    for (size_t i = 0; i < COUNT(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    if (j->host && j->host->log >= 0) {
        (void)close(j->host->log);
        j->host->log = -1;
    }
    j->directory = j->file = j->lock = -1;
}

struct run_names {
    struct arena *arena;
    const char **v;
    size_t n, cap;
};

static enum errc add_name(struct run_names *r, const char *name)
{
    if (name[0] < '0' || name[0] > '9' || strlen(name) >= RUN_NAME_MAX)
        return ERR_OK; /* lock, lists */
    if (!arena_grow(r->arena, &r->v, r->n, &r->cap, sizeof(*r->v)))
        return ERR_NOMEM;
    r->v[r->n] = arena_cstr(r->arena, str_from_cstr(name));
    return r->v[r->n++] ? ERR_OK : ERR_NOMEM;
}

static enum errc run_names(struct host *h, struct arena *a,
                           struct run_names *out, struct err *err)
{
    *out = (struct run_names){.arena = a};
    struct machine m;
    struct names names;
    enum errc rc = machine_open(h->path, &m, err);

    if (rc)
        return rc;
    enum found found = machine_list(&m, SETUP_STATE, &names);
    for (size_t i = 0; found == FOUND && i < names.n && !rc; i++)
        rc = add_name(out, machine_path(&m, STR_FMT, STR_ARG(names.v[i])));
    machine_close(&m);
    if (found == DENIED)
        return err_set(err, ERR_DENIED, "'%s' is for root", SETUP_STATE);
    if (out->n)
        sort_items(out->v, out->n, sizeof(*out->v), sort_texts);
    return rc;
}

enum errc journal_each(struct host *h,
                       enum errc (*each)(void *ctx, const struct journal *j),
                       void *ctx, struct err *err)
{
    struct run_names names;
    struct arena a;

    arena_init(&a, 1 << 30);
    enum errc rc = run_names(h, &a, &names, err);
    for (size_t i = 0; i < names.n && !rc; i++) {
        struct journal j;
        start(h, &a, &j);
        (void)snprintf(j.run, sizeof(j.run), "%s", names.v[i]);
        int above = inside_open(h->root, SETUP_STATE,
                                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rc = open_files(&j, above, 0, err);
        rc = rc ? rc : read_journal(&j, err);
        rc = rc ? rc : each(ctx, &j);
        journal_close(&j);
        (void)close(above);
    }
    arena_fini(&a);
    return rc;
}

/* ---- the last one, and a new one ------------------------------------- */

struct last {
    char run[RUN_NAME_MAX]; /* not undone */
    char unfinished[RUN_NAME_MAX];
};

static enum errc see(void *ctx, const struct journal *j)
{
    struct last *l = ctx;

    if (j->state != RUN_UNDONE)
        memcpy(l->run, j->run, sizeof(l->run));
    if (j->state == RUN_OPEN)
        memcpy(l->unfinished, j->run, sizeof(l->unfinished));
    return ERR_OK;
}

enum errc journal_open(struct host *h, struct arena *a, const char *run,
                       struct journal *out, struct err *err)
{
    struct last last = {"", ""};
    int above = -1;

    start(h, a, out);
    enum errc rc = run ? ERR_OK : journal_each(h, see, &last, err);
    if (rc)
        return rc;
    if (run &&
        (strlen(run) >= RUN_NAME_MAX || strchr(run, '/') || run[0] == '.'))
        return err_set(err, ERR_NOT_FOUND, "there is no run '%s'", run);
    if (!run && !last.run[0])
        return err_set(err, ERR_NOT_FOUND,
                       "there is no run here that is not put back");
    (void)snprintf(out->run, sizeof(out->run), "%s", run ? run : last.run);
    rc = take_lock(h, out, &above, err);
    rc = rc ? rc : open_files(out, above, 0, err);
    rc = rc ? rc : read_journal(out, err);
    if (above >= 0)
        (void)close(above);
    if (rc)
        journal_close(out);
    return rc;
}

static enum errc make_run(struct journal *j, int above, struct err *err)
{
    time_t now = (time_t)(clock_wall_ns() / 1000000000);
    char stamp[RUN_NAME_MAX];
    struct tm tm;

    (void)gmtime_r(&now, &tm);
    (void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
    (void)snprintf(j->run, sizeof(j->run), "%s", stamp);
    for (int i = 2; mkdirat(above, j->run, 0700); i++) {
        if (errno != EEXIST || i > 99)
            return fs_error(err, "cannot make", SETUP_STATE "/RUN");
        (void)snprintf(j->run, sizeof(j->run), "%.20s.%02d", stamp, i);
    }
    (void)fsync(above);
    return ERR_OK;
}

enum errc journal_create(struct host *h, struct arena *a,
                         const char *const *arguments, size_t n,
                         struct journal *out, struct err *err)
{
    struct last last = {"", ""};
    int above = -1;

    start(h, a, out);
    enum errc rc = make_above(h, err);
    rc = rc ? rc : take_lock(h, out, &above, err);
    rc = rc ? rc : journal_each(h, see, &last, err);
    if (!rc && last.unfinished[0])
        rc = err_set(err, ERR_CONFLICT,
                     "run %s is not finished: 'stoker setup resume' goes on "
                     "with it, 'stoker setup undo %s' puts it back",
                     last.unfinished, last.unfinished);
    rc = rc ? rc : make_run(out, above, err);
    rc = rc ? rc : open_files(out, above, O_CREAT | O_EXCL, err);
    if (above >= 0)
        (void)close(above);
    if (rc) {
        journal_close(out);
        return rc;
    }
    return journal_start(out, arguments, n, err);
}
