#include "import/torch/unknowns_internal.h"

#include <stdio.h>
#include <string.h>

/* Primes that no layer has, at least 60 apart. */
static const int64_t markers[] = {
    199,  331,  463,  587,  719,  853,  983,  1117, 1249, 1381, 1511, 1657,
    1787, 1931, 2069, 2203, 2333, 2473, 2609, 2741, 2879, 3011, 3163, 3299,
    3433, 3571, 3709, 3847, 3989, 4127, 4261, 4397, 4547, 4679, 4813, 4951};

/* By which networks are made wider or narrower. */
static const double factors[] = {1,    0.5, 0.75, 0.25, 1.4, 1.25, 1.5,
                                 0.35, 1.3, 2,    1.1,  4,   3,    0.125};

struct unknown *unknown_find(struct unknowns *all, struct str path)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->list[i].path, path))
            return &all->list[i];
    return NULL;
}

/* ---- making one ---------------------------------------------------------- */

static struct unknown *add(struct py *py, struct unknowns *all, struct str path)
{
    if (all->n == MAX_UNKNOWNS) {
        (void)py_fail(py, ERR_LIMIT, "too much of the source is not known");
        return NULL;
    }
    struct unknown *u = &all->list[all->n];
    char *kept = arena_cstr(py->arena, path);
    if (!kept)
        return NULL;
    *u = (struct unknown){.path = str_from_cstr(kept)};
    all->n++;
    return u;
}

static struct val *set_known(struct py *py, struct unknowns *all,
                             struct str path, struct val *value)
{
    struct unknown *u = unknown_find(all, path);

    u = u ? u : add(py, all, path);
    if (!u)
        return NULL;
    u->kind = UNKNOWN_CHOICE;
    u->value = value;
    u->known = true;
    return value;
}

static void add_option(struct unknown *u, struct val *v)
{
    for (size_t i = 0; i < u->n_options; i++)
        if (u->options[i]->kind == v->kind && py_equal(u->options[i], v))
            return;
    if (u->n_options < MAX_OPTIONS)
        u->options[u->n_options++] = v;
}

static void add_options(struct py *py, struct unknown *u, struct val *hint)
{
    for (size_t i = 0; hint && i < hint->as.items.n; i++)
        add_option(u, hint->as.items.v[i]);
    if (hint && hint->as.items.n == 1)
        add_option(u, hint->as.items.v[0]->kind == VAL_BOOL
                          ? py_bool(py, !hint->as.items.v[0]->as.boolean)
                          : py_str(py, STR("something else")));
}

/* getattr(models, name): what it mostly is. */
static void add_architectures(struct py *py, struct unknown *u)
{
    static const char *const names[] = {
        "resnet18",     "resnet50",        "resnet34",      "resnet101",
        "vgg16",        "vgg19",           "mobilenet_v2",  "densenet121",
        "resnet152",    "efficientnet_b0", "vgg16_bn",      "alexnet",
        "vgg11",        "vgg13",           "squeezenet1_0", "densenet169",
        "inception_v3", "googlenet",       "vgg11_bn",      "wide_resnet50_2"};

    for (size_t i = 0; i < COUNT(names); i++)
        add_option(u, py_text(py, names[i]));
}

static struct val *elements(struct py *py, const struct unknown *u, size_t n)
{
    struct val *out = py_list(py, VAL_LIST, n);

    for (size_t i = 0; out && i < n; i++) {
        char text[200];
        (void)snprintf(text, sizeof(text), STR_FMT "[%zu]",
                       (int)(u->path.n < 160 ? u->path.n : 160), u->path.p, i);
        char *kept = arena_cstr(py->arena, str_from_cstr(text));
        if (!kept || !py_append(py, out, py_unknown(py, str_from_cstr(kept))))
            return NULL;
    }
    return out;
}

