#include "codec/dtype.h"

#include <string.h>

static const struct {
    size_t size;
    const char *oip, *tf, *schema;
} table[DTYPE_COUNT] = {[DTYPE_NONE] = {0, "UNSUPPORTED", "DT_INVALID", "null"},
#define X(name, abi, bytes, oip, tf, onnx, schema) \
    [DTYPE_##name] = {bytes, oip, tf, schema},
                        DTYPE_MAP(X)
#undef X
};

size_t dtype_size(enum dtype t)
{
    return table[t].size;
}

const char *dtype_oip(enum dtype t)
{
    return table[t].oip ? table[t].oip : table[DTYPE_NONE].oip;
}

const char *dtype_tf(enum dtype t)
{
    return table[t].tf ? table[t].tf : table[DTYPE_NONE].tf;
}

const char *dtype_schema(enum dtype t)
{
    return table[t].schema ? table[t].schema : table[DTYPE_NONE].schema;
}

bool dtype_known(int abi)
{
    return abi > 0 && abi < DTYPE_COUNT && table[abi].oip;
}

bool dtype_is_float(enum dtype t)
{
    return t == DTYPE_F32 || t == DTYPE_F64 || t == DTYPE_F16 ||
           t == DTYPE_BF16;
}

enum dtype dtype_from_oip(struct str name)
{
    for (int i = 1; i < DTYPE_COUNT; i++)
        if (table[i].oip && str_eq(name, str_from_cstr(table[i].oip)))
            return (enum dtype)i;
    return DTYPE_NONE;
}

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof(u));
    return u;
}

static float from_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof(f));
    return f;
}

float dtype_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000U) << 16;
    uint32_t exponent = (h >> 10) & 0x1fU;
    uint32_t fraction = h & 0x3ffU;

    if (exponent == 0x1f)
        return from_bits(sign | 0x7f800000U | fraction << 13);
    if (exponent == 0) {
        float f = (float)fraction * 0x1p-24F; /* exact: a small integer */
        return sign ? -f : f;
    }
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

uint16_t dtype_f16_from_f32(float f)
{
    uint32_t u = bits_of(f);
    uint16_t sign = (uint16_t)((u >> 16) & 0x8000U);
    uint32_t a = u & 0x7fffffffU;

    if (a > 0x7f800000U)
        return (uint16_t)(sign | 0x7e00U);
    if (a >= 0x477ff000U) /* rounds to 65520 or more: infinity */
        return (uint16_t)(sign | 0x7c00U);
    if (a < 0x38800000U) {
        /* Subnormal half: adding 0.5 in float puts its last place at 2^-24,
         * and the addition does the rounding. */
        uint32_t r = bits_of(from_bits(a) + 0.5F) - 0x3f000000U;
        return (uint16_t)(sign | r);
    }
    uint32_t odd = (a >> 13) & 1;
    return (uint16_t)(sign | ((a - 0x38000000U + 0xfffU + odd) >> 13));
}

float dtype_bf16_to_f32(uint16_t h)
{
    return from_bits((uint32_t)h << 16);
}

uint16_t dtype_bf16_from_f32(float f)
{
    uint32_t u = bits_of(f);

    if ((u & 0x7fffffffU) > 0x7f800000U)
        return (uint16_t)((u >> 16) | 0x40U);
    return (uint16_t)((u + 0x7fffU + ((u >> 16) & 1)) >> 16);
}
