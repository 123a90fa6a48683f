#include "cli/logs_show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/plan.h"
#include "logs/line.h"
#include "supervise/log_read.h"

enum {
    NAMES_MAX = 128,
    LINES_BYTES_MAX = 256 << 20,
    BYTES_A_LINE = 400,
    PAUSE_MS = 100,
    MEMORY_MAX = 1 << 20,
    PAD = 64,
};

/* A line that may be shown. */
struct kept {
    char *text;
    const char *name;
    int64_t at_ns; /* of the line, or of the one before it; 0: not known */
};

struct showing {
    struct cli *cli;
    const struct logs_show *o;
    struct line_filter filter;
    bool filters, prefix;
    int64_t since_ns;
    const char *name; /* of the file being read */
    int64_t at_ns;
    struct kept *ring; /* the newest lines, until they are shown */
    size_t n, next, max;
    bool live; /* lines are shown as they come */
};

static void put(struct showing *s, const char *name, const char *text)
{
    struct buf b;

    if (!s->o->json) {
        fprintf(s->cli->out, "%s%s%s\n", s->prefix ? name : "",
                s->prefix ? " | " : "", text);
        return;
    }
    buf_init(&b, LINES_BYTES_MAX);
    buf_put_field(&b, "{\"service\":", str_from_cstr(name));
    if (text[0] == '{' && text[strlen(text) - 1] == '}')
        buf_printf(&b, ",\"line\":%s}\n", text);
    else {
        buf_put_field(&b, ",\"line\":", str_from_cstr(text));
        buf_puts(&b, "}\n");
    }
    fprintf(s->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
}

static void keep(struct showing *s, char *text)
{
    struct kept *k = &s->ring[s->next];

    free(k->text);
    *k = (struct kept){.text = text, .name = s->name, .at_ns = s->at_ns};
    s->next = (s->next + 1) % s->max;
    s->n += s->n < s->max;
}

/* A line without a time has that of the line before it. */
static void note_time(struct showing *s, struct str text)
{
    struct arena a;
    struct line l;
    int64_t ms;

    arena_init(&a, MEMORY_MAX);
    line_read(text, &a, &l);
    if (l.time.n && clock_parse(l.time, &ms))
        s->at_ns = ms * 1000000;
    arena_fini(&a);
}

static void on_line(void *ctx, struct str line)
{
    struct showing *s = ctx;
    char *text = calloc(1, line.n + PAD);

    if (!text)
        return;
    memcpy(text, line.p ? line.p : "", line.n);
    struct str copy = {text, line.n};
    note_time(s, copy);
    if ((s->since_ns && s->at_ns && s->at_ns < s->since_ns) ||
        (s->filters && !line_matches(copy, &s->filter))) {
        free(text);
        return;
    }
    if (s->live) {
        put(s, s->name, text);
        free(text);
    } else {
        keep(s, text);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

/* The rings of all files, one after the other, are put in the order of time
 * when every line has one. */
static void flush(struct showing *s, struct kept *all, size_t n)
{
    bool timed = true;

    for (size_t i = 0; i < n; i++)
        timed = timed && all[i].at_ns;
    if (timed && n)
        qsort(all, n, sizeof(*all), by_time);
    size_t from = n > s->max ? n - s->max : 0;
    for (size_t i = 0; i < n; i++) {
        if (i >= from)
            put(s, all[i].name, all[i].text);
        free(all[i].text);
    }
    (void)fflush(s->cli->out);
}

/* ---- which logs ----------------------------------------------------- */

struct names {
    char v[NAMES_MAX][80];
    size_t n;
};

static enum errc take_name(void *ctx, const char *file)
{
    struct names *names = ctx;
    size_t n = strlen(file);
    struct str text = str_from_cstr(file);

    /* NAME.log, and not what was put aside: it has a number behind a dash. */
    if (!str_ends(text, STR(".log")) || n >= sizeof(names->v[0]) ||
        names->n == NAMES_MAX)
        return ERR_OK;
    const char *dash = strrchr(file, '-');
    if (dash && dash - file >= 16 && dash[-16] == '-' && dash[-7] == 'T')
        return ERR_OK;
    (void)snprintf(names->v[names->n++], sizeof(names->v[0]), "%.*s",
                   (int)(n - 4), file);
    return ERR_OK;
}

enum errc logs_place(struct cli *cli, const char *config, char *out,
                     struct err *err)
{
    char path[SETTINGS_PATH_MAX];
    struct settings settings = {0};
    enum errc rc = settings_find(config, path, cli->language, err);

    if (rc == ERR_NOT_FOUND && !config)
        return plan_place("logs", out, err);
    if (!rc)
        rc = settings_read(path, cli->language, NULL, NULL, &settings, err);
    const struct block *b = rc ? NULL : settings_block(&settings, "logs", NULL);
    const struct logs_settings *o = b ? b->options : NULL;
    if (o && o->rotate.directory)
        (void)snprintf(out, STATE_PATH_MAX, "%s", o->rotate.directory);
    else if (!rc)
        rc = plan_place("logs", out, err);
    settings_fini(&settings);
    return rc;
}

/* ---- the whole ------------------------------------------------------ */

static enum errc take_since(struct showing *s, struct err *err)
{
    static const struct flag duration[] = {
        {"since", 0, FLAG_DURATION, 0, NULL, 0, INT64_MAX, 1000000000,
         TEXT_OPT_LOGS_SINCE, false, 0, NULL},
        {.name = ""}};
    const char *text = s->o->since;
    int64_t back, ms;

    if (!text)
        return ERR_OK;
    if (clock_parse(str_from_cstr(text), &ms)) {
        s->since_ns = ms * 1000000;
        return ERR_OK;
    }
    enum errc rc =
        flag_take(duration, "since", text, &back, s->cli->language, err);
    if (!rc)
        s->since_ns = clock_wall_ns() - back;
    return rc;
}

static enum errc take_filter(struct showing *s, struct err *err)
{
    const struct logs_show *o = s->o;
    enum log_level level = LOG_DEBUG;

    if (o->level && !log_level_parse(str_from_cstr(o->level), &level))
        return err_set(err, ERR_INVALID,
                       "--level '%s': use debug, info, warn or error",
                       o->level);
    s->filters = o->level || o->model || o->request_id || o->contains;
    s->filter = (struct line_filter){
        .least = o->level ? (int)level : 0,
        .model = str_from_cstr(o->model ? o->model : ""),
        .request_id = str_from_cstr(o->request_id ? o->request_id : ""),
        .contains = str_from_cstr(o->contains ? o->contains : "")};
    return take_since(s, err);
}

/* What is there now: the newest lines of all. */
static enum errc show_past(struct showing *s, struct log_reader *readers,
                           const struct names *names, struct err *err)
{
    struct kept *all = calloc(names->n * s->max + 1, sizeof(*all));
    enum errc rc = all ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
    size_t n = 0;

    for (size_t i = 0; i < names->n && !rc; i++) {
        s->name = names->v[i];
        s->n = s->next = 0;
        s->at_ns = 0;
        rc = log_reader_read(&readers[i], on_line, s, err);
        for (size_t k = 0; k < s->n; k++) {
            struct kept *from =
                &s->ring[(s->next + s->max - s->n + k) % s->max];
            all[n++] = *from;
            from->text = NULL;
        }
    }
    flush(s, all, n);
    free(all);
    return rc;
}

/* Until the output is closed, or a signal. */
static enum errc show_live(struct showing *s, struct log_reader *readers,
                           const struct names *names, struct err *err)
{
    const struct timespec pause = {0, PAUSE_MS * 1000000};
    enum errc rc = ERR_OK;

    s->live = true;
    while (!rc && !ferror(s->cli->out)) {
        for (size_t i = 0; i < names->n && !rc; i++) {
            s->name = names->v[i];
            rc = log_reader_read(&readers[i], on_line, s, err);
        }
        (void)fflush(s->cli->out);
        (void)nanosleep(&pause, NULL);
    }
    return rc;
}

static enum errc show_names(struct showing *s, const char *directory,
                            const struct names *names, struct err *err)
{
    struct log_reader *readers = calloc(names->n, sizeof(*readers));
    int64_t bytes = s->filters ? -1 : s->o->lines * BYTES_A_LINE;

    s->max = (size_t)s->o->lines;
    s->ring = calloc(s->max + 1, sizeof(*s->ring));
    if (!readers || !s->ring) {
        free(readers);
        free(s->ring);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < names->n; i++)
        log_reader_init(&readers[i], directory, names->v[i],
                        s->since_ns / 1000000000, bytes);
    enum errc rc = show_past(s, readers, names, err);
    if (!rc && s->o->follow)
        rc = show_live(s, readers, names, err);
    for (size_t i = 0; i < names->n; i++)
        log_reader_fini(&readers[i]);
    for (size_t i = 0; i < s->max; i++)
        free(s->ring[i].text);
    free(s->ring);
    free(readers);
    return rc;
}

enum errc logs_show(struct cli *cli, const struct logs_show *o,
                    const char *const *wanted, size_t n, struct err *err)
{
    struct showing s = {.cli = cli, .o = o};
    struct names *names = calloc(1, sizeof(*names));
    char directory[STATE_PATH_MAX], path[STATE_PATH_MAX + 128];

    if (!names)
        return err_set(err, ERR_NOMEM, "out of memory");
    enum errc rc = logs_place(cli, o->config, directory, err);
    if (!rc)
        rc = take_filter(&s, err);
    if (!rc && !n)
        rc = fs_list(directory, take_name, names, err);
    for (size_t i = 0; !rc && i < n && i < NAMES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "%s/%.79s.log", directory,
                       wanted[i]);
        if (strchr(wanted[i], '/') || access(path, F_OK) != 0)
            rc = err_set(err, ERR_NOT_FOUND,
                         text_in(cli->language, TEXT_LOGS_NONE), wanted[i],
                         directory);
        else
            (void)snprintf(names->v[names->n++], sizeof(names->v[0]), "%.79s",
                           wanted[i]);
    }
    if (!rc && !names->n)
        rc = err_set(err, ERR_NOT_FOUND,
                     text_in(cli->language, TEXT_LOGS_EMPTY), directory);
    s.prefix = rc == ERR_OK && names->n > 1;
    if (!rc)
        rc = show_names(&s, directory, names, err);
    free(names);
    return rc;
}
