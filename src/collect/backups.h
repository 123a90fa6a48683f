/* backups.h - how old the newest backup is, whatever made it: the directories
 * are looked at, each entry of one is a backup.
 *
 *     stoker_backup_newest_timestamp_seconds{directory}  0: none can be seen
 *     stoker_backup_entries{directory}
 *     stoker_backup_directory_readable{directory}        0 or 1
 *
 * Threads: any; nothing is kept between calls. A file system that hangs holds
 * up the caller.
 */
#ifndef COLLECT_BACKUPS_H
#define COLLECT_BACKUPS_H

#include <time.h>

#include "base/buf.h"

struct backup_dirs {
    const char *const *paths;
    size_t n;
};

void backups_collect(const struct backup_dirs *dirs, struct buf *out);

/* When the backup of this name was made: its time of change, unless its name
 * has a date (20261123, 2026-11-23, 2026_11_23; local time) and that is another
 * day: a copy may have the time of what was copied, and a directory changes
 * when something in it goes. Then it is the moment of that day next to it. */
time_t backup_time(const char *name, time_t changed);

#endif
