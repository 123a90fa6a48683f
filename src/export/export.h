/* export.h - configuration for the tools that others use beside us, or in our
 * place: Prometheus, Alertmanager, Grafana, Filebeat.
 */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "base/buf.h"
#include "base/embedded.h"
#include "base/err.h"

struct export_options {
    const char *directory; /* that the files go to */
    const char *monitor;   /* host:port */
    const char *target;    /* host:port of the service */
    const char *log;       /* file of the service's log */
    bool chinese;          /* titles of dashboards */
};

struct export_kind {
    const char *name; /* "grafana" */
    const struct export_file *files;
};

struct export_file {
    const char *path; /* within the directory; NULL ends a list */
    void (*write)(const struct export_file *f, const struct export_options *o,
                  struct buf *out);
    const char *from; /* name of a template */
    const struct dashboard *dashboard;
};

extern const struct export_kind export_kinds[];
extern const size_t n_export_kinds;

/* Writes all files of a kind; each() is called with the path of every one.
 * Files that are there are written anew. */
MUST_CHECK enum errc export_write(const struct export_kind *kind,
                                  const struct export_options *o,
                                  void (*each)(void *ctx, const char *path),
                                  void *ctx, struct err *err);

/* ---- dashboards.c ------------------------------------------------------- */

extern const struct dashboard dashboard_service, dashboard_gpu, dashboard_host;

/* Grafana's JSON. */
void dashboard_write(const struct export_file *f,
                     const struct export_options *o, struct buf *out);

/* ---- made at build time: templates/ ------------------------------------- */

extern const struct embedded_texts export_templates;

#endif
