#include "alert/suspect_unit.h"

#include <string.h>

#include "promql/function.h"
#include "series/labels.h"

static const struct measure unknown = {UNIT_UNKNOWN, {"", 0}};

struct str metric_of(const struct node *n)
{
    if (n->u.selector.name.n)
        return n->u.selector.name;
    for (size_t i = 0; i < n->u.selector.n; i++)
        if (n->u.selector.m[i].op == MATCH_EQUAL &&
            str_eq(n->u.selector.m[i].name, LABEL_NAME))
            return n->u.selector.m[i].value;
    return STR("");
}

/* ---- names -------------------------------------------------------------- */

/* Ends of names; the first that fits holds. */
static const struct {
    const char *end;
    enum unit unit;
} ends[] = {
    {"_timestamp_seconds", UNIT_UNKNOWN},
    {"_time_seconds", UNIT_UNKNOWN}, /* process_start_time_seconds */
    {"_total", UNIT_UNKNOWN},
    {"_seconds", UNIT_SECONDS},
    {"_milliseconds", UNIT_MILLISECONDS},
    {"_ms", UNIT_MILLISECONDS},
    {"_bytes", UNIT_BYTES},
    {"_ratio", UNIT_RATIO},
    {"_percent", UNIT_PERCENT},
    {"_percentage", UNIT_PERCENT},
    {"_celsius", UNIT_CELSIUS},
    {"DEV_GPU_UTIL", UNIT_PERCENT},
    {"DEV_MEM_COPY_UTIL", UNIT_PERCENT},
    {"DEV_ENC_UTIL", UNIT_PERCENT},
    {"DEV_DEC_UTIL", UNIT_PERCENT},
    {"nvidia_gpu_utilization", UNIT_PERCENT},
    {"DEV_FB_USED", UNIT_MIB},
    {"DEV_FB_FREE", UNIT_MIB},
    {"DEV_FB_TOTAL", UNIT_MIB},
    {"DEV_FB_RESERVED", UNIT_MIB},
    {"DEV_GPU_TEMP", UNIT_CELSIUS},
    {"DEV_MEMORY_TEMP", UNIT_CELSIUS},
    {"_ACTIVE", UNIT_RATIO}, /* DCGM_FI_PROF_... */
    {"_OCCUPANCY", UNIT_RATIO},
};

static enum unit unit_of_name(struct str name)
{
    for (size_t i = 0; i < COUNT(ends); i++)
        if (str_ends(name, str_from_cstr(ends[i].end)))
            return ends[i].unit;
    return UNIT_UNKNOWN;
}

/* The name without an end that tells which part of a histogram or summary. */
static struct measure measure_part(const struct node *selector, const char *end)
{
    struct str name = metric_of(selector);

    if (!str_ends(name, str_from_cstr(end)))
        return unknown;
    struct str base = str_slice(name, 0, name.n - strlen(end));
    return (struct measure){unit_of_name(base), name};
}

/* ---- expressions -------------------------------------------------------- */

/* The selector that a node is, but for parentheses, sums, rates and ranges. */
static const struct node *summed(const struct node *n)
{
    n = node_bare(n);
    if (n->kind == NODE_SELECTOR)
        return n;
    if (n->kind == NODE_MATRIX)
        return summed(n->u.ranged.of);
    if (n->kind == NODE_AGGREGATE && n->u.aggregate.op == OP_SUM)
        return summed(n->u.aggregate.of);
    if (n->kind == NODE_CALL &&
        (strcmp(n->u.call.function->name, "rate") == 0 ||
         strcmp(n->u.call.function->name, "irate") == 0 ||
         strcmp(n->u.call.function->name, "increase") == 0))
        return summed(n->u.call.args[0]);
    return NULL;
}

static bool is_number(const struct node *n, double v)
{
    n = node_bare(n);
    return n->kind == NODE_NUMBER && n->u.number >= v && n->u.number <= v;
}

/* Counters of seconds: a second of each second. */
static bool is_time_share(const struct node *n)
{
    n = node_bare(n);
    if (n->kind == NODE_AGGREGATE && n->u.aggregate.op == OP_AVG)
        return is_time_share(n->u.aggregate.of);
    if (n->kind != NODE_CALL ||
        (strcmp(n->u.call.function->name, "rate") != 0 &&
         strcmp(n->u.call.function->name, "irate") != 0))
        return false;
    const struct node *s = summed(n);
    return s && str_eq(metric_of(s), STR("node_cpu_seconds_total"));
}

