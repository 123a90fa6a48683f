/* nvml.h - the part of NVIDIA's management library that we call.
 *
 * The library comes with the driver, so it is found at run time; its types
 * (nvml_types.h) and functions are declared by ourselves, as far as we use
 * them. A function that an older driver lacks is NULL: call through NVML(),
 * which then says NVML_FUNCTION_NOT_FOUND.
 *
 * Threads: NVML may be called from any, but a call can hang on a sick GPU.
 */
#ifndef NVML_NVML_H
#define NVML_NVML_H

#include "base/err.h"
#include "nvml/nvml_types.h"

/* field, symbols in the order they are looked for, arguments. */
/* clang-format off */
#define NVML_MAP(X) \
    X(init, "nvmlInit_v2 nvmlInit", (void)) \
    X(shutdown, "nvmlShutdown", (void)) \
    X(driver_version, "nvmlSystemGetDriverVersion", (char *, unsigned)) \
    X(cuda_version, "nvmlSystemGetCudaDriverVersion_v2 nvmlSystemGetCudaDriverVersion", (int *)) \
    X(device_count, "nvmlDeviceGetCount_v2 nvmlDeviceGetCount", (unsigned *)) \
    X(by_index, "nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetHandleByIndex", (unsigned, nvml_device *)) \
    X(name, "nvmlDeviceGetName", (nvml_device, char *, unsigned)) \
    X(uuid, "nvmlDeviceGetUUID", (nvml_device, char *, unsigned)) \
    X(pci, "nvmlDeviceGetPciInfo_v3 nvmlDeviceGetPciInfo_v2", (nvml_device, struct nvml_pci *)) \
    X(minor, "nvmlDeviceGetMinorNumber", (nvml_device, unsigned *)) \
    X(capability, "nvmlDeviceGetCudaComputeCapability", (nvml_device, int *, int *)) \
    X(persistence, "nvmlDeviceGetPersistenceMode", (nvml_device, unsigned *)) \
    X(compute_mode, "nvmlDeviceGetComputeMode", (nvml_device, unsigned *)) \
    X(ecc_mode, "nvmlDeviceGetEccMode", (nvml_device, unsigned *, unsigned *)) \
    X(retired_pending, "nvmlDeviceGetRetiredPagesPendingStatus", (nvml_device, unsigned *)) \
    X(bar1, "nvmlDeviceGetBAR1MemoryInfo", (nvml_device, struct nvml_bar1 *)) \
    X(vbios, "nvmlDeviceGetVbiosVersion", (nvml_device, char *, unsigned)) \
    X(inforom, "nvmlDeviceValidateInforom", (nvml_device)) \
    X(power_default, "nvmlDeviceGetPowerManagementDefaultLimit", (nvml_device, unsigned *)) \
    X(pcie_max_generation, "nvmlDeviceGetMaxPcieLinkGeneration", (nvml_device, unsigned *)) \
    X(pcie_max_width, "nvmlDeviceGetMaxPcieLinkWidth", (nvml_device, unsigned *)) \
    X(nvlink_state, "nvmlDeviceGetNvLinkState", (nvml_device, unsigned, unsigned *)) \
    X(graphics_processes, "nvmlDeviceGetGraphicsRunningProcesses_v3", (nvml_device, unsigned *, void *)) \
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
