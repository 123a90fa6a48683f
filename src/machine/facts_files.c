/* facts_files.c - facts of a machine that does not run, or was copied without
 * them: what its files say. */
#include <string.h>

#include "machine/facts.h"

/* "Linux version 5.4.0-150-generic (...)" of /proc/version. */
static struct str release_in(struct str version)
{
    static const struct str begin = STR_INIT("Linux version ");

    if (!str_starts(version, begin))
        return STR("");
    version = str_slice(version, begin.n, version.n);
    return str_cut(&version, ' ');
}

static enum found uname_of(struct machine *m, struct buf *out)
{
    struct str text = {NULL, 0}, release = STR("");

    if (machine_read(m, "/proc/sys/kernel/osrelease", &text) == FOUND)
        release = str_trim(str_cut(&text, '\n'));
    else if (machine_read(m, "/proc/version", &text) == FOUND)
        release = release_in(text);
    if (!release.n)
        return ABSENT;
    buf_printf(out, "release " STR_FMT "\n", STR_ARG(release));
    return FOUND;
}

/* What is behind the last "Linux version": the log since the last start. */
static struct str since_start(struct str log)
{
    static const char begin[] = "Linux version ";
    struct str rest = log;

    for (;;) {
        const char *at = memmem(rest.p, rest.n, begin, sizeof(begin) - 1);
        if (!at)
            return log;
        log = str_slice(rest, (size_t)(at - rest.p), rest.n);
        rest = str_slice(log, 1, log.n);
    }
}

static enum found kernel_log_of(struct machine *m, struct buf *out)
{
    static const char *const paths[] = {
        "/dev/kmsg",         "/var/log/kern.log", "/var/log/dmesg",
        "/var/log/messages", "/var/log/syslog",
    };
    struct str text = {NULL, 0};

    for (size_t i = 0; i < COUNT(paths); i++)
        if (machine_read(m, paths[i], &text) == FOUND && text.n) {
            text = since_start(text);
            buf_put(out, text);
            return FOUND;
        }
    return ABSENT;
}

/* NAME="VALUE", as pam_env(8) and shells have it. */
static enum found environment_of(struct machine *m, struct buf *out)
{
    static const struct str export = STR_INIT("export ");
    struct str text = {NULL, 0};

    enum found found = machine_read(m, "/etc/environment", &text);
    while (found == FOUND && text.n) {
        struct str value = str_trim(str_cut(&text, '\n'));
        if (str_starts(value, export))
            value = str_trim(str_slice(value, export.n, value.n));
        struct str name = str_trim(str_cut(&value, '='));
        value = value.p ? str_trim(value) : value;
        if (value.n > 1 && strchr("'\"", value.p[0]) &&
            value.p[value.n - 1] == value.p[0])
            value = str_slice(value, 1, value.n - 1);
        if (value.p && name.n && name.p[0] != '#')
            buf_printf(out, STR_FMT " " STR_FMT "\n", STR_ARG(name),
                       STR_ARG(value));
    }
    return found;
}

enum found facts_of_files(struct machine *m, const char *name, struct buf *out)
{
    static const struct {
        const char *name;
        enum found (*read)(struct machine *m, struct buf *out);
    } facts[] = {{"uname", uname_of},
                 {"kernel-log", kernel_log_of},
                 {"environment", environment_of}};

    for (size_t i = 0; i < COUNT(facts); i++)
        if (strcmp(facts[i].name, name) == 0)
            return facts[i].read(m, out);
    return ABSENT;
}
