#include "daemon/monitor.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/resident.h"
#include "collect/checkup.h"
#include "collect/gpu/gpu.h"
#include "collect/host.h"
#include "daemon/listen.h"
#include "http/fetch.h"
#include "io/socket.h"
#include "web/exporter.h"

enum {
    LARGE = 1 << 20, /* bytes of one piece of memory */
    KEEP = 32 << 20, /* of freed memory, until the next minute */
    MINUTE_MS = 60000
};

static enum errc open_port(const struct monitor_options *o, uint16_t port,
                           int *fd, struct err *err)
{
    enum errc rc = listen_allowed(o->host, o->insecure, err);

    return rc ? rc : socket_listen(o->host, port, fd, err);
}

/* Until a signal comes; keeps memory small meanwhile. */
static void wait_for_end(const sigset_t *set, size_t objects)
{
    struct timespec wait = {.tv_sec = 0}; /* the start is over */
    int sig;

    while ((sig = sigtimedwait(set, NULL, &wait)) < 0) {
        if (errno != EAGAIN)
            continue;
        resident_trim(objects);
        wait.tv_sec = wait.tv_sec ? 60 : 10; /* first ones of all kinds */
    }
    log_event(LOG_INFO, "monitor.stopping", "signal %d", sig);
}

static void say(void *ctx, bool bad, const char *event, const char *text)
{
    (void)ctx;
    log_event(bad ? LOG_WARN : LOG_INFO, event, "%s", text);
}

/* What depends on the port and on the machine. */
struct own {
    size_t objects; /* that were loaded at the start */
    char address[300], metrics[320], host[260];
    struct scrape_target *targets;
    struct gpus *gpus;
    struct exporter *exporter;
    struct backup_dirs backups;
    struct checkup checkup;
    int logs[2]; /* its own lines: read, written; 0: a master has made them */
};

static enum errc open_logs(const struct monitor_options *o,
                           struct logs_options *logs, struct own *own,
                           struct err *err)
{
    logs->fd = o->logs_fd;
    if (logs->fd)
        return ERR_OK;
    enum errc rc = socket_packets(own->logs, err);
    if (rc)
        return rc;
    logs->fd = own->logs[0];
    log_tee(own->logs[1]);
    return ERR_OK;
}

static void close_logs(struct own *own)
{
    if (!own->logs[0])
        return;
    log_tee(-1);
    (void)close(own->logs[0]);
    (void)close(own->logs[1]);
}

static void host(void *ctx, struct buf *out)
{
    (void)ctx;
    host_collect("", out);
}

static void backups(void *ctx, struct buf *out)
{
    backups_collect(ctx, out);
}

static void checkup(void *ctx, struct buf *out)
{
    checkup_collect(ctx, out);
}

static void gpu(void *ctx, struct buf *out)
{
    gpus_collect(ctx, out);
}

/* Without a driver there are no GPUs, and that is fine unless an exporter is
 * asked for. */
static enum errc find_gpus(const struct monitor_options *o, struct own *own,
                           struct err *err)
{
    const struct gpu_options gpus = {.say = say};
    struct err why;

    if (o->no_gpu && !o->exporter)
        return ERR_OK;
    enum errc rc = gpus_new(&gpus, &own->gpus, &why);
    if (rc == ERR_NOT_FOUND && !o->exporter)
        return ERR_OK;
    return rc ? err_set(err, rc, "%s", why.msg) : ERR_OK;
}

static enum errc open_exporter(const struct monitor_options *o, struct own *own,
                               struct err *err)
{
    int fd;
    enum errc rc =
        o->exporter ? open_port(o, o->exporter_port, &fd, err) : ERR_OK;

    if (rc || !o->exporter)
        return rc;
    unsigned port = socket_port(fd);
    rc = exporter_start(own->gpus, fd, &o->control.limits, &own->exporter, err);
    if (!rc)
        log_event(LOG_INFO, "exporter.ready", "http://%s:%u/metrics", o->host,
                  port);
    return rc;
}

/* It comes when a start, of the machine perhaps, is over. */
static struct scrape_target doctor_target(const struct monitor_options *o,
                                          struct own *own)
{
    int64_t often = o->doctor_ms < MINUTE_MS ? o->doctor_ms : MINUTE_MS;

    own->checkup =
        (struct checkup){.interval_ns = o->doctor_ms * INT64_C(1000000),
                         .due_ns = clock_mono_ns() + often * INT64_C(1000000)};
    return (struct scrape_target){.job = "doctor",
                                  .url = "the doctor",
                                  .collect = checkup,
                                  .ctx = &own->checkup,
                                  .interval_ms = often,
                                  .timeout_ms = often,
                                  .instance = own->host};
}

