/* cuda.c - toolkits, and what the environment makes of them. */
#include <string.h>

#include "doctor/check.h"

static struct str environment(struct exam *x, const char *name)
{
    struct str text = {NULL, 0};

    if (machine_fact(x->m, "environment", &text) != FOUND)
        return text;
    return fact_value(text, name);
}

void check_cuda_toolkits(struct exam *x)
{
    struct names names = {.n = 0};
    struct str to = STR("");

    if (machine_list(x->m, "/usr/local", &names) != FOUND)
        return;
    for (size_t i = 0; i < names.n; i++)
        if (str_starts(names.v[i], STR("cuda-")))
            evidence(x, "%s", names.v[i].p);
    if (machine_link(x->m, "/usr/local/cuda", &to) != FOUND)
        return;
    evidence(x, "cuda -> " STR_FMT, STR_ARG(to));
    if (!machine_kind(x->m, "/usr/local/cuda")) {
        say(x, VERDICT_FAILED, CUDA_DANGLING, cstr(x, to));
        for (size_t i = names.n; i-- > 0;)
            if (str_starts(names.v[i], STR("cuda-"))) {
                fix(x, "ln -sfn /usr/local/%s /usr/local/cuda", names.v[i].p);
                break;
            }
    }
}

/* The directory of PATH that has the program; NULL. */
static const char *in_path(struct exam *x, const char *program)
{
    struct str path = environment(x, "PATH");

    while (path.n) {
        const char *folder = cstr(x, str_cut(&path, ':'));
        if (*folder &&
            machine_kind(x->m, machine_path(x->m, "%s/%s", folder, program)))
            return folder;
    }
    return NULL;
}

void check_cuda_home(struct exam *x)
{
    static const char *const names[] = {"CUDA_HOME", "CUDA_PATH"};
    const char *nvcc = in_path(x, "nvcc");

    for (size_t i = 0; i < COUNT(names); i++) {
        struct str value = environment(x, names[i]);
        const char *home = cstr(x, value);
        struct str resolved = STR(""), linked = value;
        if (!value.n)
            continue;
        evidence(x, "%s=%s", names[i], home);
        if (!machine_kind(x->m, home)) {
            say(x, VERDICT_WARNING, CUDA_HOME_MISSING, names[i], home);
            fix(x, "unset %s", names[i]);
            continue;
        }
        /* /usr/local/cuda and /usr/local/cuda-12.4 are the same there. */
        if (machine_link(x->m, home, &resolved) == FOUND)
            linked = str_behind_last(resolved, '/');
        if (nvcc && !str_starts(str_from_cstr(nvcc), value) &&
            !strstr(nvcc, cstr(x, linked))) {
            say(x, VERDICT_WARNING, CUDA_HOME_DIFFERS, home, nvcc);
            fix(x, "export PATH=%s/bin:$PATH", home);
        }
    }
}

/* ---- LD_LIBRARY_PATH ---------------------------------------------------- */

static const char *const libraries[] = {"libcudart.so.", "libcudnn.so.",
                                        "libcublas.so."};

/* The versions of the libraries seen so far, in the order of their names. */
struct seen {
    struct str version[COUNT(libraries)];
    const char *folder[COUNT(libraries)];
};

static void look_into(struct exam *x, const char *folder, struct seen *seen)
{
    struct names names = {.n = 0};

    if (machine_list(x->m, folder, &names) != FOUND) {
        say(x, VERDICT_INFO, CUDA_NO_DIRECTORY, folder);
        return;
    }
    for (size_t i = 0; i < names.n; i++)
        for (size_t k = 0; k < COUNT(libraries); k++) {
            struct str stem = str_from_cstr(libraries[k]);
            if (!str_starts(names.v[i], stem))
                continue;
            struct str rest = str_slice(names.v[i], stem.n, names.v[i].n);
            struct str major = str_cut(&rest, '.');
            if (!seen->version[k].n) {
                seen->version[k] = major;
                seen->folder[k] = folder;
            } else if (!str_eq(seen->version[k], major)) {
                say(x, VERDICT_WARNING, CUDA_TWO_MAJORS,
                    cstr(x, str_slice(stem, 0, stem.n - 1)),
                    machine_path(x->m, "%s/%s" STR_FMT, seen->folder[k],
                                 libraries[k], STR_ARG(seen->version[k])),
                    machine_path(x->m, "%s/%s" STR_FMT, folder, libraries[k],
                                 STR_ARG(major)));
                fix(x, "unset LD_LIBRARY_PATH   # and name one directory only");
                seen->version[k] = major;
            }
        }
}

void check_cuda_library_path(struct exam *x)
{
    struct str path = environment(x, "LD_LIBRARY_PATH");
    struct seen seen = {.folder = {NULL}};

    if (path.n)
        evidence(x, "LD_LIBRARY_PATH=" STR_FMT, STR_ARG(path));
    while (path.n) {
        const char *folder = cstr(x, str_cut(&path, ':'));
        if (*folder)
            look_into(x, folder, &seen);
    }
    for (size_t k = 1; k < COUNT(libraries); k++)
        if (seen.version[k].n) {
            say(x, VERDICT_INFO, CUDA_OVERRIDES,
                machine_path(x->m, "%s" STR_FMT, libraries[k],
                             STR_ARG(seen.version[k])),
                seen.folder[k]);
        }
}

