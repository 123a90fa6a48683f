#include "collect/host.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"

static const struct {
    const char *name;
    host_collector *collect;
} collectors[] = {
    {"cgroup", host_cgroup},
    {"cpu", host_cpu},
    {"diskstats", host_diskstats},
    {"filefd", host_filefd},
    {"filesystem", host_filesystem},
    {"loadavg", host_loadavg},
    {"meminfo", host_meminfo},
    {"netdev", host_netdev},
    {"pressure", host_pressure},
    {"stat", host_stat},
    {"time", host_time},
    {"uname", host_uname},
    {"vmstat", host_vmstat},
};

enum errc host_read(const char *root, const char *path, struct buf *out)
{
    char full[4200];

    (void)snprintf(full, sizeof(full), "%.4000s/%.190s", root, path);
    buf_init(out, HOST_FILE_MAX);
    enum errc rc = fs_read_pseudo(full, out, NULL);
    if (!rc)
        buf_putc(out, '\0');
    if (!rc && out->failed)
        rc = ERR_LIMIT;
    if (rc)
        buf_fini(out);
    return rc;
}

static void put_scrape(struct buf *out, const char *name, const double *v)
{
    char labels[64];

    text_family(out, name, "gauge");
    for (size_t i = 0; i < COUNT(collectors); i++) {
        (void)snprintf(labels, sizeof(labels), "collector=\"%s\"",
                       collectors[i].name);
        text_put(out, name, labels, v[i]);
    }
}

void host_collect(const char *root, struct buf *out)
{
    double success[COUNT(collectors)], seconds[COUNT(collectors)];

    for (size_t i = 0; i < COUNT(collectors); i++) {
        int64_t start = clock_mono_ns();
        size_t before = out->n;
        success[i] = collectors[i].collect(root, out) == ERR_OK;
        if (success[i] == 0 && !out->failed)
            out->n = before;
        seconds[i] = (double)(clock_mono_ns() - start) * 1e-9;
    }
    put_scrape(out, "node_scrape_collector_success", success);
    put_scrape(out, "node_scrape_collector_duration_seconds", seconds);
}
