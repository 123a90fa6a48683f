/* models.c - does a model run here, and what it needs: `stoker inspect` tries
 * it in a process of its own, here it is asked and judged. */
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "codec/json_tree.h"
#include "doctor/check.h"

enum { SAID_MAX = 4 << 20, MIB = 1 << 20, MARGIN_MS = 300 };

struct trial {
    const struct json_node *root; /* of `inspect --json`; NULL: it failed */
    struct str said;
    bool in_time;
    int64_t peak_mib; /* resident memory of whoever tried it */
};

/* Why it failed: "stoker: cannot load ...", without who says it. */
static struct str reason(struct str said)
{
    struct str line = str_cut(&said, '\n');

    return str_starts(line, STR("stoker: ")) ? str_slice(line, 8, line.n)
                                             : line;
}

static void try_model(struct exam *x, struct trial *t)
{
    const char *const argv[] = {"/proc/self/exe", "inspect", "--json",
                                x->options->model, NULL};
    struct rusage usage;
    struct buf out;
    int status = 0;

    *t = (struct trial){.in_time = true};
    buf_init(&out, SAID_MAX);
    t->in_time = machine_command(argv, true, x->options->limit_ms - MARGIN_MS,
                                 &status, &out) == FOUND;
    char *copy = arena_cstr(&x->m->arena, buf_str(&out));
    t->said = (struct str){copy ? copy : "", copy ? out.n : 0};
    buf_fini(&out);
    if (getrusage(RUSAGE_CHILDREN, &usage) == 0)
        t->peak_mib = usage.ru_maxrss / 1024;
    if (t->in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        t->root = json_tree_copy(t->said, &x->m->arena, NULL);
}

/* Of all GPUs, the most that is free; -1: there is none. */
static int64_t gpu_free_mib(struct exam *x)
{
    struct str text = {NULL, 0};
    int64_t most = -1;

    if (machine_fact(x->m, "nvml", &text) != FOUND)
        return -1;
    for (int i = 0; i < (int)fact_number(text, "gpus", 0); i++) {
        const char *all = machine_path(x->m, "gpu%d.memory", i),
                   *used = machine_path(x->m, "gpu%d.memory-used", i);
        int64_t left = fact_number(text, all, 0) - fact_number(text, used, 0);
        most = left / MIB > most ? left / MIB : most;
    }
    return most;
}

static void judge_memory(struct exam *x, const struct trial *t)
{
    int64_t weights = (json_i64_or(json_get(t->root, "size"), 0) +
                       json_i64_or(json_get(t->root, "external"), 0)) /
                      MIB;
    int64_t gpu = gpu_free_mib(x);
    long long kib = machine_meminfo(x->m, "MemAvailable");
    int64_t available = kib < 0 ? -1 : kib / 1024;

    evidence(x, "%lld MiB at most to load and try it, %lld MiB available",
             (long long)t->peak_mib, (long long)available);
    if (available >= 0 && t->peak_mib > available)
        say(x, VERDICT_FAILED, MODELS_MEMORY, (long long)t->peak_mib,
            (long long)available);
    if (gpu < 0)
        return;
    evidence(x, "weights %lld MiB, %lld MiB free on a GPU", (long long)weights,
             (long long)gpu);
    if (weights > gpu)
        say(x, VERDICT_WARNING, MODELS_GPU_MEMORY, (long long)weights,
            (long long)gpu);
    struct str devices = json_str_or(json_get(t->root, "devices"), "");
    if (!memmem(devices.p, devices.n, "cuda", 4)) {
        say(x, VERDICT_WARNING, MODELS_CPU_ONLY,
            cstr(x, json_str_or(json_get(t->root, "onnxruntime"), "?")),
            cstr(x, devices));
        fix(x, "stoker setup onnxruntime --ort "
               "onnxruntime-linux-x64-gpu-VERSION.tgz --ort-sha256 SUM "
               "--apply");
    }
}

void check_models_runs(struct exam *x)
{
    struct trial t;

    if (!x->options->model)
        return;
    try_model(x, &t);
    if (!t.in_time) {
        say(x, VERDICT_FAILED, MODELS_TOO_SLOW,
            (int)(x->options->limit_ms / 1000));
    } else if (!t.root) {
        say(x, VERDICT_FAILED, MODELS_DOES_NOT, cstr(x, reason(t.said)));
        fix(x, "stoker inspect %s", x->options->model);
    } else {
        evidence(x,
                 "%s " STR_FMT " %lld bytes, one run %.1f us on the "
                 "processor",
                 x->options->model,
                 STR_ARG(json_str_or(json_get(t.root, "format"), "?")),
                 (long long)json_i64_or(json_get(t.root, "size"), 0),
                 json_f64_or(json_get(t.root, "run_us"), 0));
        judge_memory(x, &t);
    }
}
