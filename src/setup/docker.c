#include <string.h>

#include "codec/json_tree.h"
#include "setup/edit.h"
#include "setup/step.h"

#define SETTINGS "/etc/docker/daemon.json"

/* Logs of containers fill the disk otherwise: json-file has no limit of its
 * own (https://docs.docker.com/engine/logging/drivers/json-file/). A driver
 * that the user chose keeps its own options. */
static const char *wanted(struct plan *p, bool own_driver)
{
    const char *said = p->options->mirrors ? p->options->mirrors : "";
    const char *mirrors = wrapped(p, said, "\"", "\"", ",");

    return made(p, "{%s%s%s%s\"live-restore\":true}",
                own_driver ? ""
                           : "\"log-driver\":\"json-file\",\"log-opts\":{"
                             "\"max-size\":\"100m\",\"max-file\":\"3\"},",
                *mirrors ? "\"registry-mirrors\":[" : "", mirrors,
                *mirrors ? "]," : "");
}

/* What is in the file stays; what is missing comes in. */
static void merge(struct plan *p, const char *title, const char *json)
{
    struct str text = planned(p, SETTINGS), out = text;
    struct err err = {.code = ERR_OK};

    if (p->refused)
        return;
    if (edit_json(text.p ? text : STR(""), json, p->arena, &out, &err)) {
        refuse(p, titled(p, SETUP_TEXT_DOCKER_BROKEN, err.msg));
        return;
    }
    put_file(p, title, SETTINGS, 0644, out);
}

static bool logs_elsewhere(struct plan *p)
{
    struct str text = planned(p, SETTINGS);
    struct json_node *root =
        text.p ? json_tree_copy(text, p->arena, NULL) : NULL;
    const struct json_node *driver = json_get(root, "log-driver");

    return driver && !json_says(driver, "json-file");
}

static void engine(struct plan *p, const struct os *os)
{
    const char *title = titled(p, SETUP_TEXT_DOCKER_ENGINE);

    if (machine_kind(p->machine, "/usr/bin/dockerd"))
        return; /* of whichever packages: it stays */
    if (os_has_apt(os)) {
        install(p, title, "docker.io");
        return;
    }
    dnf_repository(p, "docker-ce",
                   "https://download.docker.com/linux/rhel/$releasever/"
                   "$basearch/stable",
                   "https://download.docker.com/linux/rhel/gpg");
    install(p, title, "docker-ce docker-ce-cli containerd.io");
}

/* The group's line with the user at its end, if it is not there. */
static void member(struct plan *p, const char *user)
{
    struct str passwd = planned(p, "/etc/passwd");
    bool known = false;

    while (passwd.n) {
        struct str line = str_cut(&passwd, '\n');
        known |= str_eq(str_cut(&line, ':'), str_from_cstr(user));
    }
    if (!known) {
        refuse(p, titled(p, SETUP_TEXT_DOCKER_NO_USER, user));
        return;
    }
    struct str group = planned(p, "/etc/group");
    bool there = false;
    while (group.n && !there) {
        struct str line = str_cut(&group, '\n');
        if (!str_eq(str_cut(&line, ':'), STR("docker")))
            continue;
        struct str members = str_behind_last(line, ':');
        while (members.n && !there)
            there = str_eq(str_cut(&members, ','), str_from_cstr(user));
    }
    if (!there)
        run(p, titled(p, SETUP_TEXT_DOCKER_USER, user), "",
            made(p, "usermod -aG docker %s", user),
            made(p, "gpasswd -d %s docker", user));
}

void target_docker(struct plan *p)
{
    struct os os = plan_os(p);

    if (!os_has_apt(&os) && !os_has_dnf(&os)) {
        refuse(p, titled(p, SETUP_TEXT_NO_SYSTEM));
        return;
    }
    /* first the settings: the engine's first start reads them */
    merge(p, titled(p, SETUP_TEXT_DOCKER_SETTINGS),
          wanted(p, logs_elsewhere(p)));
    engine(p, &os);
    service(p, "docker.service");
    if (has_systemd(p))
        refresh(p, titled(p, SETUP_TEXT_DOCKER_RESTART),
                "systemctl restart docker.service", "");
    if (p->options->user)
        member(p, p->options->user);
}

/* ---- GPUs in containers ---------------------------------------------- */

/* https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/ */
#define TOOLKIT "https://nvidia.github.io/libnvidia-container"

void target_nvidia_container(struct plan *p)
{
    struct os os = plan_os(p);

    if (p->options->all && !has_gpus(p)) {
        lack(p, titled(p, SETUP_TEXT_DRIVER_NO_GPU));
        return;
    }
    if (os_has_apt(&os)) {
        apt_repository(
            p, "nvidia-container-toolkit", TOOLKIT "/gpgkey",
            made(p, TOOLKIT "/stable/deb/%s /", deb_architecture(p)));
    } else if (os_has_dnf(&os)) {
        dnf_repository(p, "nvidia-container-toolkit",
                       TOOLKIT "/stable/rpm/$basearch", TOOLKIT "/gpgkey");
    } else {
        refuse(p, titled(p, SETUP_TEXT_NO_SYSTEM));
        return;
    }
    install(p, titled(p, SETUP_TEXT_CTK_TOOLKIT), "nvidia-container-toolkit");
    merge(p, titled(p, SETUP_TEXT_CTK_RUNTIME),
          "{\"runtimes\":{\"nvidia\":{\"path\":\"nvidia-container-runtime\","
          "\"args\":[]}}}");
    if (is_running(p) &&
        machine_kind(p->machine, "/proc/driver/nvidia/version")) {
        put_directory(p, titled(p, SETUP_TEXT_DIRECTORY, "/etc/cdi"),
                      "/etc/cdi", 0755);
        run(p, titled(p, SETUP_TEXT_CTK_CDI), "/etc/cdi/nvidia.yaml",
            "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml",
            "rm -f /etc/cdi/nvidia.yaml");
    } else {
        note(p, titled(p, SETUP_TEXT_CTK_NO_DRIVER));
    }
    if (has_systemd(p) && (machine_kind(p->machine, "/usr/bin/dockerd") ||
                           p->options->targets[SETUP_docker]))
        refresh(p, titled(p, SETUP_TEXT_DOCKER_RESTART),
                "systemctl restart docker.service", "");
}
