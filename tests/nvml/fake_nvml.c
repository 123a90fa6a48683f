/* fake_nvml.c - a libnvidia-ml.so.1 for tests; scene.h has what it plays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nvml/scene.h"

static int number_of(nvml_device d, const char *function, enum number k,
                     double *out)
{
    const struct fake_gpu *g = &scene()->gpus[d->index];

    *out = g->v[k];
    if (!g->has[k] || d->is_mig)
        return NVML_NOT_SUPPORTED;
    return scripted(d->index, function);
}

/* ---- the machine -------------------------------------------------------- */

EXPORTED int nvmlInit_v2(void)
{
    return scripted(ALL, "nvmlInit_v2");
}

EXPORTED int nvmlShutdown(void)
{
    return 0;
}

EXPORTED const char *nvmlErrorString(int rc)
{
    return rc == NVML_GPU_IS_LOST         ? "GPU is lost"
           : rc == NVML_DRIVER_NOT_LOADED ? "Driver Not Loaded"
                                          : "an error";
}

EXPORTED int nvmlSystemGetDriverVersion(char *out, unsigned n)
{
    int rc = scripted(ALL, "nvmlSystemGetDriverVersion");

    snprintf(out, n, "%s", scene()->driver);
    return rc;
}

EXPORTED int nvmlDeviceGetCount_v2(unsigned *out)
{
    int rc = scripted(ALL, "nvmlDeviceGetCount_v2");

    *out = scene()->n;
    return rc;
}

EXPORTED int nvmlDeviceGetHandleByIndex_v2(unsigned i, nvml_device *out)
{
    *out = &handles[i];
    return scripted((int)i, "nvmlDeviceGetHandleByIndex_v2");
}

EXPORTED int nvmlDeviceGetName(nvml_device d, char *out, unsigned n)
{
    snprintf(out, n, "%s", scene()->gpus[d->index].name);
    return scripted(d->index, "nvmlDeviceGetName");
}

EXPORTED int nvmlDeviceGetUUID(nvml_device d, char *out, unsigned n)
{
    snprintf(out, n, "%s", scene()->gpus[d->index].uuid);
    return scripted(d->index, "nvmlDeviceGetUUID");
}

EXPORTED int nvmlDeviceGetPciInfo_v3(nvml_device d, struct nvml_pci *out)
{
    *out = (struct nvml_pci){.bus = 0x1b + (unsigned)d->index};
    snprintf(out->bus_id, sizeof(out->bus_id), "00000000:%02X:00.0", out->bus);
    return scripted(d->index, "nvmlDeviceGetPciInfo_v3");
}

EXPORTED int nvmlDeviceGetMinorNumber(nvml_device d, unsigned *out)
{
    *out = (unsigned)d->index;
    return scripted(d->index, "nvmlDeviceGetMinorNumber");
}

/* ---- numbers ------------------------------------------------------------ */

