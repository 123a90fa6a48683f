/* dashboards.c - what is worth looking at, as tables; and as Grafana's JSON.
 * Every query is asked of our own API by a test. */
#include "export/export.h"

/* A line of a panel. */
struct query {
    const char *expr, *legend;
    const char *legend_zh; /* NULL: the same, nothing in it is a word */
};

enum { QUERIES_MAX = 4 };

struct panel {
    const char *title, *title_zh;
    const char *unit; /* Grafana's name */
    struct query queries[QUERIES_MAX];
};

struct variable {
    const char *name, *query;
};

struct dashboard {
    const char *uid, *title, *title_zh;
    struct variable variables[3];
    const struct panel *panels;
    size_t n;
};

#define HTTP      "{instance=~\"$instance\"}"
#define MODEL     "{instance=~\"$instance\",model=~\"$model\"}"
#define GPU       "{instance=~\"$instance\",gpu=~\"$gpu\"}"
#define HOST      "{instance=~\"$instance\"}"
#define RATE      "[$__rate_interval]"
#define BY_BUCKET "sum by (le) (rate(http_request_duration_highr_seconds_bucket"

/* clang-format off */
static const struct panel service[] = {
    {"Requests", "请求数", "reqps",
     {{"sum by (handler, status) (rate(http_requests_total" HTTP RATE "))", "{{handler}} {{status}}", NULL}}},
    {"Success rate", "成功率", "percentunit",
     {{"sum(rate(http_requests_total{instance=~\"$instance\",status!~\"5..|5xx\"}" RATE ")) / sum(rate(http_requests_total" HTTP RATE "))", "success", "成功"}}},
    {"Latency", "延迟", "s",
     {{"histogram_quantile(0.5, " BY_BUCKET HTTP RATE ")))", "p50", NULL},
      {"histogram_quantile(0.95, " BY_BUCKET HTTP RATE ")))", "p95", NULL},
      {"histogram_quantile(0.99, " BY_BUCKET HTTP RATE ")))", "p99", NULL}}},
    {"Where the time goes", "耗时构成", "s",
     {{"rate(stoker_queue_seconds_sum" MODEL RATE ") / rate(stoker_queue_seconds_count" MODEL RATE ")", "queue {{model}}", "排队 {{model}}"},
      {"rate(stoker_run_seconds_sum" MODEL RATE ") / rate(stoker_run_seconds_count" MODEL RATE ")", "run {{model}}", "运行 {{model}}"}}},
    {"Rows per run", "批大小", "short",
     {{"rate(stoker_batch_size_rows_sum" MODEL RATE ") / rate(stoker_batch_size_rows_count" MODEL RATE ")", "{{model}}", NULL}}},
    {"Waiting requests", "排队请求", "short",
     {{"stoker_queue_requests" MODEL, "{{model}}", NULL}}},
    {"Turned away", "被拒绝的请求", "reqps",
     {{"sum by (reason) (rate(stoker_rejected_total" MODEL RATE "))", "{{reason}}", NULL}}},
    {"Memory", "内存", "bytes",
     {{"process_resident_memory_bytes" HTTP, "{{job}} {{instance}}", NULL}}},
    {"Processor time", "处理器时间", "short",
     {{"rate(process_cpu_seconds_total" HTTP RATE ")", "{{job}} {{instance}}", NULL}}},
    {"Alerts", "告警", "short",
     {{"sum by (alertname, severity) (ALERTS{alertstate=\"firing\"})", "{{alertname}} {{severity}}", NULL}}},
};

