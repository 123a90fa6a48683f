#include "import/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "codec/number.h"
#include "import/cache.h"
#include "import/result.h"
#include "model/sandbox.h"

enum {
    FILE_MAX_GIB = 16,
    CPU_SECONDS = 300,
    SNIFF = 64,
    STRINGS_MAX = 512 << 20,
};

static const uint64_t gib = UINT64_C(1) << 30;

/* A sealed copy of the file, with room for readers that look ahead. */
static enum errc copy_file(const char *path, int *out, size_t *size,
                           struct err *err)
{
    struct stat st;
    int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (in < 0)
        return fs_error(err, "open", path);
    if (fstat(in, &st) != 0 || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size > FILE_MAX_GIB * gib) {
        (void)close(in);
        return err_set(err, ERR_INVALID,
                       "'%s' is not a plain file of at most %d GiB", path,
                       FILE_MAX_GIB);
    }
    int copy = memfd_create("model", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    off_t at = 0;
    bool ok = copy >= 0;
    while (ok && at < st.st_size) {
        ssize_t n = sendfile(copy, in, &at, (size_t)(st.st_size - at));
        if (n == 0)
            break; /* it has become shorter: what was read counts */
        ok = n > 0 || errno == EINTR;
    }
    ok = ok && ftruncate(copy, at + NUMBER_PAD) == 0 &&
         fcntl(copy, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) ==
             0;
    enum errc rc = ok ? ERR_OK : fs_error(err, "copy", path);
    (void)close(in);
    if (rc && copy >= 0)
        (void)close(copy);
    *out = copy;
    *size = (size_t)at;
    return rc;
}

enum import_kind import_kind_of(const char *path)
{
    char first[SNIFF];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, first, sizeof(first));

    if (fd >= 0)
        (void)close(fd);
    return n < 0 ? IMPORT_UNKNOWN
                 : import_sniff((struct str){first, (size_t)n});
}

static enum errc map(int fd, void **p, size_t *n, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return fs_error(err, "look at", "an imported model");
    *n = (size_t)st.st_size;
    *p = *n ? mmap(NULL, *n, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    if (*p == MAP_FAILED) {
        *p = NULL;
        return fs_error(err, "map", "an imported model");
    }
    return ERR_OK;
}

static enum errc start(const int descriptors[3], enum graph_weights how,
                       pid_t *pid, struct err *err)
{
    const char *argv[] = {"stoker: importer", "import-file",
                          how == GRAPH_INLINE ? "inline" : "external", NULL};
    posix_spawn_file_actions_t actions;

    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; i++)
        posix_spawn_file_actions_adddup2(&actions, descriptors[i], i);
    int rc = posix_spawn(pid, "/proc/self/exe", &actions, NULL,
                         (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc) {
        errno = rc;
        return fs_error(err, "start", "the importer");
    }
    return ERR_OK;
}

static enum errc await(pid_t pid, struct err *err)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ERR_OK;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return err_set(err, ERR_LIMIT,
                       "the file takes more than %d seconds to read",
                       CPU_SECONDS);
    if (WIFSIGNALED(status))
        return err_set(err, ERR_INVALID,
                       "the process that read the file was stopped (%s): the "
                       "file is damaged or hostile",
                       strsignal(WTERMSIG(status)));
    return err_set(err, ERR_LIMIT,
                   "the process that read the file ended early (exit status "
                   "%d)",
                   WEXITSTATUS(status));
}

/* Both descriptors are mapped: look into them. */
static enum errc look(struct imported *out, struct err *err)
{
    size_t n = out->sizes[0] < NUMBER_PAD ? 0 : out->sizes[0] - NUMBER_PAD;

    return result_read((struct str){out->maps[1], out->sizes[1]},
                       (struct str){out->maps[0], n}, out, err);
}

/* If all weights were made anew, the model's file is no longer needed. */
static void drop_file(struct imported *m)
{
    const char *from = m->maps[0], *to = from + m->sizes[0];

    for (size_t i = 0; i < m->source.n_weights; i++) {
        const char *p = m->source.weights[i].tensor.data;
        if (p >= from && p < to)
            return;
    }
    (void)munmap(m->maps[0], m->sizes[0]);
    m->maps[0] = NULL;
    m->sizes[0] = 0;
}

static void begin(struct imported *m)
{
    *m = (struct imported){.descriptors = {-1, -1}};
    m->report.kind = m->report.framework = m->report.title = "";
    arena_init(&m->arena, STRINGS_MAX);
}

