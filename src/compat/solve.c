#include "compat/solve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat/rules_internal.h"

enum { SCRATCH_MAX = 1 << 20 };

struct solving {
    const struct judgement *j; /* tables and language */
    const struct wish *w;
    struct str wheels;    /* of this torch: CUDA, a list */
    struct str want_cuda; /* of torch's wheel; "": any */
    bool no_cuda;         /* the wheel for the processor */
    struct stack s;       /* the candidate */
    /* The best so far: that fits best, among misfits the one with the fewest
     * reasons against it; the first of its kind. */
    struct stack best;
    enum fit best_fit;
    size_t best_against;  /* SIZE_MAX: there was no candidate */
    struct arena scratch; /* of one judgement */
};

/* ---- numpy -------------------------------------------------------------- */

/* The newest numpy that all of the frameworks take: "1", all of it, "2.0"; "":
 * any.
 */
static struct str numpy_limit(const struct judgement *j, const struct stack *s)
{
    const struct table *torch = &j->tables->v[TABLE_torch],
                       *tensorflow = &j->tables->v[TABLE_tensorflow],
                       *ort = &j->tables->v[TABLE_onnxruntime];
    const struct str limits[] = {
        compat_value(torch, torch_row(j, s->torch), "numpy"),
        compat_value(tensorflow, compat_minor_row(tensorflow, s->tensorflow),
                     "numpy"),
        compat_value(ort, onnxruntime_row(j, s->onnxruntime), "numpy")};
    struct str least = STR("");

    for (size_t i = 0; i < COUNT(limits); i++)
        if (limits[i].n && (!least.n || (numpy_within(limits[i], least) &&
                                         !str_eq(limits[i], least))))
            least = limits[i];
    return least;
}

/* The newest that the bounds, the frameworks and Python allow; when there is
 * none, the newest that the bounds do: the rules say what is against it. "":
 * not even that. */
static struct str choose_numpy(const struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_numpy];
    struct str limit = numpy_limit(x->j, &x->s), newest = STR("");

    for (size_t i = t->n; i-- > 0;) {
        struct str row = compat_value(t, i, "numpy");
        struct str version =
            wish_release(x->w, "numpy", release_minor(row), row, x->s.python);
        if (!version.n)
            continue;
        newest = newest.n ? newest : version;
        if (numpy_within(version, limit) &&
            release_within(x->s.python, compat_value(t, i, "python_from"),
                           compat_value(t, i, "python_to")))
            return version;
    }
    return newest;
}

/* ---- candidates --------------------------------------------------------- */

static size_t misfits(const struct judgement *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->n; i++)
        n += j->v[i].fit == FIT_NO;
    return n;
}

/* Bounds that depend on Python are decided only now. */
static bool is_wished(const struct solving *x)
{
    const struct {
        const char *name;
        struct str version;
    } rows[] = {{"torch", x->s.torch},
                {"torchvision", x->s.torchvision},
                {"torchaudio", x->s.torchaudio},
                {"tensorflow", x->s.tensorflow},
                {"onnxruntime_gpu", x->s.onnxruntime}};

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].version.n &&
            !wish_allows(x->w, rows[i].name, rows[i].version, x->s.python))
            return false;
    return true;
}

/* What stands for and against a stack, in that arena. */
static struct judgement judge_in(const struct solving *x, struct arena *a,
                                 const struct stack *s)
{
    struct judgement j = *x->j;

    j.arena = a;
    j.v = NULL;
    j.n = j.cap = 0;
    if (!s->numpy.n) {
        struct str bounds = wish_bounds(x->w, a, "numpy", s->python);
        if (bounds.n)
            because(&j, FIT_NO, TABLE_numpy, COMPAT_NONE_IS, "numpy",
                    reason_text(&j, bounds));
    }
    judge(&j, s);
    return j;
}

/* True when the candidate is without a fault: nothing better can come. */
static bool try_stack(struct solving *x)
{
    if (!is_wished(x))
        return false;
    x->s.numpy = choose_numpy(x);
    arena_reset(&x->scratch);
    struct judgement j = judge_in(x, &x->scratch, &x->s);
    enum fit fit = judged(&j);
    size_t against = misfits(&j);
    if (fit < x->best_fit || against < x->best_against) {
        x->best = x->s;
        x->best_fit = fit;
        x->best_against = against;
    }
    return fit == FIT_YES;
}

