/* pci.h - devices on the PCI bus, as /sys/bus/pci/devices has them. */
#ifndef MACHINE_PCI_H
#define MACHINE_PCI_H

#include "machine/machine.h"

enum { PCI_NVIDIA = 0x10de, PCI_DISPLAY = 0x03 };

struct pci_device {
    struct str address;             /* 0000:3b:00.0 */
    unsigned vendor, device, class; /* class: its first three bytes */
    struct str driver;              /* "" if none is bound */
};

struct pci {
    struct pci_device *v;
    size_t n;
};

/* Those of a vendor, or all when it is 0. */
enum found pci_read(struct machine *m, unsigned vendor, struct pci *out);

/* Displays and 3D controllers of NVIDIA. */
enum found pci_gpus(struct machine *m, struct pci *out);

#endif