void check_cuda_stub(struct exam *x)
{
    struct str path = environment(x, "LD_LIBRARY_PATH");

    while (path.n) {
        struct str folder = str_cut(&path, ':');
        const char *file =
            machine_path(x->m, STR_FMT "/libcuda.so", STR_ARG(folder));
        const char *one =
            machine_path(x->m, STR_FMT "/libcuda.so.1", STR_ARG(folder));
        if ((str_ends(folder, STR("/stubs")) ||
             str_ends(folder, STR("/stubs/"))) &&
            (machine_kind(x->m, file) || machine_kind(x->m, one))) {
            say(x, VERDICT_FAILED, CUDA_STUB, cstr(x, folder));
            fix(x, "export LD_LIBRARY_PATH=$(echo $LD_LIBRARY_PATH | tr : "
                   "'\\n' | grep -v stubs | paste -sd:)");
        }
    }
}

/* ---- variables for debugging -------------------------------------------- */

/* The list that DCGM has, and those that slow everything down. */
static const char *const debugging[] = {
    "NSIGHT_CUDA_DEBUGGER",
    "CUDA_INJECTION32_PATH",
    "CUDA_INJECTION64_PATH",
    "CUDA_AUTO_BOOST",
    "CUDA_ENABLE_COREDUMP_ON_EXCEPTION",
    "CUDA_COREDUMP_FILE",
    "CUDA_DEVICE_WAITS_ON_EXCEPTION",
    "CUDA_PROFILE",
    "COMPUTE_PROFILE",
    "OPENCL_PROFILE",
    "CUDA_LAUNCH_BLOCKING",
};

struct variables {
    const char *file;
    unsigned line;
    bool said[COUNT(debugging)]; /* a file has it */
};

/* The value in NAME=VALUE, export NAME=VALUE, Environment="NAME=VALUE"; p NULL:
 * the line does not set it. */
static struct str value_in(struct str line, const char *name)
{
    size_t n = strlen(name);
    const char *at = line.n ? memmem(line.p, line.n, name, n) : NULL;

    line = str_trim(line);
    if (!at || line.p[0] == '#' || at + n >= line.p + line.n || at[n] != '=' ||
        (at > line.p && !strchr(" \t\"'=", at[-1])))
        return (struct str){NULL, 0};
    struct str value = str_slice(line, (size_t)(at + n + 1 - line.p), line.n);
    while (value.n && strchr("\"' ", value.p[value.n - 1]))
        value = str_slice(value, 0, value.n - 1);
    if (value.n && strchr("\"'", value.p[0]))
        value = str_slice(value, 1, value.n);
    return value;
}

static void look_at_line(struct exam *x, struct variables *v, struct str line)
{
    for (size_t i = 0; i < COUNT(debugging); i++) {
        struct str value = value_in(line, debugging[i]);
        if (!value.n || str_eq(value, STR("0")))
            continue;
        v->said[i] = true;
        say(x, VERDICT_WARNING, CUDA_DEBUGGING_IN, debugging[i], cstr(x, value),
            v->file, v->line);
        fix(x, "sed -i '%ud' %s   # and log in, or restart the service, again",
            v->line, v->file);
    }
}

static void look_at_file(struct exam *x, struct variables *v, const char *file)
{
    struct str text = {NULL, 0};

    if (machine_read(x->m, file, &text) != FOUND)
        return;
    v->file = file;
    for (v->line = 1; text.n; v->line++)
        look_at_line(x, v, str_cut(&text, '\n'));
}

/* Files of a directory, and of its NAME.service.d. */
static void look_beneath(struct exam *x, struct variables *v,
                         const char *folder, const char *end)
{
    struct names names = {.n = 0};

    if (machine_list(x->m, folder, &names) != FOUND)
        return;
    for (size_t i = 0; i < names.n && i < 500; i++) {
        const char *path = machine_path(x->m, "%s/%s", folder, names.v[i].p);
        if (str_ends(names.v[i], STR(".service.d")))
            look_beneath(x, v, path, ".conf");
        else if (str_ends(names.v[i], str_from_cstr(end)))
            look_at_file(x, v, path);
    }
}

void check_cuda_debugging(struct exam *x)
{
    struct variables v = {.file = NULL};

    look_at_file(x, &v, "/etc/environment");
    look_at_file(x, &v, "/etc/profile");
    look_beneath(x, &v, "/etc/profile.d", ".sh");
    look_beneath(x, &v, "/etc/systemd/system", ".service");
    for (size_t i = 0; i < COUNT(debugging); i++) {
        struct str value = environment(x, debugging[i]);
        if (value.n && !str_eq(value, STR("0")) && !v.said[i]) {
            say(x, VERDICT_WARNING, CUDA_DEBUGGING, debugging[i],
                cstr(x, value));
            fix(x, "unset %s   # grep -r %s ~/.bashrc ~/.profile", debugging[i],
                debugging[i]);
        }
    }
    struct str hidden = environment(x, "CUDA_VISIBLE_DEVICES");
    if (hidden.p && (hidden.n == 0 || str_eq(hidden, STR("-1")))) {
        say(x, VERDICT_WARNING, CUDA_HIDDEN);
        fix(x, "unset CUDA_VISIBLE_DEVICES");
    }
}
