#include "cli/text.h"

#include <stdlib.h>
#include <string.h>

static const char *const texts[TEXT_COUNT][2] = {
#define X(id, en, zh) [TEXT_##id] = {en, zh},
#include "cli/texts.def"
#undef X
};

enum language language_detect(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strncmp(value, "zh", 2) == 0 ? LANGUAGE_ZH : LANGUAGE_EN;
    }
    return LANGUAGE_EN;
}

const char *text_in(enum language l, enum text t)
{
    return texts[t][l];
}
