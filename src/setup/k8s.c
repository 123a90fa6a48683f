/* k8s.c - one node, by kubeadm.
 *
 * https://kubernetes.io/docs/setup/production-environment/container-runtimes/
 * https://github.com/NVIDIA/k8s-device-plugin
 */
#include <string.h>

#include "setup/edit.h"
#include "setup/step.h"

#define CONFIG     "/etc/containerd/config.toml"
#define KUBECONFIG "/etc/kubernetes/admin.conf"
#define PLUGIN     "/etc/kubernetes/stoker-nvidia-device-plugin.yaml"
#define CNI        "/etc/cni/net.d/10-stoker.conflist"

static const char modules[] = "# stoker setup k8s\noverlay\nbr_netfilter\n";

static const char sysctl[] = "# stoker setup k8s\n"
                             "net.bridge.bridge-nf-call-iptables = 1\n"
                             "net.bridge.bridge-nf-call-ip6tables = 1\n"
                             "net.ipv4.ip_forward = 1\n";

/* Defaults, but for the cgroups, which have to be kubelet's; version 2 is
 * understood by containerd 1.x and 2.x. */
static const char containerd[] =
    "# stoker setup k8s\n"
    "version = 2\n"
    "\n"
    "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n"
    "  runtime_type = \"io.containerd.runc.v2\"\n"
    "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n"
    "  SystemdCgroup = true\n"
    "\n"
    "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia]\n"
    "  runtime_type = \"io.containerd.runc.v2\"\n"
    "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.nvidia."
    "options]\n"
    "  BinaryName = \"/usr/bin/nvidia-container-runtime\"\n"
    "  SystemdCgroup = true\n";

static const char plugin[] =
    "# stoker setup k8s\n"
    "apiVersion: node.k8s.io/v1\n"
    "kind: RuntimeClass\n"
    "metadata:\n"
    "  name: nvidia\n"
    "handler: nvidia\n"
    "---\n"
    "apiVersion: apps/v1\n"
    "kind: DaemonSet\n"
    "metadata:\n"
    "  name: nvidia-device-plugin\n"
    "  namespace: kube-system\n"
    "spec:\n"
    "  selector:\n"
    "    matchLabels: {name: nvidia-device-plugin}\n"
    "  template:\n"
    "    metadata:\n"
    "      labels: {name: nvidia-device-plugin}\n"
    "    spec:\n"
    "      runtimeClassName: nvidia\n"
    "      priorityClassName: system-node-critical\n"
    "      tolerations:\n"
    "        - {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}\n"
    "      containers:\n"
    "        - name: nvidia-device-plugin\n"
    "          image: nvcr.io/nvidia/k8s-device-plugin:v0.17.1\n"
    "          securityContext:\n"
    "            allowPrivilegeEscalation: false\n"
    "            capabilities: {drop: [ALL]}\n"
    "          volumeMounts:\n"
    "            - {name: plugins, mountPath: "
    "/var/lib/kubelet/device-plugins}\n"
    "      volumes:\n"
    "        - name: plugins\n"
    "          hostPath: {path: /var/lib/kubelet/device-plugins}\n";

static const char *network(struct plan *p, const char *cidr)
{
    return made(p,
                "{\n  \"cniVersion\": \"0.4.0\",\n  \"name\": \"stoker\",\n"
                "  \"plugins\": [\n    {\"type\": \"bridge\", \"bridge\": "
                "\"cni0\", \"isGateway\": true, \"ipMasq\": true,\n"
                "     \"hairpinMode\": true, \"ipam\": {\"type\": "
                "\"host-local\", \"ranges\": [[{\"subnet\": \"%s\"}]],\n"
                "     \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}},\n"
                "    {\"type\": \"portmap\", \"capabilities\": "
                "{\"portMappings\": true}}\n  ]\n}\n",
                cidr);
}

/* ---- swap ------------------------------------------------------------ */

/* Off first: an undo goes the other way, and finds its lines in fstab again. */
static void swap_off(struct plan *p)
{
    struct str swaps = {NULL, 0};

    if (is_running(p) &&
        machine_read(p->machine, "/proc/swaps", &swaps) == FOUND &&
        memmem(swaps.p, swaps.n, "\n/", 2))
        run(p, titled(p, SETUP_TEXT_K8S_SWAPOFF), "", "swapoff -a",
            "swapon -a");
    struct str fstab = planned(p, "/etc/fstab");
    if (fstab.p)
        put_file(p, titled(p, SETUP_TEXT_K8S_SWAP), "/etc/fstab", 0644,
                 edit_comment(p, fstab, 2, "swap", "# off for Kubernetes: "));
}

/* ---- what the node stands on ----------------------------------------- */

