#include "machine/python.h"

#include <string.h>

#include "machine/facts.h"

enum { ENVS_MAX = 64, HOMES_MAX = 50 };

struct looking {
    struct machine *m;
    struct python_envs *out;
};

struct str python_dist_name(struct arena *a, struct str name)
{
    char *copy = arena_cstr(a, name);

    for (char *p = copy; p && *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
        if (*p == '-' || *p == '.')
            *p = '_';
    }
    return (struct str){copy ? copy : "", copy ? name.n : 0};
}

/* NAME-VERSION.dist-info; false: it is something else. */
static bool take_dist(struct machine *m, struct str file,
                      struct python_dist *out)
{
    static const struct str end = STR_INIT(".dist-info");
    struct str stem = str_slice(file, 0, file.n > end.n ? file.n - end.n : 0);
    const char *dash = stem.n ? memrchr(stem.p, '-', stem.n) : NULL;

    if (!str_ends(file, end) || !dash)
        return false;
    out->name = python_dist_name(&m->arena,
                                 str_slice(stem, 0, (size_t)(dash - stem.p)));
    out->version = str_slice(stem, (size_t)(dash - stem.p) + 1, stem.n);
    return true;
}

/* A directory of packages, if it holds distributions. */
static void take_site(struct looking *l, struct str prefix, const char *site,
                      struct str version, bool is_system)
{
    struct python_env e = {prefix,    version, str_from_cstr(site),
                           is_system, NULL,    0};
    struct names names = {.n = 0};

    for (size_t i = 0; i < l->out->n; i++)
        if (str_eq(l->out->v[i].site, e.site))
            return;
    if (l->out->n == ENVS_MAX || machine_list(l->m, site, &names) != FOUND)
        return;
    e.v = arena_new(&l->m->arena, struct python_dist, names.n + 1);
    for (size_t i = 0; e.v && i < names.n; i++)
        e.n += take_dist(l->m, names.v[i], &e.v[e.n]);
    if (e.n)
        l->out->v[l->out->n++] = e;
}

/* PREFIX/lib/python3.N/site-packages, or the name the distribution has for it.
 */
static void take_prefix(struct looking *l, const char *prefix, const char *kind,
                        bool is_system)
{
    struct names names = {.n = 0};
    const char *lib = machine_path(l->m, "%s/lib", prefix);

    if (machine_list(l->m, lib, &names) != FOUND)
        return;
    for (size_t i = 0; i < names.n; i++)
        if (str_starts(names.v[i], STR("python3.")))
            take_site(l, str_from_cstr(prefix),
                      machine_path(l->m, "%s/" STR_FMT "/%s", lib,
                                   STR_ARG(names.v[i]), kind),
                      str_slice(names.v[i], 6, names.v[i].n), is_system);
}

/* The system's python3 is a link to python3.N. */
static void take_system(struct looking *l)
{
    struct str to = STR("");

    (void)machine_link(l->m, "/usr/bin/python3", &to);
    to = str_behind_last(to, '/');
    struct str version =
        str_starts(to, STR("python")) ? str_slice(to, 6, to.n) : STR("");
    take_site(l, STR("/usr"), "/usr/lib/python3/dist-packages", version, true);
    take_prefix(l, "/usr", "site-packages", true);
    take_prefix(l, "/usr/local", "dist-packages", true);
    take_prefix(l, "/usr/local", "site-packages", false);
}

static void take_beneath(struct looking *l, const char *folder)
{
    struct names names = {.n = 0};

    if (machine_list(l->m, folder, &names) != FOUND)
        return;
    for (size_t i = 0; i < names.n && i < 200; i++)
        take_prefix(
            l, machine_path(l->m, "%s/" STR_FMT, folder, STR_ARG(names.v[i])),
            "site-packages", false);
}

static void take_named(struct looking *l, struct str environment,
                       const char *name)
{
    struct str value = fact_value(environment, name);

    if (value.n)
        take_prefix(l, machine_path(l->m, STR_FMT, STR_ARG(value)),
                    "site-packages", false);
}

/* Environments beneath a home, of conda, and those of its projects. */
static void take_home(struct looking *l, const char *home)
{
    static const char *const condas[] = {"miniconda3", "anaconda3",
                                         "miniforge3", "mambaforge"};
    static const char *const usual[] = {"venv", ".venv", "env"};
    struct names names = {.n = 0};

    take_beneath(l, home);
    for (size_t i = 0; i < COUNT(condas); i++)
        take_beneath(l, machine_path(l->m, "%s/%s/envs", home, condas[i]));
    if (machine_list(l->m, home, &names) != FOUND)
        return;
    for (size_t i = 0; i < names.n && i < 200; i++)
        for (size_t k = 0; k < COUNT(usual); k++)
            take_prefix(l,
                        machine_path(l->m, "%s/" STR_FMT "/%s", home,
                                     STR_ARG(names.v[i]), usual[k]),
                        "site-packages", false);
}

enum found python_read(struct machine *m, struct python_envs *out)
{
    struct looking l = {m, out};
    struct str environment = {NULL, 0};

    *out = (struct python_envs){
        arena_new(&m->arena, struct python_env, ENVS_MAX), 0};
    if (!out->v)
        return BROKEN;
    (void)machine_fact(m, "environment", &environment);
    take_named(&l, environment, "VIRTUAL_ENV");
    take_named(&l, environment, "CONDA_PREFIX");
    take_system(&l);
    take_beneath(&l, "/opt");
    take_beneath(&l, "/opt/conda/envs");
    take_beneath(&l, "/srv");
    struct str home = fact_value(environment, "HOME");
    struct names homes = {.n = 0};
    if (home.n > 1)
        take_home(&l, machine_path(m, STR_FMT, STR_ARG(home)));
    else
        take_home(&l, "/root");
    (void)machine_list(m, "/home", &homes);
    for (size_t i = 0; i < homes.n && i < HOMES_MAX; i++)
        take_home(&l, machine_path(m, "/home/" STR_FMT, STR_ARG(homes.v[i])));
    return out->n ? FOUND : ABSENT;
}

struct str python_version_of(const struct python_env *e, const char *name)
{
    for (size_t i = 0; i < e->n; i++)
        if (str_eq(e->v[i].name, str_from_cstr(name)))
            return e->v[i].version;
    return (struct str){NULL, 0};
}

/* cuda: Optional[str] = '11.7', or cuda = '11.7', or None. */
struct str python_torch_cuda(struct machine *m, const struct python_env *e)
{
    struct str text = {NULL, 0};
    const char *path =
        machine_path(m, STR_FMT "/torch/version.py", STR_ARG(e->site));

    if (machine_read(m, path, &text) != FOUND)
        return text;
    while (text.n) {
        struct str value = str_cut(&text, '\n'), key = str_cut(&value, '=');
        if (!value.p || !str_starts(key, STR("cuda")) ||
            (key.n > 4 && key.p[4] != ' ' && key.p[4] != ':'))
            continue;
        value = str_trim(value);
        return value.n > 2 && (value.p[0] == '\'' || value.p[0] == '"')
                   ? str_slice(value, 1, value.n - 1)
                   : STR("");
    }
    return STR("");
}
