/* gen-pow10 [low] - prints the tables behind codec/number.c: for q in -342..324
 * the first 64 bits of 10^q, rounded down, or the 64 bits behind them.
 *
 * A run at build time instead of a file in the tree: 60 lines of schoolbook
 * arithmetic are easier to believe than 1334 constants.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { LIMBS = 48, Q_MIN = -342, Q_MAX = 324, START_BIT = 1400 };

struct big {
    uint32_t d[LIMBS]; /* least significant first */
};

static void times10(struct big *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)b->d[i] * 10;
        b->d[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* floor(floor(x / 10) / 10) is floor(x / 100): repeating this stays exact. */
static void over10(struct big *b)
{
    uint64_t rest = 0;
    for (int i = LIMBS - 1; i >= 0; i--) {
        rest = rest << 32 | b->d[i];
        b->d[i] = (uint32_t)(rest / 10);
        rest %= 10;
    }
}

static int bit(const struct big *b, int i)
{
    return i >= 0 && (b->d[i / 32] >> (i % 32) & 1);
}

/* 64 bits from the bit `skip` behind the first on. */
static void print_bits(const struct big *b, int skip)
{
    int top = LIMBS * 32 - 1;
    uint64_t v = 0;

    while (!bit(b, top))
        top--;
    for (int i = 0; i < 64; i++)
        v = v << 1 | (uint64_t)bit(b, top - skip - i);
    printf("0x%016" PRIx64 ",\n", v);
}

int main(int argc, char **argv)
{
    int skip = argc > 1 && strcmp(argv[1], "low") == 0 ? 64 : 0;

    for (int q = Q_MIN; q <= Q_MAX; q++) {
        struct big b;
        memset(&b, 0, sizeof(b));
        b.d[q < 0 ? START_BIT / 32 : 0] = q < 0 ? 1U << (START_BIT % 32) : 1;
        for (int i = 0; i < (q < 0 ? -q : q); i++) {
            if (q < 0)
                over10(&b);
            else
                times10(&b);
        }
        print_bits(&b, skip);
    }
    return 0;
}
