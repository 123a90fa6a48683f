#include "model/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
    TRIAL_LIMIT = 1 << 30,
    TIMED_RUNS = 5,
    TIMED_NS = 30 * 1000 * 1000,
};

struct trial {
    const struct runtime_ops *ops;
    struct session *session;
    const struct model_spec *spec;
    int64_t free_dim;
};

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

/* Small numbers that most models take: floats in [-1, 1), whole numbers 0 or
 * 1, which are valid indices almost everywhere. */
static void fill_element(struct tensor *t, size_t i, uint64_t random)
{
    float f = (float)(random >> 40) / (float)(1 << 23) - 1.0F;
    uint64_t whole = random & 1;

    switch ((int)t->type) {
    case DTYPE_F32:
        ((float *)t->data)[i] = f;
        break;
    case DTYPE_F64:
        ((double *)t->data)[i] = (double)f;
        break;
    case DTYPE_F16:
        ((uint16_t *)t->data)[i] = dtype_f16_from_f32(f);
        break;
    case DTYPE_BF16:
        ((uint16_t *)t->data)[i] = dtype_bf16_from_f32(f);
        break;
    case DTYPE_STRING:
        ((struct str *)t->data)[i] = whole ? STR("a") : STR("b");
        break;
    default:
        memcpy((char *)t->data + i * dtype_size(t->type), &whole,
               dtype_size(t->type));
    }
}

static bool make_input(const struct io_spec *io, struct arena *arena,
                       const uint64_t *seeds, int64_t rows, int64_t free_dim,
                       struct tensor *t)
{
    int64_t count;

    if (io->kind != VALUE_TENSOR || io->type == DTYPE_NONE)
        return false;
    *t = (struct tensor){.type = io->type, .shape = io->shape};
    for (int i = 0; i < t->shape.rank; i++)
        if (t->shape.dim[i] < 0)
            t->shape.dim[i] = i == 0 ? rows : free_dim;
    if (!shape_count(&t->shape, &count) || count > TRIAL_LIMIT / 16)
        return false;
    t->count = (size_t)count;
    size_t size =
        io->type == DTYPE_STRING ? sizeof(struct str) : dtype_size(io->type);
    t->data = arena_bytes(arena, t->count * size + 1);
    if (!t->data)
        return false;
    size_t per_row = t->count / (size_t)(rows ? rows : 1);
    for (size_t i = 0; i < t->count; i++) {
        size_t row = per_row ? i / per_row : 0;
        if (io->shape.rank == 0 || io->shape.dim[0] >= 0)
            fill_element(t, i, mix(seeds[0] * 1000003 + i));
        else
            fill_element(t, i, mix(seeds[row] * 1000003 + i % per_row));
    }
    return true;
}

struct tensor *check_inputs(const struct model_spec *spec, struct arena *arena,
                            const uint64_t *seeds, int64_t rows,
                            int64_t free_dim)
{
    struct tensor *t = arena_new(arena, struct tensor, spec->n_inputs + 1);

    for (size_t i = 0; t && i < spec->n_inputs; i++)
        if (!spec->inputs[i].optional &&
            !make_input(&spec->inputs[i], arena, seeds, rows, free_dim, &t[i]))
            return NULL;
    return t;
}

/* Runs on made-up rows. The result must be released. */
static enum errc run(const struct trial *t, struct arena *arena,
                     const uint64_t *seeds, int64_t rows,
                     struct run_result *result, struct err *err)
{
    struct tensor *in = check_inputs(t->spec, arena, seeds, rows, t->free_dim);
    struct run_input inputs[64];
    size_t n = 0;

    result->n = 0;
    arena_init(&result->arena, 0);
    if (!in)
        return err_set(err, ERR_UNSUPPORTED,
                       "an input is not a tensor of a known type");
    for (size_t i = 0; i < t->spec->n_inputs && n < 64; i++)
        if (!t->spec->inputs[i].optional)
            inputs[n++] = (struct run_input){t->spec->inputs[i].name, &in[i]};
    return t->ops->run(t->session, inputs, n, UINT64_MAX, result, err);
}

/* Every input and output is a tensor whose first dimension is free. */
static const char *shape_objection(const struct model_spec *spec)
{
    size_t batched = 0;

    for (size_t i = 0; i < spec->n_inputs; i++) {
        const struct io_spec *io = &spec->inputs[i];
        if (io->optional)
            continue;
        if (io->kind != VALUE_TENSOR || io->type == DTYPE_NONE)
            return "an input is not a plain tensor";
        if (io->shape.rank == 0 || io->shape.dim[0] >= 0)
            return "the first dimension of an input is fixed";
        batched++;
    }
    for (size_t i = 0; i < spec->n_outputs; i++)
        if (spec->outputs[i].kind != VALUE_TENSOR ||
            spec->outputs[i].type == DTYPE_NONE)
            return "an output is not a plain tensor";
    return batched && spec->n_outputs ? NULL : "there is nothing to batch";
}

