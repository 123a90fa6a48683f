/* host_devices.c - disks, file systems, network interfaces. */
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "collect/host.h"

enum { DEVICES_MAX = 512, COLUMNS_MAX = 20, NAME_MAX_BYTES = 64 };

/* Lines of a name and numbers. */
struct table {
    struct {
        char name[NAME_MAX_BYTES];
        double v[COLUMNS_MAX];
        int n;
    } rows[DEVICES_MAX];
    size_t n;
};

struct column {
    const char *name, *type;
    int at;
    double scale;
};

static void put_columns(struct buf *out, const struct table *t,
                        const struct column *c, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_family(out, c[i].name, c[i].type);
        for (size_t k = 0; k < t->n; k++) {
            char room[2 * NAME_MAX_BYTES + 16];
            struct buf labels = {
                .p = room, .cap = sizeof(room), .max = sizeof(room)};
            if (c[i].at >= t->rows[k].n)
                continue;
            text_label(&labels, "device", t->rows[k].name);
            buf_putc(&labels, '\0');
            text_put(out, c[i].name, room, t->rows[k].v[c[i].at] * c[i].scale);
        }
    }
}

static void take_numbers(struct table *t, const char *name, size_t n,
                         const char *numbers)
{
    char *end;

    if (t->n == DEVICES_MAX || n == 0 || n >= NAME_MAX_BYTES)
        return;
    memcpy(t->rows[t->n].name, name, n);
    t->rows[t->n].name[n] = '\0';
    int k = 0;
    for (const char *p = numbers; k < COLUMNS_MAX; p = end, k++) {
        t->rows[t->n].v[k] = strtod(p, &end);
        if (end == p)
            break;
    }
    t->rows[t->n++].n = k;
}

/* The lines of a file that `take` makes rows of. *out is owned by the caller,
 * also after a failure. */
static enum errc read_table(const char *root, const char *path,
                            void (*take)(struct table *t, char *line),
                            struct table **out)
{
    struct table *t = *out = calloc(1, sizeof(*t));
    struct buf b;
    enum errc rc = t ? host_read(root, path, &b) : ERR_NOMEM;
    char *rest = NULL;

