/* gpu_text.c - readings as metrics. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "collect/gpu/gpu_internal.h"
#include "collect/text.h"

#define X(id, name, type, factor, help) {name, type, factor, help},
static const struct {
    const char *name, *type;
    double factor;
    const char *help;
} families[GPU_VALUES] = {GPU_MAP(X)};
#undef X

/* For rule files that know the GPU by its number only. */
static const struct {
    const char *name;
    enum gpu_value id;
    const char *help;
} aliases[] = {
    {"nvidia_gpu_utilization", GPU_UTIL, "DCGM_FI_DEV_GPU_UTIL, %."},
    {"nvidia_gpu_memory_used_bytes", GPU_FB_USED, "Memory that is used."},
    {"nvidia_gpu_memory_total_bytes", GPU_FB_TOTAL, "Memory."},
    {"nvidia_gpu_temperature_celsius", GPU_TEMP, "DCGM_FI_DEV_GPU_TEMP."},
};

/* Bits of NVML's clocks event reasons. */
static const struct {
    unsigned bit;
    const char *name;
} reasons[] = {
    {0x1, "idle"},        {0x2, "application_clocks"}, {0x4, "sw_power_cap"},
    {0x8, "hw_slowdown"}, {0x10, "sync_boost"},        {0x20, "sw_thermal"},
    {0x40, "hw_thermal"}, {0x80, "hw_power_brake"},    {0x100, "display_clock"},
};

struct writer {
    struct gpus *g;
    struct buf *out;
    struct buf labels;
    char room[GPU_LABELS_MAX];
};

static bool is_fresh(const struct gpus *g, const struct gpu *p)
{
    return g->up && p->handle && p->turn == g->turn && p->last.rc == 0;
}

static void label(struct writer *w, const char *key, const char *value)
{
    if (!*value)
        return;
    if (w->labels.n)
        buf_putc(&w->labels, ',');
    text_label(&w->labels, key, value);
}

static void number_label(struct writer *w, const char *key, unsigned v)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", v);
    label(w, key, text);
}

/* The labels of a GPU, or of an instance of it, in dcgm-exporter's order. */
static void identify(struct writer *w, const struct gpu *p,
                     const struct gpu_instance *mig)
{
    w->labels = (struct buf){
        .p = w->room, .cap = sizeof(w->room), .max = sizeof(w->room)};
    number_label(w, "gpu", p->id.index);
    label(w, "UUID", p->id.uuid);
    label(w, "pci_bus_id", p->id.bus);
    label(w, "device", p->id.device);
    label(w, "modelName", p->id.name);
    if (mig) {
        label(w, "GPU_I_PROFILE", mig->profile);
        number_label(w, "GPU_I_ID", mig->id);
    }
    label(w, "Hostname", w->g->host);
    label(w, "DCGM_FI_DRIVER_VERSION", w->g->driver);
}

static void put(struct writer *w, const char *name, double v)
{
    buf_putc(&w->labels, '\0');
    if (!w->labels.failed)
        text_put(w->out, name, w->room, v);
    w->labels.n -= !w->labels.failed;
}

/* ---- what was read ------------------------------------------------------ */

static bool any_has(const struct gpus *g, enum gpu_value id)
{
    for (unsigned i = 0; i < g->n; i++) {
        if (!is_fresh(g, g->v[i]))
            continue;
        if (!isnan(g->v[i]->last.v[id]))
            return true;
        for (unsigned k = 0; k < g->v[i]->last.n_instances; k++)
            if (!isnan(g->v[i]->last.instances[k].v[id]))
                return true;
    }
    return false;
}

static void put_value(struct writer *w, const struct gpu *p, enum gpu_value id)
{
    const struct gpu_reading *r = &p->last;
    double factor = families[id].factor;

    if (!isnan(r->v[id])) {
        identify(w, p, NULL);
        put(w, families[id].name, r->v[id] * factor);
    }
    for (unsigned k = 0; k < r->n_instances; k++) {
        if (isnan(r->instances[k].v[id]))
            continue;
        identify(w, p, &r->instances[k]);
        put(w, families[id].name, r->instances[k].v[id] * factor);
    }
}

static void put_values(struct writer *w)
{
    for (enum gpu_value id = 0; id < GPU_VALUES; id++) {
        if (!any_has(w->g, id))
            continue;
        text_family_help(w->out, families[id].name, families[id].type,
                         families[id].help);
        for (unsigned i = 0; i < w->g->n; i++)
            if (is_fresh(w->g, w->g->v[i]))
                put_value(w, w->g->v[i], id);
    }
}

static void put_aliases(struct writer *w)
{
    char labels[24];

    for (size_t a = 0; a < COUNT(aliases); a++) {
        if (!any_has(w->g, aliases[a].id))
            continue;
        text_family_help(w->out, aliases[a].name, "gauge", aliases[a].help);
        for (unsigned i = 0; i < w->g->n; i++) {
            const struct gpu *p = w->g->v[i];
            double v = p->last.v[aliases[a].id];
            if (!is_fresh(w->g, p) || isnan(v))
                continue;
            (void)snprintf(labels, sizeof(labels), "gpu=\"%u\"", p->id.index);
            text_put(w->out, aliases[a].name, labels, v);
        }
    }
}