#define ONE(function, number)                             \
    EXPORTED int function(nvml_device d, unsigned *out);  \
    EXPORTED int function(nvml_device d, unsigned *out)   \
    {                                                     \
        double v;                                         \
        int rc = number_of(d, #function, N_##number, &v); \
        *out = (unsigned)v;                               \
        return rc;                                        \
    }

#define BIG(function, number)                                      \
    EXPORTED int function(nvml_device d, unsigned long long *out); \
    EXPORTED int function(nvml_device d, unsigned long long *out)  \
    {                                                              \
        double v;                                                  \
        int rc = number_of(d, #function, N_##number, &v);          \
        *out = (unsigned long long)v;                              \
        return rc;                                                 \
    }

#define EITHER(function, zero, one)                                       \
    EXPORTED int function(nvml_device d, unsigned which, unsigned *out);  \
    EXPORTED int function(nvml_device d, unsigned which, unsigned *out)   \
    {                                                                     \
        double v;                                                         \
        int rc = number_of(d, #function, which ? N_##one : N_##zero, &v); \
        *out = (unsigned)v;                                               \
        return rc;                                                        \
    }

ONE(nvmlDeviceGetPowerUsage, power)
ONE(nvmlDeviceGetEnforcedPowerLimit, power_limit)
ONE(nvmlDeviceGetPerformanceState, pstate)
ONE(nvmlDeviceGetFanSpeed, fan)
ONE(nvmlDeviceGetPcieReplayCounter, replay)
ONE(nvmlDeviceGetCurrPcieLinkGeneration, pcie_gen)
ONE(nvmlDeviceGetCurrPcieLinkWidth, pcie_width)
BIG(nvmlDeviceGetTotalEnergyConsumption, energy)
BIG(nvmlDeviceGetCurrentClocksThrottleReasons, throttle)
EITHER(nvmlDeviceGetTemperatureThreshold, shutdown_temp, slowdown_temp)
EITHER(nvmlDeviceGetPcieThroughput, pcie_tx, pcie_rx)

EXPORTED int nvmlDeviceGetTemperature(nvml_device d, unsigned k, unsigned *out)
{
    double v;
    int rc = number_of(d, "nvmlDeviceGetTemperature", N_temp, &v);

    *out = (unsigned)v;
    return k ? 2 : rc;
}

EXPORTED int nvmlDeviceGetClockInfo(nvml_device d, unsigned k, unsigned *out)
{
    double v;
    int rc = number_of(d, "nvmlDeviceGetClockInfo",
                       k == NVML_CLOCK_SM ? N_sm_clock : N_mem_clock, &v);

    *out = (unsigned)v;
    return rc;
}

EXPORTED int nvmlDeviceGetUtilizationRates(nvml_device d,
                                           struct nvml_utilization *out)
{
    double gpu, memory;
    int rc = number_of(d, "nvmlDeviceGetUtilizationRates", N_mem_util, &memory);

    rc = rc ? rc : number_of(d, "nvmlDeviceGetUtilizationRates", N_util, &gpu);
    if (!rc)
        *out = (struct nvml_utilization){(unsigned)gpu, (unsigned)memory};
    return rc;
}

#define CODER(function, number)                                            \
    EXPORTED int function(nvml_device d, unsigned *out, unsigned *period); \
    EXPORTED int function(nvml_device d, unsigned *out, unsigned *period)  \
    {                                                                      \
        double v;                                                          \
        int rc = number_of(d, #function, N_##number, &v);                  \
        *out = (unsigned)v;                                                \
        *period = 167000;                                                  \
        return rc;                                                         \
    }

CODER(nvmlDeviceGetEncoderUtilization, encoder)
CODER(nvmlDeviceGetDecoderUtilization, decoder)

static void memory_of(nvml_device d, struct nvml_memory_v2 *out)
{
    const struct fake_gpu *g = &scene()->gpus[d->index];
    double mib = 1048576;

    out->total = (unsigned long long)(g->v[N_total_mib] * mib);
    out->used = (unsigned long long)(g->v[N_used_mib] * mib);
    out->reserved = (unsigned long long)(g->v[N_reserved_mib] * mib);
    if (d->is_mig) {
        out->total = (unsigned long long)g->migs[d->slot].gib << 30;
        out->used = out->total / 4;
        out->reserved = 0;
    }
    out->free = out->total - out->used - out->reserved;
}

EXPORTED int nvmlDeviceGetMemoryInfo_v2(nvml_device d,
                                        struct nvml_memory_v2 *out)
{
    int rc = scripted(d->index, "nvmlDeviceGetMemoryInfo_v2");

    if (out->version != (40u | 2u << 24))
        return 25; /* NVML_ERROR_ARGUMENT_VERSION_MISMATCH */
    memory_of(d, out);
    return rc;
}

EXPORTED int nvmlDeviceGetMemoryInfo(nvml_device d, struct nvml_memory *out)
{
    struct nvml_memory_v2 m;
    int rc = scripted(d->index, "nvmlDeviceGetMemoryInfo");

    memory_of(d, &m);
    *out = (struct nvml_memory){m.total, m.free, m.used + m.reserved};
    return rc;
}

EXPORTED int nvmlDeviceGetTotalEccErrors(nvml_device d, unsigned kind,
                                         unsigned span, unsigned long long *out)
{
    static const enum number which[2][2] = {{N_sbe_vol, N_sbe_agg},
                                            {N_dbe_vol, N_dbe_agg}};
    double v;
    int rc = number_of(d, "nvmlDeviceGetTotalEccErrors", which[kind][span], &v);

    *out = (unsigned long long)v;
    return rc;
}

EXPORTED int nvmlDeviceGetRemappedRows(nvml_device d, unsigned *corr,
                                       unsigned *unc, unsigned *pending,
                                       unsigned *failed)
{
    const struct fake_gpu *g = &scene()->gpus[d->index];
    double v;

    *corr = (unsigned)g->v[N_rows_corr];
    *unc = (unsigned)g->v[N_rows_unc];
    *pending = (unsigned)g->v[N_rows_pending];
    *failed = (unsigned)g->v[N_rows_failed];
    return number_of(d, "nvmlDeviceGetRemappedRows", N_rows_corr, &v);
}

EXPORTED int nvmlDeviceGetFieldValues(nvml_device d, int n,
                                      struct nvml_field *f)
{
    double v;

    for (int i = 0; i < n; i++) {
        enum number k = f[i].id == 82    ? N_mem_temp
                        : f[i].id == 138 ? N_nvlink_tx
                                         : N_nvlink_rx;
        f[i].rc = number_of(d, "nvmlDeviceGetFieldValues", k, &v);
        f[i].type = f[i].id == 82 ? 1 : 3;
        if (f[i].id == 82)
            f[i].value.u = (unsigned)v;
        else
            f[i].value.ull = (unsigned long long)v;
    }
    return scripted(d->index, "nvmlDeviceGetFieldValues");
}

/* ---- processes, events -------------------------------------------------- */

EXPORTED int nvmlDeviceGetComputeRunningProcesses_v3(nvml_device d, unsigned *n,
                                                     void *out)
{
    const struct scene *now = scene();
    const struct fake_gpu *g = &now->gpus[d->index];
    int rc = scripted(d->index, "nvmlDeviceGetComputeRunningProcesses_v3");

    if (!rc && *n < g->n_processes)
        rc = 7 /* insufficient size */;
    *n = g->n_processes;
    for (unsigned i = 0; !rc && i < g->n_processes; i++) {
        char *at = (char *)out + (size_t)i * now->stride;
        unsigned long long used =
            g->processes[i].mib < 0
                ? ~0ull
                : (unsigned long long)(g->processes[i].mib * 1048576);
        memset(at, 0, now->stride);
        memcpy(at, &g->processes[i].pid, 4);
        memcpy(at + 8, &used, 8);
        memset(at + 16, 0xff, 8); /* no MIG instance */
    }
    return rc;
}

EXPORTED int nvmlEventSetCreate(nvml_events *out)
{
    static char set;

    *out = (nvml_events)(void *)&set;
    return scripted(ALL, "nvmlEventSetCreate");
}

EXPORTED int nvmlEventSetFree(nvml_events set)
{
    (void)set;
    pthread_mutex_lock(&world.lock);
    memset(world.registered, 0, sizeof(world.registered));
    pthread_mutex_unlock(&world.lock);
    return 0;
}

EXPORTED int nvmlDeviceRegisterEvents(nvml_device d, unsigned long long types,
                                      nvml_events set)
{
    (void)set;
    pthread_mutex_lock(&world.lock);
    world.registered[d->index] = types;
    pthread_mutex_unlock(&world.lock);
    return scripted(d->index, "nvmlDeviceRegisterEvents");
}

static bool next_event(struct nvml_event *out)
{
    pthread_mutex_lock(&world.lock);
    look();
    bool found = false;
    for (unsigned i = 0; !found && i < world.n_events; i++) {
        int gpu = world.events[i].gpu;
        /* 1 and 2 stand for ECC errors, which are events of their own. */
        unsigned type = world.events[i].xid <= 2 ? world.events[i].xid : 8;
        if (world.events[i].told || !(world.registered[gpu] & type))
            continue;
        world.events[i].told = found = true;
        *out = (struct nvml_event){&handles[gpu], type, world.events[i].xid,
                                   ~0u, ~0u};
    }
    pthread_mutex_unlock(&world.lock);
    return found;
}

EXPORTED int nvmlEventSetWait_v2(nvml_events set, struct nvml_event *out,
                                 unsigned ms)
{
    (void)set;
    unsigned step = still ? ms : 20;

    for (unsigned waited = 0; waited < ms; waited += step) {
        if (next_event(out))
            return 0;
        usleep(step * 1000);
    }
    return NVML_TIMEOUT;
}

EXPORTED int nvmlDeviceGetGridLicensableFeatures_v4(nvml_device d,
                                                    struct nvml_grid *out)
{
    double v;
    int rc =
        number_of(d, "nvmlDeviceGetGridLicensableFeatures_v4", N_license, &v);

    *out = (struct nvml_grid){.supported = 1, .n = 2};
    out->v[1].in_use = v != 0;
    return rc;
}

/* ---- MIG, GPM ----------------------------------------------------------- */

EXPORTED int nvmlDeviceGetMigMode(nvml_device d, unsigned *now,
                                  unsigned *pending)
{
    *now = *pending = scene()->gpus[d->index].n_migs > 0;
    return scripted(d->index, "nvmlDeviceGetMigMode");
}

EXPORTED int nvmlDeviceGetMaxMigDeviceCount(nvml_device d, unsigned *out)
{
    (void)d;
    *out = 7;
    return 0;
}

EXPORTED int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device d, unsigned i,
                                                 nvml_device *out)
{
    *out = &migs[d->index][i];
    return i < scene()->gpus[d->index].n_migs ? 0 : NVML_NOT_FOUND;
}

EXPORTED int nvmlDeviceGetGpuInstanceId(nvml_device d, unsigned *out)
{
    *out = scene()->gpus[d->index].migs[d->slot].id;
    return d->is_mig ? 0 : NVML_NOT_SUPPORTED;
}

EXPORTED int nvmlDeviceGetAttributes_v2(nvml_device d,
                                        struct nvml_attributes *out)
{
    *out = (struct nvml_attributes){
        .gpu_slices = scene()->gpus[d->index].migs[d->slot].slices,
        .memory_mib =
            scene()->gpus[d->index].migs[d->slot].gib * 1024ull - 100};
    return d->is_mig ? 0 : NVML_NOT_SUPPORTED;
}

/* Which GPU, or -1 - instance; and how often a sample was taken. */
struct nvml_gpm_sample {
    int gpu, instance;
    unsigned serial;
};

EXPORTED int nvmlGpmQueryDeviceSupport(nvml_device d,
                                       struct nvml_gpm_support *out)
{
    out->supported = scene()->gpus[d->index].n_gpm > 0;
    return out->version == 1 ? 0 : 25;
}

EXPORTED int nvmlGpmSampleAlloc(nvml_gpm_sample *out)
{
    *out = calloc(1, sizeof(**out));
    return *out ? 0 : 20;
}

EXPORTED int nvmlGpmSampleFree(nvml_gpm_sample s)
{
    free(s);
    return 0;
}

static void stamp(nvml_gpm_sample s, int gpu, int instance)
{
    static unsigned serial;

    *s = (struct nvml_gpm_sample){
        gpu, instance, __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED)};
}

EXPORTED int nvmlGpmSampleGet(nvml_device d, nvml_gpm_sample s)
{
    stamp(s, d->index, -1);
    return scripted(d->index, "nvmlGpmSampleGet");
}

EXPORTED int nvmlGpmMigSampleGet(nvml_device d, unsigned id, nvml_gpm_sample s)
{
    stamp(s, d->index, (int)id);
    return scripted(d->index, "nvmlGpmMigSampleGet");
}

/* Metrics of an instance are those of the GPU plus its number. */
EXPORTED int nvmlGpmMetricsGet(struct nvml_gpm *ask)
{
    const struct fake_gpu *g = &scene()->gpus[ask->after->gpu];

    if (ask->version != 1 || ask->before->gpu != ask->after->gpu ||
        ask->before->instance != ask->after->instance ||
        ask->before->serial >= ask->after->serial)
        return 2;
    for (unsigned i = 0; i < ask->n; i++) {
        ask->metrics[i].rc = NVML_NOT_SUPPORTED;
        for (unsigned k = 0; k < g->n_gpm; k++)
            if (g->gpm[k].id == ask->metrics[i].id) {
                ask->metrics[i].rc = 0;
                ask->metrics[i].value =
                    g->gpm[k].v +
                    (ask->after->instance > 0 ? ask->after->instance : 0);
            }
    }
    return 0;
}
