/* gpu_gpm.c - GPM: what NVML knows of Hopper and later from two samples. It
 * stands for DCGM's profiling metrics, and alone works under MIG. */
#include "collect/gpu/gpu_internal.h"

/* Numbers of NVML's GPM reference. */
static const struct {
    unsigned metric;
    enum gpu_value id;
} metrics[] = {
    {1, GPU_GRAPHICS_ACTIVE}, {2, GPU_SM_ACTIVE},
    {3, GPU_SM_OCCUPANCY},    {5, GPU_TENSOR_ACTIVE},
    {10, GPU_DRAM_ACTIVE},    {11, GPU_FP64_ACTIVE},
    {12, GPU_FP32_ACTIVE},    {13, GPU_FP16_ACTIVE},
    {20, GPU_PCIE_TX},        {21, GPU_PCIE_RX},
    {60, GPU_NVLINK_RX_RATE}, {61, GPU_NVLINK_TX_RATE},
};

enum { WHOLE = 0 }; /* pairs[0] is of the GPU itself */

static bool is_supported(const struct nvml *n, nvml_device device,
                         struct gpu_gpm *gpm)
{
    struct nvml_gpm_support support = {.version = 1};

    if (!gpm->asked)
        gpm->supported = n->gpm_alloc && n->gpm_take && n->gpm_metrics &&
                         NVML(n, gpm_support, device, &support) == 0 &&
                         support.supported;
    gpm->asked = true;
    return gpm->supported;
}

static void compute(const struct nvml *n, nvml_gpm_sample before,
                    nvml_gpm_sample now, double *v)
{
    struct nvml_gpm ask = {
        .version = 1, .n = COUNT(metrics), .before = before, .after = now};

    for (size_t i = 0; i < COUNT(metrics); i++)
        ask.metrics[i].id = metrics[i].metric;
    if (n->gpm_metrics(&ask) != 0)
        return;
    for (size_t i = 0; i < COUNT(metrics); i++)
        if (ask.metrics[i].rc == 0)
            v[metrics[i].id] = ask.metrics[i].value;
}

/* Makes the samples of a pair unless it has them. */
static bool open_pair(const struct nvml *n, struct gpu_gpm *gpm, int k,
                      unsigned instance)
{
    if (gpm->pairs[k].used)
        return true;
    if (n->gpm_alloc(&gpm->pairs[k].before) != 0)
        return false;
    if (n->gpm_alloc(&gpm->pairs[k].now) != 0) {
        (void)NVML(n, gpm_free, gpm->pairs[k].before);
        return false;
    }
    gpm->pairs[k].instance = instance;
    return gpm->pairs[k].used = true;
}

/* The pair of an instance; -1: none. Instances come and go: when none is left,
 * all begin anew. */
static int pair_of(const struct nvml *n, struct gpu_gpm *gpm, unsigned instance)
{
    int k = WHOLE + 1;

    while (k <= GPU_INSTANCES_MAX && gpm->pairs[k].used &&
           gpm->pairs[k].instance != instance)
        k++;
    if (k > GPU_INSTANCES_MAX)
        gpu_gpm_fini(n, gpm);
    return k <= GPU_INSTANCES_MAX && open_pair(n, gpm, k, instance) ? k : -1;
}

/* rc is that of taking the sample `now` of the pair. */
static void advance(const struct nvml *n, struct gpu_gpm *gpm, int k, int rc,
                    double *v)
{
    if (rc == 0 && gpm->pairs[k].taken)
        compute(n, gpm->pairs[k].before, gpm->pairs[k].now, v);
    gpm->pairs[k].taken = rc == 0;
    nvml_gpm_sample old = gpm->pairs[k].before;
    gpm->pairs[k].before = gpm->pairs[k].now;
    gpm->pairs[k].now = old;
}

void gpu_read_gpm(const struct nvml *n, nvml_device device, struct gpu_gpm *gpm,
                  struct gpu_reading *out)
{
    if (!is_supported(n, device, gpm))
        return;
    if (open_pair(n, gpm, WHOLE, 0)) {
        int rc = n->gpm_take(device, gpm->pairs[WHOLE].now);
        if (gpu_is_bad(rc))
            out->rc = rc;
        advance(n, gpm, WHOLE, rc, out->v);
    }
    for (unsigned i = 0; n->gpm_take_mig && i < out->n_instances; i++) {
        int k = pair_of(n, gpm, out->instances[i].id);
        if (k < 0)
            continue;
        int rc =
            n->gpm_take_mig(device, out->instances[i].id, gpm->pairs[k].now);
        advance(n, gpm, k, rc, out->instances[i].v);
    }
}

void gpu_gpm_fini(const struct nvml *n, struct gpu_gpm *gpm)
{
    for (int k = 0; k <= GPU_INSTANCES_MAX; k++) {
        if (!gpm->pairs[k].used)
            continue;
        (void)NVML(n, gpm_free, gpm->pairs[k].before);
        (void)NVML(n, gpm_free, gpm->pairs[k].now);
    }
    *gpm = (struct gpu_gpm){.asked = false};
}