static void mark(struct py *py, struct unknowns *all, struct unknown *u)
{
    u->kind = UNKNOWN_NUMBER;
    if (unknown_counts_things(u->path) || all->n_markers == COUNT(markers)) {
        u->kind = UNKNOWN_COUNT;
        u->value = u->usual ? u->usual : py_int(py, 1);
        return;
    }
    u->marker = markers[all->n_markers++];
    u->value = py_int(py, u->marker);
}

static void list_of(struct py *py, struct unknown *u, struct val *hint)
{
    int64_t n = 2;

    u->kind = UNKNOWN_LENGTH;
    u->known = hint && py_to_int(hint, &n);
    u->value = elements(py, u, n > 0 && n < 64 ? (size_t)n : 2);
}

static void begin(struct py *py, struct unknowns *all, struct unknown *u,
                  enum py_want want, struct val *hint)
{
    switch (want) {
    case WANT_NUMBER:
        mark(py, all, u);
        break;
    case WANT_COUNT:
        u->kind = UNKNOWN_COUNT;
        u->value = py_int(py, 1);
        break;
    case WANT_CHOICE:
        u->kind = UNKNOWN_CHOICE;
        if (hint)
            add_options(py, u, hint);
        else
            add_architectures(py, u);
        u->value = u->n_options ? u->options[0] : &py->none;
        break;
    case WANT_LENGTH:
        list_of(py, u, hint);
        break;
    case WANT_MAPPING:
        u->kind = UNKNOWN_CHOICE;
        u->value = py_dict(py);
        u->known = true;
        break;
    case WANT_TRUTH:
    case WANT_CALL:
    case WANT_KNOWN:
    case WANT_TEXT:
    case WANT_IS:
        u->kind = UNKNOWN_CHOICE;
        add_option(u, &py->no);
        add_option(u, &py->yes);
        u->value = &py->no;
        break;
    }
}

void unknown_with_default(struct trace *t, struct str path, struct val *usual)
{
    struct py *py = &t->py;
    struct unknown *u = unknown_find(t->unknowns, path);
    struct val *told = u ? NULL : unknown_told(t->unknowns, path);

    if (told)
        (void)set_known(py, t->unknowns, path, told);
    u = u || told ? u : add(py, t->unknowns, path);
    if (!u)
        return;
    u->usual = usual;
    u->value = usual;
    if (usual->kind == VAL_INT) {
        mark(py, t->unknowns, u);
        return;
    }
    u->kind = UNKNOWN_CHOICE;
    add_option(u, usual);
    if (usual->kind == VAL_BOOL)
        add_option(u, py_bool(py, !usual->as.boolean));
    for (size_t i = 0; usual->kind == VAL_FLOAT && i < COUNT(factors); i++)
        add_option(u, py_float(py, factors[i]));
    if (usual->kind != VAL_LIST && usual->kind != VAL_TUPLE)
        return;
    u->kind = UNKNOWN_LENGTH;
    u->n_options = 0;
    u->value = elements(py, u, usual->as.items.n);
    for (size_t i = 0; u->value && i < usual->as.items.n; i++)
        if (usual->as.items.v[i]->kind == VAL_INT)
            unknown_with_default(t, u->value->as.items.v[i]->as.text,
                                 usual->as.items.v[i]);
}

void unknown_likely(struct trace *t, struct str path, struct val *usual)
{
    struct unknown *u = unknown_find(t->unknowns, path);
    struct val *v = u ? NULL : unknown_told(t->unknowns, path);

    if (v)
        (void)set_known(&t->py, t->unknowns, path, v);
    if (u || v || t->py.failed)
        return;
    if (usual->kind != VAL_INT) {
        unknown_with_default(t, path, usual);
        return;
    }
    u = add(&t->py, t->unknowns, path);
    if (!u)
        return;
    u->kind = UNKNOWN_NUMBER;
    u->usual = u->value = usual;
    u->likely = true;
}

bool unknown_doubt(struct trace *t)
{
    bool any = false;

    for (size_t i = 0; i < t->unknowns->n; i++)
        if (t->unknowns->list[i].likely) {
            t->unknowns->list[i].likely = false;
            mark(&t->py, t->unknowns, &t->unknowns->list[i]);
            any = true;
        }
    return any;
}

