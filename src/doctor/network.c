/* network.c - routes, names, cards, and who holds the ports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/sockets.h"

/* ---- routes ------------------------------------------------------------- */

struct route {
    char card[32];
    unsigned metric;
};

/* "eth0 00000000 0101A8C0 0003 0 0 100 00000000 ...": of /proc/net/route. */
static bool take_default(struct str line, struct route *out)
{
    char text[256];
    unsigned to, gateway, flags, mask;

    (void)snprintf(text, sizeof(text), STR_FMT, STR_ARG(line));
    return sscanf(text, "%31s %x %x %x %*u %*u %u %x", out->card, &to, &gateway,
                  &flags, &out->metric, &mask) == 6 &&
           to == 0 && mask == 0;
}

void check_network_route(struct exam *x)
{
    struct str text = {NULL, 0}, v6 = {NULL, 0};
    struct route all[16];
    size_t n = 0;

    if (!got(x, machine_read(x->m, "/proc/net/route", &text),
             "/proc/net/route"))
        return;
    while (text.n && n < COUNT(all))
        n += take_default(str_cut(&text, '\n'), &all[n]);
    for (size_t i = 0; i < n; i++)
        evidence(x, "default %s metric %u", all[i].card, all[i].metric);
    (void)machine_read(x->m, "/proc/net/ipv6_route", &v6);
    bool any6 =
        v6.n && strstr(v6.p, "00000000000000000000000000000000 00 "
                             "00000000000000000000000000000000 00 fe80");
    if (n == 0 && !any6) {
        say(x, VERDICT_WARNING, NETWORK_NO_ROUTE);
        fix(x, "ip route add default via GATEWAY   # and in netplan or "
               "NetworkManager, so that it stays");
    }
    for (size_t i = 1; i < n; i++)
        if (all[i].metric == all[0].metric &&
            strcmp(all[i].card, all[0].card) != 0)
            say(x, VERDICT_WARNING, NETWORK_TWO_ROUTES, all[0].card,
                all[i].card);
}

/* ---- names -------------------------------------------------------------- */

void check_network_resolver(struct exam *x)
{
    struct str text = {NULL, 0};
    size_t n = 0;

    struct str to = STR("");
    enum found found = machine_read(x->m, "/etc/resolv.conf", &text);
    /* Made at every start: a machine that does not run has none. */
    if (found == ABSENT && !machine_is_live(x->m) &&
        machine_link(x->m, "/etc/resolv.conf", &to) == FOUND)
        found = NOT_CAPTURED;
    if (found != FOUND && found != ABSENT) {
        (void)got(x, found, "/etc/resolv.conf");
        return;
    }
    while (text.n) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, STR("nameserver"))) {
            evidence(x, STR_FMT, STR_ARG(line));
            n++;
        }
    }
    if (n == 0) {
        say(x, VERDICT_FAILED, NETWORK_NO_RESOLVER);
        fix(x, "resolvectl status   # or write 'nameserver ADDRESS' into "
               "/etc/resolv.conf");
    }
}

void check_network_hostname(struct exam *x)
{
    struct str name = {NULL, 0}, answer = {NULL, 0};

    if (machine_read(x->m, "/proc/sys/kernel/hostname", &name) != FOUND)
        return;
    const char *host = cstr(x, str_trim(str_cut(&name, '\n')));
    enum found found =
        machine_fact(x->m, machine_path(x->m, "resolve %s", host), &answer);
    if (found == FOUND)
        evidence(x, "%s in %lld ms", host,
                 (long long)fact_number(answer, "milliseconds", 0));
    if (found == ABSENT && machine_is_live(x->m)) {
        say(x, VERDICT_WARNING, NETWORK_HOSTNAME, host);
        fix(x, "echo '127.0.1.1 %s' >> /etc/hosts", host);
    }
}

/* ---- ports -------------------------------------------------------------- */

/* "python3 (pid 812)" of the process that has the socket; NULL: none that may
 * be looked at. */
static const char *owner(struct exam *x, unsigned long inode)
{
    struct names pids = {.n = 0}, fds = {.n = 0};
    const char *want = machine_path(x->m, "socket:[%lu]", inode);
    struct str to = {NULL, 0}, name = {NULL, 0};

    (void)machine_list(x->m, "/proc", &pids);
    for (size_t i = 0; i < pids.n; i++) {
        const char *pid = pids.v[i].p;
        if (pid[0] < '0' || pid[0] > '9' ||
            machine_list(x->m, machine_path(x->m, "/proc/%s/fd", pid), &fds) !=
                FOUND)
            continue;
        for (size_t k = 0; k < fds.n; k++) {
            const char *fd =
                machine_path(x->m, "/proc/%s/fd/%s", pid, fds.v[k].p);
            if (machine_link(x->m, fd, &to) != FOUND || strcmp(to.p, want) != 0)
                continue;
            (void)machine_read(x->m, machine_path(x->m, "/proc/%s/comm", pid),
                               &name);
            name = str_cut(&name, '\n');
            return machine_path(x->m, STR_FMT " (pid %s)", STR_ARG(name), pid);
        }
    }
    return NULL;
}

