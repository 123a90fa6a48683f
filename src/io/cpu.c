#include "io/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

enum { TEXT_MAX = 65536 };

/* Text of a small file under /proc or /sys, NUL-terminated; "" if there is
 * none. */
static void read_text(const char *path, struct buf *b)
{
    buf_init(b, TEXT_MAX);
    if (fs_read_pseudo(path, b, NULL))
        buf_clear(b);
    buf_putc(b, '\0');
}

/* cgroup v2: "max 100000" or "200000 100000". */
static double quota_v2(const char *path)
{
    struct buf b;
    double cpus = 0;

    read_text(path, &b);
    char *end;
    double quota = b.p ? strtod(b.p, &end) : 0;
    if (b.p && end != b.p) {
        double period = strtod(end, NULL);
        cpus = period > 0 ? quota / period : 0;
    }
    buf_fini(&b);
    return cpus;
}

static double quota_v1(void)
{
    struct buf q, p;

    read_text("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &q);
    read_text("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &p);
    double quota = q.p ? strtod(q.p, NULL) : 0;
    double period = p.p ? strtod(p.p, NULL) : 0;
    buf_fini(&q);
    buf_fini(&p);
    return quota > 0 && period > 0 ? quota / period : 0;
}

static double min_quota(double a, double b)
{
    return a <= 0 ? b : b <= 0 ? a : a < b ? a : b;
}

/* The smallest quota on the way from our own group to the root. */
static double quota(void)
{
    struct buf b;
    double smallest = quota_v1();
    char path[4400];

    smallest = min_quota(smallest, quota_v2("/sys/fs/cgroup/cpu.max"));
    read_text("/proc/self/cgroup", &b);
    char *at = b.p ? strstr(b.p, "0::/") : NULL;
    if (at) {
        at += 3;
        at[strcspn(at, "\n")] = '\0';
        while (*at == '/' && at[1]) {
            (void)snprintf(path, sizeof(path), "/sys/fs/cgroup%.4000s/cpu.max",
                           at);
            smallest = min_quota(smallest, quota_v2(path));
            *strrchr(at, '/') = '\0';
        }
    }
    buf_fini(&b);
    return smallest;
}

unsigned cpu_count(void)
{
    cpu_set_t set;
    unsigned n = 1;
    double q = quota();

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        n = (unsigned)CPU_COUNT(&set);
    if (q > 0 && q < n)
        n = (unsigned)(q + 0.999);
    return n ? n : 1;
}

int64_t cpu_idle_ns(void)
{
    struct buf b;
    int64_t idle = -1;

    read_text("/proc/stat", &b);
    if (b.p && strncmp(b.p, "cpu ", 4) == 0) {
        char *at = b.p + 4;
        (void)strtoll(at, &at, 10); /* user */
        (void)strtoll(at, &at, 10); /* nice */
        (void)strtoll(at, &at, 10); /* system */
        idle = strtoll(at, &at, 10) * (1000000000 / sysconf(_SC_CLK_TCK));
    }
    buf_fini(&b);
    return idle;
}
