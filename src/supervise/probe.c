#include "supervise/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "http/client.h"
#include "io/socket.h"

enum { ANSWER_MAX = 1 << 20 };

static bool http_answers(const char *text, int timeout_ms)
{
    struct client_url url;
    struct buf body;
    int status = 0;

    if (client_url_parse(text, &url, NULL))
        return false;
    buf_init(&body, ANSWER_MAX);
    enum errc rc =
        client_request(&url, url.path[0] ? url.path : "/", "text/plain", NULL,
                       timeout_ms, &status, &body, NULL);
    buf_fini(&body);
    return !rc && status >= 200 && status < 400;
}

static bool tcp_answers(const char *text, int timeout_ms)
{
    const char *colon = strrchr(text, ':');
    char host[256];
    int fd;

    if (!colon)
        return false;
    (void)snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    if (socket_connect(host, (uint16_t)strtoul(colon + 1, NULL, 10), timeout_ms,
                       &fd, NULL))
        return false;
    (void)close(fd);
    return true;
}

enum errc probe_start(struct probe *p, const char *http, const char *tcp,
                      int timeout_ms, struct err *err)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;
    pid_t pid = fork();

    if (pid < 0)
        return err_set(err, ERR_IO, "cannot fork: %s", strerror(errno));
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)sigaction(SIGALRM, &usual, NULL);
        sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        alarm((unsigned)(timeout_ms / 1000 + 1) * 2);
        bool well = (!http || http_answers(http, timeout_ms)) &&
                    (!tcp || tcp_answers(tcp, timeout_ms));
        _exit(well ? 0 : 1);
    }
    p->pid = pid;
    return ERR_OK;
}

void probe_cancel(struct probe *p)
{
    if (p->pid)
        (void)kill(p->pid, SIGKILL);
    p->pid = 0;
}
