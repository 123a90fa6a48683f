/* backup_show.h - what `backup` answers: tables for people, JSON for programs.
 */
#ifndef CLI_BACKUP_SHOW_H
#define CLI_BACKUP_SHOW_H

#include "backup/backup.h"
#include "cli/command.h"

struct backup_view {
    struct cli *cli;
    bool json;
    struct buf notes; /* JSON objects with commas between */
};

/* A note as a line on standard error, or into the JSON of the answer. */
void backup_show_note(struct backup_view *v, struct str path, const char *what);

void backup_show_created(struct backup_view *v, const struct created *c);
void backup_show_list(struct backup_view *v, const char *repo,
                      const struct backups *all);
void backup_show_verified(struct backup_view *v, const char *name,
                          const struct verified *r, bool first);
void backup_show_placed(struct backup_view *v, bool dry_run, bool first,
                        const char *path, const char *old);
void backup_show_restored(struct backup_view *v, bool dry_run,
                          const struct restored *r);
void backup_show_difference(struct backup_view *v, bool first,
                            enum difference d, const struct entry *e);
void backup_show_kept(struct backup_view *v, bool dry_run, bool first,
                      const struct keep *k);

#endif
