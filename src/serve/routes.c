#include "serve/routes.h"

#include "base/compiler.h"
#include "serve/protocols.h"

/* The first match wins; the busiest stand first. */
static const struct http_route routes[] = {
    {HTTP_POST, "/predict", predict_default, 0},
    {HTTP_POST, "/models/{model}/predict", predict_model, 0},
    {HTTP_POST, "/v2/models/{model}/infer", oip_infer, 0},
    {HTTP_POST, "/v2/models/{model}/versions/{version}/infer", oip_infer, 0},
    {HTTP_POST, "/v1/models/{*}", tfs_post, 0},

    {HTTP_GET, "/health", health_live, 0},
    {HTTP_GET, "/healthz", health_live, 0},
    {HTTP_GET, "/livez", health_live, 0},
    {HTTP_GET, "/readyz", health_ready, 0},
    {HTTP_GET, "/metrics", metrics_get, 0},
    {HTTP_GET, "/", index_get, 0},
    {HTTP_GET, "/docs", docs_get, 0},
    {HTTP_GET, "/docs/{asset}", docs_asset, 0},
    {HTTP_GET, "/openapi.json", openapi_get, 0},

    {HTTP_GET, "/v2", oip_server, 0},
    {HTTP_GET, "/v2/health/live", oip_live, 0},
    {HTTP_GET, "/v2/health/ready", oip_ready, 0},
    {HTTP_GET, "/v2/models/stats", oip_stats, 0},
    {HTTP_GET, "/v2/models/{model}", oip_model, 0},
    {HTTP_GET, "/v2/models/{model}/ready", oip_model_ready, 0},
    {HTTP_GET, "/v2/models/{model}/config", oip_config, 0},
    {HTTP_GET, "/v2/models/{model}/stats", oip_stats, 0},
    {HTTP_GET, "/v2/models/{model}/versions/{version}", oip_model, 0},
    {HTTP_GET, "/v2/models/{model}/versions/{version}/ready", oip_model_ready,
     0},
    {HTTP_GET, "/v2/models/{model}/versions/{version}/config", oip_config, 0},
    {HTTP_GET, "/v2/models/{model}/versions/{version}/stats", oip_stats, 0},
    {HTTP_POST, "/v2/repository/index", oip_index, 0},
    {HTTP_POST, "/v2/repository/models/{model}/load", oip_load, 0},
    {HTTP_POST, "/v2/repository/models/{model}/unload", oip_unload, 0},

    {HTTP_GET, "/v1/models", tfs_models, 0},
    {HTTP_GET, "/v1/models/{*}", tfs_get, 0},
};

const struct http_route *serve_routes(size_t *n)
{
    *n = COUNT(routes);
    return routes;
}
