/* go_float.h - floats as Go prints them with the fewest digits that read back
 * as the same number (strconv.FormatFloat(v, format, -1, 64)): what Prometheus'
 * answers, labels and templates contain. */
#ifndef CODEC_GO_FLOAT_H
#define CODEC_GO_FLOAT_H

#include <stddef.h>

enum { GO_FLOAT_MAX = 350 }; /* no number prints longer */

/* format: 'f' 0.0001, 'e' 1e-04, 'g' as fmt's %v: 'e' for exponents below -4
 * and from 6 on (1e+06), else 'f'. Infinities are +Inf and -Inf, anything that
 * is no number NaN. Returns the length; out is not terminated. */
size_t go_float(char out[GO_FLOAT_MAX], char format, double v);

/* As Prometheus' HTTP API writes values: 'f', or 'e' below 1e-6 and from 1e21
 * on. */
size_t go_float_api(char out[GO_FLOAT_MAX], double v);

#endif
