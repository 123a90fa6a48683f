/* gpu_internal.h - what the files of gpu/ share; nobody else includes this. */
#ifndef COLLECT_GPU_GPU_INTERNAL_H
#define COLLECT_GPU_GPU_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "collect/gpu/gpu.h"
#include "nvml/nvml.h"

enum {
    GPUS_MAX = 64,
    GPU_PROCESSES_MAX = 128,
    GPU_INSTANCES_MAX = 8,
    GPU_XIDS_MAX = 32, /* kinds of XID that are told apart, of a GPU */
    XID_SHOWN_MS = 300000,
    GPU_LABELS_MAX = 640
};

/* Values of a GPU or a MIG instance: name, type, factor of what was read, help.
 * Names are dcgm-exporter's; those it lacks are ours, in base units. */
/* clang-format off */
#define GPU_MAP(X) \
    X(SM_CLOCK, "DCGM_FI_DEV_SM_CLOCK", "gauge", 1, "Clock of the multiprocessors, MHz.") \
    X(MEM_CLOCK, "DCGM_FI_DEV_MEM_CLOCK", "gauge", 1, "Clock of the memory, MHz.") \
    X(MEM_TEMP, "DCGM_FI_DEV_MEMORY_TEMP", "gauge", 1, "Temperature of the memory, degrees Celsius.") \
    X(TEMP, "DCGM_FI_DEV_GPU_TEMP", "gauge", 1, "Temperature of the GPU, degrees Celsius.") \
    X(SLOWDOWN_TEMP, "DCGM_FI_DEV_SLOWDOWN_TEMP", "gauge", 1, "Temperature at which it slows down, degrees Celsius.") \
    X(SHUTDOWN_TEMP, "DCGM_FI_DEV_SHUTDOWN_TEMP", "gauge", 1, "Temperature at which it turns off, degrees Celsius.") \
    X(POWER, "DCGM_FI_DEV_POWER_USAGE", "gauge", 1e-3, "Power drawn, W.") \
    X(POWER_LIMIT, "DCGM_FI_DEV_ENFORCED_POWER_LIMIT", "gauge", 1e-3, "Power it may draw, W.") \
    X(ENERGY, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", 1, "Energy used since the driver was loaded, mJ.") \
    X(PCIE_REPLAY, "DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", 1, "Packets that PCIe had to send again.") \
    X(PCIE_TX_KB, "DCGM_FI_DEV_PCIE_TX_THROUGHPUT", "gauge", 1, "Sent over PCIe, KB/s over 20 ms.") \
    X(PCIE_RX_KB, "DCGM_FI_DEV_PCIE_RX_THROUGHPUT", "gauge", 1, "Received over PCIe, KB/s over 20 ms.") \
    X(PCIE_GENERATION, "DCGM_FI_DEV_PCIE_LINK_GEN", "gauge", 1, "Generation of the PCIe link now.") \
    X(PCIE_WIDTH, "DCGM_FI_DEV_PCIE_LINK_WIDTH", "gauge", 1, "Lanes of the PCIe link now.") \
    X(UTIL, "DCGM_FI_DEV_GPU_UTIL", "gauge", 1, "Share of the time that a kernel ran, %.") \
    X(MEM_UTIL, "DCGM_FI_DEV_MEM_COPY_UTIL", "gauge", 1, "Share of the time that memory was read or written, %.") \
    X(ENCODER, "DCGM_FI_DEV_ENC_UTIL", "gauge", 1, "Use of the video encoder, %.") \
    X(DECODER, "DCGM_FI_DEV_DEC_UTIL", "gauge", 1, "Use of the video decoder, %.") \
    X(PSTATE, "DCGM_FI_DEV_PSTATE", "gauge", 1, "Performance state: 0 is the fastest.") \
    X(FAN, "DCGM_FI_DEV_FAN_SPEED", "gauge", 1, "Speed of the fan, % of its highest.") \
    X(THROTTLE, "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "gauge", 1, "Why clocks are low, as bits.") \
    X(FB_TOTAL, "DCGM_FI_DEV_FB_TOTAL", "gauge", MIB, "Memory, MiB.") \
    X(FB_FREE, "DCGM_FI_DEV_FB_FREE", "gauge", MIB, "Memory that is free, MiB.") \
    X(FB_USED, "DCGM_FI_DEV_FB_USED", "gauge", MIB, "Memory that is used, MiB.") \
    X(FB_RESERVED, "DCGM_FI_DEV_FB_RESERVED", "gauge", MIB, "Memory that the driver keeps, MiB.") \
    X(ECC_SBE_VOL, "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "counter", 1, "Bits corrected since the driver was loaded.") \
    X(ECC_DBE_VOL, "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "counter", 1, "Errors beyond correction since the driver was loaded.") \
    X(ECC_SBE_AGG, "DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", "counter", 1, "Bits corrected in the life of the GPU.") \
    X(ECC_DBE_AGG, "DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", "counter", 1, "Errors beyond correction in the life of the GPU.") \
    X(ROWS_CORRECTABLE, "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "counter", 1, "Rows of memory replaced for errors that were corrected.") \
    X(ROWS_UNCORRECTABLE, "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", 1, "Rows of memory replaced for errors beyond correction.") \
    X(ROWS_PENDING, "DCGM_FI_DEV_ROW_REMAP_PENDING", "gauge", 1, "1: rows wait for a reset to be replaced.") \
    X(ROWS_FAILED, "DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", 1, "1: a row could not be replaced.") \
    X(NVLINK_TX, "gpu_nvlink_transmit_bytes_total", "counter", 1024, "Sent over all NVLinks, bytes.") \
    X(NVLINK_RX, "gpu_nvlink_receive_bytes_total", "counter", 1024, "Received over all NVLinks, bytes.") \
    X(NVLINK_TOTAL, "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "counter", 1, "Moved over all NVLinks in both directions, KiB.") \
    X(VGPU_LICENSE, "DCGM_FI_DEV_VGPU_LICENSE_STATUS", "gauge", 1, "1: a license for vGPU is in use.") \
    X(GRAPHICS_ACTIVE, "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge", 0.01, "Share of the time that the engine was busy, 0 to 1.") \
    X(SM_ACTIVE, "DCGM_FI_PROF_SM_ACTIVE", "gauge", 0.01, "Share of multiprocessors that had work, 0 to 1.") \
    X(SM_OCCUPANCY, "DCGM_FI_PROF_SM_OCCUPANCY", "gauge", 0.01, "Share of warps that were there, 0 to 1.") \
    X(TENSOR_ACTIVE, "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge", 0.01, "Share of cycles that tensor cores worked, 0 to 1.") \
    X(DRAM_ACTIVE, "DCGM_FI_PROF_DRAM_ACTIVE", "gauge", 0.01, "Share of cycles that memory moved data, 0 to 1.") \
    X(FP64_ACTIVE, "DCGM_FI_PROF_PIPE_FP64_ACTIVE", "gauge", 0.01, "Share of cycles of the FP64 pipe, 0 to 1.") \
    X(FP32_ACTIVE, "DCGM_FI_PROF_PIPE_FP32_ACTIVE", "gauge", 0.01, "Share of cycles of the FP32 pipe, 0 to 1.") \
    X(FP16_ACTIVE, "DCGM_FI_PROF_PIPE_FP16_ACTIVE", "gauge", 0.01, "Share of cycles of the FP16 pipe, 0 to 1.") \
    X(PCIE_TX, "DCGM_FI_PROF_PCIE_TX_BYTES", "gauge", 1048576, "Sent over PCIe, bytes/s.") \
    X(PCIE_RX, "DCGM_FI_PROF_PCIE_RX_BYTES", "gauge", 1048576, "Received over PCIe, bytes/s.") \
    X(NVLINK_TX_RATE, "DCGM_FI_PROF_NVLINK_TX_BYTES", "gauge", 1048576, "Sent over NVLink, bytes/s.") \
    X(NVLINK_RX_RATE, "DCGM_FI_PROF_NVLINK_RX_BYTES", "gauge", 1048576, "Received over NVLink, bytes/s.")
