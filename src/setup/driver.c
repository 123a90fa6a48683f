#include <stdio.h>
#include <string.h>

#include "compat/found.h"
#include "machine/nvidia.h"
#include "machine/pci.h"
#include "setup/step.h"

/* The open kernel module knows GPUs from Turing on, whose PCI ids start here
 * (open-gpu-kernel-modules, README.md: TU102 is 1E02). */
enum { TURING = 0x1e00 };

struct choice {
    struct tables tables;
    struct stack found;
    bool open; /* the open kernel module */
    const char *branch;
};

static bool is_maintained(const struct table *drivers, size_t row,
                          const char *month)
{
    return str_compare(compat_value(drivers, row, "ends"),
                       str_from_cstr(month)) >= 0;
}

/* The newest branch with long-term support that knows the GPU. */
static const char *newest(struct plan *p, const struct choice *c,
                          const char *month)
{
    const struct table *drivers = &c->tables.v[TABLE_drivers],
                       *gpus = &c->tables.v[TABLE_gpus];
    size_t gpu = compat_row(gpus, c->found.capability);
    struct str last =
        gpu < gpus->n ? compat_value(gpus, gpu, "last_driver") : STR("");
    unsigned limit = last.n ? version_major(last) : c->open ? 9999 : 580;
    unsigned best = 0;

    for (size_t i = 0; i < drivers->n; i++) {
        unsigned branch = version_major(compat_value(drivers, i, "branch"));
        if (branch > best && branch <= limit &&
            str_eq(compat_value(drivers, i, "kind"), STR("long-term")) &&
            is_maintained(drivers, i, month))
            best = branch;
    }
    return best ? made(p, "%u", best) : "";
}

static bool is_present_fine(const struct choice *c, const char *month)
{
    const struct table *drivers = &c->tables.v[TABLE_drivers];
    char branch[16];

    (void)snprintf(branch, sizeof(branch), "%u",
                   version_major(c->found.driver));
    size_t row = compat_row(drivers, str_from_cstr(branch));
    return row < drivers->n && is_maintained(drivers, row, month);
}

/* False, and refused or noted: there is nothing to install. */
static bool choose(struct plan *p, struct choice *c)
{
    const struct setup_options *o = p->options;
    struct err err = {.code = ERR_OK};
    char month[COMPAT_MONTH];
    struct pci gpus;

    compat_today(month);
    if (compat_open(p->arena, &c->tables, &err)) {
        refuse(p, titled(p, SETUP_TEXT_TABLES, err.msg));
        return false;
    }
    found_beneath(p->machine, &c->tables, &c->found);
    if (pci_gpus(p->machine, &gpus) != FOUND || gpus.n == 0) {
        lack(p, titled(p, SETUP_TEXT_DRIVER_NO_GPU));
        return false;
    }
    c->open = gpus.v[0].device >= TURING;
    if (!o->branch && c->found.driver.n && is_present_fine(c, month)) {
        note(p, titled(p, SETUP_TEXT_DRIVER_FINE,
                       made(p, STR_FMT, STR_ARG(c->found.driver))));
        return false;
    }
    c->branch = o->branch ? o->branch : newest(p, c, month);
    if (!*c->branch)
        refuse(p, titled(p, SETUP_TEXT_DRIVER_NO_BRANCH,
                         made(p, STR_FMT, STR_ARG(c->found.capability))));
    else if (c->found.driver.n && !o->yes_driver &&
             machine_kind(p->machine, "/sys/module/nvidia") &&
             version_major(c->found.driver) !=
                 version_major(str_from_cstr(c->branch))) {
        lack(p, titled(p, SETUP_TEXT_DRIVER_IN_USE,
                       made(p, STR_FMT, STR_ARG(c->found.driver)), c->branch));
        return false;
    }
    return !p->refused;
}

static void packages(struct plan *p, const struct os *os,
                     const struct choice *c)
{
    const char *title = titled(p, SETUP_TEXT_DRIVER_PACKAGE, c->branch);
    const char *kernel = kernel_release(p);

    if (os_has_dnf(os)) {
        install(p, titled(p, SETUP_TEXT_DRIVER_HEADERS),
                kernel
                    ? made(p, "kernel-devel-%s kernel-headers gcc make", kernel)
                    : "kernel-devel kernel-headers gcc make");
        nvidia_repository(p, os);
        run(p, title, "/usr/bin/nvidia-smi",
            made(p, "dnf -y module install nvidia-driver:%s-%s", c->branch,
                 c->open ? "open" : "dkms"),
            "dnf -y module remove --all nvidia-driver");
        return;
    }
    install(p, titled(p, SETUP_TEXT_DRIVER_HEADERS),
            kernel ? made(p, "linux-headers-%s build-essential dkms", kernel)
                   : "build-essential dkms");
    /* From branch 590 on NVIDIA pins it by a package of its own; before,
     * Ubuntu's own archive has them, by branch. */
    bool pinned = version_major(str_from_cstr(c->branch)) >= 590;
    bool ubuntu = str_eq(os->id, STR("ubuntu"));
    if (pinned || !ubuntu)
        nvidia_repository(p, os);
    const char *names =
        pinned   ? made(p, "nvidia-driver-pinning-%s %s", c->branch,
                      c->open ? "nvidia-open" : "cuda-drivers")
        : ubuntu ? made(p, "nvidia-driver-%s-server%s nvidia-utils-%s-server",
                        c->branch, c->open ? "-open" : "", c->branch)
                 : made(p, "%s-%s", c->open ? "nvidia-open" : "cuda-drivers",
                        c->branch);
    if (p->options->yes_driver)
        install_instead(p, title, names);
    else
        install(p, title, names);
}

void target_driver(struct plan *p)
{
    static const char nouveau[] = "# stoker setup driver\n"
                                  "blacklist nouveau\n"
                                  "options nouveau modeset=0\n";
    struct choice c = {.branch = ""};
    struct os os = plan_os(p);

    if (!os_has_apt(&os) && !os_has_dnf(&os)) {
        refuse(p, titled(p, SETUP_TEXT_NO_SYSTEM));
        return;
    }
    if (!choose(p, &c))
        return;
    put_file(p, titled(p, SETUP_TEXT_DRIVER_NOUVEAU),
             "/etc/modprobe.d/stoker-nouveau.conf", 0644,
             str_from_cstr(nouveau));
    packages(p, &os, &c);
    service(p, "nvidia-persistenced.service");
    refresh(p, titled(p, SETUP_TEXT_DRIVER_INITRAMFS),
            os_has_dnf(&os) ? "dracut -f" : "update-initramfs -u", "");
    note(p, titled(p, SETUP_TEXT_DRIVER_REBOOT));
}
