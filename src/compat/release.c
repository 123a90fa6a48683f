#include "compat/release.h"

#include <stdio.h>

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

struct str release_minor(struct str version)
{
    size_t dots = 0, n = 0;

    while (n < version.n && version.p[n] != '+' &&
           (version.p[n] != '.' || ++dots < 2))
        n++;
    return str_slice(version, 0, n);
}

struct str release_cuda(struct str version, struct arena *a)
{
    char text[32];

    (void)str_cut(&version, '+');
    if (version.n < 4 || !str_starts(version, STR("cu")))
        return STR("");
    (void)snprintf(text, sizeof(text), STR_FMT "." STR_FMT,
                   STR_ARG(str_slice(version, 2, version.n - 1)),
                   STR_ARG(str_slice(version, version.n - 1, version.n)));
    const char *copy = arena_cstr(a, str_from_cstr(text));
    return str_from_cstr(copy ? copy : "");
}
