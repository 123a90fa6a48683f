/* facts_peers.c - what other programs say when they are asked. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "http/fetch.h"
#include "machine/facts.h"

enum { WAIT_MS = 800, REACH_MS = 4000 };

/* ---- Docker ------------------------------------------------------------- */

static int connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
        return fd;
    memcpy(a.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

/* The body of an answer with status 200; its end is that of the connection. */
static bool take_body(const struct buf *answer, struct buf *out)
{
    static const char end[] = "\r\n\r\n";
    const char *body =
        answer->n ? memmem(answer->p, answer->n, end, sizeof(end) - 1) : NULL;
    struct str head = {answer->p, answer->n};

    if (!body || head.n < 12 || memcmp(head.p + 8, " 200", 4) != 0)
        return false;
    body += sizeof(end) - 1;
    buf_put(out, (struct str){body, (size_t)(answer->p + answer->n - body)});
    return true;
}

/* https://docs.docker.com/reference/api/engine/ */
enum found fact_docker(const char *argument, struct buf *out)
{
    static const char ask[] = "GET /info HTTP/1.0\r\nHost: docker\r\n\r\n";
    struct buf answer;
    int fd = connect_to("/var/run/docker.sock");

    (void)argument;
    if (fd < 0)
        return errno == ECONNREFUSED ? BROKEN : found_errno(errno);
    buf_init(&answer, MACHINE_FILE_MAX);
    enum found found = fs_write_all(fd, ask, sizeof(ask) - 1)
                           ? machine_hear(fd, WAIT_MS, &answer)
                           : BROKEN;
    if (found == FOUND && !take_body(&answer, out))
        found = BROKEN;
    buf_fini(&answer);
    (void)close(fd);
    return found;
}

/* ---- systemd ------------------------------------------------------------ */

enum found fact_failed_units(const char *argument, struct buf *out)
{
    static const char *const argv[] = {
        "systemctl",  "list-units", "--state=failed", "--no-legend", "--plain",
        "--no-pager", NULL};
    struct buf text;

    (void)argument;
    if (access("/run/systemd/system", F_OK))
        return ABSENT; /* another init, or none */
    buf_init(&text, MACHINE_FILE_MAX);
    int status = 0;
    enum found found = machine_command(argv, false, WAIT_MS, &status, &text);
    if (found == FOUND && status)
        found = BROKEN;
    struct str rest = buf_str(&text);
    while (found == FOUND && rest.n) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        struct str unit = str_cut(&line, ' ');
        if (unit.n)
            buf_printf(out, "unit " STR_FMT "\n", STR_ARG(unit));
    }
    buf_fini(&text);
    return found;
}

/* ---- names -------------------------------------------------------------- */

enum found fact_resolve(const char *name, struct buf *out)
{
    int64_t start = clock_mono_ns();
    struct addrinfo *list = NULL;

    if (getaddrinfo(name, NULL, NULL, &list))
        return ABSENT;
    freeaddrinfo(list);
    buf_printf(out, "milliseconds %lld\n",
               (long long)((clock_mono_ns() - start) / 1000000));
    return FOUND;
}

/* ---- servers ------------------------------------------------------------ */

enum found fact_reach(const char *url, struct buf *out)
{
    struct fetch f = {.url = url, .timeout_ms = REACH_MS};
    int64_t start = clock_mono_ns();
    struct err err = {.code = ERR_OK};
    struct buf body;

    buf_init(&body, 64 << 10);
    enum errc rc = fetch_init(&err);
    rc = rc ? rc : fetch_run(&f, &body, &err);
    buf_fini(&body);
    size_t n = strlen(url);    /* whose name the error begins with */
    if (rc && rc != ERR_LIMIT) /* a long answer is one, too */
        buf_printf(out, "error %s\n",
                   strncmp(err.msg, url, n) == 0 &&
                           strncmp(err.msg + n, ": ", 2) == 0
                       ? err.msg + n + 2
                       : err.msg);
    else
        buf_printf(out, "status %d\nmilliseconds %lld\n", f.status,
                   (long long)((clock_mono_ns() - start) / 1000000));
    return FOUND;
}