/* Does TensorFlow, or ONNX Runtime alone, need CUDA on the machine? Then that,
 * and cuDNN; else "". */
static struct str needed(const struct judgement *j, const struct stack *s,
                         const char *column)
{
    const struct table *t = &j->tables->v[TABLE_tensorflow];
    size_t i = compat_minor_row(t, s->tensorflow);

    if (i < t->n)
        return str_eq(compat_value(t, i, "wheels"), STR("no"))
                   ? compat_value(t, i, column)
                   : STR("");
    return s->torch_cuda.n
               ? STR("")
               : compat_value(&j->tables->v[TABLE_onnxruntime],
                              onnxruntime_row(j, s->onnxruntime), column);
}

/* Maintained Pythons, the newest first; the one that is given, alone. */
static bool with_python(struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_python];

    if (!x->w->given.toolkit.n)
        x->s.toolkit = needed(x->j, &x->s, "cuda");
    x->s.python = x->w->given.python;
    if (x->s.python.n)
        return try_stack(x);
    for (size_t i = t->n; i-- > 0;) {
        x->s.python = compat_value(t, i, "python");
        if (try_stack(x))
            return true;
    }
    return false;
}

static bool has_dot(struct str version)
{
    return version.n && memchr(version.p, '.', version.n);
}

/* "12" is any CUDA 12. */
static bool is_wanted(struct str want, struct str cuda)
{
    return !want.n || str_eq(want, has_dot(want) ? cuda : release_major(cuda));
}

/* CUDA of torch's wheels: the last of the list is the newest. */
static bool with_cuda(struct solving *x)
{
    struct str list = x->no_cuda ? STR("") : x->wheels;

    x->s.torch_cuda = STR("");
    if (!list.n)
        return with_python(x);
    while (list.n) {
        const char *comma = memrchr(list.p, ',', list.n);
        size_t from = comma ? (size_t)(comma - list.p) + 1 : 0;
        x->s.torch_cuda = str_slice(list, from, list.n);
        list = str_slice(list, 0, from ? from - 1 : 0);
        if (is_wanted(x->want_cuda, x->s.torch_cuda) && with_python(x))
            return true;
    }
    return false;
}

/* The newest onnxruntime-gpu that fits; without one that was asked for. */
static bool with_onnxruntime(struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_onnxruntime];

    if (!x->w->onnxruntime)
        return with_cuda(x);
    for (size_t i = 0; i < t->n; i++) {
        x->s.onnxruntime =
            wish_release(x->w, "onnxruntime_gpu", compat_value(t, i, "from"),
                         compat_value(t, i, "to"), STR(""));
        if (x->s.onnxruntime.n && with_cuda(x))
            return true;
    }
    return false;
}

static bool with_tensorflow(struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_tensorflow];

    if (!x->w->tensorflow)
        return with_onnxruntime(x);
    for (size_t i = 0; i < t->n; i++) {
        struct str row = compat_value(t, i, "tensorflow");
        x->s.tensorflow =
            wish_release(x->w, "tensorflow", release_minor(row), row, STR(""));
        /* 2.16 was never released as such: 2.16.1 was the first. */
        if (str_eq(x->s.tensorflow, release_minor(row)))
            x->s.tensorflow = row;
        if (x->s.tensorflow.n && with_onnxruntime(x))
            return true;
    }
    return false;
}

static bool with_torch(struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_torch];

    if (!x->w->torch)
        return with_tensorflow(x);
    for (size_t i = t->n; i-- > 0;) {
        x->s.torch = compat_value(t, i, "torch");
        x->s.torchvision = compat_value(t, i, "torchvision");
        x->s.torchaudio = compat_value(t, i, "torchaudio");
        x->wheels = compat_value(t, i, "cuda");
        if (wish_allows(x->w, "torch", x->s.torch, STR("")) &&
            wish_allows(x->w, "torchvision", x->s.torchvision, STR("")) &&
            wish_allows(x->w, "torchaudio", x->s.torchaudio, STR("")) &&
            with_tensorflow(x))
            return true;
    }
    return false;
}

