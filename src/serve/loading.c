/* From a prepared file to a served model: check, load, describe, warm up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "model/golden.h"
#include "serve/loading_internal.h"
#include "serve/serve_metrics.h"

enum {
    LABELS_MAX = 16 << 20,
    WARM_UP_RUNS = 2,
};

void registry_forget_prepared(struct registry *r)
{
    for (size_t i = 0; i < r->n_prepared; i++)
        prepared_drop(&r->prepared[i]);
    free(r->prepared);
    r->prepared = NULL;
    r->n_prepared = 0;
}

/* All good ones in as few children as possible. The GPU runtimes do not
 * survive a fork, so those are checked in processes of their own. */
static void check_all(struct registry *r)
{
    bool gpu = strcmp(r->ops->device(r->runtime), "cpu") != 0;
    struct check_job *jobs = calloc(r->n_prepared + 1, sizeof(*jobs));
    size_t *which = calloc(r->n_prepared + 1, sizeof(*which)), n = 0;

    for (size_t i = 0; jobs && which && i < r->n_prepared; i++) {
        struct prepared *p = &r->prepared[i];
        if (p->job.rc)
            continue;
        if (gpu) {
            check_spawned(&r->options.runtime, &p->job);
            continue;
        }
        which[n] = i;
        jobs[n++] = p->job;
    }
    check_forked(r->ops, r->runtime, jobs, n);
    for (size_t i = 0; i < n; i++)
        r->prepared[which[i]].job = jobs[i];
    free(jobs);
    free(which);
}

static const struct import_hints *hints_of(const struct registry *r,
                                           const char *model)
{
    const struct registry_options *o = &r->options;

    for (size_t i = 0; i < o->n_model_hints; i++)
        if (strcmp(o->model_hints[i].model, model) == 0)
            return &o->model_hints[i].hints;
    return &o->hints;
}

enum errc registry_prepare(struct registry *r, struct err *err)
{
    enum errc rc = ERR_OK;

    for (size_t i = 0; i < r->options.n_specs && !rc; i++)
        rc = repo_add(&r->repo, r->options.specs[i], err);
    if (!rc && r->options.repository)
        rc = repo_scan(&r->repo, r->options.repository, err);
    if (rc)
        return rc;
    if (r->repo.n == 0)
        return err_set(err, ERR_NOT_FOUND,
                       "there is no model in '%s'; expected "
                       "<name>/<version>/model.onnx",
                       r->options.repository ? r->options.repository
                                             : r->options.specs[0]);
    r->prepared = calloc(r->repo.n, sizeof(*r->prepared));
    if (!r->prepared)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < r->repo.n; i++) {
        r->prepared[i].entry = r->repo.entries[i];
        r->prepared[i].hints = hints_of(r, r->repo.entries[i].name);
        r->n_prepared = i + 1;
        prepared_read(&r->prepared[i]);
    }
    check_all(r);
    return ERR_OK;
}

/* A class name per line, for the classification extension. */
static void read_labels(struct served *m, size_t output, const char *folder,
                        struct str name)
{
    char path[4400];
    struct buf text;

    if (name.n == 0 || !repo_name_valid(name) ||
        snprintf(path, sizeof(path), "%.4000s/../" STR_FMT, folder,
                 STR_ARG(name)) >= (int)sizeof(path))
        return;
    buf_init(&text, LABELS_MAX);
    if (fs_read(path, &text, NULL) == ERR_OK) {
        struct str rest = {arena_cstr(&m->arena, buf_str(&text)), text.n};
        size_t lines = 1;
        for (size_t i = 0; i < text.n; i++)
            lines += text.p[i] == '\n';
        m->labels[output] = arena_new(&m->arena, struct str, lines);
        while (m->labels[output] && rest.p && rest.n)
            m->labels[output][m->n_labels[output]++] =
                str_trim(str_cut(&rest, '\n'));
    }
    buf_fini(&text);
}

/* The configuration names what the file has, or it is for another file. */
static enum errc check_config(const struct served *m, struct err *err)
{
    const struct model_config *c = &m->config;

