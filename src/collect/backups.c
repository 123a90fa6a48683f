#include "collect/backups.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "collect/text.h"

/* ---- dates in names ----------------------------------------------------- */

/* n digits at p as a number; -1: they are not all digits. */
static int digits(const char *p, int n)
{
    int v = 0;

    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)p[i]))
            return -1;
        v = v * 10 + (p[i] - '0');
    }
    return v;
}

/* A date that begins at p. */
static bool date_at(const char *p, struct tm *day)
{
    int year = digits(p, 4);

    if (year < 1970 || year > 9999)
        return false;
    bool parted = p[4] == '-' || p[4] == '_';
    const char *m = p + 4 + parted;
    int month = digits(m, 2);
    if (month < 1 || month > 12 || (parted && m[2] != p[4]))
        return false;
    int mday = digits(m + 2 + parted, 2);
    if (mday < 1 || mday > 31)
        return false;
    *day = (struct tm){.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = mday,
                       .tm_isdst = -1};
    return true;
}

static bool date_in(const char *name, struct tm *day)
{
    for (const char *p = name; *p; p++)
        if ((p == name || !isdigit((unsigned char)p[-1])) && date_at(p, day))
            return true;
    return false;
}

time_t backup_time(const char *name, time_t changed)
{
    struct tm day, next;

    if (!date_in(name, &day))
        return changed;
    next = day;
    next.tm_mday++;
    time_t from = mktime(&day), to = mktime(&next) - 1;
    if (from > time(NULL)) /* no date after all */
        return changed;
    return changed < from ? from : changed > to ? to : changed;
}

/* ---- a directory -------------------------------------------------------- */

struct seen {
    const char *path;
    unsigned n;
    time_t newest;
};

static enum errc see(void *ctx, const char *name)
{
    struct seen *s = ctx;
    char full[4400];
    struct stat st;

    (void)snprintf(full, sizeof(full), "%.4095s/%.255s", s->path, name);
    if (strcmp(name, "lost+found") == 0 || stat(full, &st) != 0)
        return ERR_OK;
    time_t made = backup_time(name, st.st_mtime);
    s->n++;
    if (made > s->newest)
        s->newest = made;
    return ERR_OK;
}

struct row {
    struct seen seen;
    bool readable;
    struct buf label;
};

static void look(const char *path, struct row *row)
{
    row->seen = (struct seen){.path = path};
    row->readable = fs_list(path, see, &row->seen, NULL) == ERR_OK;
    buf_init(&row->label, 1 << 16);
    text_label(&row->label, "directory", path);
    buf_putc(&row->label, '\0');
}

void backups_collect(const struct backup_dirs *dirs, struct buf *out)
{
    enum { DIRS = 32 };
    struct row rows[DIRS];
    size_t n = dirs->n < DIRS ? dirs->n : DIRS;

    for (size_t i = 0; i < n; i++)
        look(dirs->paths[i], &rows[i]);
    text_family_help(out, "stoker_backup_newest_timestamp_seconds", "gauge",
                     "When the newest backup was made; 0: none can be seen.");
    for (size_t i = 0; i < n; i++)
        text_put(out, "stoker_backup_newest_timestamp_seconds", rows[i].label.p,
                 (double)rows[i].seen.newest);
    text_family_help(out, "stoker_backup_entries", "gauge",
                     "Backups in the directory.");
    for (size_t i = 0; i < n; i++)
        text_put(out, "stoker_backup_entries", rows[i].label.p, rows[i].seen.n);
    text_family_help(out, "stoker_backup_directory_readable", "gauge",
                     "Whether the directory of the backups can be read.");
    for (size_t i = 0; i < n; i++)
        text_put(out, "stoker_backup_directory_readable", rows[i].label.p,
                 rows[i].readable);
    for (size_t i = 0; i < n; i++)
        buf_fini(&rows[i].label);
}
