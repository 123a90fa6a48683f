#include "daemon/listen.h"

#include "io/socket.h"

enum errc listen_allowed(const char *host, bool insecure, struct err *err)
{
    if (insecure || socket_is_loopback(host))
        return ERR_OK;
    return err_set(err, ERR_DENIED,
                   "--host %s can be reached from other machines, and there is "
                   "no token or TLS to protect it; add --insecure if that is "
                   "meant, or leave --host away",
                   host);
}