bool unknown_option(struct trace *t, struct unknown *u, size_t i)
{
    struct py *py = &t->py;

    switch (u->kind) {
    case UNKNOWN_NUMBER:
        return false;
    case UNKNOWN_COUNT:
        u->value = py_int(py, (int64_t)i + 1);
        return i < MAX_COUNT;
    case UNKNOWN_CHOICE:
        if (i < u->n_options)
            u->value = u->options[i];
        return i < u->n_options;
    case UNKNOWN_LENGTH:
        u->value = elements(py, u, i + 1);
        return i < MAX_LENGTH;
    }
    return false;
}

/* ---- answers ------------------------------------------------------------- */

static struct val *not_here(struct py *py, struct str path)
{
    return py_fail(py, ERR_UNSUPPORTED,
                   "'%.*s' is not known here; only functions and classes of "
                   "torch and of the given source are",
                   path.n < 100 ? (int)path.n : 100, path.p);
}

static struct val *not_known(struct py *py, struct str path)
{
    int n = path.n < 100 ? (int)path.n : 100;

    if (unknown_is_name(path) && !memchr(path.p, '.', path.n))
        return py_fail(py, ERR_NOT_FOUND,
                       "the name '%.*s' is not known: nothing defines it, and "
                       "the weights do not show it; --init '{\"%.*s\": ...}' "
                       "says it",
                       n, path.p, n, path.p);
    if (path.p[path.n - 1] == ')')
        return not_here(py, path);
    return py_fail(py, ERR_NOT_FOUND,
                   "'%.*s' is not known: --init '{\"%.*s\": ...}' says it", n,
                   path.p, n, path.p);
}

/* It was taken for something else before. */
static void reconsider(struct py *py, struct unknowns *all, struct unknown *u,
                       enum py_want want, struct val *hint)
{
    bool flag = u->kind == UNKNOWN_CHOICE && u->n_options == 2 &&
                u->options[0]->kind == VAL_BOOL;

    if (u->known)
        return;
    if (want == WANT_COUNT && u->kind == UNKNOWN_NUMBER && !u->likely) {
        u->kind = UNKNOWN_COUNT;
        u->marker = 0;
        u->value = u->usual ? u->usual : py_int(py, 1);
    }
    if (want == WANT_CHOICE && u->kind == UNKNOWN_CHOICE && !flag)
        add_options(py, u, hint);
    else if (u->usual)
        return;
    else if (flag && want != WANT_TRUTH && want != WANT_KNOWN)
        begin(py, all, u, want, hint);
    else if (want == WANT_LENGTH && u->kind != UNKNOWN_LENGTH)
        list_of(py, u, hint);
}

static struct val *known_already(struct py *py, struct unknowns *all,
                                 struct str path)
{
    struct unknown *u = unknown_find(all, path);

    if (u && u->value)
        return u->known || u->kind == UNKNOWN_LENGTH ||
                       u->value->kind == VAL_STR
                   ? u->value
                   : NULL; /* a word has methods, whichever it is */
    struct val *v = unknown_told(all, path);
    v = v ? v : unknown_of_input(py, all, path, WANT_KNOWN);
    return v ? set_known(py, all, path, v) : NULL;
}

/* What a package that is not here makes may be of no account (a metric, a
 * logger); what PyTorch makes is not, nor is a class of the person's own. */
static bool may_be_called(const struct trace *t, struct str path)
{
    return t->py.constructing &&
           (!unknown_is_name(path) || memchr(path.p, '.', path.n)) &&
           !str_starts(path, STR("torch.")) &&
           !str_starts(path, STR("torchvision."));
}

/* SynchronizedBatchNorm2d of whichever package is a BatchNorm2d. */
static struct val *norm_of_others(struct trace *t, struct str path)
{
    static const struct str names[] = {STR_INIT("BatchNorm1d"),
                                       STR_INIT("BatchNorm2d"),
                                       STR_INIT("BatchNorm3d")};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_ends(path, names[i]))
            return library_find(&t->py, names[i]);
    return NULL;
}

