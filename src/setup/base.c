#include <string.h>

#include "setup/edit.h"
#include "setup/step.h"

/* Settings that servers of models want: many sockets, big mapped files, no
 * swapping of what answers. Documentation/admin-guide/sysctl of the kernel. */
static const char sysctl[] = "# stoker setup base\n"
                             "net.core.somaxconn = 4096\n"
                             "net.ipv4.tcp_max_syn_backlog = 8192\n"
                             "fs.inotify.max_user_watches = 524288\n"
                             "fs.inotify.max_user_instances = 1024\n"
                             "vm.max_map_count = 262144\n"
                             "vm.swappiness = 10\n";

static const char limits[] = "# stoker setup base\n"
                             "* soft nofile 1048576\n"
                             "* hard nofile 1048576\n"
                             "root soft nofile 1048576\n"
                             "root hard nofile 1048576\n"
                             "* soft memlock unlimited\n"
                             "* hard memlock unlimited\n";

static const char units[] = "# stoker setup base\n"
                            "[Manager]\n"
                            "DefaultLimitNOFILE=1048576\n"
                            "DefaultLimitMEMLOCK=infinity\n";

static void tools(struct plan *p, const struct os *os)
{
    if (os_has_apt(os))
        install(p, titled(p, SETUP_TEXT_BASE_TOOLS),
                "ca-certificates curl wget git vim-tiny htop lsof rsync unzip "
                "pciutils iproute2 net-tools");
    else if (os_has_dnf(os))
        install(p, titled(p, SETUP_TEXT_BASE_TOOLS),
                "ca-certificates curl wget git vim-minimal lsof rsync unzip "
                "pciutils iproute net-tools");
    else
        refuse(p, titled(p, SETUP_TEXT_NO_SYSTEM));
}

static void clock_kept(struct plan *p, const struct os *os)
{
    if (machine_kind(p->machine, "/etc/systemd/system/sysinit.target.wants/"
                                 "systemd-timesyncd.service")) {
        note(p, titled(p, SETUP_TEXT_BASE_TIMESYNCD));
        return;
    }
    install(p, titled(p, SETUP_TEXT_BASE_TIME), "chrony");
    service(p, os_has_apt(os) ? "chrony.service" : "chronyd.service");
}

static void zone(struct plan *p)
{
    const char *z = p->options->timezone;
    const char *file = made(p, "/usr/share/zoneinfo/%s", z);

    /* a tree without tzdata gets it with the packages */
    if (strstr(z, "..") || (machine_kind(p->machine, "/usr/share/zoneinfo") &&
                            !S_ISREG(machine_kind(p->machine, file)))) {
        refuse(p, titled(p, SETUP_TEXT_BASE_NO_ZONE, z));
        return;
    }
    put_link(p, titled(p, SETUP_TEXT_BASE_ZONE, z), "/etc/localtime", file);
    if (machine_kind(p->machine, "/etc/timezone")) /* Debian's own copy */
        put_file(p, titled(p, SETUP_TEXT_BASE_ZONE, z), "/etc/timezone", 0644,
                 str_from_cstr(made(p, "%s\n", z)));
}

static void host_name(struct plan *p)
{
    const char *name = p->options->hostname;
    const char *title = titled(p, SETUP_TEXT_BASE_HOSTNAME, name);

    put_file(p, title, "/etc/hostname", 0644,
             str_from_cstr(made(p, "%s\n", name)));
    put_file(p, titled(p, SETUP_TEXT_BASE_HOSTS), "/etc/hosts", 0644,
             edit_line(p, planned(p, "/etc/hosts"), 0, "127.0.1.1",
                       made(p, "127.0.1.1\t%s", name)));
    if (is_running(p))
        refresh(p, title, "hostname -F /etc/hostname", "");
}

/* ---- a fixed address ------------------------------------------------- */

