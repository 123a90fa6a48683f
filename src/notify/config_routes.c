/* config_routes.c - the tree of routes: reading it, and finding in it. */
#include <stdlib.h>
#include <string.h>

#include "base/sort.h"
#include "notify/config_internal.h"

enum { DEPTH_MAX = 32 };

void config_route_free(struct route *route)
{
    for (struct route *r = route ? route->first : NULL; r; r = r->next)
        config_route_free(r);
    if (route)
        matchers_fini(&route->matchers);
}

static const struct receiver *receiver_named(const struct notify_config *c,
                                             struct str name)
{
    for (size_t i = 0; i < c->n_receivers; i++)
        if (str_eq(c->receivers[i].name, name))
            return &c->receivers[i];
    return NULL;
}

static bool is_period(const struct notify_config *c, struct str name)
{
    for (size_t i = 0; i < c->n_periods; i++)
        if (str_eq(c->periods[i].name, name))
            return true;
    return false;
}

static void check_periods(struct config_reading *r, const struct yaml *n,
                          const struct yaml_texts *names)
{
    for (size_t i = 0; i < names->n; i++)
        if (!is_period(r->config, names->v[i]))
            yaml_wrong(&r->form, n,
                       "undefined time interval \"" STR_FMT "\" used in route",
                       STR_ARG(names->v[i]));
}

static int by_matcher(const void *a, const void *b)
{
    const struct matcher *x = a, *y = b;
    int order = str_compare(x->name, y->name);

    return order ? order : str_compare(x->value, y->value);
}

/* {}/{a="b"}/...: what Alertmanager calls the route. */
static void name_route(struct config_reading *r, struct route *route)
{
    struct buf b;

    buf_init(&b, CONFIG_MAX_BYTES);
    if (route->parent) {
        buf_put(&b, route->parent->key);
        buf_putc(&b, '/');
    }
    buf_putc(&b, '{');
    matchers_print(&b, &route->matchers);
    buf_putc(&b, '}');
    const char *copy = arena_cstr(&r->config->arena, buf_str(&b));
    route->key = (struct str){copy ? copy : "", copy ? b.n : 0};
    if (!copy)
        yaml_no_memory(&r->form);
    buf_fini(&b);
}

static void take_route(struct config_reading *r, const struct yaml *n,
                       struct route *route, unsigned depth);

static void take_children(struct config_reading *r, const struct yaml *list,
                          struct route *route, unsigned depth)
{
    struct route **link = &route->first;

    if (!yaml_is_list(&r->form, list))
        return;
    if (depth == DEPTH_MAX) {
        yaml_wrong(&r->form, list, "routes are nested too deeply");
        return;
    }
    for (const struct yaml *c = list->first; c; c = c->next) {
        struct route *child = arena_new(&r->config->arena, struct route, 1);
        if (!child) {
            yaml_no_memory(&r->form);
            return;
        }
        /* What it does not say, it has from its parent. */
        *child = (struct route){.parent = route,
                                .receiver_name = route->receiver_name,
                                .group_by = route->group_by,
                                .group_by_all = route->group_by_all,
                                .group_wait = route->group_wait,
                                .group_interval = route->group_interval,
                                .repeat_interval = route->repeat_interval};
        *link = child;
        link = &child->next;
        take_route(r, c, child, depth + 1);
    }
}

static void take_group_by(struct yaml_form *f, const struct yaml *n,
                          void *field)
{
    static const struct yaml_field fields[] = {
        {"group_by", YAML_FIELD_TEXTS, 0, NULL}, {0}};
    struct route *route = field;
    struct yaml one = *n, map = {.kind = YAML_MAP, .first = &one};

    one.next = NULL;
    route->group_by_all = false;
    route->group_by = (struct yaml_texts){NULL, 0};
    yaml_take(f, &map, fields, &route->group_by);
    for (size_t i = 0; i < route->group_by.n; i++) {
        if (!str_eq(route->group_by.v[i], STR("...")))
            continue;
        if (route->group_by.n > 1)
            yaml_wrong(f, n,
                       "cannot have wildcard group_by (`...`) and other "
                       "other labels at the same time");
        route->group_by_all = true;
    }
}

