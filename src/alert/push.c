#include "alert/push.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/fetch.h"

enum {
    QUEUE_MAX = 10000,
    AT_ONCE = 256,
    TIMEOUT_MS = 10000,
    ALERT_MAX = 1 << 20,
    BODY_MAX = 64 << 20
};

struct item { /* an alert as JSON */
    struct item *next;
    size_t n;
    char json[];
};

struct push {
    struct push_options how;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t work;
    struct item *first, **last;
    size_t waiting;
    bool stopped;
    bool failing;
    _Atomic uint64_t sent, dropped, errors;
};

/* ---- an alert as JSON --------------------------------------------------- */

static void put_time(struct buf *b, const char *before, int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_format(ms * 1000000, text);
    buf_printf(b, "%s\"%s\"", before, text);
}

void push_alert(struct push *p, const struct engine_alert *a)
{
    struct buf b;

    buf_init(&b, ALERT_MAX);
    buf_puts(&b, "{\"annotations\":");
    labels_put_json(&b, a->annotations);
    put_time(&b, ",\"endsAt\":", a->ends_at);
    put_time(&b, ",\"startsAt\":", a->starts_at);
    buf_puts(&b, ",\"labels\":");
    labels_put_json(&b, a->labels);
    buf_puts(&b, ",\"generatorURL\":");
    buf_put_quoted(&b, a->source);
    buf_putc(&b, '}');
    struct item *item = b.failed ? NULL : malloc(sizeof(*item) + b.n);
    if (item) {
        *item = (struct item){.n = b.n};
        memcpy(item->json, b.p, b.n);
    }
    buf_fini(&b);
    pthread_mutex_lock(&p->lock);
    if (!item || p->waiting == QUEUE_MAX) {
        free(item);
        p->dropped++;
    } else {
        *p->last = item;
        p->last = &item->next;
        p->waiting++;
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
}

/* ---- sending ------------------------------------------------------------ */

/* Up to AT_ONCE of those that wait, as an array. Takes the lock's place. */
static size_t take(struct push *p, struct buf *b)
{
    size_t n = 0;

    buf_clear(b);
    buf_putc(b, '[');
    while (p->first && n < AT_ONCE) {
        struct item *item = p->first;
        p->first = item->next;
        if (!p->first)
            p->last = &p->first;
        p->waiting--;
        buf_puts(b, n++ ? "," : "");
        buf_put(b, (struct str){item->json, item->n});
        free(item);
    }
    buf_putc(b, ']');
    return n;
}

static enum errc post(const char *base, struct str body, struct err *err)
{
    char url[1100];
    struct fetch f = {.url = url,
                      .timeout_ms = TIMEOUT_MS,
                      .body = body,
                      .body_type = "application/json"};
    size_t n = strlen(base);
    struct buf answer;

    while (n && base[n - 1] == '/')
        n--;
    (void)snprintf(url, sizeof(url), "%.*s/api/v2/alerts", (int)n, base);
    buf_init(&answer, ALERT_MAX);
    enum errc rc = fetch_run(&f, &answer, err);
    if (!rc && f.status / 100 != 2)
        rc = err_set(err, ERR_UNAVAIL, "%s: HTTP status %d: %.*s", url,
                     f.status, answer.n > 200 ? 200 : (int)answer.n,
                     answer.n ? answer.p : "");
    buf_fini(&answer);
    return rc;
}

static void send_all(struct push *p, struct str body, size_t n)
{
    struct err err = {0};
    enum errc failed = ERR_OK;

    for (size_t i = 0; i < p->how.n; i++) {
        enum errc rc = post(p->how.urls[i], body, &err);
        if (rc) {
            p->errors++;
            failed = rc;
        } else {
            p->sent += n;
        }
    }
    if (failed && !p->failing && p->how.say)
        p->how.say(p->how.ctx, true, "alert.send_failed", err.msg);
    if (!failed && p->failing && p->how.say)
        p->how.say(p->how.ctx, false, "alert.send_resumed", "");
    p->failing = failed != ERR_OK;
}

static void *run(void *arg)
{
    struct push *p = arg;
    struct buf b;

    buf_init(&b, BODY_MAX);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (!p->first && !p->stopped)
            pthread_cond_wait(&p->work, &p->lock);
        if (!p->first)
            break;
        size_t n = take(p, &b);
        pthread_mutex_unlock(&p->lock);
        send_all(p, buf_str(&b), n);
        pthread_mutex_lock(&p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    buf_fini(&b);
    return NULL;
}

enum errc push_new(const struct push_options *options, struct push **out,
                   struct err *err)
{
    struct push *p = calloc(1, sizeof(*p));

    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    p->how = *options;
    p->last = &p->first;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    if (pthread_create(&p->thread, NULL, run, p) != 0) {
        free(p);
        return err_set(err, ERR_IO, "cannot start a thread");
    }
    *out = p;
    return ERR_OK;
}

void push_free(struct push *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work);
    free(p);
}

void push_stats(struct push *p, uint64_t *sent, uint64_t *dropped,
                uint64_t *errors)
{
    *sent = p->sent;
    *dropped = p->dropped;
    *errors = p->errors;
}
