/* os.h - which system it is, and which packages are installed.
 *
 * https://www.freedesktop.org/software/systemd/man/latest/os-release.html
 * dpkg's database: deb-status in dpkg's manual.
 */
#ifndef MACHINE_OS_H
#define MACHINE_OS_H

#include "machine/machine.h"

struct os {
    struct str id, version, like, codename, pretty; /* "" when not said */
};

enum found os_read(struct machine *m, struct os *out);

/* Packages come with apt; with dnf. */
bool os_has_apt(const struct os *o);
bool os_has_dnf(const struct os *o);

struct package {
    struct str name, version;
    bool held; /* not to be upgraded */
};

/* The installed packages of dpkg, each once to `each`. ABSENT: there is no
 * dpkg. */
enum found packages_each(struct machine *m,
                         void (*each)(void *ctx, const struct package *p),
                         void *ctx);

/* Below, at or above 0, as Debian orders versions (deb-version(7)). */
int version_compare(struct str a, struct str b);

#endif
