/* Prometheus' configuration file, and the targets that it names: labels are
 * changed by its rules. */
#include "collect/gather.h"
#include "fuzz/fuzz.h"

static void complain(void *ctx, const char *text)
{
    (void)ctx;
    MUST(text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n};
    struct prom_config *c;
    struct gathering g;

    if (prom_config_read("fuzz.yml", text, NULL, NULL, &c, NULL))
        return 0;
    gather_begin(&g, c, complain, NULL);
    for (size_t i = 0; i < c->n_pools; i++) {
        size_t before = g.n;
        gather_groups(&g, &c->pools[i], &c->pools[i].groups,
                      (struct label){STR("__meta_x"), STR("y")});
        gather_limit(&g, &c->pools[i], before);
    }
    for (size_t i = 0; i < g.n; i++) {
        MUST(labels_get(g.v[i].labels, STR("instance")).n > 0);
        MUST(g.v[i].url[0]);
    }
    arena_fini(&g.dropped_arena);
    gather_end(&g);
    prom_config_release(c);
    return 0;
}
