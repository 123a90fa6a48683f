/* undo.c - a run backwards.
 *
 * Files and packages are put back from the last step to the first; then the
 * commands that make programs look at their files again run once, forwards.
 * A step that a kill cut off may have happened or not: each is asked what is
 * there now, so that an undo that was cut off itself can be repeated.
 */
#include <string.h>

#include "base/clock.h"
#include "setup/journal.h"

/* The file is as the run left it, or as it was before. */
static enum errc check_file(struct journal *run, const struct entry *e,
                            size_t *conflicts, struct err *err)
{
    struct node now;
    struct arena a;

    arena_init(&a, 2 * HOST_FILE_MAX);
    enum errc rc = host_look(run->host, e->path, &a, &now, err);
    if (!rc && !node_same(&now, &e->was) && !node_same(&now, &e->becomes) &&
        !(*conflicts)++)
        (void)err_set(err, ERR_CONFLICT,
                      "'%s' was changed since: nothing was put back; --force "
                      "does it all the same",
                      e->path);
    arena_fini(&a);
    return rc;
}

static bool is_last_of_path(const struct journal *run, size_t i)
{
    for (size_t k = i + 1; k < run->n; k++)
        if (run->v[k].kind == STEP_PUT && !run->v[k].undone &&
            strcmp(run->v[k].path, run->v[i].path) == 0)
            return false;
    return true;
}

static enum errc check(struct journal *run, struct err *err)
{
    enum errc rc = ERR_OK;
    size_t conflicts = 0;

    for (size_t i = 0; i < run->n && !rc; i++)
        if (run->v[i].kind == STEP_PUT && !run->v[i].undone &&
            is_last_of_path(run, i))
            rc = check_file(run, &run->v[i], &conflicts, err);
    return rc ? rc : conflicts ? ERR_CONFLICT : ERR_OK;
}

/* A directory that others put something into stays. */
static enum errc put_back(struct journal *run, const struct entry *e,
                          struct err *err)
{
    enum errc rc = host_put(run->host, e->path, &e->was, err);

    return rc == ERR_CONFLICT && e->becomes.kind == NODE_DIRECTORY ? ERR_OK
                                                                   : rc;
}

static enum errc take_back(struct journal *run, const struct entry *e,
                           struct err *err)
{
    switch (e->kind) {
    case STEP_PUT:
        return put_back(run, e, err);
    case STEP_PACKAGES:
        return packages_back_to(run->host, e->list, err);
    case STEP_RUN:
        return *e->undo && (!*e->probe || host_holds(run->host, e->probe))
                   ? host_run_line(run->host, e->undo, NULL, err)
                   : ERR_OK;
    case STEP_REFRESH:
    case STEP_NOTE:
        break;
    }
    return ERR_OK;
}

static enum errc watched(struct journal *run, const struct setup_watch *w,
                         size_t i, const struct entry *e, bool force,
                         struct err *err)
{
    bool again = e->kind == STEP_REFRESH;
    int64_t start = clock_mono_ns();

    w->begin(w->ctx, i, run->n, e->title);
    enum errc rc =
        again
            ? host_run_line(run->host, *e->undo ? e->undo : e->does, NULL, err)
            : take_back(run, e, err);
    w->end(w->ctx, rc ? err->msg : NULL,
           (double)(clock_mono_ns() - start) / 1e9);
    /* the program that would look at its files again may be gone by now */
    if (rc && !again && !(force && e->kind == STEP_RUN))
        return err_wrap(err, rc, "%s", e->title);
    return journal_undone(run, e->number, err);
}

static bool came_before(const struct journal *run, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (run->v[k].kind == STEP_REFRESH &&
            strcmp(run->v[k].does, run->v[i].does) == 0)
            return true;
    return false;
}

enum errc setup_undo(struct journal *run, bool force,
                     const struct setup_watch *w, struct err *err)
{
    enum errc rc = force ? ERR_OK : check(run, err);
    size_t done = 0;

    for (size_t i = run->n; i-- > 0 && !rc;)
        if (run->v[i].kind != STEP_REFRESH && !run->v[i].undone)
            rc = watched(run, w, ++done, &run->v[i], force, err);
    for (size_t i = 0; i < run->n && !rc; i++)
        if (run->v[i].kind == STEP_REFRESH && !run->v[i].undone &&
            !came_before(run, i))
            rc = watched(run, w, ++done, &run->v[i], force, err);
    return rc ? rc : journal_state(run, RUN_UNDONE, err);
}
