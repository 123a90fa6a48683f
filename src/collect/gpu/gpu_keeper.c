/* gpu_keeper.c - the thread that starts NVML, and starts it anew when GPUs are
 * lost or the driver was away; and that hears of XIDs while it waits. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/gpu/gpu_internal.h"

enum { EVENT_WAIT_MS = 500, FIRST_WAIT_MS = 2000, LONGEST_WAIT_MS = 600000 };

/* What it keeps between two looks. */
struct keeper {
    struct gpus *g;
    nvml_events events; /* NULL: none */
    int64_t wait_ms;    /* until NVML is started again */
    int64_t tried_ns;
};

void gpu_say(struct gpus *g, bool bad, const char *event, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (g->options.say)
        g->options.say(g->options.ctx, bad, event, text);
}

/* ---- who is there ------------------------------------------------------- */

static void find_id(const struct nvml *n, nvml_device device, unsigned index,
                    struct gpu_id *out)
{
    struct nvml_pci pci = {.bus_id = ""};
    unsigned minor;

    *out = (struct gpu_id){.index = index};
    if (NVML(n, uuid, device, out->uuid, (unsigned)sizeof(out->uuid)) != 0)
        out->uuid[0] = '\0';
    if (NVML(n, name, device, out->name, (unsigned)sizeof(out->name)) != 0)
        out->name[0] = '\0';
    if (NVML(n, pci, device, &pci) == 0)
        (void)snprintf(out->bus, sizeof(out->bus), "%.31s", pci.bus_id);
    if (NVML(n, minor, device, &minor) == 0)
        (void)snprintf(out->device, sizeof(out->device), "nvidia%u", minor);
}

/* The GPU that was known under this name, or a new one; NULL: no memory. */
static struct gpu *entry_of(struct gpus *g, const struct gpu_id *id)
{
    for (unsigned i = 0; i < g->n; i++)
        if (id->uuid[0] ? strcmp(g->v[i]->id.uuid, id->uuid) == 0
                        : g->v[i]->id.index == id->index)
            return g->v[i];
    struct gpu *p = g->n < GPUS_MAX ? calloc(1, sizeof(*p)) : NULL;
    if (!p)
        return NULL;
    p->all = g;
    p->id = *id;
    g->v[g->n++] = p;
    return p;
}

/* The caller holds the lock and NVML has just been started; identities are
 * quick and touch no sensor. */
static int enumerate(struct gpus *g)
{
    unsigned n = 0;
    int rc = g->nvml.device_count(&n);

    for (unsigned i = 0; i < g->n; i++) {
        g->v[i]->handle = NULL;
        g->v[i]->last.rc = NVML_GPU_IS_LOST;
    }
    for (unsigned i = 0; !rc && i < n && i < GPUS_MAX; i++) {
        nvml_device device = NULL;
        struct gpu_id id = {.index = i};
        int found = g->nvml.by_index(i, &device);
        if (found == 0)
            find_id(&g->nvml, device, i, &id);
        struct gpu *p = entry_of(g, &id);
        if (p && found != 0)
            p->last.rc = found;
        if (p && found == 0) {
            p->id = id;
            p->handle = device;
        }
    }
    return rc;
}

/* ---- events ------------------------------------------------------------- */

static void listen(struct keeper *k)
{
    struct gpus *g = k->g;

    k->events = NULL;
    if (!g->nvml.event_wait || NVML(&g->nvml, event_set_create, &k->events))
        return;
    for (unsigned i = 0; i < g->n; i++)
        if (g->v[i]->handle)
            (void)NVML(&g->nvml, register_events, g->v[i]->handle,
                       NVML_EVENT_XID | NVML_EVENT_SINGLE_BIT_ECC |
                           NVML_EVENT_DOUBLE_BIT_ECC,
                       k->events);
}

static void take_event(struct gpus *g, const struct nvml_event *e)
{
    for (unsigned i = 0; i < g->n; i++) {
        struct gpu *p = g->v[i];
        if (p->handle != e->device)
            continue;
        if (e->type == NVML_EVENT_XID)
            gpu_note_xid(p, (unsigned)e->data);
        p->single_bit += e->type == NVML_EVENT_SINGLE_BIT_ECC;
        p->double_bit += e->type == NVML_EVENT_DOUBLE_BIT_ECC;
    }
}

static void rest(struct gpus *g, int64_t ms)
{
    struct timespec until;

    clock_deadline(ms, &until);
    pthread_mutex_lock(&g->lock);
    if (!g->stopped)
        (void)pthread_cond_timedwait(&g->wake, &g->lock, &until);
    pthread_mutex_unlock(&g->lock);
}

static void hear(struct keeper *k)
{
    struct nvml_event e = {.type = 0};

    if (!k->events) {
        rest(k->g, EVENT_WAIT_MS);
        return;
    }
    int rc = k->g->nvml.event_wait(k->events, &e, EVENT_WAIT_MS);
    if (rc != 0 && rc != NVML_TIMEOUT)
        rest(k->g, EVENT_WAIT_MS);
    if (rc != 0)
        return;
    pthread_mutex_lock(&k->g->lock);
    take_event(k->g, &e);
    pthread_mutex_unlock(&k->g->lock);
}

static void read_kernel_log(struct gpus *g)
{
    char room[8192], *rest_of = NULL;
    ssize_t n;

    while (g->kmsg >= 0) {
        n = read(g->kmsg, room, sizeof(room) - 1);
        if (n < 0 && errno == EPIPE)
            continue; /* lines were lost: they came faster than we read */
        if (n <= 0)
            return;
        room[n] = '\0';
        pthread_mutex_lock(&g->lock);
        for (char *line = strtok_r(room, "\n", &rest_of); line;
             line = strtok_r(NULL, "\n", &rest_of))
            gpu_take_kernel_line(g, line);
        pthread_mutex_unlock(&g->lock);
    }
}

