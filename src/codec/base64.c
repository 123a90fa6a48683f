#include "codec/base64.h"

#include <stdint.h>

static int value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct str text, char *out, size_t *n)
{
    uint32_t acc = 0;
    int bits = 0;

    while (text.n && text.p[text.n - 1] == '=' && text.n % 4 != 1)
        text.n--;
    *n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int v = value(text.p[i]);
        if (v < 0)
            return false;
        acc = acc << 6 | (uint32_t)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[(*n)++] = (char)(acc >> bits);
        }
    }
    return bits < 6;
}

size_t base64_encoded_size(size_t n)
{
    return (n + 2) / 3 * 4;
}

size_t base64_encode(struct str bytes, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;

    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t have = bytes.n - i;
        uint32_t v = (uint32_t)(unsigned char)bytes.p[i] << 16;
        if (have > 1)
            v |= (uint32_t)(unsigned char)bytes.p[i + 1] << 8;
        if (have > 2)
            v |= (unsigned char)bytes.p[i + 2];
        out[at++] = digits[v >> 18];
        out[at++] = digits[v >> 12 & 63];
        out[at++] = have > 1 ? digits[v >> 6 & 63] : '=';
        out[at++] = have > 2 ? digits[v & 63] : '=';
    }
    return at;
}
