/* api_pass_on.c - /metrics of a monitor beside a service: first the service's,
 * then its own families that the service has not. Triton's clients, and
 * whoever scraped this port before there was a monitor, find what they know. */
#include <stdio.h>
#include <string.h>

#include "http/fetch.h"
#include "web/api.h"

enum { METRICS_MAX = 64 << 20, ASK_MS = 5000 };

static const char text_type[] = "text/plain; version=0.0.4; charset=utf-8";

/* The name in "# HELP name ..." or "# TYPE name ..."; empty: another line. */
static struct str family_of(struct str line)
{
    struct str rest = line;

    if (!str_starts(line, STR("# HELP ")) && !str_starts(line, STR("# TYPE ")))
        return STR("");
    rest = str_slice(rest, strlen("# HELP "), rest.n);
    return str_cut(&rest, ' ');
}

static bool has_family(struct str text, struct str name)
{
    char mark[200];

    (void)snprintf(mark, sizeof(mark), "# TYPE %.*s ",
                   (int)(name.n > 150 ? 150 : name.n), name.p);
    return text.n && memmem(text.p, text.n, mark, strlen(mark)) != NULL;
}

/* Families of `own` that `first` lacks. */
static void put_rest(struct buf *out, struct str first, struct str own)
{
    bool known = false;

    while (own.n) {
        struct str line = str_cut(&own, '\n'), name = family_of(line);
        if (name.n)
            known = has_family(first, name);
        if (!known) {
            buf_put(out, line);
            buf_putc(out, '\n');
        }
    }
}

static enum errc pass_on(struct api_call *c, struct err *err)
{
    struct fetch f = {.url = c->control->options.pass_on,
                      .accept = "text/plain;version=0.0.4",
                      .timeout_ms = ASK_MS};
    struct buf first, own;

    (void)err;
    buf_init(&first, METRICS_MAX);
    buf_init(&own, METRICS_MAX);
    /* A service that is down takes nothing away from the monitor's own. */
    if (fetch_run(&f, &first, NULL) || f.status != 200)
        buf_clear(&first);
    metrics_expose(c->control->metrics, false, &own);
    buf_put(http_out(c->r), buf_str(&first));
    put_rest(http_out(c->r), buf_str(&first), buf_str(&own));
    buf_fini(&first);
    buf_fini(&own);
    return ERR_OK;
}

void api_pass_on(struct http_request *r)
{
    api_run_plain(r, text_type, pass_on);
}
