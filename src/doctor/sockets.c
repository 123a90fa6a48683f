/* sockets.c - /proc/net/tcp and tcp6 (proc(5)): addresses in hexadecimal, a
 * word of the machine's own byte order after the other. */
#include "doctor/sockets.h"

#include <stdio.h>
#include <string.h>

#include "base/ports.h"

enum { LISTENING = 0x0a };

/* 127.0.0.0/8, ::1, and the first as the second writes it (::ffff:127.0.0.1).
 */
static bool is_loopback(const char *address)
{
    size_t n = strlen(address);

    if (n == 8)
        return strcmp(address + 6, "7F") == 0;
    return strcmp(address, "00000000000000000000000001000000") == 0 ||
           (n == 32 && strncmp(address, "0000000000000000FFFF0000", 24) == 0 &&
            strcmp(address + 30, "7F") == 0);
}

static void look(struct exam *x, const char *path, unsigned port,
                 struct listener *out)
{
    struct str text = {NULL, 0};

    if (machine_read(x->m, path, &text) != FOUND)
        return;
    while (text.n) {
        const char *line = cstr(x, str_cut(&text, '\n'));
        char address[33];
        unsigned at, state;
        unsigned long inode = 0;
        int n = sscanf(line,
                       "%*d: %32[0-9A-F]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s "
                       "%*u %*u %lu",
                       address, &at, &state, &inode);
        if (n < 3 || at != port || state != LISTENING)
            continue;
        out->inode = out->any ? out->inode : inode;
        out->any = true;
        out->beyond |= !is_loopback(address);
    }
}

struct listener listener_of(struct exam *x, unsigned port)
{
    struct listener l = {.any = false};

    look(x, "/proc/net/tcp", port, &l);
    look(x, "/proc/net/tcp6", port, &l);
    return l;
}

void each_port(struct exam *x, void *ctx,
               void (*each)(struct exam *x, void *ctx, unsigned port))
{
    struct str rest =
        str_from_cstr(x->options->ports ? x->options->ports : STOKER_PORTS);

    while (rest.n) {
        uint64_t port;
        if (str_to_u64(str_trim(str_cut(&rest, ',')), &port) && port <= 65535)
            each(x, ctx, (unsigned)port);
    }
}
