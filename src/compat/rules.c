#include "compat/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct str major(struct str version)
{
    return str_cut(&version, '.');
}

/* from <= version <= to, by their minor releases. */
static bool within(struct str version, struct str from, struct str to)
{
    struct str v = release_minor(version);

    return release_compare(v, from) >= 0 && release_compare(v, to) <= 0;
}

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

static const char *text(struct judgement *j, struct str s)
{
    const char *copy = arena_cstr(j->arena, s);

    return copy ? copy : "";
}

static void not_known(struct judgement *j, enum table_id table,
                      const char *what, struct str version)
{
    because(j, FIT_UNKNOWN, table, COMPAT_NOT_IN_TABLE, what, text(j, version));
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
        not_known(j, TABLE_cuda, "CUDA", cuda);
        return;
    }
    struct str all = compat_value(t, i, "driver"),
               oldest = compat_value(t, i, "oldest_driver");
    if (all.n && release_compare(driver, all) >= 0)
        because(j, FIT_YES, TABLE_cuda, COMPAT_CUDA_FITS, text(j, minor), whose,
                text(j, driver));
    else if (release_compare(driver, oldest) >= 0)
        because(j, FIT_LIMITED, TABLE_cuda, COMPAT_CUDA_LIMITED, text(j, minor),
                whose, text(j, driver), all.n ? text(j, all) : "?");
    else
        because(j, FIT_NO, TABLE_cuda, COMPAT_CUDA_MISFIT, text(j, minor),
                whose, text(j, driver), text(j, oldest));
}

static void rule_driver_branch(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_drivers];
    struct str branch = major(s->driver);
    size_t i = compat_row(t, branch);

    if (!s->driver.n || i == t->n)
        return;
    struct str ends = compat_value(t, i, "ends");
    because(j, ended(j, ends) ? FIT_LIMITED : FIT_YES, TABLE_drivers,
            ended(j, ends) ? COMPAT_DRIVER_ENDED : COMPAT_DRIVER_FITS,
            text(j, branch), text(j, ends));
}

static void rule_cuda_driver(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_onnxruntime];

    cuda_with_driver(j, s->toolkit, "toolkit", s->driver);
    cuda_with_driver(j, s->torch_cuda, "torch", s->driver);
    for (size_t i = 0; s->onnxruntime.n && i < t->n; i++)
        if (within(s->onnxruntime, compat_value(t, i, "from"),
                   compat_value(t, i, "to")))
            cuda_with_driver(j, compat_value(t, i, "cuda"), "onnxruntime-gpu",
                             s->driver);
}

/* ---- the GPU ------------------------------------------------------------ */

static void rule_gpu(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_gpus];
    size_t i = compat_row(t, s->capability);

    if (!s->capability.n)
        return;
    if (i == t->n) {
        not_known(j, TABLE_gpus, "GPU", s->capability);
        return;
    }
    const char *name = text(j, compat_value(t, i, "architecture")),
               *capability = text(j, s->capability);
    struct str last = compat_value(t, i, "last_driver"),
               from = compat_value(t, i, "cuda_from"),
               to = compat_value(t, i, "cuda_to");
    if (s->driver.n && last.n && release_compare(major(s->driver), last) > 0)
        because(j, FIT_NO, TABLE_gpus, COMPAT_GPU_TOO_OLD,
                text(j, major(s->driver)), name, capability, text(j, last));
    if (!s->toolkit.n)
        return;
    if (release_compare(release_minor(s->toolkit), from) < 0)
        because(j, FIT_NO, TABLE_gpus, COMPAT_GPU_CUDA_OLD, text(j, s->toolkit),
                name, capability, text(j, from));
    /* "12" is all of 12. */
    if (to.n &&
        release_compare(memchr(to.p, '.', to.n) ? release_minor(s->toolkit)
                                                : major(s->toolkit),
                        to) > 0)
        because(j, FIT_NO, TABLE_gpus, COMPAT_GPU_CUDA_NEW, text(j, s->toolkit),
                name, capability, text(j, to));
}

