#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/number.h"
#include "http/fetch.h"
#include "io/worker.h"
#include "logs/ship_internal.h"

enum {
    BATCH_BYTES = 512 << 10,
    BATCH_LINES = 2000,
    ANSWER_MAX = 16 << 20,
    LOOK_MS = 1000,
    POST_MS = 30000,
    PAUSE_FIRST_MS = 1000,
    PAUSE_MAX_MS = 60000,
};

struct ship {
    struct ship_options options;
    const struct receiver *receiver;
    struct worker worker;
    struct ship_stats stats; /* with the worker's lock */
    bool failing;
    size_t batch_lines; /* at most; fewer after a batch was too large */
    struct ship_line lines[BATCH_LINES];
};

static const struct receiver *receiver_of(const char *url)
{
    static const struct receiver *const all[] = {&receiver_elasticsearch,
                                                 &receiver_loki};
    struct str path = str_from_cstr(url);

    path = str_cut(&path, '?');
    for (size_t i = 0; i < COUNT(all); i++)
        if (str_ends(path, str_from_cstr(all[i]->path)))
            return all[i];
    return NULL;
}

static void say(struct ship *s, bool bad, const char *event, const char *text)
{
    if (s->options.say)
        s->options.say(s->options.ctx, bad, event, text);
}

/* Of a failure that lasts, once; and of its end. */
static void tell(struct ship *s, enum errc rc, const char *why)
{
    if (rc && !s->failing)
        say(s, true, "logs.unsent", why);
    if (!rc && s->failing)
        say(s, false, "logs.sent_again", "what waited is sent");
    s->failing = rc != ERR_OK;
}

/* ERR_UNAVAIL: try again. ERR_LIMIT: with fewer. ERR_INVALID: never. */
static enum errc verdict(const struct fetch *f, struct str answer,
                         struct err *err)
{
    const char *url = f->url;

    if (f->status / 100 == 2)
        return ERR_OK;
    enum errc rc = f->status == 413   ? ERR_LIMIT
                   : f->status == 400 ? ERR_INVALID
                                      : ERR_UNAVAIL;
    return err_set(err, rc, "%.200s answered %d: %.*s", url, f->status,
                   (int)(answer.n < 300 ? answer.n : 300), answer.p);
}

/* Sends the batch; leaves in it what is to be sent again. */
static enum errc post(struct ship *s, struct ship_batch *b, struct err *err)
{
    const struct fetch_auth auth = {.authorization = s->options.authorization};
    struct fetch f = {.url = s->options.url,
                      .auth = &auth,
                      .body_type = s->receiver->type,
                      .timeout_ms = POST_MS};
    struct buf body, answer;
    struct err why = {0};
    uint64_t failed = 0;
    size_t n = b->n;

    buf_init(&body, 16 * (size_t)BATCH_BYTES);
    buf_init(&answer, ANSWER_MAX);
    s->receiver->put(b, &body);
    f.body = buf_str(&body);
    enum errc rc = ERR_OK;
    if (body.failed)
        rc = err_set(err, ERR_LIMIT, "the batch is too large");
    if (!rc)
        rc = fetch_run(&f, &answer, err);
    if (!rc)
        rc = verdict(&f, buf_str(&answer), err);
    if (!rc && s->receiver->judge)
        s->receiver->judge(b, buf_str(&answer), &failed, &why);
    else if (!rc)
        b->n = 0;
    if (failed)
        say(s, true, "logs.refused", why.msg);
    worker_lock(&s->worker);
    s->stats.sent += rc ? 0 : n - b->n - failed;
    s->stats.failed += failed;
    worker_unlock(&s->worker);
    buf_fini(&body);
    buf_fini(&answer);
    if (!rc && b->n)
        rc = err_set(err, ERR_UNAVAIL, "%zu lines were not taken: too busy",
                     b->n);
    return rc;
}

static void refuse(struct ship *s, const struct ship_batch *b, const char *why)
{
    say(s, true, "logs.refused", why);
    worker_lock(&s->worker);
    s->stats.failed += b->n;
    worker_unlock(&s->worker);
}

/* Until it is sent or refused. False: the end has come, or the batch must be
 * smaller. */
static bool deliver(struct ship *s, struct ship_batch *b)
{
    int64_t pause = PAUSE_FIRST_MS;

    for (;;) {
        struct err err = {0};
        enum errc rc = post(s, b, &err);
        if (rc == ERR_LIMIT && b->n > 1) {
            s->batch_lines = b->n / 2;
            return false;
        }
        if (rc == ERR_INVALID || rc == ERR_LIMIT) {
            refuse(s, b, err.msg);
            return true;
        }
        tell(s, rc, err.msg);
        if (!rc) {
            s->batch_lines = 2 * s->batch_lines < BATCH_LINES
                                 ? 2 * s->batch_lines
                                 : (size_t)BATCH_LINES;
            return true;
        }
        if (!worker_rest(&s->worker, pause))
            return false;
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
    }
}

/* The lines of a text; returns how many bytes of it they are. */
static size_t take_lines(struct ship *s, struct str text,
                         struct queue_place place, struct ship_batch *b)
{
    size_t used = 0;

    *b = (struct ship_batch){.v = s->lines,
                             .file = place.file,
                             .queue = queue_name(s->options.queue),
                             .host = s->options.host};
    while (used < text.n && b->n < s->batch_lines) {
        struct str rest = str_slice(text, used, text.n);
        struct str line = str_cut(&rest, '\n');
        if (line.n)
            b->v[b->n++] = (struct ship_line){line, place.byte + used};
        used += line.n + 1;
    }
    return used;
}

/* False: there is nothing to send. */
static bool send_some(struct ship *s, struct buf *text)
{
    struct queue *q = s->options.queue;
    struct queue_place place;
    struct ship_batch b;

    buf_clear(text);
    if (!queue_peek(q, BATCH_BYTES, text, &place))
        return false;
    char *pad = buf_reserve(text, NUMBER_PAD);
    if (!pad)
        return false;
    memset(pad, 0, NUMBER_PAD);
    size_t used = take_lines(s, buf_str(text), place, &b);
    if (!b.n || deliver(s, &b))
        queue_done(q, place, used);
    return true;
}

static void *run(void *arg)
{
    struct ship *s = arg;
    struct buf text;
    bool on = true;

    buf_init(&text, 2 * (size_t)BATCH_BYTES);
    while (on)
        on = send_some(s, &text) ? worker_rest(&s->worker, 0)
                                 : worker_rest(&s->worker, LOOK_MS);
    buf_fini(&text);
    return NULL;
}

enum errc ship_start(const struct ship_options *o, struct ship **out,
                     struct err *err)
{
    const struct receiver *receiver = receiver_of(o->url);

    if (!receiver)
        return err_set(err, ERR_INVALID,
                       "'%s': the path must end in /_bulk (Elasticsearch) or "
                       "/loki/api/v1/push (Loki)",
                       o->url);
    struct ship *s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, ERR_NOMEM, "out of memory");
    s->options = *o;
    s->receiver = receiver;
    s->batch_lines = BATCH_LINES;
    worker_init(&s->worker);
    enum errc rc = worker_start(&s->worker, run, s, err);
    if (rc)
        ship_free(s);
    else
        *out = s;
    return rc;
}

void ship_free(struct ship *s)
{
    if (!s)
        return;
    worker_stop(&s->worker);
    worker_fini(&s->worker);
    free(s);
}

void ship_stats(struct ship *s, struct ship_stats *out)
{
    worker_lock(&s->worker);
    *out = s->stats;
    worker_unlock(&s->worker);
}
