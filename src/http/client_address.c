#include "http/client_address.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/conn_internal.h"

static char *put_octet(char *at, unsigned char v)
{
    if (v >= 100)
        *at++ = (char)('0' + v / 100);
    if (v >= 10)
        *at++ = (char)('0' + v / 10 % 10);
    *at++ = (char)('0' + v % 10);
    return at;
}

bool http_client_address(const struct http_request *r,
                         char out[HTTP_ADDRESS_MAX])
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0,    0,
                                             0, 0, 0, 0, 0xff, 0xff};

    if (!r->conn)
        return false;
    const unsigned char *a = r->conn->address;
    if (memcmp(a, mapped, sizeof(mapped)) != 0)
        return inet_ntop(AF_INET6, a, out, HTTP_ADDRESS_MAX) != NULL;
    for (int i = 12; i < 16; i++) {
        out = put_octet(out, a[i]);
        *out++ = i < 15 ? '.' : '\0';
    }
    return true;
}