/* Does code for one of the capabilities of the list run on this one? The same
 * major, at most its minor. */
static bool has_code(struct str list, int capability)
{
    while (list.n) {
        struct str word = str_cut(&list, ' ');
        int code = word.n ? (int)strtol(word.p, NULL, 10) : 0;
        if (code / 10 == capability / 10 && code <= capability)
            return true;
    }
    return false;
}

static int without_dot(struct str capability)
{
    struct str rest = capability, first = str_cut(&rest, '.');

    return first.n && rest.n ? (int)strtol(first.p, NULL, 10) * 10 +
                                   (int)strtol(rest.p, NULL, 10)
                             : 0;
}

/* The oldest row after this release with code for the GPU; t->n: none. */
static size_t first_with_code(const struct table *t, struct str torch,
                              int capability)
{
    size_t best = t->n;

    for (size_t i = 0; i < t->n; i++)
        if (has_code(compat_value(t, i, "code"), capability) &&
            release_compare(compat_value(t, i, "to"), release_minor(torch)) >=
                0 &&
            (best == t->n ||
             release_compare(compat_value(t, i, "from"),
                             compat_value(t, best, "from")) < 0))
            best = i;
    return best;
}

static void rule_kernels(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_torch_kernels];
    int capability = without_dot(s->capability);
    size_t i = 0;

    if (!s->torch.n || !s->torch_cuda.n || !capability)
        return;
    while (i < t->n &&
           !(within(s->torch, compat_value(t, i, "from"),
                    compat_value(t, i, "to")) &&
             compat_list_has(compat_value(t, i, "cuda"), s->torch_cuda)))
        i++;
    if (i == t->n)
        return;
    const struct table *gpus = &j->tables->v[TABLE_gpus];
    const char *torch = text(j, s->torch), *cuda = text(j, s->torch_cuda),
               *name =
                   text(j, compat_value(gpus, compat_row(gpus, s->capability),
                                        "architecture")),
               *cc = text(j, s->capability);
    struct str ptx = compat_value(t, i, "ptx");
    if (has_code(compat_value(t, i, "code"), capability)) {
        because(j, FIT_YES, TABLE_torch_kernels, COMPAT_KERNELS_FIT, torch,
                cuda, name, cc);
        return;
    }
    if (ptx.n && strtol(ptx.p, NULL, 10) <= capability) {
        because(j, FIT_LIMITED, TABLE_torch_kernels, COMPAT_KERNELS_PTX, torch,
                cuda, name, cc);
        return;
    }
    size_t better = first_with_code(t, s->torch, capability);
    if (better == t->n)
        because(j, FIT_NO, TABLE_torch_kernels, COMPAT_KERNELS_NEVER, torch,
                cuda, name, cc);
    else
        because(j, FIT_NO, TABLE_torch_kernels, COMPAT_KERNELS_MISFIT, torch,
                cuda, name, cc, text(j, compat_value(t, better, "from")),
                text(j, compat_value(t, better, "cuda")));
}

/* ---- frameworks --------------------------------------------------------- */

static void python_with(struct judgement *j, enum table_id id, size_t row,
                        const char *name, struct str version,
                        const struct stack *s)
{
    const struct table *t = &j->tables->v[id];
    struct str from = compat_value(t, row, "python_from"),
               to = compat_value(t, row, "python_to");

    if (!s->python.n)
        return;
    if (within(s->python, from, to))
        because(j, FIT_YES, id, COMPAT_PYTHON_FITS, name, text(j, version),
                text(j, s->python));
    else
        because(j, FIT_NO, id, COMPAT_PYTHON_MISFIT, name, text(j, version),
                text(j, from), text(j, to), text(j, s->python));
}

