/* suspect.c - a walk over every expression; each doubt is one function. */
#include "alert/suspect.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

static struct str metric_of(const struct node *n)
{
    if (n->u.selector.name.n)
        return n->u.selector.name;
    for (size_t i = 0; i < n->u.selector.n; i++)
        if (n->u.selector.m[i].op == MATCH_EQUAL &&
            str_eq(n->u.selector.m[i].name, LABEL_NAME))
            return n->u.selector.m[i].value;
    return STR("");
}

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

static const struct node *unit_selector(const struct node *n);

static bool is_average(const struct node *n)
{
    const struct node *count = unit_selector(n->u.binary.right);

    return n->u.binary.op == OP_DIVIDE && count &&
           str_ends(metric_of(count), STR("_count"));
}

/* Any selector within that the node's value has the unit of. */
static const struct node *unit_selector(const struct node *n)
{
    n = node_bare(n);
    switch (n->kind) {
    case NODE_SELECTOR:
        return n;
    case NODE_MATRIX:
    case NODE_SUBQUERY:
        return unit_selector(n->u.ranged.of);
    case NODE_AGGREGATE:
        return n->u.aggregate.op == OP_COUNT || n->u.aggregate.op == OP_GROUP ||
                       n->u.aggregate.op == OP_COUNT_VALUES
                   ? NULL
                   : unit_selector(n->u.aggregate.of);
    case NODE_CALL: {
        static const char *const keep[] = {
            "histogram_quantile", "avg_over_time",  "max_over_time",
            "min_over_time",      "last_over_time", "quantile_over_time"};
        for (size_t i = 0; i < COUNT(keep); i++)
            if (strcmp(n->u.call.function->name, keep[i]) == 0)
                return unit_selector(n->u.call.args[n->u.call.n - 1]);
        if (strcmp(n->u.call.function->name, "rate") == 0)
            return unit_selector(n->u.call.args[0]);
        return NULL;
    }
    case NODE_BINARY: /* a sum / a count has the unit of the sum */
        return is_average(n) ? unit_selector(n->u.binary.left) : NULL;
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_UNARY:
    case NODE_PAREN:
        break;
    }
    return NULL;
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

static void doubt_unit(struct looking *l, const struct node *value,
                       double limit)
{
    const struct node *s = unit_selector(value);
    struct str name = s ? metric_of(s) : STR("");
    bool seconds = mentions(name, "_seconds") && !str_ends(name, STR("_count"));
    bool percent =
        str_ends(name, STR("_percent")) || mentions(name, "GPU_UTIL") ||
        mentions(name, "MEM_COPY_UTIL") || mentions(name, "gpu_utilization");

    if (!name.n)
        return;
    if (seconds && limit >= 100 &&
        (mentions(name, "duration") || mentions(name, "latency") ||
         mentions(name, "request")))
        doubt(l,
              STR_FMT " is in seconds, and %g seconds are long: were "
                      "milliseconds meant? Then write %g",
              STR_ARG(name), limit, limit / 1000);
    else if (str_ends(name, STR("_ratio")) && limit > 1)
        doubt(l,
              STR_FMT " is a ratio from 0 to 1 and never above %g: was %g "
                      "meant?",
              STR_ARG(name), limit, limit / 100);
    else if (percent && limit > 0 && limit < 1)
        doubt(l,
              STR_FMT " goes from 0 to 100, so that %g is next to nothing: "
                      "was %g meant?",
              STR_ARG(name), limit, limit * 100);
    else if (str_ends(name, STR("_bytes")) && limit > 0 && limit < 1024)
        doubt(l, STR_FMT " is in bytes, and %g bytes are little", STR_ARG(name),
              limit);
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
            if (l.rule->expr)
                walk(&l, l.rule->expr->root);
        }
    }
}
