#include "nvml/nvml.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The soname first: a container has no link without a version. */
static const char *const places[] = {
    "libnvidia-ml.so.1",
    "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
    "/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1",
    "/usr/lib64/libnvidia-ml.so.1",
    "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    "/run/opengl-driver/lib/libnvidia-ml.so.1",
};

/* The first of some symbols, separated by spaces, that the library has. */
static void *find(void *library, const char *symbols)
{
    char name[64];
    void *found = NULL;

    while (!found && *symbols) {
        int n = (int)strcspn(symbols, " ");
        (void)snprintf(name, sizeof(name), "%.*s", n, symbols);
        found = dlsym(library, name);
        symbols += n + (symbols[n] == ' ');
    }
    return found;
}

static void *open_anywhere(void)
{
    void *library = NULL;

    for (size_t i = 0; !library && i < COUNT(places); i++)
        library = dlopen(places[i], RTLD_NOW | RTLD_LOCAL);
    return library;
}

enum errc nvml_open(const char *path, struct nvml *out, struct err *err)
{
    *out = (struct nvml){.library = NULL};
    path = path ? path : getenv("STOKER_NVML");
    out->library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : open_anywhere();
    if (!out->library && path)
        return err_set(err, ERR_UNAVAIL,
                       "cannot open NVML: %s. Check STOKER_NVML", dlerror());
    if (!out->library)
        return err_set(err, ERR_NOT_FOUND,
                       "libnvidia-ml.so.1 is not installed: there is no NVIDIA "
                       "driver");
    void *found = find(out->library, "nvmlErrorString");
    memcpy(&out->error_string, &found, sizeof(found));
#define X(field, symbols, args)            \
    found = find(out->library, (symbols)); \
    memcpy(&out->field, &found, sizeof(found));
    NVML_MAP(X)
#undef X
    if (out->init && out->shutdown && out->device_count && out->by_index)
        return ERR_OK;
    nvml_close(out);
    return err_set(err, ERR_UNAVAIL, "%s is not NVML: it lacks nvmlInit",
                   path ? path : "libnvidia-ml.so.1");
}

void nvml_close(struct nvml *n)
{
    if (n->library)
        (void)dlclose(n->library);
    *n = (struct nvml){.library = NULL};
}

const char *nvml_error(const struct nvml *n, int rc)
{
    const char *text = n->error_string ? n->error_string(rc) : NULL;

    return text ? text : "unknown error";
}
