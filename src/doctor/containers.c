/* containers.c - Docker, and what it needs for GPUs. */
#include <string.h>

#include "codec/json_tree.h"
#include "doctor/check.h"
#include "machine/nvidia.h"
#include "machine/pci.h"

#define DAEMON_JSON "/etc/docker/daemon.json"

static bool has_docker(struct exam *x)
{
    static const char *const paths[] = {"/usr/bin/dockerd", "/usr/sbin/dockerd",
                                        "/usr/local/bin/dockerd",
                                        "/snap/bin/docker"};

    for (size_t i = 0; i < COUNT(paths); i++)
        if (machine_kind(x->m, paths[i]))
            return true;
    return false;
}

/* The daemon takes an empty file for none. */
static bool is_blank(struct str text)
{
    return strspn(text.p, " \t\r\n") == text.n;
}

/* The daemon's configuration; NULL: none, or it is no JSON. */
static const struct json_node *configuration(struct exam *x, struct err *why)
{
    struct str text = {NULL, 0};

    if (machine_read(x->m, DAEMON_JSON, &text) != FOUND || is_blank(text))
        return NULL;
    return json_tree_copy(text, &x->m->arena, why);
}

/* What the daemon says of itself; NULL: nothing. */
static const struct json_node *info(struct exam *x)
{
    struct str text = {NULL, 0};

    if (machine_fact(x->m, "docker", &text) != FOUND)
        return NULL;
    return json_tree_copy(text, &x->m->arena, NULL);
}

void check_containers_daemon(struct exam *x)
{
    struct str text = {NULL, 0};

    if (!has_docker(x))
        return;
    enum found found = machine_fact(x->m, "docker", &text);
    if (found == FOUND) {
        struct str version =
            json_str_or(json_get(info(x), "ServerVersion"), "");
        evidence(x, "docker " STR_FMT, STR_ARG(version));
    } else if (found == NOT_CAPTURED) {
        (void)got(x, found, "GET /info");
    } else if (found == DENIED) {
        say(x, VERDICT_UNKNOWN, CONTAINERS_NO_RIGHT);
        fix(x, "usermod -aG docker $USER   # membership equals root; then log "
               "in again");
    } else {
        say(x, VERDICT_FAILED, CONTAINERS_DOWN);
        fix(x, "systemctl enable --now docker   # journalctl -u docker says "
               "why it stopped");
    }
}

void check_containers_snap(struct exam *x)
{
    if (!machine_kind(x->m, "/snap/bin/docker"))
        return;
    say(x, VERDICT_WARNING, CONTAINERS_SNAP);
    fix(x, "snap remove docker && apt install docker.io");
}

void check_containers_daemon_json(struct exam *x)
{
    struct err why = {0};
    struct str text = {NULL, 0};

    if (machine_read(x->m, DAEMON_JSON, &text) != FOUND)
        return;
    evidence(x, DAEMON_JSON);
    const struct json_node *root = configuration(x, &why);
    if (root && json_is(root, JSON_OBJECT))
        return;
    if (is_blank(text))
        return;
    say(x, VERDICT_FAILED, CONTAINERS_JSON, root ? "not an object" : why.msg);
    fix(x, "python3 -m json.tool " DAEMON_JSON);
}

void check_containers_runtime(struct exam *x)
{
    struct pci pci;

    if (!has_docker(x) || pci_gpus(x->m, &pci) != FOUND || !pci.n)
        return;
    const struct json_node *set =
        json_get(json_get(configuration(x, NULL), "runtimes"), "nvidia");
    const struct json_node *known =
        json_get(json_get(info(x), "Runtimes"), "nvidia");
    bool cdi = machine_kind(x->m, "/etc/cdi/nvidia.yaml") ||
               machine_kind(x->m, "/var/run/cdi/nvidia.yaml");
    evidence(x, "daemon.json %s, daemon %s, cdi %s", set ? "yes" : "no",
             known ? "yes" : "no", cdi ? "yes" : "no");
    if (!set && !known && !cdi) {
        say(x, VERDICT_FAILED, CONTAINERS_NO_RUNTIME);
        fix_package(x, "nvidia-container-toolkit", "nvidia-container-toolkit");
        fix(x, "nvidia-ctk runtime configure --runtime=docker && systemctl "
               "restart docker");
        return;
    }
    struct str path = json_str_or(json_get(set, "path"), "");
    const char *file =
        path.n == 0 ? NULL
        : path.p[0] == '/'
            ? cstr(x, path)
            : machine_path(x->m, "/usr/bin/" STR_FMT, STR_ARG(path));
    if (file && !machine_kind(x->m, file)) {
        say(x, VERDICT_FAILED, CONTAINERS_NO_TOOLKIT, cstr(x, path));
        fix_package(x, "nvidia-container-toolkit", "nvidia-container-toolkit");
    }
}

/* mode = "cdi" in its TOML; legacy and auto without CDI use the old hook. */
static bool is_legacy(struct exam *x)
{
    struct str text = {NULL, 0};

    if (machine_read(x->m, "/etc/nvidia-container-runtime/config.toml",
                     &text) != FOUND)
        return false;
    while (text.n) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, STR("mode")))
            return memmem(line.p, line.n, "\"cdi\"", 5) == NULL;
    }
    return true;
}

