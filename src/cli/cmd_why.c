#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/command.h"
#include "cli/logs_show.h"
#include "cli/plan.h"
#include "cli/size_text.h"
#include "machine/machine.h"
#include "supervise/death.h"
#include "supervise/log_read.h"
#include "supervise/signals.h"

struct options {
    const char *config, *root;
    int64_t lines;
    bool json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"config", 'c', FLAG_TEXT, AT(config), NULL, 0, 0, 0, TEXT_OPT_SETTINGS, false, 0, NULL},
    {"lines",    0, FLAG_INT, AT(lines), "10", 0, 1000, 0, TEXT_OPT_LOGS_LINES, false, 0, NULL},
    {"root",     0, FLAG_TEXT, AT(root), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ROOT, false, 0, NULL},
    {"json",     0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

enum {
    DEATHS_MAX = 4 << 20,
    LINES_MAX = 1001,
    TAIL_BYTES = 1 << 20,
    FULL_BYTES = 1 << 20, /* a disk with less is full */
    LIVED_MAX = 48,
};

/* What can be found out about one death. */
struct finding {
    struct cli *cli;
    const struct options *o;
    const char *unit;
    struct death death;
    unsigned xid; /* 0: none */
    char xid_line[256];
    bool oom;                       /* the kernel says that memory was short */
    char directory[STATE_PATH_MAX]; /* of logs */
    int64_t free_bytes;             /* of its disk; -1: not known */
    char *lines[LINES_MAX];         /* the last ones before the death, a ring */
    size_t n, next;
    bool ended; /* the note of the death was found */
    bool says_full;
};

static const char *say(const struct finding *f, enum text t)
{
    return text_in(f->cli->language, t);
}

/* ---- deaths.jsonl --------------------------------------------------- */

static enum errc find_death(struct finding *f, bool *found, struct err *err)
{
    static const char *const files[] = {"deaths.jsonl", "deaths.old.jsonl"};
    char place[STATE_PATH_MAX], path[STATE_PATH_MAX + 32];
    enum errc rc = plan_place("up", place, err);

    *found = false;
    for (size_t i = 0; i < COUNT(files) && !rc && !*found; i++) {
        struct buf b;
        buf_init(&b, DEATHS_MAX);
        (void)snprintf(path, sizeof(path), "%s/%s", place, files[i]);
        if (!fs_read(path, &b, NULL))
            *found = death_find(buf_str(&b), f->unit, &f->death);
        buf_fini(&b);
    }
    return rc;
}

/* ---- the kernel's log ----------------------------------------------- */

/* "NVRM: Xid (PCI:0000:1b:00): 31, pid=1234, name=python, ..." and
 * "Out of memory: Killed process 1234 (python) ..." */
static void take_kernel_line(struct finding *f, const char *line)
{
    const char *xid = strstr(line, "NVRM: Xid (PCI:");
    const char *killed = strstr(line, "Killed process ");
    const char *pid = strstr(line, "pid=");
    unsigned number;
    char gpu[32];

    if (killed && strtol(killed + 15, NULL, 10) == (long)f->death.pid)
        f->oom = true;
    if (pid && pid[4] == '\'')
        pid++;
    if (xid && pid && strtol(pid + 4, NULL, 10) == (long)f->death.pid &&
        sscanf(xid, "NVRM: Xid (PCI:%31[^)]): %u", gpu, &number) == 2) {
        f->xid = number;
        (void)snprintf(f->xid_line, sizeof(f->xid_line), "%.255s", xid);
    }
}

static void look_kernel(struct finding *f)
{
    struct machine m;
    struct str log = {NULL, 0};
    char text[1024];

    if (machine_open(f->o->root ? f->o->root : "/", &m, NULL))
        return;
    if (machine_fact(&m, "kernel-log", &log) == FOUND)
        while (log.n) {
            struct str line = str_cut(&log, '\n');
            (void)snprintf(text, sizeof(text), "%.*s",
                           (int)(line.n < 1000 ? line.n : 1000), line.p);
            take_kernel_line(f, text);
        }
    machine_close(&m);
}

/* ---- the log of the service ----------------------------------------- */

static void on_line(void *ctx, struct str line)
{
    struct finding *f = ctx;
    char note[192], other[128];
    size_t max = (size_t)f->o->lines;

    (void)snprintf(note, sizeof(note), DEATH_NOTE, f->unit, (int)f->death.pid);
    (void)snprintf(other, sizeof(other), "stoker: %s (pid ", f->unit);
    if (f->ended)
        return;
    if (str_starts(line, str_from_cstr(note))) {
        f->ended = true;
        return;
    }
    if (str_starts(line, str_from_cstr(other)) &&
        memmem(line.p, line.n, ") ended: ", 9)) {
        f->n = f->next = 0; /* the lines of the process before */
        return;
    }
    if (!max)
        return;
    free(f->lines[f->next]);
    f->lines[f->next] = strndup(line.p ? line.p : "", line.n);
    f->next = (f->next + 1) % max;
    f->n += f->n < max;
}

static const char *line_at(const struct finding *f, size_t i)
{
    size_t max = (size_t)f->o->lines;
    const char *text = f->lines[(f->next + max - f->n + i) % max];

    return text ? text : "";
}

static enum errc look_log(struct finding *f, struct err *err)
{
    struct log_reader r;
    struct statvfs v;
    enum errc rc = logs_place(f->cli, f->o->config, f->directory, err);

    if (rc)
        return rc;
    f->free_bytes = statvfs(f->directory, &v) == 0
                        ? (int64_t)(v.f_bavail * v.f_frsize)
                        : -1;
    log_reader_init(&r, f->directory, f->unit, 0, TAIL_BYTES);
    if (log_reader_read(&r, on_line, f, NULL))
        f->n = 0;
    log_reader_fini(&r);
    for (size_t i = 0; i < f->n; i++)
        f->says_full |= strstr(line_at(f, i), "No space left on device") ||
                        strstr(line_at(f, i), "ENOSPC");
    return ERR_OK;
}

/* ---- in words
 * ---------------------------------------------------------------------------
 */

static const char *duration(int64_t ms, char out[LIVED_MAX])
{
    if (ms < 120000)
        (void)snprintf(out, LIVED_MAX, "%.1f s", (double)ms / 1000);
    else if (ms < 7200000)
        (void)snprintf(out, LIVED_MAX, "%lld min", (long long)(ms / 60000));
    else
        (void)snprintf(out, LIVED_MAX, "%lld h", (long long)(ms / 3600000));
    return out;
}

static void put_exit(const struct finding *f, int status)
{
    char name[32], more[200] = "";

    if (status == 127 || status == 126)
        (void)snprintf(
            more, sizeof(more), "%s",
            say(f, status == 127 ? TEXT_WHY_CODE_127 : TEXT_WHY_CODE_126));
    else if (status > 128 && status < 128 + 32)
        (void)snprintf(more, sizeof(more), say(f, TEXT_WHY_CODE_SIGNAL),
                       signal_name(status - 128, name));
    fprintf(f->cli->out, say(f, TEXT_WHY_EXIT), status, more);
}

static void put_signal(const struct finding *f, int sig)
{
    char name[32];
    const char *more = sig == SIGSEGV || sig == SIGBUS || sig == SIGILL
                           ? say(f, TEXT_WHY_SEGV)
                       : sig == SIGABRT ? say(f, TEXT_WHY_ABRT)
                       : sig == SIGKILL ? say(f, TEXT_WHY_KILL)
                                        : "";

    fprintf(f->cli->out, say(f, TEXT_WHY_SIGNAL), signal_name(sig, name), more);
}

static void put_cause(const struct finding *f)
{
    const struct death *d = &f->death;
    static const enum text texts[] = {[DEATH_OOM] = TEXT_WHY_OOM,
                                      [DEATH_STOPPED] = TEXT_WHY_STOPPED,
                                      [DEATH_REPLACED] = TEXT_WHY_REPLACED,
                                      [DEATH_NOT_READY] = TEXT_WHY_NOT_READY,
                                      [DEATH_UNHEALTHY] = TEXT_WHY_UNHEALTHY};

    if (d->cause != DEATH_ITSELF)
        fputs(say(f, texts[d->cause]), f->cli->out);
    else if (f->oom)
        fputs(say(f, TEXT_WHY_OOM_HOST), f->cli->out);
    else if (!d->known)
        fputs(say(f, TEXT_WHY_UNKNOWN), f->cli->out);
    else if (WIFSIGNALED(d->status))
        put_signal(f, WTERMSIG(d->status));
    else
        put_exit(f, WEXITSTATUS(d->status));
}

static void show(const struct finding *f)
{
    const struct death *d = &f->death;
    FILE *out = f->cli->out;
    char at[64] = "", text[LIVED_MAX], size[SIZE_TEXT_MAX];
    time_t s = (time_t)(d->at_ns / 1000000000);
    struct tm tm;

    if (localtime_r(&s, &tm))
        (void)strftime(at, sizeof(at), "%Y-%m-%d %H:%M:%S", &tm);
    if (d->cause == DEATH_NO_START) {
        fprintf(out, say(f, TEXT_WHY_NO_START), f->unit, at, d->detail);
    } else {
        fprintf(out, say(f, TEXT_WHY_HEAD), f->unit, at,
                duration(d->lived_ms, text), (int)d->pid);
        put_cause(f);
    }
    fprintf(out, "%s\n", say(f, TEXT_WHY_END));
    if (d->settings_ms >= 0 && d->settings_ms < 600000) {
        fprintf(out, say(f, TEXT_WHY_SETTINGS), duration(d->settings_ms, text));
        fputc('\n', out);
    }
    if (f->xid) {
        fprintf(out, say(f, TEXT_WHY_XID), (int)f->xid, f->xid_line);
        fputc('\n', out);
    }
    if (f->free_bytes >= 0 && f->free_bytes < FULL_BYTES) {
        fprintf(out, say(f, TEXT_WHY_DISK), f->directory,
                size_text(f->free_bytes, size));
        fputc('\n', out);
    } else if (f->says_full) {
        fprintf(out, "%s\n", say(f, TEXT_WHY_DISK_SAID));
    }
    if (f->n)
        fprintf(out, "%s\n", say(f, TEXT_WHY_LINES));
    for (size_t i = 0; i < f->n; i++)
        fprintf(out, "    %s\n", line_at(f, i));
}

static void show_json(const struct finding *f)
{
    struct buf b;

    buf_init(&b, DEATHS_MAX);
    death_put(&f->death, f->unit, &b);
    b.n -= b.n >= 2 ? 2 : 0;
    if (f->xid)
        buf_printf(&b, ",\"xid\":%u", f->xid);
    buf_printf(&b, ",\"kernel_oom\":%s,\"disk_full\":%s,\"lines\":[",
               f->oom ? "true" : "false",
               f->says_full ||
                       (f->free_bytes >= 0 && f->free_bytes < FULL_BYTES)
                   ? "true"
                   : "false");
    for (size_t i = 0; i < f->n; i++) {
        buf_puts(&b, i ? "," : "");
        buf_put_quoted(&b, str_from_cstr(line_at(f, i)));
    }
    buf_puts(&b, "]}\n");
    fprintf(f->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    struct finding f = {
        .cli = cli, .o = options, .unit = args->rest[0], .free_bytes = -1};
    bool found = false;
    enum errc rc = find_death(&f, &found, err);

    if (!rc && !found)
        rc = err_set(err, ERR_NOT_FOUND, say(&f, TEXT_WHY_NEVER), f.unit);
    if (!rc)
        rc = look_log(&f, err);
    if (!rc) {
        look_kernel(&f);
        if (f.o->json)
            show_json(&f);
        else
            show(&f);
    }
    for (size_t i = 0; i < LINES_MAX; i++)
        free(f.lines[i]);
    return rc;
}

const struct command cmd_why = {
    .name = "why",
    .args = "SERVICE",
    .summary = TEXT_CMD_WHY,
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .run = run,
};
