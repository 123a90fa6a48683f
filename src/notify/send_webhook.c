/* send_webhook.c - Alertmanager's webhook, version 4:
 * https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
#include "notify/send.h"
#include "notify/time_text.h"

enum { BODY_MAX = 16 << 20, REPLY_MAX = 64 << 10 };

static void put_labels(struct buf *b, const char *before, struct labels l)
{
    buf_puts(b, before);
    labels_put_json(b, l);
}

static void put_alert(struct buf *b, const struct notified_alert *a)
{
    char print[17];

    buf_put_field(b,
                  "{\"status\":", a->ends_at ? STR("resolved") : STR("firing"));
    put_labels(b, ",\"labels\":", a->labels);
    put_labels(b, ",\"annotations\":", a->annotations);
    buf_puts(b, ",\"startsAt\":\"");
    time_put(b, a->starts_at);
    buf_puts(b, "\",\"endsAt\":\"");
    time_put(b, a->ends_at);
    buf_put_field(b, "\",\"generatorURL\":", a->generator_url);
    fingerprint_text(a->fingerprint, print);
    buf_put_field(b, ",\"fingerprint\":", str_from_cstr(print));
    buf_putc(b, '}');
}

static void put_body(struct buf *b, const struct notification *n)
{
    uint64_t max = (uint64_t)n->how->max_alerts;
    size_t shown = max && max < n->n ? (size_t)max : n->n;

    buf_put_field(b, "{\"receiver\":", n->how->receiver->name);
    buf_put_field(
        b, ",\"status\":", n->n_firing ? STR("firing") : STR("resolved"));
    buf_puts(b, ",\"alerts\":[");
    for (size_t i = 0; i < shown; i++) {
        buf_puts(b, i ? "," : "");
        put_alert(b, &n->alerts[i]);
    }
    put_labels(b, "],\"groupLabels\":", n->group_labels);
    put_labels(b, ",\"commonLabels\":", n->common_labels);
    put_labels(b, ",\"commonAnnotations\":", n->common_annotations);
    buf_put_field(b, ",\"externalURL\":", n->external_url);
    buf_put_field(b, ",\"version\":\"4\",\"groupKey\":", n->group_key);
    buf_printf(b, ",\"truncatedAlerts\":%zu}\n", n->n - shown);
}

enum errc send_webhook(struct notification *n, struct told *told,
                       struct err *err)
{
    struct buf body, reply;
    enum errc rc = ERR_OK;

    buf_init(&body, BODY_MAX);
    buf_init(&reply, REPLY_MAX);
    put_body(&body, n);
    if (body.failed)
        rc = err_set(err, ERR_LIMIT, "the message is too long");
    if (!rc)
        rc = send_post(n, "", buf_str(&body), &reply, told, err);
    buf_fini(&body);
    buf_fini(&reply);
    return rc;
}
