#include "cli/progress.h"

#include <unistd.h>

#include "base/clock.h"
#include "cli/size_text.h"

#define SECOND INT64_C(1000000000)

void progress_start(struct progress *p, struct cli *cli)
{
    *p = (struct progress){.cli = cli,
                           .shows = isatty(fileno(cli->err)) == 1,
                           .started_ns = clock_mono_ns()};
}

void progress_bytes(struct progress *p, int64_t done, int64_t of)
{
    int64_t now = p->shows ? clock_mono_ns() : 0;
    char a[SIZE_TEXT_MAX], b[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX];
    enum language l = p->cli->language;

    if (!p->shows || now - p->started_ns < 2 * SECOND ||
        now - p->told_ns < SECOND / 2)
        return;
    p->told_ns = now;
    double each = (double)done * 1e9 / (double)(now - p->started_ns);
    (void)size_text((int64_t)each, rate);
    if (of > 0 && each > 0)
        fprintf(p->cli->err, text_in(l, TEXT_PROGRESS_OF), size_text(done, a),
                size_text(of, b), rate,
                (long long)((double)(of > done ? of - done : 0) / each));
    else
        fprintf(p->cli->err, text_in(l, TEXT_PROGRESS), size_text(done, a),
                rate);
    (void)fflush(p->cli->err);
    p->any = true;
}

void progress_end(struct progress *p)
{
    if (p->any)
        fputs("\r\033[K", p->cli->err);
    p->any = false;
}
