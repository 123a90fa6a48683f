#include <string.h>

#include "compat/found.h"
#include "machine/nvidia.h"
#include "setup/step.h"

static enum fit fit_of(const struct stack *s, struct judgement *j)
{
    static const enum rule rules[] = {RULE_cuda_driver, RULE_gpu, RULE_system};

    j->n = 0;
    for (size_t i = 0; i < COUNT(rules); i++)
        judge_by(j, rules[i], s);
    return judged(j);
}

static const char *first_misfit(const struct judgement *j)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->v[i].fit == FIT_NO)
            return j->v[i].text;
    return "";
}

static struct str branch_cuda(const struct tables *t, const char *branch)
{
    const struct table *drivers = &t->v[TABLE_drivers];
    size_t row =
        branch ? compat_row(drivers, str_from_cstr(branch)) : drivers->n;

    return row < drivers->n ? compat_value(drivers, row, "cuda") : STR("");
}

/* The newest release that the driver runs all of, the GPU knows and the system
 * has packages of; else the newest that runs with limits. */
static const char *newest(struct plan *p, const struct tables *t,
                          struct stack *s, struct judgement *j)
{
    static const enum fit passes[] = {FIT_UNKNOWN, FIT_LIMITED};
    const struct table *cuda = &t->v[TABLE_cuda];
    struct str major = branch_cuda(t, p->options->branch);

    for (size_t pass = 0; pass < COUNT(passes); pass++)
        for (size_t i = 0; i < cuda->n; i++) {
            s->toolkit = compat_value(cuda, i, "cuda");
            bool too_new =
                major.n && version_major(s->toolkit) > version_major(major);
            if (!too_new && fit_of(s, j) <= passes[pass])
                return made(p, STR_FMT, STR_ARG(s->toolkit));
        }
    refuse(p, titled(p, SETUP_TEXT_CUDA_NONE,
                     made(p, STR_FMT, STR_ARG(s->driver))));
    return "";
}

/* That, or what was asked for. "" and refused: none. */
static const char *choose(struct plan *p)
{
    const char *asked = p->options->cuda;
    struct err err = {.code = ERR_OK};
    char month[COMPAT_MONTH];
    struct tables tables;
    struct stack s;

    compat_today(month);
    if (compat_open(p->arena, &tables, &err)) {
        refuse(p, titled(p, SETUP_TEXT_TABLES, err.msg));
        return "";
    }
    struct judgement j = {.tables = &tables,
                          .language = p->options->language,
                          .today = month,
                          .arena = p->arena};
    found_beneath(p->machine, &tables, &s);
    if (asked) {
        s.toolkit = str_from_cstr(asked);
        if (fit_of(&s, &j) == FIT_NO)
            refuse(p,
                   titled(p, SETUP_TEXT_CUDA_UNFIT, asked, first_misfit(&j)));
        return asked;
    }
    return newest(p, &tables, &s, &j);
}

void target_cuda(struct plan *p)
{
    struct os os = plan_os(p);

    /* Named, it is a machine that builds for others. */
    if (p->options->all && !has_gpus(p)) {
        lack(p, titled(p, SETUP_TEXT_DRIVER_NO_GPU));
        return;
    }
    if (!os_has_apt(&os) && !os_has_dnf(&os)) {
        refuse(p, titled(p, SETUP_TEXT_NO_SYSTEM));
        return;
    }
    const char *version = choose(p);
    const char *dot = strchr(version, '.');
    if (p->refused)
        return;
    nvidia_repository(p, &os);
    install(p, titled(p, SETUP_TEXT_CUDA_TOOLKIT, version),
            made(p, "cuda-toolkit-%.*s-%s",
                 (int)(dot ? dot - version : (long)strlen(version)), version,
                 dot ? dot + 1 : "0"));
    put_file(p, titled(p, SETUP_TEXT_CUDA_PATHS), "/etc/profile.d/cuda.sh",
             0644,
             str_from_cstr(made(p,
                                "# stoker setup cuda\n"
                                "export CUDA_HOME=/usr/local/cuda-%s\n"
                                "export PATH=\"$CUDA_HOME/bin:$PATH\"\n",
                                version)));
    put_file(p, titled(p, SETUP_TEXT_CUDA_LIBRARIES),
             "/etc/ld.so.conf.d/stoker-cuda.conf", 0644,
             str_from_cstr(made(p, "/usr/local/cuda-%s/lib64\n", version)));
    refresh(p, titled(p, SETUP_TEXT_CUDA_LDCONFIG), "ldconfig", "");
}