static struct val *called(struct trace *t, struct str path)
{
    struct unknowns *all = t->unknowns;
    struct val *norm = norm_of_others(t, path);

    if (norm)
        return norm;
    if (!may_be_called(t, path))
        return memchr(path.p, '.', path.n) ? not_here(&t->py, path)
                                           : not_known(&t->py, path);
    if (!all->foreign[0] && !unknown_find(all, path))
        (void)snprintf(all->foreign, sizeof(all->foreign), "'%.*s'",
                       (int)(path.n < 90 ? path.n : 90), path.p);
    return py_unknown(&t->py, path);
}

/* Whichever of the words that fit it was, it is none of those. */
static bool all_differ(const struct unknown *u, enum py_want want,
                       const struct val *hint)
{
    if (want != WANT_CHOICE || !hint)
        return false;
    for (size_t k = 0; k < hint->as.items.n; k++) {
        if (py_equal(u->value, hint->as.items.v[k]))
            return false;
        for (size_t i = 0; i < u->n_options; i++)
            if (u->alike[i] && py_equal(u->options[i], hint->as.items.v[k]))
                return false;
    }
    return true;
}

static struct val *settle(struct py *py, struct str path, enum py_want want,
                          struct val *hint)
{
    struct trace *t = trace_of(py);
    struct unknowns *all = t->unknowns;

    if (!all && (want == WANT_KNOWN || want == WANT_IS || want == WANT_TEXT))
        return NULL;
    if (want == WANT_NUMBER && str_ends(path, STR(".shape")))
        want = WANT_LENGTH; /* torch.ones(x.size()) */
    if (!all) {
        struct val *v = unknown_habit(py, path);
        return v || py->failed ? v : not_known(py, path);
    }
    struct val *weights = want == WANT_IS || want == WANT_CALL
                              ? NULL
                              : unknown_state_dict(t, all, path);
    if (weights || py->failed)
        return weights;
    if (want == WANT_IS)
        return set_known(py, all, path, hint);
    if (want == WANT_KNOWN)
        return known_already(py, all, path);
    if (want == WANT_TEXT) {
        struct unknown *now = unknown_find(all, path);
        return now && now->value ? now->value : known_already(py, all, path);
    }
    if (want == WANT_CALL)
        return called(t, path);
    struct unknown *u = unknown_find(all, path);
    if (u && u->doubtful && !t->py.constructing)
        return all_differ(u, want, hint) ? u->value : not_known(py, path);
    if (u && u->value) {
        reconsider(py, all, u, want, hint);
        return u->value;
    }
    struct val *v = unknown_told(all, path);
    v = v ? v : unknown_of_input(py, all, path, want);
    v = v || py->failed ? v : unknown_habit(py, path);
    if (v)
        return set_known(py, all, path, v);
    v = want == WANT_NUMBER ? unknown_steps(py, all, path) : NULL;
    if (v && !u && all->growing && t->py.constructing) {
        unknown_likely(t, path, v);
        return py->failed ? NULL : v;
    }
    if (v)
        return set_known(py, all, path, v);
    if (!all->growing || !t->py.constructing)
        return not_known(py, path);
    u = u ? u : add(py, all, path);
    if (!u)
        return NULL;
    begin(py, all, u, want, hint);
    return u->value;
}

/* Lists are copies: the source may change them, and they outlive it. */
struct val *unknown_settle(struct py *py, struct str path, enum py_want want,
                           struct val *hint)
{
    struct val *v = settle(py, path, want, hint);
    bool shared = v && (v->kind == VAL_LIST || v->kind == VAL_TUPLE ||
                        v->kind == VAL_DICT);
    struct val *copy =
        shared && want != WANT_IS ? unknown_copy(py, v, 0) : NULL;

    return copy ? copy : py->failed ? NULL : v;
}
