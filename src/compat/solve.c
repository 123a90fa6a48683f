#include "compat/solve.h"

#include <string.h>

#include "base/buf.h"

/* ---- wishes ------------------------------------------------------------- */

static struct str plain_name(struct arena *a, struct str name)
{
    char *copy = arena_cstr(a, name);

    for (char *p = copy; p && *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + ('a' - 'A'));
        if (*p == '-' || *p == '.')
            *p = '_';
    }
    return (struct str){copy ? copy : "", copy ? name.n : 0};
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static struct str skip_blanks(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_slice(s, 1, s.n);
    return s;
}

/* One of == >= <= > < != ~= and the version behind it. */
static bool take_bound(struct wish *w, struct str name, struct str *rest)
{
    struct bound b = {.name = name};
    size_t n = 0;

    while (n < rest->n && n < 3 && strchr("=<>!~", rest->p[n]))
        n++;
    if (n == 0 || n > 2 || w->n == BOUNDS_MAX)
        return false;
    memcpy(b.op, rest->p, n);
    if (b.op[n - 1] != '=' && (n == 2 || !strchr("<>", b.op[0])))
        return false;
    if (n == 1 && b.op[0] == '=')
        return false;
    *rest = skip_blanks(str_slice(*rest, n, rest->n));
    b.version = str_trim(str_cut(rest, ','));
    for (size_t i = 0; i < b.version.n; i++)
        if (!is_name(b.version.p[i]) && !strchr("+*!", b.version.p[i]))
            return false;
    if (!b.version.n)
        return false;
    *rest = skip_blanks(*rest);
    w->bounds[w->n++] = b;
    return true;
}

bool wish_add(struct wish *w, struct arena *a, struct str requirement)
{
    struct str rest = str_trim(str_cut(&requirement, ';'));
    size_t n = 0;

    while (n < rest.n && is_name(rest.p[n]))
        n++;
    if (n == 0)
        return false;
    struct str name = plain_name(a, str_slice(rest, 0, n));
    rest = str_slice(rest, n, rest.n);
    if (rest.n && rest.p[0] == '[') { /* extras */
        (void)str_cut(&rest, ']');
        if (!rest.p)
            return false;
    }
    rest = skip_blanks(rest);
    w->torch = w->torch || str_eq(name, STR("torch"));
    w->tensorflow = w->tensorflow || str_eq(name, STR("tensorflow"));
    w->onnxruntime = w->onnxruntime || str_eq(name, STR("onnxruntime_gpu"));
    if (rest.n && rest.p[0] == '@') /* an address */
        return true;
    while (rest.n)
        if (!take_bound(w, name, &rest))
            return false;
    return true;
}

unsigned wish_add_file(struct wish *w, struct arena *a, struct str text)
{
    for (unsigned at = 1; text.n; at++) {
        struct str line = str_cut(&text, '\n');
        const char *comment = line.n ? memchr(line.p, '#', line.n) : NULL;
        if (comment)
            line = str_slice(line, 0, (size_t)(comment - line.p));
        if (line.n && line.p[line.n - 1] == '\r')
            line = str_slice(line, 0, line.n - 1);
        line = str_trim(line);
        /* Options, and hashes that continue a line. */
        if (!line.n || line.p[0] == '-')
            continue;
        if (line.p[line.n - 1] == '\\')
            line = str_trim(str_slice(line, 0, line.n - 1));
        if (!wish_add(w, a, line))
            return at;
    }
    return 0;
}

/* ---- bounds ------------------------------------------------------------- */

/* "2.0.*" and "2.0" against 2.0.1: equal as far as the bound goes. */
static bool equal_so_far(struct str version, struct str bound, bool prefix)
{
    struct str v = version, b = bound;

    v = str_cut(&v, '+');
    b = str_cut(&b, '+');
    if (str_ends(b, STR(".*"))) {
        b = str_slice(b, 0, b.n - 2);
        prefix = true;
    }
    if (prefix && str_starts(v, b) && (v.n == b.n || v.p[b.n] == '.'))
        return true;
    return release_compare(v, b) == 0;
}

static bool meets(struct str version, const struct bound *b)
{
    int c = release_compare(version, b->version);

    if (strcmp(b->op, "==") == 0)
        return equal_so_far(version, b->version, false);
    if (strcmp(b->op, "!=") == 0)
        return !equal_so_far(version, b->version, false);
    if (strcmp(b->op, "~=") == 0)
        return c >= 0 &&
               str_eq(release_minor(version), release_minor(b->version));
    return strcmp(b->op, ">=") == 0   ? c >= 0
           : strcmp(b->op, "<=") == 0 ? c <= 0
           : strcmp(b->op, ">") == 0  ? c > 0
                                      : c < 0;
}

/* A version that is not known meets no bound. */
static bool allowed(const struct wish *w, const char *name, struct str version)
{
    for (size_t i = 0; i < w->n; i++)
        if (str_eq(w->bounds[i].name, str_from_cstr(name)) &&
            !(version.n && meets(version, &w->bounds[i])))
            return false;
    return true;
}

