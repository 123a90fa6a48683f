/* control_remote.c - where samples are sent: remote_write of the file, and of
 * the options. */
#include <stdlib.h>

#include "web/control.h"

static void on_sample(void *ctx, uint32_t series, int64_t t, double v)
{
    struct control *c = ctx;

    for (size_t i = 0; i < c->n_remotes; i++)
        remote_out_sample(c->remotes[i], series, t, v);
}

static enum errc add(struct control *c, const struct remote *how,
                     struct err *err)
{
    const struct remote_out_options options = {
        .db = c->db,
        .how = how,
        .external = c->options.rules.env.external,
        .say = c->options.rules.say,
        .ctx = c->options.rules.ctx};
    enum errc rc = remote_out_new(&options, &c->remotes[c->n_remotes], err);

    c->n_remotes += !rc;
    return rc;
}

enum errc control_remote_start(struct control *c, struct err *err)
{
    const struct control_options *o = &c->options;
    size_t more = c->first_config ? c->first_config->n_remotes : 0;
    enum errc rc = ERR_OK;

    if (o->n_remotes + more == 0)
        return ERR_OK;
    c->remotes = calloc(o->n_remotes + more, sizeof(struct remote_out *));
    c->usual_remotes = calloc(o->n_remotes + 1, sizeof(struct remote));
    if (!c->remotes || !c->usual_remotes)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < o->n_remotes && !rc; i++) {
        c->usual_remotes[i] = remote_usual();
        c->usual_remotes[i].url.value = str_from_cstr(o->remotes[i]);
        rc = add(c, &c->usual_remotes[i], err);
    }
    for (size_t i = 0; i < more && !rc; i++)
        rc = add(c, &c->first_config->remotes[i], err);
    if (!rc)
        tsdb_listen(c->db, on_sample, c);
    return rc;
}

void control_remote_fini(struct control *c)
{
    if (c->db)
        tsdb_listen(c->db, NULL, NULL);
    for (size_t i = 0; i < c->n_remotes; i++)
        remote_out_free(c->remotes[i]);
    free(c->remotes);
    free(c->usual_remotes);
}

void control_remote_stats(struct control *c, struct remote_out_stats *out)
{
    *out = (struct remote_out_stats){.sent = 0};
    for (size_t i = 0; i < c->n_remotes; i++)
        remote_out_stats(c->remotes[i], out);
}
