/* Reading a model file, or importing it. */
#include <stdlib.h>

#include "base/fs.h"
#include "model/onnx_file.h"
#include "serve/loading_internal.h"

enum {
    MODEL_MAX = INT32_MAX, /* the format's own limit: protobuf */
    WALK_LIMIT = 64 << 20,
};

struct model_source prepared_source(const struct prepared *p)
{
    if (p->imported)
        return p->imported->source;
    return (struct model_source){.bytes = buf_str(&p->bytes),
                                 .folder = p->entry.folder};
}

static void import_model(struct prepared *p)
{
    struct check_job *job = &p->job;

    p->imported = calloc(1, sizeof(*p->imported));
    if (!p->imported) {
        job->rc = err_set(&job->err, ERR_NOMEM, "out of memory");
        return;
    }
    job->rc = imported_open(p->entry.path, GRAPH_EXTERNAL, p->hints,
                            p->imported, &job->err);
    job->source = p->imported->source;
}

/* Reads the file once; what is checked and what is loaded are these bytes,
 * whatever happens to the file meanwhile. */
void prepared_read(struct prepared *p)
{
    struct onnx_file file;
    struct arena arena;
    struct check_job *job = &p->job;

    buf_init(&p->bytes, MODEL_MAX);
    job->rc = p->entry.rc;
    job->err = p->entry.err;
    if (job->rc)
        return;
    if (import_needed(import_kind_of(p->entry.path))) {
        import_model(p);
        return;
    }
    job->rc = fs_read(p->entry.path, &p->bytes, &job->err);
    if (job->rc)
        return;
    arena_init(&arena, WALK_LIMIT);
    job->rc = onnx_file_read(buf_str(&p->bytes), p->entry.folder, &arena, &file,
                             &job->err);
    arena_fini(&arena);
    job->source = prepared_source(p);
}

void prepared_drop(struct prepared *p)
{
    buf_fini(&p->bytes);
    if (p->imported)
        imported_close(p->imported);
    free(p->imported);
    p->imported = NULL;
}
