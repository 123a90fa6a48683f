/* gpu_read.c - asks one GPU for everything. What it does not support is left
 * out; a return that means it is gone ends the reading. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collect/gpu/gpu_internal.h"

struct reader {
    const struct nvml *n;
    nvml_device device;
    struct gpu_gpm *gpm;
    struct gpu_reading *out;
};

bool gpu_is_bad(int rc)
{
    return rc == NVML_GPU_IS_LOST || rc == NVML_RESET_REQUIRED ||
           rc == NVML_DRIVER_NOT_LOADED || rc == NVML_UNINITIALIZED ||
           rc == NVML_VERSION_MISMATCH || rc == NVML_UNKNOWN;
}

static bool went(struct reader *r, int rc)
{
    if (gpu_is_bad(rc))
        r->out->rc = rc;
    return rc == NVML_SUCCESS;
}

static void take(struct reader *r, enum gpu_value id, int rc, double v)
{
    if (went(r, rc))
        r->out->v[id] = v;
}

/* Values that one call with one unsigned tells. */
static void read_simple(struct reader *r)
{
    const struct nvml *n = r->n;
    const struct {
        enum gpu_value id;
        int (*call)(nvml_device, unsigned *);
    } rows[] = {{GPU_POWER, n->power},
                {GPU_POWER_LIMIT, n->power_limit},
                {GPU_PSTATE, n->pstate},
                {GPU_FAN, n->fan},
                {GPU_PCIE_REPLAY, n->pcie_replay},
                {GPU_PCIE_GENERATION, n->pcie_generation},
                {GPU_PCIE_WIDTH, n->pcie_width}};
    unsigned v = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int rc = rows[i].call ? rows[i].call(r->device, &v) : NVML_NO_DATA;
        take(r, rows[i].id, rc, v);
    }
}

/* Values that one call with a selector tells. */
static void read_selected(struct reader *r)
{
    enum { GPU_SENSOR = 0, AT_SHUTDOWN = 0, AT_SLOWDOWN = 1 };
    const struct nvml *n = r->n;
    const struct {
        enum gpu_value id;
        int (*call)(nvml_device, unsigned, unsigned *);
        unsigned which;
    } rows[] = {{GPU_TEMP, n->temperature, GPU_SENSOR},
                {GPU_SHUTDOWN_TEMP, n->threshold, AT_SHUTDOWN},
                {GPU_SLOWDOWN_TEMP, n->threshold, AT_SLOWDOWN},
                {GPU_SM_CLOCK, n->clock, NVML_CLOCK_SM},
                {GPU_MEM_CLOCK, n->clock, NVML_CLOCK_MEMORY}};
    unsigned v = 0;

    for (size_t i = 0; i < COUNT(rows); i++) {
        int rc = rows[i].call ? rows[i].call(r->device, rows[i].which, &v)
                              : NVML_NO_DATA;
        take(r, rows[i].id, rc, v);
    }
}

static void read_load(struct reader *r)
{
    struct nvml_utilization u = {0, 0};
    unsigned v = 0, period = 0;
    unsigned long long big = 0;

    int rc = NVML(r->n, utilization, r->device, &u);
    take(r, GPU_UTIL, rc, u.gpu);
    take(r, GPU_MEM_UTIL, rc, u.memory);
    rc = NVML(r->n, encoder, r->device, &v, &period);
    take(r, GPU_ENCODER, rc, v);
    rc = NVML(r->n, decoder, r->device, &v, &period);
    take(r, GPU_DECODER, rc, v);
    rc = NVML(r->n, energy, r->device, &big);
    take(r, GPU_ENERGY, rc, (double)big);
    rc = NVML(r->n, throttle, r->device, &big);
    take(r, GPU_THROTTLE, rc, (double)big);
}

