/* suspect.c - a walk over every expression; each doubt is one function. */
#include "alert/suspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alert/suspect_unit.h"
#include "promql/function.h"

struct looking {
    const struct suspect *s;
    const struct rules *rules;
    const struct rule_group *group;
    const struct rule *rule;
};

static void doubt(struct looking *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void doubt(struct looking *l, const char *fmt, ...)
{
    char text[400];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    l->s->doubt(l->s->ctx, l->group, l->rule, text);
}

/* ---- looking at trees --------------------------------------------------- */

/* The selector whose values, unchanged but for aggregation, the node has. */
static const struct node *plain_selector(const struct node *n)
{
    for (;;) {
        n = node_bare(n);
        if (n->kind == NODE_SELECTOR)
            return n;
        if (n->kind == NODE_AGGREGATE &&
            (n->u.aggregate.op == OP_SUM || n->u.aggregate.op == OP_MAX ||
             n->u.aggregate.op == OP_MIN || n->u.aggregate.op == OP_AVG))
            n = n->u.aggregate.of;
        else
            return NULL;
    }
}

/* ---- doubts ------------------------------------------------------------- */

static void doubt_lifetime(struct looking *l, const struct node *n)
{
    const struct node *sum = plain_selector(n->u.binary.left);
    const struct node *count = plain_selector(n->u.binary.right);

    if (n->u.binary.op != OP_DIVIDE || !sum || !count)
        return;
    struct str a = metric_of(sum), b = metric_of(count);
    if (str_ends(a, STR("_sum")) && str_ends(b, STR("_count")))
        doubt(l,
              STR_FMT
              " / " STR_FMT
              " is the average since the process began: it hardly moves after "
              "a while. Use rate(" STR_FMT "[5m]) / rate(" STR_FMT "[5m])",
              STR_ARG(a), STR_ARG(b), STR_ARG(a), STR_ARG(b));
}

static void doubt_counter(struct looking *l, const struct node *value)
{
    const struct node *s = plain_selector(value);
    struct str name = s ? metric_of(s) : STR("");

    if (str_ends(name, STR("_total")))
        doubt(l,
              STR_FMT
              " only rises until its process starts anew: compared as it is, "
              "this fires once and for ever. Use rate() or increase()",
              STR_ARG(name));
}

static bool mentions(struct str name, const char *word)
{
    return memmem(name.p, name.n, word, strlen(word)) != NULL;
}

/* A limit that is right in another unit. */
static void doubt_unit(struct looking *l, const struct node *value,
                       double limit)
{
    struct measure m = measure_of(value);
    struct str what = m.metric.n ? m.metric : STR("this");

    if (m.unit == UNIT_SECONDS && limit >= 100 &&
        (mentions(m.metric, "duration") || mentions(m.metric, "latency") ||
         mentions(m.metric, "request")))
        doubt(l,
              STR_FMT " is in seconds, and %g seconds are long: were "
                      "milliseconds meant? Then write %g",
              STR_ARG(what), limit, limit / 1000);
    else if (m.unit == UNIT_MILLISECONDS && limit > 0 && limit < 1)
        doubt(l,
              STR_FMT " is in milliseconds here, and %g of them are short: "
                      "were seconds meant? Then write %g",
              STR_ARG(what), limit, limit * 1000);
    else if (m.unit == UNIT_RATIO && limit > 1)
        doubt(l,
              STR_FMT " is a ratio from 0 to 1 and never above %g: was %g "
                      "meant?",
              STR_ARG(what), limit, limit / 100);
    else if (m.unit == UNIT_SHARE && limit >= 20)
        doubt(l,
              "values of one unit, one divided by the other, are a share "
              "from 0 to 1 and hardly %g: was %g meant?",
              limit, limit / 100);
    else if (m.unit == UNIT_PERCENT && limit > 0 && limit < 1)
        doubt(l,
              STR_FMT " goes from 0 to 100, so that %g is next to nothing: "
                      "was %g meant?",
              STR_ARG(what), limit, limit * 100);
    else if (m.unit == UNIT_PERCENT && limit > 100)
        doubt(l, STR_FMT " goes from 0 to 100 and is never above %g",
              STR_ARG(what), limit);
    else if (m.unit == UNIT_BYTES && limit > 0 && limit < 1024)
        doubt(l, STR_FMT " is in bytes, and %g bytes are little", STR_ARG(what),
              limit);
    else if (m.unit == UNIT_MIB && limit > 1e8)
        doubt(l,
              STR_FMT " is in MiB, and %g MiB are much: were bytes meant? "
                      "Then write %g",
              STR_ARG(what), limit, limit / 1048576);
    else if (m.unit == UNIT_CELSIUS && limit > 150)
        doubt(l, STR_FMT " is in degrees Celsius, and %g degrees melt it",
              STR_ARG(what), limit);
}

static void doubt_comparison(struct looking *l, const struct node *n)
{
    const struct node *left = node_bare(n->u.binary.left);
    const struct node *right = node_bare(n->u.binary.right);

    if (operator_kind(n->u.binary.op) != OP_COMPARE)
        return;
    if (left->kind == NODE_NUMBER) {
        const struct node *other = left;
        left = right;
        right = other;
    }
    if (right->kind != NODE_NUMBER)
        return;
    if (n->u.binary.op == OP_MORE || n->u.binary.op == OP_MORE_EQUAL)
        doubt_counter(l, left);
    doubt_unit(l, left, right->u.number);
}

/* Buckets without le, or since the process began; 95 for 0.95. */
static void doubt_quantile(struct looking *l, const struct call *c)
{
    const struct node *q = node_bare(c->args[0]);
    const struct node *of = node_bare(c->args[1]);
    const struct node *plain = plain_selector(of);
    const struct aggregate *a = &of->u.aggregate;
    bool has_le = true;

    if (q->kind == NODE_NUMBER && q->u.number > 1)
        doubt(l, "a quantile is from 0 to 1, and %g is none: was %g meant?",
              q->u.number, q->u.number / 100);
    if (strcmp(c->function->name, "histogram_quantile") != 0)
        return;
    if (plain && str_ends(metric_of(plain), STR("_bucket")))
        doubt(l,
              STR_FMT " counts since the process began, and so does the "
                      "quantile: it hardly moves after a while. Use "
                      "rate(" STR_FMT "[5m])",
              STR_ARG(metric_of(plain)), STR_ARG(metric_of(plain)));
    if (of->kind == NODE_AGGREGATE) {
        has_le = a->without;
        for (size_t i = 0; i < a->n; i++)
            if (str_eq(a->labels[i], STR("le")))
                has_le = !a->without;
    }
    if (!has_le)
        doubt(l, "the label le is aggregated away, and without it there is no "
                 "quantile: add it, as in sum by (le) (...)");
}

/* How fast something changes, of what does not count; of hardly two samples. */
static void doubt_rate(struct looking *l, const struct call *c)
{
    enum { SHORT_MS = 30000 };
    const struct node *range = node_bare(c->args[0]);
    struct measure m = measure_of(range);

    if (range->kind == NODE_MATRIX && range->u.ranged.range < SHORT_MS)
        doubt(l,
              "%s() over %g s needs two samples in them: with a scrape every "
              "15 s there often are none. Use [1m] or more",
              c->function->name, (double)range->u.ranged.range / 1000);
    if (m.unit == UNIT_PERCENT || m.unit == UNIT_RATIO ||
        m.unit == UNIT_CELSIUS || m.unit == UNIT_MIB)
        doubt(l,
              STR_FMT " is a gauge, and %s() is for counters: use "
                      "avg_over_time(), delta() or deriv()",
              STR_ARG(m.metric), c->function->name);
}

static void doubt_call(struct looking *l, const struct call *c)
{
    const char *name = c->function->name;

    if (strcmp(name, "histogram_quantile") == 0 ||
        strcmp(name, "quantile_over_time") == 0)
        doubt_quantile(l, c);
    else if (strcmp(name, "rate") == 0 || strcmp(name, "irate") == 0 ||
             strcmp(name, "increase") == 0)
        doubt_rate(l, c);
}

/* An alert fires for every series there is, whatever its value. */
static void doubt_truth(struct looking *l, const struct node *n)
{
    n = node_bare(n);
    if (!l->rule->alerting)
        return;
    if (n->kind == NODE_BINARY && n->u.binary.returns_bool)
        doubt(l, "bool makes 0 and 1 of the comparison, and the alert fires "
                 "for both: leave it out");
    if (n->kind != NODE_SELECTOR)
        return;
    struct str name = metric_of(n);
    if (str_eq(name, STR("up")) || str_ends(name, STR("_up")) ||
        str_ends(name, STR("_success")))
        doubt(l,
              "the alert fires for every " STR_FMT ", be it 0 or 1: compare "
              "it, as in " STR_FMT " == 0",
              STR_ARG(name), STR_ARG(name));
}

static bool is_recorded(const struct rules *rules, struct str name)
{
    if (str_eq(name, STR("ALERTS")) || str_eq(name, STR("ALERTS_FOR_STATE")))
        return true;
    for (size_t i = 0; i < rules->n; i++)
        for (size_t k = 0; k < rules->groups[i].n; k++)
            if (!rules->groups[i].rules[k].alerting &&
                str_eq(rules->groups[i].rules[k].name, name))
                return true;
    return false;
}

static void doubt_metric(struct looking *l, const struct node *n)
{
    struct str name = metric_of(n);

    if (l->s->known && name.n && !is_recorded(l->rules, name) &&
        !l->s->known(l->s->ctx, name))
        doubt(l,
              "no target exposes " STR_FMT ": the rule will never do anything",
              STR_ARG(name));
}

/* ---- the walk ----------------------------------------------------------- */

static void walk(struct looking *l, const struct node *n)
{
    switch (n->kind) {
    case NODE_SELECTOR:
        doubt_metric(l, n);
        break;
    case NODE_MATRIX:
    case NODE_SUBQUERY:
        walk(l, n->u.ranged.of);
        break;
    case NODE_CALL:
        doubt_call(l, &n->u.call);
        if (strcmp(n->u.call.function->name, "absent") == 0 ||
            strcmp(n->u.call.function->name, "absent_over_time") == 0)
            break; /* that it is not there is the point */
        for (size_t i = 0; i < n->u.call.n; i++)
            walk(l, n->u.call.args[i]);
        break;
    case NODE_AGGREGATE:
        walk(l, n->u.aggregate.of);
        break;
    case NODE_BINARY:
        doubt_lifetime(l, n);
        doubt_comparison(l, n);
        walk(l, n->u.binary.left);
        walk(l, n->u.binary.right);
        break;
    case NODE_UNARY:
    case NODE_PAREN:
        walk(l, n->u.inner.of);
        break;
    case NODE_NUMBER:
    case NODE_STRING:
        break;
    }
}

void suspect_rules(const struct rules *rules, const struct suspect *s)
{
    struct looking l = {.s = s, .rules = rules};

    for (size_t i = 0; i < rules->n; i++) {
        l.group = &rules->groups[i];
        for (size_t k = 0; k < l.group->n; k++) {
            l.rule = &l.group->rules[k];
            if (!l.rule->expr)
                continue;
            doubt_truth(&l, l.rule->expr->root);
            walk(&l, l.rule->expr->root);
        }
    }
}
