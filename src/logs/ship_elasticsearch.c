/* The bulk endpoint: a line with what to do, a line with the document. Each
 * has an answer of its own. */
#include "base/clock.h"
#include "codec/json_tree.h"
#include "logs/line.h"
#include "logs/ship_internal.h"

/* The document: the line if it is one, with the machine's name if it has none;
 * else what is known of it. */
static void put_document(const struct ship_batch *b, struct str text,
                         const struct line *l, struct buf *body)
{
    char now[CLOCK_TEXT_MAX];

    if (l->json && l->time.n && l->host.p) {
        buf_put(body, text); /* a field twice is refused */
        return;
    }
    buf_put_field(body, "{\"host.name\":", str_from_cstr(b->host));
    buf_putc(body, ',');
    if (l->json && l->time.n) {
        buf_put(body, str_slice(text, 1, text.n));
        return;
    }
    clock_format(clock_wall_ns(), now);
    buf_printf(body, "\"@timestamp\":\"%s\"", now);
    buf_put_field(body, ",\"message\":", text);
    buf_putc(body, '}');
}

static void put(const struct ship_batch *b, struct buf *body)
{
    struct arena a;
    struct line l;

    arena_init(&a, 1 << 20);
    for (size_t i = 0; i < b->n; i++) {
        arena_reset(&a);
        line_read(b->v[i].text, &a, &l);
        buf_printf(body, "{\"create\":{\"_id\":\"%s-%llu-%llu\"}}\n", b->queue,
                   (unsigned long long)b->file,
                   (unsigned long long)b->v[i].byte);
        put_document(b, b->v[i].text, &l, body);
        buf_putc(body, '\n');
    }
    arena_fini(&a);
}

/* {"errors":true,"items":[{"create":{"status":400,"error":{"reason":""}}}]} */
static void judge(struct ship_batch *b, struct str answer, uint64_t *failed,
                  struct err *why)
{
    struct arena a;
    size_t again = 0;

    arena_init(&a, 64u << 20);
    const struct json_node *root = json_tree_copy(answer, &a, NULL);
    const struct json_node *items =
        json_bool_or(json_get(root, "errors"), false) ? json_get(root, "items")
                                                      : NULL;
    const struct json_node *item = items ? items->first : NULL;
    for (size_t i = 0; i < b->n && item; i++, item = item->next) {
        const struct json_node *told = json_get(item, "create");
        int64_t status = json_i64_or(json_get(told, "status"), 0);
        if (status == 429 || status >= 500) {
            b->v[again++] = b->v[i];
        } else if (status >= 300 && status != 409) { /* 409: it is there */
            struct str reason = json_str_or(
                json_get(json_get(told, "error"), "reason"), "no reason given");
            (*failed)++;
            err_record(why, ERR_INVALID, STR_FMT, STR_ARG(reason));
        }
    }
    b->n = again;
    arena_fini(&a);
}

const struct receiver receiver_elasticsearch = {
    "/_bulk", "application/x-ndjson", put, judge};
