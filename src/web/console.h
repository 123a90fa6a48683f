/* console.h - the console: pages for people, in the program. */
#ifndef WEB_CONSOLE_H
#define WEB_CONSOLE_H

#include "http/assets.h"

void console_page(struct http_request *r);      /* / */
void console_asset(struct http_request *r);     /* /console/{file} */
void console_dashboard(struct http_request *r); /* /console/dashboard/{name} */
void console_numbers(struct http_request *r);   /* /console/numbers */
void console_functions(struct http_request *r); /* /console/functions */

/* Made at build time: the files of console/monitor. */
extern const struct assets console_assets;

#endif