/* True if there is one without a misfit. */
static bool search(struct solving *x)
{
    x->s = x->w->given;
    x->best_fit = FIT_NO;
    x->best_against = SIZE_MAX;
    (void)with_torch(x);
    return x->best_fit != FIT_NO;
}

/* ---- what else to tell -------------------------------------------------- */

/* The CUDA of the set, whoever brings it. */
static struct str cuda_of(const struct judgement *j, const struct stack *s)
{
    struct str tensorflow = tensorflow_cuda(j, s);

    return s->torch_cuda.n ? s->torch_cuda
           : tensorflow.n  ? tensorflow
                           : s->toolkit;
}

/* The driver that the set needs, and the branch to take: the newest long-term
 * one that is maintained and knows the GPU; else the last that does. */
static void choose_driver(const struct solving *x, struct judgement *j,
                          struct solution *out)
{
    const struct table *cuda = &x->j->tables->v[TABLE_cuda],
                       *t = &x->j->tables->v[TABLE_drivers],
                       *gpus = &x->j->tables->v[TABLE_gpus];
    struct str of = cuda_of(x->j, &out->stack);
    struct str last = compat_value(
        gpus, compat_row(gpus, out->stack.capability), "last_driver");

    out->oldest_driver = compat_value(cuda, compat_row(cuda, release_minor(of)),
                                      "oldest_driver");
    for (size_t i = 0; i < t->n; i++) {
        struct str branch = compat_value(t, i, "branch"),
                   ends = compat_value(t, i, "ends");
        if (str_eq(compat_value(t, i, "kind"), STR("long-term")) &&
            str_compare(ends, str_from_cstr(x->j->today)) >= 0 &&
            (!last.n || release_compare(branch, last) <= 0)) {
            out->branch = branch;
            out->branch_kind = "long-term";
        }
    }
    if (out->branch.n || !last.n)
        return;
    out->branch = last;
    out->branch_kind = "legacy";
    because(j, FIT_LIMITED, TABLE_drivers, COMPAT_DRIVER_ENDED,
            reason_text(j, last),
            reason_text(j, compat_value(t, compat_row(t, last), "ends")));
}

/* "2" of "1", "2.1" of "2.0": the first that a limit leaves out. */
static struct str next_release(struct str limit, struct arena *a)
{
    struct str last = str_behind_last(limit, '.');
    char text[32];

    (void)snprintf(text, sizeof(text), STR_FMT "%ld", (int)(limit.n - last.n),
                   limit.p, last.n ? strtol(last.p, NULL, 10) + 1 : 0);
    const char *copy = arena_cstr(a, str_from_cstr(text));
    return str_from_cstr(copy ? copy : "");
}

/* What is to be installed beside the frameworks. */
static void add_needs(const struct solving *x, struct solution *out)
{
    const struct stack *s = &out->stack;
    struct arena *a = x->j->arena;
    struct str limit = numpy_limit(x->j, s), above = next_release(limit, a);
    char text[1024];

    out->toolkit = needed(x->j, s, "cuda");
    out->cudnn = needed(x->j, s, "cudnn");
    out->shares = s->tensorflow.n && s->torch_cuda.n && !out->toolkit.n;
    out->numpy = wish_bounds(x->w, a, "numpy", s->python);
    if (limit.n && !str_eq(limit, STR("2")) &&
        wish_allows(x->w, "numpy", above, s->python)) {
        (void)snprintf(text, sizeof(text), STR_FMT "%s<" STR_FMT,
                       STR_ARG(out->numpy), out->numpy.n ? "," : "",
                       STR_ARG(above));
        const char *copy = arena_cstr(a, str_from_cstr(text));
        out->numpy = str_from_cstr(copy ? copy : "");
    }
}

/* Has the table a release that the bounds of this package allow? */
static bool is_there(const struct judgement *j, const struct wish *w,
                     enum table_id id, const char *name, const char *from,
                     const char *to)
{
    const struct table *t = &j->tables->v[id];

    for (size_t i = 0; i < t->n; i++)
        if (wish_release(w, name, compat_value(t, i, from),
                         compat_value(t, i, to), STR(""))
                .n)
            return true;
    return false;
}

