/* Weights alone, or a pickled module, and the class from a person's source or
 * from the library: construct, compare names and shapes, bind. */
#include "import/torch/source_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/sort.h"

/* ---- weights ------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct weight *x = a, *y = b;

    return str_compare(x->name, y->name);
}

void weights_sort(struct weights *w)
{
    sort_items(w->list, w->n, sizeof(*w->list), by_name);
}

struct weight *weights_find(const struct weights *w, struct str name)
{
    struct weight key = {.name = name};
    size_t low = 0, high = w->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = by_name(&w->list[middle], &key);
        if (c == 0)
            return &w->list[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* All names begin with the same word and a dot: that word. */
struct str weights_prefix(const struct weights *w)
{
    const char *dot =
        w->n ? memchr(w->list[0].name.p, '.', w->list[0].name.n) : NULL;
    struct str prefix = {NULL, 0};

    if (!dot)
        return prefix;
    prefix =
        str_slice(w->list[0].name, 0, (size_t)(dot - w->list[0].name.p) + 1);
    for (size_t i = 1; i < w->n; i++)
        if (!str_starts(w->list[i].name, prefix))
            return (struct str){NULL, 0};
    return prefix;
}

void weights_strip(struct weights *w, size_t n)
{
    for (size_t i = 0; i < w->n; i++)
        w->list[i].name = str_slice(w->list[i].name, n, w->list[i].name.n);
}

/* ---- comparing and binding ----------------------------------------------- */

/* Counters that old files lack and profilers leave behind. */
static bool of_no_account(struct str name)
{
    return str_ends(name, STR("num_batches_tracked")) ||
           str_ends(name, STR("total_ops")) ||
           str_ends(name, STR("total_params"));
}

/* Tables that some versions of a class kept in the file and others make. */
static bool is_table(const struct weight *w)
{
    const struct shape *s = &w->tensor.shape;

    return str_ends(w->name, STR("position_ids")) ||
           str_ends(w->name, STR("masked_bias")) ||
           str_ends(w->name, STR("inv_freq")) ||
           (s->rank == 4 && s->dim[0] == 1 && s->dim[1] == 1 && s->dim[2] > 1 &&
            s->dim[2] == s->dim[3]);
}

struct comparison {
    struct trace *t;
    struct weights *w;
    struct fit *fit;
    bool bind;
};

static void difference(struct fit *fit, const char *what, struct str name,
                       const struct shape *has, const struct shape *want)
{
    struct buf b;

    if (fit->n_differences++ >= 6 || fit->used >= sizeof(fit->text) - 1)
        return;
    buf_init(&b, 600);
    buf_printf(&b, "%s%s %.*s", fit->used ? "; " : "", what,
               name.n < 100 ? (int)name.n : 100, name.p);
    if (has) {
        buf_putc(&b, ' ');
        shape_format(&b, has, NULL);
    }
    if (want) {
        buf_puts(&b, " in the class, ");
        shape_format(&b, want, NULL);
        buf_puts(&b, " in the file");
    }
    int n = snprintf(fit->text + fit->used, sizeof(fit->text) - fit->used,
                     "%.*s", (int)b.n, b.p);
    fit->used += n > 0 ? (size_t)n : 0;
    buf_fini(&b);
}

/* What load_state_dict() does: the values become those of the parameter's
 * type. */
static void bind(struct comparison *c, struct ten *x, const struct tensor *w)
{
    struct ten *value = ten_constant(c->t, w);

    if (x->open.n) {
        x->shape = w->shape;
        x->type = w->type;
        x->open.n = 0;
    }
    if (w->type != x->type && dtype_is_float(w->type)) {
        void *data;
        struct ten *y = ten_room(c->t, x->type, &w->shape, &data);
        for (size_t i = 0; data && i < w->count; i++)
            ten_put(data, x->type, i, ten_f64(value, i));
        value = y;
    }
    x->type = value->type;
    x->data = value->data;
    x->name = NULL;
    x->meta = false;
    x->base = NULL;
    x->version++;
}

/* The file has something of that part: "head.weight" for "head.0.weight". */
static bool is_part_known(const struct weights *w, struct str name)
{
    struct str rest = name, part = str_cut(&rest, '.');

    for (size_t i = 0; i < w->n; i++)
        if (str_starts(w->list[i].name, part) &&
            (w->list[i].name.n == part.n || w->list[i].name.p[part.n] == '.'))
            return true;
    return false;
}

static bool compare(void *ctx, struct str name, struct val *tensor)
{
    struct comparison *c = ctx;
    struct ten *x = ten_of(tensor);
    struct weight *w = weights_find(c->w, name);

    c->fit->expected++;
    c->fit->related = c->fit->related || w || is_part_known(c->w, name);
    if (!w) {
        if (!of_no_account(name))
            difference(c->fit, "only in the class:", name, &x->shape, NULL);
        return true;
    }
    c->fit->named++;
    bool first = !w->used;
    w->used = true;
    if (!x->open.n && !shape_eq(&x->shape, &w->tensor.shape) &&
        !(ten_count(x) == 1 && w->tensor.count == 1)) {
        difference(c->fit, "different:", name, &x->shape, &w->tensor.shape);
        return true;
    }
    if (c->w->doubles_matter && w->tensor.type == DTYPE_F64 &&
        x->type == DTYPE_F32) {
        difference(c->fit, "float64 in the file:", name, NULL, NULL);
        return true;
    }
    c->fit->matched += first;
    if (c->bind && !of_no_account(name))
        bind(c, x, &w->tensor);
    return true;
}

