/* run.c - the checks, each in a process of its own.
 *
 *   waiting --a place is free--> running --end of its pipe--> done
 *                                   |
 *                                   +--its limit has passed--> killed, HUNG
 *
 * The first job asks NVIDIA's driver, which takes its time when it is sick, and
 * those that want to know what it said wait for it; the others do not.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "doctor/capture.h"
#include "doctor/frames.h"
#include "doctor/texts.h"

enum {
    AT_ONCE = 8,
    OUTPUT_MAX = 16 << 20,
    NVML = -1 /* the job that asks the driver */
};

struct job {
    int check; /* index, or NVML */
    pid_t pid; /* 0: has not begun */
    int fd;
    int64_t began_ns, ended_ns;
    struct buf out;
    bool done, hung;
    int status;
};

struct running {
    const struct doctor_options *o;
    struct machine *m;
    struct job *jobs;
    size_t n;
    bool nvml_done;
};

/* ---- the child ---------------------------------------------------------- */

static void examine(struct running *r, const struct job *j, struct buf *out)
{
    struct exam x = {.m = r->m, .options = r->o, .out = out};
    struct str text = {NULL, 0};

    if (j->check != NVML) {
        doctor_functions[j->check](&x);
        return;
    }
    enum found found = machine_fact(r->m, "nvml", &text);
    frame_put(out, 'n', (struct str){(const char *)&found, sizeof(found)});
    if (found == FOUND)
        frame_put(out, 'n', text);
}

/* 'c': kind, found, the name with a NUL, the text. */
static void note(void *ctx, char kind, const char *name, enum found found,
                 struct str text)
{
    struct buf *out = ctx, body;

    buf_init(&body, OUTPUT_MAX);
    buf_putc(&body, kind);
    buf_putc(&body, (char)found);
    buf_puts(&body, name);
    buf_putc(&body, '\0');
    buf_put(&body, found == FOUND ? text : STR(""));
    if (!body.failed)
        frame_put(out, 'c', buf_str(&body));
    buf_fini(&body);
}

static NORETURN void be_child(struct running *r, const struct job *j, int fd)
{
    struct buf out;

    buf_init(&out, OUTPUT_MAX);
    if (r->o->capture) {
        r->m->record = note;
        r->m->ctx = &out;
    }
    examine(r, j, &out);
    bool told = !out.failed && fs_write_all(fd, out.p, out.n);
    _exit(told ? 0 : 1);
}

/* ---- the parent --------------------------------------------------------- */

static enum errc begin(struct running *r, struct job *j, struct err *err)
{
    int ends[2];

    if (pipe(ends))
        return err_set(err, errc_from_errno(errno), "pipe: %s",
                       strerror(errno));
    j->began_ns = clock_mono_ns();
    j->pid = fork();
    if (j->pid < 0) {
        j->pid = 0;
        (void)close(ends[0]);
        (void)close(ends[1]);
        return err_set(err, errc_from_errno(errno), "fork: %s",
                       strerror(errno));
    }
    if (j->pid == 0) {
        (void)close(ends[0]);
        be_child(r, j, ends[1]);
    }
    (void)close(ends[1]);
    j->fd = ends[0];
    return ERR_OK;
}

static void know_nvml(struct running *r, const struct job *j)
{
    struct str rest = buf_str(&j->out), body, text = {NULL, 0};
    enum found found = BROKEN;
    bool any = false;
    char kind;

    while (!j->hung && frame_take(&rest, &kind, &body)) {
        if (kind == 'n' && !any && body.n == sizeof(found)) {
            memcpy(&found, body.p, sizeof(found));
            any = true;
        } else if (kind == 'n') {
            text = body;
        }
    }
    machine_know(r->m, "nvml", found == FOUND && !text.p ? BROKEN : found,
                 text);
    r->nvml_done = true;
}

static void end(struct running *r, struct job *j)
{
    if (j->hung)
        (void)kill(j->pid, SIGKILL);
    (void)close(j->fd);
    /* A process that waits for a dead disk cannot be killed: it is left. */
    for (int i = 0; i < 50; i++) {
        if (waitpid(j->pid, &j->status, j->hung ? WNOHANG : 0) != 0)
            break;
        (void)usleep(1000);
    }
    j->ended_ns = clock_mono_ns();
    j->done = true;
    if (j->check == NVML)
        know_nvml(r, j);
}

