/* host.h - the machine's metrics under node_exporter's names, as text.
 *
 * Collectors are rows of a table (host.c): each reads a few files of /proc and
 * /sys beneath a root, and writes families. One that fails leaves its families
 * out and says so: node_scrape_collector_success{collector="..."} 0.
 *
 * Names and labels: https://github.com/prometheus/node_exporter
 *
 * Threads: any; nothing is kept between calls.
 */
#ifndef COLLECT_HOST_H
#define COLLECT_HOST_H

#include "base/buf.h"
#include "base/err.h"
#include "collect/text.h"

/* root is "" for this machine; a test has its own. */
void host_collect(const char *root, struct buf *out);

/* ---- for collectors ----------------------------------------------------- */

enum { HOST_FILE_MAX = 4 << 20 };

/* The text of root/path, with a NUL behind it; buf_fini() releases it. */
MUST_CHECK enum errc host_read(const char *root, const char *path,
                               struct buf *out);

typedef enum errc host_collector(const char *root, struct buf *out);

host_collector host_cgroup, host_cpu, host_diskstats, host_filefd,
    host_filesystem, host_loadavg, host_meminfo, host_netdev, host_pressure,
    host_stat, host_time, host_uname, host_vmstat;

#endif
