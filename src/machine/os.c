#include "machine/os.h"

#include <ctype.h>
#include <string.h>

static struct str unquoted(struct str s)
{
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return str_slice(s, 1, s.n - 1);
    return s;
}

enum found os_read(struct machine *m, struct os *out)
{
    struct str text = {NULL, 0};
    const struct {
        struct str key;
        struct str *value;
    } rows[] = {{STR("ID"), &out->id},
                {STR("VERSION_ID"), &out->version},
                {STR("ID_LIKE"), &out->like},
                {STR("VERSION_CODENAME"), &out->codename},
                {STR("PRETTY_NAME"), &out->pretty}};

    *out = (struct os){.id = STR("")};
    enum found found = machine_read(m, "/etc/os-release", &text);
    if (found != FOUND &&
        machine_read(m, "/usr/lib/os-release", &text) == FOUND)
        found = FOUND;
    while (found == FOUND && text.n) {
        struct str value = str_cut(&text, '\n'), key = str_cut(&value, '=');
        for (size_t i = 0; i < COUNT(rows); i++)
            if (value.p && str_eq(key, rows[i].key))
                *rows[i].value = unquoted(str_trim(value));
    }
    return found;
}

static bool is_like(const struct os *o, const char *word)
{
    struct str like = o->like, w = str_from_cstr(word);
    bool yes = str_eq(o->id, w);

    while (!yes && like.n)
        yes = str_eq(str_cut(&like, ' '), w);
    return yes;
}

bool os_has_apt(const struct os *o)
{
    return is_like(o, "debian") || is_like(o, "ubuntu");
}

bool os_has_dnf(const struct os *o)
{
    return is_like(o, "rhel") || is_like(o, "fedora") || is_like(o, "centos");
}

/* A paragraph of dpkg's status. */
static bool take_paragraph(struct str *text, struct package *out)
{
    bool installed = false;

    *out = (struct package){.name = STR("")};
    while (text->n) {
        struct str line = str_cut(text, '\n'), value = line;
        struct str key = str_cut(&value, ':');
        if (line.n == 0)
            break;
        if (!value.p || line.p[0] == ' ')
            continue;
        value = str_trim(value);
        if (str_eq(key, STR("Package")))
            out->name = value;
        else if (str_eq(key, STR("Version")))
            out->version = value;
        else if (str_eq(key, STR("Status"))) {
            installed = str_ends(value, STR(" installed"));
            out->held = str_starts(value, STR("hold "));
        }
    }
    return installed && out->name.n;
}

enum found packages_each(struct machine *m,
                         void (*each)(void *ctx, const struct package *p),
                         void *ctx)
{
    struct str text = {NULL, 0};
    enum found found = machine_read(m, "/var/lib/dpkg/status", &text);
    struct package p;

    while (found == FOUND && text.n)
        if (take_paragraph(&text, &p))
            each(ctx, &p);
    return found;
}

/* ---- versions ----------------------------------------------------------- */

/* ~ before the end, the end before letters, letters before the rest. */
static int weight(const struct str *s)
{
    int c = s->n ? (unsigned char)s->p[0] : 0;

    return !s->n || isdigit(c) ? 0 : c == '~' ? -1 : isalpha(c) ? c : c + 256;
}

static void step(struct str *s)
{
    *s = str_slice(*s, s->n ? 1 : 0, s->n);
}

static bool at_digit(const struct str *s)
{
    return s->n && isdigit((unsigned char)s->p[0]);
}

static int compare_part(struct str a, struct str b)
{
    while (a.n || b.n) {
        while ((a.n && !at_digit(&a)) || (b.n && !at_digit(&b))) {
            int x = weight(&a), y = weight(&b);
            if (x != y)
                return x - y;
            step(&a);
            step(&b);
        }
        while (a.n && a.p[0] == '0')
            step(&a);
        while (b.n && b.p[0] == '0')
            step(&b);
        int first = 0;
        while (at_digit(&a) && at_digit(&b)) {
            first = first ? first : a.p[0] - b.p[0];
            step(&a);
            step(&b);
        }
        if (at_digit(&a) || at_digit(&b))
            return at_digit(&a) ? 1 : -1;
        if (first)
            return first;
    }
    return 0;
}

/* [epoch:]upstream[-revision] */
static void split(struct str v, struct str *epoch, struct str *upstream,
                  struct str *revision)
{
    const char *colon = v.n ? memchr(v.p, ':', v.n) : NULL;
    const char *dash = v.n ? memrchr(v.p, '-', v.n) : NULL;
    size_t from = colon ? (size_t)(colon - v.p) + 1 : 0;
    size_t to = dash && dash >= v.p + from ? (size_t)(dash - v.p) : v.n;

    *epoch = colon ? str_slice(v, 0, from - 1) : STR("0");
    *upstream = str_slice(v, from, to);
    *revision = to < v.n ? str_slice(v, to + 1, v.n) : STR("0");
}

int version_compare(struct str a, struct str b)
{
    struct str x[3], y[3];

    split(a, &x[0], &x[1], &x[2]);
    split(b, &y[0], &y[1], &y[2]);
    for (int i = 0; i < 3; i++) {
        int c = compare_part(x[i], y[i]);
        if (c)
            return c;
    }
    return 0;
}
