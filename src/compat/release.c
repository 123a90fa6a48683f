#include "compat/release.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

static unsigned long next_number(struct str *s)
{
    unsigned long v = 0;

    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        v = v < 100000000 ? v * 10 + (unsigned long)(s->p[0] - '0') : v;
        *s = str_slice(*s, 1, s->n);
    }
    /* rc1, a0: what is no number ends a part. */
    while (s->n && s->p[0] != '.')
        *s = str_slice(*s, 1, s->n);
    if (s->n)
        *s = str_slice(*s, 1, s->n);
    return v;
}

int release_compare(struct str a, struct str b)
{
    a = str_cut(&a, '+');
    b = str_cut(&b, '+');
    while (a.n || b.n) {
        unsigned long x = next_number(&a), y = next_number(&b);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

const char *release_take_operator(struct str *rest)
{
    static const char *const ops[] = {
        "===", "==", "!=", "~=", "<=", ">=", "<", ">"};

    for (size_t i = 0; i < COUNT(ops); i++) {
        struct str op = str_from_cstr(ops[i]);
        if (!str_starts(*rest, op))
            continue;
        *rest = str_slice(*rest, op.n, rest->n);
        return i == 0 ? "==" : ops[i];
    }
    return NULL;
}

/* 2.0.1 is one of "2.0". */
static bool begins_with(struct str version, struct str prefix)
{
    while (prefix.n) {
        unsigned long x = next_number(&version), y = next_number(&prefix);
        if (x != y)
            return false;
    }
    return true;
}

static struct str without_last_part(struct str version)
{
    const char *dot = version.n ? memrchr(version.p, '.', version.n) : NULL;

    return dot ? str_slice(version, 0, (size_t)(dot - version.p)) : version;
}

bool release_meets(struct str version, const char *op, struct str bound)
{
    version = str_cut(&version, '+');
    bound = str_cut(&bound, '+');
    bool any = str_ends(bound, STR(".*"));
    if (any)
        bound = str_slice(bound, 0, bound.n - 2);
    int c = release_compare(version, bound);
    bool equal = any ? begins_with(version, bound) : c == 0;
    if (op[0] == '~')
        return c >= 0 && begins_with(version, without_last_part(bound));
    if (op[0] == '=' || op[0] == '!')
        return equal == (op[0] == '=');
    return op[0] == '>' ? c > 0 || (c == 0 && op[1])
                        : c < 0 || (c == 0 && op[1]);
}

struct str release_minor(struct str version)
{
    size_t dots = 0, n = 0;

    while (n < version.n && version.p[n] != '+' &&
           (version.p[n] != '.' || ++dots < 2))
        n++;
    return str_slice(version, 0, n);
}

struct str release_major(struct str version)
{
    return str_cut(&version, '.');
}

bool release_within(struct str version, struct str from, struct str to)
{
    struct str v = release_minor(version);

    return release_compare(v, from) >= 0 && release_compare(v, to) <= 0;
}

bool release_up_to(struct str version, struct str most)
{
    return release_compare(most.n && memchr(most.p, '.', most.n)
                               ? release_minor(version)
                               : release_major(version),
                           most) <= 0;
}

struct str wheel_cuda(struct str tag, struct arena *a)
{
    char text[32];

    if (tag.n < 4 || !str_starts(tag, STR("cu")))
        return STR("");
    (void)snprintf(text, sizeof(text), STR_FMT "." STR_FMT,
                   STR_ARG(str_slice(tag, 2, tag.n - 1)),
                   STR_ARG(str_slice(tag, tag.n - 1, tag.n)));
    const char *copy = arena_cstr(a, str_from_cstr(text));
    return str_from_cstr(copy ? copy : "");
}

struct str release_cuda(struct str version, struct arena *a)
{
    (void)str_cut(&version, '+');
    return wheel_cuda(version, a);
}