static bool may_begin(const struct running *r, const struct job *j)
{
    return !j->pid && !j->done &&
           (r->nvml_done || j->check == NVML || !doctor_asks_nvml[j->check]);
}

static int64_t left_ms(const struct running *r, const struct job *j)
{
    return r->o->limit_ms - (clock_mono_ns() - j->began_ns) / 1000000;
}

/* Waits for what children say, and ends those that are done or too late. */
static void attend(struct running *r)
{
    struct pollfd p[AT_ONCE];
    struct job *of[AT_ONCE];
    int64_t wait = r->o->limit_ms;
    nfds_t n = 0;

    for (size_t i = 0; i < r->n && n < AT_ONCE; i++) {
        struct job *j = &r->jobs[i];
        if (!j->pid || j->done)
            continue;
        int64_t left = left_ms(r, j);
        wait = left < wait ? left : wait;
        of[n] = j;
        p[n++] = (struct pollfd){.fd = j->fd, .events = POLLIN};
    }
    (void)poll(p, n, wait > 0 ? (int)wait : 0);
    for (nfds_t k = 0; k < n; k++) {
        ssize_t got = 1;
        if (p[k].revents) {
            char *to = buf_reserve(&of[k]->out, 65536);
            got = to ? read(p[k].fd, to, 65536) : 0;
            of[k]->out.n += got > 0 ? (size_t)got : 0;
        }
        of[k]->hung = got > 0 && left_ms(r, of[k]) <= 0;
        if (got <= 0 || of[k]->hung)
            end(r, of[k]);
    }
}

static enum errc run_jobs(struct running *r, struct err *err)
{
    for (;;) {
        size_t busy = 0, waiting = 0;
        for (size_t i = 0; i < r->n; i++) {
            busy += r->jobs[i].pid && !r->jobs[i].done;
            waiting += !r->jobs[i].pid;
        }
        for (size_t i = 0; i < r->n && busy < AT_ONCE; i++)
            if (may_begin(r, &r->jobs[i])) {
                enum errc rc = begin(r, &r->jobs[i], err);
                if (rc)
                    return rc;
                busy++;
                waiting--;
            }
        if (busy == 0 && waiting == 0)
            return ERR_OK;
        attend(r);
    }
}

/* ---- results ------------------------------------------------------------ */

static const char *keep(struct arena *a, struct str s)
{
    const char *copy = arena_cstr(a, s);

    return copy ? copy : "";
}

static const char *joined(struct arena *a, const char *before, const char *with,
                          struct str more)
{
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_printf(&b, "%s%s" STR_FMT, before, *before ? with : "", STR_ARG(more));
    const char *copy = keep(a, buf_str(&b));
    buf_fini(&b);
    return copy;
}

static void take_frames(struct arena *a, struct str rest, struct result *out)
{
    struct finding *v = NULL;
    struct str body;
    size_t cap = 0;
    char kind;

    while (frame_take(&rest, &kind, &body)) {
        if (kind == 'e') {
            out->evidence = joined(a, out->evidence, "; ", body);
        } else if (kind == 'x' && out->n) {
            v[out->n - 1].fix = joined(a, v[out->n - 1].fix, "\n", body);
        } else if (kind == 'v' && body.n &&
                   arena_grow(a, &v, out->n, &cap, sizeof(*v))) {
            enum verdict is = (enum verdict)(body.p[0] - '0');
            v[out->n++] =
                (struct finding){is, keep(a, str_slice(body, 1, body.n)), ""};
            out->verdict = is > out->verdict ? is : out->verdict;
        }
    }
    out->findings = v;
}

/* What it asked, for the capture. */
static void take_answers(struct capture *c, struct str rest)
{
    struct str body;
    char kind;

    while (c && frame_take(&rest, &kind, &body)) {
        if (kind != 'c' || body.n < 3)
            continue;
        struct str text = str_slice(body, 2, body.n);
        struct str name = str_cut(&text, '\0');
        capture_add(c, body.p[0], name, (enum found)body.p[1],
                    text.p ? text : STR(""));
    }
}

