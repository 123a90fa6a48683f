/* plan.c - targets add steps; here the steps find out whether they are needed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "setup/journal.h"
#include "setup/step.h"

const struct target_facts setup_targets[SETUP_TARGETS] = {
#define TARGET(id, name, groups, en, zh) {name, groups, {en, zh}},
#include "setup/targets.def"
#undef TARGET
};

static void (*const functions[SETUP_TARGETS])(struct plan *p) = {
#define TARGET(id, name, groups, en, zh) target_##id,
#include "setup/targets.def"
#undef TARGET
};

static const char *const texts[SETUP_TEXTS][LANGUAGES] = {
#define TEXT(id, en, zh) [SETUP_TEXT_##id] = {en, zh},
#include "setup/texts.def"
#undef TEXT
};

const char *setup_text_in(enum language l, enum setup_text t)
{
    return texts[t][l];
}

/* ---- texts ----------------------------------------------------------- */

static const char *vmade(struct plan *p, const char *fmt, va_list args)
{
    char line[8192];
    int n = vsnprintf(line, sizeof(line), fmt, args);
    char *copy = n < 0 || (size_t)n >= sizeof(line)
                     ? NULL
                     : arena_cstr(p->arena, (struct str){line, (size_t)n});

    p->failed |= !copy;
    return copy ? copy : "";
}

const char *made(struct plan *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    const char *text = vmade(p, fmt, args);
    va_end(args);
    return text;
}

const char *wrapped(struct plan *p, const char *list, const char *before,
                    const char *behind, const char *between)
{
    struct str rest = str_from_cstr(list);
    const char *out = "";

    while (rest.n) {
        struct str word = str_cut(&rest, ',');
        out = made(p, "%s%s%s" STR_FMT "%s", out, *out ? between : "", before,
                   STR_ARG(word), behind);
    }
    return out;
}

const char *titled(struct plan *p, enum setup_text t, ...)
{
    va_list args;

    va_start(args, t);
    const char *text = vmade(p, setup_text_in(p->options->language, t), args);
    va_end(args);
    return text;
}

/* ---- steps ----------------------------------------------------------- */

static struct step *add(struct plan *p, enum step_kind kind, const char *title)
{
    if (!arena_grow(p->arena, &p->v, p->n, &p->cap, sizeof(*p->v))) {
        p->failed = true;
        return &p->spare;
    }
    struct step *s = &p->v[p->n++];
    *s = (struct step){.kind = kind,
                       .target = p->target,
                       .title = title,
                       .does = "",
                       .undo = "",
                       .probe = ""};
    return s;
}

/* What a step before puts there; NULL: none does. */
static const struct step *put_before(const struct plan *p, const char *path)
{
    for (size_t i = p->n; i-- > 0;)
        if (p->v[i].kind == STEP_PUT && strcmp(p->v[i].path, path) == 0)
            return &p->v[i];
    return NULL;
}

struct str planned(struct plan *p, const char *path)
{
    const struct step *s = put_before(p, path);
    struct str text = {NULL, 0};

    if (s)
        return s->after.kind == NODE_FILE ? s->after.text : text;
    enum found found = machine_read(p->machine, path, &text);
    if (found == DENIED || found == BROKEN)
        refuse(p, titled(p,
                         found == DENIED ? SETUP_TEXT_UNREADABLE
                                         : SETUP_TEXT_BROKEN,
                         path));
    return found == FOUND ? text : (struct str){NULL, 0};
}

/* Those above the path that are missing, from the top. */
static void directories_above(struct plan *p, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        const char *above = made(p, "%.*s", (int)(slash - path), path);
        if (!machine_kind(p->machine, above) && !put_before(p, above))
            put_directory(p, titled(p, SETUP_TEXT_DIRECTORY, above), above,
                          0755);
    }
}

/* Where a file really is: others keep theirs elsewhere, with links to them. */
static const char *behind_links(struct plan *p, const char *path)
{
    struct node n;

    for (int i = 0; i < 8; i++) {
        if (host_look(p->host, path, p->arena, &n, NULL) ||
            n.kind != NODE_LINK || !n.text.n)
            break;
        const char *name = strrchr(path, '/');
        path = n.text.p[0] == '/' ? made(p, STR_FMT, STR_ARG(n.text))
                                  : made(p, "%.*s/" STR_FMT, (int)(name - path),
                                         path, STR_ARG(n.text));
    }
    return path;
}

static void put(struct plan *p, const char *title, const char *path,
                struct node after)
{
    struct err err = {.code = ERR_OK};
    struct node before;

