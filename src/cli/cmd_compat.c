#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "cli/command.h"
#include "compat/found.h"
#include "compat/solve.h"

enum { OLD_DAYS = 90, DRIVER_MS = 5000, MEMORY_MAX = 256 << 20 };

struct options {
    const char *torch, *tensorflow, *onnxruntime, *numpy, *python, *cuda,
        *driver, *gpu, *requirements, *root;
    bool json;
};

#define AT(field) offsetof(struct options, field)

/* clang-format off */
static const struct flag flags[] = {
    {"torch",        0, FLAG_TEXT, AT(torch), NULL, 0, 0, 0, TEXT_OPT_COMPAT_TORCH, false, 0, NULL},
    {"tensorflow",   0, FLAG_TEXT, AT(tensorflow), NULL, 0, 0, 0, TEXT_OPT_COMPAT_TENSORFLOW, false, 0, NULL},
    {"onnxruntime",  0, FLAG_TEXT, AT(onnxruntime), NULL, 0, 0, 0, TEXT_OPT_COMPAT_ORT, false, 0, NULL},
    {"numpy",        0, FLAG_TEXT, AT(numpy), NULL, 0, 0, 0, TEXT_OPT_COMPAT_NUMPY, false, 0, NULL},
    {"python",       0, FLAG_TEXT, AT(python), NULL, 0, 0, 0, TEXT_OPT_COMPAT_PYTHON, false, 0, NULL},
    {"cuda",         0, FLAG_TEXT, AT(cuda), NULL, 0, 0, 0, TEXT_OPT_COMPAT_CUDA, false, 0, NULL},
    {"driver",       0, FLAG_TEXT, AT(driver), NULL, 0, 0, 0, TEXT_OPT_COMPAT_DRIVER, false, 0, NULL},
    {"gpu",          0, FLAG_TEXT, AT(gpu), NULL, 0, 0, 0, TEXT_OPT_COMPAT_GPU, false, 0, NULL},
    {"requirements",'r', FLAG_TEXT, AT(requirements), NULL, 0, 0, 0, TEXT_OPT_COMPAT_REQUIREMENTS, false, 0, NULL},
    {"root",         0, FLAG_TEXT, AT(root), NULL, 0, 0, 0, TEXT_OPT_DOCTOR_ROOT, false, 0, NULL},
    {"json",         0, FLAG_BOOL, AT(json), NULL, 0, 0, 0, TEXT_OPT_JSON, false, 0, NULL},
    {.name = ""},
};
/* clang-format on */

struct asking {
    struct cli *cli;
    const struct options *o;
    bool solving; /* or checking */
    struct tables tables;
    struct arena arena;
    struct machine machine;
    struct judgement j;
    char today[COMPAT_MONTH];
    struct stack stack; /* the machine's, with what the options say */
};

static struct str option(const char *text)
{
    return str_from_cstr(text ? text : "");
}

/* ---- reasons ------------------------------------------------------------ */

static void put_reason_json(struct buf *b, const struct reason *r, bool first)
{
    static const char *const fits[] = {"fits", "unknown", "limited", "misfit"};

    buf_put_field(
        b, first ? "{\"fit\":" : ",{\"fit\":", str_from_cstr(fits[r->fit]));
    buf_put_field(b, ",\"text\":", str_from_cstr(r->text));
    buf_put_field(b, ",\"source\":", str_from_cstr(r->source));
    buf_putc(b, '}');
}

static void put_reasons(struct asking *x, struct buf *b)
{
    static const char *const marks[] = {"✓", "?", "!", "✗"};
    static const char *const colours[] = {"\033[32m", "\033[35m", "\033[33m",
                                          "\033[31m"};
    bool colour = cli_has_colour(x->cli);

    for (size_t i = 0; i < x->j.n; i++) {
        const struct reason *r = &x->j.v[i];
        if (x->o->json)
            put_reason_json(b, r, i == 0);
        else
            buf_printf(b, "  %s%s%s %s\n      %s\n",
                       colour ? colours[r->fit] : "", marks[r->fit],
                       colour ? "\033[0m" : "", r->text, r->source);
    }
}

/* Tables that are too old to be trusted. */
static void warn_of_age(struct asking *x)
{
    for (int i = 0; i < TABLE_COUNT; i++) {
        const struct table *t = &x->tables.v[i];
        int64_t days = compat_age_days(t, clock_wall_ns() / 1000000000);
        if (days <= OLD_DAYS)
            continue;
        fprintf(x->cli->err, "stoker: ");
        fprintf(x->cli->err, compat_text_in(x->cli->language, COMPAT_TABLE_OLD),
                t->name, t->dated.n ? arena_cstr(&x->arena, t->dated) : "?",
                (long long)days);
        fputc('\n', x->cli->err);
    }
}

