/* driver_gpus.c - GPUs as the driver and the kernel's log tell of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/check.h"
#include "machine/pci.h"

/* What the driver said; p NULL when it said nothing of GPUs, which is
 * check_driver_answers()' business. */
static struct str ask(struct exam *x)
{
    struct str text = {NULL, 0};

    if (machine_fact(x->m, "nvml", &text) != FOUND ||
        fact_value(text, "error").p)
        return (struct str){NULL, 0};
    return text;
}

static unsigned count(struct str said)
{
    int64_t n = fact_number(said, "gpus", 0);

    return n > 0 && n < 1000 ? (unsigned)n : 0;
}

/* What all GPUs say of a thing, as evidence: "persistence 1 1". */
static void show(struct exam *x, struct str said, const char *key)
{
    struct buf line;

    buf_init(&line, 4096);
    for (unsigned i = 0; said.p && i < count(said); i++) {
        struct str value =
            fact_value(said, machine_path(x->m, "gpu%u.%s", i, key));
        if (value.p)
            buf_printf(&line, " " STR_FMT, STR_ARG(value));
    }
    if (line.n)
        evidence(x, "%s" STR_FMT, key, STR_ARG(buf_str(&line)));
    buf_fini(&line);
}

/* A number of a GPU; -1 if it does not say. */
static long long of(struct str said, unsigned gpu, const char *key)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "gpu%u.%s", gpu, key);
    return fact_number(said, name, -1);
}

void check_driver_answers(struct exam *x)
{
    struct str text = {NULL, 0};
    enum found found = machine_fact(x->m, "nvml", &text);

    if (found == BROKEN) {
        say(x, VERDICT_HUNG, DRIVER_SILENT);
        fix(x, "systemctl enable --now nvidia-persistenced");
        fix(x, "dmesg | grep -E 'NVRM|Xid' | tail");
        return;
    }
    struct str error = found == FOUND ? fact_value(text, "error") : STR("");
    if (error.n) {
        long long code = strtoll(error.p, NULL, 10);
        (void)str_cut(&error, ' ');
        say(x, VERDICT_FAILED, DRIVER_ERROR, cstr(x, error), code);
        if (code == 18)
            fix(x, "reboot   # the kernel module and the libraries differ");
        else if (code == 9)
            fix(x, "modprobe nvidia   # dmesg says why it is not loaded");
        return;
    }
    struct pci pci;
    if (found == NOT_CAPTURED && pci_gpus(x->m, &pci) == FOUND && pci.n)
        (void)got(x, found, "NVML");
    if (found == FOUND)
        evidence(x, "driver " STR_FMT ", cuda " STR_FMT,
                 STR_ARG(fact_value(text, "driver")),
                 STR_ARG(fact_value(text, "cuda")));
}

void check_driver_count(struct exam *x)
{
    struct str said = ask(x);
    struct pci pci;

    if (!said.p || pci_gpus(x->m, &pci) != FOUND)
        return;
    long long n = count(said);
    evidence(x, "pci %zu, driver %lld", pci.n, n);
    if (n >= 0 && (size_t)n < pci.n) {
        say(x, VERDICT_FAILED, DRIVER_FEWER, pci.n, n);
        fix(x, "dmesg | grep -E 'NVRM|Xid' | tail");
    }
}

void check_driver_lost(struct exam *x)
{
    struct str said = ask(x), log = {NULL, 0};

    show(x, said, "name");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        const char *key = machine_path(x->m, "gpu%u.error", i);
        struct str error = fact_value(said, key);
        if (!error.p)
            continue;
        say(x, VERDICT_FAILED, DRIVER_GPU_ERROR, i, cstr(x, error));
        fix(x, "nvidia-smi -r -i %u   # if that does not help: reboot", i);
    }
    if (machine_fact(x->m, "kernel-log", &log) != FOUND)
        return;
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        if (memmem(line.p, line.n, "fallen off the bus", 18)) {
            say(x, VERDICT_FAILED, DRIVER_OFF_BUS, cstr(x, line));
            fix(x, "reboot   # and look at the card's power and seat");
            return;
        }
    }
}

void check_driver_persistence(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "persistence");
    for (unsigned i = 0; said.p && i < count(said); i++)
        if (of(said, i, "persistence") == 0) {
            say(x, VERDICT_WARNING, DRIVER_NO_PERSISTENCE, i);
            fix(x, "systemctl enable --now nvidia-persistenced");
        }
}

