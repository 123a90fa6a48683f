/* function.c - the table of functions.
 *
 * https://prometheus.io/docs/prometheus/latest/querying/functions/
 */
#include "promql/function.h"

#include <math.h>

#include "promql/functions.h"
#include "promql/window.h"

#define S PROMQL_SCALAR
#define V PROMQL_VECTOR
#define M PROMQL_MATRIX
#define T PROMQL_STRING

static double sign_of(double v)
{
    return v < 0 ? -1 : v > 0 ? 1 : v;
}

static double to_degrees(double v)
{
    return v * 180 / M_PI;
}

static double to_radians(double v)
{
    return v * M_PI / 180;
}

/* clang-format off */
#define MATH(name, fn)   {name, {V}, 1, 0, V, false, false, .of_value = fn}
#define DATE(name, fn)   {name, {V}, 1, 1, V, false, false, .of_time = fn}
#define OVER(name, fn)   {name, {M}, 1, 0, V, false, false, .of_window = fn}

static const struct function table[] = {
    MATH("abs", fabs),
    {"absent", {V}, 1, 0, V, true, false, .vector = function_absent},
    {"absent_over_time", {M}, 1, 0, V, true, false, .vector = function_absent},
    MATH("acos", acos),
    MATH("acosh", acosh),
    MATH("asin", asin),
    MATH("asinh", asinh),
    MATH("atan", atan),
    MATH("atanh", atanh),
    OVER("avg_over_time", window_avg),
    MATH("ceil", ceil),
    OVER("changes", window_changes),
    {"clamp", {V, S, S}, 3, 0, V, false, false, .vector = function_clamp},
    {"clamp_max", {V, S}, 2, 0, V, false, false, .vector = function_clamp_max},
    {"clamp_min", {V, S}, 2, 0, V, false, false, .vector = function_clamp_min},
    MATH("cos", cos),
    MATH("cosh", cosh),
    OVER("count_over_time", window_count),
    DATE("day_of_month", date_day_of_month),
    DATE("day_of_week", date_day_of_week),
    DATE("day_of_year", date_day_of_year),
    DATE("days_in_month", date_days_in_month),
    MATH("deg", to_degrees),
    OVER("delta", window_delta),
    OVER("deriv", window_deriv),
    MATH("exp", exp),
    {"first_over_time", {M}, 1, 0, V, true, false, .of_window = window_first},
    MATH("floor", floor),
    {"histogram_avg", {V}, 1, 0, V, false, false, .vector = function_nothing},
    {"histogram_count", {V}, 1, 0, V, false, false, .vector = function_nothing},
    {"histogram_fraction", {S, S, V}, 3, 0, V, false, false, .vector = function_histogram_fraction},
    {"histogram_quantile", {S, V}, 2, 0, V, false, false, .vector = function_histogram_quantile},
    {"histogram_stddev", {V}, 1, 0, V, false, false, .vector = function_nothing},
    {"histogram_stdvar", {V}, 1, 0, V, false, false, .vector = function_nothing},
    {"histogram_sum", {V}, 1, 0, V, false, false, .vector = function_nothing},
    DATE("hour", date_hour),
    OVER("idelta", window_idelta),
    {"increase", {M}, 1, 0, V, false, true, .of_window = window_increase},
    OVER("irate", window_irate),
    {"label_join", {V, T, T, T}, 4, -1, V, true, false, .vector = function_label_join},
    {"label_replace", {V, T, T, T, T}, 5, 0, V, true, false, .vector = function_label_replace},
    {"last_over_time", {M}, 1, 0, V, true, false, .of_window = window_last},
    MATH("ln", log),
    MATH("log10", log10),
    MATH("log2", log2),
    OVER("max_over_time", window_max),
    OVER("min_over_time", window_min),
    DATE("minute", date_minute),
    DATE("month", date_month),
    {"pi", {S}, 0, 0, S, false, false, .scalar = function_pi},
    {"predict_linear", {M, S}, 2, 0, V, false, false, .of_window = window_predict_linear},
    OVER("present_over_time", window_present),
    {"quantile_over_time", {S, M}, 2, 0, V, false, false, .of_window = window_quantile},
    MATH("rad", to_radians),
    {"rate", {M}, 1, 0, V, false, true, .of_window = window_rate},
    OVER("resets", window_resets),
    {"round", {V, S}, 2, 1, V, false, false, .vector = function_round},
    {"scalar", {V}, 1, 0, S, false, false, .scalar = function_scalar},
    MATH("sgn", sign_of),
    MATH("sin", sin),
    MATH("sinh", sinh),
    {"sort", {V}, 1, 0, V, true, false, .vector = function_sort},
    {"sort_desc", {V}, 1, 0, V, true, false, .vector = function_sort_desc},
    MATH("sqrt", sqrt),
    OVER("stddev_over_time", window_stddev),
    OVER("stdvar_over_time", window_stdvar),
    OVER("sum_over_time", window_sum),
    MATH("tan", tan),
    MATH("tanh", tanh),
    {"time", {S}, 0, 0, S, false, false, .scalar = function_time},
    {"timestamp", {V}, 1, 0, V, false, false, .vector = function_timestamp},
    {"vector", {S}, 1, 0, V, false, false, .vector = function_vector},
    DATE("year", date_year),
};
/* clang-format on */

const struct function *function_at(size_t i)
{
    return i < COUNT(table) ? &table[i] : NULL;
}

const struct function *function_find(struct str name)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (str_eq(name, str_from_cstr(table[i].name)))
            return &table[i];
    return NULL;
}

bool function_is_experimental(struct str name)
{
    static const char *const names[] = {
        "double_exponential_smoothing",
        "end",
        "histogram_quantiles",
        "info",
        "mad_over_time",
        "max_of",
        "min_of",
        "range",
        "sort_by_label",
        "sort_by_label_desc",
        "start",
        "start_timestamp",
        "step",
        "ts_of_first_over_time",
        "ts_of_last_over_time",
        "ts_of_max_over_time",
        "ts_of_min_over_time",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, str_from_cstr(names[i])))
            return true;
    return false;
}
