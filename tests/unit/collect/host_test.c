/* The host's collectors on a machine that was made up (tests/fixtures/host). */
#include "unit/unit.h"

#include <stdlib.h>

#include "codec/exposition.h"
#include "collect/host.h"
#include "fault.h"

#define ROOT "tests/fixtures/host"

static const char *const wanted[] = {
    "node_cpu_seconds_total{cpu=\"1\",mode=\"softirq\"} 0.04",
    "node_cpu_guest_seconds_total{cpu=\"0\",mode=\"user\"} 0.09",
    "node_cpu_guest_seconds_total{cpu=\"1\",mode=\"nice\"} 0.1",
    "node_intr_total 12345",
    "node_context_switches_total 67890",
    "node_boot_time_seconds 1.7e+09",
    "node_forks_total 4242",
    "node_procs_running 3",
    "node_procs_blocked 1",
    "node_memory_MemTotal_bytes 1.048576e+06",
    "node_memory_Active_anon_bytes 10240",
    "node_memory_HugePages_Total 7",
    "node_load1 0.1",
    "node_load15 0.3",
    "node_disk_reads_completed_total{device=\"sda\"} 10",
    "node_disk_read_bytes_total{device=\"sda\"} 102400",
    "node_disk_io_time_seconds_total{device=\"nvme0n1\"} 0.005",
    "node_network_receive_bytes_total{device=\"eth0\"} 1000",
    "node_network_transmit_compressed_total{device=\"eth0\"} 12",
    "node_network_up{device=\"eth0\"} 1",
    "node_network_speed_bytes{device=\"eth0\"} 1.25e+08",
    "node_network_mtu_bytes{device=\"eth0\"} 1500",
    "node_filesystem_readonly{device=\"/dev/sda1\",fstype=\"ext4\","
    "mountpoint=\"/\"} 0",
    "node_filesystem_device_error{device=\"/dev/sdb1\",fstype=\"xfs\","
    "mountpoint=\"/no such\"} 1",
    "node_filefd_allocated 1024",
    "node_filefd_maximum 9999",
    "node_pressure_cpu_waiting_seconds_total 1.5",
    "node_pressure_io_stalled_seconds_total 0.25",
    "node_vmstat_oom_kill 1",
    "stoker_cgroup_memory_limit_bytes 1.073741824e+09",
    "stoker_cgroup_memory_usage_bytes 1000",
    "stoker_cgroup_cpu_limit_cores 0.5",
    "stoker_cgroup_cpu_throttled_seconds_total 2.5",
    "node_scrape_collector_success{collector=\"cpu\"} 1",
};

static const char *const unwanted[] = {
    "device=\"sda1\"",      "loop0",    "nvme0n1p1",
    "mountpoint=\"/proc\"", "/dev/shm", "node_pressure_cpu_stalled"};

static bool any(void *ctx, const struct exposition_sample *s)
{
    (void)s;
    ++*(int *)ctx;
    return true;
}

TEST(a_host_is_described)
{
    struct buf b;
    int n = 0;
    const struct exposition_sink sink = {&n, any, NULL};

    buf_init(&b, 1 << 20);
    host_collect(ROOT, &b);
    CHECK_INT(exposition_read(buf_str(&b), EXPOSITION_TEXT, &sink, NULL),
              ERR_OK);
    CHECK(n > 100);
    buf_putc(&b, '\0');
    for (size_t i = 0; i < COUNT(wanted); i++) {
        char line[300];
        ROW("%s", wanted[i]);
        (void)snprintf(line, sizeof(line), "\n%s\n", wanted[i]);
        CHECK(strstr(b.p, line) != NULL);
    }
    for (size_t i = 0; i < COUNT(unwanted); i++) {
        ROW("%s", unwanted[i]);
        CHECK(strstr(b.p, unwanted[i]) == NULL);
    }
    ROW("the name");
    CHECK(strstr(b.p, "nodename=\"a\\\"b\"") != NULL);
    buf_fini(&b);
}

TEST(a_host_without_files_says_so)
{
    struct buf b;

    buf_init(&b, 1 << 20);
    host_collect("tests/fixtures/nowhere", &b);
    buf_putc(&b, '\0');
    CHECK(
        strstr(b.p, "node_scrape_collector_success{collector=\"meminfo\"} 0"));
    CHECK(!strstr(b.p, "node_memory"));
    buf_fini(&b);
}

TEST(a_host_without_memory)
{
    FAULT_LOOP (n) {
        struct buf b;
        buf_init(&b, 1 << 20);
        host_collect(ROOT, &b);
        buf_fini(&b);
    }
}