/* ---- start -------------------------------------------------------------- */

static void *read_one(void *arg)
{
    struct gpu *p = arg;
    struct gpus *g = p->all;
    struct gpu_reading *reading = malloc(sizeof(*reading));

    pthread_mutex_lock(&g->lock);
    while (!g->stopped && reading) {
        if (!p->wanted || g->paused || !p->handle) {
            pthread_cond_wait(&g->wake, &g->lock);
            continue;
        }
        nvml_device handle = p->handle;
        uint64_t turn = g->turn;
        p->wanted = false;
        p->busy = true;
        p->busy_ns = clock_mono_ns();
        pthread_mutex_unlock(&g->lock);
        gpu_read(&g->nvml, handle, &p->gpm, reading);
        pthread_mutex_lock(&g->lock);
        p->busy = false;
        p->turn = turn;
        p->last = *reading;
        pthread_cond_broadcast(&g->wake);
    }
    p->ended = true;
    pthread_cond_broadcast(&g->wake);
    pthread_mutex_unlock(&g->lock);
    free(reading);
    return NULL;
}

static void start_threads(struct gpus *g)
{
    enum { STACK = 256 << 10 };
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK);
    for (unsigned i = 0; i < g->n; i++)
        if (!g->v[i]->started)
            g->v[i]->started =
                pthread_create(&g->v[i]->thread, &attr, read_one, g->v[i]) == 0;
    pthread_attr_destroy(&attr);
}

/* No reader may be busy. */
static void start(struct keeper *k)
{
    struct gpus *g = k->g;
    int rc = g->nvml.init();

    if (rc == 0 && NVML(&g->nvml, driver_version, g->driver,
                        (unsigned)sizeof(g->driver)) != 0)
        g->driver[0] = '\0';
    pthread_mutex_lock(&g->lock);
    if (rc == 0)
        rc = enumerate(g);
    if (rc != g->start_rc && rc == 0)
        gpu_say(g, false, "gpu.ready", "gpus=%u driver=%s", g->n, g->driver);
    else if (rc != g->start_rc)
        gpu_say(g, true, "gpu.no_driver",
                "NVML does not start: %s. Does nvidia-smi work? It is tried "
                "again",
                nvml_error(&g->nvml, rc));
    g->up = rc == 0;
    g->start_rc = rc;
    g->paused = false;
    if (rc == 0)
        start_threads(g);
    pthread_cond_broadcast(&g->wake);
    pthread_mutex_unlock(&g->lock);
    if (rc == 0)
        listen(k);
    k->tried_ns = clock_mono_ns();
}

/* Stops the readers; false: one of them hangs, NVML must be left alone. */
static bool pause_readers(struct gpus *g)
{
    enum { READERS_MS = 2000 };
    struct timespec until;
    unsigned busy;

    clock_deadline(READERS_MS, &until);
    pthread_mutex_lock(&g->lock);
    g->paused = true;
    do {
        busy = 0;
        for (unsigned i = 0; i < g->n; i++)
            busy += g->v[i]->busy;
    } while (busy && !g->stopped &&
             pthread_cond_timedwait(&g->wake, &g->lock, &until) == 0);
    if (busy)
        g->paused = false;
    pthread_cond_broadcast(&g->wake);
    pthread_mutex_unlock(&g->lock);
    return busy == 0;
}

static void stop(struct keeper *k)
{
    struct gpus *g = k->g;

    for (unsigned i = 0; i < g->n; i++)
        gpu_gpm_fini(&g->nvml, &g->v[i]->gpm);
    if (k->events)
        (void)NVML(&g->nvml, event_set_free, k->events);
    k->events = NULL;
    (void)g->nvml.shutdown();
}

/* NVML sees a GPU that was reset, or a driver that was loaded, only after a
 * new start. */
static void mend(struct keeper *k)
{
    struct gpus *g = k->g;

    pthread_mutex_lock(&g->lock);
    bool up = g->up, broken = !up || g->broken;
    g->broken = false;
    pthread_mutex_unlock(&g->lock);
    if (!broken) {
        k->wait_ms = FIRST_WAIT_MS;
        return;
    }
    if (up && !pause_readers(g))
        return;
    if (up)
        stop(k);
    start(k);
    k->wait_ms *= 2;
    if (k->wait_ms > LONGEST_WAIT_MS)
        k->wait_ms = LONGEST_WAIT_MS;
}

static bool goes_on(struct gpus *g)
{
    pthread_mutex_lock(&g->lock);
    bool more = !g->stopped;
    pthread_mutex_unlock(&g->lock);
    return more;
}

void *gpu_keep(void *gpus)
{
    struct keeper k = {.g = gpus, .wait_ms = FIRST_WAIT_MS};

    start(&k);
    while (goes_on(k.g)) {
        hear(&k);
        read_kernel_log(k.g);
        if (clock_mono_ns() - k.tried_ns > k.wait_ms * 1000000)
            mend(&k);
    }
    if (k.g->up && pause_readers(k.g))
        stop(&k);
    pthread_mutex_lock(&k.g->lock);
    k.g->keeper_ended = true;
    pthread_cond_broadcast(&k.g->wake);
    pthread_mutex_unlock(&k.g->lock);
    return NULL;
}
