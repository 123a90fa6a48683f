/* packages.c - packages by apt or dnf, and exactly those that a run added away
 * again.
 *
 * A bundle is a directory with .deb files and the index that apt reads
 * (https://wiki.debian.org/DebianRepository/Format#A.22Packages.22_Indices), or
 * with .rpm files.
 */
#include <stdio.h>
#include <string.h>

#include "setup/host.h"

enum { LIST_MAX = 16 << 20 };

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
        return host_run(h,
                        (const char *const[]){
                            "dpkg-query", "-W", "-f",
                            "${db:Status-Abbrev} ${binary:Package}\\n", NULL},
                        out, err);
    if (host_has(h, "/usr/bin/rpm") || host_has(h, "/bin/rpm"))
        return host_run(
            h,
            (const char *const[]){"rpm", "-qa", "--qf", "ii  %{NAME}\\n", NULL},
            out, err);
    return err_set(err, ERR_UNSUPPORTED,
                   "there is neither dpkg nor rpm: packages cannot be "
                   "installed here");
}

/* The name in a line "ii  curl:amd64" of what is installed; p NULL if only its
 * configuration is there. Half installed counts: it has to go, too. */
static struct str name_in(struct str line)
{
    struct str state = str_cut(&line, ' ');

    line = str_trim(line);
    if (state.n < 2 || state.p[1] == 'n' || state.p[1] == 'c')
        return (struct str){NULL, 0};
    return str_cut(&line, ':');
}

static bool list_has(struct str list, struct str name, bool whole)
{
    while (list.n) {
        struct str line = str_cut(&list, '\n');
        if (whole && (line.n < 2 || line.p[1] != 'i'))
            continue;
        struct str found = name_in(line);
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

static enum errc hold_services(struct host *h, bool *held, struct err *err)
{
    struct node n = {
        .kind = NODE_FILE, .mode = 0755, .text = str_from_cstr(policy)};

    *held = is_debian(h) &&
            (host_is_tree(h) || !host_has(h, "/run/systemd/system")) &&
            !host_has(h, POLICY);
    return *held ? host_put(h, POLICY, &n, err) : ERR_OK;
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
                    "-o Dpkg::Use-Pty=0 ");
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

static enum errc install_debian(struct host *h, const char *names,
                                struct err *err)
{
    struct buf rest;
    bool held = false;

    buf_init(&rest, 1 << 17);
    /* what is there stays: apt would rather remove it than give up */
    buf_printf(&rest, "install --no-remove --no-install-recommends %s", names);
    buf_putc(&rest, '\0');
    enum errc rc = rest.failed ? ERR_NOMEM : hold_services(h, &held, err);
    /* what a kill left half done */
    if (!rc)
        rc = host_run_line(h, "dpkg --configure -a --force-confold", NULL, err);
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

enum errc packages_install(struct host *h, const char *names, struct err *err)
{
    struct buf line;

    if (is_debian(h))
        return install_debian(h, names, err);
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

/* ---- removing -------------------------------------------------------- */

enum errc packages_back_to(struct host *h, struct str before, struct err *err)
{
    struct buf now, line;
    bool held = false, any = false;

    buf_init(&now, LIST_MAX);
    buf_init(&line, LIST_MAX);
    enum errc rc = packages_list(h, &now, err);
    struct str rest = buf_str(&now);
    buf_puts(&line,
             is_debian(h) ? "dpkg --purge --force-remove-reinstreq" : "rpm -e");
    while (!rc && rest.n) {
        struct str name = name_in(str_cut(&rest, '\n'));
        if (!name.p || list_has(before, name, false))
            continue;
        buf_printf(&line, " " STR_FMT, STR_ARG(name));
        any = true;
    }
    buf_putc(&line, '\0');
    if (!rc && any) {
        rc = hold_services(h, &held, err);
        if (!rc)
            rc = line.failed ? ERR_NOMEM : host_run_line(h, line.p, NULL, err);
    }
    release_services(h);
    buf_fini(&line);
    buf_fini(&now);
    return rc;
}