static const char *netplan(struct plan *p, const struct setup_options *o)
{
    return made(p,
                "# stoker setup base\nnetwork:\n  version: 2\n  ethernets:\n"
                "    %s:\n      dhcp4: false\n      addresses: [\"%s\"]\n"
                "%s%s%s%s%s%s",
                o->interface, o->address,
                o->gateway ? "      routes:\n        - to: default\n"
                             "          via: \""
                           : "",
                o->gateway ? o->gateway : "", o->gateway ? "\"\n" : "",
                o->dns ? "      nameservers:\n        addresses: [" : "",
                o->dns ? o->dns : "", o->dns ? "]\n" : "");
}

static const char *networkd(struct plan *p, const struct setup_options *o)
{
    const char *dns = wrapped(p, o->dns ? o->dns : "", "DNS=", "\n", "");

    return made(p,
                "# stoker setup base\n[Match]\nName=%s\n\n[Network]\n"
                "Address=%s\n%s%s%s%s",
                o->interface, o->address, o->gateway ? "Gateway=" : "",
                o->gateway ? o->gateway : "", o->gateway ? "\n" : "", dns);
}

static const char *network_manager(struct plan *p,
                                   const struct setup_options *o)
{
    const char *ip = strchr(o->address, ':') ? "ipv6" : "ipv4";
    const char *dns = wrapped(p, o->dns ? o->dns : "", "", ";", "");

    return made(p,
                "# stoker setup base\n[connection]\nid=stoker-%s\n"
                "type=ethernet\ninterface-name=%s\nautoconnect-priority=100\n"
                "\n[%s]\nmethod=manual\naddress1=%s%s%s\n%s%s%s",
                o->interface, o->interface, ip, o->address,
                o->gateway ? "," : "", o->gateway ? o->gateway : "",
                *dns ? "dns=" : "", dns, *dns ? "\n" : "");
}

static const char *ifupdown(struct plan *p, const struct setup_options *o)
{
    return made(p,
                "# stoker setup base\nauto %s\niface %s %s static\n"
                "    address %s\n%s%s%s%s%s%s",
                o->interface, o->interface,
                strchr(o->address, ':') ? "inet6" : "inet", o->address,
                o->gateway ? "    gateway " : "", o->gateway ? o->gateway : "",
                o->gateway ? "\n" : "", o->dns ? "    dns-nameservers " : "",
                o->dns ? o->dns : "", o->dns ? "\n" : "");
}

#define INTERFACES "/etc/network/interfaces"

