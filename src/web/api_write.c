/* api_write.c - remote write 1.0 into the store: POST /api/v1/write. */
#include "collect/remote_in.h"
#include "web/api.h"

static enum errc take(struct api_call *c, struct err *err)
{
    if (!c->control->options.take_remote)
        return err_set(err, ERR_NOT_FOUND,
                       "remote write receiver needs to be enabled with "
                       "--remote-write-receiver");
    enum errc rc = remote_take(c->control->db, c->r->body, err);

    if (!rc)
        c->r->status = 204;
    if (rc == ERR_CONFLICT) /* not to be sent again: 400 */
        return err_wrap(err, ERR_INVALID, "refused");
    return rc;
}

void api_write(struct http_request *r)
{
    api_run_plain(r, "text/plain; charset=utf-8", take);
}
