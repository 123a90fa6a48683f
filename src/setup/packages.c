/* packages.c - packages by apt or dnf, and exactly those that a run added away
 * again.
 *
 * A bundle is a directory with .deb files and the index that apt reads
 * (https://wiki.debian.org/DebianRepository/Format#A.22Packages.22_Indices), or
 * with .rpm files.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "setup/host.h"

/* What apt knows of the bundle; what it knows of the world stays as it was. */
#define LISTS "/var/lib/stoker/setup/lists"

/* In a tree, and where no systemd runs, services must not start: Debian's
 * packages ask this file (invoke-rc.d(8)). */
#define POLICY "/usr/sbin/policy-rc.d"
static const char policy[] =
    "#!/bin/sh\n# stoker setup, while packages are installed\nexit 101\n";

static bool is_debian(struct host *h)
{
    return host_has(h, "/var/lib/dpkg/status");
}

enum errc packages_list(struct host *h, struct buf *out, struct err *err)
{
    if (is_debian(h))
        return host_run(
            h,
            (const char *const[]){"dpkg-query", "-W", "-f",
                                  "${db:Status-Abbrev} ${binary:Package} "
                                  "${Version}\\n",
                                  NULL},
            out, err);
    if (host_has(h, "/usr/bin/rpm") || host_has(h, "/bin/rpm"))
        return host_run(
            h,
            (const char *const[]){"rpm", "-qa", "--qf",
                                  "ii  %{NAME} %{VERSION}-%{RELEASE}\\n", NULL},
            out, err);
    return err_set(err, ERR_UNSUPPORTED,
                   "there is neither dpkg nor rpm: packages cannot be "
                   "installed here");
}

/* The name in a line "ii  curl:amd64 7.88.1-10" of what is installed; p NULL if
 * only its configuration is there. Half installed counts: it has to go, too.
 * What is left of the line is the version. */
static struct str name_in(struct str *line)
{
    struct str state = str_cut(line, ' ');

    *line = str_trim(*line);
    if (state.n < 2 || state.p[1] == 'n' || state.p[1] == 'c')
        return (struct str){NULL, 0};
    struct str name = str_cut(line, ' ');
    return str_cut(&name, ':');
}

static bool list_has(struct str list, struct str name, bool whole)
{
    while (list.n) {
        struct str line = str_cut(&list, '\n');
        if (whole && (line.n < 2 || line.p[1] != 'i'))
            continue;
        struct str found = name_in(&line);
        if (found.p && str_eq(found, name))
            return true;
    }
    return false;
}

const char *packages_missing(struct str list, const char *names,
                             struct arena *a)
{
    struct str rest = str_from_cstr(names);
    struct buf missing;

    buf_init(&missing, 1 << 16);
    while (rest.n) {
        struct str name = str_cut(&rest, ' ');
        if (name.n && !list_has(list, name, true))
            buf_printf(&missing, "%s" STR_FMT, missing.n ? " " : "",
                       STR_ARG(name));
    }
    const char *out = arena_cstr(a, buf_str(&missing));
    buf_fini(&missing);
    return out ? out : names;
}

/* ---- services stay still --------------------------------------------- */

static enum errc hold_services(struct host *h, struct err *err)
{
    struct node n = {
        .kind = NODE_FILE, .mode = 0755, .text = str_from_cstr(policy)};

    bool hold = is_debian(h) &&
                (host_is_tree(h) || !host_has(h, "/run/systemd/system")) &&
                !host_has(h, POLICY);
    return hold ? host_put(h, POLICY, &n, err) : ERR_OK;
}

/* Ours alone, also one that a killed run left. */
static void release_services(struct host *h)
{
    struct arena a;
    struct node n;

    arena_init(&a, HOST_FILE_MAX + (1 << 20));
    enum errc rc = host_look(h, POLICY, &a, &n, NULL);
    if (!rc && n.kind == NODE_FILE && str_eq(n.text, str_from_cstr(policy)))
        rc = host_put(h, POLICY, &(struct node){.kind = NODE_ABSENT}, NULL);
    (void)rc; /* the next run tries again */
    arena_fini(&a);
}

/* ---- installing ------------------------------------------------------ */

static enum errc apt(struct host *h, const char *rest, struct err *err)
{
    struct buf line;

