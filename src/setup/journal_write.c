#include "setup/journal_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"

const char *const journal_kinds[4] = {"put", "packages", "run", "refresh"};
const char *const journal_nodes[4] = {"absent", "file", "directory", "link"};
const char *const journal_states[3] = {"open", "finished", "undone"};

static enum errc append(struct journal *j, struct buf *line, struct err *err)
{
    buf_putc(line, '\n');
    enum errc rc = ERR_OK;
    if (line->failed)
        rc = err_set(err, ERR_NOMEM, "journal: out of memory");
    else if (!fs_write_all(j->file, line->p, line->n) || fdatasync(j->file))
        rc = fs_error(err, "cannot write", SETUP_STATE "/.../journal");
    buf_fini(line);
    return rc;
}

/* Bytes into a file N.what of the run; synced before the line that names it. */
static enum errc keep(struct journal *j, size_t number, const char *what,
                      struct str bytes, struct err *err)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%zu.%s", number, what);
    int fd = openat(j->directory, name,
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fs_error(err, "cannot write", name);
    bool good = fs_write_all(fd, bytes.p, bytes.n) && fsync(fd) == 0;
    return close(fd) == 0 && good ? ERR_OK
                                  : fs_error(err, "cannot write", name);
}

static enum errc put_node(struct journal *j, size_t number, const char *what,
                          const struct node *n, struct buf *line,
                          struct err *err)
{
    buf_printf(line, ",\"%s\":{\"kind\":\"%s\"", what, journal_nodes[n->kind]);
    if (n->kind != NODE_ABSENT)
        buf_printf(line, ",\"mode\":%u,\"uid\":%u,\"gid\":%u,\"mtime_ns\":%lld",
                   n->mode, n->uid, n->gid, (long long)n->mtime_ns);
    if (n->kind == NODE_LINK)
        buf_put_field(line, ",\"to\":", n->text);
    if (n->kind == NODE_FILE)
        buf_printf(line, ",\"bytes\":\"%zu.%s\"", number, what);
    buf_puts(line, "}");
    return n->kind == NODE_FILE ? keep(j, number, what, n->text, err) : ERR_OK;
}

static const char *copied(struct journal *j, const char *text)
{
    return text ? arena_cstr(j->arena, str_from_cstr(text)) : "";
}

static struct node copied_node(struct journal *j, const struct node *n)
{
    struct node out = *n;

    out.text.p = arena_cstr(j->arena, n->text);
    return out;
}

/* The plan goes, the journal stays. */
static enum errc remember(struct journal *j, const struct step *s,
                          struct str list, struct err *err)
{
    if (!arena_grow(j->arena, &j->v, j->n, &j->cap, sizeof(*j->v)))
        return err_set(err, ERR_NOMEM, "journal: out of memory");
    struct entry e = {.number = j->n + 1,
                      .kind = s->kind,
                      .target = setup_targets[s->target].name,
                      .title = copied(j, s->title),
                      .path = copied(j, s->path),
                      .was = copied_node(j, &s->before),
                      .becomes = copied_node(j, &s->after),
                      .list = {arena_cstr(j->arena, list), list.n},
                      .does = copied(j, s->does),
                      .undo = copied(j, s->undo),
                      .probe = copied(j, s->probe)};
    if (!e.title || !e.path || !e.was.text.p || !e.becomes.text.p ||
        !e.list.p || !e.does || !e.undo || !e.probe)
        return err_set(err, ERR_NOMEM, "journal: out of memory");
    j->v[j->n++] = e;
    return ERR_OK;
}

enum errc journal_begin(struct journal *j, const struct step *s,
                        struct str list, struct err *err)
{
    enum errc rc = remember(j, s, list, err);
    struct buf line;
    size_t k = j->n;

    if (rc)
        return rc;
    buf_init(&line, 1 << 20);
    buf_printf(&line, "{\"begin\":%zu,\"kind\":\"%s\",\"target\":\"%s\"", k,
               journal_kinds[s->kind], setup_targets[s->target].name);
    buf_put_field(&line, ",\"title\":", str_from_cstr(s->title));
    if (s->kind == STEP_PUT) {
        buf_put_field(&line, ",\"path\":", str_from_cstr(s->path));
        rc = put_node(j, k, "was", &s->before, &line, err);
        if (!rc)
            rc = put_node(j, k, "becomes", &s->after, &line, err);
    } else if (s->kind == STEP_PACKAGES) {
        buf_printf(&line, ",\"was\":\"%zu.was\"", k);
        rc = keep(j, k, "was", list, err);
    } else {
        buf_put_field(&line, ",\"does\":", str_from_cstr(s->does));
        buf_put_field(&line, ",\"undo\":", str_from_cstr(s->undo));
        buf_put_field(&line, ",\"probe\":", str_from_cstr(s->probe));
    }
    buf_puts(&line, "}");
    (void)fsync(j->directory);
    if (!rc)
        return append(j, &line, err);
    buf_fini(&line);
    j->n--;
    return rc;
}

static enum errc append_number(struct journal *j, const char *key,
                               size_t number, struct err *err)
{
    struct buf line;

    buf_init(&line, 4096);
    buf_printf(&line, "{\"%s\":%zu}", key, number);
    return append(j, &line, err);
}

enum errc journal_done(struct journal *j, size_t number, struct err *err)
{
    j->v[number - 1].done = true;
    return append_number(j, "done", number, err);
}

enum errc journal_undone(struct journal *j, size_t number, struct err *err)
{
    j->v[number - 1].undone = true;
    return append_number(j, "undone", number, err);
}

void journal_failed(struct journal *j, size_t number, const char *why)
{
    struct buf line;

    buf_init(&line, 1 << 16);
    buf_printf(&line, "{\"failed\":%zu", number);
    buf_put_field(&line, ",\"why\":", str_from_cstr(why));
    buf_puts(&line, "}");
    enum errc rc = append(j, &line, NULL);
    (void)rc;
}

enum errc journal_state(struct journal *j, enum run_state s, struct err *err)
{
    struct buf line;

    j->state = s;
    buf_init(&line, 4096);
    buf_printf(&line, "{\"state\":\"%s\"}", journal_states[s]);
    return append(j, &line, err);
}

enum errc journal_start(struct journal *j, const char *const *arguments,
                        size_t n, struct err *err)
{
    struct buf line;

    buf_init(&line, 1 << 20);
    buf_printf(&line, "{\"run\":\"%s\",\"arguments\":[", j->run);
    for (size_t i = 0; i < n; i++) {
        buf_puts(&line, i ? "," : "");
        buf_put_quoted(&line, str_from_cstr(arguments[i]));
    }
    buf_puts(&line, "]}");
    return append(j, &line, err);
}
