/* yaml_hide.c - a file without its secrets, for people. */
#include "codec/yaml_form.h"

/* Keys whose values nobody is shown. */
static bool is_secret(struct str key)
{
    static const char *const keys[] = {
        "url",         "secret",       "api_url",       "slack_api_url",
        "credentials", "password",     "auth_password", "smtp_auth_password",
        "proxy_url",   "bearer_token", "auth_secret",   "smtp_auth_secret"};

    for (size_t i = 0; i < COUNT(keys); i++)
        if (str_eq(key, str_from_cstr(keys[i])))
            return true;
    return false;
}

static bool is_key(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z');
}

/* The text with secrets as <secret>; each is the rest of its line, or within
 * quotes or a map on one line up to what ends it. */
void yaml_hide(struct buf *out, struct str text)
{
    size_t i = 0;

    while (i < text.n) {
        size_t start = i;
        while (i < text.n && is_key(text.p[i]))
            i++;
        struct str word = str_slice(text, start, i);
        buf_put(out, word);
        if (word.n && is_secret(word) && i < text.n && text.p[i] == ':') {
            /* Clients of Alertmanager that read it want a URL for one. */
            buf_puts(out, str_ends(word, STR("url")) ? ": http://secret.invalid"
                                                     : ": <secret>");
            i++;
            while (i < text.n && text.p[i] == ' ')
                i++;
            char quote = i < text.n ? text.p[i] : '\0';
            bool quoted = quote == '"' || quote == '\'';
            for (i += quoted; i < text.n && text.p[i] != '\n' &&
                              (quoted ? text.p[i] != quote
                                      : text.p[i] != ',' && text.p[i] != '}');)
                i++;
            i += quoted && i < text.n && text.p[i] == quote;
        } else if (i < text.n && i == start) {
            buf_putc(out, text.p[i++]);
        }
    }
}