    if (after.kind == NODE_FILE && !put_before(p, path))
        path = behind_links(p, path);
    directories_above(p, path);
    const struct step *earlier = put_before(p, path);
    if (earlier) {
        before = earlier->after;
    } else if (host_look(p->host, path, p->arena, &before, &err)) {
        refuse(p, made(p, "%s", err.msg));
        return;
    }
    if (before.kind != NODE_ABSENT && before.kind != after.kind &&
        after.kind != NODE_LINK) {
        refuse(p, titled(p, SETUP_TEXT_IN_THE_WAY, path));
        return;
    }
    bool same = before.kind == after.kind; /* then it stays whose it is */
    after.uid = same ? before.uid : geteuid();
    after.gid = same ? before.gid : getegid();
    struct step *s = add(p, STEP_PUT, title);
    s->path = path;
    s->before = before;
    s->after = after;
    s->already = node_same(&before, &after);
}

void put_file(struct plan *p, const char *title, const char *path,
              unsigned mode, struct str text)
{
    char *copy = arena_cstr(p->arena, text);

    p->failed |= !copy;
    put(p, title, path,
        (struct node){.kind = NODE_FILE,
                      .mode = mode,
                      .text = {copy ? copy : "", copy ? text.n : 0}});
}

void put_link(struct plan *p, const char *title, const char *path,
              const char *to)
{
    put(p, title, path,
        (struct node){.kind = NODE_LINK,
                      .mode = 0777,
                      .text = str_from_cstr(made(p, "%s", to))});
}

void put_directory(struct plan *p, const char *title, const char *path,
                   unsigned mode)
{
    unsigned kind = put_before(p, path) ? 0 : machine_kind(p->machine, path);

    if (S_ISDIR(kind))
        return; /* as it is, or a link to one: ours to use, not to change */
    put(p, title, path,
        (struct node){.kind = NODE_DIRECTORY, .mode = mode, .text = STR("")});
}

/* What is installed, asked for once a plan; a machine whose packages cannot be
 * asked has none. */
static struct str installed(struct plan *p)
{
    struct buf list;

    if (p->installed.p)
        return p->installed;
    buf_init(&list, PACKAGES_MAX);
    bool asked = packages_list(p->host, &list, NULL) == ERR_OK;
    char *copy = arena_cstr(p->arena, asked ? buf_str(&list) : STR(""));
    p->failed |= !copy;
    p->installed = (struct str){copy, copy && asked ? list.n : 0};
    buf_fini(&list);
    return p->installed;
}

void install(struct plan *p, const char *title, const char *names)
{
    struct step *s = add(p, STEP_PACKAGES, title);

    s->names = made(p, "%s", names);
    s->missing = packages_missing(installed(p), s->names, p->arena);
    s->already = !*s->missing;
}

void install_instead(struct plan *p, const char *title, const char *names)
{
    install(p, title, names);
    if (p->n)
        p->v[p->n - 1].may_remove = true;
}

/* The last time that this run did it; 0: never. */
static size_t did(const struct plan *p, enum step_kind kind, const char *does)
{
    size_t at = 0;

    for (size_t i = 0; p->run && i < p->run->n; i++) {
        const struct entry *e = &p->run->v[i];
        if (e->kind == kind && e->done && strcmp(e->does, does) == 0)
            at = e->number;
    }
    return at;
}

bool was_begun(const struct plan *p, const char *does)
{
    for (size_t i = 0; p->run && i < p->run->n; i++)
        if (p->run->v[i].kind == STEP_RUN &&
            strcmp(p->run->v[i].does, does) == 0)
            return true;
    return false;
}

void run(struct plan *p, const char *title, const char *probe, const char *does,
         const char *undo)
{
    struct step *s = add(p, STEP_RUN, title);

    s->probe = probe;
    s->does = does;
    s->undo = undo;
    s->already =
        *probe ? host_holds(p->host, probe) : did(p, STEP_RUN, does) > 0;
}

/* It was one of the target's steps so far. */
static bool is_before(const struct plan *p, const struct entry *e)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].target == p->target && p->v[i].kind != STEP_REFRESH &&
            entry_is(e, &p->v[i]))
            return true;
    return false;
}

/* One of the target's steps so far was done in this run since, or will be. */
static bool is_stale(const struct plan *p, const char *does)
{
    size_t last = did(p, STEP_REFRESH, does);

    for (size_t i = 0; i < p->n; i++)
        if (p->v[i].target == p->target && !p->v[i].already &&
            p->v[i].kind != STEP_REFRESH)
            return true;
    for (size_t i = last; p->run && i < p->run->n; i++)
        if (is_before(p, &p->run->v[i]))
            return true;
    return false;
}

