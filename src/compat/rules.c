#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compat/rules_internal.h"

/* ---- reasons ------------------------------------------------------------ */

const char *compat_text_in(enum language l, enum compat_text t)
{
    static const char *const texts[COMPAT_TEXTS][LANGUAGES] = {
#define TEXT(id, en, zh) [COMPAT_##id] = {en, zh},
#include "compat/texts.def"
#undef TEXT
    };

    return texts[t][l];
}

void because(struct judgement *j, enum fit fit, enum table_id table,
             enum compat_text t, ...)
{
    char text[1024];
    va_list args;

    va_start(args, t);
    (void)vsnprintf(text, sizeof(text), compat_text_in(j->language, t), args);
    va_end(args);
    const char *copy = arena_cstr(j->arena, str_from_cstr(text));
    const char *source = arena_cstr(j->arena, j->tables->v[table].source);
    if (copy && source &&
        arena_grow(j->arena, &j->v, j->n, &j->cap, sizeof(*j->v)))
        j->v[j->n++] = (struct reason){fit, copy, source};
}

enum fit judged(const struct judgement *j)
{
    enum fit worst = FIT_YES;

    for (size_t i = 0; i < j->n; i++)
        worst = j->v[i].fit > worst ? j->v[i].fit : worst;
    return worst;
}

const char *reason_text(struct judgement *j, struct str s)
{
    const char *copy = arena_cstr(j->arena, s);

    return copy ? copy : "";
}

void because_not_known(struct judgement *j, enum table_id table,
                       const char *what, struct str version)
{
    because(j, FIT_UNKNOWN, table, COMPAT_NOT_IN_TABLE, what,
            reason_text(j, version));
}

/* True when the month is over: "2026-06" in "2026-11". */
static bool ended(const struct judgement *j, struct str month)
{
    return month.n && str_compare(month, str_from_cstr(j->today)) < 0;
}

/* ---- the driver --------------------------------------------------------- */

/* One CUDA with the driver; whose it is, for the reader. */
static void cuda_with_driver(struct judgement *j, struct str cuda,
                             const char *whose, struct str driver)
{
    const struct table *t = &j->tables->v[TABLE_cuda];
    struct str minor = release_minor(cuda);
    size_t i = compat_row(t, minor);

    if (!cuda.n || !driver.n)
        return;
    if (i == t->n) {
        because_not_known(j, TABLE_cuda, "CUDA", cuda);
        return;
    }
    struct str all = compat_value(t, i, "driver"),
               oldest = compat_value(t, i, "oldest_driver");
    if (all.n && release_compare(driver, all) >= 0)
        because(j, FIT_YES, TABLE_cuda, COMPAT_CUDA_FITS, reason_text(j, minor),
                whose, reason_text(j, driver));
    else if (release_compare(driver, oldest) >= 0)
        because(j, FIT_LIMITED, TABLE_cuda, COMPAT_CUDA_LIMITED,
                reason_text(j, minor), whose, reason_text(j, driver),
                all.n ? reason_text(j, all) : "?");
    else
        because(j, FIT_NO, TABLE_cuda, COMPAT_CUDA_MISFIT,
                reason_text(j, minor), whose, reason_text(j, driver),
                reason_text(j, oldest));
}

void rule_driver_branch(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_drivers];
    struct str branch = release_major(s->driver);
    size_t i = compat_row(t, branch);

    if (!s->driver.n)
        return;
    if (i == t->n) {
        because_not_known(j, TABLE_drivers, "driver", branch);
        return;
    }
    struct str ends = compat_value(t, i, "ends");
    because(j, ended(j, ends) ? FIT_LIMITED : FIT_YES, TABLE_drivers,
            ended(j, ends) ? COMPAT_DRIVER_ENDED : COMPAT_DRIVER_FITS,
            reason_text(j, branch), reason_text(j, ends));
}

void rule_cuda_driver(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_onnxruntime];
    struct str needs =
        s->toolkit.n || s->torch_cuda.n
            ? STR("")
            : compat_value(t, onnxruntime_row(j, s->onnxruntime), "cuda");

    cuda_with_driver(j, s->toolkit, "toolkit", s->driver);
    cuda_with_driver(j, s->torch_cuda, "torch", s->driver);
    cuda_with_driver(j, tensorflow_cuda(j, s), "TensorFlow", s->driver);
    cuda_with_driver(j, needs, "onnxruntime-gpu", s->driver);
}

/* ---- the GPU ------------------------------------------------------------ */

/* One CUDA with the GPU of that row. */
static void cuda_with_gpu(struct judgement *j, struct str cuda, size_t row)
{
    const struct table *t = &j->tables->v[TABLE_gpus];
    struct str from = compat_value(t, row, "cuda_from"),
               to = compat_value(t, row, "cuda_to");
    const char *version = reason_text(j, cuda),
               *name = reason_text(j, compat_value(t, row, "architecture")),
               *capability = reason_text(j, compat_value(t, row, "capability"));

    if (!cuda.n)
        return;
    if (release_compare(release_minor(cuda), from) < 0)
        because(j, FIT_NO, TABLE_gpus, COMPAT_GPU_CUDA_OLD, version, name,
                capability, reason_text(j, from));
    if (to.n && !release_up_to(cuda, to))
        because(j, FIT_NO, TABLE_gpus, COMPAT_GPU_CUDA_NEW, version, name,
                capability, reason_text(j, to));
}

