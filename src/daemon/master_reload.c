#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/master_internal.h"

/* ---- services ------------------------------------------------------- */

enum errc master_add_services(struct master *m, const struct daemon_options *o,
                              struct err *err)
{
    enum errc rc = ERR_OK;
    struct unit *u;

    for (size_t i = 0; i < o->n_services && !rc; i++)
        if (!supervisor_find(&m->supervisor, o->services[i].name))
            rc = supervisor_add(&m->supervisor, o->services[i].name,
                                &o->services[i].spec, NULL, &u, err);
    return rc;
}

static const struct daemon_service *find(const struct daemon_options *o,
                                         const char *name)
{
    for (size_t i = 0; i < o->n_services; i++)
        if (strcmp(o->services[i].name, name) == 0)
            return &o->services[i];
    return NULL;
}

/* Services that are gone or changed are ended; what is new, or has ended, is
 * started by the next step. */
static void apply_services(struct master *m, const struct daemon_options *o)
{
    struct err err = {0};

    for (struct unit *u = m->supervisor.units; u; u = u->next) {
        const struct daemon_service *s = find(o, u->name);
        if (unit_is_own(u) || u->removed)
            continue;
        if (!s || !spec_equal(&s->spec, &u->spec))
            supervisor_remove(&m->supervisor, u);
    }
    m->supervisor.options.folder = o->folder;
    m->supervisor.options.logs = o->logs;
    if (master_add_services(m, o, &err))
        log_event(LOG_ERROR, "config.trouble", "%s", err.msg);
}

/* ---- settings ------------------------------------------------------- */

static void refuse(struct master *m, const char *why)
{
    struct reload *r = &m->reload;

    r->state = RELOAD_REFUSED;
    (void)snprintf(r->message, sizeof(r->message), "%s", why);
    log_event(LOG_ERROR, "config.refused",
              "%s; the settings from before stay in force", why);
    if (r->next)
        m->master->release(m->master->ctx, r->next);
    r->next = NULL;
}

static void apply(struct master *m)
{
    struct reload *r = &m->reload;
    const struct daemon_options *old = m->options;

    m->options = r->next;
    r->next = NULL;
    apply_services(m, m->options);
    if (r->change.monitor && m->monitor)
        m->monitor->replace = true;
    r->state = RELOAD_DONE;
    r->applied_ns = clock_mono_ns();
    (void)snprintf(r->message, sizeof(r->message), "%s", r->change.listen);
    if (r->change.listen[0])
        log_event(LOG_WARN, "config.applied", "a restart is needed for: %s",
                  r->change.listen);
    else
        log_event(LOG_INFO, "config.applied", "serve=%s monitor=%s",
                  r->change.serve ? "replaced" : "unchanged",
                  r->change.monitor ? "replaced" : "unchanged");
    m->master->release(m->master->ctx, old);
}

void master_reload(struct master *m)
{
    struct reload *r = &m->reload;
    struct err err = {0};

    r->wanted = false;
    r->number++;
    r->change = (struct daemon_change){0};
    if (m->master->again(m->master->ctx, m->options, &r->next, &r->change,
                         &err)) {
        r->next = NULL;
        refuse(m, err.msg);
        return;
    }
    if (!r->change.serve || !m->serve || !m->serve->wanted) {
        apply(m);
        return;
    }
    r->state = RELOAD_TRIES;
    m->serve->replace = true;
}

void master_reload_went(struct master *m, bool well, const char *why)
{
    if (m->reload.state != RELOAD_TRIES || !m->reload.next)
        return;
    if (well)
        apply(m);
    else
        refuse(m, why);
}
