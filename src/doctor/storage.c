/* storage.c - file systems: full, missing, read-only, dead.
 *
 * Formats: proc(5) for mountinfo, fstab(5). */
#include <string.h>

#include "doctor/check.h"

struct mount {
    struct str at, kind, source, options, super; /* super: of the file system */
};

/* "36 35 98:0 /root /at options - kind source super". Octal escapes of spaces
 * are left as they are: such a path is not found, and skipped. */
static bool take_mount(struct str line, struct mount *out)
{
    struct str word[6];

    for (size_t i = 0; i < COUNT(word); i++)
        word[i] = str_cut(&line, ' ');
    while (line.n && !str_eq(str_cut(&line, ' '), STR("-")))
        continue;
    *out = (struct mount){.at = word[4], .options = word[5]};
    out->kind = str_cut(&line, ' ');
    out->source = str_cut(&line, ' ');
    out->super = line;
    return out->kind.n > 0;
}

/* "source /at kind options 0 0" of /proc/mounts, which older copies have. */
static bool take_plain(struct str line, struct mount *out)
{
    out->source = str_cut(&line, ' ');
    out->at = str_cut(&line, ' ');
    out->kind = str_cut(&line, ' ');
    out->options = out->super = str_cut(&line, ' ');
    return out->options.n > 0;
}

struct mounts {
    struct str text; /* what is left */
    bool plain;
};

static enum found read_mounts(struct exam *x, struct mounts *out)
{
    *out = (struct mounts){.text = {NULL, 0}};
    enum found found = machine_read(x->m, "/proc/self/mountinfo", &out->text);
    if (found != ABSENT)
        return found;
    out->plain = true;
    found = machine_read(x->m, "/proc/mounts", &out->text);
    return found == ABSENT && !machine_is_live(x->m) ? NOT_CAPTURED : found;
}

static bool next_mount(struct mounts *m, struct mount *out)
{
    while (m->text.n) {
        struct str line = str_cut(&m->text, '\n');
        if (m->plain ? take_plain(line, out) : take_mount(line, out))
            return true;
    }
    return false;
}

static bool is_network(struct str kind)
{
    return str_starts(kind, STR("nfs")) || str_eq(kind, STR("cifs")) ||
           str_eq(kind, STR("smb3")) || str_eq(kind, STR("ceph")) ||
           str_eq(kind, STR("lustre")) || str_eq(kind, STR("glusterfs"));
}

/* On a disk of this machine or another's: where files are kept. */
static bool keeps_files(struct str kind)
{
    static const char *const kinds[] = {"ext2",     "ext3", "ext4", "xfs",
                                        "btrfs",    "zfs",  "f2fs", "vfat",
                                        "bcachefs", "jfs"};

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (str_eq(kind, str_from_cstr(kinds[i])))
            return true;
    return is_network(kind);
}

/* Calls each for the mounts that keep files. A place is seen once: the mount
 * that is on top, and of bind mounts the first. */
static void each_mount(struct exam *x,
                       void (*each)(struct exam *x, const struct mount *m))
{
    struct str seen[256];
    struct mounts mounts;
    struct mount m;
    size_t n = 0;

    if (!got(x, read_mounts(x, &mounts), "/proc/self/mountinfo"))
        return;
    while (next_mount(&mounts, &m)) {
        if (!keeps_files(m.kind))
            continue;
        bool again = false;
        for (size_t i = 0; i < n; i++)
            again = again || str_eq(seen[i], m.source);
        if (!again && n < COUNT(seen)) {
            seen[n++] = m.source;
            each(x, &m);
        }
    }
}

/* ---- space -------------------------------------------------------------- */

static bool ask(struct exam *x, const struct mount *m, struct str *out)
{
    if (is_network(m->kind)) /* may hang: check_storage_answers() asks it */
        return false;
    return machine_fact(x->m,
                        machine_path(x->m, "statfs " STR_FMT, STR_ARG(m->at)),
                        out) == FOUND;
}

