/* Which part of a checkpoint is the model: {"epoch": 3, "state_dict": ...}. */
#include "import/torch/torch.h"

#include "import/torch/program.h"

/* Tensors among the members of a dict. */
static size_t count_tensors(const struct pickle *v)
{
    size_t n = 0;

    for (size_t i = 0; v && i + 1 < v->n; i += 2)
        n += pickle_is(v->items[i], PICKLE_STR) &&
             torch_is_tensor(v->items[i + 1]);
    return n;
}

static bool is_dict(const struct pickle *v)
{
    return v && (v->kind == PICKLE_DICT ||
                 (v->kind == PICKLE_CALL && v->n)); /* OrderedDict */
}

/* The state_dict or the module in a checkpoint. */
const struct pickle *checkpoint_model(const struct pickle *root, int depth)
{
    static const char *const usual[] = {
        "state_dict", "model_state_dict", "model_state", "model",
        "net",        "network",          "model_ema",   "ema",
        "params",     "weights",          "module"};
    const struct pickle *best = root;
    size_t most = count_tensors(root);

    if (!is_dict(root) || depth > 4)
        return root;
    for (size_t i = 0; i < COUNT(usual); i++) {
        const struct pickle *v = pickle_get(root, usual[i]);
        if (pickle_is(v, PICKLE_OBJECT) && pickle_get(v->state, "_modules"))
            return v;
        v = is_dict(v) ? checkpoint_model(v, depth + 1) : v;
        if (is_dict(v) && count_tensors(v) > most)
            return v;
    }
    /* The first that is not small beside the others. */
    for (size_t i = 0; i + 1 < root->n; i += 2)
        if (count_tensors(root->items[i + 1]) > 4 * most) {
            most = count_tensors(root->items[i + 1]);
            best = root->items[i + 1];
        }
    return best;
}

/* The other state_dicts of a checkpoint: {"generator": ..., "critic": ...}. */
size_t checkpoint_others(const struct pickle *v, const struct pickle *taken,
                         const struct pickle **list, size_t n, int depth)
{
    if (!is_dict(v) || depth > 4 || n == CHECKPOINT_OTHERS)
        return n;
    if (v != taken && count_tensors(v) > 1)
        list[n++] = v;
    for (size_t i = 0; i + 1 < v->n && n < CHECKPOINT_OTHERS; i += 2)
        n = checkpoint_others(v->items[i + 1], taken, list, n, depth + 1);
    return n;
}

enum errc checkpoint_weights(struct torch_file *f, const struct pickle *v,
                             struct weights *w)
{
    w->list = arena_new(f->arena, struct weight, v->n / 2 + 1);
    if (!w->list)
        return err_set(f->err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i + 1 < v->n; i += 2) {
        struct weight *to = &w->list[w->n];
        if (!pickle_is(v->items[i], PICKLE_STR) ||
            !torch_is_tensor(v->items[i + 1]))
            continue;
        enum errc rc = torch_tensor(f, v->items[i + 1], &to->tensor);
        if (rc)
            return rc;
        to->name = v->items[i]->text;
        w->n++;
    }
    return ERR_OK;
}