void check_containers_reload(struct exam *x)
{
    const struct json_node *set = configuration(x, NULL);
    bool systemd = json_says(json_get(info(x), "CgroupDriver"), "systemd");
    const struct json_node *options = json_get(set, "exec-opts");

    if (!json_get(json_get(set, "runtimes"), "nvidia"))
        return;
    if (!is_legacy(x)) {
        evidence(x, "cdi");
        return;
    }
    for (size_t i = 0; i < (options ? options->n : 0); i++) {
        if (json_says(json_at(options, i), "native.cgroupdriver=systemd"))
            systemd = true;
        if (json_says(json_at(options, i), "native.cgroupdriver=cgroupfs"))
            systemd = false;
    }
    evidence(x, "cgroup driver %s", systemd ? "systemd" : "cgroupfs");
    if (!systemd)
        return;
    say(x, VERDICT_WARNING, CONTAINERS_RELOAD);
    fix(x, "nvidia-ctk config --in-place --set "
           "nvidia-container-runtime.mode=cdi && systemctl restart docker");
}

void check_containers_mirrors(struct exam *x)
{
    const struct json_node *list =
        json_get(configuration(x, NULL), "registry-mirrors");

    for (size_t i = 0; i < (list ? list->n : 0); i++) {
        struct str url = json_str_or(json_at(list, i), "");
        evidence(x, STR_FMT, STR_ARG(url));
        if (!str_starts(url, STR("http://")) &&
            !str_starts(url, STR("https://"))) {
            say(x, VERDICT_FAILED, CONTAINERS_MIRROR, cstr(x, url));
            fix(x, "$EDITOR " DAEMON_JSON " && systemctl restart docker");
        }
    }
}

void check_containers_logs(struct exam *x)
{
    const struct json_node *set = configuration(x, NULL);
    struct str driver = json_str_or(json_get(set, "log-driver"), "json-file");

    if (!has_docker(x))
        return;
    evidence(x, "log driver " STR_FMT, STR_ARG(driver));
    if (!str_eq(driver, STR("json-file")) ||
        json_get(json_get(set, "log-opts"), "max-size"))
        return;
    say(x, VERDICT_WARNING, CONTAINERS_LOGS);
    fix(x, "# in " DAEMON_JSON ": \"log-driver\": \"json-file\", "
           "\"log-opts\": {\"max-size\": \"100m\", \"max-file\": \"3\"}");
    fix(x, "systemctl restart docker");
}

/* The description's libraries carry the driver's version in their names. */
void check_containers_cdi(struct exam *x)
{
    static const char *const paths[] = {"/etc/cdi/nvidia.yaml",
                                        "/var/run/cdi/nvidia.yaml"};
    struct nvidia nv;

    if (nvidia_read(x->m, &nv) != FOUND || !nv.library.n)
        return;
    const char *version = cstr(x, nv.library);
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct str text = {NULL, 0};
        if (machine_read(x->m, paths[i], &text) != FOUND)
            continue;
        evidence(x, "%s", paths[i]);
        if (strstr(text.p, version))
            continue;
        say(x, VERDICT_FAILED, CONTAINERS_CDI, paths[i], version);
        fix(x, "nvidia-ctk cdi generate --output=%s", paths[i]);
    }
}

void check_containers_hooks(struct exam *x)
{
    static const char hook[] =
        "/usr/share/containers/oci/hooks.d/oci-nvidia-hook.json";

    if (!machine_kind(x->m, "/etc/cdi/nvidia.yaml") &&
        !machine_kind(x->m, "/var/run/cdi/nvidia.yaml"))
        return;
    bool old = machine_kind(x->m, hook);
    evidence(x, "%s", old ? "there" : "none");
    if (!old)
        return;
    say(x, VERDICT_WARNING, CONTAINERS_HOOK, hook);
    fix(x, "rm %s", hook);
}

/* "docker:x:999:alice,bob" */
void check_containers_group(struct exam *x)
{
    struct str text = {NULL, 0};

    if (!has_docker(x) || machine_read(x->m, "/etc/group", &text) != FOUND)
        return;
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        if (!str_starts(line, STR("docker:")))
            continue;
        struct str members = str_behind_last(line, ':');
        evidence(x, "docker: " STR_FMT, STR_ARG(members));
        if (members.n)
            say(x, VERDICT_INFO, CONTAINERS_GROUP, cstr(x, members));
    }
}

void check_containers_storage(struct exam *x)
{
    struct str driver = json_str_or(json_get(info(x), "Driver"), "");

    if (!driver.n)
        return;
    evidence(x, STR_FMT, STR_ARG(driver));
    if (!str_eq(driver, STR("vfs")) && !str_eq(driver, STR("devicemapper")) &&
        !str_eq(driver, STR("aufs")))
        return;
    say(x, VERDICT_WARNING, CONTAINERS_STORAGE, cstr(x, driver));
    fix(x, "# in " DAEMON_JSON ": \"storage-driver\": \"overlay2\"   # images "
           "have to be pulled again");
}
