#include "doctor/capture.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "codec/digest.h"
#include "machine/facts.h"

enum { BUNDLE_MAX = 64 << 20, SHORTEST_NAME = 4 };

void capture_add(struct capture *c, char kind, struct str name,
                 enum found found, struct str text)
{
    const char *n = arena_cstr(c->arena, name), *t = arena_cstr(c->arena, text);

    if (!n || !t ||
        !arena_grow(c->arena, &c->v, c->n, &c->cap, sizeof(*c->v))) {
        c->failed = true;
        return;
    }
    c->v[c->n++] = (struct answer){kind, n, found, {t, text.n}};
}

/* ---- what is private ---------------------------------------------------- */

enum { USERS_MAX = 64 };

/* The host's name is replaced wherever it stands, users' in paths of their
 * homes and where they are listed. */
struct secrets {
    struct str host;
    struct str users[USERS_MAX]; /* the first is whose capture it is, or "" */
    size_t n;
};

static struct str answer_to(const struct capture *c, char kind,
                            const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->v[i].kind == kind && strcmp(c->v[i].name, name) == 0 &&
            c->v[i].found == FOUND)
            return c->v[i].text;
    return (struct str){NULL, 0};
}

static void find_secrets(const struct capture *c, struct secrets *out)
{
    struct str host = answer_to(c, 'f', "/proc/sys/kernel/hostname");

    out->host = host.n ? str_cut(&host, '\n') : STR("");
    struct str home = fact_value(answer_to(c, 'q', "environment"), "HOME"),
               all = answer_to(c, 'd', "/home");
    out->users[0] =
        str_starts(home, STR("/home/")) ? str_slice(home, 6, home.n) : STR("");
    for (out->n = 1; all.n && out->n < USERS_MAX; out->n++)
        out->users[out->n] = str_cut(&all, '\n');
}

static bool is_of_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* The name that stands at i, if it is a user's, goes out as another; its
 * length, or 0. */
static size_t replace_user(const struct secrets *x, struct str s, size_t i,
                           struct buf *out)
{
    size_t n = 0;

    while (i + n < s.n && is_of_name(s.p[i + n]))
        n++;
    for (size_t k = 0; n && k < x->n; k++) {
        if (!str_eq(x->users[k], str_slice(s, i, i + n)))
            continue;
        buf_puts(out, "user");
        if (k)
            buf_printf(out, "%zu", k + 1);
        return n;
    }
    return 0;
}

/* A list of names: of /home, or /etc/group. */
static bool lists_users(const struct answer *a)
{
    return (a->kind == 'd' && strcmp(a->name, "/home") == 0) ||
           (a->kind == 'f' && strcmp(a->name, "/etc/group") == 0);
}

static bool at(struct str s, size_t i, struct str word)
{
    return word.n && i + word.n <= s.n && memcmp(s.p + i, word.p, word.n) == 0;
}

/* The length of USER:PASSWORD@ behind ://; 0: there is none. */
static size_t credentials(struct str s, size_t i)
{
    for (size_t n = 0; i + n < s.n; n++) {
        char c = s.p[i + n];
        if (c == '@')
            return n;
        if (c == '/' || isspace((unsigned char)c) || c == '"')
            return 0;
    }
    return 0;
}

/* "password": "x", password=x, token x: the length up to the value; 0. */
static size_t key_of_secret(struct str s, size_t i)
{
    static const char *const words[] = {"password", "passwd", "secret",
                                        "token"};

    for (size_t k = 0; k < COUNT(words); k++) {
        size_t n = strlen(words[k]);
        if (i + n >= s.n || strncasecmp(s.p + i, words[k], n) != 0)
            continue;
        size_t end = i + n;
        while (end < s.n && strchr("\"' :=", s.p[end]))
            end++;
        return end > i + n ? end - i : 0;
    }
    return 0;
}

/* The length of the rest of a GPU's UUID behind "GPU-". */
static size_t uuid(struct str s, size_t i)
{
    size_t n = 0;

    while (i + n < s.n &&
           (isxdigit((unsigned char)s.p[i + n]) || s.p[i + n] == '-'))
        n++;
    return n >= 8 ? n : 0;
}

