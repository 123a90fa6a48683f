/* console.c - what the console needs beside the API: its files, what is worth
 * looking at (the dashboards that Grafana is given as well), and the names of
 * PromQL's functions. */
#include "web/console.h"

#include "export/export.h"
#include "export/numbers.h"
#include "promql/function.h"

void console_page(struct http_request *r)
{
    http_reply_asset(r, &console_assets, STR("index.html"));
}

void console_asset(struct http_request *r)
{
    http_reply_asset(r, &console_assets, r->match.params[0]);
}

void console_dashboard(struct http_request *r)
{
    static const struct {
        const char *name;
        const struct dashboard *dashboard;
    } all[] = {{"gpu", &dashboard_gpu},
               {"host", &dashboard_host},
               {"service", &dashboard_service}};
    const struct export_options o = {.chinese = str_eq(r->query, STR("zh"))};

    for (size_t i = 0; i < COUNT(all); i++) {
        const struct export_file f = {.dashboard = all[i].dashboard};
        if (!str_eq(r->match.params[0], str_from_cstr(all[i].name)))
            continue;
        dashboard_write(&f, &o, http_out(r));
        r->may_compress = true;
        http_reply(r, 200, "application/json");
        return;
    }
    http_reply_error(r, 404, "there is no such dashboard");
}

void console_numbers(struct http_request *r)
{
    struct buf *b = http_out(r);

    for (size_t i = 0; i < NUMBERS; i++) {
        buf_put_field(b, i ? ",{\"name\":" : "[{\"name\":",
                      str_from_cstr(numbers[i].name));
        buf_put_field(b, ",\"unit\":", str_from_cstr(numbers[i].unit));
        buf_put_field(b, ",\"expr\":", str_from_cstr(numbers[i].expr));
        buf_putc(b, '}');
    }
    buf_putc(b, ']');
    http_reply(r, 200, "application/json");
}

void console_functions(struct http_request *r)
{
    struct buf *b = http_out(r);
    const struct function *f;

    buf_putc(b, '[');
    for (size_t i = 0; (f = function_at(i)); i++) {
        buf_puts(b, i ? "," : "");
        buf_put_quoted(b, str_from_cstr(f->name));
    }
    buf_putc(b, ']');
    http_reply(r, 200, "application/json");
}
