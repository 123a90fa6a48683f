/* driver.c - NVIDIA's driver as files tell of it: bound, loaded, built, whole.
 */
#include <stdio.h>
#include <string.h>

#include "doctor/check.h"
#include "machine/nvidia.h"
#include "machine/os.h"
#include "machine/pci.h"

/* The GPUs on the bus; false: there are none, and nothing is to be examined. */
static bool has_gpus(struct exam *x, struct pci *out)
{
    return pci_gpus(x->m, out) == FOUND && out->n;
}

void check_driver_bound(struct exam *x)
{
    struct pci pci;

    if (!has_gpus(x, &pci))
        return;
    for (size_t i = 0; i < pci.n; i++) {
        const char *address = pci.v[i].address.p, *driver = pci.v[i].driver.p;
        evidence(x, "%s %s", address, driver);
        if (strcmp(driver, "vfio-pci") == 0) {
            say(x, VERDICT_FAILED, DRIVER_VFIO, address);
            fix(x, "driverctl unset-override %s", address);
        } else if (!*driver) {
            say(x, VERDICT_FAILED, DRIVER_UNBOUND, address);
            fix(x, "modprobe nvidia");
        }
    }
}

/* The image that the kernel starts with is to be made again. */
static void fix_initramfs(struct exam *x)
{
    struct os os;

    (void)os_read(x->m, &os);
    fix(x, os_has_dnf(&os) ? "dracut --force" : "update-initramfs -u");
}

void check_driver_nouveau(struct exam *x)
{
    struct pci pci;

    if (!has_gpus(x, &pci))
        return;
    for (size_t i = 0; i < pci.n; i++)
        if (!str_eq(pci.v[i].driver, STR("nouveau")))
            evidence(x, STR_FMT, STR_ARG(pci.v[i].driver));
        else {
            say(x, VERDICT_FAILED, DRIVER_NOUVEAU, pci.v[i].address.p);
            fix(x, "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' "
                   "> /etc/modprobe.d/blacklist-nouveau.conf");
            fix_initramfs(x);
            fix(x, "reboot");
        }
}

/* ---- blacklists --------------------------------------------------------- */

/* "blacklist nouveau", "install nouveau /bin/false", in a file of modprobe. */
static bool forbids(struct str text)
{
    static const char *const lines[] = {"blacklist nouveau",
                                        "install nouveau /bin/"};

    while (text.n) {
        struct str line = str_trim(str_cut(&text, '\n'));
        for (size_t i = 0; i < COUNT(lines); i++)
            if (str_starts(line, str_from_cstr(lines[i])))
                return true;
    }
    return false;
}

static bool forbidden_in(struct exam *x, const char *folder)
{
    struct names names = {.n = 0};
    struct str text = {NULL, 0};

    if (machine_list(x->m, folder, &names) != FOUND)
        return false;
    for (size_t i = 0; i < names.n; i++)
        if (str_ends(names.v[i], STR(".conf")) &&
            machine_read(x->m,
                         machine_path(x->m, "%s/%s", folder, names.v[i].p),
                         &text) == FOUND &&
            forbids(text)) {
            evidence(x, "%s/%s", folder, names.v[i].p);
            return true;
        }
    return false;
}

static bool forbidden_at_start(struct exam *x)
{
    struct str line = {NULL, 0};

    if (machine_read(x->m, "/proc/cmdline", &line) != FOUND)
        return false;
    return strstr(line.p, "nouveau.modeset=0") ||
           strstr(line.p, "blacklist=nouveau") ||
           strstr(line.p, "nouveau.blacklist=1");
}

void check_driver_blacklist(struct exam *x)
{
    struct pci pci;
    struct nvidia nv;

    if (!has_gpus(x, &pci) || nvidia_read(x->m, &nv) != FOUND)
        return;
    if (forbidden_in(x, "/etc/modprobe.d") ||
        forbidden_in(x, "/usr/lib/modprobe.d") ||
        forbidden_in(x, "/lib/modprobe.d") || forbidden_at_start(x))
        return;
    say(x, VERDICT_WARNING, DRIVER_NOT_BLACKLISTED);
    fix(x, "printf 'blacklist nouveau\\noptions nouveau modeset=0\\n' > "
           "/etc/modprobe.d/blacklist-nouveau.conf");
    fix_initramfs(x);
}

