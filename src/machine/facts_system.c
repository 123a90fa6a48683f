/* facts_system.c - what the kernel says when it is called. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "machine/facts.h"

enum found fact_uname(const char *argument, struct buf *out)
{
    struct utsname u;

    (void)argument;
    if (uname(&u))
        return found_errno(errno);
    buf_printf(out, "release %s\nmachine %s\n", u.release, u.machine);
    return FOUND;
}

enum found fact_statfs(const char *path, struct buf *out)
{
    struct statfs s;

    if (statfs(path, &s))
        return found_errno(errno);
    buf_printf(out, "type %lx\nbytes %llu\navailable %llu\n",
               (unsigned long)s.f_type,
               (unsigned long long)s.f_blocks * (unsigned long long)s.f_bsize,
               (unsigned long long)s.f_bavail * (unsigned long long)s.f_bsize);
    buf_printf(out, "files %llu\nfiles-free %llu\nread-only %d\n",
               (unsigned long long)s.f_files, (unsigned long long)s.f_ffree,
               (s.f_flags & ST_RDONLY) != 0);
    return FOUND;
}

enum found fact_clock(const char *argument, struct buf *out)
{
    struct timex t = {.modes = 0};

    (void)argument;
    if (adjtimex(&t) < 0)
        return found_errno(errno);
    buf_printf(out, "synchronised %d\nerror-us %ld\n",
               (t.status & STA_UNSYNC) == 0, t.maxerror);
    return FOUND;
}

enum found fact_user(const char *argument, struct buf *out)
{
    gid_t groups[256];
    int n = getgroups((int)COUNT(groups), groups);

    (void)argument;
    buf_printf(out, "uid %u\n", (unsigned)geteuid());
    buf_printf(out, "group %u\n", (unsigned)getegid());
    for (int i = 0; i < n; i++)
        if (groups[i] != getegid())
            buf_printf(out, "group %u\n", (unsigned)groups[i]);
    return n < 0 ? found_errno(errno) : FOUND;
}

/* Those that decide what is found and loaded; others may hold secrets. A name
 * with a star stands for all that begin so. */
static bool is_shown(struct str name)
{
    static const char *const shown[] = {
        "CUDA_*",       "NVIDIA_*",    "NSIGHT_*",    "COMPUTE_PROFILE",
        "OPENCL_*",     "LD_*",        "PYTHON*",     "PATH",
        "HOME",         "LANG",        "TZ",          "VIRTUAL_ENV",
        "CONDA_PREFIX", "http_proxy",  "https_proxy", "no_proxy",
        "HTTP_PROXY",   "HTTPS_PROXY", "NO_PROXY",    "PIP_INDEX_URL",
        "DOCKER_HOST",  "container",
    };

    for (size_t i = 0; i < COUNT(shown); i++) {
        struct str is = str_from_cstr(shown[i]);
        bool star = str_ends(is, STR("*"));
        if (star ? str_starts(name, str_slice(is, 0, is.n - 1))
                 : str_eq(name, is))
            return true;
    }
    return false;
}

enum found fact_environment(const char *argument, struct buf *out)
{
    (void)argument;
    for (char **p = environ; *p; p++) {
        struct str value = str_from_cstr(*p), name = str_cut(&value, '=');
        if (value.p && is_shown(name) && !strchr(value.p, '\n'))
            buf_printf(out, STR_FMT " %s\n", STR_ARG(name), value.p);
    }
    return FOUND;
}

/* A record is "priority,sequence,microseconds,flags;text\n KEY=value...". */
static void put_record(struct buf *out, char *record, size_t n)
{
    record[n] = '\0';
    const char *text = strchr(record, ';');
    if (text)
        buf_printf(out, "%.*s\n", (int)strcspn(text + 1, "\n"), text + 1);
}

enum found fact_kernel_log(const char *argument, struct buf *out)
{
    char record[8193];
    int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    (void)argument;
    if (fd < 0)
        return found_errno(errno);
    for (;;) {
        ssize_t n = read(fd, record, sizeof(record) - 1);
        if (n > 0)
            put_record(out, record, (size_t)n);
        else if (n == 0 || (errno != EPIPE && errno != EINTR))
            break; /* EPIPE: a record was overwritten meanwhile */
    }
    enum found found = errno == EAGAIN || out->n ? FOUND : found_errno(errno);
    (void)close(fd);
    return found;
}