/* ---- check -------------------------------------------------------------- */

static void begin_judgement(struct asking *x)
{
    x->j = (struct judgement){.tables = &x->tables,
                              .language = x->cli->language,
                              .today = x->today,
                              .arena = &x->arena};
}

static enum fit check_one(struct asking *x, const char *name,
                          const struct stack *s, bool first)
{
    struct buf b;

    begin_judgement(x);
    judge(&x->j, s);
    buf_init(&b, 1 << 20);
    if (x->o->json)
        buf_put_field(&b, first ? "{\"environment\":" : ",{\"environment\":",
                      str_from_cstr(name));
    else
        buf_printf(&b, "%s\n", name);
    buf_puts(&b, x->o->json ? ",\"reasons\":[" : "");
    put_reasons(x, &b);
    buf_puts(&b, x->o->json ? "]}\n" : "");
    fprintf(x->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
    return judged(&x->j);
}

static void take_frameworks(const struct options *o, struct stack *s)
{
    const struct {
        const char *value;
        struct str *to;
    } rows[] = {{o->torch, &s->torch},
                {o->tensorflow, &s->tensorflow},
                {o->onnxruntime, &s->onnxruntime},
                {o->numpy, &s->numpy},
                {o->python, &s->python}};

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].value)
            *rows[i].to = option(rows[i].value);
}

/* "2.0.1+cu118" says its CUDA; "2.0.1" is the one of the index. */
static void find_torch_cuda(struct asking *x, struct stack *s)
{
    const struct table *t = &x->tables.v[TABLE_torch];
    struct str plain = s->torch;

    plain = str_cut(&plain, '+');
    s->torch_cuda = release_cuda(s->torch, &x->arena);
    if (!s->torch_cuda.n && s->torch.n)
        s->torch_cuda =
            compat_value(t, compat_minor_row(t, plain), "index_cuda");
}

static enum errc check(struct asking *x, struct err *err)
{
    const struct options *o = x->o;
    bool named = o->torch || o->tensorflow || o->onnxruntime;
    struct python_envs envs = {.n = 0};
    enum fit worst = FIT_YES;
    bool first = true;

    if (!named)
        (void)python_read(&x->machine, &envs);
    fputs(o->json ? "[" : "", x->cli->out);
    for (size_t i = 0; i < envs.n; i++) {
        struct stack s = x->stack;
        found_python(&x->machine, &envs.v[i], &s);
        if (!s.torch.n && !s.tensorflow.n && !s.onnxruntime.n)
            continue;
        enum fit fit =
            check_one(x, arena_cstr(&x->arena, envs.v[i].prefix), &s, first);
        worst = fit > worst ? fit : worst;
        first = false;
    }
    if (first) { /* no environment, or versions that were named */
        struct stack s = x->stack;
        take_frameworks(o, &s);
        find_torch_cuda(x, &s);
        worst = check_one(x, text_in(x->cli->language, TEXT_COMPAT_MACHINE), &s,
                          true);
    }
    fputs(o->json ? "]\n" : "", x->cli->out);
    if (worst == FIT_NO)
        return err_set(err, ERR_UNFIT, "%s",
                       text_in(x->cli->language, TEXT_COMPAT_MISFIT));
    return worst == FIT_LIMITED
               ? err_set(err, ERR_WARNED, "%s",
                         text_in(x->cli->language, TEXT_COMPAT_LIMITED))
               : ERR_OK;
}

/* ---- solve -------------------------------------------------------------- */

/* "2.7" is any 2.7, "2.0.1+cu118" that wheel, "latest" any. */
static bool take_wish(struct asking *x, struct wish *w, const char *name,
                      const char *value)
{
    struct str rest = str_from_cstr(value), version = str_cut(&rest, '+');
    struct buf b;

    bool bare = isdigit((unsigned char)value[0]) != 0;
    buf_init(&b, 4096);
    buf_printf(&b, "%s%s" STR_FMT "%s", name, bare ? "==" : "",
               STR_ARG(strcmp(value, "latest") == 0 ? STR("")
                       : bare                       ? version
                                                    : str_from_cstr(value)),
               bare && str_eq(release_minor(version), version) ? ".*" : "");
    const char *copy = arena_cstr(&x->arena, buf_str(&b));
    buf_fini(&b);
    if (bare && rest.n)
        w->wheels = rest;
    return copy && wish_add(w, &x->arena, str_from_cstr(copy));
}

/* A requirements.txt; those that it includes are noted, by their paths. */
static enum errc take_file(struct asking *x, struct wish *w, const char *path,
                           struct err *err)
{
    size_t first = w->n_files;
    struct buf text;