void rule_gpu(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_gpus];
    size_t i = compat_row(t, s->capability);

    if (!s->capability.n)
        return;
    if (i == t->n) {
        because_not_known(j, TABLE_gpus, "GPU", s->capability);
        return;
    }
    const char *name = reason_text(j, compat_value(t, i, "architecture")),
               *capability = reason_text(j, s->capability);
    struct str last = compat_value(t, i, "last_driver");
    if (s->driver.n && last.n &&
        release_compare(release_major(s->driver), last) > 0)
        because(j, FIT_NO, TABLE_gpus, COMPAT_GPU_TOO_OLD,
                reason_text(j, release_major(s->driver)), name, capability,
                reason_text(j, last));
    cuda_with_gpu(j, s->toolkit, i);
    cuda_with_gpu(j, tensorflow_cuda(j, s), i);
}

/* ---- what is beneath ---------------------------------------------------- */

void rule_python(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_python];
    struct str ends =
        compat_value(t, compat_row(t, release_minor(s->python)), "ends");

    if (s->python.n && ends.n)
        because(j, ended(j, ends) ? FIT_LIMITED : FIT_YES, TABLE_python,
                ended(j, ends) ? COMPAT_PYTHON_ENDED : COMPAT_PYTHON_KEPT,
                reason_text(j, release_minor(s->python)), reason_text(j, ends));
}

void rule_system(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_systems];

    for (size_t i = 0; s->system.n && i < t->n; i++) {
        struct str version = compat_value(t, i, "version"),
                   ends = compat_value(t, i, "ends"),
                   cuda = compat_value(t, i, "cuda");
        /* "9.4" is a release of 9. */
        if (!str_eq(compat_value(t, i, "id"), s->system) ||
            (!str_eq(version, s->system_version) &&
             !str_eq(version, release_major(s->system_version))))
            continue;
        const char *name = reason_text(j, compat_value(t, i, "name"));
        because(j, ended(j, ends) ? FIT_LIMITED : FIT_YES, TABLE_systems,
                ended(j, ends) ? COMPAT_SYSTEM_ENDED : COMPAT_SYSTEM_KEPT, name,
                reason_text(j, ends));
        if (s->toolkit.n && cuda.n &&
            release_compare(release_major(s->toolkit), cuda) > 0)
            because(j, FIT_NO, TABLE_systems, COMPAT_SYSTEM_CUDA,
                    reason_text(j, s->toolkit), name, reason_text(j, cuda));
        return;
    }
}

/* ---- all ---------------------------------------------------------------- */

void judge_by(struct judgement *j, enum rule rule, const struct stack *s)
{
    static void (*const rules[])(struct judgement * j,
                                 const struct stack *s) = {
#define X(name) rule_##name,
        RULES(X)
#undef X
    };

    rules[rule](j, s);
}

void judge(struct judgement *j, const struct stack *s)
{
    for (int i = 0; i < RULE_COUNT; i++)
        judge_by(j, (enum rule)i, s);
}

static bool is_mark(char c)
{
    return c == ' ' || c == '-' || c == '_';
}

/* Does the name begin with the other, whatever its case, blanks and dashes? A
 * digit behind it makes it another ("A10", "A100"), unless a series is named
 * ("RTX 40"). */
static bool begins_with(struct str name, struct str one)
{
    struct str rest = one;

    while (rest.n) {
        bool mark = is_mark(rest.p[0]);
        if (!mark && (!name.n || !str_eq_nocase(str_slice(name, 0, 1),
                                                str_slice(rest, 0, 1))))
            return false;
        if (!mark)
            name = str_slice(name, 1, name.n);
        rest = str_slice(rest, 1, rest.n);
        while (rest.n && name.n && is_mark(name.p[0]))
            name = str_slice(name, 1, name.n);
    }
    return memchr(one.p, ' ', one.n) || !name.n || name.p[0] < '0' ||
           name.p[0] > '9';
}

static bool names_it(struct str name, struct str one)
{
    for (size_t i = 0; one.n && i < name.n; i++)
        if (begins_with(str_slice(name, i, name.n), one))
            return true;
    return false;
}

/* The longest name of the table that the other holds: "H100" in "NVIDIA H100
 * 80GB HBM3". */
struct str gpu_capability(const struct tables *tables, struct str name)
{
    const struct table *t = &tables->v[TABLE_gpus];
    struct str best = STR("");
    size_t longest = 0;

    for (size_t i = 0; i < t->n; i++) {
        struct str names = compat_value(t, i, "names"),
                   capability = compat_value(t, i, "capability");
        if (str_eq(capability, name))
            return capability;
        while (names.n) {
            struct str one = str_cut(&names, ',');
            if (one.n > longest && names_it(name, one)) {
                longest = one.n;
                best = capability;
            }
        }
    }
    return best;
}