/* clang-format on */

#define MIB (1.0 / 1048576)

enum gpu_value {
#define X(id, name, type, factor, help) GPU_##id,
    GPU_MAP(X)
#undef X
        GPU_VALUES
};

struct gpu_process {
    unsigned pid;
    double bytes; /* NAN: not known */
};

/* A MIG instance. */
struct gpu_instance {
    unsigned id;
    char profile[24]; /* 1g.10gb */
    double v[GPU_VALUES];
};

/* What was read at once. NAN: the GPU does not say. */
struct gpu_reading {
    int rc; /* of NVML; not 0: nothing else is there */
    double v[GPU_VALUES];
    struct gpu_process processes[GPU_PROCESSES_MAX];
    unsigned n_processes;
    struct gpu_instance instances[GPU_INSTANCES_MAX];
    unsigned n_instances;
};

/* Who it is; stays when it is lost. */
struct gpu_id {
    unsigned index;
    char uuid[NVML_TEXT_MAX], name[NVML_TEXT_MAX], bus[NVML_BUS_MAX];
    char device[24]; /* nvidia0 */
};

/* The samples of GPM before and now, of a GPU and of its MIG instances. */
struct gpu_gpm {
    bool asked, supported;
    struct {
        unsigned instance;
        bool used, taken;
        nvml_gpm_sample before, now;
    } pairs[1 + GPU_INSTANCES_MAX];
};

