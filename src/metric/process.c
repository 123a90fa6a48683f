#include "metric/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"

static const struct metric_family families[] = {
    {"process_cpu_seconds_total",
     "Total user and system CPU time spent in seconds.", METRIC_COUNTER, NULL,
     0},
    {"process_open_fds", "Number of open file descriptors.", METRIC_GAUGE, NULL,
     0},
    {"process_max_fds", "Maximum number of open file descriptors.",
     METRIC_GAUGE, NULL, 0},
    {"process_virtual_memory_bytes", "Virtual memory size in bytes.",
     METRIC_GAUGE, NULL, 0},
    {"process_resident_memory_bytes", "Resident memory size in bytes.",
     METRIC_GAUGE, NULL, 0},
    {"process_start_time_seconds",
     "Start time of the process since unix epoch in seconds.", METRIC_GAUGE,
     NULL, 0},
    {"process_threads", "Number of OS threads in the process.", METRIC_GAUGE,
     NULL, 0},
};

static const struct metric_family lines_family = {
    "stoker_log_lines_total", "Lines of the log that the process wrote.",
    METRIC_COUNTER, NULL, 0};

static const struct metric_family lost_family = {
    "stoker_log_lines_lost_total",
    "Lines of logs that the monitor had no time for.", METRIC_COUNTER, NULL, 0};

enum { CPU, OPEN_FDS, MAX_FDS, VIRTUAL, RESIDENT, START, THREADS };

struct process_metrics {
    struct metric *series[COUNT(families)];
    struct metric *lines[LOG_ERROR + 1]; /* by level */
    struct metric *lost;
};

static double open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    double n = 0;

    if (!d)
        return 0;
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n - 3; /* ".", ".." and the directory itself */
}

static double boot_time(void)
{
    struct buf b;
    double t = 0;

    buf_init(&b, 1 << 22);
    if (fs_read_pseudo("/proc/stat", &b, NULL) == ERR_OK && b.n) {
        buf_putc(&b, '\0');
        const char *at = b.failed ? NULL : strstr(b.p, "btime ");
        t = at ? strtod(at + 6, NULL) : 0;
    }
    buf_fini(&b);
    return t;
}

/* /proc/self/stat behind the name: utime is field 14, see proc(5). */
static void read_stat(struct process_metrics *p)
{
    struct buf b;
    double v[25] = {0};

    buf_init(&b, 8192);
    if (fs_read_pseudo("/proc/self/stat", &b, NULL) || !b.n) {
        buf_fini(&b);
        return;
    }
    buf_putc(&b, '\0');
    char *at = strrchr(b.p, ')');
    if (at) {
        at += 4; /* past ") S " */
        for (size_t i = 4; i < COUNT(v); i++)
            v[i] = strtod(at, &at);
        double tick = (double)sysconf(_SC_CLK_TCK);
        metric_set(p->series[CPU], (v[14] + v[15]) / tick);
        metric_set(p->series[THREADS], v[20]);
        metric_set(p->series[START], boot_time() + v[22] / tick);
        metric_set(p->series[VIRTUAL], v[23]);
        metric_set(p->series[RESIDENT], v[24] * (double)sysconf(_SC_PAGESIZE));
    }
    buf_fini(&b);
}

static void refresh(void *ctx)
{
    struct process_metrics *p = ctx;
    struct rlimit limit;

    read_stat(p);
    metric_set(p->series[OPEN_FDS], open_fds());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        metric_set(p->series[MAX_FDS], (double)limit.rlim_cur);
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++)
        metric_set(p->lines[level], (double)log_lines((enum log_level)level));
    metric_set(p->lost, (double)log_tee_lost());
}

struct process_metrics *process_metrics_new(struct metrics *m)
{
    struct process_metrics *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    for (size_t i = 0; i < COUNT(families); i++)
        p->series[i] = metrics_series(m, &families[i], "");
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        char label[32];
        (void)snprintf(label, sizeof(label), "level=\"%s\"",
                       log_level_name((enum log_level)level));
        p->lines[level] = metrics_series(m, &lines_family, label);
    }
    p->lost = metrics_series(m, &lost_family, "");
    metrics_hook(m, refresh, p);
    return p;
}

void process_metrics_free(struct process_metrics *p)
{
    free(p);
}