/* The CUDA in "torch==2.0.1+cu118"; "" if no bound names one. */
static struct str local_cuda(const struct wish *w, struct arena *a)
{
    struct str cuda = STR("");

    for (size_t i = 0; i < w->n && !cuda.n; i++)
        if (str_eq(w->bounds[i].name, STR("torch")))
            cuda = release_cuda(w->bounds[i].version, a);
    return cuda;
}

/* The numpy that the bounds pin, or the major that they leave; "": they leave
 * both, and what the frameworks take is free to choose. */
static struct str numpy_of(const struct wish *w)
{
    bool one = true, two = true;

    for (size_t i = 0; i < w->n; i++) {
        const struct bound *b = &w->bounds[i];
        int c = release_compare(b->version, STR("2"));
        if (!str_eq(b->name, STR("numpy")))
            continue;
        if (strcmp(b->op, "==") == 0)
            return b->version;
        if (b->op[0] == '>' || b->op[0] == '~')
            one = one && c < 0;
        if (b->op[0] == '~')
            two = two && c >= 0;
        if (b->op[0] == '<')
            two = two && (c > 0 || (c == 0 && b->op[1]));
    }
    return one == two ? STR("") : one ? STR("1") : STR("2");
}

/* ---- candidates --------------------------------------------------------- */

struct solving {
    struct judgement *j;
    const struct wish *w;
    struct solution *out;
    enum fit most;         /* that is taken */
    struct judgement best; /* of those that are not */
    size_t best_misfits;
    struct stack s;
    struct str want_cuda;
    bool found;
};

static size_t misfits(const struct judgement *j)
{
    size_t n = 0;

    for (size_t i = 0; i < j->n; i++)
        n += j->v[i].fit == FIT_NO;
    return n;
}

/* Judges the stack; true when it is taken. */
static bool try_stack(struct solving *x)
{
    struct judgement j = *x->j;

    j.v = NULL;
    j.n = j.cap = 0;
    judge(&j, &x->s);
    if (judged(&j) <= x->most) {
        x->j->v = j.v;
        x->j->n = j.n;
        x->out->stack = x->s;
        x->found = true;
        return true;
    }
    if (!x->best.v || misfits(&j) < x->best_misfits) {
        x->best = j;
        x->best_misfits = misfits(&j);
    }
    return false;
}

/* The version that is pinned, if it is of one of these minor versions: a row is
 * of all their patches. */
static struct str pinned(const struct wish *w, const char *name,
                         struct str from, struct str to)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct bound *b = &w->bounds[i];
        struct str minor = release_minor(b->version);
        if (str_eq(b->name, str_from_cstr(name)) && strcmp(b->op, "==") == 0 &&
            release_compare(minor, from) >= 0 &&
            release_compare(minor, to) <= 0)
            return b->version;
    }
    return STR("");
}

/* The newest onnxruntime-gpu that fits; without one that was asked for. */
static bool with_onnxruntime(struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_onnxruntime];

    if (!x->w->onnxruntime)
        return try_stack(x);
    for (size_t i = 0; i < t->n; i++) {
        struct str to = compat_value(t, i, "to"),
                   from = compat_value(t, i, "from");
        x->s.onnxruntime = allowed(x->w, "onnxruntime_gpu", to)     ? to
                           : allowed(x->w, "onnxruntime_gpu", from) ? from
                                                                    : STR("");
        if (!x->s.onnxruntime.n)
            x->s.onnxruntime = pinned(x->w, "onnxruntime_gpu", from, to);
        if (x->s.onnxruntime.n && try_stack(x))
            return true;
    }
    return false;
}

/* Maintained Pythons, the newest first; the one that is given, alone. */
static bool with_python(struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_python];

    x->s.python = x->w->given.python;
    if (x->s.python.n)
        return with_onnxruntime(x);
    for (size_t i = t->n; i-- > 0;) {
        x->s.python = compat_value(t, i, "python");
        if (with_onnxruntime(x))
            return true;
    }
    return false;
}

/* The row's own release, or the patch of it that is pinned; "": it is not
 * allowed. */
static struct str tensorflow_of(const struct wish *w, struct str row)
{
    struct str minor = release_minor(row);

    if (allowed(w, "tensorflow", row))
        return row;
    struct str patch = pinned(w, "tensorflow", minor, minor);
    return str_eq(patch, minor) ? row : patch;
}

/* What of this must be on the machine because the wheels do not bring it. */
static struct str needed(const struct table *t, size_t row, const char *column)
{
    return str_eq(compat_value(t, row, "wheels"), STR("no"))
               ? compat_value(t, row, column)
               : STR("");
}