void check_driver_ecc(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "uncorrected");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long bad = of(said, i, "uncorrected");
        if (bad > 0) {
            say(x, VERDICT_FAILED, DRIVER_ECC, i, bad);
            fix(x,
                "nvidia-smi -r -i %u   # after its programs have ended; if "
                "errors return, have it replaced",
                i);
        }
        if (of(said, i, "ecc") >= 0 &&
            of(said, i, "ecc") != of(said, i, "ecc-pending"))
            say(x, VERDICT_INFO, DRIVER_ECC_PENDING, i);
    }
}

void check_driver_rows(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "rows-pending");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        if (of(said, i, "rows-failed") > 0)
            say(x, VERDICT_FAILED, DRIVER_ROWS_FAILED, i);
        if (of(said, i, "rows-pending") > 0 ||
            of(said, i, "retired-pending") > 0) {
            say(x, VERDICT_WARNING, DRIVER_ROWS_PENDING, i);
            fix(x, "nvidia-smi -r -i %u   # after its programs have ended", i);
        }
    }
}

void check_driver_pcie(struct exam *x)
{
    struct str said = ask(x);

    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long width = of(said, i, "pcie-width"),
                  most = of(said, i, "pcie-max-width");
        evidence(x, "gpu%u x%lld of x%lld", i, width, most);
        if (width > 0 && width < most)
            say(x, VERDICT_WARNING, DRIVER_PCIE, i, width, most);
    }
}

/* Bits of nvmlDeviceGetCurrentClocksEventReasons. */
enum { SLOWED_HARDWARE = 0x8, SLOWED_HEAT = 0x20 | 0x40, POWER_BRAKE = 0x80 };

void check_driver_throttle(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "throttle");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long reasons = of(said, i, "throttle");
        if (reasons <= 0)
            continue;
        if (reasons & SLOWED_HEAT)
            say(x, VERDICT_WARNING, DRIVER_HOT, i);
        else if (reasons & (POWER_BRAKE | SLOWED_HARDWARE))
            say(x, VERDICT_WARNING, DRIVER_BRAKE, i);
    }
}

void check_driver_power(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "power-limit-mw");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long limit = of(said, i, "power-limit-mw") / 1000,
                  usual = of(said, i, "power-default-mw") / 1000;
        if (limit > 0 && limit < usual) {
            say(x, VERDICT_WARNING, DRIVER_POWER, i, limit, usual);
            fix(x, "nvidia-smi -i %u -pl %lld", i, usual);
        }
    }
}

void check_driver_temperature(struct exam *x)
{
    struct str said = ask(x);

    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long now = of(said, i, "temperature"),
                  limit = of(said, i, "slowdown-temperature");
        if (now > 0)
            evidence(x, "gpu%u %lld of %lld", i, now, limit);
        if (limit > 0 && now > limit - 5)
            say(x, VERDICT_WARNING, DRIVER_WARM, i, now, limit);
    }
}

void check_driver_compute_mode(struct exam *x)
{
    enum { PROHIBITED = 2, EXCLUSIVE = 3 };
    struct str said = ask(x);

    show(x, said, "compute-mode");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long mode = of(said, i, "compute-mode");
        if (mode == PROHIBITED)
            say(x, VERDICT_FAILED, DRIVER_PROHIBITED, i);
        else if (mode == EXCLUSIVE)
            say(x, VERDICT_WARNING, DRIVER_EXCLUSIVE, i);
        if (mode == PROHIBITED || mode == EXCLUSIVE)
            fix(x, "nvidia-smi -i %u -c DEFAULT", i);
    }
}

void check_driver_inforom(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "inforom-corrupt");
    for (unsigned i = 0; said.p && i < count(said); i++)
        if (of(said, i, "inforom-corrupt") == 1)
            say(x, VERDICT_FAILED, DRIVER_INFOROM, i);
}

void check_driver_mig(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "mig");
    for (unsigned i = 0; said.p && i < count(said); i++)
        if (of(said, i, "mig") != of(said, i, "mig-pending")) {
            say(x, VERDICT_WARNING, DRIVER_MIG_PENDING, i);
            fix(x, "nvidia-smi -r -i %u   # after its programs have ended", i);
        }
}

void check_driver_bar1(struct exam *x)
{
    enum { WINDOW_MIB = 256, LARGE_MIB = 16384 };
    struct str said = ask(x);

    show(x, said, "bar1");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long window = of(said, i, "bar1") >> 20,
                  memory = of(said, i, "memory") >> 20;
        if (window > 0 && window <= WINDOW_MIB && memory >= LARGE_MIB)
            say(x, VERDICT_INFO, DRIVER_BAR1, i, window, memory);
    }
}

