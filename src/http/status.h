/* status.h - HTTP status codes and their phrases. */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

const char *http_status_text(int status);

#endif