/* Of a GPU or a MIG instance, into v. */
static void read_memory(struct reader *r, nvml_device device, double *v)
{
    struct nvml_memory_v2 m = {.version =
                                   NVML_VERSIONED(struct nvml_memory_v2, 2)};
    struct nvml_memory old;

    if (went(r, NVML(r->n, memory_v2, device, &m))) {
        v[GPU_FB_RESERVED] = (double)m.reserved;
    } else if (!r->out->rc && went(r, NVML(r->n, memory, device, &old))) {
        m.total = old.total;
        m.free = old.free;
        m.used = old.used;
    } else {
        return;
    }
    v[GPU_FB_TOTAL] = (double)m.total;
    v[GPU_FB_FREE] = (double)m.free;
    v[GPU_FB_USED] = (double)m.used;
}

static void read_health(struct reader *r)
{
    enum { CORRECTED, UNCORRECTED };
    enum { SINCE_LOAD, OF_LIFE };
    static const struct {
        enum gpu_value id;
        unsigned kind, span;
    } ecc[] = {{GPU_ECC_SBE_VOL, CORRECTED, SINCE_LOAD},
               {GPU_ECC_DBE_VOL, UNCORRECTED, SINCE_LOAD},
               {GPU_ECC_SBE_AGG, CORRECTED, OF_LIFE},
               {GPU_ECC_DBE_AGG, UNCORRECTED, OF_LIFE}};
    unsigned long long n = 0;
    unsigned rows[4] = {0};

    for (size_t i = 0; i < COUNT(ecc); i++) {
        int rc = NVML(r->n, ecc, r->device, ecc[i].kind, ecc[i].span, &n);
        take(r, ecc[i].id, rc, (double)n);
    }
    int rc =
        NVML(r->n, remapped, r->device, &rows[0], &rows[1], &rows[2], &rows[3]);
    take(r, GPU_ROWS_CORRECTABLE, rc, rows[0]);
    take(r, GPU_ROWS_UNCORRECTABLE, rc, rows[1]);
    take(r, GPU_ROWS_PENDING, rc, rows[2]);
    take(r, GPU_ROWS_FAILED, rc, rows[3]);
}

static double value_of(const struct nvml_field *f)
{
    switch (f->type) {
    case 0:
        return f->value.d;
    case 1:
        return f->value.u;
    case 2:
        return (double)f->value.ul;
    case 3:
        return (double)f->value.ull;
    default:
        return (double)f->value.sll;
    }
}

static void read_fields(struct reader *r)
{
    static const enum gpu_value ids[] = {GPU_MEM_TEMP, GPU_NVLINK_TX,
                                         GPU_NVLINK_RX};
    struct nvml_field f[] = {
        {.id = NVML_FIELD_MEMORY_TEMPERATURE},
        {.id = NVML_FIELD_NVLINK_TX_KIB, .scope = UINT_MAX},
        {.id = NVML_FIELD_NVLINK_RX_KIB, .scope = UINT_MAX}};

    if (!went(r, NVML(r->n, fields, r->device, (int)COUNT(f), f)))
        return;
    for (size_t i = 0; i < COUNT(f); i++)
        take(r, ids[i], f[i].rc, value_of(&f[i]));
    r->out->v[GPU_NVLINK_TOTAL] =
        r->out->v[GPU_NVLINK_TX] + r->out->v[GPU_NVLINK_RX];
}

static void read_license(struct reader *r)
{
    struct nvml_grid grid = {.n = 0};
    int rc = NVML(r->n, grid, r->device, &grid);
    bool in_use = false;

    for (unsigned i = 0; !rc && i < grid.n && i < NVML_GRID_MAX; i++)
        in_use = in_use || grid.v[i].in_use;
    take(r, GPU_VGPU_LICENSE, rc, in_use);
}

/* Each call watches the bus for 20 ms: only where GPM does not tell. */
static void read_pcie(struct reader *r)
{
    enum { TX, RX };
    unsigned v = 0;

    if (r->gpm->supported)
        return;
    int rc = NVML(r->n, pcie_throughput, r->device, TX, &v);
    take(r, GPU_PCIE_TX_KB, rc, v);
    rc = rc ? rc : NVML(r->n, pcie_throughput, r->device, RX, &v);
    take(r, GPU_PCIE_RX_KB, rc, v);
}

