#include "cli/local.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "cli/serve_options.h"
#include "codec/json.h"
#include "codec/number.h"
#include "daemon/child.h"
#include "io/socket.h"

enum { BODY_MAX = 1 << 30, REPLY_MAX = 64 << 20, TIMEOUT_MS = 30000 };

bool local_is_url(const char *target)
{
    return strncmp(target, "http://", 7) == 0 ||
           strncmp(target, "https://", 8) == 0;
}

static enum errc await(int fd, struct err *err)
{
    struct unit_report r;
    ssize_t got;

    do
        got = read(fd, &r, sizeof(r));
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)sizeof(r))
        return err_set(err, ERR_INTERNAL, "the model could not be served");
    if (r.rc)
        err_record(err, r.rc, "%.500s", r.msg);
    return r.rc;
}

static void serve(struct cli *cli, const char *model,
                  const struct import_hints *hints, int listener, int report)
{
    struct serve_options o = {0};
    struct daemon_options daemon;
    struct flag_args args = {.rest = {model}, .n = 1}, none;

    if (flags_parse(serve_flags, &o, 0, NULL, cli->language, &none, NULL))
        _exit(1);
    o.access_log = "off";
    o.lame_duck = 0;
    o.hints = *hints;
    log_setup(2, LOG_ERROR + 1, "local");
    serve_daemon_options(&o, &args, &daemon);
    child_main(&(struct master_options){.argv = cli->argv, .argc = cli->argc},
               &daemon, &listener, 1, report);
}

static enum errc start(struct cli *cli, const char *model,
                       const struct import_hints *hints, struct local *out,
                       struct err *err)
{
    int listener, fds[2];
    enum errc rc = socket_listen("127.0.0.1", 0, &listener, err);

    if (rc)
        return rc;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    (void)fflush(cli->out);
    out->pid = fork();
    if (out->pid == 0) {
        (void)close(fds[0]);
        serve(cli, model, hints, listener, fds[1]);
    }
    memcpy(out->url.host, "127.0.0.1", 10);
    out->url.port = socket_port(listener);
    out->url.path = "";
    (void)close(listener);
    (void)close(fds[1]);
    if (out->pid < 0)
        rc = err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    else
        rc = await(fds[0], err);
    (void)close(fds[0]);
    return rc;
}

enum errc local_open(struct cli *cli, const char *target,
                     const struct import_hints *hints, struct local *out,
                     struct err *err)
{
    *out = (struct local){.pid = 0};
    if (!local_is_url(target))
        return start(cli, target, hints, out, err);
    enum errc rc = client_url_parse(target, &out->url, err);
    if (rc)
        return rc;
    size_t n = strlen(out->url.path);
    if (n >= sizeof(out->path))
        return err_set(err, ERR_LIMIT, "the URL is too long");
    memcpy(out->path, n > 1 ? out->url.path : "", n > 1 ? n + 1 : 1);
    return ERR_OK;
}

void local_close(struct local *l)
{
    if (l->pid <= 0)
        return;
    (void)kill(l->pid, SIGTERM);
    (void)waitpid(l->pid, NULL, 0);
    l->pid = 0;
}

/* The first model of /docs/models.json that can be called. */
static bool first_model(struct json *j, struct str *path, struct str *example)
{
    struct str key;

    if (!json_object(j))
        return false;
    while (json_key(j, &key)) {
        if (!str_eq(key, STR("models"))) {
            if (!json_skip(j))
                return false;
            continue;
        }
        if (!json_array(j))
            return false;
        while (json_item(j)) {
            struct str name;
            if (!json_object(j))
                return false;
            while (json_key(j, &name)) {
                bool first = !path->p && str_eq(name, STR("path"));
                bool body = !example->p && str_eq(name, STR("example"));
                if (!(first  ? json_string(j, path)
                      : body ? json_string(j, example)
                             : json_skip(j)))
                    return false;
            }
        }
    }
    return !j->failed;
}

enum errc local_example(struct local *l, struct buf *body, struct err *err)
{
    struct arena arena;
    struct buf reply;
    struct str path = {NULL, 0}, example = {NULL, 0};
    struct json j;
    int status;

    buf_init(&reply, REPLY_MAX);
    arena_init(&arena, REPLY_MAX);
    enum errc rc = client_request(&l->url, "/docs/models.json", NULL, NULL,
                                  TIMEOUT_MS, &status, &reply, err);
    if (!rc && status != 200)
        rc = err_set(err, ERR_UNAVAIL,
                     "the server does not describe its models (status %d): "
                     "give the whole URL and the body",
                     status);
    if (!rc) {
        struct str text = {reply.p, reply.n};
        (void)buf_reserve(&reply, NUMBER_PAD);
        text.p = reply.p;
        json_init(&j, text, &arena, err);
        if (!first_model(&j, &path, &example))
            rc = ERR_INVALID;
        else if (!path.p || path.n >= sizeof(l->path))
            rc = err_set(err, ERR_UNAVAIL, "the server has no model");
    }
    if (!rc && !l->path[0]) {
        memcpy(l->path, path.p, path.n);
        l->path[path.n] = '\0';
    }
    if (!rc && body && !example.p)
        rc = err_set(err, ERR_INVALID,
                     "the model's input is too large to make up: give the body "
                     "with -f");
    if (!rc && body)
        buf_put(body, example);
    buf_fini(&reply);
    arena_fini(&arena);
    return rc;
}

static enum errc read_stdin(struct buf *out, struct err *err)
{
    for (;;) {
        char *at = buf_reserve(out, 65536);
        if (!at)
            return err_set(err, ERR_LIMIT, "standard input is too large");
        ssize_t got = read(0, at, 65536);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fs_error(err, "read", "standard input");
        if (got == 0)
            return ERR_OK;
        out->n += (size_t)got;
    }
}

enum errc local_body(const char *data, const char *file, struct buf *out,
                     bool *given, struct err *err)
{
    buf_init(out, BODY_MAX);
    *given = data || file;
    if (data && data[0] == '@')
        return fs_read(data + 1, out, err);
    if (data) {
        buf_puts(out, data);
        return ERR_OK;
    }
    if (file && strcmp(file, "-") == 0)
        return read_stdin(out, err);
    return file ? fs_read(file, out, err) : ERR_OK;
}
