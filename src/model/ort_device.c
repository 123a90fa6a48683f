/* Which processor runs the model: one execution provider of the runtime, or
 * its CPU. */
#include <stdio.h>
#include <string.h>

#include "model/ort_internal.h"

static enum errc add_cuda(struct runtime *r, struct err *err)
{
    struct ort_cuda_options *o = NULL;
    enum errc rc = ort_status(r, r->api.create_cuda_options(&o), err);

    if (!rc)
        rc = ort_status(r, r->api.append_cuda(r->options, o), err);
    if (o)
        r->api.release_cuda_options(o);
    return rc;
}

static enum errc add_tensorrt(struct runtime *r, struct err *err)
{
    struct ort_trt_options *o = NULL;
    enum errc rc = ort_status(r, r->api.create_tensorrt_options(&o), err);

    if (!rc)
        rc = ort_status(r, r->api.append_tensorrt(r->options, o), err);
    if (o)
        r->api.release_tensorrt_options(o);
    return rc;
}

static enum errc add_openvino(struct runtime *r, struct err *err)
{
    return ort_status(r, r->api.append_openvino(r->options, NULL, NULL, 0),
                      err);
}

/* In the order that "auto" tries them. */
static const struct {
    const char *name, *provider;
    enum errc (*add)(struct runtime *r, struct err *err);
    const char *needs;
} devices[] = {
    {"tensorrt", "TensorrtExecutionProvider", add_tensorrt,
     "libonnxruntime_providers_tensorrt.so beside the library, TensorRT, CUDA "
     "and an NVIDIA driver"},
    {"cuda", "CUDAExecutionProvider", add_cuda,
     "libonnxruntime_providers_cuda.so beside the library, CUDA, cuDNN and an "
     "NVIDIA driver"},
    {"openvino", "OpenVINOExecutionProvider", add_openvino,
     "a build of ONNX Runtime with OpenVINO"},
};

static bool compiled_in(struct runtime *r, const char *provider)
{
    char **names = NULL;
    int n = 0;
    bool found = false;

    if (ort_status(r, r->api.available_providers(&names, &n), NULL))
        return false;
    for (int i = 0; i < n; i++)
        found = found || strcmp(names[i], provider) == 0;
    (void)ort_status(r, r->api.free_providers(names, n), NULL);
    return found;
}

static enum errc add(struct runtime *r, size_t i, struct err *err)
{
    enum errc rc;

    if (!compiled_in(r, devices[i].provider))
        return err_set(err, ERR_UNAVAIL,
                       "device '%s': '%s' (ONNX Runtime %s) has no %s; it "
                       "needs %s. Use --device cpu, or set STOKER_ORT to such "
                       "a build",
                       devices[i].name, r->path, r->version,
                       devices[i].provider, devices[i].needs);
    rc = devices[i].add(r, err);
    if (rc)
        return err_wrap(err, ERR_UNAVAIL,
                        "device '%s' cannot be used; it needs %s",
                        devices[i].name, devices[i].needs);
    r->device = devices[i].name;
    return ERR_OK;
}

enum errc ort_select_device(struct runtime *r, const char *wanted,
                            struct err *err)
{
    bool automatic = strcmp(wanted, "auto") == 0;

    r->device = "cpu";
    if (strcmp(wanted, "cpu") == 0)
        return ERR_OK;
    for (size_t i = 0; i < COUNT(devices); i++) {
        if (automatic && add(r, i, NULL) == ERR_OK)
            return ERR_OK;
        if (!automatic && strcmp(wanted, devices[i].name) == 0)
            return add(r, i, err);
    }
    if (automatic)
        return ERR_OK;
    return err_set(err, ERR_INVALID,
                   "no device is called '%s'; there are cpu, cuda, tensorrt, "
                   "openvino and auto",
                   wanted);
}
