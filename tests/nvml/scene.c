#include "nvml/scene.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const numbers[] = {
#define X(name) #name,
    NUMBERS(X)
#undef X
};

static _Atomic(struct scene *) current;
static _Atomic unsigned hanging; /* calls */
bool still;

struct world world = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct nvml_device handles[GPUS], migs[GPUS][8];

/* ---- the scenario ------------------------------------------------------- */

static void add_event(int gpu, unsigned xid, unsigned serial)
{
    for (unsigned i = 0; i < world.n_events; i++)
        if (world.events[i].serial == serial)
            return;
    if (world.n_events == EVENTS)
        abort();
    world.events[world.n_events].gpu = gpu;
    world.events[world.n_events].xid = xid;
    world.events[world.n_events].serial = serial;
    world.events[world.n_events++].told = false;
}

static void add_rule(struct scene *to, int gpu, const char *function, int rc)
{
    struct rule *r = &to->rules[to->n_rules++];

    if (to->n_rules > 64)
        abort();
    r->gpu = gpu;
    r->rc = rc;
    snprintf(r->function, sizeof(r->function), "%s", function);
}

static bool take_rule(struct scene *to, int gpu, const char *line)
{
    char function[64];
    int rc;

    if (sscanf(line, "fail %63s %d", function, &rc) == 2)
        add_rule(to, gpu, function, rc);
    else if (sscanf(line, "hang %63s", function) == 1)
        add_rule(to, gpu, function, -1);
    else
        return false;
    return true;
}

static void take_gpu(struct scene *to, int i, const char *line)
{
    struct fake_gpu *g = &to->gpus[i];
    unsigned a, b, c;
    double v;
    char key[32];

    if (take_rule(to, i, line))
        return;
    if (strncmp(line, "name ", 5) == 0) {
        snprintf(g->name, sizeof(g->name), "%s", line + 5);
    } else if (strncmp(line, "uuid ", 5) == 0) {
        snprintf(g->uuid, sizeof(g->uuid), "%s", line + 5);
    } else if (sscanf(line, "process %u %lf", &a, &v) == 2) {
        g->processes[g->n_processes].pid = a;
        g->processes[g->n_processes++].mib = v;
    } else if (sscanf(line, "mig %u %u %u", &a, &b, &c) == 3) {
        g->migs[g->n_migs].id = a;
        g->migs[g->n_migs].slices = b;
        g->migs[g->n_migs++].gib = c;
    } else if (sscanf(line, "gpm %u %lf", &a, &v) == 2) {
        g->gpm[g->n_gpm].id = a;
        g->gpm[g->n_gpm++].v = v;
    } else if (sscanf(line, "xid %u %u", &a, &b) == 2) {
        add_event(i, a, b);
    } else if (sscanf(line, "%31s %lf", key, &v) == 2) {
        for (int k = 0; k < N_COUNT; k++)
            if (strcmp(numbers[k], key) == 0) {
                g->v[k] = v;
                g->has[k] = true;
                return;
            }
        fprintf(stderr, "fake_nvml: what is '%s'?\n", line);
        abort();
    }
}

static void take_line(struct scene *to, char *line)
{
    char which[16];
    int used = 0;

    line[strcspn(line, "#\n")] = '\0';
    if (sscanf(line, "gpus %u", &to->n) == 1 ||
        sscanf(line, "driver %63s", to->driver) == 1 ||
        sscanf(line, "stride %u", &to->stride) == 1 || take_rule(to, ALL, line))
        return;
    if (sscanf(line, "gpu %15s %n", which, &used) != 1 || !used)
        return;
    for (int i = 0; i < (int)to->n; i++)
        if (which[0] == '*' || atoi(which) == i)
            take_gpu(to, i, line + used);
}

__attribute__((constructor)) static void number_handles(void)
{
    still = getenv("FAKE_NVML_STILL") != NULL;
    for (int i = 0; i < GPUS; i++) {
        handles[i] = (struct nvml_device){.index = i};
        for (unsigned k = 0; k < 8; k++)
            migs[i][k] = (struct nvml_device){true, i, k};
    }
}

__attribute__((destructor)) static void forget(void)
{
    if (hanging)
        return; /* they look at it still */
    for (struct scene *s = current, *older; s; s = older) {
        older = s->older;
        free(s);
    }
}

static struct scene *begin(void)
{
    struct scene *to = calloc(1, sizeof(*to));

    if (!to)
        abort();
    to->stride = 24;
    snprintf(to->driver, sizeof(to->driver), "580.82.07");
    for (int i = 0; i < GPUS; i++) {
        snprintf(to->gpus[i].name, sizeof(to->gpus[i].name), "Fake GPU");
        snprintf(to->gpus[i].uuid, sizeof(to->gpus[i].uuid),
                 "GPU-00000000-0000-0000-0000-%012d", i);
    }
    return to;
}

static struct scene *read_scene(const char *path, struct timespec changed)
{
    char line[512];
    FILE *f = fopen(path, "re");
    struct scene *to = begin();

    to->changed = changed;
    while (f && fgets(line, sizeof(line), f))
        take_line(to, line);
    if (f)
        fclose(f);
    return to;
}

void look(void)
{
    const char *path = getenv("FAKE_NVML");
    struct scene *was = current;
    struct stat s = {0};

    if (was && still)
        return;
    if (path && stat(path, &s) != 0)
        return;
    if (was && s.st_mtim.tv_sec == was->changed.tv_sec &&
        s.st_mtim.tv_nsec == was->changed.tv_nsec)
        return;
    struct scene *to = path ? read_scene(path, s.st_mtim) : begin();
    to->older = was;
    current = to;
}

struct scene *scene(void)
{
    if (still && current)
        return current;
    pthread_mutex_lock(&world.lock);
    look();
    pthread_mutex_unlock(&world.lock);
    return current;
}

static int rule_of(int gpu, const char *function)
{
    const struct scene *now = scene();
    int rc = 0;

    for (unsigned i = 0; i < now->n_rules; i++)
        if ((now->rules[i].gpu == gpu || now->rules[i].gpu == ALL) &&
            (strcmp(now->rules[i].function, function) == 0 ||
             (strcmp(now->rules[i].function, "*") == 0 && gpu != ALL)))
            rc = now->rules[i].rc;
    return rc;
}

int scripted(int gpu, const char *function)
{
    int rc = rule_of(gpu, function);

    if (rc >= 0)
        return rc;
    hanging++;
    while ((rc = rule_of(gpu, function)) < 0)
        usleep(10000);
    hanging--;
    return rc;
}
