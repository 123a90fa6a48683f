/* hint_flags.h - the options that say what a model file lacks, for every
 * command that takes one; field: a struct import_hints in its options. */
#ifndef CLI_HINT_FLAGS_H
#define CLI_HINT_FLAGS_H

#include "cli/flag.h"
#include "import/hints.h"

#define HINT_FLAG(type, name, member, text)                              \
    {                                                                    \
        name, 0, FLAG_TEXT, offsetof(type, member), NULL, 0, 0, 0, text, \
            false, 0, NULL                                               \
    }

#define HINT_FLAGS(type, field)                                     \
    HINT_FLAG(type, "code", field.code, TEXT_OPT_CODE),             \
        HINT_FLAG(type, "class", field.class_name, TEXT_OPT_CLASS), \
        HINT_FLAG(type, "init", field.init, TEXT_OPT_INIT),         \
        HINT_FLAG(type, "input", field.input, TEXT_OPT_INPUT)

#endif
