#include "compat/wish.h"

#include <string.h>

#include "base/buf.h"
#include "compat/marker.h"
#include "machine/python.h"

/* ---- a requirement ------------------------------------------------------ */

/* What the tables are about; what asks for it with another name. */
static const struct {
    const char *name, *of;
} known[] = {{"torch", "torch"},
             {"torchvision", "torchvision"},
             {"torchaudio", "torchaudio"},
             {"tensorflow", "tensorflow"},
             {"tensorflow_gpu", "tensorflow"}, /* its name until 2.12 */
             {"onnxruntime_gpu", "onnxruntime_gpu"},
             {"numpy", "numpy"}};

/* The name that the tables have; "": they are not about it. */
static struct str known_name(struct arena *a, struct str name)
{
    struct str plain = python_dist_name(a, name);

    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(plain, str_from_cstr(known[i].name)))
            return str_from_cstr(known[i].of);
    return STR("");
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/* One of == >= <= > < != ~= and the version behind it; kept if the name is. */
static bool take_bound(struct wish *w, struct str name, struct str marker,
                       struct str *rest)
{
    struct bound b = {
        .name = name, .op = release_take_operator(rest), .marker = marker};

    if (!b.op)
        return false;
    *rest = str_trim(*rest);
    b.version = str_trim(str_cut(rest, ','));
    for (size_t i = 0; i < b.version.n; i++)
        if (!is_name(b.version.p[i]) && !strchr("+*!", b.version.p[i]))
            return false;
    *rest = str_trim(*rest);
    if (!b.version.n)
        return false;
    if (!name.n)
        return true;
    if (w->n == BOUNDS_MAX)
        return false;
    w->bounds[w->n++] = b;
    return true;
}

static void want(struct wish *w, struct str name)
{
    w->torch = w->torch || str_starts(name, STR("torch")); /* torchvision */
    w->tensorflow = w->tensorflow || str_eq(name, STR("tensorflow"));
    w->onnxruntime = w->onnxruntime || str_eq(name, STR("onnxruntime_gpu"));
}

bool wish_add(struct wish *w, struct arena *a, struct str requirement)
{
    struct str rest = str_trim(str_cut(&requirement, ';')),
               marker = str_trim(requirement);
    enum marker holds = requirement.p ? marker_of(marker, STR("")) : MARKER_YES;
    size_t n = 0;

    while (n < rest.n && is_name(rest.p[n]))
        n++;
    if (n == 0 || holds == MARKER_WRONG)
        return false;
    /* Not for Linux: nothing is wished. */
    struct str name =
        holds == MARKER_NO ? STR("") : known_name(a, str_slice(rest, 0, n));
    rest = str_trim(str_slice(rest, n, rest.n));
    if (rest.n && rest.p[0] == '[') { /* extras */
        (void)str_cut(&rest, ']');
        if (!rest.p)
            return false;
    }
    rest = str_trim(rest);
    want(w, name);
    if (rest.n && rest.p[0] == '@') /* an address */
        return true;
    if (rest.n > 1 && rest.p[0] == '(' && rest.p[rest.n - 1] == ')')
        rest = str_trim(str_slice(rest, 1, rest.n - 1));
    while (rest.n)
        if (!take_bound(w, name, holds == MARKER_OPEN ? marker : STR(""),
                        &rest))
            return false;
    return true;
}

/* ---- a file ------------------------------------------------------------- */

/* "cu118", "cpu" of https://download.pytorch.org/whl/cu118 */
static void take_index(struct wish *w, struct str line)
{
    static const struct str whl = STR_INIT("/whl/");
    const char *at = memmem(line.p, line.n, whl.p, whl.n);
    size_t n = 0;

    if (!at)
        return;
    struct str rest = str_slice(line, (size_t)(at - line.p) + whl.n, line.n);
    while (n < rest.n && is_name(rest.p[n]) && rest.p[n] != '_')
        n++;
    rest = str_slice(rest, 0, n);
    if (str_eq(rest, STR("cpu")) || (str_starts(rest, STR("cu")) && n > 3))
        w->wheels = rest;
}

