#include <stdlib.h>
#include <string.h>

#include "compat/rules_internal.h"

/* ---- code for GPUs ------------------------------------------------------ */

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

void rule_kernels(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_torch_kernels];
    int capability = without_dot(s->capability);
    size_t i = 0;

    if (!s->torch.n || !s->torch_cuda.n || !capability)
        return;
    while (i < t->n &&
           !(release_within(s->torch, compat_value(t, i, "from"),
                            compat_value(t, i, "to")) &&
             compat_list_has(compat_value(t, i, "cuda"), s->torch_cuda)))
        i++;
    if (i == t->n)
        return;
    const struct table *gpus = &j->tables->v[TABLE_gpus];
    const char *torch = reason_text(j, s->torch),
               *cuda = reason_text(j, s->torch_cuda),
               *name = reason_text(
                   j, compat_value(gpus, compat_row(gpus, s->capability),
                                   "architecture")),
               *cc = reason_text(j, s->capability);
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
                cuda, name, cc, reason_text(j, compat_value(t, better, "from")),
                reason_text(j, compat_value(t, better, "cuda")));
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
    if (release_within(s->python, from, to))
        because(j, FIT_YES, id, COMPAT_PYTHON_FITS, name,
                reason_text(j, version), reason_text(j, s->python));
    else
        because(j, FIT_NO, id, COMPAT_PYTHON_MISFIT, name,
                reason_text(j, version), reason_text(j, from),
                reason_text(j, to), reason_text(j, s->python));
}

static void pair(struct judgement *j, const struct stack *s, size_t row,
                 const char *name, struct str version)
{
    struct str right = compat_value(&j->tables->v[TABLE_torch], row, name);

    if (!version.n || !right.n)
        return;
    if (release_compare(version, right) == 0)
        because(j, FIT_YES, TABLE_torch, COMPAT_PAIR_FITS,
                reason_text(j, s->torch), name, reason_text(j, right));
    else
        because(j, FIT_NO, TABLE_torch, COMPAT_PAIR_MISFIT,
                reason_text(j, s->torch), name, reason_text(j, right),
                reason_text(j, version));
}

size_t torch_row(const struct judgement *j, struct str torch)
{
    const struct table *t = &j->tables->v[TABLE_torch];
    struct str plain = torch;
    plain = str_cut(&plain, '+');
    size_t exact = compat_row(t, plain), near = t->n;

    for (size_t i = 0; exact == t->n && i < t->n; i++)
        if (str_eq(release_minor(t->cells[i * t->n_columns]),
                   release_minor(plain)))
            near = i;
    return exact < t->n ? exact : near;
}

bool numpy_within(struct str numpy, struct str most)
{
    return !most.n || !numpy.n || release_up_to(numpy, most);
}

/* A framework that was built for numpy 1 fails with 2. */
static void numpy_with(struct judgement *j, enum table_id table, size_t row,
                       const char *name, struct str version,
                       const struct stack *s)
{
    struct str most = compat_value(&j->tables->v[table], row, "numpy");
    const char *of = reason_text(j, version), *has = reason_text(j, s->numpy);

    if (!s->numpy.n || !most.n)
        return;
    if (numpy_within(s->numpy, most))
        because(j, FIT_YES, table, COMPAT_NUMPY_FITS, name, of, has);
    else if (str_eq(release_major(most), STR("1")) &&
             !str_eq(release_major(s->numpy), STR("1")))
        because(j, FIT_NO, table, COMPAT_NUMPY_MISFIT, name, of, has);
    else
        because(j, FIT_NO, table, COMPAT_NUMPY_NEWER, name, of,
                reason_text(j, most), has);
}

