/* text.h - the texts of texts.def in the user's language. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "base/language.h"

enum text {
#define X(id, en, zh) TEXT_##id,
#include "cli/texts.def"
#undef X
    TEXT_COUNT,
};

const char *text_in(enum language l, enum text t);

#endif
