/* From decoded requests to encoded answers: gather, run, slice, encode. */
#include <string.h>

#include "base/clock.h"
#include "serve/run_internal.h"

enum { MAX_INPUTS = 64 };

void run_fail(struct infer *r, int status, const char *message, unsigned shard)
{
    struct served_metrics *m = &r->model->metrics;

    r->failed = true;
    http_set_error(r->http, status, "%s", message);
    metric_add(status == 429 || status == 504 ? m->fail_rejected
               : status == 499                ? m->fail_canceled
               : status >= 500                ? m->fail_backend
                                              : m->fail_other,
               shard, 1);
}

static int status_of(enum errc rc)
{
    return rc == ERR_LIMIT ? 413 : errc_http_status(rc);
}

bool run_decode(struct infer *r, unsigned shard)
{
    struct err err = {0};
    int64_t from = clock_mono_ns();

    if (r->decoded)
        return !r->failed;
    r->decoded = true;
    enum errc rc = r->protocol->decode(r, &err);
    r->decoded_ns = clock_mono_ns();
    r->parse_took_ns = r->decoded_ns - from;
    if (rc) {
        run_fail(r, status_of(rc), err.msg, shard);
        return false;
    }
    metric_observe(r->model->metrics.parse, shard,
                   (double)r->parse_took_ns * 1e-9);
    int64_t asked = r->http->start_ns + (int64_t)r->timeout_us * 1000;
    if (r->timeout_us && asked < r->deadline_ns)
        r->deadline_ns = asked;
    return true;
}

bool run_compatible(const struct infer *a, const struct infer *b)
{
    const struct model_spec *spec = a->model->spec;

    if (a->model != b->model || !a->model->batchable || a->wanted != b->wanted)
        return false;
    for (size_t i = 0; i < spec->n_inputs; i++) {
        const struct infer_input *x = &a->inputs[i], *y = &b->inputs[i];
        if (x->given != y->given)
            return false;
        if (!x->given)
            continue;
        /* An optional input is an initializer: one for the whole batch. */
        if (spec->inputs[i].optional)
            return false;
        int rank = x->tensor.shape.rank;
        if (rank != y->tensor.shape.rank || rank == 0 ||
            memcmp(x->tensor.shape.dim + 1, y->tensor.shape.dim + 1,
                   (size_t)(rank - 1) * sizeof(int64_t)) != 0)
            return false;
    }
    return true;
}

/* Input i of all requests of the list, one behind the other. */
static bool gather(const struct infer *list, size_t i, size_t rows,
                   struct arena *scratch, struct tensor *out)
{
    const struct tensor *first = &list->inputs[i].tensor;
    size_t size = first->type == DTYPE_STRING ? sizeof(struct str)
                                              : dtype_size(first->type);
    size_t total = 0, at = 0;

    for (const struct infer *r = list; r; r = r->next)
        total += r->inputs[i].tensor.count;
    char *data = arena_bytes(scratch, total * size + 1);
    if (!data)
        return false;
    for (const struct infer *r = list; r; r = r->next) {
        size_t n = r->inputs[i].tensor.count * size;
        if (n)
            memcpy(data + at, r->inputs[i].tensor.data, n);
        at += n;
    }
    *out = *first;
    out->shape.dim[0] = (int64_t)rows;
    out->count = total;
    out->data = data;
    return true;
}

static enum errc run(struct infer *list, size_t n, size_t rows,
                     struct arena *scratch, struct run_result *result,
                     struct err *err)
{
    const struct model_spec *spec = list->model->spec;
    struct run_input inputs[MAX_INPUTS];
    struct tensor gathered[MAX_INPUTS];
    size_t k = 0;

    result->n = 0;
    arena_init(&result->arena, 0);
    for (size_t i = 0; i < spec->n_inputs && k < MAX_INPUTS; i++) {
        if (!list->inputs[i].given)
            continue;
        const struct tensor *t = &list->inputs[i].tensor;
        if (n > 1) {
            if (!gather(list, i, rows, scratch, &gathered[k]))
                return err_set(err, ERR_NOMEM, "out of memory for a batch");
            t = &gathered[k];
        }
        inputs[k++] = (struct run_input){spec->inputs[i].name, t};
    }
    return list->model->ops->run(list->model->session, inputs, k, list->wanted,
                                 result, err);
}

/* The rows [from, from + r->rows) of each output, all of it for a request that
 * ran alone (total 0). */
