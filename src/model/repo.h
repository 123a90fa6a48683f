/* repo.h - from what a person names to model files.
 *
 *     model.onnx             one model, named after the file
 *     name=dir/model.onnx    one model with a name of its own
 *     dir                    a repository: dir/<name>/<version>/model.onnx in
 *                            Triton's and TF Serving's layout, newest version
 *                            served unless config.pbtxt says otherwise;
 *                            also dir/<version>/model.onnx and dir/model.onnx
 *
 * Names are [A-Za-z0-9_.-], do not begin with a dot, and are resolved beneath
 * the repository only.
 */
#ifndef MODEL_REPO_H
#define MODEL_REPO_H

#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"

struct repo_entry {
    const char *name;
    const char *version; /* "1" where the layout has none */
    const char *path;    /* of the model file */
    const char *folder;  /* of the model file */
    const char *config;  /* path of config.pbtxt, or NULL */
    struct model_config settings;
    enum errc rc;   /* not ERR_OK: the entry cannot be loaded */
    struct err err; /* and why */
};

enum { REPO_MAX_ENTRIES = 4096 };

struct repo {
    struct arena arena;
    struct repo_entry *entries;
    size_t n;
};

void repo_init(struct repo *r);
void repo_fini(struct repo *r);

/* Adds what `spec` names, as above. */
MUST_CHECK enum errc repo_add(struct repo *r, const char *spec,
                              struct err *err);

/* Adds all models of a repository directory; one that is unusable becomes an
 * entry with an error. */
MUST_CHECK enum errc repo_scan(struct repo *r, const char *dir,
                               struct err *err);

/* Adds the model `name` of the repository directory. */
MUST_CHECK enum errc repo_find(struct repo *r, const char *dir,
                               const char *name, struct err *err);

bool repo_name_valid(struct str name);

#endif