/* ---- processes ---------------------------------------------------------- */

/* What the library writes for one process has 24 bytes, or, in early drivers
 * of branch 535, 32, and nothing tells which: the buffer is filled with a
 * pattern before, and seen what of it is left behind.
 * (nvitop#226; go-nvml#75) */
enum { STRIDE = 24, STRIDE_LONG = 32, UNTOUCHED = 0xaa };

static size_t stride_of(const unsigned char *buffer, unsigned n)
{
    for (size_t i = (size_t)n * STRIDE; i < (size_t)n * STRIDE_LONG; i++)
        if (buffer[i] != UNTOUCHED)
            return STRIDE_LONG;
    return STRIDE;
}

static void read_processes(struct reader *r)
{
    unsigned char buffer[GPU_PROCESSES_MAX * STRIDE_LONG];
    unsigned n = GPU_PROCESSES_MAX;
    unsigned long long bytes;

    memset(buffer, UNTOUCHED, sizeof(buffer));
    if (!went(r, NVML(r->n, processes, r->device, &n, buffer)) ||
        n > GPU_PROCESSES_MAX)
        return;
    size_t stride = stride_of(buffer, n);
    for (unsigned i = 0; i < n; i++) {
        struct gpu_process *p = &r->out->processes[i];
        const unsigned char *at = buffer + i * stride;
        memcpy(&p->pid, at, sizeof(p->pid));
        memcpy(&bytes, at + 8, sizeof(bytes));
        p->bytes = bytes == ULLONG_MAX ? (double)NAN : (double)bytes;
    }
    r->out->n_processes = n;
}

/* ---- MIG ---------------------------------------------------------------- */

static void read_instance(struct reader *r, nvml_device mig)
{
    struct gpu_instance *p = &r->out->instances[r->out->n_instances];
    struct nvml_attributes a;

    for (int i = 0; i < GPU_VALUES; i++)
        p->v[i] = NAN;
    if (!went(r, NVML(r->n, mig_instance, mig, &p->id)))
        return;
    for (unsigned i = 0; i < r->out->n_instances; i++)
        if (r->out->instances[i].id == p->id)
            return; /* another compute instance of the same */
    p->profile[0] = '\0';
    if (went(r, NVML(r->n, mig_attributes, mig, &a)))
        (void)snprintf(p->profile, sizeof(p->profile), "%ug.%llugb",
                       a.gpu_slices % 100, (a.memory_mib + 512) / 1024 % 10000);
    read_memory(r, mig, p->v);
    r->out->n_instances++;
}

static void read_instances(struct reader *r)
{
    unsigned now = 0, pending, n = 0;
    nvml_device mig;

    if (!went(r, NVML(r->n, mig_mode, r->device, &now, &pending)) || !now ||
        !went(r, NVML(r->n, mig_count, r->device, &n)))
        return;
    for (unsigned i = 0;
         i < n && r->out->n_instances < GPU_INSTANCES_MAX && !r->out->rc; i++)
        if (went(r, NVML(r->n, mig_by_index, r->device, i, &mig)))
            read_instance(r, mig);
}

void gpu_read(const struct nvml *n, nvml_device device, struct gpu_gpm *gpm,
              struct gpu_reading *out)
{
    static void (*const steps[])(struct reader * r) = {
        read_load,   read_simple,  read_selected,  read_health,
        read_fields, read_license, read_processes, read_instances};
    struct reader r = {n, device, gpm, out};

    out->rc = NVML_SUCCESS;
    out->n_processes = out->n_instances = 0;
    for (int i = 0; i < GPU_VALUES; i++)
        out->v[i] = NAN;
    read_memory(&r, device, out->v);
    for (size_t i = 0; i < COUNT(steps) && !out->rc; i++)
        steps[i](&r);
    if (!out->rc)
        gpu_read_gpm(n, device, gpm, out);
    if (!out->rc)
        read_pcie(&r);
}