static struct value *slice(const struct infer *r,
                           const struct run_result *result, size_t from,
                           size_t total)
{
    size_t rows = r->rows;

    struct value *out = arena_new(&r->http->arena, struct value, result->n + 1);

    for (size_t i = 0; out && i < result->n; i++) {
        out[i] = result->values[i];
        struct tensor *t = &out[i].tensor;
        if (total == 0 || out[i].kind != VALUE_TENSOR)
            continue;
        size_t size =
            t->type == DTYPE_STRING ? sizeof(struct str) : dtype_size(t->type);
        size_t per_row = t->count / total;
        t->data = (char *)t->data + from * per_row * size;
        t->shape.dim[0] = (int64_t)rows;
        t->count = per_row * rows;
    }
    return out;
}

/* Outputs that lost the batch dimension on this input after all. */
static bool rows_kept(const struct run_result *result, size_t rows)
{
    for (size_t i = 0; i < result->n; i++)
        if (result->values[i].kind == VALUE_TENSOR &&
            (result->values[i].tensor.shape.rank == 0 ||
             result->values[i].tensor.shape.dim[0] != (int64_t)rows))
            return false;
    return true;
}

static void count_request(struct infer *r, int64_t encoded_ns, unsigned shard)
{
    struct served_metrics *m = &r->model->metrics;
    int64_t waited = r->run_ns - r->decoded_ns;
    int64_t queued = r->run_ns - r->queued_ns - r->parse_took_ns;
    double us = 1e-3, s = 1e-9;

    metric_add(m->success, shard, 1);
    metric_add(m->count, shard, (double)r->rows);
    metric_add(m->request_us, shard,
               (double)(encoded_ns - r->http->start_ns) * us);
    metric_add(m->queue_us, shard, (double)queued * us);
    metric_add(m->input_us, shard, (double)r->parse_took_ns * us);
    metric_add(m->infer_us, shard, (double)(r->ran_ns - r->run_ns) * us);
    metric_add(m->output_us, shard, (double)(encoded_ns - r->ran_ns) * us);
    metric_observe(m->queue, shard, (double)queued * s);
    metric_observe(m->batch_wait, shard, (double)waited * s);
    metric_observe(m->run, shard, (double)(r->ran_ns - r->run_ns) * s);
    metric_observe(m->encode, shard, (double)(encoded_ns - r->ran_ns) * s);
}

static void answer(struct infer *r, const struct run_result *result,
                   size_t from, size_t total, unsigned shard)
{
    struct err err = {0};
    struct value *outputs = slice(r, result, from, total);
    enum errc rc;

    if (outputs)
        rc = r->protocol->encode(r, outputs, &err);
    else
        rc = err_set(&err, ERR_NOMEM, "out of memory");
    if (rc) {
        run_fail(r, status_of(rc), err.msg, shard);
        return;
    }
    r->http->status = 200;
    count_request(r, clock_mono_ns(), shard);
}

/* A batch that failed as a whole: whose fault it was is found out alone. */
static void run_apart(struct infer *list, struct arena *scratch, unsigned shard)
{
    for (struct infer *r = list, *next; r; r = next) {
        next = r->next;
        r->next = NULL;
        run_group(r, scratch, shard);
        r->next = next;
    }
}

static void learn(struct infer *list, size_t rows, int64_t took, unsigned shard)
{
    struct served *m = list->model;

    served_learn(m, rows, took, false);
    metric_add(m->metrics.exec_count, shard, 1);
    metric_observe(m->metrics.batch_size, shard, (double)rows);
    atomic_store_explicit(&m->last_ms, clock_wall_ms(), memory_order_relaxed);
}

void run_group(struct infer *list, struct arena *scratch, unsigned shard)
{
    struct run_result result;
    struct err err = {0};
    size_t n = 0, rows = 0;

    arena_reset(scratch);
    for (struct infer *r = list; r; r = r->next) {
        n++;
        rows += r->rows;
    }
    int64_t from = clock_mono_ns();
    enum errc rc = run(list, n, rows, scratch, &result, &err);
    int64_t to = clock_mono_ns();
    bool apart = n > 1 && (rc || !rows_kept(&result, rows));
    size_t at = 0;

    if (!rc && !apart)
        learn(list, rows, to - from, shard);
    for (struct infer *r = list; r && !apart; r = r->next) {
        r->run_ns = from;
        r->ran_ns = to;
        if (rc)
            run_fail(r, rc == ERR_INVALID ? 400 : status_of(rc), err.msg,
                     shard);
        else
            answer(r, &result, at, n > 1 ? rows : 0, shard);
        at += r->rows;
    }
    list->model->ops->release(list->model->session, &result);
    if (apart)
        run_apart(list, scratch, shard);
}