/* ---- modules and libraries ---------------------------------------------- */

static void propose_driver(struct exam *x)
{
    struct os os;

    (void)os_read(x->m, &os);
    if (str_eq(os.id, STR("ubuntu")))
        fix(x, "apt install nvidia-driver-580-server   # then: reboot");
    else if (os_has_apt(&os))
        fix(x, "apt install linux-headers-$(uname -r) nvidia-driver   # "
               "component non-free, then: reboot");
    else if (os_has_dnf(&os))
        fix(x, "dnf install kernel-devel-$(uname -r) nvidia-open   # from "
               "NVIDIA's repository, then: reboot");
}

void check_driver_modules(struct exam *x)
{
    struct pci pci;
    struct nvidia nv;

    if (!has_gpus(x, &pci))
        return;
    if (nvidia_read(x->m, &nv) != FOUND) {
        say(x, VERDICT_FAILED, DRIVER_NOT_INSTALLED);
        propose_driver(x);
        return;
    }
    if (!nv.loaded.n) {
        say(x, VERDICT_FAILED, DRIVER_NOT_LOADED, cstr(x, nv.library));
        fix(x, "modprobe nvidia   # if that fails: dmesg | grep -i nvrm");
        return;
    }
    evidence(x, "nvidia " STR_FMT "%s", STR_ARG(nv.loaded),
             nv.open ? " open" : "");
    if (!machine_kind(x->m, "/sys/module/nvidia_uvm")) {
        say(x, VERDICT_FAILED, DRIVER_NO_UVM);
        fix(x, "modprobe nvidia_uvm");
    }
}

void check_driver_versions(struct exam *x)
{
    struct nvidia nv;

    if (nvidia_read(x->m, &nv) != FOUND || !nv.loaded.n || !nv.library.n)
        return;
    evidence(x, "module " STR_FMT ", library " STR_FMT, STR_ARG(nv.loaded),
             STR_ARG(nv.library));
    if (str_eq(nv.loaded, nv.library))
        return;
    say(x, VERDICT_FAILED, DRIVER_MISMATCH, cstr(x, nv.loaded),
        cstr(x, nv.library));
    fix(x, "reboot   # or end all that uses the GPU (fuser -v /dev/nvidia*), "
           "then: rmmod nvidia_drm nvidia_modeset nvidia_uvm nvidia && "
           "modprobe nvidia");
}

/* ---- dkms --------------------------------------------------------------- */

static bool running_kernel(struct exam *x, struct str *out)
{
    struct str uname = {NULL, 0};

    if (machine_fact(x->m, "uname", &uname) != FOUND)
        return false;
    *out = fact_value(uname, "release");
    return out->n > 0;
}

void check_driver_headers(struct exam *x)
{
    struct pci pci;
    struct str release;

    if (!has_gpus(x, &pci) || !running_kernel(x, &release))
        return;
    const char *kernel = cstr(x, release);
    evidence(x, "kernel %s", kernel);
    if (!machine_kind(x->m, machine_path(x->m, "/lib/modules/%s", kernel)) ||
        machine_kind(x->m, machine_path(x->m, "/lib/modules/%s/build", kernel)))
        return; /* not a kernel of this system: a container */
    say(x, VERDICT_WARNING, DRIVER_NO_HEADERS, kernel);
    fix_package(x, machine_path(x->m, "linux-headers-%s", kernel),
                machine_path(x->m, "kernel-devel-%s", kernel));
}

/* A module of the driver for a kernel: of dkms, of the distribution's
 * packages, or of NVIDIA's installer. */