void rule_torch(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_torch];
    size_t row = torch_row(j, s->torch);

    if (!s->torch.n)
        return;
    if (row == t->n) {
        because_not_known(j, TABLE_torch, "torch", s->torch);
        return;
    }
    struct str wheels = compat_value(t, row, "cuda"),
               index = compat_value(t, row, "index_cuda");
    python_with(j, TABLE_torch, row, "torch", s->torch, s);
    if (s->torch_cuda.n && !compat_list_has(wheels, s->torch_cuda))
        because(j, FIT_NO, TABLE_torch, COMPAT_WHEEL_MISFIT,
                reason_text(j, s->torch), reason_text(j, s->torch_cuda),
                reason_text(j, wheels));
    else if (s->torch_cuda.n && str_eq(index, s->torch_cuda))
        because(j, FIT_YES, TABLE_torch, COMPAT_WHEEL_INDEX,
                reason_text(j, s->torch), reason_text(j, index));
    numpy_with(j, TABLE_torch, row, "torch", s->torch, s);
    pair(j, s, row, "torchvision", s->torchvision);
    pair(j, s, row, "torchaudio", s->torchaudio);
}

/* ---- TensorFlow --------------------------------------------------------- */

static bool brings_cuda(const struct table *t, size_t row)
{
    return str_eq(compat_value(t, row, "wheels"), STR("yes"));
}

struct str tensorflow_cuda(const struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_tensorflow];
    size_t i = compat_minor_row(t, s->tensorflow);

    if (!s->tensorflow.n || i == t->n)
        return STR("");
    if (brings_cuda(t, i) && s->torch_cuda.n)
        return STR("");
    if (brings_cuda(t, i) && s->wheels_cuda.n)
        return s->wheels_cuda;
    return s->toolkit.n ? STR("") : compat_value(t, i, "cuda");
}

/* CUDA that is there, by wheels or a toolkit, against the one it is built for.
 */
static void tensorflow_with(struct judgement *j, const struct stack *s,
                            size_t row, struct str has)
{
    const struct table *t = &j->tables->v[TABLE_tensorflow];
    struct str cuda = compat_value(t, row, "cuda");
    const char *version = reason_text(j, s->tensorflow),
               *built = reason_text(j, cuda),
               *cudnn = reason_text(j, compat_value(t, row, "cudnn"));

    if (!has.n || str_eq(release_minor(has), release_minor(cuda)))
        because(j, FIT_YES, TABLE_tensorflow, COMPAT_TENSORFLOW_FITS, version,
                built, cudnn);
    else if (str_eq(release_major(has), release_major(cuda)))
        because(j, FIT_LIMITED, TABLE_tensorflow, COMPAT_TENSORFLOW_OTHER,
                version, built, cudnn, reason_text(j, has));
    else
        because(j, FIT_NO, TABLE_tensorflow, COMPAT_TENSORFLOW_MISFIT, version,
                built, cudnn, reason_text(j, has));
}

/* The libraries of torch's wheels, which it finds where it looks for its own:
 * there can be only one of each in an environment. */
static void tensorflow_with_torch(struct judgement *j, const struct stack *s,
                                  size_t row)
{
    const struct table *t = &j->tables->v[TABLE_tensorflow];
    struct str cuda = compat_value(t, row, "cuda"),
               cudnn = compat_value(t, row, "cudnn"),
               brings = compat_value(&j->tables->v[TABLE_torch],
                                     torch_row(j, s->torch), "cudnn");
    const char *version = reason_text(j, s->tensorflow),
               *built = reason_text(j, cuda), *with = reason_text(j, cudnn),
               *torch = reason_text(j, s->torch),
               *torch_cuda = reason_text(j, s->torch_cuda);

    if (!str_eq(release_major(s->torch_cuda), release_major(cuda)) ||
        (brings.n && !str_eq(brings, release_major(cudnn))))
        because(j, FIT_NO, TABLE_tensorflow, COMPAT_TENSORFLOW_TORCH, version,
                built, with, torch, torch_cuda,
                brings.n ? reason_text(j, brings) : "?");
    else if (release_compare(s->torch_cuda, cuda) < 0)
        because(j, FIT_LIMITED, TABLE_tensorflow, COMPAT_TENSORFLOW_OTHER,
                version, built, with, torch_cuda);
    else
        because(j, FIT_YES, TABLE_tensorflow, COMPAT_TENSORFLOW_SHARES, version,
                built, with, torch, torch_cuda);
}

