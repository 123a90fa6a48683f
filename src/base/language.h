/* language.h - the languages of texts for people. */
#ifndef BASE_LANGUAGE_H
#define BASE_LANGUAGE_H

enum language { LANGUAGE_EN, LANGUAGE_ZH, LANGUAGES };

/* From LC_ALL, LC_MESSAGES, LANG, in that order, as POSIX has it. */
enum language language_detect(void);

#endif
