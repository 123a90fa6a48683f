/* The GPU collector against our own NVML (tests/nvml) and its scenarios. */
#include "unit/unit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/exposition.h"
#include "collect/gpu/gpu.h"

enum { WAIT_MS = 300 };

struct told {
    pthread_mutex_t lock;
    char text[8192];
};

static void say(void *ctx, bool bad, const char *event, const char *text)
{
    struct told *t = ctx;

    pthread_mutex_lock(&t->lock);
    size_t n = strlen(t->text);
    (void)snprintf(t->text + n, sizeof(t->text) - n, "%s%s %s\n",
                   bad ? "!" : "", event, text);
    pthread_mutex_unlock(&t->lock);
}

static bool was_told(struct told *t, const char *what)
{
    pthread_mutex_lock(&t->lock);
    bool found = strstr(t->text, what) != NULL;
    pthread_mutex_unlock(&t->lock);
    return found;
}

static struct gpus *begin(const char *scenario, const char *root,
                          struct told *t)
{
    struct gpu_options o = {.library = FAKE_NVML_LIBRARY,
                            .root = root,
                            .wait_ms = WAIT_MS,
                            .say = t ? say : NULL,
                            .ctx = t};
    struct gpus *g = NULL;
    struct err err = {0};

    setenv("FAKE_NVML", scenario, 1);
    if (gpus_new(&o, &g, &err))
        fail_msg("%s", err.msg);
    return g;
}

/* The text, with a NUL; to be freed by buf_fini(). */
static void collect(struct gpus *g, struct buf *out)
{
    buf_fini(out);
    buf_init(out, 8 << 20);
    gpus_collect(g, out);
    buf_putc(out, '\0');
    CHECK(!out->failed);
}

/* A whole line. */
static bool has(const struct buf *b, const char *line)
{
    size_t n = strlen(line);

    for (const char *p = b->p; (p = strstr(p, line)); p++)
        if ((p == b->p || p[-1] == '\n') && (p[n] == '\n' || !p[n]))
            return true;
    return false;
}

static bool any(void *ctx, const struct exposition_sample *s)
{
    (void)s;
    ++*(int *)ctx;
    return true;
}

/* Reads what was written as Prometheus would. */
static int samples(const struct buf *b)
{
    int n = 0;
    const struct exposition_sink sink = {&n, any, NULL};

    CHECK_INT(exposition_read((struct str){b->p, b->n - 1}, EXPOSITION_TEXT,
                              &sink, NULL),
              ERR_OK);
    return n;
}

/* ID(0, "NVIDIA H200") are the labels of GPU 0. */
static char host[256];

static const char *line_of(const char *name, int gpu, const char *model,
                           const char *more, const char *value)
{
    static char line[1024];

    if (!host[0])
        gethostname(host, sizeof(host) - 1);
    (void)snprintf(line, sizeof(line),
                   "%s{gpu=\"%d\",UUID=\"GPU-00000000-0000-0000-0000-%012d\","
                   "pci_bus_id=\"00000000:%02X:00.0\",device=\"nvidia%d\","
                   "modelName=\"%s\"%s,Hostname=\"%s\","
                   "DCGM_FI_DRIVER_VERSION=\"580.82.07\"} %s",
                   name, gpu, gpu, 0x1b + gpu, gpu, model, more, host, value);
    return line;
}

