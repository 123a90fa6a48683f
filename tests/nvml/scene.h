/* scene.h - the scenario that the NVML for tests plays: the file $FAKE_NVML. It
 * is read again when it changes, so a test can let things happen; with
 * $FAKE_NVML_STILL it is read once, and costs no more than a library that
 * answers from memory (for benchmarks).
 *
 * A line is "key value..." for the machine, or "gpu N key value..." for a GPU,
 * where N is a number or * (all of those before it). '#' begins a comment.
 *
 *   gpus 8                    how many there are
 *   driver 580.82.07          nvmlSystemGetDriverVersion
 *   stride 24                 bytes of a process: 24, or 32
 *   fail FUNCTION CODE        what a function returns, e.g. fail nvmlInit_v2 9
 *   hang FUNCTION             it does not return until the line is gone
 *   gpu 0 name NVIDIA H200
 *   gpu 0 power 350000        numbers under the names of `numbers` below
 *   gpu 0 process 4711 1024   pid and MiB
 *   gpu 0 mig 1 1 10          instance, slices, GiB
 *   gpu 0 gpm 5 42            metric and value
 *   gpu 0 fail FUNCTION CODE, gpu 0 hang FUNCTION
 *   gpu 0 xid 79 SERIAL       one event for each serial number seen first
 */
#ifndef TESTS_NVML_SCENE_H
#define TESTS_NVML_SCENE_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "nvml/nvml.h"

enum { GPUS = 16, LIST = 32, EVENTS = 64, ALL = -1, NO_SUCH = 13 };

#define NUMBERS(X)                                                            \
    X(util)                                                                   \
    X(mem_util)                                                               \
    X(encoder) X(decoder) X(total_mib) X(reserved_mib) X(used_mib) X(temp)    \
        X(mem_temp) X(shutdown_temp) X(slowdown_temp) X(power) X(power_limit) \
            X(energy) X(sm_clock) X(mem_clock) X(pstate) X(throttle) X(fan)   \
                X(sbe_vol) X(dbe_vol) X(sbe_agg) X(dbe_agg) X(rows_corr)      \
                    X(rows_unc) X(rows_pending) X(rows_failed) X(replay)      \
                        X(pcie_tx) X(pcie_rx) X(pcie_gen) X(pcie_width)       \
                            X(nvlink_tx) X(nvlink_rx) X(license)

enum number {
#define X(name) N_##name,
    NUMBERS(X)
#undef X
        N_COUNT
};

struct nvml_device {
    bool is_mig;
    int index;     /* of the GPU */
    unsigned slot; /* of the instance */
};

struct fake_gpu {
    char name[96], uuid[96];
    double v[N_COUNT];
    bool has[N_COUNT];
    struct {
        unsigned pid;
        double mib;
    } processes[LIST];
    unsigned n_processes;
    struct {
        unsigned id, slices, gib;
    } migs[8];
    unsigned n_migs;
    struct {
        unsigned id;
        double v;
    } gpm[LIST];
    unsigned n_gpm;
};

struct rule {
    int gpu; /* ALL */
    char function[64];
    int rc; /* -1: hangs */
};

/* What a file says. One that was read is never changed: a new one comes before
 * it, for calls that still look at the old one. */
struct scene {
    struct scene *older;
    struct timespec changed;
    struct fake_gpu gpus[GPUS];
    unsigned n;
    char driver[64];
    unsigned stride;
    struct rule rules[64];
    unsigned n_rules;
};

struct world {
    pthread_mutex_t lock; /* of all this, and of reading a scene */
    struct {
        int gpu;
        unsigned xid, serial;
        bool told;
    } events[EVENTS];
    unsigned n_events;
    unsigned long long registered[GPUS];
};

extern struct world world;

extern bool still; /* $FAKE_NVML_STILL */

extern struct nvml_device handles[GPUS], migs[GPUS][8];

/* What holds now. */
struct scene *scene(void);

/* Reads the file if it changed; with the lock of world held. */
void look(void);

/* The return that the scenario has for a call; waits while it hangs. gpu: ALL
 * for calls about the machine. */
int scripted(int gpu, const char *function);

#endif