static enum errc take_port(const struct monitor_options *o, unsigned port,
                           struct control_options *c, struct own *own,
                           struct err *err)
{
    bool any = strcmp(o->host, "0.0.0.0") == 0 || strcmp(o->host, "::") == 0;
    struct scrape_options *s = &c->scrape;

    (void)snprintf(own->address, sizeof(own->address), "http://%.250s:%u",
                   any ? "127.0.0.1" : o->host, port);
    (void)snprintf(own->metrics, sizeof(own->metrics), "%.300s/metrics",
                   own->address);
    struct str *external = &c->rules.env.external_url;
    if (!external->n)
        *external = str_from_cstr(own->address);
    while (external->n && external->p[external->n - 1] == '/')
        external->n--; /* as Prometheus: paths begin with one */
    c->notify.external_url = *external;
    own->targets = calloc(s->n + 4, sizeof(*own->targets));
    if (!own->targets)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(own->targets, s->targets, s->n * sizeof(*own->targets));
    if (!o->no_self)
        c->self = own->metrics;
    if (gethostname(own->host, sizeof(own->host) - 1) != 0)
        memcpy(own->host, "localhost", sizeof("localhost"));
    if (!o->no_host)
        own->targets[s->n++] = (struct scrape_target){.job = "host",
                                                      .url = "this machine",
                                                      .collect = host,
                                                      .instance = own->host};
    if (!o->no_host && o->doctor_ms)
        own->targets[s->n++] = doctor_target(o, own);
    if (own->gpus)
        own->targets[s->n++] = (struct scrape_target){.job = "gpu",
                                                      .url = "the GPUs",
                                                      .collect = gpu,
                                                      .ctx = own->gpus,
                                                      .instance = own->host};
    own->backups = o->backups;
    if (o->backups.n)
        own->targets[s->n++] = (struct scrape_target){.job = "backups",
                                                      .url = "the backups",
                                                      .collect = backups,
                                                      .ctx = &own->backups,
                                                      .instance = own->host};
    s->targets = own->targets;
    return ERR_OK;
}

/* Beside a service it does without the history that another monitor has. */
static enum errc make(const struct monitor_options *o,
                      struct control_options *options, struct control **out,
                      struct err *err)
{
    enum errc rc = control_new(options, out, err);

    if (rc != ERR_CONFLICT || !o->fd)
        return rc;
    log_event(LOG_WARN, "monitor.no_history", "%s; going on without", err->msg);
    options->store.dir = NULL;
    options->rules.state = NULL;
    options->notify.state = NULL;
    return control_new(options, out, err);
}

static enum errc answer(const struct monitor_options *o,
                        struct control_options *options, int fd,
                        const struct own *own, int64_t start,
                        const sigset_t *set, struct err *err)
{
    struct control *c;
    enum errc rc = make(o, options, &c, err);

    if (rc) {
        (void)close(fd);
        return rc;
    }
    rc = control_start(c, fd, err);
    if (!rc) {
        log_event(LOG_INFO, "monitor.ready", "%s  targets=%zu ms=%lld",
                  own->address, options->scrape.n,
                  (long long)((clock_mono_ns() - start) / 1000000));
        if (o->ready)
            o->ready(o->ready_ctx);
        wait_for_end(set, own->objects);
    }
    control_free(c);
    return rc;
}

enum errc monitor_run(const struct monitor_options *options, struct err *err)
{
    struct control_options control = options->control;
    int64_t start = clock_mono_ns();
    struct own own = {.objects = resident_objects()};
    sigset_t set;
    int fd = options->fd;

    /* Threads come and go with little: each need not keep memory of its own. */
    (void)mallopt(M_ARENA_MAX, 2);
    /* What was large goes back to the system: the threshold would rise to the
     * largest that was ever freed, and leave holes of that size. */
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    /* What is small stays for the next query: pages that come and go cost more
     * than the query. resident_trim() gives them back when it is quiet. */
    (void)mallopt(M_TRIM_THRESHOLD, KEEP);
    control.store.say = say;
    control.rules.say = say;
    control.notify.say = say;
    control.logs.say = say;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    if (options->fd) /* the terminal's; the master passes it on */
        (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file's limit is as a full disk */
    enum errc rc = fd ? ERR_OK : open_port(options, options->port, &fd, err);
    if (rc)
        return rc;
    rc = open_logs(options, &control.logs, &own, err);
    if (!rc)
        rc = fetch_init(err);
    if (!rc)
        rc = find_gpus(options, &own, err);
    if (!rc)
        rc = open_exporter(options, &own, err);
    if (!rc)
        rc = take_port(options, socket_port(fd), &control, &own, err);
    if (rc)
        (void)close(fd);
    else
        rc = answer(options, &control, fd, &own, start, &set, err);
    exporter_free(own.exporter);
    gpus_free(own.gpus);
    checkup_fini(&own.checkup);
    free(own.targets);
    close_logs(&own);
    return rc;
}