static bool with_tensorflow(struct solving *x)
{
    const struct table *t = &x->j->tables->v[TABLE_tensorflow];

    if (!x->w->tensorflow)
        return with_python(x);
    for (size_t i = 0; i < t->n; i++) {
        struct str version =
            tensorflow_of(x->w, compat_value(t, i, "tensorflow"));
        if (!version.n)
            continue;
        x->s.tensorflow = version;
        if (!x->w->given.toolkit.n)
            x->s.toolkit = needed(t, i, "cuda");
        if (with_python(x))
            return true;
    }
    return false;
}

/* The last of the list is the newest. */
static bool with_cuda(struct solving *x, struct str list)
{
    while (list.n) {
        const char *comma = memrchr(list.p, ',', list.n);
        size_t from = comma ? (size_t)(comma - list.p) + 1 : 0;
        x->s.torch_cuda = str_slice(list, from, list.n);
        list = str_slice(list, 0, from ? from - 1 : 0);
        if (x->want_cuda.n && !str_eq(x->want_cuda, x->s.torch_cuda))
            continue;
        if (with_tensorflow(x))
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
        struct str version = compat_value(t, i, "torch"),
                   vision = compat_value(t, i, "torchvision"),
                   audio = compat_value(t, i, "torchaudio");
        if (!allowed(x->w, "torch", version) ||
            !allowed(x->w, "torchvision", vision) ||
            !allowed(x->w, "torchaudio", audio))
            continue;
        x->s.torch = version;
        x->s.torchvision = vision;
        x->s.torchaudio = audio;
        if (with_cuda(x, compat_value(t, i, "cuda")))
            return true;
    }
    return false;
}

/* The driver that the set needs, and the branch to take: the newest long-term
 * one that is maintained and knows the GPU. */
static void choose_driver(struct solving *x)
{
    const struct table *cuda = &x->j->tables->v[TABLE_cuda],
                       *t = &x->j->tables->v[TABLE_drivers],
                       *gpus = &x->j->tables->v[TABLE_gpus],
                       *tensorflow = &x->j->tables->v[TABLE_tensorflow];
    struct str of = x->out->stack.torch_cuda;
    struct str last = compat_value(
        gpus, compat_row(gpus, x->out->stack.capability), "last_driver");

    if (!of.n)
        of = compat_value(
            tensorflow, compat_minor_row(tensorflow, x->out->stack.tensorflow),
            "cuda");
    x->out->oldest_driver = STR("");
    x->out->branch = STR("");
    if (of.n)
        x->out->oldest_driver = compat_value(
            cuda, compat_row(cuda, release_minor(of)), "oldest_driver");
    for (size_t i = 0; i < t->n; i++) {
        struct str branch = compat_value(t, i, "branch"),
                   ends = compat_value(t, i, "ends");
        if (str_eq(compat_value(t, i, "kind"), STR("long-term")) &&
            str_compare(ends, str_from_cstr(x->j->today)) >= 0 &&
            (!last.n || release_compare(branch, last) <= 0)) {
            x->out->branch = branch;
            x->out->branch_ends = ends;
        }
    }
}

/* What is to be installed beside the frameworks. */
static void add_needs(struct solving *x)
{
    const struct table *torch = &x->j->tables->v[TABLE_torch],
                       *t = &x->j->tables->v[TABLE_tensorflow];
    size_t i = compat_row(torch, x->out->stack.torch),
           k = compat_minor_row(t, x->out->stack.tensorflow);

    x->out->numpy_1 = str_eq(compat_value(torch, i, "numpy"), STR("1")) ||
                      str_eq(compat_value(t, k, "numpy"), STR("1"));
    x->out->toolkit = needed(t, k, "cuda");
    x->out->cudnn = needed(t, k, "cudnn");
}

/* No row was a candidate: what is asked for is judged as it stands, so that the
 * reasons say what no table knows. */
static void judge_the_unknown(struct judgement *j, const struct wish *w)
{
    struct stack s = w->given;

    for (size_t i = 0; i < w->n; i++) {
        const struct bound *b = &w->bounds[i];
        if (str_eq(b->name, STR("torch")))
            s.torch = b->version;
        else if (str_eq(b->name, STR("tensorflow")))
            s.tensorflow = b->version;
        else if (str_eq(b->name, STR("onnxruntime_gpu")))
            s.onnxruntime = b->version;
    }
    judge(j, &s);
}

bool solve(struct judgement *j, const struct wish *w, struct solution *out)
{
    static const enum fit passes[] = {FIT_YES, FIT_UNKNOWN, FIT_LIMITED};
    struct solving x = {.j = j, .w = w, .out = out};

    x.want_cuda = local_cuda(w, j->arena);
    for (size_t i = 0; i < COUNT(passes) && !x.found; i++) {
        x.most = passes[i];
        x.s = w->given;
        x.s.numpy = numpy_of(w);
        (void)with_torch(&x);
    }
    if (x.found) {
        add_needs(&x);
        choose_driver(&x);
    } else if (x.best.v) {
        j->v = x.best.v;
        j->n = x.best.n;
    } else {
        judge_the_unknown(j, w);
    }
    return x.found;
}