    buf_init(&text, 1 << 20);
    enum errc rc = fs_read(path, &text, err);
    const char *copy = rc ? "" : arena_cstr(&x->arena, buf_str(&text));
    unsigned line =
        rc || !copy ? 0
                    : wish_add_lines(w, &x->arena, (struct str){copy, text.n});
    buf_fini(&text);
    if (line)
        return err_set(err, ERR_INVALID, "%s:%u: this is no requirement", path,
                       line);
    const char *slash = strrchr(path, '/');
    for (size_t i = first; i < w->n_files && !rc; i++) {
        char full[PATH_MAX], real[PATH_MAX];
        bool is_whole = w->files[i].n && w->files[i].p[0] == '/';
        (void)snprintf(full, sizeof(full), "%.*s" STR_FMT,
                       slash && !is_whole ? (int)(slash - path) + 1 : 0, path,
                       STR_ARG(w->files[i]));
        copy = arena_cstr(&x->arena,
                          str_from_cstr(realpath(full, real) ? real : full));
        w->files[i] = str_from_cstr(copy ? copy : "");
    }
    return rc;
}

static enum errc take_wishes(struct asking *x, struct wish *w, struct err *err)
{
    const struct options *o = x->o;
    const struct {
        const char *name, *value;
    } rows[] = {{"torch", o->torch},
                {"tensorflow", o->tensorflow},
                {"onnxruntime-gpu", o->onnxruntime},
                {"numpy", o->numpy}};

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].value && !take_wish(x, w, rows[i].name, rows[i].value))
            return err_set(err, ERR_INVALID, "--%s: '%s' is no version",
                           rows[i].name, rows[i].value);
    if (!o->requirements)
        return ERR_OK;
    w->files[w->n_files++] = str_from_cstr(o->requirements);
    enum errc rc = ERR_OK;
    for (size_t i = 0; i < w->n_files && !rc; i++) {
        const char *path = arena_cstr(&x->arena, w->files[i]);
        bool again = !path;
        for (size_t k = 0; k < i; k++)
            again = again || str_eq(w->files[k], w->files[i]);
        rc = again ? ERR_OK : take_file(x, w, path, err);
    }
    return rc;
}

/* cu118 of 11.8 */
static void put_tag(struct buf *b, struct str cuda)
{
    for (size_t i = 0; i < cuda.n; i++)
        if (cuda.p[i] != '.')
            buf_putc(b, cuda.p[i]);
}

static void put_lines(const struct solution *s, struct buf *b)
{
    const struct stack *v = &s->stack;

    buf_printf(b, "python" STR_FMT " -m venv venv\n",
               STR_ARG(release_minor(v->python)));
    if (v->torch.n) {
        buf_printf(b, "venv/bin/pip install torch==" STR_FMT,
                   STR_ARG(v->torch));
        if (v->torchvision.n)
            buf_printf(b, " torchvision==" STR_FMT " torchaudio==" STR_FMT,
                       STR_ARG(v->torchvision), STR_ARG(v->torchaudio));
        buf_printf(b, " --index-url https://download.pytorch.org/whl/%s",
                   v->torch_cuda.n ? "cu" : "cpu");
        put_tag(b, v->torch_cuda);
        buf_putc(b, '\n');
    }
    if (v->tensorflow.n)
        buf_printf(b, "venv/bin/pip install 'tensorflow%s==" STR_FMT "'\n",
                   s->toolkit.n || s->shares ? "" : "[and-cuda]",
                   STR_ARG(v->tensorflow));
    if (v->onnxruntime.n) {
        struct str minor = release_minor(v->onnxruntime);
        bool any = str_eq(minor, v->onnxruntime);
        buf_printf(b, "venv/bin/pip install 'onnxruntime-gpu==" STR_FMT "%s'\n",
                   STR_ARG(v->onnxruntime), any ? ".*" : "");
    }
    if (s->numpy.n)
        buf_printf(b, "venv/bin/pip install 'numpy" STR_FMT "'\n",
                   STR_ARG(s->numpy));
}

static void put_set(const struct solution *s, struct buf *b, bool json)
{
    const struct stack *v = &s->stack;
    const struct {
        const char *name;
        struct str value;
    } rows[] = {{"driver", s->oldest_driver},
                {"driver_branch", s->branch},
                {"python", v->python},
                {"torch", v->torch},
                {"cuda", v->torch_cuda},
                {"torchvision", v->torchvision},
                {"torchaudio", v->torchaudio},
                {"tensorflow", v->tensorflow},
                {"cuda_toolkit", s->toolkit},
                {"cudnn", s->cudnn},
                {"onnxruntime-gpu", v->onnxruntime},
                {"numpy", s->numpy}};
    bool first = true;

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!rows[i].value.n)
            continue;
        if (json) {
            buf_printf(b, "%s\"%s\":", first ? "" : ",", rows[i].name);
            buf_put_quoted(b, rows[i].value);
        } else {
            buf_printf(b, "%-16s %s" STR_FMT, rows[i].name, i == 0 ? ">= " : "",
                       STR_ARG(rows[i].value));
            if (i == 1)
                buf_printf(b, " (%s)", s->branch_kind);
            buf_putc(b, '\n');
        }
        first = false;
    }
}

