/* nvml_types.h - the types and numbers of NVIDIA's management library that we
 * use, as its header has them.
 *
 * Names, numbers and layouts: NVML API reference,
 * https://docs.nvidia.com/deploy/nvml-api/
 */
#ifndef NVML_NVML_TYPES_H
#define NVML_NVML_TYPES_H

#include <stdint.h>

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
    NVML_CORRUPTED_INFOROM = 14,
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

struct nvml_bar1 {
    unsigned long long total, free, used;
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

#endif