static void check_route(struct config_reading *r, const struct yaml *n,
                        struct route *route)
{
    const struct yaml *name = yaml_get(n, "receiver");

    route->receiver = receiver_named(r->config, route->receiver_name);
    if (!route->receiver && (name || !route->parent))
        yaml_wrong(&r->form, name ? name : n,
                   name ? "undefined receiver \"" STR_FMT "\" used in route"
                        : "root route must specify a default receiver" STR_FMT,
                   name ? (int)route->receiver_name.n : 0,
                   route->receiver_name.p ? route->receiver_name.p : "");
    if (!route->parent && (route->matchers.n || route->muted.n))
        yaml_wrong(&r->form, n,
                   route->muted.n ? "root route must not have any mute time "
                                    "intervals"
                                  : "root route must not have any matchers");
    if (route->group_interval <= 0)
        yaml_wrong(&r->form, n, "group_interval cannot be zero");
    if (route->repeat_interval <= 0)
        yaml_wrong(&r->form, n, "repeat_interval cannot be zero");
    check_periods(r, n, &route->muted);
    check_periods(r, n, &route->active);
}

static void take_route(struct config_reading *r, const struct yaml *n,
                       struct route *route, unsigned depth)
{
#define AT(field) offsetof(struct route, field)
    static const struct yaml_field fields[] = {
        {"receiver", YAML_FIELD_TEXT, AT(receiver_name), NULL},
        {"group_by", YAML_FIELD_OTHER, 0, take_group_by},
        {"match", YAML_FIELD_OTHER, AT(matchers), config_match},
        {"match_re", YAML_FIELD_OTHER, AT(matchers), config_match_re},
        {"matchers", YAML_FIELD_OTHER, AT(matchers), config_matchers},
        {"continue", YAML_FIELD_BOOL, AT(goes_on), NULL},
        {"group_wait", YAML_FIELD_OTHER, AT(group_wait), config_duration},
        {"group_interval", YAML_FIELD_OTHER, AT(group_interval),
         config_duration},
        {"repeat_interval", YAML_FIELD_OTHER, AT(repeat_interval),
         config_duration},
        {"mute_time_intervals", YAML_FIELD_TEXTS, AT(muted), NULL},
        {"active_time_intervals", YAML_FIELD_TEXTS, AT(active), NULL},
        {"routes", YAML_FIELD_OTHER, 0, yaml_ignore},
        {0}};
#undef AT

    route->index = r->config->n_routes++;
    yaml_take(&r->form, n, fields, route);
    sort_items(route->matchers.v, route->matchers.n, sizeof(struct matcher),
               by_matcher);
    check_route(r, n, route);
    name_route(r, route);
    take_children(r, yaml_get(n, "routes"), route, depth);
}

void config_routes(struct config_reading *r, const struct yaml *root,
                   const struct yaml *at)
{
    enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
    struct route *route = arena_new(&r->config->arena, struct route, 1);

    if (!route) {
        yaml_no_memory(&r->form);
        return;
    }
    if (yaml_is_null(root)) {
        yaml_wrong(&r->form, at, "no route provided in config");
        return;
    }
    *route = (struct route){.group_wait = 30 * SECOND,
                            .group_interval = 5 * MINUTE,
                            .repeat_interval = 4 * HOUR};
    r->config->root = route;
    take_route(r, root, route, 0);
}

/* ---- finding ------------------------------------------------------------ */

/* True when it or one below took it. */
static bool match(const struct route *r, struct labels l,
                  void (*each)(void *ctx, const struct route *r), void *ctx)
{
    bool taken = false;

    if (!matchers_match(&r->matchers, l))
        return false;
    for (const struct route *c = r->first; c; c = c->next) {
        if (!match(c, l, each, ctx))
            continue;
        taken = true;
        if (!c->goes_on)
            break;
    }
    if (!taken)
        each(ctx, r);
    return true;
}

void route_match(const struct route *root, struct labels l,
                 void (*each)(void *ctx, const struct route *r), void *ctx)
{
    (void)match(root, l, each, ctx);
}