static void put_reasons(struct writer *w)
{
    static const char name[] = "gpu_throttle";

    if (!any_has(w->g, GPU_THROTTLE))
        return;
    text_family_help(w->out, name, "gauge", "1: clocks are low for a reason.");
    for (unsigned i = 0; i < w->g->n; i++) {
        const struct gpu *p = w->g->v[i];
        double v = p->last.v[GPU_THROTTLE];
        for (size_t k = 0; is_fresh(w->g, p) && !isnan(v) && k < COUNT(reasons);
             k++) {
            identify(w, p, NULL);
            label(w, "reason", reasons[k].name);
            put(w, name, ((uint64_t)v & reasons[k].bit) != 0);
        }
    }
}

/* The name of a process; "" when it is in another container, or gone. */
static void name_process(const char *root, unsigned pid, char *out, size_t max)
{
    char path[4300];
    struct buf b;

    out[0] = '\0';
    (void)snprintf(path, sizeof(path), "%.4000s/proc/%u/comm", root, pid);
    buf_init(&b, max);
    if (fs_read_pseudo(path, &b, NULL) == ERR_OK && b.n && b.n < max) {
        memcpy(out, b.p, b.n);
        out[b.n - (b.p[b.n - 1] == '\n')] = '\0';
        out[b.n] = '\0';
    }
    buf_fini(&b);
}

static void put_processes(struct writer *w)
{
    static const char name[] = "gpu_process_memory_bytes";
    char comm[64];

    text_family_help(w->out, name, "gauge", "Memory of the GPU that it has.");
    for (unsigned i = 0; i < w->g->n; i++) {
        const struct gpu *p = w->g->v[i];
        for (unsigned k = 0; is_fresh(w->g, p) && k < p->last.n_processes;
             k++) {
            const struct gpu_process *process = &p->last.processes[k];
            if (isnan(process->bytes))
                continue;
            name_process(w->g->options.root, process->pid, comm, sizeof(comm));
            identify(w, p, NULL);
            number_label(w, "pid", process->pid);
            label(w, "process", comm);
            put(w, name, process->bytes);
        }
    }
}

/* ---- health ------------------------------------------------------------- */

/* 0, NVML's return, or a time-out of ours. */
static int error_of(const struct gpus *g, const struct gpu *p)
{
    if (!g->up)
        return g->start_rc;
    if (!p->handle)
        return p->last.rc;
    return p->turn == g->turn ? p->last.rc : NVML_TIMEOUT;
}

static void put_state(struct writer *w)
{
    text_family_help(w->out, "gpu_driver_up", "gauge",
                     "1: the driver answers.");
    text_put(w->out, "gpu_driver_up", "", w->g->up);
    text_family_help(w->out, "gpu_up", "gauge",
                     "1: the GPU could be read. 0: it is lost, or hangs.");
    for (unsigned i = 0; i < w->g->n; i++) {
        identify(w, w->g->v[i], NULL);
        put(w, "gpu_up", error_of(w->g, w->g->v[i]) == 0);
    }
    text_family_help(w->out, "gpu_error", "gauge",
                     "What NVML returned: 0 fine, 10 it hangs, 15 lost, 16 "
                     "needs a reset.");
    for (unsigned i = 0; i < w->g->n; i++) {
        identify(w, w->g->v[i], NULL);
        put(w, "gpu_error", error_of(w->g, w->g->v[i]));
    }
}

/* As dcgm-exporter has it: the last one; 0 again after five minutes. */
static void put_last_xid(struct writer *w, const struct gpu *p)
{
    unsigned last = 0, code = 0;
    char text[16];

    for (unsigned i = 1; i < p->n_xids; i++)
        if (p->xids[i].last_ns > p->xids[last].last_ns)
            last = i;
    if (p->n_xids && clock_wall_ns() - p->xids[last].last_ns <
                         (int64_t)XID_SHOWN_MS * 1000000)
        code = p->xids[last].xid;
    identify(w, p, NULL);
    (void)snprintf(text, sizeof(text), "%u", code);
    label(w, "err_code", text);
    label(w, "err_msg", gpu_xid_text(code));
    put(w, "DCGM_FI_DEV_XID_ERRORS", code);
}

static void put_xids(struct writer *w)
{
    text_family_help(w->out, "DCGM_FI_DEV_XID_ERRORS", "gauge",
                     "The last XID of the last five minutes, or 0.");
    for (unsigned i = 0; i < w->g->n; i++)
        put_last_xid(w, w->g->v[i]);
    text_family_help(w->out, "gpu_xid_errors_total", "counter",
                     "XIDs since the monitor started.");
    for (unsigned i = 0; i < w->g->n; i++)
        for (unsigned k = 0; k < w->g->v[i]->n_xids; k++) {
            identify(w, w->g->v[i], NULL);
            number_label(w, "xid", w->g->v[i]->xids[k].xid);
            put(w, "gpu_xid_errors_total", (double)w->g->v[i]->xids[k].count);
        }
}

static void put_ecc_events(struct writer *w)
{
    static const char name[] = "gpu_ecc_events_total";

    text_family_help(w->out, name, "counter",
                     "Memory errors that the driver told of.");
    for (unsigned i = 0; i < w->g->n; i++) {
        const struct gpu *p = w->g->v[i];
        identify(w, p, NULL);
        label(w, "kind", "single_bit");
        put(w, name, (double)p->single_bit);
        identify(w, p, NULL);
        label(w, "kind", "double_bit");
        put(w, name, (double)p->double_bit);
    }
}

void gpu_write(struct gpus *g, struct buf *out)
{
    struct writer w = {.g = g, .out = out};

    put_state(&w);
    put_xids(&w);
    put_ecc_events(&w);
    put_values(&w);
    put_aliases(&w);
    put_reasons(&w);
    put_processes(&w);
}