    for (size_t i = 0; i < c->n_inputs; i++) {
        const struct io_spec *found = NULL;
        for (size_t k = 0; k < m->spec->n_inputs; k++)
            if (str_eq(c->inputs[i].name,
                       str_from_cstr(m->spec->inputs[k].name)))
                found = &m->spec->inputs[k];
        if (!found)
            return err_set(err, ERR_INVALID,
                           "config.pbtxt names the input '" STR_FMT
                           "', which the model does not have",
                           STR_ARG(c->inputs[i].name));
        if (c->inputs[i].type && c->inputs[i].type != found->type)
            return err_set(err, ERR_INVALID,
                           "config.pbtxt says input '%s' is %s, the model says "
                           "%s",
                           found->name, dtype_oip(c->inputs[i].type),
                           dtype_oip(found->type));
    }
    for (size_t i = 0; i < c->n_outputs; i++) {
        bool found = false;
        for (size_t k = 0; k < m->spec->n_outputs; k++)
            found = found || str_eq(c->outputs[i].name,
                                    str_from_cstr(m->spec->outputs[k].name));
        if (!found)
            return err_set(err, ERR_INVALID,
                           "config.pbtxt names the output '" STR_FMT
                           "', which the model does not have",
                           STR_ARG(c->outputs[i].name));
    }
    return ERR_OK;
}

static void copy_config(struct served *m, const struct repo_entry *e)
{
    m->config = e->settings;
    for (size_t i = 0; i < m->config.n_inputs; i++) {
        struct str *s = &m->config.inputs[i].name;
        s->p = arena_cstr(&m->arena, *s);
    }
    for (size_t i = 0; i < m->config.n_outputs; i++) {
        struct str *s = &m->config.outputs[i].name;
        s->p = arena_cstr(&m->arena, *s);
        struct str *l = &m->config.outputs[i].label_file;
        l->p = arena_cstr(&m->arena, *l);
        for (size_t k = 0; k < m->spec->n_outputs; k++)
            if (str_eq(*s, str_from_cstr(m->spec->outputs[k].name)))
                read_labels(m, k, e->folder, *l);
    }
}

static void set_policy(const struct registry *r, struct served *m)
{
    const struct model_config *c = &m->config;
    int64_t max = r->options.max_batch;
    bool gpu = strcmp(m->device, "cpu") != 0;

    if (c->max_batch > 0)
        max = c->max_batch;
    m->batchable =
        m->facts.batchable && max > 1 && !(c->present && c->max_batch == 0);
    m->max_rows = m->batchable ? (size_t)max : 1;
    m->batcher = (struct batcher){
        .max_rows = m->max_rows,
        .max_delay_ns =
            (c->max_delay_us >= 0 ? c->max_delay_us : r->options.max_delay_us) *
            1000,
    };
    for (size_t i = 0; i < c->n_preferred && i < BATCHER_SIZES; i++)
        if (c->preferred[i] > 0)
            m->batcher.preferred[m->batcher.n_preferred++] =
                (size_t)c->preferred[i];
    atomic_store(&m->row_ns, m->facts.run_ns);
    /* Unknown cost: the pool first; the average moves it if it is cheap. */
    atomic_store(&m->pooled,
                 gpu || !m->facts.tried || m->facts.run_ns > 1000 * 1000);
}

/* Runs on made-up input until the arenas have grown: the first request must
 * not pay for it. What cannot be made up is left to the first request. */
static void warm_up(struct served *m)
{
    static const uint64_t seeds[] = {1};

    for (int i = 0; m->facts.tried && i < WARM_UP_RUNS; i++) {
        struct run_input inputs[64];
        struct run_result result;
        struct arena arena;
        size_t n = 0;

        arena_init(&arena, 1 << 30);
        struct tensor *in =
            check_inputs(m->spec, &arena, seeds, 1, m->facts.free_dim);
        for (size_t k = 0; in && k < m->spec->n_inputs && n < 64; k++)
            if (!m->spec->inputs[k].optional)
                inputs[n++] =
                    (struct run_input){m->spec->inputs[k].name, &in[k]};
        if (in) {
            if (m->ops->run(m->session, inputs, n, UINT64_MAX, &result, NULL))
                i = WARM_UP_RUNS;
            m->ops->release(m->session, &result);
        }
        arena_fini(&arena);
    }
}

static enum errc load_session(struct registry *r, struct prepared *p,
                              struct served *m, struct err *err)
{
    struct model_source source = prepared_source(p);
    enum errc rc = r->ops->load(r->runtime, &source, &m->session, err);

