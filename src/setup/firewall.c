/* firewall.c - who may reach Stoker's ports.
 *
 * A firewall that is there already (ufw, firewalld) gets rules for the ports.
 * Else nftables gets a table of our own, which drops what others send to these
 * ports and says nothing of any other: nobody is locked out of the machine.
 */
#include <stdio.h>
#include <string.h>

#include "setup/edit.h"
#include "setup/host.h"
#include "setup/step.h"

#define OWN      "/etc/nftables.d/stoker.nft"
#define NFTABLES "/etc/nftables.conf"

static bool is_v6(struct str text)
{
    return memchr(text.p, ':', text.n) != NULL;
}

/* False, and refused: what was said is no list of ports, or of networks. */
static bool check(struct plan *p, const char *ports, const char *allow)
{
    struct str rest = str_from_cstr(ports);
    uint64_t port = 0;

    while (rest.n) {
        struct str one = str_cut(&rest, ',');
        if (!str_to_u64(one, &port) || port == 0 || port > 65535)
            refuse(p, titled(p, SETUP_TEXT_FIREWALL_PORT,
                             made(p, STR_FMT, STR_ARG(one))));
    }
    rest = str_from_cstr(allow);
    while (rest.n) {
        struct str one = str_cut(&rest, ',');
        if (!is_address(one, PREFIX_MAY))
            refuse(p, titled(p, SETUP_TEXT_FIREWALL_WRONG,
                             made(p, STR_FMT, STR_ARG(one))));
    }
    return !p->refused;
}

/* ---- nftables: https://wiki.nftables.org ----------------------------- */

static const char *networks(struct plan *p, const char *allow, bool v6)
{
    struct str rest = str_from_cstr(allow);
    const char *list = v6 ? "::1" : "127.0.0.0/8";

    while (rest.n) {
        struct str one = str_cut(&rest, ',');
        if (is_v6(one) == v6)
            list = made(p, "%s, " STR_FMT, list, STR_ARG(one));
    }
    return list;
}

static void own_table(struct plan *p, const char *ports, const char *allow)
{
    const char *set = wrapped(p, ports, "", "", ", ");
    /* The table is made before it is deleted, so that the file can be loaded
     * again and again. */
    const char *text = made(p,
                            "# stoker setup firewall\n"
                            "table inet stoker\n"
                            "delete table inet stoker\n"
                            "table inet stoker {\n"
                            "\tchain input {\n"
                            "\t\ttype filter hook input priority -5; "
                            "policy accept;\n"
                            "\t\tct state established,related accept\n"
                            "\t\ttcp dport { %s } ip saddr { %s } accept\n"
                            "\t\ttcp dport { %s } ip6 saddr { %s } accept\n"
                            "\t\ttcp dport { %s } drop\n"
                            "\t}\n"
                            "}\n",
                            set, networks(p, allow, false), set,
                            networks(p, allow, true), set);
    struct str main = planned(p, NFTABLES);

    install(p, titled(p, SETUP_TEXT_FIREWALL_TOOLS), "nftables");
    put_file(p, titled(p, SETUP_TEXT_FIREWALL_RULES, ports, allow), OWN, 0644,
             str_from_cstr(text));
    put_file(p, titled(p, SETUP_TEXT_FIREWALL_BOOT), NFTABLES, 0755,
             edit_block(p, main.p ? main : STR("#!/usr/sbin/nft -f\n"),
                        "firewall", "include \"" OWN "\"\n"));
    if (!is_running(p))
        return;
    service(p, "nftables.service");
    refresh(p, titled(p, SETUP_TEXT_FIREWALL_LOAD), "nft -f " OWN,
            "nft delete table inet stoker");
}

/* ---- those that are there -------------------------------------------- */

static bool ufw_is_on(struct plan *p)
{
    struct str text = {NULL, 0};

    if (machine_read(p->machine, "/etc/ufw/ufw.conf", &text) != FOUND)
        return false;
    while (text.n)
        if (str_eq(str_trim(str_cut(&text, '\n')), STR("ENABLED=yes")))
            return true;
    return false;
}

/* ufw writes a rule as "### tuple ### allow tcp 8000 0.0.0.0/0 any 10.0.0.0/8
 * in" into its files. */
static bool ufw_has(struct plan *p, struct str port, struct str from)
{
    struct str text = {NULL, 0};
    const char *file =
        is_v6(from) ? "/etc/ufw/user6.rules" : "/etc/ufw/user.rules";
    const char *wanted =
        made(p, "allow tcp " STR_FMT " %s any " STR_FMT " in", STR_ARG(port),
             is_v6(from) ? "::/0" : "0.0.0.0/0", STR_ARG(from));

    return machine_read(p->machine, file, &text) == FOUND &&
           memmem(text.p, text.n, wanted, strlen(wanted));
}

static void each_rule(struct plan *p, const char *ports, const char *allow,
                      void (*rule)(struct plan *, struct str, struct str))
{
    struct str a = str_from_cstr(ports);

    while (a.n) {
        struct str port = str_cut(&a, ','), b = str_from_cstr(allow);
        while (b.n) {
            struct str from = str_cut(&b, ',');
            rule(p, port, from);
        }
    }
}

static void ufw_rule(struct plan *p, struct str port, struct str from)
{
    const char *rule =
        made(p, "allow proto tcp from " STR_FMT " to any port " STR_FMT,
             STR_ARG(from), STR_ARG(port));

    if (!ufw_has(p, port, from))
        run(p,
            titled(p, SETUP_TEXT_FIREWALL_UFW, made(p, STR_FMT, STR_ARG(port)),
                   made(p, STR_FMT, STR_ARG(from))),
            "", made(p, "ufw %s", rule), made(p, "ufw delete %s", rule));
}

static void firewalld_rule(struct plan *p, struct str port, struct str from)
{
    const char b = HOST_BLANK;
    const char *rule = made(p,
                            "rule%cfamily=%s%csource%caddress=" STR_FMT
                            "%cport%cport=" STR_FMT "%cprotocol=tcp%caccept",
                            b, is_v6(from) ? "ipv6" : "ipv4", b, b,
                            STR_ARG(from), b, b, STR_ARG(port), b, b);
    run(p,
        titled(p, SETUP_TEXT_FIREWALL_FIREWALLD,
               made(p, STR_FMT, STR_ARG(port)),
               made(p, STR_FMT, STR_ARG(from))),
        made(p, "firewall-cmd --permanent -q --query-rich-rule=%s", rule),
        made(p, "firewall-cmd --permanent -q --add-rich-rule=%s", rule),
        made(p, "firewall-cmd --permanent -q --remove-rich-rule=%s", rule));
}

void target_firewall(struct plan *p)
{
    const struct setup_options *o = p->options;
    const char *ports = o->ports;

    if (!o->allow) {
        lack(p, titled(p, SETUP_TEXT_NEEDS, "allow"));
        return;
    }
    if (!check(p, ports, o->allow))
        return;
    if (ufw_is_on(p)) {
        each_rule(p, ports, o->allow, ufw_rule);
    } else if (machine_kind(p->machine, "/etc/firewalld") &&
               machine_kind(p->machine, "/usr/bin/firewall-cmd")) {
        each_rule(p, ports, o->allow, firewalld_rule);
        if (is_running(p))
            refresh(p, titled(p, SETUP_TEXT_FIREWALL_LOAD),
                    "firewall-cmd -q --reload", "");
    } else {
        own_table(p, ports, o->allow);
    }
}
