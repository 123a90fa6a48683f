/* A ring of records: four bytes of length, then the line. None is cut in two:
 * where it would be, a mark says that the ring goes on at its start. */
#include "logs/book.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "codec/number.h"
#include "logs/line.h"

enum { LENGTH = sizeof(uint32_t) };
#define GO_ON UINT32_MAX

struct book {
    pthread_mutex_t lock;
    size_t size;
    size_t first, end;     /* places: of the oldest line, behind the newest */
    uint64_t oldest, next; /* numbers of lines */
    char ring[];           /* size bytes, and NUMBER_PAD */
};

enum errc book_new(size_t bytes, struct book **out, struct err *err)
{
    size_t least = 4 * (size_t)LINE_BYTES_MAX;
    size_t size = bytes < least ? least : bytes;
    struct book *b = malloc(sizeof(*b) + size + NUMBER_PAD);

    if (!b)
        return err_set(err, ERR_NOMEM, "out of memory");
    *b = (struct book){.size = size};
    memset(b->ring + size, 0, NUMBER_PAD);
    pthread_mutex_init(&b->lock, NULL);
    *out = b;
    return ERR_OK;
}

void book_free(struct book *b)
{
    if (!b)
        return;
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static uint32_t length_at(const struct book *b, size_t place)
{
    uint32_t n;

    if (place + LENGTH > b->size)
        return GO_ON;
    memcpy(&n, b->ring + place, LENGTH);
    return n;
}

/* Where the record at a place really is, and where the next one would be. */
static size_t record_at(const struct book *b, size_t place, struct str *line,
                        size_t *behind)
{
    uint32_t n = length_at(b, place);

    if (n == GO_ON) {
        place = 0;
        n = length_at(b, 0);
    }
    *line = (struct str){b->ring + place + LENGTH, n};
    *behind = place + LENGTH + n;
    return place;
}

static void forget_oldest(struct book *b)
{
    struct str line;

    (void)record_at(b, b->first, &line, &b->first);
    b->oldest++;
    if (b->oldest < b->next && length_at(b, b->first) == GO_ON)
        b->first = 0;
}

/* True when the bytes from..to of the ring belong to a line that is kept. */
static bool is_taken(const struct book *b, size_t from, size_t to)
{
    if (b->oldest == b->next)
        return false;
    if (b->first < b->end)
        return from < b->end && to > b->first;
    return to > b->first || from < b->end;
}

void book_add(struct book *b, struct str line)
{
    uint32_t n = (uint32_t)(line.n < LINE_BYTES_MAX ? line.n : LINE_BYTES_MAX);

    pthread_mutex_lock(&b->lock);
    if (b->end + LENGTH + n > b->size) {
        /* What lies between here and the end of the ring goes first. */
        while (b->oldest < b->next && b->first >= b->end)
            forget_oldest(b);
        if (b->end + LENGTH <= b->size)
            memcpy(b->ring + b->end, &(uint32_t){GO_ON}, LENGTH);
        if (b->oldest == b->next)
            b->first = 0;
        b->end = 0;
    }
    while (is_taken(b, b->end, b->end + LENGTH + n))
        forget_oldest(b);
    if (b->oldest == b->next)
        b->first = b->end;
    memcpy(b->ring + b->end, &n, LENGTH);
    memcpy(b->ring + b->end + LENGTH, line.p, n);
    b->end += LENGTH + n;
    b->next++;
    pthread_mutex_unlock(&b->lock);
}

uint64_t book_read(struct book *b, uint64_t from,
                   void (*each)(void *ctx, struct str line), void *ctx,
                   uint64_t *lost)
{
    struct str line;

    pthread_mutex_lock(&b->lock);
    size_t place = b->first;
    *lost = b->oldest > from ? b->oldest - from : 0;
    for (uint64_t i = b->oldest; i < b->next; i++) {
        (void)record_at(b, place, &line, &place);
        if (i >= from)
            each(ctx, line);
    }
    uint64_t next = b->next;
    pthread_mutex_unlock(&b->lock);
    return next;
}