    if (rc)
        return rc;
    m->spec = r->ops->spec(m->session);
    m->imported = p->imported; /* the session works with its weights */
    p->imported = NULL;
    copy_config(m, &p->entry);
    rc = check_config(m, err);
    if (!rc)
        rc = golden_beside(r->ops, m->session, p->entry.path, err);
    if (rc)
        return rc;
    set_policy(r, m);
    warm_up(m);
    return ERR_OK;
}

static enum errc build(struct registry *r, struct prepared *p,
                       struct served **out, struct err *err)
{
    struct served *m = calloc(1, sizeof(*m));
    int64_t from = clock_mono_ns();

    if (!m)
        return err_set(err, ERR_NOMEM, "out of memory");
    atomic_init(&m->refs, 1);
    arena_init(&m->arena, LABELS_MAX * 4);
    m->ops = r->ops;
    m->name = strdup(p->entry.name);
    m->version = strdup(p->entry.version);
    m->path = strdup(p->entry.path);
    m->facts = p->job.facts;
    m->device = r->ops->device(r->runtime);
    m->platform = "onnxruntime_onnx";
    m->bytes = p->imported ? p->imported->bytes : p->bytes.n;
    enum errc rc;
    if (m->name && m->version && m->path)
        rc = load_session(r, p, m, err);
    else
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (rc) {
        served_unref(m);
        return rc;
    }
    serve_metrics_model(r->metrics, m);
    metric_set(m->metrics.load_seconds,
               (double)(clock_mono_ns() - from) * 1e-9);
    metric_set(m->metrics.inline_mode, !atomic_load(&m->pooled));
    log_event(LOG_INFO, "model.loaded",
              "model=%s version=%s file=%s ms=%lld batchable=%s%s%s%s "
              "run_us=%lld device=%s",
              m->name, m->version, m->path,
              (long long)((clock_mono_ns() - from) / 1000000),
              m->batchable ? "yes" : "no", m->facts.why[0] ? " (" : "",
              m->facts.why, m->facts.why[0] ? ")" : "",
              (long long)(m->facts.run_ns / 1000), m->device);
    if (m->imported && m->imported->report.note[0])
        log_event(LOG_WARN, "model.note", "model=%s %s", m->name,
                  m->imported->report.note);
    *out = m;
    return ERR_OK;
}

/* "cannot load model 'm' from 'f.onnx': why" */
static enum errc explain(const struct prepared *p, enum errc rc,
                         struct err *err)
{
    bool imported =
        p->entry.path && import_needed(import_kind_of(p->entry.path));
    const char *hint =
        imported || rc == ERR_CONFLICT ? ""
        : rc == ERR_UNSUPPORTED
            ? " (export it with another opset, or use a newer ONNX Runtime)"
        : rc == ERR_INVALID ? " (export the model again, or check the file)"
                            : "";
    struct err cause = *err;

    err_record(err, rc, "cannot load model '%s' from '%s': %.400s%s",
               p->entry.name, p->entry.path ? p->entry.path : p->entry.folder,
               cause.msg, hint);
    return rc;
}

static enum errc finish(struct registry *r, struct prepared *p,
                        struct registry_entry *e, struct err *err)
{
    enum errc rc = p->job.rc;

    *e = (struct registry_entry){.name = (char *)(uintptr_t)p->entry.name,
                                 .version = (char *)(uintptr_t)p->entry.version,
                                 .state = MODEL_UNAVAILABLE};
    if (rc)
        *err = p->job.err;
    else
        rc = build(r, p, &e->served, err);
    prepared_drop(p);
    if (rc)
        return explain(p, rc, err);
    e->state = MODEL_READY;
    return ERR_OK;
}

/* All versions of one name together: prepared[from..to). */
static enum errc load_versions(struct registry *r, struct prepared *p, size_t n,
                               struct err *err)
{
    struct registry_entry *entries = calloc(n, sizeof(*entries));
    char(*reasons)[512] = calloc(n, sizeof(*reasons));
    enum errc first = ERR_OK;

