/* host_system.c - processors, memory, load, and what the kernel counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/host.h"

enum { CPU_MODES = 8, TICKS = 100 }; /* of /proc/stat: USER_HZ */

/* ---- /proc/stat --------------------------------------------------------- */

/* cpu0 1 2 3 ...: false for other lines. */
static bool cpu_line(const char *line, unsigned *cpu, double v[10])
{
    char *end;

    if (strncmp(line, "cpu", 3) != 0 || line[3] < '0' || line[3] > '9')
        return false;
    *cpu = (unsigned)strtoul(line + 3, &end, 10);
    for (int i = 0; i < 10; i++)
        v[i] = strtod(end, &end) / TICKS;
    return true;
}

static void put_cpus(struct buf *out, const char *text, bool guest)
{
    static const char *const modes[CPU_MODES] = {
        "user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"};
    const char *name =
        guest ? "node_cpu_guest_seconds_total" : "node_cpu_seconds_total";
    char labels[64];
    double v[10];
    unsigned cpu;

    text_family(out, name, "counter");
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!cpu_line(line, &cpu, v))
            continue;
        for (int i = 0; i < (guest ? 2 : CPU_MODES); i++) {
            (void)snprintf(labels, sizeof(labels), "cpu=\"%u\",mode=\"%s\"",
                           cpu, modes[i]);
            text_put(out, name, labels, v[guest ? 8 + i : i]);
        }
    }
}

enum errc host_cpu(const char *root, struct buf *out)
{
    struct buf b;
    enum errc rc = host_read(root, "proc/stat", &b);

    if (rc)
        return rc;
    put_cpus(out, b.p, false);
    put_cpus(out, b.p, true);
    buf_fini(&b);
    return ERR_OK;
}

/* The number behind a word at the start of a line; false: there is none. */
static bool value_of(const char *text, const char *word, double *out)
{
    size_t n = strlen(word);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == ':')) {
            *out = strtod(line + n + 1, NULL);
            return true;
        }
    }
    return false;
}

struct word { /* a line's first word, and the family of its number */
    const char *word, *name, *type;
};

static enum errc put_words(const char *root, const char *path,
                           const struct word *rows, size_t n, struct buf *out)
{
    struct buf b;
    double v;
    enum errc rc = host_read(root, path, &b);

    if (rc)
        return rc;
    for (size_t i = 0; i < n; i++)
        if (value_of(b.p, rows[i].word, &v))
            text_one(out, rows[i].name, rows[i].type, v);
    buf_fini(&b);
    return ERR_OK;
}

enum errc host_stat(const char *root, struct buf *out)
{
    static const struct word rows[] = {
        {"intr", "node_intr_total", "counter"},
        {"ctxt", "node_context_switches_total", "counter"},
        {"processes", "node_forks_total", "counter"},
        {"btime", "node_boot_time_seconds", "gauge"},
        {"procs_running", "node_procs_running", "gauge"},
        {"procs_blocked", "node_procs_blocked", "gauge"}};

    return put_words(root, "proc/stat", rows, COUNT(rows), out);
}

enum errc host_vmstat(const char *root, struct buf *out)
{
    static const struct word rows[] = {
        {"oom_kill", "node_vmstat_oom_kill", "untyped"},
        {"pgfault", "node_vmstat_pgfault", "untyped"},
        {"pgmajfault", "node_vmstat_pgmajfault", "untyped"},
        {"pgpgin", "node_vmstat_pgpgin", "untyped"},
        {"pgpgout", "node_vmstat_pgpgout", "untyped"},
        {"pswpin", "node_vmstat_pswpin", "untyped"},
        {"pswpout", "node_vmstat_pswpout", "untyped"}};

    return put_words(root, "proc/vmstat", rows, COUNT(rows), out);
}

/* ---- memory ------------------------------------------------------------- */

/* "Active(anon):  12 kB" is node_memory_Active_anon_bytes. */
enum errc host_meminfo(const char *root, struct buf *out)
{
    struct buf b;
    enum errc rc = host_read(root, "proc/meminfo", &b);

    if (rc)
        return rc;
    char *rest = NULL;
    for (char *line = strtok_r(b.p, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        char name[160] = "node_memory_", *end, *colon = strchr(line, ':');
        size_t n = strlen(name);
        if (!colon)
            continue;
        for (const char *p = line; p < colon && n < 120; p++)
            if (*p != ')')
                name[n++] = *p == '(' ? '_' : *p;
        name[n] = '\0';
        double v = strtod(colon + 1, &end);
        bool bytes = strstr(end, "kB") != NULL;
        if (bytes)
            memcpy(name + n, "_bytes", sizeof("_bytes"));
        text_one(out, name, "gauge", bytes ? v * 1024 : v);
    }
    buf_fini(&b);
    return ERR_OK;
}

/* ---- load, pressure, files ---------------------------------------------- */

enum errc host_loadavg(const char *root, struct buf *out)
{
    static const char *const names[] = {"node_load1", "node_load5",
                                        "node_load15"};
    struct buf b;
    enum errc rc = host_read(root, "proc/loadavg", &b);

