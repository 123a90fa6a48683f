#include "machine/nvidia.h"

#include <stdlib.h>
#include <string.h>

static const char *const places[] = {
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib/wsl/lib",
    "/usr/lib/nvidia",
};

/* "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu ...": the
 * first word that begins with a digit and has a dot. */
static struct str version_in(struct str line)
{
    while (line.n) {
        struct str word = str_cut(&line, ' ');
        if (word.n && word.p[0] >= '0' && word.p[0] <= '9' &&
            memchr(word.p, '.', word.n))
            return word;
    }
    return STR("");
}

static void read_loaded(struct machine *m, struct nvidia *out)
{
    struct str text = {NULL, 0};

    if (machine_read(m, "/proc/driver/nvidia/version", &text) != FOUND)
        return;
    struct str line = str_cut(&text, '\n');
    out->loaded = version_in(line);
    out->open = memmem(line.p, line.n, "Open Kernel Module", 18) != NULL;
}

static void read_library(struct machine *m, const char *folder,
                         struct nvidia *out)
{
    static const struct str mark = STR_INIT(".so.");
    const char *path = machine_path(m, "%s/libnvidia-ml.so.1", folder);
    struct str to = {NULL, 0};

    if (machine_link(m, path, &to) != FOUND)
        return;
    const char *at = memmem(to.p, to.n, mark.p, mark.n);
    if (!at)
        return;
    out->library = str_from_cstr(at + mark.n);
    out->path = str_from_cstr(path);
}

enum found nvidia_read(struct machine *m, struct nvidia *out)
{
    *out = (struct nvidia){STR(""), false, STR(""), STR("")};
    read_loaded(m, out);
    for (size_t i = 0; i < COUNT(places) && !out->library.n; i++)
        read_library(m, places[i], out);
    return out->loaded.n || out->library.n ? FOUND : ABSENT;
}

unsigned version_major(struct str version)
{
    return version.n ? (unsigned)strtoul(version.p, NULL, 10) : 0;
}