    if (!entries || !reasons) {
        free(entries);
        free(reasons);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        struct err why = {0};
        enum errc rc = finish(r, &p[i], &entries[i], &why);
        if (!rc)
            continue;
        memcpy(reasons[i], why.msg, sizeof(reasons[i]));
        entries[i].reason = reasons[i];
        log_event(LOG_ERROR, "model.failed", "%s", why.msg);
        if (!first)
            err_record(err, rc, "%s", why.msg);
        first = first ? first : rc;
    }
    enum errc rc = registry_publish(r, p->entry.name, entries, n, err);
    for (size_t i = 0; i < n; i++)
        served_unref(entries[i].served);
    free(entries);
    free(reasons);
    return rc ? rc : first;
}

static size_t same_name(const struct prepared *p, size_t n)
{
    size_t k = 1;

    while (k < n && strcmp(p[k].entry.name, p[0].entry.name) == 0)
        k++;
    return k;
}

enum errc registry_load_all(struct registry *r, struct err *err)
{
    enum errc first = ERR_OK;
    size_t loaded = 0;

    pthread_mutex_lock(&r->load_lock);
    for (size_t i = 0; i < r->n_prepared;) {
        struct err why = {0};
        size_t n = same_name(&r->prepared[i], r->n_prepared - i);
        enum errc rc = load_versions(r, &r->prepared[i], n, &why);
        loaded += rc == ERR_OK;
        if (rc && !first) {
            first = rc;
            err_record(err, rc, "%s", why.msg);
        }
        i += n;
    }
    registry_forget_prepared(r);
    pthread_mutex_unlock(&r->load_lock);
    bool tolerant = r->options.repository || r->repo.n > r->options.n_specs;
    return first && (!tolerant || loaded == 0) ? first : ERR_OK;
}

/* Finds the files of `name` again: in the repository, or where the command
 * line said. */
static enum errc find_again(struct registry *r, const char *name,
                            struct repo *out, struct err *err)
{
    if (r->options.repository)
        return repo_find(out, r->options.repository, name, err);
    for (size_t i = 0; i < r->options.n_specs; i++) {
        struct repo all;
        repo_init(&all);
        enum errc rc = repo_add(&all, r->options.specs[i], err);
        bool here = false;
        for (size_t k = 0; !rc && k < all.n; k++)
            here = here || strcmp(all.entries[k].name, name) == 0;
        repo_fini(&all);
        if (here)
            return repo_add(out, r->options.specs[i], err);
    }
    return err_set(err, ERR_NOT_FOUND,
                   "failed to load '%s', there is no model of that name", name);
}

enum errc registry_load(struct registry *r, const char *name, struct err *err)
{
    struct repo found;
    struct prepared *p = NULL;
    size_t n = 0;

    pthread_mutex_lock(&r->load_lock);
    repo_init(&found);
    enum errc rc = find_again(r, name, &found, err);
    if (!rc) {
        p = calloc(found.n, sizeof(*p));
        rc = p ? ERR_OK : err_set(err, ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; !rc && i < found.n; i++) {
        if (strcmp(found.entries[i].name, name) != 0)
            continue;
        p[n].entry = found.entries[i];
        p[n].hints = hints_of(r, name);
        prepared_read(&p[n]);
        if (!p[n].job.rc)
            check_spawned(&r->options.runtime, &p[n].job);
        /* A file that went bad does not take the good one away. */
        if (p[n].job.rc && !rc) {
            *err = p[n].job.err;
            rc = explain(&p[n], p[n].job.rc, err);
        }
        n++;
    }
    if (!rc)
        rc = load_versions(r, p, n, err);
    for (size_t i = 0; i < n; i++)
        prepared_drop(&p[i]);
    free(p);
    repo_fini(&found);
    pthread_mutex_unlock(&r->load_lock);
    return rc;
}

enum errc registry_unload(struct registry *r, const char *name, struct err *err)
{
    struct snapshot *s = registry_snapshot(r);
    const struct registry_entry *e =
        snapshot_find(s, str_from_cstr(name), STR(""));
    enum errc rc;

    if (!e) {
        rc = err_set(err, ERR_NOT_FOUND,
                     "failed to unload '%s', there is no model of that name",
                     name);
    } else {
        struct registry_entry gone = {.name = e->name,
                                      .version = e->version,
                                      .state = MODEL_UNAVAILABLE,
                                      .reason = (char *)(uintptr_t) "unloaded"};
        rc = registry_publish(r, name, &gone, 1, err);
        log_event(LOG_INFO, "model.unloaded", "model=%s", name);
    }
    snapshot_unref(s);
    return rc;
}
