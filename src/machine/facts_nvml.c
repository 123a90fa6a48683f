/* facts_nvml.c - what NVIDIA's driver says, through its management library:
 *
 *   driver 580.82.07
 *   cuda 13000                     the newest that it runs, 13.0
 *   gpus 2
 *   gpu0.name NVIDIA H200
 *   gpu0.capability 9.0
 *   gpu0.error 15 GPU is lost      in place of what could not be asked
 *
 * or, when nothing works, "error 18 Driver/library version mismatch". What a
 * GPU does not support is left out. ABSENT: the library is not there.
 */
#include "machine/facts.h"
#include "nvml/nvml.h"

enum { GPUS_MAX = 64, PROCESSES_MAX = 64, PROCESS_BYTES = 32, LINKS_MAX = 18 };

struct asking {
    const struct nvml *n;
    nvml_device device;
    unsigned i;
    struct buf *out;
};

static void put_texts(struct asking *a)
{
    const struct {
        const char *key;
        int (*call)(nvml_device, char *, unsigned);
    } rows[] = {
        {"name", a->n->name}, {"uuid", a->n->uuid}, {"vbios", a->n->vbios}};
    char text[NVML_TEXT_MAX];

    for (size_t k = 0; k < COUNT(rows); k++)
        if (rows[k].call &&
            rows[k].call(a->device, text, sizeof(text)) == NVML_SUCCESS)
            buf_printf(a->out, "gpu%u.%s %s\n", a->i, rows[k].key, text);
}

static void put_numbers(struct asking *a)
{
    const struct nvml *n = a->n;
    const struct {
        const char *key;
        int (*call)(nvml_device, unsigned *);
    } rows[] = {{"minor", n->minor},
                {"persistence", n->persistence},
                {"compute-mode", n->compute_mode},
                {"retired-pending", n->retired_pending},
                {"power-limit-mw", n->power_limit},
                {"power-default-mw", n->power_default},
                {"pcie-generation", n->pcie_generation},
                {"pcie-max-generation", n->pcie_max_generation},
                {"pcie-width", n->pcie_width},
                {"pcie-max-width", n->pcie_max_width},
                {"pcie-replays", n->pcie_replay},
                {"pstate", n->pstate}};
    unsigned v = 0;

    for (size_t k = 0; k < COUNT(rows); k++)
        if (rows[k].call && rows[k].call(a->device, &v) == NVML_SUCCESS)
            buf_printf(a->out, "gpu%u.%s %u\n", a->i, rows[k].key, v);
}