/* The hints as a file for the child. */
static int hints_file(const struct hint_texts *hints)
{
    int fd = memfd_create("hints", MFD_CLOEXEC);

    if (fd >= 0 && !fs_write_all(fd, hints->bytes.p, hints->bytes.n)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static enum errc run_import(struct imported *out, enum graph_weights how,
                            const struct hint_texts *hints, struct err *err)
{
    pid_t pid;
    int fds[3] = {out->descriptors[0], -1, hints_file(hints)};

    fds[1] = out->descriptors[1] = memfd_create("imported", MFD_CLOEXEC);
    enum errc rc = fds[1] < 0 || fds[2] < 0
                       ? fs_error(err, "make", "a file in memory")
                       : start(fds, how, &pid, err);
    if (!rc)
        rc = await(pid, err);
    if (fds[2] >= 0)
        (void)close(fds[2]);
    if (!rc)
        rc = map(out->descriptors[1], &out->maps[1], &out->sizes[1], err);
    return rc ? rc : look(out, err);
}

/* The result of an earlier import of the same bytes. */
static bool from_cache(struct imported *out, const struct cache_key *key)
{
    struct err none = {0};

    out->descriptors[1] = cache_open(key);
    if (out->descriptors[1] < 0)
        return false;
    if (map(out->descriptors[1], &out->maps[1], &out->sizes[1], &none) ==
            ERR_OK &&
        look(out, &none) == ERR_OK)
        return true;
    if (out->maps[1])
        (void)munmap(out->maps[1], out->sizes[1]);
    (void)close(out->descriptors[1]);
    out->maps[1] = NULL;
    out->descriptors[1] = -1;
    out->report = (struct import_report){.kind = ""};
    cache_drop(key);
    return false;
}

static enum errc open_with(const char *path, enum graph_weights how,
                           const struct hint_texts *hints, struct imported *out,
                           struct err *err)
{
    struct cache_key key = {.name = ""};
    size_t size;
    enum errc rc = copy_file(path, &out->descriptors[0], &size, err);

    if (rc) {
        out->descriptors[0] = -1;
        return rc;
    }
    out->bytes = size;
    rc = map(out->descriptors[0], &out->maps[0], &out->sizes[0], err);
    if (rc)
        return rc;
    if (how == GRAPH_EXTERNAL)
        cache_key((struct str){out->maps[0], size}, buf_str(&hints->bytes),
                  &key);
    if (!from_cache(out, &key)) {
        rc = run_import(out, how, hints, err);
        if (rc)
            return rc;
        cache_store(&key, out->descriptors[1]);
    }
    drop_file(out);
    return ERR_OK;
}

enum errc imported_open(const char *path, enum graph_weights how,
                        const struct import_hints *hints, struct imported *out,
                        struct err *err)
{
    struct hint_texts texts;

    begin(out);
    enum errc rc = hints_read(hints, path, &texts, err);
    if (!rc)
        rc = open_with(path, how, &texts, out, err);
    hints_fini(&texts);
    return rc;
}

enum errc imported_attach(const int descriptors[2], struct imported *out,
                          struct err *err)
{
    begin(out);
    for (int i = 0; i < 2; i++) {
        out->descriptors[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 3);
        if (out->descriptors[i] < 0)
            return fs_error(err, "take over", "an imported model");
        enum errc rc =
            map(out->descriptors[i], &out->maps[i], &out->sizes[i], err);
        if (rc)
            return rc;
    }
    return look(out, err);
}

void imported_close(struct imported *m)
{
    for (int i = 0; i < 2; i++) {
        if (m->maps[i])
            (void)munmap(m->maps[i], m->sizes[i]);
        if (m->descriptors[i] >= 0)
            (void)close(m->descriptors[i]);
        m->maps[i] = NULL;
        m->descriptors[i] = -1;
    }
    arena_fini(&m->arena);
    m->source = (struct model_source){.n_weights = 0};
}

/* A file of n bytes may need its weights anew, and some room to work. */
static void limit(size_t n)
{
    struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS + 1}, core = {0, 0};

    (void)setrlimit(RLIMIT_CPU, &cpu);
    (void)setrlimit(RLIMIT_CORE, &core);
    /* The sanitizers' shadows are larger than any limit. */
#if !defined(HAVE_ASAN) && !defined(__SANITIZE_THREAD__)
    struct rlimit memory = {n * 3 + 2 * gib, n * 3 + 2 * gib};
    (void)setrlimit(RLIMIT_AS, &memory);
#else
    (void)n;
#endif
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    sandbox_enter_reader();
}

int import_child_main(enum graph_weights how)
{
    struct import_options options;
    struct arena arena;
    struct import in;
    struct err err = {0};
    void *p, *hints;
    size_t n, n_hints;

    if (map(0, &p, &n, NULL) || n < NUMBER_PAD ||
        map(2, &hints, &n_hints, NULL))
        return 1;
    limit(n);
    struct str file = {p, n - NUMBER_PAD};
    if (!hints_parse((struct str){hints, n_hints}, &options))
        return 1;
    arena_init(&arena, n * 2 + gib);
    enum errc rc = import_file(file, &options, &arena, &in, &err);
    return result_write(1, file, &in, how, rc, &err) ? 1 : 0;
}