static void look_at_port(struct exam *x, void *ctx, unsigned port)
{
    struct listener l = listener_of(x, port);

    (void)ctx;
    evidence(x, "%u %s", port, l.any ? "held" : "free");
    if (!l.any)
        return;
    const char *who = owner(x, l.inode);
    /* Stoker's own is where it should be. */
    if (who && str_starts(str_from_cstr(who), STR("stoker")))
        return;
    say(x, VERDICT_WARNING, NETWORK_PORT_TAKEN, port, who ? who : "?");
    fix(x,
        "ss -ltnp 'sport = :%u'   # end it, or serve on another port: "
        "stoker serve --http-port N",
        port);
}

void check_network_ports(struct exam *x)
{
    enum found found =
        machine_kind(x->m, "/proc/net/tcp") || machine_is_live(x->m)
            ? FOUND
            : NOT_CAPTURED;

    if (got(x, found, "/proc/net/tcp"))
        each_port(x, NULL, look_at_port);
}

/* ---- cards -------------------------------------------------------------- */

static long long card_number(struct exam *x, const char *card, const char *file)
{
    return machine_number(
        x->m, machine_path(x->m, "/sys/class/net/%s/%s", card, file), -1);
}

void check_network_links(struct exam *x)
{
    struct names cards = {.n = 0};

    if (machine_list(x->m, "/sys/class/net", &cards) != FOUND)
        return;
    for (size_t i = 0; i < cards.n; i++) {
        const char *card = cards.v[i].p;
        struct str state = {NULL, 0};
        if (!machine_kind(x->m,
                          machine_path(x->m, "/sys/class/net/%s/device", card)))
            continue; /* not of hardware */
        (void)machine_read(
            x->m, machine_path(x->m, "/sys/class/net/%s/operstate", card),
            &state);
        long long speed = card_number(x, card, "speed"),
                  errors = card_number(x, card, "statistics/rx_errors"),
                  packets = card_number(x, card, "statistics/rx_packets");
        if (!str_starts(state, STR("up")))
            continue;
        evidence(x, "%s %lld Mb/s", card, speed);
        if (speed > 0 && speed < 1000)
            say(x, VERDICT_WARNING, NETWORK_SLOW, card, speed);
        if (errors > 100 && errors > packets / 10000)
            say(x, VERDICT_WARNING, NETWORK_ERRORS, card, errors);
    }
}

/* ---- proxies, ranges ---------------------------------------------------- */

void check_network_proxy(struct exam *x)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY",
                                        "https_proxy", "HTTPS_PROXY"};
    struct str text = {NULL, 0};

    if (machine_fact(x->m, "environment", &text) != FOUND)
        return;
    struct str none = fact_value(text, "no_proxy");
    if (!none.n)
        none = fact_value(text, "NO_PROXY");
    const char *except = cstr(x, none);
    bool local = strcmp(except, "*") == 0 ||
                 (strstr(except, "127.0.0.1") && strstr(except, "localhost"));
    for (size_t i = 0; i < COUNT(names); i++) {
        if (!fact_value(text, names[i]).n)
            continue;
        evidence(x, "%s, no_proxy %s", names[i], except);
        if (local)
            continue;
        say(x, VERDICT_WARNING, NETWORK_PROXY, names[i]);
        fix(x, "export no_proxy=127.0.0.1,localhost,$no_proxy");
        return;
    }
}

/* 172.17.0.0/16 as /proc/net/route has it: little endian. */
void check_network_ranges(struct exam *x)
{
    enum { DOCKER = 0x11ac };
    struct str text = {NULL, 0};

    if (!machine_kind(x->m, "/usr/bin/dockerd") ||
        machine_read(x->m, "/proc/net/route", &text) != FOUND)
        return;
    evidence(x, "routes");
    while (text.n) {
        char card[32];
        unsigned to = 0;
        const char *line = cstr(x, str_cut(&text, '\n'));
        if (sscanf(line, "%31s %x", card, &to) != 2 || to != DOCKER ||
            strncmp(card, "docker", 6) == 0)
            continue;
        say(x, VERDICT_WARNING, NETWORK_RANGE, card);
        fix(x, "# in /etc/docker/daemon.json: \"default-address-pools\": "
               "[{\"base\": \"10.200.0.0/16\", \"size\": 24}]");
    }
}
