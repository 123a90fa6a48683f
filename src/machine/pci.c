#include "machine/pci.h"

#include <stdlib.h>

#define DEVICES "/sys/bus/pci/devices"

static unsigned read_hex(struct machine *m, struct str address,
                         const char *file)
{
    struct str text = {NULL, 0};
    const char *path =
        machine_path(m, DEVICES "/" STR_FMT "/%s", STR_ARG(address), file);

    return machine_read(m, path, &text) == FOUND
               ? (unsigned)strtoul(text.p, NULL, 16)
               : 0;
}

static struct str driver_of(struct machine *m, struct str address)
{
    struct str to = STR("");

    (void)machine_link(
        m, machine_path(m, DEVICES "/" STR_FMT "/driver", STR_ARG(address)),
        &to);
    return str_behind_last(to, '/');
}

enum found pci_read(struct machine *m, unsigned vendor, struct pci *out)
{
    struct names names = {.n = 0};
    enum found found = machine_list(m, DEVICES, &names);

    *out = (struct pci){.n = 0};
    if (found != FOUND)
        return found;
    out->v = arena_new(&m->arena, struct pci_device, names.n + 1);
    for (size_t i = 0; out->v && i < names.n; i++) {
        struct str address = names.v[i];
        unsigned of = read_hex(m, address, "vendor");
        if (vendor && of != vendor)
            continue;
        out->v[out->n++] = (struct pci_device){
            address, of, read_hex(m, address, "device"),
            read_hex(m, address, "class"), driver_of(m, address)};
    }
    return out->v ? FOUND : BROKEN;
}

enum found pci_gpus(struct machine *m, struct pci *out)
{
    enum found found = pci_read(m, PCI_NVIDIA, out);
    size_t n = 0;

    for (size_t i = 0; i < out->n; i++)
        if (out->v[i].class >> 16 == PCI_DISPLAY)
            out->v[n++] = out->v[i];
    out->n = n;
    return found;
}
