/* hardware.c - what the machine is made of. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/check.h"
#include "machine/os.h"
#include "machine/pci.h"

void check_hardware_gpus(struct exam *x)
{
    struct pci pci;

    if (pci_gpus(x->m, &pci) == FOUND && pci.n) {
        for (size_t i = 0; i < pci.n; i++)
            evidence(x, STR_FMT " 10de:%04x", STR_ARG(pci.v[i].address),
                     pci.v[i].device);
        return;
    }
    say(x, VERDICT_INFO, HARDWARE_NO_GPU);
}

/* ---- the CPU ------------------------------------------------------------ */

/* The value of the first "key : value". */
static struct str cpuinfo(struct str text, const char *key)
{
    while (text.n) {
        struct str value = str_cut(&text, '\n'), name = str_cut(&value, ':');
        if (value.p && str_eq(str_trim(name), str_from_cstr(key)))
            return str_trim(value);
    }
    return (struct str){NULL, 0};
}

static bool has_word(struct str words, const char *word)
{
    while (words.n)
        if (str_eq(str_cut(&words, ' '), str_from_cstr(word)))
            return true;
    return false;
}

void check_hardware_cpu(struct exam *x)
{
    struct str text = {NULL, 0};

    if (!got(x, machine_read(x->m, "/proc/cpuinfo", &text), "/proc/cpuinfo"))
        return;
    struct str flags = cpuinfo(text, "flags"),
               model = cpuinfo(text, "model name");
    if (model.p)
        evidence(x, STR_FMT, STR_ARG(model));
    if (!flags.p) /* not x86 */
        return;
    if (!has_word(flags, "avx"))
        say(x, VERDICT_FAILED, HARDWARE_NO_AVX);
    else if (!has_word(flags, "avx2"))
        say(x, VERDICT_WARNING, HARDWARE_NO_AVX2);
    else
        return;
    if (has_word(flags, "hypervisor"))
        say(x, VERDICT_INFO, HARDWARE_VM_CPU);
}

/* ---- memory ------------------------------------------------------------- */

#define EDAC "/sys/devices/system/edac/mc"

void check_hardware_memory_errors(struct exam *x)
{
    struct names names = {.n = 0};

    if (machine_list(x->m, EDAC, &names) != FOUND)
        return;
    for (size_t i = 0; i < names.n; i++) {
        const char *mc = names.v[i].p;
        if (!str_starts(names.v[i], STR("mc")))
            continue;
        long long bad = machine_number(
            x->m, machine_path(x->m, EDAC "/%s/ue_count", mc), 0);
        long long corrected = machine_number(
            x->m, machine_path(x->m, EDAC "/%s/ce_count", mc), 0);
        evidence(x, "%s ue=%lld ce=%lld", mc, bad, corrected);
        if (bad)
            say(x, VERDICT_FAILED, HARDWARE_UNCORRECTED, mc, bad);
        else if (corrected > 100)
            say(x, VERDICT_WARNING, HARDWARE_CORRECTED, mc, corrected);
    }
}

/* "Out of memory: Killed process 812 (python3) total-vm:..." */
static void look_for_the_killed(struct exam *x)
{
    static const char mark[] = "ut of memory: Killed process ";
    struct str log = {NULL, 0};
    const char *last = NULL;
    unsigned n = 0;

    if (machine_fact(x->m, "kernel-log", &log) != FOUND)
        return;
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        const char *at = memmem(line.p, line.n, mark, sizeof(mark) - 1);
        if (!at)
            continue;
        struct str who =
            str_slice(line, (size_t)(at - line.p) + sizeof(mark) - 1, line.n);
        const char *end = memchr(who.p, ')', who.n);
        last =
            cstr(x, end ? str_slice(who, 0, (size_t)(end - who.p) + 1) : who);
        n++;
    }
    if (!last)
        return;
    evidence(x, "killed %u", n);
    say(x, VERDICT_WARNING, HARDWARE_KILLED, n, last);
    fix(x, "journalctl -k | grep -i 'killed process'   # then give the service "
           "more memory, fewer workers or smaller batches");
}