    if (rc)
        return rc;
    char *p = b.p;
    for (size_t i = 0; i < COUNT(names); i++)
        text_one(out, names[i], "gauge", strtod(p, &p));
    buf_fini(&b);
    return ERR_OK;
}

/* some avg10=0.00 avg60=0.00 avg300=0.00 total=123 (microseconds) */
static void put_pressure(struct buf *out, const char *text, const char *word,
                         const char *name)
{
    const char *line = strstr(text, word);
    const char *total = line ? strstr(line, "total=") : NULL;

    if (total)
        text_one(out, name, "counter", strtod(total + 6, NULL) / 1e6);
}

enum errc host_pressure(const char *root, struct buf *out)
{
    static const char *const kinds[] = {"cpu", "io", "memory"};
    char path[64], name[80];
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < COUNT(kinds) && !rc; i++) {
        struct buf b;
        (void)snprintf(path, sizeof(path), "proc/pressure/%s", kinds[i]);
        rc = host_read(root, path, &b);
        if (rc)
            break;
        (void)snprintf(name, sizeof(name),
                       "node_pressure_%s_waiting_seconds_total", kinds[i]);
        put_pressure(out, b.p, "some", name);
        (void)snprintf(name, sizeof(name),
                       "node_pressure_%s_stalled_seconds_total", kinds[i]);
        if (i > 0)
            put_pressure(out, b.p, "full", name);
        buf_fini(&b);
    }
    return rc;
}

enum errc host_filefd(const char *root, struct buf *out)
{
    struct buf b;
    enum errc rc = host_read(root, "proc/sys/fs/file-nr", &b);

    if (rc)
        return rc;
    char *p = b.p;
    text_one(out, "node_filefd_allocated", "gauge", strtod(p, &p));
    (void)strtod(p, &p); /* free ones: always 0 */
    text_one(out, "node_filefd_maximum", "gauge", strtod(p, &p));
    buf_fini(&b);
    return ERR_OK;
}

/* ---- time and name ------------------------------------------------------ */

enum errc host_time(const char *root, struct buf *out)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);

    (void)root;
    text_one(out, "node_time_seconds", "gauge", (double)clock_wall_ns() * 1e-9);
    if (state < 0)
        return ERR_OK;
    double unit = t.status & STA_NANO ? 1e-9 : 1e-6;
    text_one(out, "node_timex_offset_seconds", "gauge",
             (double)t.offset * unit);
    text_one(out, "node_timex_sync_status", "gauge", state != TIME_ERROR);
    return ERR_OK;
}

static enum errc put_kernel_label(const char *root, const char *key,
                                  const char *file, struct buf *labels)
{
    char path[64];
    struct buf b;

    (void)snprintf(path, sizeof(path), "proc/sys/kernel/%s", file);
    enum errc rc = host_read(root, path, &b);
    if (rc)
        return rc;
    b.p[strcspn(b.p, "\n")] = '\0';
    if (labels->n)
        buf_putc(labels, ',');
    text_label(labels, key, b.p);
    buf_fini(&b);
    return ERR_OK;
}

enum errc host_uname(const char *root, struct buf *out)
{
    static const char *const rows[][2] = {{"domainname", "domainname"},
                                          {"nodename", "hostname"},
                                          {"release", "osrelease"},
                                          {"sysname", "ostype"},
                                          {"version", "version"}};
    struct utsname u;
    struct buf labels;
    enum errc rc = ERR_OK;

    buf_init(&labels, 4096);
    for (size_t i = 0; i < COUNT(rows) && !rc; i++)
        rc = put_kernel_label(root, rows[i][0], rows[i][1], &labels);
    if (uname(&u) == 0) {
        buf_putc(&labels, ',');
        text_label(&labels, "machine", u.machine);
    }
    buf_putc(&labels, '\0');
    if (!rc && labels.failed)
        rc = ERR_LIMIT;
    if (!rc) {
        text_family(out, "node_uname_info", "gauge");
        text_put(out, "node_uname_info", labels.p, 1);
    }
    buf_fini(&labels);
    return rc;
}

/* ---- the limits of our own cgroup (version 2) --------------------------- */

/* A file of one number; false: there is none, or it says "max". */
static bool cgroup_value(const char *root, const char *group, const char *file,
                         const char *word, double *out)
{
    char path[190];
    struct buf b;
    bool ok;

    (void)snprintf(path, sizeof(path), "sys/fs/cgroup%.120s/%s", group, file);
    if (host_read(root, path, &b))
        return false;
    if (word)
        ok = value_of(b.p, word, out);
    else if ((ok = b.p[0] >= '0' && b.p[0] <= '9'))
        *out = strtod(b.p, NULL);
    buf_fini(&b);
    return ok;
}

static void put_cpu_limit(const char *root, const char *group, struct buf *out)
{
    char path[190], *end;
    struct buf b;

    (void)snprintf(path, sizeof(path), "sys/fs/cgroup%.120s/cpu.max", group);
    if (host_read(root, path, &b))
        return;
    double quota = strtod(b.p, &end), period = strtod(end, NULL);
    if (end != b.p && period > 0) /* not "max 100000" */
        text_one(out, "stoker_cgroup_cpu_limit_cores", "gauge", quota / period);
    buf_fini(&b);
}

enum errc host_cgroup(const char *root, struct buf *out)
{
    struct buf b;
    double v;
    enum errc rc = host_read(root, "proc/self/cgroup", &b);

    if (rc)
        return rc;
    char *group = strstr(b.p, "0::");
    if (group) {
        group += 3;
        group[strcspn(group, "\n")] = '\0';
        group = strcmp(group, "/") == 0 ? group + 1 : group;
        if (cgroup_value(root, group, "memory.max", NULL, &v))
            text_one(out, "stoker_cgroup_memory_limit_bytes", "gauge", v);
        if (cgroup_value(root, group, "memory.current", NULL, &v))
            text_one(out, "stoker_cgroup_memory_usage_bytes", "gauge", v);
        if (cgroup_value(root, group, "cpu.stat", "throttled_usec", &v))
            text_one(out, "stoker_cgroup_cpu_throttled_seconds_total",
                     "counter", v / 1e6);
        put_cpu_limit(root, group, out);
    }
    buf_fini(&b);
    return ERR_OK;
}
