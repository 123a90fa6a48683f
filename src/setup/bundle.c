/* bundle.c - packages for machines without a network: fetched by apt or dnf on
 * one that has it, with the index that apt reads
 * (https://wiki.debian.org/DebianRepository/Format). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "codec/digest.h"
#include "setup/host.h"
#include "setup/step.h"

enum { INDEX_MAX = 64 << 20, NAMES_MAX = 1 << 18 };

struct indexing {
    struct host *host;
    const char *directory;
    struct buf index;
    size_t n;
    struct err *err;
};

/* Everything of the closure, whether it is installed here or not. */
static enum errc fetch(struct host *h, const char *names, bool debian,
                       struct err *err)
{
    struct buf line, said;

    buf_init(&line, NAMES_MAX);
    if (debian)
        buf_printf(&line,
                   "apt-get -q -y --download-only --no-install-recommends "
                   "-o Dir::State::status=/dev/null "
                   "-o Dir::Cache::archives=" HOST_BUNDLE " "
                   "-o APT::Sandbox::User=root install %s",
                   names);
    else
        buf_printf(&line,
                   "dnf -y --downloadonly --downloaddir=" HOST_BUNDLE
                   " install %s",
                   names);
    buf_putc(&line, '\0');
    buf_init(&said, INDEX_MAX);
    enum errc rc =
        line.failed ? ERR_NOMEM : host_run_line(h, line.p, &said, err);
    buf_fini(&said);
    buf_fini(&line);
    return rc;
}

/* ---- the index ------------------------------------------------------- */

static enum errc put_sums(struct indexing *x, const char *name)
{
    char path[4096], sum[DIGEST_TEXT];
    struct buf bytes;

    (void)snprintf(path, sizeof(path), "%s/%s", x->directory, name);
    buf_init(&bytes, (size_t)4 << 30);
    enum errc rc = fs_read(path, &bytes, x->err);
    if (!rc)
        rc = digest_sha256(buf_str(&bytes), sum, x->err);
    if (!rc)
        buf_printf(&x->index, "Filename: ./%s\nSize: %zu\nSHA256: %s\n\n", name,
                   bytes.n, sum);
    buf_fini(&bytes);
    return rc;
}

/* The package's own words, then where it is. */
static enum errc add_deb(void *ctx, const char *name)
{
    struct indexing *x = ctx;
    char path[512];

    if (!str_ends(str_from_cstr(name), STR(".deb")))
        return ERR_OK;
    (void)snprintf(path, sizeof(path), HOST_BUNDLE "/%.400s", name);
    enum errc rc =
        host_run(x->host, (const char *const[]){"dpkg-deb", "-f", path, NULL},
                 &x->index, x->err);
    while (x->index.n && x->index.p[x->index.n - 1] == '\n')
        x->index.n--;
    buf_putc(&x->index, '\n');
    x->n++;
    return rc ? rc : put_sums(x, name);
}

static enum errc write_file(const char *directory, const char *name,
                            struct str text, struct err *err)
{
    char path[4096], temporary[4096];

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    (void)snprintf(temporary, sizeof(temporary), "%s/.%s.new", directory, name);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return fs_error(err, "cannot write", path);
    if (fs_write_all(fd, text.p, text.n))
        return fs_publish(fd, temporary, path, err);
    (void)close(fd);
    return fs_error(err, "cannot write", path);
}

static enum errc make_index(struct indexing *x)
{
    static const struct str list =
        STR_INIT("deb [trusted=yes] file:" HOST_BUNDLE " ./\n");
    enum errc rc = fs_list(x->directory, add_deb, x, x->err);

    if (!rc && x->index.failed)
        rc = err_set(x->err, ERR_LIMIT, "the index is too large");
    if (!rc)
        rc = write_file(x->directory, "Packages", buf_str(&x->index), x->err);
    return rc ? rc : write_file(x->directory, "stoker.list", list, x->err);
}

/* ---- the whole ------------------------------------------------------- */

enum errc setup_download(const struct plan *p, const char *directory, size_t *n,
                         struct err *err)
{
    struct indexing x = {.host = p->host, .directory = directory, .err = err};
    bool debian = host_has(p->host, "/var/lib/dpkg/status");
    struct buf names;

    buf_init(&names, NAMES_MAX);
    buf_init(&x.index, INDEX_MAX);
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].kind == STEP_PACKAGES)
            buf_printf(&names, "%s%s", names.n ? " " : "", p->v[i].names);
    buf_putc(&names, '\0');
    enum errc rc = ERR_OK;
    if (names.failed || names.n == 1)
        rc = err_set(err, ERR_INVALID, "these targets need no packages");
    else if (mkdir(directory, 0755) && access(directory, W_OK))
        rc = fs_error(err, "cannot make", directory);
    if (!rc)
        rc = fetch(p->host, names.p, debian, err);
    if (!rc && debian)
        rc = make_index(&x);
    else if (!rc)
        rc = host_run_line(p->host, "createrepo_c -q " HOST_BUNDLE, NULL, err);
    *n = x.n;
    buf_fini(&names);
    buf_fini(&x.index);
    return rc;
}
