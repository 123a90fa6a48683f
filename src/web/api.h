/* api.h - what the handlers of Prometheus' API share: work away from the loop,
 * and the envelope of the answers. */
#ifndef WEB_API_H
#define WEB_API_H

#include "io/loop.h"
#include "io/pool.h"
#include "promql/promql.h"
#include "web/control.h"
#include "web/params.h"

/* A request while it is worked on. */
struct api_call {
    struct pool_job job;
    struct api_call *next, **link; /* among the running ones */
    struct task home;
    struct http_request *r;
    struct control *control;
    enum errc (*work)(struct api_call *c, struct err *err);
    struct params params;
    atomic_bool canceled;             /* the client has left */
    void (*gone)(struct api_call *c); /* told so on the loop; may be NULL */
    const char *plain; /* media type of an answer without the envelope */
    bool executing;    /* the request was understood: errors are of the query */
    struct promql_note *notes; /* to be put behind the data */
    size_t n_notes;
};

/* Runs work() on a thread for queries. It writes the value of "data" into the
 * request's buffer; its error becomes the answer. */
void api_run(struct http_request *r,
             enum errc (*work)(struct api_call *c, struct err *err));

/* The same without the envelope: work() writes the whole answer, an error is a
 * line of text, or a JSON text when that is the media type. */
void api_run_plain(struct http_request *r, const char *media_type,
                   enum errc (*work)(struct api_call *c, struct err *err));

/* For work that is not done by api_run(). Puts the job in the queue: false when
 * too many wait, or the process is about to end. */
bool api_submit(struct control *c, struct pool_job *job);

/* Around it, on the thread that does it: api_cancel_all() reaches it. */
void api_enter(struct api_call *c);
void api_leave(struct api_call *c);

/* Whose `home` that is. */
struct api_call *api_call_of(struct task *home);

/* The client of a request has left: stop soon. */
void api_cancel(struct http_request *r);

/* All queries are to stop soon, and none may begin. Any thread. */
void api_cancel_all(struct control *c);

/* Answers with an error, before any work. */
void api_reply_error(struct http_request *r, enum errc rc, const char *message);

/* "errorType" and the status that goes with it. */
const char *api_error_type(enum errc rc, bool executing, int *status);

/* Copies the remarks on a query, which go behind its data. */
void api_take_notes(struct api_call *c, const struct promql_result *r);

/* What a query came to; when out is that of a request, it is sent in pieces on
 * the way. */
void api_put_result(struct buf *out, const struct promql_result *r,
                    struct http_request *to);

/* ---- handlers ----------------------------------------------------------- */

void api_query(struct http_request *r);
void api_query_range(struct http_request *r);
void api_query_exemplars(struct http_request *r);
void api_format_query(struct http_request *r);
void api_series(struct http_request *r);
void api_labels(struct http_request *r);
void api_label_values(struct http_request *r);
void api_targets(struct http_request *r);
void api_alerts(struct http_request *r);
void api_rules(struct http_request *r);
void api_reload(struct http_request *r);
void api_federate(struct http_request *r);
void api_metadata(struct http_request *r);
void api_buildinfo(struct http_request *r);
void api_write(struct http_request *r);
void api_pass_on(struct http_request *r); /* /metrics, with the service's */

/* Alertmanager's, version 2. */
void api_v2_alerts(struct http_request *r);
void api_v2_post_alerts(struct http_request *r);
void api_v2_groups(struct http_request *r);
void api_v2_receivers(struct http_request *r);
void api_v2_status(struct http_request *r);
void api_v2_silences(struct http_request *r);
void api_v2_post_silence(struct http_request *r);
void api_v2_silence(struct http_request *r);
void api_v2_expire(struct http_request *r);
void api_test_alert(struct http_request *r);
void api_tsdb(struct http_request *r);
void api_config(struct http_request *r);
void api_runtime(struct http_request *r);
void api_flags(struct http_request *r);
void api_wal_replay(struct http_request *r);
void api_alertmanagers(struct http_request *r);
void api_scrape_pools(struct http_request *r);

#endif
