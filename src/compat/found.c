#include "compat/found.h"

#include "codec/json_tree.h"
#include "machine/facts.h"
#include "machine/nvidia.h"
#include "machine/os.h"

/* Of /usr/local/cuda/version.json, or of the name that the link leads to. */
static struct str toolkit(struct machine *m)
{
    struct str text = {NULL, 0}, to = {NULL, 0};

    if (machine_read(m, "/usr/local/cuda/version.json", &text) == FOUND) {
        const struct json_node *root = json_tree_copy(text, &m->arena, NULL);
        struct str v =
            json_str_or(json_get(json_get(root, "cuda"), "version"), "");
        if (v.n)
            return v;
    }
    if (!machine_kind(m, "/usr/local/cuda") ||
        machine_link(m, "/usr/local/cuda", &to) != FOUND)
        return STR("");
    to = str_behind_last(to, '/');
    return str_starts(to, STR("cuda-")) ? str_slice(to, 5, to.n) : STR("");
}

/* Of the first GPU whose name the driver's files have ("Model: NVIDIA H100").
 */
static struct str capability_by_name(struct machine *m,
                                     const struct tables *tables)
{
    struct names gpus = {.n = 0};
    struct str text = {NULL, 0};

    (void)machine_list(m, "/proc/driver/nvidia/gpus", &gpus);
    for (size_t i = 0; i < gpus.n; i++) {
        const char *path = machine_path(
            m, "/proc/driver/nvidia/gpus/%s/information", gpus.v[i].p);
        if (machine_read(m, path, &text) != FOUND)
            continue;
        while (text.n) {
            struct str name = str_cut(&text, '\n'), key = str_cut(&name, ':');
            if (name.p && str_eq(str_trim(key), STR("Model")))
                return gpu_capability(tables, str_trim(name));
        }
    }
    return STR("");
}

void found_beneath(struct machine *m, const struct tables *tables,
                   struct stack *out)
{
    struct str nvml = {NULL, 0};
    struct nvidia nv;
    struct os os;

    *out = (struct stack){.driver = STR("")};
    if (nvidia_read(m, &nv) == FOUND)
        out->driver = nv.loaded.n ? nv.loaded : nv.library;
    out->toolkit = toolkit(m);
    if (machine_fact(m, "nvml", &nvml) == FOUND) {
        struct str driver = fact_value(nvml, "driver");
        out->capability = fact_value(nvml, "gpu0.capability");
        out->driver = driver.n ? driver : out->driver;
    }
    if (!out->capability.n)
        out->capability = capability_by_name(m, tables);
    if (os_read(m, &os) == FOUND) {
        out->system = os.id;
        out->system_version = os.version;
    }
}

/* NVIDIA's wheels are named for their CUDA until 12, and without from 13 on. */
static struct str wheels_cuda(const struct python_env *e)
{
    static const char *const names[] = {"nvidia_cuda_runtime",
                                        "nvidia_cuda_runtime_cu12",
                                        "nvidia_cuda_runtime_cu11"};

    for (size_t i = 0; i < COUNT(names); i++) {
        struct str v = python_version_of(e, names[i]);
        if (v.p)
            return v;
    }
    return STR("");
}

void found_python(struct machine *m, const struct python_env *e,
                  struct stack *out)
{
    const struct {
        const char *name;
        struct str *value;
    } rows[] = {{"torch", &out->torch},
                {"torchvision", &out->torchvision},
                {"torchaudio", &out->torchaudio},
                {"tensorflow", &out->tensorflow},
                {"onnxruntime_gpu", &out->onnxruntime},
                {"numpy", &out->numpy}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str v = python_version_of(e, rows[i].name);
        *rows[i].value = v.p ? v : STR("");
    }
    out->python = e->version;
    out->wheels_cuda = wheels_cuda(e);
    if (out->torch.n) {
        struct str cuda = python_torch_cuda(m, e);
        out->torch_cuda = cuda.p ? cuda : STR("");
    }
}