static const struct panel gpus[] = {
    {"Utilisation", "利用率", "percent", {{"DCGM_FI_DEV_GPU_UTIL" GPU, "GPU {{gpu}}", NULL}}},
    {"Memory used", "显存使用", "decmbytes", {{"DCGM_FI_DEV_FB_USED" GPU, "GPU {{gpu}}", NULL}}},
    {"Memory", "显存使用率", "percentunit",
     {{"DCGM_FI_DEV_FB_USED" GPU " / (DCGM_FI_DEV_FB_USED" GPU " + DCGM_FI_DEV_FB_FREE" GPU ")", "GPU {{gpu}}", NULL}}},
    {"Temperature", "温度", "celsius", {{"DCGM_FI_DEV_GPU_TEMP" GPU, "GPU {{gpu}}", NULL}}},
    {"Power", "功率", "watt",
     {{"DCGM_FI_DEV_POWER_USAGE" GPU, "GPU {{gpu}}", NULL}, {"sum(DCGM_FI_DEV_POWER_USAGE" GPU ")", "all", "合计"}}},
    {"Clocks", "时钟频率", "hertz",
     {{"DCGM_FI_DEV_SM_CLOCK" GPU " * 1000000", "SM {{gpu}}", NULL}, {"DCGM_FI_DEV_MEM_CLOCK" GPU " * 1000000", "memory {{gpu}}", "显存 {{gpu}}"}}},
    {"Tensor cores", "张量核心", "percentunit", {{"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE" GPU, "GPU {{gpu}}", NULL}}},
    {"Clocks are low because of", "降频原因", "short", {{"gpu_throttle" GPU " == 1", "GPU {{gpu}} {{reason}}", NULL}}},
    {"Memory by process", "进程显存", "bytes", {{"gpu_process_memory_bytes" GPU, "GPU {{gpu}} {{process}} {{pid}}", NULL}}},
    {"XIDs", "XID 错误", "short", {{"sum by (gpu, xid) (increase(gpu_xid_errors_total" GPU "[1h]))", "GPU {{gpu}} XID {{xid}}", NULL}}},
    {"Errors of memory", "显存错误", "short",
     {{"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL" GPU, "GPU {{gpu}} not corrected", "GPU {{gpu}} 未纠正"}, {"DCGM_FI_DEV_ECC_SBE_VOL_TOTAL" GPU, "GPU {{gpu}} corrected", "GPU {{gpu}} 已纠正"}}},
    {"There", "在线", "short", {{"gpu_up" GPU, "GPU {{gpu}}", NULL}}},
};

static const struct panel host[] = {
    {"Processors", "处理器", "percentunit",
     {{"1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\",instance=~\"$instance\"}" RATE "))", "{{instance}}", NULL}}},
    {"Load", "负载", "short",
     {{"node_load1" HOST, "1 min {{instance}}", "1 分钟 {{instance}}"}, {"node_load15" HOST, "15 min {{instance}}", "15 分钟 {{instance}}"}}},
    {"Memory available", "可用内存", "bytes",
     {{"node_memory_MemAvailable_bytes" HOST, "available {{instance}}", "可用 {{instance}}"}, {"node_memory_MemTotal_bytes" HOST, "all {{instance}}", "总量 {{instance}}"}}},
    {"Disk space used", "磁盘使用率", "percentunit",
     {{"1 - node_filesystem_avail_bytes{instance=~\"$instance\",fstype!~\"tmpfs|ramfs\"} / node_filesystem_size_bytes", "{{mountpoint}}", NULL}}},
    {"Disk traffic", "磁盘流量", "Bps",
     {{"sum by (device) (rate(node_disk_read_bytes_total" HOST RATE "))", "read {{device}}", "读 {{device}}"},
      {"sum by (device) (rate(node_disk_written_bytes_total" HOST RATE "))", "written {{device}}", "写 {{device}}"}}},
    {"Network", "网络", "Bps",
     {{"sum by (device) (rate(node_network_receive_bytes_total" HOST RATE "))", "in {{device}}", "入 {{device}}"},
      {"sum by (device) (rate(node_network_transmit_bytes_total" HOST RATE "))", "out {{device}}", "出 {{device}}"}}},
    {"Pressure", "资源压力", "percentunit",
     {{"rate(node_pressure_cpu_waiting_seconds_total" HOST RATE ")", "processors", "处理器"},
      {"rate(node_pressure_memory_waiting_seconds_total" HOST RATE ")", "memory", "内存"},
      {"rate(node_pressure_io_waiting_seconds_total" HOST RATE ")", "disks", "磁盘"}}},
    {"Open files", "文件描述符", "short", {{"node_filefd_allocated" HOST, "{{instance}}", NULL}}},
};

const struct dashboard dashboard_service = {
    "stoker-service", "Stoker: service", "司炉：服务",
    {{"instance", "label_values(http_requests_total, instance)"}, {"model", "label_values(stoker_queue_requests, model)"}},
    service, COUNT(service)};