void check_hardware_memory(struct exam *x)
{
    struct str text = {NULL, 0};

    if (!got(x, machine_read(x->m, "/proc/meminfo", &text), "/proc/meminfo"))
        return;
    long long of = machine_meminfo(x->m, "MemTotal") / 1024,
              left = machine_meminfo(x->m, "MemAvailable") / 1024;
    if (of <= 0 || left < 0)
        return;
    evidence(x, "%lld of %lld MiB", left, of);
    if (left * 20 < of)
        say(x, VERDICT_FAILED, HARDWARE_MEMORY_LOW, left, of);
    else if (left * 10 < of)
        say(x, VERDICT_WARNING, HARDWARE_MEMORY_LOW, left, of);
    look_for_the_killed(x);
}

/* ---- the kernel --------------------------------------------------------- */

/* "-generic" of 6.8.0-60-generic: kernels of one kind follow each other. */
static struct str kind_of_kernel(struct str release)
{
    const char *dash = memrchr(release.p, '-', release.n);

    return dash ? str_slice(release, (size_t)(dash - release.p), release.n)
                : STR("");
}

void check_hardware_kernel(struct exam *x)
{
    struct names kernels = {.n = 0};
    struct str uname = {NULL, 0}, newest = STR("");

    if (machine_fact(x->m, "uname", &uname) != FOUND ||
        machine_list(x->m, "/lib/modules", &kernels) != FOUND)
        return;
    struct str running = fact_value(uname, "release");
    bool installed = false;
    for (size_t i = 0; running.n && i < kernels.n; i++) {
        struct str k = kernels.v[i];
        if (!machine_kind(x->m,
                          machine_path(x->m, "/lib/modules/%s/kernel", k.p)) &&
            !machine_kind(
                x->m, machine_path(x->m, "/lib/modules/%s/modules.dep", k.p)))
            continue; /* what is left of one that was removed */
        installed = installed || str_eq(k, running);
        if (str_eq(kind_of_kernel(k), kind_of_kernel(running)) &&
            version_compare(k, newest.n ? newest : running) > 0)
            newest = k;
    }
    if (!installed) /* not a kernel of this system: a container */
        return;
    evidence(x, STR_FMT, STR_ARG(running));
    if (!newest.n)
        return;
    say(x, VERDICT_WARNING, HARDWARE_OLD_KERNEL, cstr(x, running),
        cstr(x, newest));
    fix(x, "reboot   # before a driver is installed: it is built for the "
           "kernel that runs");
}

/* ---- around it ---------------------------------------------------------- */

void check_hardware_virtual(struct exam *x)
{
    static const struct {
        const char *path, *what;
    } marks[] = {{"/.dockerenv", "docker"}, {"/run/.containerenv", "podman"}};
    struct str environment = {NULL, 0};
    const char *what = NULL;

    for (size_t i = 0; i < COUNT(marks) && !what; i++)
        what = machine_kind(x->m, marks[i].path) ? marks[i].what : NULL;
    (void)machine_fact(x->m, "environment", &environment);
    if (!what && fact_value(environment, "container").n)
        what = cstr(x, fact_value(environment, "container"));
    evidence(x, "%s", what ? what : "no container");
    if (what)
        say(x, VERDICT_INFO, HARDWARE_IN_CONTAINER, what);
}

void check_hardware_governor(struct exam *x)
{
    struct str text = {NULL, 0};

    if (machine_read(x->m,
                     "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                     &text) != FOUND)
        return;
    const char *governor = cstr(x, str_cut(&text, '\n'));
    evidence(x, "%s", governor);
    if (strcmp(governor, "powersave") != 0 &&
        strcmp(governor, "conservative") != 0)
        return;
    /* Drivers that steer themselves call their usual mode powersave. */
    if (machine_kind(x->m, "/sys/devices/system/cpu/intel_pstate") ||
        machine_kind(x->m, "/sys/devices/system/cpu/amd_pstate"))
        return;
    say(x, VERDICT_WARNING, HARDWARE_GOVERNOR, governor);
    fix(x, "cpupower frequency-set -g performance");
}
