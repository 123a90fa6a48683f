#include "tsdb/decimal.h"

#include <math.h>

#include "series/sample.h"

static const double powers[DECIMAL_EXPONENT_MAX + 1] = {
    1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

static const double LARGEST = 9007199254740992.0; /* 2^53 */

double decimal_value(int64_t m, unsigned e)
{
    return e ? (double)m / powers[e] : (double)m;
}

static bool fits(double v, unsigned e, int64_t *m)
{
    double scaled = v * powers[e];

    if (!(fabs(scaled) < LARGEST))
        return false;
    *m = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    return decimal_value(*m, e) == v;
}

static bool is_special(double v)
{
    return !isfinite(v) || (v == 0 && signbit(v));
}

bool decimal_find(const double *v, size_t n, int64_t *m, bool *special,
                  unsigned *e)
{
    unsigned least = 0;

    for (size_t i = 0; i < n; i++) {
        special[i] = is_special(v[i]);
        while (!special[i] && !fits(v[i], least, &m[i]))
            if (++least > DECIMAL_EXPONENT_MAX)
                return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (special[i])
            m[i] = i ? m[i - 1] : 0;
        else if (!fits(v[i], least, &m[i]))
            return false;
    }
    *e = least;
    return true;
}