/* -r base.txt, --requirement=base.txt, -c constraints.txt */
static bool take_option(struct wish *w, struct str line)
{
    static const char *const names[] = {"-r", "--requirement", "-c",
                                        "--constraint"};

    take_index(w, line);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct str name = str_from_cstr(names[i]);
        struct str rest =
            str_slice(line, name.n < line.n ? name.n : line.n, line.n);
        if (!str_starts(line, name) || !rest.n)
            continue;
        if (i % 2 && !strchr(" \t=", rest.p[0]))
            continue;
        if (strchr("=", rest.p[0]))
            rest = str_slice(rest, 1, rest.n);
        if (w->n_files == WISH_FILES_MAX)
            return false;
        w->files[w->n_files++] = str_trim(rest);
        return true;
    }
    return true;
}

/* An address or a path in place of a name. */
static bool is_place(struct str line)
{
    size_t n = 0;

    while (n < line.n && is_name(line.p[n]))
        n++;
    return (n < line.n &&
            (line.p[n] == '/' || line.p[n] == ':' || line.p[n] == '$')) ||
           (n < line.n && line.p[n] == '+' &&
            memmem(line.p, line.n, "://", 3)) ||
           str_starts(line, STR(".")) || str_ends(line, STR(".whl"));
}

/* Without its comment, the \ of a line that goes on, and its own options. */
static struct str bare_line(struct str line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line = str_slice(line, 0, line.n - 1);
    for (size_t i = 0; i < line.n; i++)
        if ((line.p[i] == '#' &&
             (i == 0 || line.p[i - 1] == ' ' || line.p[i - 1] == '\t'))) {
            line = str_slice(line, 0, i);
            break;
        }
    line = str_trim(line);
    if (line.n && line.p[line.n - 1] == '\\')
        line = str_trim(str_slice(line, 0, line.n - 1));
    const char *option = line.n ? memmem(line.p, line.n, " --", 3) : NULL;
    if (option && line.p[0] != '-')
        line = str_trim(str_slice(line, 0, (size_t)(option - line.p)));
    return line;
}

unsigned wish_add_lines(struct wish *w, struct arena *a, struct str text)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    for (unsigned at = 1; text.n; at++) {
        struct str line = bare_line(str_cut(&text, '\n'));
        if (!line.n)
            continue;
        bool good = line.p[0] == '-' ? take_option(w, line)
                    : is_place(line) ? true
                                     : wish_add(w, a, line);
        if (!good)
            return at;
    }
    return 0;
}

/* ---- bounds ------------------------------------------------------------- */

static bool holds(const struct bound *b, const char *name, struct str python)
{
    return str_eq(b->name, str_from_cstr(name)) &&
           (!b->marker.n || marker_of(b->marker, python) == MARKER_YES);
}

bool wish_allows(const struct wish *w, const char *name, struct str version,
                 struct str python)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct bound *b = &w->bounds[i];
        if (holds(b, name, python) &&
            !(version.n && release_meets(version, b->op, b->version)))
            return false;
    }
    return true;
}

struct str bound_version(const struct bound *b)
{
    return str_ends(b->version, STR(".*"))
               ? str_slice(b->version, 0, b->version.n - 2)
               : b->version;
}

struct str wish_release(const struct wish *w, const char *name, struct str from,
                        struct str to, struct str python)
{
    struct str best = STR("");

    if (wish_allows(w, name, to, python))
        return to;
    if (wish_allows(w, name, from, python))
        best = from;
    for (size_t i = 0; i < w->n; i++) {
        const struct bound *b = &w->bounds[i];
        struct str version = bound_version(b), minor = release_minor(version);
        if (holds(b, name, python) &&
            release_compare(minor, release_minor(from)) >= 0 &&
            release_compare(minor, release_minor(to)) <= 0 &&
            wish_allows(w, name, version, python) &&
            (!best.n || release_compare(version, best) >= 0))
            best = version;
    }
    return best;
}

struct str wish_wheels(const struct wish *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct str rest = w->bounds[i].version;
        (void)str_cut(&rest, '+');
        if (rest.n && str_eq(w->bounds[i].name, STR("torch")))
            return rest;
    }
    return w->wheels;
}

struct str wish_bounds(const struct wish *w, struct arena *a, const char *name,
                       struct str python)
{
    struct buf b;

    buf_init(&b, 4096);
    for (size_t i = 0; i < w->n; i++)
        if (holds(&w->bounds[i], name, python))
            buf_printf(&b, "%s%s" STR_FMT, b.n ? "," : "", w->bounds[i].op,
                       STR_ARG(w->bounds[i].version));
    const char *copy = arena_cstr(a, buf_str(&b));
    buf_fini(&b);
    return str_from_cstr(copy ? copy : "");
}
