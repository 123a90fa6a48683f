/* python.c - Python environments and the frameworks in them. */
#include <stdlib.h>

#include "doctor/check.h"
#include "machine/nvidia.h"
#include "machine/python.h"

/* "2.0.1+cu117" is before 2.3? */
static bool is_before(struct str version, unsigned major, unsigned minor)
{
    struct str rest = version;
    unsigned m = version_major(str_cut(&rest, '.'));

    return m < major || (m == major && version_major(rest) < minor);
}

static const char *python_of(struct exam *x, const struct python_env *e)
{
    return e->is_system
               ? "python3"
               : machine_path(x->m, STR_FMT "/bin/python", STR_ARG(e->prefix));
}

void check_python_numpy(struct exam *x)
{
    struct python_envs envs;

    (void)python_read(x->m, &envs);
    for (size_t i = 0; i < envs.n; i++) {
        const struct python_env *e = &envs.v[i];
        struct str torch = python_version_of(e, "torch"),
                   numpy = python_version_of(e, "numpy");
        if (!torch.p || !numpy.p)
            continue;
        evidence(x, STR_FMT " torch " STR_FMT " numpy " STR_FMT,
                 STR_ARG(e->prefix), STR_ARG(torch), STR_ARG(numpy));
        if (is_before(torch, 2, 3) && !is_before(numpy, 2, 0)) {
            say(x, VERDICT_FAILED, PYTHON_NUMPY, cstr(x, e->prefix),
                cstr(x, torch), cstr(x, numpy));
            fix(x, "%s -m pip install 'numpy<2'", python_of(x, e));
        }
    }
}

void check_python_cuda_packages(struct exam *x)
{
    struct python_envs envs;

    (void)python_read(x->m, &envs);
    for (size_t i = 0; i < envs.n; i++) {
        const struct python_env *e = &envs.v[i];
        const struct python_dist *of[2] = {NULL, NULL};
        for (size_t k = 0; k < e->n; k++) {
            struct str name = e->v[k].name;
            if (!str_starts(name, STR("nvidia_")))
                continue;
            if (str_ends(name, STR("_cu11")))
                of[0] = &e->v[k];
            else if (str_ends(name, STR("_cu12")) ||
                     str_ends(name, STR("_cu13")))
                of[1] = &e->v[k];
        }
        for (int k = 0; k < 2; k++)
            if (of[k])
                evidence(x, STR_FMT, STR_ARG(of[k]->name));
        if (!of[0] || !of[1])
            continue;
        say(x, VERDICT_WARNING, PYTHON_TWO_CUDAS, cstr(x, e->prefix),
            cstr(x, of[0]->name), cstr(x, of[1]->name));
        fix(x,
            "%s -m pip freeze | grep '^nvidia-.*-cu11' | xargs %s -m pip "
            "uninstall -y",
            python_of(x, e), python_of(x, e));
    }
}

void check_python_place(struct exam *x)
{
    struct python_envs envs;

    (void)python_read(x->m, &envs);
    for (size_t i = 0; i < envs.n; i++) {
        const struct python_env *e = &envs.v[i];
        if (!python_version_of(e, "torch").p &&
            !python_version_of(e, "tensorflow").p)
            continue;
        evidence(x, STR_FMT, STR_ARG(e->site));
        if (e->is_system) {
            say(x, VERDICT_INFO, PYTHON_SYSTEM, cstr(x, e->site));
            fix(x, "python3 -m venv /opt/venv && /opt/venv/bin/pip install "
                   "-r requirements.txt");
        }
    }
}

void check_onnxruntime_one_build(struct exam *x)
{
    struct python_envs envs;

    (void)python_read(x->m, &envs);
    for (size_t i = 0; i < envs.n; i++) {
        const struct python_env *e = &envs.v[i];
        struct str cpu = python_version_of(e, "onnxruntime"),
                   gpu = python_version_of(e, "onnxruntime_gpu");
        if (cpu.p || gpu.p)
            evidence(x, STR_FMT " %s " STR_FMT, STR_ARG(e->prefix),
                     gpu.p ? "gpu" : "cpu", STR_ARG(gpu.p ? gpu : cpu));
        if (!cpu.p || !gpu.p)
            continue;
        const char *python = python_of(x, e);
        say(x, VERDICT_FAILED, ONNXRUNTIME_TWO, cstr(x, e->prefix),
            cstr(x, cpu), cstr(x, gpu));
        fix(x,
            "%s -m pip uninstall -y onnxruntime onnxruntime-gpu && %s -m "
            "pip install onnxruntime-gpu==" STR_FMT,
            python, python, STR_ARG(gpu));
    }
}
