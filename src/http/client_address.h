/* client_address.h - who sent a request, as text. */
#ifndef HTTP_CLIENT_ADDRESS_H
#define HTTP_CLIENT_ADDRESS_H

#include "http/request.h"

enum { HTTP_ADDRESS_MAX = 46 };

/* False once the client is gone. IPv4 addresses are written as such. */
bool http_client_address(const struct http_request *r,
                         char out[HTTP_ADDRESS_MAX]);

#endif
