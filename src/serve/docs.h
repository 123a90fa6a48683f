/* docs.h - the pages of /docs. */
#ifndef SERVE_DOCS_H
#define SERVE_DOCS_H

#include "http/assets.h"

/* Made at build time: the files of console/docs. */
extern const struct assets docs_assets;

#endif
