/* firewall.c - ufw's rules, as its files have them (ufw-framework(8)); other
 * firewalls are known to root alone. */
#include <stdio.h>
#include <string.h>

#include "doctor/check.h"

static bool is_on(struct exam *x)
{
    struct str text = {NULL, 0};

    return machine_read(x->m, "/etc/ufw/ufw.conf", &text) == FOUND &&
           strstr(text.p, "ENABLED=yes");
}

/* "### tuple ### allow tcp 8000 0.0.0.0/0 any 0.0.0.0/0 in": any, the port
 * itself, or a range of it. */
static bool is_open(struct str rules, unsigned port)
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

/* Where the port is listened to: 0 nowhere, 1 on loopback alone, 2 beyond. */
static int listeners(struct exam *x, unsigned port)
{
    struct str text = {NULL, 0};
    int reach = 0;

    if (machine_read(x->m, "/proc/net/tcp", &text) != FOUND)
        return 0;
    while (text.n) {
        const char *line = cstr(x, str_cut(&text, '\n'));
        unsigned address, at, state;
        if (sscanf(line, "%*d: %x:%x %*[0-9A-Fa-f]:%*x %x", &address, &at,
                   &state) != 3 ||
            at != port || state != 0x0a)
            continue;
        int now = (address & 0xff) == 127 ? 1 : 2; /* little endian */
        reach = now > reach ? now : reach;
    }
    return reach;
}

/* Each port that services need, with ufw's rules for it. */
static void each_port(struct exam *x,
                      void (*each)(struct exam *x, unsigned port, bool open))
{
    struct str rest =
        str_from_cstr(x->options->ports ? x->options->ports : "8000,8001,8002");
    struct str rules = {NULL, 0};

    if (!is_on(x) || !got(x, machine_read(x->m, "/etc/ufw/user.rules", &rules),
                          "/etc/ufw/user.rules"))
        return;
    while (rest.n) {
        uint64_t port;
        if (str_to_u64(str_trim(str_cut(&rest, ',')), &port) && port <= 65535)
            each(x, (unsigned)port, is_open(rules, (unsigned)port));
    }
}

/* Only what listens beyond this machine wants to be reached. */
static void look_at_rule(struct exam *x, unsigned port, bool open)
{
    evidence(x, "%u %s", port, open ? "open" : "closed");
    if (open || listeners(x, port) != 2)
        return;
    say(x, VERDICT_WARNING, FIREWALL_CLOSED, port);
    fix(x, "ufw allow %u/tcp", port);
}

void check_firewall_ports(struct exam *x)
{
    each_port(x, look_at_rule);
}

static void look_at_listener(struct exam *x, unsigned port, bool open)
{
    if (!open || !listeners(x, port))
        return;
    evidence(x, "%u", port);
    if (listeners(x, port) != 1)
        return;
    say(x, VERDICT_WARNING, FIREWALL_LOOPBACK, port);
    fix(x, "stoker serve --host 0.0.0.0 ...   # or nginx in front of it");
}

void check_firewall_loopback(struct exam *x)
{
    each_port(x, look_at_listener);
}