/* What no table has: no set can have it either. */
static void say_what_is_not_there(struct judgement *j, const struct wish *w)
{
    static const struct {
        const char *name;
        enum table_id table;
        const char *from, *to;
    } rows[] = {{"torch", TABLE_torch, "torch", "torch"},
                {"torchvision", TABLE_torch, "torchvision", "torchvision"},
                {"torchaudio", TABLE_torch, "torchaudio", "torchaudio"},
                {"tensorflow", TABLE_tensorflow, "tensorflow", "tensorflow"},
                {"onnxruntime_gpu", TABLE_onnxruntime, "from", "to"},
                {"numpy", TABLE_numpy, "numpy", "numpy"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str bounds = wish_bounds(w, j->arena, rows[i].name, STR(""));
        if (bounds.n && !is_there(j, w, rows[i].table, rows[i].name,
                                  rows[i].from, rows[i].to))
            because(j, FIT_UNKNOWN, rows[i].table, COMPAT_NONE_IS, rows[i].name,
                    reason_text(j, bounds));
    }
}

/* No candidate met all bounds: what is pinned, judged as it stands. */
static void judge_the_pins(struct judgement *j, const struct wish *w)
{
    struct stack s = w->given;
    const struct {
        const char *name;
        struct str *version;
    } rows[] = {{"torch", &s.torch},
                {"torchvision", &s.torchvision},
                {"torchaudio", &s.torchaudio},
                {"tensorflow", &s.tensorflow},
                {"onnxruntime_gpu", &s.onnxruntime},
                {"numpy", &s.numpy}};

    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t k = 0; k < w->n; k++)
            if (str_eq(w->bounds[k].name, str_from_cstr(rows[i].name)) &&
                strcmp(w->bounds[k].op, "==") == 0)
                *rows[i].version = bound_version(&w->bounds[k]);
    judge(j, &s);
}

/* ---- all ---------------------------------------------------------------- */

/* Without a wheel of torch for the toolkit that is asked for, one that brings
 * another CUDA: the toolkit is no matter, unless something else takes it. */
static bool search_with_toolkit(struct solving *x, struct wish *w)
{
    struct str toolkit = w->given.toolkit;

    x->want_cuda = has_dot(toolkit) ? release_minor(toolkit) : toolkit;
    if (search(x) || !w->torch || !toolkit.n)
        return x->best_fit != FIT_NO;
    if (!w->tensorflow)
        w->given.toolkit = STR("");
    x->want_cuda = STR("");
    return search(x);
}

bool solve(struct judgement *j, const struct wish *wish, struct solution *out)
{
    struct wish w = *wish;
    struct solving x = {.j = j, .w = &w};
    struct str wheels = wish_wheels(&w), toolkit = w.given.toolkit;

    *out = (struct solution){.branch = STR("")};
    say_what_is_not_there(j, &w);
    if (j->n)
        return false;
    x.no_cuda = str_eq(wheels, STR("cpu")) || w.no_gpu;
    x.want_cuda = wheel_cuda(wheels, j->arena);
    arena_init(&x.scratch, SCRATCH_MAX);
    bool found =
        x.want_cuda.n || x.no_cuda ? search(&x) : search_with_toolkit(&x, &w);
    arena_fini(&x.scratch);
    if (x.best_against == SIZE_MAX) {
        judge_the_pins(j, &w);
        return false;
    }
    *j = judge_in(&x, j->arena, &x.best);
    if (!found)
        return false;
    out->stack = x.best;
    if (w.torch && toolkit.n && !w.given.toolkit.n)
        because(j, FIT_LIMITED, TABLE_torch, COMPAT_CUDA_NO_WHEEL,
                reason_text(j, x.best.torch), reason_text(j, toolkit),
                reason_text(j, x.best.torch_cuda));
    add_needs(&x, out);
    if (cuda_of(j, &x.best).n)
        choose_driver(&x, j, out);
    return true;
}