bool fit_module(struct trace *t, struct val *module, struct weights *w,
                bool binding, struct fit *fit)
{
    struct comparison c = {t, w, fit, binding};

    *fit = (struct fit){.n_differences = 0};
    for (size_t i = 0; i < w->n; i++)
        w->list[i].used = false;
    if (!module || module->kind != VAL_OBJECT ||
        !klass_named(module->as.object.klass, "Module") ||
        !module_walk(&t->py, module, compare, &c))
        return false;
    for (size_t i = 0; i < w->n; i++)
        if (!w->list[i].used && !of_no_account(w->list[i].name) &&
            !is_table(&w->list[i]))
            difference(fit, "only in the file:", w->list[i].name,
                       &w->list[i].tensor.shape, NULL);
    return fit->n_differences == 0 && fit->matched > 0;
}

/* ---- the person's source ------------------------------------------------- */

struct scope *source_scope(struct trace *t, struct program *p)
{
    struct scope *s = py_scope(&t->py, NULL);

    if (!s || !p->out->options.code.n)
        return s;
    if (!p->source &&
        py_parse(p->out->options.code, p->arena, &p->source, t->err)) {
        t->py.failed = true;
        return NULL;
    }
    return py_load_parsed(&t->py, p->source, s, PY_LENIENT) ? s : NULL;
}

/* ---- pickled modules ----------------------------------------------------- */

static struct klass *module_class(struct trace *t, struct str name)
{
    struct scope *s = t->names_data;
    struct val *v = table_find(&s->names, str_behind_last(name, '.'));
    struct klass *k;

    if (v && v->kind == VAL_CLASS)
        return v->as.klass;
    k = str_starts(name, STR("torch.")) || str_starts(name, STR("torchvision."))
            ? library_class(&t->py, name)
            : NULL;
    if (!k)
        (void)py_fail(&t->py, ERR_UNSUPPORTED,
                      "the class %.*s is not in the file%s",
                      name.n < 200 ? (int)name.n : 200, name.p,
                      s->names.n ? " and not in --code" : "");
    return k;
}

static struct val *make_module(struct trace *t, struct program *p)
{
    struct scope *s = source_scope(t, p);

    if (!s)
        return NULL;
    t->names_data = s;
    return module_value(t, p, p->root, module_class);
}

/* Older files hold the source of their classes. */
static void embedded_source(struct program *p, const struct pickle *v,
                            struct buf *out, int depth)
{
    const struct pickle *source;

    if (!v || depth > 40 || p->file->work++ > TORCH_MAX_WORK)
        return;
    source =
        v->kind == PICKLE_OBJECT && v->callable ? v->callable->state : NULL;
    if (pickle_is(source, PICKLE_STR) &&
        !str_starts(pickle_name(v), STR("torch.")) &&
        !memmem(out->p ? out->p : "", out->n, source->text.p, source->text.n)) {
        buf_put(out, source->text);
        buf_putc(out, '\n');
    }
    for (size_t i = 0; i < v->n; i++)
        embedded_source(p, v->items[i], out, depth + 1);
    embedded_source(p, v->state, out, depth + 1);
}

static enum errc use_embedded(struct program *p)
{
    static const struct str imports =
        STR_INIT("import math\nimport torch\nimport torch.nn as nn\n"
                 "import torch.nn.functional as F\nfrom torch import nn\n"
                 "from torch.autograd import Variable\nimport numpy as np\n");
    struct buf b;
    enum errc rc = ERR_OK;

    buf_init(&b, PY_MAX_TEXT);
    embedded_source(p, p->root, &b, 0);
    if (b.n && !p->out->options.code.n) {
        struct buf all;
        buf_init(&all, PY_MAX_TEXT);
        buf_put(&all, imports); /* the file has the class alone */
        buf_put(&all, buf_str(&b));
        char *text = arena_cstr(p->arena, buf_str(&all));
        if (text && !all.failed)
            p->out->options.code = str_from_cstr(text);
        else
            rc = err_set(p->err, ERR_LIMIT, "the source is too long");
        buf_fini(&all);
    }
    buf_fini(&b);
    return rc;
}

static enum errc import_module(struct program *p)
{
    enum errc rc = use_embedded(p);

    p->make = make_module;
    return rc ? rc : program_run(p);
}

enum errc source_import(struct program *p)
{
    if (pickle_is(p->root, PICKLE_OBJECT))
        return import_module(p);
    weights_sort(&p->weights);
    for (struct str prefix;
         (prefix = weights_prefix(&p->weights)).n &&
         (str_eq(prefix, STR("module.")) || str_eq(prefix, STR("_orig_mod.")));)
        weights_strip(&p->weights, prefix.n);
    enum errc rc = find_class(p);
    return rc ? rc : program_run(p);
}
