#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "codec/json_tree.h"
#include "daemon/master_internal.h"
#include "io/socket.h"

enum { MS = 1000000, MEMORY_MAX = 1 << 20 };

/* ---- status --------------------------------------------------------- */

static void put_death(const struct unit *u, struct buf *b)
{
    char text[300];

    if (!u->last.at_ns)
        return;
    death_text(&u->last, text, sizeof(text));
    buf_puts(b, ",\"last_death\":");
    struct death d = u->last;
    d.settings_ms = -1;
    death_put(&d, u->name, b);
    b->n -= 2; /* the end of its line, and of the object */
    buf_put_field(b, ",\"text\":", str_from_cstr(text));
    buf_putc(b, '}');
}

static void put_unit(const struct master *m, const struct unit *u, int64_t now,
                     struct buf *b)
{
    const struct run *r = unit_main(u);
    int64_t memory =
        unit_is_own(u) ? -1 : cgroup_memory(&m->supervisor.cgroups, u->name);

    buf_put_field(b, "{\"name\":", str_from_cstr(u->name));
    buf_put_field(b, ",\"state\":", str_from_cstr(unit_state_name(u->state)));
    buf_printf(b, ",\"own\":%s,\"wanted\":%s,\"restarts\":%llu",
               unit_is_own(u) ? "true" : "false", u->wanted ? "true" : "false",
               (unsigned long long)u->restarts);
    if (r)
        buf_printf(b, ",\"pid\":%d,\"up_ms\":%lld", (int)r->pid,
                   (long long)((now - r->started_ns) / MS));
    if (u->state == UNIT_BACKOFF)
        buf_printf(b, ",\"start_in_ms\":%lld",
                   (long long)((u->next_start_ns - now) / MS));
    if (memory >= 0)
        buf_printf(b, ",\"memory_bytes\":%lld", (long long)memory);
    if (u->status[0])
        buf_put_field(b, ",\"status\":", str_from_cstr(u->status));
    put_death(u, b);
    buf_putc(b, '}');
}

static void put_reload(const struct reload *r, struct buf *b)
{
    static const char *const states[] = {[RELOAD_NONE] = "none",
                                         [RELOAD_TRIES] = "tries",
                                         [RELOAD_DONE] = "done",
                                         [RELOAD_REFUSED] = "refused"};

    buf_printf(b, ",\"reload\":{\"number\":%u,\"wanted\":%s", r->number,
               r->wanted ? "true" : "false");
    buf_put_field(b, ",\"state\":", str_from_cstr(states[r->state]));
    buf_put_field(b, ",\"message\":", str_from_cstr(r->message));
    buf_putc(b, '}');
}

static void put_status(struct master *m, struct buf *b)
{
    int64_t now = clock_mono_ns();
    char started[CLOCK_TEXT_MAX];
    bool first = true;

    clock_format(m->started_ns, started);
    buf_printf(b, "{\"pid\":%d", (int)getpid());
    buf_put_field(b, ",\"version\":", str_from_cstr(STOKER_VERSION));
    buf_put_field(b, ",\"started\":", str_from_cstr(started));
    buf_printf(b, ",\"stopping\":%s,\"port\":%u",
               m->stopping ? "true" : "false", m->port);
    if (m->monitor)
        buf_printf(b, ",\"monitor_port\":%u", socket_port(m->fds[1]));
    buf_printf(b, ",\"generation\":%u", m->generation);
    buf_put_field(b, ",\"trouble\":", str_from_cstr(m->trouble));
    put_reload(&m->reload, b);
    buf_puts(b, ",\"units\":[");
    for (const struct unit *u = m->supervisor.units; u; u = u->next) {
        buf_puts(b, first ? "" : ",");
        put_unit(m, u, now, b);
        first = false;
    }
    buf_puts(b, "]}");
}

/* ---- what can be asked ---------------------------------------------- */

enum what { WHAT_STOP, WHAT_START, WHAT_RESTART };