static void put_other_uuid(struct buf *out, struct str is)
{
    unsigned char md[MD5_BYTES];

    if (digest_md5(is, md, NULL))
        memset(md, 0, sizeof(md));
    for (size_t i = 0; i < 8; i++)
        buf_printf(out, "%02x", md[i]);
}

/* What is private at i goes out as something else; how much of s that was. */
static size_t replace(const struct secrets *x, struct str s, size_t i,
                      struct buf *out)
{
    size_t n;

    if (x->host.n >= SHORTEST_NAME && at(s, i, x->host)) {
        buf_puts(out, "host");
        return x->host.n;
    }
    if (at(s, i, STR("/home/"))) {
        buf_puts(out, "/home/");
        return 6 + replace_user(x, s, i + 6, out);
    }
    if (at(s, i, STR("://")) && (n = credentials(s, i + 3)) > 0) {
        buf_puts(out, "://***");
        return 3 + n;
    }
    if (at(s, i, STR("GPU-")) && (n = uuid(s, i + 4)) > 0) {
        buf_puts(out, "GPU-");
        put_other_uuid(out, str_slice(s, i + 4, i + 4 + n));
        return 4 + n;
    }
    n = key_of_secret(s, i);
    if (n) {
        size_t end = i + n;
        buf_put(out, str_slice(s, i, end));
        buf_puts(out, "***");
        while (end < s.n && !strchr("\"' ,\n", s.p[end]))
            end++;
        return end - i;
    }
    return 0;
}

static struct str without_secrets(struct capture *c, const struct secrets *x,
                                  struct str s, bool of_users)
{
    struct buf out;

    buf_init(&out, BUNDLE_MAX);
    for (size_t i = 0; i < s.n;) {
        size_t n = of_users && (i == 0 || !is_of_name(s.p[i - 1]))
                       ? replace_user(x, s, i, &out)
                       : 0;
        n = n ? n : replace(x, s, i, &out);
        if (n == 0)
            buf_putc(&out, s.p[i]);
        i += n ? n : 1;
    }
    const char *copy = out.failed ? NULL : arena_cstr(c->arena, buf_str(&out));
    struct str clean = {copy, copy ? out.n : 0};
    c->failed = c->failed || !copy;
    buf_fini(&out);
    return clean;
}

/* ---- writing ------------------------------------------------------------ */

static void clean(struct capture *c)
{
    struct secrets x;
    size_t n = 0;

    find_secrets(c, &x);
    for (size_t i = 0; i < c->n && !c->failed; i++) {
        bool of_users = lists_users(&c->v[i]);
        c->v[i].text = without_secrets(c, &x, c->v[i].text, of_users);
        c->v[i].name =
            without_secrets(c, &x, str_from_cstr(c->v[i].name), false).p;
    }
    if (c->failed || !c->n)
        return;
    qsort(c->v, c->n, sizeof(*c->v), answer_compare);
    for (size_t i = 1; i < c->n; i++)
        if (answer_compare(&c->v[n], &c->v[i]) != 0)
            c->v[++n] = c->v[i];
    c->n = n + 1;
}

static enum errc publish(const struct buf *text, const char *path,
                         struct err *err)
{
    char temporary[4096];

    if (snprintf(temporary, sizeof(temporary), "%s.part", path) >=
        (int)sizeof(temporary))
        return err_set(err, ERR_INVALID, "the path is too long");
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fs_error(err, "cannot write", temporary);
    if (!fs_write_all(fd, text->p, text->n)) {
        enum errc rc = fs_error(err, "cannot write", temporary);
        (void)close(fd);
        (void)unlink(temporary);
        return rc;
    }
    return fs_publish(fd, temporary, path, err);
}

enum errc capture_write(struct capture *c, const char *path, struct err *err)
{
    char made[CLOCK_TEXT_MAX];
    struct buf text;

    clean(c);
    if (c->failed)
        return err_set(err, ERR_NOMEM, "out of memory");
    clock_format(clock_wall_ns(), made);
    buf_init(&text, BUNDLE_MAX);
    bundle_write(&(struct bundle){c->v, c->n}, made, &text);
    enum errc rc = ERR_OK;
    if (text.failed)
        rc = err_set(err, ERR_LIMIT, "the capture is over %d MiB",
                     BUNDLE_MAX >> 20);
    else
        rc = publish(&text, path, err);
    buf_fini(&text);
    return rc;
}
