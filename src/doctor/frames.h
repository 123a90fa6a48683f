/* frames.h - how a check's process tells its parent what it found. */
#ifndef DOCTOR_FRAMES_H
#define DOCTOR_FRAMES_H

#include "base/buf.h"

void frame_put(struct buf *out, char kind, struct str body);

/* Cuts one off *rest; false: there is no whole one. */
bool frame_take(struct str *rest, char *kind, struct str *body);

#endif