static void pair(struct judgement *j, const struct stack *s, size_t row,
                 const char *name, struct str version)
{
    struct str right = compat_value(&j->tables->v[TABLE_torch], row, name);

    if (!version.n || !right.n)
        return;
    if (release_compare(version, right) == 0)
        because(j, FIT_YES, TABLE_torch, COMPAT_PAIR_FITS, text(j, s->torch),
                name, text(j, right));
    else
        because(j, FIT_NO, TABLE_torch, COMPAT_PAIR_MISFIT, text(j, s->torch),
                name, text(j, right), text(j, version));
}

/* The row of a release, or of the newest patch of its minor version. */
static size_t torch_row(const struct table *t, struct str torch)
{
    struct str plain = torch;
    plain = str_cut(&plain, '+');
    size_t exact = compat_row(t, plain), near = t->n;

    for (size_t i = 0; exact == t->n && i < t->n; i++)
        if (str_eq(release_minor(t->cells[i * t->n_columns]),
                   release_minor(plain)))
            near = i;
    return exact < t->n ? exact : near;
}

/* A framework that was built for numpy 1 fails with 2. */
static void numpy_with(struct judgement *j, enum table_id table, size_t row,
                       const char *name, struct str version,
                       const struct stack *s)
{
    struct str most = compat_value(&j->tables->v[table], row, "numpy");

    if (!s->numpy.n || !most.n)
        return;
    bool fits = release_compare(major(s->numpy), most) <= 0;
    because(j, fits ? FIT_YES : FIT_NO, table,
            fits ? COMPAT_NUMPY_FITS : COMPAT_NUMPY_MISFIT, name,
            text(j, version), text(j, s->numpy));
}

static void rule_torch(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_torch];
    size_t row = torch_row(t, s->torch);

    if (!s->torch.n)
        return;
    if (row == t->n) {
        not_known(j, TABLE_torch, "torch", s->torch);
        return;
    }
    struct str wheels = compat_value(t, row, "cuda"),
               index = compat_value(t, row, "index_cuda");
    python_with(j, TABLE_torch, row, "torch", s->torch, s);
    if (s->torch_cuda.n && !compat_list_has(wheels, s->torch_cuda))
        because(j, FIT_NO, TABLE_torch, COMPAT_WHEEL_MISFIT, text(j, s->torch),
                text(j, s->torch_cuda), text(j, wheels));
    else if (s->torch_cuda.n && str_eq(index, s->torch_cuda))
        because(j, FIT_YES, TABLE_torch, COMPAT_WHEEL_INDEX, text(j, s->torch),
                text(j, index));
    numpy_with(j, TABLE_torch, row, "torch", s->torch, s);
    pair(j, s, row, "torchvision", s->torchvision);
    pair(j, s, row, "torchaudio", s->torchaudio);
}

static void rule_tensorflow(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_tensorflow];
    size_t i = compat_minor_row(t, s->tensorflow);

    if (!s->tensorflow.n)
        return;
    if (i == t->n) {
        not_known(j, TABLE_tensorflow, "TensorFlow", s->tensorflow);
        return;
    }
    struct str cuda = compat_value(t, i, "cuda");
    const char *version = text(j, s->tensorflow), *built = text(j, cuda),
               *cudnn = text(j, compat_value(t, i, "cudnn"));
    python_with(j, TABLE_tensorflow, i, "TensorFlow", s->tensorflow, s);
    numpy_with(j, TABLE_tensorflow, i, "TensorFlow", s->tensorflow, s);
    if (!s->toolkit.n || str_eq(release_minor(s->toolkit), release_minor(cuda)))
        because(j, FIT_YES, TABLE_tensorflow, COMPAT_TENSORFLOW_FITS, version,
                built, cudnn);
    else if (str_eq(major(s->toolkit), major(cuda)))
        because(j, FIT_LIMITED, TABLE_tensorflow, COMPAT_TENSORFLOW_OTHER,
                version, built, cudnn, text(j, s->toolkit));
    else
        because(j, FIT_NO, TABLE_tensorflow, COMPAT_TENSORFLOW_MISFIT, version,
                built, cudnn, text(j, s->toolkit));
}

