/* What is said of an unknown value: by a person, by the checkpoint, by the
 * shape of the input, by habit and by what it is called. */
#include <string.h>

#include "import/torch/unknowns_internal.h"

enum { MAX_LOOK = 6, MAX_WORDS = 2000 };

static bool contains(struct str s, const char *word)
{
    return memmem(s.p, s.n, word, strlen(word)) != NULL;
}

/* Does the last part of the path hold one of the words? */
static bool speaks_of(struct str path, const char *const *words, size_t n)
{
    struct str last = str_behind_last(path, '.');

    for (size_t i = 0; i < n; i++)
        if (contains(last, words[i]))
            return true;
    return false;
}

bool unknown_is_idle(struct str path)
{
    static const char *const words[] = {
        "seed",  "lr",    "learning", "batch",    "epoch",  "device",
        "name",  "path",  "verbose",  "log",      "init",   "pretrain",
        "debug", "optim", "crit",     "loss",     "drop",   "freeze",
        "train", "grad",  "momentum", "gpu",      "cuda",   "print",
        "save",  "load",  "worker",   "schedule", "weights"};

    return speaks_of(path, words, COUNT(words));
}

bool unknown_is_name(struct str s)
{
    return s.n && !memchr(s.p, '[', s.n) && !memchr(s.p, '(', s.n);
}

/* Of these there are few, and no shape shows how many. */
bool unknown_counts_things(struct str path)
{
    static const char *const words[] = {
        "layers", "depth", "blocks", "head", "n_layer", "num_layer", "repeat"};

    return speaks_of(path, words, COUNT(words));
}

bool unknown_scales_widths(struct str path)
{
    static const char *const words[] = {"width", "mult", "ratio", "expan",
                                        "multiplier"};

    return speaks_of(path, words, COUNT(words));
}

bool unknown_is_array(struct str path)
{
    static const char *const arrays[] = {
        "embed", "matrix", "weight", "vector", "pretrain", "glove",
        "w2v",   "adj",    "graph",  "array",  "table",    "laplac"};
    static const char *const numbers[] = {"dim",  "size",  "num",     "n_",
                                          "feat", "width", "channel", "len"};

    return speaks_of(path, arrays, COUNT(arrays)) &&
           !speaks_of(path, numbers, COUNT(numbers));
}

bool unknown_is_number(struct unknowns *all, struct str path)
{
    const struct unknown *u = unknown_find(all, path);

    return u && u->value &&
           (u->kind == UNKNOWN_NUMBER || u->kind == UNKNOWN_COUNT);
}

/* Arguments that no shape shows, by what they are called. */
struct val *unknown_habit(struct py *py, struct str path)
{
    static const char *const off[] = {"pretrain", "freeze", "verbose",
                                      "debug",    "gpu",    "cuda"};
    struct str last = str_behind_last(path, '.');

    if (contains(last, "drop") || str_eq(last, STR("p")))
        return py_float(py, 0);
    if (contains(last, "device") || contains(last, "DEVICE"))
        return py_space(py, STR("cpu"));
    if (speaks_of(path, off, COUNT(off)))
        return &py->no;
    return NULL;
}

/* ---- what the checkpoint says -------------------------------------------- */

static struct val *plain(struct py *py, const struct pickle *v, int depth)
{
    struct val *out;

    switch ((int)v->kind) {
    case PICKLE_NONE:
        return &py->none;
    case PICKLE_BOOL:
        return py_bool(py, v->boolean);
    case PICKLE_INT:
        return py_int(py, v->whole);
    case PICKLE_FLOAT:
        return py_float(py, v->number);
    case PICKLE_STR:
        return py_str(py, v->text);
    case PICKLE_LIST:
    case PICKLE_TUPLE:
        out = py_list(py, v->kind == PICKLE_LIST ? VAL_LIST : VAL_TUPLE, v->n);
        for (size_t i = 0; out && i < v->n; i++) {
            struct val *m = depth < MAX_LOOK && v->n < 100000
                                ? plain(py, v->items[i], depth + 1)
                                : NULL;
            if (!m || !py_append(py, out, m))
                return NULL;
        }
        return out;
    default:
        return NULL;
    }
}

static bool is_map(const struct pickle *v)
{
    return v && (v->kind == PICKLE_DICT || v->kind == PICKLE_CALL);
}

/* Its words mean other things: eps of an optimizer. */
static bool of_training(struct str key)
{
    static const char *const words[] = {"optim", "sched", "scaler", "callback",
                                        "loops"};

    return speaks_of(key, words, COUNT(words));
}

/* The values of a dict and of those within, the outer ones first. */
static void collect_words(struct py *py, const struct pickle *v,
                          struct table *out, int depth)
{
    if (v && v->kind == PICKLE_OBJECT)
        v = v->state;
    if (!is_map(v) || depth > MAX_LOOK || v->n > 2 * MAX_WORDS)
        return; /* tables of weights say nothing, and are long */
    for (size_t i = 0; i + 1 < v->n && out->n < MAX_WORDS; i += 2) {
        struct val *m = pickle_is(v->items[i], PICKLE_STR) &&
                                !table_find(out, v->items[i]->text)
                            ? plain(py, v->items[i + 1], 0)
                            : NULL;
        if (m)
            (void)table_set(py, out, v->items[i]->text, m);
    }
    for (size_t i = 0; i + 1 < v->n; i += 2)
        if (pickle_is(v->items[i], PICKLE_STR) &&
            !of_training(v->items[i]->text))
            collect_words(py, v->items[i + 1], out, depth + 1);
}