static bool close_enough(const struct tensor *a, size_t i,
                         const struct tensor *b, size_t j)
{
    double x, y;

    switch ((int)a->type) {
    case DTYPE_F32:
        x = (double)((const float *)a->data)[i];
        y = (double)((const float *)b->data)[j];
        break;
    case DTYPE_F64:
        x = ((const double *)a->data)[i];
        y = ((const double *)b->data)[j];
        break;
    case DTYPE_F16:
    case DTYPE_BF16:
        /* Rounded too coarsely to compare closely. */
        x = (double)dtype_f16_to_f32(((const uint16_t *)a->data)[i]);
        y = (double)dtype_f16_to_f32(((const uint16_t *)b->data)[j]);
        return x == y || fabs(x - y) <= 2e-2 * (fabs(x) + fabs(y) + 1e-3) ||
               (x != x && y != y);
    case DTYPE_STRING:
        return str_eq(((const struct str *)a->data)[i],
                      ((const struct str *)b->data)[j]);
    default:
        return memcmp((const char *)a->data + i * dtype_size(a->type),
                      (const char *)b->data + j * dtype_size(b->type),
                      dtype_size(a->type)) == 0;
    }
    return x == y || (x != x && y != y) ||
           fabs(x - y) <= 1e-4 * (fabs(x) + fabs(y)) + 1e-6;
}

/* Row `row` of `all` equals the only row of `one`. */
static bool row_equal(const struct run_result *all, size_t row, size_t rows,
                      const struct run_result *one)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct tensor *a = &all->values[i].tensor;
        const struct tensor *b = &one->values[i].tensor;
        if (all->values[i].kind != VALUE_TENSOR ||
            one->values[i].kind != VALUE_TENSOR || a->shape.rank == 0 ||
            a->shape.rank != b->shape.rank ||
            a->shape.dim[0] != (int64_t)rows || b->shape.dim[0] != 1 ||
            a->count != b->count * rows)
            return false;
        for (size_t k = 0; k < b->count; k++)
            if (!close_enough(a, row * b->count + k, b, k))
                return false;
    }
    return true;
}

/* Three rows together against the two of them alone. */
static void try_batch(const struct trial *t, struct model_facts *facts)
{
    static const uint64_t a[] = {1}, b[] = {2}, together[] = {1, 2, 1};
    struct run_result ra, rb, rt;
    struct arena arena;

    arena_init(&arena, TRIAL_LIMIT);
    enum errc rc = run(t, &arena, a, 1, &ra, NULL);
    enum errc rc_b = run(t, &arena, b, 1, &rb, NULL);
    enum errc rc_t = run(t, &arena, together, 3, &rt, NULL);
    if (rc || rc_b || rc_t)
        (void)snprintf(facts->why, sizeof(facts->why),
                       "it runs with one row but not with three");
    else if (!row_equal(&rt, 0, 3, &ra) || !row_equal(&rt, 1, 3, &rb) ||
             !row_equal(&rt, 2, 3, &ra))
        (void)snprintf(facts->why, sizeof(facts->why),
                       "three rows together give other results than alone");
    else
        facts->batchable = true;
    t->ops->release(t->session, &rt);
    t->ops->release(t->session, &rb);
    t->ops->release(t->session, &ra);
    arena_fini(&arena);
}

/* The best of a few runs: what the model needs, not what disturbed it. */
static enum errc try_once(const struct trial *t, struct model_facts *facts,
                          struct err *err)
{
    static const uint64_t seeds[] = {1};
    int64_t begin = clock_mono_ns(), best = INT64_MAX;
    enum errc rc = ERR_OK;

    for (int i = 0; i < TIMED_RUNS && !rc; i++) {
        struct run_result result;
        struct arena arena;
        arena_init(&arena, TRIAL_LIMIT);
        int64_t from = clock_mono_ns();
        rc = run(t, &arena, seeds, 1, &result, err);
        int64_t took = clock_mono_ns() - from;
        best = took < best ? took : best;
        t->ops->release(t->session, &result);
        arena_fini(&arena);
        if (clock_mono_ns() - begin > TIMED_NS)
            break;
    }
    if (!rc) {
        facts->tried = true;
        facts->run_ns = best;
        facts->free_dim = t->free_dim;
    }
    return rc;
}

/* Which extent suits the free dimensions nobody told us: small ones are cheap,
 * images want more. */
static const int64_t free_dims[] = {1, 16, 224};

enum errc check_here(const struct runtime_ops *ops, struct runtime *rt,
                     const struct model_source *source,
                     struct model_facts *facts, struct err *err)
{
    struct trial t = {.ops = ops};
    enum errc rc = ops->load(rt, source, &t.session, err);

    if (rc)
        return rc;
    *facts = (struct model_facts){0};
    t.spec = ops->spec(t.session);
    for (size_t i = 0; i < COUNT(free_dims) && !facts->tried; i++) {
        struct err why = {0};
        t.free_dim = free_dims[i];
        if (try_once(&t, facts, &why))
            (void)snprintf(facts->why, sizeof(facts->why),
                           "it does not run on made-up input: %.110s", why.msg);
    }
    const char *objection = shape_objection(t.spec);
    if (objection)
        (void)snprintf(facts->why, sizeof(facts->why), "%s", objection);
    else if (facts->tried)
        try_batch(&t, facts);
    if (facts->batchable)
        facts->why[0] = '\0';
    ops->unload(t.session);
    return ERR_OK;
}
