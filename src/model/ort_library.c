/* Finding and opening ONNX Runtime. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/ort_internal.h"

static void *try_open(const char *path)
{
    /* by its real place: it looks for its providers beside itself */
    char real[PATH_MAX];

    return realpath(path, real) ? dlopen(real, RTLD_NOW | RTLD_LOCAL) : NULL;
}

/* Beside the binary, where a build or an unpacked archive has it. */
static void beside(char *out, size_t n, const char *relative)
{
    char self[PATH_MAX];
    ssize_t got = readlink("/proc/self/exe", self, sizeof(self) - 1);

    out[0] = '\0';
    if (got <= 0)
        return;
    self[got] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    if (snprintf(out, n, "%s/%s", self, relative) >= (int)n)
        out[0] = '\0';
}

static const char *const near_by[] = {
    "libonnxruntime.so.1",
    "../lib/stoker/libonnxruntime.so.1",
    "../../deps/onnxruntime/libonnxruntime.so.1",
    "../deps/onnxruntime/libonnxruntime.so.1",
};

static enum errc open_exactly(struct runtime *r, const char *path,
                              struct err *err)
{
    r->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!r->library)
        return err_set(err, ERR_UNAVAIL,
                       "cannot open ONNX Runtime: %s. Check STOKER_ORT or "
                       "--ort, or run scripts/setup.sh",
                       dlerror());
    r->path = strdup(path);
    return ERR_OK;
}

static enum errc search(struct runtime *r, struct err *err)
{
    char path[PATH_MAX];

    for (size_t i = 0; i < COUNT(near_by); i++) {
        beside(path, sizeof(path), near_by[i]);
        r->library = path[0] ? try_open(path) : NULL;
        if (r->library) {
            r->path = strdup(path);
            return ERR_OK;
        }
    }
    static const char *const installed[] = {
        "/usr/lib/stoker/libonnxruntime.so.1",
        "/usr/local/lib/stoker/libonnxruntime.so.1",
    };
    for (size_t i = 0; i < COUNT(installed); i++) {
        r->library = try_open(installed[i]);
        if (r->library) {
            r->path = strdup(installed[i]);
            return ERR_OK;
        }
    }
    static const char *const sonames[] = {"libonnxruntime.so.1",
                                          "libonnxruntime.so"};
    for (size_t i = 0; i < COUNT(sonames); i++) {
        r->library = dlopen(sonames[i], RTLD_NOW | RTLD_LOCAL);
        if (r->library) {
            r->path = strdup(sonames[i]);
            return ERR_OK;
        }
    }
    return err_set(err, ERR_UNAVAIL,
                   "ONNX Runtime (libonnxruntime.so.1) was not found. Run "
                   "scripts/setup.sh, install the package libonnxruntime, or "
                   "set STOKER_ORT to the library");
}

/* Object to function pointer: C has no cast, POSIX promises it works. */
#define TAKE(field, slot) memcpy(&(field), &(slot), sizeof(field))

static enum errc bind(struct runtime *r, struct err *err)
{
    const struct ort_api_base *(*get_base)(void);
    void *symbol = dlsym(r->library, "OrtGetApiBase");
    const void *slots[ORT_SLOTS_USED];

    if (!symbol)
        return err_set(err, ERR_UNAVAIL, "'%s' is not ONNX Runtime", r->path);
    TAKE(get_base, symbol);
    const struct ort_api_base *base = get_base();
    r->version = strdup(base->get_version_string());

    /* "1.30.0": asking for more than it has prints to stderr, so don't. */
    const char *dot = r->version ? strchr(r->version, '.') : NULL;
    long minor = dot ? strtol(dot + 1, NULL, 10) : 0;
    if (minor < ORT_API_MIN)
        return err_set(err, ERR_UNAVAIL,
                       "'%s' is ONNX Runtime %s, Stoker needs 1.%d or newer",
                       r->path, r->version ? r->version : "?", ORT_API_MIN);
    const void *table =
        base->get_api((uint32_t)(minor < ORT_API_MAX ? minor : ORT_API_MAX));
    if (!table)
        return err_set(err, ERR_UNAVAIL, "'%s' refuses API version %ld",
                       r->path, minor);
    memcpy(slots, table, sizeof(slots));
    TAKE(r->api.error_code, slots[ORT_GET_ERROR_CODE]);
    TAKE(r->api.error_message, slots[ORT_GET_ERROR_MESSAGE]);
#define X(ordinal, name, args) TAKE(r->api.name, slots[ordinal]);
    ORT_CALLS(X)
    ORT_PROCEDURES(X)
#undef X
    return ERR_OK;
}

enum errc ort_open_library(struct runtime *r, const char *wanted,
                           struct err *err)
{
    const char *path = wanted ? wanted : getenv("STOKER_ORT");
    enum errc rc;

    /* 1.29 and later report to their maker unless told not to before they are
     * loaded; see the manual. */
    setenv("ORT_DISABLE_TELEMETRY", "1", 1);
    rc = path && *path ? open_exactly(r, path, err) : search(r, err);
    return rc ? rc : bind(r, err);
}
