/* questions.c - what targets ask of the machine. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/utsname.h>

#include "machine/facts.h"
#include "machine/pci.h"
#include "setup/host.h"
#include "setup/step.h"

struct os plan_os(struct plan *p)
{
    struct os os;

    (void)os_read(p->machine, &os);
    return os;
}

bool is_running(struct plan *p)
{
    return !host_is_tree(p->host);
}

bool has_gpus(struct plan *p)
{
    struct pci gpus;

    return pci_gpus(p->machine, &gpus) == FOUND && gpus.n > 0;
}

bool has_systemd(struct plan *p)
{
    return is_running(p) && machine_kind(p->machine, "/run/systemd/system");
}

bool is_address(struct str text, enum prefix prefix)
{
    char address[64];
    unsigned char bytes[16];
    uint64_t bits = 0;
    struct str length = text, host = str_cut(&length, '/');

    if (!host.n || host.n >= sizeof(address) ||
        (length.p ? prefix == PREFIX_NONE : prefix == PREFIX_MUST))
        return false;
    memcpy(address, host.p, host.n);
    address[host.n] = '\0';
    bool v6 = strchr(address, ':') != NULL;
    return inet_pton(v6 ? AF_INET6 : AF_INET, address, bytes) == 1 &&
           (!length.p ||
            (str_to_u64(length, &bits) && bits <= (v6 ? 128 : 32) &&
             (bits > 0 || prefix == PREFIX_MAY)));
}

const char *architecture(struct plan *p)
{
    struct utsname u;

    return uname(&u) ? "" : made(p, "%s", u.machine);
}

const char *deb_architecture(struct plan *p)
{
    const char *a = architecture(p);

    return strcmp(a, "x86_64") == 0    ? "amd64"
           : strcmp(a, "aarch64") == 0 ? "arm64"
                                       : a;
}

const char *kernel_release(struct plan *p)
{
    struct str text = {NULL, 0}, release = {NULL, 0};

    if (machine_fact(p->machine, "uname", &text) == FOUND)
        release = fact_value(text, "release");
    return release.n ? made(p, STR_FMT, STR_ARG(release)) : NULL;
}
