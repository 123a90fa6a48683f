/*     SIZE -> EXT -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *                       |
 *                (size 0) -> TRAILER -> TRAILER_LINE -> TRAILER_LF -> TRAILER
 *                               |
 *                               +-> END_LF -> done
 */
#include "http/chunked.h"

enum state {
    SIZE,
    EXT,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_LINE,
    TRAILER_LF,
    END_LF,
    DONE,
};

enum { BAD = 400, TOO_LARGE = 413, MAX_OVERHEAD = 8192, MAX_DIGITS = 15 };

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int on_size(struct chunked *c, char b)
{
    int digit = hex(b);

    if (digit >= 0) {
        c->left = c->left * 16 + (unsigned)digit;
        return ++c->digits > MAX_DIGITS ? BAD : 0;
    }
    if (c->digits == 0)
        return BAD;
    if (b == '\r')
        c->state = SIZE_LF;
    else if (b == ';')
        c->state = EXT;
    else
        return BAD;
    return 0;
}

/* Anything but controls, up to the CR. */
static int on_text(struct chunked *c, char b, enum state next)
{
    if (++c->overhead > MAX_OVERHEAD)
        return BAD;
    if (b == '\r')
        c->state = (uint8_t)next;
    else if ((unsigned char)b < 0x20 && b != '\t')
        return BAD;
    return 0;
}

static int on_byte(struct chunked *c, char b, char want, enum state next)
{
    if (b != want)
        return BAD;
    c->state = (uint8_t)next;
    return 0;
}

static int step(struct chunked *c, char b)
{
    switch ((enum state)c->state) {
    case SIZE:
        return on_size(c, b);
    case EXT:
        return on_text(c, b, SIZE_LF);
    case SIZE_LF:
        c->digits = 0;
        return on_byte(c, b, '\n', c->left ? DATA : TRAILER);
    case DATA_CR:
        return on_byte(c, b, '\r', DATA_LF);
    case DATA_LF:
        return on_byte(c, b, '\n', SIZE);
    case TRAILER:
        if (b == '\r') {
            c->state = END_LF;
            return 0;
        }
        c->state = TRAILER_LINE;
        return on_text(c, b, TRAILER_LF);
    case TRAILER_LINE:
        return on_text(c, b, TRAILER_LF);
    case TRAILER_LF:
        return on_byte(c, b, '\n', TRAILER);
    case END_LF:
        return on_byte(c, b, '\n', DONE);
    case DATA:
    case DONE:
        break;
    }
    return BAD;
}

int chunked_read(struct chunked *c, const char *in, size_t n, size_t *used,
                 struct buf *out)
{
    size_t i = 0;
    int rc = 0;

    while (i < n && rc == 0 && c->state != DONE) {
        if (c->state == DATA) {
            size_t take = n - i < c->left ? n - i : (size_t)c->left;
            buf_put(out, (struct str){in + i, take});
            if (out->failed)
                rc = TOO_LARGE;
            i += take;
            c->left -= take;
            if (c->left == 0)
                c->state = DATA_CR;
        } else {
            /* A chunk that cannot fit is refused before it is sent. */
            if (c->state == SIZE_LF && c->left > out->max - out->n)
                rc = TOO_LARGE;
            else
                rc = step(c, in[i++]);
        }
    }
    *used = i;
    return rc ? rc : c->state == DONE ? CHUNKED_DONE : CHUNKED_MORE;
}