void refresh(struct plan *p, const char *title, const char *does,
             const char *undo)
{
    bool stale = is_stale(p, does);
    struct step *s = add(p, STEP_REFRESH, title);

    s->does = does;
    s->undo = undo;
    s->already = !stale;
}

void note(struct plan *p, const char *title)
{
    add(p, STEP_NOTE, title)->already = true;
}

void refuse(struct plan *p, const char *why)
{
    if (!p->refused)
        p->refused = made(p, "%s: %s", setup_targets[p->target].name, why);
}

void lack(struct plan *p, const char *why)
{
    if (p->options->all)
        note(p, titled(p, SETUP_TEXT_LEFT_OUT, why));
    else
        refuse(p, why);
}

/* ---- steps that go together --------------------------------------------- */

void service(struct plan *p, const char *unit)
{
    if (has_systemd(p)) {
        run(p, titled(p, SETUP_TEXT_SERVICE, unit),
            made(p, "systemctl is-enabled --quiet %s", unit),
            made(p, "systemctl enable --now %s", unit),
            made(p, "systemctl disable --now %s", unit));
        return;
    }
    note(p, titled(p, SETUP_TEXT_SERVICE_LATER, unit));
}

/* sysctl -w of what is set now, for those that the text sets. */
static const char *as_it_was(struct plan *p, struct str text)
{
    const char *line = "sysctl -q -w";

    while (text.n) {
        struct str value = str_cut(&text, '\n'), key = str_cut(&value, '=');
        char path[256];
        if (!value.p)
            continue;
        key = str_trim(key);
        (void)snprintf(path, sizeof(path), "/proc/sys/" STR_FMT, STR_ARG(key));
        for (char *c = path; (c = strchr(c, '.'));)
            *c = '/';
        long long now = machine_number(p->machine, path, -1);
        if (now >= 0)
            line = made(p, "%s " STR_FMT "=%lld", line, STR_ARG(key), now);
    }
    return line;
}

void kernel_settings(struct plan *p, const char *title, const char *path,
                     const char *text)
{
    put_file(p, title, path, 0644, str_from_cstr(text));
    if (is_running(p))
        refresh(p, titled(p, SETUP_TEXT_BASE_SYSCTL_LOAD),
                made(p, "sysctl -q -p %s", path),
                as_it_was(p, str_from_cstr(text)));
}

/* ---- the whole ------------------------------------------------------- */

/* Words of commands and lines of files: no blanks, nothing that a shell, an
 * fstab or a unit reads in its own way. */
static enum errc check_words(const struct setup_options *o, struct err *err)
{
    const struct {
        const char *name, *value;
    } rows[] = {{"hostname", o->hostname},
                {"timezone", o->timezone},
                {"address", o->address},
                {"gateway", o->gateway},
                {"dns", o->dns},
                {"interface", o->interface},
                {"branch", o->branch},
                {"cuda", o->cuda},
                {"mirrors", o->mirrors},
                {"user", o->user},
                {"venv", o->venv},
                {"ort-sha256", o->ort_sha256},
                {"source", o->source},
                {"mount", o->mount},
                {"fs-type", o->fs_type},
                {"allow", o->allow},
                {"ports", o->ports},
                {"pod-network", o->pod_network},
                {"kubernetes", o->kubernetes}};
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-_./:,=@+~%";

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *v = rows[i].value;
        if (v && (!*v || *v == '-' || v[strspn(v, allowed)]))
            return err_set(err, ERR_INVALID,
                           "--%s '%s': letters, digits and "
                           "-_./:,=@+~%% are understood",
                           rows[i].name, v);
    }
    return ERR_OK;
}

enum errc setup_plan(const struct setup_options *o, struct machine *m,
                     struct host *h, const struct journal *run, struct arena *a,
                     struct plan *out, struct err *err)
{
    *out = (struct plan){
        .arena = a, .machine = m, .options = o, .host = h, .run = run};
    enum errc rc = check_words(o, err);

    for (size_t i = 0; i < SETUP_TARGETS && !rc && !out->refused; i++) {
        out->target = (enum setup_target)i;
        if (o->targets[i])
            functions[i](out);
    }
    if (!rc && out->failed)
        rc = err_set(err, ERR_NOMEM, "the plan: out of memory");
    return rc;
}

size_t plan_open_steps(const struct plan *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += !p->v[i].already;
    return n;
}