/* What became of a child that did not come to its end. */
static void take_end(struct arena *a, const struct doctor_options *o,
                     const struct job *j, struct result *out)
{
    char text[300];
    struct finding *f;

    if (!j->hung && WIFEXITED(j->status) && WEXITSTATUS(j->status) == 0)
        return;
    f = arena_new(a, struct finding, 1);
    if (!f)
        return;
    if (j->hung)
        (void)snprintf(text, sizeof(text),
                       doctor_text_in(o->language, CHECK_HUNG),
                       (int)((j->ended_ns - j->began_ns) / 1000000));
    else
        (void)snprintf(
            text, sizeof(text), doctor_text_in(o->language, CHECK_CRASHED),
            WIFSIGNALED(j->status) ? strsignal(WTERMSIG(j->status)) : "exit");
    out->verdict = j->hung ? VERDICT_HUNG : VERDICT_CRASHED;
    *f = (struct finding){out->verdict, keep(a, str_from_cstr(text)), ""};
    out->findings = f;
    out->n = 1;
}

static void conclude(struct running *r, struct arena *a, struct results *out)
{
    for (size_t i = 0; i < r->n; i++) {
        struct job *j = &r->jobs[i];
        take_answers(r->o->capture, buf_str(&j->out));
        if (j->check == NVML)
            continue;
        struct result *is = &out->v[out->n++];
        *is = (struct result){.check = &doctor_checks[j->check],
                              .evidence = "",
                              .us = (j->ended_ns - j->began_ns) / 1000};
        take_frames(a, buf_str(&j->out), is);
        /* Without evidence there was nothing of the kind to look at. */
        if (is->n == 0)
            is->verdict = *is->evidence ? VERDICT_FINE : VERDICT_SKIPPED;
        take_end(a, r->o, j, is);
    }
}

/* ---- which -------------------------------------------------------------- */

static bool names(struct str word, const struct check_facts *c)
{
    struct str group = str_from_cstr(doctor_group_name(c->group));

    return str_eq_nocase(word, str_from_cstr(c->id)) ||
           str_eq_nocase(word, str_from_cstr(c->name)) ||
           str_eq_nocase(word, group);
}

static bool is_wanted(const char *only, const struct check_facts *c)
{
    struct str rest = str_from_cstr(only ? only : "");
    bool yes = !only;

    while (!yes && rest.n)
        yes = names(str_trim(str_cut(&rest, ',')), c);
    return yes;
}

/* Every word must name something. */
static enum errc check_words(const char *only, struct err *err)
{
    struct str rest = str_from_cstr(only ? only : "");

    while (rest.n) {
        struct str word = str_trim(str_cut(&rest, ','));
        size_t n = 0;
        for (size_t i = 0; i < doctor_n_checks; i++)
            n += names(word, &doctor_checks[i]);
        if (n == 0)
            return err_set(err, ERR_INVALID,
                           "there is no check or group '" STR_FMT
                           "': 'stoker doctor --list' names them",
                           STR_ARG(word));
    }
    return ERR_OK;
}

/* The driver is asked before all else. */
static void plan(struct running *r)
{
    r->nvml_done = true;
    for (size_t i = 0; i < doctor_n_checks; i++)
        if (doctor_asks_nvml[i] && is_wanted(r->o->only, &doctor_checks[i]))
            r->nvml_done = false;
    if (!r->nvml_done)
        r->jobs[r->n++] = (struct job){.check = NVML};
    for (size_t i = 0; i < doctor_n_checks; i++)
        if (is_wanted(r->o->only, &doctor_checks[i]))
            r->jobs[r->n++] = (struct job){.check = (int)i};
    for (size_t i = 0; i < r->n; i++)
        buf_init(&r->jobs[i].out, OUTPUT_MAX);
}

enum errc doctor_run(const struct doctor_options *o, struct arena *a,
                     struct results *out, struct err *err)
{
    struct machine m;
    struct running r = {.o = o, .m = &m};
    enum errc rc = check_words(o->only, err);

    if (rc)
        return rc;
    rc = machine_open(o->root, &m, err);
    if (rc)
        return rc;
    *out = (struct results){arena_new(a, struct result, doctor_n_checks), 0};
    r.jobs = arena_new(a, struct job, doctor_n_checks + 1);
    if (!out->v || !r.jobs)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    else
        plan(&r);
    if (!rc)
        rc = run_jobs(&r, err);
    for (size_t i = 0; rc && i < r.n; i++)
        if (r.jobs[i].pid && !r.jobs[i].done) {
            r.jobs[i].hung = true;
            end(&r, &r.jobs[i]);
        }
    if (!rc)
        conclude(&r, a, out);
    for (size_t i = 0; i < r.n; i++)
        buf_fini(&r.jobs[i].out);
    machine_close(&m);
    return rc;
}
