/* nvml.h - the part of NVIDIA's management library that we call.
 *
 * The library comes with the driver, so it is found at run time; its types and
 * functions are declared here, by ourselves, as far as we use them. A function
 * that an older driver lacks is NULL: call through NVML(), which then says
 * NVML_FUNCTION_NOT_FOUND.
 *
 * Names, numbers and layouts: NVML API reference,
 * https://docs.nvidia.com/deploy/nvml-api/
 *
 * Threads: NVML may be called from any, but a call can hang on a sick GPU.
 */
#ifndef COLLECT_GPU_NVML_H
#define COLLECT_GPU_NVML_H

#include <stdint.h>

#include "base/err.h"

typedef struct nvml_device *nvml_device;
typedef struct nvml_events *nvml_events;
typedef struct nvml_gpm_sample *nvml_gpm_sample;

/* nvmlReturn_t */
enum {
    NVML_SUCCESS = 0,
    NVML_UNINITIALIZED = 1,
    NVML_NOT_SUPPORTED = 3,
    NVML_NOT_FOUND = 6,
    NVML_DRIVER_NOT_LOADED = 9,
    NVML_TIMEOUT = 10,
    NVML_FUNCTION_NOT_FOUND = 13,
    NVML_GPU_IS_LOST = 15,
    NVML_RESET_REQUIRED = 16,
    NVML_VERSION_MISMATCH = 18,
    NVML_NO_DATA = 21,
    NVML_UNKNOWN = 999
};

enum { NVML_TEXT_MAX = 96, NVML_BUS_MAX = 32 };

struct nvml_utilization {
    unsigned gpu, memory; /* % of the last sample period */
};

struct nvml_memory {
    unsigned long long total, free, used;
};

/* As _v2: `used` does not count what the driver keeps. */
struct nvml_memory_v2 {
    unsigned version;
    unsigned long long total, reserved, free, used;
};