static void look_at_space(struct exam *x, const struct mount *m)
{
    struct str said = {NULL, 0};

    if (!ask(x, m, &said))
        return;
    int64_t all = fact_number(said, "bytes", 0),
            left = fact_number(said, "available", 0);
    if (all < 100 || left < 0 || left > all)
        return;
    long long used = (long long)((all - left) / (all / 100)),
              mib = (long long)(left >> 20);
    evidence(x, STR_FMT " %lld%%", STR_ARG(m->at), used);
    if (used < 90)
        return;
    say(x, used >= 97 ? VERDICT_FAILED : VERDICT_WARNING, STORAGE_FULL,
        cstr(x, m->at), used, mib);
    fix(x, "du -xh --max-depth=2 " STR_FMT " | sort -h | tail", STR_ARG(m->at));
}

void check_storage_space(struct exam *x)
{
    each_mount(x, look_at_space);
}

static void look_at_inodes(struct exam *x, const struct mount *m)
{
    struct str said = {NULL, 0};

    if (!ask(x, m, &said))
        return;
    int64_t all = fact_number(said, "files", 0),
            left = fact_number(said, "files-free", 0);
    if (all < 100 || left < 0 || left > all)
        return;
    long long used = (long long)((all - left) / (all / 100));
    evidence(x, STR_FMT " %lld%%", STR_ARG(m->at), used);
    if (used < 90)
        return;
    say(x, used >= 97 ? VERDICT_FAILED : VERDICT_WARNING, STORAGE_INODES,
        cstr(x, m->at), used);
    fix(x, "du -x --inodes --max-depth=2 " STR_FMT " | sort -n | tail",
        STR_ARG(m->at));
}

void check_storage_inodes(struct exam *x)
{
    each_mount(x, look_at_inodes);
}

/* ---- mounts ------------------------------------------------------------- */

static void look_whether_it_answers(struct exam *x, const struct mount *m)
{
    struct str said = {NULL, 0};

    if (!is_network(m->kind) && !str_starts(m->kind, STR("fuse")))
        return;
    const char *name = machine_path(x->m, "statfs " STR_FMT, STR_ARG(m->at));
    evidence(x, STR_FMT, STR_ARG(m->at));
    if (machine_fact(x->m, name, &said) != BROKEN)
        return;
    say(x, VERDICT_FAILED, STORAGE_STALE, cstr(x, m->at), cstr(x, m->source));
    fix(x, "umount -f -l " STR_FMT " && mount " STR_FMT, STR_ARG(m->at),
        STR_ARG(m->at));
}

void check_storage_answers(struct exam *x)
{
    each_mount(x, look_whether_it_answers);
}

static void look_at_nfs(struct exam *x, const struct mount *m)
{
    struct str rest = m->super;

    if (!str_starts(m->kind, STR("nfs")))
        return;
    evidence(x, STR_FMT " " STR_FMT, STR_ARG(m->at), STR_ARG(m->super));
    while (rest.n) {
        struct str value = str_cut(&rest, ','), key = str_cut(&value, '=');
        if (str_eq(key, STR("soft")))
            say(x, VERDICT_WARNING, STORAGE_SOFT, cstr(x, m->at));
        else if (str_eq(key, STR("vers")) && value.n && value.p[0] < '4')
            say(x, VERDICT_WARNING, STORAGE_OLD_NFS, cstr(x, m->at),
                cstr(x, value));
        else
            continue;
        fix(x, "# in /etc/fstab: "
               "vers=4.2,hard,nconnect=8,rsize=1048576,wsize=1048576,_netdev");
    }
}

void check_storage_nfs(struct exam *x)
{
    each_mount(x, look_at_nfs);
}

/* ---- fstab -------------------------------------------------------------- */

struct entry {
    struct str source, at, kind, options;
};

static bool has_option(struct str options, const char *name)
{
    while (options.n)
        if (str_eq(str_cut(&options, ','), str_from_cstr(name)))
            return true;
    return false;
}

static void each_entry(struct exam *x,
                       void (*each)(struct exam *x, const struct entry *e))
{
    struct str text = {NULL, 0};

    if (!got(x, machine_read(x->m, "/etc/fstab", &text), "/etc/fstab"))
        return;
    while (text.n) {
        struct str line = str_trim(str_cut(&text, '\n'));
        struct entry e;
        if (!line.n || line.p[0] == '#')
            continue;
        e.source = str_word(&line);
        e.at = str_word(&line);
        e.kind = str_word(&line);
        e.options = str_word(&line);
        if (e.at.n && e.at.p[0] == '/')
            each(x, &e);
    }
}

