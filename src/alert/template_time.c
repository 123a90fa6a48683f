/* template_time.c - times and durations in templates, with the methods of Go's
 * that texts of alerts call: https://pkg.go.dev/time */
#include <math.h>

#include "alert/template_call.h"
#include "base/clock.h"
#include "codec/go_time.h"

static const struct template_type time_type, duration_type;

/* ---- making them -------------------------------------------------------- */

static bool give_time(struct run *r, struct go_time t, struct value *out)
{
    struct go_time *kept = arena_new(&r->arena, struct go_time, 1);

    if (!kept)
        return false;
    *kept = t;
    *out = (struct value){
        .kind = VALUE_OBJECT, .type = &time_type, .object = kept};
    return true;
}

static bool give_duration(struct run *r, int64_t ms, struct value *out)
{
    int64_t *kept = arena_new(&r->arena, int64_t, 1);

    if (!kept)
        return false;
    *kept = ms;
    *out = (struct value){
        .kind = VALUE_OBJECT, .type = &duration_type, .object = kept};
    return true;
}

static bool give(struct value v, struct value *out)
{
    *out = v;
    return true;
}

bool template_time(struct run *r, int64_t ms, struct value *out)
{
    return give_time(r, go_time_utc(ms), out);
}

static const struct go_time *as_time(const struct value *v)
{
    return v->kind == VALUE_OBJECT && v->type == &time_type ? v->object : NULL;
}

/* Nanoseconds as a number, or a duration. */
static bool as_ms(const struct value *v, int64_t *ms)
{
    if (v->kind == VALUE_OBJECT && v->type == &duration_type)
        *ms = *(const int64_t *)v->object;
    else if (v->kind == VALUE_INT)
        *ms = v->i / 1000000;
    else if (v->kind == VALUE_FLOAT && fabs(v->f) < 9e18)
        *ms = (int64_t)(v->f / 1e6);
    else
        return false;
    return true;
}

/* ---- a time ------------------------------------------------------------- */

static bool give_format(struct run *r, struct str layout,
                        const struct go_time *t, struct value *out)
{
    struct buf b;

    buf_init(&b, TEMPLATE_MAX_OUTPUT);
    go_time_format(&b, layout, t);
    return value_from_buf(r, &b, out) == ERR_OK;
}

static bool field_of_time(struct run *r, const void *self, struct str name,
                          struct value *out)
{
    /* Numbers are what a layout prints. */
    static const struct {
        const char *name, *layout;
    } numbers[] = {{"Year", "2006"}, {"Day", "2"},    {"Hour", "15"},
                   {"Minute", "4"},  {"Second", "5"}, {"YearDay", "002"}};
    const struct go_time *t = self;
    struct buf b;

    if (str_eq(name, STR("Unix")))
        return give(value_of_int(t->ms / 1000), out);
    if (str_eq(name, STR("UnixMilli")))
        return give(value_of_int(t->ms), out);
    if (str_eq(name, STR("UTC")))
        return give_time(r, go_time_utc(t->ms), out);
    if (str_eq(name, STR("Local")))
        return give_time(r, go_time_local(t->ms), out);
    if (str_eq(name, STR("Month")) || str_eq(name, STR("Weekday")))
        return give_format(r, name.p[0] == 'M' ? STR("January") : STR("Monday"),
                           t, out);
    if (str_eq(name, STR("IsZero")))
        return call_give_bool(out, t->ms == GO_TIME_ZERO) == ERR_OK;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        uint64_t v;
        if (!str_eq(name, str_from_cstr(numbers[i].name)))
            continue;
        buf_init(&b, 16);
        go_time_format(&b, str_from_cstr(numbers[i].layout), t);
        bool ok =
            str_to_u64(buf_str(&b), &v) && give(value_of_int((int64_t)v), out);
        buf_fini(&b);
        return ok;
    }
    return false;
}

static bool method_of_time(struct run *r, const void *self, struct str name,
                           const struct value *args, size_t n,
                           struct value *out)
{
    const struct go_time *t = self, *other = n ? as_time(&args[0]) : NULL;
    struct go_time later = *t;
    int64_t ms;

    if (n != 1)
        return false;
    if (str_eq(name, STR("Format")) && args[0].kind == VALUE_TEXT)
        return give_format(r, args[0].text, t, out);
    if (str_eq(name, STR("Add")) && as_ms(&args[0], &ms)) {
        later.ms += ms;
        return give_time(r, later, out);
    }
    if (str_eq(name, STR("Sub")) && other)
        return give_duration(r, t->ms - other->ms, out);
    if (str_eq(name, STR("Before")) && other)
        return call_give_bool(out, t->ms < other->ms) == ERR_OK;
    if (str_eq(name, STR("After")) && other)
        return call_give_bool(out, t->ms > other->ms) == ERR_OK;
    return false;
}

static void print_time(struct buf *out, const void *self)
{
    go_time_format(out, STR(GO_TIME_PRINTED), self);
}

/* ---- a duration --------------------------------------------------------- */

static bool field_of_duration(struct run *r, const void *self, struct str name,
                              struct value *out)
{
    int64_t ms = *(const int64_t *)self;

    (void)r;
    if (str_eq(name, STR("Hours")))
        return give(value_of_float((double)ms / 3.6e6), out);
    if (str_eq(name, STR("Minutes")))
        return give(value_of_float((double)ms / 6e4), out);
    if (str_eq(name, STR("Seconds")))
        return give(value_of_float((double)ms / 1e3), out);
    return str_eq(name, STR("Milliseconds")) && give(value_of_int(ms), out);
}

static void print_duration(struct buf *out, const void *self)
{
    go_duration(out, *(const int64_t *)self);
}

static const struct template_type time_type = {.name = "time",
                                               .field = field_of_time,
                                               .method = method_of_time,
                                               .print = print_time};
static const struct template_type duration_type = {
    .name = "duration", .field = field_of_duration, .print = print_duration};

/* ---- functions ---------------------------------------------------------- */

CALL(call_date)
{
    UNUSED();
    struct str layout;
    const struct go_time *t = as_time(&args[1]);
    enum errc rc = call_text_argument(r, &args[0], &layout);

    if (!rc && !t)
        rc =
            template_fail(r, "date needs a time, not %s", value_type(&args[1]));
    if (!rc && !give_format(r, layout, t, out))
        rc = template_fail(r, "out of memory");
    return rc;
}

CALL(call_since)
{
    UNUSED();
    const struct go_time *t = as_time(&args[0]);

    if (!t)
        return template_fail(r, "since needs a time, not %s",
                             value_type(&args[0]));
    return give_duration(r, clock_wall_ms() - t->ms, out)
               ? ERR_OK
               : template_fail(r, "out of memory");
}

const struct template_function template_times[] = {
    {"date", 2, 2, call_date},
    {"since", 1, 1, call_since},
    {NULL, 0, 0, NULL},
};
