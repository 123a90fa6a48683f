#include "unit/unit.h"

#include "serve/batcher.h"

static void learn(struct batcher *b, size_t rows, int64_t ns_per_row, int times)
{
    for (int i = 0; i < times; i++)
        batcher_learn(b, rows, ns_per_row * (int64_t)rows);
}

TEST(batcher_does_not_wait_where_batches_do_not_pay)
{
    struct batcher b = {.max_rows = 32, .max_delay_ns = 1000000};
    int64_t due = 0;

    learn(&b, 1, 1000, 5);
    learn(&b, 8, 1000, 5);
    learn(&b, 32, 980, 5);
    CHECK(!batcher_pays(&b));
    CHECK_INT(batcher_take(&b, 1, 0, &due), 1);
    CHECK_INT(batcher_take(&b, 8, 0, &due), 1);
}

TEST(batcher_waits_for_what_pays_but_not_too_long)
{
    struct batcher b = {.max_rows = 32, .max_delay_ns = 1000000};
    int64_t due = 0;

    learn(&b, 1, 1000, 5);
    learn(&b, 8, 150, 5);
    CHECK(batcher_pays(&b));
    CHECK_INT(batcher_take(&b, 1, 0, &due), 0);
    CHECK_INT(due, 1000000);
    CHECK_INT(batcher_take(&b, 3, 400000, &due), 3); /* never tried: natural */
    learn(&b, 3, 400, 3);
    CHECK_INT(batcher_take(&b, 3, 400000, &due), 0);
    CHECK_INT(due, 600000);
    CHECK_INT(batcher_take(&b, 3, 1000000, &due), 3);
    CHECK_INT(batcher_take(&b, 8, 0, &due), 8);
}

TEST(batcher_tries_sizes_when_they_come_by_themselves)
{
    struct batcher b = {.max_rows = 16, .max_delay_ns = 0};
    int64_t due;

    CHECK_INT(batcher_take(&b, 10, 0, &due), 1); /* one row comes first */
    learn(&b, 1, 1000, 3);
    CHECK_INT(batcher_take(&b, 10, 0, &due), 10);
    CHECK_INT(batcher_take(&b, 99, 0, &due), 16);
}

TEST(batcher_prefers_the_sizes_it_was_told)
{
    struct batcher b = {.max_rows = 16, .preferred = {4, 8}, .n_preferred = 2};
    int64_t due;

    learn(&b, 1, 1000, 3);
    learn(&b, 8, 100, 3);
    CHECK_INT(batcher_take(&b, 11, 0, &due), 8);
    CHECK_INT(batcher_take(&b, 5, 0, &due), 4);
}

TEST(batcher_of_one_row_never_batches)
{
    struct batcher b = {.max_rows = 1, .max_delay_ns = 1000};
    int64_t due;

    CHECK_INT(batcher_take(&b, 100, 0, &due), 1);
}
