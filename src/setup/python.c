#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "compat/table.h"
#include "setup/host.h"
#include "setup/step.h"

enum { REQUIREMENTS_MAX = 1 << 20 };

/* For those who bring no file: what serves a model the usual way, by the Python
 * that the system has. Versions from the releases' metadata on PyPI, as far as
 * remembered; nobody installed all of them for this. */
static const struct {
    const char *from, *to; /* Python */
    const char *list;
} usual[] = {
    {"3.8", "3.8",
     "numpy==1.24.4\nonnx==1.17.0\nonnxruntime==1.19.2\n"
     "fastapi==0.115.6\nuvicorn==0.33.0\n"},
    {"3.9", "3.12",
     "numpy==1.26.4\nonnx==1.17.0\nonnxruntime==1.19.2\n"
     "fastapi==0.115.6\nuvicorn==0.34.0\n"},
    {"3.13", "3.13",
     "numpy==2.2.6\nonnx==1.18.0\nonnxruntime==1.22.0\n"
     "fastapi==0.115.6\nuvicorn==0.34.0\n"},
};

/* The Python of the system, by its release ("3.11"); "?" if no table has it. */
static struct str system_python(struct plan *p)
{
    struct os os = plan_os(p);
    struct tables tables;

    if (compat_open(p->arena, &tables, NULL))
        return STR("?");
    const struct table *t = &tables.v[TABLE_systems];
    for (size_t i = 0; i < t->n; i++) {
        struct str version = os.version;
        if (str_eq(compat_value(t, i, "id"), os.id) &&
            (str_eq(compat_value(t, i, "version"), version) ||
             str_eq(compat_value(t, i, "version"), str_cut(&version, '.'))))
            return compat_value(t, i, "python");
    }
    return STR("?");
}

static struct str usual_list(struct plan *p)
{
    struct str python = system_python(p);

    for (size_t i = 0; i < COUNT(usual); i++)
        if (version_compare(str_from_cstr(usual[i].from), python) <= 0 &&
            version_compare(python, str_from_cstr(usual[i].to)) <= 0)
            return str_from_cstr(
                made(p, "# stoker setup python\n%s", usual[i].list));
    lack(p,
         titled(p, SETUP_TEXT_PYTHON_WHICH, made(p, STR_FMT, STR_ARG(python))));
    return STR("");
}

/* Every line names its version, is an option, or a comment. */
static bool is_pinned(struct plan *p, struct str text, const char *name)
{
    for (unsigned n = 1; text.n; n++) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (!line.n || line.p[0] == '#' || line.p[0] == '-')
            continue;
        bool pinned = false;
        for (size_t i = 0; i + 1 < line.n && line.p[i] != '#'; i++)
            pinned |= line.p[i] == '=' && line.p[i + 1] == '=';
        pinned |= memchr(line.p, '@', line.n) != NULL; /* name @ URL */
        if (!pinned) {
            refuse(p, titled(p, SETUP_TEXT_PYTHON_UNPINNED, n, name));
            return false;
        }
    }
    return true;
}

static struct str requirements(struct plan *p)
{
    const char *path = p->options->requirements;
    struct err err = {.code = ERR_OK};
    struct str text = STR("");
    struct buf b;

    if (!path)
        return usual_list(p);
    buf_init(&b, REQUIREMENTS_MAX);
    if (fs_read(path, &b, &err)) {
        refuse(p, titled(p, SETUP_TEXT_PYTHON_UNREADABLE, err.msg));
    } else {
        char *copy = arena_cstr(p->arena, buf_str(&b));
        text = (struct str){copy ? copy : "", copy ? b.n : 0};
        p->failed |= !copy;
    }
    buf_fini(&b);
    (void)(p->refused || is_pinned(p, text, path));
    return text;
}

void target_python(struct plan *p)
{
    const char *venv =
        p->options->venv ? p->options->venv : "/opt/stoker/python";
    const char *python = made(p, "%s/bin/python", venv);
    const char *list = made(p, "%s.requirements.txt", venv);
    const char *make = made(p, "python3 -m venv %s", venv);
    struct str text = requirements(p);
    struct names names = {.n = 0};
    struct os os = plan_os(p);

    /* an undo takes the whole directory away */
    if (venv[0] != '/' || strstr(venv, "..") ||
        (!was_begun(p, make) && !machine_kind(p->machine, python) &&
         machine_list(p->machine, venv, &names) == FOUND && names.n))
        refuse(p, titled(p, SETUP_TEXT_PYTHON_PLACE, venv));
    if (p->refused || !text.n) /* none is known: left out */
        return;
    if (os_has_apt(&os))
        install(p, titled(p, SETUP_TEXT_PYTHON_PACKAGES),
                "python3 python3-venv");
    else if (os_has_dnf(&os))
        install(p, titled(p, SETUP_TEXT_PYTHON_PACKAGES),
                "python3 python3-pip");
    else
        refuse(p, titled(p, SETUP_TEXT_NO_SYSTEM));
    /* the directory above, and the list beside the environment */
    struct str before = planned(p, list);
    put_file(p, titled(p, SETUP_TEXT_PYTHON_LIST), list, 0644, text);
    run(p, titled(p, SETUP_TEXT_PYTHON_VENV, venv), python, make,
        made(p, "rm -rf %s", venv));
    /* its mark says which list was installed */
    bool same = before.p && str_eq(before, text);
    const char *mark = made(p, "%s/.stoker-installed", venv);
    struct str installed = {NULL, 0};
    bool is_installed = same &&
                        machine_read(p->machine, mark, &installed) == FOUND &&
                        str_eq(installed, text);
    if (is_installed)
        return;
    const char *title = titled(p, SETUP_TEXT_PYTHON_INSTALL);
    run(p, title, "",
        made(p, "%s -m pip install -q %s -r %s", python,
             p->options->bundle ? "--no-index --find-links " HOST_BUNDLE : "",
             list),
        "");
    run(p, title, "", made(p, "cp %s %s", list, mark), "");
}