/* What is mounted there; false: nothing. */
static bool mounted(struct exam *x, struct str at, struct mount *out)
{
    struct mounts mounts;
    bool yes = false;
    struct mount m;

    (void)read_mounts(x, &mounts);
    while (next_mount(&mounts, &m))
        if (str_eq(m.at, at)) {
            *out = m; /* the last is on top */
            yes = true;
        }
    return yes;
}

static void look_whether_mounted(struct exam *x, const struct entry *e)
{
    struct mount m;

    if (has_option(e->options, "noauto") || str_eq(e->kind, STR("swap")))
        return;
    bool yes = mounted(x, e->at, &m);
    evidence(x, STR_FMT " %s", STR_ARG(e->at), yes ? "mounted" : "missing");
    if (yes)
        return;
    say(x, has_option(e->options, "nofail") ? VERDICT_WARNING : VERDICT_FAILED,
        STORAGE_NOT_MOUNTED, cstr(x, e->source), cstr(x, e->at));
    fix(x, "mount " STR_FMT, STR_ARG(e->at));
}

void check_storage_fstab(struct exam *x)
{
    struct str text = {NULL, 0};
    struct mounts mounts;

    if (got(x, machine_read(x->m, "/etc/fstab", &text), "/etc/fstab") &&
        got(x, read_mounts(x, &mounts), "/proc/self/mountinfo"))
        each_entry(x, look_whether_mounted);
}

static void look_at_name(struct exam *x, const struct entry *e)
{
    evidence(x, STR_FMT, STR_ARG(e->source));
    if (str_starts(e->source, STR("/dev/sd")) ||
        str_starts(e->source, STR("/dev/nvme"))) {
        say(x, VERDICT_WARNING, STORAGE_BY_NAME, cstr(x, e->source));
        fix(x, "blkid " STR_FMT "   # and write UUID=... in its place",
            STR_ARG(e->source));
    }
    if (is_network(e->kind) && !has_option(e->options, "_netdev") &&
        !has_option(e->options, "nofail") &&
        !has_option(e->options, "noauto")) {
        say(x, VERDICT_WARNING, STORAGE_NO_NETDEV, cstr(x, e->source));
        fix(x, "# in /etc/fstab: add _netdev,nofail to the options of " STR_FMT,
            STR_ARG(e->at));
    }
}

void check_storage_fstab_names(struct exam *x)
{
    each_entry(x, look_at_name);
}

static void look_whether_read_only(struct exam *x, const struct entry *e)
{
    struct mount m;

    evidence(x, STR_FMT, STR_ARG(e->at));
    if (has_option(e->options, "ro") || !mounted(x, e->at, &m) ||
        (!has_option(m.options, "ro") && !has_option(m.super, "ro")))
        return;
    say(x, VERDICT_FAILED, STORAGE_READ_ONLY, cstr(x, e->at),
        cstr(x, m.source));
    fix(x,
        "dmesg | grep -iE 'error|remount' | tail   # then fsck, and mount "
        "-o remount,rw " STR_FMT,
        STR_ARG(e->at));
}

void check_storage_read_only(struct exam *x)
{
    each_entry(x, look_whether_read_only);
}

/* ---- /tmp --------------------------------------------------------------- */

void check_storage_tmp(struct exam *x)
{
    enum { LEAST_MIB = 2048 };
    struct str said = {NULL, 0};
    struct mount m;

    if (machine_fact(x->m, "statfs /tmp", &said) == FOUND) {
        long long left = (long long)(fact_number(said, "available", 0) >> 20);
        evidence(x, "%lld MiB", left);
        if (left < LEAST_MIB) {
            say(x, VERDICT_WARNING, STORAGE_TMP_SMALL, left);
            fix(x, "TMPDIR=/var/tmp pip install ...");
        }
    }
    if (mounted(x, STR("/tmp"), &m) && has_option(m.options, "noexec")) {
        say(x, VERDICT_WARNING, STORAGE_TMP_NOEXEC);
        fix(x, "TMPDIR=/var/tmp pip install ...");
    }
}
