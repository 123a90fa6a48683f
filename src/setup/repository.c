/* repository.c - packages that the distribution does not have.
 *
 * https://docs.nvidia.com/cuda/cuda-installation-guide-linux/
 * https://docs.docker.com/engine/install/
 * https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/
 */
#include <string.h>

#include "setup/step.h"

#define NVIDIA "https://developer.download.nvidia.com/compute/cuda/repos"

/* A tag of a distribution as NVIDIA names its repositories: "debian12",
 * "ubuntu2204", "rhel9"; "" if there is none for it. */
static const char *nvidia_distribution(struct plan *p, const struct os *os)
{
    struct str version = os->version, major = str_cut(&version, '.');

    if (str_eq(os->id, STR("debian")))
        return made(p, "debian" STR_FMT, STR_ARG(major));
    if (str_eq(os->id, STR("ubuntu")) && version.p)
        return made(p, "ubuntu" STR_FMT STR_FMT, STR_ARG(major),
                    STR_ARG(version));
    if (os_has_dnf(os) && !str_eq(os->id, STR("fedora")))
        return made(p, "rhel" STR_FMT, STR_ARG(major));
    return "";
}

void apt_repository(struct plan *p, const char *name, const char *key_url,
                    const char *line)
{
    const char *key = made(p, "/etc/apt/keyrings/%s.asc", name);

    if (p->options->bundle)
        return;
    install(p, titled(p, SETUP_TEXT_REPO_TOOLS), "ca-certificates curl");
    put_directory(p, titled(p, SETUP_TEXT_DIRECTORY, "/etc/apt/keyrings"),
                  "/etc/apt/keyrings", 0755);
    run(p, titled(p, SETUP_TEXT_REPO_KEY, name), key,
        made(p, "curl -fsSL --retry 3 -o %s %s", key, key_url),
        made(p, "rm -f %s", key));
    put_file(p, titled(p, SETUP_TEXT_REPO_LIST, name),
             made(p, "/etc/apt/sources.list.d/%s.list", name), 0644,
             str_from_cstr(made(p, "deb [signed-by=%s] %s\n", key, line)));
    refresh(p, titled(p, SETUP_TEXT_REPO_UPDATE), "apt-get -q update", "");
}

void dnf_repository(struct plan *p, const char *name, const char *base_url,
                    const char *key_url)
{
    if (p->options->bundle)
        return;
    put_file(p, titled(p, SETUP_TEXT_REPO_LIST, name),
             made(p, "/etc/yum.repos.d/%s.repo", name), 0644,
             str_from_cstr(made(p,
                                "[%s]\nname=%s\nbaseurl=%s\nenabled=1\n"
                                "gpgcheck=1\ngpgkey=%s\n",
                                name, name, base_url, key_url)));
}

/* NVIDIA's keyring is a package of its own, which brings the list, too. */
void nvidia_repository(struct plan *p, const struct os *os)
{
    const char *distribution = nvidia_distribution(p, os);
    bool x86 = strcmp(architecture(p), "x86_64") == 0;
    const char *url =
        made(p, NVIDIA "/%s/%s", distribution, x86 ? "x86_64" : "sbsa");
    const char *file = "/var/cache/cuda-keyring.deb";

    if (!*distribution) {
        refuse(p, titled(p, SETUP_TEXT_NO_REPOSITORY,
                         made(p, STR_FMT, STR_ARG(os->pretty))));
        return;
    }
    if (p->options->bundle)
        return;
    if (os_has_dnf(os)) {
        dnf_repository(p, "nvidia-cuda", url, made(p, "%s/D42D0685.pub", url));
        return;
    }
    install(p, titled(p, SETUP_TEXT_REPO_TOOLS), "ca-certificates curl");
    if (machine_kind(p->machine,
                     "/usr/share/keyrings/cuda-archive-keyring.gpg"))
        return;
    run(p, titled(p, SETUP_TEXT_REPO_KEY, "NVIDIA"), file,
        made(p, "curl -fsSL --retry 3 -o %s %s/cuda-keyring_1.1-1_all.deb",
             file, url),
        made(p, "rm -f %s", file));
    run(p, titled(p, SETUP_TEXT_REPO_LIST, "NVIDIA"),
        "/usr/share/keyrings/cuda-archive-keyring.gpg",
        made(p, "dpkg -i %s", file), "dpkg --purge cuda-keyring");
    refresh(p, titled(p, SETUP_TEXT_REPO_UPDATE), "apt-get -q update", "");
}
