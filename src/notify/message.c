/* message.c - a notification as templates see it:
 * https://prometheus.io/docs/alerting/latest/notifications/ */
#include <string.h>

#include "alert/template_value.h"
#include "codec/go_time.h"
#include "notify/send.h"
#include "notify/time_text.h"

/* ---- what alerts have in common ----------------------------------------- */

static bool all_have(const struct notification *n, const struct label *l,
                     bool annotations)
{
    for (size_t i = 0; i < n->n; i++) {
        struct labels of =
            annotations ? n->alerts[i].annotations : n->alerts[i].labels;
        if (!str_eq(labels_get(of, l->name), l->value))
            return false;
    }
    return true;
}

static struct labels common(struct notification *n, bool annotations)
{
    struct labels first = labels_none();

    if (n->n)
        first = annotations ? n->alerts[0].annotations : n->alerts[0].labels;
    struct label *v = arena_new(&n->arena, struct label, first.n + 1);
    size_t count = 0;
    for (size_t i = 0; v && i < first.n; i++)
        if (all_have(n, &first.v[i], annotations))
            v[count++] = first.v[i];
    return (struct labels){v, count};
}

bool notification_finish(struct notification *n)
{
    n->common_labels = common(n, false);
    n->common_annotations = common(n, true);
    return n->common_labels.v && n->common_annotations.v;
}

/* ---- values ------------------------------------------------------------- */

static const struct template_type pairs_type, pair_type, kv_type;

static struct value kv_of(struct labels l)
{
    return (struct value){.kind = VALUE_LABELS, .labels = l, .type = &kv_type};
}

static struct value object_of(const struct template_type *type,
                              const void *object)
{
    return (struct value){.kind = VALUE_OBJECT, .type = type, .object = object};
}

/* Names or values, as a list. */
static bool list_of(struct run *r, struct labels l, bool names,
                    struct value *out)
{
    struct str *v = arena_new(&r->arena, struct str, l.n + 1);

    for (size_t i = 0; v && i < l.n; i++)
        v[i] = names ? l.v[i].name : l.v[i].value;
    *out = (struct value){.kind = VALUE_TEXTS, .texts = v, .n = v ? l.n : 0};
    return v != NULL;
}

static bool field_of_kv(struct run *r, const void *self, struct str name,
                        struct value *out)
{
    const struct labels *l = self;

    if (str_eq(name, STR("Names")) || str_eq(name, STR("Values")))
        return list_of(r, *l, name.p[0] == 'N', out);
    if (!str_eq(name, STR("SortedPairs")))
        return false;
    struct labels *kept = arena_new(&r->arena, struct labels, 1);
    if (!kept)
        return false;
    *kept = *l;
    *out = object_of(&pairs_type, kept);
    return true;
}

/* .CommonLabels.Remove .GroupLabels.Names */
static bool method_of_kv(struct run *r, const void *self, struct str name,
                         const struct value *args, size_t n, struct value *out)
{
    const struct labels *l = self;
    struct label *v = arena_new(&r->arena, struct label, l->n + 1);
    size_t left = 0;

    if (!v || !str_eq(name, STR("Remove")) || n != 1 ||
        args[0].kind != VALUE_TEXTS)
        return false;
    for (size_t i = 0; i < l->n; i++) {
        bool goes = false;
        for (size_t k = 0; k < args[0].n; k++)
            goes = goes || str_eq(l->v[i].name, args[0].texts[k]);
        if (!goes)
            v[left++] = l->v[i];
    }
    *out = kv_of((struct labels){v, left});
    return true;
}

static size_t count_pairs(const void *self)
{
    return ((const struct labels *)self)->n;
}

static void pair_at(const void *self, size_t i, struct value *out)
{
    *out = object_of(&pair_type, &((const struct labels *)self)->v[i]);
}

static void print_pairs(struct buf *out, const void *self)
{
    const struct labels *l = self;

    buf_putc(out, '[');
    for (size_t i = 0; i < l->n; i++)
        buf_printf(out, "%s{" STR_FMT " " STR_FMT "}", i ? " " : "",
                   STR_ARG(l->v[i].name), STR_ARG(l->v[i].value));
    buf_putc(out, ']');
}

static bool field_of_pair(struct run *r, const void *self, struct str name,
                          struct value *out)
{
    const struct label *l = self;

    (void)r;
    if (!str_eq(name, STR("Name")) && !str_eq(name, STR("Value")))
        return false;
    *out = value_of_text(name.p[0] == 'N' ? l->name : l->value);
    return true;
}

