/* oip_internal.h - shared by the files of the Open Inference Protocol. */
#ifndef SERVE_OIP_INTERNAL_H
#define SERVE_OIP_INTERNAL_H

#include "serve/infer.h"

enum errc oip_encode(struct infer *r, const struct value *outputs,
                     struct err *err);

#endif