static void do_one(struct unit *u, enum what what)
{
    if (what == WHAT_STOP) {
        u->wanted = false;
        return;
    }
    u->replace = what == WHAT_RESTART && unit_is_up(u);
    if (!u->wanted || u->state == UNIT_BACKOFF)
        u->next_start_ns = 0;
    u->wanted = true;
    u->deaths = 0;
    u->in_hour = 0;
}

static enum errc do_units(struct master *m, const struct json_node *names,
                          enum what what, struct err *err)
{
    size_t n = names ? names->n : 0;

    for (size_t i = 0; i < n; i++) {
        char name[UNIT_NAME_MAX];
        (void)snprintf(name, sizeof(name), STR_FMT,
                       STR_ARG(json_str_or(json_at(names, i), "")));
        if (!supervisor_find(&m->supervisor, name))
            return err_set(err, ERR_NOT_FOUND, "there is no service '%s'",
                           name);
    }
    m->trouble[0] = '\0';
    if (!n && what == WHAT_STOP) {
        log_event(LOG_INFO, "server.stopping", "asked to");
        master_stop(m);
        return ERR_OK;
    }
    for (struct unit *u = m->supervisor.units; u; u = u->next) {
        bool named = n == 0;
        for (size_t i = 0; i < n && !named; i++)
            named = json_says(json_at(names, i), u->name);
        if (named && !u->removed)
            do_one(u, what);
    }
    return ERR_OK;
}

static enum errc do_reload(struct master *m, struct err *err)
{
    if (!m->master->again)
        return err_set(err, ERR_UNSUPPORTED,
                       "it was started without a stoker.yaml: there is nothing "
                       "to be read again");
    if (m->stopping)
        return err_set(err, ERR_CONFLICT, "Stoker is stopping");
    m->reload.wanted = true;
    return ERR_OK;
}

static enum errc do_upgrade(struct master *m, const struct json_node *q,
                            struct err *err)
{
    struct str program = json_str_or(json_get(q, "program"), "");

    if (!program.n || program.p[0] != '/' || program.n >= sizeof(m->upgrade))
        return err_set(err, ERR_INVALID, "the program must be a whole path");
    if (!m->master->args || m->stopping || m->reload.next)
        return err_set(err, ERR_CONFLICT,
                       "it is stopping, or reloading: try again");
    m->trouble[0] = '\0';
    (void)snprintf(m->upgrade, sizeof(m->upgrade), STR_FMT, STR_ARG(program));
    return ERR_OK;
}

static enum errc do_request(struct master *m, const struct json_node *q,
                            struct buf *reply, struct err *err)
{
    const struct json_node *what = json_get(q, "do");
    const struct json_node *names = json_get(q, "services");
    enum errc rc = ERR_OK;

    if (json_says(what, "stop"))
        rc = do_units(m, names, WHAT_STOP, err);
    else if (json_says(what, "start"))
        rc = do_units(m, names, WHAT_START, err);
    else if (json_says(what, "restart"))
        rc = do_units(m, names, WHAT_RESTART, err);
    else if (json_says(what, "reload"))
        rc = do_reload(m, err);
    else if (json_says(what, "upgrade"))
        rc = do_upgrade(m, q, err);
    else if (!json_says(what, "status"))
        rc = err_set(err, ERR_INVALID, "this is not understood");
    if (!rc)
        put_status(m, reply);
    return rc;
}

void master_asked(void *ctx, struct str request, struct buf *reply)
{
    struct master *m = ctx;
    struct err err = {0};
    struct arena a;

    arena_init(&a, MEMORY_MAX);
    const struct json_node *q = json_tree_copy(request, &a, &err);
    enum errc rc = q ? do_request(m, q, reply, &err) : ERR_INVALID;
    if (rc) {
        buf_clear(reply);
        buf_printf(reply, "{\"code\":%d", (int)rc);
        buf_put_field(reply, ",\"error\":", str_from_cstr(err.msg));
        buf_putc(reply, '}');
    }
    buf_putc(reply, '\n');
    arena_fini(&a);
}