void check_driver_nvlink(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "links-down");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long up = of(said, i, "links-up"),
                  down = of(said, i, "links-down");
        /* All down: there is no bridge. */
        if (up > 0 && down > 0) {
            say(x, VERDICT_FAILED, DRIVER_NVLINK, i, down, up + down);
            fix(x, "systemctl restart nvidia-fabricmanager   # where there are "
                   "NVSwitches; then: nvidia-smi nvlink -s");
        }
    }
}

void check_driver_orphans(struct exam *x)
{
    enum { DRIVERS_OWN_MIB = 2048 };
    struct str said = ask(x);

    show(x, said, "processes");
    for (unsigned i = 0; said.p && i < count(said); i++) {
        long long used = of(said, i, "memory-used") >> 20;
        if (used > DRIVERS_OWN_MIB && of(said, i, "processes") == 0 &&
            of(said, i, "graphics-processes") <= 0) {
            say(x, VERDICT_WARNING, DRIVER_ORPHANS, i, used);
            fix(x, "fuser -v /dev/nvidia%u   # as root: who has it open", i);
        }
    }
}

void check_driver_vbios(struct exam *x)
{
    static const char *const keys[] = {"name", "vbios"};
    struct str said = ask(x);

    for (size_t k = 0; said.p && k < COUNT(keys); k++) {
        struct str first =
            fact_value(said, machine_path(x->m, "gpu0.%s", keys[k]));
        show(x, said, keys[k]);
        for (unsigned i = 1; first.n && i < count(said); i++) {
            struct str other =
                fact_value(said, machine_path(x->m, "gpu%u.%s", i, keys[k]));
            if (other.n && !str_eq(first, other)) {
                say(x, VERDICT_INFO, DRIVER_MIXED, cstr(x, first), i,
                    cstr(x, other));
                break;
            }
        }
    }
}

void check_driver_display(struct exam *x)
{
    struct str said = ask(x);

    show(x, said, "graphics-processes");
    for (unsigned i = 0; said.p && i < count(said); i++)
        if (of(said, i, "graphics-processes") > 0) {
            say(x, VERDICT_INFO, DRIVER_DISPLAY, i,
                of(said, i, "graphics-processes"));
            fix(x, "systemctl set-default multi-user.target   # no desktop "
                   "after the next start");
        }
}

/* ---- XIDs --------------------------------------------------------------- */

static const struct xid {
    unsigned number;
    enum verdict verdict;
    const char *text[LANGUAGES];
} xids[] = {
#define XID(number, verdict, en, zh) {number, VERDICT_##verdict, {en, zh}},
#include "doctor/xids.def"
#undef XID
};

void check_driver_xids(struct exam *x)
{
    enum { MOST = 1000 };
    struct str log = {NULL, 0};
    unsigned times[MOST] = {0};
    const char *last[MOST] = {NULL}; /* the GPU that it was */

    if (!got(x, machine_fact(x->m, "kernel-log", &log), "/dev/kmsg"))
        return;
    evidence(x, "log read");
    while (log.n) {
        const char *line = cstr(x, str_cut(&log, '\n'));
        const char *p = strstr(line, "NVRM: Xid (PCI:");
        char gpu[32];
        unsigned n = 0;
        if (!p || sscanf(p, "NVRM: Xid (PCI:%31[^)]): %u", gpu, &n) != 2 ||
            n >= MOST)
            continue;
        times[n]++;
        last[n] = machine_path(x->m, "%s", gpu);
    }
    for (unsigned n = 1; n < MOST; n++) {
        if (!times[n])
            continue;
        const struct xid *known = NULL;
        for (size_t i = 0; i < COUNT(xids) && !known; i++)
            known = xids[i].number == n ? &xids[i] : NULL;
        evidence(x, "xid %u x%u", n, times[n]);
        say(x, known ? known->verdict : VERDICT_WARNING, DRIVER_XID, n,
            times[n], last[n],
            known ? known->text[x->options->language]
                  : "https://docs.nvidia.com/deploy/xid-errors/");
    }
}

void check_driver_sxids(struct exam *x)
{
    struct str log = {NULL, 0}, last = {NULL, 0};
    unsigned n = 0;

    if (machine_fact(x->m, "kernel-log", &log) != FOUND)
        return;
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        if (memmem(line.p, line.n, "SXid", 4)) {
            last = line;
            n++;
        }
    }
    evidence(x, "sxids %u", n);
    if (n == 0)
        return;
    say(x, VERDICT_FAILED, DRIVER_SXID, n, cstr(x, last));
    fix(x, "systemctl restart nvidia-fabricmanager   # a fatal one needs a "
           "restart of the machine");
}
