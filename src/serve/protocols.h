/* protocols.h - the protocols of inference, and the routes that lead to them.
 *
 * A protocol's file has its decode and encode and the handlers of its paths;
 * routes.c lists the paths.
 */
#ifndef SERVE_PROTOCOLS_H
#define SERVE_PROTOCOLS_H

#include "serve/infer.h"
#include "serve/service.h"

extern const struct protocol protocol_predict;
extern const struct protocol protocol_oip;
extern const struct protocol protocol_tfs_predict;
extern const struct protocol protocol_tfs_classify;
extern const struct protocol protocol_tfs_regress;

/* predict.c: the plain recipe. */
void predict_default(struct http_request *r);
void predict_model(struct http_request *r);

/* oip_api.c, oip_stats.c: Open Inference Protocol, REST. */
void oip_live(struct http_request *r);
void oip_ready(struct http_request *r);
void oip_server(struct http_request *r);
void oip_model(struct http_request *r);
void oip_model_ready(struct http_request *r);
void oip_config(struct http_request *r);
void oip_infer(struct http_request *r);
void oip_stats(struct http_request *r);
void oip_index(struct http_request *r);
void oip_load(struct http_request *r);
void oip_unload(struct http_request *r);

/* tfs_api.c: TensorFlow Serving, REST. */
void tfs_get(struct http_request *r);
void tfs_post(struct http_request *r);
void tfs_models(struct http_request *r);

/* openapi.c, docs.c */
void openapi_get(struct http_request *r);
void docs_get(struct http_request *r);
void docs_asset(struct http_request *r);
void index_get(struct http_request *r);

/* health.c */
void health_live(struct http_request *r);
void health_ready(struct http_request *r);
void metrics_get(struct http_request *r);

/* Finds the model of route parameters `name` and `version` (may be empty) and
 * submits r to it; answers r itself if that cannot be. */
void serve_infer(struct http_request *r, const struct protocol *p,
                 struct str name, struct str version);

/* False, and r is answered, when the body's Content-Type is not one of those
 * understood: JSON, octet-stream, form (what curl -d sends), or none. */
bool serve_check_type(struct http_request *r);

/* True for application/octet-stream without an inference header. */
bool serve_is_binary(const struct http_request *r);

#endif
