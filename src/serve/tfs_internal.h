/* tfs_internal.h - the encoders of tfs_encode.c, for tfs.c. */
#ifndef SERVE_TFS_INTERNAL_H
#define SERVE_TFS_INTERNAL_H

#include "serve/infer.h"

enum errc tfs_encode_predict(struct infer *r, const struct value *outputs,
                             struct err *err);
enum errc tfs_encode_classify(struct infer *r, const struct value *outputs,
                              struct err *err);
enum errc tfs_encode_regress(struct infer *r, const struct value *outputs,
                             struct err *err);

#endif
