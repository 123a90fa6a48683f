#include <string.h>

#include "setup/edit.h"
#include "setup/step.h"

enum { WORD_POINT = 1 }; /* of a line in fstab(5): source, point, ... */

static bool is_nfs(const char *source)
{
    const char *colon = strchr(source, ':');

    return colon && colon[1] == '/';
}

/* From fstab: what is mounted at the point; "" if nothing is. */
static struct str source_at(struct str fstab, const char *point)
{
    while (fstab.n) {
        struct str line = str_cut(&fstab, '\n');
        struct str source = str_word(&line), at = str_word(&line);
        if (source.n && source.p[0] != '#' && str_eq(at, str_from_cstr(point)))
            return source;
    }
    return STR("");
}

/* The machine boots, and services start, whether the storage is there or not:
 * systemd.mount(5), nfs(5). */
static const char *fstab_line(struct plan *p, bool nfs)
{
    const struct setup_options *o = p->options;

    return made(p, "%s\t%s\t%s\t%s\t0\t%s", o->source, o->mount,
                nfs          ? "nfs"
                : o->fs_type ? o->fs_type
                             : "auto",
                nfs ? "rw,hard,noatime,_netdev,nofail,x-systemd.automount"
                    : "defaults,noatime,nofail",
                nfs ? "0" : "2");
}

static bool is_empty(struct plan *p, const char *directory)
{
    struct names names = {.n = 0};

    return machine_list(p->machine, directory, &names) != FOUND || names.n == 0;
}

static bool is_mounted(struct plan *p, const char *point)
{
    struct str text = {NULL, 0};

    if (machine_read(p->machine, "/proc/self/mounts", &text) != FOUND)
        return false;
    return source_at(text, point).n > 0;
}

static void mount_step(struct plan *p, bool nfs)
{
    const struct setup_options *o = p->options;
    struct str fstab = planned(p, "/etc/fstab");
    struct str taken = source_at(fstab, o->mount);
    struct os os = plan_os(p);

    if (taken.n && !str_eq(taken, str_from_cstr(o->source))) {
        refuse(p, titled(p, SETUP_TEXT_STORAGE_TAKEN, o->mount,
                         made(p, STR_FMT, STR_ARG(taken))));
        return;
    }
    if (!taken.n && !is_mounted(p, o->mount) && !is_empty(p, o->mount)) {
        refuse(p, titled(p, SETUP_TEXT_STORAGE_BUSY, o->mount));
        return;
    }
    if (nfs)
        install(p, titled(p, SETUP_TEXT_STORAGE_NFS),
                os_has_dnf(&os) ? "nfs-utils" : "nfs-common");
    else
        note(p, titled(p, SETUP_TEXT_STORAGE_DISK_NOTE, o->source));
    put_directory(p, titled(p, SETUP_TEXT_STORAGE_POINT, o->mount), o->mount,
                  0755);
    if (!taken.n) /* a line for it that is there is the user's */
        put_file(p, titled(p, SETUP_TEXT_STORAGE_FSTAB, o->source, o->mount),
                 "/etc/fstab", 0644,
                 edit_line(p, fstab, WORD_POINT, o->mount, fstab_line(p, nfs)));
    if (has_systemd(p))
        refresh(p, titled(p, SETUP_TEXT_BASE_RELOAD), "systemctl daemon-reload",
                "");
    if (is_running(p))
        run(p, titled(p, SETUP_TEXT_STORAGE_MOUNT, o->mount),
            made(p, "mountpoint -q %s", o->mount),
            made(p, "mount %s", o->mount), made(p, "umount %s", o->mount));
}

void target_storage(struct plan *p)
{
    const struct setup_options *o = p->options;

    if (o->source || o->mount) {
        if (!o->source || !o->mount) {
            refuse(p,
                   titled(p, SETUP_TEXT_NEEDS, o->source ? "mount" : "source"));
            return;
        }
        if (o->mount[0] != '/' || !o->mount[1] || strstr(o->mount, "..")) {
            refuse(p, titled(p, SETUP_TEXT_STORAGE_POINT_WRONG, o->mount));
            return;
        }
        if (o->source[0] == '/' && is_running(p) &&
            !machine_kind(p->machine, o->source)) {
            refuse(p, titled(p, SETUP_TEXT_STORAGE_NO_DISK, o->source));
            return;
        }
        mount_step(p, is_nfs(o->source));
    }
    if (p->refused)
        return;
    put_directory(p, titled(p, SETUP_TEXT_STORAGE_MODELS),
                  "/var/lib/stoker/models", 0755);
    put_directory(p, titled(p, SETUP_TEXT_STORAGE_LOGS), "/var/log/stoker",
                  0750);
}
