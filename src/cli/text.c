#include "cli/text.h"

static const char *const texts[TEXT_COUNT][LANGUAGES] = {
#define X(id, en, zh) [TEXT_##id] = {en, zh},
#include "cli/texts.def"
#undef X
};

const char *text_in(enum language l, enum text t)
{
    return texts[t][l];
}