struct gpu {
    struct gpus *all;
    pthread_t thread;
    bool started, ended;
    struct gpu_gpm gpm; /* the thread's */
    /* Of what follows: the lock of `all`. */
    struct gpu_id id;
    nvml_device handle; /* NULL: not there any more */
    bool wanted, busy;
    int64_t busy_ns; /* since */
    uint64_t turn;   /* of `last` */
    struct gpu_reading last;
    bool told_down;
    struct {
        unsigned xid;
        uint64_t count;
        int64_t last_ns; /* wall clock */
    } xids[GPU_XIDS_MAX];
    unsigned n_xids;
    uint64_t single_bit, double_bit; /* events */
};

struct gpus {
    struct gpu_options options;
    char host[256], driver[NVML_TEXT_MAX];
    struct nvml nvml;
    pthread_t keeper;
    bool keeper_started, keeper_ended;
    int kmsg; /* -1: cannot be read */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopped, up, paused, broken, asked;
    int start_rc;  /* of NVML's start */
    uint64_t turn; /* of collecting */
    struct gpu *v[GPUS_MAX];
    unsigned n;
    struct buf last;
};

/* True of returns after which nothing works until NVML starts anew. */
bool gpu_is_bad(int rc);

/* gpu_read.c: all that one GPU says; on its thread. */
void gpu_read(const struct nvml *n, nvml_device device, struct gpu_gpm *gpm,
              struct gpu_reading *out);

/* gpu_gpm.c */
void gpu_read_gpm(const struct nvml *n, nvml_device device, struct gpu_gpm *gpm,
                  struct gpu_reading *out);
void gpu_gpm_fini(const struct nvml *n, struct gpu_gpm *gpm);

/* gpu_keeper.c: the keeper's thread. */
void *gpu_keep(void *gpus);
void gpu_say(struct gpus *g, bool bad, const char *event, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* gpu_xid.c. The caller holds the lock. */
void gpu_note_xid(struct gpu *p, unsigned xid);
const char *gpu_xid_text(unsigned xid);
/* A line of /dev/kmsg: an XID that NVML does not deliver. */
void gpu_take_kernel_line(struct gpus *g, const char *line);

/* gpu_text.c. The caller holds the lock. */
void gpu_write(struct gpus *g, struct buf *out);

#endif
