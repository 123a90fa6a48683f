/* fits.c - checks that the tables of compat decide. */
#include "compat/found.h"
#include "doctor/check.h"
#include "machine/os.h"

/* False, and said: the tables cannot be read. */
static bool open_tables(struct exam *x, struct tables *out)
{
    struct err err = {0};

    if (compat_open(&x->m->arena, out, &err) == ERR_OK)
        return true;
    say(x, VERDICT_UNKNOWN, FITS_NO_TABLES, err.msg);
    return false;
}

/* The rule's reasons that are no good news. `whose` is what they are about. */
static void by_rule(struct exam *x, const struct tables *tables, enum rule rule,
                    const struct stack *s, const char *whose)
{
    char today[COMPAT_MONTH];

    compat_today(today);
    struct judgement j = {.tables = tables,
                          .language = x->options->language,
                          .today = today,
                          .arena = &x->m->arena};
    judge_by(&j, rule, s);
    if (j.n)
        evidence(x, "%s", whose);
    for (size_t i = 0; i < j.n; i++) {
        if (j.v[i].fit == FIT_YES)
            continue;
        say(x,
            j.v[i].fit == FIT_NO        ? VERDICT_FAILED
            : j.v[i].fit == FIT_LIMITED ? VERDICT_WARNING
                                        : VERDICT_UNKNOWN,
            FITS_REASON, whose, j.v[i].text);
        if (rule != RULE_driver_branch && rule != RULE_system)
            fix(x, "stoker compat solve -r requirements.txt   # the newest set "
                   "that fits");
    }
}

/* The tables, and what is beneath Python; false, and said: no tables. */
static bool look(struct exam *x, struct tables *tables, struct stack *out)
{
    if (!open_tables(x, tables))
        return false;
    found_beneath(x->m, tables, out);
    return true;
}

/* The rule for every environment of Python. */
static void each_env(struct exam *x, enum rule rule,
                     void (*choose)(struct stack *s))
{
    struct python_envs envs;
    struct tables tables;
    struct stack machine;

    if (!look(x, &tables, &machine))
        return;
    (void)python_read(x->m, &envs);
    for (size_t i = 0; i < envs.n; i++) {
        struct stack s = machine;
        found_python(x->m, &envs.v[i], &s);
        choose(&s);
        by_rule(x, &tables, rule, &s, cstr(x, envs.v[i].prefix));
    }
}

static void all(struct stack *s)
{
    (void)s;
}

static void without_toolkit(struct stack *s)
{
    s->toolkit = STR("");
}

/* numpy has a check of its own. */
static void siblings(struct stack *s)
{
    s->numpy = STR("");
}

/* Those of frameworks: the system's own Python is the system's business. */
static void with_frameworks(struct stack *s)
{
    if (!s->torch.n && !s->tensorflow.n && !s->onnxruntime.n)
        s->python = STR("");
}

void check_python_driver(struct exam *x)
{
    each_env(x, RULE_cuda_driver, without_toolkit);
}

void check_python_kernels(struct exam *x)
{
    each_env(x, RULE_kernels, all);
}

void check_python_siblings(struct exam *x)
{
    each_env(x, RULE_torch, siblings);
}

void check_python_tensorflow(struct exam *x)
{
    each_env(x, RULE_tensorflow, all);
}

void check_python_version(struct exam *x)
{
    each_env(x, RULE_python, with_frameworks);
}

void check_onnxruntime_cuda(struct exam *x)
{
    each_env(x, RULE_onnxruntime, all);
}

/* ---- the machine -------------------------------------------------------- */

void check_driver_branch(struct exam *x)
{
    struct tables tables;
    struct stack s;

    if (look(x, &tables, &s))
        by_rule(x, &tables, RULE_driver_branch, &s, cstr(x, s.driver));
}

void check_driver_generation(struct exam *x)
{
    struct tables tables;
    struct stack s;

    if (!look(x, &tables, &s))
        return;
    if (s.capability.n)
        evidence(x, STR_FMT, STR_ARG(s.capability));
    by_rule(x, &tables, RULE_gpu, &s, cstr(x, s.capability));
}

void check_cuda_driver(struct exam *x)
{
    struct tables tables;
    struct stack s;

    if (look(x, &tables, &s))
        by_rule(x, &tables, RULE_cuda_driver, &s, "/usr/local/cuda");
}

void check_hardware_system(struct exam *x)
{
    struct tables tables;
    struct stack s;
    struct os os;

    if (got(x, os_read(x->m, &os), "/etc/os-release") && look(x, &tables, &s))
        by_rule(x, &tables, RULE_system, &s,
                machine_path(x->m, STR_FMT " " STR_FMT, STR_ARG(s.system),
                             STR_ARG(s.system_version)));
}