static bool has_same_name(const struct node *a, const struct node *b)
{
    return a && b && metric_of(a).n && str_eq(metric_of(a), metric_of(b)) &&
           a->u.selector.n > b->u.selector.n;
}

static struct measure divided(const struct node *left, const struct node *right)
{
    const struct node *a = summed(left), *b = summed(right);
    struct measure x = measure_of(left), y = measure_of(right);

    if (b && str_ends(metric_of(b), STR("_count")) && a) /* an average */
        return measure_part(a, "_sum");
    if (has_same_name(a, b)) /* errors of all */
        return (struct measure){UNIT_RATIO, STR("")};
    if (x.unit && x.unit == y.unit && x.unit != UNIT_RATIO &&
        x.unit != UNIT_SHARE)
        return (struct measure){UNIT_SHARE, STR("")};
    if (x.unit == UNIT_PERCENT && is_number(right, 100))
        return (struct measure){UNIT_RATIO, x.metric};
    if (x.unit == UNIT_MILLISECONDS && is_number(right, 1000))
        return (struct measure){UNIT_SECONDS, x.metric};
    return unknown;
}

static struct measure multiplied(struct measure x, const struct node *factor)
{
    if ((x.unit == UNIT_RATIO || x.unit == UNIT_SHARE) &&
        is_number(factor, 100))
        return (struct measure){UNIT_PERCENT, x.metric};
    if (x.unit == UNIT_SECONDS && is_number(factor, 1000))
        return (struct measure){UNIT_MILLISECONDS, x.metric};
    return unknown;
}

/* What is left of a whole: 1 - x, 100 - x. */
static struct measure left_of(const struct node *whole, struct measure x)
{
    bool of_one = x.unit == UNIT_RATIO || x.unit == UNIT_SHARE;

    return (of_one && is_number(whole, 1)) ||
                   (x.unit == UNIT_PERCENT && is_number(whole, 100))
               ? x
               : unknown;
}

static struct measure measure_binary(const struct binary *b)
{
    struct measure left = measure_of(b->left), right = measure_of(b->right);

    if (b->op == OP_DIVIDE)
        return divided(b->left, b->right);
    if (b->op == OP_MULTIPLY)
        return right.unit ? multiplied(right, b->left)
                          : multiplied(left, b->right);
    if (b->op == OP_SUBTRACT)
        return left_of(b->left, right);
    if (b->op == OP_AND || b->op == OP_UNLESS ||
        (operator_kind(b->op) == OP_COMPARE && !b->returns_bool))
        return left;
    return unknown;
}

static struct measure measure_call(const struct node *n)
{
    /* Functions whose result has the unit of their last argument. */
    static const char *const keep[] = {"avg_over_time",      "max_over_time",
                                       "min_over_time",      "last_over_time",
                                       "quantile_over_time", "abs"};
    const struct call *c = &n->u.call;
    const struct node *last = c->n ? c->args[c->n - 1] : NULL;

    if (strcmp(c->function->name, "histogram_quantile") == 0) {
        const struct node *s = summed(last);
        return s ? measure_part(s, "_bucket") : unknown;
    }
    if (is_time_share(n))
        return (struct measure){UNIT_RATIO, metric_of(summed(n))};
    for (size_t i = 0; i < COUNT(keep); i++)
        if (strcmp(c->function->name, keep[i]) == 0)
            return measure_of(last);
    return unknown;
}

struct measure measure_of(const struct node *n)
{
    n = node_bare(n);
    switch (n->kind) {
    case NODE_SELECTOR: {
        struct str name = metric_of(n);
        return (struct measure){unit_of_name(name), name};
    }
    case NODE_MATRIX:
    case NODE_SUBQUERY:
        return measure_of(n->u.ranged.of);
    case NODE_AGGREGATE: {
        enum operator op = n->u.aggregate.op;
        struct measure m = measure_of(n->u.aggregate.of);
        if (op == OP_MAX || op == OP_MIN || op == OP_AVG || op == OP_QUANTILE ||
            op == OP_TOPK || op == OP_BOTTOMK)
            return m;
        return op == OP_SUM && (m.unit == UNIT_BYTES || m.unit == UNIT_MIB)
                   ? m
                   : unknown;
    }
    case NODE_CALL:
        return measure_call(n);
    case NODE_BINARY:
        return measure_binary(&n->u.binary);
    case NODE_NUMBER:
    case NODE_STRING:
    case NODE_UNARY:
    case NODE_PAREN:
        break;
    }
    return unknown;
}
