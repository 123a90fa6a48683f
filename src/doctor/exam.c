/* exam.c - what a check says, as frames for the parent: a letter, the length in
 * four bytes, the bytes. 'e' evidence; 'v' a finding, its first byte the
 * verdict; 'x' a command of the finding before it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "doctor/frames.h"
#include "doctor/texts.h"
#include "machine/os.h"

void frame_put(struct buf *out, char kind, struct str body)
{
    uint32_t n = (uint32_t)body.n;

    buf_putc(out, kind);
    buf_put(out, (struct str){(const char *)&n, sizeof(n)});
    buf_put(out, body);
}

bool frame_take(struct str *rest, char *kind, struct str *body)
{
    uint32_t n;

    if (rest->n < 1 + sizeof(n))
        return false;
    memcpy(&n, rest->p + 1, sizeof(n));
    if (rest->n - 1 - sizeof(n) < n)
        return false;
    *kind = rest->p[0];
    *body = str_slice(*rest, 1 + sizeof(n), 1 + sizeof(n) + n);
    *rest = str_slice(*rest, 1 + sizeof(n) + n, rest->n);
    return true;
}

enum { TEXT_BYTES = 4096 };

static void put_text(struct exam *x, char kind, const char *text)
{
    frame_put(x->out, kind, str_from_cstr(text));
}

void evidence(struct exam *x, const char *fmt, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    put_text(x, 'e', text);
}

void fix(struct exam *x, const char *fmt, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    put_text(x, 'x', text);
}

void say(struct exam *x, enum verdict v, enum doctor_text t, ...)
{
    char text[TEXT_BYTES];
    va_list args;

    text[0] = (char)('0' + v);
    va_start(args, t);
    (void)vsnprintf(text + 1, sizeof(text) - 1,
                    doctor_text_in(x->options->language, t), args);
    va_end(args);
    put_text(x, 'v', text);
}

const char *cstr(struct exam *x, struct str s)
{
    const char *copy = arena_cstr(&x->m->arena, s);

    return copy ? copy : "";
}

void fix_package(struct exam *x, const char *deb, const char *rpm)
{
    struct os os;

    (void)os_read(x->m, &os);
    if (os_has_dnf(&os))
        fix(x, "dnf install %s", rpm);
    else
        fix(x, "apt install %s", deb);
}

bool got(struct exam *x, enum found found, const char *what)
{
    if (found == DENIED)
        say(x, VERDICT_UNKNOWN, CANNOT_READ, what);
    if (found == BROKEN)
        say(x, VERDICT_UNKNOWN, CANNOT_USE, what);
    if (found == NOT_CAPTURED)
        say(x, VERDICT_UNKNOWN, WAS_NOT_CAPTURED, what);
    return found == FOUND;
}
