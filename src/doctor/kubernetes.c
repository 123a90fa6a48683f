/* kubernetes.c - a node: the kubelet and what it needs. Nothing is looked at
 * where there is no kubelet. */
#include <string.h>

#include "doctor/check.h"
#include "machine/pci.h"

static bool is_node(struct exam *x)
{
    return machine_kind(x->m, "/usr/bin/kubelet") ||
           machine_kind(x->m, "/var/lib/kubelet/config.yaml");
}

/* "SystemdCgroup = true" of containerd's TOML. */
static const char *containerd_driver(struct str text)
{
    while (text.n) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, STR("SystemdCgroup")))
            return memmem(line.p, line.n, "true", 4) ? "systemd" : "cgroupfs";
    }
    return "cgroupfs"; /* its default */
}

void check_kubernetes_cgroup_driver(struct exam *x)
{
    struct str kubelet = {NULL, 0}, containerd = {NULL, 0};

    if (machine_read(x->m, "/var/lib/kubelet/config.yaml", &kubelet) != FOUND ||
        machine_read(x->m, "/etc/containerd/config.toml", &containerd) != FOUND)
        return;
    const char *one =
        strstr(kubelet.p, "cgroupDriver: cgroupfs") ? "cgroupfs" : "systemd";
    const char *other = containerd_driver(containerd);
    evidence(x, "kubelet %s, containerd %s", one, other);
    if (strcmp(one, other) == 0)
        return;
    say(x, VERDICT_FAILED, KUBERNETES_CGROUPS, one, other);
    fix(x, "sed -i 's/SystemdCgroup = .*/SystemdCgroup = true/' "
           "/etc/containerd/config.toml && systemctl restart containerd "
           "kubelet");
}

void check_kubernetes_containerd(struct exam *x)
{
    struct str main = {NULL, 0}, drop = {NULL, 0};
    struct pci pci;

    if (!is_node(x) || pci_gpus(x->m, &pci) != FOUND || !pci.n)
        return;
    enum found one = machine_read(x->m, "/etc/containerd/config.toml", &main);
    enum found two =
        machine_read(x->m, "/etc/containerd/conf.d/99-nvidia.toml", &drop);
    bool named = (one == FOUND && strstr(main.p, "nvidia-container-runtime")) ||
                 (two == FOUND && strstr(drop.p, "nvidia-container-runtime"));
    evidence(x, "%s", named ? "named" : "not named");
    if (named)
        return;
    say(x, VERDICT_FAILED, KUBERNETES_CONTAINERD);
    fix(x, "nvidia-ctk runtime configure --runtime=containerd && systemctl "
           "restart containerd");
}

void check_kubernetes_device_plugin(struct exam *x)
{
    struct names names = {.n = 0};
    struct pci pci;

    if (!is_node(x) || pci_gpus(x->m, &pci) != FOUND || !pci.n)
        return;
    if (!got(x, machine_list(x->m, "/var/lib/kubelet/device-plugins", &names),
             "/var/lib/kubelet/device-plugins"))
        return;
    for (size_t i = 0; i < names.n; i++)
        if (memmem(names.v[i].p, names.v[i].n, "nvidia", 6)) {
            evidence(x, "%s", names.v[i].p);
            return;
        }
    say(x, VERDICT_FAILED, KUBERNETES_NO_PLUGIN);
    fix(x, "kubectl get pods -A -o wide | grep -i nvidia   # is the plugin "
           "running on this node?");
}

void check_kubernetes_forwarding(struct exam *x)
{
    static const char *const paths[][2] = {
        {"/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"},
        {"/proc/sys/net/bridge/bridge-nf-call-iptables",
         "net.bridge.bridge-nf-call-iptables"},
    };

    for (size_t i = 0; is_node(x) && i < COUNT(paths); i++) {
        long long v = machine_number(x->m, paths[i][0], 0);
        evidence(x, "%s %lld", paths[i][1], v);
        if (v == 1)
            continue;
        say(x, VERDICT_FAILED, KUBERNETES_FORWARD, paths[i][1], v);
        fix(x,
            "modprobe br_netfilter && sysctl -w %s=1   # and in "
            "/etc/sysctl.d",
            paths[i][1]);
    }
}
