/* Bytes are rules or refused; rules are evaluated on an empty store, and their
 * texts made. */
#include "alert/group.h"
#include "alert/suspect.h"
#include "fuzz/fuzz.h"

static void on_doubt(void *ctx, const struct rule_group *g,
                     const struct rule *r, const char *text)
{
    (void)ctx;
    (void)g;
    (void)r;
    MUST(text[0]);
}

static void expand(const struct rules *rules)
{
    const struct template_data data = {.labels = labels_none(),
                                       .external = labels_none(),
                                       .external_url = STR("http://m"),
                                       .value = 1.5};
    struct buf b;

    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < rules->groups[i].n; k++) {
            const struct rule *r = &rules->groups[i].rules[k];
            for (size_t j = 0; j < r->n_annotations; j++) {
                buf_clear(&b);
                (void)!template_run(r->annotations[j].text, &data, &b, NULL);
            }
        }
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct suspect s = {.doubt = on_doubt};
    struct rules rules;
    struct err err = {0};

    rules_init(&rules);
    enum errc rc = rules_read(
        &rules, "f", (struct str){(const char *)data, size}, NULL, NULL, &err);
    if (rc)
        MUST(err.msg[0]);
    else
        expand(&rules);
    suspect_rules(&rules, &s);
    rules_fini(&rules);
    return 0;
}
