/* ort_internal.h - shared by the files behind runtime_ort. */
#ifndef MODEL_ORT_INTERNAL_H
#define MODEL_ORT_INTERNAL_H

#include "model/ort_api.h"
#include "model/runtime.h"

struct runtime {
    void *library;
    char *path;    /* of the library */
    char *version; /* "1.30.0" */
    const char *device;
    struct ort_api api;
    struct ort_env *env;
    struct ort_session_options *options;
    struct ort_memory_info *memory;
    struct ort_allocator *allocator; /* the runtime's own, not released */
};

struct session {
    struct runtime *runtime;
    struct ort_session *ort;
    struct arena arena; /* of the spec */
    struct model_spec spec;
    const char *out_names[RUN_MAX_OUTPUTS];
};

/* Frees the status and records its message. ERR_OK for NULL. */
enum errc ort_status(const struct runtime *r, struct ort_status *s,
                     struct err *err);

/* Fills spec from an open session; strings live in s->arena. */
MUST_CHECK enum errc ort_describe(struct session *s, struct err *err);

/* Values of a run: to and from the runtime's own. */
MUST_CHECK enum errc ort_value_in(const struct runtime *r,
                                  const struct tensor *t,
                                  struct ort_value **out, struct err *err);
MUST_CHECK enum errc ort_value_out(const struct runtime *r, struct ort_value *v,
                                   struct arena *arena, struct value *out,
                                   struct err *err);

/* Opens the library at r->path or found by search, and fills r->api. */
MUST_CHECK enum errc ort_open_library(struct runtime *r, const char *wanted,
                                      struct err *err);

/* Adds the execution provider of r->device to r->options. */
MUST_CHECK enum errc ort_select_device(struct runtime *r, const char *wanted,
                                       struct err *err);

#endif
