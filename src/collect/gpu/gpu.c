#include "collect/gpu/gpu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/gpu/gpu_internal.h"

enum { WAIT_MS = 5000, TEXT_MAX = 8 << 20, NOT_STARTED = -1 };

static int open_kernel_log(const char *root)
{
    char path[4200];

    (void)snprintf(path, sizeof(path), "%.4000s/dev/kmsg", root);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_END);
    return fd;
}

enum errc gpus_new(const struct gpu_options *options, struct gpus **out,
                   struct err *err)
{
    struct gpus *g = calloc(1, sizeof(*g));

    if (!g)
        return err_set(err, ERR_NOMEM, "out of memory");
    g->options = *options;
    g->options.root = options->root ? options->root : "";
    g->options.wait_ms = options->wait_ms ? options->wait_ms : WAIT_MS;
    enum errc rc = nvml_open(options->library, &g->nvml, err);
    if (rc) {
        free(g);
        return rc;
    }
    g->start_rc = NOT_STARTED;
    g->kmsg = open_kernel_log(g->options.root);
    if (gethostname(g->host, sizeof(g->host) - 1) != 0)
        g->host[0] = '\0';
    buf_init(&g->last, TEXT_MAX);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->wake, NULL);
    g->keeper_started = pthread_create(&g->keeper, NULL, gpu_keep, g) == 0;
    if (!g->keeper_started) {
        gpus_free(g);
        return err_set(err, ERR_IO, "cannot start a thread");
    }
    *out = g;
    return ERR_OK;
}

/* ---- a reading ---------------------------------------------------------- */

/* A GPU that hangs since an earlier turn is not waited for. */
static bool is_pending(const struct gpus *g, const struct gpu *p)
{
    int64_t since = clock_mono_ns() - p->busy_ns;

    return p->handle &&
           (p->busy ? since < g->options.wait_ms * 1000000 : p->wanted);
}

static bool any_pending(const struct gpus *g)
{
    if (g->start_rc == NOT_STARTED)
        return true;
    for (unsigned i = 0; i < g->n; i++)
        if (is_pending(g, g->v[i]))
            return true;
    return false;
}

static void want_all(struct gpus *g)
{
    for (unsigned i = 0; i < g->n; i++)
        g->v[i]->wanted = g->v[i]->handle && !g->v[i]->busy;
    pthread_cond_broadcast(&g->wake);
}

/* A GPU that is gone or back is said once, and lets NVML start anew. */
static void note_change(struct gpus *g, struct gpu *p)
{
    bool fresh = p->handle && p->turn == g->turn;
    int rc = !g->up                ? g->start_rc
             : fresh || !p->handle ? p->last.rc
                                   : NVML_TIMEOUT;

    g->broken = g->broken || (g->up && rc != NVML_TIMEOUT && rc != 0);
    if (rc != 0 && !p->told_down)
        gpu_say(g, true, "gpu.lost", "GPU %u (%s): %s", p->id.index, p->id.uuid,
                rc == NVML_TIMEOUT ? "it does not answer"
                                   : nvml_error(&g->nvml, rc));
    if (rc == 0 && p->told_down)
        gpu_say(g, false, "gpu.back", "GPU %u (%s)", p->id.index, p->id.uuid);
    p->told_down = rc != 0;
}

void gpus_collect(struct gpus *g, struct buf *out)
{
    struct timespec until;

    clock_deadline(g->options.wait_ms, &until);
    pthread_mutex_lock(&g->lock);
    while (g->start_rc == NOT_STARTED &&
           pthread_cond_timedwait(&g->wake, &g->lock, &until) == 0)
        continue;
    g->turn++;
    want_all(g);
    while (any_pending(g) &&
           pthread_cond_timedwait(&g->wake, &g->lock, &until) == 0)
        continue;
    for (unsigned i = 0; i < g->n; i++)
        note_change(g, g->v[i]);
    size_t before = out->n;
    gpu_write(g, out);
    buf_clear(&g->last);
    if (!out->failed)
        buf_put(&g->last, (struct str){out->p + before, out->n - before});
    pthread_mutex_unlock(&g->lock);
}

void gpus_last(struct gpus *g, struct buf *out)
{
    pthread_mutex_lock(&g->lock);
    buf_put(out, buf_str(&g->last));
    pthread_mutex_unlock(&g->lock);
}

/* ---- the end ------------------------------------------------------------ */

static bool all_ended(const struct gpus *g)
{
    bool all = !g->keeper_started || g->keeper_ended;

    for (unsigned i = 0; all && i < g->n; i++)
        all = !g->v[i]->started || g->v[i]->ended;
    return all;
}

static void leave(pthread_t thread, bool ended)
{
    if (ended)
        pthread_join(thread, NULL);
    else
        pthread_detach(thread);
}

/* Waits for the threads; false: one of them is in a call that hangs, and may
 * look at all this when it returns. */
static bool end_threads(struct gpus *g)
{
    enum { END_MS = 3000 };
    struct timespec until;

    clock_deadline(END_MS, &until);
    pthread_mutex_lock(&g->lock);
    g->stopped = true;
    pthread_cond_broadcast(&g->wake);
    while (!all_ended(g) &&
           pthread_cond_timedwait(&g->wake, &g->lock, &until) == 0)
        continue;
    bool all = all_ended(g), keeper = g->keeper_ended;
    bool ended[GPUS_MAX];
    for (unsigned i = 0; i < g->n; i++)
        ended[i] = g->v[i]->ended;
    pthread_mutex_unlock(&g->lock);
    if (g->keeper_started)
        leave(g->keeper, keeper);
    for (unsigned i = 0; i < g->n; i++)
        if (g->v[i]->started)
            leave(g->v[i]->thread, ended[i]);
    return all;
}

void gpus_free(struct gpus *g)
{
    if (!g || !end_threads(g))
        return;
    for (unsigned i = 0; i < g->n; i++)
        free(g->v[i]);
    if (g->kmsg >= 0)
        (void)close(g->kmsg);
    nvml_close(&g->nvml);
    buf_fini(&g->last);
    pthread_cond_destroy(&g->wake);
    pthread_mutex_destroy(&g->lock);
    free(g);
}