static bool is_built(struct exam *x, const char *kernel)
{
    static const char *const folders[] = {
        "updates/dkms",
        "extra",
        "kernel/drivers/video",
        "kernel/nvidia",
        "updates",
        "kernel/nvidia-580",
        "kernel/nvidia-535",
        "weak-updates/nvidia",
    };
    static const char *const ends[] = {
        "nvidia.ko",    "nvidia.ko.xz",      "nvidia.ko.zst",
        "nvidia.ko.gz", "nvidia-current.ko", "nvidia-current.ko.xz"};

    for (size_t i = 0; i < COUNT(folders); i++)
        for (size_t k = 0; k < COUNT(ends); k++)
            if (machine_kind(x->m, machine_path(x->m, "/lib/modules/%s/%s/%s",
                                                kernel, folders[i], ends[k])))
                return true;
    return false;
}

void check_driver_dkms(struct exam *x)
{
    struct names kernels = {.n = 0}, versions = {.n = 0};

    /* Only where dkms builds the driver: other packages have places of their
     * own for it. */
    if (machine_list(x->m, "/var/lib/dkms/nvidia", &versions) != FOUND ||
        machine_list(x->m, "/lib/modules", &kernels) != FOUND)
        return;
    for (size_t i = 0; i < kernels.n; i++) {
        const char *kernel = kernels.v[i].p;
        if (!machine_kind(
                x->m,
                machine_path(x->m, "/lib/modules/%s/modules.dep", kernel)))
            continue; /* what is left of one that was removed */
        bool built = is_built(x, kernel);
        evidence(x, "%s %s", kernel, built ? "built" : "not built");
        if (!built) {
            say(x, VERDICT_FAILED, DRIVER_NOT_BUILT, kernel);
            fix_package(x, machine_path(x->m, "linux-headers-%s", kernel),
                        machine_path(x->m, "kernel-devel-%s", kernel));
            fix(x, "dkms autoinstall -k %s", kernel);
        }
    }
}

void check_driver_pending(struct exam *x)
{
    struct names versions = {.n = 0};
    struct str newest = {NULL, 0}, release;
    struct nvidia nv;

    if (nvidia_read(x->m, &nv) != FOUND || !nv.loaded.n ||
        !running_kernel(x, &release) ||
        machine_list(x->m, "/var/lib/dkms/nvidia", &versions) != FOUND)
        return;
    for (size_t i = 0; i < versions.n; i++) {
        struct str v = versions.v[i];
        if (v.p[0] >= '0' && v.p[0] <= '9' &&
            machine_kind(x->m,
                         machine_path(x->m, "/var/lib/dkms/nvidia/%s/" STR_FMT,
                                      v.p, STR_ARG(release))) &&
            (!newest.n || version_compare(v, newest) > 0))
            newest = v;
    }
    evidence(x, "loaded " STR_FMT ", built " STR_FMT, STR_ARG(nv.loaded),
             STR_ARG(newest));
    if (newest.n && version_compare(newest, nv.loaded) > 0) {
        say(x, VERDICT_WARNING, DRIVER_PENDING, cstr(x, nv.loaded),
            cstr(x, newest));
        fix(x, "reboot");
    }
}

/* ---- device files ------------------------------------------------------- */

void check_driver_devices(struct exam *x)
{
    static const char *const shared[] = {"/dev/nvidiactl", "/dev/nvidia-uvm"};
    struct nvidia nv;

    if (nvidia_read(x->m, &nv) != FOUND || !nv.loaded.n)
        return;
    if (!machine_is_live(x->m) && !machine_kind(x->m, "/dev")) {
        (void)got(x, NOT_CAPTURED, "/dev");
        return;
    }
    for (size_t i = 0; i < COUNT(shared); i++)
        if (!machine_kind(x->m, shared[i])) {
            say(x, VERDICT_FAILED, DRIVER_NO_DEVICE, shared[i]);
            fix(x, "nvidia-modprobe -u -c 0");
        }
    struct names gpus = {.n = 0};
    evidence(x, "nvidiactl, nvidia-uvm");
    if (machine_list(x->m, "/proc/driver/nvidia/gpus", &gpus) != FOUND)
        return;
    for (size_t i = 0; i < gpus.n; i++) {
        struct str text = {NULL, 0};
        const char *path = machine_path(
            x->m, "/proc/driver/nvidia/gpus/%s/information", gpus.v[i].p);
        if (machine_read(x->m, path, &text) != FOUND)
            continue;
        const char *minor = strstr(text.p, "Device Minor:");
        unsigned n = 0;
        if (!minor || sscanf(minor, "Device Minor: %u", &n) != 1)
            continue;
        const char *device = machine_path(x->m, "/dev/nvidia%u", n);
        evidence(x, "nvidia%u", n);
        if (!machine_kind(x->m, device)) {
            say(x, VERDICT_FAILED, DRIVER_NO_DEVICE, device);
            fix(x, "nvidia-modprobe -c %u", n);
        }
    }
}