/* Does the line begin another paragraph of interfaces(5)? */
static bool begins_stanza(struct str word)
{
    static const char *const words[] = {"iface",        "auto",
                                        "mapping",      "source",
                                        "rename",       "source-directory",
                                        "no-auto-down", "no-scripts"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (str_eq(word, str_from_cstr(words[i])))
            return true;
    return str_starts(word, STR("allow-"));
}

/* A file without what it says of the interface's addresses of that family,
 * which ifup would set beside ours; the first with the directory that ours is
 * in. */
static void take_off(struct plan *p, const struct setup_options *o,
                     const char *path)
{
    struct str text = planned(p, path);
    struct str family = strchr(o->address, ':') ? STR("inet6") : STR("inet");
    bool ours = false, any = false, is_first = strcmp(path, INTERFACES) == 0,
         sourced = !is_first;
    struct buf b;

    buf_init(&b, 1 << 20);
    while (text.n) {
        struct str line = str_cut(&text, '\n'), rest = line;
        struct str first = str_word(&rest), name = str_word(&rest),
                   kind = str_word(&rest);
        if (begins_stanza(first))
            ours = str_eq(first, STR("iface")) &&
                   str_eq(name, str_from_cstr(o->interface)) &&
                   str_eq(kind, family);
        sourced = sourced || (str_starts(first, STR("source")) &&
                              str_starts(name, STR(INTERFACES ".d")));
        bool off = ours && first.n && first.p[0] != '#';
        any = any || off;
        buf_printf(&b, "%s" STR_FMT "\n", off ? "# stoker: " : "",
                   STR_ARG(line));
    }
    if (!sourced)
        buf_puts(&b, "source " INTERFACES ".d/*\n");
    const char *copy = arena_cstr(p->arena, buf_str(&b));
    if (is_first || any)
        put_file(p, titled(p, SETUP_TEXT_BASE_INTERFACES, path, o->interface),
                 path, 0644, str_from_cstr(copy ? copy : ""));
    p->failed |= !copy;
    buf_fini(&b);
}

/* Nothing else asks ifupdown for an address of the interface. */
static void interfaces(struct plan *p, const struct setup_options *o)
{
    struct names names = {.n = 0};

    take_off(p, o, INTERFACES);
    (void)machine_list(p->machine, INTERFACES ".d", &names);
    for (size_t i = 0; i < names.n; i++)
        if (!str_eq(names.v[i], STR("stoker")))
            take_off(p, o,
                     made(p, INTERFACES ".d/" STR_FMT, STR_ARG(names.v[i])));
}

/* The first whose home is there reads the address. */
static void fixed_address(struct plan *p)
{
    const struct {
        const char *home, *file;
        const char *(*text)(struct plan *, const struct setup_options *);
        const char *then;
    } rows[] = {
        {"/etc/netplan", "/etc/netplan/90-stoker.yaml", netplan, "netplan try"},
        {"/etc/NetworkManager",
         "/etc/NetworkManager/system-connections/stoker.nmconnection",
         network_manager, "nmcli connection reload"},
        {INTERFACES, INTERFACES ".d/stoker", ifupdown, "ifup"},
        {INTERFACES ".d", INTERFACES ".d/stoker", ifupdown, "ifup"},
        {"/etc/systemd/network", "/etc/systemd/network/10-stoker.network",
         networkd, "networkctl reload"},
    };
    const struct setup_options *o = p->options;

    if (!o->interface)
        refuse(p, titled(p, SETUP_TEXT_NEEDS, "interface"));
    else if (!is_address(str_from_cstr(o->address), PREFIX_MUST))
        refuse(p, titled(p, SETUP_TEXT_BASE_ADDRESS_WRONG, o->address));
    else if (o->gateway && !is_address(str_from_cstr(o->gateway), PREFIX_NONE))
        refuse(p, titled(p, SETUP_TEXT_BASE_ADDRESS_WRONG, o->gateway));
    if (p->refused)
        return;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!machine_kind(p->machine, rows[i].home))
            continue;
        if (rows[i].text == ifupdown)
            interfaces(p, o);
        put_file(p,
                 titled(p, SETUP_TEXT_BASE_ADDRESS, o->address, o->interface),
                 rows[i].file, 0600, str_from_cstr(rows[i].text(p, o)));
        note(p, titled(p, SETUP_TEXT_BASE_ADDRESS_NOTE, rows[i].then));
        return;
    }
    refuse(p, titled(p, SETUP_TEXT_BASE_NO_NETWORK));
}

void target_base(struct plan *p)
{
    struct os os = plan_os(p);

    tools(p, &os);
    clock_kept(p, &os);
    if (p->options->timezone)
        zone(p);
    if (p->options->hostname)
        host_name(p);
    if (p->options->address)
        fixed_address(p);
    put_file(p, titled(p, SETUP_TEXT_BASE_LIMITS),
             "/etc/security/limits.d/90-stoker.conf", 0644,
             str_from_cstr(limits));
    put_file(p, titled(p, SETUP_TEXT_BASE_UNITS),
             "/etc/systemd/system.conf.d/90-stoker.conf", 0644,
             str_from_cstr(units));
    if (has_systemd(p))
        refresh(p, titled(p, SETUP_TEXT_BASE_RELOAD), "systemctl daemon-reexec",
                "");
    kernel_settings(p, titled(p, SETUP_TEXT_BASE_SYSCTL),
                    "/etc/sysctl.d/90-stoker.conf", sysctl);
}