/* The temperature, and where it slows down. */
static void put_temperature(struct asking *a)
{
    enum { SENSOR = 0, SLOWDOWN = 1 };
    unsigned v = 0;

    if (NVML(a->n, temperature, a->device, SENSOR, &v) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.temperature %u\n", a->i, v);
    if (NVML(a->n, threshold, a->device, SLOWDOWN, &v) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.slowdown-temperature %u\n", a->i, v);
}

static void put_memory(struct asking *a)
{
    struct nvml_memory m = {0};
    struct nvml_bar1 bar1 = {0};
    unsigned corrected = 0, uncorrected = 0, pending = 0, failed = 0;
    unsigned now = 0, later = 0;
    unsigned long long errors = 0;

    if (NVML(a->n, memory, a->device, &m) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.memory %llu\ngpu%u.memory-used %llu\n", a->i,
                   m.total, a->i, m.used);
    if (NVML(a->n, bar1, a->device, &bar1) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.bar1 %llu\n", a->i, bar1.total);
    if (NVML(a->n, ecc_mode, a->device, &now, &later) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.ecc %u\ngpu%u.ecc-pending %u\n", a->i, now,
                   a->i, later);
    if (NVML(a->n, ecc, a->device, 1, 0, &errors) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.uncorrected %llu\n", a->i, errors);
    if (NVML(a->n, remapped, a->device, &corrected, &uncorrected, &pending,
             &failed) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.rows-pending %u\ngpu%u.rows-failed %u\n",
                   a->i, pending, a->i, failed);
}

static void put_state(struct asking *a)
{
    unsigned now = 0, later = 0;
    unsigned long long reasons = 0;
    int major = 0, minor = 0;
    struct nvml_pci pci = {.bus_id = ""};

    if (NVML(a->n, pci, a->device, &pci) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.bus %s\n", a->i, pci.bus_id);
    if (NVML(a->n, capability, a->device, &major, &minor) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.capability %d.%d\n", a->i, major, minor);
    if (NVML(a->n, throttle, a->device, &reasons) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.throttle %llu\n", a->i, reasons);
    if (NVML(a->n, mig_mode, a->device, &now, &later) == NVML_SUCCESS)
        buf_printf(a->out, "gpu%u.mig %u\ngpu%u.mig-pending %u\n", a->i, now,
                   a->i, later);
    int rc = a->n->inforom ? a->n->inforom(a->device) : NVML_SUCCESS;
    if (rc == NVML_CORRUPTED_INFOROM)
        buf_printf(a->out, "gpu%u.inforom-corrupt 1\n", a->i);
}

/* How many there are: the size of a process differs between drivers, so only
 * the number is looked at. */
static void put_processes(struct asking *a)
{
    const struct {
        const char *key;
        int (*call)(nvml_device, unsigned *, void *);
    } rows[] = {{"processes", a->n->processes},
                {"graphics-processes", a->n->graphics_processes}};
    static const size_t bytes = (size_t)PROCESSES_MAX * PROCESS_BYTES;
    char room[(size_t)PROCESSES_MAX * PROCESS_BYTES];

    for (size_t k = 0; k < COUNT(rows); k++) {
        unsigned n = (unsigned)(bytes / PROCESS_BYTES);
        if (rows[k].call && rows[k].call(a->device, &n, room) == NVML_SUCCESS)
            buf_printf(a->out, "gpu%u.%s %u\n", a->i, rows[k].key, n);
    }
}

static void put_links(struct asking *a)
{
    unsigned up = 0, down = 0, state = 0;

    for (unsigned k = 0; k < LINKS_MAX; k++)
        if (NVML(a->n, nvlink_state, a->device, k, &state) == NVML_SUCCESS)
            *(state ? &up : &down) += 1;
    if (up || down)
        buf_printf(a->out, "gpu%u.links-up %u\ngpu%u.links-down %u\n", a->i, up,
                   a->i, down);
}

static void put_gpu(const struct nvml *n, unsigned i, struct buf *out)
{
    struct asking a = {.n = n, .i = i, .out = out};
    char name[NVML_TEXT_MAX];
    int rc = NVML(n, by_index, i, &a.device);

    if (rc == NVML_SUCCESS)
        rc = NVML(n, name, a.device, name, sizeof(name));
    if (rc != NVML_SUCCESS) {
        buf_printf(out, "gpu%u.error %d %s\n", i, rc, nvml_error(n, rc));
        return;
    }
    put_texts(&a);
    put_numbers(&a);
    put_temperature(&a);
    put_memory(&a);
    put_state(&a);
    put_processes(&a);
    put_links(&a);
}

enum found fact_nvml(const char *argument, struct buf *out)
{
    char driver[NVML_TEXT_MAX] = "";
    unsigned gpus = 0;
    int cuda = 0;
    struct nvml n;
    struct err err = {0};

    (void)argument;
    enum errc opened = nvml_open(NULL, &n, &err);
    if (opened == ERR_NOT_FOUND)
        return ABSENT;
    if (opened) {
        buf_printf(out, "error -1 %s\n", err.msg);
        return FOUND;
    }
    int rc = n.init();
    if (rc == NVML_SUCCESS)
        rc = NVML(&n, device_count, &gpus);
    if (rc != NVML_SUCCESS) {
        buf_printf(out, "error %d %s\n", rc, nvml_error(&n, rc));
        return FOUND;
    }
    if (NVML(&n, driver_version, driver, sizeof(driver)) == NVML_SUCCESS)
        buf_printf(out, "driver %s\n", driver);
    if (NVML(&n, cuda_version, &cuda) == NVML_SUCCESS)
        buf_printf(out, "cuda %d\n", cuda);
    buf_printf(out, "gpus %u\n", gpus);
    for (unsigned i = 0; i < gpus && i < GPUS_MAX; i++)
        put_gpu(&n, i, out);
    (void)n.shutdown();
    return FOUND;
}