static const struct {
    const char *name;
    int gpu;
    const char *value;
} of_eight[] = {
    {"DCGM_FI_DEV_GPU_UTIL", 0, "91"},
    {"DCGM_FI_DEV_GPU_UTIL", 7, "0"},
    {"DCGM_FI_DEV_MEM_COPY_UTIL", 3, "48"},
    {"DCGM_FI_DEV_DEC_UTIL", 3, "3"},
    {"DCGM_FI_DEV_FB_TOTAL", 0, "143771"},
    {"DCGM_FI_DEV_FB_USED", 0, "120000"},
    {"DCGM_FI_DEV_FB_FREE", 0, "23241"},
    {"DCGM_FI_DEV_FB_RESERVED", 0, "530"},
    {"DCGM_FI_DEV_GPU_TEMP", 2, "61"},
    {"DCGM_FI_DEV_MEMORY_TEMP", 2, "70"},
    {"DCGM_FI_DEV_SLOWDOWN_TEMP", 2, "89"},
    {"DCGM_FI_DEV_SHUTDOWN_TEMP", 2, "92"},
    {"DCGM_FI_DEV_POWER_USAGE", 0, "612.345"},
    {"DCGM_FI_DEV_POWER_USAGE", 1, "300"},
    {"DCGM_FI_DEV_ENFORCED_POWER_LIMIT", 1, "700"},
    {"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 1, "1.23456789012e+11"},
    {"DCGM_FI_DEV_SM_CLOCK", 1, "1980"},
    {"DCGM_FI_DEV_MEM_CLOCK", 1, "3201"},
    {"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", 1, "36"},
    {"DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", 1, "2"},
    {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", 1, "0"},
    {"DCGM_FI_DEV_ECC_SBE_AGG_TOTAL", 1, "7"},
    {"DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", 1, "1"},
    {"DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", 1, "1"},
    {"DCGM_FI_DEV_PCIE_REPLAY_COUNTER", 1, "5"},
    {"DCGM_FI_DEV_PCIE_LINK_GEN", 1, "5"},
    {"gpu_nvlink_transmit_bytes_total", 1, "1.024e+06"},
    {"gpu_nvlink_receive_bytes_total", 1, "2.048e+06"},
    {"DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", 1, "3000"},
    {"DCGM_FI_DEV_VGPU_LICENSE_STATUS", 1, "1"},
    {"DCGM_FI_DEV_VGPU_LICENSE_STATUS", 2, "0"},
    {"DCGM_FI_PROF_GR_ENGINE_ACTIVE", 1, "0.5"},
    {"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 1, "0.25"},
    {"DCGM_FI_PROF_DRAM_ACTIVE", 1, "0.125"},
    {"DCGM_FI_PROF_PCIE_TX_BYTES", 1, "3.145728e+06"},
    {"DCGM_FI_PROF_NVLINK_RX_BYTES", 1, "1.048576e+08"},
    {"DCGM_FI_PROF_NVLINK_TX_BYTES", 1, "2.097152e+08"},
    {"gpu_up", 7, "1"},
    {"gpu_error", 7, "0"},
};
TEST(gpu_values_of_eight)
{
    struct gpus *g = begin("tests/fixtures/nvml/eight.txt", NULL, NULL);
    struct buf b = {0};

    collect(g, &b); /* GPM needs two */
    CHECK(!strstr(b.p, "DCGM_FI_PROF"));
    collect(g, &b);
    for (size_t i = 0; i < COUNT(of_eight); i++) {
        ROW("%s %d", of_eight[i].name, of_eight[i].gpu);
        CHECK(has(&b, line_of(of_eight[i].name, of_eight[i].gpu, "NVIDIA H200",
                              "", of_eight[i].value)));
    }
    ROW("aliases");
    CHECK(has(&b, "nvidia_gpu_utilization{gpu=\"0\"} 91"));
    CHECK(has(&b, "nvidia_gpu_memory_used_bytes{gpu=\"0\"} 1.2582912e+11"));
    CHECK(
        has(&b, "nvidia_gpu_memory_total_bytes{gpu=\"7\"} 1.50754820096e+11"));
    CHECK(strstr(b.p, "reason=\"sw_power_cap\"} 1"));
    CHECK(strstr(b.p, "reason=\"hw_thermal\"} 0"));
    CHECK(!strstr(b.p, "NaN") && !strstr(b.p, "PCIE_TX_THROUGHPUT"));
    CHECK(samples(&b) > 300);
    ROW("last");
    struct buf last = {.max = 8 << 20};
    gpus_last(g, &last);
    CHECK_STR(buf_str(&last), b.p);
    buf_fini(&last);
    gpus_free(g);
    buf_fini(&b);
}

TEST(gpu_processes_of_both_sizes)
{
    static const char *const strides[] = {"24", "32"};
    char path[] = "/tmp/stoker-nvml-XXXXXX";
    int fd = mkstemp(path);
    struct buf b = {0};

    assert_true(fd >= 0);
    for (size_t i = 0; i < COUNT(strides); i++) {
        FILE *f = fopen(path, "w");
        fprintf(f,
                "stride %s\ngpus 1\ngpu 0 process 4711 1\n"
                "gpu 0 process 4712 2\ngpu 0 process 4713 -1\n"
                "gpu 0 process 4714 4\n",
                strides[i]);
        fclose(f);
        struct gpus *g = begin(path, "tests/fixtures/host", NULL);
        collect(g, &b);
        ROW("stride %s", strides[i]);
        CHECK(strstr(b.p,
                     "pid=\"4711\",process=\"model server\"} 1.048576e+06\n"));
        CHECK(strstr(b.p, "pid=\"4712\"} 2.097152e+06\n"));
        CHECK(!strstr(b.p, "pid=\"4713\""));
        CHECK(strstr(b.p, "pid=\"4714\"} 4.194304e+06\n"));
        gpus_free(g);
    }
    close(fd);
    unlink(path);
    buf_fini(&b);
}

TEST(gpu_instances_of_mig)
{
    static const char model[] = "NVIDIA H100 80GB HBM3";
    struct gpus *g = begin("tests/fixtures/nvml/mig.txt", NULL, NULL);
    struct buf b = {0};

    collect(g, &b);
    collect(g, &b);
    CHECK(has(&b, line_of("DCGM_FI_DEV_FB_TOTAL", 0, model, "", "81559")));
    CHECK(
        has(&b, line_of("DCGM_FI_DEV_FB_TOTAL", 0, model,
                        ",GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\"1\"", "10240")));
    CHECK(
        has(&b, line_of("DCGM_FI_DEV_FB_USED", 0, model,
                        ",GPU_I_PROFILE=\"3g.40gb\",GPU_I_ID=\"5\"", "10240")));
    CHECK(
        has(&b, line_of("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0, model,
                        ",GPU_I_PROFILE=\"3g.40gb\",GPU_I_ID=\"5\"", "0.15")));
    CHECK(!strstr(b.p, "DCGM_FI_DEV_GPU_UTIL"));
    (void)samples(&b);
    gpus_free(g);
    buf_fini(&b);
}

TEST(gpu_that_supports_little)
{
    struct gpus *g = begin("tests/fixtures/nvml/old.txt", NULL, NULL);
    struct buf b = {0};

    collect(g, &b);
    CHECK(strstr(b.p, "\nDCGM_FI_DEV_FB_FREE{gpu=\"0\""));
    CHECK(strstr(b.p, "\nDCGM_FI_DEV_PCIE_TX_THROUGHPUT{gpu=\"0\""));
    CHECK(strstr(b.p, "\ngpu_up{gpu=\"0\""));
    CHECK(!strstr(b.p, "FB_RESERVED") && !strstr(b.p, "_ECC_SBE") &&
          !strstr(b.p, "nvlink") && !strstr(b.p, "PROF") &&
          !strstr(b.p, "FAN"));
    CHECK(samples(&b) < 30);
    gpus_free(g);
    buf_fini(&b);
}

/* ---- what goes wrong ---------------------------------------------------- */

static char scenario[64];

static void play(const char *text)
{
    char draft[80];

    (void)snprintf(scenario, sizeof(scenario), "/tmp/stoker-nvml-%d",
                   (int)getpid());
    (void)snprintf(draft, sizeof(draft), "%s.new", scenario);
    FILE *f = fopen(draft, "w");
    assert_non_null(f);
    fprintf(f, "gpus 4\ngpu * util 50\ngpu * temp 40\ngpu * power 1000\n%s",
            text);
    fclose(f);
    usleep(20000); /* another time of change */
    assert_int_equal(rename(draft, scenario), 0);
}

static bool is_up(const struct buf *b, int gpu)
{
    return has(b, line_of("gpu_up", gpu, "Fake GPU", "", "1"));
}

/* Collects until the GPU is up or not, for at most 20 s. */
static bool comes_to(struct gpus *g, struct buf *b, int gpu, bool up)
{
    for (int i = 0; i < 400; i++) {
        collect(g, b);
        if (is_up(b, gpu) == up)
            return true;
        usleep(50000);
    }
    return false;
}

TEST(gpu_lost_and_back)
{
    static struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct buf b = {0};

    play("");
    struct gpus *g = begin(scenario, NULL, &told);
    collect(g, &b);
    CHECK(is_up(&b, 2));
    play("gpu 2 fail * 15\n");
    CHECK(comes_to(g, &b, 2, false));
    CHECK(has(&b, line_of("gpu_error", 2, "Fake GPU", "", "15")));
    CHECK(!strstr(b.p, "\nDCGM_FI_DEV_GPU_TEMP{gpu=\"2\""));
    CHECK(strstr(b.p, "\nDCGM_FI_DEV_GPU_TEMP{gpu=\"3\""));
    CHECK(is_up(&b, 1) && is_up(&b, 3));
    CHECK(was_told(&told, "!gpu.lost GPU 2 (GPU-00000000-0000-0000-0000-"
                          "000000000002): GPU is lost"));
    play("");
    CHECK(comes_to(g, &b, 2, true));
    CHECK(was_told(&told, "gpu.back GPU 2"));
    gpus_free(g);
    unlink(scenario);
    buf_fini(&b);
}

TEST(gpu_that_hangs)
{
    static struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct buf b = {0};

    play("");
    struct gpus *g = begin(scenario, NULL, &told);
    collect(g, &b);
    play("gpu 1 hang nvmlDeviceGetPowerUsage\n");
    CHECK(comes_to(g, &b, 1, false));
    CHECK(has(&b, line_of("gpu_error", 1, "Fake GPU", "", "10")));
    CHECK(strstr(b.p, "\nDCGM_FI_DEV_POWER_USAGE{gpu=\"0\""));
    CHECK(!strstr(b.p, "\nDCGM_FI_DEV_POWER_USAGE{gpu=\"1\""));
    CHECK(was_told(&told, "!gpu.lost GPU 1"));
    usleep(WAIT_MS * 1000);
    ROW("it is not waited for again");
    int64_t start = clock_mono_ns();
    collect(g, &b);
    CHECK(clock_mono_ns() - start < WAIT_MS * INT64_C(1000000));
    CHECK(is_up(&b, 0) && !is_up(&b, 1));
    play("");
    CHECK(comes_to(g, &b, 1, true));
    gpus_free(g);
    unlink(scenario);
    buf_fini(&b);
}

TEST(gpu_driver_that_comes_late)
{
    static struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct buf b = {0};

    play("fail nvmlInit_v2 9\n");
    struct gpus *g = begin(scenario, NULL, &told);
    collect(g, &b);
    CHECK(has(&b, "gpu_driver_up 0"));
    CHECK(was_told(&told, "!gpu.no_driver NVML does not start: Driver Not "
                          "Loaded"));
    play("");
    CHECK(comes_to(g, &b, 0, true));
    CHECK(has(&b, "gpu_driver_up 1"));
    gpus_free(g);
    unlink(scenario);
    buf_fini(&b);
}

static bool comes_to_say(struct gpus *g, struct buf *b, const char *part)
{
    for (int i = 0; i < 200; i++) {
        collect(g, b);
        if (strstr(b->p, part))
            return true;
        usleep(50000);
    }
    return false;
}

TEST(gpu_xids)
{
    static struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER};
    char root[] = "/tmp/stoker-root-XXXXXX", path[64];
    struct buf b = {0};

    assert_non_null(mkdtemp(root));
    (void)snprintf(path, sizeof(path), "%s/dev", root);
    mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/dev/kmsg", root);
    FILE *kernel = fopen(path, "w");
    assert_non_null(kernel);
    fprintf(kernel, "6,1,1,-;NVRM: Xid (PCI:0000:1b:00): 79, old news\n");
    fflush(kernel);
    play("");
    struct gpus *g = begin(scenario, root, &told);
    collect(g, &b);
    CHECK(strstr(b.p, "err_code=\"0\",err_msg=\"none\"} 0"));
    ROW("a storm: one event each");
    struct buf storm = {.max = 4096};
    for (int i = 0; i < 40; i++)
        buf_printf(&storm, "gpu 3 xid 63 %d\n", 100 + i);
    buf_puts(&storm, "gpu 3 xid 48 200\ngpu 0 xid 1 201\ngpu 0 xid 2 202\n");
    buf_putc(&storm, '\0');
    play(storm.p);
    CHECK(comes_to_say(g, &b, "kind=\"double_bit\"} 1\n"));
    CHECK(strstr(b.p, ",xid=\"63\"} 40\n"));
    CHECK(strstr(b.p, ",xid=\"48\"} 1\n"));
    CHECK(strstr(b.p, "kind=\"single_bit\"} 1\n"));
    CHECK(strstr(b.p, "err_code=\"48\",err_msg=\"memory error beyond "
                      "correction\"} 48\n"));
    ROW("the kernel's log");
    CHECK(!strstr(b.p, "xid=\"79\""));
    fprintf(kernel, "4,2,2,-;usb 1-1: new device\n"
                    "3,3,3,-;NVRM: Xid (PCI:0000:1c:00): 79, pid=1, GPU has "
                    "fallen off the bus.\n"
                    "3,4,4,-;NVRM: Xid (PCI:0000:1c:00): 63, told by NVML\n");
    fflush(kernel);
    CHECK(comes_to_say(g, &b, ",xid=\"79\"} 1\n"));
    CHECK(strstr(b.p, ",xid=\"63\"} 40\n"));
    CHECK(was_told(&told, "!gpu.xid GPU 1 (GPU-00000000-0000-0000-0000-"
                          "000000000001): XID 79: the GPU has fallen off the "
                          "bus"));
    gpus_free(g);
    fclose(kernel);
    unlink(path);
    (void)snprintf(path, sizeof(path), "%s/dev", root);
    rmdir(path);
    rmdir(root);
    unlink(scenario);
    buf_fini(&storm);
    buf_fini(&b);
}

TEST(gpu_without_a_library)
{
    struct gpu_options o = {.library = "/no/such/libnvidia-ml.so.1"};
    struct gpus *g = NULL;
    struct err err = {0};

    CHECK_INT(gpus_new(&o, &g, &err), ERR_UNAVAIL);
    CHECK(strstr(err.msg, "cannot open NVML") &&
          strstr(err.msg, "STOKER_NVML"));
    o.library = "libm.so.6";
    CHECK_INT(gpus_new(&o, &g, &err), ERR_UNAVAIL);
    CHECK(strstr(err.msg, "is not NVML"));
}
