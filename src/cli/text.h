/* text.h - the texts of texts.def in the user's language. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

enum text {
#define X(id, en, zh) TEXT_##id,
#include "cli/texts.def"
#undef X
    TEXT_COUNT,
};

enum language { LANGUAGE_EN, LANGUAGE_ZH };

/* From LC_ALL, LC_MESSAGES, LANG, in that order, as POSIX has it. */
enum language language_detect(void);

const char *text_in(enum language l, enum text t);

#endif