void rule_tensorflow(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_tensorflow];
    size_t i = compat_minor_row(t, s->tensorflow);

    if (!s->tensorflow.n)
        return;
    if (i == t->n) {
        because_not_known(j, TABLE_tensorflow, "TensorFlow", s->tensorflow);
        return;
    }
    python_with(j, TABLE_tensorflow, i, "TensorFlow", s->tensorflow, s);
    numpy_with(j, TABLE_tensorflow, i, "TensorFlow", s->tensorflow, s);
    if (brings_cuda(t, i) && s->torch_cuda.n)
        tensorflow_with_torch(j, s, i);
    else
        tensorflow_with(j, s, i,
                        brings_cuda(t, i) && s->wheels_cuda.n ? s->wheels_cuda
                                                              : s->toolkit);
}

/* ---- ONNX Runtime ------------------------------------------------------- */

size_t onnxruntime_row(const struct judgement *j, struct str version)
{
    const struct table *t = &j->tables->v[TABLE_onnxruntime];
    size_t i = 0;

    while (i < t->n &&
           !(version.n && release_within(version, compat_value(t, i, "from"),
                                         compat_value(t, i, "to"))))
        i++;
    return i;
}

/* The CUDA that it finds in its environment, or on the machine. */
static struct str cuda_around(const struct judgement *j, const struct stack *s)
{
    if (s->torch_cuda.n)
        return s->torch_cuda;
    struct str cuda = tensorflow_cuda(j, s);
    return cuda.n ? cuda : s->wheels_cuda.n ? s->wheels_cuda : s->toolkit;
}

void rule_onnxruntime(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_onnxruntime],
                       *torch = &j->tables->v[TABLE_torch];
    size_t i = onnxruntime_row(j, s->onnxruntime);

    if (!s->onnxruntime.n)
        return;
    if (i == t->n) {
        because_not_known(j, TABLE_onnxruntime, "onnxruntime-gpu",
                          s->onnxruntime);
        return;
    }
    struct str cuda = release_major(compat_value(t, i, "cuda")),
               cudnn = compat_value(t, i, "cudnn"), other = cuda_around(j, s),
               brings = s->torch.n ? compat_value(torch, torch_row(j, s->torch),
                                                  "cudnn")
                                   : STR("");
    const char *version = reason_text(j, s->onnxruntime);
    if (compat_value(t, i, "python_from").n)
        python_with(j, TABLE_onnxruntime, i, "onnxruntime-gpu", s->onnxruntime,
                    s);
    else if (s->python.n)
        because(j, FIT_UNKNOWN, TABLE_onnxruntime, COMPAT_PYTHON_UNKNOWN,
                "onnxruntime-gpu", version);
    numpy_with(j, TABLE_onnxruntime, i, "onnxruntime-gpu", s->onnxruntime, s);
    if (other.n && !str_eq(release_major(other), cuda))
        because(j, FIT_NO, TABLE_onnxruntime, COMPAT_ORT_CUDA, version,
                reason_text(j, cuda), reason_text(j, other));
    else
        because(j, FIT_YES, TABLE_onnxruntime, COMPAT_ORT_FITS, version,
                reason_text(j, cuda), reason_text(j, cudnn));
    if (brings.n && !str_eq(brings, cudnn))
        because(j, FIT_NO, TABLE_onnxruntime, COMPAT_ORT_CUDNN, version,
                reason_text(j, cudnn), reason_text(j, s->torch),
                reason_text(j, brings));
}

/* ---- numpy -------------------------------------------------------------- */

void rule_numpy(struct judgement *j, const struct stack *s)
{
    const struct table *t = &j->tables->v[TABLE_numpy];
    size_t i = compat_minor_row(t, s->numpy);

    if (!s->numpy.n || !s->python.n)
        return;
    if (i == t->n)
        because_not_known(j, TABLE_numpy, "numpy", s->numpy);
    else
        python_with(j, TABLE_numpy, i, "numpy", s->numpy, s);
}
