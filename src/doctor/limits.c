/* limits.c - what the kernel allows, and how much of it is used. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/check.h"

void check_limits_files(struct exam *x)
{
    enum { LEAST = 4096 };
    struct str text = {NULL, 0};
    long long soft = 0, hard = 0;

    if (machine_read(x->m, "/proc/self/limits", &text) != FOUND)
        return;
    const char *line = strstr(text.p, "Max open files");
    if (!line || sscanf(line, "Max open files %lld %lld", &soft, &hard) != 2)
        return;
    evidence(x, "soft %lld, hard %lld", soft, hard);
    if (hard >= LEAST)
        return; /* a service raises it by itself */
    say(x, VERDICT_WARNING, LIMITS_FILES, hard);
    fix(x, "printf '* soft nofile 65536\\n* hard nofile 65536\\n' > "
           "/etc/security/limits.d/90-stoker.conf   # a unit: "
           "LimitNOFILE=65536");
}

void check_limits_shm(struct exam *x)
{
    enum { LEAST_MIB = 1024 };
    struct str said = {NULL, 0};

    if (machine_fact(x->m, "statfs /dev/shm", &said) != FOUND)
        return;
    long long mib = (long long)(fact_number(said, "bytes", 0) >> 20);
    evidence(x, "%lld MiB", mib);
    if (mib >= LEAST_MIB)
        return;
    say(x, VERDICT_WARNING, LIMITS_SHM, mib);
    fix(x, "mount -o remount,size=8G /dev/shm   # docker run --shm-size=8g");
}

void check_limits_handles(struct exam *x)
{
    struct str text = {NULL, 0};
    long long used = 0, most = 0;

    if (machine_read(x->m, "/proc/sys/fs/file-nr", &text) != FOUND ||
        sscanf(text.p, "%lld %*d %lld", &used, &most) != 2 || most <= 0 ||
        most > LLONG_MAX / 2)
        return;
    evidence(x, "%lld of %lld", used, most);
    if (used < most / 100 * 80)
        return;
    say(x, used < most / 100 * 95 ? VERDICT_WARNING : VERDICT_FAILED,
        LIMITS_HANDLES, used, most);
    fix(x, "sysctl -w fs.file-max=%lld", most * 2);
}

void check_limits_pressure(struct exam *x)
{
    static const struct {
        const char *what;
        double most;
    } rows[] = {{"memory", 10}, {"io", 40}, {"cpu", 60}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = {NULL, 0};
        double share = 0;
        if (machine_read(x->m,
                         machine_path(x->m, "/proc/pressure/%s", rows[i].what),
                         &text) != FOUND ||
            sscanf(text.p, "some avg10=%*f avg60=%lf", &share) != 1)
            continue;
        evidence(x, "%s %.0f%%", rows[i].what, share);
        if (share > rows[i].most) {
            say(x, VERDICT_WARNING, LIMITS_PRESSURE, share, rows[i].what);
            fix(x, "ps -eo pid,comm,rss,pcpu --sort=-%s | head",
                strcmp(rows[i].what, "cpu") == 0 ? "pcpu" : "rss");
        }
    }
}

void check_limits_swap(struct exam *x)
{
    struct str text = {NULL, 0};

    if (!machine_kind(x->m, "/usr/bin/kubelet") ||
        machine_read(x->m, "/proc/swaps", &text) != FOUND)
        return;
    (void)str_cut(&text, '\n');
    evidence(x, "%s", text.n ? "on" : "off");
    if (!text.n)
        return;
    say(x, VERDICT_FAILED, LIMITS_SWAP);
    fix(x, "swapoff -a && sed -i '/\\sswap\\s/s/^/#/' /etc/fstab");
}

void check_limits_huge_pages(struct exam *x)
{
    long long all = machine_meminfo(x->m, "HugePages_Total"),
              idle = machine_meminfo(x->m, "HugePages_Free"),
              kib = machine_meminfo(x->m, "Hugepagesize");

    if (all < 0 || idle < 0 || kib < 0 || idle > UINT32_MAX ||
        kib > UINT32_MAX / 2)
        return;
    long long mib = idle * kib / 1024;
    if (all)
        evidence(x, "%lld of %lld free", idle, all);
    if (all && all == idle && mib >= 1024) {
        say(x, VERDICT_WARNING, LIMITS_HUGE, mib);
        fix(x, "sysctl -w vm.nr_hugepages=0   # and in /etc/sysctl.d");
    }
}

void check_limits_backlog(struct exam *x)
{
    long long n = machine_number(x->m, "/proc/sys/net/core/somaxconn", -1);

    if (n < 0)
        return;
    evidence(x, "somaxconn %lld", n);
    if (n >= 1024)
        return;
    say(x, VERDICT_WARNING, LIMITS_BACKLOG, n);
    fix(x, "sysctl -w net.core.somaxconn=4096   # and in /etc/sysctl.d");
}