/* A module, or a part of this kernel: then only modules.builtin tells. */
static bool is_loaded(struct plan *p, const char *name)
{
    struct str text = {NULL, 0};
    const char *release = kernel_release(p), *file = made(p, "/%s.ko", name);

    if (machine_kind(p->machine, made(p, "/sys/module/%s", name)))
        return true;
    return release &&
           machine_read(p->machine,
                        made(p, "/lib/modules/%s/modules.builtin", release),
                        &text) == FOUND &&
           memmem(text.p, text.n, file, strlen(file));
}

static void kernel(struct plan *p)
{
    static const char *const names[] = {"overlay", "br_netfilter"};

    put_file(p, titled(p, SETUP_TEXT_K8S_MODULES),
             "/etc/modules-load.d/stoker-k8s.conf", 0644,
             str_from_cstr(modules));
    for (size_t i = 0; is_running(p) && i < COUNT(names); i++)
        if (!is_loaded(p, names[i]))
            run(p, titled(p, SETUP_TEXT_K8S_MODULE, names[i]), "",
                made(p, "modprobe %s", names[i]), "");
    kernel_settings(p, titled(p, SETUP_TEXT_K8S_SYSCTL),
                    "/etc/sysctl.d/95-stoker-k8s.conf", sysctl);
}

/* A configuration that has systemd's cgroups already is the user's. */
static void runtime(struct plan *p, const struct os *os)
{
    if (!machine_kind(p->machine, "/usr/bin/containerd"))
        install(p, titled(p, SETUP_TEXT_K8S_CONTAINERD),
                os_has_apt(os) ? "containerd" : "containerd.io");
    struct str text = planned(p, CONFIG);
    if (!text.p || !memmem(text.p, text.n, "SystemdCgroup = true", 20))
        put_file(p, titled(p, SETUP_TEXT_K8S_CONFIG), CONFIG, 0644,
                 str_from_cstr(containerd));
    if (has_systemd(p))
        refresh(p, titled(p, SETUP_TEXT_K8S_RESTART),
                "systemctl restart containerd.service", "");
}

static void see_held(void *ctx, const struct package *k)
{
    *(bool *)ctx |= k->held && str_eq(k->name, STR("kubelet"));
}

static void node_packages(struct plan *p, const struct os *os,
                          const char *version)
{
    const char *base = made(p, "https://pkgs.k8s.io/core:/stable:/%s", version);

    if (os_has_apt(os))
        apt_repository(p, "kubernetes", made(p, "%s/deb/Release.key", base),
                       made(p, "%s/deb/ /", base));
    else
        dnf_repository(p, "kubernetes", made(p, "%s/rpm/", base),
                       made(p, "%s/rpm/repodata/repomd.xml.key", base));
    install(p, titled(p, SETUP_TEXT_K8S_PACKAGES, version),
            "kubelet kubeadm kubectl kubernetes-cni");
    bool held = false;
    (void)packages_each(p->machine, see_held, &held);
    if (os_has_apt(os) && !held)
        run(p, titled(p, SETUP_TEXT_K8S_HOLD), "",
            "apt-mark -q hold kubelet kubeadm kubectl",
            "apt-mark -q unhold kubelet kubeadm kubectl");
}

/* ---- the cluster ----------------------------------------------------- */

static void cluster(struct plan *p, const char *cidr)
{
    if (!has_systemd(p)) {
        note(p, titled(p, SETUP_TEXT_K8S_LATER));
        return;
    }
    service(p, "kubelet.service");
    run(p, titled(p, SETUP_TEXT_K8S_INIT), KUBECONFIG,
        made(p,
             "kubeadm init --pod-network-cidr=%s "
             "--cri-socket=unix:///run/containerd/containerd.sock",
             cidr),
        "kubeadm reset --force --cri-socket=unix:///run/containerd/"
        "containerd.sock");
    refresh(p, titled(p, SETUP_TEXT_K8S_TAINT),
            "kubectl --kubeconfig=" KUBECONFIG " taint nodes --all --overwrite "
            "node-role.kubernetes.io/control-plane=:PreferNoSchedule",
            "");
}

void target_k8s(struct plan *p)
{
    const struct setup_options *o = p->options;
    const char *cidr = o->pod_network;
    struct os os = plan_os(p);

    if (!os_has_apt(&os) && !os_has_dnf(&os)) {
        refuse(p, titled(p, SETUP_TEXT_NO_SYSTEM));
        return;
    }
    swap_off(p);
    kernel(p);
    runtime(p, &os);
    node_packages(p, &os, o->kubernetes);
    put_file(p, titled(p, SETUP_TEXT_K8S_NETWORK), CNI, 0644,
             str_from_cstr(network(p, cidr)));
    put_file(p, titled(p, SETUP_TEXT_K8S_PLUGIN), PLUGIN, 0644,
             str_from_cstr(plugin));
    cluster(p, cidr);
    if (has_systemd(p))
        refresh(p, titled(p, SETUP_TEXT_K8S_PLUGIN_APPLY),
                "kubectl --kubeconfig=" KUBECONFIG " apply -f " PLUGIN, "");
}