    if (rc)
        return rc;
    for (char *line = strtok_r(b.p, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        take(t, line);
    buf_fini(&b);
    return ERR_OK;
}

/* ---- disks -------------------------------------------------------------- */

static bool ends_in_digit(const char *name)
{
    size_t n = strlen(name);

    return n && name[n - 1] >= '0' && name[n - 1] <= '9';
}

/* Partitions, and what is no disk. */
static bool is_disk(const char *name)
{
    static const char *const not_disks[] = {"loop", "ram", "zram", "fd", "sr"};
    static const char *const lettered[] = {"sd", "hd", "vd", "xvd"};

    for (size_t i = 0; i < COUNT(not_disks); i++)
        if (strncmp(name, not_disks[i], strlen(not_disks[i])) == 0)
            return false;
    for (size_t i = 0; i < COUNT(lettered); i++)
        if (strncmp(name, lettered[i], strlen(lettered[i])) == 0)
            return !ends_in_digit(name);
    return strncmp(name, "nvme", 4) != 0 || !strchr(name + 4, 'p');
}

static void take_disk(struct table *t, char *line)
{
    char name[NAME_MAX_BYTES];
    int used = 0;

    if (sscanf(line, "%*u %*u %63s %n", name, &used) == 1 && used &&
        is_disk(name))
        take_numbers(t, name, strlen(name), line + used);
}

enum errc host_diskstats(const char *root, struct buf *out)
{
    static const struct column columns[] = {
        {"node_disk_reads_completed_total", "counter", 0, 1},
        {"node_disk_reads_merged_total", "counter", 1, 1},
        {"node_disk_read_bytes_total", "counter", 2, 512},
        {"node_disk_read_time_seconds_total", "counter", 3, 1e-3},
        {"node_disk_writes_completed_total", "counter", 4, 1},
        {"node_disk_writes_merged_total", "counter", 5, 1},
        {"node_disk_written_bytes_total", "counter", 6, 512},
        {"node_disk_write_time_seconds_total", "counter", 7, 1e-3},
        {"node_disk_io_now", "gauge", 8, 1},
        {"node_disk_io_time_seconds_total", "counter", 9, 1e-3},
        {"node_disk_io_time_weighted_seconds_total", "counter", 10, 1e-3}};
    struct table *t;
    enum errc rc = read_table(root, "proc/diskstats", take_disk, &t);

    if (!rc)
        put_columns(out, t, columns, COUNT(columns));
    free(t);
    return rc;
}

/* ---- network ------------------------------------------------------------ */

#define WAY(way, name, at)                                        \
    {                                                             \
        "node_network_" way "_" name "_total", "counter", (at), 1 \
    }

/* A number of /sys/class/net/DEVICE/FILE; some cannot be read while down. */
static bool interface_value(const char *root, const char *device,
                            const char *file, double *out)
{
    char path[160], *end;
    struct buf b;

    (void)snprintf(path, sizeof(path), "sys/class/net/%.60s/%s", device, file);
    if (host_read(root, path, &b))
        return false;
    if (strcmp(file, "operstate") == 0) {
        *out = strncmp(b.p, "up", 2) == 0;
        end = b.p + 1;
    } else {
        *out = strtod(b.p, &end);
    }
    bool ok = end != b.p;
    buf_fini(&b);
    return ok;
}

static void put_interfaces(const char *root, struct buf *out,
                           const struct table *t)
{
    static const struct {
        const char *name, *file;
        double scale;
    } rows[] = {{"node_network_up", "operstate", 1},
                {"node_network_carrier", "carrier", 1},
                {"node_network_mtu_bytes", "mtu", 1},
                {"node_network_speed_bytes", "speed", 125000}};
    char labels[NAME_MAX_BYTES + 16];
    double v;

    for (size_t i = 0; i < COUNT(rows); i++) {
        text_family(out, rows[i].name, "gauge");
        for (size_t k = 0; k < t->n; k++) {
            if (!interface_value(root, t->rows[k].name, rows[i].file, &v))
                continue;
            (void)snprintf(labels, sizeof(labels), "device=\"%s\"",
                           t->rows[k].name);
            text_put(out, rows[i].name, labels, v < 0 ? v : v * rows[i].scale);
        }
    }
}

static void take_interface(struct table *t, char *line)
{
    const char *colon = strchr(line, ':');

    line += strspn(line, " ");
    if (colon && !strchr(line, '|') && !strpbrk(line, "\"\\/"))
        take_numbers(t, line, (size_t)(colon - line), colon + 1);
}

enum errc host_netdev(const char *root, struct buf *out)
{
    static const struct column columns[] = {
        WAY("receive", "bytes", 0),      WAY("receive", "packets", 1),
        WAY("receive", "errs", 2),       WAY("receive", "drop", 3),
        WAY("receive", "fifo", 4),       WAY("receive", "frame", 5),
        WAY("receive", "compressed", 6), WAY("receive", "multicast", 7),
        WAY("transmit", "bytes", 8),     WAY("transmit", "packets", 9),
        WAY("transmit", "errs", 10),     WAY("transmit", "drop", 11),
        WAY("transmit", "fifo", 12),     WAY("transmit", "colls", 13),
        WAY("transmit", "carrier", 14),  WAY("transmit", "compressed", 15)};
    struct table *t;
    enum errc rc = read_table(root, "proc/net/dev", take_interface, &t);

    if (!rc) {
        put_columns(out, t, columns, COUNT(columns));
        put_interfaces(root, out, t);
    }
    free(t);
    return rc;
}

/* ---- file systems ------------------------------------------------------- */

enum { MOUNTS_MAX = 256 };

struct mount {
    struct buf labels;
    double v[6];
    bool read_only, failed;
};

static bool begins_as(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Those that hold no files of people. */
static bool is_shown(const struct mntent *m)
{
    static const char *const types[] = {
        "autofs",    "binfmt_misc", "bpf",    "cgroup",     "cgroup2",
        "configfs",  "debugfs",     "devpts", "devtmpfs",   "fusectl",
        "hugetlbfs", "iso9660",     "mqueue", "nsfs",       "overlay",
        "proc",      "procfs",      "pstore", "rpc_pipefs", "securityfs",
        "selinuxfs", "squashfs",    "sysfs",  "tracefs"};
    static const char *const dirs[] = {"/dev",
                                       "/proc",
                                       "/sys",
                                       "/run/credentials",
                                       "/var/lib/docker",
                                       "/var/lib/containers/storage"};

    for (size_t i = 0; i < COUNT(types); i++)
        if (strcmp(m->mnt_type, types[i]) == 0)
            return strcmp(m->mnt_dir, "/") == 0; /* a container's own */
    for (size_t i = 0; i < COUNT(dirs); i++)
        if (begins_as(m->mnt_dir, dirs[i]))
            return false;
    return true;
}

static void take_mount(const char *root, const struct mntent *m,
                       struct mount *out)
{
    char path[4300];
    struct statvfs s;

    *out = (struct mount){.read_only = hasmntopt(m, "ro") != NULL};
    buf_init(&out->labels, 16384);
    text_label(&out->labels, "device", m->mnt_fsname);
    buf_putc(&out->labels, ',');
    text_label(&out->labels, "fstype", m->mnt_type);
    buf_putc(&out->labels, ',');
    text_label(&out->labels, "mountpoint", m->mnt_dir);
    buf_putc(&out->labels, '\0');
    (void)snprintf(path, sizeof(path), "%.200s%.4000s", root, m->mnt_dir);
    out->failed = statvfs(path, &s) != 0;
    if (out->failed)
        return;
    double unit = (double)s.f_frsize;
    const double v[] = {(double)s.f_blocks * unit, (double)s.f_bfree * unit,
                        (double)s.f_bavail * unit, (double)s.f_files,
                        (double)s.f_ffree};
    memcpy(out->v, v, sizeof(v));
}

static void put_mounts(struct buf *out, const struct mount *v, size_t n)
{
    static const char *const names[] = {
        "node_filesystem_size_bytes", "node_filesystem_free_bytes",
        "node_filesystem_avail_bytes", "node_filesystem_files",
        "node_filesystem_files_free"};

    for (size_t i = 0; i < COUNT(names); i++) {
        text_family(out, names[i], "gauge");
        for (size_t k = 0; k < n; k++)
            if (!v[k].failed && !v[k].labels.failed)
                text_put(out, names[i], v[k].labels.p, v[k].v[i]);
    }
    text_family(out, "node_filesystem_readonly", "gauge");
    for (size_t k = 0; k < n; k++)
        if (!v[k].labels.failed)
            text_put(out, "node_filesystem_readonly", v[k].labels.p,
                     v[k].read_only);
    text_family(out, "node_filesystem_device_error", "gauge");
    for (size_t k = 0; k < n; k++)
        if (!v[k].labels.failed)
            text_put(out, "node_filesystem_device_error", v[k].labels.p,
                     v[k].failed);
}

static bool is_there(const struct mount *v, size_t n, const struct mount *m)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(buf_str(&v[i].labels), buf_str(&m->labels)))
            return true;
    return false;
}

enum errc host_filesystem(const char *root, struct buf *out)
{
    char path[4200], room[8192];
    struct mntent entry;
    size_t n = 0;

    (void)snprintf(path, sizeof(path), "%.4000s/proc/self/mounts", root);
    FILE *f = setmntent(path, "re");
    struct mount *v = f ? calloc(MOUNTS_MAX, sizeof(*v)) : NULL;
    while (v && n < MOUNTS_MAX && getmntent_r(f, &entry, room, sizeof(room))) {
        if (!is_shown(&entry))
            continue;
        take_mount(root, &entry, &v[n]);
        if (is_there(v, n, &v[n]))
            buf_fini(&v[n].labels);
        else
            n++;
    }
    if (v)
        put_mounts(out, v, n);
    for (size_t i = 0; i < n; i++)
        buf_fini(&v[i].labels);
    free(v);
    if (f)
        (void)endmntent(f);
    return f ? ERR_OK : ERR_IO;
}