    buf_init(&line, 1 << 18);
    buf_puts(&line, "apt-get -q -y -o Dpkg::Options::=--force-confold "
                    "-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 ");
    if (h->bundle)
        buf_puts(&line, "-o Dir::Etc::sourcelist=" HOST_BUNDLE "/stoker.list "
                        "-o Dir::Etc::sourceparts=/dev/null "
                        "-o Dir::State::lists=" LISTS " "
                        "-o APT::Get::List-Cleanup=0 "
                        "-o APT::Sandbox::User=root ");
    buf_puts(&line, rest);
    buf_putc(&line, '\0');
    enum errc rc =
        line.failed ? ERR_NOMEM : host_run_line(h, line.p, NULL, err);
    buf_fini(&line);
    return rc;
}

/* dpkg does not wait for another one that is at work: an upgrade by the system,
 * or what a run of ours that was killed has left running. */
static enum errc dpkg(struct host *h, const char *line, struct err *err)
{
    enum { TRIES = 300 };
    struct err why = {.code = ERR_OK};
    enum errc rc = host_run_line(h, line, NULL, &why);

    for (int i = 0; rc && strstr(why.msg, "lock") && i < TRIES; i++) {
        (void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        rc = host_run_line(h, line, NULL, &why);
    }
    return rc ? err_set(err, rc, "%s", why.msg) : ERR_OK;
}

static enum errc install_debian(struct host *h, const char *names,
                                bool may_remove, struct err *err)
{
    struct buf rest;

    buf_init(&rest, 1 << 17);
    /* what is there stays: apt would rather remove it than give up */
    buf_printf(&rest, "install %s--no-install-recommends %s",
               may_remove ? "" : "--no-remove ", names);
    buf_putc(&rest, '\0');
    enum errc rc = rest.failed ? ERR_NOMEM : hold_services(h, err);
    /* what a kill left half done */
    if (!rc)
        rc = dpkg(h, "dpkg --configure -a --force-confold", err);
    if (!rc && h->bundle)
        rc = apt(h, "update", err);
    if (!rc && apt(h, rest.p, err)) {
        rc = h->bundle ? ERR_UNAVAIL : apt(h, "update", err);
        if (!rc)
            rc = apt(h, rest.p, err);
    }
    release_services(h);
    buf_fini(&rest);
    return rc;
}

enum errc packages_install(struct host *h, const char *names, bool may_remove,
                           struct err *err)
{
    struct buf line;

    if (is_debian(h))
        return install_debian(h, names, may_remove, err);
    buf_init(&line, 1 << 17);
    if (h->bundle)
        buf_printf(&line,
                   "dnf -y --disablerepo=* --repofrompath=stoker,"
                   "file://" HOST_BUNDLE " --nogpgcheck install %s",
                   names);
    else
        buf_printf(&line, "dnf -y install %s", names);
    buf_putc(&line, '\0');
    enum errc rc =
        line.failed ? ERR_NOMEM : host_run_line(h, line.p, NULL, err);
    buf_fini(&line);
    return rc;
}

/* ---- back ------------------------------------------------------------- */

/* What is in the one list and not in the other, a word each behind the line:
 * the name, or with its version as `form` has it. False: nothing is. */
static bool put_those_of(struct str list, struct str other, const char *form,
                         struct buf *out)
{
    bool any = false;

    while (list.n) {
        struct str line = str_cut(&list, '\n'), name = name_in(&line);
        if (!name.p || list_has(other, name, false))
            continue;
        buf_printf(out, " " STR_FMT, STR_ARG(name));
        if (form && line.n)
            buf_printf(out, "%s" STR_FMT, form, STR_ARG(line));
        any = true;
    }
    buf_putc(out, '\0');
    return any;
}

static enum errc purge(struct host *h, struct str now, struct str before,
                       struct err *err)
{
    enum errc rc = ERR_OK;
    struct buf line;

    buf_init(&line, PACKAGES_MAX);
    buf_puts(&line,
             is_debian(h) ? "dpkg --purge --force-remove-reinstreq" : "rpm -e");
    if (put_those_of(now, before, NULL, &line)) {
        rc = hold_services(h, err);
        if (!rc)
            rc = line.failed ? ERR_NOMEM : dpkg(h, line.p, err);
    }
    release_services(h);
    buf_fini(&line);
    return rc;
}

enum errc packages_back_to(struct host *h, struct str before, struct err *err)
{
    struct buf now, names;

    buf_init(&now, PACKAGES_MAX);
    buf_init(&names, PACKAGES_MAX);
    enum errc rc = packages_list(h, &now, err);
    if (!rc)
        rc = purge(h, buf_str(&now), before, err);
    /* those that had to go for the new ones, such as another driver */
    if (!rc &&
        put_those_of(before, buf_str(&now), is_debian(h) ? "=" : "-", &names))
        rc =
            names.failed ? ERR_NOMEM : packages_install(h, names.p, false, err);
    buf_fini(&names);
    buf_fini(&now);
    return rc;
}
