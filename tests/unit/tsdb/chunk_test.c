/* Every form of chunk gives back what was put in, bit by bit; what is damaged
 * is refused or is some samples, but never a crash. */
#include "unit/unit.h"

#include <math.h>
#include <stdlib.h>

#include "series/sample.h"
#include "tsdb/chunk.h"

static uint64_t next_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct data {
    int64_t t[CHUNK_MAX];
    double v[CHUNK_MAX];
    size_t n;
};

/* Values of kind `kind`: what monitoring sees, and what it should not. */
static double value_of(unsigned kind, size_t i, double before, uint64_t *r)
{
    uint64_t x = next_random(r);

    switch (kind) {
    case 0:
        return 42;
    case 1:
        return (double)(x % 100);
    case 2:
        return before + (double)(x % 50);
    case 3:
        return before + 4096 * (double)(x % 3);
    case 4:
        return (double)(x % 700000) / 1000;
    case 5:
        return before + (double)(x % 1000000) * 1e-6;
    case 6:
        return sample_from_bits(x);
    case 7:
        return i % 7 == 3 ? sample_stale() : x % 5 ? (double)i : -0.0;
    case 8:
        return i % 2 ? (double)INFINITY : (double)i * 0.5;
    case 9:
        return (double)(int64_t)(x >> 11) * (x & 1 ? 1 : -1);
    default:
        return i < 10 ? 1e300 : 1e-300;
    }
}

enum { KINDS = 11 };

static void make_data(struct data *d, unsigned kind, size_t n, bool jitter,
                      uint64_t seed)
{
    int64_t t = 1700000000000;
    double v = 0;

    d->n = n;
    for (size_t i = 0; i < n; i++) {
        t += 10000 + (jitter ? (int64_t)(next_random(&seed) % 7) : 0);
        v = value_of(kind, i, v, &seed);
        d->t[i] = t;
        d->v[i] = v;
    }
}

TEST(chunks_give_back_every_bit)
{
    static const size_t sizes[] = {1, 2, 3, 4, 31, 120, 256, CHUNK_MAX};
    static struct data in, out;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        for (size_t k = 0; k < COUNT(sizes) * 2; k++) {
            ROW("kind %u, %zu samples", kind, sizes[k / 2]);
            make_data(&in, kind, sizes[k / 2], k & 1, kind * 100 + k);
            buf_clear(&b);
            chunk_encode(in.t, in.v, in.n, &b);
            CHECK(!b.failed);
            CHECK_INT(chunk_decode(buf_str(&b), out.t, out.v, &out.n), ERR_OK);
            CHECK_INT(out.n, in.n);
            CHECK(memcmp(in.t, out.t, in.n * sizeof(*in.t)) == 0);
            CHECK(memcmp(in.v, out.v, in.n * sizeof(*in.v)) == 0);
        }
    }
    buf_fini(&b);
}

TEST(chunks_of_usual_series_are_small)
{
    static const struct {
        unsigned kind;
        double most; /* bytes a sample */
    } cases[] = {{0, 0.1}, {1, 1.1}, {2, 1.1}, {3, 0.6}, {4, 2.8}};
    static struct data in;
    struct buf b;

    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        ROW("kind %u", cases[i].kind);
        make_data(&in, cases[i].kind, 256, false, 1);
        buf_clear(&b);
        chunk_encode(in.t, in.v, in.n, &b);
        CHECK((double)b.n / 256 < cases[i].most);
    }
    buf_fini(&b);
}

/* A copy that is exactly as long: reading behind it is seen by ASan. */
static void decode_exact(const char *p, size_t n)
{
    static struct data out;
    char *copy = malloc(n ? n : 1);

    memcpy(copy, p, n);
    if (chunk_decode((struct str){copy, n}, out.t, out.v, &out.n) == ERR_OK)
        CHECK(out.n >= 1 && out.n <= CHUNK_MAX);
    free(copy);
}

TEST(damaged_chunks_are_refused_or_some_samples)
{
    static struct data in, out;
    struct buf b;
    uint64_t r = 5;

    buf_init(&b, 1 << 20);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        ROW("kind %u", kind);
        make_data(&in, kind, 100, kind & 1, kind);
        buf_clear(&b);
        chunk_encode(in.t, in.v, in.n, &b);
        for (size_t n = 0; n < b.n; n++) {
            decode_exact(b.p, n);
            /* Short of the last byte something must be missing. */
            CHECK(chunk_decode((struct str){b.p, n}, out.t, out.v, &out.n));
        }
        for (int i = 0; i < 2000; i++) {
            size_t bit = next_random(&r) % (b.n * 8);
            b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
            decode_exact(b.p, b.n);
            if (i % 4 == 3)
                b.p[bit / 8] = (char)(b.p[bit / 8] ^ 1 << bit % 8);
        }
    }
    buf_fini(&b);
}