struct unknowns *unknowns_new(struct trace *t, const struct program *p,
                              const struct table *init)
{
    struct unknowns *all = arena_new(t->arena, struct unknowns, 1);

    if (!all)
        return NULL;
    all->init = init;
    all->weights = &p->weights;
    all->growing = true;
    if (!program_input_shape(p, &all->input))
        all->input.rank = 0;
    collect_words(&t->py, p->whole, &all->words, 0);
    return t->py.failed ? NULL : all;
}

struct unknowns *unknowns_again(struct trace *t, const struct unknowns *first)
{
    struct unknowns *all = arena_new(t->arena, struct unknowns, 1);

    if (!all)
        return NULL;
    all->words = first->words;
    all->init = first->init;
    all->weights = first->weights;
    all->input = first->input;
    all->growing = true;
    return all;
}

/* def build_model(state_dict): the weights, without their numbers. */
struct val *unknown_state_dict(struct trace *t, const struct unknowns *all,
                               struct str path)
{
    static const char *const names[] = {"state_dict", "sd", "pretrained_dict",
                                        "model_state_dict"};
    const struct weights *w = all->weights;
    bool named = false;

    for (size_t i = 0; i < COUNT(names); i++)
        named = named || str_eq(path, str_from_cstr(names[i]));
    struct val *out = named && w && w->n ? py_dict(&t->py) : NULL;
    for (size_t i = 0; out && i < w->n; i++) {
        const struct tensor *x = &w->list[i].tensor;
        struct ten *y = ten_new(t, x->type, &x->shape);
        y->meta = true;
        if (!py_work(&t->py, 1) ||
            !table_set(&t->py, out->as.dict, w->list[i].name, ten_value(t, y)))
            return NULL;
    }
    return out;
}

/* A record of the input's dimensions without the batch. */
static struct val *dims_of(struct py *py, const struct shape *s)
{
    struct val *out = py_list(py, VAL_TUPLE, 4);

    for (int i = 1; out && i < s->rank; i++)
        (void)py_append(py, out, py_int(py, s->dim[i]));
    return py->failed ? NULL : out;
}

/* [batch, steps, features], and [steps, features]. */
static bool counts_steps(struct str path)
{
    static const char *const words[] = {"seq_len",   "sequence_len", "window",
                                        "timesteps", "time_steps",   "lookback",
                                        "n_steps"};

    return speaks_of(path, words, COUNT(words));
}

/* "window": most likely what --input has, until nothing fits. */
struct val *unknown_steps(struct py *py, const struct unknowns *all,
                          struct str path)
{
    const struct shape *s = &all->input;

    return s->rank > 1 && s->rank < 4 && counts_steps(path) &&
                   unknown_is_name(str_behind_last(path, '.'))
               ? py_int(py, s->dim[s->rank - 2])
               : NULL;
}

/* "input_shape", "img_size": --input says it. */
struct val *unknown_of_input(struct py *py, const struct unknowns *all,
                             struct str path, enum py_want want)
{
    static const char *const lists[] = {"input", "image", "img", "obs"};
    static const char *const sides[] = {"img_size", "image_size",
                                        "imgsz",    "resolution",
                                        "img_dim",  "crop_size"};
    static const char *const heights[] = {"imgH", "img_h", "image_h",
                                          "img_height", "image_height"};
    static const char *const widths[] = {"imgW", "img_w", "image_w",
                                         "img_width", "image_width"};
    const struct shape *s = &all->input;
    struct str last = str_behind_last(path, '.');
    /* X.shape counts the rows too. */
    bool table = str_eq(last, STR("shape")) && !contains(path, "space");

    if (s->rank < 2 || table || contains(path, "action") ||
        !unknown_is_name(last))
        return NULL;
    if ((want == WANT_KNOWN || want == WANT_LENGTH) && contains(last, "shape"))
        return dims_of(py, s);
    if (want == WANT_LENGTH && s->rank > 2 &&
        speaks_of(path, lists, COUNT(lists)))
        return dims_of(py, s);
    if (want == WANT_NUMBER && s->rank == 4 &&
        speaks_of(path, sides, COUNT(sides)))
        return py_int(py, s->dim[3]);
    if (want == WANT_NUMBER && s->rank == 4 &&
        speaks_of(path, heights, COUNT(heights)))
        return py_int(py, s->dim[2]);
    if (want == WANT_NUMBER && s->rank == 4 &&
        speaks_of(path, widths, COUNT(widths)))
        return py_int(py, s->dim[3]);
    return NULL;
}

/* What a person or the file says of it; NULL: nothing. */
struct val *unknown_told(const struct unknowns *all, struct str path)
{
    struct str last = str_behind_last(path, '.');
    struct val *v = all->init ? table_find(all->init, path) : NULL;

    if (v)
        return v;
    if (!unknown_is_name(last))
        return NULL;
    v = all->init ? table_find(all->init, last) : NULL;
    return v ? v : table_find(&all->words, last);
}
