#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "machine/machine.h"
#include "setup/journal.h"

static enum errc act(struct host *h, const struct step *s, struct err *err)
{
    switch (s->kind) {
    case STEP_PUT:
        return host_put(h, s->path, &s->after, err);
    case STEP_PACKAGES:
        return packages_install(h, s->missing, s->may_remove, err);
    case STEP_RUN:
    case STEP_REFRESH:
        return host_run_line(h, s->does, NULL, err);
    case STEP_NOTE:
        break;
    }
    return ERR_OK;
}

/* Written down, done, written down. */
static enum errc do_step(struct journal *run, const struct step *s,
                         struct err *err)
{
    struct buf list;

    buf_init(&list, PACKAGES_MAX);
    enum errc rc = s->kind == STEP_PACKAGES
                       ? packages_list(run->host, &list, err)
                       : ERR_OK;
    if (!rc)
        rc = journal_begin(run, s, buf_str(&list), err);
    buf_fini(&list);
    if (rc)
        return rc;
    rc = act(run->host, s, err);
    if (!rc)
        return journal_done(run, run->n, err);
    journal_failed(run, run->n, err->msg);
    return err_wrap(err, rc, "%s", s->title);
}

static const struct step *first_open(const struct plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (!p->v[i].already)
            return &p->v[i];
    return NULL;
}

/* It is among the last n that were done: either it did not help, or another
 * step takes it back each time. */
static bool was_done(const struct journal *run, size_t n, const struct step *s)
{
    for (size_t i = run->n - n; i < run->n; i++)
        if (s->kind != STEP_REFRESH && entry_is(&run->v[i], s))
            return true;
    return false;
}

/* One turn: *more is false when nothing is open. */
static enum errc turn(const struct setup_options *o, struct machine *m,
                      struct journal *run, const struct setup_watch *w,
                      size_t *done, bool *more, struct err *err)
{
    struct plan plan;
    struct arena a;

    arena_init(&a, 1 << 30);
    enum errc rc = setup_plan(o, m, run->host, run, &a, &plan, err);
    if (!rc && plan.refused)
        rc = err_set(err, ERR_CONFLICT, "%s", plan.refused);
    const struct step *s = rc ? NULL : first_open(&plan);
    *more = s != NULL;
    if (s && was_done(run, *done, s)) {
        rc = err_set(
            err, ERR_INTERNAL,
            "%s: it was done, and yet it is not so (the log is " SETUP_STATE
            "/%s/log)",
            s->title, run->run);
        journal_failed(run, run->n, err->msg);
    } else if (s) {
        int64_t start = clock_mono_ns();
        w->begin(w->ctx, *done + 1, *done + plan_open_steps(&plan), s->title);
        rc = do_step(run, s, err);
        w->end(w->ctx, rc ? err->msg : NULL,
               (double)(clock_mono_ns() - start) / 1e9);
        *done += !rc;
    }
    arena_fini(&a);
    return rc;
}

enum errc setup_apply(const struct setup_options *o, struct machine *m,
                      struct journal *run, const struct setup_watch *w,
                      size_t *done, struct err *err)
{
    enum errc rc = ERR_OK;
    bool more = true;

    *done = 0;
    while (!rc && more)
        rc = turn(o, m, run, w, done, &more, err);
    return rc ? rc : journal_state(run, RUN_FINISHED, err);
}
