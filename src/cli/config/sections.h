/* sections.h - the options of each section of stoker.yaml that are no other
 * command's. */
#ifndef CLI_CONFIG_SECTIONS_H
#define CLI_CONFIG_SECTIONS_H

#include "backup/backup.h"
#include "cli/config/settings.h"
#include "import/hints.h"
#include "supervise/spec.h"

/* models */
struct model_settings {
    const char *file;
    struct import_hints hints;
};

/* logs */
struct logs_settings {
    struct rotate_spec rotate;
    const char *clean; /* directories */
    const char *clean_at, *match;
    int64_t older_than, max_total, keep_free;
};

/* backups */
struct backup_settings {
    const char *sources, *repo, *name, *exclude, *at, *verify_at, *tag;
    int64_t jitter, timeout;
    struct keep_policy keep;
    bool one_file_system;
};

#endif