static const struct template_type pairs_type = {.name = "pairs",
                                                .field = field_of_kv,
                                                .count = count_pairs,
                                                .item = pair_at,
                                                .print = print_pairs};
static const struct template_type pair_type = {.name = "pair",
                                               .field = field_of_pair};
static const struct template_type kv_type = {
    .name = "labels", .field = field_of_kv, .method = method_of_kv};

/* ---- alerts ------------------------------------------------------------- */

static bool field_of_alert(struct run *r, const void *self, struct str name,
                           struct value *out)
{
    const struct notified_alert *a = self;
    char print[17];

    if (str_eq(name, STR("Labels")))
        *out = kv_of(a->labels);
    else if (str_eq(name, STR("Annotations")))
        *out = kv_of(a->annotations);
    else if (str_eq(name, STR("Status")))
        *out = value_of_text(a->ends_at ? STR("resolved") : STR("firing"));
    else if (str_eq(name, STR("StartsAt")))
        return template_time(r, a->starts_at, out);
    else if (str_eq(name, STR("EndsAt")))
        return template_time(r, a->ends_at ? a->ends_at : GO_TIME_ZERO, out);
    else if (str_eq(name, STR("GeneratorURL")))
        *out = value_of_text(a->generator_url);
    else if (str_eq(name, STR("Fingerprint"))) {
        fingerprint_text(a->fingerprint, print);
        const char *copy = arena_cstr(&r->arena, str_from_cstr(print));
        *out = value_of_text(str_from_cstr(copy ? copy : ""));
    } else
        return false;
    return true;
}

static const struct template_type alert_type = {.name = "alert",
                                                .field = field_of_alert};

/* Alerts from one to another of a notification. */
struct part {
    const struct notification *of;
    size_t from, to;
};

static size_t count_part(const void *self)
{
    const struct part *p = self;

    return p->to - p->from;
}

static void alert_at(const void *self, size_t i, struct value *out)
{
    const struct part *p = self;

    *out = object_of(&alert_type, &p->of->alerts[p->from + i]);
}

static bool field_of_part(struct run *r, const void *self, struct str name,
                          struct value *out);

static const struct template_type part_type = {.name = "alerts",
                                               .field = field_of_part,
                                               .count = count_part,
                                               .item = alert_at};

static bool part_of(struct run *r, const struct notification *n, size_t from,
                    size_t to, struct value *out)
{
    struct part *p = arena_new(&r->arena, struct part, 1);

    if (!p)
        return false;
    *p = (struct part){n, from, to};
    *out = object_of(&part_type, p);
    return true;
}

static bool field_of_part(struct run *r, const void *self, struct str name,
                          struct value *out)
{
    const struct part *p = self;

    if (str_eq(name, STR("Firing")))
        return part_of(r, p->of, 0, p->of->n_firing, out);
    if (str_eq(name, STR("Resolved")))
        return part_of(r, p->of, p->of->n_firing, p->of->n, out);
    return false;
}

/* ---- the whole ---------------------------------------------------------- */

static bool field_of_notification(struct run *r, const void *self,
                                  struct str name, struct value *out)
{
    const struct notification *n = self;

    if (str_eq(name, STR("Alerts")))
        return part_of(r, n, 0, n->n, out);
    if (str_eq(name, STR("Receiver")))
        *out = value_of_text(n->how->receiver->name);
    else if (str_eq(name, STR("Status")))
        *out = value_of_text(n->n_firing ? STR("firing") : STR("resolved"));
    else if (str_eq(name, STR("GroupLabels")))
        *out = kv_of(n->group_labels);
    else if (str_eq(name, STR("CommonLabels")))
        *out = kv_of(n->common_labels);
    else if (str_eq(name, STR("CommonAnnotations")))
        *out = kv_of(n->common_annotations);
    else if (str_eq(name, STR("ExternalURL")))
        *out = value_of_text(n->external_url);
    else
        return false;
    return true;
}

static const struct template_type notification_type = {
    .name = "notification", .field = field_of_notification};

enum errc message_make(const struct notification *n,
                       const struct message_text *text, struct buf *out,
                       struct err *err)
{
    const struct template_data data = {.type = &notification_type,
                                       .about = n,
                                       .set = n->templates,
                                       .external = labels_none(),
                                       .labels = labels_none(),
                                       .external_url = n->external_url};

    return text->template ? template_run(text->template, &data, out, err)
                          : ERR_OK;
}
