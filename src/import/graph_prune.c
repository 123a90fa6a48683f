/* Drops what no output needs: nodes, and the weights only they used. The
 * runtime refuses a weight that is handed over and that no node takes. */
#include <string.h>

#include "import/graph.h"

/* Names that are needed, by hash. */
struct needed {
    const char **names;
    size_t mask;
};

static size_t place(const struct needed *s, const char *name)
{
    uint32_t h = 2166136261U;

    for (const char *c = name; *c; c++)
        h = (h ^ (unsigned char)*c) * 16777619U;
    size_t at = h & s->mask;
    while (s->names[at] && strcmp(s->names[at], name) != 0)
        at = (at + 1) & s->mask;
    return at;
}

static bool is_needed(const struct needed *s, const char *name)
{
    return s->names[place(s, name)] != NULL;
}

static void need(struct needed *s, const char *name)
{
    if (*name)
        s->names[place(s, name)] = name;
}

static bool node_needed(const struct needed *s, const struct graph_node *n)
{
    for (size_t i = 0; i < n->n_out; i++)
        if (is_needed(s, n->out[i]))
            return true;
    return false;
}

static size_t count_names(const struct graph *g)
{
    size_t n = 16;

    for (const struct graph_node *node = g->nodes; node; node = node->next)
        n += node->n_in + node->n_out;
    for (const struct graph_io *io = g->outputs; io; io = io->next)
        n++;
    return n;
}

/* Nodes stand in the order of their values: from the last to the first, each
 * that is needed needs its inputs. */
void graph_prune(struct graph *g)
{
    size_t cap = 64, names = count_names(g), n = 0;
    struct graph_node **all =
        arena_new(g->arena, struct graph_node *, g->n_nodes + 1);

    while (cap < names * 2)
        cap *= 2;
    struct needed s = {arena_new(g->arena, const char *, cap), cap - 1};
    if (!all || !s.names) {
        g->failed = true;
        return;
    }
    for (struct graph_node *node = g->nodes; node && n < g->n_nodes;
         node = node->next)
        all[n++] = node;
    for (const struct graph_io *io = g->outputs; io; io = io->next)
        need(&s, io->name);
    struct graph_node *kept = NULL;
    g->n_nodes = 0;
    for (size_t i = n; i-- > 0;) {
        if (!node_needed(&s, all[i]))
            continue;
        for (size_t k = 0; k < all[i]->n_in; k++)
            need(&s, all[i]->in[k]);
        if (!kept)
            g->nodes_tail = &all[i]->next;
        all[i]->next = kept;
        kept = all[i];
        g->n_nodes++;
    }
    g->nodes = kept;
    if (!kept)
        g->nodes_tail = &g->nodes;
    struct graph_weight **tail = &g->weights;
    g->n_weights = 0;
    for (struct graph_weight *w = g->weights; w; w = w->next)
        if (is_needed(&s, w->name)) {
            *tail = w;
            tail = &w->next;
            g->n_weights++;
        }
    *tail = NULL;
    g->weights_tail = tail;
}