struct nvml_pci {
    char bus_id_old[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[NVML_BUS_MAX]; /* 00000000:1B:00.0 */
};

union nvml_value {
    double d;
    unsigned u;
    unsigned long ul;
    unsigned long long ull;
    long long sll;
};

struct nvml_field {
    unsigned id, scope;
    long long timestamp, latency_us;
    unsigned type; /* 0 double, 1 unsigned, 2 long, 3 long long, 4 signed */
    int rc;
    union nvml_value value;
};

struct nvml_event {
    nvml_device device;
    unsigned long long type, data;
    unsigned gpu_instance, compute_instance;
};

/* Of MIG (nvmlDeviceAttributes_t). */
struct nvml_attributes {
    unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas,
        gpu_slices, compute_slices;
    unsigned long long memory_mib;
};

struct nvml_gpm_support {
    unsigned version, supported;
};

struct nvml_gpm_metric {
    unsigned id;
    int rc;
    double value;
    const char *short_name, *long_name, *unit;
};

/* The library reads n of them, whatever its own limit is. */
enum { NVML_GPM_MAX = 333, NVML_GRID_MAX = 3 };

struct nvml_gpm {
    unsigned version, n;
    nvml_gpm_sample before, after;
    struct nvml_gpm_metric metrics[NVML_GPM_MAX];
};

/* nvmlGridLicensableFeatures_t, version 4. */
struct nvml_grid {
    int supported;
    unsigned n;
    struct {
        int code;
        unsigned in_use;
        char license[128], product[128];
        unsigned enabled;
        unsigned year;
        unsigned short month, day, hour, minute, second;
        unsigned char status;
    } v[NVML_GRID_MAX];
};

enum { NVML_CLOCK_SM = 1, NVML_CLOCK_MEMORY = 2 };

enum {
    NVML_EVENT_SINGLE_BIT_ECC = 0x1,
    NVML_EVENT_DOUBLE_BIT_ECC = 0x2,
    NVML_EVENT_XID = 0x8
};

enum {
    NVML_FIELD_MEMORY_TEMPERATURE = 82,
    NVML_FIELD_NVLINK_TX_KIB = 138, /* scope: link, or all of them: UINT_MAX */
    NVML_FIELD_NVLINK_RX_KIB = 139
};

#define NVML_VERSIONED(type, version) \
    ((unsigned)sizeof(type) | (unsigned)(version) << 24)

/* field, symbols in the order they are looked for, arguments. */
/* clang-format off */
#define NVML_MAP(X) \
    X(init, "nvmlInit_v2 nvmlInit", (void)) \
    X(shutdown, "nvmlShutdown", (void)) \
    X(driver_version, "nvmlSystemGetDriverVersion", (char *, unsigned)) \
    X(device_count, "nvmlDeviceGetCount_v2 nvmlDeviceGetCount", (unsigned *)) \
    X(by_index, "nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetHandleByIndex", (unsigned, nvml_device *)) \
    X(name, "nvmlDeviceGetName", (nvml_device, char *, unsigned)) \
    X(uuid, "nvmlDeviceGetUUID", (nvml_device, char *, unsigned)) \
    X(pci, "nvmlDeviceGetPciInfo_v3 nvmlDeviceGetPciInfo_v2", (nvml_device, struct nvml_pci *)) \
    X(minor, "nvmlDeviceGetMinorNumber", (nvml_device, unsigned *)) \
    X(utilization, "nvmlDeviceGetUtilizationRates", (nvml_device, struct nvml_utilization *)) \
    X(encoder, "nvmlDeviceGetEncoderUtilization", (nvml_device, unsigned *, unsigned *)) \
    X(decoder, "nvmlDeviceGetDecoderUtilization", (nvml_device, unsigned *, unsigned *)) \
    X(memory, "nvmlDeviceGetMemoryInfo", (nvml_device, struct nvml_memory *)) \
    X(memory_v2, "nvmlDeviceGetMemoryInfo_v2", (nvml_device, struct nvml_memory_v2 *)) \
    X(temperature, "nvmlDeviceGetTemperature", (nvml_device, unsigned, unsigned *)) \
    X(threshold, "nvmlDeviceGetTemperatureThreshold", (nvml_device, unsigned, unsigned *)) \
    X(power, "nvmlDeviceGetPowerUsage", (nvml_device, unsigned *)) \
    X(power_limit, "nvmlDeviceGetEnforcedPowerLimit", (nvml_device, unsigned *)) \
    X(energy, "nvmlDeviceGetTotalEnergyConsumption", (nvml_device, unsigned long long *)) \
    X(clock, "nvmlDeviceGetClockInfo", (nvml_device, unsigned, unsigned *)) \
    X(pstate, "nvmlDeviceGetPerformanceState", (nvml_device, unsigned *)) \
    X(throttle, "nvmlDeviceGetCurrentClocksEventReasons nvmlDeviceGetCurrentClocksThrottleReasons", (nvml_device, unsigned long long *)) \
    X(fan, "nvmlDeviceGetFanSpeed", (nvml_device, unsigned *)) \
    X(ecc, "nvmlDeviceGetTotalEccErrors", (nvml_device, unsigned, unsigned, unsigned long long *)) \
    X(remapped, "nvmlDeviceGetRemappedRows", (nvml_device, unsigned *, unsigned *, unsigned *, unsigned *)) \
    X(pcie_replay, "nvmlDeviceGetPcieReplayCounter", (nvml_device, unsigned *)) \
    X(pcie_throughput, "nvmlDeviceGetPcieThroughput", (nvml_device, unsigned, unsigned *)) \
    X(pcie_generation, "nvmlDeviceGetCurrPcieLinkGeneration", (nvml_device, unsigned *)) \
    X(pcie_width, "nvmlDeviceGetCurrPcieLinkWidth", (nvml_device, unsigned *)) \
    X(fields, "nvmlDeviceGetFieldValues", (nvml_device, int, struct nvml_field *)) \
    X(processes, "nvmlDeviceGetComputeRunningProcesses_v3", (nvml_device, unsigned *, void *)) \
    X(grid, "nvmlDeviceGetGridLicensableFeatures_v4", (nvml_device, struct nvml_grid *)) \
    X(event_set_create, "nvmlEventSetCreate", (nvml_events *)) \
    X(event_set_free, "nvmlEventSetFree", (nvml_events)) \
    X(register_events, "nvmlDeviceRegisterEvents", (nvml_device, unsigned long long, nvml_events)) \
    X(event_wait, "nvmlEventSetWait_v2", (nvml_events, struct nvml_event *, unsigned)) \
    X(mig_mode, "nvmlDeviceGetMigMode", (nvml_device, unsigned *, unsigned *)) \
    X(mig_count, "nvmlDeviceGetMaxMigDeviceCount", (nvml_device, unsigned *)) \
    X(mig_by_index, "nvmlDeviceGetMigDeviceHandleByIndex", (nvml_device, unsigned, nvml_device *)) \
    X(mig_instance, "nvmlDeviceGetGpuInstanceId", (nvml_device, unsigned *)) \
    X(mig_attributes, "nvmlDeviceGetAttributes_v2", (nvml_device, struct nvml_attributes *)) \
    X(gpm_support, "nvmlGpmQueryDeviceSupport", (nvml_device, struct nvml_gpm_support *)) \
    X(gpm_alloc, "nvmlGpmSampleAlloc", (nvml_gpm_sample *)) \
    X(gpm_free, "nvmlGpmSampleFree", (nvml_gpm_sample)) \
    X(gpm_take, "nvmlGpmSampleGet", (nvml_device, nvml_gpm_sample)) \
    X(gpm_take_mig, "nvmlGpmMigSampleGet", (nvml_device, unsigned, nvml_gpm_sample)) \
    X(gpm_metrics, "nvmlGpmMetricsGet", (struct nvml_gpm *))
/* clang-format on */

struct nvml {
    void *library;
    const char *(*error_string)(int rc);
#define X(field, symbols, args) int(*field) args;
    NVML_MAP(X)
#undef X
};

/* rc = NVML(n, power, device, &milliwatts) */
#define NVML(n, field, ...) \
    ((n)->field ? (n)->field(__VA_ARGS__) : NVML_FUNCTION_NOT_FOUND)

/* path NULL: $STOKER_NVML, or where drivers and containers have it. Nothing of
 * it is called yet. ERR_NOT_FOUND: this machine has none. */
MUST_CHECK enum errc nvml_open(const char *path, struct nvml *out,
                               struct err *err);
void nvml_close(struct nvml *n);

/* What an NVML return says, never NULL. */
const char *nvml_error(const struct nvml *n, int rc);

#endif
