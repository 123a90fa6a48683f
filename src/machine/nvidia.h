/* nvidia.h - NVIDIA's driver, as files tell of it. */
#ifndef MACHINE_NVIDIA_H
#define MACHINE_NVIDIA_H

#include "machine/machine.h"

struct nvidia {
    struct str loaded;  /* version of the kernel module; "" if none is */
    bool open;          /* the open kernel module */
    struct str library; /* version of libnvidia-ml.so.1; "" if there is none */
    struct str path;    /* of it */
};

/* FOUND if there is a module or a library. */
enum found nvidia_read(struct machine *m, struct nvidia *out);

/* The number before the first dot; 0 if there is none. */
unsigned version_major(struct str version);

#endif
