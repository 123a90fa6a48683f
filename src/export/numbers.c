#include "export/numbers.h"

#define WINDOW          "[2m]"
#define SECONDS         "rate(http_request_duration_highr_seconds_bucket" WINDOW ")"
#define REQUESTS(which) "sum(rate(http_requests_total" which WINDOW "))"

/* clang-format off */
const struct number numbers[NUMBERS] = {
    [NUMBER_TARGETS_DOWN] = {"targets_down", "short", "count(up == 0) or vector(0)"},
    [NUMBER_REQUESTS] = {"requests_per_second", "reqps", REQUESTS("")},
    [NUMBER_SUCCESS] = {"success_ratio", "percentunit", REQUESTS("{status!~\"5..|5xx\"}") " / " REQUESTS("")},
    [NUMBER_P50] = {"latency_p50_seconds", "s", "histogram_quantile(0.5, sum by (le) (" SECONDS "))"},
    [NUMBER_P95] = {"latency_p95_seconds", "s", "histogram_quantile(0.95, sum by (le) (" SECONDS "))"},
    [NUMBER_WAITING] = {"waiting_requests", "short", "sum(stoker_queue_requests)"},
    [NUMBER_CPU] = {"cpu_ratio", "percentunit", "1 - avg(rate(node_cpu_seconds_total{mode=\"idle\"}" WINDOW "))"},
    [NUMBER_MEMORY] = {"memory_available_bytes", "bytes", "sum(node_memory_MemAvailable_bytes)"},
    [NUMBER_DISK] = {"disk_free_ratio", "percentunit", "min(node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs\"} / node_filesystem_size_bytes)"},
};
/* clang-format on */