const struct dashboard dashboard_gpu = {
    "stoker-gpu", "Stoker: GPUs", "司炉：GPU",
    {{"instance", "label_values(gpu_up, instance)"}, {"gpu", "label_values(gpu_up, gpu)"}},
    gpus, COUNT(gpus)};
const struct dashboard dashboard_host = {
    "stoker-host", "Stoker: machine", "司炉：主机",
    {{"instance", "label_values(node_uname_info, instance)"}},
    host, COUNT(host)};
/* clang-format on */

/* ---- JSON --------------------------------------------------------------- */

static const char source[] =
    "\"datasource\":{\"type\":\"prometheus\",\"uid\":\"stoker\"}";

static void put_text(struct buf *b, const char *before, const char *text)
{
    buf_put_field(b, before, str_from_cstr(text));
}

static void put_variable(struct buf *b, const struct variable *v, bool first)
{
    put_text(b, first ? "{\"name\":" : ",\n{\"name\":", v->name);
    put_text(b, ",\"label\":", v->name);
    put_text(b, ",\"type\":\"query\",\"query\":", v->query);
    put_text(b, ",\"definition\":", v->query);
    buf_printf(b,
               ",%s,\"refresh\":2,\"sort\":1,\"multi\":true,"
               "\"includeAll\":true,\"allValue\":\".*\",\"current\":{"
               "\"text\":\"All\",\"value\":\"$__all\"}}",
               source);
}

static void put_queries(struct buf *b, const struct panel *p, bool chinese)
{
    for (int i = 0; i < QUERIES_MAX && p->queries[i].expr; i++) {
        const struct query *q = &p->queries[i];
        buf_printf(b, "%s{\"refId\":\"%c\",%s", i ? "," : "", 'A' + i, source);
        put_text(b, ",\"expr\":", q->expr);
        put_text(b, ",\"legendFormat\":",
                 chinese && q->legend_zh ? q->legend_zh : q->legend);
        buf_putc(b, '}');
    }
}

/* Two beside each other, each half of Grafana's 24 columns wide. */
static void put_panel(struct buf *b, const struct panel *p, size_t i,
                      bool chinese)
{
    put_text(b,
             i ? ",\n{\"type\":\"timeseries\",\"title\":"
               : "{\"type\":\"timeseries\",\"title\":",
             chinese ? p->title_zh : p->title);
    buf_printf(b,
               ",\"id\":%zu,%s,\"gridPos\":{\"x\":%zu,\"y\":%zu,\"w\":12,"
               "\"h\":8},\"fieldConfig\":{\"defaults\":{\"unit\":\"%s\","
               "\"min\":0,\"custom\":{\"fillOpacity\":8,\"showPoints\":"
               "\"never\"}},\"overrides\":[]},\"options\":{\"legend\":{"
               "\"displayMode\":\"list\",\"placement\":\"bottom\"},"
               "\"tooltip\":{\"mode\":\"multi\",\"sort\":\"desc\"}},"
               "\"targets\":[",
               i + 1, source, i % 2 * 12, i / 2 * 8, p->unit);
    put_queries(b, p, chinese);
    buf_puts(b, "]}");
}

void dashboard_write(const struct export_file *f,
                     const struct export_options *o, struct buf *out)
{
    const struct dashboard *d = f->dashboard;

    put_text(out, "{\"uid\":", d->uid);
    put_text(out, ",\"title\":", o->chinese ? d->title_zh : d->title);
    buf_puts(out, ",\"tags\":[\"stoker\"],\"timezone\":\"browser\","
                  "\"editable\":true,\"schemaVersion\":38,\"version\":1,"
                  "\"refresh\":\"15s\",\"time\":{\"from\":\"now-1h\",\"to\":"
                  "\"now\"},\n\"templating\":{\"list\":[");
    for (size_t i = 0; i < COUNT(d->variables) && d->variables[i].name; i++)
        put_variable(out, &d->variables[i], i == 0);
    buf_puts(out, "]},\n\"panels\":[");
    for (size_t i = 0; i < d->n; i++)
        put_panel(out, &d->panels[i], i, o->chinese);
    buf_puts(out, "]}\n");
}
