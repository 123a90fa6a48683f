/* state.h - where Stoker keeps what it must remember. */
#ifndef BASE_STATE_H
#define BASE_STATE_H

#include <stdbool.h>

enum { STATE_PATH_MAX = 4096 };

/* $STOKER_STATE; else /var/lib/stoker for root and $XDG_STATE_HOME/stoker or
 * ~/.local/state/stoker for others; with `below` behind it. The directories
 * are made, for the owner only. False: that is not possible. */
bool state_path(const char *below, char out[STATE_PATH_MAX]);

#endif
