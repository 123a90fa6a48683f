/* functions.h - the functions that the table in function.c names. */
#ifndef PROMQL_FUNCTIONS_H
#define PROMQL_FUNCTIONS_H

#include "promql/eval.h"

/* functions_time.c: of a date, given as days since 1970 and ms of the day */
double date_day_of_month(int64_t days, int64_t ms);
double date_day_of_week(int64_t days, int64_t ms);
double date_day_of_year(int64_t days, int64_t ms);
double date_days_in_month(int64_t days, int64_t ms);
double date_hour(int64_t days, int64_t ms);
double date_minute(int64_t days, int64_t ms);
double date_month(int64_t days, int64_t ms);
double date_year(int64_t days, int64_t ms);

/* functions_scalar.c */
bool function_pi(struct eval *e, const struct node *n, double *out);
bool function_time(struct eval *e, const struct node *n, double *out);
bool function_scalar(struct eval *e, const struct node *n, double *out);

/* functions_vector.c */
bool function_vector(struct eval *e, const struct node *n, struct sink *out);
bool function_clamp(struct eval *e, const struct node *n, struct sink *out);
bool function_clamp_min(struct eval *e, const struct node *n, struct sink *out);
bool function_clamp_max(struct eval *e, const struct node *n, struct sink *out);
bool function_round(struct eval *e, const struct node *n, struct sink *out);
bool function_timestamp(struct eval *e, const struct node *n, struct sink *out);
bool function_nothing(struct eval *e, const struct node *n, struct sink *out);

/* functions_series.c */
bool function_absent(struct eval *e, const struct node *n, struct sink *out);
bool function_sort(struct eval *e, const struct node *n, struct sink *out);
bool function_sort_desc(struct eval *e, const struct node *n, struct sink *out);
bool function_label_replace(struct eval *e, const struct node *n,
                            struct sink *out);
bool function_label_join(struct eval *e, const struct node *n,
                         struct sink *out);

/* histogram.c */
bool function_histogram_quantile(struct eval *e, const struct node *n,
                                 struct sink *out);
bool function_histogram_fraction(struct eval *e, const struct node *n,
                                 struct sink *out);

#endif
