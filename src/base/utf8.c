#include "base/utf8.h"

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_length(struct str s)
{
    if (s.n == 0)
        return 0;
    unsigned char a = (unsigned char)s.p[0];
    unsigned char b = s.n > 1 ? (unsigned char)s.p[1] : 0;

    if (a < 0x80)
        return 1;
    if (a < 0xc2)
        return 0;
    if (a < 0xe0)
        return s.n >= 2 && is_tail(s.p[1]) ? 2 : 0;
    if (a < 0xf0) {
        if (s.n < 3 || !is_tail(s.p[1]) || !is_tail(s.p[2]))
            return 0;
        bool overlong = a == 0xe0 && b < 0xa0;
        bool surrogate = a == 0xed && b >= 0xa0;
        return overlong || surrogate ? 0 : 3;
    }
    if (a > 0xf4 || s.n < 4 || !is_tail(s.p[1]) || !is_tail(s.p[2]) ||
        !is_tail(s.p[3]))
        return 0;
    if ((a == 0xf0 && b < 0x90) || (a == 0xf4 && b >= 0x90))
        return 0;
    return 4;
}

bool utf8_valid(struct str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t len = utf8_length(str_slice(s, i, s.n));
        if (len == 0)
            return false;
        i += len;
    }
    return true;
}

size_t utf8_encode(uint32_t cp, char *out)
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xc0 | (cp >> 6));
        out[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xe0 | (cp >> 12));
        out[1] = (char)(0x80 | ((cp >> 6) & 0x3f));
        out[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (cp >> 18));
    out[1] = (char)(0x80 | ((cp >> 12) & 0x3f));
    out[2] = (char)(0x80 | ((cp >> 6) & 0x3f));
    out[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}
