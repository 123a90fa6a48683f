#include "serve/served.h"

#include <assert.h>
#include <stdlib.h>

#include "import/process.h"

enum {
    POOL_ABOVE_NS = 1000 * 1000,  /* a loop is not held up longer than this */
    INLINE_BELOW_NS = 700 * 1000, /* and back, with a gap against flapping */
};

/* Relaxed is enough: the caller holds a reference, so the object is alive. */
struct served *served_ref(struct served *m)
{
    unsigned before =
        atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
    return m;
}

/* Release orders our use before the decrement; acquire lets the last holder
 * see everybody else's before it frees. */
void served_unref(struct served *m)
{
    if (!m)
        return;
    unsigned before =
        atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before != 1)
        return;
    if (m->session)
        m->ops->unload(m->session);
    if (m->imported)
        imported_close(m->imported);
    free(m->imported);
    arena_fini(&m->arena);
    free(m->name);
    free(m->version);
    free(m->path);
    free(m);
}

void served_learn(struct served *m, size_t rows, int64_t ns, bool force_pool)
{
    int64_t per_row = ns / (int64_t)(rows ? rows : 1);
    int64_t average = atomic_load_explicit(&m->row_ns, memory_order_relaxed);

    average = average ? average + (per_row - average) / 16 : per_row;
    atomic_store_explicit(&m->row_ns, average, memory_order_relaxed);
    bool pooled = atomic_load_explicit(&m->pooled, memory_order_relaxed);
    bool want = force_pool ||
                (pooled ? average > INLINE_BELOW_NS : average > POOL_ABOVE_NS);
    if (want != pooled) {
        atomic_store_explicit(&m->pooled, want, memory_order_relaxed);
        metric_set(m->metrics.inline_mode, !want);
    }
    size_t slot = rows < SERVED_BATCH_STATS ? rows : 0;
    atomic_fetch_add_explicit(&m->batches[slot].runs, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->batches[slot].infer_ns, (uint64_t)ns,
                              memory_order_relaxed);
}
