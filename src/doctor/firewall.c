/* firewall.c - ufw's rules, as its files have them (ufw-framework(8)); other
 * firewalls are known to root alone. */
#include <stdio.h>
#include <string.h>

#include "doctor/sockets.h"

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

/* Each port that services need, with ufw's rules for it. */
static void each_with_rules(struct exam *x,
                            void (*each)(struct exam *x, void *rules,
                                         unsigned port))
{
    struct str rules = {NULL, 0};

    if (is_on(x) && got(x, machine_read(x->m, "/etc/ufw/user.rules", &rules),
                        "/etc/ufw/user.rules"))
        each_port(x, &rules, each);
}

/* Only what listens beyond this machine wants to be reached. */
static void look_at_rule(struct exam *x, void *rules, unsigned port)
{
    bool open = is_open(*(const struct str *)rules, port);

    evidence(x, "%u %s", port, open ? "open" : "closed");
    if (open || !listener_of(x, port).beyond)
        return;
    say(x, VERDICT_WARNING, FIREWALL_CLOSED, port);
    fix(x, "ufw allow %u/tcp", port);
}

void check_firewall_ports(struct exam *x)
{
    each_with_rules(x, look_at_rule);
}

static void look_at_listener(struct exam *x, void *rules, unsigned port)
{
    struct listener l = listener_of(x, port);

    if (!l.any || !is_open(*(const struct str *)rules, port))
        return;
    evidence(x, "%u", port);
    if (l.beyond)
        return;
    say(x, VERDICT_WARNING, FIREWALL_LOOPBACK, port);
    fix(x, "stoker serve --host 0.0.0.0 ...   # or nginx in front of it");
}

void check_firewall_loopback(struct exam *x)
{
    each_with_rules(x, look_at_listener);
}