static enum errc solve_it(struct asking *x, struct err *err)
{
    struct wish w = {.given = x->stack};
    struct solution s;
    struct buf b;

    enum errc rc = take_wishes(x, &w, err);
    if (rc)
        return rc;
    w.torch = w.torch || (!w.tensorflow && !w.onnxruntime);
    w.given.python = option(x->o->python);
    w.no_gpu = x->o->gpu && strcmp(x->o->gpu, "none") == 0;
    begin_judgement(x);
    bool solved = solve(&x->j, &w, &s);
    buf_init(&b, 1 << 20);
    if (x->o->json) {
        buf_printf(&b, "{\"solved\":%s,\"set\":{", solved ? "true" : "false");
        if (solved)
            put_set(&s, &b, true);
        buf_puts(&b, "},\"lines\":");
        struct buf lines;
        buf_init(&lines, 1 << 16);
        if (solved)
            put_lines(&s, &lines);
        buf_put_quoted(&b, buf_str(&lines));
        buf_fini(&lines);
        buf_puts(&b, ",\"reasons\":[");
    } else if (solved) {
        put_set(&s, &b, false);
        buf_putc(&b, '\n');
    }
    put_reasons(x, &b);
    if (x->o->json) {
        buf_puts(&b, "]}\n");
    } else if (solved) {
        buf_putc(&b, '\n');
        put_lines(&s, &b);
    }
    fprintf(x->cli->out, STR_FMT, STR_ARG(buf_str(&b)));
    buf_fini(&b);
    return solved ? ERR_OK
                  : err_set(err, ERR_UNFIT, "%s",
                            text_in(x->cli->language, TEXT_COMPAT_UNSOLVED));
}

/* ---- the command -------------------------------------------------------- */

/* What the machine has, and the options in its place. */
static enum errc find_stack(struct asking *x, struct err *err)
{
    const struct options *o = x->o;

    if (machine_is_live(&x->machine))
        machine_ask_apart(&x->machine, "nvml", DRIVER_MS);
    found_beneath(&x->machine, &x->tables, &x->stack);
    if (o->driver)
        x->stack.driver = option(o->driver);
    /* Another toolkit can be installed beside the one that is there: it binds
     * nobody who asks what to install. */
    if (o->cuda || x->solving)
        x->stack.toolkit = option(o->cuda);
    if (!o->gpu)
        return ERR_OK;
    if (strcmp(o->gpu, "none") == 0) {
        x->stack.capability = x->stack.driver = STR("");
        return ERR_OK;
    }
    x->stack.capability = gpu_capability(&x->tables, option(o->gpu));
    return x->stack.capability.n
               ? ERR_OK
               : err_set(err, ERR_INVALID,
                         text_in(x->cli->language, TEXT_COMPAT_NO_GPU), o->gpu);
}

static enum errc run(struct cli *cli, const void *options,
                     const struct flag_args *args, struct err *err)
{
    const char *what = args->rest[0];
    struct asking x = {
        .cli = cli, .o = options, .solving = strcmp(what, "solve") == 0};

    if (strcmp(what, "check") != 0 && !x.solving)
        return err_set(err, ERR_INVALID,
                       text_in(cli->language, TEXT_COMPAT_WHAT), what);
    compat_today(x.today);
    enum errc rc = machine_open(x.o->root, &x.machine, err);
    if (rc)
        return rc;
    arena_init(&x.arena, MEMORY_MAX);
    rc = compat_open(&x.arena, &x.tables, err);
    if (!rc)
        rc = find_stack(&x, err);
    if (!rc) {
        warn_of_age(&x);
        rc = x.solving ? solve_it(&x, err) : check(&x, err);
    }
    arena_fini(&x.arena);
    machine_close(&x.machine);
    return rc;
}

static void words(FILE *out)
{
    fputs("check solve ", out);
}

const struct command cmd_compat = {
    .name = "compat",
    .args = "check|solve",
    .summary = TEXT_CMD_COMPAT,
    .min_args = 1,
    .max_args = 1,
    .flags = flags,
    .words = words,
    .run = run,
};
