#include "cli/backup_show.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/cell.h"
#include "cli/size_text.h"

#define SECOND INT64_C(1000000000)

enum { TIME_TEXT = 32, COLUMNS_TEXT = 256 };

static const char *say(const struct backup_view *v, enum text t)
{
    return text_in(v->cli->language, t);
}

static void put(struct backup_view *v, struct buf *b)
{
    fprintf(v->cli->out, STR_FMT, STR_ARG(buf_str(b)));
    buf_fini(b);
}

void backup_show_note(struct backup_view *v, struct str path, const char *what)
{
    if (v->json) {
        buf_put_field(&v->notes,
                      v->notes.n ? ",{\"path\":" : "{\"path\":", path);
        buf_put_field(&v->notes, ",\"what\":", str_from_cstr(what));
        buf_putc(&v->notes, '}');
    } else {
        fprintf(v->cli->err, STR_FMT ": %s\n", STR_ARG(path), what);
    }
}

/* The notes so far, as a field. */
static void put_notes(struct backup_view *v, struct buf *b)
{
    buf_puts(b, ",\"notes\":[");
    buf_put(b, buf_str(&v->notes));
    buf_putc(b, ']');
    buf_clear(&v->notes);
}

static const char *time_text(int64_t ns, char out[TIME_TEXT])
{
    time_t t = (time_t)(ns / SECOND);
    struct tm tm;

    if (!localtime_r(&t, &tm) ||
        strftime(out, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        out[0] = '\0';
    return out;
}

void backup_show_created(struct backup_view *v, const struct created *c)
{
    char size[SIZE_TEXT_MAX];

    if (!v->json) {
        fprintf(v->cli->out, say(v, TEXT_BACKUP_CREATED), c->name,
                (long long)c->files, size_text(c->bytes, size));
        fprintf(v->cli->out, say(v, TEXT_BACKUP_NEW), (long long)c->new_files,
                size_text(c->new_bytes, size));
        if (c->before[0])
            fprintf(v->cli->out, say(v, TEXT_BACKUP_SHARED), c->before);
        fputc('\n', v->cli->out);
        return;
    }
    struct buf b;
    buf_init(&b, 64 << 20);
    buf_put_field(&b, "{\"name\":", str_from_cstr(c->name));
    buf_put_field(&b, ",\"before\":", str_from_cstr(c->before));
    buf_printf(&b,
               ",\"entries\":%lld,\"files\":%lld,\"bytes\":%lld,"
               "\"new_files\":%lld,\"new_bytes\":%lld,\"left_out\":%u,"
               "\"changing\":%u",
               (long long)c->entries, (long long)c->files, (long long)c->bytes,
               (long long)c->new_files, (long long)c->new_bytes, c->left_out,
               c->changing);
    put_notes(v, &b);
    buf_puts(&b, "}\n");
    put(v, &b);
}

/* ---- list ---------------------------------------------------------------- */

static void put_backup(struct buf *b, const struct backup *k)
{
    char at[CLOCK_TEXT_MAX];

    clock_format(k->head.created_ns, at);
    buf_put_field(b, "{\"name\":", str_from_cstr(k->name));
    buf_put_field(b, ",\"created\":", str_from_cstr(at));
    buf_put_field(b, ",\"host\":", str_from_cstr(k->head.host));
    buf_put_field(b, ",\"tag\":", str_from_cstr(k->head.tag));
    buf_puts(b, ",\"sources\":[");
    for (size_t i = 0; i < k->head.n; i++) {
        buf_put_field(b, i ? ",{\"name\":" : "{\"name\":",
                      str_from_cstr(k->head.sources[i].name));
        buf_put_field(b, ",\"path\":", str_from_cstr(k->head.sources[i].path));
        buf_putc(b, '}');
    }
    buf_printf(b,
               "],\"whole\":%s,\"entries\":%lld,\"bytes\":%lld,\"verified\":",
               k->entries < 0 ? "false" : "true", (long long)k->entries,
               (long long)k->bytes);
    if (k->verified_ns)
        clock_format(k->verified_ns, at);
    if (k->verified_ns)
        buf_put_quoted(b, str_from_cstr(at));
    else
        buf_puts(b, "null");
    buf_putc(b, '}');
}

static void list_json(struct backup_view *v, const struct backups *all)
{
    fputc('[', v->cli->out);
    for (size_t i = 0; i < all->n; i++) {
        struct buf b;
        buf_init(&b, 1 << 20);
        buf_puts(&b, i ? ",\n" : "");
        put_backup(&b, &all->v[i]);
        put(v, &b);
    }
    fputs("]\n", v->cli->out);
}

static void list_head(struct backup_view *v, const int *widths, size_t n)
{
    struct str rest = str_from_cstr(say(v, TEXT_BACKUP_LIST_HEAD));

    for (size_t i = 0; i < n; i++)
        cell(v->cli->out, str_cut(&rest, '|'), widths[i]);
    fprintf(v->cli->out, STR_FMT "\n", STR_ARG(rest));
}

void backup_show_list(struct backup_view *v, const char *repo,
                      const struct backups *all)
{
    int widths[] = {17, 19, 9, 8, 19};
    char text[SIZE_TEXT_MAX], at[TIME_TEXT];

    if (v->json) {
        list_json(v, all);
        return;
    }
    if (!all->n) {
        fprintf(v->cli->out, say(v, TEXT_BACKUP_NONE), repo);
        return;
    }
    for (size_t i = 0; i < all->n; i++)
        if ((int)strlen(all->v[i].name) > widths[0])
            widths[0] = (int)strlen(all->v[i].name);
    list_head(v, widths, COUNT(widths));
    for (size_t i = 0; i < all->n; i++) {
        const struct backup *k = &all->v[i];
        bool whole = k->entries >= 0;
        cell(v->cli->out, str_from_cstr(k->name), widths[0]);
        cell(v->cli->out, str_from_cstr(time_text(k->head.created_ns, at)),
             widths[1]);
        cell(v->cli->out,
             str_from_cstr(whole ? size_text(k->bytes, text)
                                 : say(v, TEXT_BACKUP_DAMAGED)),
             widths[2]);
        (void)snprintf(text, sizeof(text), "%lld",
                       (long long)(whole ? k->entries : 0));
        cell(v->cli->out, str_from_cstr(whole ? text : "-"), widths[3]);
        cell(v->cli->out,
             str_from_cstr(k->verified_ns ? time_text(k->verified_ns, at)
                                          : say(v, TEXT_BACKUP_NEVER)),
             widths[4]);
        fprintf(v->cli->out, "%s\n", k->head.tag);
    }
}

/* ---- verify, restore, diff, prune ---------------------------------------- */

void backup_show_verified(struct backup_view *v, const char *name,
                          const struct verified *r, bool first)
{
    char size[SIZE_TEXT_MAX];

    if (!v->json && r->wrong)
        fprintf(v->cli->out, say(v, TEXT_BACKUP_WRONG), name, r->wrong);
    else if (!v->json)
        fprintf(v->cli->out, say(v, TEXT_BACKUP_VERIFIED), name,
                (long long)r->entries, size_text(r->bytes, size));
    if (!v->json)
        return;
    struct buf b;
    buf_init(&b, 64 << 20);
    buf_put_field(&b,
                  first ? "{\"name\":" : ",\n{\"name\":", str_from_cstr(name));
    buf_printf(&b, ",\"entries\":%lld,\"bytes\":%lld,\"wrong\":%u",
               (long long)r->entries, (long long)r->bytes, r->wrong);
    put_notes(v, &b);
    buf_putc(&b, '}');
    put(v, &b);
}

void backup_show_placed(struct backup_view *v, bool dry_run, bool first,
                        const char *path, const char *old)
{
    if (v->json) {
        struct buf b;
        buf_init(&b, 1 << 16);
        buf_put_field(
            &b, first ? "{\"path\":" : ",{\"path\":", str_from_cstr(path));
        buf_put_field(
            &b, dry_run ? ",\"there\":" : ",\"old\":", str_from_cstr(old));
        buf_putc(&b, '}');
        put(v, &b);
    } else if (dry_run) {
        fprintf(
            v->cli->out,
            say(v, *old ? TEXT_BACKUP_WOULD_REPLACE : TEXT_BACKUP_WOULD_PLACE),
            path);
    } else if (*old) {
        fprintf(v->cli->out, say(v, TEXT_BACKUP_PUT_ASIDE), path, old);
    } else {
        fprintf(v->cli->out, say(v, TEXT_BACKUP_PLACED), path);
    }
}

void backup_show_restored(struct backup_view *v, bool dry_run,
                          const struct restored *r)
{
    char size[SIZE_TEXT_MAX];

    if (!v->json && !dry_run)
        fprintf(v->cli->out, say(v, TEXT_BACKUP_RESTORED),
                (long long)r->entries, size_text(r->bytes, size));
    if (!v->json)
        return;
    struct buf b;
    buf_init(&b, 64 << 20);
    buf_printf(&b, "],\"entries\":%lld,\"bytes\":%lld,\"incomplete\":%u",
               (long long)r->entries, (long long)r->bytes, r->incomplete);
    put_notes(v, &b);
    buf_puts(&b, "}\n");
    put(v, &b);
}

void backup_show_difference(struct backup_view *v, bool first,
                            enum difference d, const struct entry *e)
{
    static const char *const names[] = {"added", "removed", "changed", "facts"};
    static const enum text texts[] = {TEXT_BACKUP_ADDED, TEXT_BACKUP_GONE,
                                      TEXT_BACKUP_CHANGED, TEXT_BACKUP_META};

    if (v->json) {
        struct buf b;
        buf_init(&b, 1 << 20);
        buf_put_field(&b, first ? "{\"path\":" : ",\n{\"path\":", e->path);
        buf_printf(&b, ",\"change\":\"%s\"}", names[d]);
        put(v, &b);
        return;
    }
    cell(v->cli->out, str_from_cstr(say(v, texts[d])), 8);
    fprintf(v->cli->out, STR_FMT "%s\n", STR_ARG(e->path),
            e->kind == ENTRY_DIR ? "/" : "");
}

void backup_show_kept(struct backup_view *v, bool dry_run, bool first,
                      const struct keep *k)
{
    enum text fate = k->keeps  ? TEXT_BACKUP_KEPT
                     : dry_run ? TEXT_BACKUP_WOULD_GO
                               : TEXT_BACKUP_REMOVED;

    if (v->json) {
        struct buf b;
        buf_init(&b, 1 << 16);
        buf_put_field(&b, first ? "{\"name\":" : ",\n{\"name\":",
                      str_from_cstr(k->backup->name));
        buf_printf(&b, ",\"kept\":%s", k->keeps ? "true" : "false");
        buf_put_field(&b, ",\"reasons\":", str_from_cstr(k->reasons));
        buf_putc(&b, '}');
        put(v, &b);
        return;
    }
    cell(v->cli->out, str_from_cstr(say(v, fate)), 9);
    fprintf(v->cli->out, "%s  %s\n", k->backup->name, k->reasons);
}
