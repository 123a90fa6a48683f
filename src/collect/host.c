#include "collect/host.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "codec/go_float.h"

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

void host_family(struct buf *out, const char *name, const char *type)
{
    buf_printf(out, "# TYPE %s %s\n", name, type);
}

void host_put(struct buf *out, const char *name, const char *labels, double v)
{
    char text[GO_FLOAT_MAX];

    buf_puts(out, name);
    if (*labels)
        buf_printf(out, "{%s}", labels);
    buf_putc(out, ' ');
    buf_put(out, (struct str){text, go_float(text, 'g', v)});
    buf_putc(out, '\n');
}

void host_one(struct buf *out, const char *name, const char *type, double v)
{
    host_family(out, name, type);
    host_put(out, name, "", v);
}

void host_label(struct buf *out, const char *key, const char *value)
{
    buf_printf(out, "%s=\"", key);
    for (const char *p = value; *p; p++) {
        if (*p == '\n')
            buf_puts(out, "\\n");
        else if (*p == '"' || *p == '\\')
            buf_printf(out, "\\%c", *p);
        else
            buf_putc(out, *p);
    }
    buf_putc(out, '"');
}

static void put_scrape(struct buf *out, const char *name, const double *v)
{
    char labels[64];

    host_family(out, name, "gauge");
    for (size_t i = 0; i < COUNT(collectors); i++) {
        (void)snprintf(labels, sizeof(labels), "collector=\"%s\"",
                       collectors[i].name);
        host_put(out, name, labels, v[i]);
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
