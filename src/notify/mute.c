/* mute.c - why an alert is not told: another one explains it, or the hour. */
#include "notify/dispatch.h"

/* ---- inhibition --------------------------------------------------------- */

struct search {
    const struct inhibit_rule *rule;
    struct labels target;
    bool both_sides; /* the target could be a source as well */
    int64_t now;
    const struct active_alert *found;
};

static bool equal_as_asked(const struct inhibit_rule *rule, struct labels a,
                           struct labels b)
{
    for (size_t i = 0; i < rule->equal.n; i++)
        if (!str_eq(labels_get(a, rule->equal.v[i]),
                    labels_get(b, rule->equal.v[i])))
            return false;
    return true;
}

static void look(void *ctx, struct active_alert *a)
{
    struct search *s = ctx;

    if (s->found || active_ended(a, s->now) ||
        !matchers_match(&s->rule->source, a->labels) ||
        !equal_as_asked(s->rule, a->labels, s->target))
        return;
    /* Two that could inhibit each other do not. */
    if (s->both_sides && matchers_match(&s->rule->target, a->labels))
        return;
    s->found = a;
}

const struct active_alert *dispatch_inhibitor(const struct dispatch *d,
                                              struct labels l, int64_t now)
{
    for (size_t i = 0; d->config && i < d->config->c.n_inhibits; i++) {
        const struct inhibit_rule *rule = &d->config->c.inhibits[i];
        if (!matchers_match(&rule->target, l))
            continue;
        struct search s = {.rule = rule,
                           .target = l,
                           .both_sides = matchers_match(&rule->source, l),
                           .now = now};
        active_each(&d->active, look, &s);
        if (s.found)
            return s.found;
    }
    return NULL;
}

/* ---- hours -------------------------------------------------------------- */

static bool any_has(const struct notify_config *c,
                    const struct yaml_texts *names, int64_t now)
{
    for (size_t i = 0; i < names->n; i++)
        for (size_t k = 0; k < c->n_periods; k++) {
            const struct named_period *p = &c->periods[k];
            if (!str_eq(p->name, names->v[i]))
                continue;
            for (size_t m = 0; m < p->n; m++)
                if (period_has(&p->v[m], now))
                    return true;
        }
    return false;
}

bool dispatch_is_out_of_hours(const struct notify_config *c,
                              const struct route *r, int64_t now)
{
    return any_has(c, &r->muted, now) ||
           (r->active.n && !any_has(c, &r->active, now));
}
