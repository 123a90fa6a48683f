/* Alertmanager's configuration, its matchers and templates: texts of people,
 * and of clients of the API. Messages are made of what is right. */
#include <string.h>

#include "fuzz/fuzz.h"

#include "notify/dispatch.h"

static void make(const struct notification *n, const struct message_text *text)
{
    struct buf b;

    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    (void)!message_make(n, text, &b, NULL);
    buf_fini(&b);
}

static void make_all(const struct notify_config *c)
{
    struct label v[] = {{STR("alertname"), STR("A")}, {STR("x"), STR("<\"")}};
    struct notified_alert alerts[] = {
        {.labels = {v, 2}, .annotations = {v + 1, 1}, .starts_at = 1000},
        {.labels = {v, 1}, .annotations = labels_none(), .ends_at = 5}};
    struct notification n = {.templates = &c->templates,
                             .group_labels = {v, 1},
                             .alerts = alerts,
                             .n = 2,
                             .n_firing = 1};

    arena_init(&n.arena, 1 << 20);
    (void)notification_finish(&n);
    for (size_t i = 0; i < c->n_receivers; i++)
        for (size_t k = 0; k < c->receivers[i].n; k++) {
            n.how = &c->receivers[i].v[k];
            make(&n, &n.how->title);
            make(&n, &n.how->text);
            make(&n, &n.how->to);
        }
    arena_fini(&n.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str text = {(const char *)data, n};
    struct matchers m = {.n = 0};
    struct notify_config c;
    struct arena a;

    arena_init(&a, 16 << 20);
    (void)!matchers_parse(&m, text, &a, NULL);
    matchers_fini(&m);
    arena_fini(&a);
    if (memmem(data, n, "templates", 9)) /* names files of this machine */
        return 0;
    if (notify_config_read(&c, "fuzz.yml", text, NULL, NULL, NULL) == ERR_OK) {
        make_all(&c);
        notify_config_fini(&c);
    }
    return 0;
}
