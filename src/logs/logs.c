#include "logs/logs.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/worker.h"
#include "logs/follow.h"
#include "logs/line.h"
#include "logs/ship.h"

enum {
    BOOK_BYTES = 4 << 20,
    MESSAGE_MAX = 1 << 17, /* bytes of one packet */
    LOOK_MS = 250,         /* between looks at files */
};

struct logs {
    struct logs_options options;
    struct worker worker;
    int end_fd; /* readable when it is time to end */
    struct book *book;
    struct queue *queue; /* NULL: nothing is shipped */
    struct ship *ship;
    struct follow *files;
    _Atomic uint64_t seen;
    char host[260];
    char message[MESSAGE_MAX];
};

static void take(void *ctx, struct str line)
{
    struct logs *l = ctx;
    struct str cut = line;

    if (!line.n)
        return;
    if (cut.n > LINE_BYTES_MAX)
        cut.n = LINE_BYTES_MAX;
    l->seen++;
    book_add(l->book, cut);
    if (l->queue)
        queue_put(l->queue, cut);
}

static void receive(struct logs *l)
{
    ssize_t n;

    while ((n = recv(l->options.fd, l->message, sizeof(l->message),
                     MSG_DONTWAIT)) > 0) {
        struct str text = {l->message, (size_t)n};
        while (text.n)
            take(l, str_cut(&text, '\n'));
    }
}

static void *run(void *arg)
{
    struct logs *l = arg;
    struct pollfd fds[] = {{l->end_fd, POLLIN, 0}, {l->options.fd, POLLIN, 0}};
    nfds_t n = l->options.fd ? 2 : 1;
    bool more = false;

    while (!fds[0].revents) {
        int wait = more ? 0 : l->options.n_files ? LOOK_MS : -1;
        if (poll(fds, n, wait) < 0 && errno != EINTR)
            break;
        if (n == 2 && fds[1].revents)
            receive(l);
        more = false;
        for (size_t i = 0; i < l->options.n_files; i++)
            more |= follow_read(&l->files[i], take, l);
        if (l->queue)
            queue_flush(l->queue);
    }
    return NULL;
}

static enum errc open_queue(struct logs *l, struct err *err)
{
    const struct logs_options *o = &l->options;

    if (!o->url)
        return ERR_OK;
    if (!o->dir)
        return err_set(err, ERR_INVALID,
                       "logs are sent from a queue on disk: they cannot be "
                       "without a directory for the history");
    return queue_open(o->dir, o->queue_size, &l->queue, err);
}

enum errc logs_new(const struct logs_options *o, struct logs **out,
                   struct err *err)
{
    struct logs *l = calloc(1, sizeof(*l));

    if (!l)
        return err_set(err, ERR_NOMEM, "out of memory");
    l->options = *o;
    worker_init(&l->worker);
    if (gethostname(l->host, sizeof(l->host) - 1) != 0)
        l->host[0] = '\0';
    l->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    l->files = calloc(o->n_files + 1, sizeof(*l->files));
    for (size_t i = 0; l->files && i < o->n_files; i++)
        follow_init(&l->files[i], o->files[i]);
    enum errc rc = ERR_OK;
    if (!l->files || l->end_fd < 0)
        rc = err_set(err, ERR_NOMEM, "out of memory");
    if (!rc)
        rc = book_new(BOOK_BYTES, &l->book, err);
    if (!rc)
        rc = open_queue(l, err);
    if (rc)
        logs_free(l);
    else
        *out = l;
    return rc;
}

enum errc logs_start(struct logs *l, struct err *err)
{
    const struct ship_options ship = {.url = l->options.url,
                                      .authorization = l->options.authorization,
                                      .host = l->host,
                                      .queue = l->queue,
                                      .say = l->options.say,
                                      .ctx = l->options.ctx};
    enum errc rc = l->queue ? ship_start(&ship, &l->ship, err) : ERR_OK;

    return rc ? rc : worker_start(&l->worker, run, l, err);
}

void logs_free(struct logs *l)
{
    if (!l)
        return;
    (void)!write(l->end_fd, &(uint64_t){1}, sizeof(uint64_t));
    worker_stop(&l->worker);
    worker_fini(&l->worker);
    ship_free(l->ship);
    queue_close(l->queue);
    book_free(l->book);
    for (size_t i = 0; l->files && i < l->options.n_files; i++)
        follow_fini(&l->files[i]);
    free(l->files);
    if (l->end_fd >= 0)
        (void)close(l->end_fd);
    free(l);
}

struct book *logs_book(struct logs *l)
{
    return l->book;
}

void logs_stats(struct logs *l, struct logs_stats *out)
{
    struct queue_stats queue = {0};
    struct ship_stats ship = {0};

    if (l->queue)
        queue_stats(l->queue, &queue);
    if (l->ship)
        ship_stats(l->ship, &ship);
    *out = (struct logs_stats){l->seen, ship.sent, ship.failed, queue.dropped,
                               queue.bytes};
}
