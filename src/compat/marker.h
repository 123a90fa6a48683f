/* marker.h - environment markers: what stands behind the ; of a requirement
 * (https://packaging.python.org/en/latest/specifications/dependency-specifiers/).
 */
#ifndef COMPAT_MARKER_H
#define COMPAT_MARKER_H

#include "base/str.h"

enum marker { MARKER_NO, MARKER_YES, MARKER_OPEN, MARKER_WRONG };

/* For CPython of that release ("3.11") on Linux, x86-64. MARKER_OPEN: it
 * depends on the release and that is "", or on what is not known here (the
 * kernel's version). MARKER_WRONG: it is no marker. */
enum marker marker_of(struct str marker, struct str python);

#endif