static void rule_onnxruntime(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_onnxruntime],
                       *torch = &j->tables->v[TABLE_torch];
    size_t i = 0, row = torch_row(torch, s->torch);

    if (!s->onnxruntime.n)
        return;
    while (i < t->n && !within(s->onnxruntime, compat_value(t, i, "from"),
                               compat_value(t, i, "to")))
        i++;
    if (i == t->n) {
        not_known(j, TABLE_onnxruntime, "onnxruntime-gpu", s->onnxruntime);
        return;
    }
    struct str cuda = major(compat_value(t, i, "cuda")),
               cudnn = compat_value(t, i, "cudnn"),
               other = s->torch_cuda.n ? s->torch_cuda : s->toolkit,
               brings =
                   s->torch.n ? compat_value(torch, row, "cudnn") : STR("");
    const char *version = text(j, s->onnxruntime);
    if (other.n && !str_eq(major(other), cuda))
        because(j, FIT_NO, TABLE_onnxruntime, COMPAT_ORT_CUDA, version,
                text(j, cuda), text(j, other));
    else
        because(j, FIT_YES, TABLE_onnxruntime, COMPAT_ORT_FITS, version,
                text(j, cuda), text(j, cudnn));
    if (brings.n && !str_eq(brings, cudnn))
        because(j, FIT_NO, TABLE_onnxruntime, COMPAT_ORT_CUDNN, version,
                text(j, cudnn), text(j, s->torch), text(j, brings));
}

/* ---- what is beneath ---------------------------------------------------- */

static void rule_python(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_python];
    struct str ends =
        compat_value(t, compat_row(t, release_minor(s->python)), "ends");

    if (s->python.n && ends.n)
        because(j, ended(j, ends) ? FIT_LIMITED : FIT_YES, TABLE_python,
                ended(j, ends) ? COMPAT_PYTHON_ENDED : COMPAT_PYTHON_KEPT,
                text(j, release_minor(s->python)), text(j, ends));
}

static void rule_system(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_systems];

    for (size_t i = 0; s->system.n && i < t->n; i++) {
        struct str version = compat_value(t, i, "version"),
                   ends = compat_value(t, i, "ends"),
                   cuda = compat_value(t, i, "cuda");
        /* "9.4" is a release of 9. */
        if (!str_eq(compat_value(t, i, "id"), s->system) ||
            (!str_eq(version, s->system_version) &&
             !str_eq(version, major(s->system_version))))
            continue;
        const char *name = text(j, compat_value(t, i, "name"));
        because(j, ended(j, ends) ? FIT_LIMITED : FIT_YES, TABLE_systems,
                ended(j, ends) ? COMPAT_SYSTEM_ENDED : COMPAT_SYSTEM_KEPT, name,
                text(j, ends));
        if (s->toolkit.n && cuda.n &&
            release_compare(major(s->toolkit), cuda) > 0)
            because(j, FIT_NO, TABLE_systems, COMPAT_SYSTEM_CUDA,
                    text(j, s->toolkit), name, text(j, cuda));
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

/* Where the name holds the other, whatever its case; NULL. */
static const char *holds(struct str name, struct str part)
{
    for (size_t i = 0; i + part.n <= name.n; i++)
        if (str_eq_nocase(str_slice(name, i, i + part.n), part))
            return name.p + i;
    return NULL;
}

/* The longest name of the table that the other holds: "H100" in "NVIDIA H100
 * 80GB HBM3". A digit behind it makes it another ("A10", "A100"), unless the
 * table names a series ("RTX 40"). */
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
            const char *at = one.n ? holds(name, one) : NULL;
            bool series = one.n && memchr(one.p, ' ', one.n);
            const char *end = at ? at + one.n : NULL;
            if (at && !series && end < name.p + name.n && *end >= '0' &&
                *end <= '9')
                at = NULL;
            if (at && one.n > longest) {
                longest = one.n;
                best = capability;
            }
        }
    }
    return best;
}
