#include "codec/percent.h"

#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool decode(struct str text, bool form, struct arena *arena,
                   struct str *out)
{
    char *copy = arena_bytes(arena, text.n);
    size_t n = 0;
    if (!copy)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%') {
            bool whole = text.n - i > 2;
            int hi = whole ? hex(text.p[i + 1]) : -1;
            int lo = whole ? hex(text.p[i + 2]) : -1;
            if (hi < 0 || lo < 0)
                return false;
            c = (char)(hi * 16 + lo);
            if (!form && ((unsigned char)c < 0x20 || c == 0x7f))
                return false;
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        copy[n++] = c;
    }
    *out = (struct str){copy, n};
    return true;
}

bool percent_decode(struct str text, struct arena *arena, struct str *out)
{
    if (text.n && memchr(text.p, '%', text.n))
        return decode(text, false, arena, out);
    *out = text;
    return true;
}

bool percent_decode_form(struct str text, struct arena *arena, struct str *out)
{
    return decode(text, true, arena, out);
}

#define UNRESERVED \
    "-_.~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void put_byte(struct buf *out, char c, const char *plain)
{
    if (c && strchr(plain, c))
        buf_putc(out, c);
    else
        buf_printf(out, "%%%02X", (unsigned char)c);
}

void percent_encode_form(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == ' ')
            buf_putc(out, '+');
        else
            put_byte(out, s.p[i], UNRESERVED);
    }
}

void percent_encode_path(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        put_byte(out, s.p[i], UNRESERVED "/:@!$&'()*+,;=");
}
