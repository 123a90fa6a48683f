/* firewall.c - what ufw and firewalld let in, as their files have it
 * (ufw-framework(8), firewalld.zone(5)); what nftables does is known to root
 * alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/sockets.h"

struct rules {
    const char *who;   /* ufw, firewalld */
    const char *allow; /* its command, for a port */
    struct str text;
    bool (*is_open)(struct str text, unsigned port);
    bool any_listens; /* on one of the ports */
};

/* ---- ufw ---------------------------------------------------------------- */

/* "### tuple ### allow tcp 8000 0.0.0.0/0 any 0.0.0.0/0 in": any, the port
 * itself, or a range of it. */
static bool ufw_opens(struct str rules, unsigned port)
{
    while (rules.n) {
        char line[256], ports[64];
        struct str text = str_cut(&rules, '\n');
        unsigned from, to;
        (void)snprintf(line, sizeof(line), STR_FMT, STR_ARG(text));
        if (sscanf(line, "### tuple ### allow %*s %63s", ports) != 1)
            continue;
        for (char *save = NULL, *p = strtok_r(ports, ",", &save); p;
             p = strtok_r(NULL, ",", &save)) {
            int n = sscanf(p, "%u:%u", &from, &to);
            if (strcmp(p, "any") == 0 || (n == 1 && from == port) ||
                (n == 2 && from <= port && port <= to))
                return true;
        }
    }
    return false;
}

static bool opens_all(struct str rules, unsigned port)
{
    (void)rules;
    (void)port;
    return true;
}

static bool read_ufw(struct exam *x, struct rules *out)
{
    static const char path[] = "/etc/ufw/user.rules";
    struct str text = {NULL, 0};

    if (machine_read(x->m, "/etc/ufw/ufw.conf", &text) != FOUND ||
        !strstr(text.p, "ENABLED=yes"))
        return false;
    *out =
        (struct rules){"ufw", "ufw allow %u/tcp", {NULL, 0}, ufw_opens, false};
    if (machine_read(x->m, "/etc/default/ufw", &text) == FOUND &&
        strstr(text.p, "\nDEFAULT_INPUT_POLICY=\"ACCEPT\""))
        out->is_open = opens_all;
    enum found found = machine_read(x->m, path, &out->text);
    return found == ABSENT || got(x, found, path);
}

/* ---- firewalld ---------------------------------------------------------- */

/* The number in port="8000-8002"; what is behind it in *rest. */
static bool take_ports(struct str *rest, unsigned *from, unsigned *to)
{
    static const char name[] = "<port ", value[] = "port=\"";
    const char *at = memmem(rest->p, rest->n, name, sizeof(name) - 1);

    if (!at)
        return false;
    /* With its blank, so that it is not the end of another name. */
    *rest =
        str_slice(*rest, (size_t)(at - rest->p) + sizeof(name) - 2, rest->n);
    struct str tag = *rest;
    tag = str_cut(&tag, '>');
    *from = *to = 0;
    const char *port = memmem(tag.p, tag.n, value, sizeof(value) - 1);
    if (port && memmem(tag.p, tag.n, "\"tcp\"", 5)) {
        char *end;
        *from = *to = (unsigned)strtoul(port + sizeof(value) - 1, &end, 10);
        if (*end == '-')
            *to = (unsigned)strtoul(end + 1, NULL, 10);
    }
    return true;
}

static bool firewalld_opens(struct str zone, unsigned port)
{
    unsigned from, to;

    if (memmem(zone.p, zone.n, "target=\"ACCEPT\"", 15))
        return true;
    while (take_ports(&zone, &from, &to))
        if (from <= port && port <= to)
            return true;
    return false;
}

/* DefaultZone=public of firewalld.conf. */
static const char *default_zone(struct exam *x)
{
    struct str text = {NULL, 0};

    (void)machine_read(x->m, "/etc/firewalld/firewalld.conf", &text);
    while (text.n) {
        struct str value = str_trim(str_cut(&text, '\n')),
                   name = str_cut(&value, '=');
        if (value.n && str_eq(name, STR("DefaultZone")))
            return cstr(x, value);
    }
    return "public";
}

static bool starts_with_system(struct exam *x, const char *unit)
{
    static const char *const targets[] = {"multi-user", "sysinit", "basic"};
    struct str to = {NULL, 0};

    for (size_t i = 0; i < COUNT(targets); i++)
        if (machine_link(x->m,
                         machine_path(x->m,
                                      "/etc/systemd/system/%s.target.wants/%s",
                                      targets[i], unit),
                         &to) == FOUND)
            return true;
    return false;
}

static bool read_firewalld(struct exam *x, struct rules *out)
{
    if (!starts_with_system(x, "firewalld.service"))
        return false;
    *out = (struct rules){"firewalld",
                          "firewall-cmd --permanent --add-port=%u/tcp && "
                          "firewall-cmd --reload",
                          {NULL, 0},
                          firewalld_opens,
                          false};
    const char *zone = default_zone(x),
               *path = machine_path(x->m, "/etc/firewalld/zones/%s.xml", zone);
    enum found found = machine_read(x->m, path, &out->text);
    if (found == ABSENT)
        found = machine_read(
            x->m, machine_path(x->m, "/usr/lib/firewalld/zones/%s.xml", zone),
            &out->text);
    return found == ABSENT || got(x, found, path);
}

/* ---- both --------------------------------------------------------------- */

static void look_whether_any(struct exam *x, void *rules, unsigned port)
{
    struct rules *r = rules;

    r->any_listens = r->any_listens || listener_of(x, port).any;
}

/* Each port that services need, with the rules that are in force. */
static void each_with_rules(struct exam *x,
                            void (*each)(struct exam *x, void *rules,
                                         unsigned port))
{
    struct rules rules;

    if (!read_ufw(x, &rules) && !read_firewalld(x, &rules))
        return;
    each_port(x, &rules, look_whether_any);
    each_port(x, &rules, each);
}

/* What listens beyond this machine wants to be reached; while nothing listens
 * yet, all ports may want it one day. */
static void look_at_rule(struct exam *x, void *ctx, unsigned port)
{
    const struct rules *r = ctx;
    bool open = r->is_open(r->text, port);
    struct listener l = listener_of(x, port);

    evidence(x, "%u %s", port, open ? "open" : "closed");
    if (open || (r->any_listens && !l.beyond))
        return;
    say(x, l.beyond ? VERDICT_WARNING : VERDICT_INFO, FIREWALL_CLOSED, r->who,
        port);
    fix(x, r->allow, port);
}

void check_firewall_ports(struct exam *x)
{
    each_with_rules(x, look_at_rule);
    if (starts_with_system(x, "nftables.service")) {
        evidence(x, "nftables");
        say(x, VERDICT_UNKNOWN, FIREWALL_NFTABLES);
        fix(x, "nft list ruleset   # as root");
    }
}

static void look_at_listener(struct exam *x, void *ctx, unsigned port)
{
    const struct rules *r = ctx;
    struct listener l = listener_of(x, port);

    if (!l.any || !r->is_open(r->text, port))
        return;
    evidence(x, "%u", port);
    if (l.beyond)
        return;
    say(x, VERDICT_WARNING, FIREWALL_LOOPBACK, r->who, port);
    fix(x, "stoker serve --host 0.0.0.0 ...   # or nginx in front of it");
}

void check_firewall_loopback(struct exam *x)
{
    each_with_rules(x, look_at_listener);
}