/* ---- upgrades ----------------------------------------------------------- */

struct driver_packages {
    struct exam *x;
    bool any;
    const char *loose; /* one that may be upgraded */
};

static void take_package(void *ctx, const struct package *p)
{
    struct driver_packages *d = ctx;

    if (str_starts(p->name, STR("nvidia-driver-")) ||
        str_starts(p->name, STR("libnvidia-compute-")) ||
        str_eq(p->name, STR("nvidia-driver"))) {
        d->any = true;
        if (!p->held)
            d->loose = cstr(d->x, p->name);
    }
}

void check_driver_upgrades(struct exam *x)
{
    struct driver_packages d = {x, false, NULL};
    struct str periodic = {NULL, 0}, rules = {NULL, 0};

    (void)packages_each(x->m, take_package, &d);
    if (d.any)
        evidence(x, "%s", d.loose ? d.loose : "held");
    if (!d.loose ||
        machine_read(x->m, "/etc/apt/apt.conf.d/20auto-upgrades", &periodic) !=
            FOUND ||
        !strstr(periodic.p, "Unattended-Upgrade \"1\""))
        return;
    if (machine_read(x->m, "/etc/apt/apt.conf.d/50unattended-upgrades",
                     &rules) == FOUND) {
        const char *list = strstr(rules.p, "Package-Blacklist");
        if (list && strstr(list, "nvidia"))
            return;
    }
    say(x, VERDICT_WARNING, DRIVER_UPGRADES, d.loose);
    fix(x, "apt-mark hold $(dpkg-query -W -f '${Package}\\n' '*nvidia*')");
}

/* Names of GPUs that need one kind of module: by compute capability. */
void check_driver_flavour(struct exam *x)
{
    struct str said = {NULL, 0};
    struct nvidia nv;

    if (nvidia_read(x->m, &nv) != FOUND || !nv.loaded.n ||
        machine_fact(x->m, "nvml", &said) != FOUND)
        return;
    evidence(x, "%s", nv.open ? "open" : "proprietary");
    for (unsigned i = 0; i < 64; i++) {
        struct str capability =
            fact_value(said, machine_path(x->m, "gpu%u.capability", i));
        if (!capability.n)
            return;
        bool needs_open = version_compare(capability, STR("10.0")) >= 0,
             needs_closed = version_compare(capability, STR("7.5")) < 0;
        if (needs_open && !nv.open) {
            say(x, VERDICT_FAILED, DRIVER_NEEDS_OPEN, i, cstr(x, capability));
            fix_package(x, "nvidia-open", "nvidia-open");
        } else if (needs_closed && nv.open) {
            say(x, VERDICT_FAILED, DRIVER_NEEDS_CLOSED, i, cstr(x, capability));
            fix_package(x, "cuda-drivers-580", "cuda-drivers-580");
        }
    }
}

void check_driver_twice(struct exam *x)
{
    struct driver_packages d = {x, false, NULL};
    bool installer = machine_kind(x->m, "/usr/bin/nvidia-uninstall");

    (void)packages_each(x->m, take_package, &d);
    if (!d.any && !installer)
        return;
    evidence(x, "packages %s, installer %s", d.any ? "yes" : "no",
             installer ? "yes" : "no");
    if (!d.any || !installer)
        return;
    say(x, VERDICT_FAILED, DRIVER_TWICE, d.loose ? d.loose : "nvidia-driver");
    fix(x, "nvidia-uninstall   # then install the packages again");
}
