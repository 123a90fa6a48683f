/* security.c - what keeps the driver or containers from working on purpose. */
#include <string.h>

#include "doctor/check.h"

void check_security_secure_boot(struct exam *x)
{
    static const char path[] =
        "/sys/firmware/efi/efivars/"
        "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    struct str text = {NULL, 0}, log = {NULL, 0};

    /* Four bytes of attributes, then the value. */
    if (machine_read(x->m, path, &text) != FOUND || text.n < 5)
        return;
    evidence(x, "secure boot %s", text.p[4] == 1 ? "on" : "off");
    if (text.p[4] != 1 || machine_fact(x->m, "kernel-log", &log) != FOUND ||
        !log.n)
        return;
    if (!strstr(log.p, "Key was rejected by service") &&
        !strstr(log.p, "module verification failed: signature"))
        return;
    say(x, VERDICT_FAILED, SECURITY_REJECTED);
    fix(x, "mokutil --import /var/lib/shim-signed/mok/MOK.der   # then reboot, "
           "and enrol the key");
}

void check_security_lockdown(struct exam *x)
{
    struct str text = {NULL, 0};

    if (machine_read(x->m, "/sys/kernel/security/lockdown", &text) != FOUND)
        return;
    const char *from = strchr(text.p, '['),
               *to = from ? strchr(from, ']') : NULL;
    if (to)
        evidence(x, "%.*s", (int)(to - from - 1), from + 1);
}

void check_security_selinux(struct exam *x)
{
    struct str text = {NULL, 0}, log = {NULL, 0};

    if (machine_read(x->m, "/sys/fs/selinux/enforce", &text) != FOUND)
        return;
    bool enforcing = text.n && text.p[0] == '1';
    evidence(x, "%s", enforcing ? "enforcing" : "permissive");
    if (!enforcing || machine_fact(x->m, "kernel-log", &log) != FOUND)
        return;
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        if (!memmem(line.p, line.n, "avc:  denied", 12) ||
            !memmem(line.p, line.n, "nvidia", 6))
            continue;
        say(x, VERDICT_WARNING, SECURITY_DENIED, cstr(x, line));
        fix(x, "setsebool -P container_use_devices=true   # or docker run "
               "--security-opt=label=disable");
        return;
    }
}

/* ---- package sources ---------------------------------------------------- */

enum { SOURCES_MAX = 64 };

struct sources {
    struct str address[SOURCES_MAX];
    const char *file[SOURCES_MAX];
    size_t n;
};

/* The address in "deb [signed-by=...] https://... /", or in "URIs: https://..."
 * of a .sources file. */
static struct str address_in(struct str line)
{
    if (str_starts(line, STR("URIs:"))) {
        (void)str_cut(&line, ' ');
        line = str_trim(line);
        return str_cut(&line, ' ');
    }
    if (!str_starts(line, STR("deb ")))
        return STR("");
    (void)str_cut(&line, ' ');
    line = str_trim(line);
    if (line.n && line.p[0] == '[')
        (void)str_cut(&line, ']');
    line = str_trim(line);
    return str_cut(&line, ' ');
}

/* $(ARCH) stands for the machine's own, and a / at the end for nothing. */
static bool same_address(struct str a, struct str b)
{
    static const char arch[] = "$(ARCH)";
    const char *at = memmem(a.p, a.n, arch, sizeof(arch) - 1),
               *other = memmem(b.p, b.n, arch, sizeof(arch) - 1);

    while (str_ends(a, STR("/")))
        a = str_slice(a, 0, a.n - 1);
    while (str_ends(b, STR("/")))
        b = str_slice(b, 0, b.n - 1);
    if (!at == !other)
        return str_eq(a, b);
    struct str before = at ? (struct str){a.p, (size_t)(at - a.p)}
                           : (struct str){b.p, (size_t)(other - b.p)};
    return str_starts(a, before) && str_starts(b, before);
}

static void take_source(struct exam *x, struct sources *s, struct str address,
                        const char *file)
{
    static const char *const retired[] = {
        "nvidia.github.io/nvidia-docker",
        "nvidia.github.io/nvidia-container-runtime"};

    for (size_t i = 0; i < COUNT(retired); i++)
        if (memmem(address.p, address.n, retired[i], strlen(retired[i]))) {
            say(x, VERDICT_WARNING, SECURITY_RETIRED, cstr(x, address), file);
            fix(x, "rm %s && stoker setup nvidia-container --apply", file);
            return;
        }
    for (size_t i = 0; i < s->n; i++)
        if (same_address(s->address[i], address)) {
            if (strcmp(s->file[i], file) == 0)
                return;
            say(x, VERDICT_FAILED, SECURITY_TWICE, cstr(x, address), s->file[i],
                file);
            fix(x, "rm %s", s->file[i]);
            return;
        }
    if (s->n == SOURCES_MAX)
        return;
    s->address[s->n] = address;
    s->file[s->n++] = file;
}

void check_security_sources(struct exam *x)
{
    struct names names = {.n = 0};
    struct sources s = {.n = 0};

    if (machine_list(x->m, "/etc/apt/sources.list.d", &names) != FOUND)
        return;
    for (size_t i = 0; i < names.n; i++) {
        struct str text = {NULL, 0};
        const char *file =
            machine_path(x->m, "/etc/apt/sources.list.d/%s", names.v[i].p);
        if ((!str_ends(names.v[i], STR(".list")) &&
             !str_ends(names.v[i], STR(".sources"))) ||
            machine_read(x->m, file, &text) != FOUND)
            continue;
        evidence(x, "%s", names.v[i].p);
        while (text.n) {
            struct str address = address_in(str_trim(str_cut(&text, '\n')));
            /* Only NVIDIA's: others are signed by the distribution. */
            if (address.n && memmem(address.p, address.n, "nvidia", 6))
                take_source(x, &s, address, file);
        }
    }
}
